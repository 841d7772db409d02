/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The options that all verbs have, as they were given on this command line. Set by main() before a verb
 * runs; read by everybody.
 */
#pragma once

#include <stdbool.h>

#include "ctl/options.h"

typedef struct Settings {
        bool help, version;
        bool quiet;             /* only errors are told */
        bool json;              /* for programs: JSON instead of words and tables */
        bool no_pager, no_legend, no_ask_password;
        const char *host;       /* [USER@]HOST[:PORT] to go to by ssh; NULL: this one */
        const char *machine;    /* a local machine or container to go into; NULL: none */
        const char *color;      /* "", "auto", "always", "never", or NULL: not given */
} Settings;

extern Settings settings;
extern const Option settings_options[];

/* How one gets to the other host by hand: "ssh -p PORT USER@HOST", escaped, to be freed. NULL: out of
 * memory, or it is this host. */
char *settings_ssh(void);
