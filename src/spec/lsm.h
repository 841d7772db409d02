/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What [Security] AppArmor=, AppArmorRules= and SELinuxContext= may say.
 */
#pragma once

#include <stdbool.h>

#define APPARMOR_GENERATED "generated"   /* a profile made for the container */
#define APPARMOR_UNCONFINED "unconfined" /* none */
#define APPARMOR_UNCHANGED "unchanged"   /* what the launcher itself has */

/* Where the files are that generated profiles are made of: /etc and /run, below each berth/apparmor.d, and
 * where berth installs its own; NULL at the end. */
#define APPARMOR_SUFFIX ".aa"
extern const char *const apparmor_directories[];

/* A name as the kernel's interface takes it, of a profile that the administrator loads: visible characters
 * of ASCII. */
bool apparmor_name_is_valid(const char *name);

/* Does each brace of a rule have its other one? One that closes the profile itself would begin another. */
bool apparmor_rule_is_closed(const char *rule);

/* USER:ROLE:TYPE[:RANGE] */
bool selinux_context_is_valid(const char *context);
