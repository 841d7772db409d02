/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/lsm/apparmor-text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "basic/macro.h"

#define WHEN "#when"

static const struct {
        const char *name;
        unsigned bit;
} names[] = {
        {"user-namespace",      APPARMOR_USER_NAMESPACE    },
        { "nesting",            APPARMOR_NESTING           },
        { "cgroup-namespace",   APPARMOR_CGROUP_NAMESPACE  },
        { "network-namespace",  APPARMOR_NETWORK_NAMESPACE },
        { "abi-3.0",            APPARMOR_ABI_3             },
        { "abi-4.0",            APPARMOR_ABI_4             },
        { "rule-userns",        APPARMOR_RULE_USERNS       },
        { "rule-mqueue",        APPARMOR_RULE_MQUEUE       },
        { "rule-io-uring",      APPARMOR_RULE_IO_URING     },
        { "rule-unix",          APPARMOR_RULE_UNIX         },
        { "option-nosymfollow", APPARMOR_OPTION_NOSYMFOLLOW},
        { "stacking",           APPARMOR_STACKING          },
        { "namespaces",         APPARMOR_NAMESPACES        },
        { "detached-mounts",    APPARMOR_DETACHED_MOUNTS   },
};

/* 0 if there is no such word. */
static unsigned word_find(const char *word, size_t size) {
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (strlen(names[i].name) == size && memcmp(names[i].name, word, size) == 0)
                        return names[i].bit;

        return 0;
}

/* What stands behind "#when", up to END: 1 if all of it is so. */
static int condition_holds(const char *p, const char *end, unsigned words) {
        bool holds = true;

        while (p < end) {
                bool expected = true;
                size_t size = 0;
                unsigned bit;

                while (p < end && (*p == ' ' || *p == '\t'))
                        p++;
                if (p < end && *p == '!') {
                        expected = false;
                        p++;
                }
                while (p + size < end && p[size] != ' ' && p[size] != '\t')
                        size++;
                if (size == 0 && expected)
                        break;

                bit = word_find(p, size);
                if (bit == 0)
                        return -EBADMSG;
                holds = holds && ((words & bit) != 0) == expected;
                p += size;
        }

        return holds;
}

int apparmor_text_add(FILE *stream, const char *text, unsigned words, unsigned *ret_line) {
        int holds = 1;

        for (unsigned line = 1; *text; line++) {
                size_t size = strcspn(text, "\n"), next = size + (text[size] == '\n');
                const size_t word = strlen(WHEN);

                if (size >= word && memcmp(text, WHEN, word) == 0 &&
                    (size == word || text[word] == ' ' || text[word] == '\t')) {
                        holds = condition_holds(text + word, text + size, words);
                        if (holds < 0) {
                                *ret_line = line;
                                return holds;
                        }
                } else if (holds)
                        (void) fprintf(stream, "%.*s\n", (int) size, text);
                text += next;
        }

        return 0;
}
