# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hooks of the start and of the end with Debian 13's systemd, which has control groups of its own for what it starts."""

import pytest
from test_hooks import (  # noqa: F401
    ending, hooks, test_crash, test_hooks_of_the_host, test_reboot, test_stop, test_time_limit)


@pytest.fixture
def machine(local13):
    return local13
