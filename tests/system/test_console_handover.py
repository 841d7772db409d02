# SPDX-License-Identifier: LGPL-2.1-or-later
"""The launcher's side of consoles: whoever listens gets the terminal before the guest can write to it; a start neither
waits for that nor fails when nobody does."""

import itertools
import json

import pytest
from transient import Transient

SOCKET = '/run/berth/console.sock'
SPEAKER = "[Container]\nConsole=yes\nCommand=/bin/sh -c 'echo said at once >/dev/console; {more}exec sleep 1000'\n[Root]\n"
ROOT = 'Path=/srv/guests/busybox\nReadOnly=yes\n'
COMPLAINT = 'Nobody took over the console of container'
serial = itertools.count()

# Takes COUNT messages and tells of each: the unit, how many descriptors, what its terminal shows, and its size.
LISTENER = r'''
import json, os, select, socket, sys
path, count = sys.argv[1], int(sys.argv[2])
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(path)
server.listen(8)
print("listening", flush=True)
for _ in range(count):
    client, _ = server.accept()
    unit, fds, _, _ = socket.recv_fds(client, 256, 4)
    shown = b""
    while b"\n" not in shown and select.select(fds[:1], [], [], 120)[0]:
        shown += os.read(fds[0], 4096)
    print(json.dumps([unit.decode(), len(fds), shown.decode(), list(os.get_terminal_size(fds[0]))]), flush=True)
'''

# Listens, takes nothing, and is full.
FULL = r'''
import socket, sys, time
server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
server.bind(sys.argv[1])
server.listen(0)
clients = []
try:
    while True:
        clients.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK))
        clients[-1].connect(sys.argv[1])
except BlockingIOError:
    print("listening", flush=True)
time.sleep(1000)
'''


@pytest.fixture
def nobody(machine):
    """The service's own socket is out of the way."""
    machine.run(['systemctl', 'stop', 'berth-console.socket', 'berth-manager.service'])
    machine.remove(SOCKET)
    yield
    machine.remove(SOCKET)
    # No limit to how often it is stopped and started within a few seconds.
    machine.run(['systemctl', 'reset-failed', 'berth-console.socket'], check=False)
    machine.run(['systemctl', 'start', 'berth-console.socket'])


@pytest.fixture
def listen(machine, nobody):
    """listen(PROGRAM, ...) runs a listener as a unit; what it says comes from reading(COUNT)."""
    units = []

    def start(program, *arguments):
        units.append(f'listener-{next(serial)}.service')
        machine.run(['systemd-run', '--quiet', f'--unit={units[-1]}', '--property=StandardOutput=file:/run/heard',
                     '/usr/bin/python3', '-c', program, SOCKET, *arguments])
        machine.run('while ! grep -q listening /run/heard; do sleep 0.1; done', timeout=120)
    yield start
    for unit in units:
        machine.run(['systemctl', 'stop', unit], check=False)
    machine.remove('/run/heard')


def heard(machine, container, count):
    def lines():
        return machine.run(['cat', '/run/heard']).stdout.split('\n')[1:-1]
    container.wait_for(lambda: len(lines()) >= count, f'{count} messages', timeout=120)
    return [json.loads(line) for line in lines()]


def test_first_word(machine, container, listen):
    """The terminal comes with its size and, since it came before the guest, with all that was said; again when the guest
    reboots, as another terminal."""
    one = container('speaker', SPEAKER.format(more='') + ROOT)
    listen(LISTENER, '2')
    one.start()
    # A guest that reboots before it has said anything says it only once.
    heard(machine, one, 1)
    one.inside(['reboot', '-f'], check=False)
    for unit, fds, shown, size in heard(machine, one, 2):
        assert (unit, fds, shown, size) == (one.unit, 1, 'said at once\r\n', [80, 24])
    assert COMPLAINT not in one.journal()


def test_transient(machine, no_leftovers, listen):
    one = Transient(machine, 'passing')
    listen(LISTENER, '1')
    machine.run('mkdir -p -m 0700 /srv/scratch/passing && cp -a /srv/guests/busybox /srv/scratch/passing/root && '
                'chmod 0700 /srv/scratch/passing/root')
    try:
        one.run(SPEAKER.format(more='') + 'Path=fd:root\nReadOnly=yes\n', {'root': 'read:/srv/scratch/passing/root'})
        assert [message[:3] for message in heard(machine, one, 1)] == [[one.unit, 1, 'said at once\r\n']]
    finally:
        one.remove()
        machine.remove('/srv/scratch/passing')


@pytest.mark.parametrize('what', ['missing', 'refused', 'full', 'file'])
def test_nobody_listens(machine, container, listen, what):
    """Told once at each start; the container runs, and its terminal works."""
    one = container(f'lonely-{what}', SPEAKER.format(more='cat </dev/console & ') + ROOT)
    if what == 'refused':
        machine.run(['/usr/bin/python3', '-c', f'import socket; socket.socket(1, 5).bind("{SOCKET}")'])
    elif what == 'full':
        listen(FULL)
    elif what == 'file':
        machine.write(SOCKET, '')
    one.start()
    assert one.inside(['test', '-c', '/dev/console']).returncode == 0
    why = {'missing': 'No such file', 'refused': 'Connection refused', 'full': 'too many wait there',
           'file': 'Connection refused'}[what]
    lines = [line for line in one.journal().splitlines() if COMPLAINT in line]
    assert len(lines) == 1 and why in lines[0], one.journal()


def test_without_console(machine, container, listen):
    """Who has no console says nothing about one."""
    one = container('silent', '[Container]\nCommand=/bin/sleep 1000\n[Root]\n' + ROOT)
    one.start()
    assert COMPLAINT not in one.journal()
