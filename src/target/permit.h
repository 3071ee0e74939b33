// SPDX-License-Identifier: MIT
// target/permit.h -- may we read this process, and if not, what is in the way and what removes it.
#ifndef RCH_TARGET_PERMIT_H
#define RCH_TARGET_PERMIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum rch_permit_kind {
    RCH_PERMIT_EXISTS,      // it exists, is no zombie, no kernel thread, not ourselves
    RCH_PERMIT_TRACED,      // nobody else traces it (a debugger, strace)
    RCH_PERMIT_UID,         // its user is ours, or we may read every user's
    RCH_PERMIT_DUMPABLE,    // prctl(PR_SET_DUMPABLE), set-uid programs
    RCH_PERMIT_YAMA,        // kernel.yama.ptrace_scope
    RCH_PERMIT_CAPABILITY,  // CAP_SYS_PTRACE in its user namespace
    RCH_PERMIT_SECCOMP,     // our own system calls are filtered (container profile)
    RCH_PERMIT_NAMESPACE,   // it lives in other mount, pid or user namespaces
    RCH_NUM_PERMITS
};

struct rch_permit_row {
    enum rch_permit_kind kind;
    bool is_ok;
    bool is_in_the_way;  // this alone would refuse
    char words[200];     // "its user is postgres (112), ours is ann (1000)"
    char remedy[240];    // the exact command or setting, "" when it is fine
};

struct rch_permit {
    bool may_read;  // PTRACE_SEIZE was tried and undone
    struct rch_permit_row rows[RCH_NUM_PERMITS];
};

/// Look at everything that could refuse us, and try. The process is not stopped.
void rch_permit_check(uint32_t pid, struct rch_permit *permit);
/// No such process, a zombie, a kernel thread, ourselves, traced by another: RCH_ENOTFOUND or
/// RCH_EUNSUPPORTED with the words.
RCH_MUST_CHECK enum rch_status rch_permit_look(uint32_t pid, struct rch_error *err);
/// We were refused with this errno: the words for it and what removes it. Never RCH_OK.
RCH_MUST_CHECK enum rch_status rch_permit_refuse(uint32_t pid, int os_errno, struct rch_error *err);

#endif
