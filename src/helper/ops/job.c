/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Start, Stop, Restart: the job that systemd makes of it. The manager watches the job; it is systemd that
 * waits.
 */
#include "helper/ops/ops.h"

static int on_job(Request *request, sd_bus_message *answer) {
        const char *job = NULL;
        int r;

        if (sd_bus_message_is_method_error(answer, NULL))
                return request_fail_systemd(request, sd_bus_message_get_error(answer));

        r = sd_bus_message_read(answer, "o", &job);
        if (r < 0)
                return r;

        return request_reply(request, "o", job);
}

static int ask_job(Request *request, const char *member) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        int r;

        r = request_systemd_call(request, member, &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "ss", request->unit, "replace");
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), on_job);
}

int op_start(Request *request) {
        return ask_job(request, "StartUnit");
}

int op_stop(Request *request) {
        return ask_job(request, "StopUnit");
}

int op_restart(Request *request) {
        return ask_job(request, "RestartUnit");
}
