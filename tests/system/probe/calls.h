/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that a filter may be about, made with arguments that do no harm where they are allowed: lines of
 * call.NAME=ok, or the error's name.
 */
#pragma once

void calls_try_all(void);

/* Four times the call that tests have somebody asked about. */
void calls_notified(void);
