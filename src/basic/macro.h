/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small language helpers that everything uses: array length, ownership transfer, flags.
 * Nothing here allocates or calls the system.
 */
#pragma once

#include <stddef.h>

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

/* Hands a resource on: yields the value and leaves the "none" value behind, so that the cleanup variable
 * that owned it does nothing. */
#define TAKE_VALUE(var, none)                        \
        __extension__({                              \
                __typeof__(var) *_take = &(var);     \
                __typeof__(var) _taken = *_take;     \
                *_take = (none);                     \
                _taken;                              \
        })
#define TAKE_PTR(ptr) TAKE_VALUE(ptr, NULL)
#define TAKE_FD(fd) TAKE_VALUE(fd, -EBADF)

#define FLAGS_SET(value, flags) (((value) & (flags)) == (flags))

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))
#define _nonnull_return_ __attribute__((returns_nonnull))
