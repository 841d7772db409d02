/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/sha256.h"
#include "spec/seccomp.h"

#define PROGRAM_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define CACHE_PARENT "/var/cache/berth"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_roots_alone(const struct stat *st) {
        return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

int seccomp_cache_open(int *ret_directory) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        fd = open(SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
                if ((mkdir(CACHE_PARENT, 0755) < 0 && errno != EEXIST) ||
                    (mkdir(SECCOMP_CACHE, 0700) < 0 && errno != EEXIST))
                        return -errno;
                fd = open(SECCOMP_CACHE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        }
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!is_roots_alone(&st))
                return -EPERM;

        *ret_directory = TAKE_FD(fd);
        return 0;
}

static void digest(const void *data, size_t size, uint8_t ret[static SHA256_SIZE]) {
        Sha256 hash;

        sha256_init(&hash);
        sha256_add(&hash, data, size);
        sha256_finish(&hash, ret);
}

/* Takes DATA, which has the instructions in SIZE bytes. */
static void program_set(SeccompProgram *program, char *data_take, size_t size, int file_take) {
        program->instructions = (struct sock_filter *) (void *) data_take;
        program->n = size / sizeof *program->instructions;
        program->file = file_take;
        program->notifies = false;
        for (size_t i = 0; i < program->n; i++)
                if (program->instructions[i].code == (BPF_RET | BPF_K) &&
                    (program->instructions[i].k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
                        program->notifies = true;
}

int seccomp_cache_read(int directory, const char *name, SeccompProgram *ret) {
        _cleanup_close_ int fd = -EBADF;
        _cleanup_free_ char *data = NULL;
        uint8_t hash[SHA256_SIZE];
        struct stat st;
        size_t size;
        int r;

        fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return errno == ELOOP ? -ENOENT : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || !is_roots_alone(&st))
                return -ENOENT;

        r = fd_read_all(fd, PROGRAM_SIZE_MAX + SHA256_SIZE, &data, &size);
        if (r < 0)
                return r == -EFBIG ? -ENOENT : r;
        if (size <= SHA256_SIZE || size % sizeof(struct sock_filter) != 0)
                return -ENOENT;
        size -= SHA256_SIZE;
        digest(data, size, hash);
        if (memcmp(data + size, hash, sizeof hash) != 0)
                return -ENOENT;

        program_set(ret, TAKE_PTR(data), size, TAKE_FD(fd));
        return 0;
}

static int write_program(int fd, const void *instructions, size_t size) {
        uint8_t hash[SHA256_SIZE];
        int r;

        digest(instructions, size, hash);
        r = fd_write_all(fd, instructions, size);
        return r < 0 ? r : fd_write_all(fd, hash, sizeof hash);
}

/* Under another name first: what a start finds under this one is whole, unless the power failed. */
static int write_file(int directory, const char *name, const void *instructions, size_t size, int *ret) {
        _cleanup_close_ int fd = -EBADF, readable = -EBADF;
        char temporary[SHA256_TEXT_SIZE + 32];
        int r;

        (void) snprintf(temporary, sizeof temporary, ".%s.%d", name, (int) getpid());
        (void) unlinkat(directory, temporary, 0);
        fd = openat(directory, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;
        r = write_program(fd, instructions, size);
        if (r == 0) {
                readable = openat(directory, temporary, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
                r = readable < 0 || renameat(directory, temporary, directory, name) < 0 ? -errno : 0;
        }
        if (r < 0) {
                (void) unlinkat(directory, temporary, 0);
                return r;
        }

        *ret = TAKE_FD(readable);
        return 0;
}

static int write_memory(const void *instructions, size_t size, int *ret) {
        _cleanup_close_ int fd = memfd_create("berth-seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = write_program(fd, instructions, size);
        if (r < 0)
                return r;
        if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
                return -errno;

        *ret = TAKE_FD(fd);
        return 0;
}

int seccomp_cache_keep(
                int directory,
                const char *name,
                const void *instructions,
                size_t size,
                SeccompProgram *ret) {
        _cleanup_close_ int fd = -EBADF;
        char *copy;
        int r = -EBADF;

        if (size == 0 || size > PROGRAM_SIZE_MAX || size % sizeof(struct sock_filter) != 0)
                return -EBADMSG;
        if (directory >= 0)
                r = write_file(directory, name, instructions, size, &fd);
        if (r < 0)
                r = write_memory(instructions, size, &fd);
        if (r < 0)
                return r;

        copy = malloc(size);
        if (!copy)
                return -ENOMEM;
        memcpy(copy, instructions, size);
        program_set(ret, copy, size, TAKE_FD(fd));
        return 0;
}
