/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a control group: what the kernel writes is understood, anything else is unknown and never a number.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "manager/counters.h"

#include "test.h"

static void test_number(void) {
        static const char *const bad[] = { "", "\n", "max\n", "-1\n", " 1\n", "1 \n", "1\n\n", "1x", "0x10\n",
                                           "18446744073709551616\n", "99999999999999999999\n" };
        uint64_t value = 7;

        CHECK(counter_parse("0\n", &value) && value == 0);
        CHECK(counter_parse("123456789012\n", &value) && value == 123456789012);
        CHECK(counter_parse("42", &value) && value == 42);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK(!counter_parse(bad[i], &value));
        CHECK_INT(value, 42);
}

static void test_key(void) {
        static const char stat[] = "usage_usec_x 1\nusage_usec 5000\nuser_usec 4000\nsystem_usec 1000\n";
        uint64_t value = 7;

        CHECK(counter_parse_key(stat, "usage_usec", &value) && value == 5000);
        CHECK(counter_parse_key(stat, "system_usec", &value) && value == 1000);
        CHECK(!counter_parse_key(stat, "usec", &value));
        CHECK(!counter_parse_key("", "usage_usec", &value));
        CHECK(!counter_parse_key("usage_usec", "usage_usec", &value));
        CHECK(!counter_parse_key("usage_usec \n", "usage_usec", &value));
        CHECK(!counter_parse_key("usage_usec 1 2\n", "usage_usec", &value));
        CHECK_INT(value, 1000);
}

static void test_io(void) {
        uint64_t read = 7, write = 7;

        CHECK(counter_parse_io("8:0 rbytes=100 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n"
                               "7:1 \n"
                               "259:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n", &read, &write));
        CHECK_INT(read, 101);
        CHECK_INT(write, 22);
        /* Nothing was read or written, yet. */
        CHECK(counter_parse_io("", &read, &write) && read == 0 && write == 0);
        /* Keys in another order, a key that ends alike, no newline. */
        CHECK(counter_parse_io("8:0 xrbytes=9 wbytes=3 new=x rbytes=4", &read, &write) && read == 4 && write == 3);
        CHECK(!counter_parse_io("8:0 rbytes=\n", &read, &write));
        CHECK(!counter_parse_io("8:0 rbytes=-1\n", &read, &write));
        CHECK(!counter_parse_io("8:0 rbytes=1x\n", &read, &write));
        CHECK(!counter_parse_io("8:0 wbytes=18446744073709551615\n8:1 wbytes=1\n", &read, &write));
        CHECK(read == 4 && write == 3);
}

static void test_pressure(void) {
        static const char *const bad[] = {
                "", "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", "some\n", "some avg10=0 avg60=0 avg300=0 total=0\n",
                "some avg10=0.00 avg60=0.00 avg300=0.00\n", "some avg10=0,00 avg60=0.00 avg300=0.00 total=0\n",
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=0 more\n",
                "some avg10=0.1234567 avg60=0.00 avg300=0.00 total=0\n", "some avg10=nan avg60=0.00 avg300=0.00 total=0\n",
        };
        Pressure pressure = {};

        CHECK(counter_parse_pressure("some avg10=1.25 avg60=0.50 avg300=99.99 total=123456\n"
                                     "full avg10=7.00 avg60=7.00 avg300=7.00 total=7\n", &pressure));
        CHECK(pressure.there);
        CHECK(pressure.avg10 == 1.25 && pressure.avg60 == 0.5 && pressure.avg300 > 99.98 && pressure.avg300 < 100);
        CHECK_INT(pressure.total_usec, 123456);
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                CHECK(!counter_parse_pressure(bad[i], &pressure));
        CHECK(pressure.avg10 == 1.25);
}

static void test_files(void) {
        static const char *const files[][2] = {
                { "memory.current", "4096\n" }, { "cpu.stat", "usage_usec 3\n" }, { "io.stat", "8:0 rbytes=5 wbytes=6\n" },
                { "pids.current", "max\n" },    { "io.pressure", "some avg10=1.00 avg60=2.00 avg300=3.00 total=4\n" },
        };
        char path[] = "/tmp/test-counters-XXXXXX";
        _cleanup_close_ int directory = -EBADF;
        Counters counters;

        REQUIRE(mkdtemp(path));
        directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        REQUIRE(directory >= 0);
        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                REQUIRE(file_create(directory, files[i][0], 0600, files[i][1]) >= 0);

        counters_read(directory, COUNTERS_ALL, &counters);
        CHECK_INT(counters.memory_current, 4096);
        CHECK(counters.memory_peak == COUNTER_UNKNOWN && counters.tasks_current == COUNTER_UNKNOWN);
        CHECK_INT(counters.cpu_usage_nsec, 3000);
        CHECK(counters.io_read_bytes == 5 && counters.io_write_bytes == 6);
        CHECK(counters.pressure[PRESSURE_IO].there && counters.pressure[PRESSURE_IO].avg300 == 3);
        CHECK(!counters.pressure[PRESSURE_CPU].there && !counters.pressure[PRESSURE_MEMORY].there);

        counters_read(directory, COUNTERS_CPU, &counters);
        CHECK(counters.cpu_usage_nsec == 3000 && counters.memory_current == COUNTER_UNKNOWN &&
              counters.io_read_bytes == COUNTER_UNKNOWN && !counters.pressure[PRESSURE_IO].there);

        counters_read(-ENOENT, COUNTERS_ALL, &counters);
        CHECK(counters.cpu_usage_nsec == COUNTER_UNKNOWN);

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                (void) unlinkat(directory, files[i][0], 0);
        CHECK(rmdir(path) >= 0);
}

static void test_names(void) {
        CHECK_STR(pressure_resource_name(PRESSURE_CPU), "cpu");
        CHECK_STR(pressure_resource_name(PRESSURE_MEMORY), "memory");
        CHECK_STR(pressure_resource_name(PRESSURE_IO), "io");
}

static void test_control_group(void) {
        CHECK_INT(control_group_open("/no-such.slice/at-all.service"), -ENOENT);
        CHECK(control_group_open("/../../etc") < 0);
}

TESTS(test_number, test_key, test_io, test_pressure, test_files, test_names, test_control_group)
