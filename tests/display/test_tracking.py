#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Tracking page on mail that a relay has really rewritten, delivered and put off."""

import os
import resource
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run_with_relay    # noqa: E402
from sink import Sink                           # noqa: E402
from support import Client, send                # noqa: E402

GREYLISTED = '451 4.7.1 Greylisted, try again in 5 minutes'
EVENTS_AN_ANSWER = 1000
HOST = Sink(reply=lambda verb, argument: GREYLISTED if verb == 'RCPT' and 'late@' in argument else None).__enter__()


def deliver(desk, *recipients, sender):
    answer = send(desk.service, sender, recipients, b'Subject: not kept\r\n\r\nbody\r\n')[1]
    number = answer.split()[-1]
    poll('its events', lambda: len(desk.service.ctl_json('track', 'show', number)) > len(recipients))
    return number


def test_the_newest_messages_are_there(desk):
    """With the first look at the page; the events of the first one below."""
    desk.service.add_routing('old.test', '--reroute-to=new.test')
    desk.service.add_connection('new.test', f'--host={HOST.endpoint}')
    desk.service.wait_applied()
    deliver(desk, 'one@old.test', sender='anna@from.test')
    deliver(desk, 'late@old.test', sender='bert@from.test')
    desk.open()
    desk.tab('Tracking')
    desk.dialog.wait_text('one@old.test → one@new.test')
    desk.dialog.wait_text('late@old.test → late@new.test')
    desk.dialog.wait_text('2 messages')
    desk.dialog.wait_text('From bert@from.test, handed in by 127.0.0.1 (client.test)')


def test_a_message_is_found_by_what_is_known(desk):
    """By the recipient as it left; Esc brings all of them back."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('one@new.test')
    desk.dialog.key('Return')
    desk.dialog.wait_text('1 message')
    desk.dialog.wait_no_text('late@old.test → late@new.test')
    desk.dialog.wait_text('From anna@from.test, handed in by 127.0.0.1 (client.test)')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('2 messages')


def test_the_reply_is_told_in_its_own_words(desk):
    """Of the event that is selected, below the two lists."""
    desk.dialog.click(SHEET, 'label', 'Put off')
    desk.dialog.wait_text(GREYLISTED)
    desk.dialog.key('alt+w', 'End')
    desk.dialog.wait_text('Let in by the entry Routing: old.test, decided by Connections: new.test.')


def test_nothing_is_found(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+s')
    desk.dialog.type('nobody@nowhere.test')
    desk.dialog.key('Return')
    desk.dialog.wait_text('No such message is known')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('2 messages')


def test_all_events_of_a_message_are_there(desk):
    """Of more than the relay tells in one answer."""
    number = deliver(desk, *[f'r{n}@old.test' for n in range(EVENTS_AN_ANSWER)], sender='many@from.test')
    last = desk.service.ctl_json('track', 'show', number)[-1]['rcpt-out']
    desk.dialog.click(SHEET, 'push button', 'Find')
    desk.dialog.wait_text('3 messages')

    def is_shown_last():
        desk.dialog.focus(SHEET)
        desk.dialog.key('alt+w', 'End')
        return last in desk.dialog.texts()
    poll(f'the event of {last}', is_shown_last)


def test_relay_comes_back(desk):
    """What was looked for meanwhile is found then."""
    desk.service.stop_relay()
    desk.dialog.click(SHEET, 'push button', 'Find')
    desk.dialog.wait_text('The relay is not running: messages are found as soon as it is.')
    desk.service.start_relay()
    desk.dialog.wait_text('3 messages')


def test_days_are_saved(desk):
    """0: nothing is kept from Apply on, and the page says why nothing is found."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+d', 'ctrl+a')
    desk.dialog.type('0')
    desk.dialog.key('Tab')
    desk.apply()
    assert desk.setting('track-days') == '0'
    desk.service.wait_applied()
    desk.dialog.click(SHEET, 'push button', 'Find')
    desk.dialog.wait_text('Nothing can be looked for: messages are not tracked: the setting track-days is 0')


def test_what_cannot_be_kept_is_said(desk):
    """Whoever finds nothing is told that it may have been there."""
    poll('the end of what was tracked',
         lambda: not any(name.startswith('track.') for name in os.listdir(desk.service.spool)))
    desk.ctl('settings', 'set', 'track-days', '30')
    desk.service.wait_applied()
    relay = desk.service.relay.pid
    with Client(desk.service.host, desk.service.port) as client:
        opened = {int(name) for name in os.listdir(f'/proc/{relay}/fd')}
        limits = resource.prlimit(relay, resource.RLIMIT_NOFILE)
        resource.prlimit(relay, resource.RLIMIT_NOFILE, (min(set(range(len(opened) + 1)) - opened), limits[1]))
        client.send('anna@from.test', ['one@old.test'], b'Subject: not kept\r\n\r\nbody\r\n')
        poll('the failure', lambda: desk.service.ctl_json('status')['relay']['track-failure'])
    resource.prlimit(relay, resource.RLIMIT_NOFILE, limits)
    desk.dialog.click(SHEET, 'push button', 'Find')
    desk.dialog.wait_text('What becomes of messages is not kept just now. The relay says: cannot create a file')
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f', 'Escape')
    assert desk.dialog.end() == 0


if __name__ == '__main__':
    run_with_relay('tracking', *[case for name, case in list(globals().items()) if name.startswith('test_')])
