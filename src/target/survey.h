// SPDX-License-Identifier: MIT
// target/survey.h -- what a live process has mapped at one moment, and what of it is to be copied: what
// can only be had from the process itself. Private to target/.
#ifndef RCH_TARGET_SURVEY_H
#define RCH_TARGET_SURVEY_H
#include "base/arena.h"
#include "base/vec.h"
#include "target/image.h"
#include "target/proc.h"

struct rch_survey {
    struct rch_arena texts;
    struct rch_vec maps;   // struct rch_map
    struct rch_vec fds;    // int, one a map: where the rest of it comes from, -1: from nowhere
    struct rch_vec runs;   // struct rch_span, in address order: to be copied
    struct rch_vec zeros;  // struct rch_span: never written
    uint64_t num_bytes;    // of the runs
};

/// The files behind maps, each opened once.
struct rch_map_files {
    struct rch_vec rows;
    int max_fd;  // from this one on they are closed again: what is left of the limit is for others
};
void rch_map_files_init(struct rch_map_files *files, const struct rch_alloc *alloc);
/// Closes those that were not taken.
void rch_map_files_deinit(struct rch_map_files *files);
/// The file of this map is now someone else's to close.
void rch_map_files_take(struct rch_map_files *files, const struct rch_map *map);

struct rch_survey_of {
    const struct rch_image *image;  // pid and root are known
    uint32_t tid;                   // of a thread that has the memory
    int pagemap;                    // of /proc/TID, -1: not to be had
    struct rch_map_files *files;
    /// An earlier survey, NULL: none. What it wanted is wanted again, where it is still mapped, without
    /// another look at the pages: quicker by far, and nothing else is read for it.
    const struct rch_survey *before;
};

void rch_survey_init(struct rch_survey *survey, const struct rch_alloc *alloc);
void rch_survey_deinit(struct rch_survey *survey);
/// Into an empty survey.
RCH_MUST_CHECK enum rch_status rch_survey_take(struct rch_survey *survey,
                                               const struct rch_survey_of *of,
                                               struct rch_error *err);

#endif
