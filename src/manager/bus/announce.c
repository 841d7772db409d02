/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/announce.h"

#include <errno.h>

#include "basic/string.h"

int container_path(const Container *container, char **ret) {
        return sd_bus_path_encode(BUS_CONTAINERS, container->name, ret);
}

/* A signal that could not be sent is nothing that a caller could repair: the connection is gone, or the
 * memory. */
void announce_added(Manager *manager, const Container *container) {
        _cleanup_free_ char *path = NULL;

        if (container_path(container, &path) >= 0)
                (void) sd_bus_emit_object_added(manager->bus, path);
}

void announce_removed(Manager *manager, const Container *container) {
        _cleanup_free_ char *path = NULL;

        if (container_path(container, &path) >= 0)
                (void) sd_bus_emit_object_removed(manager->bus, path);
}

void announce_changes(Manager *manager, const Container *container, const ContainerFacts *old) {
        _cleanup_free_ char *path = NULL;
        char *names[7] = {};
        size_t n = 0;

        if (container_state(container) != old->state)
                names[n++] = (char *) "State";
        if (container_leader(container) != old->leader)
                names[n++] = (char *) "Leader";
        if (container_started(container) != old->started_usec)
                names[n++] = (char *) "StartedUSec";
        if (container_exit_status(container) != old->exit_status)
                names[n++] = (char *) "ExitStatus";
        if (!streq_null(container_control_group(container), old->control_group))
                names[n++] = (char *) "ControlGroup";
        if (!streq_null(container_last_error(container), old->last_error))
                names[n++] = (char *) "LastError";

        if (n > 0 && container_path(container, &path) >= 0)
                (void) sd_bus_emit_properties_changed_strv(
                                manager->bus, path, BUS_CONTAINER_INTERFACE, names);
}

void announce_definition(Manager *manager, const Container *container) {
        _cleanup_free_ char *path = NULL;

        if (container_path(container, &path) >= 0)
                (void) sd_bus_emit_properties_changed(
                                manager->bus, path, BUS_CONTAINER_INTERFACE, "Definition", NULL);
}

void announce_progress(
                Manager *manager, const char *name, uint64_t done, uint64_t total, const char *message) {
        (void) sd_bus_emit_signal(
                        manager->bus, BUS_PATH, BUS_MANAGER_INTERFACE, "Progress", "stts", name, done, total,
                        message);
}
