# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes what the virtual machine boots from: kernel, initrd and disk, out of the debian13 tree.

The kernel is unpacked here and entered by PVH, since decompressing it in the emulator takes ten times as
long. The initrd is busybox and six modules in place of Debian's 36 MB. The disk is the tree with the agent
and the guest trees, as ext4.
"""

import lzma
import os
import shutil
import subprocess
from pathlib import Path

from . import trees
from .util import HERE, MachineError, run

DISK_SIZE = '12G'
# In the order in which they need each other; those that a kernel has built in are not there.
MODULES = ('lib/crc16', 'crypto/crc32c_generic', 'fs/mbcache', 'fs/jbd2/jbd2', 'fs/ext4/ext4',
           'drivers/block/virtio_blk', 'drivers/char/virtio_console')

INIT = '''#!/bin/sh
for module in /modules/*; do insmod "$module"; done
mount -t devtmpfs dev /dev
tries=0
while [ ! -b /dev/vda ] && [ "$tries" -lt 500 ]; do tries=$((tries + 1)); sleep 0.02; done
mount -t ext4 -o noatime /dev/vda /root || exec sh
mount -o move /dev /root/dev
exec switch_root /root /usr/lib/systemd/systemd
'''

AGENT_UNIT = '''[Unit]
Description=Commands from the host
DefaultDependencies=no
After=local-fs.target
Before=multi-user.target
Conflicts=umount.target

[Service]
ExecStart=/usr/local/sbin/berth-test-agent
Delegate=yes
KillMode=mixed
Restart=always
RestartSec=0
TasksMax=infinity
LimitNOFILE=65536
OOMScoreAdjust=-1000
TimeoutStopSec=2
'''

# In the emulator, on a busy host, even the journal may take longer than a minute and a half to come up. These have that
# limit in their unit files.
SLOW = ('systemd-modules-load', 'systemd-sysctl', 'systemd-sysusers', 'systemd-journal-flush', 'systemd-binfmt',
        'systemd-machine-id-commit')

# What the disk has besides the tree: path, content, mode. No mode: a symbolic link.
FILES = (
    ('etc/systemd/system/berth-test-agent.service', AGENT_UNIT, 0o644),
    ('etc/systemd/system/multi-user.target.wants/berth-test-agent.service', '../berth-test-agent.service', None),
    ('etc/systemd/system/getty.target', '/dev/null', None),
    ('etc/systemd/system/serial-getty@ttyS0.service', '/dev/null', None),
    ('etc/systemd/system/systemd-networkd-wait-online.service', '/dev/null', None),
    ('etc/systemd/journald.conf.d/50-test-machine.conf',
     '[Journal]\nRateLimitIntervalSec=0\nSystemMaxUse=256M\n', 0o644),
    ('etc/systemd/system.conf.d/50-test-machine.conf',
     '[Manager]\nDefaultTimeoutStartSec=15min\nDefaultDeviceTimeoutSec=15min\n', 0o644),
    *((f'etc/systemd/system/{unit}.service.d/50-test-machine.conf', '[Service]\nTimeoutSec=15min\n', 0o644)
      for unit in SLOW),
    ('etc/modules-load.d/test-machine.conf', 'overlay\nveth\nloop\n', 0o644),
    ('etc/fstab', '/dev/vda / ext4 defaults,noatime 0 0\n', 0o644),
)

# In a mount namespace of its own; the overlay keeps the tree as it is.
POPULATE = '''
    set -e
    mount -t tmpfs tmpfs "$WORK"
    cd "$WORK"
    mkdir root work
    cp -a --no-preserve=ownership "$EXTRA" upper
    mount -t overlay -o "lowerdir=$TREE,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
    touch root/etc/.updated root/var/.updated
    mkdir -p root/srv/guests root/srv/scratch
    chmod 700 root/srv/scratch
    for guest in $GUESTS; do
        mkdir "root/srv/guests/${guest%%:*}"
        mount --bind "${guest#*:}" "root/srv/guests/${guest%%:*}"
    done
    mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d root "$IMAGE" "$SIZE"
'''


def recipe():
    """All that an image depends on, to be hashed."""
    return [trees.tree('debian13').name, [path.name for path in trees.guests().values()],
            DISK_SIZE, MODULES, INIT, FILES, POPULATE, (HERE / 'agent.py').read_text()]


def make(directory):
    """kernel, initrd and disk.qcow2 in the directory."""
    tree = trees.tree('debian13')
    version = sorted(path.name for path in (tree / 'lib/modules').iterdir())[-1]
    (directory / 'kernel').write_bytes(unpacked_kernel(tree / f'boot/vmlinuz-{version}'))
    make_initrd(tree / 'lib/modules' / version / 'kernel', directory)
    make_disk(tree, directory)


def unpacked_kernel(path):
    """The ELF image within a bzImage."""
    image = path.read_bytes()
    for magic, tool in ((b'\x28\xb5\x2f\xfd', ['zstd', '-dcq']), (b'\xfd7zXZ\0', ['xz', '-dcq', '--single-stream']),
                        (b'\x1f\x8b\x08', ['gzip', '-dcq'])):
        at = image.find(magic)
        while at >= 0:
            kernel = subprocess.run(tool, input=image[at:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                    check=False).stdout
            if kernel.startswith(b'\x7fELF'):
                return kernel
            at = image.find(magic, at + 1)
    raise MachineError(f'no kernel found in {path}')


def make_initrd(modules, directory):
    root = directory / 'initrd.d'
    for name in ('bin', 'dev', 'root', 'modules'):
        (root / name).mkdir(parents=True)
    os.mknod(root / 'dev/console', 0o20600, os.makedev(5, 1))
    shutil.copy(trees.BUSYBOX, root / 'bin/busybox')
    for applet in ('sh', 'insmod', 'mount', 'sleep', 'switch_root'):
        (root / 'bin' / applet).symlink_to('busybox')
    for number, name in enumerate(MODULES, 10):
        for path in modules.glob(f'{name}.ko*'):
            data = path.read_bytes()
            if path.suffix == '.xz':
                data = lzma.decompress(data)
            elif path.suffix == '.zst':
                data = subprocess.run(['zstd', '-dcq'], input=data, stdout=subprocess.PIPE, check=True).stdout
            (root / 'modules' / f'{number}-{Path(name).name}.ko').write_bytes(data)
    (root / 'init').write_text(INIT)
    (root / 'init').chmod(0o755)
    with open(directory / 'initrd', 'wb') as out:
        names = '\n'.join(['.', *(str(path.relative_to(root)) for path in sorted(root.rglob('*')))])
        subprocess.run(['cpio', '--create', '--format=newc', '--quiet'], input=names.encode(), stdout=out, cwd=root,
                       check=True)
    shutil.rmtree(root)


def make_disk(tree, directory):
    extra = directory / 'extra'
    agent = ('usr/local/sbin/berth-test-agent', (HERE / 'agent.py').read_text(), 0o755)
    for name, content, mode in (*FILES, agent):
        path = extra / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if mode is None:
            path.symlink_to(content)
        else:
            path.write_text(content)
            path.chmod(mode)
    work = directory / 'work'
    work.mkdir()
    env = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'WORK': str(work), 'EXTRA': str(extra), 'TREE': str(tree),
           'IMAGE': str(directory / 'disk.raw'), 'SIZE': DISK_SIZE,
           'GUESTS': ' '.join(f'{name}:{path}' for name, path in trees.guests().items())}
    run(['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', POPULATE], env=env,
        what='making the disk')
    run(['qemu-img', 'convert', '-O', 'qcow2', directory / 'disk.raw', directory / 'disk.qcow2'])
    (directory / 'disk.raw').unlink()
    work.rmdir()
    shutil.rmtree(extra)
