/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/lsm/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "basic/weaken.h"

#define LABEL_MAX 4096 /* the kernel takes no more than a page */

static const LsmModule *const modules[LSM_MODULES_MAX] = { &lsm_apparmor, &lsm_selinux };

void lsm_done(Lsm *lsm) {
        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                free(lsm->labels[i]);
        *lsm = LSM_NULL;
}

int lsm_prepare(Failure *failure, const LaunchPlan *plan, Lsm *ret) {
        for (size_t i = 0; i < ELEMENTSOF(modules); i++) {
                int r;

                r = step_begin(failure, STEP_LSM, "%s", modules[i]->name);
                if (r < 0)
                        return r;
                r = modules[i]->prepare(failure, plan, &ret->labels[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

bool lsm_loads_policy(const Lsm *lsm, const LaunchPlan *plan) {
        for (size_t i = 0; i < ELEMENTSOF(modules); i++)
                if (lsm->labels[i] && modules[i]->loads && modules[i]->loads(plan, lsm->labels[i]))
                        return true;

        return false;
}

static int write_label(int process, const LsmModule *module, const char *label) {
        _cleanup_free_ char *text = string_printf("%s%s", module->exec_prefix, label);

        if (!text)
                return -ENOMEM;

        for (const char *const *path = module->exec_paths; *path; path++) {
                int r = file_write(process, *path, text);

                if (r != -ENOENT || faccessat(process, *path, F_OK, 0) == 0)
                        return r;
        }

        return -EOPNOTSUPP;
}

int lsm_apply(Failure *failure, const Lsm *lsm, int proc) {
        for (size_t i = 0; i < ELEMENTSOF(modules); i++) {
                _cleanup_close_ int process = -EBADF;
                int r;

                if (!lsm->labels[i] || weakened(WEAKEN_LABEL))
                        continue;
                r = step_begin(failure, STEP_LSM, "%s label %s", modules[i]->name, lsm->labels[i]);
                if (r < 0)
                        return r;
                process = openat(proc, "self", O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (process < 0)
                        return -errno;
                r = write_label(process, modules[i], lsm->labels[i]);
                if (r == -ENOENT)
                        return failure_cause(failure, r, "the kernel knows no such profile");
                if (r < 0)
                        return r;
        }

        return 0;
}

static int read_label(int process, const LsmModule *module, char **ret) {
        int r = -EOPNOTSUPP;

        for (const char *const *path = module->current_paths; *path; path++) {
                r = file_read(process, *path, LABEL_MAX, ret, NULL);
                if (r != -ENOENT)
                        break;
        }
        if (r < 0)
                return r;

        (*ret)[strcspn(*ret, "\n")] = '\0';
        return 0;
}

int lsm_verify(Failure *failure, const Lsm *lsm, pid_t pid) {
        for (size_t i = 0; i < ELEMENTSOF(modules); i++) {
                _cleanup_free_ char *current = NULL;
                _cleanup_close_ int process = -EBADF;
                char path[32];
                int r;

                if (!lsm->labels[i] || weakened(WEAKEN_LABEL_CHECK))
                        continue;
                r = step_begin(failure, STEP_LSM, "%s label %s", modules[i]->name, lsm->labels[i]);
                if (r < 0)
                        return r;
                (void) snprintf(path, sizeof path, "/proc/%d", (int) pid);
                process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (process < 0)
                        return -errno;
                r = read_label(process, modules[i], &current);
                if (r < 0)
                        return r;
                if (!modules[i]->holds(lsm->labels[i], current))
                        return failure_cause(failure, -EPERM, "after the exec it is %s", current);
        }

        return 0;
}
