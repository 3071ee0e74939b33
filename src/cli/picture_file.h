// SPDX-License-Identifier: MIT
// cli/picture_file.h -- a picture into a file, by the file's name.
#ifndef RCH_CLI_PICTURE_FILE_H
#define RCH_CLI_PICTURE_FILE_H
#include "render/picture.h"

enum rch_picture_format { RCH_PICTURE_DOT, RCH_PICTURE_SVG, RCH_PICTURE_HTML, RCH_PICTURE_PNG };

/// By how the name ends; false: in nothing we know.
bool rch_picture_format_of(const char *path, enum rch_picture_format *out);
/// Is there a program `dot` in PATH?
bool rch_has_dot(void);
/// DOT, SVG or HTML into a sink. `words` (may be NULL) go below the picture of a page.
RCH_MUST_CHECK enum rch_status rch_picture_put(const struct rch_picture *picture, const char *words,
                                               enum rch_picture_format format,
                                               const struct rch_alloc *alloc, struct rch_sink *sink,
                                               struct rch_error *err);
/// Write it. PNG runs `dot`.
RCH_MUST_CHECK enum rch_status rch_picture_save(const struct rch_picture *picture,
                                                const char *words, enum rch_picture_format format,
                                                const char *path, struct rch_error *err);

#endif
