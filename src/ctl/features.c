/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl features: what the service can do beyond the first version of its interface.
 */
#include <stdio.h>

#include "basic/string.h"
#include "ctl/json.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static int print(char *const *features) {
        Json json = JSON_TO(stdout);

        if (!settings.json) {
                for (char *const *feature = features; *feature; feature++) {
                        _cleanup_free_ char *shown = string_escape_unprintable(*feature);

                        puts(shown ?: "?");
                }
                return STATUS_FINE;
        }

        json_begin_array(&json, NULL);
        for (char *const *feature = features; *feature; feature++)
                json_string(&json, NULL, *feature);
        json_end_array(&json);

        return json_finish(&json) < 0 ? STATUS_FAILED : STATUS_FINE;
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        char **features;
        int status, r;

        status = service_open(&connection);
        if (status != STATUS_FINE)
                return status;
        r = berth_features(connection, &features);
        if (r < 0)
                return service_failed(connection, r, "ask for the service's features", NULL);

        status = print(features);
        (void) berth_strings_free(features);

        return status;
}

const Verb verb_features = {
        .name = "features",
        .arguments = "",
        .json = true,
        .run = run,
        .summary = "list what the service can do beyond its first version",
        .details = "Lists the words that stand for extensions of the D-Bus interface, one a line. Programs look for them\n"
                   "before they use what is newer than the first version.",
};
