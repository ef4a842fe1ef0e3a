#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""cutting_ssh.py MODE FOLDER SSH ARGUMENT... - ssh whose connection is cut while an edit is being saved.

The first connection is cut, each later one is that of SSH itself (after FOLDER/go, in the mode "after-restart"):
before  the Apply does not leave;
after, after-restart  the Apply has been answered, and the answer does not arrive;
late    the Apply stays on its way until FOLDER/go is there, and its answer goes to FOLDER/answer.

FOLDER/cut tells that it was.
"""

import os
import pathlib
import subprocess
import sys
import threading
import time

MODE, FOLDER, SSH = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
CUT, GO, ANSWER = FOLDER / 'cut', FOLDER / 'go', FOLDER / 'answer'


def wait_for_go():
    end = time.monotonic() + 60
    while not GO.exists() and time.monotonic() < end:
        time.sleep(0.02)


def copy_out(stream, is_cut):
    while data := os.read(stream, 65536):
        if not is_cut.is_set():
            os.write(1, data)
        elif b'saved' in data or b'NoSuchEdit' in data:
            ANSWER.write_bytes(data)
            return


def main():
    if CUT.exists():
        if MODE == 'after-restart':
            wait_for_go()
        os.execvp(SSH[0], SSH)
    is_cut = threading.Event()
    with subprocess.Popen(SSH, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ssh:
        output = threading.Thread(target=copy_out, args=(ssh.stdout.fileno(), is_cut))
        output.start()
        while data := os.read(0, 65536):
            if b'Apply\0' in data:
                is_cut.set()
                break
            os.write(ssh.stdin.fileno(), data)
        if is_cut.is_set() and MODE == 'late':
            CUT.touch()
            os.close(0)
            os.close(1)
            wait_for_go()
        if is_cut.is_set() and MODE != 'before':
            os.write(ssh.stdin.fileno(), data)
            output.join()
        CUT.touch()
        ssh.kill()


if __name__ == '__main__':
    main()
