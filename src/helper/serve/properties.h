/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Resource properties between people and systemd's D-Bus interface: named and written as in [Resources], or
 * named and typed as systemd's own interface has them, checked by the rules for definitions that nobody
 * trusts, and typed for systemd. A manager cannot prove that root asked it; so what only root may write is
 * not for these functions to grant: it belongs into a definition file, or into `systemctl set-property`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "basic/macro.h"

#define PROPERTY_WHY_SIZE 512
#define PROPERTY_BYTES_MAX 1024 /* of a set of processors: 8192 of them */

typedef struct Property {
        const char *name; /* systemd's */
        char type;        /* 'b', 's', 't', 'u', or 'y' for an array of bytes */
        uint64_t number;  /* also a boolean */
        const char *word;
        uint8_t bytes[PROPERTY_BYTES_MAX]; /* bit N of them is number N of a set */
        size_t n_bytes;
} Property;

typedef enum PropertyError {
        _PROPERTY_E_SUCCESS,
        PROPERTY_E_UNKNOWN, /* no property of that name can be changed while a container runs */
        PROPERTY_E_VALUE,   /* it does not take that value */
        PROPERTY_E_LIMIT,   /* only a definition that root wrote may go that far */
        PROPERTY_E_ROOT,    /* only a definition that root wrote may set it */
} PropertyError;

/* A value that has been through the definition's parser and policy, as systemd takes it. -EINVAL for any
 * other. */
int property_convert(const char *name, const char *value, Property *ret);

/* NAME as in [Resources], VALUE as there; an empty one stands for the default, where there is one. 0,
 * -ENOMEM, or a PropertyError and WHY, a sentence. */
int property_parse(const char *name, const char *value, Property *ret, char why[static PROPERTY_WHY_SIZE]);

/* Reads one (sv): a string as above, or the type that systemd has for that property, then under systemd's
 * name as well. As above, and -EBADMSG. */
int property_read(sd_bus_message *message, Property *ret, char why[static PROPERTY_WHY_SIZE]);

/* Appends one (sv). */
int property_append(sd_bus_message *message, const Property *property);
