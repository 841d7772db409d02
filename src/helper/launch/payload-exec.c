/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/payload-exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/syscall.h"
#include "basic/weaken.h"
#include "helper/process/capabilities.h"
#include "helper/process/clean.h"
#include "helper/process/environment.h"
#include "helper/process/rlimits.h"
#include "helper/root/run.h"
#include "helper/seccomp/load.h"
#include "helper/seccomp/notify.h"

#define PASSED_START 3

/* Where a root's init is looked for, in this order. */
static const char *const init_paths[] = {
        "/sbin/init",
        "/usr/lib/systemd/systemd",
        "/lib/systemd/systemd",
        "/etc/init",
        "/bin/init",
};

static int exec_environment(const Payload *payload, const PayloadGo *go, const User *user, Environment *environment) {
        size_t n = payload->store->n_passed;
        char count[24];
        int r;

        r = environment_fill(environment, payload->plan, user);
        if (r < 0)
                return r;

        if (go->has_notify) {
                r = environment_set(environment, "NOTIFY_SOCKET", RUN_HOST_NOTIFY);
                if (r < 0)
                        return r;
        }
        if (go->has_credentials) {
                r = environment_set(environment, "CREDENTIALS_DIRECTORY", RUN_HOST_CREDENTIALS);
                if (r < 0)
                        return r;
        }
        if (payload->plan->definition->console) {
                r = environment_set(environment, "TERM", "vt220");
                if (r < 0)
                        return r;
        }
        if (n == 0)
                return 0;

        (void) snprintf(count, sizeof count, "%zu", n);
        r = environment_set(environment, "LISTEN_FDS", count);
        if (r < 0)
                return r;
        r = environment_set(environment, "LISTEN_PID", "1");
        if (r < 0)
                return r;
        return environment_set(environment, "LISTEN_FDNAMES", payload->store->passed_names);
}

/* Closes all descriptors but these. Marking them would not do: a path that is resolved in the exec could still go
 * through a link of /proc to one of the host's (CVE-2024-21626). */
static int exec_close_all_but(const int *keep, size_t n) {
        unsigned first = PASSED_START;

        for (;;) {
                unsigned next = ~0U;

                for (size_t i = 0; i < n; i++)
                        if (keep[i] >= (int) first && (unsigned) keep[i] < next)
                                next = (unsigned) keep[i];
                if (next > first && close_range(first, next - 1, 0) < 0)
                        return -errno;
                if (next == ~0U)
                        return 0;
                first = next + 1;
        }
}

/* Puts the sockets that systemd listened on for the container at 3 and up; of the others only those are left that the
 * exec needs and closes. */
static int exec_descriptors(const Payload *payload) {
        const FdStore *store = payload->store;
        int keep[PASSED_MAX + 2] = { payload->socket, payload->reaper }, r;

        if (weakened(WEAKEN_DESCRIPTORS))
                return 0;
        for (size_t i = 0; i < store->n_passed; i++) {
                keep[2 + i] = fcntl(store->passed[i], F_DUPFD_CLOEXEC, PASSED_START + PASSED_MAX);
                if (keep[2 + i] < 0)
                        return -errno;
        }

        r = exec_close_all_but(keep, 2 + store->n_passed);
        if (r < 0)
                return r;
        if (close_range(PASSED_START, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
                return -errno;

        for (size_t i = 0; i < store->n_passed; i++)
                if (dup2(keep[2 + i], PASSED_START + (int) i) < 0)
                        return -errno;

        return 0;
}

/* A program is a file of the container's root: not the launcher's own file through /proc/self/exe. */
static int exec_check(Failure *failure, const char *path) {
        uint64_t resolve = weakened(WEAKEN_PROC_LINKS) ? 0 : RESOLVE_NO_MAGICLINKS;
        _cleanup_close_ int fd = -EBADF;

        fd = sys_openat2(AT_FDCWD, path, O_PATH | O_CLOEXEC, 0, resolve);
        if (fd < 0 && errno == ELOOP)
                return failure_cause(failure, -ELOOP,
                                     "it leads in a circle, or through a link of /proc to what a process has open");

        return 0;
}

static int exec_init(Failure *failure) {
        for (size_t i = 0; i < ELEMENTSOF(init_paths); i++) {
                char *argv[] = { (char *) init_paths[i], NULL };
                int r;

                r = step_begin(failure, STEP_EXEC, "%s", init_paths[i]);
                if (r < 0)
                        return r;
                r = exec_check(failure, init_paths[i]);
                if (r < 0)
                        return r;
                (void) execv(init_paths[i], argv);
                if (errno != ENOENT && errno != ENOTDIR)
                        return -errno;

                /* The file may be there, and its interpreter or loader not. */
                if (access(init_paths[i], F_OK) == 0)
                        return failure_cause(failure, -ENOENT, "its interpreter or dynamic loader is missing in the root");
        }

        failure->object[0] = '\0';
        return failure_cause(failure, -ENOENT,
                             "the root has no init (none of /sbin/init, /usr/lib/systemd/systemd, /etc/init, "
                             "/bin/init); set [Container] Command= to run something else");
}

static int exec_command(Failure *failure, char **command) {
        int r;

        r = step_begin(failure, STEP_EXEC, "%s", command[0]);
        if (r < 0)
                return r;
        r = exec_check(failure, command[0]);
        if (r < 0)
                return r;

        /* execvp(3) gives what the kernel cannot run to a shell, which hides the cause. */
        (void) (strchr(command[0], '/') ? execv(command[0], command) : execvp(command[0], command));
        if (errno == ENOENT)
                return failure_cause(failure, -ENOENT, "no such program in the root, or its interpreter is missing");

        return -errno;
}

/* The reaper comes as a sealed copy in memory: nothing of the host's file can be reached from inside. */
static int exec_reaper(Failure *failure, int reaper, char **command, char **variables) {
        _cleanup_free_ char **argv = NULL;
        size_t n = 0;
        int r;

        r = step_begin(failure, STEP_EXEC, "berth-init");
        if (r < 0)
                return r;

        while (command[n])
                n++;
        argv = calloc(n + 2, sizeof *argv);
        if (!argv)
                return -ENOMEM;
        argv[0] = (char *) "berth-init";
        memcpy(argv + 1, command, n * sizeof *argv);

        (void) execveat(reaper, "", argv, variables, AT_EMPTY_PATH);
        return -errno;
}

/* From here on, what is done here has to be allowed by the filter: a sendmsg(2), and what the exec needs. */
static int exec_filter(Failure *failure, const Payload *payload) {
        int listener, r;

        if (!payload->seccomp->instructions)
                return 0;

        r = step_begin(failure, STEP_SECCOMP, "%s", "");
        if (r < 0)
                return r;
        r = seccomp_load(payload->seccomp, &listener);
        if (r < 0)
                return r;

        return listener >= 0 ? seccomp_notify_send(payload->socket, listener) : 0;
}

int payload_exec(Failure *failure, const Payload *payload, const PayloadGo *go, const User *user) {
        const LaunchPlan *plan = payload->plan;
        Environment environment = plan->environment; /* this process's own copy of it */
        int failed, r;

        r = step_begin(failure, STEP_GUEST, "environment");
        if (r < 0)
                return r;
        r = exec_environment(payload, go, user, &environment);
        if (r < 0)
                return r;
        r = exec_descriptors(payload);
        if (r < 0)
                return r;
        r = signals_reset();
        if (r < 0)
                return r;

        r = step_begin(failure, STEP_LIMITS, "%s", "");
        if (r < 0)
                return r;
        r = rlimits_apply(plan->definition->rlimits, plan->definition->n_rlimits, &failed);
        if (r < 0)
                return failure_cause(failure, r, "number %d of getrlimit(2): %s", failed, strerror(-r));

        if (plan->definition->no_new_privileges) {
                r = privileges_freeze();
                if (r < 0)
                        return r;
        }
        r = exec_filter(failure, payload);
        if (r < 0)
                return r;

        environ = environment.variables;
        switch (plan->boot) {
        case BOOT_INIT:
                return exec_init(failure);
        case BOOT_REAPER:
                return exec_reaper(failure, payload->reaper, plan->definition->command, environment.variables);
        case BOOT_DIRECT:
                return exec_command(failure, plan->definition->command);
        case BOOT_UNSET:
        case _BOOT_MODE_N:
                break;
        }

        return -EINVAL;
}
