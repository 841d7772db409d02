/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a definition is the unit's business: its description, its resource control, the devices that may be used,
 * the loop devices for a disk image, that there are hooks of its end. The generator writes it as a drop-in of the
 * container's unit when systemd loads its units; a start compares, and has systemd load them again when the
 * definition, or what its devices are, has changed since. So these are unit properties like any others: `systemctl
 * show` tells them, `systemctl set-property` overrides them.
 */
#pragma once

#include <stddef.h>

#include "spec/definition.h"
#include "spec/devices.h"
#include "spec/order.h"

#define DROPIN_DIRECTORY "/run/systemd/generator"
#define DROPIN_NAME "50-berth.conf"
#define DROPIN_ORDER_NAME "50-berth-order.conf"
#define DROPIN_MAX (256 * 1024)

/* Where a managed root may be a disk image, NAME.raw: its container gets loop devices. */
#define DROPIN_IMAGES "/var/lib/berth/images"

/* The text of DROPIN_NAME, with the devices that were found for the definition; *ret is "" if it says nothing of the
 * kind, and there is to be no file. */
int dropin_properties(const Definition *definition, const DeviceNodes *devices, char **ret);

/* The text of DROPIN_ORDER_NAME: after which units this one starts, and a comment on what was left out of
 * that; *ret is
 * "" if there is neither. */
int dropin_order(const Definition *definition, const Order *order, char **ret);
