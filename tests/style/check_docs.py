#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is installed is documented: every verb that `berthctl --help` lists has its place in berthctl(1) and in the
completions and the other way round, man pages are clean mdoc, units are clean for `systemd-analyze verify`."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from typing import Dict, List, Set

import style

# systemd-analyze cannot know these: what a unit starts is looked for on this machine, not below DESTDIR.
NOT_HERE = re.compile(r"Command .* is not executable|No such file or directory$|^$")


def verbs_of_help(text: str) -> Set[str]:
    """The words that begin the lines of the lists in a help text: verbs, not options."""
    return set(re.findall(r"^  ([a-z][a-z-]*)(?=\s|$)", text, re.MULTILINE))


def verbs_of_man(text: str) -> Set[str]:
    """The commands that a section COMMANDS lists."""
    section = re.search(r"^\.Sh COMMANDS\n(.*?)(?=^\.Sh |\Z)", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r"^\.It (?:Cm|Ic|Nm berthctl Cm) ([a-z][a-z-]*)", section.group(1), re.MULTILINE)) \
        if section else set()


def verb_problems(help_text: str, man: str, completions: Dict[str, str]) -> List[style.Problem]:
    problems = []
    verbs = verbs_of_help(help_text)
    if not verbs:
        problems.append(style.Problem("berthctl --help", 0, "lists no verb"))
    documented = verbs_of_man(man)
    problems += [style.Problem("man/berthctl.1", 0, f"no entry for `{verb}' in COMMANDS")
                 for verb in sorted(verbs - documented)]
    problems += [style.Problem("man/berthctl.1", 0, f"`{verb}' is no verb of berthctl")
                 for verb in sorted(documented - verbs)]
    for name, text in completions.items():
        problems += [style.Problem(name, 0, f"does not know `{verb}'")
                     for verb in sorted(verbs) if not re.search(rf"(?<![\w-]){verb}(?![\w-])", text)]
    return problems


def man_problems(name: str, path: pathlib.Path) -> List[style.Problem]:
    done = subprocess.run(["groff", "-mdoc", "-ww", "-z", "-Kutf8", str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return [style.Problem(name, 0, line) for line in done.stdout.splitlines() if line.strip() != ""]


def unit_problems(directory: pathlib.Path) -> List[style.Problem]:
    """systemd's own opinion of the units in a directory; templates are looked at by an instance."""
    problems = []
    units = sorted(p for p in directory.iterdir() if p.suffix in (".service", ".socket", ".target", ".slice"))
    with tempfile.TemporaryDirectory() as scratch:
        for unit in units:
            (pathlib.Path(scratch) / unit.name).write_bytes(unit.read_bytes())
        environment = dict(os.environ, SYSTEMD_UNIT_PATH=f"{scratch}:", LC_ALL="C")
        for unit in units:
            instance = unit.name.replace("@.", "@demo.")
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                                   os.path.join(scratch, instance)],
                                  env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False)
            problems += [style.Problem(unit.name, 0, line) for line in done.stdout.splitlines()
                         if not NOT_HERE.search(line)]
    return problems


def read_or_nothing(path: pathlib.Path) -> str:
    """A text; what is not there lists nothing, which the comparison then tells."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def check(build: pathlib.Path, tree: pathlib.Path) -> style.Outcome:
    root = tree / str(style.build_option(build, "prefix")).lstrip("/")
    problems = []
    looked_at = 0
    for page in sorted((root / "share/man").glob("man*/*.[1-8]")):
        looked_at += 1
        problems += man_problems(page.name, page)
    libraries = os.pathsep.join(str(path.parent) for path in root.glob("lib/**/libberth.so"))
    done = subprocess.run([str(root / "bin/berthctl"), "--help"], stdout=subprocess.PIPE, text=True, check=False,
                          env=dict(os.environ, LD_LIBRARY_PATH=libraries))
    completions = {f"completions/{name}": read_or_nothing(style.ROOT / "completions" / name)
                   for name in ("berthctl", "_berthctl")}
    problems += verb_problems(done.stdout, read_or_nothing(style.ROOT / "man/berthctl.1"), completions)
    units = root / "lib/systemd/system"
    if shutil.which("systemd-analyze") and units.exists():
        looked_at += 1
        problems += unit_problems(units)
    return problems, looked_at


if __name__ == "__main__":
    style.main_build("check_docs", __doc__, check)
