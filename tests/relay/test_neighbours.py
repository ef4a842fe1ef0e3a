#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real neighbours: Postfix hands mail in, Exim and Postfix take it out."""

import collections
import random
import smtplib
import threading

from peers import Exim, Postfix
from place import STRIDE, Place, poll
from support import Service
from tap import run

MESSAGES = 500 // STRIDE
HOSTNAME = 'relay.test'

# Where a recipient as handed in must come out: domain -> (sink, domain).
ROUTES = {
    'test.com': ('exim', 'example.com'),     # rewritten by Routing
    'fwd.test': ('postfix', 'fwd.test'),     # forwarded intact by Connections
    'other.test': ('default', 'other.test'),  # no entry: the default delivery
}


def field(name, value):
    return f'{name}: {value}\r\n'.encode()


def make_message(number, chance):
    """A message of one of several sizes, some over a spool part (256 KiB), with hard lines in it."""
    size = chance.choices((0, 300, 2000, 20000, 300000, 1200000), (1, 4, 8, 4, 1, 0.3))[0]
    lines = [field('Subject', f'message {number}'), field('X-Number', number),
             field('From', 'sender@source.test'), b'\r\n']
    octets = 0
    while octets < size:
        line = chance.choice((b'.', b'..', b'.hidden', b'', b'From here', b'a' * 70, b'z' * 900,
                              b'caf\xc3\xa9 \x80\xff', b'\ttab ')) + b'\r\n'
        lines.append(line)
        octets += len(line)
    return b''.join(lines)


def make_recipients(number, chance):
    domains = chance.choices(list(ROUTES), k=chance.choice((1, 1, 1, 2, 3, 8)))
    return [f'user{number}.{n}@{domain}' for n, domain in enumerate(domains)]


def hand_in(peer, envelopes, threads=8):
    """Sends [(number, recipients, content)] to a peer over several sessions."""
    failures = []

    def work(share):
        try:
            with smtplib.SMTP(peer.host, peer.port, timeout=120) as client:
                for _, recipients, content in share:
                    refused = client.sendmail('sender@source.test', recipients, content)
                    assert not refused, refused
        except Exception as error:  # pylint: disable=broad-except
            failures.append(error)
    workers = [threading.Thread(target=work, args=(envelopes[n::threads],)) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]


def split_trace(content):
    """(the unfolded lines on top as far as the trace goes, the octets below it)."""
    trace, rest = [], content
    while True:
        end = rest.index(b'\r\n') + 2
        while rest[end:end + 1] in (b' ', b'\t'):
            end = rest.index(b'\r\n', end) + 2
        name = rest.split(b':', 1)[0].lower()
        if name not in (b'received', b'return-path', b'x-original-to', b'delivered-to', b'envelope-to'):
            return trace, rest
        trace.append(rest[:end].replace(b'\r\n', b'').decode('latin-1'))
        rest = rest[end:]


def check_content(content, original, hops):
    """Byte for byte below the trace; @hops: the names that must stand behind `by`, top first."""
    trace, rest = split_trace(content)
    assert rest == original, f'{len(rest)} octets arrived, {len(original)} were sent'
    received = [line for line in trace if line.lower().startswith('received:')]
    assert len(received) == len(hops), trace
    for line, hop in zip(received, hops):
        assert f'by {hop}' in ' '.join(line.split()), (hop, line)


def number_of(content):
    start = content.index(b'X-Number: ') + 10
    return int(content[start:content.index(b'\r\n', start)])


def check_arrivals(envelopes, sinks, hop_of_source):
    originals = {number: content for number, _, content in envelopes}
    wanted = collections.Counter()
    for number, recipients, _ in envelopes:
        for recipient in recipients:
            local, domain = recipient.split('@')
            sink, out = ROUTES[domain]
            wanted[sink, number, f'{local}@{out}'] += 1
    found = collections.Counter()
    for name, sink in sinks.items():
        for recipient, content in sink.messages():
            number = number_of(content)
            found[name, number, recipient] += 1
            check_content(content, originals[number], [f'{sink.name}.test', HOSTNAME, hop_of_source])
    assert found == wanted, {'lost': list((wanted - found))[:5], 'too many': list((found - wanted))[:5]}
    return sum(wanted.values())


def neighbourhood(place):
    """(sinks by name, a running service with a rule of each kind that leads to them)."""
    sinks = {'exim': Exim(place).start(), 'postfix': Postfix(place).start(),
             'default': Exim(place, 'default').start()}
    service = Service(place).start()
    service.set('hostname', HOSTNAME)
    service.set('permitted-hosts', '127.0.0.1')
    service.set('default-delivery', sinks['default'].endpoint)
    service.add_routing('test.com', '--reroute-to=example.com')
    service.add_connection('example.com', f'--host={sinks["exim"].endpoint}')
    service.add_connection('fwd.test', f'--host={sinks["postfix"].endpoint}')
    service.wait_applied()
    return sinks, service


def arrived(sinks, count):
    return lambda: sum(sink.count() for sink in sinks.values()) >= count


def test_peers_alone_keep_every_octet():
    with Place('peers') as place:
        sink = Exim(place).start()
        source = Postfix(place, 'source', relayhost=sink.endpoint).start()
        chance = random.Random(1)
        envelopes = [(n, [f'u{n}@test.com'], make_message(n, chance)) for n in range(10)]
        hand_in(source, envelopes)
        poll('ten messages', lambda: sink.count() == 10)
        for _, content in sink.messages():
            check_content(content, envelopes[number_of(content)][2], ['exim.test', 'source.test'])


def test_many_messages_each_once_byte_for_byte():
    with Place('neighbours') as place:
        sinks, service = neighbourhood(place)
        with_source = Postfix(place, 'source', relayhost=f'{service.host}:{service.port}').start()
        chance = random.Random(5500)
        envelopes = [(number, make_recipients(number, chance), make_message(number, chance))
                     for number in range(MESSAGES)]
        hand_in(with_source, envelopes)
        count = sum(len(recipients) for _, recipients, _ in envelopes)
        poll(f'{count} copies', arrived(sinks, count), 180, 0.1)
        service.wait_empty()
        check_arrivals(envelopes, sinks, 'source.test')
        octets = sum(len(content) for _, _, content in envelopes)
        print(f'# {MESSAGES} messages of {octets} octets, {count} recipients')
        service.close()


def test_one_message_under_three_kinds_of_rule_is_split():
    with Place('split') as place:
        sinks, service = neighbourhood(place)
        source = Postfix(place, 'source', relayhost=f'{service.host}:{service.port}').start()
        envelopes = [(7, ['a@test.com', 'b@fwd.test', 'c@other.test', 'd@test.com', 'e@sub.test.com'],
                      make_message(7, random.Random(7)))]
        ROUTES['sub.test.com'] = ('exim', 'example.com')
        hand_in(source, envelopes)
        poll('five copies', arrived(sinks, 5))
        service.wait_empty()
        check_arrivals(envelopes, sinks, 'source.test')
        service.close()


if __name__ == '__main__':
    run(test_peers_alone_keep_every_octet, test_many_messages_each_once_byte_for_byte,
        test_one_message_under_three_kinds_of_rule_is_split)
