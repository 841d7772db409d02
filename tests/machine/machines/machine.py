# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every kind of machine has: a place on the host that is taken down whole, and on top of the kind's own
run() files, the journal and guest trees.

A machine object is cheap and holds nothing but names: several processes may use the same machine at once. What
makes up a machine on the host is its directory in STATE, one in SCRATCH for what needs a disk, and a cgroup
with all its processes.
"""

import contextlib
import itertools
import json
import os
import subprocess
import time
from pathlib import Path

from . import cache
from .util import (SCRATCH, STATE, TIMED_OUT, MachineError, Result, check_name, locked, need_root, read_json,
                   start_time, write_json)


KILL_LIMIT = 60         # seconds for the kernel to end processes


class CommandFailed(MachineError):
    """A command that had to succeed did not; its result is in here."""

    def __init__(self, result):
        super().__init__(f'status {result.returncode} from {result.argv!r}\n{result.stdout}{result.stderr}')
        self.result = result


def cgroup_root():
    """Where the host has cgroup v2 mounted, in the first or the only place."""
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        for line in mounts:
            fields = line.split()
            if fields[fields.index('-') + 1] == 'cgroup2':
                return Path(fields[4])
    raise MachineError('no cgroup v2 is mounted on this host: mount -t cgroup2 cgroup2 DIRECTORY')


class Machine:
    """A machine of some kind. The kinds add up(), down(), is_up(), run(), exec(), shell() and reboot()."""

    kind = None
    patience = 1            # how many times longer than on bare metal things may take
    serial = itertools.count()

    def __init__(self, name):
        self.name = check_name(name)
        self.state = STATE / name
        self.scratch = SCRATCH / name
        self.cgroup = cgroup_root() / 'berth-machines' / name
        self.process = None         # what holds the machine, if it is a child of ours

    # -- on the host ------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def claim(self, *cgroups):
        """Makes the place on the host for a machine that is about to boot, on what a dead one left."""
        self.down()
        with contextlib.ExitStack() as stack:
            with self.places():
                STATE.mkdir(mode=0o755, exist_ok=True)
                self.state.mkdir()
                stack.enter_context(locked(self.state))
                self.scratch.mkdir(mode=0o755)
                self.make_cgroups(cgroups)
            yield

    def places(self):
        """Held while places on the host are made or removed: two test sessions that begin together find the same
        dead machine, and remove it both."""
        return locked(cache.shelf('scratch'))

    def make_cgroups(self, names):
        """The machine's cgroup gets all controllers that the host's cgroup v2 has to give."""
        for directory in (self.cgroup.parent, self.cgroup, *(self.cgroup / name for name in names)):
            directory.mkdir(exist_ok=True)
        for directory in (self.cgroup.parent.parent, self.cgroup.parent, self.cgroup):
            for controller in (directory / 'cgroup.controllers').read_text().split():
                with contextlib.suppress(OSError):
                    (directory / 'cgroup.subtree_control').write_text(f'+{controller}')

    def know(self, leader, tree, uses):
        """Writes down for other processes what the machine is: the process of the host that is its life, the
        tree it shows, and the cache's entries that it uses."""
        write_json(self.state / 'machine.json', {'kind': self.kind, 'leader': leader, 'started': start_time(leader),
                                                 'tree': str(tree), 'uses': [str(path) for path in uses]})

    def known(self):
        known = read_json(self.state / 'machine.json')
        return known if known and known.get('kind') == self.kind else {}

    def leader(self):
        """The process of the host that is the machine's life, None when it is not up."""
        known = self.known()
        return known['leader'] if known and start_time(known['leader']) == known['started'] else None

    def is_up(self):
        return self.leader() is not None

    def need_up(self):
        leader = self.leader()
        if leader is None:
            kind = '' if self.kind == 'local' else f' --kind={self.kind}'
            raise MachineError(f'{self.name} is not up: `machine up {self.name}{kind}`')
        return leader

    def refuse_second(self):
        if self.is_up():
            raise MachineError(f'{self.name} is up already: use it, or `machine down {self.name}` first')

    def down(self):
        """Like pulling the plug, and then nothing is left of it. Also cleans up after an `up` that was killed."""
        need_root()
        with self.places():
            existed = self.state.exists() or self.cgroup.exists() or self.scratch.exists()
            self.remove_cgroups()
            if self.process:
                self.process.wait()
                self.process = None
            self.free_loop_devices()
            for path in (self.scratch, self.state):
                if path.exists():
                    cache.discard(path)
            with contextlib.suppress(OSError):
                self.cgroup.parent.rmdir()
        return existed

    def end_processes(self):
        deadline = time.monotonic() + KILL_LIMIT
        while time.monotonic() < deadline:
            try:
                (self.cgroup / 'cgroup.kill').write_text('1')
                events = (self.cgroup / 'cgroup.events').read_text()
            except FileNotFoundError:
                return
            if 'populated 0' in events:
                return
            time.sleep(0.01)
        raise MachineError(f'{self.name} has processes that cannot be killed: see {self.cgroup}/**/cgroup.procs')

    def remove_cgroups(self):
        """An `up` that was killed may have left a process that only now enters one."""
        deadline = time.monotonic() + KILL_LIMIT
        while self.cgroup.exists():
            self.end_processes()
            for directory, _, _ in os.walk(self.cgroup, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(directory)
            if time.monotonic() > deadline:
                raise MachineError(f'cgroup {self.cgroup} cannot be removed')
            time.sleep(0.01)

    def free_loop_devices(self):
        """A loop device that a test left behind would hold a deleted file of the scratch directory."""
        if not self.scratch.exists():
            return
        device = self.scratch.stat().st_dev
        listed = subprocess.run(['losetup', '--json', '--list', '--output', 'NAME,BACK-INO,BACK-MAJ:MIN'],
                                capture_output=True, text=True).stdout
        ours = [d for d in (json.loads(listed)['loopdevices'] if listed.strip() else [])
                if d['back-maj:min'].strip() == f'{os.major(device)}:{os.minor(device)}']
        if not ours:
            return
        inodes = {os.lstat(os.path.join(d, f)).st_ino for d, _, files in os.walk(self.scratch) for f in files}
        for loop in ours:
            if int(loop['back-ino']) in inodes:
                subprocess.run(['losetup', '--detach', loop['name']], check=False)

    # -- inside -----------------------------------------------------------------------------------------

    def run(self, argv, check=True, timeout=60, input=None, env=None):
        """Runs a list, or a string for the shell, in the machine as root. timeout None waits for ever."""
        raise NotImplementedError

    def add_user(self, name):
        """A local user with a home and no password, unless there is one of that name."""
        self.run(['/bin/sh', '-c', 'id -u "$1" 2>/dev/null || useradd --create-home --shell=/bin/bash "$1"', 'sh', name])

    def run_as(self, user, argv, session=None, check=True, timeout=60, input=None, env=None):
        """run(), as a user. What logind and polkit take them for: session 'active' sits at the machine's seat, 'remote'
        has logged in without one, as over the network, None has not logged in at all (a service)."""
        words = ['/bin/sh', '-c', argv] if isinstance(argv, str) else argv
        settings = [f'--property=User={user}', *(f'--setenv={k}={v}' for k, v in (env or {}).items())]
        if session:
            settings += ['--property=PAMName=login', *(f'--setenv={v}' for v in self.session(session))]
        # A unit's command line has a second dollar for each one that is meant.
        return self.run(['systemd-run', '--quiet', '--wait', '--pipe', '--collect', '--service-type=exec', *settings, '--',
                         *(word.replace('$', '$$') for word in words)], check, timeout, input)

    def session(self, kind):
        """What pam_systemd reads to make a session of that kind."""
        if kind not in ('active', 'remote'):
            raise ValueError(f'{kind!r} is no kind of session: use active or remote')
        seat = ['XDG_SESSION_CLASS=user', 'XDG_SESSION_TYPE=tty']
        if kind == 'remote':
            return seat
        seat.append('XDG_SEAT=seat0')
        if self.run(['loginctl', 'show-seat', '--property=CanTTY', '--value', 'seat0']).stdout == 'yes\n':
            seat.append('XDG_VTNR=' + self.read('/sys/class/tty/tty0/active').strip().removeprefix('tty'))
        return seat

    def write(self, path, data, mode=0o644):
        """Writes a file whole, text or bytes, with the directories that it needs."""
        script = 'mkdir -p "${1%/*}/" && rm -f "$1" && umask 077 && cat >"$1" && chmod "$2" "$1"'
        self.run(['/bin/sh', '-c', script, 'sh', path, f'{mode:o}'], input=data)

    def read(self, path):
        return self.run(['cat', '--', path]).stdout

    def exists(self, path):
        """Also true for a symbolic link to nowhere."""
        return self.run(['/bin/sh', '-c', '[ -e "$1" ] || [ -L "$1" ]', 'sh', path], check=False).returncode == 0

    def remove(self, *paths):
        self.run(['rm', '-rf', '--one-file-system', '--', *paths], timeout=300)

    def journal(self, unit=None, output='cat'):
        """The messages of a unit, or all, as text."""
        self.run(['journalctl', '--sync'])
        select = [f'--unit={unit}'] if unit else []
        return self.run(['journalctl', '--no-pager', '--quiet', f'--output={output}', *select]).stdout

    def copy_tree(self, guest):
        """A private writable copy of a guest tree: debian13, debian12 or busybox."""
        path = f'/srv/scratch/{guest}-{os.getpid()}-{next(self.serial)}'
        self.run(['cp', '-a', '--reflink=auto', f'/srv/guests/{guest}', path], timeout=300)
        return path


def finish(argv, status, out, err, expired, timeout, check):
    """The result of a command, as an exception when it had to succeed and did not. status as Popen has it."""
    status = status if status >= 0 else 128 - status
    result = Result(argv, TIMED_OUT if expired else status, out, err)
    if expired:
        result.stderr += f'\nended after {timeout} s'
    if check and result.returncode != 0:
        raise CommandFailed(result)
    return result


def check_bind(text):
    source, colon, target = text.partition(':')
    if not colon or not target.startswith('/') or not os.path.exists(source):
        raise MachineError(f'--bind={text}: give an existing path of the host, ":" and an absolute path in the machine')
    return f'{os.path.realpath(source)}:{target}'
