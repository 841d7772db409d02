# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a guest with systemd is promised, one row each; berth-guest(7) is the same list in words.

The rows are numbered after the pieces of systemd's container interface: https://systemd.io/CONTAINER_INTERFACE and
what systemd-nspawn does beyond it. A row without a check is not promised, and the page says why.
"""

import re
from pathlib import Path

import pytest
from container import Container

PAGE = Path(__file__).resolve().parents[2] / 'man' / 'berth-guest.7'
LAST_ROW = 28
# The D-Bus daemon of Debian 12 asks for more than a kernel gives to a process 1, and works with less (limits).
FEWER_DESCRIPTORS = 'Failed to set fd limit to 65536: Operation not permitted'
MACHINE_ID = '00112233445566778899aabbccddeeff'


def definition(guest='debian13', keys='', sections=''):
    return f'[Container]\nReady=guest\n{keys}[Root]\nPath=/srv/guests/{guest}\nOverlay=yes\n{sections}'


def install(guest, path, text):
    """A file in a running guest."""
    guest.inside(['/bin/sh', '-c', 'cat >"$0"', path], input=text)


# -- rows that a running guest shows ----------------------------------------------------------------------


def manager(g):
    assert g.inside(['systemd-detect-virt', '--container'], check=False).stdout.strip() == 'container-other'
    assert g.inside(['cat', '/run/systemd/container']).stdout.strip() == 'berth'
    assert g.inside(['stat', '-c', '%a %U', '/run/host/container-manager']).stdout == '444 root\n'
    assert g.inside(['cat', '/run/host/container-manager']).stdout == 'berth\n'
    assert 'container=berth' in g.inside(['cat', '/proc/1/environ']).stdout.split('\0')


def kernel_interfaces(g):
    def options(path):
        return g.inside(['findmnt', '-n', '-o', 'OPTIONS', '--target', path]).stdout.split(',')
    assert 'ro' in options('/sys') and 'ro' in options('/proc/sys') and 'rw' in options('/proc/sys/net')
    for unit in ('systemd-udevd.service', 'systemd-modules-load.service'):
        assert g.inside(['systemctl', 'is-active', unit], check=False).stdout.strip() == 'inactive'
    assert g.inside(['sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward']).returncode == 0


def masks(g):
    present = g.inside('cd /proc && ls -d kallsyms kcore keys sysrq-trigger timer_list', check=False).stdout.split()
    assert {'kallsyms', 'keys', 'timer_list'} <= set(present)
    for name in present:
        assert g.inside(['stat', '-c', '%a', f'/proc/{name}']).stdout.strip() == '0', name
    for name in g.inside('cd /proc && ls -d acpi apm asound bus fs irq scsi', check=False).stdout.split():
        mounted = g.inside(['findmnt', '-n', '-o', 'OPTIONS', f'/proc/{name}']).stdout
        assert 'ro,' in mounted, name


def devices(g):
    names = set(g.inside(['ls', '/dev']).stdout.split()) - {'log', 'initctl', 'fuse', 'hugepages'}
    assert names == {'null', 'zero', 'full', 'random', 'urandom', 'tty', 'ptmx', 'pts', 'shm', 'mqueue', 'fd', 'stdin',
                     'stdout', 'stderr', 'core'}
    assert g.inside(['readlink', '/dev/ptmx']).stdout == 'pts/ptmx\n'
    terminal = g.inside(['script', '--quiet', '--return', '--command', 'stat -c "%a %u %g %n" $(tty)', '/dev/null']).stdout
    assert re.fullmatch(r'620 0 5 /dev/pts/\d+', terminal.strip())


def sandboxes(g):
    for settings in (['PrivateDevices=yes', 'ProtectSystem=strict', 'PrivateTmp=yes', 'ProtectHome=yes'],
                     ['ProtectKernelTunables=yes', 'ProtectControlGroups=yes', 'ProtectKernelLogs=yes'],
                     ['DynamicUser=yes', 'PrivateNetwork=yes', 'RestrictNamespaces=yes', 'NoNewPrivileges=yes']):
        properties = [f'--property={s}' for s in settings]
        g.inside(['systemd-run', '--quiet', '--wait', '--pipe', *properties, '/bin/true'])


def cgroups(g):
    assert g.inside(['findmnt', '-n', '-o', 'FSTYPE', '/sys/fs/cgroup']).stdout == 'cgroup2\n'
    assert g.inside(['cat', '/proc/1/cgroup']).stdout.rstrip().endswith('0::/init.scope')
    g.inside(['systemctl', 'set-property', '--runtime', 'dbus.service', 'MemoryMax=512M', 'TasksMax=100'])
    assert g.inside(['systemctl', 'show', '--value', '-p', 'MemoryMax', 'dbus.service']).stdout.strip() == str(512 << 20)
    assert 'dbus.service' in g.inside(['systemd-cgls', '--no-pager']).stdout
    g.inside(['systemctl', 'revert', 'dbus.service'])


def propagation(g):
    assert g.inside(['findmnt', '-n', '-o', 'PROPAGATION', '/']).stdout == 'shared\n'


def os_release(g):
    host = g.machine.read('/etc/os-release')
    assert g.inside(['cat', '/run/host/os-release']).stdout == host
    variables = g.inside(['cat', '/proc/1/environ']).stdout.split('\0')
    for key in ('ID', 'VERSION_ID'):
        value = re.search(f'^{key}="?([^"\n]*)', host, re.M)
        if value:
            assert f'container_host_{key.lower()}={value[1]}' in variables


def inaccessible(g):
    listed = g.inside(['stat', '-c', '%n %F %a', *(f'/run/host/inaccessible/{n}' for n in (
        'reg', 'dir', 'fifo', 'sock', 'chr', 'blk'))]).stdout
    assert [line.rsplit(' ', 1)[1] for line in listed.splitlines()] == ['0'] * 6
    assert g.inside(['touch', '/run/host/anything'], check=False).returncode != 0


def id_range(g):
    inside, outside, count = map(int, g.inside(['cat', '/proc/1/uid_map']).stdout.split())
    assert (inside, count, outside % 65536) == (0, 65536, 0) and 524288 <= outside <= 1879048191
    assert g.machine.exists(f'/run/systemd/nspawn-uid/{outside}')


def boot_id(g):
    own = g.inside(['cat', '/proc/sys/kernel/random/boot_id']).stdout
    assert own != g.machine.read('/proc/sys/kernel/random/boot_id')
    assert own.strip().replace('-', '') in g.inside(['journalctl', '--list-boots', '--no-pager']).stdout


def limits(g):
    # systemd raises its own; what the kernel gives to a process 1 shows in the hard limits that it left alone.
    text = g.inside(['cat', '/proc/1/limits']).stdout
    assert re.search(r'^Max stack size +8388608 +unlimited', text, re.M)
    assert re.search(r'^Max open files +\d+ +4096 ', text, re.M)
    assert re.search(r'^Max nice priority +0 +0', text, re.M) and re.search(r'^Max cpu time +unlimited +unlimited', text, re.M)


def keyring(g):
    assert g.inside(['systemd-run', '--quiet', '--wait', '--pipe', '--property=KeyringMode=private', '/bin/true'])
    assert g.inside(['systemctl', 'show', '--value', '-p', 'KeyringMode', 'dbus.service']).stdout.strip() == 'private'


def nothing_failed(g):
    assert g.inside(['systemctl', 'is-system-running']).stdout == 'running\n'
    assert g.inside(['systemctl', '--failed', '--no-legend', '--plain']).stdout == ''
    def journal(*select):
        lines = g.inside(['journalctl', '--boot', '--no-pager', '--quiet', '--output=cat', *select]).stdout.splitlines()
        return [line for line in lines if not line.endswith(FEWER_DESCRIPTORS)]
    assert journal('--priority=warning') == []
    everything = '\n'.join(journal())
    assert 'Reached target' in everything
    assert not re.search('Failed to|Operation not permitted|Permission denied', everything), everything


def login(g):
    assert g.inside(['systemctl', 'is-active', 'systemd-logind.service', 'dbus.service']).stdout == 'active\nactive\n'
    assert 'No sessions' in g.inside(['loginctl', 'list-sessions', '--no-pager']).stdout


def registered(g):
    listed = [line.split() for line in g.machine.run(['machinectl', 'list', '--no-legend', '--no-pager']).stdout.splitlines()]
    assert [g.name, 'container'] in [line[:2] for line in listed], g.machine.journal('systemd-machined.service', 'short-precise')
    shown = dict(line.split('=', 1) for line in g.machine.run(['machinectl', 'show', g.name]).stdout.splitlines())
    assert shown['Leader'] == g.show('MainPID') and shown['Unit'] == g.unit and shown['Class'] == 'container'


# -- rows that take a start of their own ------------------------------------------------------------------


def uuid(container):
    def ids(name):
        one = container(name, definition())
        one.start()
        given = one.inside(['cat', '/run/host/container-uuid']).stdout.strip().replace('-', '')
        assert f'container_uuid={given}' in one.inside(['cat', '/proc/1/environ']).stdout.split('\0')
        assert one.inside(['cat', '/etc/machine-id']).stdout.strip() == given
        one.remove()
        return given
    first = ids('uuid')
    assert ids('uuid') == first and ids('other') != first


def machine_id(container):
    one = container('row', definition())
    one.start()
    install(one, '/etc/machine-id', MACHINE_ID + '\n')
    one.restart()
    assert one.inside(['cat', '/etc/machine-id']).stdout.strip() == MACHINE_ID
    assert MACHINE_ID in one.inside(['journalctl', '--output=json', '--lines=1', '--no-pager']).stdout


def console(container):
    one = container('row', definition(keys='Console=yes\n'))
    one.start()
    assert one.inside(['stat', '-c', '%F', '/dev/console']).stdout == 'character special file\n'
    assert one.inside(['systemctl', 'is-active', 'console-getty.service']).stdout == 'active\n'
    assert one.wait_running() == 'running'
    one.stop()
    assert one.show('Result') == 'success'


def ready(container):
    one = container('row', definition())
    one.systemctl('start', '--no-block')
    one.wait_for(lambda: one.show('MainPID') != '0', 'a main process')
    assert one.show('ActiveState') in ('activating', 'active')
    one.wait_state('active')
    # The guest says READY=1 when its default target is reached.
    assert one.inside(['systemctl', 'is-active', 'multi-user.target']).stdout == 'active\n'
    assert one.inside(['stat', '-c', '%F', '/run/host/notify']).stdout == 'socket\n'
    # More than a socket holds that nobody reads: it neither fails nor waits, now or after a reboot.
    more = int(one.machine.read('/proc/sys/net/unix/max_dgram_qlen')) + 20
    for _ in range(2):
        one.inside(f'for i in $(seq {more}); do NOTIFY_SOCKET=/run/host/notify systemd-notify --status=many-$i || exit; done',
                   timeout=300)
        one.inside(['systemctl', 'daemon-reload'])
        assert 'notification' not in one.inside(['journalctl', '--boot', '--no-pager', '--output=cat', '_PID=1']).stdout
        stored = one.show('NFileDescriptorStore')
        one.restart()
    assert one.show('NFileDescriptorStore') == stored
    one.inside(['systemctl', 'reboot'], check=False)
    one.wait_for(lambda: one.show('NRestarts') == '1' and one.show('ActiveState') == 'active', 'a reboot')
    assert one.show('NFileDescriptorStore') == stored
    assert 'many-' not in one.show('StatusText')


def stop(container):
    one = container('row', definition())
    one.start()
    install(one, '/etc/systemd/system/last.service', '[Service]\nType=oneshot\nRemainAfterExit=yes\n'
            'ExecStart=/bin/true\nExecStop=/bin/sh -c "echo orderly >/var/stopped"\n')
    one.inside(['systemctl', 'start', 'last.service'])
    upper = f'/var/lib/berth/overlays/{one.name}/upper/var/stopped'
    for how in (one.stop, lambda: one.systemctl('kill', '--kill-whom=main', '--signal=SIGRTMIN+4'),
                lambda: one.inside(['systemctl', 'poweroff'], check=False)):
        if one.show('ActiveState') != 'active':
            one.start()
            one.inside(['systemctl', 'start', 'last.service'])
        how()
        one.wait_state('inactive')
        assert one.machine.read(upper) == 'orderly\n' and one.show('Result') == 'success'
        one.machine.run(['rm', upper])


def reboot(container):
    one = container('row', definition())
    one.start()
    for number, how in enumerate((['systemctl', 'reboot'], ['kill', '-s', 'INT', '1'])):
        before, pid = one.inside(['cat', '/proc/sys/kernel/random/boot_id']).stdout, one.main_pid()
        one.inside(how, check=False)
        one.wait_for(lambda n=number + 1: one.show('NRestarts') == str(n) and one.show('ActiveState') == 'active', 'a reboot')
        assert one.main_pid() != pid
        assert one.inside(['cat', '/proc/sys/kernel/random/boot_id']).stdout != before
        assert one.wait_running() == 'running'


def drop_in(one, text):
    one.machine.write(f'/run/systemd/system/{one.unit}.d/test.conf', text)
    one.machine.run(['systemctl', 'daemon-reload'])


def credentials(container):
    one = container('row', definition())
    drop_in(one, '[Service]\nSetCredential=colour:blue\nLoadCredential=hosts:/etc/hosts\n')
    try:
        one.start()
        assert set(re.findall(r'^(\w+) ', one.inside(['systemd-creds', '--system', '--no-legend', 'list']).stdout, re.M)) == {
            'colour', 'hosts'}
        assert one.inside(['systemd-creds', '--system', 'cat', 'colour']).stdout == 'blue'
        assert one.inside(['systemd-creds', '--system', 'cat', 'hosts']).stdout == one.machine.read('/etc/hosts')
        modes = one.inside(['stat', '-c', '%a %u', '/run/host/credentials', '/run/host/credentials/colour']).stdout
        assert modes == '700 0\n400 0\n'
    finally:
        one.machine.remove(f'/run/systemd/system/{one.unit}.d')
        one.machine.run(['systemctl', 'daemon-reload'])


def sockets(container):
    """A connection to the host's socket starts the container, and a socket unit of the guest answers it."""
    one = container('row', definition())
    one.start()
    install(one, '/etc/systemd/system/hello.socket', '[Socket]\nListenStream=127.0.0.1:4242\nAccept=yes\n'
            '[Install]\nWantedBy=sockets.target\n')
    install(one, '/etc/systemd/system/hello@.service', '[Service]\nStandardInput=socket\nExecStart=/bin/echo hello there\n')
    one.inside(['systemctl', 'enable', 'hello.socket'])
    one.stop()
    name = f'container@{one.name}.socket'
    one.machine.write(f'/run/systemd/system/{name}', '[Socket]\nListenStream=127.0.0.1:4242\n')
    one.machine.run(['systemctl', 'daemon-reload'])
    try:
        one.machine.run(['systemctl', 'start', name])
        assert one.show('ActiveState') == 'inactive'
        client = 'import socket; print(socket.create_connection(("127.0.0.1", 4242), 300).recv(100).decode())'
        assert one.machine.run(['/usr/bin/python3', '-c', client], timeout=300).stdout.strip() == 'hello there'
        assert one.show('ActiveState') in ('active', 'activating')
        variables = one.inside(['cat', '/proc/1/environ']).stdout.split('\0')
        assert {'LISTEN_FDS=1', 'LISTEN_PID=1', f'LISTEN_FDNAMES={name}'} <= set(variables)
    finally:
        one.machine.run(['systemctl', 'stop', name])
        one.machine.remove(f'/run/systemd/system/{name}')
        one.machine.run(['systemctl', 'daemon-reload'])


def hostname(container):
    one = container('row', definition(keys='Hostname=given\n'))
    one.start()
    assert one.inside(['hostname']).stdout == 'given\n'
    install(one, '/etc/hostname', 'chosen\n')
    one.restart()
    assert one.inside(['hostname']).stdout == 'chosen\n'
    assert one.machine.run(['hostname']).stdout.strip() not in ('given', 'chosen')


def registered_again(container):
    one = container('row', definition())
    one.machine.run(['systemctl', 'start', 'systemd-machined.service'])
    one.start()
    registered(one)
    for number in range(1, 6):
        one.inside(['systemctl', 'reboot'], check=False)
        one.wait_for(lambda n=number: one.show('NRestarts') == str(n) and one.show('ActiveState') == 'active', 'a reboot')
        registered(one)
    one.stop()
    assert one.machine.run(['machinectl', 'show', one.name], check=False).returncode != 0


# -- the table --------------------------------------------------------------------------------------------

RUNNING = {
    (1, 'manager'): manager, (4, 'kernel interfaces'): kernel_interfaces, (5, 'masks'): masks, (6, 'devices'): devices,
    (7, 'sandboxes'): sandboxes, (8, 'cgroups'): cgroups, (9, 'propagation'): propagation, (15, 'os-release'): os_release,
    (16, 'inaccessible nodes'): inaccessible, (17, 'ids'): id_range, (20, 'logins'): login, (22, 'boot id'): boot_id,
    (23, 'limits'): limits, (24, 'keyring'): keyring, (26, 'nothing fails'): nothing_failed, (27, 'machined'): registered}
STARTS = {
    (2, 'uuid'): uuid, (3, 'machine id'): machine_id, (6, 'console'): console, (10, 'readiness'): ready, (11, 'stop'): stop,
    (12, 'reboot and power-off'): reboot, (13, 'credentials'): credentials, (14, 'sockets'): sockets,
    (18, 'host name'): hostname, (27, 'machined'): registered_again}
NOT_PROMISED = {
    (3, 'the guest\'s machine id on the host'), (10, 'other notifications'), (16, 'mount tunnel'), (16, 'exported sockets'),
    (16, 'bound users'), (17, 'names of ids'), (19, 'journal link'), (20, 'more terminals'), (21, 'network'),
    (22, 'kernel log'), (25, 'core dumps'), (28, 'nested containers')}


def identify(row):
    return f'C{row[0]}-{row[1].replace(" ", "-")}'


@pytest.mark.parametrize('row', STARTS, ids=identify)
def test_start(container, row):
    STARTS[row](container)


@pytest.fixture(scope='module', params=['debian13', 'debian12'])
def guest(request, local):
    """One that has booted, which the rows only look at."""
    one = Container(local, f'checklist-{request.param}', definition(request.param))
    local.run(['systemctl', 'start', 'systemd-machined.service'])
    try:
        one.start()
        assert one.wait_running() == 'running'
        yield one
    finally:
        one.remove()


@pytest.mark.parametrize('row', RUNNING, ids=identify)
def test_running(guest, row):
    RUNNING[row](guest)


def listed(section):
    """The items that a section of the page lists, and what it says about each."""
    text = PAGE.read_text(encoding='utf-8')
    body = re.search(rf'^\.Sh {section}\n(.*?)(?=^\.Sh )', text, re.M | re.S)[1]
    items = re.findall(r'^\.It Sy (.*)\n((?:(?!\.It |\.El).*\n)*)', body, re.M)
    assert len(items) == len(dict(items)), 'something is listed twice'
    return dict(items)


def test_page_lists_the_rows():
    promised, not_promised = listed('PROMISED'), listed('NOT PROMISED')
    assert set(promised) == {tag for _, tag in [*RUNNING, *STARTS]}
    assert set(not_promised) == {tag for _, tag in NOT_PROMISED}
    for tag, text in {**promised, **not_promised}.items():
        assert len(text.split()) >= 5, f'{tag} lacks words'


def test_table_is_complete():
    assert {number for number, _ in [*RUNNING, *STARTS, *NOT_PROMISED]} == set(range(1, LAST_ROW + 1))
