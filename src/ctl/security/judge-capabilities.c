/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See judge.h. Here: the capability sets of process 1.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "basic/capability.h"
#include "ctl/security/judge.h"

static const char *const layers[_CAPABILITY_SET_N] = {
        [SET_INHERITABLE] = "inheritable-capabilities", [SET_PERMITTED] = "permitted-capabilities",
        [SET_EFFECTIVE] = "effective-capabilities",     [SET_BOUNDING] = "bounding-capabilities",
        [SET_AMBIENT] = "ambient-capabilities",
};

/* Their names; a number for one that has none. NULL: out of memory. */
static char *describe_set(uint64_t set) {
        const char *separator = "";
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (!stream)
                return NULL;
        if (set == 0)
                fputs("none", stream);
        for (unsigned i = 0; i < 64; i++) {
                if (!(set & CAPABILITY_BIT(i)))
                        continue;
                if (capability_name(i))
                        fprintf(stream, "%s%s", separator, capability_name(i));
                else
                        fprintf(stream, "%s%u", separator, i);
                separator = " ";
        }
        if (fclose(stream) != 0) {
                free(text);
                return NULL;
        }

        return text;
}

static void row(const Judge *judge, CapabilitySet which, uint64_t set, Source source, Rating rating) {
        _cleanup_free_ char *text = describe_set(set);

        if (text)
                report_row(judge->report, layers[which], source, rating, "%s", text);
        else
                judge->report->error = -ENOMEM;
}

/* True if there are more than usual. */
static bool
find_more(const Judge *judge, CapabilitySet which, uint64_t set, uint64_t usual, const char *key) {
        _cleanup_free_ char *more = describe_set(set & ~usual);

        if (!(set & ~usual))
                return false;
        if (!more) {
                judge->report->error = -ENOMEM;
                return true;
        }
        if (which == SET_BOUNDING)
                report_find(judge->report, layers[which],
                            judge_severity(judge, SEVERITY_MEDIUM, SEVERITY_HIGH), "Security", key,
                            "root inside can have besides the default: %s", more);
        else
                report_find(judge->report, layers[which],
                            judge_severity(judge, SEVERITY_LOW, SEVERITY_MEDIUM), "Security", key,
                            "programs that process 1 runs get them whoever runs them: %s", more);

        return true;
}

static void judge_set(const Judge *judge, CapabilitySet which, uint64_t usual, const char *key) {
        const ProcessStatus *status = &judge->view->status;
        bool more;

        if (!status->has_set[which])
                return;
        more = find_more(judge, which, status->sets[which], usual, key);
        row(judge, which, status->sets[which], SOURCE_KERNEL, more ? RATING_WEAK : RATING_FINE);
}

void judge_capabilities(const Judge *judge) {
        const uint64_t usual = definition_default_capabilities(judge->usual);

        if (judge->view->running) {
                judge_set(judge, SET_BOUNDING, usual, "Capabilities");
                if (judge->view->status.has_set[SET_EFFECTIVE])
                        row(judge, SET_EFFECTIVE, judge->view->status.sets[SET_EFFECTIVE], SOURCE_KERNEL,
                            RATING_PLAIN);
                judge_set(judge, SET_INHERITABLE, 0, "AmbientCapabilities");
                judge_set(judge, SET_AMBIENT, 0, "AmbientCapabilities");
        } else if (judge->definition) {
                uint64_t bounding = definition_capabilities(judge->definition),
                         ambient = judge->definition->ambient;

                row(judge, SET_BOUNDING, bounding, SOURCE_DEFINITION,
                    find_more(judge, SET_BOUNDING, bounding, usual, "Capabilities") ? RATING_WEAK
                                                                                    : RATING_FINE);
                row(judge, SET_AMBIENT, ambient, SOURCE_DEFINITION,
                    find_more(judge, SET_AMBIENT, ambient, 0, "AmbientCapabilities") ? RATING_WEAK
                                                                                     : RATING_FINE);
        }
}
