/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "manager/console/keep.h"

#define USEC_PER_SEC UINT64_C(1000000)
#define TICK_USEC (USEC_PER_SEC / 20)
#define TICK_ACCURACY_USEC (USEC_PER_SEC / 100)

/* What a turn costs at least, however little there was to read, and what a hangup costs. */
#define TURN_COST 256
#define HANGUP_COST 4096

/* What is left in a pty when nobody writes to it any more is far less. */
#define LEFT_MAX (256 * 1024)

#define RING_MEMORY_SIZE (RING_HEADER_SIZE + CONSOLE_RING_SIZE)

static uint64_t console_now(const Console *console) {
        uint64_t now = 0;

        (void) sd_event_now(console->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void console_wait_tick(Console *console) {
        (void) sd_event_source_set_time_relative(console->tick, TICK_USEC);
        (void) sd_event_source_set_enabled(console->tick, SD_EVENT_ONESHOT);
}

/* budget */

static void console_refill(Console *console) {
        uint64_t now = console_now(console), elapsed = now - console->budget_usec;

        console->budget_usec = now;
        if (elapsed > USEC_PER_SEC)
                elapsed = USEC_PER_SEC;
        console->budget += (int64_t) (elapsed * CONSOLE_RATE / USEC_PER_SEC);
        if (console->budget > CONSOLE_BURST)
                console->budget = CONSOLE_BURST;
}

static void console_spend(Console *console, size_t cost) {
        console->budget -= (int64_t) cost;
        if (console->budget > 0)
                return;

        (void) sd_event_source_set_enabled(console->io, SD_EVENT_OFF);
        console_wait_tick(console);
}

/* output */

static void console_flush(Console *console) {
        for (Client *client = console->clients; client; client = client->next)
                (void) client_flush(client);
}

/* Reads at most MAX bytes into the ring: 1 if there may be more, 0 if there is nothing now, -EIO: the other end was
 * hung up. RET_SIZE: how many it were. */
static int console_read(Console *console, size_t max, size_t *ret_size) {
        char buffer[4096];
        int r = 1;

        *ret_size = 0;
        while (r > 0 && *ret_size < max) {
                ssize_t n = read(console->master, buffer, sizeof buffer);

                if (n > 0) {
                        ring_append(&console->ring, buffer, (size_t) n);
                        *ret_size += (size_t) n;
                } else if (n < 0 && errno == EAGAIN)
                        r = 0;
                else if (n == 0 || errno != EINTR)
                        r = -EIO;
        }

        if (*ret_size > 0)
                console_flush(console);
        return r;
}

/* A guest may hang up its own terminal (vhangup(2)), and does so before a login: then this end is dead, too. */
static int console_open_peer(Console *console) {
        int fd;

        console->peer = fd_close(console->peer);
        fd = ioctl(console->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;

        console->peer = fd;
        return 0;
}

static int console_on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Console *console = userdata;
        size_t n;
        int r;

        console_refill(console);

        r = console_read(console, CONSOLE_DISPATCH_SIZE, &n);
        if (r < 0)
                n += console_open_peer(console) < 0 ? CONSOLE_BURST + CONSOLE_RATE : HANGUP_COST;

        console_spend(console, n > TURN_COST ? n : TURN_COST);
        return 0;
}

static void console_close_master(Console *console) {
        console->io = sd_event_source_disable_unref(console->io);
        console->peer = fd_close(console->peer);
        console->master = fd_close(console->master);
}

/* Reads what is left in the pty, and closes it. */
static void console_take_rest(Console *console) {
        size_t n;

        if (console->master >= 0)
                (void) console_read(console, LEFT_MAX, &n);
        console_close_master(console);
}

/* input */

static bool console_input(Console *console) {
        bool all = true;

        if (console->master < 0)
                return true;

        for (Client *client = console->clients; client; client = client->next)
                all = client_input(client, console->master) && all;

        return all;
}

static void console_on_input(void *userdata) {
        Console *console = userdata;

        if (!console_input(console))
                console_wait_tick(console);
}

/* clients */

static void console_drop(Console *console, Client *client) {
        for (Client **p = &console->clients; *p; p = &(*p)->next)
                if (*p == client) {
                        *p = client->next;
                        console->n_clients--;
                        (void) client_free(client);
                        break;
                }
}

static void console_on_gone(Client *client, void *userdata) {
        Console *console = userdata;

        console_drop(console, client);
        if (console->ended && !console->clients)
                console->empty(console, console->userdata);
}

int console_attach(Console *console, int *ret_fd) {
        Client *client;
        int r;

        if (console->n_clients >= CONSOLE_CLIENTS_MAX)
                return 1;

        r = client_new(console->event, &console->ring, &console->handler, &client, ret_fd);
        if (r < 0)
                return r;

        client->next = console->clients;
        console->clients = client;
        console->n_clients++;
        (void) client_flush(client);
        return 0;
}

/* Cuts off those who should have read the rest by now. */
static void console_cut_off(Console *console) {
        console->linger_usec = 0;

        while (console->clients)
                console_drop(console, console->clients);
}

/* the whole */

static int console_on_tick(sd_event_source *source, uint64_t usec, void *userdata) {
        Console *console = userdata;
        bool again = false;

        console_refill(console);
        if (console->io) {
                if (console->budget > 0)
                        (void) sd_event_source_set_enabled(console->io, SD_EVENT_ON);
                else
                        again = true;
        }
        if (!console_input(console))
                again = true;
        if (console->linger_usec > 0) {
                if (console_now(console) >= console->linger_usec)
                        console_cut_off(console);
                else
                        again = true;
        }

        if (again)
                console_wait_tick(console);
        else if (console->ended && !console->clients)
                console->empty(console, console->userdata);
        return 0;
}

bool console_end(Console *console) {
        console_take_rest(console);
        console->ended = true;

        for (Client *client = console->clients, *next; client; client = next) {
                next = client->next;
                if (client_finish(client))
                        console_drop(console, client);
        }
        if (!console->clients)
                return true;

        console->linger_usec = console_now(console) + CONSOLE_LINGER_USEC;
        console_wait_tick(console);
        return false;
}

int console_new(
                sd_event *event,
                const char *container,
                void (*empty)(Console *console, void *userdata),
                void *userdata,
                Console **ret) {
        _cleanup_(console_freep) Console *console = NULL;
        int r;

        console = malloc(sizeof *console);
        if (!console)
                return -ENOMEM;
        *console = (Console) {
                .event = sd_event_ref(event),
                .master = -EBADF,
                .peer = -EBADF,
                .kept_master = -EBADF,
                .budget = CONSOLE_BURST,
                .handler = { console_on_input, console_on_gone, console },
                .empty = empty,
                .userdata = userdata,
        };
        (void) snprintf(console->name, sizeof console->name, "%s", container);

        r = sd_event_add_time_relative(
                        event,
                        &console->tick,
                        CLOCK_MONOTONIC,
                        TICK_USEC,
                        TICK_ACCURACY_USEC,
                        console_on_tick,
                        console);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(console->tick, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(console);
        return 0;
}

Console *console_free(Console *console) {
        if (!console)
                return NULL;

        while (console->clients)
                console_drop(console, console->clients);
        console_close_master(console);
        console->kept_master = fd_close(console->kept_master);
        sd_event_source_disable_unref(console->tick);
        if (console->memory)
                (void) munmap(console->memory, RING_MEMORY_SIZE);
        sd_event_unref(console->event);
        free(console);
        return NULL;
}

int console_adopt_ring(Console *console, int fd) {
        void *memory;
        int r;

        if (console->memory)
                return -EEXIST;
        r = kept_memory_map(fd, RING_MEMORY_SIZE, &memory);
        if (r < 0)
                return r;
        r = ring_adopt(&console->ring, memory, RING_MEMORY_SIZE);
        if (r < 0) {
                (void) munmap(memory, RING_MEMORY_SIZE);
                return r;
        }

        console->memory = memory;
        return 0;
}

int console_make_ring(Console *console) {
        _cleanup_close_ int fd = -EBADF;
        void *memory;
        int r;

        r = kept_memory_new(RING_MEMORY_SIZE, &fd);
        if (r < 0)
                return r;
        r = kept_memory_map(fd, RING_MEMORY_SIZE, &memory);
        if (r < 0)
                return r;

        console->memory = memory;
        ring_init(&console->ring, memory, RING_MEMORY_SIZE);
        return kept_store(KEPT_RING, console->name, fd);
}

int console_set_master(Console *console, int fd_take) {
        _cleanup_close_ int fd = fd_take;
        int r, nonblocking = 1;

        if (ioctl(fd, FIONBIO, &nonblocking) < 0)
                return -errno;

        console_take_rest(console);

        r = sd_event_add_io(console->event, &console->io, fd, EPOLLIN, console_on_io, console);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(console->io, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;

        console->master = TAKE_FD(fd);
        (void) console_open_peer(console); /* when the pty hangs up it is tried again */
        return 0;
}
