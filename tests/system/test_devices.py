# SPDX-License-Identifier: LGPL-2.1-or-later
"""[Device]: nodes in the container's /dev, with the owner and mode that the definition says, and the unit's properties.
That the kernel refuses all others is in test_vm_devices.py: local machines have no device control.
"""

import itertools

import pytest

ROOT = '[Root]\nPath={tree}\nReadOnly=yes\n'
BUSYBOX = ROOT.format(tree='/srv/guests/busybox')
SLEEP = '[Container]\nCommand=/bin/sleep 100000\n'
NOT_TRUSTED = '/var/lib/berth/containers'
serial = itertools.count()


@pytest.fixture
def nodes(machine):
    """A directory of devices of the host's: null and zero by other names, a link, and what is no device."""
    path = f'/dev/berth-{next(serial)}'
    machine.run(f'mkdir {path} {path}/below && mknod -m 0640 {path}/one c 1 3 && mknod -m 0666 {path}/two c 1 5 && '
                f'mknod -m 0600 {path}/below/three c 1 3 && ln -s one {path}/link && touch {path}/file && '
                f'mknod -m 0660 {path}/disk b 7 0')
    yield path
    machine.remove(path)


def device(path, *lines):
    return '\n'.join(['[Device]', f'Path={path}', *lines, ''])


def stat(container, *paths, user=('--user', '--preserve-credentials')):
    return container.machine.run([
        'nsenter', '--target', str(container.main_pid()), '--mount', '--root', *user,
        '/bin/stat', '-c', '%n %F %t:%T %a %u:%g', *paths]).stdout.splitlines()


def allowed(container):
    """What of DeviceAllow= is for numbers."""
    lines = container.show('DeviceAllow').splitlines()
    return sorted(line for line in lines if line.startswith(('/dev/char', '/dev/block')))


def test_nodes(container, machine, nodes):
    """One of each kind; nobody has systemd load its units anew."""
    one = container('nodes', SLEEP + BUSYBOX + device('/dev/net/tun') + device('/dev/fuse', 'Mode=0620', 'Access=r') +
                    device(f'{nodes}/one', 'User=1000', 'Group=44') + device(f'{nodes}/disk', 'Mode=0400') +
                    device(f'{nodes}/link', 'Mode=0606') + device('/dev/berth-nothing', 'Optional=yes'))
    one.start()
    host = machine.run(['stat', '-c', '%a', '/dev/net/tun']).stdout.strip()
    assert stat(one, '/dev/net/tun', '/dev/fuse', f'{nodes}/one', f'{nodes}/link', f'{nodes}/disk') == [
        f'/dev/net/tun character special file a:c8 {host} 0:0',
        '/dev/fuse character special file a:e5 620 0:0',
        f'{nodes}/one character special file 1:3 640 1000:44',
        f'{nodes}/link character special file 1:3 606 0:0',
        f'{nodes}/disk block special file 7:0 400 0:0',
    ]
    assert stat(one, '/dev/net', nodes) == [f'{path} directory 0:0 755 0:0' for path in ('/dev/net', nodes)]
    assert one.inside(f'ls -A {nodes} /dev | sort').stdout.split().count('disk') == 1
    assert 'berth-nothing' not in one.inside('ls /dev').stdout
    # As a device, and not as a file that has its name; the host's own is as it was.
    assert one.inside(f'echo x >{nodes}/one; cat {nodes}/one').stdout == ''
    assert machine.run(['stat', '-c', '%a %u:%g', f'{nodes}/one']).stdout == '640 0:0\n'
    assert allowed(one) == ['/dev/block/7:0 rwm', '/dev/char/10:200 rwm', '/dev/char/10:229 rm', '/dev/char/1:3 rwm',
                            '/dev/char/1:3 rwm']
    machine.run(['systemctl', 'daemon-reload'])
    assert len(allowed(one)) == 5 and one.inside('stat /dev/net/tun').returncode == 0


def test_several(container, nodes):
    """Directories and patterns are looked at anew at each start, and a section for one of their nodes changes that."""
    one = container('several', SLEEP + BUSYBOX + device(nodes, 'Mode=0600') + device(f'{nodes}/t*', 'Group=100'))
    one.start()
    assert stat(one, f'{nodes}/one', f'{nodes}/two') == [
        f'{nodes}/one character special file 1:3 600 0:0', f'{nodes}/two character special file 1:5 666 0:100']
    assert one.inside(f'ls {nodes}').stdout.split() == ['disk', 'one', 'two']
    one.machine.run(['mknod', f'{nodes}/twelve', 'c', '1', '7'])
    one.restart()
    assert one.inside(f'ls {nodes}').stdout.split() == ['disk', 'one', 'twelve', 'two']
    assert '/dev/char/1:7 rwm' in allowed(one)
    one.define(SLEEP + BUSYBOX)
    one.restart()
    assert allowed(one) == [] and one.inside(f'ls {nodes}', check=False).returncode != 0


def test_started_together(container, machine):
    """Starts that find systemd's view of their units out of date at the same moment have it renewed once for all."""
    def reloads():
        machine.run(['journalctl', '--sync'])
        return machine.run('journalctl -b --output=cat _PID=1 | grep -c "^Reloading\\."', check=False).stdout
    before = int(reloads())
    several = [container(f'together-{i}', SLEEP + BUSYBOX + device('/dev/fuse')) for i in range(5)]
    machine.run(['systemctl', 'start', *(one.unit for one in several)])
    assert [allowed(one) for one in several] == [['/dev/char/10:229 rwm']] * 5
    assert int(reloads()) == before + 1


def test_owners_by_name(container, machine, tree, nodes):
    """Names are the guest's, not the host's; what only the guest's root could do is done as the guest's root."""
    guest = tree('busybox')
    machine.run(f"echo 'cam:x:700:1::/:/bin/sh' >>{guest}/etc/passwd; echo 'video:x:701:' >>{guest}/etc/group; "
                f"echo 'far:x:70000:' >>{guest}/etc/group")
    text = SLEEP + ROOT.format(tree=guest)
    named = device(f'{nodes}/one', 'User=cam', 'Group=video') + device(f'{nodes}/two', 'Group=video')
    one = container('named', text + named)
    one.start()
    assert stat(one, f'{nodes}/one', f'{nodes}/two') == [
        f'{nodes}/one character special file 1:3 640 700:701', f'{nodes}/two character special file 1:5 666 0:701']

    # Without an id 0 inside, and without a user namespace.
    one.define(text + named + '[Identity]\nIDMap=700:auto:10\n[Container]\nUser=700\nGroup=701\n')
    one.restart()
    assert [line.split()[-1] for line in stat(one, f'{nodes}/one', f'{nodes}/two')] == ['700:701', '700:701']
    one.define(text + named + '[Identity]\nUserNamespace=no\n')
    one.restart()
    assert [line.split()[-1] for line in stat(one, f'{nodes}/one', f'{nodes}/two', user=())] == ['700:701', '0:701']
    one.stop()

    for lines, cause in (
            ('User=nobody-here', 'the root\'s /etc/passwd has no user nobody-here'),
            ('Group=nobody-here', 'the root\'s /etc/group has no group nobody-here'),
            ('Group=far', 'its owner is none of the container\'s ids'),
            (f'Group=video\n[Mount]\nType=tmpfs\nTarget={nodes}', 'a [Mount] lies over it')):
        one.define(text + device(f'{nodes}/one', lines))
        assert one.start(check=False).returncode != 0
        assert one.show('StatusText') == f'Cannot start container named: failed to set up {nodes}/one: {cause}'

    # A list of users that is none.
    machine.run(f'rm {guest}/etc/group && mkfifo {guest}/etc/group')
    one.define(text + device(f'{nodes}/one', 'Group=video'))
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith('one: the root\'s /etc/group: Structure needs cleaning')


def test_refused(container, machine, nodes):
    one = container('refused')
    for path, cause in (
            ('/dev/berth-nothing', 'the host has no such device; load its driver, or set Optional=yes to start without'),
            (f'{nodes}/x*', 'no device is there on the host; load its driver, or set Optional=yes to start without'),
            (f'{nodes}/file', 'it is neither a device node nor a directory')):
        one.define(SLEEP + BUSYBOX + device(path))
        assert one.start(check=False).returncode != 0
        assert one.show('StatusText') == \
            f'Cannot start container refused: failed to find the device {path} ({one.path}:6): {cause}'
    one.define(SLEEP + BUSYBOX + device(f'{nodes}/x*', 'Optional=yes'))
    one.start()
    one.stop()
    shown = machine.run(['berthctl', 'cat', 'refused']).stdout
    assert f'\n[Device]\n# {one.path}:7\nPath={nodes}/x*\n# {one.path}:8\nOptional=yes\n' in shown

    # Nobody but root, whatever the device.
    path = f'{NOT_TRUSTED}/foreign.container'
    machine.write(path, f'[Container]\nCommand=/bin/true\n[Root]\nManaged=yes\n{device("/dev/fuse")}')
    try:
        done = machine.run(['berthctl', 'verify', 'foreign'], check=False)
        assert done.returncode != 0 and ':6: Path=: may be set only in a definition that root alone' in done.stderr
        machine.run(['systemctl', 'daemon-reload'])
        assert '10:229' not in machine.run(['systemctl', 'show', '--property=DeviceAllow', 'container@foreign']).stdout
    finally:
        machine.remove(path)
        machine.run(['systemctl', 'daemon-reload'])
