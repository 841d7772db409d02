/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/freezer.h"

#include <stdio.h>
#include <sys/inotify.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "manager/units.h"

static int on_events(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Container *container = userdata;

        (void) units_fetch_freezer_state(container->manager->units, container, NULL, NULL);
        return 0;
}

void freezer_forget(Container *container) {
        container->events = sd_event_source_disable_unref(container->events);
}

void freezer_follow(Manager *manager, Container *container) {
        _cleanup_free_ char *path = NULL;

        if (!container->unit.control_group || !container_is_up(container)) {
                freezer_forget(container);
                return;
        }
        if (container->events)
                return;

        path = string_printf("/sys/fs/cgroup%s/cgroup.events", container->unit.control_group);
        /* A group that has gone in the meantime has nothing to tell. */
        if (path)
                (void) sd_event_add_inotify(
                                manager->event, &container->events, path, IN_MODIFY, on_events, container);
}
