/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names and numbers of calls, as libseccomp knows them.
 */
#include <errno.h>
#include <seccomp.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "seccomp/filter.h"

#define X86_DIRECT_FIRST 359 /* socket */
#define X86_DIRECT_LAST 402  /* msgctl */
#define X32_BIT UINT32_C(0x40000000)

static const uint32_t tokens[_CALL_ARCHITECTURE_N] = {
        [CALLS_X86_64] = SCMP_ARCH_X86_64, [CALLS_X86] = SCMP_ARCH_X86, [CALLS_X32] = SCMP_ARCH_X32,
        [CALLS_ARM64] = SCMP_ARCH_AARCH64, [CALLS_ARM] = SCMP_ARCH_ARM,
};

unsigned filter_architectures(void) {
        static const unsigned families[] = {
                1U << CALLS_X86_64 | 1U << CALLS_X86 | 1U << CALLS_X32,
                1U << CALLS_ARM64 | 1U << CALLS_ARM,
        };
        uint32_t native = seccomp_arch_native();

        for (size_t i = 0; i < _CALL_ARCHITECTURE_N; i++)
                for (size_t j = 0; tokens[i] == native && j < ELEMENTSOF(families); j++)
                        if (families[j] & (1U << i))
                                return families[j];

        return 0;
}

/* Calls that 32-bit programs on x86 can reach through socketcall(2) and ipc(2): libseccomp names that way by
 * these numbers. Since Linux 4.3 and 5.1 most of them have one of their own besides. */
static bool is_multiplexed(int number) {
        return number < -1 && number > -10000;
}

static int direct_number(CallArchitecture architecture, const char *name, uint32_t *ret) {
        for (int number = X86_DIRECT_FIRST; number <= X86_DIRECT_LAST; number++) {
                _cleanup_free_ char *own = seccomp_syscall_resolve_num_arch(tokens[architecture], number);

                if (own && streq(own, name)) {
                        *ret = (uint32_t) number;
                        return 0;
                }
        }

        return -ENXIO;
}

int call_number(const Profile *profile, const char *name, CallArchitecture architecture, uint32_t *ret) {
        int number = seccomp_syscall_resolve_name_arch(tokens[architecture], name);

        if (number >= 0) {
                *ret = (uint32_t) number;
                return 0;
        }
        if (is_multiplexed(number))
                return direct_number(architecture, name, ret);
        for (size_t i = 0; i < profile->n_numbers; i++)
                if (streq(profile->numbers[i].name, name)) {
                        *ret = profile->numbers[i].number | (architecture == CALLS_X32 ? X32_BIT : 0);
                        return 0;
                }

        /* What exists elsewhere has a number below -1 here. */
        return number == __NR_SCMP_ERROR ? -ENOENT : -ENXIO;
}
