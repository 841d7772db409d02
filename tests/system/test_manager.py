# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the manager knows, and how it comes to know it: definitions, units, what happens behind its back."""

import time

import pytest
from bus import CONTAINER, MANAGER, NAME, ROOT, UNIT, Bus, CallFailed, changes, objects

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
FAILING = '[Container]\nBoot=no\nCommand=/bin/nothing\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
ENDING = '[Container]\nBoot=no\nCommand=/bin/sh -c "exit 3"\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'


@pytest.fixture
def bus(machine):
    """The service, which has seen the end of what earlier tests had: it would be taken for what comes now."""
    one = Bus(machine)
    one.wait_for(lambda: one.listed() == {}, 'the end of what earlier tests had')
    return one


def put(machine, path, text):
    """A file as an editor writes it: in one step, which is one change however slow the machine is."""
    machine.write('/etc/berth/new', text)
    machine.run(['mv', '/etc/berth/new', path])


def test_nothing_there(bus):
    assert bus.listed() == {}
    with pytest.raises(CallFailed, match='There is no container web'):
        bus.manager('GetContainer', 's', 'web')


@pytest.mark.parametrize('name', ['', '.', '..', 'Web', 'a b', 'x/y', '-', 'a' * 64, 'web\n', 'ü'])
def test_names_that_cannot_be(bus, name):
    with pytest.raises(CallFailed, match='a name is 1 to 63 characters'):
        bus.manager('StartContainer', 's', name)


def test_a_definition_comes_and_goes(bus, container, machine):
    with bus.signals() as seen:
        container('web', SLEEPER)
        bus.wait_for(lambda: bus.listed() == {'web': 'stopped'}, 'the new definition')
        machine.remove('/etc/berth/containers/web.container')
        bus.wait_for(lambda: bus.listed() == {}, 'the end of the definition')
    assert objects(seen.messages, 'InterfacesAdded') == ['web']
    assert objects(seen.messages, 'InterfacesRemoved') == ['web']
    removed = [m for m in seen.messages if m.get('member') == 'InterfacesRemoved'][0]['payload']['data'][1]
    assert CONTAINER in removed


def test_an_edited_definition_is_told(bus, container, machine):
    web = container('web', SLEEPER)
    with bus.signals() as seen:
        def told(messages):
            return [values for _, values in changes(messages, 'web')]

        bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
        seen.settle()
        assert 'Command=/bin/sleep 1000' in bus.get('web', 'Definition')
        before = len(told(seen.so_far()))
        put(machine, web.path, SLEEPER.replace('1000', '2000'))
        seen.until(lambda messages: len(told(messages)) > before, 'the change')
        assert '2000' in bus.get('web', 'Definition')
        machine.write('/etc/berth/new.d/10.conf', '[Container]\nDescription=dropped in\n')
        machine.run(['mv', '/etc/berth/new.d', f'{web.path}.d'])
        seen.until(lambda messages: len(told(messages)) > before + 1, 'the drop-in')
        assert 'dropped in' in bus.get('web', 'Definition')
        put(machine, f'{web.path}.d/10.conf', '[Container]\nDescription=changed\n')
        seen.until(lambda messages: len(told(messages)) > before + 2, 'the changed drop-in')
        seen.settle()
    assert told(seen.messages)[before:] == [{'Definition': None}] * 3


def test_directories_that_are_replaced(bus, no_leftovers, machine):
    """One that is taken away and made again at once is another, and is watched again; so is one whose parent had gone."""
    places, web = '/etc/berth/containers', '/etc/berth/containers/web.container'
    drop_in = f'{web}.d/10.conf'
    with bus.signals() as seen:
        # What is defined elsewhere is told of each look at all there is: that it was taken.
        def looks():
            return len(changes(seen.so_far(), 'other'))

        def look_at(script):
            before = looks()
            machine.run(script)
            seen.until(lambda _: looks() > before, f'a look at what is done by {script}')

        machine.write('/usr/lib/berth/containers/other.container', SLEEPER)
        bus.wait_for(lambda: bus.listed() == {'other': 'stopped'}, 'the other one')
        seen.settle()
        try:
            look_at(f'mv {places} {places}.away && mkdir {places}')
            machine.write(web, SLEEPER)
            bus.wait_for(lambda: 'web' in bus.listed(), 'a definition in the new directory')
            machine.write(drop_in, '[Container]\nDescription=first\n')
            seen.settle()
            machine.run(f'rm -r {web}.d && mkdir {web}.d')
            seen.settle()
            before = len(changes(seen.so_far(), 'web'))
            put(machine, drop_in, '[Container]\nDescription=second\n')
            seen.until(lambda messages: len(changes(messages, 'web')) > before, 'the drop-in')
            seen.settle()
            assert changes(seen.so_far(), 'web')[before:] == [('web', {'Definition': None})]

            machine.run('mv /etc/berth /etc/berth.away')
            bus.wait_for(lambda: 'web' not in bus.listed(), 'the end of it')
            look_at('mkdir /etc/berth')
            look_at(f'mkdir {places}')
            machine.write(web, SLEEPER)
            bus.wait_for(lambda: 'web' in bus.listed(), 'a definition in what was made anew')
        finally:
            machine.run('if [ -e /etc/berth.away ]; then rm -rf /etc/berth; mv /etc/berth.away /etc/berth; fi; '
                        f'rm -rf {places}; mv {places}.away {places}')
            machine.remove('/usr/lib/berth/containers/other.container')
    bus.wait_for(lambda: bus.listed() == {}, 'what was there before')


@pytest.mark.parametrize('spoil, mend, known', [
    ('chmod 0700 /etc/berth/containers', 'chmod 0755 /etc/berth/containers', False),
    ('ln -s containers /run/berth/containers', 'rm /run/berth/containers', True),
], ids=['unreadable', 'loop'])
def test_a_place_that_cannot_be_read(bus, container, machine, spoil, mend, known):
    """It is no reason to leave containers of other places without a manager, neither when it begins nor later."""
    container('web', SLEEPER)
    machine.write('/usr/lib/berth/containers/db.container', SLEEPER)
    expected = {'web', 'db'} if known else {'db'}
    try:
        bus.wait_for(lambda: set(bus.listed()) == {'web', 'db'}, 'both')
        machine.run(spoil)
        bus.wait_for(lambda: set(bus.listed()) == expected, 'what can be read')
        machine.run(['systemctl', 'restart', UNIT])
        assert set(bus.listed()) == expected
        assert '/berth/containers: cannot be read: ' in machine.journal(UNIT)
        if known:
            # What cannot be read may mask it: starts are refused, and say why.
            with pytest.raises(CallFailed, match='/run/berth/containers: cannot be opened: Too many levels'):
                bus.manager('StartContainer', 's', 'db')
    finally:
        machine.run(mend)
        machine.remove('/usr/lib/berth/containers/db.container')
        machine.run(['systemctl', 'reset-failed'])
    bus.wait_for(lambda: set(bus.listed()) == {'web'}, 'the place again')


def test_definition_is_not_for_everybody(bus, container):
    container('web', SLEEPER)
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    other = Bus(bus.machine, user='nobody')
    assert other.listed() == {'web': 'stopped'}
    assert other.get('web', 'State') == 'stopped'
    with pytest.raises(CallFailed, match='Access denied'):
        other.get('web', 'Definition')
    everything = other.call(bus.path('web'), 'org.freedesktop.DBus.Properties', 'GetAll', 's', CONTAINER)[0]
    assert 'Definition' not in everything and everything['Name']['data'] == 'web'


def test_a_bad_definition_says_what_is_wrong(bus, container):
    container('web', 'nonsense\n')
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    with pytest.raises(CallFailed, match=r'web\.container:1: '):
        bus.get('web', 'Definition')


def test_systemctl_behind_its_back(bus, container):
    web = container('web', SLEEPER)
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    with bus.signals() as seen:
        web.start()
        bus.wait_for(lambda: bus.listed() == {'web': 'running'}, 'the start')
        leader = web.main_pid()
        assert bus.get('web', 'Leader') == leader
        bus.wait_for(lambda: bus.get('web', 'ControlGroup') == web.show('ControlGroup'), 'the control group')
        assert abs(bus.get('web', 'StartedUSec') / 1e6 - time.time()) < 60
        assert bus.manager('GetContainerByPID', 'u', leader) == [bus.path('web')]
        web.stop()
        bus.wait_for(lambda: bus.listed() == {'web': 'stopped'}, 'the stop')
    states = [values['State'] for _, values in changes(seen.messages, 'web') if 'State' in values]
    assert states == ['starting', 'running', 'stopping', 'stopped']
    leaders = [values['Leader'] for _, values in changes(seen.messages, 'web') if 'Leader' in values]
    assert leaders == [leader, 0]
    assert bus.get('web', 'Leader') == 0
    assert bus.get('web', 'ControlGroup') == ''
    assert bus.get('web', 'StartedUSec') == 0


FORGED = '''
import dbus, dbus.bus, dbus.lowlevel
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
unit = "/org/freedesktop/systemd1/unit/container_40web_2eservice"

def send(path, interface, member, signature, *arguments):
    signal = dbus.lowlevel.SignalMessage(path, interface, member)
    signal.set_destination("org.berth.container1")
    signal.append(*arguments, signature=signature)
    bus.send_message(signal)

def changed(interface, **values):
    send(unit, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", f"org.freedesktop.systemd1.{interface}",
         dbus.Dictionary(values, signature="sv"), dbus.Array([], signature="s"))

changed("Service", MainPID=dbus.UInt32(1), ControlGroup="/init.scope", ExecMainStatus=dbus.Int32(7), StatusText="forged",
        StatusErrno=dbus.Int32(5))
changed("Unit", ActiveState="failed")
send("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "UnitRemoved", "so", "container@web.service", unit)
send("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", "sss", "org.freedesktop.systemd1", ":1.1", "")
bus.flush()
bus.call_blocking("org.berth.container1", "/org/berth/container1", "org.freedesktop.DBus.Peer", "Ping", "", [])
'''


def test_forged_signals(bus, container, machine):
    """Anybody can send a signal to the service that looks as if it came from systemd."""
    web = container('web', SLEEPER)
    web.start()
    bus.wait_for(lambda: bus.listed() == {'web': 'running'}, 'the start')
    bus.wait_for(lambda: bus.get('web', 'ControlGroup') == web.show('ControlGroup'), 'the control group')
    names = ('State', 'Leader', 'ControlGroup', 'ExitStatus', 'LastError')
    before = {name: bus.get('web', name) for name in names}
    assert before['State'] == 'running'
    with bus.signals() as seen:
        machine.run(['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '/usr/bin/python3', '-c', FORGED])
    assert changes(seen.messages) == []
    assert {name: bus.get('web', name) for name in names} == before
    # The true ones still come.
    web.stop()
    bus.wait_for(lambda: bus.listed() == {'web': 'stopped'}, 'the stop')


def test_processes_of_no_container(bus):
    for pid in (1, 2, 4194305):
        with pytest.raises(CallFailed, match='no such process in a container'):
            bus.manager('GetContainerByPID', 'u', pid)
    for pid in (0, 2**32 - 1):
        with pytest.raises(CallFailed, match='number of a process is expected'):
            bus.manager('GetContainerByPID', 'u', pid)


def test_many_who_ask_for_processes(bus, machine):
    """What one user asks for all the time leaves room for others."""
    script = f'''
import dbus.bus, dbus.lowlevel
bus = dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM)
while True:
    for _ in range(100):
        message = dbus.lowlevel.MethodCallMessage("{NAME}", "{ROOT}", "{MANAGER}", "GetContainerByPID")
        message.append(1, signature="u")
        last = bus.send_message_with_reply(message, lambda message: None, 60)
    last.block()
'''
    unit = 'test-asking.service'
    machine.run(['systemd-run', '--quiet', '--collect', f'--unit={unit}', '--uid=nobody', '/usr/bin/python3', '-c', script])
    try:
        bus.listed()
        for _ in range(50):
            with pytest.raises(CallFailed, match='no such process in a container'):
                bus.manager('GetContainerByPID', 'u', 1)
        assert machine.run(['systemctl', 'is-active', unit], check=False).stdout == 'active\n'
    finally:
        machine.run(['systemctl', 'stop', unit])


def test_a_start_that_fails(bus, container):
    web = container('web', FAILING)
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    assert web.start(check=False).returncode != 0
    bus.wait_for(lambda: bus.listed() == {'web': 'failed'}, 'the failure')
    error = bus.get('web', 'LastError')
    assert error == web.show('StatusText')
    assert '/bin/nothing' in error


def test_how_it_ended(bus, container):
    web = container('web', ENDING)
    web.start(check=False)
    bus.wait_for(lambda: bus.listed() == {'web': 'failed'}, 'the end')
    assert bus.get('web', 'ExitStatus') == 3
    assert bus.get('web', 'LastError') == ''
    web.define(SLEEPER)
    web.start()
    bus.wait_for(lambda: bus.listed() == {'web': 'running'}, 'the next start')
    web.systemctl('kill', '--signal=KILL', '--kill-who=main')
    bus.wait_for(lambda: bus.listed() == {'web': 'failed'}, 'the kill')
    assert bus.get('web', 'ExitStatus') == -9


def test_freezing_behind_its_back(bus, container):
    web = container('web', SLEEPER)
    web.start()
    web.systemctl('freeze')
    bus.wait_for(lambda: bus.listed() == {'web': 'frozen'}, 'the freezer')
    web.systemctl('thaw')
    bus.wait_for(lambda: bus.listed() == {'web': 'running'}, 'the thaw')


def test_a_container_whose_definition_is_taken_away(bus, container, machine):
    """As long as it runs it is there; then there is nothing left to be seen."""
    web = container('web', SLEEPER)
    with bus.signals() as seen:
        web.start()
        machine.remove(web.path)
        seen.settle()
        assert bus.listed() == {'web': 'running'}
    web.stop()
    bus.wait_for(lambda: bus.listed() == {}, 'the end')


@pytest.mark.parametrize('how', ['KILL', 'TERM', 'restart'])
def test_killed_and_there_again(bus, container, machine, how):
    """Everything is found again: what runs, what failed, what is only defined."""
    web, bad, idle = container('web', SLEEPER), container('bad', FAILING), container('idle', SLEEPER)
    web.start()
    bad.start(check=False)
    expected = {'web': 'running', 'bad': 'failed', 'idle': 'stopped'}
    bus.wait_for(lambda: bus.listed() == expected, 'all three')
    bus.wait_for(lambda: bus.get('web', 'ControlGroup') == web.show('ControlGroup'), 'the control group')
    before = {name: bus.get('web', name) for name in ('Leader', 'StartedUSec', 'ControlGroup', 'ExitStatus')}
    error = bus.get('bad', 'LastError')
    pid = bus.manager_pid()

    if how == 'restart':
        machine.run(['systemctl', 'restart', UNIT])
    else:
        machine.run(['kill', f'-{how}', str(pid)])
    # One that is about to end takes calls to its grave. Of TERM, none is started before it is needed.
    bus.wait_for(lambda: bus.manager_pid() != pid and machine.run(
        ['systemctl', 'show', '--value', '--property=ActiveState', UNIT]).stdout != 'deactivating\n', 'its end')
    assert bus.listed() == expected
    assert {name: bus.get('web', name) for name in before} == before
    assert bus.get('bad', 'LastError') == error
    assert web.main_pid() == before['Leader']


def test_systemd_started_anew(bus, container, machine):
    """daemon-reexec: the subscription is another systemd's, and has to be made again."""
    web = container('web', SLEEPER)
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    pid = bus.manager_pid()
    machine.run(['systemctl', 'daemon-reexec'])
    machine.run(['systemctl', 'daemon-reload'])
    web.start()
    bus.wait_for(lambda: bus.listed() == {'web': 'running'}, 'the start')
    web.stop()
    bus.wait_for(lambda: bus.listed() == {'web': 'stopped'}, 'the stop')
    assert bus.manager_pid() == pid


def test_objects_of_all(bus, container):
    for name in ('a', 'b.c', 'd-e'):
        container(name, SLEEPER)
    bus.wait_for(lambda: len(bus.listed()) == 3, 'the definitions')
    managed = bus.call(ROOT, 'org.freedesktop.DBus.ObjectManager', 'GetManagedObjects')[0]
    names = {path: interfaces[CONTAINER]['Name']['data'] for path, interfaces in managed.items()
             if CONTAINER in interfaces}
    assert sorted(names.values()) == ['a', 'b.c', 'd-e']
    assert {row[4]: row[0] for row in bus.manager('ListContainers')[0]} == names
    tree = bus.machine.run(['busctl', 'tree', '--list', NAME]).stdout.split()
    assert set(names) < set(tree)


def test_properties_cannot_be_written(bus, container):
    container('web', SLEEPER)
    bus.wait_for(lambda: 'web' in bus.listed(), 'the definition')
    for path, interface, prop in ((ROOT, MANAGER, 'Version'), (bus.path('web'), CONTAINER, 'State')):
        done = bus.busctl('set-property', NAME, path, interface, prop, 's', 'x')
        assert done.returncode != 0 and 'not writable' in done.stderr


def test_it_ends_when_nobody_needs_it(bus, container, machine):
    """Nobody who called is still there: after a while it ends, and the next call starts it again."""
    web = container('web', SLEEPER)
    web.start()
    bus.listed()
    pid = bus.manager_pid()
    deadline = time.monotonic() + 120 * machine.patience
    while bus.manager_pid() == pid and time.monotonic() < deadline:
        time.sleep(0.5)
    assert bus.manager_pid() == 0
    assert machine.run(['systemctl', 'show', '--value', '--property=Result', UNIT]).stdout == 'success\n'
    assert bus.listed() == {'web': 'running'}
