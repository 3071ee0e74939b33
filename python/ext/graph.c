// SPDX-License-Identifier: MIT
// python/ext/graph.c -- refchain._core.Graph: a graph and the questions it answers. Answers come as
// text and JSON made by render/; python/refchain turns them into objects.
#include "interrupt.h"
#include "known.h"

#include "analyze/common/around.h"
#include "analyze/common/ask.h"
#include "analyze/cycles/cycles.h"
#include "analyze/common/histogram.h"
#include "analyze/common/need.h"
#include "analyze/paths/paths.h"
#include "analyze/common/select.h"
#include "capture/capture.h"
#include "format/index_file.h"
#include "format/rch_file.h"
#include "model/derived.h"
#include "model/verify.h"
#include "render/render.h"

// A capture is finished by the first question: until then the program has only paid for the walk.
struct graph_object {
    PyObject_HEAD PyThread_type_lock lock;  // held while the two below are made
    struct rch_capture *capture;            // NULL once it is finished
    struct rch_graph *graph;                // NULL until then
    struct rch_reverse reverse;             // made by the first `why`; num_nodes 0: not yet
    char *index_of;  // path of a snapshot whose index is kept beside it, or NULL
    bool index_even_small;
    uint64_t max_memory;  // of what a question may take; 0: what is free
};

static struct graph_object *cast(PyObject *op)
{
    return (struct graph_object *)op;
}

static struct core_state *state_of(PyObject *op)
{
    return PyType_GetModuleState(Py_TYPE(op));
}

PyObject *Graph_steal(struct core_state *state, struct rch_graph *graph,
                      struct rch_capture *capture)
{
    struct graph_object *self = PyObject_New(struct graph_object, state->graph_type);
    PyThread_type_lock lock = PyThread_allocate_lock();
    if (!self || !lock) {
        rch_graph_free(graph);
        rch_capture_free(capture);
        if (lock)
            PyThread_free_lock(lock);
        PyObject_Free(self);
        return PyErr_NoMemory();
    }
    self->lock = lock;
    self->capture = capture;
    self->graph = graph;
    self->reverse = (struct rch_reverse){0};
    self->index_of = NULL;
    self->max_memory = 0;
    return (PyObject *)self;
}

static void Graph_dealloc(PyObject *op)
{
    PyTypeObject *type = Py_TYPE(op);
    if (cast(op)->reverse.num_nodes)
        rch_reverse_deinit(&cast(op)->reverse);
    rch_graph_free(cast(op)->graph);
    rch_capture_free(cast(op)->capture);
    PyMem_RawFree(cast(op)->index_of);
    PyThread_free_lock(cast(op)->lock);
    PyObject_Free(op);
    Py_DECREF(type);
}

int Graph_use_index(PyObject *op, const char *path, bool even_small)
{
    struct graph_object *self = cast(op);
    size_t num_bytes = strlen(path) + 1;
    struct rch_error err = {0};
    char trouble[1024];
    enum rch_status st;
    Py_BEGIN_ALLOW_THREADS st =
        rch_index_open(self->graph, path, rch_alloc_default(), trouble, sizeof(trouble), &err);
    Py_END_ALLOW_THREADS if (st == RCH_OK) self->index_of = PyMem_RawMalloc(num_bytes);
    if (!self->index_of) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(self->index_of, path, num_bytes);
    self->index_even_small = even_small;
    return *trouble ? PyErr_WarnEx(PyExc_RuntimeWarning, trouble, 2) : 0;
}

// After a question, without the GIL: whether what it took can be kept is nobody's worry.
static void save_index(const struct graph_object *self, const struct rch_progress *progress)
{
    if (self->index_of)
        (void)!rch_index_save(self->graph, self->index_of, self->index_even_small, progress, NULL);
}

static enum rch_status finish(struct graph_object *self, bool with_reverse,
                              const struct rch_progress *progress, struct rch_error *err)
{
    if (self->capture) {
        struct rch_capture *capture = self->capture;
        self->capture = NULL;
        rch_capture_set_progress(capture, progress);
        RCH_TRY(rch_capture_finish(capture, &self->graph, err));
    }
    if (self->graph && !self->graph->derived)
        RCH_TRY(rch_derived_attach(self->graph, rch_alloc_default(), err));
    if (!self->graph)
        return rch_fail(err, RCH_EBUSY, "this capture could not be finished before: take another");
    if (with_reverse && !self->reverse.num_nodes && self->graph->num_nodes)
        return rch_reverse_make(&self->reverse, self->graph, rch_alloc_default(), progress, err);
    return RCH_OK;
}

/// The graph; NULL with an exception set. Only our own memory is read, so the GIL is released.
static const struct rch_graph *graph_of(PyObject *op, bool with_reverse)
{
    struct graph_object *self = cast(op);
    struct rch_error err = {0};
    struct core_asker asker;
    core_ask_begin(&asker, true);  // a handler may ask the same graph, and would wait for the lock
    core_release(&asker);
    PyThread_acquire_lock(self->lock, WAIT_LOCK);
    enum rch_status st = finish(self, with_reverse, &asker.progress, &err);
    if (st == RCH_OK && with_reverse)
        save_index(self, &asker.progress);
    PyThread_release_lock(self->lock);
    core_ask_end(&asker, st);
    if (st == RCH_OK)
        return self->graph;
    set_rch_error(state_of(op), &err);
    return NULL;
}

const struct rch_graph *Graph_graph(struct core_state *state, PyObject *op,
                                    const struct rch_reverse **rev_out)
{
    if (!PyObject_TypeCheck(op, state->graph_type)) {
        PyErr_SetString(PyExc_TypeError, "not a refchain._core.Graph");
        return NULL;
    }
    const struct rch_graph *g = graph_of(op, rev_out != NULL);
    if (g && rev_out)
        *rev_out = cast(op)->reverse.num_nodes ? &cast(op)->reverse : NULL;
    return g;
}

// ---- why -----------------------------------------------------------------------------------------

struct why_args {
    struct rch_why_options options;
    struct rch_render_options render;
    PyObject *known;                          // of core_judge_start
    const struct rch_around_options *around;  // draw what is around the objects instead; or NULL
    PyObject *(*other)(struct core_state *state, const struct rch_graph *g,
                       const struct rch_reverse *rev, const struct rch_asked *asked,
                       const void *options, const struct rch_render_options *render);
    const void *other_options;  // for `other`: another question about the objects; or NULL
};

/// (text, JSON, picture, (Markdown, SARIF)) of one answer.
static PyObject *render_answer(struct core_state *state, const struct rch_graph *g,
                               const struct rch_answer *answer, const struct core_judge *judge,
                               const struct rch_render_options *render)
{
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    rch_render_why_text(g, answer, render, &text.sink);
    rch_render_why_json(g, answer, render, &json.sink);
    PyObject *words = core_take_texts(state, &text, &json);
    PyObject *result =
        words ? Py_BuildValue("(OONN)", PyTuple_GET_ITEM(words, 0), PyTuple_GET_ITEM(words, 1),
                              Picture_of_answer(state, g, answer, render),
                              core_reports(state, judge, g, answer))
              : NULL;
    Py_XDECREF(words);
    return result;
}

static PyObject *draw_around(PyObject *op, const struct rch_asked *asked,
                             const struct why_args *args)
{
    struct graph_object *self = cast(op);
    struct rch_around around;
    struct rch_error err = {0};
    struct core_asker asker;
    core_ask_begin(&asker, false);
    struct rch_around_options options = *args->around;
    options.progress = &asker.progress;
    core_release(&asker);
    enum rch_status st =
        rch_around(&around, self->graph, self->reverse.num_nodes ? &self->reverse : NULL,
                   &asked->question, &options, rch_alloc_default(), &err);
    core_ask_end(&asker, st);
    if (st != RCH_OK)
        return set_rch_error(state_of(op), &err);
    struct rch_render_options render = args->render;
    render.asked = asked;
    PyObject *result = Picture_of_around(state_of(op), self->graph, &around, &render);
    rch_around_deinit(&around);
    return result;
}

static PyObject *answer_other(PyObject *op, const struct rch_asked *asked,
                              const struct why_args *args)
{
    struct graph_object *self = cast(op);
    struct rch_render_options render = args->render;
    render.asked = asked;
    return args->other(state_of(op), self->graph, self->reverse.num_nodes ? &self->reverse : NULL,
                       asked, args->other_options, &render);
}

static PyObject *answer_question(PyObject *op, const struct rch_asked *asked,
                                 const struct why_args *args)
{
    if (args->other)
        return answer_other(op, asked, args);
    if (args->around)
        return draw_around(op, asked, args);
    struct graph_object *self = cast(op);
    struct rch_answer *answer = NULL;
    struct rch_error err = {0};
    struct core_asker asker;
    core_ask_begin(&asker, false);
    struct rch_why_options options = args->options;
    options.progress = &asker.progress;
    core_release(&asker);  // an immutable graph that `op` keeps alive
    enum rch_status st = rch_why(self->graph, self->reverse.num_nodes ? &self->reverse : NULL,
                                 &asked->question, &options, rch_alloc_default(), &answer, &err);
    core_ask_end(&asker, st);
    if (st != RCH_OK)
        return set_rch_error(state_of(op), &err);
    struct rch_render_options render = args->render;
    struct core_judge judge;
    render.asked = asked;
    render.findings = &judge.findings;
    PyObject *result = NULL;
    if (core_judge_start(state_of(op), &judge, self->graph, answer, args->known) == 0)
        result = render_answer(state_of(op), self->graph, answer, &judge, &render);
    core_judge_end(&judge);
    rch_answer_free(answer);
    return result;
}

static int parse_why(PyObject *args, PyObject *kwargs, PyObject **question_out,
                     const char **text_out, struct why_args *out)
{
    static char *names[] = {"question", "text",  "source", "max_holders", "raw",
                            "all",      "color", "known",  NULL};
    int raw = 0, all = 0, color = 0;
    unsigned int max_holders = 0;
    *out = (struct why_args){.render = {.source = NULL}};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|zzIpppO", names, question_out, text_out,
                                     &out->render.source, &max_holders, &raw, &all, &color,
                                     &out->known))
        return -1;
    out->options.max_holders = max_holders;
    out->options.raw = raw;
    out->render.all = all;
    out->render.color = color;
    return 0;
}

static PyObject *why_pattern(PyObject *op, const char *pattern, const struct why_args *args)
{
    struct rch_ask_list list;
    struct rch_error err = {0};
    if (rch_ask(cast(op)->graph, pattern, rch_alloc_default(), &list, &err) != RCH_OK) {
        rch_ask_list_deinit(&list);
        return set_rch_error(state_of(op), &err);
    }
    PyObject *answers = PyList_New(0);
    for (uint32_t i = 0; answers && i < list.num_asked; i++) {
        PyObject *answer = answer_question(op, &list.asked[i], args);
        if (!answer || PyList_Append(answers, answer) < 0)
            Py_CLEAR(answers);
        Py_XDECREF(answer);
    }
    rch_ask_list_deinit(&list);
    return answers;
}

static int compare_nodes(const void *a, const void *b)
{
    rch_node x = *(const rch_node *)a, y = *(const rch_node *)b;
    return (x > y) - (x < y);
}

// A sequence of addresses, as id() gives them.
static PyObject *why_addresses(PyObject *op, PyObject *addresses, const char *text,
                               const struct why_args *args)
{
    const struct rch_graph *g = cast(op)->graph;
    PyObject *fast =
        PySequence_Fast(addresses, "question must be a str or a sequence of addresses");
    if (!fast)
        return NULL;
    Py_ssize_t num = PySequence_Fast_GET_SIZE(fast);
    rch_node *nodes = PyMem_Calloc((size_t)num + 1, sizeof(*nodes));
    uint32_t num_found = 0;
    for (Py_ssize_t i = 0; nodes && i < num; i++) {
        unsigned long long addr = PyLong_AsUnsignedLongLong(PySequence_Fast_GET_ITEM(fast, i));
        if (addr == (unsigned long long)-1 && PyErr_Occurred())
            break;
        rch_node node = rch_node_at(g, addr);
        if (node != RCH_NO_NODE)
            nodes[num_found++] = node;
    }
    Py_DECREF(fast);
    PyObject *result = NULL;
    if (!nodes) {
        PyErr_NoMemory();
    } else if (!PyErr_Occurred()) {
        qsort(nodes, num_found, sizeof(*nodes), compare_nodes);
        uint32_t num_unique = 0;
        for (uint32_t i = 0; i < num_found; i++)
            if (num_unique == 0 || nodes[num_unique - 1] != nodes[i])
                nodes[num_unique++] = nodes[i];
        struct rch_asked asked = {.kind = RCH_ASK_OBJECTS,
                                  .question = {.text = text ? text : "objects",
                                               .members = nodes,
                                               .num_members = num_unique}};
        result = answer_question(op, &asked, args);
    }
    PyMem_Free(nodes);
    return result ? Py_BuildValue("[N]", result) : NULL;
}

// 0, or -1 with a MemoryError that says what the work needs and what there is.
static int check_need(PyObject *op, const struct rch_graph *g, enum rch_work work)
{
    struct rch_error err = {0};
    if (g && rch_need_check(g, work, cast(op)->max_memory, &err) != RCH_OK) {
        set_rch_error(state_of(op), &err);
        g = NULL;
    }
    return g ? 0 : -1;
}

static PyObject *ask(PyObject *op, PyObject *question, const char *text,
                     const struct why_args *args)
{
    enum rch_work work = args->around ? RCH_WORK_REVERSE : RCH_WORK_WHY;
    if (check_need(op, graph_of(op, false), work) < 0 || !graph_of(op, true))
        return NULL;
    if (!PyUnicode_Check(question))
        return why_addresses(op, question, text, args);
    const char *pattern = PyUnicode_AsUTF8(question);
    return pattern ? why_pattern(op, pattern, args) : NULL;
}

static PyObject *Graph_why(PyObject *op, PyObject *args, PyObject *kwargs)
{
    PyObject *question;
    const char *text = NULL;
    struct why_args why;
    if (parse_why(args, kwargs, &question, &text, &why) < 0)
        return NULL;
    return ask(op, question, text, &why);
}

/// [Picture] of what is around objects, one for each reading of the question.
static PyObject *Graph_around(PyObject *op, PyObject *args)
{
    PyObject *question;
    const char *text = NULL;
    int is_forward = 0, raw = 0;
    struct rch_around_options around = {.depth = 0};
    struct why_args why = {.around = &around};
    if (!PyArg_ParseTuple(args, "OzzpIIp", &question, &text, &why.render.source, &is_forward,
                          &around.depth, &why.render.limit, &raw))
        return NULL;
    around.is_forward = is_forward;
    around.raw = raw;
    return ask(op, question, text, &why);
}

/// [(text, JSON)] of all ways that hold objects, one for each reading of the question.
static PyObject *Graph_paths(PyObject *op, PyObject *args)
{
    PyObject *question, *edges, *roots;
    const char *text = NULL;
    int each = 0;
    struct rch_exclude rows[RCH_MAX_EXCLUDES];
    struct rch_paths_options paths = {.excludes = rows};
    struct why_args why = {.other = core_paths_of, .other_options = &paths};
    if (!PyArg_ParseTuple(args, "OzzIpO!O!I", &question, &text, &why.render.source,
                          &paths.max_paths, &each, &PyTuple_Type, &edges, &PyTuple_Type, &roots,
                          &why.render.limit) ||
        core_take_excludes(edges, roots, rows, &paths.num_excludes) < 0)
        return NULL;
    paths.each = each;
    why.render.all = each;
    return ask(op, question, text, &why);
}

/// [(text, JSON)] of cycles; `question` None: of all garbage.
static PyObject *Graph_cycles(PyObject *op, PyObject *args)
{
    PyObject *question;
    const char *text = NULL;
    int garbage_only = 0;
    struct rch_cycles_options cycles = {.max_groups = 0};
    struct why_args why = {.other = core_cycles_of, .other_options = &cycles};
    if (!PyArg_ParseTuple(args, "OzzpI", &question, &text, &why.render.source, &garbage_only,
                          &cycles.max_groups))
        return NULL;
    cycles.garbage_only = garbage_only;
    if (question != Py_None)
        return ask(op, question, text, &why);
    if (!graph_of(op, true))
        return NULL;
    PyObject *answer = answer_other(op, NULL, &why);
    return answer ? Py_BuildValue("[N]", answer) : NULL;
}

// ---- histogram and look-ups ----------------------------------------------------------------------

static PyObject *decode(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "backslashreplace");
}

/// {type name: (count, bytes)} of a capture that is not finished.
static PyObject *build_counts(const struct rch_capture *capture)
{
    PyObject *counts = PyDict_New();
    struct rch_capture_count row;
    for (size_t i = 0; counts && rch_capture_count(capture, i, &row); i++) {
        if (!row.count)
            continue;
        PyObject *name = decode(row.full_name);
        PyObject *old = name ? PyDict_GetItemWithError(counts, name) : NULL;  // classes of one name
        unsigned long long count = row.count, bytes = row.bytes;
        if (old) {
            count += PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(old, 0));
            bytes += PyLong_AsUnsignedLongLong(PyTuple_GET_ITEM(old, 1));
        }
        PyObject *both = name ? Py_BuildValue("(KK)", count, bytes) : NULL;
        if (!both || PyDict_SetItem(counts, name, both) < 0)
            Py_CLEAR(counts);
        Py_XDECREF(name);
        Py_XDECREF(both);
    }
    return counts;
}

/// The counts alone, without finishing the capture; None when it is finished.
static PyObject *Graph_counts(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    struct graph_object *self = cast(op);
    Py_BEGIN_ALLOW_THREADS PyThread_acquire_lock(self->lock, WAIT_LOCK);
    Py_END_ALLOW_THREADS PyObject *counts =
        self->capture ? build_counts(self->capture) : Py_BuildValue("");
    PyThread_release_lock(self->lock);
    return counts;
}

static enum rch_status count_types(const struct graph_object *self, bool with_retained,
                                   struct rch_type_count **rows_out, uint32_t *num_out,
                                   struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    const struct rch_graph *g = self->graph;
    enum rch_status st = rch_histogram(g, alloc, rows_out, num_out, err);
    if (st != RCH_OK || !with_retained)
        return st;
    struct core_asker asker;
    core_ask_begin(&asker, false);
    core_release(&asker);
    st = rch_histogram_retained(g, alloc, &asker.progress, *rows_out, *num_out, err);
    if (st == RCH_OK)
        save_index(self, &asker.progress);
    core_ask_end(&asker, st);
    if (st != RCH_OK)
        rch_free(alloc, *rows_out, *num_out, sizeof(**rows_out));
    return st;
}

/// [(type name, count, bytes, retained bytes)], most first; without `retained`: None in its place.
static PyObject *Graph_histogram(PyObject *op, PyObject *args)
{
    int retained = 0;
    if (!PyArg_ParseTuple(args, "|p", &retained))
        return NULL;
    const struct rch_graph *g = graph_of(op, false);
    if (!g || (retained && check_need(op, g, RCH_WORK_RETAINED) < 0))
        return NULL;
    struct rch_type_count *rows = NULL;
    uint32_t num = 0;
    struct rch_error err = {0};
    if (count_types(cast(op), retained, &rows, &num, &err) != RCH_OK)
        return set_rch_error(state_of(op), &err);
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < num; i++) {
        char name[1024];
        rch_type_full_name(g, rows[i].type, name, sizeof(name));
        PyObject *row = Py_BuildValue(
            "(NIKN)", decode(name), rows[i].count, (unsigned long long)rows[i].bytes,
            retained ? PyLong_FromUnsignedLongLong(rows[i].retained) : Py_BuildValue(""));
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    rch_free(rch_alloc_default(), rows, num, sizeof(*rows));
    return list;
}

static PyObject *render_top(PyObject *op, bool as_json, bool by_bytes,
                            const struct rch_render_options *options)
{
    const struct rch_graph *g = graph_of(op, false);
    if (!g || (options->retained && check_need(op, g, RCH_WORK_RETAINED) < 0))
        return NULL;
    struct rch_type_count *rows = NULL;
    uint32_t num = 0;
    struct rch_error err = {0};
    if (count_types(cast(op), options->retained, &rows, &num, &err) != RCH_OK)
        return set_rch_error(state_of(op), &err);
    if (by_bytes)
        rch_histogram_sort_bytes(g, rows, num);
    struct rch_text text;
    rch_text_init(&text, rch_alloc_default());
    if (as_json)
        rch_render_top_json(g, rows, num, options, &text.sink);
    else
        rch_render_top_text(g, rows, num, options, &text.sink);
    rch_free(rch_alloc_default(), rows, num, sizeof(*rows));
    return core_take_text(state_of(op), &text);
}

static PyObject *Graph_top(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", "json", "all", "source", "retained", "by_bytes", NULL};
    unsigned int limit = 0;
    int as_json = 0, all = 0, retained = 0, by_bytes = 0;
    const char *source = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|Ippzpp", names, &limit, &as_json, &all,
                                     &source, &retained, &by_bytes))
        return NULL;
    struct rch_render_options options = {
        .limit = limit, .all = all != 0, .source = source, .retained = retained != 0};
    return render_top(op, as_json, by_bytes, &options);
}

/// Where the threads stand, as text or JSON.
static PyObject *Graph_stacks(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"json", "locals", "thread", "source", NULL};
    int as_json = 0, with_locals = 0;
    struct rch_render_options options = {.all = true};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ppzz", names, &as_json, &with_locals,
                                     &options.thread, &options.source))
        return NULL;
    const struct rch_graph *g = graph_of(op, false);
    if (!g)
        return NULL;
    options.locals = with_locals;
    struct rch_text text;
    rch_text_init(&text, rch_alloc_default());
    if (as_json)
        rch_render_stacks_json(g, &options, &text.sink);
    else
        rch_render_stacks_text(g, &options, &text.sink);
    return core_take_text(state_of(op), &text);
}

/// (text, JSON) of a table of descriptors; frees it.
static PyObject *render_fds(struct core_state *state, const struct rch_graph *g,
                            struct rch_fd_table *table, bool why,
                            const struct rch_render_options *options)
{
    struct rch_text text, json;
    rch_text_init(&text, rch_alloc_default());
    rch_text_init(&json, rch_alloc_default());
    (why ? rch_render_fds_why_text : rch_render_fds_text)(g, table, options, &text.sink);
    rch_render_fds_json(g, table, options, &json.sink);
    rch_fd_table_free(table);
    return core_take_texts(state, &text, &json);
}

static PyObject *Graph_fds(PyObject *op, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"why", "all", "limit", "source", NULL};
    int why = 0, all = 0;
    unsigned int limit = 0;
    struct rch_render_options options = {.source = NULL};
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ppIz", names, &why, &all, &limit,
                                     &options.source))
        return NULL;
    const struct rch_graph *g = graph_of(op, true);
    if (!g)
        return NULL;
    options.all = all;
    options.limit = limit;
    const struct rch_reverse *rev = cast(op)->reverse.num_nodes ? &cast(op)->reverse : NULL;
    struct rch_fd_table *table = NULL;
    struct rch_error err = {0};
    struct core_asker asker;
    core_ask_begin(&asker, false);
    const struct rch_why_options why_options = {.progress = &asker.progress};
    core_release(&asker);  // an immutable graph that `op` keeps alive
    enum rch_status st = rch_fd_table(g, rev, rch_alloc_default(), &table, &err);
    if (st == RCH_OK && why)
        st = rch_fd_table_why(table, g, rev, limit ? limit : UINT32_MAX, &why_options, &err);
    core_ask_end(&asker, st);
    if (st == RCH_OK)
        return render_fds(state_of(op), g, table, why, &options);
    rch_fd_table_free(table);
    return set_rch_error(state_of(op), &err);
}

/// Addresses of all objects of the types that a pattern names.
static PyObject *Graph_addresses(PyObject *op, PyObject *arg)
{
    const char *pattern = PyUnicode_AsUTF8(arg);
    const struct rch_graph *g = pattern ? graph_of(op, false) : NULL;
    if (!g)
        return NULL;
    struct rch_error err = {0};
    RCH_VEC(types, rch_alloc_default(), uint32_t);
    RCH_VEC(nodes, rch_alloc_default(), rch_node);
    if (rch_select_types(g, pattern, &types, &err) != RCH_OK ||
        rch_select_instances(g, types.mem, (uint32_t)types.num, &nodes, &err) != RCH_OK)
        return set_rch_error(state_of(op), &err);
    PyObject *list = PyList_New((Py_ssize_t)nodes.num);
    for (size_t i = 0; list && i < nodes.num; i++) {
        PyObject *addr =
            PyLong_FromUnsignedLongLong(rch_addr_of(g, RCH_VEC_AT(&nodes, rch_node, i)));
        if (!addr)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, (Py_ssize_t)i, addr);
    }
    return list;
}

/// One reference as (kind, name, class, address of the target).
static PyObject *build_ref(const struct rch_graph *g, rch_node v, uint32_t ordinal)
{
    const struct rch_label *label = rch_label_of(g, v, ordinal);
    static const char *const classes[] = {"strong", "weak", "guessed"};
    rch_node target = g->edges[g->edge_start[v] + ordinal];
    rch_node key = rch_key_of_value(g, v, ordinal);
    rch_str name = label->name;
    if (name == RCH_NO_STR && key != RCH_NO_NODE)
        name = rch_text_of_node(g, key);
    return Py_BuildValue("(sNsK)", rch_edge_kind_word((enum rch_edge_kind)label->kind),
                         name == RCH_NO_STR ? Py_BuildValue("") : decode(rch_str_get(g, name)),
                         classes[label->cls], (unsigned long long)rch_addr_of(g, target));
}

static PyObject *build_refs(const struct rch_graph *g, rch_node v)
{
    PyObject *refs = PyList_New(0);
    for (uint32_t i = 0; refs && i < rch_num_refs(g, v); i++) {
        if (g->edges[g->edge_start[v] + i] == RCH_NO_NODE)
            continue;
        PyObject *ref = build_ref(g, v, i);
        if (!ref || PyList_Append(refs, ref) < 0)
            Py_CLEAR(refs);
        Py_XDECREF(ref);
    }
    return refs;
}

/// The full name of an object's type.
static PyObject *build_type_name(const struct rch_graph *g, rch_node v)
{
    char name[1024];
    rch_type_full_name(g, g->shapes[g->shape_of[v]].type, name, sizeof(name));
    return decode(name);
}

/// The graph and the node at the address `arg`, which may be RCH_NO_NODE. NULL: an exception is set.
static const struct rch_graph *node_of_address(PyObject *op, PyObject *arg, rch_node *node_out)
{
    unsigned long long addr = PyLong_AsUnsignedLongLong(arg);
    if (addr == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    const struct rch_graph *g = graph_of(op, false);
    if (g)
        *node_out = rch_node_at(g, addr);
    return g;
}

static PyObject *Graph_node(PyObject *op, PyObject *arg)
{
    rch_node v;
    const struct rch_graph *g = node_of_address(op, arg, &v);
    if (!g)
        return NULL;
    unsigned long long addr = PyLong_AsUnsignedLongLong(arg);
    if (v == RCH_NO_NODE) {
        char words[64];  // PyErr_Format knows no %llx before 3.12
        snprintf(words, sizeof(words), "no object at 0x%llx in this snapshot", addr);
        PyErr_SetString(PyExc_LookupError, words);
        return NULL;
    }
    return Py_BuildValue("{s:K,s:N,s:K,s:O,s:N}", "address", addr, "type", build_type_name(g, v),
                         "size", (unsigned long long)rch_size_bytes(g, v), "tracked",
                         v < g->num_tracked ? Py_True : Py_False, "references", build_refs(g, v));
}

/// Type name of the object at an address, None if there is none.
static PyObject *Graph_type_of(PyObject *op, PyObject *arg)
{
    rch_node v;
    const struct rch_graph *g = node_of_address(op, arg, &v);
    if (!g)
        return NULL;
    if (v == RCH_NO_NODE)
        Py_RETURN_NONE;
    return build_type_name(g, v);
}

/// [(kind, name, detail, references)] of all roots.
static PyObject *Graph_roots(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    const struct rch_graph *g = graph_of(op, false);
    if (!g)
        return NULL;
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < g->num_roots; i++) {
        const struct rch_root *root = &g->roots[i];
        PyObject *row =
            Py_BuildValue("(sNNN)", rch_root_kind_word((enum rch_root_kind)root->kind),
                          decode(rch_str_get(g, root->name)), decode(rch_str_get(g, root->detail)),
                          build_refs(g, g->num_objects + i));
        if (!row || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

// ---- file, facts ---------------------------------------------------------------------------------

static PyObject *Graph_dump(PyObject *op, PyObject *arg)
{
    PyObject *bytes = NULL;
    const struct rch_graph *g = graph_of(op, false);
    if (!g || !PyUnicode_FSConverter(arg, &bytes))
        return NULL;
    struct rch_error err = {0};
    struct core_asker asker;
    core_ask_begin(&asker, false);
    core_release(&asker);
    enum rch_status st = rch_file_write(g, PyBytes_AS_STRING(bytes), &asker.progress, &err);
    core_ask_end(&asker, st);
    Py_DECREF(bytes);
    if (st != RCH_OK)
        return set_rch_error(state_of(op), &err);
    Py_RETURN_NONE;
}

/// Questions that need more bytes than this raise MemoryError before they begin; 0: than is free.
static PyObject *Graph_limit_memory(PyObject *op, PyObject *arg)
{
    unsigned long long bytes = PyLong_AsUnsignedLongLong(arg);
    if (bytes == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    cast(op)->max_memory = bytes;
    Py_RETURN_NONE;
}

static PyObject *Graph_verify(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    struct rch_error err = {0};
    const struct rch_graph *g = graph_of(op, false);
    if (!g)
        return NULL;
    if (rch_graph_verify(g, &err) != RCH_OK)
        return set_rch_error(state_of(op), &err);
    Py_RETURN_NONE;
}

static PyObject *Graph_info(PyObject *op, PyObject *ignored)
{
    (void)ignored;
    const struct rch_graph *g = graph_of(op, false);
    if (!g)
        return NULL;
    PyObject *warnings = PyList_New(0);
    for (uint32_t i = 0; warnings && i < g->num_warnings; i++) {
        PyObject *text = decode(rch_str_get(g, g->warnings[i]));
        if (!text || PyList_Append(warnings, text) < 0)
            Py_CLEAR(warnings);
        Py_XDECREF(text);
    }
    return Py_BuildValue(
        "{s:I,s:I,s:I,s:I,s:I,s:(III),s:K,s:K,s:K,s:K,s:O,s:N}", "objects", g->num_objects,
        "tracked", g->num_tracked, "roots", g->num_roots, "references", g->num_edges, "pid",
        g->info.pid, "python", g->info.py_major, g->info.py_minor, g->info.py_micro, "time_ns",
        (unsigned long long)g->info.time_ns, "pause_ns", (unsigned long long)g->info.pause_ns,
        "unreadable", (unsigned long long)g->info.num_unreadable, "traversed",
        (unsigned long long)g->info.num_traversed, "partial",
        g->info.is_partial ? Py_True : Py_False, "warnings", warnings);
}

static PyObject *Graph_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args, (void)kwargs;
    PyErr_Format(PyExc_TypeError, "cannot create '%s': use refchain.snapshot() or load()",
                 type->tp_name);
    return NULL;
}

static PyMethodDef Graph_methods[] = {
    {"why", (PyCFunction)(void (*)(void))Graph_why, METH_VARARGS | METH_KEYWORDS, NULL},
    {"around", Graph_around, METH_VARARGS, NULL},
    {"paths", Graph_paths, METH_VARARGS, NULL},
    {"cycles", Graph_cycles, METH_VARARGS, NULL},
    {"counts", Graph_counts, METH_NOARGS, NULL},
    {"histogram", Graph_histogram, METH_VARARGS, NULL},
    {"top", (PyCFunction)(void (*)(void))Graph_top, METH_VARARGS | METH_KEYWORDS, NULL},
    {"keepers", Graph_keepers, METH_VARARGS, NULL},
    {"dominators", Graph_dominators, METH_VARARGS, NULL},
    {"what_if", Graph_what_if, METH_VARARGS, NULL},
    {"stacks", (PyCFunction)(void (*)(void))Graph_stacks, METH_VARARGS | METH_KEYWORDS, NULL},
    {"fds", (PyCFunction)(void (*)(void))Graph_fds, METH_VARARGS | METH_KEYWORDS, NULL},
    {"addresses", Graph_addresses, METH_O, NULL},
    {"node", Graph_node, METH_O, NULL},
    {"type_of", Graph_type_of, METH_O, NULL},
    {"roots", Graph_roots, METH_NOARGS, NULL},
    {"dump", Graph_dump, METH_O, NULL},
    {"limit_memory", Graph_limit_memory, METH_O, NULL},
    {"verify", Graph_verify, METH_NOARGS, NULL},
    {"info", Graph_info, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot Graph_slots[] = {
    {Py_tp_new, Graph_new},
    {Py_tp_dealloc, Graph_dealloc},
    {Py_tp_methods, Graph_methods},
    {Py_tp_doc, "A graph of objects; see refchain.Graph."},
    {0, NULL},
};

static PyType_Spec Graph_spec = {
    .name = "refchain._core.Graph",
    .basicsize = sizeof(struct graph_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = Graph_slots,
};

PyTypeObject *Graph_make_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &Graph_spec, NULL);
}
