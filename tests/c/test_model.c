// SPDX-License-Identifier: MIT
// tests/c/test_model.c -- builder, look-ups, reverse references, verify.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "model/reverse.h"
#include "model/verify.h"
#include "support.h"

// --- the graph language and look-ups ---

static void nodes_are_in_address_order_tracked_ones_first(void **state)
{
    struct rch_graph *g = graph_of(state, "k:50:str a b::T:untracked c", "@module.m>a>b>c");
    assert_int_equal(g->num_tracked, 2);
    assert_int_equal(g->num_objects, 4);
    assert_int_equal(g->num_nodes, 5);
    assert_int_equal(graph_node(g, "a"), 0);
    assert_int_equal(graph_node(g, "c"), 1);
    assert_int_equal(graph_node(g, "k"), 2);
    assert_int_equal(graph_node(g, "b"), 3);
    assert_true(rch_is_root(g, graph_node(g, "@module.m")));
    for (rch_node v = 0; v < g->num_objects; v++)
        assert_int_equal(rch_node_at(g, rch_addr_of(g, v)), v);
    assert_int_equal(rch_node_at(g, 0), RCH_NO_NODE);
    assert_int_equal(rch_node_at(g, rch_addr_of(g, 0) + 1), RCH_NO_NODE);
    assert_int_equal(rch_node_at(g, UINT64_MAX), RCH_NO_NODE);
}

static void sizes_below_and_above_64_kib_are_exact(void **state)
{
    struct rch_graph *g = graph_of(state, "a:0 b:65534 c:65535 d:65536 e:0x123456789abc f:7", "");
    assert_int_equal(g->num_big_sizes, 3);
    assert_int_equal(rch_size_bytes(g, graph_node(g, "a")), 0);
    assert_int_equal(rch_size_bytes(g, graph_node(g, "b")), 65534);
    assert_int_equal(rch_size_bytes(g, graph_node(g, "c")), 65535);
    assert_int_equal(rch_size_bytes(g, graph_node(g, "d")), 65536);
    assert_int_equal(rch_size_bytes(g, graph_node(g, "e")), UINT64_C(0x123456789abc));
    assert_int_equal(rch_size_bytes(g, graph_node(g, "f")), 7);
}

static void assert_label(const struct rch_graph *g, const char *node, uint32_t ordinal,
                         enum rch_edge_kind kind, const char *name, uint32_t flags)
{
    const struct rch_label *label = rch_label_of(g, graph_node(g, node), ordinal);
    assert_int_equal(label->kind, kind);
    assert_string_equal(rch_str_get(g, label->name), name);
    assert_int_equal(label->flags, flags);
}

static void labels_follow_from_the_shape(void **state)
{
    struct rch_graph *g =
        graph_of(state, "f::function",
                 "a.x>b a.__dict__>d a-fixed>c a[]>b a[]>c f(v)>b f-field.code+back>c "
                 "@frame(m.f)-local.v>a");
    assert_label(g, "a", 0, RCH_EDGE_ATTRIBUTE, "x", 0);
    assert_label(g, "a", 1, RCH_EDGE_DICT, "__dict__", RCH_LABEL_FOLD_FORWARD);
    assert_label(g, "a", 2, RCH_EDGE_REFERENCE, "", RCH_LABEL_FIXED);
    assert_label(g, "a", 3, RCH_EDGE_ITEM, "", RCH_LABEL_GROUP);
    assert_label(g, "a", 4, RCH_EDGE_ITEM, "", RCH_LABEL_GROUP);
    assert_label(g, "f", 0, RCH_EDGE_CLOSURE, "v", 0);
    assert_label(g, "f", 1, RCH_EDGE_FIELD, "code", RCH_LABEL_FOLD_BACK);
    assert_label(g, "@frame.m.f", 0, RCH_EDGE_LOCAL, "v", 0);
    assert_int_equal(rch_index_of_ref(g, graph_node(g, "a"), 2), UINT32_MAX);
    assert_int_equal(rch_index_of_ref(g, graph_node(g, "a"), 4), 1);
    assert_true(rch_type_of(g, graph_node(g, "f"))->flags & RCH_TYPE_IS_FUNCTION);
}

static void a_value_knows_its_key(void **state)
{
    struct rch_graph *g = graph_of(state, "d::dict o::collections.OrderedDict l::list",
                                   "d.x>c d{k}>a d{}>b d{j}> o{k}>a o{j}>b l[]>a");
    rch_node d = graph_node(g, "d"), o = graph_node(g, "o"), l = graph_node(g, "l");
    rch_node k = graph_node(g, "k"), j = graph_node(g, "j");
    assert_int_equal(rch_key_of_value(g, d, 0), RCH_NO_NODE);  // the attribute
    assert_int_equal(rch_key_of_value(g, d, 1), RCH_NO_NODE);  // a key
    assert_int_equal(rch_key_of_value(g, d, 2), k);
    assert_int_equal(rch_key_of_value(g, d, 4), RCH_NO_NODE);  // its key is a hole
    assert_int_equal(rch_key_of_value(g, d, 6), j);
    assert_int_equal(rch_index_of_ref(g, d, 6), 2);
    assert_int_equal(rch_key_of_value(g, o, 1), k);
    assert_int_equal(rch_key_of_value(g, o, 2), RCH_NO_NODE);
    assert_int_equal(rch_key_of_value(g, o, 4), j);
    assert_int_equal(rch_key_of_value(g, l, 0), RCH_NO_NODE);
    assert_string_equal(rch_str_get(g, rch_text_of_node(g, k)), "k");
    assert_int_equal(rch_text_of_node(g, d), RCH_NO_STR);
}

static void types_have_module_name_and_node(void **state)
{
    struct rch_graph *g =
        graph_of(state, "a::m.n.Conn b::m.n/Conn.Inner c::f.<locals>.D Conn::type", "");
    const struct rch_type *type = rch_type_of(g, graph_node(g, "a"));
    assert_string_equal(rch_str_get(g, type->module), "m.n");
    assert_string_equal(rch_str_get(g, type->name), "Conn");
    assert_int_equal(type->node, graph_node(g, "Conn"));
    assert_int_equal(type->flags, RCH_TYPE_HEAP);
    type = rch_type_of(g, graph_node(g, "b"));
    assert_string_equal(rch_str_get(g, type->name), "Conn.Inner");
    assert_int_equal(type->node, RCH_NO_NODE);
    assert_string_equal(rch_str_get(g, rch_type_of(g, graph_node(g, "c"))->name), "f.<locals>.D");
}

static void roots_and_observers_keep_what_was_said(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "@c-held(ssl.Context):3 @frame.f::main.py:observer @interpreter.atexit:::clearable "
        "a:1::direct",
        "@c-held(ssl.Context)>a>b @c-held(ssl.Context)>b");
    const struct rch_root *roots = g->roots;
    assert_int_equal(roots[0].kind, RCH_ROOT_C_HELD);
    assert_int_equal(roots[0].extra, 3);
    assert_string_equal(rch_str_get(g, roots[0].name), "ssl.Context");
    assert_string_equal(rch_str_get(g, roots[1].detail), "main.py");
    assert_int_equal(roots[2].flags, RCH_ROOT_CLEARABLE);
    assert_label(g, "@c-held.ssl.Context", 1, RCH_EDGE_OBJECT, "", RCH_LABEL_GROUP);
    assert_int_equal(g->num_observers, 2);
    assert_int_equal(g->observers[0].node, graph_node(g, "a"));
    assert_int_equal(g->observers[0].scope, RCH_OBSERVER_DIRECT);
    assert_int_equal(g->observers[1].node, graph_node(g, "@frame.f"));
    assert_string_equal(rch_root_kind_word(RCH_ROOT_C_HELD), "c-held");
    assert_string_equal(rch_edge_kind_word(RCH_NUM_EDGE_KINDS), "unknown");
}

static void threads_have_their_frames_and_descriptors_their_owners(void **state)
{
    struct rch_graph *g = graph_of(
        state,
        "a b::T:untracked c !Main~Thread,12,gil,@thread.t,recv~on~fd~7 |f,a.py,3,@frame.f |g,b.py "
        "!x,,asks+torn !y |h,c.py,9,@coroutine.h %9,file,,,/tmp/x %7,socket,TCP,LISTEN,[::1]:80 "
        "b%7 a%9 a%7",
        "@module.m>a @thread.t>a @frame.f-local.x>b @coroutine.h>c");
    assert_int_equal(g->num_threads, 3);
    const struct rch_thread *t = g->threads;
    assert_string_equal(rch_str_get(g, t[0].name), "Main Thread");
    assert_string_equal(rch_str_get(g, t[0].waits_for), "recv on fd 7");
    assert_int_equal(t[0].native_id, 12);
    assert_int_equal(t[0].flags, RCH_THREAD_HAS_GIL);
    assert_int_equal(t[0].root, graph_node(g, "@thread.t"));
    assert_int_equal(t[1].flags, RCH_THREAD_ASKS | RCH_THREAD_NOT_STOPPED);
    assert_int_equal(t[1].root, RCH_NO_NODE);
    assert_true(t[0].num_frames == 2 && t[1].num_frames == 0 && t[2].num_frames == 1);
    assert_int_equal(t[2].first_frame, 2);
    assert_string_equal(rch_str_get(g, g->stack_frames[0].function), "f");
    assert_int_equal(g->stack_frames[0].root, graph_node(g, "@frame.f"));
    assert_string_equal(rch_str_get(g, g->stack_frames[1].file), "b.py");
    assert_int_equal(g->stack_frames[1].line, 0);
    assert_int_equal(g->stack_frames[2].root, graph_node(g, "@coroutine.h"));
    assert_int_equal(g->stack_frames[2].line, 9);
    assert_true(g->num_fds == 2 && g->fds[0].fd == 7 && g->fds[1].fd == 9);
    assert_string_equal(rch_str_get(g, g->fds[0].local), "[::1]:80");
    assert_string_equal(rch_str_get(g, g->fds[0].state), "LISTEN");
    assert_int_equal(g->num_fd_owners, 3);
    assert_true(g->fd_owners[0].node == graph_node(g, "a") && g->fd_owners[0].fd == 7);
    assert_true(g->fd_owners[1].node == graph_node(g, "a") && g->fd_owners[1].fd == 9);
    assert_true(g->fd_owners[2].node == graph_node(g, "b") && g->fd_owners[2].fd == 7);
}

// --- builder ---

static rch_str string_of(struct rch_builder *b, const char *text)
{
    rch_str str = UINT32_MAX;
    assert_ok(rch_builder_string(b, text, strlen(text), &str, NULL), NULL);
    return str;
}

static void equal_strings_and_types_get_equal_numbers(void **state)
{
    (void)state;
    struct rch_builder *b;
    char text[16];
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_int_equal(string_of(b, ""), RCH_NO_STR);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof(text), "s%" PRIu32, i);
            assert_int_equal(string_of(b, text), i + 1);
            uint32_t number;
            const struct rch_type type = {.module = i + 1, .name = 1, .node = RCH_NO_NODE};
            assert_ok(rch_builder_type(b, &type, &number, NULL), NULL);
            assert_int_equal(number, i);
        }
    }
    rch_str with_nul;
    assert_ok(rch_builder_string(b, "s1\0x", 4, &with_nul, NULL), NULL);
    assert_int_equal(with_nul, 5001);
    rch_builder_free(b);
    rch_builder_free(NULL);
}

static void a_builder_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct rch_builder *b;
    uint32_t shape, handle;
    struct rch_error err;
    const struct rch_type type = {.node = RCH_NO_NODE}, nameless = {.name = 9};
    const struct rch_label bad_kind = {.kind = RCH_NUM_EDGE_KINDS}, bad_name = {.name = 9};
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_status(rch_builder_type(b, &nameless, &shape, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_shape(b, 0, NULL, 0, 0, &shape, &err), RCH_EINVAL, &err);
    assert_ok(rch_builder_type(b, &type, &shape, &err), &err);
    assert_status(rch_builder_shape(b, 0, NULL, 0, 4, &shape, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_shape(b, 0, &bad_kind, 1, 0, &shape, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_shape(b, 0, &bad_name, 1, 0, &shape, &err), RCH_EINVAL, &err);
    assert_ok(rch_builder_shape(b, 0, NULL, 0, 0, &shape, &err), &err);
    const struct rch_object odd = {.addr = 9, .shape = shape}, shapeless = {.addr = 8, .shape = 5};
    const struct rch_object good = {.addr = 8, .shape = shape};
    const struct rch_root bad_root = {.kind = RCH_NUM_ROOT_KINDS}, root = {.name = 0};
    assert_status(rch_builder_object(b, &odd, &handle, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_object(b, &shapeless, &handle, &err), RCH_EINVAL, &err);
    assert_ok(rch_builder_object(b, &good, &handle, &err), &err);
    assert_status(rch_builder_root(b, &bad_root, shape, &handle, &err), RCH_EINVAL, &err);
    assert_ok(rch_builder_root(b, &root, shape, &handle, &err), &err);
    assert_status(rch_builder_object(b, &good, &handle, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_ref(b, 0, 1, &err), RCH_EINVAL, &err);  // to a root
    assert_status(rch_builder_ref(b, 2, 0, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_text(b, 1, 0, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_observer(b, 2, RCH_OBSERVER_ALL, &err), RCH_EINVAL, &err);
    const struct rch_stack_frame frame = {.root = RCH_NO_NODE}, odd_frame = {.root = 1};
    const struct rch_thread thread = {.root = RCH_NO_NODE}, odd_thread = {.root = 0};
    assert_status(rch_builder_frame(b, &frame, &err), RCH_EINVAL, &err);        // of no thread
    assert_status(rch_builder_thread(b, &odd_thread, &err), RCH_EINVAL, &err);  // an object
    assert_ok(rch_builder_thread(b, &thread, &err), &err);
    assert_status(rch_builder_frame(b, &odd_frame, &err), RCH_EINVAL, &err);  // a module
    const struct rch_fd negative = {.fd = -1}, nameless_fd = {.fd = 1, .peer = 9};
    assert_status(rch_builder_fd(b, &negative, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_fd(b, &nameless_fd, &err), RCH_EINVAL, &err);
    assert_status(rch_builder_fd_owner(b, 1, 3, &err), RCH_EINVAL, &err);  // a root
    assert_status(rch_builder_fd_owner(b, 0, -1, &err), RCH_EINVAL, &err);
    rch_builder_free(b);
}

// Two objects at one address, in equal or different halves.
static void two_objects_at_one_address_are_refused(void **state)
{
    (void)state;
    for (int is_tracked = 0; is_tracked < 2; is_tracked++) {
        struct rch_builder *b;
        struct rch_graph *g = NULL;
        uint32_t shape, handle;
        struct rch_error err;
        const struct rch_type type = {.node = RCH_NO_NODE};
        assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
        assert_ok(rch_builder_type(b, &type, &shape, NULL), NULL);
        assert_ok(rch_builder_shape(b, 0, NULL, 0, 0, &shape, NULL), NULL);
        struct rch_object object = {.addr = 64, .shape = shape, .is_tracked = true};
        assert_ok(rch_builder_object(b, &object, &handle, NULL), NULL);
        object.is_tracked = is_tracked;
        assert_ok(rch_builder_object(b, &object, &handle, NULL), NULL);
        assert_status(rch_builder_finish(b, &g, &err), RCH_EINVAL, &err);
        assert_int_equal(err.where, 64);
        rch_builder_free(b);
    }
}

static void a_descriptor_or_an_owner_twice_is_refused(void **state)
{
    (void)state;
    for (int is_owner = 0; is_owner < 2; is_owner++) {
        struct rch_builder *b;
        struct rch_graph *g = NULL;
        uint32_t shape, handle;
        struct rch_error err;
        const struct rch_type type = {.node = RCH_NO_NODE};
        const struct rch_fd fd = {.fd = 5};
        assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
        assert_ok(rch_builder_type(b, &type, &shape, NULL), NULL);
        assert_ok(rch_builder_shape(b, 0, NULL, 0, 0, &shape, NULL), NULL);
        const struct rch_object object = {.addr = 64, .shape = shape};
        assert_ok(rch_builder_object(b, &object, &handle, NULL), NULL);
        for (int twice = 0; twice < 2; twice++) {
            if (is_owner)
                assert_ok(rch_builder_fd_owner(b, handle, 5, &err), &err);
            else
                assert_ok(rch_builder_fd(b, &fd, &err), &err);
        }
        assert_status(rch_builder_finish(b, &g, &err), RCH_EINVAL, &err);
        rch_builder_free(b);
    }
}

// A graph with something in every column; objects in falling address order and far apart.
static enum rch_status add_threads_and_fds(struct rch_builder *b, uint32_t thread_root,
                                           struct rch_error *err)
{
    const struct rch_thread threads[] = {{.name = 1, .root = thread_root}, {.root = RCH_NO_NODE}};
    const struct rch_stack_frame frames[] = {{.function = 1, .root = thread_root + 1},
                                             {.file = 2, .root = RCH_NO_NODE}};
    for (int i = 0; i < 2; i++) {
        RCH_TRY(rch_builder_thread(b, &threads[i], err));
        RCH_TRY(rch_builder_frame(b, &frames[0], err));
        RCH_TRY(rch_builder_frame(b, &frames[1], err));
    }
    for (int32_t fd = 3; fd > 0; fd--) {
        const struct rch_fd row = {.fd = fd, .local = 1};
        RCH_TRY(rch_builder_fd(b, &row, err));
        RCH_TRY(rch_builder_fd_owner(b, 1, fd, err));
    }
    return rch_builder_fd_owner(b, 0, 3, err);
}

static enum rch_status build_all(const struct rch_alloc *alloc, struct rch_graph **graph_out,
                                 struct rch_error *err)
{
    struct rch_builder *b;
    rch_str name, text;
    uint32_t number, shape, root_shape, handle;
    RCH_TRY(rch_builder_new(alloc, &b, err));
    struct rch_type type = {.node = 2};
    const struct rch_label labels[] = {{.kind = RCH_EDGE_ATTRIBUTE}, {.kind = RCH_EDGE_ITEM}};
    enum rch_status st = rch_builder_string(b, "name", 4, &name, err);
    st = st ? st : rch_builder_string(b, "text", 4, &text, err);
    type.name = st ? 0 : name;
    st = st ? st : rch_builder_type(b, &type, &number, err);
    st = st ? st : rch_builder_shape(b, number, labels, 1, 1, &shape, err);
    st = st ? st : rch_builder_shape(b, number, labels, 0, 1, &root_shape, err);
    for (uint64_t i = 0; i < 100 && !st; i++) {
        const struct rch_object object = {
            .addr = (100 - i) << 33, .size_bytes = i * 1000, .shape = shape, .is_tracked = i % 2};
        st = rch_builder_object(b, &object, &handle, err);
    }
    struct rch_root root = {.kind = RCH_ROOT_MODULE};
    st = st ? st : rch_builder_root(b, &root, root_shape, &handle, err);
    root.kind = RCH_ROOT_THREAD;
    st = st ? st : rch_builder_root(b, &root, root_shape, &handle, err);
    root.kind = RCH_ROOT_FRAME;
    st = st ? st : rch_builder_root(b, &root, root_shape, &handle, err);
    for (uint32_t i = 0; i < 100 && !st; i++)
        st = rch_builder_ref(b, i, i % 3 ? (i * 7) % 100 : RCH_NO_NODE, err);
    for (uint32_t i = 0; i < 100 && !st; i++)
        st = rch_builder_ref(b, i % 2 ? 100 : i, i, err);
    st = st ? st : rch_builder_text(b, 7, text, err);
    st = st ? st : rch_builder_text(b, 3, text, err);
    st = st ? st : rch_builder_observer(b, 100, RCH_OBSERVER_ALL, err);
    st = st ? st : rch_builder_warn(b, err, "%d objects are odd", 3);
    st = st ? st : rch_builder_warn(b, err, "%d objects are odd", 3);
    st = st ? st : add_threads_and_fds(b, 101, err);
    rch_builder_info(b)->pid = 4711;
    st = st ? st : rch_builder_finish(b, graph_out, err);
    rch_builder_free(b);
    return st;
}

static void objects_are_sorted_and_references_follow_them(void **state)
{
    (void)state;
    struct rch_graph *g;
    struct rch_error err;
    assert_ok(build_all(rch_alloc_default(), &g, &err), &err);
    assert_int_equal(g->num_tracked, 50);
    assert_int_equal(g->num_edges, 200);
    assert_true(g->num_addr_runs > 10);
    assert_int_equal(g->num_warnings, 1);
    assert_string_equal(rch_str_get(g, g->warnings[0]), "3 objects are odd");
    assert_int_equal(g->info.pid, 4711);
    for (uint64_t i = 0; i < 100; i++) {
        rch_node v = rch_node_at(g, (100 - i) << 33);
        assert_true(v < 100);
        assert_int_equal(v < g->num_tracked, i % 2);
        assert_int_equal(rch_size_bytes(g, v), i * 1000);
        rch_node to = g->edges[g->edge_start[v]];
        if (i % 3)
            assert_int_equal(rch_addr_of(g, to), (100 - (i * 7) % 100) << 33);
        else
            assert_int_equal(to, RCH_NO_NODE);
        if (i % 2 == 0)
            assert_int_equal(g->edges[g->edge_start[v] + 1], v);
    }
    assert_int_equal(rch_num_refs(g, 100), 50);
    assert_int_equal(g->types[0].node, rch_node_at(g, UINT64_C(98) << 33));
    rch_graph_free(g);
    rch_graph_free(NULL);
}

static void building_survives_every_failing_allocation(void **state)
{
    (void)state;
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_graph *g;
        if (ok_or_enomem(build_all(alloc, &g, NULL)))
            rch_graph_free(g);
    }
}

static void an_empty_builder_makes_an_empty_graph(void **state)
{
    (void)state;
    struct rch_builder *b;
    struct rch_graph *g;
    struct rch_error err;
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_ok(rch_builder_finish(b, &g, &err), &err);
    assert_int_equal(g->num_nodes, 0);
    assert_int_equal(rch_node_at(g, 8), RCH_NO_NODE);
    struct rch_reverse rev;
    assert_ok(rch_reverse_init(&rev, g, rch_alloc_default(), &err), &err);
    rch_reverse_deinit(&rev);
    struct rch_graph *again;
    assert_true(rch_builder_finish(b, &again, &err) != RCH_OK);  // once only
    rch_graph_free(g);
    rch_builder_free(b);
}

static void count_unmap(void *ctx, void *mem)
{
    ++*(int *)ctx;
    free(mem);
}

static void adopted_columns_are_freed_by_whoever_made_them(void **state)
{
    (void)state;
    struct rch_builder *b;
    struct rch_graph *g;
    struct rch_error err;
    uint32_t type, shape;
    int num_unmapped = 0;
    const struct rch_type object_type = {.node = RCH_NO_NODE};
    const struct rch_label item = {.kind = RCH_EDGE_ITEM};
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    assert_ok(rch_builder_type(b, &object_type, &type, NULL), NULL);
    assert_ok(rch_builder_shape(b, type, &item, 0, 1, &shape, NULL), NULL);
    struct rch_columns c = {.num_objects = 1, .num_nodes = 1, .num_edges = 1, .num_addr_runs = 1};
    assert_status(rch_builder_adopt(b, &c, count_unmap, &num_unmapped, &g, &err), RCH_EINVAL, &err);
    c.edge_start = calloc(2, sizeof(*c.edge_start));
    c.edges = calloc(1, sizeof(*c.edges));
    c.shape_of = calloc(1, sizeof(*c.shape_of));
    c.addr8 = calloc(1, sizeof(*c.addr8));
    c.size16 = calloc(1, sizeof(*c.size16));
    c.addr_runs = calloc(1, sizeof(*c.addr_runs));
    assert_status(rch_builder_adopt(b, &c, count_unmap, &num_unmapped, &g, &err), RCH_EINVAL, &err);
    c.edge_start[1] = 1;
    c.num_roots = 1;
    assert_status(rch_builder_adopt(b, &c, count_unmap, &num_unmapped, &g, &err), RCH_EINVAL, &err);
    c.num_roots = 0;
    assert_int_equal(num_unmapped, 0);
    assert_ok(rch_builder_adopt(b, &c, count_unmap, &num_unmapped, &g, &err), &err);
    rch_builder_free(b);
    assert_ok(rch_graph_verify(g, &err), &err);
    rch_graph_free(g);
    assert_int_equal(num_unmapped, 6);
}

// --- reverse ---

static void assert_reverse_is_right(const struct rch_graph *g, const struct rch_reverse *rev)
{
    uint32_t num_refs = 0;
    assert_int_equal(rev->start[0], 0);
    for (rch_node v = 0; v < g->num_nodes; v++) {
        for (uint32_t i = rev->start[v]; i < rev->start[v + 1]; i++, num_refs++) {
            uint32_t e = rev->edge[i];
            assert_int_equal(g->edges[e], v);
            assert_true(g->edge_start[rev->source[i]] <= e &&
                        e < g->edge_start[rev->source[i] + 1]);
            if (i > rev->start[v])
                assert_true(rev->edge[i - 1] < e);
        }
    }
    uint32_t num_holes = 0;
    for (uint32_t e = 0; e < g->num_edges; e++)
        num_holes += g->edges[e] == RCH_NO_NODE;
    assert_int_equal(num_refs, g->num_edges - num_holes);
    assert_int_equal(rev->num_refs, num_refs);
}

static void referrers_are_the_references_sorted_by_target(void **state)
{
    struct rch_graph *g =
        graph_of(state, "", "@module.m>a a>b a>b b>a c> c>c c>b a~c @frame.f-local.x>b");
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct rch_reverse rev;
        if (ok_or_enomem(rch_reverse_init(&rev, g, alloc, NULL)))
            assert_reverse_is_right(g, &rev);
        rch_reverse_deinit(&rev);
    }
    struct rch_reverse rev;
    struct rch_graph *big;
    assert_ok(build_all(rch_alloc_default(), &big, NULL), NULL);
    assert_ok(rch_reverse_init(&rev, big, rch_alloc_default(), NULL), NULL);
    assert_reverse_is_right(big, &rev);
    rch_reverse_deinit(&rev);
    rch_graph_free(big);
}

// --- verify: one broken number at a time ---

static void corrupt(const struct rch_graph *good, const struct rch_graph *bad, const char *words)
{
    struct rch_error err = {0};
    assert_ok(rch_graph_verify(good, &err), &err);
    assert_status(rch_graph_verify(bad, &err), RCH_ECORRUPT, &err);
    if (!strstr(err.message, words))
        fail_msg("\"%s\" does not say \"%s\"", err.message, words);
}

static void verify_finds_wrong_counts(void **state)
{
    const struct rch_graph *g = graph_of(state, "", "@module.m>a>b");
    struct rch_graph bad = *g;
    bad.num_tracked = 3;
    corrupt(g, &bad, "do not agree");
    bad = *g;
    bad.num_roots = 0;
    corrupt(g, &bad, "do not agree");
    bad = *g;
    bad.num_edges = 1;
    corrupt(g, &bad, "edge_start");
    bad = *g;
    bad.edges = NULL;
    corrupt(g, &bad, "missing");
    bad = *g;
    bad.num_addr_runs = 0;
    corrupt(g, &bad, "without addresses");
    bad = *g;
    bad.num_str_bytes--;
    corrupt(g, &bad, "strings");
    bad = *g;
    bad.num_strs = 0;
    corrupt(g, &bad, "strings");
}

// One number of a copy of one column is replaced: verify must fail and name the place.
struct breakage {
    size_t column;  // offset of the pointer in struct rch_graph
    size_t at;      // offset of the number in the column
    size_t num_bytes;
    uint64_t value;
    const char *words;
};

static void check_breakage(const struct rch_graph *g, const struct breakage *b, size_t column_bytes)
{
    struct rch_graph bad = *g;
    const void *old;
    memcpy(&old, (const char *)g + b->column, sizeof(old));
    char *copy = malloc(column_bytes);
    assert_non_null(copy);
    assert_true(b->at + b->num_bytes <= column_bytes);
    memcpy(copy, old, column_bytes);
    memcpy(copy + b->at, &b->value, b->num_bytes);
    memcpy((char *)&bad + b->column, &copy, sizeof(copy));
    corrupt(g, &bad, b->words);
    free(copy);
}

#define COLUMN_BREAKS(name, type, num, ...)                                                \
    do {                                                                                   \
        const struct {                                                                     \
            size_t row, field, num_bytes;                                                  \
            uint64_t value;                                                                \
            const char *words;                                                             \
        } breaks[] = {__VA_ARGS__};                                                        \
        for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {                  \
            const struct breakage one = {offsetof(struct rch_graph, name),                 \
                                         breaks[i].row * sizeof(type) + breaks[i].field,   \
                                         breaks[i].num_bytes, breaks[i].value,             \
                                         breaks[i].words};                                 \
            check_breakage(g, &one, (num) * sizeof(type));                                 \
        }                                                                                  \
    } while (0)
#define FIELD(type, field) offsetof(type, field), sizeof(((type *)0)->field)

static void verify_finds_a_wrong_number_in_any_column(void **state)
{
    (void)state;
    struct rch_graph *g;
    assert_ok(build_all(rch_alloc_default(), &g, NULL), NULL);
    COLUMN_BREAKS(edge_start, uint32_t, g->num_nodes + 1, {0, 0, 4, 1, "edge_start"},
                  {50, 0, 4, 3000, "edge_start"}, {50, 0, 4, 0, "edge_start"},
                  {103, 0, 4, 199, "edge_start"});
    COLUMN_BREAKS(edges, rch_node, g->num_edges, {0, 0, 4, 100, "edges[0]"},
                  {199, 0, 4, UINT32_MAX - 1, "edges[199]"});
    COLUMN_BREAKS(shape_of, uint32_t, g->num_nodes, {7, 0, 4, 2, "shape_of[7]"});
    COLUMN_BREAKS(size16, uint16_t, g->num_nodes, {49, 0, 2, RCH_SIZE_BIG, "big"});
    COLUMN_BREAKS(addr8, uint32_t, g->num_objects, {1, 0, 4, 0, "addr8[1]"},
                  {99, 0, 4, 0, "addr8[99]"});
    COLUMN_BREAKS(big_sizes, struct rch_big_size, g->num_big_sizes,
                  {0, FIELD(struct rch_big_size, node), 5000, "big_sizes[0]"},
                  {1, FIELD(struct rch_big_size, node), 0, "big_sizes[1]"},
                  {0, FIELD(struct rch_big_size, bytes), 65534, "big_sizes[0]"},
                  {0, FIELD(struct rch_big_size, bytes), UINT64_MAX, "overflow"});
    COLUMN_BREAKS(addr_runs, struct rch_addr_run, g->num_addr_runs,
                  {0, FIELD(struct rch_addr_run, first_node), 1, "addr_runs[0]"},
                  {1, FIELD(struct rch_addr_run, first_node), 0, "addr_runs[0]"},
                  {1, FIELD(struct rch_addr_run, first_node), 5000, "addr_runs[0]"},
                  {1, FIELD(struct rch_addr_run, base), 12, "addr_runs[1]"},
                  {1, FIELD(struct rch_addr_run, base), UINT64_MAX - 7, "addr_runs[1]"},
                  {1, FIELD(struct rch_addr_run, base), 8, "addr8"});
    COLUMN_BREAKS(shapes, struct rch_shape, g->num_shapes,
                  {0, FIELD(struct rch_shape, type), 1, "shapes[0]"},
                  {0, FIELD(struct rch_shape, num_tail), 4, "shapes[0]"},
                  {0, FIELD(struct rch_shape, num_tail), 0, "labels"},
                  {0, FIELD(struct rch_shape, first_label), UINT32_MAX, "shapes[0]"},
                  {1, FIELD(struct rch_shape, num_labels), UINT32_MAX, "shapes[1]"});
    COLUMN_BREAKS(labels, struct rch_label, g->num_labels,
                  {0, FIELD(struct rch_label, name), 99, "labels[0]"},
                  {1, FIELD(struct rch_label, kind), RCH_NUM_EDGE_KINDS, "labels[1]"},
                  {2, FIELD(struct rch_label, cls), 3, "labels[2]"});
    COLUMN_BREAKS(types, struct rch_type, g->num_types,
                  {0, FIELD(struct rch_type, module), 99, "types[0]"},
                  {0, FIELD(struct rch_type, name), UINT32_MAX, "types[0]"},
                  {0, FIELD(struct rch_type, node), 100, "types[0]"});
    COLUMN_BREAKS(roots, struct rch_root, g->num_roots,
                  {0, FIELD(struct rch_root, name), 99, "roots[0]"},
                  {0, FIELD(struct rch_root, detail), 99, "roots[0]"},
                  {0, FIELD(struct rch_root, kind), RCH_NUM_ROOT_KINDS, "roots[0]"});
    COLUMN_BREAKS(observers, struct rch_observer, g->num_observers,
                  {0, FIELD(struct rch_observer, node), 103, "observers[0]"},
                  {0, FIELD(struct rch_observer, scope), 2, "observers[0]"});
    COLUMN_BREAKS(texts, struct rch_text_of, g->num_texts,
                  {1, FIELD(struct rch_text_of, node), 0, "texts[1]"},
                  {1, FIELD(struct rch_text_of, node), 100, "texts[1]"},
                  {0, FIELD(struct rch_text_of, str), 99, "texts[0]"});
    COLUMN_BREAKS(threads, struct rch_thread, g->num_threads,
                  {0, FIELD(struct rch_thread, name), 99, "threads[0]"},
                  {1, FIELD(struct rch_thread, waits_for), 99, "threads[1]"},
                  {0, FIELD(struct rch_thread, root), 5, "threads[0]"},
                  {0, FIELD(struct rch_thread, root), 100, "threads[0]"},
                  {0, FIELD(struct rch_thread, root), 103, "threads[0]"},
                  {0, FIELD(struct rch_thread, first_frame), 3, "threads[0]"},
                  {1, FIELD(struct rch_thread, first_frame), UINT32_MAX, "threads[1]"},
                  {1, FIELD(struct rch_thread, num_frames), UINT32_MAX, "threads[1]"});
    COLUMN_BREAKS(stack_frames, struct rch_stack_frame, g->num_stack_frames,
                  {0, FIELD(struct rch_stack_frame, function), 99, "stack_frames[0]"},
                  {3, FIELD(struct rch_stack_frame, file), 99, "stack_frames[3]"},
                  {1, FIELD(struct rch_stack_frame, root), 101, "stack_frames[1]"},
                  {1, FIELD(struct rch_stack_frame, root), 7, "stack_frames[1]"});
    COLUMN_BREAKS(
        fds, struct rch_fd, g->num_fds, {0, FIELD(struct rch_fd, fd), UINT32_MAX, "fds[0]"},
        {1, FIELD(struct rch_fd, fd), 1, "fds[1]"}, {2, FIELD(struct rch_fd, peer), 99, "fds[2]"},
        {2, FIELD(struct rch_fd, protocol), 99, "fds[2]"});
    COLUMN_BREAKS(fd_owners, struct rch_fd_owner, g->num_fd_owners,
                  {0, FIELD(struct rch_fd_owner, node), 100, "fd_owners[0]"},
                  {3, FIELD(struct rch_fd_owner, node), 0, "fd_owners[3]"},
                  {1, FIELD(struct rch_fd_owner, fd), UINT32_MAX, "fd_owners[1]"},
                  {0, FIELD(struct rch_fd_owner, fd), UINT32_MAX, "fd_owners[0]"});
    COLUMN_BREAKS(str_start, uint32_t, g->num_strs + 1, {0, 0, 4, 1, "strings"},
                  {1, 0, 4, 2, "strings"}, {2, 0, 4, 1, "str_start"},
                  {2, 0, 4, UINT32_MAX, "str_start"}, {4, 0, 4, 3, "strings"});
    COLUMN_BREAKS(str_bytes, char, g->num_str_bytes, {0, 0, 1, 'x', "strings[0]"},
                  {5, 0, 1, 'x', "strings[1]"});
    COLUMN_BREAKS(warnings, rch_str, g->num_warnings, {0, 0, 4, 99, "warnings[0]"});
    rch_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        graph_test(nodes_are_in_address_order_tracked_ones_first),
        graph_test(sizes_below_and_above_64_kib_are_exact),
        graph_test(labels_follow_from_the_shape),
        graph_test(a_value_knows_its_key),
        graph_test(types_have_module_name_and_node),
        graph_test(roots_and_observers_keep_what_was_said),
        graph_test(threads_have_their_frames_and_descriptors_their_owners),
        graph_test(equal_strings_and_types_get_equal_numbers),
        graph_test(a_builder_refuses_what_makes_no_sense),
        graph_test(two_objects_at_one_address_are_refused),
        graph_test(a_descriptor_or_an_owner_twice_is_refused),
        graph_test(objects_are_sorted_and_references_follow_them),
        graph_test(building_survives_every_failing_allocation),
        graph_test(an_empty_builder_makes_an_empty_graph),
        graph_test(adopted_columns_are_freed_by_whoever_made_them),
        graph_test(referrers_are_the_references_sorted_by_target),
        graph_test(verify_finds_wrong_counts),
        graph_test(verify_finds_a_wrong_number_in_any_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
