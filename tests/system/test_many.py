# SPDX-License-Identifier: LGPL-2.1-or-later
"""A thousand definitions and three hundred running containers: each in one list, and found again by another manager."""

import pytest
from bus import CONTAINER, ROOT, Bus

DEFINED, RUNNING, AT_ONCE = 1000, 300, 50
SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 10000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'


@pytest.fixture
def many(machine, no_leftovers):
    """Writes all definitions, and takes them away with everything that ran."""
    script = f'for i in $(seq {DEFINED}); do printf "%s" "$0" >/etc/berth/containers/many-$i.container; done'
    machine.run(['/bin/sh', '-c', script, SLEEPER])
    yield [f'many-{i}' for i in range(1, DEFINED + 1)]
    machine.run('systemctl stop "container@many-*.service"; rm -f /etc/berth/containers/many-*.container; '
                'rm -rf /var/lib/berth/overlays/many-*; systemctl reset-failed "container@many-*.service"',
                check=False, timeout=300)


def start(machine, names):
    """All at once over D-Bus; the time limit of a call is the test's, not 25 seconds."""
    calls = ' & '.join(f'busctl --timeout=300 call org.berth.container1 {ROOT} org.berth.container1.Manager '
                       f'StartContainer s {name}' for name in names)
    return machine.run(f'set -e; {calls} & wait', timeout=300)


def test_many(machine, many):
    bus = Bus(machine)
    bus.wait_for(lambda: len(bus.listed()) == DEFINED, 'all definitions', timeout=300)
    for first in range(0, RUNNING, AT_ONCE):
        start(machine, many[first:first + AT_ONCE])
    states = bus.listed()
    assert sorted(states) == sorted(many)
    assert [name for name in many[:RUNNING] if states[name] != 'running'] == []
    assert [name for name in many[RUNNING:] if states[name] != 'stopped'] == []

    managed = bus.call(ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')[0]
    leaders = {one[CONTAINER]['Name']['data']: one[CONTAINER]['Leader']['data'] for one in managed.values()
               if CONTAINER in one}
    assert len({leader for leader in leaders.values() if leader}) == RUNNING

    # Another manager finds all of them, and no container has noticed.
    pid = bus.manager_pid()
    machine.run(['kill', '-KILL', str(pid)])
    bus.wait_for(lambda: bus.manager_pid() not in (0, pid), 'another manager')
    assert bus.listed() == states
    managed = bus.call(ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')[0]
    assert {one[CONTAINER]['Name']['data']: one[CONTAINER]['Leader']['data'] for one in managed.values()
            if CONTAINER in one} == leaders
    assert machine.run(['berthctl', '--no-pager', '--no-legend', 'list']).stdout.count('\n') == DEFINED
