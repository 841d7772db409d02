# SPDX-License-Identifier: LGPL-2.1-or-later
"""Things that are slow to make and kept: built once for a recipe, found again by its hash.

An entry is CACHE/SHELF/NAME-HASH, a directory or file. It is made under a temporary name, by one process at a
time, and renamed when it is whole: what has the final name is complete. When the recipe changes the hash
does, and the entry of the old one goes unless a machine uses it.
"""

import hashlib
import os
import shutil
import subprocess

from .util import CACHE, STATE, MachineError, locked, read_json, say


def digest(*parts):
    """A short hash of a recipe: texts, bytes, and lists of them."""
    total = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else repr(part).encode()
        total.update(b'%d:' % len(data) + data)
    return total.hexdigest()[:12]


def shelf(name):
    """A directory of the cache. Trees are mounted with mapped ids: overlayfs does not take part in that."""
    directory = CACHE / name
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f'cannot make {directory}: {error.strerror}; set BERTH_CACHE to a directory that '
                           'can be written') from error
    kind = file_system(directory)
    if kind == 'overlay':
        raise MachineError(f'{CACHE} lies on overlayfs, which cannot be mounted with mapped ids: set '
                           'BERTH_CACHE to a directory on ext4, xfs or btrfs')
    return directory


def file_system(path):
    """The file system type of the mount that a path lies on."""
    path = os.path.realpath(path)
    best, kind = '', ''
    with open('/proc/self/mountinfo', encoding='utf-8') as mounts:
        for line in mounts:
            fields = line.split()
            point = fields[4].encode().decode('unicode_escape')
            inside = path == point or path.startswith(point.rstrip('/') + '/')
            if inside and len(point) >= len(best):
                best, kind = point, fields[fields.index('-') + 1]
    return kind


def entry(shelf_name, name, recipe, make, rebuild=False):
    """The path of an entry, after make(temporary path) has made it if there is none for this recipe."""
    directory = shelf(shelf_name)
    final = directory / f'{name}-{recipe}'
    if final.exists() and not rebuild:
        return final
    with locked(directory / f'.{name}.lock'):
        if rebuild and final.exists():
            discard(final)
        if final.exists():
            return final
        for stale in directory.glob(f'{name}-*.tmp'):
            discard(stale)
        temporary = directory / f'{name}-{recipe}.tmp'
        try:
            make(temporary)
            temporary.rename(final)
        except BaseException:
            discard(temporary)
            raise
        forget_old(directory, name, final)
    return final


def forget_old(directory, name, keep):
    """Removes what earlier recipes of the same thing made, unless a machine uses it or is about to say what it
    uses."""
    used = set()
    for state in STATE.iterdir() if STATE.exists() else []:
        known = read_json(state / 'machine.json') or {}
        if 'uses' not in known:
            return
        used.update(known['uses'])
    for old in directory.glob(f'{name}-' + '[0-9a-f]' * 12):
        if old != keep and str(old) not in used:
            say(f'forgetting {old.name}, made by an earlier recipe')
            discard(old)


def discard(path):
    """Removes a file or a whole tree, which may well not be there; also files that were made immutable."""
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        subprocess.run(['chattr', '-R', '-f', '-ia', path], check=False)
        shutil.rmtree(path)
