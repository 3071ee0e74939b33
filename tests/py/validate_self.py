# SPDX-License-Identifier: MIT
"""usage: validate_self.py pylayout.so -- let the C validation judge the interpreter that runs this:
its own table must pass, every other version's must be refused with a reason.
"""
import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
minor = sys.version_info[1]
own = "%d%s" % (minor, "t" if "t" in sys.abiflags else "")
# The release that each table was made from.
RELEASES = {"9": 18, "10": 13, "11": 7, "12": 1, "13": 0, "13t": 5, "14": 10, "15": 2}


class Target(ctypes.Structure):
    _fields_ = [("is_own", ctypes.c_bool), ("read", ctypes.c_void_p), ("ctx", ctypes.c_void_p),
                ("num_failed", ctypes.c_uint64)]


class Probe(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p if name == "str_text" else ctypes.c_uint64) for name in (
        "type_type", "dict_type", "interp", "tuple", "tuple_item", "list", "list_item", "dict",
        "dict_key", "dict_value", "str", "str_text", "function", "function_code",
        "function_globals")]


def function():
    pass


def make_probe(kept):
    item, key = object(), "alive"
    kept += [(item,), [item], {key: item}, item, key]
    ctypes.pythonapi.PyInterpreterState_Get.restype = ctypes.c_void_p
    return Probe(type_type=id(type), dict_type=id(dict),
                 interp=ctypes.pythonapi.PyInterpreterState_Get(), tuple=id(kept[0]),
                 tuple_item=id(item), list=id(kept[1]), list_item=id(item), dict=id(kept[2]),
                 dict_key=id(key), dict_value=id(item), str=id(key), str_text=key.encode(),
                 function=id(function), function_code=id(function.__code__),
                 function_globals=id(globals()))


def make_library():
    library.rch_layout_for.restype = ctypes.c_void_p
    library.rch_layout_free_threaded.restype = ctypes.c_void_p
    library.rch_layout_field_name.restype = ctypes.c_char_p
    library.rch_layout_validate.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p,
                                            ctypes.c_char_p, ctypes.c_size_t]
    library.rch_layout_refit.argtypes = [ctypes.c_void_p] * 3


def table(build):
    of_build = library.rch_layout_free_threaded if build[-1] == "t" else library.rch_layout_for
    return of_build(3, int(build.rstrip("t")))


def refit_changes(layout, target, probe):
    """How many fields rch_layout_refit() changes in a copy of the table."""
    num_fields = 0
    while library.rch_layout_field_name(num_fields):
        num_fields += 1
    copy = ctypes.create_string_buffer(ctypes.string_at(layout, 4 * (num_fields + 3)))
    return library.rch_layout_refit(copy, ctypes.byref(target), ctypes.byref(probe))


def main():
    make_library()
    kept, failures, target, why = [], 0, Target(), ctypes.create_string_buffer(240)
    probe = make_probe(kept)
    library.rch_target_own_checked_init(ctypes.byref(target))
    for other in RELEASES:
        status = library.rch_layout_validate(table(other), ctypes.byref(target), ctypes.byref(probe),
                                             why, len(why))
        print("3.%s: %s" % (other, why.value.decode() or "fits"))
        failures += (status == 0) != (other == own) or (status == 0) != (why.value == b"")
    changes = refit_changes(table(own), target, probe)
    print("far end of the interpreter: %d fields changed" % changes)
    # Another patch release than the table's may have moved; the tables' own ones have not.
    own_release = RELEASES[own] == sys.version_info[2]
    return 1 if failures or (own_release and changes) else 0


if __name__ == "__main__":
    sys.exit(main())
