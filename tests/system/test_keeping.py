# SPDX-License-Identifier: LGPL-2.1-or-later
"""Definitions and data that berth keeps: there whole or not at all, whatever is killed or full, and nothing that it
did not make is ever lost.
"""

import re

import pytest

from bus import Bus
from store import STORE, Store, tar_with, archives
from waiting import unmount, wait_for

HELPER = 'berth-helper.service'
SLEEPER = ['Command=/bin/sleep 1000', 'Boot=no']
# Packed once and read often: a root that runs.
BUSYBOX = '/srv/scratch/keeping.tar'


@pytest.fixture
def store(machine, no_leftovers):
    one = Store(machine)
    machine.run(f'[ -e {BUSYBOX} ] || tar -C /srv/guests/busybox -cf {BUSYBOX} .')
    yield one
    one.clear()
    stop_helper(machine)


def stop_helper(machine):
    machine.run(['systemctl', 'stop', 'berth-manager.service', HELPER])


def sweep(machine):
    """What the helper does when it starts, and the end of the deleting that follows."""
    stop_helper(machine)
    machine.run(['systemctl', 'start', HELPER])
    wait_for(machine, lambda: not machine.run(['ls', '-A', f'{STORE}/trash']).stdout, 'an empty trash')


def systemctl(machine, *words, check=True):
    return machine.run(['systemctl', *words], check=check, timeout=200)


def helper_pid(machine):
    return systemctl(machine, 'show', '--value', '--property=MainPID', HELPER).stdout.strip()


def begin_stalled(machine, name='web', verb='create'):
    """A creation, or a run, that has had most of an archive and waits for the rest; its unpacker runs."""
    machine.run(f'''systemd-run --quiet --collect --unit=stalled sh -c '
        (head -c 600000 {BUSYBOX}; sleep 600) | (berthctl {verb} {name} --tar=-; echo status=$?) >/run/stalled 2>&1'
        for i in $(seq 2000); do
            pgrep -x berth-unpack >/dev/null && [ -n "$(ls -A {STORE}/roots/.{name}.new-*/bin 2>/dev/null)" ] && exit 0
            sleep 0.05
        done
        exit 1''', timeout=200)


def end_stalled(machine):
    try:
        wait_for(machine, lambda: 'status=' in machine.read('/run/stalled'), 'an end of what was stalled')
        return machine.read('/run/stalled')
    finally:
        machine.run('systemctl stop stalled.service; rm -f /run/stalled', check=False)


def test_data_outlives_its_definition(store, machine):
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    machine.write(f'{STORE}/roots/web/mine', 'kept')
    store.remove('web')
    assert store.entries() == {'roots/web'}
    again = store.create('web', f'--tar={BUSYBOX}', *SLEEPER, check=False)
    assert again.returncode != 0 and f'{STORE}/roots/web' in again.stderr
    assert machine.read(f'{STORE}/roots/web/mine') == 'kept'

    store.create('web', *SLEEPER)
    systemctl(machine, 'start', 'container@web')
    assert store.remove('web', check=False).returncode != 0
    assert systemctl(machine, 'is-active', 'container@web').stdout == 'active\n'
    systemctl(machine, 'stop', 'container@web')
    assert store.entries() == {'containers/web.container', 'roots/web'}
    store.remove('web', '--data')
    assert store.entries() == set()


def test_overlay_goes_with_the_data(store, machine):
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER, 'Overlay=yes')
    systemctl(machine, 'start', 'container@web')
    systemctl(machine, 'stop', 'container@web')
    assert store.entries() == {'containers/web.container', 'roots/web', 'overlays/web'}
    store.remove('web', '--data')
    assert store.entries() == set()


def test_files_of_roots_own_stay(store, machine, container):
    web = container('web', '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
    done = store.remove('web', '--data', check=False)
    assert done.returncode != 0 and 'root' in done.stderr
    assert machine.exists(web.path)
    taken = store.create('web', f'--tar={BUSYBOX}', check=False)
    store.made.clear()
    assert taken.returncode != 0 and 'already' in taken.stderr
    assert store.entries() == set()


def test_root_in_use(store, machine):
    """By somebody whom systemd does not know: the definition is back, and nothing was deleted."""
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    before = store.listed(f'{STORE}/roots/web', f'{STORE}/containers/web.container')
    done = machine.run(f'''mkdir -p -m 0700 /run/systemd/nspawn/locks
        device=$(stat -c %d {STORE}/roots/web) inode=$(stat -c %i {STORE}/roots/web)
        flock /run/systemd/nspawn/locks/inode-$device:$inode berthctl remove --yes --data web''', check=False)
    assert done.returncode != 0 and 'in use' in done.stderr
    assert store.listed(f'{STORE}/roots/web', f'{STORE}/containers/web.container') == before
    store.remove('web', '--data')


def test_root_that_was_in_use_a_moment_ago(store, machine):
    """systemd lets go of a container's locks only after it has ended; a removal waits for that."""
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    machine.run(f'''mkdir -p -m 0700 /run/systemd/nspawn/locks
        device=$(stat -c %d {STORE}/roots/web) inode=$(stat -c %i {STORE}/roots/web)
        flock --close /run/systemd/nspawn/locks/inode-$device:$inode sh -c \
            '(berthctl remove --yes --data web; echo $? >/run/removed) & sleep 0.3' ''')
    wait_for(machine, lambda: machine.run(['cat', '/run/removed'], check=False).stdout, 'an end of the removal')
    assert machine.read('/run/removed') == '0\n' and store.entries() == set()
    machine.remove('/run/removed')


def test_what_systemd_keeps_goes_too(store, machine):
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    systemctl(machine, 'enable', '--now', 'container@web')
    systemctl(machine, 'set-property', 'container@web', 'MemoryMax=100M')
    systemctl(machine, 'set-property', '--runtime', 'container@web', 'CPUWeight=50')
    systemctl(machine, 'stop', 'container@web')
    store.remove('web', '--data')
    left = machine.run('find /etc/systemd /run/systemd -name "*container@web*" ! -path "*/generator*"').stdout
    assert left == ''
    assert systemctl(machine, 'is-enabled', 'container@web', check=False).stdout == 'disabled\n'


def test_replace(store, machine):
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    machine.write(f'{STORE}/roots/web/mine', 'kept')
    store.create('web', '--replace', *SLEEPER, 'Description=second')
    assert 'second' in machine.read(f'{STORE}/containers/web.container')
    assert machine.read(f'{STORE}/roots/web/mine') == 'kept'
    assert store.create('web', '--replace', f'--tar={BUSYBOX}', *SLEEPER, check=False).returncode != 0
    assert store.create('web', '--replace', 'NoSuchKey=1', check=False).returncode != 0
    systemctl(machine, 'start', 'container@web')
    assert store.create('web', '--replace', *SLEEPER, 'Description=third', check=False).returncode != 0
    assert 'second' in machine.read(f'{STORE}/containers/web.container')
    assert store.create('other', '--replace', *SLEEPER, check=False).returncode != 0
    assert store.entries() == {'containers/web.container', 'roots/web'}


@pytest.mark.parametrize('victim', ['helper', 'unpacker', 'worker'])
def test_killed_in_the_middle(store, machine, victim):
    """The call fails and does not hang, nobody sees anything of it, and the next try is as the first."""
    store.made.append('web')
    begin_stalled(machine)
    main = helper_pid(machine)
    machine.run({'helper': f'kill -KILL {main}', 'unpacker': 'kill -KILL $(pgrep -x berth-unpack)',
                 'worker': f'kill -KILL $(pgrep -P {main})'}[victim])
    said = end_stalled(machine)
    assert 'status=1' in said, said
    wait_for(machine, lambda: machine.run('pgrep -x berth-unpack', check=False).returncode != 0, 'an end of the unpacker')
    assert {e for e in store.entries() if not e.split('/')[1].startswith('.') and not e.startswith('trash')} == set()

    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    assert {e for e in store.entries() if not e.startswith('trash')} == {'containers/web.container', 'roots/web'}
    sweep(machine)
    assert store.entries() == {'containers/web.container', 'roots/web'}


def test_sweep(store, machine):
    """What helpers that were killed at any moment can have left, and what is somebody else's."""
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    store.create('kept', f'--tar={BUSYBOX}', *SLEEPER)
    store.remove('kept')
    for name in 'gone', 'host':
        store.create(name, f'--tar={BUSYBOX}', *SLEEPER)
        machine.run(f'cd {STORE}/containers && mv {name}.container .{name}.remove-01234567')
    machine.write('/etc/berth/containers/host.container', '[Root]\nManaged=yes\n')
    machine.run(f'''cd {STORE}
        mkdir -p roots/.new.new-01234567/bin roots/made roots/run roots/.notes trash/.x.new-01234567/a/b overlays/run
        touch containers/.new.make-01234567 containers/.made.make-01234567 containers/.run.run-01234567
        touch containers/.web.new-01234567 containers/.web.make-01234567 images/made.raw images/.odd.new-0123456
        mkdir overlays/gone; touch containers/.web.remove-01234567''')
    sweep(machine)
    assert store.entries() == {'containers/web.container', 'roots/web', 'roots/kept', 'roots/.notes', 'roots/host',
                               'images/.odd.new-0123456'}
    machine.remove(f'{STORE}/roots/.notes', f'{STORE}/images/.odd.new-0123456', '/etc/berth/containers/host.container')


@pytest.fixture
def small_room(store, machine):
    """The room of roots on a file system of its own with hardly any space."""
    stop_helper(machine)
    machine.run(f'mount -t tmpfs -o size=6m,mode=0700 tmpfs {STORE}/roots')
    yield f'{STORE}/roots'
    store.clear()
    stop_helper(machine)
    unmount(machine, f'{STORE}/roots')


def test_full_disk(small_room, store, machine):
    big = tar_with(archives.member('./zeros', content=b'\0' * (20 << 20)))
    done = store.create_tar('web', archives.gzip.compress(big), check=False)
    assert done.returncode != 0 and re.search('full|space', done.stderr), done.stderr
    assert {e for e in store.entries() if e != 'roots/.trash'} == set()
    assert machine.run(['ls', '-A', f'{small_room}/.trash'], check=False).stdout == ''
    store.create_tar('web', tar_with(archives.member('./file', content=b'x' * 100000)))
    assert store.root('web')['file']['size'] == 100000
    store.remove('web', '--data')
    assert {e for e in store.entries() if e != 'roots/.trash'} == set()
    assert machine.run(['ls', '-A', f'{small_room}/.trash'], check=False).stdout == ''


def test_deep_tree_is_deleted(store, machine):
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    machine.run(['/usr/bin/python3', '-c', f'''
import os
fd = os.open("{STORE}/roots/web", os.O_RDONLY)
for i in range(10000):
    os.mkdir("directory", dir_fd=fd)
    os.symlink("/etc", "link", dir_fd=fd)
    below = os.open("directory", os.O_RDONLY, dir_fd=fd)
    os.close(fd)
    fd = below
'''], timeout=300)
    before = store.listed('/etc/systemd')
    store.remove('web', '--data')
    assert store.entries() == set() and store.listed('/etc/systemd') == before


def test_mounts_are_not_crossed(store, machine):
    """Something of the host's is mounted in a root: it is not touched, and the rest goes when it is out of there."""
    store.create('web', f'--tar={BUSYBOX}', *SLEEPER)
    machine.run(f'''mkdir -p /srv/scratch/precious {STORE}/roots/web/mnt; echo x > /srv/scratch/precious/file
        mount --bind /srv/scratch/precious {STORE}/roots/web/mnt''')
    store.remove('web', '--data', check=False)
    assert machine.read('/srv/scratch/precious/file') == 'x\n'
    unmount(machine, *machine.run(f'findmnt -rno TARGET | grep {STORE}/').stdout.split())
    sweep(machine)
    assert store.entries() == set() and machine.read('/srv/scratch/precious/file') == 'x\n'
    machine.remove('/srv/scratch/precious')


def test_run_from_an_archive(store, machine):
    """The root is there as long as the run, and gone with it; a name whose data is kept is not for a run."""
    done = machine.run(['berthctl', 'run', 'once', f'--tar={BUSYBOX}', '--', '/bin/sh', '-c', 'exit 4'], check=False,
                       timeout=200)
    assert done.returncode == 4, done
    wait_for(machine, lambda: not store.entries(), lambda: f'the run left {store.entries()}')

    store.create('once', f'--tar={BUSYBOX}', *SLEEPER)
    store.remove('once')
    done = machine.run(['berthctl', 'run', 'once', f'--tar={BUSYBOX}', '--', '/bin/true'], check=False, timeout=200)
    assert done.returncode == 125 and f'{STORE}/roots/once' in done.stderr
    assert store.entries() == {'roots/once'}


def test_definition_with_the_name_of_a_run_that_begins(store, machine):
    """Its archive is still being read: nobody sees either of them, who sees what came later, and the service lives on."""
    bus = Bus(machine)
    bus.listed()
    pid = bus.manager_pid()
    begin_stalled(machine, 'both', 'run')
    try:
        machine.write('/etc/berth/containers/both.container', '[Root]\nPath=/srv/guests/busybox\n')
        machine.write('/etc/berth/containers/later.container', '[Root]\nPath=/srv/guests/busybox\n')
        wait_for(machine, lambda: 'later' in bus.listed(), 'the later definition in the list')
        assert 'both' not in bus.listed()
        assert bus.manager_pid() == pid
    finally:
        machine.remove('/etc/berth/containers/both.container', '/etc/berth/containers/later.container')
        machine.run('kill -KILL $(pgrep -x berth-unpack)', check=False)
        said = end_stalled(machine)
    assert 'was killed' in said, said


def test_definition_with_the_name_of_a_run(store, machine):
    """Written while the run is there, and its layer put back: neither is the run's to take along. It is seen, and can be
    started, when the run has gone."""
    definition, overlay, unit = '/etc/berth/containers/both.container', f'{STORE}/overlays/both', 'container@both.service'
    text = '[Container]\nBoot=no\nCommand=/bin/sh -c "echo kept >>/kept; exec sleep 1000"\n' \
           '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
    bus = Bus(machine)

    def kept(times):
        wait_for(machine, lambda: machine.run(['cat', f'{overlay}/upper/kept'], check=False).stdout == 'kept\n' * times,
                 'what the container writes')

    try:
        machine.write(definition, text)
        systemctl(machine, 'start', unit)
        kept(1)
        systemctl(machine, 'stop', unit)
        machine.run(['mv', overlay, '/var/tmp/both'])
        machine.remove(definition)
        machine.run(['berthctl', 'run', '--detach', 'both', f'--tar={BUSYBOX}', '--', '/bin/sleep', '1000'], timeout=200)

        machine.write(definition, text)
        machine.run(['mv', '/var/tmp/both', overlay])
        assert machine.run(['systemctl', 'start', unit], check=False, timeout=60).returncode != 0
        machine.run(['systemctl', 'reset-failed', unit])
        machine.run(['systemctl', 'kill', '--signal=KILL', 'container-run-both'])
        wait_for(machine, lambda: bus.listed() == {'both': 'stopped'}, lambda: f'not stopped: {bus.listed()}')
        systemctl(machine, 'start', unit)
        kept(2)
        wait_for(machine, lambda: bus.listed() == {'both': 'running'}, lambda: f'not running: {bus.listed()}')
    finally:
        machine.run(['systemctl', 'stop', unit, 'container-run-both'], check=False, timeout=120)
        machine.run(['systemctl', 'reset-failed', unit], check=False)
        machine.remove(definition, overlay, '/var/tmp/both')
        machine.run(f'rm -rf {STORE}/roots/both')


def test_two_of_one_name(store, machine):
    """At once: one is made, the other is told."""
    store.made.append('web')
    done = machine.run(f'''for i in 1 2 3 4; do
        (berthctl create web --tar={BUSYBOX} 2>&1; echo status=$?) & done; wait''', timeout=300).stdout
    assert done.count('status=0') == 1 and done.count('status=1') == 3, done
    assert store.entries() == {'containers/web.container', 'roots/web'}
