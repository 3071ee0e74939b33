// SPDX-License-Identifier: MIT
// cli/cmd_why.c -- refchain why: who holds these objects, and what each cut frees.
#include "analyze/common/ask.h"
#include "analyze/common/need.h"
#include "cli/asking.h"
#include "cli/judge.h"

static const struct rch_option options[] = {
    {RCH_OPT_JSON, 0, "json", NULL, "JSON, schema refchain.why/1"},
    RCH_JUDGE_OPTIONS,
    {RCH_OPT_ALL, 'a', "all", NULL, "every shape of path of every holder"},
    {RCH_OPT_RAW, 0, "raw", NULL, "every hop as CPython has it: __dict__, cells, tuples"},
    {RCH_OPT_LIMIT, 'n', "limit", "N", "show at most N holders"},
    {RCH_OPT_MAX_HOLDERS, 'k', "max-holders", "N",
     "look for at most N holders before calling the answer diffuse (8)"},
    RCH_WHERE_OPTIONS,
    {RCH_OPT_HELP, 'h', "help", NULL, "show this help"},
};

enum { ALL_GROUPS = 10000 };  // path groups a holder with --all

// The answers to all readings of a question.
struct answers {
    struct rch_answer **items;
    uint32_t num;
};

static void drop_answers(struct answers *answers)
{
    for (uint32_t i = 0; i < answers->num; i++)
        rch_answer_free(answers->items[i]);
    rch_free(rch_alloc_default(), answers->items, answers->num, sizeof(struct rch_answer *));
}

static enum rch_status answer_all(const struct rch_graph *g, const struct rch_ask_list *list,
                                  const struct rch_why_options *why, struct answers *answers,
                                  struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    answers->items = rch_calloc(alloc, list->num_asked, sizeof(struct rch_answer *));
    if (!answers->items)
        return rch_fail(err, RCH_ENOMEM, "%u answers", list->num_asked);
    answers->num = list->num_asked;
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse rev = {.alloc = alloc};
    RCH_TRY(rch_reverse_make(&rev, g, alloc, why->progress, err));
    for (uint32_t i = 0; i < list->num_asked; i++)
        RCH_TRY(rch_why(g, &rev, &list->asked[i].question, why, alloc, &answers->items[i], err));
    return RCH_OK;
}

static void put_text(const struct rch_graph *g, const struct rch_ask_list *list,
                     const struct answers *answers, struct rch_render_options render,
                     struct rch_sink *sink)
{
    if (list->num_asked > 1)
        rch_render_ambiguous_text(list, &render, sink);
    for (uint32_t i = 0; i < list->num_asked; i++) {
        if (list->num_asked > 1)
            rch_put(sink, "\n");
        render.asked = &list->asked[i];
        rch_render_why_text(g, answers->items[i], &render, sink);
    }
    rch_render_near_text(list, &render, sink);
}

static void put_json(const struct rch_graph *g, const struct rch_ask_list *list,
                     const struct answers *answers, struct rch_render_options render,
                     struct rch_sink *sink)
{
    render.asked = &list->asked[0];
    if (list->num_asked == 1)
        rch_render_why_json(g, answers->items[0], &render, sink);
    else
        rch_render_ambiguous_json(g, list, (const struct rch_answer *const *)answers->items,
                                  &render, sink);
}

static enum rch_status judge_all(struct rch_judge *judge, const struct rch_graph *g,
                                 const struct answers *answers, struct rch_error *err)
{
    for (uint32_t i = 0; i < answers->num; i++)
        RCH_TRY(rch_findings_add_why(&judge->findings, g, answers->items[i], err));
    rch_judge_compare(judge);
    return RCH_OK;
}

static int print(const struct rch_where *where, const struct rch_ask_list *list,
                 const struct answers *answers, const struct rch_judge *judge,
                 const struct rch_args *args, int code)
{
    struct rch_render_options render = rch_out_options(args);
    render.source = where->source;
    render.findings = &judge->findings;
    struct rch_report report = {.command = "why",
                                .subject = args->words[1],
                                .g = where->graph,
                                .is_partial = code == RCH_EXIT_PARTIAL};
    struct rch_sink sink = rch_out_sink();
    if (args->json)
        put_json(where->graph, list, answers, render, &sink);
    else if (!rch_judge_print(judge, args, report, &render, &sink))
        put_text(where->graph, list, answers, render, &sink);
    return rch_out_finish(&sink, rch_judge_code(judge, args, "why", code));
}

static int answer_and_print(const struct rch_where *where, const struct rch_ask_list *list,
                            struct rch_judge *judge, const struct rch_args *args, int code)
{
    __attribute__((cleanup(drop_answers))) struct answers answers = {.num = 0};
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    struct rch_why_options why = {.max_holders = args->max_holders,
                                  .max_groups = args->all ? ALL_GROUPS : 0,
                                  .raw = args->raw,
                                  .progress = &watch.progress};
    enum rch_status st = rch_need_check(where->graph, RCH_WORK_WHY, args->max_memory, &err);
    if (st == RCH_OK)
        st = answer_all(where->graph, list, &why, &answers, &err);
    rch_watch_end(&watch);
    if (st == RCH_OK)
        st = judge_all(judge, where->graph, &answers, &err);
    if (st != RCH_OK) {
        rch_say_error("why", &err);
        return RCH_EXIT_CANNOT;
    }
    for (uint32_t i = 0; i < answers.num; i++)
        if (answers.items[i]->is_partial)
            code = RCH_EXIT_PARTIAL;
    return print(where, list, &answers, judge, args, code);
}

static int run(const struct rch_args *args)
{
    struct rch_judge judge __attribute__((cleanup(rch_judge_close)));
    int code = rch_judge_open(&judge, args);
    if (code != RCH_EXIT_OK)
        return code;
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_ask_list list __attribute__((cleanup(rch_ask_list_deinit)));
    struct rch_error err = {0};
    if (rch_ask(where.graph, args->words[1], rch_alloc_default(), &list, &err) != RCH_OK)
        return rch_say_no_question(&list, args, &err);
    return answer_and_print(&where, &list, &judge, args, code);
}

const struct rch_command rch_command_why = {
    .name = "why",
    .words_help = "WHERE TYPE|ADDRESS",
    .min_words = 2,
    .max_words = 2,
    .summary = "Say who holds objects: all holders by name, and what each cut frees",
    .details = RCH_WHERE_HELP
    "TYPE is a short name (TCPTransport), a full name (amqp.transport.TCPTransport) or a\n"
    "glob over full names ('amqp.*'). A short name of several types is answered for each.\n"
    "ADDRESS is one object's, as id() gives it: 0x7f41c0de or decimal.\n",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .run = run,
};
