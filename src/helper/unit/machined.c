/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/unit/machined.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "helper/unit/cgroup.h"

#define MACHINED_CGROUP CGROUP_ROOT "/system.slice/systemd-machined.service"
#define DESTINATION "org.freedesktop.machine1"
#define MANAGER DESTINATION, "/org/freedesktop/machine1", "org.freedesktop.machine1.Manager"
#define REGISTER_TRIES 400
#define REGISTER_PAUSE_USEC 5000
#define TIMEOUT_USEC (UINT64_C(2) * 1000 * 1000)

/* libsystemd is loaded only when there is somebody to talk to: it would double the time of every other start. */
typedef struct sd_bus sd_bus;
typedef struct sd_bus_message sd_bus_message;
typedef struct Library {
        int (*open_system)(sd_bus **bus);
        int (*set_timeout)(sd_bus *bus, uint64_t usec);
        int (*call_method)(sd_bus *bus, const char *destination, const char *path, const char *interface,
                           const char *member, void *error, sd_bus_message **reply, const char *types, ...);
        int (*read)(sd_bus_message *message, const char *types, ...);
        sd_bus_message *(*unref)(sd_bus_message *message);
        int (*get_string)(sd_bus *bus, const char *destination, const char *path, const char *interface,
                          const char *member, void *error, char **ret);
        sd_bus *(*close)(sd_bus *bus);
} Library;

static int library_load(Library *library) {
        void *handle = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        const struct {
                const char *name;
                void *slot;
        } symbols[] = {
                { "sd_bus_open_system", &library->open_system },
                { "sd_bus_set_method_call_timeout", &library->set_timeout },
                { "sd_bus_call_method", &library->call_method },
                { "sd_bus_message_read", &library->read },
                { "sd_bus_message_unref", &library->unref },
                { "sd_bus_get_property_string", &library->get_string },
                { "sd_bus_flush_close_unref", &library->close },
        };

        if (!handle)
                return -1;

        for (size_t i = 0; i < ELEMENTSOF(symbols); i++) {
                void *symbol = dlsym(handle, symbols[i].name);

                if (!symbol)
                        return -1;
                *(void **) symbols[i].slot = symbol;
        }

        return 0;
}

static int machine_register(const Library *library, sd_bus *bus, const char *name, const uint8_t id[static 16],
                            pid_t leader) {
        return library->call_method(bus, MANAGER, "RegisterMachine", NULL, NULL, "sayssus", name, 16, id[0], id[1],
                                    id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12],
                                    id[13], id[14], id[15], "berth", "container", (uint32_t) leader, "");
}

/* Is the machine of this name our own unit's? Another's name is not taken from it. */
static bool machine_is_ours(const Library *library, sd_bus *bus, UnitKind kind, const char *name) {
        _cleanup_free_ char *unit = NULL;
        char own[UNIT_NAME_SIZE];
        sd_bus_message *reply = NULL;
        const char *path;
        bool ours = false;

        if (library->call_method(bus, MANAGER, "GetMachine", NULL, &reply, "s", name) < 0)
                return false;

        unit_name(kind, name, own);
        if (library->read(reply, "o", &path) > 0 &&
            library->get_string(bus, DESTINATION, path, DESTINATION ".Machine", "Unit", NULL, &unit) >= 0)
                ours = strcmp(unit, own) == 0;

        (void) library->unref(reply);
        return ours;
}

void machined_register(UnitKind kind, const char *name, const char *machine_id, pid_t leader) {
        Library library;
        uint8_t id[16];
        sd_bus *bus;

        if (access(MACHINED_CGROUP, F_OK) < 0)
                return;
        for (size_t i = 0; i < sizeof id; i++)
                if (sscanf(machine_id + 2 * i, "%2hhx", &id[i]) != 1)
                        return;
        if (library_load(&library) < 0 || library.open_system(&bus) < 0)
                return;

        if (library.set_timeout(bus, TIMEOUT_USEC) >= 0 &&
            machine_register(&library, bus, name, id, leader) < 0 &&
            machine_is_ours(&library, bus, kind, name) &&
            library.call_method(bus, MANAGER, "UnregisterMachine", NULL, NULL, "s", name) >= 0)
                /* machined forgets an entry some time after it said so. */
                for (unsigned tries = 0; tries < REGISTER_TRIES; tries++) {
                        if (machine_register(&library, bus, name, id, leader) >= 0)
                                break;
                        (void) usleep(REGISTER_PAUSE_USEC);
                }

        (void) library.close(bus);
}
