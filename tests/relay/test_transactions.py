#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a next hop hears of a message: one transaction for all who go there, and each mailbox once."""

from place import Place, poll
from sink import EXTENSIONS, Sink
from support import Client, Service, send
from tap import run

CONTENT = b'Subject: x\r\n\r\nhello\r\n'
# The same mailbox, once old.test is new.test: RFC 5321 section 2.4.
ONE_MAILBOX = ['u@old.test', 'u@new.test', 'u@sub.old.test', 'u@NEW.test', 'U@old.test', 'v@old.test']
NAMED = ['u@new.test', 'U@new.test', 'v@new.test']


def rewrite(service, endpoint):
    """old.test becomes new.test, which is ours; its mail goes to @endpoint."""
    service.set('inbound-host', endpoint)
    service.set('retry-intervals', '1h')
    service.add_routing('new.test', '--inbound')
    service.add_routing('old.test', '--reroute-to=new.test')
    service.wait_applied()


def test_rows_with_one_host_share_a_transaction():
    domains = [f'd{number}.test' for number in range(20)]
    with Place('one-host') as place, Sink() as sink, Sink() as other, Service(place) as service:
        for domain in domains:
            service.add_connection(domain, f'--host={sink.endpoint}')
        service.add_connection('other.test', f'--host={other.endpoint}')
        service.add_connection('both.test', f'--host={sink.endpoint},{other.endpoint}')
        service.wait_applied()
        send(service, 'a@source.test', [f'u@{domain}' for domain in (*domains, 'other.test', 'both.test')])
        service.wait_empty()
        assert sorted(len(message.recipients) for message in sink.messages) == [1, 20], sink.messages
        assert [message.recipients for message in other.messages] == [['u@other.test']]


def test_each_mailbox_is_named_once():
    with Place('mailboxes') as place, Sink() as sink, Service(place) as service:
        rewrite(service, sink.endpoint)
        send(service, 'a@source.test', ONE_MAILBOX)
        service.wait_empty()
        assert [message.recipients for message in sink.messages] == [NAMED], sink.messages[0].recipients


def test_a_reply_is_for_all_who_share_the_mailbox():
    """By LMTP, which answers for each recipient behind the content."""
    def reply(verb, argument):
        if verb == 'DOT':
            return {'u@new.test': '550 5.2.2 full', 'U@new.test': '451 4.2.2 not now'}.get(argument)
        return '550 5.1.1 nobody' if (verb, argument) == ('RCPT', 'gone@new.test') else None

    with Place('mailboxes-lmtp') as place, Service(place) as service, Sink() as notices, \
            Sink(reply=reply, lmtp=True, path=place.join('lmtp')) as sink:
        service.add_connection('source.test', f'--host={notices.endpoint}')
        rewrite(service, f'lmtp:{sink.path}')
        send(service, 'a@source.test', [*ONE_MAILBOX, 'gone@old.test', 'gone@new.test'])
        poll('the notice', lambda: notices.messages)
        notice = notices.messages[0].content.decode()
        told = [line.split(';')[1].strip() for line in notice.splitlines() if line.startswith('Final-Recipient:')]
        assert told == [*ONE_MAILBOX[:4], 'gone@old.test', 'gone@new.test'], told
        waiting, = service.queued()
        assert [each['address'] for each in waiting['recipients']] == ['U@old.test'], waiting
        assert [message.recipients for message in sink.messages] == [['v@new.test']], sink.messages


def test_what_was_answered_before_the_end_holds_for_all_who_share_it():
    drops = [True]

    def reply(verb, argument):
        return 'drop' if drops and verb == 'DOT' and argument == 'v@new.test' else None

    def waiting():
        return [recipient['address'] for message in service.queued() for recipient in message['recipients']
                if recipient['tries']]

    with Place('mailboxes-lost') as place, Service(place) as service, \
            Sink(reply=reply, lmtp=True, path=place.join('lmtp')) as sink:
        rewrite(service, f'lmtp:{sink.path}')
        send(service, 'a@source.test', ONE_MAILBOX)
        poll('the last one to wait', lambda: waiting() == ['v@old.test'])
        drops.clear()
        sink.messages.clear()
        service.ctl('queue', 'retry', '--all')
        service.wait_empty()
        assert sink.recipients() == ['v@new.test'], sink.recipients()


def test_who_asked_for_other_notices_is_named_beside():
    with Place('mailboxes-dsn') as place, Sink(extensions=(*EXTENSIONS, 'DSN')) as sink, Service(place) as service:
        rewrite(service, sink.endpoint)
        with Client(service.host, service.port) as client:
            client.command('MAIL FROM:<a@source.test>')
            for words in ('<u@old.test> ORCPT=rfc822;u@old.test', '<u@new.test> ORCPT=rfc822;u@new.test',
                          '<u@old.test> NOTIFY=SUCCESS ORCPT=rfc822;one@x.test',
                          '<u@new.test> NOTIFY=SUCCESS ORCPT=rfc822;two@x.test',
                          '<u@new.test> NOTIFY=SUCCESS ORCPT=rfc822;two@x.test'):
                assert client.command(f'RCPT TO:{words}').startswith('250')
            client.command('DATA')
            assert client.content(CONTENT).startswith('250')
        service.wait_empty()
        asked = [line for line in '\n'.join(sink.conversations[-1]).splitlines() if 'RCPT TO' in line]
        assert len(asked) == 3, asked
        assert sum('NOTIFY=SUCCESS' in line for line in asked) == 2, asked


if __name__ == '__main__':
    run(*[function for name, function in list(locals().items()) if name.startswith('test_')])
