# SPDX-License-Identifier: LGPL-2.1-or-later
"""Test machines: a real systemd to run the project under, without touching the host.

Machine types live in local.py and vm.py, what they are made of in trees.py and build.py. open_machine() is
the way in for programs; the command line is cli.py. Standard library only.
"""

from .machine import CommandFailed, Machine
from .util import MachineError, Result

KINDS = ('local', 'vm')


def open_machine(kind, name=None):
    """The machine of that kind and name, up or not."""
    if kind == 'local':
        from .local import LocalMachine
        return LocalMachine(name or 'local')
    if kind == 'vm':
        from .vm import VirtualMachine
        return VirtualMachine(name or 'vm')
    raise MachineError(f'{kind!r} is no kind of machine: use one of {", ".join(KINDS)}')


__all__ = ['KINDS', 'CommandFailed', 'Machine', 'MachineError', 'Result', 'open_machine']
