// SPDX-License-Identifier: MIT
// analyze/common/near_name.c -- optimal string alignment distance (Damerau 1964, Wagner and Fischer 1974),
// three rows.
#include "analyze/common/near_name.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { MAX_LENGTH = 64, MIN_CONTAINED = 3, FEW_LETTERS = 3, CONTAINED = 3 };

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static const char *last_part(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot && dot[1] ? dot + 1 : name;
}

static bool equal_folded(const char *a, const char *b)
{
    for (; *a && fold(*a) == fold(*b); a++)
        b++;
    return *a == *b;
}

static bool contains_folded(const char *text, const char *part)
{
    size_t num = strlen(part);
    if (num < MIN_CONTAINED)
        return false;
    for (; *text; text++) {
        size_t i = 0;
        while (i < num && fold(text[i]) == fold(part[i]))
            i++;
        if (i == num)
            return true;
    }
    return false;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t edits(const char *a, size_t num_a, const char *b, size_t num_b)
{
    uint32_t rows[3][MAX_LENGTH + 1];
    for (uint32_t k = 0; k <= num_b; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= num_a; i++) {
        uint32_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (uint32_t)i;
        for (size_t k = 1; k <= num_b; k++) {
            bool same = fold(a[i - 1]) == fold(b[k - 1]);
            row[k] = least(least(above[k], row[k - 1]) + 1, above[k - 1] + !same);
            if (i > 1 && k > 1 && fold(a[i - 1]) == fold(b[k - 2]) &&
                fold(a[i - 2]) == fold(b[k - 1]))
                row[k] = least(row[k], above2[k - 2] + 1);
        }
    }
    return rows[num_a % 3][num_b];
}

uint32_t rch_name_distance(const char *typed, const char *full_name)
{
    const char *a = last_part(typed), *b = last_part(full_name);
    size_t num_a = strlen(a), num_b = strlen(b);
    if (num_a == 0 || num_b == 0)
        return RCH_NOT_NEAR;
    if (equal_folded(typed, full_name) || equal_folded(a, b))
        return 0;
    if (contains_folded(b, a) || contains_folded(a, b))
        return (num_a > num_b ? num_a - num_b : num_b - num_a) <= FEW_LETTERS ? 1 : CONTAINED;
    if (num_a > MAX_LENGTH || num_b > MAX_LENGTH)
        return RCH_NOT_NEAR;
    uint32_t num_edits = edits(a, num_a, b, num_b);
    return num_edits <= 1 + (num_a - 1) / 3 && num_edits < num_a ? num_edits + 1 : RCH_NOT_NEAR;
}

// Where it belongs in the list; RCH_MAX_NEAR: nowhere.
static uint32_t place_of(const struct rch_near_list *list, uint32_t distance, const char *text)
{
    uint32_t at = list->num;
    for (uint32_t i = 0; i < list->num; i++)
        if (strcmp(list->texts[i], text) == 0)
            return RCH_MAX_NEAR;
    while (at > 0 &&
           (distance < list->distances[at - 1] ||
            (distance == list->distances[at - 1] && strcmp(text, list->texts[at - 1]) < 0)))
        at--;
    return at;
}

bool rch_near_fits(const struct rch_near_list *list, uint32_t distance)
{
    return distance != RCH_NOT_NEAR &&
           (list->num < RCH_MAX_NEAR || distance <= list->distances[RCH_MAX_NEAR - 1]);
}

void rch_near_add(struct rch_near_list *list, uint32_t distance, const char *text)
{
    uint32_t at = place_of(list, distance, text);
    if (distance == RCH_NOT_NEAR || at == RCH_MAX_NEAR)
        return;
    if (list->num < RCH_MAX_NEAR)
        list->num++;
    for (uint32_t i = list->num - 1; i > at; i--) {
        list->texts[i] = list->texts[i - 1];
        list->distances[i] = list->distances[i - 1];
    }
    list->texts[at] = text;
    list->distances[at] = distance;
}
