#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tools/check counts what it runs, and it and tools/quickstart say what is missing when something is."""

import contextlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from typing import List

import style

sys.path.insert(0, str(style.ROOT / "tools" / "lib" / "check"))

import pytests  # noqa: E402
import rings  # noqa: E402
from ring import FAILED, PASSED, SKIPPED, Ring, Settings  # noqa: E402

CHECK = str(style.ROOT / "tools" / "check")
QUICKSTART = str(style.ROOT / "tools" / "quickstart")
PREPARE = style.ROOT / "tools" / "lib" / "prepare.sh"
AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


def said(*command: str) -> "tuple[int, str]":
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False, cwd="/")
    return done.returncode, done.stdout


class MissingTest(unittest.TestCase):
    def complains(self, command: List[str], *expected: str):
        status, text = said(*command)
        self.assertNotEqual(status, 0, text)
        for words in expected:
            self.assertIn(words, text)

    def test_help(self):
        for program in (CHECK, QUICKSTART):
            status, text = said(program, "--help")
            self.assertEqual(status, 0, text)
            self.assertIn("BERTH_CACHE", text)

    def test_without_root(self):
        with tempfile.TemporaryDirectory() as place:
            os.chmod(place, 0o755)  # the checkout may lie where nobody else may look
            tools = shutil.copytree(style.ROOT / "tools", pathlib.Path(place, "tools"))
            for program, argument in (("check", "unit"), ("quickstart", "--install")):
                self.complains([*AS_NOBODY, "bash", str(tools / program), argument],
                               "needs root", f"sudo tools/{program} {argument}")

    def test_unknown_words(self):
        self.complains([QUICKSTART, "--color"], "no option `--color'", "--help")

    @needs_root
    def test_full_disk(self):
        with tempfile.TemporaryDirectory() as place:
            script = 'mount -t tmpfs -o size=9m tmpfs "$1" && BERTH_CACHE=$1/cache exec "$2"'
            for program in (CHECK, QUICKSTART):
                self.complains(["unshare", "--mount", "bash", "-c", script, "bash", place, program],
                               "9 MiB free, 6 GiB are needed", "BERTH_CACHE=")

    @needs_root
    def test_no_network(self):
        with tempfile.TemporaryDirectory() as place:
            wanted = pathlib.Path(place, "packages")
            wanted.write_text("# a comment\nno-such-package-anywhere  # another\n")
            self.complains(["unshare", "--net", "bash", "-c", f". {PREPARE}; sleep() {{ :; }}; install_packages {wanted}"],
                           "is there a network", "missing packages: no-such-package-anywhere")

    @needs_root
    @unittest.skipIf(os.path.isdir("/run/systemd/system"), "systemd is process 1 here")
    def test_install_without_systemd(self):
        self.complains([QUICKSTART, "--install"], "process 1 of this host is", "not systemd")


@unittest.skipUnless(shutil.which("dpkg-query"), "not Debian")
class PackagesTest(unittest.TestCase):
    def test_missing(self):
        status, text = said("bash", "-c", f". {PREPARE}; missing_packages bash no-such-a 'no-such-b|bash' 'no-c|no-d'")
        self.assertEqual((status, text.split()), (0, ["no-such-a", "no-c|no-d"]))

    def test_lists(self):
        for name in ("tools/lib/packages-build", "tools/lib/packages-check", "tests/machine/packages"):
            status, text = said("bash", "-c", f". {PREPARE}; packages_of {style.ROOT / name}")
            self.assertEqual(status, 0)
            for word in text.split("\n")[:-1]:
                self.assertRegex(word, r"^[a-z0-9][a-z0-9.+-]+(\|[a-z0-9.+-]+)*$")

    def test_no_server_for_machines(self):
        """tools/quickstart adds to the host what machines take: no SSH server, which Debian would start there."""
        status, text = said("bash", "-c", f". {PREPARE}; packages_of {style.ROOT / 'tests/machine/packages'}")
        self.assertEqual(status, 0)
        self.assertIn("mmdebstrap", text.split())
        self.assertNotIn("openssh-server", text.split())

    def test_debian_builds_with_the_same(self):
        """What a build takes is said twice, for apt-get and for dpkg-buildpackage."""
        listed = said("bash", "-c", f". {PREPARE}; packages_of {style.ROOT / 'tools/lib/packages-build'}")[1].split()
        control = (style.ROOT / "debian" / "control").read_text()
        wanted = re.search(r"^Build-Depends:\n((?: .*\n)+)", control, re.MULTILINE)
        named = re.findall(r"[a-z0-9][a-z0-9.+-]+(?= |,)", wanted[1])
        essential = ["libc6-dev", "linux-libc-dev"]
        self.assertEqual([name for name in listed if name.endswith("-dev") and name not in named + essential], [])

    def test_debian_version(self):
        """The packages have the version of what is in them."""
        version = re.search(r"version: '([^']+)'", (style.ROOT / "meson.build").read_text())[1]
        first = (style.ROOT / "debian" / "changelog").read_text().split("\n")[0]
        self.assertRegex(first, rf"^berth \({re.escape(version)}([-+~].*)?\) ")


class RingTest(unittest.TestCase):
    """The runner, over a project of three tests."""

    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.top = pathlib.Path(place.name)
        self.output = io.StringIO()
        with contextlib.redirect_stdout(self.output):
            self.ring = Ring("bus", Settings(self.top, self.top / "cache", verbose=False, keep=False, select="",
                                            ended=threading.Event()))

    def run_bus(self, tests: str):
        (self.top / "tests" / "bus").mkdir(parents=True)
        (self.top / "tests" / "bus" / "test_sample.py").write_text(tests)
        with contextlib.redirect_stdout(self.output):
            pytests.run_bus(self.ring)

    def counts(self):
        return tuple(self.ring.count(outcome) for outcome in (PASSED, FAILED, SKIPPED))

    @unittest.skipUnless(said("/usr/bin/python3", "-c", "import pytest")[0] == 0, "no pytest")
    def test_counting(self):
        self.run_bus("import pytest\ndef test_a(): pass\ndef test_b(): assert 1 == 2, 'reason one'\n"
                     "def test_c(): pytest.skip('reason two')\n@pytest.fixture\ndef f(): raise OSError\n"
                     "def test_d(f): pass\n")
        self.assertEqual(self.counts(), (1, 2, 1))
        self.assertIn("reason one", self.output.getvalue())
        self.assertIn("reason two", self.output.getvalue())

    @unittest.skipUnless(said("/usr/bin/python3", "-c", "import pytest")[0] == 0, "no pytest")
    def test_nothing_and_nonsense_are_failures(self):
        self.run_bus("")
        self.assertEqual(self.counts(), (0, 1, 0))
        (self.top / "tests" / "bus" / "test_sample.py").write_text("import nonsense_that_is_not_there\n")
        with contextlib.redirect_stdout(self.output):
            pytests.run_bus(self.ring)
        self.assertEqual(self.counts(), (0, 3, 0))

    def test_steps(self):
        with contextlib.redirect_stdout(self.output):
            self.assertTrue(self.ring.step("good", ["true"]))
            self.assertFalse(self.ring.step("bad", ["sh", "-c", "echo because; exit 3"]))
            self.assertFalse(self.ring.step("slow", ["sh", "-c", "sleep 60 & sleep 60"], timeout=1))
        self.assertEqual(self.counts(), (1, 2, 0))
        self.assertIn("because", self.output.getvalue())
        self.assertIn("ended after 1 seconds", self.output.getvalue())
        self.assertIn("1 passed, 2 failed, 0 skipped", self.ring.summary())

    def test_side_by_side(self):
        """The system and the vm ring run at the same time, after the others."""
        meet = "touch {0}; for i in $(seq 100); do [ -e {1} ] && exit 0; sleep 0.1; done; exit 1"
        steps = {"unit": "[ ! -e system ] && [ ! -e vm ]", "system": meet.format("system", "vm"),
                 "vm": meet.format("vm", "system")}
        fake = {name: lambda ring: ring.step("it", ["sh", "-c", steps[ring.name]]) for name in steps}
        with contextlib.redirect_stdout(self.output), unittest.mock.patch.dict(rings.RINGS, fake):
            done = rings.run_rings(list(steps), self.ring.settings)
        self.assertEqual([(ring.name, ring.count(PASSED), ring.count(FAILED)) for ring in done],
                         [(name, 1, 0) for name in steps], self.output.getvalue())

    def test_ended(self):
        """What runs beside is ended with the run."""
        self.ring.settings.ended.set()
        with contextlib.redirect_stdout(self.output):
            self.assertFalse(self.ring.step("long", ["sleep", "600"]))


if __name__ == "__main__":
    unittest.main()
