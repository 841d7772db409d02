/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times calls of berth's D-Bus service, beside the same asked of systemd or by a command.
 *
 *   service-timer start ROUNDS PAUSE_MS NAME   StartContainer of the service, StartUnit until its job is
 * done, and the commands berthctl start and systemctl start, in turns service-timer together NAME...
 * StartContainer of all at once, until the last is answered service-timer list ROUNDS ListContainers
 *
 * A line of output for each: what it was, and microseconds. What was started is stopped again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"

#define SERVICE "org.berth.container1", "/org/berth/container1", "org.berth.container1.Manager"
#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define LIMIT_USEC (UINT64_C(600) * 1000 * 1000)
#define SETTLE_USEC 60000

static sd_bus *bus;
static char *job; /* of StartUnit, until it is done */
static unsigned n_answers;

_noreturn_ static void die(const char *what, int error) {
        (void) fprintf(stderr, "service-timer: %s: %s\n", what, strerror(abs(error)));
        exit(EXIT_FAILURE);
}

static int check(int result, const char *what) {
        if (result < 0)
                die(what, result);
        return result;
}

static uint64_t now_usec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static void turn(void) {
        if (check(sd_bus_process(bus, NULL), "bus") == 0)
                check(sd_bus_wait(bus, UINT64_MAX), "bus");
}

static int on_job_removed(sd_bus_message *message, _unused_ void *data, _unused_ sd_bus_error *error) {
        const char *path, *unit, *result;
        uint32_t id;

        check(sd_bus_message_read(message, "uoss", &id, &path, &unit, &result), "JobRemoved");
        if (job && strcmp(job, path) == 0) {
                free(job);
                job = NULL;
        }
        return 0;
}

static int on_answer(sd_bus_message *reply, void *name, _unused_ sd_bus_error *error) {
        if (sd_bus_message_is_method_error(reply, NULL)) {
                (void) fprintf(stderr, "service-timer: %s: %s\n", (const char *) name,
                               sd_bus_message_get_error(reply)->message);
                exit(EXIT_FAILURE);
        }
        n_answers++;
        return 0;
}

/* Calls METHOD for all names at once and waits for every answer. */
static void call_all(const char *method, char **names, size_t n) {
        bool stop = strcmp(method, "StopContainer") == 0;

        n_answers = 0;
        for (size_t i = 0; i < n; i++) {
                sd_bus_message *call = NULL;

                check(sd_bus_message_new_method_call(bus, &call, SERVICE, method), method);
                check(sd_bus_message_append(call, "s", names[i]), method);
                if (stop)
                        check(sd_bus_message_append(call, "t", UINT64_C(0)), method);
                check(sd_bus_call_async(bus, NULL, call, on_answer, names[i], LIMIT_USEC), method);
                sd_bus_message_unref(call);
        }
        while (n_answers < n)
                turn();
}

static void by_service(char *name) {
        call_all("StartContainer", &name, 1);
}

static void by_systemd(char *name) {
        sd_bus_message *reply = NULL;
        const char *path;
        char unit[128];

        (void) snprintf(unit, sizeof unit, "container@%s.service", name);
        check(sd_bus_call_method(bus, SYSTEMD, "StartUnit", NULL, &reply, "ss", unit, "replace"),
              "StartUnit");
        check(sd_bus_message_read(reply, "o", &path), "StartUnit");
        job = strdup(path);
        sd_bus_message_unref(reply);
        while (job)
                turn();
}

static void by_command(const char *program, const char *argument) {
        int status;
        pid_t pid = vfork();

        if (pid == 0) {
                (void) execl(program, program, "--quiet", "start", argument, NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                die(program, errno);
        if (status != 0)
                die(program, EIO);
}

static void by_berthctl(char *name) {
        by_command("/usr/bin/berthctl", name);
}

static void by_systemctl(char *name) {
        char unit[128];

        (void) snprintf(unit, sizeof unit, "container@%s.service", name);
        by_command("/usr/bin/systemctl", unit);
}

static void time_starts(long rounds, long pause_ms, char *name) {
        static const struct {
                const char *what;
                void (*start)(char *name);
        } ways[] = {
                {"StartUnit",       by_systemd  },
                { "StartContainer", by_service  },
                { "systemctl",      by_systemctl},
                { "berthctl",       by_berthctl },
        };

        for (long round = 0; round < rounds * (long) ELEMENTSOF(ways); round++) {
                size_t way = (size_t) (round + round / (long) ELEMENTSOF(ways)) % ELEMENTSOF(ways);
                uint64_t begin;

                (void) usleep((useconds_t) pause_ms * 1000);
                begin = now_usec();
                ways[way].start(name);
                (void) printf("%s %" PRIu64 "\n", ways[way].what, now_usec() - begin);
                (void) usleep(SETTLE_USEC);
                call_all("StopContainer", &name, 1);
        }
}

static void time_together(char **names, size_t n) {
        uint64_t begin = now_usec();

        call_all("StartContainer", names, n);
        (void) printf("together %" PRIu64 "\n", now_usec() - begin);
        call_all("StopContainer", names, n);
}

static void time_list(long rounds) {
        for (long round = 0; round < rounds; round++) {
                uint64_t begin = now_usec();
                sd_bus_message *reply = NULL;
                size_t n = 0;

                check(sd_bus_call_method(bus, SERVICE, "ListContainers", NULL, &reply, NULL),
                      "ListContainers");
                check(sd_bus_message_enter_container(reply, 'a', "(ssuso)"), "ListContainers");
                while (check(sd_bus_message_skip(reply, "(ssuso)"), "ListContainers") > 0 &&
                       sd_bus_message_at_end(reply, false) == 0)
                        n++;
                sd_bus_message_unref(reply);
                (void) printf("list %" PRIu64 "\n", now_usec() - begin);
        }
}

int main(int argc, char **argv) {
        check(sd_bus_open_system(&bus), "system bus");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "JobRemoved", on_job_removed, NULL), "JobRemoved");
        check(sd_bus_call_method(bus, SYSTEMD, "Subscribe", NULL, NULL, NULL), "Subscribe");

        if (argc == 5 && strcmp(argv[1], "start") == 0)
                time_starts(strtol(argv[2], NULL, 10), strtol(argv[3], NULL, 10), argv[4]);
        else if (argc >= 3 && strcmp(argv[1], "together") == 0)
                time_together(argv + 2, (size_t) argc - 2);
        else if (argc == 3 && strcmp(argv[1], "list") == 0)
                time_list(strtol(argv[2], NULL, 10));
        else {
                (void) fprintf(stderr, "Usage: service-timer start ROUNDS PAUSE_MS NAME | together NAME... "
                                       "| list ROUNDS\n");
                return 2;
        }

        (void) sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
