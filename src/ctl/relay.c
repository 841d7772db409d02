/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/relay.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"

#define BUFFER_SIZE 4096

/* One direction: what was read and is not written yet. */
typedef struct Flow {
        char buffer[BUFFER_SIZE];
        size_t begin, end;
        bool ended; /* nothing more will be read */
} Flow;

bool escape_typed(Escape *escape, const char *bytes, size_t n, uint64_t now_usec) {
        for (size_t i = 0; i < n; i++) {
                if (bytes[i] != ESCAPE_CHARACTER) {
                        escape->n = 0;
                        continue;
                }
                if (escape->n == 0 || now_usec - escape->first_usec > ESCAPE_USEC) {
                        escape->n = 0;
                        escape->first_usec = now_usec;
                }
                if (++escape->n >= ESCAPE_TIMES)
                        return true;
        }

        return false;
}

static uint64_t now_usec(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);

        return (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;
}

static bool flow_empty(const Flow *flow) {
        return flow->begin == flow->end;
}

/* A failure that only means "not now". */
static bool is_transient(int error) {
        return error == EAGAIN || error == EINTR;
}

/* Reads into an empty flow. A terminal or console that went away is its end. 0 or a negative errno. */
static int flow_read(Flow *flow, int fd) {
        ssize_t n = read(fd, flow->buffer, sizeof flow->buffer);

        if (n < 0)
                n = is_transient(errno) ? -1 : errno == EIO || errno == ECONNRESET ? 0 : -errno;
        if (n == -1)
                return 0;
        if (n < 0)
                return (int) n;
        flow->begin = 0;
        flow->end = (size_t) n;
        flow->ended = n == 0;

        return 0;
}

/* Writes of a flow what there is room for. 0, or a negative errno: the other side is gone. */
static int flow_write(Flow *flow, int fd, bool socket) {
        const char *data = flow->buffer + flow->begin;
        size_t size = flow->end - flow->begin;
        ssize_t n = socket ? send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : write(fd, data, size);

        if (n < 0)
                return is_transient(errno) ? 0 : -errno;
        flow->begin += (size_t) n;

        return 0;
}

typedef struct Relay {
        int input, output, console, signals;
        bool escapes;
        Escape escape;
        Flow typed, shown;
} Relay;

enum { INPUT, OUTPUT, CONSOLE, SIGNALS, _N };

/* One round. 1 and the reason when it is over, 0 when it goes on, or a negative errno. */
static int relay_step(Relay *relay, RelayEnd *ret_end) {
        bool reads = flow_empty(&relay->typed) && !relay->typed.ended, listens = flow_empty(&relay->shown);
        struct pollfd fds[_N] = {
                [INPUT] = {.fd = reads ? relay->input : -1,     .events = POLLIN                 },
                [OUTPUT] = { .fd = listens ? -1 : relay->output, .events = POLLOUT                },
                [CONSOLE] = { .fd = relay->console,
                           .events =
                                              (short) ((listens ? POLLIN : 0) |
                                                       (flow_empty(&relay->typed) ? 0 : POLLOUT))},
                [SIGNALS] = { .fd = relay->signals,               .events = POLLIN                 },
        };
        int r;

        if (listens && relay->shown.ended) {
                *ret_end = RELAY_HANGUP;
                return 1;
        }
        if (!fds[CONSOLE].events) /* or its hangup would be told again and again */
                fds[CONSOLE].fd = -1;
        if (poll(fds, _N, -1) < 0)
                return errno == EINTR ? 0 : -errno;
        if (fds[SIGNALS].revents) {
                *ret_end = RELAY_SIGNAL;
                return 1;
        }

        if (fds[INPUT].revents) {
                r = flow_read(&relay->typed, relay->input);
                if (r < 0)
                        return r;
                if (relay->escapes &&
                    escape_typed(&relay->escape, relay->typed.buffer, relay->typed.end, now_usec())) {
                        *ret_end = RELAY_ESCAPED;
                        return 1;
                }
        }
        if (listens && (fds[CONSOLE].revents & (POLLIN | POLLHUP | POLLERR))) {
                r = flow_read(&relay->shown, relay->console);
                if (r < 0)
                        return r;
        }
        if ((fds[CONSOLE].revents & (POLLOUT | POLLERR)) &&
            flow_write(&relay->typed, relay->console, true) < 0)
                relay->typed.begin = relay->typed.end; /* nobody reads that any more; what it has to say
                                                          comes still */
        if (fds[OUTPUT].revents && flow_write(&relay->shown, relay->output, false) < 0) {
                *ret_end = RELAY_HANGUP;
                return 1;
        }

        return 0;
}

int relay(int input, int output, int console, int signals, bool escapes, RelayEnd *ret_end) {
        Relay this = {
                .input = input, .output = output, .console = console, .signals = signals, .escapes = escapes
        };
        int r;

        do
                r = relay_step(&this, ret_end);
        while (r == 0);

        return r < 0 ? r : 0;
}
