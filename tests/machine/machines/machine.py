# SPDX-License-Identifier: LGPL-2.1-or-later
"""What every kind of machine can do, on top of its own run(): files, the journal, guest trees.

A machine object is cheap and holds nothing but names: several processes may use the same machine at once.
"""

import itertools
import os

from .util import STATE, TIMED_OUT, MachineError, Result, check_name, read_json


class CommandFailed(MachineError):
    """A command that had to succeed did not; its result is in here."""

    def __init__(self, result):
        super().__init__(f'status {result.returncode} from {result.argv!r}\n{result.stdout}{result.stderr}')
        self.result = result


class Machine:
    """A machine of some kind. The kinds add up(), down(), is_up(), run(), exec(), shell() and reboot()."""

    kind = None
    serial = itertools.count()

    def __init__(self, name):
        self.name = check_name(name)
        self.state = STATE / name

    def known(self):
        """What up() wrote down for others."""
        known = read_json(self.state / 'machine.json')
        return known if known and known.get('kind') == self.kind else {}

    def run(self, argv, check=True, timeout=60, input=None, env=None):
        """Runs a list, or a string for the shell, in the machine as root. timeout None waits for ever."""
        raise NotImplementedError

    def write(self, path, data, mode=0o644):
        """Writes a file whole, text or bytes, with the directories that it needs."""
        script = 'mkdir -p "${1%/*}/" && rm -f "$1" && umask 077 && cat >"$1" && chmod "$2" "$1"'
        self.run(['/bin/sh', '-c', script, 'sh', path, f'{mode:o}'], input=data)

    def read(self, path):
        return self.run(['cat', '--', path]).stdout

    def exists(self, path):
        """Also true for a symbolic link to nowhere."""
        return self.run(['/bin/sh', '-c', '[ -e "$1" ] || [ -L "$1" ]', 'sh', path], check=False).returncode == 0

    def remove(self, *paths):
        self.run(['rm', '-rf', '--one-file-system', '--', *paths])

    def journal(self, unit=None, output='cat'):
        """The messages of a unit, or all, as text."""
        self.run(['journalctl', '--sync'])
        select = [f'--unit={unit}'] if unit else []
        return self.run(['journalctl', '--no-pager', '--quiet', f'--output={output}', *select]).stdout

    def copy_tree(self, guest):
        """A private writable copy of a guest tree: debian13, debian12 or busybox."""
        path = f'/srv/scratch/{guest}-{os.getpid()}-{next(self.serial)}'
        self.run(['cp', '-a', '--reflink=auto', f'/srv/guests/{guest}', path], timeout=300)
        return path


def finish(argv, status, out, err, expired, timeout, check):
    """The result of a command, as an exception when it had to succeed and did not. status as Popen has it."""
    status = status if status >= 0 else 128 - status
    result = Result(argv, TIMED_OUT if expired else status, out, err)
    if expired:
        result.stderr += f'\nended after {timeout} s'
    if check and result.returncode != 0:
        raise CommandFailed(result)
    return result
