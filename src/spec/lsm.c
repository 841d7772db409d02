/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/lsm.h"

#include <stddef.h>
#include <string.h>

#define NAME_SIZE_MAX 255

const char *const apparmor_directories[] = {
        "/etc/berth/apparmor.d",
        "/run/berth/apparmor.d",
        BERTH_APPARMORDIR,
        NULL,
};

bool apparmor_name_is_valid(const char *name) {
        if (!name[0] || strlen(name) > NAME_SIZE_MAX || name[0] == '-')
                return false;
        for (const char *p = name; *p; p++)
                if (*p <= ' ' || *p > '~' || strchr("\"\\", *p))
                        return false;

        return true;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* A word, up to white space; what is in quotes is one of its own. 0 if the quote has no end. */
static size_t word_size(const char *p) {
        size_t n = 1;

        if (*p == '"') {
                while (p[n] && p[n] != '"')
                        n += p[n] == '\\' && p[n + 1] ? 2 : 1;
                return p[n] ? n + 1 : 0;
        }
        while (p[n] && !is_blank(p[n]) && p[n] != '"')
                n++;

        return n;
}

static bool word_is_balanced(const char *p, size_t size) {
        int depth = 0;

        for (const char *end = p + size; p < end; p++)
                if (*p == '\\' && p + 1 < end)
                        p++;
                else if (*p == '{')
                        depth++;
                else if (*p == '}' && --depth < 0)
                        return false;

        return depth == 0;
}

/* What a word with a brace too many or too few begins and ends, into *DEPTH. A brace stands for that only at
 * the edge of a word; in the middle it is part of a path or a pattern, where the parser may well take it for
 * a letter. */
static bool word_is_structure(const char *p, size_t size, int *depth) {
        while (!word_is_balanced(p, size))
                if (*p == '{' || *p == '}') {
                        *depth += *p == '{' ? 1 : -1;
                        if (*depth < 0)
                                return false;
                        p++;
                        size--;
                } else if (p[size - 1] == '}' && --*depth >= 0)
                        size--;
                else
                        return false;

        return true;
}

bool apparmor_rule_is_closed(const char *rule) {
        static const char include[] = "#include";
        int depth = 0;

        for (size_t size; *rule; rule += size) {
                size = 1;
                if (is_blank(*rule))
                        continue;
                if (*rule == '#' && strncmp(rule, include, strlen(include)) != 0)
                        break;
                size = word_size(rule);
                if (size == 0 || !word_is_structure(rule, size, &depth))
                        return false;
        }

        return depth == 0;
}

bool selinux_context_is_valid(const char *context) {
        unsigned colons = 0;

        if (strlen(context) > NAME_SIZE_MAX)
                return false;
        for (const char *p = context; *p; p++) {
                if (*p == ':' && (p == context || p[1] == ':' || !p[1]))
                        return false;
                if (*p == ':')
                        colons++;
                else if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                           (*p >= '0' && *p <= '9') || *p == '_' || *p == '-' || *p == '.' ||
                           (colons >= 3 && *p == ',')))
                        return false;
        }

        return colons >= 2 && colons <= 4;
}
