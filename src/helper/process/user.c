/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/process/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/cleanup.h"
#include "basic/file.h"

#define DATABASE_MAX (4 * 1024 * 1024)

/* Opens a database of the guest; *ret is NULL if there is none. A FIFO must not block us, a device not be opened. */
static int database_open(const char *path, FILE **ret) {
        _cleanup_close_ int root = -EBADF, fd = -EBADF;
        struct stat st;

        *ret = NULL;

        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;

        fd = open_in_root(root, path, O_PATH);
        if (fd == -ENOENT)
                return 0;
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_size > DATABASE_MAX)
                return -EUCLEAN;

        fd = fd_close(fd);
        fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EUCLEAN;

        *ret = fdopen(fd, "re");
        if (!*ret)
                return -ENOMEM;

        TAKE_FD(fd);
        return 0;
}

/* A plain decimal number below 2^32 - 1, and nothing else: "1000:", "+1", " 0" and "0x0" are not numbers. */
static bool id_parse(const char *text, uint32_t *ret) {
        unsigned long long value = 0;

        if (!*text || strlen(text) > 10)
                return false;
        for (const char *p = text; *p; p++) {
                if (*p < '0' || *p > '9')
                        return false;
                value = value * 10 + (unsigned) (*p - '0');
        }
        if (value >= UINT32_MAX)
                return false;

        *ret = (uint32_t) value;
        return true;
}

static void copy_bounded(char *target, size_t size, const char *text) {
        if (text && strlen(text) < size)
                memcpy(target, text, strlen(text) + 1);
}

/* Finds a user by name, or by number if by_number. */
static int passwd_find(const char *name, bool by_number, uid_t uid, User *user) {
        _cleanup_fclose_ FILE *file = NULL;
        int r;

        r = database_open("/etc/passwd", &file);
        if (r < 0)
                return r;

        for (struct passwd *p = file ? fgetpwent(file) : NULL; p; p = fgetpwent(file)) {
                if (by_number ? p->pw_uid != uid : strcmp(p->pw_name, name) != 0)
                        continue;

                user->uid = p->pw_uid;
                user->gid = p->pw_gid;
                copy_bounded(user->name, sizeof user->name, p->pw_name);
                copy_bounded(user->home, sizeof user->home, p->pw_dir);
                copy_bounded(user->shell, sizeof user->shell, p->pw_shell);
                return 0;
        }

        return -ESRCH;
}

static bool group_has_member(const struct group *group, const char *user) {
        for (char **member = group->gr_mem; user[0] && *member; member++)
                if (strcmp(*member, user) == 0)
                        return true;

        return false;
}

static int user_add_group(User *user, gid_t gid) {
        for (size_t i = 0; i < user->n_groups; i++)
                if (user->groups[i] == gid)
                        return 0;
        if (user->n_groups >= USER_GROUPS_MAX)
                return -E2BIG;

        user->groups[user->n_groups++] = gid;
        return 0;
}

/* The groups that the database puts the user into, as a login would. */
static int groups_of_user(User *user) {
        _cleanup_fclose_ FILE *file = NULL;
        int r;

        r = database_open("/etc/group", &file);
        if (r < 0)
                return r;

        for (struct group *g = file ? fgetgrent(file) : NULL; g; g = fgetgrent(file))
                if (group_has_member(g, user->name)) {
                        r = user_add_group(user, g->gr_gid);
                        if (r < 0)
                                return r;
                }

        return 0;
}

int group_find_id(const char *name, gid_t *ret) {
        _cleanup_fclose_ FILE *file = NULL;
        uint32_t id;
        int r;

        if (id_parse(name, &id)) {
                *ret = id;
                return 0;
        }

        r = database_open("/etc/group", &file);
        if (r < 0)
                return r;

        for (struct group *g = file ? fgetgrent(file) : NULL; g; g = fgetgrent(file))
                if (strcmp(g->gr_name, name) == 0) {
                        *ret = g->gr_gid;
                        return 0;
                }

        return -ENXIO;
}

int user_find_id(const char *name, uid_t *ret) {
        User user = {};
        int r;

        r = passwd_find(name, false, 0, &user);
        if (r < 0)
                return r;

        *ret = user.uid;
        return 0;
}

/* Who this is, without groups. */
static int user_find(const char *user, uid_t default_uid, User *ret) {
        bool number = !user;
        uint32_t id = default_uid;
        int r;

        if (user && id_parse(user, &id))
                number = true;

        r = passwd_find(user, number, id, ret);
        if (r == -ESRCH && number) {
                /* A bare number has the same group, unless Group= says something else. */
                ret->uid = id;
                if (user)
                        ret->gid = id;
                return 0;
        }

        return r;
}

int user_resolve(const char *user, const char *group, char *const *groups, uid_t default_uid, gid_t default_gid,
                 User *ret, const char **ret_missing) {
        int r;

        *ret = (User) { .uid = default_uid, .gid = default_gid };
        copy_bounded(ret->home, sizeof ret->home, "/");

        r = user_find(user, default_uid, ret);
        if (r < 0)
                return r;

        if (group) {
                *ret_missing = group;
                r = group_find_id(group, &ret->gid);
                if (r < 0)
                        return r;
        }
        if (ret->uid != 0) {
                r = groups_of_user(ret);
                if (r < 0)
                        return r;
        }
        for (; groups && *groups; groups++) {
                gid_t gid;

                *ret_missing = *groups;
                r = group_find_id(*groups, &gid);
                if (r == 0)
                        r = user_add_group(ret, gid);
                if (r < 0)
                        return r;
        }

        return 0;
}
