#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an administrator does with mail that waits: retry, hold, release, return, delete."""

import contextlib
import email
import email.policy
import threading

from place import Place, poll
from sink import Sink
from support import Client, Service, send
from tap import Tap

SENDER = 'sender@back.test'
CONTENT = b'Subject: waits\r\n\r\nbody\r\n'
GREYLISTED = '451 4.7.1 Greylisted, try again in 5 minutes'


class Wall:
    """A host that puts mail off until it is opened."""

    def __init__(self, stack):
        self.open = False
        self.sink = stack.enter_context(Sink(reply=self.answer))
        self.endpoint = self.sink.endpoint

    def answer(self, verb, _argument):
        return GREYLISTED if verb == 'RCPT' and not self.open else None


class World:
    """Mail for one.test and two.test goes to hosts that put it off, for back.test to one that takes it."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('queue'))
        self.service = stack.enter_context(Service(self.place))
        self.one, self.two = Wall(stack), Wall(stack)
        self.back = stack.enter_context(Sink())
        for domain, endpoint in (('one', self.one.endpoint), ('two', self.two.endpoint), ('back', self.back.endpoint)):
            self.service.add_connection(f'{domain}.test', f'--host={endpoint}')
        self.service.wait_applied()

    def defer(self, *recipients, sender=SENDER, content=CONTENT):
        """The id of a message that waits for all of its recipients."""
        known = {message['id'] for message in self.service.queued()}
        assert send(self.service, sender, recipients, content)[1].startswith('250')

        def deferred():
            new = [message for message in self.service.queued() if message['id'] not in known]
            return new and all(recipient['tries'] for recipient in new[0]['recipients']) and new[0]['id']
        return poll('the message to wait', deferred)

    def do(self, verb, *arguments, gives=None):
        """@gives: (count, busy, silent)"""
        answer = tuple(self.service.ctl_json('queue', verb, *arguments).values())
        assert gives in (None, answer), (verb, arguments, answer, gives)

    def states(self, number):
        return [recipient['state'] for message in self.service.queued() if message['id'] == number
                for recipient in message['recipients']]

    def replies(self, number):
        return [recipient['last_reply'] for message in self.service.queued() if message['id'] == number
                for recipient in message['recipients']]

    def notice(self, before):
        """(recipients, fields of the first of them) of the first notice behind @before."""
        message = poll('the notice', lambda: self.back.messages[before:])[0]
        parsed = email.message_from_bytes(message.content, policy=email.policy.default)
        _, status, _ = parsed.iter_parts()
        assert message.reverse_path == '' and message.recipients == [SENDER], message.recipients
        return [part['Final-Recipient'] for part in status.get_payload()[1:]], dict(status.get_payload()[1].items())

    def log(self, text):
        return [line for name, lines in self.place.logs() if name.startswith('relayd') for line in lines if text in line]


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_held_mail_waits_through_a_crash_until_it_is_released():
            number = world.defer('u@one.test')
            world.defer('later@one.test')
            # That it is held is on the disk when the verb answers, and all that was noted before.
            world.do('hold', number, gives=(1, 0, 0))
            assert world.states(number) == ['held']
            assert world.replies(number) == [f'held by an administrator; before: {GREYLISTED}'], world.replies(number)
            # The log writes its lines a moment later.
            poll('the lines in the log', lambda: world.log(f'id={number} to=<u@one.test> status=held')
                 and world.log('QueueHold: asked by uid '))
            service.kill_relay()
            service.start_relay()
            world.one.open = True
            world.do('retry', '--all', gives=(1, 0, 0))
            poll('the later one', lambda: world.one.sink.recipients() == ['later@one.test'])
            assert world.states(number) == ['held'] and service.ctl_json('status')['relay']['recipients-held'] == 1
            assert 'held' in service.ctl('queue', 'show', number)
            world.do('hold', number, gives=(0, 0, 0))
            world.do('release', number, gives=(1, 0, 0))
            service.wait_empty()
            assert world.one.sink.recipients() == ['later@one.test', 'u@one.test'], world.one.sink.recipients()
            assert service.ctl_json('status')['relay']['recipients-held'] == 0
            world.one.open = False

        def test_what_a_stranger_writes_is_harmless_on_a_terminal():
            number = world.defer('u@one.test', content='Subject: \x1b]0;t\x07 \x9b31m \u202e \x7f plain ü\r\n\tmore\r\n'
                                 '\r\nbody\r\n'.encode())
            assert service.ctl_json('queue', 'show', number)['id'] == number
            shown = service.ctl('queue', 'show', number)
            assert 'Subject: ?]0;t? ?31m ? ? plain ü\n\tmore\n' in shown, shown
            assert not {c for c in shown if c < ' ' or c in '\x7f\x9b\u202e'} - {'\n', '\t'}, shown
            world.do('delete', number)

        def test_held_mail_expires():
            number = world.defer('u@one.test')
            before = len(world.back.messages)
            service.set('message-timeout', '1s')
            service.wait_applied()
            world.do('hold', number)
            recipients, fields = world.notice(before)
            assert recipients == ['rfc822; u@one.test'] and fields['Status'] == '4.4.7', (recipients, fields)
            assert 'expired: held by an administrator' in fields['Diagnostic-Code'], fields
            service.ctl('settings', 'set', 'message-timeout')
            service.wait_applied()
            service.wait_empty()

        def test_returned_mail_is_reported_at_once():
            number = world.defer('u@one.test')
            held = world.defer('v@one.test')
            world.do('hold', held)
            for each, recipient in ((number, 'u@one.test'), (held, 'v@one.test')):
                before = len(world.back.messages)
                world.do('return', each, gives=(1, 0, 0))
                recipients, fields = world.notice(before)
                assert recipients == [f'rfc822; {recipient}'] and fields['Action'] == 'failed', fields
                assert 'returned to the sender' in fields['Diagnostic-Code'] and GREYLISTED in ' '.join(
                    fields['Diagnostic-Code'].split()), fields
                poll('it to leave', lambda: not world.states(each))

        def test_what_nobody_may_be_told_of_stays():
            number = world.defer('u@one.test', sender='')
            with Client(service.host, service.port) as client:
                for command in (f'MAIL FROM:<{SENDER}>', 'RCPT TO:<n@one.test> NOTIFY=NEVER', 'RCPT TO:<f@one.test>'):
                    assert client.command(command).startswith('250'), client.lines
                assert client.command('DATA').startswith('354') and client.content(CONTENT).startswith('250')
            poll('both', lambda: sum(bool(recipient['tries']) for message in service.queued()
                                     for recipient in message['recipients']) == 3)
            before = len(world.back.messages)
            assert 'stays: nobody may be told' in service.ctl('queue', 'return', number)
            world.do('return', '--matching=n@one.test', gives=(0, 0, 1))
            world.do('return', '--all', gives=(1, 0, 2))
            assert world.notice(before)[0] == ['rfc822; f@one.test']
            poll('two to stay', lambda: sorted(recipient['address'] for message in service.queued()
                                               for recipient in message['recipients']) == ['n@one.test', 'u@one.test'])
            world.do('delete', '--all', gives=(2, 0, 0))
            service.wait_empty()

        def test_filters_take_recipients():
            number = world.defer('u@one.test', 'v@two.test')
            other = world.defer('w@two.test')
            world.do('hold', f'--next-hop={world.one.endpoint}', gives=(1, 0, 0))
            assert world.states(number) == ['held', 'waiting'] and world.states(other) == ['waiting']
            world.do('hold', '--entry=connections two.test', '--matching=w@', gives=(1, 0, 0))
            assert world.states(number) == ['held', 'waiting'] and world.states(other) == ['held']
            world.do('release', '--state=held', f'--next-hop={world.two.endpoint}', gives=(1, 0, 0))
            assert world.states(number)[0] == 'held' and world.states(other) == ['waiting']
            world.do('delete', '--next-hop=nowhere.test', gives=(0, 0, 0))
            world.two.open = True
            world.do('retry', '--entry=connections two.test')
            poll('those of two', lambda: sorted(world.two.sink.recipients()) == ['v@two.test', 'w@two.test'])
            world.do('delete', number, gives=(1, 0, 0))
            service.wait_empty()
            assert 'u@one.test' not in world.one.sink.recipients()[2:], 'what was held was sent'
            world.two.open = False

        def test_what_is_on_its_way_is_left_alone():
            may_go = threading.Event()
            slow = stack.enter_context(Sink(reply=lambda verb, _: may_go if verb == 'DOT' else None))
            service.set('max-connections-per-host', '1')
            service.add_connection('slow.test', f'--host={slow.endpoint}')
            service.wait_applied()
            assert send(service, SENDER, ['u@slow.test'], CONTENT)[1].startswith('250')
            poll('it to be under way', lambda: [line for lines in list(slow.conversations) for line in list(lines)
                                                if line.startswith('C: DATA')])
            number = service.queued()[0]['id']
            for verb in ('hold', 'return', 'delete'):
                world.do(verb, number, gives=(0, 1, 0))
            # One that waits for the only connection leaves the try that it was in: it is sent once.
            assert send(service, SENDER, ['v@slow.test'], CONTENT)[1].startswith('250')
            behind = next(message['id'] for message in service.queued() if message['id'] != number)
            for _ in range(3):
                world.do('hold', behind, gives=(1, 0, 0))
                world.do('release', behind, gives=(1, 0, 0))
                poll('it to wait for the connection', lambda: world.states(behind) == ['active'])
            may_go.set()
            service.wait_empty()
            assert sorted(slow.recipients()) == ['u@slow.test', 'v@slow.test'], slow.recipients()

        def test_groups_count_what_goes_their_way():
            first = world.defer('u@one.test', 'v@one.test', 'w@two.test')
            second = world.defer('x@one.test')
            world.do('hold', second)
            one, two = world.one.endpoint, world.two.endpoint

            def groups(by, *words):
                return {group['key']: group for group in service.ctl_json('queue', 'list', f'--by={by}', *words)}
            by_hop, by_entry = groups('next-hop'), groups('entry')
            assert {key: (group['messages'], group['held']) for key, group in by_hop.items()} == {
                one: (2, 1), two: (1, 0)}, by_hop
            assert set(by_entry) == {'connections one.test', 'connections two.test'}, by_entry
            assert by_hop[two]['last_failure'] == GREYLISTED and by_hop[two]['next_try_us'] > by_hop[two]['oldest_us']
            received = {message['id']: message for message in service.queued()}
            assert by_hop[one]['octets'] == received[first]['octets'] + received[second]['octets']
            assert by_hop[one]['oldest_us'] == received[first]['received_us']
            assert set(groups('next-hop', two)) == {two}

            def listed(*words):
                return [(message['id'], [recipient['address'] for recipient in message['recipients']])
                        for message in service.ctl_json('queue', 'list', *words)]
            assert listed(f'--next-hop={one}') == [(first, ['u@one.test', 'v@one.test']), (second, ['x@one.test'])]
            assert listed('--entry=connections two.test') == [(first, ['w@two.test'])]
            assert listed('--next-hop=nowhere.test') == []
            # What leaves, and what comes, is followed; a message stays where a recipient of it does.
            world.do('delete', '--matching=u@one.test')
            assert groups('next-hop')[one]['messages'] == 2 and listed(f'--next-hop={one}')[0] == (first, ['v@one.test'])
            world.do('delete', '--matching=v@one.test')
            assert groups('next-hop')[one]['messages'] == 1 and groups('next-hop')[two]['messages'] == 1
            third = world.defer('y@two.test')
            assert listed(f'--next-hop={two}') == [(first, ['w@two.test']), (third, ['y@two.test'])]
            # Another rule, another way.
            service.ctl('connections', 'edit', 'two.test', f'--host={one}')
            service.wait_applied()
            assert groups('next-hop')[one]['messages'] == 3 and two not in groups('next-hop')
            world.do('delete', '--all', gives=(3, 0, 0))
            service.wait_empty()
            assert not groups('next-hop') and not groups('entry')
            service.ctl('connections', 'edit', 'two.test', f'--host={two}')
            service.wait_applied()

        def test_messages_come_in_any_order():
            ids = {'a': world.defer('m@one.test', sender='Zoe@back.test'),
                   'b': world.defer('Z@one.test', sender='adam@back.test', content=CONTENT + b'x' * 900 + b'\r\n'),
                   'c': world.defer('a@one.test', sender='mia@back.test', content=CONTENT + b'more\r\n')}
            names = {number: name for name, number in ids.items()}
            all_of = ((), (f'--next-hop={world.one.endpoint}',), ('--entry=connections one.test',))

            def order(*words):
                return ''.join(names[message['id']] for message in service.ctl_json('queue', 'list', *words))
            world.do('hold', ids['c'])
            world.do('retry', ids['b'])
            poll('its second try', lambda: [message['recipients'][0]['tries'] for message in service.queued()] == [1, 2, 1])
            for column, expected in (('arrival', 'abc'), ('sender', 'bca'), ('recipient', 'cab'), ('size', 'acb'),
                                     ('state', 'abc'), ('next-try', 'abc'), ('tries', 'acb')):
                for words in all_of:
                    assert order(f'--sort={column}', *words) == expected, (column, words, order(f'--sort={column}', *words))
                    assert order(f'--sort={column}', '--reverse', *words) == expected[::-1], (column, words)
                    assert order(f'--sort={column}', *words, '@one.test') == expected, (column, words)
            for words in all_of:
                assert order('--reverse', *words) == 'cba' and order('--sort=size', *words, 'MIA@') == 'c', words
            assert order('--sort=size', '--next-hop=nowhere.test') == ''
            # What is kept of an order is not used when another one came of a change.
            world.do('hold', ids['a'])
            assert [order('--sort=state', *words) for words in all_of] == ['bac'] * 3
            world.do('delete', ids['c'])
            names[world.defer('0@one.test')] = 'd'
            assert [order('--sort=recipient', *words) for words in all_of] == ['dab'] * 3
            # Of a message with several recipients those of the group count.
            names[world.defer('zz@two.test', 'aa@one.test')] = 'e'
            assert [order('--sort=recipient', '--reverse', *words) for words in all_of] == ['ebad', 'baed', 'baed']
            world.do('delete', '--all')
            service.wait_empty()

        def test_a_search_goes_through_all_of_a_long_queue():
            """A turn of the relay goes through a part of it: what is looked for stands in each."""
            n = 600
            with Client(service.host, service.port) as client:
                for i in range(n):
                    recipient = f'{"sought" if i % 7 == 0 else "other"}{i}@one.test'
                    assert client.send(SENDER, [recipient], CONTENT)[1].startswith('250')

            def addresses(*words):
                """Of what is listed; the rest of it changes, for all of it is being tried."""
                return [message['recipients'][0]['address'] for message in service.ctl_json('queue', 'list', *words)]

            sought = [f'sought{i}@one.test' for i in range(0, n, 7)]
            assert addresses('SOUGHT') == sought
            for group in (f'--next-hop={world.one.endpoint}', '--entry=connections one.test'):
                assert addresses(group, 'sought') == sought
                # More than one turn orders, and more than one turn orders what is sought.
                assert addresses(group, '--sort=recipient', '--reverse', 'sought') == sorted(sought, reverse=True)
                ordered = addresses(group, '--sort=recipient')
                assert len(ordered) == n and ordered == sorted(ordered), group
            assert not service.ctl_json('queue', 'list', '--next-hop=nowhere.test', 'sought')
            assert len(service.queued()) == n
            poll('all to be deleted, those on their way later', lambda: service.ctl('queue', 'delete', '--all')
                 and not service.queued())

        def test_selections_that_are_none():
            for words in ((), ('1', '--all'), ('1', '--state=held')):
                service.ctl('queue', 'hold', *words, status=2)
            for words in (('--by=entry', '--entry=x'), ('--next-hop=x', '--entry=x'), ('--by=entry', '--sort=size'),
                          ('--by=entry', '--reverse')):
                service.ctl('queue', 'list', *words, status=2)
            for words in ((), ('--next-hop=x',)):
                assert 'wanted “arrival”' in service.ctl('queue', 'list', '--sort=colour', *words, status=1)
            # What is quoted of it is cut within a character.
            assert 'wanted “arrival”' in service.ctl('queue', 'list', f'--sort={"x" * 63}é', status=1)
            assert 'wanted “next-hop”' in service.ctl('queue', 'list', '--by=colour', status=1)
            assert 'xyz' in service.ctl('queue', 'hold', 'xyz', status=1)
            assert 'wanted “waiting”, “active”, “held” or “etrn”' in service.ctl('queue', 'hold', '--state=gone', status=1)
            world.do('hold', 'ffffff', gives=(0, 0, 0))
            assert '0 messages are held\nThe others do not wait any more' in service.ctl('queue', 'hold', 'ffffff')

        for case in (test_held_mail_waits_through_a_crash_until_it_is_released,
                     test_what_a_stranger_writes_is_harmless_on_a_terminal, test_held_mail_expires,
                     test_returned_mail_is_reported_at_once, test_what_nobody_may_be_told_of_stays,
                     test_filters_take_recipients, test_what_is_on_its_way_is_left_alone,
                     test_groups_count_what_goes_their_way, test_messages_come_in_any_order, test_a_search_goes_through_all_of_a_long_queue,
                     test_selections_that_are_none):
            tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case)
    tap.done()


if __name__ == '__main__':
    main()
