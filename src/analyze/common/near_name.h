// SPDX-License-Identifier: MIT
// analyze/common/near_name.h -- how far a typed name is from a type's name, for "did you mean", and
// the few nearest of many names.
#ifndef RCH_ANALYZE_NEAR_NAME_H
#define RCH_ANALYZE_NEAR_NAME_H
#include <stdbool.h>
#include <stdint.h>

#define RCH_NOT_NEAR UINT32_MAX

/// 0: equal but for case; 1: one holds the other; 2 and up: that many edits (insert, delete, change,
/// swap of neighbours) less one, at most a third of the typed length; else RCH_NOT_NEAR. Compares the
/// last parts of dotted names, ASCII case folded. O(length squared), names above 64 bytes are only
/// compared for equality and containment.
uint32_t rch_name_distance(const char *typed, const char *full_name);

enum { RCH_MAX_NEAR = 5 };
struct rch_near_list {
    const char *texts[RCH_MAX_NEAR];  // the nearest first, equally near ones as text; no doubles
    uint32_t distances[RCH_MAX_NEAR];
    uint32_t num;
};
/// May a text of this distance get into the list? So that only those are copied that do.
bool rch_near_fits(const struct rch_near_list *list, uint32_t distance);
/// Put it there; `text` must stay valid as long as the list.
void rch_near_add(struct rch_near_list *list, uint32_t distance, const char *text);

#endif
