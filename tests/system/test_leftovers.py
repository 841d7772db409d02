# SPDX-License-Identifier: LGPL-2.1-or-later
"""The check that tests leave nothing behind in a machine notices each kind of thing that could stay."""

import re

import pytest

from leftovers import difference, snapshot
from waiting import wait_for

UNIT = 'container@left.service'


@pytest.mark.parametrize('leave, tidy, says', [
    ('mkdir -p /run/x && mount -t tmpfs x /run/x', 'umount /run/x', 'mounts: /run/x'),
    (f'mkdir -p /sys/fs/cgroup/machine.slice/{UNIT}', f'rmdir /sys/fs/cgroup/machine.slice/{UNIT}',
     f'cgroups: .*{UNIT}'),
    ('systemd-run --unit=left --slice=machine.slice sleep 1000', 'systemctl stop left', 'processes: .*sleep 1000'),
    ('systemd-run --unit=left unshare --user sleep 1000', 'systemctl stop left', 'processes: .*sleep 1000'),
    ('mkdir -p /run/berth/x', 'rmdir /run/berth/x', 'files: /run/berth/x'),
    ('mkdir -p /var/lib/berth/overlays/x', 'rmdir /var/lib/berth/overlays/x', 'files: /var/lib/berth/overlays/x'),
    ('mkdir /srv/scratch/x; systemd-run --unit=left flock /srv/scratch/x sleep 1000',
     'systemctl stop left; rmdir /srv/scratch/x', 'locks: /srv/scratch/x'),
    ('ip link add left type veth peer name right', 'ip link del left', 'interfaces: left'),
])
def test_notices(machine, leave, tidy, says):
    before = snapshot(machine)
    assert difference(machine, before) == ''
    machine.run(leave)
    wait_for(machine, lambda: re.search(says, difference(machine, before, patience=0)),
             lambda: f'only this was noticed: {difference(machine, before, patience=0)}')
    machine.run(tidy)
    assert difference(machine, before) == ''
