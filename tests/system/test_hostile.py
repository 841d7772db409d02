# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots that somebody prepared against the host: a start neither hangs nor writes outside of them."""

import pytest

import probe

CANARY = '/srv/scratch/canary'
# What a start of berth's may change on a machine is elsewhere: /run, /var/lib/berth, the journal.
WATCHED = f'/etc /boot /usr/libexec {CANARY}'
QUICK = 60            # systemd's own limit is 90 s


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return probe.compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture
def root(machine, tree, program):
    """A private copy of the busybox guest with the probe in it."""
    return probe.install(machine, program, tree('busybox'))


@pytest.fixture(autouse=True)
def untouched_host(machine):
    """Nothing on the host is another than before: neither files, nor nodes, nor the kernel's settings."""
    machine.run(f'mkdir -p {CANARY}/dir && echo alive >{CANARY}/file && chmod 600 {CANARY}/file')
    look = (f"find {WATCHED} -xdev ! -path '/etc/berth/*' ! -path /etc/berth/containers -printf '%p %y %s %m %U:%G %T@ %l\\n' "
            "2>/dev/null | sort; cat /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname; stat -c '%F %a %t:%T' /dev/null")
    before = machine.run(look).stdout
    assert len(before) > 1000 and CANARY in before
    yield
    assert machine.run(look).stdout == before
    machine.run(f'rm -r {CANARY}')


def definition(root, keys='', sections='', command='/probe report'):
    return f'[Container]\nCommand={command}\n{keys}[Root]\nPath={root}\n{sections}'


def refused(one, *words):
    """It does not start, soon, and says why."""
    assert one.start(check=False, timeout=QUICK).returncode not in (0, 124), one.journal()
    assert one.show('ExecMainStatus') == '125'
    for word in words:
        assert word in one.show('StatusText')


# -- databases that are no files --------------------------------------------------------------------------

ODD_FILES = {
    'a FIFO': 'mkfifo {path}', 'a device': 'ln -s /dev/zero {path}', 'a directory': 'mkdir {path}',
    'a socket': '/usr/bin/python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'{path}\')"',
    'a link to a FIFO': 'mkfifo {path}.fifo && ln -s passwd.fifo {path}',
    'a node': 'mknod {path} c 1 5', 'very large': 'truncate -s 5M {path}',
    'a link of /proc': 'ln -s /proc/self/fd/5 {path}', 'a circle': 'ln -s passwd {path}'}


@pytest.mark.parametrize('kind', ODD_FILES)
def test_passwd_that_is_no_file(container, machine, root, kind):
    machine.run(f'rm {root}/etc/passwd && ' + ODD_FILES[kind].format(path=f'{root}/etc/passwd'))
    refused(container('odd', definition(root, 'User=annie\n')), 'annie')


@pytest.mark.parametrize('kind', ['a FIFO', 'a device', 'a directory'])
def test_group_that_is_no_file(container, machine, root, kind):
    machine.run(f'rm {root}/etc/group && ' + ODD_FILES[kind].format(path=f'{root}/etc/group'))
    refused(container('odd', definition(root, 'Group=annies\n')), '/etc/group')


def test_link_to_the_hosts_users(container, machine, root):
    """An absolute link is one in the root; the host's file is never read."""
    machine.write(f'{root}/other', 'annie:x:1234:1234::/:/bin/sh\n')
    machine.run(f'rm {root}/etc/passwd && ln -s /../../other {root}/etc/passwd')
    assert probe.run(container('odd', definition(root, 'User=annie\n')))['uid'] == '1234'


# -- places that berth uses -------------------------------------------------------------------------------


def test_dev_prepared_by_the_image(container, machine, root):
    machine.run(f'cd {root}/dev && ln -s /proc/sys/kernel/core_pattern null && ln -s {CANARY}/file console && '
                f'ln -s {CANARY}/dir pts && ln -s {CANARY}/file ptmx && ln -s {CANARY}/dir shm && echo x >zero')
    one = container('odd', definition(root, 'Console=yes\n', command='/bin/sh -c "/probe report >/report; exec /probe wait"'))
    one.start()
    one.wait_for(lambda: 'probe=done' in one.inside(['cat', '/report'], check=False).stdout, 'a report')
    nodes = probe.Report(one.inside(['cat', '/report']).stdout).below('dev')
    assert nodes['/dev/null'] == 'c 0666 0:0 1:3' and nodes['/dev/zero'] == 'c 0666 0:0 1:5'
    assert nodes['/dev/console'].startswith('c 06') and nodes['/dev/shm'] == 'd 1777 0:0 0:0'


def test_run_host_prepared_by_the_image(container, machine, root):
    machine.run(f'mkdir -p {root}/run/host && ln -s {CANARY}/file {root}/run/host/container-manager && '
                f'ln -s {CANARY}/dir {root}/run/host/credentials && ln -s {CANARY}/dir {root}/run/host/inaccessible')
    report = probe.run(container('odd', definition(root)))
    assert report.below('runhost')['/run/host/container-manager'] == '- 0444 0:0 0:0'
    assert report.below('runhost')['/run/host/credentials'] == 'd 0700 0:0 0:0'


@pytest.mark.parametrize('target', [f'/run/{CANARY}', '/../../../../../..' + CANARY, CANARY])
def test_run_host_that_is_a_link(container, machine, root, target):
    machine.run(f'mkdir -p {root}/run && ln -s {target} {root}/run/host')
    assert '/run/host/container-manager' in probe.run(container('odd', definition(root))).below('runhost')


@pytest.mark.parametrize('place', ['dev', 'proc', 'sys', 'run'])
@pytest.mark.parametrize('overlay', ['yes', 'no'])
def test_place_that_is_a_link(container, machine, root, place, overlay):
    machine.run(f'rm -rf {root}/{place} && ln -s {CANARY}/dir {root}/{place} && mkdir -p {root}{CANARY}/dir')
    refused(container('odd', definition(root, sections=f'Overlay={overlay}\n')), f'/{place}', 'symbolic link')


def test_proc_prepared_by_the_image(container, machine, root):
    machine.run(f'mkdir -p {root}/proc/self/attr {root}/proc/sys/kernel && echo fake >{root}/proc/self/attr/current && '
                f'ln -s {CANARY}/file {root}/proc/kcore && ln -s {CANARY} {root}/proc/sys/net')
    assert any(' /proc rw' in line for line in probe.run(container('odd', definition(root))).all('mount'))


@pytest.mark.parametrize('target', ['/out', '/out/new/dir', '/up/dir', '/loop/x', '/out/file'])
def test_target_of_a_mount_through_links(container, machine, root, target):
    """The links lead where the container would see them lead: never out of its root."""
    machine.run(f'cd {root} && ln -s {CANARY} out && ln -s ../../../../../../..{CANARY} up && ln -s loop loop')
    machine.run(f'mkdir -p {root}{CANARY}/dir')
    one = container('odd', definition(root, sections=f'[Mount]\nType=tmpfs\nTarget={target}\nCreate=yes\n'))
    if one.start(check=False, timeout=QUICK).returncode != 0:
        assert target in one.show('StatusText') and one.show('ExecMainStatus') == '125'
    # untouched_host looks


@pytest.mark.parametrize('make', ['mkfifo {init}', 'mkdir {init}', 'echo garbage >{init} && chmod 755 {init}',
                                  'printf "#!/none\\n" >{init} && chmod 755 {init}', ': >{init}', 'ln -s /proc/1/exe {init}',
                                  'ln -s /proc/self/fd/5/bin/sh {init}', 'ln -s init {init}', 'mknod {init} c 1 5'])
def test_init_that_is_no_program(container, machine, root, make):
    machine.run(f'rm {root}/sbin/init && ' + make.format(init=f'{root}/sbin/init'))
    refused(container('odd', f'[Root]\nPath={root}\n'), '/sbin/init')


def test_working_directory_that_is_a_link(container, machine, root):
    machine.run(f'ln -s {CANARY} {root}/work && ln -s /proc/1/cwd {root}/magic && mkdir -p {root}{CANARY}')
    report = probe.run(container('odd', definition(root, 'WorkingDirectory=/work\n')))
    assert report['cwd'] == CANARY
    refused(container('magic', definition(root, 'WorkingDirectory=/magic\n')), '/magic')


def test_files_of_the_image_are_not_the_hosts(container, machine, root):
    """A set-user-id file of the host's root's, or a node in an image, is none inside."""
    machine.run(f'cp {root}/bin/busybox {root}/bin/suid && chmod 4755 {root}/bin/suid && mknod {root}/bin/disk b 7 0 && '
                f'mknod {root}/bin/mem c 1 1')
    report = probe.run(container('odd', definition(root, command='/probe open /bin/disk /bin/mem')))
    assert set(report.below('read').values()) | set(report.below('write').values()) <= {'EACCES', 'EPERM', 'ENXIO'}
