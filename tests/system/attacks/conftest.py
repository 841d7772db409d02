# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the attacks share: a guest with hostile programs in it, and containers whose start leaves a protection out.

hostile   a tree with the probe and hostile.c's program; hostile.script(NAME, TEXT) puts a script there
attacked  attacked(NAME, DEFINITION, weaken='...', unit='...') is a container whose launcher has BERTH_WEAKEN= set
managed   managed(SCRIPT) is a container that nobody has to trust
canary    a directory of the host that no attack may change; its path is CANARY for the tests and the attackers
"""

import pytest

import attack
import probe
from store import Store


@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    """The bytes of /probe, /hostile and /loader."""
    directory = tmp_path_factory.mktemp('programs')
    return {'probe': probe.compile_probe(directory), **attack.compile_programs(directory)}


@pytest.fixture(scope='module')
def hostile(local, programs):
    tree = attack.Tree(local, programs)
    yield tree
    tree.remove()


@pytest.fixture
def attacked(container, machine):
    made = attack.DropIns(machine)

    def make(name, definition, weaken='', unit=''):
        one = container(name, definition)
        made.add(one, weaken, unit)
        return one
    yield make
    made.remove()


@pytest.fixture
def managed(container, machine, hostile):
    """managed(SCRIPT): a container that was made over D-Bus, and whose script is a hostile one. says(SECTIONS, WEAKEN)
    changes the definition where it lies, as nobody but root could."""
    store, made, archive = Store(machine), attack.DropIns(machine), '/srv/scratch/attacks-managed.tar'

    def make(script):
        command = hostile.script('managed', script)
        machine.run(['tar', '-C', hostile.path, '-cf', archive, '.'])
        store.create('sly', f'--tar={archive}', f'Command={command}')
        one = container('sly')
        one.path = '/var/lib/berth/containers/sly.container'

        def says(sections, weaken=''):
            one.define(f'[Container]\nCommand={command}\n[Root]\nManaged=yes\n{sections}')
            made.add(one, weaken)
            return one
        one.says = says
        return one
    yield make
    made.remove()
    machine.run(['systemctl', 'stop', 'container@sly.service'], check=False)
    store.clear()
    machine.remove(archive)


@pytest.fixture
def canary(machine):
    machine.run(f'mkdir -p {attack.CANARY}/dir && echo alive >{attack.CANARY}/file')
    look = (f"find {attack.CANARY} -printf '%p %y %s %m %U:%G %l\\n' | sort; cat {attack.CANARY}/file; "
            'cat /proc/sys/kernel/core_pattern')
    before = machine.run(look).stdout
    yield lambda: machine.run(look).stdout == before
    machine.remove(attack.CANARY)


@pytest.fixture(autouse=True, scope='module')
def programs_of_the_host(local):
    """R6: whatever a module of attacks does, no program or library of berth's is another afterwards."""
    look = ['/bin/sh', '-c', 'find /usr/bin/berth* /usr/libexec/berth /usr/lib/*/libberth.so* -type f | sort | xargs sha256sum']
    before = local.run(look).stdout
    assert before.count('\n') > 5, before
    yield
    assert local.run(look).stdout == before
