// SPDX-License-Identifier: MIT
// target/image_impl.h -- how an image is put together. Private to target/ and its tests.
//
// Our copy keeps the target's layout within chunks of 2 MiB: chunk number n of the target is one
// piece of ours, or none. A chunk whose mapped pages are all ours gets into target.chunks, and a load from
// it is a look-up and a load. Pages nobody mapped read as zeros there. All else goes through read(), which
// finds the map, loads file pages when they are first wanted, and fails for what is not to be had.
#ifndef RCH_TARGET_IMAGE_IMPL_H
#define RCH_TARGET_IMAGE_IMPL_H
#include "base/arena.h"
#include "base/vec.h"
#include "target/image.h"

/// An empty image. Maps, threads and pages are added, then rch_image_seal() is called, then nothing
/// changes any more. The caller frees it (rch_image_free) also when something failed.
RCH_MUST_CHECK enum rch_status rch_image_new(const struct rch_image_options *options,
                                             struct rch_image **image_out, struct rch_error *err);
/// Maps in address order, without overlap; path is copied.
RCH_MUST_CHECK enum rch_status rch_image_add_map(struct rch_image *image, const struct rch_map *map,
                                                 struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_image_add_thread(struct rch_image *image,
                                                    const struct rch_os_thread *thread,
                                                    struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_image_warn(struct rch_image *image, struct rch_error *err,
                                              const char *fmt, ...) RCH_PRINTF(3, 4);
/// Our memory for [start, end), to be written by the caller: valid until the image is freed. The range
/// must lie in one map. Pre-faulted when `fault` says so (before the target is stopped). Pages
/// count as had once rch_image_have() says so.
RCH_MUST_CHECK enum rch_status rch_image_reserve(struct rch_image *image, uint64_t start,
                                                 uint64_t end, bool fault, struct rch_error *err);
uint8_t *rch_image_at(struct rch_image *image, uint64_t addr);  // NULL where nothing is reserved
void rch_image_have(struct rch_image *image, uint64_t start, uint64_t end);
/// Where the pages of map number `map` that nobody copied come from: an open file, at the map's offset.
/// The image closes it. Read when asked for.
void rch_image_back_by_file(struct rch_image *image, size_t map, int fd);
/// Fill target.chunks, count what is missing.
RCH_MUST_CHECK enum rch_status rch_image_seal(struct rch_image *image, struct rch_error *err);

#endif
