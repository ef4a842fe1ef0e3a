#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail without a pause while a command runs, on the machine of test_package.py.

usage: load.py COMMAND [ARGUMENT...]

The last line is a JSON object: the exit status of the command, how many messages were taken before it ended, how
many connections were refused, and which messages were taken and did not arrive.
"""

import json
import os
import subprocess
import sys
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests', 'relay'), os.path.join(ROOT, 'tests')]

from place import poll  # noqa: E402
from sink import Sink  # noqa: E402
from support import Client  # noqa: E402

HOST = '127.0.0.22'
SENDERS = 4
AFTERWARDS = 50  # messages that are taken after the command


class Load:
    def __init__(self):
        self.lock = threading.Lock()
        self.taken, self.refused, self.number = set(), 0, 0
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(SENDERS)]

    def run(self):
        while not self.ended.is_set():
            with self.lock:
                self.number += 1
                recipient = f'user-{self.number}@load.test'
            try:
                with Client('127.0.0.1', 25) as client:
                    _, dot = client.send('sender@contoso.test', [recipient], b'Subject: load\r\n\r\n')
            except ConnectionRefusedError:
                with self.lock:
                    self.refused += 1
            except OSError:
                pass  # a session that ended with the relay: nothing was promised
            else:
                if dot.startswith('250'):
                    with self.lock:
                        self.taken.add(recipient)

    def wait_taken(self, n):
        poll(f'{n} messages to be taken', lambda: len(self.taken) >= n)


def main():
    load = Load()
    with Sink(HOST) as sink:
        subprocess.run(['reroutectl', 'connections', 'add', 'load.test', f'--host={sink.endpoint}',
                        '--accept-from=anyone'], check=True)
        for thread in load.threads:
            thread.start()
        try:
            load.wait_taken(AFTERWARDS)
            before = len(load.taken)
            status = subprocess.run(sys.argv[1:], stdout=sys.stderr, check=False).returncode
            during = len(load.taken) - before
            load.wait_taken(len(load.taken) + AFTERWARDS)
        finally:
            load.ended.set()
            for thread in load.threads:
                thread.join()

        def missing():
            return load.taken - {recipient for message in sink.messages for recipient in message.recipients}
        try:
            poll('what was taken to arrive', lambda: not missing())
        except AssertionError:
            pass  # told below
        print(json.dumps({'status': status, 'during': during, 'refused': load.refused, 'taken': len(load.taken),
                          'lost': sorted(missing())}))


if __name__ == '__main__':
    main()
