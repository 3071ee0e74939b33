// SPDX-License-Identifier: MIT
// capture/observer.h -- tell the questioner's own references from the program's (D2): the frames of
// refchain, of a debugger or a test runner above the code that asked, variables made at a prompt, the
// history of a shell. They are listed as the observer and never offered as the answer.
#ifndef RCH_CAPTURE_OBSERVER_H
#define RCH_CAPTURE_OBSERVER_H
#include "capture/state.h"

struct rch__frame {  // a Python frame of some thread, innermost first
    rch_addr code, locals, globals, extra_locals;
    rch_addr slots;   // its fast locals, arguments first
    bool is_from_c;   // C code called it, and may hold its arguments until it returns
    uint32_t root;    // its root, UINT32_MAX: none
    rch_addr object;  // that tells the locals: up to 3.10 the frame object, later a generator, or 0
};

/// Frames of the calling thread: who of them only looks on, who asked, is there a prompt.
void rch__observe_frames(struct rch__cap *cap, const struct rch__frame *frames, size_t num_frames);
/// Frames of any thread: debuggers, test runners, and what was typed at a prompt.
void rch__observe_tool_frames(struct rch__cap *cap, const struct rch__frame *frames,
                              size_t num_frames);
/// `_` of the interactive interpreter, IPython's In and Out.
void rch__observe_shells(struct rch__cap *cap, rch_addr interp);

#endif
