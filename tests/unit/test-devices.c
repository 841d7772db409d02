/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * [Device] sections: their values, what they find on the host, and what the unit is told of it. The nodes are
 * those that every host has; since definitions cannot name them, and patterns pass them over, the sections here
 * are made by hand, and links in a scratch directory stand for names.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/string.h"
#include "rows.h"
#include "spec/devices.h"
#include "spec/dropin.h"
#include "tree.h"

#define MANAGED "[Root]\nManaged=yes\n"

/* clang-format off */
static const Row taken[] = {
        { "Device", "Path=/dev//net/tun/", "\n[Device]\nPath=/dev/net/tun\n" },
        { "Device", "Path=/dev/dri/*\nAccess=wr\nMode=0660\nUser=0\nGroup=render\nOptional=yes",
          "Path=/dev/dri/*\nAccess=rw\nMode=0660\nUser=0\nGroup=render\nOptional=yes\n" },
        { "Device", "Path=/dev/kvm\nAccess=r\nAccess=rwm\n[Device]\nPath=/dev/fuse\nMode=0600\nMode=",
          "[Device]\nPath=/dev/kvm\nAccess=rwm\n[Device]\nPath=/dev/fuse\n" },
};

static const Row refused[] = {
        { "Device", "Path=/srv/tun", "\"/srv/tun\" is not a device's name below /dev, such as /dev/net/tun" },
        { "Device", "Path=/dev", "is not a device's name below /dev" },
        { "Device", "Path=fd:tun", "is not an absolute path" },
        { "Device", "Path=/dev/null", "cannot be used: every container has its own" },
        { "Device", "Path=/dev/pts/0", "every container has its own" },
        { "Device", "Path=/dev/kvm\nAccess=rwx",
          "\"rwx\" is not known; it takes r (read), w (write) and m (make nodes)" },
        { "Device", "Path=/dev/kvm\nUser=a b", "it takes a name inside the container" },
        { "Device", "Node=/dev/kvm", "there is no such key in [Device]" },
        { "Device", "Access=rw", ":3: Path=: is not set" },
        { "Device", "Path=/dev/kvm\nMode=1777", ":5: Mode=: takes the bits up to 0777" },
        { "Device", "Path=/dev/kvm\nGroup=65536", ":5: Group=: is no id that the container has" },
        { "Device", "Path=/dev/kvm\n[Device]\nPath=/dev/kvm", ":6: Path=: is that of an earlier [Device]" },
};
/* clang-format on */

static void test_values(void) {
        for (size_t i = 0; i < ELEMENTSOF(taken); i++) {
                _cleanup_free_ char *text = row_text(taken + i);

                check_taken(text, taken[i].expected);
        }
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_free_ char *text = row_text(refused + i);

                check_refused(text, refused[i].expected);
        }
}

static int find(DeviceSpec *specs, size_t n, DeviceNodes *ret, const DeviceSpec **ret_failed) {
        Definition definition = { .devices = specs, .n_devices = n };

        *ret_failed = NULL;
        return device_nodes_find(&definition, ret, ret_failed);
}

static void test_nodes(void) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = DEVICE_NODES_NULL;
        const DeviceSpec *failed;
        DeviceSpec specs[] = {
                {.path = (char *) "/dev/full",                .access = DEVICE_READ, .mode = DEVICE_MODE_HOST},
                { .path = (char *) "/dev/berth-is-not-there", .optional = true     },
                { .path = (char *) "/dev/null",       .access = DEVICE_READ | DEVICE_WRITE,          .mode = 0640                        },
        };
        struct stat st;

        CHECK_INT(find(specs, ELEMENTSOF(specs), &nodes, &failed), 0);
        CHECK(!failed);
        REQUIRE(nodes.n == 2);
        CHECK_STR(nodes.list[0].name, "full");
        CHECK_INT(nodes.list[0].type, S_IFCHR);
        CHECK(nodes.list[0].number == makedev(1, 7));
        CHECK_INT(stat("/dev/full", &st), 0);
        CHECK_INT(nodes.list[0].mode, st.st_mode & 0777);
        CHECK(nodes.list[0].spec == specs);
        CHECK_STR(nodes.list[1].name, "null");
        CHECK_INT(nodes.list[1].mode, 0640);
}

/* One is missing: the first is told, and the rest is found. */
static void test_missing(void) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = DEVICE_NODES_NULL;
        const DeviceSpec *failed;
        DeviceSpec specs[] = {
                { .path = (char *) "/dev/null/below" },
                { .path = (char *) "/dev/berth-is-not-there" },
                { .path = (char *) "/dev/zero" },
        };

        CHECK_INT(find(specs, ELEMENTSOF(specs), &nodes, &failed), DEVICE_E_MISSING);
        CHECK(failed == specs);
        CHECK_INT(nodes.n, 1);
}

static int find_one(const Tree *tree, const char *name, bool optional, size_t *ret_n) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = DEVICE_NODES_NULL;
        DeviceSpec spec = { .path = (char *) tree_path(tree, name), .optional = optional };
        const DeviceSpec *failed;
        int r;

        r = find(&spec, 1, &nodes, &failed);
        CHECK((r != 0) == (failed == &spec));
        *ret_n = nodes.n;
        return r;
}

/* Directories and patterns; a link is followed only if it is named. */
static void test_directories(void) {
        _cleanup_(tree_freep) Tree *tree = tree_new();
        size_t n;

        tree_write(tree, "some/file", "");
        CHECK_INT(symlink("/dev/null", tree_path(tree, "some/link")), 0);
        CHECK_INT(symlink("/dev", tree_path(tree, "dev")), 0);
        CHECK_INT(symlink("/nowhere", tree_path(tree, "some/broken")), 0);

        CHECK_INT(find_one(tree, "some/file", true, &n), DEVICE_E_KIND);
        CHECK_INT(find_one(tree, "some/link", false, &n), 0);
        CHECK_INT(n, 1);
        CHECK_INT(find_one(tree, "some/broken", false, &n), DEVICE_E_MISSING);
        CHECK_INT(find_one(tree, "some", false, &n), DEVICE_E_NONE);
        CHECK_INT(find_one(tree, "some", true, &n), 0);
        CHECK_INT(n, 0);
        CHECK_INT(find_one(tree, "some/l*", false, &n), DEVICE_E_NONE);
        CHECK_INT(find_one(tree, "other*/x", false, &n), DEVICE_E_NONE);
        CHECK_INT(find_one(tree, "dev/nul[l]", false, &n), 0);
        CHECK_INT(n, 1);
        CHECK_INT(find_one(tree, "dev/?ull", false, &n), 0);
        CHECK_INT(n, 2);
}

/* Of two sections for one node the later one counts. */
static void test_again(void) {
        _cleanup_(device_nodes_done) DeviceNodes nodes = DEVICE_NODES_NULL;
        _cleanup_(tree_freep) Tree *tree = tree_new();
        const DeviceSpec *failed;
        DeviceSpec specs[] = {
                {.path = (char *) tree_path(tree,  "dev/?ull"), .mode = 0600},
                { .path = (char *) tree_path(tree, "dev/null"), .mode = 0666},
        };

        CHECK_INT(symlink("/dev", tree_path(tree, "dev")), 0);
        CHECK_INT(find(specs, ELEMENTSOF(specs), &nodes, &failed), 0);
        REQUIRE(nodes.n == 2);
        for (size_t i = 0; i < nodes.n; i++)
                CHECK_INT(nodes.list[i].mode, string_ends_with(nodes.list[i].name, "null") ? 0666 : 0600);
}

static void test_names(void) {
        CHECK(device_name_is_taken("null"));
        CHECK(device_name_is_taken("pts/0"));
        CHECK(device_name_is_taken("shm"));
        CHECK(!device_name_is_taken("tty1"));
        CHECK(!device_name_is_taken("net/tun"));
        CHECK(!device_name_is_taken("ptsx"));
        CHECK(device_path_is_pattern("/dev/nvidia*"));
        CHECK(!device_path_is_pattern("/dev/dri/card0"));
}

static void test_drop_in(void) {
        _cleanup_(definition_freep) Definition *definition = definition_from_text(MANAGED, true, NULL);
        DeviceSpec reads = { .access = DEVICE_READ }, writes = { .access = DEVICE_READ | DEVICE_WRITE };
        DeviceNode list[] = {
                {.spec = &reads,   .type = S_IFCHR, .number = makedev(10,  200)  },
                { .spec = &writes, .type = S_IFBLK, .number = makedev(259, 70000)},
        };
        const DeviceNodes none = DEVICE_NODES_NULL, nodes = { list, ELEMENTSOF(list) };
        _cleanup_free_ char *nothing = NULL, *text = NULL;

        REQUIRE(definition);
        CHECK_INT(dropin_properties(definition, &none, &nothing), 0);
        CHECK_STR(nothing, "");
        CHECK_INT(dropin_properties(definition, &nodes, &text), 0);
        CHECK_HAS(text,
                  "\n[Service]\nDeviceAllow=/dev/char/10:200 rm\nDeviceAllow=/dev/block/259:70000 rwm\n");
}

TESTS(test_values,
      test_nodes,
      test_missing,
      test_directories,
      test_again,
      test_names,
      test_drop_in)
