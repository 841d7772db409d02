/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: mounts, descriptors, the control group and its limits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/format.h"
#include "ctl/security/judge.h"
#include "spec/key.h"
#include "spec/limits.h"

#define PAYLOAD "/payload"

static void judge_locks(const Judge *judge) {
        bool user = judge->own_user == ANSWER_YES;

        if (judge->own_user == ANSWER_UNKNOWN)
                return;
        if (!judge->view->running || judge->view->mounts_locked == ANSWER_UNKNOWN)
                report_row(judge->report, "mount-locks", judge->own_user_source,
                           user ? RATING_FINE : RATING_WEAK, "%s",
                           user ? "restrictions are locked, with the user namespace"
                                : "restrictions can be lifted by root inside");
        else if (judge->view->mounts_locked == ANSWER_YES)
                report_row(judge->report, "mount-locks", SOURCE_KERNEL, RATING_FINE,
                           "restrictions are locked");
        else {
                report_row(judge->report, "mount-locks", SOURCE_KERNEL, RATING_WEAK,
                           "restrictions can be lifted by root inside");
                if (user)
                        report_find(judge->report, "mount-locks", SEVERITY_HIGH, NULL, NULL,
                                    "the mount namespace is none of the container's user namespace");
        }
}

/* Files of the host that are shown with owners that somebody inside can be. Others can be changed by whoever
 * may change them on the host. */
static bool is_weak_mount(const Judge *judge, const MountSpec *mount) {
        return !mount->read_only && (mount->idmap || judge->own_user == ANSWER_NO) &&
               !definition_descriptor(mount->source);
}

static void judge_host_files(const Judge *judge, size_t i) {
        const Definition *definition = judge->definition;
        const MountSpec *mount = definition->mounts + i;
        bool weak;

        if (mount->type != MOUNT_BIND)
                return;
        weak = is_weak_mount(judge, mount);
        report_row(judge->report, "host-files", SOURCE_DEFINITION, weak ? RATING_WEAK : RATING_PLAIN,
                   "%s on %s, %s%s%s%s", mount->source, mount->target,
                   mount->read_only ? "read-only" : "writable",
                   mount->flags & MOUNT_FLAG_NOSUID ? ", nosuid" : "",
                   mount->flags & MOUNT_FLAG_NODEV ? ", nodev" : "",
                   mount->idmap ? ", its owners' ids" : "");
        if (!weak)
                return;
        report_find(judge->report, "host-files", judge_severity(judge, SEVERITY_MEDIUM, SEVERITY_HIGH), NULL,
                    NULL, "what the host has in %s can be changed, by root inside as by root outside",
                    mount->source);
        report_blame(judge->report, SECTION_MOUNT, "Source",
                     definition_entry_origin(definition, SECTION_MOUNT, i, "Source"));
}

void judge_mounts(const Judge *judge) {
        const Definition *definition = judge->definition;
        const View *view = judge->view;
        size_t nosuid = 0, nodev = 0;

        judge_locks(judge);
        for (size_t i = 0; i < view->mounts.n; i++) {
                nosuid += mount_line_has_option(view->mounts.lines + i, "nosuid");
                nodev += mount_line_has_option(view->mounts.lines + i, "nodev");
        }
        if (view->has_mounts)
                report_row(judge->report, "mounts", SOURCE_KERNEL, RATING_PLAIN,
                           "%zu, of which %zu nosuid, %zu nodev", view->mounts.n, nosuid, nodev);

        for (size_t i = 0; definition && i < definition->n_mounts; i++)
                judge_host_files(judge, i);
}

void judge_descriptors(const Judge *judge) {
        const View *view = judge->view;
        size_t host = 0;

        if (!view->running)
                return;
        if (!view->has_descriptors) {
                report_row(judge->report, "descriptors", SOURCE_KERNEL, RATING_UNKNOWN, "not shown to you");
                return;
        }
        for (size_t i = 0; i < view->n_strays; i++) {
                const StrayDescriptor *stray = view->strays + i;

                host += stray->of_host;
                if (stray->of_host)
                        report_find(judge->report, "descriptors", SEVERITY_HIGH, NULL, NULL,
                                    "descriptor %u of process 1 is a file of the host: %s", stray->number,
                                    stray->path);
        }
        report_row(judge->report, "descriptors", SOURCE_KERNEL, host > 0 ? RATING_WEAK : RATING_FINE,
                   "%zu, of which %zu lead to files of the host", view->n_descriptors, host);
}

void judge_cgroup(const Judge *judge) {
        const View *view = judge->view;
        bool below;

        if (!view->running)
                return;
        if (!view->cgroup) {
                report_row(judge->report, "cgroup", SOURCE_KERNEL, RATING_UNKNOWN, "not told");
                return;
        }
        below = strstr(view->cgroup, PAYLOAD "/") || string_ends_with(view->cgroup, PAYLOAD);
        report_row(judge->report, "cgroup", SOURCE_KERNEL, below ? RATING_FINE : RATING_WEAK, "%s",
                   view->cgroup);
        if (!below)
                report_find(judge->report, "cgroup", SEVERITY_MEDIUM, NULL, NULL,
                            "process 1 is not in the part of its unit's control group that is the "
                            "container's: %s",
                            view->cgroup);
}

/* Of one that does not run, systemd may not have read the definition as it is now. */
static uint64_t find_tasks_max(const Judge *judge, Source *ret_source) {
        const Definition *definition = judge->definition;
        uint64_t number;

        *ret_source = SOURCE_SYSTEMD;
        for (size_t i = 0; !judge->view->running && definition && i < definition->n_properties; i++) {
                const ResourceProperty *property = definition->properties + i;

                if (!streq(property->name, "TasksMax"))
                        continue;
                *ret_source = SOURCE_DEFINITION;
                if (streq(property->value, "infinity"))
                        return UINT64_MAX;
                if (parse_u64(property->value, &number) >= 0)
                        return number;
        }

        return judge->view->unit.tasks_max;
}

void judge_limits(const Judge *judge) {
        const UnitView *unit = &judge->view->unit;
        char buffer[FORMAT_SIZE];
        Source source;
        uint64_t tasks = find_tasks_max(judge, &source);
        bool more = tasks > TASKS_MAX_DEFAULT;

        if (!unit->seen && source == SOURCE_SYSTEMD)
                return;
        if (tasks == UINT64_MAX)
                report_row(judge->report, "tasks-limit", source, RATING_WEAK, "none");
        else
                report_row(judge->report, "tasks-limit", source, more ? RATING_WEAK : RATING_FINE,
                           "%" PRIu64, tasks);
        if (more)
                report_find(judge->report, "tasks-limit",
                            tasks == UINT64_MAX ? SEVERITY_MEDIUM : SEVERITY_LOW, "Resources", "TasksMax",
                            "it can take more of the host's process ids than the default of %d",
                            TASKS_MAX_DEFAULT);
        if (judge->view->running)
                report_row(judge->report, "memory-limit", SOURCE_SYSTEMD, RATING_PLAIN, "%s",
                           unit->memory_max == UINT64_MAX ? "none" : format_bytes(unit->memory_max, buffer));
}
