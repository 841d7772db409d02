# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth's D-Bus service in a machine, as a test calls it (through busctl), and the signals that it sends."""

import contextlib
import itertools
import json
import time

NAME = 'org.berth.container1'
ROOT = '/org/berth/container1'
MANAGER = f'{NAME}.Manager'
CONTAINER = f'{NAME}.Container'
UNIT = 'berth-manager.service'
serial = itertools.count()


class CallFailed(AssertionError):
    """name is the D-Bus error's, where busctl tells it."""


class Bus:
    def __init__(self, machine, user=None):
        self.machine = machine
        self.user = user

    def busctl(self, *arguments, timeout=60):
        argv = ['busctl', '--json=short', f'--timeout={timeout}', '--', *[str(argument) for argument in arguments]]
        if self.user:
            argv = ['setpriv', f'--reuid={self.user}', '--regid=nogroup', '--clear-groups', *argv]
        return self.machine.run(argv, check=False, timeout=(timeout + 10) * self.machine.patience)

    def call(self, path, interface, member, signature='', *arguments, timeout=60):
        """The answer's values, as a list; CallFailed with the error's message."""
        done = self.busctl('call', NAME, path, interface, member, *([signature, *arguments] if signature else []),
                           timeout=timeout)
        if done.returncode != 0:
            raise CallFailed(done.stderr.strip().removeprefix('Call failed: '))
        return json.loads(done.stdout)['data'] if done.stdout.strip() else []

    def manager(self, member, signature='', *arguments, timeout=60):
        return self.call(ROOT, MANAGER, member, signature, *arguments, timeout=timeout)

    def path(self, name):
        return self.manager('GetContainer', 's', name)[0]

    def container(self, name, member, signature='', *arguments):
        return self.call(self.path(name), CONTAINER, member, signature, *arguments)

    def get(self, name, prop):
        done = self.busctl('get-property', NAME, self.path(name), CONTAINER, prop)
        if done.returncode != 0:
            raise CallFailed(done.stderr.strip())
        return json.loads(done.stdout)['data']

    def listed(self):
        """{name: state}"""
        return {row[0]: row[1] for row in self.manager('ListContainers')[0]}

    def wait_for(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout * self.machine.patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f'{what} did not come true in {timeout} s; listed: {self.listed()}\n'
                                     f'{self.machine.journal(UNIT)}')
            time.sleep(0.05)

    def manager_pid(self):
        return int(self.machine.run(['systemctl', 'show', '--value', '--property=MainPID', UNIT]).stdout)

    @contextlib.contextmanager
    def signals(self):
        """Collects what the service emits; the list of messages is complete when the block has ended."""
        unit, log = 'test-signals.service', '/run/test-signals'
        self.machine.write(log, '')
        self.machine.write(f'{log}.err', '')
        self.machine.run(['systemd-run', '--quiet', '--collect', f'--unit={unit}',
                          f'--property=StandardOutput=truncate:{log}', f'--property=StandardError=append:{log}.err',
                          'busctl', '--json=short', 'monitor', f'--match=type=signal,sender={NAME}',
                          f'--match=type=error,sender={NAME}'])
        self.wait_for(lambda: 'Monitoring' in self.machine.read(f'{log}.err'), 'the monitor of signals')
        seen = Signals(self, log)
        try:
            yield seen
            seen.catch_up()
            seen.messages = seen.so_far()
        finally:
            self.machine.run(['systemctl', 'stop', unit], check=False)
            self.machine.remove(log, f'{log}.err')


class Signals:
    """What was seen by now, while the monitor runs; messages has all of it afterwards."""

    def __init__(self, bus, log):
        self.bus = bus
        self.log = log
        self.messages = None

    def read(self):
        """All messages that were written whole."""
        lines = self.bus.machine.read(self.log).split('\n')[:-1]
        return [json.loads(line) for line in lines if line.startswith('{')]

    def so_far(self):
        return [message for message in self.read() if message['type'] == 'signal']

    def until(self, condition, what):
        """Waits until what was seen is as wanted."""
        self.bus.wait_for(lambda: condition(self.so_far()), what)

    def catch_up(self):
        """An error is asked for: what the service emitted before it answered has been seen when that is."""
        name = f'mark-{next(serial)}'
        with contextlib.suppress(CallFailed):
            self.bus.manager('GetContainer', 's', name)
        self.bus.wait_for(lambda: any(f'There is no container {name}' in str(message['payload'])
                                      for message in self.read() if message['type'] == 'error'), 'the mark')

    def settle(self):
        """Waits until the service has looked at everything that was done to definitions before: it is told of files in
        the order in which they change, and here one changes at last, in one step."""
        machine, name = self.bus.machine, f'settled{next(serial)}'
        machine.write(f'/etc/berth/{name}', '[Root]\nManaged=yes\n')
        machine.run(['mv', f'/etc/berth/{name}', f'/etc/berth/containers/{name}.container'])
        self.until(lambda seen: changes(seen, name), 'the last change')
        machine.remove(f'/etc/berth/containers/{name}.container')
        self.until(lambda seen: name in objects(seen, 'InterfacesRemoved'), 'the end of the last change')


def changes(messages, name=None):
    """[(object's last part, {property: new value})] of the PropertiesChanged."""
    found = []
    for message in messages:
        if message.get('member') != 'PropertiesChanged' or not message['path'].startswith(f'{ROOT}/container/'):
            continue
        which = message['path'].rsplit('/', 1)[1]
        _, values, invalidated = message['payload']['data']
        changed = {key: value['data'] for key, value in values.items()}
        changed.update({key: None for key in invalidated})
        if name in (None, which):
            found.append((which, changed))
    return found


def objects(messages, member):
    """The last parts of the paths in InterfacesAdded or InterfacesRemoved."""
    return [message['payload']['data'][0].rsplit('/', 1)[1] for message in messages if message.get('member') == member]
