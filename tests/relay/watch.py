# SPDX-License-Identifier: GPL-3.0-or-later
"""What the relay uses during an attack, and whether honest mail flows meanwhile."""

import collections
import os
import re
import threading

from memory import Peak
from place import poll
from support import RELAYD

# For honest mail: its session, its next hop, a file of the queue that is read, with some to spare.
MAIL_FILES = 8


def count_files(pid):
    """Descriptors that process @pid has open."""
    return len(os.listdir(f'/proc/{pid}/fd'))


def open_files(pid):
    """What the descriptors of process @pid are, numbers left out: {name: count}"""
    folder, names = f'/proc/{pid}/fd', collections.Counter()
    for entry in os.listdir(folder):
        try:
            names[re.sub(r'[0-9a-f]*[0-9][0-9a-f]*', 'N', os.path.basename(os.readlink(os.path.join(folder, entry))))] += 1
        except FileNotFoundError:
            names['closed meanwhile'] += 1
    return names


class Watch(Peak):
    """As a context, around an attack on @service: the relay takes at most @limit_kib more memory and @files more
    descriptors than before, besides those of honest mail, of which @mail sends one message and waits for it:
    again and again, in a thread of its own, and at least once."""

    def __init__(self, service, what, limit_kib, files, mail):
        super().__init__(RELAYD, service.relay.pid, limit_kib, what)
        self.files, self.mail = files + MAIL_FILES, mail
        self.files_before = self.files_most = count_files(self.pid)
        self.kinds_before = self.kinds_most = open_files(self.pid)
        self.n_sent, self.failure = 0, None
        self.blind = None  # why they could not be counted
        self.over = threading.Event()
        self.threads = [threading.Thread(target=function, daemon=True) for function in (self._count, self._send)]

    def __enter__(self):
        super().__enter__()
        for thread in self.threads:
            thread.start()
        return self

    def _look(self):
        n = count_files(self.pid)
        if n > self.files_most:
            self.files_most, self.kinds_most = n, open_files(self.pid)

    def _count(self):
        try:
            while not self.over.wait(0.01):
                self._look()
        except OSError as error:
            self.blind = error

    def _send(self):
        try:
            while not self.over.is_set():
                self.mail()
                self.n_sent += 1
        except Exception as error:  # pylint: disable=broad-except
            self.failure = error

    def wait_mail(self):
        """Until a message went through that was sent from now on."""
        wanted = self.n_sent + 2  # the next one may be on its way
        poll('honest mail', lambda: self.failure is not None or self.n_sent >= wanted)

    def __exit__(self, kind, *_):
        if kind is None and self.n_sent == 0:
            self.wait_mail()
        self.over.set()
        for thread in self.threads:
            thread.join()
        if kind is not None:
            return
        if self.blind is not None:
            raise AssertionError(f'{self.what}: its descriptors could not be counted') from self.blind
        self._look()
        if self.failure is not None:
            raise AssertionError(f'{self.what}: honest mail has failed') from self.failure
        more = self.files_most - self.files_before
        kinds = ', '.join(f'{n} {kind}' for kind, n in (self.kinds_most - self.kinds_before).items())
        print(f'# {self.what}: {more} descriptors more at most ({kinds}), limit {self.files}; '
              f'{self.n_sent} honest messages', flush=True)
        assert more <= self.files, f'{self.what}: {more} descriptors ({kinds}), limit {self.files}'
        self.check()
