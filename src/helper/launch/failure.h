/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How a start that fails is told: which step, on which object, and why. The functions of a start return a negative
 * errno and note the facts here; launch.c makes the one sentence of them that the journal, `systemctl status` and a
 * D-Bus caller see.
 *
 * A Failure is a flat value, so that the payload can send its own through a socket to the launcher.
 */
#pragma once

#include <stddef.h>

#include "basic/macro.h"

/* The steps of a start, in their order. The short names are what BERTH_FAULT= takes in a test build. */
typedef enum Step {
        STEP_DEFINITION,   /* definition: read and check the files */
        STEP_POLICY,       /* policy: may an untrusted definition say this? */
        STEP_PLAN,         /* plan: derive the launch plan */
        STEP_DEVICE,       /* device: what [Device] sections name on the host */
        STEP_UNIT,         /* unit: the unit's properties agree with the definition */
        STEP_DELAY,        /* delay: [Autostart] Delay= at boot */
        STEP_HOOK,         /* hook: a program of [Hooks], at its own place among these */
        STEP_CGROUP,       /* cgroup: launch/ and payload/ below the unit's cgroup */
        STEP_NAMESPACE,    /* namespace: the launcher's own mount namespace */
        STEP_ROOT,         /* root: open the root */
        STEP_LOCK,         /* lock: the root's lock */
        STEP_GUEST,        /* guest: what there is to run inside, and as whom */
        STEP_ID_RANGE,     /* id-range: find free ids */
        STEP_CONSOLE,      /* console: the pty behind /dev/console */
        STEP_LIMITS,       /* limits: resource limits */
        STEP_SECCOMP,      /* seccomp: the system call filter; put on before the exec */
        STEP_LSM,          /* lsm: labels of security modules; written for the exec, and looked at after it */
        STEP_CLONE,        /* clone: make the payload's process */
        STEP_ID_MAP,       /* id-map: write its id maps */
        STEP_MAIN_PROCESS, /* main-process: tell systemd whom to watch */
        STEP_TREE,         /* tree: the root's mount, id-mapped */
        STEP_OVERLAY,      /* overlay: the writable layer */
        STEP_DEV,          /* dev */
        STEP_RUN,          /* run: /run and /run/host */
        STEP_API,          /* api: /proc, /sys, /dev/mqueue, cgroup */
        STEP_MASK,         /* mask: hidden and read-only parts of /proc */
        STEP_MOUNT,        /* mount: a [Mount] section */
        STEP_PIVOT,        /* pivot: from here on in the payload's process */
        STEP_HOSTNAME,     /* hostname */
        STEP_SYSCTL,       /* sysctl */
        STEP_IDENTITY,     /* identity: user, groups, capabilities */
        STEP_KEYRING,      /* keyring */
        STEP_DIRECTORY,    /* directory: WorkingDirectory= */
        STEP_EXEC,         /* exec: run the first program */
        STEP_READY,        /* ready: wait for the guest's READY=1, and hand over */
        _STEP_N,
} Step;

typedef struct Failure {
        Step step;
        int error;        /* positive errno */
        char object[320]; /* what the step works on, or "" */
        char cause[768];  /* in place of the errno's text, or "" */
} Failure;

/* Says what is about to be tried, and on what (a printf format; may be ""). Returns 0, or the error that a test build
 * was asked to inject at this step. */
int step_begin(Failure *failure, Step step, const char *object_format, ...) _printf_(3, 4);

/* Says where a failure would lie that another process does not tell. */
void failure_at(Failure *failure, Step step, const char *object);

/* Names the cause in words where the errno's own text would mislead; returns error, which is negative. */
int failure_cause(Failure *failure, int error, const char *cause_format, ...) _printf_(3, 4);

/* The same for a process that could not be made: returns -EAGAIN. */
int failure_no_process(Failure *failure);

/* "Cannot start container web: STEP OBJECT: CAUSE." without a newline; control characters are escaped. */
void failure_sentence(const Failure *failure, const char *container, char *buffer, size_t size);

const char *step_name(Step step);

/* Implemented by fault-injection.c in test builds and by fault-none.c otherwise. */
int fault_inject(const char *step);
