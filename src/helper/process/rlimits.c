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

static int rlimit_apply_default(int resource) {
        struct rlimit limit = kernel_defaults[resource], now;

        if (limit.rlim_cur == FROM_PID1 && prlimit(1, (__rlimit_resource_t) resource, NULL, &limit) < 0)
                return -errno;
        if (setrlimit((__rlimit_resource_t) resource, &limit) == 0)
                return 0;
        if (errno != EPERM)
                return -errno;

        /* Without CAP_SYS_RESOURCE, as inside another container, the hard limit can only go down. */
        if (getrlimit((__rlimit_resource_t) resource, &now) < 0)
                return -errno;
        if (limit.rlim_max > now.rlim_max)
                limit.rlim_max = now.rlim_max;
        if (limit.rlim_cur > limit.rlim_max)
                limit.rlim_cur = limit.rlim_max;

        return setrlimit((__rlimit_resource_t) resource, &limit) < 0 ? -errno : 0;
}

int rlimits_apply(const Rlimit *limits, size_t n, int *ret_failed) {
        for (int resource = 0; resource < (int) ELEMENTSOF(kernel_defaults); resource++) {
                bool given = false;
                int r;

                for (size_t i = 0; i < n; i++)
                        given = given || limits[i].resource == resource;
                if (given)
                        continue;

                r = rlimit_apply_default(resource);
                if (r < 0) {
                        *ret_failed = resource;
                        return r;
                }
        }

        for (size_t i = 0; i < n; i++)
                if (setrlimit((__rlimit_resource_t) limits[i].resource, &limits[i].limit) < 0) {
                        *ret_failed = limits[i].resource;
                        return -errno;
                }

        return 0;
}
