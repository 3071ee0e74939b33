// SPDX-License-Identifier: MIT
// target/image_impl.h -- how an image is put together. Private to target/ and its tests.
//
// Our copy keeps the target's layout within chunks of 2 MiB: chunk number n of the target is one
// piece of ours, or none. A chunk whose mapped pages are all ours gets into target.chunks, and a load from
// it is a look-up and a load. Pages nobody mapped, or mapped without access, read as zeros there. All else
// goes through read(), which loads the file pages of a chunk when one of them is first wanted, and
// fails for what is not to be had. Reads of one image are for one thread at a time.
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
/// A thread without was_stopped counts in num_not_stopped; those of cores have it.
RCH_MUST_CHECK enum rch_status rch_image_add_thread(struct rch_image *image,
                                                    const struct rch_os_thread *thread,
                                                    struct rch_error *err);
RCH_MUST_CHECK enum rch_status rch_image_warn(struct rch_image *image, struct rch_error *err,
                                              const char *fmt, ...) RCH_PRINTF(3, 4);
/// A copy of a text that lives as long as the image (for exe and root), or NULL.
const char *rch_image_text(struct rch_image *image, const char *text);
/// Our memory for [start, end), zeroed, to be written by the caller: valid until the image is freed.
/// Pre-faulted when `fault` says so (before the target is stopped). The maps need not be known yet.
RCH_MUST_CHECK enum rch_status rch_image_reserve(struct rch_image *image, uint64_t start,
                                                 uint64_t end, bool fault, struct rch_error *err);
/// Where addr lies in our memory; NULL where nothing is reserved. What is next to it in the target is
/// next to it here to the end of the chunk, and perhaps further: see below.
uint8_t *rch_image_at(struct rch_image *image, uint64_t addr);
/// How many of the reserved bytes [addr, end) lie side by side in our memory.
size_t rch_image_run(const struct rch_image *image, uint64_t addr, uint64_t end);
/// These bytes of a map are had: written to where rch_image_at() says, or zeros where nothing is
/// reserved. Out of memory is told by rch_image_seal(). The caller counts image.bytes_copied.
void rch_image_have(struct rch_image *image, uint64_t start, uint64_t end);
/// Where the pages of map number `map` that nobody had come from: an open file, at the map's offset.
/// Read when asked for. The image closes it, once if several maps were given the same.
void rch_image_back_by_file(struct rch_image *image, size_t map, int fd);
/// Fill target.chunks, count what is missing.
RCH_MUST_CHECK enum rch_status rch_image_seal(struct rch_image *image, struct rch_error *err);

#endif
