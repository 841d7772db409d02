# SPDX-License-Identifier: LGPL-2.1-or-later
"""An attack is a script or program that is a container's command and says what it has done as KEY=VALUE. It is run
twice, as it is and with a protection left out: told(ONE) is what it said, or None when berth refused to start it."""

import subprocess
from pathlib import Path

import probe

HERE = Path(__file__).resolve().parent
CANARY = '/srv/scratch/attacks-canary'
DONE = '\necho probe=done\n'


def compile_programs(directory):
    flags = ['cc', '-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror', '-static']
    bare = ['-nostdlib', '-ffreestanding', '-fno-stack-protector', '-no-pie', '-Wl,-Ttext-segment=0x50000000']
    programs = {}
    for name, more in (('hostile', []), ('loader', bare)):
        subprocess.run([*flags, *more, '-o', str(directory / name), str(HERE / f'{name}.c')], check=True, timeout=120)
        programs[name] = (directory / name).read_bytes()
    return programs


class Tree:
    """A guest whose programs are the attacker's."""

    def __init__(self, machine, programs, path=None):
        self.machine = machine
        self.path = path or machine.copy_tree('busybox')
        for name, content in programs.items():
            machine.write(f'{self.path}/{name}', content, 0o755)
        machine.write(f'{self.path}/etc/passwd', 'root::0:0:root:/:/bin/sh\nannie:x:1000:1000::/:/bin/sh\n')
        machine.write(f'{self.path}/etc/group', 'root:x:0:\ntty:x:5:\nannie:x:1000:\n')

    def script(self, name, text):
        """A script that says probe=done at its end; returns its path inside."""
        self.machine.write(f'{self.path}/{name}', f'#!/bin/sh\n{text}{DONE}', 0o755)
        return f'/{name}'

    def definition(self, command, keys='', sections='', root='Overlay=yes\n'):
        return f'[Container]\nCommand={command}\n{keys}[Root]\nPath={self.path}\n{root}{sections}'

    def remove(self):
        self.machine.remove(self.path)


class DropIns:
    """Settings of units that are there until the next boot, or remove()."""

    def __init__(self, machine):
        self.machine = machine
        self.directories = []

    def add(self, one, weaken='', unit=''):
        if weaken:
            unit = f'Environment=BERTH_WEAKEN={weaken}\n{unit}'
        if unit:
            self.directories.append(f'/run/systemd/system/{one.unit}.d')
            self.machine.write(f'{self.directories[-1]}/attack.conf', f'[Service]\n{unit}')
            self.machine.run(['systemctl', 'daemon-reload'])

    def remove(self):
        if self.directories:
            self.machine.remove(*self.directories)
            self.machine.run(['systemctl', 'daemon-reload'])


def told(one, timeout=60):
    """What the container's command said; None when it was not started, which has to be for a reason that is told."""
    since = probe.start(one, check=False)
    if one.show('ExecMainStatus') == '125':
        sentence = one.show('StatusText')
        assert sentence.startswith(f'Cannot start container {one.name}: ') and 'be the name' not in sentence, one.journal()
        return None
    return probe.output(one, since, timeout=timeout)
