#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every resource property in every form that a definition takes is, as berth keeps it, a value that this machine's
systemd takes in a unit file: its own verifier has no word to say."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Dict, List

SKIPPED = 77

BOOLEAN = ["yes", "off", "1"]
WEIGHT = ["1", "10000"]
MEMORY = ["1", "1K", "1.5G", "8T", "12.5%", "0.01%", "100%", "infinity"]
INDICES = ["0", "0-3,5", "1 3", "8191"]
RATE = ["/dev/sda 1", "/dev/disk/by-path/pci-0000:00:1f.2-scsi-0:0:0:0 5M", "/ infinity"]

VALUES: Dict[str, List[str]] = {
    "CPUWeight": WEIGHT + ["idle"],
    "CPUQuota": ["1%", "12.5%", "200%", "100000%"],
    "CPUQuotaPeriodSec": ["1ms", "50ms", "1s", "2500us"],
    "AllowedCPUs": INDICES,
    "AllowedMemoryNodes": INDICES[:3],
    "MemoryMin": ["0", *MEMORY],
    "MemoryLow": ["0", *MEMORY],
    "MemoryHigh": MEMORY,
    "MemoryMax": MEMORY,
    "MemorySwapMax": ["0", *MEMORY],
    "TasksMax": ["1", "10%", "infinity", "4194304"],
    "IOWeight": WEIGHT,
    "IODeviceWeight": ["/dev/sda 1", "/dev/sda\t 10000"],
    "IODeviceLatencyTargetSec": ["/dev/sda 25ms", "/dev/sda 1us"],
    "ManagedOOMSwap": ["auto", "kill"],
    "ManagedOOMMemoryPressure": ["auto", "kill"],
    "ManagedOOMMemoryPressureLimit": ["0%", "60.5%", "100%"],
    "ManagedOOMPreference": ["none", "avoid", "omit"],
}
VALUES.update({f"{name}Accounting": BOOLEAN for name in ("CPU", "Memory", "Tasks", "IO", "IP")})
VALUES.update({f"Startup{name}": VALUES[name] for name in ("CPUWeight", "AllowedCPUs", "AllowedMemoryNodes", "IOWeight")})
VALUES.update({f"IO{kind}Max": RATE for kind in ("ReadBandwidth", "WriteBandwidth", "ReadIOPS", "WriteIOPS")})


def kept(program: str, directory: pathlib.Path, name: str, value: str) -> str:
    """The line that stands in the merged definition."""
    path = directory / "web.container"
    path.write_text(f"[Root]\nManaged=yes\n[Resources]\n{name}={value}\n", encoding="utf-8")
    done = subprocess.run([program, str(path)], stdout=subprocess.PIPE, text=True, check=True)
    return next(line for line in done.stdout.splitlines() if line.startswith(f"{name}="))


def complaints(directory: pathlib.Path, lines: List[str]) -> List[str]:
    """What systemd says about these lines in a service."""
    unit = directory / "web.service"
    unit.write_text("[Service]\nExecStart=/bin/true\n" + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return [line for line in done.stdout.splitlines() if line.startswith(str(unit))]


def main() -> int:
    program, key_list = sys.argv[1:]
    if not shutil.which("systemd-analyze"):
        print("there is no systemd-analyze")
        return SKIPPED

    keys = subprocess.run([key_list], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    properties = {row.split("\t")[1] for row in keys if row.startswith("Resources\t")}
    properties = {name for name in properties if not re.match(r"Limit|Sysctl$", name)}
    problems = [f"no value for {name}= is tried" for name in sorted(properties ^ VALUES.keys())]

    with tempfile.TemporaryDirectory() as holder:
        directory = pathlib.Path(holder)
        if not complaints(directory, ["CPUWeight=bogus"]):
            problems.append("systemd-analyze does not complain about what is wrong")
        lines = [kept(program, directory, name, value) for name, values in sorted(VALUES.items()) for value in values]
        problems += complaints(directory, lines)

    for problem in problems:
        print(problem)
    print(f"{len(lines)} values, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
