# SPDX-License-Identifier: MIT
"""The layout table of the running interpreter, proven on live objects.

Each test makes an object with known referents and reads the word at the table's offset. Needs no
package and no build: `python tests/py/test_layout_live.py` with any CPython 3.9-3.15. Frames,
threads and the interpreter are in test_layout_live_runtime.py.
"""
import array
import asyncio
import builtins
import collections
import contextvars
import ctypes
import datetime
import functools
import gc
import re
import sys
import threading
import types
import unittest
import warnings
import weakref

from layout_live import (
    ABSENT,
    FREE_THREADED,
    MINOR,
    L,
    LayoutTest,
    api,
    at,
    byte,
    int32,
    list_of_weakrefs,
    obj_at,
    pointer,
    signed,
    text,
    this_interp,
    this_tstate,
    word,
)


class TypesTest(LayoutTest):
    """Objects and types."""

    def test_every_object_has_a_type_and_a_count(self):
        obj = [1]
        self.holds(obj, object_type=list)
        count = int32(id(obj) + L.object_refcnt)
        copies = [obj] * 7
        self.assertEqual(int32(id(obj) + L.object_refcnt), count + len(copies))
        self.assertEqual(object.__basicsize__, L.object_size)
        self.assertEqual(at((1, 2, 3), L.var_size), 3)

    def test_without_the_gil_an_object_counts_twice_and_says_that_it_is_tracked(self):
        if L.object_ref_shared is ABSENT:
            self.assertEqual((L.object_gc_bits, L.object_mutex, L.object_padding), (ABSENT,) * 3)
            return
        obj, kept = [1], []
        address, text_address = id(obj), id("text")
        self.assertEqual(int32(id(None) + L.object_refcnt), -1)
        self.assertEqual(byte(address + L.object_gc_bits) & 1, 1)
        self.assertEqual(byte(text_address + L.object_gc_bits) & 1, 0)
        self.assertEqual(int32(address + L.object_padding) & 0xFFFFFF, 0)
        self.assertEqual(L.object_mutex, L.object_padding + 2)
        before = signed(address + L.object_ref_shared) >> 2
        thread = threading.Thread(target=lambda: kept.extend([obj] * 5))
        thread.start()
        thread.join()
        self.assertEqual((signed(address + L.object_ref_shared) >> 2) - before, 5)

    def test_gc_heads_link_to_each_other(self):
        if L.gc_prev is ABSENT:
            self.assertEqual(L.gc_head_size, 0)
            return
        gc.disable()
        one, two = [], []
        head = id(one) - L.gc_head_size
        next_head = word(head) & ~1
        self.assertEqual(word(next_head + L.gc_prev) & ~3, head)
        self.assertTrue(gc.is_tracked(two))
        gc.enable()

    def test_type_fields(self):
        class Base:
            "doc of base"

        class Sub(Base):
            __slots__ = ("b", "a")

        ref = weakref.ref(Sub)
        self.assertEqual(text(at(Sub, L.type_name)), "Sub")
        for name, value in (("basicsize", Sub.__basicsize__), ("itemsize", Sub.__itemsize__),
                            ("dictoffset", Sub.__dictoffset__), ("flags", Sub.__flags__),
                            ("weaklistoffset", Sub.__weakrefoffset__)):
            self.assertEqual(signed(id(Sub) + getattr(L, "type_" + name)), value)
        self.assertEqual(at(tuple, L.type_itemsize), 8)
        self.holds(Sub, type_base=Base, type_bases=Sub.__bases__, type_mro=Sub.__mro__)
        self.holds(Sub, heaptype_name=Sub.__name__, heaptype_qualname=Sub.__qualname__)
        self.assertEqual(at(Sub.__dict__, L.mappingproxy_mapping), at(Sub, L.type_dict))
        self.assertEqual(sorted(obj_at(at(Sub, L.heaptype_slots))), ["a", "b"])
        self.assertIs(type(obj_at(at(Base, L.type_subclasses))), dict)
        self.assertIn(id(ref), list_of_weakrefs(at(Sub, L.type_weaklist)))
        self.assertIn(at(Sub, L.type_cache), (0, id(Sub)))
        self.assertEqual(text(at(Base, L.type_doc)), "doc of base")
        self.assertEqual(type.__basicsize__, L.heaptype_size)
        self.assertEqual(type.__sizeof__(int), L.statictype_size)

    def test_type_slots_are_what_the_api_says(self):
        class Heap:
            def __repr__(self):
                return ""

        for name, number in (("dealloc", 52), ("repr", 66), ("traverse", 71), ("clear", 51),
                             ("new", 65), ("free", 74), ("is_gc", 61), ("getset", 73),
                             ("doc", 56)):
            slot = pointer(api.PyType_GetSlot, ctypes.py_object(Heap), number) or 0
            self.assertEqual(at(Heap, getattr(L, "type_" + name)), slot, name)
        self.assertNotEqual(at(types.FunctionType, L.type_getset), 0)

    def test_slots_are_members(self):
        class Slots:
            __slots__ = ("one", "two")

        obj = Slots()
        obj.one, obj.two = [], {}
        member = at(Slots, L.type_members)
        self.assertEqual(member, id(Slots) + L.heaptype_size)
        for name in ("one", "two"):
            self.assertEqual(text(word(member + L.member_name)), name)
            self.assertEqual(int32(member + L.member_type), L.member_t_object_ex)
            self.assertEqual(int32(member + L.member_flags), 0)
            self.assertEqual(at(obj, word(member + L.member_offset)), id(getattr(obj, name)))
            member += L.member_size
        member = at(functools.partial, L.type_members)
        found = {}
        while word(member):
            found[text(word(member + L.member_name))] = int32(member + L.member_type)
            member += L.member_size
        self.assertIn(found["func"], (L.member_t_object, L.member_t_object_ex))

    def test_heap_types_know_their_module(self):
        api.PyType_GetModule.argtypes = [ctypes.py_object]
        import _lsprof
        import _struct
        proven, classes = 0, [_struct.Struct, _lsprof.Profiler] + object.__subclasses__()
        for cls in classes:
            if cls.__flags__ & 1 << 9:
                try:
                    module = pointer(api.PyType_GetModule, cls)
                except TypeError:  # made without a module
                    continue
                self.assertEqual(at(cls, L.heaptype_module), module)
                proven += 1
        self.assertTrue(proven)

    def test_specialised_calls_are_cached_in_the_type(self):
        class Seq:
            def __init__(self):
                self.x = 1

            def __getitem__(self, index):
                return index

        def run():
            for i in range(3000):
                Seq()[i]

        run()
        if FREE_THREADED:
            self.assertEqual(at(Seq, L.heaptype_getitem_cache), 0)
            self.assertEqual(at(Seq, L.heaptype_init_cache), 0)
            return
        if L.heaptype_getitem_cache is not ABSENT:
            self.assertIn(at(Seq, L.heaptype_getitem_cache), (0, id(Seq.__dict__["__getitem__"])))
            self.assertNotEqual(at(Seq, L.heaptype_getitem_cache), 0)
        if L.heaptype_init_cache is not ABSENT:
            self.holds(Seq, heaptype_init_cache=Seq.__dict__["__init__"])

    def test_static_types_keep_their_state_in_the_interpreter(self):
        if L.interp_static_types is ABSENT:
            self.assertEqual(at(int.__dict__, L.mappingproxy_mapping), at(int, L.type_dict))
            return
        interp, ref = this_interp(), weakref.ref(complex)
        num = word(interp + L.interp_num_static_types)
        self.assertTrue(100 < num <= 300)
        for cls in (int, type, complex):
            index = at(cls, L.type_subclasses) - 1
            state = interp + L.interp_static_types + index * L.static_type_state_size
            self.assertLess(index, num)
            self.holds(state, static_type_type=cls)
            self.assertEqual(at(cls.__dict__, L.mappingproxy_mapping),
                             word(state + L.static_type_dict))
        self.assertIn(id(ref), list_of_weakrefs(word(state + L.static_type_weaklist)))
        int_state = (interp + L.interp_static_types +
                     (at(int, L.type_subclasses) - 1) * L.static_type_state_size)
        subclasses = obj_at(word(int_state + L.static_type_subclasses))
        self.assertIn(bool, [ref() for ref in subclasses.values()])

    def test_extension_modules_may_have_managed_static_types(self):
        if L.interp_ext_static_types is ABSENT:
            return
        interp = this_interp()
        num = word(interp + L.interp_num_ext_static_types)
        self.assertTrue(0 < num <= L.ext_static_type_max)
        states = [interp + L.interp_ext_static_types + i * L.static_type_state_size
                  for i in range(num)]
        classes = [word(state + L.static_type_type) for state in states]
        self.assertIn(id(datetime.date), classes)
        self.assertEqual(word(states[classes.index(id(datetime.date))] + L.static_type_dict),
                         at(datetime.date.__dict__, L.mappingproxy_mapping))


class DictTest(LayoutTest):
    """dict and what attributes are kept in."""

    def entries(self, keys, num):
        """(key, value) words of the first num entries of these dict keys."""
        if L.keys_kind is ABSENT:
            size = word(keys + L.keys_size)
            width = 1 if size <= 0xff else 2 if size <= 0xffff else 4
            start, is_unicode = keys + L.keys_indices + size * width, False
            self.assertNotEqual(word(keys + L.keys_lookup), 0)
        else:
            start = keys + L.keys_indices + (1 << byte(keys + L.keys_log2_index_bytes))
            is_unicode = byte(keys + L.keys_kind) != L.keys_general
            self.assertGreaterEqual(byte(keys + L.keys_log2_index_bytes),
                                    byte(keys + L.keys_log2_size))
        for i in range(num):
            if is_unicode:
                entry = start + i * L.unicode_entry_size
                yield word(entry + L.unicode_entry_key), word(entry + L.unicode_entry_value)
            else:
                entry = start + i * L.entry_size
                key = word(entry + L.entry_key)
                if key:
                    self.assertEqual(signed(entry + L.entry_hash), hash(obj_at(key)))
                yield key, word(entry + L.entry_value)

    def check_dict(self, mapping, kind):
        keys = at(mapping, L.dict_keys)
        self.assertEqual(at(mapping, L.dict_used), len(mapping))
        self.assertEqual(at(mapping, L.dict_values), 0)
        self.assertEqual(word(keys + L.keys_refcnt), 1)
        self.assertEqual(word(keys + L.keys_nentries), len(mapping))
        self.assertLess(word(keys + L.keys_usable), 2 * len(mapping) + 8)
        self.assertEqual(list(self.entries(keys, len(mapping))),
                         [(id(key), id(value)) for key, value in mapping.items()])
        if L.keys_kind is not ABSENT:
            self.assertEqual(byte(keys + L.keys_kind), kind)

    def test_combined_dicts(self):
        self.assertEqual(dict.__basicsize__, L.dict_object_size)
        for num in (1, 5, 60, 1000, 70000):
            self.check_dict({i: [i] for i in range(num)}, L.keys_general)
            self.check_dict({"k%d" % i: [i] for i in range(num)}, L.keys_unicode)

    def test_views_know_their_dict(self):
        mapping = {}
        self.holds(mapping.keys(), dictview_dict=mapping)
        self.holds(mapping.items(), dictview_dict=mapping)

    def make_instance(self):
        class Plain:
            def __init__(self):
                self.one, self.two, self.three = [1], [2], [3]

        Plain()
        return Plain, Plain()

    def check_values(self, values, keys):
        found = {obj_at(key): obj_at(word(values + L.values_items + 8 * i))
                 for i, (key, _) in enumerate(self.entries(keys, 3))}
        self.assertEqual(found, {"one": [1], "two": [2], "three": [3]})
        if L.values_prefix_size is not ABSENT:
            self.assertIn(byte(values + L.values_prefix_size), range(8, 64, 8))
        if L.values_capacity is not ABSENT:
            self.assertGreaterEqual(byte(values + L.values_capacity), 3)
            self.assertEqual(byte(values + L.values_size), 3)
            self.assertEqual(byte(values + L.values_valid), 1)

    def test_instance_attributes_share_keys(self):
        cls, obj = self.make_instance()
        keys = at(cls, L.heaptype_cached_keys)
        self.assertEqual((L.managed_dict_is_tagged, L.inline_values_at_basicsize),
                         (int(MINOR == 12), int(MINOR >= 13)))
        if L.keys_kind is not ABSENT:
            self.assertEqual(byte(keys + L.keys_kind), L.keys_split)
        if L.managed_dict is ABSENT:
            mapping = vars(obj)
            self.assertEqual(at(mapping, L.dict_keys), keys)
            values = at(mapping, L.dict_values)
        elif L.inline_values_at_basicsize:
            self.assertEqual(at(obj, L.managed_dict), 0)
            values = id(obj) + cls.__basicsize__
            self.assertEqual(byte(values + L.values_embedded), 1)
        elif L.managed_dict_is_tagged:
            self.assertEqual(at(obj, L.managed_dict) & 1, 1)
            values = at(obj, L.managed_dict) + 1
        else:
            self.assertEqual(at(obj, L.managed_dict), 0)
            values = at(obj, L.managed_values)
        self.check_values(values, keys)

    def test_an_instance_dict_is_where_the_table_says(self):
        cls, obj = self.make_instance()
        mapping, ref = obj.__dict__, weakref.ref(obj)
        if L.managed_dict is ABSENT:
            self.assertEqual(at(obj, cls.__dictoffset__), id(mapping))
        else:
            self.holds(obj, managed_dict=mapping)
        if L.managed_weakref is ABSENT:
            self.assertEqual(at(obj, cls.__weakrefoffset__), id(ref))
        else:
            self.holds(obj, managed_weakref=ref)

    def test_ordered_dict(self):
        od = collections.OrderedDict((key, [key]) for key in ("b", "a", "c"))
        od.attribute = 1
        ref = weakref.ref(od)
        self.holds(od, odict_od_dict=od.__dict__, odict_od_weakreflist=ref)
        self.assertEqual(L.odict_object_size, type(od).__basicsize__)
        self.assertEqual(at(od, L.odict_od_fast_nodes_size), 8)
        node, keys, nodes = at(od, L.odict_od_first), [], []
        while node:
            nodes.append(node)
            keys.append(obj_at(word(node + L.odict_node_key)))
            node = word(node + L.odict_node_next)
        self.assertEqual(keys, ["b", "a", "c"])
        fast = at(od, L.odict_od_fast_nodes)
        self.assertEqual(sorted(filter(None, (word(fast + 8 * i) for i in range(8)))),
                         sorted(nodes))
        plain = sys.getsizeof(dict.fromkeys("bac")) - dict.__basicsize__
        self.assertEqual(sys.getsizeof(collections.OrderedDict.fromkeys("bac")),
                         L.odict_object_size + plain + 8 * 8 +
                         3 * L.odict_node_size)

    def test_defaultdict(self):
        self.holds(collections.defaultdict(list), defaultdict_factory=list)


class SequenceTest(LayoutTest):
    """Sequences, sets, numbers and text."""

    def test_tuple_and_list(self):
        items = ([], {}, set())
        for i, item in enumerate(items):
            self.assertEqual(at(items, L.tuple_items + 8 * i), id(item))
        listed = list(items)
        for i, item in enumerate(items):
            self.assertEqual(word(at(listed, L.list_items) + 8 * i), id(item))
        self.assertGreaterEqual(at(listed, L.list_allocated), 3)

    def test_set(self):
        for num in (3, 100):
            members = set(range(1000, 1000 + num))
            ref = weakref.ref(members)
            self.holds(members, set_weakreflist=ref)
            self.assertEqual(at(members, L.set_used), num)
            self.assertEqual(at(members, L.set_fill), num)
            table, mask = at(members, L.set_table), at(members, L.set_mask)
            found = set()
            for i in range(mask + 1):
                entry = table + i * L.set_entry_size
                if word(entry + L.set_entry_key):
                    found.add(obj_at(word(entry + L.set_entry_key)))
                    self.assertIn(word(entry + L.set_entry_hash), members)
            self.assertEqual(found, members)
            members.discard(1001)  # leaves a dummy
            self.assertEqual((at(members, L.set_fill), at(members, L.set_used)), (num, num - 1))
            self.assertEqual(table == id(members) + L.set_smalltable, num == 3)

    def test_slice_and_range(self):
        one, two, three = 100001, 200002, 300003
        self.holds(slice(one, two, three), slice_start=one, slice_stop=two, slice_step=three)
        big, step = 10 ** 20, 10 ** 5
        ranged = range(one, big, step)
        self.holds(ranged, range_start=one, range_stop=big, range_step=step)
        self.assertEqual(obj_at(at(ranged, L.range_length)), (big - one + step - 1) // step)

    def test_str_state_and_data(self):
        for value, kind, is_ascii, encoding in (
                ("plain text", 1, True, "ascii"), ("caf\xe9 \xff", 1, False, "latin-1"),
                ("\u0416\u0416\u0416", 2, False, "utf-16-le"),
                ("\U0001f600x", 4, False, "utf-32-le")):
            state = ctypes.c_uint32.from_address(id(value) + L.str_state).value
            self.assertEqual(at(value, L.str_length), len(value))
            self.assertEqual(state >> L.str_kind_shift & L.str_kind_mask, kind)
            self.assertEqual(bool(state & L.str_ascii_bit), is_ascii)
            self.assertTrue(state & L.str_compact_bit)
            self.assertTrue(L.str_ready_bit is ABSENT or state & L.str_ready_bit)
            data = value.encode(encoding)
            start = id(value) + (L.str_ascii_data if is_ascii else L.str_compact_data)
            self.assertEqual(ctypes.string_at(start, len(data)), data)

    def test_str_flags(self):
        interned, fresh = sys.intern("a_name_that_is_interned"), "".join(["a ", "fresh one"])
        for value, is_interned in ((interned, True), (fresh, False)):
            state = int32(id(value) + L.str_state)
            self.assertEqual(bool(state & L.str_interned_mask), is_interned)
        if L.str_statically_allocated_bit is not ABSENT:
            self.assertTrue(int32(id("") + L.str_state) & L.str_statically_allocated_bit)
            self.assertFalse(int32(id(fresh) + L.str_state) & L.str_statically_allocated_bit)

    def test_str_caches(self):
        value = "caf\xe9"
        api.PyUnicode_AsUTF8.argtypes = [ctypes.py_object]
        encoded = pointer(api.PyUnicode_AsUTF8, value)
        self.assertEqual(at(value, L.str_utf8), encoded)
        self.assertEqual(at(value, L.str_utf8_length), 5)
        if L.str_legacy_wstr is not ABSENT:
            api.PyUnicode_AsUnicode.argtypes = [ctypes.py_object]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                wide = pointer(api.PyUnicode_AsUnicode, value)
            self.assertEqual(at(value, L.str_legacy_wstr), wide)
            self.assertEqual(at(value, L.str_legacy_wstr_length), 4)

    def test_a_str_of_a_subclass_keeps_its_data_apart(self):
        class Sub(str):
            pass

        value = Sub("caf\xe9")
        self.assertFalse(int32(id(value) + L.str_state) & L.str_compact_bit)
        self.assertEqual(ctypes.string_at(at(value, L.str_legacy_any), 4), b"caf\xe9")
        self.assertEqual(L.str_legacy_object_size, str.__basicsize__)

    def test_bytes_and_int(self):
        self.assertEqual(ctypes.string_at(id(b"some bytes") + L.bytes_data), b"some bytes")
        array = bytearray(b"12345")
        self.assertGreaterEqual(at(array, L.bytearray_alloc), 5)
        if L.bytearray_object is not ABSENT:
            self.assertEqual(obj_at(at(array, L.bytearray_object))[:5], b"12345")
        number = 7 * 2 ** 60 + 5 * 2 ** 30 + 3
        self.assertEqual([int32(id(number) + L.long_digits + 4 * i) for i in range(3)], [3, 5, 7])
        self.assertEqual(at(number, L.long_size_or_tag) >> L.long_tag_shift, 3)


class FunctionTest(LayoutTest):
    """Functions, methods, descriptors, modules, weak references."""

    def test_function(self):
        captured = [0]

        def function(one=(1,), *, two=(2,)) -> int:
            "its doc"
            return captured

        function.attribute = 1
        ref = weakref.ref(function)
        self.holds(function, func_code=function.__code__, func_globals=globals(),
                   func_builtins=vars(builtins), func_name=function.__name__,
                   func_qualname=function.__qualname__, func_defaults=function.__defaults__,
                   func_kwdefaults=function.__kwdefaults__, func_closure=function.__closure__,
                   func_doc=function.__doc__, func_dict=function.__dict__, func_weakreflist=ref,
                   func_module=function.__module__, func_annotations=function.__annotations__)
        if L.func_annotate is not ABSENT:
            self.holds(function, func_annotate=function.__annotate__)
        self.holds(function.__closure__[0], cell_ref=captured)
        if L.func_typeparams is not ABSENT:
            space = {}
            exec("def generic[T](): pass", space)
            self.holds(space["generic"], func_typeparams=space["generic"].__type_params__)

    def test_methods(self):
        class Cls:
            def method(self):
                pass

        bound = Cls().method
        self.holds(bound, method_func=bound.__func__, method_self=bound.__self__)
        self.holds(len, cfunction_self=builtins, cfunction_module=len.__module__)
        self.assertEqual(text(word(at(len, L.cfunction_ml) + L.methoddef_name)), "len")
        self.assertEqual(int32(at(len, L.cfunction_ml) + L.methoddef_flags), 8)  # METH_O
        with_class = [bound for bound in (re.compile("x").match, array.array("i").extend)
                      if int32(at(bound, L.cfunction_ml) + L.methoddef_flags) & 0x200]
        for bound in with_class:  # METH_METHOD
            self.holds(bound, cfunction_class=type(bound.__self__))

    def test_descriptors(self):
        class Cls:
            @property
            def prop(self):
                "the doc"

            @prop.setter
            def prop(self, value):
                pass

            @prop.deleter
            def prop(self):
                pass

        prop = Cls.__dict__["prop"]
        self.holds(prop, property_get=prop.fget, property_set=prop.fset, property_del=prop.fdel,
                   property_doc=prop.__doc__, property_name=sys.intern("prop"))
        for kind, name in ((classmethod, "classmethod"), (staticmethod, "staticmethod")):
            wrapped = kind(lambda: None)
            self.holds(wrapped, **{name + "_callable": wrapped.__func__,
                                   name + "_dict": wrapped.__dict__})
        descr = list.append
        qualname = descr.__qualname__
        self.holds(descr, descr_type=list, descr_name=descr.__name__, descr_qualname=qualname)
        base = at(int.__add__, L.descr_wrapped_base)
        self.assertEqual(text(word(base)), "__add__")
        number = 10 ** 6
        self.holds(number.__add__, wrapper_descr=int.__dict__["__add__"], wrapper_self=number)
        mapping = {}
        self.holds(types.MappingProxyType(mapping), mappingproxy_mapping=mapping)

    def test_module(self):
        module = types.ModuleType("a_module")
        ref = weakref.ref(module)
        self.holds(module, module_dict=vars(module), module_weaklist=ref, module_name="a_module")
        self.assertEqual(obj_at(at(module, L.module_name)), "a_module")
        import _io
        api.PyModule_GetDef.argtypes = api.PyModule_GetState.argtypes = [ctypes.py_object]
        definition = pointer(api.PyModule_GetDef, _io)
        if L.module_def is not ABSENT:
            self.assertEqual(at(_io, L.module_def), definition)
        self.assertEqual(at(_io, L.module_state), pointer(api.PyModule_GetState, _io))
        self.assertIn(word(definition + L.moduledef_size), range(8, 4096))
        self.assertNotEqual(word(definition + L.moduledef_traverse), 0)
        if L.module_state_size is not ABSENT:  # 3.15: a copy of the definition's, if there is one
            self.assertEqual(at(_io, L.module_state_size), word(definition + L.moduledef_size))
            self.assertEqual(
                at(_io, L.module_state_traverse), word(definition + L.moduledef_traverse)
            )

    def test_weak_references(self):
        def callback(ref):
            pass

        target = type("Target", (), {"__hash__": lambda self: 1234})()
        plain, called = weakref.ref(target), weakref.ref(target, callback)
        hash(plain)
        self.holds(plain, weakref_object=target, weakref_next=called)
        self.holds(called, weakref_object=target, weakref_callback=callback, weakref_prev=plain)
        self.assertEqual(at(plain, L.weakref_hash), 1234)

    def test_exceptions(self):
        cause, first = KeyError(1), None
        try:
            try:
                raise LookupError("first")
            except LookupError as error:
                first = error
                raise ValueError("second") from cause
        except ValueError as error:
            second = error
        second.attribute = 1
        if MINOR >= 11:
            second.add_note("a note")
            self.assertEqual(obj_at(at(second, L.exc_notes) or id(second.__notes__)), ["a note"])
        self.holds(second, exc_dict=vars(second), exc_args=second.args, exc_cause=cause,
                   exc_context=first, exc_traceback=second.__traceback__)
        trace = second.__traceback__
        self.holds(trace, traceback_frame=trace.tb_frame)

        def inner():
            raise ValueError

        try:
            inner()
        except ValueError as error:
            trace = error.__traceback__
        self.holds(trace, traceback_next=trace.tb_next)

    def test_memoryview(self):
        data = bytearray(b"data")
        view = memoryview(data)
        self.holds(view, memoryview_obj=data)
        self.holds(at(view, L.memoryview_mbuf), managedbuffer_obj=data)


class ContainerTest(LayoutTest):
    """Contexts and containers of the standard library that are written in C."""

    def test_context_variables(self):
        default, value, old = [0], [1], [2]
        var = contextvars.ContextVar("a_variable", default=default)
        self.holds(var, contextvar_name=var.name, contextvar_default=default)
        inner, outer = contextvars.Context(), contextvars.Context()
        checked = []

        def look():
            checked.append((at(inner, L.context_prev), word(this_tstate() + L.tstate_context)))
            var.set(old)
            token = var.set(value)
            self.holds(token, token_ctx=inner, token_var=var, token_oldval=old)
            self.assertIs(var.get(), value)
            self.holds(var, contextvar_cached=value)

        outer.run(inner.run, look)
        self.assertEqual(checked, [(id(outer), id(inner))])
        root = word(at(inner, L.context_vars) + L.hamt_root)
        self.assertEqual(word(root + L.hamt_bitmap_items), id(var))
        self.assertEqual(word(root + L.hamt_bitmap_items + 8), id(value))

    def test_a_wide_context_has_an_array_node(self):
        context = contextvars.Context()
        variables = [contextvars.ContextVar("v%d" % i) for i in range(400)]
        for var in variables:
            context.run(var.set, 1)
        root = word(at(context, L.context_vars) + L.hamt_root)
        self.assertIn("array", obj_at(word(root + L.object_type)).__name__)
        children = [word(root + L.hamt_array_items + 8 * i) for i in range(L.hamt_array_num)]
        kinds = {obj_at(word(child + L.object_type)).__name__ for child in children if child}
        self.assertTrue(all("hamt" in kind for kind in kinds), kinds)
        self.assertEqual(word(root + L.hamt_array_items + 8 * L.hamt_array_num),
                         sum(1 for child in children if child))

    def test_colliding_keys_share_a_node(self):
        self.assertTrue(L.hamt_collision_items)
        try:
            make = __import__("_testinternalcapi" if MINOR >= 13 else "_testcapi").hamt
        except (ImportError, AttributeError):
            self.skipTest("this build has no hamt() for tests")

        class Key:
            def __hash__(self):
                return 77

        one, two, v1, v2 = Key(), Key(), [1], [2]
        table = make().set(one, v1).set(two, v2)
        node = word(id(table) + L.hamt_root)
        while "bitmap" in obj_at(word(node + L.object_type)).__name__:
            node = word(node + L.hamt_bitmap_items + 8)
        self.assertEqual([word(node + L.hamt_collision_items + 8 * i) for i in range(4)],
                         [id(one), id(v1), id(two), id(v2)])

    def test_deque(self):
        items = [[i] for i in range(200)]
        queue = collections.deque(items)
        queue.popleft()
        ref = weakref.ref(queue)
        self.holds(queue, deque_weakreflist=ref)
        self.assertEqual(L.deque_object_size, collections.deque.__basicsize__)
        block, left = at(queue, L.deque_leftblock), at(queue, L.deque_leftindex)
        found, blocks = [], 1
        for _ in range(len(queue)):
            if left == L.deque_block_len:
                following = word(block + L.deque_block_right)
                self.assertEqual(word(following + L.deque_block_left), block)
                block, left, blocks = following, 0, blocks + 1
            found.append(word(block + L.deque_block_items + 8 * left))
            left += 1
        self.assertEqual(found, [id(item) for item in items[1:]])
        self.assertEqual(block, at(queue, L.deque_rightblock))
        self.assertEqual(left - 1, at(queue, L.deque_rightindex))
        self.assertEqual(sys.getsizeof(queue) - sys.getsizeof(collections.deque()),
                         (blocks - 1) * L.deque_block_size)

    def test_partial(self):
        partial = functools.partial(int, "7", base=8)
        partial.attribute = 1
        self.holds(partial, partial_fn=int, partial_args=partial.args, partial_kw=partial.keywords,
                   partial_dict=partial.__dict__)

    def test_lru_cache(self):
        def function(key, **kw):
            return [key]

        cached = functools.lru_cache(maxsize=4)(function)
        cached.attribute = 1
        ref = weakref.ref(cached)
        results = [cached("one"), cached("two", k=3)]
        self.holds(cached, lru_func=function, lru_dict=cached.__dict__, lru_weakreflist=ref,
                   lru_cache_info_type=type(cached.cache_info()))
        cache = obj_at(at(cached, L.lru_cache))
        root = id(cached) + L.lru_root
        link, keys, seen = word(root + L.lru_link_next), [], []
        while link != root:
            if L.lru_link_type is not ABSENT:
                self.assertEqual(word(link + L.object_type), at(cached, L.lru_link_type))
            keys.append(obj_at(word(link + L.lru_link_key)))
            seen.append(obj_at(word(link + L.lru_link_result)))
            link = word(link + L.lru_link_next)
        self.assertEqual(seen, results)
        self.assertEqual(keys, list(cache))
        if L.lru_kwd_mark is not ABSENT:
            self.assertIn(at(cached, L.lru_kwd_mark), [id(part) for part in tuple(keys[1])])

    def test_simple_queue(self):
        import queue
        waiting = queue.SimpleQueue()
        items = [[i] for i in range(20)]
        for item in items:
            waiting.put(item)
        waiting.get()
        if L.simplequeue_list is not ABSENT:
            kept = obj_at(at(waiting, L.simplequeue_list))
            self.assertTrue(all(item in kept for item in items[1:]))
            return
        first, num = at(waiting, L.simplequeue_first), at(waiting, L.simplequeue_num)
        capacity, start = at(waiting, L.simplequeue_capacity), at(waiting, L.simplequeue_items)
        self.assertEqual((first, num), (1, 19))
        self.assertGreaterEqual(capacity, 20)
        self.assertEqual([word(start + 8 * (first + i) % (8 * capacity)) for i in range(num)],
                         [id(item) for item in items[1:]])

    def test_threading_local(self):
        class Local(threading.local):
            def __init__(self, *args, **kw):
                pass

        kw = {"k": 1}
        local = Local("arg", **kw)
        local.attribute = [5]
        self.assertEqual(obj_at(at(local, L.local_args)), ("arg",))
        self.assertEqual(obj_at(at(local, L.local_kw)), kw)
        tstate = this_tstate()
        if L.local_key is not ABSENT:
            key = obj_at(at(local, L.local_key))
            dummy = obj_at(word(tstate + L.tstate_dict))[key]
            self.holds(dummy, localdummy_dict=vars(local))
            self.assertIn(id(dummy), [id(r()) for r in obj_at(at(local, L.local_dummies))])
            self.assertIn(id(vars(local)),
                          [id(d) for d in obj_at(at(local, L.local_dummies)).values()])
            self.assertEqual(type(obj_at(at(local, L.local_wr_callback))), type(len))
        else:
            dicts = obj_at(at(local, L.local_dicts))
            key = word(tstate + L.tstate_threading_local_key)
            self.assertIn(key, [id(k) for k in dicts])
            self.assertIs(type(obj_at(at(local, L.local_thread_watchdogs))), set)
            sentinel = obj_at(word(tstate + L.tstate_threading_local_sentinel))
            self.assertIn("local", type(sentinel).__name__)


class AsyncioTest(LayoutTest):
    """asyncio's futures and tasks."""

    def setUp(self):
        self.loop = asyncio.new_event_loop()

    def tearDown(self):
        self.loop.close()

    def test_future(self):
        one, two = contextvars.Context(), contextvars.Context()
        future = self.loop.create_future()
        future.add_done_callback(callback := lambda f: None, context=one)
        future.add_done_callback(print, context=two)
        self.holds(future, future_loop=self.loop, future_callback0=callback, future_context0=one)
        self.assertEqual(obj_at(at(future, L.future_callbacks)), [(print, two)])
        self.holds(iter(future), futureiter_future=future)
        if L.future_dict is not ABSENT:
            future.attribute = 1
            self.assertEqual(obj_at(at(future, L.future_dict)), {"attribute": 1})

    def test_future_outcomes(self):
        done, failed, cancelled = (self.loop.create_future() for _ in range(3))
        result, message = [1], "because of this"
        done.set_result(result)
        self.holds(done, future_result=result)
        try:
            raise ValueError
        except ValueError as caught:
            error = caught
        failed.set_exception(error)
        self.holds(failed, future_exception=error)
        if L.future_exception_tb is not ABSENT:
            self.holds(failed, future_exception_tb=error.__traceback__)
        failed.exception()
        cancelled.cancel(message)
        self.holds(cancelled, future_cancel_msg=message)
        self.loop.set_debug(True)
        traced = self.loop.create_future()
        self.holds(traced, future_source_tb=traced._source_traceback)

    def test_task(self):
        future = self.loop.create_future()

        async def wait():
            await future

        coro, name = wait(), "the name of a task"
        task = self.loop.create_task(coro)
        step = self.loop._ready[0]._callback
        self.holds(step, taskstep_task=task)
        task.set_name(name)
        context = self.loop._ready[0]._context
        self.loop.run_until_complete(asyncio.sleep(0))
        self.holds(task, task_fut_waiter=future, task_coro=coro, task_name=name,
                   task_context=context, future_loop=self.loop)
        self.holds(future, future_awaited_by=task)
        wakeup = obj_at(at(future, L.future_callback0))
        if L.taskwakeup_task is not ABSENT:
            self.holds(wakeup, taskwakeup_task=task)
        else:
            self.holds(wakeup, cfunction_self=task)
        task.cancel()
        try:
            self.loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass

    def test_tasks_are_in_a_list_that_counts_nothing(self):
        if L.task_next is ABSENT:
            return
        seen = []

        async def look():
            task, tstate = asyncio.current_task(), this_tstate()
            self.holds(tstate, tstate_running_loop=self.loop, tstate_running_task=task)
            node = id(task) + L.task_next
            seen.append(word(at(task, L.task_prev)) == node)
            seen.append(word(word(node) + L.task_prev - L.task_next) == node)
            head = this_interp() + L.interp_asyncio_tasks  # of threads that ended: empty
            seen.append((word(head), word(head + 8)) == (head, head))

        self.loop.run_until_complete(look())
        self.assertEqual(seen, [True] * 3)
        self.assertEqual(word(this_tstate() + L.tstate_running_task), 0)

    def test_a_cancelled_task_keeps_the_error(self):
        async def raise_error():
            raise error

        error = asyncio.CancelledError()
        task = self.loop.create_task(raise_error())
        while not task.done():
            self.loop.run_until_complete(asyncio.sleep(0))
        if L.future_cancelled_exc is not ABSENT:
            self.holds(task, future_cancelled_exc=error)
        else:
            self.holds(id(task) + L.future_cancelled_exc_state, exc_state_value=error)

    def test_a_step_may_carry_an_error(self):
        class Bad:
            def __await__(self):
                yield 42

        async def wait():
            await Bad()

        task = self.loop.create_task(wait())
        asyncio._set_running_loop(self.loop)  # from 3.14 a step asks for that
        self.loop._run_once()
        asyncio._set_running_loop(None)
        step = self.loop._ready[0]._callback
        error = obj_at(at(step, L.taskstep_arg))
        self.assertIsInstance(error, RuntimeError)
        with self.assertRaises(RuntimeError):
            self.loop.run_until_complete(task)


if __name__ == "__main__":
    unittest.main()
