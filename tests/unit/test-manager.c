/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The manager's picture of containers: what systemd says of a unit becomes a state, and the registry keeps its order.
 */
#include <errno.h>
#include <signal.h>

#include "basic/string.h"
#include "manager/registry.h"

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

TESTS(test_states, test_what_is_told_when, test_ends, test_job_ends, test_registry)
