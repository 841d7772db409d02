# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rings, and which of them run side by side."""

import concurrent.futures
from typing import List

import pytests
import unit
from ring import FAILED, Ring, Settings

RINGS = {"unit": unit.run, "bus": pytests.run_bus, "system": pytests.run_system, "vm": pytests.run_vm}
# An emulated machine keeps one processor busy and the local one waits most of the time: together they take as long as
# the longer one.
TOGETHER = {"system", "vm"}


def run_ring(name: str, settings: Settings) -> Ring:
    """One ring from its start to its summary line; whatever goes wrong in it is a failure of it."""
    ring = Ring(name, settings)
    try:
        RINGS[name](ring)
    except Exception as error:  # the runner's own faults must not look like success
        ring.add(f"{name}: the ring itself", FAILED, f"{type(error).__name__}: {error}")
    if not ring.cases:
        ring.add(f"{name}: the ring itself", FAILED, "ran nothing, and so has shown nothing")
    print(ring.summary(), flush=True)
    return ring


def run_together(names: List[str], settings: Settings) -> List[Ring]:
    """Rings side by side; ^C ends what they run."""
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        running = [pool.submit(run_ring, name, settings) for name in names]
        try:
            return [one.result() for one in running]
        except KeyboardInterrupt:
            settings.ended.set()
            raise


def run_rings(names: List[str], settings: Settings) -> List[Ring]:
    together = [name for name in names if name in TOGETHER]
    if len(together) < 2:
        return [run_ring(name, settings) for name in names]
    before = [run_ring(name, settings) for name in names if name not in TOGETHER]
    return before + run_together(together, settings)
