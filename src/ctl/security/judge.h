/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Compares what confines a container with what would by default: rows and findings of its report. Each layer
 * is a function here, and an entry in berthctl(1).
 */
#pragma once

#include "ctl/security/report.h"
#include "ctl/security/view.h"

/* All layers. 0 or -ENOMEM; the report's own memory is told by report_error(). */
int judge(const View *view, Report *ret);

/* What the parts of it share. */
typedef struct Judge {
        const View *view;
        const Definition *definition; /* may be NULL */
        Definition *usual;            /* the defaults for a container with these namespaces */
        Answer own_user;              /* it has a user namespace of its own, by what is known best */
        Source own_user_source;
        Report *report;
} Judge;

/* Processes: ids, namespaces, calls, capabilities. */
void judge_user(const Judge *judge);
void judge_ids(const Judge *judge);
void judge_namespaces(const Judge *judge);
void judge_seccomp(const Judge *judge);
void judge_privileges(const Judge *judge);
void judge_capabilities(const Judge *judge);
void judge_label(const Judge *judge);
void judge_keyring(const Judge *judge);
void judge_nesting(const Judge *judge);

/* What it sees and reaches: files, devices, cgroup. */
void judge_proc(const Judge *judge);
void judge_sys(const Judge *judge);
void judge_mounts(const Judge *judge);
void judge_devices(const Judge *judge);
void judge_descriptors(const Judge *judge);
void judge_cgroup(const Judge *judge);
void judge_limits(const Judge *judge);

/* How bad something is that a user namespace makes half as bad. */
Severity judge_severity(const Judge *judge, Severity with, Severity without);
