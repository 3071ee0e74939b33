// SPDX-License-Identifier: MIT
// render/why_words.c -- see why_words.h.
#include "render/why_words.h"

#include <inttypes.h>
#include <stdio.h>

#include "render/hop_text.h"
#include "render/line.h"

/// The short answer where there is nothing to cut.
static const char *uncut_words(const struct rch_answer *answer)
{
    if (answer->objects == 0)
        return "No such objects: none is alive.";
    if (answer->garbage >= answer->objects)
        return "Not held: garbage not yet collected.";
    if (answer->observer >= answer->objects)
        return "Not held by the program: only by whoever asks.";
    return answer->num_holders ? "Held, but nothing on the way can be cut. This is where they hang:"
                               : "There is no holder to cut.";
}

void rch_why_sentence(char out[RCH_WHY_SENTENCE_BYTES], const struct rch_answer *answer)
{
    char objects[RCH_NUMBER_BYTES], freed[RCH_NUMBER_BYTES];
    rch_count_text(objects, answer->objects);
    rch_count_text(freed, answer->all_cut.question);
    uint32_t num = answer->num_holders;
    bool is_one = answer->objects == 1, can_cut = num > 0 && answer->holders[0].is_cuttable;
    const char *holders = num == 1 ? "holder" : "holders";
    const char *them = num == 1 ? "it" : num == 2 ? "both" : "all of them";
    if (answer->is_diffuse)
        snprintf(out, RCH_WHY_SENTENCE_BYTES,
                 "Held from many places: no small number of cuts frees %s. Below are the %" PRIu32
                 " ways that hold most; each cut is counted alone.",
                 is_one ? "it" : "them all", num);
    else if (!can_cut)
        snprintf(out, RCH_WHY_SENTENCE_BYTES, "%s", uncut_words(answer));
    else if (answer->all_cut.question >= answer->objects)
        snprintf(out, RCH_WHY_SENTENCE_BYTES, "Kept alive by %" PRIu32 " %s. To free %s%s, cut %s.",
                 num, holders, is_one ? "it" : "all ", is_one ? "" : objects, them);
    else
        snprintf(out, RCH_WHY_SENTENCE_BYTES,
                 "Kept alive by %" PRIu32 " %s. Cutting %s frees %s of %s; the rest is below.", num,
                 holders, them, freed, objects);
}

void rch_cut_here(char out[RCH_CUT_HERE_BYTES], const struct rch_holder *holder)
{
    const struct rch_hop *hop = &holder->hops[holder->cut];
    char cut[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES];
    rch_count_text(cut, holder->num_cut_refs);
    rch_count_text(all, hop->num_elements);
    enum rch_cut_extent extent = rch_cut_extent(holder);
    if (extent == RCH_CUT_ALL && holder->num_cut_refs > 1)
        snprintf(out, RCH_CUT_HERE_BYTES, "cut here: all %s %s", all, rch_hop_plural(hop->kind, 2));
    else if (extent == RCH_CUT_SOME)
        snprintf(out, RCH_CUT_HERE_BYTES, "cut here: %s of %s %s", cut, all,
                 rch_hop_plural(hop->kind, hop->num_elements));
    else if (holder->num_cut_refs > 1)
        snprintf(out, RCH_CUT_HERE_BYTES, "cut here: %s %s", cut, rch_hop_plural(hop->kind, 2));
    else
        snprintf(out, RCH_CUT_HERE_BYTES, "cut here");
}

void rch_cut_entries(char out[RCH_CUT_HERE_BYTES], const struct rch_holder *holder)
{
    const struct rch_hop *hop = &holder->hops[holder->cut];
    char count[RCH_NUMBER_BYTES], all[RCH_NUMBER_BYTES];
    rch_count_text(count, holder->num_cut_refs);
    rch_count_text(all, hop->num_elements);
    out[0] = '\0';
    if (rch_cut_extent(holder) == RCH_CUT_SOME)
        snprintf(out, RCH_CUT_HERE_BYTES, ": %s of its %s %s", count, all,
                 rch_hop_plural(hop->kind, hop->num_elements));
    else if (rch_cut_extent(holder) == RCH_CUT_IN_MANY)
        snprintf(out, RCH_CUT_HERE_BYTES, ": %s %s of %s containers", count,
                 rch_hop_plural(hop->kind, holder->num_cut_refs),
                 rch_count_text(all, holder->hops[holder->cut - 1].num_objects));
}
