#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Shell scripts parse, and shellcheck has nothing to say about them (where it is installed); Python compiles."""

import pathlib
import shutil
import subprocess
from typing import List

import style

SHELLCHECK = ["shellcheck", "--shell=bash", "--external-sources", "--source-path=SCRIPTDIR", "--format=gcc",
              "--severity=warning", "--exclude=SC1007"]  # which takes `local a= b=` for a mistake


def run(command: List[str]) -> str:
    """What a command that failed has said; nothing if it succeeded."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout.strip() or f"{command[0]} exited with {done.returncode}"


def check(root: pathlib.Path) -> style.Outcome:
    problems = []
    looked_at = 0
    for path in style.project_files(root):
        name = style.relative(root, path)
        if style.is_shell(path) or path.name == "berthctl" and path.parent.name == "completions":
            looked_at += 1
            complaint = run(["bash", "-n", str(path)])
            if complaint == "" and shutil.which("shellcheck"):
                complaint = run([*SHELLCHECK, str(path)])
        elif style.is_python(path):
            looked_at += 1
            complaint = ""
            try:
                compile(path.read_text(encoding="utf-8"), name, "exec", dont_inherit=True)
            except (SyntaxError, ValueError) as error:
                complaint = str(error)
        else:
            continue
        if complaint != "":
            problems.append(style.Problem(name, 0, complaint))
    return problems, looked_at


if __name__ == "__main__":
    style.main("check_shell", __doc__, check)
