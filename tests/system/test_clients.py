# SPDX-License-Identifier: LGPL-2.1-or-later
"""The D-Bus service as programs see it that know nothing of berth: what it says of itself is the contract, and busctl,
gdbus, python3-dbus and systemctl can do the same with it."""

import contextlib
from pathlib import Path

import clients
import introspection
import pytest
from clients import CONTAINER, MANAGER, ROOT, ServiceError, Variant

CONTRACT = Path(__file__).resolve().parents[2] / 'dbus-interfaces'
EXPECTED = {name: one for path in CONTRACT.glob('*.xml')
            for name, one in introspection.interfaces(path.read_text(encoding='utf-8')).items()}
STANDARD = {'org.freedesktop.DBus.Peer', 'org.freedesktop.DBus.Introspectable', 'org.freedesktop.DBus.Properties',
            'org.freedesktop.DBus.ObjectManager'}
SLEEPER = '[Container]\nCommand=/bin/sleep inf\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
MADE = '[Container]\nCommand=/bin/sleep inf\n[Root]\nManaged=yes\n'
FOREIGN_ID = 0x7FFE0000  # what root's files have on the disk in berth's store


@pytest.fixture
def sleeper(container):
    one = container('a-sleeper.x', SLEEPER)
    one.machine.run(['busctl', 'call', clients.NAME, ROOT, MANAGER, 'Reload'])
    return one


@pytest.fixture
def python(machine):
    return clients.PythonDbus(machine)


# What it says of itself

def introspect(machine, path):
    done = machine.run(['busctl', '--system', 'call', '--json=short', clients.NAME, path,
                        'org.freedesktop.DBus.Introspectable', 'Introspect'])
    return introspection.interfaces(clients.plain(clients.json.loads(done.stdout)['data'])[0])


def test_the_manager_is_what_the_contract_says(machine):
    found = introspect(machine, ROOT)
    assert introspection.differences(EXPECTED[MANAGER], found[MANAGER]) == []
    assert set(found) == STANDARD | {MANAGER}


def test_a_container_is_what_the_contract_says(machine, sleeper, python):
    found = introspect(machine, python.manager('GetContainer', 's', sleeper.name))
    assert introspection.differences(EXPECTED[CONTAINER], found[CONTAINER]) == []
    assert set(found) - STANDARD == {CONTAINER}


def test_differences_are_seen():
    """The comparison itself, with a contract that is wrong in one thing each time."""
    one = EXPECTED[CONTAINER]
    for kind, name, value in (('methods', 'Kill', [('whom', 's', 'in'), ('number', 'i', 'in')]),
                              ('methods', 'Exec', []), ('properties', 'Owner', ('u', 'read', 'true')),
                              ('signals', 'Gone', [])):
        other = one._replace(**{kind: {**getattr(one, kind), name: value}})
        assert len(introspection.differences(one, other)) == 1
        assert len(introspection.differences(other, one)) == 1


@pytest.mark.parametrize('interface', sorted(EXPECTED))
def test_busctl_introspect(machine, sleeper, python, interface):
    path = ROOT if interface == MANAGER else python.manager('GetContainer', 's', sleeper.name)
    table = machine.run(['busctl', '--system', '--no-pager', '--no-legend', 'introspect', clients.NAME, path,
                         interface])
    assert introspection.listing(table.stdout) == introspection.expected_listing(EXPECTED[interface])


@pytest.mark.parametrize('interface', sorted(EXPECTED))
def test_gdbus_introspect(machine, sleeper, python, interface):
    path = ROOT if interface == MANAGER else python.manager('GetContainer', 's', sleeper.name)
    done = machine.run(['gdbus', 'introspect', '--system', '--xml', '--dest', clients.NAME, '--object-path', path])
    found = introspection.interfaces(done.stdout[done.stdout.index('<node'):])
    assert introspection.differences(EXPECTED[interface], found[interface]) == []


def test_busctl_tree(machine, sleeper, python):
    tree = machine.run(['busctl', '--system', '--no-pager', '--list', 'tree', clients.NAME]).stdout.split()
    assert {ROOT, python.manager('GetContainer', 's', sleeper.name)} <= set(tree)


@pytest.mark.parametrize('word', ['nonsense', 60 * 'x' + 20 * '\u20ac', '\033]0;title\a\n', 5000 * '\u00e4',
                                  '\u202ereversed'])
def test_words_of_callers(sleeper, python, word):
    """What an error quotes of a call is escaped and cut between characters: an answer that is not UTF-8 never comes."""
    options = {word: Variant('b', True)}
    path = python.manager('GetContainer', 's', sleeper.name)
    for call in (lambda: python.manager('CreateContainer', 'ssa{sh}a{sv}', 'x', MADE, {}, options),
                 lambda: python.manager('RunContainer', 'ssa{sh}a{sv}', 'x', MADE, {}, options),
                 lambda: python.manager('RemoveContainer', 'sa{sv}', sleeper.name, options),
                 lambda: python.container(path, 'Remove', 'a{sv}', options)):
        with pytest.raises(ServiceError) as caught:
            call()
        assert caught.value.name == 'org.freedesktop.DBus.Error.InvalidArgs'
        assert 'options' in caught.value.text and len(caught.value.text) < 400 and caught.value.text.isprintable()


# One scenario, four programs

def expect(name, member, part, client, *arguments):
    """A call that fails: with an error of that name, if the program tells names, and with words that name the
    object."""
    with pytest.raises(ServiceError) as caught:
        client.manager(member, *arguments)
    assert caught.value.name in (None, name if '.' in name else clients.ERROR + name)
    assert part in caught.value.text


@contextlib.contextmanager
def made(machine, client, name):
    """A container that is made over D-Bus, with busybox in its root."""
    client.manager('CreateContainer', 'ssa{sh}a{sv}', name, MADE, {}, {})
    root = f'/var/lib/berth/roots/{name}'
    try:
        machine.run(f'cp -a /srv/guests/busybox/. {root}/ && chown -R {FOREIGN_ID}:{FOREIGN_ID} {root}')
        yield root
    finally:
        unit = f'container@{name}.service'
        machine.run(['systemctl', 'stop', unit], check=False)
        # The start of what is no more, when systemctl asks for it, is a unit that failed.
        machine.run(['systemctl', 'reset-failed', unit], check=False)
        with contextlib.suppress(ServiceError):
            clients.PythonDbus(machine).manager('RemoveContainer', 'sa{sv}', name, {'data': Variant('b', True)})


@pytest.mark.parametrize('name', sorted(clients.ALL))
def test_scenario(machine, no_leftovers, name):
    client = clients.ALL[name](machine)
    listed = {row[0] for row in client.manager('ListContainers')}
    me = f'by-{name}'

    expect('NoSuchContainer', 'GetContainer', me, client, 's', me)
    expect('InvalidName', 'GetContainer', 'a name is', client, 's', '../etc')

    with client.watch() as watch, made(machine, client, me) as root:
        path = client.manager('GetContainer', 's', me)
        watch.until(lambda: path in watch.objects('InterfacesAdded'), f'InterfacesAdded of {path}')
        assert [row[1:] for row in client.manager('ListContainers') if row[0] == me] == [
            ['stopped', 0, f'container@{me}.service', path]] or name == 'gdbus'
        # What an earlier test took away may just have gone.
        now = {row[0] for row in client.manager('ListContainers')}
        assert me in now and now <= listed | {me}
        assert client.get(path, CONTAINER, 'Name') == me
        assert client.state(path) == 'stopped'
        expect('ContainerExists', 'CreateContainer', me, client, 'ssa{sh}a{sv}', me, MADE, {}, {})
        expect('NotRunning', 'KillContainer', me, client, 'ssi', me, 'leader', 15)

        client.manager('StartContainer', 's', me)
        watch.until_value(path, 'State', 'running')
        assert client.state(path) == 'running'
        leader = client.get(path, CONTAINER, 'Leader')
        assert machine.read(f'/proc/{leader}/cmdline').split('\0')[:2] == ['/bin/sleep', 'inf']
        watch.until_value(path, 'Leader', leader)
        assert client.manager('GetContainerByPID', 'u', leader) == path
        assert client.objects()[path][CONTAINER]['State'] == 'running'
        if name != 'systemctl':  # to which this is what was asked for
            expect('AlreadyRunning', 'StartContainer', me, client, 's', me)
        expect('AlreadyRunning', 'RemoveContainer', me, client, 'sa{sv}', me, {})

        client.container(path, 'Freeze')
        watch.until_value(path, 'State', 'frozen')
        client.container(path, 'Thaw')
        client.container(path, 'SetProperties', 'ba(sv)', True, [['TasksMax', Variant('t', 99)]])
        assert machine.run(['systemctl', 'show', '--value', '--property=TasksMax',
                            f'container@{me}.service']).stdout == '99\n'

        client.manager('RestartContainer', 's', me)
        if name == 'systemctl':  # which is told by systemd itself, and no later than the service
            watch.until(lambda: client.get(path, CONTAINER, 'Leader') not in (0, leader), 'another leader')
        assert client.get(path, CONTAINER, 'Leader') not in (0, leader)
        # Until the host boots.
        assert machine.run(['systemctl', 'show', '--value', '--property=TasksMax',
                            f'container@{me}.service']).stdout == '99\n'
        client.manager('StopContainer', 'st', me, 2**64 - 1)
        if name == 'systemctl':
            watch.until(lambda: client.state(path) == 'stopped', 'its end')
        assert client.state(path) == 'stopped'
        assert client.get(path, CONTAINER, 'Leader') == 0
        # A restart may have told it, too.
        watch.until(lambda: watch.values(path, 'State')[-1:] == ['stopped'], 'State=stopped as the last one')
        if name != 'systemctl':
            expect('NotRunning', 'StopContainer', me, client, 'st', me, 0)

        expect('org.freedesktop.DBus.Error.InvalidArgs', 'RemoveContainer', 'nonsense', client, 'sa{sv}', me,
               {'nonsense': Variant('b', True)})
        client.manager('RemoveContainer', 'sa{sv}', me, {'data': Variant('b', True)})
        watch.until(lambda: path in watch.objects('InterfacesRemoved'), f'InterfacesRemoved of {path}')
        assert not machine.exists(root)
        assert {row[0] for row in client.manager('ListContainers')} <= listed
        expect('NoSuchContainer', 'StartContainer', me, client, 's', me)


@pytest.mark.parametrize('name', sorted(clients.ALL))
def test_behind_its_back(container, sleeper, name):
    """What systemctl and a guest do is announced to every client."""
    client = clients.ALL[name](sleeper.machine)
    path = client.manager('GetContainer', 's', sleeper.name)
    with client.watch() as watch:
        sleeper.start()
        watch.until_value(path, 'State', 'running')
        sleeper.systemctl('kill', '--signal=KILL')
        watch.until_value(path, 'State', 'failed')
        assert client.get(path, CONTAINER, 'ExitStatus') == -9
        sleeper.systemctl('reset-failed')
        watch.until_value(path, 'State', 'stopped')
