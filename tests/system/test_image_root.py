# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images as roots: Image= of a definition that root wrote, and images that were handed over D-Bus."""

import os

import pytest

from bus import Bus
from waiting import wait_for

# Loop devices are the whole host's, and so of other machines on it, too.
NAME = f'test-{os.getpid()}.raw'
IMAGE = f'/srv/scratch/{NAME}'
SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\n'


@pytest.fixture
def image(machine):
    """An ext4 file system with a small guest, root's alone."""
    machine.run(f'truncate -s 64M {IMAGE}; mkfs.ext4 -q -d /srv/guests/busybox {IMAGE}; chmod 0600 {IMAGE}', timeout=120)
    yield IMAGE
    machine.remove(IMAGE)


def loops(machine):
    return machine.run(['losetup', '--list', '--noheadings', '--output', 'BACK-FILE']).stdout


def wait_for_no_loop(machine):
    """The kernel frees a device when the last who has it open closes it, which may be somebody who has a look at it."""
    wait_for(machine, lambda: NAME not in loops(machine), 'an end of the loop device')


def test_image_is_the_root(machine, container, image):
    web = container('web', SLEEPER + f'Image={image}\n')
    web.start()
    assert web.inside('echo kept >/file; stat -c %u:%g /file; cat /etc/os-release').stdout.startswith('0:0\n')
    assert NAME in loops(machine)
    web.stop()
    wait_for_no_loop(machine)
    web.start()
    assert web.inside('cat /file').stdout == 'kept\n'


def test_read_only_and_overlay(machine, container, image):
    before = machine.run(['sha256sum', image]).stdout
    web = container('web', SLEEPER + f'Image={image}\nReadOnly=yes\n')
    web.start()
    assert web.inside('echo x >/file', check=False).returncode != 0
    web.stop()
    web.define(SLEEPER.replace('Boot=no', 'Boot=no\nEphemeral=yes') + f'Image={image}\n')
    web.start()
    assert web.inside('echo x >/file').returncode == 0
    web.stop()
    assert machine.run(['sha256sum', image]).stdout == before


def test_one_writer(machine, container, image):
    first, second = container('first', SLEEPER + f'Image={image}\n'), container('second', SLEEPER + f'Image={image}\n')
    first.start()
    assert second.start(check=False).returncode != 0
    assert f'{image}: it is in use by container first' in second.show('StatusText')


# Puts a file system between other things: a GUID partition table with swap, a root and, if asked, one root more.
PARTITION = r'''
import struct, sys, uuid, zlib
path, kinds, attributes = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3], 0)
types = {"swap": "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "linux": "0fc63daf-8483-4772-8e79-3d69d8477de4",
         "root": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"}
content = open(path, "rb").read()
sectors = len(content) // 512
table, place, offsets = bytearray(128 * 128), 2048, []
for index, kind in enumerate(kinds):
    size = 64 if kind == "swap" else sectors
    table[index * 128:index * 128 + 56] = uuid.UUID(types[kind]).bytes_le + uuid.uuid4().bytes_le + struct.pack(
            "<QQQ", place, place + size - 1, 0 if kind == "swap" else attributes)
    offsets += [] if kind == "swap" else [place * 512]
    place += size
header = bytearray(b"EFI PART" + struct.pack("<IIIIQQQQ", 0x10000, 92, 0, 0, 1, place + 33, 34, place - 1) + bytes(16) +
                   struct.pack("<QIII", 2, 128, 128, zlib.crc32(bytes(table))))
header[16:20] = struct.pack("<I", zlib.crc32(bytes(header)))
with open(path, "wb") as image:
    image.write(bytes(510) + b"\x55\xaa" + header)
    image.seek(1024)
    image.write(table)
    for offset in offsets:
        image.seek(offset)
        image.write(content)
    image.truncate((place + 34) * 512)
'''


@pytest.mark.parametrize('kinds', ['swap,root', 'linux,swap'])
def test_partition(machine, container, image, kinds):
    machine.run(['/usr/bin/python3', '-c', PARTITION, image, kinds, '0'], timeout=120)
    web = container('web', SLEEPER + f'Image={image}\n')
    web.start()
    assert web.inside('echo kept >/file; cat /file; stat -c %u /etc').stdout == 'kept\n0\n'
    web.restart()
    assert web.inside('cat /file').stdout == 'kept\n'


@pytest.mark.parametrize('kinds, attributes, said', [
    ('root,root', '0', 'more than one root partition'), ('linux,linux', '0', 'no root partition'),
    ('swap', '0', 'no root partition'), ('root', '0x8000000000000000', 'no root partition'),
    ('root', '0x1000000000000000', 'its root partition is marked read-only')])
def test_partitions_that_will_not_do(machine, container, image, kinds, attributes, said):
    machine.run(f'truncate -s 2M {image}; mkfs.ext4 -q {image}')
    machine.run(['/usr/bin/python3', '-c', PARTITION, image, kinds, attributes])
    web = container('web', SLEEPER + f'Image={image}\n')
    assert web.start(check=False).returncode != 0
    assert said in web.show('StatusText')
    wait_for_no_loop(machine)


@pytest.mark.parametrize('spoil, said', [
    (f'chmod 0666 {IMAGE}', 'others than root can write to it'), (f'truncate -s 0 {IMAGE}', 'root'),
    (f'dd if=/dev/zero of={IMAGE} bs=1M count=1 conv=notrunc status=none', 'root'),
    (f'rm {IMAGE}; mkdir {IMAGE}', 'that is Path='), (f'rm {IMAGE}', 'No such file')])
def test_what_is_no_image(machine, container, image, spoil, said):
    machine.run(spoil)
    web = container('web', SLEEPER + f'Image={image}\n')
    assert web.start(check=False).returncode != 0
    assert said in web.show('StatusText')
    wait_for_no_loop(machine)


def test_handed_over(machine, no_leftovers, image):
    """Created from an image over D-Bus, started, and removed with it; what proves nothing is refused."""
    machine.run(f'cp {image} {image}.open; chmod 0644 {image}.open')
    refused = machine.run(['berthctl', 'create', 'box', f'--image={image}.open'], check=False)
    machine.remove(f'{image}.open')
    assert refused.returncode != 0 and 'cannot be taken' in refused.stderr
    # A file system that tells of owners and modes what it wants, as FUSE's do.
    refused = machine.run(['berthctl', 'create', 'box', '--image=/proc/version'], check=False)
    assert refused.returncode != 0 and 'of a kind that is not taken' in refused.stderr, refused
    machine.run(['berthctl', 'create', 'box', f'--image={image}', 'Command=/bin/sleep 1000'], timeout=120)
    bus = Bus(machine)
    try:
        bus.manager('StartContainer', 's', 'box')
        assert bus.listed()['box'] == 'running'
        bus.manager('StopContainer', 'st', 'box', 0)
    finally:
        machine.run(['berthctl', 'remove', '--yes', '--data', 'box'])
    assert machine.run(['ls', '/var/lib/berth/images']).stdout == ''


def test_run_from_one(machine, no_leftovers, image):
    done = machine.run(['berthctl', 'run', 'once', f'--image={image}', '--', '/bin/sh', '-c', 'exit 4'], check=False,
                       timeout=120)
    assert done.returncode == 4, done
    wait_for(machine, lambda: machine.run(['ls', '/var/lib/berth/images']).stdout == '', 'an end of the image')
