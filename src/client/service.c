/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/service.h"

#include <stdlib.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "client/error.h"
#include "client/pointers.h"

const char *berth_library_version(void) {
        return BERTH_VERSION;
}

int service_get(berth *connection,
                const char *path,
                const char *interface,
                const char *property,
                const char *type,
                sd_bus_message **ret_reply) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = connection_call_method(
                        connection, path, "org.freedesktop.DBus.Properties", "Get", &reply, "ss", interface,
                        property);
        if (r < 0)
                return r;
        r = sd_bus_message_enter_container(reply, 'v', type);
        if (r <= 0)
                return error_reply(r, property);

        *ret_reply = TAKE_PTR(reply);

        return 0;
}

int berth_version(berth *connection, char **ret_version) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *version;
        char *copy;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;
        r = service_get(connection, SERVICE_PATH, SERVICE_MANAGER, "Version", "s", &reply);
        if (r < 0)
                return connection_leave(connection, r);

        r = sd_bus_message_read(reply, "s", &version);
        if (r <= 0)
                return connection_leave(connection, error_reply(r, "Version"));
        copy = strdup(version);
        if (!copy)
                return connection_leave(connection, error_reply(-ENOMEM, "Version"));
        *ret_version = copy;
        r = 0;
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}

/*
 * Features
 */

char **berth_strings_free(char **strings) {
        return strv_free(strings);
}

static int strv_copy(char *const *from, char ***ret) {
        _cleanup_(strv_freep) char **copy = calloc(1, sizeof *copy);

        if (!copy)
                return -ENOMEM;
        for (size_t i = 0; from && from[i]; i++) {
                int r = strv_append(&copy, from[i]);

                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(copy);

        return 0;
}

int service_load_features(berth *connection) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(strv_freep) char **features = NULL, **copy = NULL;
        int r;

        if (connection->features)
                return 0;

        r = service_get(connection, SERVICE_PATH, SERVICE_MANAGER, "Features", "as", &reply);
        if (r < 0)
                return r;
        r = sd_bus_message_read_strv(reply, &features);
        if (r >= 0)
                r = strv_copy(features, &copy); /* an empty list is not NULL */
        if (r < 0)
                return error_reply(r, "Features");

        strv_free(connection->features);
        connection->features = TAKE_PTR(copy);

        return 0;
}

int berth_has_feature(berth *connection, const char *feature) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;
        r = service_load_features(connection);
        if (r >= 0)
                r = feature && strv_contains(connection->features, feature);

        return connection_leave(connection, r);
}

int berth_features(berth *connection, char ***ret_features) {
        _cleanup_(strv_freep) char **copy = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;
        r = service_load_features(connection);
        if (r < 0)
                return connection_leave(connection, r);
        r = strv_copy(connection->features, &copy);
        if (r < 0)
                return connection_leave(connection, error_reply(r, "Features"));

        r = (int) strv_length(copy);
        *ret_features = TAKE_PTR(copy);

        return connection_leave(connection, r);
}

/*
 * What the host can do
 */

static void capability_free(berth_capability *capability) {
        free(capability->name);
        free(capability->reason);
        free(capability);
}

berth_capability **berth_capabilities_free(berth_capability **capabilities) {
        for (size_t i = 0; capabilities && capabilities[i]; i++)
                capability_free(capabilities[i]);
        free(capabilities);

        return NULL;
}

DEFINE_CLEANUP(berth_capability *, capability_free)
DEFINE_CLEANUP(berth_capability **, berth_capabilities_free)

/* True, or a string that says why not. */
static int capability_read_value(sd_bus_message *message, int *ret_available, const char **ret_reason) {
        const char *contents;
        char type;
        int r;

        r = sd_bus_message_peek_type(message, &type, &contents);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        if (type != 'v')
                return -EBADMSG;

        *ret_available = 0;
        *ret_reason = "";
        if (streq(contents, "b"))
                return sd_bus_message_read(message, "v", "b", ret_available);
        if (streq(contents, "s"))
                return sd_bus_message_read(message, "v", "s", ret_reason);

        return sd_bus_message_skip(message, "v");
}

static int capability_read(sd_bus_message *message, berth_capability **ret) {
        _cleanup_(capability_freep) berth_capability *capability = calloc(1, sizeof *capability);
        const char *name, *reason;
        int r;

        if (!capability)
                return -ENOMEM;
        r = sd_bus_message_read(message, "s", &name);
        if (r >= 0)
                r = capability_read_value(message, &capability->available, &reason);
        if (r < 0)
                return r;
        if (string_set(&capability->name, name) < 0 || string_set(&capability->reason, reason) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(capability);

        return 0;
}

static int capability_compare(const void *a, const void *b) {
        return strcmp((*(berth_capability *const *) a)->name, (*(berth_capability *const *) b)->name);
}

/* Reads an a{sv}; returns how many there were. */
static int capabilities_read(sd_bus_message *message, berth_capability ***ret) {
        _cleanup_(berth_capabilities_freep) berth_capability **all = calloc(1, sizeof *all);
        size_t n = 0;
        int r;

        if (!all)
                return -ENOMEM;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                _cleanup_(capability_freep) berth_capability *one = NULL;

                r = capability_read(message, &one);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r >= 0)
                        r = pointers_append(&all, &n, one);
                if (r >= 0)
                        one = NULL;
        }
        if (r < 0)
                return r;

        qsort(all, n, sizeof *all, capability_compare);
        *ret = TAKE_PTR(all);

        return (int) n;
}

int berth_capabilities(berth *connection, berth_capability ***ret_capabilities) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;
        r = service_get(connection, SERVICE_PATH, SERVICE_MANAGER, "HostCapabilities", "a{sv}", &reply);
        if (r < 0)
                return connection_leave(connection, r);
        r = capabilities_read(reply, ret_capabilities);
        r = r < 0 ? error_reply(r, "HostCapabilities") : r;
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}

int berth_reload(berth *connection) {
        int r = connection_enter(connection);

        if (r < 0)
                return r;

        return connection_leave(
                        connection,
                        connection_call_method(
                                        connection, SERVICE_PATH, SERVICE_MANAGER, "Reload", NULL, NULL));
}
