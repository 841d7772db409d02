# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the D-Bus service costs, beside systemd's own calls."""

import subprocess
import time
from pathlib import Path

from .contenders import DEFINITIONS, PROGRAMS
from .sections import add, make_units, section
from .timing import summary, systemctl

MANAGER = 'berth-manager.service'


def timer(*arguments):
    """{what: [microseconds]}"""
    argv = [str(PROGRAMS / 'service-timer'), *map(str, arguments)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f'{" ".join(argv)[:300]} failed:\n{done.stderr[-2000:]}')
    results = {}
    for line in done.stdout.splitlines():
        what, usec = line.split()
        results.setdefault(what, []).append(int(usec))
    return results


def memory():
    """Anonymous KiB of a manager that was just started and has answered: what it needs for what it knows."""
    systemctl('restart', MANAGER)
    timer('list', 3)
    pid = subprocess.run(['systemctl', 'show', '--value', '--property=MainPID', MANAGER], stdout=subprocess.PIPE,
                         text=True, check=True).stdout.strip()
    rollup = Path(f'/proc/{pid}/smaps_rollup').read_text()
    return {key: int(rollup.split(f'\n{key}:')[1].split()[0]) for key in ('Pss', 'Anonymous')}


def exposure(unit):
    done = subprocess.run(['systemd-analyze', 'security', '--no-pager', unit], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.split('exposure level for')[1].split(':')[1].split()[0]


def service(rounds, number, defined):
    """Starts, lists, memory, and the exposure of both daemons."""
    out = section('The D-Bus service', ['ms', 'least', 'n'],
                  f'start of one idle program in turns; {number} at once; a list of {defined}; memory in KiB')
    make_units('service')
    subprocess.run(['busctl', 'call', 'org.berth.container1', '/org/berth/container1', 'org.berth.container1.Manager',
                    'ListContainers'], stdout=subprocess.DEVNULL, check=True)
    time.sleep(1)
    for what, samples in timer('start', rounds, 30, 'service').items():
        add(out, what, samples)

    names = [f'at-once-{i}' for i in range(number)]
    make_units(*names)
    time.sleep(1)
    add(out, f'{number} at once, each', [usec / number for usec in timer('together', *names)['together']])

    for path in DEFINITIONS.glob('*.container'):
        path.unlink()
    systemctl('daemon-reload')
    time.sleep(1)
    known = {0: memory()}
    for count in (100, defined):
        for i in range(count):
            (DEFINITIONS / f'known-{i}.container').write_text('[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
        time.sleep(1)
        known[count] = memory()
    add(out, f'list of {defined}', timer('list', max(rounds, 20))['list'])
    for count, kib in known.items():
        out['rows'].append([f'memory, {count} known: anonymous; proportional', str(kib['Anonymous']), str(kib['Pss']), '1'])
    each = (known[defined]['Anonymous'] - known[0]['Anonymous']) / defined
    out['rows'].append(['memory for each container known, KiB', f'{each:.2f}', '', ''])
    for unit in (MANAGER, 'berth-helper.service'):
        out['rows'].append([f'exposure of {unit}', exposure(unit), '', ''])
    out['data'] |= {'memory': known, 'memory each': each, 'list': summary(timer('list', 20)['list'])}
    return out
