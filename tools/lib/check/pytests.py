# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rings that pytest runs: bus, system (in a local machine) and vm (in a virtual one)."""

import pathlib
import re
import xml.etree.ElementTree
from typing import List

from ring import FAILED, PASSED, SKIPPED, Ring

SOME_FAILED, NO_TESTS = 1, 5  # of pytest's exit statuses


def so_far(log: str) -> str:
    """How far a pytest run has come, told from its log."""
    ended = len(re.findall(r" (?:PASSED|FAILED|SKIPPED|ERROR|XFAIL)\b", log))
    return f"({ended} tests)" if ended else ""


def enter_case(ring: Ring, case: "xml.etree.ElementTree.Element") -> None:
    name = f"{ring.name}: {case.get('classname', '')}::{case.get('name', '')}"
    bad = [part for part in case if part.tag in ("failure", "error")]
    skipped = case.find("skipped")
    if bad:
        ring.add(name, FAILED, "\n".join(part.text or part.get("message", "") for part in bad))
    elif skipped is not None:
        ring.add(name, SKIPPED, skipped.get("message", ""))
    else:
        ring.add(name, PASSED)


def run_pytest(ring: Ring, arguments: List[str], timeout: int) -> None:
    results = ring.logs / "results.xml"
    command = ["/usr/bin/python3", "-B", "-m", "pytest", "-v", "-p", "no:cacheprovider", "--color=no",
               "--durations=10", f"--junitxml={results}", *arguments]
    if ring.settings.select:
        command += ["-k", ring.settings.select]
    environment = {"BERTH_CACHE": str(ring.settings.cache), "PYTHONDONTWRITEBYTECODE": "1",
                   "PYTHONPATH": str(pathlib.Path(__file__).resolve().parent)}
    status, text = ring.run("pytest", command, timeout, environment, so_far)
    if status == NO_TESTS:
        ring.add(f"{ring.name}: pytest", FAILED, f"found no test in {' '.join(arguments)}")
        return
    failed = ring.count(FAILED)
    if results.exists():
        for case in xml.etree.ElementTree.parse(results).iter("testcase"):
            enter_case(ring, case)
    if status not in (0, SOME_FAILED):
        ring.add(f"{ring.name}: pytest", FAILED, f"{text}\nstatus {status}: it did not run to its end")
    elif status != 0 and ring.count(FAILED) == failed:
        ring.add(f"{ring.name}: pytest", FAILED, text)


def run_bus(ring: Ring) -> None:
    run_pytest(ring, ["tests/bus"], timeout=600)


def run_machine(ring: Ring, kind: str) -> None:
    keep = ["--keep-machine"] if ring.settings.keep else []
    run_pytest(ring, ["-p", "machine_kind", f"--machine-kind={kind}", *keep, "tests/system",
                      "tests/machine/test_machine.py"], timeout=2100)


def run_system(ring: Ring) -> None:
    run_machine(ring, "local")


def run_vm(ring: Ring) -> None:
    run_machine(ring, "vm")
