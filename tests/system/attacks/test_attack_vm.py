# SPDX-License-Identifier: LGPL-2.1-or-later
"""R7, R15 to the end, in a machine whose kernel is its own: what the other attacks only touch is done here."""

import pytest

import attack
import probe

# The layer that these attacks are not about, and which would stop some of them as well.
UNCONFINED = '[Security]\nAppArmor=unconfined\n'

MARK = '/srv/scratch/attacks-mark'
NO_NAMESPACE = f'[Identity]\nUserNamespace=no\n{UNCONFINED}'


@pytest.fixture
def machine(vm):
    return vm


@pytest.fixture(scope='module')
def root(vm, tmp_path_factory):
    directory = tmp_path_factory.mktemp('programs')
    tree = attack.Tree(vm, {'probe': probe.compile_probe(directory), **attack.compile_programs(directory)})
    yield tree
    tree.remove()


@pytest.fixture(scope='module', autouse=True)
def programs_of_the_host():
    """Not the local machine's here."""


def test_algorithms(container, root):
    """R15, CVE-2026-31431: this kernel has AF_ALG, and gives it to whoever is not filtered."""
    for seccomp, ends in (('default', 'EAFNOSUPPORT'), ('off', 'ok')):
        one = container(f'alg-{seccomp}', root.definition('/probe calls', sections=f'{UNCONFINED}Seccomp={seccomp}\n'))
        assert attack.told(one, timeout=60)['call.af_alg'] == ends


@pytest.mark.parametrize('weaken, label', [('', 'berth-'), ('label', None), ('label,label-check', 'unconfined')])
def test_label(attacked, root, weaken, label):
    """R7, R15, CVE-2019-16884, CVE-2025-52881: the label does not come to the kernel. The start reads it back after the
    exec, and ends; else the container has AF_ALG, which here the label alone denies."""
    script = root.script('label', 'echo "label=$(cat /proc/self/attr/current)"; exec /probe calls')
    report = attack.told(attacked('label', root.definition(script, sections='[Security]\nSeccomp=off\n'), weaken), timeout=60)
    assert bool(report) == bool(label)
    if report:
        assert report['label'].startswith(label) and (report['call.af_alg'] == 'ok') == (label == 'unconfined')


@pytest.fixture
def mark(machine):
    """A program that leaves a mark on the host when the host runs it; the setting that is to name it is put back."""
    machine.write(f'{MARK}-program', f'#!/bin/sh\ncat >/dev/null\necho run >>{MARK}\n', 0o755)
    pattern = machine.read('/proc/sys/kernel/core_pattern')
    yield
    machine.run(['tee', '/proc/sys/kernel/core_pattern'], input=pattern)
    machine.remove(MARK, f'{MARK}-program')


@pytest.mark.parametrize('weaken', ['', 'masks'])
def test_core_pattern(attacked, machine, root, mark, weaken):
    """R7, R8, CVE-2025-31133: the program that core_pattern names is run by the host, with all its rights."""
    script = root.script('crashes', f'''(echo "|{MARK}-program" >/proc/sys/kernel/core_pattern) 2>/dev/null && echo written=yes
        ulimit -c unlimited; sh -c 'kill -SEGV $$' ''')
    report = attack.told(attacked(f'crashes{weaken}', root.definition(script, sections=NO_NAMESPACE), weaken), timeout=60)
    assert report.all('written') == (['yes'] if weaken else [])
    if weaken:
        attacked('waits', root.definition('/hostile ids')).wait_for(lambda: machine.exists(MARK), 'a program run by the host')
    else:
        assert not machine.exists(MARK)


@pytest.mark.parametrize('weaken', ['', 'masks'])
def test_policy_of_others(attacked, machine, root, weaken):
    """Who may load policy of their own reads nothing of the host's and of other containers by a link that leads there."""
    script = root.script('policy', """cd /sys/kernel/security/apparmor || exit
        for i in "" /.. /../../profiles; do [ ! -d "policy$i" ] || echo "seen=$i"; done
        cat policy/../../profiles/*/name 2>/dev/null | grep -q berth- && echo names=yes""")
    report = attack.told(attacked('policy', root.definition(script, sections='[Security]\nNesting=yes\n'
                                                            'Capabilities=CAP_MAC_ADMIN\n'), weaken), timeout=60)
    assert report.all('seen') == (['', '/..', '/../../profiles'] if weaken else []) and bool(report.all('names')) == bool(weaken)
    machine.run('rmdir /sys/kernel/security/apparmor/policy/namespaces/berth-policy')


AGENTS = {'default': UNCONFINED, 'no user namespace': NO_NAMESPACE,
          'nor one of cgroups': NO_NAMESPACE + '[Namespaces]\nShare=cgroup\n'}


@pytest.mark.parametrize('kind', AGENTS)
def test_release_agent(container, root, kind):
    """CVE-2022-0492: the host runs the release_agent of cgroup v1. The kernel lets nobody make a hierarchy in a cgroup
    namespace; only a definition of root's that leaves out both namespaces opens the way."""
    report = attack.told(container('agent', root.definition('/hostile hierarchy', sections=AGENTS[kind])), timeout=60)
    assert (report['hierarchy.named'] == 'ok') == ('ok' in report.all('hierarchy.agent')) == (kind == 'nor one of cgroups')


@pytest.mark.parametrize('weaken, unit, ends', [
    ('', '', 'EACCES'), ('nodev', '', 'EPERM'), ('nodev', 'DevicePolicy=auto\n', 'ok')])
def test_disk_of_the_host(attacked, machine, tree, weaken, unit, ends):
    """R4: the image has a node of the host's disk in it. The mount's flag stops it, and the unit's list of devices."""
    path = tree('busybox')
    number = machine.run(['lsblk', '--noheadings', '--nodeps', '--output=MAJ:MIN', '/dev/vda']).stdout.strip().split(':')
    machine.run(['mknod', '-m', '666', f'{path}/disk', 'b', *number])
    script = '/bin/sh -c "head -c 512 /disk >/dev/null && echo disk=ok; echo probe=done"'
    definition = f'[Container]\nCommand={script}\n[Root]\nPath={path}\n{UNCONFINED}'
    report = attack.told(attacked('disk', definition, weaken, unit), timeout=60)
    assert report.all('disk') == (['ok'] if ends == 'ok' else [])
