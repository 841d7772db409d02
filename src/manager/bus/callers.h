/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Everybody who called since the service began and is still on the bus: the uid behind each unique name, asked from
 * the bus once, and the calls that wait for something. A waiting call is kept with its message; to run it again, the
 * message is put back into the connection's queue and so reaches its handler as if it had just come.
 *
 * A call that is held belongs to its caller. It is freed when its handler has been run again and did not hold it once
 * more, when the caller leaves the bus, or with the table; whatever was attached to it is freed with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct Callers Callers;
typedef struct Caller Caller;

typedef struct HeldCall {
        sd_bus_message *message;
        Caller *caller; /* NULL: has left the bus */
        enum {
                HELD_WAITING,
                HELD_QUEUED,  /* its message lies in the connection's queue */
                HELD_RUNNING, /* its handler is being run again */
        } state;
        void *attached; /* what it waits for, if not for the caller's uid */
        void (*attached_free)(void *attached);
        struct HeldCall *next;
} HeldCall;

int callers_new(sd_bus *bus, Callers **ret);
Callers *callers_free(Callers *callers);

size_t callers_count(const Callers *callers);
void callers_on_gone(Callers *callers, void (*gone)(const char *unique_name, void *userdata), void *userdata);

/* As sender_uid() and sender_uid_known() of manager/bus/authorize.h. */
int callers_uid(Callers *callers, sd_bus_message *call, uid_t *ret_uid, sd_bus_error *ret_error);
int callers_uid_known(const Callers *callers, sd_bus_message *call, uid_t *ret_uid);

/* The call as it is held, NULL if it is not. */
HeldCall *callers_find_held(const Callers *callers, sd_bus_message *call);

/* Holds a call; one that is held already waits again. -ENOTCONN if its caller is not there, or a limit: then the error
 * is set. */
int callers_hold(Callers *callers, sd_bus_message *call, HeldCall **ret, sd_bus_error *ret_error);

/* What a call waited for is there: its handler is to be run again. */
void held_call_resume(Callers *callers, HeldCall *held);
