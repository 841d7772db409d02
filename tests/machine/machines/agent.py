#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs commands in a virtual machine for the host: the service that is in the guest, on its own.

Each of the virtio ports berth.agent.N carries one command at a time. The host begins one with MARK and a line
of JSON; whatever came before it on the port, half a message of a client that was killed included, is void
then, and a command that still runs is ended. Afterwards both sides send frames: a letter, four bytes of
length, the data. From the host: I input (empty: its end), K kill. To the host, after MARK and the token of the
request: O and E outputs, X the exit status. client.py speaks the other side, and shares the first part of
this file.
"""

import errno
import fcntl
import hashlib
import json
import os
import pty
import queue
import select
import signal
import struct
import subprocess
import termios
import threading
import time

# Computed, so that a copy of this file may pass through a port.
MARK = hashlib.sha256(b'berth test machine agent').digest()
HEAD = struct.Struct('>cI')
PORTS = 8
GRACE = 0.5
# For an output that does not end with its command, since what that left running goes on writing.
ENDLESS = 60


def frame(letter, data=b''):
    return HEAD.pack(letter, len(data)) + data


def take_frames(buffer):
    """The whole frames at the begin of a bytearray, taken off it."""
    frames = []
    while len(buffer) >= HEAD.size:
        letter, size = HEAD.unpack_from(buffer)
        if len(buffer) < HEAD.size + size:
            break
        frames.append((letter, bytes(buffer[HEAD.size:HEAD.size + size])))
        del buffer[:HEAD.size + size]
    return frames


class Command:
    """One command: its process, in a cgroup of its own, and the threads that carry its outputs."""

    def __init__(self, port, request):
        self.port = port
        self.open = True            # somebody listens
        self.exited = False         # the process; the outputs follow
        self.ended = False
        self.cgroup = f'{port.cgroup}/{port.number}-{time.monotonic_ns()}'
        os.mkdir(self.cgroup)
        port.send(self, MARK + request['token'].encode())
        self.queue = queue.SimpleQueue()
        self.pumps = []
        try:
            self.start(request)
        except (OSError, ValueError) as error:
            status = 127 if isinstance(error, FileNotFoundError) else 126
            port.send(self, frame(b'E', f'{request["argv"][0]}: {error}\n'.encode()) + frame(b'X', b'%d' % status))
            self.forget_cgroup()
            return
        threading.Thread(target=self.wait, daemon=True).start()

    def start(self, request):
        procs = os.open(f'{self.cgroup}/cgroup.procs', os.O_WRONLY | os.O_CLOEXEC)
        tty = request['terminal']
        self.input = slave = None
        try:
            if tty:
                self.input, slave = pty.openpty()
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', *tty, 0, 0))

            def prepare():
                os.write(procs, b'0')
                if tty:
                    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            pipe = slave if tty else subprocess.PIPE
            self.process = subprocess.Popen(
                request['argv'], env=request['env'], cwd='/', start_new_session=True, preexec_fn=prepare,
                stdin=pipe if tty or request['input'] else subprocess.DEVNULL, stdout=pipe, stderr=pipe)
        finally:
            os.close(procs)
            if slave is not None:
                os.close(slave)
        if tty:
            self.pump(b'O', os.dup(self.input))
        else:
            self.input = self.process.stdin.fileno() if self.process.stdin else None
            self.pump(b'O', self.process.stdout.fileno())
            self.pump(b'E', self.process.stderr.fileno())
        if self.input is not None:
            threading.Thread(target=self.carry_input, daemon=True).start()

    def pump(self, letter, fd):
        def carry():
            poller = select.poll()
            poller.register(fd, select.POLLIN)
            while True:
                # All that the command has written, however late that is read; not what it left running may write.
                exited = self.exited
                if not poller.poll(GRACE * 1000):
                    if exited:
                        break
                    continue
                try:
                    data = os.read(fd, 32768)
                except OSError:         # a terminal without a process
                    break
                if not data or not self.port.send(self, frame(letter, data)):
                    break
        thread = threading.Thread(target=carry, daemon=True)
        thread.start()
        self.pumps.append(thread)

    def wait(self):
        status = self.process.wait()
        self.exited = True
        deadline = time.monotonic() + ENDLESS
        for thread in self.pumps:
            thread.join(max(0, deadline - time.monotonic()))
        self.ended = True           # before the host may know, and begin the next one here
        self.port.send(self, frame(b'X', b'%d' % (status if status >= 0 else 128 - status)))
        self.open = False
        self.forget_cgroup()

    def forget_cgroup(self):
        try:
            os.rmdir(self.cgroup)
        except OSError:
            pass                        # what the command left running stays

    def feed(self, letter, data):
        if letter == b'K':
            self.kill()
        elif letter == b'I':
            self.queue.put(data)

    def carry_input(self):
        """In a thread, since a command that does not read must not stop what comes after its input."""
        while data := self.queue.get():
            try:
                while data:
                    data = data[os.write(self.input, data):]
            except OSError:
                break
        if self.process.stdin:
            self.process.stdin.close()

    def kill(self):
        try:
            with open(f'{self.cgroup}/cgroup.kill', 'w', encoding='ascii') as file:
                file.write('1')
        except OSError:
            pass

    def end(self):
        """Nobody waits for it any more. What a command that has ended left running stays."""
        self.open = False
        if not self.ended:
            self.kill()


class Port:
    """One virtio port, served by one thread."""

    def __init__(self, number, path, cgroup):
        self.number = number
        self.cgroup = cgroup
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        self.lock = threading.Lock()
        self.command = None
        self.buffer = bytearray()

    def send(self, command, data):
        """False when nobody listens to this command any more."""
        with self.lock:
            while data:
                if not command.open:
                    return False
                try:
                    data = data[os.write(self.fd, data[:32768]):]
                except BlockingIOError:
                    poller = select.poll()
                    poller.register(self.fd, select.POLLOUT)
                    poller.poll(1000)
                    time.sleep(0.05 if self.hung_up() else 0)
                except OSError as error:
                    if error.errno not in (errno.EPIPE, errno.ENODEV):
                        raise
                    return False
        return True

    def serve(self):
        # Edges only: a port that the host has closed hangs up for as long as it is closed. That it was opened
        # again may be told after the first data, so a hang-up has to last.
        with select.epoll() as poller:
            poller.register(self.fd, select.EPOLLIN | select.EPOLLHUP | select.EPOLLET)
            limit = None
            while True:
                poller.poll(limit)
                self.read_all()
                hung_up = self.command is not None and self.hung_up()
                if hung_up and limit is not None:
                    self.command.end()
                    self.command = None
                    self.buffer.clear()
                limit = GRACE if hung_up and self.command else None

    def hung_up(self):
        poller = select.poll()
        poller.register(self.fd, 0)
        return any(event & select.POLLHUP for _, event in poller.poll(0))

    def read_all(self):
        while True:
            try:
                data = os.read(self.fd, 65536)
            except BlockingIOError:
                return
            if not data:
                return
            self.buffer += data
            self.parse()

    def parse(self):
        at = self.buffer.rfind(MARK)
        if at >= 0:
            line = self.buffer.find(b'\n', at)
            if line < 0:
                return
            request = json.loads(self.buffer[at + len(MARK):line])
            del self.buffer[:line + 1]
            if self.command:
                self.command.end()
            self.command = Command(self, request)
        if self.command is None:
            del self.buffer[:max(0, len(self.buffer) - len(MARK))]
            return
        for letter, data in take_frames(self.buffer):
            self.command.feed(letter, data)


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    ports = []

    def leave(*_):
        """At shutdown nobody shall wait for an answer that does not come."""
        for port in ports:
            if port.command and port.command.open and not port.lock.locked():
                port.send(port.command, frame(b'X', b'%d' % (128 + signal.SIGTERM)))
        os._exit(0)
    signal.signal(signal.SIGTERM, leave)
    with open('/proc/self/cgroup', encoding='utf-8') as file:
        cgroup = '/sys/fs/cgroup' + file.read().strip().split('::')[1]
    for name in sorted(os.listdir('/sys/class/virtio-ports')):
        with open(f'/sys/class/virtio-ports/{name}/name', encoding='utf-8') as file:
            label = file.read().strip()
        if label.startswith('berth.agent.'):
            ports.append(Port(int(label.rpartition('.')[2]), f'/dev/{name}', cgroup))
    threads = [threading.Thread(target=port.serve) for port in ports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == '__main__':
    main()
