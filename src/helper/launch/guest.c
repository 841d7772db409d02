/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "spec/hook.h"
#include "spec/seccomp.h"

/* systemd: halt(8) and systemd(1), "Signals"; busybox: init/init.c; others: SIGPWR, which sysvinit and upstart take as
 * a request to shut down and which LXC sends, too. */
static const struct {
        const char *name;
        int signal_number;
} inits[] = {
        { "systemd", 0 /* SIGRTMIN + 3, not a constant */ },
        { "busybox", SIGUSR2 },
};

int guest_stop_signal(const LaunchPlan *plan, int root_fd) {
        _cleanup_close_ int init = -EBADF;
        char link[64], path[512], *name;
        ssize_t n;

        if (plan->definition->stop_signal > 0)
                return plan->definition->stop_signal;
        if (plan->boot != BOOT_INIT)
                return SIGTERM;

        init = open_in_root(root_fd, "/sbin/init", O_PATH);
        if (init < 0)
                return SIGRTMIN + 3; /* it is systemd that is looked for next */

        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", init);
        n = readlink(link, path, sizeof path - 1);
        if (n < 0)
                return SIGPWR;
        path[n] = '\0';

        name = strrchr(path, '/');
        for (size_t i = 0; name && i < ELEMENTSOF(inits); i++)
                if (strcmp(name + 1, inits[i].name) == 0)
                        return inits[i].signal_number > 0 ? inits[i].signal_number : SIGRTMIN + 3;

        return SIGPWR;
}

int guest_note_hooks(const Cgroup *cgroup, const Definition *definition) {
        if (!hook_any_of_stop(definition))
                return 0;

        return fsetxattr(cgroup->launch, GUEST_HOOKS_ATTRIBUTE, "1", 1, 0) < 0 ? -errno : 0;
}

int guest_note_stop_signal(const Cgroup *cgroup, int signal_number) {
        char text[16];
        int n;

        n = snprintf(text, sizeof text, "%d", signal_number);
        return fsetxattr(cgroup->launch, GUEST_STOP_ATTRIBUTE, text, (size_t) n, 0) < 0 ? -errno : 0;
}

int guest_note_filter(const Cgroup *cgroup, const SeccompProgram *program) {
        const char *text = program->instructions ? program->name : SECCOMP_OFF;

        return fsetxattr(cgroup->launch, SECCOMP_ATTRIBUTE, text, strlen(text), 0) < 0 ? -errno : 0;
}
