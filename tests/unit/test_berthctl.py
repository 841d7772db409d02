#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl's verbs as a user meets them: what they print where, and their exit statuses. Definitions by name are looked
at in a mount namespace of the test's own, with an empty /run; without the right to make one, these are skipped."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import List

BERTHCTL = os.path.abspath(sys.argv.pop(1))

VALID = "[Root]\nManaged=yes\n"
SKIPPED = 77


def berthctl(*arguments: "str | bytes", **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([BERTHCTL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False, **options)  # type: ignore[call-overload]


class WithDirectory(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name)

    def write(self, name: str, text: str) -> str:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def see(self, done: "subprocess.CompletedProcess[str]", status: int, out: str = "", err: str = "") -> None:
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIn(out, done.stdout)
        self.assertIn(err, done.stderr)
        self.assertEqual(bool(done.stderr), bool(err), done.stderr)


class Usage(WithDirectory):
    def test_help(self) -> None:
        for arguments in [], ["--help"], ["-h"], ["help"]:
            self.see(berthctl(*arguments), 0, "Usage: berthctl [OPTION...] VERB")
        for verb in "cat", "verify", "create", "run", "top":
            self.see(berthctl(verb, "--help"), 0, f"Usage: berthctl {verb} ")

    def test_version(self) -> None:
        for words in ["--version"], ["--version", "list"], ["list", "--version"]:
            self.assertRegex(berthctl(*words).stdout, r"^berthctl \d+\.\d+\.\d+\n$")

    def test_wrong_usage(self) -> None:
        self.see(berthctl("cta"), 2, err='there is no verb "cta"; did you mean "cat"?')
        self.see(berthctl("frobnicate"), 2, err="berthctl --help lists them")
        self.see(berthctl("cat"), 2, err="an argument is missing: berthctl cat NAME...")
        self.see(berthctl("cat", "--foo"), 2, err='cat: there is no option "--foo"')
        self.see(berthctl("cat", "--no", "x"), 2, err='cat: several options begin with "--no"; berthctl cat --help')
        self.see(berthctl("-M", "box", "cat", "x"), 2, err="works on this host only")
        self.see(berthctl("-M", "box", "-H", "host", "cat", "x"), 2, err="do not go together")
        self.see(berthctl("--json", "cat", "x"), 2, err="cat has no JSON form")
        self.see(berthctl("--color=blue", "cat", "x"), 2, err="--color= takes")
        self.see(berthctl("cat", "no*such?"), 4, err='no container\'s name fits the pattern "no*such?"')
        self.see(berthctl("\033[2J"), 2, err='"\\x1b[2J"')

    def test_definitions_on_the_command_line(self) -> None:
        """What is wrong with them is told before anybody is asked."""
        for verb in "create", "run":
            self.see(berthctl(verb, "x", "Bot=yes"), 2, err='there is no key "Bot"; did you mean Boot=?')
            self.see(berthctl(verb, "x", "Root.Boot=yes"), 2, err='there is no key "Boot" in the section Root')
            self.see(berthctl(verb, "x", "Rot.Boot=yes"), 2, err='there is no section "Rot"')
            self.see(berthctl(verb, "x", "Hostname=a\nb"), 2, err="a value is one line")
            self.see(berthctl(verb, "x", "Hostname=a\\"), 2, err="a value is one line")
            self.see(berthctl(verb, "x", "--tar=a", "--image=b"), 2, err="do not go together")
            self.see(berthctl(verb, "x", "--definition=-", "--tar=-"), 2, err="cannot both be standard input")
            self.see(berthctl(verb, "x", "--directory=/no\033/such"), 1, err="cannot open /no\\x1b/such: No such file")
        self.see(berthctl("create", "x", "Boot=maybe"), 1, err='Boot=: "maybe" is not known')
        self.see(berthctl("create", "x", "Root.Managed=no", "Path=/srv"), 1, err="root alone")
        self.see(berthctl("create", "x", "word"), 2, err="is not of the form KEY=VALUE")
        self.see(berthctl("create", "x", "--replace", "--tar=a"), 2, err="--replace keeps")
        self.see(berthctl("create", "X", "Managed=yes"), 2, err="a name is 1 to 63")
        self.see(berthctl("run", "X", "Managed=yes", "--", "/bin/true"), 2, err="a name is 1 to 63")
        self.see(berthctl("run", "x", "y", "--", "/bin/true"), 2, err="there are two names")
        self.see(berthctl("run", "--", "/bin/true"), 125, err="one of --directory=, --tar= and --image=")
        self.see(berthctl("run", "Managed=yes", "--", "true"), 125, err='Command=: "true" is not an absolute path')
        bad = self.write("bad.container", "[Root]\nManaged=yes\n[Container]\nBot=yes\\")
        self.see(berthctl("create", "x", f"--definition={bad}", "Boot=yes"), 1, err=f"{bad}:4: Bot=: ")

    def test_no_service(self) -> None:
        """Without a bus it is said that there is none, and nobody waits."""
        nowhere = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={self.directory}/none")
        for words in (["create", "x"], ["run", "Managed=yes"], ["remove", "x"], ["enable", "x"], ["disable", "x"],
                      ["top"], ["monitor"]):
            self.see(berthctl(*words, env=nowhere), 1, err="cannot reach the service: ")
        self.see(berthctl("list", env=nowhere), 1, err="\nsee whether there is a system bus: systemctl status dbus.socket\n")

        self.see(berthctl("version", env=nowhere), 1, "library ", "cannot reach the service: ")
        self.assertIsNone(json.loads(berthctl("version", "--json", env=nowhere).stdout)["service"])

    def test_logs(self) -> None:
        """journalctl gets the units of a container, and nothing that it could take for an option."""
        fake = self.directory / "journalctl"
        fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 7\n', encoding="utf-8")
        fake.chmod(0o755)
        environment = dict(os.environ, PATH=f"{self.directory}:{os.environ['PATH']}")
        done = berthctl("logs", "web", "db*", "-fn5", "--since=-1h", "-b", env=environment)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.split("\n")[:-1],
                         ["--unit=container@web.service", "--unit=container-run-web.service",
                          "--unit=container@db*.service", "--unit=container-run-db*.service",
                          "--follow", "--lines=5", "--since=-1h", "--boot"])
        self.assertIn("--output=json", berthctl("logs", "web", "--json", env=environment).stdout)
        self.assertIn("--machine=box", berthctl("logs", "-Mbox", "container@web.service", env=environment).stdout)
        self.see(berthctl("logs", "--", "-x"), 2, err='"-x" is no name of a container: a name is 1 to 63')
        self.see(berthctl("-H", "host", "logs", "web"), 2, err="is read there: ssh host berthctl logs NAME")
        self.see(berthctl("-H", "me@host:22", "logs", "web"), 2, err=": ssh -p 22 me@host berthctl logs NAME")
        os.unlink(fake)
        self.see(berthctl("logs", "web", env=dict(os.environ, PATH="/nowhere")), 1, err="cannot run journalctl")

    def test_full_disk(self) -> None:
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BERTHCTL, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the output: No space left on device", done.stderr)


class VerifyFile(WithDirectory):
    def test_valid(self) -> None:
        path = self.write("web.container", VALID)
        self.see(berthctl("verify", path), 0, f"{path}: valid")
        self.see(berthctl("verify", "web.container", cwd=self.directory), 0, "web.container: valid")

    def test_all_problems(self) -> None:
        path = self.write("web.container", "[Container]\nBoot=maybe\nComand=x\n[Rot]\n")
        done = berthctl("verify", path)
        self.see(done, 1, err=f'{path}:2: Boot=: "maybe" is not known; it takes yes, no or reaper\n')
        self.assertIn("did you mean Command=?", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 3)

    def test_forbidden(self) -> None:
        """Valid, but not where it lies: that is said, with what root would have to do."""
        path = self.write("web.container", "[Root]\nPath=/srv\n")
        os.chmod(path, 0o666)
        self.see(berthctl("verify", path), 1, err=f"{path}:2: Path=: may be a path only in a definition that root alone")

    def test_not_there(self) -> None:
        self.see(berthctl("verify", str(self.directory / "none.container")), 4, err="does not exist")
        self.see(berthctl("verify", str(self.directory)), 1, err="is not a regular file")

    def test_first_failure_counts(self) -> None:
        good, bad = self.write("a.container", VALID), self.write("b.container", "x\n")
        done = berthctl("verify", bad, str(self.directory / "none.container"), good)
        self.see(done, 1, f"{good}: valid", "does not exist")

    def test_hostile_text(self) -> None:
        path = self.directory / "web.container"
        path.write_bytes(b"[Container]\nDescription=\x1b]0;x\x07\nBoot=\xff\n[\xc2\x9b]\nx\n")
        done = berthctl("verify", str(path))
        self.assertEqual(done.returncode, 1)
        self.assertNotRegex(done.stderr, r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_bad_names(self) -> None:
        for name in "../x", "a/b", "..", "a\nb", "a" * 64, "Web", b"\xff\xfe", "", "a%i", "web.", "-":
            for verb in "cat", "verify":
                done = berthctl(verb, name)
                # With a slash in it, verify takes a file, which is not there or is a directory.
                self.assertIn(done.returncode, (1, 4) if verb == "verify" and name in ("../x", "a/b") else (2,), name)
                self.assertNotEqual(done.stderr, "", name)
                self.assertEqual(done.stdout, "", name)


class ByName(WithDirectory):
    """In a mount namespace where /run is ours."""

    def setUp(self) -> None:
        super().setUp()
        self.prefix = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        done = subprocess.run([*self.prefix, "mount", "-t", "tmpfs", "none", "/run"], stderr=subprocess.PIPE, check=False) \
            if shutil.which("unshare") else None
        if not done or done.returncode != 0:
            self.skipTest("no right to make a mount namespace")

    def inside(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        script = 'mount -t tmpfs -o mode=755 none /run && mkdir /run/berth && cp -r "$0"/. /run/berth/containers && exec "$@"'
        return subprocess.run([*self.prefix, "sh", "-c", script, str(self.directory), BERTHCTL, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, umask=0o022, check=False)

    def test_cat(self) -> None:
        self.directory.chmod(0o755)
        self.write("web.container", VALID + "[Resources]\nMemoryMax=1G\n")
        self.write("web.container.d/10-more.conf", "[Resources]\nMemoryMax=2G\nTasksMax=5\n")
        done = self.inside("cat", "web")
        self.see(done, 0, "\n[Resources]\n# /run/berth/containers/web.container.d/10-more.conf:2\nMemoryMax=2147483648\n")
        lines: List[str] = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
        self.assertEqual(lines, ["[Root]", "Managed=yes", "[Resources]", "MemoryMax=2147483648", "TasksMax=5"])

        # What it prints is a definition that means the same.
        again = self.write("again.container", done.stdout)
        self.assertIn("valid", berthctl("verify", again).stdout)

        self.see(self.inside("verify", "web"), 0, "web: valid")
        self.see(self.inside("cat", "nope", "web"), 4, "[Resources]", "there is no container nope")
        os.symlink("/dev/null", self.directory / "gone.container")
        self.see(self.inside("cat", "gone"), 4, err="container gone is masked")


if __name__ == "__main__":
    program = unittest.main(exit=False, verbosity=1)
    if program.result.skipped and program.result.testsRun == len(program.result.skipped):
        sys.exit(SKIPPED)
    sys.exit(0 if program.result.wasSuccessful() else 1)
