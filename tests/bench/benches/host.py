# SPDX-License-Identifier: LGPL-2.1-or-later
"""On the host: boots a machine, has everything measured in it, and prints the report."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent / 'machine'))

from machines import build  # noqa: E402
from machines.local import LocalMachine  # noqa: E402
from machines.util import MachineError, need_programs, progress, run  # noqa: E402

from .inside import SECTIONS  # noqa: E402

PACKAGES = {'lxc-start': 'lxc', 'crun': 'crun', 'bwrap': 'bubblewrap', 'systemd-nspawn': 'systemd-container'}
LIMIT = 3600


def install_peers():
    """The peers come from Debian; the report does without those that cannot be had."""
    missing = [package for program, package in PACKAGES.items() if not any(
        os.access(f'{place}/{program}', os.X_OK) for place in ('/usr/bin', '/usr/sbin'))]
    if not os.path.exists('/usr/include/systemd/sd-bus.h'):
        missing.append('libsystemd-dev')
    if missing:
        with progress(f'installing {" ".join(missing)}'):
            subprocess.run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', *missing], check=False,
                           stdout=subprocess.DEVNULL, env=os.environ | {'DEBIAN_FRONTEND': 'noninteractive'})


def build_programs():
    """From the host's build of the project, as machines over the host's root get it. They run on newer hosts, too."""
    tar = build.project()
    directory = tar.parent / 'build'
    run(['ninja', '-C', directory, 'bench-programs'], what='building the programs of the bench')
    return directory / 'tests/bench'


def measure(names, quick, tree):
    """Yields each section as soon as it is there."""
    programs = build_programs()
    machine = LocalMachine(f'bench-{os.getpid()}')
    machine.up(tree=tree, binds=[f'{programs}:/srv/bench/programs', f'{HERE / "benches"}:/srv/bench/benches'])
    try:
        for name in names:
            with progress(f'measuring: {name}'):
                done = machine.run(['env', '-C', '/srv/bench', 'python3', '-B', '-m', 'benches.inside',
                                    'quick' if quick else 'full', name], timeout=LIMIT, check=False)
            if done.returncode != 0:
                raise MachineError(f'{name}: {done.stdout}{done.stderr}')
            yield json.loads(done.stdout.splitlines()[-1])
    finally:
        machine.down()


def table(result):
    if 'error' in result:
        return f'{result["name"]}: cannot be measured\n{result["error"]}'
    rows = [['', *result['columns']], *result['rows']]
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(len(rows[0]))]
    lines = [result['title'], *([f'  ({result["note"]})'] if result['note'] else [])]
    lines += ['  ' + row[0].ljust(widths[0]) + ''.join('  ' + cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))
              for row in rows]
    return '\n'.join(line.rstrip() for line in lines)


def goals(results):
    """The lines "goal 1.5, is 1.37". Medians, as in the tables; the least beside it, which a busy machine disturbs less."""
    def data(section, name):
        return results.get(section, {}).get('data', {}).get(name)

    def line(text, goal, value, least=None):
        return f'  {"met " if value <= goal else "MISSED"}  {text}: goal {goal:g}, is {value:.2f}' + (
            f' (of the least {least:.2f})' if least is not None else '')

    lines = []
    floor, berth = data('start', 'floor'), data('start', 'berth')
    if floor and berth:
        lines.append(line('berth-helper launch / floor', 1.5, berth['median'] / floor['median'], berth['least'] / floor['least']))
    empty, unit = data('systemd', 'empty service, one StartUnit call'), data('systemd', 'berth, one StartUnit call')
    if floor and empty and unit:
        bound = {key: 1.5 * empty[key] + floor[key] for key in ('median', 'least')}
        lines.append(line('StartUnit / (1.5 empty service + floor)', 1, unit['median'] / bound['median'], unit['least'] / bound['least']))
    peers = [data('start', name) for name in ('crun', 'LXC', 'nspawn')]
    if unit and all(peers):
        lines.append(line('StartUnit / the fastest of crun, LXC and nspawn without systemd', 1,
                          unit['median'] / min(p['median'] for p in peers), unit['least'] / min(p['least'] for p in peers)))
    cost = data('footprint', 'berth')
    if cost:
        lines.append(line('processes of berth for each running container', 0, cost['processes']))
        lines.append(line('KiB of berth for each running container', 0, cost['own_kib']))
    calls = results.get('service', {}).get('data', {})
    for mine, other in (('StartContainer', 'StartUnit'), ('berthctl', 'systemctl')):
        if mine in calls and other in calls:
            lines.append(line(f'{mine} / {other}', 1.1, calls[mine]['median'] / calls[other]['median'],
                              calls[mine]['least'] / calls[other]['least']))
    if 'list' in calls:
        lines.append(line('list of 1000 in ms', 10, calls['list']['median'], calls['list']['least']))
        lines.append(line('KiB of the manager for each container known', 4, calls['memory each']))
    runs = results.get('many', {}).get('data', {})
    for what in ('berth, StartUnit', 'berth-helper launch', 'empty service'):
        pair = [v for k, v in runs.items() if k.startswith(what)]
        if len(pair) == 2:
            ratio, least = (pair[1][key] / pair[0][key] for key in ('median', 'least'))
            lines.append(line(f'{what}, many running / none', 1.2, ratio, least) if what != 'empty service' else
                         f'          of which systemd, empty service, many running / none: {ratio:.2f} (of the least {least:.2f})')
    return lines


def parse(arguments):
    parser = argparse.ArgumentParser(prog='bench', description='Measures berth beside LXC, crun, bubblewrap, systemd-nspawn and a '
                                     'bare floor, in a local test machine. A report: nothing here fails.')
    parser.add_argument('--quick', action='store_true', help='few rounds: a look, not a result')
    parser.add_argument('--only', metavar='NAMES', default=','.join(SECTIONS), help=f'some of {",".join(SECTIONS)}')
    parser.add_argument('--tree', choices=['debian13'], help='the machine\'s system, in place of this host\'s: berth with its systemd, '
                        'and of the others those that it has')
    parser.add_argument('--json', metavar='FILE', type=Path, help='write all samples there, too')
    options = parser.parse_args(arguments)
    options.only = options.only.split(',')
    unknown = set(options.only) - set(SECTIONS)
    if unknown:
        parser.error(f'--only={",".join(sorted(unknown))}: there are {", ".join(SECTIONS)}')
    return options


def main(arguments=None):
    options = parse(arguments)
    results = {}
    try:
        if os.geteuid() != 0:
            raise MachineError('this boots a machine: run it as root')
        install_peers()
        need_programs('meson=meson', 'ninja=ninja-build', 'gcc=gcc')
        begin, load = time.monotonic(), os.getloadavg()
        for result in measure(options.only, options.quick, options.tree):
            results[result['name']] = result
            print(table(result) + '\n', flush=True)
    except MachineError as error:
        print(f'bench: {error}', file=sys.stderr)
        return 1
    lines = goals(results)
    if lines:
        print('Goals', *lines, sep='\n')
    print(f'\n{os.cpu_count()} processors, Linux {os.uname().release}, load {load[0]:.1f} at the begin and {os.getloadavg()[0]:.1f} '
          f'at the end, {time.monotonic() - begin:.0f} s')
    if options.json:
        options.json.write_text(json.dumps({'goals': lines, 'sections': results}, indent=1) + '\n')
    return 0
