# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images where the kernel holds units to their list of devices: the loop device is on it, and the guest cannot have
one all the same."""

import pytest

COMMAND = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\n'


@pytest.fixture
def machine(vm):
    return vm


@pytest.fixture
def image(machine):
    path = '/srv/scratch/disk.raw'
    machine.run(f'mkdir -p -m 0700 /srv/scratch; truncate -s 32M {path}; mkfs.ext4 -q -d /srv/guests/busybox {path}; '
                f'chmod 0600 {path}', timeout=300)
    yield path
    machine.remove(path)


def test_image(machine, container, image):
    one = container('disk', COMMAND + f'Image={image}\n')
    one.start()
    assert one.inside('echo kept >/file; cat /file').stdout == 'kept\n'
    assert 'block-loop' in one.show('DeviceAllow')
    assert one.inside('mknod /loop b 7 0', check=False).returncode != 0
    one.stop()


def test_managed_image(machine, container, image):
    """The unit is brought up to date when the store gets an image for a definition that was there before."""
    one = container('kept', COMMAND + 'Managed=yes\n')
    assert one.start(check=False).returncode != 0
    assert 'there is no root of this name' in one.show('StatusText')
    machine.run(f'mkdir -p -m 0700 /var/lib/berth/images; cp {image} /var/lib/berth/images/kept.raw')
    try:
        one.start()
        assert one.inside('stat -c %u /etc').stdout == '0\n'
        one.stop()
    finally:
        machine.remove('/var/lib/berth/images/kept.raw')
