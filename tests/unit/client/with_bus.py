#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command on a bus of its own, on which the fake service is started by the first call to it."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import List, Optional

SKIPPED = 77
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={directory}/bus</listen>
  <servicedir>{directory}</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
    <allow user="*"/>
  </policy>
</busconfig>
"""


class Bus:
    """A message bus with the fake service; an executable of None leaves the service away."""

    def __init__(self, service: Optional[str], **environment: str):
        self.holder = tempfile.TemporaryDirectory(prefix="berth-client-")
        directory = pathlib.Path(self.holder.name)
        (directory / "bus.conf").write_text(CONFIG.format(directory=directory), encoding="utf-8")
        if service is not None:
            (directory / "org.berth.container1.service").write_text(
                f"[D-BUS Service]\nName=org.berth.container1\nExec={os.path.abspath(service)}\n", encoding="utf-8")
        self.environment = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS=f"unix:path={directory}/bus", LC_ALL="C.UTF-8",
                                **environment)
        self.daemon = subprocess.Popen(["dbus-daemon", f"--config-file={directory}/bus.conf", "--nofork", "--nopidfile",
                                        "--print-address"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env=self.environment)
        if self.daemon.stdout is None or not self.daemon.stdout.readline():
            raise RuntimeError("dbus-daemon does not start")

    def __enter__(self) -> "Bus":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.daemon.terminate()
        self.daemon.wait()
        if self.daemon.stdout is not None:
            self.daemon.stdout.close()
        self.holder.cleanup()


def main(arguments: List[str]) -> int:
    if shutil.which("dbus-daemon") is None:
        print("dbus-daemon is not installed")
        return SKIPPED
    with Bus(arguments[0]) as bus:
        return subprocess.run(arguments[1:], env=bus.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
