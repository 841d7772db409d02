# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the style checks share: finding the project's files, reading C without its comments, reporting.

A check is a function check(root) that returns (problems, number of things looked at). A check that looked at
nothing has failed: it would not notice anything either.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
from typing import Callable, Iterator, List, NamedTuple, Tuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKIPPED_DIRECTORIES = {".git", "__pycache__", "corpus", ".pytest_cache"}
SKIPPED_FILES = {"LICENSE"}  # not ours to lay out


class Problem(NamedTuple):
    """One finding, told as compilers tell theirs."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line > 0 else self.file
        return f"{where}: {self.text}"


Outcome = Tuple[List[Problem], int]


def project_files(root: pathlib.Path) -> Iterator[pathlib.Path]:
    """Every text file of the project, without what builds, tests and version control leave behind."""
    for directory, names, files in os.walk(root):
        names[:] = sorted(n for n in names if n not in SKIPPED_DIRECTORIES
                          and not os.path.isdir(os.path.join(directory, n, "meson-private")))
        for name in sorted(files):
            path = pathlib.Path(directory, name)
            if name not in SKIPPED_FILES and not path.is_symlink() and path.suffix not in (".pyc", ".orig", ".rej", ".swp"):
                yield path


def is_c(path: pathlib.Path) -> bool:
    return path.suffix in (".c", ".h")


def interpreter(path: pathlib.Path) -> str:
    """The name of the program that a script's first line asks for, or nothing."""
    with path.open("rb") as file:
        first = file.readline(200)
    match = re.match(rb"#!\s*(?:/usr/bin/env\s+)?(\S+)", first)
    return os.path.basename(match.group(1).decode("utf-8", "replace")) if match else ""


def is_python(path: pathlib.Path) -> bool:
    return path.suffix == ".py" or interpreter(path).startswith("python")


def is_shell(path: pathlib.Path) -> bool:
    return path.suffix == ".sh" or interpreter(path) in ("sh", "bash", "dash")


_TOKENS = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def strip_c(text: str) -> str:
    """C with comments and the insides of literals blanked, every line where it was."""
    def blank(match: "re.Match[str]") -> str:
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)
    return _TOKENS.sub(blank, text)


def relative(root: pathlib.Path, path: pathlib.Path) -> str:
    return str(path.relative_to(root))


def install_tree(build: pathlib.Path, destination: pathlib.Path) -> pathlib.Path:
    """Installs a build below a directory that is made anew; returns the root of what was installed."""
    if not (build / "meson-info" / "intro-buildoptions.json").exists():
        raise SystemExit(f"{build} is not a build directory: run `meson setup {build}` first")
    shutil.rmtree(destination, ignore_errors=True)
    done = subprocess.run(["meson", "install", "-C", str(build), "--destdir", str(destination), "--quiet"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"cannot install {build} below {destination}:\n{done.stdout}")
    return destination


def build_option(build: pathlib.Path, name: str) -> object:
    """The value that an option of a build has."""
    options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
    return next(option["value"] for option in options if option["name"] == name)


def report(name: str, outcome: Outcome) -> int:
    problems, looked_at = outcome
    for problem in problems:
        print(problem)
    if looked_at == 0:
        print(f"{name}: found nothing to look at, and so has shown nothing")
        return 1
    print(f"{name}: {looked_at} looked at, {len(problems)} problems")
    return 1 if problems else 0


def main(name: str, description: str, check: Callable[[pathlib.Path], Outcome]) -> None:
    """The command line of a check that reads the source tree."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("--root", type=pathlib.Path, default=ROOT, help="the source tree (default: this one)")
    sys.exit(report(name, check(parser.parse_args().root.resolve())))


def main_build(name: str, description: str,
               check: Callable[[pathlib.Path, pathlib.Path], Outcome]) -> None:
    """The command line of a check that reads what a build installs: check(build, installed tree)."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("build", type=pathlib.Path, help="a build directory")
    build = parser.parse_args().build.resolve()
    tree = install_tree(build, build / "meson-private" / name)
    try:
        sys.exit(report(name, check(build, tree)))
    finally:
        shutil.rmtree(tree, ignore_errors=True)
