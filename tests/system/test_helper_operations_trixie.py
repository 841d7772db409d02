# SPDX-License-Identifier: LGPL-2.1-or-later
"""The helper's operations once more, with Debian 13 as the host: another systemd answers, and is asked the same."""

import pytest

from helpersocket import helper, prepared  # noqa: F401
from test_helper_operations import (demo, root, test_freeze_and_thaw, test_kill, test_open_root,  # noqa: F401
                                    test_properties_persist, test_property, test_property_refused,
                                    test_reload_runs_the_generator, test_run, test_run_and_the_name, test_service,
                                    test_start_stop_restart, test_systemd_says_no)


@pytest.fixture(scope='module')
def local(local13):
    return local13


@pytest.fixture
def machine(local13):
    return local13
