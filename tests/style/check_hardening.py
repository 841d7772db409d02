#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads the binaries that a build installs: a hardening flag that was silently dropped is seen here.

Position independent, full RELRO, bound at start, no executable stack, no search path for libraries, no set-uid bit
and no file capability; stack protector and checked libc calls where the compiler was asked for them; endbr64 at
the start of every function that the object files export. Nothing of what test builds can do wrong is in any other.
"""

import os
import pathlib
import re
import stat
import subprocess
from typing import Dict, Iterator, List, NamedTuple, Set

import style

# What the compiler replaces by a checking variant whatever the arguments are, unless fortification is off.
ALWAYS_CHECKED = {"printf", "fprintf", "dprintf", "vprintf", "vfprintf", "vdprintf"}
SOMETIMES_CHECKED = {"memcpy", "memmove", "memset", "strncpy", "snprintf", "vsnprintf", "read", "pread", "recv",
                     "readlink", "readlinkat", "asprintf", "poll", "ppoll", "realpath", "getcwd"}


class Elf(NamedTuple):
    """What readelf tells of one binary."""

    header: str
    segments: str
    dynamic: str
    imports: Set[str]

    @property
    def is_dynamic(self) -> bool:
        return "NEEDED" in self.dynamic


def tool(*command: str) -> str:
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
                          env=environment).stdout


def read_elf(path: pathlib.Path) -> Elf:
    symbols = tool("readelf", "--dyn-syms", "--wide", str(path))
    imports = re.findall(r"\bUND\s+([A-Za-z_]\w*)", symbols)
    return Elf(tool("readelf", "--file-header", "--wide", str(path)),
               tool("readelf", "--segments", "--wide", str(path)),
               tool("readelf", "--dynamic", "--wide", str(path)), set(imports))


def layout_problems(elf: Elf) -> Iterator[str]:
    """How the linker put the binary together."""
    position_independent = re.search(r"Type:\s+DYN", elf.header)
    is_static = not elf.is_dynamic and "INTERP" not in elf.segments
    if not position_independent and not is_static:
        yield "not position independent (-fPIE -pie)"
    if "GNU_RELRO" not in elf.segments and (elf.is_dynamic or position_independent):
        yield "no RELRO segment (-z relro)"
    if elf.is_dynamic and not re.search(r"BIND_NOW|FLAGS_1\).*\bNOW\b", elf.dynamic):
        yield "symbols are bound late, RELRO is partial (-z now)"
    stack = re.search(r"GNU_STACK\s+(?:0x[0-9a-f]+\s+){5}(\S*)", elf.segments)
    if stack is None or "E" in stack.group(1):
        yield "executable stack (-z noexecstack)"
    for flags in re.findall(r"\bLOAD\s+(?:0x[0-9a-f]+\s+){5}([RWE ]+?)\s+0x", elf.segments):
        if "W" in flags and "E" in flags:
            yield "a segment is writable and executable"
    if re.search(r"\((RPATH|RUNPATH)\)", elf.dynamic):
        yield "has a search path for libraries (RPATH)"
    if "(TEXTREL)" in elf.dynamic:
        yield "relocations in code (TEXTREL)"


def checking_problems(elf: Elf) -> Iterator[str]:
    """What the compiler put in, told by the imports; a static program has none."""
    if not elf.is_dynamic:
        return
    if "__stack_chk_fail" not in elf.imports:
        yield "no stack protector (-fstack-protector-strong)"
    checked = {name for name in elf.imports if name.endswith("_chk")}
    unchecked = sorted(ALWAYS_CHECKED & elf.imports)
    if not checked and not unchecked:
        unchecked = sorted(SOMETIMES_CHECKED & elf.imports)
    if unchecked:
        yield f"{unchecked[0]}() is called unchecked (-D_FORTIFY_SOURCE)"


def file_problems(path: pathlib.Path) -> Iterator[str]:
    if os.lstat(path).st_mode & (stat.S_ISUID | stat.S_ISGID):
        yield "set-uid or set-gid"
    if "security.capability" in os.listxattr(path, follow_symlinks=False):
        yield "file capabilities"


# What makes a test build fail or leave protections out; see src/basic/weaken.h and src/helper/launch/failure.h.
TEST_VARIABLES = (b"BERTH_FAULT", b"BERTH_WEAKEN")


def test_build_problems(path: pathlib.Path) -> Iterator[str]:
    content = path.read_bytes()
    for name in TEST_VARIABLES:
        if name in content:
            yield f"knows {name.decode()}, which is for test builds (-Dfault-injection=true)"


def exported_functions(objects: List[pathlib.Path]) -> Set[str]:
    """Functions that may be called through a pointer: the compiler has to mark them. A name that is a static function's,
    too, somewhere, tells nothing."""
    if not objects:
        return set()
    names = tool("nm", "--defined-only", *map(str, objects))
    exported, static = (set(re.findall(rf"^[0-9a-f]+ [{kind}] ([A-Za-z]\w*)$", names, re.MULTILINE)) for kind in ("TW", "t"))
    return exported - static


def first_instructions(path: pathlib.Path) -> Dict[str, str]:
    text = tool("objdump", "--disassemble", "--no-show-raw-insn", str(path))
    return dict(re.findall(r"^[0-9a-f]+ <([^>@]+)>:\n\s*[0-9a-f]+:\s+(\S+)", text, re.MULTILINE))


def branch_problems(path: pathlib.Path, elf: Elf, functions: Set[str]) -> Iterator[str]:
    if "X86-64" not in elf.header:
        return
    first = first_instructions(path)
    bare = sorted(name for name in functions & set(first) if first[name] != "endbr64")
    if bare:
        yield f"{len(bare)} functions, {bare[0]}() is one, do not start with endbr64 (-fcf-protection)"


def is_elf(path: pathlib.Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def binary_problems(path: pathlib.Path, functions: Set[str], checking: bool) -> List[str]:
    elf = read_elf(path)
    problems = list(file_problems(path)) + list(layout_problems(elf)) + list(branch_problems(path, elf, functions))
    return problems + (list(checking_problems(elf)) if checking else [])


def check(build: pathlib.Path, tree: pathlib.Path) -> style.Outcome:
    sanitized = style.build_option(build, "b_sanitize") != "none"
    checking = not sanitized and style.build_option(build, "optimization") not in ("0", "plain")
    for_use = not style.build_option(build, "fault-injection")
    functions = exported_functions(sorted(build.glob("src/**/*.p/**/*.o")))
    problems = []
    looked_at = 0
    for path in sorted(p for p in tree.rglob("*") if p.is_file() and not p.is_symlink()):
        if is_elf(path):
            looked_at += 1
            name = "/" + str(path.relative_to(tree))
            problems += [style.Problem(name, 0, text) for text in binary_problems(path, functions, checking)]
            problems += [style.Problem(name, 0, text) for text in test_build_problems(path) if for_use]
    return problems, looked_at


if __name__ == "__main__":
    style.main_build("check_hardening", __doc__, check)
