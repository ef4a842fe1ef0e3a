# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel knows about a relay: CPU, memory, system calls that wait for the disk, octets written."""

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time

from place import process_fields

TICK_S = 1 / os.sysconf('SC_CLK_TCK')
SECTOR_OCTETS = 512
CPUCLOCK_SCHED = 2  # of the kernel's clock ids: all that the threads of a process used
SYNCS = ('fsync', 'fdatasync', 'sync_file_range', 'syncfs')


def tree(root):
    """{pid: fields} of a process and all that descend from it."""
    fields = {int(entry): process_fields(entry) for entry in os.listdir('/proc') if entry.isdigit()}
    fields = {pid: values for pid, values in fields.items() if values}
    found = {}
    for pid, values in fields.items():
        ancestor = pid
        while ancestor not in (0, root):
            ancestor = int(fields[ancestor][1]) if ancestor in fields else 0
        if ancestor == root:
            found[pid] = values
    return found


def own_cpu_s(pid):
    """CPU seconds of one process to the nanosecond: its stat file counts in ticks.  Source: clock_getcpuclockid(3)."""
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        return 0


def cpu_s(root):
    """CPU seconds of a process, its children, and what its ended children used."""
    return sum(own_cpu_s(pid) + sum(map(int, values[13:15])) * TICK_S for pid, values in tree(root).items())


def pss_mb(root):
    """Resident memory, shared pages in proportion, of a process and all that descend from it."""
    total_kb = 0
    for pid in tree(root):
        with contextlib.suppress(OSError), open(f'/proc/{pid}/smaps_rollup', encoding='utf-8') as stream:
            total_kb += next(int(line.split()[1]) for line in stream if line.startswith('Pss:'))
    return total_kb / 1024


class PeakMemory:
    """The most that pss_mb() was while the block ran."""

    STEP_S = 0.2

    def __init__(self, root):
        self.root, self.peak_mb = root, pss_mb(root)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._end.wait(self.STEP_S):
            self.peak_mb = max(self.peak_mb, pss_mb(self.root))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()


def disk_octets(folder):
    """Octets that were written to the disk below @folder's file system, by anybody; None: no disk of its own."""
    device = os.stat(folder).st_dev
    try:
        with open(f'/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat', encoding='utf-8') as stream:
            return int(stream.read().split()[6]) * SECTOR_OCTETS
    except OSError:
        return None


class SyncCount:
    """How often the machine was asked to wait for its disk while the block ran; None without perf."""

    def __init__(self):
        self.count, self._process = None, None

    def __enter__(self):
        if shutil.which('perf'):
            events = ','.join(f'syscalls:sys_enter_{name}' for name in SYNCS)
            self._process = subprocess.Popen(['perf', 'stat', '-a', '-x,', '-e', events], text=True,
                                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        lines = [line.split(',') for line in self._process.communicate()[1].splitlines()]
        counts = [int(line[0]) for line in lines if line[0].isdigit()]
        self.count = sum(counts) if len(counts) == len(SYNCS) else None
