/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/seccomp/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/store/cache.h"
#include "spec/seccomp.h"

#define PROGRAM_SIZE_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

int seccomp_cache_open(int *ret_directory) {
        return cache_open(SECCOMP_CACHE, ret_directory);
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
        _cleanup_close_ int file = -EBADF;
        _cleanup_free_ char *data = NULL;
        size_t size;
        int r;

        r = cache_read(directory, name, PROGRAM_SIZE_MAX, &data, &size, &file);
        if (r < 0)
                return r;
        if (size % sizeof(struct sock_filter) != 0)
                return -ENOENT;

        program_set(ret, TAKE_PTR(data), size, TAKE_FD(file));
        return 0;
}

static int write_memory(const void *instructions, size_t size, int *ret) {
        _cleanup_close_ int fd = memfd_create("berth-seccomp", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = cache_write_to(fd, instructions, size);
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
                r = cache_write(directory, name, instructions, size, &fd);
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
