/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/hook.h"

#include <stdlib.h>

#include "basic/strv.h"

static const struct {
        const char *name, *key;
} kinds[_HOOK_N] = {
        [HOOK_PRE_START] = {"pre-start",   "PreStart" },
        [HOOK_PRE_MOUNT] = { "pre-mount",  "PreMount" },
        [HOOK_AUTODEV] = { "autodev",    "Autodev"  },
        [HOOK_MOUNT] = { "mount",      "Mount"    },
        [HOOK_START_HOST] = { "start-host", "StartHost"},
        [HOOK_START] = { "start",      "Start"    },
        [HOOK_STOP] = { "stop",       "Stop"     },
        [HOOK_POST_STOP] = { "post-stop",  "PostStop" },
};

const char *hook_name(HookKind kind) {
        return kinds[kind].name;
}

const char *hook_key(HookKind kind) {
        return kinds[kind].key;
}

bool hook_any_of_stop(const Definition *definition) {
        return definition->hooks[HOOK_STOP].n > 0 || definition->hooks[HOOK_POST_STOP].n > 0;
}

void hook_list_clear(HookList *list) {
        for (size_t i = 0; i < list->n; i++)
                strv_free(list->commands[i]);
        free(list->commands);
        *list = (HookList){};
}
