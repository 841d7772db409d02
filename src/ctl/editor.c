/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See editor.h. A variable's value is split into words, so that it may have arguments; no shell is started.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/quote.h"
#include "basic/strv.h"
#include "ctl/editor.h"
#include "ctl/process.h"

static int run_line(const char *line, const char *path) {
        _cleanup_(strv_freep) char **words = NULL;
        int r;

        r = words_split(line, &words);
        if (r != 0 || !words)
                return r < 0 ? r : -ENOENT;
        r = strv_append(&words, path);
        if (r < 0)
                return r;

        r = process_run(words);

        return r > 0 ? -ECANCELED : r;
}

int editor_run(const char *path, const char **ret_line) {
        static const char *const variables[] = { "SYSTEMD_EDITOR", "EDITOR", "VISUAL" };
        static const char *const editors[] = { "editor", "nano", "vim", "vi" };
        int r;

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *line = getenv(variables[i]);

                if (line && *line) {
                        *ret_line = line;
                        return run_line(line, path);
                }
        }

        *ret_line = NULL;
        for (size_t i = 0; i < ELEMENTSOF(editors); i++) {
                r = run_line(editors[i], path);
                if (r != -ENOENT)
                        return r;
        }

        return -ENOENT;
}
