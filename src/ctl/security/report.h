/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What berthctl security says of one container: a row for each layer of its confinement, with where that is
 * known from, and a finding for each thing that is weaker than by default. Running out of memory while it is
 * filled is remembered and told by report_error().
 */
#pragma once

#include "basic/cleanup.h"
#include "spec/definition.h"

typedef enum Source {
        SOURCE_KERNEL,     /* in effect: the kernel says it */
        SOURCE_SYSTEMD,    /* in effect: of the unit */
        SOURCE_DEFINITION, /* configured; for a container that runs, what the caller was not shown */
        _SOURCE_N,
} Source;

typedef enum Rating {
        RATING_PLAIN,   /* told, and neither good nor bad */
        RATING_FINE,    /* as by default, or stricter */
        RATING_WEAK,    /* weaker than by default: there is a finding */
        RATING_UNKNOWN, /* nobody told */
        _RATING_N,
} Rating;

typedef enum Severity {
        SEVERITY_NONE,
        SEVERITY_LOW,    /* one obstacle less, others stand before the host */
        SEVERITY_MEDIUM, /* more of the kernel or of the host within reach */
        SEVERITY_HIGH,   /* root inside is about root on the host, or one step away */
        _SEVERITY_N,
} Severity;

extern const char *const source_names[_SOURCE_N];
extern const char *const rating_names[_RATING_N];
extern const char *const severity_names[_SEVERITY_N];

typedef struct Row {
        const char *layer; /* static, a word of berthctl(1) */
        Source source;
        Rating rating;
        char *value;
} Row;

typedef struct Finding {
        const char *layer, *section, *key; /* static; the last two are NULL if no key made it so */
        Severity severity;
        char *origin; /* FILE:LINE of the key; NULL if there is none */
        char *text;   /* a sentence without a full stop */
} Finding;

typedef struct Report {
        const Definition *definition; /* for the origins of keys; may be NULL */
        Row *rows;
        size_t n_rows;
        Finding *findings;
        size_t n_findings;
        int error;
} Report;

void report_clear(Report *report);

void report_row(Report *report, const char *layer, Source source, Rating rating, const char *format, ...)
                _printf_(5, 6);

/* A key that the definition does not set is not to blame: the finding is told without. KEY may be NULL. */
void report_find(
                Report *report,
                const char *layer,
                Severity severity,
                const char *section,
                const char *key,
                const char *format,
                ...) _printf_(6, 7);

/* Blames a key for the last finding, where definition_origin() cannot tell which; ORIGIN may be NULL. */
void report_blame(Report *report, const char *section, const char *key, const Origin *origin);

/* The worst of all findings. */
Severity report_worst(const Report *report);

/* 0 or -ENOMEM. */
int report_error(const Report *report);
