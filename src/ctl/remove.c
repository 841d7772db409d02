/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl remove: removes containers that were made over D-Bus, with what berth made for them on demand. Data does not
 * go without a question, or --yes.
 */
#include <stdio.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static bool data, yes;

/* Names are shown in the order in which they will go. */
static bool is_meant(char *const *names) {
        _cleanup_free_ char *question = string_printf("Remove with all data:");

        if (!data || yes)
                return true;
        if (!terminal_can_ask()) {
                fputs("berthctl: --data removes the containers' files for good; say --yes if that is meant\n", stderr);
                return false;
        }

        for (char *const *name = names; *name && question; name++) {
                _cleanup_free_ char *shown = string_escape_unprintable(*name), *before = question;

                question = string_printf("%s %s", before, shown ?: "?");
        }

        return question && terminal_ask(question);
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int status, r;

        status = service_open(&connection);
        if (status == STATUS_FINE)
                status = service_names(connection, arguments->words, arguments->n, &names);
        if (status != STATUS_FINE)
                return status;
        if (!is_meant(names))
                return STATUS_FAILED;

        for (char **name = names; *name; name++) {
                r = berth_remove(connection, *name, data ? BERTH_REMOVE_DATA : 0);
                if (r < 0)
                        status = status_join(status, service_failed(connection, r, "remove", *name));
        }

        return status;
}

/* clang-format off */
static const Option options[] = {
        { "data", 0,   OPTION_FLAG, &data, .help = "with the root, the image and the overlay that berth made" },
        { "yes",  'y', OPTION_FLAG, &yes,  .help = "do not ask whether that is meant" },
        { 0 },
};
/* clang-format on */

const Verb verb_remove = {
        .name = "remove",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "remove containers",
        .details = "Removes containers that berthctl create or a program made and that are not running. What berth made\n"
                   "for them stays, unless --data is given; then you are asked first. Files that berth did not make\n"
                   "are never touched. A definition that root wrote is not removed so: delete its file.",
};
