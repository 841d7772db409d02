/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/root/mount.h"

bool visible_wanted(const LaunchPlan *plan) {
        /* Without a user namespace the files of /proc and /sys would be the host's to write. */
        return plan->definition->nesting && plan->definition->user_namespace;
}

/* Writable as a whole: what may be written is for the kernel to say, as for every user namespace of the
 * host. */
static int visible_make_writable(int fd) {
        struct mount_attr change = { .attr_clr = MOUNT_ATTR_RDONLY };

        return mount_setattr(fd, "", AT_EMPTY_PATH, &change, sizeof change) < 0 ? -errno : 0;
}

/* The borrowed mount goes there, and a clone of it takes its place: Linux clones what is attached only. */
static int visible_attach(Failure *failure, int *borrowed, int directory, const char *name) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_API, "/%s for containers inside", name);
        if (r < 0)
                return r;
        r = mount_attach_at(*borrowed, directory, name);
        if (r < 0)
                return r;
        r = mount_clone(*borrowed, "", false, &fd);
        if (r < 0)
                return r;
        r = visible_make_writable(*borrowed);
        if (r < 0)
                return r;

        (void) close(*borrowed);
        *borrowed = TAKE_FD(fd);
        return 0;
}

int visible_mount(
                Failure *failure,
                const LaunchPlan *plan,
                const RunHost *run,
                BorrowedMounts *borrowed) {
        static const FsOption options[] = {
                {"mode", "0" },
                { "nr_inodes",     "1" },
                {       }
        };
        _cleanup_close_ int directory = -EBADF, cover = -EBADF;
        int r;

        if (!visible_wanted(plan))
                return 0;

        r = step_begin(failure, STEP_API, "/run/host/" VISIBLE_DIRECTORY);
        if (r < 0)
                return r;
        if (run->host < 0)
                return failure_cause(
                                failure, -ENOENT, "the root has no directory /run, which Nesting=yes needs");
        directory = open_beneath(run->host, VISIBLE_DIRECTORY, O_PATH | O_DIRECTORY);
        if (directory < 0)
                return directory;

        r = visible_attach(failure, &borrowed->proc, directory, "proc");
        if (r < 0)
                return r;
        if (borrowed->sys >= 0) {
                r = visible_attach(failure, &borrowed->sys, directory, "sys");
                if (r < 0)
                        return r;
        }

        r = step_begin(failure, STEP_API, "/run/host/" VISIBLE_DIRECTORY);
        if (r < 0)
                return r;
        r = mount_new(failure, "tmpfs", options,
                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY, &cover);
        if (r < 0)
                return r;

        return mount_attach(cover, directory);
}
