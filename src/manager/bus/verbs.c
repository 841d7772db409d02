/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager/bus/verbs.h"

#include <errno.h>
#include <signal.h>

#include "basic/cleanup.h"
#include "basic/macro.h"
#include "basic/string.h"
#include "manager/bus/authorize.h"
#include "manager/bus/errors.h"
#include "manager/bus/members.h"
#include "manager/console/consoles.h"
#include "manager/operation.h"
#include "spec/name.h"

#define HOST_UID 0

int verb_authorize(
                Manager *manager,
                sd_bus_message *call,
                const char *container,
                const char *verb,
                sd_bus_error *error) {
        const Member *member = member_of_verb(verb);
        const AuthorizeRequest request = {
                .action_own = member->own,
                .action = member->action,
                .owner = HOST_UID,
                .container = container,
                .verb = verb,
        };

        return authorize(manager->authorizer, call, &request, error);
}

int verb_find(Manager *manager, const char *name, Container **ret, sd_bus_error *error) {
        Container *container;

        if (!container_name_is_valid(name))
                return sd_bus_error_set(error, ERROR_INVALID_NAME, CONTAINER_NAME_RULE);

        container = manager_find(manager, name);
        if (container && container->busy && !container_is_visible(container))
                return sd_bus_error_setf(error, ERROR_BUSY, "Container %s %s", name, container->busy);
        if (!container || !container_is_visible(container))
                return sd_bus_error_setf(
                                error, ERROR_NO_SUCH_CONTAINER,
                                "There is no container %s: no definition of that name, and none that runs",
                                name);

        *ret = container;
        return 0;
}

static int check_idle(const Container *container, sd_bus_error *error) {
        if (!container->busy)
                return 0;

        return sd_bus_error_setf(
                        error, ERROR_BUSY, "Container %s %s; try again when that is done", container->name,
                        container->busy);
}

static int check_up(const Container *container, sd_bus_error *error) {
        if (container_is_up(container))
                return 0;

        return sd_bus_error_setf(error, ERROR_NOT_RUNNING, "Container %s is not running", container->name);
}

static int check_defined(const Container *container, sd_bus_error *error) {
        if (container->kind == UNIT_DEFINED)
                return 0;

        return sd_bus_error_setf(
                        error, SD_BUS_ERROR_NOT_SUPPORTED,
                        "Container %s was made for one run and has no definition to start from again",
                        container->name);
}

/* An operation whose question begins with the unit's name; what follows is appended by the caller. */
static int
begin(OperationKind kind,
      Container *container,
      sd_bus_message *call,
      const char *method,
      Operation **ret_operation,
      sd_bus_message **ret_question,
      sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        r = operation_new(container->manager, kind, call, container, &operation, error);
        if (r < 0)
                return r;
        r = operation_call(operation, method, ret_question, error);
        if (r < 0)
                return r;
        unit_name(container->kind, container->name, unit);
        r = sd_bus_message_append(*ret_question, "s", unit);
        if (r < 0)
                return r;

        *ret_operation = TAKE_PTR(operation);
        return 0;
}

/* The whole of a verb that asks the helper for METHOD(unit). */
static int ask(Manager *manager,
               OperationKind kind,
               Container *container,
               sd_bus_message *call,
               const char *verb,
               const char *method,
               sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int r;

        r = verb_authorize(manager, call, container->name, verb, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = begin(kind, container, call, method, &operation, &question, error);
        if (r < 0)
                return r;
        r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

int verb_start(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        ContainerState state = container_state(container);
        int r;

        r = check_idle(container, error);
        if (r >= 0)
                r = check_defined(container, error);
        if (r < 0)
                return r;
        if (state == CONTAINER_RUNNING || state == CONTAINER_FROZEN)
                return sd_bus_error_setf(
                                error, ERROR_ALREADY_RUNNING, "Container %s is %s already", container->name,
                                container_state_word(state));

        return ask(manager, OPERATION_START, container, call, "start", "Start", error);
}

int verb_stop(Manager *manager,
              Container *container,
              sd_bus_message *call,
              uint64_t timeout_usec,
              sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int r;

        r = check_up(container, error);
        if (r < 0)
                return r;
        r = verb_authorize(manager, call, container->name, "stop", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = begin(OPERATION_STOP, container, call, "Stop", &operation, &question, error);
        if (r < 0)
                return r;
        operation_set_timeout(operation, timeout_usec);
        r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

int verb_restart(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        int r;

        r = check_idle(container, error);
        if (r >= 0)
                r = check_defined(container, error);
        if (r < 0)
                return r;

        return ask(manager, OPERATION_RESTART, container, call, "restart", "Restart", error);
}

int verb_kill(Manager *manager,
              Container *container,
              sd_bus_message *call,
              const char *whom,
              int32_t signal,
              sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int r;

        if (!streq(whom, "leader") && !streq(whom, "all"))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS, "whom: \"leader\" or \"all\" is expected");
        if (signal < 1 || signal >= _NSIG)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "signal: a number from 1 to %d is expected", _NSIG - 1);
        r = check_up(container, error);
        if (r < 0)
                return r;
        r = verb_authorize(manager, call, container->name, "kill", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = begin(OPERATION_SIMPLE, container, call, "Kill", &operation, &question, error);
        if (r >= 0)
                r = sd_bus_message_append(question, "si", whom, signal);
        if (r >= 0)
                r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

int verb_freeze(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        int r = check_up(container, error);

        return r < 0 ? r : ask(manager, OPERATION_FREEZER, container, call, "freeze", "Freeze", error);
}

int verb_thaw(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        int r = check_up(container, error);

        return r < 0 ? r : ask(manager, OPERATION_FREEZER, container, call, "thaw", "Thaw", error);
}

int verb_open_root(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        int r = check_up(container, error);

        return r < 0 ? r
                     : ask(manager, OPERATION_OPEN_ROOT, container, call, "open-root", "OpenRoot", error);
}

int verb_open_console(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        _cleanup_close_ int console = -EBADF;
        int r;

        r = check_up(container, error);
        if (r < 0)
                return r;
        r = verb_authorize(manager, call, container->name, "console", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = consoles_attach(manager->consoles, container->name, &console);
        if (r == CONSOLES_NONE)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_NOT_SUPPORTED,
                                "Container %s has no console: Console=yes in [Container] gives it one at "
                                "its "
                                "next start",
                                container->name);
        if (r == CONSOLES_MANY_CLIENTS)
                return sd_bus_error_setf(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "%d clients are attached to the console of container %s already",
                                CONSOLE_CLIENTS_MAX, container->name);
        if (r < 0)
                return r;

        return sd_bus_reply_method_return(call, "h", console);
}

int verb_reload(Manager *manager, sd_bus_message *call, sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int r;

        r = verb_authorize(manager, call, "", "reload", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = operation_new(manager, OPERATION_RELOAD, call, NULL, &operation, error);
        if (r >= 0)
                r = operation_call(operation, "Reload", &question, error);
        if (r >= 0)
                r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

/* A property's value goes on as it came: the helper knows which type which one has. */
int verb_set_properties(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int runtime, r;

        r = sd_bus_message_read(call, "b", &runtime);
        if (r < 0)
                return r;
        r = check_idle(container, error);
        if (r < 0)
                return r;
        r = verb_authorize(manager, call, container->name, "set-limits", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        r = begin(OPERATION_SIMPLE, container, call, "SetProperties", &operation, &question, error);
        if (r >= 0)
                r = sd_bus_message_append(question, "b", runtime);
        if (r >= 0)
                r = sd_bus_message_copy(question, call, /* all= */ true);
        if (r >= 0)
                r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}

/* The one option of a method, a boolean; any other is an error. */
static int read_option(sd_bus_message *call, const char *option, int *ret, sd_bus_error *error) {
        int r;

        *ret = 0;
        r = sd_bus_message_enter_container(call, 'a', "{sv}");
        while (r >= 0) {
                const char *name;

                r = sd_bus_message_enter_container(call, 'e', "sv");
                if (r <= 0)
                        break;
                r = sd_bus_message_read(call, "s", &name);
                if (r < 0)
                        break;
                if (!option || !streq(name, option))
                        return sd_bus_error_setf(
                                        error, SD_BUS_ERROR_INVALID_ARGS, "options: there is no \"%s\"%s%s",
                                        quoted(name, (char[QUOTED_SIZE]){}), option ? ", only " : "",
                                        option ? option : "");
                r = sd_bus_message_read(call, "v", "b", ret);
                if (r < 0)
                        return sd_bus_error_setf(
                                        error, SD_BUS_ERROR_INVALID_ARGS, "options: \"%s\" is a boolean",
                                        option);
                r = sd_bus_message_exit_container(call);
        }
        if (r < 0)
                return r;

        return sd_bus_message_exit_container(call);
}

int verb_remove(Manager *manager, Container *container, sd_bus_message *call, sd_bus_error *error) {
        _cleanup_(operation_freep) Operation *operation = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *question = NULL;
        int data, r;

        r = read_option(call, "data", &data, error);
        if (r >= 0)
                r = check_idle(container, error);
        if (r < 0)
                return r;
        if (container_is_up(container))
                return sd_bus_error_setf(
                                error, ERROR_ALREADY_RUNNING, "Container %s is %s; stop it first",
                                container->name, container_state_word(container_state(container)));
        r = check_defined(container, error);
        if (r < 0)
                return r;
        r = verb_authorize(manager, call, container->name, "remove", error);
        if (r <= 0)
                return r < 0 ? r : 1;

        /* Nothing is left of it but that its unit has failed. */
        if (!container->defined)
                return ask(manager, OPERATION_FREEZER, container, call, "remove", "ResetFailed", error);

        r = operation_new(manager, OPERATION_REMOVE, call, container, &operation, error);
        if (r < 0)
                return r;
        operation_exclude(operation, "is being removed");
        r = operation_call(operation, "Remove", &question, error);
        if (r >= 0)
                r = sd_bus_message_append(question, "sb", container->name, data);
        if (r >= 0)
                r = operation_ask(&operation, question, error);
        return r < 0 ? r : 1;
}
