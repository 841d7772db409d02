/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Protections that a test build can leave out, one by one: tests/system/attacks shows with each that the
 * attack which it stops would succeed without it. In test builds (-Dfault-injection=true) weaken.c looks
 * into the environment variable BERTH_WEAKEN, a list of names with commas between them. Every other build
 * has weaken-none.c, where nothing can be left out; tests/style/check_hardening.py looks for the variable's
 * name in what is installed.
 */
#pragma once

#include <stdbool.h>

typedef enum Weakening {
        WEAKEN_LINKS,        /* links: links in a container's root are followed as the host sees them */
        WEAKEN_PROC_LINKS,   /* proc-links: links of /proc to what a process has open are followed, too */
        WEAKEN_TARGETS,      /* targets: a link may lead a mount to where the container's own /dev is */
        WEAKEN_SOURCE_LINKS, /* source-links: links on the way to what is mounted may be anybody's */
        WEAKEN_SHELTER,      /* shelter: every user may reach where a container writes with the host's ids */
        WEAKEN_NODEV,        /* nodev: device nodes in a root work */
        WEAKEN_MASKS,        /* masks: nothing of /proc is hidden or read-only, nor the host's policy */
        WEAKEN_DESCRIPTORS,  /* descriptors: what the launcher got from elsewhere stays open */
        WEAKEN_PROGRAM,      /* program: the launcher's own file may be the container's first program */
        WEAKEN_REAPER,       /* reaper: berth-init is run from the host's file, not from a sealed copy */
        WEAKEN_INHERITABLE,  /* inheritable: inheritable and ambient capabilities are kept */
        WEAKEN_KEYRING,      /* keyring: the session keyring is the unit's */
        WEAKEN_SETGROUPS,    /* setgroups: groups may be dropped where only a few ids are mapped */
        WEAKEN_OPENER,       /* opener: the mode alone tells who opened a directory that is handed over */
        WEAKEN_POLICY,       /* policy: an untrusted definition may say anything */
        WEAKEN_POLKIT,       /* polkit: every caller is authorized */
        WEAKEN_ESCAPE,       /* escape: what is shown keeps its control characters */
        WEAKEN_HOOK_OWNER,   /* hook-owner: programs that others can write are run on the host */
        WEAKEN_HOOK_ENV,     /* hook-env: those of the container are the hooks', too */
        WEAKEN_HOOK_END,     /* hook-end: what a hook started goes on after its end */
        WEAKEN_LABEL,        /* label: the first program gets no label of a security module */
        WEAKEN_LABEL_CHECK,  /* label-check: which label it has is not looked at */
        _WEAKENING_N,
} Weakening;

/* Is this one to be left out? Always false but in a test build. */
bool weakened(Weakening weakening);
