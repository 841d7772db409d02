/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl console: this terminal, or two pipes, as the console of a container. What the guest writes goes
 * to the terminal as it is: that is what a console is. The terminal is put back in every case but SIGKILL.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "basic/string.h"
#include "ctl/common.h"
#include "ctl/console.h"
#include "ctl/names.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/verb.h"

/* What a guest may have left behind: colours, a cursor that is not shown, other characters. */
#define TERMINAL_AS_USUAL "\033[0m\033[?25h\017"

/* Makes the terminal pass everything on, and nothing else. False if it is none. */
static bool terminal_raw(struct termios *ret_before) {
        struct termios raw;

        if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, ret_before) < 0)
                return false;
        raw = *ret_before;
        cfmakeraw(&raw);

        return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) >= 0;
}

/* What ends or stops a program is blocked meanwhile: with the terminal as it is nobody could go on. */
static void signals_block(sigset_t *ret_ours, sigset_t *ret_before) {
        (void) sigemptyset(ret_ours);
        (void) sigaddset(ret_ours, SIGINT);
        (void) sigaddset(ret_ours, SIGQUIT);
        (void) sigaddset(ret_ours, SIGTERM);
        (void) sigaddset(ret_ours, SIGHUP);
        (void) sigaddset(ret_ours, SIGTSTP);
        (void) sigprocmask(SIG_BLOCK, ret_ours, ret_before);
}

/* What came has been obeyed by the end of the console. */
static void signals_release(const sigset_t *ours, const sigset_t *before) {
        const struct timespec now = { 0 };

        while (sigtimedwait(ours, NULL, &now) > 0)
                ;
        (void) sigprocmask(SIG_SETMASK, before, NULL);
}

static int relay_on_terminal(int console, RelayEnd *ret_end) {
        _cleanup_close_ int signals = -EBADF;
        sigset_t ours, ending, before_signals;
        struct termios before;
        bool raw;
        int r;

        signals_block(&ours, &before_signals);
        ending = ours;
        (void) sigdelset(&ending, SIGTSTP);
        signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
        if (signals < 0)
                return -errno;

        raw = terminal_raw(&before);
        r = relay(STDIN_FILENO, STDOUT_FILENO, console, signals, raw, ret_end);
        if (raw) {
                (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
                if (isatty(STDOUT_FILENO))
                        (void) !write(STDOUT_FILENO, TERMINAL_AS_USUAL, strlen(TERMINAL_AS_USUAL));
        }
        signals_release(&ours, &before_signals);

        return r;
}

int console_attach(const char *name, int console, RelayEnd *ret_end) {
        bool tells = isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && !settings.quiet;
        RelayEnd end = RELAY_HANGUP;
        int r;

        if (tells)
                fprintf(stderr, "The console of %s. Type ^] three times within a second to leave it.\n",
                        name);
        r = relay_on_terminal(console, &end);
        if (r < 0)
                return report_errno(r, "cannot go on with the console");
        if (tells)
                fprintf(stderr, "\n%s\n",
                        end == RELAY_ESCAPED ? "Left the console." : "The console has ended.");

        *ret_end = end;
        return end == RELAY_SIGNAL ? STATUS_FAILED : STATUS_FINE;
}

/* A console ends with the container, and with the service, which may be started anew while the container goes on. */
static void tell_what_goes_on(berth *connection, const char *name) {
        berth_status *status = NULL;

        if (settings.quiet || berth_get_status(connection, name, &status) < 0)
                return;
        if (status->leader != 0)
                fprintf(stderr, "%s goes on. To attach again: berthctl console %s\n", name, name);
        (void) berth_status_free(status);
}

static int run(const Arguments *arguments) {
        _cleanup_(berth_closep) berth *connection = NULL;
        _cleanup_free_ char *name = name_from_word(arguments->words[0]);
        _cleanup_close_ int console = -EBADF;
        RelayEnd end;
        int status, r;

        if (!name)
                return report_errno(-ENOMEM, "cannot read the name");
        status = service_open(&connection);
        if (status != STATUS_FINE)
                return status;
        r = berth_open_console(connection, name, &console);
        if (r < 0)
                return service_failed(connection, r, "attach to the console of", name);

        status = console_attach(name, console, &end);
        if (status == STATUS_FINE && end == RELAY_HANGUP)
                tell_what_goes_on(connection, name);

        return status;
}

const Verb verb_console = {
        .name = "console",
        .arguments = "NAME",
        .minimum = 1,
        .maximum = 1,
        .run = run,
        .summary = "attach to the console of a container",
        .details = "Connects this terminal, or standard input and output, to the console of a container that has one\n"
                   "(Console=yes): first what it showed last, then both directions. ^] three times within a second\n"
                   "leaves it; the container goes on. Without a terminal it is left when the console ends, which it does\n"
                   "with the container and when the service is restarted.",
};
