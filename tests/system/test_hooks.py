# SPDX-License-Identifier: LGPL-2.1-or-later
"""[Hooks]: what is run when, with which rights, what it is told, and what becomes of a start whose hook fails. The
hooks write down what they see in a directory of the machine.
"""

import json
import re
import time

import pytest

import probe

PLACE = '/etc/berth/hooks'
SEEN = '/run/hooks-seen'
HOST_HOOKS = ['PreStart', 'PreMount', 'Autodev', 'StartHost']

# One script for all kinds: its argument names the file that it writes to.
WRITER = f'''#!/bin/sh
inherited=$(ls /proc/self/fd)
exec 9>>{SEEN}/$1
{{
        echo "state $(cat)"
        echo "umask $(umask)"
        echo "cwd $(pwd)"
        echo "argument $2"
        echo "fds $inherited" | tr '\\n' ' ' && echo
        grep -E '^(Sig(Blk|Ign)|Cap...|Uid|Groups):' /proc/self/status | sed 's/^/status /'
        tr '\\0' '\\n' </proc/$$/environ | sed 's/^/env /'
        echo "processes $(readlink /proc/$$/ns/pid)"
        echo "mounts $(readlink /proc/$$/ns/mnt)"
        cat /proc/$$/cgroup
        [ -z "$LXC_NET_NS" ] || echo "net $(readlink $LXC_NET_NS)"
        [ -z "$LXC_ROOTFS_MOUNT" ] || ls "$LXC_ROOTFS_MOUNT" | sed 's/^/root /'
}} >&9
echo "$1 was here"
'''
DEFINITION = '''[Container]
Command=/bin/sleep 1000
[Root]
Path=/srv/guests/busybox
Overlay=yes
'''


class Seen:
    """What the script wrote about itself."""

    def __init__(self, text):
        self.text = text
        self.lines = text.splitlines()
        self.state = json.loads(self.all('state')[0])
        self.environment = dict(line.split('=', 1) for line in self.all('env'))
        self.status = dict(line.split(':\t', 1) for line in self.all('status'))

    def all(self, word):
        return [line[len(word) + 1:] for line in self.lines if line.startswith(word + ' ')]


@pytest.fixture
def hooks(machine):
    """hooks(NAME, TEXT) makes a program and returns its path; hooks.seen(NAME) is what the writer saw."""
    made = []

    def make(name, text=WRITER, mode=0o755):
        machine.write(f'{PLACE}/{name}', text, mode)
        return f'{PLACE}/{name}'

    machine.run(f'mkdir -p {SEEN}')
    make.seen = lambda name: Seen(machine.run(f'cat {SEEN}/{name}').stdout)
    yield make
    machine.remove(PLACE, SEEN, *made)


def section(*lines):
    return DEFINITION + '[Hooks]\n' + ''.join(f'{line}\n' for line in lines)


def wait_for_file(container, path):
    container.wait_for(lambda: container.machine.exists(path), path)


def lines_of(container, *matches):
    container.machine.run(['journalctl', '--sync'])
    return container.machine.run(['journalctl', '--quiet', '--no-pager', '--output=cat', f'--unit={container.unit}',
                                  *matches]).stdout.splitlines()


def test_hooks_of_the_host(container, hooks, machine):
    """Their order, rights, surroundings, and what they are told."""
    writer = hooks('writer')
    one = container('hooked', section(*(f'{kind}={writer} {kind} "two words"' for kind in HOST_HOOKS),
                                      f'PreStart={writer} again'))
    one.start()
    seen = {kind: hooks.seen(kind) for kind in HOST_HOOKS}
    host = machine.run('readlink /proc/self/ns/mnt').stdout.strip()

    for kind, one_seen in seen.items():
        environment, state = one_seen.environment, one_seen.state
        assert one_seen.all('argument') == ['two words']
        assert one_seen.all('umask') == ['0022'] and one_seen.all('cwd') == ['/']
        # 3 is the script itself, 4 the directory that ls reads.
        assert one_seen.all('fds')[0].split() == ['0', '1', '2', '3', '4']
        assert one_seen.status['SigBlk'] == one_seen.status['SigIgn'] == '0' * 16
        assert one_seen.status['Uid'].split() == ['0'] * 4 and not one_seen.status['Groups'].strip()
        assert int(one_seen.status['CapEff'], 16) & 1 << 21, 'CAP_SYS_ADMIN'
        assert one_seen.text.count(f'0::{one.show("ControlGroup")}/hook\n') == 1
        assert {key for key in environment if not key.startswith('LXC_')} <= {'PATH', 'PWD', 'OLDPWD', 'SHLVL', '_'}
        assert environment['LXC_NAME'] == state['name'] == 'hooked'
        assert environment['LXC_HOOK_TYPE'] == state['hook']
        assert environment['LXC_HOOK_VERSION'] == '1' and environment['LXC_HOOK_SECTION'] == 'lxc'
        assert environment['LXC_CONFIG_FILE'] == state['definition'] == one.path
        assert environment['LXC_ROOTFS_PATH'] == state['root'] == '/srv/guests/busybox'
        assert state['unit'] == one.unit and state['version'] == 1
    assert [seen[kind].state['hook'] for kind in HOST_HOOKS] == ['pre-start', 'pre-mount', 'autodev', 'start-host']

    assert seen['PreStart'].state['pid'] is seen['PreStart'].state['ids'] is None
    assert seen['StartHost'].state['pid'] == one.main_pid()
    assert seen['StartHost'].environment['LXC_PID'] == str(one.main_pid())
    assert seen['StartHost'].state['ids'][0]['count'] == 65536
    assert {kind: seen[kind].all('processes')[0] for kind in HOST_HOOKS} == \
        dict.fromkeys(HOST_HOOKS, machine.run('readlink /proc/self/ns/pid').stdout.strip())
    assert [kind for kind in HOST_HOOKS if seen[kind].all('mounts') == [host]] == ['PreStart', 'StartHost']
    assert seen['Autodev'].all('root') == ['dev']

    journal = lines_of(one, f'SYSLOG_IDENTIFIER={one.name}')
    said = [line for line in journal if line.endswith('was here')]
    assert said == [f'{kind} was here' for kind in ('PreStart', 'again', 'PreMount', 'Autodev', 'StartHost')]
    assert lines_of(one, 'HOOK=pre-mount') == ['PreMount was here']
    assert 'hook' not in machine.run(f'ls /sys/fs/cgroup/{one.show("ControlGroup")}').stdout.split()


def test_what_they_are_for(container, hooks, machine, tree):
    """PreStart prepares the host, PreMount mounts for this container alone, Autodev makes a node."""
    hooks('prepare', f'#!/bin/sh\nmkdir -p {SEEN}/root/mnt && mount -t tmpfs hooked {SEEN}\n'
                     f'mkdir -p {SEEN}/root && cp -a /srv/guests/busybox/. {SEEN}/root/ && mkdir -p {SEEN}/root/mnt\n')
    hooks('private', f'#!/bin/sh\nmount -t tmpfs private {SEEN}/root/mnt && echo secret >{SEEN}/root/mnt/file\n')
    hooks('node', '#!/bin/sh\nmknod -m 666 "$LXC_ROOTFS_MOUNT/dev/nothing" c 1 3\n')
    definition = section(f'PreStart={PLACE}/prepare', f'PreMount={PLACE}/private', f'Autodev={PLACE}/node')
    one = container('prepared', definition.replace('/srv/guests/busybox\nOverlay', f'{SEEN}/root\nReadOnly'))
    one.start()
    try:
        assert one.inside('cat /mnt/file; echo >/dev/nothing && stat -c %F /dev/nothing').stdout == \
            'secret\ncharacter special file\n'
        assert machine.run(f'ls {SEEN}/root/mnt').stdout == ''
    finally:
        one.stop()
        machine.run(f'umount {SEEN}')


@pytest.mark.parametrize('kind', HOST_HOOKS)
def test_failing(container, hooks, machine, kind):
    """The sentence names hook, program, status and the last line; what the hook left running is gone."""
    one = container('failing', section(f'{kind}={hooks("bad")}', 'Timeout=20'))
    hooks('bad', f'#!/bin/sh\n(trap "" TERM HUP; exec sleep 4321) &\necho first\nprintf "no \\033[1mdisk\\007 here\\n" >&2\n'
                 'exit 3\n')
    assert one.start(check=False).returncode != 0
    sentence = (f'Cannot start container failing: failed to run the hook {kind}={PLACE}/bad: it ended with status 3, and '
                'said last: no \\x1b[1mdisk\\x07 here')
    assert sentence in lines_of(one)
    assert one.show('StatusText') == sentence
    assert machine.run("pgrep -f 'sleep 432[1]'", check=False).stdout == ''


BAD = {
    'killed': ('#!/bin/sh\nkill -SEGV $$\n', 0o755, 'it was killed by SIGSEGV, and said nothing'),
    'no-exec': ('#!/bin/sh\n', 0o644, 'it cannot be executed: it is not executable'),
    'no-interpreter': ('#!/nowhere\n', 0o755,
                       'it cannot be executed: there is no such program, or its interpreter is missing'),
    'no-program': ('hello\n', 0o755,
                   'it cannot be executed: it is neither a program of this machine nor a script that begins with #!'),
    'writable': ('#!/bin/sh\n', 0o777, 'it is run on the host, and may be written by root alone: '
                 f'{PLACE}/writable is writable by everybody (mode 0777)'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_program(container, hooks, case):
    text, mode, cause = BAD[case]
    one = container('bad', section(f'PreStart={hooks(case, text, mode)}'))
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith(f'failed to run the hook PreStart={PLACE}/{case}: {cause}')


def test_untrusted_places(container, hooks, machine):
    """A directory that somebody else can write, a file of somebody else, a directory, nothing."""
    hooks('open/program', '#!/bin/sh\n')
    hooks('users', '#!/bin/sh\n')
    machine.run(f'chmod 1777 {PLACE}/open && chown 1000 {PLACE}/users && ln -s {PLACE}/users /run/link-of-root')
    one = container('bad', DEFINITION)
    try:
        for program, cause in ((f'{PLACE}/open/program', f'{PLACE}/open is writable by everybody (mode 1777)'),
                               (f'{PLACE}/users', f'{PLACE}/users belongs to user 1000, not to root'),
                               ('/run/link-of-root', f'{PLACE}/users belongs to user 1000, not to root'),
                               (PLACE, 'it is not a regular file'), ('/no/where', 'No such file or directory')):
            one.define(section(f'PreStart={program}'))
            assert one.start(check=False).returncode != 0
            assert one.show('StatusText').endswith(cause)
    finally:
        machine.remove('/run/link-of-root')


def test_time_limit(container, hooks, machine):
    """It is killed with what it started, also what left its session, and the start fails."""
    hooks('slow', f'#!/bin/sh\necho waiting\nsetsid sleep 4322 &\nsleep 4322\n')
    one = container('slow', section(f'PreStart={PLACE}/slow', 'Timeout=3500ms'))
    begin = time.monotonic()
    assert one.start(check=False).returncode != 0
    assert 3.4 < time.monotonic() - begin
    assert one.show('StatusText').endswith('it did not end within 3.5 s, [Hooks] Timeout=, and said last: waiting')
    assert machine.run("pgrep -f 'sleep 432[2]'", check=False).stdout == ''


def test_much_output(container, hooks):
    """More than a pipe holds, lines without end, and what tries to be a field or a priority."""
    hooks('talk', '#!/bin/sh\nhead -c 200000 /dev/zero | tr "\\0" x\necho\nprintf "<0>emergency\\nPRIORITY=0\\n"\n'
                  'printf last\n')
    one = container('talking', section(f'StartHost={PLACE}/talk'))
    one.start()
    lines = lines_of(one, 'HOOK=start-host')
    assert sum(len(line) for line in lines if set(line) == {'x'}) == 200000
    assert lines[-3:] == ['<0>emergency', 'PRIORITY=0', 'last']
    assert lines_of(one, 'HOOK=start-host', 'PRIORITY=0') == []


def test_stop_during_a_hook(container, hooks, machine):
    """Whichever hook of a start runs when systemd is told to stop the unit: it ends at once, and PostStop= comes after it.
    The last two are run while the unit's main process is held, and its signal with it."""
    writer = hooks('writer')
    one = container('early-stop')
    for kind in ('PreStart', 'PreMount', 'Autodev', 'Mount', 'StartHost', 'Start'):
        one.define(section(f'{kind}=/bin/sleep 4328', f'PostStop={writer} {kind} x', 'Timeout=1h'))
        one.systemctl('start', '--no-block')
        one.wait_for(lambda: machine.run("pgrep -f 'sleep 432[8]'", check=False).stdout != '', 'its hook')
        one.stop()
        assert hooks.seen(kind).state['hook'] == 'post-stop', kind
        assert machine.run("pgrep -f 'sleep 432[8]'", check=False).stdout == '', kind
        if kind.startswith('Start'):
            assert one.show('StatusText').endswith(f'{kind}=/bin/sleep: the container was told to stop while it ran')
        one.systemctl('reset-failed')


def test_stop_at_the_end_of_the_last_hook(container, hooks):
    """The signal of a stop that comes when no hook runs any more, and process 1 still is held, is not lost."""
    hook = hooks('stop', '''#!/bin/sh
        systemctl stop --no-block container@$LXC_NAME
        until grep -Eq "^ShdPnd:.*[1-9a-f]" /proc/$LXC_PID/status; do :; done
        ''')
    one = container('late-stop')
    for _ in range(3):
        one.define(section(f'StartHost={hook}'))
        one.start(check=False)
        one.wait_state('failed')
        assert 'the container was told to stop' in one.show('StatusText')
        one.systemctl('reset-failed')


def test_launcher_killed(container, hooks, machine):
    """kill -9 of the launcher while a hook runs leaves nothing of the hook."""
    hooks('wait', f'#!/bin/sh\nsetsid sleep 4323 &\necho $PPID >{SEEN}/launcher.new; mv {SEEN}/launcher.new '
                  f'{SEEN}/launcher; sleep 4323\n')
    one = container('orphan', section(f'PreMount={PLACE}/wait', 'Timeout=1min'))
    one.systemctl('start', '--no-block')
    wait_for_file(one, f'{SEEN}/launcher')
    machine.run(f'kill -KILL $(cat {SEEN}/launcher)')
    one.wait_state('failed')
    one.wait_for(lambda: machine.run("pgrep -f 'sleep 432[3]'", check=False).stdout == '', 'the end of the hook')


def test_policy(container, hooks):
    """A definition that others could have written cannot name a program of the host."""
    one = container('policy')
    one.define(f'[Root]\nManaged=yes\n[Hooks]\nPreStart={hooks("writer")} policy\n', mode=0o666)
    assert one.start(check=False).returncode != 0
    assert ': PreStart=: may be set only in a definition that root alone can write' in one.show('StatusText')
    with pytest.raises(Exception):
        hooks.seen('policy')


# What a shell inside says of itself.
INSIDE = ('/bin/sh -c "cat; ls /proc/self/fd | xargs echo fds; umask; pwd; env; '
          'grep -E \'^(CapEff|CapBnd|CapAmb|Seccomp|NoNewPrivs|Uid|Groups|Sig...):\' /proc/self/status; '
          'for n in mnt pid net uts ipc user cgroup; do readlink /proc/self/ns/$n; done; '
          'cat /proc/self/cgroup; ls -l /proc/1/exe; ulimit -n; echo done >&2; echo again >/dev/stderr; sleep 4324 &"')
# The container as root inside, and with one id that is not 0.
OWNERS = {
    'root': ('', '0'),
    'one id': ('[Identity]\nIDMap=1000:auto:1\n', '1000'),
    'no user namespace': ('[Identity]\nUserNamespace=no\n', '0'),
}


@pytest.mark.parametrize('owner', OWNERS)
def test_hooks_inside(container, machine, owner):
    """Start= is run in the container, as its root or who is there in place of it, with the capabilities of one, and
    confined as the first program is, which has nothing of that."""
    identity, uid = OWNERS[owner]
    one = container(f'inside-{uid}-{len(identity)}', section(f'Start={INSIDE}') + '[Security]\nCapabilities=~CAP_SYS_BOOT\n' + identity +
                    '[Resources]\nLimitNOFILE=777\n')
    one.start()
    said = lines_of(one, 'HOOK=start')
    state = json.loads(said[0])
    assert (state['hook'], state['name'], state['pid'], state['mount']) == ('start', one.name, 1, '/')
    assert state['unit'] is state['definition'] is state['root'] is state['ids'] is None
    assert said[1:4] == ['fds 0 1 2 3', '0022', '/']
    environment = dict(line.split('=', 1) for line in said if line.startswith(('LXC_', 'PATH')))
    assert environment.pop('PATH')
    assert environment == {'LXC_NAME': one.name, 'LXC_HOOK_TYPE': 'start', 'LXC_HOOK_SECTION': 'lxc',
                           'LXC_HOOK_VERSION': '1', 'LXC_ROOTFS_MOUNT': '/', 'LXC_PID': '1'}
    status = dict(line.split(':\t', 1) for line in said if ':\t' in line)
    assert status['Uid'].split() == [uid] * 4 and not status['Groups'].strip()
    assert status['SigBlk'] == status['SigIgn'] == '0' * 16
    assert int(status['CapAmb'], 16) == int(status['CapEff'], 16) == int(status['CapBnd'], 16) != 0
    assert not int(status['CapBnd'], 16) & 1 << 22, 'CAP_SYS_BOOT'
    assert status['Seccomp'] == '2' and '777' in said
    namespaces = [line for line in said if line.endswith(']') and ':[' in line]
    pid = one.main_pid()
    assert namespaces == machine.run(f'for n in mnt pid net uts ipc user cgroup; do readlink /proc/{pid}/ns/$n; done') \
        .stdout.splitlines()
    # No program of berth's in sight, not even in process 1.
    assert [line for line in said if '/proc/1/exe' in line and 'berth' in line] == []
    assert said[-2:] == ['done', 'again']
    first = machine.run(f'grep -E "^Cap(Amb|Inh)" /proc/{pid}/status').stdout.split()[1::2]
    assert set(first) == {'0' * 16}
    assert machine.run("pgrep -f 'sleep 432[4]'", check=False).stdout == ''


@pytest.mark.parametrize('identity', ['', OWNERS['one id'][0]], ids=['root', 'one id'])
def test_confined_as_the_first_program(container, machine, tmp_path, identity):
    """What the first program finds around itself, Start= finds, too, but for a session keyring of its own."""
    path = probe.install(machine, probe.compile_probe(tmp_path))
    try:
        one = container(f'alike-{len(identity)}', '[Container]\nCommand=/probe report\nArchitecture=x86\n[Root]\n'
                        f'Path={path}\n[Security]\nNoNewPrivileges=yes\nCapabilities=~CAP_SYS_BOOT\n{identity}'
                        '[Resources]\nLimitNOFILE=777\nLimitMEMLOCK=8192\n[Hooks]\nStart=/probe report -- calls\n')
        first = probe.run(one)
        hook = probe.Report('\n'.join(lines_of(one, 'HOOK=start')))
        for key in ('umask', 'cwd', 'uid', 'euid', 'gid', 'egid', 'groups', 'personality', 'machine', 'root', 'boot_id',
                    'keyring.add', 'uid_map', 'oom_score_adj'):
            assert hook[key] == first[key], key
        for prefix in ('rlimit', 'ns'):
            assert hook.below(prefix) == first.below(prefix), prefix
        for name in ('CapBnd', 'NoNewPrivs', 'Seccomp', 'Seccomp_filters'):
            assert hook.status(name) == first.status(name), name
        assert (hook['call.af_alg'], hook['call.bpf']) == ('EAFNOSUPPORT', 'EPERM')
        assert hook['keyring'] != first['keyring']
        assert hook['keyring.description'] == first['keyring.description']
    finally:
        machine.remove(path)


def test_mount_hook(container, hooks, machine):
    """Mount= has the host's files and the container's rights, and mounts into the container alone."""
    writer = hooks('writer')
    # The directory is root's alone: what it writes itself goes through the pipe.
    hooks('mounts', '#!/bin/sh\nid -u; grep -E "^Cap(Eff|Amb):" /proc/self/status; readlink /proc/self/ns/user\n'
                    'cat /etc/shadow >/dev/null 2>&1 && echo shadow; touch /etc/hooked 2>/dev/null && echo touched\n'
                    'cat; mount -t tmpfs inside "$LXC_ROOTFS_MOUNT/mnt" && echo hello >"$LXC_ROOTFS_MOUNT/mnt/file"\n')
    one = container('mounted', section(f'Mount={PLACE}/mounts', f'StartHost={writer} writer x'))
    one.start()
    said = lines_of(one, 'HOOK=mount')
    assert said[0] == '0' and not {'shadow', 'touched'} & set(said)
    status = dict(line.split(':\t', 1) for line in said if ':\t' in line)
    assert int(status['CapEff'], 16) == int(status['CapAmb'], 16) != 0
    assert machine.run(f'readlink /proc/{one.main_pid()}/ns/user').stdout.strip() in said
    state = json.loads(next(line for line in said if line.startswith('{')))
    assert state['mount'] == '/run/berth/stage/root' and state['unit'] == one.unit and state['pid'] is None
    assert one.inside('cat /mnt/file').stdout == 'hello\n'
    assert 'inside' not in machine.run('cat /proc/self/mounts').stdout


BAD_INSIDE = {
    'status': ('Start=/bin/sh -c "echo no; exit 4"', 'Start=/bin/sh: it ended with status 4, and said last: no'),
    'missing': ('Start=/no/where', 'it cannot be executed: there is no such program, or its interpreter is missing'),
    'time': ('Timeout=1\nStart=/bin/sleep 4325', 'it did not end within 1.0 s, [Hooks] Timeout=, and said nothing'),
    'mount': ('Mount=/bin/false', 'Mount=/bin/false: it ended with status 1, and said nothing'),
    'secret': (f'Mount={PLACE}/secret', 'it cannot be executed: it is not executable'),
}


@pytest.mark.parametrize('case', BAD_INSIDE)
def test_failing_inside(container, hooks, machine, case):
    hooks('secret', '#!/bin/sh\n', 0o700)
    lines, cause = BAD_INSIDE[case]
    one = container('bad', section(lines))
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith(cause)
    assert machine.run("pgrep -f 'sleep 432[5]'", check=False).stdout == ''


def test_program_of_the_host(container, machine, tree):
    """A hook of the container's whose interpreter is the launcher's own file (CVE-2019-5736) does not run."""
    path = tree('busybox')
    helper = re.search(r'ExecStart=(\S+)', machine.read('/lib/systemd/system/container@.service'))[1]
    # With what that program would need to run there.
    machine.run(f'for f in $(ldd {helper} | grep -o "/[^ ]*"); do mkdir -p {path}/${{f%/*}} && cp -L $f {path}$f; done')
    machine.write(f'{path}/hook', '#!/proc/self/exe\n', 0o755)
    one = container('tainted', section('Start=/hook').replace('/srv/guests/busybox', path))
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith('Start=/hook: it has /proc/self/exe for its interpreter')
    one.define(section('Start=/proc/self/exe').replace('/srv/guests/busybox', path))
    assert one.start(check=False).returncode != 0
    assert one.show('StatusText').endswith('it cannot be executed: Too many levels of symbolic links')


@pytest.fixture
def ending(container, hooks):
    """A container with hooks of its end, started, and the name of its network namespace."""
    def make(name, *lines):
        writer = hooks('writer')
        one = container(name, section(f'Stop={writer} Stop x', f'PostStop={writer} PostStop x', *lines))
        one.start()
        return one, one.machine.run(f'readlink /proc/{one.main_pid()}/ns/net').stdout.strip()
    return make


def test_stop(ending, hooks):
    """Asked to stop: with the namespaces of what is gone."""
    one, network = ending('stopped')
    one.stop()
    assert (one.show('ActiveState'), one.show('Result')) == ('inactive', 'success')
    stop, post = hooks.seen('Stop'), hooks.seen('PostStop')
    assert stop.all('net') == [network] and post.all('net') == []
    assert stop.all('fds')[0].split() == post.all('fds')[0].split() == ['0', '1', '2', '3', '4']
    assert stop.environment['LXC_TARGET'] == post.environment['LXC_TARGET'] == stop.state['target'] == 'stop'
    assert set(stop.state['namespaces']) == {'mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup', 'user'}
    assert stop.environment['LXC_USER_NS'] == stop.state['namespaces']['user']
    assert (post.state['result'], post.state['exit_code'], post.state['namespaces']) == ('success', 'killed', None)
    assert [line for line in lines_of(one) if line.endswith('was here')] == ['Stop was here', 'PostStop was here']


def test_crash(ending, hooks, machine):
    """Ended by itself: the same hooks, each once, and the unit's result is what it was."""
    one, _ = ending('crashed')
    machine.run(f'kill -KILL {one.main_pid()}')
    one.wait_state('failed')
    assert (one.show('Result'), one.show('ExecMainStatus')) == ('signal', '9')
    stop, post = hooks.seen('Stop'), hooks.seen('PostStop')
    assert stop.text.count('state ') == post.text.count('state ') == 1
    assert stop.state['target'] == post.state['target'] == 'stop' and stop.state['namespaces'] is None
    assert (post.state['result'], post.state['exit_code'], post.state['exit_status']) == ('signal', 'killed', 'KILL')


def test_reboot(ending, hooks):
    """A guest that reboots is told as such, and its next end is one of its own."""
    one, _ = ending('rebooting')
    first = one.main_pid()
    one.inside(['reboot', '-f'], check=False)
    one.wait_another(first)
    assert hooks.seen('Stop').state['target'] == hooks.seen('PostStop').state['target'] == 'reboot'
    assert hooks.seen('PostStop').environment['LXC_TARGET'] == 'reboot'
    one.stop()
    # Appended to what is there.
    assert hooks.seen('Stop').text.count('state ') == 2
    assert '"target":"stop"' in hooks.seen('PostStop').text


def test_failing_stop(container, hooks, machine):
    """A hook that fails, hangs or cannot be run is told, and changes nothing; those behind it are run."""
    hooks('writable', '#!/bin/sh\n', 0o777)
    one = container('badly', section(f'PostStop={PLACE}/writable', 'Stop=/bin/false', 'PostStop=/bin/sleep 4326',
                                     f'PostStop=/bin/touch {SEEN}/last', 'Timeout=3'))
    one.start()
    one.stop()
    assert (one.show('ActiveState'), one.show('Result')) == ('inactive', 'success')
    assert [line for line in lines_of(one) if line.startswith('The hook ')] == [
        'The hook Stop=/bin/false of container badly failed: it ended with status 1, and said nothing',
        f'The hook PostStop={PLACE}/writable of container badly failed: it is run on the host, and may be written by root '
        f'alone: {PLACE}/writable is writable by everybody (mode 0777)',
        'The hook PostStop=/bin/sleep of container badly failed: it did not end within 3.0 s, [Hooks] Timeout=, and said '
        'nothing']
    assert machine.exists(f'{SEEN}/last')
    assert machine.run("pgrep -f 'sleep 432[6]'", check=False).stdout == ''


def test_end_of_a_failed_start(container, hooks):
    """PostStop= follows a start that failed, too; Stop= only if there was something to stop."""
    writer = hooks('writer')
    one = container('early', section('PreStart=/bin/false', f'Stop={writer} Stop x', f'PostStop={writer} PostStop x'))
    assert one.start(check=False).returncode != 0
    assert (hooks.seen('PostStop').state['target'], hooks.seen('PostStop').state['result']) == ('stop', 'exit-code')
    assert one.show('StatusText').endswith('PreStart=/bin/false: it ended with status 1, and said nothing')
    with pytest.raises(Exception):
        hooks.seen('Stop')
