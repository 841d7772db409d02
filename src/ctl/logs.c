/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl logs: journalctl(1) for containers' units, run by and as the caller: what one may not read with it, one
 * may not read here. It has its own pager and colours. The service is not needed, nor that the container is still
 * there.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/names.h"
#include "ctl/process.h"
#include "ctl/settings.h"
#include "ctl/verb.h"
#include "spec/name.h"

static bool follow, reverse;
static const char *lines, *since, *until, *boot, *output;

/* Adds OPTION and VALUE in one word, unless there is no value. */
static int append_option(char ***argv, const char *option, const char *value) {
        return value ? strv_append_take(argv, string_printf("%s%s", option, value)) : 0;
}

/* A container has its log in one of two units; journalctl takes patterns as we do. */
static int append_units(char ***argv, const char *word) {
        _cleanup_free_ char *name = name_from_word(word);

        if (!name)
                return -ENOMEM;
        if (!container_name_is_valid(name) && (!name_is_pattern(name) || strchr(name, '/')))
                return report_name(name);

        if (strv_append_take(argv, string_printf("--unit=container@%s.service", name)) < 0 ||
            strv_append_take(argv, string_printf("--unit=container-run-%s.service", name)) < 0)
                return -ENOMEM;

        return 0;
}

static int build(const Arguments *arguments, char ***ret_argv) {
        _cleanup_(strv_freep) char **argv = NULL;
        int r;

        r = strv_append(&argv, "journalctl");
        for (size_t i = 0; r == 0 && i < arguments->n; i++)
                r = append_units(&argv, arguments->words[i]);
        if (r != 0)
                return r;

        if (append_option(&argv, "--machine=", settings.machine) < 0 ||
            append_option(&argv, "--follow", follow ? "" : NULL) < 0 ||
            append_option(&argv, "--reverse", reverse ? "" : NULL) < 0 ||
            append_option(&argv, "--lines=", lines) < 0 ||
            append_option(&argv, "--since=", since) < 0 ||
            append_option(&argv, "--until=", until) < 0 ||
            append_option(&argv, boot && *boot ? "--boot=" : "--boot", boot) < 0 ||
            append_option(&argv, "--output=", output ?: settings.json ? "json" : NULL) < 0 ||
            append_option(&argv, "--quiet", settings.quiet ? "" : NULL) < 0 ||
            append_option(&argv, "--no-pager", settings.no_pager ? "" : NULL) < 0)
                return -ENOMEM;

        *ret_argv = TAKE_PTR(argv);
        return 0;
}

static int run(const Arguments *arguments) {
        _cleanup_(strv_freep) char **argv = NULL;
        int r;

        if (settings.host) {
                _cleanup_free_ char *ssh = settings_ssh();

                fprintf(stderr, "berthctl: another host's log is read there: %s berthctl logs NAME\n",
                        ssh ?: "ssh");
                return STATUS_USAGE;
        }

        r = build(arguments, &argv);
        if (r != 0)
                return r < 0 ? report_errno(r, "cannot call journalctl") : r;

        if (settings.color && !streq(settings.color, "auto"))
                (void) setenv("SYSTEMD_COLORS", streq(settings.color, "never") ? "0" : "1", 1);
        (void) fflush(stdout);
        r = process_run(argv);
        if (r < 0)
                return report_errno(r, "cannot run journalctl");
        /* journalctl(1) has no good words for that. */
        for (size_t i = 0; r > 0 && i < arguments->n; i++)
                if (name_is_pattern(arguments->words[i])) {
                        fputs("perhaps the journal has nothing of a container that the pattern fits\n", stderr);
                        break;
                }

        return r == 0 ? STATUS_FINE : STATUS_FAILED;
}

/* clang-format off */
static const Option options[] = {
        { "follow",  'f', OPTION_FLAG, &follow, .help = "go on as lines come" },
        { "lines",   'n', OPTION_TEXT, &lines, "N", .help = "only the last N lines" },
        { "since",   'S', OPTION_TEXT, &since, "TIME", .help = "from then on, as systemd.time(7) has times" },
        { "until",   'U', OPTION_TEXT, &until, "TIME", .help = "up to then" },
        { "boot",    'b', OPTION_TEXT, &boot, "ID", true, "of this boot of the host, or of that one" },
        { "reverse", 'r', OPTION_FLAG, &reverse, .help = "the newest first" },
        { "output",  'o', OPTION_TEXT, &output, "MODE", .help = "how lines look, as journalctl(1) has it" },
        { 0 },
};
/* clang-format on */

const Verb verb_logs = {
        .name = "logs",
        .arguments = "NAME...",
        .minimum = 1,
        .maximum = SIZE_MAX,
        .options = options,
        .json = true,
        .run = run,
        .summary = "show what containers and systemd logged about them",
        .details = "Runs journalctl on the containers' units: what their processes print, and what systemd and berth say\n"
                   "of them. The journal that a guest's own systemd keeps is shown by journalctl -M NAME if systemd-machined ran\n"
                   "when the container was started, and inside.",
};
