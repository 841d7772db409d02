# SPDX-License-Identifier: LGPL-2.1-or-later
"""The file trees that test machines and their guests are made of.

debian13 is a host: Debian 13 with its kernel and all that building and testing the project takes; it is the
disk of the virtual machine and the root of `--tree=debian13`. guest-debian13, guest-debian12 and guest-busybox
are what runs in the containers. Debian's are made by mmdebstrap from the archive; downloads are kept.
"""

import os
import shutil
import socket
import time
from pathlib import Path

from . import cache
from .util import CACHE, MachineError, locked, need_programs, need_root, need_space, progress, run

MIRROR = os.environ.get('BERTH_MIRROR') or 'http://deb.debian.org/debian'

GUEST_PACKAGES = 'systemd systemd-sysv dbus libpam-systemd iproute2 login procps'
# A guest that has containers of its own, by berth and by others.
NESTING_PACKAGES = GUEST_PACKAGES + ' systemd-container lxc podman bubblewrap busybox-static libarchive13t64 libseccomp2'
HOST_PACKAGES = '''
    systemd systemd-sysv systemd-container dbus polkitd libnss-systemd libnss-mymachines libpam-systemd
    apparmor linux-image-amd64 kmod iproute2 procps strace util-linux uidmap cryptsetup-bin dmsetup e2fsprogs
    xz-utils zstd bzip2 lz4 busybox-static passwd sudo login pkexec acl attr libcap2-bin libglib2.0-bin openssh-client
    python3 python3-dbus python3-pytest python3-dbusmock python3-pexpect bash-completion zsh
    gcc clang libc6-dev meson ninja-build pkg-config gperf libsystemd-dev libcap-dev libseccomp-dev libapparmor-dev
    libmnl-dev libarchive-dev libcryptsetup-dev systemd-dev gettext build-essential debhelper lintian'''

# Run with the tree as $1 when the packages are in. A guest is empty of what makes one copy differ from
# another, and root logs in without a password.
GUEST_FINISH = '''
    chroot "$1" passwd -d root
    : >"$1/etc/machine-id"
    rm -f "$1/var/lib/dbus/machine-id" "$1/etc/hostname" "$1/etc/resolv.conf"
    rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/info/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log
    find "$1/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name 'locale.alias' -exec rm -rf {} +
'''
# They start nothing by themselves.
NESTING_FINISH = GUEST_FINISH + '''
    find "$1/etc/systemd/system" -type l \\( -name 'lxc*' -o -name 'podman*' -o -name 'netavark*' \\) -delete
    rm -f "$1/etc/systemd/system/timers.target.wants"/*
'''
HOST_FINISH = '''
    chroot "$1" passwd -d root
    echo testmachine >"$1/etc/hostname"
    printf '127.0.0.1 localhost testmachine\\n::1 localhost\\n' >"$1/etc/hosts"
    : >"$1/etc/machine-id"
    rm -rf "$1"/usr/share/doc/* "$1"/usr/share/man/* "$1"/usr/share/info/* "$1"/var/lib/apt/lists/* "$1"/var/log/*.log
    for timer in apt-daily apt-daily-upgrade dpkg-db-backup e2scrub_all fstrim man-db; do
        rm -f "$1/etc/systemd/system/timers.target.wants/$timer.timer"
    done
'''

# name: (Debian release, packages, what to do afterwards, MiB it takes while it is made)
DEBIAN = {
    'debian13': ('trixie', HOST_PACKAGES, HOST_FINISH, 4000),
    'guest-debian13': ('trixie', GUEST_PACKAGES, GUEST_FINISH, 800),
    'guest-nesting': ('trixie', NESTING_PACKAGES, NESTING_FINISH, 1200),
    'guest-debian12': ('bookworm', GUEST_PACKAGES, GUEST_FINISH, 800),
}
GUESTS = ('debian13', 'debian12', 'busybox', 'nesting')
NAMES = (*(f'guest-{g}' for g in GUESTS), 'debian13')

# A guest in the manner of Alpine: busybox is init and everything else.
BUSYBOX = Path('/bin/busybox')
BUSYBOX_FILES = {
    'etc/inittab': '::sysinit:/etc/init.d/rcS\n::ctrlaltdel:/sbin/reboot\n::shutdown:/etc/init.d/rcK\n',
    'etc/init.d/rcS': '#!/bin/sh\necho booted >/run/booted\n',
    'etc/init.d/rcK': '#!/bin/sh\nrm -f /run/booted\n',
    'etc/os-release': 'ID=busybox\nNAME=BusyBox\nPRETTY_NAME="BusyBox test guest"\n',
    'etc/passwd': 'root::0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n',
    'etc/group': 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n',
    'etc/shells': '/bin/sh\n',
    'etc/hosts': '127.0.0.1 localhost\n',
}
BUSYBOX_DIRECTORIES = {'proc': 0o755, 'sys': 0o755, 'dev': 0o755, 'run': 0o755, 'tmp': 0o1777, 'root': 0o700,
                       'var': 0o755, 'var/log': 0o755, 'var/tmp': 0o1777, 'mnt': 0o755, 'srv': 0o755,
                       'bin': 0o755, 'sbin': 0o755, 'usr': 0o755, 'usr/bin': 0o755, 'usr/sbin': 0o755,
                       'etc': 0o755, 'etc/init.d': 0o755, 'home': 0o755}


def tree(name, rebuild=False):
    """The path of a cached tree, after making it if need be."""
    if name == 'guest-busybox':
        if not BUSYBOX.exists():
            raise MachineError('busybox is missing; install it with: apt-get install busybox-static')
        recipe = cache.digest(BUSYBOX_FILES, BUSYBOX_DIRECTORIES, BUSYBOX.read_bytes(), make_busybox.__code__.co_code)
        return cache.entry('trees', name, recipe, make_busybox, rebuild)
    if name not in DEBIAN:
        raise MachineError(f'there is no tree {name!r}: known are {", ".join(NAMES)}')
    release, packages, finish, size = DEBIAN[name]
    recipe = cache.digest(release, sorted(packages.split()), finish, MIRROR)
    return cache.entry('trees', name, recipe, lambda path: make_debian(name, release, packages, finish, size, path),
                       rebuild)


def guests():
    """All guest trees: name without the prefix, path."""
    return {name: tree(f'guest-{name}') for name in GUESTS}


def find_archive(name):
    """Its name server may be slow to answer the first time."""
    host = MIRROR.split('/')[2].rsplit(':', 1)[0]
    for pause in (1, 5, 20, None):
        try:
            socket.getaddrinfo(host, 80)
            return
        except OSError as error:
            if pause is None or getattr(error, 'errno', None) != socket.EAI_AGAIN:
                raise MachineError(f'making {name} needs the Debian archive, and {host} cannot be found ({error}): check '
                                   'the network, or set BERTH_MIRROR to a mirror within reach') from error
        time.sleep(pause)


def make_debian(name, release, packages, finish, size, path):
    need_root()
    need_programs('mmdebstrap=mmdebstrap')
    need_space(CACHE, size)
    keyring = Path('/usr/share/keyrings/debian-archive-keyring.gpg')
    if not keyring.exists():
        raise MachineError(f'{keyring} is missing; install it with: apt-get install debian-archive-keyring')
    find_archive(name)
    downloads = cache.shelf('downloads') / release
    downloads.mkdir(exist_ok=True)
    script = cache.shelf('trees') / f'.{name}.finish'
    script.write_text('set -e' + finish)
    log = cache.shelf('trees') / f'{name}.log'
    log.unlink(missing_ok=True)
    path.mkdir(mode=0o755)
    # The environment is the recipe's own: no proxy-less surprises from the caller's, and no initrd, since the
    # virtual machine brings its own.
    env = {k: v for k, v in os.environ.items() if k.lower().endswith('_proxy')}
    env |= {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'INITRD': 'No', 'LC_ALL': 'C.UTF-8', 'HOME': '/root'}
    # Another tree of this release puts its downloads where this one takes them from.
    with locked(cache.shelf('downloads') / f'.{release}.lock'), progress(f'making the tree {name} (once)'):
        run(['mmdebstrap', '--mode=root', '--variant=minbase', '--format=directory',
             '--include=' + ','.join(packages.split()),
             '--aptopt=Acquire::Retries "8"', '--aptopt=APT::Install-Recommends "false"',
             '--dpkgopt=force-unsafe-io',
             '--dpkgopt=path-exclude=/usr/share/doc/*', '--dpkgopt=path-exclude=/usr/share/man/*',
             '--dpkgopt=path-exclude=/usr/share/locale/*', '--dpkgopt=path-include=/usr/share/locale/locale.alias',
             '--skip=download/empty', '--skip=essential/unlink',
             '--setup-hook=mkdir -p "$1/var/cache/apt/archives"',
             f'--setup-hook=sync-in {downloads} /var/cache/apt/archives/',
             f'--customize-hook=sync-out /var/cache/apt/archives {downloads}',
             '--customize-hook=rm -f "$1"/var/cache/apt/archives/*.deb "$1"/var/cache/apt/*.bin',
             f'--customize-hook=sh {script} "$1"',
             release, path, MIRROR], log=log, env=env, what=f'making the tree {name}')
    path.chmod(0o755)
    script.unlink()
    log.unlink()


def make_busybox(path):
    need_root()
    path.mkdir(mode=0o755)
    for name, mode in BUSYBOX_DIRECTORIES.items():
        (path / name).mkdir()
        (path / name).chmod(mode)
    for name, text in BUSYBOX_FILES.items():
        (path / name).write_text(text)
        (path / name).chmod(0o755 if name.startswith('etc/init.d/') else 0o644)
    shutil.copyfile(BUSYBOX, path / 'bin/busybox')
    (path / 'bin/busybox').chmod(0o755)
    applets = run([BUSYBOX, '--list-full']).split()
    for applet in applets:
        link = path / applet
        if link.parent.is_dir() and not link.exists():
            link.symlink_to('/bin/busybox')
    if not (path / 'sbin/init').is_symlink():
        raise MachineError(f'{BUSYBOX} has no init: install busybox-static in place of busybox')
