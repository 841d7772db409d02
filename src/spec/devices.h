/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The nodes of the host's /dev that a definition's [Device] sections name, at this moment. Each name is
 * opened once: what is told of a node (its kind, number and mode) is what was opened, and nobody looks at
 * the name again.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "spec/definition.h"

#define DEVICE_DIRECTORY "/dev/"

typedef struct DeviceNode {
        const DeviceSpec *spec;
        char *name;  /* below /dev, on the host and inside */
        mode_t type; /* S_IFCHR or S_IFBLK */
        mode_t mode; /* that it is to have inside */
        dev_t number;
} DeviceNode;

typedef struct DeviceNodes {
        DeviceNode *list;
        size_t n;
} DeviceNodes;

#define DEVICE_NODES_NULL ((DeviceNodes){})

typedef enum DeviceError {
        _DEVICE_E_SUCCESS,
        DEVICE_E_MISSING, /* there is nothing of that name, and the section is not Optional= */
        DEVICE_E_NONE,    /* no device node is in the directory or fits the pattern, and the section is not
                             Optional= */
        DEVICE_E_KIND,    /* it is neither a device node nor a directory */
        DEVICE_E_MANY,    /* more than DEVICE_NODES_MAX nodes */
} DeviceError;

void device_nodes_done(DeviceNodes *nodes);

/* Finds them all; of a node that two sections name, what the later one says. 0, or a negative errno or
 * DeviceError: then *ret_failed is the first section with which something is wrong, and *ret what was found
 * all the same. */
int device_nodes_find(const Definition *definition, DeviceNodes *ret, const DeviceSpec **ret_failed);

/* Is this name below /dev one that every container has for itself? */
bool device_name_is_taken(const char *name);

/* Does the path stand for all nodes that it fits? */
bool device_path_is_pattern(const char *path);
