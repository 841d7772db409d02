# SPDX-License-Identifier: LGPL-2.1-or-later
"""R2, R3, R4, R9, R10, R11, R12: callers and definitions that want more than they may, values and names that are to
become something else, and what an image brings along."""

import json
import re

import pytest
from bus import Bus
from store import Store

import attack
from attack import CANARY

CONTROL = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]')
HOSTILE = '\033]52;c;ZXZpbA==\007\033[31mRed\u202eHat\u009b2J\rweb running'
SLEEPER = '/bin/sleep 100000'
CAP_SYS_TIME = 25


# -- definitions that nobody has to trust -----------------------------------------------------------------

# What stands in the definition, the key that is refused, and what the container then has. (Devices, which are properties of
# the unit, are refused by berth-generator as well.)
PRIVILEGES = {
    'no user namespace': ('[Identity]\nUserNamespace=no\n', 'UserNamespace', 'ids', '0 0 4294967295'),
    'a directory of the host': (f'[Mount]\nSource={CANARY}\nTarget=/mnt\n', 'Source', 'mnt', 'file'),
    'the host\'s network': ('[Namespaces]\nShare=net\n', 'Share', 'net', 'host'),
    'ids of the host': ('[Identity]\nIDMap=0:0:65536\n', 'IDMap', 'ids', '0 0 65536'),
    'no filter': ('[Security]\nSeccomp=off\n', 'Seccomp', 'filter', '0'),
    'a capability': ('[Security]\nCapabilities=CAP_SYS_TIME\n', 'Capabilities', 'time', 'yes'),
    'what is hidden': ('[Security]\nUnmaskPaths=/proc/kallsyms\n', 'UnmaskPaths', 'symbols', 'yes'),
}


@pytest.mark.parametrize('what', PRIVILEGES)
def test_untrusted_definition(managed, machine, canary, what):
    """R10, Incus CVE-2026-48751, CVE-2026-55621: a definition in the place that is never trusted. It starts, and does not
    when it asks for something that is root's to give."""
    sections, refused, key, value = PRIVILEGES[what]
    net = machine.run(['readlink', '/proc/1/ns/net']).stdout.strip()
    one = managed(f'''set -- $(cat /proc/self/uid_map); echo "ids=$*"
        echo mnt=$(ls /mnt | grep -o file)
        [ "$(readlink /proc/self/ns/net)" = "{net}" ] && echo net=host
        [ $((0x$(sed -n "s/^CapBnd:[^0-9a-f]*//p" /proc/self/status) & 1 << {CAP_SYS_TIME})) = 0 ] || echo time=yes
        [ "$(head -c 1 /proc/kallsyms)" ] && echo symbols=yes
        sed -n "s/^Seccomp:[^0-9]*/filter=/p" /proc/self/status''')
    assert attack.told(one.says('')).all(key) != [value]
    assert attack.told(one.says(sections)) is None and f'{refused}=: may ' in one.show('StatusText')
    assert attack.told(one.says(sections, 'policy')).all(key) == [value]


def test_privileges_over_the_bus(machine, no_leftovers):
    """Whoever calls, root too, gets no privilege by a call (R10), and no name but a container's is one (R3)."""
    bus, store = Bus(machine), Store(machine)
    store.create('sly', f'Command={SLEEPER}')
    before, units, text = store.entries(), bus.listed(), machine.read('/var/lib/berth/containers/sly.container')

    def refused(member, *arguments):
        done = bus.busctl('call', 'org.berth.container1', '/org/berth/container1', 'org.berth.container1.Manager', member,
                          *arguments)
        assert done.returncode != 0, (member, arguments, done.stdout)
        assert not CONTROL.search(done.stdout + done.stderr.replace('\n', '')), done.stderr
        return done.stderr
    for sections, key, *_ in PRIVILEGES.values():
        definition = f'[Container]\nCommand={SLEEPER}\n{sections}'
        why = f'{key}=: may '
        assert why in refused('CreateContainer', 'ssa{sh}a{sv}', 'new', f'{definition}[Root]\nManaged=yes\n', 0, 0)
        assert why in refused('CreateContainer', 'ssa{sh}a{sv}', 'sly', f'{definition}[Root]\nManaged=yes\n', 0, 1, 'replace', 'b', 'true')
        assert why in refused('RunContainer', 'ssa{sh}a{sv}', 'new', f'{definition}[Root]\nPath=fd:root\n', 0, 0)
    for name in ('../../x', '/etc/x', 'a/b', '.', '..', '-x', '--all', 'a b', 'a\nb', 'a%n', 'A', 'web.service/../x', 'a' * 64,
                 'a\033[31m', '\u202ea'):
        refused('CreateContainer', 'ssa{sh}a{sv}', name, '[Root]\nManaged=yes\n', 0, 0)
        refused('StartContainer', 's', name)
        refused('RemoveContainer', 'sa{sv}', name, 0)
    assert (store.entries(), bus.listed()) == (before, units)
    assert machine.read('/var/lib/berth/containers/sly.container') == text
    store.clear()


# -- callers -----------------------------------------------------------------------------------------------

SWEEP = '''import os, subprocess, sys, time
call = ['busctl', 'call', 'org.berth.container1', '/org/berth/container1', 'org.berth.container1.Manager', 'StopContainer',
        'st', 'called', '0']
said = []
for n in range(60):
    one = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(n * 0.0005)
    one.kill()
    said.append(one.wait())
print(len(said), subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode)
'''


def test_caller_that_is_killed(container, machine, hostile):
    """R9, CVE-2021-3560: a caller without any right is gone while it is looked at, at each moment of a call. Without
    polkit's word one of the calls stops the container."""
    one = container('called', hostile.definition(SLEEPER))
    one.start()
    before = one.main_pid()
    drop_in = '/run/systemd/system/berth-manager.service.d'
    argv = ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', '/usr/bin/python3', '-c', SWEEP]
    try:
        assert machine.run(argv, timeout=300).stdout == '60 1\n'
        assert one.main_pid() == before
        machine.write(f'{drop_in}/attack.conf', '[Service]\nEnvironment=BERTH_WEAKEN=polkit\n')
        machine.run('systemctl daemon-reload && systemctl restart berth-manager')
        assert machine.run(argv, timeout=300).stdout.startswith('60 ')
        # The last call, which is not killed, may have met a stop that another had begun.
        one.wait_state('inactive')
    finally:
        machine.remove(drop_in)
        machine.run('systemctl daemon-reload && systemctl restart berth-manager')


def test_calls_to_systemd(container, machine, hostile):
    """R12, CVE-2026-40223: what a user may ask systemd about a delegated unit does not end in process 1's end. The unit
    says User=root for that."""
    one = container('delegated', hostile.definition(SLEEPER))
    one.start()
    before, unit = one.main_pid(), one.unit
    path = machine.run(['busctl', '--json=short', 'call', 'org.freedesktop.systemd1', '/org/freedesktop/systemd1',
                        'org.freedesktop.systemd1.Manager', 'LoadUnit', 's', unit]).stdout
    assert 'container_40delegated' in json.loads(path)['data'][0]
    calls = [('AttachProcessesToUnit', 'ssau', unit, '/payload', 1, 1), ('AttachProcessesToUnit', 'ssau', unit, '', 1, before),
             ('KillUnit', 'ssi', unit, 'all', 9), ('StopUnit', 'ss', unit, 'replace'), ('FreezeUnit', 's', unit),
             ('KillUnitSubgroup', 'sssi', unit, 'cgroup', '/payload', 9), ('QueueSignalUnit', 'ssii', unit, 'all', 35, 0),
             ('SetUnitProperties', 'sba(sv)', unit, 'true', 1, 'TasksMax', 't', 1), ('CleanUnit', 'sas', unit, 1, 'all'),
             ('RefUnit', 's', unit), ('ResetFailedUnit', 's', unit), ('StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', 0, 0)]
    for member, *arguments in calls:
        done = machine.run(['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'busctl', 'call', '--',
                            'org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager', member,
                            *map(str, arguments)], check=False)
        assert done.returncode != 0, member
    assert one.main_pid() == before and one.show('ActiveState') == 'active' and one.show('User') == 'root'


def test_process_that_poses_as_another_containers(container, machine, hostile):
    """R9, Flatpak CVE-2021-41133, machined CVE-2026-4105: in cgroups of its own a guest has one that is named like
    another container's unit, and files that say it is another. Whose a process is, is told by where the guest's own
    unit is, which is above all that it can name. This is systemd's word: there is nothing to leave out."""
    script = hostile.script('poses', '''set -e
        for place in container@victim.service machine.slice/container@victim.service; do
            mkdir -p /sys/fs/cgroup/$place/payload
            sleep 100000 &
            echo $! >/sys/fs/cgroup/$place/payload/cgroup.procs
        done
        mkdir -p /run/host /run/systemd/machines
        echo victim >/etc/hostname; echo victim >/run/systemd/machines/victim; hostname victim
        echo posing=yes; wait''')
    victim = container('victim', hostile.definition(SLEEPER))
    one = container('poser', hostile.definition(script))
    victim.start()
    one.start()
    groups = f'/sys/fs/cgroup{one.show("ControlGroup")}/payload'
    one.wait_for(lambda: 'posing=yes' in one.journal(), 'a pose')
    posing = machine.run(f'cat {groups}/container@victim.service/payload/cgroup.procs '
                         f'{groups}/machine.slice/container@victim.service/payload/cgroup.procs').stdout.split()
    assert len(posing) == 2
    bus = Bus(machine)
    for pid in posing:
        assert 'container@victim.service/payload' in machine.read(f'/proc/{pid}/cgroup')
        assert bus.manager('GetContainerByPID', 'u', pid)[0].endswith('/container/poser')
    # What is done to the one is not done to the other.
    machine.run(['berthctl', 'kill', '--signal=KILL', '--whom=all', 'victim'])
    victim.wait_state('failed')
    assert all(machine.exists(f'/proc/{pid}') for pid in posing) and one.show('ActiveState') == 'active'
    one.stop()
    assert not any(machine.exists(f'/proc/{pid}') for pid in posing)


def test_programs_without_a_name(machine):
    """R12, CVE-2021-4034: programs that are executed without any argument, not even their own name, only fail; and none
    has a set-user-ID bit or a capability."""
    script = '''import ctypes, os, sys
libc = ctypes.CDLL(None)
for path in sys.argv[1:]:
    pid = os.fork()
    if pid == 0:
        [os.dup2(os.open('/dev/null', os.O_RDWR), n) for n in (1, 2)]
        libc.execve(path.encode(), (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))
        os._exit(99)
    status = os.waitpid(pid, 0)[1]
    print(path, os.waitstatus_to_exitcode(status), flush=True)
'''
    programs = machine.run('ls -d /usr/bin/berth* /usr/libexec/berth/* /usr/lib/systemd/system-generators/berth*').stdout.split()
    done = machine.run(['timeout', '100', '/usr/bin/python3', '-c', script, *programs], timeout=120).stdout.splitlines()
    assert len(done) == len(programs) >= 6
    assert not [line for line in done if int(line.split()[1]) < 0 or int(line.split()[1]) == 99], done
    assert machine.run(['find', *programs, '-perm', '/6000']).stdout == ''
    assert machine.run(['getcap', *programs]).stdout == ''


# -- names and values --------------------------------------------------------------------------------------


def test_what_a_guest_is_called(container, machine, tree):
    """R11, CVE-2021-25743, CVE-2023-28101: sequences for terminals in what the guest says of itself."""
    root = tree('busybox')
    machine.write(f'{root}/etc/os-release', f'PRETTY_NAME="{HOSTILE}"\n')
    machine.write(f'{root}/says', f"#!/bin/sh\nprintf '%s\\n' '{HOSTILE}'\nexec {SLEEPER}\n", 0o755)
    one = container('shown', f'[Container]\nCommand=/says\n[Root]\nPath={root}\nOverlay=yes\n')
    one.wait_for(lambda: 'shown' in Bus(machine).listed(), 'a place in the list')
    one.start()
    one.wait_for(lambda: machine.run(['journalctl', '--sync']) and 'Hat' in one.journal(), 'a line in the log')

    def seen(weaken, *words):
        argv = ['env', f'BERTH_WEAKEN={weaken}', 'berthctl', '--no-pager', '--color=never', *words]
        typed = machine.run(['script', '--quiet', '--return', '--command', ' '.join(argv), '/dev/null']).stdout
        return machine.run(argv).stdout + typed.replace('\r\n', '\n')
    for words in (['list'], ['status', 'shown'], ['logs', 'shown'], ['security', 'shown'], ['cat', 'shown']):
        assert 'shown' in seen('', *words) and not CONTROL.search(seen('', *words)), words
    # In lines of the log it is systemd that hides them.
    assert 'Hat' in seen('', 'list') and CONTROL.search(seen('escape', 'list'))


def test_status_of_a_guest(attacked, machine, hostile):
    """R11: what the guest says of its state is shown by systemctl and by berthctl; it is a line of text."""
    script = hostile.script('status', f"exec /hostile notify 'STATUS={HOSTILE}\nMAINPID=1\nREADY=1' wait")
    for weaken in ('', 'escape'):
        one = attacked(f'states{weaken}', hostile.definition(script, 'Ready=guest\n'), weaken)
        one.start()
        assert 'Hat' in one.show('StatusText') and bool(CONTROL.search(one.show('StatusText'))) == bool(weaken)
        assert one.main_pid() > 1


VALUES = ['%H %n %% $HOME ${PATH} "quoted\' [Service]', 'ends in a backslash \\', '\\x41 \\n ExecStart=/bin/touch /never',
          '; # = ExecStart=/bin/touch /never', '-' * 500]


def test_values_that_become_settings(container, machine, hostile):
    """R2, CVE-2026-23953: a value is written into the unit's settings, and is there what it was in the definition."""
    one = container('valued', '')
    for value in VALUES:
        one.define(hostile.definition(SLEEPER, f'Environment="INJECTED={value[:3]}"\n') + '[Resources]\nTasksMax=100\n'
                   f'[Container]\nDescription={value}')
        if one.start(check=False).returncode != 0:
            assert one.show('ExecMainStatus') == '125'
            continue
        # At the end of a line it is one that goes on.
        assert one.show('Description') == value.removesuffix(' \\')
        assert one.show('ExecStart').count('path=') == 1 and one.show('ExecStartPre') == '' and one.show('TasksMax') == '100'
        one.stop()
    assert not machine.exists('/never')
    # By a call: a value with a new line is no value.
    one.define(hostile.definition(SLEEPER))
    one.start()
    for value in ('100\nExecStop=/bin/touch /never', '100\r', '%n', '1e3', '-1', '+1', '0x10'):
        assert machine.run(['berthctl', 'set', 'valued', f'TasksMax={value}'], check=False).returncode != 0, value
    assert not machine.exists('/never') and one.show('ExecStop').count('path=') == 1


@pytest.mark.parametrize('text', ['Environment=' + 'A' * 1_000_000, 'Environment=A=b\n' * 60_000,
                                  'Description=' + 'x\\\n' * 200_000, '[Mount]\nType=tmpfs\nTarget=/x\n' * 40_000],
                         ids=['long', 'many', 'continued', 'mounts'])
def test_definitions_without_end(container, hostile, text):
    """R17, CVE-2021-43784: lengths that overflow. An answer comes soon, and is not the end of the program."""
    one = container('endless', f'[Container]\nCommand={SLEEPER}\n{text}\n[Root]\nPath={hostile.path}\nOverlay=yes\n')
    done = one.machine.run(['berthctl', 'verify', one.path], check=False, timeout=60)
    assert done.returncode in (0, 1) and len(done.stderr) < 10_000, done
    assert one.start(check=False, timeout=60).returncode in (0, 1)


USERS = ['1000:', '+0', ' +1000', '4294967295', '4294967296', '0x0', '-1', '00000000000', '1000 ', 'annie:x', '\u0661', 'a' * 300,
         '0;id', '18446744073709551616']


def test_users_that_are_no_numbers(container, hostile):
    """R3, CVE-2026-30892, CVE-2020-13776, CVE-2018-19788: what is not quite a number or name is nobody, and never root."""
    one = container('whose', '')
    for user in USERS:
        one.define(hostile.definition('/hostile ids', f'User={user}\n'))
        report = attack.told(one)
        assert report is None or user.strip() == '1000', (user, report and report['ids'])
    one.define(hostile.definition('/hostile ids', 'User=1000\n'))
    assert attack.told(one)['ids'] == '1000 1000'


def test_names_of_credentials(attacked, hostile, canary):
    """R3, Incus CVE-2026-33945: systemd refuses names that are paths, and a directory has no others: nothing here could
    be left out."""
    script = hostile.script('credentials', 'ls /run/host/credentials | sed s/^/name=/; ls /root | sed s/^/root=/')
    unit = ''.join(f'SetCredential={name}:evil\n' for name in (
        '../../root/evil', f'../../../..{CANARY}/evil', '..', '.', 'a/b', '/etc/evil', 'fine'))
    report = attack.told(attacked('credited', hostile.definition(script), '', unit))
    assert report.all('name') == ['fine'] and not report.all('root') and canary()


# -- what comes with an image ------------------------------------------------------------------------------


def test_settings_in_an_image(container, machine, tree, programs):
    """R4, CVE-2026-40226: an image that has berth's and systemd-nspawn's settings in it. The same file on the host is one."""
    root = attack.Tree(machine, programs, tree('busybox'))
    settings = '[Container]\nEnvironment=EVIL=yes\n'
    places = [f'{place}/{name}' for place in ('etc/berth', 'etc/berth/containers', 'run/berth/containers',
                                              'usr/lib/berth/containers', 'var/lib/berth/containers')
              for name in ('container.d/evil.conf', 'imaged.container.d/evil.conf', 'imaged.container')]
    for place in ['imaged.container', '.container', 'container.d/evil.conf', *places]:
        machine.write(f'{root.path}/{place}', settings + '[Identity]\nUserNamespace=no\n')
    machine.write(f'{root.path}.nspawn', '[Exec]\nEnvironment=EVIL=yes\nPrivateUsers=no\n')
    script = root.script('evil', 'set -- $(cat /proc/self/uid_map); echo "ids=$*"; echo "evil=$EVIL"')
    one = container('imaged', root.definition(script, root=''))
    on_host = '/etc/berth/containers/container.d/evil.conf'
    try:
        report = attack.told(one)
        assert report['evil'] == '' and not report['ids'].startswith('0 0 ')
        machine.write(on_host, settings)
        assert attack.told(one)['evil'] == 'yes'
    finally:
        machine.remove(f'{root.path}.nspawn', on_host.rsplit('/', 1)[0])


# -- what berth keeps --------------------------------------------------------------------------------------


def test_places_of_berth(container, machine, hostile):
    """R16, CVE-2022-3328, CVE-2026-3888: nobody else can put anything where berth keeps what it needs, and what is old
    there is not tidied away under a running container."""
    one = container('kept', hostile.definition(SLEEPER))
    one.start()
    places = ['/run/berth', '/var/lib/berth', '/var/cache/berth', '/etc/berth']
    # A container's files are behind a directory that nobody else passes; "Permission denied" is what find says there.
    found = machine.run(['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', 'find', *places, '-writable'],
                        check=False).stdout.split()
    assert [path for path in found if path != '/run/berth/console.sock'] == []
    look = 'find ' + ' '.join(places) + " -xdev -printf '%p %m %U\\n' | sort"
    before = machine.run(look).stdout
    machine.run('find ' + ' '.join(places) + ' -xdev -exec touch --no-dereference --date=-400days {} +')
    machine.run(['systemd-tmpfiles', '--clean'])
    assert machine.run(look).stdout == before and before.count('\n') > 10
    one.restart()
    one.stop()
