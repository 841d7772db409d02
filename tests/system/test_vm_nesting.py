# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nesting=yes where the kernel has all cgroup controllers and LSMs: berth, LXC, podman as it is packaged, systemd-nspawn
and bubblewrap in a container, and berth three levels deep. The rest is in test_nesting.py."""

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
        labels = [line.split() for line in told.stdout.splitlines()]
        assert {'systemd', 'busybox'} <= {words[0] for words in labels}
        profiles = {words[1].split('//&')[0] for words in labels}
        assert len(profiles) == 1 and profiles.pop().startswith('berth-'), labels
    nesting.check_three_levels(outer, look_on)


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
