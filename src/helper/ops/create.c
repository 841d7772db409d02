/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Create: a definition that is kept, with the data that its root is made from. All of it is one child's work, and what
 * a killed one leaves has no name that anybody looks for; it is put away when the helper starts the next time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basic/cleanup.h"
#include "helper/ops/idle.h"
#include "helper/serve/given.h"
#include "helper/store/make.h"

typedef struct Create {
        IdleQuestion question;
        const char *name, *definition;
        StoreData data;
        int replace;
} Create;

/* In the child */
static int create_do(ChildReport *report, void *userdata) {
        const Create *create = userdata;
        _cleanup_free_ char *notes = NULL;
        StoreError error = {};
        int r;

        r = store_create(create->name, create->definition, strlen(create->definition), &create->data, create->replace,
                         &notes, &error);
        if (r < 0)
                return error.name ? child_give_error(report, error.name, "%s", error.sentence) : r;

        return child_give(report, notes);
}

/* In the serving process */

static int on_created(Request *request, ChildResult *result) {
        if (result->error)
                return request_fail(request, result->error, "%s", result->text);

        return request_reply_lines(request, result->text, "");
}

static int create_run(Request *request) {
        Create *create = request->context;
        int fds[] = { create->data.progress, create->data.fd };

        return request_child(request, create_do, create, fds, create->data.fd >= 0 ? 2 : 1, on_created);
}

static int kind_of(const char *name, DescriptorKind *ret) {
        static const DescriptorKind kinds[_STORE_DATA_N] = {
                [STORE_DATA_TAR] = DESCRIPTOR_ARCHIVE,
                [STORE_DATA_DIRECTORY] = DESCRIPTOR_DIRECTORY,
                [STORE_DATA_IMAGE] = DESCRIPTOR_IMAGE,
        };
        StoreDataKind kind = store_data_kind(name);

        if (kind == STORE_DATA_NONE)
                return -EINVAL;

        *ret = kinds[kind];
        return 0;
}

static int create_read(Request *request, Create *create, char why[static GIVEN_WHY_SIZE]) {
        Given given;
        int r;

        r = sd_bus_message_read_basic(request->message, 's', &create->definition);
        if (r < 0)
                return r;
        r = given_read(request->message, kind_of, &given, why);
        if (r < 0)
                return r;
        if (given.n > 1) {
                (void) snprintf(why, GIVEN_WHY_SIZE, "A root is made from one descriptor");
                return -EINVAL;
        }
        if (given.n == 1)
                create->data = (StoreData) { .kind = store_data_kind(given.names[0]), .fd = given.fds[0] };

        r = given_read_one(request->message, DESCRIPTOR_PROGRESS, "progress", &create->data.progress, why);
        if (r < 0)
                return r;

        return sd_bus_message_read_basic(request->message, 'b', &create->replace);
}

int op_create(Request *request) {
        char why[GIVEN_WHY_SIZE] = "The arguments cannot be read";
        Create *create;
        int r;

        create = malloc(sizeof *create);
        if (!create)
                return -ENOMEM;
        *create = (Create) { .name = request->name, .data = { .fd = -EBADF, .progress = -EBADF } };
        request->context = create;
        request->context_free = free;

        r = create_read(request, create, why);
        if (r < 0)
                return request_fail(request, SD_BUS_ERROR_INVALID_ARGS, "%s", why);
        if (strlen(create->definition) > FILE_SIZE_MAX)
                return request_fail(request, SD_BUS_ERROR_LIMITS_EXCEEDED, "A definition has at most 1 MiB");

        return request_ask_idle(request, create_run, request_fail_running, NULL);
}
