/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "helper/unit/cgroup.h"
#include "spec/limits.h"
#include "spec/unit.h"

#define DEPTH_MAX 6 /* slices nest; a container's unit is not deeper than this on any sane host */

/* Is that the device of a loop over the disk image? */
static bool device_is_of_image(dev_t device, const struct stat *image) {
        _cleanup_close_ int fd = -EBADF;
        struct loop_info64 info;
        char path[32];

        if (!S_ISREG(image->st_mode) || major(device) != LOOP_MAJOR)
                return false;
        (void) snprintf(path, sizeof path, "/dev/loop%u", minor(device));
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

        return fd >= 0 && ioctl(fd, LOOP_GET_STATUS64, &info) == 0 && info.lo_device == image->st_dev &&
               info.lo_inode == image->st_ino;
}

/* A direct root shows the same directory from outside and, as the first process's root, from inside. */
static bool unit_has_root(int slice, const char *unit, const struct stat *root) {
        _cleanup_free_ char *path = NULL, *processes = NULL, *link = NULL;
        struct stat st;

        if (asprintf(&path, "%s/" CGROUP_PAYLOAD "/cgroup.procs", unit) < 0)
                return false;
        /* A guest with a systemd inside has its processes further below. */
        if (file_read(slice, path, 1024 * 1024, &processes, NULL) < 0)
                return false;
        if (!processes[0]) {
                free(TAKE_PTR(path));
                free(TAKE_PTR(processes));
                if (asprintf(&path, "%s/" CGROUP_PAYLOAD "/init.scope/cgroup.procs", unit) < 0 ||
                    file_read(slice, path, 1024 * 1024, &processes, NULL) < 0)
                        return false;
        }

        /* The first line is enough: all processes of a container have the same root, but for chroots. */
        if (asprintf(&link, "/proc/%.*s/root", (int) strspn(processes, "0123456789"), processes) < 0)
                return false;

        if (stat(link, &st) < 0)
                return false;

        return (st.st_dev == root->st_dev && st.st_ino == root->st_ino) ||
               device_is_of_image(st.st_dev, root);
}

static bool slice_find(int parent, const char *name, const struct stat *root, unsigned depth, char *buffer,
                       size_t size) {
        _cleanup_closedir_ DIR *directory = NULL;
        int fd;

        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return false;
        directory = fdopendir(fd);
        if (!directory) {
                (void) close(fd);
                return false;
        }

        for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
                const char *unit = entry->d_name, *suffix = strrchr(unit, '.');
                char container[NAME_MAX_LENGTH + 1];
                UnitKind kind;

                if (entry->d_type != DT_DIR || !suffix)
                        continue;

                if (unit_name_parse(unit, &kind, container, sizeof container) == 0 &&
                    unit_has_root(fd, unit, root)) {
                        (void) snprintf(buffer, size, "container %s", container);
                        return true;
                }

                if (strcmp(suffix, ".slice") == 0 && depth < DEPTH_MAX &&
                    slice_find(fd, unit, root, depth + 1, buffer, size))
                        return true;
        }

        return false;
}

bool holder_find(int root_fd, char *buffer, size_t size) {
        struct stat root;

        (void) snprintf(buffer, size, "another container or program");

        return fstat(root_fd, &root) == 0 && slice_find(AT_FDCWD, CGROUP_ROOT, &root, 0, buffer, size);
}
