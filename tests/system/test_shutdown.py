# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host is shut down while containers run: they are asked to end, at once but for those that an order binds, nothing
that they say at their end is lost, and nobody is waited for."""

import json
import os
import subprocess
import time

import pytest

from built import BUILD_OPTIONS
from machines import CommandFailed, MachineError, open_machine

COUNT, ORDERED, LIMIT = 40, 5, 30
COMMAND = ('/bin/sh -c "trap \'echo bye; sleep 1; echo gone; exit 0\' TERM; echo up; while :; do sleep 1000 & wait; done"')


@pytest.fixture
def machine():
    """One of its own, whose journal is still there when it is not."""
    one = open_machine('local', f'pytest-shutdown-{os.getpid()}')
    try:
        one.up(options=BUILD_OPTIONS)
        one.write('/etc/systemd/journald.conf.d/90-kept.conf', '[Journal]\nStorage=persistent\n')
        one.run('mkdir -p /var/log/journal && systemctl restart systemd-journald && journalctl --flush')
        yield one
    finally:
        one.down()


def wait_for_end(machine):
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        try:
            if machine.run(['true'], check=False, timeout=5).returncode != 0:
                return
        except (CommandFailed, MachineError, OSError):
            return
        time.sleep(0.1)
    raise AssertionError(f'it is still up after {LIMIT} s')


def journal(machine):
    """(container, line) of what containers said, in order, and all of systemd's lines."""
    done = subprocess.run(['journalctl', f'--directory={machine.scratch}/var/log/journal/{machine_id(machine)}', '--merge',
                           '--output=json', '--no-pager'], check=True, capture_output=True, text=True, timeout=60)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    said = [(entry['SYSLOG_IDENTIFIER'], entry['MESSAGE']) for entry in entries if entry.get('_TRANSPORT') == 'stdout' and
            entry.get('SYSLOG_IDENTIFIER', '').startswith('down-')]
    return said, [entry['MESSAGE'] for entry in entries if entry.get('SYSLOG_IDENTIFIER') == 'systemd']


def machine_id(machine):
    return os.listdir(f'{machine.scratch}/var/log/journal')[0]


def test_shutdown(machine):
    names = [f'down-{i}' for i in range(COUNT)]
    for i, name in enumerate(names):
        order = f'[Autostart]\nAfter=down-{i - 1}\n' if 0 < i < ORDERED else ''
        machine.write(f'/etc/berth/containers/{name}.container',
                      f'[Container]\nCommand={COMMAND}\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n{order}')
    machine.run(['systemctl', 'daemon-reload'])
    machine.run(['systemctl', 'start', *(f'container@{name}.service' for name in names)], timeout=120)
    machine.run(['systemctl', 'poweroff', '--no-block'])
    wait_for_end(machine)

    said, systemd = journal(machine)
    for line in ('up', 'bye', 'gone'):
        assert sorted(name for name, text in said if text == line) == sorted(names), line
    ordered = [(name, text) for name, text in said if name in names[:ORDERED] and text != 'up']
    assert ordered == [(name, text) for name in reversed(names[:ORDERED]) for text in ('bye', 'gone')]
    assert [line for line in systemd if 'container@' in line and ('timed out' in line or 'Failed' in line or 'Killing' in line)] == []
