// SPDX-License-Identifier: MIT
// Claims about who refers to whom, backwards: of a made-up CPython that is put where it says it is, so that
// it is our own memory.
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "capture/one.h"
#include "capture/referrers.h"
#include "fake_python.h"
#include "support.h"

enum { NUM_REFS = 4, MAX_THINGS = 64 };

struct thing {  // an object of the collector's, with its head
    uint64_t next, prev, refcount, type;
    uint64_t refs[NUM_REFS], fill[8];
};

static struct made {
    struct fake_python fake;
    struct rch_target target;
    struct rch_capture_options options;
    struct thing *things;
    uint64_t type;
    uint32_t num_things;
} made;

#define AT_THINGS (FAKE_HEAP + FAKE_HEAP_BYTES)
#define THING_BYTES (MAX_THINGS * sizeof(struct thing))

static uint64_t *word_at(rch_addr addr)
{
    return (uint64_t *)(uintptr_t)addr;
}

static int traverse(void *object, rch_visit_fn visit, void *arg)
{
    const struct thing *thing =
        (const struct thing *)(const void *)((const uint8_t *)object -
                                             offsetof(struct thing, refcount));
    for (uint32_t i = 0; i < NUM_REFS; i++) {
        int stop = thing->refs[i] ? visit((void *)(uintptr_t)thing->refs[i], arg) : 0;
        if (stop)
            return stop;
    }
    return visit((void *)(uintptr_t)thing->type, arg);
}

static void put(uint64_t addr, const void *bytes, size_t num_bytes)
{
    void *mem = mmap((void *)(uintptr_t)addr, num_bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(mem, (void *)(uintptr_t)addr);
    if (bytes)
        memcpy(mem, bytes, num_bytes);
}

static int begin(void **state)
{
    (void)state;
    memset(&made, 0, sizeof(made));
    fake_python_init(&made.fake, rch_layout_for(3, 11), FAKE_GNU_HASH);
    rch_traverse_fn fn = traverse;
    uint64_t addr;
    memcpy(&addr, &fn, sizeof(addr));
    made.type = fake_class(&made.fake, "Thing", addr);
    for (size_t i = 0; i < made.fake.fake.num_segments; i++)
        put(made.fake.segments[i].addr, made.fake.segments[i].bytes,
            made.fake.segments[i].num_bytes);
    put(AT_THINGS, NULL, THING_BYTES);
    made.things = (struct thing *)(uintptr_t)AT_THINGS;
    rch_target_own_init(&made.target);
    made.options = (struct rch_capture_options){.target = &made.target,
                                                .layout = made.fake.layout,
                                                .first_interp = made.fake.interp,
                                                .runtime = made.fake.runtime,
                                                .type_type = made.fake.type_type,
                                                .subtype_traverse = made.fake.subtype_traverse,
                                                .none = made.fake.none,
                                                .can_traverse = true};
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (size_t i = 0; i < made.fake.fake.num_segments; i++)
        munmap((void *)(uintptr_t)made.fake.segments[i].addr, made.fake.segments[i].num_bytes);
    munmap((void *)(uintptr_t)AT_THINGS, THING_BYTES);
    fake_python_deinit(&made.fake);
    return 0;
}

static rch_addr head_of(int32_t list)
{
    const struct rch_layout *L = made.fake.layout;
    rch_addr gc = made.fake.interp + (uint32_t)L->interp_gc;
    return list == L->gc_num_generations
               ? gc + (uint32_t)L->gc_permanent
               : gc + (uint32_t)(L->gc_generation0 + list * L->gc_generation_size);
}

/// A new object; `list` -1: not tracked.
static rch_addr thing(int32_t list)
{
    assert_true(made.num_things < MAX_THINGS);
    struct thing *thing = &made.things[made.num_things++];
    *thing = (struct thing){.refcount = 1, .type = made.type};
    if (list >= 0) {
        rch_addr head = head_of(list), last = *word_at(head + 8);
        thing->next = head;
        thing->prev = last;
        *word_at(last) = (rch_addr)(uintptr_t)thing;
        *word_at(head + 8) = (rch_addr)(uintptr_t)thing;
    }
    return (rch_addr)(uintptr_t)&thing->refcount;
}

static void refer(rch_addr from, rch_addr to)
{
    uint64_t *refs = word_at(from + 16);
    for (uint32_t i = 0; i < NUM_REFS; i++)
        if (!refs[i]) {
            refs[i] = to;
            return;
        }
    fail();
}

static struct rch_referrers *referrers_of(rch_addr start)
{
    struct rch_referrers_options options = {
        .capture = &made.options, .starts = &start, .num_starts = 1, .is_plain = true};
    struct rch_referrers *referrers = NULL;
    struct rch_error err = {0};
    assert_ok(rch_referrers_make(&options, rch_alloc_default(), &referrers, &err), &err);
    return referrers;
}

/// A search from `start`; `goal` 0: for all there are.
static void search(struct rch_referrers *referrers, rch_addr start, rch_addr goal,
                   struct rch_back_search *how, struct rch_back_result *result)
{
    uint8_t is_goal[MAX_THINGS * 4] = {0};
    rch_node node = rch_referrers_node(referrers, start);
    assert_true(rch_referrers_num_nodes(referrers) <= sizeof(is_goal));
    if (goal)
        is_goal[rch_referrers_node(referrers, goal)] = 1;
    how->starts = &node;
    how->num_starts = 1;
    how->is_goal = goal ? is_goal : NULL;
    rch_back_result_init(result, rch_alloc_default());
    assert_ok(rch_referrers_search(referrers, how, result, NULL), NULL);
}

static rch_addr addr_at(const struct rch_referrers *referrers, const struct rch_back_result *result,
                        size_t i)
{
    return rch_referrers_addr(referrers, RCH_VEC_AT(&result->nodes, rch_node, i));
}

#define ALL {.max_depth = UINT32_MAX, .max_nodes = SIZE_MAX}

// ---- searches ------------------------------------------------------------------------------------

static void a_shortest_chain_is_found(void **state)
{
    (void)state;
    rch_addr goal = thing(2), far = thing(2), near = thing(1), target = thing(0);
    refer(goal, far);
    refer(far, near);
    refer(goal, near);
    refer(near, target);
    refer(target, target);
    struct rch_referrers *referrers = referrers_of(target);
    struct rch_back_search how = ALL;
    struct rch_back_result result;
    search(referrers, target, goal, &how, &result);
    assert_int_equal(addr_at(referrers, &result, result.goal), goal);
    uint32_t parent = RCH_VEC_AT(&result.parents, uint32_t, result.goal);
    assert_int_equal(addr_at(referrers, &result, parent), near);
    parent = RCH_VEC_AT(&result.parents, uint32_t, parent);
    assert_int_equal(addr_at(referrers, &result, parent), target);
    assert_int_equal(RCH_VEC_AT(&result.parents, uint32_t, parent), parent);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

static void depth_and_number_cut_a_search_and_say_so(void **state)
{
    (void)state;
    rch_addr goal = thing(2), one = thing(2), two = thing(2), target = thing(2);
    refer(goal, one);
    refer(one, two);
    refer(two, target);
    struct rch_referrers *referrers = referrers_of(target);
    struct rch_back_result result;
    struct rch_back_search how = {.max_depth = 2, .max_nodes = SIZE_MAX};
    search(referrers, target, goal, &how, &result);
    assert_int_equal(result.goal, SIZE_MAX);
    assert_true(result.is_cut_by_depth);
    assert_false(result.is_cut_by_number);
    rch_back_result_deinit(&result);
    how = (struct rch_back_search){.max_depth = 3, .max_nodes = SIZE_MAX};
    search(referrers, target, goal, &how, &result);
    assert_int_equal(addr_at(referrers, &result, result.goal), goal);
    rch_back_result_deinit(&result);
    how = (struct rch_back_search){.max_depth = 9, .max_nodes = 2};
    search(referrers, target, 0, &how, &result);
    assert_int_equal(result.nodes.num, 2);
    assert_true(result.is_cut_by_number);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

static void what_is_ignored_is_never_met(void **state)
{
    (void)state;
    rch_addr goal = thing(2), way = thing(2), target = thing(2);
    refer(goal, way);
    refer(way, target);
    struct rch_referrers *referrers = referrers_of(target);
    const rch_node ignored[] = {rch_referrers_node(referrers, way)};
    struct rch_back_search how = {
        .ignored = ignored, .num_ignored = 1, .max_depth = 9, .max_nodes = SIZE_MAX};
    struct rch_back_result result;
    search(referrers, target, goal, &how, &result);
    assert_int_equal(result.goal, SIZE_MAX);
    assert_int_equal(result.nodes.num, 1);
    rch_back_result_deinit(&result);
    how = (struct rch_back_search)ALL;  // nothing of it is remembered
    search(referrers, target, goal, &how, &result);
    assert_int_equal(addr_at(referrers, &result, result.goal), goal);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

static void each_row_has_a_referrer_once(void **state)
{
    (void)state;
    rch_addr twice = thing(2), once = thing(2), target = thing(2);
    refer(twice, target);
    refer(twice, target);
    refer(once, target);
    struct rch_referrers *referrers = referrers_of(target);
    struct rch_back_search how = {
        .max_depth = UINT32_MAX, .max_nodes = SIZE_MAX, .wants_rows = true};
    struct rch_back_result result;
    search(referrers, target, 0, &how, &result);
    assert_int_equal(result.nodes.num, 3);
    assert_int_equal(result.num_expanded, 3);
    const uint32_t want[] = {2, 1, 2, 0, 0};
    assert_int_equal(result.rows.num, 5);
    assert_memory_equal(result.rows.mem, want, sizeof(want));
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

static void a_start_need_not_be_tracked(void **state)
{
    (void)state;
    rch_addr holder = thing(2), target = thing(-1), unknown = thing(-1);
    refer(holder, target);
    refer(holder, unknown);
    struct rch_referrers *referrers = referrers_of(target);
    struct rch_back_search how = ALL;
    struct rch_back_result result;
    assert_int_equal(rch_referrers_node(referrers, unknown), RCH_NO_NODE);
    assert_int_equal(rch_referrers_node(referrers, target + 8), RCH_NO_NODE);
    assert_int_equal(rch_referrers_node(referrers, 0), RCH_NO_NODE);
    assert_int_equal(rch_referrers_node(referrers, UINT64_MAX), RCH_NO_NODE);
    search(referrers, target, holder, &how, &result);
    assert_int_equal(addr_at(referrers, &result, result.goal), holder);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

static void more_objects_than_are_under_way_at_once_have_their_referrers(void **state)
{
    (void)state;
    rch_addr things[MAX_THINGS];
    for (uint32_t i = 0; i < MAX_THINGS; i++) {
        things[i] = thing(2);
        if (i)
            refer(things[i], things[i - 1]);
    }
    struct rch_referrers *referrers = referrers_of(things[0]);
    struct rch_back_search how = ALL;
    struct rch_back_result result;
    search(referrers, things[0], things[MAX_THINGS - 1], &how, &result);
    assert_int_equal(result.goal, MAX_THINGS - 1);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
}

// ---- objects without referrers -------------------------------------------------------------------

static void assert_unreferred(const rch_addr *want, size_t num)
{
    RCH_VEC(addrs, rch_alloc_default(), rch_addr);
    struct rch_error err = {0};
    size_t found = 0;
    assert_ok(rch_unreferred(&made.options, rch_alloc_default(), &addrs, &err), &err);
    for (size_t i = 0; i < addrs.num; i++) {
        rch_addr addr = RCH_VEC_AT(&addrs, rch_addr, i);
        if (addr < AT_THINGS || addr >= AT_THINGS + THING_BYTES)
            continue;  // of the fake itself
        assert_true(found < num);
        assert_int_equal(addr, want[found++]);
    }
    assert_int_equal(found, num);
}

static void what_nothing_refers_to_is_listed(void **state)
{
    (void)state;
    rch_addr top = thing(0), below = thing(1), circle = thing(2), other = thing(2);
    rch_addr untracked = thing(-1), alone = thing(2);
    refer(top, below);
    refer(circle, other);
    refer(other, circle);
    refer(top, untracked);
    const rch_addr want[] = {top, alone};
    assert_unreferred(want, 2);
    refer(below, alone);
    refer(alone, top);
    assert_unreferred(want, 0);
}

static void what_is_frozen_refers_but_is_not_listed(void **state)
{
    (void)state;
    rch_addr frozen = thing(made.fake.layout->gc_num_generations), held = thing(2);
    rch_addr top = thing(2);
    refer(frozen, held);
    assert_unreferred(&top, 1);
}

// ---- references by name --------------------------------------------------------------------------

struct names {
    char text[200];
};

static void note_name(void *ctx, enum rch_edge_kind kind, const char *name, rch_addr target)
{
    struct names *names = ctx;
    size_t at = strlen(names->text);
    snprintf(names->text + at, sizeof(names->text) - at, "%s%s %s%s", at ? ", " : "",
             rch_edge_kind_word(kind), name, target == made.fake.none ? " None" : "");
}

static void references_come_with_kind_and_target(void **state)
{
    (void)state;
    struct names names = {""};
    struct rch_error err = {0};
    assert_ok(rch_references_of(&made.options, rch_alloc_default(), made.fake.builtins, note_name,
                                &names, &err),
              &err);
    assert_string_equal(names.text, "key , value  None");
}

// ---- failures ------------------------------------------------------------------------------------

static void set_collecting(uint32_t is_collecting)
{
    const struct rch_layout *L = made.fake.layout;
    memcpy(word_at(made.fake.interp + (uint32_t)(L->interp_gc + L->gc_collecting)), &is_collecting,
           sizeof(is_collecting));
}

static void in_a_collection_nobody_asks(void **state)
{
    (void)state;
    rch_addr target = thing(2);
    struct rch_referrers_options options = {
        .capture = &made.options, .starts = &target, .num_starts = 1, .is_plain = true};
    struct rch_referrers *referrers = NULL;
    struct rch_error err = {0};
    RCH_VEC(addrs, rch_alloc_default(), rch_addr);
    set_collecting(1);
    assert_status(rch_referrers_make(&options, rch_alloc_default(), &referrers, &err), RCH_EBUSY,
                  &err);
    assert_status(rch_unreferred(&made.options, rch_alloc_default(), &addrs, &err), RCH_EBUSY,
                  &err);
    assert_null(referrers);
}

static bool has_made_and_searched(const struct rch_alloc *alloc, rch_addr target, bool is_plain)
{
    struct rch_referrers_options options = {
        .capture = &made.options, .starts = &target, .num_starts = 1, .is_plain = is_plain};
    struct rch_referrers *referrers = NULL;
    struct rch_error err = {0};
    if (!ok_or_enomem(rch_referrers_make(&options, alloc, &referrers, &err)))
        return false;
    rch_node start = rch_referrers_node(referrers, target);
    struct rch_back_search how = {.starts = &start,
                                  .num_starts = 1,
                                  .max_depth = UINT32_MAX,
                                  .max_nodes = SIZE_MAX,
                                  .wants_rows = true};
    struct rch_back_result result;
    rch_back_result_init(&result, alloc);
    bool is_done = ok_or_enomem(rch_referrers_search(referrers, &how, &result, &err));
    if (is_done)
        assert_int_equal(result.nodes.num, 40);
    rch_back_result_deinit(&result);
    rch_referrers_free(referrers);
    return is_done;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    rch_addr last = thing(2), target = last;
    for (uint32_t i = 1; i < 40; i++) {
        rch_addr next = thing(2);
        refer(next, last);
        last = next;
    }
    FOR_EACH_FAILING_ALLOC (alloc)
        (void)has_made_and_searched(alloc, target, true);
    FOR_EACH_FAILING_ALLOC (alloc)
        (void)has_made_and_searched(alloc, target, false);
    FOR_EACH_FAILING_ALLOC (alloc) {
        RCH_VEC(addrs, alloc, rch_addr);
        (void)ok_or_enomem(rch_unreferred(&made.options, alloc, &addrs, NULL));
    }
    FOR_EACH_FAILING_ALLOC (alloc) {
        struct names names = {""};
        (void)ok_or_enomem(
            rch_references_of(&made.options, alloc, made.fake.sysdict, note_name, &names, NULL));
    }
}

#define own_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        own_test(a_shortest_chain_is_found),
        own_test(depth_and_number_cut_a_search_and_say_so),
        own_test(what_is_ignored_is_never_met),
        own_test(each_row_has_a_referrer_once),
        own_test(a_start_need_not_be_tracked),
        own_test(more_objects_than_are_under_way_at_once_have_their_referrers),
        own_test(what_nothing_refers_to_is_listed),
        own_test(what_is_frozen_refers_but_is_not_listed),
        own_test(references_come_with_kind_and_target),
        own_test(in_a_collection_nobody_asks),
        own_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
