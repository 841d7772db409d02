/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What /proc has of process 1, see view.h. A file that the caller may not read leaves its part unknown; one
 * that is gone means that the process is.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/security/view.h"

#define SMALL_FILE_MAX (64 * 1024)
#define MOUNTS_FILE_MAX (64 * 1024 * 1024)
#define DESCRIPTORS_LOOKED_AT_MAX 65536
#define LINK_SIZE_MAX 4096

const char *const view_namespace_names[_VIEW_NAMESPACE_N] = {
        [VIEW_CGROUP] = "cgroup", [VIEW_IPC] = "ipc",   [VIEW_MOUNT] = "mount", [VIEW_NETWORK] = "net",
        [VIEW_PID] = "pid",       [VIEW_TIME] = "time", [VIEW_USER] = "user",   [VIEW_UTS] = "uts",
};

static const char *const namespace_files[_VIEW_NAMESPACE_N] = {
        [VIEW_CGROUP] = "ns/cgroup", [VIEW_IPC] = "ns/ipc", [VIEW_MOUNT] = "ns/mnt",
        [VIEW_NETWORK] = "ns/net",   [VIEW_PID] = "ns/pid", [VIEW_TIME] = "ns/time",
        [VIEW_USER] = "ns/user",     [VIEW_UTS] = "ns/uts",
};

/* Not for the caller's eyes, or not in this kernel. */
static bool is_hidden(int r) {
        return r == -EACCES || r == -EPERM || r == -ENOENT || r == -EINVAL || r == -EFBIG;
}

/* 1 with a text, 0 if it cannot be had, or a negative errno. */
static int read_text(int process, const char *file, size_t max, char **ret) {
        size_t size;
        int r;

        r = file_read(process, file, max, ret, &size);

        return r >= 0 ? 1 : is_hidden(r) ? 0 : r;
}

static int read_map(int process, const char *file, IdLines *ret, bool *ret_there) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_text(process, file, SMALL_FILE_MAX, &text);
        if (r <= 0)
                return r;
        r = id_lines_parse(text, ret);
        *ret_there = r >= 0;

        return r == -EBADMSG ? 0 : r;
}

static int read_mounts(int process, View *view) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = read_text(process, "mountinfo", MOUNTS_FILE_MAX, &text);
        if (r <= 0)
                return r;
        view->has_mounts = true;

        return mount_lines_parse(text, &view->mounts);
}

/* AppArmor's own file first: the other is that of whichever module is asked first. */
static int read_label(int process, View *view) {
        static const char *const files[] = { "attr/apparmor/current", "attr/current" };

        for (size_t i = 0; i < ELEMENTSOF(files) && !view->label; i++) {
                int r = read_text(process, files[i], SMALL_FILE_MAX, &view->label);

                if (r < 0)
                        return r;
                if (r > 0 && !*view->label) {
                        free(view->label);
                        view->label = NULL;
                }
        }

        return 0;
}

/* "0::/machine.slice/...": the one hierarchy that has no controllers of its own. */
static int read_cgroup(int process, View *view) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        int r;

        r = read_text(process, "cgroup", SMALL_FILE_MAX, &text);
        if (r <= 0)
                return r;
        rest = text;
        while ((line = strsep(&rest, "\n"))) {
                const char *path = string_after_prefix(line, "0::");

                if (path)
                        return string_set(&view->cgroup, path);
        }

        return 0;
}

/* Against process 1 of the host. Who is not root is shown neither. */
static void read_namespaces(int process, View *view) {
        _cleanup_close_ int host = open("/proc/1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        for (size_t i = 0; host >= 0 && i < ELEMENTSOF(namespace_files); i++) {
                struct stat ours, theirs;

                if (fstatat(host, namespace_files[i], &ours, 0) < 0 ||
                    fstatat(process, namespace_files[i], &theirs, 0) < 0)
                        continue;
                view->own[i] = ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev ? ANSWER_NO
                                                                                            : ANSWER_YES;
        }
}

/* A mount namespace that another user namespace than the host's owns got its mounts as locked copies. */
static void read_mount_owner(int process, View *view) {
        _cleanup_close_ int mount = openat(process, "ns/mnt", O_RDONLY | O_CLOEXEC), owner = -EBADF;
        struct stat of_mount, of_user;

        if (mount < 0 || fstatat(process, "ns/user", &of_user, 0) < 0)
                return;
        owner = ioctl(mount, NS_GET_USERNS);
        if (owner < 0 || fstat(owner, &of_mount) < 0)
                return;
        view->mounts_locked = view->own[VIEW_USER] == ANSWER_YES && of_mount.st_ino == of_user.st_ino
                                              ? ANSWER_YES
                                              : ANSWER_NO;
}

static int add_descriptor(int process, unsigned number, View *view) {
        _cleanup_free_ char *file = string_printf("fdinfo/%u", number),
                            *link = string_printf("fd/%u", number);
        _cleanup_free_ char *info = NULL;
        char target[LINK_SIZE_MAX];
        StrayDescriptor stray = { .number = number };
        ssize_t size;
        int r;

        if (!file || !link)
                return -ENOMEM;
        r = read_text(process, file, SMALL_FILE_MAX, &info);
        if (r <= 0)
                return r;
        size = readlinkat(process, link, target, sizeof target - 1);
        stray.mount = fd_info_mount(info);
        /* Sockets, pipes and the like are on no mount. */
        if (size <= 0 || target[0] != '/' || mount_lines_by_id(&view->mounts, stray.mount))
                return 0;

        target[size] = '\0';
        stray.path = strdup(target);
        if (!stray.path)
                return -ENOMEM;
        r = ARRAY_APPEND(view->strays, view->n_strays, stray);
        if (r < 0)
                free(stray.path);

        return r;
}

/* What was mounted while we looked is no stray; what is on one of the host's mounts is the host's. */
static int sort_strays(int process, View *view) {
        _cleanup_(mount_lines_clear) MountLines now = {}, host = {};
        _cleanup_free_ char *inside = NULL, *outside = NULL;
        size_t kept = 0;
        int r;

        if (view->n_strays == 0)
                return 0;
        r = read_text(process, "mountinfo", MOUNTS_FILE_MAX, &inside);
        if (r > 0)
                r = mount_lines_parse(inside, &now);
        if (r >= 0)
                r = read_text(AT_FDCWD, "/proc/1/mountinfo", MOUNTS_FILE_MAX, &outside);
        if (r > 0)
                r = mount_lines_parse(outside, &host);
        if (r < 0)
                return r;

        for (size_t i = 0; i < view->n_strays; i++) {
                StrayDescriptor *stray = view->strays + i;

                stray->of_host = mount_lines_by_id(&host, stray->mount);
                if (mount_lines_by_id(&now, stray->mount))
                        free(stray->path);
                else
                        view->strays[kept++] = *stray;
        }
        view->n_strays = kept;

        return 0;
}

static int read_descriptors(int process, View *view) {
        _cleanup_closedir_ DIR *directory = NULL;
        _cleanup_close_ int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = 0;

        if (fd < 0 || !view->has_mounts)
                return 0;
        directory = fdopendir(fd);
        if (!directory)
                return -errno;
        TAKE_FD(fd);

        for (struct dirent *entry; r >= 0 && (entry = readdir(directory));) {
                uint32_t number;

                if (parse_u32(entry->d_name, &number) < 0)
                        continue;
                if (++view->n_descriptors <= DESCRIPTORS_LOOKED_AT_MAX)
                        r = add_descriptor(process, number, view);
        }
        if (r >= 0)
                r = sort_strays(process, view);
        view->has_descriptors = r >= 0;

        return r;
}

int view_read_process(int process, View *view) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read(process, "status", SMALL_FILE_MAX, &text, NULL);
        if (r < 0)
                return r;
        process_status_parse(text, &view->status);

        r = read_map(process, "uid_map", &view->uids, &view->has_uids);
        if (r >= 0)
                r = read_map(process, "gid_map", &view->gids, &view->has_gids);
        if (r >= 0)
                r = read_mounts(process, view);
        if (r >= 0)
                r = read_label(process, view);
        if (r >= 0)
                r = read_cgroup(process, view);
        if (r < 0)
                return r;

        read_namespaces(process, view);
        read_mount_owner(process, view);
        r = read_descriptors(process, view);
        if (r < 0)
                return r;

        /* Still alive: what was read is of a process, not of what is left of one. */
        return faccessat(process, "status", R_OK, 0) < 0 ? -errno : 0;
}
