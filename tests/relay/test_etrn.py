#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""ETRN (RFC 1985): mail of a row that queues for it waits until a permitted host asks."""

import contextlib
import email
import email.policy

from place import Place, free_port, poll
from sink import Sink
from support import Client, Service, send
from tap import run

PERMITTED = '127.0.0.2'
SENDER = 'sender@back.test'
GREYLISTED = '451 4.7.1 Greylisted, try again in 5 minutes'
WAITS = '451 4.3.2 it waits until a host asks for it by ETRN'


class World:
    """Mail for wait.test and its subdomains waits for ETRN, that for wall.test is put off, back.test takes its own."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('etrn'))
        self.service = stack.enter_context(Service(self.place))
        self.puts_off = False
        self.port = free_port()
        self.home = None
        self.open_home()
        self.wall = stack.enter_context(Sink(reply=lambda verb, _: GREYLISTED if verb == 'RCPT' else None))
        self.back = stack.enter_context(Sink())
        self.service.add_connection('wall.test', f'--host={self.wall.endpoint}')
        self.service.add_connection('back.test', f'--host={self.back.endpoint}')
        self.service.add_connection('wait.test', f'--host=127.0.0.1:{self.port}')
        self.service.set('permitted-hosts', PERMITTED)
        self.service.set('xclient-hosts', '127.0.0.1')
        self.service.wait_applied()

    def answer(self, verb, _argument):
        return GREYLISTED if verb == 'RCPT' and self.puts_off else None

    def open_home(self):
        """The host that wait.test's mail goes to."""
        self.home = Sink(port=self.port, reply=self.answer)
        self.home.__enter__()
        self.stack.callback(self.close_home)

    def close_home(self):
        home, self.home = self.home, None
        if home is not None:
            home.__exit__(None, None, None)

    def edit(self, *options):
        self.service.ctl('connections', 'edit', 'wait.test', *options)
        self.service.wait_applied()

    def set(self, key, *value):
        self.service.ctl('settings', 'set', key, *value)
        self.service.wait_applied()

    def client(self, source=PERMITTED):
        return Client(self.service.host, self.service.port, source)

    def ask(self, *nodes):
        """The replies to ETRN."""
        with self.client() as client:
            return [client.command(f'ETRN {node}') for node in nodes]

    def put(self, *recipients):
        """A message that waits; its recipients in the queue."""
        rcpts, reply = send(self.service, SENDER, recipients)
        assert reply.startswith('250'), (rcpts, reply)
        return poll('the message to wait', lambda: self.waiting(*recipients))

    def waiting(self, *recipients):
        """Those of the queue, when each of them waits for ETRN."""
        found = [recipient for message in self.service.queued() for recipient in message['recipients']
                 if recipient['address'] in recipients]
        states = {recipient['state'] for recipient in found}
        return found if len(found) == len(recipients) and states == {'etrn'} else None

    def comes(self, *recipients):
        poll(f'{recipients} to arrive', lambda: sorted(self.home.recipients()) == sorted(recipients))
        self.home.messages.clear()

    def notices(self):
        """(recipient, action, diagnostic) of all notices."""
        found = []
        for message in list(self.back.messages):
            _, status, _ = email.message_from_bytes(message.content, policy=email.policy.default).iter_parts()
            found += [(part['Final-Recipient'].split()[-1], part['Action'], ' '.join(part['Diagnostic-Code'].split()))
                      for part in status.get_payload()[1:]]
        return found


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_offered_to_whom_it_may_concern():
            def offers(source, *first):
                with world.client(source) as client:
                    for command in first:
                        assert client.command(command)[:3] in ('220', '250'), client.lines
                    offer = 'ETRN' in (client.command('EHLO c.test') if first else client.ehlo)
                    answer = client.command('ETRN wait.test')
                    assert answer.startswith('251' if offer else '502 5.5.1'), answer
                    return offer

            assert not offers(PERMITTED)
            world.edit('--queue-for-etrn=yes')
            assert offers(PERMITTED) and not offers('127.0.0.1')
            assert offers('127.0.0.1', 'XCLIENT ADDR=192.0.2.1 LOGIN=anna')
            assert not offers('127.0.0.1', 'XCLIENT ADDR=192.0.2.1')
            world.edit('--off')
            assert not offers(PERMITTED)
            world.edit('--on')

        def test_a_row_that_nobody_can_ask_for():
            assert 'etrn-nobody' not in service.ctl('--json', 'check')
            world.set('permitted-hosts', '')
            assert 'etrn-nobody' in service.ctl('--json', 'check')
            world.set('permitted-hosts', PERMITTED)

        def test_comes_when_it_is_asked_for():
            for recipient in world.put('a@wait.test', 'b@wait.test', 'c@deep.wait.test'):
                assert recipient['tries'] == 0 and recipient['next_try_us'] == 0, recipient
                assert recipient['last_reply'] == WAITS, recipient
            world.put('d@wait.test')
            assert [reply.split(' ', 2)[:2] for reply in world.ask(
                'other.test', '#wait', '@', '', 'wait.test other.test', 'none.wait.test', '@deeper.wait.test')] == [
                    ['459', '4.7.1'], ['459', '4.7.1'], ['501', '5.5.4'], ['501', '5.5.4'], ['501', '5.5.4'],
                    ['251', '2.0.0'], ['251', '2.0.0']]
            with world.client() as client:
                client.command('MAIL FROM:<a@b.test>')
                assert client.command('ETRN wait.test').startswith('503 5.5.1')
            assert not world.home.conversations and world.waiting(
                'a@wait.test', 'b@wait.test', 'c@deep.wait.test', 'd@wait.test')
            assert world.ask('WAIT.test') == ['253 2.0.0 OK, 2 pending messages for node wait.test started']
            world.comes('a@wait.test', 'b@wait.test', 'd@wait.test')
            assert world.ask('@wait.test') == ['253 2.0.0 OK, 1 pending messages for node wait.test started']
            world.comes('c@deep.wait.test')
            service.wait_empty()
            assert world.ask('@wait.test') == ['251 2.0.0 OK, no messages waiting for node wait.test']

        def test_a_domain_whose_subdomains_alone_wait():
            service.add_connection('only.parent.test', f'--host=127.0.0.1:{world.port}', '--queue-for-etrn=yes')
            service.wait_applied()
            world.put('e@a.only.parent.test')
            assert world.ask('parent.test')[0].startswith('459 4.7.1')
            assert world.ask('@parent.test') == ['253 2.0.0 OK, 1 pending messages for node parent.test started']
            world.comes('e@a.only.parent.test')
            service.ctl('connections', 'remove', 'only.parent.test')
            service.wait_applied()

        def test_each_time_is_one_try():
            world.puts_off = True
            world.set('retry-intervals', '1s')
            world.set('delay-notice', '1s')
            world.put('a@wait.test')
            assert world.ask('wait.test')[0].startswith('253')
            waiting, = poll('the try to end', lambda: [each for each in world.waiting('a@wait.test') or [] if each['tries']])
            assert waiting['last_reply'] == f'{WAITS}; before: {GREYLISTED}', waiting
            # Meanwhile other mail is tried, and its sender told of the delay.
            assert send(service, SENDER, ['w@wall.test'])[1].startswith('250')
            poll('a notice', lambda: [each for each in world.notices() if each[:2] == ('w@wall.test', 'delayed')])
            assert world.ask('deep.wait.test')[0].startswith('251')
            world.set('retry-intervals')
            waiting, = world.waiting('a@wait.test')
            assert waiting['tries'] == 1 and waiting['last_reply'] == f'{WAITS}; before: {GREYLISTED}', waiting
            world.puts_off = False
            assert world.ask('wait.test')[0].startswith('253')
            world.comes('a@wait.test')
            assert {each[0] for each in world.notices()} == {'w@wall.test'}, world.notices()
            world.set('delay-notice')
            service.ctl('queue', 'delete', '--all')

        def test_a_host_that_was_down_is_asked_again():
            world.close_home()
            world.put('a@wait.test')
            assert world.ask('wait.test')[0].startswith('253')
            poll('the try to end', lambda: [each for each in world.waiting('a@wait.test') or [] if each['tries']])
            world.open_home()
            assert world.ask('wait.test')[0].startswith('253')
            world.comes('a@wait.test')

        def test_waits_through_a_crash():
            world.put('a@wait.test')
            service.kill_relay()
            service.start_relay()
            poll('it to wait again', lambda: world.waiting('a@wait.test'))
            assert not world.home.messages
            assert world.ask('wait.test')[0].startswith('253')
            world.comes('a@wait.test')

        def test_what_an_administrator_sees_and_does():
            world.put('a@wait.test')
            assert ' etrn ' in service.ctl('queue', 'list')
            assert 'until a host asks for mail for wait.test' in service.ctl('explain', 'x@wait.test')
            service.ctl('queue', 'retry', '--state=held')
            assert world.waiting('a@wait.test')
            service.ctl('queue', 'retry', '--state=etrn')
            world.comes('a@wait.test')

        def test_expires():
            before = len(world.back.messages)
            world.set('message-timeout', '2s')
            world.put('a@wait.test')
            poll('the notice', lambda: world.back.messages[before:])
            recipient, action, said = world.notices()[-1]
            assert (recipient, action) == ('a@wait.test', 'failed') and f'expired: {WAITS}' in said, (recipient, said)
            service.wait_empty()
            world.set('message-timeout')

        def test_goes_when_its_row_is_edited():
            world.put('a@wait.test')
            world.edit('--queue-for-etrn=no')
            world.comes('a@wait.test')
            service.wait_empty()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
