/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A transient start: its definition and descriptors come on standard input (spec/handover.h) and are then in
 * the unit's descriptor store, where the next start finds them when the guest reboots.
 */
#pragma once

#include "basic/notify.h"
#include "helper/launch/failure.h"
#include "helper/launch/store.h"
#include "spec/definition.h"

/* Takes what was handed over into store->handed, from the store if it is there already, gives it to systemd
 * to keep, and puts /dev/null in the place of standard input. */
int handed_receive(Failure *failure, const Notify *notify, FdStore *store, const char *name);

/* Reads the definition, which is never trusted, and checks it as one of a file. */
int handed_load(Failure *failure, const FdStore *store, const char *name, Definition **ret);
