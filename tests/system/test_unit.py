# SPDX-License-Identifier: LGPL-2.1-or-later
"""A container as a unit: what systemctl shows of it and does with it, and that nothing of berth runs beside it."""

import re
import time

import pytest

SLEEP = '[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'
# Not the service's own two, which are there for no container.
HELPERS = 'for p in /proc/[0-9]*; do readlink $p/exe; done | grep /libexec/berth | grep -cv -e manager -e helper-serve'


def command(line, more=''):
    return f'[Container]\nCommand={line}\n{more}[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'


def ended(container):
    """How systemctl shows the end of its main process, once it has ended."""
    container.wait_for(lambda: container.show('ActiveState') in ('inactive', 'failed'), 'an end')
    return tuple(container.show(name) for name in ('Result', 'ExecMainCode', 'ExecMainStatus'))


def no_helpers(machine):
    """The launcher ends within a moment after READY=1; then there is nothing."""
    limit = time.monotonic() + 60 * machine.patience
    while machine.run(HELPERS, check=False).stdout.strip() != '0':
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize('status', [0, 1, 7, 124, 125, 255])
def test_exit_status(container, status):
    one = container('exits', command(f'/bin/sh -c "exit {status}"'))
    one.start()
    # Of a unit that ended well systemd forgets the code.
    assert ended(one) in ([('success', '0', '0'), ('success', '1', '0')] if status == 0
                          else [('exit-code', '1', str(status))])
    assert one.show('ActiveState') == ('inactive' if status == 0 else 'failed')
    assert one.show('StatusText') == ''


@pytest.mark.parametrize('more, status', [('Boot=reaper\n', '139'), ('User=1000\nBoot=reaper\n', '139')])
def test_signal_of_a_reaped_command(container, more, status):
    one = container('crashes', command('/bin/sh -c "kill -SEGV $$"', more))
    one.start()
    assert ended(one) == ('exit-code', '1', status)


def test_signal_of_process_1(container, machine):
    """A crash of its own is a core dump of signal 11; one that is killed from outside, a kill by 9."""
    machine.run('cc -static -nostdlib -x c -o /srv/scratch/crash -', timeout=300,
                input='void _start(void) { *(volatile int *) 0 = 0; __builtin_unreachable(); }\n')
    one = container('segfault', command('/bin/ls') + '[Mount]\nSource=/srv/scratch/crash\nTarget=/bin/busybox\n')
    one.start()
    result, code, status = ended(one)
    assert result in ('core-dump', 'signal') and code in ('2', '3') and status == '11'

    one.define(SLEEP)
    one.start()
    machine.run(['kill', '-KILL', one.show('MainPID')])
    assert ended(one) == ('signal', '2', '9')
    machine.remove('/srv/scratch/crash')


def test_commands_that_end_at_once(container, machine):
    """Fifty starts of /bin/true: each a success, as start and as end."""
    one = container('true', command('/bin/true'))
    script = f'''
        for i in $(seq 50); do
            systemctl start {one.unit} || echo "start $i"
            while :; do
                state=$(systemctl show -P ActiveState {one.unit})
                case $state in inactive|failed) break ;; esac
                sleep 0.01
            done
            echo $state $(systemctl show -P Result {one.unit})
        done | sort | uniq -c'''
    assert machine.run(script, timeout=600).stdout.split() == ['50', 'inactive', 'success']


def test_main_process_is_the_guests(container, machine):
    one = container('plain', SLEEP)
    one.start()
    pid = one.show('MainPID')
    assert machine.run(['readlink', f'/proc/{pid}/exe']).stdout.strip().endswith('/busybox')
    assert '0::/machine.slice/container@plain.service/payload' in \
        machine.run(['cat', f'/proc/{pid}/cgroup']).stdout.splitlines()
    status = machine.run(['cat', f'/proc/{pid}/status']).stdout
    assert '\nPPid:\t1\n' in status and '\nTracerPid:\t0\n' in status
    assert status.split('\nNSpid:\t')[1].split('\n')[0].split() == [pid, '1']
    assert f'Main PID: {pid} (sleep)' in one.status()
    assert no_helpers(machine)
    procs = machine.run('cat /sys/fs/cgroup/machine.slice/container@plain.service/launch/cgroup.procs')
    assert procs.stdout == ''


def test_fifty_at_once(machine, no_leftovers):
    """50 running containers, 0 helper processes."""
    names = [f'many-{i}' for i in range(50)]
    units = [f'container@{name}.service' for name in names]
    try:
        for name in names:
            machine.write(f'/etc/berth/containers/{name}.container', SLEEP)
        machine.run(['systemctl', 'start', *units], timeout=300)
        assert machine.run(['systemctl', 'is-active', *units]).stdout.split() == ['active'] * 50
        pids = machine.run(['systemctl', 'show', '--property=MainPID', '--value', *units]).stdout.split()
        assert len(set(pids)) == 50
        assert no_helpers(machine)
        bases = {machine.run(['cat', f'/proc/{pid}/uid_map']).stdout.split()[1] for pid in pids}
        assert len(bases) == 50, 'two containers have the same ids'
        machine.run(['systemctl', 'stop', *units], timeout=300)
        assert machine.run(['systemctl', 'is-failed', *units], check=False).stdout.split() == ['inactive'] * 50
    finally:
        machine.run(['systemctl', 'kill', '--signal=KILL', *units], check=False)
        machine.run(['systemctl', 'stop', *units], check=False)
        machine.run(['systemctl', 'reset-failed', *units], check=False)
        machine.remove(*(f'/etc/berth/containers/{name}.container' for name in names))


RESIDUE = '''
    echo mounts $(wc -l </proc/1/mountinfo) cgroups $(find /sys/fs/cgroup/machine.slice -type d | wc -l) \
        descriptors $(ls /proc/1/fd | wc -l) stored $(systemctl show -P NFileDescriptorStore $0) \
        locks $(ls /run/systemd/nspawn-uid | wc -l)'''


def residue(one):
    """By name, how much there is of what a start could leave behind."""
    words = one.machine.run(['sh', '-c', RESIDUE, one.unit]).stdout.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def test_hundred_reboots(container, machine, tree):
    """A guest that reboots a hundred times: the same unit, a new process, the same ids, no residue. In its fifth life it
    waits to be looked at."""
    root = tree('busybox')
    machine.write(f'{root}/bin/guest', '#!/bin/sh\necho >>/count\n[ $(wc -l </count) -gt 100 ] && exec sleep 100000\n'
                  '[ $(wc -l </count) = 5 ] && until [ -e /go ]; do usleep 10000; done\nexec reboot -f\n', mode=0o755)
    one = container('rebooter', f'[Container]\nCommand=/bin/guest\n[Root]\nPath={root}\n')
    dropin = f'/run/systemd/system/{one.unit}.d'
    machine.write(f'{dropin}/fast.conf', '[Service]\nRestartSec=0\n')
    machine.run(['systemctl', 'daemon-reload'])
    try:
        one.start()
        one.wait_for(lambda: one.shown('NRestarts', 'ActiveState') == ['4', 'active'], 'reboot 4')
        early, ids = residue(one), one.inside('cat /proc/self/uid_map').stdout
        machine.write(f'{root}/go', '')
        one.wait_for(lambda: one.shown('NRestarts', 'ActiveState') == ['100', 'active'], 'reboot 100', 600)
        one.wait_for(lambda: machine.read(f'{root}/count').count('\n') == 101, 'its last life')
        # systemd has descriptors for a moment for whoever asks it something, and for services that come and go.
        one.wait_for(lambda: all(n <= early[what] for what, n in residue(one).items()), f'the {early} of reboot 4')
        assert one.show('NFileDescriptorStore') == str(early['stored'])
        assert one.inside('cat /proc/self/uid_map').stdout == ids
        assert no_helpers(machine)
        one.stop()
        assert one.show('Result') == 'success'
    finally:
        machine.remove(dropin)
        machine.run(['systemctl', 'daemon-reload'])


def test_limit_of_the_unit(container, machine):
    """LimitFSIZE= has the start fail with a sentence."""
    one = container('tight', '[Container]\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
    dropin = f'/run/systemd/system/{one.unit}.d'
    machine.write(f'{dropin}/tight.conf', '[Service]\nLimitFSIZE=0\n')
    machine.run(['systemctl', 'daemon-reload'])
    try:
        assert one.start(check=False).returncode != 0
        assert re.match('Cannot start container tight: failed to .*: File too large', one.show('StatusText')), one.journal()
    finally:
        machine.remove(dropin)
        machine.run(['systemctl', 'daemon-reload'])


def test_debian_reboot_and_poweroff(container, machine):
    """What the guest does by itself: reboot starts it anew, poweroff is a clean stop."""
    one = container('debian', '[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n')
    one.start()
    assert one.wait_running() == 'running'
    pid, boot = one.show('MainPID'), one.inside('cat /proc/sys/kernel/random/boot_id; echo kept >/root/kept').stdout
    assert machine.run(['cat', f'/proc/{pid}/comm']).stdout == 'systemd\n'
    one.inside(['systemctl', 'reboot'], check=False)
    one.wait_for(lambda: one.shown('NRestarts', 'ActiveState') == ['1', 'active'], 'its reboot')
    assert one.wait_running() == 'running'
    assert one.show('MainPID') != pid
    assert one.inside('cat /proc/sys/kernel/random/boot_id').stdout != boot
    assert one.inside('cat /root/kept').stdout == 'kept\n'
    one.inside(['systemctl', 'poweroff'], check=False)
    assert ended(one)[0] == 'success'
    assert one.show('ActiveState') == 'inactive'


def test_ready_of_the_guest(container):
    """The start job is done when the guest's systemd has booted, not before."""
    one = container('slow', '[Container]\nReady=guest\n[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n')
    one.start()
    assert one.inside(['systemctl', 'is-system-running']).stdout == 'running\n'
    assert no_helpers(one.machine)
    assert one.show('Result') == 'success'


def test_kill_and_restart(container, machine):
    one = container('victim', SLEEP)
    one.start()
    pid = one.show('MainPID')
    one.restart()
    assert one.show('MainPID') not in (pid, '0')
    one.systemctl('kill', '--signal=KILL')
    assert ended(one) == ('signal', '2', '9')
    one.start()
    one.systemctl('kill', '--kill-who=main', '--signal=KILL')
    assert ended(one) == ('signal', '2', '9')
    one.start()
    assert one.show('ActiveState') == 'active'


def test_freeze_and_thaw(container, machine):
    one = container('ticker', command('/bin/sh -c "while :; do usleep 1000; done"'))
    one.start()
    clock = f'cut -d " " -f 14,15 /proc/{one.show("MainPID")}/stat; cat /proc/{one.show("MainPID")}/status | grep ctxt'
    one.systemctl('freeze')
    before = machine.run(clock).stdout
    time.sleep(0.2)
    assert machine.run(clock).stdout == before
    assert one.show('FreezerState') == 'frozen'
    one.systemctl('thaw')
    one.wait_for(lambda: machine.run(clock).stdout != before, 'a thaw')
    assert one.show('ActiveState') == 'active'


def test_reload_and_reexec(container, machine, tree):
    """PID 1 reads its units again, and executes itself again: the container runs on, and its root stays locked."""
    root = tree('busybox')
    definition = f'[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath={root}\n'
    one, other = container('first', definition), container('second', definition)
    one.start()
    pid, stored = one.show('MainPID'), one.show('NFileDescriptorStore')
    for verb in ('daemon-reload', 'daemon-reexec', 'daemon-reload'):
        machine.run(['systemctl', verb], timeout=60)
        assert (one.show('ActiveState'), one.show('MainPID')) == ('active', pid)
        assert one.show('NFileDescriptorStore') == stored
        assert other.start(check=False).returncode != 0
        assert 'in use by container first' in other.show('StatusText')
    one.stop()
    other.start()


def test_edited_while_it_starts(container, machine):
    """Between the start's reading of the definition and berth-generator's somebody writes another one: it counts."""
    one, holder = container('edited', ''), 'holds-the-lock.service'

    def define(tasks):
        one.define(command('/bin/sleep 100000') + f'[Resources]\nTasksMax={tasks}\n')
    define(1001)
    # The start is held where it has read the definition, and is about to have systemd read it, too.
    machine.run(['systemd-run', '--quiet', '--collect', f'--unit={holder}', 'flock', '/run/berth/reload', 'sleep', '1000'])
    try:
        one.wait_for(lambda: machine.run(['flock', '--nonblock', '/run/berth/reload', 'true'], check=False).returncode != 0,
                     'a lock')
        one.systemctl('start', '--no-block')
        one.wait_for(lambda: '-> FLOCK' in machine.read('/proc/locks'), 'a start that waits')
        define(1002)
    finally:
        machine.run(['systemctl', 'stop', holder])
    one.wait_for(lambda: one.show('ActiveState') in ('active', 'failed'), 'an end of its start')
    assert one.show('ActiveState') == 'active', one.show('StatusText')
    assert one.show('TasksMax') == '1002'


def test_systemd_is_executed_anew_while_it_starts(container, machine):
    """As by an upgrade. A start with another definition has something to ask of systemd."""
    one = container('anew', '')
    for tasks in range(1001, 1006):
        one.define(command('/bin/sleep 100000') + f'[Resources]\nTasksMax={tasks}\n')
        one.systemctl('start', '--no-block')
        machine.run(['systemctl', 'daemon-reexec'], timeout=60)
        one.wait_for(lambda: one.show('ActiveState') in ('active', 'failed'), 'an end of its start')
        assert one.show('ActiveState') == 'active', one.show('StatusText')
        assert one.show('TasksMax') == str(tasks)
        one.stop()


def test_edit(container, machine):
    """A drop-in of `systemctl edit`, with limits and environment, is honoured at the next start."""
    one = container('edited', command('/bin/sleep 100000'))
    editor = '#!/bin/sh\nprintf "[Service]\\nLimitCORE=4096\\nDescription=x\\n[Unit]\\nDescription=Edited\\n" >"$1"\n'
    machine.write('/srv/scratch/editor', editor, mode=0o755)
    try:
        machine.run(f'EDITOR=/srv/scratch/editor script -qec "systemctl edit {one.unit}" /dev/null')
        assert one.show('Description') == 'Edited'
        one.start()
        assert 'Edited' in one.status()
    finally:
        machine.remove('/srv/scratch/editor', f'/etc/systemd/system/{one.unit}.d')
        machine.run(['systemctl', 'daemon-reload'])


def test_enable_and_disable(container, machine):
    one = container('enabled', SLEEP)
    wants = f'/etc/systemd/system/machines.target.wants/{one.unit}'
    one.systemctl('enable')
    assert machine.exists(wants)
    assert one.show('ActiveState') == 'inactive'
    one.systemctl('disable')
    assert not machine.exists(wants)
    one.systemctl('enable', '--now')
    assert one.show('ActiveState') == 'active' and machine.exists(wants)
    one.systemctl('disable', '--now')
    assert one.show('ActiveState') == 'inactive' and not machine.exists(wants)


def test_machines_target(container, machine):
    """Stopping machines.target stops the containers, as at a shutdown."""
    one = container('partof', SLEEP)
    one.systemctl('enable')
    try:
        machine.run(['systemctl', 'start', 'machines.target'])
        assert one.show('ActiveState') == 'active'
        machine.run(['systemctl', 'stop', 'machines.target'])
        # As it is up only after its containers, it is down before them.
        one.wait_state('inactive')
        assert one.show('Result') == 'success'
    finally:
        one.systemctl('disable')
        machine.run(['systemctl', 'start', 'machines.target'])
