/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/store/make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/string.h"
#include "helper/ns/idmap.h"
#include "helper/root/mount.h"
#include "helper/store/data.h"
#include "spec/load.h"
#include "spec/policy.h"

#define _cleanup_store_ _cleanup_(store_done)

#define INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define NOT_SUPPORTED "org.freedesktop.DBus.Error.NotSupported"

/* Opens the store for an operation on a container, whose earlier ones are over. */
static int open_for(const char *container, Store *ret, StoreError *error) {
        int r;

        r = store_open(error, ret);
        if (r < 0)
                return r;
        r = store_sweep(ret, container);

        return r < 0 ? store_fail_errno(error, r, "Cannot put away what is left of an earlier try") : 0;
}

static int fail_problem(StoreError *error, const char *name, const Problems *problems) {
        _cleanup_free_ char *text = problems->n > 0 ? problem_format(problems->list) : NULL;

        return text ? store_fail(error, name, "%.1500s", text) : -ENOMEM;
}

/* The text as a definition of this container, which nobody trusts. */
static int check_definition(const char *container, const char *text, size_t size, Definition **ret, StoreError *error) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(definition_freep) Definition *definition = NULL;
        int r;

        r = definition_load_text(container, container, text, size, false, &definition, &problems);
        if (r > 0)
                return fail_problem(error, HELPER_ERROR_INVALID_DEFINITION, &problems);
        if (r < 0)
                return r;
        r = policy_check(definition, &problems);
        if (r > 0)
                return fail_problem(error, HELPER_ERROR_POLICY, &problems);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(definition);
        return 0;
}

/* Does anybody have that name, a run without a definition included? */
static int check_name_is_free(const Store *store, const char *container, StoreError *error) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(definition_freep) Definition *definition = NULL;
        int r;

        r = definition_load(definition_sources_host(), container, &definition, &problems);
        if (r < 0)
                return r;
        if (r != DEFINITION_E_NOT_FOUND)
                return store_fail(error, HELPER_ERROR_EXISTS, "There is a container %s already", container);

        r = store_find_run(store, container);
        if (r > 0)
                return store_fail(error, HELPER_ERROR_EXISTS, "There is a container %s already, which has no definition",
                                  container);
        return r;
}

/* What was kept of an earlier container is not touched, and nothing is put over it. */
static int check_room_is_free(const Store *store, const char *container, StoreError *error) {
        static const StoreRoom data[] = { ROOM_ROOTS, ROOM_IMAGES, ROOM_OVERLAYS };

        for (size_t i = 0; i < ELEMENTSOF(data); i++) {
                char entry[STORE_NAME_SIZE];
                int r = store_has(store, data[i], container);

                if (r < 0)
                        return store_fail_errno(error, r, "Cannot look into %s", store_room_path(data[i]));
                store_entry(data[i], container, entry);
                if (r > 0)
                        return store_fail(error, HELPER_ERROR_EXISTS,
                                          "There is data of an earlier container %s: %s/%s; make the container without "
                                          "new data to use it again, or to remove it with its data then",
                                          container, store_room_path(data[i]), entry);
        }

        return 0;
}

/* New data is for Managed=yes only, and for a name of which nothing is kept. */
static int check_data(const Store *store, const Definition *definition, const StoreData *data, StoreError *error) {
        if (data->kind == STORE_DATA_NONE)
                return 0;
        if (!definition->managed)
                return store_fail(error, INVALID_ARGS,
                                  "Data is for a definition with [Root] Managed=yes, and this is none");

        return check_room_is_free(store, definition->name, error);
}

/* Without new data the root that was kept of an earlier container is used, or an empty one is made. */
static int choose_data(const Store *store, const Definition *definition, StoreData *data, StoreError *error) {
        int root = store_has(store, ROOM_ROOTS, definition->name);
        int image = store_has(store, ROOM_IMAGES, definition->name);

        if (root < 0 || image < 0)
                return store_fail_errno(error, root < 0 ? root : image, "Cannot look into the store");
        if (definition->managed && data->kind == STORE_DATA_NONE && !root && !image)
                data->kind = STORE_DATA_EMPTY;

        return 0;
}

/* A definition's text in its room, on the disk but not under its name yet. */
static int stage_definition(const Store *store, const char *container, StagedKind kind, const char *text, size_t size,
                            char staged[static STORE_NAME_SIZE]) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = store_stage(container, kind, staged);
        if (r < 0)
                return r;
        fd = openat(store->rooms[ROOM_DEFINITIONS], staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return -errno;

        r = fd_write_all(fd, text, size);
        if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || fsync(store->rooms[ROOM_DEFINITIONS]) < 0))
                r = -errno;
        if (r < 0)
                (void) unlinkat(store->rooms[ROOM_DEFINITIONS], staged, 0);
        return r;
}

static int create_new(const Store *store, const Definition *definition, const char *text, size_t size,
                      StoreData data, char **ret_notes, StoreError *error) {
        _cleanup_free_ char *notes = NULL;
        char staged[STORE_NAME_SIZE];
        StagedKind kind;
        int r;

        r = check_name_is_free(store, definition->name, error);
        if (r < 0)
                return r;
        r = check_data(store, definition, &data, error);
        if (r < 0)
                return r;
        r = choose_data(store, definition, &data, error);
        if (r < 0)
                return r;

        kind = data.kind == STORE_DATA_NONE ? STAGED_NEW : STAGED_MAKE;
        r = stage_definition(store, definition->name, kind, text, size, staged);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot write the definition");
        r = store_make_data(store, definition->name, &data, &notes, error);
        if (r < 0) {
                (void) unlinkat(store->rooms[ROOM_DEFINITIONS], staged, 0);
                return r;
        }
        r = store_commit(store, ROOM_DEFINITIONS, staged, definition->name);
        if (r < 0) {
                if (kind == STAGED_MAKE)
                        (void) store_discard_data(store, definition->name);
                (void) unlinkat(store->rooms[ROOM_DEFINITIONS], staged, 0);
                return store_fail_errno(error, r, "Cannot name the definition");
        }

        *ret_notes = TAKE_PTR(notes);
        return 0;
}

static int create_again(const Store *store, const Definition *definition, const char *text, size_t size,
                        const StoreData *data, StoreError *error) {
        char staged[STORE_NAME_SIZE], entry[STORE_NAME_SIZE];
        int fd = store->rooms[ROOM_DEFINITIONS], r;

        if (data->kind != STORE_DATA_NONE)
                return store_fail(error, INVALID_ARGS, "A definition is replaced with its data kept; give no new data");
        r = store_has(store, ROOM_DEFINITIONS, definition->name);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot look for the definition");
        if (r == 0)
                return store_fail(error, HELPER_ERROR_NOT_FOUND, "There is no definition of %s that was made so",
                                  definition->name);

        r = stage_definition(store, definition->name, STAGED_NEW, text, size, staged);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot write the definition");
        store_entry(ROOM_DEFINITIONS, definition->name, entry);
        if (renameat(fd, staged, fd, entry) < 0 || fsync(fd) < 0)
                return store_fail_errno(error, -errno, "Cannot name the definition");

        return 0;
}

int store_create(const char *container, const char *definition, size_t size, const StoreData *data, bool replace,
                 char **ret_notes, StoreError *error) {
        _cleanup_(definition_freep) Definition *checked = NULL;
        _cleanup_store_ Store store = STORE_NULL;
        _cleanup_free_ char *notes = NULL;
        int r;

        r = check_definition(container, definition, size, &checked, error);
        if (r < 0)
                return r;
        r = open_for(container, &store, error);
        if (r < 0)
                return r;

        if (replace)
                r = create_again(&store, checked, definition, size, data, error);
        else
                r = create_new(&store, checked, definition, size, *data, &notes, error);
        if (r < 0)
                return r;
        if (!notes)
                notes = strdup("");
        if (!notes)
                return -ENOMEM;

        *ret_notes = TAKE_PTR(notes);
        return 0;
}

int store_begin_run(const char *container, const StoreData *data, char **ret_notes, StoreError *error) {
        _cleanup_store_ Store store = STORE_NULL;
        char staged[STORE_NAME_SIZE];
        int r;

        r = open_for(container, &store, error);
        if (r < 0)
                return r;
        r = check_name_is_free(&store, container, error);
        if (r < 0)
                return r;
        r = check_room_is_free(&store, container, error);
        if (r < 0)
                return r;

        r = stage_definition(&store, container, STAGED_RUN, "", 0, staged);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot mark the run");
        r = store_make_data(&store, container, data, ret_notes, error);
        if (r < 0)
                (void) unlinkat(store.rooms[ROOM_DEFINITIONS], staged, 0);
        return r;
}

int store_end_run(const char *container, StoreError *error) {
        _cleanup_store_ Store store = STORE_NULL;
        int r;

        r = store_open(error, &store);
        if (r < 0)
                return r;
        r = store_find_run(&store, container);
        if (r == 0)
                return 0;
        if (r > 0)
                r = store_is_defined(&store, container);
        if (r == 0)
                r = store_discard_data(&store, container);
        if (r >= 0)
                r = store_forget_run(&store, container);
        if (r >= 0)
                r = store_empty_trash(&store);

        return r < 0 ? store_fail_errno(error, r, "Cannot remove what the run of %s left", container) : 0;
}

/* Takes a definition's name away. It stays in its room, since others may empty the trash before it is known whether
 * it has to come back; a sweep finds it there, and KIND says what else goes. RET_NAME is empty if there was none. */
static int definition_hide(const Store *store, const char *container, StagedKind kind,
                           char ret_name[static STORE_NAME_SIZE]) {
        char entry[STORE_NAME_SIZE], name[STORE_NAME_SIZE];
        int fd = store->rooms[ROOM_DEFINITIONS], r;

        r = store_stage(container, kind, name);
        if (r < 0)
                return r;
        store_entry(ROOM_DEFINITIONS, container, entry);
        if (renameat2(fd, entry, fd, name, RENAME_NOREPLACE) < 0) {
                if (errno != ENOENT)
                        return -errno;
                name[0] = '\0';
        }

        memcpy(ret_name, name, sizeof name);
        return fsync(fd) < 0 ? -errno : 0;
}

static int fail_roots(const char *container, StoreError *error) {
        return store_fail(error, NOT_SUPPORTED,
                          "The definition of %s is a file that root wrote, not one that was made over D-Bus: remove the "
                          "file", container);
}

int store_withdraw(const char *container, bool data, char ret_hidden[static STORE_NAME_SIZE], StoreError *error) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_store_ Store store = STORE_NULL;
        int r;

        r = open_for(container, &store, error);
        if (r < 0)
                return r;
        r = definition_hide(&store, container, data ? STAGED_REMOVE : STAGED_NEW, ret_hidden);
        if (r < 0)
                return store_fail_errno(error, r, "Cannot remove the definition of %s", container);
        if (!ret_hidden[0]) {
                r = definition_load(definition_sources_host(), container, &definition, &problems);
                if (r < 0)
                        return r;

                return r == DEFINITION_E_NOT_FOUND
                                       ? store_fail(error, HELPER_ERROR_NOT_FOUND, "There is no container %s", container)
                                       : fail_roots(container, error);
        }

        r = data ? store_is_defined(&store, container) : 0;
        if (r == 0)
                return 0;
        r = r < 0 ? store_fail_errno(error, r, "Cannot look for other definitions") : fail_roots(container, error);
        (void) store_restore(container, ret_hidden, &(StoreError){});
        return r;
}

int store_restore(const char *container, const char *hidden, StoreError *error) {
        _cleanup_store_ Store store = STORE_NULL;
        char entry[STORE_NAME_SIZE];
        int fd, r;

        r = store_open(error, &store);
        if (r < 0)
                return r;
        store_entry(ROOM_DEFINITIONS, container, entry);
        fd = store.rooms[ROOM_DEFINITIONS];
        if (renameat2(fd, hidden, fd, entry, RENAME_NOREPLACE) < 0)
                return store_fail_errno(error, -errno, "Cannot bring back the definition of %s", container);

        return 0;
}

int store_remove(const char *container, bool data, const char *hidden, StoreError *error) {
        _cleanup_store_ Store store = STORE_NULL;
        int r;

        r = store_open(error, &store);
        if (r < 0)
                return r;
        r = data ? store_discard_data(&store, container) : 0;
        if (r == -EWOULDBLOCK) {
                r = store_restore(container, hidden, error);
                return r < 0 ? r :
                               store_fail(error, HELPER_ERROR_RUNNING, "The root of %s is in use by %s", container,
                                          "another container or program");
        }
        if (r >= 0 && unlinkat(store.rooms[ROOM_DEFINITIONS], hidden, 0) < 0)
                r = -errno;
        if (r >= 0)
                r = store_empty_trash(&store);

        return r < 0 ? store_fail_errno(error, r, "Cannot delete all of %s", container) : 0;
}
