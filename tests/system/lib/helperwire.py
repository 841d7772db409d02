# SPDX-License-Identifier: LGPL-2.1-or-later
"""A peer of the helper's socket, inside a machine: speaks D-Bus by hand, so that it can also speak it wrongly.

The file is sent to a machine as a program, with a test's own lines behind it (see test_helper_socket.py).
"""

import array
import errno
import os
import pwd
import socket
import struct
import time

SOCKET = '/run/berth/helper.sock'
PATH = '/org/berth/Helper1'
INTERFACE = 'org.berth.Helper1'
CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
MANAGER = '/sys/fs/cgroup/system.slice/berth-manager.service/cgroup.procs'


def become_manager(user='berth', cgroup=MANAGER):
    """From here on this process is what the helper takes for the manager: in its unit, and of its user."""
    if cgroup:
        with open(cgroup, 'w', encoding='ascii') as file:
            file.write(str(os.getpid()))
    if user:
        entry = pwd.getpwnam(user)
        os.setgroups([])
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)


ALIGNMENT = {'y': 1, 'b': 4, 'i': 4, 'u': 4, 't': 8, 's': 4, 'o': 4, 'h': 4, 'g': 1, 'v': 1, 'a': 4, '(': 8, '{': 8}
NUMBER = {'y': 'B', 'b': 'I', 'i': 'i', 'u': 'I', 't': 'Q', 'h': 'I'}


def split(signature):
    """The single complete types of a signature."""
    found = []
    while signature:
        end, depth = 0, 0
        while True:
            letter = signature[end]
            depth += (letter in '({') - (letter in ')}')
            end += 1
            if letter != 'a' and depth == 0:
                break
        found.append(signature[:end])
        signature = signature[end:]
    return found


def marshal(out, signature, values):
    """Appends values to a bytearray whose beginning is aligned."""
    for kind, value in zip(split(signature), values):
        out += bytes(-len(out) % ALIGNMENT[kind[0]])
        if kind in NUMBER:
            out += struct.pack('<' + NUMBER[kind], value)
        elif kind in 'so':
            data = value if isinstance(value, bytes) else value.encode()
            out += struct.pack('<I', len(data)) + data + b'\0'
        elif kind == 'g':
            out += bytes([len(value)]) + value.encode() + b'\0'
        elif kind == 'v':
            marshal(out, 'g', [value[0]])
            marshal(out, value[0], [value[1]])
        elif kind[0] in '({':
            marshal(out, kind[1:-1], value)
        else:
            at = len(out)
            out += bytes(4)
            out += bytes(-len(out) % ALIGNMENT[kind[1]])
            start = len(out)
            for item in value:
                marshal(out, kind[1:], [item])
            out[at:at + 4] = struct.pack('<I', len(out) - start)
    return out


class Reader:
    """Values out of bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def header_fields(self):
        self.at = 12
        return dict(self.one('a(yv)'))

    def read(self, signature):
        return [self.one(kind) for kind in split(signature)]

    def one(self, kind):
        self.at += -self.at % ALIGNMENT[kind[0]]
        if kind in NUMBER:
            form = '<' + NUMBER[kind]
            return struct.unpack(form, self.take(struct.calcsize(form)))[0]
        if kind in ('s', 'o'):
            text = self.take(self.one('u')).decode()
            self.take(1)
            return text
        if kind == 'g':
            text = self.take(self.one('y')).decode()
            self.take(1)
            return text
        if kind == 'v':
            return self.one(self.one('g'))
        if kind[0] in '({':
            return self.read(kind[1:-1])
        size = self.one('u')
        self.at += -self.at % ALIGNMENT[kind[1]]
        end, items = self.at + size, []
        while self.at < end:
            items.append(self.one(kind[1:]))
        return items


class Closed(Exception):
    """The helper closed the connection."""


class Peer:
    """A connection. authenticate=False leaves it bare."""

    def __init__(self, authenticate=True, timeout=100, path=SOCKET):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.socket.settimeout(timeout)
        self.serial = 0
        self.descriptors = []
        if authenticate:
            self.send(b'\0AUTH EXTERNAL ' + str(os.getuid()).encode().hex().encode() + b'\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n')
            lines = b''
            while lines.count(b'\r\n') < 2:
                lines += self.receive(1)
            assert b'OK ' in lines and b'AGREE_UNIX_FD' in lines, lines

    def send(self, data, fds=()):
        while data:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
            try:
                data = data[self.socket.sendmsg([data], rights):]
                fds = ()
            except (BrokenPipeError, ConnectionResetError) as error:
                raise Closed from error
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS:
                    raise
                time.sleep(0.01)    # more are on their way than this process may have open

    def receive(self, size):
        data = b''
        while len(data) < size:
            try:
                more, ancillary, _, _ = self.socket.recvmsg(size - len(data), socket.CMSG_SPACE(4 * 16))
            except ConnectionResetError as error:
                raise Closed from error
            for _, _, rights in ancillary:
                self.descriptors += array.array('i', rights)
            if not more:
                raise Closed
            data += more
        return data

    def message(self, member, signature='', values=(), fds=(), path=PATH, interface=INTERFACE, kind=CALL, flags=0, extra=()):
        """The bytes of a message."""
        self.serial += 1
        body = marshal(bytearray(), signature, values)
        fields = [(1, ('o', path)), (2, ('s', interface)), (3, ('s', member))]
        fields += [(8, ('g', signature))] if signature else []
        fields += [(9, ('u', len(fds)))] if fds else []
        fields += list(extra)
        header = bytearray(b'l') + bytes([kind, flags, 1]) + struct.pack('<II', len(body), self.serial)
        marshal(header, 'a(yv)', [fields])
        return bytes(header) + bytes(-len(header) % 8) + bytes(body)

    def ask(self, member, signature='', values=(), fds=(), **more):
        """Sends a message; its serial number."""
        self.send(self.message(member, signature, values, fds, **more), fds)
        return self.serial

    def answer(self):
        """The next message: (serial of the call, error or None, values)."""
        head = self.receive(16)
        size, _, fields_size = struct.unpack('<III', head[4:16])
        rest = self.receive(fields_size + -fields_size % 8 + size)
        fields = Reader(head + rest[:fields_size]).header_fields()
        values = Reader(rest[fields_size + -fields_size % 8:]).read(fields.get(8, ''))
        return fields.get(5), fields.get(4) if head[1] == ERROR else None, values

    def call(self, member, signature='', values=(), fds=(), **more):
        """(error or None, values) of a call."""
        serial = self.ask(member, signature, values, fds, **more)
        answered, error, values = self.answer()
        assert answered == serial, (answered, serial)
        return error, values

    def closed(self):
        """Waits for the helper to close; what came before that."""
        data = b''
        while True:
            try:
                data += self.receive(1)
            except Closed:
                return data

    def close(self):
        self.socket.close()
