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
#define END {NULL, 0, 0, 0}

FIELDS(method_fields) = {{"__func__", AT(method_func), RCH_EDGE_FIELD, FIXED},
                         {"__self__", AT(method_self), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(cfunction_fields) = {{"__self__", AT(cfunction_self), RCH_EDGE_FIELD, FIXED},
                            {"__module__", AT(cfunction_module), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(cmethod_fields) = {{"__self__", AT(cfunction_self), RCH_EDGE_FIELD, FIXED},
                          {"__module__", AT(cfunction_module), RCH_EDGE_FIELD, FIXED},
                          {"__class__", AT(cfunction_class), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(cell_fields) = {{"cell_contents", AT(cell_ref), RCH_EDGE_FIELD,
                        FIXED | RCH_LABEL_FOLD_BACK}, END};
FIELDS(classmethod_fields) = {{"__func__", AT(classmethod_callable), RCH_EDGE_FIELD, FIXED},
                              {"__dict__", AT(classmethod_dict), RCH_EDGE_DICT, HIDDEN}, END};
FIELDS(staticmethod_fields) = {{"__func__", AT(staticmethod_callable), RCH_EDGE_FIELD, FIXED},
                               {"__dict__", AT(staticmethod_dict), RCH_EDGE_DICT, HIDDEN}, END};
FIELDS(property_fields) = {{"fget", AT(property_get), RCH_EDGE_FIELD, FIXED},
                           {"fset", AT(property_set), RCH_EDGE_FIELD, FIXED},
                           {"fdel", AT(property_del), RCH_EDGE_FIELD, FIXED},
                           {"__doc__", AT(property_doc), RCH_EDGE_FIELD, FIXED},
                           {"__name__", AT(property_name), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(descr_fields) = {{"__objclass__", AT(descr_type), RCH_EDGE_FIELD, FIXED},
                        {"__name__", AT(descr_name), RCH_EDGE_FIELD, FIXED},
                        {"__qualname__", AT(descr_qualname), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(module_fields) = {{"__dict__", AT(module_dict), RCH_EDGE_DICT, HIDDEN},
                         {"__name__", AT(module_name), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(weakref_fields) = {{"referent", AT(weakref_object), RCH_EDGE_WEAK, FIXED},
                          {"__callback__", AT(weakref_callback), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(proxy_fields) = {{"mapping", AT(mappingproxy_mapping), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(slice_fields) = {{"start", AT(slice_start), RCH_EDGE_FIELD, FIXED},
                        {"stop", AT(slice_stop), RCH_EDGE_FIELD, FIXED},
                        {"step", AT(slice_step), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(range_fields) = {{"start", AT(range_start), RCH_EDGE_FIELD, FIXED},
                        {"stop", AT(range_stop), RCH_EDGE_FIELD, FIXED},
                        {"step", AT(range_step), RCH_EDGE_FIELD, FIXED},
                        {"length", AT(range_length), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(traceback_fields) = {{"tb_next", AT(traceback_next), RCH_EDGE_TRACEBACK, FIXED},
                            {"tb_frame", AT(traceback_frame), RCH_EDGE_TRACEBACK, FIXED}, END};
FIELDS(exception_fields) = {{"__dict__", AT(exc_dict), RCH_EDGE_DICT, HIDDEN},
                            {"args", AT(exc_args), RCH_EDGE_FIELD, 0},
                            {"__notes__", AT(exc_notes), RCH_EDGE_FIELD, 0},
                            {"__traceback__", AT(exc_traceback), RCH_EDGE_TRACEBACK, 0},
                            {"__context__", AT(exc_context), RCH_EDGE_FIELD, 0},
                            {"__cause__", AT(exc_cause), RCH_EDGE_FIELD, 0}, END};
FIELDS(context_fields) = {{"previous", AT(context_prev), RCH_EDGE_FIELD, FIXED},
                          {"variables", AT(context_vars), RCH_EDGE_FIELD, HIDDEN}, END};
FIELDS(hamt_fields) = {{"root", AT(hamt_root), RCH_EDGE_FIELD, HIDDEN}, END};
FIELDS(contextvar_fields) = {{"name", AT(contextvar_name), RCH_EDGE_FIELD, FIXED},
                             {"default", AT(contextvar_default), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(token_fields) = {{"context", AT(token_ctx), RCH_EDGE_FIELD, FIXED},
                        {"var", AT(token_var), RCH_EDGE_FIELD, FIXED},
                        {"old_value", AT(token_oldval), RCH_EDGE_FIELD, FIXED}, END};
FIELDS(odict_fields) = {{"__dict__", AT(odict_od_dict), RCH_EDGE_DICT, HIDDEN}, END};
FIELDS(defaultdict_fields) = {{"default_factory", AT(defaultdict_factory), RCH_EDGE_FIELD, 0}, END};
FIELDS(partial_fields) = {{"func", AT(partial_fn), RCH_EDGE_FIELD, FIXED},
                          {"args", AT(partial_args), RCH_EDGE_FIELD, FIXED},
                          {"keywords", AT(partial_kw), RCH_EDGE_FIELD, FIXED},
                          {"__dict__", AT(partial_dict), RCH_EDGE_DICT, HIDDEN}, END};
FIELDS(lru_fields) = {{"cache", AT(lru_cache), RCH_EDGE_FIELD, HIDDEN},
                      {"__wrapped__", AT(lru_func), RCH_EDGE_FIELD, FIXED},
                      {"keyword mark", AT(lru_kwd_mark), RCH_EDGE_FIELD, FIXED},
                      {"link type", AT(lru_link_type), RCH_EDGE_FIELD, FIXED},
                      {"info type", AT(lru_cache_info_type), RCH_EDGE_FIELD, FIXED},
                      {"__dict__", AT(lru_dict), RCH_EDGE_DICT, HIDDEN}, END};
FIELDS(lru_link_fields) = {{"key", AT(lru_link_key), RCH_EDGE_FIELD, FIXED},
                           {"result", AT(lru_link_result), RCH_EDGE_FIELD, FIXED}, END};
#define FUTURE_FIELDS                                                                            \
    {"loop", AT(future_loop), RCH_EDGE_FIELD, FIXED},                                            \
    {"callback", AT(future_callback0), RCH_EDGE_FIELD, 0},                                       \
    {"callback context", AT(future_context0), RCH_EDGE_FIELD, 0},                                \
    {"callbacks", AT(future_callbacks), RCH_EDGE_FIELD, 0},                                      \
    {"exception", AT(future_exception), RCH_EDGE_FIELD, 0},                                      \
    {"exception traceback", AT(future_exception_tb), RCH_EDGE_TRACEBACK, 0},                     \
    {"result", AT(future_result), RCH_EDGE_FIELD, 0},                                            \
    {"source traceback", AT(future_source_tb), RCH_EDGE_FIELD, 0},                               \
    {"cancel message", AT(future_cancel_msg), RCH_EDGE_FIELD, 0},                                \
    {"cancelled error", AT(future_cancelled_exc), RCH_EDGE_FIELD, 0},                            \
    {"__dict__", AT(future_dict), RCH_EDGE_DICT, HIDDEN}
FIELDS(future_fields) = {FUTURE_FIELDS, END};
FIELDS(task_fields) = {FUTURE_FIELDS,
                       {"waits for", AT(task_fut_waiter), RCH_EDGE_FIELD, 0},
                       {"coroutine", AT(task_coro), RCH_EDGE_FIELD, FIXED},
                       {"name", AT(task_name), RCH_EDGE_FIELD, FIXED},
                       {"context", AT(task_context), RCH_EDGE_FIELD, FIXED}, END};

static const struct rch__family families[] = {
    // containers
    {.name = "dict", .decode = rch__decode_dict, .emit = rch__emit_dict, .label = rch__label_dict,
     .size = rch__size_dict},
    {.name = "collections.defaultdict", .fields = defaultdict_fields, .emit = rch__emit_dict,
     .label = rch__label_dict, .size = rch__size_dict},
    {.name = "collections.OrderedDict", .fields = odict_fields, .emit = rch__emit_odict,
     .label = rch__label_odict, .size = rch__size_odict},
    {.name = "tuple", .emit = rch__emit_tuple, .label = rch__label_tuple},
    {.name = "list", .emit = rch__emit_list, .label = rch__label_list, .size = rch__size_list},
    {.name = "set", .emit = rch__emit_set, .label = rch__label_set, .size = rch__size_set},
    {.name = "frozenset", .emit = rch__emit_set, .label = rch__label_frozenset,
     .size = rch__size_set},
    {.name = "collections.deque", .emit = rch__emit_deque, .label = rch__label_list,
     .size = rch__size_deque},
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
    {.name = "functools._lru_list_elem", .fields = lru_link_fields, .is_unchecked = true,
     .num_hidden = 1},  // the wrapper's list owns each link besides the dict; one cut clears both
    {.name = "functools.KeyWrapper", .words = "cmp object"},
    {.name = "type", .decode = rch__decode_type, .size = rch__size_type, .is_unchecked = true},
    {.name = "module", .fields = module_fields, .has_rest = true},
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
    {.name = "weakref", .fields = weakref_fields},
    {.name = "weakproxy", .fields = weakref_fields},
    {.name = "weakcallableproxy", .fields = weakref_fields},
    {.name = "weakref.ReferenceType", .fields = weakref_fields},
    {.name = "weakref.ProxyType", .fields = weakref_fields},
    {.name = "weakref.CallableProxyType", .fields = weakref_fields},
    // contexts
    {.name = "Context", .fields = context_fields},
    {.name = "_contextvars.Context", .fields = context_fields},
    {.name = "hamt", .fields = hamt_fields},
    {.name = "hamt_bitmap_node", .emit = rch__emit_hamt_bitmap, .label = rch__label_hamt_bitmap},
    {.name = "hamt_array_node", .emit = rch__emit_hamt_array, .label = rch__label_hamt_array},
    {.name = "hamt_collision_node", .emit = rch__emit_hamt_collision,
     .label = rch__label_hamt_collision},
    {.name = "ContextVar", .fields = contextvar_fields, .is_unchecked = true},
    {.name = "_contextvars.ContextVar", .fields = contextvar_fields, .is_unchecked = true},
    {.name = "Token", .fields = token_fields},
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
    {.name = "memoryview", .words = "buffer", .has_rest = true},
    // iterators: Objects/{iter,list,tuple,set,dict,enum,bltinmodule}object.c
    {.name = "iterator", .words = "- sequence"},
    {.name = "callable_iterator", .words = "callable sentinel"},
    {.name = "list_iterator", .words = "- list"},
    {.name = "list_reverseiterator", .words = "- list"},
    {.name = "tuple_iterator", .words = "- tuple"},
    {.name = "str_iterator", .words = "- str"},
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
    {.name = "collections._deque_iterator", .words = "- deque"},
    {.name = "collections._deque_reverse_iterator", .words = "- deque"},
    {.name = "_collections._deque_iterator", .words = "- deque"},
    {.name = "_collections._deque_reverse_iterator", .words = "- deque"},
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
    {.name = "itertools.product", .words = "pools - result"},
    {.name = "itertools.combinations", .words = "pool - result"},
    {.name = "itertools.combinations_with_replacement", .words = "pool - result"},
    {.name = "itertools.permutations", .words = "pool - - result"},
    {.name = "itertools._tee", .words = "data"},
    {.name = "itertools.pairwise", .words = "iterator old result"},
    {.name = "itertools.batched", .words = "iterator"},
    // generic aliases and unions: Objects/{genericalias,union}object.c
    {.name = "types.GenericAlias", .words = "__origin__ __args__ __parameters__"},
    {.name = "types.UnionType", .words = "__args__ __parameters__"},
    // Modules/_threadmodule.c, _struct.c, _io, _operator.c, _random
    {.name = "_thread._local", .words = "key args keywords - dummies callback", .has_rest = true},
    {.name = "_thread._localdummy", .words = "-", .is_unchecked = true},
    {.name = "operator.itemgetter", .words = "- item", .has_rest = true},
    {.name = "operator.attrgetter", .words = "- attribute", .has_rest = true},
    {.name = "operator.methodcaller", .words = "name args keywords", .has_rest = true},
    {.name = "_struct.unpack_iterator", .words = "struct", .has_rest = true},
    {.name = "_io.FileIO", .words = "-", .has_rest = true},
    {.name = "_io.BufferedReader", .words = "raw", .has_rest = true},
    {.name = "_io.BufferedWriter", .words = "raw", .has_rest = true},
    {.name = "_io.BufferedRandom", .words = "raw", .has_rest = true},
    {.name = "_io.BufferedRWPair", .words = "reader writer", .has_rest = true},
    {.name = "_io.BytesIO", .words = "buffer", .has_rest = true},
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
