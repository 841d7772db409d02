/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/manager.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "manager/bus/announce.h"
#include "manager/bus/authorize.h"
#include "manager/bus/objects.h"
#include "manager/capabilities.h"
#include "manager/console/consoles.h"
#include "manager/definitions.h"
#include "manager/freezer.h"
#include "manager/helper-client.h"
#include "manager/operation.h"
#include "manager/units.h"
#include "spec/name.h"

#define IDLE_USEC (UINT64_C(30) * 1000 * 1000)
#define LEAVING_USEC (UINT64_C(25) * 1000 * 1000) /* longer than most callers wait for an answer */

void container_facts_clear(ContainerFacts *facts) {
        free(facts->control_group);
        free(facts->last_error);
        *facts = (ContainerFacts){};
}

int container_facts(const Container *container, ContainerFacts *ret) {
        ContainerFacts facts = {
                .state = container_state(container),
                .leader = container_leader(container),
                .started_usec = container_started(container),
                .exit_status = container_exit_status(container),
        };
        int r;

        r = string_set(&facts.control_group, container_control_group(container));
        if (r >= 0)
                r = string_set(&facts.last_error, container_last_error(container));
        if (r < 0) {
                container_facts_clear(&facts);
                return r;
        }

        *ret = facts;
        return 0;
}

int manager_container(Manager *manager, const char *name, UnitKind kind, Container **ret) {
        Container *container;
        int r;

        container = registry_find(&manager->registry, name);
        if (!container) {
                r = registry_add(&manager->registry, name, kind, &container);
                if (r < 0)
                        return r;
                container->manager = manager;
        }

        *ret = container;
        return 0;
}

Container *manager_find(Manager *manager, const char *name) {
        Container *container = registry_find(&manager->registry, name);

        if (manager->definitions && (!container || !container_is_visible(container)) &&
            container_name_is_valid(name)) {
                (void) definitions_look_for(manager->definitions, name);
                container = registry_find(&manager->registry, name);
        }

        return container;
}

static void on_control_group(const char *name, void *userdata) {
        Manager *manager = userdata;
        Container *container = registry_find(&manager->registry, name);

        if (container)
                container->group_asked = false;
}

/* systemd announces everything that a container's state is made of, except this. */
static void manager_ask_control_group(Manager *manager, Container *container) {
        if (!manager->units || !container_is_up(container) || container->unit.control_group ||
            container->group_asked)
                return;

        container->group_asked =
                        units_fetch_control_group(manager->units, container, on_control_group, manager) >= 0;
}

/* A run is gone. As long as it had its name, a definition of that name that somebody wrote meanwhile was not
 * seen, nor what its unit does. */
static void manager_uncover(Manager *manager, const char *name) {
        if (manager->units && manager_find(manager, name))
                units_look_again(manager->units);
}

void manager_container_changed(Manager *manager, Container *container, const ContainerFacts *old) {
        bool visible = container_is_visible(container);

        if (old && !container_is_up(container) && old->state != container_state(container)) {
                consoles_forget(manager->consoles, container->name);
                (void) string_set(&container->unit.control_group, NULL);
        }

        manager_ask_control_group(manager, container);
        freezer_follow(manager, container);

        if (visible && !container->announced) {
                container->announced = true;
                announce_added(manager, container);
        } else if (!visible && container->announced) {
                announce_removed(manager, container);
                container->announced = false;
        } else if (visible && old)
                announce_changes(manager, container, old);

        if (!visible && container->holds == 0) {
                bool run = container->kind == UNIT_TRANSIENT;
                char name[NAME_MAX_LENGTH + 1];

                memcpy(name, container->name, sizeof name);
                freezer_forget(container);
                registry_remove(&manager->registry, container);
                if (run)
                        manager_uncover(manager, name);
        }

        manager_touch(manager);
}

static bool manager_is_idle(const Manager *manager) {
        if (manager->n_operations > 0 || authorizer_callers(manager->authorizer) > 0 ||
            consoles_count(manager->consoles) > 0)
                return false;

        return true;
}

void manager_touch(Manager *manager) {
        bool idle;

        if (!manager->idle)
                return;

        idle = manager_is_idle(manager);
        if (manager->leaving) {
                if (manager->released && idle)
                        (void) sd_event_exit(manager->event, 0);
                return;
        }
        if (!idle) {
                (void) sd_event_source_set_enabled(manager->idle, SD_EVENT_OFF);
                return;
        }
        (void) sd_event_source_set_time_relative(manager->idle, IDLE_USEC);
        (void) sd_event_source_set_enabled(manager->idle, SD_EVENT_ONESHOT);
}

static int on_released(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Manager *manager = userdata;

        manager->released = true;
        manager_touch(manager);
        return 0;
}

/* systemd is told first that we stop, so that it starts another one for the next call; then the name is
 * given back; and what had come before is still answered. */
static int on_idle(sd_event_source *source, uint64_t usec, void *userdata) {
        Manager *manager = userdata;
        int r;

        if (manager->leaving)
                return sd_event_exit(manager->event, 0);
        if (!manager_is_idle(manager))
                return 0;

        manager->leaving = true;
        (void) sd_notify(/* unset_environment= */ false, "STOPPING=1\nSTATUS=Nobody needs it");
        r = sd_event_source_set_time_relative(source, LEAVING_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        if (r < 0)
                return r;

        return sd_bus_release_name_async(manager->bus, NULL, BUS_NAME, on_released, manager);
}

static void on_caller_gone(const char *unique_name, void *userdata) {
        manager_touch(userdata);
}

static int on_named(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Manager *manager = userdata;
        uint32_t result = 0;

        if (sd_bus_message_is_method_error(reply, NULL) || sd_bus_message_read(reply, "u", &result) < 0 ||
            result != 1) {
                const sd_bus_error *said = sd_bus_message_get_error(reply);

                (void) fprintf(stderr, SD_ERR "The name " BUS_NAME " cannot be had: %s\n",
                               said && said->message ? said->message : "another process has it");
                return sd_event_exit(manager->event, -EBUSY);
        }

        (void) sd_notify(/* unset_environment= */ false, "READY=1");
        manager_touch(manager);
        return 0;
}

void manager_ready(Manager *manager) {
        int r;

        r = consoles_begin(manager->consoles);
        if (r >= 0)
                r = sd_bus_request_name_async(manager->bus, NULL, BUS_NAME, 0, on_named, manager);
        if (r < 0)
                (void) sd_event_exit(manager->event, r);
}

static bool console_is_up(const char *name, void *userdata) {
        const Manager *manager = userdata;
        const Container *container = registry_find(&manager->registry, name);

        return container && container_is_up(container);
}

static void on_consoles_idle(void *userdata) {
        manager_touch(userdata);
}

/* Descriptors from systemd: the console socket, and what an earlier manager left in its store. */
static int manager_take_descriptors(Manager *manager) {
        _cleanup_(strv_freep) char **names = NULL;
        int n, r;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &names);
        for (int i = 0; i < n; i++) {
                int fd = SD_LISTEN_FDS_START + i;

                r = consoles_take(manager->consoles, names[i], fd);
                if (r > 0)
                        continue;
                (void) fprintf(stderr,
                               SD_WARNING
                               "The descriptor \"%s\" that systemd kept is of no use and is closed\n",
                               names[i]);
                (void) fd_close(fd);
        }

        return n < 0 ? n : 0;
}

/* Signals are believed for what they say, and sd-bus takes the bus's word for who sends them. The bus looks
 * at that when it hands out what goes to everybody; what has an address, anybody may have sent to us. */
static int on_addressed(sd_bus_message *message, void *userdata, sd_bus_error *error) {
        return sd_bus_message_is_signal(message, NULL, NULL) > 0 && sd_bus_message_get_destination(message)
                               ? 1
                               : 0;
}

static int manager_connect(Manager *manager) {
        int r;

        r = sd_bus_open_system(&manager->bus);
        if (r < 0)
                return r;
        r = sd_bus_add_filter(manager->bus, NULL, on_addressed, NULL);
        if (r < 0)
                return r;
        r = sd_bus_set_exit_on_disconnect(manager->bus, true);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(manager->bus, manager->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;
        r = manager_object_add(manager);
        if (r < 0)
                return r;

        return container_objects_add(manager);
}

static int manager_begin(Manager *manager) {
        const ConsolesHandler handler = { .is_up = console_is_up,
                                          .idle = on_consoles_idle,
                                          .userdata = manager };
        int r;

        r = authorizer_new(manager->bus, &manager->authorizer);
        if (r < 0)
                return r;
        authorizer_on_gone(manager->authorizer, on_caller_gone, manager);
        r = capabilities_new(manager->bus, &manager->capabilities);
        if (r < 0)
                return r;
        r = helper_client_new(manager->event, HELPER_SILENCE_USEC, &manager->helper);
        if (r < 0)
                return r;
        r = consoles_new(manager->event, &handler, &manager->consoles);
        if (r < 0)
                return r;
        r = manager_take_descriptors(manager);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(
                        manager->event, &manager->idle, CLOCK_MONOTONIC, IDLE_USEC, 0, on_idle, manager);
        if (r < 0)
                return r;
        r = definitions_new(manager, &manager->definitions);
        if (r < 0)
                return r;

        return units_new(manager, &manager->units);
}

static void manager_done(Manager *manager) {
        operations_done(manager);
        units_free(manager->units);
        definitions_free(manager->definitions);
        helper_client_free(manager->helper);
        capabilities_free(manager->capabilities);
        authorizer_free(manager->authorizer);
        for (size_t i = 0; i < manager->registry.n; i++)
                freezer_forget(manager->registry.containers[i]);
        registry_done(&manager->registry);
        consoles_free(manager->consoles);
        sd_event_source_disable_unref(manager->idle);
        sd_bus_flush_close_unref(manager->bus);
        sd_event_unref(manager->event);
}

static int manager_signals(Manager *manager) {
        sigset_t signals;
        int r;

        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigaddset(&signals, SIGINT);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return -errno;
        r = sd_event_add_signal(manager->event, NULL, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;

        return sd_event_add_signal(manager->event, NULL, SIGINT, NULL, NULL);
}

int manager_run(void) {
        _cleanup_(manager_done) Manager manager = {};
        int r;

        r = sd_event_default(&manager.event);
        if (r >= 0)
                r = manager_signals(&manager);
        if (r >= 0)
                r = sd_event_set_watchdog(manager.event, true);
        if (r < 0) {
                (void) fprintf(stderr, SD_ERR "The event loop cannot be set up: %s\n", strerror(-r));
                return r;
        }
        r = manager_connect(&manager);
        if (r < 0) {
                (void) fprintf(stderr, SD_ERR "The system bus cannot be reached: %s\n", strerror(-r));
                return r;
        }
        r = manager_begin(&manager);
        if (r >= 0)
                r = sd_event_loop(manager.event);
        if (r < 0)
                (void) fprintf(stderr, SD_ERR "The manager ends: %s\n", strerror(-r));

        return r;
}
