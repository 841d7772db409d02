/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consoles in the manager (manager/console/), with real pseudo-terminals and without systemd. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "consoles.h"
#include "spec/limits.h"
#include "test.h"

#define WEB "container@web.service"

static void test_both_ways(void) {
        Stage stage;
        Pty pty = pty_new();
        int one, two;

        stage_up(&stage);
        CHECK_INT(consoles_attach(stage.consoles, "web", &one), CONSOLES_NONE);
        stage_hand_over(&stage, WEB, pty.master);
        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK(stage_stored(&stage, "console-web") >= 0);
        CHECK(stage_stored(&stage, "ring-web") >= 0);

        guest_says_all(&stage, &pty, "booting\n");
        one = attach(&stage, "web");
        CHECK(client_sees(&stage, one, "booting\n"));
        guest_says_all(&stage, &pty, "login: ");
        CHECK(client_sees(&stage, one, "login: "));
        two = attach(&stage, "web");
        CHECK(client_sees(&stage, two, "booting\nlogin: "));

        client_says(one, "root\n");
        CHECK(guest_sees(&stage, &pty, "root\n"));
        client_says(two, "secret\n");
        CHECK(guest_sees(&stage, &pty, "secret\n"));
        guest_says_all(&stage, &pty, "# ");
        CHECK(client_sees(&stage, one, "# "));
        CHECK(client_sees(&stage, two, "# "));

        (void) close(one);
        (void) close(two);
        pty_close(&pty);
        stage_down(&stage);
}

static void test_what_is_refused(void) {
        Stage stage;
        Pty pty = pty_new();
        int fds[3] = { pty.master, pty.master, pty.master }, pipe_ends[2];
        unsigned before;

        stage_up(&stage);
        REQUIRE(pipe2(pipe_ends, O_CLOEXEC) == 0);

        stage_send(&stage, WEB, strlen(WEB), NULL, 0);
        stage_send(&stage, WEB, strlen(WEB), fds, 2);
        stage_send(&stage, WEB, strlen(WEB), fds, 3);
        stage_send(&stage, WEB, strlen(WEB), &pty.slave, 1);
        stage_send(&stage, WEB, strlen(WEB), pipe_ends, 1);
        stage_send(&stage, WEB, strlen(WEB), &stage.listener, 1);
        stage_send(&stage, WEB, strlen(WEB) + 1, &pty.master, 1);
        stage_send(&stage, WEB "\n", strlen(WEB) + 1, &pty.master, 1);
        stage_send(&stage, "", 0, &pty.master, 1);
        stage_send(&stage, "web", 3, &pty.master, 1);
        stage_send(&stage, "ssh.service", 11, &pty.master, 1);
        stage_send(&stage, "container@.service", 18, &pty.master, 1);
        stage_send(&stage, "container@../x.service", 22, &pty.master, 1);
        memset(text, 'a', 4096);
        stage_send(&stage, text, 4096, &pty.master, 1);
        for (unsigned i = 0; i < 200; i++)
                stage_turn(&stage);
        CHECK_INT(consoles_count(stage.consoles), 0);
        CHECK_INT(stage.n_stored, 0);

        /* After all these, one that is right. */
        before = stage.stores;
        stage_send(&stage, "container-run-job.service", 25, &pty.master, 1);
        CHECK(geteuid() != 0 || stage_until(&stage, stage.stores > before));
        CHECK(geteuid() != 0 || stage_stored(&stage, "console-job") >= 0);

        (void) close(pipe_ends[0]);
        (void) close(pipe_ends[1]);
        pty_close(&pty);
        stage_down(&stage);
}

static void test_flood(void) {
        static char flood[8192];
        Pty noisy = pty_new(), calm = pty_new();
        size_t written = 0, limit;
        uint64_t begin, passed;
        Stage stage;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, noisy.master);
        stage_hand_over(&stage, "container@calm.service", calm.master);
        memset(flood, 'y', sizeof flood);
        client = attach(&stage, "calm");

        begin = milliseconds();
        while (milliseconds() - begin < 1500 ||
               (written <= CONSOLE_BURST && milliseconds() - begin < STAGE_LIMIT_MSEC)) {
                written += guest_says(&noisy, flood, sizeof flood);
                stage_turn(&stage);
        }
        guest_says_all(&stage, &calm, "still here\n");
        CHECK(client_sees(&stage, client, "still here\n"));

        /* What was read beyond the first burst is what the rate allows; the terminal holds some, too. */
        passed = milliseconds() - begin;
        limit = CONSOLE_BURST + CONSOLE_DISPATCH_SIZE + 256 * 1024 + (size_t) (passed * CONSOLE_RATE / 1000);
        CHECK(written <= limit);
        CHECK(written > CONSOLE_BURST);

        (void) close(client);
        client = attach(&stage, "web");
        text[0] = '\0';
        CHECK(stage_until(&stage, (read_more(client, text, sizeof text), strlen(text) >= CONSOLE_RING_SIZE)));

        (void) close(client);
        pty_close(&noisy);
        pty_close(&calm);
        stage_down(&stage);
}

/* A client that does not read loses what the ring has lost, and nothing else; others lose nothing. */
static void test_slow_client(void) {
        static const char first[] = "the first line\n", line[] = "0123456789abcdef 0123456789ABCDEF\n";
        char block[64 * (sizeof line - 1) + 1] = "";
        size_t n = (3 * CONSOLE_RING_SIZE + 512 * 1024) / (sizeof block - 1), seen = 0;
        Pty pty = pty_new();
        char *notice;
        Stage stage;
        int slow, fast;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        for (size_t i = 0; i + 1 < sizeof block; i += sizeof line - 1)
                memcpy(block + i, line, sizeof line);
        slow = attach(&stage, "web");
        fast = attach(&stage, "web");
        guest_says_all(&stage, &pty, first);
        CHECK(client_sees(&stage, fast, first));

        for (size_t i = 0; i < n; i++) {
                guest_says_all(&stage, &pty, block);
                text[0] = '\0';
                (void) read_more(fast, text, sizeof text);
                seen += strlen(text);
        }
        guest_says_all(&stage, &pty, "the last line\n");
        text[0] = '\0';
        CHECK(stage_until(&stage, (read_more(fast, text, sizeof text), strstr(text, "the last line\n"))));
        CHECK_INT(seen + strlen(text), n * strlen(block) + strlen("the last line\n"));

        CHECK(client_sees(&stage, slow, "the last line\n"));
        CHECK(strncmp(text, first, strlen(first)) == 0);
        notice = strstr(text, "bytes were lost here");
        REQUIRE(notice);
        CHECK(!strstr(notice + 1, "bytes were lost here"));
        notice = strchr(notice, '\n');
        CHECK(notice && strncmp(notice + 1, line, strlen(line)) == 0);

        (void) close(slow);
        (void) close(fast);
        pty_close(&pty);
        stage_down(&stage);
}

static void test_number_of_clients(void) {
        int clients[CONSOLE_CLIENTS_MAX], more = -EBADF;
        Pty pty = pty_new();
        Stage stage;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                clients[i] = attach(&stage, "web");
        CHECK_INT(consoles_attach(stage.consoles, "web", &more), CONSOLES_MANY_CLIENTS);
        CHECK_INT(more, -EBADF);

        (void) close(clients[3]);
        CHECK(stage_until(&stage, consoles_attach(stage.consoles, "web", &clients[3]) == 0));

        /* Input of one that is gone already, and output to one that only closed its writing side. */
        client_says(clients[0], "last words\n");
        (void) close(clients[0]);
        CHECK(guest_sees(&stage, &pty, "last words\n"));
        REQUIRE(shutdown(clients[1], SHUT_WR) == 0);
        guest_says_all(&stage, &pty, "an answer\n");
        CHECK(client_sees(&stage, clients[1], "an answer\n"));

        for (size_t i = 1; i < ELEMENTSOF(clients); i++)
                (void) close(clients[i]);
        pty_close(&pty);
        stage_down(&stage);
}

/* What the guest has read of what was sent to it, in all. */
static size_t guest_takes(const Pty *pty, size_t got) {
        ssize_t n;

        while ((n = read(pty->slave, text, 65536)) > 0)
                got += (size_t) n;

        return got;
}

/* A guest that takes no input does not keep the loop busy, and gets it when it reads. */
static void test_input_waits(void) {
        size_t sent = 0, got = 0;
        Pty pty = pty_new();
        Stage stage;
        ssize_t n;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        client = attach(&stage, "web");

        memset(text, 'i', 65536);
        for (unsigned i = 0; i < 200; i++) {
                n = send(client, text, 65536, MSG_DONTWAIT | MSG_NOSIGNAL);
                sent += n > 0 ? (size_t) n : 0;
                stage_turn(&stage);
        }
        CHECK(sent > 65536 && sent < 64 * 65536);

        CHECK(stage_until(&stage, (got = guest_takes(&pty, got)) == sent));

        (void) close(client);
        pty_close(&pty);
        stage_down(&stage);
}

static void guest_opens_again(Stage *stage, Pty *pty) {
        pty->slave = fd_close(pty->slave);
        for (unsigned turn = 0; turn < 5; turn++)
                stage_turn(stage);
        pty->slave = ioctl(pty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        REQUIRE(pty->slave >= 0);
}

/* Guests close their console and open it again, and hang it up before a login. */
static void test_hangups(void) {
        Pty pty = pty_new();
        Stage stage;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        client = attach(&stage, "web");

        for (unsigned i = 0; i < 5; i++) {
                guest_opens_again(&stage, &pty);
                /* Needs CAP_SYS_ADMIN; it kills all descriptors of this end, whose ever they are. */
                if (ioctl(pty.slave, TIOCVHANGUP, 0) == 0)
                        guest_opens_again(&stage, &pty);

                guest_says_all(&stage, &pty, "again");
                CHECK(client_sees(&stage, client, "again"));
                client_says(client, "yes\n");
                CHECK(guest_sees(&stage, &pty, "yes\n"));
        }

        (void) close(client);
        pty_close(&pty);
        stage_down(&stage);
}

int main(void) {
        /* Only root may hand over consoles; of others there is to see that they may not. */
        test_what_is_refused();
        if (geteuid() == 0) {
                test_both_ways();
                test_flood();
                test_slow_client();
                test_number_of_clients();
                test_input_waits();
                test_hangups();
        }
        printf("%u checks, %u failed\n", test_checks, test_failures);
        return test_checks == 0 || test_failures > 0;
}
