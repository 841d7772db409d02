# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl on containers that have a definition on the host: enable, disable, logs, top, monitor, edit."""

import json
import time

import pytest
from bus import Bus

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
MONITOR = 'berthctl-monitor'
EVENTS = '/run/berthctl-monitor.json'


def ctl(machine, *words, check=True, timeout=300, env=None):
    return machine.run(['berthctl', *words], check=check, timeout=timeout * machine.patience, env=env)


@pytest.fixture
def defined(machine, container):
    """A container that the service knows."""
    def make(name, definition=SLEEPER):
        made = container(name, definition)
        made.wait_for(lambda: name in Bus(machine).listed(), 'a place in the list')
        return made
    return make


@pytest.fixture
def events(machine):
    """Starts `berthctl monitor --json`; gives a function that returns what it has said, and waits for one if asked."""
    bus = Bus(machine)
    # A container of an earlier test that is still in the list would not be told of as one that was added.
    bus.wait_for(lambda: not bus.listed(), 'an empty list', timeout=60)
    # The file is there before the program: else there would be a moment in which it cannot be read.
    machine.write(EVENTS, '')
    machine.run(['systemd-run', '--quiet', f'--unit={MONITOR}', f'--property=StandardOutput=truncate:{EVENTS}',
                 'berthctl', 'monitor', '--json'])

    def said(wanted=None, timeout=60):
        deadline = time.monotonic() + timeout * machine.patience
        while True:
            text = machine.read(EVENTS)
            found = [json.loads(line) for line in text[:text.rfind('\n') + 1].splitlines()]
            if wanted is None or any(wanted(event) for event in found):
                return found
            assert time.monotonic() < deadline, found
            time.sleep(0.05)
    said(lambda event: event['event'] == 'ready')
    yield said
    machine.run(['systemctl', 'stop', MONITOR])
    machine.remove(EVENTS)


def test_enable_and_disable(machine, defined):
    web, db = defined('web'), defined('db')
    ctl(machine, 'enable', '--now', 'web', 'd*')
    for one in web, db:
        assert one.systemctl('is-enabled').stdout == 'enabled\n'
        assert one.show('ActiveState') == 'active'
    ctl(machine, 'enable', '--now', 'web')
    ctl(machine, 'disable', 'db')
    assert db.systemctl('is-enabled', check=False).stdout == 'disabled\n'
    assert db.show('ActiveState') == 'active'
    ctl(machine, 'disable', '--now', 'web', 'db')
    assert [one.show('ActiveState') for one in (web, db)] == ['inactive', 'inactive']

    done = ctl(machine, 'enable', 'nobody', check=False)
    assert (done.returncode, done.stdout) == (4, '')
    assert done.stderr.startswith('berthctl: cannot enable nobody: ')


def test_enable_is_systemds_permission(machine, defined):
    """A user may not, and is told so; nothing happens."""
    web = defined('web')
    machine.add_user('annie')
    done = machine.run_as('annie', ['berthctl', 'enable', 'web'], check=False)
    assert done.returncode == 5, done.stderr
    assert 'berthctl: cannot enable web: ' in done.stderr
    assert web.systemctl('is-enabled', check=False).stdout == 'disabled\n'


def test_a_definition_that_was_just_written(machine, container):
    """Nobody has to wait until the service has seen it."""
    ctl(machine, 'list')
    for number in range(5):
        one = container(f'quick{number}', SLEEPER)
        ctl(machine, 'start', one.name)
        assert one.show('ActiveState') == 'active'
    two = container('later', SLEEPER)
    ctl(machine, 'enable', '--now', two.name)
    ctl(machine, 'disable', '--now', two.name)
    assert two.show('ActiveState') == 'inactive'
    # A mask is none, and asking for it costs no more than that.
    machine.run(['ln', '-s', '/dev/null', '/etc/berth/containers/masked.container'])
    try:
        assert ctl(machine, 'start', 'masked', check=False).returncode == 4
    finally:
        machine.remove('/etc/berth/containers/masked.container')


def test_logs(machine, container):
    talker = container('talker', SLEEPER.replace('/bin/sleep 1000', '/bin/sh -c "echo said-inside; sleep 1000"'))
    talker.start()
    talker.wait_for(lambda: 'said-inside' in talker.journal(), 'its line in the journal')
    text = ctl(machine, 'logs', 'talker').stdout
    assert 'said-inside' in text and 'Started container@talker.service' in text
    assert ctl(machine, 'logs', 'talk*', '-n1', '-o', 'cat').stdout.count('\n') == 1
    lines = [json.loads(line) for line in ctl(machine, 'logs', '--json', 'talker').stdout.splitlines()]
    assert any(line['MESSAGE'] == 'said-inside' for line in lines)
    # Of another's containers, nothing.
    assert 'said-inside' not in ctl(machine, 'logs', 'alk').stdout


# Types a key as soon as the screen is as it should be before, and shows the terminal's settings before and after.
KEYS = r"""
import pexpect

child = pexpect.spawn("sh", ["-c", "stty -a; echo --; berthctl top -d 100ms; stty -a"], timeout=120, encoding="utf-8")
child.expect("--")
print(child.before, end="--")
child.expect("by cpu: ")
child.send("n")
child.expect("by name: ")
child.send("q")
child.expect("leaves\r\n")
child.expect(pexpect.EOF)
print(child.before, end="")
"""


def test_top(machine, defined):
    busy = defined('busy', SLEEPER.replace('/bin/sleep 1000', '/bin/sh -c "while :; do :; done"'))
    idle, off = defined('idle'), defined('off')
    busy.start()
    idle.start()

    def look_twice():
        seen = [json.loads(line) for line in ctl(machine, 'top', '--json', '--delay=300ms', '-n2').stdout.splitlines()]
        assert len(seen) == 2
        used = [{one['name']: one['cpu_percent'] for one in look['containers']} for look in seen]
        for look in used:
            assert look.keys() == {'busy', 'idle'} and list(look.values()) == sorted(look.values(), reverse=True)
        return all(look['busy'] > 1 > look['idle'] for look in used)
    # Where others want the processors, one may get none of them for as long as a look takes.
    busy.wait_for(look_twice, 'be the one that is busy')
    table = ctl(machine, 'top', '--delay=100ms').stdout.splitlines()
    assert table[0].split() == ['NAME', 'TASKS', '%CPU', 'MEMORY', 'READ/S', 'WRITE/S']
    assert sorted(line.split()[0] for line in table[1:]) == ['busy', 'idle']
    used = [float(line.split()[2]) for line in table[1:]]
    assert used == sorted(used, reverse=True)
    assert [line.split()[0] for line in
            ctl(machine, 'top', '--delay=100ms', '--order=name', '--no-legend', 'i*').stdout.splitlines()] == ['idle']
    assert off.show('ActiveState') == 'inactive'

    # A terminal gets a screen, keys work, and it is as before afterwards.
    done = machine.run(['/usr/bin/python3', '-c', KEYS], timeout=300)
    before, after = done.stdout.split('--')
    assert before == after and ' icanon' in before

    assert ctl(machine, 'top', '--order=size', check=False).returncode == 2
    assert ctl(machine, 'top', '--delay=never', check=False).returncode == 2


def states(found, name):
    return [event['state'] for event in found if event.get('name') == name and 'state' in event]


def test_monitor(machine, container, events):
    """Everything that happens is told, whoever does it, in order."""
    web = container('web', SLEEPER)
    events(lambda event: event['event'] == 'added' and event['name'] == 'web')
    web.start()
    events(lambda event: event.get('state') == 'running')
    web.systemctl('kill', '--signal=KILL')
    found = events(lambda event: event.get('state') == 'failed')
    assert states(found, 'web') == ['stopped', 'starting', 'running', 'failed']
    web.systemctl('reset-failed')
    machine.remove(web.path)
    found = events(lambda event: event['event'] == 'removed' and event['name'] == 'web')
    assert found[-1]['name'] == 'web'
    assert all(isinstance(event['time_usec'], int) for event in found)


def test_monitor_outlives_the_service(machine, container, events):
    """What happened while the service was away is told when it is back."""
    web = container('web', SLEEPER)
    events(lambda event: event['event'] == 'added')
    machine.run(['systemctl', 'stop', 'berth-manager.service'])
    web.start()
    events(lambda event: event['event'] == 'reset')
    found = events(lambda event: event.get('state') == 'running')
    assert states(found, 'web')[-1] == 'running'
    machine.run(['systemctl', 'kill', '--signal=KILL', 'berth-manager.service'])
    events(lambda event: [seen['event'] for seen in events()].count('reset') == 2)
    web.stop()
    found = events(lambda event: event.get('state') == 'stopped' and states(events(), 'web')[-1] == 'stopped')
    assert machine.run(['systemctl', 'is-active', MONITOR]).stdout == 'active\n'


def test_monitor_for_people(machine, container, events):
    """A line each, flushed at once; a name chooses."""
    machine.write('/run/two', '')
    machine.run(['systemd-run', '--quiet', '--unit=berthctl-monitor-two', '--property=StandardOutput=truncate:/run/two',
                 'berthctl', 'monitor', 'w*'])
    web = container('web')
    web.wait_for(lambda: ' ready\n' in machine.read('/run/two'), 'a monitor')
    container('db', SLEEPER)
    web.define(SLEEPER)
    web.wait_for(lambda: ' added     web  stopped\n' in machine.read('/run/two'), 'a line of the monitor')
    # The other one is told of db, too, at the latest with the next thing that happens.
    web.start()
    events(lambda event: event.get('name') == 'web' and event.get('state') == 'running')
    assert states(events(), 'db') == ['stopped']
    machine.run(['systemctl', 'stop', 'berthctl-monitor-two'])
    assert 'db' not in machine.read('/run/two')
    machine.remove('/run/two')


def edit(machine, name, script, check=False, **env):
    """Runs `berthctl edit` with a shell script as the editor, whose $1 is the draft."""
    machine.write('/run/editor', f'#!/bin/sh\n{script}\n', mode=0o755)
    done = ctl(machine, 'edit', name, check=check, env={'EDITOR': '/run/editor', **env})
    machine.remove('/run/editor')
    return done


def drafts(machine):
    return machine.run(['sh', '-c', 'ls -A /etc/berth/containers /var/tmp | grep -E "^\\.|^berthctl-" || true']).stdout.split()


def test_edit(machine, container):
    web = container('web', SLEEPER)
    done = edit(machine, 'web', 'echo "[Resources]\nTasksMax=50" >>"$1"')
    assert (done.returncode, done.stderr) == (0, '')
    assert machine.read(web.path) == SLEEPER + '[Resources]\nTasksMax=50\n'
    assert machine.run(['stat', '-c', '%a %u %g', web.path]).stdout == '644 0 0\n'
    web.start()
    assert web.show('TasksMax') == '50'
    assert drafts(machine) == []

    # Who may read it stays as it was, also while it is edited and by an editor that writes a file of its own.
    machine.run(['chgrp', 'adm', web.path])
    machine.run(['chmod', '640', web.path])
    done = edit(machine, 'web', 'stat -c "%a %G" "$1" >/run/seen; umask 022; sed -i "s/50/70/" "$1"')
    assert done.returncode == 0 and machine.read('/run/seen') == '640 adm\n'
    assert machine.run(['stat', '-c', '%a %G', web.path]).stdout == '640 adm\n'
    machine.remove('/run/seen')
    done = edit(machine, 'web', 'cp "$1" "$1.new"; chmod 644 "$1.new"; sed -i s/70/50/ "$1.new"; mv "$1.new" "$1"')
    assert done.returncode == 0 and 'TasksMax=50' in machine.read(web.path)
    assert machine.run(['stat', '-c', '%a %G', web.path]).stdout == '640 adm\n'

    # The editor that a variable names first, with arguments.
    done = edit(machine, 'container@web.service', 'sed -i s/50/$1/ "$2"', SYSTEMD_EDITOR='/run/editor 60')
    assert done.returncode == 0 and 'TasksMax=60' in machine.read(web.path)


def test_edit_loses_nothing(machine, container):
    web = container('web', SLEEPER)
    done = edit(machine, 'web', 'echo "Bot=yes" >>"$1"')
    assert done.returncode == 1
    assert 'there is no key Bot= in [Root]' in done.stderr.replace('such ', '') or 'Bot=' in done.stderr
    draft = done.stderr.strip().splitlines()[-1].split()[-1]
    assert machine.read(draft) == SLEEPER + 'Bot=yes\n'
    assert machine.read(web.path) == SLEEPER
    machine.remove(draft)

    for script in 'true', ': >"$1"', 'exit 3', 'kill -9 $$':
        edit(machine, 'web', script)
        assert machine.read(web.path) == SLEEPER, script
        assert drafts(machine) == [], script

    done = edit(machine, 'web', 'true', SYSTEMD_EDITOR='/no/such/editor')
    assert done.returncode == 1 and 'cannot run the editor /no/such/editor: No such file' in done.stderr
    assert drafts(machine) == []

    # Somebody else was faster.
    done = edit(machine, 'web', f'echo >>"$1"; echo "# other" >>{web.path}')
    assert done.returncode == 1 and 'was changed meanwhile' in done.stderr
    assert machine.read(web.path) == SLEEPER + '# other\n'
    machine.remove(done.stderr.strip().splitlines()[-1].split()[-1])
    assert drafts(machine) == []


def test_edit_elsewhere(machine, container):
    """A definition of the distribution's stays; a mask and a link are not replaced; a user may not."""
    shipped = '/usr/lib/berth/containers/web.container'
    machine.write(shipped, SLEEPER)
    web = container('web')
    try:
        assert edit(machine, 'web', 'echo "# mine" >>"$1"').returncode == 0
        assert machine.read(shipped) == SLEEPER
        assert machine.read(web.path) == SLEEPER + '# mine\n'
    finally:
        machine.remove(shipped)

    machine.run(['ln', '-sf', '/dev/null', web.path])
    done = edit(machine, 'web', 'echo >>"$1"')
    assert done.returncode == 4 and 'is masked: ' in done.stderr
    web.define(SLEEPER)
    machine.add_user('annie')
    done = machine.run_as('annie', ['berthctl', 'edit', 'web'], check=False, env={'EDITOR': 'true'})
    assert done.returncode == 5 and 'Permission denied\ntry it as root\n' in done.stderr
    assert edit(machine, 'nobody', 'true').returncode == 4
    assert edit(machine, '../x', 'true').returncode == 2
    assert drafts(machine) == []
