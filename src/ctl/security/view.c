/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/security/view.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/string.h"
#include "spec/limits.h"
#include "spec/unit.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_LAUNCH "launch" /* of a unit: the launcher's part */

void view_clear(View *view) {
        (void) definition_free(view->definition);
        free(view->changed);
        free(view->uids.lines);
        free(view->gids.lines);
        mount_lines_clear(&view->mounts);
        free(view->label);
        free(view->cgroup);
        for (size_t i = 0; i < view->n_strays; i++)
                free(view->strays[i].path);
        free(view->strays);
        free(view->unit.device_policy);
        free(view->unit.control_group);
        for (size_t i = 0; i < view->unit.n_devices; i++) {
                free(view->unit.devices[i].node);
                free(view->unit.devices[i].access);
        }
        free(view->unit.devices);
        free(view->program);
        free(view->filter);
        free(view->seccomp_profile);
        free(view->apparmor_part);
        *view = VIEW_NULL;
}

static int open_cgroup(const char *control_group, int *ret_fd) {
        _cleanup_close_ int root = -EBADF;
        int fd;

        root = open(CGROUP_ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        fd = open_beneath(root, control_group, O_RDONLY | O_DIRECTORY);
        if (fd < 0)
                return fd;

        *ret_fd = fd;
        return 0;
}

/* What the launcher noted. */
static int read_filter(const char *control_group, char **ret) {
        _cleanup_close_ int unit = -EBADF, launch = -EBADF;
        char text[SHA256_TEXT_SIZE] = {};

        if (open_cgroup(control_group, &unit) < 0)
                return 0;
        launch = openat(unit, CGROUP_LAUNCH, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (launch < 0 || fgetxattr(launch, SECCOMP_ATTRIBUTE, text, sizeof text - 1) <= 0)
                return 0;

        return string_set(ret, text);
}

/* How many programs of the kernel are asked when something in the cgroup opens a device. Only root may know.
 */
int view_read_devices(const char *control_group, int *ret_programs) {
        _cleanup_close_ int group = -EBADF;
        union bpf_attr attributes;
        int r;

        r = open_cgroup(control_group, &group);
        if (r < 0)
                return r;

        memset(&attributes, 0, sizeof attributes);
        attributes.query.target_fd = (uint32_t) group;
        attributes.query.attach_type = BPF_CGROUP_DEVICE;
        attributes.query.query_flags = BPF_F_QUERY_EFFECTIVE;
        if (syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes) < 0)
                return -errno;

        *ret_programs = (int) attributes.query.prog_cnt;
        return 0;
}

/* The directory stays that of one process, whoever gets its number next. It is the container's when the
 * container had this very process before and after it was opened. */
static int open_leader(berth *connection, const berth_status *status, int *ret_process) {
        _cleanup_close_ int process = -EBADF;
        _cleanup_free_ char *path = NULL;
        berth_status *again;
        bool same;
        int r;

        path = string_printf("/proc/%" PRIu32, status->leader);
        if (!path)
                return -ENOMEM;
        process = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process < 0)
                return errno == ENOENT ? VIEW_E_CHANGED : -errno;

        r = berth_get_status(connection, status->name, &again);
        if (r < 0)
                return r;
        same = again->leader == status->leader && again->started_usec == status->started_usec;
        (void) berth_status_free(again);
        if (!same)
                return VIEW_E_CHANGED;

        *ret_process = TAKE_FD(process);
        return 0;
}

static int read_running(berth *connection, const berth_status *status, View *view) {
        _cleanup_close_ int process = -EBADF;
        int r;

        r = open_leader(connection, status, &process);
        if (r != 0)
                return r;
        r = view_read_process(process, view);
        if (r < 0)
                return r == -ESRCH || r == -ENOENT ? VIEW_E_CHANGED : r;
        if (view->cgroup)
                (void) view_read_devices(view->cgroup, &view->device_programs);

        return view->unit.control_group ? read_filter(view->unit.control_group, &view->filter) : 0;
}

/* A unit that is made for one run is gone with it. */
static bool has_unit(const berth_status *status) {
        char name[NAME_MAX_LENGTH + 1];
        UnitKind kind;

        return status->leader != 0 ||
               (unit_name_parse(status->unit, &kind, name, sizeof name) >= 0 && kind == UNIT_DEFINED);
}

int view_read(berth *connection, const berth_status *status, View *ret) {
        _cleanup_(view_clear) View view = VIEW_NULL;
        int r;

        view.running = status->leader != 0;
        r = view_read_definition(connection, status, &view);
        if (r >= 0)
                r = view_read_host(&view);
        if (r >= 0 && has_unit(status))
                r = view_read_unit(status->unit, &view.unit);
        if (r >= 0 && view.running)
                r = read_running(connection, status, &view);
        if (r != 0)
                return r;

        *ret = view;
        view = VIEW_NULL;
        return 0;
}
