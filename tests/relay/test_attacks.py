#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that want to use the relay up: memory and descriptors stay bounded, honest mail flows meanwhile."""

import re
import resource
import selectors
import socket
import ssl
import time

from place import STRIDE, Place, poll
from certs import Authority
from sink import Sink
from support import Client, Service, send
from tap import Skip, run
from watch import Watch, count_files

ATTACKER, HONEST = '127.0.0.2', '127.0.0.3'
IDLE, SLOW = 5000, 1000
MIB = 1 << 20
# What is held at most, by common/limits.h: for one session the header section, a line, the parts of a
# content that are not written yet and the recipients, twice for the allocator; for one that is idle; and
# for one whose content has only begun.
SESSION_KIB, IDLE_KIB, BEGUN_KIB = 2 * (256 + 64 + 4 * 256 + 1000 // 4), 4, 16
FLOOD = 64 * MIB // STRIDE
BLOCK = 1 << 16


def need_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count:
        raise Skip(f'{hard} descriptors, {count} are needed')
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


class Street:
    """The relay with one rule and a host behind it, and what it uses.  @files: that it may have open."""

    def __init__(self, place, files=None, **settings):
        self.sink = Sink()
        self.service = Service(place)
        if files is not None:
            self.service.relay_limits = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        self.settings = settings
        self.sent = 0

    def __enter__(self):
        self.sink.__enter__()
        self.service.start()
        self.service.add_connection('one.test', f'--host={self.sink.endpoint}')
        for key, value in self.settings.items():
            self.service.set(key.replace('_', '-'), value)
        self.service.wait_applied()
        self.honest_mail()
        return self

    def __exit__(self, *_):
        self.service.close()
        self.sink.__exit__()

    def honest_mail(self):
        """One message, from in front to behind."""
        _, reply = send(self.service, 'a@client.test', ['u@one.test'], source=HONEST)
        assert reply.startswith('250 '), reply
        self.sent += 1
        poll('the honest message', lambda: len(self.sink.messages) == self.sent)

    def watch(self, what, limit_kib=SESSION_KIB, sessions=0):
        """Around an attack with as many sessions more than there are."""
        return Watch(self.service, what, limit_kib, sessions, self.honest_mail)

    def descriptors(self):
        return count_files(self.service.relay.pid)

    def attacker(self):
        connection = socket.create_connection((self.service.host, self.service.port), 60,
                                              source_address=(ATTACKER, 0))
        connection.setblocking(False)
        return connection


def read_to_end(connection, timeout_s=60):
    """All that comes until the other side closes."""
    connection.settimeout(timeout_s)
    said = bytearray()
    try:
        while octets := connection.recv(BLOCK):
            said += octets
    except ConnectionError:
        pass
    return bytes(said)


def flood(connection, octets, total):
    """Sends @octets over and over and reads what comes; the replies, when @total is out or it is closed."""
    said = bytearray()
    sent = 0
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        end = time.monotonic() + 120
        while sent < total and time.monotonic() < end:
            for _, events in selector.select(10):
                try:
                    if events & selectors.EVENT_READ:
                        came = connection.recv(BLOCK)
                        if not came:
                            return bytes(said)
                        said += came
                        del said[:-4096]
                    if events & selectors.EVENT_WRITE:
                        sent += connection.send(octets[sent % len(octets):])
                except ConnectionError:
                    return bytes(said)
    assert sent >= total, f'only {sent} octets were taken'
    return bytes(said)


def test_one_address_holds_no_more_than_its_share():
    need_descriptors(IDLE + 200)
    with Place('share') as place, Street(place) as street:
        before = street.descriptors()
        with street.watch('5,000 connections of one address', 50 * IDLE_KIB + SESSION_KIB, 50) as watch:
            connections = [street.attacker() for _ in range(IDLE)]
            poll('the surplus to be refused', lambda: sum(map(is_closed, connections)) >= IDLE - 50)
            watch.wait_mail()
            held = sum(1 for connection in connections if not is_closed(connection))
            assert held == 50, held
        for connection in connections:
            connection.close()
        poll('all to be gone', lambda: street.descriptors() <= before + 5)


def is_closed(connection):
    """Whether the other side has closed; what it said before is read."""
    try:
        while True:
            if not connection.recv(4096):
                return True
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_5000_idle_connections():
    need_descriptors(IDLE + 1500)
    with Place('idle') as place, Street(place, max_inbound_connections='5500',
                                        max_connections_per_client='5500') as street:
        before = street.descriptors()
        with street.watch('5,000 idle connections', IDLE * IDLE_KIB + SESSION_KIB, IDLE) as watch:
            connections = [street.attacker() for _ in range(IDLE)]
            poll('all to be in', lambda: street.descriptors() >= before + IDLE)
            watch.wait_mail()
            assert not any(is_closed(connection) for connection in connections[::100])
        for connection in connections:
            connection.close()
        poll('all to be gone', lambda: street.descriptors() <= before + 5)


def test_all_places_taken():
    """Who comes too many is told so, and a place that is left is given away again."""
    with Place('full') as place, Street(place, max_inbound_connections='20') as street:
        before = street.descriptors()
        connections = [street.attacker() for _ in range(60)]
        poll('the surplus to be refused', lambda: sum(map(is_closed, connections)) == 40)
        assert street.descriptors() <= before + 20, (before, street.descriptors())
        with Client(street.service.host, street.service.port, HONEST) as client:
            assert client.banner.startswith('421 4.3.2'), client.banner
        for connection in connections:
            connection.close()

        def greeted():
            with Client(street.service.host, street.service.port, HONEST) as client:
                return client.banner.startswith('220')
        poll('a place', greeted)
        street.honest_mail()


def test_too_few_descriptors():
    """No more sessions than there is room for: none takes the last file from a message on its way."""
    files, wanted = 700, 1000
    need_descriptors(wanted)
    with Place('few') as place, Street(place, files, max_inbound_connections=str(wanted),
                                       max_connections_per_client=str(wanted)) as street:
        with open(place.join('relayd.log'), encoding='utf-8') as log:
            told = re.findall(r'at most (\d+) connections from clients and \d+ to other hosts .* allow 1000 and 500: '
                              r'the limit of open files is 700, and \d+ are needed; raise LimitNOFILE', log.read())
        assert len(told) == 1, told
        room = int(told[0])
        assert 10 < room < files, room
        before = street.descriptors()
        with Client(street.service.host, street.service.port, HONEST) as client:
            for command in ('MAIL FROM:<>', 'RCPT TO:<u@one.test>', 'DATA'):
                assert client.command(command)[0] in '23', client.lines
            client.socket.sendall(b'Subject: on its way\r\n\r\n')
            connections = [street.attacker() for _ in range(wanted // 2)]
            poll('the surplus to be refused', lambda: sum(map(is_closed, connections)) == wanted // 2 - (room - 1))
            poll('those that were refused to be closed', lambda: street.descriptors() <= before + room)
            assert client.content(b'text\r\n').startswith('250 '), client.lines
        for connection in connections:
            connection.close()
        street.sent += 1
        poll('all to be gone', lambda: street.descriptors() <= before + 5)
        street.honest_mail()
        with open(place.join('relayd.log'), encoding='utf-8') as log:
            assert 'cannot accept' not in log.read()


def trickle(connections):
    """An octet a second on each, until the other side has closed them all."""
    alive = set(connections)
    end = time.monotonic() + 60
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while alive:
            assert time.monotonic() < end, f'{len(alive)} are held still'
            for connection in alive:
                try:
                    connection.send(b'x')
                except (ConnectionError, BlockingIOError):
                    pass
            for key, _ in selector.select(1):
                if is_closed(key.fileobj):
                    selector.unregister(key.fileobj)
                    alive.discard(key.fileobj)


def test_1000_senders_of_an_octet_a_second():
    need_descriptors(SLOW + 1500)
    with Place('slow') as place, Street(place, max_connections_per_client='2000', max_inbound_connections='2000',
                                        data_timeout='4s', idle_timeout='4s') as street:
        before = street.descriptors()
        with street.watch('1,000 slow senders', SLOW // 2 * (IDLE_KIB + BEGUN_KIB) + SESSION_KIB, SLOW):
            connections = [street.attacker() for _ in range(SLOW)]
            for number, connection in enumerate(connections):
                connection.settimeout(60)
                # Half of them in a command, half in the content.
                if number % 2:
                    connection.recv(4096)
                    talk(connection, b'EHLO c\r\n', *DATA)
                connection.setblocking(False)
            trickle(connections)
        for connection in connections:
            connection.close()
        poll('all to be gone', lambda: street.descriptors() <= before + 5)


def begin(street, *commands):
    """A connection of the attacker's behind these commands."""
    connection = street.attacker()
    connection.settimeout(60)
    connection.recv(4096)
    talk(connection, b'EHLO c\r\n', *commands)
    connection.setblocking(False)
    return connection


def talk(connection, *commands):
    for command in commands:
        connection.sendall(command)
        connection.recv(4096)


ENVELOPE = (b'MAIL FROM:<>\r\n', b'RCPT TO:<u@one.test>\r\n')


DATA = ENVELOPE + (b'DATA\r\n',)
FLOODS = (
    # name, commands first, what is sent over and over, what ends it, what the last words are
    ('endless command', (), b'x' * BLOCK, b'\r\n', b'500 5.5.2'),
    ('endless line', DATA, b'x' * BLOCK, b'\r\n.\r\n', b'554 5.6.0'),
    ('endless headers', DATA, b'X-Header: of no use at all\r\n' * 2000, b'\r\n.\r\n', b'552 5.3.4'),
    ('endless Received', DATA, b'Received: from a by b\r\n' * 2000, b'\r\n.\r\n', b'554 5.4.6'),
    ('tiny chunks', ENVELOPE, b'BDAT 1\r\nx' * 5000, b'', b'421 4.7.0'),
    ('empty chunks', ENVELOPE, b'BDAT 0\r\n' * 5000, b'', b'421 4.7.0'),
    ('pipelined NOOP', (), b'NOOP\r\n' * 5000, b'', b'421 4.7.0'),
    ('pipelined nonsense', (), b'\x80\xff\x00\r\n' * 5000, b'', b'421 4.7.0'),
    ('refused recipients', ENVELOPE[:1], b'RCPT TO:<v@else.test>\r\n' * 5000, b'', b'421 4.7.0'),
    ('transactions', (), b'RSET\r\nMAIL FROM:<>\r\n' * 5000, b'', b'421 4.7.0'),
)


def flood_in_tls(connection, octets, total):
    """As flood(), where nothing is said before the end."""
    for _ in range(total // len(octets)):
        connection.sendall(octets)
    return b''


def check_flood(street, connection, flooder, row):
    """Honest mail flows while @flooder is at it; the flood is answered once, at its end."""
    name, _, octets, end, last = row
    with street.watch(name):
        said = flooder(connection, octets, FLOOD)
        if end:
            assert not said, (name, said)
            connection.settimeout(60)
            connection.sendall(end + b'QUIT\r\n')
            said = read_to_end(connection)
        replies = said.split(b'\r\n')
        assert any(reply.startswith(last) for reply in replies[-3:]), (name, replies[-3:])
        connection.close()


def test_floods():
    with Place('floods') as place, Street(place) as street:
        for row in FLOODS:
            check_flood(street, begin(street, *row[1]), flood, row)
        assert len(street.sink.messages) == street.sent


def test_floods_in_tls():
    with Place('tls') as place:
        certificate = Authority(place).issue('relay.test')
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with Street(place, tls_certificate=certificate.path, tls_key=certificate.key_path) as street:
            for row in FLOODS[:2]:
                connection = begin(street, b'STARTTLS\r\n')
                connection.settimeout(60)
                connection = context.wrap_socket(connection)
                talk(connection, b'EHLO c\r\n', *row[1])
                check_flood(street, connection, flood_in_tls, row)
            assert len(street.sink.messages) == street.sent


def test_a_million_recipients():
    with Place('recipients') as place, Street(place) as street:
        connection = begin(street, ENVELOPE[0])
        with street.watch('a million recipients'):
            commands = b''.join(b'RCPT TO:<u%04d@one.test>\r\n' % number for number in range(5000))
            said = flood(connection, commands, 26 * 1000000 // STRIDE)
            assert b'452 4.5.3 ' in said, said[-200:]
        # The thousand that were taken are one message still.
        connection.settimeout(60)
        connection.sendall(b'DATA\r\n')
        while b'354 ' not in said:
            said = said[-4096:] + connection.recv(BLOCK)
        connection.sendall(b'x\r\n.\r\nQUIT\r\n')
        assert b'250 2.0.0 Ok' in read_to_end(connection)
        poll('a thousand', lambda: len(street.sink.recipients()) == street.sent + 1000)


if __name__ == '__main__':
    run(test_one_address_holds_no_more_than_its_share, test_5000_idle_connections, test_all_places_taken,
        test_too_few_descriptors, test_1000_senders_of_an_octet_a_second, test_floods, test_floods_in_tls,
        test_a_million_recipients)
