// SPDX-License-Identifier: MIT
// capture/share.c -- see share.h.
#define _GNU_SOURCE
#include "capture/share.h"

#include <errno.h>
#include <sched.h>
#include <time.h>

#include "target/quiet_thread.h"

#define WAIT_NS 20000000  // for the other thread, before asking again whether to go on

struct job {
    rch__part_fn run;
    void *ctx;
    uint32_t num_parts;
    atomic_uint next;
    atomic_bool is_canceled;
};

static void run_parts(struct job *job, struct rch_asking *asking)
{
    struct rch__worker worker = {asking, &job->is_canceled};
    uint32_t part;
    while (rch__worker_goes_on(&worker, 1) &&
           (part = atomic_fetch_add_explicit(&job->next, 1, memory_order_relaxed)) < job->num_parts)
        job->run(job->ctx, part, &worker);
}

static void *run_second(void *job)
{
    run_parts(job, NULL);
    return NULL;
}

static bool has_two_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) != 0 || CPU_COUNT(&set) > 1;
}

static void wait_for(pthread_t second, struct job *job, struct rch_asking *asking)
{
    struct rch__worker worker = {asking, &job->is_canceled};
    struct timespec until;
    do {
        (void)rch__worker_goes_on(&worker, RCH_ASK_EVERY);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
    } while (pthread_timedjoin_np(second, NULL, &until) == ETIMEDOUT);
}

bool rch__share(struct rch_asking *asking, uint32_t num_parts, bool pays, rch__part_fn run,
                void *ctx)
{
    struct job job = {.run = run, .ctx = ctx, .num_parts = num_parts};
    pthread_t second;
    bool has_second = pays && num_parts > 1 && has_two_processors() &&
                      rch_quiet_thread(&second, run_second, &job) == 0;
    run_parts(&job, asking);
    if (has_second)
        wait_for(second, &job, asking);
    return !job.is_canceled;
}
