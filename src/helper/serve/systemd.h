/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The connection to systemd, process 1, itself: its private socket needs no D-Bus daemon and takes root
 * alone. It is made when something is to be asked and given up when nobody waits for an answer any more, so
 * that systemd's signals, which come on it without being asked for, wake nobody.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#define SYSTEMD_MANAGER_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER "org.freedesktop.systemd1.Manager"

typedef struct Systemd {
        sd_event *event; /* not owned */
        sd_bus *bus;     /* NULL: not connected */
} Systemd;

/* A method call, after connecting if need be. */
int systemd_new_call(
                Systemd *systemd,
                const char *path,
                const char *interface,
                const char *member,
                sd_bus_message **ret);

/* Sends it. The answer, or an error that stands for one that does not come, goes to ANSWER. */
int systemd_send(
                Systemd *systemd,
                sd_bus_message *call,
                uint64_t timeout_usec,
                sd_bus_message_handler_t answer,
                void *userdata,
                sd_bus_slot **ret);

void systemd_disconnect(Systemd *systemd);
