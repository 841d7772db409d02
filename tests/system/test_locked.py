# SPDX-License-Identifier: LGPL-2.1-or-later
"""No restriction that a start puts on a mount can be lifted inside, by the kernel's own locks and no LSM.

The probe is the container's command, with all capabilities that a container's root ever has. It tries each flag of
each mount by remount, mount_setattr(2) and on copies; it tries to unmount, move and look beneath, and to mount
/proc and /sys anew: in the container, in a mount namespace of its own, in a user namespace of its own.
"""

import pytest

import probe
from store import FOREIGN

ALL = 'nosuid nodev noexec noatime'
# Each kind of mount that a definition can ask for, and masks. Nothing but the kernel's locks is in the way.
RESTRICTED = f'''
[Mount]
Source={{source}}
Target=/mnt
ReadOnly=yes
Recursive=yes
Options={ALL}
[Mount]
Source={{source}}
Target=/opt/mapped
ReadOnly=yes
IDMap=yes
Recursive=no
Options={ALL}
[Mount]
Source={{source}}/file
Target=/opt/file
ReadOnly=yes
Options={ALL}
[Mount]
Type=tmpfs
Target=/opt/tmpfs
ReadOnly=yes
Options={ALL}
[Security]
Seccomp=off
Capabilities=all
MaskPaths=/proc/interrupts /sys/kernel /proc/sys/vm
UnmaskPaths=/proc/sys/user
'''
ROOTS = {
    'as-it-is': '[Root]\nPath={tree}\n',
    'read-only': '[Root]\nPath={tree}\nReadOnly=yes\nOptions=nosuid nodev\n',
    'overlay': '[Root]\nPath={tree}\nOverlay=yes\nOptions=nosuid nodev\n',
    'managed': '[Root]\nManaged=yes\nOptions=nosuid nodev noatime\n',
    'image': '[Root]\nImage={image}\nOptions=nosuid nodev noatime\n',
    'ephemeral': '[Root]\nPath={tree}\n[Container]\nEphemeral=yes\n',
}
PLACES = ('the container', 'a mount namespace inside', 'a user namespace inside')
WAYS = ('remount-bind', 'setattr', 'setattr-recursive', 'clone-setattr', 'clone-setattr-recursive', 'in-clone-setattr',
        'bind-remount', 'remount')
FLAGS = ('ro', 'nosuid', 'nodev', 'noexec', 'noatime')


@pytest.fixture(scope='module')
def probe_tree(local, tmp_path_factory):
    path = probe.install(local, probe.compile_probe(tmp_path_factory.mktemp('probe')))
    local.run(f'mkdir -p {path}/opt/mapped {path}/opt/tmpfs && touch {path}/opt/file')
    yield path
    local.remove(path)


@pytest.fixture(scope='module')
def source(local):
    """A directory with another file system mounted in it, which is writable on the host."""
    path = '/srv/scratch/locked-source'
    local.run(f'mkdir -p {path}/below && mount -t tmpfs below {path}/below && '
              f'echo there | tee {path}/below/file >{path}/file')
    yield path
    local.run(f'umount {path}/below && rm -r {path}')


@pytest.fixture
def image(machine, probe_tree):
    path = '/srv/scratch/locked.raw'
    machine.run(f'truncate -s 64M {path} && mkfs.ext4 -q -d {probe_tree} {path} && chmod 0600 {path}')
    yield path
    machine.remove(path)


@pytest.fixture
def managed(machine, probe_tree):
    """As berth keeps roots itself: their owners are in the foreign range."""
    path = '/var/lib/berth/roots/locked'
    machine.run(f'mkdir -p -m 0700 /var/lib/berth/roots && cp -a {probe_tree} {path} && chown -hR {FOREIGN}:{FOREIGN} {path}')
    yield path
    machine.remove(path)


def attempts(report):
    """(mount, way, result) of each attempt on what the start has mounted."""
    split = [a.rsplit(' ', 2) for a in report.all('attempt')]
    return [tuple(s) for s in split if s[0] != 'own']


@pytest.mark.parametrize('root', ROOTS)
def test_nothing_can_be_lifted(container, request, probe_tree, source, root):
    definition = '[Container]\nCommand=/probe locked\n' + ROOTS[root] + RESTRICTED
    if root == 'managed':
        request.getfixturevalue('managed')
    image = request.getfixturevalue('image') if root == 'image' else ''
    one = container('locked', definition.format(tree=probe_tree, source=source, image=image))
    report = probe.run(one, timeout=60)

    assert report.all('where') == list(PLACES) and not report.all('unshare') and not report.all('died')
    assert [a for a in attempts(report) if a[2] == 'ok'] == []
    assert report.all('changed') == []

    # All was tried, by somebody who could.
    own = [a for a in report.all('attempt') if a.startswith('own ')]
    assert len(own) == 5 * len(PLACES) and all(a.endswith(' ok') for a in own), own
    options = {r.split()[0]: r.split()[2].split(',') for r in report.all('restricted')}
    tried = {(path, way) for path, way, _ in attempts(report)}
    for path, words in options.items():
        assert (path, 'umount-detach') in tried
        for flag in set(words) & set(FLAGS):
            assert {(path, f'{way}-{flag}') for way in WAYS} <= tried, (path, flag)

    # What is restricted, and how.
    assert {'ro', 'nosuid', 'nodev', 'noexec', 'noatime'} <= set(options['/mnt']) & set(options['/mnt/below'])
    for path in ('/opt/mapped', '/opt/file', '/opt/tmpfs'):
        assert {'ro', 'nosuid', 'nodev', 'noexec', 'noatime'} <= set(options[path]), path
    for path in ('/proc/interrupts', '/sys/kernel', '/proc/sys/vm', '/proc/kallsyms', '/proc/sys/user'):
        assert {'nosuid', 'nodev', 'noexec'} <= set(options[path]), path
    assert ('ro' in options['/']) == (root == 'read-only')
    for path in ('/proc/sys', '/sys', '/run/host'):
        assert {'ro', 'nosuid', 'nodev', 'noexec'} <= set(options[path]), path
    assert {'nosuid', 'nodev', 'noexec'} <= set(options['/proc']) & set(options['/sys/fs/cgroup'])


def test_the_probe_sees_what_is_not_locked(container, probe_tree):
    """Without a user namespace nothing is locked, and the same attempts succeed."""
    definition = f'[Root]\nPath={probe_tree}\nReadOnly=yes\n[Identity]\nUserNamespace=no\n[Container]\nCommand=/probe locked\n'
    report = probe.run(container('unlocked', definition))
    done = {(path, way) for path, way, result in attempts(report) if result == 'ok'}
    assert {('/', 'remount-bind-ro'), ('/', 'setattr-ro'), ('/', 'umount-detach')} <= done
    assert report.all('changed')
