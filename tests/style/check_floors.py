#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each file includes from its own folder and from the floors below it, and says so in the path.

basic (0) <- spec (1) <- init, helper, generator, manager, client, unpack, seccomp (2) <- ctl (3). Programs of floor 2 never see
each other; ctl sees libberth and what lies below that, but no program with rights.
"""

import pathlib
import re

import style

FLOORS = {"basic": 0, "spec": 1, "init": 2, "helper": 2, "generator": 2, "manager": 2, "client": 2, "unpack": 2,
          "seccomp": 2, "ctl": 3}
UPPER_MAY_SEE = {"ctl": {"client"}}
GENERATED = {"config.h"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]*)"', re.MULTILINE)


def verdict(folder: str, header: str) -> str:
    """Why a file in this folder may not include this header; nothing if it may."""
    if header in GENERATED:
        return f'"{header}" is given to the compiler by the build, no file includes it'
    floor, slash, _ = header.partition("/")
    if slash == "" or floor not in FLOORS:
        return f'"{header}" does not say its floor: write "{folder}/{header}" or <{header}>'
    if floor == folder:
        return ""
    if FLOORS[floor] > FLOORS[folder]:
        return f'"{header}" lies above {folder}: {floor} is floor {FLOORS[floor]}, {folder} floor {FLOORS[folder]}'
    if FLOORS[floor] == FLOORS[folder]:
        return f'"{header}" is another program\'s: {folder} and {floor} never see each other'
    if FLOORS[floor] == 2 and floor not in UPPER_MAY_SEE.get(folder, set()):
        return f'"{header}" is out of reach: {folder} sees {", ".join(sorted(UPPER_MAY_SEE[folder]))} and below'
    return ""


def check(root: pathlib.Path) -> style.Outcome:
    problems = []
    looked_at = 0
    for path in style.project_files(root / "src"):
        if not style.is_c(path):
            continue
        looked_at += 1
        name = style.relative(root, path)
        parts = path.relative_to(root / "src").parts
        if len(parts) < 2 or parts[0] not in FLOORS:
            problems.append(style.Problem(name, 0, f"no floor: put it below src/{{{','.join(FLOORS)}}}"))
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            header = match.group(1)
            why = verdict(parts[0], header)
            if why == "" and not (root / "src" / header).exists():
                why = f'"{header}" does not exist below src/'
            if why != "":
                problems.append(style.Problem(name, line, why))
    return problems, looked_at


if __name__ == "__main__":
    style.main("check_floors", __doc__, check)
