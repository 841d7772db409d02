/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SetProperties: resource limits of a container's unit, all of them or none; systemd keeps them.
 */
#include <errno.h>

#include "helper/ops/ops.h"
#include "helper/serve/properties.h"

static const char *error_name(int error) {
        switch (error) {
        case PROPERTY_E_UNKNOWN:
                return HELPER_ERROR_NO_PROPERTY;
        case PROPERTY_E_LIMIT:
                return SD_BUS_ERROR_LIMITS_EXCEEDED;
        case PROPERTY_E_ROOT:
                return HELPER_ERROR_POLICY;
        default:
                return SD_BUS_ERROR_INVALID_ARGS;
        }
}

/* Copies the properties into the call, checked. 0, negative errno, or a PropertyError and WHY. */
static int
copy_properties(sd_bus_message *message, sd_bus_message *call, char why[static PROPERTY_WHY_SIZE]) {
        size_t n = 0;
        int r;

        r = sd_bus_message_enter_container(message, 'a', "(sv)");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(call, 'a', "(sv)");
        if (r < 0)
                return r;

        while ((r = sd_bus_message_at_end(message, false)) == 0) {
                Property property;

                if (++n > PROPERTIES_MAX)
                        return -EINVAL;
                r = property_read(message, &property, why);
                if (r != 0)
                        return r;
                r = property_append(call, &property);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        if (n == 0)
                return -EINVAL;

        return sd_bus_message_close_container(call);
}

int op_set_properties(Request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        char why[PROPERTY_WHY_SIZE];
        int r, runtime;

        r = sd_bus_message_read(request->message, "b", &runtime);
        if (r < 0)
                return r;
        r = request_systemd_call(request, "SetUnitProperties", &call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "sb", request->unit, runtime);
        if (r < 0)
                return r;
        r = copy_properties(request->message, call, why);
        if (r < 0)
                return r;
        if (r > 0)
                return request_fail(request, error_name(r), "%s", why);

        return request_systemd(request, TAKE_PTR(call), request_answer_empty);
}
