# SPDX-License-Identifier: LGPL-2.1-or-later
"""A ring of tests while it runs: its cases, its logs, and what the person in front of it sees."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from typing import IO, Callable, Dict, List, NamedTuple, Optional

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
QUIET_SECONDS = 2
REMINDER_SECONDS = 30
TAIL_LINES = 40
ENDING_SECONDS = 30


class Settings(NamedTuple):
    top: pathlib.Path
    cache: pathlib.Path
    verbose: bool
    keep: bool
    select: str
    ended: threading.Event  # nothing goes on after it was set


class Case(NamedTuple):
    name: str
    outcome: str
    detail: str


def tail(text: str, lines: int = TAIL_LINES) -> str:
    return "\n".join(text.rstrip().split("\n")[-lines:])


def end(child: "subprocess.Popen[bytes]") -> None:
    """Ends a command with all of its session; like ^C first, so that pytest takes its machines down."""
    for number, patience in ((signal.SIGINT, ENDING_SECONDS), (signal.SIGKILL, ENDING_SECONDS)):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(child.pid, number)
            child.wait(patience)


class Progress:
    """Says what is going on as soon as it takes longer than two seconds, and how long it took."""

    def __init__(self, title: str, detail: Callable[[], str]):
        self.title = title
        self.detail = detail
        self.started = time.monotonic()
        self.next = QUIET_SECONDS
        self.terminal = sys.stdout.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def tick(self) -> None:
        if self.seconds < self.next:
            return
        text = f"  {self.title} ... {self.seconds:.0f} s {self.detail()}".rstrip()
        if self.terminal:
            self.next = self.seconds + 0.5
            print(f"\r{text:<100.100}", end="", flush=True)
        else:
            self.next = max(REMINDER_SECONDS, self.next + REMINDER_SECONDS)
            print(text, flush=True)

    def done(self, outcome: str) -> None:
        if self.seconds >= QUIET_SECONDS:
            text = f"  {self.title}: {outcome}, {self.seconds:.0f} s"
            print(f"\r{text:<100}" if self.terminal else text, flush=True)


class Ring:
    """The cases of one ring. Steps run one after the other; each has a log file of its own."""

    def __init__(self, name: str, settings: Settings):
        self.name = name
        self.settings = settings
        self.cases: List[Case] = []
        self.logs = settings.cache / "logs" / name
        self.logs.mkdir(parents=True, exist_ok=True)
        self.lock = self.take_lock()
        for log in self.logs.iterdir():
            if log.is_file():
                log.unlink()
        self.started = time.monotonic()

    def take_lock(self) -> IO[str]:
        """Two runs of one ring would write the same builds and logs; the second waits."""
        lock = (self.logs.parent / f"{self.name}.lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"  {self.name}: waiting for another run of this ring to end", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return lock

    def count(self, outcome: str) -> int:
        return sum(case.outcome == outcome for case in self.cases)

    def add(self, name: str, outcome: str, detail: str = "") -> None:
        """Enters a case; a failure is shown at once, with the end of what it said."""
        self.cases.append(Case(name, outcome, detail))
        if outcome == FAILED:
            # In one piece: another ring may be printing at the same time.
            print("\n".join([f"FAILED {name}", *("    " + line for line in tail(detail).split("\n"))]) + "\n", end="",
                  flush=True)
        elif outcome == SKIPPED:
            print(f"skipped {name}: {detail.strip()}", flush=True)

    def summary(self) -> str:
        counts = ", ".join(f"{self.count(outcome)} {outcome}" for outcome in (PASSED, FAILED, SKIPPED))
        return f"{self.name}: {counts}, {time.monotonic() - self.started:.0f} s, logs in {self.logs}"

    def log_path(self, title: str) -> pathlib.Path:
        return self.logs / (re.sub(r"[^A-Za-z0-9.]+", "-", title).strip("-") + ".log")

    def run(self, title: str, command: List[str], timeout: int, environment: Optional[Dict[str, str]] = None,
            detail: Callable[[str], str] = lambda text: "") -> "tuple[int, str]":
        """Runs a command with its output in a log. Returns (exit status, output); a command that does not end in
        time is ended, with all that it started in its session, and has status 124."""
        log = self.log_path(title)
        progress = Progress(f"{self.name}: {title}", lambda: detail(log.read_text(errors="replace")))
        with log.open("wb") as output:
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                     cwd=self.settings.top, env=dict(os.environ, **(environment or {})),
                                     start_new_session=True)
            try:
                status = self.wait(child, log, progress, timeout)
            finally:
                if child.poll() is None:
                    end(child)
        text = log.read_text(errors="replace")
        progress.done("done" if status == 0 else f"status {status}")
        return status, text

    def wait(self, child: "subprocess.Popen[bytes]", log: pathlib.Path, progress: Progress, timeout: int) -> int:
        shown = 0
        while child.poll() is None:
            if self.settings.ended.is_set():
                end(child)
                return 130
            if progress.seconds > timeout:
                end(child)
                with log.open("a", encoding="utf-8") as output:
                    output.write(f"\nended after {timeout} seconds: it did not come to an end by itself\n")
                return 124
            time.sleep(0.1)
            if self.settings.verbose:
                text = log.read_text(errors="replace")
                sys.stdout.write(text[shown:])
                sys.stdout.flush()
                shown = len(text)
            else:
                progress.tick()
        return child.returncode

    def step(self, title: str, command: List[str], timeout: int = 600,
             environment: Optional[Dict[str, str]] = None) -> bool:
        """A command that is a case by itself: it passes when it exits with 0."""
        status, text = self.run(title, command, timeout, environment)
        said = text if text.strip() else f"exit status {status}, no output"
        self.add(f"{self.name}: {title}", PASSED if status == 0 else FAILED, "" if status == 0 else said)
        return status == 0
