// SPDX-License-Identifier: MIT
// capture/fds.c -- which object owns which descriptor: C objects have it at a fixed offset (families.c), a
// few Python classes in an attribute. What the system knows of descriptors comes from the caller.
#include <stdlib.h>

#include "capture/families.h"
#include "capture/finish.h"

#define MAX_BASES 64
#define LONG_SUBCLASS (1ull << 24)  // tp_flags
#define LONG_SIGN_BITS 3u           // of the tag, 3.12+: 0 positive, 1 zero, 2 negative

// Classes whose descriptor is not inside another object that owns it. Lib/multiprocessing.
static const struct fd_attribute {
    const char *name, *module, *attribute;
} attributes[] = {
    {"Connection", "multiprocessing.connection", "_handle"},
    {"Popen", "multiprocessing.popen_fork", "sentinel"},
    {"ResourceTracker", "multiprocessing.resource_tracker", "_fd"},
    {"ForkServer", "multiprocessing.forkserver", "_forkserver_alive_fd"},
    {"Arena", "multiprocessing.heap", "fd"},
    {"SharedMemory", "multiprocessing.shared_memory", "_fd"},
};

// Modules/_io/fileio.c: bits behind the descriptor. 3.15 put one more before closefd.
bool rch__fileio_borrows(struct rch__cap *cap, rch_addr fileio)
{
    enum { BITS = 20, CLOSEFD = 1 << 6, CLOSEFD_3_15 = 1 << 7 };
    uint8_t bits = rch_load8(cap->t, fileio + BITS + rch__late_by(cap));
    return !(bits & (cap->L->py_minor >= 15 ? CLOSEFD_3_15 : CLOSEFD));
}

static bool is_class_of(struct rch__cap *cap, rch_addr type, const struct fd_attribute *row)
{
    char text[64];
    rch__read_tp_name(cap, type, text, sizeof(text));
    return strcmp(text, row->name) == 0 &&
           rch__read_str(cap, rch__dict_find(cap, rch__type_dict(cap, type), "__module__"), text,
                         sizeof(text)) &&
           strcmp(text, row->module) == 0;
}

static const char *attribute_of(struct rch__cap *cap, rch_addr type)
{
    for (int depth = 0; type && depth < MAX_BASES; depth++) {
        for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
            if (is_class_of(cap, type, &attributes[i]))
                return attributes[i].attribute;
        type = rch_load64(cap->t, type + (uint32_t)cap->L->type_base);
    }
    return NULL;
}

void rch__find_fd(struct rch__cap *cap, struct rch__type *type)
{
    const struct rch__family *family = type->family;
    int32_t late_by = (int32_t)rch__late_by(cap);
    if (family && family->fd.offset && family->fd.offset + late_by + 4 <= type->basicsize) {
        type->fd = family->fd;
        type->fd.offset += late_by;
    } else if (type->is_python_class) {
        type->fd.attribute = attribute_of(cap, type->addr);
    }
}

/// A small int, or -1: all that a descriptor can be.
static int32_t small_int(struct rch__cap *cap, rch_addr number)
{
    const struct rch_layout *L = cap->L;
    if (!number)
        return -1;
    rch_addr type = rch_load64(cap->t, number + (uint32_t)L->object_type);
    if (!(rch__type_get(cap, type)->flags & LONG_SUBCLASS))
        return -1;
    uint64_t size = rch_load64(cap->t, number + (uint32_t)L->long_size_or_tag);
    if (L->long_tag_shift && (size & LONG_SIGN_BITS) > 1)
        return -1;
    uint64_t digits = L->long_tag_shift ? size >> L->long_tag_shift : size;
    if (digits > 1)
        return -1;  // up to 3.11 also a negative one
    return digits ? (int32_t)rch_load32(cap->t, number + (uint32_t)L->long_digits) : 0;
}

void rch__claim_fd(struct rch__cap *cap, const struct rch__type *type, rch_addr object)
{
    struct rch__fd_claim claim = {.code = rch_code(&cap->index, object)};
    if (type->fd.attribute)
        claim.fd = small_int(cap, rch__attribute(cap, object, type->fd.attribute));
    else
        claim.fd = (int32_t)rch_load32(cap->t, object + (uint32_t)type->fd.offset);
    if (claim.fd < 0 || claim.code == RCH_NO_CODE || cap->status != RCH_OK)
        return;  // it is closed
    claim.may_borrow = type->fd.is_borrowed != NULL;
    claim.is_borrowed = claim.may_borrow && type->fd.is_borrowed(cap, object);
    cap->status = rch_vec_append(&cap->fd_claims, &claim, 1, &cap->err);
}

// ---- what the system knows ------------------------------------------------------------------------

void rch__take_fds(struct rch__cap *cap)
{
    const struct rch_os_fds *fds = cap->opt.fds;
    for (size_t i = 0; fds && i < fds->rows.num && cap->status == RCH_OK; i++) {
        const struct rch_os_fd *from = &RCH_VEC_AT(&fds->rows, struct rch_os_fd, i);
        struct rch_fd row = {.fd = from->fd,
                             .kind = from->kind,
                             .protocol = rch__intern(cap, from->protocol),
                             .state = rch__intern(cap, from->state),
                             .local = rch__intern(cap, from->local),
                             .peer = rch__intern(cap, from->peer)};
        if (cap->status == RCH_OK)
            cap->status = rch_vec_append(&cap->fds, &row, 1, &cap->err);
    }
    if (fds && fds->num_unreadable && cap->status == RCH_OK)
        cap->status =
            rch_builder_warn(cap->b, &cap->err, "%u open descriptors could not be read in full",
                             fds->num_unreadable);
}

// ---- the column ---------------------------------------------------------------------------------

// By descriptor; who may not close it last.
static int compare_claims(const void *a, const void *b)
{
    const struct rch__fd_claim *x = a, *y = b;
    if (x->fd != y->fd)
        return x->fd < y->fd ? -1 : 1;
    return x->is_borrowed - y->is_borrowed;
}

static int compare_owners(const void *a, const void *b)
{
    const struct rch_fd_owner *x = a, *y = b;
    if (x->node != y->node)
        return x->node < y->node ? -1 : 1;
    return (x->fd > y->fd) - (x->fd < y->fd);
}

// A file object that will not close the descriptor does not own it if another one will.
enum rch_status rch__fd_owners(struct rch__cap *cap, struct rch_vec *owners, struct rch_error *err)
{
    int32_t owned = -1;  // by a file object
    if (cap->fd_claims.num)
        qsort(cap->fd_claims.mem, cap->fd_claims.num, sizeof(struct rch__fd_claim), compare_claims);
    for (size_t i = 0; i < cap->fd_claims.num; i++) {
        struct rch__fd_claim claim = RCH_VEC_AT(&cap->fd_claims, struct rch__fd_claim, i);
        struct rch_fd_owner row = {rch_rank_of(&cap->index, claim.code), claim.fd};
        if (claim.is_borrowed && claim.fd == owned)
            continue;
        if (claim.may_borrow && !claim.is_borrowed)
            owned = claim.fd;
        RCH_TRY(rch_vec_append(owners, &row, 1, err));
    }
    if (!owners->num)
        return RCH_OK;
    struct rch_fd_owner *rows = owners->mem;
    qsort(rows, owners->num, sizeof(*rows), compare_owners);
    size_t num = 1;  // an object visited twice is there twice
    for (size_t i = 1; i < owners->num; i++)
        if (compare_owners(&rows[i], &rows[num - 1]) != 0)
            rows[num++] = rows[i];
    owners->num = num;
    return RCH_OK;
}
