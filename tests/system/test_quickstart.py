# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/quickstart: the tour twice in a row, as somebody would type it, and --install on a host with systemd."""

import contextlib
import os
import subprocess
from pathlib import Path

import pytest
from machines import open_machine

TOP = Path(__file__).resolve().parents[2]
QUICKSTART = str(TOP / 'tools' / 'quickstart')
# In the machine, which has a /tmp of its own: where the checkout is on the host may not be there.
CHECKOUT = '/usr/local/src/checkout'
INSIDE = f'{CHECKOUT}/tools/quickstart'


@pytest.fixture
def bare():
    """A machine without the project."""
    machine = open_machine('local', f'pytest-bare-{os.getpid()}')
    machine.up(project=False, binds=[f'{TOP}:{CHECKOUT}'])
    yield machine
    machine.down()


@pytest.fixture
def tour_machine():
    """Takes down what the tour leaves up; somebody's own tour is not disturbed."""
    machine = open_machine('local', f'pytest-tour-{os.getpid()}')
    yield machine.name
    with contextlib.suppress(Exception):
        machine.down()


def test_tour_twice(tour_machine):
    for _ in range(2):
        done = subprocess.run([QUICKSTART], env=dict(os.environ, BERTH_QUICKSTART_MACHINE=tour_machine), text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200, check=False)
        assert done.returncode == 0, done.stdout
        for expected in ('Active: active (running)', 'Main PID:', 'ExecMainStatus=', '# berthctl list\n  NAME',
                         '/org/berth/container1/container/demo', 'ActiveState=inactive',
                         'Result=success', f'machine shell {tour_machine}', 'quickstart --install'):
            assert expected in done.stdout, done.stdout


def test_install_and_remove(bare):
    """Afterwards systemd, D-Bus and polkit know of berth; removed again, only definitions and data stay."""
    before = installed(bare)
    bare.run([INSIDE, '--install'], timeout=1200)
    bare.write('/etc/berth/containers/plain.container', '[Container]\nCommand=/bin/true\n[Root]\nPath=/\n')
    assert bare.run(['systemctl', 'show', '--property=LoadState', '--value', 'container@x.service']).stdout == 'loaded\n'
    assert bare.run(['berthctl', 'verify', 'plain'], check=False).returncode in (0, 1)
    name = 'call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus RequestName su org.berth.container1 4'
    own = ['setpriv', '--reuid=berth', '--regid=berth', '--clear-groups', 'busctl', *name.split()]
    assert bare.run(own).stdout == 'u 1\n'
    assert bare.run(['busctl', *name.split()], check=False).returncode != 0, 'root owns a name that only berth may own'
    bare.run([INSIDE, '--install'], timeout=1200)
    assert bare.run(['dpkg', '--search', '/usr/bin/berthctl']).stdout == 'berth: /usr/bin/berthctl\n'
    bare.run([INSIDE, '--remove'], timeout=300)
    assert installed(bare) == before
    assert bare.exists('/etc/berth/containers/plain.container')


def installed(machine):
    found = machine.run(['find', '/usr', '-newermt', '2000-01-01', '-name', '*berth*', '-not', '-path', '/usr/share/man/*/cat*'])
    return sorted(found.stdout.split('\n'))
