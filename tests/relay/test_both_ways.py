#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix and Exim on both sides: after STARTTLS, in TLS from the first octet, with logins, beyond ASCII, with DSN.

One of each stands before the relay and behind it; what comes through at last is in a sink.
"""

import contextlib
import re
import smtplib

from place import Place, free_port, poll
from certs import Authority
from peers import Dovecot, Exim, Postfix
from sink import EXTENSIONS, Sink
from support import Service, send
from tap import Skip, run

HOST, HOSTNAME = '127.0.0.1', 'relay.test'
CONTENT = 'Subject: grüße\r\nDate: Thu, 26 Nov 2026 00:00:00 +0000\r\nMessage-ID: <1@source.test>\r\n\r\n.dot\r\n'.encode()
# More than a chunk, with every line that stuffing changes.
LARGE = b'Subject: large\r\n\r\n' + (b'.\r\n..\r\n.x\r\n\r\n' + b'y' * 900 + b'\r\n') * 3000
# A login of ours at Postfix, and theirs at us, under their names.
OURS, THEIR_PASSWORD = ('relay', 'of-the-relay'), 'of-the-neighbour'
MECHANISMS = ('plain', 'login', 'scram-sha-256')

# What each hands in, and what the relay must write of it.
HANDED_IN = {'starttls': 'ESMTPS', 'smtps': 'ESMTPS', 'parameters': 'UTF8SMTPS',
             **{mechanism: 'ESMTPSA' for mechanism in MECHANISMS}}
UTF8_DSN = {'mail_options': ['SMTPUTF8', 'RET=HDRS', 'ENVID=77'],
            'rcpt_options': ['NOTIFY=FAILURE,DELAY', 'ORCPT=utf-8;ö@first.test']}


def domain_of(kind, name):
    """Of what the neighbour of that name hands in; who logs in may send where a stranger may not."""
    return f'{kind}.{name}.{"permitted" if kind in MECHANISMS else "anyone"}.test'


class World:
    """Mail for anyone.test and permitted.test comes from a neighbour and goes to the sink; for out.*.test it goes to
    one and from there to the sink."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('both-ways'))
        self.authority = Authority(self.place)
        self.certificate = self.authority.issue(HOSTNAME)
        self.sink = stack.enter_context(Sink(extensions=EXTENSIONS + ('DSN',)))
        self.service = Service(self.place)
        self.tls_port = free_port()
        self.login_ports = {mechanism: free_port() for mechanism in MECHANISMS}
        self.dovecot = self.place.join('dovecot/run/auth-test')
        self.peers = {'postfix': self.make_postfix(), 'exim': self.make_exim()}
        stack.enter_context(self.service)
        self.configure()
        for peer in self.peers.values():
            peer.start()
        self.hand_in()

    def make_postfix(self):
        secure = (f'-o smtp_tls_security_level=secure -o smtp_tls_secure_cert_match={HOSTNAME} '
                  f'-o smtp_tls_CAfile={self.authority.path}')
        services = [f'starttls unix - - n - 10 smtp {secure}',
                    f'smtps unix - - n - 10 smtp {secure} -o smtp_tls_wrappermode=yes']
        for mechanism, port in self.login_ports.items():
            services += [f'{mechanism} unix - - n - 10 smtp {secure} -o smtp_sasl_auth_enable=yes '
                         f'-o smtp_sasl_mechanism_filter={mechanism}',
                         f'{HOST}:{port} inet n - n - - smtpd -o smtpd_sasl_auth_enable=yes '
                         f'-o smtpd_tls_security_level=encrypt -o smtpd_sasl_mechanism_filter={mechanism} '
                         '-o smtpd_relay_restrictions=permit_sasl_authenticated,reject']
        transports = [f'{domain_of(kind, "postfix")}={"starttls" if kind == "parameters" else kind}:'
                      f'[{HOST}]:{self.port_of(kind)}' for kind in HANDED_IN]
        return Postfix(self.place, relayhost=self.sink.endpoint, services=services, settings={
            'transport_maps': f'inline:{{{", ".join(transports)}}}',
            'smtp_sasl_password_maps': f'static:postfix:{THEIR_PASSWORD}',
            'smtp_sasl_security_options': 'noanonymous',
            'smtpd_sasl_type': 'dovecot', 'smtpd_sasl_path': self.dovecot, 'smtpd_sasl_security_options': 'noanonymous',
            'smtpd_tls_cert_file': self.certificate.path, 'smtpd_tls_key_file': self.certificate.key_path})

    def make_exim(self):
        verified = ('hosts_require_tls = *', f'tls_verify_certificates = {self.authority.path}', 'tls_verify_hosts = *',
                    'tls_verify_cert_hostnames =')
        options = {'starttls': verified, 'smtps': (*verified, 'protocol = smtps'), 'parameters': verified}
        options.update({name: (*verified, 'hosts_require_auth = *') for name in ('plain', 'login')})
        routes = {domain_of(kind, 'exim'): (f'{HOST}:{self.port_of(kind)}', lines) for kind, lines in options.items()}
        return Exim(self.place, relayhost=self.sink.endpoint, routes=routes, account=('exim', THEIR_PASSWORD),
                    certificate=self.certificate)

    def port_of(self, kind):
        return self.tls_port if kind == 'smtps' else self.service.port

    def configure(self):
        service = self.service
        for key, value in (('hostname', HOSTNAME), ('tls-certificate', self.certificate.path),
                           ('tls-key', self.certificate.key_path), ('listen-tls', f'{HOST}:{self.tls_port}'),
                           ('retry-intervals', '1s')):
            service.set(key, value)
        for name in self.peers:
            service.ctl('account', 'add', name, '--password-stdin', text=THEIR_PASSWORD + '\n')
        service.ctl('account', 'add', 'postfix', '--out', f'--user={OURS[0]}', '--password-stdin', text=OURS[1] + '\n')
        for accept in ('anyone', 'permitted'):
            service.add_connection(f'{accept}.test', f'--host={self.sink.endpoint}', accept=accept)
        for mechanism, port in self.login_ports.items():
            service.add_connection(f'out.{mechanism}.test', f'--host={HOST}:{port}', '--account=postfix')
        service.add_connection('out.starttls.test', f'--host={self.peers["exim"].endpoint}', '--tls=encrypted')
        for name, peer in self.peers.items():
            service.add_connection(f'out.parameters.{name}.test', f'--host={peer.endpoint}')
            service.add_connection(f'out.chunks.{name}.test', f'--host={peer.endpoint}')
        service.wait_applied()

    def hand_in(self):
        """Everything at once: each waits for its own."""
        for name, peer in self.peers.items():
            with smtplib.SMTP(HOST, peer.port, 'source.test', timeout=60) as client:
                for kind in HANDED_IN:
                    options = UTF8_DSN if kind == 'parameters' else {}
                    sender, user = ('ä@source.test', 'ü') if options else ('a@source.test', 'u')
                    if (name, kind) != ('exim', 'scram-sha-256'):
                        client.sendmail(sender, [f'{user}@{domain_of(kind, name)}'], CONTENT, **options)
        with smtplib.SMTP(HOST, self.service.port, 'source.test', timeout=60) as client:
            for name in self.peers:
                client.sendmail('ä@source.test', [f'ü@out.parameters.{name}.test'], CONTENT, **UTF8_DSN)

    def arrived(self, recipient):
        """The one message for @recipient, its content whole; each Received line without its folds, the newest first."""
        message, = poll(f'the message for {recipient}', lambda: [
            found for found in list(self.sink.messages) if found.recipients == [recipient]])
        received = re.findall(rb'(?m)^Received: .*\r\n(?:[ \t].*\r\n)*', message.content)
        assert message.content.endswith(CONTENT), message.content
        return message, [re.sub(r'\s+', ' ', line.decode()) for line in received]

    def handed_in(self, name, kind):
        """What came by way of the neighbour."""
        user = 'ü' if kind == 'parameters' else 'u'
        message, (ours, its) = self.arrived(f'{user}@{domain_of(kind, name)}')
        assert f'from {name}.test' in ours and f'by {HOSTNAME} with {HANDED_IN[kind]} id' in ours, ours
        assert f'by {name}.test' in its, its
        return message

    def taken_out_in_chunks(self, name):
        """Small, large and small again: each whole at the end, beyond dots and the borders of chunks."""
        for user, content in (('one', CONTENT), ('large', LARGE), ('two', CONTENT)):
            recipient = f'{user}@out.chunks.{name}.test'
            assert send(self.service, 'a@source.test', [recipient], content)[1].startswith('250')
            message, = poll(f'the message for {recipient}', lambda r=recipient: [
                found for found in list(self.sink.messages) if found.recipients == [r]])
            assert message.content.endswith(content), (len(message.content), len(content))

    def log(self, pattern, path='relayd.log'):
        def find():
            with open(self.place.join(path), encoding='utf-8', errors='replace') as stream:
                return re.search(pattern, stream.read(), re.MULTILINE)
        return poll(f'{path} to say {pattern}', find)


def parameters(line):
    return dict(word.partition('=')[::2] for word in line.split('> ', 1)[1].split())


def check_parameters(message):
    """The envelope is beyond ASCII, and says of notices what the first client said."""
    recipient, = message.recipients
    assert (message.reverse_path, recipient[0]) == ('ä@source.test', 'ü'), message.session
    at = next(n for n, line in enumerate(message.session) if line.startswith(f'C: RCPT TO:<{recipient}>'))
    mail = next(line for line in reversed(message.session[:at]) if line.startswith('C: MAIL '))
    said = parameters(mail)
    assert ('SMTPUTF8' in said, said['RET'], said['ENVID']) == (True, 'HDRS', '77'), mail
    said = parameters(message.session[at])
    assert sorted(said['NOTIFY'].split(',')) == ['DELAY', 'FAILURE'], said
    # The second is the form of RFC 6533 section 3 for a host without SMTPUTF8.
    assert said['ORCPT'] in ('utf-8;ö@first.test', r'utf-8;\x{F6}@first.test'), said


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
        except Skip as skip:
            reason = str(skip)

            def test_postfix_and_exim():
                raise Skip(reason)
            run(test_postfix_and_exim)

        def test_postfix_hands_in_after_starttls():
            world.handed_in('postfix', 'starttls')

        def test_exim_hands_in_after_starttls():
            world.handed_in('exim', 'starttls')

        def test_postfix_hands_in_in_tls_from_the_first_octet():
            world.handed_in('postfix', 'smtps')

        def test_exim_hands_in_in_tls_from_the_first_octet():
            world.handed_in('exim', 'smtps')

        def test_postfix_hands_in_with_a_login():
            """By the mechanisms of Cyrus SASL."""
            for mechanism in MECHANISMS:
                world.handed_in('postfix', mechanism)
                world.log(f'auth=postfix mechanism={mechanism.upper()} status=authenticated')

        def test_exim_hands_in_with_a_login():
            for mechanism in ('plain', 'login'):
                world.handed_in('exim', mechanism)
                world.log(f'auth=exim mechanism={mechanism.upper()} status=authenticated')

        def test_postfix_hands_in_beyond_ascii_with_dsn():
            check_parameters(world.handed_in('postfix', 'parameters'))

        def test_exim_hands_in_beyond_ascii_with_dsn():
            check_parameters(world.handed_in('exim', 'parameters'))

        def taken_out(name):
            message, (its, ours) = world.arrived(f'ü@out.parameters.{name}.test')
            assert HOSTNAME in its and f'by {name}.test' in its and f'by {HOSTNAME} with UTF8SMTP id' in ours, (its, ours)
            check_parameters(message)

        def test_postfix_takes_out_beyond_ascii_with_dsn():
            taken_out('postfix')

        def test_exim_takes_out_beyond_ascii_with_dsn():
            taken_out('exim')

        def test_postfix_takes_out_by_bdat():
            """It counts the commands of a session when that ends: the first line alone, then the rest."""
            world.taken_out_in_chunks('postfix')
            world.service.ctl('settings', 'set', 'max-messages-per-connection', '1')
            world.service.wait_applied()
            assert send(world.service, 'a@source.test', ['last@out.chunks.postfix.test'], CONTENT)[1].startswith('250')
            world.arrived('last@out.chunks.postfix.test')
            world.log(r'disconnect from .* ehlo=1 mail=\d+ rcpt=\d+ bdat=\d+ quit=1', 'postfix/log')
            world.service.ctl('settings', 'set', 'max-messages-per-connection')

        def test_exim_takes_out_by_bdat():
            """It marks what came by BDAT with a K."""
            world.taken_out_in_chunks('exim')
            world.log(r'<= a@source\.test H=\(relay\.test\) .* P=\S+ .*\bK S=', 'exim/log/mainlog')

        def test_exim_takes_out_after_starttls():
            """Without a login, which it does not offer."""
            assert send(world.service, 'a@source.test', ['u@out.starttls.test'], CONTENT)[1].startswith('250')
            _, (its, ours) = world.arrived('u@out.starttls.test')
            assert re.search(rf'from .*{HOSTNAME}.* by exim\.test with esmtps \(TLS1\.3\) tls TLS_\w*AES_256_GCM_SHA384 ', its), its
            assert f'by {HOSTNAME}' in ours, ours
            world.log(r'to=<u@out\.starttls\.test> .* tls=<TLSv1\.3 .* dsn=2\.0\.0 status=sent')

        def test_postfix_takes_out_with_a_login():
            """By the mechanisms of Dovecot."""
            Dovecot(world.place, {OURS[0]: 0}, password=OURS[1]).start()
            for mechanism in MECHANISMS:
                assert send(world.service, 'a@source.test', [f'u@out.{mechanism}.test'], CONTENT)[1].startswith('250')
                _, (its, ours) = world.arrived(f'u@out.{mechanism}.test')
                assert f'from {HOSTNAME}' in its and 'with ESMTPSA id' in its and f'by {HOSTNAME}' in ours, (its, ours)
                world.log(f'sasl_method={mechanism.upper()}, sasl_username={OURS[0]}', 'postfix/log')

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
