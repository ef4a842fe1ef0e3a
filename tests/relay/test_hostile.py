#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that mean harm: they are refused, memory stays within what the settings say, others are served."""

import concurrent.futures
import contextlib
import random
import socket
import threading

from place import IS_LONG, Place, poll
from support import Client, Service, send
from sink import Sink
from tap import Tap
from watch import Watch

SESSIONS = 8
MAX_MESSAGE_OCTETS = 1 << 20
FLOOD_OCTETS = (256 if IS_LONG else 4) << 20  # of each session
N_RECIPIENTS = 1_000_000 if IS_LONG else 40_000
# common/limits.h: what a session may hold: the header block, a line of text, the parts of a content
# that are not written yet with the one that is filled.
SESSION_KIB = 256 + 64 + 4 * 256
RECIPIENTS_KIB = 1000 // 4  # max-recipients, of short names
SLACK_KIB = 4 * 1024
LIMIT_KIB = SESSIONS * (SESSION_KIB + RECIPIENTS_KIB) + SLACK_KIB


class Attacker:
    """A session that sends what it likes and reads what comes, in a thread of its own."""

    def __init__(self, service, reads=True):
        self.socket = socket.create_connection((service.host, service.port), 20)
        self.octets = bytearray()
        self.n_received = 0
        self.closed = threading.Event()
        if reads:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while octets := self.socket.recv(65536):
                self.n_received += len(octets)
                self.octets = (self.octets + octets)[-4096:]
        except OSError:
            pass
        self.closed.set()

    def send(self, octets):
        """Returns whether the relay still takes it."""
        try:
            self.socket.sendall(octets)
        except OSError:
            return False
        return not self.closed.is_set()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def flood(self, piece, total):
        """@piece again and again, up to @total octets or until the relay has enough."""
        sent = 0
        while sent < total and self.send(piece):
            sent += len(piece)
        return sent

    def wait(self):
        """Until the relay has greeted: who speaks before is refused."""
        poll('the greeting', lambda: b'220 ' in self.octets, 20)

    def greet(self):
        """EHLO, alone: what comes with it in one piece is refused."""
        self.wait()
        self.send(b'EHLO x\r\n')
        poll('the reply to EHLO', lambda: b'250 ' in self.octets, 20)

    def begin(self):
        self.greet()
        self.send(b'MAIL FROM:<a@source.test>\r\nRCPT TO:<u@good.test>\r\n')
        poll('the recipient to be taken', lambda: b'250 2.1.5' in self.octets, 20)

    def begin_content(self):
        self.begin()
        self.send(b'DATA\r\n')
        poll('the 354', lambda: b'354' in self.octets, 20)


def endless_command(attacker):
    attacker.wait()
    attacker.flood(b'A' * 65536, FLOOD_OCTETS)
    attacker.send(b'\r\n')


def endless_parameter(attacker):
    attacker.greet()
    attacker.send(b'MAIL FROM:<')
    attacker.flood(b'a@b,' * 16384, FLOOD_OCTETS)
    attacker.send(b'>\r\n')


def endless_header_line(attacker):
    attacker.begin_content()
    attacker.send(b'Subject: ')
    attacker.flood(b'x' * 65536, FLOOD_OCTETS)
    attacker.send(b'\r\n\r\n.\r\n')


def endless_header_block(attacker):
    attacker.begin_content()
    attacker.flood(b'X-Header: yes\r\n' * 4096, FLOOD_OCTETS)
    attacker.send(b'\r\n.\r\n')


def endless_content(attacker):
    attacker.begin_content()
    attacker.send(b'Subject: x\r\n\r\n')
    attacker.flood(b'text\r\n' * 8192, FLOOD_OCTETS)
    attacker.send(b'.\r\n')


def many_recipients(attacker):
    attacker.begin()
    for start in range(0, N_RECIPIENTS // SESSIONS, 1000):
        if not attacker.send(b''.join(b'RCPT TO:<u%d@good.test>\r\n' % n for n in range(start, start + 1000))):
            break
    attacker.send(b'RSET\r\nNOOP\r\n')


def tiny_writes(attacker):
    attacker.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for octet in b'EHLO x\r\nNOOP ' + b'z' * 3000 + b'\r\nHELP\r\n' * 50:
        if not attacker.send(bytes([octet])):
            break


def junk(attacker):
    chance = random.Random(id(attacker))
    for _ in range(64):
        if not attacker.send(chance.randbytes(65536)):
            break


def commands_without_end(attacker):
    attacker.greet()
    attacker.flood(b'NOOP\r\nRSET\r\nVRFY x\r\n' * 2048, FLOOD_OCTETS // 16)


def new_transactions(attacker):
    attacker.greet()
    attacker.flood(b'MAIL FROM:<a@source.test>\r\nRCPT TO:<u@good.test>\r\nRSET\r\n' * 512, FLOOD_OCTETS // 16)


def deaf(attacker):
    """Asks without end and reads no answer: the relay must not keep them all."""
    attacker.socket.settimeout(1)
    attacker.send(b'EHLO x\r\n')
    attacker.flood(b'HELP\r\n' * 8192, FLOOD_OCTETS)


# What is sent, whether replies are read, what the relay says in the end (None: anything).
ATTACKS = {
    endless_command: (True, b'500 5.5.2'),
    endless_parameter: (True, b'500 5.5.2'),
    endless_header_line: (True, b'554 5.6.0'),
    endless_header_block: (True, b'552 5.3.4'),
    endless_content: (True, b'552 5.3.4'),
    many_recipients: (True, b'452 4.5.3'),
    tiny_writes: (True, (b'554 5.5.0', b'500 5.5.')),  # behind EHLO before it is answered, or after
    junk: (True, b'554 5.5.'),  # line ends of other kinds, or before the greeting
    commands_without_end: (True, b'421 4.7.0'),
    new_transactions: (True, b'421 4.7.0'),
    deaf: (False, None),
}


def check(service, sink, pool, attack):
    reads, said = ATTACKS[attack]
    def honest_mail():
        before = len(sink.messages)
        assert send(service, 'a@source.test', ['friend@good.test'], source='127.0.0.9')[1].startswith('250')
        poll('the message of somebody else', lambda: len(sink.messages) > before)

    with Watch(service, attack.__name__, LIMIT_KIB, SESSIONS, honest_mail):
        attackers = [Attacker(service, reads) for _ in range(SESSIONS)]
        running = [pool.submit(attack, attacker) for attacker in attackers]
        for future in running:
            future.result(120)
        for attacker in attackers:
            if said is not None:
                poll(f'the reply {said}', lambda attacker=attacker: any(
                    line.startswith(said) for line in bytes(attacker.octets).split(b'\r\n')), 20)
            attacker.close()
    poll('the sessions to end', lambda: service.ctl_json('status')['relay']['sessions'] == 0)
    with Client(service.host, service.port) as client:
        assert client.command('NOOP').startswith('250')


def main():
    tap = Tap()
    with (Place('hostile') as place, Sink() as sink, Service(place) as service,
          concurrent.futures.ThreadPoolExecutor(SESSIONS) as pool):
        service.set('max-message-size', f'{MAX_MESSAGE_OCTETS >> 20} MiB')
        service.set('max-connections-per-client', '200')
        service.add_connection('good.test', f'--host={sink.endpoint}')
        service.wait_applied()
        send(service, 'a@source.test', ['friend@good.test'])
        for attack in ATTACKS:
            tap.case(attack.__name__.replace('_', '-'), check, service, sink, pool, attack)
        names = {recipient for message in sink.messages for recipient in message.recipients}
        tap.ok(names == {'friend@good.test'}, 'nothing-of-theirs-was-sent', [str(names)])
    tap.done()


if __name__ == '__main__':
    main()
