/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of keeping containers (make.h) that are about their data. */
#pragma once

#include "helper/store/make.h"

/* Makes the data under the container's name, or nothing. */
int store_make_data(const Store *store, const char *container, const StoreData *data, char **ret_notes,
                    StoreError *error);

/* Is there the mark of a run of this name? 1, 0 or a negative errno. */
int store_find_run(const Store *store, const char *container);
int store_forget_run(const Store *store, const char *container);
