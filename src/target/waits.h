// SPDX-License-Identifier: MIT
// target/waits.h -- what a thread does in the kernel, in words: "recv on fd 7: TCP 127.0.0.1:40312 ->
// 127.0.0.1:5672". From the system call it was in, its arguments, and the open descriptors.
#ifndef RCH_TARGET_WAITS_H
#define RCH_TARGET_WAITS_H
#include "target/fds.h"
#include "target/image.h"

#define RCH_WAITS_BYTES 500

/// Words for one thread of the image, "" when nothing is known. `fds` may be NULL: descriptors are then
/// numbers only. Arguments are followed into the image's memory: they may be torn, and names in it are
/// raw bytes. x86-64 only.
void rch_waits_words(const struct rch_image *image, const struct rch_os_thread *thread,
                     const struct rch_os_fds *fds, char words[RCH_WAITS_BYTES]);
/// Address of the futex that it waits on; 0: it is in no such call.
uint64_t rch_waits_futex(const struct rch_image *image, const struct rch_os_thread *thread);

#endif
