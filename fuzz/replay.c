// SPDX-License-Identifier: MIT
// fuzz/replay.c -- a fuzz target as an ordinary test: each file of the command line, as it is, cut
// and with numbers changed, a fixed sequence of times.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define MAX_BYTES (16u << 20)
#define NUM_MUTATIONS 2000u

// splitmix64 (S. Vigna, public domain)
static uint64_t next_random(uint64_t *seed)
{
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void mutate(uint8_t *bytes, size_t num_bytes, uint64_t *seed)
{
    static const uint64_t values[] = {0,      1,         0x7F,       0xFF,           0xFFFE,
                                      0xFFFF, INT32_MAX, UINT32_MAX, UINT32_MAX - 1, UINT64_MAX};
    uint64_t num_changes = 1 + next_random(seed) % 4;
    for (uint64_t i = 0; i < num_changes; i++) {
        size_t at = next_random(seed) % num_bytes;
        size_t width = (size_t)1 << next_random(seed) % 4;
        uint64_t value = values[next_random(seed) % (sizeof(values) / sizeof(values[0]))];
        if (next_random(seed) % 2)
            value = next_random(seed);
        at -= at % width;
        if (num_bytes - at >= width)
            memcpy(bytes + at, &value, width);
    }
}

static int replay(const char *path)
{
    static uint8_t original[MAX_BYTES], bytes[MAX_BYTES];
    uint64_t seed = 1;
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t num_bytes = fread(original, 1, sizeof(original), file);
    fclose(file);
    LLVMFuzzerTestOneInput(original, num_bytes);
    for (uint32_t i = 0; num_bytes && i < NUM_MUTATIONS; i++) {
        memcpy(bytes, original, num_bytes);
        mutate(bytes, num_bytes, &seed);
        size_t num_kept = i % 8 ? num_bytes : next_random(&seed) % num_bytes;
        LLVMFuzzerTestOneInput(bytes, num_kept);
    }
    return 0;
}

int main(int argc, char **argv)
{
    int num_failed = 0;
    for (int i = 1; i < argc; i++)
        num_failed += replay(argv[i]);
    return num_failed != 0;
}
