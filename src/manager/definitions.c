/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/definitions.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "basic/array.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "manager/bus/announce.h"
#include "spec/load.h"
#include "spec/policy.h"
#include "spec/print.h"

#define SUFFIX ".container"
#define DROPINS ".d"
#define WATCHED                                                                                             \
        (IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |                 \
         IN_DELETE_SELF | IN_MOVE_SELF)
#define SETTLE_USEC (UINT64_C(50) * 1000) /* an editor's several steps are one change */

typedef struct Watch {
        char *path;
        char *container; /* whose drop-ins these are; NULL: all, or a directory of definitions */
        char *only;      /* the one entry that counts, which may still have to be made; NULL: all do */
        bool gone;       /* what was watched is not there any more, whatever has its name now */
        sd_event_source *source;
        Definitions *definitions;
} Watch;

struct Definitions {
        Manager *manager;
        Watch **watches;
        size_t n_watches;
        char **touched; /* containers whose definition may say something else now */
        bool all_touched;
        bool blind;      /* not everything can be watched, which was told */
        bool refreshing; /* what is announced meanwhile may ask for containers */
        bool unread;     /* told that there are places that cannot be read */
        sd_event_source *timer;
};

static Watch *watch_free(Watch *watch) {
        if (!watch)
                return NULL;

        sd_event_source_disable_unref(watch->source);
        free(watch->path);
        free(watch->container);
        free(watch->only);
        free(watch);
        return NULL;
}
DEFINE_CLEANUP(Watch *, watch_free)

Definitions *definitions_free(Definitions *definitions) {
        if (!definitions)
                return NULL;

        for (size_t i = 0; i < definitions->n_watches; i++)
                watch_free(definitions->watches[i]);
        free(definitions->watches);
        strv_free(definitions->touched);
        sd_event_source_disable_unref(definitions->timer);
        free(definitions);
        return NULL;
}

/* "web" of "web.container" or "web.container.d"; NULL: of none or of all. */
static int container_of_file(const char *file, char **ret) {
        const char *end = strstr(file, SUFFIX);

        *ret = NULL;
        if (!end || end == file || (end[strlen(SUFFIX)] && !streq(end + strlen(SUFFIX), DROPINS)))
                return 0;

        *ret = strndup(file, (size_t) (end - file));
        return *ret ? 0 : -ENOMEM;
}

static int on_settled(sd_event_source *source, uint64_t usec, void *userdata) {
        return definitions_refresh(userdata);
}

static int on_file(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Watch *watch = userdata;
        Definitions *definitions = watch->definitions;
        _cleanup_free_ char *container = NULL;
        int r;

        if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT))
                watch->gone = true;
        else if (watch->only && (event->len == 0 || !streq(event->name, watch->only)))
                return 0;

        if (watch->container)
                container = strdup(watch->container);
        else if (event->len > 0 && container_of_file(event->name, &container) < 0)
                return -ENOMEM;

        if (container && !strv_contains(definitions->touched, container)) {
                r = strv_append(&definitions->touched, container);
                if (r < 0)
                        return r;
        }
        if (!container)
                definitions->all_touched = true;

        if (sd_event_source_get_enabled(definitions->timer, NULL) > 0)
                return 0;
        r = sd_event_source_set_time_relative(definitions->timer, SETTLE_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(definitions->timer, SD_EVENT_ONESHOT);
}

/* Where the watch of PATH is in the sorted list, or would have to be. */
static size_t watch_place(const Definitions *definitions, const char *path) {
        size_t low = 0, high = definitions->n_watches;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(definitions->watches[middle]->path, path) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

static int watch_add(Definitions *definitions, const char *path, const char *container, const char *only) {
        size_t place = watch_place(definitions, path);
        _cleanup_(watch_freep) Watch *watch = NULL;
        int r;

        if (place < definitions->n_watches && streq(definitions->watches[place]->path, path))
                return 0;

        watch = calloc(1, sizeof *watch);
        if (!watch)
                return -ENOMEM;
        watch->definitions = definitions;
        r = string_set(&watch->path, path);
        if (r >= 0)
                r = string_set(&watch->container, container);
        if (r >= 0)
                r = string_set(&watch->only, only);
        if (r < 0)
                return r;

        r = sd_event_add_inotify(
                        definitions->manager->event, &watch->source, path, WATCHED | IN_ONLYDIR, on_file,
                        watch);
        if (r == -ENOENT || r == -ENOTDIR || r == -EACCES || r == -ELOOP)
                return 0;
        if (r == -ENOSPC || r == -EMFILE) {
                /* A limit of this user's for all its processes: who asks is answered all the same. */
                if (!definitions->blind)
                        (void) fprintf(stderr,
                                       "<4>%s cannot be watched, its changes will not be announced: %s\n",
                                       path,
                                       r == -ENOSPC ? "fs.inotify.max_user_watches is reached"
                                                    : "fs.inotify.max_user_instances is reached");
                definitions->blind = true;
                return 0;
        }
        if (r < 0)
                return r;
        r = array_reserve(&definitions->watches, definitions->n_watches, sizeof(Watch *));
        if (r < 0)
                return r;

        memmove(definitions->watches + place + 1, definitions->watches + place,
                (definitions->n_watches - place) * sizeof(Watch *));
        definitions->watches[place] = TAKE_PTR(watch);
        definitions->n_watches++;
        return 0;
}

/* The directories of drop-ins in a directory of definitions. */
static int watch_drop_ins(Definitions *definitions, const char *directory) {
        _cleanup_closedir_ DIR *stream = opendir(directory);
        const struct dirent *entry;
        int r = 0;

        while (stream && r >= 0 && (entry = readdir(stream))) {
                _cleanup_free_ char *container = NULL, *path = NULL;

                if (!string_ends_with(entry->d_name, DROPINS))
                        continue;
                r = container_of_file(entry->d_name, &container);
                if (r < 0)
                        return r;
                if (!container && !streq(entry->d_name, "container" DROPINS))
                        continue;
                path = string_printf("%s/%s", directory, entry->d_name);
                r = path ? watch_add(definitions, path, container, NULL) : -ENOMEM;
        }

        return r;
}

/* A directory that still has to be made is told by the one above it, which may have to be made as well. The
 * one further up is watched first: what comes between is seen. */
static int watch_above(Definitions *definitions, const char *directory) {
        _cleanup_free_ char *above = strdup(directory), *further = NULL;
        char *name;
        int r;

        if (!above)
                return -ENOMEM;
        name = strrchr(above, '/');
        *name++ = '\0';
        if (access(above, F_OK) < 0) {
                char *name_above;

                further = strdup(above);
                if (!further)
                        return -ENOMEM;
                name_above = strrchr(further, '/');
                *name_above++ = '\0';
                r = watch_add(definitions, further, NULL, name_above);
                if (r < 0)
                        return r;
        }

        return watch_add(definitions, above, NULL, name);
}

/* Directories that came after the last look are watched, those that are gone or were replaced are not any
 * more. */
static int definitions_watch(Definitions *definitions) {
        const DefinitionSources *sources = definition_sources_host();
        int r = 0;

        for (size_t i = definitions->n_watches; i-- > 0;) {
                const Watch *watch = definitions->watches[i];

                if (!watch->gone && access(watch->path, F_OK) == 0)
                        continue;
                watch_free(definitions->watches[i]);
                array_remove(&definitions->watches, &definitions->n_watches, sizeof(Watch *), i);
        }

        for (size_t i = 0; r >= 0 && i < sources->n_directories; i++) {
                r = watch_above(definitions, sources->directories[i].path);
                if (r >= 0)
                        r = watch_add(definitions, sources->directories[i].path, NULL, NULL);
                if (r >= 0)
                        r = watch_drop_ins(definitions, sources->directories[i].path);
        }

        return r;
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool names_have(char *const *names, size_t n, const char *name) {
        return n > 0 && bsearch(&name, names, n, sizeof names[0], compare_names);
}

/* Makes the registry agree with the sorted list of names. */
static int definitions_apply(Definitions *definitions, char *const *names) {
        Manager *manager = definitions->manager;
        size_t n = strv_length(names);
        int r;

        for (size_t i = manager->registry.n; i-- > 0;) {
                Container *container = manager->registry.containers[i];

                if (!container->defined || names_have(names, n, container->name))
                        continue;
                container->defined = false;
                manager_container_changed(manager, container, NULL);
        }

        for (char *const *name = names; name && *name; name++) {
                Container *container;

                r = manager_container(manager, *name, UNIT_DEFINED, &container);
                if (r < 0)
                        return r;
                if (container->defined || container->kind != UNIT_DEFINED)
                        continue;
                container->defined = true;
                manager_container_changed(manager, container, NULL);
        }

        return 0;
}

static void definitions_announce(Definitions *definitions) {
        Manager *manager = definitions->manager;

        for (size_t i = 0; i < manager->registry.n; i++) {
                Container *container = manager->registry.containers[i];

                if (container->announced &&
                    (definitions->all_touched || strv_contains(definitions->touched, container->name)))
                        announce_definition(manager, container);
        }

        definitions->all_touched = false;
        definitions->touched = strv_free(definitions->touched);
}

/* Root may have kept us out of a place; containers in the others are not concerned. */
static void places_missed(Definitions *definitions, const Problems *problems) {
        for (size_t i = 0; i < problems->n && !definitions->unread; i++) {
                _cleanup_free_ char *text = problem_format(problems->list + i);

                (void) fprintf(stderr, "<4>%s; containers that are defined there are not known\n",
                               text ?: "");
        }

        definitions->unread = problems->n > 0;
}

int definitions_refresh(Definitions *definitions) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        /* Watched first: what comes between is told again. */
        definitions->refreshing = true;
        r = definitions_watch(definitions);
        if (r >= 0)
                r = definition_list(definition_sources_host(), &names, &problems);
        if (r >= 0)
                places_missed(definitions, &problems);
        if (r >= 0)
                r = definitions_apply(definitions, names);
        if (r >= 0)
                definitions_announce(definitions);
        else
                (void) fprintf(stderr, "<3>The definitions cannot be listed: %s\n", strerror(-r));
        definitions->refreshing = false;

        return r;
}

int definitions_look_for(Definitions *definitions, const char *container) {
        const DefinitionSources *sources = definition_sources_host();

        for (size_t i = 0; i < sources->n_directories && !definitions->refreshing; i++) {
                _cleanup_free_ char *path = string_printf("%s/%s" SUFFIX, sources->directories[i].path, container);
                struct stat st;

                if (!path)
                        return -ENOMEM;
                /* A mask, which is no regular file, hides what is in later places. */
                if (stat(path, &st) >= 0)
                        return S_ISREG(st.st_mode) ? definitions_refresh(definitions) : 0;
        }

        return 0;
}

int definitions_new(Manager *manager, Definitions **ret) {
        _cleanup_(definitions_freep) Definitions *definitions = NULL;
        int r;

        definitions = calloc(1, sizeof *definitions);
        if (!definitions)
                return -ENOMEM;
        definitions->manager = manager;

        r = sd_event_add_time_relative(
                        manager->event, &definitions->timer, CLOCK_MONOTONIC, 0, 0, on_settled, definitions);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(definitions->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = definitions_refresh(definitions);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(definitions);
        return 0;
}

/* All problems, one a line, without the last newline. */
static int problems_text(const Problems *problems, char **ret) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size;
        int r;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        r = problems_print(problems, stream);
        if (r < 0)
                return r;
        if (fflush(stream) != 0)
                return -ENOMEM;
        if (size > 0 && text[size - 1] == '\n')
                text[size - 1] = '\0';

        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

int definition_text(const char *container, char **ret_text) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;
        _cleanup_fclose_ FILE *stream = NULL;
        size_t size;
        int error, r;

        error = definition_load(definition_sources_host(), container, &definition, &problems);
        if (error > 0) {
                r = problems_text(&problems, ret_text);
                return r < 0 ? r : error;
        }
        if (error < 0)
                return error;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        r = definition_print(definition, stream);
        if (r < 0)
                return r;
        if (fclose(TAKE_PTR(stream)) != 0)
                return -ENOMEM;

        *ret_text = TAKE_PTR(text);
        return 0;
}

int definition_check_text(const char *container, const char *text, char **ret_problem) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int error, r;

        error = definition_load_text(
                        container, "definition", text, strlen(text), /* trusted= */ false, &definition,
                        &problems);
        if (error == 0 && policy_check(definition, &problems) != 0)
                error = problems.n > 0 ? -EPERM : -ENOMEM;
        if (error > 0 || error == -EPERM) {
                r = problems_text(&problems, ret_problem);
                return r < 0 ? r : error;
        }

        return error;
}
