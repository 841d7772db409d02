/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See names.h.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/names.h"
#include "spec/limits.h"
#include "spec/name.h"
#include "spec/unit.h"

bool name_is_pattern(const char *word) {
        return strpbrk(word, "*?[") != NULL;
}

static bool matches(const char *pattern, const char *name) {
        return fnmatch(pattern, name, FNM_NOESCAPE | FNM_PATHNAME) == 0;
}

/* The container whose unit a word names, as systemctl(1) lets one type it; else the word. */
static const char *name_in(const char *word, char buffer[static NAME_MAX_LENGTH + 1]) {
        const char *instance = string_after_prefix(word, "container@");
        UnitKind kind;

        if (instance && container_name_is_valid(instance) && !string_ends_with(instance, ".service"))
                return instance;

        return unit_name_parse(word, &kind, buffer, NAME_MAX_LENGTH + 1) >= 0 ? buffer : word;
}

bool name_is_possible(const char *word) {
        char buffer[NAME_MAX_LENGTH + 1];
        const char *name = name_in(word, buffer);
        size_t digits = strspn(name, "0123456789");

        if (digits > 0 && name[digits] == '/')
                name += digits + 1;

        return name_is_pattern(word) || container_name_is_valid(name);
}

char *name_from_word(const char *word) {
        char name[NAME_MAX_LENGTH + 1];

        return strdup(name_in(word, name));
}

bool names_have(char *const *words, size_t n, const char *name) {
        for (size_t i = 0; i < n; i++) {
                char buffer[NAME_MAX_LENGTH + 1];

                if (name_is_pattern(words[i]) ? matches(words[i], name)
                                              : streq(name_in(words[i], buffer), name))
                        return true;
        }

        return false;
}

static int add_once(char ***names, char *name) {
        if (name && strv_contains(*names, name)) {
                free(name);
                return 0;
        }

        return strv_append_take(names, name);
}

static int add_matching(char ***names, const char *pattern, char *const *existing) {
        int found = NAMES_E_NONE, r;

        for (char *const *name = existing; name && *name; name++) {
                if (!matches(pattern, *name))
                        continue;
                r = add_once(names, strdup(*name));
                if (r < 0)
                        return r;
                found = 0;
        }

        return found;
}

int names_expand(char *const *words, size_t n, char *const *existing, char ***ret, const char **ret_word) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        for (size_t i = 0; i < n; i++) {
                if (name_is_pattern(words[i]))
                        r = add_matching(&names, words[i], existing);
                else
                        r = add_once(&names, name_from_word(words[i]));
                if (r == NAMES_E_NONE)
                        *ret_word = words[i];
                if (r != 0)
                        return r;
        }

        *ret = TAKE_PTR(names);
        return 0;
}
