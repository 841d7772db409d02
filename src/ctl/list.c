/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl list: the containers, running or not, in a table or as JSON. What a guest says that it is can be
 * read by root alone, through the container's root directory.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/each.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/names.h"
#include "ctl/os-release.h"
#include "ctl/pager.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/state.h"
#include "ctl/table.h"
#include "ctl/verb.h"

static const char *wanted_state;

typedef struct Row {
        const berth_status *status;
        char *os; /* NULL: not known */
} Row;

typedef struct Rows {
        berth_status **list;
        Row *rows;
        size_t n;
} Rows;

static void rows_clear(Rows *rows) {
        for (size_t i = 0; i < rows->n; i++)
                free(rows->rows[i].os);
        free(rows->rows);
        (void) berth_status_list_free(rows->list);
}

static bool is_wanted(const Arguments *arguments, const berth_status *status) {
        if (wanted_state && !streq(status->state, wanted_state))
                return false;

        return arguments->n == 0 || names_have(arguments->words, arguments->n, status->name);
}

static int rows_choose(Rows *rows, const Arguments *arguments) {
        size_t n = 0;

        while (rows->list[n])
                n++;
        rows->rows = calloc(n + 1, sizeof *rows->rows);
        if (!rows->rows)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++)
                if (is_wanted(arguments, rows->list[i]))
                        rows->rows[rows->n++] = (Row){ .status = rows->list[i] };

        return 0;
}

/* Looks at what running containers are; what cannot be known is left open. On this host that needs nobody's
 * help and so takes no time; another machine's service opens the root for us. */
static void row_find_os(berth *connection, Row *row) {
        _cleanup_close_ int root = -EBADF;

        if (row->status->leader == 0)
                return;
        if (!settings.host && !settings.machine && os_release_of_process(row->status->leader, &row->os) >= 0)
                return;
        if (berth_open_root(connection, row->status->name, &root) >= 0)
                (void) os_release_read(root, &row->os);
}

static int print_json(const Rows *rows) {
        Json json = JSON_TO(stdout);

        json_begin_array(&json, NULL);
        for (size_t i = 0; i < rows->n; i++) {
                const berth_status *status = rows->rows[i].status;

                json_begin_object(&json, NULL);
                json_string(&json, "name", status->name);
                json_string(&json, "state", status->state);
                json_unsigned(&json, "owner", status->owner);
                json_string(&json, "unit", status->unit);
                json_nonzero(&json, "leader", status->leader);
                json_nonzero(&json, "started_usec", status->started_usec);
                json_string(&json, "os", rows->rows[i].os);
                json_end_object(&json);
        }
        json_end_array(&json);

        return json_finish(&json);
}

/* Another host's users are not ours. */
static void cell_owner(Table *table, uint32_t owner) {
        const struct passwd *user = settings.host || settings.machine ? NULL : getpwuid(owner);

        if (user)
                table_cell(table, user->pw_name);
        else
                table_cellf(table, "%" PRIu32, owner);
}

static int print_table(const Rows *rows) {
        static const char *const headings[] = { "NAME", "STATE", "OWNER", "LEADER", "UPTIME", "OS", NULL };
        _cleanup_(table_freep) Table *table = table_new(headings);
        char buffer[FORMAT_SIZE];

        if (!table)
                return -ENOMEM;
        table_align_right(table, 3);
        table_shrink(table, 5);
        table_shrink(table, 0);
        for (size_t i = 0; i < rows->n; i++) {
                const berth_status *status = rows->rows[i].status;

                table_cell(table, status->name);
                table_cell_colored(table, state_color(status->state), status->state);
                cell_owner(table, status->owner);
                if (status->leader != 0)
                        table_cellf(table, "%" PRIu32, status->leader);
                else
                        table_cell(table, NULL);
                table_cell(table, state_uptime(status, buffer));
                table_cell(table, rows->rows[i].os);
        }
        pager_open();
        if (table_print(table, stdout, !settings.no_legend, terminal_width()) < 0)
                return -EIO;
        if (!settings.no_legend && !settings.quiet && terminal_is_stdout())
                printf("\n%zu container%s.\n", rows->n, rows->n == 1 ? "" : "s");

        return 0;
}

static bool state_is_known(const char *state) {
        static const char *const states[] = { "running", "stopped",  "failed",
                                              "frozen",  "starting", "stopping" };

        for (size_t i = 0; state && i < ELEMENTSOF(states); i++)
                if (streq(states[i], state))
                        return true;

        return !state;
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(rows_clear) Rows rows = { 0 };
        int status, r;

        if (!state_is_known(wanted_state)) {
                fputs("berthctl: --state= takes running, stopped, failed, frozen, starting or stopping\n",
                      stderr);
                return STATUS_USAGE;
        }
        status = service_open(&connection);
        if (status != STATUS_FINE)
                return status;
        r = berth_list_status(connection, &rows.list);
        if (r < 0)
                return service_failed(connection, r, "list the containers", NULL);

        r = rows_choose(&rows, arguments);
        if (r >= 0) {
                for (size_t i = 0; i < rows.n && geteuid() == 0; i++)
                        row_find_os(connection, rows.rows + i);
                r = settings.json ? print_json(&rows) : print_table(&rows);
        }

        return r < 0 ? STATUS_FAILED : service_check_words(rows.list, arguments);
}

/* clang-format off */
static const Option options[] = {
        { "state", 0, OPTION_TEXT, &wanted_state, "STATE", .help = "only those that are running, stopped, failed, ..." },
        { 0 },
};
/* clang-format on */

const Verb verb_list = {
        .name = "list",
        .arguments = "[NAME...]",
        .maximum = SIZE_MAX,
        .options = options,
        .json = true,
        .run = run,
        .summary = "list containers",
        .details = "Lists all containers, or those that fit the names, which may be patterns of the shell: state, owner,\n"
                   "process id of the init, how long it has been up and, for root, what the guest says that it is.",
};
