# SPDX-License-Identifier: LGPL-2.1-or-later
"""What of transient containers is between berth and systemd, with Debian 13's: the descriptor store over reboots, and the
store's data after the end."""

import pytest
from test_transient import (  # noqa: F401
    place, root, test_clean, test_clean_what_is_not_its_own, test_error_number, test_reboot, test_restart_by_hand, transient)


@pytest.fixture
def machine(local13):
    return local13
