#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls every method and property that the service introspects, with random arguments of the right and of wrong types.

    dbus_fuzz.py [--seconds N] [--seed N] [--name CONTAINER]...

Containers that are named are what is mostly asked for. Runs as whoever calls it; it does what it may, so let it run as
root in a test machine only. Prints counts as JSON; ends with 1 if the service died or gave an error that its contract
does not know.
"""

import argparse
import collections
import json
import os
import random
import socket
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import dbus
import dbus.bus
import dbus.lowlevel

NAME = "org.berth.container1"
ROOT = "/org/berth/container1"
STANDARD = "org.freedesktop.DBus."
OWN_ERRORS = {"NoSuchContainer", "ContainerExists", "InvalidName", "InvalidDefinition", "PolicyViolation", "NotRunning",
              "AlreadyRunning", "StartFailed", "RootInUse", "TimedOut", "Busy", "Canceled", "DataRefused", "NoSuchProcess",
              "NoSuchProperty", "Failed"}  # not HelperLost: nobody kills the helper
ERRORS = {f"{NAME}.Error.{name}" for name in OWN_ERRORS} | {f"{STANDARD}Error.{name}" for name in (
    "InvalidArgs", "AccessDenied", "NotSupported", "LimitsExceeded", "InteractiveAuthorizationRequired", "UnknownMethod",
    "UnknownObject", "UnknownInterface", "UnknownProperty", "PropertyReadOnly")}
# Nobody answered in time.
NO_REPLY = {f"{STANDARD}Error.NoReply", f"{STANDARD}Error.Timeout"}
# What root asks for may take minutes, and is not waited for; a user gets an answer, which is mostly a refusal.
PATIENCE = 5 if os.getuid() == 0 else 90
# What is no part of the test is waited for as long as a busy machine takes.
LONG = 300
CALLS_MIN = 1000  # however slow the machine is: then what every tenth call gets has come
VALID = ["[Container]\nCommand=/bin/sleep inf\n[Root]\nManaged=yes\n",
         "[Container]\nCommand=/bin/sleep inf\nConsole=yes\n[Root]\nPath=fd:root\nOverlay=yes\n"]
LINES = ["[Container]", "[Root]", "[Resources]", "[Mount]", "[Nonsense]", "Managed=yes", "Path=/", "Path=fd:root",
         "Command=/bin/sleep inf", "Console=yes", "Boot=reaper", "UserNamespace=no", "TasksMax=10", "MemoryMax=100M",
         "Source=/etc", "Source=fd:data", "Target=/mnt", "Description=\u202e \U0001f980", "=", "Include=/etc/shadow",
         "Environment=A=b", "User=root", "\\", "# comment", "x" * 5000]
WORDS = ["", "a", "leader", "all", "..", "../../etc", "1000/web", "0/a", "-", "A", "a" * 63, "a" * 64, "a.b", "a..b",
         "a\nb", "\033[2J", "\u202eabc", "%s%n", "a" * 70000, "TasksMax", "MemoryMax", "CPUWeight", "ExecStart", "replace",
         "data", "tar", "directory", "image", "root", "State", "Definition", "Version", f"{NAME}.Container", f"{NAME}.Manager"]
HANDLES_MAX = 16  # max_message_unix_fds of the system bus, which hangs up on who sends more: the service never sees it
BASIC = "ybnqiuxtdsogh"
TYPES = dict(y=dbus.Byte, b=dbus.Boolean, n=dbus.Int16, q=dbus.UInt16, i=dbus.Int32, u=dbus.UInt32, x=dbus.Int64,
             t=dbus.UInt64, d=dbus.Double, s=dbus.String, o=dbus.ObjectPath, g=dbus.Signature)
BITS = dict(y=(0, 8), n=(-15, 15), q=(0, 16), i=(-31, 31), u=(0, 32), x=(-63, 63), t=(0, 64))


class Generator:
    def __init__(self, seed, names):
        self.random = random.Random(seed)
        self.names = names
        self.paths = ["/", ROOT, f"{ROOT}/container", f"{ROOT}/container/nobody", "/org/freedesktop/DBus"]
        self.descriptors = []
        self.handles = 0

    def pick(self, choices):
        return self.random.choice(choices)

    def chance(self, share):
        return self.random.random() < share

    def number(self, kind):
        low, high = BITS[kind]
        least, most = (-(1 << -low) if low else 0), (1 << high) - 1
        return self.pick([least, most, 0, 1, 2, 9, 15, 64, 100, os.getpid()] if most > 70000 else [least, most, 1]) \
            if self.chance(0.7) else self.random.randint(least, most)

    def text(self):
        if self.names and self.chance(0.4):
            return self.pick(self.names)
        if self.chance(0.2):
            return self.pick(VALID)
        if self.chance(0.3):
            return "\n".join(self.pick(LINES) for _ in range(self.random.randint(0, 12)))
        if self.chance(0.1):
            return "".join(chr(self.pick([self.random.randint(1, 0xd7ff), self.random.randint(1, 127)]))
                           for _ in range(self.random.randint(0, 200))).replace("\ufdd0", "")
        return self.pick(WORDS)

    def descriptor(self):
        """One of the kinds of descriptors there are; closed by forget()."""
        self.handles += 1
        if self.handles > HANDLES_MAX:
            raise ValueError("more descriptors than the bus takes")
        kind = self.pick(["null", "directory", "own", "file", "pipe", "socket", "pty", "proc"])
        if kind == "pipe":
            fds = list(os.pipe())
        elif kind == "socket":
            fds = [one.detach() for one in socket.socketpair()]
        elif kind == "pty":
            fds = list(os.openpty())
        elif kind == "file":
            with tempfile.TemporaryFile() as file:
                file.write(self.random.randbytes(self.random.randint(0, 2000)))
                file.seek(0)
                fds = [os.dup(file.fileno())]
        elif kind == "own":
            with tempfile.TemporaryDirectory() as path:
                fds = [os.open(path, os.O_RDONLY | os.O_DIRECTORY)]
        else:
            fds = [os.open({"null": "/dev/null", "directory": "/", "proc": "/proc/self/status"}[kind], os.O_RDONLY)]
        self.descriptors += fds
        return fds[0]

    def forget(self):
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors.clear()
        self.handles = 0

    def basic(self, kind, level):
        if kind in BITS:
            value = self.number(kind)
        elif kind == "b":
            value = self.chance(0.5)
        elif kind == "d":
            value = self.pick([0.0, -1.5, 1e308, float("nan"), float("inf")])
        elif kind == "o":
            value = self.pick(self.paths)
        elif kind == "g":
            value = self.pick(["", "s", "a{sv}", "(ii)"])
        elif kind == "h":
            return dbus.types.UnixFd(self.descriptor(), variant_level=level)
        else:
            value = self.text()
        return TYPES[kind](value, variant_level=level)

    def complete(self, depth=0):
        """A random complete type."""
        kind = self.random.random()
        if depth > 3 or kind < 0.6:
            return self.pick(BASIC)
        if kind < 0.7:
            return "v"
        if kind < 0.8:
            return "a" + self.complete(depth + 1)
        if kind < 0.9:
            return "a{" + self.pick(BASIC) + self.complete(depth + 1) + "}"
        return "(" + "".join(self.complete(depth + 1) for _ in range(self.random.randint(1, 3))) + ")"

    def value(self, kind, level=0, depth=0):
        """A random value of one complete type."""
        if kind == "v":
            return self.value(self.complete(depth + 2) if depth < 5 else "s", level + 1, depth + 1)
        if kind.startswith("a{"):
            return dbus.Dictionary({self.basic(kind[2], 0): self.value(kind[3:-1], 0, depth + 1)
                                    for _ in range(self.count())}, signature=kind[2:-1], variant_level=level)
        if kind.startswith("a"):
            return dbus.Array([self.value(kind[1:], 0, depth + 1) for _ in range(self.count())], signature=kind[1:],
                              variant_level=level)
        if kind.startswith("("):
            return dbus.Struct([self.value(one, 0, depth + 1) for one in split(kind[1:-1])], signature=kind[1:-1],
                               variant_level=level)
        return self.basic(kind, level)

    def count(self):
        return self.random.randint(0, 3) if self.chance(0.97) else self.random.randint(0, 100)

    def arguments(self, signature):
        """Values of the types that are expected, or of others."""
        kinds = split(signature)
        if self.chance(0.3):
            kinds = [self.complete() for _ in range(self.random.randint(0, 5))]
        elif self.chance(0.2) and kinds:
            kinds[self.random.randrange(len(kinds))] = self.complete()
        elif self.chance(0.1):
            kinds = self.pick([kinds[:-1], kinds + ["s"], kinds * 2])
        return "".join(kinds), [self.value(kind) for kind in kinds]


def split(signature):
    """The complete types of a signature."""
    kinds = []
    while signature:
        end = 0
        while signature[end] == "a":
            end += 1
        if signature[end] in "({":
            depth = 0
            while True:
                depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[end], 0)
                if depth == 0:
                    break
                end += 1
        kinds.append(signature[:end + 1])
        signature = signature[end + 1:]
    return kinds


class Service:
    """What can be called, as it says itself."""

    def __init__(self):
        self.bus = dbus.SystemBus()
        self.owner = self.bus.activate_name_owner(NAME)
        try:
            # The service does not end for want of work as long as a caller is there whose user it has asked for.
            self.ask(ROOT, f"{NAME}.Manager", "GetContainerByPID", "u", [1])
        except dbus.DBusException as error:
            if error.get_dbus_name() != f"{NAME}.Error.NoSuchProcess":
                raise
        self.refresh()

    def ask(self, path, interface, member, signature="", arguments=()):
        return self.bus.call_blocking(NAME, path, interface, member, signature, arguments, timeout=LONG)

    def introspect(self, path):
        """The interfaces of an object, none if it has gone meanwhile: what is run once, and ends."""
        try:
            text = self.ask(path, f"{STANDARD}Introspectable", "Introspect")
        except dbus.DBusException as error:
            if error.get_dbus_name() != f"{STANDARD}Error.UnknownObject":
                raise
            return []
        return ElementTree.fromstring(text).findall("interface")

    def refresh(self):
        objects = self.ask(ROOT, f"{STANDARD}ObjectManager", "GetManagedObjects")
        self.objects = [ROOT, *map(str, objects)]
        self.methods, self.properties = [], []
        container = next(filter(None, map(self.introspect, self.objects[1:])), [])
        for interfaces in self.introspect(ROOT), container:
            for interface in interfaces:
                self.methods += [(interface.get("name"), method.get("name"), "".join(
                    arg.get("type") for arg in method.findall("arg") if arg.get("direction", "in") == "in"))
                    for method in interface.findall("method")]
                self.properties += [(interface.get("name"), prop.get("name")) for prop in interface.findall("property")]
        self.methods = sorted(set(self.methods))
        self.properties = sorted(set(self.properties))

    def is_alive(self):
        return self.bus.name_has_owner(NAME) and self.bus.get_name_owner(NAME) == self.owner


def call(service, generator):
    """One random call, ready to be sent, and its name."""
    interface, member, signature = generator.pick(service.methods)
    if member in ("Get", "Set") and generator.chance(0.7):
        where, name = generator.pick(service.properties)
        values = [dbus.String(where), dbus.String(name)]
        if member == "Set":
            values.append(generator.value("v"))
    else:
        signature, values = generator.arguments(signature)
    path = generator.pick(service.objects[1:] or [ROOT]) if interface.endswith(".Container") else ROOT
    if generator.chance(0.2):
        path = generator.pick(service.objects + generator.paths)
    message = dbus.lowlevel.MethodCallMessage(NAME, path, generator.pick([interface] * 9 + [f"{NAME}.Nothing"]), member)
    if values:
        message.append(*values, signature=signature)
    return f"{interface}.{member}", message


def shown(message):
    """What was sent, for people."""
    return f"to {message.get_path()}: {message.get_signature()} {message.get_args_list()!r}"[:4000]


def fuzz(service, generator, seconds, counts):
    """Calls until the time is over. Returns what was wrong, or None."""
    end = time.monotonic() + seconds
    while time.monotonic() < end or counts["calls"] < CALLS_MIN:
        try:
            name, message = call(service, generator)
        except (ValueError, UnicodeError, TypeError, OverflowError):
            generator.forget()  # neither libdbus nor the bus take everything that a generator can think of
            continue
        counts["calls"] += 1
        counts[name] += 1
        if generator.chance(0.05):  # a caller that does not wait for its answer
            other = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
            other.send_message(message)
            other.flush()
            other.close()
        else:
            try:
                service.bus.send_message_with_reply_and_block(message, PATIENCE)
                counts["answers"] += 1
            except dbus.DBusException as error:
                what = error.get_dbus_name()
                counts[what] += 1
                if what in NO_REPLY:
                    counts[f"no reply from {name}"] += 1
                if what not in ERRORS and (what not in NO_REPLY or os.getuid() != 0):
                    return f"{name}: {what}: {error.get_dbus_message()} {shown(message)}"
        generator.forget()
        if counts["calls"] % 50 == 0:
            if not service.is_alive():
                return f"the service died at or before {name}"
            service.refresh()
    return None if service.is_alive() else "the service died"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--name", action="append", default=[], dest="names")
    options = parser.parse_args()

    counts = collections.Counter()
    wrong = fuzz(Service(), Generator(options.seed, options.names), options.seconds, counts)
    print(json.dumps({"seed": options.seed, "uid": os.getuid(), "wrong": wrong, "counts": dict(sorted(counts.items()))},
                     indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
