/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: which devices the unit lets a container open, and which nodes it has of them.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "basic/string.h"
#include "ctl/security/judge.h"
#include "spec/devices.h"
#include "spec/origin.h"

#define MAJOR_MEMORY 1

/* What one DeviceAllow= is about. */
typedef struct Allowed {
        const char *node, *access;
        bool block;
        bool numbered; /* one device, not a class of them */
        dev_t number;
} Allowed;

/* As systemd has it: a path, with the number in it where berth wrote it, or a class such as block-loop. */
static Allowed understand(const DeviceRule *rule) {
        Allowed allowed = { .node = rule->node, .access = rule->access };
        const char *block = string_after_prefix(rule->node, "/dev/block/");
        const char *number = block ?: string_after_prefix(rule->node, "/dev/char/");
        unsigned major, minor;
        struct stat st;
        char end;

        allowed.block = block || string_after_prefix(rule->node, "block-");
        if (number && sscanf(number, "%u:%u%c", &major, &minor, &end) == 2) {
                allowed.numbered = true;
                allowed.number = makedev(major, minor);
        } else if (stat(rule->node, &st) >= 0 && (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))) {
                allowed.numbered = true;
                allowed.block = S_ISBLK(st.st_mode);
                allowed.number = st.st_rdev;
        }

        return allowed;
}

/* Who can write it has the host: its disks, or its memory. */
static bool is_raw(const Allowed *allowed) {
        unsigned m = minor(allowed->number);

        if (!strchr(allowed->access, 'w'))
                return false;

        /* mem, kmem, port */
        return allowed->block ||
               (allowed->numbered && major(allowed->number) == MAJOR_MEMORY && (m == 1 || m == 2 || m == 4));
}

static const DeviceNode *find_node(const DeviceNodes *nodes, const Allowed *allowed) {
        for (size_t i = 0; allowed->numbered && i < nodes->n; i++)
                if (nodes->list[i].number == allowed->number &&
                    S_ISBLK(nodes->list[i].type) == allowed->block)
                        return nodes->list + i;

        return NULL;
}

static void find_device(const Judge *judge, const Allowed *allowed, const DeviceNode *node) {
        const Definition *definition = judge->definition;
        bool raw = is_raw(allowed);
        Severity severity = judge_severity(judge, SEVERITY_LOW, raw ? SEVERITY_HIGH : SEVERITY_MEDIUM);

        if (!node) {
                report_find(judge->report, "device", severity, NULL, NULL,
                            "DeviceAllow= of the unit lets it open %s (%s) where there is a node of it",
                            allowed->node, allowed->access);
                if (definition && streq(allowed->node, "block-loop"))
                        report_blame(judge->report, "Root", "Image",
                                     definition_origin(definition, "Root", "Image"));
                return;
        }

        report_find(judge->report, "device", raw ? SEVERITY_HIGH : severity, NULL, NULL,
                    "it has the host's %s%s (%s)%s", DEVICE_DIRECTORY, node->name, allowed->access,
                    raw ? ", and with it what is stored there, without any file's permissions" : "");
        report_blame(judge->report, SECTION_DEVICE, "Path",
                     definition_entry_origin(
                                     definition, SECTION_DEVICE, (size_t) (node->spec - definition->devices),
                                     "Path"));
}

static void judge_device(const Judge *judge, Source source, const Allowed *allowed, const DeviceNode *node) {
        if (node)
                report_row(judge->report, "device", source, RATING_WEAK, "%s%s %s", DEVICE_DIRECTORY,
                           node->name, allowed->access);
        else
                report_row(judge->report, "device", source, RATING_WEAK, "%s %s", allowed->node,
                           allowed->access);
        find_device(judge, allowed, node);
}

/* What the start would make of the definition now. */
static void judge_configured(const Judge *judge, const DeviceNodes *nodes) {
        for (size_t i = 0; i < nodes->n; i++) {
                const DeviceNode *node = nodes->list + i;
                unsigned access = node->spec->access;
                const Allowed allowed = {
                        .access = access & DEVICE_WRITE  ? access & DEVICE_READ ? "rwm" : "wm"
                                  : access & DEVICE_READ ? "rm"
                                                         : "m",
                        .block = S_ISBLK(node->type),
                        .numbered = true,
                        .number = node->number,
                };

                judge_device(judge, SOURCE_DEFINITION, &allowed, node);
        }
}

static void judge_programs(const Judge *judge) {
        int n = judge->view->device_programs;

        if (n < 0)
                return;
        report_row(judge->report, "device-programs", SOURCE_KERNEL, n > 0 ? RATING_FINE : RATING_WEAK, "%d",
                   n);
        if (n == 0)
                report_find(judge->report, "device-programs",
                            judge_severity(judge, SEVERITY_LOW, SEVERITY_HIGH), NULL, NULL,
                            "nothing in the kernel enforces the unit's device policy: whoever has a node "
                            "can open it");
}

void judge_devices(const Judge *judge) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = DEVICE_NODES_NULL;
        const UnitView *unit = &judge->view->unit;
        const DeviceSpec *failed;
        bool closed;

        if (judge->definition)
                (void) device_nodes_find(judge->definition, &nodes, &failed);
        if (!unit->seen || !unit->device_policy) {
                report_row(judge->report, "devices", SOURCE_SYSTEMD, RATING_UNKNOWN, "systemd did not tell");
                return;
        }
        closed = streq(unit->device_policy, "closed") || streq(unit->device_policy, "strict");
        report_row(judge->report, "devices", SOURCE_SYSTEMD, closed ? RATING_FINE : RATING_WEAK, "%s",
                   unit->device_policy);
        if (!closed)
                report_find(judge->report, "devices", judge_severity(judge, SEVERITY_MEDIUM, SEVERITY_HIGH),
                            NULL, NULL,
                            "DevicePolicy=%s of the unit: it may open devices besides the harmless ones",
                            unit->device_policy);

        /* Of one that does not run, systemd may not have read the definition as it is now. */
        if (!judge->view->running)
                judge_configured(judge, &nodes);
        for (size_t i = 0; judge->view->running && i < unit->n_devices; i++) {
                Allowed allowed = understand(unit->devices + i);

                judge_device(judge, SOURCE_SYSTEMD, &allowed, find_node(&nodes, &allowed));
        }
        judge_programs(judge);
}
