/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/container.h"

#include <errno.h>
#include <stdlib.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "client/error.h"
#include "client/service.h"
#include "client/text.h"
#include "spec/name.h"

/* It may be anything that a program was given. */
static int refuse_name(const char *name) {
        _cleanup_free_ char *shown = string_escape_unprintable(name);

        return error_set(
                        BERTH_ERROR_INVALID_NAME, "\"%.80s\" is no name of a container: " CONTAINER_NAME_RULE,
                        shown ?: "?");
}

int container_path(const char *name, char **ret_path) {
        int r;

        if (!name)
                return error_set(BERTH_ERROR_INVALID_ARGS, "there is no name of a container");
        r = path_of_name(name, ret_path);
        if (r == -EINVAL)
                return refuse_name(name);

        return r < 0 ? error_set_errno(r, "keep a path") : 0;
}

int container_missing(berth *connection, const char *name, int r) {
        if (r < 0 && streq_null(error_name(connection->id), SD_BUS_ERROR_UNKNOWN_OBJECT))
                return error_set(BERTH_ERROR_NO_SUCH_CONTAINER, "there is no container %s", name);

        return r;
}

int container_method(berth *connection, const char *name, const char *member, sd_bus_message **ret_message) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = container_path(name, &path);

        return r < 0 ? r : connection_method(connection, path, SERVICE_CONTAINER, member, ret_message);
}

int container_call(
                berth *connection, const char *name, sd_bus_message *message, sd_bus_message **ret_reply) {
        return container_missing(connection, name, connection_call(connection, message, ret_reply));
}

/* The path in the answer to GetContainer, which has to be of that container. */
static int path_read(sd_bus_message *reply, const char *name, char **ret_path) {
        _cleanup_free_ char *said = NULL, *copy = NULL;
        const char *path;
        int r;

        r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = name_of_path(path, &said);
        if (r < 0)
                return r;
        if (!streq(said, name))
                return -EBADMSG;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;
        *ret_path = TAKE_PTR(copy);

        return 0;
}

int berth_get_path(berth *connection, const char *name, char **ret_path) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *checked = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = container_path(name, &checked);
        if (r >= 0)
                r = connection_call_method(
                                connection, SERVICE_PATH, SERVICE_MANAGER, "GetContainer", &reply, "s",
                                name);
        if (r >= 0) {
                r = path_read(reply, name, ret_path);
                if (r < 0)
                        r = error_reply(r, "GetContainer");
        }
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}

int berth_find_process(berth *connection, uint32_t pid, char **ret_name) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = connection_call_method(
                        connection, SERVICE_PATH, SERVICE_MANAGER, "GetContainerByPID", &reply, "u", pid);
        if (r >= 0) {
                r = sd_bus_message_read(reply, "o", &path);
                if (r >= 0)
                        r = name_of_path(path, ret_name);
                if (r < 0)
                        r = error_reply(r, "GetContainerByPID");
        }
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}

/* A property as a text; with a type, only of that one. */
static int
get_property(berth *connection, const char *name, const char *property, const char *type, char **ret_text) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = container_path(name, &path);
        if (r < 0)
                return r;
        if (!property || !utf8_is_valid(property))
                return error_set(BERTH_ERROR_INVALID_ARGS, "this is no name of a property");
        r = connection_call_method(
                        connection, path, "org.freedesktop.DBus.Properties", "Get", &reply, "ss",
                        SERVICE_CONTAINER, property);
        if (r < 0 && streq_null(error_name(connection->id), SD_BUS_ERROR_UNKNOWN_PROPERTY))
                return error_set(
                                BERTH_ERROR_NO_SUCH_PROPERTY, "a container has no property \"%.80s\"",
                                property);
        if (r < 0)
                return container_missing(connection, name, r);

        r = sd_bus_message_verify_type(reply, 'v', type);
        if (r > 0)
                r = value_text(reply, ret_text);
        else if (r == 0)
                r = -EBADMSG;

        return r < 0 ? error_reply(r, property) : 0;
}

int berth_get_property(berth *connection, const char *name, const char *property, char **ret_text) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(connection, get_property(connection, name, property, NULL, ret_text));
}

int berth_get_definition(berth *connection, const char *name, char **ret_definition) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(
                        connection, get_property(connection, name, "Definition", "s", ret_definition));
}
