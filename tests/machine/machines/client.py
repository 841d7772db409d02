# SPDX-License-Identifier: LGPL-2.1-or-later
"""The host's side of agent.py: one command of a virtual machine, over a port that nobody else uses."""

import contextlib
import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import socket
import sys
import termios
import time
import tty

from .agent import MARK, PORTS, frame, take_frames
from .util import MachineError

# How long the agent may take to end a command.
KILL_LIMIT = 60


class NoAnswer(MachineError):
    """The agent did not take the command: the guest is booting, or gone."""


@contextlib.contextmanager
def free_port(directory, patience=600):
    """Connects to the first port that is not in use; waits for one if need be."""
    deadline = time.monotonic() + patience
    while True:
        for number in range(PORTS):
            lock = os.open(directory / f'port.{number}.lock', os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
                continue
            try:
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.connect(str(directory / f'port.{number}'))
                    yield connection
                    return
            except OSError as error:
                raise NoAnswer(f'the virtual machine has gone: {error}') from error
            finally:
                os.close(lock)
        if time.monotonic() > deadline:
            raise MachineError(f'all {PORTS} ports of the virtual machine have been in use for {patience} s')
        time.sleep(0.02)


class Session:
    """A command that runs. Outputs go to functions as they come; status() waits for the end."""

    def __init__(self, connection, argv, env, out, err, has_input, terminal=None, answer_within=300):
        self.connection = connection
        self.sinks = {b'O': out, b'E': err}
        self.exit_status = None
        self.buffer = bytearray()
        token = secrets.token_hex(8)
        request = {'argv': list(map(str, argv)), 'env': env, 'input': has_input, 'terminal': terminal, 'token': token}
        connection.sendall(MARK + json.dumps(request).encode() + b'\n')
        self.await_answer(MARK + token.encode(), time.monotonic() + answer_within)
        connection.setblocking(False)
        self.pending = bytearray()

    def await_answer(self, answer, deadline):
        while answer not in self.buffer:
            self.connection.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                data = self.connection.recv(65536)
            except TimeoutError as error:
                raise NoAnswer('no answer from the agent in the virtual machine') from error
            if not data:
                raise NoAnswer('the virtual machine has ended')
            self.buffer += data
        del self.buffer[:self.buffer.find(answer) + len(answer)]
        self.dispatch()

    def dispatch(self):
        for letter, data in take_frames(self.buffer):
            if letter == b'X':
                self.exit_status = int(data)
            else:
                self.sinks[letter](data)

    def send(self, letter, data=b''):
        self.pending += frame(letter, data)

    def step(self, timeout, source=None):
        """Moves what can be moved. True when the file descriptor source has something to read."""
        reads = [self.connection] + ([source] if source is not None and len(self.pending) < 1 << 20 else [])
        writes = [self.connection] if self.pending else []
        readable, writable, _ = select.select(reads, writes, [], timeout)
        if writable:
            with contextlib.suppress(BlockingIOError):
                del self.pending[:self.connection.send(self.pending[:65536])]
        if self.connection in readable:
            data = self.connection.recv(65536)
            if not data:
                raise MachineError('the virtual machine ended during the command')
            self.buffer += data
            self.dispatch()
        return source in readable

    def status(self, timeout, source=None):
        """The exit status and whether the time limit ended it. source is a descriptor to take input from."""
        deadline = None if timeout is None else time.monotonic() + timeout
        expired = False
        while self.exit_status is None:
            if self.step(0.1, source):
                data = os.read(source, 65536)
                self.send(b'I', data)
                if not data:
                    source = None
            if deadline is None or time.monotonic() < deadline:
                continue
            if expired:
                raise MachineError('the virtual machine does not answer any more')
            expired = True
            deadline = time.monotonic() + KILL_LIMIT
            self.send(b'K')
        return self.exit_status, expired


def write_all(fd):
    """A sink that writes to a descriptor of ours."""
    def write(data):
        while data:
            data = data[os.write(fd, data):]
    return write


@contextlib.contextmanager
def raw_terminal(fd):
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def interactive(connection, argv, env):
    """A command on the caller's terminal."""
    if not sys.stdin.isatty():
        raise MachineError('a shell needs a terminal: use exec')
    size = shutil.get_terminal_size()
    write = write_all(1)
    session = Session(connection, argv, env, write, write, True, [size.lines, size.columns])
    with raw_terminal(0):
        return session.status(None, 0)[0]


def foreground(connection, argv, env, timeout, source):
    """A command on the caller's standard output and error, with the file source (or None) for its input."""
    session = Session(connection, argv, env, write_all(1), write_all(2), source is not None)
    try:
        return session.status(timeout, source.fileno() if source else None)
    except KeyboardInterrupt:
        session.send(b'K')
        session.status(10)
        return 128 + signal.SIGINT, False
