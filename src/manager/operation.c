/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "basic/array.h"
#include "basic/string.h"
#include "manager/bus/announce.h"
#include "manager/bus/authorize.h"
#include "manager/bus/errors.h"
#include "manager/definitions.h"
#include "manager/helper-client.h"
#include "manager/progress.h"
#include "manager/units.h"

#define JOB_PREFIX "/org/freedesktop/systemd1/job/"

struct Operation {
        Manager *manager;
        Operation *previous, *next;
        OperationKind kind;
        sd_bus_message *call;
        uid_t uid;            /* whose call it is */
        Container *container; /* held */
        bool excludes;
        bool listed;
        HelperCall *question;
        Progress *progress;
        uint32_t job; /* 0: not yet known */
        uint64_t timeout_usec;
        sd_event_source *timer;
        bool timed_out;
};

Operation *operation_free(Operation *operation) {
        Manager *manager;

        if (!operation)
                return NULL;

        manager = operation->manager;
        if (operation->listed) {
                if (operation->previous)
                        operation->previous->next = operation->next;
                else
                        manager->operations = operation->next;
                if (operation->next)
                        operation->next->previous = operation->previous;
                manager->n_operations--;
        }

        helper_call_free(operation->question);
        sd_bus_message_unref(operation->call);
        sd_event_source_disable_unref(operation->timer);
        progress_free(operation->progress);
        if (operation->container) {
                if (operation->excludes)
                        operation->container->busy = NULL;
                operation->container->holds--;
                manager_container_changed(manager, operation->container, NULL);
        }
        free(operation);
        manager_touch(manager);
        return NULL;
}

/* Work on data, which takes as long as the data. */
static bool operation_is_long(OperationKind kind) {
        return kind == OPERATION_CREATE || kind == OPERATION_RUN || kind == OPERATION_REMOVE;
}

/* Is there room for one more? What others than root may ask for without waiting for the end of it leaves
 * room for everybody else, also when the caller has left meanwhile. */
static int operations_limit(const Manager *manager, OperationKind kind, uid_t uid, sd_bus_error *error) {
        unsigned n = 0, n_long = 0;

        if (manager->n_operations >= OPERATIONS_MAX)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "%d calls are waiting already; try again later", OPERATIONS_MAX);
        if (uid == 0)
                return 0;

        for (const Operation *i = manager->operations; i; i = i->next)
                if (i->uid == uid) {
                        n++;
                        n_long += operation_is_long(i->kind);
                }
        if (n >= OPERATIONS_EACH_MAX)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "%d calls of yours are waiting already; try again later",
                                OPERATIONS_EACH_MAX);
        if (operation_is_long(kind) && n_long >= OPERATIONS_LONG_EACH_MAX)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "%d containers are being made or removed for you already; try again later",
                                OPERATIONS_LONG_EACH_MAX);

        return 0;
}

int operation_new(
                Manager *manager,
                OperationKind kind,
                sd_bus_message *call,
                Container *container,
                Operation **ret,
                sd_bus_error *error) {
        Operation *operation;
        uid_t uid;
        int r;

        /* Authorisation has asked for it. */
        r = sender_uid_known(manager->authorizer, call, &uid);
        if (r < 0)
                return r;
        r = operations_limit(manager, kind, uid, error);
        if (r < 0)
                return r;

        operation = calloc(1, sizeof *operation);
        if (!operation)
                return -ENOMEM;
        *operation = (Operation){
                .manager = manager,
                .kind = kind,
                .call = sd_bus_message_ref(call),
                .uid = uid,
                .container = container,
        };
        if (container)
                container->holds++;

        *ret = operation;
        return 0;
}

void operation_exclude(Operation *operation, const char *busy) {
        operation->excludes = true;
        operation->container->busy = busy;
}

void operation_set_timeout(Operation *operation, uint64_t usec) {
        /* An event loop refuses what ends after the end of time. */
        operation->timeout_usec = usec < STOP_TIMEOUT_MAX_USEC ? usec : STOP_TIMEOUT_MAX_USEC;
}

/* The operation's end: an answer without content, if nothing else was sent. */
static void operation_reply(Operation *operation) {
        _cleanup_free_ char *path = NULL;

        if (operation->kind == OPERATION_CREATE || operation->kind == OPERATION_RUN) {
                if (container_path(operation->container, &path) >= 0)
                        (void) sd_bus_reply_method_return(operation->call, "o", path);
        } else
                (void) sd_bus_reply_method_return(operation->call, NULL);

        operation_free(operation);
}

static void operation_fail(Operation *operation, const char *name, const char *message) {
        (void) sd_bus_reply_method_errorf(operation->call, name, "%s", message);
        operation_free(operation);
}

static bool operation_starts(const Operation *operation) {
        return operation->kind == OPERATION_START || operation->kind == OPERATION_RESTART ||
               operation->kind == OPERATION_RUN;
}

/* Why a start's job did not get done: in the launcher's words if there are some of this start. */
static void operation_start_failed(Operation *operation, const char *not_begun) {
        const Container *container = operation->container;
        const UnitState *unit = &container->unit;
        char unit_of[UNIT_NAME_SIZE];
        _cleanup_free_ char *text = NULL;

        if (!not_begun && unit->status_errno != 0 && unit->status_text) {
                operation_fail(operation, error_of_start(unit->status_errno), unit->status_text);
                return;
        }

        unit_name(container->kind, container->name, unit_of);
        if (not_begun)
                text =
                                string_printf("Cannot start container %s: %s; see systemctl status %s",
                                              container->name, not_begun, unit_of);
        else if (unit->result && streq(unit->result, "timeout"))
                text =
                                string_printf("Cannot start container %s: it was not ready within the "
                                              "unit's TimeoutStartSec=",
                                              container->name);
        else
                text = string_printf(
                                "Cannot start container %s: the job of %s failed (%s); see journalctl -u %s",
                                container->name, unit_of, unit->result ? unit->result : "unknown", unit_of);
        operation_fail(operation, ERROR_START_FAILED, text ? text : "Cannot start");
}

static void on_property(const char *name, void *userdata) {
        operation_reply(userdata);
}

static void operation_job_done(Operation *operation) {
        Container *container = operation->container;

        if (operation->kind == OPERATION_STOP &&
            (operation->timed_out || (container->unit.result && streq(container->unit.result, "timeout")))) {
                operation_fail(operation, ERROR_TIMED_OUT,
                               "The container did not stop in time, and was killed");
                return;
        }
        /* systemd does not announce the control group; who starts a container finds it in the properties. */
        if (operation_starts(operation) && !container->unit.control_group &&
            units_fetch_control_group(operation->manager->units, container, on_property, operation) >= 0)
                return;

        operation_reply(operation);
}

static void operation_judge(Operation *operation, const JobEnd *end) {
        operation->job = 0;
        if (end->done && !(operation_starts(operation) && end->not_begun))
                operation_job_done(operation);
        else if (end->canceled)
                operation_fail(operation, ERROR_CANCELED,
                               "A later call, or systemctl, asked for the opposite meanwhile");
        else if (operation_starts(operation))
                operation_start_failed(operation, end->not_begun);
        else
                operation_fail(operation, ERROR_FAILED, "systemd could not stop the unit; see its journal");
}

void operations_job_ended(Manager *manager, Container *container, uint32_t id) {
        for (Operation *operation = manager->operations, *next; operation; operation = next) {
                next = operation->next;
                if (operation->container == container && operation->job == id)
                        operation_judge(operation, container_job_end(container, id));
        }
}

static void on_killed(sd_bus_message *reply, void *userdata) {
        Operation *operation = userdata;

        /* Either way the job's end is what counts. */
        operation->question = helper_call_free(operation->question);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata) {
        Operation *operation = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        operation->timed_out = true;
        unit_name(operation->container->kind, operation->container->name, unit);
        r = helper_message_new(operation->manager->helper, "Kill", &call);
        if (r >= 0)
                r = sd_bus_message_append(call, "ssi", unit, "all", SIGKILL);
        if (r >= 0)
                r =
                                helper_call_new(operation->manager->helper, call, HELPER_SHORT, on_killed,
                                                operation, &operation->question);
        if (r < 0)
                (void) fprintf(stderr, "<4>%s cannot be killed after its time limit: %s\n", unit,
                               strerror(-r));
        return 0;
}

/* The helper's answer names a job: it may have ended before the answer came. */
static int operation_wait(Operation *operation, const char *job) {
        const char *number = string_after_prefix(job, JOB_PREFIX);
        const JobEnd *end;

        if (!number || sscanf(number, "%" SCNu32, &operation->job) != 1)
                return -EBADMSG;

        end = container_job_end(operation->container, operation->job);
        if (end) {
                operation_judge(operation, end);
                return 0;
        }
        if (operation->timeout_usec == 0)
                return 0;

        return sd_event_add_time_relative(
                        operation->manager->event, &operation->timer, CLOCK_MONOTONIC,
                        operation->timeout_usec, 0, on_timeout, operation);
}

/* Sentences on what was left out go where the progress goes. */
static int operation_tell_notes(Operation *operation, sd_bus_message *reply) {
        const char *note;
        int r;

        r = sd_bus_message_enter_container(reply, 'a', "s");
        while (r >= 0) {
                r = sd_bus_message_read(reply, "s", &note);
                if (r <= 0)
                        break;
                announce_progress(operation->manager, operation->container->name, 0, 0, note);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(reply);
}

static int operation_answered(Operation *operation, sd_bus_message *reply) {
        const char *job;
        int fd, r = 0;

        switch (operation->kind) {
        case OPERATION_START:
        case OPERATION_STOP:
        case OPERATION_RESTART:
                r = sd_bus_message_read(reply, "o", &job);
                return r < 0 ? r : operation_wait(operation, job);

        case OPERATION_RUN:
                r = sd_bus_message_read(reply, "so", NULL, &job);
                if (r >= 0)
                        r = operation_tell_notes(operation, reply);
                return r < 0 ? r : operation_wait(operation, job);

        case OPERATION_CREATE:
                r = operation_tell_notes(operation, reply);
                if (r >= 0)
                        r = definitions_refresh(operation->manager->definitions);
                break;

        case OPERATION_REMOVE:
        case OPERATION_RELOAD:
                r = definitions_refresh(operation->manager->definitions);
                break;

        case OPERATION_OPEN_ROOT:
                r = sd_bus_message_read(reply, "h", &fd);
                if (r < 0)
                        return r;
                (void) sd_bus_reply_method_return(operation->call, "h", fd);
                operation_free(operation);
                return 0;

        case OPERATION_FREEZER:
                return units_fetch_freezer_state(
                                operation->manager->units, operation->container, on_property, operation);

        case OPERATION_SIMPLE:
                break;
        }
        if (r < 0)
                return r;

        operation_reply(operation);
        return 0;
}

static void on_helper(sd_bus_message *reply, void *userdata) {
        Operation *operation = userdata;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        operation->question = helper_call_free(operation->question);
        operation->progress = progress_free(operation->progress);

        if (!reply || sd_bus_message_is_method_error(reply, NULL)) {
                error_from_helper(reply ? sd_bus_message_get_error(reply) : NULL, &error);
                if (operation_starts(operation) && streq(error.name, ERROR_FAILED))
                        operation_fail(operation, ERROR_START_FAILED, error.message);
                else
                        operation_fail(operation, error.name, error.message);
                return;
        }

        r = operation_answered(operation, reply);
        if (r < 0)
                operation_fail(operation, ERROR_HELPER_LOST,
                               "The privileged helper's answer is not understood");
}

int operation_call(Operation *operation, const char *method, sd_bus_message **ret, sd_bus_error *error) {
        int r;

        r = helper_message_new(operation->manager->helper, method, ret);
        if (r < 0)
                return sd_bus_error_setf(
                                error, ERROR_HELPER_LOST,
                                "The privileged helper cannot be reached (%s); is berth-helper.socket "
                                "active?",
                                strerror(-r));
        return 0;
}

static void on_heard(void *userdata) {
        const Operation *operation = userdata;

        helper_call_heard(operation->question);
}

int operation_progress(Operation *operation, int *ret_fd) {
        return progress_new(operation->manager, operation->container->name, on_heard, operation,
                            &operation->progress, ret_fd);
}

int operation_ask(Operation **owner, sd_bus_message *helper_call, sd_bus_error *error) {
        Operation *operation = *owner;
        Manager *manager = operation->manager;
        HelperWork work = operation_is_long(operation->kind) ? HELPER_LONG : HELPER_SHORT;
        int r;

        r = helper_call_new(manager->helper, helper_call, work, on_helper, operation, &operation->question);
        if (r < 0)
                return sd_bus_error_setf(
                                error, ERROR_HELPER_LOST, "The privileged helper cannot be asked: %s",
                                strerror(-r));

        operation->listed = true;
        operation->next = manager->operations;
        if (operation->next)
                operation->next->previous = operation;
        manager->operations = operation;
        manager->n_operations++;
        *owner = NULL;
        return 0;
}

void operations_done(Manager *manager) {
        while (manager->operations)
                operation_free(manager->operations);
}
