/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/mask.h"

#include <stddef.h>

/* clang-format off */
const MaskPart mask_proc_hidden[] = {
        { "kallsyms",      false },
        { "kcore",         false },
        { "keys",          false },
        { "sysrq-trigger", false },
        { "timer_list",    false },
        {},
};

const MaskPart mask_proc_hidden_from_root[] = {
        { "dynamic_debug", true  },
        { "kpagecgroup",   false },
        { "kpagecount",    false },
        { "kpageflags",    false },
        { "mtrr",          false },
        { "vmcore",        false },
        {},
};

const MaskPart mask_sys_hidden_from_root[] = {
        { "firmware",                 true },
        { "devices/virtual/powercap", true },
        {},
};
/* clang-format on */

const char *const mask_proc_read_only[] = { "acpi", "apm", "asound", "bus", "fs", "irq", "scsi", "sys", NULL };
