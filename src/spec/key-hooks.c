/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kind of value that [Hooks] has for itself: a list of commands, of which each assignment adds one.
 */
#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/hook.h"
#include "spec/key-types.h"
#include "spec/limits.h"

static int parse_hook(KeyContext *context, const char *value, void *field) {
        _cleanup_(strv_freep) char **words = NULL;
        HookList *list = field;
        int r;

        r = key_parse_command(context, value, &words);
        if (r != 0)
                return r;
        if (words[0][0] != '/' || strlen(words[0]) >= PATH_SIZE_MAX)
                return key_refuse_value(
                                context, words[0],
                                "is not an absolute path of a program, such as /usr/local/bin/prepare; "
                                "there is no shell and no search for it");
        if (list->n >= HOOKS_MAX)
                return key_refuse(context, "more than %d commands; put them into a script", HOOKS_MAX);

        r = ARRAY_APPEND(list->commands, list->n, words);
        if (r < 0)
                return r;

        (void) TAKE_PTR(words);
        return 0;
}

static void reset_hook(const Key *key, void *field) {
        hook_list_clear(field);
}

static int print_hook(const Key *key, const void *field, FILE *stream) {
        const HookList *list = field;

        for (size_t i = 0; i < list->n; i++) {
                int r = key_print_command(key, list->commands[i], stream);

                if (r < 0)
                        return r;
        }

        return 0;
}

const KeyType key_type_hook = {
        .size = sizeof(HookList),
        .list = true,
        .parse = parse_hook,
        .reset = reset_hook,
        .print = print_hook,
};
