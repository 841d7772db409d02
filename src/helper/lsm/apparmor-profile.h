/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A generated profile: its text made of the parts, its name of the text and of all else that the compiled
 * profile depends on. It is compiled when nobody has done so before, and loaded when the kernel has none of
 * that name; once loaded it stays, as other containers may have it.
 */
#pragma once

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "helper/lsm/apparmor-parts.h"

#define APPARMOR_CACHE "/var/cache/berth/apparmor"
#define APPARMOR_PARSER "/usr/sbin/apparmor_parser"
#define APPARMOR_PREFIX "berth-"

/* What the container, the kernel (its apparmorfs as descriptor, -EBADF for none) and the parser (its
 * descriptions of kernels, as a directory) are like: ApparmorWord. */
unsigned apparmor_words(const LaunchPlan *plan, int kernel, const char *abi);

/* The rules, without the name. */
int apparmor_body(
                Failure *failure,
                const ApparmorParts *parts,
                const Definition *definition,
                unsigned words,
                char **ret);

/* "abi <...>, profile NAME { BODY }" */
char *apparmor_profile_text(const char *name, const char *body, unsigned words);

/* Sees to it that the kernel has the profile that the plan asks for, and tells its name, which the caller
 * frees. */
int apparmor_profile_provide(
                Failure *failure, const LaunchPlan *plan, int kernel, unsigned words, char **ret_name);
