/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Nothing can be left out: what every build for use has. */
#include "basic/weaken.h"

bool weakened(Weakening weakening) {
        return false;
}
