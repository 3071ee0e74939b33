// SPDX-License-Identifier: MIT
// cli/known_file.h -- the file of known leaks: where it is, its text, and a new text in its place.
#ifndef RCH_CLI_KNOWN_FILE_H
#define RCH_CLI_KNOWN_FILE_H
#include "analyze/findings/known.h"

#define RCH_KNOWN_DEFAULT ".refchain-known"  // of the current directory

struct rch_known_file {
    const char *path;
    struct rch_text text;  // what it says now
    struct rch_known_list list;
    bool is_there;
};

enum rch_known_need { RCH_KNOWN_OPTIONAL, RCH_KNOWN_NEEDED };  // must the file be there?

/// Read and parse it. RCH_EIO with errno if it cannot be read, RCH_EINVAL "line 3: ..." if it makes no
/// sense. *file_out must not be moved; end it with rch_known_file_close after every return.
RCH_MUST_CHECK enum rch_status rch_known_file_open(const char *path, enum rch_known_need need,
                                                   struct rch_known_file *file_out,
                                                   struct rch_error *err);
void rch_known_file_close(struct rch_known_file *file);
/// The file says `text` from now on, or what it said before, never a part. Its mode stays; what a symbolic
/// link names is replaced, not the link.
RCH_MUST_CHECK enum rch_status rch_known_file_write(const struct rch_known_file *file,
                                                    struct rch_text *text, struct rch_error *err);
/// Append all of a file, 64 MiB at most.
RCH_MUST_CHECK enum rch_status rch_read_text(const char *path, struct rch_text *text,
                                             struct rch_error *err);
/// The day it is, UTC, so that all machines agree.
rch_day rch_today(void);

#endif
