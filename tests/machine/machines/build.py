# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds the project from a checkout and installs it into a tar, which a machine unpacks over its root.

For the host's own root the host's compiler does it; for a tree, the one in the tree, at full speed in a chroot
of it. Build directories are kept in the cache, one for each checkout, tree and set of options, so that a second
build takes as long as what was changed.
"""

import os
import subprocess
from pathlib import Path

from . import cache, trees
from .util import CHECKOUT, PATH, MachineError, locked, need_programs, need_root, need_space, progress, run

OPTIONS = ['--prefix=/usr', '--sysconfdir=/etc', '--localstatedir=/var', '--buildtype=debugoptimized',
           '--wrap-mode=nodownload', '-Dtests=false']

# In a mount namespace of its own, over a view of the tree that is thrown away.
IN_TREE = '''
    set -e
    mount -t tmpfs tmpfs "$PLACE/mnt"
    cd "$PLACE/mnt"
    mkdir root upper work
    mount -t overlay -o "lowerdir=$TREE,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
    mkdir root/source root/build
    mount --bind "$CHECKOUT" root/source
    mount -o remount,bind,ro root/source
    mount --bind "$PLACE" root/build
    mount -t proc proc root/proc
    mount --rbind /dev root/dev
    exec chroot root /bin/sh -c "$SCRIPT"
'''


def project(tree=None, options=(), checkout=CHECKOUT):
    """The path of a tar of the project as installed. tree is a name of trees.py, None for the host's own root."""
    need_root()
    checkout = Path(checkout).resolve()
    if not (checkout / 'meson.build').exists():
        raise MachineError(f'{checkout} has no meson.build: it is no checkout of the project')
    options = [*OPTIONS, *options]
    root = trees.tree(tree) if tree else None
    key = cache.digest(str(checkout), str(root), options)
    place = cache.shelf('build') / key
    place.mkdir(exist_ok=True)
    (place / 'checkout').write_text(str(checkout))
    with locked(place.parent):
        forget_gone(place.parent)
    need_space(place, 200)
    with locked(place / 'lock'):
        with progress(f'building the project{" in " + tree if tree else ""}'):
            build(checkout, place, options, root)
        return pack(place)


def forget_gone(builds):
    """Removes the builds of checkouts that are no more."""
    for mark in builds.glob('*/checkout'):
        if not Path(mark.read_text()).exists():
            cache.discard(mark.parent)


def build(checkout, place, options, root):
    if root is None:
        need_programs('meson=meson', 'ninja=ninja-build', 'gcc=gcc')
    log = place / 'log'
    log.unlink(missing_ok=True)
    install = place / 'install'
    cache.discard(install)
    script = f'''
        set -e
        [ -e "$BUILD/build.ninja" ] || meson setup "$BUILD" "$SOURCE" {quoted(options)}
        ninja -C "$BUILD" -j {os.cpu_count()}
        DESTDIR="$BUILD/../install" meson install -C "$BUILD" --no-rebuild --quiet
    '''
    env = {k: v for k, v in os.environ.items() if k in ('HOME', 'CC', 'CFLAGS', 'CCACHE_DIR')}
    env |= {'PATH': PATH, 'LC_ALL': 'C.UTF-8', 'PYTHONDONTWRITEBYTECODE': '1'}
    if root is None:
        env |= {'BUILD': str(place / 'build'), 'SOURCE': str(checkout)}
        run(['/bin/sh', '-c', script], log=log, env=env, what='building the project')
        return
    env |= {'BUILD': '/build/build', 'SOURCE': '/source', 'HOME': '/root'}
    in_tree(root, place, checkout, script, log, env, 'building the project')


def in_tree(root, place, checkout, script, log, env, what):
    """Runs a script in a tree, with the checkout as /source, not to be written, and the directory place as /build."""
    mount = place / 'mnt'
    mount.mkdir(exist_ok=True)
    env = env | {'PLACE': str(place), 'TREE': str(root), 'CHECKOUT': str(checkout), 'SCRIPT': script}
    run(['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', IN_TREE], log=log, env=env,
        what=f'{what} in {root.name}')
    mount.rmdir()


def quoted(words):
    return ' '.join("'" + str(w).replace("'", "'\\''") + "'" for w in words)


def pack(place):
    """Renamed into place: who unpacks an earlier one keeps it."""
    temporary = place / 'project.tar.new'
    install = place / 'install'
    install.mkdir(exist_ok=True)
    subprocess.run(['tar', '-c', '-f', temporary, '-C', install, '--owner=root:0', '--group=root:0', '.'], check=True)
    temporary.rename(place / 'project.tar')
    cache.discard(install)
    return place / 'project.tar'
