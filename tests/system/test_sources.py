# SPDX-License-Identifier: LGPL-2.1-or-later
"""Paths of the host in a trusted definition: who else can decide where they lead, and who else gets to what a
container writes there with the ids of the host. EVE is a user of the host without any right.
"""

import itertools
import os
import struct

import pytest

from waiting import unmount

EVE = 4321
AS_EVE = ['setpriv', f'--reuid={EVE}', f'--regid={EVE}', '--clear-groups']
PLACE = '/srv/place'
SECRET = 'what only root reads'
serial = itertools.count()

LINK = '{name} is a symbolic link that others than root can change; name the place itself'
EXPOSED = ('every user of this host can get there, and could use a set-user-ID program that the container makes there; '
           'take the directory above it away from others (chmod 0700), or {instead}')


@pytest.fixture
def place(machine):
    """Directories that everybody can enter: eve's own, root's, and one with a secret."""
    machine.run(f'''mkdir -p {PLACE}/eve/real {PLACE}/root/real {PLACE}/secret/real && cd {PLACE} &&
                    echo real >eve/real/file && echo real >root/real/file && echo "{SECRET}" >secret/file &&
                    echo "{SECRET}" >secret/real/file && chmod 0600 secret/file secret/real/file &&
                    chown -R {EVE}:{EVE} eve''')
    yield PLACE
    machine.remove(PLACE)


@pytest.fixture
def public_tree(machine):
    """public_tree(): a busybox guest below directories that everybody can enter."""
    made = []

    def make():
        path = f'/srv/public-{next(serial)}'
        made.append(path)
        machine.run(f'mkdir -p {path}/above && cp -a /srv/guests/busybox {path}/above/root && '
                    f'chmod 0755 {path} {path}/above')
        return f'{path}/above/root'
    yield make
    for path in made:
        unmount(machine, f'{path}/above')
    machine.remove(*made)


def as_eve(machine, script, check=True):
    return machine.run([*AS_EVE, '/bin/sh', '-c', script], check=check)


def of_mount(source, more='IDMap=yes\nReadOnly=yes\n', command='/bin/sleep 100000'):
    return (f'[Container]\nCommand={command}\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
            f'[Mount]\nSource={source}\nTarget=/mnt\n{more}')


def of_root(path, more='', command='/bin/sleep 100000'):
    return f'[Container]\nCommand={command}\n[Root]\nPath={path}\n{more}'


def refused(one, step, cause):
    """It does not start, for this reason, and says so in one sentence."""
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText') == f'Cannot start container {one.name}: failed to {step}: {cause}'
    assert one.show('ExecMainStatus') == '125'
    assert SECRET not in one.journal()


# -- who decides where a path leads -----------------------------------------------------------------------

# Made by whom, how, and the path of a definition that goes through it; the step that is refused.
LINKS = {
    'in place of the directory': ('eve', 'mv eve/real eve/old; ln -s ../secret eve/real', 'eve/real', 'real'),
    'absolute': ('eve', f'ln -s {PLACE}/secret eve/data', 'eve/data', 'data'),
    'on the way': ('eve', 'ln -s ../secret eve/data', 'eve/data/real', 'data'),
    'with a slash behind': ('eve', 'ln -s ../secret eve/data', 'eve/data/', 'data'),
    'behind root\'s link': ('eve', 'ln -s ../secret eve/data', 'link-to-eve/data', 'data'),
    'that root made at eve\'s': ('root', 'ln -s ../secret eve/data', 'eve/data', 'data'),
    'of eve\'s at root\'s': ('root', f'ln -s ../secret root/data; chown -h {EVE} root/data', 'root/data', 'data'),
    'that root made for all': ('root', 'mkdir -m 1777 all; ln -s ../secret all/data', 'all/data', 'data'),
    'that root made for a group': ('root', f'mkdir -m 0775 all; chgrp {EVE} all; ln -s ../secret all/data', 'all/data',
                                   'data'),
    'to a file': ('eve', 'rm eve/real/file; ln -s ../../secret/file eve/real/file', 'eve/real/file', 'file'),
}


@pytest.mark.parametrize('kind', LINKS)
def test_link_of_others_is_not_followed(container, machine, place, kind):
    """Without a walk step by step, the link is followed as root and the secret is mounted."""
    who, script, path, name = LINKS[kind]
    machine.run(f'ln -s eve {place}/link-to-eve')
    (as_eve if who == 'eve' else lambda m, s: m.run(s))(machine, f'cd {place} && {script}')
    one = container('linked', of_mount(f'{place}/{path}', command='/bin/sh -c "cat /mnt /mnt/file"'))
    # The definition may say it with a slash behind; berth does not.
    refused(one, f'make the mount {place}/{path.rstrip("/")} ({one.path}:6)', LINK.format(name=name))
    one.define(of_mount(f'{place}/{path}', 'ReadOnly=yes\n', '/bin/sh -c "cat /mnt /mnt/file"'))
    refused(one, f'make the mount {place}/{path.rstrip("/")} ({one.path}:6)', LINK.format(name=name))
    one.define(of_root(f'{place}/{path}', 'Overlay=yes\n', '/bin/cat /file'))
    refused(one, f'open the root {place}/{path.rstrip("/")}', LINK.format(name=name))


def test_links_of_root_are_followed(container, machine, place):
    """Relative, absolute, through "..", in a row, and to a place below a link."""
    machine.run(f'cd {place}/root && ln -s real one && ln -s {place}/root/one two && ln -s ../root/two three && '
                'ln -s three/file four && ln -s /srv/guests five && ln -s six six')
    one = container('linked', 'placeholder')
    for name, path in (('one', '/mnt/file'), ('two', '/mnt/file'), ('three', '/mnt/file'), ('four', '/mnt'),
                       ('three/file', '/mnt'), ('../root/three', '/mnt/file')):
        target = 'Target=/etc/inittab' if path == '/mnt' else 'Target=/mnt'
        one.define(of_mount(f'{place}/root/{name}').replace('Target=/mnt', target))
        started = one.start(check=False)
        if '..' in name and started.returncode != 0:
            assert '..' in one.journal()        # a definition need not allow it at all
            continue
        assert started.returncode == 0, (name, one.journal())
        assert one.inside(['cat', '/etc/inittab' if path == '/mnt' else path]).stdout == 'real\n', name
        one.stop()
    one.define(of_root(f'{place}/root/five/busybox', 'Overlay=yes\n'))
    one.start()
    assert one.inside(['ls', '/bin/busybox']).stdout == '/bin/busybox\n'
    one.stop()
    one.define(of_mount(f'{place}/root/six'))
    refused(one, f'make the mount {place}/root/six ({one.path}:6)', 'Too many levels of symbolic links')


def test_directory_of_a_user(container, place):
    """What eve owns can be mounted; her ids are then the same inside as on the host."""
    one = container('eves', of_mount(f'{place}/eve/real'))
    one.start()
    assert one.inside('cat /mnt/file; stat -c %u /mnt/file').stdout.split() == ['real', str(EVE)]


def test_link_that_comes_and_goes(container, machine, place):
    """Eve changes the directory for a link and back while containers start: it is the directory, or nothing."""
    swap = 'import ctypes\nlibc = ctypes.CDLL(None)\nwhile True: libc.renameat2(-100, b"real", -100, b"link", 2)\n'
    as_eve(machine, f'cd {place}/eve && ln -s ../secret link')
    unit = f'swap-{next(serial)}'
    machine.run(['systemd-run', f'--unit={unit}', '--collect', f'--working-directory={place}/eve', '/usr/bin/env',
                 *AS_EVE, '/usr/bin/python3', '-c', swap])
    try:
        one = container('raced', of_mount(f'{place}/eve/real', command='/bin/sh -c "cat /mnt/file"'))
        results = []
        while len(results) < 40 or (len(set(results)) == 1 and len(results) < 1000):
            results.append(one.start(check=False).returncode == 0)
            one.wait_for(lambda: one.show('ActiveState') in ('inactive', 'failed'), 'its end')
    finally:
        machine.run(['systemctl', 'stop', unit], check=False)
    assert SECRET not in one.journal()
    assert True in results and False in results, 'the race did not take place'


# -- who gets to what a container writes with the ids of the host ------------------------------------------


def test_writable_root_that_everybody_can_enter(container, machine, public_tree):
    """Else a set-user-ID program that the container's root makes is one of the host's root, for eve too."""
    path = public_tree()
    step = f'open the root {path}'
    one = container('open', of_root(path))
    cause = EXPOSED.format(instead='set [Root] Overlay=yes')
    refused(one, step, cause)
    for settings in ('Overlay=yes\n', 'ReadOnly=yes\n', '[Container]\nEphemeral=yes\n'):
        one.define(of_root(path, settings))
        one.start()
        one.inside('cp /bin/busybox /su && chmod 4755 /su', check=False)
        assert not machine.exists(f'{path}/su')
        one.stop()
    # What the container can change itself is no shelter.
    machine.run(['chmod', '0700', path])
    one.define(of_root(path))
    refused(one, step, cause)


# The mode and group of the directory above, and whether others are kept out.
ABOVE = {'0700 root root': True, '0600 root root': True, '0740 root root': True, '0704 root root': True,
         '0710 root root': False, '0701 root root': False, '0711 root root': False, f'0750 root {EVE}': False,
         f'0700 {EVE} root': False, '0755 root root': False}


@pytest.mark.parametrize('above', ABOVE)
def test_directory_above_a_writable_root(container, machine, public_tree, above):
    path = public_tree()
    mode, owner, group = above.split()
    machine.run(f'chown {owner}:{group} {path}/.. && chmod {mode} {path}/..')
    one = container('above', of_root(path))
    if not ABOVE[above]:
        refused(one, f'open the root {path}', EXPOSED.format(instead='set [Root] Overlay=yes'))
        return
    one.start()
    one.inside('cp /bin/busybox /su && chmod 4755 /su && chmod 0755 /')
    assert machine.run(['stat', '-c', '%u %a', f'{path}/su']).stdout == '0 4755\n'
    assert as_eve(machine, f'test -e {path}/su', check=False).returncode != 0


def test_shelter_further_up(container, machine, public_tree):
    """Any directory on the way will do; but not one that a link leads around."""
    path = public_tree()
    top = path.rsplit('/', 2)[0]
    machine.run(['chmod', '0700', top])
    one = container('above', of_root(path))
    one.start()
    one.stop()
    machine.run(f'mkdir -m 0700 {top}/closed && ln -s ../above/root {top}/closed/link && chmod 0755 {top}')
    one.define(of_root(f'{top}/closed/link'))
    refused(one, f'open the root {top}/closed/link', EXPOSED.format(instead='set [Root] Overlay=yes'))
    machine.run(f'ln -sfn {path} {top}/closed/link')
    refused(one, f'open the root {top}/closed/link', EXPOSED.format(instead='set [Root] Overlay=yes'))


def test_list_of_rights_is_no_shelter(container, machine, public_tree):
    """The mode bits of a directory with an access control list say less than the list."""
    path = public_tree()
    entries = [(1, 7, 0xffffffff), (2, 1, EVE), (4, 0, 0xffffffff), (16, 1, 0xffffffff), (32, 0, 0xffffffff)]
    value = struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)
    machine.run(['/usr/bin/python3', '-c', 'import os, sys; os.setxattr(sys.argv[1], "system.posix_acl_access", '
                 'bytes.fromhex(sys.argv[2]))', os.path.dirname(path), value.hex()])
    as_eve(machine, f'test -e {path}/bin')
    refused(container('listed', of_root(path)), f'open the root {path}',
            EXPOSED.format(instead='set [Root] Overlay=yes'))


def test_writable_root_without_set_user_id(container, machine, public_tree):
    """On a file system that is mounted nosuid there is nothing to take advantage of."""
    path = public_tree()
    above = os.path.dirname(path)
    machine.run(f'mount -t tmpfs -o nosuid,size=16M place {above} && cp -a /srv/guests/busybox {path} && '
                f'chmod 0755 {above}')
    one = container('nosuid', of_root(path))
    one.start()
    one.inside('cp /bin/busybox /su && chmod 4755 /su')
    assert as_eve(machine, f'{path}/su true; exec {path}/bin/busybox id -u').stdout == f'{EVE}\n'
    one.stop()
    machine.run(['mount', '-o', 'remount,suid', above])
    refused(one, f'open the root {path}', EXPOSED.format(instead='set [Root] Overlay=yes'))


def test_writable_mount_that_everybody_can_enter(container, machine, place):
    source = f'{place}/root/real'
    step = 'make the mount {source} ({path}:6)'
    cause = EXPOSED.format(instead='set ReadOnly=yes')
    one = container('mounted', of_mount(source, 'IDMap=yes\n'))
    refused(one, step.format(source=source, path=one.path), cause)
    one.define(of_mount(f'{source}/file', 'IDMap=yes\n'))
    refused(one, step.format(source=f'{source}/file', path=one.path), cause)
    # As it is, its owner has no id inside; read-only, nothing is made.
    for more in ('', 'ReadOnly=yes\nIDMap=yes\n'):
        one.define(of_mount(source, more))
        one.start()
        assert one.inside('echo x >/mnt/new', check=False).returncode != 0
        one.stop()
    machine.run(['chmod', '0700', f'{place}/root'])
    one.define(of_mount(source, 'IDMap=yes\n'))
    one.start()
    one.inside('echo x >/mnt/new; chmod 4755 /mnt/new')
    assert machine.run(['stat', '-c', '%u %a', f'{source}/new']).stdout == '0 4755\n'
    assert as_eve(machine, f'test -e {source}/new', check=False).returncode != 0
