# SPDX-License-Identifier: LGPL-2.1-or-later
"""What local machines have not, as berthctl security tells it: AppArmor's labels, and a kernel that enforces device policies."""

import re

import pytest
from test_security import Told, defined  # noqa: F401

BUSYBOX = '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'


@pytest.fixture
def machine(vm):
    return vm


def test_confined(defined, machine):  # noqa: F811
    one = defined('labelled', f'[Container]\nCommand=/bin/sleep 1000\n{BUSYBOX}')
    one.start()
    label = machine.run(f'cat /proc/{one.main_pid()}/attr/current').stdout.strip()
    assert re.fullmatch(r'berth-[0-9a-f]{64} \(enforce\)', label)
    told = Told(machine, 'labelled')
    assert told.layers['label']['rating'] == 'fine' and told.value('label') == label.replace(' (enforce)', ', enforce')
    assert int(told.value('device-programs')) > 0 and told.all['findings'] == []
    other = Told(machine, 'labelled', user='nobody')
    assert other.value('label') == told.value('label') and other.all['findings'] == []


def test_unconfined(defined, machine):  # noqa: F811
    one = defined('free', f'[Container]\nCommand=/bin/sleep 1000\n{BUSYBOX}[Security]\nAppArmor=unconfined\n')
    one.start()
    told = Told(machine, 'free', status=6)
    assert told.value('label') == 'unconfined'
    assert [(f['key'], f['severity']) for f in told.findings['label']] == [('AppArmor', 'medium')]
