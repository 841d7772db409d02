/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hooks/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/syscall.h"
#include "helper/hooks/output.h"
#include "helper/launch/handover.h"
#include "helper/process/clean.h"
#include "helper/process/environment.h"
#include "helper/unit/cgroup.h"

#define FD_PROGRAM 3
#define FD_ERROR 4
#define FD_GO 5
#define FD_ASIDE 10

/* One hook on its way. */
typedef struct HookChild {
        char *const *argv;
        const HookPlace *place;
        HookProgram program;
        Environment environment;
        int state, output, error; /* what it gets; an exec that fails writes its errno to the last */
        int go;                   /* a program of the container's own is executed when this is closed */
} HookChild;

static bool is_guest(const HookPlace *place) {
        return place->inside && place->inside->guest;
}

/* The caller's ends. */
typedef struct Ends {
        int error, go;
} Ends;

/* In the child */

static int child_descriptors(const HookChild *child) {
        const int from[] = { child->state,      child->output, child->output,
                             child->program.fd, child->error,  child->go };
        int aside[ELEMENTSOF(from)];

        for (size_t i = 0; i < ELEMENTSOF(from); i++) {
                if (from[i] < 0)
                        continue;
                aside[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_ASIDE);
                if (aside[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < ELEMENTSOF(from); i++) {
                bool keep = i < FD_PROGRAM || (i == FD_PROGRAM && child->program.script);

                if (from[i] < 0)
                        (void) close((int) i);
                else if (dup3(aside[i], (int) i, keep ? 0 : O_CLOEXEC) < 0)
                        return -errno;
        }

        return close_range(FD_GO + 1, ~0U, 0) < 0 ? -errno : 0;
}

/* The launcher may be on its way to become somebody else: this is root again, as systemd starts programs. */
static int child_prepare(const HookChild *child) {
        const HookPlace *place = child->place;
        int r;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_SECUREBITS, 0UL, 0UL, 0UL, 0UL) < 0)
                return -errno;
        (void) setfsuid(0);
        (void) setfsgid(0);
        (void) setsid();
        if (place->mounts >= 0 && setns(place->mounts, CLONE_NEWNS) < 0)
                return -errno;
        if (place->inside) {
                r = hook_inside_join(place->inside);
                if (r < 0)
                        return r;
        }
        if (chdir("/") < 0)
                return -errno;
        (void) umask(0022);

        r = signals_reset();
        return r < 0 ? r : child_descriptors(child);
}

_noreturn_ static void child_main(const HookChild *child) {
        int r;

        r = child_prepare(child);
        if (r < 0) {
                (void) dprintf(child->error, "%d", -r);
                _exit(EXIT_FAILURE);
        }

        if (is_guest(child->place)) {
                char byte;

                (void) !read(FD_GO, &byte, 1);
                r = hook_inside_execute(child->place->inside, child->argv, child->environment.variables);
        } else {
                (void) execveat(FD_PROGRAM, "", child->argv, child->environment.variables, AT_EMPTY_PATH);
                r = -errno;
        }
        (void) dprintf(FD_ERROR, "%d", -r);
        _exit(EXIT_FAILURE);
}

/* In the caller */

static uint64_t now_msec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

/* Until the hook's first process has ended: 0, -ETIMEDOUT, or -ECANCELED when the container is to end. */
static int hook_wait(int pidfd, pid_t held, HookOutput *output, uint64_t timeout_usec) {
        const uint64_t limit = now_msec() + timeout_usec / USEC_PER_MSEC;
        bool open = true;

        for (;;) {
                struct pollfd p[] = {
                        {.fd = pidfd,                     .events = POLLIN},
                        { .fd = open ? output->pipe : -1, .events = POLLIN},
                };
                uint64_t now = now_msec(), left = limit - now;

                if (now >= limit)
                        return -ETIMEDOUT;
                if (held > 0 && handover_is_told_to_end(held))
                        return -ECANCELED;
                if (held > 0 && left > HOOK_LOOK_MSEC)
                        left = HOOK_LOOK_MSEC;
                if (poll(p, ELEMENTSOF(p), (int) left) < 0 && errno != EINTR)
                        return -errno;
                if (p[1].revents && hook_output_read(output) != 0)
                        open = false;
                if (p[0].revents)
                        return 0;
        }
}

/* What is still in the pipe; nobody is left who could add to it without end. */
static void hook_drain(HookOutput *output) {
        struct pollfd p = { .fd = output->pipe, .events = POLLIN };

        while (poll(&p, 1, 0) > 0)
                if (hook_output_read(output) != 0)
                        return;
}

static int exec_failed(int error, char cause[static HOOK_CAUSE_SIZE]) {
        const char *text = error == ENOENT    ? "there is no such program, or its interpreter is missing"
                           : error == ENOEXEC ? "it is neither a program of this machine nor a script that "
                                                "begins with #!"
                           : error == EACCES  ? "it is not executable"
                                              : strerror(error);

        (void) snprintf(cause, HOOK_CAUSE_SIZE, "it cannot be executed: %s", text);
        return -error;
}

/* From the status of its end to the cause. */
static int hook_judge(int status, const HookOutput *output, char cause[static HOOK_CAUSE_SIZE]) {
        char how[64], buffer[16];

        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;

        if (WIFEXITED(status))
                (void) snprintf(how, sizeof how, "it ended with status %d", WEXITSTATUS(status));
        else
                (void) snprintf(how, sizeof how, "it was killed by %s",
                                signal_name(WTERMSIG(status), buffer) ?: "a signal");
        (void) snprintf(cause, HOOK_CAUSE_SIZE, "%s, and %s%s", how,
                        output->last[0] ? "said last: " : "said nothing", output->last);
        return -EIO;
}

static int
hook_finish(pid_t pid,
            int error,
            int waited,
            HookOutput *output,
            uint64_t timeout_usec,
            char cause[static HOOK_CAUSE_SIZE]) {
        char text[16] = "";
        uint32_t number;
        int status;
        ssize_t n;

        hook_drain(output);
        hook_output_done(output);
        if (waitpid(pid, &status, 0) < 0)
                return -errno;
        if (waited == -ETIMEDOUT)
                (void) snprintf(cause, HOOK_CAUSE_SIZE,
                                "it did not end within %" PRIu64 ".%" PRIu64
                                " s, [Hooks] Timeout=, and %s%s",
                                timeout_usec / USEC_PER_SEC, timeout_usec % USEC_PER_SEC / 100000,
                                output->last[0] ? "said last: " : "said nothing", output->last);
        if (waited == -ECANCELED)
                (void) snprintf(cause, HOOK_CAUSE_SIZE, "the container was told to stop while it ran");
        if (waited < 0)
                return waited;

        n = read(error, text, sizeof text - 1);
        if (n > 0 && parse_u32(text, &number) == 0)
                return exec_failed((int) number, cause);
        return hook_judge(status, output, cause);
}

/* A launcher that has made a container's /proc has its children in the container's process namespace. */
static int children_on_host(void) {
        _cleanup_close_ int processes = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);

        return processes < 0 || setns(processes, CLONE_NEWPID) < 0 ? -errno : 0;
}

/* A guest's file can ask for /proc/self/exe as its interpreter, which would be this program
 * (launch/handover.h). 1 if it does; then it has not run its first instruction. */
static int watch_exec(const HookInside *inside, pid_t pid, int *go) {
        char identity[IDENTITY_SIZE];
        Failure failure = {};
        int r, tainted = 0;

        r = handover_identity(identity);
        if (r < 0)
                return r;
        r = handover_watch(pid);
        if (r < 0)
                return r;

        *go = fd_close(*go);
        r = handover_wait_exec(pid);
        if (r < 0 && r != -ECHILD)
                return r;
        if (r == 0) {
                r = lsm_verify(&failure, inside->lsm, pid);
                tainted = r < 0 ? r : handover_is_tainted(pid, identity);
        }
        if (tainted != 0) {
                (void) handover_let_end(pid);
                return tainted;
        }

        /* One that did not come to its exec has said why, and ends now. */
        r = handover_resume(pid);
        return r == -ESRCH ? 0 : r;
}

static int hook_clone(HookChild *child, int cgroup, int *ret_pidfd, pid_t *ret_pid) {
        struct clone_args args = {
                .flags = CLONE_INTO_CGROUP | CLONE_PIDFD,
                .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = (uint64_t) cgroup,
        };
        pid_t pid;
        int r;

        r = child->place->inside ? hook_inside_begin(child->place->inside) : children_on_host();
        if (r < 0)
                return r;
        pid = sys_clone3(&args);
        if (pid == 0)
                child_main(child);
        if (pid < 0)
                return -errno;

        *ret_pid = pid;
        return 0;
}

/* With its cgroup made; that is gone afterwards in any case. */
static int
hook_attend(HookChild *child,
            HookOutput *output,
            Ends *ends,
            uint64_t timeout_usec,
            char cause[static HOOK_CAUSE_SIZE]) {
        _cleanup_close_ int cgroup = -EBADF, pidfd = -EBADF;
        pid_t pid = 0;
        int r, killed;

        r = cgroup_make_hook(child->place->unit, &cgroup);
        if (r < 0)
                return r;

        r = hook_clone(child, cgroup, &pidfd, &pid);
        child->output = fd_close(child->output);
        child->error = fd_close(child->error);
        if (r == 0 && is_guest(child->place))
                r = watch_exec(child->place->inside, pid, &ends->go);
        if (r > 0) {
                (void) snprintf(cause, HOOK_CAUSE_SIZE, "it has /proc/self/exe for its interpreter");
                r = -EPERM;
        }
        if (r == 0)
                r = hook_wait(pidfd, child->place->held, output, timeout_usec);

        killed = cgroup_end_hook(child->place->unit, cgroup);
        if (pid > 0)
                r = hook_finish(pid, ends->error, r, output, timeout_usec, cause);

        return r < 0 ? r : killed;
}

/* All that the hook gets. */
static int
hook_prepare(HookChild *child,
             const HookFacts *facts,
             HookKind kind,
             HookOutput *output,
             Ends *ends,
             char cause[static HOOK_CAUSE_SIZE]) {
        int error[2], go[2], r;

        if (!is_guest(child->place)) {
                r = hook_program_open(child->argv[0], &child->program, cause);
                if (r < 0)
                        return r;
        }
        r = hook_state_open(facts, kind, &child->state);
        if (r < 0)
                return r;
        r = hook_environment(facts, kind, &child->environment);
        if (r < 0)
                return r;
        r = hook_output_begin(output, kind, facts->kind, facts->definition->name, &child->output);
        if (r < 0)
                return r;

        if (pipe2(error, O_CLOEXEC) < 0)
                return -errno;
        ends->error = error[0];
        child->error = error[1];
        if (pipe2(go, O_CLOEXEC) < 0)
                return -errno;
        ends->go = go[1];
        child->go = go[0];
        return 0;
}

int hook_run(const HookFacts *facts,
             HookKind kind,
             size_t index,
             const HookPlace *place,
             char cause[static HOOK_CAUSE_SIZE]) {
        HookChild child = {
                .argv = facts->definition->hooks[kind].commands[index],
                .place = place,
                .program = HOOK_PROGRAM_NULL,
                .state = -EBADF,
                .output = -EBADF,
                .error = -EBADF,
                .go = -EBADF,
        };
        HookOutput output = { .pipe = -EBADF, .journal = -EBADF };
        Ends ends = { -EBADF, -EBADF };
        int r;

        cause[0] = '\0';
        r = hook_prepare(&child, facts, kind, &output, &ends, cause);
        if (r == 0)
                r = hook_attend(&child, &output, &ends, facts->definition->hook_timeout_usec, cause);

        hook_output_done(&output);
        environment_done(&child.environment);
        (void) fd_close(ends.error);
        (void) fd_close(ends.go);
        (void) fd_close(child.go);
        (void) fd_close(child.error);
        (void) fd_close(child.output);
        (void) fd_close(child.state);
        (void) fd_close(child.program.fd);
        return r;
}
