/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/input.h"

#include <archive.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "spec/limits.h"
#include "unpack/checksum.h"

#define BUFFER_SIZE (256 * 1024)
#define BLOCK_SIZE 512

struct Input {
        Report *report;
        struct archive *archive;
        int fd;
        int error;       /* of reading the descriptor */
        uint64_t taken;  /* compressed bytes */
        size_t zeros;    /* at the end of what was given out, at most a block */
        bool at_end;
        bool gzip;       /* and nothing else: then the checksum counts */
        Checksum checksum;
        char buffer[BUFFER_SIZE];
};

static int (*const filters[])(struct archive *) = {
        archive_read_support_filter_gzip,     archive_read_support_filter_bzip2, archive_read_support_filter_xz,
        archive_read_support_filter_lzma,     archive_read_support_filter_lzip,  archive_read_support_filter_zstd,
        archive_read_support_filter_compress, archive_read_support_filter_lz4,
};

DEFINE_CLEANUP(Input *, input_free)

Input *input_free(Input *input) {
        if (input && input->archive)
                (void) archive_read_free(input->archive);
        free(input);
        return NULL;
}

/* A pipe whose other end says nothing must not hold a place in the helper for ever. */
static int input_wait(const Input *input) {
        struct pollfd poll_fd = { .fd = input->fd, .events = POLLIN };
        int n;

        do
                n = poll(&poll_fd, 1, UNPACK_SILENCE_MSEC);
        while (n < 0 && errno == EINTR);

        return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

static la_ssize_t input_fill(struct archive *archive, void *userdata, const void **ret_buffer) {
        Input *input = userdata;
        ssize_t n;
        int r;

        r = input_wait(input);
        if (r < 0) {
                input->error = r;
                archive_set_error(archive, -r, "%s", strerror(-r));
                return -1;
        }
        do
                n = read(input->fd, input->buffer, sizeof input->buffer);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                input->error = -errno;
                archive_set_error(archive, errno, "%s", strerror(errno));
                return -1;
        }

        checksum_note_packed(&input->checksum, input->buffer, (size_t) n);
        input->taken += (uint64_t) n;
        report_progress(input->report, input->taken);
        *ret_buffer = input->buffer;
        return n;
}

static int input_fail(Input *input) {
        const char *cause = archive_error_string(input->archive);

        if (input->error < 0)
                return report_fail(input->report, input->error, NULL, "cannot read the archive", strerror(-input->error));

        return report_fail(input->report, -EBADMSG, NULL, "cannot unpack the archive", cause ? cause : "it is damaged");
}

/* Filters that would run a program say so; one that was asked cannot be taken back. */
static bool filter_is_built_in(int (*filter)(struct archive *)) {
        struct archive *probe = archive_read_new();
        bool built_in = probe && filter(probe) == ARCHIVE_OK;

        if (probe)
                (void) archive_read_free(probe);
        return built_in;
}

static int input_set_up(Input *input) {
        struct archive_entry *entry;
        int r;

        input->archive = archive_read_new();
        if (!input->archive)
                return -ENOMEM;
        for (size_t i = 0; i < ELEMENTSOF(filters); i++)
                if (filter_is_built_in(filters[i]) && filters[i](input->archive) != ARCHIVE_OK)
                        return -ENOMEM;
        if (archive_read_support_format_raw(input->archive) != ARCHIVE_OK)
                return -ENOMEM;

        r = archive_read_open(input->archive, input, NULL, input_fill, NULL);
        if (r == ARCHIVE_OK)
                r = archive_read_next_header(input->archive, &entry);
        if (r == ARCHIVE_EOF || (r != ARCHIVE_OK && input->taken == 0 && input->error == 0))
                return report_fail(input->report, -EBADMSG, NULL, "cannot unpack the archive", "it is empty");
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                return input_fail(input);

        /* The other one is none: the descriptor. */
        input->gzip = archive_filter_count(input->archive) == 2 &&
                      archive_filter_code(input->archive, 0) == ARCHIVE_FILTER_GZIP;
        return 0;
}

int input_new(Report *report, int fd, Input **ret) {
        _cleanup_(input_freep) Input *input = calloc(1, sizeof *input);
        struct stat st;
        off_t offset;
        int r;

        if (!input)
                return -ENOMEM;
        input->report = report;
        input->fd = fd;
        input->checksum = CHECKSUM_NULL;

        if (fstat(fd, &st) < 0)
                return -errno;
        offset = lseek(fd, 0, SEEK_CUR);
        if (S_ISREG(st.st_mode) && offset >= 0 && offset < st.st_size)
                report->total = (uint64_t) (st.st_size - offset);

        r = input_set_up(input);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(input);
        return 0;
}

static void input_note_zeros(Input *input, const char *data, size_t size) {
        size_t zeros = 0;

        while (zeros < size && zeros < BLOCK_SIZE && data[size - 1 - zeros] == '\0')
                zeros++;
        input->zeros = zeros < size ? zeros : input->zeros + zeros;
}

static int input_end(Input *input) {
        input->at_end = true;
        if (input->gzip && checksum_is_wrong(&input->checksum))
                return report_fail(
                                input->report, -EBADMSG, NULL, "cannot unpack the archive",
                                "its checksum is wrong: it is damaged");

        return 0;
}

ssize_t input_read(Input *input, const void **ret_data) {
        size_t size = 0;
        la_int64_t offset;

        while (size == 0) {
                int r = archive_read_data_block(input->archive, ret_data, &size, &offset);

                if (r == ARCHIVE_EOF)
                        return input_end(input);
                if (r != ARCHIVE_OK)
                        return input_fail(input);
        }

        input_note_zeros(input, *ret_data, size);
        if (input->gzip)
                checksum_note_unpacked(&input->checksum, *ret_data, size);
        return (ssize_t) size;
}

int input_drain(Input *input) {
        uint64_t size = 0;
        const void *data;
        ssize_t n;

        while (!input->at_end) {
                n = input_read(input, &data);
                if (n < 0)
                        return (int) n;
                size += (uint64_t) n;
                if (size > UNPACK_TRAILER_MAX)
                        return report_fail(input->report, -EFBIG, NULL, "cannot unpack the archive",
                                           "far too much follows its end");
        }

        return 0;
}

bool input_is_at_end(const Input *input) {
        return input->at_end;
}

bool input_ended_with_zeros(const Input *input) {
        return input->zeros >= BLOCK_SIZE;
}
