# SPDX-License-Identifier: LGPL-2.1-or-later
"""AppArmor, in a machine whose kernel has it: the profile that a container gets, what it denies and what it must not deny,
where it comes from, and what happens where it cannot be had."""

import itertools
import re

import pytest

import probe

CACHE = '/var/cache/berth/apparmor'
KERNEL = '/sys/kernel/security/apparmor'
PARSER = '/usr/sbin/apparmor_parser'
GENERATED = re.compile(r'berth-[0-9a-f]{64} \(enforce\)')
NAMESPACE = 'berth'
COMMAND = '[Container]\nCommand={}\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n[Security]\n{}'


@pytest.fixture
def machine(vm):
    return vm


@pytest.fixture
def probe_tree(machine, tmp_path):
    path = probe.install(machine, probe.compile_probe(tmp_path))
    yield path
    machine.remove(path)


def sleeper(security=''):
    return COMMAND.format('/bin/sleep 100000', security)


def label(one):
    return one.machine.run(f'cat /proc/{one.main_pid()}/attr/apparmor/current').stdout.strip()


def loaded(machine):
    return [name for name in machine.run(f'ls {KERNEL}/policy/profiles').stdout.split() if name.startswith('berth-')]


serial = itertools.count()


def denials(machine):
    """What containers were denied so far, all of it: the kernel tells it later than it does it, in order, and here is told
    of a mark as well, that there is no such profile."""
    def grep(pattern):
        return machine.run(f'journalctl --sync; journalctl --no-pager -b -o cat --grep \'{pattern}\' || true').stdout.splitlines()
    mark, seen = f'mark-{next(serial)}-end', []
    for _ in range(100):
        machine.run(f'echo 0 >/proc/sys/kernel/printk_ratelimit; printf %s {mark} >{KERNEL}/.remove', check=False)
        seen = grep(f'name="{mark}"')
        if seen:
            break
    assert seen, 'the kernel tells nothing'
    return grep('apparmor="DENIED".*"berth-')


def finished(one, since=None):
    """What its command says, of lines of KEY=VALUE up to the end of its attempts: a list of values for each key."""
    told = {}
    for key, value in probe.output(one, since or probe.start(one), 'attempts=done').pairs:
        told.setdefault(key, []).append(value)
    return told


@pytest.mark.parametrize('more', ['', '[Identity]\nUserNamespace=no\n'], ids=['usual', 'without-user-namespace'])
def test_guests(container, machine, more):
    """Whole systems boot, and nothing that they do on the way is denied."""
    before = denials(machine)
    guests = [container(guest, f'[Root]\nPath=/srv/guests/{guest}\nOverlay=yes\n{more}')
              for guest in ('debian12', 'debian13')]
    for one in guests:
        one.start()
        assert GENERATED.fullmatch(label(one))
    for one in guests:
        inside = f'nsenter -t {one.main_pid()} -a systemctl '
        one.wait_for(lambda: machine.run(f'{inside} is-system-running', check=False).stdout.strip() in ('running', 'degraded'),
                     'a booted guest', 90)
        assert machine.run(f'{inside} --failed --no-legend --plain').stdout == ''
        # Both have PrivateNetwork= and half of the other sandboxes.
        machine.run(f'{inside} start systemd-hostnamed systemd-localed')
        # This one alone leaves the cgroup tree as it is, below a /sys that it makes read-only.
        machine.run(f'nsenter -t {one.main_pid()} -a systemd-run --quiet --wait -p ProtectKernelTunables=yes true')
    # That systemd may not look at who asked it is because that came in from outside, without a label.
    assert [line for line in denials(machine)[len(before):] if 'peer="unconfined"' not in line] == []


RESTRICT = '''
mount -t tmpfs place /mnt || echo refused=tmpfs
for a in '' ,nosuid,nodev; do for b in '' ,noexec; do for c in '' ,noatime ,relatime,nodiratime ,strictatime
do for d in '' ,nosymfollow; do
        mount -o "remount,bind,ro$a$b$c$d" /mnt || echo "refused=remount,bind,ro$a$b$c$d"
done; done; done; done
/tmp/busybox mount -o remount,bind,ro,nosuid,nodev,noexec /mnt || echo "refused=by mount"
umount /mnt
echo "label=$(cat /proc/self/attr/apparmor/current)"
'''


def test_fresh_proc(container, machine):
    """Where systemd's sandboxes mount a /proc of their own, root of the host still names none of its programs."""
    place = '/run/systemd/namespace-1'
    names = 'core_pattern modprobe poweroff_cmd'
    one = container('fresh', COMMAND.format(
        f'/bin/sh -c "mkdir -p {place}; mount -t proc proc {place} && echo mounted >/run/said; for i in {names}; do '
        f'(echo $(cat {place}/sys/kernel/$i) >{place}/sys/kernel/$i) 2>/dev/null && echo $i >>/run/said; done; '
        'echo end >>/run/said; exec sleep 100000"', '[Identity]\nUserNamespace=no'))
    one.start()
    said = f'/proc/{one.main_pid()}/root/run/said'
    one.wait_for(lambda: 'end' in machine.run(['cat', said], check=False).stdout, 'the attempts')
    assert machine.read(said).split() == ['mounted', 'end']


@pytest.mark.parametrize('identity', ['', '[Identity]\nUserNamespace=no\n'], ids=['usual', 'without-user-namespace'])
def test_mounts(container, machine, identity):
    """Remounts that only restrict are allowed in any mix, by the newer system calls and the old one; a tmpfs can be mounted
    by calls that have no name for where it comes from."""
    machine.write('/run/mounts.sh', f'({RESTRICT}) 2>&1; echo attempts=done; exec sleep 100000\n')
    one = container('mounts', '[Container]\nCommand=/bin/sh /tmp/mounts.sh\n[Root]\nPath=/srv/guests/debian13\nReadOnly=yes\n'
                    + identity + '[Mount]\nType=tmpfs\nTarget=/tmp\n'
                    + ''.join(f'[Mount]\nSource={source}\nTarget=/tmp/{name}\nCreate=yes\nReadOnly=yes\n'
                              for source, name in (('/run/mounts.sh', 'mounts.sh'), ('/usr/bin/busybox', 'busybox'))))
    before = denials(machine)
    told = finished(one)
    machine.remove('/run/mounts.sh')
    assert 'refused' not in told and GENERATED.fullmatch(told['label'][0]), told
    assert denials(machine) == before


PLACES = """
mkdir -p /tmp/a /tmp/b /run/systemd/mount-rootfs/proc
mount -t debugfs none /run/systemd/mount-rootfs/proc 2>/dev/null && echo "taken=debugfs"
for i in debugfs tracefs sysfs proc cgroup2 securityfs devtmpfs configfs bpf pstore binfmt_misc; do
        for source in none /a; do for flags in rw ro nosuid,nodev,noexec; do
                mount -t $i -o $flags $source /tmp/a 2>/dev/null && echo "taken=$i $source $flags"
        done; done
done
mount -t ext4 /dev/null /tmp/a 2>&1 | grep -i "permission denied" || echo taken=ext4
for i in "bind /proc/sys" "bind /sys/kernel" "rbind /sys"; do mount -o $i /tmp/a 2>/dev/null && echo "taken=$i"; done
for i in tmpfs ramfs mqueue; do mount -t $i none /tmp/a && umount /tmp/a || echo "refused=$i"; done
for i in shared slave unbindable private rshared rslave runbindable rprivate; do mount --make-$i /tmp || echo "refused=$i"; done
for i in bind rbind; do mount -o $i /etc /tmp/a && mount --move /tmp/a /tmp/b && umount /tmp/b || echo "refused=$i"; done
echo attempts=done
exec sleep 100000
"""


def test_places(container, machine):
    """Without a user namespace mount(2) takes each kind of file system where it belongs, whatever its source is said to be,
    and what may be bound, moved and made private anywhere is no way around that."""
    machine.write('/srv/scratch/places.sh', PLACES)
    one = container('places', '[Container]\nCommand=/bin/sh /tmp/script\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'
                    '[Identity]\nUserNamespace=no\n[Mount]\nType=tmpfs\nTarget=/tmp\n'
                    '[Mount]\nSource=/srv/scratch/places.sh\nTarget=/tmp/script\nCreate=yes\n')
    told = finished(one)
    machine.remove('/srv/scratch/places.sh')
    assert not {'taken', 'refused'} & set(told), told


def test_what_it_denies(container, probe_tree):
    """AF_ALG by calls of 64 and 32 bits, with nothing but AppArmor to deny it; others are not concerned."""
    def calls(security):
        one = container('calls', f'[Container]\nCommand=/probe calls\n[Root]\nPath={probe_tree}\n[Security]\nSeccomp=off\n'
                        + security)
        one.start()
        one.wait_state('inactive')
        return dict(re.findall(r'call\.(\S+)=(\S+)', one.machine.journal(one.unit)))
    open_ = calls('AppArmor=unconfined\n')
    assert open_['af_alg'] == 'ok' and open_['x86.socket.af_alg'] == 'ok', 'nothing to deny'
    seen = calls('')
    for name in ('af_alg', 'af_alg.high', 'x86.socket.af_alg'):
        assert seen[name] == 'EACCES', name
    for name in ('af_inet', 'x86.socket.af_inet', 'x86.socketcall.af_inet'):
        assert seen[name] == 'ok', name


def test_once(container, machine):
    """A profile is compiled once: the next container of its kind has the same, and after a boot it comes from the cache."""
    one, two = container('one', sleeper()), container('two', sleeper())
    one.start()
    two.start()
    name = label(one).split()[0]
    assert GENERATED.fullmatch(label(one)) and label(one) == label(two)
    assert machine.run(f'stat -c %a:%u {CACHE} {CACHE}/{name}').stdout.split() == ['700:0', '600:0']
    made = machine.run(f'stat -c %i {CACHE}/{name}').stdout
    for each in (one, two):
        each.stop()
    assert f'{name}.' in ' '.join(loaded(machine)), 'a stop takes no profile away'

    # As after a boot: the kernel has none. A parser that was run would find nothing to work with.
    machine.run(f'printf %s {name} >{KERNEL}/.remove; mount --bind /dev/null /etc/apparmor.d/abi/4.0')
    try:
        one.start()
        assert label(one).split()[0] == name and machine.run(f'stat -c %i {CACHE}/{name}').stdout == made
        one.stop()
        machine.run(f'printf %s {name} >{KERNEL}/.remove; printf x | dd of={CACHE}/{name} bs=1 seek=99 conv=notrunc')
        assert one.start(check=False).returncode != 0, 'what is not whole is not loaded'
    finally:
        machine.run('umount /etc/apparmor.d/abi/4.0')
    one.start()
    assert machine.run(f'stat -c %i {CACHE}/{name}').stdout != made


PARSER_COUNTED = """#!/bin/sh
echo run >>/run/parser/runs
sleep 1
exec /run/parser/parser "$@"
"""


def test_once_for_two(container, machine):
    """Two containers that start at once, of a kind that was never compiled: one compiles, and the other waits for it."""
    rule = 'AppArmorRules=deny /once-for-two w,\n'
    pair = [container(name, sleeper(rule)) for name in ('cold-one', 'cold-two')]
    machine.run(f'mkdir -m 777 /run/parser && cp {PARSER} /run/parser/parser && touch /run/parser/runs && chmod 666 /run/parser/runs')
    machine.write('/run/parser/counted', PARSER_COUNTED, 0o755)
    machine.run(f'mount --bind /run/parser/counted {PARSER}')
    try:
        machine.run(['systemctl', 'start', *[one.unit for one in pair]])
        assert label(pair[0]) == label(pair[1]) and GENERATED.fullmatch(label(pair[0]))
        assert machine.read('/run/parser/runs').split() == ['run']
    finally:
        machine.run(f'umount {PARSER}; rm -r /run/parser')


def test_rules(container, machine):
    """AppArmorRules= and files of the administrator's are part of the profile; what the parser does not take, and what others
    can write, fails the start."""
    one = container('ruled', sleeper('AppArmorRules=deny /etc/passwd r,\nAppArmorRules=deny /{srv,mnt}/** w,\n'))
    one.start()
    usual = container('usual', sleeper())
    usual.start()
    assert label(one) != label(usual)
    label_of = f'cat /proc/{one.main_pid()}/attr/apparmor/current'
    inside = f'exec 3>/proc/self/attr/apparmor/exec; printf "exec $({label_of} | cut -d" " -f1)" >&3; exec 3>&-; exec nsenter ' \
        f'-t {one.main_pid()} -a cat '
    machine.write('/run/enter.sh', inside + '"$@"\n')
    assert machine.run('sh /run/enter.sh /etc/passwd', check=False).returncode != 0
    assert 'tty' in machine.run('sh /run/enter.sh /etc/group').stdout
    machine.remove('/run/enter.sh')

    wrong = container('wrong', sleeper('AppArmorRules=deny /etc/passwd nonsense,\n'))
    assert wrong.start(check=False).returncode != 0
    assert 'failed to confine it by AppArmor: ' in wrong.show('StatusText')
    assert 'in: deny /etc/passwd nonsense,' in wrong.show('StatusText')

    machine.write('/etc/berth/apparmor.d/50-site.aa', '#when !nesting\ndeny /etc/group r,\n')
    try:
        usual.restart()
        assert label(usual) != label(one) and len(machine.run(f'ls {CACHE}').stdout.split()) >= 3
        machine.run('chmod 666 /etc/berth/apparmor.d/50-site.aa')
        assert usual.restart(check=False).returncode != 0
        assert '/etc/berth/apparmor.d/50-site.aa is not a file that root alone can write' in usual.show('StatusText')
    finally:
        machine.remove('/etc/berth/apparmor.d')


def test_other_profiles(container, machine):
    for value, expected in (('unconfined', 'unconfined'), ('unchanged', 'unconfined'), ('man_filter', 'man_filter (enforce)')):
        if value == 'man_filter':
            machine.write('/run/own.profile', 'profile man_filter flags=(attach_disconnected) { file, network, capability, }\n')
            machine.run(f'{PARSER} -r /run/own.profile')
        one = container('other', sleeper(f'AppArmor={value}\n'))
        one.start()
        assert label(one) == expected
        one.stop()
    machine.run(f'{PARSER} -R /run/own.profile')
    machine.remove('/run/own.profile')
    assert one.start(check=False).returncode != 0
    assert 'the kernel knows no such profile' in one.show('StatusText')


def test_namespace(container, machine):
    """With Nesting= the guest has a policy namespace, which is empty at each start."""
    one = container('nest', sleeper('Nesting=yes\n'))
    one.start()
    assert re.match(r'berth-[0-9a-f]{64}//&:berth-nest:unconfined \((enforce|mixed)\)$', label(one))
    machine.write('/run/own.profile', 'profile own { file, }\n')
    machine.run(f'{PARSER} -r -n berth-nest /run/own.profile; test -n "$(ls {KERNEL}/policy/namespaces/berth-nest/profiles)"')
    one.restart()
    assert machine.run(f'ls {KERNEL}/policy/namespaces/berth-nest/profiles').stdout == ''
    one.stop()
    machine.run(f'rmdir {KERNEL}/policy/namespaces/berth-nest; rm /run/own.profile')


# What a guest says of its policy before and after it loads a profile, and what then holds for a process under that.
POLICY = """
(
mkdir /tmp/m; cd /sys/kernel/security || exit
echo "place=$(echo $(ls -A))"
for i in ima evm integrity lockdown lsm tpm0; do
        for j in $i apparmor/../$i apparmor/policy/../$i; do [ ! -e $j ] || echo reached=$j; done
done
cd apparmor || exit
echo "profiles=$(echo $(cat profiles))"
for i in policy/.. policy/../../profiles policy/profiles; do ls $i >/dev/null 2>&1 && echo reached=$i; done
for i in own :{namespace}-own-a:own :{namespace}-own-b:own; do (printf %s "$i" >.remove) 2>/dev/null && echo "removed=$i"; done
dd if=/tmp/own bs=1M of=.replace 2>/dev/null && echo "loaded=$(echo $(cat profiles))"
under() {{
        (echo "exec $1" >/proc/self/attr/apparmor/exec && shift && exec "$@") 2>/dev/null
}}
under own sh -c 'echo "label=$(cat /proc/self/attr/apparmor/current)"; for i in passwd group shells; do cat /etc/$i >/dev/null && echo "read=$i"; done'
under unconfined cat /etc/shells && echo freed=yes
su -s /bin/sh nobody -c 'printf own >/sys/kernel/security/apparmor/.remove' 2>/dev/null && echo removed=by-a-user
for i in "umount policy" "umount -l policy" "umount -l ." "umount -l .." "mount -o bind . /tmp/m" "mount -o bind .. /tmp/m"; do
        (cd /sys/kernel/security/apparmor; $i 2>/dev/null) && echo "lifted=$i"
done
busybox unshare -Urm sh -c 'umount -l /sys/kernel/security/apparmor/policy' 2>/dev/null && echo lifted=in-another-namespace
busybox unshare -Ur sh -c 'printf own >.remove' 2>/dev/null && echo removed=by-another-namespace
); echo attempts=done
exec sleep 100000
"""
RIGHT = 'Nesting=yes\nCapabilities=CAP_MAC_ADMIN\nAppArmorRules=deny /etc/shells r,\n'


@pytest.fixture
def policies(container, machine):
    """Containers that load a profile "own", which forbids a file that the test names."""
    def make(name, forbidden, security=RIGHT):
        machine.write(f'/run/own/{name}.profile', f'profile own flags=(attach_disconnected) {{ file, network, deny {forbidden} r, }}\n')
        machine.run(f'{PARSER} -QKS /run/own/{name}.profile >/run/own/{name}')
        machine.write(f'/run/own/{name}.sh', POLICY.format(namespace=NAMESPACE))
        one = container(name, '[Container]\nCommand=/bin/sh /tmp/script\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'
                        '[Mount]\nType=tmpfs\nTarget=/tmp\n' + ''.join(
                            f'[Mount]\nSource=/run/own/{name}{end}\nTarget=/tmp/{place}\nCreate=yes\nReadOnly=yes\n'
                            for end, place in (('', 'own'), ('.sh', 'script'))) + f'[Security]\n{security}')
        return one, probe.start(one)

    yield make
    machine.remove('/run/own')


def test_policy_of_its_own(policies, machine):
    """A guest with the right to do so loads profiles, which hold inside and are nobody else's; the outer one still holds."""
    guests = policies('own-a', '/etc/passwd'), policies('own-b', '/etc/group')
    for guest, forbidden in zip(guests, ('passwd', 'group')):
        told = finished(*guest)
        assert told['place'] == ['apparmor'] and 'reached' not in told and told['profiles'] == [''], told
        assert told['loaded'] == ['own (enforce)'] and told['label'] == ['own (enforce)'], told
        assert told['read'] == [name for name in ('passwd', 'group') if name != forbidden], told
        assert not {'removed', 'freed', 'lifted'} & set(told), told
    assert not [name for name in machine.run(f'ls {KERNEL}/policy/profiles').stdout.split() if name.startswith('own')]
    for each, _ in guests:
        path = f'{KERNEL}/policy/namespaces/{NAMESPACE}-{each.name}'
        assert machine.run(f'ls {path}/profiles').stdout.startswith('own.')
        each.stop()
        machine.run(f'rmdir {path}')


NO_RIGHT = {
    'no-right': 'Nesting=yes\n',
    'no-nesting': 'Capabilities=CAP_MAC_ADMIN\n',
    'masked': f'{RIGHT}MaskPaths=/sys/kernel/security\n',
    'unconfined': 'Nesting=yes\nCapabilities=CAP_MAC_ADMIN\nAppArmor=unconfined\n',
}


def test_no_policy_of_its_own(policies, machine):
    """What is missing for that: the right, the namespace, the place, the label."""
    guests = [policies(name, '/etc/passwd', security) for name, security in NO_RIGHT.items()]
    for each, since in guests:
        told = finished(each, since)
        assert told.get('place', ['']) == [''] and not {'loaded', 'removed'} & set(told), (each.name, told)
        machine.run(f'rmdir {KERNEL}/policy/namespaces/{NAMESPACE}-{each.name} 2>/dev/null', check=False)


@pytest.mark.parametrize('lose, words', [
    (f'mount --bind /dev/null {PARSER}', f'{PARSER} is not installed'),
    (f'cp -r {KERNEL}/features /run/features; rm -r /run/features/mount; mount --bind /run/features {KERNEL}/features',
     'does not mediate mounts'),
], ids=['parser', 'mounts'])
def test_incomplete(container, machine, lose, words):
    """What is missing fails the start, unless the definition says that it may be missing."""
    one = container('incomplete', sleeper())
    machine.run(lose)
    try:
        assert one.start(check=False).returncode != 0
        assert words in one.show('StatusText') and 'AppArmorAllowIncomplete=yes starts it' in one.show('StatusText')
        one.define(sleeper('AppArmorAllowIncomplete=yes\n'))
        one.start()
        assert 'not confined by AppArmor as it should be' in one.journal()
        assert (label(one) == 'unconfined') == ('parser' in lose)
        one.stop()
    finally:
        machine.run(f'umount {PARSER} {KERNEL}/features 2>/dev/null; rm -rf /run/features')


def test_hook(container):
    """A program of the container's own that a hook runs is confined as the first program is."""
    one = container('hooked', sleeper() + '[Hooks]\nStart=/bin/cat /proc/self/attr/apparmor/current\n')
    one.start()
    assert GENERATED.fullmatch(label(one)) and label(one) in one.journal().splitlines()
