/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a generated profile: parts, of which lines "#when WORD... !WORD..." say what holds where. The
 * words are facts about the container, the kernel and the parser.
 */
#pragma once

#include <stdio.h>

/* One bit each. */
typedef enum ApparmorWord {
        APPARMOR_USER_NAMESPACE = 1 << 0,
        APPARMOR_NESTING = 1 << 1,
        APPARMOR_CGROUP_NAMESPACE = 1 << 2,
        APPARMOR_NETWORK_NAMESPACE = 1 << 3,
        APPARMOR_ABI_3 = 1 << 4, /* what the parser has a description of */
        APPARMOR_ABI_4 = 1 << 5,
        APPARMOR_RULE_USERNS = 1 << 6, /* what kernel and parser both know */
        APPARMOR_RULE_MQUEUE = 1 << 7,
        APPARMOR_RULE_IO_URING = 1 << 8,
        APPARMOR_RULE_UNIX = 1 << 9,
        APPARMOR_OPTION_NOSYMFOLLOW = 1 << 10,
        APPARMOR_STACKING = 1 << 11,
        APPARMOR_NAMESPACES = 1 << 12, /* and there is to be one for this container */
        APPARMOR_DETACHED_MOUNTS = 1 << 13,
} ApparmorWord;

/* Writes those lines of TEXT that hold. -EBADMSG at a word that there is not; *ret_line is its line. */
int apparmor_text_add(FILE *stream, const char *text, unsigned words, unsigned *ret_line);

/* All words, for messages. */
#define APPARMOR_WORDS                                                                                      \
        "user-namespace, nesting, cgroup-namespace, network-namespace, abi-3.0, abi-4.0, rule-userns, "     \
        "rule-mqueue, rule-io-uring, rule-unix, option-nosymfollow, stacking, namespaces and "              \
        "detached-mounts"
