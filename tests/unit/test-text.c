/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text helpers of src/basic: strings, UTF-8, quoted words, numbers, sizes, time spans, signals, arrays.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>

#include "basic/array.h"
#include "basic/parse.h"
#include "basic/quote.h"
#include "basic/sha256.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "test.h"

static void test_strings(void) {
        char padded[] = " \t some text \r\n";
        _cleanup_free_ char *escaped = NULL;

        CHECK(streq_null(NULL, NULL));
        CHECK(!streq_null("", NULL));
        CHECK_STR(string_after_prefix("prefix-rest", "prefix-"), "rest");
        CHECK(!string_after_prefix("pre", "prefix-"));
        CHECK(string_ends_with("web.container", ".container"));
        CHECK(!string_ends_with("container", ".container"));
        CHECK_STR(string_strip(padded), "some text");

        escaped = string_escape_unprintable("a\033[2Jb\nc\xff\xc2\x9b\xc3\xa4");
        CHECK_STR(escaped, "a\\x1b[2Jb\\nc\\xff\\xc2\\x9b\xc3\xa4");

        CHECK_INT(string_distance("MemoryMax", "MemoryMax", 9), 0);
        CHECK_INT(string_distance("MemoryMax", "memorymax", 9), 0);
        CHECK_INT(string_distance("MemoryMax", "MemryMax", 9), 1);
        CHECK_INT(string_distance("abc", "xyz", 2), 2);
}

/* Nothing that steers a terminal, breaks a line or turns text around is shown. */
static void test_misleading(void) {
        static const struct {
                uint32_t first, last;
        } ranges[] = {
                { 0x01, 0x1f },     { 0x7f, 0x9f },     { 0x061c, 0x061c },
                { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
        };

        for (uint32_t character = 1; character <= 0x10ffff; character++) {
                char text[8] = "";
                bool misleads = false, shown;
                _cleanup_free_ char *escaped = NULL;

                if (utf8_encode(character, text) == 0)
                        continue;
                for (size_t i = 0; i < ELEMENTSOF(ranges); i++)
                        misleads = misleads ||
                                   (character >= ranges[i].first && character <= ranges[i].last);

                escaped = string_escape_unprintable(text);
                REQUIRE(escaped);
                shown = streq(escaped, text);
                if (shown == misleads || string_is_printable(text) == misleads || !string_is_printable(escaped))
                        test_fail(__FILE__, __LINE__, "U+%04X is shown as \"%s\"", (unsigned) character, escaped);
        }
        CHECK(!character_misleads(0x200d));
}

static void test_escape_to(void) {
        static const char text[] = "a\xc3\xa4\n\xe2\x80\xae\xf0\x9f\x8e\x89\xff"; /* NOLINT(misc-misleading-bidirectional) */
        static const char *const parts[] = {
                "a", "\xc3\xa4", "\\n", "\\xe2\\x80\\xae", "\xf0\x9f\x8e\x89", "\\xff",
        };
        char expected[64] = "", buffer[64];
        size_t whole = 0, n = 0;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                whole += strlen(parts[i]);

        /* As many whole parts as fit, whatever the room, and nothing behind it is touched. */
        for (size_t size = 1, i = 0; size <= whole + 2; size++) {
                for (; i < ELEMENTSOF(parts) && n + strlen(parts[i]) < size; i++) {
                        memcpy(expected + n, parts[i], strlen(parts[i]));
                        n += strlen(parts[i]);
                }
                memset(buffer, '#', sizeof buffer);
                CHECK_INT(string_escape_to(text, buffer, size), n);
                CHECK_STR(buffer, expected);
                CHECK_INT(buffer[size], '#');
        }
        CHECK_INT(n, whole);
        CHECK_INT(string_escape_to("", buffer, 1), 0);
        CHECK_STR(buffer, "");
}

static void test_utf8(void) {
        static const char *const wrong[] = {
                "\x80",
                "\xc0\x80",
                "\xc3",
                "\xe0\x80\x80",
                "\xed\xa0\x80",
                "\xf4\x90\x80\x80",
                "\xf8\x88\x80\x80\x80",
        };
        uint32_t character = 0;
        char bytes[4];

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                CHECK(!utf8_is_valid(wrong[i]));
        CHECK(utf8_is_valid("\xc3\xa4\xe2\x82\xac\xf0\x9f\x8e\x89"));
        CHECK(string_is_printable("caf\xc3\xa9"));
        CHECK(!string_is_printable("a\tb"));
        CHECK(!string_is_printable("a\xc2\x85"));

        CHECK_INT(utf8_decode("\xe2\x82\xac", 2, &character), 0);
        CHECK_INT(utf8_decode("\xe2\x82\xac", 3, &character), 3);
        CHECK_INT(character, 0x20ac);
        CHECK_INT(utf8_encode(0x1f389, bytes), 4);
        CHECK(memcmp(bytes, "\xf0\x9f\x8e\x89", 4) == 0);
        CHECK_INT(utf8_encode(0xd800, bytes), 0);
        CHECK_INT(utf8_encode(0x110000, bytes), 0);
}

static void test_words(void) {
        static const struct {
                const char *line, *words[5];
        } right[] = {
                { "", { NULL } },
                { "  \t ", { NULL } },
                { "one", { "one" } },
                { " one  two\tthree ", { "one", "two", "three" } },
                { "\"a b\" 'c \" d'", { "a b", "c \" d" } },
                { "A=\"a b\"c", { "A=a bc" } },
                { "\"\" ''", { "", "" } },
                { "a\\x41\\101\\u20ac\\U0001f389\\sb\\n", { "aAA\xe2\x82\xac\xf0\x9f\x8e\x89 b\n" } },
                { "'single \\'quoted\\''", { "single 'quoted'" } },
                { "$HOME %n ;", { "$HOME", "%n", ";" } },
        };
        static const struct {
                const char *line;
                int error;
        } wrong[] = {
                { "\"open", WORD_E_QUOTE },   { "'open", WORD_E_QUOTE },        { "a\\", WORD_E_ESCAPE },
                { "\\q", WORD_E_ESCAPE },     { "\\x0", WORD_E_ESCAPE },        { "\\x00", WORD_E_ESCAPE },
                { "\\000", WORD_E_ESCAPE },   { "\\400", WORD_E_ESCAPE },       { "\\u0000", WORD_E_ESCAPE },
                { "\\ud800", WORD_E_ESCAPE }, { "\\U00110000", WORD_E_ESCAPE }, { "\\xff", WORD_E_ENCODING },
        };

        for (size_t i = 0; i < ELEMENTSOF(right); i++) {
                _cleanup_(strv_freep) char **words = NULL;
                size_t n = 0;

                CHECK_INT(words_split(right[i].line, &words), 0);
                while (n < 5 && right[i].words[n])
                        n++;
                CHECK_INT(strv_length(words), n);
                for (size_t j = 0; j < n && words && words[j]; j++)
                        CHECK_STR(words[j], right[i].words[j]);
        }

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                _cleanup_(strv_freep) char **words = NULL;

                CHECK_INT(words_split(wrong[i].line, &words), wrong[i].error);
                CHECK(!words);
                CHECK(strlen(word_error_text(wrong[i].error)) > 10);
        }
}

static void test_quoting_comes_back(void) {
        static const char *const words[] = {
                "", "plain", "a b", "\"", "\\", "'", "a\nb\tc\001", "\xc3\xa4 \xe2\x82\xac", "%n$x;#",
                "\xe2\x80\xaelive", /* NOLINT(misc-misleading-bidirectional) */
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                _cleanup_free_ char *quoted = word_quote(words[i]), *word = NULL;
                const char *line = quoted;

                REQUIRE(quoted);
                CHECK(string_is_printable(quoted));
                CHECK_INT(word_next(&line, &word), 0);
                CHECK_STR(word, words[i]);
                CHECK_STR(line, "");
        }
}

/* A word that is kept does not keep the memory of its line. */
static void test_long_line(void) {
        enum { WORDS = 30000 };
        _cleanup_free_ char *line = malloc(2 * WORDS + 1);
        _cleanup_(strv_freep) char **words = NULL;
        size_t size = 0;

        REQUIRE(line);
        for (size_t i = 0; i < WORDS; i++)
                memcpy(line + 2 * i, "a ", 3);
        CHECK_INT(words_split(line, &words), 0);
        CHECK_INT(strv_length(words), WORDS);
        for (char **word = words; word && *word; word++)
                size += malloc_usable_size(*word);
        CHECK(size < 100 * WORDS);
}

static void test_numbers(void) {
        uint64_t u64 = 0;
        uint32_t u32 = 0;
        mode_t mode = 0;
        bool on = false;

        CHECK_INT(parse_boolean("Yes", &on), 0);
        CHECK(on);
        CHECK_INT(parse_boolean("off", &on), 0);
        CHECK(!on);
        CHECK_INT(parse_boolean("maybe", &on), -EINVAL);

        CHECK_INT(parse_u64("18446744073709551615", &u64), 0);
        CHECK(u64 == UINT64_MAX);
        CHECK_INT(parse_u64("18446744073709551616", &u64), -ERANGE);
        CHECK_INT(parse_u64("", &u64), -EINVAL);
        CHECK_INT(parse_u64("+1", &u64), -EINVAL);
        CHECK_INT(parse_u64(" 1", &u64), -EINVAL);
        CHECK_INT(parse_u64("1x", &u64), -EINVAL);
        CHECK_INT(parse_u32("4294967295", &u32), 0);
        CHECK_INT(u32, UINT32_MAX);
        CHECK_INT(parse_u32("4294967296", &u32), -ERANGE);

        CHECK_INT(parse_mode("0755", &mode), 0);
        CHECK_INT(mode, 0755);
        CHECK_INT(parse_mode("8", &mode), -EINVAL);
        CHECK_INT(parse_mode("10000", &mode), -ERANGE);

        CHECK_INT(parse_permyriad("12.5%", &u64), 0);
        CHECK_INT(u64, 1250);
        CHECK_INT(parse_permyriad("200%", &u64), 0);
        CHECK_INT(u64, 20000);
        CHECK_INT(parse_permyriad("1.234%", &u64), -EINVAL);
        CHECK_INT(parse_permyriad("1", &u64), -EINVAL);
}

static void test_sizes_and_times(void) {
        static const struct {
                const char *text;
                uint64_t base, value;
                int result;
        } sizes[] = {
                { "0", 1024, 0, 0 },
                { "1K", 1024, 1024, 0 },
                { "1K", 1000, 1000, 0 },
                { "1.5G", 1024, UINT64_C(1610612736), 0 },
                { "3B", 1024, 3, 0 },
                { "16E", 1024, 0, -ERANGE },
                { "1KB", 1024, 0, -EINVAL },
                { "-1", 1024, 0, -EINVAL },
                { "G", 1024, 0, -EINVAL },
                { "1.", 1024, 0, -EINVAL },
                { "1..5", 1024, 0, -EINVAL },
        };
        static const struct {
                const char *text;
                uint64_t usec;
                int result;
        } times[] = {
                { "50", 50 * USEC_PER_SEC, 0 },
                { "2min 200ms", 120200 * USEC_PER_MSEC, 0 },
                { "1.5s", 1500 * USEC_PER_MSEC, 0 },
                { "1h30m", 5400 * USEC_PER_SEC, 0 },
                { "1w", 604800 * USEC_PER_SEC, 0 },
                { "7us", 7, 0 },
                { "", 0, -EINVAL },
                { "s", 0, -EINVAL },
                { "5 parsecs", 0, -EINVAL },
                { "-5s", 0, -EINVAL },
                { "99999999999999999999s", 0, -ERANGE },
                { "infinity", 0, -EINVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                uint64_t value = 0;

                CHECK_INT(parse_size(sizes[i].text, sizes[i].base, &value), sizes[i].result);
                CHECK(value == sizes[i].value);
        }
        for (size_t i = 0; i < ELEMENTSOF(times); i++) {
                uint64_t usec = 0;

                CHECK_INT(parse_timespan(times[i].text, &usec), times[i].result);
                CHECK(usec == times[i].usec);
        }
}

static void test_signals(void) {
        char buffer[16];
        int sig = 0, again = 0;

        CHECK_INT(parse_signal("SIGTERM", &sig), 0);
        CHECK_INT(sig, SIGTERM);
        CHECK_INT(parse_signal("KILL", &sig), 0);
        CHECK_INT(sig, SIGKILL);
        CHECK_INT(parse_signal("RTMIN+3", &sig), 0);
        CHECK_INT(sig, SIGRTMIN + 3);
        CHECK_INT(parse_signal("SIGRTMAX-1", &sig), 0);
        CHECK_INT(sig, SIGRTMAX - 1);
        CHECK_INT(parse_signal("0", &sig), -ERANGE);
        CHECK_INT(parse_signal("65", &sig), -ERANGE);
        CHECK_INT(parse_signal("RTMIN+31", &sig), -ERANGE);
        CHECK_INT(parse_signal("SIGFOO", &sig), -EINVAL);
        CHECK_INT(parse_signal("", &sig), -EINVAL);

        for (int i = 1; i <= SIGRTMAX; i++) {
                const char *name = signal_name(i, buffer);

                CHECK(name && parse_signal(name, &again) == 0 && again == i);
        }
        CHECK(!signal_name(0, buffer));
        CHECK(!signal_name(SIGRTMAX + 1, buffer));
}

static void test_arrays(void) {
        _cleanup_(strv_freep) char **strv = NULL;
        _cleanup_free_ unsigned *array = NULL;
        size_t n = 0;

        for (unsigned i = 0; i < 100; i++)
                CHECK_INT(ARRAY_APPEND(array, n, i), 0);
        CHECK_INT(n, 100);
        array_remove(&array, &n, sizeof array[0], 50);
        CHECK_INT(n, 99);
        CHECK_INT(array[49], 49);
        CHECK_INT(array[50], 51);
        CHECK_INT(array[98], 99);

        CHECK_INT(strv_append(&strv, "b"), 0);
        CHECK_INT(strv_append(&strv, "a"), 0);
        CHECK_INT(strv_append_take(&strv, NULL), -ENOMEM);
        strv_sort(strv);
        CHECK_INT(strv_length(strv), 2);
        CHECK_STR(strv[0], "a");
        CHECK(strv_contains(strv, "b"));
        CHECK(!strv_contains(NULL, "b"));
        CHECK(strv_equal(strv, strv));
        CHECK(!strv_equal(strv, NULL));
}

/* The samples of FIPS 180-2, and every length around a block. */
static void test_sha256(void) {
        static const struct {
                const char *text;
                size_t times;
                const char *digest;
        } rows[] = {
                {"",                                                          1,       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                { "abc",                                                      1,       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
                 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"                                                                      },
                { "a",                                                        1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
        };
        static const char letters[200] = { 'x' };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                uint8_t digest[SHA256_SIZE];
                char text[SHA256_TEXT_SIZE];
                Sha256 hash;

                sha256_init(&hash);
                for (size_t n = 0; n < rows[i].times; n++)
                        sha256_add(&hash, rows[i].text, strlen(rows[i].text));
                sha256_finish(&hash, digest);
                sha256_text(digest, text);
                CHECK_STR(text, rows[i].digest);
        }

        /* In one piece or two is the same. */
        for (size_t n = 0; n < sizeof letters; n++) {
                uint8_t whole[SHA256_SIZE], parts[SHA256_SIZE];
                Sha256 first, second;

                sha256_init(&first);
                sha256_add(&first, letters, n);
                sha256_finish(&first, whole);
                sha256_init(&second);
                sha256_add(&second, letters, n / 3);
                sha256_add(&second, letters + n / 3, n - n / 3);
                sha256_finish(&second, parts);
                CHECK(memcmp(whole, parts, sizeof whole) == 0);
        }
}

TESTS(test_sha256, test_strings, test_misleading, test_escape_to, test_utf8, test_words, test_quoting_comes_back,
      test_long_line, test_numbers, test_sizes_and_times, test_signals, test_arrays)
