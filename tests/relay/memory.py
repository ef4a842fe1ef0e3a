# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory a process took at most."""

import place  # noqa: F401 pylint: disable=unused-import  # tests/tap.py is found through it
from tap import Skip


def _status(pid, key):
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith(key + ':'))


def is_sanitized(program):
    """A sanitizer keeps what was freed, so memory tells nothing."""
    with open(program, 'rb') as stream:
        return b'__asan_init' in stream.read()


class Peak:
    """As a context: the most that process @pid grew meanwhile is under @limit_kib."""

    def __init__(self, program, pid, limit_kib, what):
        self.program, self.pid, self.limit_kib, self.what = program, pid, limit_kib, what

    def __enter__(self):
        with open(f'/proc/{self.pid}/clear_refs', 'w', encoding='ascii') as stream:
            stream.write('5')
        self.before = _status(self.pid, 'VmRSS')
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        self.check()
        if is_sanitized(self.program):
            raise Skip('memory under a sanitizer says nothing')

    def check(self):
        grown = _status(self.pid, 'VmHWM') - self.before
        print(f'# {self.what}: {grown} KiB more at most, limit {self.limit_kib:.0f}', flush=True)
        assert grown < self.limit_kib or is_sanitized(self.program), \
            f'{self.what}: {grown} KiB, limit {self.limit_kib:.0f}'
