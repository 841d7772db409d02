# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts that fail, at each of their steps: one sentence that says what, on what and why, the same everywhere, and
nothing left behind. The test build's BERTH_FAULT= makes a step fail, die or hang; the steps are those of failure.c.
"""

import itertools
import re
import time
from pathlib import Path

import pytest

FAILURE_C = Path(__file__).resolve().parents[2] / 'src/helper/launch/failure.c'
STEPS = dict(re.findall(r'\[STEP_\w+\] = \{ "([a-z-]+)", "([^"]+)" \}', FAILURE_C.read_text()))
STOP_LIMIT = 3          # seconds, TimeoutStopSec= of what a test starts

# Runs through every step that there is.
DEFINITION = '''[Container]
Command=/bin/sleep 1000
WorkingDirectory=/tmp
Console=yes
[Root]
Path=/srv/guests/busybox
Overlay=yes
[Mount]
Type=tmpfs
Target=/mnt/extra
Create=yes
[Device]
Path=/dev/fuse
[Hooks]
PreStart=/bin/true
[Resources]
LimitNOFILE=4096
Sysctl=net.ipv4.ip_forward=1
[Autostart]
Delay=1
'''

OBJECTS = {
    'definition': '{name}', 'policy': '{name}', 'unit': 'container@{name}.service', 'root': '/srv/guests/busybox',
    'hook': 'PreStart=/bin/true', 'lock': '/srv/guests/busybox', 'guest': 'its way to stop',
    'id-range': 'for {name}', 'id-map': 'of the container',
    'tree': '', 'overlay': '/var/lib/berth/overlays/{name}', 'dev': '/dev', 'run': '/run', 'directory': '/tmp',
    'exec': '/dev/console', 'hostname': '{name}', 'device': '/dev/fuse ({path}:12)',
}
# Steps that other processes do: what the launcher says when they are killed. Of its own end it cannot speak.
FIRST_KILLED = 'it crashed while it was loaded, or was killed'
OTHERS = dict.fromkeys(('pivot', 'hostname', 'sysctl', 'identity', 'keyring', 'directory', 'exec'), FIRST_KILLED)
OTHERS['api'] = 'the process that does it was killed'
serial = itertools.count()      # a name of its own each time keeps their lines in the journal apart


@pytest.fixture
def faulty(container, machine):
    """faulty(STEP, WHAT): a container whose start goes wrong at that step; heal() takes the fault away."""
    made = []

    def heal():
        machine.remove(*made)
        machine.run(['systemctl', 'daemon-reload'])

    def make(step, what):
        one = container(f'{what}-{step}-{next(serial)}', DEFINITION)
        made.append(f'/run/systemd/system/{one.unit}.d')
        machine.write(f'{made[-1]}/fault.conf',
                      f'[Service]\nEnvironment=BERTH_FAULT={step}:{what}\nTimeoutStopSec={STOP_LIMIT}\n')
        machine.run(['systemctl', 'daemon-reload'])
        one.heal = heal
        return one
    yield make
    heal()


def said(container):
    """What the launcher has written to the journal, as lines."""
    container.machine.run(['journalctl', '--sync'])
    text = container.machine.run(['journalctl', '--quiet', '--no-pager', '--output=cat', f'--unit={container.unit}',
                                  f'--identifier={container.name}']).stdout
    return text.splitlines()


def wait_hanging(container):
    """Until the process that does the step has come to it."""
    container.wait_for(lambda: container.machine.run(['pgrep', '-x', 'hanging-step'], check=False).returncode == 0,
                       'the step at which it hangs')


def starts_again(container):
    container.heal()
    container.start()
    assert container.show('ActiveState') == 'active'
    assert container.inside('cat /proc/sys/net/ipv4/ip_forward; ulimit -n; grep -c /mnt/extra /proc/mounts').stdout \
        .split()[0] == '1'
    container.stop()
    assert container.show('Result') == 'success'


@pytest.mark.parametrize('step', STEPS)
def test_error(faulty, step):
    """EIO, as errno 5."""
    container = faulty(step, '5')
    done = container.start(check=False)
    assert done.returncode != 0, 'the step is not reached in a start'
    lines = said(container)
    assert len(lines) == 1, lines
    found = re.fullmatch(r'Cannot start container (\S+): failed to (.*): Input/output error', lines[0])
    assert found and found[1] == container.name and found[2].startswith(STEPS[step]), lines[0]
    if step in OBJECTS:
        assert found[2] == f'{STEPS[step]} {OBJECTS[step].format(name=container.name, path=container.path)}'.rstrip()
    assert container.show('StatusText') == lines[0]
    assert container.show('StatusErrno') == '5'
    assert (container.show('Result'), container.show('ExecMainStatus')) == ('exit-code', '125')
    assert lines[0] in container.status()
    assert container.show('ActiveState') == 'failed'
    starts_again(container)


@pytest.mark.parametrize('step', STEPS)
def test_killed(faulty, step):
    """kill -9 of the process that does the step."""
    container = faulty(step, 'kill')
    assert container.start(check=False).returncode != 0
    assert container.show('ActiveState') == 'failed'
    lines = said(container)
    result = container.show('Result'), container.show('ExecMainStatus')
    if step in OTHERS:
        assert len(lines) == 1 and lines[0].startswith(f'Cannot start container {container.name}: failed to '), lines
        assert lines[0].endswith(OTHERS[step])
        assert result == ('exit-code', '125')
    else:
        assert lines == [] and result in (('signal', '9'), ('exit-code', '125'))
    starts_again(container)


@pytest.mark.parametrize('step', STEPS)
def test_hanging(faulty, step):
    """A start that does not get on can be stopped, in time and for good."""
    container = faulty(step, 'hang')
    container.systemctl('start', '--no-block')
    wait_hanging(container)
    assert container.show('ActiveState') == 'activating'
    container.stop(timeout=STOP_LIMIT + 60)
    assert container.show('ActiveState') in ('inactive', 'failed')
    starts_again(container)


def test_payload_killed(faulty, machine):
    """kill -9 of the container's first process alone, from outside."""
    container = faulty('pivot', 'hang')
    container.systemctl('start', '--no-block')
    wait_hanging(container)
    container.wait_for(lambda: machine.run(f'grep -q payload /proc/{container.show("MainPID")}/cgroup', check=False)
                       .returncode == 0, 'the payload as main process')
    machine.run(['kill', '-KILL', container.show('MainPID')])
    container.wait_state('failed')
    lines = said(container)
    assert len(lines) == 1 and lines[0].endswith(FIRST_KILLED), lines
    assert container.show('StatusText') == lines[0]
    starts_again(container)


def test_killed_by_systemctl(faulty):
    """systemctl kill of a start that hangs takes all of it, whichever process hangs."""
    container = faulty('exec', 'hang')
    container.systemctl('start', '--no-block')
    wait_hanging(container)
    container.systemctl('kill', '--signal=KILL')
    container.wait_state('failed')
    starts_again(container)


def test_start_timeout(faulty, machine):
    """TimeoutStartSec= ends a guest that never says that it is ready."""
    container = faulty('none', '5')
    container.define('[Container]\nCommand=/bin/sleep 1000\nReady=guest\n'
                     '[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n')
    machine.write(f'/run/systemd/system/{container.unit}.d/limit.conf',
                  '[Service]\nTimeoutStartSec=1\nTimeoutStopSec=1\n')
    machine.run(['systemctl', 'daemon-reload'])
    begin = time.monotonic()
    assert container.start(check=False).returncode != 0
    assert 1 <= time.monotonic() - begin
    assert container.show('Result') == 'timeout'


def test_steps_are_known():
    """The list that the tests above run over is the whole of failure.c."""
    assert len(STEPS) == len(re.findall(r'\[STEP_', FAILURE_C.read_text()))
