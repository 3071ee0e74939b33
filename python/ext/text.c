// SPDX-License-Identifier: MIT
// python/ext/text.c -- what was rendered, as str.
#include "ext.h"

#include "base/sink.h"

PyObject *core_take_text(struct core_state *state, struct rch_text *text)
{
    PyObject *result = text->sink.status == RCH_OK
                           ? PyUnicode_FromStringAndSize(text->bytes, (Py_ssize_t)text->num_bytes)
                           : set_rch_error(state, &text->sink.err);
    rch_text_deinit(text);
    return result;
}

PyObject *core_take_texts(struct core_state *state, struct rch_text *text, struct rch_text *json)
{
    PyObject *first = core_take_text(state, text);
    if (!first) {
        rch_text_deinit(json);
        return NULL;
    }
    PyObject *second = core_take_text(state, json);
    PyObject *pair = second ? PyTuple_Pack(2, first, second) : NULL;
    Py_DECREF(first);
    Py_XDECREF(second);
    return pair;
}
