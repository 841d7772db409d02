/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kill: a signal to the container's init, or to all of its processes.
 */
#include <signal.h>

#include "basic/string.h"
#include "helper/ops/ops.h"

int op_kill(Request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        const char *whom;
        int32_t number;
        int r;

        r = sd_bus_message_read(request->message, "si", &whom, &number);
        if (r < 0)
                return r;
        if (!streq(whom, "leader") && !streq(whom, "all"))
                return request_fail(
                                request, SD_BUS_ERROR_INVALID_ARGS,
                                "A signal goes to \"leader\" or to \"all\"");
        if (number < 1 || number > SIGRTMAX)
                return request_fail(
                                request, SD_BUS_ERROR_INVALID_ARGS, "%d is no signal; they are 1 to %d",
                                number, SIGRTMAX);

        r = request_systemd_call(request, "KillUnit", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(
                        call, "ssi", request->unit, streq(whom, "leader") ? "main" : "all", number);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), request_answer_empty);
}
