// SPDX-License-Identifier: MIT
// target/permit.c -- see permit.h. The rules are those of __ptrace_may_access() and of Yama
// (Documentation/admin-guide/LSM/Yama.rst): same user and group, dumpable, no capability that we lack; or
// CAP_SYS_PTRACE in the user namespace of the process.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1  // process_vm_readv
#endif
#include "target/permit.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/proc.h"
#include "target/stop.h"

#define CAP_SYS_PTRACE_BIT (UINT64_C(1) << 19)
#define FIRST_USER_NAMESPACE "user:[4026531837]"
#define MAX_ANCESTORS 1000
#define LINK_BYTES 64

// What the rows are made of.
struct facts {
    uint32_t pid;
    bool exists;
    struct rch_proc_status it, us;
    bool has_capability;  // CAP_SYS_PTRACE, and it counts there
    bool is_same_user;
};

static void say(char *text, size_t num_bytes, const char *fmt, ...) RCH_PRINTF(3, 4);

static void say(char *text, size_t num_bytes, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, num_bytes, fmt, args);
    va_end(args);
}
#define WORDS(row, ...) say((row)->words, sizeof((row)->words), __VA_ARGS__)
#define REMEDY(row, ...) say((row)->remedy, sizeof((row)->remedy), __VA_ARGS__)

// --- facts ----------------------------------------------------------------------------------------

static bool namespace_of(const char *process, const char *kind, char link[LINK_BYTES])
{
    char path[64];
    say(path, sizeof(path), "/proc/%s/ns/%s", process, kind);
    ssize_t num = readlink(path, link, LINK_BYTES - 1);
    link[num > 0 ? num : 0] = '\0';
    return num > 0;
}

static bool is_same_namespace(uint32_t pid, const char *kind, bool *is_known)
{
    char name[16], ours[LINK_BYTES], theirs[LINK_BYTES];
    say(name, sizeof(name), "%" PRIu32, pid);
    *is_known = namespace_of(name, kind, theirs) && namespace_of("self", kind, ours);
    return *is_known && strcmp(ours, theirs) == 0;
}

static bool counts_there(uint32_t pid)
{
    char ours[LINK_BYTES];
    bool is_known;
    return is_same_namespace(pid, "user", &is_known) || !is_known ||
           (namespace_of("self", "user", ours) && strcmp(ours, FIRST_USER_NAMESPACE) == 0);
}

// Each thread can have a tracer of its own.
static uint32_t find_tracer(uint32_t pid)
{
    char path[64];
    uint32_t tracer = 0;
    say(path, sizeof(path), "/proc/%" PRIu32 "/task", pid);
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && tracer == 0 && (entry = readdir(dir)) != NULL;) {
        struct rch_proc_status status;
        uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);
        if (tid && rch_proc_status(pid, tid, &status))
            tracer = status.tracer;
    }
    if (dir)
        (void)closedir(dir);
    return tracer;
}

static void find_facts(uint32_t pid, struct facts *facts)
{
    *facts = (struct facts){.pid = pid};
    facts->exists = rch_proc_status(pid, 0, &facts->it);
    if (facts->exists)
        facts->it.tracer = find_tracer(pid);
    if (!rch_proc_status((uint32_t)getpid(), 0, &facts->us))
        return;
    facts->has_capability =
        (facts->us.cap_effective & CAP_SYS_PTRACE_BIT) && counts_there(facts->pid);
    facts->is_same_user = true;
    for (size_t i = 0; i < 3; i++)
        if (facts->it.uid[i] != facts->us.uid[0] || facts->it.gid[i] != facts->us.gid[0])
            facts->is_same_user = false;
}

// A main thread may end before the others do: /proc then calls the process a zombie.
static bool is_zombie(const struct facts *facts)
{
    return rch_proc_has_ended(facts->pid, 0) && rch_proc_live_thread(facts->pid) == 0;
}

static void name_user(uint32_t uid, char *text, size_t num_bytes)
{
    char buf[1024];
    struct passwd user, *found = NULL;
    if (getpwuid_r(uid, &user, buf, sizeof(buf), &found) == 0 && found)
        say(text, num_bytes, "%s (%" PRIu32 ")", found->pw_name, uid);
    else
        say(text, num_bytes, "%" PRIu32, uid);
}

// --- rows -----------------------------------------------------------------------------------------

static enum rch_status look_exists(const struct facts *facts, struct rch_permit_row *row)
{
    uint32_t pid = facts->pid;
    row->is_in_the_way = true;
    REMEDY(row, "ps -e lists the processes that can be seen from here");
    if (!facts->exists) {
        WORDS(row, "there is no process %" PRIu32, pid);
        return RCH_ENOTFOUND;
    }
    if (facts->it.tgid != pid) {
        WORDS(row, "%" PRIu32 " is a thread of process %" PRIu32, pid, facts->it.tgid);
        REMEDY(row, "ask for process %" PRIu32, facts->it.tgid);
        return RCH_ENOTFOUND;
    }
    if (pid == (uint32_t)getpid()) {
        WORDS(row, "process %" PRIu32 " is this one itself", pid);
        REMEDY(row, "in Python: import refchain; refchain.why(...)");
        return RCH_EUNSUPPORTED;
    }
    if (facts->it.is_kernel_thread) {
        WORDS(row, "process %" PRIu32 " (%s) is a thread of the kernel", pid, facts->it.name);
        return RCH_EUNSUPPORTED;
    }
    if (is_zombie(facts)) {
        WORDS(row,
              "process %" PRIu32 " (%s) is a zombie: it has ended, process %" PRIu32
              " has not yet taken note of it",
              pid, facts->it.name, facts->it.ppid);
        REMEDY(row, "nothing of its memory is left; a core file would have it");
        return RCH_ENOTFOUND;
    }
    *row = (struct rch_permit_row){.is_ok = true};
    WORDS(row, "process %" PRIu32 " is %s", pid, facts->it.name);
    return RCH_OK;
}

static void look_traced(const struct facts *facts, struct rch_permit_row *row)
{
    struct rch_proc_status tracer;
    uint32_t pid = facts->it.tracer;
    bool is_known = pid && rch_proc_status(pid, 0, &tracer);
    row->is_ok = pid == 0 || (is_known && tracer.tgid == (uint32_t)getpid());
    row->is_in_the_way = !row->is_ok;
    if (row->is_ok) {
        WORDS(row, "nobody traces it");
        return;
    }
    WORDS(row, "process %" PRIu32 " (%s) traces it, and only one can", pid,
          is_known ? tracer.name : "?");
    REMEDY(row, "end the debugger or strace, or let it detach: kill %" PRIu32, pid);
}

static void look_user(const struct facts *facts, struct rch_permit_row *row)
{
    char its[100], ours[100];
    name_user(facts->it.uid[1], its, sizeof(its));
    name_user(facts->us.uid[0], ours, sizeof(ours));
    row->is_ok = facts->is_same_user || facts->has_capability;
    row->is_in_the_way = !row->is_ok;
    if (facts->it.uid[1] != facts->us.uid[0])
        WORDS(row, "its user is %s, ours is %s", its, ours);
    else if (facts->is_same_user)
        WORDS(row, "its user is ours, %s", its);
    else
        WORDS(row, "its user is ours, %s, but not its group, or it changed users", its);
    if (!row->is_ok)
        REMEDY(row, "run refchain as root (sudo), or as user %s", its);
}

// The kernel gives the files of a process that may not be dumped to root.
static void look_dumpable(const struct facts *facts, struct rch_permit_row *row)
{
    char path[64];
    struct stat stat_buf;
    say(path, sizeof(path), "/proc/%" PRIu32 "/status", facts->pid);
    bool is_dumpable = stat(path, &stat_buf) < 0 || stat_buf.st_uid == facts->it.uid[1];
    row->is_ok = is_dumpable || facts->has_capability;
    row->is_in_the_way = !row->is_ok;
    if (is_dumpable && facts->it.uid[1] == 0)
        WORDS(row, "of a process of root it cannot be told whether it may be dumped");
    else if (is_dumpable)
        WORDS(row, "it may be dumped");
    else
        WORDS(row,
              "it may not be dumped: it called prctl(PR_SET_DUMPABLE, 0), changed users, or its "
              "program is set-uid or not readable");
    if (!row->is_ok)
        REMEDY(row, "run refchain as root (sudo)");
}

static bool is_descendant(const struct facts *facts)
{
    struct rch_proc_status status = facts->it;
    for (unsigned i = 0; i < MAX_ANCESTORS && status.ppid > 1; i++) {
        if (status.ppid == (uint32_t)getpid())
            return true;
        if (!rch_proc_status(status.ppid, 0, &status))
            return false;
    }
    return false;
}

static int yama_scope(void)
{
    FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
    int scope = -1;
    if (file && fscanf(file, "%d", &scope) != 1)
        scope = -1;
    if (file)
        (void)fclose(file);
    return scope;
}

static void look_yama(const struct facts *facts, struct rch_permit_row *row)
{
    int scope = yama_scope();
    row->is_ok =
        scope < 1 || (scope < 3 && facts->has_capability) || (scope == 1 && is_descendant(facts));
    row->is_in_the_way = !row->is_ok;
    if (scope < 0)
        WORDS(row, "this kernel has no Yama");
    else
        WORDS(row, "kernel.yama.ptrace_scope is %d: %s", scope,
              scope == 0   ? "no limit"
              : scope == 1 ? "only parents may read a process, and root"
              : scope == 2 ? "only root may read processes"
                           : "nobody may read a process, until the next start of the system");
    if (row->is_ok)
        return;
    if (scope == 1)
        REMEDY(row,
               "run refchain as root (sudo), or: sudo sysctl kernel.yama.ptrace_scope=0, or in the "
               "process: prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY)");
    else if (scope == 2)
        REMEDY(row, "run refchain as root (sudo)");
    else
        REMEDY(row,
               "read a core file instead: kill -ABRT %" PRIu32 " makes one and ends the process",
               facts->pid);
}

// Who has a capability that we lack may not be read by us, whoever he is.
static void look_capability(const struct facts *facts, struct rch_permit_row *row)
{
    uint64_t lacking = facts->it.cap_permitted & ~facts->us.cap_permitted;
    bool is_own = facts->us.cap_effective & CAP_SYS_PTRACE_BIT;
    row->is_ok = facts->has_capability || lacking == 0;
    row->is_in_the_way = !row->is_ok;
    if (facts->has_capability)
        WORDS(row, "we have CAP_SYS_PTRACE: every process may be read");
    else if (is_own)
        WORDS(row, "we have CAP_SYS_PTRACE, but not in the user namespace of the process");
    else if (lacking)
        WORDS(row,
              "it has capabilities that we have not (%016" PRIx64 "), and we have no "
              "CAP_SYS_PTRACE",
              lacking);
    else
        WORDS(row, "we have no CAP_SYS_PTRACE; processes of our own user need none");
    if (!row->is_ok)
        REMEDY(row, "run refchain as root (sudo); in a container add the capability: "
                    "docker run --cap-add SYS_PTRACE");
}

// Both fail in a way of their own when they are let through: there is no process 0.
static bool are_calls_filtered(void)
{
    char from = 1, to = 0;
    struct iovec local = {&to, 1}, remote = {&from, 1};
    if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != 1)
        return true;
    return ptrace(PTRACE_CONT, 0, NULL, NULL) < 0 && errno != ESRCH;
}

static void look_seccomp(const struct facts *facts, struct rch_permit_row *row)
{
    row->is_ok = !are_calls_filtered();
    row->is_in_the_way = !row->is_ok;
    if (!row->is_ok)
        WORDS(row,
              "our own system calls are filtered (seccomp): ptrace or process_vm_readv is refused");
    else if (facts->us.seccomp)
        WORDS(row, "our system calls are filtered (seccomp), but not those that we need");
    else
        WORDS(row, "our system calls are not filtered");
    if (!row->is_ok)
        REMEDY(row, "docker run --security-opt seccomp=unconfined; Kubernetes: "
                    "securityContext.seccompProfile.type: Unconfined");
}

static void look_namespace(const struct facts *facts, struct rch_permit_row *row)
{
    static const char *const kinds[] = {"mnt", "pid", "user"};
    char others[64] = "";
    size_t num_others = 0;
    bool is_known = true, is_other_user = false;
    for (size_t i = 0; i < 3 && is_known; i++) {
        if (is_same_namespace(facts->pid, kinds[i], &is_known) || !is_known)
            continue;
        size_t num = strlen(others);
        say(others + num, sizeof(others) - num, "%s%s", num_others++ ? ", " : "", kinds[i]);
        is_other_user = i == 2;
    }
    row->is_ok = !is_other_user || facts->has_capability;
    row->is_in_the_way = !row->is_ok;
    if (!is_known)
        WORDS(row, "it is not told which namespaces it lives in");
    else if (num_others == 0)
        WORDS(row, "it lives in our namespaces");
    else
        WORDS(row,
              "it lives in other namespaces (%s): a container; its files are found through "
              "/proc/%" PRIu32 "/root",
              others, facts->pid);
    if (!row->is_ok)
        REMEDY(row,
               "run refchain as root outside of the container, or inside of it: nsenter -t %" PRIu32
               " -U -m -p refchain ...",
               facts->pid);
}

// --- together -------------------------------------------------------------------------------------

static enum rch_status fill_rows(const struct facts *facts, struct rch_permit *permit)
{
    struct rch_permit_row *rows = permit->rows;
    *permit = (struct rch_permit){0};
    enum rch_status st = look_exists(facts, &rows[RCH_PERMIT_EXISTS]);
    for (size_t i = 0; i < RCH_NUM_PERMITS; i++) {
        rows[i].kind = (enum rch_permit_kind)i;
        rows[i].is_ok |= i > 0;  // nothing is told of what is not there
    }
    if (st != RCH_OK)
        return st;
    look_traced(facts, &rows[RCH_PERMIT_TRACED]);
    look_user(facts, &rows[RCH_PERMIT_UID]);
    look_dumpable(facts, &rows[RCH_PERMIT_DUMPABLE]);
    look_yama(facts, &rows[RCH_PERMIT_YAMA]);
    look_capability(facts, &rows[RCH_PERMIT_CAPABILITY]);
    look_seccomp(facts, &rows[RCH_PERMIT_SECCOMP]);
    look_namespace(facts, &rows[RCH_PERMIT_NAMESPACE]);
    return RCH_OK;
}

void rch_permit_check(uint32_t pid, struct rch_permit *permit)
{
    struct facts facts;
    find_facts(pid, &facts);
    if (fill_rows(&facts, permit) != RCH_OK)
        return;
    uint32_t tid = rch_proc_has_ended(pid, 0) ? rch_proc_live_thread(pid) : pid;
    permit->may_read = rch_stop_try(tid) == 0;
    for (size_t i = 0; i < RCH_NUM_PERMITS && permit->may_read; i++)
        permit->rows[i].is_in_the_way =
            false;  // allowed by a rule that cannot be seen: PR_SET_PTRACER
}

static enum rch_status refuse(enum rch_status st, uint32_t pid, const struct rch_permit_row *row,
                              struct rch_error *err)
{
    if (row->kind == RCH_PERMIT_EXISTS)
        return rch_fail(err, st, "%s", row->words);
    return rch_fail(err, st, "process %" PRIu32 " cannot be read: %s; %s", pid, row->words,
                    row->remedy);
}

enum rch_status rch_permit_look(uint32_t pid, struct rch_error *err)
{
    struct facts facts;
    struct rch_permit_row exists = {.kind = RCH_PERMIT_EXISTS},
                          traced = {.kind = RCH_PERMIT_TRACED};
    find_facts(pid, &facts);
    enum rch_status st = look_exists(&facts, &exists);
    if (st != RCH_OK)
        return refuse(st, pid, &exists, err);
    look_traced(&facts, &traced);
    return traced.is_ok ? RCH_OK : refuse(RCH_EUNSUPPORTED, pid, &traced, err);
}

enum rch_status rch_permit_refuse(uint32_t pid, int os_errno, struct rch_error *err)
{
    struct facts facts;
    struct rch_permit permit;
    find_facts(pid, &facts);
    enum rch_status st = fill_rows(&facts, &permit);
    for (size_t i = 0; i < RCH_NUM_PERMITS; i++)
        if (permit.rows[i].is_in_the_way)
            return refuse(st == RCH_OK ? RCH_EUNSUPPORTED : st, pid, &permit.rows[i], err);
    return rch_fail(
        err, RCH_EUNSUPPORTED,
        "process %" PRIu32 " cannot be read: %s. Another may have traced it for a "
        "moment: try again; or a security module (AppArmor, SELinux) forbids it: see dmesg",
        pid, strerror(os_errno));
}
