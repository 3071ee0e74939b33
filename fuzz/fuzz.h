// SPDX-License-Identifier: MIT
// fuzz/fuzz.h -- the entry that libFuzzer calls, and replay.c when there is no libFuzzer.
#ifndef RCH_FUZZ_FUZZ_H
#define RCH_FUZZ_FUZZ_H
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t num_bytes);

#endif
