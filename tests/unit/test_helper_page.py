#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The helper's table of operations, the header that the manager is written from, and berth-helper.service(8) have the
same members, and the header the same arguments."""

import re
import sys
from pathlib import Path


def rows(table: str) -> "dict[str, str]":
    return dict(re.findall(r'\.member = "(\w+)", \.arguments = "([^"]*)"', table))


def signatures(header: str) -> "dict[str, str]":
    """Members with the types of what stands in the brackets."""
    comment = header[:header.index("*/\n#pragma")]
    found = re.findall(r"(?:^ \*  |  )\s*([A-Z][A-Za-z]+)\(((?:[^()]|\(\w+\))*)\)", comment, re.MULTILINE)
    return {member: "".join(argument.split()[0] for argument in arguments.split(", ") if argument)
            for member, arguments in found}


def main(table: str, header: str, page: str) -> int:
    expected = rows(Path(table).read_text(encoding="utf-8"))
    declared = signatures(Path(header).read_text(encoding="utf-8"))
    documented = set(re.findall(r"^\.It Ic (\w+)$", Path(page).read_text(encoding="utf-8"), re.MULTILINE))
    problems = []
    if len(expected) < 10:
        problems.append(f"only {len(expected)} rows were found in the table")
    for member in sorted(expected.keys() | declared.keys() | documented):
        if expected.get(member) != declared.get(member):
            problems.append(f"{member}: the table has {expected.get(member)}, the header {declared.get(member)}")
        if (member in expected) != (member in documented):
            problems.append(f"{member}: {'not' if member in expected else 'only'} in the manual page")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(expected)} operations, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
