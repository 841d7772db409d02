/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls and constants that the oldest supported C library (glibc 2.36) has no wrapper for.
 * Each returns what the kernel returns by the C convention: -1 and errno on failure.
 */
#pragma once

#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static inline int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
        struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

        return (int) syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

static inline pid_t sys_clone3(struct clone_args *args) {
        return (pid_t) syscall(SYS_clone3, args, sizeof *args);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old) {
        return (int) syscall(SYS_pivot_root, new_root, put_old);
}

static inline long sys_keyctl(int command, unsigned long arg2, unsigned long arg3) {
        return syscall(SYS_keyctl, command, arg2, arg3, 0UL, 0UL);
}
