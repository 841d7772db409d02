# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured. Each section returns {'title', 'note', 'columns', 'rows': [[name, cell...]], 'data'}."""

import subprocess
import time
from pathlib import Path

from .contenders import PRIVATE, WORK, Berth, Lxc, Nspawn, contenders, define, place
from .timing import count_calls, kernel_kib, launch, processes, summary, systemctl, units

EMPTY = 'bench-empty.service'
UNITS = Path('/run/systemd/system')

EMPTY_UNIT = '''[Unit]
StartLimitIntervalSec=0
[Service]
Type=notify
Delegate=yes
Slice=machine.slice
User=root
ExecStart=/srv/bench/programs/idle
'''


def section(title, columns, note=''):
    return {'title': title, 'note': note, 'columns': columns, 'rows': [], 'data': {}}


def add(result, name, samples, *more):
    result['data'][name] = {**summary(samples), 'samples': samples}
    s = result['data'][name]
    result['rows'].append([name, f'{s["median"]:.2f}', f'{s["least"]:.2f}', str(s['n']), *more])


def start(rounds):
    """From the clone of the contender's process until /bin/true has ended and all is reaped."""
    commands = {c.name: (c.kind, c.make('true', '/bin/true')) for c in contenders()}
    calls = count_calls(commands)
    results = launch(commands, rounds, 30)
    out = section('Start of /bin/true in a container, process from outside', ['ms', 'least', 'n', 'x floor', 'cpu ms', 'calls'],
                  '30 ms of rest before each start')
    floor = summary([s['total'] for s in results['floor']])['median']
    for name, samples in results.items():
        cpu = summary([s['cpu'] for s in samples])
        total = [s['total'] for s in samples]
        add(out, name, total, f'{summary(total)["median"] / floor:.2f}', f'{cpu["median"]:.2f}', str(calls.get(name, '-')))
        out['data'][name] |= {'cpu': cpu, 'calls': calls.get(name)}
    ready = [s['ready'] for s in results.get('berth', []) if s['ready'] > 0]
    if ready:
        add(out, 'berth, until READY=1', ready, '', '', '')
    return out


def row(rounds):
    """Starts one after the other without a rest, and eight at once."""
    out = section(f'{rounds} starts in a row; as many, 8 at once', ['ms each', 'least', 'n', '8 at once, per second'])
    for c in contenders():
        commands = [c.make(f'row{i}', '/bin/true') for i in range(8)]
        alone = launch({'row': (c.kind, commands[0])}, rounds, 0)['row']
        add(out, c.name, [s['total'] for s in alone], f'{at_once(c.kind, commands, max(rounds // 8, 2)):.0f}')
    return out


def at_once(kind, commands, rounds):
    """Starts per second of eight timers that run side by side."""
    from concurrent.futures import ThreadPoolExecutor
    begin = time.monotonic()
    with ThreadPoolExecutor(len(commands)) as pool:
        jobs = [pool.submit(launch, {'x': (kind, command)}, rounds, 0, False, f'/sys/fs/cgroup/berth-bench{i}')
                for i, command in enumerate(commands)]
        for job in jobs:
            job.result()
    return rounds * len(commands) / (time.monotonic() - begin)


def make_units(*names):
    """Containers that run the idle program, and the empty service beside them."""
    UNITS.mkdir(parents=True, exist_ok=True)
    (UNITS / EMPTY).write_text(EMPTY_UNIT)
    for name in names:
        Berth().make(name, '/bin/idle')
    systemctl('daemon-reload')
    return [f'container@{name}.service' for name in names]


def systemd(rounds):
    """A start and a stop as people and programs do it."""
    out = section('Start and stop of an idle program through systemd', ['start ms', 'least', 'n', 'stop ms', 'least'],
                  'until the job is done; the empty service is Type=notify and Delegate=yes, in the same slice')
    unit = make_units('unit')[0]
    for mode, about in (('call', 'one StartUnit call'), ('systemctl', 'systemctl start')):
        results = units(mode, rounds, 30, [EMPTY, unit])
        for name, label in ((EMPTY, 'empty service'), (unit, 'berth')):
            stop = summary(results['stop'][name])
            add(out, f'{label}, {about}', results['start'][name], f'{stop["median"]:.2f}', f'{stop["least"]:.2f}')
            out['data'][f'{label}, {about}']['stop'] = stop
    eight = make_units(*(f'unit-{i}' for i in range(8)))
    results = units('together', max(rounds // 4, 2), 30, eight)
    stop = summary([s / 8 for s in results['stop']['8']])
    add(out, 'berth, 8 at once, each', [s / 8 for s in results['start']['8']], f'{stop["median"]:.2f}', f'{stop["least"]:.2f}')
    return out


def measure(executables):
    """(kernel KiB, processes and resident KiB of the named executables, resident KiB of systemd)."""
    mine, resident, manager = 0, 0, 0
    for pid, name, kib in processes():
        if name in executables:
            mine, resident = mine + 1, resident + kib
        if pid == 1:
            manager = kib
    return kernel_kib(), mine, resident, manager


class Bare:
    """The program that runs in the containers, without any container."""

    name, executables = 'no container', ()

    def make(self, _name, _program):
        return ['/srv/bench/programs/idle']


def footprint(number):
    """What is there for each running container, by the difference that many make."""
    out = section(f'Cost of a running container, mean of {number}', ['own processes', 'own KiB', 'kernel KiB', 'systemd KiB'],
                  'beyond the idle program itself; kernel: slab, stacks, page tables, per-cpu, also of other work that goes on')
    names = [f'foot{i}' for i in range(number)]
    for c in (Bare(), Berth(), *(c for c in contenders() if c.executables and not isinstance(c, Berth))):
        commands = [c.make(name, '/bin/idle') for name in names]
        started = []
        time.sleep(2)
        before = measure(c.executables)
        if isinstance(c, Berth):
            systemctl('start', *(f'container@{name}.service' for name in names))
        else:
            started = [subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True) for command in commands]
        time.sleep(2)
        cost = [(after - b) / number for after, b in zip(measure(c.executables), before)]
        end(c, names, started)
        out['rows'].append([c.name, f'{cost[1]:.2f}', f'{cost[2]:.0f}', f'{cost[0]:.0f}', f'{cost[3]:.1f}'])
        out['data'][c.name] = dict(zip(('kernel_kib', 'processes', 'own_kib', 'systemd_kib'), cost))
    return out


def end(contender, names, started):
    if isinstance(contender, Berth):
        systemctl('stop', *(f'container@{name}.service' for name in names))
    for name in names:
        if contender.name == 'crun':
            subprocess.run(['crun', '--cgroup-manager=disabled', 'delete', '--force', name], check=False, stderr=subprocess.DEVNULL)
        elif contender.name == 'LXC':
            subprocess.run(['lxc-stop', '-k', '-P', str(WORK / 'lxc'), '-n', name], check=False, stderr=subprocess.DEVNULL)
    for process in started:
        process.kill()
        process.wait()


NSPAWN_UNIT = '''[Service]
Type=notify
Delegate=yes
Slice=machine.slice
KillMode=mixed
SuccessExitStatus=133
TimeoutStopSec=60
ExecStart={command}
'''


def boot(rounds):
    """A Debian guest, until its own systemd says that it runs."""
    out = section('Boot of the Debian 13 guest to "running"', ['boot ms', 'least', 'n', 'stop ms', 'least'],
                  'the job of a service that waits for the guest\'s READY=1')
    tree = place(PRIVATE) / 'debian'
    if not tree.exists():
        subprocess.run(['cp', '-a', '--reflink=auto', '/srv/guests/debian13', str(tree)], check=True)
    define('debian', f'[Container]\nReady=guest\n[Root]\nPath={tree}\n')
    names = {'container@debian.service': 'berth'}
    if Nspawn().available():
        command = Nspawn().make('bench-debian', '--boot', tree)
        command[-1:] = ['--notify-ready=yes', '--boot']
        (UNITS / 'bench-nspawn.service').write_text(NSPAWN_UNIT.format(command=' '.join(map(str, command))))
        names['bench-nspawn.service'] = 'nspawn'
    systemctl('daemon-reload')
    results = units('call', rounds, 200, list(names))
    for unit, name in names.items():
        stop = summary(results['stop'][unit])
        add(out, name, results['start'][unit], f'{stop["median"]:.0f}', f'{stop["least"]:.0f}')
    if Lxc().available():
        tree.parent.chmod(0o755)  # it goes there with the guest's ids
        times, states = zip(*(boot_lxc(tree) for _ in range(rounds)))
        add(out, f'LXC ("{states[0]}")', list(times), '', '')
    return out


def boot_lxc(tree):
    """Asked for its state, since it tells nobody. Debian's configuration leaves units failed, which is "degraded"."""
    command = [str(w) for w in Lxc().make('debian', '/sbin/init', tree)]
    attach = ['lxc-attach', '-P', str(WORK / 'lxc'), '-n', 'debian', '--', 'systemctl', 'is-system-running', '--wait']
    begin = time.monotonic()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and time.monotonic() - begin < 60:
            state = subprocess.run(attach, capture_output=True, text=True, check=False).stdout.strip()
            if state in ('running', 'degraded'):
                break
            time.sleep(0.01)
        taken = time.monotonic() - begin
        end(Lxc(), ['debian'], [process])
    return int(taken * 1e6), state


def many(rounds, number):
    """The same start with nothing else there, and with many running."""
    out = section(f'One more start with {number} running', ['ms', 'least', 'n'], 'before, while and after they run')
    probe = make_units('probe')[0]
    command = {'launch': ('unit', Berth().make('true', '/bin/true'))}
    others = make_units(*(f'many{i}' for i in range(number)))

    def sample():
        results = units('call', rounds, 30, [EMPTY, probe])['start']
        return {'empty service': results[EMPTY], 'berth, StartUnit': results[probe],
                'berth-helper launch': [s['total'] for s in launch(command, rounds, 30)['launch']]}

    before = sample()
    for i in range(0, number, 25):
        systemctl('start', *others[i:i + 25])
    time.sleep(1)
    during = sample()
    systemctl('stop', *others)
    time.sleep(1)
    after = sample()
    for what in during:
        add(out, f'{what}, none running', before[what] + after[what])
        add(out, f'{what}, {number} running', during[what])
    return out
