/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unpack/attribute.h"

#include <archive.h>
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "basic/array.h"
#include "basic/string.h"
#include "spec/limits.h"

#define CAPABILITY "security.capability"
#define ACL_ENTRIES_MAX 1024

void attributes_done(Attributes *attributes) {
        for (size_t i = 0; i < attributes->n; i++) {
                free(attributes->list[i].name);
                free(attributes->list[i].value);
        }
        free(attributes->list);
}

static int attributes_add(Attributes *attributes, const char *name, const void *value, size_t size) {
        Attribute attribute = { .name = strdup(name), .value = malloc(size > 0 ? size : 1), .size = size };
        int r;

        if (!attribute.name || !attribute.value) {
                free(attribute.name);
                free(attribute.value);
                return -ENOMEM;
        }
        if (size > 0)
                memcpy(attribute.value, value, size);

        r = ARRAY_APPEND(attributes->list, attributes->n, attribute);
        if (r < 0) {
                free(attribute.name);
                free(attribute.value);
        }
        return r;
}

/* Capabilities as the kernel has them for any user namespace become those of ours when they are set. The
 * version that names a namespace's root is of use only if that is root here. */
static int attributes_add_capability(
                Report *report, Attributes *attributes, const char *path, const void *value, size_t size) {
        struct vfs_ns_cap_data data = {};

        if (size != XATTR_CAPS_SZ_2 && size != XATTR_CAPS_SZ_3) {
                report_note(report, NOTE_ATTRIBUTE, path);
                return 0;
        }

        memcpy(&data, value, size);
        if (size == XATTR_CAPS_SZ_3) {
                if (data.rootid != 0) {
                        report_note(report, NOTE_ATTRIBUTE, path);
                        return 0;
                }
                data.magic_etc =
                                htole32((le32toh(data.magic_etc) & ~(uint32_t) VFS_CAP_REVISION_MASK) |
                                        VFS_CAP_REVISION_2);
        }

        return attributes_add(attributes, CAPABILITY, &data, XATTR_CAPS_SZ_2);
}

static bool attributes_have(const Attributes *attributes, const char *name) {
        for (size_t i = 0; i < attributes->n; i++)
                if (streq(attributes->list[i].name, name))
                        return true;

        return false;
}

static int
attributes_take(Report *report,
                Attributes *attributes,
                const char *path,
                const char *name,
                const void *value,
                size_t size) {
        bool fits = size <= UNPACK_ATTRIBUTE_SIZE_MAX && attributes->n < UNPACK_ATTRIBUTES_MAX;

        if (fits && streq(name, CAPABILITY))
                return attributes_add_capability(report, attributes, path, value, size);
        if (fits && string_after_prefix(name, "user."))
                return attributes_add(attributes, name, value, size);
        /* GNU tar writes these twice, as text and as they are. */
        if (fits && (streq(name, ACL_ACCESS) || streq(name, ACL_DEFAULT)))
                return attributes_have(attributes, name) ? 0 : attributes_add(attributes, name, value, size);

        /* Every file of a system with SELinux has a label; the container's system gives its own. */
        if (!streq(name, "security.selinux"))
                report_note(report, NOTE_ATTRIBUTE, path);
        return 0;
}

static uint16_t acl_tag(int tag) {
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER:
                return ACL_USER;
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
                return ACL_USER_OBJ;
        case ARCHIVE_ENTRY_ACL_GROUP:
                return ACL_GROUP;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
                return ACL_GROUP_OBJ;
        case ARCHIVE_ENTRY_ACL_MASK:
                return ACL_MASK;
        case ARCHIVE_ENTRY_ACL_OTHER:
                return ACL_OTHER;
        default:
                return 0;
        }
}

/* The kernel wants the entries in the order of their tags, and named ones in that of their ids. */
static int acl_compare(const void *a, const void *b) {
        const struct posix_acl_xattr_entry *one = a, *two = b;

        uint16_t tag_one = le16toh(one->e_tag), tag_two = le16toh(two->e_tag);
        uint32_t id_one = le32toh(one->e_id), id_two = le32toh(two->e_id);

        if (tag_one != tag_two)
                return tag_one < tag_two ? -1 : 1;
        return id_one < id_two ? -1 : id_one > id_two;
}

typedef struct AclText {
        struct posix_acl_xattr_header header;
        struct posix_acl_xattr_entry entries[ACL_ENTRIES_MAX];
} AclText;

/* 1 if it names somebody without a number: who that is only the system knows that wrote it. */
static int
attributes_add_acl(struct archive_entry *entry, int type, const char *name, Attributes *attributes) {
        _cleanup_free_ AclText *text = NULL;
        int kind, permissions, tag, id;
        const char *who;
        size_t n = 0;

        /* Three entries are what the mode says. */
        if (archive_entry_acl_reset(entry, type) <= (type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS ? 3 : 0))
                return 0;
        text = calloc(1, sizeof *text);
        if (!text)
                return -ENOMEM;

        while (archive_entry_acl_next(entry, type, &kind, &permissions, &tag, &id, &who) == ARCHIVE_OK) {
                bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;

                if (n == ACL_ENTRIES_MAX || acl_tag(tag) == 0 || (named && (id < 0 || id >= ID_RANGE_SIZE)))
                        return 1;
                text->entries[n++] = (struct posix_acl_xattr_entry){
                        .e_tag = htole16(acl_tag(tag)),
                        .e_perm = htole16((uint16_t) (permissions & 7)),
                        .e_id = htole32(named ? (uint32_t) id : (uint32_t) ACL_UNDEFINED_ID),
                };
        }

        text->header.a_version = htole32(POSIX_ACL_XATTR_VERSION);
        qsort(text->entries, n, sizeof text->entries[0], acl_compare);
        return attributes_add(attributes, name, text, sizeof text->header + n * sizeof text->entries[0]);
}

int attributes_from_archive(Report *report, struct archive_entry *entry, Attributes *attributes) {
        const char *path = archive_entry_pathname(entry), *name;
        int access, by_default, r;
        const void *value;
        size_t size;

        access = attributes_add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACL_ACCESS, attributes);
        if (access < 0)
                return access;
        by_default = attributes_add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ACL_DEFAULT, attributes);
        if (by_default < 0)
                return by_default;

        (void) archive_entry_xattr_reset(entry);
        while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
                r = name ? attributes_take(report, attributes, path, name, value, size) : 0;
                if (r < 0)
                        return r;
        }

        /* With numbers it may have been there as well. */
        if ((access > 0 && !attributes_have(attributes, ACL_ACCESS)) ||
            (by_default > 0 && !attributes_have(attributes, ACL_DEFAULT)))
                report_note(report, NOTE_ATTRIBUTE, path);

        return 0;
}

int attributes_from_file(Report *report, int fd, const char *path, Attributes *attributes) {
        _cleanup_free_ char *names = malloc(UNPACK_ATTRIBUTE_SIZE_MAX),
                            *value = malloc(UNPACK_ATTRIBUTE_SIZE_MAX);
        ssize_t n;

        if (!names || !value)
                return -ENOMEM;
        n = flistxattr(fd, names, UNPACK_ATTRIBUTE_SIZE_MAX);
        if (n < 0)
                return errno == EOPNOTSUPP ? 0 : -errno;

        for (const char *name = names; name < names + n; name += strlen(name) + 1) {
                ssize_t size = fgetxattr(fd, name, value, UNPACK_ATTRIBUTE_SIZE_MAX);
                int r;

                if (size < 0) {
                        report_note(report, NOTE_ATTRIBUTE, path);
                        continue;
                }
                r = attributes_take(report, attributes, path, name, value, (size_t) size);
                if (r < 0)
                        return r;
        }

        return 0;
}
