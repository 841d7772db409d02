/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "spec/name.h"

static const char *const prefixes[_KEPT_N] = {
        [KEPT_MASTER] = "console-",
        [KEPT_RING] = "ring-",
};

int kept_parse(const char *fdname, Kept *ret_kind, char ret_container[static NAME_MAX_LENGTH + 1]) {
        for (Kept kind = 0; kind < _KEPT_N; kind++) {
                const char *name = string_after_prefix(fdname, prefixes[kind]);

                if (!name || !container_name_is_valid(name))
                        continue;

                *ret_kind = kind;
                (void) snprintf(ret_container, NAME_MAX_LENGTH + 1, "%s", name);
                return 0;
        }

        return -EINVAL;
}

int kept_remove(Kept kind, const char *container) {
        char text[128];
        int r;

        (void) snprintf(text, sizeof text, "FDSTOREREMOVE=1\nFDNAME=%s%s", prefixes[kind], container);
        r = sd_notify(false, text);
        return r < 0 ? r : 0;
}

int kept_store(Kept kind, const char *container, int fd) {
        char text[128];
        int r;

        r = kept_remove(kind, container);
        if (r < 0)
                return r;

        /* A pty whose other end is closed hangs up, and would be thrown out without FDPOLL=0. */
        (void) snprintf(text, sizeof text, "FDSTORE=1\nFDPOLL=0\nFDNAME=%s%s", prefixes[kind], container);
        r = sd_pid_notify_with_fds(0, false, text, &fd, 1);
        return r < 0 ? r : 0;
}

#define SIZE_SEALS (F_SEAL_SHRINK | F_SEAL_GROW)

int kept_memory_new(size_t size, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        fd = memfd_create("berth-console-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t) size) < 0 || fcntl(fd, F_ADD_SEALS, SIZE_SEALS | F_SEAL_SEAL) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int kept_memory_map(int fd, size_t size, void **ret) {
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat st;
        void *memory;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (seals < 0 || !FLAGS_SET(seals, SIZE_SEALS) || st.st_size != (off_t) size)
                return -EBADMSG;

        memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (memory == MAP_FAILED)
                return -errno;

        *ret = memory;
        return 0;
}
