# SPDX-License-Identifier: LGPL-2.1-or-later
"""R1, R7, R8, R14: links, races and nodes that lead a start out of the container's root, or that make what a container
writes somebody's on the host. The canary is a directory of the host that none of them may change."""

import itertools

import pytest

import attack
from attack import CANARY

EVE = 4321
PUBLIC = '/srv/attacks-public'
SECRET = 'what only root reads'
TRIES = 1000            # of a race that takes a few
serial = itertools.count()


@pytest.fixture
def public(machine):
    """Where every user of the host may go."""
    machine.run(['mkdir', '-p', PUBLIC])
    yield PUBLIC
    machine.remove(PUBLIC)


def as_eve(machine, *argv):
    return machine.run(['setpriv', f'--reuid={EVE}', f'--regid={EVE}', '--clear-groups', *argv], check=False)


def tmpfs(target):
    return f'[Mount]\nType=tmpfs\nTarget={target}\nCreate=yes\n'


# -- links in the image ------------------------------------------------------------------------------------

# How the image leads to the canary, and the target of a mount.
FORMS = {
    'absolute': (f'ln -s {CANARY} link', '/link/new'),
    'upwards': (f'mkdir -p a/b && ln -s ../../../../../../../../..{CANARY} a/b/link', '/a/b/link/new'),
    'on the way': (f'ln -s {CANARY} link', '/link/dir/new/deep'),
    'a link to a link': (f'ln -s {CANARY} first && ln -s first link', '/link/new'),
}


@pytest.mark.parametrize('form', FORMS)
def test_mount_target_that_is_a_link(attacked, tree, machine, programs, canary, form):
    """R1, CVE-2015-1335: a missing target is made where a link of the image leads."""
    root = attack.Tree(machine, programs, tree('busybox'))
    script, target = FORMS[form]
    machine.run(f'cd {root.path} && {script}')
    for overlay in ('yes', 'no'):
        definition = root.definition('/hostile ids', sections=tmpfs(target), root=f'Overlay={overlay}\n')
        attack.told(attacked(f'target-{overlay}', definition))
        assert canary(), overlay
        attack.told(attacked(f'target-{overlay}-weak', definition, 'links'))
        assert not canary(), overlay
        machine.run(f'rm -r {CANARY}/new {CANARY}/dir/new', check=False)


def test_mount_target_that_comes_and_goes(attacked, container, machine, hostile, canary):
    """R1, CVE-2021-30465: a container changes a directory of a volume for a link and back while another one starts that
    has a mount in that directory."""
    volume = '/srv/scratch/attacks-volume'
    machine.run(f'mkdir -p {volume}/dir && ln -s {CANARY}/dir {volume}/link')
    shared = f'[Mount]\nSource={volume}\nTarget=/mnt/volume\nCreate=yes\nIDMap=yes\n'
    racer = container('racer', hostile.definition('/hostile swap /mnt/volume/dir /mnt/volume/link', sections=shared))
    safe, weak = attacked('raced', ''), attacked('raced-weak', '', 'links')

    def starts(one):
        one.define(hostile.definition('/hostile ids', sections=shared + tmpfs(f'/mnt/volume/dir/new-{next(serial)}')))
        return attack.told(one) is not None
    try:
        racer.start()
        seen = set()
        for count in range(TRIES):
            seen.add(starts(safe))
            assert canary()
            if len(seen) == 2 and count > 10:
                break
        assert seen == {True, False}, 'the race did not take place'
        assert any(starts(weak) and not canary() for _ in range(TRIES))
    finally:
        racer.remove()
        machine.remove(volume)


@pytest.mark.parametrize('namespace', ['yes', 'no'])
def test_mount_target_that_leads_to_dev(attacked, tree, machine, programs, public, namespace):
    """R1, R5, R8, CVE-2024-21626: a container changes the target of its own volume for a link to /dev, and in the volume
    has a null that leads to what the launcher has open: process 1's standard input would be a directory of the host's
    at the next start, and the way up from there the host's as long as the launcher lives. Either protection is enough."""
    root = attack.Tree(machine, programs, tree('busybox'))
    volume = '/srv/scratch/attacks-volume'
    machine.write(f'{public}/secret', f'{SECRET}\n')
    script = root.script('climb', f'echo "read=$(cat /proc/self/fd/0{"/.." * 9}{public}/secret)"\n'
                                  'echo probe=done; exec /hostile notify READY=1')
    machine.run(f'chmod 755 {root.path} && ln -s /dev {root.path}/data && mkdir -p {volume}/pts {volume}/shm')
    definition = root.definition(script, 'Ready=guest\n', sections=(
        f'[Identity]\nUserNamespace={namespace}\n[Mount]\nSource={volume}\nTarget=/data\n'))

    def climbed(number, weaken):
        machine.run(f'ln -sfn /proc/self/fd/{number} {volume}/null')
        one = attacked(f'climbs-{number}{weaken.replace(",", "-")}', definition, weaken)
        report = attack.told(one)
        assert report or any(text in one.show('StatusText') for text in ('/data to /dev', 'failed to run /dev/null'))
        return report and report['read']
    try:
        found = next((n for n in range(3, 20) if climbed(n, 'targets,proc-links') == SECRET), None)
        assert found, 'no descriptor of the launcher leads outside'
        for weaken in ('', 'targets', 'proc-links'):
            assert climbed(found, weaken) is None, weaken
    finally:
        machine.remove(volume)


@pytest.mark.parametrize('place', ['/', '/dev', '/proc', '/proc/sys/net', '/sys/kernel', '/run/host', '/run/host/inaccessible'])
def test_mount_target_that_leads_to_what_is_reserved(attacked, tree, machine, programs, place):
    """R1: by no link a mount comes to where a definition could not have it by name."""
    root = attack.Tree(machine, programs, tree('busybox'))
    machine.run(f'ln -s {place} {root.path}/data')
    one = attacked('reserved', root.definition('/hostile ids', sections='[Mount]\nType=tmpfs\nTarget=/data\n'))
    assert attack.told(one) is None
    assert f'a link in the root leads from the target /data to {place}, where' in one.show('StatusText')


def test_dev_that_is_a_link(attacked, tree, machine, programs, canary):
    """R8, CVE-2026-41579, CVE-2025-52565: the image's /dev leads elsewhere, and its /dev/null is what process 1 reads.
    That has to be a character device, behind no link, besides."""
    root = attack.Tree(machine, programs, tree('busybox'))
    machine.run(f'cd {root.path} && rm -rf dev && ln -s {CANARY}/dir dev && mkdir -p .{CANARY}/dir && '
                f'echo trap >.{CANARY}/dir/null')
    definition = root.definition('/probe report', root='')
    assert attack.told(attacked('dev', definition)) is None and canary()
    assert attack.told(attacked('dev-weak', definition, 'links')) is None
    assert attack.told(attacked('dev-weaker', definition, 'links,proc-links'))['fd.0'] == f'{CANARY}/dir/null'


def test_proc_that_is_a_link(attacked, tree, machine, programs, canary):
    """R7, CVE-2019-16884, CVE-2019-19921: the image's /proc leads elsewhere, and tells what the attacker wrote there."""
    root = attack.Tree(machine, programs, tree('busybox'))
    machine.run(f'cd {root.path} && rm -rf proc && ln -s {CANARY}/dir proc && mkdir -p .{CANARY}/dir/self/attr && '
                f'echo a trusted label >.{CANARY}/dir/self/attr/current')
    definition = root.definition(root.script('label', 'echo "label=$(cat /proc/self/attr/current)"'), root='')
    assert attack.told(attacked('proc', definition)) is None and canary()
    assert attack.told(attacked('proc-weak', definition, 'links'))['label'] == 'a trusted label'


# -- links on the host -------------------------------------------------------------------------------------


def test_link_of_a_user(attacked, machine, hostile, public):
    """R1, flatpak 2024-42472: a directory that is mounted is its owner's, who puts a link in its place; see test_sources."""
    machine.run(f'mkdir -p {public}/eve {public}/secret && chown {EVE}:{EVE} {public}/eve')
    machine.write(f'{public}/secret/file', f'secret={SECRET}\n', 0o600)
    assert as_eve(machine, 'ln', '-s', '../secret', f'{public}/eve/data').returncode == 0
    definition = hostile.definition(hostile.script('reads', 'cat /mnt/file'), sections=(
        f'[Mount]\nSource={public}/eve/data\nTarget=/mnt\nIDMap=yes\nReadOnly=yes\n'))
    assert attack.told(attacked('linked', definition)) is None
    assert attack.told(attacked('linked-weak', definition, 'source-links'))['secret'] == SECRET


# -- what a container leaves on the host -------------------------------------------------------------------


def test_set_user_id_program(attacked, machine, programs, public):
    """R14, Incus CVE-2025-64507: the container's root makes a set-user-ID program, and a user of the host runs it."""
    machine.run(f'mkdir -p {public}/above && cp -a /srv/guests/busybox {public}/above/root')
    root = attack.Tree(machine, programs, f'{public}/above/root')
    machine.run(f'chmod 0755 {public} {public}/above {root.path}')
    definition = root.definition(root.script('make', 'cp /hostile /su && chmod 4755 /su'), root='')
    assert attack.told(attacked('su', definition)) is None
    assert not machine.exists(f'{root.path}/su')
    assert attack.told(attacked('su-weak', definition, 'shelter'))
    assert as_eve(machine, f'{root.path}/su', 'ids').stdout.startswith(f'ids={EVE} 0\n')


def test_device_nodes_of_an_image(attacked, machine, tree, programs):
    """R4: a node that somebody put into an image, or that a container without a user namespace made on what it shares."""
    root = attack.Tree(machine, programs, tree('busybox'))
    machine.run(f'mknod -m 666 {root.path}/node c 1 5 && mkdir {root.path}/share && mknod -m 666 {root.path}/share/node c 1 5')
    share = f'[Mount]\nSource={root.path}/share\nTarget=/mnt\nReadOnly=yes\n'
    definition = root.definition('/probe open /node /mnt/node', sections=share)
    assert attack.told(attacked('nodes', definition)).below('read') == {'/node': 'EACCES', '/mnt/node': 'EACCES'}
    weak = attack.told(attacked('nodes-weak', definition, 'nodev'))
    assert weak.below('byte') == {'/node': 'ok', '/mnt/node': 'ok'}
    nobody = root.script('make', 'mknod /new c 1 5 2>/dev/null && echo made=new\nmknod /mnt/new c 1 5 2>/dev/null && echo made=mnt')
    assert not attack.told(attacked('makes', root.definition(nobody, sections=share))).all('made')
