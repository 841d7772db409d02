/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: what of /proc and /sys is hidden or read-only. A guest may mount more over it; it
 * cannot take away what a start has mounted, but where nothing is locked.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "basic/string.h"
#include "ctl/security/judge.h"
#include "spec/mask.h"

#define PLACE_SIZE 128
#define NESTING                                                                                             \
        "/run/host/nesting" /* with Nesting=yes, where no path leads: whole ones for the kernel to see */

typedef struct Count {
        unsigned n, all;
} Count;

static bool path_is_below(const char *path, const char *parent) {
        const char *rest = string_after_prefix(path, parent);

        return rest && (!*rest || *rest == '/');
}

static bool is_covered(const MountLines *mounts, const char *place, const char *type) {
        for (size_t i = 0; i < mounts->n; i++)
                if (streq(mounts->lines[i].point, place) && !streq(mounts->lines[i].type, type))
                        return true;

        return false;
}

static bool is_read_only(const MountLines *mounts, const char *place) {
        for (size_t i = 0; i < mounts->n; i++)
                if (streq(mounts->lines[i].point, place) && mount_line_has_option(mounts->lines + i, "ro"))
                        return true;

        return false;
}

static bool is_for_nesting(const Judge *judge, const MountLine *mount) {
        return judge->definition && judge->definition->nesting && path_is_below(mount->point, NESTING);
}

/* Not every kernel has every part. */
static bool is_here(const char *place) {
        struct stat st;

        return lstat(place, &st) >= 0;
}

static void find_open(const Judge *judge, const char *layer, const char *place, const char *how) {
        report_find(judge->report, layer, judge_severity(judge, SEVERITY_LOW, SEVERITY_HIGH), "Security",
                    "UnmaskPaths", "%s %s", place, how);
}

static void
count_hidden(const Judge *judge, const char *layer, const char *type, const MaskPart *parts, Count *count) {
        for (; parts->path; parts++) {
                char place[PLACE_SIZE];
                bool covered;

                (void) snprintf(place, sizeof place, "/%s/%s", layer, parts->path);
                covered = is_covered(&judge->view->mounts, place, type);
                if (!covered && !is_here(place))
                        continue;
                count->all++;
                count->n += covered;
                if (!covered)
                        find_open(judge, layer, place, "is not hidden");
        }
}

static void count_read_only(const Judge *judge, Count *count) {
        const MountLines *mounts = &judge->view->mounts;

        for (const char *const *part = mask_proc_read_only; *part; part++) {
                char place[PLACE_SIZE];
                bool so;

                (void) snprintf(place, sizeof place, "/proc/%s", *part);
                so = is_read_only(mounts, place) || is_covered(mounts, place, "proc");
                if (!so && !is_here(place))
                        continue;
                count->all++;
                count->n += so;
                if (!so)
                        find_open(judge, "proc", place, "can be written to, as far as its files' modes go");
        }
}

/* A part of what is read-only that is mounted once more, writable: 1 for each. The settings of a network of
 * its own are the container's. */
static unsigned count_lifted(const Judge *judge) {
        unsigned n = 0;

        for (size_t i = 0; i < judge->view->mounts.n; i++) {
                const MountLine *mount = judge->view->mounts.lines + i;

                if (!streq(mount->type, "proc") || mount_line_has_option(mount, "ro") ||
                    (path_is_below(mount->root, "/sys/net") && judge->view->own[VIEW_NETWORK] != ANSWER_NO))
                        continue;
                for (const char *const *part = mask_proc_read_only; *part; part++)
                        if (mount->root[0] == '/' && path_is_below(mount->root + 1, *part)) {
                                find_open(judge, "proc", mount->point,
                                          "can be written to, as far as its files' modes go");
                                n++;
                        }
        }

        return n;
}

void judge_proc(const Judge *judge) {
        const Definition *definition = judge->definition;
        Count hides = {}, keeps = {};
        unsigned lifted;

        if (!judge->view->running) {
                bool unmasked = definition && definition->unmask_paths && *definition->unmask_paths;

                report_row(judge->report, "proc", SOURCE_DEFINITION, unmasked ? RATING_WEAK : RATING_FINE,
                           "its own, with what tells of or changes the host hidden or read-only%s",
                           unmasked ? ", but for UnmaskPaths=" : "");
                for (char *const *path = definition ? definition->unmask_paths : NULL; path && *path; path++)
                        find_open(judge, "proc", *path, "is as the kernel has it");
                return;
        }
        if (!judge->view->has_mounts) {
                report_row(judge->report, "proc", SOURCE_KERNEL, RATING_UNKNOWN, "not shown to you");
                return;
        }
        count_hidden(judge, "proc", "proc", mask_proc_hidden, &hides);
        if (judge->own_user == ANSWER_NO)
                count_hidden(judge, "proc", "proc", mask_proc_hidden_from_root, &hides);
        count_read_only(judge, &keeps);
        lifted = count_lifted(judge);
        report_row(judge->report, "proc", SOURCE_KERNEL,
                   hides.n < hides.all || keeps.n < keeps.all || lifted > 0 ? RATING_WEAK : RATING_FINE,
                   "%u of %u files hidden, %u of %u parts read-only, %u writable below them", hides.n,
                   hides.all, keeps.n, keeps.all, lifted);
}

void judge_sys(const Judge *judge) {
        Count hides = {};
        unsigned writable = 0;

        if (!judge->view->running) {
                report_row(judge->report, "sys", SOURCE_DEFINITION, RATING_PLAIN,
                           "read-only but for UnmaskPaths=");
                return;
        }
        if (!judge->view->has_mounts) {
                report_row(judge->report, "sys", SOURCE_KERNEL, RATING_UNKNOWN, "not shown to you");
                return;
        }
        if (judge->own_user == ANSWER_NO)
                count_hidden(judge, "sys", "sysfs", mask_sys_hidden_from_root, &hides);
        for (size_t i = 0; i < judge->view->mounts.n; i++) {
                const MountLine *mount = judge->view->mounts.lines + i;

                if (!streq(mount->type, "sysfs") || mount_line_has_option(mount, "ro") ||
                    is_for_nesting(judge, mount))
                        continue;
                writable++;
                find_open(judge, "sys", mount->point, "can be written to, as far as its files' modes go");
        }
        report_row(judge->report, "sys", SOURCE_KERNEL,
                   writable > 0 || hides.n < hides.all ? RATING_WEAK : RATING_FINE, "%s",
                   writable > 0 ? "writable in parts" : "read-only");
}
