/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of numbers for conditions. Only such as are the same on every architecture that berth filters for,
 * and whose meaning in an argument does not change with the C library.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "seccomp/profile.h"

#define ERROR_LAST 133 /* EHWPOISON, the last that has a name */

#define CONSTANT(name)                                                                                      \
        { #name, (uint64_t) (name) }

static const struct {
        const char *name;
        uint64_t value;
} constants[] = {
        CONSTANT(AF_ALG),
        CONSTANT(AF_APPLETALK),
        CONSTANT(AF_ATMPVC),
        CONSTANT(AF_ATMSVC),
        CONSTANT(AF_AX25),
        CONSTANT(AF_BLUETOOTH),
        CONSTANT(AF_CAIF),
        CONSTANT(AF_CAN),
        CONSTANT(AF_IEEE802154),
        CONSTANT(AF_INET),
        CONSTANT(AF_INET6),
        CONSTANT(AF_IPX),
        CONSTANT(AF_KCM),
        CONSTANT(AF_KEY),
        CONSTANT(AF_LLC),
        CONSTANT(AF_NETLINK),
        CONSTANT(AF_NETROM),
        CONSTANT(AF_NFC),
        CONSTANT(AF_PACKET),
        CONSTANT(AF_PHONET),
        CONSTANT(AF_PPPOX),
        CONSTANT(AF_QIPCRTR),
        CONSTANT(AF_RDS),
        CONSTANT(AF_ROSE),
        CONSTANT(AF_RXRPC),
        CONSTANT(AF_SMC),
        CONSTANT(AF_TIPC),
        CONSTANT(AF_UNIX),
        CONSTANT(AF_VSOCK),
        CONSTANT(AF_X25),
        CONSTANT(AF_XDP),
        CONSTANT(CLONE_NEWCGROUP),
        CONSTANT(CLONE_NEWIPC),
        CONSTANT(CLONE_NEWNET),
        CONSTANT(CLONE_NEWNS),
        CONSTANT(CLONE_NEWPID),
        CONSTANT(CLONE_NEWTIME),
        CONSTANT(CLONE_NEWUSER),
        CONSTANT(CLONE_NEWUTS),
        CONSTANT(KEYCTL_JOIN_SESSION_KEYRING),
        CONSTANT(MNT_DETACH),
        CONSTANT(MNT_FORCE),
        CONSTANT(MS_BIND),
        CONSTANT(MS_REMOUNT),
        CONSTANT(NETLINK_AUDIT),
        CONSTANT(NETLINK_KOBJECT_UEVENT),
        CONSTANT(NETLINK_NETFILTER),
        CONSTANT(NETLINK_ROUTE),
        CONSTANT(PER_LINUX),
        CONSTANT(PER_LINUX32),
        CONSTANT(PR_SET_SECCOMP),
        CONSTANT(S_IFBLK),
        CONSTANT(S_IFCHR),
        CONSTANT(S_IFMT),
        CONSTANT(S_IFIFO),
        CONSTANT(S_IFREG),
        CONSTANT(S_IFSOCK),
        CONSTANT(S_ISGID),
        CONSTANT(S_ISUID),
        CONSTANT(S_ISVTX),
        CONSTANT(SOCK_DGRAM),
        CONSTANT(SOCK_RAW),
        CONSTANT(SOCK_STREAM),
        CONSTANT(TIOCLINUX),
        CONSTANT(TIOCSETD),
        CONSTANT(TIOCSTI),
};

int constant_find(const char *name, uint64_t *ret) {
        for (size_t i = 0; i < ELEMENTSOF(constants); i++)
                if (streq(constants[i].name, name)) {
                        *ret = constants[i].value;
                        return 0;
                }

        return -ENOENT;
}

int error_find(const char *name, uint32_t *ret) {
        for (int error = 1; error <= ERROR_LAST; error++) {
                const char *own = strerrorname_np(error);

                if (own && streq(own, name)) {
                        *ret = (uint32_t) error;
                        return 0;
                }
        }

        return -ENOENT;
}
