# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests of the helper's socket: a machine in which a process of user berth in the cgroup of berth-manager.service counts as
the manager, since that unit only sleeps. What peers do is written in Python, sent into the machine behind helperwire.py,
and gives its findings back as JSON. Import the fixtures prepared and helper."""

import json
import re
from pathlib import Path

import pytest

from waiting import wait_for

WIRE = (Path(__file__).resolve().parent / 'helperwire.py').read_text()
MANAGER = '/run/systemd/system/berth-manager.service'
STAND_IN = '[Service]\nType=exec\nUser=berth\nExecStart=/bin/sleep infinity\n'
ERROR = 'org.berth.Helper1.Error.'
DBUS = 'org.freedesktop.DBus.Error.'


class HelperSocket:
    def __init__(self, machine):
        self.machine = machine

    def run(self, script, manager=True, timeout=120):
        """What the script gives back by done(VALUE)."""
        prelude = 'import json, subprocess, sys, time\ndef done(value):\n    print(json.dumps(value)); sys.exit()\n'
        prelude += 'become_manager()\n' if manager else ''
        program = f'{WIRE}\n{prelude}{script}'
        output = self.machine.run(['/usr/bin/python3', '-'], input=program, timeout=timeout * self.machine.patience).stdout
        return json.loads(output.splitlines()[-1])

    def show(self, name):
        return self.machine.run(['systemctl', 'show', '--value', f'--property={name}', 'berth-helper.service']).stdout.strip()

    def pid(self):
        return int(self.show('MainPID'))

    def descriptors(self):
        return len(self.machine.run(['ls', f'/proc/{self.pid()}/fd']).stdout.split())

    def journal(self):
        self.machine.run(['journalctl', '--sync'])
        return self.machine.run(['journalctl', '--quiet', '--no-pager', '--output=cat', '--unit=berth-helper.service',
                                 f'--after-cursor={self.cursor}']).stdout

    def mark(self):
        """Only what is told from now on counts; and the helper is a new one, so that it tells everything."""
        self.machine.run(['systemctl', 'stop', 'berth-helper.service'])
        self.machine.run(['journalctl', '--sync'])
        shown = self.machine.run(['journalctl', '--quiet', '--no-pager', '--lines=1', '--show-cursor', '--output=cat']).stdout
        self.cursor = re.search(r'^-- cursor: (\S+)', shown, re.MULTILINE).group(1)

    def said(self, *patterns):
        """The journal has a line for each of the patterns."""
        def missing():
            text = self.journal()
            return [pattern for pattern in patterns if not re.search(pattern, text)]
        wait_for(self.machine, lambda: not missing(), lambda: f'{missing()} are not in the journal:\n{self.journal()}')

    def settle(self, before):
        """Until the helper has no more open than before."""
        wait_for(self.machine, lambda: self.descriptors() <= before,
                 lambda: self.machine.run(['ls', '-l', f'/proc/{self.pid()}/fd']).stdout)


@pytest.fixture(scope='module')
def prepared(local):
    local.write(MANAGER, STAND_IN)
    local.run(['systemctl', 'stop', 'berth-manager.service', 'berth-helper.service'])
    local.run(['systemctl', 'daemon-reload'])
    local.run(['systemctl', 'start', 'berth-manager.service', 'berth-helper.socket'])
    yield HelperSocket(local)
    local.run(['systemctl', 'stop', 'berth-manager.service', 'berth-helper.service'])
    local.remove(MANAGER)
    local.run(['systemctl', 'daemon-reload'])


@pytest.fixture
def helper(prepared):
    prepared.mark()
    return prepared
