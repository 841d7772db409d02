/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/ns/idmap.h"
#include "helper/ns/nested.h"

/* The first of a range that no process has: a process of the usual nobody could trace the compiler. In a
 * container, which does not have that range, an id that no system gives. */
#define NOBODY FOREIGN_BASE
#define NOBODY_INSIDE 65533
#define EXIT_NO_PROGRAM 127

static int limit(__rlimit_resource_t resource, uint64_t value) {
        const struct rlimit limits = { .rlim_cur = (rlim_t) value, .rlim_max = (rlim_t) value };

        return setrlimit(resource, &limits) < 0 ? -errno : 0;
}

/* Nobody, without a right, and without the possibility to get one. What it says beyond the limit is lost; it
 * is not to die of it, and its first line with it. */
static int child_shed(const Compiler *compiler) {
        const uid_t nobody = nested() ? NOBODY_INSIDE : NOBODY;

        if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
                return -errno;

        if (setgroups(0, NULL) < 0 || setresgid(nobody, nobody, nobody) < 0 ||
            setresuid(nobody, nobody, nobody) < 0)
                return -errno;
        if (prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return -errno;
        if (chdir("/") < 0)
                return -errno;
        if (limit(RLIMIT_CORE, 0) < 0 || limit(RLIMIT_CPU, compiler->seconds_max) < 0 ||
            limit(RLIMIT_DATA, compiler->memory_max) < 0 || limit(RLIMIT_FSIZE, compiler->output_max) < 0 ||
            limit(RLIMIT_NOFILE, 16) < 0)
                return -errno;

        return 0;
}

_noreturn_ static void child_main(const Compiler *compiler, const int fds[static 3]) {
        static char *const environment[] = { (char *) "LC_ALL=C.UTF-8", NULL };
        int aside[3];

        for (int i = 0; i < 3; i++) {
                aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
                if (aside[i] < 0)
                        _exit(EXIT_NO_PROGRAM);
        }
        for (int i = 0; i < 3; i++)
                if (dup2(aside[i], i) < 0)
                        _exit(EXIT_NO_PROGRAM);
        if (close_range(3, ~0U, 0) < 0 || child_shed(compiler) < 0)
                _exit(EXIT_NO_PROGRAM);

        (void) execve(compiler->path, compiler->arguments, environment);
        _exit(EXIT_NO_PROGRAM);
}

static int read_back(int fd, size_t max, char **ret, size_t *ret_size) {
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        return fd_read_all(fd, max, ret, ret_size);
}

int compiler_run(
                const Compiler *compiler,
                const char *input,
                size_t size,
                char **ret_output,
                size_t *ret_size,
                char **ret_message) {
        static const char *const names[3] = { "berth-input", "berth-output", "berth-messages" };
        int fds[3] = { -EBADF, -EBADF, -EBADF }, status = 0, r = 0;
        pid_t pid;

        for (int i = 0; i < 3 && r == 0; i++) {
                fds[i] = memfd_create(names[i], MFD_CLOEXEC);
                r = fds[i] < 0 ? -errno : 0;
        }
        if (r == 0)
                r = fd_write_all(fds[0], input, size);
        if (r == 0 && lseek(fds[0], 0, SEEK_SET) < 0)
                r = -errno;
        if (r == 0) {
                pid = fork();
                if (pid == 0)
                        child_main(compiler, fds);
                if (pid < 0 || waitpid(pid, &status, 0) < 0)
                        r = -errno;
        }
        if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS)
                r = read_back(fds[1], compiler->output_max, ret_output, ret_size);
        else if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE) {
                r = read_back(fds[2], compiler->output_max, ret_message, &size);
                r = r < 0 ? r : -EBADMSG;
        } else if (r == 0)
                r = WIFEXITED(status) ? -ENOEXEC : -ECANCELED;

        for (int i = 0; i < 3; i++)
                fds[i] = fd_close(fds[i]);
        return r;
}
