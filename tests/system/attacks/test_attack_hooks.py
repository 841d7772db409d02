# SPDX-License-Identifier: LGPL-2.1-or-later
"""R5, R10 and the environment of hooks: programs that are run for a container, who has a say in that, and what they leave."""

import pytest

import attack

PLACE = '/srv/attacks-hooks'
MARK = '/srv/scratch/attacks-hooks-mark'
EVE = 4321
# What somebody has open of the host's on the way into the container.
JOINED = 'spied=/sys/fs/cgroup/machine.slice/'
TROJAN = f'''#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void run(void) {{
        FILE *file = fopen("{MARK}", "ae");
        if (file) {{
                fprintf(file, "library %d\\n", getuid());
                fclose(file);
        }}
}}
'''


@pytest.fixture
def hook(machine):
    """A hook of root's, which leaves a mark; marks() are the lines that are there."""
    path = f'{PLACE}/hook'
    machine.write(path, f'#!/bin/sh\necho hook $(id -u) >>{MARK}\n', 0o755)
    machine.run(['chmod', '0755', PLACE])
    yield path
    machine.remove(PLACE, MARK)


def marks(machine):
    """Since the last time."""
    text = machine.read(MARK) if machine.exists(MARK) else ''
    machine.remove(MARK)
    return set(text.splitlines())


def definition(hostile, hook, keys=''):
    return hostile.definition('/hostile ids', keys, f'[Hooks]\nPreStart={hook}\n')


def test_hook_of_a_user(attacked, machine, hostile, hook):
    """A program that somebody else than root owns is not run as root, whatever a definition says."""
    machine.run(['chown', str(EVE), hook])
    assert attack.told(attacked('hooked', definition(hostile, hook))) is None and not marks(machine)
    assert attack.told(attacked('hooked-weak', definition(hostile, hook), 'hook-owner')) and marks(machine) == {'hook 0'}


def test_hook_of_an_untrusted_definition(managed, machine, hook):
    """R10: a definition that is not root's alone names a program of the host."""
    one, hooks = managed('echo ran=yes'), f'[Hooks]\nPreStart={hook}\n'
    assert attack.told(one.says('')) and not marks(machine)
    assert attack.told(one.says(hooks)) is None and not marks(machine) and 'PreStart=: may ' in one.show('StatusText')
    assert attack.told(one.says(hooks, 'policy')) and marks(machine) == {'hook 0'}


def test_variables_of_the_container(attacked, machine, hostile, hook):
    """NVIDIA CVE-2025-23266: the container's environment has a library of the image preloaded, by the hook on the host."""
    library = f'{hostile.path}/preloaded.so'
    machine.write(f'{PLACE}/trojan.c', TROJAN)
    machine.run(['cc', '-shared', '-fPIC', '-o', library, f'{PLACE}/trojan.c'])
    keys = f'Environment=LD_PRELOAD={library}\n'
    assert attack.told(attacked('preloads', definition(hostile, hook, keys))) and marks(machine) == {'hook 0'}
    assert attack.told(attacked('preloads-weak', definition(hostile, hook, keys), 'hook-env'))
    assert marks(machine) == {'hook 0', 'library 0'}


def test_spy_in_the_container(attacked, machine, hostile):
    """R5, CVE-2016-9962: a program of the container goes on after its hook and looks into those that join the container
    for the next hooks, with what they have open of the host's. It is gone with its hook. (With a user namespace the
    kernel does not let it look, either.)"""
    hooks = 'Start=/hostile spy /spied\n' + 'Start=/hostile ids\n' * 20

    def spied(namespace, weaken, starts=1):
        """What it has seen in so many starts at most: it has to look just when somebody has joined."""
        one = attacked(f'spied{namespace}{weaken}', hostile.definition(
            '/hostile wait', sections=f'[Hooks]\n{hooks}[Identity]\nUserNamespace={namespace}\n'), weaken)
        for start in range(1, starts + 1):
            one.restart()
            path = f'/proc/{one.main_pid()}/root/spied'
            if weaken:
                one.wait_for(lambda: machine.read(path).count('to the end') == start, 'the end of the spy')
            # But for what it has open itself.
            seen = set(machine.read(path).splitlines()) - {'spied=/spied', 'spied=/proc'}
            if any(line.startswith(JOINED) for line in seen):
                break
        return seen
    assert spied('yes', '') == spied('no', '') == set()
    assert spied('yes', 'hook-end') == {'spied=to the end'}
    assert any(line.startswith(JOINED) for line in spied('no', 'hook-end', starts=20))
