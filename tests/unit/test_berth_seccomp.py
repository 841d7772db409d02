#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth-seccomp as a person meets it: what it says, once and about the right thing, and its exit statuses."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = os.path.abspath(sys.argv.pop(1))
PROFILES = sys.argv.pop(1)


class Program(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name)

    def run_it(self, *words: str, status: int = 0, err: str = "") -> str:
        done = subprocess.run([PROGRAM, *words], cwd=self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", check=False)
        self.assertEqual((done.returncode, done.stderr), (status, err))
        return done.stdout

    def write(self, name: str, text: str) -> None:
        (self.directory / name).write_text(text, encoding="utf-8")

    def test_usage(self) -> None:
        self.assertIn("Usage: berth-seccomp", self.run_it("--help"))
        self.assertRegex(self.run_it("--version"), r"^berth \d+\.\d+\.\d+\n$")
        self.run_it("chek\033", status=2, err="berth-seccomp: it compiles, checks and imports (compile, check, import-lxc), "
                    'and does not know "chek\\x1b"; --help tells what there is\n')
        self.run_it("--architecture=mips", "check", "x", status=2,
                    err='berth-seccomp: --architecture= takes x86-64 or arm64, not "mips"; --help tells what there is\n')
        for words in ["check"], ["import-lxc"], ["import-lxc", "a", "b"], [], ["--nothing"]:
            done = subprocess.run([PROGRAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual((done.returncode, done.stdout, bool(done.stderr)), (2, "", True), words)

    def test_check(self) -> None:
        for architecture in "x86-64", "arm64":
            for profile in "default", "privileged", "nesting", "strict", "base", "groups":
                self.assertRegex(self.run_it(f"--directory={PROFILES}", f"--architecture={architecture}", "check", profile),
                                 r"^\d+ instructions, \d+ bytes\n$")
        self.write("web.seccomp", "extends default\n[x86 x32]\ndefault kill\n")
        for path in "web.seccomp", "./web.seccomp", str(self.directory / "web.seccomp"):
            self.assertIn("instructions", self.run_it(f"--directory={PROFILES}", "check", "default", path))

    def test_what_is_wrong(self) -> None:
        """Each is told once."""
        self.run_it("check", "none.seccomp", status=1, err="berth-seccomp: none.seccomp: No such file or directory\n")
        self.write("good.seccomp", "default allow\n")
        self.run_it("check", "good.seccomp", ".", "./none", status=1, err="berth-seccomp: ./none: No such file or directory\n")
        self.run_it("--directory=/none", "check", "x", status=1, err="berth-seccomp: /none: No such file or directory\n")
        self.run_it("import-lxc", "./none", status=1, err="berth-seccomp: ./none: No such file or directory\n")
        self.write("bad.seccomp", "default allow\nalow read\n")
        self.run_it("check", "good.seccomp", "./bad.seccomp", status=1,
                    err="./bad.seccomp:2: alow is not known; a line begins with allow, errno, kill, trap, log, notify, default, "
                        "group, number, extends or [ARCHITECTURE]\n")
        self.run_it(f"--directory={PROFILES}", "check", "nobody", status=1,
                    err="command line:1: the profile nobody is in none of the directories that berth.seccomp(5) names\n")

    def test_import(self) -> None:
        self.write("lxc", "2\ndenylist\n[all]\nkexec_load errno 1\n")
        text = self.run_it("import-lxc", "lxc")
        self.assertEqual(text, "default allow\n[*]\nerrno 1 kexec_load\n")
        self.write("imported.seccomp", text)
        self.run_it("check", "imported.seccomp")

    def test_full_disk(self) -> None:
        """What was not written is told: half of a profile is another one."""
        self.write("lxc", "2\ndenylist\nkexec_load errno 1\n")
        self.write("good.seccomp", "default allow\n")
        for words in ["import-lxc", "lxc"], ["check", "good.seccomp"], ["compile", "good.seccomp"]:
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([PROGRAM, *words], cwd=self.directory, stdout=full, stderr=subprocess.PIPE, text=True,
                                      check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    unittest.main()
