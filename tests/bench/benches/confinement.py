# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each layer of confinement costs: at the start, and at each system call."""

import shutil
import subprocess
import time
from pathlib import Path

from .contenders import PROGRAMS, Berth, Lxc, Nspawn, define
from .sections import add, section
from .timing import launch, summary, systemctl

CACHES = {'seccomp': Path('/var/cache/berth/seccomp'), 'AppArmor': Path('/var/cache/berth/apparmor')}
APPARMOR = Path('/sys/kernel/security/apparmor')
WITHOUT = {'seccomp': 'Seccomp=off', 'AppArmor': 'AppArmor=unconfined'}


def lines_without():
    return {layer: line for layer, line in WITHOUT.items() if layer != 'AppArmor' or APPARMOR.exists()}


def make(name, program, security=''):
    command = Berth().make(name, program)
    define(name, f'[Container]\nCommand={program}\n[Root]\nPath={Berth().root(name)}\n[Security]\n{security}\n')
    return 'unit', command


def cold(layer, rounds):
    """Starts that have to compile: the cache is emptied before each."""
    command = make('layers-cold', '/bin/true')
    taken = []
    for _ in range(rounds):
        shutil.rmtree(CACHES[layer], ignore_errors=True)
        taken += launch({'cold': command}, 1, 30)['cold']
    return taken


def layers(rounds):
    """The start of `start', with one layer left out each time, and with caches that are cold."""
    out = section('Start with and without each layer', ['ms', 'least', 'n', 'cpu ms'],
                  'process from outside, 30 ms of rest before each start; caches are warm unless it says so')
    without = lines_without()
    commands = {'all layers': make('layers-all', '/bin/true')}
    for i, (layer, line) in enumerate(without.items()):
        commands[f'without {layer}'] = make(f'layers-{i}', '/bin/true', line)
    commands['without any of them'] = make('layers-none', '/bin/true', '\n'.join(without.values()))
    results = launch(commands, rounds, 30)
    for layer in CACHES:
        if layer in without:
            results[f'all layers, cold cache of {layer}'] = cold(layer, max(rounds // 3, 3))
    for name, samples in results.items():
        cpu = summary([s['cpu'] for s in samples])
        add(out, name, [s['total'] for s in samples], f'{cpu["median"]:.2f}')
    return out


def measured_in(contender, name, start):
    """The program in a container: it tells by a file in its root."""
    root = contender.root(name)
    result = root / 'result'
    shutil.copy(PROGRAMS / 'getpid', root / 'bin/getpid')
    result.write_text('')
    result.chmod(0o666)
    start()
    if not result.read_text():
        raise RuntimeError(f'{contender.name}: the program in the container said nothing')
    return float(result.read_text())


def in_berth(name, security=''):
    unit = f'container@{name}.service'

    def start():
        make(name, '/bin/getpid', security)
        systemctl('start', unit)
        while subprocess.run(['systemctl', 'is-active', '--quiet', unit], check=False).returncode == 0:
            time.sleep(0.1)
    return measured_in(Berth(), name, start)


def in_peer(contender):
    command = [str(word) for word in contender.make('calls', '/bin/getpid')]
    return measured_in(contender, 'calls', lambda: subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                                                  check=False))


def calls(rounds):
    """The least time of getpid(2) behind each one's default filter."""
    out = section('One system call (getpid) in a container', ['ns', 'least', 'n', 'x no container'],
                  'behind the filter that each has by default; the least of a program\'s rounds is one sample')
    places = {'no container': lambda: float(subprocess.check_output([PROGRAMS / 'getpid'])),
              'berth': lambda: in_berth('calls-default'),
              'berth, Seccomp=off': lambda: in_berth('calls-off', 'Seccomp=off')}
    places |= {c.name: lambda c=c: in_peer(c) for c in (Lxc(), Nspawn()) if c.available()}
    samples = {name: [] for name in places}
    for _ in range(rounds):
        for name, run in places.items():
            samples[name].append(1000 * run())
    bare = summary(samples['no container'])['median']
    for name, values in samples.items():
        add(out, name, values, f'{summary(values)["median"] / bare:.2f}')
    return out
