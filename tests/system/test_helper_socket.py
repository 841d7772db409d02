# SPDX-License-Identifier: LGPL-2.1-or-later
"""The helper's socket, spoken to by everybody who may not, and by a manager that somebody took over."""

import re

import pytest

from helpersocket import DBUS, ERROR, WIRE, helper, prepared  # noqa: F401
from waiting import wait_for

DEMO = '[Container]\nCommand=/bin/sleep 1000\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'


@pytest.fixture
def demo(container):
    demo = container('demo', DEMO)
    demo.start()
    return demo


# -- who ------------------------------------------------------------------------------------------------------------

def test_manager_is_answered(helper):
    error, _ = helper.run('done(Peer().call("ResetFailed", "s", ["container@nobody.service"]))')
    assert error in (None, ERROR + 'NotRunning')


@pytest.mark.parametrize('user, cgroup, why', [
    ('None', 'None', 'it is of uid 0'),
    ('None', 'MANAGER', 'it is of uid 0'),
    ('"berth"', 'None', 'it is not in berth-manager.service'),
])
def test_others_are_refused(helper, user, cgroup, why):
    script = f'become_manager({user}, {cgroup})\np = Peer(authenticate=False)\ndone(p.closed().decode())'
    assert helper.run(script, manager=False) == ''
    helper.said(f'Refused the connection of process [0-9]+: {why}')


def test_nobody_cannot_connect(helper):
    script = 'become_manager("nobody", None)\ntry:\n    Peer()\n    done("in")\nexcept PermissionError:\n    done("out")'
    assert helper.run(script, manager=False) == 'out'


def test_another_unit_is_refused(helper):
    """Of the right user, and in a unit whose name ends the same or that lies elsewhere."""
    machine = helper.machine
    machine.write('/run/peer.py', f'{WIRE}\nprint(Peer(authenticate=False).closed())\n')
    for unit in ('x-berth-manager.service', 'berth-manager.service.service'):
        done = machine.run(['systemd-run', '--wait', '--pipe', '--quiet', '--uid=berth', f'--unit={unit}',
                            '/usr/bin/python3', '/run/peer.py'])
        assert done.stdout.strip() == "b''"
    machine.remove('/run/peer.py')
    assert len(re.findall('it is not in berth-manager.service', helper.journal())) == 2


def test_dead_peer_is_refused(helper):
    """The process that connected has gone; the descriptor is in another's hands."""
    script = '''
a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
os.kill(int(open("/run/helper-pid").read()), 19)
if os.fork() == 0:
    become_manager()
    p = Peer(authenticate=False)
    socket.send_fds(a, [b"x"], [p.socket.fileno()])
    os._exit(0)
os.wait()
_, fds, _, _ = socket.recv_fds(b, 1, 1)
os.kill(int(open("/run/helper-pid").read()), 18)
p = socket.socket(fileno=fds[0])
p.setblocking(True)
try:
    done(p.recv(1).decode())
except ConnectionResetError:
    done("")
'''
    helper.run('Peer().close(); done(0)')
    helper.machine.write('/run/helper-pid', str(helper.pid()))
    assert helper.run(script, manager=False) == ''
    helper.machine.remove('/run/helper-pid')
    helper.said('it is not in berth-manager.service, or has ended')


# -- what is no request ---------------------------------------------------------------------------------------------

def test_garbage(helper):
    """Bytes that are no D-Bus, before and after the authentication; the next peer is served."""
    script = '''
import random
random.seed(7)
for round in range(40):
    p = Peer(authenticate=round % 2)
    try:
        p.send(bytes(random.randrange(256) for _ in range(random.choice([1, 16, 100, 5000]))) + b"\\r\\n" * 20000)
    except Closed:
        pass
    p.closed()
for claim in (b"0", b"4294967295", b"x" * 10):
    p = Peer(authenticate=False)
    p.send(b"\\0AUTH EXTERNAL " + claim.hex().encode() + b"\\r\\n")
    try:
        assert p.receive(8) == b"REJECTED", claim
    except Closed:
        pass
    p.close()
p = Peer()
huge = bytearray(p.message("Start", "s", ["container@demo.service"]))
huge[4:8] = struct.pack("<I", 0x7fffff0)
p.send(bytes(huge))
try:
    p.send(bytes(1 << 20))
    p.closed()
except Closed:
    pass
done(Peer().call("Nothing")[0])
'''
    assert helper.run(script) == DBUS + 'UnknownMethod'
    helper.said('what it sent is no D-Bus message')


def test_silence(helper):
    """No byte, half an authentication, half a message, and one and a half: none is waited for for ever."""
    script = '''
start = time.monotonic()
peers = [Peer(authenticate=False), Peer(authenticate=False), Peer(), Peer(), Peer()]
peers[1].send(b"\\0AUTH EXT")
m = peers[3].message("Nothing")
peers[3].send(m[:20])
m = peers[4].message("Nothing")
peers[4].send(m + m[:20])
answer = peers[4].answer()[1]
for p in peers:
    p.closed()
done([answer, time.monotonic() - start])
'''
    answer, seconds = helper.run(script)
    assert answer == DBUS + 'UnknownMethod'
    assert 9 < seconds
    helper.said('it sent no whole request in time')


def test_idle_connection_stays(helper):
    """Who has asked something may be silent for longer than a message may take, which another one is closed for."""
    script = 'p = Peer()\np.call("Nothing")\nPeer(authenticate=False).closed()\ndone(p.call("Nothing")[0])'
    assert helper.run(script) == DBUS + 'UnknownMethod'
    helper.said('it sent no whole request in time')


def test_out_of_order(helper):
    """Answers, signals and calls that want no answer are nothing that a manager sends."""
    script = '''
found = []
for more in ({"kind": RETURN, "extra": [(5, ("u", 1))]}, {"kind": ERROR, "extra": [(4, ("s", "a.b")), (5, ("u", 1))]},
             {"kind": SIGNAL}, {"flags": 1}):
    p = Peer()
    p.ask("Stop", "s", ["container@demo.service"], **more)
    found.append(p.closed().decode())
done(found)
'''
    assert helper.run(script) == [''] * 4
    helper.said('something else than requests')


WRONG = [
    ('"Nothing"', 'UnknownMethod'),
    ('"Start"', 'InvalidArgs'),
    ('"Start", "ss", ["container@a.service", "fail"]', 'InvalidArgs'),
    ('"Start", "o", ["/container"]', 'InvalidArgs'),
    ('"Kill", "ssu", ["container@a.service", "all", 9]', 'InvalidArgs'),
    ('"Reload", "s", [""]', 'InvalidArgs'),
    ('"Start", "s", ["container@a.service"], path="/"', 'UnknownInterface'),
    ('"Start", "s", ["container@a.service"], path="/org/freedesktop/systemd1"', 'UnknownInterface'),
    ('"StartUnit", "ss", ["a.service", "fail"], interface="org.freedesktop.systemd1.Manager"', 'UnknownInterface'),
    ('"Ping", interface="org.freedesktop.DBus.Peer"', 'UnknownInterface'),
    ('"Introspect", interface="org.freedesktop.DBus.Introspectable"', 'UnknownInterface'),
    ('"Kill", "ssi", ["container@a.service", "main", 9]', 'InvalidArgs'),
    ('"Kill", "ssi", ["container@a.service", "leader", 0]', 'InvalidArgs'),
    ('"Kill", "ssi", ["container@a.service", "leader", -1]', 'InvalidArgs'),
    ('"Kill", "ssi", ["container@a.service", "leader", 65]', 'InvalidArgs'),
    ('"Run", "ssa{sh}h", ["a", "", [], 0]', 'InvalidArgs'),
    ('"SetProperties", "sba(sv)", ["container@a.service", 1, []]', 'InvalidArgs'),
]


def test_wrong_requests(helper):
    """Each is refused with an error and a line in the journal, and the connection goes on."""
    calls = ''.join(f'found.append(p.call({call})[0])\n' for call, _ in WRONG)
    found = helper.run(f'p = Peer()\nfound = []\n{calls}done(found)')
    assert found == [DBUS + error for _, error in WRONG]
    assert len([line for line in helper.journal().splitlines() if DBUS in line or 'Refused' in line]) >= len(WRONG)


FOREIGN = ['ssh.service', 'berth-manager.service', 'container@.service', 'container@../x.service', 'container@a/b.service',
           'container@a.socket', 'container@a', 'container@A.service', 'container-run-.service', 'container-run-a.scope',
           'machine.slice', 'container@' + 'a' * 64 + '.service', '', '-.slice', 'container@a.service.d',
           'container@a.service\n', 'container@a%i.service', 'container@a@b.service', 'container@\x1b[31m.service']


@pytest.mark.parametrize('member, signature, more', [
    ('Start', 's', ''), ('Stop', 's', ''), ('Restart', 's', ''), ('Freeze', 's', ''), ('Thaw', 's', ''),
    ('ResetFailed', 's', ''), ('Kill', 'ssi', ', "all", 9'), ('OpenRoot', 's', ''),
    ('SetProperties', 'sba(sv)', ', 1, [("MemoryMax", ("s", "1G"))]')])
def test_foreign_units(helper, member, signature, more):
    script = f'p = Peer()\ndone([p.call("{member}", "{signature}", [unit{more}])[0] for unit in {FOREIGN!r}])'
    assert helper.run(script) == [DBUS + 'InvalidArgs'] * len(FOREIGN)
    journal = helper.journal()
    assert len(re.findall('is no unit of a container', journal)) == len(FOREIGN)
    assert '\x1b' not in journal


# -- descriptors ----------------------------------------------------------------------------------------------------

def test_descriptors_of_the_wrong_kind(helper):
    """For Run, by the name that they have."""
    script = '''
import ctypes, select
DEFINITION = "[Container]\\nCommand=/bin/true\\n[Root]\\nPath=fd:root\\n"
def opened(path, flags):
    return os.open(path, flags)
r, w = os.pipe()
a, b = socket.socketpair()
pidfd = os.pidfd_open(1) if hasattr(os, "pidfd_open") else ctypes.CDLL(None).syscall(434, 1, 0)
strange = {"socket": a.fileno(), "pidfd": pidfd, "epoll": select.epoll().fileno(), "device": opened("/dev/null", os.O_RDWR),
           "pipe": r, "namespace": -1}
del strange["namespace"]
p = Peer()
found = {}
for name, fd in strange.items():
    found[name] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [("root", 0)], 1], [fd, w])
found["tar as directory"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [("tar", 0)], 1], [opened("/", os.O_RDONLY), w])
found["image as pipe"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [("image", 0)], 1], [r, w])
found["progress as file"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [], 0], [opened("/dev/null", os.O_WRONLY)])
found["progress to read"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [], 0], [r])
found["twice"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [("root", 0), ("root", 0)], 1], [opened("/", os.O_RDONLY), w])
found["name"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [("../root", 0)], 1], [opened("/", os.O_RDONLY), w])
found["many"] = p.call("Run", "ssa{sh}h", ["x", DEFINITION, [(f"d{i}", 0) for i in range(65)], 1], [opened("/", os.O_RDONLY), w])
done(found)
'''
    for what, (error, sentence) in helper.run(script).items():
        assert error == DBUS + 'InvalidArgs', (what, error, sentence)


def test_descriptors_that_are_not_there(helper):
    """An index without a descriptor behind it, and fewer descriptors than the message says."""
    script = '''
found = []
p = Peer()
r, w = os.pipe()
found.append(p.call("Run", "ssa{sh}h", ["x", "[Root]\\nManaged=yes\\n", [], 7], [w])[0])
p = Peer()
p.send(p.message("Run", "ssa{sh}h", ["x", "[Root]\\nManaged=yes\\n", [], 0], [w]))
try:
    found.append(p.answer()[1])
except Closed:
    found.append("closed")
done(found)
'''
    assert helper.run(script) == [DBUS + 'InvalidArgs', 'closed']


def test_descriptors_nobody_asked_for(helper):
    """As many as a message can carry, in whole messages and without end in a half one: the helper keeps none."""
    script = '''
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
many = [os.open("/dev/null", os.O_RDONLY) for _ in range(253)]
p = Peer()
found = [p.call("Nothing", "", [], many)[0] for _ in range(20)]
q = Peer()
m = p.message("Nothing")
try:
    for i in range(200):
        q.send(m[i % 16:i % 16 + 1], many)
    q.closed()
    found.append("closed")
except Closed:
    found.append("closed")
found.append(p.call("Nothing")[0])
done(found)
'''
    helper.run('Peer().close(); done(0)')
    before = helper.descriptors()
    found = helper.run(script)
    assert found == [DBUS + 'UnknownMethod'] * 20 + ['closed', DBUS + 'UnknownMethod']
    helper.settle(before)


# -- many -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('manager', [True, False])
def test_ten_thousand_connections(helper, manager):
    """Of the manager's, and of root's, who is refused; some are held open as long as they are."""
    helper.run('Peer().close(); done(0)')
    before, pid = helper.descriptors(), helper.pid()
    script = '''
held = []
begin = time.monotonic()
for i in range(10000):
    p = Peer(authenticate=False)
    held.append(p)
    if len(held) > 40:
        held.pop(0).close()
done(time.monotonic() - begin)
'''
    seconds = helper.run(script, manager=manager, timeout=600)
    helper.settle(before)
    assert helper.run('done(Peer().call("Nothing")[0])') == DBUS + 'UnknownMethod'
    assert helper.pid() == pid
    status = helper.machine.run(['cat', f'/proc/{pid}/status']).stdout
    assert int(re.search(r'VmRSS:\s+(\d+) kB', status).group(1)) < 16 * 1024
    helper.said('Refused the connection of process')
    # Thirty lines and one about the rest in ten seconds, what systemd says, and what came after the last of the 10000.
    assert len(helper.journal().splitlines()) < 31 * (seconds / 10 + 3) + 20


def test_ninth_connection(helper):
    script = '''
peers = [Peer() for _ in range(8)]
ninth = Peer(authenticate=False)
closed = ninth.closed().decode()
found = [p.call("Nothing")[0] for p in peers]
peers.pop().close()
while len(found) == 8:
    # Until the helper has seen that one of them has gone.
    try:
        found.append(Peer().call("Nothing")[0])
    except Closed:
        time.sleep(0.01)
done([closed, found])
'''
    assert helper.run(script) == ['', [DBUS + 'UnknownMethod'] * 9]
    helper.said('there are 8 already')


def test_many_requests_at_once(helper, demo):
    """More than are worked on at a time: all are answered, some with the limit."""
    script = '''
p = Peer()
n = 300
for _ in range(n):
    p.ask("OpenRoot", "s", ["container@demo.service"])
answers = [p.answer()[1] for _ in range(n)]
done([answers.count(None), answers.count("org.freedesktop.DBus.Error.LimitsExceeded"), len(p.descriptors)])
'''
    good, refused, descriptors = helper.run(script)
    # How many are refused depends on how fast the others are answered.
    assert good >= 64 and good + refused == 300
    assert descriptors == good


def test_answers_that_nobody_reads(helper, demo):
    """A peer that asks and does not listen is closed before it costs anything; others are served."""
    script = '''
p = Peer(timeout=5)
sent = 0
try:
    for _ in range(200000):
        p.ask("Nothing", "s", ["x" * 1000])
        sent += 1
    done("endless")
except (Closed, TimeoutError):
    done(Peer().call("Nothing")[0])
'''
    assert helper.run(script) == DBUS + 'UnknownMethod'


# -- the end of one side --------------------------------------------------------------------------------------------

def test_helper_killed(helper, demo):
    """In the middle of a request: the caller learns it at once, and the next one is served by a new helper."""
    script = '''
pid = int(open("/run/helper-pid").read())
mine, roots = socket.socketpair()
if os.fork() == 0:
    for number in (19, 9):
        roots.recv(1)
        os.kill(pid, number)
        roots.send(b"x")
    os._exit(0)
become_manager()
p = Peer()
p.call("Nothing")
mine.send(b"x")
mine.recv(1)
p.ask("OpenRoot", "s", ["container@demo.service"])
mine.send(b"x")
found = [p.closed().decode()]
found.append(Peer().call("Freeze", "s", ["container@demo.service"])[0])
done(found)
'''
    helper.run('Peer().close(); done(0)')
    pid = helper.pid()
    helper.machine.write('/run/helper-pid', str(pid))
    assert helper.run(script, manager=False) == ['', None]
    assert helper.pid() != pid
    assert demo.show('FreezerState') == 'frozen'
    helper.run('done(Peer().call("Thaw", "s", ["container@demo.service"]))')
    helper.machine.remove('/run/helper-pid')


def test_peer_gone_in_the_middle(helper, demo):
    """What was asked for is done; the helper keeps nothing of who has gone."""
    helper.run('Peer().close(); done(0)')
    before = helper.descriptors()
    script = '''
def connect():
    while True:
        try:
            return Peer()
        except Closed:          # as long as it has not seen that others have gone
            time.sleep(0.01)
for _ in range(50):
    p = connect()
    for _ in range(5):
        p.ask("OpenRoot", "s", ["container@demo.service"])
    p.close()
p = connect()
# What the others asked for may still wait for systemd, and be as much as the helper works on at a time.
while p.call("OpenRoot", "s", ["container@demo.service"])[0] == "org.freedesktop.DBus.Error.LimitsExceeded":
    time.sleep(0.01)
p.ask("Freeze", "s", ["container@demo.service"])
p.close()
done(0)
'''
    helper.run(script)
    demo.wait_for(lambda: demo.show('FreezerState') == 'frozen', 'being frozen')
    helper.settle(before)
    helper.run('done(Peer().call("Thaw", "s", ["container@demo.service"]))')


def test_leaves_when_idle(helper):
    helper.run('Peer().close(); done(0)')
    wait_for(helper.machine, lambda: helper.show('ActiveState') == 'active', 'a helper that is up')
    wait_for(helper.machine, lambda: helper.show('ActiveState') == 'inactive', 'an idle helper\'s end')
    assert helper.show('Result') == 'success'
    assert helper.run('done(Peer().call("Nothing")[0])') == DBUS + 'UnknownMethod'
