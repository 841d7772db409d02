/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl security: what confines a container, layer by layer, as the kernel and systemd have it in effect,
 * and a warning for each thing that is weaker than by default.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/json.h"
#include "ctl/pager.h"
#include "ctl/security/judge.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/state.h"
#include "ctl/table.h"
#include "ctl/verb.h"

#define ATTEMPTS_MAX 16 /* to find a container that lasts until it was looked at */

static const char *threshold_word = "low";
static Severity threshold;

/*
 * For people
 */

static void print_escaped(const char *text) {
        _cleanup_free_ char *shown = string_escape_unprintable(text);

        fputs(shown ?: "?", stdout);
}

static Color severity_color(Severity severity) {
        static const Color colors[_SEVERITY_N] = {
                [SEVERITY_NONE] = COLOR_GREEN,
                [SEVERITY_LOW] = COLOR_YELLOW,
                [SEVERITY_MEDIUM] = COLOR_YELLOW,
                [SEVERITY_HIGH] = COLOR_RED,
        };

        return colors[severity];
}

static void print_head(const berth_status *status, const View *view, const Report *report) {
        printf("%s%s%s ", color_sequence(severity_color(report_worst(report))),
               terminal_has_utf8() ? "\u25cf" : "*", color_sequence(COLOR_NONE));
        print_escaped(status->name);
        fputs(": ", stdout);
        print_escaped(status->state);
        if (view->running)
                printf(", process %" PRIu32 "\n", status->leader);
        else
                puts("; nothing is in effect, this is what its definition will give");
}

static int print_rows(const Report *report) {
        static const char *const headings[] = { "", "LAYER", "FROM", "WHAT", NULL };
        static const struct {
                const char *utf8, *ascii;
                Color color;
        } marks[_RATING_N] = {
                [RATING_PLAIN] = {" ",       " ", COLOR_NONE  },
                [RATING_FINE] = { "\u2713", "+", COLOR_GREEN },
                [RATING_WEAK] = { "\u2717", "!", COLOR_RED   },
                [RATING_UNKNOWN] = { "?",      "?", COLOR_YELLOW},
        };
        _cleanup_(table_freep) Table *table = table_new(headings);
        const char *before = "";

        if (!table)
                return -ENOMEM;
        for (size_t i = 0; i < report->n_rows; i++) {
                const Row *row = report->rows + i;

                table_cell_colored(
                                table, marks[row->rating].color,
                                terminal_has_utf8() ? marks[row->rating].utf8 : marks[row->rating].ascii);
                table_cell(table, streq(row->layer, before) ? " " : row->layer);
                table_cell(table, source_names[row->source]);
                table_cell(table, row->value);
                before = row->layer;
        }

        return table_print(table, stdout, !settings.no_legend, WIDTH_UNLIMITED);
}

static void print_finding(const Finding *finding) {
        printf("%s%-6s%s  %s: ", color_sequence(severity_color(finding->severity)),
               severity_names[finding->severity], color_sequence(COLOR_NONE), finding->layer);
        print_escaped(finding->text);
        if (finding->key) {
                printf(" [%s= in ", finding->key);
                print_escaped(finding->origin);
                putchar(']');
        }
        putchar('\n');
}

static void print_findings(const Report *report) {
        if (report->n_findings == 0) {
                puts("Nothing that was seen is weaker than by default.");
                return;
        }
        puts("Weaker than by default:");
        for (Severity severity = SEVERITY_HIGH; severity > SEVERITY_NONE; severity--)
                for (size_t i = 0; i < report->n_findings; i++)
                        if (report->findings[i].severity == severity)
                                print_finding(report->findings + i);
}

/* What keeps the table from being the whole truth. */
static void print_notes(const View *view, const Report *report) {
        bool hidden = view->running && view->own[VIEW_MOUNT] == ANSWER_UNKNOWN;

        for (size_t i = 0; i < report->n_rows; i++)
                hidden = hidden || report->rows[i].rating == RATING_UNKNOWN;
        if (hidden)
                puts("Root is shown more by the kernel.");
        if (view->running && !view->definition)
                puts("The definition is not for your eyes: what made it so is not told.");
        if (view->changed) {
                print_escaped(view->changed);
                puts(" was changed after the start: what is from the definition is for the next one.");
        }
}

static int print_text(const berth_status *status, const View *view, const Report *report) {
        int r = 0;

        print_head(status, view, report);
        if (!settings.quiet)
                r = print_rows(report);
        print_findings(report);
        print_notes(view, report);

        return r;
}

/*
 * For programs
 */

static void print_json(Json *json, const berth_status *status, const View *view, const Report *report) {
        Severity worst = report_worst(report);

        json_begin_object(json, NULL);
        json_string(json, "name", status->name);
        json_string(json, "state", status->state);
        json_boolean(json, "in_effect", view->running);
        json_nonzero(json, "leader", status->leader);
        json_string(json, "worst", worst == SEVERITY_NONE ? NULL : severity_names[worst]);
        json_boolean(json, "has_definition", view->definition);
        json_string(json, "changed", view->changed);
        json_begin_array(json, "layers");
        for (size_t i = 0; i < report->n_rows; i++) {
                json_begin_object(json, NULL);
                json_string(json, "layer", report->rows[i].layer);
                json_string(json, "value", report->rows[i].value);
                json_string(json, "from", source_names[report->rows[i].source]);
                json_string(json, "rating", rating_names[report->rows[i].rating]);
                json_end_object(json);
        }
        json_end_array(json);
        json_begin_array(json, "findings");
        for (size_t i = 0; i < report->n_findings; i++) {
                json_begin_object(json, NULL);
                json_string(json, "severity", severity_names[report->findings[i].severity]);
                json_string(json, "layer", report->findings[i].layer);
                json_string(json, "section", report->findings[i].section);
                json_string(json, "key", report->findings[i].key);
                json_string(json, "origin", report->findings[i].origin);
                json_string(json, "text", report->findings[i].text);
                json_end_object(json);
        }
        json_end_array(json);
        json_end_object(json);
}

/*
 * One after the other
 */

static int show_view(const berth_status *status, const View *view, Json *json) {
        _cleanup_(report_clear) Report report = {};
        int r;

        if (!view->running && !view->definition) {
                _cleanup_free_ char *shown = string_escape_unprintable(status->name);

                fprintf(stderr, "berthctl: %s is not running, and its definition is not for your eyes\n",
                        shown ?: "?");
                return STATUS_NOT_PERMITTED;
        }
        r = judge(view, &report);
        if (r >= 0)
                r = report_error(&report);
        if (r >= 0 && json)
                print_json(json, status, view, &report);
        else if (r >= 0)
                r = print_text(status, view, &report);
        if (r < 0)
                return report_errno(r, "cannot say what confines the container");

        return report_worst(&report) >= threshold ? STATUS_WEAK : STATUS_FINE;
}

static int show(berth *connection, const char *name, Json *json) {
        _cleanup_(view_clear) View view = VIEW_NULL;
        berth_status *status;
        unsigned attempts = 0;
        int r, result;

        /* It may end, or reboot, while it is looked at. */
        do {
                r = berth_get_status(connection, name, &status);
                if (r < 0)
                        return service_failed(connection, r, "look at", name);
                r = view_read(connection, status, &view);
                if (r == VIEW_E_CHANGED)
                        (void) berth_status_free(status);
        } while (r == VIEW_E_CHANGED && ++attempts < ATTEMPTS_MAX);
        if (r == VIEW_E_CHANGED)
                return report_errno(-EAGAIN, "it is another one each time it is looked at");

        result = r < 0 ? report_errno(r, "cannot look at the container") : show_view(status, &view, json);
        (void) berth_status_free(status);

        return result;
}

static int show_all(berth *connection, char *const *names) {
        Json json = JSON_TO(stdout);
        int status = STATUS_FINE;

        if (settings.json)
                json_begin_array(&json, NULL);
        else
                pager_open();
        for (char *const *name = names; *name; name++) {
                if (!settings.json && name != names)
                        putchar('\n');
                status = status_join(status, show(connection, *name, settings.json ? &json : NULL));
        }
        if (settings.json) {
                json_end_array(&json);
                if (json_finish(&json) < 0)
                        return STATUS_FAILED;
        }

        return status;
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_(strv_freep) char **names = NULL;
        int status;

        for (threshold = SEVERITY_LOW; threshold < _SEVERITY_N; threshold++)
                if (streq(threshold_word, severity_names[threshold]))
                        break;
        if (threshold == _SEVERITY_N && !streq(threshold_word, "none")) {
                fputs("berthctl: --threshold= takes low, medium, high or none\n", stderr);
                return STATUS_USAGE;
        }
        status = service_open(&connection);
        if (status == STATUS_FINE)
                status = service_names(connection, arguments->words, arguments->n, &names);
        if (status != STATUS_FINE)
                return status;

        return show_all(connection, names);
}

/* clang-format off */
static const Option options[] = {
        { "threshold", 0, OPTION_TEXT, &threshold_word, "SEVERITY",
          .help = "from which severity on the status is 6: low (default), medium, high, none" },
        { 0 },
};
/* clang-format on */

const Verb verb_security = {
        .name = "security",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .local = true,
        .json = true,
        .run = run,
        .summary = "show what confines containers, and what is weaker than by default",
        .details = "Shows for each layer of a container's confinement what is in effect, by the kernel and "
                   "systemd, and what\n"
                   "is weaker than by default, with the key that made it so. Of one that is not running it "
                   "shows what its\n"
                   "definition will give. Root is shown more than others. Exits with 6 if something is "
                   "weaker; with -q,\n"
                   "only that is told.",
};
