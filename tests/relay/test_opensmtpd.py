#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSMTPD as a neighbour on both sides: hands mail in and takes it out, in clear text, after STARTTLS, with a login,
and hands it in in TLS from the first octet and with DSN.  One of it stands before the relay and behind it; what comes through at last is in a sink."""

import contextlib
import re
import smtplib

from place import Place, free_port, poll
from certs import Authority
from opensmtpd import OpenSmtpd
from sink import EXTENSIONS, Sink
from support import Client, Service, send
from tap import Skip, run

HOST = '127.0.0.1'
CONTENT = ('Subject: one\r\nDate: Thu, 26 Nov 2026 00:00:00 +0000\r\nMessage-ID: <1@source.test>\r\n\r\n'
           '.dot\r\n..\r\nGrüße\r\n' + 'x' * 900 + '\r\n').encode()
# A login of ours at it, and one of it at us.
OURS, ITS = ('relay', 'of-the-relay'), ('neighbour', 'of-the-neighbour')


class World:
    """in-*.test come from it and go to the sink; out-*.test go to it and from there to the sink."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('opensmtpd'))
        self.sink = stack.enter_context(Sink(extensions=EXTENSIONS + ('DSN',)))
        certificate = Authority(self.place).issue('relay.test')
        self.service = service = Service(self.place)
        ours, ours_in_tls = f'{HOST}:{service.port}', f'{HOST}:{free_port()}'
        self.peer = OpenSmtpd(self.place, self.sink.endpoint, OURS, {
            'in-plain.test': f'smtp+notls://{ours}', 'in-tls.test': f'smtp+tls://{ours}',
            'in-auth.test': f'smtp+tls://account@{ours}', 'in-smtps.test': f'smtps://{ours_in_tls}',
            'in-dsn.test': f'smtp+notls://{ours}'}, ITS)
        stack.enter_context(service)
        for key, value in (('hostname', 'relay.test'), ('tls-certificate', certificate.path),
                           ('tls-key', certificate.key_path), ('listen-tls', ours_in_tls), ('retry-intervals', '1s')):
            service.set(key, value)
        service.ctl('account', 'add', ITS[0], '--password-stdin', text=ITS[1] + '\n')
        service.ctl('account', 'add', 'opensmtpd', '--out', f'--user={OURS[0]}', '--password-stdin', text=OURS[1] + '\n')
        for domain in ('plain', 'tls', 'auth', 'smtps', 'dsn'):
            service.add_connection(f'in-{domain}.test', f'--host={self.sink.endpoint}',
                                   accept='permitted' if domain == 'auth' else 'anyone')
        for domain, options in (('plain', ('--tls=none',)), ('tls', ('--tls=encrypted',))):
            service.add_connection(f'out-{domain}.test', f'--host={self.peer.endpoint}', *options)
        service.add_connection('out-auth.test', f'--host={HOST}:{self.peer.auth_port}', '--account=opensmtpd')
        service.wait_applied()
        self.peer.start()
        self.send_all()

    def send_all(self):
        """One message of every kind each way: it waits a while between two that it hands on."""
        for kind in ('plain', 'tls', 'auth', 'smtps'):
            with Client(self.peer.host, self.peer.port) as client:
                rcpts, reply = client.send('a@source.test', [f'u@in-{kind}.test'], CONTENT)
                assert reply.startswith('250'), (rcpts, reply)
        with smtplib.SMTP(self.peer.host, self.peer.port, 'client.test', timeout=60) as client:
            client.sendmail('a@source.test', ['u@in-dsn.test'], CONTENT,
                            rcpt_options=['NOTIFY=FAILURE,DELAY', 'ORCPT=rfc822;first@source.test'])
        for kind in ('plain', 'tls', 'auth'):
            assert send(self.service, 'a@source.test', [f'u@out-{kind}.test'], CONTENT)[1].startswith('250')

    def arrived(self, recipient):
        """Content of the one message for @recipient; each Received line without its folds, the newest first."""
        message, = poll(f'the message for {recipient}', lambda: [
            found for found in list(self.sink.messages) if found.recipients == [recipient]])
        received = re.findall(rb'(?m)^Received: .*\r\n(?:[ \t].*\r\n)*', message.content)
        assert message.content.endswith(CONTENT), message.content
        return [re.sub(r'\s+', ' ', line.decode()) for line in received]

    def handed_in(self, kind):
        """By way of OpenSMTPD; the relay's own Received line."""
        ours, its = self.arrived(f'u@in-{kind}.test')
        assert 'from opensmtpd.test' in ours and 'by relay.test' in ours and 'OpenSMTPD' in its, (ours, its)
        return ours

    def taken_out(self, kind):
        """To OpenSMTPD; its Received line."""
        its, ours = self.arrived(f'u@out-{kind}.test')
        assert 'from relay.test' in its and 'OpenSMTPD' in its and 'by relay.test' in ours, (its, ours)
        return its


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
        except Skip as skip:
            reason = str(skip)

            def test_opensmtpd():
                raise Skip(reason)
            run(test_opensmtpd)

        def test_hands_in_in_clear_text():
            assert ' with ESMTP id ' in world.handed_in('plain')

        def test_hands_in_after_starttls():
            assert ' with ESMTPS ' in world.handed_in('tls')

        def test_hands_in_with_a_login():
            """The row takes from permitted clients alone."""
            assert ' with ESMTPSA ' in world.handed_in('auth')

        def test_hands_in_in_tls_from_the_first_octet():
            assert ' with ESMTPS ' in world.handed_in('smtps')

        def test_hands_in_with_dsn():
            world.handed_in('dsn')
            rcpt = next(line for lines in world.sink.conversations for line in lines if 'u@in-dsn.test' in line)
            assert rcpt == 'C: RCPT TO:<u@in-dsn.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;first@source.test', rcpt

        def test_takes_out_in_clear_text():
            assert ' with ESMTP id ' in world.taken_out('plain')

        def test_takes_out_after_starttls():
            world.peer.check_tls()
            assert re.search(r' with ESMTPS \(TLSv1\.[23]:', world.taken_out('tls'))

        def test_takes_out_with_a_login():
            world.peer.check_tls()
            assert f' auth=yes user={OURS[0]}' in world.taken_out('auth')

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
