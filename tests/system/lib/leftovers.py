# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a container may leave behind in a machine, before and after: nothing has to stay.

snapshot() runs in the machine and lists mounts as its PID 1 sees them, cgroups of containers, processes that are
theirs or berth's, runtime files, and locks. difference() waits for what ends a moment later.
"""

import json
import time

PROBE = r'''
import glob, json, os

def text(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""

def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""

found = {name: [] for name in ("mounts", "cgroups", "processes", "files", "locks", "interfaces")}
for line in text("/proc/1/mountinfo").splitlines():
    fields = line.split()
    at = fields.index("-")
    if "berth-manager.service" not in fields[4] and "berth-helper.service" not in fields[4]:
        found["mounts"].append(" ".join([fields[4], fields[3], fields[at + 1], fields[at + 2]]))

for slice in ("machine.slice", "user.slice"):
    for path, _, _ in os.walk("/sys/fs/cgroup/" + slice):
        if "/container" in path:
            found["cgroups"].append(path)

own = {kind: link(f"/proc/1/ns/{kind}") for kind in ("user", "pid")}
for pid in filter(str.isdigit, os.listdir("/proc")):
    exe, group = link(f"/proc/{pid}/exe"), text(f"/proc/{pid}/cgroup")
    if not exe:
        continue
    # The service and its helper come and go by themselves; no container of theirs is in their groups.
    if "/system.slice/berth-" in group:
        continue
    apart = any(link(f"/proc/{pid}/ns/{kind}") not in ("", name) for kind, name in own.items())
    if apart or "/machine.slice/" in group or "/libexec/berth" in exe:
        found["processes"].append(f"{pid} {exe} " + text(f"/proc/{pid}/cmdline").replace("\0", " ").strip())

names = {}
places = ("/run/berth", "/run/systemd/nspawn-uid", "/run/systemd/nspawn", "/var/lib/berth/overlays",
          "/var/lib/berth/trash")
for place in places:
    for path, directories, files in os.walk(place):
        for name in directories + files:
            name = os.path.join(path, name)
            if name not in ("/run/berth/console.sock", "/run/berth/helper.sock", "/run/berth/reload"):
                found["files"].append(name)
        if place.startswith("/var"):
            del directories[:]
# The files of locks stay, one for each block of ids or root that a container ever had: only a holder may remove one.
lock_files = ("/run/systemd/nspawn-uid/", "/run/systemd/nspawn/locks")
held, found["files"] = found["files"], [p for p in found["files"] if not p.startswith(lock_files)]
for path in [p for p in held if p.startswith("/run")] + glob.glob("/srv/*/*") + glob.glob("/srv/guests/*"):
    try:
        status = os.stat(path)
    except OSError:
        continue
    names[f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"] = path
for line in text("/proc/locks").splitlines():
    for field in line.split():
        if field in names:
            found["locks"].append(names[field])
found["interfaces"] = os.listdir("/sys/class/net")
print(json.dumps({name: sorted(entries) for name, entries in found.items()}))
'''


def snapshot(machine):
    return json.loads(machine.run(['/usr/bin/python3', '-c', PROBE]).stdout)


def difference(machine, before, patience=60):
    """What is there now and was not before, as a text; empty when nothing is. Waits for it to go."""
    deadline = time.monotonic() + patience * machine.patience
    while True:
        now = snapshot(machine)
        more = {kind: [e for e in entries if entries.count(e) > before[kind].count(e)] for kind, entries in now.items()}
        lines = [f'{kind}: {entry}' for kind, entries in more.items() for entry in dict.fromkeys(entries)]
        if not lines or time.monotonic() > deadline:
            return '\n'.join(lines)
        time.sleep(0.1)
