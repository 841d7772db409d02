# SPDX-License-Identifier: LGPL-2.1-or-later
"""Capabilities=, AmbientCapabilities=, NoNewPrivileges=: the sets that a container's process 1 has, as the kernel tells them
to itself. The default set is looked at in test_isolation.py."""

import re

import pytest

import probe

CHOWN, NET_RAW, NET_BIND, SYS_ADMIN, SYS_TIME, MKNOD = 0, 13, 10, 21, 25, 27
DEFAULT = 0x9decbfff
SETS = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')
USER = 'User=annie\n'
AMBIENT = 'AmbientCapabilities=CAP_NET_BIND_SERVICE CAP_CHOWN'


def bits(*numbers):
    return sum(1 << number for number in numbers)


@pytest.fixture(scope='module')
def probe_tree(local, tmp_path_factory):
    path = probe.install(local, probe.compile_probe(tmp_path_factory.mktemp('probe')))
    local.write(f'{path}/etc/passwd', 'root::0:0:root:/root:/bin/sh\nannie:x:1000:1000:Annie:/:/bin/sh\n')
    # What a command that is not root would get rights from.
    local.run(f'cp {path}/probe {path}/raised && chown 0:0 {path}/raised && chmod 4755 {path}/raised')
    yield path
    local.remove(path)


def definition(tree, security, keys='', sections=''):
    return (f'[Container]\nCommand=/probe report\n{keys}[Root]\nPath={tree}\nOverlay=yes\n{sections}'
            f'[Security]\n{security}\n')


def sets(report):
    return tuple(int(report.status(name), 16) for name in SETS)


def host_set(machine):
    """What the machine has itself, and can give to a container without a user namespace."""
    return int(re.search(r'^CapBnd:\t(\w+)$', machine.read('/proc/1/status'), re.MULTILINE).group(1), 16)


@pytest.mark.parametrize('security, expected, sections', [
    pytest.param('Capabilities=CAP_SYS_TIME ~CAP_NET_RAW', DEFAULT - bits(NET_RAW) + bits(SYS_TIME), '', id='one each'),
    pytest.param('Capabilities=~all\nCapabilities=CAP_CHOWN', bits(CHOWN), '', id='one alone'),
    # Without the right that the filter of system calls takes to be put on.
    pytest.param('Capabilities=~CAP_SYS_ADMIN ~CAP_SETUID ~CAP_SETPCAP', DEFAULT - bits(SYS_ADMIN, 7, 8), '', id='no admin'),
    pytest.param('Capabilities=~CAP_MKNOD', DEFAULT - bits(MKNOD), '[Identity]\nUserNamespace=no\n', id='no namespace'),
    pytest.param('Capabilities=all', None, '', id='all'),
])
def test_bounding_set(container, machine, probe_tree, security, expected, sections):
    report = probe.run(container('caps', definition(probe_tree, security, sections=sections)))
    if expected is None:
        expected = (1 << int(machine.read('/proc/sys/kernel/cap_last_cap')) + 1) - 1
    if sections:
        expected &= host_set(machine)
    assert sets(report) == (0, expected, expected, expected, 0)
    assert report.status('Seccomp') == '2' and report.status('NoNewPrivs') == '0'


@pytest.mark.parametrize('keys, sections', [
    ('', ''), ('Boot=reaper\n', ''), ('', '[Identity]\nUserNamespace=no\n'),
    ('', '[Identity]\nIDMap=1000:auto:1\n')], ids=['namespace', 'reaper', 'no namespace', 'no root'])
def test_ambient_set(container, machine, probe_tree, keys, sections):
    ambient = bits(NET_BIND, CHOWN)
    user = '' if 'IDMap' in sections else USER
    report = probe.run(container('caps', definition(probe_tree, AMBIENT, keys + user, sections)))
    bounding = DEFAULT & host_set(machine) if 'UserNamespace=no' in sections else DEFAULT
    assert report['uid'] == '1000'
    assert sets(report) == (ambient, ambient, ambient, bounding, ambient)
    assert report.status('Seccomp') == '2'


def test_ambient_set_without_a_filter(container, probe_tree):
    report = probe.run(container('caps', definition(probe_tree, f'{AMBIENT}\nSeccomp=off\nNoNewPrivileges=yes', USER)))
    ambient = bits(NET_BIND, CHOWN)
    assert sets(report) == (ambient, ambient, ambient, DEFAULT, ambient)
    assert report.status('NoNewPrivs') == '1' and report.status('Seccomp') == '0'


@pytest.mark.parametrize('freeze', ['yes', 'no'])
def test_no_new_privileges(container, probe_tree, freeze):
    text = definition(probe_tree, f'NoNewPrivileges={freeze}', USER).replace('/probe report', '/raised report')
    report = probe.run(container('caps', text))
    assert report.status('NoNewPrivs') == ('1' if freeze == 'yes' else '0')
    assert (report['uid'], report['euid']) == ('1000', '1000' if freeze == 'yes' else '0')
    assert int(report.status('CapEff'), 16) == (0 if freeze == 'yes' else DEFAULT)


def test_what_berth_has_not(container, machine, probe_tree):
    """Without a user namespace there is no more to give than the unit has."""
    one = container('caps', definition(probe_tree, 'Capabilities=CAP_SYS_TIME', sections='[Identity]\nUserNamespace=no\n'))
    dropin = f'/run/systemd/system/{one.unit}.d/50-less.conf'
    machine.write(dropin, '[Service]\nCapabilityBoundingSet=~CAP_SYS_TIME\n')
    try:
        machine.run(['systemctl', 'daemon-reload'])
        assert one.start(check=False).returncode != 0
        assert one.show('StatusText').endswith(
            'change to the user with its capabilities: CAP_SYS_TIME is not there to be given away: berth itself runs without it')
        assert one.show('ExecMainStatus') == '125'
    finally:
        machine.remove(f'/run/systemd/system/{one.unit}.d')
        machine.run(['systemctl', 'daemon-reload'])
