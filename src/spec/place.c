/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who could have written a file; see place.h. There are two ways: where no component is a link, the kernel
 * opens the directory at once and its ancestors are looked at through "..", one system call each. Where
 * there is one, the path is walked component by component, and each link's directory is judged before the
 * link is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/string.h"
#include "basic/syscall.h"
#include "spec/limits.h"
#include "spec/place.h"

#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW)

void place_clear(Place *place) {
        place->fd = fd_close(place->fd);
        free(place->path);
        free(place->reason);
        *place = (Place) PLACE_EMPTY;
}

const char *place_error_text(int error) {
        switch (error) {
        case PLACE_E_MASKED:
                return "is masked by a link to /dev/null";
        case PLACE_E_LINK:
                return "is reached by a symbolic link in a place that is not root's alone, and is not "
                       "followed; put a file there instead of the link";
        case PLACE_E_KIND:
                return "is not a regular file";
        default:
                return strerror(-error);
        }
}

/* Takes trust away if STATUS, that of PATH, shows that somebody else can write there. */
static int judge(const DefinitionSources *sources, const struct stat *status, const char *path,
                 Place *place) {
        char *reason;

        if (!place->trusted)
                return 0;

        if (status->st_uid != 0 && status->st_uid != sources->trusted_uid)
                reason = string_printf("%s belongs to user %u, not to root", path,
                                       (unsigned) status->st_uid);
        else if (status->st_mode & 0022)
                reason = string_printf("%s is writable by %s (mode %04o)", path,
                                       status->st_mode & 0002 ? "everybody" : "its group",
                                       (unsigned) (status->st_mode & 07777));
        else
                return 0;
        if (!reason)
                return -ENOMEM;

        place->trusted = false;
        place->reason = reason;

        return 0;
}

/* What is below the anchor in PATH, without leading slash; NULL if PATH is not below it. */
static const char *below_anchor(const DefinitionSources *sources, const char *path) {
        const char *rest;

        if (!sources->anchor)
                return path + strspn(path, "/");
        rest = string_after_prefix(path, sources->anchor);
        if (!rest || (*rest && *rest != '/'))
                return NULL;

        return rest + strspn(rest, "/");
}

/* The ancestors of an opened directory whose PATH has no link in it. */
static int judge_ancestors(const DefinitionSources *sources, Place *place) {
        const char *below = below_anchor(sources, place->path);
        _cleanup_free_ char *path = strdup(place->path);
        char up[PATH_SIZE_MAX / 2 * 3 + 1] = "", *end = up;

        if (!path)
                return -ENOMEM;

        for (size_t left = strlen(below ?: place->path + 1); left > 0 && place->trusted;) {
                struct stat status;
                char *slash = strrchr(path, '/');
                int r;

                slash[slash == path] = '\0';
                end = stpcpy(end, end == up ? ".." : "/..");
                if (fstatat(place->fd, up, &status, 0) < 0)
                        return -errno;
                r = judge(sources, &status, path, place);
                if (r < 0)
                        return r;

                below = below_anchor(sources, path);
                left = below ? strlen(below) : strlen(path) - 1;
        }

        return 0;
}

/* What was opened at FD: a regular file or directory, and whether it is trusted. Takes nothing over. */
static int place_take(const DefinitionSources *sources, Place *place) {
        struct stat status;

        if (fstat(place->fd, &status) < 0)
                return -errno;
        place->device = status.st_dev;
        place->inode = status.st_ino;
        place->size = (size_t) status.st_size;
        place->directory = S_ISDIR(status.st_mode);
        if (!place->directory && !S_ISREG(status.st_mode))
                return PLACE_E_KIND;

        return judge(sources, &status, place->path, place);
}

/* A path that is being walked. */
typedef struct Walk {
        const DefinitionSources *sources;
        Place place;   /* the directory where the walk stands, later the result */
        char *rest;    /* what is left to walk */
        unsigned links;
} Walk;

static void walk_clear(Walk *walk) {
        place_clear(&walk->place);
        free(walk->rest);
}

/* Stands at the anchor or the root for the absolute path PATH. */
static int walk_begin(Walk *walk, const char *path) {
        const char *below = below_anchor(walk->sources, path), *start;
        char *rest;
        int r;

        start = below && walk->sources->anchor ? walk->sources->anchor : "/";
        rest = strdup(below ?: path);
        if (!rest)
                return -ENOMEM;
        free(walk->rest);
        walk->rest = rest;

        walk->place.fd = fd_close(walk->place.fd);
        walk->place.fd = open(start, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (walk->place.fd < 0)
                return -errno;
        r = string_set(&walk->place.path, start);

        return r < 0 ? r : place_take(walk->sources, &walk->place);
}

/* NAME in the directory of the walk is a link: what it points to goes before the rest. */
static int walk_link(Walk *walk, const char *name) {
        char target[PATH_SIZE_MAX], *rest;
        ssize_t n;

        n = readlinkat(walk->place.fd, name, target, sizeof target);
        if (n < 0)
                return -errno;
        if ((size_t) n >= sizeof target)
                return -ENAMETOOLONG;
        target[n] = '\0';
        if (streq(target, "/dev/null") && !*walk->rest)
                return PLACE_E_MASKED;
        if (!walk->place.trusted)
                return PLACE_E_LINK;
        if (++walk->links > LINKS_MAX)
                return -ELOOP;

        rest = string_printf("%s/%s", target, walk->rest);
        if (!rest)
                return -ENOMEM;
        free(walk->rest);
        walk->rest = rest;

        if (target[0] == '/') {
                _cleanup_free_ char *absolute = TAKE_PTR(walk->rest);

                return walk_begin(walk, absolute);
        }

        return 0;
}

/* One step down (or up), the last one too. */
static int walk_step(Walk *walk, const char *name) {
        char *path, *slash;
        bool last = !*walk->rest;
        int fd;

        if (streq(name, ".."))
                fd = openat(walk->place.fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        else
                fd = openat(walk->place.fd, name,
                            last ? OPEN_FLAGS : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        /* A link is ELOOP as the last component, ENOTDIR before. */
        if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
                struct stat status;

                if (fstatat(walk->place.fd, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
                        return -errno;
                return S_ISLNK(status.st_mode) ? walk_link(walk, name) : -ENOTDIR;
        }
        if (fd < 0)
                return -errno;

        walk->place.fd = fd_close(walk->place.fd);
        walk->place.fd = fd;
        if (streq(name, "..")) {
                slash = strrchr(walk->place.path, '/');
                slash[slash == walk->place.path] = '\0';
        } else {
                path = string_printf("%s/%s", streq(walk->place.path, "/") ? "" : walk->place.path, name);
                if (!path)
                        return -ENOMEM;
                free(walk->place.path);
                walk->place.path = path;
        }

        return place_take(walk->sources, &walk->place);
}

/* From PATH, absolute, to what it names, by the slow way. */
static int place_walk(const DefinitionSources *sources, const char *path, bool trusted, Place *ret) {
        _cleanup_(walk_clear) Walk walk = { .sources = sources, .place = PLACE_EMPTY };
        int r;

        walk.place.trusted = trusted;
        r = walk_begin(&walk, path);
        while (r == 0) {
                _cleanup_free_ char *rest = TAKE_PTR(walk.rest);
                char *name = rest + strspn(rest, "/");
                size_t n = strcspn(name, "/");

                if (n == 0)
                        break;
                walk.rest = strdup(name + n + strspn(name + n, "/"));
                if (!walk.rest)
                        return -ENOMEM;
                name[n] = '\0';
                if (!streq(name, "."))
                        r = walk_step(&walk, name);
        }
        if (r != 0)
                return r;

        /* A directory may have been opened as a mere place to stand on. */
        if (walk.place.directory) {
                int fd = openat(walk.place.fd, ".", OPEN_FLAGS | O_DIRECTORY);

                if (fd < 0)
                        return -errno;
                walk.place.fd = fd_close(walk.place.fd);
                walk.place.fd = fd;
        }

        *ret = walk.place;
        walk.place = (Place) PLACE_EMPTY;

        return 0;
}

/* Without empty components, "." and "..": the ancestors of such a path can be counted. */
static bool path_is_normal(const char *path) {
        while (*path == '/') {
                size_t n = strcspn(path + 1, "/");

                if (n == 0 || (path[1] == '.' && (n == 1 || (n == 2 && path[2] == '.'))))
                        return false;
                path += n + 1;
        }

        return true;
}

/* Looks at an opened directory, and at those above it, unless that was done. */
static int place_judge(const DefinitionSources *sources, Place *place) {
        int r;

        if (!place->pending)
                return 0;

        place->pending = false;
        r = place_take(sources, place);

        return r == 0 ? judge_ancestors(sources, place) : r;
}

int place_open_directory(const DefinitionSources *sources, const char *path, bool trusted, Place *ret) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;

        if (!path_is_normal(path))
                return place_walk(sources, path, trusted, ret);

        place.fd = sys_openat2(AT_FDCWD, path, OPEN_FLAGS | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
        if (place.fd < 0 && (errno == ELOOP || errno == ENOTDIR))
                return place_walk(sources, path, trusted, ret);
        if (place.fd < 0)
                return -errno;

        place.path = strdup(path);
        if (!place.path)
                return -ENOMEM;
        place.directory = true;
        place.trusted = place.pending = trusted;

        *ret = place;
        place = (Place) PLACE_EMPTY;

        return 0;
}

int place_open(const DefinitionSources *sources, const char *path, bool trusted, Place *ret) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        int r;

        r = place_open_directory(sources, path, trusted, &place);
        if (r != 0)
                return r;

        r = place_judge(sources, &place);
        if (r != 0)
                return r;

        *ret = place;
        place = (Place) PLACE_EMPTY;

        return 0;
}

int place_open_in(const DefinitionSources *sources, Place *directory, const char *name, Place *ret) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        int fd, r;

        fd = openat(directory->fd, name, OPEN_FLAGS);
        if (fd < 0 && errno != ELOOP)
                return -errno;
        place.fd = fd;

        r = place_judge(sources, directory);
        if (r != 0)
                return r;
        place.trusted = directory->trusted;
        place.path = string_printf("%s/%s", directory->path, name);
        if (!place.path)
                return -ENOMEM;

        if (fd < 0) {
                char target[sizeof "/dev/null"];
                ssize_t n = readlinkat(directory->fd, name, target, sizeof target);

                if (n == (ssize_t) strlen("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0)
                        return PLACE_E_MASKED;

                return directory->trusted ? place_walk(sources, place.path, true, ret) : PLACE_E_LINK;
        }

        if (directory->reason) {
                place.reason = strdup(directory->reason);
                if (!place.reason)
                        return -ENOMEM;
        }
        r = place_take(sources, &place);
        if (r != 0)
                return r;

        *ret = place;
        place = (Place) PLACE_EMPTY;

        return 0;
}
