// SPDX-License-Identifier: MIT
// render/spark.h -- a row of numbers as a row of small bars.
#ifndef RCH_RENDER_SPARK_H
#define RCH_RENDER_SPARK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RCH_SPARK_COLUMNS = 40, RCH_SPARK_BYTES = RCH_SPARK_COLUMNS * 3 + 1 };

/// One column a number; of more than `max_columns` (at most RCH_SPARK_COLUMNS) numbers each column has
/// the last of its share. The least is the lowest bar, the most the highest, all alike the lowest.
/// Returns the columns used. ASCII: "_.:-=+*#".
uint32_t rch_spark_text(char out[RCH_SPARK_BYTES], const uint64_t *numbers, uint32_t num,
                        uint32_t max_columns, bool ascii);

#endif
