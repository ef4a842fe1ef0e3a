#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS to other hosts: as an opportunity, as a demand, verified; Postfix in both directions."""

import contextlib
import re
import smtplib
import ssl

from place import Place, free_port, poll
from certs import Authority
from peers import Postfix
from sink import Sink
from support import Dns, Service, send
from tap import run

HOST = '127.0.0.1'


def server_context(certificate, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path, certificate.key_path)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class World:
    """A relay that delivers to whatever host a test makes, by a name that its DNS knows."""

    NAMES = ('good', 'other', 'strange', 'expired', 'old', 'plain', 'broken', 'stalled', 'mx')

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('tls-out'))
        self.authority = Authority(self.place)
        self.stranger = Authority(self.place, 'stranger')
        self.mx_port = free_port()
        records = [f'{name}.hosts.test. A {HOST}' for name in self.NAMES]
        records += [f'mx.inside.test. A {HOST}', 'inside.test. MX 10 mx.inside.test.',
                    'outside.test. MX 10 mx.inside.test.']
        self.dns = Dns(self.place, {'.': records}).start()
        self.service = stack.enter_context(
            Service(self.place, [f'--dns={self.dns.endpoint}', f'--mx-port={self.mx_port}']))
        self.service.set('hostname', 'relay.test')
        self.service.set('permitted-hosts', HOST)
        self.service.set('retry-intervals', '1s')
        self.service.set('tls-trust', self.authority.path)

    def sink(self, name, tls, port=0):
        """A host of that name, and a row that sends mail for NAME.test to it."""
        sink = self.stack.enter_context(Sink(HOST, port, tls=tls))
        self.service.add_connection(f'{name}.test', f'--host={name}.hosts.test:{sink.port}')
        return sink

    def level(self, level):
        self.service.set('tls-level', level)
        self.service.wait_applied()

    def send(self, domain):
        rcpts, reply = send(self.service, 'a@source.test', [f'user@{domain}'])
        assert reply.startswith('250'), (rcpts, reply)

    def arrives(self, sink, domain, version):
        """One more message arrives in TLS of that version; None: in clear text."""
        before = len(sink.messages)
        self.send(domain)
        poll(f'the message for {domain}', lambda: len(sink.messages) > before)
        tls = sink.messages[-1].tls
        assert (tls.version() if tls else None) == version, tls
        return tls

    def waits(self, domain, status, text):
        """The message is put off with this reply."""
        self.send(domain)

        def reply():
            for message in self.service.queued():
                for recipient in message['recipients']:
                    if recipient['address'] == f'user@{domain}' and status in recipient['last_reply']:
                        return message['id'], recipient['last_reply']
            return None
        number, said = poll(f'the queue to say {status} of {domain}', reply, step_s=0.1)
        assert text in said, said
        self.service.ctl('queue', 'delete', str(number))

    def log(self, pattern):
        def find():
            for name, lines in self.place.logs():
                for line in lines:
                    if name == 'relayd.log' and re.search(pattern, line):
                        return line
            return None
        return poll(f'the log to say {pattern}', find)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        authority = world.authority
        good = world.sink('good', server_context(authority.issue('good.hosts.test')))
        other = world.sink('other', server_context(authority.issue('elsewhere.test')))
        strange = world.sink('strange', server_context(world.stranger.issue('strange.hosts.test')))
        expired = world.sink('expired', server_context(authority.issue('expired.hosts.test', last_day=-0.5)))
        old = world.sink('old', server_context(authority.issue('old.hosts.test'), ssl.TLSVersion.TLSv1_2))
        plain = world.sink('plain', None)
        broken = world.sink('broken', 'broken')
        inside = world.sink('mx', server_context(authority.issue('mx.inside.test')), world.mx_port)

        def test_opportunistic():
            world.level('opportunistic')
            world.arrives(good, 'good.test', 'TLSv1.3')
            world.arrives(old, 'old.test', 'TLSv1.2')
            world.arrives(other, 'other.test', 'TLSv1.3')
            world.arrives(strange, 'strange.test', 'TLSv1.3')
            world.arrives(expired, 'expired.test', 'TLSv1.3')
            world.arrives(plain, 'plain.test', None)
            world.log(r'to=<user@good\.test> .* tls=<TLSv1\.3 with cipher TLS_\w+> .* status=sent')
            world.log(r'to=<user@plain\.test> .* tls=<none> .* status=sent')

        def test_clear_text_in_the_same_try_when_the_handshake_fails():
            world.arrives(broken, 'broken.test', None)
            assert broken.conversations[-2][-2:] == ['C: STARTTLS', 'S: 220 2.0.0 go ahead']
            # The connection in clear text is used again.
            before = len(broken.conversations)
            world.arrives(broken, 'broken.test', None)
            assert len(broken.conversations) == before, broken.conversations

        def test_handshake_that_stalls():
            """Its time limit is a command's at most: then clear text, or mail that waits."""
            stalled = world.sink('stalled', 'stalled')
            world.service.set('command-timeout', '1s')
            world.level('opportunistic')
            world.arrives(stalled, 'stalled.test', None)
            world.level('encrypted')
            world.waits('stalled.test', '4.7.5', 'no handshake within the time limit')
            world.service.ctl('settings', 'set', 'command-timeout')

        def test_none():
            world.level('none')
            world.arrives(good, 'good.test', None)
            assert 'C: STARTTLS' not in good.messages[-1].session

        def test_encrypted():
            world.level('encrypted')
            world.arrives(good, 'good.test', 'TLSv1.3')
            world.arrives(strange, 'strange.test', 'TLSv1.3')
            world.waits('plain.test', '4.7.4', 'TLS is demanded')
            world.waits('broken.test', '4.7.5', 'TLS failed')
            for sink in (plain, broken):
                assert not [line for line in sink.conversations[-1] if 'MAIL' in line]

        def test_verified():
            world.level('verified')
            world.arrives(good, 'good.test', 'TLSv1.3')
            world.log(r'to=<user@good\.test> .* tls=<TLSv1\.3 with cipher TLS_\w+, verified> .* status=sent')
            world.waits('other.test', '4.7.5', 'it is not for other.hosts.test')
            world.waits('strange.test', '4.7.5', 'its certificate is refused')
            world.waits('expired.test', '4.7.5', 'uses expired certificate')
            world.waits('plain.test', '4.7.4', 'TLS is demanded')

        def test_verified_by_mx():
            """What DNS says of an exchanger counts only below the domain."""
            world.service.add_connection('inside.test', '--dns')
            world.service.add_connection('outside.test', '--dns')
            world.service.wait_applied()
            world.arrives(inside, 'inside.test', 'TLSv1.3')
            world.waits('outside.test', '4.7.5', 'it is not for outside.test')

        def test_trust_is_what_the_setting_says():
            world.service.set('tls-trust', world.stranger.path)
            world.service.wait_applied()
            world.arrives(strange, 'strange.test', 'TLSv1.3')
            world.waits('good.test', '4.7.5', 'its certificate is refused')
            world.service.set('tls-trust', authority.path)

        def test_a_row_says_more_than_the_setting():
            world.level('none')
            world.service.ctl('connections', 'edit', 'good.test', '--tls=verified')
            world.service.ctl('connections', 'edit', 'strange.test', '--tls=verified')
            world.service.wait_applied()
            world.arrives(good, 'good.test', 'TLSv1.3')
            world.waits('strange.test', '4.7.5', 'its certificate is refused')
            assert 'TLS of the connection: verified.' in world.service.ctl('explain', 'user@good.test')
            world.level('encrypted')
            world.service.ctl('connections', 'edit', 'plain.test', '--tls=opportunistic')
            world.service.wait_applied()
            world.arrives(plain, 'plain.test', None)
            for domain in ('good.test', 'strange.test', 'plain.test'):
                world.service.ctl('connections', 'edit', domain, '--tls=')

        def test_resumption():
            world.level('encrypted')
            world.service.set('max-messages-per-connection', '1')
            world.service.wait_applied()
            for sink, domain, version in ((good, 'good.test', 'TLSv1.3'), (old, 'old.test', 'TLSv1.2')):
                world.arrives(sink, domain, version)  # perhaps through a connection that rested
                world.arrives(sink, domain, version)
                assert world.arrives(sink, domain, version).session_reused, domain
            world.service.set('max-messages-per-connection', '100')

        def test_postfix_both_ways():
            world.level('verified')
            certificate = authority.issue('127.0.0.1', 'relay.test')
            world.service.ctl('settings', 'set', 'tls-certificate', certificate.path)
            world.service.set('tls-key', certificate.key_path)
            host = authority.issue('good.hosts.test')
            tls = {'smtpd_tls_security_level': 'encrypt', 'smtpd_tls_cert_file': host.path,
                   'smtpd_tls_key_file': host.key_path, 'smtpd_tls_received_header': 'yes'}
            sink = Postfix(world.place, 'postfix', settings=tls).start()
            world.service.add_connection('postfix.test', f'--host=good.hosts.test:{sink.port}')
            world.service.wait_applied()
            poll('the certificate', lambda: 'offered to' in world.service.ctl_json('status')['relay']['tls'])
            source = Postfix(world.place, 'source', relayhost=f'{world.service.host}:{world.service.port}',
                             settings={'smtp_tls_security_level': 'encrypt'}).start()
            content = b'Subject: both\r\n\r\n' + b'z' * 900 + b'\r\n' * 50000
            with smtplib.SMTP(source.host, source.port, timeout=60) as client:
                client.sendmail('a@source.test', ['user@postfix.test'], content)
            poll('the message', lambda: sink.count() == 1)
            _, arrived = sink.messages()[0]
            trace, _ = arrived.split(b'\r\n\r\n', 1)
            assert arrived.endswith(content)
            assert trace.count(b'(using TLSv1.3 with cipher') == 2, trace.decode()
            assert b'with ESMTPS id' in trace, trace.decode()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
