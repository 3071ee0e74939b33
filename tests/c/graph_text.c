// SPDX-License-Identifier: MIT
// tests/c/graph_text.c -- graph_of: a graph from words. Words are parsed into lists of nodes and
// edges; then every node gets a shape of its own from its edges, and the builder makes the graph.
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "model/builder.h"
#include "support.h"
#include "target/fds.h"

struct text_node {
    const char *name;
    uint64_t size;
    const char *type;    // object; NULL: not said
    const char *detail;  // root
    bool is_root, is_key, is_untracked, is_clearable;
    int scope;  // observer scope, -1: none
    enum rch_root_kind kind;
    uint32_t handle;
    struct rch_vec fixed, tail;  // struct rch_label
    uint32_t num_tail;           // labels that repeat: the first of `tail`
};

struct text_edge {
    uint32_t from, to, key;  // indices into nodes; RCH_NO_NODE
    struct rch_label label;
    const char *name;
    bool is_tail, is_entry;
};

struct
    text_row {  // a thread, a frame, a descriptor, an owner: the mark and what is between the commas
    char mark;  // ! | % or, for an owner, =
    const char *fields[6];
    uint32_t node;  // root or owner, RCH_NO_NODE
};

struct text_graph {
    struct text_graph *next;  // of the same test
    struct rch_graph *graph;
    struct rch_arena arena;
    struct rch_vec nodes, edges, rows;
    const char **name_of;  // node -> name
    const char *at;        // the parser's place
};

static struct text_graph *all_graphs;  // of the running test

#define NODE(t, i) RCH_VEC_AT(&(t)->nodes, struct text_node, i)

static void bad_text(const struct text_graph *t, const char *what)
{
    fail_msg("graph_of: %s at \"%s\"", what, t->at);
}

static const char *copy(struct text_graph *t, const char *begin, const char *end)
{
    const char *text = rch_arena_copy(&t->arena, begin, (size_t)(end - begin));
    assert_non_null(text);
    return text;
}

// --- words to nodes and edges ---

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static const char *take_name(struct text_graph *t)
{
    const char *begin = t->at;
    while (is_name_char(*t->at))
        t->at++;
    if (t->at == begin)
        bad_text(t, "a name should be");
    return copy(t, begin, t->at);
}

// Up to one of `stops` or the end of the word.
static const char *take_until(struct text_graph *t, const char *stops)
{
    const char *begin = t->at;
    while (*t->at && !isspace((unsigned char)*t->at) && !strchr(stops, *t->at))
        t->at++;
    return copy(t, begin, t->at);
}

static bool take(struct text_graph *t, char c)
{
    if (*t->at != c)
        return false;
    t->at++;
    return true;
}

static void must_take(struct text_graph *t, char c)
{
    if (!take(t, c))
        bad_text(t, "a closing mark should be");
}

static uint32_t node_named(struct text_graph *t, const char *name)
{
    for (size_t i = 0; i < t->nodes.num; i++) {
        if (strcmp(NODE(t, i).name, name) == 0)
            return (uint32_t)i;
    }
    struct text_node node = {.name = name, .size = 16, .scope = -1};
    rch_vec_init(&node.fixed, rch_alloc_default(), sizeof(struct rch_label));
    rch_vec_init(&node.tail, rch_alloc_default(), sizeof(struct rch_label));
    assert_ok(rch_vec_append(&t->nodes, &node, 1, NULL), NULL);
    return (uint32_t)(t->nodes.num - 1);
}

static enum rch_root_kind root_kind_of(struct text_graph *t, const char *word)
{
    for (uint32_t kind = 0; kind < RCH_NUM_ROOT_KINDS; kind++) {
        if (strcmp(word, rch_root_kind_word(kind)) == 0)
            return kind;
    }
    bad_text(t, "no such kind of root before");
    return RCH_ROOT_MODULE;
}

static uint32_t take_root(struct text_graph *t)
{
    enum rch_root_kind kind = root_kind_of(t, take_until(t, ".("));
    const char *name;
    if (take(t, '(')) {
        name = take_until(t, ")");
        must_take(t, ')');
    } else {
        must_take(t, '.');
        name = take_name(t);
    }
    const char *full = rch_arena_printf(&t->arena, "@%s.%s", rch_root_kind_word(kind), name);
    assert_non_null(full);
    uint32_t i = node_named(t, full);
    NODE(t, i).is_root = true;
    NODE(t, i).kind = kind;
    return i;
}

static uint32_t take_node(struct text_graph *t)
{
    return take(t, '@') ? take_root(t) : node_named(t, take_name(t));
}

static void take_node_flags(struct text_graph *t, struct text_node *node)
{
    do {
        const char *flag = take_until(t, ",");
        if (strcmp(flag, "untracked") == 0)
            node->is_untracked = true;
        else if (strcmp(flag, "observer") == 0)
            node->scope = RCH_OBSERVER_ALL;
        else if (strcmp(flag, "direct") == 0)
            node->scope = RCH_OBSERVER_DIRECT;
        else if (strcmp(flag, "clearable") == 0)
            node->is_clearable = true;
        else
            bad_text(t, "no such flag before");
    } while (take(t, ','));
}

static void take_node_fields(struct text_graph *t, struct text_node *node)
{
    if (node->is_root)
        node->size = 0;
    if (take(t, ':')) {
        const char *digits = take_until(t, ":");
        if (*digits)
            node->size = strtoull(digits, NULL, 0);
    }
    if (take(t, ':')) {
        const char *text = take_until(t, ":");
        if (node->is_root)
            node->detail = text;
        else if (*text)
            node->type = text;
    }
    if (take(t, ':'))
        take_node_flags(t, node);
}

static uint8_t edge_kind_of(struct text_graph *t, const char *word)
{
    for (uint32_t kind = 0; kind < RCH_NUM_EDGE_KINDS; kind++) {
        if (strcmp(word, rch_edge_kind_word(kind)) == 0)
            return (uint8_t)kind;
    }
    bad_text(t, "no such kind of edge before");
    return 0;
}

static void add_flag(struct text_graph *t, struct rch_label *label, const char *flag)
{
    if (strcmp(flag, "fixed") == 0)
        label->flags |= RCH_LABEL_FIXED;
    else if (strcmp(flag, "forward") == 0)
        label->flags |= RCH_LABEL_FOLD_FORWARD;
    else if (strcmp(flag, "back") == 0)
        label->flags |= RCH_LABEL_FOLD_BACK;
    else if (strcmp(flag, "group") == 0)
        label->flags |= RCH_LABEL_GROUP;
    else if (strcmp(flag, "guessed") == 0)
        label->cls = RCH_CLASS_GUESSED;
    else if (strcmp(flag, "weak") == 0)
        label->cls = RCH_CLASS_WEAK;
    else
        bad_text(t, "no such flag before");
}

static void set_tail(struct text_edge *edge, enum rch_edge_kind kind)
{
    edge->label.kind = (uint8_t)kind;
    edge->label.flags |= RCH_LABEL_GROUP;
    edge->is_tail = true;
}

// "-kind", "-kind.name" or "-fixed"
static void take_kind_label(struct text_graph *t, struct text_edge *edge)
{
    const char *word = take_name(t);
    if (strcmp(word, "fixed") == 0) {
        add_flag(t, &edge->label, word);
        return;
    }
    edge->label.kind = edge_kind_of(t, word);
    if (edge->label.kind == RCH_EDGE_ELEMENT)
        set_tail(edge, RCH_EDGE_ELEMENT);
    if (take(t, '.'))
        edge->name = take_name(t);
}

static void take_label(struct text_graph *t, struct text_edge *edge)
{
    if (take(t, '.')) {
        edge->name = take_name(t);
        edge->label.kind = RCH_EDGE_ATTRIBUTE;
        if (strcmp(edge->name, "__dict__") == 0) {
            edge->label.kind = RCH_EDGE_DICT;
            edge->label.flags |= RCH_LABEL_FOLD_FORWARD;
        }
    } else if (take(t, '[')) {
        must_take(t, ']');
        set_tail(edge, RCH_EDGE_ITEM);
    } else if (take(t, '{')) {
        set_tail(edge, RCH_EDGE_VALUE);
        edge->is_entry = true;
        if (*t->at != '}') {
            edge->key = take_node(t);
            NODE(t, edge->key).is_key = true;
        }
        must_take(t, '}');
    } else if (take(t, '(')) {
        edge->name = take_name(t);
        edge->label.kind = RCH_EDGE_CLOSURE;
        must_take(t, ')');
    } else if (take(t, '-')) {
        take_kind_label(t, edge);
    }
}

static struct text_edge plain_edge(const struct text_graph *t, uint32_t from)
{
    struct text_edge edge = {.from = from, .to = RCH_NO_NODE, .key = RCH_NO_NODE};
    if (NODE(t, from).is_root) {
        edge.label.kind = RCH_EDGE_OBJECT;
        if (NODE(t, from).kind == RCH_ROOT_C_HELD)
            set_tail(&edge, RCH_EDGE_OBJECT);
    }
    return edge;
}

// The label, the arrow and the target; returns the target.
static uint32_t take_edge(struct text_graph *t, uint32_t from)
{
    struct text_edge edge = plain_edge(t, from);
    take_label(t, &edge);
    while (take(t, '+'))
        add_flag(t, &edge.label, take_name(t));
    if (take(t, '~')) {
        edge.label.cls = RCH_CLASS_WEAK;
        if (edge.label.kind == RCH_EDGE_REFERENCE)
            edge.label.kind = RCH_EDGE_WEAK;
    } else if (!take(t, '>')) {
        bad_text(t, "an arrow should be");
    }
    if (*t->at && !isspace((unsigned char)*t->at))
        edge.to = take_node(t);
    if (edge.to != RCH_NO_NODE && NODE(t, edge.to).is_root)
        bad_text(t, "a reference to a root before");
    assert_ok(rch_vec_append(&t->edges, &edge, 1, NULL), NULL);
    return edge.to;
}

// "!name,id,flags,root,waits", "|function,file,line,root", "%number,kind,protocol,state,local,peer"
static void take_row(struct text_graph *t, char mark)
{
    struct text_row row = {.mark = mark, .node = RCH_NO_NODE};
    const uint32_t root_field = mark == '!' ? 3 : mark == '|' ? 3 : UINT32_MAX;
    for (uint32_t i = 0; i < 6; i++) {
        row.fields[i] = "";
        if (i > 0 && !take(t, ','))
            continue;
        if (i == root_field && take(t, '@')) {
            row.node = take_root(t);
            continue;
        }
        char *text = (char *)(uintptr_t)take_until(t, i < 5 ? "," : "");
        for (char *at = text; (at = strchr(at, '~')) != NULL;)
            *at = ' ';
        row.fields[i] = text;
    }
    assert_ok(rch_vec_append(&t->rows, &row, 1, NULL), NULL);
}

// "node%number": past the node
static void take_owner(struct text_graph *t, uint32_t i)
{
    struct text_row row = {.mark = '=', .node = i, .fields = {take_until(t, "")}};
    assert_ok(rch_vec_append(&t->rows, &row, 1, NULL), NULL);
}

static void parse(struct text_graph *t, const char *text)
{
    for (t->at = text;;) {
        while (isspace((unsigned char)*t->at))
            t->at++;
        if (!*t->at)
            return;
        char mark = *t->at;
        if (take(t, '!') || take(t, '|') || take(t, '%')) {
            take_row(t, mark);
            continue;
        }
        uint32_t i = take_node(t);
        if (take(t, '%')) {
            take_owner(t, i);
            continue;
        }
        bool is_spec = *t->at == ':' || !*t->at || isspace((unsigned char)*t->at);
        if (is_spec)
            take_node_fields(t, &NODE(t, i));
        while (*t->at && !isspace((unsigned char)*t->at)) {
            if (is_spec || i == RCH_NO_NODE)
                bad_text(t, "the word should end");
            i = take_edge(t, i);
        }
    }
}

// --- nodes and edges to the builder ---

static rch_str intern(struct rch_builder *b, const char *text)
{
    rch_str str;
    assert_ok(rch_builder_string(b, text, strlen(text), &str, NULL), NULL);
    return str;
}

static uint32_t type_flags(const char *name, bool has_module)
{
    uint32_t flags = has_module ? RCH_TYPE_HEAP : 0;
    if (strcmp(name, "function") == 0)
        flags |= RCH_TYPE_IS_FUNCTION;
    if (strcmp(name, "module") == 0)
        flags |= RCH_TYPE_IS_MODULE;
    if (strcmp(name, "type") == 0)
        flags |= RCH_TYPE_IS_TYPE;
    return flags;
}

static const char *type_of_node(const struct text_node *node)
{
    if (node->is_root)
        return "root";
    return node->type ? node->type : node->is_key ? "str" : "object";
}

static uint32_t add_type(struct text_graph *t, struct rch_builder *b, const char *full)
{
    const char *cut = strchr(full, '/');
    if (!cut && strchr(full, '<') == NULL)
        cut = strrchr(full, '.');
    const char *name = cut ? cut + 1 : full;
    const struct rch_type type = {
        .module = cut ? intern(b, copy(t, full, cut)) : RCH_NO_STR,
        .name = intern(b, name),
        .node = RCH_NO_NODE,
        .flags = type_flags(name, cut != NULL),
    };
    uint32_t number;
    assert_ok(rch_builder_type(b, &type, &number, NULL), NULL);
    return number;
}

// The labels of every node, from its edges.
static void collect_labels(struct text_graph *t, struct rch_builder *b)
{
    for (size_t i = 0; i < t->edges.num; i++) {
        struct text_edge *edge = &RCH_VEC_AT(&t->edges, struct text_edge, i);
        struct text_node *node = &NODE(t, edge->from);
        if (edge->name)
            edge->label.name = intern(b, edge->name);
        if (!edge->is_tail) {
            assert_ok(rch_vec_append(&node->fixed, &edge->label, 1, NULL), NULL);
            continue;
        }
        struct rch_label pattern[RCH_MAX_TAIL] = {edge->label};
        uint32_t num_tail = 1;
        if (edge->is_entry) {
            pattern[1] = edge->label;
            pattern[0].kind = RCH_EDGE_KEY;
            pattern[2] = pattern[0];
            num_tail = strstr(type_of_node(node), "OrderedDict") ? 3 : 2;
        }
        if (node->num_tail == 0)
            assert_ok(rch_vec_append(&node->tail, pattern, num_tail, NULL), NULL);
        else if (node->num_tail != num_tail ||
                 memcmp(node->tail.mem, pattern, num_tail * sizeof(*pattern)) != 0)
            fail_msg("graph_of: %s has two kinds of repeating references", node->name);
        node->num_tail = num_tail;
    }
}

static void add_node(struct text_graph *t, struct rch_builder *b, size_t i)
{
    struct text_node *node = &NODE(t, i);
    uint32_t num_fixed = (uint32_t)node->fixed.num, shape;
    const char *type = type_of_node(node);
    assert_ok(rch_vec_append(&node->fixed, node->tail.mem, node->num_tail, NULL), NULL);
    assert_ok(rch_builder_shape(b, add_type(t, b, type), node->fixed.mem, num_fixed, node->num_tail,
                                &shape, NULL),
              NULL);
    if (node->is_root) {
        const struct rch_root root = {
            .name = intern(b, strchr(node->name, '.') + 1),
            .detail = intern(b, node->detail ? node->detail : ""),
            .kind = (uint8_t)node->kind,
            .flags = node->is_clearable ? RCH_ROOT_CLEARABLE : 0,
            .extra = (uint32_t)node->size,
        };
        assert_ok(rch_builder_root(b, &root, shape, &node->handle, NULL), NULL);
    } else {
        bool is_str = strcmp(type, "str") == 0;
        const struct rch_object object = {
            .addr = 0x10000 + 0x40 * (rch_addr)i,
            .size_bytes = node->size,
            .shape = shape,
            .is_tracked = !node->is_untracked && !is_str,
        };
        assert_ok(rch_builder_object(b, &object, &node->handle, NULL), NULL);
        if (is_str)
            assert_ok(rch_builder_text(b, node->handle, intern(b, node->name), NULL), NULL);
    }
    if (node->scope >= 0)
        assert_ok(rch_builder_observer(b, node->handle, (enum rch_observer_scope)node->scope, NULL),
                  NULL);
}

static void add_ref(const struct text_graph *t, struct rch_builder *b, uint32_t from, uint32_t to)
{
    uint32_t target = to == RCH_NO_NODE ? RCH_NO_NODE : NODE(t, to).handle;
    assert_ok(rch_builder_ref(b, NODE(t, from).handle, target, NULL), NULL);
}

static void add_refs(const struct text_graph *t, struct rch_builder *b, bool is_tail)
{
    for (size_t i = 0; i < t->edges.num; i++) {
        const struct text_edge *edge = &RCH_VEC_AT(&t->edges, struct text_edge, i);
        if (edge->is_tail != is_tail)
            continue;
        if (edge->is_entry)
            add_ref(t, b, edge->from, edge->key);
        add_ref(t, b, edge->from, edge->to);
        if (edge->is_entry && NODE(t, edge->from).num_tail == 3)
            add_ref(t, b, edge->from, edge->key);
    }
}

// A node of type "type" is the type object of the type of its name.
static void set_type_nodes(struct text_graph *t, struct rch_builder *b)
{
    for (size_t i = 0; i < t->nodes.num; i++) {
        const struct text_node *node = &NODE(t, i);
        if (node->is_root || strcmp(type_of_node(node), "type") != 0)
            continue;
        for (size_t k = 0; k < t->nodes.num; k++) {
            const char *full = type_of_node(&NODE(t, k));
            const char *cut = strrchr(full, '.');
            if (strcmp(cut ? cut + 1 : full, node->name) == 0) {
                rch_builder_set_type_node(b, add_type(t, b, full), node->handle);
                break;
            }
        }
    }
}

static void add_thread(struct text_graph *t, struct rch_builder *b, const struct text_row *row)
{
    static const char *const words[] = {"gil", "asks", "torn"};
    uint32_t flags = 0;
    for (uint32_t i = 0; i < 3; i++)
        flags |= strstr(row->fields[2], words[i]) ? 1u << i : 0;
    const struct rch_thread thread = {
        .name = intern(b, row->fields[0]),
        .native_id = (uint32_t)strtoul(row->fields[1], NULL, 10),
        .flags = flags,
        .root = row->node == RCH_NO_NODE ? RCH_NO_NODE : NODE(t, row->node).handle,
        .waits_for = intern(b, row->fields[4]),
    };
    assert_ok(rch_builder_thread(b, &thread, NULL), NULL);
}

static void add_frame(struct text_graph *t, struct rch_builder *b, const struct text_row *row)
{
    const struct rch_stack_frame frame = {
        .function = intern(b, row->fields[0]),
        .file = intern(b, row->fields[1]),
        .line = (uint32_t)strtoul(row->fields[2], NULL, 10),
        .root = row->node == RCH_NO_NODE ? RCH_NO_NODE : NODE(t, row->node).handle,
    };
    assert_ok(rch_builder_frame(b, &frame, NULL), NULL);
}

static void add_fd(struct rch_builder *b, const struct text_row *row)
{
    static const char *const kinds[] = {
#define RCH_FD_KIND_WORD(name, word) word,
        RCH_FD_KIND_LIST(RCH_FD_KIND_WORD)
#undef RCH_FD_KIND_WORD
    };
    uint32_t kind = 0;
    while (kind < RCH_NUM_FD_KINDS && strcmp(kinds[kind], row->fields[1]) != 0)
        kind++;
    if (kind == RCH_NUM_FD_KINDS)
        fail_msg("graph_of: no descriptor is a %s", row->fields[1]);
    const struct rch_fd fd = {
        .fd = (int32_t)strtol(row->fields[0], NULL, 10),
        .kind = kind,
        .protocol = intern(b, row->fields[2]),
        .state = intern(b, row->fields[3]),
        .local = intern(b, row->fields[4]),
        .peer = intern(b, row->fields[5]),
    };
    assert_ok(rch_builder_fd(b, &fd, NULL), NULL);
}

static void add_rows(struct text_graph *t, struct rch_builder *b)
{
    for (size_t i = 0; i < t->rows.num; i++) {
        const struct text_row *row = &RCH_VEC_AT(&t->rows, struct text_row, i);
        if (row->mark == '!')
            add_thread(t, b, row);
        else if (row->mark == '|')
            add_frame(t, b, row);
        else if (row->mark == '%')
            add_fd(b, row);
        else
            assert_ok(rch_builder_fd_owner(b, NODE(t, row->node).handle,
                                           (int32_t)strtol(row->fields[0], NULL, 10), NULL),
                      NULL);
    }
}

static void build(struct text_graph *t)
{
    struct rch_builder *b;
    struct rch_error err;
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    collect_labels(t, b);
    for (int roots = 0; roots < 2; roots++) {
        for (size_t i = 0; i < t->nodes.num; i++) {
            if (NODE(t, i).is_root == roots)
                add_node(t, b, i);
        }
    }
    add_refs(t, b, false);
    add_refs(t, b, true);
    set_type_nodes(t, b);
    add_rows(t, b);
    assert_ok(rch_builder_finish(b, &t->graph, &err), &err);
    rch_builder_free(b);
}

// Objects lie in order of first mention, tracked ones first; roots in order of first mention.
static void number_names(struct text_graph *t)
{
    t->name_of = rch_arena_take(&t->arena, t->nodes.num, sizeof(*t->name_of));
    assert_non_null(t->name_of);
    rch_node root = t->graph->num_objects;
    for (size_t i = 0; i < t->nodes.num; i++) {
        const struct text_node *node = &NODE(t, i);
        rch_node v = node->is_root ? root++ : rch_node_at(t->graph, 0x10000 + 0x40 * (rch_addr)i);
        t->name_of[v] = node->name;
    }
}

struct rch_graph *graph_of(void **state, const char *nodes, const char *edges)
{
    (void)state;
    struct text_graph *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    rch_arena_init(&t->arena, rch_alloc_default());
    rch_vec_init(&t->nodes, rch_alloc_default(), sizeof(struct text_node));
    rch_vec_init(&t->edges, rch_alloc_default(), sizeof(struct text_edge));
    rch_vec_init(&t->rows, rch_alloc_default(), sizeof(struct text_row));
    t->next = all_graphs;
    all_graphs = t;
    parse(t, nodes);
    parse(t, edges);
    build(t);
    number_names(t);
    return t->graph;
}

int graphs_teardown(void **state)
{
    (void)state;
    while (all_graphs) {
        struct text_graph *t = all_graphs;
        all_graphs = t->next;
        for (size_t i = 0; i < t->nodes.num; i++) {
            rch_vec_deinit(&NODE(t, i).fixed);
            rch_vec_deinit(&NODE(t, i).tail);
        }
        rch_graph_free(t->graph);
        rch_vec_deinit(&t->nodes);
        rch_vec_deinit(&t->edges);
        rch_vec_deinit(&t->rows);
        rch_arena_deinit(&t->arena);
        free(t);
    }
    return 0;
}

static const struct text_graph *text_of(const struct rch_graph *g)
{
    const struct text_graph *t = all_graphs;
    while (t && t->graph != g)
        t = t->next;
    if (!t)
        fail_msg("graph_of did not make this graph");
    return t;
}

rch_node graph_node(const struct rch_graph *g, const char *name)
{
    const struct text_graph *t = text_of(g);
    for (rch_node v = 0; v < g->num_nodes; v++) {
        if (strcmp(t->name_of[v], name) == 0)
            return v;
    }
    fail_msg("no node is called %s", name);
    return RCH_NO_NODE;
}

const char *graph_name(const struct rch_graph *g, rch_node v)
{
    const struct text_graph *t = text_of(g);
    if (v >= g->num_nodes)
        fail_msg("no node has number %" PRIu32, v);
    return t->name_of[v];
}
