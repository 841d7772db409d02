#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth-lxc(7) has an entry for each of LXC's keys and variables about confinement, devices and hooks, once, and the keys
that it names in their place are keys of berth."""

import pathlib
import re
import subprocess
import sys
from typing import List, Set

# Those of LXC 7.0, and what its hooks find in the environment.
KEYS = """lxc.apparmor.allow_incomplete lxc.apparmor.allow_nesting lxc.apparmor.profile lxc.apparmor.raw lxc.autodev
lxc.autodev.tmpfs.size lxc.cap.drop lxc.cap.keep lxc.cgroup2 lxc.cgroup2.devices.allow lxc.cgroup2.devices.deny
lxc.environment.hooks lxc.hook.autodev lxc.hook.clone lxc.hook.destroy lxc.hook.mount lxc.hook.post-stop lxc.hook.pre-mount
lxc.hook.pre-start lxc.hook.start lxc.hook.start-host lxc.hook.stop lxc.hook.version lxc.keyring.session lxc.mount.auto
lxc.no_new_privs lxc.prlimit lxc.proc lxc.pty.max lxc.seccomp.allow_nesting lxc.seccomp.notify.cookie
lxc.seccomp.notify.proxy lxc.seccomp.profile lxc.selinux.context lxc.selinux.context.keyring lxc.sysctl""".split()
VARIABLES = """LXC_CGNS_AWARE LXC_CGROUP_NS LXC_CONFIG_FILE LXC_CONSOLE LXC_CONSOLE_LOGPATH LXC_HOOK_SECTION LXC_HOOK_TYPE
LXC_HOOK_VERSION LXC_IPC_NS LXC_LOG_LEVEL LXC_MNT_NS LXC_NAME LXC_NET_NS LXC_PID LXC_PID_NS LXC_ROOTFS_MOUNT LXC_ROOTFS_PATH
LXC_SRC_NAME LXC_TARGET LXC_USER_NS LXC_UTS_NS""".split()


def entries(text: str) -> List[str]:
    found = re.findall(r"^\.It Sy (lxc\.\S+)$", text, re.MULTILINE)
    for line in re.findall(r"^\.It Ev (.*)$", text, re.MULTILINE):
        found += line.split(" , ")
    return found


def problems_of(text: str, keys: Set[str]) -> List[str]:
    found = entries(text)
    expected = KEYS + VARIABLES
    problems = [f"{name} has no entry" for name in expected if name not in found]
    problems += [f"{name} is not one of LXC's" for name in found if name not in expected]
    problems += [f"{name} has several entries" for name in set(found) if found.count(name) > 1]
    problems += [f"{name}= is no key of berth" for name in re.findall(r"^\.Cm (\w+) Ns =", text, re.MULTILINE)
                 if name not in keys]
    return problems


def check_itself(text: str, keys: Set[str]) -> List[str]:
    """That the comparison sees what it is there to see."""
    broken = [text.replace(".It Sy lxc.cap.drop", ".It Sy lxc.cap.drip"), text.replace("LXC_LOG_LEVEL", "LXC_NAME"),
              text.replace(".Cm Keyring Ns =", ".Cm Keyrings Ns =")]
    return [f"the comparison does not see change {number}" for number, changed in enumerate(broken, 1)
            if changed == text or not problems_of(changed, keys)]


def main() -> int:
    key_list, source = sys.argv[1:]
    lines = subprocess.run([key_list], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    keys = {line.split("\t")[1] for line in lines}
    text = pathlib.Path(source).read_text(encoding="utf-8")
    problems = problems_of(text, keys) + check_itself(text, keys)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
