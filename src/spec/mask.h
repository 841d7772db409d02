/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The parts of /proc and /sys that a container does not get by default: what a start covers, and what
 * berthctl security looks for. MaskPaths= and UnmaskPaths= add to them and take away.
 */
#pragma once

#include <stdbool.h>

typedef struct MaskPart {
        const char *path; /* below /proc or /sys; NULL at the end of a list */
        bool directory;
} MaskPart;

/* Files that tell about or act on the whole machine: nobody in a container can open them. */
extern const MaskPart mask_proc_hidden[];

/* The same where root inside is root of the host; with ids of its own the kernel refuses them. */
extern const MaskPart mask_proc_hidden_from_root[], mask_sys_hidden_from_root[];

/* Parts of /proc whose files change the machine; NULL at the end. */
extern const char *const mask_proc_read_only[];
