# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a start must refuse: names, definitions and roots that are wrong. Each with an error that says what is wrong
and what would be right; nothing is started, changed or lost. (More of what files may say wrong: tests/unit.)
"""

import pytest

NEVER = 'Command=/bin/touch /never'
SLEEP = '[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath=/srv/guests/busybox\nReadOnly=yes\n'


def refused(container, *words):
    """Its start fails with one sentence, which has these words; the sentence."""
    assert container.start(check=False).returncode != 0, 'it was started'
    sentence = container.show('StatusText')
    assert sentence.startswith(f'Cannot start container {container.name}: failed to ')
    for word in words:
        assert word in sentence, sentence
    assert sentence in container.journal().splitlines()
    assert (container.show('Result'), container.show('ExecMainStatus')) == ('exit-code', '125')
    return sentence


def mounts(machine):
    """The machine's, without those of services, which come and go with them. A container is none."""
    lines = machine.read('/proc/1/mountinfo').splitlines()
    return [line for line in lines if '.service' not in line.split()[4] or 'container@' in line.split()[4]]


def direct(root, more=''):
    return f'[Container]\n{NEVER}\n[Root]\nPath={root}\n{more}'


# -- names ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name', ['..', '.', 'a..b', '-a', 'a-', 'a.', '.a', 'Upper', 'a_b', 'a:b', 'x' * 64,
                                  r'a\x2fb', r'\x2e\x2e\x2fetc', r'a\x0ab', r'a\xffb', 'a b', 'a\nb', '\x1b[2J'])
def test_name(machine, no_leftovers, name):
    """A name that is none does not become a path, or a line of its own in the journal."""
    unit = machine.run(['systemd-escape', '--mangle', f'container@{name}.service']).stdout.rstrip('\n')
    files = machine.run(['find', '/etc/berth', '/var/lib/berth', '/run/berth'], check=False).stdout
    assert machine.run(['systemctl', 'start', unit], check=False).returncode != 0
    status = machine.run(['systemctl', 'show', '--property=StatusText', '--value', unit]).stdout
    assert status.startswith('Cannot start container ') and 'cannot be the name of a container' in status
    assert 'a-z, 0-9' in status
    assert machine.run(['find', '/etc/berth', '/var/lib/berth', '/run/berth'], check=False).stdout == files
    machine.run(['systemctl', 'reset-failed', unit])


def test_longest_name(container):
    """63 characters are a name."""
    one = container('a' * 63, SLEEP)
    one.start()
    assert one.inside('hostname').stdout == 'a' * 63 + '\n'


# -- definitions ----------------------------------------------------------------------------------------------------

def test_no_definition(container):
    refused(container('nowhere'), 'nowhere.container', '/etc/berth/containers')


def test_masked_definition(container, machine):
    one = container('masked', direct('/srv/guests/busybox'))
    machine.run(['ln', '-sf', '/dev/null', one.path])
    refused(one, 'masked', '/dev/null')


@pytest.mark.parametrize('text, words', [
    ('', ('Path=: is not set', 'Managed=yes')),
    ('[Container]\nCommmand=/bin/true\n', (':2:', 'Commmand')),
    ('[Root]\nPath=relative\n', (':2:', 'Path=', 'absolute')),
    ('[Root]\nPath=/srv\nManaged=yes\n', ('Managed=',)),
    ('[Container]\nInclude=/etc/berth/containers/bad.container\n', ('bad.container',)),
    (bytes(range(256)) * 10, (':1:',)),
    ('[Root]\nPath=/srv\n' + '# comment\n' * 1_100_000, ('more than 1048576 bytes',)),
], ids=['empty', 'unknown', 'relative', 'both', 'cyclic', 'binary', 'huge'])
def test_wrong_definition(container, text, words):
    refused(container('bad', text), 'read the definition bad', '/etc/berth/containers/bad.container', *words)


@pytest.mark.parametrize('make', ['mkdir {}', 'mkfifo {}', 'mknod {} c 1 3', 'ln -s /nowhere {}', 'ln -s {0} {0}'])
def test_definition_that_is_no_file(container, machine, make):
    one = container('odd')
    machine.run('mkdir -p /etc/berth/containers; ' + make.format(one.path))
    refused(one, 'odd.container', '/etc/berth/containers')


@pytest.mark.parametrize('change, who', [
    ('chmod 0666 {path}', 'is writable by everybody'), ('chmod 0664 {path}', 'is writable by its group'),
    ('chown 1000 {path}', 'belongs to user 1000, not to root'),
    ('chmod 0777 /etc/berth/containers', 'is writable by')])
def test_definition_that_others_can_write(container, machine, change, who):
    """It does not get what only root may give: here, a directory of the host."""
    one = container('open', direct('/srv/guests/busybox', 'ReadOnly=yes\n'))
    machine.run(change.format(path=one.path))
    try:
        refused(one, 'Path=', 'root alone can write', who)
    finally:
        machine.run('chmod 0755 /etc/berth/containers')


def test_privilege_in_an_untrusted_definition(container, machine):
    one = container('sly', f'[Container]\n{NEVER}\n[Identity]\nUserNamespace=no\n[Root]\nManaged=yes\n')
    machine.run(['chown', '1000', one.path])
    refused(one, 'UserNamespace=', 'root alone')


# -- roots ----------------------------------------------------------------------------------------------------------

def test_root_that_does_not_exist(container):
    refused(container('rootless', direct('/srv/scratch/none')), 'open the root /srv/scratch/none: No such file')


@pytest.mark.parametrize('name', ['back\\slash', 'wide\u202ename'])
def test_root_with_an_odd_name(container, name):
    """systemd takes a backslash out of what it is told, unless it is told so that it does not."""
    shown = name.replace('\u202e', r'\xe2\x80\xae')
    refused(container('odd', direct(f'/srv/{name}')), f'open the root /srv/{shown}: No such file')


@pytest.mark.parametrize('path', ['/etc/passwd', '/dev/null', '/proc/version'])
def test_root_that_is_a_file(container, path):
    refused(container('file', direct(path)), f'open the root {path}: it is not a directory')


@pytest.mark.parametrize('path', ['/', '/proc', '/sys', '/dev'])
@pytest.mark.parametrize('more', ['', 'ReadOnly=yes\n', 'Overlay=yes\n'])
def test_root_that_is_the_hosts_own(container, machine, path, more):
    """Whatever comes of it, the host is as it was."""
    before = mounts(machine)
    one = container('hosts', direct(path, more))
    one.start(check=False)
    one.stop()
    assert mounts(machine) == before
    assert not machine.exists('/never')


def test_root_without_an_init(container, machine, tree):
    root = tree('busybox')
    machine.remove(f'{root}/sbin/init')
    sentence = refused(container('initless', f'[Root]\nPath={root}\n'), '/sbin/init', 'Command=')
    assert 'the root has no init' in sentence


@pytest.mark.parametrize('content, words', [
    ('#!/nowhere/sh\n', ('/bin/guest', 'interpreter')), ('\x7fELFnonsense', ('/bin/guest', 'Exec format error'))])
def test_init_that_cannot_run(container, machine, tree, content, words):
    root = tree('busybox')
    machine.write(f'{root}/bin/guest', content, mode=0o755)
    refused(container('broken', f'[Container]\nCommand=/bin/guest\n[Root]\nPath={root}\n'), *words)
    machine.run(['chmod', '0644', f'{root}/bin/guest'])
    refused(container('barred', f'[Container]\nCommand=/bin/guest\n[Root]\nPath={root}\n'), 'Permission denied')


@pytest.mark.parametrize('directory', ['proc', 'sys', 'dev'])
def test_root_without_a_directory(container, machine, tree, directory):
    """A root that is not berth's is not added to; a layer over it is."""
    root = tree('busybox')
    machine.remove(f'{root}/{directory}')
    refused(container('bare', direct(root)), f'/{directory}: ', 'Overlay=yes')
    assert not machine.exists(f'{root}/{directory}')
    one = container('over', f'[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath={root}\nOverlay=yes\n')
    one.start()
    assert one.inside('ls -d /dev/null /proc/mounts /sys/class').stdout.split() == \
        ['/dev/null', '/proc/mounts', '/sys/class']
    assert not machine.exists(f'{root}/{directory}')


ETC = 'find /etc -xdev -path /etc/berth -prune -o -print | sort'


@pytest.mark.parametrize('directory', ['proc', 'sys', 'dev', 'run'])
@pytest.mark.parametrize('link', ['/etc', '../../../../../etc', '/proc/1/root/etc', 'tmp'])
def test_link_where_berth_mounts(container, machine, tree, directory, link):
    """A link in the root leads nowhere: it is an error that names it, and the host's directory stays as it is."""
    root = tree('busybox')
    machine.run(f'rm -rf {root}/{directory} && ln -s {link} {root}/{directory}')
    before = machine.run(ETC).stdout, mounts(machine)
    for more in ('', 'Overlay=yes\n', 'ReadOnly=yes\n'):
        refused(container('linked', direct(root, more)), f'/{directory}: it is a symbolic link in the root')
    assert (machine.run(ETC).stdout, mounts(machine)) == before


def test_file_where_berth_mounts(container, machine, tree):
    root = tree('busybox')
    machine.run(f'rm -r {root}/proc && touch {root}/proc')
    refused(container('filed', direct(root)), '/proc: it is not a directory')


def test_full_root(container, machine):
    """A start writes nothing to a root, so a full one starts; its guest is told that it is full."""
    path = '/srv/scratch/full'
    machine.run(f'mkdir -p {path} && mount -t tmpfs -o size=4M tmpfs {path} && cp -a /srv/guests/busybox/. {path}/ && '
                f'{{ dd if=/dev/zero of={path}/fill bs=64k 2>/dev/null || true; }}')
    try:
        one = container('full', f'[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath={path}\n')
        one.start()
        assert 'No space left' in one.inside('dd if=/dev/zero of=/x bs=64k count=1', check=False).stderr
        one.stop()
    finally:
        machine.run(['umount', path])
        machine.remove(path)


def test_read_only_file_system(container, machine, tree):
    """So does one on a file system that is read-only, and nothing can be written there."""
    root = tree('busybox')
    machine.run(f'mount --bind {root} {root} && mount -o remount,bind,ro {root}')
    try:
        one = container('ro', f'[Container]\nCommand=/bin/sleep 100000\n[Root]\nPath={root}\n')
        one.start()
        assert one.inside('touch /x', check=False).returncode != 0
        one.stop()
    finally:
        machine.run(['umount', root])


@pytest.mark.parametrize('options, cause', [('nr_inodes=1', 'No space left on device'),
                                            ('ro', 'Read-only file system')])
def test_store_that_cannot_be_written(container, machine, options, cause):
    store = '/var/lib/berth/overlays'
    machine.run(f'mkdir -p -m 0700 {store} && mount -t tmpfs -o mode=0700,{options} tmpfs {store}')
    try:
        one = container('layered', direct('/srv/guests/busybox', 'Overlay=yes\n'))
        refused(one, f'writable layer over {store}/layered: {cause}')
    finally:
        machine.run(['umount', store])
    one.start()


def test_layer_that_cannot_be_written(container, machine):
    """It is there, from an earlier start, and read-only now."""
    store = '/var/lib/berth'
    one = container('layered', direct('/srv/guests/busybox', 'Overlay=yes\n'))
    one.start()
    one.stop()
    machine.run(f'mount --bind {store} {store} && mount -o remount,bind,ro {store}')
    try:
        refused(one, f'writable layer over {store}/overlays/layered: Read-only file system')
    finally:
        machine.run(['umount', store])
    one.start()


def test_locks_that_cannot_be_made(container, machine):
    """No inode is left: that is not the same as no ids."""
    one = container('many', direct('/srv/guests/busybox', 'Overlay=yes\n'))
    locks = '/run/systemd/nspawn-uid'
    machine.run(f'mkdir -p {locks} && mount -t tmpfs -o mode=0700,nr_inodes=1 tmpfs {locks}')
    try:
        sentence = refused(one, f'ids for many: the locks in {locks}', 'No space left on device')
        assert 'no block' not in sentence
    finally:
        machine.run(['umount', locks])
    one.start()


def test_no_free_ids(container, machine):
    """When all ids belong to somebody, as /etc/subuid tells."""
    one = container('many', direct('/srv/guests/busybox', 'Overlay=yes\n'))
    machine.run('for f in subuid subgid; do cp -p /etc/$f /etc/$f.kept; done; echo root:65536:4294901760 >/etc/subuid')
    try:
        refused(one, 'find user and group ids for many: no block of 65536 ids is free', '/etc/subuid')
    finally:
        machine.run('for f in subuid subgid; do mv /etc/$f.kept /etc/$f; done')
    one.start()


def test_ids_of_somebody_are_not_taken(container, machine):
    """Of the whole range one block is left: that one is taken, and a second container gets none."""
    free = 0x6fff0000       # the highest block, as nspawn has them
    one, other = container('lucky', SLEEP), container('late', SLEEP)
    machine.run(f'for f in subuid subgid; do cp -p /etc/$f /etc/$f.kept; done; '
                f'echo u:65536:{free - 65536} >/etc/subuid; '
                f'echo u:{free + 65536}:{4294967295 - free - 65536} >/etc/subgid')
    try:
        one.start()
        assert one.inside('cat /proc/self/uid_map').stdout.split() == ['0', str(free), '65536']
        refused(other, 'no block of 65536 ids is free')
    finally:
        machine.run('for f in subuid subgid; do mv /etc/$f.kept /etc/$f; done')


def test_helper_by_hand(machine):
    """Outside of a unit it does nothing, and says who runs it."""
    helper = '/usr/libexec/berth/berth-helper'
    for arguments in ([], ['launch'], ['launch', 'a', 'b'], ['erase', 'x'], ['launch', 'x'], ['stop', 'x']):
        done = machine.run([helper, *arguments], check=False)
        if arguments[:1] != ['stop']:
            assert done.returncode != 0 and done.stderr.strip(), arguments
    user = machine.run(['setpriv', '--reuid=65534', '--clear-groups', helper, 'launch', 'x'], check=False)
    assert user.returncode != 0 and 'systemctl start container@' in user.stderr
