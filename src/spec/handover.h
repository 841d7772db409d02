/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a transient unit finds on its standard input: one message on a SOCK_SEQPACKET socket, with the
 * definition and the descriptors that the definition calls fd:NAME. `berth-helper-serve` sends it,
 * `berth-helper launch --stdin` reads it.
 *
 *   data    "berth-handover 1\n", then one line for each further descriptor: its name
 *   fds     a sealed memfd with the definition's text, then the further descriptors in the order of their
 * names
 *
 * The launcher keeps all of it in the unit's descriptor store, under the names below, for the guest's next
 * reboot: the unit has to have room for HANDOVER_STORE_MAX descriptors (FileDescriptorStoreMax=).
 *
 *      int ends[2];
 *      socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
 *      handover_send(ends[0], text, size, names, fds, n);
 *      close(ends[0]);                   ends[1] is the unit's StandardInputFileDescriptor=
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HANDOVER_NAME_MAX 63 /* bytes of a descriptor's name */
#define HANDOVER_FDS_MAX 64  /* with names; the definition comes on top */
#define HANDOVER_MAGIC "berth-handover 1\n"
#define HANDOVER_DATA_MAX (sizeof HANDOVER_MAGIC - 1 + HANDOVER_FDS_MAX * (HANDOVER_NAME_MAX + 1))

#define HANDOVER_STORE_DEFINITION "berth-definition"
#define HANDOVER_STORE_PREFIX "berth-fd-" /* and the name */
#define HANDOVER_STORE_MAX 96             /* beside locks, console, notification socket and filter */

/* 1 to 63 of A-Z, a-z, 0-9, "_", "-" and ".", the first of them a letter or digit. */
bool handover_name_is_valid(const char *name);
#define HANDOVER_NAME_RULE                                                                                  \
        "a descriptor's name is 1 to 63 letters, digits, '_', '-' and '.', and begins with a letter or "    \
        "digit"

typedef struct HandoverFd {
        char name[HANDOVER_NAME_MAX + 1];
        int fd;
} HandoverFd;

typedef struct Handover {
        int definition; /* the memfd, or -EBADF */
        HandoverFd fds[HANDOVER_FDS_MAX];
        size_t n_fds;
} Handover;

#define HANDOVER_NULL                                                                                       \
        { .definition = -EBADF }

/* Closes the descriptors. */
void handover_clear(Handover *handover);

/* The descriptor of that name, -EBADF if there is none. */
int handover_find(const Handover *handover, const char *name);

/* The data of a message with descriptors of these names, of at most HANDOVER_DATA_MAX bytes. -EINVAL: a name
 * is not valid or stands there twice; -E2BIG: there are too many. */
int handover_encode(
                const char *const *names, size_t n, char ret[static HANDOVER_DATA_MAX], size_t *ret_size);

/* The names in the data; the descriptors are left alone. -EBADMSG when the data is anything else than what
 * handover_encode() makes. */
int handover_decode(const char *data, size_t size, Handover *handover);

/* Sends the message, with duplicates of the descriptors. -EINVAL and -E2BIG as above and when the text is
 * larger than a definition can be. -EEXIST: two names stand for one open file, which systemd would store
 * only once. */
int handover_send(
                int socket,
                const char *text,
                size_t text_size,
                const char *const *names,
                const int *fds,
                size_t n);

/* Reads the message. -ENODATA when there is none, because it was read before; -EBADMSG for any that is not
 * as above, the seals of the memfd included. */
int handover_receive(int socket, Handover *ret);

/* The text of the definition, which the caller frees. */
int handover_read_definition(int fd, char **ret, size_t *ret_size);
