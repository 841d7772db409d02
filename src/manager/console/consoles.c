/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/consoles.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "basic/array.h"
#include "basic/string.h"
#include "manager/console/console.h"
#include "manager/console/inlet.h"
#include "manager/console/keep.h"

#define USEC_PER_SEC UINT64_C(1000000)

/* How long a unit that is restarted may be inactive, and how long systemd's signals may be behind a launcher's message,
 * before a console is taken for nobody's. */
#define RESTART_USEC USEC_PER_SEC
#define SETTLE_USEC (5 * USEC_PER_SEC)
#define SWEEP_USEC (USEC_PER_SEC / 2)

#define SOCKET_FDNAME "console"

struct Consoles {
        sd_event *event;
        ConsolesHandler handler;
        int socket; /* until the beginning */
        Inlet *inlet;
        sd_event_source *sweep;
        Console **consoles; /* an ended one is no longer found by its name */
        size_t n;
};

static uint64_t consoles_now(const Consoles *consoles) {
        uint64_t now = 0;

        (void) sd_event_now(consoles->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void consoles_remove(Consoles *consoles, Console *console) {
        for (size_t i = 0; i < consoles->n; i++)
                if (consoles->consoles[i] == console) {
                        array_remove(&consoles->consoles, &consoles->n, sizeof(Console *), i);
                        (void) console_free(console);
                        break;
                }

        if (consoles->n == 0 && consoles->handler.idle)
                consoles->handler.idle(consoles->handler.userdata);
}

static void consoles_on_empty(Console *console, void *userdata) {
        consoles_remove(userdata, console);
}

static Console *consoles_find(const Consoles *consoles, const char *container) {
        for (size_t i = 0; i < consoles->n; i++)
                if (!consoles->consoles[i]->ended && streq(consoles->consoles[i]->name, container))
                        return consoles->consoles[i];

        return NULL;
}

static void consoles_warn(const char *container, int error) {
        (void) fprintf(stderr, SD_WARNING "The console of %s cannot be kept: %s\n", container, strerror(-error));
}

/* Ends a console, and has systemd forget it. */
static void consoles_end(Consoles *consoles, Console *console) {
        (void) kept_remove(KEPT_MASTER, console->name);
        (void) kept_remove(KEPT_RING, console->name);
        if (console_end(console))
                consoles_remove(consoles, console);
}

/* sweep: consoles that may be nobody's */

static void consoles_check_later(Consoles *consoles, Console *console, uint64_t usec) {
        console->check_usec = consoles_now(consoles) + usec;
        (void) sd_event_source_set_time_relative(consoles->sweep, SWEEP_USEC);
        (void) sd_event_source_set_enabled(consoles->sweep, SD_EVENT_ONESHOT);
}

static int consoles_on_sweep(sd_event_source *source, uint64_t usec, void *userdata) {
        Consoles *consoles = userdata;
        uint64_t now = consoles_now(consoles);
        bool more = false;

        for (size_t i = consoles->n; i > 0; i--) {
                Console *console = consoles->consoles[i - 1];

                if (console->check_usec == 0 || console->ended)
                        continue;
                if (console->check_usec > now) {
                        more = true;
                        continue;
                }

                console->check_usec = 0;
                if (!consoles->handler.is_up(console->name, consoles->handler.userdata))
                        consoles_end(consoles, console);
        }

        if (more) {
                (void) sd_event_source_set_time_relative(source, SWEEP_USEC);
                (void) sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
        }
        return 0;
}

/* arrival */

static int consoles_add(Consoles *consoles, const char *container, Console **ret) {
        _cleanup_(console_freep) Console *console = NULL;
        int r;

        if (consoles->n >= CONSOLES_MAX)
                return -EUSERS;

        r = console_new(consoles->event, container, consoles_on_empty, consoles, &console);
        if (r < 0)
                return r;
        r = ARRAY_APPEND(consoles->consoles, consoles->n, console);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(console);
        return 0;
}

/* Shows a new master. The console is ended when it cannot. */
static int consoles_show(Consoles *consoles, Console *console, int fd_take) {
        _cleanup_close_ int fd = fd_take;
        int r;

        if (!console->memory) {
                r = console_make_ring(console);
                if (r < 0)
                        return r;
        }

        r = console_set_master(console, TAKE_FD(fd));
        if (r < 0)
                return r;

        return kept_store(KEPT_MASTER, console->name, console->master);
}

static void consoles_on_arrival(const char *container, int fd_take, void *userdata) {
        _cleanup_close_ int fd = fd_take;
        Consoles *consoles = userdata;
        Console *console = consoles_find(consoles, container);
        int r = 0;

        if (!console)
                r = consoles_add(consoles, container, &console);
        if (r < 0) {
                consoles_warn(container, r);
                return;
        }

        r = consoles_show(consoles, console, TAKE_FD(fd));
        if (r < 0) {
                consoles_warn(container, r);
                consoles_end(consoles, console);
                return;
        }

        consoles_check_later(consoles, console, SETTLE_USEC);
}

/* what the manager before this one held */

int consoles_take(Consoles *consoles, const char *fdname, int fd) {
        char container[NAME_MAX_LENGTH + 1];
        Console *console;
        Kept kind;
        int r;

        if (streq(fdname, SOCKET_FDNAME)) {
                (void) fd_close(consoles->socket);
                consoles->socket = fd;
                return 1;
        }
        if (kept_parse(fdname, &kind, container) < 0)
                return 0;

        console = consoles_find(consoles, container);
        if (!console) {
                r = consoles_add(consoles, container, &console);
                if (r < 0)
                        return r;
        }

        if (kind == KEPT_MASTER) {
                (void) fd_close(console->kept_master);
                console->kept_master = fd;
                return 1;
        }

        r = console_adopt_ring(console, fd);
        (void) fd_close(fd);
        if (r < 0)
                consoles_warn(container, r); /* it gets a new one */
        return 1;
}

int consoles_begin(Consoles *consoles) {
        for (size_t i = consoles->n; i > 0; i--) {
                Console *console = consoles->consoles[i - 1];
                int r = 0, fd = TAKE_FD(console->kept_master);

                if (fd < 0 || !consoles->handler.is_up(console->name, consoles->handler.userdata)) {
                        (void) fd_close(fd);
                        consoles_end(consoles, console);
                        continue;
                }

                r = consoles_show(consoles, console, fd);
                if (r < 0) {
                        consoles_warn(console->name, r);
                        consoles_end(consoles, console);
                }
        }

        return consoles->socket < 0 ? 0
                                    : inlet_new(consoles->event,
                                                TAKE_FD(consoles->socket),
                                                consoles_on_arrival,
                                                consoles,
                                                &consoles->inlet);
}

size_t consoles_count(const Consoles *consoles) {
        return consoles->n;
}

int consoles_attach(Consoles *consoles, const char *container, int *ret_fd) {
        Console *console = consoles_find(consoles, container);
        int r;

        if (!console)
                return CONSOLES_NONE;

        r = console_attach(console, ret_fd);
        return r > 0 ? CONSOLES_MANY_CLIENTS : r;
}

void consoles_forget(Consoles *consoles, const char *container) {
        Console *console = consoles_find(consoles, container);

        if (console)
                consoles_check_later(consoles, console, RESTART_USEC);
}

int consoles_new(sd_event *event, const ConsolesHandler *handler, Consoles **ret) {
        _cleanup_(consoles_freep) Consoles *consoles = NULL;
        int r;

        consoles = malloc(sizeof *consoles);
        if (!consoles)
                return -ENOMEM;
        *consoles = (Consoles) { .event = sd_event_ref(event), .handler = *handler, .socket = -EBADF };

        r = sd_event_add_time_relative(
                        event,
                        &consoles->sweep,
                        CLOCK_MONOTONIC,
                        SWEEP_USEC,
                        0,
                        consoles_on_sweep,
                        consoles);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(consoles->sweep, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(consoles);
        return 0;
}

Consoles *consoles_free(Consoles *consoles) {
        if (!consoles)
                return NULL;

        for (size_t i = 0; i < consoles->n; i++)
                (void) console_free(consoles->consoles[i]);
        free(consoles->consoles);
        (void) inlet_free(consoles->inlet);
        sd_event_source_disable_unref(consoles->sweep);
        (void) fd_close(consoles->socket);
        sd_event_unref(consoles->event);
        free(consoles);
        return NULL;
}
