/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's administrator has in the place of berth's own profiles, or added to them, see view.h: no
 * definition says so, and it is the same for all containers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/string.h"
#include "ctl/security/view.h"
#include "spec/limits.h"
#include "spec/lsm.h"

const char *view_foreign_profile(const SeccompBundle *bundle) {
        /* The first is the definition's own text. */
        for (size_t i = 1; i < bundle->n; i++)
                if (!string_after_prefix(bundle->sources[i].label, BERTH_SECCOMPDIR "/"))
                        return bundle->sources[i].label;

        return NULL;
}

/* One rule that begins and ends in this line: commas stand behind rules, and in braces between alternatives.
 */
static bool is_denial(const char *line) {
        int depth = 0;

        if (!string_after_prefix(line, "deny ") && !string_after_prefix(line, "audit deny "))
                return false;
        for (; *line; line++)
                if (*line == '"' || *line == '\\' || (*line == ',' && depth == 0))
                        break;
                else
                        depth += (*line == '{') - (*line == '}');

        return streq(line, ",");
}

bool view_rules_only_deny(const char *text) {
        _cleanup_free_ char *copy = strdup(text);
        char *rest = copy, *line;

        while ((line = strsep(&rest, "\n"))) {
                line = string_strip(line);
                if (*line == '#' ? !!string_after_prefix(line, "#include") : *line && !is_denial(line))
                        return false;
        }

        return copy;
}

/* A part of a generated profile that is not berth's. One that replaces a part of berth's may lack what that
 * forbade; one that only adds what is denied is none to tell of. */
static bool is_foreign(const char *path, const char *name) {
        _cleanup_free_ char *own = string_printf(BERTH_APPARMORDIR "/%s", name), *text = NULL;

        if (!string_ends_with(name, APPARMOR_SUFFIX) || name[0] == '.')
                return false;
        if (!own || access(own, F_OK) == 0 || file_read(AT_FDCWD, path, FILE_SIZE_MAX, &text, NULL) < 0)
                return true;

        return !view_rules_only_deny(text);
}

static int look_into(const char *directory, char **ret_file) {
        struct dirent **entries;
        int n, r = 0;

        n = scandir(directory, &entries, NULL, alphasort);
        if (n < 0)
                return errno == ENOMEM ? -ENOMEM : 0;

        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *path = string_printf("%s/%s", directory, entries[i]->d_name);

                if (!path)
                        r = -ENOMEM;
                else if (!*ret_file && is_foreign(path, entries[i]->d_name))
                        *ret_file = TAKE_PTR(path);
                free(entries[i]);
        }
        free(entries);

        return r;
}

int view_read_host(View *view) {
        int r = 0;

        for (const char *const *directory = apparmor_directories; directory[1] && r >= 0; directory++)
                r = look_into(*directory, &view->apparmor_part);

        return r;
}
