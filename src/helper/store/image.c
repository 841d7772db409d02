/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/root/descriptor.h"

#define CHUNK (INT64_C(64) * 1024 * 1024)

static int image_check(int fd, struct stat *ret, StoreError *error) {
        int flags = fcntl(fd, F_GETFL);
        struct statfs fs;

        if (flags < 0 || fstat(fd, ret) < 0 || fstatfs(fd, &fs) < 0)
                return store_fail_errno(error, -errno, "Cannot look at the image");
        /* Others tell of owner and mode what somebody wants. */
        if (!descriptor_type_is_storage((uint32_t) fs.f_type))
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The image cannot be taken: it is on a file system of a kind that is not taken from "
                                  "callers (type %lx)",
                                  (unsigned long) fs.f_type);
        if (!S_ISREG(ret->st_mode))
                return store_fail(error, HELPER_ERROR_DATA, "The image cannot be taken: it is no regular file");
        if ((flags & O_PATH) || (flags & O_ACCMODE) != O_RDONLY || ret->st_uid != 0 || (ret->st_mode & 077) != 0)
                return store_fail(error, HELPER_ERROR_DATA,
                                  "The image cannot be taken: kernels trust file systems only as far as they trust "
                                  "who wrote them, so that it has to be a file of root's with mode 0600, opened for "
                                  "reading only");
        if (ret->st_size == 0)
                return store_fail(error, HELPER_ERROR_DATA, "The image cannot be taken: it is empty");

        return 0;
}

static int check_space(int to, StoreError *error) {
        uint64_t reserve;
        struct statvfs fs;

        if (fstatvfs(to, &fs) < 0)
                return store_fail_errno(error, -errno, "Cannot look at the store");
        reserve = (uint64_t) fs.f_blocks * fs.f_frsize / STORE_RESERVE_SHARE;
        if (reserve > STORE_RESERVE_MAX)
                reserve = STORE_RESERVE_MAX;
        if ((uint64_t) fs.f_bavail * fs.f_frsize < reserve)
                return store_fail(error, "org.freedesktop.DBus.Error.LimitsExceeded",
                                  "The image cannot be taken: the store's file system is full but for what is kept "
                                  "free for the host");

        return 0;
}

static void tell(int progress, int64_t done, int64_t total) {
        struct pollfd poller = { .fd = progress, .events = POLLOUT };
        char line[64];
        int n = snprintf(line, sizeof line, "%" PRId64 " %" PRId64 "\n", done, total);

        /* A pipe that is writable takes a short line whole; nobody has to read it. */
        if (progress >= 0 && n > 0 && poll(&poller, 1, 0) > 0 && (poller.revents & POLLOUT) &&
            write(progress, line, (size_t) n) < 0)
                return;
}

/* As the file systems do it best: sharing blocks, in the kernel, or at least without us. */
static int copy_range(int from, int to, off_t start, off_t end, off_t *ret_end) {
        off_t position = start, target = start;
        size_t size = (size_t) (end - start);
        ssize_t n;

        n = copy_file_range(from, &position, to, &target, size, 0);
        if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
                if (lseek(to, start, SEEK_SET) < 0)
                        return -errno;
                position = start;
                n = sendfile(to, from, &position, size);
        }
        if (n < 0)
                return -errno;

        *ret_end = position;
        return n == 0 ? -ENODATA : 0;
}

/* The next part that has data in it. */
static bool next_data(int from, off_t position, off_t size, off_t *ret_start, off_t *ret_end) {
        off_t start = lseek(from, position, SEEK_DATA), end;

        if (start < 0 && errno == ENXIO)
                return false;
        if (start < 0)
                start = position;
        end = lseek(from, start, SEEK_HOLE);
        if (end < 0 || end > size)
                end = size;

        *ret_start = start;
        *ret_end = end - start > CHUNK ? start + CHUNK : end;
        return start < size;
}

static int copy_data(int from, int to, off_t size, int progress, StoreError *error) {
        off_t position = 0, start, end;

        while (position < size && next_data(from, position, size, &start, &end)) {
                int r = check_space(to, error);

                if (r < 0)
                        return r;
                r = copy_range(from, to, start, end, &position);
                if (r == -ENODATA)
                        return store_fail(error, HELPER_ERROR_DATA, "The image cannot be taken: it became shorter");
                if (r < 0)
                        return store_fail_errno(error, r, "Cannot copy the image");
                tell(progress, position, size);
        }

        return 0;
}

int image_copy(int from, int to, int progress, StoreError *error) {
        struct stat st;
        int r;

        r = image_check(from, &st, error);
        if (r < 0)
                return r;
        if (ioctl(to, FICLONE, from) == 0)
                return 0;

        r = copy_data(from, to, st.st_size, progress, error);
        if (r < 0)
                return r;
        return ftruncate(to, st.st_size) < 0 ? store_fail_errno(error, -errno, "Cannot set the image's size") : 0;
}
