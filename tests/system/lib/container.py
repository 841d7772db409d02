# SPDX-License-Identifier: LGPL-2.1-or-later
"""A container in a test machine, as a test handles it: its definition file, its unit, its inside."""

import time

from machines import CommandFailed

DEFINITIONS = '/etc/berth/containers'


class Container:
    """NAME.container and container@NAME.service in a machine. remove() leaves nothing of either."""

    def __init__(self, machine, name, definition=None):
        self.machine = machine
        self.name = name
        self.unit = f'container@{name}.service'
        self.path = f'{DEFINITIONS}/{name}.container'
        if definition is not None:
            self.define(definition)

    def define(self, definition, mode=0o644):
        """Writes the definition, text or bytes."""
        self.machine.write(self.path, definition, mode)

    def systemctl(self, verb, *arguments, check=True, timeout=120):
        return self.machine.run(['systemctl', verb, self.unit, *arguments], check=check,
                                timeout=timeout * self.machine.patience)

    def start(self, check=True, timeout=120):
        """The result of `systemctl start`; a start that had to succeed shows the journal when it does not."""
        done = self.systemctl('start', check=False, timeout=timeout)
        if check and done.returncode != 0:
            done.stderr += self.journal()
            raise CommandFailed(done)
        return done

    def stop(self, check=True, timeout=120):
        return self.systemctl('stop', check=check, timeout=timeout)

    def restart(self, check=True, timeout=120):
        return self.systemctl('restart', check=check, timeout=timeout)

    def show(self, name):
        """One property of the unit, as text."""
        return self.machine.run(['systemctl', 'show', '--value', f'--property={name}', self.unit]).stdout.rstrip('\n')

    def shown(self, *names):
        """Properties of one moment, in the order of their names."""
        lines = self.machine.run(['systemctl', 'show', f'--property={",".join(names)}', self.unit]).stdout.splitlines()
        values = dict(line.split('=', 1) for line in lines)
        return [values[name] for name in names]

    def status(self):
        return self.systemctl('status', '--no-pager', '--full', check=False).stdout

    def journal(self):
        return self.machine.journal(self.unit)

    def main_pid(self):
        return int(self.show('MainPID'))

    def wait_state(self, state, timeout=60):
        """Until the unit's ActiveState or SubState is the one named."""
        self.wait_for(lambda: state in self.shown('ActiveState', 'SubState'), f'state {state}', timeout)

    def wait_another(self, before, timeout=60):
        """Until it runs with a main process other than that one."""
        def runs():
            state, pid = self.shown('ActiveState', 'MainPID')
            return state == 'active' and pid not in ('0', str(before))
        self.wait_for(runs, 'a new start', timeout)

    def wait_for(self, condition, what, timeout=60):
        deadline = time.monotonic() + timeout * self.machine.patience
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f'{self.unit} did not get to {what} in {timeout} s:\n'
                                     f'{self.status()}\n{self.journal()}')
            time.sleep(0.05)

    def inside(self, argv, check=True, timeout=60, input=None):
        """Runs a list, or a string for the guest's shell, in all namespaces of the guest's init, as its root."""
        argv = ['/bin/sh', '-c', argv] if isinstance(argv, str) else list(argv)
        return self.machine.run(['nsenter', '--target', str(self.main_pid()), '--mount', '--uts', '--ipc', '--net',
                                 '--pid', '--cgroup', '--user', '--root', '--wd', *argv], check,
                                timeout * self.machine.patience, input)

    def wait_running(self, timeout=90):
        """Until a guest's systemd has finished its boot; returns the state it then is in."""
        states = ('running', 'degraded', 'maintenance')
        last = []

        def settled():
            last[:] = [self.inside(['systemctl', 'is-system-running'], check=False).stdout.strip()]
            return last[0] in states
        self.wait_for(settled, 'a booted guest', timeout)
        return last[0]

    def remove(self):
        """Stops it, by force if need be, and removes what it has on the machine."""
        stopped = self.systemctl('stop', check=False, timeout=60)
        if stopped.returncode == 124:
            self.systemctl('kill', '--signal=KILL', check=False)
            self.systemctl('stop', check=False, timeout=60)
        self.systemctl('reset-failed', check=False)
        self.machine.remove(self.path, f'{self.path}.d', f'/var/lib/berth/overlays/{self.name}')
