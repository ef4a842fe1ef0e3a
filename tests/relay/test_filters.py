#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real mail filters: OpenDKIM signs and verifies, rspamd refuses and adds, both in a row, and python3-milter."""

import contextlib
import re

from place import Place
from filter_peers import OpenDkim, Rspamd
from python_milter import PythonMilter
from sink import Sink
from support import Client, Service, send
from tap import run

SENDER = 'sender@origin.test'
HEAD = (b'Subject: a test\r\nFrom: a@origin.test\r\nX-Folded: first\r\n\t second\r\n'
        b'Date: Wed, 25 Nov 2026 22:00:00 +0000\r\nMessage-ID: <1@origin.test>\r\n')


class World:
    """A relay for in.test, and a host that takes it."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('filters'))
        self.service = stack.enter_context(Service(self.place))
        self.sink = stack.enter_context(Sink())
        self.service.set('hostname', 'relay.test')
        self.service.add_connection('in.test', f'--host={self.sink.endpoint}')

    def use(self, *milters):
        self.service.set('milters', ', '.join(milters))
        self.service.wait_applied()

    def arrive(self, content, *recipients):
        """The messages that came out of one that was taken in."""
        before = len(self.sink.messages)
        rcpts, reply = send(self.service, SENDER, recipients or ['u@in.test'], content)
        assert reply.startswith('250'), (rcpts, reply)
        self.service.wait_empty()
        return self.sink.messages[before:]

    def arrive_all(self, contents):
        """What came out of each, in one session, in their order."""
        before = len(self.sink.messages)
        with Client(self.service.host, self.service.port) as client:
            for n, content in enumerate(contents):
                reply = client.send(SENDER, [f'{n}@in.test'], content)[1]
                assert reply.startswith('250'), reply
        self.service.wait_empty()
        came = {message.recipients[0]: message.content for message in self.sink.messages[before:]}
        return [came[f'{n}@in.test'] for n in range(len(contents))]


def below_trace(message):
    """What stands below our own Received line."""
    return re.sub(rb'\AReceived: .*\r\n(?:\t.*\r\n)+', b'', message.content)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service
        peers = {}

        def signer():
            if 'signer' not in peers:
                peers['signer'] = OpenDkim(world.place, 'signer', 'origin.test').start()
            return peers['signer']

        def rspamd():
            if 'rspamd' not in peers:
                peers['rspamd'] = Rspamd(world.place).start()
            return peers['rspamd']

        def test_opendkim_signs_and_verifies():
            """A signature of OpenDKIM's is good after a rewrite and a forward, with SRS on and off, for OpenDKIM."""
            verifier = OpenDkim(world.place, 'verifier', 'in.test', signer()).start()

            def verdicts(contents):
                """What the verifier makes of each, in order."""
                world.use(verifier.address)
                return [re.search(rb'Authentication-Results: verifier\.test;\s+dkim=(\w+)', content).group(1).decode()
                        for content in world.arrive_all(contents)]
            world.use(signer().address)
            message, = world.arrive(HEAD + b'\r\n' + b'.dot \t x\r\n\r\n' * 20000)
            signed = below_trace(message)
            assert signed.startswith(b'DKIM-Signature: '), signed[:200]
            assert verdicts([signed, signed.replace(b'a test', b'A test')]) == ['pass', 'fail']
            service.add_routing('old.test', '--reroute-to=in.test')
            service.add_routing('away.test', '--reroute-to=in.test', '--leaves=yes')
            service.add_connection('out.test', f'--host={world.sink.endpoint}', '--leaves=yes')
            passed = []
            for filters in ((), (verifier.address,)):
                for domain in ('', 'srs.test'):
                    service.set('srs-domain', domain)
                    world.use(*filters)
                    messages = world.arrive(signed, 'o@old.test', 'a@away.test', 'i@in.test', 'x@out.test')
                    for message in messages:
                        leaves = [recipient[0] in 'ax' for recipient in message.recipients]
                        rewritten = message.reverse_path.startswith('SRS0=')
                        assert all(rewritten == (leaf and domain != '') for leaf in leaves), vars(message)
                    arrived = sorted(recipient for message in messages for recipient in message.recipients)
                    assert arrived == ['a@in.test', 'i@in.test', 'o@in.test', 'x@out.test'], arrived
                    passed += [message.content for message in messages]
            assert verdicts(passed) == ['pass'] * len(passed)
            service.set('srs-domain', '')
            verifier.stop()

        def test_rspamd_refuses_and_adds():
            world.use(rspamd().address)
            message, = world.arrive(HEAD + b'\r\nbody\r\n')
            assert below_trace(message) == HEAD + b'X-Rspamd: seen\r\n\r\nbody\r\n', message.content
            rcpts, reply = send(service, SENDER, ['u@in.test'], HEAD.replace(b'a test', b'a spam') + b'\r\nbody\r\n')
            assert rcpts[0].startswith('250') and reply.startswith('554 5.7.1'), (rcpts, reply)

        def test_python3_milter_changes_everything():
            """Each change that libmilter has, and its refusals, from the client to a header field."""
            peer = PythonMilter(world.place).start()
            world.use(peer.address)
            message, = world.arrive(HEAD + b'\r\nbody\r\n', 'u@in.test', 'gone@in.test')
            assert message.reverse_path == 'changed@origin.test', message.reverse_path
            assert sorted(message.recipients) == ['added@in.test', 'u@in.test'], message.recipients
            head, body = below_trace(message).split(b'\r\n\r\n', 1)
            saw = re.search(rb'\r\nX-Saw: 6 octets, helo client\.test, id \w+$', head)
            assert saw and head[:saw.start()] == b'X-Top: first\r\n' + HEAD.replace(b'a test', b'changed')[:-2], head
            assert body == b'new body\r\n', body
            rcpts, _ = send(service, SENDER, ['unwanted@in.test'], HEAD + b'\r\nbody\r\n')
            assert rcpts == ['550-5.1.1 not wanted\n550 5.1.1 by python3-milter'], rcpts
            _, reply = send(service, SENDER, ['u@in.test'], HEAD + b'X-Refuse: me\r\n\r\nbody\r\n')
            assert reply.startswith('451 4.7.1'), reply
            with Client(service.host, service.port, source='127.0.0.66') as client:
                assert client.banner.startswith('554 5.7.1 '), client.banner
            with Client(service.host, service.port, helo='unwanted.test') as client:
                assert client.ehlo == '550 5.7.1 not by this name', client.ehlo
            peer.stop()

        def test_both_in_a_row():
            """OpenDKIM signs what rspamd has added."""
            world.use(f'{rspamd().address} action=accept', signer().address)
            message, = world.arrive(HEAD + b'\r\nbody\r\n')
            head = below_trace(message).split(b'\r\n\r\n')[0]
            assert head.startswith(b'DKIM-Signature: ') and head.endswith(b'X-Rspamd: seen'), head
            # Without rspamd, which may be gone without, it is signed all the same.
            rspamd().stop()
            message, = world.arrive(HEAD + b'\r\nbody\r\n')
            assert below_trace(message).startswith(b'DKIM-Signature: ') and b'X-Rspamd' not in message.content
            signer().stop()
            rcpts, reply = send(service, SENDER, ['u@in.test'], HEAD + b'\r\nbody\r\n')
            assert rcpts == [] and reply.startswith('451 4.7.1'), (rcpts, reply)

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
