/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hooks/program.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/weaken.h"
#include "spec/place.h"

int hook_program_open(const char *path, HookProgram *ret, char cause[static HOOK_CAUSE_SIZE]) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        char mark[2] = "";
        ssize_t n;
        int r;

        cause[0] = '\0';
        r = place_open(definition_sources_host(), path, true, &place);
        if (r < 0)
                return r;
        if (r > 0 || place.directory) {
                (void) snprintf(cause, HOOK_CAUSE_SIZE, "it %s", place_error_text(r > 0 ? r : PLACE_E_KIND));
                return -EPERM;
        }
        if (!place.trusted && !weakened(WEAKEN_HOOK_OWNER)) {
                (void) snprintf(cause, HOOK_CAUSE_SIZE,
                                "it is run on the host, and may be written by root alone: %.400s",
                                place.reason ?: "it is not");
                return -EPERM;
        }

        /* A file that cannot be read is told by the attempt to execute it. */
        n = pread(place.fd, mark, sizeof mark, 0);
        *ret = (HookProgram){ .fd = TAKE_FD(place.fd),
                              .script = n == 2 && mark[0] == '#' && mark[1] == '!' };
        return 0;
}
