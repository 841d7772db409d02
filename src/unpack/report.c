/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/report.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/string.h"

#define PROGRESS_MSEC 100

/* The first one's name follows; what was counted comes before the second. */
static const struct {
        const char *one, *many;
} notes[_NOTE_N] = {
        [NOTE_DEVICE] = { "one device node was left out: ", "device nodes were left out, the first is " },
        [NOTE_SOCKET] = { "one socket was left out: ", "sockets were left out, the first is " },
        [NOTE_KIND] = { "one member is no file of any kind and was left out: ",
                        "members are no files of any kind and were left out, the first is " },
        [NOTE_OWNER] = { "one file has an owner above 65535 and was given to nobody (65534): ",
                         "files have owners above 65535 and were given to nobody (65534), the first is " },
        [NOTE_ABSOLUTE] = { "one name began with \"/\" and was taken as below the root: ",
                            "names began with \"/\" and were taken as below the root, the first is " },
        [NOTE_NAME] = { "one name is not in the archive's own encoding and may have changed: ",
                        "names are not in the archive's own encoding and may have changed, the first is " },
        [NOTE_ATTRIBUTE] = { "one extended attribute or access control list was left out, that of ",
                             "extended attributes or access control lists were left out, the first is that of " },
        [NOTE_STRANGER] = { "one file belongs to somebody who has no id in the container and was left out: ",
                            "files belong to others who have no id in the container and were left out, the first is " },
        [NOTE_MODE] = { "the root directory is closed to other users than root inside",
                        "the root directory is closed to other users than root inside" },
};

void report_note(Report *report, NoteKind kind, const char *member) {
        if (report->counts[kind]++ == 0)
                (void) string_escape_to(member, report->first[kind], sizeof report->first[kind]);
}

int report_fail(Report *report, int error, const char *member, const char *words, const char *cause) {
        char text[UNPACK_SENTENCE_MAX / 2];

        if (report->failure[0])
                return error;

        (void) snprintf(text, sizeof text, "%s%s%.300s: %.400s", words, member ? " " : "", member ? member : "", cause);
        (void) string_escape_to(text, report->failure, sizeof report->failure);
        return error;
}

void report_progress(Report *report, uint64_t done) {
        struct pollfd poller = { .fd = report->progress, .events = POLLOUT };
        char line[64];
        struct timespec now;
        uint64_t msec;
        int n;

        if (report->progress < 0 || clock_gettime(CLOCK_MONOTONIC, &now) < 0)
                return;
        msec = (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
        if (msec < report->next_progress)
                return;

        /* A pipe that is writable takes a short line whole. */
        if (poll(&poller, 1, 0) <= 0 || !(poller.revents & POLLOUT))
                return;
        report->next_progress = msec + PROGRESS_MSEC;
        n = snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 "\n", done, report->total);
        if (n > 0 && write(report->progress, line, (size_t) n) < 0)
                report->progress = -EBADF;
}

static int report_send_note(const Report *report, NoteKind kind, int fd) {
        char line[1024];
        int n;

        if (report->counts[kind] == 1 || kind == NOTE_MODE)
                n = snprintf(line, sizeof line, UNPACK_NOTE "%s%s\n", notes[kind].one, report->first[kind]);
        else
                n = snprintf(line, sizeof line, UNPACK_NOTE "%" PRIu64 " %s%s\n", report->counts[kind],
                             notes[kind].many, report->first[kind]);

        return n < 0 ? -EINVAL : fd_write_all(fd, line, (size_t) n);
}

int report_send(const Report *report, int fd, int error) {
        char line[UNPACK_SENTENCE_MAX + 64];
        int n, r;

        for (NoteKind kind = 0; kind < _NOTE_N && error == 0; kind++)
                if (report->counts[kind] > 0) {
                        r = report_send_note(report, kind, fd);
                        if (r < 0)
                                return r;
                }

        if (error == 0)
                return fd_write_all(fd, UNPACK_DONE "\n", strlen(UNPACK_DONE "\n"));

        n = snprintf(line, sizeof line, UNPACK_FAILED "%d %s\n", -error,
                     report->failure[0] ? report->failure : strerror(-error));
        return n < 0 ? -EINVAL : fd_write_all(fd, line, (size_t) n);
}
