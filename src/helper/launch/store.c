/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "helper/unit/lock.h"

#define LISTEN_FDS_START 3

static int fd_store_pass(FdStore *store, int fd, const char *name, size_t name_size) {
        size_t size = strlen(store->passed_names);

        if (store->n_passed >= PASSED_MAX || size + name_size + 2 > sizeof store->passed_names)
                return -E2BIG;

        if (store->n_passed > 0)
                store->passed_names[size++] = ':';
        memcpy(store->passed_names + size, name, name_size);
        store->passed_names[size + name_size] = '\0';
        store->passed[store->n_passed++] = fd;
        return 0;
}

static bool name_is(const char *name, size_t size, const char *wanted) {
        return size == strlen(wanted) && memcmp(name, wanted, size) == 0;
}

/* What the guest's last start was handed. The newest of a name comes first, and is the one to use only if
 * there is no other: what berth put there came before anything else. */
static int fd_store_sort_handed(FdStore *store, int fd, const char *name, size_t name_size) {
        const size_t prefix = strlen(HANDOVER_STORE_PREFIX);
        Handover *handed = &store->handed;
        HandoverFd entry = { .fd = fd };

        if (name_is(name, name_size, HANDOVER_STORE_DEFINITION)) {
                handed->definition = fd_close(handed->definition);
                handed->definition = fd;
                return 0;
        }

        memcpy(entry.name, name + prefix, name_size - prefix);
        for (size_t i = 0; i < handed->n_fds; i++)
                if (strcmp(handed->fds[i].name, entry.name) == 0) {
                        handed->fds[i].fd = fd_close(handed->fds[i].fd);
                        handed->fds[i].fd = fd;
                        return 0;
                }
        if (handed->n_fds >= HANDOVER_FDS_MAX)
                return -E2BIG;

        handed->fds[handed->n_fds++] = entry;
        return 0;
}

static bool name_is_handed(const char *name, size_t size) {
        const size_t prefix = strlen(HANDOVER_STORE_PREFIX);

        return name_is(name, size, HANDOVER_STORE_DEFINITION) ||
               (size > prefix && size <= prefix + HANDOVER_NAME_MAX &&
                memcmp(name, HANDOVER_STORE_PREFIX, prefix) == 0);
}

static int fd_store_sort(FdStore *store, int fd, const char *name, size_t name_size) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
                return -errno;

        if (name_is(name, name_size, STORE_LOCK_NAME)) {
                if (store->n_locks >= STORE_MAX)
                        return -E2BIG;
                store->locks[store->n_locks++] = (StoredFd) { .fd = fd, .received = true };
                return 0;
        }

        /* The guest that these belonged to is gone; the new one gets new ones. */
        if (name_is(name, name_size, STORE_CONSOLE_NAME)) {
                (void) close(fd);
                store->had_console = true;
                return 0;
        }
        if (name_is(name, name_size, STORE_NOTIFY_NAME)) {
                (void) close(fd);
                store->had_notify = true;
                return 0;
        }

        if (name_is(name, name_size, STORE_SECCOMP_NAME)) {
                (void) close(fd);
                store->had_seccomp = true;
                return 0;
        }

        if (name_is_handed(name, name_size))
                return fd_store_sort_handed(store, fd, name, name_size);

        return fd_store_pass(store, fd, name, name_size);
}

int fd_store_receive(FdStore *store) {
        const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
        uint32_t listener, n = 0;
        int r = 0;

        *store = FD_STORE_NULL;

        if (pid && parse_u32(pid, &listener) == 0 && listener == (uint32_t) getpid() && count)
                r = parse_u32(count, &n);

        for (uint32_t i = 0; i < n && r == 0; i++) {
                size_t size = names ? strcspn(names, ":") : 0;

                r = fd_store_sort(store, LISTEN_FDS_START + (int) i, names ? names : "", size);
                if (names)
                        names += size + (names[size] == ':');
        }

        (void) unsetenv("LISTEN_PID");
        (void) unsetenv("LISTEN_FDS");
        (void) unsetenv("LISTEN_FDNAMES");
        return r;
}

void fd_store_done(FdStore *store) {
        for (size_t i = 0; i < store->n_locks; i++)
                store->locks[i].fd = fd_close(store->locks[i].fd);
        for (size_t i = 0; i < store->n_passed; i++)
                store->passed[i] = fd_close(store->passed[i]);
        handover_clear(&store->handed);
        store->console = fd_close(store->console);
        store->notify = fd_close(store->notify);
        store->seccomp = fd_close(store->seccomp);
}

int fd_store_find(FdStore *store, const struct stat *st) {
        for (size_t i = 0; i < store->n_locks; i++) {
                struct stat own;

                if (!store->locks[i].received || fstat(store->locks[i].fd, &own) < 0)
                        continue;
                if (own.st_dev == st->st_dev && own.st_ino == st->st_ino) {
                        store->locks[i].used = true;
                        return store->locks[i].fd;
                }
        }

        return -ENOENT;
}

int fd_store_add(FdStore *store, int fd_take) {
        if (store->n_locks >= STORE_MAX) {
                (void) close(fd_take);
                return -E2BIG;
        }

        store->locks[store->n_locks++] = (StoredFd) { .fd = fd_take, .used = true };
        return 0;
}

int fd_store_lock(FdStore *store, const char *directory, const char *name, int operation) {
        _cleanup_free_ char *path = NULL;
        struct stat st;
        int fd, stored = -ENOENT, r;

        if (asprintf(&path, "%s/%s", directory, name) < 0)
                return -ENOMEM;
        if (stat(path, &st) == 0)
                stored = fd_store_find(store, &st);
        if (stored >= 0)
                return flock(stored, operation | LOCK_NB) < 0 ? -errno : 0;

        r = lock_acquire(directory, name, operation, &fd);
        return r < 0 ? r : fd_store_add(store, fd);
}

/* A pty whose other end is not open hangs up, and would be thrown out again without FDPOLL=0. */
static int fd_store_replace(const Notify *notify, const char *name, bool had, int fd) {
        char text[64];
        int r;

        if (had) {
                (void) snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s", name);
                r = notify_send(notify, text);
                if (r < 0)
                        return r;
        }
        if (fd < 0)
                return 0;

        (void) snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
        return notify_send_fds(notify, text, &fd, 1);
}

int fd_store_commit_locks(FdStore *store, const Notify *notify) {
        int fds[STORE_MAX], r;
        size_t n = 0;
        bool stale = false;

        for (size_t i = 0; i < store->n_locks; i++)
                stale = stale || !store->locks[i].used;

        if (stale) {
                r = notify_send(notify, "FDSTOREREMOVE=1\nFDNAME=" STORE_LOCK_NAME);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < store->n_locks; i++)
                if (store->locks[i].used && (stale || !store->locks[i].received))
                        fds[n++] = store->locks[i].fd;

        return n > 0 ? notify_send_fds(notify, "FDSTORE=1\nFDNAME=" STORE_LOCK_NAME, fds, n) : 0;
}

int fd_store_commit_rest(FdStore *store, const Notify *notify) {
        int r;

        r = fd_store_replace(notify, STORE_CONSOLE_NAME, store->had_console, store->console);
        if (r < 0)
                return r;

        r = fd_store_replace(notify, STORE_NOTIFY_NAME, store->had_notify, store->notify);
        if (r < 0)
                return r;

        return fd_store_replace(notify, STORE_SECCOMP_NAME, store->had_seccomp, store->seccomp);
}
