/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/syscall.h"
#include "basic/weaken.h"

#define KEY_USERS_MAX (1024 * 1024)

int keyring_join(void) {
        if (weakened(WEAKEN_KEYRING))
                return 0;
        if (sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0) < 0 && errno != ENOSYS)
                return -errno;

        return 0;
}

int keyring_quota_parse(const char *text, uint32_t uid, KeyQuota *ret) {
        for (const char *line = text; line; line = strchr(line, '\n')) {
                KeyQuota quota;
                unsigned id;

                line += *line == '\n';
                if (sscanf(line, "%u: %*u %*u/%*u %u/%u %u/%u", &id, &quota.keys, &quota.keys_max,
                           &quota.bytes, &quota.bytes_max) == 5 &&
                    id == uid) {
                        *ret = quota;
                        return 0;
                }
        }

        return -ENOENT;
}

int keyring_quota(uint32_t uid, KeyQuota *ret) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = file_read(AT_FDCWD, "/proc/key-users", KEY_USERS_MAX, &text, NULL);

        return r < 0 ? r : keyring_quota_parse(text, uid, ret);
}
