// SPDX-License-Identifier: MIT
// python/ext/known.c -- what is known of an answer's holders, and the answer for continuous integration.
#include "known.h"

#include <string.h>

static int take_known(struct core_judge *judge, PyObject *known, struct rch_error *err)
{
    const char *text, *name;
    Py_ssize_t num_bytes;
    unsigned int today;
    if (!PyArg_ParseTuple(known, "y#sI", &text, &num_bytes, &name, &today))
        return -1;
    if (rch_known_parse(text, (size_t)num_bytes, rch_alloc_default(), &judge->known, err) != RCH_OK)
        return -1;
    rch_findings_judge(&judge->findings, &judge->known, name, today);
    return 0;
}

int core_judge_start(struct core_state *state, struct core_judge *judge, const struct rch_graph *g,
                     const struct rch_answer *answer, PyObject *known)
{
    struct rch_error err = {0};
    rch_findings_init(&judge->findings, rch_alloc_default());
    judge->known = (struct rch_known_list){.num_items = 0};
    rch_arena_init(&judge->known.arena, rch_alloc_default());
    int code = rch_findings_add_why(&judge->findings, g, answer, &err) == RCH_OK ? 0 : -1;
    if (code == 0 && known && known != Py_None)
        code = take_known(judge, known, &err);
    if (code < 0 && !PyErr_Occurred())
        set_rch_error(state, &err);
    return code;
}

void core_judge_end(struct core_judge *judge)
{
    rch_findings_deinit(&judge->findings);
    rch_known_deinit(&judge->known);
}

PyObject *core_reports(struct core_state *state, const struct core_judge *judge,
                       const struct rch_graph *g, const struct rch_answer *answer)
{
    struct rch_text markdown, sarif;
    struct rch_render_options options = {.source = NULL};
    struct rch_report report = {.command = "why",
                                .subject = answer->question,
                                .version = RCH_VERSION,
                                .g = g,
                                .findings = &judge->findings,
                                .is_partial = answer->is_partial};
    rch_text_init(&markdown, rch_alloc_default());
    rch_text_init(&sarif, rch_alloc_default());
    rch_render_markdown(&report, &options, &markdown.sink);
    rch_render_sarif(&report, &options, &sarif.sink);
    return core_take_texts(state, &markdown, &sarif);
}

static PyObject *build_entry(const struct rch_known *known)
{
    char day[RCH_DAY_BYTES];
    PyObject *reason =
        PyUnicode_DecodeUTF8(known->reason, (Py_ssize_t)strlen(known->reason), "backslashreplace");
    if (!reason)
        return NULL;
    return Py_BuildValue("(sNzI)", known->fingerprint, reason,
                         known->until ? rch_day_text(day, known->until) : NULL, known->line);
}

PyObject *core_known(PyObject *module, PyObject *text)
{
    struct rch_known_list list;
    struct rch_error err = {0};
    char *bytes;
    Py_ssize_t num_bytes;
    if (PyBytes_AsStringAndSize(text, &bytes, &num_bytes) < 0)
        return NULL;
    enum rch_status st =
        rch_known_parse(bytes, (size_t)num_bytes, rch_alloc_default(), &list, &err);
    PyObject *entries = st == RCH_OK ? PyList_New(0) : set_rch_error(core_state_of(module), &err);
    for (uint32_t i = 0; entries && i < list.num_items; i++) {
        PyObject *entry = build_entry(&list.items[i]);
        if (!entry || PyList_Append(entries, entry) < 0)
            Py_CLEAR(entries);
        Py_XDECREF(entry);
    }
    rch_known_deinit(&list);
    return entries;
}
