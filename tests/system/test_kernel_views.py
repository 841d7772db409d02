# SPDX-License-Identifier: LGPL-2.1-or-later
"""Terminals by what ids are mapped, and a cgroup tree that is the container's own whatever it shares."""

import pytest

import probe

NO_IDS = '[Identity]\nUserNamespace=no\n'
SHARED = '[Namespaces]\nShare=cgroup\n'


@pytest.fixture(scope='module')
def probe_tree(local, tmp_path_factory):
    path = probe.install(local, probe.compile_probe(tmp_path_factory.mktemp('probe')))
    yield path
    local.remove(path)


def started(container, tree, words, until, sections=''):
    one = container('view', f'[Container]\nCommand=/probe {words}\n[Root]\nPath={tree}\nOverlay=yes\n{sections}')
    return one, probe.run(one, until)


@pytest.mark.parametrize('ids, group', [
    ('', True), (NO_IDS, True), ('[Identity]\nIDMap=0:auto:6\n', True), ('[Identity]\nIDMap=0:auto:5\n', False),
    ('[Identity]\nIDMap=0:auto:1\n', False), ('[Identity]\nIDMap=1000:auto:1\n', False),
    ('[Identity]\nIDMap=uid:1000:auto:1 gid:5:auto:1\n', True)])
def test_terminals(container, probe_tree, ids, group):
    """The group of terminals is 5 where there is one; anybody can have a terminal of his own."""
    _, report = started(container, probe_tree, 'report -- open /dev/ptmx /dev/pts/ptmx', 'probe=done', ids)
    line, = (line for line in report.all('mount') if line.split()[4] == '/dev/pts')
    shown = line.split(' - ')[1].split()[2].split(',')
    assert ('mode=620' if group else 'mode=600') in shown and 'ptmxmode=666' in shown
    numbers = [int(word[4:]) for word in shown if word.startswith('gid=')]
    assert len(numbers) == group
    if ids in ('', NO_IDS):
        assert numbers == [int(report['uid_map'].split()[1]) + 5]  # as the host counts
    assert report.below('write') == {'/dev/ptmx': 'ok', '/dev/pts/ptmx': 'ok'}


def inside(one, command):
    """As root of the container, in its namespaces, which may be without one for users."""
    user = ['--user'] if NO_IDS not in one.machine.read(one.path) else []
    return one.machine.run(['nsenter', '--target', str(one.main_pid()), '--mount', '--pid', '--cgroup', '--root', '--wd', *user,
                            '/bin/sh', '-c', command], check=False)


@pytest.mark.parametrize('sections', ['', NO_IDS, SHARED, NO_IDS + SHARED], ids=['own', 'no ids', 'shared', 'neither'])
def test_cgroup_tree(container, machine, probe_tree, sections):
    one, _ = started(container, probe_tree, 'wait', 'waiting=yes', sections)
    payload = '/sys/fs/cgroup' + one.show('ControlGroup') + '/payload'
    mine = machine.run(['stat', '-c', '%d:%i', payload]).stdout
    assert inside(one, 'stat -c %d:%i /sys/fs/cgroup').stdout == mine
    assert inside(one, 'ls -d /sys/fs/cgroup/*.slice /sys/fs/cgroup/../*.slice').stdout == ''
    # A mount of its own shows the same, if it may make one; without ids and namespace of its own it is the host's root.
    if sections != NO_IDS + SHARED:
        again = inside(one, 'mkdir /tmp/cg; mount -t cgroup2 cg /tmp/cg && stat -c %d:%i /tmp/cg')
        assert again.stdout in ('', mine)
        assert (again.returncode == 0) == (sections != SHARED)
