// SPDX-License-Identifier: MIT
// render/why_words.h -- sentences that the text of an answer and its picture share.
#ifndef RCH_RENDER_WHY_WORDS_H
#define RCH_RENDER_WHY_WORDS_H
#include "analyze/why/why.h"

enum { RCH_WHY_SENTENCE_BYTES = 512, RCH_CUT_HERE_BYTES = 160 };

/// The short answer, one sentence or two: "Kept alive by 2 holders. To free all 3, cut both."
void rch_why_sentence(char out[RCH_WHY_SENTENCE_BYTES], const struct rch_answer *answer);
/// "cut here: all 3 keys"
void rch_cut_here(char out[RCH_CUT_HERE_BYTES], const struct rch_holder *holder);
/// ": 28 of its 30 items", what to cut of the container that rch_cut_text names; "" if that says it all.
void rch_cut_entries(char out[RCH_CUT_HERE_BYTES], const struct rch_holder *holder);

#endif
