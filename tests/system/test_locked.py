# SPDX-License-Identifier: LGPL-2.1-or-later
"""No restriction that a start puts on a mount can be lifted inside, by the kernel's own locks and no LSM.

The probe is the container's command, with all capabilities that a container's root ever has. It tries each flag of
each mount by remount, mount_setattr(2) and on copies; it tries to unmount, move and look beneath, and to mount
/proc and /sys anew: in the container, in a mount namespace of its own, in a user namespace of its own.
"""

import pytest

import probe

RESTRICTED = '[Mount]\nSource={source}\nTarget=/mnt\nReadOnly=yes\nRecursive=yes\nOptions=nosuid nodev noexec noatime\n'
ROOTS = {
    'as-it-is': '[Root]\nPath={tree}\n',
    'read-only': '[Root]\nPath={tree}\nReadOnly=yes\nOptions=nosuid nodev\n',
    'overlay': '[Root]\nPath={tree}\nOverlay=yes\nOptions=nosuid nodev\n',
    'ephemeral': '[Root]\nPath={tree}\n[Container]\nEphemeral=yes\n',
}
PLACES = ('the container', 'a mount namespace inside', 'a user namespace inside')
FLAGS = ('ro', 'nosuid', 'nodev', 'noexec', 'noatime')


@pytest.fixture(scope='module')
def probe_tree(local, tmp_path_factory):
    path = probe.install(local, probe.compile_probe(tmp_path_factory.mktemp('probe')))
    yield path
    local.remove(path)


@pytest.fixture(scope='module')
def source(local):
    """A directory with another file system mounted in it, which is writable on the host."""
    path = '/srv/scratch/locked-source'
    local.run(f'mkdir -p {path}/below && mount -t tmpfs below {path}/below && echo there >{path}/below/file')
    yield path
    local.run(f'umount {path}/below && rm -r {path}')


def attempts(report):
    """(mount, way, result) of each attempt on what the start has mounted."""
    split = [a.rsplit(' ', 2) for a in report.all('attempt')]
    return [tuple(s) for s in split if s[0] != 'own']


@pytest.mark.parametrize('root', ROOTS)
def test_nothing_can_be_lifted(container, probe_tree, source, root):
    definition = '[Container]\nCommand=/probe locked\n' + ROOTS[root] + RESTRICTED
    report = probe.run(container('locked', definition.format(tree=probe_tree, source=source)), timeout=60)

    assert report.all('where') == list(PLACES) and not report.all('unshare') and not report.all('died')
    assert [a for a in attempts(report) if a[2] == 'ok'] == []
    assert report.all('changed') == []

    # All was tried, by somebody who could.
    own = [a for a in report.all('attempt') if a.startswith('own ')]
    assert len(own) == 3 * len(PLACES) and all(a.endswith(' ok') for a in own), own
    options = {r.split()[0]: r.split()[2].split(',') for r in report.all('restricted')}
    tried = {(path, way) for path, way, _ in attempts(report)}
    for path, words in options.items():
        assert (path, 'umount-detach') in tried
        for flag in set(words) & set(FLAGS):
            assert {(path, f'{way}-{flag}') for way in ('remount-bind', 'setattr', 'setattr-recursive')} <= tried

    # What is restricted, and how.
    assert {'ro', 'nosuid', 'nodev', 'noexec', 'noatime'} <= set(options['/mnt']) & set(options['/mnt/below'])
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
