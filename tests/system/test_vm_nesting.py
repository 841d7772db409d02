# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nesting=yes where the kernel has all cgroup controllers and LSMs: berth, LXC, podman as it is packaged, systemd-nspawn
and bubblewrap in a container, and berth three levels deep. The rest is in test_nesting.py."""

import re

import pytest
from built import BUILD_OPTIONS

import nesting


@pytest.fixture
def machine(vm):
    return vm


@pytest.fixture(scope='module')
def outer(vm):
    one = nesting.Outer(vm, 'outer')
    try:
        assert one.boot() == 'running'
        one.install(BUILD_OPTIONS)
        yield one
    finally:
        one.remove()


@pytest.mark.parametrize('tool', nesting.TOOLS)
def test_others(outer, tool):
    done = outer.run(tool)
    assert 'O\nK' in done.stdout.replace('\r', ''), done.stdout + done.stderr


def test_three_levels(outer):
    """On all of them lies the outermost container's AppArmor profile."""
    def look_on():
        told = outer.machine.run(f'for p in $(cat $(find /sys/fs/cgroup/machine.slice/{outer.unit}/payload -name '
                                 'cgroup.procs)); do echo $(cat /proc/$p/comm /proc/$p/attr/apparmor/current); done')
        # But for those that ended meanwhile.
        labels = [words for words in map(str.split, told.stdout.splitlines()) if len(words) > 1]
        assert {'systemd', 'busybox'} <= {words[0] for words in labels}
        profiles = {words[1].split('//&')[0] for words in labels}
        assert len(profiles) == 1 and profiles.pop().startswith('berth-'), labels
    nesting.check_three_levels(outer, look_on)


PARSER = '[Security]\nCapabilities=CAP_MAC_ADMIN\n' + ''.join(
    f'[Mount]\nSource={path}\nTarget={path}\nCreate=yes\nReadOnly=yes\n' for path in ('/usr/sbin/apparmor_parser', '/etc/apparmor.d'))
STACKED = re.compile(r'berth-[0-9a-f]{64}//&:berth-profiled:berth-[0-9a-f]{64} \(enforce\)')


def test_profiles_of_its_own(vm):
    """In a guest that may load profiles, berth confines its containers by a generated one, and the outer one lies on them as
    well. What the parser itself loads is the guest's, too."""
    outer = nesting.Outer(vm, 'profiled', more=PARSER)
    try:
        assert outer.boot() == 'running'
        outer.install(BUILD_OPTIONS)
        text = f'[Container]\nCommand=/bin/busybox sleep 100000\n[Root]\nPath=/srv/private/r\n{nesting.IDENTITY}'
        outer.inside(nesting.inner(text, 'inside'))
        told = vm.run(f'for p in $(cat $(find /sys/fs/cgroup/machine.slice/{outer.unit}/payload -name cgroup.procs)); do '
                      'echo $(cat /proc/$p/comm /proc/$p/attr/apparmor/current); done').stdout
        assert [line for line in told.splitlines() if line.startswith('busybox ') and STACKED.fullmatch(line.split(' ', 1)[1])], told
        outer.inside('systemctl stop container@inside')
        words = 'apparmor_parser --replace /etc/apparmor.d/lsb_release && grep lsb_release /sys/kernel/security/apparmor/profiles'
        assert outer.inside(f'systemd-run --quiet --collect --wait --pipe sh -c "{words}"').stdout.strip() == 'lsb_release (enforce)'
    finally:
        outer.remove()
        vm.run('rmdir /sys/kernel/security/apparmor/policy/namespaces/berth-profiled', check=False)


def test_without(vm):
    """What the others need of the kernel is shut where Nesting= is not set."""
    plain = nesting.Outer(vm, 'plain', nesting=False, container='Command=/bin/sleep 100000\n')
    try:
        plain.start()
        plain.inside(nesting.PREPARE)
        nesting.check_nothing_is_gained(plain)
        assert plain.inside(nesting.TOOLS['bubblewrap'], check=False).returncode != 0
    finally:
        plain.remove()
