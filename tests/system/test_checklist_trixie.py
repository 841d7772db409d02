# SPDX-License-Identifier: LGPL-2.1-or-later
"""The checklist once more, with Debian 13 as the host: another systemd, another C library, the same promises."""

import pytest
from test_checklist import RUNNING, STARTS, guest, identify, test_running, test_start  # noqa: F401


@pytest.fixture(scope='module')
def local(local13):
    return local13


@pytest.fixture
def machine(local13):
    return local13
