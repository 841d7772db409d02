/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making containers: berth_create() and berth_run().
 */
#include <errno.h>
#include <fcntl.h>

#include "basic/string.h"
#include "client/container.h"
#include "client/error.h"
#include "client/text.h"

/* What is asked to be made. */
typedef struct Making {
        const char *name, *definition;
        const berth_descriptor *descriptors;
        size_t n_descriptors;
        bool replace;
} Making;

static int making_check(berth *connection, const Making *making) {
        if (!making->name || !making->definition || (making->n_descriptors > 0 && !making->descriptors))
                return error_set(
                                BERTH_ERROR_INVALID_ARGS,
                                "there is no name, definition or list of descriptors");
        if (!utf8_is_valid(making->name) || !utf8_is_valid(making->definition))
                return error_set(BERTH_ERROR_INVALID_ARGS, "the name or the definition is not valid UTF-8");
        for (size_t i = 0; i < making->n_descriptors; i++)
                if (!making->descriptors[i].name || !utf8_is_valid(making->descriptors[i].name))
                        return error_set(BERTH_ERROR_INVALID_ARGS, "a descriptor has no name");

        return making->n_descriptors > 0 ? connection_check_descriptors(connection) : 0;
}

/* What shows the service who opened a directory: the kernel lets nobody but its owner and root set this. On
 * anything else it is of no use, and harmless. */
static void making_show_opener(int fd) {
        int flags = fcntl(fd, F_GETFL);

        if (flags >= 0 && !(flags & (O_PATH | O_NOATIME)))
                (void) fcntl(fd, F_SETFL, flags | O_NOATIME);
}

static int making_append(sd_bus_message *message, const Making *making) {
        int r;

        r = sd_bus_message_append(message, "ss", making->name, making->definition);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "{sh}");
        for (size_t i = 0; r >= 0 && i < making->n_descriptors; i++) {
                making_show_opener(making->descriptors[i].fd);
                r = sd_bus_message_append(
                                message, "{sh}", making->descriptors[i].name, making->descriptors[i].fd);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(message);
        if (r < 0)
                return r;

        return making->replace ? sd_bus_message_append(message, "a{sv}", 1, "replace", "b", 1)
                               : sd_bus_message_append(message, "a{sv}", 0);
}

static int make(berth *connection, const char *member, const Making *making, char **ret_name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        const char *path;
        int r;

        r = making_check(connection, making);
        if (r >= 0)
                r = connection_method(connection, SERVICE_PATH, SERVICE_MANAGER, member, &message);
        if (r < 0)
                return r;
        r = making_append(message, making);
        if (r < 0)
                return error_set_errno(r, "make a call to the service");
        r = connection_call(connection, message, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = name_of_path(path, ret_name);

        return r < 0 ? error_reply(r, member) : 0;
}

int berth_create(
                berth *connection,
                const char *name,
                const char *definition,
                const berth_descriptor *descriptors,
                size_t n_descriptors,
                uint32_t flags) {
        const Making making = { name, definition, descriptors, n_descriptors,
                                (flags & BERTH_CREATE_REPLACE) != 0 };
        _cleanup_free_ char *made = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = connection_check_flags(flags, BERTH_CREATE_REPLACE);
        if (r >= 0)
                r = make(connection, "CreateContainer", &making, &made);

        return connection_leave(connection, r);
}

int berth_run(berth *connection,
              const char *name,
              const char *definition,
              const berth_descriptor *descriptors,
              size_t n_descriptors,
              uint32_t flags,
              char **ret_name) {
        const Making making = { name ?: "", definition, descriptors, n_descriptors, false };
        _cleanup_free_ char *made = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = connection_check_flags(flags, 0);
        if (r >= 0)
                r = make(connection, "RunContainer", &making, &made);
        if (r >= 0 && ret_name)
                *ret_name = TAKE_PTR(made);

        return connection_leave(connection, r);
}
