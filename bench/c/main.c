// SPDX-License-Identifier: MIT
// bench/c/main.c -- rch_bench: make one graph, run the analyses, tell of each what it took, as JSON
// lines on standard output. One graph a process, so that memory is that of this graph alone.
//
//   rch_bench SHAPE OBJECTS [--seed N] [--rounds N] [--only NAME,NAME...]
//   rch_bench --list | --built-by | --latency
#include <getopt.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/c/analyses.h"

#ifndef BENCH_COMPILER
#define BENCH_COMPILER "unknown"
#endif

enum { MMAP_FROM_BYTES = 1 << 20, CHASE_BYTES = 256 << 20, CHASE_STEPS = 500000, CHASE_ROUNDS = 8 };

struct options {
    struct bench_recipe recipe;
    const char *only;  // NULL: all
    uint32_t rounds;
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// --- memory ---

static uint64_t status_bytes(const char *field)
{
    char line[256];
    unsigned long long kib = 0;
    size_t num = strlen(field);
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, field, num) == 0 && line[num] == ':')
            kib = strtoull(line + num + 1, NULL, 10);
    }
    if (file)
        fclose(file);
    return kib * 1024;
}

// The peak of resident memory starts again from what is resident now.
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5", file);
    fclose(file);
}

// Nanoseconds for a load that has to wait for the one before it, from memory and not a cache; the
// least of some rounds.
static double latency(void)
{
    size_t num = CHASE_BYTES / sizeof(uint64_t), at = 0;
    uint64_t *next = malloc(CHASE_BYTES), random = 1;
    if (!next)
        return 0;
    for (size_t i = 0; i < num; i++)
        next[i] = i;
    for (size_t i = num - 1; i > 0; i--) {  // Sattolo: one cycle through all
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t j = (random >> 33) % i;
        uint64_t other = next[i];
        next[i] = next[j];
        next[j] = other;
    }
    double least = 1e9;
    for (uint32_t round = 0; round < CHASE_ROUNDS; round++) {
        double start = seconds(CLOCK_MONOTONIC);
        for (uint32_t i = 0; i < CHASE_STEPS; i++)
            at = next[at];
        double took = seconds(CLOCK_MONOTONIC) - start;
        least = took < least ? took : least;
    }
    free(next);
    return at < num ? least / CHASE_STEPS * 1e9 : 0;  // `at` is used: the loop stays
}

// --- measuring ---

struct taken {
    double cpu_s, wall_s;  // the least of the rounds
    uint64_t peak_bytes;   // resident at most, the graph and what is needed included
};

static enum rch_status measure(struct bench *b, const struct bench_analysis *a, uint32_t rounds,
                               uint64_t empty_bytes, struct taken *taken, struct rch_error *err)
{
    *taken = (struct taken){.cpu_s = 1e9, .wall_s = 1e9};
    for (uint32_t i = 0; i < rounds; i++) {
        bench_drop(b, a->needs);
        RCH_TRY(bench_prepare(b, a->needs, err));
        forget_peak();
        double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
        RCH_TRY(a->run(b, err));
        cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        wall = seconds(CLOCK_MONOTONIC) - wall;
        b->has |= a->makes;
        uint64_t peak = status_bytes("VmHWM") - empty_bytes;
        taken->cpu_s = cpu < taken->cpu_s ? cpu : taken->cpu_s;
        taken->wall_s = wall < taken->wall_s ? wall : taken->wall_s;
        taken->peak_bytes = peak > taken->peak_bytes ? peak : taken->peak_bytes;
    }
    return RCH_OK;
}

static void print_row(const struct bench *b, const struct options *o, const char *name,
                      const struct taken *taken)
{
    double num = b->g->num_objects;
    printf("{\"graph\":\"%s\",\"objects\":%" PRIu32 ",\"nodes\":%" PRIu32 ",\"references\":%" PRIu32
           ",\"seed\":%" PRIu64 ",\"analysis\":\"%s\",\"cpu_s\":%.6f,\"wall_s\":%.6f"
           ",\"ns_an_object\":%.3f,\"peak_bytes\":%" PRIu64 ",\"peak_bytes_an_object\":%.3f}\n",
           o->recipe.shape, b->g->num_objects, b->g->num_nodes, b->g->num_edges, o->recipe.seed,
           name, taken->cpu_s, taken->wall_s, taken->cpu_s / num * 1e9, taken->peak_bytes,
           (double)taken->peak_bytes / num);
    fflush(stdout);
}

static bool is_wanted(const char *only, const char *name)
{
    size_t num = strlen(name);
    for (const char *at = only; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, name, num) == 0 && (at[num] == ',' || !at[num]))
            return true;
    }
    return !only;
}

static enum rch_status run_all(struct bench *b, const struct options *o, uint64_t empty_bytes,
                               struct rch_error *err)
{
    for (const struct bench_analysis *a = bench_analyses; a->name; a++) {
        struct taken taken;
        if (!is_wanted(o->only, a->name))
            continue;
        RCH_TRY(measure(b, a, o->rounds, empty_bytes, &taken, err));
        print_row(b, o, a->name, &taken);
    }
    return RCH_OK;
}

static int run(const struct options *o)
{
    struct bench bench = {.alloc = rch_alloc_default()};
    struct rch_error err;
    struct taken taken;
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES);  // freed columns go back to the system
    uint64_t empty_bytes = status_bytes("VmRSS");
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    enum rch_status st = bench_graph_make(&o->recipe, bench.alloc, &bench.made, &err);
    taken.cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    taken.wall_s = seconds(CLOCK_MONOTONIC) - wall;
    taken.peak_bytes = status_bytes("VmHWM") - empty_bytes;
    if (st == RCH_OK) {
        bench.g = bench.made.graph;
        print_row(&bench, o, "make", &taken);
        st = run_all(&bench, o, empty_bytes, &err);
        bench_drop(&bench, 0);
    }
    rch_graph_free(bench.made.graph);
    if (st == RCH_OK)
        return 0;
    fprintf(stderr, "rch_bench: %s\n", err.message);
    return 4;
}

// --- arguments ---

static int list(void)
{
    for (uint32_t i = 0; bench_shape_name(i); i++)
        printf("graph %s: %s\n", bench_shape_name(i), bench_shape_words(i));
    for (const struct bench_analysis *a = bench_analyses; a->name; a++)
        printf("analysis %s\n", a->name);
    return 0;
}

static int built_by(void)
{
    printf("{\"compiler\":\"%s\",\"libc\":\"glibc %s\"}\n", BENCH_COMPILER, gnu_get_libc_version());
    return 0;
}

static int print_latency(void)
{
    printf("{\"latency_ns\":%.1f}\n", latency());
    return 0;
}

static int usage(void)
{
    fputs("usage: rch_bench SHAPE OBJECTS [--seed N] [--rounds N] [--only NAME,NAME...]\n"
          "       rch_bench --list | --built-by | --latency\n",
          stderr);
    return 2;
}

static bool read_arguments(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {{"seed", required_argument, NULL, 's'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"only", required_argument, NULL, 'o'},
                                          {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (c == 's')
            o->recipe.seed = strtoull(optarg, NULL, 10);
        else if (c == 'r')
            o->rounds = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'o')
            o->only = optarg;
        else
            return false;
    }
    if (argc - optind != 2 || o->rounds < 1)
        return false;
    double num = strtod(argv[optind + 1], NULL);  // 1e6 is how one writes it
    o->recipe.shape = argv[optind];
    o->recipe.num_objects = num >= 0 && num < UINT32_MAX ? (uint32_t)num : 0;
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.recipe = {.seed = 1}, .rounds = 1};
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    if (argc == 2 && strcmp(argv[1], "--built-by") == 0)
        return built_by();
    if (argc == 2 && strcmp(argv[1], "--latency") == 0)
        return print_latency();
    return read_arguments(argc, argv, &options) ? run(&options) : usage();
}
