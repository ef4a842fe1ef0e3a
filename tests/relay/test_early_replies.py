#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that refuses a message while its content is on the way, behind DATA: that decides, as it would behind the end.

A host that failed rests for a retry interval, here an hour: whatever goes to it in this test was not kept from it.
"""

import contextlib
import re
import socket
import threading

from place import Place, poll
from sink import Sink
from support import Client, Service
from tap import run

SMALL = b'Subject: small\r\n\r\nhello\r\n'
LARGE = b'Subject: large\r\n\r\n' + (b'x' * 70 + b'\r\n') * 200_000  # more than sockets hold
TAKEN_OCTETS = 65536
ENDS = b'\r\n.\r\n'


class Hasty:
    """A host that refuses what is large when it has seen the beginning of it, and then closes or reads on.

    @goes_on: (nullable): an event: it reads on when that is set
    """

    def __init__(self, refusal, goes_on=None):
        self.refusal, self.goes_on = refusal, goes_on
        self.ends = []  # the last octets of each large content
        self.n_small = 0
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.endpoint = f'127.0.0.1:{self.listener.getsockname()[1]}'
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.sendall(b'220 hasty.test\r\n')
            stream = connection.makefile('rb', buffering=0)
            for line in stream:
                is_data = line.strip().upper() == b'DATA'
                connection.sendall(b'354 go on\r\n' if is_data else b'250 2.0.0 ok\r\n')
                if is_data and not self._take(connection):
                    return

    def _take(self, connection):
        """Whether it goes on with other messages."""
        taken = b''
        while len(taken) < TAKEN_OCTETS and not taken.endswith(ENDS):
            taken += connection.recv(TAKEN_OCTETS)
        if taken.endswith(ENDS):
            self.n_small += 1
            connection.sendall(b'250 2.0.0 kept\r\n')
            return True
        connection.sendall(self.refusal.encode() + b'\r\n')
        if self.goes_on is not None:
            self.goes_on.wait()
            while octets := connection.recv(TAKEN_OCTETS):
                taken = (taken + octets)[-len(ENDS):]
        self.ends.append(taken[-len(ENDS):])
        return False


class World:
    """The relay, and where notices go."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('early'))
        self.service = stack.enter_context(Service(self.place))
        self.notices = stack.enter_context(Sink())
        self.service.set('retry-intervals', '1h')
        self.service.add_connection('source.test', f'--host={self.notices.endpoint}')

    def add(self, domain, *arguments):
        host = self.stack.enter_context(Hasty(*arguments))
        self.service.add_connection(domain, f'--host={host.endpoint}')
        self.service.wait_applied()
        return host

    def send(self, recipient, content):
        with Client(self.service.host, self.service.port) as client:
            rcpts, reply = client.send('a@source.test', [recipient], content)
            assert reply.startswith('250'), (rcpts, reply)

    def outcome(self, recipient):
        """(status, reply) of the one line about @recipient in the log."""
        def find():
            with open(self.place.join('relayd.log'), encoding='utf-8') as stream:
                return re.findall(rf'to=<{re.escape(recipient)}>.* status=(\w+) \((.*)\)$', stream.read(), re.MULTILINE)
        found = poll(f'the outcome of {recipient}', find)
        assert len(found) == 1, found
        return found[0]

    def check_others(self, domain, host):
        self.send(f'small@{domain}', SMALL)
        assert self.outcome(f'small@{domain}')[0] == 'sent'
        assert host.n_small == 1, host.n_small


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)

        def test_for_good_and_closed():
            host = world.add('closes.test', '552 5.3.4 too large')
            world.send('u@closes.test', LARGE)
            assert world.outcome('u@closes.test') == ('failed', '552 5.3.4 too large')
            poll('its notice', lambda: [message for message in world.notices.messages
                                        if b'u@closes.test' in message.content and b'5.3.4' in message.content])
            world.check_others('closes.test', host)

        def test_for_good_and_read_on():
            """A part of the content is never ended as if it were the whole."""
            goes_on = threading.Event()
            stack.callback(goes_on.set)
            host = world.add('reads.test', '552 5.3.4 too large', goes_on)
            world.send('u@reads.test', LARGE)
            assert world.outcome('u@reads.test') == ('failed', '552 5.3.4 too large')
            goes_on.set()
            poll('the end of the connection', lambda: host.ends)
            assert host.ends[0] != ENDS, host.ends
            world.check_others('reads.test', host)

        def test_for_now():
            host = world.add('later.test', '452 4.3.1 no room')
            world.send('u@later.test', LARGE)
            assert world.outcome('u@later.test') == ('deferred', '452 4.3.1 no room')
            world.check_others('later.test', host)
            assert [recipient['tries'] for message in world.service.queued() for recipient in message['recipients']
                    if recipient['address'] == 'u@later.test'] == [1]

        run(test_for_good_and_closed, test_for_good_and_read_on, test_for_now)


if __name__ == '__main__':
    main()
