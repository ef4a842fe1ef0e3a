#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One destination never makes another one wait, and mail for it fills no memory.

Nothing here is timed: next hops are held by an event that the test sets when it has seen that the
others were served.
"""

import contextlib
import errno
import os
import resource
import ssl
import threading

from memory import Peak
from place import IS_LONG, Place, free_port, poll
from certs import Authority
from sink import Sink
from support import RELAYD, Client, Dns, Service
from tap import run

N_STUCK = 3000 if IS_LONG else 200
N_OTHERS = 20
N_DOMAINS = 20
HOST = '127.0.0.1'
USER, PASSWORD = 'me', 'secret'
BIG_OCTETS = 64 * 1024
N_BIG = 8000 if IS_LONG else 640
# What waits for a slow host is released to the journal at once (design.md section 5), so far less than
# is sent (40 MiB) stays: what its 20 connections send, an index entry a message, and what malloc keeps.
LIMIT_KIB = 24 * 1024


def send_many(service, domain, number, octets=100, sender='a@source.test'):
    """@number messages in one session; each must be acknowledged."""
    body = b'Subject: x\r\n\r\n' + (b'x' * 98 + b'\r\n') * (octets // 100)
    with Client(service.host, service.port) as client:
        for n in range(number):
            _, reply = client.send(sender, [f'u{n}@{domain}'], body)
            assert reply.startswith('250'), reply
        client.command('QUIT')


def started(place, hosts, **settings):
    service = Service(place).start()
    for key, value in settings.items():
        service.set(key.replace('_', '-'), value)
    for domain, host in hosts.items():
        service.add_connection(domain, f'--host={host}')
    service.wait_applied()
    return service


def others_are_served(service, other):
    before = len(other.messages)
    send_many(service, 'other.test', N_OTHERS)
    poll('the mail of the others', lambda: len(other.messages) == before + N_OTHERS)


def held(verb):
    """(sink that says nothing to @verb until the event is set, the event)"""
    release = threading.Event()
    return Sink(reply=lambda now, _: release if now == verb else None), release


def check_held(verb):
    sink, release = held(verb)
    with Place('fair') as place, Sink() as other, sink:
        service = started(place, {'slow.test': sink.endpoint, 'other.test': other.endpoint})
        send_many(service, 'slow.test', N_STUCK)
        others_are_served(service, other)
        assert service.ctl_json('status')['relay']['messages-queued'] == N_STUCK
        release.set()
        poll('the held mail', lambda: len(sink.messages) == N_STUCK)
        service.wait_empty()
        service.close()


def test_a_host_that_never_greets():
    check_held('CONNECT')


def test_a_burst_for_a_host_that_takes_long():
    check_held('DOT')


def test_a_dead_host():
    port = free_port()
    with Place('dead') as place, Sink() as other:
        service = started(place, {'dead.test': f'127.0.0.1:{port}', 'other.test': other.endpoint},
                          retry_intervals='1s')
        send_many(service, 'dead.test', N_STUCK)
        others_are_served(service, other)
        with Sink(port=port) as sink:
            poll('the mail of the dead host', lambda: len(sink.messages) == N_STUCK)
            service.wait_empty()
        service.close()


def poisoned(verb, how):
    """(sink that has @how to say to @verb of mail from poison@source.test, an event: that mail's MAIL is answered)"""
    release, sender = threading.Event(), []

    def answer(now, argument):
        if now == 'MAIL':
            sender[:] = [argument]
        if not sender or 'poison' not in sender[0]:
            return None
        return release if now == 'MAIL' else how if now == verb else None
    return Sink(reply=answer), release


def check_poisoned(how, intervals):
    """What waits behind a message that ends every session goes all the same, though a host that failed then rests."""
    sink, release = poisoned('DATA', how)
    with Place('poison') as place, sink:
        service = started(place, {'ill.test': sink.endpoint}, retry_intervals=intervals, max_connections_per_host='1')
        send_many(service, 'ill.test', 1, sender='poison@source.test')
        poll('the message to begin', lambda: any('poison' in line for lines in sink.conversations for line in lines))
        send_many(service, 'ill.test', N_OTHERS)
        release.set()
        poll('the other mail', lambda: len(sink.messages) == N_OTHERS)
        poll('it alone to be left', lambda: [message['reverse_path'] for message in service.queued()] == ['poison@source.test'])
        service.close()


def test_a_message_that_its_host_is_lost_over():
    check_poisoned('drop', '1h')


def test_a_message_that_its_host_answers_with_421():
    check_poisoned('421 4.7.0 not this one', '1s,1h')


def test_a_host_that_is_lost_over_all_messages():
    """It rests from the second one on."""
    with Place('lost') as place, Sink(reply=lambda verb, _: 'drop' if verb == 'DATA' else None) as sink:
        service = started(place, {'ill.test': sink.endpoint}, retry_intervals='1h')
        for n in range(1, 4):
            send_many(service, 'ill.test', 1)
            poll('its wait', lambda n=n: [recipient['last_reply'] != '' for message in service.queued()
                                          for recipient in message['recipients']] == [True] * n)
        assert sorted(recipient['tries'] for message in service.queued() for recipient in message['recipients']) == [0, 1, 1]
        assert len(sink.conversations) == 2, sink.conversations
        service.close()


def test_a_host_is_given_as_much_as_it_bears():
    """Five connections at first, half as many with each 4.7.x, one more with each message that it takes."""
    release, at_its_end = threading.Event(), []

    def answer(verb, argument):
        if verb == 'RCPT' and argument.endswith('@busy.test'):
            return '451 4.7.0 too much at a time'
        if verb == 'DOT':
            at_its_end.append(argument)
        return release if verb == 'DOT' else None

    with Place('busy') as place, Sink(reply=answer) as sink, Sink() as other:
        service = started(place, {'busy.test': sink.endpoint, 'slow.test': sink.endpoint, 'other.test': other.endpoint},
                          retry_intervals='1h')
        for n in range(1, 4):
            send_many(service, 'busy.test', 1)
            poll('the message to be put off', lambda n=n: [recipient['tries'] for message in service.queued()
                                                           for recipient in message['recipients']] == [1] * n)
        try:
            send_many(service, 'slow.test', 5)
            poll('the first of five', lambda: at_its_end)
            others_are_served(service, other)
            assert len(at_its_end) == 1, at_its_end
            release.set()
            poll('all five', lambda: len(sink.messages) == 5)
            release.clear()
            del at_its_end[:]
            send_many(service, 'slow.test', 5)
            poll('five at a time', lambda: len(at_its_end) == 5)
        finally:
            release.set()
        poll('all of them', lambda: len(sink.messages) == 10)
        service.close()


@contextlib.contextmanager
def all_in_use(most):
    """(events, sink): mail for a busy host has all connections and more of it waits, each message until its event is
    set; mail for the sink waits, too."""
    dots, is_over = [], threading.Event()

    def answer(verb, _):
        if verb != 'DOT' or is_over.is_set():
            return None
        dots.append(threading.Event())
        return dots[-1]

    with Place('shared') as place, Sink(reply=answer) as busy, Sink() as other:
        service = started(place, {'busy.test': busy.endpoint, 'other.test': other.endpoint},
                          max_outbound_connections=str(most))
        send_many(service, 'busy.test', N_STUCK)
        poll('all connections to be in use', lambda: len(dots) == most)
        send_many(service, 'other.test', 1)
        poll('it to wait for a connection', lambda: 'active' in [
            recipient['state'] for message in service.queued() for recipient in message['recipients']
            if recipient['address'].endswith('@other.test')])
        try:
            yield dots, other
        finally:
            is_over.set()
            for event in dots:
                event.set()
        poll('the mail of the busy one', lambda: len(busy.messages) == N_STUCK)
        service.wait_empty()
        service.close()


def test_a_host_with_all_connections_makes_room():
    with all_in_use(4) as (dots, other):
        dots[0].set()
        poll('the mail of the other', lambda: other.messages)


def test_hosts_take_turns():
    """With the only connection, too."""
    with all_in_use(1) as (dots, other):
        def go_on():
            if not other.messages:
                dots[-1].set()
            return other.messages
        poll('the mail of the other', go_on, step_s=0.05)
        assert len(dots) < N_STUCK, len(dots)


class Shared:
    """A host with TLS that serves many domains, and the most sessions that it has had at a time."""

    def __init__(self, stack, name, **options):
        self.place = stack.enter_context(Place(name))
        self.most = 0
        authority = Authority(self.place)
        self.trust = authority.path
        certificate = authority.issue('*.shared.test', 'mx.hosts.test')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.path, certificate.key_path)
        self.sink = stack.enter_context(Sink(HOST, free_port(), reply=self.count, tls=context, **options))

    def count(self, verb, _):
        if verb == 'CONNECT':
            self.most = max(self.most, self.sink.n_sessions)

    def settings(self, **settings):
        return {'hostname': 'relay.test', 'permitted-hosts': HOST, 'tls-trust': self.trust,
                'max-connections-per-host': '2', 'retry-intervals': '1h', **settings}

    def serves(self, service, domains):
        """The mail for all domains arrives, by no more connections than one host may have."""
        service.wait_applied()
        with Client(service.host, service.port) as client:
            for domain in domains:
                assert client.send('a@source.test', [f'u@{domain}'], b'Subject: x\r\n\r\nx\r\n')[1].startswith('250')
        poll('all mail', lambda: len(self.sink.messages) == len(domains))
        service.wait_empty()
        assert self.most <= 2, self.most


def test_a_host_that_is_judged_for_many_domains():
    """What one domain's certificate is judged by does not serve another one's mail."""
    domains = [f'd{n}.shared.test' for n in range(N_DOMAINS)]
    with contextlib.ExitStack() as stack:
        host = Shared(stack, 'judged')
        dns = Dns(host.place, {'.': [f'mx.hosts.test. A {HOST}'] +
                               [f'{domain}. MX 10 mx.hosts.test.' for domain in domains]}).start()
        service = stack.enter_context(Service(host.place, [f'--dns={dns.endpoint}', f'--mx-port={host.sink.port}'],
                                              settings=host.settings(**{'tls-level': 'verified'})))
        for domain in domains:
            service.add_connection(domain, '--dns')
        host.serves(service, domains)


def test_a_host_with_many_accounts():
    domains = [f'd{n}.test' for n in range(N_DOMAINS)]
    with contextlib.ExitStack() as stack:
        host = Shared(stack, 'accounts', auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
        service = stack.enter_context(Service(host.place, settings=host.settings()))
        for n, domain in enumerate(domains):
            service.ctl('account', 'add', f'a{n}', '--out', f'--user={USER}', '--password-stdin', text=PASSWORD + '\n')
            service.add_connection(domain, f'--host={host.sink.endpoint}', f'--account=a{n}')
        host.serves(service, domains)


class Silent(Shared):
    """It answers the ends of messages when it is told to, and QUIT never."""

    def __init__(self, *arguments, **options):
        self.release = threading.Event()
        self.n_held = 0
        super().__init__(*arguments, **options)

    def count(self, verb, argument):
        super().count(verb, argument)
        if verb == 'DOT' and not self.release.is_set():
            self.n_held += 1
            return self.release
        return 'stall' if verb == 'QUIT' else None

    def n_quits(self):
        return sum('C: QUIT' in lines for lines in list(self.sink.conversations))


def test_a_host_that_does_not_answer_quit():
    """Mail that no idle connection suits waits for the end of one, not of each."""
    n_idle = 4
    with contextlib.ExitStack() as stack:
        host = Silent(stack, 'no-goodbye', auth={'PLAIN': [f'\0{USER}\0{PASSWORD}'.encode()]})
        service = stack.enter_context(Service(host.place, settings=host.settings(**{'max-connections-per-host': str(n_idle)})))
        for name in ('one', 'other'):
            service.ctl('account', 'add', name, '--out', f'--user={USER}', '--password-stdin', text=PASSWORD + '\n')
            service.add_connection(f'{name}.test', f'--host={host.sink.endpoint}', f'--account={name}')
        service.wait_applied()
        send_many(service, 'one.test', n_idle)
        poll('a connection for each', lambda: host.n_held == n_idle)
        host.release.set()
        service.wait_empty()
        send_many(service, 'other.test', 1)
        poll('the other mail', lambda: 'u0@other.test' in host.sink.recipients())
        assert host.n_quits() == 1, host.n_quits()
        service.wait_empty()


def test_hosts_behind_the_first_keep_no_connection():
    """A try that passes on has the lease of its first host alone."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(Place('passed-on'))
        first = stack.enter_context(Sink(reply=lambda verb, _: '451 4.3.0 not now' if verb == 'MAIL' else None))
        second = stack.enter_context(Sink())
        service = stack.enter_context(Service(place, settings={'retry-intervals': '1h'}))
        service.add_connection('two.test', f'--host={first.endpoint},{second.endpoint}')
        service.wait_applied()
        send_many(service, 'two.test', N_OTHERS)
        poll('all mail', lambda: len(second.messages) == N_OTHERS)
        service.wait_empty()
        said = [[line for line in lines if line.startswith(('C: MAIL', 'C: QUIT'))] for lines in second.conversations]
        assert len(said) == N_OTHERS and all(len(lines) == 2 for lines in said), said


def test_no_socket_is_no_failure_of_the_host():
    with Place('sockets') as place, Sink() as sink:
        service = started(place, {'one.test': sink.endpoint}, retry_intervals='1h')
        limits = resource.prlimit(service.relay.pid, resource.RLIMIT_NOFILE)
        with Client(service.host, service.port) as client:
            resource.prlimit(service.relay.pid, resource.RLIMIT_NOFILE, (1, limits[1]))
            assert client.send('a@source.test', ['u@one.test'], b'Subject: x\r\n\r\nx\r\n')[1].startswith('250')
            poll('it to be put off', lambda: [
                line for name, lines in place.logs() if name == 'relayd.log' for line in lines
                if 'to=<u@one.test>' in line and os.strerror(errno.EMFILE) in line])
            resource.prlimit(service.relay.pid, resource.RLIMIT_NOFILE, limits)
            assert client.send('a@source.test', ['v@one.test'], b'Subject: x\r\n\r\nx\r\n')[1].startswith('250')
            poll('the next one', lambda: sink.recipients() == ['v@one.test'])
        service.close()


def test_memory_is_bounded_and_reading_goes_on():
    sink, release = held('DOT')
    with Place('pressure') as place, Sink() as other, sink:
        service = started(place, {'slow.test': sink.endpoint, 'other.test': other.endpoint})
        with Peak(RELAYD, service.relay.pid, LIMIT_KIB,
                  f'{N_BIG} messages of {BIG_OCTETS >> 10} KiB for a host that takes none'):
            try:
                send_many(service, 'slow.test', N_BIG, BIG_OCTETS)
                others_are_served(service, other)
            finally:
                release.set()
            poll('the held mail', lambda: len(sink.messages) == N_BIG, 120)
        service.wait_empty()
        service.close()


def test_deferred_mail_is_decided_anew():
    with Place('anew') as place, Sink() as late:
        service = started(place, {'moved.test': f'127.0.0.1:{free_port()}'}, retry_intervals='1s')
        send_many(service, 'moved.test', N_OTHERS)
        poll('the mail to be deferred', lambda: all(
            recipient['tries'] > 0 or recipient['last_reply']
            for message in service.queued() for recipient in message['recipients']))
        service.ctl('connections', 'edit', 'moved.test', f'--host={late.endpoint}')
        poll('the mail at the new host', lambda: len(late.messages) == N_OTHERS)
        service.wait_empty()
        service.close()


if __name__ == '__main__':
    run(*[function for name, function in list(globals().items()) if name.startswith('test_')])
