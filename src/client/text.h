/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names and values in what the service sends. Nothing of it is believed: a name that breaks the rule of
 * containers' names, or an object that is no container, is -EBADMSG.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>

/* "web", or "1000/web". */
bool full_name_is_valid(const char *name);

/* The path of a container's object; -EINVAL if the name is none. */
int path_of_name(const char *name, char **ret_path);

/* The container that an object is. */
int name_of_path(const char *path, char **ret_name);

/* What berth_get_property() gives for the next value of MESSAGE, which may be a variant. */
int value_text(sd_bus_message *message, char **ret_text);
