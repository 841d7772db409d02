/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl, the command line of berth: finds the verb in a table, reads the options by the tables of all and
 * of the verb, and runs it. What all verbs share is done here: --help, --version, unknown words, and the check that
 * everything really was written.
 */
#include <stdio.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "ctl/agent.h"
#include "ctl/output.h"
#include "ctl/pager.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

static const Verb *const verbs[] = {
        &verb_list,
        &verb_status,
        &verb_security,
        &verb_start,
        &verb_stop,
        &verb_restart,
        &verb_kill,
        &verb_freeze,
        &verb_thaw,
        &verb_console,
        &verb_create,
        &verb_run,
        &verb_remove,
        &verb_set,
        &verb_enable,
        &verb_disable,
        &verb_logs,
        &verb_top,
        &verb_monitor,
        &verb_cat,
        &verb_edit,
        &verb_verify,
        &verb_capabilities,
        &verb_features,
        &verb_version,
};

static void print_help(FILE *stream) {
        fputs("Usage: berthctl [OPTION...] VERB [ARGUMENT...]\n"
              "\n"
              "Look at and control containers.\n"
              "\n"
              "Verbs:\n",
              stream);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                int used = fprintf(stream, "  %s %s", verbs[i]->name, verbs[i]->arguments);

                fprintf(stream, "%*s  %s\n", used < 28 ? 28 - used : 0, "", verbs[i]->summary);
        }
        fputs("\nOptions:\n", stream);
        options_print(settings_options, stream);
        fputs("\n"
              "Exit status: 0 all well, 1 failed or something is wrong, 2 wrong usage, 3 not running,\n"
              "4 no such container, 5 not permitted, 6 confined less than by default; run has that of its\n"
              "COMMAND, or 125. It is the same for all verbs.\n"
              "More: berthctl(1), berth.container(5).\n",
              stream);
}

static void print_verb_help(const Verb *verb) {
        printf("Usage: berthctl %s %s%s\n\n%s\n", verb->name, verb->options ? "[OPTION...] " : "", verb->arguments,
               verb->details);
        if (verb->options) {
                puts("\nOptions:");
                options_print(verb->options, stdout);
        }
        puts("\nOptions of all verbs: berthctl --help.");
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i]->name, name))
                        return verbs[i];

        return NULL;
}

static int refuse_verb(const char *name) {
        _cleanup_free_ char *shown = string_escape_unprintable(name);
        const char *near = NULL;
        size_t nearest = 3;

        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                size_t distance = string_distance(verbs[i]->name, name, nearest);

                if (distance < nearest) {
                        nearest = distance;
                        near = verbs[i]->name;
                }
        }

        fprintf(stderr, "berthctl: there is no verb \"%s\"", shown ?: "?");
        if (near)
                fprintf(stderr, "; did you mean \"%s\"?\n", near);
        else
                fputs("; berthctl --help lists them\n", stderr);

        return STATUS_USAGE;
}

/* What cannot be meant with the options that all verbs have. */
static int check_settings(const Verb *verb) {
        static const char *const colors[] = { "", "auto", "always", "never" };
        bool known = !settings.color;

        for (size_t i = 0; settings.color && i < ELEMENTSOF(colors); i++)
                known = known || streq(colors[i], settings.color);
        if (!known) {
                fputs("berthctl: --color= takes auto, always or never\n", stderr);
                return STATUS_USAGE;
        }
        if (settings.host && settings.machine) {
                fputs("berthctl: --host= and --machine= do not go together\n", stderr);
                return STATUS_USAGE;
        }
        if (verb->local && (settings.host || settings.machine)) {
                fprintf(stderr, "berthctl: %s works on this host only, without --host= and --machine=\n", verb->name);
                return STATUS_USAGE;
        }
        if (!verb->json && settings.json) {
                fprintf(stderr, "berthctl: %s has no JSON form\n", verb->name);
                return STATUS_USAGE;
        }

        return STATUS_FINE;
}

static int print_version(void) {
        puts("berthctl " BERTH_VERSION);

        return STATUS_FINE;
}

static int run_verb(const Verb *verb, char **argv) {
        _cleanup_(arguments_clear) Arguments arguments = { 0 };
        int r;

        r = options_read(settings_options, verb->options, verb->name, argv, &arguments);
        if (r < 0)
                fprintf(stderr, "berthctl: %s\n", strerror(-r));
        if (r != 0)
                return r < 0 ? STATUS_FAILED : STATUS_USAGE;

        if (settings.help) {
                print_verb_help(verb);
                return STATUS_FINE;
        }
        if (settings.version)
                return print_version();
        if (check_settings(verb) != STATUS_FINE)
                return STATUS_USAGE;
        if (arguments.n < verb->minimum || arguments.n > verb->maximum) {
                fprintf(stderr, "berthctl: an argument is %s: berthctl %s %s\n",
                        arguments.n < verb->minimum ? "missing" : "too much", verb->name, verb->arguments);
                return STATUS_USAGE;
        }

        return verb->run(&arguments);
}

static int run(char **argv) {
        const Verb *verb;
        size_t used;
        int r;

        r = options_read_leading(settings_options, argv, &used);
        if (r != 0)
                return r < 0 ? STATUS_FAILED : STATUS_USAGE;
        argv += used;

        if (settings.version)
                return print_version();
        if (!argv[0] || settings.help || streq(argv[0], "help")) {
                print_help(stdout);
                return STATUS_FINE;
        }

        verb = find_verb(argv[0]);

        return verb ? run_verb(verb, argv + 1) : refuse_verb(argv[0]);
}

int main(int argc, char **argv) {
        int status = argc > 0 ? run(argv + 1) : STATUS_USAGE;

        agent_close();
        if (output_flush() < 0) {
                fprintf(stderr, "berthctl: cannot write the output: %s\n", strerror(output_error()));
                status = status_join(status, STATUS_FAILED);
        }
        pager_close();

        return status;
}
