/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl top: what running containers use, again and again, as systemd-cgtop(1) shows it for all units. What a
 * container has used since the last look makes the rates; the first look has none, and is shown on a screen only.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "basic/parse.h"
#include "basic/string.h"
#include "ctl/format.h"
#include "ctl/json.h"
#include "ctl/names.h"
#include "ctl/output.h"
#include "ctl/service.h"
#include "ctl/settings.h"
#include "ctl/table.h"
#include "ctl/terminal.h"
#include "ctl/verb.h"

static const char *const orders[] = { "cpu", "memory", "tasks", "io", "name" };
static const char *order = "cpu", *delay = "1s", *iterations;

typedef struct Row {
        const char *name, *state;  /* of the list that SAMPLE holds */
        uint64_t memory, tasks;    /* BERTH_UNKNOWN: not counted here */
        double cpu, reading, writing; /* percent of one processor, bytes a second; negative: not known */
} Row;

typedef struct Sample {
        berth_status **list;
        uint64_t usec; /* CLOCK_MONOTONIC */
} Sample;

static void sample_clear(Sample *sample) {
        if (sample->list)
                (void) berth_status_list_free(sample->list);
        *sample = (Sample) { 0 };
}

static int sample_take(berth *connection, Sample *ret) {
        struct timespec now;
        Sample sample;
        int r;

        r = berth_list_status(connection, &sample.list);
        if (r < 0)
                return r;

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        sample.usec = (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000;

        *ret = sample;
        return 0;
}

static const berth_status *sample_find(const Sample *sample, const char *name) {
        for (berth_status **one = sample->list; one && *one; one++)
                if (streq((*one)->name, name))
                        return *one;

        return NULL;
}

/* How much a counter has grown in a second; negative if that cannot be known. */
static double rate(uint64_t before, uint64_t now, uint64_t usec) {
        if (before == BERTH_UNKNOWN || now == BERTH_UNKNOWN || now < before || usec == 0)
                return -1;

        return (double) (now - before) * (double) USEC_PER_SEC / (double) usec;
}

static Row row_make(const berth_status *now, const berth_status *before, uint64_t usec) {
        Row row = { now->name, now->state, now->memory_current, now->tasks_current, -1, -1, -1 };

        /* The same run of it: another starts to count anew. */
        if (before && before->started_usec == now->started_usec) {
                row.cpu = rate(before->cpu_usage_nsec, now->cpu_usage_nsec, usec) / 1e7;
                row.reading = rate(before->io_read_bytes, now->io_read_bytes, usec);
                row.writing = rate(before->io_write_bytes, now->io_write_bytes, usec);
        }

        return row;
}

static double row_key(const Row *row) {
        switch (order[0]) {
        case 'm':
                return row->memory == BERTH_UNKNOWN ? -1 : (double) row->memory;
        case 't':
                return row->tasks == BERTH_UNKNOWN ? -1 : (double) row->tasks;
        case 'i':
                return row->reading < 0 ? -1 : row->reading + row->writing;
        case 'c':
                return row->cpu;
        default:
                return 0;
        }
}

static int row_compare(const void *a, const void *b) {
        double x = row_key(a), y = row_key(b);

        return x < y ? 1 : x > y ? -1 : strcmp(((const Row *) a)->name, ((const Row *) b)->name);
}

static bool is_wanted(const Arguments *arguments, const berth_status *status) {
        if (status->leader == 0)
                return false;

        return arguments->n == 0 || names_have(arguments->words, arguments->n, status->name);
}

/* The rows of those that run, in order. NULL: out of memory. */
static Row *rows_make(const Arguments *arguments, const Sample *before, const Sample *now, size_t *ret_n) {
        size_t n = 0;
        Row *rows;

        while (now->list[n])
                n++;
        rows = calloc(n + 1, sizeof *rows);
        if (!rows)
                return NULL;

        n = 0;
        for (berth_status **one = now->list; *one; one++)
                if (is_wanted(arguments, *one))
                        rows[n++] = row_make(*one, sample_find(before, (*one)->name), now->usec - before->usec);
        qsort(rows, n, sizeof *rows, row_compare);

        *ret_n = n;
        return rows;
}

static void json_rate(Json *json, const char *key, double value) {
        if (value < 0)
                json_null(json, key);
        else
                json_double(json, key, value);
}

static int print_json(const Row *rows, size_t n) {
        struct timespec now;
        Json json = JSON_TO(stdout);

        (void) clock_gettime(CLOCK_REALTIME, &now);
        json_begin_object(&json, NULL);
        json_unsigned(&json, "time_usec", (uint64_t) now.tv_sec * USEC_PER_SEC + (uint64_t) now.tv_nsec / 1000);
        json_begin_array(&json, "containers");
        for (const Row *row = rows; row < rows + n; row++) {
                json_begin_object(&json, NULL);
                json_string(&json, "name", row->name);
                json_string(&json, "state", row->state);
                json_counter(&json, "tasks", row->tasks);
                json_rate(&json, "cpu_percent", row->cpu);
                json_counter(&json, "memory_bytes", row->memory);
                json_rate(&json, "read_bytes_per_second", row->reading);
                json_rate(&json, "write_bytes_per_second", row->writing);
                json_end_object(&json);
        }
        json_end_array(&json);
        json_end_object(&json);

        return json_finish(&json);
}

static void cell_rate(Table *table, double value) {
        char buffer[FORMAT_SIZE];

        table_cell(table, value < 0 ? NULL : format_bytes((uint64_t) value, buffer));
}

static int print_table(const Row *rows, size_t n) {
        static const char *const headings[] = { "NAME", "TASKS", "%CPU", "MEMORY", "READ/S", "WRITE/S", NULL };
        _cleanup_(table_freep) Table *table = table_new(headings);
        char buffer[FORMAT_SIZE];

        if (!table)
                return -ENOMEM;
        table_shrink(table, 0);
        for (size_t column = 1; headings[column]; column++)
                table_align_right(table, column);

        for (const Row *row = rows; row < rows + n; row++) {
                table_cell_colored(table, streq(row->state, "frozen") ? COLOR_GREY : COLOR_NONE, row->name);
                if (row->tasks == BERTH_UNKNOWN)
                        table_cell(table, NULL);
                else
                        table_cellf(table, "%" PRIu64, row->tasks);
                if (row->cpu < 0)
                        table_cell(table, NULL);
                else
                        table_cellf(table, "%.1f", row->cpu);
                table_cell(table, format_bytes(row->memory, buffer));
                cell_rate(table, row->reading);
                cell_rate(table, row->writing);
        }

        return table_print(table, stdout, !settings.no_legend, terminal_width());
}

/*
 * The terminal, while it is ours
 */

static volatile sig_atomic_t interrupted;

static void interrupt(int signal) {
        interrupted = signal;
}

/* Keys come one by one and are not shown; what would leave the terminal like that is caught. */
static bool terminal_take(struct termios *ret_before) {
        struct sigaction action = { .sa_handler = interrupt };
        struct termios ours;

        if (tcgetattr(STDIN_FILENO, ret_before) < 0)
                return false;
        ours = *ret_before;
        ours.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        ours.c_cc[VSUSP] = _POSIX_VDISABLE;

        (void) sigaction(SIGINT, &action, NULL);
        (void) sigaction(SIGTERM, &action, NULL);
        (void) sigaction(SIGHUP, &action, NULL);

        return tcsetattr(STDIN_FILENO, TCSADRAIN, &ours) >= 0;
}

/* Waits for the next look, or less if a key wants something else. False: it is enough. */
static bool terminal_wait(int msec) {
        struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
        char key;

        if (poll(&input, 1, msec) <= 0)
                return !interrupted;
        if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q')
                return false;

        for (size_t i = 0; i < ELEMENTSOF(orders); i++)
                if (orders[i][0] == key)
                        order = orders[i];

        return true;
}

static size_t terminal_lines(void) {
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 3 ? 24 : size.ws_row;
}

/* Over what was there before. */
static int show_screen(const Row *rows, size_t n) {
        size_t room = terminal_lines() - 2;
        int r;

        fputs("\033[H\033[J", stdout);
        r = print_table(rows, n > room ? room : n);
        if (n > room)
                printf("%zu more; ", n - room);
        printf("by %s: c m t i n change that, q leaves", order);
        (void) fflush(stdout);

        return r;
}

typedef struct Top {
        berth *connection;
        const Arguments *arguments;
        uint64_t delay, count; /* microseconds; 0: for ever */
        bool screen;
        Sample before;
        int status; /* that there is none of a name, which is told once */
} Top;

static void top_clear(Top *top) {
        sample_clear(&top->before);
        (void) berth_close(top->connection);
}

/* One look and what it shows; the first does not count where it has nothing to compare with. */
static int look(Top *top, bool quiet) {
        _cleanup_free_ Row *rows = NULL;
        Sample now;
        size_t n;
        int r;

        r = sample_take(top->connection, &now);
        if (r < 0)
                return service_failed(top->connection, r, "read the counters", NULL);
        if (!top->before.list)
                top->status = service_check_words(now.list, top->arguments);

        rows = rows_make(top->arguments, &top->before, &now, &n);
        if (!rows)
                r = -ENOMEM;
        else if (quiet)
                r = 0;
        else if (settings.json)
                r = print_json(rows, n);
        else
                r = top->screen ? show_screen(rows, n) : print_table(rows, n);
        if (r >= 0)
                r = output_flush();

        sample_clear(&top->before);
        top->before = now;

        return r < 0 ? STATUS_FAILED : STATUS_FINE;
}

static int loop(Top *top) {
        int msec = top->delay / USEC_PER_MSEC > INT32_MAX ? INT32_MAX : (int) (top->delay / USEC_PER_MSEC);
        int status;

        status = look(top, !top->screen);
        for (uint64_t i = top->screen; status == STATUS_FINE && (top->count == 0 || i < top->count); i++) {
                if (!top->screen)
                        (void) poll(NULL, 0, msec);
                else if (!terminal_wait(msec))
                        break;
                status = look(top, false);
        }

        return status;
}

static int check_options(Top *top) {
        bool known = false;

        for (size_t i = 0; i < ELEMENTSOF(orders); i++)
                known = known || streq(order, orders[i]);
        if (!known) {
                fputs("berthctl: --order= takes cpu, memory, tasks, io or name\n", stderr);
                return STATUS_USAGE;
        }
        if (parse_timespan(delay, &top->delay) < 0 || top->delay < 10 * USEC_PER_MSEC) {
                fputs("berthctl: --delay= takes a time span of at least 10ms\n", stderr);
                return STATUS_USAGE;
        }
        if (iterations && parse_u64(iterations, &top->count) < 0) {
                fputs("berthctl: --iterations= takes a number, 0 for ever\n", stderr);
                return STATUS_USAGE;
        }

        return STATUS_FINE;
}

static int run(const Arguments *arguments) {
        _cleanup_(top_clear) Top top = { .arguments = arguments };
        struct termios before;
        int status;

        top.screen = !settings.json && terminal_is_stdout() && terminal_can_ask();
        top.count = !top.screen;
        status = check_options(&top);
        if (status == STATUS_FINE)
                status = service_open(&top.connection);
        if (status != STATUS_FINE)
                return status;

        if (!top.screen || !terminal_take(&before)) {
                status = loop(&top);
                return status_join(status, top.status);
        }

        status = loop(&top);
        (void) tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
        putchar('\n');

        return status_join(status, top.status);
}

/* clang-format off */
static const Option options[] = {
        { "order",      'o', OPTION_TEXT, &order, "WHAT", .help = "sort by cpu (the default), memory, tasks, io or name" },
        { "delay",      'd', OPTION_TEXT, &delay, "TIME", .help = "how long to wait between two looks, 1s by default" },
        { "iterations", 'n', OPTION_TEXT, &iterations, "N", .help = "how often to look; on a terminal for ever, else once" },
        { 0 },
};
/* clang-format on */

const Verb verb_top = {
        .name = "top",
        .arguments = "[NAME...]",
        .maximum = SIZE_MAX,
        .options = options,
        .json = true,
        .run = run,
        .summary = "show what running containers use",
        .details = "Shows processor time, memory, tasks and input and output of all running containers, or of those named,\n"
                   "the greediest first, and again after a while. On a terminal c, m, t, i and n change the order and q\n"
                   "leaves. With --json, an object in a line for each look.",
};
