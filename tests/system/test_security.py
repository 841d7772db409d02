# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl security: what confines a container, in effect, and what is weaker than by default; the same for a caller
without rights, as far as the kernel shows it."""

import json
import re

import pytest
from bus import Bus

USUAL = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
WEAK = USUAL + ('[Identity]\nUserNamespace=no\n[Namespaces]\nShare=net ipc uts cgroup\n[Mount]\nSource=/srv\nTarget=/mnt\n'
                '[Security]\nAppArmor=unconfined\nSeccomp=off\nCapabilities=CAP_SYS_TIME\nNesting=yes\nKeyring=inherit\n'
                'UnmaskPaths=/proc/timer_list /proc/sys/vm\n[Hooks]\nPreStart=/bin/true\n'
                '[Resources]\nTasksMax=infinity\n[Device]\nPath=/dev/fuse\n')
CONTROL = re.compile('[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')
HIGH, MEDIUM, LOW = 'high', 'medium', 'low'


def ctl(machine, *words, status=0, user=None):
    argv = ['berthctl', 'security', *words]
    if user:
        argv = ['setpriv', f'--reuid={user}', '--regid=nogroup', '--clear-groups', *argv]
    done = machine.run(argv, check=False, timeout=60 * machine.patience)
    assert done.returncode == status, f'{done.returncode}\n{done.stdout}{done.stderr}'
    assert not CONTROL.search(done.stdout + done.stderr), repr(done.stdout + done.stderr)
    return done


class Told:
    """What --json says of one container."""

    def __init__(self, machine, name, *words, **more):
        self.all = json.loads(ctl(machine, '--json', name, *words, **more).stdout)[0]
        self.layers = {}
        for layer in self.all['layers']:
            assert set(layer) == {'layer', 'value', 'from', 'rating'}, layer
            self.layers.setdefault(layer['layer'], layer)
        self.findings = {}
        for finding in self.all['findings']:
            assert set(finding) == {'severity', 'layer', 'section', 'key', 'origin', 'text'}, finding
            self.findings.setdefault(finding['layer'], []).append(finding)

    def value(self, layer):
        return self.layers[layer]['value']

    def rated(self, rating):
        return {name for name, layer in self.layers.items() if layer['rating'] == rating}

    def source(self, layer):
        return self.layers[layer]['from']


@pytest.fixture
def defined(machine, container):
    """A container that the service knows."""
    def make(name, definition):
        made = container(name, definition)
        made.wait_for(lambda: name in Bus(machine).listed(), 'a place in the list')
        return made
    return make


def test_default(machine, defined):
    """Nothing is weaker than the default; who has no rights sees less, and is not told more than is known."""
    usual = defined('usual', USUAL)

    stopped = Told(machine, 'usual')
    assert not stopped.all['in_effect'] and stopped.all['worst'] is None and stopped.all['leader'] is None
    assert {layer['from'] for layer in stopped.all['layers']} == {'definition', 'systemd'}
    assert 'nothing is in effect' in ctl(machine, 'usual').stdout

    usual.start()
    pid = usual.main_pid()
    told = Told(machine, 'usual')
    assert told.all['in_effect'] and told.all['leader'] == pid and told.all['findings'] == []
    assert told.rated('weak') == set() and told.rated('unknown') == set()
    kernel = {name for name, layer in told.layers.items() if layer['from'] == 'kernel'}
    assert kernel >= {'user-namespace', 'ids', 'namespaces', 'seccomp', 'bounding-capabilities', 'proc', 'sys', 'mount-locks',
                      'descriptors', 'cgroup', 'device-programs'}
    first = machine.run(f"awk '{{ print $2; exit }}' /proc/{pid}/uid_map").stdout.strip()
    assert told.value('ids').startswith(f'user 0-65535 are {first}-')
    assert told.value('namespaces') == "its own: cgroup ipc mount net pid uts; the host's: time"
    bounding = machine.run(f"awk '/^CapBnd/ {{ print $2 }}' /proc/{pid}/status").stdout.strip()
    assert len(told.value('bounding-capabilities').split()) == f'{int(bounding, 16):b}'.count('1')
    assert 'CAP_SYS_ADMIN' in told.value('bounding-capabilities') and told.value('ambient-capabilities') == 'none'
    program = re.search('program ([0-9a-f]{64})$', told.value('seccomp')).group(1)
    assert machine.exists(f'/var/cache/berth/seccomp/{program}')
    assert 'Nothing that was seen is weaker than by default.' in ctl(machine, 'usual').stdout

    other = Told(machine, 'usual', user='nobody')
    assert other.all['findings'] == [] and other.rated('unknown') == {'descriptors'}
    assert 'device-programs' not in other.layers
    assert other.source('namespaces') == 'definition' and other.source('seccomp') == 'kernel'
    assert other.value('ids') == told.value('ids')
    text = ctl(machine, 'usual', user='nobody').stdout
    assert 'Root is shown more by the kernel.' in text
    # A definition that is not for everybody's eyes.
    machine.run(['chmod', '600', usual.path])
    other = Told(machine, 'usual', user='nobody')
    assert not other.all['has_definition'] and {'namespaces', 'descriptors'} <= other.rated('unknown')
    assert other.source('user-namespace') == 'kernel' and other.value('user-namespace') == 'its own'
    usual.stop()
    assert 'not for your eyes' in ctl(machine, 'usual', user='nobody', status=5).stderr


def test_profiles_of_the_host(machine, defined):
    """What an administrator has in the place of berth's profile is told, though the definition says default."""
    usual = defined('usual', USUAL)
    place = '/etc/berth/seccomp/default.seccomp'
    machine.write(place, 'default allow\n')
    try:
        usual.start()
        finding, = Told(machine, 'usual', status=6).all['findings']
        assert (finding['layer'], finding['severity'], finding['key']) == ('seccomp', LOW, None) and place in finding['text']
    finally:
        machine.remove(place)
    usual.restart()
    assert Told(machine, 'usual').all['findings'] == []


def test_weak(machine, defined):
    """Each thing that a definition makes weaker is found in effect, with the line that made it so."""
    weak = defined('weak', WEAK)
    expected = {('user-namespace', 'UserNamespace', HIGH), ('seccomp', 'Seccomp', HIGH), ('nesting', 'Nesting', HIGH),
                ('bounding-capabilities', 'Capabilities', HIGH), ('tasks-limit', 'TasksMax', MEDIUM),
                ('namespaces', 'Share', MEDIUM), ('namespaces', 'Share', LOW), ('device', 'Path', MEDIUM),
                ('proc', 'UnmaskPaths', HIGH), ('keyring', 'Keyring', MEDIUM), ('host-files', 'Source', HIGH)}

    def found(told):
        return {(f['layer'], f['key'], f['severity']) for f in told.all['findings']}
    # No label is given here, where the kernel has no AppArmor: then it makes no difference.
    assert found(Told(machine, 'weak', status=6)) == expected | {('label', 'AppArmor', HIGH)}

    weak.start()
    told = Told(machine, 'weak', status=6)
    assert found(told) == expected and told.all['worst'] == HIGH
    lines = WEAK.splitlines()
    for finding in told.all['findings']:
        file, line = finding['origin'].rsplit(':', 1)
        assert file == weak.path and lines[int(line) - 1].startswith(f'{finding["key"]}=')
    assert len(told.findings['namespaces']) == 4
    assert 'CAP_SYS_TIME' in told.findings['bounding-capabilities'][0]['text']
    assert 'mount-locks' in told.rated('weak') and told.value('seccomp') == 'no filter'
    assert '/dev/fuse (rwm)' in told.findings['device'][0]['text'] and told.value('device') == '/dev/fuse rwm'
    assert [f['text'].split()[0] for f in told.findings['proc']] == ['/proc/timer_list', '/proc/sys/vm']
    assert told.value('hooks') == 'PreStart=/bin/true'
    assert told.value('host-files') == '/srv on /mnt, writable'

    text = ctl(machine, '-q', 'weak', status=6).stdout
    assert f'Seccomp= in {weak.path}:{lines.index("Seccomp=off") + 1}]' in text and 'LAYER' not in text
    ctl(machine, 'weak', '--threshold=high', status=6)
    ctl(machine, 'weak', '--threshold=none')
    ctl(machine, 'weak', '--threshold=most', status=2)
    ctl(machine, 'nobody', status=4)

    # What runs is what counts, and the definition is not blamed for what it does not say.
    weak.define(USUAL)
    told = Told(machine, 'weak', status=6)
    assert told.all['changed'] == weak.path
    assert {f['layer'] for f in told.all['findings']} >= {'user-namespace', 'seccomp', 'namespaces', 'bounding-capabilities'}
    assert {f['key'] for f in told.all['findings']} == {None}
    assert Told(machine, 'weak', user='nobody', status=6).findings.keys() >= {'user-namespace', 'seccomp'}


def test_from_outside(machine, defined):
    """A unit that was changed by hand, and a descriptor that it got from there."""
    open_unit = defined('opened', USUAL)
    machine.write(f'/run/systemd/system/{open_unit.unit}.d/open.conf',
                  '[Service]\nDevicePolicy=auto\nDeviceAllow=/dev/fuse rw\n')
    machine.write('/run/systemd/system/container@opened.socket', '[Socket]\nListenFIFO=/run/opened.fifo\n')
    machine.run('systemctl daemon-reload && systemctl start container@opened.socket')
    try:
        open_unit.start()
        told = Told(machine, 'opened', status=6)
        assert {'devices', 'device', 'descriptors'} <= told.findings.keys()
        assert '/dev/fuse' in told.findings['device'][0]['text']
        assert told.findings['descriptors'][0]['severity'] == HIGH
        assert '/run/opened.fifo' in told.findings['descriptors'][0]['text']
    finally:
        open_unit.stop()
        machine.run('systemctl stop container@opened.socket')
        machine.remove('/run/systemd/system/container@opened.socket', f'/run/systemd/system/{open_unit.unit}.d',
                       '/run/opened.fifo')
        machine.run('systemctl daemon-reload')


def test_hostile(machine, defined, tree):
    """Names that the guest made: a control group, a mount, its own name."""
    root = tree('busybox')
    name = '\033]0;t\007\033[31mR\u202e'
    machine.write(f'{root}/bin/first', '#!/bin/sh\n'
                  f"mkdir '/sys/fs/cgroup/{name}' && echo 1 >'/sys/fs/cgroup/{name}/cgroup.procs'\n"
                  f"mkdir -p '/tmp/{name}' && mount -t tmpfs none '/tmp/{name}'\n"
                  "mount -t tmpfs none /proc/sys && touch /tmp/done\nexec sleep 1000\n", 0o755)
    hostile = defined('hostile', f'[Container]\nBoot=no\nCommand=/bin/first\n[Root]\nPath={root}\nOverlay=yes\n')
    hostile.start()
    hostile.wait_for(lambda: hostile.inside('test -e /tmp/done', check=False).returncode == 0, 'the end of its work')
    told = Told(machine, 'hostile')
    assert name in told.value('cgroup') and told.all['findings'] == []
    assert '\\x1b' in ctl(machine, 'hostile').stdout


def test_nesting(machine, defined):
    """What containers in the container need is one finding."""
    nesting = defined('nesting', USUAL + '[Security]\nNesting=yes\n')
    nesting.start()
    told = Told(machine, 'nesting', status=6)
    assert [(f['layer'], f['key'], f['severity']) for f in told.all['findings']] == [('nesting', 'Nesting', MEDIUM)]


def test_filter_in_effect(machine, defined):
    """A filter that the definition would not make any more is told from the one that is in effect."""
    one = defined('replaced', USUAL)
    profile = '/etc/berth/seccomp/base.seccomp'
    one.start()
    filtered = Told(machine, 'replaced').value('seccomp')
    assert re.fullmatch('calls are filtered, profile default, program [0-9a-f]{64}', filtered)
    try:
        # Written before the start, as far as its date tells.
        machine.write(profile, 'extends groups\ndefault allow\n')
        machine.run(['touch', '-d', '2001-01-01', profile])
        told = Told(machine, 'replaced', status=6)
        assert told.all['changed'] == profile
        assert told.value('seccomp') == filtered.replace('profile default, ', '') + \
            ', which is not that of the definition as it is now'
        one.restart()
        told = Told(machine, 'replaced', status=6)
        assert told.all['changed'] is None and told.value('seccomp') != filtered
        assert told.value('seccomp').startswith('calls are filtered, profile default, program ')
    finally:
        machine.remove(profile)
    # Nothing is left that would tell what the filter is made of, and it is not called the default.
    assert Told(machine, 'replaced').rated('unknown') == {'seccomp'}
