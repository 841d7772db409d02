# SPDX-License-Identifier: LGPL-2.1-or-later
"""What can be done with containers over D-Bus: real bus, real helper, real systemd. Calls that race, and helpers and
managers that die in the middle, end in a state and an error that are written down."""

import threading

import pytest
from bus import UNIT, Bus, CallFailed, changes

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
# Does not end when it is asked to: nobody is there to hear the signal.
DEAF = ('[Container]\nBoot=no\nCommand=/bin/sh -c "trap : TERM INT PWR; trap : RTMIN+3 2>/dev/null; '
        'while :; do sleep 1; done"\nStopSignal=TERM\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
SLOW = SLEEPER.replace('[Root]', 'Ready=guest\n[Root]')
FAILING = SLEEPER.replace('/bin/sleep 1000', '/bin/nothing')


@pytest.fixture
def bus(machine):
    """The service, which has seen the end of what earlier tests had: it would be taken for what comes now."""
    one = Bus(machine)
    one.wait_for(lambda: one.listed() == {}, 'the end of what earlier tests had')
    return one


@pytest.fixture
def defined(bus, container):
    def make(name, definition=SLEEPER):
        made = container(name, definition)
        bus.wait_for(lambda: name in bus.listed(), f'the definition of {name}')
        return made
    return make


class Call(threading.Thread):
    """A call that runs beside others; error is what it ended with, None if it was done."""

    def __init__(self, bus, *arguments, **options):
        super().__init__(daemon=True)
        self.bus = bus
        self.work = lambda: bus.manager(*arguments, **options)
        self.error = None
        self.start()

    def run(self):
        try:
            self.work()
        except CallFailed as failure:
            self.error = str(failure)

    def end(self, timeout=120):
        self.join(timeout * self.bus.machine.patience)
        assert not self.is_alive(), 'the call has no answer'
        return self.error


def test_start_and_stop(bus, defined):
    web = defined('web')
    with bus.signals() as seen:
        bus.manager('StartContainer', 's', 'web')
        # What the answer promises is there when it comes.
        assert bus.listed()['web'] == 'running'
        assert bus.get('web', 'Leader') == web.main_pid()
        assert bus.get('web', 'ControlGroup') == web.show('ControlGroup')
        with pytest.raises(CallFailed, match='web is running already'):
            bus.manager('StartContainer', 's', 'web')
        bus.manager('StopContainer', 'st', 'web', 0)
        assert bus.listed()['web'] == 'stopped'
        assert web.show('ActiveState') == 'inactive'
        with pytest.raises(CallFailed, match='web is not running'):
            bus.manager('StopContainer', 'st', 'web', 0)
    states = [values['State'] for _, values in changes(seen.messages, 'web') if 'State' in values]
    assert states == ['starting', 'running', 'stopping', 'stopped']


def test_the_containers_own_methods(bus, defined):
    defined('web')
    bus.container('web', 'Start')
    first = bus.get('web', 'Leader')
    bus.container('web', 'Restart')
    assert bus.get('web', 'Leader') not in (0, first)
    bus.container('web', 'Freeze')
    assert bus.get('web', 'State') == 'frozen'
    bus.container('web', 'Thaw')
    assert bus.get('web', 'State') == 'running'
    bus.container('web', 'Kill', 'si', 'leader', 9)
    bus.wait_for(lambda: bus.get('web', 'State') == 'failed', 'the kill')
    assert bus.get('web', 'ExitStatus') == -9
    bus.container('web', 'Start')
    bus.container('web', 'Stop', 't', 0)
    assert bus.get('web', 'State') == 'stopped'


def test_restart_starts_what_is_stopped(bus, defined):
    defined('web')
    bus.manager('RestartContainer', 's', 'web')
    assert bus.listed()['web'] == 'running'


@pytest.mark.parametrize('arguments, message', [
    (('KillContainer', 'ssi', 'web', 'leader', 0), 'number from 1 to'),
    (('KillContainer', 'ssi', 'web', 'leader', 65), 'number from 1 to'),
    (('KillContainer', 'ssi', 'web', 'leader', -1), 'number from 1 to'),
    (('KillContainer', 'ssi', 'web', 'main', 15), '"leader" or "all" is expected'),
    (('KillContainer', 'ssi', 'web', '', 15), '"leader" or "all" is expected'),
    (('RemoveContainer', 'sa{sv}', 'web', 1, 'force', 'b', 'true'), 'there is no "force"'),
    (('RemoveContainer', 'sa{sv}', 'web', 1, 'data', 's', 'yes'), '"data" is a boolean'),
])
def test_bad_arguments(bus, defined, arguments, message):
    web = defined('web')
    bus.manager('StartContainer', 's', 'web')
    with pytest.raises(CallFailed, match=message):
        bus.manager(*arguments)
    assert bus.listed()['web'] == 'running' and web.show('ActiveState') == 'active'


def test_kill_and_freeze_need_one_that_runs(bus, defined):
    defined('web')
    for member in ('Freeze', 'Thaw', 'OpenConsole', 'OpenRoot'):
        with pytest.raises(CallFailed, match='web is not running'):
            bus.container('web', member)
    with pytest.raises(CallFailed, match='web is not running'):
        bus.manager('KillContainer', 'ssi', 'web', 'all', 9)


def test_the_first_cause_is_the_error(bus, defined):
    """The D-Bus error, the unit's status and the property say one sentence."""
    web = defined('web', FAILING)
    with pytest.raises(CallFailed) as failure:
        bus.manager('StartContainer', 's', 'web')
    sentence = str(failure.value)
    assert sentence == web.show('StatusText') == bus.get('web', 'LastError')
    assert sentence.startswith('Cannot start container web: failed to ') and '/bin/nothing' in sentence
    assert sentence in web.journal()
    web.define(SLEEPER)
    bus.manager('StartContainer', 's', 'web')
    assert bus.get('web', 'LastError') == ''


def test_the_cause_has_a_name(bus, defined, machine):
    """Names that programs can tell apart, through a client that shows them."""
    def name_of(which):
        done = machine.run(['gdbus', 'call', '--system', '--dest', 'org.berth.container1', '--object-path',
                            '/org/berth/container1', '--method', 'org.berth.container1.Manager.StartContainer', which],
                           check=False)
        assert done.returncode != 0
        return done.stderr.split('org.berth.container1.Error.')[1].split(':')[0]
    defined('bad', '[Container]\nNonsense=1\n')
    machine.write('/var/lib/berth/containers/greedy.container', '[Root]\nPath=/srv/guests/busybox\n')
    bus.wait_for(lambda: 'greedy' in bus.listed(), 'what nobody trusts')
    # Two containers write to one root.
    root = machine.copy_tree('busybox')
    for which in ('first', 'second'):
        defined(which, f'[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath={root}\n')
    defined('failing', FAILING)
    try:
        bus.manager('StartContainer', 's', 'first')
        assert name_of('second') == 'RootInUse'
        assert name_of('first') == 'AlreadyRunning'
        assert name_of('bad') == 'InvalidDefinition'
        assert name_of('greedy') == 'PolicyViolation'
        assert name_of('failing') == 'StartFailed'
        assert name_of('none') == 'NoSuchContainer'
        assert name_of('No') == 'InvalidName'
    finally:
        bus.manager('StopContainer', 'st', 'first', 0)
        machine.remove(root, '/var/lib/berth/containers/greedy.container')
        # Its unit has failed, and so it has until somebody forgets that, definition or not.
        machine.run(['systemctl', 'reset-failed', 'container@greedy.service'])


def test_what_is_not_begun_has_a_cause_of_its_own(bus, defined, machine):
    """A job that ends before the launcher runs: what the launcher said of an earlier start is not told again, and a start
    that is passed over for a condition is none."""
    web = defined('web', FAILING)
    with pytest.raises(CallFailed, match='/bin/nothing'):
        bus.manager('StartContainer', 's', 'web')
    web.define(SLEEPER)
    drop_in, needed = f'/run/systemd/system/{web.unit}.d/test.conf', '/run/systemd/system/test-needed.service'
    machine.write(needed, '[Service]\nType=oneshot\nExecStart=/bin/false\n')
    try:
        for setting, words in (('Requires=test-needed.service\nAfter=test-needed.service', 'requires could not be started'),
                               ('AssertPathExists=/nowhere', 'asserts is not so'),
                               ('ConditionPathExists=/nowhere', 'condition of its unit is not met')):
            machine.write(drop_in, f'[Unit]\n{setting}\n')
            machine.run(['systemctl', 'daemon-reload'])
            with pytest.raises(CallFailed, match=f'Cannot start container web: .* {words}'):
                bus.manager('StartContainer', 's', 'web')
    finally:
        machine.remove(f'/run/systemd/system/{web.unit}.d', needed)
        machine.run(['systemctl', 'daemon-reload'])
        machine.run(['systemctl', 'reset-failed', 'test-needed.service'], check=False)


def test_what_failed_and_has_no_definition(bus, defined, machine):
    """Its name is free again: it can be removed, or made anew."""
    def fail():
        web = defined('web', FAILING)
        web.start(check=False)
        machine.remove(web.path)
        bus.manager('Reload')
        bus.wait_for(lambda: bus.listed() == {'web': 'failed'}, 'the failure')
    fail()
    bus.manager('RemoveContainer', 'sa{sv}', 'web', 0)
    bus.wait_for(lambda: bus.listed() == {}, 'the end of it')
    fail()
    bus.manager('CreateContainer', 'ssa{sh}a{sv}', 'web', '[Root]\nManaged=yes\n', 0, 0)
    assert 'Managed=yes' in bus.get('web', 'Definition')
    bus.manager('RemoveContainer', 'sa{sv}', 'web', 1, 'data', 'b', 'true')
    bus.wait_for(lambda: bus.listed() == {}, 'the end of both')


def test_time_limit_of_a_stop(bus, defined):
    web = defined('web', DEAF)
    bus.manager('StartContainer', 's', 'web')
    # The unit's own limit is longer than this call is waited for.
    with pytest.raises(CallFailed, match='did not stop in time'):
        bus.manager('StopContainer', 'st', 'web', 1000000)
    assert web.show('MainPID') == '0'
    assert bus.listed()['web'] in ('stopped', 'failed')


def test_two_starts_are_one(bus, defined):
    """The second joins the first: both are answered when it is done."""
    web = defined('web')
    calls = [Call(bus, 'StartContainer', 's', 'web') for _ in range(4)]
    errors = [call.end() for call in calls]
    assert [e for e in errors if e and 'running already' not in e] == []
    assert None in errors
    assert bus.listed()['web'] == 'running'
    assert web.show('NRestarts') == '0'


def test_a_stop_overtakes_a_start(bus, defined):
    """A start that waits for its guest is called off by a stop, and says so."""
    web = defined('web', SLOW)
    start = Call(bus, 'StartContainer', 's', 'web')
    bus.wait_for(lambda: bus.listed()['web'] == 'starting', 'the start')
    try:
        bus.manager('StopContainer', 'st', 'web', 2000000)
    except CallFailed as failure:
        assert 'did not stop in time' in str(failure)
    assert 'asked for the opposite' in start.end()
    bus.wait_for(lambda: web.show('ActiveState') in ('inactive', 'failed'), 'the stop')
    assert web.show('MainPID') == '0'


def test_two_stops(bus, defined):
    defined('web')
    bus.manager('StartContainer', 's', 'web')
    calls = [Call(bus, 'StopContainer', 'st', 'web', 0) for _ in range(3)]
    errors = [call.end() for call in calls]
    assert None in errors and [e for e in errors if e and 'not running' not in e] == []


def test_a_caller_that_leaves(bus, defined, machine):
    """What it began is finished, and nothing is kept for it."""
    defined('web', SLOW)
    script = ('busctl --timeout=300 call org.berth.container1 /org/berth/container1 org.berth.container1.Manager '
              'StartContainer s web & until busctl call org.berth.container1 /org/berth/container1 '
              'org.berth.container1.Manager ListContainers | grep -q starting; do sleep 0.05; done; '
              'kill -0 $! && kill $! && ! wait $!')
    machine.run(script, timeout=120 * machine.patience)
    assert bus.listed()['web'] == 'starting'
    with pytest.raises(CallFailed, match='did not stop in time'):
        bus.manager('StopContainer', 'st', 'web', 1000000)


def unread(bus):
    """What the helper has not taken: bytes of the connections that it has, which are in the network namespace of who
    connected, and connections."""
    listing = ['ss', '--unix', '--all', '--no-header', 'src', '/run/berth/helper.sock']
    accepted = bus.machine.run(['nsenter', f'--target={bus.manager_pid()}', '--net', *listing]).stdout
    waiting = bus.machine.run(listing).stdout
    return [sum(int(line.split()[2]) for line in lines.splitlines() if line.split()[1] == state)
            for lines, state in ((accepted, 'ESTAB'), (waiting, 'LISTEN'))]


def test_the_helper_is_lost(bus, defined, machine):
    """Killed in the middle of a question: the caller has an error, and the next call finds another helper."""
    web = defined('web')

    def lose():
        """The error of a stop whose helper is lost; None if the manager had just given up its connection: what is not
        yet accepted is another helper's."""
        bus.manager('StartContainer', 's', 'web')
        machine.run(['systemctl', 'kill', '--signal=STOP', 'berth-helper.service'])
        try:
            stop = Call(bus, 'StopContainer', 'st', 'web', 0)
            bus.wait_for(lambda: any(unread(bus)), 'a question that the helper does not read')
            accepted, _ = unread(bus)
        finally:
            machine.run(['systemctl', 'kill', '--signal=KILL', 'berth-helper.service'])
        error = stop.end()
        assert (error is None) == (accepted == 0)
        return error
    error = next(error for error in (lose() for _ in range(10)) if error)
    assert 'helper' in error
    assert web.show('ActiveState') == 'active'
    bus.manager('StopContainer', 'st', 'web', 0)
    assert bus.listed()['web'] == 'stopped'


def test_no_helper_at_all(bus, defined, machine):
    defined('web')
    machine.run(['systemctl', 'stop', 'berth-helper.socket', 'berth-helper.service'])
    try:
        # With the answer, the manager has seen that its connection is closed.
        bus.listed()
        with pytest.raises(CallFailed, match='is berth-helper.socket active'):
            bus.manager('StartContainer', 's', 'web')
        assert bus.listed()['web'] == 'stopped'
    finally:
        machine.run(['systemctl', 'start', 'berth-helper.socket'])
    bus.manager('StartContainer', 's', 'web')


def test_the_manager_dies_in_the_middle(bus, defined, machine):
    """The call fails; the container's start goes on, and the next manager tells how it ended."""
    web = defined('web', SLOW)
    start = Call(bus, 'StartContainer', 's', 'web')
    bus.wait_for(lambda: bus.listed()['web'] == 'starting', 'the start')
    machine.run(['kill', '-KILL', str(bus.manager_pid())])
    assert start.end() is not None
    assert bus.listed()['web'] == 'starting' and web.show('ActiveState') == 'activating'
    assert machine.run(['systemctl', 'is-failed', UNIT], check=False).stdout != 'failed\n'
    with pytest.raises(CallFailed, match='did not stop in time'):
        bus.manager('StopContainer', 'st', 'web', 1000000)


def test_guest_reboots(bus, defined):
    web = defined('web', SLEEPER.replace('/bin/sleep 1000', '/bin/sh -c "if [ -e /again ]; then exec sleep 1000; fi; '
                                         'until [ -e /go ]; do sleep 0.1; done; touch /again; reboot -f"'))
    with bus.signals() as seen:
        bus.manager('StartContainer', 's', 'web')
        first = bus.get('web', 'Leader')
        web.inside(['touch', '/go'])
        bus.wait_for(lambda: web.show('NRestarts') == '1' and web.show('ActiveState') == 'active', 'the reboot')
        bus.wait_for(lambda: bus.listed()['web'] == 'running' and bus.get('web', 'Leader') != first, 'the guest again')
        second = bus.get('web', 'Leader')
        bus.manager('StopContainer', 'st', 'web', 0)
    leaders = [values['Leader'] for _, values in changes(seen.messages, 'web') if values.get('Leader')]
    assert leaders == [first, second]


def test_reload(bus, defined):
    defined('web')
    bus.manager('Reload')
    assert bus.listed() == {'web': 'stopped'}


def test_counters(bus, defined):
    defined('web')
    assert bus.get('web', 'MemoryCurrent') == 2**64 - 1
    bus.manager('StartContainer', 's', 'web')
    # The local machine has no controllers; what the kernel counts without them is there.
    assert 0 < bus.get('web', 'CPUUsageNSec') < 60 * 10**9
    everything = bus.call(bus.path('web'), 'org.freedesktop.DBus.Properties', 'GetAll', 's',
                          'org.berth.container1.Container')[0]
    for name in ('MemoryCurrent', 'MemoryPeak', 'CPUUsageNSec', 'TasksCurrent', 'IOReadBytes', 'IOWriteBytes'):
        assert everything[name]['type'] == 't'
    assert everything['Pressure']['type'] == 'a(sdddt)'


def test_the_answer_comes_after_the_state(bus, defined, machine):
    """A fast client, on one connection, finds in the properties what the answer of each method promises."""
    defined('web')
    machine.write('/root/fast.py', '''
import dbus
bus = dbus.SystemBus()
path = dbus.Interface(bus.get_object("org.berth.container1", "/org/berth/container1"),
                      "org.berth.container1.Manager").GetContainer("web")
one = bus.get_object("org.berth.container1", path)
web = dbus.Interface(one, "org.berth.container1.Container")
get = lambda: dbus.Interface(one, "org.freedesktop.DBus.Properties").Get("org.berth.container1.Container", "State")
seen = []
for _ in range(5):
    for verb, arguments in (("Start", ()), ("Freeze", ()), ("Thaw", ()), ("Restart", ()), ("Stop", (dbus.UInt64(0),))):
        getattr(web, verb)(*arguments)
        seen.append(f"{verb}:{get()}")
print(" ".join(sorted(set(seen))))
''')
    try:
        assert machine.run(['/usr/bin/python3', '/root/fast.py'], timeout=300 * machine.patience).stdout.split() == \
            ['Freeze:frozen', 'Restart:running', 'Start:running', 'Stop:stopped', 'Thaw:running']
    finally:
        machine.remove('/root/fast.py')
