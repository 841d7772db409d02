/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * org.berth.container1 for tests of libberth and berthctl: a handful of containers in memory, on the bus
 * that $DBUS_SYSTEM_BUS_ADDRESS names. It says "ready" on stdout when it has its name. Some containers are
 * there to go wrong:
 *
 *     web        runs; has every property        db         is stopped, does what it is told
 *     1000/web   a user's                        odd        its texts try to steer a terminal
 *     slow       starts after 300 ms             broken     its start fails
 *     held       starts when it is thawed
 *     guarded    needs interactive authorization crash      its start ends the service
 *     forger     its start has somebody else send signals in the service's name
 *
 * Setting the property Lie= of any container makes later answers wrong: path, type, descriptor; "shape a"
 * and so on have every call answered by a message of another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/string.h"
#include "fake-host.h"
#include "fake-shapes.h"

#define MANAGER "org.berth.container1.Manager"
#define CONTAINER "org.berth.container1.Container"
#define ERROR "org.berth.container1.Error."
#define DEFINITION                                                                                          \
        "# container web\n\n[Container]\n# /etc/berth/containers/web.container:2\n"                         \
        "Description=The web \033server\n\n[Root]\n# /etc/berth/containers/web.container.d/50.conf:1\n"     \
        "Managed=yes\n# /etc/berth/containers/web.container:9\nReadOnly=yes\n"
#define SLOW_USEC 300000

typedef struct Fake {
        const char *name, *path, *unit, *state;
        uint32_t owner, leader;
        int32_t exit_status;
        const char *last_error;
        bool gone;
} Fake;

#define HOST(name) name, "/org/berth/container1/container/" name, "container@" name ".service"
#define USER(name) name, "/org/berth/container1/user/_31000/" name, "container-u1000-" name ".service"

/* clang-format off */
static Fake fakes[] = {
        { HOST("web"),     "running", 0,    1, 0,  "", false },
        { HOST("db"),      "stopped", 0,    0, 0,  "", false },
        { USER("web"),     "stopped", 1000, 0, 0,  "", false },
        { HOST("odd"),     "failed",  0,    0, -9, "the root \033[31m\nforged line \xe2\x80\xae is \xe2\x80\xac bad", false },
        { HOST("slow"),    "stopped", 0,    0, 0,  "", false },
        { HOST("held"),    "stopped", 0,    0, 0,  "", false },
        { HOST("broken"),  "failed",  0,    0, 1,  "Cannot start container broken: failed to open the root /srv/broken: No such file or directory", false },
        { HOST("guarded"), "stopped", 0,    0, 0,  "", false },
        { HOST("crash"),   "stopped", 0,    0, 0,  "", false },
        { HOST("forger"),  "stopped", 0,    0, 0,  "", false },
        { HOST("made"),    "stopped", 0,    0, 0,  "", true  },
        { HOST("brief"),   "failed",  0,    0, 9,  "", true  },
};
/* clang-format on */

static sd_event *loop;
static sd_bus *bus;
static sd_bus_message *held;
static char lie[16];

static Fake *find(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(fakes); i++)
                if (!fakes[i].gone && streq(fakes[i].path, path))
                        return fakes + i;

        return NULL;
}

static Fake *find_name(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(fakes); i++)
                if (streq(fakes[i].name, name))
                        return fakes + i;

        return NULL;
}

/*
 * Properties and signals
 */

static int append_properties(sd_bus_message *m, const Fake *fake) {
        uint64_t none = UINT64_MAX;
        bool up = fake->leader != 0;
        int r;

        r = sd_bus_message_open_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_append(
                                m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "Name", "s", fake->name, "State",
                                streq(lie, "type") ? "o" : "s", streq(lie, "type") ? "/" : fake->state,
                                "Owner", "u", fake->owner, "Unit", "s", fake->unit, "Leader", "u",
                                fake->leader, "ControlGroup", "s", up ? "/machine.slice/x" : "",
                                "ExitStatus", "i", fake->exit_status, "LastError", "s", fake->last_error);
        if (r >= 0)
                r = sd_bus_message_append(
                                m, "{sv}{sv}{sv}{sv}{sv}{sv}{sv}", "StartedUSec", "t",
                                up ? UINT64_C(1700000000000000) : UINT64_C(0), "MemoryCurrent", "t",
                                up ? UINT64_C(50331648) : none, "MemoryPeak", "t", none, "CPUUsageNSec", "t",
                                up ? UINT64_C(61500000000) : none, "TasksCurrent", "t",
                                up ? UINT64_C(7) : none, "IOReadBytes", "t", none, "Later", "as", 2, "a",
                                "b\"\n");
        if (r >= 0 && up)
                r = sd_bus_message_append(
                                m, "{sv}", "Pressure", "a(sdddt)", 2, "cpu", 12.5, 3.0, 1.0,
                                UINT64_C(9000000), "memory", 0.0, 0.0, 0.0, UINT64_C(0));

        return r < 0 ? r : sd_bus_message_close_container(m);
}

static void emit_changed(const Fake *fake) {
        sd_bus_message *m = NULL;

        (void) sd_bus_message_new_signal(
                        bus, &m, fake->path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        (void) sd_bus_message_append(
                        m, "sa{sv}as", CONTAINER, 2, "State", "s", fake->state, "Leader", "u", fake->leader,
                        1, "Definition");
        (void) sd_bus_send(bus, m, NULL);
        sd_bus_message_unref(m);
}

static void change(Fake *fake, const char *state, uint32_t leader) {
        fake->state = state;
        fake->leader = leader;
        emit_changed(fake);
}

static int reply_property(sd_bus_message *m, const Fake *fake, const char *name) {
        if (streq(name, "Unit"))
                return sd_bus_reply_method_return(m, "v", "s", fake->unit);
        if (streq(name, "Definition"))
                return sd_bus_reply_method_return(m, "v", "s", DEFINITION);
        if (streq(name, "Leader"))
                return sd_bus_reply_method_return(m, "v", "u", fake->leader);
        if (streq(name, "Later"))
                return sd_bus_reply_method_return(m, "v", "a{s(vd)}", 1, "k", "as", 2, "a", "b\"\n", 0.5);

        return sd_bus_reply_method_errorf(m, SD_BUS_ERROR_UNKNOWN_PROPERTY, "Unknown property %s", name);
}

static int on_properties(sd_bus_message *m, const Fake *fake) {
        sd_bus_message *reply = NULL;
        const char *interface, *name;
        int r;

        r = sd_bus_message_read(m, "s", &interface);
        if (r < 0)
                return r;
        if (streq(sd_bus_message_get_member(m), "GetAll")) {
                r = sd_bus_message_new_method_return(m, &reply);
                if (r >= 0)
                        r = append_properties(reply, fake);
                if (r >= 0)
                        r = sd_bus_send(bus, reply, NULL);
                sd_bus_message_unref(reply);

                return r;
        }
        r = sd_bus_message_read(m, "s", &name);

        return r < 0 ? r : reply_property(m, fake, name);
}

/*
 * Containers
 */

static int on_slow(sd_event_source *source, uint64_t usec, void *userdata) {
        sd_bus_message *m = userdata;

        change(find_name("slow"), "running", 4243);
        (void) sd_bus_reply_method_return(m, NULL);
        sd_bus_message_unref(m);

        return 0;
}

/* The same signal as the service's, by a process that does not own its name. */
static void forge(sd_bus_message *m, const Fake *fake) {
        sd_bus_message *signal = NULL;
        sd_bus *other = NULL;

        if (sd_bus_open_system(&other) < 0)
                return;
        (void) sd_bus_message_new_signal(
                        other, &signal, fake->path, "org.freedesktop.DBus.Properties", "PropertiesChanged");
        (void) sd_bus_message_append(signal, "sa{sv}as", CONTAINER, 1, "State", "s", "forged", 0);
        (void) sd_bus_message_set_destination(signal, sd_bus_message_get_sender(m));
        (void) sd_bus_send(other, signal, NULL);
        sd_bus_message_unref(signal);
        sd_bus_flush_close_unref(other);
}

static int on_start(sd_bus_message *m, Fake *fake) {
        if (fake->leader != 0)
                return sd_bus_reply_method_errorf(m, ERROR "AlreadyRunning", "%s is running", fake->name);
        if (streq(fake->name, "slow"))
                return sd_event_add_time_relative(
                                       loop, NULL, CLOCK_MONOTONIC, SLOW_USEC, 1, on_slow,
                                       sd_bus_message_ref(m))
                                       ?: 1; /* 0: not handled */
        if (streq(fake->name, "held")) {
                sd_bus_message_unref(held);
                held = sd_bus_message_ref(m);
                change(fake, "starting", 0);
                return 1;
        }
        if (streq(fake->name, "crash"))
                exit(0);
        if (streq(fake->name, "broken"))
                return sd_bus_reply_method_errorf(m, ERROR "StartFailed", "%s", fake->last_error);
        if (streq(fake->name, "odd"))
                return sd_bus_reply_method_errorf(m, "org.example.Strange", "%s", fake->last_error);
        if (streq(fake->name, "guarded") && sd_bus_message_get_allow_interactive_authorization(m) <= 0)
                return sd_bus_reply_method_errorf(
                                m, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                "Interactive authentication required.");
        if (streq(fake->name, "forger"))
                forge(m, fake);
        change(fake, "running", 4242);

        return sd_bus_reply_method_return(m, NULL);
}

static int on_stop(sd_bus_message *m, Fake *fake) {
        uint64_t timeout;
        int r = sd_bus_message_read(m, "t", &timeout);

        if (r < 0)
                return r;
        if (fake->leader == 0)
                return sd_bus_reply_method_errorf(m, ERROR "NotRunning", "%s is not running", fake->name);
        if (timeout == 1)
                return sd_bus_reply_method_errorf(
                                m, ERROR "TimedOut", "%s did not stop in time and was killed", fake->name);
        change(fake, "stopped", 0);

        return sd_bus_reply_method_return(m, NULL);
}

static int on_kill(sd_bus_message *m, Fake *fake) {
        const char *whom;
        int32_t signal;
        int r = sd_bus_message_read(m, "si", &whom, &signal);

        if (r < 0)
                return r;
        if (!streq(whom, "leader") && !streq(whom, "all"))
                return sd_bus_reply_method_errorf(
                                m, SD_BUS_ERROR_INVALID_ARGS, "whom is \"leader\" or \"all\"");
        fake->exit_status = -signal;

        return sd_bus_reply_method_return(m, NULL);
}

static int on_set(sd_bus_message *m, Fake *fake) {
        const char *key, *value;
        int r, runtime;

        r = sd_bus_message_read(m, "b", &runtime);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "(sv)");
        while (r >= 0 && (r = sd_bus_message_read(m, "(sv)", &key, "s", &value)) > 0) {
                if (streq(key, "Lie"))
                        (void) snprintf(lie, sizeof lie, "%s", value);
                else if (!streq(key, "MemoryMax"))
                        return sd_bus_reply_method_errorf(
                                        m, ERROR "NoSuchProperty", "%s= cannot be changed", key);
        }

        return r < 0 ? r : sd_bus_reply_method_return(m, NULL);
}

/* The console of a guest that greets, and says again what is typed. */
static int on_console_input(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        char buffer[256];
        ssize_t n = read(fd, buffer, sizeof buffer);

        if (n <= 0 || memchr(buffer, 'q', (size_t) n)) {
                sd_event_source_unref(source);
                close(fd);
                return 0;
        }

        return write(fd, buffer, (size_t) n) < 0 ? -errno : 0;
}

static int on_console(sd_bus_message *m, Fake *fake) {
        sd_event_source *source;
        int fds[2], r;

        if (fake->leader == 0)
                return sd_bus_reply_method_errorf(m, ERROR "NotRunning", "%s is not running", fake->name);
        if (streq(lie, "descriptor"))
                return sd_bus_reply_method_return(m, "h", STDERR_FILENO);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -errno;
        if (write(fds[1], "login: ", 7) != 7)
                return -EIO;
        r = sd_event_add_io(loop, &source, fds[1], EPOLLIN, on_console_input, NULL);
        if (r >= 0)
                r = sd_bus_reply_method_return(m, "h", fds[0]);
        close(fds[0]);

        return r;
}

static int on_root(sd_bus_message *m, Fake *fake) {
        const char *root = getenv("FAKE_ROOT");
        int fd, r;

        if (fake->leader == 0)
                return sd_bus_reply_method_errorf(m, ERROR "NotRunning", "%s is not running", fake->name);
        fd = open(root ?: "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = fd < 0 ? -errno : sd_bus_reply_method_return(m, "h", fd);
        fd_close(fd);

        return r;
}

static int on_freeze(sd_bus_message *m, Fake *fake) {
        if (streq(fake->name, "held") && held) {
                change(fake, "running", 4244);
                (void) sd_bus_reply_method_return(held, NULL);
                held = sd_bus_message_unref(held);
                return sd_bus_reply_method_return(m, NULL);
        }
        change(fake, streq(sd_bus_message_get_member(m), "Freeze") ? "frozen" : "running", fake->leader);

        return sd_bus_reply_method_return(m, NULL);
}

static int on_restart(sd_bus_message *m, Fake *fake) {
        change(fake, "running", fake->leader + 1);

        return sd_bus_reply_method_return(m, NULL);
}

static int on_remove(sd_bus_message *m, Fake *fake) {
        if (!fake->gone && !streq(fake->name, "made"))
                return sd_bus_reply_method_errorf(
                                m, SD_BUS_ERROR_NOT_SUPPORTED, "root wrote %s", fake->name);
        fake->gone = true;
        (void) sd_bus_emit_signal(
                        bus, "/org/berth/container1", "org.freedesktop.DBus.ObjectManager",
                        "InterfacesRemoved", "oas", fake->path, 1, CONTAINER);

        return sd_bus_reply_method_return(m, NULL);
}

/*
 * The manager
 */

static int on_list(sd_bus_message *m) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ssuso)");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fakes); i++)
                if (!fakes[i].gone)
                        r = sd_bus_message_append(
                                        reply, "(ssuso)", fakes[i].name, fakes[i].state, fakes[i].owner,
                                        fakes[i].unit,
                                        streq(lie, "path") ? "/org/berth/container1/container/_2e_2e_2fetc"
                                                           : fakes[i].path);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(bus, reply, NULL);
        sd_bus_message_unref(reply);

        return r;
}

static int on_objects(sd_bus_message *m) {
        sd_bus_message *reply = NULL;
        int r;

        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "{oa{sa{sv}}}");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(fakes); i++) {
                if (fakes[i].gone)
                        continue;
                r = sd_bus_message_open_container(reply, 'e', "oa{sa{sv}}");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "o", fakes[i].path);
                if (r >= 0)
                        r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "{sa{sv}}", "org.example.Other", 1, "X", "i", 1);
                if (r >= 0)
                        r = sd_bus_message_open_container(reply, 'e', "sa{sv}");
                if (r >= 0)
                        r = sd_bus_message_append(reply, "s", CONTAINER);
                if (r >= 0)
                        r = append_properties(reply, fakes + i);
                for (unsigned level = 0; r >= 0 && level < 3; level++)
                        r = sd_bus_message_close_container(reply);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(bus, reply, NULL);
        sd_bus_message_unref(reply);

        return r;
}

static int on_make(sd_bus_message *m) {
        const char *name, *definition, *kind = "", *option = "";
        Fake *made = find_name("made");
        char text[64] = "";
        int r, fd = -EBADF;

        r = sd_bus_message_read(m, "ss", &name, &definition);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sh}");
        if (r >= 0 && sd_bus_message_read(m, "{sh}", &kind, &fd) > 0 &&
            pread(fd, text, sizeof text - 1, 0) < 0)
                text[0] = '\0';
        if (r >= 0)
                r = sd_bus_message_exit_container(m);
        if (r >= 0)
                r = sd_bus_message_enter_container(m, 'a', "{sv}");
        if (r >= 0)
                r = sd_bus_message_read(m, "{sv}", &option, "b", &fd);
        if (r < 0)
                return r;
        if (!*definition)
                return sd_bus_reply_method_errorf(
                                m, ERROR "InvalidDefinition", "made.container:1: no [Root]\nsecond line");
        if (!made->gone && !streq(option, "replace"))
                return sd_bus_reply_method_errorf(
                                m, ERROR "ContainerExists", "there is a container %s", name);

        (void) sd_bus_emit_signal(
                        bus, "/org/berth/container1", MANAGER, "Progress", "stts", "made", UINT64_C(10),
                        UINT64_C(100), text);
        made->gone = false;
        (void) sd_bus_emit_signal(
                        bus, "/org/berth/container1", "org.freedesktop.DBus.ObjectManager",
                        "InterfacesAdded", "oa{sa{sv}}", made->path, 1, CONTAINER, 1, "State", "s",
                        made->state);

        return sd_bus_reply_method_return(m, "o", made->path);
}

static int service_connect(void);

/* A run that another service than the one that was asked has seen end, and has forgotten. */
static int on_run(sd_bus_message *m) {
        const Fake *brief = find_name("brief");
        const char *name;
        int r;

        r = sd_bus_message_read(m, "s", &name);
        if (r < 0)
                return r;
        if (!streq(name, brief->name)) {
                r = sd_bus_message_rewind(m, /* complete= */ true);
                return r < 0 ? r : on_make(m);
        }

        r = sd_bus_reply_method_return(m, "o", brief->path);
        if (r >= 0)
                r = service_connect();
        if (r >= 0)
                r = sd_bus_emit_signal(
                                bus, brief->path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
                                "sa{sv}as", CONTAINER, 2, "State", "s", brief->state, "ExitStatus", "i",
                                brief->exit_status, 0);
        if (r >= 0)
                r = sd_bus_emit_signal(
                                bus, "/org/berth/container1", "org.freedesktop.DBus.ObjectManager",
                                "InterfacesRemoved", "oas", brief->path, 1, CONTAINER);

        return r < 0 ? r : 1;
}

static int on_get(sd_bus_message *m) {
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        if (!find_name(name))
                return sd_bus_reply_method_errorf(
                                m, ERROR "NoSuchContainer", "there is no container %s", name);

        return sd_bus_reply_method_return(m, "o", streq(lie, "path") ? "/somewhere" : find_name(name)->path);
}

static int on_get_by_pid(sd_bus_message *m) {
        uint32_t pid;
        int r = sd_bus_message_read(m, "u", &pid);

        if (r < 0)
                return r;
        if (pid != 1)
                return sd_bus_reply_method_errorf(
                                m, ERROR "NoSuchProcess", "process %u is in no container", pid);

        return sd_bus_reply_method_return(m, "o", streq(lie, "path") ? "/somewhere" : fakes[0].path);
}

/* clang-format off */
static const struct { const char *member; int (*run)(sd_bus_message *m); } manager_members[] = {
        { "ListContainers", on_list },        { "GetManagedObjects", on_objects },    { "CreateContainer", on_make },
        { "RunContainer", on_run },           { "GetContainer", on_get },             { "GetContainerByPID", on_get_by_pid },
        { "Reload", on_reload },              { "Get", on_manager_property },         { "EnableUnitFiles", on_unit_files },
        { "DisableUnitFiles", on_unit_files },
};
static const struct { const char *member; int (*run)(sd_bus_message *m, Fake *fake); } container_members[] = {
        { "Start", on_start },     { "Stop", on_stop },        { "Restart", on_restart },     { "Remove", on_remove },
        { "Kill", on_kill },       { "Freeze", on_freeze },    { "Thaw", on_freeze },         { "SetProperties", on_set },
        { "OpenConsole", on_console }, { "OpenRoot", on_root },
};
/* clang-format on */

static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path = sd_bus_message_get_path(m), *member = sd_bus_message_get_member(m);
        Fake *fake;

        if (sd_bus_message_is_method_call(m, NULL, NULL) <= 0)
                return 0;
        if (string_after_prefix(lie, "shape ") && !streq(member, "SetProperties"))
                return reply_shape(bus, m, lie[strlen("shape ")] - 'a');
        if (streq(path, "/org/berth/container1") || streq(path, "/org/freedesktop/systemd1"))
                for (size_t i = 0; i < ELEMENTSOF(manager_members); i++)
                        if (streq(manager_members[i].member, member))
                                return manager_members[i].run(m);
        fake = find(path);
        if (!fake)
                return 0;
        if (streq(sd_bus_message_get_interface(m) ?: "", "org.freedesktop.DBus.Properties"))
                return on_properties(m, fake);
        for (size_t i = 0; i < ELEMENTSOF(container_members); i++)
                if (streq(container_members[i].member, member))
                        return container_members[i].run(m, fake);

        return 0;
}

/* Takes the place of the connection that was the service before. */
static int service_connect(void) {
        static const uint64_t flags = SD_BUS_NAME_REPLACE_EXISTING | SD_BUS_NAME_ALLOW_REPLACEMENT;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, loop, 0);
        if (r >= 0)
                r = sd_bus_set_exit_on_disconnect(bus, true);
        if (r >= 0)
                r = sd_bus_add_filter(bus, NULL, on_message, NULL);
        if (r >= 0)
                r = sd_bus_request_name(bus, "org.freedesktop.systemd1", flags);
        if (r >= 0)
                r = sd_bus_request_name(bus, "org.berth.container1", flags);

        return r;
}

int main(void) {
        int r;

        r = sd_event_new(&loop);
        if (r >= 0)
                r = service_connect();
        if (r >= 0 && (puts("ready") < 0 || fflush(stdout) != 0))
                r = -EIO;
        if (r >= 0)
                r = sd_event_loop(loop);
        if (r < 0)
                fprintf(stderr, "fake-service: %s\n", strerror(-r));

        return r < 0;
}
