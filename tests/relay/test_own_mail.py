#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices and reports of the relay's own on their way through mail filters: signed, and never lost."""

import contextlib
import email
import email.policy
import re
import signal
import threading

from place import PATIENCE_S, Place, free_port, poll
from filter_peers import OpenDkim
from milter import (DISCARD, PROGRESS, REJECT, SHUTDOWN, TEMPFAIL, Milter, add_header, add_rcpt, change_from,
                    change_header, code, delete_rcpt, packet, quarantine, replace_body)
from sink import Sink
from support import Client, Dns, Service, send
from tap import Skip, run
from watch import Watch

SENDER = 'sender@back.test'
REPORTS = 'reports@back.test'
CONTENT = b'Subject: asked\r\n\r\n.first\r\nbody\r\n'


# own-mail-filter.c: of mail that waits for filters; then as much as this again, and more, that does not.
WAITING_KIB = 32 * 1024
N_LARGE = 450
# Its header section, which the notice gives back, is nearly as large as one may be.
LARGE = b'Subject: asked\r\n' + b'X-Filler: %s\r\n' % (b'x' * 900) * 230 + b'\r\n'
# For messages that are read, spooled and sent meanwhile, and what the allocator keeps.
SLACK_KIB = 24 * 1024
# max-connections-per-host to each of two hosts, and a filter each for as many messages as are asked about at once.
FILES = 2 * 20 + 8


class Endless(list):
    """Progress and nothing else, as long as somebody listens."""

    def __iter__(self):
        while True:
            yield PROGRESS


class World:
    """A relay that tells back.test of mail that no.test refuses, and of TLS with clear.test."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('own-mail'))
        port = free_port()
        dns = Dns(self.place, {'.': [
            'clear.test. MX 10 mx.clear.test.', 'mx.clear.test. A 127.0.2.1',
            f'_smtp._tls.clear.test. TXT "v=TLSRPTv1; rua=mailto:{REPORTS}"']}).start()
        self.service = stack.enter_context(Service(
            self.place, [f'--dns={dns.endpoint}', f'--mx-port={port}'],
            settings={'hostname': 'relay.test', 'permitted-hosts': '127.0.0.1', 'tls-report': 'yes'}))
        self.refuses = stack.enter_context(Sink(
            reply=lambda verb, argument: '550 5.1.1 nobody' if verb == 'RCPT' else None))
        self.clear = stack.enter_context(Sink('127.0.2.1', port))
        self.back = stack.enter_context(Sink())
        self.service.add_connection('no.test', f'--host={self.refuses.endpoint}')
        self.service.add_connection('back.test', f'--host={self.back.endpoint}')
        self.service.wait_applied()
        self.used = None

    def use(self, *milters, key='milters-for-own-mail'):
        """Sets them, unless they are set: processes cost more than all else here."""
        if self.used != (key, milters):
            self.service.set(key, ', '.join(milters))
            self.service.wait_applied()
        self.used = key, milters

    def refused(self, count=1):
        """The notices about @count messages that were refused."""
        before = len(self.back.messages)
        for _ in range(count):
            assert send(self.service, SENDER, ['u@no.test'], CONTENT)[1].startswith('250')
        poll('the notices', lambda: len(self.back.messages) >= before + count)
        return self.back.messages[before:]

    def report(self):
        """The report about TLS with clear.test."""
        before = len(self.back.messages)
        assert send(self.service, SENDER, ['u@clear.test'], CONTENT)[1].startswith('250')
        poll('a result', lambda: self.service.ctl_json('tls-report'))
        self.service.ctl('tls-report', '--send', '--today')
        poll('the report', lambda: len(self.back.messages) > before)
        return self.back.messages[before]

    def passed_on(self, message):
        """What comes out when the octets of @message are handed in."""
        before = len(self.back.messages)
        assert send(self.service, SENDER, ['u@back.test'], message)[1].startswith('250')
        poll('the message', lambda: len(self.back.messages) > before)
        return self.back.messages[before].content

    def log(self, pattern):
        return [line for name, lines in self.place.logs() if name == 'relayd.log'
                for line in lines if re.search(pattern, line)]


def is_notice(message):
    """Whether it is one as the relay writes it, all of it."""
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    people, status, third = parsed.iter_parts()
    return (message.reverse_path == '' and message.recipients == [SENDER] and 'u@no.test' in people.get_content() and
            [part['Status'] for part in status.get_payload()[1:]] == ['5.1.1'] and 'Subject: asked' in third.as_string())


def at(stage, what):
    """An answer at one stage, CONTINUE at the others."""
    return lambda now, told: what if now == stage else None


# What a filter has against a notice, or does instead of an answer.
OBJECTIONS = [(stage, what) for stage in ('CONNECT', 'HELO', 'MAIL', 'RCPT', 'DATA', 'HEADER', 'EOH', 'BODY', 'END')
              for what in (REJECT, TEMPFAIL)]
OBJECTIONS += [('NEGOTIATE', 'drop'), ('CONNECT', SHUTDOWN), ('MAIL', code('421 4.7.0 go away')), ('MAIL', DISCARD),
               ('RCPT', DISCARD), ('RCPT', code('550-5.1.1 a\r\n550 5.1.1 b')), ('RCPT', 'drop'), ('RCPT', packet('Z')),
               ('BODY', 'drop'), ('END', DISCARD), ('END', 'drop')]
# What it says when the message is half changed.
HALVES = ([add_header('X-A', ' a'), 'drop'], [add_header('X-A', ' a'), REJECT], [replace_body(b'half'), 'drop'],
          [replace_body(b'half'), DISCARD], [change_header(1, 'Subject', ' x'), packet('Z')])


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')
            return
        service = world.service

        def test_opendkim_signs_a_notice_and_a_report():
            """Who gets them finds the signature good, and no longer when something of it is changed."""
            signer = OpenDkim(world.place, 'signer', 'relay.test').start()
            world.use(signer.address)
            messages = [world.refused()[0], world.report()]
            assert is_notice(messages[0])
            report = email.message_from_bytes(messages[1].content, policy=email.policy.default)
            assert report.get_param('report-type') == 'tlsrpt' and messages[1].recipients == [REPORTS]
            assert report['From'] == 'postmaster@relay.test', report['From']
            verifier = OpenDkim(world.place, 'verifier', 'back.test', signer).start()
            world.use()
            world.use(verifier.address, key='milters')
            for message in messages:
                signature = email.message_from_bytes(message.content)['DKIM-Signature']
                assert signature and 'd=relay.test' in signature, message.content[:400]
                # What comes in was written by nobody here: a header that a message of ours has is above it.
                for content, wanted in ((message.content, b'pass'),
                                        (message.content.replace(b'\r\nFrom: ', b'\r\nFrom:  '), b'fail')):
                    said = re.search(rb'Authentication-Results: verifier\.test;\s+dkim=(\w+)', world.passed_on(content))
                    assert said and said.group(1) == wanted, (said, wanted, content[:600])
            world.use(key='milters')
            for peer in (signer, verifier):  # they take seconds to end by themselves
                world.place.end(peer.process, signal.SIGKILL)

        def test_what_it_is_told():
            """The client is this machine; mail of a client is not asked about."""
            with Milter(at('END', [add_header('X-Seen', ' yes'), None]), path=world.place.join('filter')) as milter:
                world.use(milter.address)
                notice, = world.refused()
                assert is_notice(notice) and notice.content.split(b'\r\n\r\n')[0].endswith(b'\r\nX-Seen: yes'), notice.content
                seen, = milter.messages
                assert seen.mail == '<>' and seen.rcpts == [f'<{SENDER}>'], vars(seen)
                assert seen.body == notice.content.split(b'\r\n\r\n', 1)[1], seen.body
                assert {name: milter.macros[name] for name in ('j', '_', '{client_name}', '{client_addr}')} == {
                    'j': 'relay.test', '_': 'localhost [127.0.0.1]', '{client_name}': 'localhost',
                    '{client_addr}': '127.0.0.1'}, milter.macros
                line, = poll('the line that names it', lambda: world.log(rf'notice={milter.macros["i"]} '))
                assert 'id=' in line

        def test_a_row_of_them():
            """Each sees what those before it have made of it, also behind one that wants nothing of it."""
            answers = (at('MAIL', REJECT), at('END', [add_header('X-B', ' b'), None]), at('CONNECT', 'drop'),
                       at('END', [change_header(1, 'X-B', ' c'), replace_body(b'.dot\r\nno end'), None]))
            with contextlib.ExitStack() as filters:
                milters = [filters.enter_context(Milter(answer, path=world.place.join(f'filter-{n}')))
                           for n, answer in enumerate(answers)]
                world.use(f'unix:{world.place.join("nobody")} action=reject', *[milter.address for milter in milters])
                notice, = world.refused()
                assert b'\r\nX-B: c\r\n\r\n.dot\r\nno end\r\n' in notice.content, notice.content
                assert 'RCPT' not in milters[0].stages, 'asked on behind its refusal'

        def test_nothing_is_refused_or_lost():
            with Milter(path=world.place.join('filter')) as milter:
                world.use(f'{milter.address} action=reject')
                for stage, what in OBJECTIONS:
                    milter.answer = at(stage, what)
                    assert is_notice(world.refused()[0]), (stage, what)
                assert world.log(r'milter warning: milter=\S+ status=overruled \(550 5\.7\.1 ')
                assert world.log(r'milter warning: milter=\S+ status=overruled \(discard it\)')
                assert world.log(r'milter warning: milter=\S+ status=failed \(connection lost\)')
                for answer in HALVES:
                    milter.answer = at('END', answer)
                    notice, = world.refused()
                    assert is_notice(notice) and b'X-A' not in notice.content and b'half' not in notice.content, answer
                assert len(world.log('goes as it was written.* one was lost at its work')) == len(HALVES)
                milter.answer = at('END', [change_from('<x@back.test>'), add_rcpt('<x@back.test>'),
                                           delete_rcpt(f'<{SENDER}>'), quarantine('odd'), None])
                assert is_notice(world.refused()[0])
                service.wait_empty()
                assert world.log('want other addresses, or to hold it')

        def test_time_limits():
            """More of them at once than filters are asked about; one never answers, one goes on without end."""
            with Milter(path=world.place.join('filter')) as milter:
                world.use(f'{milter.address} connect=1s command=1s content=1s')
                for stage, what, count in (('NEGOTIATE', 'stall', 1), ('RCPT', 'stall', 1), ('END', Endless(), 10)):
                    milter.answer = at(stage, what)
                    assert all(is_notice(notice) for notice in world.refused(count)), stage
                assert world.log(r'goes as it was written.*: they take too long')

        def test_memory_has_a_bound():
            """A filter that says nothing, and more notices than the relay keeps for it: the others leave as they
            were written, these when the filter goes on."""
            gate, before = threading.Event(), len(world.back.messages)
            n_kept = 1 + WAITING_KIB * 1024 // len(LARGE)

            def came(sender):
                return [message for message in world.back.messages[before:] if message.reverse_path == sender]

            def mail():
                n = len(came('honest@back.test'))
                assert send(service, 'honest@back.test', ['u@back.test'])[1].startswith('250')
                poll('the message', lambda: len(came('honest@back.test')) > n)

            def answer(now, told):
                if now == 'RCPT':
                    return gate
                return [add_header('X-Seen', ' yes'), None] if now == 'END' else None

            with Milter(answer, path=world.place.join('filter')) as milter:
                world.use(f'{milter.address} connect=60s command=60s content=60s')
                with Watch(service, 'notices that wait for a filter', WAITING_KIB + SLACK_KIB, FILES, mail), \
                        Client(service.host, service.port) as client:
                    for _ in range(N_LARGE):
                        assert client.send(SENDER, ['u@no.test'], LARGE)[1].startswith('250')
                    poll('the notices that no filter is asked about',
                         lambda: len(world.log('too much waits for mail filters')) >= N_LARGE - n_kept)
                    gate.set()
                    poll('the notices', lambda: len(came('')) == N_LARGE)
                seen = sum(b'\r\nX-Seen: yes\r\n' in notice.content for notice in came(''))
                print(f'# {seen} of {N_LARGE} notices were kept for the filter', flush=True)
                assert 0 < seen <= n_kept and all(is_notice(notice) for notice in came(''))
                service.wait_empty()

        def test_a_stop_in_between():
            """What a filter was asked about is signed and kept before the relay ends."""
            gate = threading.Event()
            with Milter(at('END', [add_header('X-Late', ' yes'), gate]), path=world.place.join('filter')) as milter:
                world.use(milter.address)
                before = len(world.back.messages)
                assert send(service, SENDER, ['u@no.test'], CONTENT)[1].startswith('250')
                poll('the filter to be asked', lambda: 'END' in milter.stages)
                service.relay.send_signal(signal.SIGTERM)
                poll('the relay to stop', lambda: world.log('stopping'))
                gate.set()
                assert service.relay.wait(PATIENCE_S) == 0
                service.stop_relay()
                service.start_relay()
                poll('the notice', lambda: len(world.back.messages) > before)
                service.wait_empty()
                notice, = world.back.messages[before:]
                assert b'\r\nX-Late: yes\r\n' in notice.content

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
