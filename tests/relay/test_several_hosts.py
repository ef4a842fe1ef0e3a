#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several hosts of one row: tried in order or taken by turns; a dead one is passed over, and not asked by every message.

A host that failed rests for a retry interval, here an hour: whatever goes to it in this test was not kept from it.
"""

import contextlib

from place import Place, free_port, poll
from sink import Sink
from support import Service, send
from tap import run

# How a host is dead, as design.md section 5 has it: no connection, banner or EHLO, or 421.
DEAD = {
    'silent': ('CONNECT', 'drop'),
    'closed': ('CONNECT', '421 4.3.2 not today'),
    'refusing': ('CONNECT', '554 5.3.2 no mail here'),
    'hanging-up': ('EHLO', 'drop'),
    'closing': ('MAIL', '421 4.3.2 closing'),
}


class Host:
    """A host that is as dead as its @verb and @how say until it is alive."""

    def __init__(self, stack, verb=None, how=None):
        self.verb, self.how = verb, how
        self.sink = stack.enter_context(Sink(reply=self.answer))
        self.endpoint = self.sink.endpoint

    def answer(self, verb, _argument):
        return self.how if verb == self.verb else None

    @property
    def conversations(self):
        """How often it was asked."""
        return len(self.sink.conversations)

    def arrived(self):
        return self.sink.recipients()


class World:
    """A relay whose every row has several hosts."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('several-hosts'))
        self.service = stack.enter_context(Service(self.place))
        self.service.set('retry-intervals', '1h')

    def row(self, domain, *hosts, options=()):
        endpoints = ','.join(host if isinstance(host, str) else host.endpoint for host in hosts)
        self.service.add_connection(domain, f'--host={endpoints}', *options)
        self.service.wait_applied()

    def send(self, recipient):
        rcpts, reply = send(self.service, 'a@source.test', [recipient])
        assert reply.startswith('250'), (rcpts, reply)

    def arrives(self, host, recipient):
        self.send(recipient)
        poll(f'the message for {recipient}', lambda: recipient in host.arrived())
        self.service.wait_empty()

    def waits(self, recipient):
        """What the queue says of it."""
        self.send(recipient)
        return poll(f'{recipient} to wait', lambda: [
            found for message in self.service.queued() for found in message['recipients']
            if found['address'] == recipient and found['last_reply']])[0]


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)

        def test_in_order_the_first_that_is_alive():
            """However it is dead, two messages and one question to it."""
            for name, how in DEAD.items():
                dead, alive, spare = Host(stack, *how), Host(stack), Host(stack)
                world.row(f'{name}.test', dead, alive, spare)
                for user in ('one', 'two'):
                    world.arrives(alive, f'{user}@{name}.test')
                assert (dead.conversations, spare.conversations) == (1, 0), name

        def test_nobody_listens():
            alive = Host(stack)
            world.row('nobody.test', f'127.0.0.1:{free_port()}', alive)
            world.arrives(alive, 'u@nobody.test')

        def test_what_is_known_of_a_host_holds_for_every_row():
            dead, first, second = Host(stack, *DEAD['silent']), Host(stack), Host(stack)
            world.row('first.test', dead, first)
            world.row('second.test', dead, second)
            world.arrives(first, 'u@first.test')
            world.arrives(second, 'u@second.test')
            assert dead.conversations == 1

        def test_all_are_dead():
            """Then the mail waits, and what comes later with it, unasked."""
            hosts = [Host(stack, *DEAD[name]) for name in ('silent', 'closed')]
            world.row('dead.test', *hosts)
            for user in ('one', 'two'):
                world.waits(f'{user}@dead.test')
                assert [host.conversations for host in hosts] == [1, 1], user
            # An administrator wants to know: now the first in order is alive.
            hosts[0].verb = None
            world.service.ctl('queue', 'retry', '--all')
            world.service.wait_empty()
            assert sorted(hosts[0].arrived()) == ['one@dead.test', 'two@dead.test']
            assert hosts[1].conversations == 1

        def test_by_turns():
            hosts = [Host(stack), Host(stack)]
            world.row('turns.test', *hosts, options=('--by-turns',))
            for n in range(4):
                world.send(f'u{n}@turns.test')
                world.service.wait_empty()
            assert [len(host.arrived()) for host in hosts] == [2, 2], [host.arrived() for host in hosts]

        def test_by_turns_the_dead_one_is_left_out():
            dead, alive = Host(stack, *DEAD['silent']), Host(stack)
            world.row('half.test', dead, alive, options=('--by-turns',))
            for n in range(4):
                world.arrives(alive, f'u{n}@half.test')
            assert dead.conversations == 1

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
