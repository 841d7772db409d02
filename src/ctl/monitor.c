/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl monitor: what happens to containers, a line for each event as it comes. When events were lost, because the
 * service was restarted, what has changed meanwhile is found by comparing lists, and told as if it happened now.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/names.h"
#include "ctl/output.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

#define RESTART_MSEC 1000      /* for whoever stopped the service to be done before a question starts it again */
#define EVENT_READY UINT32_MAX /* our own: from now on nothing is missed */

typedef struct Known {
        char *name, *state;
} Known;

typedef struct Monitor {
        berth *connection;
        const Arguments *arguments;
        Known *known; /* the containers that were told of, in no order */
        size_t n_known;
} Monitor;

static void known_clear(Monitor *monitor) {
        for (size_t i = 0; i < monitor->n_known; i++) {
                free(monitor->known[i].name);
                free(monitor->known[i].state);
        }
        free(monitor->known);
        monitor->known = NULL;
        monitor->n_known = 0;
}

static void monitor_clear(Monitor *monitor) {
        known_clear(monitor);
        (void) berth_close(monitor->connection);
}

static Known *known_find(const Monitor *monitor, const char *name) {
        for (size_t i = 0; i < monitor->n_known; i++)
                if (streq(monitor->known[i].name, name))
                        return monitor->known + i;

        return NULL;
}

static int known_set(Monitor *monitor, const char *name, const char *state) {
        Known *known = known_find(monitor, name);
        char *copy;
        int r;

        if (known)
                return string_set(&known->state, state);
        copy = strdup(name);
        r = copy ? ARRAY_APPEND(monitor->known, monitor->n_known, (Known) { copy, NULL }) : -ENOMEM;
        if (r < 0) {
                free(copy);
                return r;
        }

        return string_set(&monitor->known[monitor->n_known - 1].state, state);
}

static void known_remove(Monitor *monitor, const char *name) {
        Known *known = known_find(monitor, name);

        if (!known)
                return;

        free(known->name);
        free(known->state);
        array_remove(monitor->known, &monitor->n_known, sizeof *known, (size_t) (known - monitor->known));
}

static const char *kind_name(uint32_t kind) {
        switch (kind) {
        case BERTH_EVENT_ADDED:
                return "added";
        case BERTH_EVENT_REMOVED:
                return "removed";
        case BERTH_EVENT_CHANGED:
                return "changed";
        case BERTH_EVENT_PROGRESS:
                return "progress";
        case BERTH_EVENT_RESET:
                return "reset";
        case EVENT_READY:
                return "ready";
        default:
                return NULL;
        }
}

/* Of the stream itself, not of a container. */
static bool is_about_all(const berth_event *event) {
        return event->kind == BERTH_EVENT_RESET || event->kind == EVENT_READY;
}

static bool is_wanted(const Arguments *arguments, const berth_event *event) {
        return arguments->n == 0 || is_about_all(event) ||
               names_have(arguments->words, arguments->n, event->name);
}

static uint64_t time_now(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME, &now);

        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

/* Properties that are numbers; a counter that is not kept is none. */
static bool is_number(const char *property) {
        static const char *const numbers[] = {
                "Owner",         "Leader",     "StartedUSec",  "ExitStatus",  "MemoryCurrent",
                "MemoryPeak",    "CPUUsageNSec", "TasksCurrent", "IOReadBytes", "IOWriteBytes",
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (streq(numbers[i], property))
                        return true;

        return false;
}

/* "Property=value" or "Property", whose value is not known. */
static void write_property(Json *json, const char *property) {
        const char *value = strchr(property, '=');
        _cleanup_free_ char *key = strndup(property, value ? (size_t) (value - property) : strlen(property));
        uint64_t number;

        if (!key)
                return;
        value = value ? value + 1 : NULL;

        if (value && is_number(key) && parse_u64(value, &number) >= 0)
                json_counter(json, key, number);
        else if (value && is_number(key) && *value == '-' && parse_u64(value + 1, &number) >= 0)
                json_signed(json, key, -(int64_t) (number & INT32_MAX));
        else
                json_string(json, key, value);
}

static void write_json(const berth_event *event) {
        Json json = JSON_TO(stdout);

        json_begin_object(&json, NULL);
        json_unsigned(&json, "time_usec", time_now());
        json_string(&json, "event", kind_name(event->kind));
        if (!is_about_all(event))
                json_string(&json, "name", event->name);
        if (event->state)
                json_string(&json, "state", event->state);
        if (event->properties) {
                json_begin_object(&json, "properties");
                for (char **property = event->properties; *property; property++)
                        write_property(&json, *property);
                json_end_object(&json);
        }
        if (event->kind == BERTH_EVENT_PROGRESS) {
                json_unsigned(&json, "done", event->done);
                json_unsigned(&json, "total", event->total);
                json_string(&json, "message", event->message);
        }
        json_end_object(&json);
        (void) json_finish(&json);
}

static void write_escaped(const char *before, const char *text) {
        _cleanup_free_ char *shown = string_escape_unprintable(text);

        printf("%s%s", before, shown ?: "?");
}

static Color state_color(const char *state) {
        return streq(state, "running") ? COLOR_GREEN : streq(state, "failed") ? COLOR_RED : COLOR_BOLD;
}

static void write_details(const berth_event *event) {
        char done[FORMAT_SIZE], total[FORMAT_SIZE];
        const char *before = "  ";

        if (event->state) {
                fputs(color_sequence(state_color(event->state)), stdout);
                write_escaped("  ", event->state);
                fputs(color_sequence(COLOR_NONE), stdout);
        } else if (event->kind == BERTH_EVENT_CHANGED)
                for (char **property = event->properties; property && *property; property++, before = ", ")
                        write_escaped(before, *property);

        if (event->kind == BERTH_EVENT_PROGRESS) {
                printf("  %s", format_bytes(event->done, done));
                if (event->total > 0)
                        printf(" of %s", format_bytes(event->total, total));
                if (event->message && *event->message)
                        write_escaped("  ", event->message);
        }
}

static void write_text(const berth_event *event) {
        char buffer[FORMAT_SIZE];
        const char *time = format_time(time_now(), buffer);

        if (is_about_all(event))
                printf("%s  %s", time, kind_name(event->kind));
        else {
                printf("%s  %-8s", time, kind_name(event->kind));
                write_escaped("  ", event->name);
        }
        write_details(event);
        putchar('\n');
}

/* Each line is handed on at once. False when nobody reads it. */
static bool show(const Monitor *monitor, const berth_event *event) {
        if (!kind_name(event->kind) || !is_wanted(monitor->arguments, event))
                return true;

        if (settings.json)
                write_json(event);
        else
                write_text(event);

        return output_flush() >= 0;
}

/* Tells of an event and remembers what it says. 0, or a negative errno: -EPIPE when nobody reads it. */
static int take(Monitor *monitor, const berth_event *event) {
        int r = 0;

        if (event->kind == BERTH_EVENT_REMOVED)
                known_remove(monitor, event->name);
        else if (event->state)
                r = known_set(monitor, event->name, event->state);

        return r < 0 ? r : show(monitor, event) ? 0 : -EPIPE;
}

static bool is_listed(berth_container *const *list, const char *name) {
        for (; *list; list++)
                if (streq((*list)->name, name))
                        return true;

        return false;
}

/* Compares what there is with what was told. */
static int catch_up(Monitor *monitor, berth_container *const *list) {
        int r = 0;

        for (size_t i = monitor->n_known; r >= 0 && i > 0; i--) {
                _cleanup_free_ char *name = strdup(monitor->known[i - 1].name);
                berth_event event = { .kind = BERTH_EVENT_REMOVED, .name = name };

                if (!name)
                        return -ENOMEM;
                if (!is_listed(list, name))
                        r = take(monitor, &event);
        }

        for (; r >= 0 && *list; list++) {
                Known *known = known_find(monitor, (*list)->name);
                berth_event event = {
                        .kind = known ? BERTH_EVENT_CHANGED : BERTH_EVENT_ADDED,
                        .name = (*list)->name,
                        .state = (*list)->state,
                };

                if (!known || !streq_null(known->state, (*list)->state))
                        r = take(monitor, &event);
        }

        return r;
}

/* Lists again, which starts the service if it is not there. */
static int synchronize(Monitor *monitor, bool silent) {
        berth_container **list;
        int r;

        r = berth_list(monitor->connection, &list);
        if (r < 0)
                return r;

        if (!silent)
                r = catch_up(monitor, list);
        else
                for (size_t i = 0; r >= 0 && list[i]; i++)
                        r = known_set(monitor, list[i]->name, list[i]->state);
        (void) berth_list_free(list);

        return r;
}

static int follow(Monitor *monitor) {
        const berth_event ready = { .kind = EVENT_READY };
        int r;

        r = berth_watch(monitor->connection);
        if (r >= 0)
                r = synchronize(monitor, true);
        if (r >= 0)
                r = take(monitor, &ready);

        while (r >= 0) {
                berth_event *event = NULL;

                r = berth_next_event(monitor->connection, UINT64_MAX, &event);
                if (r <= 0)
                        continue;

                r = take(monitor, event);
                if (r >= 0 && event->kind == BERTH_EVENT_RESET) {
                        (void) poll(NULL, 0, RESTART_MSEC);
                        r = synchronize(monitor, false);
                }
                (void) berth_event_free(event);
        }

        return r;
}

static int run(const Arguments *arguments) {
        _cleanup_(monitor_clear) Monitor monitor = { .arguments = arguments };
        int status, r;

        for (size_t i = 0; i < arguments->n; i++)
                if (!name_is_possible(arguments->words[i])) /* a name may come; this one will not */
                        return report_name(arguments->words[i]);
        status = service_open(&monitor.connection);
        if (status != STATUS_FINE)
                return status;

        r = follow(&monitor);

        return r == -EPIPE ? STATUS_FAILED : service_failed(monitor.connection, r, "follow the events", NULL);
}

const Verb verb_monitor = {
        .name = "monitor",
        .arguments = "[NAME...]",
        .maximum = SIZE_MAX,
        .json = true,
        .run = run,
        .summary = "show what happens to containers as it happens",
        .details = "Prints a line for each event, of all containers or of those named: one was added, removed, changed,\n"
                   "or is in the making. With --json, an object in a line. The first line, \"ready\", tells that\n"
                   "from now on nothing is missed; \"reset\" that the service was restarted, and what was missed follows.",
};
