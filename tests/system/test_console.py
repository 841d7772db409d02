# SPDX-License-Identifier: LGPL-2.1-or-later
"""Consoles over D-Bus: what a guest shows is there for who attaches later, also when the manager was killed meanwhile,
and a guest that floods its console harms nobody."""

import re
import time

import clients
import pytest
from attached import Attached
from clients import ERROR, ServiceError

SHELL = '[Container]\nCommand=/bin/sh\nConsole=yes\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
SYSTEM = '[Container]\nConsole=yes\n[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n'
MANAGER_UNIT = 'berth-manager.service'
RING_SIZE = 64 * 1024
TOO_MANY = 'org.freedesktop.DBus.Error.LimitsExceeded'


@pytest.fixture
def client(machine):
    return clients.PythonDbus(machine)


@pytest.fixture
def started(container, client):
    def start(name, definition=SHELL):
        one = container(name, definition)
        client.manager('Reload')
        one.start()
        return one
    return start


@pytest.fixture
def attach():
    made = []

    def to(container):
        made.append(Attached(container))
        return made[-1]
    yield to
    for one in made:
        one.remove()


def show(machine, name):
    return machine.run(['systemctl', 'show', '--value', f'--property={name}', MANAGER_UNIT]).stdout.strip()


def wait(machine, condition, what, timeout=60):
    deadline = time.monotonic() + timeout * machine.patience
    while not condition():
        assert time.monotonic() < deadline, f'no {what}: {machine.journal(MANAGER_UNIT)}'
        time.sleep(0.1)


def open_console(client, container):
    return client.container(client.manager('GetContainer', 's', container.name), 'OpenConsole')


def can_open(client, container):
    try:
        open_console(client, container)
    except ServiceError as error:
        assert error.name == TOO_MANY
        return False
    return True


def test_shell(started, attach):
    """Typing into a guest's shell; two who are attached see the same, one who comes later sees what was before."""
    one = started('console-shell')
    first = attach(one)
    first.until_text('/ # ')
    first.type('echo $((6 * 7))\n')
    first.until_text('\n42\n')
    second = attach(one)
    second.until_text('\n42\n')
    second.type('echo to $((1 + 1))\n')
    first.until_text('\nto 2\n')
    second.until_text('\nto 2\n')

    # The end of the shell is the container's, and everybody's.
    second.type('echo bye; exit 3\n')
    first.until_end()
    second.until_end()
    assert first.text().endswith('\nbye\n') and second.text().endswith('\nbye\n')


def test_login(started, attach):
    """What a guest's systemd said while it booted is replayed, and its getty answers."""
    one = started('console-login', SYSTEM)
    one.wait_running()
    attached = attach(one)
    attached.until_text('login: ')
    assert 'Welcome to' in attached.text()
    attached.type('nobody-knows-me\n')
    attached.until_text('Password: ')


@pytest.mark.parametrize('how', ['kill', 'restart'])
def test_the_manager_goes_and_comes(machine, started, attach, how):
    """Nothing that a guest shows is lost: before, while there is no manager, and after."""
    one = started(f'console-{how}', SHELL)
    before = attach(one)
    before.type('echo first; (sleep 2; echo second) &\n')
    before.until_text('\nfirst\n')
    leader, manager = one.main_pid(), show(machine, 'MainPID')

    if how == 'kill':
        machine.run(['systemctl', 'kill', '--signal=KILL', MANAGER_UNIT])
    else:
        machine.run(['systemctl', 'restart', MANAGER_UNIT])
    before.until_end()
    wait(machine, lambda: show(machine, 'MainPID') not in ('0', manager), 'new manager')

    after = attach(one)
    after.until_text('second\n')
    assert '\nfirst\n' in after.text()
    after.type('echo third\n')
    after.until_text('\nthird\n')
    assert one.main_pid() == leader
    # What is left of an earlier test's goes, this one's stays.
    wait(machine, lambda: show(machine, 'NFileDescriptorStore') == '2', 'store with this console alone')


def test_killed_again_and_again(machine, started, attach):
    """systemd does not give up on a manager that dies often, which would cost the consoles."""
    one = started('console-often')
    for turn in range(8):
        manager = show(machine, 'MainPID')
        machine.run(['systemctl', 'kill', '--signal=KILL', MANAGER_UNIT])
        wait(machine, lambda dead=manager: show(machine, 'MainPID') not in ('0', dead), 'new manager')
        attached = attach(one)
        attached.type(f'echo $(({turn} + 100))\n')
        attached.until_text(f'\n{turn + 100}\n')


def test_reboot(started, attach):
    """Who is attached stays so over a reboot of the guest."""
    one = started('console-reboot')
    attached = attach(one)
    attached.until_text('/ # ')
    attached.type('echo before; reboot -f\n')
    attached.until_text('\nbefore\n')
    attached.until_text('built-in shell', times=2)
    attached.type('echo after\n')
    attached.until_text('\nafter\n')
    assert one.show('NRestarts') == '1'
    assert attached.state() == 'active'


def test_it_ends_with_the_container(machine, started, attach, client):
    one = started('console-end')
    attached = attach(one)
    attached.type('while sleep 1; do echo still there; done\n')
    attached.until_text('still there')
    one.stop()
    attached.until_end()
    with pytest.raises(ServiceError) as caught:
        open_console(client, one)
    assert caught.value.name == ERROR + 'NotRunning'
    wait(machine, lambda: show(machine, 'NFileDescriptorStore') == '0', 'empty store')

    # The next run shows nothing of the one before.
    one.start()
    attached = attach(one)
    attached.until_text('/ # ')
    assert 'still there' not in attached.text()


def test_who_has_none(started, client):
    one = started('console-none', SHELL.replace('Console=yes\n', '').replace('/bin/sh', '/bin/sleep inf'))
    with pytest.raises(ServiceError) as caught:
        open_console(client, one)
    assert caught.value.name == 'org.freedesktop.DBus.Error.NotSupported'
    assert one.name in caught.value.text


def test_too_many(machine, started, attach, client):
    one = started('console-many')
    attached = [attach(one) for _ in range(8)]
    with pytest.raises(ServiceError) as caught:
        open_console(client, one)
    assert caught.value.name == TOO_MANY
    # That one has left is seen by the manager a moment later.
    attached[3].remove()
    wait(machine, lambda: can_open(client, one), 'place for another one')
    attached[0].type('echo to $((1 + 7))\n')
    for other in attached[:3] + attached[4:]:
        other.until_text('\nto 8\n')


# Floods

def memory(machine):
    """KiB of the manager that are its own, its rings included."""
    text = machine.read(f'/proc/{show(machine, "MainPID")}/status')
    return sum(int(re.search(rf'^{name}:\s+(\d+) kB', text, re.MULTILINE).group(1)) for name in ('RssAnon', 'RssShmem'))


def cpu_seconds(machine):
    return int(show(machine, 'CPUUsageNSec')) / 1e9


def test_floods(machine, started, attach, client):
    """Guests that write as fast as they can: the manager stays small, takes little of a processor, and answers others."""
    calm = started('console-calm')
    attached = attach(calm)
    attached.until_text('/ # ')
    before = memory(machine)
    noisy = [started(f'console-noisy{number}', SHELL.replace('/bin/sh', '/bin/sh -c "yes I am very loud >/dev/console"'))
             for number in range(3)]
    reader = attach(noisy[0])
    begin, used = time.monotonic(), cpu_seconds(machine)

    for turn in range(20):
        client.manager('ListContainers')
        attached.type(f'echo $(({turn} + 100))\n')
        attached.until_text(f'\n{turn + 100}\n')

    passed = time.monotonic() - begin
    assert cpu_seconds(machine) - used < passed / 2
    # A ring for each, and what attaching costs.
    assert memory(machine) - before < len(noisy) * RING_SIZE // 1024 + 512
    reader.until(lambda: len(reader.text()) > RING_SIZE, 'show more than was kept')
    for one in noisy:
        one.stop()


# Who may hand over a console

SEND = r'''
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect("/run/berth/console.sock")
fds = [eval(word) for word in sys.argv[2:]]
s.sendmsg([sys.argv[1].encode()], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])
'''


@pytest.mark.parametrize('user', ['nobody', 'berth'])
def test_others_may_not(machine, user):
    done = machine.run(['setpriv', f'--reuid={user}', '--clear-groups', '/usr/bin/python3', '-c', SEND,
                        'container@x.service', 'os.openpty()[0]'], check=False)
    assert 'PermissionError' in done.stderr


@pytest.mark.parametrize('words,why', [
    (['container@x.service'], 'there is no descriptor with it'),
    (['container@x.service', '0'], 'is not the master of a pseudo-terminal'),
    (['container@x.service', 'os.openpty()[1]'], 'is not the master of a pseudo-terminal'),
    (['container@x.service', 'os.openpty()[0]', 'os.openpty()[0]'], 'more than one descriptor'),
    (['ssh.service', 'os.openpty()[0]'], 'does not name the unit of a container'),
    (['container@../x.service', 'os.openpty()[0]'], 'does not name the unit of a container'),
])
def test_what_is_refused(machine, words, why):
    wait(machine, lambda: show(machine, 'NFileDescriptorStore') == '0', 'end of the consoles before')
    seen = machine.journal(MANAGER_UNIT).count(why)
    machine.run(['/usr/bin/python3', '-c', SEND, *words])
    wait(machine, lambda: machine.journal(MANAGER_UNIT).count(why) > seen, f'line that says {why!r}')
    assert show(machine, 'NFileDescriptorStore') == '0'


# Hands over a console, keeps the guest's side of it, and says after how long the other one was closed.
ABANDON = r"""
import array, os, select, socket, time
master, slave = os.openpty()
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
begin = time.monotonic()
s.connect("/run/berth/console.sock")
s.sendmsg([b"container@never-there.service"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))])
os.close(master)
end = select.poll()
end.register(slave, select.POLLHUP)
end.poll()
print(time.monotonic() - begin)
"""


def test_nobody_s_console(machine):
    """One for which no container turns up is kept for a while, and not for ever."""
    wait(machine, lambda: show(machine, 'NFileDescriptorStore') == '0', 'end of the consoles before')
    # As long as systemd's signals may be behind a launcher's message.
    assert float(machine.run(['/usr/bin/python3', '-c', ABANDON], timeout=120).stdout) >= 5
    wait(machine, lambda: show(machine, 'NFileDescriptorStore') == '0', 'end of it')
