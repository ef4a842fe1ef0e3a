#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the two recipes of article Q190710 on loopback, with the real programs.

service/run --demo calls it.  Everything it needs it starts itself, below build/demo, and ends: a
bus, reroute-rulesd, reroute-relayd, a DNS server that knows example.com, and two SMTP servers that
write down what they are told.
"""

import os
import shutil
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'relay'))

from place import Place, free_port, poll  # noqa: E402
from sink import Sink  # noqa: E402
from support import Client, Dns, Service  # noqa: E402
from tap import Skip  # noqa: E402

EXCHANGER, HOST = '127.0.0.21', '127.0.0.22'
CONTENT = (b'From: sender@contoso.test\r\nTo: user@test.com\r\nSubject: hello\r\n\r\n'
           b'Good morning.\r\n')


def shown(lines, content):
    """The lines of a conversation, the content in full, and the number of the RCPT TO line."""
    found = []
    for line in lines:
        if line.startswith('C: (') and line.endswith(' octets)'):
            text = content.decode('utf-8', 'replace')
            found.extend('C: ' + part for part in text.removesuffix('\r\n').split('\r\n'))
        else:
            found.append(line)
    return found, next(n for n, line in enumerate(found) if line.startswith('C: RCPT TO:'))


def side_by_side(heads, left, right):
    """Prints two conversations with their RCPT TO lines beside each other."""
    (left_lines, left_rcpt), (right_lines, right_rcpt) = left, right
    shift = max(left_rcpt, right_rcpt)
    left_lines = [''] * (shift - left_rcpt) + left_lines
    right_lines = [''] * (shift - right_rcpt) + right_lines
    columns = shutil.get_terminal_size((132, 24)).columns
    width = min(max(len(line) for line in left_lines), columns // 2 - 4)
    print(f'     {heads[0]:<{width}}    {heads[1]}')
    for n in range(max(len(left_lines), len(right_lines))):
        one = left_lines[n] if n < len(left_lines) else ''
        two = right_lines[n] if n < len(right_lines) else ''
        mark = '==>' if n == shift else '   '
        if len(one) > width:
            one = one[:width - 1] + '…'
        print(f' {mark} {one:<{width}} {mark} {two}'.rstrip())
    print()


def play(service, sink, title, command, wanted):
    """Sets one rule with reroutectl, sends one message, shows both conversations."""
    print(title)
    print(f'  $ reroutectl {" ".join(command)}')
    said = service.ctl(*command).strip()
    if said:
        print(f'  {said}')
    print()
    service.wait_applied()
    with Client(service.host, service.port, helo='contoso.test') as client:
        client.send('sender@contoso.test', ['user@test.com'], CONTENT)
        client.command('QUIT')
    poll('the message at its next hop', lambda: sink.messages, 30)
    message = sink.messages[0]
    side_by_side((f'in: to Reroute, {service.host}:{service.port}',
                  f'out: from Reroute to {sink.name}, {sink.endpoint}'),
                 shown(client.lines, CONTENT), shown(message.session, message.content))
    return message.recipients == [wanted]


def play_both(place):
    port = free_port()
    dns = Dns(place, {'.': ['example.com. MX 10 mail.example.com.',
                            f'mail.example.com. A {EXCHANGER}']}).start()
    shutil.rmtree(place.join('spool'), ignore_errors=True)
    for name in ('rules.db', 'rules.db-wal', 'rules.db-shm'):
        if os.path.exists(place.join(name)):
            os.remove(place.join(name))
    service = Service(place, [f'--dns={dns.endpoint}', f'--mx-port={port}'])
    with service, Sink(EXCHANGER, port, name='mail.example.com') as exchanger, \
            Sink(HOST, name='other.host.test') as host:
        service.set('hostname', 'relay.contoso.test')
        first = play(service, exchanger,
                     'Recipe 1, reroute: Routing page, Add: E-mail sent to test.com should be '
                     'rerouted to example.com.',
                     ['routing', 'add', 'test.com', '--reroute-to=example.com',
                      '--accept-from=anyone'], 'user@example.com')
        service.ctl('routing', 'remove', 'test.com')
        second = play(service, host,
                      'Recipe 2, forward: Connections page, E-Mail Domain, Add: test.com, Forward '
                      f'all messages for this domain to host {host.endpoint}.',
                      ['connections', 'add', 'test.com', f'--host={host.endpoint}',
                       '--accept-from=anyone'], 'user@test.com')
    return first, second


def main():
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    try:
        with Place(path=os.path.join(ROOT, 'build', 'demo')) as place:
            first, second = play_both(place)
    except (Skip, AssertionError, RuntimeError, OSError) as error:
        sys.exit(f'service/run --demo: {error}; the logs are in build/demo')
    print('Recipe 1: RCPT TO was ' + ('rewritten to user@example.com.' if first else 'NOT as expected.'))
    print('Recipe 2: RCPT TO was ' + ('kept: user@test.com.' if second else 'NOT as expected.'))
    sys.exit(0 if first and second else 1)


if __name__ == '__main__':
    main()
