# SPDX-License-Identifier: LGPL-2.1-or-later
"""Locks and layers: what a container has to itself stays its own whatever is killed meanwhile, no user of the
host can keep it from starting, and what an interrupted start left behind is put right.
"""

import itertools
import re

import pytest

from waiting import unmount, wait_for

EVE = 4321
AS_EVE = ['setpriv', f'--reuid={EVE}', f'--regid={EVE}', '--clear-groups']
FOREIGN = 2147352576
BLOCKS = '/run/systemd/nspawn-uid'
ROOTS = '/run/systemd/nspawn/locks'
LAYERS = '/var/lib/berth/overlays'
serial = itertools.count()


def of_root(path, more='', keys='', command='/bin/sleep 100000'):
    return f'[Container]\nCommand={command}\n{keys}[Root]\nPath={path}\n{more}'


@pytest.fixture
def public_tree(machine):
    """public_tree(): a busybox guest that everybody can open, on a file system without set-user-ID."""
    made = []

    def make():
        path = f'/srv/open-{next(serial)}'
        made.append(path)
        machine.run(f'mkdir {path} && mount -t tmpfs -o nosuid,size=16M open {path} && '
                    f'cp -a /srv/guests/busybox {path}/root && chmod 0755 {path} {path}/root')
        return f'{path}/root'
    yield make
    unmount(machine, *made)
    machine.remove(*made)


@pytest.fixture
def background(machine):
    """background(ARGV): a command that runs in the machine until the test's end; returns its unit."""
    made = []

    def run(argv):
        made.append(f'background-{next(serial)}.service')
        machine.run(['systemd-run', '--quiet', '--collect', f'--unit={made[-1]}', *argv])
        return made[-1]
    yield run
    for unit in made:
        machine.run(['systemctl', 'stop', unit], check=False)


def is_locked(machine, path):
    return machine.run(['flock', '--nonblock', '--exclusive', path, 'true'], check=False).returncode != 0


def wait_for_release(machine, *paths):
    """systemd closes what it kept of a unit that has ended a moment after it said that it has ended."""
    for path in paths:
        wait_for(machine, lambda: not is_locked(machine, path), f'release of {path}')


def lock_of_root(machine, path):
    return f'{ROOTS}/inode-' + machine.run(['stat', '-c', '%d:%i', path]).stdout.strip()


def lock_of_ids(container):
    base = container.machine.read(f'/proc/{container.main_pid()}/uid_map').split()[1]
    return f'{BLOCKS}/{base}'


def launcher(container):
    """The processes of berth's in the unit, which are there while it starts."""
    path = '/sys/fs/cgroup' + container.show('ControlGroup') + '/launch/cgroup.procs'
    return container.machine.run(['cat', path], check=False).stdout.split()


# -- locks ------------------------------------------------------------------------------------------------


def wait_for_guest(one):
    """Until the guest runs, whose READY=1 the launcher waits for."""
    one.systemctl('start', '--no-block')
    one.wait_for(lambda: one.show('ActiveState') == 'activating' and one.main_pid() != 0 and
                 one.machine.read(f'/proc/{one.main_pid()}/comm') == 'sleep\n', 'a guest that runs')
    assert len(launcher(one)) == 1


def test_locks_outlive_the_launcher(container, machine, tree):
    """Killed while it waits for the guest, which goes on running: systemd has the locks, from before the guest ran."""
    root = tree('busybox')
    first = container('orphan', of_root(root, keys='Ready=guest\n'))
    second = container('rival', of_root(root))
    wait_for_guest(first)
    ids = lock_of_ids(first)
    machine.run(['kill', '-KILL', *launcher(first)])
    first.wait_for(lambda: not launcher(first), 'the end of the launcher')

    assert machine.read(f'/proc/{first.main_pid()}/comm') == 'sleep\n'
    assert is_locked(machine, ids) and is_locked(machine, lock_of_root(machine, root))
    assert second.start(check=False).returncode != 0
    assert second.show('StatusText').startswith(
        f'Cannot start container rival: failed to lock the root {root}: it is in use by container orphan')
    first.systemctl('kill', '--signal=KILL')
    first.wait_state('failed')
    wait_for_release(machine, ids, lock_of_root(machine, root))
    second.start()


def test_layer_outlives_the_launcher(container, machine):
    """The same of a layer, which no second start of the same container may write to."""
    one = container('orphan', of_root('/srv/guests/busybox', 'Overlay=yes\n', 'Ready=guest\n'))
    wait_for_guest(one)
    layer = lock_of_root(machine, f'{LAYERS}/orphan')
    machine.run(['kill', '-KILL', *launcher(one)])
    one.wait_for(lambda: not launcher(one), 'the end of the launcher')
    assert is_locked(machine, layer)
    one.systemctl('kill', '--signal=KILL')
    one.wait_state('failed')
    wait_for_release(machine, layer)


def test_locks_while_it_starts_and_runs(container, machine, tree):
    root = tree('busybox')
    one = container('locked', of_root(root))
    one.start()
    ids, own = lock_of_ids(one), lock_of_root(machine, root)
    assert is_locked(machine, ids) and is_locked(machine, own)
    for path in (ids, own):
        assert machine.run(['stat', '-c', '%u %a', path]).stdout == '0 600\n'
    one.restart()
    again = lock_of_ids(one)
    assert is_locked(machine, again) and is_locked(machine, own)
    one.stop()
    wait_for_release(machine, ids, again, own)


def test_lock_that_nspawn_has(container, machine, tree, background):
    """The files are systemd-nspawn's: what it has, berth does not take, neither a root nor an id."""
    root = tree('busybox')
    one = container('other', of_root(root))
    one.start()
    ids, own = lock_of_ids(one), lock_of_root(machine, root)
    one.stop()
    background(['flock', '--exclusive', ids, 'sleep', '1000'])
    background(['flock', '--exclusive', own, 'sleep', '1000'])
    one.wait_for(lambda: is_locked(machine, ids) and is_locked(machine, own), 'locks of somebody else')
    assert one.start(check=False).returncode != 0
    assert f'failed to lock the root {root}: it is in use by ' in one.show('StatusText')
    one.define(of_root(root, 'Overlay=yes\n'))
    assert one.start(check=False).returncode != 0
    one.define(of_root('/srv/guests/busybox', 'Overlay=yes\n'))
    one.start()
    assert lock_of_ids(one) != ids


@pytest.mark.parametrize('settings', ['', 'Overlay=yes\n'])
def test_lock_that_is_released_a_moment_later(container, machine, tree, settings):
    """As systemd's are, which closes what it kept of a unit when the unit has ended: a start waits for that."""
    root = tree('busybox')
    one = container('late', of_root(root, settings))
    one.start()
    one.stop()
    lock = lock_of_root(machine, f'{LAYERS}/late' if settings else root)
    machine.run(['flock', '--close', '--exclusive', lock, 'sh', '-c', f'systemctl start --no-block {one.unit}; sleep 0.3'])
    one.wait_for(lambda: one.show('ActiveState') != 'activating', 'an end of its start')
    assert one.show('ActiveState') == 'active', one.journal()


@pytest.mark.parametrize('settings', ['', 'Overlay=yes\n', 'ReadOnly=yes\n'])
@pytest.mark.parametrize('operation', ['--shared', '--exclusive'])
def test_lock_that_a_user_takes(container, machine, public_tree, background, settings, operation):
    """Anybody who can open a directory can lock it: berth's locks are where only root can go."""
    root = public_tree()
    background([*AS_EVE, 'flock', operation, root, 'sleep', '1000'])
    one = container('wanted', of_root(root, settings))
    one.wait_for(lambda: is_locked(machine, root), 'a lock of eve\'s')
    one.start()
    assert is_locked(machine, root)
    # The lock of the container: eve gets neither to its file nor to those of the ids.
    files = [lock_of_ids(one), lock_of_root(machine, root)]
    for path in files:
        assert machine.exists(path)
        assert machine.run([*AS_EVE, 'flock', '--nonblock', '--shared', path, 'true'], check=False).returncode != 0
    one.stop()


# -- layers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize('what', ['upper', 'work', 'upper work'])
def test_layer_of_an_interrupted_start(container, machine, what):
    """The directories were made and not yet given away: with their owner root's, nothing inside could write."""
    one = container('half', of_root('/srv/guests/busybox', 'Overlay=yes\n'))
    machine.run(f'mkdir -p -m 0711 {LAYERS}/half && cd {LAYERS}/half && mkdir {what}')
    one.start()
    one.inside('echo x >/new; mkdir /dir; rm /linuxrc; echo y >>/etc/inittab')
    owners = machine.run(f'cd {LAYERS}/half && stat -c %u:%g upper work upper/new').stdout.split()
    assert owners == [f'{FOREIGN}:{FOREIGN}'] * 3
    one.stop()
    # A layer that was in use, and whose top has become root's.
    machine.run(['chown', 'root:root', *(f'{LAYERS}/half/{name}' for name in what.split())])
    one.start()
    assert one.inside('echo z >/again; cat /new /again; ls -d /linuxrc', check=False).stdout.split() == ['x', 'z']


def test_layer_of_ids_apart(container, machine):
    """One user's id and all groups, apart from each other: the layer has an owner all the same."""
    identity = '[Identity]\nIDMap=uid:1000:auto:1 gid:0:auto:65536\n'
    one = container('apart', of_root('/srv/guests/busybox', f'Overlay=yes\n{identity}', 'User=1000\n'))
    one.start()
    assert re.split(r'\s+', machine.read(f'/proc/{one.main_pid()}/uid_map').strip())[::2] == ['1000', '1']
    assert re.split(r'\s+', machine.read(f'/proc/{one.main_pid()}/gid_map').strip())[::2] == ['0', '65536']
    host = machine.run(['stat', '-c', '%u:%g', f'/proc/{one.main_pid()}']).stdout.strip().split(':')
    assert host[0] == machine.read(f'/proc/{one.main_pid()}/uid_map').split()[1]
    one.stop()
    assert one.show('Result') == 'success'
    # What it leaves in the layer: nothing of the host's root, nor of the ids of this one start.
    found = machine.run(['find', f'{LAYERS}/apart/upper', '-printf', '%U\\n%G\\n']).stdout.split()
    assert found and all(int(id) >= FOREIGN for id in found), found
