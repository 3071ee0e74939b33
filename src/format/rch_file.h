// SPDX-License-Identifier: MIT
// format/rch_file.h -- the .rch snapshot: the graph's columns in a file, written once, mapped to
// read. Byte layout: docs/format.md.
#ifndef RCH_FORMAT_RCH_FILE_H
#define RCH_FORMAT_RCH_FILE_H
#include "base/progress.h"
#include "model/graph.h"

/// Write `g` to `path`: a new file of mode 0600 beside it, synced, then renamed over it; on error
/// nothing is left behind and an old file at `path` stays. A symbolic link is replaced; what is not
/// a regular file is refused. No heap memory. Not possible: RCH_EIO with errno; RCH_ECANCELED.
RCH_MUST_CHECK enum rch_status rch_file_write(const struct rch_graph *g, const char *path,
                                              const struct rch_progress *progress,
                                              struct rch_error *err);

/// Map the file and check header, directory, section checksums and every graph invariant.
/// A file cut short or damaged gives RCH_ECORRUPT with the offset -- or, with `salvage`, a graph of
/// what can still be used, marked partial and with warnings that say what is missing.
/// Another format version gives RCH_EUNSUPPORTED, a file that cannot be opened RCH_EIO with errno.
/// On success *graph_out is the caller's (rch_graph_free unmaps). O(file). The file must not be
/// shortened or changed in place while the graph lives; replacing it by renaming is fine.
RCH_MUST_CHECK enum rch_status rch_file_open(const char *path, bool salvage,
                                             const struct rch_alloc *alloc,
                                             struct rch_graph **graph_out, struct rch_error *err);

#endif
