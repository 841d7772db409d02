/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berth's store: names of what is not finished, answers of the unpacker, deleting.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "helper/store/data.h"
#include "helper/store/delete.h"
#include "helper/store/make.h"
#include "helper/store/unpacker.h"
#include "helper/unit/lock.h"
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

/* An empty store, and locks, that nobody else sees; false: this needs root. */
static bool private_store(void) {
        if (geteuid() != 0) {
                (void) fprintf(stderr, "the store needs root\n");
                return false;
        }
        REQUIRE(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        REQUIRE(mount("store", "/var/lib", "tmpfs", 0, NULL) == 0 && mount("run", "/run", "tmpfs", 0, NULL) == 0);
        REQUIRE(mkdir("/run/systemd", 0755) == 0 && mkdir("/var/lib/berth", 0711) == 0);
        REQUIRE(mkdir("/var/lib/berth/containers", 0755) == 0);
        return true;
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

        if (!private_store())
                return;
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

static const char definition_text[] = "[Root]\nManaged=yes\nOverlay=yes\n";

/* A container with a root and a layer, both with something in them. */
static void make_container(void) {
        REQUIRE(file_create(AT_FDCWD, "/var/lib/berth/containers/web.container", 0644, definition_text) == 0);
        REQUIRE(mkdir("/var/lib/berth/roots/web", 0755) == 0 && mkdir("/var/lib/berth/roots/web/etc", 0755) == 0);
        REQUIRE(mkdir("/var/lib/berth/overlays/web", 0711) == 0 && mkdir("/var/lib/berth/overlays/web/upper", 0755) == 0);
}

/* What there is of it, a bit each; and whether nothing else is there. */
enum {
        HAS_DEFINITION = 1,
        HAS_ROOT = 2,
        HAS_ALL = 7, /* and its layer */
};

static unsigned entries_of(const char *path) {
        _cleanup_closedir_ DIR *stream = opendir(path);
        unsigned n = 0;

        REQUIRE(stream);
        for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
                n += !streq(entry->d_name, ".") && !streq(entry->d_name, "..");
        return n;
}

static unsigned what_is_left(void) {
        static const StoreRoom has[] = { ROOM_DEFINITIONS, ROOM_ROOTS, ROOM_OVERLAYS };
        _cleanup_(store_done) Store store = STORE_NULL;
        unsigned found = 0, n = 0;
        StoreError error = {};

        REQUIRE(store_open(&error, &store) == 0);
        for (unsigned i = 0; i < ELEMENTSOF(has); i++)
                if (store_has(&store, has[i], "web") == 1) {
                        found |= 1U << i;
                        n++;
                }
        for (StoreRoom room = 0; room < _ROOM_N; room++)
                n -= entries_of(store_room_path(room));
        CHECK_INT(n, 0);
        return found;
}

/* What the helper does, as a step of its own each. */
static int remove_all(void) {
        char hidden[STORE_NAME_SIZE];
        StoreError error = {};

        return store_withdraw("web", true, hidden, &error) == 0 ? store_remove("web", true, hidden, &error) : -1;
}

static int create_all(void) {
        const StoreData data = { .kind = STORE_DATA_EMPTY, .fd = -EBADF, .progress = -EBADF };
        _cleanup_free_ char *notes = NULL;
        StoreError error = {};

        return store_create("web", definition_text, strlen(definition_text), &data, false, &notes, &error);
}

static int sweep_all(void) {
        _cleanup_(store_done) Store store = STORE_NULL;
        StoreError error = {};

        return store_open(&error, &store) == 0 && store_sweep(&store, NULL) == 0 ? store_empty_trash(&store) : -1;
}

/* The next call that changes a file stops for who traces this process. */
static int stop_at_changes(void) {
        static const int changes[] = {
                SYS_renameat, SYS_renameat2, SYS_unlinkat, SYS_mkdirat, SYS_write,
                SYS_fsync,    SYS_fchmod,    SYS_fchown,   SYS_flock,
        };
        struct sock_filter code[2 * ELEMENTSOF(changes) + 2];
        struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = code };
        size_t n = 0;

        code[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ELEMENTSOF(changes); i++) {
                code[n++] = (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t) changes[i], 0, 1);
                code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
        }
        code[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* Has a child do it, which is killed before its Nth change. True: it came to its end before. */
static bool work_killed(int (*work)(void), unsigned n) {
        pid_t pid = fork();
        int status;

        REQUIRE(pid >= 0);
        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 || raise(SIGSTOP) != 0 || stop_at_changes() < 0)
                        _exit(2);
                _exit(work() == 0 ? 0 : 1);
        }

        REQUIRE(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
        REQUIRE(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP) == 0);
        for (unsigned stops = 0; stops < n; stops++) {
                REQUIRE(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
                REQUIRE(waitpid(pid, &status, 0) == pid);
                if (!WIFSTOPPED(status)) {
                        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
                        return true;
                }
        }

        REQUIRE(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
        return false;
}

/* Work that leads from one state to another, killed before each of its changes, as is what puts it away then. */
static void check_killed(int (*work)(void), unsigned before, unsigned after) {
        bool seen_before = false, seen_after = false;

        for (unsigned n = 1;; n++) {
                unsigned left = what_is_left();
                bool done;

                if (left != before && before == 0)
                        REQUIRE(remove_all() == 0);
                else if (left != before)
                        make_container();
                done = work_killed(work, n);
                (void) work_killed(sweep_all, n);
                CHECK_INT(sweep_all(), 0);

                left = what_is_left();
                seen_before |= left == before;
                seen_after |= left == after;
                CHECK(left == after || (left == before && !seen_after));
                if (done)
                        break;
        }
        CHECK(seen_before && seen_after);
}

static void test_killed(void) {
        if (!private_store())
                return;
        REQUIRE(sweep_all() == 0);
        check_killed(remove_all, HAS_ALL, 0);
        check_killed(create_all, 0, HAS_DEFINITION | HAS_ROOT);
}

/* A container that was started when its removal began is not removed by who finds the rest of that. */
static void test_killed_in_use(void) {
        _cleanup_close_ int fd = -EBADF;
        char hidden[STORE_NAME_SIZE], lock[LOCK_ROOT_NAME_SIZE];
        StoreError error = {};
        struct stat st;

        if (!private_store())
                return;
        REQUIRE(sweep_all() == 0);
        make_container();
        REQUIRE(stat("/var/lib/berth/roots/web", &st) == 0);
        lock_root_name(&st, lock);
        REQUIRE(lock_acquire(LOCK_ROOTS, lock, LOCK_EX, &fd) == 0);

        CHECK_INT(store_withdraw("web", true, hidden, &error), 0);
        CHECK(!is_defined("web"));
        CHECK_INT(sweep_all(), 0);
        CHECK_INT(what_is_left(), HAS_ALL);
}

TESTS(test_staged_names, test_entries, test_answers, test_answers_without_end, test_delete, test_withdraw, test_killed,
      test_killed_in_use)
