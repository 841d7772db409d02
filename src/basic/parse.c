/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers, sizes, time spans, signals from text; see parse.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "basic/macro.h"
#include "basic/parse.h"
#include "basic/string.h"

int parse_boolean(const char *s, bool *ret) {
        static const char *const words[][2] = {
                { "no", "yes" }, { "0", "1" }, { "false", "true" },
                { "off", "on" }, { "n", "y" }, { "f", "t" },
        };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                for (unsigned value = 0; value < 2; value++)
                        if (strcasecmp(s, words[i][value]) == 0) {
                                *ret = value;
                                return 0;
                        }

        return -EINVAL;
}

/* The digits at the start of *S, moving it behind them. */
static int read_number(const char **s, unsigned base, uint64_t *ret) {
        uint64_t value = 0;
        const char *p = *s;
        bool large = false;

        for (; *p >= '0' && *p < (char) ('0' + base); p++)
                if (__builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*p - '0'), &value))
                        large = true;

        if (p == *s)
                return -EINVAL;

        *s = p;
        *ret = value;
        return large ? -ERANGE : 0;
}

int parse_u64(const char *s, uint64_t *ret) {
        uint64_t value;
        int r;

        r = read_number(&s, 10, &value);
        if (*s)
                return -EINVAL;
        if (r < 0)
                return r;

        *ret = value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
        uint64_t value;
        int r;

        r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;

        *ret = (uint32_t) value;
        return 0;
}

int parse_mode(const char *s, mode_t *ret) {
        uint64_t value;
        int r;

        r = read_number(&s, 8, &value);
        if (*s)
                return -EINVAL;
        if (r < 0)
                return r;
        if (value > 07777)
                return -ERANGE;

        *ret = (mode_t) value;
        return 0;
}

/* The decimals after a dot at *S as a fraction of SCALE, rounded down; more than nine digits are refused. */
static int read_fraction(const char **s, uint64_t scale, uint64_t *ret) {
        unsigned __int128 value = 0, divisor = 1;
        const char *p;

        *ret = 0;
        if (**s != '.')
                return 0;

        for (p = ++*s; *p >= '0' && *p <= '9'; p++) {
                if (p - *s >= 9)
                        return -EINVAL;
                value = value * 10 + (unsigned) (*p - '0');
                divisor *= 10;
        }
        if (p == *s)
                return -EINVAL;

        *s = p;
        *ret = (uint64_t) (value * scale / divisor);
        return 0;
}

int parse_size(const char *s, uint64_t base, uint64_t *ret) {
        static const char suffixes[] = "BKMGTPE";
        uint64_t value, fraction, scale = 1;
        const char *start = s, *suffix;
        int r, q;

        /* The scale is needed to read the fraction, and stands behind it. */
        s += strspn(s, "0123456789.");
        if (*s) {
                suffix = strchr(suffixes, *s);
                if (!suffix || s[1])
                        return -EINVAL;
                for (const char *p = suffixes; p < suffix; p++)
                        scale *= base;
        }

        r = read_number(&start, 10, &value);
        if (r == -EINVAL)
                return r;
        q = read_fraction(&start, scale, &fraction);
        if (q < 0 || start != s)
                return -EINVAL;
        if (r < 0 || __builtin_mul_overflow(value, scale, &value) ||
            __builtin_add_overflow(value, fraction, &value))
                return -ERANGE;

        *ret = value;
        return 0;
}

/* The length of a time unit at *S, moving it behind; a number without a unit is seconds. */
static uint64_t read_time_unit(const char **s) {
        static const struct {
                const char *name;
                uint64_t usec;
        } units[] = {
                { "seconds", USEC_PER_SEC },
                { "second", USEC_PER_SEC },
                { "sec", USEC_PER_SEC },
                { "s", USEC_PER_SEC },
                { "minutes", 60 * USEC_PER_SEC },
                { "minute", 60 * USEC_PER_SEC },
                { "min", 60 * USEC_PER_SEC },
                { "msec", USEC_PER_MSEC },
                { "ms", USEC_PER_MSEC },
                { "m", 60 * USEC_PER_SEC },
                { "hours", 3600 * USEC_PER_SEC },
                { "hour", 3600 * USEC_PER_SEC },
                { "hr", 3600 * USEC_PER_SEC },
                { "h", 3600 * USEC_PER_SEC },
                { "days", 86400 * USEC_PER_SEC },
                { "day", 86400 * USEC_PER_SEC },
                { "d", 86400 * USEC_PER_SEC },
                { "weeks", 7 * 86400 * USEC_PER_SEC },
                { "week", 7 * 86400 * USEC_PER_SEC },
                { "w", 7 * 86400 * USEC_PER_SEC },
                { "usec", 1 },
                { "us", 1 },
                { "\302\265s", 1 },
        };
        size_t n = strcspn(*s, WHITESPACE "0123456789");

        if (n == 0)
                return USEC_PER_SEC;
        for (size_t i = 0; i < ELEMENTSOF(units); i++)
                if (strlen(units[i].name) == n && strncmp(*s, units[i].name, n) == 0) {
                        *s += n;
                        return units[i].usec;
                }

        return 0;
}

int parse_timespan(const char *s, uint64_t *ret_usec) {
        uint64_t sum = 0;
        bool large = false;

        if (!*s)
                return -EINVAL;

        while (*s) {
                uint64_t value, fraction, unit;
                const char *number = s;
                int r;

                /* The unit first: the fraction is one of it. */
                s += strspn(s, "0123456789.");
                s += strspn(s, WHITESPACE);
                unit = read_time_unit(&s);
                if (unit == 0)
                        return -EINVAL;

                r = read_number(&number, 10, &value);
                if (r == -EINVAL)
                        return r;
                large = large || r < 0;
                r = read_fraction(&number, unit, &fraction);
                if (r < 0 || (*number >= '0' && *number <= '9') || *number == '.')
                        return -EINVAL;

                if (__builtin_mul_overflow(value, unit, &value) ||
                    __builtin_add_overflow(value, fraction, &value) ||
                    __builtin_add_overflow(sum, value, &sum))
                        large = true;
                s += strspn(s, WHITESPACE);
        }

        /* The largest value means "for ever" in systemd's own arithmetic. */
        if (large || sum == UINT64_MAX)
                return -ERANGE;

        *ret_usec = sum;
        return 0;
}

int parse_permyriad(const char *s, uint64_t *ret) {
        uint64_t value, fraction;
        const char *dot;
        int r, q;

        r = read_number(&s, 10, &value);
        if (r == -EINVAL)
                return r;
        dot = s;
        q = read_fraction(&s, 100, &fraction);
        if (q < 0 || !streq(s, "%") || s - dot > 3)
                return -EINVAL;
        if (r < 0 || __builtin_mul_overflow(value, UINT64_C(100), &value) ||
            __builtin_add_overflow(value, fraction, &value))
                return -ERANGE;

        *ret = value;
        return 0;
}

int parse_signal(const char *s, int *ret) {
        const char *name = string_after_prefix(s, "SIG") ?: s, *offset;
        uint32_t number = 0;
        int base;

        if (parse_u32(s, &number) >= 0) {
                if (number < 1 || number > (uint32_t) SIGRTMAX)
                        return -ERANGE;
                *ret = (int) number;
                return 0;
        }

        if ((offset = string_after_prefix(name, "RTMIN"))) {
                if (*offset && (*offset != '+' || parse_u32(offset + 1, &number) < 0))
                        return -EINVAL;
                if (number > (uint32_t) (SIGRTMAX - SIGRTMIN))
                        return -ERANGE;
                base = SIGRTMIN + (int) number;
        } else if ((offset = string_after_prefix(name, "RTMAX"))) {
                if (*offset && (*offset != '-' || parse_u32(offset + 1, &number) < 0))
                        return -EINVAL;
                if (number > (uint32_t) (SIGRTMAX - SIGRTMIN))
                        return -ERANGE;
                base = SIGRTMAX - (int) number;
        } else {
                for (base = 1; base < SIGRTMIN; base++)
                        if (streq_null(sigabbrev_np(base), name))
                                break;
                if (base >= SIGRTMIN)
                        return -EINVAL;
        }

        *ret = base;
        return 0;
}

const char *signal_name(int sig, char ret_buffer[static 16]) {
        const char *name = sig > 0 ? sigabbrev_np(sig) : NULL;

        if (name)
                (void) snprintf(ret_buffer, 16, "SIG%s", name);
        else if (sig >= SIGRTMIN && sig <= SIGRTMAX)
                (void) snprintf(ret_buffer, 16, "SIGRTMIN+%u", (unsigned) (sig - SIGRTMIN) & 63U);
        else if (sig > 0 && sig < SIGRTMIN)
                (void) snprintf(ret_buffer, 16, "%d", sig);
        else
                return NULL;

        return ret_buffer;
}
