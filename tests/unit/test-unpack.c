/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of members as paths, and what is told of an unpacking.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "unpack/checksum.h"
#include "unpack/path.h"
#include "unpack/report.h"

#include "test.h"

static void test_paths(void) {
        static const struct {
                const char *raw, *path;
                bool absolute;
        } good[] = {
                { "", "", false },         { ".", "", false },          { "./", "", false },
                { "/", "", true },         { "a", "a", false },         { "./a/", "a", false },
                { "//a//b/./c/", "a/b/c", true }, { "...", "...", false }, { "a/..b/c..", "a/..b/c..", false },
                { "a\nb/\033[31m", "a\nb/\033[31m", false },
        };
        static const char *const bad[] = { "..", "/..", "a/..", "../a", "a/../b", "./..", "a/b/.." };
        char path[PATH_SIZE_MAX];
        bool absolute;

        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                CHECK_INT(path_clean(good[i].raw, path, &absolute), 0);
                CHECK_STR(path, good[i].path);
                CHECK_INT(absolute, good[i].absolute);
        }
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK_INT(path_clean(bad[i], path, &absolute), PATH_E_PARENT);

        CHECK_STR(path_last("a/b/c"), "c");
        CHECK_STR(path_last("c"), "c");
}

static void test_path_limits(void) {
        char raw[2 * PATH_SIZE_MAX], path[PATH_SIZE_MAX];
        bool absolute;

        /* A path that fits to the last byte, and one more. */
        memset(raw, 'x', sizeof raw);
        raw[PATH_SIZE_MAX - 2] = '\0';
        CHECK_INT(path_clean(raw, path, &absolute), 0);
        CHECK_INT(strlen(path), PATH_SIZE_MAX - 2);
        raw[PATH_SIZE_MAX - 2] = 'x';
        raw[PATH_SIZE_MAX - 1] = '\0';
        CHECK_INT(path_clean(raw, path, &absolute), PATH_E_LONG);

        /* As deep as may be, and one more; what counts for nothing does not count. */
        for (size_t i = 0; i < UNPACK_DEPTH_MAX; i++)
                memcpy(raw + 4 * i, "./a/", 4);
        raw[4 * UNPACK_DEPTH_MAX] = '\0';
        CHECK_INT(path_clean(raw, path, &absolute), 0);
        memcpy(raw + 4 * UNPACK_DEPTH_MAX, "b", 2);
        CHECK_INT(path_clean(raw, path, &absolute), PATH_E_DEEP);
}

static char *answer(const Report *report, int error) {
        _cleanup_close_ int fd = memfd_create("answer", MFD_CLOEXEC);
        char *text = NULL;

        REQUIRE(fd >= 0);
        CHECK_INT(report_send(report, fd, error), 0);
        REQUIRE(lseek(fd, 0, SEEK_SET) == 0);
        REQUIRE(fd_read_all(fd, UNPACK_ANSWER_MAX, &text, NULL) == 0);
        return text;
}

static void test_notes(void) {
        _cleanup_free_ char *text = NULL;
        Report report = REPORT_NULL;

        report_note(&report, NOTE_DEVICE, "dev/null");
        report_note(&report, NOTE_DEVICE, "dev/zero");
        report_note(&report, NOTE_SOCKET, "a\nb\033c");
        report_note(&report, NOTE_MODE, "");
        text = answer(&report, 0);
        CHECK_STR(text, "note 2 device nodes were left out, the first is dev/null\n"
                        "note one socket was left out: a\\nb\\x1bc\n"
                        "note the root directory is closed to other users than root inside\n"
                        "done\n");
}

static void test_failure(void) {
        _cleanup_free_ char *text = NULL, *plain = NULL;
        Report report = REPORT_NULL;

        report_note(&report, NOTE_DEVICE, "dev/null");
        CHECK_INT(report_fail(&report, -EINVAL, "x\ny", "cannot take", "its name is odd"), -EINVAL);
        CHECK_INT(report_fail(&report, -EIO, "z", "cannot write", "a second one"), -EIO);
        text = answer(&report, -EINVAL);
        CHECK_STR(text, "failed 22 cannot take x\\ny: its name is odd\n");

        report = REPORT_NULL;
        plain = answer(&report, -ENOMEM);
        CHECK_STR(plain, "failed 12 Cannot allocate memory\n");
}

/* The longest that can be said is taken by whoever reads it. */
static void test_longest(void) {
        _cleanup_free_ char *text = NULL;
        Report report = REPORT_NULL;
        char name[PATH_SIZE_MAX];

        memset(name, '\001', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        for (NoteKind kind = 0; kind < _NOTE_N; kind++) {
                report_note(&report, kind, name);
                report.counts[kind] = UINT64_MAX;
        }
        text = answer(&report, 0);
        CHECK(strlen(text) < UNPACK_ANSWER_MAX);
        CHECK(_NOTE_N <= UNPACK_NOTES_MAX);
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1)
                CHECK((size_t) (end - line) < UNPACK_SENTENCE_MAX);
}

static void test_progress(void) {
        int ends[2];
        char line[64] = "";
        Report report = REPORT_NULL;

        REQUIRE(pipe(ends) == 0);
        report.progress = ends[1];
        report.total = 100;
        report_progress(&report, 7);
        CHECK(report.next_progress > 0);
        /* However long this process was not running since then. */
        report.next_progress = UINT64_MAX;
        report_progress(&report, 8);
        CHECK_INT(read(ends[0], line, sizeof line - 1), 6);
        CHECK_STR(line, "7 100\n");

        /* Nobody reads: the pipe fills, and nothing waits. */
        for (unsigned i = 0; i < 100000; i++) {
                report.next_progress = 0;
                report_progress(&report, i);
        }
        (void) close(ends[0]);
        (void) close(ends[1]);
}

/* As zlib has it, in parts of every size; and what a file may say at its end. */
static void test_checksum(void) {
        static const char text[] = "123456789";
        static const uint8_t right[8] = { 0x26, 0x39, 0xf4, 0xcb, 9, 0, 0, 0 }; /* the standard's own example */
        uint8_t file[20] = {};

        memcpy(file + sizeof file - sizeof right, right, sizeof right);
        for (size_t part = 1; part <= sizeof file; part++) {
                Checksum checksum = CHECKSUM_NULL, other;

                for (size_t i = 0; i < sizeof file; i += part)
                        checksum_note_packed(&checksum, file + i, part < sizeof file - i ? part : sizeof file - i);
                for (size_t i = 0; i < 9; i += part)
                        checksum_note_unpacked(&checksum, text + i, part < 9 - i ? part : 9 - i);
                CHECK(!checksum_is_wrong(&checksum));

                other = checksum;
                other.tail[0] ^= 1;
                CHECK(checksum_is_wrong(&other));
                /* Of another size: one of several files, of which this is not the checksum. */
                other.tail[4] ^= 1;
                CHECK(!checksum_is_wrong(&other));
        }
}

TESTS(test_checksum, test_paths, test_path_limits, test_notes, test_failure, test_longest, test_progress)
