/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/serve/serve.h"

#define SENTENCE_MAX 4096

/* What systemd says when there is nothing to do something to. */
static const char *const not_running[] = {
        "org.freedesktop.systemd1.NoSuchUnit",
        "org.freedesktop.systemd1.NoSuchProcess",
        "org.freedesktop.systemd1.UnitInactive",
};

/* Is there anybody to answer to? */
static bool request_is_heard(const Request *request) {
        return request->connection && sd_bus_is_open(request->connection->bus) > 0;
}

/* Adds an array of strings, one a line of LINES. */
static int append_lines(sd_bus_message *reply, const char *lines) {
        int r;

        r = sd_bus_message_open_container(reply, 'a', "s");
        while (r >= 0 && *lines) {
                size_t size = strcspn(lines, "\n");
                _cleanup_free_ char *line = strndup(lines, size);

                if (!line)
                        return -ENOMEM;
                r = sd_bus_message_append_basic(reply, 's', line);
                lines += size + (lines[size] == '\n');
        }

        return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* LINES may be NULL: no array then. */
static int reply(Request *request, const char *lines, const char *types, va_list args) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *answer = NULL;
        int r;

        if (!request_is_heard(request)) {
                server_forget(request->server, request);
                return 0;
        }

        r = sd_bus_message_new_method_return(request->message, &answer);
        if (r >= 0 && types && *types)
                r = sd_bus_message_appendv(answer, types, args);
        if (r >= 0 && lines)
                r = append_lines(answer, lines);
        if (r >= 0)
                r = sd_bus_send(NULL, answer, NULL);
        if (r < 0)
                return request_fail(
                                request, HELPER_ERROR_FAILED, "The answer cannot be sent: %s", strerror(-r));

        server_forget(request->server, request);
        return 0;
}

int request_reply(Request *request, const char *types, ...) {
        va_list args;
        int r;

        va_start(args, types);
        r = reply(request, NULL, types, args);
        va_end(args);
        return r;
}

int request_reply_lines(Request *request, const char *lines, const char *types, ...) {
        va_list args;
        int r;

        va_start(args, types);
        r = reply(request, lines, types, args);
        va_end(args);
        return r;
}

int request_fail(Request *request, const char *error, const char *format, ...) {
        _cleanup_free_ char *sentence = NULL;
        char text[SENTENCE_MAX];
        va_list args;

        va_start(args, format);
        (void) vsnprintf(text, sizeof text, format, args);
        va_end(args);
        sentence = string_escape_unprintable(text);

        refusals_tell(&request->server->refusals, "%s %s%s%s: %s", request->operation->member, request->name,
                      *request->name ? ": " : "", error, sentence ?: "?");
        if (request_is_heard(request))
                (void) sd_bus_reply_method_errorf(
                                request->message, error, "%s", sentence ?: "Out of memory");
        server_forget(request->server, request);

        return 0;
}

int request_fail_systemd(Request *request, const sd_bus_error *error) {
        const char *name = HELPER_ERROR_SYSTEMD;

        for (size_t i = 0; i < ELEMENTSOF(not_running); i++)
                if (sd_bus_error_has_name(error, not_running[i]))
                        name = HELPER_ERROR_NOT_RUNNING;

        return request_fail(request, name, "%s", error->message ?: error->name);
}

int request_systemd_call(Request *request, const char *member, sd_bus_message **ret) {
        return systemd_new_call(
                        &request->server->systemd, SYSTEMD_MANAGER_PATH, SYSTEMD_MANAGER, member, ret);
}

int request_systemd_get(Request *request, const char *path, sd_bus_message **ret) {
        return systemd_new_call(
                        &request->server->systemd, path, "org.freedesktop.DBus.Properties", "Get", ret);
}

static int on_answer(sd_bus_message *answer, void *userdata, sd_bus_error *ret_error) {
        Request *request = userdata;
        int r;

        request->slot = sd_bus_slot_unref(request->slot);
        r = request->answer(request, answer);
        if (r < 0)
                return request_fail(request, HELPER_ERROR_FAILED, "systemd's answer: %s", strerror(-r));

        return 0;
}

int request_systemd(Request *request, sd_bus_message *call_take, RequestAnswer answer) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = call_take;

        request->answer = answer;

        return systemd_send(
                        &request->server->systemd, call, HELPER_SYSTEMD_USEC, on_answer, request,
                        &request->slot);
}

static void on_result(ChildResult *result, void *userdata) {
        Request *request = userdata;
        int r;

        request->child = NULL;
        r = request->result(request, result);
        if (r < 0)
                (void) request_fail(
                                request, HELPER_ERROR_FAILED, "%s: %s", request->operation->member,
                                strerror(-r));
}

int request_child(
                Request *request,
                ChildWork work,
                void *userdata,
                const int *fds,
                size_t n_fds,
                RequestResult result) {

        const ChildTask task = { .work = work, .userdata = userdata, .fds = fds, .n_fds = n_fds };

        request->result = result;

        return child_start(request->server->event, &task, on_result, request, &request->child);
}

int request_result_empty(Request *request, ChildResult *result) {
        if (result->error)
                return request_fail(request, result->error, "%s", result->text);

        return request_reply(request, "");
}

int request_answer_empty(Request *request, sd_bus_message *answer) {
        if (sd_bus_message_is_method_error(answer, NULL))
                return request_fail_systemd(request, sd_bus_message_get_error(answer));

        return request_reply(request, "");
}
