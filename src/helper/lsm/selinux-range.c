/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/lsm/selinux-range.h"

#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/sha256.h"
#include "basic/string.h"

#define CATEGORIES 1024
#define PAIRS (CATEGORIES * (CATEGORIES - 1) / 2)
#define BLOCKS 65536 /* of 65536 ids each */

/* Of containers without a block of ids, which the blocks leave some 460000 pairs. */
static uint32_t pair_of_name(const char *name) {
        uint8_t digest[SHA256_SIZE];
        uint32_t number;
        Sha256 hash;

        sha256_init(&hash);
        sha256_add(&hash, name, strlen(name));
        sha256_finish(&hash, digest);
        memcpy(&number, digest, sizeof number);
        return BLOCKS + number % (PAIRS - BLOCKS);
}

char *selinux_complete(const char *context, const char *name, uint32_t owner) {
        uint32_t pair = owner != 0 ? owner / 65536 : pair_of_name(name), high = 1;
        unsigned colons = 0;

        for (const char *p = context; *p; p++)
                colons += *p == ':';
        if (colons >= 3 && strchr(strrchr(context, ':'), 'c'))
                return strdup(context);

        /* Pairs (low, high) with low < high, in the order of high. */
        while (pair >= high) {
                pair -= high;
                high++;
        }

        return string_printf("%s%s:c%u,c%u", context, colons >= 3 ? "" : ":s0", pair, high);
}
