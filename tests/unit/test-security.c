/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * berthctl security: what it understands of files of /proc, honest and hostile ones, and what it warns of.
 */
#include <errno.h>

#include "basic/capability.h"
#include "ctl/security/judge.h"
#include "spec/load.h"
#include "test.h"

#define STATUS                                                                                              \
        "Name:\tinit\n"                                                                                     \
        "NStgid:\t178\t1\n"                                                                                 \
        "CapInh:\t0000000000000000\n"                                                                       \
        "CapBnd:\t00000000000000ff\n"                                                                       \
        "NoNewPrivs:\t0\n"                                                                                  \
        "Seccomp:\t2\n"                                                                                     \
        "Seccomp_filters:\t1\n"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_status(void) {
        ProcessStatus status;

        process_status_parse(STATUS, &status);
        CHECK(status.has_set[SET_INHERITABLE] && status.sets[SET_INHERITABLE] == 0);
        CHECK(status.has_set[SET_BOUNDING] && status.sets[SET_BOUNDING] == 0xff);
        CHECK(!status.has_set[SET_EFFECTIVE]);
        CHECK_INT(status.no_new_privileges, 0);
        CHECK_INT(status.seccomp, 2);
        CHECK_INT(status.filters, 1);
        CHECK_INT(status.pid_namespaces, 2);

        /* A name that tries to be more than one line, numbers that are none, lines without an end. */
        process_status_parse(
                        "Name:\ta\\nSeccomp:\t2\nSeccomp:\t-1\nNoNewPrivs:\t99999999999\nCapBnd:"
                        "\t0xff\nCapInh",
                        &status);
        CHECK_INT(status.seccomp, -1);
        CHECK_INT(status.no_new_privileges, -1);
        CHECK(!status.has_set[SET_BOUNDING] && !status.has_set[SET_INHERITABLE]);
        process_status_parse("", &status);
        CHECK_INT(status.pid_namespaces, -1);
}

static void test_ids(void) {
        static const char *const wrong[] = { "0 0\n",   "0 0 0\n",          "0 1 2 3\n",
                                             "a 0 1\n", "4294967295 0 2\n", "0 4294967295 2",
                                             "\n",      "-1 0 1\n" };
        IdLines map = {};

        REQUIRE(id_lines_parse("         0     524288      65536\n     65536          0          1\n",
                               &map) == 0);
        CHECK_INT(map.n, 2);
        CHECK(map.lines[0].outside == 524288 && map.lines[1].inside == 65536 && map.lines[1].count == 1);
        CHECK(!id_lines_are_identity(&map));
        free(map.lines);

        REQUIRE(id_lines_parse("0 0 4294967295\n", &map) == 0);
        CHECK(id_lines_are_identity(&map));
        free(map.lines);

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                CHECK_INT(id_lines_parse(wrong[i], &map), -EBADMSG);
}

static void test_mounts(void) {
        MountLines mounts = {};
        const MountLine *mount;

        REQUIRE(mount_lines_parse(
                                "704 656 0:142 / / rw,nodev,relatime shared:392 - overlay none rw\n"
                                "711 704 0:144 / /proc rw,nosuid shared:399 master:1 - proc none rw,ro\n"
                                "712 711 0:1 / /proc rw,nosuid,roo - tmpfs none rw\n"
                                "720 704 0:144 /a\\040b /x\\134\\012y\\9 ro - tmpfs  rw\n"
                                "721 704 0:144 / /\033[2J\xff rw - tmpfs none rw\n"
                                "a b 0:144 / /no rw - tmpfs none rw\n"
                                "722 704 0:144 / /no rw\n"
                                "- - - - - - -\n"
                                "723 704 0:144 / /end rw - tmpfs",
                                &mounts) == 0);
        CHECK_INT(mounts.n, 6);

        mount = mount_lines_find(&mounts, "/proc");
        REQUIRE(mount);
        CHECK_INT(mount->id, 711);
        CHECK_STR(mount->type, "proc");
        CHECK(!mount_line_has_option(mount, "ro") && mount_line_has_option(mount, "nosuid"));
        CHECK(mount_line_has_option(mount, "rw") && !mount_line_has_option(mount, "nosui"));

        mount = mount_lines_by_id(&mounts, 720);
        REQUIRE(mount);
        CHECK_STR(mount->root, "/a b");
        CHECK_STR(mount->point, "/x\\\ny\\9");
        CHECK(mount_lines_find(&mounts, "/\033[2J\xff"));
        CHECK(mount_lines_find(&mounts, "/end") && !mount_lines_find(&mounts, "/no"));
        CHECK(!mount_lines_by_id(&mounts, 722));
        mount_lines_clear(&mounts);
}

static void test_small_files(void) {
        char enforced[] = "berth-1 (enforce)\n", alone[] = "unconfined", odd[] = "(x)\n",
             stacked[] = "a (b)//&:c:d (mixed)\n", empty[] = "";
        const char *name, *mode;

        label_split(enforced, &name, &mode);
        CHECK_STR(name, "berth-1");
        CHECK_STR(mode, "enforce");
        label_split(alone, &name, &mode);
        CHECK_STR(name, "unconfined");
        CHECK(!mode);
        label_split(odd, &name, &mode);
        CHECK_STR(name, "(x)");
        CHECK(!mode);
        label_split(stacked, &name, &mode);
        CHECK_STR(name, "a (b)//&:c:d");
        CHECK_STR(mode, "mixed");
        CHECK(label_is_generated("berth-" HASH) &&
              label_is_generated("berth-" HASH "//&:berth-web:unconfined"));
        CHECK(label_is_generated("lxc-x//&berth-" HASH));
        CHECK(!label_is_generated("berth-mine") && !label_is_generated("berth-" HASH "0") &&
              !label_is_generated(HASH));
        CHECK(!label_is_generated("berth-" HASH "-") && !label_is_generated(":berth-" HASH ":unconfined"));
        label_split(empty, &name, &mode);
        CHECK_STR(name, "");

        CHECK_INT(fd_info_mount("pos:\t0\nmnt_id:\t705\nino:\t1\n"), 705);
        CHECK_INT(fd_info_mount("mnt_id:\t-1\n"), -1);
        CHECK_INT(fd_info_mount("xmnt_id:\t3"), -1);
}

static const Finding *find(const Report *report, const char *layer) {
        for (size_t i = 0; i < report->n_findings; i++)
                if (strcmp(report->findings[i].layer, layer) == 0)
                        return report->findings + i;

        return NULL;
}

static const Row *row(const Report *report, const char *layer) {
        for (size_t i = 0; i < report->n_rows; i++)
                if (strcmp(report->rows[i].layer, layer) == 0)
                        return report->rows + i;

        return NULL;
}

/* A container that does not run, with this definition. */
static void judge_text(const char *text, View *view, Report *report) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;

        *view = VIEW_NULL;
        REQUIRE(definition_load_text(
                                "web", "test", text, strlen(text), true, &view->definition, &problems) == 0);
        REQUIRE(judge(view, report) == 0 && report_error(report) == 0);
}

#define USUAL "[Container]\nCommand=/bin/true\n[Root]\nPath=/srv\n"

static void test_configured(void) {
        /* clang-format off */
        static const struct {
                Severity severity;
                const char *layer, *key, *text;
        } weak[] = {
                { SEVERITY_HIGH, "user-namespace", "UserNamespace", "[Identity]\nUserNamespace=no\n" },
                { SEVERITY_HIGH, "ids", "IDMap", "[Identity]\nIDMap=0:0:65536\n" },
                { SEVERITY_MEDIUM, "ids", "IDMap", "[Identity]\nIDMap=0:1000:1\n" },
                { SEVERITY_MEDIUM, "namespaces", "Share", "[Namespaces]\nShare=net\n" },
                { SEVERITY_LOW, "namespaces", "Share", "[Namespaces]\nShare=uts\n" },
                { SEVERITY_HIGH, "seccomp", "Seccomp", "[Security]\nSeccomp=off\n" },
                { SEVERITY_LOW, "seccomp", "Seccomp", "[Security]\nSeccomp=mine\n" },
                { SEVERITY_LOW, "seccomp", "SeccompRules",
                  "[Security]\nSeccompRules=errno EPERM getpid\nSeccompRules=allow bpf\n" },
                { SEVERITY_MEDIUM, "bounding-capabilities", "Capabilities", "[Security]\nCapabilities=CAP_SYS_TIME\n" },
                { SEVERITY_HIGH, "bounding-capabilities", "Capabilities",
                  "[Security]\nCapabilities=CAP_SYS_TIME\n[Identity]\nUserNamespace=no\n" },
                { SEVERITY_MEDIUM, "label", "AppArmor", "[Security]\nAppArmor=unconfined\n" },
                { SEVERITY_MEDIUM, "label", "AppArmor", "[Security]\nAppArmor=unchanged\n" },
                { SEVERITY_LOW, "label", "AppArmor", "[Security]\nAppArmor=mine\n" },
                { SEVERITY_LOW, "label", "AppArmorRules", "[Security]\nAppArmorRules=mount,\n" },
                { SEVERITY_LOW, "proc", "UnmaskPaths", "[Security]\nUnmaskPaths=/proc/kcore\n" },
                { SEVERITY_MEDIUM, "host-files", "Source", "[Mount]\nSource=/srv/a\nTarget=/a\nIDMap=yes\n" },
                { SEVERITY_HIGH, "host-files", "Source",
                  "[Mount]\nSource=/srv/a\nTarget=/a\n[Identity]\nUserNamespace=no\n" },
                { SEVERITY_LOW, "keyring", "Keyring", "[Security]\nKeyring=inherit\n" },
                { SEVERITY_MEDIUM, "nesting", "Nesting", "[Security]\nNesting=yes\n" },
        };
        /* clang-format on */
        _cleanup_(report_clear) Report report = {};
        _cleanup_(view_clear) View view = VIEW_NULL;

        judge_text(USUAL "[Security]\nSeccompRules=errno EPERM getpid\n"
                         "[Mount]\nSource=/srv/a\nTarget=/a\n"
                         "[Mount]\nSource=/srv/a\nTarget=/b\nIDMap=yes\nReadOnly=yes\n",
                   &view, &report);
        CHECK_INT(report.n_findings, 0);
        CHECK_INT(report_worst(&report), SEVERITY_NONE);
        for (size_t i = 0; i < report.n_rows; i++)
                CHECK(report.rows[i].rating != RATING_WEAK && report.rows[i].source != SOURCE_KERNEL);

        for (size_t i = 0; i < ELEMENTSOF(weak); i++) {
                char text[512];
                const Finding *finding;

                report_clear(&report);
                view_clear(&view);
                (void) snprintf(text, sizeof text, USUAL "%s", weak[i].text);
                judge_text(text, &view, &report);
                finding = find(&report, weak[i].layer);
                REQUIRE(finding);
                CHECK_STR(finding->key, weak[i].key);
                CHECK_INT(finding->severity, weak[i].severity);
                CHECK_HAS(finding->origin, "test:");
                CHECK_INT(row(&report, weak[i].layer)->rating, RATING_WEAK);
        }
}

/* One that runs as the default has it. */
static void set_running(View *view) {
        Definition *definition = definition_new("web");

        REQUIRE(definition);
        *view = VIEW_NULL;
        view->running = true;
        process_status_parse(STATUS, &view->status);
        REQUIRE(id_lines_parse("0 524288 65536\n", &view->uids) == 0);
        view->has_uids = true;
        for (size_t i = 0; i < _VIEW_NAMESPACE_N; i++)
                view->own[i] = i == VIEW_TIME ? ANSWER_NO : ANSWER_YES;
        view->mounts_locked = ANSWER_YES;
        view->cgroup = strdup("/machine.slice/container@web.service/payload/init.scope");
        view->device_programs = 1;
        view->unit = (UnitView){
                .seen = true, .device_policy = strdup("closed"), .tasks_max = 16384, .memory_max = UINT64_MAX
        };
        view->definition = definition;
}

/* What is in effect counts, whatever the definition says; and no key is blamed that does not say it. */
static void test_in_effect(void) {
        _cleanup_(report_clear) Report report = {};
        _cleanup_(view_clear) View view = VIEW_NULL;
        const Finding *finding;

        set_running(&view);
        REQUIRE(judge(&view, &report) == 0);
        CHECK_INT(report.n_findings, 0);
        CHECK_INT(row(&report, "seccomp")->source, SOURCE_KERNEL);
        CHECK_INT(row(&report, "proc")->rating, RATING_UNKNOWN);
        CHECK_INT(row(&report, "descriptors")->rating, RATING_UNKNOWN);

        report_clear(&report);
        view.status.seccomp = 0;
        view.definition->no_new_privileges = true;
        view.status.sets[SET_BOUNDING] |= CAPABILITY_BIT(63);
        view.status.sets[SET_INHERITABLE] = 1;
        view.own[VIEW_NETWORK] = ANSWER_NO;
        view.uids.lines[0].outside = 0;
        view.mounts_locked = ANSWER_NO;
        view.cgroup[15] = '\0';
        view.device_programs = 0;
        view.unit.device_policy[0] = 'x';
        view.unit.tasks_max = UINT64_MAX;
        REQUIRE(judge(&view, &report) == 0);
        finding = find(&report, "seccomp");
        REQUIRE(finding);
        CHECK(!finding->key && !finding->origin);
        finding = find(&report, "bounding-capabilities");
        REQUIRE(finding);
        CHECK_HAS(finding->text, ": 63");
        static const char *const layers[] = { "inheritable-capabilities",
                                              "namespaces",
                                              "ids",
                                              "mount-locks",
                                              "cgroup",
                                              "devices",
                                              "tasks-limit",
                                              "device-programs",
                                              "no-new-privileges" };
        for (size_t i = 0; i < ELEMENTSOF(layers); i++)
                CHECK(find(&report, layers[i]));
}

/* What the administrator has in the place of berth's own profiles, which no definition tells of. */
static void test_profiles_of_the_host(void) {
        static const struct {
                const char *text;
                bool only;
        } parts[] = {
                {"", true                            },
                { "#when !nesting\n  deny /srv/shared/** wl,\n\n# a comment, and more\naudit deny /{a,b}/** "
                 "w,\n",   true                              },
                { "deny /a r, file,\n", false},
                { "deny /a r,\nmount,\n", false                            },
                { "deny /a\n  r,\n", false},
                { "deny \"/a,b\" r,\n", false                         },
                { "#include <abstractions/base>\n", false},
                { "include <abstractions/base>\n", false                          },
        };
        static const char *const programs[] = { "default", "strict", "mine" };
        SeccompSource sources[] = {
                {.name = (char[]){ "" },         .label = (char[]){ "/etc/berth/containers/web.container" }},
                { .name = (char[]){ "default" }, .label = (char[]){ BERTH_SECCOMPDIR "/default.seccomp" }  },
                { .name = (char[]){ "base" },    .label = (char[]){ "/etc/berth/seccomp/base.seccomp" }    },
        };
        SeccompBundle bundle = { .sources = sources, .n = 2 };

        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                CHECK(view_rules_only_deny(parts[i].text) == parts[i].only);

        CHECK(!view_foreign_profile(&bundle));
        bundle.n = 3;
        CHECK_STR(view_foreign_profile(&bundle), "/etc/berth/seccomp/base.seccomp");

        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                _cleanup_(report_clear) Report report = {};
                _cleanup_(view_clear) View view = VIEW_NULL;

                set_running(&view);
                view.definition->seccomp = strdup(programs[i]);
                view.seccomp_profile = strdup("/etc/berth/seccomp/base.seccomp");
                view.apparmor_part = strdup("/etc/berth/apparmor.d/50-mine.aa");
                view.label = strdup("berth-" HASH " (enforce)");
                REQUIRE(judge(&view, &report) == 0);
                REQUIRE(find(&report, "seccomp"));
                CHECK_INT(find(&report, "seccomp")->severity, SEVERITY_LOW);
                CHECK((i < 2) ==
                      !!strstr(find(&report, "seccomp")->text, "/etc/berth/seccomp/base.seccomp"));
                CHECK_INT(row(&report, "seccomp")->rating, RATING_WEAK);
        }
}

/* The filter of the start, as the launcher noted it. */
static void test_filter(void) {
        _cleanup_(report_clear) Report report = {};
        _cleanup_(view_clear) View view = VIEW_NULL;

        set_running(&view);
        view.filter = strdup(HASH);
        view.program = strdup(HASH);
        view.program_kept = ANSWER_NO;
        REQUIRE(view.filter && view.program && judge(&view, &report) == 0);
        CHECK_STR(row(&report, "seccomp")->value, "calls are filtered, profile default, program " HASH);
        CHECK_INT(row(&report, "seccomp")->rating, RATING_FINE);

        report_clear(&report);
        view.program[0] = '1';
        REQUIRE(judge(&view, &report) == 0);
        CHECK_STR(row(&report, "seccomp")->value,
                  "calls are filtered, program " HASH ", which is not that of the definition as it is now");
        CHECK_INT(row(&report, "seccomp")->rating, RATING_UNKNOWN);

        /* One that process 1 has put on itself. */
        report_clear(&report);
        memcpy(view.filter, "off", sizeof "off");
        REQUIRE(judge(&view, &report) == 0);
        CHECK_INT(row(&report, "seccomp")->rating, RATING_WEAK);
        REQUIRE(find(&report, "seccomp"));
        CHECK_INT(find(&report, "seccomp")->severity, SEVERITY_HIGH);
}

/* With nothing that can be seen, nothing is claimed. */
static void test_unseen(void) {
        _cleanup_(report_clear) Report report = {};
        View view = VIEW_NULL;

        view.running = true;
        REQUIRE(judge(&view, &report) == 0);
        CHECK_INT(report.n_findings, 0);
        for (size_t i = 0; i < report.n_rows; i++)
                CHECK(report.rows[i].rating != RATING_WEAK);
        CHECK_INT(row(&report, "user-namespace")->rating, RATING_UNKNOWN);
        CHECK_INT(row(&report, "namespaces")->rating, RATING_UNKNOWN);
        CHECK_INT(row(&report, "seccomp")->rating, RATING_UNKNOWN);
}

static void test_hidden_parts(void) {
        _cleanup_(report_clear) Report report = {};
        _cleanup_(view_clear) View view = VIEW_NULL;

        set_running(&view);
        view.has_mounts = true;
        REQUIRE(mount_lines_parse(
                                "1 0 0:1 / / rw - overlay none rw\n"
                                "2 1 0:2 / /proc rw - proc none rw\n"
                                "3 2 0:2 /sys /proc/sys rw - proc none rw\n"
                                "4 1 0:3 / /sys rw - sysfs none rw\n"
                                "5 3 0:2 /sys/net /proc/sys/net rw - proc none rw\n"
                                "6 3 0:2 /sys/vm /else rw - proc none rw\n"
                                "7 3 0:2 /bus /proc/bus rw,ro - proc none rw\n",
                                &view.mounts) == 0);
        REQUIRE(judge(&view, &report) == 0);
        /* /proc/sys is in every kernel. */
        CHECK_INT(row(&report, "proc")->rating, RATING_WEAK);
        CHECK_HAS(row(&report, "proc")->value, ", 2 writable below them");
        CHECK_INT(row(&report, "sys")->rating, RATING_WEAK);
        CHECK_INT(find(&report, "sys")->severity, SEVERITY_LOW);
}

static void judge_device(View *view, const char *node, const char *access, Severity expected) {
        _cleanup_(report_clear) Report report = {};
        DeviceRule rule = { (char *) node, (char *) access };

        view->unit.devices = &rule;
        view->unit.n_devices = 1;
        REQUIRE(judge(view, &report) == 0);
        REQUIRE(find(&report, "device"));
        CHECK_INT(find(&report, "device")->severity, expected);
        view->unit.devices = NULL;
        view->unit.n_devices = 0;
}

static void test_devices(void) {
        _cleanup_(view_clear) View view = VIEW_NULL;

        set_running(&view);
        judge_device(&view, "/dev/block/8:0", "rwm", SEVERITY_LOW);
        view.own[VIEW_USER] = ANSWER_NO;
        judge_device(&view, "/dev/block/8:0", "rwm", SEVERITY_HIGH);
        judge_device(&view, "/dev/block/8:0", "r", SEVERITY_MEDIUM);
        judge_device(&view, "block-*", "w", SEVERITY_HIGH);
        judge_device(&view, "/dev/char/1:1", "w", SEVERITY_HIGH);
        judge_device(&view, "/dev/char/10:229", "rw", SEVERITY_MEDIUM);
        judge_device(&view, "/dev/char/1:1x", "rw", SEVERITY_MEDIUM);
        judge_device(&view, "char-\033[2J", "rw", SEVERITY_MEDIUM);
}

TESTS(test_devices,
      test_status,
      test_ids,
      test_mounts,
      test_small_files,
      test_configured,
      test_in_effect,
      test_profiles_of_the_host,
      test_filter,
      test_unseen,
      test_hidden_parts)
