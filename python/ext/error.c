// SPDX-License-Identifier: MIT
// python/ext/error.c -- status codes to exceptions.
#include "ext.h"

#include <errno.h>

PyObject *set_rch_error(struct core_state *state, const struct rch_error *err)
{
    switch (err->code) {
    case RCH_ENOMEM:
        if (!err->message[0])
            return PyErr_NoMemory();
        PyErr_SetString(PyExc_MemoryError, err->message);
        return NULL;
    case RCH_EINVAL: PyErr_SetString(PyExc_ValueError, err->message); return NULL;
    case RCH_ENOTFOUND: PyErr_SetString(PyExc_LookupError, err->message); return NULL;
    case RCH_EIO: {
        PyObject *args = Py_BuildValue("(is)", err->os_errno ? err->os_errno : EIO, err->message);
        if (args)
            PyErr_SetObject(PyExc_OSError, args);
        Py_XDECREF(args);
        return NULL;
    }
    case RCH_ECANCELED:
        if (!PyErr_Occurred())
            PyErr_SetNone(PyExc_KeyboardInterrupt);
        return NULL;
    default:
        PyErr_Format(state->error, "%s (%s)", err->message, rch_status_words(err->code));
        return NULL;
    }
}
