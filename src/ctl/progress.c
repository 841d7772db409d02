/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See progress.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"
#include "ctl/format.h"
#include "ctl/progress.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"

#define QUIET_USEC (2 * USEC_PER_SEC)
#define INTERVAL_USEC (USEC_PER_SEC / 5)

static uint64_t now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);

        return (uint64_t) t.tv_sec * USEC_PER_SEC + (uint64_t) t.tv_nsec / 1000;
}

void progress_begin(Progress *progress, const char *what) {
        *progress = (Progress) {
                .what = what,
                .begun = now(),
                .never = settings.quiet || settings.json || isatty(STDERR_FILENO) <= 0,
        };
}

void progress_format(const char *what, uint64_t done, uint64_t total, uint64_t usec, char *ret, unsigned size) {
        char a[FORMAT_SIZE], b[FORMAT_SIZE], c[FORMAT_SIZE];
        double rate = usec > 0 ? (double) done / ((double) usec / (double) USEC_PER_SEC) : 0;

        if (done == 0)
                (void) snprintf(ret, size, "%s: %s", what, format_span(usec - usec % USEC_PER_SEC, a));
        else if (total == 0 || done > total)
                (void) snprintf(ret, size, "%s: %s, %s/s", what, format_bytes(done, a),
                                format_bytes((uint64_t) rate, b));
        else
                (void) snprintf(ret, size, "%s: %u%%, %s of %s, %s/s", what,
                                (unsigned) ((double) done * 100 / (double) total), format_bytes(done, a),
                                format_bytes(total, b), format_bytes((uint64_t) rate, c));
}

void progress_update(Progress *progress, uint64_t done, uint64_t total) {
        uint64_t time = now();
        size_t width;
        char line[256];

        if (progress->never || time - progress->begun < QUIET_USEC || time - progress->shown < INTERVAL_USEC)
                return;

        progress_format(progress->what, done, total, time - progress->begun, line, sizeof line);
        fprintf(stderr, "\r%.*s\033[K", (int) text_fitting(line, 79, &width), line);
        (void) fflush(stderr);
        progress->shown = time;
}

void progress_pause(Progress *progress) {
        if (progress->shown > 0)
                fputs("\r\033[K", stderr);
        progress->shown = 0;
}

void progress_end(Progress *progress) {
        progress_pause(progress);
        progress->never = true;
}
