# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs of an image that are made against whoever starts them, and what a start sets for them: limits and settings
of the kernel. A start works as it was asked to, or says at once why not.
"""

import itertools
import re
import struct
import subprocess

import pytest

QUICK = 60            # systemd's own limit is 90 s
TAINTED = 'failed to run its first program: it has /proc/self/exe for its interpreter'
CRASHED = 'failed to run its first program: it crashed while it was loaded, or was killed'
serial = itertools.count()


def of_command(root, command='/evil', more='', sections=''):
    return f'[Container]\nCommand={command}\n{more}[Root]\nPath={root}\n{sections}'


def said(one):
    """What is in the journal of the launcher's and the guest's."""
    one.machine.run(['journalctl', '--sync'])
    return one.machine.run(['journalctl', '--quiet', '--no-pager', '--output=cat', f'--unit={one.unit}',
                            f'--identifier={one.name}']).stdout.splitlines()


def refused(one, sentence):
    """It does not start, soon, for this reason; and nothing has run that could have said a word."""
    assert one.start(check=False, timeout=QUICK).returncode not in (0, 124), one.journal()
    assert one.show('StatusText') == f'Cannot start container {one.name}: {sentence}'
    assert (one.show('Result'), one.show('ExecMainStatus'), one.show('ActiveState')) == ('exit-code', '125', 'failed')
    assert said(one) == [one.show('StatusText')]


def named(word):
    """A name of its own for each container keeps their lines in the journal apart."""
    return f'{word}-{next(serial)}'


@pytest.fixture
def root(machine, tree):
    """A busybox guest that has what berth-helper itself would need to run in it, as any larger system has."""
    path = tree('busybox')
    helper = re.search(r'ExecStart=(\S+)', machine.read('/lib/systemd/system/container@.service'))[1]
    machine.run(f'cp {helper} {path}/bin/helper && for f in $(ldd {helper} | grep -o "/[^ ]*"); do '
                f'mkdir -p {path}/${{f%/*}} && cp -L $f {path}$f; done')
    return path


# -- an interpreter that is the launcher's own program ----------------------------------------------------


@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    """programs(INTERPRETER, OPTIONS): the bytes of a program with this interpreter, which says that it runs."""
    directory = tmp_path_factory.mktemp('programs')
    source = directory / 'evil.c'
    source.write_text('#include <stdio.h>\nint main(void) { puts("it runs"); return 0; }\n')

    def build(interpreter, *options):
        program = directory / f'evil-{next(serial)}'
        subprocess.run(['gcc', '-o', str(program), str(source), f'-Wl,--dynamic-linker={interpreter}', *options],
                       check=True, timeout=60)
        assert interpreter.encode() in program.read_bytes()
        return program.read_bytes()
    return build


SCRIPTS = {
    'itself': {'evil': '#!/proc/self/exe\n'}, 'with words': {'evil': '#! /proc/self/exe launch evil\n'},
    'thread': {'evil': '#!/proc/thread-self/exe\n'}, 'process 1': {'evil': '#!/proc/1/exe\n'},
    'a link': {'evil': '#!/link\n'},
    'a script': {'evil': '#!/other\n', 'other': '#!/third\n', 'third': '#!/proc/self/exe\n'},
    'through the root': {'evil': '#!/proc/self/root/proc/self/exe\n'}}


@pytest.mark.parametrize('kind', SCRIPTS)
@pytest.mark.parametrize('what', ['command', 'init'])
def test_script(container, machine, root, kind, what):
    """Without the look at what was loaded, the host's berth-helper is process 1 (CVE-2019-5736 is what it leads to)."""
    machine.run(['ln', '-s', '/proc/self/exe', f'{root}/link'])
    for name, text in SCRIPTS[kind].items():
        machine.write(f'{root}/{name}', text, 0o755)
    if what == 'init':
        machine.run(f'mv {root}/evil {root}/sbin/init')
    refused(container(named('evil'), of_command(root) if what == 'command' else f'[Root]\nPath={root}\n'), TAINTED)


@pytest.mark.parametrize('options', [('-pie',), ('-no-pie',), ('-pie', '-z', 'now')], ids=' '.join)
def test_program_with_the_launcher_as_its_loader(container, machine, root, programs, options):
    machine.write(f'{root}/evil', programs('/proc/self/exe', *options), 0o755)
    refused(container(named('evil'), of_command(root)), TAINTED)
    machine.run(f'mv {root}/evil {root}/sbin/init')
    refused(container(named('evil'), f'[Root]\nPath={root}\n'), TAINTED)


def test_interpreters_of_its_own(container, machine, root):
    """What is refused is the launcher's file and nothing else."""
    machine.write(f'{root}/script', '#!/proc/self/root/bin/sh\necho it runs >/ran; exec sleep 100000\n', 0o755)
    one = container(named('good'), of_command(root, '/script'))
    one.start()
    one.wait_for(lambda: machine.exists(f'{root}/ran'), 'a run')
    one.stop()
    # The guest may have berth-helper itself: that is a file of its own.
    one.define(of_command(root, '/bin/helper --version'))
    one.start()
    one.wait_for(lambda: one.show('ActiveState') in ('inactive', 'failed'), 'its end')
    assert (one.show('Result'), one.show('ExecMainStatus')) == ('success', '0'), one.journal()


# -- programs that crash while they are loaded -------------------------------------------------------------


def elf(*segments, entry=0x400000, kind=2):
    """An x86-64 program of segments (type, flags, offset, address, size in the file, in memory)."""
    header = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\x02\x01\x01', kind, 62, 1, entry, 64, 0, 0, 64, 56,
                         len(segments), 64, 0, 0)
    table = b''.join(struct.pack('<IIQQQQQQ', k, flags, offset, address, address, size, memory, 0x1000)
                     for k, flags, offset, address, size, memory in segments)
    return (header + table).ljust(4096, b'\0')


EXITS = bytes.fromhex('31ffb83c0000000f05')         # exit(0)
BROKEN = {
    'in the kernel\'s half': elf((1, 5, 0, 0xffff800000000000, 4096, 4096)),
    'over everything': elf((1, 5, 0, 0x400000, 4096, 1 << 46)),
    'beyond the addresses': elf((1, 5, 0, 0x7ffffffff000, 4096, 8192)),
    'zeroes beyond the end of the file': elf((1, 6, 1 << 20, 0x400000, 16, 64)),
    'page that is not aligned': elf((1, 5, 1, 0x400000, 4096, 4096)),
}


@pytest.mark.parametrize('kind', BROKEN)
@pytest.mark.parametrize('what', ['command', 'init'])
def test_broken_program(container, machine, root, kind, what):
    """The kernel kills it after it took the program over: nobody is there to report, and the launcher must see that."""
    machine.write(f'{root}/evil', BROKEN[kind], 0o755)
    if what == 'init':
        machine.run(f'mv {root}/evil {root}/sbin/init')
    one = container(named('broken'), of_command(root) if what == 'command' else f'[Root]\nPath={root}\n')
    assert one.start(check=False, timeout=QUICK).returncode not in (0, 124), one.journal()
    path = '/evil' if what == 'command' else '/sbin/init'
    assert one.show('StatusText') in (f'Cannot start container {one.name}: {CRASHED}',
                                      f'Cannot start container {one.name}: failed to run {path}: Invalid argument',
                                      f'Cannot start container {one.name}: failed to run {path}: Exec format error')
    assert one.show('ExecMainStatus') == '125'
    assert said(one) == [one.show('StatusText')]


@pytest.mark.parametrize('size', [100, 3000, 4096, 70000])
def test_program_that_is_cut_off(container, machine, root, size):
    """Whatever of it is missing, the container has ended soon, and its unit has failed."""
    machine.run(f'head -c {size} /srv/guests/busybox/bin/busybox >{root}/evil && chmod 755 {root}/evil')
    one = container(named('short'), of_command(root))
    done = one.start(check=False, timeout=QUICK)
    assert done.returncode != 124
    one.wait_state('failed')
    if done.returncode != 0:
        assert one.show('ExecMainStatus') == '125'
        assert re.fullmatch(f'Cannot start container {one.name}: failed to run .*', one.show('StatusText'))
    else:
        assert one.show('Result') in ('signal', 'core-dump')


def test_the_broken_programs_are_broken_in_one_place(container, machine, root):
    """A program made as they are, with all segments right, runs."""
    good = bytearray(elf((1, 5, 0, 0x400000, 4096, 4096), entry=0x400800))
    good[0x800:0x800 + len(EXITS)] = EXITS
    machine.write(f'{root}/evil', bytes(good), 0o755)
    one = container(named('short'), of_command(root))
    one.start()
    one.wait_state('inactive')
    assert (one.show('Result'), one.show('ExecMainStatus')) == ('success', '0')


# -- limits and settings --------------------------------------------------------------------------------

# A limit that is too tight for the launcher, which must not feel it; the line of /proc/PID/limits.
TIGHT = {'LimitFSIZE=0': ('Max file size', '0'), 'LimitNOFILE=7': ('Max open files', '7'),
         'LimitNOFILE=3': ('Max open files', '3'), 'LimitAS=16M': ('Max address space', str(16 << 20)),
         'LimitCPU=1': ('Max cpu time', '1'), 'LimitNPROC=1': ('Max processes', '1'),
         'LimitSTACK=256K': ('Max stack size', str(256 << 10)),
         'LimitDATA=4M': ('Max data size', str(4 << 20)), 'LimitMEMLOCK=0': ('Max locked memory', '0'),
         'LimitSIGPENDING=0': ('Max pending signals', '0')}


@pytest.mark.parametrize('limit', TIGHT)
def test_tight_limit(container, machine, limit):
    name, value = TIGHT[limit]
    sections = f'Overlay=yes\n[Mount]\nType=tmpfs\nTarget=/mnt/new\nCreate=yes\n[Resources]\n{limit}\n'
    one = container(named('tight'), of_command('/srv/guests/busybox', '/bin/sleep 100000', sections=sections))
    one.start(timeout=QUICK)
    lines = machine.read(f'/proc/{one.main_pid()}/limits').splitlines()
    assert [line.split(name)[1].split()[:2] for line in lines if line.startswith(name)] == [[value, value]]
    one.stop()
    assert one.show('Result') == 'success'


@pytest.mark.parametrize('limit', ['LimitAS=1M', 'LimitDATA=0', 'LimitNOFILE=0', 'LimitSTACK=0', 'LimitCPU=0'])
def test_limit_that_nothing_can_run_with(container, machine, limit):
    """Either it runs with that limit, or it ends at once and says so: it does not hang, and has no other limit."""
    one = container(named('tight'), of_command('/srv/guests/busybox', '/bin/sleep 100000',
                                               sections=f'Overlay=yes\n[Resources]\n{limit}\n'))
    done = one.start(check=False, timeout=QUICK)
    assert done.returncode != 124
    # It may end at any moment after its start: what has ended has no limits.
    text = machine.run(f'cat /proc/{one.main_pid()}/limits', check=False).stdout if done.returncode == 0 else ''
    if text:
        names = {'AS': 'Max address space', 'DATA': 'Max data size', 'NOFILE': 'Max open files',
                 'STACK': 'Max stack size', 'CPU': 'Max cpu time'}
        key, value = limit.removeprefix('Limit').split('=')
        assert re.search(f'^{names[key]} +{1 << 20 if value == "1M" else value} ', text, re.M), text
    elif done.returncode != 0:
        assert one.show('StatusText').startswith(f'Cannot start container {one.name}: failed to '), one.journal()
        assert said(one) == [one.show('StatusText')]
    else:
        one.wait_state('failed')
        assert one.show('Result') in ('signal', 'core-dump', 'exit-code')


def test_sysctl_with_dots_and_slashes(container):
    """Both forms of sysctl.d(5); a dot in a name is a slash in the first form, and the other way round."""
    one = container(named('tuned'), '')

    def shown(*settings):
        one.define(of_command('/srv/guests/busybox', '/bin/sleep 100000',
                              sections='Overlay=yes\n[Resources]\n' + ''.join(f'Sysctl={s}\n' for s in settings)))
        if one.start(check=False).returncode != 0:
            return one.show('StatusText')
        text = one.inside('cd /proc/sys/net/ipv4/conf/lo; cat forwarding rp_filter').stdout.split()
        one.stop()
        return text
    assert shown('net.ipv4.conf.lo.forwarding=1', 'net/ipv4/conf/lo/rp_filter=2') == ['1', '2']
    assert shown('net/ipv4/conf/lo/forwarding=0 net.ipv4.conf.lo.rp_filter=1') == ['0', '1']
    # One setting, whatever its form: the later counts.
    assert shown('net/ipv4/conf/lo/forwarding=1', 'net.ipv4.conf.lo.forwarding=0',
                 'net/ipv4/conf/lo/rp_filter=0') == ['0', '0']
    missing = (f'Cannot start container {one.name}: failed to set the sysctl net.ipv4.conf.e/1.forwarding: '
               'this kernel has no such sysctl')
    assert shown('net.ipv4.conf.e/1.forwarding=1') == shown('net/ipv4/conf/e.1/forwarding=1') == missing
    for word in ('net/../kernel/core_pattern', 'net.//.kernel.core_pattern', 'net/./ipv4/ip_forward',
                 '/net/ipv4/ip_forward'):
        assert 'is not the name of a setting' in shown(f'{word}=1'), word
    for word in ('kernel/core_pattern', 'vm/swappiness', 'fs.file-max'):
        assert 'is the whole machine\'s' in shown(f'{word}=1'), word
