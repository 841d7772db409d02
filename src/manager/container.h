/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container as the manager sees it: a name that has a definition, a unit, or both. Nothing here is written
 * down anywhere: `defined` comes from the definitions' directories, `unit` from systemd's signals, and all
 * of it is found again when the manager starts anew.
 *
 *                  start                READY=1
 *     stopped ---------------> starting ---------> running <------> frozen
 *       ^  ^                      |                  |                |
 *       |  |     failed <---------+    guest ends    |      stop      |
 *       |  |        ^  <------------------------------+----------------+
 *       |  +--------|------------ stopping <----------+
 *       +-----------+ (reset)        a guest's reboot: running -> stopping -> starting -> running
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/cleanup.h"
#include "spec/limits.h"
#include "spec/unit.h"

typedef enum ContainerState {
        CONTAINER_STOPPED,
        CONTAINER_STARTING,
        CONTAINER_RUNNING,
        CONTAINER_FROZEN,
        CONTAINER_STOPPING,
        CONTAINER_FAILED,
        _CONTAINER_STATE_N,
} ContainerState;

/* The words of the property State. */
const char *container_state_word(ContainerState state);

/* What systemd says of the unit; texts may be NULL for "". */
typedef struct UnitState {
        char *active;  /* ActiveState */
        char *freezer; /* FreezerState */
        char *result;  /* Result */
        char *status_text;
        char *control_group;   /* asked for, not announced by systemd */
        uint64_t started_usec; /* ActiveEnterTimestamp */
        uint32_t main_pid;
        int32_t exit_code;   /* ExecMainCode: CLD_EXITED, ... */
        int32_t exit_status; /* ExecMainStatus */
        int32_t status_errno;
} UnitState;

void unit_state_clear(UnitState *unit);

/* The last ends of jobs of the unit: an answer of the helper that names a job may come after the job's end.
 */
typedef struct JobEnd {
        uint32_t id; /* 0: none */
        bool done;
        bool canceled;
        /* If it was to start the unit: why nothing was started, as a clause. What the unit says is of an
         * earlier start then. */
        const char *not_begun;
} JobEnd;

#define JOB_ENDS 4

typedef struct Container {
        struct Manager *manager; /* for D-Bus handlers, which get the container only */
        char name[NAME_MAX_LENGTH + 1];
        UnitKind kind;
        bool defined;                   /* there is a definition */
        bool announced;                 /* clients know of it */
        bool group_asked;               /* for unit.control_group */
        bool listed;                    /* systemd had it when it was asked for all last */
        struct sd_event_source *events; /* its cgroup.events, where the kernel tells of the freezer */
        unsigned holds;                 /* operations that need it to stay */
        const char *busy; /* what is being done that excludes everything else, as a clause; NULL: nothing */
        UnitState unit;
        JobEnd job_ends[JOB_ENDS];
        unsigned next_job_end;
} Container;

Container *container_free(Container *container);
DEFINE_CLEANUP(Container *, container_free)

/* NAME is a valid name. The owner of `events` takes it away before. */
int container_new(const char *name, UnitKind kind, Container **ret);

ContainerState container_state(const Container *container);

/* Does it have processes: starting, running, frozen or stopping? */
bool container_is_up(const Container *container);

/* Is there anything that clients should see? */
bool container_is_visible(const Container *container);

uint32_t container_leader(const Container *container);
uint64_t container_started(const Container *container);
const char *container_control_group(const Container *container);

/* The property ExitStatus: an exit status, or the negative of a signal. */
int32_t container_exit_status(const Container *container);

/* The property LastError: the sentence of the last start, if it failed; else "". */
const char *container_last_error(const Container *container);

void container_note_job_end(Container *container, uint32_t id, const char *result);

/* The end of job ID if it was seen; NULL if not. */
const JobEnd *container_job_end(const Container *container, uint32_t id);
