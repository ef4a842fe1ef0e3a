# SPDX-License-Identifier: GPL-3.0-or-later
"""What every relay test stands on: a directory of its own, processes ended by pid, bounded waits."""

import collections
import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))

BUILD = os.path.dirname(os.environ.get('G_TEST_BUILDDIR', os.path.join(ROOT, 'build', 'tests')))

# A sanitizer or a busy machine makes everything slower, never wrong.
PATIENCE_S = 60

# tests/run --long: more rounds, more seeds, more time.
IS_LONG = 'REROUTE_TEST_LONG' in os.environ

# Where instruments slow everything down: of what is sent only for its amount, one part of so many (tests/unit/stride.h).
STRIDE = int(os.environ.get('REROUTE_TEST_STRIDE', '1'))


class Impatient(AssertionError):
    """What was waited for did not happen in time."""


def poll(what, function, timeout_s=PATIENCE_S, step_s=0.02):
    """Calls @function until it answers something true, and returns that."""
    end = time.monotonic() + timeout_s
    while True:
        answer = function()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Impatient(f'waited {timeout_s} s in vain for: {what}')
        time.sleep(step_s)


def process_fields(pid):
    """What the kernel says of a process behind its name (proc(5), stat), its state first; None: there is none."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8', errors='replace') as stream:
            return stream.read().rsplit(')', 1)[1].split()
    except OSError:
        return None


def is_alive(pid):
    """Whether there is such a process; a zombie, which only waits for its parent to ask, is none."""
    fields = process_fields(pid)
    return fields is not None and fields[0] != 'Z'


# Ports that free_port() gave away, each kept from other test programs by a socket of its own name.
_taken = []


def free_port(host='127.0.0.1'):
    """A port that was free a moment ago, and that no other test program gets while this one runs.  It is below those
    that the kernel gives to clients: one of those could take it while its server restarts."""
    while True:
        port = random.randrange(10240, 32000)
        mark = socket.socket(socket.AF_UNIX)
        try:
            mark.bind(f'\0reroute-test-port-{port}')
            with socket.socket() as probe:
                probe.bind((host, port))
        except OSError:
            mark.close()
            continue
        _taken.append(mark)
        return port


@contextlib.contextmanager
def crowded(path):
    """A Unix socket that listens at @path, whose backlog is full: who connects waits for somebody to accept."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(path)
        listener.listen(0)
        os.chmod(path, 0o666)
        client.connect(path)
        yield listener
    os.unlink(path)


def answers(host, port):
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


class Place:
    """A directory and the processes that live in it, which end with the block.  A temporary one
    goes with them; @path names one that stays."""

    def __init__(self, name='test', path=None):
        if path is not None:
            os.makedirs(path, exist_ok=True)
        self.path = path or tempfile.mkdtemp(prefix=f'reroute-{name}-')
        self.stays = path is not None or 'REROUTE_KEEP' in os.environ
        self.processes = []
        self.silent = set()  # names of processes that must not print a word, and end with 0
        self.cleanups = []   # called first at the end of the block, also after a failure

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for cleanup in self.cleanups:
            cleanup()
        ended = [(process.title, self.end(process)) for process in reversed(self.processes)]
        reports = self.reports()
        reports += [f'{name} ended with {status}' for name, status in ended
                    if name in self.silent and status != 0]
        is_good = kind is None or (kind is SystemExit and not value.code)
        if not is_good or reports:
            self.show_logs()
            # The end of a log may be behind them.
            for report in reports:
                print(f'# {report}', file=sys.stderr)
        if not self.stays:
            shutil.rmtree(self.path, ignore_errors=True)
        if is_good:
            assert not reports, reports

    def join(self, *parts):
        return os.path.join(self.path, *parts)

    def folder(self, *parts, mode=0o755):
        path = self.join(*parts)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        return path

    def write(self, text, *parts, mode=0o644):
        path = self.join(*parts)
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(text)
        os.chmod(path, mode)
        return path

    def start(self, name, command, env=None, **options):
        """Starts @command with its output in NAME.log; ended with the block."""
        with open(self.join(f'{name}.log'), 'ab') as log:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=env, cwd=self.path, start_new_session=True, **options)
        process.title = name
        self.processes.append(process)
        return process

    def wait_listening(self, process, host, port):
        """Until @process, which start() started, accepts connections there."""
        def up():
            if process.poll() is not None:
                raise RuntimeError(f'{process.title} ended with {process.returncode}')
            return answers(host, port)
        poll(f'{process.title} to listen on {host}:{port}', up)

    def end(self, process, how=signal.SIGTERM, timeout_s=PATIENCE_S):
        """Ends a process that start() started and returns its exit status."""
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)
        return process.returncode

    def logs(self):
        """(name, lines) of every log; the lines are read as they are asked for."""
        for name in sorted(os.listdir(self.path)):
            if name.endswith('.log'):
                with open(self.join(name), encoding='utf-8', errors='replace') as stream:
                    yield name, (line.rstrip('\n') for line in stream)

    def reports(self):
        """What sanitizers have to say, and assertions that failed."""
        pattern = re.compile('(Address|Leak|Thread)Sanitizer:|runtime error:|-CRITICAL|ERROR \\*\\*')
        return [f'{name}: {line}' for name, lines in self.logs() for line in lines
                if name.removesuffix('.log') in self.silent or pattern.search(line)]

    def show_logs(self, lines=25):
        """The last lines of every log, for the reader of a failure."""
        for name, text in self.logs():
            for line in collections.deque(text, lines):
                print(f'# {name}: {line}', file=sys.stderr)
