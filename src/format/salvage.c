// SPDX-License-Identifier: MIT
// format/salvage.c -- the best of a damaged file: sections by their headers, stand-ins for lost
// columns, a warning for each. Contents may be hostile even where checksums are right: all indices
// that are followed here are checked here, and rch_graph_verify has the last word.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "format/file_impl.h"

struct salvage {
    struct rch_reader *r;
    struct rch_vec notes;  // char; messages, each with its NUL
    uint32_t num_notes;
};

static void salvage_drop(struct salvage *s)
{
    rch_vec_deinit(&s->notes);
}

static struct rch_section *section_of(const struct salvage *s, enum rch_section_kind kind)
{
    return &s->r->sections[kind];
}

static bool is_whole(const struct salvage *s, enum rch_section_kind kind)
{
    return section_of(s, kind)->state == RCH_SECTION_WHOLE;
}

static enum rch_status note(struct salvage *s, struct rch_error *err, const char *fmt, ...)
    RCH_PRINTF(3, 4);

static enum rch_status note(struct salvage *s, struct rch_error *err, const char *fmt, ...)
{
    char text[240];
    va_list args;
    va_start(args, fmt);
    int num_bytes = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (num_bytes < 0)
        return rch_fail(err, RCH_EINVAL, "a warning that cannot be formatted");
    s->num_notes++;
    return rch_vec_append(&s->notes, text, strlen(text) + 1, err);
}

// Memory of the graph-to-be that stands in for the rows of `kind`.
static void *stand_in(struct salvage *s, enum rch_section_kind kind, uint64_t num,
                      struct rch_error *err)
{
    struct rch_reader *r = s->r;
    uint32_t elem_bytes = rch_section_elem_bytes((uint32_t)kind);
    void *mem = r->num_repairs < RCH_MAX_REPAIRS ? rch_calloc(r->alloc, num, elem_bytes) : NULL;
    if (!mem) {
        (void)rch_fail(err, RCH_ENOMEM, "repairing %" PRIu64 " rows of section %s", num,
                       rch_section_name((uint32_t)kind));
        return NULL;
    }
    r->repairs[r->num_repairs].mem = mem;
    r->repairs[r->num_repairs].num = num;
    r->repairs[r->num_repairs].elem_bytes = elem_bytes;
    r->num_repairs++;
    *section_of(s, kind) =
        (struct rch_section){.payload = mem, .num = num, .offset = 0, .state = RCH_SECTION_WHOLE};
    return mem;
}

// --- finding ---

// Of several sections of a kind the first of the best state counts.
static void scan_sections(struct rch_reader *r)
{
    memset(r->sections, 0, sizeof(r->sections));
    for (uint64_t offset = RCH_FILE_ALIGN; offset < r->num_bytes;) {
        const struct rch_section_header *header = rch_section_header_at(r, offset);
        if (!header) {
            offset += RCH_FILE_ALIGN;
            continue;
        }
        if (header->kind < RCH_NUM_SECTION_KINDS && header->kind != RCH_SECTION_DIRECTORY) {
            struct rch_section found = rch_section_check(r, offset);
            if (found.state > r->sections[header->kind].state)
                r->sections[header->kind] = found;
        }
        uint64_t rest = r->num_bytes - offset - sizeof(*header);
        if (header->payload_bytes >= rest)
            return;
        uint64_t hop = sizeof(*header) + header->payload_bytes;
        offset += (hop + RCH_FILE_ALIGN - 1) & ~(uint64_t)(RCH_FILE_ALIGN - 1);
    }
}

static enum rch_status find_counts(struct salvage *s, struct rch_error *err)
{
    struct rch_reader *r = s->r;
    struct rch_file_info info = {0};
    bool has_info = is_whole(s, RCH_SECTION_INFO);
    if (has_info)
        memcpy(&info, section_of(s, RCH_SECTION_INFO)->payload, sizeof(info));
    else
        RCH_TRY(note(s, err, "the facts about the capture are lost"));
    if (!r->has_counts && !has_info)
        return rch_fail(err, RCH_ECORRUPT, "no file header and no INFO section can be used");
    if (!r->has_counts)
        r->counts = info.counts;
    r->info = info.capture;
    r->info.is_partial = 1;
    const struct rch_file_counts *c = &r->counts;
    if (c->num_tracked > c->num_objects || c->num_objects > c->num_nodes)
        return rch_fail(err, RCH_ECORRUPT, "counts of nodes cannot be");
    return RCH_OK;
}

static enum rch_status check_essential(const struct salvage *s, struct rch_error *err)
{
    static const enum rch_section_kind essential[] = {
        RCH_SECTION_STR_START, RCH_SECTION_STR_BYTES, RCH_SECTION_TYPES,   RCH_SECTION_LABELS,
        RCH_SECTION_SHAPES,    RCH_SECTION_ROOTS,     RCH_SECTION_SHAPE_OF};
    for (size_t i = 0; i < sizeof(essential) / sizeof(essential[0]); i++) {
        if (!is_whole(s, essential[i]))
            return rch_fail_at(err, RCH_ECORRUPT, section_of(s, essential[i])->offset,
                               "section %s is lost; without it nothing can be told",
                               rch_section_name((uint32_t)essential[i]));
    }
    // Everything made below has as many rows as this column, which is in the file.
    if (section_of(s, RCH_SECTION_SHAPE_OF)->num != s->r->counts.num_nodes)
        return rch_fail(err, RCH_ECORRUPT, "counts do not agree with the sections");
    return RCH_OK;
}

// --- repairing ---

static enum rch_status drop_optional(struct salvage *s, struct rch_error *err)
{
    static const struct {
        enum rch_section_kind kind, with;  // `with`: neither is of use without the other
        uint16_t since;                    // minor version
        const char *words;
    } optional[] = {
        {RCH_SECTION_OBSERVERS, RCH_SECTION_OBSERVERS, 0, "what the questioner holds"},
        {RCH_SECTION_TEXTS, RCH_SECTION_TEXTS, 0, "texts of strings"},
        {RCH_SECTION_WARNINGS, RCH_SECTION_WARNINGS, 0, "warnings of the capture"},
        {RCH_SECTION_THREADS, RCH_SECTION_STACK_FRAMES, 1, "threads and their stacks"},
        {RCH_SECTION_FDS, RCH_SECTION_FDS, 1, "open descriptors"},
        {RCH_SECTION_FD_OWNERS, RCH_SECTION_FD_OWNERS, 1, "owners of descriptors"},
    };
    for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
        if (is_whole(s, optional[i].kind) && is_whole(s, optional[i].with))
            continue;
        *section_of(s, optional[i].kind) = (struct rch_section){.state = RCH_SECTION_WHOLE};
        *section_of(s, optional[i].with) = (struct rch_section){.state = RCH_SECTION_WHOLE};
        if (s->r->minor >= optional[i].since)
            RCH_TRY(note(s, err, "%s are lost", optional[i].words));
    }
    return RCH_OK;
}

static enum rch_status repair_addresses(struct salvage *s, struct rch_error *err)
{
    uint32_t num = s->r->counts.num_objects;
    if (is_whole(s, RCH_SECTION_ADDR8) && is_whole(s, RCH_SECTION_ADDR_RUNS))
        return RCH_OK;
    uint32_t *addr8 = stand_in(s, RCH_SECTION_ADDR8, num, err);
    struct rch_addr_run *runs = stand_in(s, RCH_SECTION_ADDR_RUNS, num ? 1 : 0, err);
    if (!addr8 || !runs)
        return RCH_ENOMEM;
    for (uint32_t v = 0; v < num; v++)
        addr8[v] = v + 1;
    return note(s, err, "addresses are lost and replaced by numbers");
}

static enum rch_status repair_size16(struct salvage *s, struct rch_error *err)
{
    struct rch_section *sizes = section_of(s, RCH_SECTION_SIZE16);
    if (sizes->state == RCH_SECTION_WHOLE)
        return RCH_OK;
    if (sizes->state == RCH_SECTION_DAMAGED && sizes->num == s->r->counts.num_nodes) {
        sizes->state = RCH_SECTION_WHOLE;
        return note(s, err, "some sizes are wrong");
    }
    if (!stand_in(s, RCH_SECTION_SIZE16, s->r->counts.num_nodes, err))
        return RCH_ENOMEM;
    return note(s, err, "sizes are lost");
}

// One row for each node that needs one; its size from the file if it is there.
static void fill_big_sizes(const struct salvage *s, const struct rch_section *old,
                           struct rch_big_size *rows)
{
    const uint16_t *size16 = section_of(s, RCH_SECTION_SIZE16)->payload;
    const struct rch_big_size *old_rows = old->payload;
    uint64_t k = 0, num_old = old->state == RCH_SECTION_WHOLE ? old->num : 0;
    for (rch_node v = 0; v < s->r->counts.num_nodes; v++) {
        if (size16[v] != RCH_SIZE_BIG)
            continue;
        while (k < num_old && old_rows[k].node < v)
            k++;
        bool is_kept = k < num_old && old_rows[k].node == v && old_rows[k].bytes >= RCH_SIZE_BIG;
        *rows++ = (struct rch_big_size){v, 0, is_kept ? old_rows[k].bytes : RCH_SIZE_BIG};
    }
}

static enum rch_status repair_sizes(struct salvage *s, struct rch_error *err)
{
    bool was_whole = is_whole(s, RCH_SECTION_SIZE16);
    RCH_TRY(repair_size16(s, err));
    struct rch_section old = *section_of(s, RCH_SECTION_BIG_SIZES);
    if (was_whole && old.state == RCH_SECTION_WHOLE)
        return RCH_OK;
    if (section_of(s, RCH_SECTION_SIZE16)->num != s->r->counts.num_nodes)
        return rch_fail(err, RCH_ECORRUPT, "counts do not agree with the sections");
    const uint16_t *size16 = section_of(s, RCH_SECTION_SIZE16)->payload;
    uint32_t num_big = 0;
    for (rch_node v = 0; v < s->r->counts.num_nodes; v++)
        num_big += size16[v] == RCH_SIZE_BIG;
    struct rch_big_size *rows = stand_in(s, RCH_SECTION_BIG_SIZES, num_big, err);
    if (!rows)
        return RCH_ENOMEM;
    fill_big_sizes(s, &old, rows);
    if (old.state == RCH_SECTION_WHOLE || num_big == 0)
        return RCH_OK;
    return note(s, err, "sizes of %" PRIu32 " big objects are lost", num_big);
}

// May a node of this shape have `num` references?
static bool is_possible(const struct salvage *s, uint32_t shape, uint32_t num)
{
    const struct rch_shape *shapes = section_of(s, RCH_SECTION_SHAPES)->payload;
    if (shape >= section_of(s, RCH_SECTION_SHAPES)->num)
        return false;
    return num <= shapes[shape].num_labels || shapes[shape].num_tail != 0;
}

// How many nodes from the front have all of their references.
static uint32_t count_kept(const struct salvage *s)
{
    const struct rch_section *starts = section_of(s, RCH_SECTION_EDGE_START);
    const uint32_t *start = starts->payload;
    const uint32_t *shape_of = section_of(s, RCH_SECTION_SHAPE_OF)->payload;
    uint64_t num_edges = section_of(s, RCH_SECTION_EDGES)->num;
    if (starts->num == 0 || start[0] != 0)
        return 0;
    uint64_t most = starts->num - 1;
    if (most > s->r->counts.num_nodes)
        most = s->r->counts.num_nodes;
    for (uint32_t v = 0; v < most; v++) {
        bool is_sorted = start[v + 1] >= start[v];
        if (is_sorted && start[v + 1] <= num_edges &&
            is_possible(s, shape_of[v], start[v + 1] - start[v]))
            continue;
        // In a damaged column the row before may be the wrong one.
        return !is_sorted && v > 0 ? v - 1 : v;
    }
    return (uint32_t)most;
}

static enum rch_status cut_edge_start(struct salvage *s, uint32_t num_kept, struct rch_error *err)
{
    uint32_t num_nodes = s->r->counts.num_nodes;
    const uint32_t *old = section_of(s, RCH_SECTION_EDGE_START)->payload;
    uint32_t end = num_kept ? old[num_kept] : 0;
    uint64_t num_lost = s->r->counts.num_edges > end ? s->r->counts.num_edges - end : 0;
    uint32_t *start = stand_in(s, RCH_SECTION_EDGE_START, (uint64_t)num_nodes + 1, err);
    if (!start)
        return RCH_ENOMEM;
    if (num_kept)
        memcpy(start, old, num_kept * sizeof(*start));
    for (uint32_t v = num_kept; v <= num_nodes; v++)
        start[v] = end;
    __builtin_add_overflow(s->r->info.num_unreadable, num_lost, &s->r->info.num_unreadable);
    s->r->counts.num_edges = end;
    section_of(s, RCH_SECTION_EDGES)->num = end;
    return note(s, err,
                "references of %" PRIu32 " of %" PRIu32 " nodes are lost: %" PRIu64 " references",
                num_nodes - num_kept, num_nodes, num_lost);
}

// References of a damaged column that lead nowhere become holes.
static enum rch_status repair_edges(struct salvage *s, struct rch_error *err)
{
    struct rch_section *edges = section_of(s, RCH_SECTION_EDGES);
    const rch_node *old = edges->payload;
    uint32_t num = (uint32_t)edges->num, num_bad = 0;
    bool was_damaged = edges->state == RCH_SECTION_DAMAGED;
    for (uint32_t e = 0; e < num; e++)
        num_bad += old[e] >= s->r->counts.num_objects && old[e] != RCH_NO_NODE;
    edges->state = RCH_SECTION_WHOLE;
    if (was_damaged)
        RCH_TRY(note(s, err, "some references are wrong"));
    if (num_bad == 0)
        return RCH_OK;
    rch_node *repaired = stand_in(s, RCH_SECTION_EDGES, num, err);
    if (!repaired)
        return RCH_ENOMEM;
    for (uint32_t e = 0; e < num; e++)
        repaired[e] = old[e] < s->r->counts.num_objects ? old[e] : RCH_NO_NODE;
    __builtin_add_overflow(s->r->info.num_unreadable, num_bad, &s->r->info.num_unreadable);
    return note(s, err, "%" PRIu32 " references lead nowhere", num_bad);
}

static enum rch_status repair_references(struct salvage *s, struct rch_error *err)
{
    const struct rch_file_counts *c = &s->r->counts;
    struct rch_section *edges = section_of(s, RCH_SECTION_EDGES);
    struct rch_section *starts = section_of(s, RCH_SECTION_EDGE_START);
    bool is_fine = starts->state == RCH_SECTION_WHOLE && edges->state == RCH_SECTION_WHOLE;
    if (is_fine)
        return RCH_OK;
    if (edges->num > c->num_edges)
        edges->num = c->num_edges;
    uint32_t num_kept = count_kept(s);
    bool is_all = num_kept == c->num_nodes && starts->num == (uint64_t)c->num_nodes + 1 &&
                  ((const uint32_t *)starts->payload)[num_kept] == c->num_edges;
    if (is_all)
        starts->state = RCH_SECTION_WHOLE;
    else
        RCH_TRY(cut_edge_start(s, num_kept, err));
    return repair_edges(s, err);
}

// --- telling ---

// The string table with the notes at its end, and warnings that name them.
static enum rch_status append_notes(struct salvage *s, struct rch_error *err)
{
    struct rch_section starts = *section_of(s, RCH_SECTION_STR_START);
    struct rch_section bytes = *section_of(s, RCH_SECTION_STR_BYTES);
    struct rch_section warnings = *section_of(s, RCH_SECTION_WARNINGS);
    uint64_t all_bytes = bytes.num + s->notes.num;
    if (all_bytes > UINT32_MAX || starts.num + s->num_notes > UINT32_MAX || starts.num < 2)
        return rch_fail(err, RCH_ECORRUPT, "string table cannot be");
    uint32_t *new_starts = stand_in(s, RCH_SECTION_STR_START, starts.num + s->num_notes, err);
    char *new_bytes = stand_in(s, RCH_SECTION_STR_BYTES, all_bytes, err);
    rch_str *new_warnings = stand_in(s, RCH_SECTION_WARNINGS, warnings.num + s->num_notes, err);
    if (!new_starts || !new_bytes || !new_warnings)
        return RCH_ENOMEM;
    memcpy(new_starts, starts.payload, starts.num * sizeof(*new_starts));
    if (bytes.num)
        memcpy(new_bytes, bytes.payload, bytes.num);
    if (s->notes.num)
        memcpy(new_bytes + bytes.num, s->notes.mem, s->notes.num);
    if (warnings.num)
        memcpy(new_warnings, warnings.payload, warnings.num * sizeof(*new_warnings));
    uint64_t at = bytes.num;
    for (uint32_t i = 0; i < s->num_notes; i++) {
        at += strlen(new_bytes + at) + 1;
        new_starts[starts.num + i] = (uint32_t)at;
        new_warnings[warnings.num + i] = (rch_str)(starts.num - 1 + i);
    }
    return RCH_OK;
}

enum rch_status rch_file_salvage(struct rch_reader *r, struct rch_error *err)
{
    __attribute__((cleanup(salvage_drop))) struct salvage s = {.r = r};
    rch_vec_init(&s.notes, r->alloc, sizeof(char));
    enum rch_status st = rch_file_header_check(r, err);
    if (st == RCH_EUNSUPPORTED)
        return st;
    scan_sections(r);
    RCH_TRY(note(&s, err, "the snapshot is damaged; this is what could be saved of it"));
    RCH_TRY(find_counts(&s, err));
    RCH_TRY(check_essential(&s, err));
    RCH_TRY(drop_optional(&s, err));
    RCH_TRY(repair_addresses(&s, err));
    RCH_TRY(repair_sizes(&s, err));
    RCH_TRY(repair_references(&s, err));
    return append_notes(&s, err);
}
