# SPDX-License-Identifier: LGPL-2.1-or-later
"""The exit statuses of berthctl(1), over all verbs: each row of the table for each verb that it is about. The verbs are
those that --help lists, so that a new one has to find its place here."""

import re

import pytest
from bus import Bus

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
# What stands after the name, where a name alone is not enough.
MORE = {'create': 'Managed=yes', 'run': 'Managed=yes -- /bin/true', 'set': 'MemoryMax=1G', 'remove': '--yes'}
NAMELESS = {'capabilities', 'features', 'version'}
ONE_BY_NAME = {'list', 'status', 'security', 'start', 'stop', 'restart', 'kill', 'freeze', 'thaw', 'console', 'remove',
               'set', 'enable', 'disable', 'top', 'cat', 'edit', 'verify'}
NEW_NAME = {'create', 'run'}
UNASKED = {'logs', 'monitor'}
TO_RUN = {'status': 3, 'kill': 3, 'freeze': 3, 'thaw': 3, 'console': 3}
FORBIDDEN = {'stop', 'restart', 'kill', 'freeze', 'thaw', 'console', 'set', 'enable', 'disable', 'cat', 'edit', 'verify'}


def statuses(run, verbs, words):
    """The status of each verb with the words, by one call of a shell: nothing to read, and no terminal."""
    calls = [f'timeout 60 berthctl {verb} {words} {MORE.get(verb, "") if words else ""} </dev/null >/dev/null 2>&1; '
             f'echo {verb} $?' for verb in sorted(verbs)]
    lines = run(['sh', '-c', 'export EDITOR=true\n' + '\n'.join(calls)]).stdout.splitlines()
    return {verb: int(status) for verb, status in map(str.split, lines)}


@pytest.fixture
def verbs(machine):
    text = machine.run(['berthctl', '--help']).stdout
    found = set(re.findall(r'^  ([a-z]+) ', text[text.index('Verbs:'):text.index('Options:')], re.MULTILINE))
    assert found == NAMELESS | ONE_BY_NAME | NEW_NAME | UNASKED
    return found


def all_of(found, status):
    return dict.fromkeys(sorted(found), status)


def test_usage(machine, verbs):
    """2: what is wrong with the command line itself, and a name that none can have."""
    assert statuses(machine.run, verbs, '--no-such-option') == all_of(verbs, 2)
    named = verbs - NAMELESS
    for impossible in 'Web', "''":
        assert statuses(machine.run, named, impossible) == all_of(named, 2), impossible
    assert statuses(machine.run, NAMELESS, 'word') == all_of(NAMELESS, 2)
    needy = ONE_BY_NAME - {'list', 'top'} | {'create', 'logs'}
    assert statuses(machine.run, needy, '') == all_of(needy, 2)


def test_no_container(machine, container):
    """4: there is none, it is masked, or no name fits."""
    machine.run(['ln', '-s', '/dev/null', '/etc/berth/containers/masked.container'])
    try:
        for name in 'container@nobody', 'masked':
            assert statuses(machine.run, ONE_BY_NAME, name) == all_of(ONE_BY_NAME, 4), name
    finally:
        machine.remove('/etc/berth/containers/masked.container')
    several = ONE_BY_NAME - {'console', 'edit', 'verify'}
    assert statuses(machine.run, several, "'no*such?'") == all_of(several, 4)
    assert machine.run(['berthctl', 'verify', '/no/such.container'], check=False).returncode == 4


def test_not_running(machine, container):
    """3: for verbs that need it to run; the others are done, or have nothing to do."""
    web = container('web', SLEEPER)
    web.wait_for(lambda: 'web' in Bus(machine).listed(), 'a place in the list')
    others = {'list', 'security', 'stop', 'top', 'cat', 'edit', 'verify', 'logs'}
    assert statuses(machine.run, {*TO_RUN, *others}, 'web') == {**TO_RUN, **all_of(others, 0)}
    web.start()
    assert statuses(machine.run, {'status', 'start'}, 'web') == {'status': 0, 'start': 0}


def test_failed(machine, container):
    """1: what was tried and failed."""
    wrong = container('wrong', SLEEPER.replace('/srv/guests/busybox', '/srv/none'))
    assert statuses(machine.run, {'start', 'restart', 'create'}, 'wrong') == all_of({'start', 'restart', 'create'}, 1)
    wrong.define('[Container]\nBot=yes\n')
    assert statuses(machine.run, {'start', 'cat', 'verify'}, 'wrong') == all_of({'start', 'cat', 'verify'}, 1)
    machine.run(['systemctl', 'reset-failed', 'container@wrong.service'])
    assert statuses(machine.run, {'run'}, 'fine Boot=maybe') == {'run': 125}


def test_not_permitted(machine, container):
    """5: a user, and a container of root's whose definition is not for everybody."""
    web = container('web', SLEEPER)
    machine.run(['chmod', '600', web.path])
    web.start()
    machine.add_user('annie')

    def as_annie(argv):
        return machine.run_as('annie', argv)
    expected = {**all_of(FORBIDDEN, 5), 'start': 0, 'list': 0, 'status': 0, 'security': 0, 'top': 0}
    assert statuses(as_annie, expected, 'web') == expected
    web.stop()
    expected = all_of(['start', 'security', 'remove'], 5)
    assert statuses(as_annie, expected, 'web') == expected
    assert statuses(as_annie, NEW_NAME, 'another') == {'create': 5, 'run': 125}
