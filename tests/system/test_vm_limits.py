# SPDX-License-Identifier: LGPL-2.1-or-later
"""Limits that the kernel enforces, in a machine whose kernel has all controllers: set in the definition and by
`systemctl set-property`.
"""

import pytest

ROOT = '[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'


@pytest.fixture
def machine(vm):
    return vm


def definition(resources='', command='/bin/sleep 100000'):
    return f'[Container]\nCommand={command}\n{ROOT}' + (f'[Resources]\n{resources}' if resources else '')


def attribute(container, name, below=''):
    path = f'/sys/fs/cgroup/machine.slice/{container.unit}{below}/{name}'
    return container.machine.run(['cat', path]).stdout.strip()


def test_from_the_definition(container):
    one = container('limited', definition('MemoryMax=64M\nMemoryHigh=48M\nTasksMax=32\nCPUQuota=50%\nCPUWeight=50\n'))
    one.start()         # nobody reloads systemd's units: the start sees to it
    assert attribute(one, 'memory.max') == str(64 << 20)
    assert attribute(one, 'memory.high') == str(48 << 20)
    assert attribute(one, 'pids.max') == '32'
    assert attribute(one, 'cpu.max') == '50000 100000'
    assert attribute(one, 'cpu.weight') == '50'
    assert one.show('MemoryMax') == str(64 << 20)
    one.define(definition('MemoryMax=80M\n'))
    one.restart()
    assert attribute(one, 'memory.max') == str(80 << 20)
    assert attribute(one, 'pids.max') == '16384'


def test_controllers_of_the_guest(container):
    """The container's own cgroup has the controllers, and none of the limits of its unit can be changed from there."""
    one = container('inner', definition('MemoryMax=64M\n'))
    one.machine.run(['systemctl', 'daemon-reload'])
    one.start()
    assert {'cpu', 'memory', 'pids', 'io'} <= set(attribute(one, 'cgroup.controllers', '/payload').split())
    assert one.inside('cat /proc/1/cgroup').stdout == '0::/\n'
    one.inside('for f in /sys/fs/cgroup/memory.max /sys/fs/cgroup/../memory.max; do echo max >$f; done', check=False)
    assert attribute(one, 'memory.max') == str(64 << 20)
    one.inside('mkdir /sys/fs/cgroup/sub')


EATER = ('/bin/sh -c "cd /dev/shm; while :; do [ -e go ] && { rm go; dd if=/dev/zero of=x bs=1M count=40; '
         'end=$?; rm x; echo $end >end; }; usleep 10000; done"')


def eats(container):
    """Has the guest take 40 MiB; True when it was given them."""
    container.inside('cd /dev/shm; rm -f end; touch go')
    container.wait_for(lambda: container.inside('cat /dev/shm/end', check=False).stdout, 'an end of it')
    return container.inside('cat /dev/shm/end').stdout == '0\n'


def test_memory(container):
    """Who takes more than MemoryMax= is killed; set-property changes it on a running container, and for the next
    starts."""
    one = container('hungry', definition(command=EATER))
    one.start()
    assert eats(one)
    one.systemctl('set-property', '--runtime', 'MemoryMax=24M', 'MemorySwapMax=0')
    assert attribute(one, 'memory.max') == str(24 << 20)
    assert not eats(one)
    assert int(dict(line.split() for line in attribute(one, 'memory.events').splitlines())['oom_kill']) > 0
    assert one.show('ActiveState') == 'active'
    one.machine.run(['systemctl', 'daemon-reload'])
    assert attribute(one, 'memory.max') == str(24 << 20)
    one.restart()
    assert attribute(one, 'memory.max') == str(24 << 20)
    one.systemctl('revert')


def test_tasks(container):
    """A fork bomb stops at TasksMax=, and is gone after the unit's time limit at the latest: where no process more
    fits in, systemd cannot run ExecStop= either."""
    bomb = '/bin/sh -c "(while :; do sleep 1000 & done); exec sleep 1000"'
    one = container('bomb', definition('TasksMax=20\n', bomb))
    dropin = f'/run/systemd/system/{one.unit}.d'
    one.machine.write(f'{dropin}/limit.conf', '[Service]\nTimeoutStopSec=3\n')
    one.machine.run(['systemctl', 'daemon-reload'])
    one.start()
    one.wait_for(lambda: attribute(one, 'pids.events').split() > ['max', '0'], 'its limit')
    assert int(attribute(one, 'pids.current')) <= 20
    one.stop()
    assert one.show('ActiveState') in ('inactive', 'failed')
    assert one.machine.run(['pgrep', '-xf', 'sleep 1000'], check=False).stdout == ''
    one.machine.remove(dropin)
    one.machine.run(['systemctl', 'daemon-reload'])


def test_no_room_for_a_process(container):
    """A start that finds the process table full says so, whether it has a filter to make first or not."""
    one = container('crowded', definition('TasksMax=1\n'))
    one.machine.run(['systemctl', 'daemon-reload'])
    one.machine.remove('/var/cache/berth/seccomp')
    cause = 'the limit of processes is reached (TasksMax= of the unit, or the host\'s)'
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText') == 'Cannot start container crowded: failed to set up the system call filter of the ' \
        f'profile default: {cause}'
    one.systemctl('set-property', '--runtime', 'TasksMax=100')
    one.start()
    one.stop()
    one.systemctl('set-property', '--runtime', 'TasksMax=1')
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText') == f'Cannot start container crowded: failed to create the container\'s first process: {cause}'
    one.systemctl('set-property', '--runtime', 'TasksMax=100')
    one.start()
    assert attribute(one, 'pids.max') == '100'
    one.stop()
    one.systemctl('revert')


def test_frozen(container):
    """freeze, and what a stop does with it."""
    one = container('frozen', definition())
    one.start()
    one.systemctl('freeze')
    assert 'frozen 1' in attribute(one, 'cgroup.events')
    one.systemctl('thaw')
    assert 'frozen 0' in attribute(one, 'cgroup.events')
    one.stop()
    assert one.show('Result') == 'success'
