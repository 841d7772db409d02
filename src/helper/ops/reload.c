/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reload: systemd reads its units anew, and has berth's generator make the drop-ins of what the definitions
 * say now.
 */
#include "helper/ops/ops.h"

int op_reload(Request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = request_systemd_call(request, "Reload", &call);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), request_answer_empty);
}
