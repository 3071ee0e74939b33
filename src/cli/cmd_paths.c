// SPDX-License-Identifier: MIT
// cli/cmd_paths.c -- refchain paths: all ways that hold an object, or the merged tree of those that
// hold all objects of a type.
#include "cli/asking.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.paths/1"},
    {RCH_OPT_PATHS, 'k', "paths", "N", "of one object: the N best paths (10)"},
    {RCH_OPT_ALL, 'a', "all", NULL,
     "paths that differ by keys and indices only, too; the whole tree"},
    {RCH_OPT_EXCLUDE, 'x', "exclude", "EDGE", "leave out these references; may be given often"},
    {RCH_OPT_EXCLUDE_ROOT, 'X', "exclude-root", "ROOT",
     "leave out these roots; may be given often"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "about N lines of the tree (80)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

static enum rch_status answer(const struct rch_inquiry *ask, const struct rch_asked *asked,
                              void **out, struct rch_error *err)
{
    const struct rch_args *args = ask->args;
    struct rch_paths_options o = {.max_paths = args->max_paths,
                                  .each = args->all,
                                  .excludes = args->excludes,
                                  .num_excludes = args->num_excludes,
                                  .progress = ask->progress};
    struct rch_paths *paths = NULL;
    RCH_TRY(rch_paths(ask->where->graph, ask->rev, &asked->question, &o, rch_alloc_default(),
                      &paths, err));
    *out = paths;
    return RCH_OK;
}

static void put(const struct rch_inquiry *ask, const void *paths,
                const struct rch_render_options *render, struct rch_sink *sink)
{
    (ask->args->json ? rch_render_paths_json : rch_render_paths_text)(ask->where->graph, paths,
                                                                      render, sink);
}

static void drop(void *paths)
{
    rch_paths_free(paths);
}

static int run(const struct rch_args *args)
{
    static const struct rch_asker asker = {"paths", answer, put, drop};
    return rch_ask_all(&asker, args);
}

const struct rch_command rch_command_paths = {
    .name = "paths",
    .words_help = "WHERE TYPE|ADDRESS",
    .min_words = 2,
    .max_words = 2,
    .summary = "Show all ways that hold an object, or a type's objects, merged",
    .details = RCH_WHERE_HELP
    "TYPE and ADDRESS as for 'refchain why'. One object: its best paths, which all read "
    "differently.\n"
    "Several: the tree of the best path of each. Last come running frames, what C holds, imports,\n"
    "weak references' callbacks, registries such as sys.modules, and the asker's own variables.\n"
    "EDGE is the name of an attribute, variable or key ('_cache', '*_pool'), OWNER.NAME with a "
    "type\n"
    "or a module ('Node.parent', 'kombu.pools.connections'), or a kind: attribute, item, key, "
    "value,\n"
    "local, closure, traceback ..., weak, frame, observer, registry. ROOT is the name or the kind "
    "of\n"
    "a root: module, frame, thread, coroutine, interpreter, static-type, c-held. Both may be "
    "globs.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
