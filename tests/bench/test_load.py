#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load program notices what a bad relay does: each case hands a few messages on, one of them wrong."""

import os
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from loader import Endpoint, Load, faults  # noqa: E402
from certs import Authority  # noqa: E402
from place import Place, poll  # noqa: E402
from sink import Sink  # noqa: E402
from support import Client  # noqa: E402
from tap import run  # noqa: E402

MESSAGES = 6
DOMAIN, OTHER = 'load.test', 'other.test'
RECEIVED = b'Received: from a by b;\r\n Thu, 1 Jan 2026 00:00:00 +0000\r\n'


def relayed(change, **options):
    """The figures of a run whose messages @change may change: it gets and gives lists of [recipients,
    content], the content as it should arrive."""
    with Place('load') as place, Sink() as front:
        back = Endpoint()
        load = Load(place, front.endpoint, back, to=DOMAIN, messages=MESSAGES, sessions=2, octets=4000,
                    stay=True, **options)
        assert load.event('sent')['accepted'] == MESSAGES
        messages = [[list(message.recipients), RECEIVED + message.content]
                    for message in poll('the messages', lambda: front.messages)]
        messages.sort()
        with Client('127.0.0.1', back.port) as client:
            for recipients, content in change(messages):
                client.send('sender@source.test', recipients, content)
        load.command('finish')
        figures = load.done()
        assert load.process.returncode == (0 if figures['good'] else 1)
        assert figures['good'] == (not faults(figures))
        return figures


def altered(function, **options):
    """As relayed(); @function makes another content for the third message."""
    def change(messages):
        messages[2][1] = function(messages[2][1])
        return messages
    return faults(relayed(change, **options))


def test_whole():
    figures = relayed(lambda messages: messages)
    assert faults(figures) == {}, figures
    assert figures['arrived'] == MESSAGES, figures


def test_several_recipients_apart():
    def split(messages):
        return [[[recipient], content] for recipients, content in messages for recipient in recipients]
    assert faults(relayed(split, recipients=3)) == {}


def test_lost():
    assert faults(relayed(lambda messages: messages[1:])) == {'lost': 1}


def test_one_recipient_lost():
    def forget(messages):
        messages[3][0].pop()
        return messages
    assert faults(relayed(forget, recipients=3)) == {'lost': 1}


def test_duplicated():
    assert faults(relayed(lambda messages: messages + messages[:2])) == {'duplicated': 2}


def test_one_octet_of_the_body():
    assert altered(lambda content: content[:-200] + b'#' + content[-199:]) == {'wrong_content': 1}


def test_one_octet_of_the_last_line():
    assert altered(lambda content: content[:-3] + b'#\r\n') == {'wrong_content': 1}


def test_one_octet_of_the_head():
    assert altered(lambda content: content.replace(b'benchmark', b'Benchmark')) == {'wrong_content': 1}


def test_dot_lost():
    assert altered(lambda content: content.replace(b'\r\n.', b'\r\n')) == {'wrong_content': 1}


def test_cut_short():
    assert altered(lambda content: content[:content.rindex(b'\r\n', 0, -2) + 2]) == {'wrong_content': 1}


def test_without_body():
    assert altered(lambda content: content[:content.index(b'\r\n\r\n') + 4]) == {'wrong_content': 1}


def test_without_anything():
    assert altered(lambda content: b'') == {'wrong_content': 1}


def test_lengthened():
    assert altered(lambda content: content + b'more\r\n') == {'wrong_content': 1}


def test_field_added():
    assert altered(lambda content: b'X-More: x\r\n' + content) == {'wrong_content': 1}


def test_received_missing():
    assert altered(lambda content: content.removeprefix(RECEIVED)) == {'wrong_content': 1}


def test_received_twice():
    assert altered(lambda content: RECEIVED + content) == {'wrong_content': 1}


def test_content_of_two_exchanged():
    def exchange(messages):
        messages[0][1], messages[1][1] = messages[1][1], messages[0][1]
        return messages
    assert faults(relayed(exchange)) == {'wrong_recipients': 2, 'lost': 2}


def test_domain_not_rewritten():
    assert faults(relayed(lambda messages: messages, expect=OTHER)) == {
        'wrong_recipients': MESSAGES, 'lost': MESSAGES}


def test_domain_rewritten():
    def rewrite(messages):
        return [[[recipient.replace(DOMAIN, OTHER) for recipient in recipients], content]
                for recipients, content in messages]
    assert faults(relayed(rewrite, expect=OTHER)) == {}


def test_recipient_added():
    def add(messages):
        messages[4][0].append('somebody@' + DOMAIN)
        return messages
    assert faults(relayed(add)) == {'wrong_recipients': 1}


def test_notice_to_the_sender():
    figures = relayed(lambda messages: messages + [[['sender@source.test'], b'Subject: x\r\n\r\nx\r\n']])
    assert faults(figures) == {}, figures
    assert figures['foreign'] == 1, figures


def test_refused_and_yet_sent():
    """What was answered 5xx is not the relay's."""
    def reply(verb, argument):
        return '550 5.7.1 no' if verb == 'RCPT' and argument.startswith('m0000000001r') else None
    with Place('load') as place, Sink(reply=reply) as front:
        back = Endpoint()
        load = Load(place, front.endpoint, back, to=DOMAIN, messages=2, sessions=1, octets=90, stay=True)
        assert load.event('sent')['accepted'] == 1
        (kept,) = front.messages
        with Client('127.0.0.1', back.port) as client:
            for number in (b'0000000000', b'0000000001'):
                content = kept.content.replace(b'0000000000', number)
                client.send('x@y.test', [f'm{number.decode()}r0000@{DOMAIN}'], RECEIVED + content)
        load.command('finish')
        figures = load.done()
    assert faults(figures) == {'unpromised': 1}, figures
    assert figures['refused']['5xx'] == 1, figures


def test_tls_on_both_sides():
    """The source sends nothing but in TLS, which the sink offers."""
    with Place('load') as place:
        certificate = Authority(place).issue('sink.test')
        sink = Endpoint()
        figures = Load(place, sink, sink, to=DOMAIN, messages=60, sessions=3, octets=40000, per_connection=7,
                       received=0, starttls=True, sink_certificate=certificate.path,
                       sink_key=certificate.key_path).done()
    assert faults(figures) == {} and figures['arrived'] == 60, figures
    assert figures['source']['lost_connections'] == 0, figures


def test_source_says_starttls():
    with Place('load') as place:
        certificate = Authority(place).issue('sink.test')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path, certificate.key_path)
        with Sink(tls=context) as front:
            load = Load(place, front.endpoint, Endpoint(), to=DOMAIN, messages=MESSAGES, sessions=2, stay=True,
                        starttls=True)
            assert load.event('sent')['accepted'] == MESSAGES
            load.command('finish')
            load.done()
            assert len(front.messages) == MESSAGES
            assert all(message.tls is not None for message in front.messages)


if __name__ == '__main__':
    run(*[function for name, function in sorted(globals().items()) if name.startswith('test_')])
