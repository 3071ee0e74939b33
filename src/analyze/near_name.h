// SPDX-License-Identifier: MIT
// analyze/near_name.h -- how far a typed name is from a type's name, for "did you mean".
#ifndef RCH_ANALYZE_NEAR_NAME_H
#define RCH_ANALYZE_NEAR_NAME_H
#include <stdint.h>

#define RCH_NOT_NEAR UINT32_MAX

/// 0: equal but for case; 1: one holds the other; 2 and up: that many edits (insert, delete, change,
/// swap of neighbours) less one, at most a third of the typed length; else RCH_NOT_NEAR. Compares the
/// last parts of dotted names, ASCII case folded. O(length squared), names above 64 bytes are only
/// compared for equality and containment.
uint32_t rch_name_distance(const char *typed, const char *full_name);

#endif
