/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Nesting=yes needs of the mounts. The kernel lets a user namespace mount a new /proc or /sys only
 * where one is to be seen in its mount namespace that has nothing mounted over its parts, and berth's have.
 * So there is another one of each, in a directory that is itself mounted over: the kernel sees them, and no
 * path leads there.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/ns/borrow.h"
#include "helper/root/run.h"

#define VISIBLE_DIRECTORY "nesting" /* in /run/host */

/* Is it needed? */
bool visible_wanted(const LaunchPlan *plan);

/* Before anything is mounted on the borrowed ones. */
int visible_mount(
                Failure *failure,
                const LaunchPlan *plan,
                const RunHost *run,
                BorrowedMounts *borrowed);
