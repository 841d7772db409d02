# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host is shut down while containers run: they are asked to end, at once but for those that an order binds, nothing
that they say at their end is lost, and nobody is waited for."""

import collections
import itertools
import json
import os
import subprocess
import time

import pytest

from built import BUILD_OPTIONS
from machines import open_machine

COUNT, ORDERED, LIMIT = 40, 5, 300
# With the host's time, since journald may read what two containers said at almost the same time in any order.
COMMAND = ('/bin/sh -c "say() { read time rest </proc/uptime; echo $1 $time; }; '
           'trap \'say bye; sleep 1; say gone; exit 0\' TERM; say up; while :; do sleep 1000 & wait; done"')


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
    while machine.is_up():
        assert time.monotonic() < deadline, f'it is still up after {LIMIT} s'
        time.sleep(0.1)


def journal(machine):
    """What each container said, as pairs of word and time, and all of systemd's lines."""
    done = subprocess.run(['journalctl', f'--directory={machine.scratch}/var/log/journal/{machine_id(machine)}', '--merge',
                           '--output=json', '--no-pager'], check=True, capture_output=True, text=True, timeout=300)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    said = collections.defaultdict(list)
    for entry in entries:
        if entry.get('_TRANSPORT') == 'stdout' and entry.get('SYSLOG_IDENTIFIER', '').startswith('down-'):
            word, when = entry['MESSAGE'].split()
            said[entry['SYSLOG_IDENTIFIER']].append((word, float(when)))
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
    machine.run(['systemctl', 'start', *(f'container@{name}.service' for name in names)], timeout=300)
    # Before it has said so, a container does not handle the signal.
    limit = time.monotonic() + 60
    while sum(line.startswith('up ') for line in machine.journal().splitlines()) < COUNT:
        assert time.monotonic() < limit, 'containers do not start to work'
        time.sleep(0.1)
    machine.run(['systemctl', 'poweroff', '--no-block'])
    wait_for_end(machine)

    said, systemd = journal(machine)
    assert sorted(said) == sorted(names)
    for name in names:
        assert [word for word, _ in said[name]] == ['up', 'bye', 'gone'], name
    for name, later in itertools.pairwise(reversed(names[:ORDERED])):
        assert dict(said[name])['gone'] <= dict(said[later])['bye'], (name, later)
    assert [line for line in systemd if 'container@' in line and ('timed out' in line or 'Failed' in line or 'Killing' in line)] == []
