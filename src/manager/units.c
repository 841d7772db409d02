/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/units.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "manager/operation.h"
#include "manager/unit-properties.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_UNITS SYSTEMD_PATH "/unit"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define PROPERTIES "org.freedesktop.DBus.Properties"

/* dbus-daemon lets a client have 128 calls open on the system bus; polkit and others need some. */
#define QUESTIONS_MAX 32

typedef struct Fetch Fetch;

struct Units {
        Manager *manager;
        bool ready;
        bool reloading;   /* systemd removes its units and has them again at the end */
        unsigned pending; /* questions without an answer, before it is ready */
        sd_bus_slot *list;
        Fetch *sent;
        Fetch *waiting, *last_waiting;
        unsigned n_sent;
};

/* One question for one property of one unit. */
struct Fetch {
        Units *units;
        Fetch *next;
        sd_bus_slot *slot;
        char name[NAME_MAX_LENGTH + 1];
        const UnitProperty *property;
        char *path;
        UnitsCallback callback;
        void *userdata;
};

static Fetch *fetch_free(Fetch *fetch) {
        if (!fetch)
                return NULL;

        sd_bus_slot_unref(fetch->slot);
        free(fetch->path);
        free(fetch);
        return NULL;
}
DEFINE_CLEANUP(Fetch *, fetch_free)

static void fetches_free(Fetch *fetch) {
        for (Fetch *next; fetch; fetch = next) {
                next = fetch->next;
                fetch_free(fetch);
        }
}

Units *units_free(Units *units) {
        if (!units)
                return NULL;

        fetches_free(units->sent);
        fetches_free(units->waiting);
        sd_bus_slot_unref(units->list);
        free(units);
        return NULL;
}

static void units_answered(Units *units) {
        if (units->ready || --units->pending > 0)
                return;

        units->ready = true;
        manager_ready(units->manager);
}

/* The container of a unit's object; NULL in *RET if it is none of ours. */
static int units_container(Units *units, const char *path, bool add, Container **ret) {
        _cleanup_free_ char *unit = NULL;
        char name[NAME_MAX_LENGTH + 1];
        UnitKind kind;
        int r;

        *ret = NULL;
        r = sd_bus_path_decode(path, SYSTEMD_UNITS, &unit);
        if (r <= 0)
                return r;
        if (unit_name_parse(unit, &kind, name, sizeof name) < 0)
                return 0;

        *ret = registry_find(&units->manager->registry, name);
        if (*ret) {
                /* What has a definition is not told by a transient unit of the same name, and the other way
                 * round. */
                if ((*ret)->kind != kind)
                        *ret = NULL;
                return 0;
        }

        return add ? manager_container(units->manager, name, kind, ret) : 0;
}

/* The end of a question, with or without an answer. */
static void fetch_end(Fetch *fetch, sd_bus_message *reply) {
        Units *units = fetch->units;
        Container *container = registry_find(&units->manager->registry, fetch->name);
        ContainerFacts old = {};

        if (container && reply && !sd_bus_message_is_method_error(reply, NULL) &&
            container_facts(container, &old) >= 0) {
                (void) unit_property_read(&container->unit, fetch->property->name, reply);
                manager_container_changed(units->manager, container, &old);
        }
        container_facts_clear(&old);

        if (fetch->callback)
                fetch->callback(fetch->name, fetch->userdata);
        else
                units_answered(units);
        fetch_free(fetch);
}

static void units_advance(Units *units);

static int on_fetched(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Fetch *fetch = userdata, **at;
        Units *units = fetch->units;

        for (at = &units->sent; *at != fetch; at = &(*at)->next)
                ;
        *at = fetch->next;
        units->n_sent--;
        fetch_end(fetch, reply);
        units_advance(units);
        return 0;
}

/* Sends what waits, as many as the bus lets one client have open. */
static void units_advance(Units *units) {
        while (units->waiting && units->n_sent < QUESTIONS_MAX) {
                Fetch *fetch = units->waiting;
                int r;

                units->waiting = fetch->next;
                r = sd_bus_call_method_async(
                                units->manager->bus, &fetch->slot, SYSTEMD, fetch->path, PROPERTIES, "Get",
                                on_fetched, fetch, "ss", fetch->property->interface, fetch->property->name);
                if (r < 0) {
                        fetch_end(fetch, NULL);
                        continue;
                }
                fetch->next = units->sent;
                units->sent = fetch;
                units->n_sent++;
        }
}

static int
units_fetch(Units *units,
            const Container *container,
            const UnitProperty *property,
            UnitsCallback callback,
            void *userdata) {
        _cleanup_(fetch_freep) Fetch *fetch = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        fetch = calloc(1, sizeof *fetch);
        if (!fetch)
                return -ENOMEM;
        *fetch = (Fetch){ .units = units, .property = property, .callback = callback, .userdata = userdata };
        memcpy(fetch->name, container->name, sizeof fetch->name);
        unit_name(container->kind, container->name, unit);
        r = sd_bus_path_encode(SYSTEMD_UNITS, unit, &fetch->path);
        if (r < 0)
                return r;

        if (!callback && !units->ready)
                units->pending++;
        if (!units->waiting)
                units->waiting = fetch;
        else
                units->last_waiting->next = fetch;
        units->last_waiting = TAKE_PTR(fetch);
        units_advance(units);
        return 0;
}

int units_fetch_control_group(
                Units *units, const Container *container, UnitsCallback callback, void *userdata) {
        return units_fetch(units, container, &unit_property_control_group, callback, userdata);
}

int units_fetch_freezer_state(
                Units *units, const Container *container, UnitsCallback callback, void *userdata) {
        return units_fetch(units, container, &unit_property_freezer_state, callback, userdata);
}

static int on_properties_changed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        const char *interface;
        ContainerFacts old = {};
        Container *container;
        int r;

        r = sd_bus_message_read(signal, "s", &interface);
        if (r < 0)
                return 0;
        r = units_container(units, sd_bus_message_get_path(signal), /* add= */ true, &container);
        if (r < 0 || !container)
                return 0;

        r = container_facts(container, &old);
        if (r >= 0 && unit_properties_read(&container->unit, signal) > 0)
                manager_container_changed(units->manager, container, &old);
        container_facts_clear(&old);
        return 0;
}

/* The unit is forgotten by systemd: it is inactive, and what it was last is not told any more. */
static int on_unit_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        ContainerFacts old = {};
        const char *unit, *path;
        Container *container;

        if (units->reloading || sd_bus_message_read(signal, "so", &unit, &path) < 0 ||
            units_container(units, path, /* add= */ false, &container) < 0 || !container)
                return 0;

        if (container_facts(container, &old) >= 0) {
                (void) string_set(&container->unit.active, NULL);
                manager_container_changed(units->manager, container, &old);
        }
        container_facts_clear(&old);
        return 0;
}

static int on_job_removed(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        const char *path, *unit, *result;
        char name[NAME_MAX_LENGTH + 1];
        Container *container;
        UnitKind kind;
        uint32_t id;

        if (sd_bus_message_read(signal, "uoss", &id, &path, &unit, &result) < 0 ||
            unit_name_parse(unit, &kind, name, sizeof name) < 0)
                return 0;
        container = registry_find(&units->manager->registry, name);
        if (!container || container->kind != kind)
                return 0;

        container_note_job_end(container, id, result);
        operations_job_ended(units->manager, container, id);
        return 0;
}

/* Everything that can be asked of one unit. */
static int units_fetch_all(Units *units, const Container *container) {
        int r;

        for (size_t i = 0; i < n_unit_properties; i++) {
                r = units_fetch(units, container, &unit_properties[i], NULL, NULL);
                if (r < 0)
                        return r;
        }

        return units_fetch(units, container, &unit_property_control_group, NULL, NULL);
}

static int units_listed(Units *units, const char *unit, const char *active) {
        char name[NAME_MAX_LENGTH + 1];
        Container *container;
        UnitKind kind;
        int r;

        if (unit_name_parse(unit, &kind, name, sizeof name) < 0 || streq(active, "inactive"))
                return 0;
        r = manager_container(units->manager, name, kind, &container);
        if (r < 0 || container->kind != kind)
                return r;
        container->listed = true;
        r = string_set(&container->unit.active, active);
        if (r < 0)
                return r;

        return units_fetch_all(units, container);
}

/* What is not in the list has ended while nobody told, as units do that systemd forgets during a reload. */
static void units_end_unlisted(Units *units) {
        Registry *registry = &units->manager->registry;

        for (size_t i = registry->n; i-- > 0;) {
                Container *container = registry->containers[i];
                ContainerFacts old = {};

                if (container->listed || !container->unit.active || streq(container->unit.active, "inactive"))
                        continue;
                if (container_facts(container, &old) >= 0) {
                        (void) string_set(&container->unit.active, NULL);
                        manager_container_changed(units->manager, container, &old);
                }
                container_facts_clear(&old);
        }
}

static int on_listed(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        int r;

        if (sd_bus_message_is_method_error(reply, NULL)) {
                (void) fprintf(stderr, SD_ERR "systemd does not list its units: %s\n",
                               sd_bus_message_get_error(reply)->message);
                return sd_event_exit(units->manager->event, -EIO);
        }

        for (size_t i = 0; i < units->manager->registry.n; i++)
                units->manager->registry.containers[i]->listed = false;
        r = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
        while (r >= 0) {
                const char *unit, *active;

                r = sd_bus_message_read(
                                reply, "(ssssssouso)", &unit, NULL, NULL, &active, NULL, NULL, NULL, NULL,
                                NULL, NULL);
                if (r <= 0)
                        break;
                r = units_listed(units, unit, active);
        }
        if (r < 0) {
                (void) fprintf(stderr, SD_ERR "The list of systemd's units cannot be read: %s\n",
                               strerror(-r));
                return sd_event_exit(units->manager->event, r);
        }

        units_end_unlisted(units);
        units_answered(units);
        return 0;
}

/* Subscribes and asks for all: at the beginning, and when another systemd has taken over. */
static int units_begin(Units *units) {
        sd_bus *bus = units->manager->bus;
        int r;

        r = sd_bus_call_method_async(
                        bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe", NULL, NULL, "");
        if (r < 0)
                return r;

        units->list = sd_bus_slot_unref(units->list);
        r = sd_bus_call_method_async(
                        bus, &units->list, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "ListUnitsByPatterns",
                        on_listed, units, "asas", 0, 2, "container@*.service", "container-run-*.service");
        if (r < 0)
                return r;
        if (!units->ready)
                units->pending++;

        return 0;
}

void units_look_again(Units *units) {
        if (units->ready)
                (void) units_begin(units);
}

/* systemctl daemon-reexec: the new one knows of no subscription. */
static int on_systemd_owner(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        const char *name, *before, *after;

        if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0)
                return 0;
        units->reloading = false;

        return !*after || !units->ready ? 0 : units_begin(units);
}

/* systemctl daemon-reload, and all that has systemd do the same: until it is over, units go that are still
 * there. What has changed meanwhile is asked for again. */
static int on_reloading(sd_bus_message *signal, void *userdata, sd_bus_error *error) {
        Units *units = userdata;
        int active;

        if (sd_bus_message_read(signal, "b", &active) < 0)
                return 0;

        units->reloading = active;

        return active || !units->ready ? 0 : units_begin(units);
}

int units_new(Manager *manager, Units **ret) {
        _cleanup_(units_freep) Units *units = NULL;
        const struct {
                const char *rule;
                sd_bus_message_handler_t handler;
        } matches[] = {
                {"type='signal',sender='" SYSTEMD "',interface='" PROPERTIES "',member='PropertiesChanged',"
                  "path_namespace='" SYSTEMD_UNITS "'",
                 on_properties_changed},
                { "type='signal',sender='" SYSTEMD "',interface='" SYSTEMD_MANAGER "',member='JobRemoved',"
                  "path='" SYSTEMD_PATH "'",
                 on_job_removed       },
                { "type='signal',sender='" SYSTEMD "',interface='" SYSTEMD_MANAGER "',member='UnitRemoved',"
                  "path='" SYSTEMD_PATH "'",
                 on_unit_removed      },
                { "type='signal',sender='" SYSTEMD "',interface='" SYSTEMD_MANAGER "',member='Reloading',"
                  "path='" SYSTEMD_PATH "'",
                 on_reloading         },
                { "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',"
                  "member='NameOwnerChanged',arg0='" SYSTEMD "'",
                 on_systemd_owner     },
        };
        int r;

        units = calloc(1, sizeof *units);
        if (!units)
                return -ENOMEM;
        units->manager = manager;

        for (size_t i = 0; i < ELEMENTSOF(matches); i++) {
                r = sd_bus_add_match_async(
                                manager->bus, NULL, matches[i].rule, matches[i].handler, NULL, units);
                if (r < 0)
                        return r;
        }
        r = units_begin(units);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(units);
        return 0;
}
