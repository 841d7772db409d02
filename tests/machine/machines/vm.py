# SPDX-License-Identifier: LGPL-2.1-or-later
"""The virtual machine: Debian 13 with a kernel of its own, in QEMU by software emulation, so that it is the same
everywhere.

It is booted once, until it is `running`, and then frozen: the memory in one file, the devices' state in
another, the disk in a third. A machine that is brought up is a copy that resumes from there, which takes a
second; only what it writes is its own. The project comes in through the agent afterwards. A reboot is a real
one, of the kernel, from the copy's disk.
"""

import json
import os
import socket
import subprocess
import time

from . import build, cache, client, image
from .machine import Machine, check_bind, finish
from .util import PATH, TIMED_OUT, MachineError, need_programs, need_root, need_space, progress, say

MEMORY = int(os.environ.get('BERTH_VM_MEMORY') or 2048)
PROCESSORS = 2
BOOT_LIMIT = 1200
START_LIMIT = 120       # of QEMU itself
APPEND = 'root=/dev/vda rw console=ttyS0 quiet mitigations=off nokaslr panic=-1 nowatchdog no_timer_check'
PROGRAMS = ('qemu-system-x86_64=qemu-system-x86', 'qemu-img=qemu-utils', 'cpio=cpio', 'xz=xz-utils', 'zstd=zstd',
            'mke2fs=e2fsprogs')

# The project over the root, and what a package's installation would do then.
INSTALL = '''
    set -e
    tar -x -C / --keep-directory-symlink --no-overwrite-dir
    systemd-sysusers
    systemctl daemon-reload
    systemd-tmpfiles --create --remove 2>/dev/null || true
    for socket in /usr/lib/systemd/system/berth-*.socket; do
        [ ! -e "$socket" ] || systemctl --quiet enable --now "${socket##*/}"
    done
    busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ReloadConfig >/dev/null
'''


class Qmp:
    """QEMU's control socket."""

    def __init__(self, path, process):
        deadline = time.monotonic() + START_LIMIT
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError as error:
                if time.monotonic() > deadline or (process and process.poll() is not None):
                    raise MachineError('QEMU does not answer on its control socket') from error
                time.sleep(0.01)
        self.file = self.socket.makefile('rw')
        json.loads(self.file.readline())
        self('qmp_capabilities')

    def __call__(self, command, **arguments):
        self.file.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
        self.file.flush()
        while line := self.file.readline():
            answer = json.loads(line)
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise MachineError(f'QEMU refused {command}: {answer["error"]["desc"]}')
        raise MachineError(f'QEMU ended during {command}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def qemu(directory, base, disk, memory, shared, *more):
    """The command line. What is in it has to be the same for the frozen machine and those that resume it."""
    ports = []
    for number in range(client.PORTS):
        ports += ['-chardev', f'socket,id=port{number},path={directory}/port.{number},server=on,wait=off',
                  '-device', f'virtserialport,chardev=port{number},name=berth.agent.{number}']
    return ['qemu-system-x86_64', '-machine', 'q35,accel=tcg,memory-backend=memory', '-cpu', 'max',
            '-smp', str(PROCESSORS), '-m', str(MEMORY),
            '-object', f'memory-backend-file,id=memory,size={MEMORY}M,mem-path={memory},share={shared}',
            '-nodefaults', '-no-user-config', '-display', 'none', '-serial', f'file:{directory}/console.log',
            '-qmp', f'unix:{directory}/qmp,server=on,wait=off', '-device', 'virtio-serial-pci,max_ports=16', *ports,
            '-drive', f'file={disk},if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap',
            '-device', 'virtio-blk-pci,drive=disk',
            '-kernel', str(base / 'kernel'), '-initrd', str(base / 'initrd'), '-append', APPEND, *more]


def overlay(base, path):
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', path], check=True)


class VirtualMachine(Machine):
    """One virtual machine, up or not."""

    kind = 'vm'
    patience = 5

    def __init__(self, name='vm'):
        super().__init__(name)

    # -- up, down and over ------------------------------------------------------------------------------

    def up(self, tree=None, options=(), binds=(), project=True):
        need_root()
        need_programs(*PROGRAMS)
        if tree not in (None, 'debian13'):
            raise MachineError('a virtual machine is Debian 13: leave --tree away, or use --kind=local')
        self.refuse_second()
        binds = [check_bind(bind) for bind in binds]
        base = frozen()
        tar = build.project('debian13', options) if project else None
        need_space(cache.shelf('scratch'), 1000)
        with self.claim('emulator'):
            begin = time.monotonic()
            self.resume(base)
            self.run(['date', '--set', f'@{time.time():.3f}'])
            self.run(['dd', 'of=/dev/urandom', 'status=none'], input=os.urandom(64))
            if tar:
                self.run(['/bin/sh', '-c', INSTALL], input=tar.read_bytes())
            for bind in binds:
                self.copy_in(*bind.split(':', 1))
            say(f'{self.name} is up after {time.monotonic() - begin:.1f} s')

    def resume(self, base):
        disk = self.scratch / 'disk.qcow2'
        overlay(base / 'frozen.qcow2', disk)
        self.start_qemu(base, qemu(self.state, base, disk, base / 'memory', 'off', '-incoming', 'defer'))
        with Qmp(self.state / 'qmp', self.process) as control:
            control('migrate-set-capabilities', capabilities=[{'capability': 'x-ignore-shared', 'state': True}])
            control('migrate-incoming', uri=f'exec:cat {base}/state')
            while control('query-status')['status'] in ('inmigrate', 'prelaunch'):
                time.sleep(0.01)
            control('cont')

    def start_qemu(self, base, command):
        log = open(self.state / 'qemu.log', 'wb')
        with log:
            self.process = subprocess.Popen(
                ['/bin/sh', '-c', 'echo 0 >"$0/cgroup.procs" && exec "$@"', str(self.cgroup / 'emulator'), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        self.know(self.process.pid, 'debian13', [base])
        deadline = time.monotonic() + START_LIMIT
        while not (self.state / 'qmp').exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.state / 'qemu.log'
                raise MachineError(f'QEMU did not start:\n{log.read_text(errors="replace")[-2000:]}')
            time.sleep(0.01)

    def boot(self, base, disk, memory):
        """From the beginning, to be frozen."""
        self.start_qemu(base, qemu(self.state, base, disk, memory, 'on'))
        self.wait_for_boot(None)

    def wait_for_boot(self, before):
        """Until a kernel other than that whose boot_id is given runs and systemd has started everything."""
        deadline = time.monotonic() + BOOT_LIMIT
        while time.monotonic() < deadline:
            try:
                done = self.run(['cat', '/proc/sys/kernel/random/boot_id'], check=False, answer_within=5, timeout=10)
                # What is asked while the old system goes down is killed with it, and may get no answer for that.
                boot = done.stdout if done.returncode == 0 else before
            except MachineError:
                boot = before
            if boot != before:
                done = self.run(['systemctl', 'is-system-running', '--wait'], check=False, timeout=BOOT_LIMIT)
                if done.stdout.strip() == 'running':
                    return
                failed = self.run(['systemctl', 'list-units', '--failed', '--no-legend', '--plain'], check=False)
                raise MachineError(f'{self.name} came up {done.stdout.strip()}, not running. Failed units:\n'
                                   + failed.stdout)
            self.need_up()
            time.sleep(0.5)
        log = self.state / 'console.log'
        raise MachineError(f'{self.name} did not boot in {BOOT_LIMIT} s:\n'
                           + log.read_text(errors='replace')[-3000:])

    def reboot(self, power_cut=False):
        self.need_up()
        before = self.run(['cat', '/proc/sys/kernel/random/boot_id']).stdout
        if power_cut:
            with Qmp(self.state / 'qmp', self.process) as control:
                control('system_reset')
        else:
            self.run('(sleep 0.5; systemctl reboot) >/dev/null 2>&1 &')
        with progress(f'rebooting {self.name}'):
            self.wait_for_boot(before)

    # -- use --------------------------------------------------------------------------------------------

    def environment(self, more=None):
        return {'HOME': '/root', 'USER': 'root', 'LANG': 'C.UTF-8', 'PATH': PATH,
                'TERM': os.environ.get('TERM', 'dumb')} | (more or {})

    def words(self, argv):
        return ['/bin/sh', '-c', argv] if isinstance(argv, str) else argv

    def run(self, argv, check=True, timeout=300, input=None, env=None, answer_within=300):
        self.need_up()
        data = input.encode() if isinstance(input, str) else input
        out, err = bytearray(), bytearray()
        with client.free_port(self.state) as port:
            session = client.Session(port, self.words(argv), self.environment(env), out.extend, err.extend, bool(data),
                                     answer_within=answer_within)
            try:
                for at in range(0, len(data or b''), 65536):
                    session.send(b'I', data[at:at + 65536])
                if data:
                    session.send(b'I')
                status, expired = session.status(timeout)
            except KeyboardInterrupt:
                session.send(b'K')
                session.status(10)
                raise
        return finish(argv, status, out.decode(errors='replace'), err.decode(errors='replace'), expired, timeout,
                      check)

    def exec(self, argv, timeout=None, source=None):
        self.need_up()
        with client.free_port(self.state) as port:
            status, expired = client.foreground(port, self.words(argv), self.environment(), timeout, source)
        if expired:
            say(f'ended after {timeout} s')
            return TIMED_OUT
        return status

    def shell(self):
        self.need_up()
        with client.free_port(self.state) as port:
            return client.interactive(port, ['/bin/bash', '-l'], self.environment())

    def copy_in(self, source, target):
        """There are no mounts between the host and a virtual machine: it gets a copy."""
        if os.path.isdir(source):
            pack, place = ['-C', source, '.'], target
        else:
            pack, place = ['-C', os.path.dirname(source), '--transform', f's,.*,{os.path.basename(target)},',
                           os.path.basename(source)], os.path.dirname(target)
        tar = subprocess.run(['tar', '-c', *pack], stdout=subprocess.PIPE, check=True).stdout
        self.run(['/bin/sh', '-c', 'mkdir -p "$0" && tar -x -C "$0"', place], input=tar)


def frozen():
    """The directory of a machine that was booted and frozen: kernel, initrd, memory, state and disks."""
    version = subprocess.run(['qemu-system-x86_64', '--version'], capture_output=True, text=True).stdout.splitlines()[0]
    recipe = cache.digest(image.recipe(), version, MEMORY, PROCESSORS, APPEND, qemu('', cache.CACHE, '', '', ''))
    return cache.entry('vm', 'base', recipe, freeze)


def freeze(directory):
    need_space(cache.CACHE, 6000)
    directory.mkdir()
    with progress('making the disk of the virtual machine (once)'):
        image.make(directory)
    machine = VirtualMachine(f'freeze-{os.getpid()}')
    disk = directory / 'frozen.qcow2'
    overlay('disk.qcow2', disk)
    try:
        with machine.claim('emulator'), progress('booting the virtual machine and freezing it (once)'):
            machine.boot(directory, disk, directory / 'memory')
            machine.run('sync; echo 3 >/proc/sys/vm/drop_caches; systemctl daemon-reload')
            with Qmp(machine.state / 'qmp', machine.process) as control:
                control('stop')
                control('migrate-set-capabilities', capabilities=[{'capability': 'x-ignore-shared', 'state': True}])
                control('migrate', uri=f'exec:cat >{directory}/state')
                while (status := control('query-migrate').get('status')) != 'completed':
                    if status == 'failed':
                        raise MachineError('QEMU could not write its state')
                    time.sleep(0.02)
                control('quit')
            machine.process.wait(START_LIMIT)
    finally:
        machine.down()
