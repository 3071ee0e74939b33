// SPDX-License-Identifier: MIT
// cli/interrupt.h -- Ctrl-C: the work is told to stop (rch_watch asks here) and cleans up; if it has not
// ended after RCH_INTERRUPT_MS, because it is in a call that nobody can ask, the program ends anyway.
// Nothing is left behind in either case: files get their names when they are complete.
#ifndef RCH_CLI_INTERRUPT_H
#define RCH_CLI_INTERRUPT_H
#include <stdbool.h>

#define RCH_INTERRUPT_MS 50

/// Once, at the start.
void rch_interrupt_catch(void);
bool rch_was_interrupted(void);
/// Say so and end as whoever is killed by SIGINT does, so that a shell sees it (status 130) and stops its
/// loop. Does not return.
void rch_end_interrupted(void) __attribute__((noreturn));

#endif
