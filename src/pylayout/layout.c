// SPDX-License-Identifier: MIT
// pylayout/layout.c -- pick a version's table, and look at it field by field.
#include "pylayout/layout.h"

#include <stddef.h>

#include "pylayout/tables.h"

static const struct rch_layout *const tables[] = {
    &rch_layout_v3_09, &rch_layout_v3_10, &rch_layout_v3_11, &rch_layout_v3_12,
    &rch_layout_v3_13, &rch_layout_v3_14, &rch_layout_v3_15, &rch_layout_v3_13t,
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

static const struct rch_layout *table_of(uint32_t py_major, uint32_t py_minor,
                                         int32_t is_free_threaded)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if ((uint32_t)tables[i]->py_major == py_major &&
            (uint32_t)tables[i]->py_minor == py_minor &&
            tables[i]->is_free_threaded == is_free_threaded)
            return tables[i];
    }
    return NULL;
}

const struct rch_layout *rch_layout_for(uint32_t py_major, uint32_t py_minor)
{
    return table_of(py_major, py_minor, 0);
}

const struct rch_layout *rch_layout_free_threaded(uint32_t py_major, uint32_t py_minor)
{
    return table_of(py_major, py_minor, 1);
}

const struct rch_layout *rch_layout_origin(const struct rch_layout *layout)
{
    return table_of((uint32_t)layout->py_major, (uint32_t)layout->py_minor,
                    layout->is_free_threaded);
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
