/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/stop/hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>

#include "basic/cleanup.h"
#include "basic/notify.h"
#include "basic/string.h"
#include "helper/hooks/run.h"
#include "helper/launch/guest.h"
#include "helper/launch/subject.h"
#include "helper/unit/cgroup.h"
#include "helper/unit/journal.h"
#include "spec/hook.h"
#include "spec/name.h"

#define STOP_TIMEOUT_USEC (UINT64_C(30) * 1000000) /* for systemd to go on afterwards */

typedef enum HooksNote {
        HOOKS_NONE = 0, /* none, or the start did not come so far */
        HOOKS_WAIT = '1',
        HOOKS_OVER = '2',
} HooksNote;

static HooksNote note_read(void) {
        _cleanup_free_ char *launch = NULL;
        char text[2] = "";

        if (cgroup_launch_path(&launch) < 0 || getxattr(launch, GUEST_HOOKS_ATTRIBUTE, text, 1) != 1)
                return HOOKS_NONE;

        return text[0] == HOOKS_WAIT || text[0] == HOOKS_OVER ? (HooksNote) text[0] : HOOKS_NONE;
}

static void note_over(void) {
        _cleanup_free_ char *launch = NULL;

        if (cgroup_launch_path(&launch) >= 0)
                (void) setxattr(launch, GUEST_HOOKS_ATTRIBUTE, "2", 1, 0);
}

static void warn(const char *name, const char *text) {
        char escaped[1536];

        (void) string_escape_to(text, escaped, sizeof escaped);
        journal_print(LOG_WARNING, UNIT_DEFINED, name, escaped);
}

/* One hook; the others are run whatever becomes of it. */
static void
run_one(const HookFacts *facts, HookKind kind, size_t i, const HookPlace *place, const Notify *notify) {
        const char *program = facts->definition->hooks[kind].commands[i][0];
        char cause[HOOK_CAUSE_SIZE], text[1280];
        int r;

        (void) snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%" PRIu64,
                        facts->definition->hook_timeout_usec + STOP_TIMEOUT_USEC);
        (void) notify_send(notify, text);

        r = hook_run(facts, kind, i, place, cause);
        if (r >= 0)
                return;

        (void) snprintf(text, sizeof text, "The hook %s=%.500s of container %s failed: %s", hook_key(kind),
                        program, facts->definition->name, cause[0] ? cause : strerror(-r));
        warn(facts->definition->name, text);
}

static int run_kind(const HookFacts *facts, HookKind kind, const Notify *notify) {
        _cleanup_close_ int unit = -EBADF;
        int r;

        r = cgroup_open_unit(&unit);
        if (r < 0)
                return r;

        for (size_t i = 0; i < facts->definition->hooks[kind].n; i++)
                run_one(facts, kind, i, &(HookPlace){ .unit = unit, .mounts = -EBADF }, notify);

        return 0;
}

/* What is not over then is in the way of the next hook, which tells it. */
static void settle(void) {
        _cleanup_close_ int unit = -EBADF;

        if (cgroup_open_unit(&unit) >= 0)
                (void) cgroup_settle(unit);
}

/* The definition as it is now, judged as at a start: it may have changed since. */
static int load(const char *name, Definition **ret) {
        Failure failure = {};
        char text[1280];
        int r;

        r = subject_load(&failure, name, ret);
        if (r < 0) {
                (void) snprintf(text, sizeof text, "The hooks of the end of container %s are not run: %s",
                                name, failure.cause[0] ? failure.cause : strerror(-r));
                warn(name, text);
        }

        return r;
}

bool stop_hooks_wait(void) {
        return note_read() == HOOKS_WAIT;
}

void stop_hooks_run(const char *name, const HookNamespaces *found) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(notify_done) Notify notify = NOTIFY_NULL;
        char root[HOOK_ROOT_SIZE];
        HookFacts facts = { .kind = UNIT_DEFINED, .target = "stop", .namespaces = found };

        note_over();
        if (notify_init(&notify) < 0 || load(name, &definition) < 0)
                return;

        facts.definition = definition;
        facts.root = hook_root_path(definition, root);
        if (run_kind(&facts, HOOK_STOP, &notify) < 0)
                warn(name, "The unit's cgroup cannot be opened, and hooks of Stop= are not run");
}

int post_stop(const char *name) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(notify_done) Notify notify = NOTIFY_NULL;
        HooksNote note = note_read();
        char root[HOOK_ROOT_SIZE];
        HookFacts facts = {
                .kind = UNIT_DEFINED,
                .target = "stop",
                .result = getenv("SERVICE_RESULT"),
                .exit_code = getenv("EXIT_CODE"),
                .exit_status = getenv("EXIT_STATUS"),
        };
        int r;

        if (!container_name_is_valid(name)) {
                (void) fprintf(stderr, "berth-helper: this is no container's name\n");
                return 2;
        }

        /* reboot(2) ends a container's process 1 with SIGHUP, and systemd starts the unit again, unless it
         * was asked to stop it. */
        if (note != HOOKS_OVER && streq_null(facts.exit_code, "killed") &&
            streq_null(facts.exit_status, "HUP"))
                facts.target = "reboot";

        r = notify_init(&notify);
        if (r == 0)
                r = load(name, &definition);
        if (r < 0)
                return EXIT_SUCCESS;

        facts.definition = definition;
        facts.root = hook_root_path(definition, root);
        settle();
        if (note == HOOKS_WAIT) {
                note_over();
                r = run_kind(&facts, HOOK_STOP, &notify);
        }
        if (r == 0)
                r = run_kind(&facts, HOOK_POST_STOP, &notify);
        if (r < 0)
                warn(name, "The unit's cgroup cannot be opened, and hooks of its end are not run");

        return EXIT_SUCCESS;
}
