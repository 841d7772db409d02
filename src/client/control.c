/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that change a container: one function of the public header each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "basic/string.h"
#include "client/container.h"
#include "client/error.h"

/* A method of a container without a result, with arguments of basic types. */
static int simple_call(berth *connection, const char *name, const char *member, const char *types, ...) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        va_list args;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = container_method(connection, name, member, &message);
        if (r >= 0) {
                va_start(args, types);
                r = sd_bus_message_appendv(message, types ?: "", args);
                va_end(args);
                r = r < 0 ? error_set_errno(r, "make a call to the service")
                          : container_call(connection, name, message, NULL);
        }
        message = sd_bus_message_unref(message);

        return connection_leave(connection, r);
}

int berth_start(berth *connection, const char *name) {
        return simple_call(connection, name, "Start", NULL);
}

int berth_stop(berth *connection, const char *name, uint64_t timeout_usec) {
        return simple_call(connection, name, "Stop", "t", timeout_usec);
}

int berth_restart(berth *connection, const char *name) {
        return simple_call(connection, name, "Restart", NULL);
}

int berth_freeze(berth *connection, const char *name) {
        return simple_call(connection, name, "Freeze", NULL);
}

int berth_thaw(berth *connection, const char *name) {
        return simple_call(connection, name, "Thaw", NULL);
}

int berth_kill(berth *connection, const char *name, const char *whom, int32_t signal) {
        return simple_call(connection, name, "Kill", "si", whom && utf8_is_valid(whom) ? whom : "", signal);
}

int berth_remove(berth *connection, const char *name, uint32_t flags) {
        int r;

        if (flags & ~BERTH_REMOVE_DATA) {
                r = connection_enter(connection);
                return r < 0 ? r
                             : connection_leave(
                                               connection, connection_check_flags(flags, BERTH_REMOVE_DATA));
        }
        if (flags & BERTH_REMOVE_DATA)
                return simple_call(connection, name, "Remove", "a{sv}", 1, "data", "b", 1);

        return simple_call(connection, name, "Remove", "a{sv}", 0);
}

/*
 * Properties
 */

static int append_assignment(sd_bus_message *message, const char *assignment) {
        const char *equals = strchr(assignment, '=');
        _cleanup_free_ char *key = NULL;
        int r;

        if (!equals || equals == assignment || !utf8_is_valid(assignment))
                return error_set(BERTH_ERROR_INVALID_ARGS, "\"%.200s\" is not KEY=VALUE", assignment);

        key = strndup(assignment, (size_t) (equals - assignment));
        r = key ? sd_bus_message_append(message, "(sv)", key, "s", equals + 1) : -ENOMEM;

        return r < 0 ? error_set_errno(r, "make a call to the service") : 0;
}

static int
set_properties(berth *connection, const char *name, const char *const *assignments, uint32_t flags) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = connection_check_flags(flags, BERTH_SET_RUNTIME);
        if (r >= 0)
                r = container_method(connection, name, "SetProperties", &message);
        if (r < 0)
                return r;
        r = sd_bus_message_append(message, "b", (flags & BERTH_SET_RUNTIME) != 0);
        if (r >= 0)
                r = sd_bus_message_open_container(message, 'a', "(sv)");
        if (r < 0)
                return error_set_errno(r, "make a call to the service");

        for (size_t i = 0; assignments && assignments[i]; i++) {
                r = append_assignment(message, assignments[i]);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(message);
        if (r < 0)
                return error_set_errno(r, "make a call to the service");

        return container_call(connection, name, message, NULL);
}

int berth_set_properties(
                berth *connection, const char *name, const char *const *assignments, uint32_t flags) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(connection, set_properties(connection, name, assignments, flags));
}

/*
 * Descriptors
 */

/* Calls a method that gives a descriptor, which has to be of this type of file. */
static int
get_descriptor(berth *connection, const char *name, const char *member, mode_t type, int *ret_fd) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL, *reply = NULL;
        _cleanup_close_ int copy = -EBADF;
        struct stat status;
        int r, fd;

        r = connection_check_descriptors(connection);
        if (r >= 0)
                r = container_method(connection, name, member, &message);
        if (r >= 0)
                r = container_call(connection, name, message, &reply);
        if (r < 0)
                return r;

        r = sd_bus_message_read(reply, "h", &fd);
        if (r <= 0)
                return error_reply(r, member);
        copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
                return error_set_errno(-errno, "keep a descriptor");
        if (fstat(copy, &status) < 0 || (status.st_mode & S_IFMT) != type)
                return error_reply(-EBADMSG, member);

        *ret_fd = TAKE_FD(copy);

        return 0;
}

int berth_open_console(berth *connection, const char *name, int *ret_fd) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(
                        connection, get_descriptor(connection, name, "OpenConsole", S_IFSOCK, ret_fd));
}

int berth_open_root(berth *connection, const char *name, int *ret_fd) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(connection, get_descriptor(connection, name, "OpenRoot", S_IFDIR, ret_fd));
}
