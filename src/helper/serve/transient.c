/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/transient.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "basic/cleanup.h"
#include "basic/parse.h"
#include "basic/string.h"
#include "spec/handover.h"
#include "spec/limits.h"

#define HELPER BERTH_LIBEXECDIR "/berth-helper"
#define STOP_USEC (120 * USEC_PER_SEC)

static int append_text(sd_bus_message *call, const char *name, const char *value) {
        return sd_bus_message_append(call, "(sv)", name, "s", value);
}

static int append_texts(sd_bus_message *call, const char *const (*pairs)[2], size_t n) {
        for (size_t i = 0; i < n; i++) {
                int r = append_text(call, pairs[i][0], pairs[i][1]);

                if (r < 0)
                        return r;
        }

        return 0;
}

/* ExecStart= and its kin: a program, its arguments, and whether a failure does not count. What ExecStopPost= does
 * comes after the container's end, and changes nothing about how that was. */
static int append_commands(sd_bus_message *call, const char *container) {
        int r;

        r = sd_bus_message_append(call, "(sv)", "ExecStart", "a(sasb)", 1, HELPER, 4, HELPER, "launch", "--stdin",
                                  container, 0);
        if (r < 0)
                return r;
        r = sd_bus_message_append(call, "(sv)", "ExecStop", "a(sasb)", 1, HELPER, 3, HELPER, "stop", container, 0);
        if (r < 0)
                return r;

        return sd_bus_message_append(call, "(sv)", "ExecStopPost", "a(sasb)", 1, HELPER, 3, HELPER, "clean", container,
                                     1);
}

/* How a guest's process 1 ends that rebooted (SIGHUP) or powered off (SIGINT). */
static int append_ends(sd_bus_message *call) {
        int r;

        r = sd_bus_message_append(call, "(sv)", "RestartForceExitStatus", "(aiai)", 0, 1, SIGHUP);
        if (r < 0)
                return r;

        return sd_bus_message_append(call, "(sv)", "SuccessExitStatus", "(aiai)", 0, 2, SIGHUP, SIGINT);
}

static int append_unit(sd_bus_message *call, const Transient *transient) {
        _cleanup_free_ char *description = NULL;
        int r;

        description = transient->description ? NULL : string_printf("Container %s", transient->name);
        if (!transient->description && !description)
                return -ENOMEM;

        r = append_text(call, "Description", transient->description ?: description);
        if (r < 0)
                return r;
        r = sd_bus_message_append(
                        call, "(sv)(sv)(sv)(sv)", "Documentation", "as", 1, "man:berth.container(5)",
                        "PartOf", "as", 1, "machines.target", "Before", "as", 1, "machines.target",
                        "RequiresMountsFor", "as", 1, "/var/lib/berth");
        if (r < 0)
                return r;

        return sd_bus_message_append(
                        call, "(sv)(sv)", "StartLimitIntervalUSec", "t", UINT64_C(0), "CollectMode", "s",
                        "inactive-or-failed");
}

static int append_service(sd_bus_message *call, const Transient *transient) {
        static const char *const texts[][2] = {
                {"Type",                    "notify"       },
                { "NotifyAccess",           "all"          },
                { "User",                   "root"         },
                { "Slice",                  "machine.slice"},
                { "KillMode",               "mixed"        },
                { "TimeoutStopFailureMode", "kill"         },
                { "Restart",                "no"           },
                { "OOMPolicy",              "continue"     },
                { "DevicePolicy",           "closed"       },
                { "StandardOutput",         "journal"      },
                { "StandardError",          "journal"      },
        };
        int r;

        r = append_texts(call, texts, ELEMENTSOF(texts));
        if (r < 0)
                return r;
        r = append_commands(call, transient->name);
        if (r < 0)
                return r;
        r = append_ends(call);
        if (r < 0)
                return r;
        r = sd_bus_message_append(
                        call, "(sv)(sv)(sv)(sv)", "Delegate", "b", 1, "SyslogLevelPrefix", "b", 0,
                        "IgnoreSIGPIPE", "b", 0, "KillSignal", "i", SIGRTMIN + 3);
        if (r < 0)
                return r;

        /* As in the drop-in of a container that has a definition (spec/dropin.c). */
        if (transient->image) {
                r = sd_bus_message_append(call, "(sv)", "DeviceAllow", "a(ss)", 2, "/dev/loop-control", "rw", "block-loop",
                                          "rw");
                if (r < 0)
                        return r;
        }

        return sd_bus_message_append(
                        call, "(sv)(sv)(sv)(sv)(sv)", "TimeoutStopUSec", "t", STOP_USEC, "TasksMax", "t",
                        (uint64_t) TASKS_MAX_DEFAULT, "FileDescriptorStoreMax", "u",
                        (uint32_t) HANDOVER_STORE_MAX, "SyslogIdentifier", "s", transient->name,
                        "StandardInputFileDescriptor", "h", transient->input);
}

int transient_append(sd_bus_message *call, const Transient *transient) {
        int r;

        r = sd_bus_message_append(call, "ss", transient->unit, "fail");
        if (r < 0)
                return r;
        r = sd_bus_message_open_container(call, 'a', "(sv)");
        if (r < 0)
                return r;
        r = append_unit(call, transient);
        if (r < 0)
                return r;
        r = append_service(call, transient);
        if (r < 0)
                return r;
        /* Later ones count: a definition's TasksMax= stands behind the default. */
        for (size_t i = 0; i < transient->n_properties; i++) {
                r = property_append(call, transient->properties + i);
                if (r < 0)
                        return r;
        }
        r = sd_bus_message_close_container(call);
        if (r < 0)
                return r;

        return sd_bus_message_append(call, "a(sa(sv))", 0);
}
