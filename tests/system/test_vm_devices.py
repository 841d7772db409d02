# SPDX-License-Identifier: LGPL-2.1-or-later
"""[Device] where the kernel controls devices: what a definition names can be used, as far as it says, and nothing else,
whoever made the node; also when systemd has loaded its units again."""

import pytest

DEFINITION = '[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\n[Container]\nEphemeral=yes\n'
TUN = '[Device]\nPath=/dev/net/tun\n'
FUSE = '[Device]\nPath=/dev/fuse\nAccess=r\n'
# What device control sees is the cgroup that somebody is in.
ENTER = 'echo $$ >/sys/fs/cgroup/machine.slice/{unit}/payload/cgroup.procs && ' \
    'exec nsenter --target {pid} --mount --pid --root {more} /bin/sh -c "$0"'


@pytest.fixture
def machine(vm):
    vm.run(['modprobe', '-a', 'tun', 'fuse'])
    return vm


def opens(container, *tries, user=True):
    """How opening "r", "w" or "rw" PATH ends inside, for each, as the guest's root: yes or no."""
    signs = {'r': '<', 'w': '>', 'rw': '<>'}
    script = '\n'.join(f'[ -c {path} ] && (exec 3{signs[how]}{path}) 2>/dev/null && echo yes || echo no'
                       for how, path in (one.split() for one in tries))
    join = ENTER.format(unit=container.unit, pid=container.main_pid(), more='--user' if user else '')
    return container.machine.run(['sh', '-c', join, script]).stdout.split()


def made(container, *numbers):
    """Which of these character devices somebody without user namespace can make a node of."""
    done = container.machine.run(['sh', '-c', ENTER.format(unit=container.unit, pid=container.main_pid(), more=''),
                                  f'for n in {" ".join(numbers)}; do mknod /dev/x$n c ${{n%:*}} ${{n#*:}} 2>/dev/null '
                                  '&& echo $n; done; true'])
    return done.stdout.split()


def test_what_can_be_used(container, machine):
    tries = ('rw /dev/net/tun', 'r /dev/fuse', 'w /dev/fuse', 'rw /dev/null')
    one, other = container('with', DEFINITION + TUN + FUSE), container('without', DEFINITION)
    as_host = container('as-host', DEFINITION + FUSE + '[Identity]\nUserNamespace=no\n')
    # Nobody has systemd load its units anew: the first start sees to it, and the others to what that brought.
    machine.run(['systemctl', 'start', one.unit, other.unit, as_host.unit], timeout=300)
    assert opens(one, *tries) == ['yes', 'yes', 'no', 'yes']
    assert opens(other, *tries) == ['no', 'no', 'no', 'yes']

    # A container without user namespace can make nodes of what it has, and do no more with them.
    assert made(as_host, '10:229', '10:200', '7:0') == ['10:229']
    assert opens(as_host, 'r /dev/x10:229', 'w /dev/x10:229', user=False) == ['yes', 'no']

    # The administrator takes away what the definition names, and gives it back.
    dropin = f'/run/systemd/system/{one.unit}.d'
    machine.write(f'{dropin}/60-none.conf', '[Service]\nDeviceAllow=\n')
    one.define(DEFINITION + TUN)
    assert one.restart(check=False).returncode != 0
    assert one.show('StatusText') == 'Cannot start container with: failed to set up /dev/net/tun: the unit\'s ' \
        'DeviceAllow= and DevicePolicy= do not let it be made; "systemctl cat container@with" shows who sets them'
    machine.remove(dropin)
    one.define(DEFINITION + FUSE.replace('=r', '=rw'))
    one.start()
    assert opens(one, *tries) == ['no', 'yes', 'yes', 'yes']

    # It has been there while systemd loaded its units again, twice.
    assert opens(as_host, 'r /dev/fuse', 'w /dev/fuse', user=False) == ['yes', 'no']
