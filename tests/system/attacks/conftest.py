# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the attacks share: a guest with hostile programs in it, and containers whose start leaves a protection out.

hostile   a tree with the probe and hostile.c's program; hostile.script(NAME, TEXT) puts a script there
attacked  attacked(NAME, DEFINITION, weaken='...', unit='...') is a container whose launcher has BERTH_WEAKEN= set
canary    a directory of the host that no attack may change; its path is CANARY for the tests and the attackers
"""

import pytest

import attack
import probe


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
