/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "basic/macro.h"
#include "manager/bus/announce.h"

#define INTERVAL_USEC (UINT64_C(200) * 1000)

struct Progress {
        Manager *manager;
        char container[NAME_MAX_LENGTH + 1];
        int fd;
        sd_event_source *source;
        uint64_t told_usec;
        ProgressHeard heard;
        void *userdata;
};

Progress *progress_free(Progress *progress) {
        if (!progress)
                return NULL;

        sd_event_source_disable_unref(progress->source);
        (void) fd_close(progress->fd);
        free(progress);
        return NULL;
}

/* Of what has piled up, the last whole line counts. */
static void progress_tell(Progress *progress, char *text) {
        uint64_t done, total, now;
        char *end, *line;

        end = strrchr(text, '\n');
        if (!end)
                return;
        *end = '\0';
        line = strrchr(text, '\n');
        line = line ? line + 1 : text;

        if (sd_event_now(progress->manager->event, CLOCK_MONOTONIC, &now) < 0 ||
            now < progress->told_usec + INTERVAL_USEC ||
            sscanf(line, "%" SCNu64 " %" SCNu64, &done, &total) != 2)
                return;

        progress->told_usec = now;
        announce_progress(progress->manager, progress->container, done, total, "");
}

static int on_readable(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Progress *progress = userdata;
        char text[4096];
        ssize_t n;

        n = read(fd, text, sizeof text - 1);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n <= 0)
                return sd_event_source_set_enabled(source, SD_EVENT_OFF);

        text[n] = '\0';
        progress_tell(progress, text);
        progress->heard(progress->userdata);
        return 0;
}

int progress_new(Manager *manager, const char *container, ProgressHeard heard, void *userdata, Progress **ret,
                 int *ret_fd) {
        _cleanup_(progress_freep) Progress *progress = NULL;
        _cleanup_close_ int theirs = -EBADF;
        int ends[2], r;

        progress = calloc(1, sizeof *progress);
        if (!progress)
                return -ENOMEM;
        progress->manager = manager;
        progress->fd = -EBADF;
        progress->heard = heard;
        progress->userdata = userdata;
        (void) snprintf(progress->container, sizeof progress->container, "%s", container);

        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        progress->fd = ends[0];
        theirs = ends[1];
        r = sd_event_add_io(manager->event, &progress->source, progress->fd, EPOLLIN, on_readable, progress);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(progress);
        *ret_fd = TAKE_FD(theirs);
        return 0;
}
