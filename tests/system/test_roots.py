# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots: shared below overlays, read-only, volatile, managed, locked; and never changed when they are not berth's."""

import itertools

import pytest

from waiting import unmount

FOREIGN = 2147352576
TRASH = itertools.count()

# Everything about a tree that a change would show in, except the access times.
FINGERPRINT = r'''
    cd "$0" && { find . -printf '%p %y %m %U %G %s %T@ %C@ %n %l\n' | sort
    find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum'''


def command(line, root, more=''):
    return f'[Container]\nCommand={line}\n{more}[Root]\n{root}\n'


def fingerprint(machine, path):
    return machine.run(['sh', '-c', FINGERPRINT, path]).stdout


def owners(machine, path):
    return machine.run(['stat', '-c', '%u:%g', path]).stdout.strip()


@pytest.fixture
def managed(machine):
    """managed(NAME): a root in berth's store, with the foreign ids on disk."""
    made = []

    def make(name):
        path = f'/var/lib/berth/roots/{name}'
        machine.run(['mkdir', '-p', '-m', '0700', '/var/lib/berth/roots'])
        machine.run(['cp', '-a', '/srv/guests/busybox', path])
        machine.run(['chown', '-hR', f'{FOREIGN}:{FOREIGN}', path])
        made.append(path)
        return path
    yield make
    machine.remove(*made)


@pytest.fixture
def mounted(machine):
    """mounted(TYPE): a writable busybox root on a file system of its own."""
    made = []

    def make(kind, size='64M', option='rw'):
        path = f'/srv/scratch/on-{kind}-{next(TRASH)}'
        machine.run(['mkdir', '-p', path])
        if kind == 'tmpfs':
            machine.run(['mount', '-t', 'tmpfs', '-o', f'size={size}', 'tmpfs', path])
        else:
            machine.run(f'truncate -s {size} {path}.img && mkfs.{kind} -q {path}.img && '
                        f'mount -o loop {path}.img {path}')
        made.append(path)
        machine.run(f'cp -a /srv/guests/busybox/. {path}/ && mount -o remount,{option} {path}')
        return path
    yield make
    for path in made:
        unmount(machine, path)
        machine.remove(path, f'{path}.img')


def test_twenty_over_one_tree(machine, container):
    """The tree below stays as it is; each has a layer of its own, with the foreign ids on disk."""
    before = fingerprint(machine, '/srv/guests/busybox')
    several = [container(f'over-{i}', command('/bin/sleep 100000', 'Path=/srv/guests/busybox\nOverlay=yes'))
               for i in range(20)]
    for one in several:
        one.start()
    for number, one in enumerate(several):
        one.inside(f'echo {number} >/mine; echo x >>/etc/inittab; rm /linuxrc; '
                   'chown 1000:1001 /mine; mkdir /dir; touch /dir/file')
    for number, one in enumerate(several):
        layer = f'/var/lib/berth/overlays/{one.name}/upper'
        assert one.inside('cat /mine; stat -c %u:%g /mine /dir/file /etc/inittab').stdout.split() == \
            [str(number), '1000:1001', '0:0', '0:0']
        assert owners(machine, f'{layer}/mine') == f'{FOREIGN + 1000}:{FOREIGN + 1001}'
        assert owners(machine, f'{layer}/dir/file') == f'{FOREIGN}:{FOREIGN}'
    assert fingerprint(machine, '/srv/guests/busybox') == before
    assert machine.run(['stat', '-c', '%a', '/var/lib/berth/overlays']).stdout.strip() == '700'


def test_layer_is_kept(machine, container):
    one = container('kept', command('/bin/sleep 100000', 'Path=/srv/guests/busybox\nOverlay=yes'))
    one.start()
    one.inside('echo 1 >/data; rm /linuxrc; mkdir /etc/init.d/new')
    for how in (one.restart, lambda: (one.stop(), one.start())):
        how()
        assert one.inside('cat /data; ls -d /linuxrc /etc/init.d/new', check=False).stdout.split() == \
            ['1', '/etc/init.d/new']
    one.systemctl('kill', '--signal=KILL')
    one.wait_state('failed')
    one.start()
    assert one.inside('cat /data').stdout == '1\n'


def test_read_only(machine, container):
    before = fingerprint(machine, '/srv/guests/busybox')
    one = container('sealed', command('/bin/sleep 100000', 'Path=/srv/guests/busybox\nReadOnly=yes'))
    one.start()
    for attempt in ('touch /x', 'rm /linuxrc', 'mkdir /etc/x', 'touch -c /bin/busybox', 'chmod 0 /etc',
                    'mount -o remount,rw /', 'mount -o remount,bind,rw /'):
        assert one.inside(attempt, check=False).returncode != 0, attempt
    one.inside('touch /run/x /dev/shm/x')
    assert fingerprint(machine, '/srv/guests/busybox') == before


@pytest.mark.parametrize('overlay', ['yes', 'no'])
def test_ephemeral(machine, container, tree, overlay):
    """Writable inside, and nothing of it is left, in the tree or in the store."""
    root = tree('busybox')
    before = fingerprint(machine, root)
    one = container('volatile', command('/bin/sleep 100000', f'Path={root}\nOverlay={overlay}', 'Ephemeral=yes\n'))
    for _ in range(2):
        one.start()
        assert one.inside('ls /mine', check=False).returncode != 0
        one.inside('echo x >/mine; rm /linuxrc; chown 5:5 /etc; stat -c %u /mine')
        one.stop()
        assert not machine.exists('/var/lib/berth/overlays/volatile')
        assert fingerprint(machine, root) == before


@pytest.mark.parametrize('settings, fault', [
    ('Overlay=yes', None), ('ReadOnly=yes', None), ('Overlay=yes', 'exec'), ('ReadOnly=yes', 'mount'),
    ('', 'dev'), ('', 'run'), ('', 'api'), ('Overlay=yes', 'overlay'), ('', 'ready')])
def test_root_that_is_not_ours(machine, container, tree, settings, fault):
    """Neither a start nor a stop nor a start that fails changes a directory that the administrator named."""
    root = tree('busybox')
    before = fingerprint(machine, root)
    mount = '\n[Mount]\nType=tmpfs\nTarget=/tmp'
    one = container('guest-of', command('/bin/sleep 100000', f'Path={root}\n{settings}{mount}'))
    dropin = f'/run/systemd/system/{one.unit}.d'
    if fault:
        machine.write(f'{dropin}/fault.conf', f'[Service]\nEnvironment=BERTH_FAULT={fault}:28\n')
        machine.run(['systemctl', 'daemon-reload'])
    assert (one.start(check=False).returncode != 0) == bool(fault)
    one.stop()
    assert fingerprint(machine, root) == before
    if fault:
        machine.remove(dropin)
        machine.run(['systemctl', 'daemon-reload'])
        one.start()
        one.stop()
        assert fingerprint(machine, root) == before


def test_direct_root_owners(machine, container, tree):
    """A directory as it is: ids inside are the ids on disk, whatever ids the processes have."""
    root = tree('busybox')
    one = container('direct', command('/bin/sleep 100000', f'Path={root}'))
    one.start()
    one.inside('echo x >/mine; chown 7:8 /mine; touch /roots')
    assert (owners(machine, f'{root}/mine'), owners(machine, f'{root}/roots')) == ('7:8', '0:0')
    assert owners(machine, f'/proc/{one.show("MainPID")}') != '0:0'


def test_second_start_on_a_root(machine, container, tree):
    """One writer at a time, and the one who is refused is told who has it."""
    root = tree('busybox')
    writable = command('/bin/sleep 100000', f'Path={root}')
    readers = command('/bin/sleep 100000', f'Path={root}\nReadOnly=yes')
    over = command('/bin/sleep 100000', f'Path={root}\nOverlay=yes')
    first, second = container('holder', writable), container('second', writable)
    first.start()
    for definition, more in ((writable, ''), (readers, ', which may write to it'), (over, ', which may write to it')):
        second.define(definition)
        assert second.start(check=False).returncode != 0
        assert second.show('StatusText') == \
            f'Cannot start container second: failed to lock the root {root}: it is in use by container holder{more}'
    assert first.show('ActiveState') == 'active'
    first.stop()
    second.start()
    first.define(readers)
    first.start()
    second.stop()
    second.define(readers)
    second.start()
    third = container('third', writable)
    assert third.start(check=False).returncode != 0
    assert f'failed to lock the root {root}: it is in use by container ' in third.show('StatusText')
    assert third.start(check=False).returncode != 0


def test_lock_of_a_killed_guest_is_free(machine, container, tree):
    root = tree('busybox')
    definition = command('/bin/sleep 100000', f'Path={root}')
    first, second = container('killed', definition), container('heir', definition)
    for one in (first, second) * 3:
        one.start()
        machine.run(['kill', '-KILL', one.show('MainPID')])
        one.wait_state('failed')


def test_lock_over_a_reboot_of_the_guest(machine, container, tree):
    """Between the old process and the new nobody else gets the root."""
    root = tree('busybox')
    machine.write(f'{root}/bin/guest', mode=0o755,
                  data='#!/bin/sh\n[ -e /again ] && exec sleep 100000\ntouch /again\nexec reboot -f\n')
    one = container('rebooter', command('/bin/guest', f'Path={root}'))
    other = container('waiter', command('/bin/true', f'Path={root}'))
    dropin = f'/run/systemd/system/{one.unit}.d/slow.conf'
    machine.write(dropin, '[Service]\nRestartSec=1h\n')
    machine.run(['systemctl', 'daemon-reload'])
    one.start()
    one.wait_state('auto-restart')
    assert other.start(check=False).returncode != 0
    assert 'it is in use by ' in other.show('StatusText')
    # systemd counts from the end of the old process, again with what now holds.
    machine.write(dropin, '[Service]\nRestartSec=100ms\n')
    machine.run(['systemctl', 'daemon-reload'])
    one.wait_state('running')
    assert one.inside('ls /again').stdout == '/again\n'
    one.stop()
    other.start()
    machine.remove(f'/run/systemd/system/{one.unit}.d')
    machine.run(['systemctl', 'daemon-reload'])


@pytest.mark.parametrize('kind', ['tmpfs', 'ext4'])
@pytest.mark.parametrize('settings', ['', 'Overlay=yes', 'ReadOnly=yes'])
def test_other_file_systems(machine, container, mounted, kind, settings):
    root = mounted(kind, size='300M')
    one = container('elsewhere', command('/bin/sleep 100000', f'Path={root}\n{settings}'))
    one.start()
    assert one.inside('touch /x && stat -c %u /x', check=False).stdout == ('' if settings == 'ReadOnly=yes' else '0\n')
    one.stop()
    assert one.show('Result') == 'success'


def test_managed_root(machine, container, managed):
    path = managed('owned')
    one = container('owned', command('/bin/sleep 100000', 'Managed=yes'))
    one.start()
    assert one.inside('stat -c %u:%g / /bin/busybox; echo x >/mine; chown 9:9 /mine').stdout.split() == ['0:0', '0:0']
    one.stop()
    assert owners(machine, f'{path}/mine') == f'{FOREIGN + 9}:{FOREIGN + 9}'
    other = container('nothing', command('/bin/true', 'Managed=yes'))
    assert other.start(check=False).returncode != 0
    assert other.show('StatusText') == 'Cannot start container nothing: failed to open the root ' \
        '/var/lib/berth/roots/nothing: there is no root of this name in berth\'s store'


def test_managed_root_below_a_layer(machine, container, managed):
    """Overlay= and Ephemeral= work over berth's own roots, and leave them."""
    path = managed('base')
    before = fingerprint(machine, path)
    one = container('base', command('/bin/sleep 100000', 'Managed=yes\nOverlay=yes'))
    one.start()
    assert one.inside('echo x >/mine; stat -c %u:%g /mine /etc').stdout.split() == ['0:0', '0:0']
    one.stop()
    one.define(command('/bin/sleep 100000', 'Managed=yes', 'Ephemeral=yes\n'))
    one.start()
    one.inside('echo x >/mine; rm -r /etc')
    one.stop()
    assert fingerprint(machine, path) == before


def test_restrictions_of_the_root(machine, container):
    """Root Options= hold inside, and cannot be lifted."""
    root = 'Path=/srv/guests/busybox\nOverlay=yes\nOptions=nosuid nodev'
    one = container('strict', command('/bin/sleep 100000', root))
    one.start()
    options = one.inside('grep " / " /proc/self/mounts').stdout.split()[3].split(',')
    assert 'nosuid' in options and 'nodev' in options
    assert one.inside('mount -o remount,bind,suid,dev /', check=False).returncode != 0
