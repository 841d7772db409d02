/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a definition calls fd:NAME: something that somebody else opened. Nothing is known of who that was but
 * what the descriptor itself shows, and the service that passed it on is trusted with nothing;
 * berth.container(5) has the rules under "Descriptors". Their reasons:
 *
 *   - A directory that was opened for reading with O_NOATIME, which the kernel allows nobody but the owner and
 * root, and that gives nothing to group and others is "proven". Anybody can have opened anything else (a mode of
 * 0700 may be younger than the descriptor), or stand on it with O_PATH.
 *   - What is not proven shows no more than any user of the host sees: no id map, read-only, and nothing
 * that is mounted below it either comes with it (a /proc of the host) or is left out (what lies under the
 * mount).
 *   - A user's directory makes the container's root that user and nobody else. New files get a group that is
 * nobody's: with the directory's own, which may be one that the user is not in, set-group-ID programs could
 * be made.
 *   - A container that writes can leave a set-user-ID program, and can change the mode of the directory
 * itself: only a directory above keeps other users of the host away from it.
 *   - File systems that tell what a user wants (FUSE) or that the kernel makes up (proc: a directory there
 * can be root's and 0500, and yet everybody's to open) prove nothing. Nor does a mount that is not the
 * host's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "helper/launch/failure.h"
#include "helper/launch/plan.h"
#include "spec/definition.h"
#include "spec/handover.h"

typedef struct Descriptor {
        int fd;   /* as it came */
        int tree; /* a detached mount of it, with what is mounted below; -EBADF: the definition has a path
                     here */
        bool directory;
        bool proven;
        bool private; /* other users of the host cannot get there, or cannot use set-user-ID programs there
                       */
        uid_t owner;
        gid_t group;
} Descriptor;

#define DESCRIPTOR_NULL ((Descriptor){ .fd = -EBADF, .tree = -EBADF })

/* Those of a definition: its root's and those of its mounts by their index. */
typedef struct Descriptors {
        Descriptor root;
        Descriptor *mounts;
        size_t n_mounts;
} Descriptors;

#define DESCRIPTORS_NULL ((Descriptors){ .root = DESCRIPTOR_NULL })

/* Takes up all that the definition names, which has to happen before the launcher has a mount namespace of
 * its own: the kernel then takes what is on a mount of the host's, and nothing else. Refuses what the rules
 * do not allow. */
int descriptors_open(
                Failure *failure, const Definition *definition, const Handover *handed, Descriptors *ret);
void descriptors_done(Descriptors *descriptors);

/* A mount of it. Its owners are shown if they may be and there is a user_namespace, which is the payload's.
 */
int descriptor_mount(
                Failure *failure,
                const LaunchPlan *plan,
                const Descriptor *descriptor,
                bool written,
                uint64_t attributes,
                int user_namespace,
                int *ret_fd);

/* What the definition's Path= or the Source= of a [Mount] stands for; NULL if it is no fd:NAME. */
const Descriptor *descriptor_of_root(const LaunchPlan *plan);
const Descriptor *descriptor_of_mount(const LaunchPlan *plan, size_t mount);

/* What has to be done for that. */
#define DESCRIPTOR_PROOF                                                                                      \
        "its owner or root opens the directory for reading with O_NOATIME, and its mode gives nothing to group " \
        "and others (chmod 0700)"

/* Does what was opened prove that its owner or root opened it? flags are those of fcntl(2), F_GETFL. */
bool descriptor_is_proven(const struct stat *st, int flags);

/* Does a file system of this type, as statfs(2) tells it, keep data, and not more than that? */
bool descriptor_type_is_storage(uint32_t type);

/* Does a mount lie at or below the path on the mount with this id, according to the text of a mountinfo
 * file? */
bool descriptor_has_mounts(const char *mountinfo, int mount_id, const char *path);

/* The map with which a user's directory is shown: its owner is OWNER_UID, the container's root. */
void descriptor_user_map(
                const Descriptor *descriptor, bool written, uid_t owner_uid, gid_t owner_gid, IdMap *ret);
