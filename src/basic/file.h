/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading and writing small files whole, and opening beneath a descriptor. All are relative to a directory
 * descriptor (AT_FDCWD for none) and close-on-exec.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads a whole file of at most max bytes (a larger one is -EFBIG) and ends it with a NUL that does not count.
 * Works for files of /proc and /sys, whose size is not told beforehand. */
int file_read(int dirfd, const char *path, size_t max, char **ret, size_t *ret_size);

/* The same for a descriptor, from where it stands. */
int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size);

/* Writes a text into an existing file with one write(2), as /proc, /sys and cgroup files want it. */
int file_write(int dirfd, const char *path, const char *text);

/* Writes all of a buffer; short writes are continued. */
int fd_write_all(int fd, const void *data, size_t size);

/* Makes a new file with this content; -EEXIST if there is one already. */
int file_create(int dirfd, const char *path, mode_t mode, const char *text);

/* Opens a path beneath dirfd, without following any symbolic link in it: -ELOOP tells that there is one.
 * Mount points are crossed. flags are those of open(2); O_CLOEXEC is added. A leading "/" means dirfd. */
int open_beneath(int dirfd, const char *path, int flags);

/* The same, but symbolic links are followed as if dirfd were the root directory, as a process inside sees them. */
int open_in_root(int dirfd, const char *path, int flags);
