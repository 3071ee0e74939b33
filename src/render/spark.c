// SPDX-License-Identifier: MIT
// render/spark.c -- see spark.h.
#include "render/spark.h"

#include <string.h>

enum { NUM_LEVELS = 8 };

uint32_t rch_spark_text(char out[RCH_SPARK_BYTES], const uint64_t *numbers, uint32_t num,
                        uint32_t max_columns, bool ascii)
{
    static const char bars[NUM_LEVELS][4] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                             "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char plain[NUM_LEVELS][4] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    if (max_columns > RCH_SPARK_COLUMNS)
        max_columns = RCH_SPARK_COLUMNS;
    uint32_t columns = num < max_columns ? num : max_columns;
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < num; i++) {
        least = numbers[i] < least ? numbers[i] : least;
        most = numbers[i] > most ? numbers[i] : most;
    }
    char *at = out;
    for (uint32_t i = 0; i < columns; i++) {
        uint64_t number = numbers[(uint64_t)(i + 1) * num / columns - 1];
        double share = most > least ? (double)(number - least) / (double)(most - least) : 0;
        uint32_t level = (uint32_t)(share * (NUM_LEVELS - 1) + 0.5);
        const char *bar = ascii ? plain[level] : bars[level];
        size_t num_bytes = strlen(bar);
        memcpy(at, bar, num_bytes);
        at += num_bytes;
    }
    *at = '\0';
    return columns;
}
