#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""REQUIRETLS and TLS-Required: No (RFC 8689): offered, kept, passed on or given back."""

import contextlib
import smtplib
import ssl

from place import poll
from sink import Sink
from tap import Skip, run
from test_dane import sha256
from test_mta_sts import ZONE, World, policy

BODY = 'the words of the message'
SENDER = 'a@back.test'


class Hosts(World):
    """Next hops that keep mail in TLS, and others."""

    def make(self):
        issue = self.authority.issue
        good = lambda label: issue(f'mx.{label}.test')  # noqa: E731
        for label, certificate, tls, offers in (
                ('keeps', good('keeps'), True, True),
                ('back', good('back'), True, True),
                ('deaf', good('deaf'), True, False),
                ('untrusted', self.stranger.issue('mx.untrusted.test'), True, True),
                # What the level "verified" would take: the certificate is for the domain alone.
                ('wrong-name', issue('wrong-name.test'), True, True),
                ('plain', None, False, True)):
            self.add_host(f'{label}.test', certificate, tls=tls)
            self.offer(f'mx.{label}.test', offers)
        # The better exchanger does not know REQUIRETLS.
        self.add_host('second.test', issue('first.second.test'), 10, 'first.second.test')
        self.add_host('second.test', good('second'), 20)
        self.offer('mx.second.test', True)
        # Exchangers that DNS names without a signature, and one that is vouched for all the same.
        for label in ('anybody', 'named'):
            self.add_host(f'{label}.{ZONE}', issue(f'mx.{label}.{ZONE}'))
            self.offer(f'mx.{label}.{ZONE}', True)
        self.add_policy(f'named.{ZONE}', policy('testing', f'mx.named.{ZONE}'))
        self.add('policy', policy('enforce', f'other.policy.{ZONE}'))
        self.add_host('misfit.test', issue('mx.misfit.test'))
        self.root.append(f'_{self.port}._tcp.mx.misfit.test. TLSA 3 1 1 {sha256(b"another key")}')

    def offer(self, host, offers):
        if offers:
            self.sinks[host].extensions.append('REQUIRETLS')

    @contextlib.contextmanager
    def session(self, tls=True):
        with smtplib.SMTP(self.service.host, self.service.port, 'client.test', 60) as client:
            client.ehlo()
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                client.starttls(context=context)
                client.ehlo()
            yield client

    def hand_in(self, domain, *options, header='', sender=SENDER):
        with self.session() as client:
            client.sendmail(sender, [f'user@{domain}'], f'Subject: test\r\n{header}\r\n{BODY}\r\n', options)

    def has_seen_mail(self, host):
        return any(line.startswith('C: MAIL') for lines in self.sinks[host].conversations for line in lines)

    def take(self, host):
        """The next message that came to a host, and its MAIL."""
        sink = self.sinks[host]
        message = poll(f'a message at {host}', lambda: sink.messages and sink.messages.pop(0))
        return message, next(line for line in reversed(message.session) if line.startswith('C: MAIL'))


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = Hosts(stack)
            world.make()
            world.start()
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')
            return
        service = world.service
        own = world.authority.issue('relay.test')
        service.set('tls-certificate', own.path)
        service.set('tls-key', own.key_path)
        service.wait_applied()

        def turn(value):
            service.set('requiretls', value)
            service.wait_applied()

        def offers(tls=True):
            with world.session(tls) as client:
                return client.has_extn('requiretls')

        def comes_back(domain, status):
            world.hand_in(domain, 'REQUIRETLS', 'RET=FULL')
            notice, mail = world.take('mx.back.test')
            assert 'MAIL FROM:<> ' in mail and mail.endswith(' REQUIRETLS'), mail
            text = notice.content.decode()
            assert f'Status: {status}' in text and f'user@{domain}' in text, text
            assert 'text/rfc822-headers' in text and BODY not in text, text
            assert not world.has_seen_mail(f'mx.{domain}')

        def test_off():
            poll('TLS to be offered', lambda: service.ctl_json('status')['relay']['tls'])
            assert not offers()
            with world.session() as client:
                assert client.docmd('MAIL FROM:<a@back.test> REQUIRETLS')[0] == 555
            world.hand_in('misfit.test', header='TLS-Required: No\r\n')
            number = poll('the message to wait', lambda: [
                message['id'] for message in service.queued() if '4.7.5' in message['recipients'][0]['last_reply']])[0]
            service.ctl('queue', 'delete', number)

        def test_offered_in_tls_alone():
            turn('yes')
            assert offers() and not offers(tls=False)
            with world.session(tls=False) as client:
                assert client.docmd('MAIL FROM:<a@back.test> REQUIRETLS')[0] == 555

        def test_kept():
            world.hand_in('keeps.test', 'REQUIRETLS')
            message, mail = world.take('mx.keeps.test')
            assert message.tls and mail.endswith(' REQUIRETLS'), mail
            # The next one demands nothing, and has none of it.
            world.hand_in('keeps.test')
            assert 'REQUIRETLS' not in world.take('mx.keeps.test')[1]

        def test_another_exchanger_keeps_it():
            world.hand_in('second.test', 'REQUIRETLS')
            assert world.take('mx.second.test')[1].endswith(' REQUIRETLS')
            assert not world.sinks['first.second.test'].messages

        def test_a_policy_vouches_for_an_exchanger():
            world.hand_in(f'named.{ZONE}', 'REQUIRETLS')
            assert world.take(f'mx.named.{ZONE}')[1].endswith(' REQUIRETLS')

        def test_given_back():
            comes_back('deaf.test', '5.7.30')
            comes_back('untrusted.test', '5.7.10')
            comes_back('wrong-name.test', '5.7.10')
            comes_back('plain.test', '5.7.10')
            # Whoever answers for DNS could have named a host of his own, with a certificate for it.
            comes_back(f'anybody.{ZONE}', '5.7.10')

        def test_a_notice_is_lost_rather_than_shown():
            world.hand_in('deaf.test', 'REQUIRETLS', sender=f'a@anybody.{ZONE}')
            service.wait_empty()
            assert not world.has_seen_mail(f'mx.anybody.{ZONE}')

        def test_outlasts_a_crash():
            sink = world.sinks['mx.keeps.test']
            usual, sink.reply = sink.reply, lambda verb, argument: '451 4.2.0 later' if verb == 'MAIL' else None
            world.hand_in('keeps.test', 'REQUIRETLS')
            number = service.queued()[0]['id']
            assert 'demands TLS all the way' in service.ctl('queue', 'show', number)
            service.kill_relay()
            service.start_relay()
            shown = service.ctl_json('queue', 'show', number)
            assert shown['requiretls'] and not shown['tls-optional'], shown
            sink.reply = usual
            assert world.take('mx.keeps.test')[1].endswith(' REQUIRETLS')

        def test_a_socket_is_this_machine():
            path = world.place.join('lmtp')
            with Sink(lmtp=True, path=path) as local:
                service.set('inbound-host', f'lmtp:{path}')
                service.add_routing('inbound.test', '--inbound')
                service.wait_applied()
                world.hand_in('inbound.test', 'REQUIRETLS')
                message = poll('the message', lambda: local.messages and local.messages[0])
                assert not message.tls and not [line for line in message.session if 'REQUIRETLS' in line]

        def test_delivered_whatever_the_policies_say():
            for domain, host in ((f'policy.{ZONE}', f'mx.policy.{ZONE}'), ('misfit.test', 'mx.misfit.test')):
                world.hand_in(domain, header='tls-required:  NO \r\n')
                assert world.take(host)[0].tls
                # No other word will do.
                world.hand_in(domain, header='TLS-Required: Never\r\n')
                number = poll('the message to wait', lambda: [
                    message['id'] for message in service.queued()
                    if '4.7.5' in message['recipients'][0]['last_reply']])[0]
                service.ctl('queue', 'delete', number)
            # REQUIRETLS outweighs it.
            world.hand_in('misfit.test', 'REQUIRETLS', header='TLS-Required: No\r\n')
            assert b'Status: 5.7.10' in world.take('mx.back.test')[0].content

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
