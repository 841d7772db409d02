/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/container.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/macro.h"
#include "basic/string.h"

static const char *const state_words[_CONTAINER_STATE_N] = {
        [CONTAINER_STOPPED] = "stopped", [CONTAINER_STARTING] = "starting", [CONTAINER_RUNNING] = "running",
        [CONTAINER_FROZEN] = "frozen",   [CONTAINER_STOPPING] = "stopping", [CONTAINER_FAILED] = "failed",
};

const char *container_state_word(ContainerState state) {
        return state_words[state];
}

void unit_state_clear(UnitState *unit) {
        free(unit->active);
        free(unit->freezer);
        free(unit->result);
        free(unit->status_text);
        free(unit->control_group);
        *unit = (UnitState){};
}

Container *container_free(Container *container) {
        if (!container)
                return NULL;

        unit_state_clear(&container->unit);
        free(container);
        return NULL;
}

int container_new(const char *name, UnitKind kind, Container **ret) {
        Container *container;

        container = calloc(1, sizeof *container);
        if (!container)
                return -ENOMEM;

        (void) snprintf(container->name, sizeof container->name, "%s", name);
        container->kind = kind;
        *ret = container;
        return 0;
}

ContainerState container_state(const Container *container) {
        static const struct {
                const char *active;
                ContainerState state;
        } map[] = {
                {"active",        CONTAINER_RUNNING },
                { "reloading",    CONTAINER_RUNNING },
                { "activating",   CONTAINER_STARTING},
                { "deactivating", CONTAINER_STOPPING},
                { "failed",       CONTAINER_FAILED  },
        };
        const UnitState *unit = &container->unit;

        for (size_t i = 0; unit->active && i < ELEMENTSOF(map); i++) {
                if (!streq(unit->active, map[i].active))
                        continue;
                if (map[i].state == CONTAINER_RUNNING && unit->freezer &&
                    (streq(unit->freezer, "frozen") || streq(unit->freezer, "freezing")))
                        return CONTAINER_FROZEN;
                return map[i].state;
        }

        return CONTAINER_STOPPED;
}

bool container_is_up(const Container *container) {
        ContainerState state = container_state(container);

        return state != CONTAINER_STOPPED && state != CONTAINER_FAILED;
}

bool container_is_visible(const Container *container) {
        return container->defined || container_state(container) != CONTAINER_STOPPED;
}

uint32_t container_leader(const Container *container) {
        ContainerState state = container_state(container);

        /* While it starts, the main process is the launcher. */
        return state == CONTAINER_RUNNING || state == CONTAINER_FROZEN || state == CONTAINER_STOPPING
                               ? container->unit.main_pid
                               : 0;
}

uint64_t container_started(const Container *container) {
        return container_leader(container) > 0 ? container->unit.started_usec : 0;
}

const char *container_control_group(const Container *container) {
        return container_is_up(container) && container->unit.control_group ? container->unit.control_group
                                                                           : "";
}

int32_t container_exit_status(const Container *container) {
        const UnitState *unit = &container->unit;

        return unit->exit_code == CLD_KILLED || unit->exit_code == CLD_DUMPED ? -unit->exit_status
                                                                              : unit->exit_status;
}

const char *container_last_error(const Container *container) {
        const UnitState *unit = &container->unit;

        /* A launcher that gives up sends a number with its sentence; systemd forgets both at the next start.
         */
        return container_state(container) == CONTAINER_FAILED && unit->status_errno != 0 && unit->status_text
                               ? unit->status_text
                               : "";
}

static bool job_is_done(const char *result) {
        return streq(result, "done") || streq(result, "skipped");
}

/* Of a job that starts. */
static const char *why_not_begun(const Container *container, const char *result) {
        static const struct {
                const char *result;
                const char *why;
        } map[] = {
                {"dependency", "something that its unit requires could not be started"},
                { "assert",    "what its unit asserts is not so"                      },
                { "timeout",   "the time limit of the unit's job is over"             },
        };

        for (size_t i = 0; i < ELEMENTSOF(map); i++)
                if (streq(result, map[i].result))
                        return map[i].why;

        /* A job that is done leaves a container that is up, however short it then lives. */
        return job_is_done(result) && !container_is_up(container) ? "a condition of its unit is not met"
                                                                  : NULL;
}

void container_note_job_end(Container *container, uint32_t id, const char *result) {
        container->job_ends[container->next_job_end] = (JobEnd){
                .id = id,
                .done = job_is_done(result),
                .canceled = streq(result, "canceled"),
                .not_begun = why_not_begun(container, result),
        };
        container->next_job_end = (container->next_job_end + 1) % JOB_ENDS;
}

const JobEnd *container_job_end(const Container *container, uint32_t id) {
        for (size_t i = 0; i < JOB_ENDS; i++)
                if (id != 0 && container->job_ends[i].id == id)
                        return &container->job_ends[i];

        return NULL;
}
