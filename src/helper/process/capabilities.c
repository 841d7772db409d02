/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/capabilities.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/capability.h"
#include "basic/macro.h"
#include "basic/weaken.h"

static int set_inheritable(uint64_t set) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(data); i++)
                data[i].inheritable = (uint32_t) (set >> (32 * i));

        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int capabilities_bound(uint64_t keep, uint64_t required, unsigned *ret_missing) {
        /* The kernel tells by EINVAL which capability is the first that it does not know. */
        for (unsigned i = 0; i < 64; i++) {
                int r = 1;

                if (required & CAPABILITY_BIT(i))
                        r = prctl(PR_CAPBSET_READ, (unsigned long) i, 0UL, 0UL, 0UL);
                if (r == 0) {
                        *ret_missing = i;
                        return CAPABILITIES_E_MISSING;
                }
                if (r > 0 && !(keep & CAPABILITY_BIT(i)))
                        r = prctl(PR_CAPBSET_DROP, (unsigned long) i, 0UL, 0UL, 0UL);
                if (r < 0 && errno == EINVAL)
                        break;
                if (r < 0)
                        return -errno;
        }

        if (weakened(WEAKEN_INHERITABLE))
                return 0;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0UL, 0UL, 0UL) < 0)
                return -errno;

        return set_inheritable(0);
}

int capabilities_keep(void) {
        return prctl(PR_SET_KEEPCAPS, 1UL, 0UL, 0UL, 0UL) < 0 ? -errno : 0;
}

int capabilities_set_ambient(uint64_t set) {
        int r;

        r = set_inheritable(set);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < 64; i++)
                if ((set & CAPABILITY_BIT(i)) &&
                    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long) i, 0UL, 0UL) < 0)
                        return -errno;

        return 0;
}

int capabilities_permitted(uint64_t *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;

        *ret = (uint64_t) data[1].permitted << 32 | data[0].permitted;
        return 0;
}

int privileges_freeze(void) {
        return prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0 ? -errno : 0;
}
