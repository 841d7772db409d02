# SPDX-License-Identifier: LGPL-2.1-or-later
"""berthctl asks for a password where polkit wants one: at a terminal, by an agent of its own, as systemctl does."""

import pytest
from bus import Bus

SLEEPER = '[Container]\nBoot=no\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'

# Types the password that is asked for. Prints what came, and the status.
TYPIST = r'''
import sys
import pexpect

password, *argv = sys.argv[1:]
child = pexpect.spawn(argv[0], argv[1:], timeout=120, encoding="utf-8")
asked = 0
while child.expect([r"Password: ", pexpect.EOF]) == 0:
    asked += 1
    sys.stdout.write(child.before)
    if asked > 3:
        sys.exit("it asks for ever")
    child.sendline(password)
sys.stdout.write(child.before)
child.wait()
print(f"asked={asked} status={child.exitstatus}")
'''


@pytest.fixture
def web(machine, annie, container):
    made = container('web', SLEEPER)
    made.wait_for(lambda: 'web' in Bus(machine).listed(), 'a place in the list')
    return made


@pytest.fixture
def annie(machine):
    """A user who sits at the machine, and knows root's password."""
    machine.add_user('annie')
    machine.run(['sh', '-c', 'loginctl enable-linger annie && systemctl start "user@$(id -u annie)"'])
    before = machine.run(['getent', 'shadow', 'root']).stdout.split(':')[1]
    machine.run(['chpasswd'], input='root:sesame\n')

    def types(password, *words):
        return machine.run_as('annie', ['/usr/bin/python3', '-c', TYPIST, password, 'berthctl', *words], session='active',
                              check=False, timeout=300).stdout
    yield types
    machine.run(['usermod', '--password', before, 'root'])


def test_right_password(web, annie):
    web.start()
    out = annie('sesame', 'disable', '--now', 'web')
    assert 'status=0' in out and 'asked=0' not in out, out
    assert web.show('ActiveState') == 'inactive'


def test_wrong_password(web, annie):
    web.start()
    out = annie('wrong', 'disable', '--now', 'web')
    assert 'status=5' in out and 'asked=0' not in out, out
    assert 'berthctl: cannot disable web: ' in out
    assert web.show('ActiveState') == 'active'


def test_not_asked(web, annie):
    """With --no-ask-password it fails at once, and says what may be done."""
    out = annie('sesame', '--no-ask-password', 'enable', 'web')
    assert 'asked=0 status=5' in out, out
    assert 'it needs a password: try it' in out
