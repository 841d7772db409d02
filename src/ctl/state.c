/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/state.h"

#include <time.h>

#include "basic/parse.h"
#include "basic/string.h"

Color state_color(const char *state) {
        if (streq(state, "running"))
                return COLOR_GREEN;
        if (streq(state, "failed"))
                return COLOR_RED;
        if (streq(state, "stopped"))
                return COLOR_NONE;

        return COLOR_YELLOW;
}

const char *state_uptime(const berth_status *status, char buffer[static FORMAT_SIZE]) {
        struct timespec now;
        uint64_t seconds;

        if (status->leader == 0 || status->started_usec == 0)
                return NULL;
        (void) clock_gettime(CLOCK_REALTIME, &now);
        seconds = status->started_usec / USEC_PER_SEC;
        seconds = (uint64_t) now.tv_sec > seconds ? (uint64_t) now.tv_sec - seconds : 0;

        return format_span(seconds * USEC_PER_SEC, buffer);
}
