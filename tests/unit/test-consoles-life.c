/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of consoles when managers, guests and containers come and go (manager/console/). */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "consoles.h"
#include "spec/limits.h"
#include "test.h"

#define WEB "container@web.service"

static void turns(Stage *stage, unsigned n) {
        for (unsigned i = 0; i < n; i++)
                stage_turn(stage);
}

/* More than a socket and a ring take. */
static void guest_says_much(Stage *stage, const Pty *pty) {
        static char block[4001];

        for (size_t i = 0; i < 4000; i++)
                block[i] = "0123456789 abcdefgh\n"[i % 20];
        for (unsigned i = 0; i < 100; i++)
                guest_says_all(stage, pty, block);
}

/* The manager dies and another one goes on: nothing that the guest said is lost, before, meanwhile and after. */
static void test_restart(void) {
        Pty pty = pty_new();
        Stage stage;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        pty.master = fd_close(pty.master); /* the launcher has ended */
        client = attach(&stage, "web");
        guest_says_all(&stage, &pty, "before\n");
        CHECK(client_sees(&stage, client, "before\n"));

        /* In whatever order systemd hands them over. */
        for (unsigned i = 0; i < 2; i++) {
                Stored first;

                guest_says(&pty, "unread\n", 7);
                stage_kill(&stage);
                CHECK(client_sees_end(&stage, client));
                (void) close(client);
                guest_says(&pty, "meanwhile\n", 10);

                CHECK_INT(stage.n_stored, 2);
                first = stage.stored[0];
                stage.stored[0] = stage.stored[1];
                stage.stored[1] = first;
                stage_restart(&stage);

                CHECK_INT(consoles_count(stage.consoles), 1);
                CHECK_INT(stage.n_stored, 2);
                client = attach(&stage, "web");
                CHECK(client_sees(&stage, client, "unread\nmeanwhile\n"));
                CHECK(strncmp(text, "before\n", 7) == 0);
                guest_says_all(&stage, &pty, "after\n");
                CHECK(client_sees(&stage, client, "after\n"));
                client_says(client, "input\n");
                CHECK(guest_sees(&stage, &pty, "input\n"));
        }

        (void) close(client);
        pty_close(&pty);
        stage_down(&stage);
}

/* Containers that ended while there was no manager, and what cannot be used, go out of the store. */
static void test_restart_of_others(void) {
        Pty ended = pty_new(), goes_on = pty_new();
        _cleanup_close_ int other = memfd_create("other", MFD_CLOEXEC);
        Stage stage;
        int client;

        REQUIRE(other >= 0);
        stage_up(&stage);
        stage_hand_over(&stage, "container@gone.service", ended.master);
        stage_hand_over(&stage, WEB, goes_on.master);
        CHECK_INT(stage.n_stored, 4);

        stage_kill(&stage);
        /* A ring of another manager's making, and one whose console is lost. */
        REQUIRE(dup3(other, stage_stored(&stage, "ring-web"), O_CLOEXEC) >= 0);
        stage.stored[stage.n_stored] = (Stored) { "ring-lost", fcntl(other, F_DUPFD_CLOEXEC, 0) };
        stage.n_stored++;
        stage_restart(&stage);

        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK_INT(stage.n_stored, 2);
        CHECK(stage_stored(&stage, "console-web") >= 0);
        guest_says_all(&stage, &goes_on, "with a new ring\n");
        client = attach(&stage, "web");
        CHECK(client_sees(&stage, client, "with a new ring\n"));

        /* The new ring is what is kept. */
        stage_kill(&stage);
        stage_restart(&stage);
        (void) close(client);
        client = attach(&stage, "web");
        CHECK(client_sees(&stage, client, "with a new ring\n"));

        (void) close(client);
        pty_close(&ended);
        pty_close(&goes_on);
        stage_down(&stage);
}

/* A guest that reboots has a new terminal; who is attached stays so. */
static void test_reboot(void) {
        Pty old = pty_new(), new = pty_new();
        Stage stage;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, old.master);
        client = attach(&stage, "web");
        guest_says(&old, "rebooting\n", 10);
        stage_hand_over(&stage, WEB, new.master);
        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK_INT(stage.n_stored, 2);
        pty_close(&old);

        guest_says_all(&stage, &new, "booting\n");
        CHECK(client_sees(&stage, client, "rebooting\nbooting\n"));
        client_says(client, "root\n");
        CHECK(guest_sees(&stage, &new, "root\n"));

        /* The same one again does no harm. */
        stage_hand_over(&stage, WEB, new.master);
        guest_says_all(&stage, &new, "up\n");
        CHECK(client_sees(&stage, client, "up\n"));

        stage_kill(&stage);
        stage_restart(&stage);
        (void) close(client);
        client = attach(&stage, "web");
        CHECK(client_sees(&stage, client, "rebooting\nbooting\nup\n"));

        (void) close(client);
        pty_close(&new);
        stage_down(&stage);
}

/* All is gone at the end, but clients get the rest before. */
static void test_end(void) {
        Pty pty = pty_new();
        Stage stage;
        int client, silent;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        client = attach(&stage, "web");
        silent = attach(&stage, "web");

        guest_says_much(&stage, &pty);
        guest_says(&pty, "Bye.\n", 5);
        stage.up = false;
        consoles_forget(stage.consoles, "somebody-else");
        consoles_forget(stage.consoles, "web");
        CHECK(client_sees_end(&stage, client));
        CHECK(strlen(text) > 5 && strcmp(text + strlen(text) - 5, "Bye.\n") == 0);
        CHECK_INT(consoles_attach(stage.consoles, "web", &(int) { -EBADF }), CONSOLES_NONE);
        CHECK_INT(stage.n_stored, 0);
        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK_INT(stage.idle, 0);

        /* It is not cut off: it gets all. */
        text[0] = '\0';
        CHECK(stage_until(&stage, (read_more(silent, text, sizeof text), stage.idle > 0)));
        CHECK(!read_more(silent, text, sizeof text));
        CHECK(strlen(text) > 5 && strcmp(text + strlen(text) - 5, "Bye.\n") == 0);
        CHECK_INT(stage.idle, 1);
        CHECK_INT(consoles_count(stage.consoles), 0);

        (void) close(client);
        (void) close(silent);
        pty_close(&pty);
        stage_down(&stage);
}

/* The container is inactive, but for a moment that is too short to count. Only a machine that is busy makes it longer:
 * then the console is handed over again. */
static int restart_at_once(Stage *stage, const Pty *first) {
        uint64_t begin = 0;
        int client = -EBADF;

        for (unsigned tries = 0; tries < 20; tries++) {
                (void) fd_close(client);
                stage_hand_over(stage, WEB, first->master);
                client = attach(stage, "web");
                guest_says_all(stage, first, "the first run\n");
                begin = milliseconds();
                stage->up = false;
                consoles_forget(stage->consoles, "web");
                turns(stage, 5);
                stage->up = true;
                if (milliseconds() - begin < 900)
                        return client;
        }

        CHECK(milliseconds() - begin < 900);
        return client;
}

/* systemd's signals and launchers' messages come in any order, and a unit that restarts is inactive for a moment. */
static void test_order(void) {
        Pty first = pty_new(), second = pty_new(), failed = pty_new();
        Stage stage;
        int client;

        stage_up(&stage);

        /* A restart: its end is told before the next console comes, or after it. */
        client = restart_at_once(&stage, &first);
        stage_hand_over(&stage, WEB, second.master);
        consoles_forget(stage.consoles, "web");
        guest_says_all(&stage, &second, "the second run\n");
        CHECK(client_sees(&stage, client, "the first run\nthe second run\n"));
        turns(&stage, 300);
        guest_says_all(&stage, &second, "goes on\n");
        CHECK(client_sees(&stage, client, "goes on\n"));

        /* A start that failed before the console was seen: nobody ever says that it ended. */
        stage_hand_over(&stage, "container@gone.service", failed.master);
        CHECK_INT(consoles_count(stage.consoles), 2);
        CHECK(stage_until(&stage, stage_stored(&stage, "console-gone") < 0));
        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK_INT(stage.n_stored, 2);
        guest_says_all(&stage, &second, "goes on\n");
        CHECK(client_sees(&stage, client, "goes on\n"));

        (void) close(client);
        pty_close(&first);
        pty_close(&second);
        pty_close(&failed);
        stage_down(&stage);
}

/* One who never reads is cut off. */
static void test_linger(void) {
        Pty pty = pty_new();
        Stage stage;
        int client;

        stage_up(&stage);
        stage_hand_over(&stage, WEB, pty.master);
        client = attach(&stage, "web");
        guest_says_much(&stage, &pty);
        stage.up = false;
        consoles_forget(stage.consoles, "web");
        CHECK(stage_until(&stage, stage.n_stored == 0));
        CHECK_INT(consoles_count(stage.consoles), 1);
        CHECK(stage_until(&stage, consoles_count(stage.consoles) == 0));

        (void) close(client);
        pty_close(&pty);
        stage_down(&stage);
}

int main(void) {
        /* Only root may hand over consoles; what others may not is in test-consoles.c. */
        if (geteuid() != 0)
                return TEST_SKIPPED;

        test_restart();
        test_restart_of_others();
        test_reboot();
        test_end();
        test_order();
        test_linger();
        printf("%u checks, %u failed\n", test_checks, test_failures);
        return test_checks == 0 || test_failures > 0;
}
