# SPDX-License-Identifier: LGPL-2.1-or-later
"""MaskPaths= and UnmaskPaths=, and what is hidden and read-only without them: told by opening it from inside."""

import pytest

import probe

REFUSED = ('EACCES', 'EPERM')
NO_IDS = '[Identity]\nUserNamespace=no\n'
ADMIN = '/proc/dynamic_debug/control /proc/kpagecount /proc/kpageflags /proc/mtrr /sys/firmware/acpi /sys/firmware/dmi'.split()


@pytest.fixture(scope='module')
def probe_tree(local, tmp_path_factory):
    path = probe.install(local, probe.compile_probe(tmp_path_factory.mktemp('probe')))
    yield path
    local.remove(path)


def opened(container, tree, security, paths, sections=''):
    """The report of a container that opens each of the paths."""
    return probe.run(container('masked', f'[Container]\nCommand=/probe open {" ".join(paths)} -- report\n[Root]\nPath={tree}\n'
                               f'Overlay=yes\n[Security]\n{security}\n{sections}'))


def options(report, path):
    """Of the topmost mount on a path."""
    return [line.split()[5].split(',') for line in report.all('mount') if line.split()[4] == path][-1]


def test_mask(container, machine, probe_tree):
    """Files and directories, in what is writable, read-only or another file system."""
    paths = ['/proc/interrupts', '/proc/sys/kernel/random/uuid', '/proc/sys/vm/swappiness', '/proc/irq/default_smp_affinity',
             '/sys/kernel/uevent_seqnum', '/sys/class/net/lo/mtu', '/sys/fs/cgroup/cgroup.procs', '/proc/sys/net/ipv4/ip_forward']
    masks = '/proc/interrupts /proc/sys/kernel/random /proc/sys/vm /proc/irq /sys/kernel /sys/devices /proc/sys/net ' \
            '/sys/fs/cgroup/cgroup.procs /proc/nothing/of/this /sys/nothing /proc/uptime/nothing'
    report = opened(container, probe_tree, f'MaskPaths={masks}', paths)
    for path in paths:
        assert report.below('read')[path] in REFUSED + ('ENOENT',), (path, report.below('read')[path])
        assert report.below('write')[path] in REFUSED + ('ENOENT', 'EROFS'), path
    assert report.below('read')['/proc/interrupts'] == 'EACCES'
    for path in ('/proc/irq', '/sys/kernel', '/proc/sys/net'):
        assert {'ro', 'nosuid', 'nodev', 'noexec'} <= set(options(report, path))
    one = opened(container, probe_tree, '', paths)
    assert {one.below('read')[path] for path in paths} == {'ok'}


@pytest.mark.parametrize('path', ['/proc/mounts', '/proc/net/dev', '/sys/class/net/lo/mtu'])
def test_a_link_is_not_followed(container, probe_tree, path):
    one = container('masked', f'[Container]\nCommand=/probe report\n[Root]\nPath={probe_tree}\nOverlay=yes\n[Security]\n'
                    f'MaskPaths={path}\n')
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith(f'failed to protect {path}: it is a symbolic link, or behind one; name what it leads to')


def test_unmask(container, probe_tree):
    paths = ['/proc/keys', '/proc/kallsyms', '/proc/sys/kernel/core_pattern', '/proc/sys/user/max_user_namespaces',
             '/proc/irq/default_smp_affinity', '/sys/class/net/lo/mtu', '/sys/kernel/uevent_seqnum']
    unmasked = '/proc/keys /proc/sys/user /proc/irq /sys/devices/virtual/net /proc/cpuinfo /proc/nothing'
    report = opened(container, probe_tree, f'UnmaskPaths={unmasked}', paths)
    read, write = report.below('read'), report.below('write')
    assert read['/proc/keys'] == 'ok' and read['/proc/kallsyms'] == 'EACCES'
    assert write['/proc/sys/user/max_user_namespaces'] == 'ok'
    # As the default is: read-only, and not the container's besides.
    assert write['/proc/sys/kernel/core_pattern'] in ('EROFS', 'EACCES') and 'ro' in options(report, '/proc/sys')
    # Not read-only any more, and still the host's: the kernel refuses.
    assert write['/proc/irq/default_smp_affinity'] == 'EACCES'
    assert 'ro' in options(report, '/sys')
    assert '/proc/irq' not in [line.split()[4] for line in report.all('mount')]
    assert 'rw' in options(report, '/proc/sys/user') and 'rw' in options(report, '/sys/devices/virtual/net')


@pytest.mark.parametrize('unmasked, expected', [('/sys', True), ('/sys/devices/virtual/net', True), ('/sys/kernel', False)])
def test_network_devices_can_be_set(container, probe_tree, unmasked, expected):
    """Those that were made when the container had its ids; its lo is older, and the kernel takes it for the host's root's."""
    one = container('masked', f'[Container]\nCommand=/probe wait\n[Root]\nPath={probe_tree}\nOverlay=yes\n[Security]\n'
                    f'UnmaskPaths={unmasked}\n')
    probe.run(one, 'waiting=yes')
    one.inside(['ip', 'link', 'add', 'name', 'probe0', 'type', 'bridge'])
    done = one.inside('echo 1400 >/sys/class/net/probe0/mtu', check=False)
    assert (done.returncode == 0) == expected, done
    assert one.inside(['cat', '/sys/class/net/probe0/mtu']).stdout.strip() == ('1400' if expected else '1500')


def test_unmask_all(container, machine, probe_tree):
    report = opened(container, probe_tree, 'UnmaskPaths=/proc /sys\nMaskPaths=/proc/sys/vm /proc/timer_list',
                    ['/sys/kernel/uevent_helper', '/proc/sys/vm/swappiness', '/proc/timer_list'])
    assert report.below('write')['/sys/kernel/uevent_helper'] in ('EACCES', 'ENOENT')
    assert report.below('read')['/proc/sys/vm/swappiness'] == 'EACCES'
    assert report.below('read')['/proc/timer_list'] in REFUSED + ('ENOENT',)
    mounted = {line.split()[4] for line in report.all('mount') if line.split()[4].startswith(('/proc', '/sys'))}
    assert mounted - {'/proc/timer_list'} == {'/proc', '/proc/sys/vm', '/proc/sys/kernel/random/boot_id', '/sys', '/sys/fs/cgroup'}
    assert 'rw' in options(report, '/sys')
    assert report['boot_id'] != machine.read('/proc/sys/kernel/random/boot_id').strip()


@pytest.mark.parametrize('sections', [NO_IDS, '[Namespaces]\nShare=net\n', NO_IDS + '[Namespaces]\nShare=net\n'],
                         ids=['no ids', 'no network', 'neither'])
def test_sys_is_not_writable(container, probe_tree, sections):
    """Without ids of its own the container would write to the host's, and without a network it has none to change."""
    security = 'MaskPaths=/sys/kernel\n' + ('UnmaskPaths=/sys' if NO_IDS in sections else '')
    report = opened(container, probe_tree, security, ['/sys/class/net/lo/mtu', '/sys/kernel/uevent_seqnum'], sections)
    assert {'ro', 'nosuid', 'nodev', 'noexec'} <= set(options(report, '/sys'))
    assert report.below('write')['/sys/class/net/lo/mtu'] in ('EROFS', 'EACCES')
    # Whosever sysfs it is, parts of it can be hidden.
    assert report.below('read')['/sys/kernel/uevent_seqnum'] in ('EACCES', 'ENOENT')


def test_what_root_of_the_host_may_not(container, machine, probe_tree):
    """Without ids of its own: the kernel would let it."""
    there = [path for path in ADMIN if machine.exists(path)]
    assert there
    report = opened(container, probe_tree, '', there, NO_IDS)
    for path in there:
        # Root passes over access rights: it sees what covers them, which is empty and stays so.
        assert report.below('write')[path] in ('EROFS', 'ENOENT') + REFUSED, path
        assert report.below('read')[path] in ('ok', 'ENOENT') + REFUSED, path
        assert path not in report.below('byte') or report['byte.' + path] in ('ok', 'EISDIR'), path
    hidden = {line.split()[4] for line in report.all('mount')}
    assert {'/' + '/'.join(path.split('/')[1:3]) for path in there} <= hidden
    shown = opened(container, probe_tree, 'UnmaskPaths=/sys/firmware /proc/mtrr', there, NO_IDS)
    hidden = {line.split()[4] for line in shown.all('mount')}
    assert not {'/sys/firmware', '/proc/mtrr'} & hidden and '/proc/kpageflags' in hidden
