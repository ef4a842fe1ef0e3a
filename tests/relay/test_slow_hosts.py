#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that takes content an octet now and then is not waited for, and nobody waits for it.

The relay of this test wants half a megabyte a second, where others are content with 500 octets: sockets hold so much that
a host which is slower than that needs hours to be found out.
"""

import contextlib
import socket
import threading
import time

from place import Place, poll
from sink import EXTENSIONS, Sink
from support import FAULTY_RELAYD, Client, Service
from tap import run

BODY = b'Subject: large\r\n\r\n' + (b'x' * 70 + b'\r\n') * 100_000
TAKEN_OCTETS = 4096  # at a time
SEGMENT_OCTETS = 536
# So that something is always taken within the time limit, and all of it would be within some minutes.
PAUSE_S = 0.02
LIMIT_S = 2


class Slow:
    """A host that speaks as the others do, and takes content little by little."""

    def __init__(self, extensions=EXTENSIONS):
        self.extensions = extensions
        self.taken = 0
        self.ended = threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAKEN_OCTETS)
        self.listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_OCTETS)
        self.listener.bind(('127.0.0.1', 0))
        self.listener.listen()
        self.endpoint = f'127.0.0.1:{self.listener.getsockname()[1]}'
        self.connections = []
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.connections:
            connection.close()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                self._talk(connection)
                self.ended.set()

    def _talk(self, connection):
        offers = ['slow.test', *self.extensions]
        replies = {b'EHLO': '\r\n'.join(f'250{" " if n == len(offers) - 1 else "-"}{offer}'
                                        for n, offer in enumerate(offers)),
                   b'DATA': '354 go on'}
        connection.sendall(b'220 slow.test\r\n')
        stream = connection.makefile('rb', buffering=0)
        for line in stream:
            verb = line.split()[0].upper()
            connection.sendall(replies.get(verb, '250 2.0.0 ok').encode() + b'\r\n')
            if verb == b'DATA':
                break
        with contextlib.suppress(OSError):
            while octets := connection.recv(TAKEN_OCTETS):
                self.taken += len(octets)
                time.sleep(PAUSE_S)


def main():
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(Place('slow-hosts'))
        service = stack.enter_context(Service(place, relay=FAULTY_RELAYD))
        slow, other = stack.enter_context(Slow()), stack.enter_context(Sink())
        service.set('data-timeout', f'{LIMIT_S}s')
        service.set('retry-intervals', '1h')
        service.add_connection('slow.test', f'--host={slow.endpoint}')
        service.add_connection('other.test', f'--host={other.endpoint}')
        service.wait_applied()

        def hand_in(domain, body):
            with Client(service.host, service.port) as client:
                rcpts, reply = client.send('a@source.test', [f'u@{domain}'], body)
                assert reply.startswith('250'), (rcpts, reply)

        def reason():
            return [recipient['last_reply'] for message in service.queued() for recipient in message['recipients']
                    if recipient['last_reply']]

        def test_given_up():
            hand_in('slow.test', BODY)
            poll('it to take something', lambda: slow.taken > 0)
            hand_in('other.test', b'Subject: x\r\n\r\nhello\r\n')
            poll('the other mail', lambda: other.recipients() == ['u@other.test'])
            replies = poll('a reason', reason, step_s=0.1)
            assert len(replies) == 1 and 'time limit reached' in replies[0] and replies[0].startswith('451 4.4.2'), replies
            # It did take something all the time, and much less than there is.
            assert 0 < slow.taken < len(BODY) / 2, slow.taken
            assert slow.ended.wait(60)

        def test_who_keeps_up_is_waited_for():
            service.add_connection('large.test', f'--host={other.endpoint}')
            service.wait_applied()
            hand_in('large.test', BODY)
            poll('the large message', lambda: 'u@large.test' in other.recipients())

        run(test_given_up, test_who_keeps_up_is_waited_for)


if __name__ == '__main__':
    main()
