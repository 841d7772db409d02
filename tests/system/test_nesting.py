# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nesting=yes: berth in berth, three levels deep, and other container managers; and that without it none of them has a
container. With a kernel and cgroup controllers of their own: test_vm_nesting.py."""

import json

import pytest
from built import BUILD_OPTIONS
from leftovers import difference, snapshot

import nesting


# Ten blocks besides its own, on which nobody else's container of this machine can be.
IDS = '[Identity]\nIDMap=0:1073741824:65536 1048576:1073807360:655360\n'


@pytest.fixture
def machine(local13):
    return local13


@pytest.fixture(scope='module')
def outer(local13):
    before = snapshot(local13)
    one = nesting.Outer(local13, 'outer', more=IDS)
    try:
        local13.run(['systemctl', 'start', 'systemd-machined.service'])
        assert one.boot() == 'running'
        one.install(BUILD_OPTIONS)
        yield one
    finally:
        one.remove()
        local13.run(['systemctl', 'stop', 'systemd-machined.service'])
    left = difference(local13, before, patience=60)
    assert not left, left


@pytest.fixture(scope='module')
def plain(local13):
    one = nesting.Outer(local13, 'plain', nesting=False)
    try:
        assert one.boot() == 'running'
        one.install(BUILD_OPTIONS)
        yield one
    finally:
        one.remove()


# The machine has no cgroup controllers, which podman insists on.
PODMAN = '--cgroups=disabled'


@pytest.mark.parametrize('tool', nesting.TOOLS)
def test_others(outer, tool):
    done = outer.run(tool, podman=PODMAN)
    assert 'O\nK' in done.stdout.replace('\r', ''), done.stdout + done.stderr


@pytest.mark.parametrize('tool', nesting.TOOLS)
def test_others_without(plain, tool):
    assert 'O\nK' not in plain.run(tool, podman=PODMAN).stdout.replace('\r', '')


def test_nothing_is_gained_without(plain):
    nesting.check_nothing_is_gained(plain)


def test_what_is_visible(outer):
    """The kernel sees an uncovered /proc and /sys; nobody finds a way there, or takes the cover away."""
    assert outer.inside('unshare -Urmpf sh -c "mount -t proc proc /mnt && echo $$"').stdout.strip()
    assert outer.inside('unshare -Urmn sh -c "mount -t sysfs sysfs /mnt && echo yes"').stdout == 'yes\n'
    assert outer.inside('ls -A /run/host/nesting').stdout == ''
    outer.inside('unshare -m mount --rbind /run/host /mnt')
    for words in ('umount /run/host/nesting', 'umount -l /run/host/nesting', 'mount --bind /run/host /mnt',
                  'unshare -m sh -c "umount -l /run/host/nesting"',
                  'unshare -m sh -c "mount --rbind /run/host /mnt && umount -l /mnt/nesting"',
                  'unshare -Urm sh -c "mount --rbind /run/host /mnt && umount -l /mnt/nesting"',
                  'unshare -Urm umount -l /run/host/nesting'):
        assert outer.inside(words, check=False).returncode != 0, words


def test_three_levels(outer):
    nesting.check_three_levels(outer)


def test_ids_of_its_own(outer):
    """Of the ids that the outer container was given besides, berth in it takes a block, for a root that can be mounted
    with mapped ids there."""
    outer.inside('mkdir -p -m 700 /srv/memory && mount -t tmpfs -o mode=700 tmpfs /srv/memory && cp -a /srv/private/r /srv/memory/')
    text = '[Container]\nCommand=/bin/busybox sleep 100000\n[Root]\nPath=/srv/memory/r\n'
    told = outer.inside(nesting.inner(text, 'mapped') + nesting.enter('mapped', 'cat /proc/1/uid_map; ls -ldn /bin'))
    ids, owner = told.stdout.splitlines()
    inside, outside, count = map(int, ids.split())
    assert (inside, count) == (0, 65536) and outside % 65536 == 0 and 1048576 <= outside < 1048576 + 655360
    assert owner.split()[2:4] == ['0', '0']
    outer.inside('systemctl stop container@mapped; umount /srv/memory')


INNER = (f'[Container]\nConsole=yes\nCommand=/bin/sh -i\n[Root]\nPath=/srv/private/r\n{nesting.IDENTITY}')


def test_machine_option(outer):
    """berthctl -M: the service in the container, by the bus in it, descriptors and all; what is missing is told."""
    def ctl(*words, status=0, name='outer', **more):
        done = outer.machine.run(['berthctl', '-M', name, *words], check=False, timeout=60 * outer.machine.patience, **more)
        assert done.returncode == status, done.stdout + done.stderr
        return done
    outer.inside("systemctl reload dbus && systemctl start berth-helper.socket berth-console.socket && mkdir -p "
                 f"/etc/berth/containers && cat >/etc/berth/containers/inner.container <<'END'\n{INNER}END")
    ctl('start', 'inner')
    try:
        check_machine_option(outer, ctl)
    finally:
        outer.inside('systemctl stop container@inner; rm /etc/berth/containers/inner.container')
    assert 'ran when it was started' in ctl('list', name='nobody', status=1).stderr
    refused = outer.machine.run(['setpriv', '--reuid=nobody', 'berthctl', '-M', 'outer', 'list'], check=False)
    assert refused.returncode == 5 and "root's rights" in refused.stderr


def check_machine_option(outer, ctl):
    assert 'berthctl -M outer list shows' in ctl('start', 'nobody', status=4).stderr
    assert {row['name']: row['state'] for row in json.loads(ctl('list', '--json').stdout)}['inner'] == 'running'
    assert '4242' in ctl('console', 'inner', input='echo $((6*7))42\nexit\n').stdout
    ctl('stop', 'inner')
    assert 'State: stopped' in ctl('status', 'inner', status=3).stdout
    outer.inside('journalctl --sync')
    assert 'Started container@inner.service' in ctl('logs', 'inner').stdout


REFUSED = [
    ('', 'cannot be id-mapped in it'),
    ('[Identity]\nIDMap=0:1000:5000\n', 'cannot be id-mapped in it'),
]


@pytest.mark.parametrize('ids, words', REFUSED)
def test_refused(outer, ids, words):
    text = f'[Container]\nCommand=/bin/sh\n[Root]\nPath=/srv/private/r\n{ids}'
    done = outer.inside(nesting.inner(text, 'refused'), check=False)
    assert done.returncode != 0 and words in done.stdout, done.stdout


@pytest.mark.parametrize('ids, words', [
    (nesting.IDENTITY, 'may not have containers; it needs [Security] Nesting=yes'),
    ('', 'has no block of 65536 ids left; give it one from outside, or set [Identity] IDMap=0:0:65536'),
])
def test_refused_without(plain, ids, words):
    text = f'[Container]\nCommand=/bin/sh\n[Root]\nPath=/srv/private/r\n{ids}'
    done = plain.inside(nesting.inner(text, 'refused'), check=False)
    assert done.returncode != 0 and words in done.stdout, done.stdout
