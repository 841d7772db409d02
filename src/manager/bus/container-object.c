/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interface org.berth.container1.Container, on one object for each container. The objects are not kept:
 * sd-bus asks for the container when a call comes.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/cleanup.h"
#include "basic/macro.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "manager/bus/announce.h"
#include "manager/bus/authorize.h"
#include "manager/bus/objects.h"
#include "manager/bus/verbs.h"
#include "manager/counters.h"
#include "manager/definitions.h"
#include "spec/load.h"

#define HOST_UID 0

#define GETTER(name)                                                                                        \
        static int get_##name(                                                                              \
                        sd_bus *bus, const char *path, const char *interface, const char *property,         \
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)

GETTER(name) {
        return sd_bus_message_append(reply, "s", ((const Container *) userdata)->name);
}

GETTER(state) {
        return sd_bus_message_append(reply, "s", container_state_word(container_state(userdata)));
}

GETTER(owner) {
        return sd_bus_message_append(reply, "u", HOST_UID);
}

GETTER(unit) {
        const Container *container = userdata;
        char unit[UNIT_NAME_SIZE];

        unit_name(container->kind, container->name, unit);
        return sd_bus_message_append(reply, "s", unit);
}

GETTER(leader) {
        return sd_bus_message_append(reply, "u", container_leader(userdata));
}

GETTER(control_group) {
        return sd_bus_message_append(reply, "s", container_control_group(userdata));
}

GETTER(started) {
        return sd_bus_message_append(reply, "t", container_started(userdata));
}

GETTER(exit_status) {
        return sd_bus_message_append(reply, "i", container_exit_status(userdata));
}

GETTER(last_error) {
        return sd_bus_message_append(reply, "s", container_last_error(userdata));
}

GETTER(definition) {
        const Container *container = userdata;
        _cleanup_free_ char *text = NULL;
        uid_t caller;
        int r;

        if (sender_uid_known(container->manager->authorizer, sd_bus_get_current_message(bus), &caller) < 0 ||
            caller != HOST_UID)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_ACCESS_DENIED,
                                "The definition of container %s is for its owner and for root",
                                container->name);

        r = definition_text(container->name, &text);
        if (r > 0)
                return sd_bus_error_set(error, BUS_NAME ".Error.InvalidDefinition", text);
        if (r < 0)
                return r;

        return sd_bus_message_append(reply, "s", text);
}

/* The counters' getters read one file each: GetAll of a container costs as much as reading them at once. */
static void read_counters(const Container *container, unsigned which, Counters *ret) {
        _cleanup_close_ int group = -EBADF;

        if (container_is_up(container) && container->unit.control_group)
                group = control_group_open(container->unit.control_group);
        counters_read(group, which, ret);
}

static const struct {
        const char *property;
        unsigned set;
        size_t offset;
} counters[] = {
        {"MemoryCurrent", COUNTERS_MEMORY,      offsetof(Counters, memory_current)},
        { "MemoryPeak",   COUNTERS_MEMORY_PEAK, offsetof(Counters, memory_peak)   },
        { "CPUUsageNSec", COUNTERS_CPU,         offsetof(Counters, cpu_usage_nsec)},
        { "TasksCurrent", COUNTERS_TASKS,       offsetof(Counters, tasks_current) },
        { "IOReadBytes",  COUNTERS_IO,          offsetof(Counters, io_read_bytes) },
        { "IOWriteBytes", COUNTERS_IO,          offsetof(Counters, io_write_bytes)},
};

GETTER(counter) {
        uint64_t value = COUNTER_UNKNOWN;

        for (size_t i = 0; i < ELEMENTSOF(counters); i++) {
                Counters read;

                if (!streq(property, counters[i].property))
                        continue;
                read_counters(userdata, counters[i].set, &read);
                memcpy(&value, (const char *) &read + counters[i].offset, sizeof value);
        }

        return sd_bus_message_append(reply, "t", value);
}

GETTER(pressure) {
        Counters read;
        int r;

        read_counters(userdata, COUNTERS_PRESSURE, &read);
        r = sd_bus_message_open_container(reply, 'a', "(sdddt)");
        for (PressureResource resource = 0; r >= 0 && resource < _PRESSURE_N; resource++) {
                const Pressure *pressure = &read.pressure[resource];

                if (pressure->there)
                        r = sd_bus_message_append(
                                        reply, "(sdddt)", pressure_resource_name(resource), pressure->avg10,
                                        pressure->avg60, pressure->avg300, pressure->total_usec);
        }
        if (r < 0)
                return r;

        return sd_bus_message_close_container(reply);
}

static int method_start(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_start(container->manager, container, call, error);
}

static int method_stop(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;
        uint64_t timeout_usec;
        int r;

        r = sd_bus_message_read(call, "t", &timeout_usec);
        return r < 0 ? r : verb_stop(container->manager, container, call, timeout_usec, error);
}

static int method_restart(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_restart(container->manager, container, call, error);
}

static int method_remove(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_remove(container->manager, container, call, error);
}

static int method_kill(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;
        const char *whom;
        int32_t number;
        int r;

        r = sd_bus_message_read(call, "si", &whom, &number);
        return r < 0 ? r : verb_kill(container->manager, container, call, whom, number, error);
}

static int method_open_console(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_open_console(container->manager, container, call, error);
}

static int method_freeze(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_freeze(container->manager, container, call, error);
}

static int method_thaw(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_thaw(container->manager, container, call, error);
}

static int method_set_properties(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_set_properties(container->manager, container, call, error);
}

static int method_open_root(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container = userdata;

        return verb_open_root(container->manager, container, call, error);
}

/* clang-format off */
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED /* who may is for verb_authorize() to say */
#define CHANGING SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONSTANT SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Name", "s", get_name, 0, CONSTANT),
        SD_BUS_PROPERTY("State", "s", get_state, 0, CHANGING),
        SD_BUS_PROPERTY("Owner", "u", get_owner, 0, CONSTANT),
        SD_BUS_PROPERTY("Unit", "s", get_unit, 0, CONSTANT),
        SD_BUS_PROPERTY("Leader", "u", get_leader, 0, CHANGING),
        SD_BUS_PROPERTY("ControlGroup", "s", get_control_group, 0, CHANGING),
        SD_BUS_PROPERTY("Definition", "s", get_definition, 0,
                        SD_BUS_VTABLE_PROPERTY_EMITS_INVALIDATION | SD_BUS_VTABLE_PROPERTY_EXPLICIT),
        SD_BUS_PROPERTY("StartedUSec", "t", get_started, 0, CHANGING),
        SD_BUS_PROPERTY("ExitStatus", "i", get_exit_status, 0, CHANGING),
        SD_BUS_PROPERTY("LastError", "s", get_last_error, 0, CHANGING),
        SD_BUS_PROPERTY("MemoryCurrent", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("MemoryPeak", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("CPUUsageNSec", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("TasksCurrent", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("IOReadBytes", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("IOWriteBytes", "t", get_counter, 0, 0),
        SD_BUS_PROPERTY("Pressure", "a(sdddt)", get_pressure, 0, 0),
        SD_BUS_METHOD_WITH_ARGS("Start", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_start, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Stop", SD_BUS_ARGS("t", timeout_usec), SD_BUS_NO_RESULT, method_stop, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Restart", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_restart, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Remove", SD_BUS_ARGS("a{sv}", options), SD_BUS_NO_RESULT, method_remove, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Kill", SD_BUS_ARGS("s", whom, "i", signal), SD_BUS_NO_RESULT, method_kill, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("OpenConsole", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", console),
                                method_open_console, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Freeze", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_freeze, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Thaw", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_thaw, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("SetProperties", SD_BUS_ARGS("b", runtime, "a(sv)", properties), SD_BUS_NO_RESULT,
                                method_set_properties, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("OpenRoot", SD_BUS_NO_ARGS, SD_BUS_RESULT("h", root), method_open_root, ANYBODY),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

static int
find_container(sd_bus *bus,
               const char *path,
               const char *interface,
               void *userdata,
               void **ret_found,
               sd_bus_error *error) {
        Manager *manager = userdata;
        _cleanup_free_ char *name = NULL;
        Container *container;
        int r;

        r = sd_bus_path_decode(path, BUS_CONTAINERS, &name);
        if (r <= 0)
                return r;
        container = manager_find(manager, name);
        if (!container || !container->announced)
                return 0;

        *ret_found = container;
        return 1;
}

static int enumerate_containers(
                sd_bus *bus, const char *prefix, void *userdata, char ***ret_nodes, sd_bus_error *error) {
        const Manager *manager = userdata;
        _cleanup_(strv_freep) char **nodes = NULL;
        size_t n = 0;
        int r;

        nodes = calloc(manager->registry.n + 1, sizeof nodes[0]);
        if (!nodes)
                return -ENOMEM;
        for (size_t i = 0; i < manager->registry.n; i++) {
                if (!manager->registry.containers[i]->announced)
                        continue;
                r = container_path(manager->registry.containers[i], &nodes[n]);
                if (r < 0)
                        return r;
                n++;
        }

        *ret_nodes = TAKE_PTR(nodes);
        return 0;
}

int container_objects_add(Manager *manager) {
        int r;

        r = sd_bus_add_fallback_vtable(
                        manager->bus, NULL, BUS_CONTAINERS, BUS_CONTAINER_INTERFACE, vtable, find_container,
                        manager);
        if (r < 0)
                return r;

        return sd_bus_add_node_enumerator(manager->bus, NULL, BUS_CONTAINERS, enumerate_containers, manager);
}
