#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail filters by the milter protocol: each answer, each change, each way to fail."""

import contextlib
import re
import select
import smtplib
import socket
import ssl
import struct
import threading

from place import Place, free_port, poll
from certs import Authority
from milter import (ACCEPT, CONTINUE, DISCARD, NO_REPLY_HEADER, PROGRESS, REJECT, SHUTDOWN, SKIP, SKIP_BODY, TEMPFAIL,
                    Milter, add_header, add_rcpt, change_from, change_header, code, delete_rcpt, insert_header, packet,
                    quarantine, replace_body)
from sink import Sink
from support import Client, Service, send
from tap import run

SENDER = 'sender@origin.test'
AT_DOOR = 64  # limits.h: sessions of a worker that wait for a filter before they are greeted
HEAD = (b'Subject: a test\r\nFrom: a@origin.test\r\nX-Twice: one\r\nX-Folded: first\r\n\t second\r\nX-Twice: two\r\n'
        b'Date: Wed, 25 Nov 2026 22:00:00 +0000\r\n')
CONTENT = HEAD + b'\r\n.dot\r\nbody\r\n'


class World:
    """A relay for in.test; everything else is refused to strangers."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('milters'))
        self.service = stack.enter_context(Service(self.place))
        self.sink = stack.enter_context(Sink())
        self.service.set('hostname', 'relay.test')
        for domain in ('in', 'also'):
            self.service.add_connection(f'{domain}.test', f'--host={self.sink.endpoint}')
        self.service.wait_applied()
        self.used = None

    def use(self, *milters):
        """Sets them, unless they are set: processes cost more than all else here."""
        text = ', '.join(milters)
        if text != self.used:
            self.service.set('milters', text)
            self.service.wait_applied()
        self.used = text

    def path(self, position=0):
        """The socket of the filter at a position in the row, whichever it is."""
        return self.place.join(f'milter-{position}')

    @contextlib.contextmanager
    def filters(self, *answers, options='', **more):
        """Milters that answer so, in a row."""
        with contextlib.ExitStack() as stack:
            milters = [stack.enter_context(Milter(answer, path=self.path(position), **more))
                       for position, answer in enumerate(answers)]
            self.use(*[f'{milter.address} {options}'.strip() for milter in milters])
            yield milters[0] if len(milters) == 1 else milters

    def arrive(self, content=CONTENT, recipients=('u@in.test',), sender=SENDER, count=1):
        """The messages that came out of one that was taken in, @count of them."""
        before = len(self.sink.messages)
        rcpts, reply = send(self.service, sender, list(recipients), content)
        assert reply.startswith('250'), (rcpts, reply)
        if count == 0:
            self.service.wait_empty()
        poll('what comes out', lambda: len(self.sink.messages) >= before + count)
        return self.sink.messages[before:]

    def log(self, pattern):
        return [line for name, lines in self.place.logs() if name == 'relayd.log'
                for line in lines if re.search(pattern, line)]


def below_trace(message):
    """What stands below our own Received line."""
    return re.sub(rb'\AReceived: .*\r\n(?:\t.*\r\n)+', b'', message.content)


def at(stage, what):
    """An answer at one stage, CONTINUE at the others."""
    return lambda now, told: what if now == stage else None


def at_end(*what):
    return at('END', list(what))


def talk(service, *commands, content=CONTENT):
    """The replies to MAIL and the like, and to the final dot if it came so far."""
    with Client(service.host, service.port) as client:
        replies = [client.command(command) for command in commands]
        if replies[-1].startswith('354'):
            replies.append(client.content(content))
        return replies


TRANSACTION = (f'MAIL FROM:<{SENDER}>', 'RCPT TO:<u@in.test>', 'DATA')
# Stage, what the milter says, where it is heard (0 MAIL, 1 RCPT, 3 the final dot), the reply.
ANSWERS = (
    ('MAIL', REJECT, 0, '550 5.7.1 '), ('MAIL', TEMPFAIL, 0, '451 4.7.1 '), ('MAIL', packet('f'), 0, '421 4.7.1 '),
    ('MAIL', code('421 4.7.0 go away'), 0, '421 4.7.0 go away'),
    ('RCPT', REJECT, 1, '550 5.7.1 '), ('RCPT', TEMPFAIL, 1, '451 4.7.1 '),
    ('RCPT', code('451 4.7.1 greylisted'), 1, '451 4.7.1 greylisted'),
    ('DATA', REJECT, 3, '550 5.7.1 '), ('HEADER', TEMPFAIL, 3, '451 4.7.1 '), ('EOH', REJECT, 3, '550 5.7.1 '),
    ('BODY', code('554 5.6.0 a worm'), 3, '554 5.6.0 a worm'), ('END', REJECT, 3, '550 5.7.1 '),
    ('END', TEMPFAIL, 3, '451 4.7.1 '),
    ('END', code('554-5.7.1 one\r\n554 5.7.1 two'), 3, '554-5.7.1 one\n554 5.7.1 two'),
    ('CONNECT', ACCEPT, 3, '250 2.0.0 '), ('MAIL', ACCEPT, 3, '250 2.0.0 '), ('RCPT', ACCEPT, 3, '250 2.0.0 '),
    ('HEADER', ACCEPT, 3, '250 2.0.0 '), ('BODY', SKIP_BODY, 3, '250 2.0.0 '), ('END', ACCEPT, 3, '250 2.0.0 '),
    ('END', [PROGRESS, PROGRESS, CONTINUE], 3, '250 2.0.0 '),
)
# What it says of the client, and what is the greeting then, behind which nothing follows.
DOORS = (
    (REJECT, '554 5.7.1 '), (TEMPFAIL, '421 4.7.1 '), (SHUTDOWN, '421 4.7.1 '), (code('550 5.7.9 not you'), '554 5.7.9 not you'),
    (code('451 4.7.0 later'), '421 4.7.0 later'), (code('550-5.7.1 one\r\n550 5.7.1 two'), '554-5.7.1 one\n554 5.7.1 two'),
)
# What it says of the name, and what the client is told.
NAMES = ((REJECT, '550 5.7.1 '), (TEMPFAIL, '451 4.7.1 '), (code('550 5.7.0 no such name'), '550 5.7.0 no such name'))
# What a milter must not do: each is a failure, and the default action acts.
NONSENSE = (
    ('NEGOTIATE', packet('O', struct.pack('>III', 7, 0, 0))), ('NEGOTIATE', packet('O', struct.pack('>III', 1, 0, 0))),
    ('NEGOTIATE', packet('O', struct.pack('>III', 6, 0x100, 0))), ('NEGOTIATE', packet('O', b'\0\0\0\6')),
    ('NEGOTIATE', CONTINUE), ('MAIL', packet('Z')), ('MAIL', b'\0\0\0\0'), ('MAIL', b'\xff\xff\xff\xffc'),
    ('MAIL', packet('c', b'more')), ('MAIL', packet('y', b'550 no end')), ('MAIL', code('250 2.0.0 yes')),
    ('MAIL', code('550-5.7.1 a\r\n451 4.7.1 b')), ('MAIL', code('')),
    ('RCPT', add_header('X-Early', 'no')), ('MAIL', SKIP_BODY), ('MAIL', packet('O', struct.pack('>III', 6, 0, 0))),
    ('MAIL', 'drop'), ('HEADER', 'drop'), ('BODY', 'drop'), ('END', 'drop'),
)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_each_answer():
            with world.filters(None) as milter:
                for stage, what, where, wanted in ANSWERS:
                    milter.answer = at(stage, what)
                    del milter.stages[:]
                    replies = talk(service, *TRANSACTION[:min(where + 1, 3)])
                    assert replies[-1].startswith(wanted), (stage, what, replies)
                    assert stage in milter.stages, (stage, milter.stages)
                    assert all(reply[0] in '23' for reply in replies[:-1]), (stage, replies)
            service.wait_empty()

        def test_who_is_not_greeted():
            with world.filters(None) as milter:
                for what, wanted in DOORS:
                    milter.answer = at('CONNECT', what)
                    with Client(service.host, service.port) as client:
                        assert client.banner.startswith(wanted), (what, client.banner)
                        assert client.socket.recv(1) == b'', 'the session goes on'
                milter.answer = at('HELO', SHUTDOWN)
                with Client(service.host, service.port) as client:
                    assert client.ehlo.startswith('421 4.7.1 ') and client.socket.recv(1) == b'', client.ehlo
                for what, wanted in NAMES:
                    milter.answer = at('HELO', what)
                    with Client(service.host, service.port) as client:
                        assert client.banner.startswith('220 '), client.banner
                        # It has its word once, whatever name comes next.
                        assert client.ehlo.startswith(wanted) and client.command('HELO b').startswith(wanted), client.ehlo
                        assert client.command(TRANSACTION[0]).startswith('503 '), 'goes on without a name'
                milter.answer = lambda stage, told: REJECT if (stage, told) == ('HELO', b'other.test\0') else None
                with Client(service.host, service.port) as client:
                    assert client.command(TRANSACTION[0]).startswith('250 ')
                    assert client.command('EHLO other.test').startswith('550 ')
                    assert client.command(TRANSACTION[1]).startswith('503 '), 'the transaction goes on'
                    assert client.command(TRANSACTION[0]).startswith('550 '), 'refused, and then not'

        def test_who_is_turned_away_while_the_first_of_two_is_asked():
            """The second is told the name all the same, as it was."""
            name, first_knows, told = 'a' * 60 + '.test', threading.Event(), []
            with world.filters(lambda stage, what: first_knows if stage == 'HELO' and name in what.decode() else None,
                               lambda stage, what: told.append(what) if stage == 'HELO' else None):
                with Client(service.host, service.port) as client:
                    for _ in range(98):
                        client.command('NOOP')
                    assert client.command(f'EHLO {name}').startswith('421 '), 'not a junk command too many'
                    first_knows.set()
                    poll('the second to be asked', lambda: len(told) > 1)
                assert told[1] == name.encode() + b'\0', told

        def test_who_does_not_wait_at_the_door():
            """One who speaks is refused at once, one who leaves is forgotten; only so many wait."""
            with world.filters(at('CONNECT', 'stall'), options='connect=1h command=1h') as milter, \
                    contextlib.ExitStack() as waiting:
                early = socket.create_connection((service.host, service.port))
                poll('the filter to be asked', lambda: 'CONNECT' in milter.stages)
                early.sendall(b'EHLO early.test\r\n')
                assert early.recv(100).startswith(b'554 5.5.0 '), 'an early talker'
                early.close()
                leaving = socket.create_connection((service.host, service.port))
                poll('the filter to be asked', lambda: milter.stages.count('CONNECT') == 2)
                leaving.close()
                poll('the sessions to go', lambda: service.ctl_json('status')['relay']['sessions'] == 0)
                # Whoever comes when too many wait is greeted, and what there is against him is said later.
                asked = milter.n_connections
                clients = []
                for n in range(AT_DOOR + 1):
                    clients.append(waiting.enter_context(socket.create_connection(
                        (service.host, service.port), 60, (f'127.0.3.{n % 8 + 1}', 0))))
                greeted = poll('one to be greeted', lambda: select.select(clients, [], [], 0)[0])
                assert greeted[0].recv(100).startswith(b'220 ')
                greeted[0].sendall(b'EHLO late.test\r\n')
                assert greeted[0].recv(1000).startswith(b'250-')
                poll('the filter to be asked', lambda: milter.n_connections - asked >= AT_DOOR)
                assert milter.n_connections - asked == AT_DOOR, milter.n_connections - asked
                milter.answer = at('CONNECT', REJECT)
                greeted[0].sendall(f'{TRANSACTION[0]}\r\n'.encode())
                assert greeted[0].recv(100).startswith(b'550 5.7.1 ')

        def test_who_the_client_is():
            """The name anew in TLS, with what TLS it is; the client anew by XCLIENT, and by PROXY."""
            certificate = Authority(world.place).issue('relay.test')
            port = free_port()
            for key, value in (('tls-certificate', certificate.path), ('tls-key', certificate.key_path),
                               ('xclient-hosts', '127.0.0.2'), ('proxy-hosts', '127.0.0.3'),
                               ('listen-tls', f'127.0.0.1:{port}')):
                service.set(key, value)

            def answer(stage, told):
                return REJECT if stage == 'CONNECT' and b'192.0.2.66' in told else None
            with world.filters(answer) as milter:
                service.wait_applied()
                with smtplib.SMTP(service.host, service.port) as client:
                    client.ehlo('one.test')
                    assert '{cipher}' not in milter.macros, milter.macros
                    client.starttls(context=ssl._create_unverified_context())
                    client.ehlo('two.test')
                    assert milter.macros['{tls_version}'].startswith('TLS') and milter.macros['{cipher}'], milter.macros
                    assert client.mail(SENDER)[0] == 250
                    assert [milter.stages.count(stage) for stage in ('CONNECT', 'HELO', 'MAIL')] == [1, 2, 1], milter.stages
                with smtplib.SMTP_SSL(service.host, port, context=ssl._create_unverified_context()) as client:
                    assert milter.stages.count('CONNECT') == 2
                    client.ehlo('three.test')
                with Client(service.host, service.port, source='127.0.0.2') as client:
                    assert client.command('XCLIENT ADDR=192.0.2.7 HELO=four.test').startswith('220 ')
                    assert milter.macros['{client_addr}'] == '192.0.2.7', milter.macros
                    assert client.command(TRANSACTION[0]).startswith('250 ')
                    assert client.command('RSET').startswith('250 ')
                    assert client.command('XCLIENT ADDR=192.0.2.66').startswith('554 5.7.1 ')
                    assert client.socket.recv(1) == b'', 'the session goes on'
                for address, wanted in (('192.0.2.9', b'220 '), ('192.0.2.66', b'554 5.7.1 ')):
                    with socket.create_connection((service.host, service.port), 60, ('127.0.0.3', 0)) as client:
                        client.sendall(f'PROXY TCP4 {address} 127.0.0.1 1000 25\r\n'.encode())
                        assert client.recv(100).startswith(wanted), address
                        assert milter.macros['{client_addr}'] == address, milter.macros
            for key in ('tls-certificate', 'tls-key', 'xclient-hosts', 'proxy-hosts', 'listen-tls'):
                service.ctl('settings', 'set', key)

        def test_what_it_is_told():
            with world.filters(None) as milter:
                before = len(world.sink.messages)
                replies = talk(service, f'MAIL FROM:<{SENDER}> BODY=8BITMIME', 'RCPT TO:<u@in.test>',
                               'RCPT TO:<nobody@else.test>', 'RCPT TO:<v@in.test>', 'DATA')
                assert replies[2].startswith('550 5.7.1') and replies[-1].startswith('250'), replies
                service.wait_empty()
                seen, = milter.messages
                assert seen.mail == f'<{SENDER}>' and seen.rcpts == ['<u@in.test>', '<v@in.test>'], vars(seen)
                assert seen.headers[0] == ('Subject', ' a test') and ('X-Folded', ' first\n\t second') in seen.headers
                assert len(seen.headers) == 6 and seen.body == b'.dot\r\nbody\r\n', vars(seen)
                macros = milter.macros
                assert macros['j'] == 'relay.test' and macros['{client_addr}'] == '127.0.0.1', macros
                assert macros['{mail_addr}'] == SENDER and macros['{rcpt_addr}'] == 'v@in.test', macros
                assert macros['i'] in replies[-1], (macros, replies)
                message, = world.sink.messages[before:]
                assert below_trace(message) == CONTENT, message.content

        def test_it_is_told_of_a_login():
            """With every MAIL behind it, and nothing of one before it."""
            certificate = Authority(world.place).issue('relay.test')
            for key, value in (('tls-certificate', certificate.path), ('tls-key', certificate.key_path)):
                service.set(key, value)
            service.ctl('account', 'add', 'me@in.test', '--password-stdin', text='secret\n')
            with world.filters(None) as milter, smtplib.SMTP(service.host, service.port) as client:
                client.starttls(context=ssl._create_unverified_context())
                client.ehlo()
                assert client.mail(SENDER)[0] == 250 and client.rset()[0] == 250
                assert not [name for name in milter.macros if name.startswith('{auth_')], milter.macros
                client.user, client.password = 'me@in.test', 'secret'
                client.auth('PLAIN', client.auth_plain)
                assert client.mail(SENDER)[0] == 250
                assert {name: value for name, value in milter.macros.items() if name.startswith('{auth_')} == {
                    '{auth_type}': 'PLAIN', '{auth_authen}': 'me@in.test', '{auth_ssf}': '0'}, milter.macros
            for key in ('tls-certificate', 'tls-key'):
                service.ctl('settings', 'set', key)

        def test_changes_of_the_header():
            with world.filters(at_end(add_header('X-Last', ' end\n of it'), insert_header(0, 'X-First', ' top'),
                                      insert_header(2, 'X-Second', ' below'), change_header(2, 'x-twice', ' zwei'),
                                      change_header(1, 'From', ''), change_header(1, 'X-New', ' made'), None)):
                message, = world.arrive()
                head = below_trace(message).split(b'\r\n\r\n')[0]
                assert head == (b'X-First: top\r\nX-Second: below\r\nSubject: a test\r\nX-Twice: one\r\n'
                                b'X-Folded: first\r\n\t second\r\nx-twice: zwei\r\n'
                                b'Date: Wed, 25 Nov 2026 22:00:00 +0000\r\nX-Last: end\r\n of it\r\nX-New: made'), head
                assert below_trace(message).endswith(b'\r\n\r\n.dot\r\nbody\r\n')
            # A line of its own cannot be smuggled into the header, nor an end of it.
            with world.filters(at_end(add_header('X-A', 'one\nBcc: x\r\n\r\nbody'), None), steps=0):
                message, = world.arrive()
                assert b'\r\nX-A: one\r\n\tBcc: x\r\n\t\r\n\tbody\r\n\r\n.dot\r\n' in message.content, message.content

        def test_changes_of_the_envelope():
            with world.filters(at_end(change_from('<new@also.test>'), add_rcpt('<v@in.test>'), add_rcpt('<w@in.test>', 'NOTIFY=NEVER'),
                                      delete_rcpt('<u@in.test>'), delete_rcpt('<none@in.test>'), None)):
                message, = world.arrive()
                assert message.reverse_path == 'new@also.test', message.reverse_path
                assert sorted(message.recipients) == ['v@in.test', 'w@in.test'], message.recipients
            # Nobody is worse off without one that was to come in addition.
            with world.filters(at_end(add_rcpt('<x@else.test>'), add_rcpt('not an address'), delete_rcpt('<none@in.test>'),
                                      None)):
                message, = world.arrive()
                assert message.recipients == ['u@in.test'], message.recipients
                poll('a line about what was refused',
                     lambda: world.log(r'milter wants recipient <x@else\.test>: 550 5\.7\.1'))
            with world.filters(at_end(delete_rcpt('<u@in.test>'), None)):
                assert world.arrive(count=0) == []
                poll('a line about it', lambda: world.log(r'status=discarded \(milters leave no recipient\)'))
            with world.filters(at_end(change_from('<>'), None)):
                message, = world.arrive()
                assert message.reverse_path == '', message.reverse_path

        def test_redirections_that_are_refused():
            """The client keeps the message: nobody's mail is lost to a recipient that the rules do not admit."""
            both = ('u@in.test', 'v@in.test')
            before = len(world.sink.messages)
            service.set('max-recipients', '2')
            service.wait_applied()
            with world.filters(None) as milter:
                for recipients, wishes in (
                        (both[:1], (delete_rcpt('<u@in.test>'), add_rcpt('<x@else.test>'))),
                        (both[:1], (add_rcpt('<x@else.test>'), delete_rcpt('<u@in.test>'))),
                        (both[:1], (delete_rcpt('<u@in.test>'), add_rcpt('not an address'))),
                        (both, (delete_rcpt('<u@in.test>'), add_rcpt('<x@else.test>'))),
                        (both, (delete_rcpt('<u@in.test>'), add_rcpt('<w@in.test>'), add_rcpt('<x@else.test>'))),
                        (both, (add_rcpt('<w@in.test>'), delete_rcpt('<u@in.test>'), delete_rcpt('<v@in.test>')))):
                    milter.answer = at_end(*wishes, quarantine('redirected'), None)
                    reply = send(service, SENDER, list(recipients), CONTENT)[1]
                    assert reply == '451 4.7.1 A mail filter wants a recipient that this host does not take', (wishes, reply)
                    assert service.queued() == [], wishes
                milter.answer = at_end(*wishes[1:], None)
                assert send(service, SENDER, list(both), CONTENT)[1].startswith('250'), 'refused by what was refused before'
            poll('a warning for each', lambda: len(world.log(
                r'warning: id=\w+ status=refused \(451 4\.7\.1 A mail filter wants a recipient')) == 6)
            assert len(world.sink.messages) == before, 'a part of it went out'
            service.ctl('settings', 'set', 'max-recipients')
            service.wait_applied()

        def test_changes_of_the_body():
            wild = b'.\r\n..two\n.three\rfour\r\n\0five\r\nno end'
            with world.filters(at_end(replace_body(wild), replace_body(b' of it'), None)):
                message, = world.arrive()
                assert below_trace(message) == HEAD + b'\r\n.\r\n..two\r\n.three four\r\n five\r\nno end of it\r\n', message.content
            with world.filters(at_end(replace_body(b''), None)):
                message, = world.arrive()
                assert below_trace(message) == HEAD + b'\r\n', message.content

        def test_what_it_makes_of_what_was_declared():
            for sender, change, content, wanted in (
                    ('8bit@a.test', replace_body(b'\xc3\xa9'), CONTENT, ' BODY=8BITMIME'), ('7bit@a.test', replace_body(b'e'), CONTENT + b'\xc3\xa9\r\n', ''),
                    ('utf8@a.test', add_header('X', 'é'), CONTENT, ' BODY=8BITMIME SMTPUTF8')):
                with world.filters(at_end(change, None)):
                    assert talk(service, f'MAIL FROM:<{sender}> BODY=8BITMIME SMTPUTF8', *TRANSACTION[1:], content=content)[-1].startswith('250')
                    service.wait_empty()
                    said, = [line for lines in world.sink.conversations for line in lines if sender in line]
                    assert re.fullmatch(rf'C: MAIL FROM:<{sender}> SIZE=\d+{wanted}', said), (said, wanted)

        def test_large_messages():
            """In the spool's pieces: one that stays, one whose body is replaced, one that came by BDAT."""
            large = HEAD + b'\r\n' + b''.join(b'.%07d' % n + b'x' * 60 + b'\r\n' for n in range(30000))
            with world.filters(None, steps=0x100000 | NO_REPLY_HEADER) as milter:
                message, = world.arrive(large)
                assert below_trace(message) == large, len(message.content)
                assert milter.messages[0].body == large[len(HEAD) + 2:]
                with Client(service.host, service.port) as client:
                    for command in TRANSACTION[:2]:
                        assert client.command(command).startswith('250')
                    client.socket.sendall(f'BDAT {len(large)} LAST\r\n'.encode() + large)
                    assert client.reply().startswith('250')
                service.wait_empty()
                assert below_trace(world.sink.messages[-1]) == large
            parts = [b'%06d' % n + b'y' * 64000 + b'\r\n' for n in range(30)]
            with world.filters(at_end(*[replace_body(part) for part in parts], None)):
                message, = world.arrive(large)
                assert below_trace(message) == HEAD + b'\r\n' + b''.join(parts), len(message.content)

        def test_in_a_row():
            """Each sees what those before it have made of the message; what they agree on is their own."""
            first = at_end(insert_header(1, 'X-First', ' 1'), replace_body(b'new\r\n'), None)
            second = at_end(change_header(1, 'X-First', ' 2'), add_header('X-Second', ' 2'), None)
            with world.filters(first, second, None) as milters:
                message, = world.arrive()
                assert milters[1].messages[0].headers[0] == ('X-First', ' 1'), milters[1].messages[0].headers
                assert milters[2].messages[0].headers[0] == ('X-First', ' 2'), milters[2].messages[0].headers
                assert milters[2].messages[0].headers[-1] == ('X-Second', ' 2')
                assert milters[1].messages[0].body == milters[2].messages[0].body == b'new\r\n'
                assert b'X-First: 2\r\n' in message.content and message.content.endswith(b'\r\n\r\nnew\r\n')
            with world.filters(None, at('RCPT', REJECT), None) as milters:
                replies = talk(service, *TRANSACTION[:2], 'RSET', TRANSACTION[0])
                assert replies[1].startswith('550') and replies[3].startswith('250'), replies
                assert 'RCPT' in milters[0].stages and 'RCPT' not in milters[2].stages, 'asked behind a refusal'
                assert 'ABORT' in milters[0].stages, milters[0].stages

        def test_discard_and_quarantine():
            with world.filters(None) as milter:
                for stage in ('MAIL', 'RCPT', 'HEADER', 'END'):
                    milter.answer = at(stage, DISCARD)
                    assert world.arrive(count=0) == [], stage
            with world.filters(at_end(quarantine('looks odd'), add_header('X-Held', ' yes'), None)):
                assert send(service, SENDER, ['u@in.test'], CONTENT)[1].startswith('250')
            for _ in range(2):
                item, = poll('the message in the queue', service.queued)
                shown = service.ctl('queue', 'show', item['id'])
                assert 'held' in shown and 'X-Held: yes' in shown and 'held by a mail filter' in shown, shown
                service.ctl('queue', 'retry', '--all')
                service.stop_relay()
                service.start_relay()
            assert world.log(r'status=held \(looks odd\)')
            before = len(world.sink.messages)
            service.ctl('queue', 'release', item['id'])
            service.wait_empty()
            assert b'X-Held: yes' in world.sink.messages[before].content

        def test_several_messages_of_a_session():
            """One connection; the filter's word about one message is not its word about the next."""
            answers = iter((REJECT, None, TEMPFAIL, None))
            with world.filters(lambda stage, told: next(answers) if stage == 'END' else None) as milter:
                with Client(service.host, service.port) as client:
                    replies = [client.send(SENDER, ['u@in.test'], CONTENT)[1][:3] for _ in range(4)]
                assert replies == ['550', '250', '451', '250'], replies
                assert milter.n_connections == 1, milter.n_connections
                assert milter.stages.count('CONNECT') == 1 and milter.stages.count('HELO') == 1, milter.stages
                # One that hangs up between two messages is asked afresh.
                milter.answer = at_end(None, 'drop')
                with Client(service.host, service.port) as client:
                    replies = [client.send(SENDER, ['u@in.test'], CONTENT)[1][:3] for _ in range(2)]
                assert replies == ['250', '250'] and milter.n_connections == 3, (replies, milter.n_connections)
            service.wait_empty()

        def test_what_is_spared():
            with world.filters(None, steps=0x7F | 0x200) as milter:
                world.arrive()
                poll('the end', lambda: 'QUIT' in milter.stages)
                assert set(milter.stages) == {'NEGOTIATE', 'MACRO', 'END', 'QUIT'}, milter.stages
            with world.filters(at('BODY', SKIP_BODY), steps=SKIP) as milter:
                world.arrive(HEAD + b'\r\n' + b'z' * 900 + b'\r\n' + b'line\r\n' * 40000)
                assert milter.stages.count('BODY') == 1, milter.stages
                assert milter.messages[0].headers[0] == ('Subject', 'a test'), milter.messages[0].headers
            with world.filters(None, version=2, steps=0) as milter:
                world.arrive()
                assert 'DATA' not in milter.stages, milter.stages

        def test_nonsense():
            for action, wanted in (('tempfail', '451 4.7.1 '), ('reject', '550 5.7.1 '), ('accept', '250 ')):
                with world.filters(None, options=f'action={action}') as milter:
                    for stage, what in NONSENSE:
                        milter.answer = at(stage, what)
                        reply = talk_on(service)
                        assert reply.startswith(wanted), (action, stage, what, reply)
            service.wait_empty()
            with world.filters(at_end(add_header('X-A', ' a'), None), actions=0, options='action=accept'):
                before = len(world.sink.messages)
                assert talk_on(service).startswith('250')
                service.wait_empty()
                assert b'X-A' not in world.sink.messages[before].content, 'changed without an agreement'

        def test_not_reachable():
            for action, wanted in (('tempfail', '451 4.7.1 '), ('reject', '550 5.7.1 '), ('accept', '250 ')):
                for address in (f'unix:{world.place.join("nobody")}', f'inet:127.0.0.1:{free_port()}'):
                    with Milter(path=world.path()) as other:
                        world.use(f'{address} action={action}', other.address)
                        reply = talk_on(service)
                        assert reply.startswith(wanted), (action, address, reply)
                        assert ('END' in other.stages) == (action == 'accept'), other.stages
            service.wait_empty()

        def test_lost_at_its_work():
            """Never half a message, not even where the filter may be gone without."""
            before = len(world.sink.messages)
            changes = ([replace_body(b'half')], [add_header('X-A', ' a')], [change_from('<x@in.test>')],
                       [replace_body(b'a' * 60000), replace_body(b'b' * 60000)])
            with world.filters(None, options='action=accept') as milter:
                for change in changes:
                    for loss in (['drop'], [packet('Z')], [packet('b')[:3], 'drop']):
                        milter.answer = at_end(*change, *loss)
                        reply = talk_on(service)
                        assert reply.startswith('451 4.7.1'), (change, loss, reply)
            service.wait_empty()
            assert len(world.sink.messages) == before, 'half a message went out'

        def test_time_limits():
            """The first session is not agreed with, at the door nor at MAIL, the others are told nothing of RCPT and of the
            end."""
            def answer(stage, told):
                if stage == 'NEGOTIATE':
                    return None if replies else 'stall'
                said = {'RCPT': lambda: told, 'END': lambda: told.rcpts[0].encode()}.get(stage, bytes)()
                return 'stall' if said.startswith(f'<{stage.lower()}@'.encode()) else None

            def session(user):
                replies.append(talk_on(service, f'{user}@in.test'))
            replies = []
            with world.filters(answer, options='connect=1s command=1s content=1s') as milter:
                session('negotiate')
                sessions = [threading.Thread(target=session, args=(user,)) for user in ('rcpt', 'end')]
                for thread in sessions:
                    thread.start()
                for thread in sessions:
                    thread.join()
            assert len(replies) == 3 and all(reply.startswith('451 4.7.1') for reply in replies), replies
            poll('the log', lambda: len(world.log('no answer within the time limit')) == 4)

        def test_slow_ones_block_nobody():
            """While one waits, commands that were pipelined wait with it, and the other sessions go on."""
            gate = threading.Event()

            def slow(stage, told):
                return gate if stage == 'RCPT' and told.startswith(b'<slow') else None
            with world.filters(slow), Client(service.host, service.port) as client:
                client.socket.sendall(f'MAIL FROM:<{SENDER}>\r\nRCPT TO:<slow@in.test>\r\nRCPT TO:<u@else.test>\r\n'
                                      'NOOP\r\n'.encode())
                assert client.reply().startswith('250 2.1.0')
                for _ in range(20):
                    assert send(service, SENDER, ['u@in.test'], CONTENT)[1].startswith('250')
                gate.set()
                assert [client.reply()[:9] for _ in range(3)] == ['250 2.1.5', '550 5.7.1', '250 2.0.0']
                service.wait_empty()

        def test_behind_the_recipient_check():
            """The next hop is asked first, then the filter, for each of the commands that were pipelined."""
            def knows(verb, argument):
                return '550 5.1.1 unknown' if verb == 'RCPT' and argument.startswith('nobody') else None

            def filters(stage, told):
                return REJECT if stage == 'RCPT' and told.startswith(b'<bad') else None
            with Sink(reply=knows) as host, world.filters(filters) as milter:
                service.add_connection('ahead.test', f'--host={host.endpoint}', '--recipient-check=call-ahead')
                service.wait_applied()
                replies = pipelined(service, *[f'RCPT TO:<{name}@ahead.test>' for name in ('nobody', 'bad', 'good')])
                assert [reply[:9] for reply in replies] == ['250 2.1.0', '550 5.1.1', '550 5.7.1', '250 2.1.5',
                                                            '354 Send ', '250 2.0.0'], replies
                service.wait_empty()
                assert milter.messages[0].rcpts == ['<bad@ahead.test>', '<good@ahead.test>'], milter.messages[0].rcpts
                assert host.messages[0].recipients == ['good@ahead.test'], host.messages[0].recipients

        def test_answers_that_are_known():
            """What need not be asked is answered at once, once and in order, also where commands are pipelined."""
            names = [f'{name}@in.test' for name in 'abcd']
            for stage, what in (('MAIL', ACCEPT), ('RCPT', 'drop'), ('CONNECT', 'drop')):
                with world.filters(at(stage, what), options='action=accept'):
                    before = len(world.sink.messages)
                    replies = pipelined(service, *[f'RCPT TO:<{name}>' for name in names])
                    assert [reply[:3] for reply in replies] == ['250'] * 5 + ['354', '250'], (stage, replies)
                    service.wait_empty()
                    message, = world.sink.messages[before:]
                    assert sorted(message.recipients) == names, (stage, message.recipients)

        def test_a_client_that_leaves():
            with world.filters(at('END', 'stall'), options='content=1h') as milter:
                client = Client(service.host, service.port)
                for command in TRANSACTION:
                    client.command(command)
                client.socket.sendall(CONTENT + b'.\r\n')
                poll('the end of the message', lambda: 'END' in milter.stages)
                # A connection that is reset, not one that is only closed for sending.
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
                client.close()
                poll('the session to go', lambda: service.ctl_json('status')['relay']['sessions'] == 0)
            world.use()
            assert len(world.arrive()) == 1

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


def pipelined(service, *recipients):
    """One message, MAIL to DATA in one piece; the replies."""
    with Client(service.host, service.port) as client:
        client.socket.sendall('\r\n'.join((f'MAIL FROM:<{SENDER}>', *recipients, 'DATA', '')).encode())
        replies = [client.reply() for _ in range(len(recipients) + 2)]
        return [*replies, client.content(CONTENT)]


def talk_on(service, recipient='u@in.test'):
    """Goes on until something is refused; the last reply."""
    with Client(service.host, service.port) as client:
        for command in (TRANSACTION[0], f'RCPT TO:<{recipient}>', TRANSACTION[2]):
            reply = client.command(command)
            if reply[0] not in '23':
                return reply
        return client.content(CONTENT)


if __name__ == '__main__':
    main()
