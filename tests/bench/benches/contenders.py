# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who is compared, and how each is asked for the same thing: a program in a small root, in user, mount, pid, uts,
ipc, network and cgroup namespaces of its own, ids 0 to 65535 mapped.

Each contender can make a container NAME that runs a program (make() returns the command line that starts it in the
foreground). What they do beyond that is their default: LXC and nspawn load a seccomp filter, crun and bubblewrap none.
"""

import json
import os
import shutil
from pathlib import Path

WORK = Path('/srv/bench/work')
PROGRAMS = Path('/srv/bench/programs')
HELPER = '/usr/libexec/berth/berth-helper'
DEFINITIONS = Path('/etc/berth/containers')
IDS = 1000013824
PRIVATE, PUBLIC = 'private', 'public'
BUSYBOX = Path('/srv/guests/busybox/bin/busybox')


def place(kind):
    """Where roots are: PRIVATE for berth, which refuses a root that other users of the host can reach, PUBLIC for those
    who go to theirs with the container's ids."""
    directory = WORK / kind
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700 if kind == PRIVATE else 0o755)
    return directory


def small_root(kind, name):
    """A root of a few files, hard links of one: a root serves one container at a time."""
    root = place(kind) / name
    if root.exists():
        return root
    for directory in ('bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp', 'usr/lib', 'var'):
        (root / directory).mkdir(parents=True)
    for source in (BUSYBOX, PROGRAMS / 'idle'):
        copy = WORK / source.name
        if not copy.exists():
            shutil.copy(source, copy)
        os.link(copy, root / 'bin' / source.name)
    for applet in ('true', 'sh', 'cat'):
        (root / 'bin' / applet).symlink_to('busybox')
    (root / 'etc/passwd').write_text('root:x:0:0:root:/:/bin/sh\n')
    (root / 'etc/group').write_text('root:x:0:\n')
    (root / 'etc/os-release').write_text('ID=busybox\n')
    return root


def define(name, text):
    DEFINITIONS.mkdir(parents=True, exist_ok=True)
    (DEFINITIONS / f'{name}.container').write_text(text)


class Contender:
    """One who starts containers."""

    name = ''
    kind = 'plain'      # of launch-timer
    needs = ''          # a program
    package = ''        # that has it
    executables = ()    # whose processes count as the contender's own
    place = PUBLIC

    def available(self):
        return shutil.which(self.needs) is not None

    def root(self, name):
        return small_root(self.place, name)

    def make(self, name, program, root=None):
        raise NotImplementedError


class Floor(Contender):
    """The bare minimum, with the mounts that berth makes."""

    name, needs, mode = 'floor', 'sh', 'full'

    def make(self, name, program, root=None):
        return [PROGRAMS / 'floor', self.mode, root or self.root(name), '@', IDS, program]


class ReducedFloor(Floor):
    """Root, /proc, /sys and /dev only."""

    name, mode = 'floor, 4 mounts', 'reduced'


class Berth(Contender):
    """berth-helper as systemd 254 and later starts it."""

    name, kind, needs = 'berth', 'unit', HELPER
    executables = ('berth-helper', 'berth-init', 'berth-manager')
    place = PRIVATE

    def make(self, name, program, root=None):
        define(name, f'[Container]\nCommand={program}\n[Root]\nPath={root or self.root(name)}\n')
        return [HELPER, 'launch', name]


class Berth252(Berth):
    """berth-helper as systemd 252 starts it: it has to move itself to another cgroup."""

    name, kind = 'berth, systemd 252', 'unit252'


class Bubblewrap(Contender):
    name, needs, package = 'bubblewrap', 'bwrap', 'bubblewrap'
    executables = ('bwrap',)

    def make(self, name, program, root=None):
        return ['/usr/bin/bwrap', '--unshare-all', '--unshare-user', '--uid', 0, '--gid', 0, '--bind', root or self.root(name), '/',
                '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/run', '--hostname', name, program]


class Crun(Contender):
    """Without its cgroup manager: that needs rights over BPF that a test machine may not have."""

    name, needs, package = 'crun', 'crun', 'crun'
    executables = ('crun',)

    def make(self, name, program, root=None):
        bundle = WORK / 'crun' / name
        bundle.mkdir(parents=True, exist_ok=True)
        (bundle / 'config.json').unlink(missing_ok=True)
        os.spawnvp(os.P_WAIT, 'sh', ['sh', '-c', f'cd {bundle} && crun spec'])
        config = json.loads((bundle / 'config.json').read_text())
        config['process'] |= {'terminal': False, 'args': [str(program)]}
        config |= {'root': {'path': str(root or self.root(name)), 'readonly': False}, 'hostname': name}
        mapping = [{'containerID': 0, 'hostID': IDS, 'size': 65536}]
        config['linux'] |= {'uidMappings': mapping, 'gidMappings': mapping, 'namespaces': [
            {'type': kind} for kind in ('user', 'mount', 'pid', 'uts', 'ipc', 'network', 'cgroup')]}
        (bundle / 'config.json').write_text(json.dumps(config))
        return ['/usr/bin/crun', '--cgroup-manager=disabled', 'run', '--bundle', bundle, name]


class Lxc(Contender):
    """With Debian's configuration, but without lxcfs, whose hooks sleep."""

    name, needs, package = 'LXC', 'lxc-start', 'lxc'
    executables = ('lxc-start', 'lxc-monitord')
    init = ''

    def make(self, name, program, root=None):
        place = WORK / 'lxc' / name
        place.mkdir(parents=True, exist_ok=True)
        (place / 'config').write_text(f'''
            lxc.include = /usr/share/lxc/config/common.conf
            lxc.include = /usr/share/lxc/config/userns.conf
            lxc.hook.mount =
            lxc.hook.post-stop =
            lxc.rootfs.path = dir:{root or self.root(name)}
            lxc.rootfs.options = idmap=container
            lxc.uts.name = {name}
            lxc.net.0.type = empty
            lxc.idmap = u 0 {IDS} 65536
            lxc.idmap = g 0 {IDS} 65536
            lxc.apparmor.profile = unconfined
            lxc.init.cmd = {program}
        '''.replace('            ', ''))
        return ['/usr/bin/lxc-start', '-F', '-P', WORK / 'lxc', '-n', name]


class Nspawn(Contender):
    name, needs, package = 'nspawn', 'systemd-nspawn', 'systemd-container'
    executables = ('systemd-nspawn',)

    def make(self, name, program, root=None):
        return ['/usr/bin/systemd-nspawn', '--quiet', '--keep-unit', '--register=no', '--machine', name, '--directory',
                root or self.root(name), f'--private-users={IDS}:65536', '--private-users-ownership=map', '--private-network', '--console=pipe',
                program]


CONTENDERS = (Floor, ReducedFloor, Berth, Berth252, Bubblewrap, Crun, Lxc, Nspawn)


def contenders():
    """Those that are here."""
    return [c for c in (kind() for kind in CONTENDERS) if c.available()]


def allow_ids():
    """LXC maps ids by newuidmap, which wants to be told that root may."""
    for path in ('/etc/subuid', '/etc/subgid'):
        line = f'root:{IDS}:65536\n'
        text = Path(path).read_text() if Path(path).exists() else ''
        if line not in text:
            Path(path).write_text(text + line)
