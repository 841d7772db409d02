/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes files below the target, whatever they are called and in whatever order they come: no name leads through a
 * symbolic link, what is there twice is replaced only by its like, and what would be changed by later files (times and
 * default access control lists of directories) is set at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "unpack/report.h"

#define OVERFLOW_ID 65534
#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

typedef enum MemberType {
        MEMBER_DIRECTORY,
        MEMBER_FILE,
        MEMBER_SYMLINK,
        MEMBER_LINK, /* one more name for a file */
        MEMBER_FIFO,
} MemberType;

typedef struct Attribute {
        char *name;
        void *value;
        size_t size;
} Attribute;

typedef struct Member {
        MemberType type;
        const char *path;   /* as the source has it */
        const char *target; /* of links */
        mode_t mode;
        int64_t uid, gid;
        struct timespec mtime; /* UTIME_OMIT in tv_nsec: not known */
        Attribute *attributes;
        size_t n_attributes;
} Member;

typedef struct Writer {
        Report *report;
        int root;
        int parent;          /* the directory of the last file, and its path */
        char *parent_path;
        struct Late *late;   /* what is set at the end */
        size_t n_late;
        uint64_t members, bytes;
        uint64_t unchecked;  /* written since the free space was looked at */
        uint64_t reserve, reserve_files;
} Writer;

/* ROOT stays the caller's. */
int writer_init(Writer *writer, Report *report, int root);
void writer_done(Writer *writer);

/* Makes a member; for a file *RET_FD is where its content goes, else -EBADF. */
int writer_begin(Writer *writer, const Member *member, int *ret_fd);

/* Writes a part of a file. */
int writer_write(Writer *writer, int fd, const void *data, size_t size, uint64_t offset, const char *path);

/* Ends a file with its size, which may reach beyond the last part: owner, mode, attributes, time. Takes FD. */
int writer_end(Writer *writer, const Member *member, int fd_take, uint64_t size);

/* The rest, and what can be said of the whole. */
int writer_finish(Writer *writer);
