# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a container has to do with on its host, and leaves as it was: definitions, the journal, machined, message
queues, cgroups.
"""

import itertools
import json

import pytest

serial = itertools.count()
PLACES = {'admin': '/etc/berth/containers', 'runtime': '/run/berth/containers', 'vendor': '/usr/lib/berth/containers'}
SLEEP = '[Container]\nCommand={command}\n{keys}[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'

# Process 1 of a guest that reboots when it finds a file.
GUEST = '#!/bin/sh\nuntil [ -e /reboot ]; do sleep 0.1; done\nrm /reboot\nexec reboot -f\n'


def sleeper(keys='', command='/bin/sleep 100000'):
    return SLEEP.format(command=command, keys=keys)


@pytest.fixture
def name():
    """A name of its own for each container keeps their lines in the journal apart."""
    return f'guest-{next(serial)}'


# -- definitions ------------------------------------------------------------------------------------------


@pytest.fixture
def place(machine):
    """place(WHERE, PATH, TEXT): a file of a definition's, or a mask of it if TEXT is None; returns its path."""
    made = []

    def put(where, path, text):
        path = f'{PLACES[where]}/{path}'
        made.append(path)
        if text is None:
            machine.run(f'mkdir -p {path.rsplit("/", 1)[0]} && ln -s /dev/null {path}')
        else:
            machine.write(path, text)
        return path
    yield put
    machine.remove(*made)
    machine.run('cd /; rmdir -p ' + ' '.join({p.rsplit('/', 1)[0] for p in made}) + ' 2>/dev/null; '
                'mkdir -p /etc/berth/containers', check=False)


def variables(one):
    text = one.machine.read(f'/proc/{one.main_pid()}/environ')
    return dict(word.split('=', 1) for word in text.split('\0') if '=' in word)


def test_definition_of_each_place(container, machine, place, name):
    """The administrator's counts more than the runtime's, and that more than the vendor's."""
    one = container(name)
    for where in ('vendor', 'runtime', 'admin'):
        place(where, f'{name}.container', sleeper(f'Hostname={where}\n'))
        one.restart()
        assert one.inside(['hostname']).stdout == f'{where}\n'
    for where, left in (('admin', 'runtime'), ('runtime', 'vendor')):
        machine.remove(f'{PLACES[where]}/{name}.container')
        one.restart()
        assert one.inside(['hostname']).stdout == f'{left}\n'


def test_drop_ins_of_each_place(container, machine, place, name):
    one = container(name)
    place('vendor', f'{name}.container', sleeper('Environment=MAIN=1 LAST=main\n'))
    for number, where in enumerate(('admin', 'vendor', 'runtime')):
        text = f'[Container]\nEnvironment={where}=yes LAST={where}\n'
        place(where, f'{name}.container.d/{number}0-{where}.conf', text)
        place(where, f'{name}.container.d/99-same.conf', f'[Container]\nEnvironment=SAME={where}\n')
    one.start()
    seen = variables(one)
    # By name across the places, the last wins; of one name there is one, the administrator's.
    assert [seen.get(key) for key in ('MAIN', 'admin', 'vendor', 'runtime', 'LAST', 'SAME')] == \
        ['1', 'yes', 'yes', 'yes', 'runtime', 'admin']
    # A mask of a drop-in, in each place that can have one.
    for where, masked in (('runtime', 'vendor'), ('admin', 'runtime')):
        number = {'vendor': 1, 'runtime': 2}[masked]
        place(where, f'{name}.container.d/{number}0-{masked}.conf', None)
        one.restart()
        assert masked not in variables(one) and variables(one)['admin'] == 'yes'


@pytest.mark.parametrize('where, masked', [('runtime', 'vendor'), ('admin', 'vendor'), ('admin', 'runtime')])
def test_mask_of_each_place(container, machine, place, name, where, masked):
    """A container that is masked does not start, wherever its definition is."""
    one = container(name)
    place(masked, f'{name}.container', sleeper())
    one.start()
    one.stop()
    mask = place(where, f'{name}.container', None)
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText') == (
        f'Cannot start container {name}: failed to read the definition {name}: {mask}: container {name} is masked: '
        'this is a link to /dev/null; remove it to use the container again')
    assert one.show('ExecMainStatus') == '125'
    machine.remove(mask)
    one.start()


# -- the journal ------------------------------------------------------------------------------------------


def entries(machine, unit):
    machine.run(['journalctl', '--sync'])
    text = machine.run(['journalctl', '--quiet', '--no-pager', '--all', '--output=json', f'--unit={unit}']).stdout
    return [json.loads(line) for line in text.splitlines()]


def test_priority_is_not_the_guests(container, machine, name):
    """"<0>" is an emergency, which is written to every terminal of the host."""
    script = "echo '<0>out'; echo '<0>err' >&2; echo done; exec sleep 100000"
    one = container(name, sleeper(command=f'/bin/sh -c "{script}"'))
    one.start()

    def printed():
        return sorted((e['MESSAGE'], e['PRIORITY']) for e in entries(machine, one.unit) if e.get('SYSLOG_IDENTIFIER') == name)
    one.wait_for(lambda: len(printed()) >= 3, 'its output')
    assert printed() == [('<0>err', '6'), ('<0>out', '6'), ('done', '6')]


@pytest.mark.parametrize('command, root', [('/bin/sleep 1', '/none'), ('/none', '/srv/guests/busybox')])
def test_priority_of_the_sentence(container, machine, name, command, root):
    """What the launcher says is an error of that unit, though the launcher is gone when the journal reads it."""
    one = container(name, sleeper(command=command).replace('/srv/guests/busybox', root))
    assert one.start(check=False).returncode != 0
    own = [e for e in entries(machine, one.unit) if e['MESSAGE'].startswith('Cannot start container ')]
    assert [(e['MESSAGE'], e['PRIORITY'], e['SYSLOG_IDENTIFIER'], e['_SYSTEMD_UNIT']) for e in own] == \
        [(one.show('StatusText'), '3', name, one.unit)]
    assert machine.run(['journalctl', '--quiet', '--output=cat', '--priority=err', f'--unit={one.unit}',
                        f'--identifier={name}']).stdout == one.show('StatusText') + '\n'


# -- machined ---------------------------------------------------------------------------------------------

MANAGER = ['org.freedesktop.machine1', '/org/freedesktop/machine1', 'org.freedesktop.machine1.Manager']


@pytest.fixture
def machined(machine):
    machine.run(['systemctl', 'start', 'systemd-machined.service'])
    yield
    machine.run(['systemctl', 'stop', 'systemd-machined.service'])
    machine.run('rm -rf /run/systemd/machines/*')


def registered(machine, name, key):
    return machine.run(['machinectl', 'show', name, '--value', f'--property={key}'], check=False).stdout.strip()


def test_machine_of_somebody_else(container, machine, machined, name):
    """Whoever has the name in machined keeps it; the container starts without."""
    unit = f'vm-{name}.service'
    machine.run(['systemd-run', '--quiet', '--collect', f'--unit={unit}', 'sleep', '100000'])
    try:
        leader = machine.run(['systemctl', 'show', '--value', '--property=MainPID', unit]).stdout.strip()
        machine.run(['busctl', 'call', *MANAGER, 'RegisterMachine', 'sayssus', name, '0', 'vmm', 'vm', leader, ''])
        assert registered(machine, name, 'Leader') == leader
        one = container(name, sleeper())
        for how in (one.start, one.restart):
            how()
            assert one.show('ActiveState') == 'active'
            assert (registered(machine, name, 'Leader'), registered(machine, name, 'Unit')) == (leader, unit)
        one.stop()
        assert registered(machine, name, 'Leader') == leader
    finally:
        machine.run(['systemctl', 'stop', unit])


def test_machine_over_reboots(container, machine, machined, tree, name):
    """The container's own entry is replaced when the guest reboots."""
    root = tree('busybox')
    machine.write(f'{root}/bin/guest', GUEST, 0o755)
    one = container(name, f'[Container]\nCommand=/bin/guest\n[Root]\nPath={root}\n')
    one.start()
    seen = []
    for _ in range(4):
        leader = str(one.main_pid())
        one.wait_for(lambda: registered(machine, name, 'Leader') == leader, 'its entry in machined')
        assert (registered(machine, name, 'Unit'), registered(machine, name, 'Class')) == (one.unit, 'container')
        assert leader not in seen
        seen.append(leader)
        machine.run(['touch', f'{root}/reboot'])
        one.wait_another(leader)
    one.stop()
    one.wait_for(lambda: registered(machine, name, 'Leader') == '', 'an end of its entry')


# -- message queues, cgroups ------------------------------------------------------------------------------


def test_message_queues_of_the_host(container, machine, name):
    """With the host's IPC namespace, /dev/mqueue is the host's, and its owner and mode with it."""
    before = machine.run('stat -c %u:%g:%a /dev/mqueue; stat -f -c %T /dev/mqueue').stdout
    assert before == '0:0:1777\nmqueue\n'
    one = container(name, sleeper() + '[Namespaces]\nShare=ipc\n')
    one.start()
    assert one.inside(['stat', '-f', '-c', '%t', '/dev/mqueue']).stdout == '19800202\n'
    assert machine.run('stat -c %u:%g:%a /dev/mqueue; stat -f -c %T /dev/mqueue').stdout == before
    one.stop()
    assert machine.run('stat -c %u:%g:%a /dev/mqueue; stat -f -c %T /dev/mqueue').stdout == before
    # With one of its own, it is its root's.
    one.define(sleeper())
    one.start()
    assert one.inside(['stat', '-c', '%u:%g', '/dev/mqueue']).stdout == '0:0\n'
    assert machine.run('stat -c %u:%g:%a /dev/mqueue; stat -f -c %T /dev/mqueue').stdout == before


NEST = 'cd /sys/fs/cgroup; n=0; while [ $n -lt 400 ] && mkdir x 2>/dev/null && cd x; do n=$((n+1)); done; echo $n'


def test_depth_of_cgroups(container, machine, tree, name):
    """A guest cannot build what the next start, or systemd, could not clear away."""
    root = tree('busybox')
    machine.write(f'{root}/bin/guest', GUEST, 0o755)
    one = container(name, f'[Container]\nCommand=/bin/guest\n[Root]\nPath={root}\n')
    one.start()
    for how in ('restart', 'reboot', 'reboot', 'kill'):
        assert one.inside(NEST).stdout == '128\n', how
        for file in ('cgroup.max.depth', 'cgroup.max.descendants'):
            assert one.inside(f'echo max >/sys/fs/cgroup/{file}', check=False).returncode != 0
        before = one.main_pid()
        if how == 'reboot':
            machine.run(['touch', f'{root}/reboot'])
        elif how == 'kill':
            one.systemctl('kill', '--signal=KILL')
            one.wait_state('failed')
            one.start()
        else:
            one.restart()
        one.wait_another(before)
    assert machine.read('/sys/fs/cgroup' + one.show('ControlGroup') + '/payload/cgroup.max.descendants') == '16384\n'
    assert one.inside('ls -d /sys/fs/cgroup/x', check=False).returncode != 0


def test_cgroups_in_width(container, machine, name):
    """Many beside each other are no deeper: they are cleared away, too."""
    one = container(name, sleeper())
    one.start()
    one.inside('cd /sys/fs/cgroup; for i in $(seq 300); do mkdir -p $i/sub; done')
    path = '/sys/fs/cgroup' + one.show('ControlGroup')
    one.restart()
    assert machine.run(f'find {path}/payload -type d | wc -l').stdout == '1\n'
