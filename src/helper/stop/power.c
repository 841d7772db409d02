/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/stop/power.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"

typedef struct Switch {
        struct stat host; /* our own pid namespace */
        int result;
} Switch;

/* In the child. The check is made once more where it counts, on the namespace that reboot(2) will take. */
static int switch_main(void *argument) {
        Switch *s = argument;
        struct stat own;

        s->result = -EPERM;
        if (stat("/proc/thread-self/ns/pid", &own) < 0)
                s->result = -errno;
        else if (own.st_dev != s->host.st_dev || own.st_ino != s->host.st_ino) {
                s->result = 0;
                if (reboot(RB_POWER_OFF) < 0)
                        s->result = -errno;
        }

        return 0;
}

int power_off(int pidfd) {
        static _Alignas(16) char stack[16 * 1024];
        struct stat target;
        Switch s = {};
        pid_t pid;

        if (stat("/proc/self/ns/pid", &s.host) < 0)
                return -errno;
        if (setns(pidfd, CLONE_NEWPID) < 0)
                return errno == ESRCH ? 0 : -errno;
        if (stat("/proc/self/ns/pid_for_children", &target) < 0)
                return errno == ENOENT ? 0 : -errno; /* its process 1 has ended */
        if (target.st_dev == s.host.st_dev && target.st_ino == s.host.st_ino)
                return -EPERM;

        pid = clone(switch_main, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &s);
        if (pid < 0)
                return errno == ENOMEM ? 0 : -errno; /* no process can join a namespace that is being taken down */
        (void) waitpid(pid, NULL, 0);

        return s.result;
}
