/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether what was printed really was written. The C library forgets why it was not; here the first cause is
 * kept, which main() tells at the end.
 */
#pragma once

/* Hands on what was printed so far: 0, or -EIO if that or something before failed. */
int output_flush(void);

/* Why it failed first, a positive errno; 0 if it did not. */
int output_error(void);
