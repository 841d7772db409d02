#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libberth's header, symbol map, binaries, contract and tests agree: what is declared is exported and nothing else, is
documented with its first version, and is called by a test. The header can be used in C99 and in C++."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import List, Set

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = ROOT / "src/client/include/berth.h"
SHARED, STATIC = sys.argv.pop(1), sys.argv.pop(1)
COMPILER = sys.argv.pop(1)
FLAGS = ["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only", f"-I{HEADER.parent}"]
HEADER_TEXT = HEADER.read_text(encoding="utf-8")


def declared() -> Set[str]:
    return set(re.findall(r"^BERTH_EXPORT [^(]*?(\w+)\(", HEADER_TEXT, re.MULTILINE))


def symbols(*command: str) -> Set[str]:
    text = subprocess.run(["nm", "--defined-only", *command], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name.split("@")[0] for kind, name in re.findall(r"^[0-9a-f]+ ([A-Z]) (\S+)$", text, re.MULTILINE)
            if kind not in "A"}


def sanitizers() -> List[str]:
    """What a program needs that uses a library which was built with them."""
    text = subprocess.run(["nm", STATIC], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [flag for sign, flag in (("__asan_", "-fsanitize=address"), ("__ubsan_", "-fsanitize=undefined"))
            if sign in text]


class Symbols(unittest.TestCase):
    def test_map(self) -> None:
        text = (ROOT / "src/client/libberth.sym").read_text(encoding="utf-8")
        names = re.findall(r"^ +(\w+);$", text, re.MULTILINE)
        self.assertEqual(set(names), declared())
        self.assertEqual(len(names), len(set(names)))
        self.assertGreater(len(names), 40)

    def test_shared(self) -> None:
        self.assertEqual(symbols("--dynamic", SHARED), declared())
        versions = subprocess.run(["nm", "--dynamic", "--defined-only", SHARED], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout
        self.assertEqual(set(re.findall(r"@@(\w+)", versions)), {"LIBBERTH_0"})
        dynamic = subprocess.run(["readelf", "--dynamic", SHARED], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("[libberth.so.0]", dynamic)
        needed = set(re.findall(r"NEEDED.*\[(\w+)\.", dynamic)) - {"libc", "libasan", "libubsan", "ld-linux-x86-64"}
        self.assertEqual(needed, {"libsystemd"})

    def test_static(self) -> None:
        self.assertEqual({name for name in symbols("--extern-only", STATIC) if not name.startswith("__")}, declared())

    def test_static_use(self) -> None:
        """A program with the static library, what a distribution's pkg-config says beside it, and names of its own that the
        library's inside has too."""
        with tempfile.TemporaryDirectory() as name:
            source, program = pathlib.Path(name, "use.c"), pathlib.Path(name, "use")
            source.write_text("#include <berth.h>\n#include <stdio.h>\nint string_printf(void), streq_null, array_reserve;\n"
                              "int string_printf(void) { return 0; }\n"
                              "int main(void) { return puts(berth_library_version()) < 0; }\n")
            libraries = subprocess.run(["pkg-config", "--libs", "libsystemd"], stdout=subprocess.PIPE, text=True, check=True)
            subprocess.run([COMPILER, *sanitizers(), f"-I{HEADER.parent}", str(source), STATIC, *libraries.stdout.split(),
                            "-pthread", "-o", str(program)], check=True)
            said = subprocess.run([str(program)], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertRegex(said, r"^\d+\.\d+\.\d+\n$")

    def test_documented(self) -> None:
        """Each function, structure and group of constants has a comment with "Since" before or beside it."""
        text = HEADER_TEXT[HEADER_TEXT.index("#pragma once"):]
        for match in re.finditer(r"^(?:BERTH_EXPORT|typedef)\b", text, re.MULTILINE):
            line = text[match.start():text.index("\n", match.start())]
            before = text[:match.start()].rstrip()
            comment = before[before.rindex("/*"):] if before.endswith("*/") else ""
            group = re.search(r"Since \d+\.\d+", comment) or re.search(r"Since \d+\.\d+\. \*/$", line)
            neighbour = before.split("\n")[-1]
            self.assertTrue(group or re.search(r"^BERTH_EXPORT.*;$", neighbour) or neighbour.startswith("typedef"), line)

    def test_used(self) -> None:
        tests = "".join(path.read_text(encoding="utf-8") for path in pathlib.Path(__file__).parent.glob("test-*.c"))
        self.assertEqual({name for name in declared() if not re.search(rf"\b{name}\(", tests)}, set())

    def test_errors(self) -> None:
        """The header has every error of the contract."""
        contract = (ROOT / "dbus-interfaces/org.berth.container1.Manager.xml").read_text(encoding="utf-8") + \
            (ROOT / "dbus-interfaces/org.berth.container1.Container.xml").read_text(encoding="utf-8")
        names = set(re.findall(r"^    ([A-Z]\w+)  +\S", contract, re.MULTILINE))
        self.assertIn("StartFailed", names)
        self.assertEqual(set(re.findall(r'BERTH_ERROR "(\w+)"', HEADER_TEXT)), names)


class Languages(unittest.TestCase):
    def compile(self, compiler: str, suffix: str, *flags: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            source = pathlib.Path(name, "use" + suffix)
            source.write_text("#include <berth.h>\nberth *use(void);\nberth *use(void) { return berth_close(0); }\n")
            done = subprocess.run([compiler, *flags, *FLAGS, str(source)], stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.returncode, 0)

    def test_c99(self) -> None:
        self.compile(COMPILER, ".c", "-std=c99")

    @unittest.skipUnless(shutil.which("g++"), "there is no C++ compiler")
    def test_cplusplus(self) -> None:
        self.compile("g++", ".cc", "-std=c++11")


if __name__ == "__main__":
    unittest.main()
