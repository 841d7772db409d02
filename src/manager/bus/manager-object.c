/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interface org.berth.container1.Manager: reads the arguments and hands on to verbs.c.
 */
#include <errno.h>
#include <stdlib.h>

#include "basic/macro.h"
#include "manager/bus/announce.h"
#include "manager/bus/authorize.h"
#include "manager/bus/errors.h"
#include "manager/bus/objects.h"
#include "manager/bus/verbs.h"
#include "manager/capabilities.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_UNITS SYSTEMD_PATH "/unit"

/* Words for what was added to the interface after its first version; org.berth.container1(5) lists them. */
static const char *const features[] = { NULL };

static int
get_version(sd_bus *bus,
            const char *path,
            const char *interface,
            const char *property,
            sd_bus_message *reply,
            void *userdata,
            sd_bus_error *error) {
        return sd_bus_message_append(reply, "s", BERTH_VERSION);
}

static int
get_features(sd_bus *bus,
             const char *path,
             const char *interface,
             const char *property,
             sd_bus_message *reply,
             void *userdata,
             sd_bus_error *error) {
        return sd_bus_message_append_strv(reply, (char **) features);
}

static int get_capabilities(
                sd_bus *bus,
                const char *path,
                const char *interface,
                const char *property,
                sd_bus_message *reply,
                void *userdata,
                sd_bus_error *error) {
        return capabilities_append(((const Manager *) userdata)->capabilities, reply);
}

static int append_container(sd_bus_message *reply, const Container *container) {
        _cleanup_free_ char *path = NULL;
        char unit[UNIT_NAME_SIZE];
        int r;

        r = container_path(container, &path);
        if (r < 0)
                return r;
        unit_name(container->kind, container->name, unit);

        return sd_bus_message_append(
                        reply, "(ssuso)", container->name, container_state_word(container_state(container)),
                        0, unit, path);
}

static int method_list(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Manager *manager = userdata;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssuso)");
        for (size_t i = 0; r >= 0 && i < manager->registry.n; i++)
                if (manager->registry.containers[i]->announced)
                        r = append_container(reply, manager->registry.containers[i]);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r < 0)
                return r;

        return sd_bus_send(NULL, reply, NULL);
}

static int reply_container(sd_bus_message *call, const Container *container) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = container_path(container, &path);
        if (r < 0)
                return r;

        return sd_bus_reply_method_return(call, "o", path);
}

/* Reads the name that a method begins with, and finds the container. */
static int read_container(Manager *manager, sd_bus_message *call, Container **ret, sd_bus_error *error) {
        const char *name;
        int r;

        r = sd_bus_message_read(call, "s", &name);
        if (r < 0)
                return r;

        return verb_find(manager, name, ret, error);
}

static int method_get(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        int r;

        r = read_container(userdata, call, &container, error);
        return r < 0 ? r : reply_container(call, container);
}

struct PidQuestion {
        Manager *manager;
        PidQuestion *next;
        sd_bus_message *call;
        uid_t uid;
};

static void pid_question_free(void *userdata) {
        PidQuestion *question = userdata;

        for (PidQuestion **i = &question->manager->pid_questions; *i; i = &(*i)->next)
                if (*i == question) {
                        *i = question->next;
                        break;
                }
        sd_bus_message_unref(question->call);
        free(question);
}

/* Anybody may ask, and the bus lets the manager have only so many calls open. Root has as many as all
 * others. */
static int pid_questions_limit(const Manager *manager, uid_t uid, sd_bus_error *error) {
        unsigned n = 0, n_uid = 0;

        for (const PidQuestion *i = manager->pid_questions; i; i = i->next) {
                n += (i->uid == 0) == (uid == 0);
                n_uid += i->uid == uid;
        }
        if (n >= PID_QUESTIONS_MAX || (uid != 0 && n_uid >= PID_QUESTIONS_EACH_MAX))
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many such calls wait already; try again");

        return 0;
}

static int on_unit_of_pid(sd_bus_message *reply, void *userdata, sd_bus_error *unused) {
        const PidQuestion *question = userdata;
        _cleanup_free_ char *unit = NULL;
        char name[NAME_MAX_LENGTH + 1];
        const Container *container = NULL;
        const char *path;
        UnitKind kind = _UNIT_KIND_N;

        if (!sd_bus_message_is_method_error(reply, NULL) && sd_bus_message_read(reply, "o", &path) >= 0 &&
            sd_bus_path_decode(path, SYSTEMD_UNITS, &unit) > 0 &&
            unit_name_parse(unit, &kind, name, sizeof name) >= 0)
                container = registry_find(&question->manager->registry, name);
        if (!container || container->kind != kind)
                return sd_bus_reply_method_errorf(
                                question->call, ERROR_NO_SUCH_PROCESS,
                                "There is no such process in a container");

        return reply_container(question->call, container);
}

/* Which unit a process belongs to is systemd's to say. */
static int method_get_by_pid(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Manager *manager = userdata;
        sd_bus_slot *slot;
        PidQuestion *question;
        uint32_t pid;
        uid_t uid;
        int r;

        r = sd_bus_message_read(call, "u", &pid);
        if (r < 0)
                return r;
        if (pid == 0 || pid > INT32_MAX)
                return sd_bus_error_set(
                                error, SD_BUS_ERROR_INVALID_ARGS,
                                "pid: the number of a process is expected");

        r = sender_uid(manager->authorizer, call, &uid, error);
        if (r <= 0)
                return r < 0 ? r : 1;
        r = pid_questions_limit(manager, uid, error);
        if (r < 0)
                return r;
        question = calloc(1, sizeof *question);
        if (!question)
                return -ENOMEM;
        *question = (PidQuestion){
                .manager = manager,
                .next = manager->pid_questions,
                .call = sd_bus_message_ref(call),
                .uid = uid,
        };
        manager->pid_questions = question;

        r = sd_bus_call_method_async(
                        manager->bus, &slot, SYSTEMD, SYSTEMD_PATH, SYSTEMD ".Manager", "GetUnitByPID",
                        on_unit_of_pid, question, "u", pid);
        if (r < 0) {
                pid_question_free(question);
                return r;
        }
        (void) sd_bus_slot_set_destroy_callback(slot, pid_question_free);
        (void) sd_bus_slot_set_floating(slot, true);
        sd_bus_slot_unref(slot);
        return 1;
}

static int method_create(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return verb_create(userdata, call, error);
}

static int method_run(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return verb_run(userdata, call, error);
}

static int method_start(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        int r;

        r = read_container(userdata, call, &container, error);
        return r < 0 ? r : verb_start(userdata, container, call, error);
}

static int method_stop(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        uint64_t timeout_usec = 0;
        int r;

        r = read_container(userdata, call, &container, error);
        if (r >= 0)
                r = sd_bus_message_read(call, "t", &timeout_usec);
        return r < 0 ? r : verb_stop(userdata, container, call, timeout_usec, error);
}

static int method_restart(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        int r;

        r = read_container(userdata, call, &container, error);
        return r < 0 ? r : verb_restart(userdata, container, call, error);
}

static int method_remove(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        int r;

        r = read_container(userdata, call, &container, error);
        return r < 0 ? r : verb_remove(userdata, container, call, error);
}

static int method_kill(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        Container *container;
        const char *whom;
        int32_t number = 0;
        int r;

        r = read_container(userdata, call, &container, error);
        if (r >= 0)
                r = sd_bus_message_read(call, "si", &whom, &number);
        return r < 0 ? r : verb_kill(userdata, container, call, whom, number, error);
}

static int method_reload(sd_bus_message *call, void *userdata, sd_bus_error *error) {
        return verb_reload(userdata, call, error);
}

/* clang-format off */
#define ANYBODY SD_BUS_VTABLE_UNPRIVILEGED /* who may is for verb_authorize() to say */

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Features", "as", get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("HostCapabilities", "a{sv}", get_capabilities, 0, 0),
        SD_BUS_METHOD_WITH_ARGS("ListContainers", SD_BUS_NO_ARGS, SD_BUS_RESULT("a(ssuso)", containers),
                                method_list, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("GetContainer", SD_BUS_ARGS("s", name), SD_BUS_RESULT("o", container),
                                method_get, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("GetContainerByPID", SD_BUS_ARGS("u", pid), SD_BUS_RESULT("o", container),
                                method_get_by_pid, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("CreateContainer", SD_BUS_ARGS("s", name, "s", definition, "a{sh}", descriptors, "a{sv}", options),
                                SD_BUS_RESULT("o", container), method_create, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("RunContainer", SD_BUS_ARGS("s", name, "s", definition, "a{sh}", descriptors, "a{sv}", options),
                                SD_BUS_RESULT("o", container), method_run, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("StartContainer", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT, method_start, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("StopContainer", SD_BUS_ARGS("s", name, "t", timeout_usec), SD_BUS_NO_RESULT,
                                method_stop, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("RestartContainer", SD_BUS_ARGS("s", name), SD_BUS_NO_RESULT,
                                method_restart, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("RemoveContainer", SD_BUS_ARGS("s", name, "a{sv}", options), SD_BUS_NO_RESULT,
                                method_remove, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("KillContainer", SD_BUS_ARGS("s", name, "s", whom, "i", signal), SD_BUS_NO_RESULT,
                                method_kill, ANYBODY),
        SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, method_reload, ANYBODY),
        SD_BUS_SIGNAL_WITH_ARGS("Progress", SD_BUS_ARGS("s", name, "t", done, "t", total, "s", message), 0),
        SD_BUS_VTABLE_END,
};
/* clang-format on */

int manager_object_add(Manager *manager) {
        int r;

        r = sd_bus_add_object_vtable(manager->bus, NULL, BUS_PATH, BUS_MANAGER_INTERFACE, vtable, manager);
        if (r < 0)
                return r;

        return sd_bus_add_object_manager(manager->bus, NULL, BUS_PATH);
}
