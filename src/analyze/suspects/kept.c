// SPDX-License-Identifier: MIT
// analyze/suspects/kept.c -- what a set of objects retains: one sweep from all roots that does not enter them; what
// it misses of what a sweep with them reaches is theirs. And the descriptors among it.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analyze/common/reach.h"
#include "analyze/suspects/suspects_impl.h"
#include "base/fd_kind.h"

// Everything that some root reaches, garbage too: `visited` may have bits of nodes not to enter.
static void sweep_all(struct rch__keeper *k, uint64_t *visited)
{
    const struct rch_graph *g = k->s->g;
    uint32_t tail = rch_start_live(&k->s->view, visited, k->queue.mem);
    for (rch_node v = g->num_objects; v < g->num_nodes; v++)
        if (rch_bit_add(visited, v))
            ((rch_node *)k->queue.mem)[tail++] = v;
    rch_sweep(&k->s->view, NULL, 0, visited, k->queue.mem, 0, tail);
}

enum rch_status rch__keep_begin(struct rch__keeper *k, struct rch_error *err)
{
    const struct rch__search *s = k->s;
    size_t words = rch_bits_words(s->g->num_nodes);
    k->alive = rch_block_make(s->alloc, words, sizeof(uint64_t));
    k->kept = rch_block_make(s->alloc, words, sizeof(uint64_t));
    k->queue = rch_block_make(s->alloc, s->g->num_nodes, sizeof(rch_node));
    k->members = rch_block_make(s->alloc, words, sizeof(uint64_t));
    if (!k->alive.mem || !k->members.mem || !k->kept.mem || !k->queue.mem)
        return rch_fail(err, RCH_ENOMEM, "what suspects keep of %" PRIu32 " nodes",
                        s->g->num_nodes);
    sweep_all(k, k->alive.mem);
    return rch_view_check(&s->view, err);
}

void rch__keep_end(struct rch__keeper *k)
{
    rch_block_drop(&k->alive);
    rch_block_drop(&k->kept);
    rch_block_drop(&k->members);
    rch_block_drop(&k->queue);
}

// --- descriptors ---

static int compare_fds(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static const struct rch_fd *find_fd(const struct rch_graph *g, int32_t fd)
{
    uint32_t low = 0, high = g->num_fds;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (g->fds[middle].fd < fd)
            low = middle + 1;
        else
            high = middle;
    }
    return low < g->num_fds && g->fds[low].fd == fd ? &g->fds[low] : NULL;
}

// Without the system's list the owner's type tells.
static bool owns_socket(const struct rch_graph *g, rch_node owner)
{
    const char *module = rch_str_get(g, rch_type_of(g, owner)->module);
    return strstr(module, "socket") || strstr(module, "ssl");
}

struct owned {
    int32_t fd;
    rch_node owner;
};

static void count_fd(const struct rch_graph *g, const struct owned *owned, struct rch_suspect *told)
{
    const struct rch_fd *fd = find_fd(g, owned->fd);
    if (g->num_fds && !fd)
        return;  // not open any more
    uint32_t kind = fd ? fd->kind : owns_socket(g, owned->owner) ? RCH_FD_SOCKET : RCH_FD_FILE;
    told->sockets += kind == RCH_FD_SOCKET;
    told->files += kind == RCH_FD_FILE;
    told->other_fds += kind != RCH_FD_SOCKET && kind != RCH_FD_FILE;
}

static enum rch_status count_fds(const struct rch__keeper *k, struct rch_suspect *told,
                                 struct rch_error *err)
{
    const struct rch_graph *g = k->s->g;
    RCH_VEC(found, k->s->alloc, struct owned);
    for (uint32_t i = 0; i < g->num_fd_owners; i++) {
        struct owned owned = {g->fd_owners[i].fd, g->fd_owners[i].node};
        if (rch_bit(k->kept.mem, owned.owner))
            RCH_TRY(rch_vec_append(&found, &owned, 1, err));
    }
    if (found.num)
        qsort(found.mem, found.num, sizeof(struct owned), compare_fds);
    for (size_t i = 0; i < found.num; i++) {
        const struct owned *owned = &RCH_VEC_AT(&found, struct owned, i);
        if (i == 0 || owned[-1].fd != owned->fd)
            count_fd(g, owned, told);
    }
    return RCH_OK;
}

// --- what is kept ---

bool rch__keeps_all(const struct rch__keeper *k, const struct rch__lead *lead)
{
    const rch_node *members = lead->members.mem;
    for (uint32_t i = 0; i < lead->objects && rch_goes_on(&k->s->asking, 1); i++)
        if (!rch_bit(k->kept.mem, members[i]))
            return false;
    return lead->objects != 0;
}

void rch__keep_of_nobody(struct rch__keeper *k)
{
    memset(k->members.mem, 0, rch_bits_words(k->s->g->num_nodes) * sizeof(uint64_t));
}

void rch__keep_add(struct rch__keeper *k, const struct rch__lead *lead)
{
    const rch_node *members = lead->members.mem;
    for (uint32_t i = 0; i < lead->objects; i++)
        rch_bit_set(k->members.mem, members[i]);
}

enum rch_status rch__keep(struct rch__keeper *k, struct rch_suspect *told, struct rch_error *err)
{
    const struct rch_graph *g = k->s->g;
    uint64_t *kept = k->kept.mem;
    const uint64_t *alive = k->alive.mem, *members = k->members.mem;
    rch_bits_copy(kept, members, g->num_nodes);
    sweep_all(k, kept);
    for (size_t i = 0; i < rch_bits_words(g->num_nodes); i++)
        kept[i] = alive[i] & (~kept[i] | members[i]);
    told->kept = told->kept_bytes = 0;
    told->sockets = told->files = told->other_fds = 0;
    for (rch_node v = 0; v < g->num_objects && rch_goes_on(&k->s->asking, 1); v++) {
        if (!rch_bit(kept, v))
            continue;
        told->kept++;
        told->kept_bytes += rch_size_bytes(g, v);
    }
    RCH_TRY(rch_view_check(&k->s->view, err));
    return count_fds(k, told, err);
}
