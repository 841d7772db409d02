/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The events of a connection: signals of the service turned into a queue. Signals count only if they are
 * from the process that owns the service's name: others can send what looks the same. All are called with
 * the lock held.
 */
#pragma once

#include "client/connection.h"

/* Hands what is in the queue to the handler, if there is one, without the lock. */
void watch_handle(berth *connection);

/* Frees all that berth_watch() and events took. */
void watch_end(berth *connection);
