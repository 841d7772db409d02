/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the definition says, see view.h: from the files of this host, with the origin of each key, if the
 * caller may read them; else as the service gives it to its owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/security/view.h"
#include "spec/load.h"
#include "spec/seccomp.h"

#define SERVICE_LABEL "the service"

/* "1000/web" is a user's web. */
static const char *own_name(const char *name) {
        const char *slash = strrchr(name, '/');

        return slash ? slash + 1 : name;
}

/* 0 if there is none that can be read; the service may still have one. */
static int load_here(const char *name, View *view) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        if (strchr(name, '/'))
                return 0;
        r = definition_load(definition_sources_host(), name, &view->definition, &problems);

        return r == -ENOMEM ? r : 0;
}

static int load_from_service(berth *connection, const char *name, View *view) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;
        int r;

        if (berth_get_definition(connection, name, &text) < 0)
                return 0;
        r = definition_load_text(
                        own_name(name), SERVICE_LABEL, text, strlen(text), true, &view->definition,
                        &problems);

        return r == -ENOMEM ? r : 0;
}

static bool is_younger(const struct timespec *time, uint64_t usec) {
        return (uint64_t) time->tv_sec * USEC_PER_SEC + (uint64_t) time->tv_nsec / 1000 > usec;
}

/* A file that was changed after the start says what the next one will do. One that came to its place by a
 * rename may have been written before. */
static int find_changed(const berth_status *status, const char *path, View *view) {
        struct stat st;

        if (!view->running || view->changed || path[0] != '/' || stat(path, &st) < 0 ||
            (!is_younger(&st.st_mtim, status->started_usec) &&
             !is_younger(&st.st_ctim, status->started_usec)))
                return 0;

        return string_set(&view->changed, path);
}

/* The name of the filter's program, which is made of the definition's rules and the profile's files. */
static int find_program(const berth_status *status, View *view) {
        _cleanup_(seccomp_bundle_clear) SeccompBundle bundle = SECCOMP_BUNDLE_NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *printed = NULL, *path = NULL;
        char name[SHA256_TEXT_SIZE];
        const char *foreign;
        size_t size = 0;
        int r;

        r = seccomp_bundle_begin(&bundle, view->definition);
        if (r >= 0)
                r = seccomp_bundle_complete(
                                &bundle, seccomp_directories, definition_sources_host(), &problems);
        for (size_t i = 0; r >= 0 && i < bundle.n; i++)
                r = find_changed(status, bundle.sources[i].label, view);
        if (r >= 0)
                r = seccomp_bundle_print(&bundle, &printed, &size);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        seccomp_bundle_name(printed, size, name);

        path = string_printf(SECCOMP_CACHE "/%s", name);
        foreign = view_foreign_profile(&bundle);
        if (!path || string_set(&view->program, name) < 0 || string_set(&view->seccomp_profile, foreign) < 0)
                return -ENOMEM;
        view->program_kept = access(path, F_OK) == 0 ? ANSWER_YES
                             : errno == ENOENT       ? ANSWER_NO
                                                     : ANSWER_UNKNOWN;

        return 0;
}

int view_read_definition(berth *connection, const berth_status *status, View *view) {
        int r;

        r = load_here(status->name, view);
        if (r >= 0 && !view->definition)
                r = load_from_service(connection, status->name, view);
        for (size_t i = 0; r >= 0 && view->definition && i < view->definition->n_files; i++)
                r = find_changed(status, view->definition->files[i], view);
        if (r >= 0 && view->definition && definition_seccomp(view->definition))
                r = find_program(status, view);

        return r;
}
