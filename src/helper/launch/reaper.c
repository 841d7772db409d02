/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/launch/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/weaken.h"

#define REAPER_PATH BERTH_LIBEXECDIR "/berth-init"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* since Linux 6.3; older ones know no other kind */
#endif

int reaper_open(int *ret_fd) {
        _cleanup_close_ int file = -EBADF, copy = -EBADF;
        struct stat st;

        file = open(REAPER_PATH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (file < 0)
                return -errno;
        if (fstat(file, &st) < 0)
                return -errno;
        if (weakened(WEAKEN_REAPER)) {
                *ret_fd = TAKE_FD(file);
                return 0;
        }

        copy = memfd_create("berth-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
        if (copy < 0 && errno == EINVAL)
                copy = memfd_create("berth-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (copy < 0)
                return -errno;

        for (off_t done = 0; done < st.st_size;) {
                ssize_t n = sendfile(copy, file, NULL, (size_t) (st.st_size - done));

                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                done += n;
        }

        if (fchmod(copy, 0555) < 0)
                return -errno;
        if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;

        *ret_fd = TAKE_FD(copy);
        return 0;
}
