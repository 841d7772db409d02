/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a system call costs where this runs: nanoseconds of the cheapest one, the least of several rounds. A
 * filter of system calls is most of the difference between two places. Said on standard output, and in
 * /result if that exists: not every container manager hands on what is printed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20
#define CALLS 200000

static uint64_t now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000U + (uint64_t) t.tv_nsec;
}

int main(void) {
        uint64_t least = UINT64_MAX;
        FILE *result;

        for (int i = 0; i < ROUNDS; i++) {
                uint64_t begin = now(), taken;

                for (int j = 0; j < CALLS; j++)
                        (void) syscall(SYS_getpid);
                taken = now() - begin;
                if (taken < least)
                        least = taken;
        }

        (void) printf("%.1f\n", (double) least / CALLS);
        result = fopen("/result", "r+e");
        if (result) {
                (void) fprintf(result, "%.1f\n", (double) least / CALLS);
                (void) fclose(result);
        }
        return EXIT_SUCCESS;
}
