# SPDX-License-Identifier: LGPL-2.1-or-later
"""The local machine: systemd as PID 1 of namespaces on this host's kernel, over a view of this host's root.

It is up in about two seconds and runs at full speed, but has what the host's kernel and cgroups have and no
more: no AppArmor or cgroup controllers if the host has none to give. boot.sh builds it from the inside; this
file makes what it stands on and takes it down:

    /run/berth-machines/NAME            state and the console's log
    CACHE/scratch/NAME                  /var/lib/berth, /srv, /var/tmp, /var/log of the machine
    CGROUP2/berth-machines/NAME         supervisor/ and machine/, whose own root cgroup the latter is
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from . import build, cache, trees
from .machine import KILL_LIMIT, Machine, check_bind, finish
from .util import HERE, PATH, TIMED_OUT, MachineError, collect, need_programs, need_root, need_space, say

# What a machine that shares the host's kernel must not start.
MASK = '''
    systemd-sysctl.service systemd-modules-load.service systemd-udevd.service systemd-udevd-kernel.socket
    systemd-udevd-control.socket systemd-udev-trigger.service kmod-static-nodes.service systemd-binfmt.service
    proc-sys-fs-binfmt_misc.automount systemd-random-seed.service systemd-pstore.service systemd-timesyncd.service
    systemd-remount-fs.service systemd-firstboot.service systemd-machine-id-commit.service systemd-repart.service
    systemd-hwdb-update.service ldconfig.service systemd-journal-catalog-update.service
    systemd-update-done.service systemd-update-utmp.service systemd-update-utmp-runlevel.service
    dev-hugepages.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    getty-static.service console-getty.service
    var-lib-machines.mount systemd-tmpfiles-setup-dev.service systemd-tmpfiles-setup-dev-early.service'''

BOOT_LIMIT = 300


class LocalMachine(Machine):
    """One local machine, up or not."""

    kind = 'local'

    def __init__(self, name='local'):
        super().__init__(name)
        self.inside = self.cgroup / 'machine'

    # -- up and down ------------------------------------------------------------------------------------

    def up(self, tree=None, options=(), binds=(), project=True):
        need_root()
        need_programs('unshare=util-linux', 'nsenter=util-linux', 'ip=iproute2', 'hostname=hostname')
        self.refuse_second()
        lower = trees.tree(tree) if tree in trees.DEBIAN else Path(tree or '/').resolve()
        if not (lower / 'usr/lib/systemd/systemd').exists():
            raise MachineError(f'{lower} has no /usr/lib/systemd/systemd to boot: --tree takes debian13, or the '
                               'root directory of a system with systemd and dbus'
                               + ('; apt-get install systemd dbus' if lower == Path('/') else ''))
        binds = [check_bind(b) for b in binds]
        guests = trees.guests()
        if project and tree not in trees.DEBIAN and lower != Path('/'):
            raise MachineError('the project is built for this host and for --tree=debian13 only: add --no-project')
        tar = build.project(tree, options) if project else None
        need_space(cache.shelf('scratch'), 500)
        with self.claim('supervisor', 'machine'):
            self.boot(lower, guests, tar, binds)

    def boot(self, lower, guests, tar, binds):
        begin = time.monotonic()
        work = self.state / 'work'
        work.mkdir(mode=0o755)
        environment = {
            'PATH': PATH, 'LC_ALL': 'C.UTF-8', 'M_NAME': self.name, 'M_LOWER': str(lower), 'M_WORK': str(work),
            'M_CGROUP': str(self.cgroup), 'M_SCRATCH': str(self.scratch), 'M_PROJECT': str(tar or ''),
            'M_MASK': ' '.join(MASK.split()), 'M_BIND': '\n'.join(binds),
            'M_BIND_RO': '\n'.join(f'{path}:/srv/guests/{name}' for name, path in guests.items())}
        log = self.state / 'console.log'
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(
                ['/bin/bash', str(HERE / 'boot.sh')], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=environment, start_new_session=True)
        leader = self.wait_for_manager(log)
        self.know(leader, lower, [lower, *guests.values()])
        done = self.run(['systemctl', 'is-system-running', '--wait'], check=False, timeout=BOOT_LIMIT)
        if done.stdout.strip() != 'running':
            failed = self.run(['systemctl', 'list-units', '--failed', '--no-legend', '--plain'], check=False)
            raise MachineError(f'{self.name} came up {done.stdout.strip() or "not at all"}, not running; look around '
                               f'with `machine shell {self.name}`. Failed units:\n{failed.stdout}')
        # As on a real host. Only now, since each mount is told to more listeners afterwards.
        self.run(['mount', '--make-rshared', '/'])
        say(f'{self.name} is up after {time.monotonic() - begin:.1f} s')

    def wait_for_manager(self, log):
        """The host's pid of the machine's PID 1, once systemd answers there."""
        children = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        deadline = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(OSError):
                leader = children.read_text().split()
                # Before it is systemd, its root is the host's, where another systemd may be.
                if leader and Path(f'/proc/{leader[0]}/comm').read_text() == 'systemd\n' \
                        and Path(f'/proc/{leader[0]}/root/run/systemd/private').exists():
                    return int(leader[0])
            time.sleep(0.01)
        raise MachineError(f'{self.name} did not boot:\n' + log.read_text(errors='replace')[-3000:])

    # -- use --------------------------------------------------------------------------------------------

    def enter(self, argv, environment=None):
        """A cgroup for a command in the machine, and the command of the host that runs it there. systemd needs
        its root cgroup free of processes."""
        leader = self.need_up()
        if isinstance(argv, str):
            argv = ['/bin/sh', '-c', argv]
        cgroup = self.inside / 'test.scope' / f'{os.getpid()}-{next(self.serial)}'
        cgroup.mkdir(parents=True)
        variables = {'HOME': '/root', 'USER': 'root', 'LANG': 'C.UTF-8', 'PATH': PATH,
                     'TERM': os.environ.get('TERM', 'dumb')} | (environment or {})
        return cgroup, ['/bin/sh', '-c', 'echo 0 >"$0/cgroup.procs" && exec "$@"', str(cgroup),
                        'nsenter', '--target', str(leader), '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup',
                        '--root', '--wd', '/usr/bin/env', '-i', *(f'{k}={v}' for k, v in variables.items()),
                        *map(str, argv)]

    def leave(self, cgroup):
        """What a command left running stays; its cgroup goes with the machine then."""
        with contextlib.suppress(OSError):
            cgroup.rmdir()

    def run(self, argv, check=True, timeout=60, input=None, env=None):
        data = input.encode() if isinstance(input, str) else input
        cgroup, command = self.enter(argv, env)
        try:
            process = subprocess.Popen(command, stdin=subprocess.PIPE if data else subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                out, err, expired = collect(process, data, timeout, lambda: self.kill(cgroup))
            except BaseException:
                self.kill(cgroup)
                process.wait()
                raise
        finally:
            self.leave(cgroup)
        return finish(argv, process.returncode, out, err, expired, timeout, check)

    def exec(self, argv, timeout=None, source=None):
        """Runs a command on the caller's own terminal or files; returns its status."""
        cgroup, command = self.enter(argv)
        process = subprocess.Popen(command, stdin=source)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill(cgroup)
            process.wait()
            say(f'ended after {timeout} s')
            return TIMED_OUT
        except KeyboardInterrupt:
            self.kill(cgroup)
            process.wait()
            return 128 + signal.SIGINT
        finally:
            self.leave(cgroup)
        return status if status >= 0 else 128 - status

    def shell(self):
        return self.exec(['/bin/bash', '-l'])

    def kill(self, cgroup):
        """All of it is gone then."""
        deadline = time.monotonic() + KILL_LIMIT
        with contextlib.suppress(OSError):
            (cgroup / 'cgroup.kill').write_text('1')
            while 'populated 1' in (cgroup / 'cgroup.events').read_text() and time.monotonic() < deadline:
                time.sleep(0.005)

    def reboot(self, power_cut=False):
        raise MachineError('a local machine has no kernel of its own to reboot: use --kind=vm')
