#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Each file begins with its licence; each C file goes on with a comment of at most 25 lines that says what it is
for (where a header of the same name stands beside it, the header says it), and headers have #pragma once."""

import pathlib
import re

import style

LICENCE = "SPDX-License-Identifier: LGPL-2.1-or-later"
SUFFIXES = {".c", ".h", ".py", ".sh", ".in", ".service", ".socket", ".target", ".slice", ".conf", ".xml", ".policy",
            ".1", ".3", ".5", ".7", ".8"}
NAMES = {"meson.build", "meson_options.txt", ".clang-format", ".clang-tidy", ".editorconfig"}
C_LICENCE = f"/* {LICENCE} */"
HEAD = re.compile(r"\A[^\n]*\n(/\*.*?\*/)\n", re.DOTALL)
HEAD_LINES = range(1, 26)


def needs_licence(root: pathlib.Path, path: pathlib.Path) -> bool:
    if path.relative_to(root).parts[0] == "completions" or path.name in NAMES:
        return True
    return path.suffix in SUFFIXES or style.interpreter(path) != ""


def c_problems(name: str, path: pathlib.Path, text: str) -> "list[style.Problem]":
    problems = []
    if not text.startswith(C_LICENCE + "\n"):
        problems.append(style.Problem(name, 1, f"the first line is not {C_LICENCE}"))
    head = HEAD.match(text)
    lines = head.group(1).count("\n") + 1 if head else 0
    said_elsewhere = path.suffix == ".c" and path.with_suffix(".h").exists()
    if lines not in HEAD_LINES and not said_elsewhere:
        problems.append(style.Problem(name, 2, f"head comment of {lines} lines: say in at most "
                                               f"{HEAD_LINES.stop - 1} lines what this file is for and who owns what"))
    if path.suffix == ".h" and "\n#pragma once\n" not in text:
        problems.append(style.Problem(name, 1, "no #pragma once"))
    return problems


def check(root: pathlib.Path) -> style.Outcome:
    problems = []
    looked_at = 0
    for path in style.project_files(root):
        if not needs_licence(root, path):
            continue
        looked_at += 1
        name = style.relative(root, path)
        text = path.read_text(encoding="utf-8", errors="replace")
        if style.is_c(path):
            problems += c_problems(name, path, text)
        elif LICENCE not in "\n".join(text.split("\n")[:5]):
            problems.append(style.Problem(name, 1, f"no {LICENCE} in the first lines"))
    if not (root / "LICENSE").exists():
        problems.append(style.Problem("LICENSE", 0, "missing"))
    return problems, looked_at


if __name__ == "__main__":
    style.main("check_heads", __doc__, check)
