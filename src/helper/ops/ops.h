/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The operations, as the table knows them. Each is described in spec/helper-interface.h; why it is safe to
 * grant stands in its row. One operation, or one family of them, a file.
 */
#pragma once

#include "helper/serve/request.h"

/* job.c */
int op_start(Request *request);
int op_stop(Request *request);
int op_restart(Request *request);

/* state.c */
int op_freeze(Request *request);
int op_thaw(Request *request);
int op_reset_failed(Request *request);

/* The others have files of their own name. */
int op_kill(Request *request);
int op_open_root(Request *request);
int op_reload(Request *request);
int op_run(Request *request);
int op_set_properties(Request *request);
int op_create(Request *request); /* create.c */
int op_remove(Request *request); /* remove.c */
