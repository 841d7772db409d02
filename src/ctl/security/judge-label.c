/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: labels of security modules. Only AppArmor's are understood; a host without such a
 * module is confined by the other layers.
 */
#include <errno.h>
#include <string.h>

#include "basic/string.h"
#include "ctl/security/judge.h"
#include "spec/lsm.h"

#define COMPLAIN "complain"

static Severity severity(const Judge *judge) {
        return judge_severity(judge, SEVERITY_MEDIUM, SEVERITY_HIGH);
}

static void find_rules(const Judge *judge) {
        if (judge->definition && judge->definition->apparmor_rules)
                report_find(judge->report, "label", SEVERITY_LOW, "Security", "AppArmorRules",
                            "a rule may allow more than the generated profile: %s",
                            judge->definition->apparmor_rules[0]);
}

static void find_profile(const Judge *judge, const char *name) {
        report_find(judge->report, "label", SEVERITY_LOW, "Security", "AppArmor",
                    "the profile %s is none of those that are known to allow no more than the default",
                    name);
}

/* Of a generated profile. */
static void find_part(const Judge *judge) {
        if (judge->view->apparmor_part)
                report_find(judge->report, "label", SEVERITY_LOW, NULL, NULL,
                            "%s is a part of generated profiles, and may allow more than those of berth",
                            judge->view->apparmor_part);
}

static void find_unconfined(const Judge *judge) {
        report_find(judge->report, "label", severity(judge), "Security", "AppArmor",
                    "AppArmor confines it by nothing");
}

static void judge_configured(const Judge *judge) {
        const char *name = judge->definition ? judge->definition->apparmor ?: APPARMOR_GENERATED : NULL;
        size_t before = judge->report->n_findings;

        if (!name)
                return;
        if (streq(name, APPARMOR_UNCONFINED) || streq(name, APPARMOR_UNCHANGED))
                find_unconfined(judge);
        else if (!streq(name, APPARMOR_GENERATED))
                find_profile(judge, name);
        else
                find_part(judge);
        find_rules(judge);
        report_row(judge->report, "label", SOURCE_DEFINITION,
                   judge->report->n_findings > before ? RATING_WEAK : RATING_FINE,
                   "AppArmor, where the host has it: %s", name);
}

/* SELinux has contexts of at least three parts, and no mode behind them. */
static bool is_context(const char *name, const char *mode) {
        const char *colon = strchr(name, ':');

        return !mode && colon && colon != name && strchr(colon + 1, ':');
}

static void judge_running(const Judge *judge, const char *name, const char *mode) {
        size_t before = judge->report->n_findings;

        if (is_context(name, mode)) {
                report_row(judge->report, "label", SOURCE_KERNEL, RATING_PLAIN, "%s", name);
                return;
        }

        if (streq(name, APPARMOR_UNCONFINED))
                find_unconfined(judge);
        else if (mode && streq(mode, COMPLAIN))
                report_find(judge->report, "label", severity(judge), NULL, NULL,
                            "the profile %s is in complain mode: what it does not allow is logged, and done",
                            name);
        else if (!label_is_generated(name))
                find_profile(judge, name);
        else
                find_part(judge);
        find_rules(judge);
        report_row(judge->report, "label", SOURCE_KERNEL,
                   judge->report->n_findings > before ? RATING_WEAK : RATING_FINE, "%s%s%s", name,
                   mode ? ", " : "", mode ?: "");
}

void judge_label(const Judge *judge) {
        _cleanup_free_ char *copy = NULL;
        const char *name, *mode;

        if (!judge->view->running) {
                judge_configured(judge);
                return;
        }
        if (!judge->view->label) {
                report_row(judge->report, "label", SOURCE_KERNEL, RATING_PLAIN,
                           "none: no security module gives one here");
                return;
        }
        copy = strdup(judge->view->label);
        if (!copy) {
                judge->report->error = -ENOMEM;
                return;
        }
        label_split(copy, &name, &mode);
        judge_running(judge, name, mode);
}
