# SPDX-License-Identifier: LGPL-2.1-or-later
"""The unit ring: every way in which the project is built, and meson's tests in those that can run here."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
from typing import Dict, Iterator, List, NamedTuple

from ring import FAILED, PASSED, SKIPPED, Progress, Ring

TEST_TIMEOUT = 900
STAMP = "configured-by"
MESON_OUTCOMES = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}


class Build(NamedTuple):
    title: str
    compiler: str
    options: List[str]
    tests: bool


BUILDS = [
    Build("gcc", "gcc", [], True),
    Build("clang sanitized", "clang", ["-Db_sanitize=address,undefined", "-Db_lundef=false"], True),
    Build("gcc fault injection", "gcc", ["-Dfault-injection=true"], False),
    Build("gcc release", "gcc", ["--buildtype=release", "--auto-features=disabled"], True),
    Build("clang release", "clang", ["--buildtype=release", "--auto-features=disabled"], False),
    Build("gcc unoptimised", "gcc", ["--buildtype=debug"], False),
]


def build_directory(ring: Ring, build: Build) -> pathlib.Path:
    checkout = hashlib.sha256(str(ring.settings.top).encode()).hexdigest()[:12]
    return ring.settings.cache / "check" / checkout / build.title.replace(" ", "-")


def configure(ring: Ring, build: Build, directory: pathlib.Path) -> bool:
    """Configures a build, anew when its options are others than last time; meson sees to the rest."""
    command = ["meson", "setup", str(directory), str(ring.settings.top), "--werror", "--prefix=/usr",
               f"-Dtests={'true' if build.tests else 'false'}", *build.options]
    stamp = directory / STAMP
    wanted = "\n".join([build.compiler, *command])
    if stamp.exists() and stamp.read_text() == wanted:
        return True
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    if not ring.step(f"{build.title}: configure", command, environment={"CC": build.compiler}):
        return False
    stamp.write_text(wanted)
    return True


def compiler_words(text: str) -> str:
    """What the compiler, or meson, had to say, without command lines and counting: from the first error on."""
    lines = [line for line in text.split("\n") if not line.startswith(("[", "gcc ", "clang ", "ninja: Entering"))]
    first = next((number for number, line in enumerate(lines) if re.search(r"\b(error|ERROR|FAILED|warning):", line)), 0)
    return "\n".join(lines[max(first - 1, 0):][:40])


def compile_build(ring: Ring, build: Build, directory: pathlib.Path) -> bool:
    status, text = ring.run(f"{build.title}: compile", ["ninja", "-C", str(directory)], timeout=1200)
    good = status == 0 and "warning:" not in text
    ring.add(f"{ring.name}: {build.title}: builds without warnings", PASSED if good else FAILED,
             "" if good else compiler_words(text))
    if status == 0 and not good:
        (directory / STAMP).unlink()  # or the warning would be seen only once
    return status == 0


def test_build(ring: Ring, build: Build, directory: pathlib.Path) -> None:
    """meson's tests; each counts."""
    results = directory / "meson-logs" / "testlog.json"
    results.unlink(missing_ok=True)
    status, text = ring.run(f"{build.title}: test",
                            ["meson", "test", "-C", str(directory), "--num-processes", "2", "--timeout-multiplier", "5"],
                            TEST_TIMEOUT, {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
                                           "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    failed = 0
    for case in map(json.loads, results.read_text().splitlines() if results.exists() else []):
        outcome = MESON_OUTCOMES.get(case["result"], FAILED)
        failed += outcome == FAILED
        said = "\n".join(case.get(stream) or "" for stream in ("stdout", "stderr")).strip()
        if outcome == FAILED:
            said += f"\n{case['result']}, exit status {case.get('returncode')}"
        ring.add(f"{ring.name}: {build.title}: {case['name'].split(' / ')[-1]}", outcome, said)
    if (status != 0 and failed == 0) or not results.exists():
        ring.add(f"{ring.name}: {build.title}: meson test", FAILED, text)


def tidy_files(directory: pathlib.Path) -> Iterator[pathlib.Path]:
    for entry in json.loads((directory / "compile_commands.json").read_text()):
        yield pathlib.Path(entry["directory"], entry["file"]).resolve()


def tidy_key(top: pathlib.Path, path: pathlib.Path) -> str:
    """Changes with the file, with any header and with the rules: then the file is looked at again."""
    digest = hashlib.sha256()
    for part in [top / ".clang-tidy", path, *sorted(top.glob("src/**/*.h")), *sorted(top.glob("tests/**/*.h"))]:
        digest.update(part.read_bytes())
    return digest.hexdigest()


def tidy_one(directory: pathlib.Path, path: pathlib.Path) -> "tuple[int, str]":
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(directory), str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.returncode, done.stdout


def tidy(ring: Ring, directory: pathlib.Path) -> None:
    """clang-tidy over all C files; what it has found clean and what has not changed since is passed over."""
    name = f"{ring.name}: clang-tidy"
    clean = ring.settings.cache / "check" / "tidy"
    clean.mkdir(parents=True, exist_ok=True)
    top = ring.settings.top
    keys: Dict[pathlib.Path, str] = {path: tidy_key(top, path) for path in set(tidy_files(directory))}
    todo = sorted(path for path, key in keys.items() if not (clean / key).exists())
    findings = []
    progress = Progress(f"{name}, {len(todo)} of {len(keys)} files have changed", lambda: "")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for path, (status, text) in zip(todo, pool.map(lambda path: tidy_one(directory, path), todo)):
            progress.tick()
            if status == 0:
                (clean / keys[path]).touch()
            else:
                findings.append(text.strip() or f"{path}: clang-tidy exited with {status}")
    progress.done("done")
    ring.log_path("clang-tidy").write_text("\n".join(findings))
    ring.add(name, FAILED if findings else PASSED, "\n".join(findings))


IN_TREE = """
import sys
from machines import build, util
try:
    build.project("debian13", sys.argv[1:])
except util.MachineError as error:
    sys.exit(str(error))
"""


def build_in_tree(ring: Ring, title: str, compiler: str, options: List[str]) -> None:
    """The same in a Debian 13 tree, with its compiler and libraries, by what builds for the test machines."""
    ring.step(f"Debian 13 {title}: builds without warnings", ["/usr/bin/python3", "-B", "-c", IN_TREE, *options],
              timeout=1200, environment={"PYTHONPATH": str(ring.settings.top / "tests" / "machine"), "CC": compiler})


def run(ring: Ring) -> None:
    for build in BUILDS:
        directory = build_directory(ring, build)
        if configure(ring, build, directory) and compile_build(ring, build, directory):
            if build.tests:
                test_build(ring, build, directory)
            if build.compiler == "clang" and build.tests:
                tidy(ring, directory)
    build_in_tree(ring, "gcc", "gcc", ["--werror", "-Dtests=true"])
    build_in_tree(ring, "clang release", "clang", ["--werror", "--buildtype=release"])
