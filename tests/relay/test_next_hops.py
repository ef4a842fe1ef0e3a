#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Next hops that misbehave at every stage: each recipient is sent, deferred or failed, and never two of them."""

import contextlib
import re

from place import Place, free_port, poll
from sink import EXTENSIONS, Sink
from support import Client, Dns, Service
from tap import Tap

STAGES = ('CONNECT', 'EHLO', 'MAIL', 'RCPT', 'DATA', 'DOT', 'QUIT', 'BDAT', 'CHUNK')
BEHAVIOURS = {
    'stall': 'stall',
    '4xx': '451 4.7.1 %s not now',
    '5xx': '554 5.7.1 %s never',
    '421': '421 4.3.2 %s closing',
    'drop': 'drop',
    'garbage': b'\x00\xff%%s \x1b[2J 250 ok?\r\n\x80\x81\r\n',
    'wrong-class': '399 %s what?',
    'endless': 'endless',
    'drip': 'drip',
    'unknown': '502 5.5.1 %s unknown',
}
SAYS_NOTHING = r'451 4\.4\.2 .*: time limit reached'
LOST = r'451 4\.4\.2 .*: connection lost'
NO_REPLY = r'451 4\.5\.0 .*: reply'
# What the recipient ends as, and the reply that is recorded with it; RFC 5321 4.2.1, 4.5.4.1 and design.md
# section 5: no connection, greeting or EHLO, or 421, and the destination waits.
OUTCOMES = {
    'stall': ('deferred', SAYS_NOTHING),
    '4xx': ('deferred', r'451 4\.7\.1 {stage} not now'),
    '5xx': ('failed', r'554 5\.7\.1 {stage} never'),
    '421': ('deferred', r'421 4\.3\.2 {stage} closing'),
    'drop': ('deferred', LOST),
    'garbage': ('deferred', NO_REPLY),
    'wrong-class': ('deferred', NO_REPLY),
    'endless': ('deferred', NO_REPLY),
    'drip': ('deferred', SAYS_NOTHING),  # each octet within the time limit, the whole reply not
    'unknown': ('failed', r'502 5\.5\.1 {stage} unknown'),
}
EXCEPTIONS = {
    ('CONNECT', '5xx'): ('deferred', r'451 4\.3\.2 554 5\.7\.1 CONNECT never'),
    ('CONNECT', 'unknown'): ('deferred', r'451 4\.3\.2 502 5\.5\.1 CONNECT unknown'),
    ('EHLO', '5xx'): ('sent', r'250'),  # HELO is tried, RFC 5321 3.2
    ('EHLO', 'unknown'): ('sent', r'250'),
}
# A host that offers CHUNKING and is lost over its first BDAT, of our own first line, is asked again by DATA.
EXCEPTIONS.update({('BDAT', behaviour): ('sent', r'250') for behaviour in BEHAVIOURS if behaviour not in ('4xx', '5xx')})


class Case:
    """One next hop, one message for it."""

    def __init__(self, stage, behaviour):
        self.stage, self.behaviour = stage, behaviour
        self.domain = f'{stage}-{behaviour}.test'.lower()
        chunks = ('CHUNKING',) if stage in ('BDAT', 'CHUNK') else ()
        self.sink = Sink(reply=self.answer, extensions=EXTENSIONS + chunks)

    @property
    def name(self):
        return f'{self.stage}-{self.behaviour}'.lower()

    def answer(self, verb, argument):
        """CHUNK: the last one of a host that has taken the first."""
        if verb == 'BDAT' and argument.endswith(' LAST'):
            verb = 'CHUNK'
        if verb != self.stage:
            return None
        how = BEHAVIOURS[self.behaviour]
        return how % verb if isinstance(how, str) and '%s' in how else how

    def wanted(self):
        """Outcome and reply."""
        if self.stage == 'QUIT':
            return 'sent', '250'
        kind, reply = EXCEPTIONS.get((self.stage, self.behaviour), OUTCOMES[self.behaviour])
        return kind, reply.format(stage=self.stage)


class World:
    """The service, the next hops, and what became of every recipient."""

    def __init__(self, place, service, notices):
        self.place, self.service, self.notices = place, service, notices
        self.queued = {}  # recipient: what the queue says of it

    def configure(self, hosts):
        """@hosts: {domain: endpoint}."""
        for key, value in {'retry-intervals': '1h', 'command-timeout': '1s', 'data-timeout': '1s',
                           'connect-timeout': '1s'}.items():
            self.service.set(key, value)
        lines = ['page,domain,match,action,target,accept_from,enabled,comment']
        lines += [f'connections,{domain},exact,host,{host},anyone,yes,' for domain, host in hosts.items()]
        self.service.ctl('import', self.place.write('\n'.join(lines) + '\n', 'rows.csv'))
        self.service.wait_applied()

    def log(self, recipient):
        """(status, reply) of every line about @recipient, in order."""
        with open(self.place.join('relayd.log'), encoding='utf-8', errors='replace') as stream:
            return re.findall(rf'to=<{re.escape(recipient)}>.* status=(\w+) \((.*)\)$', stream.read(), re.MULTILINE)

    def wait(self, recipients):
        """Until each was tried; then looks at the queue."""
        for recipient in recipients:
            poll(f'the outcome of {recipient}', lambda recipient=recipient: self.log(recipient))
        poll('the notices', lambda: all(self.notices_about(recipient) for recipient in recipients
                                        if self.log(recipient)[0][0] == 'failed'))
        self.queued = {recipient['address']: recipient for message in self.service.queued()
                       for recipient in message['recipients']}

    def notices_about(self, recipient):
        return [message for message in list(self.notices.messages)
                if f'Final-Recipient: rfc822; {recipient}'.lower() in message.content.decode().lower()]

    def judge(self, recipient, wanted):
        """Asserts that @recipient ended as @wanted, with the reply recorded, and as nothing else."""
        said = self.log(recipient)
        assert len(said) == 1, said
        status, reply = said[0]
        assert status == wanted[0] and re.match(wanted[1], reply), (said, wanted)
        waiting = self.queued.get(recipient)
        final = waiting is None or waiting['state'] in ('sent', 'failed')
        assert final == (status != 'deferred'), waiting
        if waiting is not None and status == 'deferred':
            assert waiting['tries'] == 1 and waiting['last_reply'].split(' ')[0] == reply.split(' ')[0], waiting
        assert len(self.notices_about(recipient)) == (status == 'failed')
        return status


def check_case(world, case):
    recipient = f'u@{case.domain}'
    status = world.judge(recipient, case.wanted())
    arrived = case.sink.recipients().count(recipient)
    # A next hop that took the message and did not say so has it, and will get it again.
    if status == 'sent':
        assert arrived == 1, arrived
    elif case.stage != 'DOT' or case.behaviour in ('4xx', '5xx', 'unknown'):
        assert arrived == 0, arrived


def check_refused(world):
    world.judge('u@refused.test', ('deferred', r'451 4\.4\.1 .*refused'))


MIXED = {
    'taken1': ('250 2.1.5 ok', 'sent', '250'),
    'later': ('450 4.2.1 later', 'deferred', '450 4.2.1 later'),
    'unknown': ('550 5.1.1 unknown', 'failed', '550 5.1.1 unknown'),
    'taken2': ('251 2.1.5 will forward', 'sent', '250'),
    'full': ('452 4.2.2 full', 'deferred', '452 4.2.2 full'),
    'wrong': ('553 5.1.3 wrong', 'failed', '553 5.1.3 wrong'),
}


def check_mixed(world, sink):
    """Recipients of one message are judged one by one."""
    for name, (_, kind, reply) in MIXED.items():
        world.judge(f'{name}@mixed.test', (kind, re.escape(reply)))
    taken = [message.recipients for message in sink.messages]
    assert taken == [['taken1@mixed.test', 'taken2@mixed.test']], taken
    notices = {id(notice) for name in ('unknown', 'wrong') for notice in world.notices_about(f'{name}@mixed.test')}
    assert len(notices) == 1, len(notices)


BEYOND_ASCII = ('u@host.beyond.test', 'u@mx.beyond.test')


def check_beyond_ascii(world, sink):
    """A host typed in other letters is looked up by its A-labels, as DNS knows it (RFC 5891)."""
    for recipient in BEYOND_ASCII:
        world.judge(recipient, ('sent', '250'))
    assert sorted(sink.recipients()) == sorted(BEYOND_ASCII), sink.recipients()


def send_all(service, cases):
    """Returns the recipients."""
    envelopes = [[f'u@{case.domain}'] for case in cases] + [[recipient] for recipient in BEYOND_ASCII]
    envelopes += [['u@refused.test'], [f'{name}@mixed.test' for name in MIXED]]
    with Client(service.host, service.port) as client:
        for recipients in envelopes:
            rcpts, reply = client.send('a@source.test', recipients, b'Subject: x\r\n\r\nhello\r\n')
            assert reply.startswith('250'), (rcpts, reply)
    return [recipient for recipients in envelopes for recipient in recipients]


def main():
    tap = Tap()
    cases = [Case(stage, behaviour) for stage in STAGES for behaviour in BEHAVIOURS]
    cases += [Case('CONTENT', behaviour) for behaviour in ('stall', 'drop')]
    mixed = Sink(reply=lambda verb, argument: MIXED[argument.split('@')[0]][0] if verb == 'RCPT' else None)
    with Place('hops') as place, contextlib.ExitStack() as stack:
        beyond = stack.enter_context(Sink())
        dns = Dns(place, {'.': [], 'test': ['xn--bcher-kva IN A 127.0.0.1', 'xn--bcher-kva IN MX 10 xn--bcher-kva']}).start()
        service = stack.enter_context(Service(place, [f'--dns={dns.endpoint}', f'--mx-port={beyond.port}']))
        notices = stack.enter_context(Sink())
        hosts = {case.domain: stack.enter_context(case.sink).endpoint for case in cases}
        hosts['refused.test'] = f'127.0.0.1:{free_port()}'
        hosts['mixed.test'] = stack.enter_context(mixed).endpoint
        hosts['source.test'] = notices.endpoint
        hosts['host.beyond.test'] = f'bücher.test:{beyond.port}'
        hosts['mx.beyond.test'] = 'mx:Bücher.test'
        world = World(place, service, notices)
        world.configure(hosts)
        world.wait(send_all(service, cases))
        for case in cases:
            tap.case(case.name, check_case, world, case)
        tap.case('refused', check_refused, world)
        tap.case('recipients-one-by-one', check_mixed, world, mixed)
        tap.case('beyond-ascii', check_beyond_ascii, world, beyond)
    tap.done()


if __name__ == '__main__':
    main()
