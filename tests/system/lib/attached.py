# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program that is attached to a container's console, in a machine, for as long as a test wants."""

import time

PROGRAM = r'''
import dbus, os, select, socket, sys

name, log, fifo = sys.argv[1:]
bus = dbus.SystemBus()
NAME = "org.berth.container1"
path = bus.call_blocking(NAME, "/org/berth/container1", NAME + ".Manager", "GetContainer", "s", [name])
console = socket.socket(fileno=bus.call_blocking(NAME, path, NAME + ".Container", "OpenConsole", "", []).take())
out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
os.mkfifo(fifo)
typed = os.open(fifo, os.O_RDWR)
while True:
    ready = select.select([console, typed], [], [])[0]
    if console in ready:
        data = console.recv(65536)
        if not data:
            break
        os.write(out, data)
    if typed in ready:
        console.sendall(os.read(typed, 4096))
'''


class Attached:
    """What the console shows collects in text(); type() is the keyboard."""

    serial = 0

    def __init__(self, container):
        Attached.serial += 1
        self.container = container
        self.machine = container.machine
        self.unit = f'attached-{Attached.serial}.service'
        self.log = f'/run/attached-{Attached.serial}.log'
        self.fifo = f'/run/attached-{Attached.serial}.fifo'
        self.machine.run(['systemd-run', '--quiet', f'--unit={self.unit}', '/usr/bin/python3', '-c',
                          PROGRAM.replace('$', '$$'), container.name, self.log, self.fifo])
        self.until(lambda: self.machine.exists(self.fifo) or self.state() == 'failed', 'a start')
        assert self.state() == 'active', self.machine.journal(self.unit)

    def state(self):
        return self.machine.run(['systemctl', 'show', '--value', '--property=ActiveState', self.unit]).stdout.strip()

    def text(self):
        return self.machine.run(['cat', self.log], check=False).stdout.replace('\r\n', '\n')

    def type(self, text):
        self.machine.run(f'cat >{self.fifo}', input=text)

    def until(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout * self.machine.patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f'{self.container.name} did not get to {what}; seen:\n{self.text()[-4000:]}')
            time.sleep(0.1)

    def until_text(self, wanted, times=1, timeout=60):
        self.until(lambda: self.text().count(wanted) >= times, f'show {wanted!r} {times} times', timeout)

    def until_end(self, timeout=60):
        """Until the connection ends."""
        self.until(lambda: self.state() != 'active', 'an end of the connection', timeout)

    def remove(self):
        self.machine.run(['systemctl', 'stop', self.unit], check=False)
        self.machine.run(['systemctl', 'reset-failed', self.unit], check=False)
        self.machine.remove(self.log, self.fifo)
