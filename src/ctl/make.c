/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See make.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "ctl/common.h"
#include "ctl/make.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

void data_clear(Data *data) {
        data->descriptor.fd = fd_close(data->descriptor.fd);
}

/* The archive, directory or image at a path, or what is piped in; -ENOTTY after it has told that nothing is. */
static int open_origin(const Origins *origins, const char *path) {
        int fd;

        if (!origins->tar || !streq(path, "-"))
                fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | (origins->directory ? O_DIRECTORY : 0));
        else if (isatty(STDIN_FILENO) <= 0)
                fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        else
                return -ENOTTY;

        return fd < 0 ? -errno : fd;
}

int data_open(const Origins *origins, const char *directory_name, Data *ret) {
        const char *path = origins->directory ?: origins->tar ?: origins->image;
        unsigned given = !!origins->directory + !!origins->tar + !!origins->image;
        _cleanup_free_ char *shown = NULL, *what = NULL;
        int fd;

        if (given > 1) {
                fputs("berthctl: --directory=, --tar= and --image= do not go together\n", stderr);
                return STATUS_USAGE;
        }
        if (path && origins->tar && streq(path, "-") && streq_null(origins->definition, "-")) {
                fputs("berthctl: --definition=- and --tar=- cannot both be standard input\n", stderr);
                return STATUS_USAGE;
        }
        if (given == 0) {
                *ret = (Data) DATA_NONE;
                return STATUS_FINE;
        }

        fd = open_origin(origins, path);
        if (fd == -ENOTTY) {
                fputs("berthctl: standard input is a terminal; pipe the archive into it\n", stderr);
                return STATUS_USAGE;
        }
        if (fd < 0) {
                shown = string_escape_unprintable(path);
                what = string_printf("cannot open %s", shown ?: "?");
                return report_errno(fd, what ?: "cannot open it");
        }

        *ret = (Data) {
                { origins->directory ? directory_name : origins->tar ? "tar" : "image", fd },
        };
        return STATUS_FINE;
}

void making_event(const berth_event *event, void *making) {
        Making *this = making;
        _cleanup_free_ char *shown = NULL;

        if (event->kind != BERTH_EVENT_PROGRESS || !streq(event->name, this->name))
                return;

        if (event->message && *event->message && !settings.quiet) {
                shown = string_escape_unprintable(event->message);
                progress_pause(&this->progress);
                fprintf(stderr, "%s: %s\n", this->name, shown ?: "?");
        }
        progress_update(&this->progress, event->done, event->total);
}
