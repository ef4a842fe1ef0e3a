#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host denies the mail of one entry, a login or TLS, keeps no other mail from it.

A host that failed, or has denied something, rests for a retry interval, here an hour: whatever goes to it in this
test was not kept from it.
"""

import contextlib
import ssl
import threading

from place import Place, poll
from certs import Authority
from sink import Sink
from support import Client, Service
from tap import run

USER, PASSWORD, OLD_PASSWORD = 'me@provider.test', 'Hält:dicht 17', 'Hält:dicht 16'
N_BURST = 30
N_FIRST = 5  # connections that a host is given at first
N_CROWD = 1024 + 200  # more than wait in line for a host (REROUTE_LIMIT_TRIES_PER_DESTINATION)


class World:
    """A relay, and hosts that several entries lead to."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('denials'))
        self.authority = Authority(self.place)
        self.certificate = self.authority.issue('host.test')
        self.service = stack.enter_context(Service(self.place))
        self.service.set('retry-intervals', '1h')

    def sink(self, mode=ssl.CERT_NONE, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.path, self.certificate.key_path)
        context.verify_mode = mode
        context.load_verify_locations(self.authority.path)
        return self.stack.enter_context(Sink(tls=context, **options))

    def file(self, name):
        """A certificate and its key in one file."""
        certificate = self.authority.issue(name)
        parts = []
        for path in (certificate.path, certificate.key_path):
            with open(path, encoding='ascii') as stream:
                parts.append(stream.read())
        return self.place.write(''.join(parts), f'{name}.pem')

    def account(self, name, password):
        self.service.ctl('account', 'add', name, '--out', f'--user={USER}', '--password-stdin', text=password + '\n')

    def route(self, domain, sink, *options):
        self.service.add_connection(domain, f'--host={sink.endpoint}', *options)
        self.service.wait_applied()

    def send(self, domain, number=1):
        with Client(self.service.host, self.service.port) as client:
            for n in range(number):
                rcpts, reply = client.send('a@source.test', [f'u{n}@{domain}'], b'Subject: x\r\n\r\nhello\r\n')
                assert reply.startswith('250'), (rcpts, reply)

    def waiting(self, domain):
        """What the queue says of the recipients of a domain that wait."""
        return [recipient for message in self.service.queued() for recipient in message['recipients']
                if recipient['address'].endswith(f'@{domain}') and recipient['last_reply']]

    def waits(self, domain, text, number=1):
        """So many are put off, each for that."""
        def find():
            found = self.waiting(domain)
            return len(found) == number and all(text in each['last_reply'] for each in found)
        poll(f'{number} of {domain} to wait for “{text}”', find, step_s=0.1)

    def arrives(self, domain, sink, number=1):
        """It is tried, and taken, though other mail waits."""
        before = len(sink.messages)
        self.send(domain, number)
        poll(f'the mail for {domain}', lambda: len(sink.messages) == before + number)

    def delete(self):
        self.service.ctl('queue', 'delete', '--all')


def logins(sink):
    """How often somebody tried to log in."""
    return sum(line.startswith('C: AUTH ') for lines in list(sink.conversations) for line in lines)


def refusals(sink):
    """How often that was in vain."""
    return sum(line.startswith('S: 535') for lines in list(sink.conversations) for line in lines)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_login():
            """An account that is refused waits, is tried once an interval, and keeps no other account waiting."""
            sink = world.sink(auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
            world.account('right', PASSWORD)
            world.account('wrong', OLD_PASSWORD)
            world.route('wrong.test', sink, '--account=wrong')
            world.route('right.test', sink, '--account=right')
            world.send('wrong.test', N_BURST)
            world.waits('wrong.test', '535 5.7.8 no such login', N_BURST)
            assert 1 <= logins(sink) <= N_FIRST, logins(sink)
            before = logins(sink)
            world.arrives('right.test', sink, N_BURST)
            assert len(world.waiting('wrong.test')) == N_BURST
            world.send('wrong.test')
            world.waits('wrong.test', '535 5.7.8 no such login', N_BURST + 1)
            assert refusals(sink) == before, sink.conversations

        def test_one_login_at_a_time():
            """However many wait, what was denied is asked for by one of them; then all go."""
            sink = world.sink(auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
            world.delete()
            world.route('many.test', sink, '--account=wrong')
            world.send('many.test')
            world.waits('many.test', '535 5.7.8')
            world.send('many.test', N_BURST)
            world.waits('many.test', '535 5.7.8', N_BURST + 1)
            assert logins(sink) == 1, logins(sink)
            service.ctl('queue', 'retry', '--all')
            poll('a second refusal', lambda: refusals(sink) == 2)
            world.send('many.test')
            world.waits('many.test', '535 5.7.8', N_BURST + 2)
            assert logins(sink) == 2, logins(sink)
            world.account('wrong', PASSWORD)
            service.ctl('queue', 'retry', '--all')
            poll('all of them', lambda: len(sink.messages) == N_BURST + 2)
            service.wait_empty()

        def test_certificate():
            """A host that wants one says so behind the handshake; entries that show one are none the worse for it."""
            sink = world.sink(ssl.CERT_REQUIRED)
            world.route('nobody.test', sink, '--tls=encrypted')
            world.route('somebody.test', sink, f'--certificate={world.file("somebody")}')
            world.send('nobody.test')
            world.waits('nobody.test', 'connection lost')
            world.arrives('somebody.test', sink, N_BURST)
            assert len(world.waiting('nobody.test')) == 1
            world.delete()

        def test_level():
            """A level that is not reached concerns the entry that demands it."""
            plain = stack.enter_context(Sink())
            shown = world.sink()
            for sink, text in ((plain, 'TLS is demanded'), (shown, 'TLS failed')):
                level = 'encrypted' if sink is plain else 'verified'
                world.route(f'{level}.test', sink, f'--tls={level}')
                world.route(f'any-{level}.test', sink)
                world.send(f'{level}.test')
                world.waits(f'{level}.test', text)
                before = len(sink.conversations)
                world.arrives(f'any-{level}.test', sink, N_BURST)
                after = len(sink.conversations)
                world.send(f'{level}.test')
                world.waits(f'{level}.test', text, 2)
                assert len(sink.conversations) == after > before, sink.conversations
            world.delete()

        def test_a_dead_host_is_dead_for_all():
            """What fails before anything was demanded is known to all, and told to each."""
            replies = ['421 4.3.2 not today']
            sink = world.sink(reply=lambda verb, _: replies[0] if verb == 'CONNECT' and replies else None,
                              auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
            world.route('one.test', sink, '--account=right')
            world.route('other.test', sink, '--account=wrong', '--tls=encrypted')
            world.send('one.test')
            world.waits('one.test', '421 4.3.2 not today')
            world.send('other.test')
            world.waits('other.test', '421 4.3.2 not today')
            assert len(sink.conversations) == 1, sink.conversations
            del replies[:]
            service.ctl('queue', 'retry', '--all')
            poll('both', lambda: len(sink.messages) == 2)

        def test_a_crowd():
            """More wait than the line has room for: each learns that it is denied, other mail goes, and then all."""
            gate = threading.Event()
            sink = world.sink(auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]},
                              reply=lambda verb, _: gate if verb == 'AUTH' else None)
            world.account('crowd', OLD_PASSWORD)
            world.route('crowd.test', sink, '--account=crowd')
            world.route('beside.test', sink, '--account=right')
            world.send('crowd.test', N_CROWD)
            world.send('beside.test', N_BURST)
            gate.set()
            poll('the other mail', lambda: len(sink.messages) == N_BURST)
            world.waits('crowd.test', '535 5.7.8', N_CROWD)
            world.account('crowd', PASSWORD)
            service.ctl('queue', 'retry', '--all')
            poll('all of them', lambda: len(sink.messages) == N_BURST + N_CROWD)
            service.wait_empty()

        def test_alarm_names_the_account():
            """The host is not down, and somebody must hear of it all the same."""
            service.set('alarm-next-hop', '1s')
            sink = world.sink(auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
            world.account('lost', OLD_PASSWORD)
            world.route('lost.test', sink, '--account=lost')
            world.route('found.test', sink, '--account=right')
            world.send('lost.test')
            world.waits('lost.test', '535 5.7.8')
            world.arrives('found.test', sink)
            poll('the alarm', lambda: f'{sink.endpoint} (lost)' in service.ctl('status'))
            world.account('lost', PASSWORD)
            service.ctl('queue', 'retry', '--all')
            service.wait_empty()
            poll('its end', lambda: f'{sink.endpoint} (lost)' not in service.ctl('status'))

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
