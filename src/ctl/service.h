/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The service as verbs use it: a connection to where the options say, names by what the service lists, and one way of
 * telling that a call failed. All return an ExitStatus and have said on stderr what is wrong when it is not fine.
 */
#pragma once

#include "basic/cleanup.h"
#include "client/include/berth.h"
#include "ctl/options.h"

static inline void berth_closep(berth **connection) {
        (void) berth_close(*connection);
}

/* Connects to the service of this host, or of --host= or --machine=. Calls may have the user asked for a password, by
 * an agent that is started here; and they wait as long as it takes. */
int service_open(berth **ret_connection);

/* The names that the words mean, patterns among all containers that the service lists; freed with strv_free(). "*"
 * stands for no slash: a user's containers are fitted by a pattern that has one. */
int service_names(berth *connection, char *const *words, size_t n, char ***ret_names);

/* Whether there is something for each word in a list of all containers, for verbs that show what they choose of it. */
int service_check_words(berth_status *const *list, const Arguments *arguments);

/* Says that a call of libberth failed with R: "berthctl: cannot DOING NAME: why", and what may be done next. NAME may
 * be NULL. Returns the status that goes with the error. */
int service_failed(const berth *connection, int r, const char *doing, const char *name);
