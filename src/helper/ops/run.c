/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run: a container that is gone when it stops. A child reads the definition, judges it, and packs it with
 * the descriptors into the message that the unit finds on its standard input; then systemd starts the unit.
 * The launcher judges all of it once more.
 *
 * What a child that is killed has made of data has a mark; it is put away when the name is used again, or
 * when the helper starts the next time.
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
#include "helper/store/make.h"
#include "spec/handover.h"
#include "spec/load.h"
#include "spec/policy.h"

#define LABEL "definition" /* stands for the file in messages */
#define NOTE_MARK '#'      /* no name of a property begins so */

typedef struct Run {
        const char *name, *definition;
        Given given; /* for the definition */
        StoreData data;
        char *error, *sentence; /* systemd's refusal, while what was made goes again */
        char *notes;
} Run;

static void run_free(void *context) {
        Run *run = context;

        free(run->error);
        free(run->sentence);
        free(run->notes);
        free(run);
}

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

        r =
                        handover_send(ours, run->definition, strlen(run->definition), run->given.names,
                                      run->given.fds, run->given.n);
        if (r < 0)
                return r;

        *ret_fd = TAKE_FD(theirs);
        return 0;
}

/* What the unit has to know of the definition, line by line: "NAME=VALUE" for resource properties; the
 * description has no name. The definition's parser let no control character through. And notes, after a
 * NOTE_MARK. */
static int run_tell(const Definition *definition, const char *notes, char **ret) {
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
        for (; *notes; notes += strcspn(notes, "\n"), notes += *notes == '\n')
                (void) fprintf(stream, "%c%.*s\n", NOTE_MARK, (int) strcspn(notes, "\n"), notes);
        if (fclose(stream) != 0)
                return -ENOMEM;

        *ret = TAKE_PTR(text);
        return 0;
}

static int run_give(ChildReport *report, const Run *run, const Definition *definition, const char *notes) {
        _cleanup_free_ char *text = NULL;
        _cleanup_close_ int input = -EBADF;
        int r;

        r = run_pack(run, &input);
        if (r == -EEXIST)
                return child_give_error(
                                       report, SD_BUS_ERROR_INVALID_ARGS,
                                       "Two descriptors are the same open file")
                                       ?: 1;
        if (r < 0)
                return r;
        r = run_tell(definition, notes, &text);
        if (r < 0)
                return r;

        return child_give_fd(report, text, input);
}

static int run_prepare(ChildReport *report, void *userdata) {
        _cleanup_(definition_freep) Definition *definition = NULL;
        _cleanup_free_ char *notes = NULL;
        const Run *run = userdata;
        StoreError error = {};
        int r;

        r = run_load(report, run, &definition);
        if (r != 0)
                return r < 0 ? r : 0;
        if (definition->managed != (run->data.kind != STORE_DATA_NONE))
                return child_give_error(
                                report, SD_BUS_ERROR_INVALID_ARGS,
                                "[Root] Managed=yes and an archive or image to make the root from are for "
                                "each "
                                "other");

        r = store_begin_run(run->name, &run->data, &notes, &error);
        if (r < 0)
                return error.name ? child_give_error(report, error.name, "%s", error.sentence) : r;
        r = run_give(report, run, definition, notes);
        if (r != 0)
                (void) store_end_run(run->name, &error);

        return r < 0 ? r : 0;
}

/* Nothing will run. */
static int end_do(ChildReport *report, void *userdata) {
        const Run *run = userdata;
        StoreError error = {};
        int r;

        r = store_end_run(run->name, &error);
        if (r < 0)
                return error.name ? child_give_error(report, error.name, "%s", error.sentence) : r;

        return child_give(report, "");
}

/* In the serving process */

static int on_ended(Request *request, ChildResult *result) {
        const Run *run = request->context;

        return request_fail(request, run->error, "%s", run->sentence);
}

/* systemd does not start it: what was made for it goes first. */
static int end_run(Request *request, const char *error, const char *sentence) {
        Run *run = request->context;

        run->error = strdup(error);
        run->sentence = strdup(sentence);
        if (!run->error || !run->sentence)
                return -ENOMEM;

        return request_child(request, end_do, run, NULL, 0, on_ended);
}

static int on_started(Request *request, sd_bus_message *answer) {
        const sd_bus_error *error = sd_bus_message_get_error(answer);
        const Run *run = request->context;
        const char *job;
        int r;

        if (sd_bus_error_has_name(error, "org.freedesktop.systemd1.UnitExists"))
                return end_run(request, HELPER_ERROR_EXISTS, "There is a container of that name already");
        if (sd_bus_message_is_method_error(answer, NULL))
                return end_run(request, HELPER_ERROR_SYSTEMD, error->message ?: error->name);
        r = sd_bus_message_read(answer, "o", &job);
        if (r < 0)
                return r;

        return request_reply_lines(request, run->notes ?: "", "so", request->unit, job);
}

/* Reads what the child told, in place. */
static int read_told(char *text, Transient *transient, Property *properties, FILE *notes) {
        char *line, *rest = text;

        while ((line = strsep(&rest, "\n"))) {
                char *equals = strchr(line, '=');
                int r;

                if (!*line)
                        continue;
                if (*line == NOTE_MARK) {
                        (void) fprintf(notes, "%s\n", line + 1);
                        continue;
                }
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

/* What of it the unit is made of, and what only the caller hears. */
static int read_result(char *text, Transient *transient, Property *properties, char **ret_notes) {
        _cleanup_free_ char *notes = NULL;
        size_t size = 0;
        FILE *stream;
        int r;

        stream = open_memstream(&notes, &size);
        if (!stream)
                return -ENOMEM;
        r = read_told(text, transient, properties, stream);
        if (fclose(stream) != 0 && r >= 0)
                r = -ENOMEM;
        if (r < 0)
                return r;

        *ret_notes = TAKE_PTR(notes);
        return 0;
}

static int on_prepared(Request *request, ChildResult *result) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_free_ Property *properties = NULL;
        _cleanup_free_ char *text = NULL;
        Run *run = request->context;
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
                .image = run->data.kind == STORE_DATA_IMAGE,
        };
        r = read_result(text, &transient, properties, &run->notes);
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

/* Sets apart what the root is made from: the rest is for the definition. */
static int run_take_data(Run *run, char why[static GIVEN_WHY_SIZE]) {
        Given *given = &run->given;
        size_t kept = 0;

        for (size_t i = 0; i < given->n; i++) {
                bool data = streq(given->names[i], "tar") || streq(given->names[i], "image");

                if (!data) {
                        given->names[kept] = given->names[i];
                        given->fds[kept++] = given->fds[i];
                        continue;
                }
                if (run->data.kind != STORE_DATA_NONE) {
                        (void) snprintf(why, GIVEN_WHY_SIZE, "A root is made from one descriptor");
                        return -EINVAL;
                }
                run->data.kind = store_data_kind(given->names[i]);
                run->data.fd = given->fds[i];
        }
        given->n = kept;

        return 0;
}

static int run_read(Request *request, Run *run, char why[static GIVEN_WHY_SIZE]) {
        int r;

        r = sd_bus_message_read_basic(request->message, 's', &run->definition);
        if (r < 0)
                return r;
        r = given_read(request->message, kind_of, &run->given, why);
        if (r < 0)
                return r;
        r = run_take_data(run, why);
        if (r < 0)
                return r;

        return given_read_one(request->message, DESCRIPTOR_PROGRESS, "progress", &run->data.progress, why);
}

int op_run(Request *request) {
        char why[GIVEN_WHY_SIZE] = "The arguments cannot be read";
        int fds[HELPER_DESCRIPTORS_MAX + 2], r;
        size_t n;
        Run *run;

        run = malloc(sizeof *run);
        if (!run)
                return -ENOMEM;
        *run = (Run){
                .name = request->name, .data = {.fd = -EBADF, .progress = -EBADF}
        };
        request->context = run;
        request->context_free = run_free;

        r = run_read(request, run, why);
        if (r < 0)
                return request_fail(request, SD_BUS_ERROR_INVALID_ARGS, "%s", why);
        if (strlen(run->definition) > FILE_SIZE_MAX)
                return request_fail(request, SD_BUS_ERROR_LIMITS_EXCEEDED, "A definition has at most 1 MiB");

        n = run->given.n;
        memcpy(fds, run->given.fds, n * sizeof fds[0]);
        fds[n++] = run->data.progress;
        if (run->data.fd >= 0)
                fds[n++] = run->data.fd;
        return request_child(request, run_prepare, run, fds, n, on_prepared);
}
