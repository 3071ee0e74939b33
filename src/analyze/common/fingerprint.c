// SPDX-License-Identifier: MIT
// analyze/common/fingerprint.c -- FNV-1a of 64 bits (Fowler, Noll, Vo) over the words of the path, each
// ended by a byte that no word contains, then the finalizer of MurmurHash3 (Appleby, public
// domain).
#include "analyze/common/fingerprint.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t add_word(uint64_t hash, const char *word)
{
    for (; *word; word++)
        hash = (hash ^ (unsigned char)*word) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);  // 0xff is in no UTF-8 text
}

bool rch_hop_repeats(const struct rch_hop *hop)
{
    return hop->kind == RCH_EDGE_ITEM || hop->kind == RCH_EDGE_KEY || hop->kind == RCH_EDGE_VALUE ||
           hop->kind == RCH_EDGE_ELEMENT || hop->kind == RCH_EDGE_STACK;
}

// A class is a class: its metaclass does not tell where it hangs, and libraries rename theirs (EnumMeta).
static const char *type_word(const struct rch_hop *hop)
{
    return hop->is_class ? "type" : hop->type;
}

void rch_fingerprint(enum rch_root_kind root_kind, const char *root_name,
                     const struct rch_hop *hops, uint32_t num_hops, char out[RCH_FINGERPRINT_BYTES])
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    hash = add_word(hash, rch_root_kind_word(root_kind));
    hash = add_word(hash, root_name);
    for (uint32_t i = 0; i < num_hops; i++) {
        hash = add_word(hash, rch_edge_kind_word(hops[i].kind));
        hash = add_word(hash, rch_hop_repeats(&hops[i]) ? "[*]" : hops[i].name ? hops[i].name : "");
        hash = add_word(hash, type_word(&hops[i]));
    }
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    snprintf(out, RCH_FINGERPRINT_BYTES, "rc1:%016" PRIx64, hash ^ hash >> 33);
}
