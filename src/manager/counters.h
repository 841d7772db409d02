/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container uses, read from the files of its unit's control group when somebody wants to know. What the kernel
 * or the control group does not keep is COUNTER_UNKNOWN, or a Pressure that is not there; it is no error.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define COUNTER_UNKNOWN UINT64_MAX

typedef enum CounterSet {
        COUNTERS_MEMORY = 1 << 0,
        COUNTERS_MEMORY_PEAK = 1 << 1,
        COUNTERS_CPU = 1 << 2,
        COUNTERS_TASKS = 1 << 3,
        COUNTERS_IO = 1 << 4,
        COUNTERS_PRESSURE = 1 << 5,
        COUNTERS_ALL = (1 << 6) - 1,
} CounterSet;

typedef enum PressureResource {
        PRESSURE_CPU,
        PRESSURE_MEMORY,
        PRESSURE_IO,
        _PRESSURE_N,
} PressureResource;

/* The share of time in percent in which some task waited, over the last 10, 60 and 300 seconds, and the time in all. */
typedef struct Pressure {
        bool there;
        double avg10, avg60, avg300;
        uint64_t total_usec;
} Pressure;

typedef struct Counters {
        uint64_t memory_current;  /* bytes */
        uint64_t memory_peak;     /* bytes */
        uint64_t cpu_usage_nsec;
        uint64_t tasks_current;
        uint64_t io_read_bytes;   /* of all devices */
        uint64_t io_write_bytes;
        Pressure pressure[_PRESSURE_N];
} Counters;

/* "cpu", "memory", "io". */
const char *pressure_resource_name(PressureResource resource);

/* Opens a control group as systemd names it ("/machine.slice/container@web.service"). A descriptor, or a negative errno:
 * -ENOENT when it is not there (any longer). */
int control_group_open(const char *control_group);

/* Reads those of WHICH; the others are unknown. CONTROL_GROUP_FD may be negative: all are unknown. */
void counters_read(int control_group_fd, unsigned which, Counters *ret);

/* The grammars of the files, for counters_read(). True if what was looked for is there and understood. */
bool counter_parse(const char *text, uint64_t *ret);                      /* memory.current: a number */
bool counter_parse_key(const char *text, const char *key, uint64_t *ret); /* cpu.stat: "KEY NUMBER" lines */
bool counter_parse_io(const char *text, uint64_t *ret_read, uint64_t *ret_write);
bool counter_parse_pressure(const char *text, Pressure *ret);
