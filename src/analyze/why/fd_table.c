// SPDX-License-Identifier: MIT
// analyze/why/fd_table.c -- join the system's list with what objects say they own, then sort the descriptors
// by what makes them alike. Strings are compared by their numbers: the graph has each of them once.
#define _GNU_SOURCE  // qsort_r
#include "analyze/why/fd_table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/bits.h"
#include "analyze/why/fd_holder.h"
#include "analyze/common/hops.h"
#include "analyze/common/select.h"

enum {
    NO_TYPE = UINT32_MAX,
    MANY_FILES = 4,  // of one directory: told as the directory
};

const char *rch_fd_kind_word(enum rch_fd_kind kind)
{
    static const char *const words[] = {
#define WORD(name, word) word,
        RCH_FD_KIND_LIST(WORD)
#undef WORD
    };
    return (unsigned)kind < RCH_NUM_FD_KINDS ? words[kind] : words[RCH_FD_OTHER];
}

// What makes descriptors alike. A place is a string, or the beginning of one: a directory.
struct key {
    uint32_t fd_kind, is_listed;
    rch_str protocol, state;
    rch_str owner_module, owner_name, holder_module, holder_name;
    enum rch_fd_place place_kind;
    rch_str place;
    uint32_t place_bytes;
};

struct draft {  // a row in the making
    struct rch_fd fd;
    bool is_listed;
    uint32_t first_owner, num_owners;  // in `claims`
    uint32_t owner_type, holder_type;
    uint32_t number;  // of the row
    uint32_t num_alike, num_alike_first;
    struct key key, first_key;
};

struct work {
    const struct rch_graph *g;
    const struct rch_reverse *rev;
    struct rch_fd_table *table;
    struct rch_vec claims;  // struct rch_fd_owner by descriptor, the main owner first
    struct rch_vec drafts;  // struct draft by descriptor
    struct draft **sorted;
    struct rch_block observers;
    uint32_t num_sqlite;  // connections alive
};
#define DRAFT(w, i) (&RCH_VEC_AT(&(w)->drafts, struct draft, i))

static enum rch_status no_memory(struct rch_error *err, const struct rch_graph *g)
{
    return rch_fail(err, RCH_ENOMEM, "a table of %" PRIu32 " descriptors", g->num_fds);
}

// ---- rows -----------------------------------------------------------------------------------------

enum { RANK_FIRST, RANK_CLASS, RANK_FILE };

/// Who is asked first: sockets and the like, then Python classes, then files, which may only borrow.
static int owner_rank(const struct rch_graph *g, rch_node owner)
{
    const struct rch_type *type = rch_type_of(g, owner);
    const char *module = rch_str_get(g, type->module);
    if (strcmp(module, "_io") == 0)
        return RANK_FILE;
    bool is_class = strncmp(module, "multiprocessing", strlen("multiprocessing")) == 0;
    return is_class ? RANK_CLASS : RANK_FIRST;
}

static int compare_claims(const void *a, const void *b, void *ctx)
{
    const struct rch_fd_owner *x = a, *y = b;
    if (x->fd != y->fd)
        return x->fd < y->fd ? -1 : 1;
    int order = owner_rank(ctx, x->node) - owner_rank(ctx, y->node);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

static enum rch_status sort_claims(struct work *w, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    RCH_TRY(rch_vec_append(&w->claims, g->fd_owners, g->num_fd_owners, err));
    if (w->claims.num)
        qsort_r(w->claims.mem, w->claims.num, sizeof(struct rch_fd_owner), compare_claims,
                (void *)(uintptr_t)g);
    return RCH_OK;
}

static enum rch_status join(struct work *w, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    const struct rch_fd_owner *claims = w->claims.mem;
    uint32_t at = 0, num = (uint32_t)w->claims.num;
    for (uint32_t i = 0; i < g->num_fds || at < num;) {
        struct draft draft = {.number = (uint32_t)w->drafts.num, .first_owner = at};
        draft.is_listed = i < g->num_fds && (at == num || g->fds[i].fd <= claims[at].fd);
        if (draft.is_listed)
            draft.fd = g->fds[i++];
        else
            draft.fd.fd = claims[at].fd;
        if (draft.fd.kind >= RCH_NUM_FD_KINDS)
            draft.fd.kind = RCH_FD_OTHER;
        while (at < num && claims[at].fd == draft.fd.fd)
            at++;
        draft.num_owners = at - draft.first_owner;
        RCH_TRY(rch_vec_append(&w->drafts, &draft, 1, err));
    }
    return RCH_OK;
}

static void find_types(struct work *w, struct draft *draft)
{
    const struct rch_graph *g = w->g;
    draft->owner_type = draft->holder_type = NO_TYPE;
    if (!draft->num_owners)
        return;
    rch_node owner = RCH_VEC_AT(&w->claims, struct rch_fd_owner, draft->first_owner).node;
    draft->owner_type = g->shapes[g->shape_of[owner]].type;
    // Standard streams are everybody's: each logger and each thread has them.
    bool is_standard = draft->fd.fd <= 2 && owner_rank(g, owner) == RANK_FILE;
    draft->holder_type = rch_fd_holder_type(g, w->rev, w->observers.mem, owner, is_standard);
}

// ---- what is alike --------------------------------------------------------------------------------

static void take_type(const struct rch_graph *g, uint32_t type, rch_str *module, rch_str *name)
{
    *module = type == NO_TYPE ? RCH_NO_STR : g->types[type].module;
    *name = type == NO_TYPE ? RCH_NO_STR : g->types[type].name;
}

static void begin_key(const struct rch_graph *g, struct draft *draft)
{
    struct key *key = &draft->key;
    *key = (struct key){.fd_kind = draft->fd.kind,
                        .is_listed = draft->is_listed,
                        .protocol = draft->fd.protocol,
                        .state = draft->fd.state};
    take_type(g, draft->owner_type, &key->owner_module, &key->owner_name);
    take_type(g, draft->holder_type, &key->holder_module, &key->holder_name);
}

static void put_place(const struct rch_graph *g, struct key *key, enum rch_fd_place kind,
                      rch_str place)
{
    key->place_kind = place == RCH_NO_STR ? RCH_FD_NO_PLACE : kind;
    key->place = place;
    key->place_bytes = rch_str_bytes(g, place);
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_places(const struct rch_graph *g, const struct key *a, const struct key *b)
{
    if (a->place_kind != b->place_kind)
        return a->place_kind < b->place_kind ? -1 : 1;
    if (a->place_bytes != b->place_bytes)
        return a->place_bytes < b->place_bytes ? -1 : 1;
    return memcmp(rch_str_get(g, a->place), rch_str_get(g, b->place), a->place_bytes);
}

static int compare_keys(const struct rch_graph *g, const struct key *a, const struct key *b)
{
    const uint32_t x[] = {a->fd_kind,      a->is_listed,  a->protocol,      a->state,
                          a->owner_module, a->owner_name, a->holder_module, a->holder_name};
    const uint32_t y[] = {b->fd_kind,      b->is_listed,  b->protocol,      b->state,
                          b->owner_module, b->owner_name, b->holder_module, b->holder_name};
    for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
        if (x[i] != y[i])
            return compare_u32(x[i], y[i]);
    return compare_places(g, a, b);
}

static int compare_drafts(const void *a, const void *b, void *ctx)
{
    const struct draft *x = *(struct draft *const *)a, *y = *(struct draft *const *)b;
    int order = compare_keys(ctx, &x->key, &y->key);
    return order ? order : compare_u32(x->number, y->number);
}

static void sort_drafts(struct work *w)
{
    if (w->drafts.num)
        qsort_r(w->sorted, w->drafts.num, sizeof(*w->sorted), compare_drafts,
                (void *)(uintptr_t)w->g);
}

/// How many rows from number `from` on, in sorted order, have the same key.
static uint32_t run_from(const struct work *w, uint32_t from)
{
    uint32_t end = from + 1;
    while (end < w->drafts.num &&
           compare_keys(w->g, &w->sorted[from]->key, &w->sorted[end]->key) == 0)
        end++;
    return end - from;
}

static void count_alike(struct work *w)
{
    sort_drafts(w);
    for (uint32_t i = 0, num; i < w->drafts.num; i += num) {
        num = run_from(w, i);
        for (uint32_t k = i; k < i + num; k++)
            w->sorted[k]->num_alike = num;
    }
}

/// Other ends that are descriptors ("fd 8", "pid 812 fd 4") say who, not where.
static bool is_address(const struct rch_graph *g, rch_str peer)
{
    const char *text = rch_str_get(g, peer);
    return *text && strncmp(text, "fd ", 3) != 0 && strncmp(text, "pid ", 4) != 0;
}

/// Length of the directory part of a path, without the slash; 0: none.
static uint32_t directory_bytes(const struct rch_graph *g, rch_str path)
{
    const char *text = rch_str_get(g, path), *slash = strrchr(text, '/');
    return slash ? (uint32_t)(slash - text) + (slash == text) : 0;
}

static void put_first_place(const struct rch_graph *g, struct draft *draft)
{
    struct key *key = &draft->key;
    bool is_socket = draft->fd.kind == RCH_FD_SOCKET;
    bool has_path = draft->fd.kind == RCH_FD_FILE || draft->fd.kind == RCH_FD_DIRECTORY ||
                    draft->fd.kind == RCH_FD_DEVICE || draft->fd.kind == RCH_FD_FIFO ||
                    draft->fd.kind == RCH_FD_OTHER;
    begin_key(g, draft);
    if (is_socket && is_address(g, draft->fd.peer))
        put_place(g, key, RCH_FD_TO_PEER, draft->fd.peer);
    else if (is_socket)
        put_place(g, key, RCH_FD_AT_LOCAL, draft->fd.local);
    else if (has_path)
        put_place(g, key, RCH_FD_AT_PATH, draft->fd.local);
}

/// The place by which a row may be like more others: for a server's connections its own address, for
/// different files their directory.
static void put_second_place(const struct rch_graph *g, struct draft *draft)
{
    struct key *key = &draft->key;
    uint32_t num_bytes = directory_bytes(g, draft->fd.local);
    if (key->place_kind == RCH_FD_TO_PEER && draft->fd.local != RCH_NO_STR) {
        put_place(g, key, RCH_FD_AT_LOCAL, draft->fd.local);
    } else if (draft->fd.kind == RCH_FD_FILE && num_bytes) {
        key->place_kind = RCH_FD_IN_DIRECTORY;
        key->place_bytes = num_bytes;
    }
}

// Each row goes with the more numerous of the two kinds of place that it could be told by.
static void choose_places(struct work *w)
{
    for (size_t i = 0; i < w->drafts.num; i++)
        put_first_place(w->g, DRAFT(w, i));
    count_alike(w);
    for (size_t i = 0; i < w->drafts.num; i++) {
        struct draft *draft = DRAFT(w, i);
        draft->first_key = draft->key;
        draft->num_alike_first = draft->num_alike;
        put_second_place(w->g, draft);
    }
    count_alike(w);
    for (size_t i = 0; i < w->drafts.num; i++) {
        struct draft *draft = DRAFT(w, i);
        bool is_file = draft->key.place_kind == RCH_FD_IN_DIRECTORY;
        bool is_second = is_file ? draft->num_alike_first == 1 && draft->num_alike >= MANY_FILES
                                 : draft->num_alike > draft->num_alike_first;
        if (!is_second)
            draft->key = draft->first_key;
    }
}

// ---- groups ---------------------------------------------------------------------------------------

static int compare_nodes(const void *a, const void *b)
{
    return compare_u32(*(const rch_node *)a, *(const rch_node *)b);
}

static bool has_suffix(const char *text, const char *suffix)
{
    size_t num = strlen(text), num_suffix = strlen(suffix);
    return num >= num_suffix && strcmp(text + num - num_suffix, suffix) == 0;
}

static bool is_sqlite_path(const char *path)
{
    static const char *const suffixes[] = {"-wal",    "-shm",     "-journal", ".db",
                                           ".sqlite", ".sqlite3", ".db3"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (has_suffix(path, suffixes[i]))
            return true;
    return false;
}

static enum rch_status count_sqlite(struct work *w, const struct rch_alloc *alloc,
                                    struct rch_error *err)
{
    RCH_VEC(types, alloc, uint32_t);
    RCH_VEC(nodes, alloc, rch_node);
    RCH_TRY(rch_select_types(w->g, "sqlite3.Connection", &types, err));
    RCH_TRY(rch_select_instances(w->g, types.mem, (uint32_t)types.num, &nodes, err));
    w->num_sqlite = (uint32_t)nodes.num;
    return RCH_OK;
}

// The library keeps its descriptors to itself: nothing in memory that Python knows of leads to them.
static enum rch_status put_note(struct work *w, struct rch_fd_group *group, uint32_t first,
                                struct rch_error *err)
{
    bool is_sqlite = false;
    for (uint32_t i = 0; !group->owner && group->kind == RCH_FD_FILE && i < group->num_rows; i++)
        is_sqlite |= is_sqlite_path(rch_str_get(w->g, w->sorted[first + i]->fd.local));
    if (!is_sqlite || !w->num_sqlite)
        return RCH_OK;
    group->note = rch_arena_printf(
        &w->table->arena, "SQLite's C code may own %s: %" PRIu32 " sqlite3.Connection %s alive",
        group->num_rows == 1 ? "it" : "some of them", w->num_sqlite,
        w->num_sqlite == 1 ? "is" : "are");
    return group->note ? RCH_OK : no_memory(err, w->g);
}

static enum rch_status put_type(struct work *w, uint32_t type, const char **out,
                                struct rch_error *err)
{
    if (type == NO_TYPE)
        return RCH_OK;
    *out = rch_type_text(w->g, type, &w->table->arena);
    return *out ? RCH_OK : no_memory(err, w->g);
}

/// The main owners of the rows, each once.
static enum rch_status put_members(struct work *w, struct rch_fd_group *group, uint32_t first,
                                   struct rch_error *err)
{
    uint32_t *rows = rch_arena_take(&w->table->arena, group->num_rows, sizeof(*rows));
    rch_node *owners = rch_arena_take(&w->table->arena, group->num_rows, sizeof(*owners));
    if (!rows || !owners)
        return no_memory(err, w->g);
    uint32_t num = 0;
    for (uint32_t i = 0; i < group->num_rows; i++) {
        const struct draft *draft = w->sorted[first + i];
        rows[i] = draft->number;
        if (draft->num_owners)
            owners[num++] = RCH_VEC_AT(&w->claims, struct rch_fd_owner, draft->first_owner).node;
    }
    qsort(owners, num, sizeof(*owners), compare_nodes);
    for (uint32_t i = 0; i < num; i++)
        if (group->num_owners == 0 || owners[group->num_owners - 1] != owners[i])
            owners[group->num_owners++] = owners[i];
    group->rows = rows;
    group->owners = owners;
    return RCH_OK;
}

static enum rch_status make_group(struct work *w, struct rch_fd_group *group, uint32_t first,
                                  uint32_t num, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    const struct draft *draft = w->sorted[first];
    const struct key *key = &draft->key;
    bool is_gone = !key->is_listed && w->table->has_list;
    *group = (struct rch_fd_group){.kind = (enum rch_fd_kind)key->fd_kind,
                                   .is_listed = key->is_listed,
                                   .protocol = rch_str_get(g, key->protocol),
                                   .state = is_gone ? "not open" : rch_str_get(g, key->state),
                                   .place_kind = key->place_kind,
                                   .num_rows = num};
    group->place = rch_arena_copy(&w->table->arena, rch_str_get(g, key->place), key->place_bytes);
    if (!group->place)
        return no_memory(err, g);
    RCH_TRY(put_type(w, draft->owner_type, &group->owner, err));
    RCH_TRY(put_type(w, draft->holder_type, &group->holder, err));
    RCH_TRY(put_members(w, group, first, err));
    return put_note(w, group, first, err);
}

static int compare_groups(const void *a, const void *b)
{
    const struct rch_fd_group *x = a, *y = b;
    if (x->num_rows != y->num_rows)
        return x->num_rows > y->num_rows ? -1 : 1;
    return compare_u32(x->rows[0], y->rows[0]);
}

static enum rch_status make_groups(struct work *w, struct rch_error *err)
{
    struct rch_fd_table *table = w->table;
    sort_drafts(w);
    for (uint32_t i = 0; i < w->drafts.num; i += run_from(w, i))
        table->num_groups++;
    table->groups = rch_arena_take(&table->arena, table->num_groups, sizeof(*table->groups));
    if (!table->groups)
        return no_memory(err, w->g);
    uint32_t at = 0;
    for (uint32_t i = 0, num; i < w->drafts.num; i += num) {
        num = run_from(w, i);
        RCH_TRY(make_group(w, &table->groups[at++], i, num, err));
    }
    if (table->num_groups)
        qsort(table->groups, table->num_groups, sizeof(*table->groups), compare_groups);
    return RCH_OK;
}

// ---- the table ------------------------------------------------------------------------------------

static enum rch_status make_rows(struct work *w, struct rch_error *err)
{
    const struct rch_graph *g = w->g;
    struct rch_fd_table *table = w->table;
    table->num_rows = (uint32_t)w->drafts.num;
    table->rows = rch_arena_take(&table->arena, table->num_rows, sizeof(*table->rows));
    rch_node *owners = rch_arena_take(&table->arena, w->claims.num, sizeof(*owners));
    if (!table->rows || !owners)
        return no_memory(err, g);
    for (size_t i = 0; i < w->claims.num; i++)
        owners[i] = RCH_VEC_AT(&w->claims, struct rch_fd_owner, i).node;
    for (uint32_t i = 0; i < table->num_rows; i++) {
        const struct draft *draft = DRAFT(w, i);
        bool is_gone = !draft->is_listed && table->has_list;
        table->rows[i] =
            (struct rch_fd_row){.fd = draft->fd.fd,
                                .is_listed = draft->is_listed,
                                .kind = (enum rch_fd_kind)draft->fd.kind,
                                .protocol = rch_str_get(g, draft->fd.protocol),
                                .state = is_gone ? "not open" : rch_str_get(g, draft->fd.state),
                                .local = rch_str_get(g, draft->fd.local),
                                .peer = rch_str_get(g, draft->fd.peer),
                                .owners = owners + draft->first_owner,
                                .num_owners = draft->num_owners};
        table->num_unowned += draft->num_owners == 0;
    }
    for (uint32_t i = 0; i < table->num_groups; i++)
        for (uint32_t k = 0; k < table->groups[i].num_rows; k++)
            table->rows[table->groups[i].rows[k]].group = i;
    return RCH_OK;
}

static enum rch_status mark_observers(struct work *w, struct rch_error *err)
{
    if (!w->observers.mem)
        return no_memory(err, w->g);
    for (uint32_t i = 0; i < w->g->num_observers; i++)
        rch_bit_set(w->observers.mem, w->g->observers[i].node);
    return RCH_OK;
}

static enum rch_status fill(struct work *w, const struct rch_alloc *alloc, struct rch_error *err)
{
    RCH_TRY(mark_observers(w, err));
    RCH_TRY(sort_claims(w, err));
    RCH_TRY(join(w, err));
    RCH_TRY(count_sqlite(w, alloc, err));
    RCH_BLOCK(sorted, alloc, w->drafts.num, sizeof(struct draft *));
    w->sorted = sorted.mem;
    if (!w->sorted)
        return no_memory(err, w->g);
    for (size_t i = 0; i < w->drafts.num; i++) {
        w->sorted[i] = DRAFT(w, i);
        find_types(w, DRAFT(w, i));
    }
    choose_places(w);
    RCH_TRY(make_groups(w, err));
    return make_rows(w, err);
}

static enum rch_status make_table(const struct rch_graph *g, const struct rch_reverse *rev,
                                  const struct rch_alloc *alloc, struct rch_fd_table *table,
                                  struct rch_error *err)
{
    struct work w = {.g = g,
                     .rev = rev,
                     .table = table,
                     .observers = rch_block_make(alloc, rch_bits_words(g->num_nodes), 8)};
    rch_vec_init(&w.claims, alloc, sizeof(struct rch_fd_owner));
    rch_vec_init(&w.drafts, alloc, sizeof(struct draft));
    enum rch_status st = fill(&w, alloc, err);
    rch_vec_deinit(&w.claims);
    rch_vec_deinit(&w.drafts);
    rch_block_drop(&w.observers);
    return st;
}

enum rch_status rch_fd_table(const struct rch_graph *g, const struct rch_reverse *rev,
                             const struct rch_alloc *alloc, struct rch_fd_table **table_out,
                             struct rch_error *err)
{
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse own = {.alloc = alloc};
    if (!rev)
        RCH_TRY(rch_reverse_init(&own, g, alloc, err));
    struct rch_fd_table *table = rch_calloc(alloc, 1, sizeof(*table));
    if (!table)
        return no_memory(err, g);
    rch_arena_init(&table->arena, alloc);
    table->has_list = g->num_fds != 0;
    enum rch_status st = make_table(g, rev ? rev : &own, alloc, table, err);
    if (st == RCH_OK)
        *table_out = table;
    else
        rch_fd_table_free(table);
    return st;
}

void rch_fd_table_free(struct rch_fd_table *table)
{
    if (!table)
        return;
    const struct rch_alloc *alloc = table->arena.alloc;
    for (uint32_t i = 0; table->groups && i < table->num_groups; i++)
        rch_answer_free(table->groups[i].answer);
    rch_arena_deinit(&table->arena);
    rch_free(alloc, table, 1, sizeof(*table));
}

enum rch_status rch_fd_table_why(struct rch_fd_table *table, const struct rch_graph *g,
                                 const struct rch_reverse *rev, uint32_t num_groups,
                                 const struct rch_why_options *options, struct rch_error *err)
{
    for (uint32_t i = 0; i < table->num_groups && num_groups; i++) {
        struct rch_fd_group *group = &table->groups[i];
        if (!group->num_owners || group->answer)
            continue;
        struct rch_question question = {group->owner, group->owners, group->num_owners};
        RCH_TRY(rch_why(g, rev, &question, options, table->arena.alloc, &group->answer, err));
        num_groups--;
    }
    return RCH_OK;
}
