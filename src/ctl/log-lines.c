/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/log-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/process.h"
#include "ctl/settings.h"

static int append_words(char ***argv, const char *unit, const char *lines) {
        if (strv_append(argv, "journalctl") < 0 || strv_append(argv, "--no-pager") < 0 ||
            strv_append(argv, "--quiet") < 0 || strv_append(argv, "--output=short") < 0 ||
            strv_append_take(argv, string_printf("--unit=%s", unit)) < 0 ||
            strv_append_take(argv, string_printf("--lines=%s", lines)) < 0 ||
            (settings.machine &&
             strv_append_take(argv, string_printf("--machine=%s", settings.machine)) < 0))
                return -ENOMEM;

        return 0;
}

static void print_lines(FILE *stream) {
        _cleanup_free_ char *line = NULL;
        size_t size = 0;
        ssize_t length;

        while ((length = getline(&line, &size, stream)) >= 0) {
                _cleanup_free_ char *shown = NULL;

                if (length > 0 && line[length - 1] == '\n')
                        line[length - 1] = '\0';
                shown = string_escape_unprintable(line);
                puts(shown ?: "?");
        }
}

int log_lines_print(const char *unit, const char *lines) {
        _cleanup_close_ int reading = -EBADF, writing = -EBADF;
        _cleanup_(strv_freep) char **argv = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        int ends[2], r;
        pid_t pid;

        r = append_words(&argv, unit, lines);
        if (r < 0)
                return r;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        reading = ends[0];
        writing = ends[1];
        r = process_start(argv, writing, STDOUT_FILENO, &pid);
        if (r < 0)
                return r;

        writing = fd_close(writing);
        stream = fdopen(reading, "re");
        if (stream) {
                TAKE_FD(reading);
                print_lines(stream);
        } else
                reading = fd_close(reading);
        (void) process_wait(pid);

        return stream ? 0 : -ENOMEM;
}
