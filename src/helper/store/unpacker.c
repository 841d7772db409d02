/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/unpacker.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "basic/syscall.h"
#include "helper/ns/idmap.h"
#include "helper/root/mount.h"
#include "spec/unpack.h"

#define NAMESPACES                                                                                                     \
        (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWCGROUP)
#define FD_ASIDE 16 /* above every number that spec/unpack.h has */

typedef struct Plumbing {
        int answer[2], go[2];
        int target; /* a mount */
} Plumbing;

static void plumbing_done(Plumbing *plumbing) {
        for (size_t i = 0; i < 2; i++) {
                plumbing->answer[i] = fd_close(plumbing->answer[i]);
                plumbing->go[i] = fd_close(plumbing->go[i]);
        }
        plumbing->target = fd_close(plumbing->target);
}

/* Puts descriptors where the program expects them, and leaves no other. */
static int child_arrange(const Unpacking *unpacking, const Plumbing *plumbing) {
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        const struct {
                int from, to;
        } places[] = {
                { unpacking->input >= 0 ? unpacking->input : null, UNPACK_FD_INPUT },
                { plumbing->answer[1], UNPACK_FD_ANSWER },
                { null, STDERR_FILENO },
                { plumbing->target, UNPACK_FD_TARGET },
                { unpacking->tree, UNPACK_FD_TREE },
                { unpacking->progress, UNPACK_FD_PROGRESS },
        };
        int aside[ELEMENTSOF(places)];

        if (null < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                aside[i] = places[i].from >= 0 ? fcntl(places[i].from, F_DUPFD_CLOEXEC, FD_ASIDE) : -EBADF;
                if (places[i].from >= 0 && aside[i] < 0)
                        return -errno;
        }
        if (close_range(0, FD_ASIDE - 1, 0) < 0)
                return -errno;
        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (aside[i] >= 0 && dup2(aside[i], places[i].to) < 0)
                        return -errno;

        return close_range(FD_ASIDE, ~0U, 0) < 0 ? -errno : 0;
}

static int child_do(const Unpacking *unpacking, const Plumbing *plumbing) {
        const char *arguments[] = { UNPACK_PROGRAM, unpacking->source, NULL }, *environment[] = { NULL };
        char byte;

        /* The parent writes the id maps first; without a byte it is gone. */
        (void) close(plumbing->go[1]);
        if (read(plumbing->go[0], &byte, 1) != 1)
                return -ESRCH;
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        /* A change of ids forgets it. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        if (child_arrange(unpacking, plumbing) < 0)
                return -errno;

        (void) execve(BERTH_LIBEXECDIR "/" UNPACK_PROGRAM, (char *const *) arguments, (char *const *) environment);
        return -errno;
}

_noreturn_ static void child_main(const Unpacking *unpacking, const Plumbing *plumbing) {
        int r = child_do(unpacking, plumbing);
        char line[256];
        int n;

        /* Descriptors may be at either place. */
        n = snprintf(line, sizeof line, UNPACK_FAILED "%d cannot run " UNPACK_PROGRAM ": %s\n", -r, strerror(-r));
        if (n > 0 && fd_write_all(plumbing->answer[1], line, (size_t) n) < 0)
                (void) fd_write_all(UNPACK_FD_ANSWER, line, (size_t) n);
        _exit(EXIT_FAILURE);
}

/* The foreign range, which nobody on the host has, is what the program sees as 0 to 65535. */
static int parent_map(pid_t pid) {
        static const IdMap map = {
                .ranges = { { .kinds = ID_UID | ID_GID, .outside = FOREIGN_BASE, .count = ID_BLOCK_SIZE } },
                .n = 1,
        };
        _cleanup_close_ int proc = -EBADF;
        char path[32];

        (void) snprintf(path, sizeof path, "/proc/%d", (int) pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

        return proc < 0 ? -errno : idmap_write(&map, proc);
}

static int plumbing_set_up(Plumbing *plumbing, int target) {
        int r;

        *plumbing = (Plumbing) { .answer = { -EBADF, -EBADF }, .go = { -EBADF, -EBADF }, .target = -EBADF };
        if (pipe2(plumbing->answer, O_CLOEXEC) < 0 || pipe2(plumbing->go, O_CLOEXEC) < 0)
                return -errno;
        r = mount_clone(target, "", false, &plumbing->target);
        if (r < 0)
                return r;

        return mount_restrict(plumbing->target, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, false);
}

static int unpacker_wait(Plumbing *plumbing, pid_t pid, char **ret_answer) {
        int status, r;

        r = parent_map(pid);
        plumbing->answer[1] = fd_close(plumbing->answer[1]);
        plumbing->go[0] = fd_close(plumbing->go[0]);
        if (r >= 0 && write(plumbing->go[1], "", 1) < 0)
                r = -errno;
        plumbing->go[1] = fd_close(plumbing->go[1]);

        if (r >= 0)
                r = fd_read_all(plumbing->answer[0], UNPACK_ANSWER_MAX, ret_answer, NULL);
        if (r < 0)
                (void) kill(pid, SIGKILL);
        if (waitpid(pid, &status, 0) < 0)
                return -errno;

        return r;
}

int unpacker_run(const Unpacking *unpacking, char **ret_notes, StoreError *error) {
        _cleanup_(plumbing_done) Plumbing plumbing;
        struct clone_args args = { .flags = NAMESPACES, .exit_signal = SIGCHLD };
        _cleanup_free_ char *answer = NULL;
        pid_t pid;
        int r;

        r = plumbing_set_up(&plumbing, unpacking->target);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot prepare the unpacking");
        pid = sys_clone3(&args);
        if (pid < 0)
                return store_fail_errno(error, -errno, "Cannot make namespaces for the unpacking");
        if (pid == 0)
                child_main(unpacking, &plumbing);

        r = unpacker_wait(&plumbing, pid, &answer);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot unpack");

        return unpacker_read_answer(answer, ret_notes, error);
}

static const char *error_name(uint32_t number) {
        switch (number) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
        case E2BIG:
                return "org.freedesktop.DBus.Error.LimitsExceeded";
        default:
                return HELPER_ERROR_DATA;
        }
}

static int read_failure(char *text, StoreError *error) {
        _cleanup_free_ char *sentence = NULL;
        char *space = strchr(text, ' ');
        uint32_t number;

        if (!space || strlen(space + 1) >= UNPACK_SENTENCE_MAX)
                return store_fail(error, HELPER_ERROR_FAILED, "The unpacker said what nobody understands");
        *space = '\0';
        sentence = string_escape_unprintable(space + 1);
        if (!sentence)
                return -ENOMEM;
        if (parse_u32(text, &number) < 0)
                return store_fail(error, HELPER_ERROR_FAILED, "The unpacker said what nobody understands");

        return store_fail(error, error_name(number), "The data cannot be taken: %s", sentence);
}

int unpacker_read_answer(char *answer, char **ret_notes, StoreError *error) {
        _cleanup_free_ char *notes = strdup("");
        unsigned n = 0;
        char *end;

        for (char *line = answer; (end = strchr(line, '\n')); line = end + 1) {
                _cleanup_free_ char *sentence = NULL;
                const char *text;
                char *more;

                *end = '\0';
                if (!notes)
                        return -ENOMEM;
                if (streq(line, UNPACK_DONE) && !end[1]) {
                        *ret_notes = TAKE_PTR(notes);
                        return 0;
                }
                if (string_after_prefix(line, UNPACK_FAILED))
                        return read_failure(line + strlen(UNPACK_FAILED), error);

                text = string_after_prefix(line, UNPACK_NOTE);
                if (!text || ++n > UNPACK_NOTES_MAX || strlen(text) >= UNPACK_SENTENCE_MAX)
                        return store_fail(error, HELPER_ERROR_FAILED, "The unpacker said what nobody understands");
                sentence = string_escape_unprintable(text);
                more = sentence ? string_printf("%s%s\n", notes, sentence) : NULL;
                free(notes);
                notes = more;
        }

        return store_fail(error, HELPER_ERROR_FAILED, "The data cannot be taken: the process that unpacks it was killed");
}
