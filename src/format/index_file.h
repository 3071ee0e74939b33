// SPDX-License-Identifier: MIT
// format/index_file.h -- the index beside a snapshot, "app.rch.idx": what model/derived.h keeps, so
// that the next command need not compute it again. It can be made again at any time: nobody needs to
// keep it, and the snapshot itself is never touched. Byte layout: docs/format.md.
#ifndef RCH_FORMAT_INDEX_FILE_H
#define RCH_FORMAT_INDEX_FILE_H
#include "base/progress.h"
#include "model/graph.h"

/// Let a graph that was opened from `snapshot_path` keep what is computed from it, and take over what
/// its index has, if there is one of this very snapshot. The file is mapped; its columns are checked
/// when they are first used. RCH_OK also when there is none; *trouble_out: what is wrong with the one
/// there is, which is then not used ("" if nothing; `bytes` of room).
RCH_MUST_CHECK enum rch_status rch_index_open(struct rch_graph *g, const char *snapshot_path,
                                              const struct rch_alloc *alloc, char *trouble_out,
                                              size_t bytes, struct rch_error *err);

/// Write the index if something was computed that it does not have, and the graph is large enough for
/// that to be worth a file (RCH_INDEX_MIN_NODES; `even_small`: always). Mode 0600, by renaming. A
/// directory that cannot be written to, a full disk: RCH_EIO, and nothing is left behind. RCH_OK when
/// there is nothing to do.
#define RCH_INDEX_MIN_NODES 200000u
RCH_MUST_CHECK enum rch_status rch_index_save(const struct rch_graph *g, const char *snapshot_path,
                                              bool even_small, const struct rch_progress *progress,
                                              struct rch_error *err);

#endif
