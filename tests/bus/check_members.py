#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What berth-manager asks polkit for is what the interface files say, method by method. Run by meson with the program
as its argument."""

import subprocess
import sys
from typing import Dict, Tuple

import contract

Actions = Dict[Tuple[str, str], Tuple[str, ...]]


def documented() -> Actions:
    return {(method.interface[len(contract.PREFIX):], method.name): method.authorization
            for path in sorted(contract.INTERFACES.glob("*.xml")) for method in contract.methods(path)}


def asked_for(program: str) -> Actions:
    listed = subprocess.run([program, "--list-actions"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {(words[0], words[1]): tuple(words[2:]) for words in map(str.split, listed.splitlines())}


def main() -> int:
    expected, found = documented(), asked_for(sys.argv[1])
    for member in sorted({*expected, *found}):
        if expected.get(member) != found.get(member):
            print(f"{'.'.join(member)}: {found.get(member)}, documented is {expected.get(member)}")
    return 0 if expected == found and expected else 1


if __name__ == "__main__":
    sys.exit(main())
