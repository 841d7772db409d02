# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test machines themselves: a machine that lies about exit statuses, hangs or leaves things behind would
make every test upon it worthless."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from machines import CommandFailed, MachineError, open_machine  # noqa: E402
from machines.util import SCRATCH, STATE  # noqa: E402

PROGRAM = str(HERE / 'machine')


def machine(*arguments, input=None, timeout=1200):
    return subprocess.run([PROGRAM, *arguments], input=input, capture_output=True, text=True, timeout=timeout,
                          check=False)


def until(condition, limit=300):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f'not after {limit} s'
        time.sleep(0.005)


def text(path):
    try:
        return path.read_text(errors='replace')
    except OSError:
        return ''


def host_state(name):
    """What the machine could leave on the host. Others may be up at the same time; and a process that has ended
    may wait to be collected by the host's PID 1, which takes its time."""
    processes = [f'{directory.name} {text(directory / "cmdline")}' for directory in Path('/proc').glob('[0-9]*')
                 if name in text(directory / 'mountinfo') + text(directory / 'cmdline')]
    cgroups = subprocess.run(['find', '/sys/fs/cgroup', '-type', 'd', '-path', f'*/{name}*'],
                             capture_output=True, text=True)
    return {'mounts': sorted(line.split()[4] for line in text(Path('/proc/self/mountinfo')).splitlines()),
            'cgroups': sorted(cgroups.stdout.split()), 'processes': processes,
            'files': [path for path in (STATE / name, SCRATCH / name) if path.exists()],
            'interfaces': sorted(os.listdir('/sys/class/net')),
            'loops': subprocess.run(['losetup', '--list', '--noheadings'], capture_output=True, text=True).stdout}


@pytest.fixture(scope='module')
def local():
    name = f'selftest-{os.getpid()}'
    done = machine('up', name, '--no-project')
    assert done.returncode == 0, done.stderr
    yield name
    machine('down', name)


def test_exec_tells_status_and_keeps_outputs_apart(local):
    done = machine('exec', local, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert (done.returncode, done.stdout, done.stderr) == (7, 'out\n', 'err\n')


def test_exec_tells_signals(local):
    assert machine('exec', local, '--', 'sh', '-c', 'kill -USR1 $$').returncode == 128 + 10


def test_exec_passes_arguments_unchanged(local):
    words = ['', 'a b', '$HOME', "it's", 'line\nbreak', '--', '*']
    done = machine('exec', local, '--', 'printf', '<%s>', *words)
    assert done.stdout == ''.join(f'<{word}>' for word in words)


def test_exec_takes_input(local):
    text = 'x' * 300000 + '\n'
    assert machine('exec', local, '--input=-', '--', 'cat', input=text).stdout == text
    assert machine('exec', local, '--', 'cat', input=text).stdout == ''


def test_time_limit_ends_all_of_it(local):
    done = machine('exec', local, '--timeout=1', '--', 'sh', '-c', 'setsid sleep 4321 & sleep 4321')
    assert done.returncode == 124
    assert machine('exec', local, '--', 'pgrep', '-f', '^sleep 4321').returncode == 1


def test_child_in_background_does_not_hold_the_command(local):
    done = open_machine('local', local).run('sleep 1000 & echo done')
    assert done.stdout == 'done\n'


def test_works_while_the_machine_is_busy_and_several_at_a_time(local):
    hogs = [subprocess.Popen([PROGRAM, 'exec', local, '--timeout=300', '--', 'sh', '-c', 'while :; do :; done'])
            for _ in range(4)]
    m = open_machine('local', local)
    try:
        until(lambda: m.run(['pgrep', '-fc', '^sh -c while'], check=False).stdout == '4\n')
        assert machine('exec', local, '--timeout=120', '--', 'echo', 'here').stdout == 'here\n'
    finally:
        m.run(['pkill', '-f', '^sh -c while'], check=False)
        assert [hog.wait(400) for hog in hogs] == [128 + 15] * 4


def test_is_a_systemd_of_its_own(local):
    m = open_machine('local', local)
    assert m.run('systemctl is-system-running').stdout == 'running\n'
    assert m.run('cat /proc/1/comm').stdout == 'systemd\n'
    m.run(['systemd-run', '--wait', '--unit=selftest-echo', 'echo', 'to the journal'])
    assert 'to the journal\n' in m.journal('selftest-echo.service')
    assert m.run('cat /sys/fs/cgroup/cgroup.procs').stdout == ''
    assert m.run('ls /sys/class/net').stdout == 'lo\n'


ASK = '''
    import os, subprocess, sys
    me = subprocess.run(['pkcheck', '--action-id', sys.argv[1], '--process', str(os.getpid())], capture_output=True)
    print(me.returncode, os.getuid(), sys.argv[2])
'''


def users_are_told_apart(m):
    m.add_user('selftest')
    uid = m.run(['id', '-u', 'selftest']).stdout.strip()
    allowed = {}
    for session in ('active', 'remote', None):
        done = m.run_as('selftest', ['/usr/bin/python3', '-c', textwrap.dedent(ASK), 'org.freedesktop.login1.power-off', 'a $HOME'],
                        session=session)
        status, who, word = done.stdout.rstrip('\n').split(' ', 2)
        assert (who, word) == (uid, 'a $HOME')
        allowed[session] = status == '0'
    assert allowed == {'active': True, 'remote': False, None: False}
    assert m.run_as('selftest', 'exit 3', check=False).returncode == 3
    assert m.run_as('selftest', 'cat', input='given').stdout == 'given'


def test_users_are_what_polkit_takes_them_for(local):
    users_are_told_apart(open_machine('local', local))


def test_guest_trees_can_be_mounted_with_mapped_ids(local):
    m = open_machine('local', local)
    assert m.run('stat -f -c %T /srv/guests/* /srv/scratch /var/lib/berth /var/tmp | sort -u').stdout != 'overlayfs\n'
    assert 'overlayfs' not in m.run('stat -f -c %T /srv/guests/* /srv/scratch /var/lib/berth /var/tmp').stdout
    assert m.run('touch /srv/guests/busybox/x', check=False).returncode != 0
    copy = m.copy_tree('busybox')
    m.write(f'{copy}/x', 'mine')
    assert m.read(f'{copy}/x') == 'mine'
    m.run(['mount', '--bind', copy, '/mnt'])
    m.run(['umount', '/mnt'])


def test_proc_can_be_mounted_in_a_nested_user_namespace(local):
    done = open_machine('local', local).run('unshare --user --map-root-user --mount --pid --net --fork '
                                            'sh -c "mount -t proc proc /mnt && mount -t sysfs sysfs /tmp"')
    assert done.returncode == 0


def test_run_raises_on_failure(local):
    with pytest.raises(CommandFailed, match='status 3'):
        open_machine('local', local).run('exit 3')


def test_writes_stay_inside(local):
    m = open_machine('local', local)
    m.write('/etc/berth-selftest', 'inside')
    m.run('echo selftest >/proc/sys/kernel/core_pattern', check=False)
    assert not Path('/etc/berth-selftest').exists()
    assert 'selftest' not in Path('/proc/sys/kernel/core_pattern').read_text()


def test_down_leaves_nothing():
    name = f'selftest-down-{os.getpid()}'
    before = host_state(name)
    assert machine('up', name, '--no-project').returncode == 0
    assert machine('up', name, '--no-project').returncode == 1
    machine('exec', name, '--', 'sh', '-c', '''
        truncate -s 10M /var/tmp/disk && losetup -f /var/tmp/disk
        mount --bind /srv /mnt; ip link add a type veth peer name b
        cp -a /srv/guests/busybox /srv/scratch/b; chattr +i /srv/scratch/b/etc
        setsid nohup sleep 1000 >/dev/null 2>&1 &
        systemd-run unshare --user --map-root-user --mount --pid --net --fork sleep 1000''')
    assert len(host_state(name)['processes']) > 5
    done = machine('down', name)
    assert done.returncode == 0, done.stderr
    assert host_state(name) == before
    assert machine('down', name).returncode == 1


def test_down_cleans_up_after_an_up_that_was_killed():
    name = f'selftest-kill-{os.getpid()}'
    before = host_state(name)
    m = open_machine('local', name)
    for begun in (m.state.exists, lambda: 'populated 1' in text(m.cgroup / 'machine/cgroup.events'), m.is_up):
        up = subprocess.Popen([PROGRAM, 'up', name, '--no-project'], stderr=subprocess.DEVNULL)
        until(begun)
        up.kill()
        up.wait()
        assert machine('down', name).returncode == 0
        assert host_state(name) == before


def test_several_may_take_one_down_at_once():
    """Test sessions that begin together all find the machine of one that was killed."""
    name = f'selftest-together-{os.getpid()}'
    before = host_state(name)
    assert machine('up', name, '--no-project').returncode == 0
    for number in range(30000):
        (SCRATCH / name / f'file-{number}').touch()
    downs = [subprocess.Popen([PROGRAM, 'down', name], stderr=subprocess.PIPE, text=True) for _ in range(6)]
    said = [down.communicate(timeout=300)[1] for down in downs]
    assert sorted(down.returncode for down in downs) == [0, 1, 1, 1, 1, 1], said
    assert sum('is not up' in one for one in said) == 5, said
    assert host_state(name) == before


@pytest.fixture(scope='module')
def vm():
    name = f'selftest-vm-{os.getpid()}'
    done = machine('up', name, '--kind=vm', '--no-project', f'--bind={HERE}:/root/copy')
    assert done.returncode == 0, done.stderr
    yield name
    machine('down', name)


def test_vm_exec(vm):
    done = machine('exec', vm, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7')
    assert (done.returncode, done.stdout, done.stderr) == (7, 'out\n', 'err\n')
    assert machine('exec', vm, '--', 'sh', '-c', 'kill -USR1 $$').returncode == 128 + 10
    assert machine('exec', vm, '--', '/nosuch').returncode == 127
    text = 'x' * 3000000
    assert machine('exec', vm, '--input=-', '--', 'cat', input=text).stdout == text
    assert machine('exec', vm, '--', 'cmp', '/root/copy/machine', '-', input=None).returncode == 1
    assert machine('exec', vm, f'--input={PROGRAM}', '--', 'cmp', '/root/copy/machine', '-').returncode == 0


def test_vm_time_limit_and_several_at_a_time(vm):
    command = ['sh', '-c', 'sleep 4321 & while :; do :; done']
    hogs = [subprocess.Popen([PROGRAM, 'exec', vm, '--timeout=15', '--', *command]) for _ in range(3)]
    assert machine('exec', vm, '--timeout=250', '--', 'echo', 'here').stdout == 'here\n'
    assert [hog.wait(300) for hog in hogs] == [124] * 3
    until(lambda: machine('exec', vm, '--', 'pgrep', '-f', '^sleep 4321').returncode == 1)


def test_vm_command_ends_with_the_client_that_was_killed(vm):
    client = subprocess.Popen([PROGRAM, 'exec', vm, '--', 'sleep', '4322'])
    m = open_machine('vm', vm)

    def runs():
        return m.run(['pgrep', '-f', '^sleep 4322'], check=False).returncode == 0
    until(runs)
    client.kill()
    client.wait()
    until(lambda: not runs())


def test_vm_has_what_a_local_machine_may_lack(vm):
    m = open_machine('vm', vm)
    assert m.run('cat /sys/module/apparmor/parameters/enabled').stdout == 'Y\n'
    assert {'cpu', 'memory', 'pids', 'io'} <= set(m.run('cat /sys/fs/cgroup/cgroup.controllers').stdout.split())
    m.run('for m in overlay veth loop dm_crypt tun bridge; do modprobe $m; done')
    assert m.run('ls /srv/guests').stdout.split() == ['busybox', 'debian12', 'debian13', 'nesting']


def test_vm_users_are_what_polkit_takes_them_for(vm):
    users_are_told_apart(open_machine('vm', vm))


def test_vm_reboot_is_one(vm):
    m = open_machine('vm', vm)
    m.run('echo kept >/root/kept; sync /root/kept; echo gone >/run/gone')
    before = m.run('cat /proc/sys/kernel/random/boot_id').stdout
    assert machine('reboot', vm).returncode == 0
    assert m.run('cat /proc/sys/kernel/random/boot_id').stdout != before
    assert m.run('cat /root/kept').stdout == 'kept\n'
    assert not m.exists('/run/gone')
    assert machine('exec', vm, '--', 'systemctl', 'is-system-running').stdout == 'running\n'


def test_vm_down_leaves_nothing(vm):
    processes = host_state(vm)['processes']
    assert processes
    assert machine('down', vm).returncode == 0
    after = host_state(vm)
    assert not (after['processes'] or after['cgroups'] or after['files'])


@pytest.mark.parametrize('arguments, says', [
    (['up', '../x'], 'cannot name a machine'),
    (['exec', 'nosuch', '--', 'true'], 'is not up: `machine up nosuch`'),
    (['exec', 'nosuch'], 'exec needs a command'),
    (['down', 'nosuch'], 'nosuch is not up'),
    (['up', 'nosuch', '--tree=/etc'], '/etc has no /usr/lib/systemd/systemd to boot'),
    (['up', 'nosuch', '--bind=/nosuch:/mnt', '--no-project'], 'give an existing path of the host'),
    (['reboot', 'nosuch', '--kind=local'], 'no kernel of its own to reboot'),
    (['trees', 'debian99'], "there is no tree 'debian99'"),
    (['up', 'nosuch', '--kind=cloud'], 'invalid choice'),
])
def test_bad_input_is_explained(arguments, says):
    done = machine(*arguments)
    assert done.returncode != 0
    assert says in done.stderr
    assert 'Traceback' not in done.stderr


def test_needs_root():
    done = subprocess.run(['setpriv', '--reuid=65534', '--clear-groups', PROGRAM, 'up'], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'run it as root' in done.stderr


def test_full_disk_is_told_beforehand(tmp_path):
    subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', tmp_path], check=True)
    try:
        done = subprocess.run([PROGRAM, 'trees', 'guest-debian13'], capture_output=True, text=True,
                              env={**os.environ, 'BERTH_CACHE': str(tmp_path)})
    finally:
        subprocess.run(['umount', '-l', tmp_path], check=True)
    assert done.returncode == 1
    assert 'MiB free and 800 are needed' in done.stderr


def test_unknown_kind_is_an_error():
    with pytest.raises(MachineError, match='no kind of machine'):
        open_machine('cloud')
