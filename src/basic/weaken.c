/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Test builds only, never for use: BERTH_WEAKEN= leaves protections out; see weaken.h. */
#include "basic/weaken.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[_WEAKENING_N] = {
        [WEAKEN_LINKS] = "links",
        [WEAKEN_PROC_LINKS] = "proc-links",
        [WEAKEN_TARGETS] = "targets",
        [WEAKEN_SOURCE_LINKS] = "source-links",
        [WEAKEN_SHELTER] = "shelter",
        [WEAKEN_NODEV] = "nodev",
        [WEAKEN_MASKS] = "masks",
        [WEAKEN_DESCRIPTORS] = "descriptors",
        [WEAKEN_PROGRAM] = "program",
        [WEAKEN_REAPER] = "reaper",
        [WEAKEN_INHERITABLE] = "inheritable",
        [WEAKEN_KEYRING] = "keyring",
        [WEAKEN_SETGROUPS] = "setgroups",
        [WEAKEN_OPENER] = "opener",
        [WEAKEN_POLICY] = "policy",
        [WEAKEN_POLKIT] = "polkit",
        [WEAKEN_ESCAPE] = "escape",
        [WEAKEN_HOOK_OWNER] = "hook-owner",
        [WEAKEN_HOOK_ENV] = "hook-env",
        [WEAKEN_HOOK_END] = "hook-end",
        [WEAKEN_LABEL] = "label",
        [WEAKEN_LABEL_CHECK] = "label-check",
};

/* Before anything runs: the payload has the guest's environment when it looks for the last time. */
static const char *list;

__attribute__((constructor)) static void list_find(void) {
        list = getenv("BERTH_WEAKEN");
}

bool weakened(Weakening weakening) {
        const char *name = names[weakening], *word = list;
        size_t length = strlen(name);

        for (; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL)
                if (strncmp(word, name, length) == 0 && (word[length] == ',' || word[length] == '\0'))
                        return true;

        return false;
}
