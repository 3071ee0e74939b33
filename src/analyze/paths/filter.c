// SPDX-License-Identifier: MIT
// analyze/paths/filter.c -- a pattern becomes rules. Which labels a rule may match is found once, so that
// the pass over the graph looks at few references: those, and entries whose key has such a text.
#include "analyze/paths/filter.h"

#include <stdlib.h>
#include <string.h>

#include "analyze/common/select.h"

enum rule_kind {
    RULE_NAME,
    RULE_EDGE_KIND,
    RULE_WEAK_OBJECT,
    RULE_GUESSED,
    RULE_OBSERVER,
    RULE_ROOT
};
enum { NAME_BYTES = 256, NO_KIND = UINT8_MAX };

struct rule {
    enum rule_kind kind;
    uint8_t edge_kind;        // EDGE_KIND
    uint8_t root_kind;        // ROOT: NO_KIND, the name decides
    uint32_t row;             // whose rule it is
    char owner[NAME_BYTES];   // NAME: "" of all
    char name[NAME_BYTES];    // NAME, ROOT
    struct rch_block owners;  // bits: types that `owner` names
};

#define RULE(f, i) (&RCH_VEC_AT(&(f)->rules, struct rule, i))

// Tables that hold nearly everything of their kind, so that being in one explains nothing.
static const struct {
    const char *owner, *name;
} registries[] = {
    {"sys", "modules"},
    {"", "sys.modules"},  // the attribute, the interpreter's own
    {"", "modules by index"},
    {"", "interned strings"},
    {"", "__subclasses__"},
    {"_abc._abc_data", "registry"},
    {"_abc._abc_data", "cache"},
    {"_abc._abc_data", "negative_cache"},
    {"weakref.finalize", "_registry"},
    {"copyreg", "dispatch_table"},
};

static const struct rch_label *label_of(const struct rch_graph *g, rch_node v, uint32_t e)
{
    return rch_label_of(g, v, e - g->edge_start[v]);
}

// --- understanding a pattern ---

static uint8_t edge_kind_of(const char *word)
{
    for (uint8_t kind = 0; kind < RCH_NUM_EDGE_KINDS; kind++) {
        if (strcmp(rch_edge_kind_word((enum rch_edge_kind)kind), word) == 0)
            return kind;
    }
    return NO_KIND;
}

static uint8_t root_kind_of(const char *word)
{
    for (uint8_t kind = 0; kind < RCH_NUM_ROOT_KINDS; kind++) {
        if (strcmp(rch_root_kind_word((enum rch_root_kind)kind), word) == 0)
            return kind;
    }
    return NO_KIND;
}

static enum rch_status add_rule(struct rch_filter *f, uint32_t row, enum rule_kind kind,
                                uint8_t number, struct rch_error *err)
{
    struct rule rule = {.kind = kind, .edge_kind = number, .root_kind = number, .row = row};
    return rch_vec_append(&f->rules, &rule, 1, err);
}

static bool copy_part(char out[NAME_BYTES], const char *text, size_t bytes)
{
    if (bytes >= NAME_BYTES)
        return false;
    memcpy(out, text, bytes);
    out[bytes] = '\0';
    return true;
}

static enum rch_status find_owners(struct rch_filter *f, struct rule *rule, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    RCH_VEC(types, f->view->alloc, uint32_t);
    RCH_TRY(rch_select_types(g, rule->owner, &types, err));
    rule->owners = rch_block_make(f->view->alloc, rch_bits_words(g->num_types), sizeof(uint64_t));
    if (!rule->owners.mem)
        return rch_fail(err, RCH_ENOMEM, "types that '%s' names", rule->owner);
    for (size_t i = 0; i < types.num; i++)
        rch_bit_set(rule->owners.mem, RCH_VEC_AT(&types, uint32_t, i));
    return RCH_OK;
}

static enum rch_status add_named(struct rch_filter *f, uint32_t row, const char *owner,
                                 size_t owner_bytes, const char *name, struct rch_error *err)
{
    struct rule rule = {.kind = RULE_NAME, .row = row};
    if (!*name || !copy_part(rule.owner, owner, owner_bytes) ||
        !copy_part(rule.name, name, strlen(name)))
        return rch_fail(err, RCH_EINVAL, "'%.80s' is no pattern of references", owner);
    RCH_TRY(rch_vec_append(&f->rules, &rule, 1, err));
    if (!*rule.owner || strcmp(rule.owner, "*") == 0) {
        *RULE(f, f->rules.num - 1)->owner = '\0';
        return RCH_OK;
    }
    return find_owners(f, RULE(f, f->rules.num - 1), err);
}

static enum rch_status add_registries(struct rch_filter *f, uint32_t row, struct rch_error *err)
{
    for (size_t i = 0; i < sizeof(registries) / sizeof(registries[0]); i++)
        RCH_TRY(add_named(f, row, registries[i].owner, strlen(registries[i].owner),
                          registries[i].name, err));
    return RCH_OK;
}

static enum rch_status add_edges(struct rch_filter *f, uint32_t row, const char *pattern,
                                 struct rch_error *err)
{
    uint8_t edge = edge_kind_of(pattern), root = root_kind_of(pattern);
    if (strcmp(pattern, "weak") == 0)
        return add_rule(f, row, RULE_WEAK_OBJECT, 0, err);
    if (strcmp(pattern, "guessed") == 0)
        return add_rule(f, row, RULE_GUESSED, 0, err);
    if (strcmp(pattern, "observer") == 0)
        return add_rule(f, row, RULE_OBSERVER, 0, err);
    if (strcmp(pattern, "registry") == 0)
        return add_registries(f, row, err);
    if (root == RCH_ROOT_FRAME)
        RCH_TRY(add_named(f, row, "frame", strlen("frame"), "*", err));
    if (root != NO_KIND)
        return add_rule(f, row, RULE_ROOT, root, err);
    if (edge != NO_KIND)
        return add_rule(f, row, RULE_EDGE_KIND, edge, err);
    const char *dot = strrchr(pattern, '.');
    return dot && dot[1] ? add_named(f, row, pattern, (size_t)(dot - pattern), dot + 1, err)
                         : add_named(f, row, "", 0, pattern, err);
}

static enum rch_status add_roots(struct rch_filter *f, uint32_t row, const char *pattern,
                                 struct rch_error *err)
{
    uint8_t kind = root_kind_of(pattern);
    RCH_TRY(add_rule(f, row, RULE_ROOT, kind, err));
    if (kind == NO_KIND && !copy_part(RULE(f, f->rules.num - 1)->name, pattern, strlen(pattern)))
        return rch_fail(err, RCH_EINVAL, "'%.80s' is no pattern of roots", pattern);
    return RCH_OK;
}

// --- what may match ---

// A label that a name rule may match: it has the name, or its references have a key each.
static bool may_match(const struct rch_graph *g, const struct rule *rule,
                      const struct rch_label *label)
{
    switch (rule->kind) {
    case RULE_NAME:
        return label->kind == RCH_EDGE_VALUE ||
               (label->name != RCH_NO_STR &&
                rch_match_glob(rule->name, rch_str_get(g, label->name)));
    case RULE_EDGE_KIND:
        return label->kind == rule->edge_kind ||
               (label->kind == RCH_EDGE_VALUE && rule->edge_kind == RCH_EDGE_ATTRIBUTE);
    case RULE_GUESSED: return label->cls == RCH_CLASS_GUESSED;
    case RULE_WEAK_OBJECT:
    case RULE_OBSERVER: return true;
    case RULE_ROOT: return false;
    }
    return false;
}

// Strings that may be the key of an entry of this name.
static enum rch_status find_keys(struct rch_filter *f, const char *name, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    bool is_glob = strpbrk(name, "*?[") != NULL;
    for (uint32_t i = 0; i < g->num_texts; i++) {
        const char *text = rch_str_get(g, g->texts[i].str);
        if ((is_glob ? rch_match_glob(name, text) : strcmp(name, text) == 0) &&
            rch_bit_add(f->keys.mem, g->texts[i].node))
            RCH_TRY(rch_vec_append(&f->key_nodes, &g->texts[i].node, 1, err));
    }
    return RCH_OK;
}

static enum rch_status prepare(struct rch_filter *f, struct rch_error *err)
{
    const struct rch_graph *g = f->view->g;
    f->label_mask = rch_block_make(f->view->alloc, g->num_labels, sizeof(uint32_t));
    f->keys = rch_block_make(f->view->alloc, rch_bits_words(g->num_nodes), sizeof(uint64_t));
    if (!f->label_mask.mem || !f->keys.mem)
        return rch_fail(err, RCH_ENOMEM, "patterns of references");
    uint32_t *masks = f->label_mask.mem;
    for (size_t r = 0; r < f->rules.num; r++) {
        const struct rule *rule = RULE(f, r);
        for (uint32_t i = 0; i < g->num_labels; i++)
            masks[i] |= (uint32_t)may_match(g, rule, &g->labels[i]) << rule->row;
        if (rule->kind == RULE_NAME)
            RCH_TRY(find_keys(f, rule->name, err));
    }
    return RCH_OK;
}

enum rch_status rch_filter_init(struct rch_filter *filter, struct rch_view *view,
                                const struct rch_exclude *rows, uint32_t num_rows,
                                struct rch_error *err)
{
    *filter = (struct rch_filter){.view = view};
    rch_vec_init(&filter->rules, view->alloc, sizeof(struct rule));
    rch_vec_init(&filter->key_nodes, view->alloc, sizeof(rch_node));
    enum rch_status st = RCH_OK;
    if (num_rows > RCH_MAX_EXCLUDES)
        st = rch_fail(err, RCH_EINVAL, "at most %d patterns can be excluded", RCH_MAX_EXCLUDES);
    for (uint32_t i = 0; st == RCH_OK && i < num_rows; i++)
        st = (rows[i].is_root ? add_roots : add_edges)(filter, i, rows[i].pattern, err);
    if (st == RCH_OK)
        st = prepare(filter, err);
    if (st != RCH_OK)
        rch_filter_deinit(filter);
    return st;
}

void rch_filter_deinit(struct rch_filter *filter)
{
    for (size_t i = 0; i < filter->rules.num; i++)
        rch_block_drop(&RULE(filter, i)->owners);
    rch_vec_deinit(&filter->rules);
    rch_vec_deinit(&filter->key_nodes);
    rch_block_drop(&filter->label_mask);
    rch_block_drop(&filter->keys);
}

// --- matching ---

// A module is known by its name, other objects by their type, a class also by its own name.
static bool is_owner(const struct rch_filter *f, const struct rule *rule, rch_node v)
{
    const struct rch_graph *g = f->view->g;
    if (rch_is_root(g, v))
        return rch_match_glob(rule->owner, rch_str_get(g, g->roots[v - g->num_objects].name));
    uint32_t own =
        rch_type_of(g, v)->flags & RCH_TYPE_IS_TYPE ? rch_type_at(f->view, v) : UINT32_MAX;
    return rch_bit(rule->owners.mem, g->shapes[g->shape_of[v]].type) ||
           (own != UINT32_MAX && rch_bit(rule->owners.mem, own));
}

static bool is_owned(const struct rch_filter *f, const struct rule *rule, rch_node v)
{
    struct rch_view *view = f->view;
    const struct rch_graph *g = view->g;
    if (!*rule->owner || is_owner(f, rule, v))
        return true;
    const struct rch_root *module = rch_module_of_dict(view, v);
    if (module && rch_match_glob(rule->owner, rch_str_get(g, module->name)))
        return true;
    if (!rch_is_namespace(view, v))
        return false;
    for (uint32_t i = view->rev->start[v]; i < view->rev->start[v + 1]; i++) {
        rch_node owner = view->rev->source[i];
        if (label_of(g, owner, view->rev->edge[i])->kind == RCH_EDGE_DICT &&
            is_owner(f, rule, owner))
            return true;
    }
    return false;
}

static bool matches_name(const struct rch_filter *f, const struct rule *rule, rch_node v,
                         uint32_t e)
{
    const struct rch_graph *g = f->view->g;
    const struct rch_label *label = label_of(g, v, e);
    rch_str name = label->name;
    if (label->kind == RCH_EDGE_VALUE) {
        rch_node key = rch_key_of_value(g, v, e - g->edge_start[v]);
        if (key == RCH_NO_NODE || !rch_bit(f->keys.mem, key))
            return false;
        name = rch_view_text(f->view, key);
    }
    return name != RCH_NO_STR && rch_match_glob(rule->name, rch_str_get(g, name)) &&
           is_owned(f, rule, v);
}

static bool matches(const struct rch_filter *f, const struct rule *rule, rch_node v, uint32_t e)
{
    struct rch_view *view = f->view;
    const uint8_t *traits = view->traits.mem;
    switch (rule->kind) {
    case RULE_NAME: return matches_name(f, rule, v, e);
    case RULE_EDGE_KIND: return rch_shown_of(view, v, e).kind == rule->edge_kind;
    case RULE_WEAK_OBJECT: return traits[view->g->shape_of[v]] & RCH_SHAPE_WEAK;
    case RULE_GUESSED: return label_of(view->g, v, e)->cls == RCH_CLASS_GUESSED;
    case RULE_OBSERVER: return rch_bit(view->direct.mem, v);
    case RULE_ROOT: return false;
    }
    return false;
}

uint32_t rch_filter_edge(const struct rch_filter *filter, rch_node v, uint32_t e)
{
    const struct rch_graph *g = filter->view->g;
    const uint32_t *masks = filter->label_mask.mem;
    uint32_t found = 0, may = masks[label_of(g, v, e) - g->labels];
    for (size_t i = 0; may & ~found && i < filter->rules.num; i++) {
        const struct rule *rule = RULE(filter, i);
        uint32_t bit = UINT32_C(1) << rule->row;
        if ((may & bit) && !(found & bit) && matches(filter, rule, v, e))
            found |= bit;
    }
    return found;
}

uint32_t rch_filter_root(const struct rch_filter *filter, rch_node root)
{
    const struct rch_graph *g = filter->view->g;
    const struct rch_root *r = &g->roots[root - g->num_objects];
    uint32_t found = 0;
    for (size_t i = 0; i < filter->rules.num; i++) {
        const struct rule *rule = RULE(filter, i);
        if (rule->kind == RULE_ROOT &&
            (rule->root_kind != NO_KIND ? rule->root_kind == r->kind
                                        : rch_match_glob(rule->name, rch_str_get(g, r->name))))
            found |= UINT32_C(1) << rule->row;
    }
    return found;
}

// --- changing the view ---

// Rows that only a look at each reference of this label can tell. Entries of a mapping that match by
// their key are found by their key.
static uint32_t rows_to_scan(const struct rch_filter *f, uint32_t label)
{
    uint32_t rows = ((const uint32_t *)f->label_mask.mem)[label];
    if (f->view->g->labels[label].kind != RCH_EDGE_VALUE)
        return rows;
    uint32_t others = 0;
    for (size_t i = 0; i < f->rules.num; i++)
        others |= (uint32_t)(RULE(f, i)->kind != RULE_NAME) << RULE(f, i)->row;
    return rows & others;
}

static bool shape_may(const struct rch_filter *f, const struct rch_shape *shape)
{
    for (uint32_t i = 0; i < shape->num_labels + shape->num_tail; i++) {
        if (rows_to_scan(f, shape->first_label + i))
            return true;
    }
    return false;
}

static void count_rows(uint32_t rows, uint64_t *counts)
{
    for (; rows; rows &= rows - 1)
        counts[__builtin_ctz(rows)]++;
}

typedef enum rch_status (*each_match)(struct rch_filter *f, rch_node v, uint32_t e, uint32_t rows,
                                      void *ctx, struct rch_error *err);

struct matches {
    struct rch_filter *f;
    each_match each;
    void *ctx;
};

static enum rch_status try_edge(const struct matches *m, rch_node v, uint32_t e,
                                struct rch_error *err)
{
    const struct rch_graph *g = m->f->view->g;
    uint32_t rows = g->edges[e] == RCH_NO_NODE ? 0 : rch_filter_edge(m->f, v, e);
    return rows && rch_edge_holds(m->f->view, v, e) ? m->each(m->f, v, e, rows, m->ctx, err)
                                                    : RCH_OK;
}

static enum rch_status scan_nodes(const struct matches *m, struct rch_error *err)
{
    const struct rch_graph *g = m->f->view->g;
    RCH_BITS(may, m->f->view->alloc, g->num_shapes);
    if (!may.mem)
        return rch_fail(err, RCH_ENOMEM, "%" PRIu32 " shapes", g->num_shapes);
    for (uint32_t s = 0; s < g->num_shapes; s++) {
        if (shape_may(m->f, &g->shapes[s]))
            rch_bit_set(may.mem, s);
    }
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (!rch_goes_on(m->f->view->asking, 1))
            return rch_view_check(m->f->view, err);
        if (!rch_bit(may.mem, g->shape_of[v]))
            continue;
        if (!rch_goes_on(m->f->view->asking, 2 * rch_num_refs(g, v)))
            return rch_view_check(m->f->view, err);
        for (uint32_t e = g->edge_start[v]; e < g->edge_start[v + 1]; e++) {
            if (rows_to_scan(m->f, (uint32_t)(label_of(g, v, e) - g->labels)))
                RCH_TRY(try_edge(m, v, e, err));
        }
    }
    return RCH_OK;
}

// The values that a key names: in an entry the value follows its key.
static enum rch_status scan_keys(const struct matches *m, struct rch_error *err)
{
    const struct rch_graph *g = m->f->view->g;
    const struct rch_reverse *rev = m->f->view->rev;
    for (size_t k = 0; k < m->f->key_nodes.num; k++) {
        rch_node key = RCH_VEC_AT(&m->f->key_nodes, rch_node, k);
        for (uint32_t i = rev->start[key]; i < rev->start[key + 1]; i++) {
            rch_node v = rev->source[i];
            uint32_t value = rev->edge[i] + 1;
            if (!rch_goes_on(m->f->view->asking, 2))
                return rch_view_check(m->f->view, err);
            if (value == g->edge_start[v + 1] || label_of(g, v, value)->kind != RCH_EDGE_VALUE ||
                rch_key_of_value(g, v, value - g->edge_start[v]) != key ||
                rows_to_scan(m->f, (uint32_t)(label_of(g, v, value) - g->labels)))
                continue;
            RCH_TRY(try_edge(m, v, value, err));
        }
    }
    return RCH_OK;
}

// Call `each` for every reference that matches and holds, once, in no particular order.
static enum rch_status for_matches(struct rch_filter *f, each_match each, void *ctx,
                                   struct rch_error *err)
{
    const struct matches m = {f, each, ctx};
    RCH_TRY(scan_nodes(&m, err));
    return scan_keys(&m, err);
}

struct found {
    struct rch_vec edges;    // uint32_t
    struct rch_vec sources;  // rch_node
    uint64_t *counts;
};

static enum rch_status note_edge(struct rch_filter *f, rch_node v, uint32_t e, uint32_t rows,
                                 void *ctx, struct rch_error *err)
{
    struct found *found = ctx;
    (void)f;
    count_rows(rows, found->counts);
    RCH_TRY(rch_vec_append(&found->sources, &v, 1, err));
    return rch_vec_append(&found->edges, &e, 1, err);
}

static int compare_edges(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static enum rch_status ignore(struct rch_view *view, const struct found *found,
                              struct rch_error *err)
{
    RCH_TRY(rch_vec_append(&view->ignored, found->edges.mem, found->edges.num, err));
    if (view->ignored.num)
        qsort(view->ignored.mem, view->ignored.num, sizeof(uint32_t), compare_edges);
    for (size_t i = 0; i < found->sources.num; i++)
        rch_bit_set(view->odd.mem, RCH_VEC_AT(&found->sources, rch_node, i));
    return RCH_OK;
}

static void remove_node(struct rch_view *view, rch_node v)
{
    rch_bit_set(view->removed.mem, v);
    rch_bit_set(view->odd.mem, v);
}

// A root goes, and a module with it: else whoever imports it would be told instead.
static void remove_root(struct rch_view *view, rch_node root)
{
    const struct rch_graph *g = view->g;
    remove_node(view, root);
    for (size_t i = 0; i < view->modules.num; i++) {
        const struct rch_module_dict *row = &RCH_VEC_AT(&view->modules, struct rch_module_dict, i);
        if (g->num_objects + row->root != root)
            continue;
        remove_node(view, row->dict);
        remove_node(view, g->edges[g->edge_start[root]]);
    }
}

enum rch_status rch_filter_apply(struct rch_filter *filter, uint64_t *counts, struct rch_error *err)
{
    const struct rch_graph *g = filter->view->g;
    struct found found = {.counts = counts};
    rch_vec_init(&found.edges, filter->view->alloc, sizeof(uint32_t));
    rch_vec_init(&found.sources, filter->view->alloc, sizeof(rch_node));
    enum rch_status st = for_matches(filter, note_edge, &found, err);
    if (st == RCH_OK)
        st = ignore(filter->view, &found, err);
    rch_vec_deinit(&found.edges);
    rch_vec_deinit(&found.sources);
    for (rch_node v = g->num_objects; st == RCH_OK && v < g->num_nodes; v++) {
        uint32_t rows = rch_filter_root(filter, v);
        count_rows(rows, counts);
        if (rows)
            remove_root(filter->view, v);
    }
    return st;
}

static enum rch_status note_postponed(struct rch_filter *f, rch_node v, uint32_t e, uint32_t rows,
                                      void *ctx, struct rch_error *err)
{
    struct rch_postponed row = {e, RCH_PENALTY_REGISTRY};
    (void)v;
    (void)rows;
    (void)ctx;
    return rch_vec_append(&f->view->postponed, &row, 1, err);
}

static int compare_postponed(const void *a, const void *b)
{
    return compare_edges(&((const struct rch_postponed *)a)->edge,
                         &((const struct rch_postponed *)b)->edge);
}

enum rch_status rch_view_postpone(struct rch_view *view, struct rch_error *err)
{
    static const struct rch_exclude all[] = {{"registry", false}};
    struct rch_filter filter;
    RCH_TRY(rch_filter_init(&filter, view, all, 1, err));
    enum rch_status st = for_matches(&filter, note_postponed, NULL, err);
    rch_filter_deinit(&filter);
    if (view->postponed.num)
        qsort(view->postponed.mem, view->postponed.num, sizeof(struct rch_postponed),
              compare_postponed);
    view->is_postponing = st == RCH_OK;
    return st;
}
