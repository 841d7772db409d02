/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl version: of the command and of the service that it talks to.
 */
#include <stdio.h>

#include "basic/string.h"
#include "ctl/json.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_free_ char *version = NULL, *shown = NULL;
        int status, r;

        status = service_open(&connection);
        if (status == STATUS_FINE) {
                r = berth_version(connection, &version);
                if (r < 0)
                        status = service_failed(connection, r, "ask for the service's version", NULL);
        }

        /* Who tells of a problem needs the others all the more. */
        if (settings.json) {
                Json json = JSON_TO(stdout);

                json_begin_object(&json, NULL);
                json_string(&json, "berthctl", BERTH_VERSION);
                json_string(&json, "library", berth_library_version());
                json_string(&json, "service", version);
                json_end_object(&json);

                return json_finish(&json) < 0 ? STATUS_FAILED : status;
        }

        shown = string_escape_unprintable(version ?: "-");
        printf("berthctl %s\nlibrary  %s\nservice  %s\n", BERTH_VERSION, berth_library_version(),
               shown ?: "?");

        return status;
}

const Verb verb_version = {
        .name = "version",
        .arguments = "",
        .json = true,
        .run = run,
        .summary = "show the versions of command, library and service",
        .details = "Shows the versions of berthctl, of libberth and of the service that answers, which may be another\n"
                   "host's. Without the service, berthctl --version shows the first.",
};
