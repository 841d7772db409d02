/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every function of libberth, through the shared library as a program would use it, against the fake service
 * beside this file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "client/include/berth.h"
#include "test.h"

#define SECOND UINT64_C(1000000)

static berth *connection;

/* That a call failed with this name and errno. */
#define CHECK_ERROR(call, name, number)                                                                     \
        do {                                                                                                \
                CHECK_INT(call, -(number));                                                                 \
                CHECK_STR(berth_error_name(connection), name);                                              \
        } while (0)

static void test_open(void) {
        berth *other = NULL;

        CHECK_INT(berth_open(NULL), -EINVAL);
        CHECK_STR(berth_error_name(NULL), BERTH_ERROR_INVALID_ARGS);
        CHECK_INT(berth_open_remote("-oProxyCommand=true", &other), -EINVAL);
        CHECK_INT(berth_open_remote(NULL, &other), -EINVAL);
        CHECK_INT(berth_open_machine("", &other), -EINVAL);
        CHECK(berth_open_machine("there-is-no-such-machine", &other) < 0);
        CHECK_HAS(berth_error_message(NULL), "cannot connect to the system bus: ");
        CHECK(other == NULL);
        CHECK(berth_close(NULL) == NULL);

        REQUIRE(berth_open(&connection) == 0);
        CHECK_STR(berth_error_message(NULL), "");
        CHECK_STR(berth_error_message(connection), "");
        CHECK(berth_error_name(connection) == NULL);
}

static void test_service(void) {
        berth_capability **capabilities;
        _cleanup_free_ char *version = NULL;
        char **features;

        CHECK_STR(berth_library_version(), BERTH_VERSION);
        REQUIRE(berth_version(connection, &version) == 0);
        CHECK_STR(version, "9.8.7");
        CHECK_INT(berth_has_feature(connection, "second"), 1);
        CHECK_INT(berth_has_feature(connection, "third"), 0);
        REQUIRE(berth_features(connection, &features) == 2);
        CHECK_STR(features[0], "first");
        CHECK(features[2] == NULL);
        CHECK(berth_strings_free(features) == NULL);
        CHECK(berth_strings_free(NULL) == NULL);

        REQUIRE(berth_capabilities(connection, &capabilities) == 3);
        CHECK_STR(capabilities[0]->name, "apparmor");
        CHECK_INT(capabilities[0]->available, 0);
        CHECK_HAS(capabilities[0]->reason, "the kernel was built");
        CHECK_STR(capabilities[1]->name, "later"); /* neither a boolean nor a reason */
        CHECK_INT(capabilities[1]->available, 0);
        CHECK_STR(capabilities[2]->name, "pidfd");
        CHECK_INT(capabilities[2]->available, 1);
        CHECK_STR(capabilities[2]->reason, "");
        CHECK(berth_capabilities_free(capabilities) == NULL);
        CHECK(berth_capabilities_free(NULL) == NULL);
        CHECK_INT(berth_reload(connection), 0);
        CHECK_INT(berth_reload(NULL), -EINVAL);
}

static void test_list(void) {
        berth_container **list;
        berth_status **all;

        REQUIRE(berth_list(connection, &list) == 10);
        CHECK_STR(list[0]->name, "1000/web");
        CHECK_INT(list[0]->owner, 1000);
        CHECK_STR(list[9]->name, "web");
        CHECK_STR(list[9]->state, "running");
        CHECK_STR(list[9]->unit, "container@web.service");
        CHECK_STR(list[9]->path, "/org/berth/container1/container/web");
        CHECK(list[10] == NULL);
        CHECK(berth_list_free(list) == NULL);
        CHECK(berth_list_free(NULL) == NULL);

        REQUIRE(berth_list_status(connection, &all) == 10);
        CHECK_STR(all[0]->name, "1000/web");
        CHECK_INT(all[9]->leader, 1);
        CHECK_INT(all[9]->n_pressure, 2);
        CHECK(berth_status_list_free(all) == NULL);
        CHECK(berth_status_list_free(NULL) == NULL);
}

static void test_status(void) {
        berth_status *status = NULL;

        REQUIRE(berth_get_status(connection, "web", &status) == 0);
        CHECK_STR(status->name, "web");
        CHECK_STR(status->state, "running");
        CHECK_STR(status->control_group, "/machine.slice/x");
        CHECK(status->started_usec == UINT64_C(1700000000000000));
        CHECK(status->memory_current == 50331648);
        CHECK(status->memory_peak == BERTH_UNKNOWN);
        CHECK(status->io_write_bytes == BERTH_UNKNOWN); /* which the service did not tell */
        REQUIRE(status->n_pressure == 2);
        CHECK_STR(status->pressure[0].resource, "cpu");
        CHECK(status->pressure[0].last10 == 12.5);
        CHECK(status->pressure[0].total_usec == 9000000);
        CHECK(berth_status_free(status) == NULL);
        CHECK(berth_status_free(NULL) == NULL);

        REQUIRE(berth_get_status(connection, "1000/web", &status) == 0);
        CHECK_STR(status->name, "1000/web");
        CHECK_INT(status->owner, 1000);
        CHECK_STR(status->control_group, "");
        (void) berth_status_free(status);

        CHECK_ERROR(berth_get_status(connection, "nobody", &status), BERTH_ERROR_NO_SUCH_CONTAINER, ENOENT);
        CHECK_STR(berth_error_message(connection), "there is no container nobody");
        CHECK_ERROR(berth_get_status(connection, "../etc", &status), BERTH_ERROR_INVALID_NAME, EINVAL);
        CHECK_ERROR(berth_get_status(connection, "\033[2J", &status), BERTH_ERROR_INVALID_NAME, EINVAL);
        CHECK(strchr(berth_error_message(connection), '\033') == NULL);
        CHECK_ERROR(berth_get_status(connection, NULL, &status), BERTH_ERROR_INVALID_ARGS, EINVAL);
}

static void test_properties(void) {
        char *text = NULL;

        REQUIRE(berth_get_property(connection, "web", "Leader", &text) == 0);
        CHECK_STR(text, "1");
        free(text);
        REQUIRE(berth_get_property(connection, "web", "Unit", &text) == 0);
        CHECK_STR(text, "container@web.service");
        free(text);
        REQUIRE(berth_get_property(connection, "web", "Later", &text) == 0);
        CHECK_STR(text, "{\"k\": [[\"a\", \"b\\\"\\u000a\"], 0.5]}");
        free(text);
        REQUIRE(berth_get_definition(connection, "web", &text) == 0);
        CHECK_HAS(text, "[Root]\n# /etc/berth/containers/web.container.d/50.conf:1\nManaged=yes\n");
        free(text);
        REQUIRE(berth_get_path(connection, "web", &text) == 0);
        CHECK_STR(text, "/org/berth/container1/container/web");
        free(text);
        REQUIRE(berth_find_process(connection, 1, &text) == 0);
        CHECK_STR(text, "web");
        free(text);

        CHECK_ERROR(berth_get_property(connection, "web", "Nothing", &text), BERTH_ERROR_NO_SUCH_PROPERTY,
                    ENOTTY);
        CHECK_ERROR(berth_get_property(connection, "nobody", "Unit", &text), BERTH_ERROR_NO_SUCH_CONTAINER,
                    ENOENT);
        CHECK_ERROR(berth_get_path(connection, "nobody", &text), BERTH_ERROR_NO_SUCH_CONTAINER, ENOENT);
        CHECK_ERROR(berth_find_process(connection, 2, &text), BERTH_ERROR_NO_SUCH_PROCESS, ESRCH);
}

static void test_control(void) {
        static const char *const good[] = { "MemoryMax=1G", "MemoryMax=2G", NULL };
        static const char *const bad[] = { "MemoryMax=1G", "Colour=blue", NULL };
        static const char *const worse[] = { "=1", NULL };

        CHECK_INT(berth_start(connection, "db"), 0);
        CHECK_ERROR(berth_start(connection, "db"), BERTH_ERROR_ALREADY_RUNNING, EALREADY);
        CHECK_INT(berth_freeze(connection, "db"), 0);
        CHECK_INT(berth_thaw(connection, "db"), 0);
        CHECK_INT(berth_restart(connection, "db"), 0);
        CHECK_INT(berth_kill(connection, "db", "leader", SIGHUP), 0);
        CHECK_ERROR(berth_kill(connection, "db", "\xff", SIGHUP), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_ERROR(berth_stop(connection, "db", 1), BERTH_ERROR_TIMED_OUT, ETIMEDOUT);
        CHECK_INT(berth_stop(connection, "db", 0), 0);
        CHECK_ERROR(berth_stop(connection, "db", 0), BERTH_ERROR_NOT_RUNNING, ESRCH);
        CHECK_ERROR(berth_start(connection, "broken"), BERTH_ERROR_START_FAILED, EIO);
        CHECK_STR(berth_error_message(connection), "Cannot start container broken: failed to open the root "
                                                   "/srv/broken: No such file or directory");
        CHECK_INT(berth_start(connection, "1000/web"), 0);

        CHECK_INT(berth_set_properties(connection, "web", good, BERTH_SET_RUNTIME), 0);
        CHECK_ERROR(berth_set_properties(connection, "web", bad, 0), BERTH_ERROR_NO_SUCH_PROPERTY, ENOTTY);
        CHECK_ERROR(berth_set_properties(connection, "web", worse, 0), BERTH_ERROR_INVALID_ARGS, EINVAL);

        CHECK_ERROR(berth_start(connection, "guarded"), BERTH_ERROR_AUTHORIZATION_REQUIRED, EACCES);
        CHECK_INT(berth_set_interactive(connection, 1), 0);
        CHECK_INT(berth_start(connection, "guarded"), 0);
        CHECK_INT(berth_set_interactive(connection, 0), 0);

        CHECK_INT(berth_enable(connection, "web"), 1);
        CHECK_INT(berth_enable(connection, "web"), 0);
        CHECK_INT(berth_disable(connection, "web"), 1);
        CHECK_INT(berth_disable(connection, "web"), 0);
        CHECK_ERROR(berth_enable(connection, "nobody"), BERTH_ERROR_NO_SUCH_CONTAINER, ENOENT);
}

/* A name that the library does not know, and words that would steer a terminal or look like several lines.
 */
static void test_strange_error(void) {
        CHECK_INT(berth_start(connection, "odd"), -EIO);
        CHECK_STR(berth_error_name(connection), "org.example.Strange");
        CHECK_STR(berth_error_message(connection),
                  "the root \\x1b[31m\nforged line \\xe2\\x80\\xae is \\xe2\\x80\\xac bad");
}

static void test_descriptors(void) {
        char greeting[8] = "";
        struct stat status;
        int fd = -EBADF;

        REQUIRE(berth_open_console(connection, "web", &fd) == 0);
        CHECK_INT(read(fd, greeting, sizeof greeting - 1), 7);
        CHECK_STR(greeting, "login: ");
        CHECK_INT(fcntl(fd, F_GETFD), FD_CLOEXEC);
        close(fd);
        REQUIRE(berth_open_root(connection, "web", &fd) == 0);
        CHECK(fstat(fd, &status) == 0 && S_ISDIR(status.st_mode));
        close(fd);
        CHECK_ERROR(berth_open_console(connection, "broken", &fd), BERTH_ERROR_NOT_RUNNING, ESRCH);
        CHECK_ERROR(berth_open_root(connection, "nobody", &fd), BERTH_ERROR_NO_SUCH_CONTAINER, ENOENT);
}

static void test_make(void) {
        char path[] = "/tmp/berth-test-XXXXXX", *name = NULL;
        int fd = mkostemp(path, O_CLOEXEC);
        const berth_descriptor tar = { "tar", fd }, nameless = { NULL, fd };

        REQUIRE(fd >= 0 && unlink(path) == 0 && write(fd, "archive", 7) == 7);
        CHECK_INT(berth_create(connection, "made", "[Root]\n", &tar, 1, 0), 0);
        CHECK_ERROR(berth_create(connection, "made", "[Root]\n", NULL, 0, 0), BERTH_ERROR_CONTAINER_EXISTS,
                    EEXIST);
        CHECK_INT(berth_create(connection, "made", "[Root]\n", NULL, 0, BERTH_CREATE_REPLACE), 0);
        CHECK_ERROR(berth_create(connection, "made", "", NULL, 0, 0), BERTH_ERROR_INVALID_DEFINITION,
                    EBADMSG);
        CHECK_HAS(berth_error_message(connection), "\nsecond line");
        CHECK_ERROR(berth_create(connection, "made", "\xff", NULL, 0, 0), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_ERROR(berth_create(connection, "made", "", &nameless, 1, 0), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_INT(berth_remove(connection, "made", BERTH_REMOVE_DATA), 0);
        CHECK_ERROR(berth_remove(connection, "web", 0), BERTH_ERROR_NOT_SUPPORTED, EOPNOTSUPP);
        CHECK_INT(berth_run(connection, NULL, "[Root]\n", NULL, 0, 0, &name), 0);
        CHECK_STR(name, "made");
        free(name);
        CHECK_INT(berth_remove(connection, "made", 0), 0);
        CHECK_INT(berth_run(connection, "made", "[Root]\n", &tar, 1, 0, NULL), 0);
        CHECK_ERROR(berth_run(connection, "made", "[Root]\n", NULL, 0, 1, NULL), BERTH_ERROR_INVALID_ARGS,
                    EINVAL);
        CHECK_ERROR(berth_remove(connection, "made", BERTH_REMOVE_DATA | 2), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_ERROR(berth_create(connection, "new", "[Root]\n", NULL, 0, 4), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_ERROR(berth_set_properties(connection, "web", (const char *const[]){ "MemoryMax=1G", NULL }, 8),
                    BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_HAS(berth_error_message(connection), "0x8");
        CHECK_INT(berth_remove(connection, "made", 0), 0);
        close(fd);
}

static void test_timeout(void) {
        CHECK_INT(berth_set_timeout(connection, 50000), 0);
        CHECK_ERROR(berth_start(connection, "held"), BERTH_ERROR_NO_REPLY, ETIMEDOUT);
        CHECK_INT(berth_set_timeout(connection, UINT64_MAX), 0);
        CHECK_INT(berth_thaw(connection, "held"),
                  0); /* which has the answer sent: late, it disturbs nobody */
        CHECK_INT(berth_start(connection, "db"), 0);
        CHECK_INT(berth_stop(connection, "db", 0), 0);
}

static void lie(const char *about) {
        _cleanup_free_ char *assignment = string_printf("Lie=%s", about);
        const char *const assignments[] = { assignment, NULL };

        REQUIRE(berth_set_properties(connection, "web", assignments, 0) == 0);
}

/* Answers of a service that is not what it should be: refused, and nothing is handed out. */
static void test_lies(void) {
        berth_container **list = NULL;
        berth_status **all = NULL;
        berth_status *status = NULL;
        char *name = NULL;
        int fd = -EBADF;

        lie("path");
        CHECK_ERROR(berth_list(connection, &list), BERTH_ERROR_FAILED, EBADMSG);
        CHECK_STR(berth_error_message(connection),
                  "the service's answer to ListContainers is not what it should be");
        CHECK_ERROR(berth_find_process(connection, 1, &name), BERTH_ERROR_FAILED, EBADMSG);
        lie("type");
        CHECK_ERROR(berth_get_status(connection, "web", &status), BERTH_ERROR_FAILED, EBADMSG);
        CHECK_ERROR(berth_list_status(connection, &all), BERTH_ERROR_FAILED, EBADMSG);
        lie("descriptor");
        CHECK_ERROR(berth_open_console(connection, "web", &fd), BERTH_ERROR_FAILED, EBADMSG);
        lie("");
        CHECK(list == NULL && all == NULL && status == NULL && name == NULL && fd < 0);
}

/* Every question is answered by something else, in each of these ways. A shape may fit a question by chance;
 * nothing else is taken, and the error has a name. */
static void test_shapes(void) {
        for (char shape = 'a'; shape <= 'm'; shape++) {
                _cleanup_free_ char *about = string_printf("shape %c", shape);
                berth_capability **capabilities = NULL;
                char *path = NULL, *found = NULL, *version = NULL, *text = NULL, *made = NULL;
                berth_container **list = NULL;
                berth_status **all = NULL;
                berth_status *status = NULL;
                unsigned taken = 0;
                int fd = -EBADF;

                lie(about);
                taken += berth_list(connection, &list) >= 0;
                taken += berth_list_status(connection, &all) >= 0;
                taken += berth_get_status(connection, "web", &status) >= 0;
                taken += berth_capabilities(connection, &capabilities) >= 0;
                taken += berth_get_path(connection, "web", &path) >= 0;
                taken += berth_find_process(connection, 1, &found) >= 0;
                taken += berth_version(connection, &version) >= 0;
                taken += berth_get_definition(connection, "web", &text) >= 0;
                taken += berth_run(connection, "x", "[Root]", NULL, 0, 0, &made) >= 0;
                taken += berth_enable(connection, "web") >= 0;
                taken += berth_open_console(connection, "web", &fd) >= 0;
                taken += berth_open_root(connection, "web", &fd) >= 0;
                CHECK_INT(taken, 0);
                CHECK(berth_error_name(connection) != NULL);
                CHECK(!list && !all && !status && !capabilities && !path && !found && !version && !text &&
                      !made && fd < 0);
                CHECK(berth_get_property(connection, "web", "Later", &text) < 0 ||
                      (shape >= 'd' && shape <= 'e'));
                free(text);
        }
        lie("");
}

/*
 * Events
 */

static berth_event *next(void) {
        berth_event *event = NULL;

        REQUIRE(berth_next_event(connection, 10 * SECOND, &event) == 1);

        return event;
}

/* The next event is of this kind and container; its state, or "". */
static void check_event(uint32_t kind, const char *name, const char *state) {
        berth_event *event = next();

        CHECK_INT(event->kind, kind);
        CHECK_STR(event->name, name);
        CHECK_STR(event->state ?: "", state);
        CHECK(berth_event_free(event) == NULL);
}

static void test_events(void) {
        berth_event *event = NULL;
        struct pollfd poll_fd = { .events = POLLIN };

        CHECK(berth_event_free(NULL) == NULL);
        CHECK_ERROR(berth_get_fd(connection), BERTH_ERROR_INVALID_ARGS, EINVAL);
        CHECK_ERROR(berth_next_event(connection, 0, &event), BERTH_ERROR_INVALID_ARGS, EINVAL);
        REQUIRE(berth_watch(connection) == 0);
        CHECK_INT(berth_watch(connection), 0);
        poll_fd.fd = berth_get_fd(connection);
        REQUIRE(poll_fd.fd >= 0);
        CHECK_INT(poll(&poll_fd, 1, 0), 0);
        CHECK_INT(berth_next_event(connection, 1000, &event), 0);

        CHECK_INT(berth_start(connection, "db"), 0);
        CHECK_INT(poll(&poll_fd, 1, 0), 1); /* though the call has read what the socket had */
        event = next();
        CHECK_INT(event->kind, BERTH_EVENT_CHANGED);
        CHECK_STR(event->name, "db");
        CHECK_STR(event->state, "running");
        REQUIRE(event->properties && event->properties[0] && event->properties[1] && event->properties[2]);
        CHECK_STR(event->properties[0], "State=running");
        CHECK_STR(event->properties[1], "Leader=4242");
        CHECK_STR(event->properties[2], "Definition");
        (void) berth_event_free(event);
        CHECK_INT(poll(&poll_fd, 1, 0), 0);

        CHECK_INT(berth_stop(connection, "db", 0), 0);
        check_event(BERTH_EVENT_CHANGED, "db", "stopped");
        CHECK_INT(berth_create(connection, "made", "[Root]\n", NULL, 0, 0), 0);
        event = next();
        CHECK_INT(event->kind, BERTH_EVENT_PROGRESS);
        CHECK_STR(event->name, "made");
        CHECK_INT(event->done, 10);
        CHECK_INT(event->total, 100);
        CHECK_STR(event->message, "");
        (void) berth_event_free(event);
        check_event(BERTH_EVENT_ADDED, "made", "stopped");
        CHECK_INT(berth_remove(connection, "made", 0), 0);
        check_event(BERTH_EVENT_REMOVED, "made", "");
}

/* What another process sends in the service's name is no event. */
static void test_forged_events(void) {
        berth_event *event = NULL;

        CHECK_INT(berth_start(connection, "forger"), 0);
        check_event(BERTH_EVENT_CHANGED, "forger", "running");
        CHECK_INT(berth_next_event(connection, 100000, &event), 0);
}

static void count_event(const berth_event *event, void *userdata) {
        unsigned *counts = userdata;

        counts[event->kind]++;
}

static void test_handler(void) {
        unsigned counts[BERTH_EVENT_RESET + 1] = { 0 };
        berth_event *event = NULL;

        CHECK_INT(berth_set_event_handler(connection, count_event, counts), 0);
        CHECK_INT(berth_create(connection, "made", "[Root]\n", NULL, 0, 0), 0);
        CHECK_INT(berth_remove(connection, "made", 0), 0);
        CHECK_INT(counts[BERTH_EVENT_PROGRESS], 1);
        CHECK_INT(counts[BERTH_EVENT_ADDED], 1);
        CHECK_INT(counts[BERTH_EVENT_REMOVED], 1);
        CHECK_INT(berth_set_event_handler(connection, NULL, NULL), 0);
        CHECK_INT(berth_next_event(connection, 1000, &event), 0);
}

/* A reader that is slow learns that it has missed something, and the queue stays small. */
static void test_overflow(void) {
        berth_event *event = NULL;
        bool reset = false;
        unsigned n = 0;

        for (unsigned i = 0; i < 4200; i++)
                REQUIRE(berth_freeze(connection, "db") == 0);
        while (berth_next_event(connection, 1000, &event) == 1) {
                n++;
                reset = reset || event->kind == BERTH_EVENT_RESET;
                event = berth_event_free(event);
        }
        CHECK(reset);
        CHECK(n < 4200);
}

static void test_service_lost(void) {
        berth_container **list;

        CHECK_ERROR(berth_start(connection, "crash"), BERTH_ERROR_DISCONNECTED, ECONNRESET);
        CHECK_STR(berth_error_message(connection), "the service ended before it had answered");
        check_event(BERTH_EVENT_RESET, "", "");
        REQUIRE(berth_list(connection, &list) == 10); /* which starts it */
        (void) berth_list_free(list);
        CHECK_INT(berth_has_feature(connection, "second"), 1);
        CHECK_INT(berth_start(connection, "db"), 0);
        check_event(BERTH_EVENT_CHANGED, "db", "running");
        CHECK(berth_close(connection) == NULL);
}

TESTS(test_open,
      test_service,
      test_list,
      test_status,
      test_properties,
      test_control,
      test_strange_error,
      test_descriptors,
      test_make,
      test_timeout,
      test_lies,
      test_shapes,
      test_events,
      test_forged_events,
      test_handler,
      test_overflow,
      test_service_lost)
