# SPDX-License-Identifier: LGPL-2.1-or-later
"""R5, R6 and "never run a container's program outside its confinement": the way out through the program that builds
the container, what it has open, and programs that the image has instead of the host's."""

import re

import pytest

import attack

HELPER = '/usr/libexec/berth/berth-helper'
PLACE = '/srv/attacks-place'         # where everybody may go
SECRET = 'what is the host\'s'


@pytest.fixture(scope='module')
def helper(local):
    """berth-helper is where the unit says."""
    assert re.search(r'ExecStart=(\S+)', local.read('/lib/systemd/system/container@.service'))[1] == HELPER
    return HELPER


@pytest.fixture
def place(machine, programs):
    """A directory of the host beside a secret."""
    machine.run(['mkdir', '-p', f'{PLACE}/dir'])
    machine.write(f'{PLACE}/secret', f'{SECRET}\n')
    machine.write(f'{PLACE}/dir/program', programs['hostile'], 0o755)
    yield PLACE
    machine.remove(PLACE)


# -- the launcher's own file ------------------------------------------------------------------------------


@pytest.mark.parametrize('weaken, namespace, ends, by', [
    ('', 'no', None, ''), ('', 'no', None, '/usr/bin/setarch --addr-compat-layout '),
    ('program', 'no', 'ok', ''), ('program', 'yes', 'EACCES', '')])
def test_host_program_is_overwritten(attacked, machine, tree, programs, helper, weaken, namespace, ends, by):
    """R6, CVE-2019-5736: an image's first program is a script whose interpreter is the launcher itself, and its loader
    keeps the launcher's file open until it can be written to. With a user namespace the kernel forbids the write. Also
    where the launcher's own file is not the first in its memory, as with the sysctl vm.legacy_va_layout."""
    root = attack.Tree(machine, programs, tree('busybox'))
    root.machine.write(f'{root.path}/evil', '#!/proc/self/exe\n', 0o755)
    loader = re.search(r'interpreter: (/[^\]]+)', machine.run(['readelf', '-l', helper]).stdout)[1]
    machine.run(f'mkdir -p {root.path}{loader.rsplit("/", 1)[0]} && mv {root.path}/loader {root.path}{loader}')
    copy = '/srv/scratch/attacks-helper'
    machine.run(['cp', helper, copy])
    try:
        one = attacked('overwrites', root.definition('/evil', sections=f'[Identity]\nUserNamespace={namespace}\n'), weaken,
                       f'ExecStart=\nExecStart={by}{copy} launch %i\n')
        report = attack.told(one)
        assert (report and report['overwrite']) == ends, one.journal()
        same = machine.run(['cmp', '--silent', helper, copy], check=False).returncode == 0
        assert same == (ends != 'ok')
    finally:
        machine.remove(copy)


def test_berth_init_is_out_of_sight(attacked, machine, hostile):
    """R6: what runs inside from the host is a sealed copy; no file of the host's is behind process 1."""
    script = hostile.script('look', 'stat -L -c "exe=%i %s" /proc/1/exe; echo link=$(readlink /proc/1/exe)\n'
                                    '(echo >>/proc/1/exe) 2>/dev/null && echo written=yes')
    init = machine.run(['stat', '-c', '%i %s', '/usr/libexec/berth/berth-init']).stdout.strip()
    for weaken in ('', 'reaper'):
        report = attack.told(attacked(f'reaped{weaken}', hostile.definition(script, 'Boot=reaper\n'), weaken))
        assert (report['exe'] == init) == bool(weaken)
        assert report['link'].startswith('/usr/libexec/' if weaken else '/memfd:')
        assert not report.all('written')


# -- what the launcher has open ----------------------------------------------------------------------------


def test_leaked_directory(attacked, hostile, helper, place):
    """R5, CVE-2024-21626: a directory of the host's that somebody left open when the launcher was started."""
    secret = '/proc/self/fd/7/../secret'
    definition = hostile.definition(f'/probe report open {secret}')
    leak = f'ExecStart=\nExecStart=/bin/sh -c "exec 7<{place}/dir; exec {helper} launch %i"\n'
    safe = attack.told(attacked('leaks', definition, '', leak))
    assert safe.below('fd').keys() == {'0', '1', '2'} and safe.below('read')[secret] == 'ENOENT'
    weak = attack.told(attacked('leaks-weak', definition, 'descriptors', leak))
    assert weak.below('fd')['7'].endswith('/dir') and weak.below('read')[secret] == 'ok'


def test_program_of_the_host(attacked, machine, hostile, helper, place):
    """R5, CVE-2019-5736's other way: the container's command is a program of the host's, by way of what is open."""
    leak = f'ExecStart=\nExecStart=/bin/sh -c "exec 7<{place}/dir; exec {helper} launch %i"\n'
    definition = hostile.definition('/proc/self/fd/7/program ids')
    # Each of the two protections is enough.
    for weaken in ('', 'descriptors', 'proc-links'):
        assert attack.told(attacked(f'runs{weaken}', definition, weaken, leak)) is None, weaken
    assert attack.told(attacked('runs-weak', definition, 'descriptors,proc-links', leak))['ids'] == '0 0'


def test_working_directory_outside(attacked, machine, programs, place):
    """R5, CVE-2024-21626: the working directory is what the launcher has open of the host's; see also test_isolation."""
    machine.run(['cp', '-a', '/srv/guests/busybox', f'{place}/root'])
    root = attack.Tree(machine, programs, f'{place}/root')
    script = root.script('outside', 'echo "read=$(cat ../secret 2>/dev/null)"')

    def read_through(number, weaken):
        one = attacked(f'cwd-{number}{weaken}', root.definition(script, f'WorkingDirectory=/proc/self/fd/{number}\n'), weaken)
        report = attack.told(one)
        assert report or f'/proc/self/fd/{number}' in one.show('StatusText')
        return report and report['read']
    found = next((number for number in range(8, 20) if read_through(number, 'proc-links') == SECRET), None)
    assert found, 'no descriptor of the launcher leads outside'
    for number in (found, found - 1, found + 1):
        assert read_through(number, '') is None


# -- the image's programs and libraries -------------------------------------------------------------------

TROJAN = '''#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {
        char space[64] = "";
        FILE *file = fopen("/marks", "ae");
        (void) !readlink("/proc/self/ns/user", space, sizeof space - 1);
        if (file) {
                fprintf(file, "%s %d\\n", space, getuid());
                fclose(file);
        }
}
'''
LIBRARIES = ('libnss_files.so.2', 'libnss_evil.so.2', 'libnss_systemd.so.2', 'libseccomp.so.2', 'libsystemd.so.0')
PROGRAMS = ('ps', 'tar', 'getent', 'nsenter', 'mount', 'stat', 'id', 'ls')


def test_programs_and_libraries_of_the_image(container, machine, tree, programs, tmp_path):
    """CVE-2022-1227, CVE-2019-14271: whatever berth does with a container, no program or library of its image runs
    but inside. That the trojans work is shown by a program of the host that is run in the root (chroot)."""
    root = attack.Tree(machine, programs, tree('busybox'))
    machine.write('/srv/scratch/trojan.c', TROJAN)
    machine.run(f'''set -e; cd {root.path}
        cc -shared -fPIC -o trojan.so /srv/scratch/trojan.c; rm /srv/scratch/trojan.c
        for f in /usr/bin/id $(ldd /usr/bin/id | grep -o "/[^ ]*"); do mkdir -p .${{f%/*}}; cp -L $f .$f; done
        mkdir -p usr/lib/x86_64-linux-gnu lib; cp usr/bin/id host-id
        for l in {' '.join(LIBRARIES)}; do for d in lib usr/lib $(dirname lib/*/libc.so.6); do cp trojan.so $d/$l; done; done
        echo /trojan.so >etc/ld.so.preload; printf 'passwd: evil files\\ngroup: evil files\\n' >etc/nsswitch.conf
        for p in {' '.join(PROGRAMS)}; do for d in bin usr/bin; do
            rm -f $d/$p; printf '#!/bin/busybox sh\\necho $(readlink /proc/self/ns/user) 0 >>/marks\\n' >$d/$p
            chmod 755 $d/$p; done; done; : >marks; chmod 666 marks; chmod 755 .''')
    marks = f'{root.path}/marks'
    machine.run(['chroot', root.path, '/host-id', 'annie'], check=False)
    assert machine.read(marks), 'the trojan does not work'
    machine.run(['truncate', '--size=0', marks])

    one = container('trojan', root.definition('/bin/sh -c "trap : TERM; sleep 100000 & wait"', 'User=annie\nGroups=tty\n',
                                              root=''))
    one.start()
    for verb in ('list', 'status', 'cat', 'verify', 'freeze', 'thaw', 'restart', 'logs', 'security', 'kill --signal=CONT', 'stop'):
        machine.run(['berthctl', *verb.split(), 'trojan'], timeout=200)
    assert machine.read(marks) == ''
