/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl create: makes a container from a definition and, if it is given, from what its root is copied from.
 */
#include <errno.h>
#include <stdio.h>

#include "basic/string.h"
#include "ctl/make.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static Origins origins;
static bool replace;

/* The definition: what the file says, and on top of it the command line. Without a file the root is berth's own. */
static int write_draft(const Arguments *arguments, bool has_data, Draft *draft) {
        const char *name = arguments->words[0];
        int status = STATUS_FINE;

        if (origins.definition)
                status = draft_read(draft, origins.definition);
        if (status == STATUS_FINE && (has_data || !origins.definition))
                status = draft_set(draft, "Root", "Managed", "yes");
        for (size_t i = 1; status == STATUS_FINE && i < arguments->n; i++)
                status = draft_assign(draft, arguments->words[i]);

        /* Another host may know other keys; it checks by itself. */
        if (status == STATUS_FINE && !settings.host && !settings.machine)
                status = draft_check(draft, name);

        return status;
}

static int create(const char *name, const Draft *draft, const Data *data) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_free_ char *what = string_printf("Making %s", name);
        Making making = { .name = name };
        int status, r;

        status = service_open(&connection);
        if (status != STATUS_FINE)
                return status;

        progress_begin(&making.progress, what ?: "Making it");
        r = berth_set_event_handler(connection, making_event, &making);
        if (r >= 0)
                r = berth_watch(connection);
        if (r >= 0)
                r = berth_create(connection, name, draft->text, &data->descriptor, data->descriptor.fd >= 0,
                                 replace ? BERTH_CREATE_REPLACE : 0);
        progress_end(&making.progress);
        if (r < 0)
                return service_failed(connection, r, "make", name);

        if (!settings.quiet && terminal_is_stdout())
                printf("%s is there; to start it: berthctl start %s\n", name, name);

        return STATUS_FINE;
}

static int run(const Arguments *arguments) {
        _cleanup_(draft_clear) Draft draft = DRAFT_EMPTY;
        _cleanup_(data_clear) Data data = DATA_NONE;
        int status;

        if (replace && (origins.directory || origins.tar || origins.image)) {
                fputs("berthctl: --replace keeps the container's data: it does not go with --directory=, --tar= or "
                      "--image=\n",
                      stderr);
                return STATUS_USAGE;
        }

        status = data_open(&origins, "directory", &data);
        if (status == STATUS_FINE)
                status = write_draft(arguments, data.descriptor.fd >= 0, &draft);

        return status == STATUS_FINE ? create(arguments->words[0], &draft, &data) : status;
}

/* clang-format off */
static const Option options[] = {
        { "definition", 0, OPTION_TEXT, &origins.definition, "FILE", .help = "the definition; \"-\" for standard input" },
        { "directory",  0, OPTION_TEXT, &origins.directory,  "DIR",  .help = "copy the root from a directory" },
        { "tar",        0, OPTION_TEXT, &origins.tar,        "FILE", .help = "unpack the root from an archive; \"-\" as above" },
        { "image",      0, OPTION_TEXT, &origins.image,      "FILE", .help = "copy a disk image" },
        { "replace",    0, OPTION_FLAG, &replace, .help = "replace the definition of a container, keep its data" },
        { 0 },
};
/* clang-format on */

const Verb verb_create = {
        .name = "create",
        .arguments = "NAME [KEY=VALUE...]",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "make a container",
        .details = "Makes a container and keeps it; it is not started. Its root is a copy of what one of --directory=,\n"
                   "--tar= and --image= names, opened with your rights, or empty. KEY=VALUE is added to the definition,\n"
                   "as [Container] Boot=yes would be by Boot=yes or Container.Boot=yes; see berth.container(5).",
};
