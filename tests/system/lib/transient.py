# SPDX-License-Identifier: LGPL-2.1-or-later
"""A transient container as berth's helper starts one, without the helper: a unit with the message of spec/handover.h on
its standard input. What the descriptors are is said by the test, so that it can hand over what no client should."""

import json

from container import Container

STARTER = r'''
import array, dbus, fcntl, json, os, socket, sys, time

order = json.load(sys.stdin)
definition = order["definition"].encode()

def handed(what):
    """PATH for a directory or file opened for reading, or one of the special kinds."""
    kind, _, path = what.partition(":")
    if kind == "path":          # O_PATH
        return os.open(path, os.O_PATH)
    if kind == "read":
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOATIME)
    if kind == "before":        # while the mode was everybody's, as everybody could
        mode = os.stat(path).st_mode & 0o7777
        os.chmod(path, 0o755)
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        os.chmod(path, mode)
        return fd
    if kind == "socket":
        return socket.socket(socket.AF_UNIX).detach()
    if kind == "memfd":
        return os.memfd_create("x")
    if kind == "procfd":        # the descriptors of a process of our own that is not dumpable
        import ctypes
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
        return os.open("/proc/self/fd", os.O_RDONLY)
    if kind == "unshared":      # on a mount that only this process has
        import ctypes
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.unshare(0x20000) == 0 and libc.mount(b"none", b"/", None, 0x4000 | 0x40000, None) == 0
        assert libc.mount(b"tmpfs", path.encode(), b"tmpfs", 0, b"mode=0700") == 0
        return os.open(path, os.O_RDONLY)
    raise ValueError(what)

bus = dbus.SystemBus()
memfd = os.memfd_create("berth-definition", os.MFD_ALLOW_SEALING)
os.write(memfd, definition)
if order["seal"]:
    fcntl.fcntl(memfd, 1033, 0xf)
names = list(order["descriptors"])
fds = [memfd] + [handed(order["descriptors"][name]) for name in names]
data = order["data"] if order["data"] is not None else "berth-handover 1\n" + "".join(f"{name}\n" for name in names)

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
if order["send"]:
    socket.send_fds(ours, [data.encode()], fds)
ours.close()

helper = "/usr/libexec/berth/berth-helper"
name, unit = order["name"], order["unit"]

def command(*words):
    return dbus.Array([dbus.Struct((helper, dbus.Array([helper, *words], signature="s"), False))], signature="(sasb)")

signals = dbus.Struct((dbus.Array([], signature="i"), dbus.Array([1], signature="i")))
success = dbus.Struct((dbus.Array([], signature="i"), dbus.Array([1, 2], signature="i")))
properties = {
    "Description": f"Container {name}", "Type": "notify", "NotifyAccess": "all", "User": "root",
    "ExecStart": command("launch", "--stdin", name), "ExecStop": command("stop", name),
    "ExecStopPost": command("clean", name),
    "Slice": "machine.slice", "Delegate": True, "KillMode": "mixed", "KillSignal": dbus.Int32(37),
    "TimeoutStopUSec": dbus.UInt64(120000000), "TimeoutStopFailureMode": "kill", "Restart": "no",
    "RestartForceExitStatus": signals, "SuccessExitStatus": success, "FileDescriptorStoreMax": dbus.UInt32(96),
    "SyslogIdentifier": name, "SyslogLevelPrefix": False, "IgnoreSIGPIPE": False, "OOMPolicy": "continue",
    "TasksMax": dbus.UInt64(16384), "DevicePolicy": "closed", "CollectMode": order["collect"],
    "StartLimitIntervalUSec": dbus.UInt64(0),
    "StandardInputFileDescriptor": dbus.types.UnixFd(theirs),
}
if order["environment"]:
    properties["Environment"] = dbus.Array(order["environment"], signature="s")
systemd = dbus.Interface(bus.get_object("org.freedesktop.systemd1", "/org/freedesktop/systemd1"),
                         "org.freedesktop.systemd1.Manager")


def until(condition, what):
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"{unit}: {what} takes too long")
        time.sleep(0.01)

def refused(error, call, *arguments):
    """Whether systemd answers with that error, and with no other."""
    try:
        call(*arguments)
    except dbus.DBusException as failure:
        if failure.get_dbus_name() != f"org.freedesktop.systemd1.{error}":
            raise
        return True
    return False

# One of that name that has ended is forgotten a moment later.
until(lambda: refused("NoSuchUnit", systemd.GetUnit, unit), "the end of an earlier one")
job = systemd.StartTransientUnit(unit, "fail", [(key, value) for key, value in properties.items()],
                                 dbus.Array([], signature="(sa(sv))"))
# What a descriptor of this process shows is gone with the process.
if order["wait"] or any(what.startswith("procfd") for what in order["descriptors"].values()):
    until(lambda: refused("NoSuchJob", systemd.GetJob, dbus.UInt32(job.rsplit("/", 1)[1])), "the start")
'''


class Transient(Container):
    """container-run-NAME.service. A unit that failed stays to be looked at, unless the test wants it to go."""

    def __init__(self, machine, name):
        super().__init__(machine, name)
        self.unit = f'container-run-{name}.service'

    def run(self, definition, descriptors=None, *, data=None, seal=True, send=True, collect='inactive',
            environment=(), wait=True):
        order = dict(name=self.name, unit=self.unit, definition=definition, descriptors=descriptors or {}, data=data,
                     seal=seal, send=send, collect=collect, environment=list(environment), wait=wait)
        self.machine.run(['systemctl', 'reset-failed', self.unit], check=False)
        self.machine.run(['/usr/bin/python3', '-c', STARTER], input=json.dumps(order), timeout=150 * self.machine.patience)
        if wait:
            self.wait_for(lambda: self.show('ActiveState') not in ('activating', 'deactivating'), 'an end of its start')

    def failure(self):
        """What the unit says of the start that failed."""
        assert self.show('ActiveState') == 'failed', self.status()
        return self.show('StatusText')

    def remove(self):
        super().remove()
        self.machine.remove(f'/var/lib/berth/roots/{self.name}', f'/var/lib/berth/images/{self.name}.raw')
