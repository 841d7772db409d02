# SPDX-License-Identifier: LGPL-2.1-or-later
"""The test runner: which rings, in which order, and the sum of it all. Called by tools/check."""

import argparse
import os
import pathlib
import signal
import sys
import threading
from typing import List

from ring import FAILED, PASSED, SKIPPED, Settings
from rings import RINGS, run_rings

def parse(arguments: List[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/check", description="Run the test rings.")
    parser.add_argument("rings", nargs="*", metavar="RING", help=", ".join(RINGS))
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--select", default="", metavar="EXPRESSION")
    parsed = parser.parse_args(arguments)
    unknown = [ring for ring in parsed.rings if ring not in RINGS]
    if unknown:
        parser.error(f"there is no ring `{unknown[0]}': the rings are {', '.join(RINGS)}")
    return parsed


def main() -> int:
    arguments = parse(sys.argv[1:])
    top = pathlib.Path(__file__).resolve().parents[3]
    cache = pathlib.Path(os.environ.get("BERTH_CACHE", "/var/cache/berth-tests"))
    settings = Settings(top, cache, arguments.verbose, arguments.keep, arguments.select, threading.Event())
    # What this run's caller has set must not change what is tested.
    for name in ("CC", "CFLAGS", "LDFLAGS", "CPPFLAGS", "DESTDIR", "MESON_TESTTHREADS", "NOTIFY_SOCKET"):
        os.environ.pop(name, None)
    os.environ["LC_ALL"] = "C.UTF-8"
    # As ^C, so that what runs is ended and machines are taken down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rings = run_rings(list(dict.fromkeys(arguments.rings or RINGS)), settings)
    counts = {outcome: sum(ring.count(outcome) for ring in rings) for outcome in (PASSED, FAILED, SKIPPED)}
    print(f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped")
    return 1 if counts[FAILED] else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("tools/check: ended before it was done")
