// SPDX-License-Identifier: MIT
// cli/doctor_process.h -- what stands between us and a process, and whether it is a Python we know.
// The process is not stopped; a handful of its bytes is read.
#ifndef RCH_CLI_DOCTOR_PROCESS_H
#define RCH_CLI_DOCTOR_PROCESS_H
#include "pylayout/find.h"
#include "render/json.h"
#include "render/line.h"
#include "target/permit.h"

struct rch_process_checkup {
    uint32_t pid;
    struct rch_permit permit;
    bool has_python;  // `python` is filled in
    struct rch_python python;
    struct rch_error err;  // why there is none
};

void rch_process_check(uint32_t pid, struct rch_process_checkup *checkup);
void rch_process_put_text(struct rch_page *page, const struct rch_process_checkup *checkup);
void rch_process_put_json(struct rch_json *json, const struct rch_process_checkup *checkup);

#endif
