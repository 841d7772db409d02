/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The files of a control group. Whatever they hold: what is understood is a number that can be, and what is not leaves
 * the value alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "manager/counters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

static void check_numbers(const char *text) {
        uint64_t a = 1, b = 2;

        must(counter_parse(text, &a) || a == 1);
        a = 1;
        must(counter_parse_key(text, "usage_usec", &a) || a == 1);
        a = 1;
        must(counter_parse_io(text, &a, &b) || (a == 1 && b == 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *text = strndup((const char *) data, size);
        Pressure pressure = {};

        must(!!text);
        check_numbers(text);
        must(counter_parse_pressure(text, &pressure) == pressure.there);
        must(pressure.avg10 >= 0 && pressure.avg60 >= 0 && pressure.avg300 >= 0);

        return 0;
}
