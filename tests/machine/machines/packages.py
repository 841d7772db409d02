# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the project's Debian packages for a machine, on this host or in a tree; kept until the sources change."""

import hashlib
import os
import tempfile
from pathlib import Path

from . import build, cache, trees
from .util import CHECKOUT, PATH, need_programs, need_root, need_space, progress, run

LINT = ['lintian', '--fail-on=error,warning', '--tag-display-limit=0', '--allow-root']


def packages(tree=None, checkout=CHECKOUT):
    """The directory with the packages. tree is a name of trees.py, None for this host's own release."""
    need_root()
    if tree is None:
        need_programs('dpkg-buildpackage=dpkg-dev', 'dh=debhelper', 'lintian=lintian')
    root = trees.tree(tree) if tree else None
    shelf = cache.shelf('packages')
    need_space(shelf, 200)
    with tempfile.TemporaryDirectory(dir=shelf) as place:
        run([checkout / 'tools/packages', '--source', place], what='copying the sources')
        source = Path(place, 'source')
        recipe = cache.digest(hash_of(source), root.name if root else Path('/etc/os-release').read_text())
        return cache.entry('packages', tree or 'host', recipe, lambda path: make(source, root, path))


def hash_of(source):
    """Of all files' names, modes and contents."""
    total = hashlib.sha256()
    for path in sorted(path for path in source.rglob('*') if path.is_file()):
        data = path.read_bytes()
        total.update(f'{path.relative_to(source)} {path.stat().st_mode:o} {len(data)}\n'.encode() + data)
    return total.hexdigest()


def make(source, root, path):
    path.mkdir()
    log = path / 'log'
    environment = {'PATH': PATH, 'LC_ALL': 'C.UTF-8', 'HOME': '/root',
                   'DEB_BUILD_OPTIONS': f'nocheck parallel={os.cpu_count()}'}
    with progress(f'building the packages{" in " + root.name if root else ""}'):
        if root is None:
            run([source / 'tools/packages', path], log, env=environment, what='building the packages')
            run(['sh', '-c', f'{" ".join(LINT)} *.changes >lintian 2>&1 || echo "status $?" >>lintian'], cwd=path)
        else:
            script = f'''
                set -e
                /source/tools/packages /build
                cd /build
                {" ".join(LINT)} *.changes >lintian 2>&1 || echo "status $?" >>lintian
            '''
            build.in_tree(root, path, source, script, log, environment, what='building the packages')


def complaints(directory):
    """What lintian said of the packages."""
    return (directory / 'lintian').read_text()
