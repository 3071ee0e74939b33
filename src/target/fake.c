// SPDX-License-Identifier: MIT
// target/fake.c -- reads from a list of segments, one piece after the other.
#include "target/fake.h"

static const struct rch_fake_segment *segment_at(const struct rch_fake *fake, uint64_t addr)
{
    for (size_t i = 0; i < fake->num_segments; i++) {
        const struct rch_fake_segment *segment = &fake->segments[i];
        if (addr >= segment->addr && addr - segment->addr < segment->num_bytes)
            return segment;
    }
    return NULL;
}

static bool read_segments(void *ctx, uint64_t addr, void *buf, size_t num_bytes)
{
    const struct rch_fake *fake = ctx;
    char *to = buf;
    while (num_bytes > 0) {
        const struct rch_fake_segment *segment = segment_at(fake, addr);
        if (!segment)
            return false;
        size_t from = (size_t)(addr - segment->addr);
        size_t num = segment->num_bytes - from;
        if (num > num_bytes)
            num = num_bytes;
        memcpy(to, (const char *)segment->bytes + from, num);
        to += num;
        addr += num;
        num_bytes -= num;
    }
    return true;
}

void rch_target_fake_init(struct rch_target *target, struct rch_fake *fake)
{
    *target = (struct rch_target){.read = read_segments, .ctx = fake};
}
