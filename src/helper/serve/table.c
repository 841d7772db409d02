/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/serve/table.h"

#include "basic/macro.h"
#include "basic/string.h"
#include "helper/ops/ops.h"

/* clang-format off */
const Operation operations[] = {
        {
                .member = "Start", .arguments = "s", .target = TARGET_UNIT, .run = op_start,
                .why = "the unit is a container's: what it may do was decided by the file that defines it, and is again at the start",
        },
        {
                .member = "Stop", .arguments = "s", .target = TARGET_UNIT, .run = op_stop,
                .why = "the unit is a container's: a manager that somebody took over can stop containers, and nothing else",
        },
        {
                .member = "Restart", .arguments = "s", .target = TARGET_UNIT, .run = op_restart,
                .why = "it is Stop and Start",
        },
        {
                .member = "Kill", .arguments = "ssi", .target = TARGET_UNIT, .run = op_kill,
                .why = "systemd sends the signal, to processes in the cgroup of a container's unit only",
        },
        {
                .member = "Freeze", .arguments = "s", .target = TARGET_UNIT, .run = op_freeze,
                .why = "it stops a container's processes where they are, and Thaw undoes it",
        },
        {
                .member = "Thaw", .arguments = "s", .target = TARGET_UNIT, .run = op_thaw,
                .why = "it undoes Freeze",
        },
        {
                .member = "ResetFailed", .arguments = "s", .target = TARGET_UNIT, .run = op_reset_failed,
                .why = "it makes systemd forget that a container failed",
        },
        {
                .member = "Create", .arguments = "ssa{sh}hb", .target = TARGET_NAME, .exclusive = true, .loss = LOSS_KILL,
                .run = op_create,
                .why = "the definition is untrusted, and judged at every start; archives are read without rights, in namespaces; and "
                       "a directory counts only if the kernel shows that its owner or root opened it, an image if it is root's alone",
        },
        {
                .member = "Remove", .arguments = "sb", .target = TARGET_NAME, .exclusive = true, .loss = LOSS_FINISH,
                .run = op_remove,
                .why = "it reaches what was made by Create and nothing else, by a name that has no slash, in directories of root's",
        },
        {
                .member = "Reload", .arguments = "", .target = TARGET_HOST, .run = op_reload,
                .why = "systemd reads files again that root wrote, or that are untrusted wherever they come from",
        },
        {
                .member = "SetProperties", .arguments = "sba(sv)", .target = TARGET_UNIT, .run = op_set_properties,
                .why = "the properties are those that anybody's definition may set, as far as anybody's may go",
        },
        {
                .member = "Run", .arguments = "ssa{sh}h", .target = TARGET_NAME, .exclusive = true, .loss = LOSS_KILL,
                .run = op_run,
                .why = "the definition is judged as anybody's, here and by the launcher; the unit's properties are composed "
                       "here; and what may be done with a descriptor is for what the kernel knows of its opening to say",
        },
        {
                .member = "OpenRoot", .arguments = "s", .target = TARGET_UNIT, .run = op_open_root,
                .why = "what is opened is the root of a container's own mount namespace, where nothing of the host's is "
                       "that the container does not have",
        },
};
/* clang-format on */

const size_t n_operations = ELEMENTSOF(operations);

const Operation *operation_find(const char *member) {
        for (size_t i = 0; member && i < n_operations; i++)
                if (streq(operations[i].member, member))
                        return operations + i;

        return NULL;
}
