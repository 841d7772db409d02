# SPDX-License-Identifier: LGPL-2.1-or-later
"""Keyring=: a session keyring of the container's own, or no start. That it is there is looked at in test_isolation.py."""

import os
import re

import pytest

import probe

# On the host, of the containers' only user: whose keys of an earlier time the kernel has still to give back is another.
UID = 700000 + os.getpid() % 100000
ONE_ID = f'[Identity]\nIDMap=0:{UID}:1\n'


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return probe.compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture(scope='module')
def probe_tree(local, program):
    path = probe.install(local, program)
    yield path
    local.remove(path)


def definition(tree, security='', sections=''):
    return f'[Container]\nCommand=/probe report\n[Root]\nPath={tree}\nOverlay=yes\n[Security]\n{security}\n{sections}'


@pytest.mark.parametrize('mode, owner', [('private', '0'), ('inherit', '65534')])
def test_whose_it_is(container, probe_tree, mode, owner):
    report = probe.run(container('keys', definition(probe_tree, f'Keyring={mode}')))
    assert int(report['keyring']) > 0
    kind, uid, _, _, name = report['keyring.description'].split(';')
    assert (kind, uid, name) == ('keyring', owner, '_ses')


@pytest.fixture
def quota_used_up(machine, program):
    """A process of the containers' user on the host that has all keys which the user may have."""
    unit = 'berth-test-keys.service'
    machine.write('/opt/probe', program, 0o755)
    machine.run(['systemd-run', f'--unit={unit}', '--property=KeyringMode=private', '--collect', '--service-type=exec', 'setpriv',
                 f'--reuid={UID}', f'--regid={UID}', '--clear-groups', '/opt/probe', 'keys', 'wait'])
    yield unit
    machine.run(['systemctl', 'stop', unit])
    machine.remove('/opt/probe')


def test_quota(container, machine, probe_tree, quota_used_up):
    one = container('keys', definition(probe_tree, sections=ONE_ID))
    one.wait_for(lambda: 'waiting=yes' in machine.journal(quota_used_up), 'a full keyring')
    assert 'EDQUOT' in machine.journal(quota_used_up)

    assert one.start(check=False).returncode != 0
    told = re.search(r'failed to join a new session keyring: user 0 \((\d+) on the host\) has (\d+) of (\d+) keys and '
                     r'(\d+) of (\d+) bytes in them; see maxkeys and maxbytes in /proc/sys/kernel/keys$', one.show('StatusText'))
    assert told, one.show('StatusText')
    uid, keys, keys_max, _, _ = map(int, told.groups())
    assert uid == UID and keys == keys_max
    assert told.group(0) in one.journal()

    # It asks for no keyring then, and there are no keys to be had.
    one.define(definition(probe_tree, 'Keyring=inherit', ONE_ID))
    assert probe.run(one)['keyring.add'] == 'EDQUOT'
