/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager's picture of containers: what systemd says of a unit becomes a state, and the registry keeps its order.
 * A helper that says nothing.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "manager/helper-client.h"
#include "manager/registry.h"
#include "spec/helper-interface.h"

#include "test.h"

static Container *with_state(const char *active, const char *freezer) {
        static Container container;

        unit_state_clear(&container.unit);
        container = (Container) { .kind = UNIT_DEFINED };
        REQUIRE(string_set(&container.unit.active, active) == 0);
        REQUIRE(string_set(&container.unit.freezer, freezer) == 0);
        return &container;
}

static void test_states(void) {
        static const struct {
                const char *active, *freezer;
                ContainerState state;
                bool up;
        } rows[] = {
                { NULL, NULL, CONTAINER_STOPPED, false },
                { "inactive", NULL, CONTAINER_STOPPED, false },
                { "inactive", "frozen", CONTAINER_STOPPED, false },
                { "activating", NULL, CONTAINER_STARTING, true },
                { "active", NULL, CONTAINER_RUNNING, true },
                { "active", "running", CONTAINER_RUNNING, true },
                { "active", "freezing", CONTAINER_FROZEN, true },
                { "active", "frozen", CONTAINER_FROZEN, true },
                { "active", "thawing", CONTAINER_RUNNING, true },
                { "reloading", NULL, CONTAINER_RUNNING, true },
                { "deactivating", NULL, CONTAINER_STOPPING, true },
                { "deactivating", "frozen", CONTAINER_STOPPING, true },
                { "failed", NULL, CONTAINER_FAILED, false },
                { "something new", NULL, CONTAINER_STOPPED, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const Container *container = with_state(rows[i].active, rows[i].freezer);

                CHECK_STR(container_state_word(container_state(container)), container_state_word(rows[i].state));
                CHECK_INT(container_is_up(container), rows[i].up);
        }
        for (ContainerState state = 0; state < _CONTAINER_STATE_N; state++)
                CHECK(container_state_word(state) && *container_state_word(state));
        with_state(NULL, NULL);
}

/* The launcher is no leader, and a unit that has ended has neither leader nor group nor time. */
static void test_what_is_told_when(void) {
        Container *container = with_state("activating", NULL);

        container->unit.main_pid = 7;
        container->unit.started_usec = 8;
        REQUIRE(string_set(&container->unit.control_group, "/machine.slice/x") == 0);
        CHECK_INT(container_leader(container), 0);
        CHECK_STR(container_control_group(container), "/machine.slice/x");
        REQUIRE(string_set(&container->unit.active, "active") == 0);
        CHECK_INT(container_leader(container), 7);
        CHECK_INT(container_started(container), 8);
        REQUIRE(string_set(&container->unit.active, "failed") == 0);
        CHECK_INT(container_leader(container), 0);
        CHECK_INT(container_started(container), 0);
        CHECK_STR(container_control_group(container), "");
        with_state(NULL, NULL);
}

static void test_ends(void) {
        Container *container = with_state("failed", NULL);

        container->unit.exit_code = CLD_EXITED;
        container->unit.exit_status = 3;
        CHECK_INT(container_exit_status(container), 3);
        container->unit.exit_code = CLD_KILLED;
        container->unit.exit_status = SIGKILL;
        CHECK_INT(container_exit_status(container), -SIGKILL);
        container->unit.exit_code = CLD_DUMPED;
        container->unit.exit_status = SIGSEGV;
        CHECK_INT(container_exit_status(container), -SIGSEGV);

        /* A guest's own words are no error of a start. */
        REQUIRE(string_set(&container->unit.status_text, "all is well") == 0);
        CHECK_STR(container_last_error(container), "");
        container->unit.status_errno = EPERM;
        CHECK_STR(container_last_error(container), "all is well");
        REQUIRE(string_set(&container->unit.active, "active") == 0);
        CHECK_STR(container_last_error(container), "");
        with_state(NULL, NULL);
}

static void test_job_ends(void) {
        Container *container = with_state(NULL, NULL);

        CHECK(!container_job_end(container, 0));
        CHECK(!container_job_end(container, 5));
        container_note_job_end(container, 5, "done");
        container_note_job_end(container, 6, "canceled");
        container_note_job_end(container, 7, "failed");
        REQUIRE(container_job_end(container, 5) && container_job_end(container, 6) && container_job_end(container, 7));
        CHECK(container_job_end(container, 5)->done);
        CHECK(container_job_end(container, 6)->canceled && !container_job_end(container, 6)->done);
        CHECK(!container_job_end(container, 7)->canceled && !container_job_end(container, 7)->done);
        CHECK(!container_job_end(container, 7)->not_begun);
        container_note_job_end(container, 8, "dependency");
        REQUIRE(container_job_end(container, 8));
        CHECK(container_job_end(container, 8)->not_begun && !container_job_end(container, 8)->done);
        /* A start that is done, and nothing is up. */
        container_note_job_end(container, 9, "done");
        REQUIRE(container_job_end(container, 9));
        CHECK(container_job_end(container, 9)->not_begun && container_job_end(container, 9)->done);
        container = with_state("active", NULL);
        container_note_job_end(container, 9, "done");
        REQUIRE(container_job_end(container, 9));
        CHECK(!container_job_end(container, 9)->not_begun);
        for (uint32_t id = 10; id < 10 + JOB_ENDS; id++)
                container_note_job_end(container, id, "done");
        CHECK(!container_job_end(container, 5));
        CHECK(!container_job_end(container, 0));
        with_state(NULL, NULL);
}

static void test_registry(void) {
        static const char *const names[] = { "m", "a", "z", "b.c", "b", "a-b", "aa" };
        Registry registry = {};
        Container *container;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                CHECK(!registry_find(&registry, names[i]));
                REQUIRE(registry_add(&registry, names[i], UNIT_DEFINED, &container) == 0);
                CHECK_STR(container->name, names[i]);
        }
        CHECK_INT(registry.n, ELEMENTSOF(names));
        for (size_t i = 1; i < registry.n; i++)
                CHECK(strcmp(registry.containers[i - 1]->name, registry.containers[i]->name) < 0);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                container = registry_find(&registry, names[i]);
                REQUIRE(container);
                CHECK_STR(container->name, names[i]);
                registry_remove(&registry, container);
                CHECK(!registry_find(&registry, names[i]));
        }
        CHECK_INT(registry.n, 0);
        registry_done(&registry);
}

static int on_request(sd_bus_message *message, void *userdata, sd_bus_error *ret_error) {
        return 1;
}

/* A helper that takes what it is asked, and hangs. */
_noreturn_ static void hang(int listener) {
        int fd = accept(listener, NULL, NULL), r = fd < 0 ? -errno : 0;
        sd_bus *bus = NULL;

        if (r >= 0)
                r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_fd(bus, fd, fd);
        if (r >= 0)
                r = sd_bus_set_server(bus, true, (sd_id128_t) { .qwords = { 1, 2 } });
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_request, NULL);
        if (r >= 0)
                r = sd_bus_start(bus);
        while (r >= 0) {
                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        }
        _exit(EXIT_SUCCESS);
}

static pid_t hanging_helper(void) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = HELPER_SOCKET };
        _cleanup_close_ int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        REQUIRE(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        REQUIRE(mount("run", "/run", "tmpfs", 0, NULL) == 0 && mkdir("/run/berth", 0755) == 0);
        REQUIRE(listener >= 0 && bind(listener, (const struct sockaddr *) &address, sizeof address) == 0);
        REQUIRE(listen(listener, 1) == 0);
        pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0)
                hang(listener);

        return pid;
}

#define SILENCE_USEC (UINT64_C(100) * 1000)
#define BEAT_USEC (UINT64_C(10) * 1000)

typedef struct Silence {
        sd_event *event;
        HelperCall *call;
        unsigned beats; /* that are still to come */
        char *error;
} Silence;

static int on_beat(sd_event_source *source, uint64_t usec, void *userdata) {
        Silence *silence = userdata;

        helper_call_heard(silence->call);
        if (--silence->beats == 0)
                return 0;
        REQUIRE(sd_event_source_set_time_relative(source, BEAT_USEC) >= 0);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void on_lost(sd_bus_message *reply, void *userdata) {
        Silence *silence = userdata;

        REQUIRE(reply && sd_bus_message_is_method_error(reply, NULL));
        CHECK_INT(silence->beats, 0);
        CHECK_INT(string_set(&silence->error, sd_bus_message_get_error(reply)->name), 0);
        silence->call = helper_call_free(silence->call);
        (void) sd_event_exit(silence->event, 0);
}

/* A question that takes long has no limit but one on silence: it begins again with all that is heard. */
static void silence_of(unsigned beats) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        _cleanup_(helper_client_freep) HelperClient *client = NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        Silence silence = { .beats = beats };
        pid_t pid = hanging_helper();

        REQUIRE(sd_event_new(&event) >= 0 && helper_client_new(event, SILENCE_USEC, &client) == 0);
        silence.event = event;
        if (beats > 0)
                REQUIRE(sd_event_add_time_relative(event, NULL, CLOCK_MONOTONIC, BEAT_USEC, 1, on_beat, &silence) >= 0);
        REQUIRE(helper_message_new(client, "Remove", &message) == 0);
        REQUIRE(sd_bus_message_append(message, "sb", "web", 1) >= 0);
        REQUIRE(helper_call_new(client, message, HELPER_LONG, on_lost, &silence, &silence.call) == 0);
        message = sd_bus_message_unref(message);
        CHECK_INT(sd_event_loop(event), 0);
        CHECK_STR(silence.error, SD_BUS_ERROR_NO_REPLY);
        CHECK(!silence.call);

        free(silence.error);
        REQUIRE(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

static void test_silence(void) {
        if (geteuid() != 0) {
                (void) fprintf(stderr, "test_silence needs root\n");
                return;
        }
        silence_of(0);
        silence_of(6 * SILENCE_USEC / BEAT_USEC);
}

TESTS(test_states, test_what_is_told_when, test_ends, test_job_ends, test_registry, test_silence)
