/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See common.h.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/names.h"
#include "ctl/verb.h"
#include "spec/name.h"
#include "spec/policy.h"

/* What to do where rights are missing. */
static int report_rights(void) {
        if (geteuid() != 0)
                fputs("try it as root\n", stderr);

        return STATUS_NOT_PERMITTED;
}

int report_problems(int r, const Problems *problems) {
        (void) problems_print(problems, stderr);
        if (r < 0)
                fprintf(stderr, "berthctl: %s\n", strerror(-r));

        switch (r) {
        case 0:
                return STATUS_FINE;
        case DEFINITION_E_NAME:
                return STATUS_USAGE;
        case DEFINITION_E_NOT_FOUND:
        case DEFINITION_E_MASKED:
                return STATUS_NO_CONTAINER;
        default:
                return problems->denied ? report_rights() : STATUS_FAILED;
        }
}

int report_definition(int r, const Definition *definition, Problems *problems) {
        if (r == 0) {
                r = policy_check(definition, problems);
                if (r == POLICY_E_FORBIDDEN)
                        r = DEFINITION_E_INVALID;
        }

        return report_problems(r, problems);
}

int report_name(const char *word) {
        _cleanup_free_ char *shown = string_escape_unprintable(word);

        fprintf(stderr, "berthctl: \"%s\" is no name of a container: " CONTAINER_NAME_RULE "\n",
                shown ?: "?");

        return STATUS_USAGE;
}

int report_errno(int r, const char *what) {
        fprintf(stderr, "berthctl: %s: %s\n", what, strerror(-r));

        return r == -EACCES || r == -EPERM ? report_rights() : STATUS_FAILED;
}

int expand_names(char *const *words, size_t n, char *const *existing, char ***ret_names) {
        const char *pattern;
        int r;

        r = names_expand(words, n, existing, ret_names, &pattern);
        if (r == NAMES_E_NONE) {
                _cleanup_free_ char *shown = string_escape_unprintable(pattern);

                fprintf(stderr, "berthctl: no container's name fits the pattern \"%s\"\n", shown ?: "?");
                return STATUS_NO_CONTAINER;
        }

        return r < 0 ? report_errno(r, "cannot put the names together") : STATUS_FINE;
}

int defined_names(const Arguments *arguments, char ***ret_names) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(strv_freep) char **existing = NULL;
        int r;

        r = definition_list(definition_sources_host(), &existing, &problems);
        if (r < 0)
                return report_errno(r, "cannot read the definitions");
        for (size_t i = 0; r > 0 && i < arguments->n; i++)
                /* Of a name the reader tells by itself. */
                if (name_is_pattern(arguments->words[i])) {
                        (void) problems_print(&problems, stderr);
                        break;
                }

        return expand_names(arguments->words, arguments->n, existing, ret_names);
}
