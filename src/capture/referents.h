// SPDX-License-Identifier: MIT
// capture/referents.h -- tp_traverse of everything that was marked as tracked, in address order, with the
// memory of the next objects on its way. For questions that need neither names nor sizes.
#ifndef RCH_CAPTURE_REFERENTS_H
#define RCH_CAPTURE_REFERENTS_H
#include "capture/capture.h"
#include "capture/state.h"

struct rch__referents {
    struct rch__cap *cap;
    rch_visit_fn visit;  // gets each referent, and `arg`
    void *arg;
    uint32_t source;  // number of the object that is being traversed, in address order
    rch_addr
        last_type;  // of the object traversed before, if instances refer to their type; which was
                    // visited then and need not be again by who keeps no count
};

/// All of them. Own process, GIL held; runs no code but tp_traverse.
void rch__visit_referents(struct rch__referents *referents);
/// Those of one object.
void rch__visit_referents_of(struct rch__referents *referents, rch_addr object);

#endif
