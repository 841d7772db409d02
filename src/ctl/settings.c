/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of the options that all verbs have; see settings.h.
 */
#include "ctl/settings.h"

Settings settings;

/* clang-format off */
const Option settings_options[] = {
        { "help",    'h', OPTION_FLAG, &settings.help,    .help = "this text; after a verb, about the verb" },
        { "version",  0,  OPTION_FLAG, &settings.version, .help = "the version" },
        { "quiet",   'q', OPTION_FLAG, &settings.quiet,   .help = "only tell what went wrong" },
        { "json",     0,  OPTION_FLAG, &settings.json,    .help = "JSON instead of tables and sentences" },
        { "host",    'H', OPTION_TEXT, &settings.host,    "[USER@]HOST", .help = "work on another host, by ssh" },
        { "machine", 'M', OPTION_TEXT, &settings.machine, "NAME",        .help = "work inside of a local machine" },
        { "color",    0,  OPTION_TEXT, &settings.color,   "WHEN", true,  "auto, always or never" },
        { "no-pager", 0,  OPTION_FLAG, &settings.no_pager,  .help = "do not pipe output into a pager" },
        { "no-legend", 0, OPTION_FLAG, &settings.no_legend, .help = "tables without headings and totals" },
        { "no-ask-password", 0, OPTION_FLAG, &settings.no_ask_password, .help = "do not ask for passwords" },
        { 0 },
};
/* clang-format on */
