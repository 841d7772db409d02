/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is told of an unpacking: the kinds of things that were left out or changed, counted with the first one's name,
 * the one failure, and how far it is. Sentences are made here; names from archives are escaped in them.
 */
#pragma once

#include <stdint.h>

#include "basic/macro.h"
#include "spec/unpack.h"

typedef enum NoteKind {
        NOTE_DEVICE,    /* device nodes, left out */
        NOTE_SOCKET,    /* sockets, left out */
        NOTE_KIND,      /* members of a kind that a file system does not have */
        NOTE_OWNER,     /* owners or groups above 65535 */
        NOTE_ABSOLUTE,  /* names that began with "/" */
        NOTE_NAME,      /* names that are not in the archive's own encoding */
        NOTE_ATTRIBUTE, /* extended attributes or access control lists, left out */
        NOTE_STRANGER,  /* files whose owners are not mapped, left out */
        NOTE_MODE,      /* the root directory is closed to users */
        _NOTE_N,
} NoteKind;

typedef struct Report {
        uint64_t counts[_NOTE_N];
        char first[_NOTE_N][256]; /* escaped */
        char failure[UNPACK_SENTENCE_MAX];
        int progress; /* a pipe, or -EBADF */
        uint64_t total;
        uint64_t next_progress; /* in milliseconds of the monotonic clock */
} Report;

#define REPORT_NULL ((Report) { .progress = -EBADF })

void report_note(Report *report, NoteKind kind, const char *member);

/* "WORDS MEMBER: CAUSE"; MEMBER may be NULL, and then nothing stands for it. Returns ERROR, which is negative. The first
 * failure is kept. */
int report_fail(Report *report, int error, const char *member, const char *words, const char *cause);

/* Says how far it is, at most ten times a second, never waiting for a reader. */
void report_progress(Report *report, uint64_t done);

/* Writes the answer. ERROR is 0 or the failure's negative errno. */
int report_send(const Report *report, int fd, int error);
