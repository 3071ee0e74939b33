// SPDX-License-Identifier: MIT
// capture/share.c -- see share.h.
#define _GNU_SOURCE
#include "capture/share.h"

#include <sched.h>
#include <stdatomic.h>

#include "target/quiet_thread.h"

struct job {
    rch__part_fn run;
    void *ctx;
    uint32_t num_parts;
    atomic_uint next;
};

static void *run_parts(void *arg)
{
    struct job *job = arg;
    uint32_t part;
    while ((part = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->num_parts)
        job->run(job->ctx, part);
    return NULL;
}

static bool has_two_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) > 1;
}

void rch__share(uint32_t num_parts, bool pays, rch__part_fn run, void *ctx)
{
    struct job job = {.run = run, .ctx = ctx, .num_parts = num_parts};
    pthread_t second;
    bool has_second = pays && num_parts > 1 && has_two_processors() &&
                      rch_quiet_thread(&second, run_parts, &job) == 0;
    (void)run_parts(&job);
    if (has_second)
        (void)pthread_join(second, NULL);
}
