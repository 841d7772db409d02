# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random calls, as root and as a user, of a manager and a helper that are built with AddressSanitizer and
UndefinedBehaviorSanitizer: both live on, no sanitizer finds anything, and what a user may not change stays as it is.

pytest --fuzz-seconds=600 test_dbus_fuzz.py takes that long for each of the two."""

import json
import os
import re
import tarfile
import time
from pathlib import Path

import clients
import pytest
from machines import build, open_machine

PROGRAMS = ['berth-manager', 'berth-helper-serve']
UNITS = ['berth-manager.service', 'berth-helper.service']
# The sanitizers' own checks for NULL make gcc think that there is one.
SANITIZE = ['-Db_sanitize=address,undefined', '-Db_lundef=false', '-Dc_args=-Wno-error=format-overflow']
# LeakSanitizer traces its own process when it ends, which the units' filters do not allow; and shadow memory is large.
DROP_IN = '''[Service]
Environment=ASAN_OPTIONS=exitcode=99:detect_leaks=1
Environment=UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:exitcode=99
SystemCallFilter=
MemoryMax=infinity
LimitDATA=64T
'''
FINDING = re.compile(r'ERROR: \w*Sanitizer|runtime error:|SUMMARY: \w*Sanitizer|stack smashing|buffer overflow detected')
FUZZ = Path(__file__).with_name('dbus_fuzz.py')
DEFINITION = '[Container]\nCommand=/bin/sleep inf\nConsole=yes\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
NAMES = ['fuzz-a', 'fuzz-b', 'fuzz-c']
LONG = 300  # for what is no part of the test

# What a caller without rights must not change: files, units, and containers as the service lists them.
STATE = r'''
for place in /etc/berth /var/lib/berth /run/berth /etc/systemd /run/systemd/system /run/systemd/transient \
             /run/systemd/system.control; do
        [ -e $place ] && find $place -xdev ! -type s -printf '%p %y %m %U %G %s %T@\n' -type f -exec sha256sum {} +
done | sort
for name in fuzz-a fuzz-b fuzz-c; do
        systemctl show --property=ActiveState,MainPID,InvocationID,NRestarts,FreezerState,TasksMax,MemoryMax,CPUWeight \
                container@$name.service
done
busctl --system call org.berth.container1 /org/berth/container1 org.berth.container1.Manager ListContainers
'''


@pytest.fixture(scope='module')
def machine(request):
    """A machine with the sanitized programs in the place of the usual ones."""
    one = open_machine('local', f'pytest-fuzz-{os.getpid()}')
    try:
        one.up()
        with tarfile.open(build.project(options=SANITIZE)) as tar:
            for name in PROGRAMS:
                one.write(f'/usr/libexec/berth/{name}', tar.extractfile(f'./usr/libexec/berth/{name}').read(), 0o755)
        for unit in UNITS:
            one.write(f'/run/systemd/system/{unit}.d/sanitizers.conf', DROP_IN)
        one.write('/run/dbus_fuzz.py', FUZZ.read_text(encoding='utf-8'), 0o755)
        for name in NAMES:
            one.write(f'/etc/berth/containers/{name}.container', DEFINITION)
        one.run(['systemctl', 'daemon-reload'])
        one.run(['systemctl', 'start', *(f'container@{name}.service' for name in NAMES[:2])])
        yield one
    finally:
        if not request.config.getoption('--keep-machine'):
            one.down()


def fuzz(machine, request, user, group):
    """Runs the fuzzer as a user; what it counted."""
    seconds = request.config.getoption('--fuzz-seconds')
    done = machine.run(['setpriv', f'--reuid={user}', f'--regid={group}', '--clear-groups', '/usr/bin/python3',
                        '/run/dbus_fuzz.py', f'--seconds={seconds}', *(f'--name={name}' for name in NAMES)],
                       check=False, timeout=seconds + 4 * LONG * machine.patience)
    print(done.stdout)
    assert done.returncode == 0, f'{done.stdout}\n{done.stderr}\n{findings(machine)}'
    return json.loads(done.stdout)['counts']


def findings(machine):
    """What sanitizers said, from the first line of it on."""
    text = ''.join(machine.journal(unit) for unit in UNITS)
    found = FINDING.search(text)
    return text[max(0, found.start() - 500):][:8000] if found else ''


def end_well(machine):
    """Both programs end by themselves when they are asked to: then LeakSanitizer has looked, too."""
    machine.run(['systemctl', 'stop', *UNITS], timeout=LONG)
    for unit in UNITS:
        assert machine.run(['systemctl', 'show', '--value', '--property=Result', unit]).stdout == 'success\n', \
            machine.journal(unit)
    assert findings(machine) == ''


def test_findings_are_seen(machine):
    """The sanitizers are there, and the units let them speak."""
    maps = machine.run(f'busctl --system call {clients.NAME} {clients.ROOT} {clients.MANAGER} ListContainers >/dev/null && '
                       'cat /proc/$(systemctl show --value --property=MainPID berth-manager.service)/maps').stdout
    assert 'libasan' in maps or 'libclang_rt.asan' in maps
    assert FINDING.search('x.c:1:2: runtime error: index 3 out of bounds')
    assert FINDING.search('==1==ERROR: LeakSanitizer: detected memory leaks')
    end_well(machine)


def test_as_a_user(machine, request):
    """Nothing that a user without a session may not do is done."""
    before = machine.run(STATE).stdout
    counts = fuzz(machine, request, 'nobody', 'nogroup')
    assert machine.run(STATE).stdout == before
    # Every call that changes something may be answered by it. A plain AccessDenied is a matter of luck: only few calls
    # that are made up can get one.
    assert counts.get('org.freedesktop.DBus.Error.InteractiveAuthorizationRequired', 0) > 0, counts
    end_well(machine)


def test_as_root(machine, request):
    """Anything may happen to containers, but the service answers after it as before."""
    counts = fuzz(machine, request, 'root', 'root')
    assert counts['answers'] > 0
    client = clients.PythonDbus(machine)
    deadline = time.monotonic() + LONG * machine.patience

    def in_the_end(action):
        """What the fuzzer's last calls have begun may still go on, and be in the way."""
        while True:
            try:
                return action()
            except clients.ServiceError:
                if time.monotonic() > deadline:
                    raise

    def start_again():
        """What was set stays until it is reverted."""
        units = [f'container@{name}.service' for name in NAMES]
        machine.run(['systemctl', 'stop', *units], timeout=LONG)
        machine.run(['systemctl', 'revert', *units])
        client.manager('StartContainer', 's', 'fuzz-a')

    machine.write('/etc/berth/containers/untouched.container', DEFINITION)
    in_the_end(lambda: client.manager('Reload'))
    in_the_end(lambda: client.manager('StartContainer', 's', 'untouched'))
    assert client.state(client.manager('GetContainer', 's', 'untouched')) == 'running'
    in_the_end(start_again)
    assert client.state(client.manager('GetContainer', 's', 'fuzz-a')) == 'running'
    end_well(machine)
