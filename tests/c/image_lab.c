// SPDX-License-Identifier: MIT
// tests/c/image_lab.c -- captures of a live process for the Python tests:
//
//   image_lab dump PID FILE                   a snapshot
//   image_lab search PID FILE                 the same, as if the collector were at work
//   image_lab mutate PID SEED ROUNDS WORDS    what becomes of an image that is torn
//
// Mutating: the process is read once; each round overwrites WORDS words of the image with what may stand
// there by accident, captures, checks every invariant of the graph, and puts the words back.
// Nothing may crash or hang, and the last capture, of the image put back, must be the first one again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/outside.h"
#include "format/rch_file.h"
#include "model/verify.h"
#include "target/image_impl.h"

#define MAX_WORDS 4096

static struct rch_image *image;
static struct rch_python python;

static int complain(const struct rch_error *err)
{
    fprintf(stderr, "image_lab: %s\n", err->message);
    return 1;
}

static int open_process(const char *pid)
{
    struct rch_image_options options = {.alloc = rch_alloc_default()};
    struct rch_error err = {0};
    if (rch_image_open_pid((uint32_t)strtoul(pid, NULL, 10), &options, &image, &err) != RCH_OK ||
        rch_python_find(image, rch_alloc_default(), &python, &err) != RCH_OK)
        return complain(&err);
    return 0;
}

// NULL: refused. A graph that breaks an invariant ends the program.
static struct rch_graph *capture(struct rch_error *err)
{
    struct rch_graph *g = NULL;
    enum rch_status st =
        rch_capture_image(image, &python, NULL, 0, NULL, rch_alloc_default(), &g, err);
    if (st == RCH_OK && rch_graph_verify(g, err) != RCH_OK)
        exit(complain(err));
    return g;
}

static int dump(const char *path)
{
    struct rch_error err = {0};
    struct rch_graph *g = capture(&err);
    if (!g || rch_file_write(g, path, NULL, &err) != RCH_OK)
        return complain(&err);
    rch_graph_free(g);
    return 0;
}

static int pretend_collecting(void)
{
    uint64_t gc = python.first_interp + (uint64_t)python.layout.interp_gc;
    uint8_t *at = rch_image_at(image, gc + (uint64_t)python.layout.gc_collecting);
    const uint32_t one = 1;
    if (at)
        memcpy(at, &one, sizeof(one));
    return at ? 0 : 1;
}

// ---- mutations -----------------------------------------------------------------------------------

static uint64_t state;
static const struct rch_graph *whole;

static uint64_t random_word(void)  // splitmix64 (Steele, Lea, Flood), public domain
{
    uint64_t z = (state += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint64_t some_object(void)
{
    return rch_addr_of(whole, (rch_node)(random_word() % whole->num_objects));
}

// Mostly in the objects, their headers and tables, where it hurts; now and then anywhere.
static uint64_t some_place(void)
{
    uint64_t kind = random_word() % 16;
    if (kind == 0) {
        const struct rch_map *map = &image->maps[random_word() % image->num_maps];
        return (map->start + random_word() % (map->end - map->start)) & ~7ull;
    }
    if (kind == 1)
        return python.first_interp + random_word() % 2048 * 8;
    uint64_t addr = some_object() - 32 + random_word() % 20 * 8, word;
    struct rch_target target = image->target;
    if (kind < 6 && rch_target_read(&target, addr, &word, 8) && rch_image_map_at(image, word))
        return (word & ~7ull) + random_word() % 12 * 8;  // a table
    return addr;
}

static uint64_t some_value(uint64_t before)
{
    switch (random_word() % 9) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return random_word();
    case 3: return before ^ 1ull << random_word() % 64;
    case 4: return before + 8 * (random_word() % 9) - 32;
    case 5: return random_word() % 1000;
    case 6: return random_word() >> (random_word() % 64);
    default: return some_object() + 8 * (random_word() % 16 == 0);
    }
}

static struct {
    uint8_t *at;
    uint64_t before;
} changed[MAX_WORDS];

static void change(unsigned long num)
{
    for (unsigned long i = 0; i < num;) {
        uint8_t *at = rch_image_at(image, some_place());
        if (!at)
            continue;
        changed[i].at = at;
        memcpy(&changed[i].before, at, 8);
        uint64_t value = some_value(changed[i++].before);
        memcpy(at, &value, 8);
    }
}

static int mutate(unsigned long rounds, unsigned long words)
{
    unsigned long partial = 0, refused = 0;
    struct rch_error err = {0};
    struct rch_graph *first = capture(&err), *last;
    if (!first || words > MAX_WORDS)
        return complain(&err);
    whole = first;
    for (unsigned long round = 0; round < rounds; round++) {
        change(words);
        struct rch_graph *g = capture(&err);
        partial += g && g->info.is_partial;
        refused += !g;
        rch_graph_free(g);
        for (unsigned long i = words; i-- > 0;)
            memcpy(changed[i].at, &changed[i].before, 8);
    }
    last = capture(&err);
    bool is_same = last && last->num_nodes == first->num_nodes &&
                   last->num_edges == first->num_edges && !last->info.is_partial;
    printf("%lu captures, %lu partial, %lu refused, the last one %s\n", rounds, partial, refused,
           is_same ? "whole" : "DIFFERS");
    rch_graph_free(last);
    rch_graph_free(first);
    return is_same ? 0 : 1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 3 ? argv[1] : "";
    int code = 2;
    if (*what && open_process(argv[2]) != 0)
        return 1;
    if (strcmp(what, "dump") == 0)
        code = dump(argv[3]);
    if (strcmp(what, "search") == 0)
        code = pretend_collecting() || dump(argv[3]);
    if (strcmp(what, "mutate") == 0 && argc == 6) {
        state = strtoull(argv[3], NULL, 10);
        code = mutate(strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
    }
    rch_image_free(image);
    return code;
}
