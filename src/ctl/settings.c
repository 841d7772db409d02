/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of the options that all verbs have; see settings.h.
 */
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "ctl/settings.h"

Settings settings;

/* clang-format off */
const Option settings_options[] = {
        { "help",    'h', OPTION_FLAG, &settings.help,    .help = "this text; after a verb, about the verb" },
        { "version",  0,  OPTION_FLAG, &settings.version, .help = "the version" },
        { "quiet",   'q', OPTION_FLAG, &settings.quiet,   .help = "only tell what went wrong" },
        { "json",     0,  OPTION_FLAG, &settings.json,    .help = "JSON instead of tables and sentences" },
        { "host",    'H', OPTION_TEXT, &settings.host,    "[USER@]HOST[:PORT]", .help = "work on another host, by ssh" },
        { "machine", 'M', OPTION_TEXT, &settings.machine, "NAME",        .help = "work inside of a local container" },
        { "color",    0,  OPTION_TEXT, &settings.color,   "WHEN", true,  "auto, always or never" },
        { "no-pager", 0,  OPTION_FLAG, &settings.no_pager,  .help = "do not pipe output into a pager" },
        { "no-legend", 0, OPTION_FLAG, &settings.no_legend, .help = "tables without headings and totals" },
        { "no-ask-password", 0, OPTION_FLAG, &settings.no_ask_password, .help = "do not ask for passwords" },
        { 0 },
};
/* clang-format on */

char *settings_ssh(void) {
        _cleanup_free_ char *shown = settings.host ? string_escape_unprintable(settings.host) : NULL;
        char *colon = shown ? strchr(shown, ':') : NULL;

        if (!shown || !colon || !colon[1] || colon[1 + strspn(colon + 1, "0123456789")])
                return shown ? string_printf("ssh %s", shown) : NULL;
        *colon = '\0';

        return string_printf("ssh -p %s %s", colon + 1, shown);
}
