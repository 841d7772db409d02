/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `berth-helper clean NAME`, the ExecStopPost= of a transient unit: removes the root, image or overlay that the store
 * made for the run (helper/store/make.h), when it is over. It is not over when the guest reboots or somebody restarts
 * the unit. What is not removed here, the service's next start puts away.
 */
#pragma once

#include <stdbool.h>

int clean(const char *name);

typedef enum CleanJob {
        CLEAN_JOB_NONE,  /* none that tells: also a start that is just failing */
        CLEAN_JOB_STOP,
        CLEAN_JOB_OTHER, /* restart, start */
} CleanJob;

/* What a line of `systemctl list-jobs` says of the unit, "" if there is none. */
CleanJob clean_parse_job(const char *line);

/* Is a run over whose main process ended so ($EXIT_CODE, $EXIT_STATUS; may be NULL) while there was such a job? */
bool clean_is_over(CleanJob job, const char *exit_code, const char *exit_status);
