# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for what has to happen in a machine. The limit is far beyond what it takes, since a test that has what it waits
for goes on at once, and only one that fails waits for the limit."""

import time

LIMIT = 120


def wait_for(machine, condition, what, limit=LIMIT):
    """Until condition() is true, whose last value is returned. what is a text, or what makes one at the end."""
    deadline = time.monotonic() + limit * machine.patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, what() if callable(what) else f'{what} did not come about in {limit} s'
        time.sleep(0.05)


def unmount(machine, *paths):
    """A descriptor of a container that has ended is closed by systemd a moment later."""
    for path in paths:
        wait_for(machine, lambda: machine.run(['umount', path], check=False).returncode == 0 or
                 machine.run(['mountpoint', '--quiet', path], check=False).returncode != 0,
                 lambda: machine.run(['umount', path], check=False).stderr)
