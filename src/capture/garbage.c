// SPDX-License-Identifier: MIT
// capture/garbage.c -- what no root reaches. Counts balance there, so it is cycles and what hangs on
// them: one root for each strongly connected component that nothing else unreached leads to.
// Components: Pearce, "A space-efficient algorithm for finding strongly connected components" (2016),
// with explicit stacks.
#include "capture/finish.h"
#include "capture/reached.h"

// An object keeps its class alive, though that reference is not in its row. Classes that nothing else
// reaches are few: look for a reached instance only when there are some.
static void reach_types_of_instances(struct rch__reached *reached, struct rch__worker *worker)
{
    struct rch__cap *cap = reached->cap;
    uint32_t before = UINT32_MAX, num_unreached = 1;
    while (num_unreached && reached->num_queued != before && rch__goes_on(cap, 1)) {
        before = reached->num_queued;
        num_unreached = 0;
        for (size_t i = 0; i < cap->types.num; i++) {
            struct rch__type *type = RCH_VEC_AT(&cap->types, struct rch__type *, i);
            rch_node v = rch_rank_of(&cap->index, rch_code(&cap->index, type->addr));
            type->is_unreached = type->num_instances && !rch__bit_get(reached->seen, v);
            num_unreached += type->is_unreached;
        }
        for (rch_node v = 0; num_unreached && v < cap->rows.shape.num && rch__goes_on(cap, 1);
             v++) {
            struct rch__type *type = rch__info_of(cap, v)->type;
            if (!type->is_unreached || !rch__bit_get(reached->seen, v))
                continue;
            type->is_unreached = false;
            rch__reach(reached, rch_rank_of(&cap->index, rch_code(&cap->index, type->addr)));
        }
        rch__reached_follow(reached, worker);
    }
}

static void hold_those(struct rch__reached *reached, bool are_types, struct rch__worker *worker)
{
    struct rch__cap *cap = reached->cap;
    for (rch_node v = 0; v < cap->rows.shape.num && cap->status == RCH_OK; v++) {
        if (RCH_COLUMN_AT(&cap->rows.refcount, int32_t, v) != RCH_IMMORTAL ||
            rch__bit_get(reached->seen, v) ||
            (are_types && !(rch__info_of(cap, v)->type->flags & RCH_TPFLAGS_TYPE_SUBCLASS)))
            continue;
        cap->status = rch_vec_append(&cap->root_codes, &v, 1, &cap->err);
        rch__reach(reached, v);
        rch__reached_follow(reached, worker);
    }
}

// What is immortal is no garbage, though nobody may reach it: without the GIL so are classes and
// functions, once there was a second thread. Classes first: their descriptors are, too.
static void hold_immortals(struct rch__reached *reached, struct rch__worker *worker)
{
    struct rch__cap *cap = reached->cap;
    rch__root_begin(cap);
    hold_those(reached, true, worker);
    hold_those(reached, false, worker);
    rch__label_add(cap, RCH_EDGE_FIELD, "never freed", RCH_LABEL_FIXED);
    (void)rch__root_end_tail(cap, RCH_ROOT_INTERPRETER, "immortal objects", NULL, false, 1);
}

// ---- components of the unreached ---------------------------------------------------------------

struct components {
    struct rch__cap *cap;
    const rch_node *nodes;  // the unreached, ascending
    uint32_t num;
    uint32_t *rindex;  // Pearce's: visit index, then component number counted down from num - 1
    uint32_t *next;    // next reference to look at, by local number
    uint32_t *path, *done;  // the two stacks
    uint32_t num_path, num_done, index, component;
    uint8_t *is_root;
};

static uint32_t local_of(const struct components *c, rch_node v)
{
    uint32_t low = 0, high = c->num;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->nodes[mid] < v)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->num && c->nodes[low] == v ? low : UINT32_MAX;
}

static uint32_t target_of(const struct components *c, uint32_t local, uint32_t e)
{
    const struct rch__cap *cap = c->cap;
    rch_node v = c->nodes[local], w = RCH_COLUMN_AT(&cap->main_log.codes, uint32_t, e);
    if (w == RCH_NO_NODE || e - rch__row_start(cap, v) == rch__info_of(cap, v)->weak_ordinal)
        return UINT32_MAX;
    return local_of(c, w);
}

static void begin_visit(struct components *c, uint32_t v)
{
    c->path[c->num_path++] = v;
    c->next[v] = rch__row_start(c->cap, c->nodes[v]);
    c->is_root[v] = 1;
    c->rindex[v] = c->index++;
}

static void end_visit(struct components *c, uint32_t v)
{
    c->num_path--;
    if (!c->is_root[v]) {
        c->done[c->num_done++] = v;
        return;
    }
    c->index--;
    while (c->num_done && c->rindex[v] <= c->rindex[c->done[c->num_done - 1]]) {
        c->rindex[c->done[--c->num_done]] = c->component;
        c->index--;
    }
    c->rindex[v] = c->component--;
}

static void visit_from(struct components *c, uint32_t first)
{
    begin_visit(c, first);
    while (c->num_path) {
        uint32_t v = c->path[c->num_path - 1];
        uint32_t end = rch__row_end(c->cap, c->nodes[v]);
        bool goes_deeper = false;
        while (c->next[v] < end && !goes_deeper) {
            if (!rch__goes_on(c->cap, 2))  // a step, and a search
                return;
            uint32_t w = target_of(c, v, c->next[v]);
            if (w != UINT32_MAX && c->rindex[w] == 0) {
                begin_visit(c, w);  // looked at again when w is done
                goes_deeper = true;
                continue;
            }
            if (w != UINT32_MAX && c->rindex[w] < c->rindex[v]) {
                c->rindex[v] = c->rindex[w];
                c->is_root[v] = 0;
            }
            c->next[v]++;
        }
        if (!goes_deeper)
            end_visit(c, v);
    }
}

static enum rch_status add_garbage_roots(struct rch__cap *cap, const struct components *c,
                                         uint8_t *is_entered, struct rch_error *err)
{
    for (uint32_t v = 0; v < c->num && rch__goes_on(cap, 1); v++)
        for (uint32_t e = rch__row_start(cap, c->nodes[v]); e < rch__row_end(cap, c->nodes[v]);
             e++) {
            uint32_t w = target_of(c, v, e);
            if (w != UINT32_MAX && c->rindex[w] != c->rindex[v])
                is_entered[c->rindex[w]] = 1;
        }
    cap->labels.num = 0;
    rch__label_add(cap, RCH_EDGE_OBJECT, NULL, RCH_LABEL_FIXED);
    struct rch_type type = {
        .module = RCH_NO_STR, .name = rch__intern(cap, "root"), .node = RCH_NO_NODE};
    uint32_t number = 0, name = rch__intern(cap, "garbage");
    if (cap->status == RCH_OK)
        cap->status = rch_builder_type(cap->b, &type, &number, &cap->err);
    uint32_t shape = rch__shape_make(cap, NULL, number, 0);
    for (uint32_t v = 0; v < c->num && cap->status == RCH_OK; v++) {
        if (is_entered[c->rindex[v]])
            continue;
        is_entered[c->rindex[v]] = 1;  // one root a component
        struct rch__root root = {.root = {.name = name, .kind = RCH_ROOT_GARBAGE},
                                 .shape = shape,
                                 .first_code = (uint32_t)cap->root_codes.num,
                                 .num_codes = 1};
        cap->status = rch_vec_append(&cap->root_codes, &c->nodes[v], 1, &cap->err);
        if (cap->status == RCH_OK)
            cap->status = rch_vec_append(&cap->roots, &root, 1, &cap->err);
    }
    if (cap->status != RCH_OK)
        *err = cap->err;
    return cap->status;
}

static enum rch_status find_components(struct rch__cap *cap, const rch_node *nodes, uint32_t num,
                                       struct rch_error *err)
{
    RCH_BLOCK(words, cap->alloc, (size_t)num * 4, sizeof(uint32_t));
    RCH_BLOCK(flags, cap->alloc, (size_t)num * 2 + 2, 1);
    if (!words.mem || !flags.mem)
        return rch_fail(err, RCH_ENOMEM, "%u unreached objects", num);
    uint32_t *mem = words.mem;
    struct components c = {.cap = cap,
                           .nodes = nodes,
                           .num = num,
                           .rindex = mem,
                           .next = mem + num,
                           .path = mem + (size_t)num * 2,
                           .done = mem + (size_t)num * 3,
                           .index = 1,
                           .component = num,
                           .is_root = flags.mem};
    for (uint32_t v = 0; v < num; v++)
        if (c.rindex[v] == 0 && cap->status == RCH_OK)
            visit_from(&c, v);
    RCH_TRY(rch__go_on(cap, 0, err));
    return add_garbage_roots(cap, &c, (uint8_t *)flags.mem + num, err);
}

static void reach_the_rest(struct rch__reached *reached, struct rch__worker *worker)
{
    rch__reached_from_roots(reached, worker);
    reach_types_of_instances(reached, worker);
    if (rch__has_reached_all(reached))
        return;
    hold_immortals(reached, worker);
    reach_types_of_instances(reached, worker);
}

enum rch_status rch__find_garbage(struct rch__cap *cap, struct rch__reached *reached,
                                  struct rch_error *err)
{
    struct rch__worker alone = rch__reached_alone(reached);
    reach_the_rest(reached, &alone);
    RCH_TRY(rch__go_on(cap, 0, err));
    if (cap->status != RCH_OK) {
        *err = cap->err;
        return cap->status;
    }
    if (rch__has_reached_all(reached))
        return RCH_OK;
    uint32_t num_unreached = 0;
    for (rch_node v = 0; v < cap->rows.shape.num; v++)
        if (!rch__bit_get(reached->seen, v))
            reached->queue[num_unreached++] = v;
    return num_unreached ? find_components(cap, reached->queue, num_unreached, err) : RCH_OK;
}
