// SPDX-License-Identifier: MIT
// pylayout/layout.c -- pick a version's table, and look at it field by field.
#include "pylayout/layout.h"

#include <stddef.h>

#include "pylayout/tables.h"

static const struct rch_layout *const tables[] = {
    &rch_layout_v3_09, &rch_layout_v3_10, &rch_layout_v3_11, &rch_layout_v3_12,
    &rch_layout_v3_13, &rch_layout_v3_14, &rch_layout_v3_15,
};

static const struct {
    const char *name;
    size_t offset;
} fields[] = {
#define FIELD_ROW(name) {#name, offsetof(struct rch_layout, name)},
    RCH_LAYOUT_FIELDS(FIELD_ROW)
#undef FIELD_ROW
};

#define NUM_FIELDS (sizeof(fields) / sizeof(fields[0]))

const struct rch_layout *rch_layout_for(uint32_t py_major, uint32_t py_minor)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if ((uint32_t)tables[i]->py_major == py_major && (uint32_t)tables[i]->py_minor == py_minor)
            return tables[i];
    }
    return NULL;
}

const char *rch_layout_field_name(uint32_t i)
{
    return i < NUM_FIELDS ? fields[i].name : NULL;
}

int32_t rch_layout_field_value(const struct rch_layout *layout, uint32_t i)
{
    if (i >= NUM_FIELDS)
        return RCH_ABSENT;
    return *(const int32_t *)(const void *)((const char *)layout + fields[i].offset);
}
