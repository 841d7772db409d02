#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl's pager on a real terminal, with stand-ins for less and others that tell how they were called. Needs
the right to make a mount namespace, for a definition to be shown; without it, this is skipped."""

import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List

BERTHCTL = os.path.abspath(sys.argv.pop(1))
SKIPPED = 77
PATIENCE = 60
PAGER = '#!/bin/sh\n{ echo "${0##*/} $*"; env; } >"$REPORT"\nexec /bin/cat\n'
SCRIPT = """
mount -t tmpfs -o mode=755 none /run && mkdir -p /run/berth/containers &&
printf '[Root]\\nManaged=yes\\n' >/run/berth/containers/web.container && exec "$@"
"""


class Pager(unittest.TestCase):
    def setUp(self) -> None:
        self.prefix = [shutil.which("unshare") or "unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]
        done = subprocess.run([*self.prefix, "mount", "-t", "tmpfs", "none", "/run"], stderr=subprocess.PIPE, check=False) \
            if shutil.which("unshare") else None
        if not done or done.returncode != 0:
            self.skipTest("no right to make a mount namespace")
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name)
        for name in "less", "more", "mine":
            (self.directory / name).write_text(PAGER, encoding="utf-8")
            (self.directory / name).chmod(0o755)
        for name in "sh", "mount", "mkdir", "env":
            (self.directory / name).symlink_to(shutil.which(name) or "/nowhere")
        self.report = self.directory / "report"

    def run_cat(self, *options: str, terminal: bool = True, **variables: str) -> "Dict[str, str]":
        """How the pager was called, by "" its command line, by other names its environment; nothing if none was."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("SYSTEMD_", "LESS", "SUDO_", "PKEXEC_")) and name != "PAGER"}
        environment.update({"PATH": str(self.directory), "REPORT": str(self.report), "TERM": "xterm",
                            "LC_ALL": "C.UTF-8", "SYSTEMD_PAGERSECURE": "0"}, **variables)
        if environment["SYSTEMD_PAGERSECURE"] == "unset":
            del environment["SYSTEMD_PAGERSECURE"]
        self.report.unlink(missing_ok=True)
        ours, theirs = os.openpty() if terminal else os.pipe()
        done = subprocess.run([*self.prefix, "sh", "-c", SCRIPT, "sh", BERTHCTL, "cat", "web", *options],
                              stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, env=environment, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        # A terminal hands on in pieces what was written to it.
        seen = b""
        while b"Managed=yes" not in seen:
            self.assertTrue(select.select([ours], [], [], PATIENCE)[0], seen)
            seen += os.read(ours, 65536)
        os.close(theirs)
        os.close(ours)
        if not self.report.exists():
            return {}
        lines: List[str] = self.report.read_text(encoding="utf-8").splitlines()
        return {"": lines[0].strip(), **dict(line.split("=", 1) for line in lines[1:] if "=" in line)}

    def test_default(self) -> None:
        seen = self.run_cat()
        self.assertEqual((seen[""], seen["LESS"], seen["LESSCHARSET"]), ("less", "FRSXMK", "utf-8"))
        self.assertNotIn("LESSSECURE", seen)
        self.assertEqual(self.run_cat(SYSTEMD_LESS="FRX")["LESS"], "FRX")
        (self.directory / "less").unlink()
        self.assertEqual(self.run_cat()[""], "more")

    def test_wanted(self) -> None:
        self.assertEqual(self.run_cat(PAGER="mine -x 'a b'")[""], "mine -x a b")
        self.assertEqual(self.run_cat(PAGER="less", SYSTEMD_PAGER="mine")[""], "mine")
        self.assertEqual(self.run_cat(PAGER="/nowhere/pager")[""], "less")

    def test_none(self) -> None:
        self.assertEqual(self.run_cat("--no-pager"), {})
        self.assertEqual(self.run_cat(terminal=False), {})
        self.assertEqual(self.run_cat(PAGER=""), {})
        self.assertEqual(self.run_cat(PAGER="cat"), {})
        self.assertEqual(self.run_cat(SYSTEMD_PAGER="", PAGER="mine"), {})

    def test_secure(self) -> None:
        """With somebody else's rights only less, and that without commands."""
        for variables in {"SYSTEMD_PAGERSECURE": "1"}, {"SYSTEMD_PAGERSECURE": "unset", "SUDO_UID": "1000"}, \
                {"SYSTEMD_PAGERSECURE": "unset", "PKEXEC_UID": "1000"}, {"SYSTEMD_PAGERSECURE": "nonsense"}:
            seen = self.run_cat(PAGER="mine", **variables)
            self.assertEqual((seen[""], seen["LESSSECURE"]), ("less", "1"), variables)
        self.assertEqual(self.run_cat(PAGER="mine", SUDO_UID="1000")[""], "mine")


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    if program.result.skipped and program.result.testsRun == len(program.result.skipped):
        sys.exit(SKIPPED)
    sys.exit(0 if program.result.wasSuccessful() else 1)
