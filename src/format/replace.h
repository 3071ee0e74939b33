// SPDX-License-Identifier: MIT
// format/replace.h -- a new file takes the place of an old one at once or not at all.
#ifndef RCH_FORMAT_REPLACE_H
#define RCH_FORMAT_REPLACE_H
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

typedef enum rch_status rch_file_writer(void *ctx, int fd, struct rch_error *err);

/// Have `write_to` fill a new file of this mode (whatever the umask says) beside `path`, sync it if asked, rename
/// it over `path`. On error nothing is left behind and an old file at `path` stays. A symbolic link is
/// replaced; what is not a regular file is refused. No heap memory. Not possible: RCH_EIO with errno.
RCH_MUST_CHECK enum rch_status rch_file_replace(const char *path, mode_t mode, bool is_synced,
                                                rch_file_writer *write_to, void *ctx,
                                                struct rch_error *err);

#endif
