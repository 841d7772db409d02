/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files that the kernel has in /proc for a process, as far as they tell what confines it. What stands in
 * them is in part what a container wrote (paths of mounts, names of labels): anything may come, and what is
 * not understood is left out. Texts are kept as they are, who shows them escapes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/cleanup.h"

/* /proc/PID/status */
typedef enum CapabilitySet {
        SET_INHERITABLE,
        SET_PERMITTED,
        SET_EFFECTIVE,
        SET_BOUNDING,
        SET_AMBIENT,
        _CAPABILITY_SET_N,
} CapabilitySet;

typedef struct ProcessStatus {
        uint64_t sets[_CAPABILITY_SET_N];
        bool has_set[_CAPABILITY_SET_N];
        int no_new_privileges; /* 0, 1, or -1 if it was not told; so all that follow */
        int seccomp;           /* SECCOMP_MODE_* */
        int filters;
        int pid_namespaces; /* that the process has an id in, as the reader sees it */
} ProcessStatus;

#define PROCESS_STATUS_NULL                                                                                 \
        ((ProcessStatus){ .no_new_privileges = -1, .seccomp = -1, .filters = -1, .pid_namespaces = -1 })

void process_status_parse(const char *text, ProcessStatus *ret);

/* /proc/PID/uid_map, gid_map */
typedef struct IdLine {
        uint32_t inside, outside, count;
} IdLine;

typedef struct IdLines {
        IdLine *lines;
        size_t n;
} IdLines;

/* 0, -EBADMSG for what the kernel would not write, or -ENOMEM. */
int id_lines_parse(const char *text, IdLines *ret);

/* Each id means the same inside and outside, as in the first user namespace. */
bool id_lines_are_identity(const IdLines *map);

/* /proc/PID/mountinfo */
typedef struct MountLine {
        int id, parent;
        char *text; /* owns what follows */
        const char *root, *point, *options, *type;
} MountLine;

typedef struct MountLines {
        MountLine *lines;
        size_t n;
        size_t *by_id; /* indices in the order of ids */
} MountLines;

void mount_lines_clear(MountLines *mounts);

/* Lines that are none are passed over. 0 or -ENOMEM. */
int mount_lines_parse(const char *text, MountLines *ret);

/* The first at this place: what is mounted over it later comes behind it. NULL if there is none. */
const MountLine *mount_lines_find(const MountLines *mounts, const char *point);

const MountLine *mount_lines_by_id(const MountLines *mounts, int id);

bool mount_line_has_option(const MountLine *mount, const char *option);

/* /proc/PID/attr/.../current: "NAME (MODE)", or a name alone; cuts the text in two. *RET_MODE is NULL if
 * none is told. */
void label_split(char *text, const char **ret_name, const char **ret_mode);

/* Is one of the profiles in a label, which "//&" joins, a generated one of berth? */
bool label_is_generated(const char *label);

/* "mnt_id:" of /proc/PID/fdinfo/FD; -1 if it is not told. */
int fd_info_mount(const char *text);
