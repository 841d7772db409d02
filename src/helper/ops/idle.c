/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/ops/idle.h"

#include <errno.h>

#include "basic/string.h"

/* 1 when a unit of the answer is up, on its way there or not all gone, or has a job. */
static int read_units(sd_bus_message *answer) {
        int r;

        r = sd_bus_message_enter_container(answer, 'a', "(ssssssouso)");
        while (r >= 0) {
                const char *active;
                uint32_t job;

                r = sd_bus_message_read(answer, "(ssssssouso)", NULL, NULL, NULL, &active, NULL, NULL, NULL, &job, NULL,
                                        NULL);
                if (r == 0)
                        return 0;
                if (r > 0 && (job != 0 || (!streq(active, "inactive") && !streq(active, "failed"))))
                        return 1;
        }

        return r;
}

static int on_units(Request *request, sd_bus_message *answer) {
        const IdleQuestion *question = request->context;
        int r;

        if (sd_bus_message_is_method_error(answer, NULL))
                return question->unknown ? question->unknown(request)
                                         : request_fail_systemd(request, sd_bus_message_get_error(answer));
        r = read_units(answer);
        if (r < 0)
                return question->unknown ? question->unknown(request) : r;

        return r > 0 ? question->busy(request) : question->idle(request);
}

int request_ask_idle(Request *request, IdleNext idle, IdleNext busy, IdleNext unknown) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        char defined[UNIT_NAME_SIZE], transient[UNIT_NAME_SIZE];
        IdleQuestion *question = request->context;
        int r;

        *question = (IdleQuestion) { .idle = idle, .busy = busy, .unknown = unknown };
        unit_name(UNIT_DEFINED, request->name, defined);
        unit_name(UNIT_TRANSIENT, request->name, transient);
        r = request_systemd_call(request, "ListUnitsByNames", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "as", 2, defined, transient);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), on_units);
}

int request_fail_running(Request *request) {
        return request_fail(request, HELPER_ERROR_RUNNING, "Container %s is running; stop it first", request->name);
}
