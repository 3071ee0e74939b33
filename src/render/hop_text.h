// SPDX-License-Identifier: MIT
// render/hop_text.h -- hops, roots and cuts in the words a Python programmer uses: .attr, ["key"],
// [3], <key>, local x. Everything comes out clean and bounded in columns.
#ifndef RCH_RENDER_HOP_TEXT_H
#define RCH_RENDER_HOP_TEXT_H
#include "analyze/keepers/named_reference.h"
#include "render/clean.h"

/// How the hop is written in Python, or as near as can be. Returns the columns used.
uint32_t rch_hop_text(char out[RCH_CLEAN_BYTES], const struct rch_hop *hop, uint32_t max_columns,
                      unsigned flags);
/// "()" for roots that are named after a function, otherwise "".
const char *rch_root_suffix(enum rch_root_kind kind);
enum rch_cut_extent {
    RCH_CUT_ONE,      // one reference, or entries of a root
    RCH_CUT_ALL,      // all entries of one container: clear it
    RCH_CUT_SOME,     // some entries of one container
    RCH_CUT_IN_MANY,  // entries of several containers
};
enum rch_cut_extent rch_cut_extent(const struct rch_holder *holder);
/// The reference to cut, the container to clear, or the container whose entries to cut, as an
/// expression from its root. `cut` must be a hop.
uint32_t rch_cut_text(char out[RCH_CLEAN_BYTES], const struct rch_holder *holder,
                      uint32_t max_columns, unsigned flags);
/// All hops as an expression from the root: "hass.data.cache[*]".
uint32_t rch_path_text(char out[RCH_CLEAN_BYTES], const struct rch_holder *holder,
                       uint32_t max_columns, unsigned flags);
/// "keys", "items" ...: what the references of this kind are called in numbers.
const char *rch_hop_plural(enum rch_edge_kind kind, uint64_t num);

#endif
