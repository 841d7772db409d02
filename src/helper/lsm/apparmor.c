/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AppArmor. Its library is not used: all that a start does is to write a profile and a label into files, and
 * a launcher that links nothing starts faster.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "basic/capability.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "helper/lsm/apparmor-profile.h"
#include "helper/lsm/apparmor-text.h"
#include "helper/lsm/lsm.h"
#include "helper/ns/nested.h"
#include "helper/unit/journal.h"
#include "spec/lsm.h"

#define ENABLED "/sys/module/apparmor/parameters/enabled"
#define KERNEL "/sys/kernel/security/apparmor"
#define ABI "/etc/apparmor.d/abi"
#define AND "//&" /* between the profiles of a label */

static const char *const exec_paths[] = { "attr/apparmor/exec", "attr/exec", NULL };
static const char *const current_paths[] = { "attr/apparmor/current", "attr/current", NULL };

static bool is_on(void) {
        _cleanup_free_ char *text = NULL;

        return file_read(AT_FDCWD, ENABLED, 16, &text, NULL) == 0 && text[0] == 'Y';
}

/* Is this process confined itself? In a policy namespace it does not look like that. */
static bool is_inside(void) {
        _cleanup_free_ char *label = NULL;

        if (nested() || access("/run/host/container-manager", F_OK) == 0)
                return true;

        if (file_read(AT_FDCWD, "/proc/self/attr/apparmor/current", 4096, &label, NULL) < 0 &&
            file_read(AT_FDCWD, "/proc/self/attr/current", 4096, &label, NULL) < 0)
                return false;

        label[strcspn(label, "\n")] = '\0';
        return !streq(label, APPARMOR_UNCONFINED);
}

/* What a generated profile needs and this host has not, as a clause. */
static const char *what_is_missing(int kernel) {
        static const struct {
                const char *path, *other, *words;
        } needed[] = {
                {"features/file",                  NULL,               "the kernel's AppArmor does not mediate files" },
                { "features/mount/mask",           NULL,               "the kernel's AppArmor does not mediate mounts"},
                { "features/network_v8",           "features/network",
                 "the kernel's AppArmor does not mediate sockets"                                                     },
                { "features/domain/change_onexec", NULL,
                 "the kernel's AppArmor cannot change profiles on exec"                                               },
        };

        if (kernel < 0)
                return "AppArmor is on, and " KERNEL " is not there";
        for (size_t i = 0; i < ELEMENTSOF(needed); i++)
                if (faccessat(kernel, needed[i].path, F_OK, 0) < 0 &&
                    (!needed[i].other || faccessat(kernel, needed[i].other, F_OK, 0) < 0))
                        return needed[i].words;
        if (access(APPARMOR_PARSER, X_OK) < 0)
                return APPARMOR_PARSER " is not installed";

        return NULL;
}

/* 0 if the start is to go on without. */
static int incomplete(Failure *failure, const LaunchPlan *plan, const char *missing) {
        char line[512];

        if (!plan->definition->apparmor_allow_incomplete)
                return failure_cause(
                                failure, -EOPNOTSUPP,
                                "%s (AppArmorAllowIncomplete=yes starts it all the same)", missing);

        (void) snprintf(line, sizeof line, "Container %s is not confined by AppArmor as it should be: %s",
                        plan->definition->name, missing);
        journal_print(LOG_WARNING, plan->kind, plan->definition->name, line);
        return 0;
}

/* A policy namespace of the container's own, without what a guest has loaded into it before: no process of
 * that guest is left, or its root would be locked. */
static int namespace_make(Failure *failure, const LaunchPlan *plan, int kernel, char **ret) {
        _cleanup_free_ char *name = NULL, *path = NULL;

        name =
                        string_printf(APPARMOR_PREFIX "%s%s", plan->kind == UNIT_TRANSIENT ? "run-" : "",
                                      plan->definition->name);
        if (name)
                path = string_printf("policy/namespaces/%s", name);
        if (!path)
                return -ENOMEM;

        if (unlinkat(kernel, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
                return failure_cause(
                                failure, -errno,
                                "the policy namespace %s of an earlier run cannot be removed: %s", name,
                                strerror(errno));
        if (mkdirat(kernel, path, 0755) < 0)
                return failure_cause(
                                failure, -errno, "the policy namespace %s cannot be made: %s", name,
                                strerror(errno));

        *ret = TAKE_PTR(name);
        return 0;
}

static int generate(Failure *failure, const LaunchPlan *plan, char **ret_label) {
        _cleanup_free_ char *profile = NULL, *name = NULL;
        _cleanup_close_ int kernel = -EBADF;
        const char *missing;
        unsigned words;
        int r;

        kernel = open(KERNEL, O_PATH | O_DIRECTORY | O_CLOEXEC);
        /* In a container that may load no profiles, or has nothing to make them with, the profile of that
         * container is ours, too. */
        if ((kernel < 0 || access(APPARMOR_PARSER, X_OK) < 0) && is_inside())
                return 0;
        missing = what_is_missing(kernel);
        if (missing) {
                r = incomplete(failure, plan, missing);
                if (r < 0 || kernel < 0 || access(APPARMOR_PARSER, X_OK) < 0)
                        return r;
        }

        words = apparmor_words(plan, kernel, ABI);
        r = apparmor_profile_provide(failure, plan, kernel, words, &profile);
        if (r < 0)
                return r;
        if (!(words & APPARMOR_NAMESPACES)) {
                *ret_label = TAKE_PTR(profile);
                return 0;
        }

        r = namespace_make(failure, plan, kernel, &name);
        if (r < 0)
                return r;
        *ret_label = string_printf("%s" AND ":%s:" APPARMOR_UNCONFINED, profile, name);
        return *ret_label ? 0 : -ENOMEM;
}

static int apparmor_prepare(Failure *failure, const LaunchPlan *plan, char **ret_label) {
        const Definition *definition = plan->definition;
        const char *name = definition->apparmor ?: APPARMOR_GENERATED;
        bool usual = streq(name, APPARMOR_GENERATED) && !definition->apparmor_rules;

        if (streq(name, APPARMOR_UNCHANGED))
                return 0;
        if (!is_on()) {
                /* What everybody gets by default is not there where it cannot be; what somebody asks for has
                 * to be. */
                if (usual || streq(name, APPARMOR_UNCONFINED))
                        return 0;
                return incomplete(failure, plan, "the host's kernel has no AppArmor, or it is switched off");
        }
        if (streq(name, APPARMOR_GENERATED))
                return generate(failure, plan, ret_label);

        *ret_label = strdup(name);
        return *ret_label ? 0 : -ENOMEM;
}

/* Is PART, of SIZE bytes, one of the profiles of a label? */
static bool label_has(const char *label, size_t label_size, const char *part, size_t size) {
        for (const char *p = label, *end = label + label_size; p < end;) {
                const char *and = memmem(p, (size_t) (end - p), AND, strlen(AND));
                const char *stop = and?: end;

                if ((size_t) (stop - p) == size && memcmp(p, part, size) == 0)
                        return true;
                p = and? and+strlen(AND) : end;
        }

        return false;
}

/* What is there besides only restricts: the kernel intersects. The mode follows in parentheses, unless it is
 * unconfined. */
static bool apparmor_holds(const char *label, const char *current) {
        const char *mode = strrchr(current, '(');
        size_t size = strlen(current);

        if (mode && mode > current && mode[-1] == ' ')
                size = (size_t) (mode - current) - 1;
        if (mode && string_after_prefix(label, APPARMOR_PREFIX) && streq(mode, "(complain)"))
                return false;

        for (const char *part = label; *part;) {
                const char *and = strstr(part, AND);
                size_t part_size = and? (size_t) (and-part) : strlen(part);

                if (!label_has(current, size, part, part_size))
                        return false;
                part += part_size + (and? strlen(AND) : 0);
        }

        return true;
}

/* The kernel asks for CAP_MAC_ADMIN in a user namespace that is as deep as the policy namespace. */
static bool apparmor_loads(const LaunchPlan *plan, const char *label) {
        return plan->definition->user_namespace && strstr(label, AND ":") &&
               (definition_capabilities(plan->definition) & CAPABILITY_BIT(CAP_MAC_ADMIN));
}

const LsmModule lsm_apparmor = {
        .name = "AppArmor",
        .prepare = apparmor_prepare,
        .exec_paths = exec_paths,
        .current_paths = current_paths,
        .exec_prefix = "exec ",
        .holds = apparmor_holds,
        .loads = apparmor_loads,
};
