// SPDX-License-Identifier: MIT
// model/derived.c -- see derived.h. One lock guards the table of columns; it is not held while
// somebody computes, so two threads may compute the same, and the second one's is not needed.
#include "model/derived.h"

#include <pthread.h>
#include <string.h>

#define LOOK_AHEAD 32u  // referrers ahead: fetch the row of their source, and their reference

enum column_state { ABSENT, OFFERED, KEPT_FROM_FILE, KEPT_NEW };
struct column {
    const void *rows;
    uint64_t num, checksum;
    const struct rch_alloc *alloc;  // of KEPT_NEW
    enum column_state state;
};

struct rch_derived {
    pthread_mutex_t lock;
    const struct rch_alloc *alloc;  // of this struct
    struct column columns[RCH_NUM_DERIVED];
    uint64_t (*checksum)(const void *bytes, size_t num_bytes);
    void (*unmap)(void *bytes, size_t num_bytes);
    void *bytes;
    size_t num_bytes;
    const char *trouble;
};

uint32_t rch_derived_elem_bytes(uint32_t kind)
{
    static const uint32_t elem_bytes[RCH_NUM_DERIVED] = {
#define RCH_DERIVED_ROW(name, number, bytes) [number] = (bytes),
        RCH_DERIVED_LIST(RCH_DERIVED_ROW)
#undef RCH_DERIVED_ROW
    };
    return kind < RCH_NUM_DERIVED ? elem_bytes[kind] : 0;
}

enum rch_status rch_derived_attach(struct rch_graph *g, const struct rch_alloc *alloc,
                                   struct rch_error *err)
{
    if (g->derived)
        return RCH_OK;
    struct rch_derived *d = rch_calloc(alloc, 1, sizeof(*d));
    if (!d || pthread_mutex_init(&d->lock, NULL) != 0) {
        rch_free(alloc, d, 1, sizeof(*d));
        return rch_fail(err, RCH_ENOMEM, "a place to keep indexes in");
    }
    d->alloc = alloc;
    g->derived = d;
    return RCH_OK;
}

static void drop_column(struct column *column, uint32_t kind)
{
    if (column->state == KEPT_NEW)
        rch_free(column->alloc, (void *)(uintptr_t)column->rows, column->num,
                 rch_derived_elem_bytes(kind));
    *column = (struct column){.state = ABSENT};
}

void rch_derived_free(struct rch_derived *d)
{
    if (!d)
        return;
    for (uint32_t kind = 0; kind < RCH_NUM_DERIVED; kind++)
        drop_column(&d->columns[kind], kind);
    if (d->unmap)
        d->unmap(d->bytes, d->num_bytes);
    pthread_mutex_destroy(&d->lock);
    rch_free(d->alloc, d, 1, sizeof(*d));
}

// --- what a file says, before anybody uses it ---

static bool starts_ascend(const uint32_t *start, uint32_t num_nodes, uint64_t num_refs)
{
    uint32_t bad = start[0] != 0;
    for (uint32_t v = 0; v < num_nodes; v++)
        bad |= start[v] > start[v + 1];
    return !bad && start[num_nodes] == num_refs;
}

static uint64_t count_refs(const struct rch_graph *g)
{
    uint64_t num = 0;
    for (uint32_t e = 0; e < g->num_edges; e++)
        num += g->edges[e] != RCH_NO_NODE;
    return num;
}

// Every referrer is a reference that leads here, none is there twice, and there are as many as
// references: then they are just those that rch_reverse_init would find.
static bool referrers_fit(const struct rch_graph *g, const struct rch_derived_rows *rows,
                          uint32_t num_refs, struct rch_asking *asking)
{
    const uint32_t *start = rows[0].rows, *edge = rows[2].rows;
    const rch_node *source = rows[1].rows;
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (!rch_goes_on(asking, 1 + start[v + 1] - start[v]))
            return false;
        for (uint32_t i = start[v]; i < start[v + 1]; i++) {
            if (num_refs - i > LOOK_AHEAD) {  // prefetching from nowhere does no harm
                __builtin_prefetch((const char *)g->edge_start +
                                   4 * (size_t)source[i + LOOK_AHEAD]);
                __builtin_prefetch((const char *)g->edges + 4 * (size_t)edge[i + LOOK_AHEAD]);
            }
            rch_node from = source[i];
            uint32_t e = edge[i];
            if (from >= g->num_nodes || e < g->edge_start[from] || e >= g->edge_start[from + 1] ||
                g->edges[e] != v || (i > start[v] && e <= edge[i - 1]))
                return false;
        }
    }
    return true;
}

static bool reverse_fits(const struct rch_graph *g, const struct rch_derived_rows *rows,
                         struct rch_asking *asking)
{
    uint64_t num_refs = count_refs(g);
    return rows[0].num == (uint64_t)g->num_nodes + 1 && rows[1].num == num_refs &&
           rows[2].num == num_refs && starts_ascend(rows[0].rows, g->num_nodes, num_refs) &&
           referrers_fit(g, rows, (uint32_t)num_refs, asking);
}

// `preorder` names each node of the tree once, after its dominator; the others are in no tree.
static bool tree_fits(const struct rch_graph *g, const struct rch_derived_rows *rows,
                      struct rch_asking *asking, const struct rch_alloc *alloc)
{
    const rch_node *idom = rows[0].rows, *preorder = rows[1].rows;
    uint32_t super = g->num_nodes;
    uint64_t num_in_tree = 0;
    if (rows[0].num != (uint64_t)super + 1 || rows[1].num < 1 || rows[1].num > rows[0].num ||
        preorder[0] != super || idom[super] != RCH_NO_NODE)
        return false;
    RCH_BLOCK(seen_block, alloc, (size_t)super / 64 + 1, sizeof(uint64_t));
    uint64_t *seen = seen_block.mem;
    if (!seen)
        return false;
    seen[super / 64] |= UINT64_C(1) << super % 64;
    for (uint64_t i = 1; i < rows[1].num; i++) {
        rch_node v = preorder[i];
        if (!rch_goes_on(asking, 1) || v >= super || idom[v] > super ||
            !(seen[idom[v] / 64] >> idom[v] % 64 & 1) || (seen[v / 64] >> v % 64 & 1))
            return false;
        seen[v / 64] |= UINT64_C(1) << v % 64;
    }
    for (rch_node v = 0; v < super; v++)
        num_in_tree += idom[v] != RCH_NO_NODE;
    return num_in_tree == rows[1].num - 1;
}

static bool group_fits(const struct rch_graph *g, struct rch_derived_group group,
                       const struct rch_derived_rows *rows, struct rch_asking *asking)
{
    switch (group.first) {
    case RCH_DERIVED_REV_START: return reverse_fits(g, rows, asking);
    case RCH_DERIVED_IDOM: return tree_fits(g, rows, asking, g->derived->alloc);
    case RCH_DERIVED_RETAINED: return rows[0].num == (uint64_t)g->num_nodes + 1;
    default: return rows[0].num == g->num_types;
    }
}

static const char *group_trouble(struct rch_derived_group group)
{
    switch (group.first) {
    case RCH_DERIVED_REV_START: return "the referrers in it are damaged";
    case RCH_DERIVED_IDOM: return "the dominator tree in it is damaged";
    default: return "the retained bytes in it are damaged";
    }
}

// Under the lock: look at what a file offers; good or gone after this, unless it is canceled.
static void check_group(const struct rch_graph *g, struct rch_derived_group group,
                        const struct rch_progress *progress)
{
    struct rch_derived *d = g->derived;
    struct rch_asking asking = {.progress = progress, .phase = "checking the index"};
    struct rch_derived_rows rows[RCH_MAX_GROUP] = {{0}};
    bool is_good = true, is_offered = false;
    for (uint32_t kind = group.first; kind < group.past; kind++) {
        const struct column *c = &d->columns[kind];
        is_offered |= c->state == OFFERED;
        is_good = is_good && c->state == OFFERED &&
                  d->checksum(c->rows, c->num * rch_derived_elem_bytes(kind)) == c->checksum;
        rows[kind - group.first] = (struct rch_derived_rows){c->rows, c->num};
    }
    if (!is_offered)
        return;
    is_good = is_good && group_fits(g, group, rows, &asking);
    if (asking.is_canceled)
        return;
    if (!is_good)
        d->trouble = group_trouble(group);
    for (uint32_t kind = group.first; kind < group.past; kind++) {
        if (is_good)
            d->columns[kind].state = KEPT_FROM_FILE;
        else
            drop_column(&d->columns[kind], kind);
    }
}

// --- the table ---

bool rch_derived_get(const struct rch_graph *g, struct rch_derived_group group,
                     const struct rch_progress *progress,
                     struct rch_derived_rows rows_out[RCH_MAX_GROUP])
{
    struct rch_derived *d = g->derived;
    if (!d)
        return false;
    pthread_mutex_lock(&d->lock);
    check_group(g, group, progress);
    bool has = d->columns[group.first].state >= KEPT_FROM_FILE;
    for (uint32_t kind = group.first; has && kind < group.past; kind++)
        rows_out[kind - group.first] =
            (struct rch_derived_rows){d->columns[kind].rows, d->columns[kind].num};
    pthread_mutex_unlock(&d->lock);
    return has;
}

bool rch_derived_put(const struct rch_graph *g, struct rch_derived_group group,
                     const struct rch_derived_rows rows[RCH_MAX_GROUP],
                     const struct rch_alloc *alloc)
{
    struct rch_derived *d = g->derived;
    if (!d)
        return false;
    pthread_mutex_lock(&d->lock);
    bool takes = d->columns[group.first].state == ABSENT;
    for (uint32_t kind = group.first; takes && kind < group.past; kind++) {
        const struct rch_derived_rows *row = &rows[kind - group.first];
        d->columns[kind] =
            (struct column){.rows = row->rows, .num = row->num, .alloc = alloc, .state = KEPT_NEW};
    }
    pthread_mutex_unlock(&d->lock);
    return takes;
}

void rch_derived_put_copy(const struct rch_graph *g, struct rch_derived_group group,
                          const void *rows, uint64_t num, const struct rch_alloc *alloc)
{
    uint32_t elem_bytes = rch_derived_elem_bytes(group.first);
    if (!g->derived)
        return;
    RCH_BLOCK(block, alloc, num, elem_bytes);
    if (!block.mem)
        return;
    memcpy(block.mem, rows, num * elem_bytes);
    const struct rch_derived_rows copy[RCH_MAX_GROUP] = {{block.mem, num}};
    if (rch_derived_put(g, group, copy, alloc))
        (void)rch_block_take(&block);
}

void rch_derived_map(struct rch_graph *g, const struct rch_derived_offer offers[RCH_NUM_DERIVED],
                     uint64_t (*checksum)(const void *bytes, size_t num_bytes),
                     void (*unmap)(void *bytes, size_t num_bytes), void *bytes, size_t num_bytes)
{
    struct rch_derived *d = g->derived;
    d->checksum = checksum;
    d->unmap = unmap;
    d->bytes = bytes;
    d->num_bytes = num_bytes;
    for (uint32_t kind = 0; kind < RCH_NUM_DERIVED; kind++) {
        if (!offers[kind].rows)
            continue;
        drop_column(&d->columns[kind], kind);
        d->columns[kind] = (struct column){.rows = offers[kind].rows,
                                           .num = offers[kind].num,
                                           .checksum = offers[kind].checksum,
                                           .state = OFFERED};
    }
}

bool rch_derived_has(const struct rch_graph *g, struct rch_derived_group group)
{
    if (!g->derived)
        return false;
    pthread_mutex_lock(&g->derived->lock);
    bool has = g->derived->columns[group.first].state != ABSENT;
    pthread_mutex_unlock(&g->derived->lock);
    return has;
}

bool rch_derived_has_new(const struct rch_graph *g)
{
    bool has = false;
    if (!g->derived)
        return false;
    pthread_mutex_lock(&g->derived->lock);
    for (uint32_t kind = 0; kind < RCH_NUM_DERIVED; kind++)
        has |= g->derived->columns[kind].state == KEPT_NEW;
    pthread_mutex_unlock(&g->derived->lock);
    return has;
}

void rch_derived_all(const struct rch_graph *g, struct rch_derived_rows rows_out[RCH_NUM_DERIVED])
{
    static const struct rch_derived_group groups[] = {
        {RCH_DERIVED_REV_START, RCH_DERIVED_IDOM},
        {RCH_DERIVED_IDOM, RCH_DERIVED_RETAINED},
        {RCH_DERIVED_RETAINED, RCH_DERIVED_TYPE_RETAINED},
        {RCH_DERIVED_TYPE_RETAINED, RCH_NUM_DERIVED},
    };
    memset(rows_out, 0, RCH_NUM_DERIVED * sizeof(*rows_out));
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct rch_derived_rows rows[RCH_MAX_GROUP];
        bool has = rch_derived_get(g, groups[i], NULL, rows);
        for (uint32_t kind = groups[i].first; has && kind < groups[i].past; kind++)
            rows_out[kind] = rows[kind - groups[i].first];
    }
}

const char *rch_derived_trouble(const struct rch_graph *g)
{
    const char *trouble = NULL;
    if (!g->derived)
        return NULL;
    pthread_mutex_lock(&g->derived->lock);
    trouble = g->derived->trouble;
    pthread_mutex_unlock(&g->derived->lock);
    return trouble;
}
