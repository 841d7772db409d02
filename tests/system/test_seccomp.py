# SPDX-License-Identifier: LGPL-2.1-or-later
"""The filter of system calls: what a container gets by default and by its definition, where its program comes from, and
who answers for calls. Told by the probe, which makes the calls as a container's process 1."""

import platform
import re

import pytest

import probe

DENIED = {'bpf': 'EPERM', 'perf_event_open': 'EPERM', 'userfaultfd': 'EPERM', 'io_uring_setup': 'EPERM',
          'open_by_handle_at': 'EPERM', 'fanotify_init': 'EPERM', 'kexec_load': 'EPERM', 'init_module': 'EPERM',
          'swapon': 'EPERM', 'syslog': 'EPERM', 'quotactl': 'EPERM', 'tiocsti': 'EPERM', 'tiocsti.high': 'EPERM',
          'tioclinux': 'EPERM', 'af_alg': 'EAFNOSUPPORT', 'af_alg.high': 'EAFNOSUPPORT', 'af_vsock': 'EAFNOSUPPORT',
          'netlink_audit': 'EAFNOSUPPORT', 'request_key.callout': 'EPERM', 'mknod': 'EPERM', 'unknown': 'ENOSYS'}
ALLOWED = ('getpid', 'unshare.mount', 'fsopen', 'keyctl', 'seccomp', 'whiteout', 'af_inet')
CACHE = '/var/cache/berth/seccomp'


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return probe.compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture(scope='module')
def probe_tree(local, program):
    path = probe.install(local, program)
    local.write(f'{path}/etc/passwd', 'root::0:0:root:/:/bin/sh\nannie:x:1000:1000::/:/bin/sh\n')
    local.write(f'{path}/etc/group', 'root:x:0:\nannie:x:1000:\n')
    yield path
    local.remove(path)


def definition(tree, security='', sections='', keys='', command='/probe report -- calls'):
    return (f'[Container]\nCommand={command}\n{keys}[Root]\nPath={tree}\nOverlay=yes\n[Security]\n{security}{sections}')


def calls_of(container, tree, *arguments, name='filtered', **words):
    return probe.run(container(name, definition(tree, *arguments, **words)))


def cached(machine):
    return set(machine.run(f'ls {CACHE}').stdout.split())


def test_default(container, probe_tree):
    report = calls_of(container, probe_tree)
    assert report.status('Seccomp') == '2' and report.status('NoNewPrivs') == '0'
    assert {name: report[f'call.{name}'] for name in DENIED} == DENIED
    for name in ALLOWED:
        assert report[f'call.{name}'] == 'ok', name


@pytest.mark.skipif(platform.machine() != 'x86_64', reason='calls of 32-bit programs of x86')
def test_32_bits(container, probe_tree):
    """The same for programs of 32 bits, whose network works; a section is about its architecture alone."""
    report = calls_of(container, probe_tree, 'SeccompRules=[x86]\nSeccompRules=errno EDOM getpid\n')
    x86 = report.below('call.x86')
    assert x86.pop('mount') not in ('EPERM', 'ENOSYS')
    assert x86 == {'getpid': 'EDOM', 'socket.af_alg': 'EAFNOSUPPORT', 'socket.af_inet': 'ok', 'socketcall.af_inet': 'ok',
                   'bpf': 'EPERM', 'unknown': 'ENOSYS'}
    assert report['call.getpid'] == 'ok'


def test_off(container, probe_tree):
    report = calls_of(container, probe_tree, 'Seccomp=off\n')
    assert report.status('Seccomp') == '0'
    # The kernel's own answers.
    assert report['call.af_alg'] != 'EAFNOSUPPORT' or report['call.perf_event_open'] != 'EPERM'
    assert report['call.quotactl'] != 'EPERM'


def test_without_a_user_namespace(container, probe_tree):
    report = calls_of(container, probe_tree, sections='[Identity]\nUserNamespace=no\n')
    assert report['call.keyctl'] == 'EPERM' and report['call.mknod'] != 'EPERM'
    assert report['call.af_alg'] == 'EAFNOSUPPORT' and report['call.bpf'] == 'EPERM'
    nested = calls_of(container, probe_tree, 'Nesting=yes\n', sections='[Identity]\nUserNamespace=no\n', name='nested')
    assert nested['call.keyctl'] == 'ok' and nested['call.bpf'] not in ('EPERM', 'ENOSYS')
    assert nested['call.request_key.callout'] == 'EPERM'


def test_rules(container, probe_tree):
    report = calls_of(container, probe_tree, 'SeccompRules=errno EXDEV getpid\nSeccompRules=allow quotactl\n'
                                             'SeccompRules=errno EDOM socket if arg0 & 0xffffffff == AF_INET\n')
    assert report['call.getpid'] == 'EXDEV' and report['call.af_inet'] == 'EDOM'
    assert report['call.quotactl'] != 'EPERM'
    # Only that exception is new.
    assert report['call.af_alg'] == 'EAFNOSUPPORT'


def test_strict(container, probe_tree):
    report = calls_of(container, probe_tree, 'Seccomp=strict\n')
    for name in ('unshare.mount', 'fsopen', 'keyctl'):
        assert report[f'call.{name}'] == 'EPERM', name
    assert report['call.af_inet'] == 'ok' and report['call.seccomp'] == 'ok'


def test_another_user(container, probe_tree):
    """The filter comes without no_new_privs, and leaves no capability behind."""
    report = calls_of(container, probe_tree, keys='User=annie\n')
    assert report['uid'] == '1000' and report.status('Seccomp') == '2' and report.status('NoNewPrivs') == '0'
    for name in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb'):
        assert int(report.status(name), 16) == 0, name
    assert report['call.af_alg'] == 'EAFNOSUPPORT'


def test_no_id_0(container, probe_tree):
    report = calls_of(container, probe_tree, keys='User=1000\n', sections='[Identity]\nIDMap=1000:auto:1\n')
    assert report.status('Seccomp') == '2' and int(report.status('CapPrm'), 16) == 0


def test_reaper(container, probe_tree):
    report = calls_of(container, probe_tree, keys='Boot=reaper\n')
    assert report.status('Seccomp') == '2' and report['call.af_alg'] == 'EAFNOSUPPORT'


def test_cache(container, machine, probe_tree):
    """A program is made once, of these very files, and a file that is not whole is made again."""
    one = container('cached', definition(probe_tree, 'SeccompRules=errno EDOM getpid\n', command='/probe calls wait'))
    machine.run(f'rm -rf {CACHE}')
    one.start()
    names = cached(machine)
    assert len(names) == 1 and machine.run(f'stat -c %a:%u {CACHE} {CACHE}/*').stdout.split() == ['700:0', '600:0']
    path = f'{CACHE}/{names.pop()}'
    made = machine.run(f'stat -c %i {path}').stdout
    one.stop()
    one.start()
    assert machine.run(f'stat -c %i {path}').stdout == made
    one.stop()
    for damage in (f'truncate -s -8 {path}', f'printf x | dd of={path} bs=1 seek=20 conv=notrunc', f'chmod 666 {path}',
                   f': > {path}', f'rm {path} && ln -s /dev/zero {path}'):
        machine.run(damage)
        one.start()
        now = machine.run(f'stat -c %i:%a:%F {path}').stdout.strip()
        assert now.endswith(':600:regular file'), damage
        one.stop()


def test_kept_with_the_unit(container, machine, probe_tree):
    """systemd holds the program that the container runs with, for whoever joins it later."""
    one = container('kept', definition(probe_tree, command='/probe wait'))
    one.start()
    count = machine.run(f'systemctl show -P NFileDescriptorStore {one.unit}').stdout.strip()
    pid = one.main_pid()
    assert int(machine.run(f'grep -h Seccomp_filters /proc/{pid}/status').stdout.split()[1]) == 1
    held = machine.run('ls -l /proc/1/fd').stdout
    assert re.search(rf'{CACHE}/[0-9a-f]{{64}}', held) and int(count) >= 2


def test_read_only_cache(container, machine, probe_tree):
    machine.run(f'rm -rf {CACHE} && mkdir -p /var/cache/berth && touch {CACHE}')
    try:
        assert calls_of(container, probe_tree)['call.af_alg'] == 'EAFNOSUPPORT'
    finally:
        machine.run(f'rm -f {CACHE}')


@pytest.mark.parametrize('security, words', [
    ('SeccompRules=allow nosuchcall\n', 'nosuchcall is no call that libseccomp knows'),
    ('SeccompRules=permit read\n', 'permit is not known'),
    ('Seccomp=missing\n', 'the profile missing is in none of the directories'),
    ('SeccompRules=notify getpid\n', 'SeccompNotify= does not say who answers'),
    ('SeccompNotify=/run/x\n', 'no rule has the action notify'),
    ('SeccompRules=notify getpid\nSeccompNotify=/run/nobody\n', 'nobody is there to answer'),
    ('SeccompRules=errno EXDEV execve\n', 'failed to run /probe'),
])
def test_refused(container, probe_tree, security, words):
    one = container('refused', definition(probe_tree, security))
    one.start(check=False)
    assert words in one.status()


def test_untrusted_file(container, machine, probe_tree):
    """A profile that others can write is none."""
    machine.write('/etc/berth/seccomp/loose.seccomp', 'default allow\n')
    machine.run('chmod 666 /etc/berth/seccomp/loose.seccomp')
    try:
        one = container('loose', definition(probe_tree, 'Seccomp=loose\n'))
        one.start(check=False)
        assert 'is not a file that root alone can write' in one.status()
    finally:
        machine.run('rm -r /etc/berth/seccomp')


def test_long_complaint(container, machine, probe_tree):
    """What the compiler says of a profile is told, also when it is more than it may write."""
    machine.write('/etc/berth/seccomp/long.seccomp', 'allow read\nallow ' + 'x' * 50000 + '\n')
    try:
        one = container('long', definition(probe_tree, 'Seccomp=long\n'))
        one.start(check=False)
        assert '/etc/berth/seccomp/long.seccomp:2: xxxx' in one.show('StatusText')
    finally:
        machine.run('rm -r /etc/berth/seccomp')


SERVER = '''
import array, ctypes, fcntl, os, socket, struct, sys
path, mode = sys.argv[1:]
listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listening.bind(path + '.new')
listening.listen(0)
os.rename(path + '.new', path)      # who sees it can connect
if mode == 'deaf':
    import time
    waiting = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    waiting.connect(path)
    print('full', flush=True)
    time.sleep(3600)
print('listening', flush=True)
client = listening.accept()[0]
message, control, _, _ = client.recvmsg(256, socket.CMSG_SPACE(4))
fd = struct.unpack('i', control[0][2])[0]
print('given', message.decode().strip(), flush=True)
if mode == 'hangup':
    sys.exit(0)
if mode == 'silent':
    import time
    time.sleep(3600)
client.send(b'.')
for _ in range(int(mode)):
    request = bytearray(80)
    fcntl.ioctl(fd, 0xC0502100, request)
    (number,) = struct.unpack_from('Q', request)
    fcntl.ioctl(fd, 0xC0182101, bytearray(struct.pack('QqiI', number, 0, -71, 0)))
    print('answered', flush=True)
'''


@pytest.fixture
def server(machine):
    """server(MODE) starts somebody who answers so many calls with EPROTO and ends."""
    machine.write('/run/notify-server.py', SERVER)

    def run(mode, name='answers'):
        started.append(name)
        machine.run(f'rm -f /run/{name} /run/{name}.new; systemd-run --quiet --collect --unit={name} '
                    f'/usr/bin/python3 /run/notify-server.py /run/{name} {mode}')
        machine.run(f'until [ -S /run/{name} ]; do sleep 0.05; done')
    started = []
    yield run
    machine.run(f'systemctl stop {" ".join(started)} || true; rm -f /run/notify-server.py '
                f'{" ".join("/run/" + name for name in started)}')


NOTIFY = 'SeccompRules=notify getpgid\nSeccompNotify=/run/answers\n'


def test_notify(container, server, probe_tree):
    """The server answers two calls and ends; from then on they do not exist."""
    server('2')
    report = calls_of(container, probe_tree, NOTIFY, command='/probe notified')
    assert report.all('notified') == ['EPROTO', 'EPROTO', 'ENOSYS', 'ENOSYS']


def test_notify_not_taken(container, machine, server, probe_tree):
    """Servers that hang up, take the descriptor and say nothing, and let nobody in: at the same time, since some of it
    takes as long as they have."""
    modes = {'hangup': 'hung up when it was given', 'silent': 'has not said within 10 s', 'deaf': 'has not accepted a connection'}
    several = {}
    for mode in modes:
        server(mode, name=f'answers-{mode}')
        several[mode] = container(f'unanswered-{mode}', definition(
            probe_tree, NOTIFY.replace('/run/answers', f'/run/answers-{mode}'), command='/probe notified'))
    several['deaf'].wait_for(lambda: 'full' in machine.journal('answers-deaf'), 'a full queue')
    machine.run(['systemctl', 'start', *(one.unit for one in several.values())], check=False)
    for mode, one in several.items():
        assert modes[mode] in one.status()


@pytest.mark.parametrize('guest', ['debian12', 'debian13'])
def test_a_whole_system(container, machine, tree, guest):
    """A guest boots without a failed unit, and its services' sandboxes, filters among them, work."""
    path = tree(guest)
    machine.write(f'{path}/etc/systemd/system/sandboxed.service', '[Service]\nType=oneshot\nRemainAfterExit=yes\n'
                  'ExecStart=/bin/sh -c "grep -h Seccomp_filters /proc/self/status > /var/lib/sandboxed/told"\nPrivateTmp=yes\n'
                  'PrivateDevices=yes\nProtectSystem=strict\nProtectHome=yes\nProtectKernelTunables=yes\nDynamicUser=yes\n'
                  'StateDirectory=sandboxed\nSystemCallFilter=@system-service\nPrivateUsers=yes\n'
                  'RestrictAddressFamilies=AF_UNIX\nRestrictNamespaces=yes\nMemoryDenyWriteExecute=yes\nLockPersonality=yes\n'
                  'KeyringMode=private\nIPAddressDeny=any\n')
    one = container('whole', f'[Root]\nPath={path}\n')
    one.start()
    inside = f'nsenter -t {one.main_pid()} -a '
    one.wait_for(lambda: machine.run(f'{inside} systemctl is-system-running', check=False).stdout.strip() == 'running',
                 'running', 120)
    assert machine.run(f'{inside} systemctl --failed --no-legend --plain').stdout.strip() == ''
    machine.run(f'{inside} systemctl start sandboxed')
    told = machine.run(f'{inside} cat /var/lib/sandboxed/told').stdout
    assert int(told.split()[1]) > 1
