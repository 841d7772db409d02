# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may do what over D-Bus, decided by a real polkitd: rules, a person at a text agent, nobody, and answers that come
too late."""

import pathlib
import textwrap
import threading

import pytest
from bus import Bus

MANAGER = ('/org/berth/container1', 'org.berth.container1.Manager')
WEB = ('/org/berth/container1/container/web', 'org.berth.container1.Container')
DB, MADE = (('/org/berth/container1/container/' + name, WEB[1]) for name in ('db', 'made'))
PREFIX = 'org.berth.container1.'
DENIED = 'org.freedesktop.DBus.Error.AccessDenied'
CHALLENGE = 'org.freedesktop.DBus.Error.InteractiveAuthorizationRequired'
ERROR = 'org.berth.container1.Error.'
PASSWORD = 'correct-horse'
CALLER = '/run/caller/caller.py'
RULES = '/etc/polkit-1/rules.d/10-berth-test.rules'
SLEEP = '[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'


class Polkit:
    """Rules in a machine, and users who call."""

    def __init__(self, machine):
        self.machine = machine
        for user in ('annie', 'bob'):
            machine.add_user(user)
            # What logind makes for a session would else be gone some time after it.
            machine.run(['loginctl', 'enable-linger', user])
        machine.run(['chpasswd'], input=f'root:{PASSWORD}\n')
        machine.write(CALLER, (pathlib.Path(__file__).parent / 'lib' / 'caller.py').read_bytes())

    def rules(self, text):
        """Puts rules in the place of all former ones. polkitd is started anew: it would take its time to see them."""
        self.machine.write(RULES, textwrap.dedent(text))
        self.restart()

    def remove(self):
        self.machine.remove(RULES)
        self.machine.run(['systemctl', 'unmask', '--runtime', 'polkit'])
        self.restart()

    def restart(self):
        """As often as it takes: systemd lets it be started five times in ten seconds only."""
        self.machine.run(['systemctl', 'reset-failed', 'polkit'], check=False)
        self.machine.run(['systemctl', 'restart', 'polkit'])

    def call(self, user, target, member, signature='', *arguments, options=(), session='active'):
        """The line that caller.py prints: "ok ..." or an error's name and message."""
        done = self.machine.run_as(user, ['/usr/bin/python3', CALLER, '--seconds=120', *options, *target, member, signature,
                                          *map(str, arguments)], session=session, check=False, timeout=300)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout.rstrip('\n')

    def call_later(self, *arguments, **options):
        """The same in a thread: join() it, then it has the line."""
        class Later(threading.Thread):
            def run(later):
                later.line = self.call(*arguments, **options)
        thread = Later()
        thread.start()
        return thread

    def asked(self):
        """What polkitd was asked as long as the machine is up, where rules are LOG: action, container, owner, verb, user."""
        self.machine.run(['journalctl', '--sync'])
        done = self.machine.run(['journalctl', '--identifier=berth-rule', '--output=cat', '--no-pager', '--quiet'])
        return [line.split('|') for line in done.stdout.split('\n') if line]


@pytest.fixture
def polkit(machine):
    made = Polkit(machine)
    yield made
    made.remove()


@pytest.fixture
def web(machine, container):
    one = container('web', SLEEP)
    one.start()
    wait_for_state(machine, one.name, 'running')
    return one


def wait_for_state(machine, name, state):
    """Until the service knows of it, which is told by systemd a little later than systemctl; None: that there is none."""
    bus = Bus(machine)
    bus.wait_for(lambda: bus.listed().get(name) == state, f'{name} {state}', timeout=60)


def refused(line, name, *parts):
    assert line.split(' ')[0] == name, line
    for part in parts:
        assert part in line


# polkitd throws away what polkit.log() writes.
LOG = '''
    polkit.addRule(function(action, subject) {
        if (action.id.indexOf("org.berth.container1.") != 0)
                return;
        polkit.spawn(["logger", "--tag=berth-rule",
                      [action.id, action.lookup("container"), action.lookup("owner"), action.lookup("verb"),
                       subject.user].join("|")]);
        return polkit.Result.NO;
    });
'''
ONE_VERB = '''
    polkit.addRule(function(action, subject) {
        if (action.id == "org.berth.container1.manage" && action.lookup("container") == "web" &&
            action.lookup("verb") == "restart" && subject.user == "annie")
                return polkit.Result.YES;
    });
'''


def test_annie_may_restart_web(polkit, web, container, machine):
    """The rule in the comment of the policy file: she, this container, this verb, and nothing else."""
    container('db', SLEEP).start()
    wait_for_state(machine, 'db', 'running')
    polkit.rules(ONE_VERB)
    before = web.main_pid()
    for session in ('active', 'remote', None):
        assert polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web', session=session) == 'ok'
    assert polkit.call('annie', WEB, 'Restart') == 'ok'
    after = web.main_pid()
    assert after not in (0, before)

    refused(polkit.call('annie', MANAGER, 'RestartContainer', 's', 'db'), CHALLENGE, 'container db', PREFIX + 'manage')
    refused(polkit.call('annie', MANAGER, 'StopContainer', 's t', 'web', 0), CHALLENGE)
    refused(polkit.call('annie', WEB, 'Kill', 's i', 'all', 9), CHALLENGE)
    refused(polkit.call('annie', MANAGER, 'Reload'), CHALLENGE)
    refused(polkit.call('bob', MANAGER, 'RestartContainer', 's', 'web'), CHALLENGE)
    assert web.main_pid() == after


def test_the_policy_file_has_that_rule(machine):
    """What is tested is what is documented."""
    text = machine.read('/usr/share/polkit-1/actions/org.berth.container1.policy')
    assert ' '.join(ONE_VERB.split()) in ' '.join(text.split())


def test_denied(polkit, web):
    polkit.rules('polkit.addRule(function(action, subject) { return polkit.Result.NO; });\n')
    before = web.main_pid()
    refused(polkit.call('annie', MANAGER, 'StopContainer', 's t', 'web', 0, options=['--interactive']), DENIED,
            'stop of container web', PREFIX + 'manage')
    assert web.main_pid() == before


def test_root_is_not_asked_about(polkit, web, machine):
    polkit.rules('polkit.addRule(function(action, subject) { return polkit.Result.NO; });\n')
    machine.run(['busctl', 'call', 'org.berth.container1', *MANAGER, 'StopContainer', 'st', 'web', '0'])
    assert web.show('ActiveState') == 'inactive'


def test_reading_is_free(polkit, web):
    polkit.rules(LOG)
    asked = len(polkit.asked())
    assert 'web' in polkit.call('annie', MANAGER, 'ListContainers', session=None)
    assert polkit.call('annie', MANAGER, 'GetContainer', 's', 'web', session=None) == 'ok ' + WEB[0]
    assert polkit.call('annie', (WEB[0], 'org.freedesktop.DBus.Properties'), 'Get', 's s', WEB[1], 'State',
                       session=None) == 'ok running'
    assert len(polkit.asked()) == asked
    refused(polkit.call('annie', (WEB[0], 'org.freedesktop.DBus.Properties'), 'Get', 's s', WEB[1], 'Definition'), DENIED)


NEW = '[Root]\nManaged=yes\n'
VERBS = [
    (MANAGER, 'CreateContainer', ('s s a{sh} a{sv}', 'new', NEW, '{}', '{}'), 'manage', 'new', 'create'),
    (MANAGER, 'RunContainer', ('s s a{sh} a{sv}', 'new', NEW, '{}', '{}'), 'manage', 'new', 'run'),
    (MANAGER, 'StartContainer', ('s', 'db'), 'manage', 'db', 'start'),
    (MANAGER, 'StopContainer', ('s t', 'web', 0), 'manage', 'web', 'stop'),
    (MANAGER, 'RestartContainer', ('s', 'web'), 'manage', 'web', 'restart'),
    (MANAGER, 'RemoveContainer', ('s a{sv}', 'made', '{}'), 'manage', 'made', 'remove'),
    (MANAGER, 'KillContainer', ('s s i', 'web', 'leader', 15), 'manage', 'web', 'kill'),
    (MANAGER, 'Reload', (), 'manage', '', 'reload'),
    (DB, 'Start', (), 'manage', 'db', 'start'),
    (WEB, 'Stop', ('t', 0), 'manage', 'web', 'stop'),
    (WEB, 'Restart', (), 'manage', 'web', 'restart'),
    (MADE, 'Remove', ('a{sv}', '{}'), 'manage', 'made', 'remove'),
    (WEB, 'Kill', ('s i', 'all', 9), 'manage', 'web', 'kill'),
    (WEB, 'OpenConsole', (), 'console', 'web', 'console'),
    (WEB, 'Freeze', (), 'manage', 'web', 'freeze'),
    (WEB, 'Thaw', (), 'manage', 'web', 'thaw'),
    (WEB, 'SetProperties', ('b a(sv)', 'true', 'MemoryMax=512M'), 'set-limits', 'web', 'set-limits'),
    (WEB, 'OpenRoot', (), 'manage', 'web', 'open-root'),
]


def test_what_a_rule_is_told(polkit, web, container, machine):
    """Of each method that is not free: who asks for what, and nothing has happened when it is denied."""
    container('db', SLEEP)
    machine.write('/var/lib/berth/containers/made.container', SLEEP)
    polkit.rules(LOG)
    try:
        wait_for_state(machine, 'db', 'stopped')
        wait_for_state(machine, 'made', 'stopped')
        listed = machine.run(['/usr/libexec/berth/berth-manager', '--list-actions']).stdout.split('\n')
        guarded = {tuple(line.split()[:2]) for line in listed if line and line.split()[2] != 'none'}
        assert {(target[1][len(PREFIX):], member) for target, member, *_ in VERBS} == guarded
        seen = len(polkit.asked())
        before, limit = web.main_pid(), web.show('MemoryMax')
        for target, member, arguments, *_ in VERBS:
            refused(polkit.call('annie', target, member, *arguments, session=None), DENIED)
        assert polkit.asked()[seen:] == [[PREFIX + action, name, '0', verb, 'annie'] for *_, action, name, verb in VERBS]
        assert web.main_pid() == before and web.show('ActiveState') == 'active' and web.show('FreezerState') == 'running'
        assert web.show('MemoryMax') == limit != str(512 << 20)
        assert machine.run(['ls', '/var/lib/berth/containers']).stdout == 'made.container\n'
    finally:
        machine.remove('/var/lib/berth/containers/made.container')


ANNIE = 'polkit.addRule(function(action, subject) { if (subject.user == "annie") return polkit.Result.YES; });\n'
# Calls until there is a refusal that is about the calls of this user, and prints it. What waits for polkit is refused at
# once when it is too much, so that how fast polkit is does not matter, nor how fast anybody else.
GREEDY = '''
import os, sys
import dbus, dbus.bus, dbus.lowlevel
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
MANAGER = ("org.berth.container1", "/org/berth/container1", "org.berth.container1.Manager")
buses = [dbus.bus.BusConnection(dbus.bus.BusConnection.TYPE_SYSTEM) for _ in range(20)]
loop, ends, sent, open_calls = GLib.MainLoop(), os.pipe(), [0], [0]

def stop():
    message = dbus.lowlevel.MethodCallMessage(*MANAGER, "StopContainer")
    message.append("deaf", 0, signature="st")
    return message

def create():
    message = dbus.lowlevel.MethodCallMessage(*MANAGER, "CreateContainer")
    message.append(f"new-{sent[0]}", "[Root]\\nManaged=yes\\n", {"tar": dbus.types.UnixFd(ends[0])}, {},
                   signature="ssa{sh}a{sv}")
    return message

def answered(message):
    open_calls[0] -= 1
    text = str(message.get_args_list())
    if "wait for authorization" not in text:
        print(sent[0], text)
        loop.quit()

def send():
    for _ in range(8 if sys.argv[1] == "stop" else 1):
        if open_calls[0] < 400:
            buses[sent[0] % len(buses)].send_message_with_reply(globals()[sys.argv[1]](), answered, 300)
            sent[0] += 1
            open_calls[0] += 1
    return True

GLib.timeout_add(100, send)
GLib.timeout_add_seconds(100, loop.quit)
loop.run()
'''


def test_one_who_may_does_not_keep_others_out(polkit, container, machine):
    """Calls that wait are counted for each user, those of a caller who has left included."""
    deaf = container('deaf', '[Container]\nBoot=no\nCommand=/bin/sh -c "trap : TERM; while :; do sleep 1; done"\n'
                             'StopSignal=TERM\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n')
    deaf.start()
    machine.write('/run/caller/greedy.py', GREEDY)
    polkit.rules(ANNIE)

    def greedy(what):
        return machine.run_as('annie', ['/usr/bin/python3', '/run/caller/greedy.py', what], timeout=300).stdout
    try:
        assert 'calls of yours are waiting already' in greedy('stop')
        refused(polkit.call('annie', MANAGER, 'StopContainer', 's t', 'deaf', 0),
                'org.freedesktop.DBus.Error.LimitsExceeded', 'of yours')
        machine.run(['busctl', 'call', 'org.berth.container1', *MANAGER, 'KillContainer', 'ssi', 'deaf', 'all', '9'])
        deaf.wait_for(lambda: deaf.show('ActiveState') in ('failed', 'inactive'), 'the end')
        assert polkit.call('annie', DB, 'Start').startswith('org.freedesktop.DBus.Error.UnknownObject')
        assert 'made or removed for you already' in greedy('create')
    finally:
        machine.remove('/run/caller/greedy.py')


def test_no_polkit(polkit, web, machine):
    """Nobody who could say yes is no yes; root does not need it."""
    machine.run(['systemctl', 'mask', '--runtime', '--now', 'polkit'])
    before = web.main_pid()
    refused(polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web', options=['--interactive']), DENIED,
            'polkit cannot be asked')
    assert web.main_pid() == before
    machine.run(['busctl', 'call', 'org.berth.container1', *MANAGER, 'RestartContainer', 's', 'web'])
    assert web.main_pid() not in (0, before)


def test_the_right_password(polkit, web):
    before = web.main_pid()
    assert polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web',
                       options=['--agent', f'--password={PASSWORD}']) == 'ok'
    assert web.main_pid() not in (0, before)


def test_a_wrong_password(polkit, web):
    before = web.main_pid()
    line = polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web', options=['--agent', '--password=wrong'])
    assert line.split(' ')[0] in (DENIED, CHALLENGE), line
    assert web.main_pid() == before


def test_nobody_to_ask(polkit, web):
    """Interaction is allowed, and there is no agent."""
    before = web.main_pid()
    refused(polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web', options=['--interactive']), CHALLENGE)
    assert web.main_pid() == before


def wait_for_question(container, machine, later):
    """Until the agent asks for the password."""
    container.wait_for(lambda: machine.exists('/run/caller/open/asked') or not later.is_alive(), 'a question', timeout=120)
    assert later.is_alive()


def test_the_caller_leaves_before_the_answer(polkit, web, machine):
    """The question is taken back, and nothing happens."""
    before = web.main_pid()
    machine.run(['install', '-d', '-m', '1777', '/run/caller/open'])
    done = machine.run_as('annie', ['/usr/bin/python3', CALLER, '--seconds=120', '--agent', '--leave', '--asked=/run/caller/open/asked',
                                    *MANAGER, 'RestartContainer', 's', 'web'], session='active', check=False, timeout=300)
    assert machine.exists('/run/caller/open/asked'), done.stderr
    assert done.stdout == ''
    assert 'ok' not in polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web')
    assert web.main_pid() == before
    machine.remove('/run/caller/open')


@pytest.mark.parametrize('member, arguments, change, state, error', [
    ('StopContainer', ('s t', 'web', 0), 'systemctl stop container@web', 'stopped', 'NotRunning'),
    ('StartContainer', ('s', 'web'), 'systemctl start container@web', 'running', 'AlreadyRunning'),
    ('StartContainer', ('s', 'web'), 'rm /etc/berth/containers/web.container', None, 'NoSuchContainer'),
])
def test_the_state_changes_before_the_answer(polkit, web, machine, member, arguments, change, state, error):
    if member == 'StartContainer':
        web.stop()
        wait_for_state(machine, 'web', 'stopped')
    machine.run(['install', '-d', '-m', '1777', '/run/caller/open'])
    later = polkit.call_later('annie', MANAGER, member, *arguments, options=[
        '--agent', f'--password={PASSWORD}', '--asked=/run/caller/open/asked', '--wait=/run/caller/open/go'])
    wait_for_question(web, machine, later)
    machine.run(change)
    wait_for_state(machine, 'web', state)
    machine.run(['touch', '/run/caller/open/go'])
    later.join()
    machine.remove('/run/caller/open')
    refused(later.line, ERROR + error)


def test_another_call_is_served_while_one_waits(polkit, web, machine):
    machine.run(['install', '-d', '-m', '1777', '/run/caller/open'])
    later = polkit.call_later('annie', MANAGER, 'RestartContainer', 's', 'web', options=[
        '--agent', f'--password={PASSWORD}', '--asked=/run/caller/open/asked', '--wait=/run/caller/open/go'])
    wait_for_question(web, machine, later)
    before = web.main_pid()
    machine.run(['busctl', 'call', 'org.berth.container1', *MANAGER, 'RestartContainer', 's', 'web'])
    between = web.main_pid()
    assert between != before
    machine.run(['touch', '/run/caller/open/go'])
    later.join()
    machine.remove('/run/caller/open')
    assert later.line == 'ok' and web.main_pid() not in (0, before, between)


def test_the_manager_ends_before_the_answer(polkit, web, machine):
    """The call fails, and the dialogue's answer does nothing."""
    machine.run(['install', '-d', '-m', '1777', '/run/caller/open'])
    before = web.main_pid()
    later = polkit.call_later('annie', MANAGER, 'RestartContainer', 's', 'web', options=[
        '--agent', f'--password={PASSWORD}', '--asked=/run/caller/open/asked', '--wait=/run/caller/open/go'])
    wait_for_question(web, machine, later)
    machine.run(['systemctl', 'kill', '--signal=KILL', 'berth-manager'])
    machine.run(['touch', '/run/caller/open/go'])
    later.join()
    machine.remove('/run/caller/open')
    assert later.line.startswith('org.freedesktop.DBus.Error.NoReply'), later.line
    assert web.main_pid() == before


def test_debian_13(local13, request):
    """The same with the polkit of Debian 13: what is told to rules, and a person at an agent."""
    polkit = Polkit(local13)
    local13.write('/etc/berth/containers/web.container', SLEEP)
    try:
        local13.run(['systemctl', 'start', 'container@web'])
        assert polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web',
                           options=['--agent', f'--password={PASSWORD}']) == 'ok'
        polkit.rules(ONE_VERB)
        assert polkit.call('annie', MANAGER, 'RestartContainer', 's', 'web', session=None) == 'ok'
        refused(polkit.call('annie', MANAGER, 'StopContainer', 's t', 'web', 0, session=None), CHALLENGE)
        refused(polkit.call('bob', MANAGER, 'RestartContainer', 's', 'web', session=None), CHALLENGE)
    finally:
        polkit.remove()
        local13.run(['systemctl', 'stop', 'container@web'])
        local13.remove('/etc/berth/containers/web.container')
