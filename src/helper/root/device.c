/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/root/device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/cleanup.h"
#include "basic/file.h"
#include "basic/parse.h"
#include "helper/process/user.h"
#include "helper/root/node.h"
#include "spec/limits.h"

int devices_find(Failure *failure, const Definition *definition, DeviceNodes *ret) {
        const DeviceSpec *failed = NULL;
        int error, r;

        if (definition->n_devices == 0)
                return 0;

        error = device_nodes_find(definition, ret, &failed);
        if (!failed)
                failed = definition->devices;
        r = step_begin(failure, STEP_DEVICE, "%s (%s:%u)", failed->path, failed->origin.file,
                       failed->origin.line);
        if (r < 0)
                return r;

        switch (error) {
        case DEVICE_E_MISSING:
                return failure_cause(
                                failure, -ENOENT,
                                "the host has no such device; load its driver, or set Optional=yes to start "
                                "without");
        case DEVICE_E_NONE:
                return failure_cause(
                                failure, -ENOENT,
                                "no device is there on the host; load its driver, or set Optional=yes to "
                                "start without");
        case DEVICE_E_KIND:
                return failure_cause(failure, -ENODEV, "it is neither a device node nor a directory");
        case DEVICE_E_MANY:
                return failure_cause(
                                failure, -E2BIG, "the sections stand for more than %d device nodes",
                                DEVICE_NODES_MAX);
        default:
                return error;
        }
}

/* The host's id of who has no name: a number, or nobody in particular, for whom the inside's root stands, or
 * else the first id that there is inside. Who has a name is looked up inside later and has to be found
 * mapped until then. */
static int owner_outside(const LaunchPlan *plan, IdKind kind, const char *owner, uint32_t *ret) {
        uint32_t inside = 0;

        if (owner)
                (void) parse_u32(owner, &inside);
        if (!plan->definition->user_namespace) {
                *ret = inside;
                return 0;
        }
        if (idmap_to_host(&plan->ids, kind, inside, ret))
                return 0;
        if (inside == 0 && idmap_first(&plan->ids, kind, &inside) &&
            idmap_to_host(&plan->ids, kind, inside, ret))
                return 0;

        return -ERANGE;
}

/* The directories on the way to a name, in a file system that nobody else sees yet. */
static int make_parents(int dev, const char *name) {
        for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *parent = strndup(name, (size_t) (slash - name));

                if (!parent)
                        return -ENOMEM;
                if (mkdirat(dev, parent, 0755) < 0 && errno != EEXIST)
                        return -errno;
        }

        return 0;
}

static int device_make(Failure *failure, const LaunchPlan *plan, const DeviceNode *node, int dev) {
        uint32_t uid = 0, gid = 0;
        int r;

        r = step_begin(failure, STEP_DEV, DEVICE_DIRECTORY "%s", node->name);
        if (r < 0)
                return r;

        r = owner_outside(plan, ID_UID, node->spec->user, &uid);
        if (r == 0)
                r = owner_outside(plan, ID_GID, node->spec->group, &gid);
        if (r < 0)
                return failure_cause(failure, r, "its owner is none of the container's ids");

        r = make_parents(dev, node->name);
        if (r < 0)
                return r;
        r = node_make(plan, dev, node->name, node->type | node->mode, node->number);
        if (r == -EPERM)
                return failure_cause(
                                failure, r,
                                "the unit's DeviceAllow= and DevicePolicy= do not let it be made; "
                                "\"systemctl cat container@%s\" shows who sets them",
                                plan->definition->name);
        if (r != 0)
                return r < 0 ? r : 0;

        return fchownat(dev, node->name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int devices_make(Failure *failure, const LaunchPlan *plan, int dev) {
        for (size_t i = 0; i < plan->devices.n; i++) {
                int r = device_make(failure, plan, plan->devices.list + i, dev);

                if (r < 0)
                        return r;
        }

        return 0;
}

static bool is_name(const char *owner) {
        uint32_t id;

        return owner && parse_u32(owner, &id) < 0;
}

/* A [Mount] may lie over it. */
static int device_open_inside(const DeviceNode *node) {
        _cleanup_close_ int root = -EBADF, dev = -EBADF, fd = -EBADF;
        struct stat st;

        root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        dev = open_beneath(root, DEVICE_DIRECTORY, O_PATH | O_DIRECTORY);
        if (dev < 0)
                return dev;
        fd = open_beneath(dev, node->name, O_PATH | O_NOFOLLOW);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != node->type || st.st_rdev != node->number)
                return -ENODEV;

        return TAKE_FD(fd);
}

static int device_set_owner(Failure *failure, const DeviceNode *node) {
        uid_t uid = (uid_t) -1;
        gid_t gid = (gid_t) -1;
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = step_begin(failure, STEP_DEV, DEVICE_DIRECTORY "%s", node->name);
        if (r < 0)
                return r;

        if (is_name(node->spec->user)) {
                r = user_find_id(node->spec->user, &uid);
                if (r == -ESRCH)
                        return failure_cause(
                                        failure, r, "the root's /etc/passwd has no user %s",
                                        node->spec->user);
                if (r < 0)
                        return failure_cause(failure, r, "the root's /etc/passwd: %s", strerror(-r));
        }
        if (is_name(node->spec->group)) {
                r = group_find_id(node->spec->group, &gid);
                if (r == -ENXIO)
                        return failure_cause(
                                        failure, r, "the root's /etc/group has no group %s",
                                        node->spec->group);
                if (r < 0)
                        return failure_cause(failure, r, "the root's /etc/group: %s", strerror(-r));
        }

        fd = device_open_inside(node);
        if (fd == -ENOENT || fd == -ENOTDIR || fd == -ENODEV)
                return failure_cause(failure, fd, "a [Mount] lies over it");
        if (fd < 0)
                return fd;
        if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
                return errno == EINVAL ? failure_cause(failure, -errno,
                                                       "its owner is none of the container's ids")
                                       : -errno;

        return 0;
}

int devices_set_owners(Failure *failure, const LaunchPlan *plan) {
        /* They are this host's own nodes (root/node.h). */
        if (plan->nested)
                return 0;

        for (size_t i = 0; i < plan->devices.n; i++) {
                const DeviceNode *node = plan->devices.list + i;
                int r;

                if (!is_name(node->spec->user) && !is_name(node->spec->group))
                        continue;
                r = device_set_owner(failure, node);
                if (r < 0)
                        return r;
        }

        return 0;
}
