/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "unpack/attribute.h"

#define BUFFER_SIZE (256 * 1024)
#define TOP_MODE 0755 /* the source's own is 0700, which proves who opened it */

/* A file with more names than one, and the first of them. */
typedef struct Seen {
        dev_t device;
        ino_t inode;
        char *path;
} Seen;

typedef struct Tree {
        Report *report;
        Writer *writer;
        bool one;
        DIR *levels[UNPACK_DEPTH_MAX + 1];
        size_t lengths[UNPACK_DEPTH_MAX + 1]; /* of the path to each level */
        size_t depth;
        void *seen;
        uint64_t copied;
        char path[PATH_SIZE_MAX];
        char buffer[BUFFER_SIZE];
} Tree;

static int seen_compare(const void *a, const void *b) {
        const Seen *one = a, *two = b;

        if (one->device != two->device)
                return one->device < two->device ? -1 : 1;
        return one->inode < two->inode ? -1 : one->inode > two->inode;
}

static void seen_free(void *seen) {
        free(((Seen *) seen)->path);
        free(seen);
}

static void tree_free(Tree *tree) {
        for (size_t i = 0; i < tree->depth; i++)
                (void) closedir(tree->levels[i]);
        tdestroy(tree->seen, seen_free);
        free(tree);
}

DEFINE_CLEANUP(Tree *, tree_free)

static int tree_fail(Tree *tree, int error, const char *words) {
        return report_fail(tree->report, error, tree->path, words, strerror(-error));
}

/* The first name of a file that has been copied already; else notes this one and gives NULL. */
static int tree_find_link(Tree *tree, const struct stat *st, const char **ret) {
        Seen *seen, **found;

        *ret = NULL;
        if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
                return 0;

        seen = malloc(sizeof *seen);
        if (!seen)
                return -ENOMEM;
        *seen = (Seen) { .device = st->st_dev, .inode = st->st_ino, .path = strdup(tree->path) };
        found = seen->path ? tsearch(seen, &tree->seen, seen_compare) : NULL;
        if (!found) {
                seen_free(seen);
                return -ENOMEM;
        }
        if (*found != seen) {
                seen_free(seen);
                *ret = (*found)->path;
        }
        return 0;
}

static int tree_copy_range(Tree *tree, int from, int to, off_t start, off_t end) {
        while (start < end) {
                size_t size = end - start < BUFFER_SIZE ? (size_t) (end - start) : BUFFER_SIZE;
                ssize_t n = pread(from, tree->buffer, size, start);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tree_fail(tree, -errno, "cannot read");
                /* It became shorter meanwhile. */
                if (n == 0)
                        return 0;

                r = writer_write(tree->writer, to, tree->buffer, (size_t) n, (uint64_t) start, tree->path);
                if (r < 0)
                        return r;
                start += n;
                tree->copied += (uint64_t) n;
                report_progress(tree->report, tree->copied);
        }

        return 0;
}

/* Holes stay holes where the file system tells them. */
static int tree_copy_data(Tree *tree, int from, int to, off_t size) {
        off_t position = 0;

        while (position < size) {
                off_t data = lseek(from, position, SEEK_DATA), hole;
                int r;

                if (data < 0 && errno == ENXIO)
                        return 0;
                if (data < 0)
                        data = position;
                hole = lseek(from, data, SEEK_HOLE);
                if (hole < 0 || hole > size)
                        hole = size;

                r = tree_copy_range(tree, from, to, data, hole);
                if (r < 0)
                        return r;
                position = hole;
        }

        return 0;
}

static Member tree_member(const Tree *tree, const struct stat *st) {
        return (Member) {
                .path = tree->path,
                .mode = tree->depth == 0 ? TOP_MODE : st->st_mode & 07777,
                .uid = tree->one ? 0 : (int64_t) st->st_uid,
                .gid = tree->one ? 0 : (int64_t) st->st_gid,
                .mtime = st->st_mtim,
        };
}

/* A file or directory that is open. */
static int tree_take_open(Tree *tree, int fd, MemberType type) {
        _cleanup_(attributes_done) Attributes attributes = {};
        struct stat st;
        Member member;
        int to, r;

        if (fstat(fd, &st) < 0)
                return tree_fail(tree, -errno, "cannot look at");
        if ((type == MEMBER_FILE && !S_ISREG(st.st_mode)) || (tree->one && st.st_uid != 0)) {
                report_note(tree->report, NOTE_STRANGER, tree->path);
                return 0;
        }

        member = tree_member(tree, &st);
        member.type = type;
        r = tree_find_link(tree, &st, &member.target);
        if (r < 0)
                return r;
        if (member.target)
                member.type = MEMBER_LINK;
        else {
                r = attributes_from_file(tree->report, fd, tree->path, &attributes);
                if (r < 0)
                        return tree_fail(tree, r, "cannot read the attributes of");
                member.attributes = attributes.list;
                member.n_attributes = attributes.n;
        }

        r = writer_begin(tree->writer, &member, &to);
        if (r >= 0 && to >= 0)
                r = tree_copy_data(tree, fd, to, st.st_size);
        if (r < 0) {
                (void) fd_close(to);
                return r;
        }
        return writer_end(tree->writer, &member, to, (uint64_t) st.st_size);
}

/* A symbolic link or a fifo, which are not opened. */
static int tree_take_closed(Tree *tree, int directory, const char *name, const struct stat *st) {
        Member member = tree_member(tree, st);
        char target[PATH_SIZE_MAX];
        const char *link;
        int fd, r;

        member.type = MEMBER_FIFO;
        if (S_ISLNK(st->st_mode)) {
                ssize_t n = readlinkat(directory, name, target, sizeof target - 1);

                if (n < 0)
                        return tree_fail(tree, -errno, "cannot read the link");
                target[n] = '\0';
                member.type = MEMBER_SYMLINK;
                member.target = target;
        }

        r = tree_find_link(tree, st, &link);
        if (r < 0)
                return r;
        if (link) {
                member.type = MEMBER_LINK;
                member.target = link;
        }
        r = writer_begin(tree->writer, &member, &fd);
        return r < 0 ? r : writer_end(tree->writer, &member, fd, 0);
}

/* Goes down into a directory, which the tree then has. */
static int tree_enter(Tree *tree, int fd_take) {
        DIR *level;

        if (tree->depth > UNPACK_DEPTH_MAX) {
                (void) close(fd_take);
                return report_fail(tree->report, -ENAMETOOLONG, tree->path, "cannot take",
                                   "it lies too many directories deep");
        }
        level = fdopendir(fd_take);
        if (!level) {
                int r = -errno;

                (void) close(fd_take);
                return tree_fail(tree, r, "cannot read");
        }

        tree->lengths[tree->depth] = strlen(tree->path);
        tree->levels[tree->depth++] = level;
        return 0;
}

static int tree_open(Tree *tree, int directory, const char *name, MemberType type) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = openat(directory, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC |
                            (type == MEMBER_DIRECTORY ? O_DIRECTORY : 0));
        /* It was removed, replaced, or is closed to us because its owner is not mapped. */
        if (fd < 0 && (errno == EACCES || errno == EPERM || errno == ENOENT || errno == ELOOP || errno == ENOTDIR)) {
                report_note(tree->report, NOTE_STRANGER, tree->path);
                return 0;
        }
        if (fd < 0)
                return tree_fail(tree, -errno, "cannot open");

        r = tree_take_open(tree, fd, type);
        if (r < 0 || type != MEMBER_DIRECTORY)
                return r;

        return tree_enter(tree, TAKE_FD(fd));
}

static int tree_take(Tree *tree, int directory, const char *name) {
        struct stat st;

        if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : tree_fail(tree, -errno, "cannot look at");
        if (tree->one && st.st_uid != 0) {
                report_note(tree->report, NOTE_STRANGER, tree->path);
                return 0;
        }

        switch (st.st_mode & S_IFMT) {
        case S_IFDIR:
                return tree_open(tree, directory, name, MEMBER_DIRECTORY);
        case S_IFREG:
                return tree_open(tree, directory, name, MEMBER_FILE);
        case S_IFLNK:
        case S_IFIFO:
                return tree_take_closed(tree, directory, name, &st);
        case S_IFSOCK:
                report_note(tree->report, NOTE_SOCKET, tree->path);
                return 0;
        default:
                report_note(tree->report, NOTE_DEVICE, tree->path);
                return 0;
        }
}

static int tree_walk(Tree *tree) {
        while (tree->depth > 0) {
                DIR *level = tree->levels[tree->depth - 1];
                size_t length = tree->lengths[tree->depth - 1];
                struct dirent *entry;
                int n, r;

                tree->path[length] = '\0';
                errno = 0;
                entry = readdir(level);
                if (!entry) {
                        if (errno > 0)
                                return tree_fail(tree, -errno, "cannot read");
                        (void) closedir(level);
                        tree->depth--;
                        continue;
                }
                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;

                n = snprintf(tree->path + length, sizeof tree->path - length, "%s%s", length > 0 ? "/" : "",
                             entry->d_name);
                if (n < 0 || (size_t) n >= sizeof tree->path - length)
                        return report_fail(tree->report, -ENAMETOOLONG, tree->path, "cannot take",
                                           "its path is too long");

                r = tree_take(tree, dirfd(level), entry->d_name);
                if (r < 0)
                        return r;
        }

        return 0;
}

int tree_copy(Report *report, Writer *writer, int fd, bool one) {
        _cleanup_(tree_freep) Tree *tree = calloc(1, sizeof *tree);
        int r;

        if (!tree)
                return -ENOMEM;
        tree->report = report;
        tree->writer = writer;
        tree->one = one;

        r = tree_open(tree, fd, ".", MEMBER_DIRECTORY);
        if (r < 0)
                return r;
        if (tree->depth == 0)
                return report_fail(report, -EACCES, NULL, "cannot copy the directory", "it cannot be entered");

        return tree_walk(tree);
}
