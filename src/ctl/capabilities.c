/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl capabilities: what the host can do for containers, and what is missing and why.
 */
#include <stdio.h>

#include "ctl/json.h"
#include "ctl/pager.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/table.h"
#include "ctl/verb.h"

static int print_json(berth_capability *const *capabilities) {
        Json json = JSON_TO(stdout);

        json_begin_array(&json, NULL);
        for (berth_capability *const *one = capabilities; *one; one++) {
                json_begin_object(&json, NULL);
                json_string(&json, "name", (*one)->name);
                json_boolean(&json, "available", (*one)->available);
                json_string(&json, "reason", (*one)->available ? NULL : (*one)->reason);
                json_end_object(&json);
        }
        json_end_array(&json);

        return json_finish(&json);
}

static int print_table(berth_capability *const *capabilities) {
        static const char *const headings[] = { "CAPABILITY", "HERE", "WHY NOT", NULL };
        _cleanup_(table_freep) Table *table = table_new(headings);

        if (!table)
                return -ENOMEM;
        table_shrink(table, 2);
        for (berth_capability *const *one = capabilities; *one; one++) {
                table_cell(table, (*one)->name);
                table_cell_colored(
                                table, (*one)->available ? COLOR_GREEN : COLOR_YELLOW,
                                (*one)->available ? "yes" : "no");
                table_cell(table, (*one)->available ? NULL : (*one)->reason);
        }
        pager_open();

        return table_print(table, stdout, !settings.no_legend, terminal_width());
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        berth_capability **capabilities;
        int status, r;

        status = service_open(&connection);
        if (status != STATUS_FINE)
                return status;
        r = berth_capabilities(connection, &capabilities);
        if (r < 0)
                return service_failed(connection, r, "ask what the host can do", NULL);

        r = settings.json ? print_json(capabilities) : print_table(capabilities);
        (void) berth_capabilities_free(capabilities);

        return r < 0 ? STATUS_FAILED : STATUS_FINE;
}

const Verb verb_capabilities = {
        .name = "capabilities",
        .arguments = "",
        .json = true,
        .run = run,
        .summary = "show what this host can do for containers, and what is missing",
        .details = "Shows what kernel, systemd and security module of the service's host allow, and why not where they do\n"
                   "not. org.berth.container1(5) has the words.",
};
