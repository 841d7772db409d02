# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fixtures of the tests that need a machine. A machine that cannot be made is an error, never a skip.

local     a machine over this host's root     local13   over a Debian 13 tree     vm   with a kernel of its own
machine   the one that the fixtures below use: local, unless a test file has its own
              @pytest.fixture
              def machine(vm): return vm
container container(NAME, DEFINITION) makes a Container, and removes it after the test, which then has to have
          left nothing in the machine
tree      tree('debian13') is the path of a writable copy of a guest, for this test alone
"""

import contextlib
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / 'machine'), str(HERE / 'lib')]

from built import BUILD_OPTIONS  # noqa: E402
from container import Container  # noqa: E402
from leftovers import difference, snapshot  # noqa: E402
from machines import open_machine  # noqa: E402
from machines.util import STATE  # noqa: E402


def pytest_addoption(parser):
    parser.addoption('--keep-machine', action='store_true', help='leave the test machines up for a look: machine list')
    parser.addoption('--fuzz-seconds', type=float, default=20,
                     help='how long D-Bus calls are made up, as root and as a user')


def forget_dead_sessions():
    """Machines of test sessions that were killed, which their names tell."""
    for directory in STATE.glob('pytest-*-*') if STATE.exists() else []:
        _, kind, pid = directory.name.rsplit('-', 2)
        if pid.isdigit() and not Path(f'/proc/{pid}').exists():
            open_machine('vm' if kind == 'vm' else 'local', directory.name).down()


@contextlib.contextmanager
def brought_up(request, kind, label, **settings):
    forget_dead_sessions()
    machine = open_machine(kind, f'pytest-{label}-{os.getpid()}')
    try:
        machine.up(options=BUILD_OPTIONS, **settings)
        yield machine
    finally:
        if not request.config.getoption('--keep-machine'):
            machine.down()


@pytest.fixture(scope='session')
def local(request):
    with brought_up(request, 'local', 'local') as machine:
        yield machine


@pytest.fixture(scope='session')
def local13(request):
    with brought_up(request, 'local', 'local13', tree='debian13') as machine:
        yield machine


@pytest.fixture(scope='session')
def vm(request):
    with brought_up(request, 'vm', 'vm') as machine:
        yield machine


@pytest.fixture
def machine(local):
    return local


@pytest.fixture
def no_leftovers(machine):
    """The machine is after the test what it was before."""
    before = snapshot(machine)
    yield
    left = difference(machine, before)
    assert not left, f'the test left behind:\n{left}'


@pytest.fixture
def tree(machine):
    made = []

    def copy(guest):
        made.append(machine.copy_tree(guest))
        return made[-1]
    yield copy
    if made:
        machine.remove(*made)


@pytest.fixture
def container(machine, no_leftovers, tree):
    made = []

    def make(name, definition=None):
        made.append(Container(machine, name, definition))
        return made[-1]
    yield make
    for one in reversed(made):
        one.remove()
