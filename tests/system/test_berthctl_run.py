# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl run: containers that are gone when they stop, their output and their exit status."""

import re

import pytest
from bus import Bus


@pytest.fixture
def root(machine, no_leftovers):
    """A root that its owner alone may enter."""
    path = machine.copy_tree('busybox')
    machine.run(['chmod', '700', path])
    yield path
    machine.remove(path)


def run(machine, *words, timeout=300):
    return machine.run(['berthctl', 'run', *words], check=False, timeout=timeout * machine.patience)


def wait_for_no_unit(machine):
    """systemd forgets a unit after it told of its end."""
    command = ['systemctl', 'list-units', '--all', '--no-legend', '--plain', 'container-run-*']
    Bus(machine).wait_for(lambda: machine.run(command).stdout == '', 'an end of all runs', timeout=60)


def test_output_and_status(machine, root):
    done = run(machine, f'--directory={root}', '--', '/bin/sh', '-c', 'echo out; echo err >&2; echo "$1 $2"; exit 7', 'sh',
               'a  b', '"c"\t\\')
    assert done.returncode == 7, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line in ('out', 'err', 'a  b "c"\t\\')] == ['out', 'err', 'a  b "c"\t\\'], lines
    assert done.stderr == ''
    done = machine.run(f'berthctl run --directory={root} -- /bin/echo out >/dev/full', check=False)
    assert (done.returncode, done.stderr) == (1, 'berthctl: cannot write the output: No space left on device\n')
    # What is changed inside is changed in the directory.
    assert run(machine, f'--directory={root}', '--', '/bin/touch', '/mark').returncode == 0
    assert machine.exists(f'{root}/mark')
    wait_for_no_unit(machine)


# A person at a terminal: prints what the terminal showed, and the exit status.
PERSON = r"""
import sys
import pexpect

root, program, *lines = sys.argv[1:]
child = pexpect.spawn("berthctl", ["run", f"--directory={root}", "--", program], timeout=120, encoding="utf-8")
child.logfile_read = sys.stdout
for line in lines:
    child.expect("[#$] ")
    child.sendline(line)
if not lines:
    child.expect("[#$] ")
    child.send("\x1d" * 3)
child.expect(pexpect.EOF)
child.wait()
print(f"status={child.exitstatus}")
"""


def test_terminal(machine, root):
    """A terminal is the command's own: a shell prompts, and sees one."""
    done = machine.run(['/usr/bin/python3', '-c', PERSON, root, '/bin/sh', 'tty; echo in-$((3+4))', 'exit 5'], timeout=300)
    assert '/dev/' in done.stdout and 'in-7' in done.stdout, done.stdout
    assert done.stdout.endswith('status=5\n')
    wait_for_no_unit(machine)
    # Left alone it goes on, and who left it is told by which name.
    done = machine.run(['/usr/bin/python3', '-c', PERSON, root, '/bin/sh'], timeout=300)
    assert done.stdout.endswith('status=0\n'), done.stdout
    name = re.search(r'(run-[0-9a-f]{8}) goes on\. To attach again: berthctl console \1; to end it: berthctl stop \1\r',
                     done.stdout).group(1)
    assert Bus(machine).listed()[name] == 'running'
    machine.run(['berthctl', 'stop', name], timeout=300)
    wait_for_no_unit(machine)


def test_ended_by_a_signal(machine, root):
    machine.run(['systemd-run', '--quiet', '--unit=run-test', '--remain-after-exit', 'berthctl', 'run', 'victim',
                 f'--directory={root}', '--', '/bin/sleep', '1000'])
    bus = Bus(machine)
    bus.wait_for(lambda: bus.listed().get('victim') == 'running', 'the container')
    machine.run(['systemctl', 'kill', '--kill-whom=main', '--signal=KILL', 'container-run-victim.service'])
    shown = ['systemctl', 'show', '--value', '--property=ExecMainStatus', 'run-test']
    bus.wait_for(lambda: 'victim' not in bus.listed(), 'its end')
    bus.wait_for(lambda: machine.run(shown).stdout == '137\n', 'the exit status of berthctl')
    machine.run(['systemctl', 'reset-failed', 'run-test'])


def test_status_survives_the_service(machine, root):
    """The service is killed while somebody waits; how it ended is told all the same."""
    machine.run(['systemd-run', '--quiet', '--unit=run-test', '--remain-after-exit', 'berthctl', 'run', 'long',
                 f'--directory={root}', '--', '/bin/sh', '-c', 'while [ ! -e /go ]; do sleep 0.1; done; exit 9'])
    bus = Bus(machine)
    bus.wait_for(lambda: bus.listed().get('long') == 'running', 'the container')
    before = bus.manager_pid()
    machine.run(['systemctl', 'kill', '--signal=KILL', 'berth-manager.service'])
    bus.wait_for(lambda: bus.manager_pid() not in (0, before), 'the service')
    # What ends while there is none that follows it, nobody can tell of.
    assert bus.listed().get('long') == 'running'
    machine.write(f'{root}/go', '')
    shown = ['systemctl', 'show', '--value', '--property=ExecMainStatus', 'run-test']
    bus.wait_for(lambda: machine.run(shown).stdout == '9\n', 'the exit status of berthctl')
    machine.run(['systemctl', 'reset-failed', 'run-test'])


def test_failures(machine, root):
    done = run(machine, 'x', f'--directory={root}', '--', '/bin/nothing')
    assert (done.returncode, done.stdout) == (125, '')
    assert 'no such program in the root' in done.stderr
    wait_for_no_unit(machine)
    done = run(machine, 'x', '--directory=/etc', '--', '/bin/true')
    assert done.returncode == 125 and done.stderr.startswith('berthctl: '), done.stderr
    # Without a command there is nothing that 125 could be mistaken for.
    done = run(machine, 'x', '--directory=/etc')
    assert done.returncode == 1, done.stderr


def test_detached(machine, root):
    done = run(machine, '--detach', 'y', f'--directory={root}', 'Description=A run', '--', '/bin/sleep', '1000')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'y\n', '')
    bus = Bus(machine)
    assert bus.listed()['y'] == 'running'
    assert 'A run' in machine.run(['systemctl', 'show', '--property=Description', 'container-run-y.service']).stdout
    again = run(machine, '--detach', 'y', f'--directory={root}', '--', '/bin/true')
    assert again.returncode == 1, again
    machine.run(['berthctl', 'stop', 'y'])
    bus.wait_for(lambda: 'y' not in bus.listed(), 'its end')


def test_user_may_not(machine, root):
    """Users' own containers are not for now; nobody else's rights are lent to them."""
    machine.add_user('annie')
    done = machine.run_as('annie', ['berthctl', 'run', 'Managed=yes', '--', '/bin/true'], check=False)
    assert done.returncode == 125 and done.stderr.startswith('berthctl: '), done.stderr
    wait_for_no_unit(machine)
