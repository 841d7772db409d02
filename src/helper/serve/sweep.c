/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/sweep.h"

#include <errno.h>
#include <string.h>

#include "basic/cleanup.h"
#include "helper/serve/child.h"
#include "helper/serve/log.h"
#include "helper/store/place.h"

static int delete_do(ChildReport *report, void *userdata) {
        _cleanup_(store_done) Store store = STORE_NULL;
        StoreError error;
        int r;

        r = store_open(&error, &store);
        if (r < 0)
                return child_give_error(report, error.name, "%s", error.sentence);
        r = store_empty_trash(&store);

        return r < 0 ? r : child_give(report, "");
}

static void on_deleted(ChildResult *result, void *userdata) {
        if (result->error)
                log_line(LOG_WARNING, "Cannot delete what is in the trash: %s", result->text);
}

int sweep_begin(sd_event *event) {
        _cleanup_(store_done) Store store = STORE_NULL;
        StoreError error;
        Child *child;
        int r;

        r = store_open(&error, &store);
        if (r < 0) {
                log_line(LOG_ERR, "%s", error.sentence);
                return 0;
        }
        r = store_sweep(&store, NULL);
        if (r < 0)
                log_line(LOG_ERR, "Cannot put away what an earlier helper left in the store: %s",
                         strerror(-r));

        return child_start(event, &(ChildTask){ .work = delete_do }, on_deleted, NULL, &child);
}
