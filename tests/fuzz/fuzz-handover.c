/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The data of a hand-over: what is taken are names that encode to the very same bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Handover handover = HANDOVER_NULL;
        const char *names[HANDOVER_FDS_MAX];
        char encoded[HANDOVER_DATA_MAX];
        size_t encoded_size;
        int r;

        r = handover_decode((const char *) data, size, &handover);
        must(r == 0 || r == -EBADMSG);
        if (r < 0)
                return 0;

        for (size_t i = 0; i < handover.n_fds; i++) {
                must(handover_name_is_valid(handover.fds[i].name) && handover.fds[i].fd < 0);
                names[i] = handover.fds[i].name;
        }
        must(handover_encode(names, handover.n_fds, encoded, &encoded_size) == 0);
        must(encoded_size == size && memcmp(encoded, data, size) == 0);

        return 0;
}
