/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See format.h.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "ctl/format.h"

const char *format_bytes(uint64_t bytes, char ret[static FORMAT_SIZE]) {
        static const char suffixes[] = "BKMGTPE";
        uint64_t unit = 1;
        size_t i = 0;

        if (bytes == UINT64_MAX)
                (void) snprintf(ret, FORMAT_SIZE, "-");
        else {
                for (; bytes / unit >= 1024; unit *= 1024)
                        i++;
                if (i == 0)
                        (void) snprintf(ret, FORMAT_SIZE, "%" PRIu64 "B", bytes);
                else
                        (void) snprintf(ret, FORMAT_SIZE, "%" PRIu64 ".%u%c", bytes / unit,
                                        (unsigned) (bytes % unit * 10 / unit), suffixes[i]);
        }

        return ret;
}

const char *format_span(uint64_t usec, char ret[static FORMAT_SIZE]) {
        static const struct {
                uint64_t usec;
                const char *one, *many;
        } units[] = {
                { UINT64_C(604800) * USEC_PER_SEC, " week", " weeks" },
                { UINT64_C(86400) * USEC_PER_SEC,  " day",  " days"  },
                { UINT64_C(3600) * USEC_PER_SEC,   "h",     "h"      },
                { UINT64_C(60) * USEC_PER_SEC,     "min",   "min"    },
                { USEC_PER_SEC,                    "s",     "s"      },
                { USEC_PER_MSEC,                   "ms",    "ms"     },
                { 1,                               "us",    "us"     },
        };
        uint64_t first, second = 0;
        size_t i = 0;

        if (usec == UINT64_MAX || usec == 0) {
                (void) snprintf(ret, FORMAT_SIZE, usec == 0 ? "0s" : "-");
                return ret;
        }

        while (usec < units[i].usec)
                i++;
        first = usec / units[i].usec;
        if (i + 1 < ELEMENTSOF(units))
                second = usec % units[i].usec / units[i + 1].usec;

        if (second == 0)
                (void) snprintf(ret, FORMAT_SIZE, "%" PRIu64 "%s", first, first == 1 ? units[i].one : units[i].many);
        else
                (void) snprintf(ret, FORMAT_SIZE, "%" PRIu64 "%s %" PRIu64 "%s", first,
                                first == 1 ? units[i].one : units[i].many, second,
                                second == 1 ? units[i + 1].one : units[i + 1].many);

        return ret;
}

const char *format_time(uint64_t realtime_usec, char ret[static FORMAT_SIZE]) {
        time_t seconds = (time_t) (realtime_usec / USEC_PER_SEC);
        struct tm parts;

        if (realtime_usec == 0 || !localtime_r(&seconds, &parts) ||
            strftime(ret, FORMAT_SIZE, "%a %Y-%m-%d %H:%M:%S %Z", &parts) == 0)
                (void) snprintf(ret, FORMAT_SIZE, "-");

        return ret;
}
