# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that are not berth's, as clients of its D-Bus service: busctl, gdbus, python3-dbus.

Each has call(), which returns what a method returned as plain Python values or raises ServiceError, and watch(), which
collects the signals of the service while a test works.
"""

import ast
import contextlib
import json
import re
import time

NAME = 'org.berth.container1'
ROOT = '/org/berth/container1'
MANAGER = f'{NAME}.Manager'
CONTAINER = f'{NAME}.Container'
PROPERTIES = 'org.freedesktop.DBus.Properties'
OBJECTS = 'org.freedesktop.DBus.ObjectManager'
ERROR = f'{NAME}.Error.'


class ServiceError(Exception):
    """What the service answered; name is None if the client does not tell it."""

    def __init__(self, name, text):
        super().__init__(f'{name}: {text}')
        self.name = name
        self.text = text


class Variant:
    """A value with its type, for a{sv}."""

    def __init__(self, signature, value):
        self.signature = signature
        self.value = value


class Client:
    """What all have in common. A value of the signatures that the service takes is plain Python; see Variant."""

    def __init__(self, machine):
        self.machine = machine

    def run(self, argv, **settings):
        return self.machine.run(argv, check=False, timeout=120 * self.machine.patience, **settings)

    def manager(self, member, signature='', *arguments):
        return self.call(ROOT, MANAGER, member, signature, *arguments)

    def container(self, path, member, signature='', *arguments):
        return self.call(path, CONTAINER, member, signature, *arguments)

    def get(self, path, interface, name):
        return self.call(path, PROPERTIES, 'Get', 'ss', interface, name)

    def state(self, path):
        return self.get(path, CONTAINER, 'State')

    def objects(self):
        return self.call(ROOT, OBJECTS, 'GetManagedObjects')

    def is_subscribed(self):
        """Whether the bus knows what a watcher that said that it is ready wants to hear."""
        return True

    @contextlib.contextmanager
    def watch(self):
        """A Watch of the signals from here to the end of the block."""
        watch = Watch(self)
        try:
            yield watch
        finally:
            watch.stop()


class Watch:
    """A program that listens in the machine, as a unit of its own."""

    def __init__(self, client):
        self.machine = client.machine
        self.parse = client.parse_signal
        self.unit = f'watch-{client.name}.service'
        self.log = f'/run/watch-{client.name}.log'
        program, ready = client.watcher()
        # The file is there before the program: else there would be a moment in which it cannot be read.
        self.machine.write(self.log, '')
        self.machine.run(['systemd-run', '--quiet', '--collect', f'--unit={self.unit}',
                          f'--property=StandardOutput=append:{self.log}',
                          f'--property=StandardError=append:{self.log}', '--setenv=PYTHONUNBUFFERED=1', *program])
        self.until(lambda: ready in self.machine.read(self.log) and client.is_subscribed(), 'a watcher that listens')

    def until(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout * self.machine.patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f'no {what}; seen:\n{self.machine.read(self.log)}')
            time.sleep(0.05)

    def signals(self):
        """(path, interface, member, arguments) of each, in order."""
        # What is behind the last newline is not written whole yet.
        lines = self.machine.read(self.log).split('\n')[:-1]
        return [signal for signal in map(self.parse, lines) if signal is not None]

    def values(self, path, name):
        """The values of a property of a container that were announced."""
        return [args[1][name] for where, _, member, args in self.signals()
                if where == path and member == 'PropertiesChanged' and args[0] == CONTAINER and name in args[1]]

    def objects(self, member):
        """The paths that InterfacesAdded or InterfacesRemoved named."""
        return [args[0] for _, interface, name, args in self.signals() if interface == OBJECTS and name == member]

    def until_value(self, path, name, value):
        self.until(lambda: value in self.values(path, name), f'{name}={value} of {path}')

    def stop(self):
        self.machine.run(['systemctl', 'stop', self.unit], check=False)
        self.machine.remove(self.log)


def plain(value):
    """JSON of systemd: each variant is {"type": ..., "data": ...}."""
    if isinstance(value, dict):
        if set(value) == {'type', 'data'}:
            return plain(value['data'])
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value


class Busctl(Client):
    """busctl(1). It does not tell an error's name."""

    name = 'busctl'

    def words(self, signature, value):
        if isinstance(value, Variant):
            return [value.signature, *self.words(value.signature, value.value)]
        if isinstance(value, dict):
            return [str(len(value)), *(word for key, one in value.items() for word in [key, *self.words('', one)])]
        if isinstance(value, list):
            return [str(len(value)), *(word for row in value for one in row for word in self.words('', one))]
        return [str(value).lower() if isinstance(value, bool) else str(value)]

    def call(self, path, interface, member, signature='', *arguments):
        words = [word for value in arguments for word in self.words(signature, value)]
        done = self.run(['busctl', '--system', '--json=short', 'call', '--', NAME, path, interface, member,
                         *([signature, *words] if signature else [])])
        if done.returncode != 0:
            raise ServiceError(None, done.stderr.strip().removeprefix('Call failed: '))
        if not done.stdout.strip():
            return None
        values = plain(json.loads(done.stdout)['data'])
        return values[0] if len(values) == 1 else values

    def watcher(self):
        return ['busctl', '--system', '--json=short', 'monitor', NAME], 'Monitoring bus message stream.'

    def parse_signal(self, line):
        if not line.startswith('{'):
            return None
        message = json.loads(line)
        if message['type'] != 'signal':
            return None
        arguments = plain(message['payload']['data']) if 'payload' in message else []
        return message['path'], message['interface'], message['member'], arguments


def gvariant(text):
    """GVariant's text form, of the values that the service sends."""
    strings = []

    def keep(match):
        strings.append(match.group(0))
        return f'\0{len(strings) - 1}\0'
    text = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", keep, text)
    text = re.sub(r'@\S+ |\b(?:byte|int16|uint16|int32|uint32|int64|uint64|handle|double|objectpath|signature) |[<>]', '', text)
    text = re.sub(r'\btrue\b', 'True', re.sub(r'\bfalse\b', 'False', text))
    return ast.literal_eval(re.sub('\0([0-9]+)\0', lambda match: strings[int(match.group(1))], text))


class Gdbus(Client):
    """gdbus(1)."""

    name = 'gdbus'

    def word(self, value):
        if isinstance(value, Variant):
            return f'<@{value.signature} {self.word(value.value)}>'
        if isinstance(value, dict):
            return '{' + ', '.join(f'{json.dumps(key)}: {self.word(one)}' for key, one in value.items()) + '}'
        if isinstance(value, list):
            return '[' + ', '.join('(' + ', '.join(map(self.word, row)) + ')' for row in value) + ']'
        return json.dumps(value, ensure_ascii=False)

    def call(self, path, interface, member, signature='', *arguments):
        types = re.findall(r'a?\{[^}]*\}|a\([^)]*\)|a?.', signature)
        words = [f'@{kind} {self.word(value)}' for kind, value in zip(types, arguments, strict=True)]
        done = self.run(['gdbus', 'call', '--system', '--timeout=120', f'--dest={NAME}', f'--object-path={path}',
                         f'--method={interface}.{member}', '--', *words])
        if done.returncode != 0:
            match = re.match(r'Error: GDBus\.Error:([A-Za-z0-9_.]+): (.*)', done.stderr, re.DOTALL)
            raise ServiceError(*(match.groups() if match else (None, done.stderr)))
        values = gvariant(done.stdout)
        return (values[0] if len(values) == 1 else values) if values else None

    def watcher(self):
        return ['gdbus', 'monitor', '--system', f'--dest={NAME}'], 'is owned by'

    def is_subscribed(self):
        """It says whose signals it will show before it has asked for them."""
        def ask(interface, *words):
            done = self.machine.run(['busctl', '--json=short', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus',
                                     interface, *words])
            return json.loads(done.stdout)['data'][0]
        owner = ask('org.freedesktop.DBus', 'GetNameOwner', 's', NAME)
        rules = ask('org.freedesktop.DBus.Debug.Stats', 'GetAllMatchRules').values()
        return any("type='signal'" in rule and f"sender='{owner}'" in rule and 'NameOwnerChanged' not in rule
                   for of_one in rules for rule in of_one)

    def parse_signal(self, line):
        match = re.match(r'(/\S+): ([A-Za-z0-9_.]+)\.([A-Za-z0-9_]+) (\(.*\))$', line)
        return (*match.groups()[:3], gvariant(match.group(4))) if match else None


PYTHON = r'''
import dbus, dbus.lowlevel, json, sys

def typed(signature, value):
    """Variants come as [signature, value]."""
    if signature == "v":
        kind, inner = value
        return getattr(dbus, {"b": "Boolean", "t": "UInt64", "u": "UInt32", "s": "String"}[kind])(inner, variant_level=1)
    if signature.startswith("a{"):
        return dbus.Dictionary({key: typed(signature[3:-1], one) for key, one in value.items()}, signature[2:-1])
    if signature == "a(sv)":
        return dbus.Array([(name, typed("v", one)) for name, one in value], signature[1:])
    return value

def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, dbus.types.UnixFd):
        return "a descriptor"
    return bool(value) if isinstance(value, dbus.Boolean) else value

request = json.load(sys.stdin)
arguments = [typed(kind, value) for kind, value in zip(request["types"], request["arguments"])]
try:
    result = dbus.SystemBus().call_blocking(request["name"], request["path"], request["interface"], request["member"],
                                            request["signature"], arguments, timeout=120)
    print(json.dumps({"result": plain(result)}))
except dbus.DBusException as error:
    print(json.dumps({"error": [error.get_dbus_name(), error.get_dbus_message()]}))
'''

PYTHON_WATCH = r'''
import ctypes, json, sys
import dbus
from dbus.mainloop.glib import DBusGMainLoop

def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return bool(value) if isinstance(value, dbus.Boolean) else value

def seen(*arguments, path, interface, member):
    if path.startswith("/org/berth/"):
        print(json.dumps([path, interface, member, plain(arguments)]))

DBusGMainLoop(set_as_default=True)
dbus.SystemBus().add_signal_receiver(seen, bus_name=sys.argv[1], path_keyword="path", interface_keyword="interface",
                                     member_keyword="member")
print("listening")
glib = ctypes.CDLL("libglib-2.0.so.0")  # python3-gi would be a package more
glib.g_main_loop_new.restype = ctypes.c_void_p
glib.g_main_loop_run(ctypes.c_void_p(glib.g_main_loop_new(None, 0)))
'''


class PythonDbus(Client):
    """python3-dbus."""

    name = 'python-dbus'

    def value(self, value):
        if isinstance(value, Variant):
            return [value.signature, value.value]
        if isinstance(value, dict):
            return {key: self.value(one) for key, one in value.items()}
        return [[self.value(one) for one in row] for row in value] if isinstance(value, list) else value

    def call(self, path, interface, member, signature='', *arguments):
        request = {'name': NAME, 'path': path, 'interface': interface, 'member': member, 'signature': signature,
                   'types': re.findall(r'a?\{[^}]*\}|a\([^)]*\)|a?.', signature),
                   'arguments': [self.value(one) for one in arguments]}
        done = self.machine.run(['/usr/bin/python3', '-c', PYTHON], timeout=150 * self.machine.patience,
                                input=json.dumps(request))
        answer = json.loads(done.stdout)
        if 'error' in answer:
            raise ServiceError(*answer['error'])
        return answer['result']

    def watcher(self):
        return ['/usr/bin/python3', '-c', PYTHON_WATCH, NAME], 'listening'

    def parse_signal(self, line):
        return tuple(json.loads(line)) if line.startswith('[') else None


class Systemctl(PythonDbus):
    """systemctl(1) for what it can do with a container's unit; the rest by python3-dbus, since it has no words for it."""

    name = 'systemctl'

    def manager(self, member, signature='', *arguments):
        verb = {'StartContainer': 'start', 'StopContainer': 'stop', 'RestartContainer': 'restart'}.get(member)
        if verb is None:
            return super().manager(member, signature, *arguments)
        unit = next((row[3] for row in super().manager('ListContainers') if row[0] == arguments[0]), None)
        if unit is None:
            unit = f'container@{arguments[0]}.service'
        done = self.run(['systemctl', verb, unit])
        if done.returncode != 0:
            raise ServiceError(None, done.stderr)
        return None


ALL = {client.name: client for client in (Busctl, Gdbus, PythonDbus, Systemctl)}
