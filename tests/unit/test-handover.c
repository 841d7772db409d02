/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The message on a transient unit's standard input: names, descriptors, and everything that is not such a message. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "spec/handover.h"
#include "spec/limits.h"
#include "test.h"

static void pair(int ends[static 2]) {
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
}

static size_t open_fds(void) {
        size_t n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;

        return n;
}

static bool same_file(int a, int b) {
        struct stat one, two;

        return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* What is sent arrives, after the sender has closed its end, once; a text of the largest size, too. */
static void test_round_trip(void) {
        static const char *const names[] = { "root", "data.1" };
        _cleanup_free_ char *large = malloc(FILE_SIZE_MAX + 1), *text = NULL, *again = NULL;
        int fds[2], ends[2];
        Handover handover = HANDOVER_NULL;
        size_t size;

        REQUIRE(large);
        memset(large, '#', FILE_SIZE_MAX + 1);
        fds[0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        pair(ends);

        CHECK_INT(handover_send(ends[0], large, FILE_SIZE_MAX + 1, names, fds, 2), -E2BIG);
        CHECK_INT(handover_send(ends[0], large, FILE_SIZE_MAX, names, fds, 2), 0);
        (void) close(ends[0]);

        REQUIRE(handover_receive(ends[1], &handover) == 0);
        CHECK_INT(handover.n_fds, 2);
        CHECK(same_file(handover_find(&handover, "root"), fds[0]));
        CHECK(same_file(handover_find(&handover, "data.1"), fds[1]));
        CHECK_INT(handover_find(&handover, "data"), -EBADF);
        CHECK(fcntl(handover.fds[0].fd, F_GETFD) & FD_CLOEXEC);

        /* As often as wanted: a guest's reboot reads it anew. */
        CHECK_INT(handover_read_definition(handover.definition, &text, &size), 0);
        CHECK_INT(size, FILE_SIZE_MAX);
        CHECK_INT(handover_read_definition(handover.definition, &again, &size), 0);
        CHECK(size == FILE_SIZE_MAX && memcmp(again, large, size) == 0);
        CHECK(write(handover.definition, "x", 1) < 0);

        handover_clear(&handover);
        CHECK_INT(handover_receive(ends[1], &handover), -ENODATA);
        (void) close(ends[1]);
        (void) close(fds[0]);
        (void) close(fds[1]);
}

static void test_most(void) {
        char texts[HANDOVER_FDS_MAX + 1][HANDOVER_NAME_MAX + 1];
        const char *names[HANDOVER_FDS_MAX + 1];
        int fds[HANDOVER_FDS_MAX + 1], ends[2];
        Handover handover = HANDOVER_NULL;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                memset(texts[i], 'x', HANDOVER_NAME_MAX);
                (void) snprintf(texts[i], 8, "%06zu", i);
                texts[i][6] = '-';
                texts[i][HANDOVER_NAME_MAX] = '\0';
                names[i] = texts[i];
                fds[i] = open("/", O_PATH | O_CLOEXEC);
        }
        pair(ends);

        CHECK_INT(handover_send(ends[0], "", 0, names, fds, HANDOVER_FDS_MAX + 1), -E2BIG);
        CHECK_INT(handover_send(ends[0], "", 0, names, fds, HANDOVER_FDS_MAX), 0);
        CHECK_INT(handover_receive(ends[1], &handover), 0);
        CHECK_INT(handover.n_fds, HANDOVER_FDS_MAX);
        CHECK(handover_find(&handover, names[HANDOVER_FDS_MAX - 1]) >= 0);

        handover_clear(&handover);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                (void) close(fds[i]);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void test_names(void) {
        static const char *const bad[] = { "", ".x", "-x", "_x", "a b", "a/b", "a:b", "a\n", "\xc3\xa4",
                                           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" };
        char data[HANDOVER_DATA_MAX];
        size_t size;

        CHECK(handover_name_is_valid("0") && handover_name_is_valid("Root_1.x-"));
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                CHECK(!handover_name_is_valid(bad[i]));
                CHECK_INT(handover_encode(&bad[i], 1, data, &size), -EINVAL);
        }
        CHECK_INT(handover_encode((const char *const[]) { "a", "b", "a" }, 3, data, &size), -EINVAL);
}

static void test_one_file_twice(void) {
        static const char *const names[] = { "a", "b" };
        int ends[2], fd = open("/", O_PATH | O_CLOEXEC), copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

        pair(ends);
        CHECK_INT(handover_send(ends[0], "", 0, names, (const int[]) { fd, copy }, 2), -EEXIST);
        (void) close(fd);
        (void) close(copy);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

static void send_raw(int socket, const char *data, size_t size, const int *fds, size_t n) {
        union {
                struct cmsghdr header;
                char bytes[CMSG_SPACE(sizeof(int) * 253)];
        } control = {};
        struct iovec iov = { .iov_base = (char *) data, .iov_len = size };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n > 0) {
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n);
                control.header = (struct cmsghdr) {
                        .cmsg_len = CMSG_LEN(sizeof(int) * n), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n);
        }
        REQUIRE(sendmsg(socket, &message, MSG_NOSIGNAL) >= 0);
}

/* None is taken, and no descriptor stays behind. */
static void test_wrong_messages(void) {
        char large[HANDOVER_DATA_MAX + 1];
        int sealed = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING), plain = memfd_create("x", MFD_CLOEXEC);
        int ends[2], many[253];

        memset(large, 'x', sizeof large);
        memcpy(large, HANDOVER_MAGIC, strlen(HANDOVER_MAGIC));
        REQUIRE(fcntl(sealed, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0);
        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                many[i] = sealed;
        pair(ends);

        const struct {
                const char *data;
                size_t size;
                const int *fds;
                size_t n;
        } rows[] = {
                { HANDOVER_MAGIC, strlen(HANDOVER_MAGIC), NULL, 0 },
                { HANDOVER_MAGIC, strlen(HANDOVER_MAGIC), many, 2 },
                { HANDOVER_MAGIC, strlen(HANDOVER_MAGIC), many, 253 },
                { HANDOVER_MAGIC, strlen(HANDOVER_MAGIC), &plain, 1 },
                { HANDOVER_MAGIC, strlen(HANDOVER_MAGIC), &ends[0], 1 },
                { HANDOVER_MAGIC "a\n", strlen(HANDOVER_MAGIC) + 2, many, 1 },
                { "", 0, many, 1 },
                { "nonsense", 8, many, 1 },
                { large, sizeof large, many, 1 },
        };
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Handover handover = HANDOVER_NULL;
                size_t before = open_fds();

                send_raw(ends[0], rows[i].data, rows[i].size, rows[i].fds, rows[i].n);
                CHECK_INT(handover_receive(ends[1], &handover), -EBADMSG);
                CHECK_INT(open_fds(), before);
        }

        (void) close(sealed);
        (void) close(plain);
        (void) close(ends[0]);
        (void) close(ends[1]);
}

TESTS(test_round_trip, test_most, test_names, test_one_file_twice, test_wrong_messages)
