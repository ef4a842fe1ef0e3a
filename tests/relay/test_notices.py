#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery status notifications (RFC 3461): what a sender asks for goes on, or is done by the relay."""

import contextlib
import email
import email.policy
import re
import threading

from place import Place, free_port, poll
from sink import EXTENSIONS, Sink
from support import Client, Service
from tap import run

CONTENT = b'Subject: asked\r\n\r\n.first\r\nbody\r\n'
SENDER = 'a+b@back.test'
N_CROWD = 1024 + 50  # more than wait in line for a host (REROUTE_LIMIT_TRIES_PER_DESTINATION)


def expect(reply, start):
    assert reply.startswith(start), f'{reply!r}, wanted {start!r}'


def refuse(verb, argument):
    if verb == 'RCPT' and argument.startswith('bad'):
        return '550 5.1.1 no such user here'
    return None


def hand_in(service, mail, *rcpts, content=CONTENT):
    """One message; @mail and each of @rcpts: what stands behind the address, with it."""
    with Client(service.host, service.port) as client:
        assert '250-DSN' in client.ehlo.split('\n'), client.ehlo
        expect(client.command(f'MAIL FROM:{mail}'), '250')
        for rcpt in rcpts:
            expect(client.command(f'RCPT TO:{rcpt}'), '250')
        expect(client.command('DATA'), '354')
        expect(client.content(content), '250')
        client.quit()


def commands(sink, verb):
    return [line[3:] for lines in list(sink.conversations) for line in list(lines)
            if line.startswith(f'C: {verb} ')]


def report(message):
    """(subject, fields of the whole, [fields of each recipient], type and text of the third part)."""
    parsed = email.message_from_bytes(message.content, policy=email.policy.default)
    assert parsed.get_content_type() == 'multipart/report', parsed
    _, status, third = parsed.iter_parts()
    whole, *recipients = status.get_payload()
    return (parsed['Subject'], dict(whole.items()), [dict(part.items()) for part in recipients],
            third.get_content_type(), third.as_string())


class Street:
    """The relay, a host that takes, one that knows DSN, and the one that notices go to."""

    def __init__(self, place):
        self.plain = Sink(reply=refuse)
        self.knows = Sink(reply=refuse, extensions=EXTENSIONS + ('DSN',))
        self.back = Sink()
        self.service = Service(place)

    def __enter__(self):
        for sink in (self.plain, self.knows, self.back):
            sink.__enter__()
        self.service.start()
        self.service.add_connection('plain.test', f'--host={self.plain.endpoint}')
        self.service.add_connection('knows.test', f'--host={self.knows.endpoint}')
        self.service.add_connection('back.test', f'--host={self.back.endpoint}')
        self.service.add_routing('old.test', '--reroute-to=knows.test')
        self.service.wait_applied()
        return self

    def __exit__(self, *_):
        self.service.close()
        for sink in (self.plain, self.knows, self.back):
            sink.__exit__()


def test_what_was_asked_goes_on():
    with Place('asked') as place, Street(place) as street:
        hand_in(street.service, f'<{SENDER}> RET=HDRS ENVID=Q+2B1',
                '<u@knows.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2B@x.test',
                '<v@old.test> NOTIFY=NEVER', '<w@old.test>', '<x+y@old.test>')
        poll('the message', lambda: street.knows.messages)
        assert commands(street.knows, 'MAIL')[0].endswith(' RET=HDRS ENVID=Q+2B1'), commands(street.knows, 'MAIL')
        assert sorted(commands(street.knows, 'RCPT')) == [
            'RCPT TO:<u@knows.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;first+2B@x.test',
            'RCPT TO:<v@knows.test> NOTIFY=NEVER ORCPT=rfc822;v@old.test',
            'RCPT TO:<w@knows.test> ORCPT=rfc822;w@old.test',
            'RCPT TO:<x+y@knows.test> ORCPT=rfc822;x+2By@old.test'], commands(street.knows, 'RCPT')
        # The host tells of success itself.
        street.service.wait_empty()
        assert not street.back.messages, street.back.messages


def test_what_a_recipient_was_goes_on_where_it_fits_in():
    with Place('long') as place, Street(place) as street:
        # RFC 3461 4.2: ORCPT has 500 octets at most, "rfc822;" and what xtext makes of the address.
        fits, too_long = 'x' * 484 + '@old.test', 'x' * 485 + '@old.test'
        escaped = '+' * 170 + '@old.test'
        hand_in(street.service, f'<{SENDER}>', f'<{fits}>', f'<{too_long}>', f'<{escaped}>')
        poll('the message', lambda: street.knows.messages)
        said = [f'RCPT TO:<{"x" * 484}@knows.test> ORCPT=rfc822;{fits}', f'RCPT TO:<{"x" * 485}@knows.test>',
                f'RCPT TO:<{"+" * 170}@knows.test>']
        assert sorted(commands(street.knows, 'RCPT')) == sorted(said), commands(street.knows, 'RCPT')


def test_host_without_dsn_is_told_nothing_and_the_relay_tells_of_success():
    with Place('relayed') as place, Street(place) as street:
        hand_in(street.service, f'<{SENDER}> ENVID=77', '<u@plain.test> NOTIFY=SUCCESS ORCPT=rfc822;o@x.test',
                '<v@plain.test> NOTIFY=FAILURE', '<w@plain.test>')
        poll('the notice', lambda: street.back.messages)
        for verb in ('MAIL', 'RCPT'):
            for command in commands(street.plain, verb):
                assert not any(word in command for word in ('RET', 'ENVID', 'NOTIFY', 'ORCPT')), command
        street.service.wait_empty()
        assert len(street.plain.messages) == 1 and len(street.back.messages) == 1
        notice = street.back.messages[0]
        assert notice.reverse_path == '' and notice.recipients == [SENDER], notice.recipients
        subject, whole, recipients, kind, _ = report(notice)
        assert subject == 'Your message was passed on', subject
        assert whole['Original-Envelope-Id'] == '77', whole
        assert kind == 'text/rfc822-headers', kind
        assert len(recipients) == 1, recipients
        assert recipients[0]['Action'] == 'relayed' and recipients[0]['Status'].startswith('2.'), recipients
        assert recipients[0]['Original-Recipient'] == 'rfc822; o@x.test', recipients
        assert recipients[0]['Final-Recipient'] == 'rfc822; u@plain.test', recipients


# What stands behind MAIL FROM:, the recipient, header, body, and whether a host without extensions gets it: else
# the status of the notice.  RFC 6152 and RFC 6531 are about octets over 127, not about what was declared.
NEEDS = (
    (f'<{SENDER}> BODY=8BITMIME', '<u@bare.test>', 'plain', 'plain', None),
    (f'<{SENDER}> SMTPUTF8', '<u@bare.test>', 'plain', 'plain', None),
    (f'<{SENDER}> BODY=8BITMIME SMTPUTF8', '<u@bare.test>', 'plain', 'plain', None),
    (f'<{SENDER}> SMTPUTF8', '<u@münchen.example>', 'plain', 'plain', None),
    (f'<{SENDER}> SMTPUTF8', r'<u@münchen.example> ORCPT=utf-8;u@m\x{FC}nchen.example', 'plain', 'plain', None),
    (f'<{SENDER}>', '<u@bare.test>', 'ü', 'ü', None),
    (f'<{SENDER}> SMTPUTF8', '<u@bare.test>', 'plain', 'ü', None),
    (f'<{SENDER}> BODY=8BITMIME', '<u@bare.test>', 'plain', 'ü', '5.6.3'),
    (f'<{SENDER}> BODY=8BITMIME', '<u@bare.test>', 'ü', 'plain', '5.6.3'),
    (f'<{SENDER}> SMTPUTF8', '<u@bare.test>', 'ü', 'plain', '5.6.7'),
    (f'<{SENDER}> SMTPUTF8', '<ü@bare.test>', 'plain', 'plain', '5.6.7'),
    (f'<{SENDER}> SMTPUTF8', '<u@bare.test> ORCPT=utf-8;ü@bare.test', 'plain', 'plain', '5.6.7'),
    ('<ö@back.test> SMTPUTF8', '<u@bare.test>', 'plain', 'plain', '5.6.7'),
)


def test_only_octets_over_127_need_what_a_host_lacks():
    with (Place('needs') as place, Street(place) as street, Sink(extensions=('SIZE 1000000',)) as bare,
          Sink(reply=lambda verb, argument: '500 5.5.2 what?' if verb == 'EHLO' else None) as ancient):
        street.service.add_routing('münchen.example', '--reroute-to=bare.test')
        for n, host in enumerate((bare, ancient)):
            verb = 'edit' if n > 0 else 'add'
            street.service.ctl('connections', verb, 'bare.test', f'--host={host.endpoint}')
            street.service.wait_applied()
            for mail, rcpt, subject, body, status in NEEDS:
                del host.messages[:], street.back.messages[:]
                content = f'Subject: {subject}\r\n\r\n{body}\r\n'.encode()
                hand_in(street.service, mail, rcpt, content=content)
                street.service.wait_empty()
                said = [report(notice)[2][0]['Status'] for notice in street.back.messages]
                assert said == [status] * (status is not None), (mail, rcpt, subject, body, said)
                assert len(host.messages) == (status is None), (mail, rcpt, subject, body)
                assert all(message.content.endswith(content) for message in host.messages), host.messages[0].content


def test_what_a_message_needs_outlasts_a_crash():
    """What its content is stands in the spool."""
    contents = {'plain': b'Subject: plain\r\n\r\nplain\r\n', 'eight': 'Subject: plain\r\n\r\nü\r\n'.encode()}
    with Place('crash') as place, Street(place) as street:
        port = free_port()
        street.service.add_connection('bare.test', f'--host=127.0.0.1:{port}')
        street.service.wait_applied()
        for name, content in contents.items():
            hand_in(street.service, f'<{SENDER}> BODY=8BITMIME SMTPUTF8', f'<{name}@bare.test>', content=content)
        street.service.kill_relay()
        street.service.start_relay()
        with Sink(port=port, extensions=('SIZE 1000000',)) as bare:
            street.service.ctl('queue', 'retry', '--all')
            street.service.wait_empty()
            assert bare.recipients() == ['plain@bare.test'], bare.recipients()
        assert [report(notice)[2][0]['Status'] for notice in street.back.messages] == ['5.6.3']


def test_what_a_message_needs_goes_by_who_gets_it():
    with Place('who') as place, Street(place) as street, Sink(extensions=('SIZE 1000000',)) as bare:
        street.service.add_connection('bare.test', f'--host={bare.endpoint}')
        street.service.wait_applied()
        hand_in(street.service, f'<{SENDER}> BODY=8BITMIME SMTPUTF8', '<ü@plain.test>', '<u@knows.test>', '<u@bare.test>')
        street.service.wait_empty()
        assert not street.back.messages, street.back.messages
        for sink, wanted in ((street.plain, ' SMTPUTF8'), (street.knows, ''), (bare, '')):
            mail, = commands(sink, 'MAIL')
            assert re.fullmatch(rf'MAIL FROM:<{re.escape(SENDER)}> SIZE=\d+{wanted}', mail), mail


def test_failure_is_told_to_who_wants_it():
    with Place('failure') as place, Street(place) as street:
        hand_in(street.service, f'<{SENDER}> RET=FULL', '<bad1@plain.test> NOTIFY=NEVER',
                '<bad2@plain.test> NOTIFY=SUCCESS,DELAY', '<bad3@plain.test> NOTIFY=FAILURE', '<bad4@plain.test>')
        poll('the notice', lambda: street.back.messages)
        street.service.wait_empty()
        assert len(street.back.messages) == 1
        _, _, recipients, kind, text = report(street.back.messages[0])
        assert [part['Final-Recipient'] for part in recipients] == [
            'rfc822; bad3@plain.test', 'rfc822; bad4@plain.test'], recipients
        assert kind == 'message/rfc822', kind
        assert '.first\nbody\n' in text, text
        # Nobody answers the null reverse-path, whatever it asked for.
        hand_in(street.service, '<>', '<bad5@plain.test> NOTIFY=FAILURE,SUCCESS')
        street.service.wait_empty()
        assert len(street.back.messages) == 1


def test_large_message_comes_back_as_its_headers():
    with Place('large') as place, Street(place) as street:
        content = b'Subject: large\r\n\r\n' + b'x' * 70 + b'\r\n'
        hand_in(street.service, f'<{SENDER}> RET=FULL', '<bad@plain.test>', content=content + content * 1000)
        poll('the notice', lambda: street.back.messages)
        _, _, _, kind, text = report(street.back.messages[0])
        assert kind == 'text/rfc822-headers' and 'Subject: large' in text and 'xxx' not in text, text


def test_delay_is_told_once_to_who_wants_it():
    with Place('delay') as place, Street(place) as street:
        street.service.set('delay-notice', '1s')
        street.service.set('retry-intervals', '1s')
        street.service.add_connection('later.test', f'--host=127.0.0.1:{free_port()}')
        street.service.wait_applied()
        hand_in(street.service, f'<{SENDER}>', '<u@later.test> NOTIFY=DELAY', '<v@later.test>',
                '<w@later.test> NOTIFY=NEVER', '<x@later.test> NOTIFY=FAILURE')

        def told():
            return sorted(part['Final-Recipient'] for message in list(street.back.messages)
                          for part in report(message)[2])
        poll('the notices', lambda: len(told()) >= 2)
        assert told() == ['rfc822; u@later.test', 'rfc822; v@later.test'], told()
        assert report(street.back.messages[0])[2][0]['Action'] == 'delayed'


@contextlib.contextmanager
def line_for_a_host(name, **settings):
    """(street, sink, event): the one connection to the host of line.test is in use until the event is set."""
    go_on = threading.Event()
    with Place(name) as place, Street(place) as street, \
            Sink(reply=lambda verb, _: go_on if verb == 'DOT' else None) as sink:
        for key, value in dict(settings, max_connections_per_host='1').items():
            street.service.set(key.replace('_', '-'), value)
        street.service.add_connection('line.test', f'--host={sink.endpoint}')
        street.service.wait_applied()
        hand_in(street.service, '<>', '<a@line.test>')
        poll('the first message', lambda: sink.messages)
        try:
            yield street, sink, go_on
        finally:
            go_on.set()


def told_of(street, action):
    return [part['Final-Recipient'] for message in list(street.back.messages) for part in report(message)[2]
            if part['Action'] == action]


def test_delay_in_line_is_told_and_costs_no_place():
    with line_for_a_host('in-line', delay_notice='1s') as (street, sink, go_on):
        hand_in(street.service, f'<{SENDER}>', '<b@line.test>', '<n@line.test> NOTIFY=NEVER')
        poll('the notice', lambda: told_of(street, 'delayed'))
        hand_in(street.service, '<>', '<c@line.test>')
        go_on.set()
        street.service.wait_empty()
        assert sink.recipients() == [f'{name}@line.test' for name in 'abnc'], sink.recipients()
        assert told_of(street, 'delayed') == ['rfc822; b@line.test'], told_of(street, 'delayed')


def test_the_time_of_mail_in_line_runs_out():
    """Also that of what is beyond the end of the line."""
    with line_for_a_host('runs-out', message_timeout='2s', bounce_timeout='2s', retry_intervals='1s') as (street, sink, go_on):
        hand_in(street.service, f'<{SENDER}>', '<b@line.test>')
        with Client(street.service.host, street.service.port) as client:
            for _ in range(N_CROWD):
                expect(client.send('', ['c@line.test'], CONTENT)[1], '250')
        poll('the notice', lambda: told_of(street, 'failed') == ['rfc822; b@line.test'])
        poll('the others to be dropped', lambda: street.service.ctl_json('status')['relay']['messages-queued'] == 1)
        go_on.set()
        street.service.wait_empty()
        assert sink.recipients() == ['a@line.test'], sink.recipients()


def test_asked_for_survives_a_restart():
    with Place('restart') as place, Street(place) as street:
        port = free_port()
        street.service.set('retry-intervals', '1s')
        street.service.add_connection('later.test', f'--host=127.0.0.1:{port}')
        street.service.wait_applied()
        hand_in(street.service, f'<{SENDER}> ENVID=x1 RET=FULL', '<u@later.test> NOTIFY=SUCCESS ORCPT=rfc822;o@x.test')
        street.service.kill_relay()
        with Sink(port=port, extensions=EXTENSIONS + ('DSN',)) as sink:
            street.service.start_relay()
            street.service.ctl('queue', 'retry', '--all')
            poll('the message', lambda: sink.messages)
            assert commands(sink, 'MAIL')[-1].endswith(' RET=FULL ENVID=x1'), commands(sink, 'MAIL')
            assert commands(sink, 'RCPT')[-1].endswith(' NOTIFY=SUCCESS ORCPT=rfc822;o@x.test')
            street.service.wait_empty()


if __name__ == '__main__':
    run(test_what_was_asked_goes_on,
        test_what_a_recipient_was_goes_on_where_it_fits_in,
        test_host_without_dsn_is_told_nothing_and_the_relay_tells_of_success,
        test_only_octets_over_127_need_what_a_host_lacks,
        test_what_a_message_needs_goes_by_who_gets_it,
        test_failure_is_told_to_who_wants_it,
        test_large_message_comes_back_as_its_headers,
        test_delay_is_told_once_to_who_wants_it,
        test_delay_in_line_is_told_and_costs_no_place,
        test_the_time_of_mail_in_line_runs_out,
        test_asked_for_survives_a_restart)
