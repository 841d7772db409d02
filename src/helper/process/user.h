/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who a container's first program runs as: User= and Group= looked up in the container's own /etc/passwd and
 * /etc/group. Called inside the container's root; the files are the guest's and not trusted: only regular files of
 * bounded size are read, and NSS is not asked, which would load the guest's libraries.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define USER_GROUPS_MAX 64

typedef struct User {
        uid_t uid;
        gid_t gid;
        gid_t groups[USER_GROUPS_MAX]; /* supplementary ones */
        size_t n_groups;
        char name[64];
        char home[256];
        char shell[256];
} User;

/* user and group are names or numbers, NULL for the default ids; groups are further ones, or NULL. Who is a number need
 * not have an entry.
 * -ESRCH: no such user; -ENXIO: no such group, *ret_missing is its name; -EUCLEAN: a file is not a regular file;
 * -E2BIG: more than USER_GROUPS_MAX groups. */
int user_resolve(const char *user, const char *group, char *const *groups, uid_t default_uid, gid_t default_gid,
                 User *ret, const char **ret_missing);

/* The id of one user by name, -ESRCH and -EUCLEAN as above; of one group by name or number, -ENXIO and -EUCLEAN. */
int user_find_id(const char *name, uid_t *ret);
int group_find_id(const char *name, gid_t *ret);
