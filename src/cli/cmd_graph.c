// SPDX-License-Identifier: MIT
// cli/cmd_graph.c -- refchain graph: the picture. Who holds the objects, or what is around them.
#include "analyze/common/ask.h"
#include "analyze/common/need.h"
#include "cli/cli.h"
#include "cli/picture_file.h"
#include "cli/where.h"
#include "render/picture.h"

static const struct rch_option options[] = {
    {RCH_OPT_OUTPUT, 'o', "output", "FILE", "write FILE, by its end: .svg, .html, .dot or .png"},
    {RCH_OPT_SVG, 0, "svg", NULL, "SVG to standard output"},
    {RCH_OPT_HTML, 0, "html", NULL,
     "HTML to standard output: a page of its own, with the answer in words"},
    {RCH_OPT_REFS, 0, "refs", NULL, "what the objects refer to, instead of who holds them"},
    {RCH_OPT_BACKREFS, 0, "backrefs", NULL,
     "all that refers to the objects, whether it holds them or not"},
    {RCH_OPT_DEPTH, 'd', "depth", "N", "with --refs and --backrefs: so many hops (3)"},
    {RCH_OPT_LIMIT, 'n', "limit", "N",
     "draw at most N objects (100, up to 200), or group them; of the holders N"},
    {RCH_OPT_ALL, 'a', "all", NULL, "every shape of path of every holder"},
    {RCH_OPT_RAW, 0, "raw", NULL, "every hop as CPython has it: __dict__, cells, tuples"},
    {RCH_OPT_MAX_HOLDERS, 'k', "max-holders", "N",
     "look for at most N holders before calling the answer diffuse (8)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { DEFAULT_NODES = 100, ALL_GROUPS = 10000 };

struct request {
    const struct rch_args *args;
    const struct rch_graph *g;
    const struct rch_asked *asked;
    struct rch_render_options render;
    struct rch_text text;  // the answer in words, for a page; empty: there is none
};

static enum rch_status draw_holders(struct request *r, struct rch_picture *picture,
                                    const struct rch_progress *progress, struct rch_error *err)
{
    struct rch_why_options why = {.max_holders = r->args->max_holders,
                                  .max_groups = r->args->all ? ALL_GROUPS : 0,
                                  .raw = r->args->raw,
                                  .progress = progress};
    struct rch_answer *answer = NULL;
    RCH_TRY(rch_why(r->g, NULL, &r->asked->question, &why, rch_alloc_default(), &answer, err));
    rch_render_why_text(r->g, answer, &r->render, &r->text.sink);
    enum rch_status st = rch_picture_of_answer(picture, r->g, answer, &r->render, err);
    rch_answer_free(answer);
    return st == RCH_OK ? rch_picture_group(picture, RCH_PICTURE_MAX_NODES, err) : st;
}

static enum rch_status draw_around(struct request *r, struct rch_picture *picture,
                                   const struct rch_progress *progress, struct rch_error *err)
{
    struct rch_around_options options_of_walk = {.depth = r->args->depth,
                                                 .is_forward = r->args->refs,
                                                 .raw = r->args->raw,
                                                 .progress = progress};
    uint32_t limit = r->args->limit ? r->args->limit : DEFAULT_NODES;
    struct rch_around around;
    RCH_TRY(rch_around(&around, r->g, NULL, &r->asked->question, &options_of_walk,
                       rch_alloc_default(), err));
    enum rch_status st = rch_picture_of_around(picture, r->g, &around, &r->render, err);
    rch_around_deinit(&around);
    if (limit > RCH_PICTURE_MAX_NODES)
        limit = RCH_PICTURE_MAX_NODES;
    return st == RCH_OK ? rch_picture_group(picture, limit, err) : st;
}

static int print_picture(const struct rch_picture *picture, const char *words,
                         enum rch_picture_format format, int code)
{
    struct rch_sink sink = rch_out_sink();
    struct rch_error err = {0};
    if (rch_picture_put(picture, words, format, rch_alloc_default(), &sink, &err) != RCH_OK) {
        rch_say_error("graph", &err);
        return RCH_EXIT_CANNOT;
    }
    return rch_out_finish(&sink, code);
}

static int draw_and_write(struct request *r, enum rch_picture_format format, int code)
{
    struct rch_picture picture __attribute__((cleanup(rch_picture_deinit)));
    rch_picture_init(&picture, rch_alloc_default());
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    bool is_around = r->args->refs || r->args->backrefs;
    enum rch_status st = rch_need_check(r->g, is_around ? RCH_WORK_REVERSE : RCH_WORK_WHY,
                                        r->args->max_memory, &err);
    if (st == RCH_OK)
        st = is_around ? draw_around(r, &picture, &watch.progress, &err)
                       : draw_holders(r, &picture, &watch.progress, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK) {
        rch_say_error("graph", &err);
        return RCH_EXIT_CANNOT;
    }
    const char *words = r->text.num_bytes ? r->text.bytes : NULL;
    if (!r->args->output)
        return print_picture(&picture, words, format, code);
    st = rch_picture_save(&picture, words, format, r->args->output, &err);
    if (st != RCH_OK) {
        rch_say_error(r->args->output, &err);
        return RCH_EXIT_CANNOT;
    }
    rch_say("%s: %zu boxes, %zu arrows", r->args->output, picture.nodes.num, picture.edges.num);
    return code;
}

/// A picture is of one question: where a short name is several types', say which.
static int say_which(const struct rch_ask_list *list)
{
    rch_say("graph: %s names %u types, and a picture is of one. Give the full name:", list->pattern,
            list->num_asked);
    for (uint32_t i = 0; i < list->num_asked; i++)
        rch_say("  %s (%u)", list->asked[i].question.text, list->asked[i].question.num_members);
    return RCH_EXIT_USAGE;
}

static int draw(const struct rch_where *where, const struct rch_args *args,
                enum rch_picture_format format, int code)
{
    struct rch_ask_list list __attribute__((cleanup(rch_ask_list_deinit)));
    struct rch_error err = {0};
    if (rch_ask(where->graph, args->words[1], rch_alloc_default(), &list, &err) != RCH_OK) {
        struct rch_render_options render = {.ascii = rch_out_options(args).ascii};
        struct rch_sink talk = rch_talk_sink();
        rch_say_error(args->words[0], &err);
        if (list.num_near > 1)
            rch_render_near_text(&list, &render, &talk);
        return RCH_EXIT_CANNOT;
    }
    if (list.num_asked > 1)
        return say_which(&list);
    struct request r = {.args = args, .g = where->graph, .asked = &list.asked[0]};
    r.render = (struct rch_render_options){
        .all = args->all, .limit = args->limit, .source = where->source, .asked = r.asked};
    rch_text_init(&r.text, rch_alloc_default());
    code = draw_and_write(&r, format, code);
    rch_text_deinit(&r.text);
    return code;
}

static int run(const struct rch_args *args)
{
    enum rch_picture_format format = args->svg    ? RCH_PICTURE_SVG
                                     : args->html ? RCH_PICTURE_HTML
                                                  : RCH_PICTURE_DOT;
    if (args->refs && args->backrefs) {
        rch_say("graph: --refs or --backrefs, not both");
        return RCH_EXIT_USAGE;
    }
    if (args->svg + args->html + (args->output != NULL) > 1) {
        rch_say("graph: one of --output, --svg and --html");
        return RCH_EXIT_USAGE;
    }
    if (args->output && !rch_picture_format_of(args->output, &format)) {
        rch_say("graph: %s: a picture ends in .svg, .html, .dot or .png", args->output);
        return RCH_EXIT_USAGE;
    }
    if (format == RCH_PICTURE_PNG && !rch_has_dot()) {
        rch_say(
            "graph: PNG is drawn by Graphviz, and there is no 'dot' in PATH (Debian and Ubuntu: "
            "apt install graphviz). SVG needs nothing: -o x.svg. From Python: pip install "
            "'refchain[png]'.");
        return RCH_EXIT_CANNOT;
    }
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    return code == RCH_EXIT_CANNOT ? code : draw(&where, args, format, code);
}

const struct rch_command rch_command_graph = {
    .name = "graph",
    .words_help = "WHERE TYPE|ADDRESS [-o FILE]",
    .min_words = 2,
    .max_words = 2,
    .summary = "Draw who holds objects, or what is around them",
    .details = RCH_WHERE_HELP
    "TYPE and ADDRESS are as in 'refchain why'. The picture shows every holder's path from its "
    "root,\n"
    "the reference to cut in red. With --refs or --backrefs it shows what is around the objects; "
    "what\n"
    "is too much to read is grouped by type and path. SVG and HTML need no other program and show\n"
    "light or dark as the reader's system is set; PNG is drawn by 'dot' of Graphviz. Without -o, "
    "--svg or\n"
    "--html, DOT goes to standard output.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
