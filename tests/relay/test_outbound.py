#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for what leaves: each changes what happens, and at once."""

import contextlib
import re
import socket
import threading

from place import PATIENCE_S, Place, free_port, poll
from sink import Sink
from support import Dns, Service, send
from tap import Tap

CONTENT = b'Subject: out\r\n\r\nbody\r\n'
FIRST, SECOND = '127.0.0.11', '127.0.0.12'
SOURCE = '127.0.0.5'
UNUSED = '192.0.2.1'  # RFC 5737: an address of nobody's, so not of this machine
CONNECT_TIMEOUT_S = 30  # the default


def hand_in(service, recipient, sender='a@back.test'):
    rcpts, reply = send(service, sender, [recipient], CONTENT)
    assert reply.startswith('250'), (rcpts, reply)


def outcomes(place, recipient):
    """(seconds that it took, status, reply) of every line about @recipient in the relay's log."""
    with open(place.join('relayd.log'), encoding='utf-8') as stream:
        found = re.findall(rf'to=<{re.escape(recipient)}>.* delay_s=([\d.]+) .*status=(\w+) \((.*)\)$',
                           stream.read(), re.MULTILINE)
    return [(float(delay), status, reply) for delay, status, reply in found]


def first_outcome(place, recipient):
    return poll(f'the outcome of {recipient}', lambda: outcomes(place, recipient))[0]


def states(service):
    return {recipient['address']: recipient['state'] for message in service.queued()
            for recipient in message['recipients']}


class World:
    """The service, whose settings each case changes for itself."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('outbound'))
        self.service = stack.enter_context(Service(self.place))

    def add(self, domain, *addresses, **options):
        """A sink for @domain behind a row; @options: of the sink. @addresses: tried before it."""
        sink = self.stack.enter_context(Sink(**options))
        self.service.add_connection(domain, f'--host={",".join([*addresses, sink.endpoint])}')
        return sink

    def add_away(self, domain, address):
        self.service.add_connection(domain, f'--host={address}')

    @contextlib.contextmanager
    def settings(self, **values):
        """These hold in the block, and the defaults behind it, when the queue is empty."""
        for key, value in values.items():
            self.service.set(key.replace('_', '-'), value)
        self.service.wait_applied()
        yield
        self.service.ctl('queue', 'delete', '--all')
        self.service.wait_empty()
        for key in values:
            self.service.ctl('settings', 'set', key.replace('_', '-'))
        self.service.wait_applied()


def check_max_outbound_connections(world):
    """The one connection is in use: others wait, until it is free or more are permitted."""
    may_go = threading.Event()
    world.stack.callback(may_go.set)
    world.add('slow.test', reply=lambda verb, _: may_go if verb == 'DOT' else None)
    sinks = {domain: world.add(domain) for domain in ('two.test', 'three.test')}
    with world.settings(max_outbound_connections='1'):
        hand_in(world.service, 'u@slow.test')
        poll('the only connection', lambda: world.service.ctl_json('status')['relay']['outbound-connections'] == 1)
        for domain in sinks:
            hand_in(world.service, f'u@{domain}')
            poll('it to wait for a connection', lambda domain=domain: states(world.service)[f'u@{domain}'] == 'active')
        assert not any(sink.conversations for sink in sinks.values())
        # One more, and the two take turns; the first still holds its own.
        with world.settings(max_outbound_connections='2'):
            for sink in sinks.values():
                poll('the message behind', lambda sink=sink: sink.messages)
            assert states(world.service)['u@slow.test'] == 'active'
            may_go.set()
            world.service.wait_empty()


def check_max_connections_per_host(world):
    """As many as the setting says are in use; what else there is for the host waits."""
    for most in (1, 3):
        may_go = threading.Event()
        world.stack.callback(may_go.set)
        domain = f'host{most}.test'
        sink = world.add(domain, reply=lambda verb, _, may_go=may_go: may_go if verb == 'DOT' else None)
        with world.settings(max_connections_per_host=str(most)):
            addresses = [f'u{n}@{domain}' for n in range(4)]
            for address in addresses:
                hand_in(world.service, address)
            poll('as many connections', lambda sink=sink, most=most: len(sink.conversations) == most)
            poll('all to be at it', lambda addresses=addresses: [
                states(world.service)[address] for address in addresses] == ['active'] * 4)
            assert len(sink.conversations) == most, len(sink.conversations)
            may_go.set()
            poll('all of them', lambda sink=sink: len(sink.messages) == 4)


def check_max_messages_per_connection(world):
    """One message after another goes through the same connection, until it has had its share."""
    sink = world.add('share.test')
    with world.settings(max_messages_per_connection='2'):
        for n in range(1, 6):
            hand_in(world.service, 'u@share.test')
            poll('the message', lambda n=n: len(sink.messages) == n)
            world.service.wait_empty()
    shares = [sum(line.startswith('C: MAIL') for line in lines) for lines in sink.conversations]
    assert shares == [2, 2, 1], shares


def add_narrow(world, domain, most, reply):
    """A sink that takes @most() recipients in a transaction, and says @reply to the others."""
    taken = []

    def answer(verb, argument):
        if verb == 'MAIL':
            taken.clear()
        if verb != 'RCPT':
            return None
        taken.append(argument)
        return reply if len(taken) > most() else None

    return world.add(domain, reply=answer)


def check_too_many_recipients(world):
    """RFC 5321 4.5.3.1.10: the rest follows at once, in transactions of its own, whatever class of reply asks for it."""
    for n, reply in enumerate(('452 4.5.3 enough', '452 enough', '552 5.5.3 enough', '552 enough')):
        sink = add_narrow(world, f'narrow{n}.test', lambda: 10, reply)
        world.service.wait_applied()
        wanted = [f'u{i}@narrow{n}.test' for i in range(45)]
        rcpts, accepted = send(world.service, 'a@back.test', wanted, CONTENT)
        assert accepted.startswith('250'), (rcpts, accepted)
        world.service.wait_empty()
        assert sorted(sink.recipients()) == sorted(wanted), (reply, sink.recipients())
        assert [len(message.recipients) for message in sink.messages] == [10, 10, 10, 10, 5], reply


def check_too_many_and_then_none(world):
    """A host that takes nobody any more is asked again by the schedule."""
    sink = add_narrow(world, 'closed.test', lambda: 0 if sink.messages else 2, '452 4.5.3 enough')
    with world.settings():
        send(world.service, 'a@back.test', [f'u{i}@closed.test' for i in range(5)], CONTENT)
        poll('the rest to wait', lambda: [recipient['tries'] for message in world.service.queued()
                                          for recipient in message['recipients']
                                          if recipient['state'] == 'waiting' and recipient['tries']] == [1, 1, 1])
        assert len(sink.messages) == 1, sink.messages


def check_killed_among_transactions(world):
    """What the first transaction took is not sent again, and the rest is."""
    begun, hangs = threading.Event(), [True]
    sink = add_narrow(world, 'torn.test', lambda: 10, '552 5.5.3 enough')
    narrow = sink.reply

    def answer(verb, argument):
        if verb == 'MAIL' and hangs and sink.messages:
            begun.set()
            return 'stall'
        return narrow(verb, argument)
    sink.reply = answer
    world.add_away('later.test', f'127.0.0.1:{free_port()}')
    wanted = [f'u{i}@torn.test' for i in range(25)]
    with world.settings():
        assert send(world.service, 'a@back.test', wanted, CONTENT)[1].startswith('250')
        assert begun.wait(PATIENCE_S)
        hand_in(world.service, 'u@later.test')  # its 250 stands behind the verdicts
        world.service.kill_relay()
        hangs.clear()
        world.service.start_relay()
        poll('the rest', lambda: list(states(world.service)) == ['u@later.test'])
        assert sorted(sink.recipients()) == sorted(wanted), sink.recipients()


def check_an_idle_connection_makes_room(world):
    one, two = world.add('one.test'), world.add('other.test')
    with world.settings(max_outbound_connections='1'):
        for domain in ('one.test', 'other.test', 'one.test'):
            hand_in(world.service, f'u@{domain}')
            world.service.wait_empty()
    assert len(one.conversations) == 2 and len(two.conversations) == 1


def check_source_address(world):
    old, new, six = world.add('old.test'), world.add('new.test'), world.stack.enter_context(Sink('::1'))
    world.add_away('six.test', f'[::1]:{six.port}')
    world.add('gone.test')

    def peer(domain, sink):
        hand_in(world.service, f'u@{domain}')
        return poll('the message', lambda: sink.messages)[0].peer[0]
    assert peer('old.test', old) == '127.0.0.1'
    with world.settings(source_address=SOURCE):
        assert peer('new.test', new) == SOURCE
        # The address of the other kind is left to the machine.
        assert peer('six.test', six) == '::1'
    # One that this machine does not have is never replaced by another.
    with world.settings(source_address=UNUSED):
        hand_in(world.service, 'u@gone.test')
        _, status, reply = first_outcome(world.place, 'u@gone.test')
        assert status == 'deferred' and re.match(r'451 4\.4\.1 .*: Cannot assign requested address', reply), reply


def check_a_source_address_is_no_fault_of_hosts(world):
    """Of one that this machine does not have: an address of the other kind is asked all the same, and once the
    setting is right new mail finds no host that has to wait."""
    sink, six = world.add('blamed.test'), world.stack.enter_context(Sink('::1'))
    world.add_away('both.test', f'127.0.0.1:{sink.port},[::1]:{six.port}')
    with world.settings(source_address=UNUSED):
        hand_in(world.service, 'first@blamed.test')
        assert first_outcome(world.place, 'first@blamed.test')[1] == 'deferred'
        hand_in(world.service, 'u@both.test')
        poll('it to go by the other address', lambda: six.messages)
        world.service.set('source-address', SOURCE)
        world.service.wait_applied()
        hand_in(world.service, 'second@blamed.test')
        outcome = first_outcome(world.place, 'second@blamed.test')
        assert outcome[1] == 'sent' and sink.recipients() == ['second@blamed.test'], outcome


def check_bounce_timeout(world):
    """Mail with a sender and a notice, both for a host that is away: the one waits, the other is dropped."""
    back = world.add('back.test')
    world.add_away('away.test', f'127.0.0.1:{free_port()}')
    with world.settings(bounce_timeout='1s', retry_intervals='1s'):
        hand_in(world.service, 'mail@away.test')
        hand_in(world.service, 'notice@away.test', sender='')

        def expired():
            return [reply for _, status, reply in outcomes(world.place, 'notice@away.test') if status == 'expired']
        poll('the notice to expire', expired)
        poll('it to leave', lambda: list(states(world.service)) == ['mail@away.test'])
        assert expired()[0].startswith('550 4.4.7'), expired()
        assert all(status == 'deferred' for _, status, _ in outcomes(world.place, 'mail@away.test'))
    assert not back.messages  # nobody is told


def check_connect_timeout(world):
    """A host whose queue of connections is full answers no SYN: that is given up long before the default."""
    listener = world.stack.enter_context(socket.create_server((SOURCE, 0), backlog=0))
    for _ in range(4):
        filler = world.stack.enter_context(socket.socket())
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
    full = '%s:%d' % listener.getsockname()
    world.add_away('full.test', full)
    behind = world.add('next.test', full)
    with world.settings(connect_timeout='1s'):
        hand_in(world.service, 'u@full.test')
        delay_s, status, reply = first_outcome(world.place, 'u@full.test')
        assert status == 'deferred' and re.match(r'451 4\.4\.1 .*: no connection within the time limit', reply), reply
        assert 1 <= delay_s < CONNECT_TIMEOUT_S, delay_s
        world.service.ctl('queue', 'delete', '--all')
        hand_in(world.service, 'u@next.test')
        poll('the message at the next host', lambda: behind.messages)


def check_dns_servers():
    """Each server has an address of its own for the domain: where the mail arrives is who was asked."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(Place('servers'))
        port = free_port()
        sinks = {address: stack.enter_context(Sink(address, port)) for address in (FIRST, SECOND)}
        servers = {address: Dns(place, {'.': ['to.test. MX 10 mx.to.test.', f'mx.to.test. A {address}']},
                                f'dns{address[-1]}').start().endpoint for address in sinks}
        service = stack.enter_context(Service(place, [f'--mx-port={port}'], settings={
            'dns-servers': servers[FIRST], 'permitted-hosts': '127.0.0.1', 'retry-intervals': '1h'}))
        for address in (FIRST, SECOND):
            service.set('dns-servers', servers[address])
            service.wait_applied()
            assert service.ctl_json('status')['relay']['dns'].startswith(servers[address])
            hand_in(service, 'u@to.test')
            poll(f'the message at {address}', lambda address=address: sinks[address].messages)
        # One that refuses to answer: nothing is known of the domain, and mail waits.
        service.set('dns-servers', Dns(place, {'other.': []}, 'refuses').start().endpoint)
        service.wait_applied()
        hand_in(service, 'v@to.test')
        _, status, reply = first_outcome(place, 'v@to.test')
        assert status == 'deferred' and reply.startswith('451 4.4.3'), reply
        assert [len(sink.messages) for sink in sinks.values()] == [1, 1]


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for check in (check_max_outbound_connections, check_max_connections_per_host,
                      check_max_messages_per_connection, check_an_idle_connection_makes_room, check_too_many_recipients,
                      check_too_many_and_then_none, check_killed_among_transactions, check_source_address,
                      check_a_source_address_is_no_fault_of_hosts,
                      check_bounce_timeout, check_connect_timeout):
            tap.case(check.__name__.removeprefix('check_').replace('_', '-'), check, world)
    tap.case('dns-servers', check_dns_servers)
    tap.done()


if __name__ == '__main__':
    main()
