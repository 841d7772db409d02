/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/output.h"

#include <errno.h>
#include <stdio.h>

static int first_error;

int output_flush(void) {
        if (fflush(stdout) != 0 && first_error == 0)
                first_error = errno;
        else if (ferror(stdout) && first_error == 0) /* of a write that was no flush */
                first_error = EIO;

        return first_error != 0 ? -EIO : 0;
}

int output_error(void) {
        return first_error;
}
