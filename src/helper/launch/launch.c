/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of a start. Each step is a few lines here and a function elsewhere; launch_steps() reads as the table of
 * contents. Before the clone everything that can fail for an ordinary reason is tried, so that a start that fails
 * early has touched nothing.
 *
 * Two processes: this one, with the host's rights in a mount namespace of its own, and the payload (payload.c), cloned
 * as a child of systemd directly into its cgroup and namespaces, which waits until all of its mounts are made.
 */
#include "helper/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/syscall.h"
#include "helper/launch/guest.h"
#include "helper/launch/handed.h"
#include "helper/launch/handover.h"
#include "helper/launch/payload.h"
#include "helper/launch/prelude.h"
#include "helper/launch/reaper.h"
#include "helper/launch/store.h"
#include "helper/launch/subject.h"
#include "helper/ns/block.h"
#include "helper/ns/borrow.h"
#include "helper/process/environment.h"
#include "helper/process/rlimits.h"
#include "helper/root/api.h"
#include "helper/root/descriptor.h"
#include "helper/root/dev.h"
#include "helper/root/extra.h"
#include "helper/root/run.h"
#include "helper/root/stage.h"
#include "helper/root/tree.h"
#include "helper/seccomp/notify.h"
#include "helper/seccomp/program.h"
#include "helper/unit/cgroup.h"
#include "helper/unit/console.h"
#include "helper/unit/journal.h"
#include "helper/unit/machined.h"

typedef struct Launch {
        Failure failure;
        Definition *definition;
        Descriptors descriptors;
        LaunchPlan plan;
        Notify notify;
        FdStore store;
        Cgroup cgroup;
        int stage;
        Root root;
        RunHost run;
        int reaper;
        SeccompProgram seccomp;
        int seccomp_server; /* who answers for system calls */
        int socket; /* to the payload */
        pid_t pid;
        int pidfd;
        int user_namespace;
        int sysctl;
        int barrier; /* systemd knows the main process when this one is done */
        BorrowedMounts borrowed;
} Launch;

static void launch_done(Launch *launch) {
        /* After a start that succeeded pid is 0: the guest is not ours to touch. */
        launch->socket = fd_close(launch->socket);
        if (launch->pid > 0)
                (void) pidfd_send_signal(launch->pidfd, SIGKILL, NULL, 0);

        borrowed_mounts_done(&launch->borrowed);
        run_host_done(&launch->run);
        root_done(&launch->root);
        fd_store_done(&launch->store);
        cgroup_done(&launch->cgroup);
        seccomp_program_done(&launch->seccomp);
        launch->seccomp_server = fd_close(launch->seccomp_server);
        launch_plan_done(&launch->plan);
        descriptors_done(&launch->descriptors);
        if (launch->definition)
                definition_free(launch->definition);
        notify_done(&launch->notify);
        launch->stage = fd_close(launch->stage);
        launch->reaper = fd_close(launch->reaper);
        launch->pidfd = fd_close(launch->pidfd);
        launch->user_namespace = fd_close(launch->user_namespace);
        launch->sysctl = fd_close(launch->sysctl);
        launch->barrier = fd_close(launch->barrier);
}

static int launch_prepare_seccomp(Launch *launch) {
        int r;

        r = seccomp_program_prepare(&launch->failure, &launch->plan, &launch->seccomp);
        if (r < 0)
                return r;

        launch->store.seccomp = TAKE_FD(launch->seccomp.file);
        return launch->seccomp.notifies ? seccomp_notify_connect(&launch->failure, launch->definition->seccomp_notify,
                                                                 &launch->seccomp_server) :
                                          0;
}

/* Ids, limits, machine id, system calls: what needs no mount. */
static int launch_prepare(Launch *launch) {
        const Definition *definition = launch->definition;
        uint32_t block = 0;
        int failed, r;

        if (definition->user_namespace && id_ranges_need_block(definition->id_ranges, definition->n_id_ranges)) {
                r = step_begin(&launch->failure, STEP_ID_RANGE, "for %s", definition->name);
                if (r < 0)
                        return r;
                r = block_acquire(&launch->store, definition->name, &block);
                if (r == -ENOSPC)
                        return failure_cause(&launch->failure, r,
                                             "no block of 65536 ids is free in NSS, /etc/subuid, /etc/subgid and the "
                                             "locks of other containers");
                if (r < 0)
                        return r;
        }

        r = step_begin(&launch->failure, STEP_PLAN, "%s", "");
        if (r < 0)
                return r;
        r = launch_plan_set_ids(&launch->plan, block);
        if (r == -ERANGE)
                return failure_cause(&launch->failure, r,
                                     "an automatic IDMap= range must lie between 0 and 65535 inside");
        if (r < 0)
                return r;
        r = launch_plan_set_machine_id(&launch->plan);
        if (r < 0)
                return failure_cause(&launch->failure, r, "the host's /etc/machine-id cannot be read: %s",
                                     strerror(-r));
        r = environment_add_host(&launch->plan.environment);
        if (r < 0)
                return r;
        if (launch->plan.boot == BOOT_REAPER) {
                r = reaper_open(&launch->reaper);
                if (r < 0)
                        return failure_cause(&launch->failure, r, "berth's init cannot be read: %s", strerror(-r));
        }

        r = step_begin(&launch->failure, STEP_LIMITS, "%s", "");
        if (r < 0)
                return r;
        r = rlimits_raise(definition->rlimits, definition->n_rlimits, &failed);
        if (r < 0)
                return failure_cause(&launch->failure, r, "number %d of getrlimit(2): %s", failed, strerror(-r));

        return launch_prepare_seccomp(launch);
}

/* The payload is systemd's child, not ours: systemd sees it end, with its status. */
static int launch_clone(Launch *launch) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        struct clone_args args = {
                .flags = launch_plan_clone_flags(&launch->plan),
                .pidfd = (uint64_t) (uintptr_t) &launch->pidfd,
                .cgroup = (uint64_t) launch->cgroup.payload,
        };
        int ends[2], r;
        pid_t pid;

        r = step_begin(&launch->failure, STEP_CLONE, "%s", "");
        if (r < 0)
                return r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];

        pid = sys_clone3(&args);
        if (pid < 0 && errno == EAGAIN)
                return failure_cause(&launch->failure, -EAGAIN,
                                     "the limit of processes is reached (TasksMax= of the unit, or the host's)");
        if (pid < 0 && (errno == EUSERS || errno == ENOSPC))
                return failure_cause(&launch->failure, -errno,
                                     "the limit of namespaces is reached, see /proc/sys/user/ and namespaces(7)");
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                const Payload payload = {
                        .plan = &launch->plan,
                        .store = &launch->store,
                        .socket = theirs,
                        .seccomp = &launch->seccomp,
                        .reaper = launch->reaper,
                };

                (void) close(ours);
                payload_run(&payload);
        }

        launch->pid = pid;
        launch->socket = TAKE_FD(ours);
        return 0;
}

static int launch_map_ids(Launch *launch) {
        _cleanup_close_ int proc = -EBADF;
        char path[32];
        int r;

        if (!launch->definition->user_namespace)
                return 0;

        r = step_begin(&launch->failure, STEP_ID_MAP, "of the container");
        if (r < 0)
                return r;

        (void) snprintf(path, sizeof path, "/proc/%d", (int) launch->pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                return -errno;
        /* It is not our child: if it was killed, its number may be another's by now. */
        if (pidfd_send_signal(launch->pidfd, 0, NULL, 0) < 0)
                return -errno;
        r = idmap_write(&launch->plan.ids, proc);
        if (r < 0)
                return r;

        launch->user_namespace = openat(proc, "ns/user", O_RDONLY | O_CLOEXEC);
        return launch->user_namespace < 0 ? -errno : 0;
}

/* Everything that is made from now on belongs to the container's root from its first moment. The capabilities stay. */
static int launch_assume_owner(const LaunchPlan *plan) {
        if (plan->owner_uid == 0)
                return 0;

        if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0UL, 0UL, 0UL) < 0)
                return -errno;
        (void) setfsgid(plan->owner_gid);
        (void) setfsuid(plan->owner_uid);
        return 0;
}

static int launch_mount(Launch *launch) {
        Failure *failure = &launch->failure;
        const LaunchPlan *plan = &launch->plan;
        int r;

        r = step_begin(failure, STEP_TREE, "%s", "");
        if (r < 0)
                return r;
        r = launch_assume_owner(plan);
        if (r < 0)
                return r;

        r = root_mount(failure, plan, &launch->root, launch->stage, launch->user_namespace);
        if (r < 0)
                return r;
        r = borrow_mounts(failure, plan, launch->pidfd, &launch->borrowed);
        if (r < 0)
                return r;
        r = dev_mount(failure, plan, launch->root.tree, launch->borrowed.mqueue, &launch->store.console);
        if (r < 0)
                return r;
        r = run_mount(failure, plan, launch->root.tree, &launch->run);
        if (r < 0)
                return r;
        r = api_mount(failure, plan, launch->root.tree, launch->stage, &launch->borrowed, launch->cgroup.payload,
                      &launch->sysctl);
        if (r < 0)
                return r;
        r = extra_mounts(failure, plan, launch->root.tree, launch->user_namespace);
        if (r < 0)
                return r;

        r = step_begin(failure, STEP_TREE, "read-only");
        if (r < 0)
                return r;
        return root_seal(plan, &launch->root);
}

/* The payload ended before it executed anything: it has said why, if nobody killed it. */
static int launch_payload_failed(Launch *launch) {
        Failure failure;
        int r;

        r = payload_read_failure(launch->socket, &failure);
        if (r < 0)
                return failure_cause(&launch->failure, r, "it crashed while it was loaded, or was killed");

        launch->failure = failure;
        return -failure.error;
}

static int launch_release(Launch *launch) {
        const int fds[_PAYLOAD_FD_N] = {
                [PAYLOAD_FD_ROOT] = launch->root.tree,
                [PAYLOAD_FD_SYSCTL] = launch->sysctl,
        };
        const PayloadGo go = {
                .has_credentials = launch->run.credentials,
                .has_notify = launch->run.notify >= 0,
        };
        char identity[IDENTITY_SIZE];
        int r;

        r = step_begin(&launch->failure, STEP_GUEST, "its way to stop");
        if (r < 0)
                return r;
        r = guest_note_stop_signal(&launch->cgroup, guest_stop_signal(&launch->plan, launch->root.tree));
        if (r < 0)
                return r;

        r = step_begin(&launch->failure, STEP_MAIN_PROCESS, "%s", "");
        if (r < 0)
                return r;
        r = notify_barrier_wait(TAKE_FD(launch->barrier), HANDOVER_TIMEOUT_MSEC);
        if (r < 0)
                return r;
        machined_register(launch->plan.kind, launch->definition->name, launch->plan.machine_id, launch->pid);
        if (launch->store.console >= 0)
                console_offer(launch->plan.kind, launch->definition->name, launch->store.console);
        r = handover_identity(identity);
        if (r < 0)
                return r;
        r = handover_watch(launch->pid);
        if (r < 0)
                return r;
        r = payload_release(launch->socket, &go, fds);
        if (r < 0)
                return r;

        if (launch->seccomp.notifies) {
                failure_at(&launch->failure, STEP_SECCOMP, launch->definition->seccomp_notify);
                r = seccomp_notify_pass(&launch->failure, launch->socket, launch->definition->name, launch->pid,
                                        launch->seccomp_server);
                if (r == -ECHILD)
                        return launch_payload_failed(launch);
                if (r < 0)
                        return r;
        }

        /* The payload does this step; it is here that its silence is told. */
        failure_at(&launch->failure, STEP_EXEC, "its first program");
        r = handover_wait_exec(launch->pid);
        if (r == -ECHILD)
                return launch_payload_failed(launch);
        if (r < 0)
                return r;

        r = handover_is_tainted(launch->pid, identity);
        if (r > 0)
                return failure_cause(&launch->failure, -EPERM, "it has /proc/self/exe for its interpreter");
        return r;
}

static int launch_hand_over(Launch *launch) {
        bool guest = launch->definition->ready == READY_GUEST;
        int r;

        r = step_begin(&launch->failure, STEP_READY, "%s", "");
        if (r < 0)
                return r;

        if (guest) {
                r = handover_resume(launch->pid);
                if (r < 0)
                        return r;
                r = handover_wait_guest(&launch->notify, launch->run.notify, launch->pid, launch->pidfd);
                if (r == -ECHILD) {
                        launch->pid = 0;
                        return failure_cause(&launch->failure, r, "it ended before it said READY=1");
                }
                if (r < 0)
                        return r;

                r = handover_silence(launch->run.notify);
                if (r < 0)
                        return r;
                launch->store.notify = TAKE_FD(launch->run.notify);
        }

        r = handover_ready(&launch->notify, &launch->store);
        if (r < 0)
                return r;
        if (!guest) {
                r = handover_resume(launch->pid);
                if (r < 0 && r != -ESRCH)
                        return r;
        }

        /* From here on it is a running container, whatever happens to us. */
        launch->pid = 0;
        r = notify_barrier_begin(&launch->notify, &launch->barrier);
        return r < 0 ? r : notify_barrier_wait(TAKE_FD(launch->barrier), HANDOVER_TIMEOUT_MSEC);
}

/* What comes with a transient start, while this process still has the host's mounts. */
static int launch_take_up(Launch *launch, const char *name) {
        int r;

        r = handed_receive(&launch->failure, &launch->notify, &launch->store, name);
        if (r < 0)
                return r;
        r = handed_load(&launch->failure, &launch->store, name, &launch->definition);
        if (r < 0)
                return r;
        r = descriptors_open(
                        &launch->failure, launch->definition, &launch->store.handed, &launch->descriptors);
        if (r < 0)
                return r;

        launch->plan.descriptors = &launch->descriptors;
        return 0;
}

/* Up to the definition and the unit's agreement with it. */
static int launch_begin(Launch *launch, const char *name) {
        Failure *failure = &launch->failure;
        int r;

        r = step_begin(failure, STEP_PLAN, "%s", "");
        if (r < 0)
                return r;
        if (launch->notify.socket < 0)
                return failure_cause(failure, -EPERM, "only systemd runs this, in the container's unit; use "
                                                      "\"systemctl start container@%s\"", name);

        if (launch->plan.kind == UNIT_TRANSIENT) {
                r = launch_take_up(launch, name);
                if (r < 0)
                        return r;
        }

        r = stage_enter(failure, &launch->stage);
        if (r < 0)
                return r;

        r = step_begin(failure, STEP_CGROUP, "%s", "");
        if (r < 0)
                return r;
        r = cgroup_setup(&launch->cgroup);
        if (r == -ENOTSUP)
                return failure_cause(failure, r, CGROUP_ROOT " is not a cgroup v2 hierarchy; boot the host with "
                                                             "systemd.unified_cgroup_hierarchy=yes");
        if (r < 0)
                return r;

        if (!launch->definition) {
                r = subject_load(failure, name, &launch->definition);
                if (r < 0)
                        return r;
        }
        launch->plan.definition = launch->definition;
        launch->plan.boot = definition_boot(launch->definition);
        /* The unit was made for this run, with all properties. */
        if (launch->plan.kind == UNIT_TRANSIENT)
                return 0;

        r = prelude_update_unit(failure, launch->definition);
        if (r < 0)
                return r;
        return prelude_delay(failure, launch->definition, &launch->notify);
}

static int launch_steps(Launch *launch, const char *name) {
        Failure *failure = &launch->failure;
        int r;

        r = launch_begin(launch, name);
        if (r < 0)
                return r;

        r = root_open(failure, &launch->plan, &launch->root);
        if (r < 0)
                return r;
        r = root_lock(failure, &launch->plan, &launch->store, &launch->root);
        if (r < 0)
                return r;
        r = launch_prepare(launch);
        if (r < 0)
                return r;

        if (launch->plan.has_root) {
                r = step_begin(failure, STEP_CGROUP, CGROUP_PAYLOAD "/");
                if (r < 0)
                        return r;
                r = cgroup_delegate(&launch->cgroup, launch->plan.owner_uid, launch->plan.owner_gid);
                if (r < 0)
                        return r;
        }

        r = launch_clone(launch);
        if (r < 0)
                return r;
        r = step_begin(failure, STEP_MAIN_PROCESS, "%s", "");
        if (r < 0)
                return r;
        r = fd_store_commit_locks(&launch->store, &launch->notify);
        if (r < 0)
                return r;
        r = handover_main_process(&launch->notify, launch->pid, &launch->barrier);
        if (r < 0)
                return r;

        r = launch_map_ids(launch);
        if (r < 0)
                return r;
        r = launch_mount(launch);
        if (r < 0)
                return r;
        r = launch_release(launch);
        if (r < 0)
                return r;

        return launch_hand_over(launch);
}

/* The one sentence, in the journal and in the unit's status. The unit's fate is this process's own again: the payload's
 * end tells nothing. */
static void launch_report(Launch *launch, const char *name) {
        char sentence[1536], status[1600];

        failure_sentence(&launch->failure, name, sentence, sizeof sentence);
        journal_print(LOG_ERR, launch->plan.kind, name, sentence);
        (void) snprintf(status, sizeof status, "MAINPID=%d\nSTATUS=%s\nERRNO=%d", (int) getpid(), sentence,
                        launch->failure.error);
        (void) notify_send(&launch->notify, status);
}

static int launch_unit(UnitKind kind, const char *name) {
        _cleanup_(launch_done) Launch launch = {
                .descriptors = DESCRIPTORS_NULL,
                .plan = LAUNCH_PLAN_NULL,
                .notify = NOTIFY_NULL,
                .store = FD_STORE_NULL,
                .cgroup = CGROUP_NULL,
                .stage = -EBADF,
                .root = ROOT_NULL,
                .run = RUN_HOST_NULL,
                .reaper = -EBADF,
                .seccomp = SECCOMP_PROGRAM_NULL,
                .seccomp_server = -EBADF,
                .socket = -EBADF,
                .pidfd = -EBADF,
                .user_namespace = -EBADF,
                .sysctl = -EBADF,
                .barrier = -EBADF,
                .borrowed = BORROWED_MOUNTS_NULL,
        };
        int barrier, r;

        launch.plan.kind = kind;
        r = notify_init(&launch.notify);
        if (r == 0)
                r = fd_store_receive(&launch.store);
        if (r == 0 && setgroups(0, NULL) < 0)
                r = -errno;
        (void) umask(0);

        if (r == 0)
                r = launch_steps(&launch, name);
        if (r == 0)
                return EXIT_SUCCESS;

        launch.failure.error = -r;
        launch_report(&launch, name);

        /* Only when systemd has read it may the processes end that it takes the unit's fate from. */
        if (notify_barrier_begin(&launch.notify, &barrier) == 0)
                (void) notify_barrier_wait(barrier, HANDOVER_TIMEOUT_MSEC);
        return PAYLOAD_EXIT_FAILED;
}

int launch(const char *name) {
        return launch_unit(UNIT_DEFINED, name);
}

int launch_transient(const char *name) {
        return launch_unit(UNIT_TRANSIENT, name);
}
