# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe: what a container is like, told from inside by a static program that is its command.

install(MACHINE) puts it into a copy of the busybox guest and returns the path of that tree, which the tests of
one module share. run(CONTAINER) starts it and returns what it said as a Report.
"""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = ('probe.c', 'calls.c', 'locked.c')


def compile_probe(directory):
    """The program's bytes. Static, so that it runs in a root that has no libraries."""
    program = Path(directory) / 'probe'
    subprocess.run(['cc', '-std=gnu17', '-O1', '-Wall', '-Wextra', '-Werror', '-static', '-o', str(program),
                    *(str(HERE / s) for s in SOURCES)], check=True, timeout=120)
    return program.read_bytes()


def install(machine, program, tree=None):
    """A writable tree with /probe in it."""
    path = tree or machine.copy_tree('busybox')
    machine.write(f'{path}/probe', program, 0o755)
    return path


class Report:
    """Lines of KEY=VALUE."""

    def __init__(self, text):
        self.pairs = [tuple(line.split('=', 1)) for line in text.splitlines() if '=' in line]

    def __contains__(self, key):
        return any(k == key for k, _ in self.pairs)

    def all(self, key):
        return [v for k, v in self.pairs if k == key]

    def __getitem__(self, key):
        """The value of a key that comes exactly once."""
        values = self.all(key)
        assert len(values) == 1, f'{key} is there {len(values)} times'
        return values[0]

    def below(self, prefix):
        """What follows "PREFIX.", with its value."""
        return {k[len(prefix) + 1:]: v for k, v in self.pairs if k.startswith(prefix + '.')}

    def status(self, name):
        """A line of /proc/self/status."""
        for line in self.all('status'):
            key, _, value = line.partition(':')
            if key == name:
                return value.strip()
        raise AssertionError(f'/proc/self/status has no {name}')


def start(container, check=True):
    """Starts it; returns what output() needs to tell this start's lines from those before. A unit whose command has said
    all and not ended yet would be up already, for systemd."""
    container.wait_for(lambda: container.show('ActiveState') in ('inactive', 'failed'), 'the end of its last run')
    shown = container.machine.run(['journalctl', '--quiet', '--lines=0', '--show-cursor']).stdout
    container.start(check)
    return shown.split('cursor: ')[1].strip()


def output(container, since, until='probe=done', timeout=60):
    """What the container's command has printed, once it has said the last line."""
    def text():
        container.machine.run(['journalctl', '--sync'])
        # Without a match: together with a cursor, journalctl passes over the first line that matches.
        entries = container.machine.run(['journalctl', '--no-pager', '--quiet', '--output=json', '--all',
                                         f'--after-cursor={since}']).stdout
        entries = [json.loads(line) for line in entries.splitlines()]
        return '\n'.join(e['MESSAGE'] for e in entries if e.get('_TRANSPORT') == 'stdout' and isinstance(e['MESSAGE'], str)
                         and e.get('_SYSTEMD_UNIT') == container.unit)
    container.wait_for(lambda: until in text(), until, timeout)
    return Report(text())


def run(container, until='probe=done', timeout=60):
    return output(container, start(container), until, timeout)


def run_on_host(machine, tree, *words):
    """The same program as a process of the machine itself, to compare with."""
    return Report(machine.run([f'{tree}/probe', *words]).stdout)
