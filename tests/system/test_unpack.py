# SPDX-License-Identifier: LGPL-2.1-or-later
"""Roots from archives and directories: what is in them is what is in the store, and what is hostile in them gets nowhere.
"""

import gzip
import stat
import subprocess

import pytest

from store import FOREIGN, STORE, Store, archives, tar_with
from waiting import wait_for

member, link, directory = archives.member, archives.link, archives.directory
HARD = archives.tarfile.LNKTYPE
CANARY = ('/srv/scratch/canary', '/etc/berth', '/var/lib/machines', STORE)


@pytest.fixture
def store(machine):
    one = Store(machine)
    yield one
    one.clear()


def compressed(program, content):
    return subprocess.run(program, input=content, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize('program', [
    ['cat'], ['gzip', '-c'], ['bzip2', '-c'], ['xz', '-c'], ['xz', '--format=lzma', '-c'], ['zstd', '-c'],
    ['lz4', '-c'], ['xz', '-T0', '-9e', '-c'], ['zstd', '--long=27', '-19', '-c']], ids=' '.join)
def test_compressions(store, program):
    store.create_tar('web', compressed(program, tar_with(member('./file', content=b'content'))))
    assert store.root('web')['file']['size'] == 7
    assert store.machine.read(f'{STORE}/roots/web/file') == 'content'


@pytest.mark.parametrize('form', [archives.PAX, archives.GNU, archives.USTAR])
def test_what_is_in_it(store, form):
    long = 'a' * 90 + '/' + 'b' * 90
    done = store.create_tar('web', tar_with(
        member('./file', content=b'content', uid=1000, gid=100, mode=0o640, mtime=1000000000),
        member('./set-id', mode=0o6755), directory('./sticky', mode=0o1777, uid=65534),
        link('./link', '/etc/passwd'), link('./hard', './file', HARD), member('./fifo', archives.tarfile.FIFOTYPE, mode=0o600),
        member('./' + long, content=b'x'), directory('./empty', mtime=1000000000), form=form))
    assert 'berthctl' not in done.stdout

    root = store.root('web')
    own = (FOREIGN, FOREIGN)
    assert {(f['uid'], f['gid']) for path, f in root.items() if path not in ('file', 'hard', 'sticky')} == {own}
    one = root['file']
    assert (one['uid'], one['gid'], one['mtime']) == (FOREIGN + 1000, FOREIGN + 100, 1000000000)
    assert stat.S_IMODE(one['mode']) == 0o640 and one['nlink'] == 2 and one['ino'] == root['hard']['ino']
    assert stat.S_IMODE(root['set-id']['mode']) == 0o6755
    assert stat.S_IMODE(root['sticky']['mode']) == 0o1777 and root['sticky']['uid'] == FOREIGN + 65534
    assert root['link']['link'] == '/etc/passwd'
    assert stat.S_ISFIFO(root['fifo']['mode']) and stat.S_IMODE(root['fifo']['mode']) == 0o600
    assert root[long]['size'] == 1
    assert root['empty']['mtime'] == 1000000000


def test_attributes(store, machine):
    """As GNU tar writes them: of users, capabilities, access control lists for a user and by default; and a hole."""
    machine.run('''set -e
        mkdir -p /var/tmp/source/etc /var/tmp/source/inherits
        cd /var/tmp/source
        echo x > plain; setfattr -n user.colour -v red plain
        cp /bin/true program; setcap cap_net_raw+ep program
        setfacl -m u:1234:rw plain; setfacl -d -m g:5:rwx inherits; echo x > inherits/file
        truncate -s 1G sparse; printf end | dd of=sparse bs=1 seek=1000000 conv=notrunc status=none
        truncate -s 2G sparse
        tar --xattrs --xattrs-include='*' --acls --sparse -cf /var/tmp/archive .
        rm -r /var/tmp/source''')
    done = store.create('web', '--tar=/var/tmp/archive')
    root = store.root('web')
    assert 'left out' not in done.stdout + done.stderr
    assert bytes.fromhex(root['plain']['attributes']['user.colour']) == b'red'
    # As the kernel keeps them for another user namespace's root: version 3, with that root's id at the end.
    capability = bytes.fromhex(root['program']['attributes']['security.capability'])
    assert capability[3] == 3 and int.from_bytes(capability[20:], 'little') == FOREIGN
    acl = bytes.fromhex(root['plain']['attributes']['system.posix_acl_access'])
    assert (FOREIGN + 1234).to_bytes(4, 'little') in acl
    assert 'system.posix_acl_default' in root['inherits']['attributes']
    assert 'system.posix_acl_default' not in root['inherits/file']['attributes']
    assert root['sparse']['size'] == 2 << 30 and root['sparse']['blocks'] * 512 < 1 << 20


def test_what_is_left_out(store):
    done = store.create_tar('web', tar_with(
        member('./dev/null', archives.tarfile.CHRTYPE), member('./dev/sda', archives.tarfile.BLKTYPE),
        member('./mine', uid=4000000, gid=5), member('/etc/absolute', content=b'x'),
        member('./odd', pax_headers={'SCHILY.xattr.trusted.overlay.opaque': 'y'})))
    said = done.stdout + done.stderr
    for sentence in ('2 device nodes were left out, the first is ./dev/null', 'owner above 65535', './mine',
                     'began with "/"', '/etc/absolute', 'extended attribute'):
        assert sentence in said, said
    root = store.root('web')
    assert 'dev/null' not in root and 'dev/sda' not in root
    assert root['mine']['uid'] == FOREIGN + 65534 and root['mine']['gid'] == FOREIGN + 5
    assert 'etc/absolute' in root and not root['odd']['attributes']


REFUSED = {
    'parent': 'has ".."', 'parent-inside': 'has ".."', 'through-link': 'symbolic link', 'through-deep-link': 'symbolic link',
    'directory-over-link': 'twice', 'link-over-directory': 'twice', 'hard-outside': 'has ".."',
    'hard-through-link': 'cannot make a', 'hard-to-nothing': 'is not there', 'hard-to-directory': 'directory',
    'root-is-link': 'replace the root', 'root-is-file': 'tar archive', 'deep': 'too many directories',
    'long': 'too long', 'long-link': 'too long', 'wrapped': 'in the directory rootfs', 'cut': 'runcated', 'cut.gz': 'runcated',
    'cut-at-member': 'cut off', 'checksum.gz': 'checksum is wrong', 'checksum': 'nrecognized', 'empty': 'it is empty', 'zeros': 'nothing in it',
    'garbage': 'nrecognized',
}


def test_hostile_archives(store, machine):
    """Refused each with its reason, and nothing is different afterwards; those that are taken stay where they belong."""
    corpus = dict(archives.archives())
    assert not REFUSED.keys() - corpus.keys()
    machine.run(['mkdir', '-p', '/srv/scratch/canary'])
    machine.write('/srv/scratch/canary/file', 'untouched')
    store.create_tar('first', tar_with())
    before = store.listed(*CANARY)
    wrong = []
    for name, content in corpus.items():
        done = store.create_tar('web', content, check=False)
        if name in REFUSED:
            if done.returncode == 0 or REFUSED[name] not in done.stderr or '\x1b' in done.stderr:
                wrong.append(f'{name}: {done}')
        else:
            if done.returncode != 0:
                wrong.append(f'{name}: {done}')
                continue
            store.remove('web', '--data')
        after = store.listed(*CANARY)
        for path in (f'{STORE}/{room}' for room in ('containers', 'roots', 'trash')):
            after[path]['mtime'] = before[path]['mtime']
        if after != before:
            wrong.append(f'{name}: something is different afterwards')
    machine.remove('/srv/scratch/canary')
    assert not wrong, '\n'.join(wrong)


def test_names_are_shown_harmlessly(store):
    done = store.create_tar('web', tar_with(member('./a\nb\x1b[31m/../x', content=b'x')), check=False)
    assert done.returncode != 0
    assert '\\n' in done.stderr and '\x1b' not in done.stderr
    store.create_tar('web', tar_with(member('./a\nb\x1b[31m', content=b'x')))
    assert 'a\nb\x1b[31m' in store.root('web')


def test_damaged(store):
    """A byte that is wrong in the middle, in every compression that has a checksum of its own or whose data does."""
    content = tar_with(*[member(f'./{i}', content=bytes(range(256)) * 16) for i in range(50)])
    for program in (['bzip2', '-c'], ['xz', '-c'], ['zstd', '-c']):
        packed = bytearray(compressed(program, content))
        packed[len(packed) // 2] ^= 0x55
        assert store.create_tar('web', bytes(packed), check=False).returncode != 0, program
    assert not {e for e in store.entries() if 'web' in e}


def test_pipe(store, machine):
    store.write(gzip.compress(tar_with(member('./file', content=b'x' * 300000))))
    store.made.append('web')
    machine.run('cat /var/tmp/archive | berthctl create web --tar=-')
    assert store.root('web')['file']['size'] == 300000


def test_unpacker_is_confined(store, machine):
    """While it waits for more: no right over the host, no other root, nothing open but what it was given."""
    store.write(tar_with())
    store.made.append('web')
    look = '''pid=$(pgrep -x berth-unpack) && ls -d /var/lib/berth/roots/.web.new-*/etc || exit
        cat /proc/$pid/status /proc/$pid/uid_map
        wc -l < /proc/$pid/mountinfo
        grep -c . /proc/$pid/environ
        for n in user mnt net pid ipc uts cgroup; do
            [ $(readlink /proc/$pid/ns/$n) != $(readlink /proc/self/ns/$n) ] || echo shared $n
        done
        ls -l /proc/$pid/fd'''
    seen = ''

    def waits():
        """It has taken all that is there, has closed what it made, and sleeps."""
        nonlocal seen
        seen = machine.run(look, check=False).stdout
        kinds = [line.split(' -> ')[1].split(':')[0] for line in seen.split('\n') if ' -> ' in line]
        return 'State:\tS' in seen and set(kinds) <= {'pipe', '/dev/null', '/'} and kinds.count('pipe') == 3
    machine.run('''mkfifo /run/more
        systemd-run --quiet --collect --unit=unpacks sh -c '(cat /var/tmp/archive /run/more) | berthctl create web --tar=-' ''')
    try:
        wait_for(machine, waits, lambda: f'the unpacker does not get to wait with nothing else open:\n{seen}')
        machine.run(['dd', 'if=/dev/null', 'of=/run/more', 'status=none'])
        wait_for(machine, lambda: {'containers/web.container', 'roots/web'} <= store.entries(), 'the container')
    finally:
        machine.run('systemctl stop unpacks; rm /run/more', check=False)
    fields = dict(line.split(':', 1) for line in seen.split('\n') if ':' in line and not line.startswith('l'))
    assert fields['Uid'].split() == [str(FOREIGN)] * 4 and fields['Groups'].split() == []
    # chown, dac_override, fowner, fsetid, setfcap
    assert int(fields['CapEff'], 16) == int(fields['CapPrm'], 16) == 0x8000001b
    assert fields['NoNewPrivs'].strip() == '1' and fields['Seccomp'].strip() == '2'
    assert '\n         0 2147352576      65536\n1\n0\n' in seen
    assert 'shared' not in seen


def test_program_refuses_the_host(machine):
    """Run by mistake, as root, in no namespaces."""
    machine.run(['mkdir', '-p', '/var/tmp/target'])
    done = machine.run('echo x | /usr/libexec/berth/berth-unpack archive 3</var/tmp/target 4<&- 5<&-', check=False)
    assert done.returncode != 0 and 'cannot give up rights' in done.stdout
    assert machine.run(['ls', '-A', '/var/tmp/target']).stdout == ''
    machine.remove('/var/tmp/target')


def test_directory_of_root(store, machine):
    machine.run('''mkdir -m 0700 /var/tmp/tree; cd /var/tmp/tree; mkdir etc; echo x > etc/file; ln etc/file hard
        chown 1000:100 etc/file; mknod null c 1 3; ln -s file etc/link; mkfifo fifo; truncate -s 1M sparse
        cp /bin/true program; setcap cap_net_raw+ep program; touch far; chown 70000 far; chmod 0600 far''')
    done = store.create('web', '--directory=/var/tmp/tree')
    machine.remove('/var/tmp/tree')
    root = store.root('web')
    assert 'device node' in done.stdout + done.stderr
    assert stat.S_IMODE(root['']['mode']) == 0o755 and root['']['uid'] == FOREIGN
    assert root['etc/file']['uid'] == FOREIGN + 1000 and root['etc/file']['gid'] == FOREIGN + 100
    assert root['etc/file']['ino'] == root['hard']['ino'] and root['etc/link']['link'] == 'file'
    assert stat.S_ISFIFO(root['fifo']['mode']) and 'null' not in root and 'far' not in root
    assert root['sparse']['size'] == 1 << 20 and root['sparse']['blocks'] == 0
    assert int.from_bytes(bytes.fromhex(root['program']['attributes']['security.capability'])[20:], 'little') == FOREIGN


def test_directory_of_a_user(store, machine):
    """The user's files are the root's inside, and nobody else's come along."""
    machine.run('''mkdir -m 0700 /var/tmp/tree; cd /var/tmp/tree; mkdir etc; echo x > etc/mine; echo x > theirs; echo y > secret
        chown -R 4321:4321 .; chown 4322 theirs; chown 0 secret; chmod 0600 secret; chmod 4755 etc/mine''')
    done = store.create('web', '--directory=/var/tmp/tree')
    machine.remove('/var/tmp/tree')
    root = store.root('web')
    assert root['etc/mine']['uid'] == root['etc/mine']['gid'] == FOREIGN
    assert 'theirs' not in root and 'secret' not in root
    assert '2 files belong to others' in done.stdout + done.stderr


@pytest.mark.parametrize('directory_', ['/etc', '/', '/proc/self', '/sys'])
def test_directory_that_proves_nothing(store, directory_):
    done = store.create('web', f'--directory={directory_}', check=False)
    assert done.returncode != 0 and 'cannot be taken' in done.stderr
    assert not {e for e in store.entries() if 'web' in e}


def test_debian_starts(store, machine):
    """A whole guest, packed by GNU tar with all it has, comes up with nothing wrong in it."""
    machine.run('''tar --xattrs --xattrs-include='*' --acls --numeric-owner -C /srv/guests/debian13 -cf /var/tmp/archive .''',
                timeout=300)
    store.create('web', '--tar=/var/tmp/archive', 'Ready=guest', timeout=300)
    machine.run(['systemctl', 'start', 'container@web'], timeout=300)

    def inside(*argv):
        pid = machine.run(['systemctl', 'show', '--value', '--property=MainPID', 'container@web']).stdout.strip()
        return machine.run(['nsenter', f'--target={pid}', '--all', *argv], check=False, timeout=300).stdout
    assert inside('systemctl', 'is-system-running', '--wait').strip() == 'running'
    owners = machine.run('''cd /srv/guests/debian13; find . -xdev ! -type d ! -type b ! -type c ! -type s -printf '%p %U %G %m %s\\n' |
        grep -v '^./\\(proc\\|sys\\|dev\\|run\\|tmp\\|var\\|etc\\)' | sort''').stdout
    seen = inside('sh', '-c', '''cd /; find . -xdev ! -type d ! -type b ! -type c ! -type s -printf '%p %U %G %m %s\\n' |
        grep -v '^./\\(proc\\|sys\\|dev\\|run\\|tmp\\|var\\|etc\\)' | LC_ALL=C.UTF-8 sort''')
    without_directories = [{line for line in text.split('\n') if line.startswith('./usr/')}
                           for text in (owners, seen)]
    assert without_directories[0] and without_directories[0] == without_directories[1]
