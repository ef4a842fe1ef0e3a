#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""BDAT where CHUNKING is offered: octet by octet, in step with hosts that refuse it, and by DATA where it is not known."""

import contextlib
import re
import ssl

from place import Place, poll
from certs import Authority
from sink import EXTENSIONS, Sink
from support import Client, Service, send
from tap import Tap

CHUNKING = EXTENSIONS + ('CHUNKING',)
HOST = '127.0.0.1'
# Every line that stuffing changes, and one that would be a transaction of its own behind an end of data.
DOTS = b'.\r\n..\r\n. .\r\n.\r\n\r\n.\r\nMAIL FROM:<evil@back.test>\r\nRCPT TO:<evil@other.test>\r\nDATA\r\n\r\n...\r\n'
SMALL = b'Subject: dots\r\n\r\n' + DOTS
LARGE = b'Subject: large\r\n\r\n' + (DOTS + b'.x' * 400 + b'\r\n') * 6000  # of three chunks


class World:
    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('chunking'))
        self.service = stack.enter_context(Service(self.place))
        self.service.set('retry-intervals', '1s')

    def add(self, domain, **options):
        """A sink for @domain."""
        sink = self.stack.enter_context(Sink(**{'extensions': CHUNKING, **options}))
        self.service.add_connection(domain, f'--host={sink.endpoint}')
        self.service.wait_applied()
        return sink

    def hand_in(self, content, *recipients):
        rcpts, reply = send(self.service, 'a@back.test', recipients, content)
        assert reply.startswith('250'), (rcpts, reply)

    def log(self, pattern):
        def find():
            with open(self.place.join('relayd.log'), encoding='utf-8') as stream:
                return re.search(pattern, stream.read())
        return poll(f'relayd.log to say {pattern}', find)


def check_whole(sink, content, *recipients):
    """One message, and its content as it came, behind our Received line."""
    message, = [message for message in sink.messages if message.recipients == list(recipients)]
    assert re.fullmatch(rb'Received: .*\r\n(?:[ \t].*\r\n)+', message.content[:-len(content)]), message.content[:500]
    assert message.content.endswith(content), len(message.content)
    return message


def commands(lines):
    """Verbs, without what came before the first MAIL; BDAT with LAST."""
    said = [re.sub(r' [^L]*', ' ', line[3:], count=1).strip() if line.startswith('C: BDAT') else line[3:].split(' ')[0]
            for line in lines if line.startswith('C: ')]
    return said[said.index('MAIL'):]


def check_octets(world):
    """The first message in a connection shows its first line alone, others do not; so does none by DATA."""
    sink = world.add('dots.test')
    world.hand_in(SMALL, 'one@dots.test')
    world.service.wait_empty()
    world.hand_in(SMALL, 'two@dots.test')
    world.service.wait_empty()
    for name in 'one', 'two':
        check_whole(sink, SMALL, f'{name}@dots.test')
    lines, = sink.conversations
    assert commands(lines) == ['MAIL', 'RCPT', 'BDAT', 'BDAT LAST', 'MAIL', 'RCPT', 'BDAT LAST'], lines
    world.service.set('chunking', 'no')
    world.service.wait_applied()
    world.hand_in(SMALL, 'three@dots.test')
    world.service.wait_empty()
    check_whole(sink, SMALL, 'three@dots.test')
    assert commands(lines)[7:10] == ['MAIL', 'RCPT', 'DATA'], lines
    world.service.ctl('settings', 'set', 'chunking')
    world.service.wait_applied()


def check_large(world):
    """In clear text and in TLS, without PIPELINING too."""
    certificate = Authority(world.place).issue('tls.test')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key_path)
    for domain, options in (('large.test', {}), ('lock-step.test', {'extensions': ('CHUNKING',)}),
                            ('tls.test', {'tls': context})):
        sink = world.add(domain, **options)
        world.hand_in(LARGE, f'u@{domain}')
        world.service.wait_empty()
        message = check_whole(sink, LARGE, f'u@{domain}')
        assert (message.tls is not None) == (domain == 'tls.test')
        assert commands(message.session)[-5:] == ['RCPT', 'BDAT', 'BDAT', 'BDAT', 'BDAT LAST'], message.session


def check_refused_recipients(world):
    """Nobody is there to get it: nothing but our own line is said, and the connection stays in step."""
    sink = world.add('nobody.test', reply=lambda verb, argument: '550 5.1.1 nobody' if (verb, argument) ==
                     ('RCPT', 'no@nobody.test') else None)
    world.service.add_connection('back.test', f'--host={sink.endpoint}')
    world.service.wait_applied()
    world.hand_in(SMALL, 'no@nobody.test')
    poll('the notice', lambda: sink.recipients() == ['a@back.test'])
    world.hand_in(SMALL, 'yes@nobody.test')
    world.hand_in(SMALL, 'yes@nobody.test', 'no@nobody.test')
    poll('both, and another notice', lambda: len(sink.messages) == 4)
    assert sink.recipients().count('yes@nobody.test') == 2, sink.recipients()
    assert not [message for message in sink.messages if 'no@nobody.test' in message.recipients]
    assert len(sink.conversations) == 1, sink.conversations
    assert not [line for line in sink.conversations[0] if 'evil' in line]


def check_refused_in_the_middle(world):
    """The host has no room at the second chunk: nobody got it, it is sent again, and arrives once."""
    refusals = ['452 4.3.1 no room']
    n_chunks = []

    def refuse(verb, argument):
        if verb == 'BDAT':
            n_chunks.append(argument)
        return refusals.pop() if verb == 'BDAT' and len(n_chunks) == 3 and refusals else None

    sink = world.add('room.test', reply=refuse)
    world.hand_in(LARGE, 'u@room.test')
    world.log(r'to=<u@room\.test>.* status=deferred \(452 4\.3\.1 no room\)')
    world.service.wait_empty()
    check_whole(sink, LARGE, 'u@room.test')


def check_not_known(world):
    """BDAT is taken for nonsense, and so is our line; nothing else was said, and DATA does."""
    sink = world.add('unknown.test', knows_bdat=False)
    for name in 'one', 'two':
        world.hand_in(SMALL, f'{name}@unknown.test')
        world.service.wait_empty()
        check_whole(sink, SMALL, f'{name}@unknown.test')
    assert len(sink.conversations) == 1, sink.conversations
    lines, = sink.conversations
    said = commands(lines)
    assert said[:5] == ['MAIL', 'RCPT', 'BDAT', 'Received:', 'RSET'], lines
    assert said[5:] == 2 * ['MAIL', 'RCPT', 'DATA', lines[lines.index('C: .') - 1][3:].split(' ')[0], '.'], lines


def check_dropped(world):
    """A host that is lost over BDAT is asked again at once, by DATA."""
    sink = world.add('dropped.test', reply=lambda verb, _: 'drop' if verb == 'BDAT' else None)
    world.service.set('retry-intervals', '1h')
    world.service.wait_applied()
    world.hand_in(SMALL, 'u@dropped.test')
    world.service.wait_empty()
    check_whole(sink, SMALL, 'u@dropped.test')
    world.service.set('retry-intervals', '1s')
    world.service.wait_applied()


def check_told_to_go(world):
    """421 to the first BDAT may be all that a host knows to say to it; to others it is no time."""
    sink = world.add('closing.test', reply=lambda verb, _: '421 4.7.0 what was that' if verb == 'BDAT' else None)
    world.service.set('retry-intervals', '1h')
    world.service.wait_applied()
    world.hand_in(SMALL, 'u@closing.test')
    world.service.wait_empty()
    check_whole(sink, SMALL, 'u@closing.test')
    assert [commands(lines)[2] for lines in sink.conversations] == ['BDAT', 'DATA'], sink.conversations
    sink = world.add('closes.test', reply=lambda verb, argument: '421 4.3.2 no time' if verb == 'BDAT' and
                     argument.endswith('LAST') else None)
    world.hand_in(SMALL, 'u@closes.test')
    world.log(r'to=<u@closes\.test>.* status=deferred \(421 4\.3\.2 no time\)')
    assert not sink.messages and len(sink.conversations) == 1, sink.conversations
    world.service.set('retry-intervals', '1s')
    world.service.wait_applied()
    world.service.ctl('queue', 'delete', '--all')


def check_lost_behind_the_end(world):
    """Whether the last 250 was seen is what counts: a message whose end is not answered goes again."""
    losses = ['drop']
    sink = world.add('lost.test', reply=lambda verb, _: losses.pop() if verb == 'DOT' and losses else None)
    world.hand_in(SMALL, 'u@lost.test')
    world.log(r'to=<u@lost\.test>.* status=deferred')
    world.service.wait_empty()
    assert sink.recipients() == 2 * ['u@lost.test'], sink.recipients()


def check_lmtp(world):
    """A reply for each recipient behind the last chunk."""
    sink = world.stack.enter_context(Sink(extensions=CHUNKING, lmtp=True, reply=lambda verb, argument: {
        ('RCPT', 'no@lmtp.test'): '550 5.1.1 no', ('DOT', 'full@lmtp.test'): '552 5.2.2 full'}.get((verb, argument))))
    world.service.set('inbound-host', f'lmtp:{sink.endpoint}')
    world.service.add_routing('lmtp.test', '--inbound')
    world.service.wait_applied()
    with Client(HOST, world.service.port) as client:
        client.send('', ['yes@lmtp.test', 'no@lmtp.test', 'full@lmtp.test'], SMALL)
    world.service.wait_empty()
    check_whole(sink, SMALL, 'yes@lmtp.test')
    for pattern in (r'to=<yes@lmtp\.test>.* status=sent', r'to=<no@lmtp\.test>.* status=failed \(550 5\.1\.1',
                    r'to=<full@lmtp\.test>.* status=failed \(552 5\.2\.2'):
        world.log(pattern)


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for check in (check_octets, check_large, check_refused_recipients, check_refused_in_the_middle, check_not_known,
                      check_dropped, check_told_to_go, check_lost_behind_the_end, check_lmtp):
            tap.case(check.__name__.removeprefix('check_').replace('_', '-'), check, world)
    tap.done()


if __name__ == '__main__':
    main()
