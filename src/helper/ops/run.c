/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run: a container that is gone when it stops. A child reads the definition, judges it, and packs it with
 * the descriptors into the message that the unit finds on its standard input; then systemd starts the unit.
 * The launcher judges all of it once more.
 *
 * A child that is killed has made nothing but that message, which goes with it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "helper/ops/ops.h"
#include "helper/serve/given.h"
#include "helper/serve/transient.h"
#include "spec/handover.h"
#include "spec/load.h"
#include "spec/policy.h"

#define LABEL "definition" /* stands for the file in messages */

typedef struct Run {
        const char *name, *definition;
        Given given;
        int progress;
} Run;

/* In the child */

static int tell_problem(ChildReport *report, const char *error, const Problems *problems) {
        _cleanup_free_ char *text = problems->n > 0 ? problem_format(problems->list) : NULL;

        return child_give_error(report, error, "%s", text ?: "It is not understood");
}

/* 0 and a definition, 1 when the reason why there is none was told. */
static int run_load(ChildReport *report, const Run *run, Definition **ret) {
        _cleanup_(definition_freep) Definition *definition = NULL, *kept = NULL;
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY, nothing = PROBLEMS_EMPTY;
        const char *missing;
        int r;

        r = definition_load(definition_sources_host(), run->name, &kept, &nothing);
        if (r < 0)
                return r;
        if (r != DEFINITION_E_NOT_FOUND)
                return child_give_error(
                                       report, HELPER_ERROR_EXISTS, "There is a definition of container %s",
                                       run->name)
                                       ?: 1;

        r = definition_load_text(
                        run->name, LABEL, run->definition, strlen(run->definition), false, &definition,
                        &problems);
        if (r < 0)
                return r;
        if (r > 0)
                return tell_problem(report, HELPER_ERROR_INVALID_DEFINITION, &problems) ?: 1;
        r = policy_check(definition, &problems);
        if (r < 0)
                return r;
        if (r > 0)
                return tell_problem(report, HELPER_ERROR_POLICY, &problems) ?: 1;

        missing = definition_missing_descriptor(definition, run->given.names, run->given.n);
        if (missing)
                return child_give_error(
                                       report, SD_BUS_ERROR_INVALID_ARGS,
                                       "The definition says fd:%s, and there is no descriptor of that name",
                                       missing)
                                       ?: 1;

        *ret = TAKE_PTR(definition);
        return 0;
}

/* The message for the launcher: *RET_FD is the end that the unit gets. */
static int run_pack(const Run *run, int *ret_fd) {
        _cleanup_close_ int ours = -EBADF, theirs = -EBADF;
        int ends[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        ours = ends[0];
        theirs = ends[1];

        r = handover_send(ours, run->definition, strlen(run->definition), run->given.names, run->given.fds,
                          run->given.n);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(theirs);
        return 0;
}

/* What the unit has to know of the definition, line by line: "NAME=VALUE" for resource properties; the
 * description has no name. The definition's parser let no control character through. */
static int run_tell(const Definition *definition, char **ret) {
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        FILE *stream;

        stream = open_memstream(&text, &size);
        if (!stream)
                return -ENOMEM;
        if (definition->description)
                (void) fprintf(stream, "=%s\n", definition->description);
        for (size_t i = 0; i < definition->n_properties; i++)
                (void) fprintf(stream, "%s=%s\n", definition->properties[i].name,
                               definition->properties[i].value);
        if (fclose(stream) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int run_prepare(ChildReport *report, void *userdata) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int input = -EBADF;
        const Run *run = userdata;
        int r;

        r = run_load(report, run, &definition);
        if (r != 0)
                return r < 0 ? r : 0;
        if (definition->managed)
                return child_give_error(report, SD_BUS_ERROR_NOT_SUPPORTED, "A run cannot have Managed=yes");

        r = run_pack(run, &input);
        if (r == -EEXIST)
                return child_give_error(
                                report, SD_BUS_ERROR_INVALID_ARGS, "Two descriptors are the same open file");
        if (r < 0)
                return r;
        r = run_tell(definition, &text);
        if (r < 0)
                return r;

        return child_give_fd(report, text, input);
}

/* In the serving process */

static int on_started(Request *request, sd_bus_message *answer) {
        const char *job;
        int r;

        if (sd_bus_error_has_name(sd_bus_message_get_error(answer), "org.freedesktop.systemd1.UnitExists"))
                return request_fail(
                                request, HELPER_ERROR_EXISTS, "Container %s is there already",
                                request->name);
        if (sd_bus_message_is_method_error(answer, NULL))
                return request_fail_systemd(request, sd_bus_message_get_error(answer));
        r = sd_bus_message_read(answer, "o", &job);
        if (r < 0)
                return r;

        return request_reply(request, "soas", request->unit, job, 0);
}

/* Reads what the child told, in place. */
static int read_told(char *text, Transient *transient, Property *properties) {
        char *line, *rest = text;

        while ((line = strsep(&rest, "\n"))) {
                char *equals = strchr(line, '=');
                int r;

                if (!*line)
                        continue;
                if (!equals || transient->n_properties >= PROPERTIES_MAX)
                        return -EBADMSG;
                *equals = '\0';
                if (!*line) {
                        transient->description = equals + 1;
                        continue;
                }
                r = property_convert(line, equals + 1, properties + transient->n_properties);
                if (r < 0)
                        return r;
                transient->n_properties++;
        }

        return 0;
}

static int on_prepared(Request *request, ChildResult *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ Property *properties = NULL;
        _cleanup_free_ char *text = NULL;
        Transient transient;
        int r;

        if (result->error)
                return request_fail(request, result->error, "%s", result->text);

        text = strdup(result->text);
        properties = calloc(PROPERTIES_MAX, sizeof *properties);
        if (!text || !properties)
                return -ENOMEM;
        unit_name(UNIT_TRANSIENT, request->name, request->unit);
        transient = (Transient){
                .name = request->name,
                .unit = request->unit,
                .properties = properties,
                .input = result->fd,
        };
        r = read_told(text, &transient, properties);
        if (r < 0)
                return r;
        r = request_systemd_call(request, "StartTransientUnit", &call);
        if (r < 0)
                return r;
        r = transient_append(call, &transient);
        if (r < 0)
                return r;

        return request_systemd(request, TAKE_PTR(call), on_started);
}

static int kind_of(const char *name, DescriptorKind *ret) {
        *ret = streq(name, "tar")     ? DESCRIPTOR_ARCHIVE
               : streq(name, "image") ? DESCRIPTOR_IMAGE
                                      : DESCRIPTOR_SOURCE;
        return 0;
}

int op_run(Request *request) {
        _cleanup_free_ Run *run = NULL;
        char why[GIVEN_WHY_SIZE];
        int r;

        run = malloc(sizeof *run);
        if (!run)
                return -ENOMEM;
        *run = (Run){ .name = request->name };

        r = sd_bus_message_read_basic(request->message, 's', &run->definition);
        if (r < 0)
                return r;
        if (strlen(run->definition) > FILE_SIZE_MAX)
                return request_fail(request, SD_BUS_ERROR_LIMITS_EXCEEDED, "A definition has at most 1 MiB");
        r = given_read(request->message, kind_of, &run->given, why);
        if (r >= 0)
                r = given_read_one(request->message, DESCRIPTOR_PROGRESS, "progress", &run->progress, why);
        if (r < 0)
                return request_fail(request, SD_BUS_ERROR_INVALID_ARGS, "%s", why);

        return request_child(request, run_prepare, run, run->given.fds, run->given.n, on_prepared);
}
