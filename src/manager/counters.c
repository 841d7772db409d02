/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/limits.h"

#define CONTROL_GROUPS "/sys/fs/cgroup"
#define NSEC_PER_USEC UINT64_C(1000)
#define DECIMALS_MAX 6

/* A number in decimal digits at *TEXT, which moves behind it. */
static bool take_number(const char **text, uint64_t *ret) {
        const char *s = *text;
        uint64_t value = 0;

        if (*s < '0' || *s > '9')
                return false;
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return false;

        *text = s;
        *ret = value;

        return true;
}

static bool take_word(const char **text, const char *word) {
        const char *after = string_after_prefix(*text, word);

        if (after)
                *text = after;

        return !!after;
}

/* "12.34", without asking the locale what a point looks like. */
static bool take_percent(const char **text, double *ret) {
        uint64_t whole, part;
        const char *digits;
        double scale = 1;

        if (!take_number(text, &whole) || !take_word(text, "."))
                return false;
        digits = *text;
        if (!take_number(text, &part) || *text - digits > DECIMALS_MAX)
                return false;
        for (ptrdiff_t i = *text - digits; i > 0; i--)
                scale *= 10;

        *ret = (double) whole + (double) part / scale;

        return true;
}

bool counter_parse(const char *text, uint64_t *ret) {
        uint64_t value;

        if (!take_number(&text, &value) || (*text != '\0' && !streq(text, "\n")))
                return false;

        *ret = value;

        return true;
}

bool counter_parse_key(const char *text, const char *key, uint64_t *ret) {
        uint64_t value;

        for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *s = line;

                if (!take_word(&s, key) || !take_word(&s, " "))
                        continue;
                if (!take_number(&s, &value) || (*s != '\0' && *s != '\n'))
                        return false;

                *ret = value;
                return true;
        }

        return false;
}

/* Lines of "MAJOR:MINOR KEY=NUMBER..."; one for a device that nothing is known of has no keys. */
bool counter_parse_io(const char *text, uint64_t *ret_read, uint64_t *ret_write) {
        uint64_t sum_read = 0, sum_write = 0, value;

        for (const char *s = text; *s != '\0'; s += *s != '\0') {
                uint64_t *sum = NULL;

                s += strcspn(s, " \n");
                if (*s != ' ')
                        continue;
                if (string_after_prefix(s, " rbytes="))
                        sum = &sum_read;
                else if (string_after_prefix(s, " wbytes="))
                        sum = &sum_write;
                if (!sum)
                        continue;

                s += strlen(" rbytes=");
                if (!take_number(&s, &value) || (*s != '\0' && *s != ' ' && *s != '\n') ||
                    __builtin_add_overflow(*sum, value, sum))
                        return false;
                s--;
        }

        *ret_read = sum_read;
        *ret_write = sum_write;

        return true;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", among other lines. */
bool counter_parse_pressure(const char *text, Pressure *ret) {
        Pressure pressure = { .there = true };

        for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
                const char *s = line;

                if (!take_word(&s, "some "))
                        continue;
                if (!take_word(&s, "avg10=") || !take_percent(&s, &pressure.avg10) || !take_word(&s, " avg60=") ||
                    !take_percent(&s, &pressure.avg60) || !take_word(&s, " avg300=") ||
                    !take_percent(&s, &pressure.avg300) || !take_word(&s, " total=") ||
                    !take_number(&s, &pressure.total_usec) || (*s != '\0' && *s != '\n'))
                        return false;

                *ret = pressure;
                return true;
        }

        return false;
}

const char *pressure_resource_name(PressureResource resource) {
        static const char *const names[_PRESSURE_N] = { "cpu", "memory", "io" };

        return names[resource];
}

int control_group_open(const char *control_group) {
        _cleanup_close_ int top = open(CONTROL_GROUPS, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (top < 0)
                return -errno;

        return open_beneath(top, control_group, O_PATH | O_DIRECTORY);
}

static void read_number(int directory, const char *name, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;

        if (file_read(directory, name, COUNTER_FILE_MAX, &text, NULL) >= 0)
                (void) counter_parse(text, ret);
}

static void read_cpu(int directory, Counters *counters) {
        _cleanup_free_ char *text = NULL;
        uint64_t usec;

        if (file_read(directory, "cpu.stat", COUNTER_FILE_MAX, &text, NULL) >= 0 &&
            counter_parse_key(text, "usage_usec", &usec) && usec < UINT64_MAX / NSEC_PER_USEC)
                counters->cpu_usage_nsec = usec * NSEC_PER_USEC;
}

static void read_io(int directory, Counters *counters) {
        _cleanup_free_ char *text = NULL;

        if (file_read(directory, "io.stat", COUNTER_FILE_MAX, &text, NULL) >= 0)
                (void) counter_parse_io(text, &counters->io_read_bytes, &counters->io_write_bytes);
}

static void read_pressure(int directory, Counters *counters) {
        static const char *const files[_PRESSURE_N] = { "cpu.pressure", "memory.pressure", "io.pressure" };

        for (PressureResource resource = 0; resource < _PRESSURE_N; resource++) {
                _cleanup_free_ char *text = NULL;

                if (file_read(directory, files[resource], COUNTER_FILE_MAX, &text, NULL) >= 0)
                        (void) counter_parse_pressure(text, counters->pressure + resource);
        }
}

void counters_read(int control_group_fd, unsigned which, Counters *ret) {
        *ret = (Counters) {
                .memory_current = COUNTER_UNKNOWN,
                .memory_peak = COUNTER_UNKNOWN,
                .cpu_usage_nsec = COUNTER_UNKNOWN,
                .tasks_current = COUNTER_UNKNOWN,
                .io_read_bytes = COUNTER_UNKNOWN,
                .io_write_bytes = COUNTER_UNKNOWN,
        };
        if (control_group_fd < 0)
                return;

        if (which & COUNTERS_MEMORY)
                read_number(control_group_fd, "memory.current", &ret->memory_current);
        if (which & COUNTERS_MEMORY_PEAK)
                read_number(control_group_fd, "memory.peak", &ret->memory_peak);
        if (which & COUNTERS_CPU)
                read_cpu(control_group_fd, ret);
        if (which & COUNTERS_TASKS)
                read_number(control_group_fd, "pids.current", &ret->tasks_current);
        if (which & COUNTERS_IO)
                read_io(control_group_fd, ret);
        if (which & COUNTERS_PRESSURE)
                read_pressure(control_group_fd, ret);
}
