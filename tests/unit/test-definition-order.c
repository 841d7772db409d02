/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The order of starts: groups, whom a definition that is not trusted can delay, and circles, of which always
 * the same part is left out.
 */
#include "basic/string.h"
#include "spec/dropin.h"
#include "spec/load.h"
#include "spec/order.h"
#include "test.h"
#include "text.h"

#define ALL_MAX 3000

/* A container of a test; one without name ends a list. Lists are sorted by name. */
typedef struct Given {
        const char *name;
        bool untrusted;
        const char *group, *after;
        const char *expected; /* what it is started after, and behind "-" what is left out */
} Given;

static Definition *make(const Given *given) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;
        Definition *definition;

        text = string_printf("[Root]\nManaged=yes\n[Autostart]\nGroup=%s\nAfter=%s\n", given->group ?: "",
                             given->after ?: "");
        REQUIRE(text);
        REQUIRE(definition_load_text(given->name, "f", text, strlen(text), !given->untrusted, &definition,
                                     &problems) == 0);

        return definition;
}

static char *describe(const Order *order) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        REQUIRE(stream);
        for (size_t i = 0; i < order->n_after; i++)
                fprintf(stream, "%s%s", i > 0 ? " " : "", order->after[i]);
        for (size_t i = 0; i < order->n_left_out; i++)
                fprintf(stream, "%s-%s", i + order->n_after > 0 ? " " : "", order->left_out[i]);
        fclose(stream);

        return text;
}

static void check(const Given *given) {
        _cleanup_(orders_clear) Orders orders = ORDERS_EMPTY;
        static Definition *all[ALL_MAX];
        size_t n = 0;

        for (; given[n].name; n++)
                all[n] = make(given + n);

        CHECK_INT(orders_make(all, n, &orders), 0);
        CHECK_INT(orders.n, n);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *seen = describe(orders.list + i);

                CHECK_STR(seen, given[i].expected ?: "");
        }

        orders_clear(&orders);
        for (size_t i = 0; i < n; i++)
                (void) definition_free(all[i]);
}

static void test_groups(void) {
        check((const Given[]) {
                { .name = "a", .group = "g" },
                { .name = "b", .group = "g", .after = "@g", .expected = "a c" },
                { .name = "c", .group = "g" },
                { .name = "d", .group = "h", .after = "none @g a @none", .expected = "none a b c" },
                { .name = NULL },
        });
        check((const Given[]) { { .name = NULL } });
}

/* Who is not trusted joins no group that a trusted definition waits for, and waits for whom it likes. */
static void test_untrusted_groups(void) {
        check((const Given[]) {
                { .name = "a", .group = "g", .untrusted = true },
                { .name = "b", .group = "g" },
                { .name = "c", .after = "@g", .expected = "b" },
                { .name = "d", .after = "@g", .untrusted = true, .expected = "a b" },
                { .name = "e", .after = "a", .expected = "a" },
                { .name = NULL },
        });
}

static void test_circles(void) {
        check((const Given[]) {
                { .name = "a", .after = "b", .expected = "b" },
                { .name = "b", .after = "a x", .expected = "x -a" },
                { .name = NULL },
        });
        /* The last name's, whatever the way of the circle. */
        check((const Given[]) {
                { .name = "a", .after = "c", .expected = "c" },
                { .name = "b", .after = "a", .expected = "a" },
                { .name = "c", .after = "b d", .expected = "d -b" },
                { .name = "d" },
                { .name = NULL },
        });
        check((const Given[]) {
                { .name = "a", .group = "g", .after = "@g", .expected = "b c" },
                { .name = "b", .group = "g", .after = "@g", .expected = "c -a" },
                { .name = "c", .group = "g", .after = "@g @g", .expected = "-a -b" },
                { .name = NULL },
        });
        /* Two ways to the same are no circle. */
        check((const Given[]) {
                { .name = "a", .after = "b c", .expected = "b c" },
                { .name = "b", .after = "d", .expected = "d" },
                { .name = "c", .after = "d", .expected = "d" },
                { .name = "d" },
                { .name = NULL },
        });
}

/* The untrusted one's, though its name is the first. */
static void test_untrusted_circles(void) {
        check((const Given[]) {
                { .name = "a", .after = "c", .untrusted = true, .expected = "-c" },
                { .name = "b", .after = "a", .expected = "a" },
                { .name = "c", .after = "b", .expected = "b" },
                { .name = NULL },
        });
        check((const Given[]) {
                { .name = "a", .after = "b", .untrusted = true, .expected = "b" },
                { .name = "b", .after = "a", .untrusted = true, .expected = "-a" },
                { .name = NULL },
        });
}

/* A long chain that is closed to a circle. */
static void test_many(void) {
        static char names[ALL_MAX][8];
        static Given given[ALL_MAX];
        size_t n = ALL_MAX - 1;

        for (size_t i = 0; i < n; i++) {
                (void) snprintf(names[i], sizeof names[i], "c%05zu", i);
                given[i].name = names[i];
        }
        for (size_t i = 0; i < n; i++)
                given[i].after = given[i].expected = names[(i + 1) % n];
        given[n - 1].expected = "-c00000";
        check(given);
}

static void test_drop_in(void) {
        const char *after[] = { "db", "cache" }, *left_out[] = { "proxy" };
        _cleanup_(definition_freep) Definition *definition = make(&(const Given) { .name = "web" });
        _cleanup_free_ char *both = NULL, *comment = NULL, *nothing = NULL;
        Order order = { after, 2, left_out, 1 };

        CHECK_INT(dropin_order(definition, &order, &both), 0);
        CHECK_STR(both,
                  "# Made by berth-generator from the definition of web; see \"berthctl cat web\".\n[Unit]\n"
                  "# After=container@proxy.service is left out: that container is itself started after this one.\n"
                  "After=container@db.service container@cache.service\n");
        order.n_after = 0;
        CHECK_INT(dropin_order(definition, &order, &comment), 0);
        CHECK_HAS(comment, "is left out");
        CHECK(!strstr(comment, "\nAfter="));
        order.n_left_out = 0;
        CHECK_INT(dropin_order(definition, &order, &nothing), 0);
        CHECK_STR(nothing, "");
}

TESTS(test_groups, test_untrusted_groups, test_circles, test_untrusted_circles, test_many, test_drop_in)
