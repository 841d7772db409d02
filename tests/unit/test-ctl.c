/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What berthctl's verbs print with and read the command line by: options, names, JSON, tables, amounts, progress,
 * and what is advised on an error. JSON and tables get random bytes, too.
 */
#include <errno.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/advice.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/names.h"
#include "ctl/options.h"
#include "ctl/progress.h"
#include "ctl/settings.h"
#include "ctl/table.h"
#include "ctl/verb.h"
#include "test.h"

#define ROUNDS 20000

/* xorshift: the same bytes in every run. */
static uint32_t random_next(void) {
        static uint32_t state = 2463534242;

        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;

        return state;
}

/* Up to SIZE - 1 bytes other than NUL, more often the interesting ones. */
static void random_text(char *ret, size_t size) {
        static const char *const pieces[] = { "\"", "\\", "\n", "\033[2J",
                                              "\xe2\x80\xae", /* NOLINT(misc-misleading-bidirectional) */
                                              "\xc2\x9b", "\xef\xbf\xbd", "\xf0\x9f\x98\x80",
                                              "\xed\xa0\x80", "\xe4\xb8\xad", "e\xcc\x81", "\x7f", "\xff", "/" };
        size_t n = random_next() % size, at = 0;

        while (at < n) {
                uint32_t choice = random_next();
                const char *piece = pieces[choice % ELEMENTSOF(pieces)];

                if (choice & 0x10000) {
                        ret[at++] = (char) (1 + (choice >> 20) % 255);
                        continue;
                }
                if (strlen(piece) > n - at)
                        break;
                memcpy(ret + at, piece, strlen(piece));
                at += strlen(piece);
        }
        ret[at] = '\0';
}

/* What a JSON parser makes of the string at S, behind its first quote; moves S behind the last one. The outcome is
 * false if the string breaks RFC 8259. */
static bool json_unescape(const char **s, char *ret) {
        static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";

        for (; **s != '"'; (*s)++) {
                const char *name;
                char digits[5] = "";

                if ((unsigned char) **s < 0x20)
                        return false;
                if (**s != '\\') {
                        *ret++ = **s;
                        continue;
                }
                (*s)++;
                name = **s ? strchr(names, **s) : NULL;
                if (name) {
                        *ret++ = values[name - names];
                        continue;
                }
                if (**s != 'u' || strspn(*s + 1, "0123456789abcdef") < 4)
                        return false;
                memcpy(digits, *s + 1, 4);
                ret += utf8_encode((uint32_t) strtoul(digits, NULL, 16), ret);
                *s += 4;
        }
        *ret = '\0';
        (*s)++;

        return true;
}

/* TEXT with each byte that is not UTF-8 replaced. */
static void replace_invalid(const char *text, char *ret) {
        size_t size = strlen(text), n;
        uint32_t character;

        for (; size > 0; text += n, size -= n) {
                n = utf8_decode(text, size, &character);
                ret += utf8_encode(n > 0 ? character : 0xfffd, ret);
                n = n > 0 ? n : 1;
        }
        *ret = '\0';
}

static void test_json_random(void) {
        for (unsigned i = 0; i < ROUNDS; i++) {
                char text[64], expected[sizeof text * 3], read[sizeof text * 3 + 16], *out = NULL;
                size_t size;
                FILE *stream = open_memstream(&out, &size);
                Json json = JSON_TO(stream);
                const char *s;

                REQUIRE(stream);
                random_text(text, sizeof text);
                json_string(&json, NULL, text);
                REQUIRE(fclose(stream) == 0);

                CHECK(string_is_printable(out));
                CHECK(out[0] == '"');
                s = out + 1;
                REQUIRE(json_unescape(&s, read));
                CHECK_STR(s, "");
                replace_invalid(text, expected);
                CHECK_STR(read, expected);
                free(out);
        }
}

static void test_json(void) {
        char *out = NULL;
        size_t size;
        FILE *stream = open_memstream(&out, &size);
        Json json = JSON_TO(stream);

        REQUIRE(stream);
        json_begin_array(&json, NULL);
        json_begin_object(&json, NULL);
        json_string(&json, "a\nb", "\033");
        json_string(&json, "none", NULL);
        json_begin_array(&json, "list");
        json_end_array(&json);
        json_begin_array(&json, "more");
        json_signed(&json, NULL, -9);
        json_unsigned(&json, NULL, UINT64_MAX - 1);
        json_counter(&json, NULL, UINT64_MAX);
        json_double(&json, NULL, 1.5);
        json_double(&json, NULL, __builtin_nan(""));
        json_double(&json, NULL, __builtin_inf());
        json_end_array(&json);
        json_boolean(&json, "yes", true);
        json_end_object(&json);
        json_begin_object(&json, NULL);
        json_end_object(&json);
        json_end_array(&json);
        CHECK_INT(json_finish(&json), 0);
        json_boolean(&json, NULL, false);
        CHECK_INT(json_finish(&json), 0);
        REQUIRE(fclose(stream) == 0);
        CHECK_STR(out,
                  "[{\"a\\nb\":\"\\u001b\",\"none\":null,\"list\":[],\"more\":[-9,18446744073709551614,null,1.5,null,"
                  "null],\"yes\":true},{}]\nfalse\n");
        free(out);

        stream = fopen("/dev/full", "we");
        REQUIRE(stream);
        json = (Json) JSON_TO(stream);
        json_null(&json, NULL);
        CHECK_INT(json_finish(&json), -EIO);
        (void) fclose(stream);
}

static char *table_text(const Table *table, bool legend, size_t width) {
        char *out = NULL;
        size_t size;
        FILE *stream = open_memstream(&out, &size);

        REQUIRE(stream);
        CHECK_INT(table_print(table, stream, legend, width), 0);
        REQUIRE(fclose(stream) == 0);

        return out;
}

static const char *const headings[] = { "NAME", "SIZE", "OS", NULL };

static void test_table(void) {
        _cleanup_(table_freep) Table *table = table_new(headings);
        char *out;

        REQUIRE(table);
        table_align_right(table, 1);
        table_cell(table, "web");
        table_cellf(table, "%d", 5);
        table_cell(table, NULL);
        table_cell(table, "db\033[2J");
        table_cell(table, "1024");
        table_cell(table, "a\xe4\xb8\xad" "b");
        CHECK_INT(table_rows(table), 2);

        out = table_text(table, true, WIDTH_UNLIMITED);
        CHECK_STR(out, "NAME       SIZE  OS\nweb           5  -\ndb\\x1b[2J  1024  a\xe4\xb8\xad" "b\n");
        free(out);
        table_sort(table, 0);
        out = table_text(table, false, WIDTH_UNLIMITED);
        CHECK_STR(out, "db\\x1b[2J  1024  a\xe4\xb8\xad" "b\nweb           5  -\n");
        free(out);
}

/* The terminal is too narrow: the columns that may, give way, the others do not; a wide character is not cut in two. */
static void test_table_narrow(void) {
        _cleanup_(table_freep) Table *table = table_new(headings);
        char *out;

        REQUIRE(table);
        (void) setenv("LC_ALL", "C.UTF-8", 1);
        table_shrink(table, 0);
        table_shrink(table, 2);
        table_cell(table, "a-long-name");
        table_cell(table, "123456");
        table_cell(table, "ab\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad");

        out = table_text(table, false, 26);
        CHECK_STR(out, "a-long-name  123456  ab\xe4\xb8\xad\xe2\x80\xa6\n");
        free(out);
        out = table_text(table, false, 25);
        CHECK_STR(out, "a-long-name  123456  ab\xe2\x80\xa6\n");
        free(out);
        out = table_text(table, false, 20);
        CHECK_STR(out, "a-lon\xe2\x80\xa6  123456  ab\xe2\x80\xa6\n");
        free(out);
        (void) setenv("LC_ALL", "C", 1);
        out = table_text(table, false, 1);
        CHECK_STR(out, "a-l.  123456  ab.\n");
        free(out);
}

static void test_table_random(void) {
        for (unsigned i = 0; i < ROUNDS / 10; i++) {
                _cleanup_(table_freep) Table *table = table_new(headings);
                unsigned lines = 0;
                char *out;

                REQUIRE(table);
                table_shrink(table, 0);
                table_shrink(table, 1);
                table_shrink(table, 2);
                for (unsigned cell = 0; cell < 9; cell++) {
                        char text[64];

                        random_text(text, sizeof text);
                        table_cell(table, text);
                }
                out = table_text(table, true, 24);
                for (char *line = out, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
                        *end = '\0';
                        CHECK(string_is_printable(line));
                        CHECK(text_width(line) <= 24);
                }
                CHECK_INT(lines, 4);
                free(out);
        }
}

static void test_format(void) {
        static const struct {
                uint64_t bytes;
                const char *text;
        } sizes[] = { { 0, "0B" },           { 1023, "1023B" },           { 1024, "1.0K" },
                      { 1535, "1.4K" },      { 1536, "1.5K" },            { UINT64_C(1) << 30, "1.0G" },
                      { 1048575, "1023.9K" }, { UINT64_MAX - 1, "15.9E" }, { UINT64_MAX, "-" } };
        static const struct {
                uint64_t usec;
                const char *text;
        } spans[] = { { 0, "0s" },
                      { 1, "1us" },
                      { 12345678, "12s 345ms" },
                      { 60000000, "1min" },
                      { UINT64_C(3600000000) * 25, "1 day 1h" },
                      { UINT64_C(604800000000) * 2, "2 weeks" },
                      { UINT64_MAX, "-" } };
        char buffer[FORMAT_SIZE];

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                CHECK_STR(format_bytes(sizes[i].bytes, buffer), sizes[i].text);
        for (size_t i = 0; i < ELEMENTSOF(spans); i++)
                CHECK_STR(format_span(spans[i].usec, buffer), spans[i].text);
        (void) setenv("TZ", "UTC", 1);
        CHECK_STR(format_time(UINT64_C(1795323600000000), buffer), "Sun 2026-11-22 05:00:00 UTC");
        CHECK_STR(format_time(0, buffer), "-");
}

static void test_progress(void) {
        char line[128];

        progress_format("Unpacking", 0, 0, 3500000, line, sizeof line);
        CHECK_STR(line, "Unpacking: 3s");
        progress_format("Unpacking", 5 << 20, 10 << 20, 5000000, line, sizeof line);
        CHECK_STR(line, "Unpacking: 50%, 5.0M of 10.0M, 1.0M/s");
        progress_format("Unpacking", 5 << 20, 0, 5000000, line, sizeof line);
        CHECK_STR(line, "Unpacking: 5.0M, 1.0M/s");
        progress_format("Unpacking", 12 << 20, 10 << 20, 0, line, sizeof line);
        CHECK_STR(line, "Unpacking: 12.0M, 0B/s");
}

static void test_names(void) {
        char *existing[] = { (char[]){ "db1" }, (char[]){ "db2" }, (char[]){ "web" }, (char[]){ "1/db3" }, NULL };
        char *words[] = { (char[]){ "web" }, (char[]){ "db*" }, (char[]){ "container@db2.service" }, (char[]){ "other" },
                          (char[]){ "container-run-x.service" }, (char[]){ "*/*" } };
        char *nothing[] = { (char[]){ "web" }, (char[]){ "x*" } };
        char *expected[] = { (char[]){ "web" }, (char[]){ "db1" }, (char[]){ "db2" }, (char[]){ "other" }, (char[]){ "x" }, (char[]){ "1/db3" }, NULL };
        _cleanup_(strv_freep) char **names = NULL;
        const char *pattern = NULL;

        CHECK(name_is_pattern("a*") && name_is_pattern("a?") && name_is_pattern("[ab]") && !name_is_pattern("a.b-c/d"));
        CHECK_INT(names_expand(words, ELEMENTSOF(words), existing, &names, &pattern), 0);
        CHECK(strv_equal(names, expected));
        CHECK_INT(names_expand(nothing, ELEMENTSOF(nothing), existing, &names, &pattern), NAMES_E_NONE);
        CHECK_STR(pattern, "x*");
        CHECK_INT(names_expand(nothing, 2, NULL, &names, &pattern), NAMES_E_NONE);
}

/* What list, top and monitor choose by. */
static void test_names_have(void) {
        static const struct {
                const char *word, *name;
                bool fits;
        } cases[] = {
                {"web",                        "web",           true },
                { "web",                       "web2",          false},
                { "container@web.service",     "web",           true },
                { "container-run-web.service", "web",           true },
                { "container@web",             "web",           true },
                { "container@web",             "container@web", false},
                { "container@Web",             "web",           false},
                { "w*",                        "web",           true },
                { "*",                         "1000/web",      false},
                { "1000/*",                    "1000/web",      true },
                { "1000/web",                  "1000/web",      true },
                { "we\\b",                     "web",           false},
                { "",                          "web",           false},
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char *words[] = { (char[]){ "other" }, strdup(cases[i].word) };

                CHECK(names_have(words, 2, cases[i].name) == cases[i].fits);
                CHECK(!names_have(words, 1, cases[i].name));
                free(words[1]);
        }
        CHECK(!names_have(NULL, 0, "web"));
}

static struct {
        bool follow, force;
        const char *lines, *when;
        char **list;
} seen;

/* clang-format off */
static const Option options[] = {
        { "follow", 'f', OPTION_FLAG, &seen.follow, .help = "go on" },
        { "force",   0,  OPTION_FLAG, &seen.force,  .help = "do it" },
        { "lines",  'n', OPTION_TEXT, &seen.lines, "N", .help = "how many" },
        { "when",   'w', OPTION_TEXT, &seen.when, "TIME", true, "when" },
        { "bind",   'b', OPTION_LIST, &seen.list, "DIR", .help = "what" },
        { 0 },
};
/* clang-format on */

/* Reads words, the last of them NULL, and leaves what they are in SEEN. */
static int read_options(char **words, Arguments *ret) {
        seen.list = strv_free(seen.list);
        seen.follow = seen.force = false;
        seen.lines = seen.when = NULL;
        arguments_clear(ret);

        return options_read(settings_options, options, "logs", words, ret);
}

#define WORDS(...) (char *[]) { __VA_ARGS__, NULL }
#define W(text) (char[]) { text }

static void test_options(void) {
        _cleanup_(arguments_clear) Arguments arguments = { 0 };
        size_t used;

        CHECK_INT(read_options(WORDS(W("web"), W("-fn5"), W("--bind"), W("/a"), W("-b/b"), W("--when"), W("x"), W("--"), W("-f"), W("--")), &arguments), 0);
        CHECK(seen.follow && !seen.force);
        CHECK_STR(seen.lines, "5");
        CHECK_STR(seen.when, "");
        CHECK_INT(strv_length(seen.list), 2);
        CHECK_INT(arguments.n, 4);
        CHECK_INT(arguments.n_before, 2);
        CHECK_STR(arguments.words[0], "web");
        CHECK_STR(arguments.words[2], "-f");
        CHECK_STR(arguments.words[3], "--");
        CHECK(!arguments.words[4]);

        CHECK_INT(read_options(WORDS(W("--lin=7"), W("-n"), W("8"), W("--when=now"), W("-"), W("--fol")), &arguments), 0);
        CHECK_STR(seen.lines, "8");
        CHECK_STR(seen.when, "now");
        CHECK_INT(arguments.n, 1);
        CHECK_INT(arguments.n_before, 1);
        CHECK_STR(arguments.words[0], "-");
        CHECK(seen.follow);

        CHECK_INT(read_options(WORDS(W("--fo")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("--nothing")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("--follow=yes")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("--=x")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("--lines")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("-n")), &arguments), OPTIONS_E_USAGE);
        CHECK_INT(read_options(WORDS(W("-fx")), &arguments), OPTIONS_E_USAGE);
        seen.list = strv_free(seen.list);

        CHECK_INT(options_read_leading(options, WORDS(W("-f"), W("--lines"), W("3"), W("logs"), W("-x")), &used), 0);
        CHECK_INT(used, 3);
        CHECK_INT(options_read_leading(options, WORDS(W("-f"), W("--"), W("-x")), &used), 0);
        CHECK_INT(used, 2);
        CHECK_INT(options_read_leading(options, WORDS(W("-x"), W("logs")), &used), OPTIONS_E_USAGE);
}

/* One option has one name and one letter, and a verb's do not hide those of all. */
static void test_settings(void) {
        for (const Option *a = settings_options; a->name; a++)
                for (const Option *b = a + 1; b->name; b++) {
                        CHECK(!streq(a->name, b->name));
                        CHECK(!a->letter || a->letter != b->letter);
                }
}

static void test_advice(void) {
        char *out = NULL;
        size_t size;
        FILE *stream = open_memstream(&out, &size);

        REQUIRE(stream);
        CHECK_INT(advice_status("org.berth.container1.Error.NoSuchContainer"), STATUS_NO_CONTAINER);
        CHECK_INT(advice_status("org.berth.container1.Error.NotRunning"), STATUS_NOT_RUNNING);
        CHECK_INT(advice_status("org.freedesktop.DBus.Error.AccessDenied"), STATUS_NOT_PERMITTED);
        CHECK_INT(advice_status("org.example.Other"), STATUS_FAILED);
        CHECK_INT(advice_status(NULL), STATUS_FAILED);

        advice_print("org.berth.container1.Error.StartFailed", "we\033b", stream);
        advice_print("org.berth.container1.Error.StartFailed", NULL, stream);
        advice_print("org.berth.container1.Error.InvalidName", "x", stream);
        advice_print(NULL, "x", stream);
        settings.machine = "b";
        advice_print("org.berth.container1.Error.StartFailed", "web", stream);
        settings.machine = NULL;
        settings.host = "me@there:22";
        advice_print("org.berth.container1.Error.StartFailed", "web", stream);
        advice_print("org.freedesktop.DBus.Error.NotSupported", "web", stream);
        settings.host = NULL;
        REQUIRE(fclose(stream) == 0);
        CHECK_STR(out, "see: berthctl status we\\x1bb\n"
                       "see: berthctl -M b status web\n"
                       "see: berthctl -H me@there:22 status web\n"
                       "descriptors do not go over ssh; do it there: ssh -p 22 me@there\n");
        free(out);
}

/* stdout is no terminal here: only --color brings colour, and nothing but it. */
static void test_color(void) {
        (void) setenv("TERM", "xterm", 1);
        CHECK_STR(color_sequence(COLOR_RED), "");
        settings.color = "auto";
        CHECK_STR(color_sequence(COLOR_RED), "");
        settings.color = "always";
        CHECK_STR(color_sequence(COLOR_RED), "\033[0;1;31m");
        (void) setenv("NO_COLOR", "1", 1);
        settings.color = "";
        CHECK_STR(color_sequence(COLOR_NONE), "\033[0m");
        settings.color = "never";
        CHECK_STR(color_sequence(COLOR_RED), "");
        settings.color = NULL;
        CHECK_STR(color_sequence(COLOR_RED), "");
}

static void test_width(void) {
        size_t width;

        CHECK_INT(text_width(""), 0);
        CHECK_INT(text_width("abc"), 3);
        CHECK_INT(text_width("\xe4\xb8\xad"), 2);
        CHECK_INT(text_width("e\xcc\x81"), 1);
        CHECK_INT(text_width("\xff"), 1);
        CHECK_INT(text_fitting("e\xcc\x81x", 1, &width), 3);
        CHECK_INT(width, 1);
        CHECK_INT(text_fitting("a\xe4\xb8\xad", 2, &width), 1);
        CHECK_INT(width, 1);
}

TESTS(test_color,
      test_width,
      test_json,
      test_json_random,
      test_table,
      test_table_narrow,
      test_table_random,
      test_format,
      test_progress,
      test_names,
      test_names_have,
      test_options,
      test_settings,
      test_advice)
