# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all parts of the test machines share: errors, progress, where things are kept, running programs.

State of a machine that is up lies in /run/berth-machines/NAME, everything that is worth keeping between runs
in ${BERTH_CACHE:-/var/cache/berth-tests}, and the disk of a machine in the cache's scratch directory.
"""

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
STATE = Path('/run/berth-machines')
CACHE = Path(os.environ.get('BERTH_CACHE') or '/var/cache/berth-tests')
SCRATCH = CACHE / 'scratch'
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

# A command that was stopped by its time limit ends with this status, as with timeout(1).
TIMED_OUT = 124


class MachineError(Exception):
    """Something that the user can read and act upon: no traceback is shown for it."""


class Result:
    """What a command left: its status (128 + N when signal N ended it), and its two outputs as text."""

    def __init__(self, argv, returncode, stdout, stderr):
        self.argv = argv
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr

    def __repr__(self):
        return f'Result({self.argv!r}, {self.returncode}, {self.stdout!r}, {self.stderr!r})'


def say(text):
    print(f'machine: {text}', file=sys.stderr, flush=True)


@contextlib.contextmanager
def progress(text):
    """Names work that takes a while, and how long it took."""
    say(f'{text} …')
    begin = time.monotonic()
    yield
    say(f'{text}: {time.monotonic() - begin:.1f} s')


def need_root():
    if os.geteuid() != 0:
        raise MachineError('this makes namespaces, mounts and cgroups: run it as root')


def need_programs(*programs):
    """Each program as 'name=package'."""
    path = f'{os.environ.get("PATH", "")}:{PATH}'
    missing = {p.split('=')[1] for p in programs if not shutil.which(p.split('=')[0], path=path)}
    if missing:
        raise MachineError(f'programs are missing; install them with: apt-get install {" ".join(sorted(missing))}')


def need_space(directory, mebibytes):
    directory.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(directory).free >> 20
    if free < mebibytes:
        raise MachineError(f'{directory} has {free} MiB free and {mebibytes} are needed: make room, or set '
                           'BERTH_CACHE to a directory on a larger disk')


def check_name(name):
    if not name or not name[0].isalnum() or len(name) > 40 or not all(c.isalnum() or c in '-_' for c in name):
        raise MachineError(f'{name!r} cannot name a machine: use letters, digits, "-" and "_", 40 at most')
    return name


def run(argv, log=None, cwd=None, env=None, what=None):
    """A program on the host that has to succeed. Its output goes to the file log, of which a failure shows
    the end, and is returned when there is no log. what names the work in the message of a failure."""
    argv = [str(a) for a in argv]
    if log:
        with open(log, 'ab') as out:
            code = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=cwd, env=env).returncode
        text = ''
    else:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=cwd, env=env, text=True, errors='replace')
        code, text = done.returncode, done.stdout
    if code != 0:
        if log:
            text = Path(log).read_text(errors='replace')
        tail = '\n'.join(text.splitlines()[-25:])
        raise MachineError(f'{what or " ".join(argv)} failed with status {code}:\n{tail}'
                           + (f'\nall of its output: {log}' if log else ''))
    return text


@contextlib.contextmanager
def locked(path, wait=True):
    """Holds the lock on a file or directory; yields False when somebody has it and wait is not wanted."""
    fd = os.open(path, os.O_RDONLY | (0 if os.path.isdir(path) else os.O_CREAT), 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def write_json(path, value):
    temporary = path.with_name(path.name + '.new')
    temporary.write_text(json.dumps(value, indent=1))
    temporary.rename(path)


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def start_time(pid):
    """When a process began, which tells it from a later one of the same id. None if it is gone or a zombie."""
    try:
        fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in 'ZX' else int(fields[19])


def collect(process, data, timeout, expire, grace=0.5):
    """Feeds a started process, reads its pipes and waits for it. The outputs end when the process does: a
    child that it leaves behind may hold the pipes open, and is waited for no longer than grace seconds; what is
    in the pipes by then is read, however late this process comes to that.
    expire() is called at the time limit and has to end the process. Returns (stdout, stderr, timed out)."""
    deadline = None if timeout is None else time.monotonic() + timeout
    chunks = {process.stdout: [], process.stderr: []}
    data = memoryview(data or b'')
    expired = False
    with selectors.DefaultSelector() as selector:
        for pipe in chunks:
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ)
        if process.stdin:
            os.set_blocking(process.stdin.fileno(), False)
            selector.register(process.stdin, selectors.EVENT_WRITE)
        ended = None
        while selector.get_map():
            now = time.monotonic()
            if ended is None and process.poll() is not None:
                ended = now
            if not expired and deadline is not None and now >= deadline:
                expired = True
                expire()
            ready = selector.select(0.02)
            if ended is not None and now - ended > (grace if not ready else 60):
                break
            for key, _ in ready:
                if key.fileobj is process.stdin:
                    try:
                        data = data[os.write(key.fd, data[:65536]):] if data else data
                    except BrokenPipeError:
                        data = data[:0]
                    if not data:
                        selector.unregister(process.stdin)
                        process.stdin.close()
                    continue
                chunk = os.read(key.fd, 65536)
                if chunk:
                    chunks[key.fileobj].append(chunk)
                else:
                    selector.unregister(key.fileobj)
    while process.poll() is None:
        if not expired and deadline is not None and time.monotonic() >= deadline:
            expired = True
            expire()
        time.sleep(0.005)
    for pipe in (process.stdin, *chunks):
        if pipe and not pipe.closed:
            pipe.close()
    return (*(b''.join(c).decode(errors='replace') for c in chunks.values()), expired)
