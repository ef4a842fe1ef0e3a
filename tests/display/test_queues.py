#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Queues page on mail that is really deferred: what it shows, and every verb with what comes of it."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run_with_relay    # noqa: E402
from sink import Sink                           # noqa: E402
from support import Client, send                        # noqa: E402

GREYLISTED = '451 4.7.1 Greylisted, try again in 5 minutes'
SENDER = 'orders@back.test'


class Street:
    """A host that puts mail off until it is opened, one that always takes it."""

    def __init__(self):
        self.open = False
        self.wall = Sink(reply=self.answer).__enter__()
        self.back = Sink().__enter__()

    def answer(self, verb, _argument):
        return GREYLISTED if verb == 'RCPT' and not self.open else None


STREET = Street()


def defer(desk, recipient, sender=SENDER):
    service = desk.service
    assert send(service, sender, [recipient], b'Subject: to be seen\r\n\r\nbody\r\n')[1].startswith('250')
    poll('it to wait', lambda: any(each['address'] == recipient and each['tries'] for message in service.queued()
                                   for each in message['recipients']))


def state_of(desk, recipient):
    states = [each['state'] for message in desk.service.queued() for each in message['recipients']
              if each['address'] == recipient]
    return states[0] if states else None


def choose(desk, recipient):
    desk.dialog.click(SHEET, 'label', recipient)
    desk.dialog.wait_sensitive(SHEET, 'push button', 'Delete…')


def turn_round(desk, column):
    """Two clicks on a header.  Each lets go what is selected; choosing again keeps them from being one double click."""
    for _ in range(2):
        choose(desk, 'a@wall.test')
        desk.dialog.click(SHEET, 'label', column)
        desk.dialog.wait_sensitive(SHEET, 'push button', 'Delete…', False)


def cells(desk):
    texts = desk.dialog.texts()
    return [text for before, text in zip(texts, texts[1:]) if before == 'GtkColumnViewCell']


def test_empty_queue_says_so(desk):
    desk.service.set('retry-intervals', '1h')  # what is tried before is tried because she says so
    desk.service.add_connection('wall.test', f'--host={STREET.wall.endpoint}')
    desk.service.add_connection('back.test', f'--host={STREET.back.endpoint}')
    desk.service.wait_applied()
    desk.open()
    desk.tab('Queues')
    desk.dialog.wait_text('No mail waits')


def test_what_waits_comes_by_itself(desk):
    """Next hop, counts, the host's own words; then the messages of the group."""
    for name in 'abcde':
        defer(desk, f'{name}@wall.test')
    desk.dialog.wait_text(STREET.wall.endpoint)
    desk.dialog.wait_text('5 messages wait, the oldest for ')
    desk.dialog.wait_text(GREYLISTED)
    for name in 'abcde':
        desk.dialog.wait_text(f'{name}@wall.test')
    shown = cells(desk)
    assert shown[:3] == ['', STREET.wall.endpoint, '5'] and shown[5] == GREYLISTED, shown
    assert shown.count(SENDER) == 5 and shown.count('Waiting') == 5, shown


def test_details(desk):
    choose(desk, 'a@wall.test')
    desk.dialog.click(SHEET, 'push button', 'Details…')
    for text in ('a@wall.test', GREYLISTED, 'Subject: to be seen', f'From {SENDER}'):
        desk.dialog.wait_text(text, 'Message Details')
    desk.dialog.focus('Message Details')
    desk.dialog.key('F1')
    desk.dialog.wait_text('each recipient that it still has to reach', 'Help')
    desk.dialog.focus('Help')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Help')
    desk.dialog.focus('Message Details')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Message Details')


def test_hold_and_release(desk):
    choose(desk, 'b@wall.test')
    desk.dialog.click(SHEET, 'push button', 'Hold')
    desk.dialog.wait_text('Held')
    assert state_of(desk, 'b@wall.test') == 'held'
    desk.dialog.click(SHEET, 'push button', 'Release')
    poll('it to be released', lambda: state_of(desk, 'b@wall.test') != 'held')
    desk.dialog.wait_no_text('Held')


def test_return_asks_once(desk):
    choose(desk, 'c@wall.test')
    desk.dialog.click(SHEET, 'push button', 'Return to Sender…')
    desk.dialog.wait_text('Return 1 message to its sender?', 'Return to Sender')
    desk.dialog.focus('Return to Sender')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Return to Sender')
    assert state_of(desk, 'c@wall.test') and not STREET.back.messages
    desk.dialog.click(SHEET, 'push button', 'Return to Sender…')
    desk.dialog.click('Return to Sender', 'push button', 'Return')
    poll('the notice', lambda: STREET.back.messages)
    assert b'c@wall.test' in STREET.back.messages[0].content and STREET.back.messages[0].recipients == [SENDER]
    desk.dialog.wait_no_text('c@wall.test')
    assert state_of(desk, 'c@wall.test') is None


def test_what_nobody_may_be_told_of_stays(desk):
    defer(desk, 'null@wall.test', sender='')
    desk.dialog.wait_text('null@wall.test')
    choose(desk, 'null@wall.test')
    desk.dialog.click(SHEET, 'push button', 'Return to Sender…')
    desk.dialog.click('Return to Sender', 'push button', 'Return')
    desk.dialog.wait_text('1 message stays')
    assert state_of(desk, 'null@wall.test') == 'waiting'


def test_delete_by_key(desk):
    choose(desk, 'null@wall.test')
    desk.dialog.key('Delete')
    desk.dialog.click('Delete Messages', 'push button', 'Delete')
    desk.dialog.wait_no_text('null@wall.test')
    assert state_of(desk, 'null@wall.test') is None


def test_groups_by_entry_and_search(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type(' nowhere ')
    desk.dialog.wait_text('Nothing here contains “nowhere”.')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('a@wall.test')
    desk.dialog.key('alt+g')
    desk.dialog.wait(SHEET, 'label', 'Entry')
    desk.dialog.key('Down', 'Return')
    desk.dialog.wait_text('Connections: wall.test')
    desk.dialog.wait_text('Messages for Connections: wall.test')


def test_search_among_messages(desk):
    """All that it finds is meant, and nothing else."""
    desk.dialog.click(SHEET, 'entry', 'Search messages')
    desk.dialog.type('B@wall')
    desk.dialog.wait_text('0 of 1 selected')
    desk.dialog.click(SHEET, 'push button', 'Select All')
    desk.dialog.wait_text('1 of 1 selected')
    desk.dialog.click(SHEET, 'push button', 'Hold')
    desk.dialog.wait_text('Held')
    assert {name: state_of(desk, f'{name}@wall.test') for name in 'abde'} == dict.fromkeys('ade', 'waiting') | {'b': 'held'}
    desk.service.ctl('queue', 'release', '--all')
    desk.dialog.click(SHEET, 'entry', 'Search messages')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('0 of 4 selected')


def test_messages_in_another_order(desk):
    """The relay orders them; what is selected stays meant when they come in another order."""
    def shown():
        return ''.join(text[0] for text in cells(desk) if text.endswith('@wall.test'))
    poll('the order of arrival', lambda: shown() == 'abde')
    turn_round(desk, 'Recipient')
    poll('the last to come first', lambda: shown() == 'edba')
    choose(desk, 'd@wall.test')
    defer(desk, 'c@wall.test')
    poll('a new one to come into its place', lambda: shown() == 'edcba')
    desk.dialog.click(SHEET, 'push button', 'Hold')
    poll('it to be held', lambda: state_of(desk, 'd@wall.test') == 'held')
    assert {name: state_of(desk, f'{name}@wall.test') for name in 'abce'} == dict.fromkeys('abce', 'waiting')
    desk.service.ctl('queue', 'release', '--all')
    desk.service.ctl('queue', 'delete', '--matching=c@wall.test')
    turn_round(desk, 'Age')
    poll('the oldest to come first', lambda: shown() == 'abde')


def test_what_was_never_shown_is_meant_too(desk):
    """All but the first of a list of which only the ends were read."""
    n = 450
    desk.service.add_connection('many.test', f'--host={STREET.wall.endpoint}')
    desk.service.wait_applied()
    with Client(desk.service.host, desk.service.port) as client:
        for i in range(n):
            assert client.send(SENDER, [f'm{i}@many.test'], b'Subject: many\r\n\r\n')[1].startswith('250')
    desk.dialog.key('ctrl+f')
    desk.dialog.type('many')
    desk.dialog.wait(SHEET, 'label', f'0 of {n} selected')
    desk.dialog.key('alt+m', 'ctrl+Home', 'Down', 'shift+End')
    desk.dialog.wait(SHEET, 'label', f'{n - 1} of {n} selected')
    desk.dialog.key('alt+h')
    poll('all but the first to be held', lambda: [state_of(desk, f'm{i}@many.test') for i in (0, 1, n // 2, n - 1)]
         == ['waiting', 'held', 'held', 'held'])
    assert sum(message['recipients'][0]['state'] == 'held' for message in desk.service.queued()) == n - 1
    desk.service.ctl('queue', 'delete', '--entry=connections many.test')
    desk.dialog.wait_text('Nothing here contains “many”.')
    desk.dialog.key('ctrl+f', 'Escape')
    desk.dialog.wait_text('Messages for Connections: wall.test')


def test_select_all_and_retry(desk):
    """Everything of the group is tried now, and leaves the page when it is delivered."""
    desk.dialog.wait_text('a@wall.test')
    desk.dialog.click(SHEET, 'push button', 'Select All')
    desk.dialog.wait_text('4 of 4 selected')
    STREET.open = True
    desk.dialog.click(SHEET, 'push button', 'Retry Now')
    poll('all of them', lambda: sorted(STREET.wall.recipients()) == [f'{name}@wall.test' for name in 'abde'])
    desk.dialog.wait_text('No mail waits')


def test_relay_goes_and_comes(desk):
    """What was asked for meanwhile is not done, and the page says so."""
    STREET.open = False
    defer(desk, 'late@wall.test')
    desk.dialog.wait_text('late@wall.test')
    choose(desk, 'late@wall.test')
    desk.dialog.key('Delete')
    desk.dialog.wait_window('Delete Messages')
    desk.service.stop_relay()
    desk.dialog.click('Delete Messages', 'push button', 'Delete')
    desk.dialog.wait_text('The relay is not running: waiting mail stays as it is until it runs again.')
    desk.dialog.wait_text('Shown as of ')
    desk.dialog.wait_text('The relay is not running')
    desk.service.start_relay()
    desk.dialog.wait_text('1 message waits, for ')
    desk.dialog.wait_no_text('waiting mail stays as it is')
    desk.dialog.wait_text('late@wall.test')


def test_a_host_that_is_not_reached_is_marked(desk):
    """One that answers and puts mail off is not."""
    desk.service.add_connection('down.test', '--host=127.0.0.1:1')
    desk.service.wait_applied()
    defer(desk, 'd@down.test')
    desk.dialog.wait_text('Connections: down.test')
    shown = cells(desk)
    marks = {name: mark for mark, name in zip(shown, shown[1:]) if name.startswith('Connections: ')}
    assert marks == {'Connections: down.test': 'The connection to the host failed at the last try', 'Connections: wall.test': ''}, shown


def test_more_lines_than_are_shown(desk):
    domains = [f'many{number}.test' for number in range(1001)]
    rows = ['page,domain,action,target,accept_from', *(f'connections,{name},host,127.0.0.1:1,anyone' for name in domains)]
    desk.ctl('import', desk.place.write('\n'.join(rows) + '\n', 'many.csv'))
    desk.service.wait_applied()
    for first in range(0, len(domains), 100):
        _, reply = send(desk.service, SENDER, [f'u@{name}' for name in domains[first:first + 100]])
        assert reply.startswith('250'), reply
    desk.dialog.wait_text('lines are shown. Search to find the others.')
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('many1000')
    desk.dialog.wait_text('Connections: many1000.test')
    desk.dialog.wait_no_text('Search to find the others')


if __name__ == '__main__':
    run_with_relay('queues', *[case for name, case in list(globals().items()) if name.startswith('test_')])
