/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Between a person and a console: when the escape counts, and what is carried when one side ends.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/relay.h"
#include "test.h"

#define SECOND UINT64_C(1000000)

static void test_escape(void) {
        Escape escape = { 0 };

        CHECK(escape_typed(&escape, "\x1d\x1d\x1d", 3, 5 * SECOND));
        escape = (Escape){ 0 };
        CHECK(!escape_typed(&escape, "\x1d", 1, 0));
        CHECK(!escape_typed(&escape, "\x1d", 1, SECOND / 2));
        CHECK(escape_typed(&escape, "\x1d", 1, SECOND));
        escape = (Escape){ 0 };
        CHECK(!escape_typed(&escape, "\x1d\x1d", 2, 0));
        CHECK(!escape_typed(&escape, "\x1d", 1, SECOND + 1)); /* too late: it is the first of new ones */
        CHECK(!escape_typed(&escape, "\x1d", 1, SECOND + 2));
        CHECK(escape_typed(&escape, "\x1d", 1, SECOND + 3));
        escape = (Escape){ 0 };
        CHECK(!escape_typed(&escape, "\x1d\x1d x \x1d", 6, 0)); /* not in a row */
        CHECK(!escape_typed(&escape, "", 0, 0));
        CHECK(escape_typed(&escape, "\x1d\x1d", 2, 0));
}

/* Input and output are pipes, the console a pair of sockets. */
typedef struct Ends {
        int input[2], output[2], console[2], signals;
} Ends;

static Ends ends_open(void) {
        Ends ends;

        REQUIRE(pipe(ends.input) == 0 && pipe(ends.output) == 0);
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.console) == 0);
        ends.signals = eventfd(0, 0);
        REQUIRE(ends.signals >= 0);

        return ends;
}

static void ends_close(Ends *ends) {
        for (unsigned i = 0; i < 2; i++) {
                close(ends->input[i]);
                close(ends->output[i]);
                close(ends->console[i]);
        }
        close(ends->signals);
}

static int run(const Ends *ends, bool escapes, RelayEnd *ret_end) {
        return relay(ends->input[0], ends->output[1], ends->console[0], ends->signals, escapes, ret_end);
}

/* What the console has said before it ended still comes, also after the end of the input. */
static void test_end_of_console(void) {
        Ends ends = ends_open();
        char text[16] = "";
        RelayEnd end;

        REQUIRE(write(ends.console[1], "last words", 10) == 10);
        REQUIRE(shutdown(ends.console[1], SHUT_RDWR) == 0);
        REQUIRE(dup2(ends.input[0], ends.input[1]) >= 0); /* nobody writes */
        CHECK_INT(run(&ends, false, &end), 0);
        CHECK_INT(end, RELAY_HANGUP);
        CHECK_INT(read(ends.output[0], text, sizeof text), 10);
        CHECK_STR(text, "last words");
        ends_close(&ends);
}

static void test_end_of_output(void) {
        Ends ends = ends_open();
        RelayEnd end;

        (void) signal(SIGPIPE, SIG_IGN);
        REQUIRE(write(ends.console[1], "to nobody", 9) == 9);
        close(ends.output[0]);
        ends.output[0] = dup(ends.input[0]);
        CHECK_INT(run(&ends, false, &end), 0);
        CHECK_INT(end, RELAY_HANGUP);
        ends_close(&ends);
}

static void test_ends_by_the_user(void) {
        Ends ends = ends_open();
        RelayEnd end;

        REQUIRE(write(ends.input[1], "x\x1d\x1d\x1d", 4) == 4);
        CHECK_INT(run(&ends, true, &end), 0);
        CHECK_INT(end, RELAY_ESCAPED);
        REQUIRE(eventfd_write(ends.signals, 1) == 0);
        CHECK_INT(run(&ends, true, &end), 0);
        CHECK_INT(end, RELAY_SIGNAL);
        ends_close(&ends);
}

/* More than any buffer holds, both ways at once, and a pipe is no place for escapes. */
#define FLOOD 300000

static void *feed(void *userdata) {
        const Ends *ends = userdata;
        static char data[FLOOD];

        memset(data, ESCAPE_CHARACTER, sizeof data);
        for (size_t done = 0; done < sizeof data;) {
                ssize_t n = write(ends->input[1], data + done, sizeof data - done);

                REQUIRE(n > 0);
                done += (size_t) n;
        }

        return NULL;
}

static void *echo(void *userdata) {
        const Ends *ends = userdata;
        char buffer[1000];
        size_t all = 0;

        while (all < FLOOD) {
                ssize_t n = read(ends->console[1], buffer, sizeof buffer);

                REQUIRE(n > 0 && write(ends->console[1], buffer, (size_t) n) == n);
                all += (size_t) n;
        }
        REQUIRE(shutdown(ends->console[1], SHUT_RDWR) == 0);

        return NULL;
}

static void *drain(void *userdata) {
        const Ends *ends = userdata;
        char buffer[700];
        size_t all = 0;

        while (all < FLOOD) {
                ssize_t n = read(ends->output[0], buffer, sizeof buffer);

                REQUIRE(n > 0);
                all += (size_t) n;
        }

        return (void *) all;
}

static void test_flood(void) {
        void *(*const sides[])(void *) = { feed, echo, drain };
        pthread_t threads[ELEMENTSOF(sides)];
        Ends ends = ends_open();
        RelayEnd end;
        void *all = NULL;

        for (size_t i = 0; i < ELEMENTSOF(sides); i++)
                REQUIRE(pthread_create(threads + i, NULL, sides[i], &ends) == 0);
        CHECK_INT(run(&ends, false, &end), 0);
        CHECK_INT(end, RELAY_HANGUP);
        for (size_t i = 0; i < ELEMENTSOF(sides); i++)
                REQUIRE(pthread_join(threads[i], &all) == 0);
        CHECK_INT((size_t) all, FLOOD);
        ends_close(&ends);
}

TESTS(test_escape, test_end_of_console, test_end_of_output, test_ends_by_the_user, test_flood)
