// SPDX-License-Identifier: MIT
// pylayout/tables.h -- the generated tables, one a minor version and build; for layout.c and the tables.
#ifndef RCH_PYLAYOUT_TABLES_H
#define RCH_PYLAYOUT_TABLES_H
#include "pylayout/layout.h"

extern const struct rch_layout rch_layout_v3_09;
extern const struct rch_layout rch_layout_v3_10;
extern const struct rch_layout rch_layout_v3_11;
extern const struct rch_layout rch_layout_v3_12;
extern const struct rch_layout rch_layout_v3_13;
extern const struct rch_layout rch_layout_v3_13t;
extern const struct rch_layout rch_layout_v3_14;
extern const struct rch_layout rch_layout_v3_15;

#endif
