/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of short texts. Used where a value must be stable for a
 * name and must not give away the key it was derived with, such as the host's machine id.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t siphash24(const void *data, size_t size, const uint8_t key[static 16]);
