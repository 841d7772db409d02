# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs the programs that measure, and turns their lines into samples."""

import os
import statistics
import subprocess
from pathlib import Path

from .contenders import PROGRAMS

CGROUP = '/sys/fs/cgroup/berth-bench'
TRACING = Path('/sys/kernel/tracing')


def summary(samples, scale=1000):
    """Median, least and number; scale 1000 makes milliseconds of microseconds."""
    return {'median': statistics.median(samples) / scale, 'least': min(samples) / scale, 'n': len(samples)}


def launch(commands, rounds, pause_ms, count=False, cgroup=CGROUP):
    """commands maps a name to (kind, command line). Returns name -> list of dicts."""
    names = list(commands)
    lines = ''.join(f'{i} {kind} {" ".join(str(word) for word in command)}\n'
                    for i, (kind, command) in enumerate(commands.values()))
    argv = [str(PROGRAMS / 'launch-timer'), *(['--count'] if count else []), str(rounds), str(pause_ms), cgroup]
    done = subprocess.run(argv, input=lines, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(argv)} failed:\n{done.stderr[-2000:]}with\n{lines}')
    results = {name: [] for name in names}
    for line in done.stdout.splitlines():
        which, *values = line.split()
        keys = ('calls',) if count else ('total', 'ready', 'cpu')
        results[names[int(which)]].append(dict(zip(keys, map(int, values))))
    return results


def count_calls(commands):
    """System calls of the second start of each; {} where the kernel does not tell."""
    if not (TRACING / 'events').exists():
        subprocess.run(['mount', '-t', 'tracefs', 'tracefs', str(TRACING)], check=False, stderr=subprocess.DEVNULL)
    if not (TRACING / 'events/raw_syscalls').exists():
        return {}
    return {name: values[-1]['calls'] for name, values in launch(commands, 2, 10, count=True).items()}


def units(mode, rounds, pause_ms, names):
    """Returns {'start': {unit: [microseconds]}, 'stop': ...}."""
    argv = [str(PROGRAMS / 'bus-timer'), mode, str(rounds), str(pause_ms), *names]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(argv)[:300]} failed:\n{done.stderr[-2000:]}')
    results = {'start': {}, 'stop': {}}
    for line in done.stdout.splitlines():
        verb, name, usec = line.split()
        results[verb].setdefault(name, []).append(int(usec))
    return results


def systemctl(*arguments):
    done = subprocess.run(['systemctl', '--quiet', *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f'systemctl {" ".join(arguments)[:300]} failed:\n{done.stdout[-2000:]}')


def processes():
    """(pid, name of the executable, resident KiB by share, anonymous KiB) of each process that has an executable."""
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            name = os.path.basename(os.readlink(f'/proc/{pid}/exe')).removesuffix(' (deleted)')
            rollup = dict(line.split(':', 1) for line in Path(f'/proc/{pid}/smaps_rollup').read_text().splitlines()[1:])
            yield int(pid), name, int(rollup['Pss'].split()[0])
        except OSError:
            continue


def kernel_kib():
    """What the kernel has for itself, of the kinds that containers make grow."""
    info = dict(line.split(':') for line in Path('/proc/meminfo').read_text().splitlines())
    return sum(int(info[key].split()[0]) for key in ('Slab', 'KernelStack', 'PageTables', 'SecPageTables', 'Percpu') if key in info)
