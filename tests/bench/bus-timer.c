/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Times starts and stops of units, from the call to the end of the job. Units take turns, so that what the machine does
 * meanwhile hits all alike.
 *
 *   bus-timer call|systemctl|together ROUNDS PAUSE_MS UNIT...
 *
 * "call" makes one StartUnit call over the system bus and waits for JobRemoved, "systemctl" runs systemctl start,
 * "together" calls StartUnit for all units and waits until the last of the jobs is done. A line of output for each:
 * start or stop, UNIT (the number of units for "together"), microseconds.
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

#include "basic/cleanup.h"

#define JOBS_MAX 512
#define SETTLE_USEC 60000 /* between the start of a unit and its stop */

#define SYSTEMD "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

typedef struct Job {
        char *path;
        const char *unit;
        bool done;
} Job;

static Job jobs[JOBS_MAX];
static size_t n_jobs, n_pending;
static sd_bus *bus;

_noreturn_ static void die(const char *what, int error) {
        (void) fprintf(stderr, "bus-timer: %s: %s\n", what, strerror(abs(error)));
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

static int on_job_removed(sd_bus_message *message, _unused_ void *data, _unused_ sd_bus_error *error) {
        const char *path, *unit, *result;
        uint32_t id;

        check(sd_bus_message_read(message, "uoss", &id, &path, &unit, &result), "JobRemoved");
        for (size_t i = 0; i < n_jobs; i++) {
                if (jobs[i].done || strcmp(jobs[i].path, path) != 0)
                        continue;
                if (strcmp(result, "done") != 0) {
                        (void) fprintf(stderr, "bus-timer: the job of %s ended with \"%s\"\n", unit, result);
                        exit(EXIT_FAILURE);
                }
                jobs[i].done = true;
                n_pending--;
        }

        return 0;
}

static void job_begin(const char *method, const char *unit) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(bus, SYSTEMD, method, &error, &reply, "ss", unit, "replace");
        if (r < 0) {
                (void) fprintf(stderr, "bus-timer: %s %s: %s\n", method, unit, error.message ? error.message : strerror(-r));
                exit(EXIT_FAILURE);
        }
        check(sd_bus_message_read(reply, "o", &path), method);
        jobs[n_jobs] = (Job) { .path = strdup(path), .unit = unit };
        if (!jobs[n_jobs].path)
                die("job", ENOMEM);
        n_jobs++;
        n_pending++;
        (void) sd_bus_message_unref(reply);
}

static void jobs_wait(void) {
        while (n_pending > 0) {
                int r = check(sd_bus_process(bus, NULL), "bus");

                if (r == 0)
                        check(sd_bus_wait(bus, UINT64_MAX), "bus");
        }

        for (size_t i = 0; i < n_jobs; i++)
                free(jobs[i].path);
        n_jobs = 0;
}

static void run_systemctl(const char *verb, const char *unit) {
        int status;
        pid_t pid = vfork();

        if (pid == 0) {
                (void) execl("/usr/bin/systemctl", "systemctl", "--quiet", verb, unit, NULL);
                _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                die("systemctl", errno);
        if (status != 0) {
                (void) fprintf(stderr, "bus-timer: systemctl %s %s failed\n", verb, unit);
                exit(EXIT_FAILURE);
        }
}

/* Starts or stops some units, and prints how long it took. */
static void act(bool by_systemctl, bool start, char **units, size_t n) {
        uint64_t begin = now_usec();

        for (size_t i = 0; i < n; i++)
                if (by_systemctl)
                        run_systemctl(start ? "start" : "stop", units[i]);
                else
                        job_begin(start ? "StartUnit" : "StopUnit", units[i]);
        jobs_wait();

        (void) printf("%s ", start ? "start" : "stop");
        if (n == 1)
                (void) printf("%s ", units[0]);
        else
                (void) printf("%zu ", n);
        (void) printf("%" PRIu64 "\n", now_usec() - begin);
        (void) fflush(stdout);
}

static void connect_bus(void) {
        check(sd_bus_open_system(&bus), "system bus");
        check(sd_bus_match_signal(bus, NULL, SYSTEMD, "JobRemoved", on_job_removed, NULL), "JobRemoved");
        check(sd_bus_call_method(bus, SYSTEMD, "Subscribe", NULL, NULL, NULL), "Subscribe");
}

int main(int argc, char **argv) {
        bool together = argc > 1 && strcmp(argv[1], "together") == 0;
        bool by_systemctl = argc > 1 && strcmp(argv[1], "systemctl") == 0;
        long rounds, pause_ms;
        size_t n, step;

        if (argc < 5 || argc - 4 > JOBS_MAX || !(together || by_systemctl || strcmp(argv[1], "call") == 0)) {
                (void) fprintf(stderr, "Usage: bus-timer call|systemctl|together ROUNDS PAUSE_MS UNIT...\n");
                return 2;
        }
        rounds = strtol(argv[2], NULL, 10);
        pause_ms = strtol(argv[3], NULL, 10);
        n = (size_t) argc - 4;
        step = together ? n : 1;
        connect_bus();

        for (long round = 0; round < rounds; round++)
                for (size_t i = 0; i < n; i += step) {
                        char **units = argv + 4 + (i + (size_t) round * step) % n;

                        (void) usleep((useconds_t) pause_ms * 1000);
                        act(by_systemctl, true, units, step);
                        (void) usleep(SETTLE_USEC);
                        act(by_systemctl, false, units, step);
                }

        (void) sd_bus_flush_close_unref(bus);
        return EXIT_SUCCESS;
}
