# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a container's process 1 is given, and what it can see: all of it, and nothing more, told by the probe."""

import json
import re

import pytest

import probe

NAMESPACES = ('cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts')

# include/uapi/linux/capability.h
CAPABILITIES = {
    'chown': 0, 'dac_override': 1, 'dac_read_search': 2, 'fowner': 3, 'fsetid': 4, 'kill': 5, 'setgid': 6, 'setuid': 7,
    'setpcap': 8, 'linux_immutable': 9, 'net_bind_service': 10, 'net_broadcast': 11, 'net_admin': 12, 'net_raw': 13,
    'ipc_owner': 15, 'sys_chroot': 18, 'sys_ptrace': 19, 'sys_admin': 21, 'sys_boot': 22, 'sys_nice': 23,
    'sys_resource': 24, 'sys_tty_config': 26, 'mknod': 27, 'lease': 28, 'setfcap': 31}

DEVICES = {
    '/dev': 'd 0755 0:0 0:0', '/dev/null': 'c 0666 0:0 1:3', '/dev/zero': 'c 0666 0:0 1:5', '/dev/full': 'c 0666 0:0 1:7',
    '/dev/random': 'c 0666 0:0 1:8', '/dev/urandom': 'c 0666 0:0 1:9', '/dev/tty': 'c 0666 0:0 5:0',
    '/dev/ptmx': 'l 0777 0:0 0:0', '/dev/fd': 'l 0777 0:0 0:0', '/dev/stdin': 'l 0777 0:0 0:0',
    '/dev/stdout': 'l 0777 0:0 0:0', '/dev/stderr': 'l 0777 0:0 0:0', '/dev/core': 'l 0777 0:0 0:0',
    '/dev/pts': 'd 0755 0:0 0:0', '/dev/pts/ptmx': 'c 0666 0:0 5:2', '/dev/shm': 'd 1777 0:0 0:0',
    '/dev/mqueue': 'd 1777 0:0 0:0'}

RUN_HOST = {
    '/run/host': 'd 0755 0:0 0:0', '/run/host/container-manager': '- 0444 0:0 0:0',
    '/run/host/container-uuid': '- 0444 0:0 0:0', '/run/host/os-release': '- 0444 0:0 0:0',
    '/run/host/credentials': 'd 0700 0:0 0:0', '/run/host/inaccessible': 'd 0755 0:0 0:0',
    '/run/host/inaccessible/reg': '- 0000 0:0 0:0', '/run/host/inaccessible/dir': 'd 0000 0:0 0:0',
    '/run/host/inaccessible/fifo': 'p 0000 0:0 0:0', '/run/host/inaccessible/sock': 's 0000 0:0 0:0',
    '/run/host/inaccessible/chr': 'c 0000 0:0 0:0', '/run/host/inaccessible/blk': 'b 0000 0:0 0:0'}

# Where something is mounted, and its flags; the masks of /proc depend on what the kernel has.
MOUNTS = {
    '/dev': {'rw', 'nosuid', 'relatime'}, '/dev/pts': {'rw', 'nosuid', 'noexec', 'relatime'},
    '/dev/shm': {'rw', 'nosuid', 'nodev', 'relatime'}, '/dev/mqueue': {'rw', 'nosuid', 'nodev', 'noexec', 'relatime'},
    '/run': {'rw', 'nosuid', 'nodev', 'relatime'}, '/run/host': {'ro', 'nosuid', 'nodev', 'noexec', 'relatime'},
    '/proc': {'rw', 'nosuid', 'nodev', 'noexec', 'relatime'}, '/proc/sys': {'ro', 'nosuid', 'nodev', 'noexec', 'relatime'},
    '/proc/sys/net': {'rw', 'nosuid', 'nodev', 'noexec', 'relatime'},
    '/proc/sys/kernel/random/boot_id': {'rw', 'nosuid', 'nodev', 'noexec', 'relatime'},
    '/sys': {'ro', 'nosuid', 'nodev', 'noexec', 'relatime'}, '/sys/fs/cgroup': {'rw', 'nosuid', 'nodev', 'noexec', 'relatime'}}
HIDDEN = ('kallsyms', 'kcore', 'keys', 'sysrq-trigger', 'timer_list')
READ_ONLY = ('acpi', 'apm', 'asound', 'bus', 'fs', 'irq', 'scsi')

UNREADABLE = [f'/proc/{name}' for name in HIDDEN]
UNWRITABLE = ['/proc/sys/kernel/core_pattern', '/proc/sys/kernel/hostname', '/proc/sys/vm/swappiness',
              '/proc/sys/kernel/random/boot_id', '/proc/sys/user/max_user_namespaces', '/proc/irq/default_smp_affinity',
              '/sys/kernel/uevent_helper', '/sys/power/state', '/sys/class/net/lo/mtu', '/run/host/container-manager',
              '/sys/fs/cgroup/cgroup.freeze', '/sys/fs/cgroup/cgroup.kill', '/proc/kmsg', '/proc/mtrr', '/proc/slabinfo']
WRITABLE = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom', '/proc/sys/net/ipv4/ip_forward',
            '/sys/fs/cgroup/cgroup.procs', '/sys/fs/cgroup/cgroup.subtree_control', '/dev/ptmx']

COMMAND = '/probe report -- open ' + ' '.join(UNREADABLE + UNWRITABLE + WRITABLE) + ' -- attempts wait'
DEFINITION = f'[Container]\nCommand={COMMAND}\n[Root]\n'
SYSTEMD_SECRETS = ('INVOCATION_ID', 'JOURNAL_STREAM', 'SYSTEMD_EXEC_PID', 'NOTIFY_SOCKET', 'MEMORY_PRESSURE_WATCH', 'LANG',
                   'LISTEN_FDS', 'CREDENTIALS_DIRECTORY', 'FDSTORE')


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return probe.compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture(scope='module')
def probe_tree(local, program):
    path = probe.install(local, program)
    local.write(f'{path}/etc/passwd', 'root::0:0:root:/root:/bin/sh\nannie:x:1000:1001:Annie:/home/annie:/bin/sh\n')
    local.write(f'{path}/etc/group', 'root:x:0:\ntty:x:5:\nannies:x:1001:\naudio:x:29:annie,root\nvideo:x:44:\n')
    local.run(f'mkdir -p {path}/home/annie && chown 1000:1001 {path}/home/annie')
    yield path
    local.remove(path)


@pytest.fixture(scope='module')
def seen(local, probe_tree):
    """The report of one running container, which the tests of this file only read; with what the host sees of it."""
    from container import Container
    one = Container(local, 'seen', f'{DEFINITION}Path={probe_tree}\nOverlay=yes\n')
    try:
        report = probe.run(one, 'waiting=yes')
        report.container = one
        report.pid = one.main_pid()
        report.host = probe.run_on_host(local, probe_tree, 'report')
        yield report
    finally:
        one.remove()


def report_of(container, probe_tree, keys='', sections='', name='isolated'):
    """Of a container with more keys in [Container], and more sections."""
    definition = f'[Container]\nCommand=/probe report\n{keys}[Root]\nPath={probe_tree}\nOverlay=yes\n{sections}'
    return probe.run(container(name, definition))


# -- what is given to process 1 ---------------------------------------------------------------------------


def test_namespaces_are_its_own(seen):
    for kind in NAMESPACES:
        assert seen[f'ns.{kind}'] != seen.host[f'ns.{kind}'], kind
    assert seen['ns.time'] == seen.host['ns.time']


@pytest.mark.parametrize('kind', ['uts', 'ipc', 'net', 'cgroup'])
def test_share_is_the_hosts(container, machine, probe_tree, kind):
    report = report_of(container, probe_tree, sections=f'[Namespaces]\nShare={kind}\n')
    # Commands in the machine have the namespaces of its PID 1.
    host = probe.run_on_host(machine, probe_tree, 'report')
    assert report[f'ns.{kind}'] == host[f'ns.{kind}']
    for other in set(NAMESPACES) - {kind}:
        assert report[f'ns.{other}'] != host[f'ns.{other}'], other


def test_private_time(container, probe_tree, machine):
    report = report_of(container, probe_tree, sections='[Namespaces]\nPrivate=time\n')
    assert report['ns.time'] != machine.run(['readlink', '/proc/1/ns/time']).stdout.strip()


def test_descriptors(seen):
    assert seen.below('fd').keys() == {'0', '1', '2'}
    assert seen['fd.0'] == '/dev/null'
    assert seen['fd.1'].startswith('socket:') and seen['fd.1'] == seen['fd.2']


def test_environment(seen, machine):
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', machine.read('/etc/os-release'), re.M))
    expected = {'container': 'berth', 'container_host_id': release['ID'], 'HOME': '/root', 'USER': 'root', 'LOGNAME': 'root',
                'SHELL': '/bin/sh', 'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'}
    for key, variable in (('VERSION_ID', 'version_id'), ('BUILD_ID', 'build_id'), ('VARIANT_ID', 'variant_id')):
        if key in release:
            expected[f'container_host_{variable}'] = release[key]
    environment = dict(e.split('=', 1) for e in seen.all('env'))
    assert re.fullmatch('[0-9a-f]{32}', environment.pop('container_uuid'))
    assert environment == expected


def test_environment_of_the_definition(container, probe_tree):
    report = report_of(container, probe_tree, 'Environment=ONE=1 "TWO=two words" PATH=/bin\nEnvironment=HOME=/elsewhere\n')
    environment = dict(e.split('=', 1) for e in report.all('env'))
    assert environment['ONE'] == '1' and environment['TWO'] == 'two words'
    assert environment['PATH'] == '/bin' and environment['HOME'] == '/elsewhere'
    assert len(report.all('env')) == len(environment)
    assert not set(SYSTEMD_SECRETS) & set(environment)


def test_limits_are_those_of_a_kernel_for_process_1(seen):
    limits = {int(k): v for k, v in seen.below('rlimit').items()}
    infinite = '-1:-1'
    # RLIMIT_* of asm-generic/resource.h and include/asm-generic/resource.h's INIT_RLIMITS
    assert limits == {0: infinite, 1: infinite, 2: infinite, 3: '8388608:-1', 4: '0:-1', 5: infinite, 6: limits[6],
                      7: '1024:4096', 8: '8388608:8388608', 9: infinite, 10: infinite, 11: limits[11], 12: '819200:819200',
                      13: '0:0', 14: '0:0', 15: infinite}
    host = seen.container.machine.run(['grep', '-E', '^Max (processes|pending)', '/proc/1/limits']).stdout.splitlines()
    assert [limits[6], limits[11]] == [':'.join(re.findall(r' (\d+)', line)) for line in host]


def test_limits_of_the_definition(container, probe_tree):
    report = report_of(container, probe_tree,
                       sections='[Resources]\nLimitNOFILE=100:200\nLimitCORE=infinity\nLimitSTACK=1M\nLimitFSIZE=5G\n')
    assert report['rlimit.7'] == '100:200' and report['rlimit.3'] == '1048576:1048576'
    assert report['rlimit.1'] == f'{5 << 30}:{5 << 30}' and report['rlimit.4'] == '-1:-1'


def test_process_attributes(seen):
    assert (seen['umask'], seen['cwd'], seen['root']) == ('0022', '/', '/')
    assert (seen['pid'], seen['ppid'], seen['sid'], seen['pgid']) == ('1', '0', '1', '1')
    assert (seen['uid'], seen['euid'], seen['gid'], seen['egid'], seen['groups']) == ('0', '0', '0', '0', '')
    for name in ('SigBlk', 'SigIgn', 'SigCgt', 'SigPnd', 'ShdPnd'):
        assert int(seen.status(name), 16) == 0, name
    assert seen['personality'] == '0' and seen['oom_score_adj'] == '0'
    assert seen.status('Seccomp') == '2' and seen.status('TracerPid') == '0' and seen.status('NoNewPrivs') == '0'


def test_capabilities(seen):
    expected = sum(1 << number for number in CAPABILITIES.values())
    for name in ('CapBnd', 'CapPrm', 'CapEff'):
        assert int(seen.status(name), 16) == expected, name
    assert int(seen.status('CapInh'), 16) == 0 and int(seen.status('CapAmb'), 16) == 0


def test_net_admin_goes_with_the_network(container, probe_tree):
    report = report_of(container, probe_tree, sections='[Namespaces]\nShare=net\n')
    assert int(report.status('CapBnd'), 16) == sum(1 << n for name, n in CAPABILITIES.items() if name != 'net_admin')


def test_session_keyring(seen):
    assert int(seen['keyring']) > 0 and seen['keyring.add'] == 'ok'
    assert seen['keyring'] != seen.host['keyring']
    kind, uid, gid, _, description = seen['keyring.description'].split(';')
    assert (kind, uid, gid, description) == ('keyring', '0', '0', '_ses')


def test_keyrings_of_two_containers_differ(seen, container, probe_tree):
    assert report_of(container, probe_tree)['keyring'] != seen['keyring']


# -- what can be seen and done ----------------------------------------------------------------------------


def test_devices(seen):
    assert seen.below('dev') == DEVICES


def test_console(container, probe_tree):
    one = container('console', f'[Container]\nCommand=/bin/sh -c "/probe report >/report; exec /probe wait"\nConsole=yes\n'
                    f'[Root]\nPath={probe_tree}\nOverlay=yes\n')
    one.start()
    one.wait_for(lambda: 'probe=done' in one.inside(['cat', '/report']).stdout, 'a report')
    report = probe.Report(one.inside(['cat', '/report']).stdout)
    nodes = report.below('dev')
    assert nodes['/dev/console'] == nodes['/dev/pts/0'] == 'c 0620 0:5 136:0'
    assert {path: node for path, node in nodes.items() if path not in ('/dev/console', '/dev/pts/0')} == DEVICES
    assert report['fd.0'] == report['fd.2'] == '/dev/console'
    assert 'TERM=vt220' in report.all('env')


def test_run_host(seen, machine):
    assert seen.below('runhost') == RUN_HOST
    inside = seen.container.inside
    assert inside(['cat', '/run/host/container-manager']).stdout == 'berth\n'
    uuid = inside(['cat', '/run/host/container-uuid']).stdout
    assert re.fullmatch(r'[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n', uuid)
    assert f'container_uuid={uuid.strip().replace("-", "")}' in seen.all('env')
    assert inside(['cat', '/run/host/os-release']).stdout == machine.read('/etc/os-release')


def test_mounts(seen):
    mounts = {}
    for line in seen.all('mount'):
        fields = line.split()
        at = fields.index('-')
        assert any(f.startswith('shared:') for f in fields[6:at]), line
        assert fields[4] not in mounts, 'mounted twice: ' + line
        mounts[fields[4]] = set(fields[5].split(',')) - {'idmapped'}
    hidden = {f'/proc/{name}' for name in HIDDEN} & mounts.keys()
    read_only = {f'/proc/{name}' for name in READ_ONLY} & mounts.keys()
    assert mounts.keys() == {'/'} | MOUNTS.keys() | hidden | read_only
    assert {path: mounts[path] for path in MOUNTS} == MOUNTS
    assert {'/proc/kallsyms', '/proc/keys', '/proc/timer_list'} <= hidden | {f'/proc/{n}' for n in HIDDEN if not exists(seen, n)}
    assert all({'ro', 'nosuid', 'nodev', 'noexec'} <= mounts[path] for path in read_only)


def exists(seen, name):
    return seen.container.machine.exists(f'/proc/{name}')


def test_paths_that_cannot_be_read(seen):
    results = seen.below('read')
    for path in UNREADABLE:
        assert results[path] in ('EACCES', 'ENOENT'), (path, results[path])
    # Its own boot id is one of the things to read, and not the host's.
    assert seen['boot_id'] != seen.host['boot_id']
    assert results['/proc/kmsg'] in ('EPERM', 'EACCES') and results['/proc/sys/kernel/random/boot_id'] == 'ok'


def test_paths_that_cannot_be_written(seen):
    results = seen.below('write')
    for path in UNREADABLE + UNWRITABLE:
        assert results[path] in ('EACCES', 'EPERM', 'EROFS', 'ENOENT', 'EIO'), (path, results[path])
    for path in WRITABLE:
        assert results[path] == 'ok', (path, results[path])


def test_attempts(seen):
    refused = {k: v for k, v in seen.below('try').items() if v != 'ok'}
    assert set(seen.below('try')) - set(refused) <= {'mknod-fifo', 'audit', 'sethostname', 'symlink-root'}
    assert {k: refused[k] for k in ('mknod-null', 'mknod-mem', 'mknod-sda', 'settime', 'syslog', 'swapoff')} == dict.fromkeys(
        ('mknod-null', 'mknod-mem', 'mknod-sda', 'settime', 'syslog', 'swapoff'), 'EPERM')


def test_only_its_own_cgroup(seen):
    machine = seen.container.machine
    assert '0::/' in seen.all('cgroup')
    delegated = set(machine.read('/sys/kernel/cgroup/delegate').split())
    payload = '/sys/fs/cgroup' + seen.container.show('ControlGroup') + '/payload'
    base = int(seen['uid_map'].split()[1])
    listed = machine.run(['find', payload, '-maxdepth', '1', '-printf', '%f %U %G %m\\n']).stdout.splitlines()
    owned = {line.split()[0] for line in listed if line.split()[1] == str(base)}
    assert owned == {'payload'} | (delegated & {line.split()[0] for line in listed})
    # What the host has is neither seen nor reachable.
    inside = seen.container.inside
    assert inside('ls /sys/fs/cgroup | grep -c "slice$\\|container"', check=False).stdout.strip() == '0'
    above = inside('mkdir /tmp/cg && mount -t cgroup2 c /tmp/cg && ls -d /tmp/cg/*.slice /tmp/cg/../*.slice', check=False)
    assert '.slice' not in above.stdout
    inside('umount /tmp/cg 2>/dev/null; rmdir /tmp/cg', check=False)


def test_nothing_of_the_launcher_is_reachable(seen):
    assert seen['exe'] == '/probe'
    everything = ' '.join(seen.all('mount')) + ' '.join(seen.below('fd').values()) + seen['exe']
    assert '/libexec/' not in everything and 'memfd' not in everything
    processes = seen.container.inside(['ls', '/proc']).stdout.split()
    assert [p for p in processes if p.isdigit() and p != '1' and not is_ours(seen, p)] == []


def is_ours(seen, pid):
    """The ls of the test itself, which is gone by now."""
    return not seen.container.inside(['/bin/sh', '-c', f'[ -e /proc/{pid}/exe ]'], check=False).returncode == 0


def test_network(seen):
    assert [line.split(':')[0].strip() for line in seen.all('net') if ':' in line] == ['lo']
    assert 'UP' in seen.container.inside(['ifconfig', 'lo']).stdout


def test_ids(seen):
    inside, outside, count = map(int, seen['uid_map'].split())
    assert (inside, count) == (0, 65536) and outside % 65536 == 0 and 524288 <= outside <= 1879048191
    assert seen['setgroups'] == 'allow'


# -- names ------------------------------------------------------------------------------------------------


def test_hostname(seen, container, probe_tree):
    assert seen['nodename'] == 'seen'
    assert report_of(container, probe_tree, 'Hostname=other.example\n')['nodename'] == 'other.example'
    assert seen.container.machine.run(['hostname']).stdout.strip() not in ('seen', 'other.example', 'probe-renamed')


def test_uuid_is_stable_and_of_the_name(container, probe_tree):
    def uuid(name, keys=''):
        report = report_of(container, probe_tree, keys, name=name)
        return [e.split('=')[1] for e in report.all('env') if e.startswith('container_uuid=')]
    first = uuid('first')
    assert uuid('first') == first
    assert uuid('second') != first
    assert uuid('first', 'MachineID=0123456789abcdef0123456789abcdef\n') == ['0123456789abcdef0123456789abcdef']


def test_boot_id_is_of_the_start(container, probe_tree):
    assert report_of(container, probe_tree)['boot_id'] != report_of(container, probe_tree)['boot_id']


# -- keys of [Container] ----------------------------------------------------------------------------------

IDENTITIES = {
    'User=annie': ('1000', '1001', '29', '/home/annie'),
    'User=1000': ('1000', '1001', '29', '/home/annie'),
    'User=annie\nGroup=video': ('1000', '44', '29', '/home/annie'),
    'User=annie\nGroup=44': ('1000', '44', '29', '/home/annie'),
    'User=4000': ('4000', '4000', '', '/'),
    'User=4000\nGroup=video': ('4000', '44', '', '/'),
    'Group=video': ('0', '44', '', '/root'),
    'User=annie\nGroups=video 77': ('1000', '1001', '29 44 77', '/home/annie'),
}


@pytest.mark.parametrize('keys', IDENTITIES, ids=lambda k: k.replace('\n', ','))
def test_user(container, probe_tree, keys):
    uid, gid, groups, home = IDENTITIES[keys]
    report = report_of(container, probe_tree, keys + '\n')
    assert (report['uid'], report['euid'], report['gid'], report['egid']) == (uid, uid, gid, gid)
    assert sorted(map(int, report['groups'].split())) == sorted(map(int, groups.split()))
    assert f'HOME={home}' in report.all('env')
    if uid != '0':
        for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
            assert int(report.status(name), 16) == 0, name


@pytest.mark.parametrize('keys, words', [
    ('User=nobody-here', 'nobody-here'), ('Group=nogroup-here', 'nogroup-here'), ('User=70000', '70000'),
    ('Groups=nogroup-here', 'nogroup-here')])
def test_unknown_user(container, probe_tree, keys, words):
    one = container('who', f'[Container]\nCommand=/probe report\n{keys}\n[Root]\nPath={probe_tree}\nOverlay=yes\n')
    assert one.start(check=False).returncode != 0
    assert words in one.show('StatusText') and one.show('ExecMainStatus') == '125'


def test_working_directory(container, probe_tree):
    assert report_of(container, probe_tree, 'WorkingDirectory=/home/annie\nUser=annie\n')['cwd'] == '/home/annie'
    one = container('elsewhere', f'[Container]\nCommand=/probe report\nWorkingDirectory=/none\n[Root]\nPath={probe_tree}\n'
                    'Overlay=yes\n')
    assert one.start(check=False).returncode != 0
    assert '/none' in one.show('StatusText')


def test_working_directory_through_a_descriptor(container, probe_tree):
    """CVE-2024-21626: the launcher's descriptors are no way out of the root."""
    for number in range(3, 24):
        path = f'/proc/self/fd/{number}'
        one = container(f'through-{number}', f'[Container]\nCommand=/probe report\nWorkingDirectory={path}\n[Root]\n'
                        f'Path={probe_tree}\nOverlay=yes\n')
        assert one.start(check=False).returncode != 0, one.journal()
        assert path in one.show('StatusText')


@pytest.mark.parametrize('command', [
    '/proc/self/exe report', '/proc/1/exe report', '/link-to-exe report', '/link-to-root/bin/busybox',
    *(f'/proc/self/fd/{n}/bin/sh' for n in (3, 5, 8, 10))])
def test_command_through_a_link_of_proc(container, machine, tree, program, command):
    """CVE-2019-5736: the launcher's own file, and what it has open, are no programs of the container."""
    path = probe.install(machine, program, tree('busybox'))
    machine.run(f'ln -s /proc/self/exe {path}/link-to-exe; ln -s /proc/self/root {path}/link-to-root')
    one = container('through', f'[Container]\nCommand={command}\n[Root]\nPath={path}\n')
    assert one.start(check=False).returncode != 0, one.journal()
    assert command.split()[0] in one.show('StatusText')


def test_interpreter_through_a_link_of_proc(container, machine, tree):
    """A script may name the launcher's file as its interpreter; the file on the host stays as it is."""
    digest = 'sha256sum $(sed -n "s/^ExecStart=\\([^ ]*\\).*/\\1/p" /lib/systemd/system/container@.service)'
    before = machine.run(digest).stdout
    path = tree('busybox')
    machine.write(f'{path}/script', '#!/proc/self/exe\n', 0o755)
    one = container('script', f'[Container]\nCommand=/script\n[Root]\nPath={path}\n')
    one.start(check=False)
    one.wait_for(lambda: one.show('ActiveState') in ('inactive', 'failed'), 'its end')
    assert 'berth-helper' in before and machine.run(digest).stdout == before


def test_architecture(container, probe_tree):
    report = report_of(container, probe_tree, 'Architecture=x86\n')
    assert (report['machine'], report['personality']) == ('i686', '0x8')


def test_sysctl(container, probe_tree, machine):
    names = ['net/ipv4/ip_forward', 'kernel/shmmni', 'net/ipv4/conf/lo/forwarding']
    before = [machine.read(f'/proc/sys/{name}') for name in names]
    one = container('tuned', f'[Container]\nCommand=/probe wait\n[Root]\nPath={probe_tree}\nOverlay=yes\n'
                    '[Resources]\nSysctl=net.ipv4.ip_forward=1 kernel.shmmni=77\nSysctl=net.ipv4.conf.lo.forwarding=0\n')
    probe.run(one, 'waiting=yes')
    assert [one.inside(['cat', f'/proc/sys/{name}']).stdout for name in names] == ['1\n', '77\n', '0\n']
    assert [machine.read(f'/proc/sys/{name}') for name in names] == before


def test_definition_survives_as_json(seen):
    """What the report holds is all text: nothing in it can have been cut by a control character."""
    assert json.loads(json.dumps(seen.pairs)) and 'waiting' in seen
