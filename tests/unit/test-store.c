/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth's store: names of what is not finished, answers of the unpacker, deleting.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "helper/store/data.h"
#include "helper/store/delete.h"
#include "helper/store/make.h"
#include "helper/store/unpacker.h"
#include "spec/unpack.h"

#include "test.h"

static void test_staged_names(void) {
        static const char longest[] = "a23456789012345678901234567890123456789012345678901234567890123";
        static const char *const names[] = { "web", "a.b-c", "a-0123abcd", "new-1", longest };
        static const char *const wrong[] = {
                "", ".", "..", ".trash", "web", "web.container", ".web", ".web.new", ".web.new-", ".web.new-1234567",
                ".web.new-123456789", ".web.new-1234567g", ".web.old-12345678", ".web-12345678", "..new-12345678",
                ".Web.new-12345678", ".a/b.new-12345678", ".web.new-12345678 ", "web.new-12345678", ".-12345678",
                ".a234567890123456789012345678901234567890123456789012345678901234.new-12345678",
        };
        char staged[STORE_NAME_SIZE], container[NAME_MAX_LENGTH + 1];
        StagedKind kind;

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                for (StagedKind k = 0; k < _STAGED_N; k++) {
                        CHECK_INT(store_stage(names[i], k, staged), 0);
                        CHECK_INT(store_stage_parse(staged, container, &kind), 0);
                        CHECK_STR(container, names[i]);
                        CHECK_INT(kind, k);
                }
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                CHECK_INT(store_stage_parse(wrong[i], container, &kind), -EINVAL);
}

static void test_entries(void) {
        char entry[STORE_NAME_SIZE];

        store_entry(ROOM_ROOTS, "web", entry);
        CHECK_STR(entry, "web");
        store_entry(ROOM_IMAGES, "web", entry);
        CHECK_STR(entry, "web.raw");
        store_entry(ROOM_DEFINITIONS, "web", entry);
        CHECK_STR(entry, "web.container");
        CHECK_INT(store_data_kind("tar"), STORE_DATA_TAR);
        CHECK_INT(store_data_kind("image"), STORE_DATA_IMAGE);
        CHECK_INT(store_data_kind("root"), STORE_DATA_NONE);
}

static void check_answer(const char *answer, const char *notes, const char *name, const char *sentence) {
        _cleanup_free_ char *text = strdup(answer), *seen = NULL;
        StoreError error = {};
        int r;

        REQUIRE(text);
        r = unpacker_read_answer(text, &seen, &error);
        CHECK_INT(r == 0, !!notes);
        if (notes)
                CHECK_STR(seen, notes);
        else {
                CHECK_STR(error.name, name);
                CHECK_HAS(error.sentence, sentence);
                CHECK(string_is_printable(error.sentence));
        }
}

static void test_answers(void) {
        static const char limits[] = "org.freedesktop.DBus.Error.LimitsExceeded";

        check_answer("done\n", "", NULL, NULL);
        check_answer("note one\nnote two\ndone\n", "one\ntwo\n", NULL, NULL);
        check_answer("note a\033[31m\ndone\n", "a\\x1b[31m\n", NULL, NULL);
        check_answer("failed 22 cannot take x\n", NULL, HELPER_ERROR_DATA, "The data cannot be taken: cannot take x");
        check_answer("failed 22 a\xff\n", NULL, HELPER_ERROR_DATA, "a\\xff");
        check_answer("failed 28 cannot write x: full\n", NULL, limits, "full");
        check_answer("note one\nfailed 7 too many\n", NULL, limits, "too many");

        check_answer("", NULL, HELPER_ERROR_FAILED, "was killed");
        check_answer("done", NULL, HELPER_ERROR_FAILED, "was killed");
        check_answer("note one\n", NULL, HELPER_ERROR_FAILED, "was killed");
        check_answer("done\nnote one\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
        check_answer("DONE\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
        check_answer("\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
        check_answer("failed\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
        check_answer("failed 22\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
        check_answer("failed x y\n", NULL, HELPER_ERROR_FAILED, "nobody understands");
}

static void test_answers_without_end(void) {
        _cleanup_free_ char *many = calloc(1, 64 * 1024), *line = calloc(1, 64 * 1024);

        REQUIRE(many && line);
        for (unsigned i = 0; i <= UNPACK_NOTES_MAX; i++)
                memcpy(many + 7 * i, "note a\n", 7);
        check_answer(many, NULL, HELPER_ERROR_FAILED, "nobody understands");

        memset(line, 'x', 60000);
        memcpy(line, "note ", 5);
        line[60000] = '\n';
        check_answer(line, NULL, HELPER_ERROR_FAILED, "nobody understands");
}

/* DEPTH directories, one in the other, with a file in each. */
static void make_deep(int top, unsigned depth) {
        int fd = dup(top);

        REQUIRE(fd >= 0);
        for (unsigned i = 0; i < depth; i++) {
                int below;

                REQUIRE(mkdirat(fd, "directory", 0700) == 0 && symlinkat("..", fd, "link") == 0);
                below = openat(fd, "directory", O_RDONLY | O_DIRECTORY);
                REQUIRE(below >= 0 && close(fd) == 0);
                fd = below;
        }
        (void) close(fd);
}

static void make_wide(int top, unsigned width) {
        for (unsigned i = 0; i < width; i++) {
                char name[32];

                (void) snprintf(name, sizeof name, "%u", i);
                REQUIRE(mkdirat(top, name, 0700) == 0);
                (void) snprintf(name, sizeof name, "%u/a", i);
                REQUIRE(mkdirat(top, name, 0700) == 0);
                (void) snprintf(name, sizeof name, "%u/a/b", i);
                REQUIRE(file_create(top, name, 0600, "x") == 0);
        }
}

static void test_delete(void) {
        char path[] = "/tmp/test-store-XXXXXX";
        _cleanup_close_ int outside = -EBADF, trash = -EBADF, deep = -EBADF, wide = -EBADF;

        REQUIRE(mkdtemp(path));
        outside = open(path, O_RDONLY | O_DIRECTORY);
        REQUIRE(outside >= 0 && mkdirat(outside, "trash", 0700) == 0 && mkdirat(outside, "kept", 0700) == 0);
        REQUIRE(file_create(outside, "kept/file", 0600, "x") == 0);
        trash = openat(outside, "trash", O_RDONLY | O_DIRECTORY);
        REQUIRE(mkdirat(trash, "deep", 0700) == 0 && mkdirat(trash, "wide", 0700) == 0);
        deep = openat(trash, "deep", O_RDONLY | O_DIRECTORY);
        wide = openat(trash, "wide", O_RDONLY | O_DIRECTORY);
        make_deep(deep, 20000);
        make_wide(wide, 300);
        REQUIRE(symlinkat("../kept", trash, "link") == 0 && symlinkat("../../kept", wide, "link") == 0);
        REQUIRE(linkat(outside, "kept/file", trash, "file", 0) == 0 && mkfifoat(wide, "fifo", 0600) == 0);

        CHECK_INT(delete_all(trash), 0);
        CHECK_INT(unlinkat(outside, "trash", AT_REMOVEDIR), 0);
        CHECK_INT(faccessat(outside, "kept/file", F_OK, 0), 0);

        CHECK_INT(delete_all(outside), 0);
        CHECK_INT(rmdir(path), 0);
}

static bool is_defined(const char *container) {
        _cleanup_(store_done) Store store = STORE_NULL;
        StoreError error = {};

        REQUIRE(store_open(&error, &store) == 0);
        return store_has(&store, ROOM_DEFINITIONS, container) == 1;
}

/* A removal that finds its container in use gives the definition back, whatever was removed meanwhile. */
static void test_withdraw(void) {
        char web[STORE_NAME_SIZE], db[STORE_NAME_SIZE];
        StoreError error = {};

        if (geteuid() != 0) {
                (void) fprintf(stderr, "test_withdraw needs root\n");
                return;
        }
        REQUIRE(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        REQUIRE(mount("store", "/var/lib", "tmpfs", 0, NULL) == 0);
        REQUIRE(mkdir("/var/lib/berth", 0711) == 0 && mkdir("/var/lib/berth/containers", 0755) == 0);
        REQUIRE(file_create(AT_FDCWD, "/var/lib/berth/containers/web.container", 0644, "") == 0);
        REQUIRE(file_create(AT_FDCWD, "/var/lib/berth/containers/db.container", 0644, "") == 0);

        CHECK_INT(store_withdraw("web", true, web, &error), 0);
        CHECK_INT(store_withdraw("db", true, db, &error), 0);
        CHECK(!is_defined("web") && !is_defined("db"));
        CHECK_INT(store_remove("db", true, db, &error), 0);
        CHECK_INT(store_restore("web", web, &error), 0);
        CHECK(is_defined("web") && !is_defined("db"));

        CHECK_INT(store_withdraw("web", true, web, &error), 0);
        CHECK_INT(store_remove("web", false, web, &error), 0);
        CHECK_INT(rmdir("/var/lib/berth/containers"), 0);
}

TESTS(test_staged_names, test_entries, test_answers, test_answers_without_end, test_delete, test_withdraw)
