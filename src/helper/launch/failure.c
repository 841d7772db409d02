/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "basic/string.h"

static const struct {
        const char *name;
        const char *words; /* follows "failed to"; the object comes behind it */
} steps[_STEP_N] = {
        [STEP_DEFINITION] = { "definition", "read the definition" },
        [STEP_POLICY] = { "policy", "allow what the definition asks for" },
        [STEP_PLAN] = { "plan", "prepare the start" },
        [STEP_DEVICE] = { "device", "find the device" },
        [STEP_UNIT] = { "unit", "bring up to date the properties of" },
        [STEP_DELAY] = { "delay", "wait for the start delay" },
        [STEP_HOOK] = { "hook", "run the hook" },
        [STEP_CGROUP] = { "cgroup", "set up the cgroup" },
        [STEP_NAMESPACE] = { "namespace", "make a mount namespace" },
        [STEP_ROOT] = { "root", "open the root" },
        [STEP_LOCK] = { "lock", "lock the root" },
        [STEP_GUEST] = { "guest", "prepare what runs inside," },
        [STEP_ID_RANGE] = { "id-range", "find user and group ids" },
        [STEP_CONSOLE] = { "console", "make the console" },
        [STEP_LIMITS] = { "limits", "set the resource limit" },
        [STEP_SECCOMP] = { "seccomp", "set up the system call filter" },
        [STEP_LSM] = { "lsm", "confine it by" },
        [STEP_CLONE] = { "clone", "create the container's first process" },
        [STEP_ID_MAP] = { "id-map", "map the ids" },
        [STEP_MAIN_PROCESS] = { "main-process", "tell systemd the main process" },
        [STEP_TREE] = { "tree", "mount the root" },
        [STEP_OVERLAY] = { "overlay", "mount the writable layer over" },
        [STEP_DEV] = { "dev", "set up" },
        [STEP_RUN] = { "run", "set up" },
        [STEP_API] = { "api", "mount" },
        [STEP_MASK] = { "mask", "protect" },
        [STEP_MOUNT] = { "mount", "make the mount" },
        [STEP_PIVOT] = { "pivot", "change to the container's root" },
        [STEP_HOSTNAME] = { "hostname", "set the host name" },
        [STEP_SYSCTL] = { "sysctl", "set the sysctl" },
        [STEP_IDENTITY] = { "identity", "change to the user" },
        [STEP_KEYRING] = { "keyring", "join a new session keyring" },
        [STEP_DIRECTORY] = { "directory", "change to the working directory" },
        [STEP_EXEC] = { "exec", "run" },
        [STEP_READY] = { "ready", "hand over to the guest" },
};

const char *step_name(Step step) {
        return (size_t) step < _STEP_N ? steps[step].name : "unknown";
}

void failure_at(Failure *failure, Step step, const char *object) {
        *failure = (Failure) { .step = step };
        (void) snprintf(failure->object, sizeof failure->object, "%s", object);
}

int step_begin(Failure *failure, Step step, const char *object_format, ...) {
        va_list arguments;

        failure->step = step;
        failure->error = 0;
        failure->cause[0] = '\0';
        va_start(arguments, object_format);
        (void) vsnprintf(failure->object, sizeof failure->object, object_format, arguments);
        va_end(arguments);

        return fault_inject(steps[step].name);
}

int failure_cause(Failure *failure, int error, const char *cause_format, ...) {
        va_list arguments;

        va_start(arguments, cause_format);
        (void) vsnprintf(failure->cause, sizeof failure->cause, cause_format, arguments);
        va_end(arguments);

        return error;
}

int failure_no_process(Failure *failure) {
        return failure_cause(
                        failure, -EAGAIN,
                        "the limit of processes is reached (TasksMax= of the unit, or the host's)");
}

void failure_sentence(const Failure *failure, const char *container, char *buffer, size_t size) {
        bool bounded = (size_t) failure->step < _STEP_N;
        char text[sizeof failure->object + sizeof failure->cause + 256];

        (void) snprintf(text, sizeof text, "Cannot start container %s: failed to %s%s%s: %s", container,
                        bounded ? steps[failure->step].words : "start", failure->object[0] ? " " : "",
                        failure->object, failure->cause[0] ? failure->cause : strerror(failure->error));

        /* Names and paths come from files; none may start a new line or drive a terminal. */
        (void) string_escape_to(text, buffer, size);
}
