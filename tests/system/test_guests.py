# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kinds of guests: whole systems, an init of busybox, commands with and without a reaper, a single id, and a
trusted one without a user namespace."""

import pytest

import probe


@pytest.fixture(scope='module')
def program(tmp_path_factory):
    return probe.compile_probe(tmp_path_factory.mktemp('probe'))


@pytest.fixture(scope='module')
def probe_tree(local, program):
    path = probe.install(local, program)
    yield path
    local.remove(path)


def command(probe_tree, words, keys='', root='Overlay=yes', sections=''):
    return f'[Container]\nCommand={words}\n{keys}[Root]\nPath={probe_tree}\n{root}\n{sections}'


EXITED = '1'


def ended(one):
    """How; a unit that ended well is soon forgotten by systemd, and its exit code with it."""
    one.wait_for(lambda: one.show('ActiveState') in ('inactive', 'failed'), 'its end')
    code = one.show('ExecMainCode') if one.show('Result') != 'success' else EXITED
    return code, one.show('ExecMainStatus'), one.show('Result')


# -- whole systems ----------------------------------------------------------------------------------------


@pytest.mark.parametrize('guest', ['debian13', 'debian12'])
def test_debian_in_a_directory_of_its_own(container, tree, guest):
    one = container(guest, f'[Root]\nPath={tree(guest)}\n')
    one.start()
    assert one.wait_running() == 'running'
    one.inside(['sh', '-c', 'echo kept >/var/kept && chown 1000:1000 /var/kept'])
    one.stop()
    assert one.show('Result') == 'success' and one.show('ExecMainStatus') in ('0', '2')
    # What the guest writes is on disk as the guest sees it.
    path = one.machine.read(one.path).split('Path=')[1].strip()
    assert one.machine.run(['stat', '-c', '%u %g', f'{path}/var/kept']).stdout == '1000 1000\n'


@pytest.mark.parametrize('guest', ['debian13', 'debian12'])
def test_debian_in_memory(container, guest):
    one = container(guest, f'[Container]\nEphemeral=yes\n[Root]\nPath=/srv/guests/{guest}\n')
    one.start()
    assert one.wait_running() == 'running'
    one.inside(['touch', '/var/forgotten'])
    one.restart()
    assert one.inside(['ls', '/var/forgotten'], check=False).returncode != 0
    one.stop()
    assert one.show('Result') == 'success'


def test_debian_without_a_user_namespace(container):
    one = container('trusted', '[Root]\nPath=/srv/guests/debian13\nOverlay=yes\n[Identity]\nUserNamespace=no\n')
    one.start()
    pid = str(one.main_pid())
    inside = ['nsenter', '--all', '--target', pid, '--']
    run = one.machine.run
    one.wait_for(lambda: run([*inside, 'systemctl', 'is-system-running'], check=False).stdout == 'running\n', 'a booted guest')
    assert run([*inside, 'cat', '/proc/1/uid_map']).stdout.split() == ['0', '0', '4294967295']

    def namespace(process, kind):
        return run(['readlink', f'/proc/{process}/ns/{kind}']).stdout
    assert namespace(pid, 'user') == namespace(1, 'user')
    for kind in ('mnt', 'pid', 'net', 'uts', 'ipc', 'cgroup'):
        assert namespace(pid, kind) != namespace(1, kind), kind
    one.stop()
    assert one.show('Result') == 'success'


def test_busybox_init(container):
    one = container('busybox', '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
    one.start()
    one.wait_for(lambda: one.machine.run(['nsenter', '-a', '-t', str(one.main_pid()), '/bin/cat', '/run/booted'],
                                         check=False).stdout == 'booted\n', 'the end of its boot')
    assert one.inside(['readlink', '/proc/1/exe']).stdout == '/bin/busybox\n'
    one.inside('echo "echo orderly >/stopped" >>/etc/init.d/rcK')
    one.stop()
    assert one.show('Result') == 'success'
    assert one.machine.read(f'/var/lib/berth/overlays/{one.name}/upper/stopped') == 'orderly\n'


def test_busybox_reboots_and_powers_off(container):
    one = container('busybox', '[Root]\nPath=/srv/guests/busybox\nOverlay=yes\n')
    one.start()
    # Only then does it handle what the two ask of it, and that ends them, too.
    booted = lambda: one.inside(['ls', '/run/booted'], check=False).returncode == 0  # noqa: E731
    one.wait_for(booted, 'the end of its boot')
    one.inside(['reboot'], check=False)
    one.wait_for(lambda: one.shown('NRestarts', 'ActiveState') == ['1', 'active'], 'a reboot')
    one.wait_for(booted, 'the end of its second boot')
    one.inside(['poweroff'], check=False)
    one.wait_state('inactive')
    assert one.show('Result') == 'success'


# -- commands ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize('status', [0, 1, 7, 125, 255])
def test_exit_status_of_a_command(container, probe_tree, status):
    one = container('command', command(probe_tree, f'/probe exit {status}'))
    one.start()
    assert ended(one) == (EXITED, str(status), 'success' if status == 0 else 'exit-code')


def test_command_that_does_not_handle_the_stop(container, probe_tree):
    """The kernel keeps a process 1 from signals that it does not handle; a stop is clean and quick all the same."""
    one = container('command', command(probe_tree, '/probe wait'))
    probe.run(one, 'waiting=yes')
    one.stop()
    assert one.show('Result') == 'success'


def test_command_that_handles_the_stop(container, probe_tree):
    words = '/bin/sh -c "trap \'echo asked=TERM; exit 3\' TERM; echo waiting=yes; while :; do sleep 0.1; done"'
    one = container('command', command(probe_tree, words))
    since = probe.start(one)
    probe.output(one, since, 'waiting=yes')
    one.stop()
    assert probe.output(one, since, 'asked=TERM')['asked'] == 'TERM'
    assert ended(one)[:2] == (EXITED, '3')


def test_command_writes_to_the_journal(container, probe_tree):
    one = container('command', command(probe_tree, '/bin/sh -c "echo to=stdout; echo to=stderr >&2"'))
    assert probe.run(one, 'to=stderr').all('to') == ['stdout', 'stderr']


# -- with a reaper ----------------------------------------------------------------------------------------


def test_reaper_reaps_and_passes_signals_on(container, probe_tree):
    one = container('reaper', command(probe_tree, '/probe report -- linger /signals', 'Boot=reaper\n'))
    report = probe.run(one, 'lingering=yes')
    assert report['zombies'] == '0'
    assert set(report.all('ppid')) == {'1'} and report.all('sid') == report.all('pid')
    for name in ('SigBlk', 'SigIgn', 'SigCgt'):
        assert int(report.status(name), 16) == 0, name
    assert report.below('fd').keys() == {'0', '1', '2'}
    one.systemctl('kill', '--kill-whom=main', '--signal=SIGUSR1')
    one.wait_for(lambda: one.inside(['cat', '/signals'], check=False).stdout == 'got 10\n', 'the signal')
    # Nothing of the host's file is there to be written to.
    assert one.inside(['readlink', '/proc/1/exe']).stdout.startswith('/memfd:berth-init')
    assert one.inside('echo >/proc/1/exe', check=False).returncode != 0


def test_reaper_passes_the_stop_on(container, probe_tree):
    words = '/bin/sh -c "trap \'echo asked=TERM; exit 3\' TERM; echo waiting=yes; while :; do sleep 0.1; done"'
    one = container('reaper', command(probe_tree, words, 'Boot=reaper\n'))
    since = probe.start(one)
    probe.output(one, since, 'waiting=yes')
    one.stop()
    assert probe.output(one, since, 'asked=TERM')['asked'] == 'TERM'
    assert ended(one)[:2] == (EXITED, '3')


@pytest.mark.parametrize('words, status', [
    ('/probe exit 0', '0'), ('/probe exit 7', '7'), ('/bin/sh -c "kill -SEGV $$$$"', '139'),
    ('/bin/sh -c "kill -KILL $$$$"', '137'), ('/none', '127'), ('/etc/passwd', '126')])
def test_exit_status_with_a_reaper(container, probe_tree, words, status):
    one = container('reaper', command(probe_tree, words.replace('$$$$', '$$'), 'Boot=reaper\n'))
    one.start(check=False)
    assert ended(one)[:2] == (EXITED, status)


# -- a single id ------------------------------------------------------------------------------------------

SINGLE = '[Identity]\nIDMap=1000:auto:1\n'


@pytest.mark.parametrize('root', ['ReadOnly=yes', 'Overlay=yes', ''])
def test_single_id(container, probe_tree, root):
    one = container('single', command(probe_tree, '/probe report attempts exit 7', 'User=1000\n', root, SINGLE))
    since = probe.start(one)
    report = probe.output(one, since, 'try.symlink-root=')
    assert report['uid'] == report['euid'] == report['gid'] == '1000' and report['groups'] == ''
    inside, outside, count = map(int, report['uid_map'].split())
    assert (inside, count) == (1000, 1) and 524288 <= outside <= 1879048191
    assert report['setgroups'] == 'deny'
    for name in ('CapPrm', 'CapEff', 'CapInh', 'CapAmb'):
        assert int(report.status(name), 16) == 0, name
    done = {k for k, v in report.below('try').items() if v == 'ok'}
    assert done <= {'audit'}, done
    assert ended(one) == (EXITED, '7', 'exit-code')


def test_single_id_is_stopped(container, probe_tree):
    one = container('single', command(probe_tree, '/probe wait', 'User=1000\n', 'ReadOnly=yes', SINGLE))
    probe.run(one, 'waiting=yes')
    one.stop()
    assert one.show('Result') == 'success'


def test_single_id_with_a_reaper(container, probe_tree):
    one = container('single', command(probe_tree, '/probe exit 9', 'User=1000\nBoot=reaper\n', 'ReadOnly=yes', SINGLE))
    one.start()
    assert ended(one) == (EXITED, '9', 'exit-code')


def test_single_id_before_a_closed_root(machine, container, tree):
    """The mode of the root's top directory counts where there is no id 0, which is said."""
    root = tree('busybox')
    machine.run(['chmod', '0700', root])
    one = container('single', f'[Container]\nCommand=/bin/true\nUser=1000\n[Root]\nPath={root}\nOverlay=yes\n{SINGLE}')
    assert one.start(check=False).returncode != 0
    assert '/dev: who is inside may not enter the root: chmod 0755 its top directory' in one.show('StatusText')
    machine.run(['chmod', '0755', root])
    one.start()


def test_user_that_is_not_mapped(container, probe_tree):
    one = container('single', command(probe_tree, '/probe wait', 'User=1001\n', 'ReadOnly=yes', SINGLE))
    assert one.start(check=False).returncode != 0
    assert '1001' in one.show('StatusText') and one.show('ExecMainStatus') == '125'


# -- without a user namespace -----------------------------------------------------------------------------


def test_command_without_a_user_namespace(container, probe_tree):
    one = container('trusted', command(probe_tree, '/probe report exit 5', sections='[Identity]\nUserNamespace=no\n'))
    since = probe.start(one)
    report = probe.output(one, since, 'argv=exit')
    assert report['uid_map'].split() == ['0', '0', '4294967295'] and report['uid'] == '0'
    assert int(report.status('CapInh'), 16) == 0 and int(report.status('CapAmb'), 16) == 0
    for capability in (14, 16, 17, 20, 22 + 3, 29, 30, 32, 33, 34, 36, 37):
        assert not int(report.status('CapBnd'), 16) & 1 << capability, capability
    assert ended(one) == (EXITED, '5', 'exit-code')
