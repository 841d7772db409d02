# SPDX-License-Identifier: LGPL-2.1-or-later
"""The service's own confinement, and that it sees from in there what it has to tell: the host's abilities, and what
containers use."""

import json

import pytest

MANAGER = ['org.berth.container1', '/org/berth/container1', 'org.berth.container1.Manager']
CONTAINER = 'org.berth.container1.Container'
SLEEP = '[Container]\nCommand={}\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'
UNKNOWN = 2 ** 64 - 1
EXPOSURE_TENTHS = 20


def get(machine, path, interface, name):
    done = machine.run(['busctl', '--json=short', 'get-property', MANAGER[0], path, interface, name])
    return json.loads(done.stdout)['data']


def capabilities(machine):
    """Each word with True, or the reason why not."""
    return {word: value['data'] for word, value in get(machine, *MANAGER[1:], 'HostCapabilities').items()}


def main_pid(machine):
    machine.run(['systemctl', 'start', 'berth-manager'])
    return machine.run(['systemctl', 'show', '--value', '--property=MainPID', 'berth-manager']).stdout.strip()


def is_confined(machine):
    machine.run(['systemd-analyze', 'security', '--no-pager', f'--threshold={EXPOSURE_TENTHS}', 'berth-manager.service'])
    assert machine.run(['systemd-analyze', 'security', '--no-pager', '--threshold=1', 'berth-manager.service'],
                       check=False).returncode != 0
    warnings = machine.run('systemd-analyze verify --man=no berth-manager.service berth-console.socket 2>&1').stdout
    assert [line for line in warnings.split('\n') if 'berth' in line] == []


def test_exposure(machine):
    is_confined(machine)


def test_exposure_debian_13(local13):
    is_confined(local13)


def test_has_no_rights(machine):
    status = dict(line.split(':\t', 1) for line in machine.read(f'/proc/{main_pid(machine)}/status').split('\n') if line)
    uid = machine.run(['id', '-u', 'berth']).stdout.strip()
    assert uid != '0' and set(status['Uid'].split()) == {uid}
    assert {status[f'Cap{which}'].strip('0') for which in ('Inh', 'Prm', 'Eff', 'Bnd', 'Amb')} == {''}
    assert (status['NoNewPrivs'], status['Seccomp']) == ('1', '2')
    groups = {machine.run(['id', '-G', 'berth']).stdout.strip()}
    assert set(status['Groups'].split()) <= groups


# The shell says it for the command: one that writes to the journal by itself may be gone before that knows whose it was.
ATTEMPT = '''#!/bin/sh
echo begins
said=$( ({}) 2>&1 ) && succeeded=yes
echo "$said"
[ -z "$succeeded" ] || echo succeeded
'''


@pytest.fixture
def attempt(machine):
    """attempt(COMMAND) runs it in place of the program, as one would who has taken it over: what it said, and whether
    it succeeded."""
    dropin = '/run/systemd/system/berth-manager.service.d/attempt.conf'

    def run(command):
        machine.write('/run/attempt', ATTEMPT.format(command), 0o755)
        machine.run(['systemctl', 'start', 'berth-manager'])
        invocation = machine.run(['systemctl', 'show', '--value', '--property=InvocationID', 'berth-manager']).stdout.strip()
        machine.run(['journalctl', '--sync'])
        said = machine.run(['journalctl', f'_SYSTEMD_INVOCATION_ID={invocation}', '--output=cat', '--no-pager']).stdout.split('\n')
        assert said[0] == 'begins', said
        return said[1:], 'succeeded' in said
    machine.run(['systemctl', 'stop', 'berth-manager'])
    machine.write(dropin, '[Service]\nType=oneshot\nRemainAfterExit=yes\nWatchdogSec=0\nRestart=no\nExecStart=\n'
                          'ExecStart=/run/attempt\n')
    machine.run(['systemctl', 'daemon-reload'])
    yield run
    machine.run(['systemctl', 'stop', 'berth-manager'])
    machine.remove(dropin, '/run/attempt')
    machine.run(['systemctl', 'daemon-reload'])


def test_what_it_can_do(attempt):
    """What the others are worth: these are no refusals."""
    said, succeeded = attempt('id -un && cat /sys/fs/cgroup/cgroup.procs && ls /var/lib/berth/containers /etc/berth')
    assert succeeded and said[0] == 'berth', said


@pytest.mark.parametrize('command', [
    'touch /run/berth/x', 'touch /etc/berth/containers/x.container', 'touch /var/lib/berth/containers/x.container',
    'echo 1 >/sys/fs/cgroup/machine.slice/cgroup.freeze', 'cat /etc/shadow', 'ls /var/lib/berth/roots', 'ls /root',
    'unshare --user true', 'mount -t tmpfs tmpfs /tmp', 'ls /proc/1/cwd/', 'cat /dev/kmsg', 'cat /dev/sda',
    'systemctl start ssh.service', 'busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 '
    'org.freedesktop.systemd1.Manager StartTransientUnit "ssa(sv)a(sa(sv))" x.service fail 0 0',
])
def test_what_it_cannot_do(attempt, command):
    said, succeeded = attempt(command)
    assert said != [''] and not succeeded, said


def test_capabilities(machine):
    """A machine in namespaces has what the host's kernel has, told as what it is."""
    known = capabilities(machine)
    for word in ('cgroup-v2', 'cgroup-freezer', 'cgroup-kill', 'user-namespaces', 'seccomp', 'overlay', 'polkit', 'systemd',
                 'idmapped-mounts'):
        assert known[word] is True, word
    controllers = machine.read('/sys/fs/cgroup/cgroup.controllers').split()
    for controller in ('cpu', 'cpuset', 'io', 'memory', 'pids'):
        value = known[f'cgroup-{controller}']
        assert value is True if controller in controllers else isinstance(value, str) and value[0].isupper(), controller


def test_capabilities_that_are_missing(machine):
    """polkit is gone, machined is gone: the service says so when it starts the next time."""
    activation = '/usr/share/dbus-1/system-services'
    reload = ['busctl', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'ReloadConfig']
    machine.run(['systemctl', 'stop', 'polkit', 'systemd-machined', 'berth-manager'])
    machine.run(f'mkdir /run/kept && mv {activation}/org.freedesktop.PolicyKit1.service '
                f'{activation}/org.freedesktop.machine1.service /run/kept')
    try:
        machine.run(reload)
        known = capabilities(machine)
        assert 'nobody but root' in known['polkit'] and 'not installed' in known['machined']
    finally:
        machine.run(f'mv /run/kept/* {activation} && rmdir /run/kept')
        machine.run(['systemctl', 'stop', 'berth-manager'])
        machine.run(reload)
    known = capabilities(machine)
    assert known['polkit'] is True and known['machined'] is True


def counters(machine, name):
    path = f'/org/berth/container1/container/{name}'
    return {prop: get(machine, path, CONTAINER, prop) for prop in (
        'MemoryCurrent', 'MemoryPeak', 'CPUUsageNSec', 'TasksCurrent', 'IOReadBytes', 'IOWriteBytes', 'Pressure')}


def test_counters(container, machine):
    """Of one that runs, those that there are; of one that does not, none."""
    one = container('counted', SLEEP.format('/bin/sh -c "while :; do :; done"'))
    one.start()
    group = '/sys/fs/cgroup' + one.show('ControlGroup')
    one.wait_for(lambda: counters(machine, 'counted')['CPUUsageNSec'] not in (UNKNOWN, 0), 'some time used')
    found = counters(machine, 'counted')
    for name, file in (('MemoryCurrent', 'memory.current'), ('TasksCurrent', 'pids.current')):
        assert (found[name] != UNKNOWN) == machine.exists(f'{group}/{file}'), name
    one.stop()
    state = '/org/berth/container1/container/counted', CONTAINER, 'State'
    one.wait_for(lambda: get(machine, *state) == 'stopped', 'its end, as the service sees it')
    found = counters(machine, 'counted')
    assert {value for name, value in found.items() if name != 'Pressure'} == {UNKNOWN} and found['Pressure'] == []


def test_vm_counters(vm):
    """On a kernel with all controllers each counter is a number, and the right one."""
    known = capabilities(vm)
    assert [word for word in ('apparmor', 'cgroup-cpu', 'cgroup-cpuset', 'cgroup-io', 'cgroup-memory', 'cgroup-pids')
            if known[word] is not True] == []
    vm.write('/etc/berth/containers/counted.container',
             SLEEP.format('/bin/sh -c "dd if=/bin/busybox of=/dev/null; while :; do sleep 0.1; done"'))
    try:
        vm.run(['systemctl', 'start', 'container@counted'], timeout=120)
        found = counters(vm, 'counted')
        group = vm.run(['systemctl', 'show', '--value', '--property=ControlGroup', 'container@counted']).stdout.strip()
        assert 0 < found['MemoryCurrent'] < 64 << 20
        assert found['MemoryPeak'] >= found['MemoryCurrent'] or found['MemoryPeak'] == UNKNOWN
        assert (found['MemoryPeak'] != UNKNOWN) == vm.exists(f'/sys/fs/cgroup{group}/memory.peak')
        assert 1 <= found['TasksCurrent'] <= 3
        assert 0 < found['CPUUsageNSec'] < 120 * 10 ** 9
        assert UNKNOWN not in (found['IOReadBytes'], found['IOWriteBytes'])
        assert [line[0] for line in found['Pressure']] == ['cpu', 'memory', 'io'] or known['pressure'] is not True
    finally:
        vm.run(['systemctl', 'stop', 'container@counted'], timeout=120)
        vm.remove('/etc/berth/containers/counted.container')
