# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl's verbs on running containers: list, status, start, stop, restart, kill, freeze, thaw, set, console, and what
the service and its host are. What a guest writes does not reach a terminal as it is."""

import json
import re

import pytest
from bus import Bus

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
FAILING = SLEEPER.replace('/bin/sleep 1000', '/bin/nothing')
SHELL = ('[Container]\nDescription=A shell\nBoot=no\nConsole=yes\nCommand=/bin/sh -i\n'
         '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
HOSTILE = '\033]0;title\007\033[31mRed\u202eHat\u009b2J'
CONTROL = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')


def ctl(machine, *words, status=0, timeout=300, user=None, stdin=None):
    argv = ['berthctl', *words]
    if user:
        argv = ['setpriv', f'--reuid={user}', '--regid=nogroup', '--clear-groups', *argv]
    done = machine.run(argv, check=False, timeout=timeout * machine.patience, input=stdin)
    assert done.returncode == status, f'{done.returncode}\n{done.stdout}{done.stderr}'
    assert not CONTROL.search(done.stdout + done.stderr), repr(done.stdout + done.stderr)
    return done


def listed(machine, *words):
    return {row['name']: row for row in json.loads(ctl(machine, 'list', '--json', *words).stdout)}


@pytest.fixture
def defined(machine, container):
    """A container that the service knows, beside this test's others: those of earlier tests are in its list until it
    has looked again, also one of the same name."""
    names, bus = set(), Bus(machine)

    def listed_alone(name):
        found = bus.listed()
        return found.keys() == names and found[name] == 'stopped'

    def make(name, definition=SLEEPER):
        made = container(name, definition)
        names.add(name)
        bus.wait_for(lambda: listed_alone(name), f'a list of {names}', timeout=60)
        return made
    return make


def test_start_list_stop(machine, defined):
    web, db = defined('web'), defined('db')
    ctl(machine, 'start', 'web', 'd*')
    rows = listed(machine)
    assert {name: row['state'] for name, row in rows.items()} == {'web': 'running', 'db': 'running'}
    assert rows['web']['leader'] == web.main_pid() and rows['web']['unit'] == web.unit and rows['web']['owner'] == 0
    assert rows['web']['os'] == 'BusyBox test guest'
    table = ctl(machine, 'list').stdout.splitlines()
    assert re.fullmatch(rf'web +running +root +{web.main_pid()} +\d+\w+( \d+\w+)? +BusyBox test guest', table[2])
    ctl(machine, 'start', 'web')
    before = web.main_pid()
    ctl(machine, 'restart', 'container@web.service')
    assert web.main_pid() not in (0, before)
    ctl(machine, 'stop', '*')
    ctl(machine, 'stop', 'web')
    assert [row['state'] for row in listed(machine).values()] == ['stopped', 'stopped']
    assert db.show('ActiveState') == 'inactive'
    assert listed(machine, '--state=running') == {}


def test_a_start_that_fails(machine, defined):
    defined('web', FAILING)
    error = ctl(machine, 'start', 'web', status=1).stderr
    assert re.match(r'berthctl: Cannot start container web: failed to run /bin/nothing: .*\nsee: berthctl status web\n$', error)
    text = ctl(machine, 'status', 'web', status=3).stdout
    assert 'State: failed' in text and 'Last error: Cannot start container web: failed to run /bin/nothing: ' in text
    assert 'berthctl start web' in text
    ctl(machine, 'start', 'nobody', status=4)
    ctl(machine, 'start', '../web', status=2)
    ctl(machine, 'status', 'nobody', status=4)


def test_status(machine, defined):
    web = defined('web', SLEEPER.replace('[Container]', '[Container]\nDescription=The web server'))
    machine.write(f'{web.path}.d/50-limit.conf', '[Resources]\nTasksMax=100\n')
    ctl(machine, 'status', 'web', status=3)
    ctl(machine, 'start', 'web')
    # It shows what the journal has, and does not wait for what is on its way there.
    machine.run(['journalctl', '--sync'])
    text = ctl(machine, 'status', 'web').stdout
    assert re.match(r'\S web - The web server\n +State: running since .* ago\n +Owner: root \(0\)\n', text)
    for line in (f'Unit: {web.unit}', f'Definition: {web.path}', f' : {web.path}.d/50-limit.conf',
                 f'Leader: {web.main_pid()} (sleep)', 'CGroup: /machine.slice/container@web.service', 'Started'):
        assert line in text, text
    found = json.loads(ctl(machine, 'status', 'web', '--json').stdout)[0]
    assert found['files'] == [web.path, f'{web.path}.d/50-limit.conf'] and found['leader_command'] == 'sleep'
    assert 'Started' not in ctl(machine, 'status', 'web', '-n0').stdout


def test_freeze_kill_set(machine, defined):
    web = defined('web')
    ctl(machine, 'freeze', 'web', status=3)
    ctl(machine, 'start', 'web')
    ctl(machine, 'freeze', 'web')
    assert web.show('FreezerState') == 'frozen'
    web.wait_for(lambda: listed(machine)['web']['state'] == 'frozen', 'a frozen one in the list')
    ctl(machine, 'thaw', 'web')
    assert web.show('FreezerState') == 'running'
    web.wait_for(lambda: listed(machine)['web']['state'] == 'running', 'a running one in the list')
    ctl(machine, 'set', 'web', '--runtime', 'MemoryMax=1G', 'TasksMax=50')
    assert (web.show('MemoryMax'), web.show('TasksMax')) == (str(1 << 30), '50')
    assert 'Colour' in ctl(machine, 'set', 'web', 'TasksMax=60', 'Colour=blue', status=1).stderr
    assert web.show('TasksMax') == '50'
    ctl(machine, 'set', 'web', 'MemoryMax=lots', status=2)
    ctl(machine, 'kill', 'web', '--signal=KILL', '--whom=leader')
    web.wait_for(lambda: listed(machine)['web']['state'] == 'failed', 'a failed one in the list')
    assert 'killed by signal SIGKILL' in ctl(machine, 'status', 'web', status=3).stdout
    # The limits would be those of the next one of this name, too.
    web.systemctl('revert')


def test_hostile_guest(machine, defined, tree):
    """The name of the system, the name of the init, and lines of the log."""
    root = tree('busybox')
    machine.write(f'{root}/etc/os-release', f'PRETTY_NAME="{HOSTILE}"\n')
    program = f'{root}/bin/\033[31minit'
    machine.write(program, f"#!/bin/sh\nprintf '%s\\n' '{HOSTILE}'\nwhile :; do sleep 1; done\n", 0o755)
    machine.write(f'{root}/bin/first', '#!/bin/sh\nexec /bin/?*31minit\n', 0o755)
    web = defined('web', f'[Container]\nBoot=no\nCommand=/bin/first\n[Root]\nPath={root}\nOverlay=yes\n')
    ctl(machine, 'start', 'web')
    web.wait_for(lambda: 'RedHat' in re.sub('[^a-zA-Z]', '', web.journal()) or 'Red' in web.journal(), 'a line in the log')
    assert listed(machine)['web']['os'] == HOSTILE
    assert r'\x1b' in ctl(machine, 'list').stdout
    ctl(machine, 'status', 'web')
    typed = machine.run(['script', '--quiet', '--return', '--command',
                         'berthctl --color=never --no-pager list; berthctl --color=never --no-pager status web', '/dev/null'],
                        check=False).stdout
    assert 'web' in typed and not CONTROL.search(typed.replace('\r\n', '\n')), repr(typed)


def test_not_permitted(machine, defined):
    defined('web')
    ctl(machine, 'start', 'web')
    text = ctl(machine, 'list', user='nobody').stdout
    assert re.search(r'^web +running +root +\d+ +\d+\w+( \d+\w+)? +-$', text, re.MULTILINE)
    assert 'Definition' not in ctl(machine, 'status', 'web', '-n0', user='nobody').stdout
    for words in (('stop', 'web'), ('kill', 'web'), ('freeze', 'web'), ('set', 'web', 'TasksMax=1'), ('restart', 'web'),
                  ('console', 'web')):
        ctl(machine, *words, '--no-ask-password', status=5, user='nobody')
    assert listed(machine)['web']['state'] == 'running'


def test_console(machine, defined):
    web = defined('web', SHELL)
    assert 'berthctl start web' in ctl(machine, 'console', 'web', status=3).stderr
    ctl(machine, 'start', 'web')
    done = machine.run(['berthctl', 'console', 'web'], check=False, input='echo $((6*7))42\nexit\n',
                       timeout=300 * machine.patience)
    assert done.returncode == 0 and '4242' in done.stdout, done.stdout + done.stderr
    web.wait_state('inactive')
    defined('mute')
    ctl(machine, 'start', 'mute')
    assert 'Console=yes' in ctl(machine, 'console', 'mute', status=1).stderr


def test_service_and_host(machine):
    assert re.fullmatch(r'berthctl (\S+)\nlibrary  \1\nservice  \1\n', ctl(machine, 'version').stdout)
    words = {row['name']: row for row in json.loads(ctl(machine, 'capabilities', '--json').stdout)}
    assert words['user-namespaces']['available'] and words['user-namespaces']['reason'] is None
    assert all(row['reason'] for row in words.values() if not row['available'])
    json.loads(ctl(machine, 'features', '--json').stdout)


SSHD = """ListenAddress 127.0.0.1
Port 2222
HostKey /run/elsewhere/host
AuthorizedKeysFile /run/elsewhere/me.pub
StrictModes no
UsePAM no
PermitRootLogin yes
PidFile none
"""
SSH = """Host elsewhere
HostName 127.0.0.1
IdentityFile /run/elsewhere/me
UserKnownHostsFile /run/elsewhere/known
BatchMode yes
LogLevel ERROR
KexAlgorithms curve25519-sha256
"""


@pytest.fixture
def elsewhere(machine):
    """The machine itself as another host, by a real sshd on its loopback device."""
    machine.add_user('annie')
    machine.run(['usermod', '--password', '*', 'annie'])
    machine.write('/run/elsewhere/sshd', SSHD)
    machine.write('/etc/ssh/ssh_config.d/elsewhere.conf', SSH)
    for key in 'host', 'me':
        machine.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', f'/run/elsewhere/{key}'])
    machine.write('/run/elsewhere/known', '[127.0.0.1]:2222 ' + machine.read('/run/elsewhere/host.pub'))
    machine.run(['mkdir', '-p', '/run/sshd'])
    machine.run(['systemd-run', '--quiet', '--unit=elsewhere', '--service-type=notify',
                 '/usr/sbin/sshd', '-D', '-f', '/run/elsewhere/sshd'])
    yield 'elsewhere:2222'
    machine.run(['systemctl', 'stop', 'elsewhere.service'], check=False)
    machine.remove('/run/elsewhere', '/etc/ssh/ssh_config.d/elsewhere.conf')


def test_another_host(machine, defined, elsewhere):
    web = defined('web', SHELL)

    def there(*words, status=0, user='root'):
        done = machine.run(['berthctl', '-H', f'{user}@{elsewhere}', *words], check=False, timeout=60 * machine.patience)
        assert done.returncode == status, done.stdout + done.stderr
        return done
    there('start', 'web')
    text = there('status', 'web').stdout
    assert 'Owner: 0\n' in text and ': ssh -p 2222 root@elsewhere berthctl logs web' in text
    refused = there('console', 'web', status=1).stderr
    assert 'no descriptor can be handed over' in refused
    assert refused.endswith('; do it there: ssh -p 2222 root@elsewhere\n')

    # Whom it is as there is what counts; what is told to do next is for there.
    assert [row['name'] for row in json.loads(there('list', '--json', user='annie').stdout)] == ['web']
    assert 'as root@ that host' in there('stop', 'web', status=5, user='annie').stderr
    assert web.show('ActiveState') == 'active'
    there('stop', 'w*')
    assert web.show('ActiveState') == 'inactive'
    machine.run(['systemctl', 'stop', 'elsewhere.service'])
    refused = there('list', status=1).stderr
    assert 'Connection refused' in refused and ': ssh -p 2222 root@elsewhere systemd-stdio-bridge --version\n' in refused


def test_fifty_side_by_side(machine, defined):
    """root's starts wait for each other no longer than they have to, and each is done when the verb has ended."""
    made = [defined(f'n{number}') for number in range(50)]
    ctl(machine, 'start', 'n*')
    assert {row['state'] for row in listed(machine).values()} == {'running'}
    assert len(listed(machine, 'n*')) == len(made)
    ctl(machine, 'stop', 'n*')
    assert {row['state'] for row in listed(machine).values()} == {'stopped'}
