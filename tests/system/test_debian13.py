# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same with the systemd of Debian 13 as manager, whose units differ: it makes the launcher's cgroup itself, and
keeps and clears a unit's state in other moments.
"""

import pytest

from test_failures import faulty, test_error, test_payload_killed, test_start_timeout  # noqa: F401
from test_roots import test_lock_over_a_reboot_of_the_guest, test_second_start_on_a_root  # noqa: F401
from test_stop import (limit, scripted, test_command_gets_its_signal, test_command_has_time, test_debian,  # noqa: F401
                       test_stubborn_guest_and_its_daemons)
from test_unit import (test_commands_that_end_at_once, test_debian_reboot_and_poweroff, test_exit_status,  # noqa: F401
                       test_freeze_and_thaw, test_hundred_reboots, test_kill_and_restart,
                       test_main_process_is_the_guests, test_ready_of_the_guest, test_reload_and_reexec)


@pytest.fixture
def machine(local13):
    return local13
