/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an untrusted definition may ask for. Each key of the table is tried: one that the table reserves to
 * root is refused with every value, one with a rule of its own has its rows here, the rest pass. A trusted
 * definition may say all of it.
 */
#include "basic/array.h"
#include "basic/capability.h"
#include "basic/string.h"
#include "basic/strv.h"
#include "spec/key.h"
#include "spec/policy.h"
#include "test.h"
#include "text.h"

/* What the policy says to TEXT: "" if nothing. */
static char *judge(const char *text, bool trusted) {
        _cleanup_free_ char *refused = NULL;
        _cleanup_(definition_freep) Definition *definition = definition_from_text(text, trusted, &refused);
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        int r;

        if (!definition) {
                test_fail(__FILE__, __LINE__, "not a definition: %s\n%s", text, refused);
                return strdup("");
        }
        r = policy_check(definition, &problems);
        CHECK_INT(r, problems.n > 0 ? POLICY_E_FORBIDDEN : 0);

        return problems_text(&problems);
}

static void check(const char *text, const char *key) {
        _cleanup_free_ char *verdict = judge(text, false), *for_root = judge(text, true);

        CHECK_STR(for_root, "");
        if (!key) {
                CHECK_STR(verdict, "");
                return;
        }
        CHECK_HAS(verdict, key);
        CHECK_HAS(verdict, "only in a definition that root alone can write, and this is none: "
                           "test.container lies");
        CHECK_HAS(verdict, "Root would have to put it into a file below /etc/berth/containers");
}

#define MANAGED "[Root]\nManaged=yes\n"
#define RESOURCE(line) MANAGED "[Resources]\n" line "\n"

static void test_rules(void) {
        static const struct {
                const char *text, *key; /* NULL: passes */
        } rows[] = {
                { MANAGED, NULL },
                { "[Root]\nPath=/srv/x\n", "test.container:2: Path=: may be a path only" },
                { "[Root]\nPath=fd:root\n", NULL },
                { "[Root]\nImage=/srv/x\n", "test.container:2: Image=: may be set only" },
                { MANAGED "[Identity]\nUserNamespace=yes\n", NULL },
                { MANAGED "[Identity]\nUserNamespace=no\n", ":4: UserNamespace=: may be no only" },
                { MANAGED "[Identity]\nIDMap=0:auto:1000\n", NULL },
                { MANAGED "[Identity]\nIDMap=0:auto:1000 1000:1000:1\n", ":4: IDMap=: may say which ids" },
                { MANAGED "[Namespaces]\nPrivate=time\n", NULL },
                { MANAGED "[Namespaces]\nShare=net\n", ":4: Share=: may be set only" },
                { MANAGED "[Security]\nCapabilities=~all CAP_CHOWN CAP_NET_ADMIN\n", NULL },
                { MANAGED "[Security]\nCapabilities=CAP_SYS_TIME ~CAP_SYS_TIME\n", NULL },
                { MANAGED "[Security]\nCapabilities=CAP_SYS_TIME\n", ":4: Capabilities=: may have capabilities besides" },
                { MANAGED "[Security]\nCapabilities=all\n", ":4: Capabilities=: may have capabilities besides" },
                { MANAGED "[Security]\nCapabilities=all ~CAP_CHOWN\n", ":4: Capabilities=: may have" },
                { MANAGED "[Security]\nNoNewPrivileges=yes\n", NULL },
                { MANAGED "[Security]\nMaskPaths=/proc/interrupts\n", NULL },
                { MANAGED "[Security]\nKeyring=private\n", NULL },
                { MANAGED "[Security]\nKeyring=inherit\n", ":4: Keyring=: may be inherit only in" },
                { MANAGED "[Container]\nCommand=/bin/true\nUser=1\n[Security]\nAmbientCapabilities=CAP_CHOWN\n", NULL },
                { MANAGED "[Security]\nSeccomp=default\n", NULL },
                { MANAGED "[Security]\nSeccomp=off\n", ":4: Seccomp=: may be other than default, only" },
                { MANAGED "[Security]\nSeccomp=strict\n", ":4: Seccomp=: may be other than default, only" },
                { MANAGED "[Security]\nAppArmor=generated\n", NULL },
                { MANAGED "[Security]\nAppArmor=unconfined\n", ":4: AppArmor=: may be other than generated, only" },
                { MANAGED "[Mount]\nType=tmpfs\nTarget=/t\nSize=1G\n", NULL },
                { MANAGED "[Mount]\nTarget=/t\nSource=/etc\n", ":5: Source=: may be a path" },
                { MANAGED "[Mount]\nTarget=/t\nSource=fd:etc\n", NULL },
                { MANAGED "[Mount]\nTarget=/t\nSource=fd:a\n[Mount]\nTarget=/u\nSource=/etc\n", ":8: Source=: may be a path" },
                { MANAGED "[Mount]\nTarget=/t\nSource=/etc\nReadOnly=yes\nOptional=yes\n", ":5: Source=: " },
                { MANAGED "[Device]\nPath=/dev/kvm\n", ":4: Path=: may be set only" },
                { MANAGED "[Device]\nPath=/dev/kvm\nAccess=r\n", ":5: Access=: may be set only" },
                { RESOURCE("MemoryMax=1G"), NULL },
                { RESOURCE("MemoryMin=1G"), ":4: MemoryMin=: may be set only" },
                { RESOURCE("CPUWeight=100"), NULL },
                { RESOURCE("CPUWeight=idle"), NULL },
                { RESOURCE("CPUWeight=101"), ":4: CPUWeight=: may be above 100" },
                { RESOURCE("IOWeight=10000"), ":4: IOWeight=: may be above 100" },
                { RESOURCE("TasksMax=16384"), NULL },
                { RESOURCE("TasksMax=16385"), ":4: TasksMax=: may be other than" },
                { RESOURCE("TasksMax=infinity"), ":4: TasksMax=: " },
                { RESOURCE("TasksMax=100%"), ":4: TasksMax=: " },
                { RESOURCE("IOReadBandwidthMax=/dev/sda 1"), ":4: IOReadBandwidthMax=: " },
                { RESOURCE("LimitRTPRIO=1"), ":4: LimitRTPRIO=: " },
                { RESOURCE("LimitNOFILE=1000"), NULL },
                { RESOURCE("Sysctl=net.ipv4.ip_forward=1"), NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check(rows[i].text, rows[i].key);
}

/* Taken back is as good as never said. */
static void test_reset(void) {
        check("[Root]\nPath=/x\nPath=\nManaged=yes\n", NULL);
        check(MANAGED "[Namespaces]\nShare=net\nShare=\n", NULL);
        check(MANAGED "[Identity]\nIDMap=0:5:5\nIDMap=\n", NULL);
}

/* Every violation is named. */
static void test_all(void) {
        _cleanup_free_ char *verdict = judge("[Root]\nPath=/x\n[Namespaces]\nShare=net\nShare=uts\n", false);

        CHECK_HAS(verdict, "test.container:2: Path=");
        CHECK_HAS(verdict, "test.container:4: Share=");
        CHECK_HAS(verdict, "test.container:5: Share=");
}

/* Each key that the table reserves is refused as soon as it is assigned, by the table alone. */
static void test_table(void) {
        size_t reserved = 0;

        for (size_t i = 0; i < n_keys; i++) {
                static const struct {
                        const char *name, *value;
                } values[] = {
                        { "Image", "/x" }, { "Share", "net" }, { "IODeviceWeight", "/dev/sda 5" },
                        { "IODeviceLatencyTargetSec", "/dev/sda 5ms" }, { "ManagedOOMPreference", "omit" },
                        { "SeccompNotify", "/run/x" }, { "Nesting", "yes" }, { "Access", "rw" }, { "Optional", "yes" },
                        { "PreStart", "/x" }, { "PreMount", "/x" }, { "Autodev", "/x" }, { "Mount", "/x" },
                        { "StartHost", "/x" }, { "Stop", "/x" }, { "PostStop", "/x" },
                        { "UnmaskPaths", "/proc/keys" },
                        { "AppArmorAllowIncomplete", "yes" }, { "SELinuxContext", "a:b:c" },
                };
                _cleanup_free_ char *text = NULL, *verdict = NULL;
                const char *value = string_after_prefix(keys[i].name, "IOR") ||
                                                                    string_after_prefix(keys[i].name, "IOW")
                                                    ? "/dev/sda 5"
                                                    : "5";
                bool path = streq(keys[i].name, "Image");

                if (keys[i].trust != TRUST_ROOT || keys[i].type->action)
                        continue;
                for (size_t j = 0; j < ELEMENTSOF(values); j++)
                        if (streq(values[j].name, keys[i].name))
                                value = values[j].value;

                if (streq(keys[i].section, SECTION_DEVICE) && streq(keys[i].name, "Path"))
                        value = "/dev/kvm";

                text = string_printf("%s[%s]\n%s%s=%s\n", path ? "" : MANAGED, keys[i].section,
                                     streq(keys[i].section, SECTION_MOUNT) ? "Target=/t\n" :
                                     streq(keys[i].section, SECTION_DEVICE) ? "Path=/dev/fuse\n" : "",
                                     keys[i].name, value);
                verdict = judge(text, false);
                CHECK_HAS(verdict, keys[i].name);
                reserved++;
        }
        CHECK(reserved >= 21);
}

/* Values that came about without a key: the second look. */
static void test_values(void) {
        _cleanup_(definition_freep) Definition *definition = definition_from_text(MANAGED, false, NULL);
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        IdRange range = { .kinds = ID_UID, .outside = 5, .count = 1 };

        CHECK_INT(policy_check(definition, &problems), 0);

        definition->user_namespace = false;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->user_namespace = true;
        definition->seccomp = strdup("off");
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        CHECK_INT(string_set(&definition->seccomp, NULL), 0);
        definition->capabilities.added = CAPABILITIES_ALL;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->capabilities.added = 0;
        definition->keyring = KEYRING_INHERIT;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->keyring = KEYRING_PRIVATE;
        REQUIRE(strv_append(&definition->unmask_paths, "/proc/keys") == 0);
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->unmask_paths = strv_free(definition->unmask_paths);
        definition->apparmor = strdup("unchanged");
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        CHECK_INT(string_set(&definition->apparmor, NULL), 0);
        definition->nesting = true;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->nesting = false;
        definition->namespaces &= ~(unsigned) NAMESPACE_IPC;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->namespaces = NAMESPACES_DEFAULT;
        definition->root_path = strdup("/x");
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        memcpy(definition->root_path, "fd", 3);
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        free(definition->root_path);
        definition->root_path = NULL;
        definition->root_image = strdup("/x");
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        free(definition->root_image);
        definition->root_image = NULL;
        definition->hooks[HOOK_START_HOST].n = 1;
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->hooks[HOOK_START_HOST].n = 0;
        REQUIRE(ARRAY_APPEND(definition->id_ranges, definition->n_id_ranges, range) == 0);
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->n_id_ranges = 0;
        REQUIRE(ARRAY_APPEND(definition->mounts, definition->n_mounts, (MountSpec){ .type = MOUNT_BIND }) ==
                0);
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->mounts[0].type = MOUNT_TMPFS;
        REQUIRE(ARRAY_APPEND(definition->devices, definition->n_devices, (DeviceSpec){ .path = NULL }) == 0);
        CHECK_INT(policy_check(definition, &problems), POLICY_E_FORBIDDEN);
        definition->n_devices = 0;
        CHECK_INT(policy_check(definition, &problems), 0);

        definition->trusted = true;
        definition->user_namespace = false;
        CHECK_INT(policy_check(definition, &problems), 0);
}

TESTS(test_rules, test_reset, test_all, test_table, test_values)
