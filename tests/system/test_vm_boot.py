# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that start with the host, in a machine with a kernel of its own: enabled, ordered, delayed, at once."""

import pytest


@pytest.fixture
def machine(vm):
    return vm


@pytest.fixture
def no_leftovers(machine):
    """A reboot leaves nothing, and brings things of its own: there is nothing to compare."""
    yield
    machine.run('rm -f /etc/systemd/system/machines.target.wants/container@*; systemctl daemon-reload')


def definition(autostart='', root='Path=/srv/guests/busybox\nOverlay=yes\n', more='Command=/bin/sleep 100000\n'):
    return f'[Container]\n{more}[Root]\n{root}' + (f'[Autostart]\n{autostart}' if autostart else '')


def when(container, state):
    """When the unit got to a state in this boot, in seconds."""
    return int(container.show(f'{state}TimestampMonotonic')) / 1e6


def test_start_at_boot(machine, container):
    """After a real reboot all that were enabled run, and nothing else; After= and Delay= hold, and what no order binds
    starts at once, where LXC waits for each."""
    base = container('base', definition('Group=db\n'))
    late = container('late', definition('After=base\nDelay=2\n'))
    last = container('last', definition('After=@db late\n'))
    slow = [container(f'slow-{i}', definition('Delay=20\n')) for i in range(3)]
    debian = container('debian', definition(root='Path=/srv/guests/debian13\nOverlay=yes\n', more=''))
    idle = container('idle', definition('After=base\n'))
    enabled = [base, late, last, *slow, debian]
    for one in enabled:
        one.systemctl('enable')
    base.start()
    base.inside('echo before >/kept')
    machine.reboot()

    for one in (base, late, last, *slow, debian):
        one.wait_state('active', timeout=60)
    assert base.inside('cat /kept').stdout == 'before\n'
    assert idle.show('ActiveState') == 'inactive'
    assert when(late, 'InactiveExit') >= when(base, 'ActiveEnter')
    assert when(late, 'ActiveEnter') >= when(base, 'ActiveEnter') + 2
    assert when(last, 'InactiveExit') >= when(late, 'ActiveEnter')
    begun, done = [when(one, 'InactiveExit') for one in slow], [when(one, 'ActiveEnter') for one in slow]
    assert all(end - start >= 20 for start, end in zip(begun, done))
    assert max(begun) < min(done), 'one waited for the other'
    assert debian.wait_running() == 'running'

    for one in (late, last):
        one.stop()
    # The delay is for the boot: one that is longer than the limit of this start is not waited for.
    late.define(definition('After=base\nDelay=3600\n'))
    late.start()


def test_power_cut(machine, container):
    """A host that lost its power in the middle of everything: the containers start again."""
    one = container('survivor', definition())
    one.systemctl('enable', '--now')
    one.inside('echo x >/kept; sync')
    machine.reboot(power_cut=True)
    one.wait_state('active', timeout=60)
    assert one.inside('cat /kept').stdout == 'x\n'
    one.systemctl('disable', '--now')
    assert one.show('Result') == 'success'
