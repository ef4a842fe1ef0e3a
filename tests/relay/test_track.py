#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl track: what became of messages, found by all that is known of them, also after the relay's next start."""

import contextlib
import glob
import os
import time

from place import Place, poll
from sink import Sink
from support import Service, send
from tap import Tap

GREYLISTED = '451 4.7.1 Greylisted, try again later'
REFUSED = '550 5.1.1 No such user "a b"'
FULL = f'552 5.2.2 No room{", none at all" * 20}'
SENDER = 'sender@back.test'
LONG = '.'.join(letter * 55 for letter in 'abc')


class World:
    """old.test is rewritten to new.test, whose host does as it is told by the recipient; fwd.test is forwarded."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('track'))
        self.service = stack.enter_context(Service(self.place))
        self.open = False
        self.sink = stack.enter_context(Sink(reply=self.answer))
        self.forwarded = stack.enter_context(Sink())
        self.service.add_routing('old.test', '--reroute-to=new.test')
        self.service.add_connection('new.test', f'--host={self.sink.endpoint}')
        self.service.add_connection('fwd.test', f'--host={self.forwarded.endpoint}')
        self.service.add_connection('back.test', f'--host={self.forwarded.endpoint}')
        self.service.add_routing(f'{LONG}.old.test', f'--reroute-to={LONG}.new.test')
        self.service.set('retry-intervals', '1s')
        self.service.wait_applied()

    def answer(self, verb, argument):
        if verb != 'RCPT':
            return None
        if 'bad@' in argument:
            return REFUSED
        if 'full@' in argument:
            return FULL
        return GREYLISTED if 'late@' in argument and not self.open else None

    def send(self, *recipients, sender=SENDER):
        """The id of a message that was taken."""
        answer = send(self.service, sender, recipients)[1]
        assert answer.startswith('250'), answer
        return answer.split()[-1]

    def track(self, *arguments):
        return self.service.ctl_json('track', *arguments)

    def ids(self, *arguments):
        return [message['id'] for message in self.track(*arguments)]

    def events(self, number):
        return self.service.ctl_json('track', 'show', number)

    def wait(self, number, *kinds):
        """The message's events once they are of these kinds."""
        def come():
            events = self.events(number)
            return events if [event['kind'] for event in events] == list(kinds) else None
        return poll(f'the events {kinds}', come)


def test_delivered_and_rewritten(world):
    """Found by its recipient as it came and as it left, and told from the arrival to the reply as it was given."""
    number = world.send('one@old.test')
    accepted, sent = world.wait(number, 'accepted', 'sent')
    assert (accepted['sender'], accepted['recipients']) == (SENDER, ['one@old.test']), accepted
    assert accepted['client'] == '127.0.0.1' and accepted['helo'] == 'client.test' and accepted['octets'] > 0, accepted
    assert (sent['recipient'], sent['rcpt-out']) == ('one@old.test', 'one@new.test'), sent
    assert sent['entry'] == 'connections new.test' and sent['reply'].startswith('250'), sent
    assert sent['admitting'] == 'routing old.test', sent
    assert str(world.sink.port) in sent['relay'] and accepted['time'] <= sent['time'], sent
    for arguments in (['--recipient=one@old.test'], ['--recipient=ONE@new.test'], [f'--id={number}'],
                      [f'--sender={SENDER}', '--recipient==one@new.test'],
                      ['--entry=connections new.test', '--recipient=one@'],
                      ['--entry=routing old.test', '--recipient=one@'],
                      [f'--host=127.0.0.1]:{world.sink.port}', '--recipient=one@', '--since=1h']):
        message, = world.track(*arguments)
        assert (message['id'], message['state'], message['recipients']) == (number, 'sent', 1), (arguments, message)
        assert (message['recipient'], message['rcpt_out']) == ('one@old.test', 'one@new.test'), message
    for arguments in (['--recipient=nobody@old.test'], ['--recipient==ne@old.test'], ['--until=1h'],
                      ['--since=2999-01-01'], ['--host=192.0.2.99'], ['--id=ffffffff'], ['--sender=one@old.test']):
        assert number not in world.ids(*arguments), arguments
    assert 'one@new.test' in world.service.ctl('track', '--recipient=one@')
    assert '250' in world.service.ctl('track', 'show', number)


def test_forwarded(world):
    number = world.send('same@fwd.test')
    _, sent = world.wait(number, 'accepted', 'sent')
    assert sent['entry'] == 'connections fwd.test' and not {'rcpt-out', 'admitting'} & set(sent), sent
    assert world.ids('--entry==connections fwd.test') == [number]


def test_deferred_then_delivered(world):
    """Every try is told; the list tells the last one."""
    number = world.send('late@old.test')
    poll('a try', lambda: [event for event in world.events(number) if event['kind'] == 'deferred'])
    message, = world.track(f'--id={number}')
    assert (message['state'], message['reply']) == ('deferred', GREYLISTED), message
    world.open = True
    world.service.ctl('queue', 'retry', '--all')
    events = poll('the delivery', lambda: (lambda found: found if found[-1]['kind'] == 'sent' else None)(world.events(number)))
    assert events[1]['reply'] == GREYLISTED, events
    message, = world.track('--recipient=late@')
    assert (message['id'], message['state']) == (number, 'sent'), message


def test_returned(world):
    """The reply is kept in the other host's own words, the notice is named, and is a message itself."""
    number = world.send('bad@old.test')
    accepted, failed, notice = world.wait(number, 'accepted', 'failed', 'notice')
    assert failed['reply'] == REFUSED and failed['rcpt-out'] == 'bad@new.test', failed
    own = world.wait(notice['notice'], 'accepted', 'sent')
    assert own[0]['sender'] == '' and own[0]['recipients'] == [SENDER] and 'client' not in own[0], own
    assert accepted['recipients'] == ['bad@old.test']


def test_many_recipients(world):
    """One line a message, with the recipient that was looked for and what became of that one."""
    number = world.send('a@old.test', 'bad@old.test', 'c@fwd.test')
    poll('all events', lambda: len(world.events(number)) == 5)
    for recipient, state in (('a@old.test', 'sent'), ('bad@old.test', 'failed'), ('c@fwd.test', 'sent')):
        message, = (found for found in world.track(f'--recipient={recipient}') if found['id'] == number)
        assert (message['recipient'], message['state'], message['recipients']) == (recipient, state, 3), message


def test_recipients_that_differ(world):
    """Of one transaction, by turns: each is told of with its own address, entry and reply, in the log too."""
    rows = [(f'{name}@{domain}', f'{name}@new.test', 'failed' if name == 'bad' else 'sent', admitting)
            for name in ('a', 'bad', 'b')
            for domain, admitting in (('old.test', 'routing old.test'), ('new.test', 'connections new.test'))]
    number = world.send(*(row[0] for row in rows))
    poll('all events', lambda: len(world.events(number)) == 2 + len(rows))
    events = {event['recipient']: event for event in world.events(number) if event['kind'] in ('sent', 'failed')}
    told = [line['text'] for line in world.service.ctl_json('log', '--category=delivery', f'id={number} to=<')]
    assert len(told) == len(rows) == len(events), told
    for received, rcpt_out, kind, admitting in rows:
        event = events[received]
        assert (event['kind'], event['sender'], event['entry']) == (kind, SENDER, 'connections new.test'), event
        assert event.get('admitting', event['entry']) == admitting, event
        assert event.get('rcpt-out', received) == rcpt_out and (event['reply'] == REFUSED) == (kind == 'failed'), event
        origin = f'> orig_to=<{received}' if rcpt_out != received else ''
        line, = (text for text in told if f' to=<{rcpt_out}{origin}> nexthop=' in text)
        assert f' status={kind} ({event["reply"]})' in line, line


def test_more_lines_than_are_gathered(world):
    """Of one transaction: more of the log than goes there in one call; each recipient has its line, whole."""
    recipients = [f'{"x" * 55}{number:03}full@{LONG}.old.test' for number in range(100)]
    number = world.send(*recipients)
    told = poll('all lines', lambda: (lambda found: found if len(found) >= len(recipients) else None)(
        [line['text'] for line in world.service.ctl_json('log', '--category=delivery', f'id={number} to=<')]))
    assert len(told) == len(recipients) and sum(map(len, told)) > 65536, told
    for recipient, line in zip(recipients, told):
        rcpt_out = recipient.replace('.old.test', '.new.test')
        assert line.startswith(f'id={number} to=<{rcpt_out}> orig_to=<{recipient}> nexthop='), line
        assert line.partition(' nexthop=')[2] == told[0].partition(' nexthop=')[2] and line.endswith(f'({FULL})'), line


def test_what_an_administrator_did(world):
    world.open = False
    number = world.send('late@old.test')
    poll('a try', lambda: world.events(number)[1:])
    for verb in ('hold', 'release', 'delete'):
        world.service.ctl('queue', verb, number)
    kinds = [event['kind'] for event in world.events(number)]
    assert [kind for kind in kinds if kind not in ('accepted', 'deferred')] == ['held', 'released', 'deleted'], kinds
    assert world.track(f'--id={number}')[0]['state'] == 'deleted'


def test_pages(world):
    """By their newest event, --limit of them, and a word that there are more."""
    numbers = []
    for number in range(5):
        numbers.append(world.send(f'page{number}@fwd.test'))
        world.service.wait_empty()
    assert world.ids('--recipient=page') == numbers[::-1]
    assert world.ids('--recipient=page', '--limit=2') == numbers[:2:-1]
    for limit in ('0', '-1'):
        assert 'from 1 on' in world.service.ctl('track', f'--limit={limit}', status=2)
    assert 'no such message' in world.service.ctl('track', '--recipient=nobody@nowhere')


def test_what_is_wrong_is_told(world):
    service = world.service
    assert '“xyz” is no id' in service.ctl('track', '--id=xyz', status=1)
    assert '“soon” is no time' in service.ctl('track', '--since=soon', status=2)
    assert 'nothing is known of a message ffffffff' in service.ctl('track', 'show', 'ffffffff', status=1)


def test_after_a_start(world):
    """What was tracked before a kill is found, and goes on being tracked."""
    number = world.send('before@fwd.test')
    world.wait(number, 'accepted', 'sent')
    world.service.kill_relay()
    world.service.start_relay()
    assert world.ids('--recipient=before@') == [number]
    again = world.send('after@fwd.test')
    world.wait(again, 'accepted', 'sent')
    assert world.ids('--since=1h')[0] == again


def test_longer_than_by_default(world):
    """What the rules want kept is not pruned by the defaults that hold before they come."""
    world.service.set('track-days', '60')
    world.service.wait_applied()
    world.service.stop_relay()
    oldest = min(glob.glob(os.path.join(world.service.spool, 'track.*')))
    then_s = time.time() - 40 * 86400
    os.utime(oldest, (then_s, then_s))
    world.service.start_relay()
    number = world.send('sixty@fwd.test')
    world.wait(number, 'accepted', 'sent')
    assert os.path.exists(oldest)
    world.service.set('track-days', '30')
    poll('the old file to go', lambda: not os.path.exists(oldest))


def test_times_out_of_order(world):
    """A file that was written while the clock was behind hides no older one; one from ahead keeps no other one."""
    def restart(*times):
        """Days that are added to the time of each file, by its place among them."""
        world.service.stop_relay()
        names = sorted(glob.glob(os.path.join(world.service.spool, 'track.*')))
        for place, days in times:
            then_s = time.time() + days * 86400
            os.utime(names[place], (then_s, then_s))
        world.service.start_relay()
        return names

    hidden = world.send('hidden@fwd.test')
    world.wait(hidden, 'accepted', 'sent')
    restart()
    world.wait(world.send('behind@fwd.test'), 'accepted', 'sent')
    restart((-1, -2))
    assert world.ids('--since=1h', '--recipient=hidden@') == [hidden]
    names = restart((0, 365), (-1, -40))
    world.wait(world.send('now@fwd.test'), 'accepted', 'sent')
    poll('the old file to go', lambda: not os.path.exists(names[-1]))
    assert os.path.exists(names[0])


def test_damaged_files(world):
    """Whatever stands in the files, the relay starts, delivers and tracks."""
    world.service.stop_relay()
    files = sorted(glob.glob(os.path.join(world.service.spool, 'track.*')))
    assert len(files) > 1, files  # one for each life of the relay
    with open(files[0], 'r+b') as stream:
        stream.seek(100)
        stream.write(bytes(300))
    with open(files[-1], 'ab') as stream:
        stream.write(b'RTF\xf7' + os.urandom(500))
    world.service.start_relay()
    number = world.send('damage@fwd.test')
    world.wait(number, 'accepted', 'sent')
    assert world.ids('--recipient=sixty@fwd.test')


def test_off_and_on(world):
    """track-days 0: nothing is kept, at once; the mail goes on."""
    world.service.set('track-days', '0')
    world.service.wait_applied()
    world.send('untracked@fwd.test')
    world.service.wait_empty()
    assert 'track-days is 0' in world.service.ctl('track', status=1)
    poll('the files to go', lambda: not glob.glob(os.path.join(world.service.spool, 'track.*')))
    world.service.set('track-days', '1')
    world.service.wait_applied()
    assert world.ids() == []
    number = world.send('tracked@fwd.test')
    world.wait(number, 'accepted', 'sent')
    assert world.ids() == [number]


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for name, case in list(globals().items()):
            if name.startswith('test_'):
                tap.case(name.removeprefix('test_').replace('_', '-'), case, world)
    tap.done()


if __name__ == '__main__':
    main()
