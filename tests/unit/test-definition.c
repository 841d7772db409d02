/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What each key takes, how it is kept, and what is said about a value that it does not take; what fits
 * together and what does not. Values are looked at through the printed definition, so that printing is
 * tested by the same rows (rows.h). [Security] is in test-definition-security.c.
 */
#include "basic/string.h"
#include "basic/strv.h"
#include "rows.h"
#include "spec/key.h"
#include "spec/name.h"

static void test_values(void) {
        static const Row rows[] = {
                { "Container", "Description=  Some text, \"quoted\" \\x \xc3\xa4 ",
                  "Description=Some text, \"quoted\" \\x \xc3\xa4\n" },
                { "Container", "Boot=true", "Boot=yes\n" },
                { "Container", "Boot=no", "Boot=no\n" },
                { "Container", "Boot=reaper", "Boot=reaper\n" },
                { "Container", "Command=/bin/sh -c 'a  b' \"\" \\x41",
                  "Command=/bin/sh -c \"a  b\" \"\" A\n" },
                { "Container", "Command=/bin/a\nCommand=/bin/b c", "Command=/bin/b c\n" },
                { "Container", "Command=/bin/a\nCommand=", "[Root]\n" },
                { "Container", "User=www-data", "User=www-data\n" },
                { "Container", "User=0", "User=0\n" },
                { "Container", "Group=65535", "Group=65535\n" },
                { "Container", "Groups=audio 44\nGroups=video audio", "Groups=audio 44 video\n" },
                { "Container", "WorkingDirectory=/a//b/./c/", "WorkingDirectory=/a/b/c\n" },
                { "Container", "WorkingDirectory=/", "WorkingDirectory=/\n" },
                { "Container", "Environment=A=1 \"B=x y\"\nEnvironment=C= A=2",
                  "Environment=A=2\nEnvironment=\"B=x y\"\nEnvironment=C=\n" },
                { "Container", "Environment=A=1\nEnvironment=\nEnvironment=B=2",
                  "[Container]\nEnvironment=B=2\n" },
                { "Container", "Environment=\"A=line\\nbreak\"", "Environment=\"A=line\\x0abreak\"\n" },
                { "Container", "Hostname=web.example.org", "Hostname=web.example.org\n" },
                { "Container", "MachineID=0123456789ABCDEF0123456789abcdef",
                  "MachineID=0123456789abcdef0123456789abcdef\n" },
                { "Container", "MachineID=01234567-89ab-cdef-0123-456789abcdef",
                  "MachineID=0123456789abcdef0123456789abcdef\n" },
                { "Container", "Architecture=x86", "Architecture=x86\n" },
                { "Container", "StopSignal=TERM", "StopSignal=SIGTERM\n" },
                { "Container", "RebootSignal=37", "RebootSignal=SIGRTMIN+3\n" },
                { "Container", "Ready=guest", "Ready=guest\n" },
                { "Container", "Console=off", "Console=no\n" },
                { "Container", "Ephemeral=1", "Ephemeral=yes\n" },
                { "Root", "Overlay=on", "Overlay=yes\n" },
                { "Root", "ReadOnly=yes", "ReadOnly=yes\n" },
                { "Root", "Options=nodev\nOptions=nosuid", "Options=nosuid nodev\n" },
                { "Root", "Options=nodev\nOptions=\nOptions=noatime", "Options=noatime\n" },
                { "Root", "Path=/srv/a b", "Path=/srv/a b\n" },
                { "Root", "Path=fd:root-1.x", "Path=fd:root-1.x\n" },
                { "Root", "Image=/srv/disk.raw\nPath=", "[Root]\nImage=/srv/disk.raw\n" },
                { "Root", "Managed=yes\nPath=", "[Root]\nManaged=yes\n" },
                { "Identity", "UserNamespace=no", "UserNamespace=no\n" },
                { "Identity", "IDMap=0:auto:65536", "IDMap=0:auto:65536\n" },
                { "Identity", "IDMap=0:100000:1000 uid:1000:auto:1\nIDMap=gid:1000:5:2",
                  "IDMap=0:100000:1000\nIDMap=uid:1000:auto:1\nIDMap=gid:1000:5:2\n" },
                { "Namespaces", "Private=time net", "Private=net time\n" },
                { "Namespaces", "Share=net\nShare=uts", "Share=uts net\n" },
                { "Hooks", "PreStart=/bin/a 'b c' d\nPreStart=/bin/e\nTimeout=2min",
                  "PreStart=/bin/a \"b c\" d\nPreStart=/bin/e\nTimeout=120000000us\n" },
                { "Mount", "Source=/a", "\n[Mount]\nSource=/a\nTarget=/t\n" },
                { "Mount", "Source=/", "Source=/\n" },
                { "Mount", "Source=fd:data", "\n[Mount]\nSource=fd:data\nTarget=/t\n" },
                { "Mount",
                  "Source=/"
                  "a\nReadOnly=yes\nRecursive=no\nOptional=yes\nCreate=yes\nIDMap=yes\nOptions=noexec",
                  "Options=noexec\nReadOnly=yes\nRecursive=no\nOptional=yes\nCreate=yes\nIDMap=yes\n" },
                { "Mount", "Type=tmpfs\nSize=10M\nMode=1777",
                  "Type=tmpfs\nTarget=/t\nSize=10485760\nMode=1777\n" },
                { "Mount", "Target=/t\nSource=/a\n[Mount]\nType=tmpfs\nTarget=/u",
                  "[Mount]\nSource=/a\nTarget=/t\n[Mount]\nType=tmpfs\nTarget=/u\n" },
                { "Autostart", "After=db @storage\nAfter=cache", "After=db @storage cache\n" },
                { "Autostart", "Delay=1min 30s", "Delay=90000000us\n" },
                { "Autostart", "Group=web_servers", "Group=web_servers\n" },
                { "Autostart", "Group=a\nGroup=", "[Root]\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_taken(text, rows[i].expected);
        }
}

static void test_resources(void) {
        static const Row rows[] = {
                { "Resources", "CPUWeight=200", "CPUWeight=200\n" },
                { "Resources", "CPUWeight=idle", "CPUWeight=idle\n" },
                { "Resources", "CPUWeight=200\nCPUWeight=300", "[Resources]\nCPUWeight=300\n" },
                { "Resources", "CPUQuota=12.50%", "CPUQuota=12.50%\n" },
                { "Resources", "CPUQuota=200%", "CPUQuota=200%\n" },
                { "Resources", "CPUQuotaPeriodSec=50ms", "CPUQuotaPeriodSec=50000us\n" },
                { "Resources", "AllowedCPUs=0-3,5  7", "AllowedCPUs=0-3 5 7\n" },
                { "Resources", "MemoryMax=1.5G", "MemoryMax=1610612736\n" },
                { "Resources", "MemoryMax=infinity", "MemoryMax=infinity\n" },
                { "Resources", "MemoryHigh=50%", "MemoryHigh=50%\n" },
                { "Resources", "MemorySwapMax=0", "MemorySwapMax=0\n" },
                { "Resources", "MemoryMax=1G\nMemoryMax=\nTasksMax=5", "[Resources]\nTasksMax=5\n" },
                { "Resources", "TasksMax=10%", "TasksMax=10%\n" },
                { "Resources", "IODeviceWeight=/dev/sda  50\nIODeviceWeight=/dev/sdb 70",
                  "IODeviceWeight=/dev/sda 50\nIODeviceWeight=/dev/sdb 70\n" },
                { "Resources", "IOReadBandwidthMax=/dev/sda 5M", "IOReadBandwidthMax=/dev/sda 5000000\n" },
                { "Resources", "IOReadIOPSMax=/dev/sda 1\nIOReadIOPSMax=\nIOReadIOPSMax=/dev/sdb infinity",
                  "[Resources]\nIOReadIOPSMax=/dev/sdb infinity\n" },
                { "Resources", "IODeviceLatencyTargetSec=/dev/sda 25ms",
                  "IODeviceLatencyTargetSec=/dev/sda 25000us\n" },
                { "Resources", "IOAccounting=true", "IOAccounting=yes\n" },
                { "Resources", "ManagedOOMSwap=kill", "ManagedOOMSwap=kill\n" },
                { "Resources", "ManagedOOMMemoryPressureLimit=60%", "ManagedOOMMemoryPressureLimit=60%\n" },
                { "Resources", "ManagedOOMPreference=omit", "ManagedOOMPreference=omit\n" },
                { "Resources", "LimitNOFILE=1024:4096", "LimitNOFILE=1024:4096\n" },
                { "Resources", "LimitNOFILE=infinity", "LimitNOFILE=infinity:infinity\n" },
                { "Resources", "LimitCPU=1min", "LimitCPU=60s:60s\n" },
                { "Resources", "LimitRTTIME=500", "LimitRTTIME=500us:500us\n" },
                { "Resources", "LimitRTTIME=5ms", "LimitRTTIME=5000us:5000us\n" },
                { "Resources", "LimitSTACK=8M:infinity", "LimitSTACK=8388608:infinity\n" },
                { "Resources", "LimitNICE=-5", "LimitNICE=25:25\n" },
                { "Resources", "LimitNICE=+5:-5", "LimitNICE=15:25\n" },
                { "Resources", "LimitCORE=0\nLimitCORE=", "[Root]\nPath=/srv/test\n" },
                { "Resources",
                  "Sysctl=net.ipv4.ip_forward=1 \"kernel.sem=1 2 3 4\"\nSysctl=net.ipv4.ip_forward=0",
                  "Sysctl=net.ipv4.ip_forward=0\nSysctl=\"kernel.sem=1 2 3 4\"\n" },
                { "Resources", "Sysctl=net.ipv4.conf.eth0/100.forwarding=1",
                  "Sysctl=net.ipv4.conf.eth0/100.forwarding=1\n" },
                { "Resources", "Sysctl=fs.mqueue.msg_max=5\nSysctl=", "[Root]\nPath=/srv/test\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_taken(text, rows[i].expected);
        }
}

static void test_refused_values(void) {
        static const Row rows[] = {
                { "Container", "Boot=maybe",
                  "test.container:4: Boot=: \"maybe\" is not known; it takes yes, no or reaper\n" },
                { "Container", "Command=sh", "Command=: \"sh\" is not an absolute path of a program" },
                { "Container", "Command=/bin/sh \"open", "Command=: a quote is not closed\n" },
                { "Container", "Command=/bin/sh \\x00", "Command=: a backslash is not the start" },
                { "Container", "User=two words",
                  "\"two words\" cannot be used; it takes a name inside the container" },
                { "Container", "User=4294967295", "number from 0 to 4294967294\n" },
                { "Container", "User=1x", "User=: \"1x\" cannot be used" },
                { "Container", "Groups=a,b", "Groups=: \"a,b\" cannot be used" },
                { "Container", "WorkingDirectory=srv", "is not an absolute path" },
                { "Container", "WorkingDirectory=/a/../b", "without \"..\"" },
                { "Container", "Environment=A", "is not NAME=VALUE" },
                { "Container", "Environment=1A=b", "is not NAME=VALUE" },
                { "Container", "Environment==b", "is not NAME=VALUE" },
                { "Container", "Hostname=-web", "Hostname=: \"-web\" cannot be used; a host name is" },
                { "Container", "Hostname=a..b", "cannot be used" },
                { "Container", "Hostname=a_b", "cannot be used" },
                { "Container", "MachineID=0123", "32 hexadecimal digits" },
                { "Container", "MachineID=00000000000000000000000000000000", "not all 0" },
                { "Container", "Architecture=vax", "it takes native, x86, x86-64, arm or arm64\n" },
                { "Container", "StopSignal=SIGFOO", "is not a signal, such as SIGTERM" },
                { "Container", "Ready=soon", "it takes exec or guest\n" },
                { "Container", "Console=maybe", "it takes yes or no\n" },
                { "Container", "Include=other.conf", "is not an absolute path" },
                { "Container", "Include=", "Include=: needs a value" },
                { "Container", "Comand=/bin/sh",
                  "Comand=: there is no such key in [Container]; did you mean Command=?\n" },
                { "Container", "ReadOnly=yes",
                  "there is no such key in [Container]; it belongs in [Root]\n" },
                { "Container", "Frobnicate=yes",
                  "there is no such key in [Container]; berth.container(5) lists them\n" },
                { "Root", "Path=/", "\"/\" cannot be used here" },
                { "Root", "Path=srv", "is not an absolute path" },
                { "Root", "Image=fd:disk", "is not an absolute path" },
                { "Root", "Path=fd:", "\"fd:\" cannot be used; a descriptor's name is 1 to 63 letters" },
                { "Root", "Path=fd:a/b", "\"fd:a/b\" cannot be used; a descriptor's name" },
                { "Mount", "Source=fd:../x", "cannot be used; a descriptor's name" },
                { "Mount", "Target=fd:x", "is not an absolute path" },
                { "Container", "WorkingDirectory=fd:x", "is not an absolute path" },
                { "Root", "Path=/a/b \\/", "ends in white space or a backslash" },
                { "Root", "Options=ro", "it takes nosuid, nodev, noexec, noatime and nosymfollow\n" },
                { "Root", "Disk=/x", "Disk=: there is no such key in [Root]" },
                { "Identity", "UserNamespace=2", "it takes yes or no\n" },
                { "Identity", "IDMap=0:auto", "is not [uid:|gid:]INSIDE:OUTSIDE:COUNT" },
                { "Identity", "IDMap=0:auto:1:2", "is not [uid:|gid:]" },
                { "Identity", "IDMap=auto:0:1", "is not [uid:|gid:]" },
                { "Identity", "IDMap=0:auto:0", "maps no id; COUNT is at least 1\n" },
                { "Identity", "IDMap=4294967294:auto:2", "goes beyond the last id, 4294967294\n" },
                { "Identity", "IDMap=0:4294967295:1", "is not [uid:|gid:]" },
                { "Namespaces", "Private=user", "[Identity] UserNamespace=" },
                { "Hooks", "PreStart=prepare", "\"prepare\" is not an absolute path of a program" },
                { "Hooks", "Clone=/bin/a", "Clone" },
                { "Hooks", "Timeout=2h", "not a time span of at most an hour" },
                { "Namespaces", "Share=pid", "the pid namespace is always private" },
                { "Namespaces", "Share=foo", "it takes uts, ipc, net, cgroup and time\n" },
                { "Mount", "Type=ext4", "it takes bind or tmpfs\n" },
                { "Mount", "Target=/", "\"/\" cannot be used here" },
                { "Mount", "Size=lots", "is not a size; it takes bytes" },
                { "Mount", "Size=0", "is not a size" },
                { "Mount", "Mode=999", "is not an access mode" },
                { "Autostart", "After=Web", "it takes names of containers" },
                { "Autostart", "After=@a/b", "cannot be used" },
                { "Autostart", "Delay=2h", "is not a time span of at most an hour" },
                { "Autostart", "Group=@x", "cannot be used; a group is" },
                { "Contaner", "Boot=yes", "there is no section [Contaner]; did you mean [Container]?\n" },
                { "Network", "Type=veth",
                  "there is no section [Network]; there are [Container], [Root], [Identity], [Namespaces], "
                  "[Mount], [Device], [Security], "
                  "[Resources], [Hooks], [Autostart]\n" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_refused(text, rows[i].expected);
        }
}

static void test_refused_resources(void) {
        static const Row rows[] = {
                { "Resources", "CPUWeight=0", "it takes a weight from 1 to 10000, or idle\n" },
                { "Resources", "CPUQuota=0%", "a percentage of one processor" },
                { "Resources", "CPUQuota=50", "a percentage of one processor" },
                { "Resources", "CPUQuotaPeriodSec=2s", "a time span from 1ms to 1s" },
                { "Resources", "AllowedCPUs=3-1", "numbers and ranges" },
                { "Resources", "AllowedCPUs=,", "numbers and ranges" },
                { "Resources", "MemoryMax=0", "bytes above 0" },
                { "Resources", "MemoryMax=101%", "a percentage up to 100%" },
                { "Resources", "MemoryMax=1X", "bytes above 0" },
                { "Resources", "TasksMax=0", "a number from 1" },
                { "Resources", "IOWeight=idle", "a weight from 1 to 10000\n" },
                { "Resources", "IODeviceWeight=/dev/sda", "the path of a device" },
                { "Resources", "IODeviceWeight=/dev/%i 5", "the path of a device" },
                { "Resources", "IODeviceWeight=\"/dev/sda\" 5", "the path of a device" },
                { "Resources", "ManagedOOMSwap=yes", "auto or kill" },
                { "Resources", "LimitNOFILE=5:4", "SOFT:HARD" },
                { "Resources", "LimitNOFILE=5:6:7", "cannot be used" },
                { "Resources", "LimitNOFILE=18446744073709551615", "cannot be used" },
                { "Resources", "LimitNICE=+20", "a nice level with its sign" },
                { "Resources", "LimitNPROCS=5", "did you mean LimitNPROC=?" },
                { "Resources", "Sysctl=kernel.panic=1", "is the whole machine's" },
                { "Resources", "Sysctl=vm.swappiness=1", "is the whole machine's" },
                { "Resources", "Sysctl=net/../kernel/panic=1", "is not the name of a setting" },
                { "Resources", "Sysctl=net..ipv4=1", "is not the name of a setting" },
                { "Resources", "Sysctl=net.ipv4.ip_forward", "is not name=value" },
                { "Resources", "Sysctl=net.ipv4.ip_forward=", "needs a value" },
                { "Resources", "Sysctl=\"net.ipv4.ip_forward=1\\n2\"", "printable characters" },
                { "Resources", "DeviceAllow=/dev/fuse", "there is no such key in [Resources]" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = row_text(rows + i);

                check_refused(text, rows[i].expected);
        }
}

static void test_what_fits_together(void) {
#define COMMAND "[Container]\nCommand=/c\n"
        static const struct {
                const char *text, *problem;
        } rows[] = {
                { "", "test.container: Path=: is not set; give the root file system's directory" },
                { "[Container]\nBoot=no\n" ROOT, "test.container:2: Boot=: needs a Command=" },
                { "[Container]\nBoot=reaper\n" ROOT, ":2: Boot=: needs a Command=" },
                { COMMAND "Boot=yes\n" ROOT, ":2: Command=: has no effect with Boot=yes" },
                { "[Container]\nUser=5\n" ROOT, ":2: User=: is for a Command=" },
                { "[Root]\nPath=/r\nManaged=yes\n", ":2: Path=: is not for Managed=yes" },
                { "[Root]\nPath=/r\nImage=/i\n", ":3: Image=: is a root of its own" },
                { "[Root]\nImage=/i\nManaged=yes\n", ":2: Image=: is a root of its own" },
                { ROOT "ReadOnly=yes\n[Container]\nEphemeral=yes\n",
                  ":5: Ephemeral=: has nothing to throw away" },
                { ROOT "ReadOnly=yes\nOverlay=yes\n", ":4: Overlay=: keeps changes" },
                { ROOT "[Namespaces]\nPrivate=net\nShare=net\n",
                  ":5: Share=: names net, which Private= names too" },
                { ROOT "[Hooks]\nTimeout=0\n", ":4: Timeout=: cannot be 0" },
                { ROOT "[Namespaces]\nShare=uts\n[Container]\nHostname=x\n",
                  ":6: Hostname=: cannot be set with Share=uts" },
                { ROOT "[Identity]\nUserNamespace=no\nIDMap=0:auto:5\n",
                  ":5: IDMap=: has no meaning with UserNamespace=no" },
                { ROOT "[Identity]\nIDMap=0:auto:5\nIDMap=4:auto:1\n",
                  ":5: IDMap=: the ranges of 5 ids from 0 and of 1 ids from 4 overlap inside" },
                { ROOT "[Identity]\nIDMap=0:100:5 5:104:1\n", "overlap outside" },
                { ROOT "[Identity]\nIDMap=uid:0:auto:5\n", "maps users or groups alone" },
                { ROOT "[Identity]\nIDMap=0:auto:65536 65536:auto:1\n", "more than 65536 automatic ids" },
                { ROOT "[Identity]\nIDMap=1:auto:1\n", "does not map 0, as which an init runs" },
                { COMMAND ROOT "[Identity]\nIDMap=1:auto:2\n", "say with User= who runs it" },
                { COMMAND "User=5\n" ROOT "[Identity]\nIDMap=1000:auto:1\n",
                  ":3: User=: 5 is no id that the container has" },
                { COMMAND "User=65536\n" ROOT, "User=: 65536 is no id that the container has" },
                { COMMAND "Groups=5\n" ROOT "[Identity]\nIDMap=0:auto:5\n", "Groups=: 5 is no id" },
                { ROOT "[Mount]\nSource=/a\n", ":3: Target=: is not set" },
                { ROOT "[Mount]\nTarget=/a\n", ":3: Source=: is not set" },
                { ROOT "[Mount]\nType=tmpfs\nTarget=/a\nSource=/b\n", ":6: Source=: is for Type=bind" },
                { ROOT "[Mount]\nSource=/b\nTarget=/a\nSize=5\n", ":6: Size=: is for Type=tmpfs" },
                { ROOT "[Mount]\nSource=/b\nTarget=/proc/sys\n", "Target=: cannot be /proc, /sys" },
                { ROOT "[Mount]\nType=tmpfs\nTarget=/dev\n", "Target=: cannot be /proc, /sys" },
                { ROOT "[Mount]\nType=tmpfs\nTarget=/a\n[Mount]\nType=tmpfs\nTarget=/a/\n",
                  ":8: Target=: is that of an earlier [Mount]" },
                { ROOT "[Identity]\nUserNamespace=no\n[Mount]\nSource=/b\nTarget=/a\nIDMap=yes\n",
                  "IDMap=: has no meaning" },
                { ROOT "[Namespaces]\nShare=net\n[Resources]\nSysctl=net.ipv4.ip_forward=1\n",
                  "Sysctl=: net.ipv4.ip_forward would be the host's with Share=net" },
                { ROOT "[Namespaces]\nShare=ipc\n[Resources]\nSysctl=kernel.shmmax=1\n",
                  "would be the host's with Share=ipc" },
                { ROOT "[Identity]\nUserNamespace=no\n[Resources]\nSysctl=user.max_user_namespaces=1\n",
                  "would be the host's" },
                { ROOT "[Autostart]\nAfter=test\n", "After=: names the container itself" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                check_refused(rows[i].text, rows[i].problem);

        check_taken(COMMAND ROOT "[Identity]\nIDMap=1000:auto:1\n", "IDMap=1000:auto:1\n");
        check_taken(COMMAND "User=app\n" ROOT "[Identity]\nIDMap=1000:auto:5\n", "User=app\n");
        check_taken(ROOT "[Identity]\nIDMap=0:100:5 5:105:1\n", "IDMap=5:105:1\n");
        check_taken(ROOT "[Mount]\nType=tmpfs\nTarget=/dev/shm\nSize=1G\n", "Target=/dev/shm\n");
        check_taken(ROOT "[Mount]\nSource=/a\nTarget=/process\n", "Target=/process\n");
}

static void test_defaults(void) {
        _cleanup_(definition_freep) Definition *init = NULL, *command = NULL, *shared = NULL, *back = NULL;

        init = definition_from_text(ROOT, true, NULL);
        command = definition_from_text(COMMAND ROOT, true, NULL);
        shared = definition_from_text(ROOT "[Namespaces]\nPrivate=time\nShare=net\n", true, NULL);
        back = definition_from_text(ROOT "[Container]\nConsole=yes\nConsole=\n"
                                         "[Identity]\nUserNamespace=no\nUserNamespace=\n"
                                         "[Mount]\nSource=/a\nTarget=/a\nRecursive=no\nRecursive=\n",
                                    true, NULL);
        REQUIRE(init && command && shared && back);
        CHECK_STR(init->name, "test");
        CHECK(init->trusted);
        CHECK_INT(definition_boot(init), BOOT_INIT);
        CHECK(!init->console);
        CHECK(init->user_namespace);
        CHECK_INT(init->namespaces, NAMESPACES_DEFAULT);
        CHECK(!definition_origin(init, "Container", "Console"));
        CHECK_INT(definition_origin(init, "Root", "Path")->line, 2);
        CHECK_STR(definition_origin(init, "Root", "Path")->file, "test.container");

        CHECK_INT(definition_boot(command), BOOT_DIRECT);
        CHECK_INT(strv_length(command->command), 1);

        CHECK_INT(shared->namespaces, NAMESPACE_UTS | NAMESPACE_IPC | NAMESPACE_CGROUP | NAMESPACE_TIME);

        CHECK(!back->console);
        CHECK(back->user_namespace);
        CHECK(back->mounts[0].recursive);
        CHECK_INT(back->mounts[0].mode, 0755);
        CHECK_INT(definition_entry_origin(back, SECTION_MOUNT, 0, "Target")->line, 11);
}

/* One run finds everything, in the order of the file. */
static void test_all_problems(void) {
        _cleanup_free_ char *problems = NULL;
        _cleanup_(definition_freep) Definition *definition = definition_from_text(
                        "x\n[Container]\nBoot=x\nFoo=1\n[Root]\nPath=x\n", true, &problems);
        size_t lines = 0;

        CHECK(!definition);
        for (const char *s = problems; *s; s++)
                lines += *s == '\n';
        CHECK_INT(lines, 4);
        CHECK_HAS(problems, "test.container:1: ");
        CHECK_HAS(problems, "test.container:6: Path=: ");
}

/* What a message shows cannot steer a terminal, even if the file's text was to. */
static void test_messages_are_printable(void) {
        _cleanup_(problems_clear) Problems problems = PROBLEMS_EMPTY;
        _cleanup_free_ char *text = NULL;

        CHECK_INT(problems_add(&problems, "a\nb", 3, "K\033", "%s", "x\033[2Jy\xff"), 0);
        text = problems_text(&problems);
        CHECK_STR(text, "a\\nb:3: K\\x1b=: x\\x1b[2Jy\\xff\n");
}

static void test_names(void) {
        static const char *const right[] = {
                "a",   "0",     "web",   "web-1",
                "a.b", "1.2.3", "xn--a", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        };
        static const char *const wrong[] = {
                "",     ".",        "..",
                "a..b", ".a",       "a.",
                "-a",   "a-",       "a.-b",
                "a-.b", "A",        "a_b",
                "a/b",  "../a",     "a\nb",
                "a b",  "\xc3\xa4", "a\xff",
                "a@b",  "a%b",      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        };

        for (size_t i = 0; i < ELEMENTSOF(right); i++)
                CHECK(container_name_is_valid(right[i]));
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++)
                CHECK(!container_name_is_valid(wrong[i]));
        CHECK(group_name_is_valid("Web_servers"));
        CHECK(!group_name_is_valid("a/b"));
        CHECK(hostname_is_valid("Web.Example.org"));
}

/* Every row of the table is whole, and its name is there once. */
static void test_table(void) {
        for (size_t i = 0; i < n_keys; i++) {
                CHECK(keys[i].type->parse);
                CHECK(keys[i].type->print || keys[i].type->action);
                CHECK(keys[i].type->reset || keys[i].type->size > 0 || keys[i].type->action);
                CHECK(keys[i].trust < _KEY_TRUST_N);
                CHECK(keys[i].doc && *keys[i].doc);
                CHECK(key_find(keys[i].section, keys[i].name) == keys + i);
        }
}

TESTS(test_values, test_resources, test_refused_values, test_refused_resources,
      test_what_fits_together, test_defaults, test_all_problems, test_messages_are_printable, test_names, test_table)
