/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of [Security]: what each takes and refuses, what fits together, and what comes out.
 */
#include <errno.h>
#include <linux/capability.h>

#include "basic/capability.h"
#include "rows.h"
#include "spec/lsm.h"

static void test_values(void) {
        static const Row rows[] = {
                { "Security", "Capabilities=~CAP_NET_RAW CAP_SYS_TIME", "Capabilities=CAP_SYS_TIME ~CAP_NET_RAW\n" },
                { "Security", "Capabilities=CAP_SYS_TIME\nCapabilities=~CAP_SYS_TIME", "Capabilities=~CAP_SYS_TIME\n" },
                { "Security", "Capabilities=all", "Capabilities=all\n" },
                { "Security", "Capabilities=~CAP_CHOWN all ~CAP_BPF", "Capabilities=all ~CAP_BPF\n" },
                { "Security", "Capabilities=CAP_BPF ~all\nCapabilities=CAP_CHOWN CAP_CHECKPOINT_RESTORE",
                  "Capabilities=~all CAP_CHOWN CAP_CHECKPOINT_RESTORE\n" },
                { "Security", "Capabilities=all\nCapabilities=", "[Root]\n" },
                { "Security",
                  "AmbientCapabilities=CAP_NET_RAW\nAmbientCapabilities=CAP_CHOWN CAP_NET_RAW\n"
                  "[Container]\nCommand=/bin/true\nUser=1000",
                  "AmbientCapabilities=CAP_CHOWN CAP_NET_RAW\n" },
                { "Security", "NoNewPrivileges=1", "NoNewPrivileges=yes\n" },
                { "Security", "MaskPaths=/proc/interrupts /sys/kernel\nMaskPaths=/proc/interrupts /proc/sys/vm",
                  "MaskPaths=/proc/interrupts /sys/kernel /proc/sys/vm\n" },
                { "Security", "MaskPaths=/proc/x\nMaskPaths=", "[Root]\n" },
                { "Security", "UnmaskPaths=/proc /sys /proc/.hidden", "UnmaskPaths=/proc /sys /proc/.hidden\n" },
                { "Security", "Keyring=inherit", "Keyring=inherit\n" },
                { "Security", "Keyring=private", "Keyring=private\n" },
                { "Security", "Seccomp=off", "Seccomp=off\n" },
                { "Security", "Seccomp=my-profile2", "Seccomp=my-profile2\n" },
                { "Security", "SeccompRules=allow bpf\nSeccompRules=errno EPERM read if arg0 == 1",
                  "SeccompRules=allow bpf\nSeccompRules=errno EPERM read if arg0 == 1\n" },
                { "Security", "SeccompNotify=/run//answers", "SeccompNotify=/run/answers\n" },
                { "Security", "Nesting=yes", "Nesting=yes\n" },
                { "Security", "AppArmor=/usr/bin/man", "AppArmor=/usr/bin/man\n" },
                { "Security", "AppArmorRules=deny /x w,\nAppArmorRules=deny /{a,b} w,",
                  "AppArmorRules=deny /x w,\nAppArmorRules=deny /{a,b} w,\n" },
                { "Security", "AppArmorAllowIncomplete=yes", "AppArmorAllowIncomplete=yes\n" },
                { "Security", "SELinuxContext=system_u:system_r:container_t:s0:c1,c2",
                  "SELinuxContext=system_u:system_r:container_t:s0:c1,c2\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_taken(text, rows[i].expected);
        }
}

static void test_refused_values(void) {
        static const Row rows[] = {
                { "Security", "Capabilities=CAP_NET_ADMIN,CAP_CHOWN",
                  "Capabilities=: \"CAP_NET_ADMIN,CAP_CHOWN\" is not known; it takes CAP_NET_ADMIN" },
                { "Security", "Capabilities=NET_ADMIN", "\"NET_ADMIN\" is not known" },
                { "Security", "Capabilities=~~CAP_CHOWN", "\"~~CAP_CHOWN\" is not known" },
                { "Security", "Capabilities=cap_chown", "\"cap_chown\" is not known" },
                { "Security", "Capabilities=CAP_CHOWN \"", "a quote is not closed\n" },
                { "Security", "AmbientCapabilities=all", "AmbientCapabilities=: \"all\" is not known" },
                { "Security", "AmbientCapabilities=~CAP_CHOWN", "\"~CAP_CHOWN\" is not known" },
                { "Security", "NoNewPrivileges=maybe", "it takes yes or no\n" },
                { "Security", "MaskPaths=/dev/mem", "\"/dev/mem\" cannot be used; it takes paths below /proc and /sys" },
                { "Security", "MaskPaths=proc/keys", "\"proc/keys\" cannot be used" },
                { "Security", "MaskPaths=/procs", "cannot be used" },
                { "Security", "MaskPaths=/proc/../etc", "cannot be used" },
                { "Security", "MaskPaths=/proc/./keys", "cannot be used" },
                { "Security", "MaskPaths=/proc//keys", "cannot be used" },
                { "Security", "MaskPaths=/proc/keys/", "cannot be used" },
                { "Security", "MaskPaths=\"/proc/a b\"", "cannot be used" },
                { "Security", "UnmaskPaths=/proc/1/environ", "\"/proc/1/environ\" cannot be used" },
                { "Security", "UnmaskPaths=/proc/self", "cannot be used" },
                { "Security", "MaskPaths=/proc/self/mem", "cannot be used" },
                { "Security", "MaskPaths=/proc/thread-self/mem", "cannot be used" },
                { "Security", "Keyring=shared", "it takes private or inherit\n" },
                { "Security", "Seccomp=../default", "\"../default\" cannot be used; it takes off, or the name of a profile" },
                { "Security", "Seccomp=2x", "cannot be used" },
                { "Security", "AppArmor=two words", "cannot be used; it takes generated, unconfined" },
                { "Security", "AppArmor=-R", "cannot be used" },
                { "Security", "SELinuxContext=container_t", "cannot be used; it takes USER:ROLE:TYPE" },
                { "Security", "SELinuxContext=a:b::c", "cannot be used" },
                { "Security", "SeccompNotify=answers", "\"answers\" is not" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_refused(text, rows[i].expected);
        }
}

static void test_what_fits_together(void) {
        static const struct {
                const char *text, *problem;
        } rows[] = {
                { ROOT "[Security]\nMaskPaths=/sys\n", ":4: MaskPaths=: names /sys itself" },
                { ROOT "[Security]\nMaskPaths=/proc/a /proc/b\nUnmaskPaths=/proc/b\n",
                  ":4: MaskPaths=: names /proc/b, which UnmaskPaths= names too" },
                { ROOT "[Namespaces]\nShare=net\n[Security]\nUnmaskPaths=/sys/class\n",
                  ":6: UnmaskPaths=: names /sys/class, and with Share=net" },
                { ROOT "[Security]\nAmbientCapabilities=CAP_CHOWN\n",
                  ":4: AmbientCapabilities=: is for a Command= with a User= other than root" },
                { ROOT "[Container]\nCommand=/bin/true\nUser=0\n[Security]\nAmbientCapabilities=CAP_CHOWN\n",
                  ":7: AmbientCapabilities=: is for a Command= with a User= other than root" },
                { ROOT "[Container]\nCommand=/bin/true\nUser=1\n[Security]\nAmbientCapabilities=CAP_CHOWN CAP_BPF\n",
                  ":7: AmbientCapabilities=: names CAP_BPF, which the container does not have; add it" },
                { ROOT "[Container]\nCommand=/bin/true\nUser=1\n[Security]\nAmbientCapabilities=CAP_CHOWN\n"
                       "Capabilities=~CAP_CHOWN\n",
                  ":7: AmbientCapabilities=: names CAP_CHOWN, which" },
                { ROOT "[Container]\nCommand=/bin/true\nUser=1\n[Security]\nAmbientCapabilities=CAP_NET_ADMIN\n"
                       "[Namespaces]\nShare=net\n",
                  ":7: AmbientCapabilities=: names CAP_NET_ADMIN, which" },
                { ROOT "[Security]\nAppArmor=unconfined\nAppArmorRules=deny /x w,\n",
                  ":5: AppArmorRules=: has an effect with AppArmor=generated only" },
                { ROOT "[Security]\nAppArmorRules=} profile other {\n",
                  ":4: AppArmorRules=: has a brace without its other one" },
                { ROOT "[Security]\nSeccomp=off\nSeccompRules=allow read\n",
                  ":5: SeccompRules=: has no effect with Seccomp=off" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check_refused(rows[i].text, rows[i].problem);
}

/* No rule ends the profile that it is in: behind it another would begin, for programs of the host. */
static void test_rules(void) {
        static const struct {
                const char *rule;
                bool closed;
        } rows[] = {
                { "deny /x w,", true },
                { "deny /{a,b{,c}}/** w, # } profile y {", true },
                { "deny \"/a b{c,d e}\" r,", true },
                { "deny /a\\{b r,", true },
                { "signal peer=@{profile_name}//*,", true },
                { "profile sub /y { /z r, }", true },
                { "profile sub /y {/z r,}", true },
                { "^hat { file, }", true },
                { "", true },
                { "}", false },
                { "} profile other {", false },
                { "deny /x r,}", false },
                { "deny /[{] r, }", false },
                { "profile other /[}] { file,", false },
                { "deny \"/[{]\" r, }", false },
                { "profile other \"/[}]\" { file,", false },
                { "unix addr=[{], }", false },
                { "deny /\\{ r, }", false },
                { "#include <abstractions/base> }", false },
                { "deny \"/{ r, }", false },
                { "profile sub { /z r,", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (apparmor_rule_is_closed(rows[i].rule) != rows[i].closed)
                        test_fail(__FILE__, __LINE__, "%s", rows[i].rule);
}

/* What comes out of the default set and the changes to it. */
static void test_capabilities(void) {
        static const struct {
                const char *text;
                uint64_t added, removed; /* compared with the default set */
        } rows[] = {
                { "", 0, 0 },
                { "[Namespaces]\nShare=net\n", 0, CAPABILITY_BIT(CAP_NET_ADMIN) },
                { "[Namespaces]\nShare=net\n[Security]\nCapabilities=CAP_NET_ADMIN\n", 0, 0 },
                { "[Security]\nCapabilities=CAP_SYS_TIME ~CAP_MKNOD\n", CAPABILITY_BIT(CAP_SYS_TIME),
                  CAPABILITY_BIT(CAP_MKNOD) },
                { "[Security]\nCapabilities=CAP_CHOWN ~CAP_SYS_TIME\n", 0, 0 },
        };
        const uint64_t everything = UINT64_C(0x9decbfff); /* 0-13, 15, 18, 19, 21-24, 26-28, 31 */

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = string_printf(ROOT "%s", rows[i].text);
                _cleanup_(definition_freep) Definition *definition = definition_from_text(text, true, NULL);

                REQUIRE(definition);
                CHECK_INT(definition_capabilities(definition), (everything & ~rows[i].removed) | rows[i].added);
        }

        for (unsigned i = 0; i <= CAP_LAST_CAP; i++)
                CHECK_INT(capability_from_name(capability_name(i)), i);
        CHECK(!capability_name(CAP_LAST_CAP + 1));
        CHECK_INT(capability_from_name("CAP_"), -EINVAL);
}

TESTS(test_values, test_refused_values, test_what_fits_together, test_rules, test_capabilities)
