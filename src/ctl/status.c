/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl status: what a person wants to know of a container, on one screen, with the end of its log.
 */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/facts.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/log-lines.h"
#include "ctl/pager.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/state.h"
#include "ctl/verb.h"
#include "spec/name.h"

#define LABEL_WIDTH 11
#define NSEC_PER_MSEC 1000000
#define PRESSURE_NOTABLE 1.0 /* percent of the last 10 seconds, or of the last minute */

static const char *lines = "10";

/*
 * For people
 */

/* Anything that was made elsewhere goes through here. */
static void print_escaped(const char *text) {
        _cleanup_free_ char *shown = string_escape_unprintable(text);

        fputs(shown ?: "?", stdout);
}

static void print_label(const char *label) {
        printf("%*s: ", LABEL_WIDTH, label);
}

static void print_line(const char *label, const char *text) {
        print_label(label);
        print_escaped(text);
        putchar('\n');
}

static void print_head(const berth_status *status, const Facts *facts) {
        char uptime[FORMAT_SIZE], since[FORMAT_SIZE];
        const char *age = state_uptime(status, uptime);

        printf("%s%s%s ", color_sequence(state_color(status->state)), terminal_has_utf8() ? "\u25cf" : "*",
               color_sequence(COLOR_NONE));
        print_escaped(status->name);
        if (facts->description) {
                fputs(" - ", stdout);
                print_escaped(facts->description);
        }
        putchar('\n');

        print_label("State");
        fputs(color_sequence(state_color(status->state)), stdout);
        print_escaped(status->state);
        fputs(color_sequence(COLOR_NONE), stdout);
        if (age)
                printf(" since %s; %s ago", format_time(status->started_usec, since), age);
        else if (status->exit_status == -SIGINT && streq(status->state, "stopped"))
                /* How reboot(2) ends the first process of a pid namespace. */
                fputs(" (powered off)", stdout);
        else if (status->exit_status < 0)
                printf(" (its init was killed by signal %s)",
                       signal_name(-status->exit_status, since) ?: "?");
        else if (status->exit_status > 0)
                printf(" (its init exited with status %" PRIi32 ")", status->exit_status);
        putchar('\n');
}

static void print_owner(uint32_t owner) {
        const struct passwd *user = settings.host || settings.machine ? NULL : getpwuid(owner);

        print_label("Owner");
        if (user) {
                print_escaped(user->pw_name);
                printf(" (%" PRIu32 ")\n", owner);
        } else
                printf("%" PRIu32 "\n", owner);
}

static void print_files(const Facts *facts) {
        for (size_t i = 0; facts->files && facts->files[i]; i++)
                print_line(i == 0 ? "Definition" : "", facts->files[i]);
}

static void print_leader(const berth_status *status, const Facts *facts) {
        if (status->leader == 0)
                return;

        print_label("Leader");
        printf("%" PRIu32, status->leader);
        if (facts->command) {
                fputs(" (", stdout);
                print_escaped(facts->command);
                putchar(')');
        }
        putchar('\n');
}

static void print_counters(const berth_status *status, const Facts *facts) {
        char buffer[FORMAT_SIZE];

        if (status->tasks_current != BERTH_UNKNOWN) {
                print_label("Tasks");
                printf("%" PRIu64, status->tasks_current);
                if (facts->tasks_limit != UINT64_MAX)
                        printf(" (limit: %" PRIu64 ")", facts->tasks_limit);
                putchar('\n');
        }
        if (status->memory_current != BERTH_UNKNOWN) {
                const char *separator = " (";

                print_label("Memory");
                fputs(format_bytes(status->memory_current, buffer), stdout);
                if (status->memory_peak != BERTH_UNKNOWN) {
                        printf("%speak: %s", separator, format_bytes(status->memory_peak, buffer));
                        separator = ", ";
                }
                if (facts->memory_limit != UINT64_MAX) {
                        printf("%slimit: %s", separator, format_bytes(facts->memory_limit, buffer));
                        separator = ", ";
                }
                puts(streq(separator, ", ") ? ")" : "");
        }
        if (status->cpu_usage_nsec != BERTH_UNKNOWN) {
                print_label("CPU");
                puts(format_span(status->cpu_usage_nsec / NSEC_PER_MSEC * USEC_PER_MSEC, buffer));
        }
        if (status->io_read_bytes != BERTH_UNKNOWN || status->io_write_bytes != BERTH_UNKNOWN) {
                print_label("IO");
                printf("%s read", format_bytes(status->io_read_bytes, buffer));
                printf(", %s written\n", format_bytes(status->io_write_bytes, buffer));
        }
}

/* Only what slows it down. */
static void print_pressure(const berth_status *status) {
        for (size_t i = 0; i < status->n_pressure; i++) {
                const berth_pressure *pressure = status->pressure + i;

                if (!(pressure->last10 >= PRESSURE_NOTABLE) && !(pressure->last60 >= PRESSURE_NOTABLE))
                        continue;
                print_label("Pressure");
                printf("%swaits for ", color_sequence(COLOR_YELLOW));
                print_escaped(pressure->resource);
                printf(" %.1f%% of the last 10 s, %.1f%% of the last minute%s\n", pressure->last10,
                       pressure->last60, color_sequence(COLOR_NONE));
        }
}

static void print_error(const berth_status *status) {
        if (!*status->last_error)
                return;

        print_label("Last error");
        fputs(color_sequence(COLOR_RED), stdout);
        print_escaped(status->last_error);
        puts(color_sequence(COLOR_NONE));
        print_label("Next");
        fputs("berthctl logs ", stdout);
        print_escaped(status->name);
        fputs(" tells more; when the cause is gone: berthctl start ", stdout);
        print_escaped(status->name);
        putchar('\n');
}

static void print_log(const berth_status *status) {
        int r;

        if (streq(lines, "0"))
                return;
        putchar('\n');
        (void) fflush(stdout);
        if (settings.host) {
                _cleanup_free_ char *ssh = settings_ssh();

                printf("The log is on that host: %s berthctl logs %s\n", ssh ?: "ssh", status->name);
                return;
        }
        r = log_lines_print(status->unit, lines);
        if (r < 0)
                (void) report_errno(r, "cannot run journalctl");
}

static void print_status(const berth_status *status, const Facts *facts) {
        print_head(status, facts);
        print_owner(status->owner);
        print_line("Unit", status->unit);
        print_files(facts);
        print_leader(status, facts);
        print_counters(status, facts);
        print_pressure(status);
        if (*status->control_group)
                print_line("CGroup", status->control_group);
        print_error(status);
        print_log(status);
}

/*
 * For programs
 */

static void json_limit(Json *json, const char *key, uint64_t limit) {
        json_counter(json, key, limit);
}

static void print_json(Json *json, const berth_status *status, const Facts *facts) {
        json_begin_object(json, NULL);
        json_string(json, "name", status->name);
        json_string(json, "description", facts->description);
        json_string(json, "state", status->state);
        json_unsigned(json, "owner", status->owner);
        json_string(json, "unit", status->unit);
        json_begin_array(json, "files");
        for (size_t i = 0; facts->files && facts->files[i]; i++)
                json_string(json, NULL, facts->files[i]);
        json_end_array(json);
        json_nonzero(json, "leader", status->leader);
        json_string(json, "leader_command", facts->command);
        json_string(json, "control_group", status->control_group);
        json_nonzero(json, "started_usec", status->started_usec);
        json_signed(json, "exit_status", status->exit_status);
        json_string(json, "last_error", status->last_error);
        json_counter(json, "tasks", status->tasks_current);
        json_limit(json, "tasks_limit", facts->tasks_limit);
        json_counter(json, "memory_bytes", status->memory_current);
        json_counter(json, "memory_peak_bytes", status->memory_peak);
        json_limit(json, "memory_limit_bytes", facts->memory_limit);
        json_counter(json, "cpu_usage_nsec", status->cpu_usage_nsec);
        json_counter(json, "io_read_bytes", status->io_read_bytes);
        json_counter(json, "io_write_bytes", status->io_write_bytes);
        json_begin_object(json, "pressure");
        for (size_t i = 0; i < status->n_pressure; i++) {
                const berth_pressure *pressure = status->pressure + i;

                json_begin_object(json, pressure->resource);
                json_double(json, "last10", pressure->last10);
                json_double(json, "last60", pressure->last60);
                json_double(json, "last300", pressure->last300);
                json_unsigned(json, "total_usec", pressure->total_usec);
                json_end_object(json);
        }
        json_end_object(json);
        json_end_object(json);
}

/*
 * One after the other
 */

/* What is known beside the service's answer; what cannot be known is left out. */
static int find_facts(berth *connection, const berth_status *status, Facts *facts) {
        _cleanup_free_ char *definition = NULL;
        int r = 0;

        if (berth_get_definition(connection, status->name, &definition) >= 0)
                r = facts_from_definition(facts, definition);
        if (r >= 0 && !settings.host && !settings.machine)
                r = facts_from_host(facts, status);

        return r;
}

static int show(berth *connection, const char *name, Json *json) {
        _cleanup_(facts_clear) Facts facts = FACTS_EMPTY;
        berth_status *status;
        bool runs;
        int r;

        r = berth_get_status(connection, name, &status);
        if (r < 0)
                return service_failed(connection, r, "look at", name);

        r = find_facts(connection, status, &facts);
        if (r < 0) {
                (void) berth_status_free(status);
                return report_errno(r, "cannot look at the container");
        }
        if (json)
                print_json(json, status, &facts);
        else
                print_status(status, &facts);
        runs = status->leader != 0;
        (void) berth_status_free(status);

        return runs ? STATUS_FINE : STATUS_NOT_RUNNING;
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
        uint64_t number;
        int status;

        if (parse_u64(lines, &number) < 0) {
                fputs("berthctl: --lines= takes a number\n", stderr);
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
        { "lines", 'n', OPTION_TEXT, &lines, "N", .help = "how many lines of the log, 10 by default, 0 for none" },
        { 0 },
};
/* clang-format on */

const Verb verb_status = {
        .name = "status",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .json = true,
        .run = run,
        .summary = "show what is to be known of containers",
        .details = "Shows the state of each container, its owner, unit and definition files, what it uses, why its last\n"
                   "start failed, and the end of its log, which journalctl reads with your rights. Exits with 3 if one\n"
                   "of them is not running.",
};
