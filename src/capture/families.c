// SPDX-License-Identifier: MIT
// capture/families.c -- the table of built-in types. Field offsets come from pylayout; `words` rows
// are for structs that are PyObject_HEAD and then pointers, alike in all versions (the sources are
// named by group). A row that disagrees with tp_traverse on live objects is not used (types.c).
#include "capture/families.h"

#include <string.h>

#define FIXED RCH_LABEL_FIXED
#define HIDDEN (RCH_LABEL_FIXED | RCH_LABEL_FOLD_FORWARD)
#define AT(member) offsetof(struct rch_layout, member)
#define FIELDS(name) static const struct rch__family_field name[]
#define ROW(name, member, kind, flags) {name, AT(member), RCH_EDGE_##kind, flags, 0}
#define ROW_IN(name, member, inner, kind, flags)                                          \
    {name, AT(member), RCH_EDGE_##kind, flags, AT(inner)}
#define END {NULL, 0, 0, 0, 0}

FIELDS(method_fields) = {ROW("__func__", method_func, FIELD, FIXED),
                         ROW("__self__", method_self, FIELD, FIXED), END};
FIELDS(cfunction_fields) = {ROW("__self__", cfunction_self, FIELD, FIXED),
                            ROW("__module__", cfunction_module, FIELD, FIXED), END};
FIELDS(cmethod_fields) = {ROW("__self__", cfunction_self, FIELD, FIXED),
                          ROW("__module__", cfunction_module, FIELD, FIXED),
                          ROW("__class__", cfunction_class, FIELD, FIXED), END};
FIELDS(cell_fields) = {ROW("cell_contents", cell_ref, FIELD, FIXED | RCH_LABEL_FOLD_BACK), END};
FIELDS(classmethod_fields) = {ROW("__func__", classmethod_callable, FIELD, FIXED),
                              ROW("__dict__", classmethod_dict, DICT, HIDDEN), END};
FIELDS(staticmethod_fields) = {ROW("__func__", staticmethod_callable, FIELD, FIXED),
                               ROW("__dict__", staticmethod_dict, DICT, HIDDEN), END};
FIELDS(property_fields) = {
    ROW("fget", property_get, FIELD, FIXED),      ROW("fset", property_set, FIELD, FIXED),
    ROW("fdel", property_del, FIELD, FIXED),      ROW("__doc__", property_doc, FIELD, FIXED),
    ROW("__name__", property_name, FIELD, FIXED), END};
FIELDS(descr_fields) = {ROW("__objclass__", descr_type, FIELD, FIXED),
                        ROW("__name__", descr_name, FIELD, FIXED),
                        ROW("__qualname__", descr_qualname, FIELD, FIXED), END};
FIELDS(module_fields) = {ROW("__dict__", module_dict, DICT, HIDDEN),
                         ROW("__name__", module_name, FIELD, FIXED), END};
FIELDS(weakref_fields) = {ROW("referent", weakref_object, WEAK, FIXED),
                          ROW("__callback__", weakref_callback, FIELD, FIXED), END};
FIELDS(proxy_fields) = {ROW("mapping", mappingproxy_mapping, FIELD, FIXED), END};
FIELDS(slice_fields) = {ROW("start", slice_start, FIELD, FIXED),
                        ROW("stop", slice_stop, FIELD, FIXED),
                        ROW("step", slice_step, FIELD, FIXED), END};
FIELDS(range_fields) = {
    ROW("start", range_start, FIELD, FIXED), ROW("stop", range_stop, FIELD, FIXED),
    ROW("step", range_step, FIELD, FIXED), ROW("length", range_length, FIELD, FIXED), END};
FIELDS(traceback_fields) = {ROW("tb_next", traceback_next, TRACEBACK, FIXED),
                            ROW("tb_frame", traceback_frame, TRACEBACK, FIXED), END};
FIELDS(exception_fields) = {ROW("__dict__", exc_dict, DICT, HIDDEN),
                            ROW("args", exc_args, FIELD, 0),
                            ROW("__notes__", exc_notes, FIELD, 0),
                            ROW("__traceback__", exc_traceback, TRACEBACK, 0),
                            ROW("__context__", exc_context, FIELD, 0),
                            ROW("__cause__", exc_cause, FIELD, 0),
                            END};
FIELDS(context_fields) = {ROW("previous", context_prev, FIELD, FIXED),
                          ROW("variables", context_vars, FIELD, HIDDEN), END};
FIELDS(hamt_fields) = {ROW("root", hamt_root, FIELD, HIDDEN), END};
FIELDS(contextvar_fields) = {ROW("name", contextvar_name, FIELD, FIXED),
                             ROW("default", contextvar_default, FIELD, FIXED), END};
FIELDS(token_fields) = {ROW("context", token_ctx, FIELD, FIXED),
                        ROW("var", token_var, FIELD, FIXED),
                        ROW("old_value", token_oldval, FIELD, FIXED), END};
FIELDS(odict_fields) = {ROW("__dict__", odict_od_dict, DICT, HIDDEN), END};
FIELDS(defaultdict_fields) = {ROW("default_factory", defaultdict_factory, FIELD, 0), END};
FIELDS(partial_fields) = {
    ROW("func", partial_fn, FIELD, FIXED), ROW("args", partial_args, FIELD, FIXED),
    ROW("keywords", partial_kw, FIELD, FIXED), ROW("__dict__", partial_dict, DICT, HIDDEN), END};
FIELDS(lru_fields) = {ROW("cache", lru_cache, FIELD, HIDDEN),
                      ROW("__wrapped__", lru_func, FIELD, FIXED),
                      ROW("keyword mark", lru_kwd_mark, FIELD, FIXED),
                      ROW("link type", lru_link_type, FIELD, FIXED),
                      ROW("info type", lru_cache_info_type, FIELD, FIXED),
                      ROW("__dict__", lru_dict, DICT, HIDDEN),
                      END};
FIELDS(lru_link_fields) = {ROW("key", lru_link_key, FIELD, FIXED),
                           ROW("result", lru_link_result, FIELD, FIXED), END};
#define FUTURE_FIELDS                                                                     \
    ROW("loop", future_loop, FIELD, FIXED),                                               \
    ROW("callback", future_callback0, FIELD, 0),                                          \
    ROW("callback context", future_context0, FIELD, 0),                                   \
    ROW("callbacks", future_callbacks, FIELD, 0),                                         \
    ROW("exception", future_exception, FIELD, 0),                                         \
    ROW("exception traceback", future_exception_tb, TRACEBACK, 0),                        \
    ROW("result", future_result, FIELD, 0),                                               \
    ROW("source traceback", future_source_tb, FIELD, 0),                                  \
    ROW("cancel message", future_cancel_msg, FIELD, 0),                                   \
    ROW("cancelled error", future_cancelled_exc, FIELD, 0),                               \
    ROW("awaited by", future_awaited_by, FIELD, 0),                                       \
    ROW_IN("cancelled error type", future_cancelled_exc_state, exc_state_type, FIELD, 0), \
    ROW_IN("cancelled error", future_cancelled_exc_state, exc_state_value, FIELD, 0),     \
    ROW_IN("cancelled error traceback", future_cancelled_exc_state,                       \
            exc_state_traceback, TRACEBACK, 0),                                           \
    ROW("__dict__", future_dict, DICT, HIDDEN)
FIELDS(future_fields) = {FUTURE_FIELDS, END};
FIELDS(task_fields) = {FUTURE_FIELDS,
                       ROW("waits for", task_fut_waiter, FIELD, 0),
                       ROW("coroutine", task_coro, FIELD, FIXED),
                       ROW("name", task_name, FIELD, FIXED),
                       ROW("context", task_context, FIELD, FIXED),
                       END};

FIELDS(memoryview_fields) = {ROW("buffer", memoryview_mbuf, FIELD, FIXED), END};
FIELDS(managedbuffer_fields) = {ROW("exporter", managedbuffer_obj, FIELD, FIXED), END};
FIELDS(local_fields) = {ROW("key", local_key, FIELD, FIXED),
                        ROW("args", local_args, FIELD, FIXED),
                        ROW("keywords", local_kw, FIELD, FIXED),
                        ROW("dicts", local_dummies, FIELD, FIXED),  // their name up to 3.12
                        ROW("callback", local_wr_callback, FIELD, FIXED),
                        ROW("dicts", local_dicts, FIELD, FIXED),
                        ROW("watchdogs", local_thread_watchdogs, FIELD, FIXED),
                        END};

FIELDS(simplequeue_fields) = {ROW("list", simplequeue_list, FIELD, HIDDEN), END};

static const struct rch__family families[] = {
    // containers
    {.name = "dict",
     .decode = rch__decode_dict,
     .emit = rch__emit_dict,
     .label = rch__label_dict,
     .size = rch__size_dict},
    {.name = "collections.defaultdict",
     .fields = defaultdict_fields,
     .emit = rch__emit_dict,
     .label = rch__label_dict,
     .size = rch__size_dict},
    {.name = "collections.OrderedDict",
     .fields = odict_fields,
     .emit = rch__emit_odict,
     .label = rch__label_odict,
     .size = rch__size_odict},
    {.name = "tuple", .emit = rch__emit_tuple, .label = rch__label_tuple},
    {.name = "list", .emit = rch__emit_list, .label = rch__label_list, .size = rch__size_list},
    {.name = "set", .emit = rch__emit_set, .label = rch__label_set, .size = rch__size_set},
    {.name = "frozenset",
     .emit = rch__emit_set,
     .label = rch__label_frozenset,
     .size = rch__size_set},
    {.name = "collections.deque",
     .emit = rch__emit_deque,
     .label = rch__label_list,
     .size = rch__size_deque},
    {.name = "frozendict",
     .emit = rch__emit_dict,
     .label = rch__label_frozendict,
     .size = rch__size_dict},
    {.name = "mappingproxy", .fields = proxy_fields},
    // what code is made of
    {.name = "function", .decode = rch__decode_function},
    {.name = "code", .decode = rch__decode_code, .size = rch__size_code},
    {.name = "method", .fields = method_fields},
    {.name = "instancemethod", .words = "__func__"},
    {.name = "builtin_function_or_method", .fields = cfunction_fields},
    {.name = "builtin_method", .fields = cmethod_fields},
    {.name = "cell", .fields = cell_fields},
    {.name = "classmethod", .fields = classmethod_fields},
    {.name = "staticmethod", .fields = staticmethod_fields},
    {.name = "property", .fields = property_fields},
    {.name = "wrapper_descriptor", .fields = descr_fields},
    {.name = "method_descriptor", .fields = descr_fields},
    {.name = "classmethod_descriptor", .fields = descr_fields},
    {.name = "member_descriptor", .fields = descr_fields},
    {.name = "getset_descriptor", .fields = descr_fields},
    {.name = "method-wrapper", .words = "descriptor __self__"},
    {.name = "functools.partial", .fields = partial_fields, .has_rest = false},
    {.name = "functools._lru_cache_wrapper", .fields = lru_fields, .is_unchecked = true},
    {.name = "functools._lru_list_elem",
     .fields = lru_link_fields,
     .is_unchecked = true,
     .num_hidden = 1},  // the wrapper's list owns each link besides the dict; one cut clears both
    {.name = "functools.KeyWrapper", .words = "cmp object"},
    {.name = "type", .decode = rch__decode_type, .size = rch__size_type, .is_unchecked = true},
    {.name = "module", .fields = module_fields, .has_rest = true, .scan = rch__scan_module},
    {.name = "super", .words = "__thisclass__ __self__ __self_class__"},
    // frames and what suspends
    {.name = "frame", .decode = rch__decode_frame, .size = rch__size_frame},
    {.name = "generator", .decode = rch__decode_generator, .size = rch__size_generator},
    {.name = "coroutine", .decode = rch__decode_generator, .size = rch__size_generator},
    {.name = "async_generator", .decode = rch__decode_generator, .size = rch__size_generator},
    {.name = "coroutine_wrapper", .words = "coroutine"},
    {.name = "async_generator_asend", .words = "generator sent"},
    {.name = "async_generator_athrow", .words = "generator args"},
    {.name = "async_generator_wrapped_value", .words = "value"},
    {.name = "traceback", .fields = traceback_fields},
    {.name = "BaseException", .fields = exception_fields},
    // weak references (named differently up to 3.10)
    {.name = "weakref", .fields = weakref_fields, .shown = "weakref.ReferenceType"},
    {.name = "weakproxy", .fields = weakref_fields, .shown = "weakref.ProxyType"},
    {.name = "weakcallableproxy", .fields = weakref_fields, .shown = "weakref.CallableProxyType"},
    {.name = "weakref.ReferenceType", .fields = weakref_fields},
    {.name = "weakref.ProxyType", .fields = weakref_fields},
    {.name = "weakref.CallableProxyType", .fields = weakref_fields},
    // contexts
    {.name = "Context", .fields = context_fields, .shown = "_contextvars.Context"},
    {.name = "_contextvars.Context", .fields = context_fields},
    {.name = "hamt", .fields = hamt_fields},
    {.name = "hamt_bitmap_node", .emit = rch__emit_hamt_bitmap, .label = rch__label_hamt_bitmap},
    {.name = "hamt_array_node", .emit = rch__emit_hamt_array, .label = rch__label_hamt_array},
    {.name = "hamt_collision_node",
     .emit = rch__emit_hamt_collision,
     .label = rch__label_hamt_collision},
    {.name = "keys", .words = "mapping"},  // iterators; the nodes they stand at are borrowed
    {.name = "values", .words = "mapping"},
    {.name = "items", .words = "mapping"},
    {.name = "ContextVar",
     .fields = contextvar_fields,
     .is_unchecked = true,
     .shown = "_contextvars.ContextVar"},
    {.name = "_contextvars.ContextVar", .fields = contextvar_fields, .is_unchecked = true},
    {.name = "Token", .fields = token_fields, .shown = "_contextvars.Token"},
    {.name = "_contextvars.Token", .fields = token_fields},
    // asyncio in C
    {.name = "_asyncio.Future", .fields = future_fields},
    {.name = "_asyncio.Task", .fields = task_fields},
    {.name = "_asyncio.FutureIter", .words = "future"},
    {.name = "TaskStepMethWrapper", .words = "task exception"},
    {.name = "TaskWakeupMethWrapper", .words = "task"},
    // numbers, strings, ranges
    {.name = "str", .size = rch__size_str},
    {.name = "bytes", .size = rch__size_bytes},
    {.name = "bytearray", .size = rch__size_bytearray},
    {.name = "int", .size = rch__size_int},
    {.name = "bool", .size = rch__size_int},
    {.name = "slice", .fields = slice_fields},
    {.name = "range", .fields = range_fields},
    {.name = "memoryview", .fields = memoryview_fields},
    {.name = "managedbuffer", .fields = managedbuffer_fields},
    // iterators: Objects/{iter,list,tuple,set,dict,enum,bltinmodule}object.c
    {.name = "iterator", .words = "- sequence"},
    {.name = "callable_iterator", .words = "callable sentinel"},
    {.name = "list_iterator", .words = "- list"},
    {.name = "list_reverseiterator", .words = "- list"},
    {.name = "tuple_iterator", .words = "- tuple"},
    {.name = "str_iterator", .words = "- str"},
    {.name = "str_ascii_iterator", .words = "- str", .shown = "str_iterator"},
    {.name = "bytes_iterator", .words = "- bytes"},
    {.name = "set_iterator", .words = "set"},
    {.name = "dict_keys", .words = "dict"},
    {.name = "dict_values", .words = "dict"},
    {.name = "dict_items", .words = "dict"},
    {.name = "dict_keyiterator", .words = "dict - - result"},
    {.name = "dict_valueiterator", .words = "dict - - result"},
    {.name = "dict_itemiterator", .words = "dict - - result"},
    {.name = "dict_reversekeyiterator", .words = "dict - - result"},
    {.name = "dict_reversevalueiterator", .words = "dict - - result"},
    {.name = "dict_reverseitemiterator", .words = "dict - - result"},
    {.name = "collections._deque_iterator", .words = "- - deque"},
    {.name = "collections._deque_reverse_iterator", .words = "- - deque"},
    {.name = "_collections._deque_iterator",
     .words = "- - deque",
     .shown = "collections._deque_iterator"},
    {.name = "_collections._deque_reverse_iterator",
     .words = "- - deque",
     .shown = "collections._deque_reverse_iterator"},
    {.name = "collections._tuplegetter", .words = "- doc"},
    {.name = "_collections._tuplegetter", .words = "- doc", .shown = "collections._tuplegetter"},
    {.name = "array.arrayiterator", .words = "- array"},
    {.name = "arrayiterator", .words = "- array", .shown = "array.arrayiterator"},
    {.name = "odict_iterator", .words = "- dict - - result key"},
    {.name = "enumerate", .words = "- iterator result index"},
    {.name = "reversed", .words = "- sequence"},
    {.name = "map", .words = "iterators function"},
    {.name = "filter", .words = "function iterator"},
    {.name = "zip", .words = "- iterators result"},
    // Modules/itertoolsmodule.c
    {.name = "itertools.chain", .words = "source active"},
    {.name = "itertools.count", .words = "- count step"},
    {.name = "itertools.cycle", .words = "iterator saved"},
    {.name = "itertools.repeat", .words = "element"},
    {.name = "itertools.islice", .words = "iterator"},
    {.name = "itertools.starmap", .words = "function iterator"},
    {.name = "itertools.takewhile", .words = "function iterator"},
    {.name = "itertools.dropwhile", .words = "function iterator"},
    {.name = "itertools.filterfalse", .words = "function iterator"},
    {.name = "itertools.accumulate", .words = "total iterator function initial"},
    {.name = "itertools.compress", .words = "data selectors"},
    {.name = "itertools.groupby",
     .words = "iterator key_function target_key current_key current_value"},
    {.name = "itertools._grouper", .words = "parent target_key"},
    {.name = "itertools.zip_longest", .words = "- - iterators result fill_value"},
    {.name = "itertools.product", .words = "pools - result", .size = rch__size_product},
    {.name = "itertools.combinations", .words = "pool - result", .size = rch__size_combinations},
    {.name = "itertools.combinations_with_replacement",
     .words = "pool - result",
     .size = rch__size_combinations},
    {.name = "itertools.permutations", .words = "pool - - result", .size = rch__size_permutations},
    {.name = "itertools._tee", .words = "data"},
    {.name = "itertools._tee_dataobject",
     .words = "iterator - next",
     .has_rest = true,
     .scan = rch__scan_tee},
    {.name = "itertools.pairwise", .words = "iterator old result"},
    {.name = "itertools.batched", .words = "iterator"},
    // generic aliases and unions: Objects/{genericalias,union}object.c
    {.name = "types.GenericAlias", .words = "__origin__ __args__ __parameters__"},
    {.name = "types.UnionType", .words = "__args__ __parameters__"},
    {.name = "typing.Union",
     .shown = "types.UnionType",
     .words = "__args__ hashable_args unhashable_args __parameters__"},
    // template strings and lazy imports: Objects/{template,interpolation,lazyimport}object.c
    {.name = "string.templatelib.Template", .words = "strings interpolations"},
    {.name = "string.templatelib.Interpolation",
     .words = "value expression conversion format_spec"},
    {.name = "lazy_import", .words = "builtins from attribute code"},
    // Modules/_threadmodule.c, _struct.c, _io, _operator.c, _random
    {.name = "_thread._local", .fields = local_fields},
    {.name = "_thread._localdummy", .words = "-", .is_unchecked = true},
    {.name = "operator.itemgetter", .words = "- item", .has_rest = true},
    {.name = "operator.attrgetter", .words = "- attribute", .has_rest = true},
    {.name = "operator.methodcaller",
     .words = "name args keywords arguments keyword_names",
     .has_rest = true},
    {.name = "_struct.unpack_iterator", .words = "struct - buffer", .has_rest = true},
    {.name = "_io.FileIO",
     .words = "-",
     .has_rest = true,
     .fd = {.offset = 16, .is_borrowed = rch__fileio_borrows}},
    {.name = "_io.BufferedReader", .words = "raw", .has_rest = true, .size = rch__size_buffered},
    {.name = "_io.BufferedWriter", .words = "raw", .has_rest = true, .size = rch__size_buffered},
    {.name = "_io.BufferedRandom", .words = "raw", .has_rest = true, .size = rch__size_buffered},
    {.name = "_io.BufferedRWPair", .words = "!reader !writer", .has_rest = true},
    {.name = "_io.StringIO", .words = "- - - - - - - -", .has_rest = true},
    {.name = "_io.IncrementalNewlineDecoder", .words = "!decoder !errors"},
    {.name = "_io.BytesIO", .words = "!buffer", .has_rest = true, .size = rch__size_bytesio},
    {.name = "_io.TextIOWrapper",
     .words = "- - buffer encoding encoder decoder newlines errors",
     .has_rest = true},
    // Modules/socketmodule.h, selectmodule.c, mmapmodule.c: nothing but what C needs
    {.name = "_socket.socket", .fd = {.offset = 16}},
    {.name = "select.epoll", .fd = {.offset = 16}},
    {.name = "mmap.mmap", .fd = {.offset = 56}},  // its own duplicate
    {.name = "PyCapsule", .has_rest = true, .scan = rch__scan_capsule},
    // Modules/_abc.c, _sre, arraymodule.c, _csv.c, _queuemodule.c, _datetimemodule.c, _ssl.c,
    // _sqlite, _decimal
    {.name = "_abc._abc_data", .words = "registry cache negative_cache"},
    {.name = "re.Pattern", .words = "- - !groupindex !indexgroup !pattern"},
    {.name = "re.Match", .words = "- !string !regs !re"},
    {.name = "array.array", .size = rch__size_array},
    {.name = "_struct.Struct", .words = "@40 !format", .size = rch__size_struct},
    {.name = "select.poll", .words = "!dict"},
    {.name = "_csv.reader", .words = "input dialect fields"},
    {.name = "_csv.writer", .words = "write dialect @64 error"},
    {.name = "_queue.SimpleQueue",
     .fields = simplequeue_fields,
     .emit = rch__emit_simplequeue,
     .label = rch__label_simplequeue,
     .size = rch__size_simplequeue},
    {.name = "_pickle.Pickler", .has_rest = true, .scan = rch__scan_blocks},
    {.name = "_pickle.Unpickler", .has_rest = true, .scan = rch__scan_blocks},
    {.name = "pyexpat.xmlparser",
     .own_members = "intern",
     .has_rest = true,
     .scan = rch__scan_blocks},
    {.name = "datetime.datetime", .emit = rch__emit_datetime, .label = rch__label_tzinfo},
    {.name = "datetime.time", .emit = rch__emit_time, .label = rch__label_tzinfo},
    {.name = "datetime.timezone", .words = "!offset !name"},
    {.name = "_ssl._SSLSocket", .words = "!socket - !context @48 !owner !server_hostname"},
    {.name = "sqlite3.Cursor",
     .words = "!connection !description !casts - lastrowid - row_factory statement @96 next_row"},
    {.name = "sqlite3.Connection",
     .own_members = "row_factory text_factory",
     .has_rest = true,
     .scan = rch__scan_connection},
    {.name = "sqlite3.Cache", .words = "- mapping - nodes -"},
    {.name = "sqlite3.Node", .words = "key data - - -"},
    {.name = "sqlite3.Row", .words = "data description"},
    {.name = "decimal.Context", .words = "@64 !traps !flags"},
    // Modules/_elementtree.c
    {.name = "xml.etree.ElementTree.Element",
     .words = "!tag",
     .emit = rch__emit_element,
     .label = rch__label_element,
     .size = rch__size_element},
    {.name = "xml.etree.ElementTree.TreeBuilder",
     .words = "root this last - data stack",
     .has_rest = true},
    {.name = "xml.etree.ElementTree.XMLParser",
     .words = "- target entity names start_ns end_ns start data end comment pi doctype close"},
    {.name = "_elementtree._element_iterator",
     .words = "- - - root tag",
     .has_rest = true,
     .scan = rch__scan_blocks},
    // Modules/_ctypes: up to 3.12 a class keeps its facts in a dict of this type
    {.name = "StgDict",
     .emit = rch__emit_dict,
     .label = rch__label_dict,
     .words = "@96 !proto @128 !argtypes !converters !restype !checker"},
    {.name = "_ctypes.CFuncPtr",
     .words = "@32 base @64 objects "
              "@96 thunk callable converters argtypes restype checker errcheck paramflags"},
    {.name = "_ctypes.PyCFuncPtr",
     .shown = "_ctypes.CFuncPtr",
     .words = "@32 base @64 objects "
              "@96 thunk callable converters argtypes restype checker errcheck paramflags"},
    {.name = "_ctypes.CThunkObject", .words = "@80 converters callable restype"},
    {.name = "CArgObject", .shown = "_ctypes.CArgObject"},
    {.name = "_ctypes.CField", .words = "- - - proto"},
    {.name = "ctypes.CField", .words = "- - - proto", .shown = "_ctypes.CField"},
    // the AST: the base class holds a dictionary and nothing else
    {.name = "ast.AST", .words = "-"},
    {.name = "_ast.AST", .words = "-"},
};

const struct rch__family *rch__family_find(const char *tp_name)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        if (strcmp(families[i].name, tp_name) == 0)
            return &families[i];
    return NULL;
}
