/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tests of the consoles need around them: an event loop, a listening socket as systemd makes it, a descriptor
 * store as systemd keeps it (fed through $NOTIFY_SOCKET), and pseudo-terminals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "manager/console/consoles.h"

#define STORED_MAX 32
#define STAGE_LIMIT_MSEC 60000 /* how long something may take that happens */

typedef struct Stored {
        char name[96];
        int fd;
} Stored;

typedef struct Stage {
        sd_event *event;
        Consoles *consoles;
        int listener; /* kept, like systemd does */
        char path[64];
        int notify;
        Stored stored[STORED_MAX];
        size_t n_stored;
        unsigned stores; /* how often a console was stored */
        bool up;       /* are the containers up? */
        unsigned idle; /* how often the last console went */
} Stage;

/* A guest's terminal. */
typedef struct Pty {
        int master, slave;
} Pty;

void stage_up(Stage *stage);
void stage_down(Stage *stage);

/* The manager dies and another one takes its place. */
void stage_kill(Stage *stage);
void stage_restart(Stage *stage);

/* Lets the loop turn once, waiting a little if there is nothing to do; brings the store up to date. */
void stage_turn(Stage *stage);

uint64_t milliseconds(void);

/* Turns until CONDITION holds; false if it does not for long. */
#define stage_until(stage, condition)                                          \
        __extension__({                                                        \
                uint64_t _end = milliseconds() + STAGE_LIMIT_MSEC;             \
                bool _holds = (condition);                                     \
                while (!_holds && milliseconds() < _end) {                     \
                        stage_turn(stage);                                     \
                        _holds = (condition);                                  \
                }                                                              \
                _holds;                                                        \
        })

/* The descriptor that systemd keeps under a name, or -ENOENT. */
int stage_stored(const Stage *stage, const char *name);

/* Sends a message like a launcher, with N descriptors. */
void stage_send(const Stage *stage, const void *message, size_t size, const int *fds, size_t n);

/* Hands a console over, and waits until it is there. */
void stage_hand_over(Stage *stage, const char *unit, int master);

Pty pty_new(void);
void pty_close(Pty *pty);

/* The guest writes as much as its terminal takes: how much that was. */
size_t guest_says(const Pty *pty, const char *what, size_t size);
void guest_says_all(Stage *stage, const Pty *pty, const char *what);

/* Waits until the guest has read something. */
bool guest_sees(Stage *stage, const Pty *pty, const char *wanted);

/* What a client has read since it began to wait. */
extern char text[4 * 1024 * 1024];

int attach(Stage *stage, const char *container);
void client_says(int fd, const char *what);

/* Waits until what a client read ends in WANTED, or that its connection ends. */
bool client_sees(Stage *stage, int fd, const char *wanted);
bool client_sees_end(Stage *stage, int fd);

/* What is there to be read from a descriptor, added to a text; false at its end. */
bool read_more(int fd, char *buffer, size_t size);
