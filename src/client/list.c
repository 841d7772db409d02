/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of containers, without and with all that is known about each.
 */
#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "client/connection.h"
#include "client/error.h"
#include "client/pointers.h"
#include "client/status.h"
#include "client/text.h"

static void container_free(berth_container *container) {
        free(container->name);
        free(container->state);
        free(container->unit);
        free(container->path);
        free(container);
}

berth_container **berth_list_free(berth_container **list) {
        for (size_t i = 0; list && list[i]; i++)
                container_free(list[i]);
        free(list);

        return NULL;
}

berth_status **berth_status_list_free(berth_status **list) {
        for (size_t i = 0; list && list[i]; i++)
                (void) berth_status_free(list[i]);
        free(list);

        return NULL;
}

DEFINE_CLEANUP(berth_container *, container_free)
DEFINE_CLEANUP(berth_container **, berth_list_free)
DEFINE_CLEANUP(berth_status **, berth_status_list_free)

/* Reads the next (ssuso); 0 at the end. The name is that of the object: a user's containers are told apart
 * by it. */
static int container_read(sd_bus_message *message, berth_container **ret) {
        _cleanup_(container_freep) berth_container *container = calloc(1, sizeof *container);
        const char *name, *state, *unit, *path;
        int r;

        if (!container)
                return -ENOMEM;
        r = sd_bus_message_read(message, "(ssuso)", &name, &state, &container->owner, &unit, &path);
        if (r <= 0)
                return r;
        r = name_of_path(path, &container->name);
        if (r < 0)
                return r;
        if (string_set(&container->state, state) < 0 || string_set(&container->unit, unit) < 0 ||
            string_set(&container->path, path) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(container);

        return 1;
}

static int container_compare(const void *a, const void *b) {
        return strcmp((*(berth_container *const *) a)->name, (*(berth_container *const *) b)->name);
}

/* Reads an a(ssuso); returns how many there were. */
static int list_read(sd_bus_message *message, berth_container ***ret) {
        _cleanup_(berth_list_freep) berth_container **list = calloc(1, sizeof *list);
        size_t n = 0;
        int r;

        if (!list)
                return -ENOMEM;

        r = sd_bus_message_enter_container(message, 'a', "(ssuso)");
        while (r >= 0) {
                _cleanup_(container_freep) berth_container *one = NULL;

                r = container_read(message, &one);
                if (r == 0)
                        break;
                if (r > 0)
                        r = pointers_append(&list, &n, one);
                if (r >= 0)
                        one = NULL;
        }
        if (r < 0)
                return r;

        qsort(list, n, sizeof *list, container_compare);
        *ret = TAKE_PTR(list);

        return (int) n;
}

int berth_list(berth *connection, berth_container ***ret_list) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = connection_call_method(
                        connection, SERVICE_PATH, SERVICE_MANAGER, "ListContainers", &reply, NULL);
        if (r >= 0) {
                r = list_read(reply, ret_list);
                if (r < 0)
                        r = error_reply(r, "ListContainers");
        }
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}

/*
 * With everything
 */

/* Reads an a{sa{sv}}: the interfaces of an object. NULL if it is no container. */
static int object_read(sd_bus_message *message, const char *path, berth_status **ret) {
        _cleanup_(berth_status_freep) berth_status *status = NULL;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
                const char *interface;

                r = sd_bus_message_read(message, "s", &interface);
                if (r >= 0 && !status && streq(interface, SERVICE_CONTAINER))
                        r = status_read(message, path, &status);
                else if (r >= 0)
                        r = sd_bus_message_skip(message, "a{sv}");
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(status);

        return 0;
}

static int status_compare(const void *a, const void *b) {
        return strcmp((*(berth_status *const *) a)->name, (*(berth_status *const *) b)->name);
}

/* Reads an a{oa{sa{sv}}}; returns how many containers there were. */
static int objects_read(sd_bus_message *message, berth_status ***ret) {
        _cleanup_(berth_status_list_freep) berth_status **list = calloc(1, sizeof *list);
        size_t n = 0;
        int r;

        if (!list)
                return -ENOMEM;

        r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "oa{sa{sv}}")) > 0) {
                _cleanup_(berth_status_freep) berth_status *one = NULL;
                const char *path;

                r = sd_bus_message_read(message, "o", &path);
                if (r >= 0)
                        r = object_read(message, path, &one);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0 && one)
                        r = pointers_append(&list, &n, one);
                if (r >= 0)
                        one = NULL;
        }
        if (r < 0)
                return r;

        qsort(list, n, sizeof *list, status_compare);
        *ret = TAKE_PTR(list);

        return (int) n;
}

int berth_list_status(berth *connection, berth_status ***ret_list) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = connection_call_method(
                        connection, SERVICE_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
                        &reply, NULL);
        if (r >= 0) {
                r = objects_read(reply, ret_list);
                if (r < 0)
                        r = error_reply(r, "GetManagedObjects");
        }
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}
