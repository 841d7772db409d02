/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/load.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static int raise_right(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective |= CAP_TO_MASK(CAP_SYS_ADMIN);
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int seccomp_load(const SeccompProgram *program, int *ret_listener) {
        const struct sock_fprog filter = {
                .len = (unsigned short) program->n,
                .filter = program->instructions,
        };
        /* Who was asked and has begun to answer is not asked twice because of a signal. */
        unsigned long flags = program->notifies ? SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                                                  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
                                                : 0;
        long fd;
        int r;

        r = raise_right();
        if (r < 0)
                return r;
        fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
        if (fd < 0)
                return -errno;

        *ret_listener = program->notifies ? (int) fd : -EBADF;
        return 0;
}
