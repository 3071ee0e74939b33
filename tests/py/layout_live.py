# SPDX-License-Identifier: MIT
"""What the live tests of the layout tables share: the table of the running interpreter, and
reading our own memory."""
import ctypes
import os
import re
import sys
import sysconfig
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ABSENT = None
MINOR = sys.version_info[1]
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
api = ctypes.pythonapi


def read_table():
    name = "v3_%02d%s.c" % (MINOR, "t" if FREE_THREADED else "")
    path = os.path.join(ROOT, "src", "pylayout", name)
    with open(path, encoding="ascii") as file:
        rows = re.findall(r"^    \.(\w+) = ([^,]+),$", file.read(), re.M)
    return {name: ABSENT if value == "RCH_ABSENT" else int(value) for name, value in rows}


class Table:
    """Attributes are the fields; remembers which were asked for."""

    def __init__(self):
        self.values = read_table()
        self.used = {"py_major", "py_minor", "is_free_threaded"}

    def __getattr__(self, name):
        self.used.add(name)
        return self.values[name]


SUPPORTED = (sys.implementation.name == "cpython" and 9 <= MINOR <= 15 and
             (MINOR == 13 or not FREE_THREADED))
L = Table() if SUPPORTED else None


def word(addr):
    return ctypes.c_size_t.from_address(addr).value


def signed(addr):
    return ctypes.c_ssize_t.from_address(addr).value


def int32(addr):
    return ctypes.c_int32.from_address(addr).value


def byte(addr):
    return ctypes.c_uint8.from_address(addr).value


def text(addr):
    return ctypes.string_at(addr).decode()


def untagged(word_of_frame):
    """The address in a word of an interpreter frame: from 3.14 its low bits are a tag."""
    return word_of_frame & ~3 if L.iframe_is_tagged else word_of_frame


def obj_at(addr):
    return ctypes.cast(addr, ctypes.py_object).value


def at(obj, offset):
    return word(id(obj) + offset)


def pointer(function, *args):
    function.restype = ctypes.c_void_p
    return function(*args)


def this_interp():
    return pointer(api.PyInterpreterState_Get)


def this_tstate():
    return pointer(api.PyThreadState_Get)


def list_of_weakrefs(ref):
    """Addresses of ref and of the weakrefs after it."""
    while ref:
        yield ref
        ref = word(ref + L.weakref_next)


@unittest.skipUnless(SUPPORTED, "not a CPython that has a table")
class LayoutTest(unittest.TestCase):
    def holds(self, obj, **fields):
        """For each field=referent: the word there is the referent's address. Absent: no check."""
        base = obj if isinstance(obj, int) else id(obj)
        for name, referent in fields.items():
            offset = getattr(L, name)
            if offset is not ABSENT:
                self.assertEqual(hex(word(base + offset)), hex(id(referent)), name)

    def has_int(self, obj, **fields):
        base = obj if isinstance(obj, int) else id(obj)
        for name, value in fields.items():
            offset = getattr(L, name)
            if offset is not ABSENT:
                self.assertEqual(int32(base + offset), value, name)
