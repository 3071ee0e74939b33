// SPDX-License-Identifier: MIT
// capture/decode_rest.c -- from outside, what tp_traverse of some C types would visit in blocks of their
// own. Offsets: Objects/moduleobject.c.
#include "capture/families.h"

#define MAX_STATE_BYTES (1 << 20)

// The state of a module is a struct that mostly holds types; without m_traverse nobody visits it.
void rch__scan_module(struct rch__cap *cap, struct rch__type *type, rch_addr module)
{
    const struct rch_layout *L = cap->L;
    rch_addr def = rch__field_at(cap, module, L->module_def);
    rch_addr state = rch__field_at(cap, module, L->module_state);
    if (!def || !state || !rch__field_at(cap, def, L->moduledef_traverse))
        return;
    int64_t bytes = (int64_t)rch__field_at(cap, def, L->moduledef_size);
    if (bytes > 0 && bytes <= MAX_STATE_BYTES && rch__is_memory(cap, state, (uint64_t)bytes))
        rch__scan_words(cap, NULL, state, 0, bytes);
    (void)type;
}
