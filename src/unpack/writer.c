/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "unpack/path.h"

#define CHECK_EVERY (UINT64_C(32) * 1024 * 1024)
#define FILE_COST 4096 /* what a file counts for besides its content */

typedef struct Late {
        char *path;
        struct timespec mtime;
        void *acl;
        size_t acl_size;
} Late;

static int writer_fail(Writer *writer, int error, const char *member, const char *words) {
        return report_fail(writer->report, error, member, words, strerror(-error));
}

int writer_init(Writer *writer, Report *report, int root) {
        struct statvfs fs;

        *writer = (Writer) { .report = report, .root = root, .parent = -EBADF };
        if (fstatvfs(root, &fs) < 0)
                return -errno;

        writer->reserve = (uint64_t) fs.f_blocks * fs.f_frsize / STORE_RESERVE_SHARE;
        if (writer->reserve > STORE_RESERVE_MAX)
                writer->reserve = STORE_RESERVE_MAX;
        writer->reserve_files = fs.f_files / STORE_RESERVE_SHARE;
        return 0;
}

void writer_done(Writer *writer) {
        for (size_t i = 0; i < writer->n_late; i++) {
                free(writer->late[i].path);
                free(writer->late[i].acl);
        }
        free(writer->late);
        free(writer->parent_path);
        writer->parent = fd_close(writer->parent);
}

/* Some of the disk stays free, whatever an archive unfolds to. */
static int writer_account(Writer *writer, uint64_t bytes, const char *path) {
        struct statvfs fs;

        writer->bytes += bytes;
        writer->unchecked += bytes;
        if (writer->unchecked < CHECK_EVERY)
                return 0;
        writer->unchecked = 0;

        if (fstatvfs(writer->root, &fs) < 0)
                return -errno;
        if ((uint64_t) fs.f_bavail * fs.f_frsize < writer->reserve)
                return report_fail(writer->report, -ENOSPC, path, "cannot write",
                                   "the store's file system is full but for what is kept free for the host");
        if (fs.f_files > 0 && fs.f_favail < writer->reserve_files)
                return report_fail(writer->report, -ENOSPC, path, "cannot make",
                                   "the store's file system has hardly any inodes left");

        return 0;
}

/* Makes a directory whose parents are there. */
static int directory_make(Writer *writer, const char *path) {
        _cleanup_close_ int above = -EBADF;
        char parent[PATH_SIZE_MAX];
        const char *last = path_last(path);
        int r;

        r = writer_account(writer, FILE_COST, path);
        if (r < 0)
                return r;
        path_part(path, (size_t) (last - path), parent);
        above = open_beneath(writer->root, parent, O_PATH | O_DIRECTORY);
        if (above < 0)
                return above;

        return mkdirat(above, last, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Opens a directory below the target; what is missing on the way is made. */
static int writer_open_directory(Writer *writer, const char *path, int *ret_fd) {
        int fd, r;

        fd = open_beneath(writer->root, path, O_PATH | O_DIRECTORY);
        if (fd == -ENOENT) {
                for (const char *end = strchrnul(path, '/');; end = strchrnul(end + 1, '/')) {
                        char part[PATH_SIZE_MAX];

                        path_part(path, (size_t) (end - path), part);
                        r = directory_make(writer, part);
                        if (r < 0)
                                return r;
                        if (!*end)
                                break;
                }
                fd = open_beneath(writer->root, path, O_PATH | O_DIRECTORY);
        }
        if (fd < 0)
                return fd;

        *ret_fd = fd;
        return 0;
}

/* Goes to the directory that a path lies in. */
static int writer_go(Writer *writer, const char *path) {
        size_t size = (size_t) (path_last(path) - path);
        _cleanup_free_ char *directory = strndup(path, size > 0 ? size - 1 : 0);
        int fd, r;

        if (!directory)
                return -ENOMEM;
        if (writer->parent_path && streq(directory, writer->parent_path))
                return 0;

        r = writer_open_directory(writer, directory, &fd);
        if (r == -ELOOP)
                return report_fail(writer->report, -ELOOP, path, "cannot make",
                                   "a symbolic link in the archive stands in its way");
        if (r == -ENOTDIR)
                return report_fail(writer->report, -ENOTDIR, path, "cannot make",
                                   "it would lie below what is no directory (or a symbolic link) in the archive");
        if (r < 0)
                return writer_fail(writer, r, path, "cannot make the directories above");

        writer->parent = fd_close(writer->parent);
        writer->parent = fd;
        free(writer->parent_path);
        writer->parent_path = TAKE_PTR(directory);
        return 0;
}

static int path_fail(Writer *writer, const char *path, int error) {
        switch ((PathError) error) {
        case PATH_E_PARENT:
                return report_fail(writer->report, -EINVAL, path, "cannot take", "its name has \"..\" in it");
        case PATH_E_LONG:
                return report_fail(writer->report, -ENAMETOOLONG, path, "cannot take", "its path is too long");
        case PATH_E_DEEP:
                return report_fail(writer->report, -ENAMETOOLONG, path, "cannot take",
                                   "it lies too many directories deep");
        case _PATH_E_SUCCESS:
        default:
                return -EINVAL;
        }
}

static int writer_clean(Writer *writer, const char *raw, char path[static PATH_SIZE_MAX]) {
        bool absolute;
        int r;

        r = path_clean(raw, path, &absolute);
        if (r > 0)
                return path_fail(writer, raw, r);
        if (absolute)
                report_note(writer->report, NOTE_ABSOLUTE, raw);

        return 0;
}

static int link_make(Writer *writer, const Member *member, const char *name) {
        _cleanup_close_ int directory = -EBADF;
        char target[PATH_SIZE_MAX];
        struct stat st;
        char *last;
        int r;

        r = writer_clean(writer, member->target, target);
        if (r < 0)
                return r;

        last = strrchr(target, '/');
        if (last)
                *last = '\0';
        directory = open_beneath(writer->root, last ? target : ".", O_PATH | O_DIRECTORY);
        last = last ? last + 1 : target;
        if (directory < 0)
                return directory;
        if (fstatat(directory, last, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;

        return linkat(directory, last, writer->parent, name, 0) < 0 ? -errno : 0;
}

static int member_make(Writer *writer, const Member *member, const char *name, int *ret_fd) {
        int fd;

        switch (member->type) {
        case MEMBER_DIRECTORY:
                return mkdirat(writer->parent, name, 0700) < 0 ? -errno : 0;
        case MEMBER_SYMLINK:
                return symlinkat(member->target, writer->parent, name) < 0 ? -errno : 0;
        case MEMBER_LINK:
                return link_make(writer, member, name);
        case MEMBER_FIFO:
                return mknodat(writer->parent, name, S_IFIFO | 0600, 0) < 0 ? -errno : 0;
        case MEMBER_FILE:
                fd = openat(writer->parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (fd < 0)
                        return -errno;
                *ret_fd = fd;
                return 0;
        default:
                return -EINVAL;
        }
}

/* What is there already gives way to a later one of its name, as archives that were added to have it. */
static int writer_replace(Writer *writer, const Member *member, const char *path, const char *name, int *ret_fd) {
        struct stat st;

        if (fstatat(writer->parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        if (member->type == MEMBER_DIRECTORY && S_ISDIR(st.st_mode))
                return 0;
        if (member->type == MEMBER_DIRECTORY || S_ISDIR(st.st_mode))
                return report_fail(writer->report, -EEXIST, path, "cannot make",
                                   "it is in the archive twice, as a directory and as something else");
        if (unlinkat(writer->parent, name, 0) < 0)
                return -errno;

        return member_make(writer, member, name, ret_fd);
}

/* A file that is a link to itself is there already. */
static bool link_is_itself(const Member *member, const char *path) {
        char target[PATH_SIZE_MAX];
        bool absolute;

        return member->type == MEMBER_LINK && path_clean(member->target, target, &absolute) == 0 && streq(path, target);
}

int writer_begin(Writer *writer, const Member *member, int *ret_fd) {
        char path[PATH_SIZE_MAX];
        int fd = -EBADF, r;

        if (++writer->members > UNPACK_MEMBERS_MAX)
                return report_fail(writer->report, -E2BIG, member->path, "cannot take", "there are too many files");
        r = writer_account(writer, FILE_COST, member->path);
        if (r < 0)
                return r;
        r = writer_clean(writer, member->path, path);
        if (r < 0)
                return r;

        *ret_fd = -EBADF;
        if (!path[0])
                return member->type == MEMBER_DIRECTORY ?
                               0 :
                               report_fail(writer->report, -EINVAL, member->path, "cannot take",
                                           "it would replace the root directory");
        if (link_is_itself(member, path))
                return 0;

        r = writer_go(writer, path);
        if (r < 0)
                return r;
        r = member_make(writer, member, path_last(path), &fd);
        if (r == -EEXIST)
                r = writer_replace(writer, member, path, path_last(path), &fd);
        if (r == -ENOENT && member->type == MEMBER_LINK)
                return report_fail(writer->report, r, path, "cannot make", "the file that it is a link to is not there");
        if (r < 0)
                return writer_fail(writer, r, path, "cannot make");

        *ret_fd = fd;
        return 0;
}

int writer_write(Writer *writer, int fd, const void *data, size_t size, uint64_t offset, const char *path) {
        const char *p = data;
        int r;

        if (offset > INT64_MAX - size)
                return writer_fail(writer, -EFBIG, path, "cannot write");
        r = writer_account(writer, size, path);
        if (r < 0)
                return r;

        while (size > 0) {
                ssize_t n = pwrite(fd, p, size, (off_t) offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return writer_fail(writer, -errno, path, "cannot write");
                p += n;
                offset += (uint64_t) n;
                size -= (size_t) n;
        }

        return 0;
}

static uid_t writer_id(Writer *writer, const Member *member, int64_t id) {
        if (id >= 0 && id < ID_RANGE_SIZE)
                return (uid_t) id;

        report_note(writer->report, NOTE_OWNER, member->path);
        return OVERFLOW_ID;
}

/* An attribute that a file system has no room or no name for is left out; a disk that fails is a failure. */
static int writer_set_attributes(Writer *writer, const Member *member, int fd) {
        for (size_t i = 0; i < member->n_attributes; i++) {
                const Attribute *attribute = member->attributes + i;

                if (streq(attribute->name, ACL_DEFAULT) ||
                    fsetxattr(fd, attribute->name, attribute->value, attribute->size, 0) == 0)
                        continue;
                if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
                        return writer_fail(writer, -errno, member->path, "cannot set the attributes of");
                report_note(writer->report, NOTE_ATTRIBUTE, member->path);
        }

        return 0;
}

static int late_add(Writer *writer, const Member *member, const char *path) {
        Late late = { .mtime = member->mtime };
        int r;

        for (size_t i = 0; i < member->n_attributes; i++)
                if (streq(member->attributes[i].name, ACL_DEFAULT) && !late.acl && member->attributes[i].size > 0) {
                        late.acl = malloc(member->attributes[i].size);
                        if (!late.acl)
                                return -ENOMEM;
                        late.acl_size = member->attributes[i].size;
                        memcpy(late.acl, member->attributes[i].value, late.acl_size);
                }

        late.path = strdup(path);
        r = late.path ? ARRAY_APPEND(writer->late, writer->n_late, late) : -ENOMEM;
        if (r < 0) {
                free(late.path);
                free(late.acl);
        }
        return r;
}

/* Owner first, then mode (a change of owner takes set-uid bits away), then attributes (and capabilities). */
static int directory_end(Writer *writer, const Member *member, const char *path, uid_t uid, gid_t gid) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = open_beneath(writer->root, path, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;
        if (fchown(fd, uid, gid) < 0 || fchmod(fd, member->mode & 07777) < 0)
                return -errno;
        if (!path[0] && !(member->mode & S_IXOTH))
                report_note(writer->report, NOTE_MODE, "");

        r = writer_set_attributes(writer, member, fd);
        return r < 0 ? r : late_add(writer, member, path);
}

static int file_end(Writer *writer, const Member *member, int fd, uint64_t size, uid_t uid, gid_t gid) {
        const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, member->mtime };
        int r;

        if (size > INT64_MAX)
                return -EFBIG;
        if (ftruncate(fd, (off_t) size) < 0 || fchown(fd, uid, gid) < 0 || fchmod(fd, member->mode & 07777) < 0)
                return -errno;
        r = writer_set_attributes(writer, member, fd);
        if (r < 0)
                return r;

        return futimens(fd, times) < 0 ? -errno : 0;
}

static int other_end(Writer *writer, const Member *member, const char *name, uid_t uid, gid_t gid) {
        const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, member->mtime };

        if (member->n_attributes > 0)
                report_note(writer->report, NOTE_ATTRIBUTE, member->path);
        if (fchownat(writer->parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        /* It was made a moment ago and is no link; nobody else works here. */
        if (member->type == MEMBER_FIFO && fchmodat(writer->parent, name, member->mode & 07777, 0) < 0)
                return -errno;

        return utimensat(writer->parent, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int writer_end(Writer *writer, const Member *member, int fd_take, uint64_t size) {
        _cleanup_close_ int fd = fd_take;
        char path[PATH_SIZE_MAX];
        bool absolute;
        uid_t uid;
        gid_t gid;
        int r;

        /* One more name for what has all this already. */
        if (member->type == MEMBER_LINK)
                return 0;

        uid = writer_id(writer, member, member->uid);
        gid = writer_id(writer, member, member->gid);
        r = path_clean(member->path, path, &absolute);
        if (r > 0)
                return path_fail(writer, member->path, r);

        if (member->type == MEMBER_DIRECTORY)
                r = directory_end(writer, member, path, uid, gid);
        else if (member->type == MEMBER_FILE)
                r = file_end(writer, member, fd, size, uid, gid);
        else
                r = other_end(writer, member, path_last(path), uid, gid);

        return r < 0 ? writer_fail(writer, r, member->path, "cannot set owner and mode of") : 0;
}

/* Last come first: a directory's own time changes with what is made in it, not with the time of what is in it. */
int writer_finish(Writer *writer) {
        for (size_t i = 0; i < writer->n_late; i++) {
                const Late *late = writer->late + i;
                const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, late->mtime };
                _cleanup_close_ int fd = open_beneath(writer->root, late->path, O_RDONLY | O_DIRECTORY);

                if (fd < 0)
                        return writer_fail(writer, fd, late->path, "cannot open");
                if (late->acl && fsetxattr(fd, ACL_DEFAULT, late->acl, late->acl_size, 0) < 0)
                        report_note(writer->report, NOTE_ATTRIBUTE, late->path);
                if (futimens(fd, times) < 0)
                        return writer_fail(writer, -errno, late->path, "cannot set the time of");
        }

        return 0;
}
