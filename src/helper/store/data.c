/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/data.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/ns/idmap.h"
#include "helper/root/descriptor.h"
#include "helper/root/mount.h"
#include "helper/store/image.h"
#include "helper/store/unpacker.h"
#include "spec/unpack.h"

static const char *const kind_names[_STORE_DATA_N] = {
        [STORE_DATA_TAR] = "tar",
        [STORE_DATA_DIRECTORY] = "directory",
        [STORE_DATA_IMAGE] = "image",
};

StoreDataKind store_data_kind(const char *name) {
        for (StoreDataKind kind = 0; kind < _STORE_DATA_N; kind++)
                if (kind_names[kind] && streq(name, kind_names[kind]))
                        return kind;

        return STORE_DATA_NONE;
}

static int check_archive(int fd, StoreError *error) {
        int flags = fcntl(fd, F_GETFL);
        struct stat st;

        if (flags < 0 || fstat(fd, &st) < 0)
                return store_fail_errno(error, -errno, "Cannot look at the archive");
        if (S_ISDIR(st.st_mode))
                return store_fail(error, HELPER_ERROR_DATA, "The archive cannot be taken: it is a directory");
        if ((flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY ||
            (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISSOCK(st.st_mode)))
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The archive cannot be taken: it has to be a file or a pipe, opened for reading");
        return 0;
}

/* The tree as the unpacker is to see it: owners within the foreign range, those who do not count without an id. */
static int tree_map(int fd, const struct stat *st, int *ret_fd) {
        IdMap map = {
                .ranges = { { .kinds = ID_UID | ID_GID, .outside = FOREIGN_BASE, .count = ID_BLOCK_SIZE } },
                .n = 1,
        };
        _cleanup_close_ int tree = -EBADF, users = -EBADF;
        int r;

        if (st->st_uid != 0)
                map = (IdMap) {
                        .ranges = {
                                { .kinds = ID_UID, .inside = st->st_uid, .outside = FOREIGN_BASE, .count = 1 },
                                { .kinds = ID_GID, .inside = st->st_gid, .outside = FOREIGN_BASE, .count = 1 },
                        },
                        .n = 2,
                };

        r = mount_clone(fd, "", false, &tree);
        if (r < 0)
                return r;
        r = idmap_open_namespace(&map, &users);
        if (r < 0)
                return r;
        r = mount_idmap(tree, users, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                        false);
        if (r < 0)
                return r == -EINVAL ? -EOPNOTSUPP : r;

        *ret_fd = TAKE_FD(tree);
        return 0;
}

static int tree_open(int fd, Unpacking *unpacking, int *ret_fd, StoreError *error) {
        int flags = fcntl(fd, F_GETFL), r;
        struct stat st;

        if (flags < 0 || fstat(fd, &st) < 0)
                return store_fail_errno(error, -errno, "Cannot look at the directory");
        if (!S_ISDIR(st.st_mode))
                return store_fail(error, HELPER_ERROR_DATA, "The directory cannot be taken: it is none");
        if (!descriptor_is_proven(&st, flags))
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The directory cannot be taken: it does not tell who opened it; " DESCRIPTOR_PROOF);

        r = tree_map(fd, &st, ret_fd);
        if (r == -EOPNOTSUPP)
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The directory cannot be taken: its file system does not support id-mapped mounts; "
                                  "pack it into an archive (tar -c) and give that");
        if (r == -EINVAL)
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The directory cannot be taken: it is on a mount that the host does not have");
        if (r < 0)
                return store_fail_errno(error, r, "Cannot open the directory's tree");

        unpacking->source = st.st_uid == 0 ? UNPACK_TREE : UNPACK_TREE_OF_ONE;
        return 0;
}

/* Fills a directory that has no name yet. */
static int root_fill(int target, const StoreData *data, char **ret_notes, StoreError *error) {
        Unpacking unpacking = {
                .source = UNPACK_ARCHIVE,
                .input = -EBADF,
                .tree = -EBADF,
                .target = target,
                .progress = data->progress,
        };
        _cleanup_close_ int tree = -EBADF;
        int r;

        if (data->kind == STORE_DATA_TAR) {
                r = check_archive(data->fd, error);
                unpacking.input = data->fd;
        } else {
                r = tree_open(data->fd, &unpacking, &tree, error);
                unpacking.tree = tree;
        }
        if (r < 0)
                return r;

        r = unpacker_run(&unpacking, ret_notes, error);
        if (r < 0)
                return r;
        return syncfs(target) < 0 ? store_fail_errno(error, -errno, "Cannot write the root to the disk") : 0;
}

static int root_make(const Store *store, const char *staged, const StoreData *data, char **ret_notes,
                     StoreError *error) {
        _cleanup_close_ int target = -EBADF;
        int room = store->rooms[ROOM_ROOTS];

        if (mkdirat(room, staged, 0700) < 0)
                return store_fail_errno(error, -errno, "Cannot make the root's directory");
        target = openat(room, staged, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (target < 0 || fchown(target, FOREIGN_BASE, FOREIGN_BASE) < 0 || fchmod(target, 0755) < 0)
                return store_fail_errno(error, -errno, "Cannot make the root's directory");

        if (data->kind != STORE_DATA_EMPTY)
                return root_fill(target, data, ret_notes, error);

        *ret_notes = strdup("the root is empty\n");
        return *ret_notes ? 0 : -ENOMEM;
}

static int image_make(const Store *store, const char *staged, const StoreData *data, char **ret_notes,
                      StoreError *error) {
        _cleanup_close_ int target = -EBADF;
        int r;

        target = openat(store->rooms[ROOM_IMAGES], staged, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (target < 0)
                return store_fail_errno(error, -errno, "Cannot make the image's file");
        r = image_copy(data->fd, target, data->progress, error);
        if (r < 0)
                return r;
        if (fsync(target) < 0)
                return store_fail_errno(error, -errno, "Cannot write the image to the disk");

        *ret_notes = strdup("");
        return *ret_notes ? 0 : -ENOMEM;
}

int store_make_data(const Store *store, const char *container, const StoreData *data, char **ret_notes,
                    StoreError *error) {
        StoreRoom room = data->kind == STORE_DATA_IMAGE ? ROOM_IMAGES : ROOM_ROOTS;
        char staged[STORE_NAME_SIZE], trash[STORE_NAME_SIZE];
        _cleanup_free_ char *notes = NULL;
        int r;

        if (data->kind == STORE_DATA_NONE) {
                *ret_notes = strdup("");
                return *ret_notes ? 0 : -ENOMEM;
        }

        /* Whoever listens for progress may go. */
        (void) signal(SIGPIPE, SIG_IGN);
        r = store_stage(container, STAGED_NEW, staged);
        if (r < 0)
                return r;
        if (room == ROOM_IMAGES)
                r = image_make(store, staged, data, &notes, error);
        else
                r = root_make(store, staged, data, &notes, error);
        if (r >= 0) {
                r = store_commit(store, room, staged, container);
                if (r < 0)
                        r = store_fail_errno(error, r, "Cannot name the data of %s", container);
        }
        if (r < 0) {
                (void) store_throw(store, room, staged, container, trash);
                (void) store_empty_trash(store);
                return r;
        }

        *ret_notes = TAKE_PTR(notes);
        return 0;
}

/* Calls for each mark of a run: to find (1 ends it) or to remove. */
static int runs_walk(const Store *store, const char *container, bool forget) {
        _cleanup_closedir_ DIR *stream = NULL;
        int fd = openat(store->rooms[ROOM_DEFINITIONS], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        stream = fd >= 0 ? fdopendir(fd) : NULL;
        if (!stream)
                return -errno;

        for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
                char name[NAME_MAX_LENGTH + 1];
                StagedKind kind;

                if (store_stage_parse(entry->d_name, name, &kind) < 0 || kind != STAGED_RUN || !streq(name, container))
                        continue;
                if (!forget)
                        return 1;
                if (unlinkat(fd, entry->d_name, 0) < 0)
                        return -errno;
        }

        return 0;
}

int store_find_run(const Store *store, const char *container) {
        return runs_walk(store, container, false);
}

int store_forget_run(const Store *store, const char *container) {
        return runs_walk(store, container, true);
}
