# SPDX-License-Identifier: LGPL-2.1-or-later
"""R7, R11, R13, R15: what the kernel would let a container have of the host's: settings, keys, capabilities, groups,
terminals, sockets, cgroups. Where a container without a user namespace is attacked, it is because the kernel itself
forbids the same in one: there the protection is the second wall."""

import platform

import pytest

import attack

WRITTEN = ('/proc/sys/kernel/core_pattern', '/proc/sys/vm/swappiness', '/proc/sysrq-trigger', '/proc/irq/default_smp_affinity')
READ = ('/proc/kallsyms', '/proc/timer_list', '/proc/keys', '/proc/kcore')
NO_NAMESPACE = '[Identity]\nUserNamespace=no\n'
CAP_SYS_MODULE = 1 << 16


def test_settings_of_the_kernel(attacked, hostile):
    """R7, R8, CVE-2025-31133, CVE-2022-0492's kind: core_pattern runs a program on the host. Files are only opened."""
    script = hostile.script('settings', ''.join(f'(: >>{p}) 2>/dev/null && echo write={p}\n' for p in WRITTEN) +
                            ''.join(f'(head -c 1 {p} | grep -q .) 2>/dev/null && echo read={p}\n' for p in READ))
    for name, sections in (('settings', ''), ('settings-root', NO_NAMESPACE)):
        report = attack.told(attacked(name, hostile.definition(script, sections=sections)))
        assert not report.all('write') and not report.all('read'), name
    # With a user namespace the kernel still refuses what changes the host, but tells what is hidden.
    weak = attack.told(attacked('settings-weak', hostile.definition(script), 'masks'))
    assert WRITTEN[0] not in weak.all('write') and READ[0] in weak.all('read')
    weak = attack.told(attacked('settings-root-weak', hostile.definition(script, sections=NO_NAMESPACE), 'masks'))
    assert {WRITTEN[0], WRITTEN[1]} <= set(weak.all('write'))


def test_keys_of_the_unit(attacked, hostile):
    """R13: the session keyring that systemd made for the unit, with a key in it, goes on into the container."""
    safe = attack.told(attacked('keys', hostile.definition('/hostile keys')))
    assert (safe['keys.found'], safe['keys.read']) == ('ENOKEY', 'ENOKEY')
    weak = attack.told(attacked('keys-weak', hostile.definition('/hostile keys'), 'keyring'))
    assert (weak['keys.found'], weak['keys.read']) == ('ok', 'ok')


def test_groups_are_dropped(attacked, hostile):
    """CVE-2018-7169: a file that denies a group is open to whoever may leave that group."""
    definition = hostile.definition('/hostile groups', sections='[Identity]\nIDMap=0:auto:1\n')
    assert attack.told(attacked('groups', definition))['groups.dropped'] == 'EPERM'
    assert attack.told(attacked('groups-weak', definition, 'setgroups'))['groups.dropped'] == 'ok'


def test_capabilities_of_the_unit(attacked, hostile):
    """R13, CVE-2022-29162, CVE-2022-24769: an inheritable capability comes back at the exec, whatever the bounding set."""
    definition = hostile.definition('/probe report', sections=NO_NAMESPACE)
    unit = 'AmbientCapabilities=CAP_SYS_MODULE\n'
    safe = attack.told(attacked('inherits', definition, '', unit))
    assert not any(int(safe.status(name), 16) for name in ('CapInh', 'CapAmb'))
    assert not int(safe.status('CapPrm'), 16) & CAP_SYS_MODULE
    weak = attack.told(attacked('inherits-weak', definition, 'inheritable', unit))
    assert int(weak.status('CapPrm'), 16) & CAP_SYS_MODULE and not int(weak.status('CapBnd'), 16) & CAP_SYS_MODULE


@pytest.mark.parametrize('seccomp, ends', [('default', 'EPERM'), ('off', 'ok')])
def test_typing_at_a_terminal(container, machine, hostile, seccomp, ends):
    """R11, CVE-2017-5226, CVE-2019-10063 (the high bits), CVE-2023-28100: words are typed at a terminal for somebody
    else to read. It is the container's own in any case: nothing of the caller's terminal is inside."""
    one = container(f'types-{seccomp}', hostile.definition(
        '/bin/sh -c "exec /hostile push /dev/console wait >/told"', 'Console=yes\n', f'[Security]\nSeccomp={seccomp}\n'))
    one.start()
    one.wait_for(lambda: 'waiting' in one.inside(['cat', '/told'], check=False).stdout, 'an attack')
    told = dict(line.split('=') for line in one.inside(['cat', '/told']).stdout.split())
    assert (told['push.plain'], told['push.high']) == (ends, ends)
    assert (told['push.read'] == 'ok') == (ends == 'ok')
    assert told['push.linux'] == ('EPERM' if ends == 'EPERM' else 'ENOTTY')
    assert machine.run(['stat', '-L', '-c', '%t:%T', '/dev/console'], check=False).stdout != '88:0\n'


PRESETS = {'default': '', 'no-namespace': NO_NAMESPACE, 'nesting': '[Security]\nNesting=yes\n',
           'strict': '[Security]\nSeccomp=strict\n', 'user': '[Container]\nUser=annie\n'}


@pytest.mark.parametrize('preset', PRESETS)
def test_socket_families(container, hostile, preset):
    """R15, CVE-2026-31431: AF_ALG, in every preset, with high bits, and by 32-bit programs; 32-bit TCP works. Where the
    kernel has no AF_ALG it is AF_VSOCK's other answer that shows the filter; test_seccomp has the calls without one."""
    report = attack.told(container(f'alg-{preset}', hostile.definition('/probe calls', sections=PRESETS[preset])))
    for call in ('af_alg', 'af_alg.high', 'af_vsock'):
        assert report[f'call.{call}'] == 'EAFNOSUPPORT', call
    if platform.machine() == 'x86_64':
        assert report['call.x86.socket.af_alg'] == 'EAFNOSUPPORT'
        assert report['call.x86.socketcall.af_inet'] == 'ok'


def test_hierarchies_of_cgroups(attacked, hostile):
    """CVE-2022-0492, CVE-2023-25809: cgroup v1, whose release_agent the host runs, and the limits that are the host's to
    set. The kernel forbids both with a user namespace and a delegated cgroup; without one it would be done for real."""
    script = hostile.script('hierarchies', '''/hostile hierarchy
        cd /sys/fs/cgroup
        for f in memory.max pids.max cgroup.max.depth cgroup.max.descendants cgroup.freeze cgroup.kill ../cgroup.procs; do
            (: >>$f) 2>/dev/null && echo write=$f
        done
        mkdir inside && echo made=own && (: >>inside/cgroup.procs) && echo write=own''')
    report = attack.told(attacked('hierarchies', hostile.definition(script)))
    # One that the host has can be seen, as far as the container is in it, and not changed.
    assert report['hierarchy.named'] == 'EPERM' and not {'ok'} & {*report.all('hierarchy.agent'), *report.all('hierarchy.move')}
    assert report.all('write') == ['own'] and report['made'] == 'own'


def test_sockets_of_the_host(container, machine, hostile):
    """CVE-2020-15257: abstract sockets are found by whoever has the host's network. Nothing of berth listens on one."""
    machine.run(['systemd-run', '--quiet', '--collect', '--unit=listens', '/usr/bin/python3', '-c', (
        'import socket, time; s = socket.socket(socket.AF_UNIX); s.bind("\\0attacked"); s.listen(); time.sleep(1000)')])
    machine.run('until grep -q @attacked /proc/net/unix; do sleep 0.05; done')
    script = hostile.script('sockets', '''/hostile sockets attacked
        ls -d /run/dbus/system_bus_socket /run/systemd/private /run/berth /run/systemd/notify 2>/dev/null | sed s/^/there=/
        grep -o "@.*" /proc/net/unix | sed s/^/abstract=/''')
    try:
        own = attack.told(container('sockets', hostile.definition(script)))
        machine.run(['berthctl', 'list'])
        shared = attack.told(container('sockets-shared', hostile.definition(script, sections='[Namespaces]\nShare=net\n')))
    finally:
        machine.run(['systemctl', 'stop', 'listens'])
    assert own['sockets.connect'] == 'ECONNREFUSED' and not own.all('abstract') and not own.all('there')
    assert shared['sockets.connect'] == 'ok' and '@attacked' in shared.all('abstract') and not shared.all('there')
    assert not [name for name in shared.all('abstract') if 'berth' in name]
