/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be learned of a container's confinement: from the kernel about its process 1, from systemd about
 * its unit, and from its definition. It is read with the caller's rights; what the kernel shows to root only
 * may be missing, and whoever judges has to look whether it is there. Of a container that does not run there
 * is the definition alone.
 */
#pragma once

#include <sys/types.h>

#include "client/include/berth.h"
#include "ctl/security/process.h"
#include "spec/definition.h"
#include "spec/seccomp.h"

typedef enum ViewNamespace {
        VIEW_CGROUP,
        VIEW_IPC,
        VIEW_MOUNT,
        VIEW_NETWORK,
        VIEW_PID,
        VIEW_TIME,
        VIEW_USER,
        VIEW_UTS,
        _VIEW_NAMESPACE_N,
} ViewNamespace;

extern const char *const view_namespace_names[_VIEW_NAMESPACE_N];

/* What may be learned or not. */
typedef enum Answer {
        ANSWER_UNKNOWN,
        ANSWER_NO,
        ANSWER_YES,
} Answer;

typedef struct DeviceRule {
        char *node, *access;
} DeviceRule;

/* The unit, as systemd has it in effect. */
typedef struct UnitView {
        bool seen;
        char *device_policy, *control_group;
        DeviceRule *devices;
        size_t n_devices;
        uint64_t tasks_max, memory_max; /* UINT64_MAX: none */
        int delegate;
} UnitView;

/* A descriptor of process 1 for something that is not mounted inside. */
typedef struct StrayDescriptor {
        unsigned number;
        int mount;    /* its mount's id */
        bool of_host; /* that mount is one of the host's process 1 */
        char *path;   /* as the reader sees it */
} StrayDescriptor;

typedef struct View {
        bool running;
        Definition *definition; /* NULL: it is not for the caller's eyes */
        char *changed;          /* a file of it, or of its profiles, that is younger than the start */

        /* Process 1 */
        ProcessStatus status;
        IdLines uids, gids;
        bool has_uids, has_gids;
        Answer own[_VIEW_NAMESPACE_N]; /* a namespace that is not the host's */
        Answer mounts_locked;          /* the mount namespace belongs to the user namespace */
        MountLines mounts;
        bool has_mounts;
        bool lsm;    /* a security module that has labels was asked */
        char *label; /* NULL if there is none */
        char *cgroup;
        bool has_descriptors;
        size_t n_descriptors;
        StrayDescriptor *strays;
        size_t n_strays;
        int device_programs; /* of the kernel that decide about devices; -1: not told */

        UnitView unit;
        char *program;       /* the name of the system call filter that the definition makes; NULL: none */
        Answer program_kept; /* it is in the cache */
        char *filter;        /* the one that it was started with, or SECCOMP_OFF; NULL: not told */

        /* Files of the administrator's, NULL if there is none: of the filter's profiles, of generated
         * profiles. */
        char *seccomp_profile, *apparmor_part;
} View;

#define VIEW_NULL ((View){ .status = PROCESS_STATUS_NULL, .device_programs = -1, .unit.delegate = -1 })

void view_clear(View *view);

/* Reads all of it. The container may be another one by now, or have ended: VIEW_E_CHANGED. Else 0 or a
 * negative errno. */
enum {
        VIEW_E_CHANGED = 1,
};

int view_read(berth *connection, const berth_status *status, View *ret);

/* The parts: of the directory of a process in /proc, of a unit, of a definition. */
int view_read_process(int process, View *view);
int view_read_unit(const char *unit, UnitView *ret);
int view_read_definition(berth *connection, const berth_status *status, View *view);
int view_read_devices(const char *control_group, int *ret_programs);
int view_read_host(View *view);

/* The first of the profiles that berth did not install, as a part of the bundle; NULL: none. */
const char *view_foreign_profile(const SeccompBundle *bundle);

/* Does a part of an AppArmor profile say nothing but what is denied? A rule is one line. */
bool view_rules_only_deny(const char *text);
