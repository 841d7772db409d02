# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth's store in a machine, as a test fills it: by berthctl, and looked at as root."""

import importlib.util
import json
import tarfile
from pathlib import Path

STORE = '/var/lib/berth'
FOREIGN = 0x7FFE0000
ROOMS = ('containers', 'images', 'overlays', 'roots', 'trash')

_spec = importlib.util.spec_from_file_location('make_archives',
                                               Path(__file__).resolve().parents[2] / 'fuzz' / 'make-archives.py')
archives = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(archives)

LIST = r'''
import json, os, sys
found = {}
for top in sys.argv[1:]:
    for path, directories, files in os.walk(os.fsencode(top)):
        for name in [b"."] + directories + files:
            full = path if name == b"." else os.path.join(path, name)
            status = os.lstat(full)
            found[os.fsdecode(full)] = {
                "mode": status.st_mode, "uid": status.st_uid, "gid": status.st_gid, "size": status.st_size,
                "mtime": status.st_mtime, "ino": status.st_ino, "nlink": status.st_nlink, "blocks": status.st_blocks,
                "link": os.fsdecode(os.readlink(full)) if os.path.islink(full) else None,
                "attributes": {} if os.path.islink(full) else
                {n: os.getxattr(full, n).hex() for n in os.listxattr(full, follow_symlinks=False)}}
print(json.dumps(found))
'''


class Store:
    def __init__(self, machine):
        self.machine = machine
        self.made = []

    def write(self, content, path='/var/tmp/archive'):
        """An archive's bytes, or the members that it is made of."""
        self.machine.write(path, content if isinstance(content, bytes) else archives.pack(*content))
        return path

    def create(self, name, *options, check=True, timeout=300):
        self.made.append(name)
        return self.machine.run(['berthctl', 'create', name, *options], check=check,
                                timeout=timeout * self.machine.patience)

    def create_tar(self, name, content, *options, check=True):
        return self.create(name, f'--tar={self.write(content)}', *options, check=check)

    def remove(self, name, *options, check=True):
        return self.machine.run(['berthctl', 'remove', '--yes', *options, name], check=check,
                                timeout=300 * self.machine.patience)

    def listed(self, *paths):
        """{path: what lstat tells}"""
        return json.loads(self.machine.run(['/usr/bin/python3', '-c', LIST, *paths]).stdout)

    def root(self, name):
        """The same of a root, by paths within it."""
        top = f'{STORE}/roots/{name}'
        return {path[len(top):].lstrip('/'): fields for path, fields in self.listed(top).items()}

    def entries(self):
        """What is in the rooms, by their names."""
        return {f'{room}/{name}' for room in ROOMS
                for name in self.machine.run(['ls', '-A', f'{STORE}/{room}'], check=False).stdout.split('\n') if name}

    def clear(self):
        for name in self.made:
            self.machine.run(['systemctl', 'stop', f'container@{name}'], check=False)
            self.remove(name, '--data', check=False)
        self.machine.remove('/var/tmp/archive', *(f'{STORE}/{room}/{name}{suffix}' for name in self.made for room, suffix in
                                                  (('roots', ''), ('images', '.raw'), ('overlays', ''))))
        self.made.clear()


def tar_with(*members, form=tarfile.PAX_FORMAT):
    """A usable root with these members in it."""
    return archives.pack(archives.directory('./'), archives.directory('./etc'), *members, form=form)
