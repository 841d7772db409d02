/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * CreateContainer and RunContainer: what the caller sends is read and checked here, and handed on to the
 * helper, which checks it again.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

#include "basic/macro.h"
#include "basic/string.h"
#include "manager/bus/errors.h"
#include "manager/bus/verbs.h"
#include "manager/definitions.h"
#include "manager/operation.h"
#include "spec/limits.h"
#include "spec/load.h"
#include "spec/name.h"

typedef struct Request {
        const char *name;
        char chosen[NAME_MAX_LENGTH + 1]; /* when the caller gave none */
        const char *definition;
        const char *descriptor_names[DESCRIPTORS_MAX];
        int descriptors[DESCRIPTORS_MAX];
        size_t n_descriptors;
        int replace;
} Request;

static int read_descriptors(sd_bus_message *call, Request *request, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(call, 'a', "{sh}");
        while (r >= 0) {
                size_t n = request->n_descriptors;

                if (n == DESCRIPTORS_MAX) {
                        r = sd_bus_message_at_end(call, /* complete= */ false);
                        if (r == 0)
                                return sd_bus_error_setf(
                                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                "descriptors: at most %d are taken", DESCRIPTORS_MAX);
                        break;
                }
                r = sd_bus_message_read(
                                call, "{sh}", &request->descriptor_names[n], &request->descriptors[n]);
                if (r <= 0)
                        break;
                for (size_t i = 0; i < n; i++)
                        if (streq(request->descriptor_names[i], request->descriptor_names[n]))
                                return sd_bus_error_setf(
                                                error, SD_BUS_ERROR_INVALID_ARGS,
                                                "descriptors: \"%s\" is there twice",
                                                quoted(request->descriptor_names[n], (char[QUOTED_SIZE]){}));
                request->n_descriptors++;
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(call);
}

static int read_options(sd_bus_message *call, bool may_replace, Request *request, sd_bus_error *error) {
        int r;

        r = sd_bus_message_enter_container(call, 'a', "{sv}");
        while (r >= 0) {
                const char *name;

                r = sd_bus_message_enter_container(call, 'e', "sv");
                if (r <= 0)
                        break;
                r = sd_bus_message_read(call, "s", &name);
                if (r < 0)
                        break;
                if (!may_replace || !streq(name, "replace"))
                        return sd_bus_error_setf(
                                        error, SD_BUS_ERROR_INVALID_ARGS, "options: there is no \"%s\"",
                                        quoted(name, (char[QUOTED_SIZE]){}));
                r = sd_bus_message_read(call, "v", "b", &request->replace);
                if (r < 0)
                        return sd_bus_error_set(
                                        error, SD_BUS_ERROR_INVALID_ARGS,
                                        "options: \"replace\" is a boolean");
                r = sd_bus_message_exit_container(call);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(call);
}

static int check_definition(const Request *request, sd_bus_error *error) {
        _cleanup_free_ char *problem = NULL;
        int r;

        if (strlen(request->definition) > FILE_SIZE_MAX)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "definition: at most %d bytes are taken", FILE_SIZE_MAX);
        r = definition_check_text(request->name, request->definition, &problem);
        if (r > 0)
                return sd_bus_error_set(error, ERROR_INVALID_DEFINITION, problem);
        if (r == -EPERM)
                return sd_bus_error_set(error, ERROR_POLICY_VIOLATION, problem);

        return r;
}

static int read_request(sd_bus_message *call, bool may_replace, Request *request, sd_bus_error *error) {
        int r;

        r = sd_bus_message_read(call, "ss", &request->name, &request->definition);
        if (r < 0)
                return r;
        r = read_descriptors(call, request, error);
        if (r < 0)
                return r;

        return read_options(call, may_replace, request, error);
}

/* Sends METHOD with what all such questions begin with; REPLACE is for Create alone. */
static int make(Manager *manager,
                OperationKind kind,
                sd_bus_message *call,
                const Request *request,
                const char *method,
                Container *container,
                sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        _cleanup_close_ int progress = -EBADF;
        int r;

        r = operation_new(manager, kind, call, container, &operation, error);
        if (r < 0) {
                manager_container_changed(manager, container, NULL);
                return r;
        }
        operation_exclude(operation, "is being made");
        r = operation_progress(operation, &progress);
        if (r < 0)
                return r;
        r = operation_call(operation, method, &question, error);
        if (r < 0)
                return r;

        r = sd_bus_message_append(question, "ss", request->name, request->definition);
        if (r >= 0)
                r = sd_bus_message_open_container(question, 'a', "{sh}");
        for (size_t i = 0; r >= 0 && i < request->n_descriptors; i++)
                r = sd_bus_message_append(
                                question, "{sh}", request->descriptor_names[i], request->descriptors[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(question);
        if (r >= 0)
                r = sd_bus_message_append(question, "h", progress);
        if (r >= 0 && kind == OPERATION_CREATE)
                r = sd_bus_message_append(question, "b", request->replace);
        if (r >= 0)
                r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

int verb_create(Manager *manager, sd_bus_message *call, sd_bus_error *error) {
        Request request = {};
        Container *container;
        int r;

        r = read_request(call, /* may_replace= */ true, &request, error);
        if (r < 0)
                return r;
        if (!container_name_is_valid(request.name))
                return sd_bus_error_set(error, ERROR_INVALID_NAME, CONTAINER_NAME_RULE);
        r = check_definition(&request, error);
        if (r < 0)
                return r;

        container = registry_find(&manager->registry, request.name);
        if (container && container->busy)
                return sd_bus_error_setf(
                                error, ERROR_BUSY, "Container %s %s", request.name, container->busy);
        /* A unit that has failed and has no definition any more is nobody's. */
        if (container &&
            (container->defined || container->kind != UNIT_DEFINED || container_is_up(container)) &&
            container_is_visible(container) && !request.replace)
                return sd_bus_error_setf(
                                error, ERROR_CONTAINER_EXISTS, "There is a container %s already",
                                request.name);
        if (container && container_is_up(container))
                return sd_bus_error_setf(
                                error, ERROR_ALREADY_RUNNING, "Container %s is running; stop it first",
                                request.name);
        r = verb_authorize(manager, call, request.name, "create", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = manager_container(manager, request.name, UNIT_DEFINED, &container);
        if (r < 0)
                return r;
        return make(manager, OPERATION_CREATE, call, &request, "Create", container, error);
}

/* A name that no container has: "run-" and a number that means nothing. */
static int choose_name(Manager *manager, Request *request) {
        do {
                uint32_t number;

                if (getrandom(&number, sizeof number, 0) != sizeof number)
                        return -EIO;
                (void) snprintf(request->chosen, sizeof request->chosen, "run-%08x", number);
        } while (registry_find(&manager->registry, request->chosen));

        request->name = request->chosen;
        return 0;
}

int verb_run(Manager *manager, sd_bus_message *call, sd_bus_error *error) {
        Request request = {};
        Container *container;
        bool named;
        int r;

        r = read_request(call, /* may_replace= */ false, &request, error);
        if (r < 0)
                return r;
        named = *request.name;
        if (!named) {
                r = choose_name(manager, &request);
                if (r < 0)
                        return r;
        }
        if (!container_name_is_valid(request.name))
                return sd_bus_error_set(error, ERROR_INVALID_NAME, CONTAINER_NAME_RULE);
        r = check_definition(&request, error);
        if (r < 0)
                return r;

        container = registry_find(&manager->registry, request.name);
        if (container)
                return sd_bus_error_setf(
                                error,
                                container->busy && !container_is_visible(container) ? ERROR_BUSY
                                                                                    : ERROR_CONTAINER_EXISTS,
                                "There is a container %s already", request.name);
        /* Polkit is asked about the name that the caller gave: a chosen one is another when this is run
         * again. */
        r = verb_authorize(manager, call, named ? request.name : "", "run", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = manager_container(manager, request.name, UNIT_TRANSIENT, &container);
        if (r < 0)
                return r;
        return make(manager, OPERATION_RUN, call, &request, "Run", container, error);
}
