/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The unpacker over archives that somebody sends, into a directory beside a file that must stay as it is. What is
 * refused must come with one printable sentence. Owners are not set: only root can.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "unpack/archive.h"
#include "unpack/check.h"

#define MEMBERS 2000
#define SIZE (8 * 1024 * 1024)
#define CANARY "stays as it is"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int fchown(int fd, uid_t owner, gid_t group) {
        return 0;
}

int fchownat(int fd, const char *file, uid_t owner, gid_t group, int flag) {
        return 0;
}

static void must(bool condition) {
        if (!condition)
                abort();
}

/* Directories may have been made such that their owner cannot look into them. */
static int make_open(const char *path, const struct stat *st, int type, struct FTW *walk) {
        return S_ISDIR(st->st_mode) ? chmod(path, 0700) : 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk) {
        return remove(path);
}

static void set_up(void) {
        const struct rlimit size = { SIZE, SIZE };

        must(setlocale(LC_CTYPE, "C.UTF-8"));
        must(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
        must(setrlimit(RLIMIT_FSIZE, &size) == 0);
        (void) umask(0);
}

static void check_answer(const Report *report, int result) {
        _cleanup_close_ int fd = memfd_create("answer", MFD_CLOEXEC);
        _cleanup_free_ char *text = NULL;
        size_t size;

        must(fd >= 0 && report_send(report, fd, result) == 0 && lseek(fd, 0, SEEK_SET) == 0);
        must(fd_read_all(fd, UNPACK_ANSWER_MAX, &text, &size) == 0 && strlen(text) == size);
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                must(string_is_printable(line));
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        char scratch[] = "/tmp/fuzz-archive-XXXXXX";
        _cleanup_close_ int top = -EBADF, root = -EBADF, input = memfd_create("input", MFD_CLOEXEC);
        _cleanup_free_ char *canary = NULL;
        static bool ready;
        Report report = REPORT_NULL;
        struct stat st;
        Writer writer;
        int r;

        if (!ready)
                set_up();
        ready = true;

        must(input >= 0 && size < SIZE && fd_write_all(input, data, size) == 0 && lseek(input, 0, SEEK_SET) == 0);
        must(mkdtemp(scratch));
        top = open(scratch, O_PATH | O_DIRECTORY | O_CLOEXEC);
        must(top >= 0 && file_create(top, "canary", 0600, CANARY) == 0 && mkdirat(top, "root", 0700) == 0);
        root = openat(top, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

        must(writer_init(&writer, &report, root) == 0);
        writer.members = UNPACK_MEMBERS_MAX - MEMBERS;
        r = archive_unpack(&report, &writer, input);
        if (r >= 0)
                r = writer_finish(&writer);
        writer_done(&writer);
        if (r >= 0)
                r = check_root(&report, root);
        must(r <= 0 && (r < 0 || !report.failure[0]));
        check_answer(&report, r);

        must(file_read(top, "canary", 100, &canary, NULL) == 0 && streq(canary, CANARY));
        must(fstatat(top, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_nlink == 1 && (st.st_mode & 07777) == 0600);
        (void) nftw(scratch, make_open, 16, FTW_PHYS);
        must(nftw(scratch, remove_one, 16, FTW_PHYS | FTW_DEPTH) == 0);
        return 0;
}
