/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define _GNU_SOURCE 1
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define HIGH (UINT64_C(1) << 32)
#define KEYCTL_GET_KEYRING_ID 0L
#define KEY_SPEC_SESSION_KEYRING (-3L)

static void say(const char *name, long result) {
        printf("call.%s=%s\n", name, result < 0 ? strerrorname_np(errno) : "ok");
}

#ifdef __x86_64__
/* As a program of 32 bits makes it. What it points to has to lie in the first 4 GiB, as all of this program
 * does. */
static long call_x86(long number, long a, long b, long c) {
        long result;

        __asm__ volatile("int $0x80"
                         : "=a"(result)
                         : "0"(number), "b"(a), "c"(b), "d"(c)
                         : "memory", "r8", "r9", "r10", "r11");
        result = (int) result;
        if (result < 0) {
                errno = (int) -result;
                return -1;
        }
        return result;
}

static void try_x86(void) {
        static unsigned arguments[3] = { AF_INET, SOCK_STREAM, 0 };

        say("x86.getpid", call_x86(20, 0, 0, 0));
        say("x86.socket.af_alg", call_x86(359, AF_ALG, SOCK_SEQPACKET, 0));
        say("x86.socket.af_inet", call_x86(359, AF_INET, SOCK_STREAM, 0));
        say("x86.socketcall.af_inet", call_x86(102, 1, (long) (intptr_t) arguments, 0));
        say("x86.mount", call_x86(21, 0, 0, 0));
        say("x86.bpf", call_x86(357, 9999, 0, 0));
        say("x86.unknown", call_x86(1000, 0, 0, 0));
}
#else
static void try_x86(void) {
}
#endif

void calls_try_all(void) {
        const uint32_t action = SECCOMP_RET_KILL_PROCESS;
        char buffer[16];

        say("getpid", syscall(SYS_getpid));
        say("bpf", syscall(SYS_bpf, 9999L, 0L, 0L));
        say("perf_event_open", syscall(SYS_perf_event_open, 0L, 0L, 0L, 0L, 0L));
        say("userfaultfd", syscall(SYS_userfaultfd, -1L));
        say("io_uring_setup", syscall(SYS_io_uring_setup, 0L, 0L));
        say("open_by_handle_at", syscall(SYS_open_by_handle_at, -1L, 0L, 0L));
        say("fanotify_init", syscall(SYS_fanotify_init, -1L, 0L));
        say("kexec_load", syscall(SYS_kexec_load, 0L, 0L, 0L, -1L));
        say("init_module", syscall(SYS_init_module, 0L, 0L, 0L));
        say("swapon", syscall(SYS_swapon, "/nothing", 0L));
        say("syslog", syscall(SYS_syslog, 3L, buffer, (long) sizeof buffer));
        say("quotactl", syscall(SYS_quotactl, -1L, 0L, 0L, 0L));
        say("tiocsti", syscall(SYS_ioctl, -1L, (uint64_t) TIOCSTI, "x"));
        say("tiocsti.high", syscall(SYS_ioctl, -1L, (uint64_t) TIOCSTI | HIGH, "x"));
        say("tioclinux", syscall(SYS_ioctl, -1L, (uint64_t) TIOCLINUX, "x"));
        say("af_alg", syscall(SYS_socket, (uint64_t) AF_ALG, (long) SOCK_SEQPACKET, 0L));
        say("af_alg.high", syscall(SYS_socket, (uint64_t) AF_ALG | HIGH, (long) SOCK_SEQPACKET, 0L));
        say("af_vsock", syscall(SYS_socket, (uint64_t) AF_VSOCK, (long) SOCK_STREAM, 0L));
        say("af_inet", syscall(SYS_socket, (uint64_t) AF_INET, (long) SOCK_STREAM, 0L));
        say("netlink_audit",
            syscall(SYS_socket, (uint64_t) AF_NETLINK, (long) SOCK_RAW, (uint64_t) NETLINK_AUDIT));
        say("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0L, 0L, 0L));
        say("request_key.callout", syscall(SYS_request_key, "user", "berth-probe", "x", 0L));
        say("mknod", syscall(SYS_mknodat, (long) AT_FDCWD, "/dev/shm/probe-null", (long) (S_IFCHR | 0600),
                             (long) makedev(1, 3)));
        say("whiteout",
            syscall(SYS_mknodat, (long) AT_FDCWD, "/dev/shm/probe-whiteout", (long) (S_IFCHR | 0600), 0L));
        say("fsopen", syscall(SYS_fsopen, "tmpfs", 0L));
        say("seccomp", syscall(SYS_seccomp, (long) SECCOMP_GET_ACTION_AVAIL, 0L, &action));
        say("unknown", syscall(1000L));
        try_x86();
        say("unshare.mount", unshare(CLONE_NEWNS));
}

void calls_notified(void) {
        for (int i = 0; i < 4; i++)
                printf("notified=%s\n", syscall(SYS_getpgid, 0L) < 0 ? strerrorname_np(errno) : "ok");
}
