// SPDX-License-Identifier: MIT
// python/ext/picture.c -- refchain._core.Picture: boxes and arrows, drawn as DOT, SVG or HTML. Made from
// an answer, from what is around objects, or from lists of the caller's own.
#include "ext.h"

#include "render/picture.h"

struct picture_object {
    PyObject_HEAD struct rch_picture picture;  // never changes once it is made
};

static struct picture_object *cast(PyObject *op)
{
    return (struct picture_object *)op;
}

static PyObject *new_picture(struct core_state *state)
{
    struct picture_object *self = PyObject_New(struct picture_object, state->picture_type);
    if (self)
        rch_picture_init(&self->picture, rch_alloc_default());
    return (PyObject *)self;
}

static void Picture_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    rch_picture_deinit(&cast(op)->picture);
    PyObject_Free(op);
    Py_DECREF(type);
}

// The one way to end the making of a picture: grouped, or the exception.
static PyObject *group(struct core_state *state, PyObject *self, enum rch_status st,
                       uint32_t max_boxes, struct rch_error *err)
{
    if (st == RCH_OK)
        st = rch_picture_group(&cast(self)->picture, max_boxes, err);
    if (st == RCH_OK)
        return self;
    Py_DECREF(self);
    return set_rch_error(state, err);
}

PyObject *Picture_of_answer(struct core_state *state, const struct rch_graph *g,
                            const struct rch_answer *answer,
                            const struct rch_render_options *options)
{
    PyObject *self = new_picture(state);
    struct rch_error err = {0};
    if (!self)
        return NULL;
    enum rch_status st = rch_picture_of_answer(&cast(self)->picture, g, answer, options, &err);
    return group(state, self, st, RCH_PICTURE_MAX_NODES, &err);
}

PyObject *Picture_of_around(struct core_state *state, const struct rch_graph *g,
                            const struct rch_around *around,
                            const struct rch_render_options *options)
{
    PyObject *self = new_picture(state);
    struct rch_error err = {0};
    if (!self)
        return NULL;
    enum rch_status st = rch_picture_of_around(&cast(self)->picture, g, around, options, &err);
    return group(state, self, st, options->limit, &err);
}

// ---- from lists ----------------------------------------------------------------------------------

/// A copy of a str in the picture; NULL for None. 0, or -1 with an exception set.
static int take_text(struct rch_picture *picture, PyObject *text, const char **out)
{
    *out = NULL;
    if (text == Py_None)
        return 0;
    PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
    if (!bytes)
        return -1;
    *out = rch_picture_text(picture, "%s", PyBytes_AS_STRING(bytes));
    Py_DECREF(bytes);
    if (!*out)
        PyErr_NoMemory();
    return *out ? 0 : -1;
}

/// (lines, title, count, color, kind, flags)
static int add_box(struct rch_picture *picture, PyObject *item, struct rch_error *err)
{
    PyObject *lines, *title;
    unsigned long long count;
    unsigned int color;
    unsigned char kind, flags;
    struct rch_picture_node node = {.count = 0};
    if (!PyArg_ParseTuple(item, "O!O!KIbb", &PyTuple_Type, &lines, &PyUnicode_Type, &title, &count,
                          &color, &kind, &flags))
        return -1;
    Py_ssize_t num = PyTuple_GET_SIZE(lines);
    for (Py_ssize_t i = 0; i < num && i < RCH_PICTURE_LINES; i++)
        if (take_text(picture, PyTuple_GET_ITEM(lines, i), &node.lines[i]) < 0)
            return -1;
    if (take_text(picture, title, &node.title) < 0)
        return -1;
    if (!node.title[0])
        node.title = NULL;
    if (!node.lines[0])
        node.lines[0] = "";
    node.count = count;
    node.color = color;
    node.kind = kind;
    node.flags = flags;
    return rch_picture_node(picture, &node, NULL, err) == RCH_OK ? 0 : -1;
}

/// (from, to, label, flags)
static int add_arrow(struct rch_picture *picture, PyObject *item, struct rch_error *err)
{
    PyObject *label;
    unsigned char flags;
    struct rch_picture_edge edge = {.count = 1};
    if (!PyArg_ParseTuple(item, "IIOb", &edge.from, &edge.to, &label, &flags) ||
        take_text(picture, label, &edge.label) < 0)
        return -1;
    edge.flags = flags;
    return rch_picture_edge(picture, &edge, err) == RCH_OK ? 0 : -1;
}

static int add_all(struct rch_picture *picture, PyObject *list,
                   int (*add)(struct rch_picture *, PyObject *, struct rch_error *),
                   struct rch_error *err)
{
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (add(picture, PyList_GET_ITEM(list, i), err) < 0)
            return -1;
    return 0;
}

PyObject *core_picture(PyObject *module, PyObject *args)
{
    PyObject *boxes, *arrows, *heading, *sentence;
    unsigned int max_boxes = 0;
    struct rch_error err = {0};
    if (!PyArg_ParseTuple(args, "O!O!OOI", &PyList_Type, &boxes, &PyList_Type, &arrows, &heading,
                          &sentence, &max_boxes))
        return NULL;
    struct core_state *state = core_state_of(module);
    PyObject *self = new_picture(state);
    if (!self)
        return NULL;
    struct rch_picture *picture = &cast(self)->picture;
    picture->is_by_distance = true;
    if (take_text(picture, heading, &picture->heading) == 0 &&
        take_text(picture, sentence, &picture->sentence) == 0 &&
        add_all(picture, boxes, add_box, &err) == 0 &&
        add_all(picture, arrows, add_arrow, &err) == 0 &&
        rch_picture_group(picture, max_boxes, &err) == RCH_OK)
        return self;
    Py_DECREF(self);
    return PyErr_Occurred() ? NULL : set_rch_error(state, &err);
}

// ---- drawing -------------------------------------------------------------------------------------

enum format { AS_DOT, AS_SVG, AS_HTML };

static PyObject *draw(PyObject *op, enum format format, const char *words)
{
    const struct rch_picture *picture = &cast(op)->picture;
    struct core_state *state = PyType_GetModuleState(Py_TYPE(op));
    const struct rch_alloc *alloc = rch_alloc_default();
    struct rch_error err = {0};
    struct rch_text text;
    enum rch_status st = RCH_OK;
    rch_text_init(&text, alloc);
    PyThreadState *save =
        PyEval_SaveThread();  // a picture that `op` keeps alive and nobody changes
    if (format == AS_SVG)
        st = rch_render_svg(picture, alloc, &text.sink, &err);
    else if (format == AS_HTML)
        st = rch_render_html(picture, words, alloc, &text.sink, &err);
    else
        rch_render_dot(picture, &text.sink);
    PyEval_RestoreThread(save);
    PyObject *result = NULL;
    if (st != RCH_OK || text.sink.status != RCH_OK)
        set_rch_error(state, st != RCH_OK ? &err : &text.sink.err);
    else
        result = PyUnicode_DecodeUTF8(text.bytes, (Py_ssize_t)text.num_bytes, "replace");
    rch_text_deinit(&text);
    return result;
}

static PyObject *Picture_dot(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    return draw(op, AS_DOT, NULL);
}

static PyObject *Picture_svg(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    return draw(op, AS_SVG, NULL);
}

static PyObject *Picture_html(PyObject *op, PyObject *arg)
{
    const char *words = arg == Py_None ? NULL : PyUnicode_AsUTF8(arg);
    return words || arg == Py_None ? draw(op, AS_HTML, words) : NULL;
}

static PyObject *Picture_sizes(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    const struct rch_picture *picture = &cast(op)->picture;
    return Py_BuildValue("(nn)", (Py_ssize_t)picture->nodes.num, (Py_ssize_t)picture->edges.num);
}

static PyMethodDef Picture_methods[] = {
    {"dot", Picture_dot, METH_NOARGS, NULL},
    {"svg", Picture_svg, METH_NOARGS, NULL},
    {"html", Picture_html, METH_O, NULL},
    {"sizes", Picture_sizes, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyObject *Picture_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError, "cannot create '%s': use refchain.Picture.of()", type->tp_name);
    return NULL;
}

static PyType_Slot Picture_slots[] = {
    {Py_tp_new, Picture_new},
    {Py_tp_dealloc, Picture_dealloc},
    {Py_tp_methods, Picture_methods},
    {Py_tp_doc, "Boxes and arrows; see refchain.Picture."},
    {0, NULL},
};

static PyType_Spec Picture_spec = {
    .name = "refchain._core.Picture",
    .basicsize = sizeof(struct picture_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Picture_slots,
};

PyTypeObject *Picture_make_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &Picture_spec, NULL);
}
