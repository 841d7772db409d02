# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages on Debian 12 and 13: what lintian says, and installing, upgrading, removing and purging them
beside containers that run and do not notice."""

import json
import os
import subprocess

import pytest
from container import Container
from machines import open_machine
from machines.packages import complaints, packages

PLACE = '/usr/local/src/packages'
NEXT = '9.0'
MANY = 50
SLEEPER = ('[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
           '[Resources]\nMemoryMax=512M\n')
WATCHED = 'Id,ActiveState,MainPID,InvocationID,NRestarts,ActiveEnterTimestampMonotonic'


@pytest.fixture(scope='module', params=['debian12', 'debian13'])
def release(request):
    return request.param


@pytest.fixture(scope='module')
def built(release):
    return packages(None if release == 'debian12' else release)


@pytest.fixture(scope='module')
def shelf(built, tmp_path_factory):
    """The packages, in now/ as they were built and in next/ as a later version."""
    place = tmp_path_factory.mktemp('packages')
    for name in ('now', 'next'):
        (place / name).mkdir()
    for deb in built.glob('*.deb'):
        if 'dbgsym' not in deb.name:
            (place / 'now' / deb.name).write_bytes(deb.read_bytes())
            later(deb, place / 'next' / deb.name, place / 'unpacked')
    return place


def later(deb, result, unpacked):
    """The same package with a higher version."""
    subprocess.run(['dpkg-deb', '--raw-extract', deb, unpacked], check=True)
    version = subprocess.run(['dpkg-deb', '--field', deb, 'Version'], check=True, capture_output=True, text=True).stdout.strip()
    control = unpacked / 'DEBIAN/control'
    text = control.read_text().replace(f'Version: {version}\n', f'Version: {NEXT}\n').replace(f'(= {version})', f'(= {NEXT})')
    control.write_text(text)
    subprocess.run(['dpkg-deb', '--root-owner-group', '--build', unpacked, result], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['rm', '-rf', unpacked], check=True)


@pytest.fixture
def machine(release, shelf):
    """One without the project."""
    machine = open_machine('local', f'pytest-{release}-{os.getpid()}')
    machine.up(tree=None if release == 'debian12' else release, project=False, binds=[f'{shelf}:{PLACE}'])
    yield machine
    machine.down()


def apt(machine, *words):
    """apt-get as an administrator would call it; what it says."""
    done = machine.run(['apt-get', '--yes', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', *words], timeout=600,
                       env={'DEBIAN_FRONTEND': 'noninteractive'})
    return done.stdout + done.stderr


def install(machine, which='now'):
    return apt(machine, 'install', *machine.run(f'ls {PLACE}/{which}/*.deb').stdout.split())


def define(machine, name, text=SLEEPER):
    machine.write(f'/etc/berth/containers/{name}.container', text)


def properties(machine, unit, names=WATCHED):
    """Of one unit or of all that a pattern matches, which systemd has in no order."""
    said = machine.run(['systemctl', 'show', f'--property={names}', unit]).stdout
    return '\n'.join(sorted('\n'.join(sorted(one.splitlines())) + '\n' for one in said.split('\n\n')))


def listening(machine):
    """berth's sockets that are there, enabled and listening."""
    there = machine.run("systemctl list-unit-files --plain --no-legend 'berth-*.socket'").stdout.splitlines()
    assert there and all(line.split()[1] == 'enabled' for line in there)
    machine.run(['systemctl', 'is-active', *(line.split()[0] for line in there)])
    return [properties(machine, line.split()[0]) for line in there]


# Stays connected, so that the manager stays, too.
CALLER = '''
import dbus, time
manager = dbus.SystemBus().get_object('org.berth.container1', '/org/berth/container1')
manager.ListContainers(dbus_interface='org.berth.container1.Manager')
open('/run/called', 'w').close()
time.sleep(1000)
'''


def call_the_manager(machine):
    machine.run(['systemd-run', '--unit=caller', '/usr/bin/python3', '-c', CALLER])
    machine.run('until [ -e /run/called ]; do systemctl is-active --quiet caller || exit 1; sleep 0.05; done',
                timeout=120)


def states(machine):
    """Of all containers, from the manager."""
    said = machine.run(['busctl', '--json=short', 'call', 'org.berth.container1', '/org/berth/container1',
                        'org.berth.container1.Manager', 'ListContainers']).stdout
    return {one[0]: one[1] for one in json.loads(said)['data'][0]}


def files_of_berth(machine):
    return sorted(machine.run(['find', '/usr', '/etc', '/run/systemd', '/var/lib/systemd', '-name', '*berth*']).stdout.split('\n'))


def test_lintian_is_content(built):
    assert complaints(built) == ''


def test_upgrade_with_many_containers(machine):
    """No container notices an upgrade."""
    install(machine)
    names = [f'c{number}' for number in range(MANY)]
    for name in names:
        define(machine, name)
    units = [f'container@{name}.service' for name in names]
    machine.run(['systemctl', 'enable', '--now', *units], timeout=300)
    call_the_manager(machine)
    assert states(machine) == {name: 'running' for name in names}
    manager = properties(machine, 'berth-manager.service', 'InvocationID')
    sockets = listening(machine)
    before = properties(machine, 'container@*.service')
    assert before.count('ActiveState=active\n') == MANY
    install(machine, 'next')
    assert machine.run(['dpkg-query', '--show', '--showformat=${Version}', 'berth']).stdout == NEXT
    assert properties(machine, 'container@*.service') == before
    assert listening(machine) == sockets
    assert properties(machine, 'berth-manager.service', 'InvocationID') != manager
    assert states(machine) == {name: 'running' for name in names}
    assert machine.run('ls /etc/systemd/system/machines.target.wants').stdout.split() == sorted(units)
    machine.run(['systemctl', 'restart', units[0]])
    machine.run(['systemctl', 'stop', *units], timeout=300)
    assert machine.run(['systemctl', '--failed', '--plain', '--no-legend']).stdout == ''


def test_remove_and_purge(machine):
    """Containers outlive the package, with their settings; definitions and data outlive even its purge."""
    before = files_of_berth(machine)
    install(machine)
    one = Container(machine, 'one', SLEEPER)
    guest = Container(machine, 'guest', '[Container]\nReady=guest\n[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n')
    one.start()
    guest.start()
    kept = [properties(machine, one.unit), properties(machine, guest.unit)]
    settings = 'KillSignal,KillMode,MemoryMax,Delegate,DevicePolicy,Slice,TasksMax'
    set_to = properties(machine, one.unit, settings)
    assert 'MemoryMax=536870912\n' in set_to

    said = apt(machine, 'remove', 'berth')
    assert one.unit in said and guest.unit in said
    assert machine.run("systemctl list-units --plain --no-legend 'berth-*'").stdout == ''
    machine.run(['systemctl', 'daemon-reload'])
    assert [properties(machine, one.unit), properties(machine, guest.unit)] == kept
    assert properties(machine, one.unit, settings) == set_to
    guest.stop()
    assert guest.show('Result') == 'success'

    machine.run('mkdir /var/lib/berth/trash/one && touch /var/lib/berth/trash/one/file')
    said = apt(machine, 'purge', 'berth')
    assert not machine.exists('/var/lib/berth/trash')
    assert '/etc/berth stays' in said and '/var/lib/berth stays' in said
    assert machine.exists(one.path) and machine.exists('/var/lib/berth/overlays/guest')
    assert properties(machine, one.unit) == kept[0]

    install(machine)
    assert properties(machine, one.unit) == kept[0]
    assert one.show('FragmentPath').endswith('/container@.service')
    assert properties(machine, one.unit, settings) == set_to
    one.restart()

    one.stop()
    apt(machine, 'remove', 'berth')
    machine.remove('/etc/berth/containers/one.container', '/etc/berth/containers/guest.container')
    machine.run('rm -rf /var/lib/berth/overlays/*')
    apt(machine, 'purge', 'berth', 'libberth0', 'libberth-dev')
    # A mount of the machine's own is there.
    assert not machine.exists('/etc/berth') and machine.run('ls -A /var/lib/berth').stdout == ''
    assert files_of_berth(machine) == before
    assert machine.run(['systemctl', '--failed', '--plain', '--no-legend']).stdout == ''


PROGRAM = '''#include <berth.h>
#include <stdio.h>
int main(void) {
        return printf("%s\\n", berth_library_version()) < 0;
}
'''


@pytest.mark.parametrize('linked', ['-lberth', '-l:libberth.a -lsystemd'])
def test_programs_can_be_built(machine, linked):
    """With the library's packages alone, with the shared and with the static one."""
    apt(machine, 'install', *machine.run(f'ls {PLACE}/now/libberth*.deb').stdout.split())
    machine.write('/root/program.c', PROGRAM)
    machine.run('gcc -Wall -Werror -o /root/program /root/program.c $(pkg-config --cflags berth) -pthread '
                f'$(pkg-config --libs berth | sed "s/-lberth/{linked}/")', timeout=300)
    version = machine.run(['pkg-config', '--modversion', 'berth']).stdout
    assert machine.run('/root/program').stdout == version
    assert ('libberth' in machine.run('ldd /root/program').stdout) == (linked == '-lberth')
