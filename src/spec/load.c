/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding and merging the files of a definition; see load.h. Every directory is opened once; what does not
 * exist costs the one system call that says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/check.h"
#include "spec/key.h"
#include "spec/limits.h"
#include "spec/load.h"
#include "spec/name.h"
#include "spec/place.h"
#include "spec/read.h"

#define SUFFIX ".container"
#define NAME_SHOWN_MAX 80

/* Directories of definitions that exist, and the drop-in directories in them. */
#define DIRECTORIES_MAX 8

typedef struct Directories {
        Place places[DIRECTORIES_MAX];
        bool foreign[DIRECTORIES_MAX]; /* never trusted, whoever owns what is in them */
        size_t n;
} Directories;

static void directories_clear(Directories *directories) {
        for (size_t i = 0; i < directories->n; i++)
                place_clear(directories->places + i);
        directories->n = 0;
}

/* A directory of drop-ins. */
typedef struct DropInDirectory {
        Place place;
        bool own; /* NAME.container.d, not that of all containers */
} DropInDirectory;

/* One file among the drop-ins. */
typedef struct DropIn {
        char *name;
        DropInDirectory *directory;
} DropIn;

typedef struct DropIns {
        DropIn *list;
        size_t n;
} DropIns;

static void drop_ins_clear(DropIns *drop_ins) {
        for (size_t i = 0; i < drop_ins->n; i++)
                free(drop_ins->list[i].name);
        free(drop_ins->list);
}

const DefinitionSources *definition_sources_host(void) {
        static const DefinitionDirectory directories[] = {
                { "/etc/berth/containers", true },
                { "/run/berth/containers", true },
                { "/usr/lib/berth/containers", true },
                { "/var/lib/berth/containers", false },
        };
        static const DefinitionSources sources = { .directories = directories,
                                                   .n_directories = ELEMENTSOF(directories) };

        return &sources;
}

/* Opening has failed with R for the file or directory PATH. */
static int refuse_place(Problems *problems, const char *path, int r) {
        if (r == -ENOMEM)
                return r;
        problems->denied = problems->denied || r == -EACCES;

        return problems_add(problems, path, 0, NULL, "%s%s", r < 0 ? "cannot be opened: " : "",
                            place_error_text(r));
}

static int open_directories(const DefinitionSources *sources, Directories *ret, Problems *problems) {
        for (size_t i = 0; i < sources->n_directories && i < DIRECTORIES_MAX; i++) {
                const DefinitionDirectory *directory = sources->directories + i;
                int r;

                r = place_open_directory(sources, directory->path, directory->trusted, ret->places + ret->n);
                if (r == 0)
                        ret->foreign[ret->n++] = !directory->trusted;
                else if (r != -ENOENT) {
                        r = refuse_place(problems, directory->path, r);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* A file that a link in FROM led to is trusted if it lies in a trusted place as well. FROM may be NULL. */
static int place_confine(const Directories *directories, const Place *from, Place *place) {
        if (!place->trusted)
                return 0;

        for (size_t i = 0; i < directories->n; i++) {
                const Place *allowed = directories->places + i;
                const char *rest = string_after_prefix(place->path, allowed->path);

                if (allowed->trusted && rest && *rest == '/')
                        return 0;
        }

        place->trusted = false;
        place->reason = from ? string_printf("%s, to which a link in %s leads, lies in no trusted place",
                                             place->path, from->path)
                             : string_printf("%s lies in no trusted place such as /etc/berth/containers",
                                             place->path);

        return place->reason ? 0 : -ENOMEM;
}

/* The file NAME in DIRECTORY, as part of the definition. 0, a PlaceError or a negative errno. */
static int open_file(const Reader *reader, Directories *directories, Place *directory,
                     const char *name, Place *ret) {
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        int r;

        r = place_open_in(reader->sources, directory, name, &place);
        if (r != 0)
                return r;
        if (place.directory)
                return PLACE_E_KIND;

        r = place_confine(directories, directory, &place);
        if (r < 0)
                return r;

        *ret = place;
        place = (Place) PLACE_EMPTY;

        return 0;
}

static int read_main(Reader *reader, Directories *directories, const char *name, bool *ret_foreign) {
        _cleanup_free_ char *file = string_printf("%s" SUFFIX, name);
        int r;

        if (!file)
                return -ENOMEM;

        for (size_t i = 0; i < directories->n; i++) {
                _cleanup_(place_clear) Place place = PLACE_EMPTY;
                _cleanup_free_ char *path = NULL;

                r = open_file(reader, directories, directories->places + i, file, &place);
                if (r == -ENOENT)
                        continue;
                if (r == 0) {
                        *ret_foreign = directories->foreign[i];
                        return read_place(reader, &place);
                }

                path = string_printf("%s/%s", directories->places[i].path, file);
                if (!path)
                        return -ENOMEM;
                if (r == PLACE_E_MASKED) {
                        r = problems_add(reader->problems, path, 0, NULL,
                                         "container %s is masked: this is a link to /dev/null; remove it to "
                                         "use the container again",
                                         name);
                        return r < 0 ? r : DEFINITION_E_MASKED;
                }

                return refuse_place(reader->problems, path, r);
        }

        r = problems_add(reader->problems, NULL, 0, NULL,
                         "there is no container %s: no %s in a directory for definitions (%s and others)",
                         name, file,
                         reader->sources->n_directories > 0 ? reader->sources->directories[0].path : "none");

        return r < 0 ? r : DEFINITION_E_NOT_FOUND;
}

/* Adds a directory's drop-ins, unless one of the same name came from a higher directory. What is in a
 * directory that is not trusted takes the place of no file of a trusted one, and only NAME.container.d of a
 * trusted place takes its place: files for all containers are read besides. */
static int collect_drop_ins(Reader *reader, DropInDirectory *directory, DropIns *drop_ins) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = read_conf_names(reader, &directory->place, &names);
        for (char **name = names; r >= 0 && name && *name; name++) {
                bool known = false;

                for (size_t i = 0; i < drop_ins->n && !known; i++) {
                        const DropInDirectory *higher = drop_ins->list[i].directory;

                        known = streq(drop_ins->list[i].name, *name) &&
                                (higher->own || higher->place.trusted == directory->place.trusted);
                }
                if (known)
                        continue;

                r = array_reserve(&drop_ins->list, drop_ins->n, sizeof(DropIn));
                if (r < 0)
                        return r;
                drop_ins->list[drop_ins->n].name = strdup(*name);
                if (!drop_ins->list[drop_ins->n].name)
                        return -ENOMEM;
                drop_ins->list[drop_ins->n++].directory = directory;
        }

        return r;
}

/* What is not trusted comes first, so that what is has the last word. */
static int drop_in_compare(const void *a, const void *b) {
        const DropIn *one = a, *other = b;
        bool trusted = one->directory->place.trusted;

        if (trusted != other->directory->place.trusted)
                return trusted ? 1 : -1;

        return strcmp(one->name, other->name);
}

/* The directories NAME.container.d, then those for all containers, each kind from the highest source
 * down. A place that is never trusted has drop-ins only for a definition that lies in such a place. */
static int open_drop_in_directories(Reader *reader, Directories *directories, const char *name, bool foreign,
                                    DropInDirectory ret[static 2 * DIRECTORIES_MAX], size_t *ret_n) {
        _cleanup_free_ char *own = string_printf("%s" SUFFIX ".d", name);
        const char *const kinds[] = { own, "container.d" };

        if (!own)
                return -ENOMEM;

        for (size_t kind = 0; kind < ELEMENTSOF(kinds); kind++)
                for (size_t i = 0; i < directories->n; i++) {
                        _cleanup_free_ char *path = NULL;
                        DropInDirectory *found = ret + *ret_n;
                        int r;

                        if (directories->foreign[i] && (!foreign || kind > 0))
                                continue;

                        found->own = kind == 0;
                        r = place_open_in(reader->sources, directories->places + i, kinds[kind],
                                          &found->place);
                        if (r == 0 && found->place.directory) {
                                (*ret_n)++;
                                r = place_confine(directories, directories->places + i, &found->place);
                                if (r < 0)
                                        return r;
                                continue;
                        }
                        if (r == -ENOENT)
                                continue;
                        if (r == 0) {
                                place_clear(&found->place);
                                r = -ENOTDIR;
                        }

                        path = string_printf("%s/%s", directories->places[i].path, kinds[kind]);
                        if (!path)
                                return -ENOMEM;
                        r = refuse_place(reader->problems, path, r);
                        if (r < 0)
                                return r;
                }

        return 0;
}

static int read_collected(Reader *reader, Directories *directories, const DropIns *drop_ins) {
        for (size_t i = 0; i < drop_ins->n; i++) {
                _cleanup_(place_clear) Place place = PLACE_EMPTY;
                _cleanup_free_ char *path = NULL;
                const DropIn *drop_in = drop_ins->list + i;
                Place *directory = &drop_in->directory->place;
                int r;

                r = open_file(reader, directories, directory, drop_in->name, &place);
                if (r == PLACE_E_MASKED)
                        continue;
                if (r == 0) {
                        r = read_place(reader, &place);
                        if (r < 0)
                                return r;
                        continue;
                }

                path = string_printf("%s/%s", directory->path, drop_in->name);
                if (!path)
                        return -ENOMEM;
                r = refuse_place(reader->problems, path, r);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int read_drop_ins(Reader *reader, Directories *directories, const char *name, bool foreign) {
        DropInDirectory found[2 * DIRECTORIES_MAX];
        _cleanup_(drop_ins_clear) DropIns drop_ins = { NULL, 0 };
        size_t n = 0;
        int r;

        r = open_drop_in_directories(reader, directories, name, foreign, found, &n);
        /* Those that are not trusted come last: they give way to the others. */
        for (unsigned trusted = 2; trusted-- > 0;)
                for (size_t i = 0; r >= 0 && i < n; i++)
                        if (found[i].place.trusted == trusted)
                                r = collect_drop_ins(reader, found + i, &drop_ins);
        if (r >= 0 && drop_ins.n > 0) {
                qsort(drop_ins.list, drop_ins.n, sizeof(DropIn), drop_in_compare);
                r = read_collected(reader, directories, &drop_ins);
        }

        for (size_t i = 0; i < n; i++)
                place_clear(&found[i].place);

        return r;
}

/* All is read: defaults that depend on other keys, then the checks of the whole. */
static int finish(Definition *definition, Problems *problems) {
        int r;

        if (problems->n > 0)
                return DEFINITION_E_INVALID;

        definition->namespaces = (NAMESPACES_DEFAULT | definition->namespaces_private) &
                                 ~definition->namespaces_shared;

        r = definition_check(definition, problems);
        if (r < 0)
                return r;

        return problems->n > 0 ? DEFINITION_E_INVALID : 0;
}

/* What lies in a file came without descriptors. */
static int refuse_descriptors(const Definition *definition, Problems *problems) {
        const char *name = definition_missing_descriptor(definition, NULL, 0);
        int r;

        if (!name)
                return 0;

        r = problems_add(problems, definition->files[0], 0, NULL,
                         "fd:%s stands for a descriptor that is sent along with a definition, and a file comes with "
                         "none; write a path",
                         name);
        return r < 0 ? r : DEFINITION_E_INVALID;
}

static Definition *definition_begin(const char *name) {
        Definition *definition = definition_new(name);

        if (definition)
                definition->trusted = true;

        return definition;
}

int definition_load(const DefinitionSources *sources, const char *name, Definition **ret,
                    Problems *problems) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(directories_clear) Directories directories = { .n = 0 };
        Reader reader = { .sources = sources, .problems = problems };
        bool foreign = false;
        int r;

        if (!container_name_is_valid(name)) {
                r = problems_add(problems, NULL, 0, NULL, "\"%.*s\"%s cannot be the name of a container; %s",
                                 NAME_SHOWN_MAX, name,
                                 strnlen(name, NAME_SHOWN_MAX + 1) > NAME_SHOWN_MAX ? "..." : "",
                                 CONTAINER_NAME_RULE);
                return r < 0 ? r : DEFINITION_E_NAME;
        }

        reader.definition = definition = definition_begin(name);
        if (!definition)
                return -ENOMEM;

        r = open_directories(sources, &directories, problems);
        if (r < 0)
                return r;
        r = read_main(&reader, &directories, name, &foreign);
        if (r != 0)
                return r;
        r = read_drop_ins(&reader, &directories, name, foreign);
        if (r < 0)
                return r;
        r = finish(definition, problems);
        if (r != 0)
                return r;
        r = refuse_descriptors(definition, problems);
        if (r != 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}

/* The name that a file's own name gives to its container. */
static char *name_of_file(const char *path) {
        const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
        size_t n = strlen(base);
        char *name;

        if (string_ends_with(base, SUFFIX))
                n -= strlen(SUFFIX);
        name = strndup(base, n);
        if (!name || container_name_is_valid(name))
                return name;

        free(name);
        return strdup("unnamed");
}

/* Links are no danger where the caller could read the file anyway: they only cost the trust. */
static int open_for_caller(const DefinitionSources *sources, const char *path, Place *ret) {
        _cleanup_close_ int fd = -EBADF;
        struct stat status;
        int r;

        r = place_open(sources, path, true, ret);
        if (r != PLACE_E_LINK)
                return r;

        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &status) < 0)
                return -errno;
        if (!S_ISREG(status.st_mode))
                return PLACE_E_KIND;

        *ret = (Place) {
                .fd = TAKE_FD(fd),
                .device = status.st_dev,
                .inode = status.st_ino,
                .path = strdup(path),
                .reason = string_printf("%s is reached by a link that is not root's", path),
        };

        return ret->path && ret->reason ? 0 : -ENOMEM;
}

int definition_load_file(const DefinitionSources *sources, const char *path, Definition **ret,
                         Problems *problems) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(directories_clear) Directories directories = { .n = 0 };
        _cleanup_(place_clear) Place place = PLACE_EMPTY;
        _cleanup_free_ char *name = name_of_file(path), *cwd = NULL, *absolute = NULL;
        Reader reader = { .sources = sources, .problems = problems, .include_always = true };
        int r;

        cwd = *path == '/' ? strdup("") : getcwd(NULL, 0);
        absolute = cwd ? string_printf("%s%s%s", cwd, *path == '/' ? "" : "/", path) : NULL;
        if (!name || !absolute)
                return -ENOMEM;
        reader.definition = definition = definition_begin(name);
        if (!definition)
                return -ENOMEM;

        r = open_directories(sources, &directories, problems);
        if (r < 0)
                return r;
        r = open_for_caller(sources, absolute, &place);
        if (r == -ENOENT) {
                r = problems_add(problems, path, 0, NULL, "does not exist");
                return r < 0 ? r : DEFINITION_E_NOT_FOUND;
        }
        if (r == 0 && place.directory)
                r = PLACE_E_KIND;
        if (r != 0) {
                r = refuse_place(problems, path, r);
                return r < 0 ? r : DEFINITION_E_INVALID;
        }

        r = place_confine(&directories, NULL, &place);
        if (r >= 0)
                r = read_place(&reader, &place);
        if (r < 0)
                return r;
        r = finish(definition, problems);
        if (r != 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}

int definition_load_text(
                const char *name,
                const char *label,
                const char *text,
                size_t size,
                bool trusted,
                Definition **ret,
                Problems *problems) {

        static const DefinitionSources nowhere = { NULL, 0, 0, NULL };
        _cleanup_(definition_freep) Definition *definition = NULL;
        Reader reader = { .sources = &nowhere, .problems = problems };
        int r;

        if (!container_name_is_valid(name)) {
                r = problems_add(problems, NULL, 0, NULL,
                                 "the name cannot be a container's; " CONTAINER_NAME_RULE);
                return r < 0 ? r : DEFINITION_E_NAME;
        }

        reader.definition = definition = definition_begin(name);
        if (!definition)
                return -ENOMEM;

        r = read_text(&reader, label, text, size, trusted);
        if (r < 0)
                return r;
        r = finish(definition, problems);
        if (r != 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}
