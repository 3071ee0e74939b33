// SPDX-License-Identifier: MIT
// analyze/common/fingerprint.h -- a name for a holder that is equal across processes, machines, hash seeds
// and versions of Python: a hash of its folded path, without addresses, counts, keys and indices.
#ifndef RCH_ANALYZE_FINGERPRINT_H
#define RCH_ANALYZE_FINGERPRINT_H
#include "analyze/why/why.h"

#define RCH_FINGERPRINT_BYTES 21  // "rc1:", 16 hex digits, NUL

/// `hops` are folded ones, whatever is shown.
void rch_fingerprint(enum rch_root_kind root_kind, const char *root_name,
                     const struct rch_hop *hops, uint32_t num_hops,
                     char out[RCH_FINGERPRINT_BYTES]);

/// Is this hop one of many entries of its container, shown as [*]?
bool rch_hop_repeats(const struct rch_hop *hop);

#endif
