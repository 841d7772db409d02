/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/clean.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/macro.h"
#include "basic/syscall.h"

/* The capabilities a whole system needs to boot and to manage what is its own, as systemd-nspawn grants them, without
 * CAP_AUDIT_*: the kernel's audit knows no containers, and programs inside take its absence better than its refusal. */
static const uint64_t default_capabilities =
        UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_DAC_READ_SEARCH |
        UINT64_C(1) << CAP_FOWNER | UINT64_C(1) << CAP_FSETID | UINT64_C(1) << CAP_IPC_OWNER |
        UINT64_C(1) << CAP_KILL | UINT64_C(1) << CAP_LEASE | UINT64_C(1) << CAP_LINUX_IMMUTABLE |
        UINT64_C(1) << CAP_MKNOD | UINT64_C(1) << CAP_NET_BIND_SERVICE | UINT64_C(1) << CAP_NET_BROADCAST |
        UINT64_C(1) << CAP_NET_RAW | UINT64_C(1) << CAP_SETFCAP | UINT64_C(1) << CAP_SETGID |
        UINT64_C(1) << CAP_SETPCAP | UINT64_C(1) << CAP_SETUID | UINT64_C(1) << CAP_SYS_ADMIN |
        UINT64_C(1) << CAP_SYS_BOOT | UINT64_C(1) << CAP_SYS_CHROOT | UINT64_C(1) << CAP_SYS_NICE |
        UINT64_C(1) << CAP_SYS_PTRACE | UINT64_C(1) << CAP_SYS_RESOURCE | UINT64_C(1) << CAP_SYS_TTY_CONFIG;

int signals_reset(void) {
        const struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t none;

        /* The exec itself resets handlers, and systemd starts its services with nothing ignored but SIGPIPE, if the
         * unit says so. */
        if (sigaction(SIGPIPE, &action, NULL) < 0)
                return -errno;
        if (sigemptyset(&none) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;

        return 0;
}

int capabilities_drop(int private_network) {
        uint64_t keep = default_capabilities;
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (private_network)
                keep |= UINT64_C(1) << CAP_NET_ADMIN;

        /* The kernel tells by EINVAL which capability is the first that it does not know. */
        for (unsigned long capability = 0; capability < 64; capability++) {
                if (keep & (UINT64_C(1) << capability))
                        continue;
                if (prctl(PR_CAPBSET_DROP, capability, 0UL, 0UL, 0UL) < 0) {
                        if (errno == EINVAL)
                                break;
                        return -errno;
                }
        }

        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0)
                return -errno;

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(data); i++)
                data[i].inheritable = 0;
        if (syscall(SYS_capset, &header, data) < 0)
                return -errno;

        return 0;
}

int keyring_join(void) {
        if (sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0) < 0 && errno != ENOSYS)
                return -errno;

        return 0;
}
