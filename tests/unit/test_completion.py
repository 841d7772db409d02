#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion of berthctl in a real bash and, where it is installed, a real zsh: verbs, options and values from the
program's own help, names of containers from its list, here that of a stand-in."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from typing import List

BERTHCTL = os.path.abspath(sys.argv.pop(1))
COMPLETIONS = pathlib.Path(sys.argv.pop(1)).absolute()

STAND_IN = """#!/bin/sh
for word; do
        case $word in
        --machine=box) where=box ;;
        list)
                [ "$where" ] && { echo 'inner  running  0  1'; exit; }
                printf '%s\\n' 'db     stopped  0  -' 'web    running  0  77' 'web2   frozen   0  78'
                exit
                ;;
        esac
done
exec {berthctl} "$@"
"""

BASH = """
source {completions}/berthctl
compopt() {{ :; }}
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
complete -p berthctl >/dev/null || exit 9
_berthctl berthctl "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

DEADLINE = 120


class WithStandIn(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name)
        program = self.directory / "berthctl"
        program.write_text(STAND_IN.replace("{berthctl}", BERTHCTL), encoding="utf-8")
        program.chmod(0o755)
        (self.directory / "root.tar").touch()
        (self.directory / "web.container").touch()
        self.environment = dict(os.environ, PATH=f"{self.directory}:{os.environ['PATH']}", LC_ALL="C.UTF-8")


class Bash(WithStandIn):
    def complete(self, *words: str) -> List[str]:
        done = subprocess.run(["bash", "--norc", "-c", BASH.format(completions=COMPLETIONS), "bash", "berthctl", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
                              env=self.environment, cwd=self.directory)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_verbs(self) -> None:
        text = subprocess.run([BERTHCTL, "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        verbs = re.findall(r"^  ([a-z]+) ", text.split("Options:")[0], re.MULTILINE)
        self.assertIn("create", verbs)
        self.assertEqual(self.complete(""), verbs)
        self.assertEqual(self.complete("mon"), ["monitor"])
        self.assertEqual(self.complete("--machine", "=", "box", "mon"), ["monitor"])
        self.assertEqual(self.complete("-M", "box", "mon"), ["monitor"])
        for verb in verbs:
            self.complete(verb, "")

    def test_options(self) -> None:
        self.assertEqual(self.complete("--no-p"), ["--no-pager"])
        self.assertEqual(self.complete("create", "--ta"), ["--tar="])
        self.assertIn("--json", self.complete("create", "--"))
        self.assertNotIn("--tar=", self.complete("remove", "--"))
        self.assertEqual(self.complete("run", "--", "--"), [])

    def test_values(self) -> None:
        self.assertEqual(self.complete("top", "--order", "=", "m"), ["memory"])
        self.assertEqual(self.complete("create", "x", "--tar", "=", "ro"), ["root.tar"])
        self.assertEqual(self.complete("create", "x", "--tar", "=", "ro"), ["root.tar"])
        self.assertEqual(self.complete("--color", "=", ""), ["auto", "always", "never"])
        self.assertEqual(self.complete("top", "-o", "m"), ["memory"])
        for words in ("logs", "-o"), ("logs", "-n"), ("status", "-n"), ("logs", "-S"), ("logs", "--lines", "="):
            self.assertEqual(self.complete(*words, ""), [])

    def test_names(self) -> None:
        self.assertEqual(self.complete("logs", ""), ["db", "web", "web2"])
        self.assertEqual(self.complete("remove", ""), ["db"])
        self.assertEqual(self.complete("top", "w"), ["web", "web2"])
        self.assertEqual(self.complete("--machine", "=", "box", "logs", ""), ["inner"])
        self.assertEqual(self.complete("verify", "w"), ["web.container"])


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(WithStandIn):
    """At a terminal, as a user meets it: a word and a tab."""

    def complete(self, line: str, expected: str) -> None:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.directory)
            os.environ.update(self.environment, TERM="dumb", PS1="prompt> ")
            os.execvp("zsh", ["zsh", "-f"])
        setup = f"fpath=({COMPLETIONS} $fpath); autoload -U compinit; compinit -D -u; unsetopt beep; echo rea''dy\n"
        try:
            os.write(terminal, setup.encode())
            # What is typed before there is a prompt is shown twice, by the terminal and by the shell.
            self.read_until(terminal, r"ready\r\n.*prompt> ")
            os.write(terminal, line.encode() + b"\t")
            self.read_until(terminal, re.escape(expected))
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)
            os.close(terminal)

    def read_until(self, terminal: int, expected: str) -> None:
        seen = ""
        deadline = time.monotonic() + DEADLINE
        while not re.search(expected, seen, re.DOTALL):
            ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
            self.assertTrue(ready, f"{expected!r} did not come: {seen!r}")
            seen += os.read(terminal, 4096).decode(errors="replace")

    def test_verb(self) -> None:
        self.complete("berthctl monit", "berthctl monitor ")

    def test_option(self) -> None:
        self.complete("berthctl create --ta", "berthctl create --tar=")

    def test_value(self) -> None:
        self.complete("berthctl top --order=mem", "--order=memory")

    def test_name(self) -> None:
        self.complete("berthctl remove d", "berthctl remove db")


if __name__ == "__main__":
    unittest.main()
