// SPDX-License-Identifier: MIT
// cli/asking.c -- see asking.h.
#include "cli/asking.h"

struct answers {
    const struct rch_asker *asker;
    void **items;
    uint32_t num;
};

static void drop_answers(struct answers *answers)
{
    for (uint32_t i = 0; i < answers->num; i++)
        answers->asker->drop(answers->items[i]);
    rch_free(rch_alloc_default(), answers->items, answers->num, sizeof(void *));
}

static enum rch_status answer_all(struct rch_inquiry *ask, const struct rch_ask_list *list,
                                  struct answers *answers, struct rch_error *err)
{
    const struct rch_alloc *alloc = rch_alloc_default();
    uint32_t num = list ? list->num_asked : 1;
    answers->items = rch_calloc(alloc, num, sizeof(void *));
    if (!answers->items)
        return rch_fail(err, RCH_ENOMEM, "%u answers", num);
    answers->num = num;
    __attribute__((cleanup(rch_reverse_deinit))) struct rch_reverse rev = {.alloc = alloc};
    RCH_TRY(rch_reverse_init(&rev, ask->where->graph, alloc, err));
    ask->rev = &rev;
    for (uint32_t i = 0; i < num; i++)
        RCH_TRY(
            answers->asker->answer(ask, list ? &list->asked[i] : NULL, &answers->items[i], err));
    ask->rev = NULL;
    return RCH_OK;
}

// Several readings are the answers of one JSON object, or one text after the other under what they are.
static void put_all(const struct rch_inquiry *ask, const struct rch_ask_list *list,
                    const struct answers *answers, struct rch_render_options render,
                    struct rch_sink *sink)
{
    bool is_text = !ask->args->json, is_many = answers->num > 1;
    if (is_many && is_text)
        rch_render_ambiguous_text(list, &render, sink);
    if (is_many && is_text)
        rch_put(sink, "\n");
    else if (is_many)
        rch_putf(sink, "{\"schema\": \"refchain.%s/1\", \"answers\": [\n", answers->asker->name);
    for (uint32_t i = 0; i < answers->num; i++) {
        if (i)
            rch_put(sink, is_text ? "\n" : ",\n");
        render.asked = list ? &list->asked[i] : NULL;
        answers->asker->put(ask, answers->items[i], &render, sink);
    }
    if (is_many && !is_text)
        rch_put(sink, "]}\n");
    if (is_text && list)
        rch_render_near_text(list, &render, sink);
}

static int answer_and_print(const struct rch_asker *asker, struct rch_inquiry *ask,
                            const struct rch_ask_list *list, int code)
{
    __attribute__((cleanup(drop_answers))) struct answers answers = {.asker = asker};
    struct rch_error err = {0};
    struct rch_watch watch;
    rch_watch_start(&watch);
    ask->progress = &watch.progress;
    enum rch_status st = answer_all(ask, list, &answers, &err);
    rch_watch_end(&watch);
    if (st != RCH_OK) {
        rch_say_error(asker->name, &err);
        return RCH_EXIT_CANNOT;
    }
    struct rch_render_options render = rch_out_options(ask->args);
    render.source = ask->where->source;
    struct rch_sink sink = rch_out_sink();
    put_all(ask, list, &answers, render, &sink);
    return rch_out_finish(&sink, code);
}

int rch_say_no_question(const struct rch_ask_list *list, const struct rch_args *args,
                        const struct rch_error *err)
{
    struct rch_render_options render = {.ascii = rch_out_options(args).ascii};
    struct rch_sink talk = rch_talk_sink();
    rch_say_error(args->words[0], err);
    if (list->num_near > 1)  // one alone is in the error's words
        rch_render_near_text(list, &render, &talk);
    return RCH_EXIT_CANNOT;
}

int rch_ask_all(const struct rch_asker *asker, const struct rch_args *args)
{
    struct rch_where where __attribute__((cleanup(rch_where_close)));
    int code = rch_where_open(args->words[0], args, &where);
    if (code == RCH_EXIT_CANNOT)
        return code;
    struct rch_inquiry ask = {.args = args, .where = &where};
    if (args->num_words < 2)
        return answer_and_print(asker, &ask, NULL, code);
    struct rch_ask_list list __attribute__((cleanup(rch_ask_list_deinit)));
    struct rch_error err = {0};
    if (rch_ask(where.graph, args->words[1], rch_alloc_default(), &list, &err) != RCH_OK)
        return rch_say_no_question(&list, args, &err);
    return answer_and_print(asker, &ask, &list, code);
}
