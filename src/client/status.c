/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "basic/array.h"
#include "basic/string.h"
#include "client/container.h"
#include "client/error.h"
#include "client/text.h"

/* Where a property goes, which has a basic type. */
typedef struct StatusField {
        const char *property;
        char type;
        size_t offset;
} StatusField;

/* clang-format off */
static const StatusField fields[] = {
        { "State",         's', offsetof(berth_status, state)          },
        { "Owner",         'u', offsetof(berth_status, owner)          },
        { "Unit",          's', offsetof(berth_status, unit)           },
        { "Leader",        'u', offsetof(berth_status, leader)         },
        { "ControlGroup",  's', offsetof(berth_status, control_group)  },
        { "StartedUSec",   't', offsetof(berth_status, started_usec)   },
        { "ExitStatus",    'i', offsetof(berth_status, exit_status)    },
        { "LastError",     's', offsetof(berth_status, last_error)     },
        { "MemoryCurrent", 't', offsetof(berth_status, memory_current) },
        { "MemoryPeak",    't', offsetof(berth_status, memory_peak)    },
        { "CPUUsageNSec",  't', offsetof(berth_status, cpu_usage_nsec) },
        { "TasksCurrent",  't', offsetof(berth_status, tasks_current)  },
        { "IOReadBytes",   't', offsetof(berth_status, io_read_bytes)  },
        { "IOWriteBytes",  't', offsetof(berth_status, io_write_bytes) },
};
/* clang-format on */

berth_status *berth_status_free(berth_status *status) {
        if (!status)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (fields[i].type == 's')
                        free(*(char **) (void *) ((char *) status + fields[i].offset));
        for (size_t i = 0; i < status->n_pressure; i++)
                free(status->pressure[i].resource);
        free(status->pressure);
        free(status->name);
        free(status);

        return NULL;
}

static berth_status *status_new(const char *path, int *ret_error) {
        berth_status *status = calloc(1, sizeof *status);

        *ret_error = -ENOMEM;
        if (!status)
                return NULL;
        *ret_error = name_of_path(path, &status->name);
        if (*ret_error < 0)
                return berth_status_free(status);

        status->memory_current = status->memory_peak = status->cpu_usage_nsec = status->tasks_current =
                        status->io_read_bytes = status->io_write_bytes = BERTH_UNKNOWN;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (fields[i].type == 's' &&
                    string_set((void *) ((char *) status + fields[i].offset), "") < 0) {
                        *ret_error = -ENOMEM;
                        return berth_status_free(status);
                }

        return status;
}

/* Reads an a(sdddt) in a variant. */
static int pressure_read(sd_bus_message *message, berth_status *status) {
        const char *resource;
        berth_pressure one;
        int r;

        if (status->n_pressure > 0) /* twice */
                return -EBADMSG;
        r = sd_bus_message_enter_container(message, 'v', "a(sdddt)");
        if (r >= 0)
                r = sd_bus_message_enter_container(message, 'a', "(sdddt)");
        while (r >= 0 && (r = sd_bus_message_read(
                                          message, "(sdddt)", &resource, &one.last10, &one.last60,
                                          &one.last300, &one.total_usec)) > 0) {
                one.resource = strdup(resource);
                r = one.resource ? ARRAY_APPEND(status->pressure, status->n_pressure, one) : -ENOMEM;
                if (r < 0)
                        free(one.resource);
        }
        if (r >= 0)
                r = sd_bus_message_exit_container(message);

        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int field_read(sd_bus_message *message, const StatusField *field, berth_status *status) {
        void *place = (char *) status + field->offset;
        const char type[] = { field->type, '\0' };
        const char *text;
        int r;

        r = sd_bus_message_enter_container(message, 'v', type);
        if (r <= 0)
                return r < 0 ? r : -EBADMSG;
        if (field->type == 's') {
                r = sd_bus_message_read_basic(message, 's', &text);
                if (r >= 0)
                        r = string_set(place, text);
        } else
                r = sd_bus_message_read_basic(message, field->type, place);

        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int property_read(sd_bus_message *message, berth_status *status) {
        const char *property;
        int r;

        r = sd_bus_message_read(message, "s", &property);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(fields[i].property, property))
                        return field_read(message, fields + i, status);
        if (streq(property, "Pressure"))
                return pressure_read(message, status);

        return sd_bus_message_skip(message, "v");
}

int status_read(sd_bus_message *message, const char *path, berth_status **ret) {
        _cleanup_(berth_status_freep) berth_status *status = NULL;
        int r;

        status = status_new(path, &r);
        if (!status)
                return r;

        r = sd_bus_message_enter_container(message, 'a', "{sv}");
        while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
                r = property_read(message, status);
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

int berth_get_status(berth *connection, const char *name, berth_status **ret_status) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        r = connection_enter(connection);
        if (r < 0)
                return r;

        r = container_path(name, &path);
        if (r >= 0)
                r = container_missing(
                                connection, name,
                                connection_call_method(
                                                connection, path, "org.freedesktop.DBus.Properties",
                                                "GetAll", &reply, "s", SERVICE_CONTAINER));
        if (r >= 0) {
                r = status_read(reply, path, ret_status);
                if (r < 0)
                        r = error_reply(r, "GetAll");
        }
        reply = sd_bus_message_unref(reply);

        return connection_leave(connection, r);
}
