# SPDX-License-Identifier: LGPL-2.1-or-later
"""Containers that are run once: what comes on standard input, what is kept for the guest's reboot, and what a descriptor
may be used for, whoever passed it on."""

import itertools
import re
from pathlib import Path

import pytest
from transient import Transient

FAILURE_C = Path(__file__).resolve().parents[2] / 'src/helper/launch/failure.c'
STEPS = re.findall(r'\[STEP_\w+\] = \{ "([a-z-]+)"', FAILURE_C.read_text())
# Of the steps only a definition on the host has.
NOT_TRANSIENT = {'device', 'unit', 'delay'}
OPENER = 'does not tell who opened it'
USER = 1000
NOBODYS_GROUP = 2147352576
serial = itertools.count()


def command(line, root='Path=fd:root', more=''):
    return f"[Container]\nCommand=/bin/sh -c '{line}'\n[Root]\n{root}\n{more}"


def mount(source, more='ReadOnly=yes'):
    return f'[Mount]\nSource=fd:{source}\nTarget=/mnt\n{more}\n'


@pytest.fixture
def transient(machine, no_leftovers):
    made = []

    def make(name=None):
        made.append(Transient(machine, name or f'once-{next(serial)}'))
        return made[-1]
    yield make
    for one in made:
        one.remove()


@pytest.fixture
def place(machine):
    """A directory of root's alone, as a path."""
    path = f'/srv/scratch/place-{next(serial)}'
    machine.run(['mkdir', '-p', '-m', '0700', path])
    yield path
    machine.run(['sh', '-c', f'umount -l {path}/* 2>/dev/null'], check=False)
    machine.remove(path)


@pytest.fixture
def root(machine, place):
    """A tree that only root can have opened."""
    machine.run(['sh', '-c', f'cp -a /srv/guests/busybox {place}/root && chmod 0700 {place}/root'])
    return f'{place}/root'


def file_says(machine, one, path, text):
    """Waits until a guest has written it: it is started, and may not have come so far."""
    one.wait_for(lambda: machine.exists(path) and machine.read(path) == text, f'{path} with {text!r}')


def says(transient, *parts):
    sentence = transient.failure()
    for part in (f'Cannot start container {transient.name}: ', *parts):
        assert part in sentence
    assert sentence in transient.journal()
    return sentence


def test_written_root(machine, transient, root):
    one = transient()
    one.run(command('id -u >/made; exec sleep 1000'), {'root': f'read:{root}'})
    assert one.show('ActiveState') == 'active', one.journal()
    file_says(machine, one, f'{root}/made', '0\n')
    assert machine.run(['stat', '-c', '%u %g', f'{root}/made']).stdout == '0 0\n'
    assert one.inside(['stat', '-c', '%u %g', '/bin']).stdout == '0 0\n'
    # Nothing that is mounted inside is seen on the host, whose mount is a shared one.
    assert machine.run(['ls', f'{root}/proc', f'{root}/dev']).stdout == f'{root}/dev:\n\n{root}/proc:\n'
    # Nothing of the service's is inside.
    assert one.inside(['readlink', '/proc/1/fd/0']).stdout == '/dev/null\n'
    one.stop()
    assert one.show('Result') == 'success'


def test_reboot(machine, transient, root, place):
    """The guest's reboot finds definition and descriptors again, though the message was read and the tree has another
    name by now."""
    one = transient()
    machine.run(['mkdir', '-m', '0700', f'{place}/data'])
    one.run(command('echo x >>/boots; exec sleep 1000', more=mount('data', 'IDMap=yes')),
            {'root': f'read:{root}', 'data': f'read:{place}/data'})
    kept = one.show('NFileDescriptorStore')
    file_says(machine, one, f'{root}/boots', 'x\n')
    machine.run(['mv', root, f'{place}/moved'])
    machine.run(['mv', f'{place}/data', f'{place}/moved-data'])
    for boots in (2, 3):
        one.inside(['touch', f'/mnt/{boots}'])
        one.inside(['reboot', '-f'], check=False)
        one.wait_for(lambda n=boots: one.show('NRestarts') == str(n - 1) and one.show('ActiveState') == 'active',
                     f'start {boots}')
        file_says(machine, one, f'{place}/moved/boots', boots * 'x\n')
        assert one.show('NFileDescriptorStore') == kept
    assert machine.run(['ls', f'{place}/moved-data']).stdout.split() == ['2', '3']


def test_restart_by_hand(machine, transient, root):
    one = transient()
    one.run(command('echo x >>/boots; exec sleep 1000'), {'root': f'read:{root}'})
    file_says(machine, one, f'{root}/boots', 'x\n')
    one.restart()
    file_says(machine, one, f'{root}/boots', 'x\nx\n')


def test_one_of_a_name(transient, container, root):
    """A container and a run of the same name, with other roots: who comes second is refused, whichever of them it is."""
    other = 'Cannot start container twin: failed to prepare the start: another container of that name is running, as '
    run, defined = transient('twin'), container('twin', '[Container]\nCommand=/bin/sleep 1000\n'
                                                '[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n')
    run.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    assert defined.start(check=False).returncode != 0
    assert defined.show('StatusText') == f'{other}container-run-twin.service; stop it first'
    assert run.show('ActiveState') == 'active'
    run.stop()
    defined.start()
    run.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    assert run.failure() == f'{other}container@twin.service; stop it first'
    defined.restart()
    defined.stop()
    run.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    assert run.show('ActiveState') == 'active', run.journal()


def mark(machine, name):
    """What berth's service leaves for a run that has something in the store."""
    marks = f'/var/lib/berth/containers/.{name}.run-0123abcd'
    machine.write(marks, '')
    return marks


@pytest.mark.parametrize('end', ['stop', 'power off', 'fail'])
def test_clean(machine, transient, root, end):
    """The layer and root of a run are gone after it, and are there as long as it reboots or is restarted."""
    one = transient()
    layer, left = f'/var/lib/berth/overlays/{one.name}', f'/var/lib/berth/roots/{one.name}'
    marks = mark(machine, one.name)
    machine.run(['sh', '-c', f'mkdir -p -m 700 {left}/deep/down && touch {left}/deep/file'])
    one.run(command('touch /made; exec sleep 1000', 'Path=fd:root\nOverlay=yes'), {'root': f'read:{root}'})
    assert one.show('ActiveState') == 'active', one.journal()
    file_says(machine, one, f'{layer}/upper/made', '')
    one.inside(['reboot', '-f'], check=False)
    one.wait_for(lambda: one.show('NRestarts') == '1' and one.show('ActiveState') == 'active', 'its second start')
    one.restart()
    for path in (f'{layer}/upper/made', f'{left}/deep/file', marks):
        assert machine.run(['test', '-e', path], check=False).returncode == 0, path
    if end == 'stop':
        one.stop()
    elif end == 'power off':
        one.inside(['poweroff', '-f'], check=False)
    else:
        machine.run(['kill', '-SEGV', str(one.main_pid())])
        machine.run(['kill', '-KILL', str(one.main_pid())])
    one.wait_for(lambda: one.show('ActiveState') in ('inactive', 'failed'), 'its end')
    assert one.show('Result') == ('signal' if end == 'fail' else 'success')
    for path in (layer, left, marks):
        assert machine.run(['test', '-e', path], check=False).returncode == 1, (path, one.journal())
    one.wait_for(lambda: machine.run(['ls', '-A', '/var/lib/berth/trash']).stdout == '', 'an empty trash')


def test_clean_what_is_not_its_own(machine, transient, root):
    """Data without the mark of a run, or with a definition of that name, belongs to somebody else."""
    one = transient()
    kept = f'/var/lib/berth/roots/{one.name}'
    definition = f'/var/lib/berth/containers/{one.name}.container'
    machine.run(['mkdir', '-p', '-m', '0700', kept])
    one.run(command('exit 0'), {'root': f'read:{root}'})
    one.wait_state('inactive')
    assert machine.run(['test', '-d', kept], check=False).returncode == 0
    marks = mark(machine, one.name)
    machine.write(definition, '[Root]\nManaged=yes\n')
    one.run(command('exit 0'), {'root': f'read:{root}'})
    one.wait_state('inactive')
    assert machine.run(['test', '-d', kept], check=False).returncode == 0
    machine.remove(definition, marks, kept)


def test_users_directory(machine, transient, root, place):
    """Its owner is root inside, and nobody else is anybody. New files give no group to anyone."""
    machine.run(['sh', '-c', f'echo x >{root}/bin/given && chmod 755 {root}/bin/given && '
                             f'chown -R {USER}:4 {root} && echo secret >{root}/roots && chmod 600 {root}/roots && '
                             f'chown 0:4 {root}/roots'])
    one = transient()
    one.run(command('touch /made; cat /roots; echo x >/bin/mine; chgrp 65534 /bin/mine; chgrp 4 /bin/mine; '
                    'chown 5 /bin/mine; chmod 2755 /bin/mine /bin/given; stat -c "is %u %g" /bin/busybox /roots /made; '
                    'exec sleep 1000'),
            {'root': f'read:{root}'})
    assert one.show('ActiveState') == 'active', one.journal()
    one.wait_for(lambda: len(re.findall('is [0-9]+ [0-9]+', one.journal())) >= 3, 'all that it says')
    assert re.findall('is ([0-9]+ [0-9]+)', one.journal()) == ['0 65534', '65534 65534', '0 0']
    assert 'secret' not in one.journal()
    assert machine.run(['stat', '-c', '%u %g', f'{root}/made']).stdout == f'{USER} {NOBODYS_GROUP}\n'
    # A set-group-ID program of a group of the host's cannot be made: neither anew nor of what is there.
    assert machine.run(['stat', '-c', '%u %g', f'{root}/bin/mine']).stdout == f'{USER} {NOBODYS_GROUP}\n'
    assert machine.run(['stat', '-c', '%a', f'{root}/bin/given']).stdout == '755\n'


def test_unproven_root(machine, transient, root):
    """The mode is everybody's: readable, with a layer in memory above, and nobody's."""
    machine.run(['chmod', '0755', root])
    one = transient()
    one.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    says(one, 'failed to open the root fd:root: ', OPENER, '[Root] ReadOnly= or Overlay=yes')
    one.run(command('exec sleep 1000', 'Path=fd:root\nReadOnly=yes'), {'root': f'read:{root}'})
    assert one.show('ActiveState') == 'active', one.journal()
    assert one.inside(['stat', '-c', '%u', '/bin']).stdout == '65534\n'
    assert one.inside(['touch', '/made'], check=False).returncode != 0
    options = one.inside(['grep', ' / / ', '/proc/self/mountinfo'], check=False).stdout or \
        one.inside(['awk', '$5 == "/" {print $6}', '/proc/self/mountinfo']).stdout
    assert 'nosuid' in options and 'nodev' in options and 'ro' in options
    one.stop()


def test_no_shelter(machine, transient, root, place):
    """A directory that proves its opener and that others can get to once its mode is changed inside."""
    machine.run(['chmod', '0711', place])
    machine.run(['mount', '-t', 'tmpfs', '-o', 'mode=0711,suid', 'tmpfs', f'{place}'])
    machine.run(['sh', '-c', f'cp -a /srv/guests/busybox {place}/root && chmod 0700 {place}/root'])
    above = machine.run(['stat', '-c', '%a', '/srv/scratch']).stdout.strip()
    try:
        machine.run(['chmod', '0711', '/srv/scratch'])
        one = transient()
        one.run(command('exec sleep 1000'), {'root': f'read:{place}/root'})
        says(one, 'every user of this host can get there')
        one.run(command('exec sleep 1000', 'Path=fd:root\nReadOnly=yes'), {'root': f'read:{place}/root'})
        assert one.inside(['stat', '-c', '%u', '/bin']).stdout == '0\n'
        one.stop()
    finally:
        machine.run(['chmod', above, '/srv/scratch'])
        machine.run(['umount', '-l', place])


# What a service that fell into wrong hands could pass on, and what it gets for it.
ATTACKS = {
    'host-root': ('read:/', 'another file system is mounted below it'),
    'host-root-path': ('path:/', 'another file system is mounted below it'),
    'etc-written': ('read:/etc', OPENER),
    'shadow': ('path:/etc/shadow', OPENER),
    'root-home-path': ('path:/root', OPENER),
    'proc': ('read:/proc', 'a kind that is not taken'),
    'proc-sys': ('read:/proc/sys', 'a kind that is not taken'),
    'proc-file': ('read:/proc/sys/kernel/core_pattern', 'a kind that is not taken'),
    'proc-own-descriptors': ('procfd:', 'a kind that is not taken'),
    'sys': ('read:/sys/kernel', 'a kind that is not taken'),
    'cgroup': ('read:/sys/fs/cgroup', 'a kind that is not taken'),
    'cgroup-file': ('read:/sys/fs/cgroup/cgroup.procs', 'a kind that is not taken'),
    'node': ('path:/dev/null', 'neither a directory nor a regular file'),
    'open-node': ('read:/dev/null', 'neither a directory nor a regular file'),
    'socket': ('socket:', 'neither a directory nor a regular file'),
    'socket-path': ('path:/run/dbus/system_bus_socket', 'neither a directory nor a regular file'),
    'memfd': ('memfd:', 'it was removed after it had been opened'),
    'other-namespace': ('unshared:/mnt', 'on a mount that the host does not have'),
}


@pytest.mark.parametrize('attack', ATTACKS)
def test_attacks(transient, root, attack):
    """As a mount that would be written, shown with its owners, or only read."""
    what, cause = ATTACKS[attack]
    one = transient()
    for more in ('ReadOnly=no', 'ReadOnly=no\nIDMap=yes', 'ReadOnly=yes\nIDMap=yes'):
        one.run(command('exec sleep 1000', more=mount('x', more)), {'root': f'read:{root}', 'x': what})
        says(one, 'failed to make the mount fd:x (definition:', OPENER if cause != OPENER and more != 'x' and
             OPENER in one.failure() else cause)


@pytest.mark.parametrize('attack', sorted(ATTACKS))
def test_attacks_as_root(transient, attack):
    one = transient()
    one.run(command('exec sleep 1000'), {'root': ATTACKS[attack][0]})
    says(one, 'failed to open the root fd:root: ')


@pytest.mark.parametrize('more', ['IDMap=yes\nReadOnly=yes', 'IDMap=yes\nReadOnly=no', 'ReadOnly=no'])
def test_opened_before(machine, transient, root, place, more):
    """A directory of root's was opened when everybody could, and closed to others afterwards. With the proof left out it
    would be the container's to read and to write."""
    machine.run(['sh', '-c', f'mkdir -m 0700 {place}/late && echo secret >{place}/late/file && chmod 0600 {place}/late/file'])
    for weaken in ('', 'opener'):
        one = transient()
        one.run(command('cat /mnt/file; echo x >/mnt/made; echo attempted; exec sleep 1000', more=mount('x', more)),
                {'root': f'read:{root}', 'x': f'before:{place}/late'}, environment=[f'BERTH_WEAKEN={weaken}'])
        if not weaken:
            says(one, 'failed to make the mount fd:x (definition:', OPENER, 'O_NOATIME')
            continue
        assert one.show('ActiveState') == 'active', one.journal()
        if 'IDMap' in more:
            one.wait_for(lambda: 'attempted' in one.journal(), 'all that it does')
            assert 'secret' in one.journal()
            assert machine.exists(f'{place}/late/made') == ('ReadOnly=no' in more)


@pytest.mark.parametrize('what,inside', [
    ('path:/root', 'ls /mnt'), ('path:/etc/shadow', 'cat /mnt'), ('read:/etc', 'cat /mnt/shadow'),
    ('read:/etc', 'touch /mnt/passwd'), ('read:/etc', 'mount -o remount,rw,bind /mnt && touch /mnt/passwd')])
def test_only_what_everybody_sees(machine, transient, root, what, inside):
    target = {'path:/etc/shadow': '/mnt-file'}.get(what, '/mnt')
    one = transient()
    one.run(command('exec sleep 1000', more=f'[Mount]\nSource=fd:x\nTarget={target}\nCreate=yes\nReadOnly=yes\n'),
            {'root': f'read:{root}', 'x': what})
    assert one.show('ActiveState') == 'active', one.journal()
    done = one.inside(inside.replace('/mnt', target), check=False)
    assert done.returncode != 0 and ('denied' in done.stderr or 'Read-only' in done.stderr), done


def test_file_of_a_user(machine, transient, root, place):
    """A file proves nothing, whoever owns it: it is read by those who may."""
    machine.run(['sh', '-c', f'echo open >{place}/file && chown {USER} {place}/file && chmod 644 {place}/file'])
    one = transient()
    definition = command('exec sleep 1000', more='[Mount]\nSource=fd:x\nTarget=/file\nCreate=yes\n')
    one.run(definition, {'root': f'read:{root}', 'x': f'read:{place}/file'})
    says(one, OPENER)
    one.run(definition + 'ReadOnly=yes\n', {'root': f'read:{root}', 'x': f'read:{place}/file'})
    assert one.inside(['cat', '/file']).stdout == 'open\n'
    assert one.inside(['sh', '-c', 'echo x >/file'], check=False).returncode != 0
    one.stop()


def test_removed_directory(machine, transient, root, place):
    """What was removed between the opening and the start is nothing to stand on."""
    one = transient()
    machine.run(['mkdir', '-m', '0700', f'{place}/gone'])
    one.run(command('echo x >>/boots; exec sleep 1000', more=mount('x', 'IDMap=yes')),
            {'root': f'read:{root}', 'x': f'read:{place}/gone'})
    machine.run(['rmdir', f'{place}/gone'])
    one.inside(['reboot', '-f'], check=False)
    one.wait_state('failed')
    says(one, 'it was removed after it had been opened')


@pytest.mark.parametrize('order,cause', [
    (dict(send=False), 'nothing was handed over on standard input'),
    (dict(seal=False), 'standard input is not what berth'),
    (dict(data=''), 'standard input is not what berth'),
    (dict(data='berth-handover 2\nroot\n'), 'standard input is not what berth'),
    (dict(data='berth-handover 1\nroot\nmore\n'), 'standard input is not what berth'),
    (dict(data='berth-handover 1\n../root\n'), 'standard input is not what berth'),
    (dict(data='berth-handover 1\nother\n'), 'it names the descriptor fd:root, and none of that name was handed over'),
    (dict(definition='[Root]\nPath=/srv/guests/busybox\n'), 'Path=: may be a path only in a definition that root alone'),
    (dict(definition='[Root]\nPath=fd:root\n[Identity]\nUserNamespace=no\n'), 'UserNamespace=: may be no only'),
    (dict(definition='[Root]\nPath=fd:root\n[Container]\nInclude=/etc/passwd\n'), 'Include='),
    (dict(definition='nonsense'), 'definition:1'),
    (dict(definition=''), 'is not set; give the root'),
])
def test_bad_messages(transient, root, order, cause):
    one = transient()
    one.run(**{'definition': command('exec sleep 1000'), 'descriptors': {'root': f'read:{root}'}, **order})
    says(one, cause)


def test_file_has_no_descriptors(machine, container):
    one = container(f'file-{next(serial)}', command('exec sleep 1000'))
    assert one.start(check=False).returncode != 0
    assert 'fd:root stands for a descriptor' in one.show('StatusText')


def test_error_number(machine, transient, root):
    """A root that another container has is told by number, too."""
    first, second = transient(), transient()
    first.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    second.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    says(second, f'it is in use by container {first.name}')
    assert second.show('StatusErrno') == '98'       # EADDRINUSE, START_ERRNO_ROOT_IN_USE of spec/unit.h
    second.run(command('exec sleep 1000'), {'root': 'path:/dev/null'})
    assert second.show('StatusErrno') == '1'
    first.stop()
    second.run(command('exec sleep 1000'), {'root': f'read:{root}'})
    assert second.show('ActiveState') == 'active' and second.show('StatusErrno') == '0'


@pytest.mark.parametrize('step', [step for step in STEPS if step not in NOT_TRANSIENT])
@pytest.mark.parametrize('what', ['kill', '28'])
def test_faults(machine, transient, root, place, step, what):
    """A launcher that dies, or fails, leaves nothing, and the name can be used again."""
    machine.run(['mkdir', '-m', '0700', f'{place}/data'])
    definition = ('[Container]\nConsole=yes\nWorkingDirectory=/tmp\n' +
                  command('exec sleep 1000', 'Path=fd:root\nOverlay=yes', mount('data')).replace('[Container]\n', '', 1) +
                  '[Resources]\nLimitNOFILE=4096\nSysctl=net.ipv4.ip_forward=1\n[Hooks]\nStart=/bin/true\n')
    descriptors = {'root': f'read:{root}', 'data': f'read:{place}/data'}
    one = transient()
    one.run(definition, descriptors, environment=[f'BERTH_FAULT={step}:{what}', 'BERTH_FAULT_SEEN=1'])
    assert one.show('ActiveState') == 'failed', one.status()
    one.run(definition, descriptors)
    assert one.show('ActiveState') == 'active', one.journal()
    one.stop()


def test_fifty_at_once(machine, transient, place):
    machine.run(['sh', '-c', f'cp -a /srv/guests/busybox {place}/root && chmod 0700 {place}/root'])
    many = [transient() for _ in range(50)]
    for one in many:
        one.run(command('exec sleep 1000', 'Path=fd:root\nReadOnly=yes'), {'root': f'read:{place}/root'}, wait=False)
    for one in many:
        one.wait_state('active')
    assert len({one.main_pid() for one in many}) == 50
    machine.run(['systemctl', 'stop', *[one.unit for one in many]], timeout=300)
