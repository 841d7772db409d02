# SPDX-License-Identifier: LGPL-2.1-or-later
"""Stopping: the right signal for the guest's kind, a time limit, then SIGKILL for all of it. No hang, no survivor."""

import time

import pytest
from container import Container
from waiting import wait_for


def command(line, more=''):
    return f'[Container]\nCommand={line}\n{more}[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'


def upper(container, path):
    return f'/var/lib/berth/overlays/{container.name}/upper{path}'


def script(machine, container, text):
    """A definition whose guest is a shell script, through a mount."""
    path = f'/srv/scratch/{container}.sh'
    machine.write(path, '#!/bin/sh\n' + text, mode=0o755)
    return path, command('/bin/guest') + f'[Mount]\nSource={path}\nTarget=/bin/guest\nCreate=yes\n'


@pytest.fixture
def scripted(container, machine):
    """scripted(NAME, TEXT, MORE): a container whose guest is a shell script that has started to work."""
    made = []

    def make(name, text, more=''):
        path, definition = script(machine, name, text)
        made.append(path)
        one = container(name, definition.replace('[Root]', f'{more}[Root]'))
        one.start()
        one.wait_for(lambda: machine.exists(upper(one, '/ready')), 'its script')
        return one
    yield make
    machine.remove(*made)


@pytest.fixture
def limit(machine):
    """limit(CONTAINER, SECONDS): its TimeoutStopSec=."""
    made = []

    def set_limit(container, seconds):
        made.append(f'/run/systemd/system/{container.unit}.d')
        machine.write(f'{made[-1]}/limit.conf', f'[Service]\nTimeoutStopSec={seconds}\n')
        machine.run(['systemctl', 'daemon-reload'])
    yield set_limit
    machine.remove(*made)
    machine.run(['systemctl', 'daemon-reload'])


def stop(container):
    """How it ended: 'timeout' when it was not by itself, which takes TimeoutStopSec=."""
    container.stop()
    assert container.show('ActiveState') in ('inactive', 'failed')
    return container.show('Result')


@pytest.mark.parametrize('signal, more', [('TERM', ''), ('USR1', 'StopSignal=SIGUSR1\n'),
                                          ('RTMIN+4', 'StopSignal=SIGRTMIN+4\n')])
def test_command_gets_its_signal(scripted, machine, signal, more):
    number = {'TERM': '15', 'USR1': '10', 'RTMIN+4': '38'}[signal]
    traps = ''.join(f'trap "echo {n} >/got; exit 0" {n}\n' for n in ('15', '10', '38', '37', '30'))
    one = scripted('trap', f'{traps}touch /ready\nwhile :; do usleep 10000; done\n', more)
    assert stop(one) == 'success'
    assert machine.read(upper(one, '/got')) == f'{number}\n'


@pytest.mark.parametrize('boot', ['no', 'reaper'])
def test_command_has_time(scripted, machine, boot):
    """Nothing else disturbs a command that takes its time to end."""
    one = scripted('slow', 'trap "sleep 1; echo >/done; exit 0" TERM\ntouch /ready\nwhile :; do usleep 10000; done\n',
                   f'Boot={boot}\n')
    assert stop(one) == 'success'
    assert machine.exists(upper(one, '/done'))


def test_exit_status_of_a_stop(scripted):
    """A command that answers its signal with an error has failed, as any service."""
    one = scripted('sour', 'trap "exit 3" TERM\ntouch /ready\nwhile :; do usleep 10000; done\n')
    assert stop(one) == 'exit-code'
    assert one.show('ExecMainStatus') == '3'


def test_command_that_handles_no_signal(container):
    """The kernel drops such signals for a process 1; it is switched off instead, without a wait."""
    one = container('deaf', command('/bin/sleep 100000'))
    one.start()
    assert stop(one) == 'success'


def test_stubborn_guest_and_its_daemons(scripted, limit, machine):
    """Who takes the signal and stays is killed with all that it started, sessions and double forks as well."""
    one = scripted('stubborn', 'trap : TERM\nsetsid sleep 77001 &\n(setsid sh -c "trap : TERM HUP; sleep 77002 & '
                               'while :; do sleep 77003; done" &)\ntouch /ready\nwhile :; do sleep 77004; done\n')
    limit(one, 1)
    one.wait_for(lambda: machine.run('pgrep -xfc "sleep 7700[123]"', check=False).stdout.strip() == '3', 'its daemons')
    assert stop(one) == 'timeout'
    assert machine.run('pgrep -xf "sleep 7700[1234]"', check=False).stdout == ''


def test_children_of_a_command(scripted, machine):
    """What a command leaves behind when it ends goes with it."""
    one = scripted('parent', 'setsid sleep 77011 &\n(setsid sleep 77012 &)\ntouch /ready\nsleep 1\nexit 0\n')
    one.wait_state('inactive')
    assert machine.run('pgrep -xf "sleep 7701[12]"', check=False).stdout == ''


def test_busybox_init(container, machine):
    """Its shutdown actions are run."""
    one = container('alpine', '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
    one.start()
    one.wait_for(lambda: one.inside('cat /run/booted', check=False).stdout == 'booted\n', 'its boot')
    one.inside('printf "#!/bin/sh\\ntouch /stopped\\n" >/etc/init.d/rcK')
    assert stop(one) == 'success'
    assert machine.exists(upper(one, '/stopped'))


def test_debian(container, machine):
    """Its services are stopped in order, and it powers off."""
    one = container('debian', '[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n')
    one.start()
    assert one.wait_running() == 'running'
    one.inside('printf "[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n'
               'ExecStop=/bin/touch /stopped\\n" >/etc/systemd/system/mark.service; systemctl start mark')
    assert stop(one) == 'success'
    assert machine.exists(upper(one, '/stopped'))
    assert one.show('ExecMainStatus') in ('0', '2')


def test_debian_that_is_still_booting(container):
    """A stop in the first moments of a guest is no different."""
    one = container('early', '[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n')
    for delay in (0, 0.05, 0.2, 0.5):
        one.start()
        time.sleep(delay)
        assert stop(one) == 'success'


def test_all_at_once(machine, no_leftovers, request):
    """Twenty that are stopped in one go do not wait for each other: the first takes its time until all others have ended."""
    names = [f'crowd-{i}' for i in range(20)]
    units = [f'container@{name}.service' for name in names]
    slow = Container(machine, names[0], command('/bin/sh -c "trap \'until [ -e /go ]; do usleep 10000; done; exit 0\' TERM; '
                                                'touch /ready; while :; do usleep 10000; done"'))
    request.addfinalizer(slow.remove)
    for name in names[1:]:
        machine.write(f'/etc/berth/containers/{name}.container',
                      '[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n')
    try:
        machine.run(['systemctl', 'start', *units], timeout=300)
        slow.wait_for(lambda: machine.exists(upper(slow, '/ready')), 'its script')
        machine.run(['systemctl', 'stop', '--no-block', *units])
        machine.run(['systemctl', 'stop', *units[1:]], timeout=300)
        assert slow.show('ActiveState') == 'deactivating'
        slow.inside('touch /go')
        slow.stop()
        results = machine.run(['systemctl', 'show', '--property=Result', '--value', *units]).stdout
        assert set(results.split()) == {'success'}
    finally:
        machine.run(['systemctl', 'kill', '--signal=KILL', *units], check=False)
        machine.run(['systemctl', 'reset-failed', *units], check=False)
        machine.remove(*(f'/etc/berth/containers/{name}.container' for name in names))


def test_second_stop_and_stop_of_nothing(container):
    one = container('twice', command('/bin/sleep 100000'))
    one.stop()
    one.start()
    one.systemctl('stop', '--no-block')
    assert stop(one) == 'success'
    assert stop(one) == 'success'


def test_number_of_another_process(machine, no_leftovers):
    """Whoever has the number of a main process that has ended is left alone."""
    unit, helper, seen = 'bystander.service', '/usr/libexec/berth/berth-helper', '/srv/scratch/bystander'
    # A shell handles signals in the order of their numbers: when it has handled the last, it has all.
    text = f'for n in 15 37 40; do trap "echo $n >>{seen}" $n; done; echo up >{seen}; while :; do sleep 0.1; done'
    machine.run(['systemd-run', '--quiet', f'--unit={unit}', '/bin/sh', '-c', text.replace('$', '$$')])

    def lines():
        return machine.run(['cat', seen], check=False).stdout.split()
    try:
        wait_for(machine, lambda: 'up' in lines(), 'a shell that is up')
        pid = machine.run(['systemctl', 'show', '--value', '--property=MainPID', unit]).stdout.strip()
        machine.run(['systemd-run', '--quiet', '--wait', f'--setenv=MAINPID={pid}', helper, 'stop', 'x'], timeout=60)
        machine.run(['kill', '-40', pid])
        wait_for(machine, lambda: '40' in lines(), lambda: f'the last signal: {lines()}')
        assert lines() == ['up', '40']
        assert machine.run(['systemctl', 'is-active', unit], check=False).stdout.strip() == 'active'
    finally:
        machine.run(['systemctl', 'kill', '--signal=KILL', unit])
        machine.run(['systemctl', 'stop', unit], check=False)
        machine.run(['systemctl', 'reset-failed', unit], check=False)
        machine.remove(seen)
