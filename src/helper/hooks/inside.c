/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/hooks/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/syscall.h"
#include "helper/process/capabilities.h"
#include "helper/process/keyring.h"
#include "helper/process/personality.h"
#include "helper/process/rlimits.h"
#include "helper/seccomp/load.h"

#define JOINED (CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWTIME)

int hook_inside_begin(const HookInside *inside) {
        return setns(inside->pidfd, CLONE_NEWPID) < 0 ? -errno : 0;
}

static int join_namespaces(const HookInside *inside) {
        uint64_t namespaces = CLONE_NEWNS | (launch_plan_clone_flags(inside->plan) & JOINED);

        if (launch_plan_private(inside->plan, NAMESPACE_CGROUP))
                namespaces |= CLONE_NEWCGROUP;

        return setns(inside->pidfd, (int) namespaces) < 0 ? -errno : 0;
}

/* Root inside, or the first id that there is. */
static int become(const LaunchPlan *plan) {
        uint32_t uid = 0, gid = 0;

        if (plan->definition->user_namespace && !plan->has_root) {
                (void) idmap_first(&plan->ids, ID_UID, &uid);
                (void) idmap_first(&plan->ids, ID_GID, &gid);
        }

        /* Where setgroups(2) is denied there are none to begin with. */
        if (setgroups(0, NULL) < 0 && errno != EPERM)
                return -errno;
        if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;

        /* The change of ids has taken it back. */
        return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

int hook_inside_join(const HookInside *inside) {
        const Definition *definition = inside->plan->definition;
        _cleanup_close_ int proc = -EBADF; /* the host's */
        Failure failure = {};
        uint64_t capabilities;
        unsigned missing;
        int r;

        /* What this process has open is the host's (CVE-2016-9962). */
        if (prctl(PR_SET_DUMPABLE, 0UL, 0UL, 0UL, 0UL) < 0)
                return -errno;

        proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0)
                return -errno;
        r = join_namespaces(inside);
        if (r < 0)
                return r;
        if (inside->guest) {
                r = capabilities_bound(definition_capabilities(definition), 0, &missing);
                if (r < 0)
                        return r;
        }

        r = capabilities_keep();
        if (r < 0)
                return r;
        r = become(inside->plan);
        if (r < 0)
                return r;
        r = capabilities_permitted(&capabilities);
        if (r < 0)
                return r;
        if (inside->guest)
                capabilities &= definition_capabilities(definition);
        r = capabilities_set_ambient(capabilities);
        if (r < 0)
                return r;
        r = keyring_join();
        if (r < 0)
                return r;
        return inside->guest ? lsm_apply(&failure, inside->lsm, proc) : 0;
}

/* The last steps of the payload, in its order (launch/payload-exec.c). */
int hook_inside_execute(const HookInside *inside, char *const *argv, char **environment) {
        _cleanup_close_ int program = -EBADF;
        const Definition *definition = inside->plan->definition;
        int failed, listener, r;

        r = personality_set(definition->architecture);
        if (r < 0)
                return r;
        program = sys_openat2(AT_FDCWD, argv[0], O_PATH | O_CLOEXEC, 0, RESOLVE_NO_MAGICLINKS);
        if (program < 0)
                return -errno;
        r = rlimits_apply(definition->rlimits, definition->n_rlimits, &failed);
        if (r < 0)
                return r;
        if (definition->no_new_privileges) {
                r = privileges_freeze();
                if (r < 0)
                        return r;
        }
        /* Nobody is asked about the calls of a hook: without a listener they fail with ENOSYS. */
        if (inside->seccomp->instructions) {
                r = seccomp_load(inside->seccomp, &listener);
                if (r < 0)
                        return r;
                (void) fd_close(listener);
        }

        (void) execve(argv[0], argv, environment);
        return -errno;
}
