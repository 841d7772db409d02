#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` with DESTDIR puts each file where distributions look for it, with the right mode, and writes
nowhere else."""

import os
import pathlib
import re
import stat

import style

# (where below the prefix, mode): what may be installed.
PLACES = [
    (r"bin/[a-z-]+", 0o755),
    (r"libexec/berth/[a-z-]+", 0o755),
    (r"include/berth\.h", 0o644),
    (r"lib(/[a-z0-9_-]+)?/libberth\.so\.[0-9.]+", 0o755),
    (r"lib(/[a-z0-9_-]+)?/libberth\.a", 0o644),
    (r"lib(/[a-z0-9_-]+)?/pkgconfig/berth\.pc", 0o644),
    (r"lib/systemd/system/[a-z@.-]+\.(service|socket|slice|target)", 0o644),
    (r"lib/systemd/system-generators/[a-z-]+", 0o755),
    (r"lib/berth/apparmor/[0-9]+-[a-z]+\.aa", 0o644),
    (r"lib/berth/seccomp/[a-z]+\.seccomp", 0o644),
    (r"lib/sysusers\.d/berth\.conf", 0o644),
    (r"lib/tmpfiles\.d/berth\.conf", 0o644),
    (r"lib/berth/seccomp/[a-z]+\.seccomp", 0o644),
    (r"share/dbus-1/system\.d/org\.berth\.container1\.conf", 0o644),
    (r"share/dbus-1/system-services/org\.berth\.container1\.service", 0o644),
    (r"share/dbus-1/interfaces/org\.berth\.container1\.[A-Za-z]+\.xml", 0o644),
    (r"share/polkit-1/actions/org\.berth\.container1\.policy", 0o644),
    (r"share/man/man[1-8]/[a-z0-9@.-]+\.[1-8](\.gz)?", 0o644),
    (r"share/bash-completion/completions/berthctl", 0o644),
    (r"share/zsh/(site-functions|vendor-completions)/_berthctl", 0o644),
]
# The links that there may be, and what each says.
LINKS = [(r"lib(/[a-z0-9_-]+)?/libberth\.so(\.0)?", r"libberth\.so\.[0-9.]+")]
# What has to be there.
REQUIRED = ["bin/berthctl", "include/berth.h", "libexec/berth/berth-helper", "lib/systemd/system/container@.service",
            "lib/sysusers.d/berth.conf", "lib/tmpfiles.d/berth.conf",
            "lib/systemd/system/berth-manager.service", "lib/systemd/system/berth-console.socket",
            "share/dbus-1/system.d/org.berth.container1.conf", "share/dbus-1/system-services/org.berth.container1.service",
            "share/dbus-1/interfaces/org.berth.container1.Manager.xml",
            "share/dbus-1/interfaces/org.berth.container1.Container.xml",
            "share/polkit-1/actions/org.berth.container1.policy",
            "share/man/man1/berthctl.1", "share/man/man5/berth.container.5",
            "share/bash-completion/completions/berthctl"]


def file_problem(name: str, mode: int) -> str:
    """Why a file may not be installed as it is; nothing if it may."""
    for place, expected in PLACES:
        if re.fullmatch(place, name):
            return "" if mode == expected else f"mode {mode:04o}, should be {expected:04o}"
    return "nothing of berth belongs there (if it does, say so in PLACES)"


def link_problem(name: str, target: str) -> str:
    """Why a link may not be installed as it is; nothing if it may."""
    return "" if any(re.fullmatch(place, name) and re.fullmatch(expected, target) for place, expected in LINKS) else "a link"


def check_tree(root: pathlib.Path, prefix: str) -> style.Outcome:
    """Checks what lies below a root into which something with this prefix was installed."""
    problems = []
    installed = set()
    below = root / prefix.lstrip("/")
    for path in sorted(p for p in root.rglob("*") if not p.is_dir() or p.is_symlink()):
        if below not in path.parents:
            problems.append(style.Problem("/" + str(path.relative_to(root)), 0, f"outside of the prefix {prefix}"))
            continue
        name = str(path.relative_to(below))
        installed.add(name)
        problem = link_problem(name, os.readlink(path)) if path.is_symlink() \
            else file_problem(name, stat.S_IMODE(os.lstat(path).st_mode))
        if problem != "":
            problems.append(style.Problem(f"{prefix}/{name}", 0, problem))
    problems += [style.Problem(f"{prefix}/{name}", 0, "is not installed") for name in REQUIRED if name not in installed]
    return problems, len(installed)


def check(build: pathlib.Path, tree: pathlib.Path) -> style.Outcome:
    return check_tree(tree, str(style.build_option(build, "prefix")))


if __name__ == "__main__":
    style.main_build("check_install", __doc__, check)
