# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command line `machine`."""

import argparse
import sys
import time

from . import KINDS, open_machine, trees
from .util import STATE, MachineError, need_root, read_json

EXAMPLES = '''
examples:
  machine up                                   a local machine, named "local", with the project installed
  machine up old --no-project --tree=debian13  another one, named "old", Debian 13 whatever the host is
  machine exec -- systemctl status container@web
  machine shell
  machine up --kind=vm && machine reboot vm    a machine with a kernel of its own, and a real reboot
  machine down                                 nothing is left of it

Guest trees are in the machine at /srv/guests/{debian13,debian12,busybox,nesting}, to be read only;
/srv/scratch is for copies. Trees and builds are kept in ${BERTH_CACHE:-/var/cache/berth-tests}.'''


def parser():
    top = argparse.ArgumentParser(prog='machine', epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description='Test machines: a real systemd to run the project under, without '
                                  'touching this host.')
    verbs = top.add_subparsers(dest='verb', metavar='VERB', required=True)

    def verb(name, text, named=True):
        p = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + '.')
        if named:
            p.add_argument('name', nargs='?', help='of the machine; its kind by default')
            p.add_argument('--kind', choices=KINDS, help='local: namespaces on this kernel, up in 2 s; vm: Debian '
                           '13 in QEMU, slow, with everything its own. Default: what NAME is, or local')
        return p

    up = verb('up', 'boot a machine')
    up.add_argument('--tree', metavar='DIR|debian13', help="local: the root to boot, instead of this host's own")
    up.add_argument('--build-option', metavar='-Dx=y', action='append', default=[],
                    help='for meson, when the project is built; again for more')
    up.add_argument('--bind', metavar='SRC:DST', action='append', default=[],
                    help='local: a path of the host to have in the machine, writable; vm: a copy; again for more')
    up.add_argument('--no-project', dest='project', action='store_false', help='do not build and install the project')
    run = verb('exec', "run a command in a machine; its status is the command's, 128+N for signal N, 124 at the time "
               'limit, 125 when the machine cannot run it')
    run.add_argument('--timeout', metavar='SEC', type=float, help='kill the command and all it started after this time')
    run.add_argument('--input', metavar='FILE|-', help='its standard input; nothing by default')
    verb('shell', 'a root shell in a machine')
    reboot = verb('reboot', 'reboot the kernel of a virtual machine from its own disk, and wait until it is up')
    reboot.add_argument('--power-cut', action='store_true', help='at once: what was not yet written to disk is lost')
    verb('down', 'end a machine as a power cut would; no process, mount, cgroup, interface or file stays')
    verb('list', 'the machines that are up', named=False)
    tree = verb('trees', 'make the cached trees, all or those named, and print where they are', named=False)
    tree.add_argument('trees', nargs='*', metavar='TREE', help=', '.join(trees.NAMES))
    tree.add_argument('--rebuild', action='store_true', help='make them anew even when they are there')
    return top


def find(arguments):
    """The machine that was meant: NAME tells the kind of one that exists, the kind a name."""
    known = read_json(STATE / arguments.name / 'machine.json') if arguments.name else None
    kind = arguments.kind or (known or {}).get('kind') or (arguments.name if arguments.name in KINDS else 'local')
    return open_machine(kind, arguments.name)


def source_of(path):
    if path == '-':
        return sys.stdin.buffer
    try:
        return open(path or '/dev/null', 'rb')
    except OSError as error:
        raise MachineError(f'--input={path}: {error.strerror}') from error


def show_list():
    for directory in sorted(STATE.iterdir()) if STATE.exists() else []:
        known = read_json(directory / 'machine.json') or {}
        kind = known.get('kind')
        state = 'starting or broken'
        if kind:
            state = 'up' if open_machine(kind, directory.name).is_up() else 'dead'
        since = time.strftime('%F %T', time.localtime(directory.stat().st_mtime))
        print(f'{directory.name:16} {kind or "?":6} {state:18} since {since}  {known.get("tree", "")}')
    return 0


def make_trees(arguments):
    for name in arguments.trees or trees.NAMES:
        print(f'{name:16} {trees.tree(name, arguments.rebuild)}')
    return 0


def act(arguments, command):
    if arguments.verb == 'list':
        return show_list()
    need_root()
    if arguments.verb == 'trees':
        return make_trees(arguments)
    machine = find(arguments)
    if arguments.verb == 'up':
        machine.up(arguments.tree, arguments.build_option, arguments.bind, arguments.project)
        return 0
    if arguments.verb == 'exec':
        if not command:
            raise MachineError('exec needs a command: machine exec [NAME] -- COMMAND ARG...')
        return machine.exec(command, arguments.timeout, source_of(arguments.input))
    if arguments.verb == 'shell':
        return machine.shell()
    if arguments.verb == 'reboot':
        machine.reboot(arguments.power_cut)
        return 0
    if not machine.down():
        raise MachineError(f'{machine.name} is not up')
    return 0


def main(argv=None):
    argv = sys.argv[1:] if argv is None else argv
    command = []
    if '--' in argv:
        at = argv.index('--')
        argv, command = argv[:at], argv[at + 1:]
    arguments = parser().parse_args(argv)
    try:
        return act(arguments, command)
    except MachineError as error:
        print(f'machine: {error}', file=sys.stderr)
        return 125 if arguments.verb == 'exec' else 1
    except OSError as error:
        print(f'machine: {error}', file=sys.stderr)
        return 125 if arguments.verb == 'exec' else 1
    except KeyboardInterrupt:
        return 130
