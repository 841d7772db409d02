/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Remove: takes the definition away, so that the container cannot be started any more, then makes sure that it does not
 * run, and only then deletes what was made for it. systemd's own leftovers of the unit (enabled, properties) go last.
 *
 * A child that is killed leaves the definition where it was, or under a name that says what else is to go: the next
 * operation on that name, or the next helper, does the rest.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/ops/idle.h"
#include "helper/store/make.h"

typedef struct Remove {
        IdleQuestion question;
        const char *name;
        char trash[STORE_NAME_SIZE];
        int data;
        bool unknown; /* whether it runs */
        unsigned call; /* of those below */
} Remove;

/* What systemd keeps about a unit beside its file; that there is nothing of it is no error. */
static const struct {
        const char *member;
        bool files;   /* takes a list */
        bool runtime; /* and whether it is about /run */
        bool value;
} calls[] = {
        { "DisableUnitFiles", .files = true, .runtime = true, .value = false },
        { "DisableUnitFiles", .files = true, .runtime = true, .value = true },
        { "RevertUnitFiles", .files = true },
        { "ResetFailedUnit" },
};

static int give(ChildReport *report, int result, const StoreError *error, const char *text) {
        if (result < 0)
                return error->name ? child_give_error(report, error->name, "%s", error->sentence) : result;

        return child_give(report, text);
}

/* In children */

static int withdraw_do(ChildReport *report, void *userdata) {
        Remove *remove = userdata;
        StoreError error = {};
        int r;

        r = store_withdraw(remove->name, remove->data, remove->trash, &error);
        return give(report, r, &error, remove->trash);
}

static int restore_do(ChildReport *report, void *userdata) {
        const Remove *remove = userdata;
        StoreError error = {};
        int r;

        r = store_restore(remove->name, remove->trash, &error);
        return give(report, r, &error, "");
}

static int remove_do(ChildReport *report, void *userdata) {
        const Remove *remove = userdata;
        StoreError error = {};
        int r;

        r = store_remove(remove->name, remove->data, remove->trash, &error);
        return give(report, r, &error, "");
}

/* In the serving process, from the last step to the first */

static int forget_next(Request *request);

static int on_forgotten(Request *request, sd_bus_message *answer) {
        Remove *remove = request->context;

        remove->call++;
        return forget_next(request);
}

static int forget_next(Request *request) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        const Remove *remove = request->context;
        char unit[UNIT_NAME_SIZE];
        size_t i = remove->call;
        int r;

        if (i == ELEMENTSOF(calls))
                return request_reply(request, "");

        unit_name(UNIT_DEFINED, request->name, unit);
        r = request_systemd_call(request, calls[i].member, &call);
        if (r >= 0)
                r = calls[i].files ? sd_bus_message_append(call, "as", 1, unit) : sd_bus_message_append(call, "s", unit);
        if (r >= 0 && calls[i].runtime)
                r = sd_bus_message_append(call, "b", (int) calls[i].value);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), on_forgotten);
}

static int on_removed(Request *request, ChildResult *result) {
        if (result->error)
                return request_fail(request, result->error, "%s", result->text);

        return forget_next(request);
}

static int on_restored(Request *request, ChildResult *result) {
        const Remove *remove = request->context;

        if (result->error)
                return request_fail(request, result->error, "%s", result->text);
        if (remove->unknown)
                return request_fail(request, HELPER_ERROR_SYSTEMD,
                                    "Nothing of container %s was removed: systemd does not say whether it is running",
                                    request->name);

        return request_fail_running(request);
}

static int restore_run(Request *request) {
        return request_child(request, restore_do, request->context, NULL, 0, on_restored);
}

static int restore_unknown(Request *request) {
        Remove *remove = request->context;

        remove->unknown = true;
        return restore_run(request);
}

static int remove_run(Request *request) {
        return request_child(request, remove_do, request->context, NULL, 0, on_removed);
}

static int on_withdrawn(Request *request, ChildResult *result) {
        Remove *remove = request->context;
        int r;

        if (result->error)
                return request_fail(request, result->error, "%s", result->text);
        if (strlen(result->text) >= sizeof remove->trash)
                return -EBADMSG;
        memcpy(remove->trash, result->text, strlen(result->text) + 1);

        r = request_ask_idle(request, remove_run, restore_run, restore_unknown);
        return r < 0 ? restore_unknown(request) : r;
}

static int withdraw_run(Request *request) {
        return request_child(request, withdraw_do, request->context, NULL, 0, on_withdrawn);
}

int op_remove(Request *request) {
        Remove *remove;
        int r;

        remove = calloc(1, sizeof *remove);
        if (!remove)
                return -ENOMEM;
        remove->name = request->name;
        request->context = remove;
        request->context_free = free;

        r = sd_bus_message_read_basic(request->message, 'b', &remove->data);
        if (r < 0)
                return r;

        return request_ask_idle(request, withdraw_run, request_fail_running, NULL);
}
