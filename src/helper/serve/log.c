/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "spec/limits.h"

#define LINE_MAX_SIZE 2048

_printf_(2, 0) static void log_line_va(int priority, const char *format, va_list args) {
        char text[LINE_MAX_SIZE], line[LINE_MAX_SIZE];

        (void) vsnprintf(text, sizeof text, format, args);
        (void) string_escape_to(text, line, sizeof line);
        (void) dprintf(STDERR_FILENO, "<%d>%s\n", priority, line);
}

void log_line(int priority, const char *format, ...) {
        va_list args;

        va_start(args, format);
        log_line_va(priority, format, args);
        va_end(args);
}

static uint64_t now_usec(void) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_MONOTONIC, &now);

        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

void refusals_flush(Refusals *refusals) {
        if (refusals->untold > 0)
                log_line(LOG_WARNING, "%" PRIu64 " more refusals since then", refusals->untold);
        refusals->untold = 0;
}

void refusals_tell(Refusals *refusals, const char *format, ...) {
        uint64_t now = now_usec();
        va_list args;

        if (refusals->since == 0 || now - refusals->since > HELPER_REFUSALS_USEC) {
                refusals_flush(refusals);
                refusals->since = now;
                refusals->told = 0;
        }
        if (refusals->told >= HELPER_REFUSALS_MAX) {
                refusals->untold++;
                return;
        }

        refusals->told++;
        va_start(args, format);
        log_line_va(LOG_WARNING, format, args);
        va_end(args);
}
