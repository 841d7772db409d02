/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freeze, Thaw, ResetFailed: calls of systemd that take the unit and give nothing.
 */
#include "helper/ops/ops.h"

static int ask(Request *request, const char *member) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = request_systemd_call(request, member, &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "s", request->unit);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), request_answer_empty);
}

int op_freeze(Request *request) {
        return ask(request, "FreezeUnit");
}

int op_thaw(Request *request) {
        return ask(request, "ThawUnit");
}

int op_reset_failed(Request *request) {
        return ask(request, "ResetFailedUnit");
}
