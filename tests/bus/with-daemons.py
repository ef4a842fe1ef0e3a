#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a test program and ends what it leaves behind; ends with its status.

A program that aborts leaves its bus and rulesd, and they keep its output open: whoever reads that to its end
would wait for them.
"""

import ctypes
import os
import signal
import subprocess
import sys

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2): whose parent has ended is ours


def children():
    with open(f'/proc/self/task/{os.getpid()}/children', encoding='ascii') as stream:
        return [int(pid) for pid in stream.read().split()]


def main():
    if ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'prctl')
    status = subprocess.run(sys.argv[1:], check=False).returncode
    while left := children():
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == '__main__':
    main()
