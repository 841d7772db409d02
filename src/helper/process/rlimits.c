/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/rlimits.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "basic/macro.h"

#define FROM_PID1 ((rlim_t) -2) /* depends on the machine's memory: PID 1 still has the kernel's value */

static const struct rlimit kernel_defaults[] = {
        [RLIMIT_CPU] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_FSIZE] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_DATA] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_STACK] = { 8 * 1024 * 1024, RLIM_INFINITY },
        [RLIMIT_CORE] = { 0, RLIM_INFINITY },
        [RLIMIT_RSS] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_NPROC] = { FROM_PID1, FROM_PID1 },
        [RLIMIT_NOFILE] = { 1024, 4096 },
        [RLIMIT_MEMLOCK] = { 8 * 1024 * 1024, 8 * 1024 * 1024 },
        [RLIMIT_AS] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_LOCKS] = { RLIM_INFINITY, RLIM_INFINITY },
        [RLIMIT_SIGPENDING] = { FROM_PID1, FROM_PID1 },
        [RLIMIT_MSGQUEUE] = { 819200, 819200 },
        [RLIMIT_NICE] = { 0, 0 },
        [RLIMIT_RTPRIO] = { 0, 0 },
        [RLIMIT_RTTIME] = { RLIM_INFINITY, RLIM_INFINITY },
};

/* What a limit is to be: the definition's (true), or the kernel's default. */
static bool rlimit_wanted(int resource, const Rlimit *limits, size_t n, struct rlimit *ret) {
        bool given = false;

        *ret = kernel_defaults[resource];
        for (size_t i = 0; i < n; i++)
                if (limits[i].resource == resource) {
                        *ret = limits[i].limit;
                        given = true;
                }

        return given;
}

/* The host's PID 1 can be asked only from outside: the payload inherits these two. */
static int rlimit_take_over(int resource) {
        struct rlimit limit;

        if (prlimit(1, (__rlimit_resource_t) resource, NULL, &limit) < 0)
                return -errno;

        return setrlimit((__rlimit_resource_t) resource, &limit) < 0 && errno != EPERM ? -errno : 0;
}

int rlimits_raise(const Rlimit *limits, size_t n, int *ret_failed) {
        for (int resource = 0; resource < (int) ELEMENTSOF(kernel_defaults); resource++) {
                struct rlimit wanted, now;
                bool given;
                int r;

                *ret_failed = resource;
                given = rlimit_wanted(resource, limits, n, &wanted);
                if (wanted.rlim_cur == FROM_PID1) {
                        r = rlimit_take_over(resource);
                        if (r < 0)
                                return r;
                        continue;
                }
                if (getrlimit((__rlimit_resource_t) resource, &now) < 0)
                        return -errno;
                if (wanted.rlim_max <= now.rlim_max)
                        continue;

                /* Without CAP_SYS_RESOURCE, as inside another container, a default stays as low as it is. */
                now.rlim_max = wanted.rlim_max;
                if (setrlimit((__rlimit_resource_t) resource, &now) < 0 && (given || errno != EPERM))
                        return -errno;
        }

        return 0;
}

int rlimits_apply(const Rlimit *limits, size_t n, int *ret_failed) {
        for (int resource = 0; resource < (int) ELEMENTSOF(kernel_defaults); resource++) {
                struct rlimit wanted, now;
                bool given;

                *ret_failed = resource;
                given = rlimit_wanted(resource, limits, n, &wanted);
                if (wanted.rlim_cur == FROM_PID1 || setrlimit((__rlimit_resource_t) resource, &wanted) == 0)
                        continue;
                if (errno != EPERM || given || getrlimit((__rlimit_resource_t) resource, &now) < 0)
                        return -errno;

                if (wanted.rlim_max > now.rlim_max)
                        wanted.rlim_max = now.rlim_max;
                if (wanted.rlim_cur > wanted.rlim_max)
                        wanted.rlim_cur = wanted.rlim_max;
                if (setrlimit((__rlimit_resource_t) resource, &wanted) < 0)
                        return -errno;
        }

        return 0;
}
