/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "unpack/attribute.h"
#include "unpack/input.h"

DEFINE_CLEANUP(struct archive *, archive_read_free)
DEFINE_CLEANUP(Input *, input_free)

typedef struct Source {
        Report *report;
        Writer *writer;
        Input *input;
        struct archive *archive;
        bool input_failed;
} Source;

static la_ssize_t source_fill(struct archive *archive, void *userdata, const void **ret_buffer) {
        Source *source = userdata;
        ssize_t n = input_read(source->input, ret_buffer);

        if (n < 0) {
                source->input_failed = true;
                archive_set_error(archive, EIO, "the input failed");
        }

        return n;
}

/* A failure of the input has been told already. */
static int source_fail(Source *source, const char *member) {
        const char *cause = archive_error_string(source->archive);

        return report_fail(source->report, -EBADMSG, member, member ? "cannot unpack" : "cannot unpack the archive",
                           cause ? cause : "it is damaged");
}

/* True for what can be made; the rest is noted and passed over. */
static bool member_type(Source *source, struct archive_entry *entry, Member *member) {
        if (archive_entry_hardlink(entry)) {
                member->type = MEMBER_LINK;
                member->target = archive_entry_hardlink(entry);
                return true;
        }

        switch (archive_entry_filetype(entry)) {
        case AE_IFREG:
                member->type = MEMBER_FILE;
                return true;
        case AE_IFDIR:
                member->type = MEMBER_DIRECTORY;
                return true;
        case AE_IFIFO:
                member->type = MEMBER_FIFO;
                return true;
        case AE_IFLNK:
                member->type = MEMBER_SYMLINK;
                member->target = archive_entry_symlink(entry);
                return member->target;
        case AE_IFCHR:
        case AE_IFBLK:
                report_note(source->report, NOTE_DEVICE, member->path);
                return false;
        case AE_IFSOCK:
                report_note(source->report, NOTE_SOCKET, member->path);
                return false;
        default:
                report_note(source->report, NOTE_KIND, member->path);
                return false;
        }
}

static int source_copy_data(Source *source, const Member *member, int fd, uint64_t *ret_end) {
        uint64_t end = 0;

        for (;;) {
                const void *data;
                la_int64_t offset;
                size_t size;
                int r;

                r = archive_read_data_block(source->archive, &data, &size, &offset);
                if (r == ARCHIVE_EOF)
                        break;
                if (r != ARCHIVE_OK || offset < 0)
                        return source_fail(source, member->path);

                r = writer_write(source->writer, fd, data, size, (uint64_t) offset, member->path);
                if (r < 0)
                        return r;
                if (size > 0)
                        end = (uint64_t) offset + size;
        }

        *ret_end = end;
        return 0;
}

static int source_take(Source *source, struct archive_entry *entry, const Member *member) {
        uint64_t size = 0;
        int fd, r;

        r = writer_begin(source->writer, member, &fd);
        if (r < 0)
                return r;
        if (fd >= 0) {
                r = source_copy_data(source, member, fd, &size);
                if (r < 0) {
                        (void) fd_close(fd);
                        return r;
                }
                /* The last part of a sparse file may be a hole. */
                if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > (la_int64_t) size)
                        size = (uint64_t) archive_entry_size(entry);
        }

        return writer_end(source->writer, member, fd, size);
}

static int source_member(Source *source, struct archive_entry *entry) {
        _cleanup_(attributes_done) Attributes attributes = {};
        Member member = {
                .path = archive_entry_pathname(entry),
                .mode = archive_entry_perm(entry),
                .uid = archive_entry_uid(entry),
                .gid = archive_entry_gid(entry),
                .mtime = { .tv_nsec = UTIME_OMIT },
        };
        int r;

        if (!member.path)
                return report_fail(source->report, -EBADMSG, NULL, "cannot unpack the archive",
                                   "a member has no name");
        if (archive_entry_mtime_is_set(entry))
                member.mtime = (struct timespec) {
                        .tv_sec = archive_entry_mtime(entry),
                        .tv_nsec = archive_entry_mtime_nsec(entry),
                };
        if (!member_type(source, entry, &member))
                return 0;

        r = attributes_from_archive(source->report, entry, &attributes);
        if (r < 0)
                return r;
        member.attributes = attributes.list;
        member.n_attributes = attributes.n;

        return source_take(source, entry, &member);
}

static int source_read(Source *source) {
        for (;;) {
                struct archive_entry *entry;
                int r;

                r = archive_read_next_header(source->archive, &entry);
                if (r == ARCHIVE_EOF)
                        return 0;
                /* A warning is about a name that could not be understood as the archive's encoding has it. */
                if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
                        return source_fail(source, NULL);
                if (r == ARCHIVE_WARN && archive_entry_pathname(entry))
                        report_note(source->report, NOTE_NAME, archive_entry_pathname(entry));

                r = source_member(source, entry);
                if (r < 0)
                        return r;
        }
}

int archive_unpack(Report *report, Writer *writer, int fd) {
        _cleanup_(archive_read_freep) struct archive *archive = archive_read_new();
        _cleanup_(input_freep) Input *input = NULL;
        Source source = { .report = report, .writer = writer, .archive = archive };
        int r;

        if (!archive || archive_read_support_format_tar(archive) != ARCHIVE_OK)
                return -ENOMEM;
        r = input_new(report, fd, &input);
        if (r < 0)
                return r;
        source.input = input;

        if (archive_read_open(archive, &source, NULL, source_fill, NULL) != ARCHIVE_OK)
                return source_fail(&source, NULL);
        r = source_read(&source);
        if (r < 0)
                return r;
        if (writer->members == 0)
                return report_fail(report, -EBADMSG, NULL, "cannot unpack the archive", "there is nothing in it");
        if (input_is_at_end(input) && !input_ended_with_zeros(input))
                return report_fail(report, -EBADMSG, NULL, "cannot unpack the archive",
                                   "it ends before its end marker: it was cut off");

        return input_drain(input);
}
