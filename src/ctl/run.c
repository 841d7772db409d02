/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl run: a container that is gone when it stops, with all that was made for it. How it ends is learned from the
 * service's events, which are watched before it starts, so that the shortest run is not missed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "ctl/common.h"
#include "ctl/console.h"
#include "ctl/journal.h"
#include "ctl/make.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"
#include "spec/unit.h"

#define STATUS_NOT_RUN 125 /* of a run that is waited for: everything but how the container ended */

static Origins origins;
static bool detach, wait_for_end;

typedef struct Run {
        berth *connection;
        char *name;
        bool console;     /* the terminal is its console; else the journal has what it prints */
        Journal *journal; /* NULL: it is not shown */
        Making making;
        bool gone; /* the service knows of it no more, but what it said last may still be on its way */
        bool ended;
        bool has_status;
        int32_t exit_status; /* as the property ExitStatus has it */
} Run;

static void run_clear(Run *run) {
        (void) berth_close(run->connection);
        (void) journal_close(run->journal);
        free(run->name);
}

/* A name that nobody has: the service could choose one, but then events of it could not be told from others'. */
static char *make_name(void) {
        uint64_t number;

        return getrandom(&number, sizeof number, 0) == sizeof number ?
                string_printf("run-%08x", (unsigned) (number & UINT32_MAX)) :
                NULL;
}

/* What stands before "--": a name, and assignments, which have a "=". */
static int read_words(const Arguments *arguments, Draft *draft, Run *this) {
        int status = STATUS_FINE;

        for (size_t i = 0; status == STATUS_FINE && i < arguments->n_before; i++) {
                const char *word = arguments->words[i];

                if (strchr(word, '='))
                        status = draft_assign(draft, word);
                else if (this->name) {
                        fputs("berthctl: there are two names; a command stands after \"--\"\n", stderr);
                        return STATUS_USAGE;
                } else
                        this->name = strdup(word);
        }
        if (!this->name)
                this->name = make_name();

        return this->name ? status : report_errno(-ENOMEM, "cannot choose a name");
}

static int write_draft(const Arguments *arguments, Draft *draft, Run *this) {
        int status = STATUS_FINE;

        if (origins.definition)
                status = draft_read(draft, origins.definition);
        if (status == STATUS_FINE && origins.directory)
                status = draft_set(draft, "Root", "Path", "fd:root");
        else if (status == STATUS_FINE && (origins.tar || origins.image))
                status = draft_set(draft, "Root", "Managed", "yes");
        if (status == STATUS_FINE)
                status = read_words(arguments, draft, this);
        if (status == STATUS_FINE && arguments->n > arguments->n_before)
                status = draft_set_command(draft, arguments->words + arguments->n_before);
        if (status == STATUS_FINE && this->console)
                status = draft_set(draft, "Container", "Console", "yes");

        return status;
}

/* What is said of a definition is not about the options that made it. */
static int check_draft(const Draft *draft, const char *name) {
        int status = draft_check(draft, name);

        if (status == STATUS_FAILED && !origins.definition && !origins.directory && !origins.tar && !origins.image)
                fputs("its root is given by one of --directory=, --tar= and --image=\n", stderr);

        return status;
}

/* How it ended, as far as an event tells. */
static void note_property(Run *this, const char *property) {
        const char *value = string_after_prefix(property, "ExitStatus=");
        char *end;
        long status;

        if (!value)
                return;
        errno = 0;
        status = strtol(value, &end, 10);
        if (errno != 0 || end == value || *end || status < INT32_MIN || status > INT32_MAX)
                return;

        this->exit_status = (int32_t) status;
        this->has_status = true;
}

static void note_event(const berth_event *event, void *run) {
        Run *this = run;

        if (!streq(event->name, this->name))
                return;

        making_event(event, &this->making);
        for (char **property = event->properties; property && *property; property++)
                note_property(this, *property);
        if (event->kind == BERTH_EVENT_REMOVED ||
            (event->state && (streq(event->state, "stopped") || streq(event->state, "failed"))))
                this->ended = true;
}

/* Asks when events were lost, or did not say how it ended. */
static int ask_status(Run *this) {
        berth_status *status;
        int r;

        r = berth_get_status(this->connection, this->name, &status);
        if (r < 0) {
                this->gone = streq_null(berth_error_name(this->connection), BERTH_ERROR_NO_SUCH_CONTAINER);
                return this->gone ? 0 : r;
        }

        this->ended = streq(status->state, "stopped") || streq(status->state, "failed");
        if (this->ended) {
                this->exit_status = status->exit_status;
                this->has_status = true;
        }
        (void) berth_status_free(status);

        return 0;
}

/* Takes all events that have come. */
static int take_events(Run *this) {
        int r = 1;

        while (r > 0 && !this->ended) {
                berth_event *event = NULL;

                r = berth_next_event(this->connection, 0, &event);
                if (r <= 0)
                        break;
                note_event(event, this);
                if (event->kind == BERTH_EVENT_RESET)
                        r = ask_status(this) < 0 ? -EIO : 1;
                (void) berth_event_free(event);
        }
        this->ended = this->ended || this->gone;

        return r;
}

/* Until it has ended; shows what it prints. */
static int follow(Run *this) {
        struct pollfd sources[2] = { { .fd = berth_get_fd(this->connection), .events = POLLIN } };
        int r;

        for (;;) {
                r = take_events(this);
                if (r < 0 || this->ended)
                        break;
                if (this->journal) {
                        (void) journal_print(this->journal);
                        sources[1].fd = journal_get_fd(this->journal);
                        sources[1].events = journal_get_events(this->journal);
                }
                if (poll(sources, this->journal ? 2 : 1, -1) < 0 && errno != EINTR)
                        return -errno;
        }
        if (r >= 0 && this->journal)
                (void) journal_finish(this->journal);
        if (r >= 0 && !this->has_status && !this->gone)
                r = ask_status(this);

        return r;
}

static int wait_end(Run *this) {
        int r = follow(this);

        if (r < 0) {
                (void) service_failed(this->connection, r, "follow", this->name);
                return STATUS_NOT_RUN;
        }
        if (!this->has_status) {
                fprintf(stderr, "berthctl: how %s ended was lost with the service; see: berthctl logs %s\n", this->name,
                        this->name);
                return STATUS_NOT_RUN;
        }

        return this->exit_status < 0 ? 128 - this->exit_status : this->exit_status & 0xff;
}

/* Its console, here. RET_LEFT: the user has left it, it goes on. */
static int show_console(Run *this, bool *ret_left) {
        _cleanup_close_ int console = -EBADF;
        RelayEnd end = RELAY_HANGUP;
        int status, r;

        *ret_left = false;
        r = berth_open_console(this->connection, this->name, &console);
        if (r < 0)
                return service_failed(this->connection, r, "attach to the console of", this->name);

        status = console_attach(this->name, console, &end);

        *ret_left = end != RELAY_HANGUP;
        if (end == RELAY_ESCAPED && !settings.quiet)
                fprintf(stderr, "%s goes on. To attach again: berthctl console %s; to end it: berthctl stop %s\n",
                        this->name, this->name, this->name);

        return status;
}

/* What it prints is shown as far as the caller may read it here; else berthctl logs has it for who may. */
static void open_journal(Run *this) {
        char unit[UNIT_NAME_SIZE];
        struct timespec now;

        if (settings.host || settings.machine)
                return;

        unit_name(UNIT_TRANSIENT, this->name, unit);
        (void) clock_gettime(CLOCK_REALTIME, &now);
        (void) journal_open(unit, (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000, &this->journal);
}

static int start(Run *this, const Draft *draft, const Data *data) {
        _cleanup_free_ char *what = string_printf("Starting %s", this->name);
        int status, r;

        status = service_open(&this->connection);
        if (status != STATUS_FINE)
                return status;

        this->making.name = this->name;
        progress_begin(&this->making.progress, what ?: "Starting it");
        r = berth_set_event_handler(this->connection, note_event, this);
        if (r >= 0)
                r = berth_watch(this->connection);
        if (r >= 0)
                r = berth_run(this->connection, this->name, draft->text, &data->descriptor, data->descriptor.fd >= 0, 0,
                              NULL);
        progress_end(&this->making.progress);
        if (r >= 0)
                r = berth_set_event_handler(this->connection, NULL, NULL);

        return r < 0 ? service_failed(this->connection, r, "run it", NULL) : STATUS_FINE;
}

static int run(const Arguments *arguments) {
        _cleanup_(draft_clear) Draft draft = DRAFT_EMPTY;
        _cleanup_(data_clear) Data data = DATA_NONE;
        _cleanup_(run_clear) Run this = { 0 };
        bool command = arguments->n > arguments->n_before, waits = wait_for_end || (command && !detach), left = false;
        int status;

        this.console = command && waits && isatty(STDIN_FILENO) > 0 && isatty(STDOUT_FILENO) > 0;

        status = data_open(&origins, "root", &data);
        if (status == STATUS_FINE)
                status = write_draft(arguments, &draft, &this);
        if (status == STATUS_FINE && !settings.host && !settings.machine)
                status = check_draft(&draft, this.name);
        if (status == STATUS_FINE && waits && !this.console)
                open_journal(&this);
        if (status == STATUS_FINE)
                status = start(&this, &draft, &data);
        if (status != STATUS_FINE)
                return waits && status != STATUS_USAGE ? STATUS_NOT_RUN : status;

        if (!waits) {
                puts(this.name);
                return STATUS_FINE;
        }

        if (this.console)
                status = show_console(&this, &left);

        return left ? status : wait_end(&this);
}

/* clang-format off */
static const Option options[] = {
        { "definition", 0, OPTION_TEXT, &origins.definition, "FILE", .help = "the definition; \"-\" for standard input" },
        { "directory",  0, OPTION_TEXT, &origins.directory,  "DIR",  .help = "take a directory as the root, as it is" },
        { "tar",        0, OPTION_TEXT, &origins.tar,        "FILE", .help = "unpack the root from an archive; \"-\" as above" },
        { "image",      0, OPTION_TEXT, &origins.image,      "FILE", .help = "copy a disk image" },
        { "wait",      'w', OPTION_FLAG, &wait_for_end, .help = "wait for its end, as with a COMMAND" },
        { "detach",    'd', OPTION_FLAG, &detach,       .help = "with a COMMAND, too, only start it" },
        { 0 },
};
/* clang-format on */

const Verb verb_run = {
        .name = "run",
        .arguments = "[NAME] [-- COMMAND...]",
        .maximum = SIZE_MAX,
        .options = options,
        .run = run,
        .summary = "run a container that is gone when it stops",
        .details = "Makes and starts a container from a definition, an archive, a directory or an image; when\n"
                   "it stops, all that was made for it is removed. KEY=VALUE behind the name is added to the\n"
                   "definition, as for create. Without a COMMAND the container boots, and its name is printed\n"
                   "once it runs. With one, that is waited for: a terminal is its console; elsewhere standard\n"
                   "input is not handed on, and what it prints is shown from the journal. Its exit status is\n"
                   "that of berthctl run: 128 and the number of a signal that killed it, 125 if it could not be\n"
                   "run.",
};
