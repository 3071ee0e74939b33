// SPDX-License-Identifier: MIT
// tests/c/make_rch.c -- makes snapshots for tests of the command: `make_rch graph.txt out.rch` from
// graph_of's words (nodes, a line ---, edges; lines that begin with # are comments), and
// `make_rch --hostile out.rch` with names no well-meaning program has.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

#include "format/rch_file.h"
#include "model/builder.h"

static int complain(const char *what)
{
    fprintf(stderr, "make_rch: %s\n", what);
    return 1;
}

static int write_graph(const struct rch_graph *g, const char *path)
{
    struct rch_error err = {0};
    return rch_file_write(g, path, NULL, &err) == RCH_OK ? 0 : complain(err.message);
}

// ---- from words ---------------------------------------------------------------------------------

enum { MAX_WORDS = 1 << 20 };

static int make_from_words(const char *words_path, const char *path)
{
    static char parts[2][MAX_WORDS];
    char line[4096];
    FILE *file = fopen(words_path, "r");
    if (!file)
        return complain("cannot open the words");
    int part = 0;
    while (fgets(line, sizeof(line), file)) {
        if (strcmp(line, "---\n") == 0)
            part = 1;
        else if (line[0] != '#' && strlen(parts[part]) + strlen(line) + 1 < MAX_WORDS)
            strcat(parts[part], line);
    }
    fclose(file);
    void *state = NULL;
    int code = write_graph(graph_of(&state, parts[0], parts[1]), path);
    graphs_teardown(&state);
    return code;
}

// ---- hostile names ------------------------------------------------------------------------------

static char long_name[10001];
static const char *const names[] = {
    "quote\"'\\",
    "two\nlines",
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.evil\u2066",
    "broken \xff\xc3 utf-8",
    long_name,
};
enum { NUM_NAMES = sizeof(names) / sizeof(names[0]) };

static rch_str text(struct rch_builder *b, const char *name)
{
    rch_str str;
    assert_ok(rch_builder_string(b, name, strlen(name), &str, NULL), NULL);
    return str;
}

/// A shape with one attribute called `label` (NULL: without references).
static uint32_t shape_of(struct rch_builder *b, const char *type_name, const char *label)
{
    uint32_t type, shape;
    struct rch_type row = {
        .module = text(b, "evil"), .name = text(b, type_name), .node = RCH_NO_NODE};
    struct rch_label attribute = {.name = label ? text(b, label) : RCH_NO_STR,
                                  .kind = RCH_EDGE_ATTRIBUTE};
    assert_ok(rch_builder_type(b, &row, &type, NULL), NULL);
    assert_ok(rch_builder_shape(b, type, &attribute, label ? 1 : 0, 0, &shape, NULL), NULL);
    return shape;
}

static void add_thread(struct rch_builder *b, uint32_t frame_root)
{
    const struct rch_thread thread = {
        .name = text(b, names[2]), .waits_for = text(b, names[3]), .root = RCH_NO_NODE};
    assert_ok(rch_builder_thread(b, &thread, NULL), NULL);
    for (uint32_t i = 0; i < NUM_NAMES; i++) {
        const struct rch_stack_frame frame = {.function = text(b, names[i]),
                                              .file = text(b, names[NUM_NAMES - 1 - i]),
                                              .line = i ? UINT32_MAX : 0,
                                              .root = frame_root};
        assert_ok(rch_builder_frame(b, &frame, NULL), NULL);
    }
}

static void add_fds(struct rch_builder *b, const uint32_t *owners)
{
    for (uint32_t i = 0; i < NUM_NAMES; i++) {
        rch_str name = text(b, names[i]);
        const struct rch_fd fd = {(int32_t)i, i * 100, name, name, name, name};
        assert_ok(rch_builder_fd(b, &fd, NULL), NULL);
        assert_ok(rch_builder_fd_owner(b, owners[i], (int32_t)(i * 3), NULL), NULL);
    }
}

static int make_hostile(const char *path)
{
    struct rch_builder *b;
    struct rch_graph *g;
    uint32_t handles[NUM_NAMES + 2];
    memset(long_name, 'n', sizeof(long_name) - 1);
    assert_ok(rch_builder_new(rch_alloc_default(), &b, NULL), NULL);
    for (uint32_t i = 0; i <= NUM_NAMES; i++) {
        bool is_last = i == NUM_NAMES;
        struct rch_object object = {.addr = 0x10000 + 64 * i, .size_bytes = 16, .is_tracked = true};
        object.shape = shape_of(b, is_last ? "Leak" : names[i], is_last ? NULL : names[i]);
        assert_ok(rch_builder_object(b, &object, &handles[i], NULL), NULL);
    }
    struct rch_root root = {
        .name = text(b, names[2]), .detail = text(b, names[3]), .kind = RCH_ROOT_FRAME};
    uint32_t *root_handle = &handles[NUM_NAMES + 1];
    assert_ok(rch_builder_root(b, &root, shape_of(b, "root", names[1]), root_handle, NULL), NULL);
    for (uint32_t i = 0; i < NUM_NAMES; i++)
        assert_ok(rch_builder_ref(b, handles[i], handles[i + 1], NULL), NULL);
    assert_ok(rch_builder_ref(b, *root_handle, handles[0], NULL), NULL);
    add_thread(b, *root_handle);
    assert_ok(rch_builder_warn(b, NULL, "a warning of %s", names[2]), NULL);
    add_fds(b, handles);
    assert_ok(rch_builder_finish(b, &g, NULL), NULL);
    int code = write_graph(g, path);
    rch_graph_free(g);
    rch_builder_free(b);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return complain("usage: make_rch GRAPH.txt|--hostile OUT.rch");
    return strcmp(argv[1], "--hostile") == 0 ? make_hostile(argv[2])
                                             : make_from_words(argv[1], argv[2]);
}
