# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the helper does for the manager: its operations on running and stopped containers, and transient runs."""

import re

import pytest

from helpersocket import DBUS, ERROR, helper, prepared  # noqa: F401
from waiting import wait_for

DEMO = '[Container]\nCommand=/bin/sh -c "trap : USR1; while :; do sleep 1; done"\n[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n'
UNIT = 'container@demo.service'
RUN = '''
def run(name, definition, descriptors, fds):
    r, w = os.pipe()
    return p.call("Run", "ssa{sh}h", [name, definition, descriptors, len(fds)], [*fds, w])
'''


@pytest.fixture
def demo(container):
    demo = container('demo', DEMO)
    demo.start()
    return demo


def call(helper, *arguments):
    return helper.run(f'p = Peer()\ndone(p.call(*{arguments!r}))')


# -- jobs and states ------------------------------------------------------------------------------------------------

def test_start_stop_restart(helper, container):
    demo = container('demo', DEMO)
    error, values = call(helper, 'Start', 's', [UNIT])
    assert error is None and re.fullmatch('/org/freedesktop/systemd1/job/[0-9]+', values[0])
    demo.wait_state('running')
    first = demo.main_pid()
    assert call(helper, 'Restart', 's', [UNIT])[0] is None
    demo.wait_for(lambda: demo.main_pid() not in (0, first) and demo.show('SubState') == 'running', 'a second start')
    assert call(helper, 'Stop', 's', [UNIT])[0] is None
    demo.wait_state('inactive')


def test_kill(helper, demo):
    pid = demo.main_pid()
    assert call(helper, 'Kill', 'ssi', [UNIT, 'leader', 10])[0] is None
    assert call(helper, 'Kill', 'ssi', [UNIT, 'all', 18])[0] is None
    assert demo.main_pid() == pid
    assert call(helper, 'Kill', 'ssi', [UNIT, 'all', 9])[0] is None
    demo.wait_state('failed')
    assert call(helper, 'Kill', 'ssi', [UNIT, 'leader', 9])[0] == ERROR + 'NotRunning'
    assert call(helper, 'ResetFailed', 's', [UNIT])[0] is None
    assert demo.show('ActiveState') == 'inactive'


def test_freeze_and_thaw(helper, demo):
    assert call(helper, 'Freeze', 's', [UNIT])[0] is None
    assert demo.show('FreezerState') == 'frozen'
    assert call(helper, 'Thaw', 's', [UNIT])[0] is None
    assert demo.show('FreezerState') == 'running'
    demo.stop()
    assert call(helper, 'Freeze', 's', [UNIT])[0] == ERROR + 'NotRunning'


def test_reload_runs_the_generator(helper, container):
    demo = container('demo', DEMO + '[Resources]\nTasksMax=77\n')
    assert call(helper, 'Reload')[0] is None
    assert demo.show('TasksMax') == '77'


# -- properties -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('name, value, shown', [
    ('MemoryMax', ('s', '512M'), 'MemoryMax=536870912'),
    ('MemoryMax', ('t', 1 << 30), 'MemoryMax=1073741824'),
    ('MemoryMax', ('t', (1 << 64) - 1), 'MemoryMax=infinity'),
    ('MemoryHigh', ('s', ''), 'MemoryHigh=infinity'),
    ('CPUWeight', ('t', 50), 'CPUWeight=50'),
    ('CPUWeight', ('s', ''), 'CPUWeight=[not set]'),
    ('CPUQuota', ('s', '12.5%'), 'CPUQuotaPerSecUSec=125ms'),
    ('CPUQuotaPerSecUSec', ('t', 2000000), 'CPUQuotaPerSecUSec=2s'),
    ('CPUQuotaPerSecUSec', ('t', (1 << 64) - 1), 'CPUQuotaPerSecUSec=infinity'),
    ('CPUQuotaPeriodUSec', ('t', 10000), 'CPUQuotaPeriodUSec=10ms'),
    ('AllowedCPUs', ('s', '0'), 'AllowedCPUs=0'),
    ('AllowedCPUs', ('ay', [3]), 'AllowedCPUs=0-1'),
    ('AllowedCPUs', ('s', ''), 'AllowedCPUs='),
    ('TasksMax', ('t', 100), 'TasksMax=100'),
    ('TasksMax', ('s', ''), 'TasksMax=16384'),
    ('IOWeight', ('s', '10'), 'IOWeight=10'),
    ('MemoryAccounting', ('b', 1), 'MemoryAccounting=yes'),
    ('ManagedOOMSwap', ('s', 'kill'), 'ManagedOOMSwap=kill'),
    ('ManagedOOMMemoryPressureLimit', ('s', '50%'), 'ManagedOOMMemoryPressureLimit=2147483648'),
])
def test_property(helper, demo, name, value, shown):
    assert call(helper, 'SetProperties', 'sba(sv)', [UNIT, 1, [(name, value)]]) == [None, []]
    key = shown.partition('=')[0]
    assert f'{key}={demo.show(key)}' == shown
    demo.machine.run(['systemctl', 'revert', UNIT])


@pytest.mark.parametrize('name, value, error', [
    ('MemoryMax', ('s', 'much'), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('s', '1G\n[Root]\nPath=/'), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('t', 0), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('u', 1), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('i', 1), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('h', 0), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('v', ('t', 1 << 30)), DBUS + 'InvalidArgs'),
    ('MemoryMax', ('at', [1]), DBUS + 'InvalidArgs'),
    ('AllowedCPUs', ('ay', [255] * 1025), DBUS + 'InvalidArgs'),
    ('CPUQuotaPerSecUSec', ('t', 1), DBUS + 'InvalidArgs'),
    ('TasksMax', ('t', 16385), DBUS + 'LimitsExceeded'),
    ('TasksMax', ('t', (1 << 64) - 1), DBUS + 'LimitsExceeded'),
    ('CPUWeight', ('s', '101'), DBUS + 'LimitsExceeded'),
    ('MemoryMin', ('s', '1G'), ERROR + 'PolicyViolation'),
    ('MemoryLow', ('t', 1 << 30), ERROR + 'PolicyViolation'),
    ('IODeviceWeight', ('a(st)', []), ERROR + 'PolicyViolation'),
    ('ExecStart', ('a(sasb)', []), ERROR + 'NoSuchProperty'),
    ('DeviceAllow', ('a(ss)', [('/dev/sda', 'rw')]), ERROR + 'NoSuchProperty'),
    ('Delegate', ('b', 0), ERROR + 'NoSuchProperty'),
    ('Slice', ('s', '-.slice'), ERROR + 'NoSuchProperty'),
    ('IPAddressDeny', ('a(iayu)', []), ERROR + 'NoSuchProperty'),
    ('Description', ('s', 'x'), ERROR + 'NoSuchProperty'),
    ('Markers', ('as', []), ERROR + 'NoSuchProperty'),
])
def test_property_refused(helper, demo, name, value, error):
    """And with it the whole call: what was right beside it is not set either."""
    good = ('MemoryMax', ('s', '123M'))
    for properties in ([(name, value), good], [good, (name, value)]):
        found, values = call(helper, 'SetProperties', 'sba(sv)', [UNIT, 1, properties])
        assert found == error and len(values[0]) > 10
    assert demo.show('MemoryMax') == 'infinity'


def test_properties_persist(helper, demo):
    """runtime=false is for good, and honoured by the next plain start; systemd keeps it."""
    assert call(helper, 'SetProperties', 'sba(sv)', [UNIT, 0, [('TasksMax', ('s', '55'))]])[0] is None
    assert 'TasksMax=55' in demo.machine.run(f'cat /etc/systemd/system.control/{UNIT}.d/*').stdout
    demo.restart()
    assert demo.show('TasksMax') == '55'
    demo.machine.run(['systemctl', 'revert', UNIT])


def test_systemd_says_no(helper):
    """systemd's refusal comes in its own words."""
    error, values = call(helper, 'SetProperties', 'sba(sv)', ['container-run-x.service', 0, [('TasksMax', ('s', '5'))]])
    assert error in (ERROR + 'Systemd', ERROR + 'NotRunning') and 'container-run-x.service' in values[0]


# -- the root -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize('identity', ['yes', 'no'])
def test_open_root(helper, container, identity):
    """The very root of the container's init, one descriptor, opened for reading; nothing leads out of it."""
    definition = DEMO.replace('trap', 'echo hello >/in-root; trap') + f'[Identity]\nUserNamespace={identity}\n'
    demo = container('demo', definition)
    demo.start()
    demo.wait_for(lambda: demo.machine.run(['cat', f'/proc/{demo.main_pid()}/root/in-root'], check=False).stdout, 'its file')
    script = f'''
p = Peer()
error, values = p.call("OpenRoot", "s", ["{UNIT}"])
root = p.descriptors[0]
status, up = os.stat(root), os.stat("..", dir_fd=root)
done([error, len(p.descriptors), values, [status.st_dev, status.st_ino], [up.st_dev, up.st_ino],
      os.read(os.open("in-root", os.O_RDONLY, dir_fd=root), 10).decode()])
'''
    error, n, values, at, up, text = helper.run(script)
    status = demo.machine.run(['stat', '--dereference', '--format=%d %i', f'/proc/{demo.main_pid()}/root']).stdout.split()
    assert (error, n, values, text) == (None, 1, [0], 'hello\n')
    assert at == up == list(map(int, status))


def test_open_root_of_none(helper, container):
    """Not of a container that is stopped, nor of the launcher of one that is starting."""
    assert call(helper, 'OpenRoot', 's', [UNIT])[0] == ERROR + 'NotRunning'
    demo = container('demo', DEMO)
    dropin = f'/run/systemd/system/{UNIT}.d/wait.conf'
    demo.machine.write(dropin, '[Service]\nExecStart=\nExecStart=/bin/sleep 60\n')
    demo.machine.run(['systemctl', 'daemon-reload'])
    demo.machine.run(['systemctl', 'start', '--no-block', UNIT])
    demo.wait_for(lambda: demo.main_pid() > 0, 'a main process')
    assert call(helper, 'OpenRoot', 's', [UNIT])[0] == ERROR + 'NotRunning'
    demo.machine.run(['systemctl', 'kill', '--signal=KILL', UNIT])
    demo.machine.remove(f'/run/systemd/system/{UNIT}.d')
    demo.machine.run(['systemctl', 'daemon-reload'])


def test_open_root_before_there_is_one(helper, container):
    """The container's init is there and known to systemd, and still sees what the host sees."""
    demo = container('demo', DEMO)
    dropin = f'/run/systemd/system/{UNIT}.d/hang.conf'
    demo.machine.write(dropin, '[Service]\nEnvironment=BERTH_FAULT=tree:hang\nTimeoutStopSec=1\n')
    try:
        demo.machine.run(['systemctl', 'daemon-reload'])
        demo.machine.run(['systemctl', 'start', '--no-block', UNIT])
        demo.wait_for(lambda: demo.machine.run(f'grep -q /payload /proc/{demo.main_pid()}/cgroup', check=False).returncode == 0,
                      'its init')
        assert call(helper, 'OpenRoot', 's', [UNIT])[0] == ERROR + 'NotRunning'
    finally:
        demo.machine.run(['systemctl', 'kill', '--signal=KILL', UNIT])
        demo.machine.remove(f'/run/systemd/system/{UNIT}.d')
        demo.machine.run(['systemctl', 'daemon-reload'])


# -- runs -----------------------------------------------------------------------------------------------------------

@pytest.fixture
def root(machine):
    """A guest's copy that only root can get to."""
    machine.run('rm -rf /srv/scratch/private && mkdir -m 0700 /srv/scratch/private &&'
                ' cp -a /srv/guests/busybox /srv/scratch/private/root && chmod 0700 /srv/scratch/private/root')
    yield '/srv/scratch/private/root'
    machine.remove('/srv/scratch/private')


def run_script(root, then):
    return f'root = os.open("{root}", os.O_RDONLY | os.O_DIRECTORY | os.O_NOATIME)\nbecome_manager()\np = Peer()\n{RUN}{then}'


# A file system of a user's that says nothing once it is mounted: whoever asks it waits.
SILENT = '''
import ctypes, struct, threading
fuse = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None)
os.makedirs("/run/silent", exist_ok=True)
assert libc.mount(b"silent", b"/run/silent", b"fuse", 0, f"fd={fuse},rootmode=40000,user_id=0,group_id=0".encode()) == 0
def answer():
    first = os.read(fuse, 1 << 17)
    os.write(fuse, struct.pack("<IiQIIIIHHIIHHIIII8x", 80, 0, *struct.unpack_from("<Q", first, 8),
                               7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, 0, 0, 0))
    while True:
        os.read(fuse, 1 << 17)
threading.Thread(target=answer, daemon=True).start()
silent = os.open("/run/silent", os.O_PATH)
libc.umount2(b"/run/silent", 2)
'''


def test_a_file_system_that_does_not_answer(helper):
    """The helper does not wait for it, and serves others."""
    script = f'''{SILENT}
become_manager()
p = Peer()
{RUN}error, _ = run("demo", "[Nothing]\\n", [("x", 0)], [silent])
print(json.dumps(error), flush=True)
os._exit(0)'''
    assert helper.run(script, manager=False, timeout=120) == ERROR + 'InvalidDefinition'


def gone(machine, unit):
    wait_for(machine, lambda: machine.run(['systemctl', 'show', '--value', '--property=LoadState', unit]).stdout == 'not-found\n',
             lambda: machine.run(['systemctl', 'status', unit], check=False).stdout)


def test_run(helper, root, no_leftovers):
    """A container from a directory that a caller opened: its unit is the template's but for what is its own."""
    definition = ('[Container]\nCommand=/bin/sleep 1000\nDescription=50% of %i\n[Root]\nPath=fd:root\n'
                  '[Resources]\nMemoryMax=200M\nTasksMax=50\nCPUQuota=50%\n')
    unit = 'container-run-one.service'
    machine = helper.machine
    found = helper.run(run_script(root, f'done(run("one", {definition!r}, [("root", 0)], [root]))'), manager=False)
    assert found[0] is None and found[1][0] == unit and found[1][2] == []

    wait_for(machine, lambda: machine.run(['systemctl', 'is-active', unit], check=False).stdout == 'active\n',
             lambda: machine.journal(unit))
    shown = dict(line.split('=', 1) for line in machine.run(['systemctl', 'show', unit]).stdout.splitlines())
    assert shown['Description'] == '50% of %i'
    assert (shown['MemoryMax'], shown['TasksMax'], shown['CPUQuotaPerSecUSec']) == ('209715200', '50', '500ms')
    template = dict(line.split('=', 1) for line in machine.run(['systemctl', 'show', 'container@none.service']).stdout.splitlines())
    settings = ('Type', 'NotifyAccess', 'User', 'Slice', 'Delegate', 'KillMode', 'KillSignal', 'TimeoutStopUSec',
                'TimeoutStopFailureMode', 'Restart', 'RestartForceExitStatus', 'SuccessExitStatus', 'SyslogLevelPrefix',
                'IgnoreSIGPIPE', 'OOMPolicy', 'DevicePolicy', 'PartOf', 'RequiresMountsFor', 'StartLimitIntervalUSec',
                'CapabilityBoundingSet', 'Before', 'Requires', 'Conflicts', 'UMask', 'LimitNOFILE', 'PrivateMounts',
                'NoNewPrivileges', 'StandardOutput', 'SendSIGHUP', 'SendSIGKILL', 'RestartUSec', 'TimeoutStartUSec')
    assert {name: shown[name] for name in settings} == {name: template[name] for name in settings}
    assert shown['CollectMode'] == 'inactive-or-failed'

    assert call(helper, 'Stop', 's', [unit])[0] is None
    gone(machine, unit)


def test_directory_and_who_opened_it(helper, machine):
    """A directory that was made 0700 after it had been opened tells nothing; what only its owner can open so does."""
    script = '''
os.mkdir("/run/late", 0o755)
os.mkdir("/run/late/etc")
flags = os.O_RDONLY | os.O_DIRECTORY
fds = [os.open("/run/late", flags), os.open("/run/late", flags | os.O_NOATIME)]
os.chmod("/run/late", 0o700)
become_manager()
p = Peer()
errors = []
for fd in fds:
    r, w = os.pipe()
    errors.append(p.call("Create", "ssa{sh}hb", ["late", "[Root]\\nManaged=yes\\n", [("directory", 0)], 1, False], [fd, w])[0])
errors.append(p.call("Remove", "sb", ["late", True])[0])
done(errors)'''
    try:
        assert helper.run(script, manager=False) == [ERROR + 'Data', None, None]
    finally:
        machine.remove('/run/late')


def test_run_and_the_name(helper, container, root):
    """One name space: neither a name that runs nor one that has a definition."""
    container('demo', DEMO)
    definition = '[Container]\nCommand=/bin/sleep 1000\n[Root]\nPath=fd:root\n'
    then = f'done([run(name, {definition!r}, [("root", 0)], [root])[0] for name in ("one", "one", "demo", "", "../x", "A")])'
    found = helper.run(run_script(root, then), manager=False)
    assert found == [None, ERROR + 'Exists', ERROR + 'Exists'] + [DBUS + 'InvalidArgs'] * 3
    assert call(helper, 'Stop', 's', ['container-run-one.service'])[0] is None
    gone(helper.machine, 'container-run-one.service')


@pytest.mark.parametrize('definition, error', [
    ('', 'InvalidDefinition'),
    ('nonsense', 'InvalidDefinition'),
    ('[Container]\nCommand=/bin/true\n[Root]\nPath=fd:root\n[Identity]\nUserNamespace=no\n', 'PolicyViolation'),
    ('[Container]\nCommand=/bin/true\n[Root]\nPath=/srv/guests/busybox\n', 'PolicyViolation'),
    ('[Container]\nCommand=/bin/true\n[Root]\nPath=fd:root\n[Mount]\nSource=/etc\nTarget=/mnt\n', 'PolicyViolation'),
    ('[Container]\nCommand=/bin/true\nInclude=/etc/shadow\n[Root]\nPath=fd:root\n', 'InvalidDefinition'),
    ('[Container]\nCommand=/bin/true\n[Root]\nPath=fd:root\n[Resources]\nMemoryMin=1G\n', 'PolicyViolation'),
])
def test_run_refused(helper, root, definition, error):
    found = helper.run(run_script(root, f'done(run("one", {definition!r}, [("root", 0)], [root]))'), manager=False)
    assert found[0] == ERROR + error and 'definition' in found[1][0]
    assert helper.machine.run(['systemctl', 'list-units', '--all', '--no-legend', 'container-run-*']).stdout == ''


def test_run_of_a_large_definition(helper, root):
    """As large as one can be, and a byte more."""
    script = '''
head = "[Container]\\nCommand=/bin/sleep 1000\\n[Root]\\nPath=fd:root\\n"
line = "#" + "x" * 998 + "\\n"
text = head + line * ((1 << 20) // 1000)
text = text[:1 << 20].rstrip("x#")
text += "\\n" * ((1 << 20) - len(text))
done([run("one", text, [("root", 0)], [root])[0], run("two", text + "\\n", [("root", 0)], [root])[0]])
'''
    assert helper.run(run_script(root, script), manager=False) == [None, DBUS + 'LimitsExceeded']
    call(helper, 'Stop', 's', ['container-run-one.service'])
    gone(helper.machine, 'container-run-one.service')


# -- the service itself ---------------------------------------------------------------------------------------------

def test_service(helper):
    """It has the host's mount namespace, few capabilities, and no process beside it."""
    call(helper, 'Nothing')
    machine, pid = helper.machine, helper.pid()
    assert machine.run(['readlink', f'/proc/{pid}/ns/mnt', '/proc/1/ns/mnt']).stdout.split()[0] == \
        machine.run(['readlink', '/proc/1/ns/mnt']).stdout.strip()
    status = machine.run(['cat', f'/proc/{pid}/status']).stdout
    assert re.search(r'^NoNewPrivs:\t1$', status, re.MULTILINE)
    assert int(re.search(r'^CapBnd:\t(\w+)$', status, re.MULTILINE).group(1), 16).bit_count() <= 16
    score = machine.run(['systemd-analyze', 'security', '--no-pager', 'berth-helper.service'], check=False).stdout
    assert float(re.search(r'Overall exposure level for berth-helper.service: ([0-9.]+)', score).group(1)) <= 6.0, score
