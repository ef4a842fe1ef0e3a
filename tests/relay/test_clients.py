#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients hand mail in: swaks, curl, msmtp, Python's smtplib, Exim by BDAT, Postfix with DSN."""

import email.message
import glob
import shutil
import smtplib
import subprocess

from peers import Exim, Postfix, msmtp
from place import Place, poll
from sink import EXTENSIONS, Sink
from support import Service
from tap import Skip, run

CONTENT = b'Subject: from a client\r\nTo: u@one.test\r\n\r\n.dots\r\nline\r\n'


def need(program):
    path = shutil.which(program)
    if path is None:
        raise Skip(f'no {program}')
    return path


def call(command, octets=None, **options):
    result = subprocess.run(command, input=octets, capture_output=True, timeout=120, check=False, **options)
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


class Street:
    """The relay and a host that knows DSN behind it."""

    def __init__(self, place):
        self.sink = Sink(extensions=EXTENSIONS + ('DSN',))
        self.service = Service(place)

    def __enter__(self):
        self.sink.__enter__()
        self.service.start()
        self.service.add_connection('one.test', f'--host={self.sink.endpoint}')
        self.service.wait_applied()
        return self

    def __exit__(self, *_):
        self.service.close()
        self.sink.__exit__()

    @property
    def endpoint(self):
        return f'{self.service.host}:{self.service.port}'

    def message(self):
        """The one that came, without the trace on top of it."""
        poll('the message', lambda: self.sink.messages)
        assert len(self.sink.messages) == 1, self.sink.messages
        message = self.sink.messages[0]
        assert message.content.startswith(b'Received: from '), message.content
        return message

    def rcpt(self):
        return next(line[3:] for lines in list(self.sink.conversations) for line in list(lines)
                    if line.startswith('C: RCPT '))


def test_swaks():
    with Place('swaks') as place, Street(place) as street:
        call([need('swaks'), '--server', street.endpoint, '--from', 'a@client.test', '--to', 'u@one.test,v@one.test',
              '--helo', 'client.test', '--pipeline', '--data', CONTENT.decode().replace('\r\n', '\n')])
        message = street.message()
        assert message.recipients == ['u@one.test', 'v@one.test'], message.recipients
        assert message.content.rstrip().endswith(CONTENT.rstrip()), message.content


def test_curl():
    with Place('curl') as place, Street(place) as street:
        call([need('curl'), '-sS', f'smtp://{street.endpoint}/client.test', '--mail-from', 'a@client.test',
              '--mail-rcpt', 'u@one.test', '--upload-file', '-'], CONTENT)
        assert street.message().content.endswith(CONTENT), street.message().content


def test_curl_beyond_ascii():
    with Place('curl') as place, Street(place) as street:
        call([need('curl'), '-sS', f'smtp://{street.endpoint}/client.test', '--mail-from', 'ä@client.test',
              '--mail-rcpt', 'ü@one.test', '--upload-file', '-'], CONTENT)
        message = street.message()
        assert (message.reverse_path, message.recipients) == ('ä@client.test', ['ü@one.test']), message.session
        assert b' with UTF8SMTP id ' in message.content, message.content


def test_msmtp():
    with Place('msmtp') as place, Street(place) as street:
        program, environment = msmtp(place)
        call([program, '--file=/dev/null', f'--host={street.service.host}', f'--port={street.service.port}', '--tls=off',
              '--auth=off', '--from=a@client.test', '--dsn-notify=failure,delay', '--dsn-return=hdrs', 'u@one.test'],
             CONTENT.replace(b'\r\n', b'\n'), env=environment)
        assert street.message().content.endswith(CONTENT), street.message().content
        assert street.rcpt() == 'RCPT TO:<u@one.test> NOTIFY=FAILURE,DELAY', street.rcpt()


def test_smtplib_beyond_ascii_with_dsn():
    with Place('smtplib') as place, Street(place) as street:
        message = email.message.EmailMessage()
        message['Subject'] = 'grüße'
        message['From'], message['To'] = 'ä@client.test', 'ü@one.test'
        message.set_content('größe\n')
        with smtplib.SMTP(street.service.host, street.service.port, 'client.test') as client:
            client.send_message(message, mail_options=['RET=FULL', 'ENVID=x+2B1'],
                                rcpt_options=['NOTIFY=SUCCESS', 'ORCPT=utf-8;ü@one.test'])
        found = street.message()
        assert found.reverse_path == 'ä@client.test' and found.recipients == ['ü@one.test'], found.recipients
        assert 'Subject: grüße\r\n'.encode() in found.content, found.content
        assert street.rcpt() == 'RCPT TO:<ü@one.test> NOTIFY=SUCCESS ORCPT=utf-8;ü@one.test', street.rcpt()


def hand_to(peer, octets, **options):
    with smtplib.SMTP(peer.host, peer.port, 'client.test') as client:
        client.sendmail('a@client.test', ['u@one.test'], octets, **options)


def test_exim_by_bdat():
    """In chunks of Exim's own size: small, and over a spool part (256 KiB)."""
    with Place('exim') as place, Street(place) as street:
        source = Exim(place, 'source', relayhost=street.endpoint).start()
        for number, lines in enumerate((1, 20000)):
            octets = CONTENT + b'.line of a larger message\r\n' * lines
            hand_to(source, octets)
            poll('the message', lambda n=number: len(street.sink.messages) > n)
            assert street.sink.messages[number].content.endswith(octets)
        log = ''.join(open(path, encoding='utf-8').read() for path in glob.glob(source.path('log', 'mainlog')))
        sent = [line for line in log.splitlines() if ' => ' in line]
        assert len(sent) == 2 and all(' K ' in line for line in sent), log


def test_postfix_with_dsn():
    with Place('postfix') as place, Street(place) as street:
        source = Postfix(place, 'source', relayhost=street.endpoint).start()
        hand_to(source, CONTENT, mail_options=['RET=HDRS', 'ENVID=77'], rcpt_options=['NOTIFY=FAILURE'])
        assert street.message().content.endswith(CONTENT)
        assert street.rcpt().startswith('RCPT TO:<u@one.test> NOTIFY=FAILURE ORCPT=rfc822;u@one.test'), street.rcpt()


if __name__ == '__main__':
    run(test_swaks, test_curl, test_curl_beyond_ascii, test_msmtp, test_smtplib_beyond_ascii_with_dsn, test_exim_by_bdat,
        test_postfix_with_dsn)
