/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One connection of libberth in many threads: calls do not hold up each other, nobody gets another one's
 * answer or error, and no two touch the same memory at once, which ThreadSanitizer watches where it is built
 * in.
 */
#include <pthread.h>
#include <time.h>

#include "client/include/berth.h"
#include "test.h"

#define THREADS 6
#define ROUNDS 150

static const char *const nobodies[THREADS / 2] = { "nobody", "none", "no-one" };
static berth *connection;
static unsigned events;

static void count_event(const berth_event *event, void *userdata) {
        __atomic_add_fetch(&events, 1, __ATOMIC_RELAXED);
}

/* Half of them ask for what is there, half for what is not; each sees its own. */
static void *ask(void *argument) {
        unsigned number = *(unsigned *) argument;
        unsigned long wrong = 0;

        for (unsigned i = 0; i < ROUNDS; i++) {
                berth_status *status = NULL;
                const char *name = number % 2 ? nobodies[number / 2] : "web";

                if (berth_get_status(connection, name, &status) < 0) {
                        const char *message = berth_error_message(connection);

                        wrong += number % 2 == 0 || !strstr(message, name);
                } else
                        wrong += number % 2 == 1 || strcmp(status->name, "web") != 0 ||
                                 berth_error_name(connection);
                (void) berth_status_free(status);
                if (number == 0)
                        wrong += berth_freeze(connection, "db") < 0;
        }

        return (void *) wrong;
}

static void test_many(void) {
        pthread_t threads[THREADS];
        unsigned numbers[THREADS];

        REQUIRE(berth_open(&connection) == 0);
        REQUIRE(berth_watch(connection) == 0);
        REQUIRE(berth_set_event_handler(connection, count_event, NULL) == 0);
        for (unsigned i = 0; i < THREADS; i++) {
                numbers[i] = i;
                REQUIRE(pthread_create(threads + i, NULL, ask, numbers + i) == 0);
        }
        for (unsigned i = 0; i < THREADS; i++) {
                void *wrong;

                REQUIRE(pthread_join(threads[i], &wrong) == 0);
                CHECK_INT((unsigned long) wrong, 0);
        }
        CHECK_INT(__atomic_load_n(&events, __ATOMIC_RELAXED), ROUNDS);
}

static bool asked;

static void *ask_and_tell(void *argument) {
        void *wrong = ask(argument);

        __atomic_store_n(&asked, true, __ATOMIC_RELEASE);

        return wrong;
}

/* Who looks for events again and again takes no answer from under a thread that waits for it. */
static void test_events_beside_calls(void) {
        unsigned number = 2, seen = 0;
        berth_event *event;
        pthread_t thread;
        void *wrong;

        REQUIRE(berth_set_event_handler(connection, NULL, NULL) == 0);
        REQUIRE(pthread_create(&thread, NULL, ask_and_tell, &number) == 0);
        while (!__atomic_load_n(&asked, __ATOMIC_ACQUIRE))
                if (berth_next_event(connection, 0, &event) > 0) {
                        (void) berth_event_free(event);
                        seen++;
                }
        REQUIRE(pthread_join(thread, &wrong) == 0);
        CHECK_INT((unsigned long) wrong, 0);
        CHECK_INT(seen, 0);
}

static void *start_held(void *argument) {
        *(int *) argument = berth_start(connection, "held");

        return NULL;
}

/* A call that takes its time holds up nobody: it is answered only when others have been. */
static void test_side_by_side(void) {
        berth_status *status = NULL;
        bool starting = false;
        pthread_t thread;
        int result = 1;

        REQUIRE(pthread_create(&thread, NULL, start_held, &result) == 0);
        while (!starting) {
                REQUIRE(berth_get_status(connection, "held", &status) == 0);
                starting = strcmp(status->state, "starting") == 0;
                status = berth_status_free(status);
        }
        REQUIRE(berth_thaw(connection, "held") == 0);
        REQUIRE(pthread_join(thread, NULL) == 0);
        CHECK_INT(result, 0);
        REQUIRE(berth_get_status(connection, "held", &status) == 0);
        CHECK_STR(status->state, "running");
        (void) berth_status_free(status);
        (void) berth_close(connection);
}

TESTS(test_many, test_events_beside_calls, test_side_by_side)
