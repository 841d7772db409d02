/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/personality.h"

#include <errno.h>
#include <sys/personality.h>

int personality_set(Architecture architecture) {
        switch (architecture) {
        case ARCHITECTURE_X86:
        case ARCHITECTURE_ARM:
                return personality(PER_LINUX32) < 0 ? -errno : 0;
        case ARCHITECTURE_NATIVE:
        case ARCHITECTURE_X86_64:
        case ARCHITECTURE_ARM64:
        case _ARCHITECTURE_N:
                return personality(PER_LINUX) < 0 ? -errno : 0;
        }

        return -EINVAL;
}
