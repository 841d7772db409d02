/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: what a process of the container is allowed.
 */
#include "ctl/security/judge.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "spec/hook.h"
#include "spec/seccomp.h"

#define SYSTEM_IDS 65536 /* below them are the ids of the host's own users and services */

/* What the kernel says, or else the definition. */
static Answer known_best(Answer kernel, const Definition *definition, bool configured, Source *ret_source) {
        *ret_source = kernel != ANSWER_UNKNOWN ? SOURCE_KERNEL : SOURCE_DEFINITION;
        if (kernel != ANSWER_UNKNOWN)
                return kernel;
        if (!definition)
                return ANSWER_UNKNOWN;

        return configured ? ANSWER_YES : ANSWER_NO;
}

static Answer user_by_kernel(const View *view) {
        if (view->own[VIEW_USER] != ANSWER_UNKNOWN)
                return view->own[VIEW_USER];
        if (!view->has_uids)
                return ANSWER_UNKNOWN;

        return id_lines_are_identity(&view->uids) ? ANSWER_NO : ANSWER_YES;
}

Severity judge_severity(const Judge *judge, Severity with, Severity without) {
        return judge->own_user == ANSWER_NO ? without : with;
}

void judge_user(const Judge *judge) {
        Report *report = judge->report;

        switch (judge->own_user) {
        case ANSWER_YES:
                report_row(report, "user-namespace", judge->own_user_source, RATING_FINE, "its own");
                break;
        case ANSWER_NO:
                report_row(report, "user-namespace", judge->own_user_source, RATING_WEAK, "the host's");
                report_find(report, "user-namespace", SEVERITY_HIGH, "Identity", "UserNamespace",
                            "root inside is root on the host, held by what follows alone; restrictions of "
                            "mounts are not "
                            "locked, and root inside can lift them");
                break;
        case ANSWER_UNKNOWN:
                report_row(report, "user-namespace", SOURCE_KERNEL, RATING_UNKNOWN, "not shown to you");
                break;
        }
}

/* "0-65535 are 524288-589823" for each range. NULL: out of memory. */
static char *describe_ids(const IdLines *map) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return NULL;
        for (size_t i = 0; i < map->n; i++) {
                const IdLine *line = map->lines + i;

                fprintf(stream, "%s%u-%u are %u-%u", i > 0 ? ", " : "", line->inside,
                        line->inside + (line->count - 1), line->outside, line->outside + (line->count - 1));
        }
        if (fclose(stream) != 0) {
                free(text);
                return NULL;
        }

        return text;
}

static Severity rate_outside(uint32_t outside) {
        return outside == 0 ? SEVERITY_HIGH : outside < SYSTEM_IDS ? SEVERITY_MEDIUM : SEVERITY_NONE;
}

static void find_ids(const Judge *judge, const char *kind, Severity severity) {
        if (severity == SEVERITY_HIGH)
                report_find(judge->report, "ids", severity, "Identity", "IDMap",
                            "somebody inside has the %s id of the host's root, and with it root's files",
                            kind);
        else if (severity != SEVERITY_NONE)
                report_find(judge->report, "ids", severity, "Identity", "IDMap",
                            "somebody inside has %s ids of the host below %d, where users and services have "
                            "theirs",
                            kind, SYSTEM_IDS);
}

static void judge_id_lines(const Judge *judge, const char *kind, const IdLines *map) {
        _cleanup_free_ char *text = describe_ids(map);
        Severity worst = SEVERITY_NONE;

        if (!text) {
                judge->report->error = -ENOMEM;
                return;
        }
        for (size_t i = 0; i < map->n; i++)
                if (rate_outside(map->lines[i].outside) > worst)
                        worst = rate_outside(map->lines[i].outside);
        report_row(judge->report, "ids", SOURCE_KERNEL, worst == SEVERITY_NONE ? RATING_FINE : RATING_WEAK,
                   "%s %s", kind, text);
        find_ids(judge, kind, worst);
}

static void judge_configured_ids(const Judge *judge) {
        const Definition *definition = judge->definition;
        Severity worst = SEVERITY_NONE;
        uint64_t count = 0;

        for (size_t i = 0; i < definition->n_id_ranges; i++) {
                count += definition->id_ranges[i].count;
                if (rate_outside(definition->id_ranges[i].outside) > worst)
                        worst = rate_outside(definition->id_ranges[i].outside);
        }
        if (definition->n_id_ranges == 0)
                report_row(judge->report, "ids", SOURCE_DEFINITION, RATING_FINE, "from a free range");
        else
                report_row(judge->report, "ids", SOURCE_DEFINITION,
                           worst == SEVERITY_NONE ? RATING_FINE : RATING_WEAK, "%zu ranges, %llu ids",
                           definition->n_id_ranges, (unsigned long long) count);
        find_ids(judge, "user or group", worst);
}

void judge_ids(const Judge *judge) {
        const View *view = judge->view;

        if (judge->own_user == ANSWER_NO)
                return;
        if (view->has_uids)
                judge_id_lines(judge, "user", &view->uids);
        if (view->has_gids)
                judge_id_lines(judge, "group", &view->gids);
        if (!view->has_uids && !view->has_gids && judge->definition)
                judge_configured_ids(judge);
}

/* A namespace that is the host's, and what that gives away. */
static void find_shared(const Judge *judge, ViewNamespace which) {
        static const struct {
                Severity severity;
                const char *text;
        } consequences[_VIEW_NAMESPACE_N] = {
                [VIEW_CGROUP] = {SEVERITY_MEDIUM,
                                 "it sees where in the host's control groups everything is"                      },
                [VIEW_IPC] = { SEVERITY_MEDIUM, "it shares the host's message queues and shared memory"       },
                [VIEW_MOUNT] = { SEVERITY_HIGH,   "it mounts on the host"                                       },
                [VIEW_NETWORK] = { SEVERITY_MEDIUM, "it reaches what listens on the host's addresses and in "
                                                    "its abstract sockets, and takes "
                                                    "its ports"},
                [VIEW_PID] = { SEVERITY_HIGH,   "it sees the host's processes"                                },
                [VIEW_UTS] = { SEVERITY_LOW,    "it has the host's name"                                      },
        };

        if (consequences[which].text)
                report_find(judge->report, "namespaces", consequences[which].severity, "Namespaces", "Share",
                            "%s is the host's: %s", view_namespace_names[which], consequences[which].text);
}

static Answer namespace_answer(const Judge *judge, ViewNamespace which, Source *ret_source) {
        static const unsigned flags[_VIEW_NAMESPACE_N] = {
                [VIEW_CGROUP] = NAMESPACE_CGROUP, [VIEW_IPC] = NAMESPACE_IPC, [VIEW_NETWORK] = NAMESPACE_NET,
                [VIEW_TIME] = NAMESPACE_TIME,     [VIEW_UTS] = NAMESPACE_UTS,
        };
        bool configured = judge->definition &&
                          (!flags[which] || (judge->definition->namespaces & flags[which]));

        return known_best(judge->view->own[which], judge->definition, configured, ret_source);
}

void judge_namespaces(const Judge *judge) {
        _cleanup_free_ char *own = NULL, *shared = NULL;
        Source source = SOURCE_KERNEL;
        bool unknown = false, weak = false;

        for (ViewNamespace i = 0; i < _VIEW_NAMESPACE_N; i++) {
                Source one;
                Answer answer;
                char **list, *longer;

                if (i == VIEW_USER)
                        continue;
                answer = namespace_answer(judge, i, &one);
                source = one == SOURCE_DEFINITION ? one : source;
                unknown = unknown || answer == ANSWER_UNKNOWN;
                list = answer == ANSWER_NO ? &shared : &own;
                longer = string_printf("%s%s%s", *list ?: "", *list ? " " : "", view_namespace_names[i]);
                if (!longer) {
                        judge->report->error = -ENOMEM;
                        return;
                }
                free(*list);
                *list = longer;
                if (answer != ANSWER_NO)
                        continue;
                /* Time is shared by default: the clocks are the same. */
                weak = weak || i != VIEW_TIME;
                find_shared(judge, i);
        }

        if (unknown)
                report_row(judge->report, "namespaces", SOURCE_KERNEL, RATING_UNKNOWN, "not shown to you");
        else
                report_row(judge->report, "namespaces", source, weak ? RATING_WEAK : RATING_FINE,
                           "its own: %s%s%s", own ?: "none", shared ? "; the host's: " : "", shared ?: "");
}

/* What of the definition makes the filter another one. */
static void judge_seccomp_keys(const Judge *judge) {
        const Definition *definition = judge->definition;
        const char *name = definition_seccomp(definition);

        if (name && !streq(name, SECCOMP_DEFAULT) && !streq(name, "strict"))
                report_find(judge->report, "seccomp", SEVERITY_LOW, "Security", "Seccomp",
                            "the profile %s is none of those that are known to allow no more than the "
                            "default",
                            name);
        else if (judge->view->seccomp_profile)
                report_find(judge->report, "seccomp", SEVERITY_LOW, NULL, NULL,
                            "the profile %s is made of %s, which may allow more than what berth has of that "
                            "name",
                            name, judge->view->seccomp_profile);
        for (char *const *line = definition->seccomp_rules; line && *line; line++)
                if (!string_after_prefix(*line, "errno ") && !string_after_prefix(*line, "kill ")) {
                        report_find(judge->report, "seccomp", SEVERITY_LOW, "Security", "SeccompRules",
                                    "a rule may allow more than the default: %s", *line);
                        break;
                }
        if (definition->seccomp_notify)
                report_find(judge->report, "seccomp", SEVERITY_LOW, "Security", "SeccompNotify",
                            "who serves %s decides about system calls and may make them for the container",
                            definition->seccomp_notify);
}

/* By what the launcher noted; else by the kernel, which counts also what process 1 has put on itself. */
static Answer filter_answer(const View *view) {
        if (view->status.seccomp == SECCOMP_MODE_DISABLED || streq_null(view->filter, SECCOMP_OFF))
                return ANSWER_NO;

        return view->filter || view->status.seccomp >= 0 ? ANSWER_YES : ANSWER_UNKNOWN;
}

static char *describe_filter(const Judge *judge, bool other) {
        const View *view = judge->view;
        const char *profile = judge->definition && !other ? definition_seccomp(judge->definition) : NULL;
        const char *program = view->filter ?: view->program;

        return string_printf(
                        "%s%s%s%s%s%s", view->running ? "calls are filtered" : "calls will be filtered",
                        profile ? ", profile " : "", profile ?: "", program ? ", program " : "",
                        program ?: "",
                        other ? ", which is not that of the definition as it is now"
                        : view->program_kept == ANSWER_NO && !view->running ? " (not made yet)"
                                                                            : "");
}

void judge_seccomp(const Judge *judge) {
        const Definition *definition = judge->definition;
        const View *view = judge->view;
        bool other = view->filter && definition &&
                     (view->program ? !streq(view->program, view->filter) : !definition_seccomp(definition));
        Source source;
        Answer on =
                        known_best(filter_answer(view), definition,
                                   definition && definition_seccomp(definition), &source);
        size_t before = judge->report->n_findings;
        _cleanup_free_ char *text = NULL;

        if (on == ANSWER_UNKNOWN) {
                report_row(judge->report, "seccomp", SOURCE_KERNEL, RATING_UNKNOWN, "not told");
                return;
        }
        if (on == ANSWER_NO) {
                report_row(judge->report, "seccomp", source, RATING_WEAK, "no filter");
                report_find(judge->report, "seccomp", SEVERITY_HIGH, "Security", "Seccomp",
                            "every system call of the kernel can be made");
                return;
        }

        if (definition)
                judge_seccomp_keys(judge);
        text = describe_filter(judge, other);
        if (!text)
                judge->report->error = -ENOMEM;
        else
                report_row(judge->report, "seccomp", source,
                           judge->report->n_findings > before ? RATING_WEAK
                           : other                            ? RATING_UNKNOWN
                                                              : RATING_FINE,
                           "%s", text);
}

void judge_privileges(const Judge *judge) {
        bool configured = judge->definition && judge->definition->no_new_privileges;
        int set = judge->view->status.no_new_privileges;

        if (!judge->view->running) {
                report_row(judge->report, "no-new-privileges", SOURCE_DEFINITION, RATING_PLAIN, "%s",
                           configured ? "yes" : "no");
                return;
        }
        if (set < 0)
                return;
        /* Nobody can take it back: it was never there. */
        report_row(judge->report, "no-new-privileges", SOURCE_KERNEL,
                   configured && set == 0 ? RATING_WEAK : RATING_PLAIN, "%s", set > 0 ? "yes" : "no");
        if (configured && set == 0)
                report_find(judge->report, "no-new-privileges", SEVERITY_LOW, NULL, NULL,
                            "the definition says NoNewPrivileges=yes, and process 1 was started without it");
}

/* The kernel shows a process's session keyring to nobody else. */
void judge_keyring(const Judge *judge) {
        if (!judge->definition || judge->definition->keyring == KEYRING_PRIVATE) {
                report_row(judge->report, "keyring", SOURCE_DEFINITION,
                           judge->definition ? RATING_FINE : RATING_UNKNOWN, "%s",
                           judge->definition ? "a session keyring of its own" : "not shown to anybody");
                return;
        }
        report_row(judge->report, "keyring", SOURCE_DEFINITION, RATING_WEAK, "that of its unit");
        report_find(judge->report, "keyring", judge_severity(judge, SEVERITY_LOW, SEVERITY_MEDIUM),
                    "Security", "Keyring", "it can use the keys that systemd gave to the unit");
}

void judge_nesting(const Judge *judge) {
        if (!judge->definition)
                return;
        if (!judge->definition->nesting) {
                report_row(judge->report, "nesting", SOURCE_DEFINITION, RATING_FINE, "no");
                return;
        }
        report_row(judge->report, "nesting", SOURCE_DEFINITION, RATING_WEAK, "yes");
        report_find(judge->report, "nesting", judge_severity(judge, SEVERITY_MEDIUM, SEVERITY_HIGH),
                    "Security", "Nesting",
                    "more of the kernel is within reach, for containers in the container");
}

/* They are no part of the container: what is told is that there are some. */
static void judge_hooks(const Judge *judge) {
        const Definition *definition = judge->definition;

        for (HookKind i = 0; definition && i < _HOOK_N; i++)
                for (size_t j = 0; j < definition->hooks[i].n; j++)
                        report_row(judge->report, "hooks", SOURCE_DEFINITION, RATING_PLAIN, "%s=%s",
                                   hook_key(i), definition->hooks[i].commands[j][0]);
}

/* The defaults are those of a container that has the same namespaces. */
static int find_usual(Judge *judge) {
        Source source;

        judge->usual = definition_new("usual");
        if (!judge->usual)
                return -ENOMEM;
        judge->usual->user_namespace = judge->own_user != ANSWER_NO;
        if (namespace_answer(judge, VIEW_NETWORK, &source) == ANSWER_NO)
                judge->usual->namespaces &= ~(unsigned) NAMESPACE_NET;

        return 0;
}

int judge(const View *view, Report *ret) {
        static void (*const layers[])(const Judge *) = {
                judge_user,         judge_ids,     judge_namespaces,  judge_seccomp, judge_privileges,
                judge_capabilities, judge_label,   judge_keyring,     judge_proc,    judge_sys,
                judge_mounts,       judge_devices, judge_descriptors, judge_cgroup,  judge_limits,
                judge_nesting,      judge_hooks,
        };
        Judge judge = { .view = view, .definition = view->definition, .report = ret };
        int r;

        *ret = (Report){ .definition = view->definition };
        judge.own_user = known_best(
                        user_by_kernel(view), judge.definition,
                        judge.definition && judge.definition->user_namespace, &judge.own_user_source);
        r = find_usual(&judge);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(layers); i++)
                layers[i](&judge);
        (void) definition_free(judge.usual);

        return 0;
}
