/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Answers of the fake service that have nothing to do with the question.
 */
#pragma once

#include <systemd/sd-bus.h>

/* Answers M by the SHAPEth of them, from 0; the last one is an error without words. */
int reply_shape(sd_bus *bus, sd_bus_message *m, int shape);
