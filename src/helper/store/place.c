/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "helper/store/delete.h"
#include "helper/unit/lock.h"
#include "spec/load.h"
#include "spec/name.h"

#define STORE_PATH "/var/lib/berth"
#define STORE_MODE 0711
#define ROOM_TRASH_NAME ".trash"
#define TOLD (-EREMOTEIO)

static const struct {
        const char *path;
        mode_t mode;
        const char *suffix; /* of entries */
} rooms[_ROOM_N] = {
        [ROOM_DEFINITIONS] = { STORE_PATH "/containers", 0755, ".container" },
        [ROOM_ROOTS] = { STORE_PATH "/roots", 0700, "" },
        [ROOM_IMAGES] = { STORE_PATH "/images", 0700, ".raw" },
        [ROOM_OVERLAYS] = { STORE_PATH "/overlays", 0700, "" },
        [ROOM_TRASH] = { STORE_PATH "/trash", 0700, "" },
};

static const StoreRoom data_rooms[] = { ROOM_ROOTS, ROOM_IMAGES, ROOM_OVERLAYS };

static const char *const staged_kinds[_STAGED_N] = {
        [STAGED_NEW] = "new",
        [STAGED_MAKE] = "make",
        [STAGED_RUN] = "run",
        [STAGED_REMOVE] = "remove",
};

int store_fail(StoreError *error, const char *name, const char *format, ...) {
        va_list arguments;

        error->name = name;
        va_start(arguments, format);
        (void) vsnprintf(error->sentence, sizeof error->sentence, format, arguments);
        va_end(arguments);
        return TOLD;
}

int store_fail_errno(StoreError *error, int number, const char *format, ...) {
        bool limit = number == -ENOSPC || number == -EDQUOT || number == -EFBIG;
        char words[1024];
        va_list arguments;

        if (number == TOLD)
                return number;

        va_start(arguments, format);
        (void) vsnprintf(words, sizeof words, format, arguments);
        va_end(arguments);
        return store_fail(error, limit ? "org.freedesktop.DBus.Error.LimitsExceeded" : HELPER_ERROR_FAILED, "%s: %s",
                          words, strerror(-number));
}

/* A room is root's and nobody else writes to it: what is in it is what was put there. */
static int room_open(StoreRoom room, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (mkdir(rooms[room].path, rooms[room].mode) == 0 && chmod(rooms[room].path, rooms[room].mode) < 0)
                return -errno;
        fd = open(rooms[room].path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int store_open(StoreError *error, Store *ret) {
        if (mkdir(STORE_PATH, STORE_MODE) == 0 && chmod(STORE_PATH, STORE_MODE) < 0)
                return store_fail_errno(error, -errno, "Cannot make " STORE_PATH);

        *ret = STORE_NULL;
        for (StoreRoom room = 0; room < _ROOM_N; room++) {
                int r = room_open(room, &ret->rooms[room]);

                if (r < 0) {
                        store_done(ret);
                        return store_fail_errno(error, r, "Cannot open %s", rooms[room].path);
                }
        }

        return 0;
}

void store_done(Store *store) {
        for (StoreRoom room = 0; room < _ROOM_N; room++)
                store->rooms[room] = fd_close(store->rooms[room]);
}

const char *store_room_path(StoreRoom room) {
        return rooms[room].path;
}

void store_entry(StoreRoom room, const char *container, char ret[static STORE_NAME_SIZE]) {
        (void) snprintf(ret, STORE_NAME_SIZE, "%s%s", container, rooms[room].suffix);
}

int store_has(const Store *store, StoreRoom room, const char *container) {
        char entry[STORE_NAME_SIZE];
        struct stat st;

        store_entry(room, container, entry);
        if (fstatat(store->rooms[room], entry, &st, AT_SYMLINK_NOFOLLOW) == 0)
                return 1;
        return errno == ENOENT ? 0 : -errno;
}

int store_stage(const char *container, StagedKind kind, char ret[static STORE_NAME_SIZE]) {
        unsigned random;

        if (getrandom(&random, sizeof random, 0) != (ssize_t) sizeof random)
                return -EIO;

        (void) snprintf(ret, STORE_NAME_SIZE, ".%s.%s-%08x", container, staged_kinds[kind], random);
        return 0;
}

int store_stage_parse(const char *name, char ret_container[static NAME_MAX_LENGTH + 1], StagedKind *ret_kind) {
        const char *dash = strrchr(name, '-'), *dot;
        char container[NAME_MAX_LENGTH + 1];
        size_t size;

        if (name[0] != '.' || !dash || strspn(dash + 1, "0123456789abcdef") != 8 || dash[9])
                return -EINVAL;
        dot = memrchr(name, '.', (size_t) (dash - name));
        size = (size_t) (dot - name);
        if (size < 2 || size > sizeof container)
                return -EINVAL;
        memcpy(container, name + 1, size - 1);
        container[size - 1] = '\0';
        if (!container_name_is_valid(container))
                return -EINVAL;

        for (StagedKind kind = 0; kind < _STAGED_N; kind++)
                if ((size_t) (dash - dot - 1) == strlen(staged_kinds[kind]) &&
                    strncmp(dot + 1, staged_kinds[kind], strlen(staged_kinds[kind])) == 0) {
                        memcpy(ret_container, container, size);
                        *ret_kind = kind;
                        return 0;
                }

        return -EINVAL;
}

int store_commit(const Store *store, StoreRoom room, const char *staged, const char *container) {
        char entry[STORE_NAME_SIZE];
        int fd = store->rooms[room];

        store_entry(room, container, entry);
        if (renameat2(fd, staged, fd, entry, RENAME_NOREPLACE) < 0)
                return -errno;

        return fsync(fd) < 0 ? -errno : 0;
}

/* A room on a file system of its own has a trash of its own. */
static int room_throw(int room, const char *entry, const char *name) {
        _cleanup_close_ int trash = -EBADF;

        if (mkdirat(room, ROOM_TRASH_NAME, 0700) < 0 && errno != EEXIST)
                return -errno;
        trash = openat(room, ROOM_TRASH_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (trash < 0)
                return -errno;

        return renameat2(room, entry, trash, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int store_throw(const Store *store, StoreRoom room, const char *entry, const char *container,
                char ret_name[static STORE_NAME_SIZE]) {
        char name[STORE_NAME_SIZE];
        int fd = store->rooms[room], r;

        r = store_stage(container, STAGED_NEW, name);
        if (r < 0)
                return r;
        if (renameat2(fd, entry, store->rooms[ROOM_TRASH], name, RENAME_NOREPLACE) < 0) {
                if (errno == ENOENT) {
                        ret_name[0] = '\0';
                        return 0;
                }
                if (errno != EXDEV)
                        return -errno;
                r = room_throw(fd, entry, name);
                if (r < 0)
                        return r;
        }

        memcpy(ret_name, name, sizeof name);
        return fsync(fd) < 0 ? -errno : 0;
}

int store_empty_trash(const Store *store) {
        for (StoreRoom room = 0; room < ROOM_TRASH; room++) {
                _cleanup_close_ int trash = -EBADF;
                int r;

                trash = openat(store->rooms[room], ROOM_TRASH_NAME, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                r = trash >= 0 ? delete_all(trash) : 0;
                if (r < 0)
                        return r;
        }

        return delete_all(store->rooms[ROOM_TRASH]);
}

/* A transient unit has a file for as long as systemd knows it. */
static bool run_is_known(const char *container) {
        char path[160];

        (void) snprintf(path, sizeof path, "/run/systemd/transient/container-run-%s.service", container);
        return access(path, F_OK) == 0;
}

/* Opens an entry if it is there, and takes its lock as a start does. */
static int entry_lock(const Store *store, StoreRoom room, const char *container, int *ret_fd) {
        char entry[STORE_NAME_SIZE], name[LOCK_ROOT_NAME_SIZE];
        uint64_t waited = 0;
        struct stat st;
        int r;

        store_entry(room, container, entry);
        if (fstatat(store->rooms[room], entry, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;

        lock_root_name(&st, name);
        do
                r = lock_acquire(LOCK_ROOTS, name, LOCK_EX, ret_fd);
        while (r == -EWOULDBLOCK && lock_wait(&waited));

        return r;
}

static int throw_data(const Store *store, const char *container) {
        for (size_t i = 0; i < ELEMENTSOF(data_rooms); i++) {
                char entry[STORE_NAME_SIZE], name[STORE_NAME_SIZE];
                int r;

                store_entry(data_rooms[i], container, entry);
                r = store_throw(store, data_rooms[i], entry, container, name);
                if (r < 0)
                        return r;
        }

        return 0;
}

int store_discard_data(const Store *store, const char *container) {
        int locks[ELEMENTSOF(data_rooms)] = { -EBADF, -EBADF, -EBADF }, r = 0;

        for (size_t i = 0; i < ELEMENTSOF(data_rooms) && r == 0; i++)
                r = entry_lock(store, data_rooms[i], container, &locks[i]);
        if (r == 0)
                r = throw_data(store, container);
        for (size_t i = 0; i < ELEMENTSOF(data_rooms); i++)
                (void) fd_close(locks[i]);

        return r;
}

/* What is defined may be where nobody can look. */
int store_is_defined(const Store *store, const char *container) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = store_has(store, ROOM_DEFINITIONS, container);
        if (r != 0)
                return r;
        r = definition_list(definition_sources_host(), &names, &problems);

        return r != 0 ? r : strv_contains(names, container);
}

static int sweep_entry(const Store *store, StoreRoom room, const char *entry, const char *only) {
        char container[NAME_MAX_LENGTH + 1], name[STORE_NAME_SIZE];
        StagedKind kind;
        int r;

        if (store_stage_parse(entry, container, &kind) < 0 || (only && !streq(container, only)))
                return 0;
        if (kind == STAGED_RUN && run_is_known(container))
                return 0;
        if (room == ROOM_DEFINITIONS && kind != STAGED_NEW) {
                r = store_is_defined(store, container);
                if (r == 0)
                        r = kind == STAGED_REMOVE ? store_discard_data(store, container) : throw_data(store, container);
                /* It was started just before its definition was taken away: it is whole, and stays. */
                if (r == -EWOULDBLOCK)
                        return store_commit(store, room, entry, container);
                if (r < 0)
                        return r;
        }

        return store_throw(store, room, entry, container, name);
}

int store_sweep(const Store *store, const char *container) {
        int result = 0;

        /* Definitions first: they say what the rest is. */
        for (StoreRoom room = 0; room < ROOM_TRASH; room++) {
                _cleanup_closedir_ DIR *stream = NULL;
                int fd = openat(store->rooms[room], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                stream = fd >= 0 ? fdopendir(fd) : NULL;
                if (!stream)
                        return -errno;
                for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
                        int r = sweep_entry(store, room, entry->d_name, container);

                        if (r < 0)
                                result = r;
                }
        }

        return result;
}
