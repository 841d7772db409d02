# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl create, remove and edit: containers that are made over D-Bus."""

import pytest
from bus import Bus

COMMAND = ['Boot=no', 'Command=/bin/sleep 1000']
NO_CONTAINER = 4  # of berthctl's exit statuses

MOUNT = ['Mount.Type=tmpfs', 'Mount.Create=yes']


def ctl(machine, *words, check=True, timeout=300, env=None, input=None):
    return machine.run(['berthctl', *words], check=check, timeout=timeout * machine.patience, env=env, input=input)


@pytest.fixture
def clean(machine, no_leftovers):
    """What a test made is gone after it, and what earlier ones had before it."""
    bus = Bus(machine)
    bus.wait_for(lambda: not bus.listed(), 'an empty list', timeout=60)
    yield
    for name in bus.listed():
        ctl(machine, 'stop', name, check=False)
        done = ctl(machine, 'remove', '--data', '--yes', name, check=False)
        # The list has a definition that the test took away until the service has looked again.
        assert done.returncode in (0, NO_CONTAINER), done
    bus.wait_for(lambda: not bus.listed(), 'an empty list', timeout=60)


@pytest.fixture
def tar(machine):
    path = '/srv/scratch/berthctl.tar.gz'
    machine.run(['sh', '-c', 'mkdir -p "${1%/*}"; tar -C /srv/guests/busybox -czf "$1" .', 'sh', path])
    yield path
    machine.remove(path)


def definition(name):
    return f'/var/lib/berth/containers/{name}.container'


def test_create_from_a_tar(machine, clean, tar):
    done = ctl(machine, 'create', 'web', f'--tar={tar}', *COMMAND, 'TasksMax=40', *MOUNT, 'Mount.Target=/a', *MOUNT,
               'Mount.Target=/b')
    assert done.stdout == ''
    ctl(machine, 'start', 'web')
    text = ctl(machine, 'cat', 'web').stdout
    assert text.count('[Mount]') == 2 and 'TasksMax=40' in text and 'Managed=yes' in text
    done = ctl(machine, 'create', 'web', *COMMAND, check=False)
    assert done.returncode == 1 and 'berthctl: ' in done.stderr
    ctl(machine, 'stop', 'web')
    # Its data stays, until it is said that it is not wanted.
    done = ctl(machine, 'remove', '--data', 'web', check=False)
    assert done.returncode == 1 and 'say --yes' in done.stderr
    assert machine.exists(definition('web'))
    ctl(machine, 'remove', '--data', '--yes', 'w*')
    assert not machine.exists(definition('web')) and not machine.exists('/var/lib/berth/roots/web')


def test_data_that_a_definition_of_roots_has(machine, clean, tar):
    """What was made over D-Bus is root's, since root wrote a file of that name that uses it."""
    ctl(machine, 'create', 'web', f'--tar={tar}', *COMMAND)
    machine.write('/etc/berth/containers/web.container', '[Container]\nCommand=/bin/sleep 1000\n[Root]\nManaged=yes\n')
    try:
        done = ctl(machine, 'remove', '--data', '--yes', 'web', check=False)
        assert done.returncode == 1 and 'is a file that root wrote' in done.stderr
        assert machine.exists('/var/lib/berth/roots/web/bin') and machine.exists(definition('web'))
    finally:
        machine.remove('/etc/berth/containers/web.container')


def test_create_from_a_pipe_and_a_file(machine, clean, tar):
    machine.write('/run/web.container', '[Container]\nBoot=no\nCommand=/bin/false\n')
    machine.run(['sh', '-c', f'berthctl create web --tar=- --definition=/run/web.container "Command=/bin/sleep 7" <{tar}'])
    machine.remove('/run/web.container')
    text = ctl(machine, 'cat', 'web').stdout
    assert 'Command=/bin/sleep 7' in text
    assert machine.exists('/var/lib/berth/roots/web')
    ctl(machine, 'create', 'web', '--replace', 'Boot=no', 'Command=/bin/sleep 8')
    assert 'Command=/bin/sleep 8' in ctl(machine, 'cat', 'web').stdout
    ctl(machine, 'start', 'web')


def test_what_is_left_out_is_told(machine, clean, tar):
    script = """
import sys, tarfile
with tarfile.open(sys.argv[1], "w") as archive:
    node = tarfile.TarInfo("./dev/evil\\x1b[2Jdisk")
    node.type, node.devmajor, node.devminor = tarfile.BLKTYPE, 8, 0
    archive.addfile(node)
    archive.addfile(tarfile.TarInfo("./file"))
"""
    machine.run(['/usr/bin/python3', '-c', script, f'{tar}.bad'])
    done = ctl(machine, 'create', 'web', f'--tar={tar}.bad', *COMMAND)
    machine.remove(f'{tar}.bad')
    assert 'web: ' in done.stderr and 'disk' in done.stderr and '\033' not in done.stderr, done.stderr
    done = ctl(machine, '--quiet', 'remove', '--data', '--yes', 'web')
    assert done.stderr == ''


def test_create_from_a_directory(machine, clean, tree):
    root = tree('busybox')
    done = ctl(machine, 'create', 'web', f'--directory={root}', *COMMAND, check=False)
    assert done.returncode == 1 and '0700' in done.stderr, done.stderr
    assert not machine.exists(definition('web'))
    machine.run(['chmod', '700', root])
    ctl(machine, 'create', 'web', f'--directory={root}', *COMMAND)
    ctl(machine, 'start', 'web')
    assert Bus(machine).listed()['web'] == 'running'


def test_refused(machine, clean, tar):
    machine.write('/run/garbage', b'this is no archive' * 1000)
    done = ctl(machine, 'create', 'web', '--tar=/run/garbage', *COMMAND, check=False)
    assert done.returncode == 1 and done.stderr.startswith('berthctl: '), done.stderr
    machine.remove('/run/garbage')
    machine.add_user('annie')
    done = machine.run_as('annie', ['berthctl', 'create', 'web', *COMMAND], check=False)
    assert done.returncode == 5, done.stderr
    assert 'web' not in Bus(machine).listed()
    assert not machine.exists(definition('web')) and not machine.exists('/var/lib/berth/roots/web')


def test_edit(machine, clean):
    """Over D-Bus, where it was made; while it runs it is not replaced, and the draft is kept."""
    ctl(machine, 'create', 'web', *COMMAND)
    machine.write('/run/editor', '#!/bin/sh\nsed -i "s/sleep [0-9]*/sleep 99/" "$1"\n', mode=0o755)
    ctl(machine, 'edit', 'web', env={'EDITOR': '/run/editor'})
    assert 'Command=/bin/sleep 99' in machine.read(definition('web'))
    machine.write('/run/editor', '#!/bin/sh\necho Bot=yes >>"$1"\n', mode=0o755)
    done = ctl(machine, 'edit', 'web', env={'EDITOR': '/run/editor'}, check=False)
    assert done.returncode == 1
    draft = done.stderr.strip().splitlines()[-1].split()[-1]
    assert 'Bot=yes' in machine.read(draft) and 'Bot=yes' not in machine.read(definition('web'))
    machine.remove(draft.rsplit('/', 1)[0], '/run/editor')
