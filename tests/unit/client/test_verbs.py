#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl's verbs that talk to the service, against the fake one: what they print, their exit statuses, and that
nothing of what a guest can write gets to a terminal as it is."""

import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from typing import Any, List

import with_bus

BERTHCTL, SERVICE = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
HOSTILE = "\033[31mRed\nHat\u202e\u009b1m"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
# A journalctl that shows what it was asked for, and a line of a guest.
JOURNALCTL = "#!/bin/sh\nprintf '%s\\n' \"$*\"\nprintf 'guest \\033]0;title\\007 says \\342\\200\\256 no\\n'\n"
ESCAPE = b"\x1d"
PATIENCE = 60


class Verbs(unittest.TestCase):
    """Each test has a service of its own."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.directory = pathlib.Path(holder.name)
        journalctl = self.directory / "journalctl"
        journalctl.write_text(JOURNALCTL, encoding="utf-8")
        journalctl.chmod(0o755)
        (self.directory / "root/etc").mkdir(parents=True)
        self.bus = with_bus.Bus(SERVICE, FAKE_ROOT=str(self.directory / "root"),
                                PATH=f"{self.directory}:{os.environ['PATH']}")
        self.addCleanup(self.bus.close)

    def run_it(self, *arguments: str, status: int = 0, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run([BERTHCTL, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, env=self.bus.environment, timeout=60)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertIsNone(CONTROL.search(done.stdout + done.stderr), done)
        self.assertEqual(bool(done.stderr), status != 0 and not quiet, done.stderr)
        return done

    def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(self.run_it(*arguments, "--json", status=status, quiet=True).stdout)


class Looking(Verbs):
    def test_list(self) -> None:
        (self.directory / "root/etc/os-release").write_text(f'NAME=x\nPRETTY_NAME="{HOSTILE}"\n', encoding="utf-8")
        lines = self.run_it("list").stdout.splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "STATE", "OWNER", "LEADER", "UPTIME", "OS"])
        self.assertEqual([line.split()[0] for line in lines[1:]],
                         ["1000/web", "broken", "crash", "db", "forger", "guarded", "held", "odd", "slow", "web"])
        self.assertRegex(lines[-1], r"^web +running +root +1 +\d+ weeks?")
        self.assertEqual(self.run_it("list", "--no-legend", "d*").stdout.split()[:2], ["db", "stopped"])
        self.assertEqual(len(self.run_it("list", "--no-legend", "--state=failed").stdout.splitlines()), 2)
        for word in "web", "container@web", "container@web.service", "we[b]":
            self.assertEqual(self.run_it("list", "--no-legend", word).stdout.split()[0], "web")
        self.assertEqual(self.run_it("list", "--no-legend", "--state=failed", "web").stdout, "")

    def test_list_of_nobody(self) -> None:
        """A name or pattern that there is nothing of is told, as by every verb; the others are listed."""
        done = self.run_it("list", "--no-legend", "nobody", "web", "x*", "no\033body", status=4)
        self.assertEqual(done.stdout.split()[0], "web")
        self.assertIn("\nberthctl: there is no container nobody\n", "\n" + self.run_it("top", "web", "nobody", "-d10ms",
                                                                                      status=4).stderr)
        self.assertEqual(done.stderr[:done.stderr.index("1 to 63")],
                         "berthctl: there is no container nobody\n"
                         "berthctl: no container's name fits the pattern \"x*\"\n"
                         "berthctl: \"no\\x1bbody\" is no name of a container: a name is ")
        for verb in "list", "top", "monitor":
            self.run_it(verb, "no\033body", "web", status=2)
        self.run_it("list", "1000/nobody", status=4)
        self.run_it("list", "1000/No", status=2)
        self.assertEqual(json.loads(self.run_it("list", "nobody", "--json", status=4).stdout), [])
        self.assertIn("--state= takes running, stopped", self.run_it("list", "--state=runing", status=2).stderr)

    def test_list_json(self) -> None:
        containers = {container["name"]: container for container in self.json("list")}
        self.assertEqual(containers["1000/web"], {
            "name": "1000/web", "state": "stopped", "owner": 1000, "unit": "container-u1000-web.service", "leader": None,
            "started_usec": None, "os": None})
        self.assertEqual(containers["web"]["leader"], 1)

    @unittest.skipUnless(os.geteuid() == 0, "the guest's name is for root")
    def test_os(self) -> None:
        """What a guest may put in the place of its os-release."""
        release = self.directory / "root/etc/os-release"

        def seen() -> Any:
            found = self.json("list", "web")[0]["os"]
            release.unlink()
            return found
        release.write_text(f'PRETTY_NAME="{HOSTILE}"\n', encoding="utf-8")
        self.assertEqual(seen(), HOSTILE.split("\n", maxsplit=1)[0])
        release.write_text('NAME="A \\"b\\" \\$c"\nID=d\n', encoding="utf-8")
        self.assertEqual(seen(), 'A "b" $c')
        release.write_text("PRETTY_NAME=" + "\u00e9" * 100000, encoding="utf-8")
        self.assertIsNone(seen())
        release.write_text("PRETTY_NAME=" + "\u00e9" * 100, encoding="utf-8")
        self.assertEqual(seen(), "\u00e9" * 32)
        release.write_bytes(b"PRETTY_NAME=\xff\nNAME=\nID=debian")
        self.assertEqual(seen(), "debian")
        os.mkfifo(release)
        self.assertIsNone(seen())
        release.symlink_to("/proc/self/root/etc/os-release")
        self.assertIsNone(seen())
        (self.directory / "secret").write_text("ID=secret\n", encoding="utf-8")
        release.symlink_to("../../secret")
        self.assertIsNone(seen())
        (self.directory / "root/usr/lib").mkdir(parents=True)
        (self.directory / "root/usr/lib/os-release").write_text("ID=usr\n", encoding="utf-8")
        release.symlink_to("/usr/lib/os-release")
        self.assertEqual(seen(), "usr")

    def test_status(self) -> None:
        text = self.run_it("status", "web").stdout
        self.assertRegex(text, r"^\S web - The web \\x1bserver\n +State: running since .*; \d+ weeks?")
        for line in (r"Owner: root \(0\)", r"Unit: container@web\.service", r"Definition: /etc/berth/containers/web\.container",
                     r" : /etc/berth/containers/web\.container\.d/50\.conf", r"Leader: 1 \(", r"Tasks: 7", r"Memory: 48\.0M",
                     r"CPU: 1min 1s", r"Pressure: waits for cpu 12\.5% of the last 10 s", r"CGroup: /machine\.slice/x",
                     r"--unit=container@web\.service --lines=10", r"guest \\x1b\]0;title\\x07 says \\xe2\\x80\\xae no"):
            self.assertRegex(text, line)
        self.assertNotIn("waits for memory", text)
        self.assertNotIn("guest", self.run_it("status", "-n0", "web").stdout)
        self.run_it("status", "-nmany", "web", status=2)

    def test_status_of_the_failed(self) -> None:
        text = self.run_it("status", "odd", "-n", "0", status=3, quiet=True).stdout
        self.assertIn("failed (its init was killed by signal SIGKILL)", text)
        self.assertIn(r"Last error: the root \x1b[31m\nforged line", text)
        self.assertIn("berthctl start odd", text)
        self.assertIn("exited with status 1", self.run_it("status", "broken", status=3, quiet=True).stdout)
        self.run_it("status", "nobody", status=4)
        statuses = self.json("status", "web", "broken", status=3)
        self.assertEqual([status["name"] for status in statuses], ["web", "broken"])
        self.assertEqual(statuses[0]["description"], "The web \033server")
        self.assertEqual(statuses[0]["pressure"]["cpu"]["last10"], 12.5)
        self.assertIsNone(statuses[0]["memory_peak_bytes"])

    def test_service(self) -> None:
        self.assertIn("service  9.8.7\n", self.run_it("version").stdout)
        self.assertEqual(self.json("version")["service"], "9.8.7")
        self.assertEqual(self.run_it("features").stdout, "first\nsecond\n")
        self.assertEqual(self.json("features"), ["first", "second"])
        self.assertRegex(self.run_it("capabilities").stdout, r"\napparmor +no +the kernel was built \\x1b\[2Jwithout it\n")
        self.assertEqual(self.json("capabilities")[2], {"name": "pidfd", "available": True, "reason": None})

    def test_json_is_documented(self) -> None:
        """Each member of each object has its place in berthctl(1), and each place there is one."""
        names = set()

        def collect(value: Any) -> None:
            for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else []:
                collect(one)
            names.update(value if isinstance(value, dict) else [])
        for words, status in (("list",), 0), (("status", "web", "db"), 3), (("top", "--delay=10ms"), 0), \
                (("capabilities",), 0), (("version",), 0):
            collect(self.json(*words, status=status))
        page = (pathlib.Path(__file__).resolve().parents[3] / "man/berthctl.1").read_text(encoding="utf-8")
        listed = set(re.findall(r"[a-z][a-z0-9_]*", " ".join(re.findall(r"^\.Li (.*)", page, re.MULTILINE))))
        self.assertEqual(names - listed, set())
        described = re.search(r"^an array of objects without the log:(.*?)^\.Bl", page, re.MULTILINE | re.DOTALL)
        assert described
        of_status = set(re.findall(r"[a-z][a-z0-9_]*", " ".join(re.findall(r"^\.Li (.*)", described[1], re.MULTILINE))))
        self.assertEqual(of_status - names, {"io"}) # a resource, which is not always measured

    def test_no_service(self) -> None:
        with with_bus.Bus(None) as bus:
            done = subprocess.run([BERTHCTL, "list"], env=bus.environment, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot list the containers: the service cannot be reached: ", done.stderr)


class Changing(Verbs):
    def state(self, name: str) -> Any:
        return self.json("list", name)[0]["state"]

    def test_start_and_stop(self) -> None:
        self.run_it("start", "db", "slow", "db")
        self.assertEqual([self.state("db"), self.state("slow")], ["running", "running"])
        self.run_it("start", "db")
        self.run_it("freeze", "d*")
        self.assertEqual(self.state("db"), "frozen")
        self.run_it("thaw", "container@db.service")
        self.assertEqual(self.state("db"), "running")
        self.run_it("restart", "db")
        self.run_it("stop", "--timeout=30s", "*")
        self.run_it("stop", "db")
        self.assertEqual([self.state("db"), self.state("web"), self.state("1000/web")], ["stopped"] * 3)

    def test_failures(self) -> None:
        error = self.run_it("start", "broken", "db", status=1).stderr
        self.assertIn("berthctl: Cannot start container broken: failed to open the root /srv/broken: No such", error)
        self.assertIn("berthctl status broken", error)
        self.assertEqual(self.state("db"), "running")
        self.assertIn(r"the root \x1b[31m", self.run_it("start", "odd", status=1).stderr)
        self.assertIn("did not stop in time", self.run_it("stop", "db", "--timeout=1us", status=1).stderr)
        self.assertIn("there is no container nobody", self.run_it("start", "nobody", status=4).stderr)
        self.run_it("start", "../x", status=2)
        self.assertEqual(len(self.run_it("start", "a\nb", status=2).stderr.splitlines()), 1)
        self.run_it("start", "n*", status=4)
        self.run_it("start", "guarded", "--no-ask-password", status=5)
        self.run_it("stop", "db", "--timeout=soon", status=2)
        self.assertIn("the service ended before it had answered", self.run_it("start", "crash", status=1).stderr)

    def test_kill(self) -> None:
        self.run_it("kill", "web", "-s", "HUP", "--whom=leader")
        self.assertEqual(self.json("status", "web")[0]["exit_status"], -signal.SIGHUP)
        self.run_it("kill", "web")
        self.assertEqual(self.json("status", "web")[0]["exit_status"], -signal.SIGTERM)
        self.run_it("kill", "web", "--whom=nobody", status=2)
        self.run_it("kill", "web", "--signal=SIGNOTHING", status=2)

    def test_set(self) -> None:
        self.run_it("set", "web", "MemoryMax=1G", "--runtime")
        self.assertIn("Colour= cannot be changed", self.run_it("set", "web", "MemoryMax=1G", "Colour=x", status=1).stderr)
        self.run_it("set", "web", "MemoryMax", status=2)
        self.run_it("set", "web", status=2)


class Running(Verbs):
    def test_end_that_is_heard_of_late(self) -> None:
        """How it ended was told by another service than the one that started it, which knows of it no more when asked."""
        tar = self.directory / "root.tar"
        tar.touch()
        (self.directory / "journalctl").write_text("#!/bin/sh\n", encoding="utf-8")
        self.run_it("run", "brief", f"--tar={tar}", "--", "/bin/true", status=9, quiet=True)


class Console(Verbs):
    def test_pipes(self) -> None:
        done = subprocess.run([BERTHCTL, "console", "web"], input=b"hello\nq\n", stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env=self.bus.environment, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, b"web goes on. To attach again: berthctl console web\n"))
        self.assertTrue(done.stdout.startswith(b"login: "), done.stdout)

    def test_not_running(self) -> None:
        self.assertIn("berthctl start db", self.run_it("console", "db", status=3).stderr)

    def on_terminal(self, *words: str) -> "tuple[subprocess.Popen[bytes], int, int]":
        """berthctl on a terminal of its own."""
        master, slave = pty.openpty()
        child = subprocess.Popen([BERTHCTL, *words], stdin=slave, stdout=slave, stderr=slave, env=self.bus.environment)
        self.addCleanup(os.close, master)
        self.addCleanup(os.close, slave)
        return child, master, slave

    def open(self) -> "tuple[subprocess.Popen[bytes], int, int]":
        """On a console, once it has greeted."""
        child, master, slave = self.on_terminal("console", "web")
        self.read_until(master, b"login: ")
        return child, master, slave

    def test_progress(self) -> None:
        """What takes longer than two seconds says so, and takes it back."""
        child, master, _ = self.on_terminal("start", "held")
        seen = self.read_until(master, b"s")
        # Two, or more where the machine is busy.
        self.assertRegex(seen, rb"^\rStarting held: \d+s")
        self.run_it("thaw", "held")
        self.assertEqual(child.wait(PATIENCE), 0)
        self.assertTrue(self.read_until(master, b"\r\033[K").endswith(b"\r\033[K"))

    def read_until(self, master: int, wanted: bytes) -> bytes:
        seen = b""
        end = time.monotonic() + PATIENCE
        while wanted not in seen:
            self.assertTrue(select.select([master], [], [], max(end - time.monotonic(), 0))[0], seen)
            seen += os.read(master, 4096)
        return seen

    def left(self, child: "subprocess.Popen[bytes]", slave: int, before: List[Any]) -> int:
        status = child.wait(PATIENCE)
        self.assertEqual(termios.tcgetattr(slave), before)
        return status

    def test_terminal(self) -> None:
        reference, other = pty.openpty()
        before = termios.tcgetattr(other)
        os.close(reference)
        os.close(other)
        child, master, slave = self.open()
        self.assertFalse(termios.tcgetattr(slave)[3] & (termios.ECHO | termios.ICANON | termios.ISIG))
        os.write(master, b"\x03hi\r")
        self.read_until(master, b"\x03hi\r")
        os.write(master, ESCAPE * 2 + b"x" + ESCAPE)
        self.read_until(master, ESCAPE * 2 + b"x" + ESCAPE)
        os.write(master, ESCAPE * 3)
        self.read_until(master, b"Left the console.")
        self.assertEqual(self.left(child, slave, before), 0)

    def test_terminal_is_put_back(self) -> None:
        for number, status in (signal.SIGTERM, 1), (signal.SIGHUP, 1), (signal.SIGINT, 1):
            reference, other = pty.openpty()
            before = termios.tcgetattr(other)
            os.close(reference)
            os.close(other)
            child, _, slave = self.open()
            child.send_signal(signal.SIGTSTP)
            child.send_signal(number)
            self.assertEqual(self.left(child, slave, before), status)

    def test_end(self) -> None:
        child, master, _ = self.open()
        os.write(master, b"q")
        self.read_until(master, b"web goes on. To attach again: berthctl console web")
        self.assertEqual(child.wait(PATIENCE), 0)


if __name__ == "__main__":
    if shutil.which("dbus-daemon") is None:
        print("dbus-daemon is not installed")
        sys.exit(with_bus.SKIPPED)
    unittest.main()
