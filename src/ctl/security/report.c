/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/security/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "basic/array.h"
#include "basic/string.h"

const char *const source_names[_SOURCE_N] = {
        [SOURCE_KERNEL] = "kernel",
        [SOURCE_SYSTEMD] = "systemd",
        [SOURCE_DEFINITION] = "definition",
};

const char *const rating_names[_RATING_N] = {
        [RATING_PLAIN] = "plain",
        [RATING_FINE] = "fine",
        [RATING_WEAK] = "weak",
        [RATING_UNKNOWN] = "unknown",
};

const char *const severity_names[_SEVERITY_N] = {
        [SEVERITY_NONE] = "none",
        [SEVERITY_LOW] = "low",
        [SEVERITY_MEDIUM] = "medium",
        [SEVERITY_HIGH] = "high",
};

void report_clear(Report *report) {
        for (size_t i = 0; i < report->n_rows; i++)
                free(report->rows[i].value);
        free(report->rows);
        for (size_t i = 0; i < report->n_findings; i++) {
                free(report->findings[i].origin);
                free(report->findings[i].text);
        }
        free(report->findings);
        *report = (Report){};
}

void report_row(Report *report, const char *layer, Source source, Rating rating, const char *format, ...) {
        Row row = { .layer = layer, .source = source, .rating = rating };
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&row.value, format, args);
        va_end(args);
        if (r >= 0 && ARRAY_APPEND(report->rows, report->n_rows, row) >= 0)
                return;
        if (r >= 0)
                free(row.value);
        report->error = -ENOMEM;
}

/* False: out of memory. */
static bool finding_blame(Finding *finding, const char *section, const char *key, const Origin *origin) {
        if (!origin)
                return true;
        free(finding->origin);
        finding->section = section;
        finding->key = key;
        finding->origin = string_printf("%s:%u", origin->file, origin->line);

        return finding->origin;
}

void report_blame(Report *report, const char *section, const char *key, const Origin *origin) {
        if (report->n_findings > 0 && report->error == 0 &&
            !finding_blame(report->findings + report->n_findings - 1, section, key, origin))
                report->error = -ENOMEM;
}

void report_find(
                Report *report,
                const char *layer,
                Severity severity,
                const char *section,
                const char *key,
                const char *format,
                ...) {
        const Origin *origin = report->definition && key
                                               ? definition_origin(report->definition, section, key)
                                               : NULL;
        Finding finding = { .layer = layer, .severity = severity };
        va_list args;
        int r;

        va_start(args, format);
        r = vasprintf(&finding.text, format, args);
        va_end(args);
        if (r < 0)
                finding.text = NULL;
        if (r >= 0 && finding_blame(&finding, section, key, origin) &&
            ARRAY_APPEND(report->findings, report->n_findings, finding) >= 0)
                return;

        free(finding.origin);
        free(finding.text);
        report->error = -ENOMEM;
}

Severity report_worst(const Report *report) {
        Severity worst = SEVERITY_NONE;

        for (size_t i = 0; i < report->n_findings; i++)
                if (report->findings[i].severity > worst)
                        worst = report->findings[i].severity;

        return worst;
}

int report_error(const Report *report) {
        return report->error;
}
