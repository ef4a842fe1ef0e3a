#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Test an address: what the real relay would do, under the saved rules and under unsaved changes beside them."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, run_with_relay    # noqa: E402
from tree import SENSITIVE                # noqa: E402

WINDOW = 'Test an Address'
ADD = 'Add E-mail Domain'


def ask(desk, address):
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+t', 'ctrl+a')
    desk.dialog.type(address)


def test_saved_rules_in_a_sentence(desk):
    desk.ctl('routing', 'add', 'test.com', '--reroute-to=example.com', '--accept-from=anyone')
    desk.ctl('settings', 'set', 'default-delivery', '127.0.0.1:2600')
    desk.open()
    ask(desk, 'user@test.com')
    desk.dialog.wait_text('Leaves as user@example.com for 127.0.0.1. Decided by the entry test.com.')
    ask(desk, 'user@other.test')
    desk.dialog.wait_text('Leaves unchanged as user@other.test for 127.0.0.1.')


def test_no_address(desk):
    ask(desk, 'user@test..com')
    desk.dialog.wait_text('“user@test..com” is no e-mail address.')


def test_unsaved_changes_are_meant(desk):
    ask(desk, 'user@new.test')
    desk.dialog.wait_text('Leaves unchanged as user@new.test')
    desk.add_routing('new.test', 'example.net')
    desk.confirm(ADD)
    desk.dialog.wait_text('Leaves as user@example.net for 127.0.0.1. Decided by the entry new.test.')


def test_side_by_side(desk):
    """Enter in the field opens the window; what the changes alter is marked."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+t', 'Return')
    desk.dialog.wait_text('Your changes alter this address.', WINDOW)
    texts = desk.dialog.texts(WINDOW)
    assert 'With your 1 change' in texts, texts
    assert 'Routing  ≠' in texts and 'RCPT TO  ≠' in texts and 'Recipient' in texts, texts
    assert 'No Routing entry covers new.test.' in texts, texts
    assert any('The entry new.test replaces the domain new.test by example.net.' in text for text in texts), texts
    assert 'user@example.net' in texts and texts.count('user@new.test') >= 3, texts


def test_a_client_that_may_not(desk):
    desk.dialog.focus(WINDOW)
    desk.dialog.key('alt+f')
    desk.dialog.type('192.0.2')
    desk.dialog.wait_text('Write the client\'s address, such as “192.0.2.7”, or nothing.', WINDOW)
    desk.dialog.type('.7')
    desk.dialog.wait_text('550 5.7.1 Relaying denied', WINDOW)
    desk.dialog.wait_text('The entry new.test accepts mail from anyone.', WINDOW)


def test_same_where_the_changes_do_not_matter(desk):
    desk.dialog.key('alt+a', 'ctrl+a')
    desk.dialog.type('user@test.com')
    desk.dialog.wait_text('The entry test.com replaces the domain test.com by example.com.', WINDOW)
    desk.dialog.wait_no_text('≠', WINDOW)
    desk.dialog.wait_no_text('Your changes alter', WINDOW)


def test_nothing_is_said_without_an_address(desk):
    """Neither by the window nor by Copy."""
    desk.dialog.wait_sensitive(WINDOW, 'push button', 'Copy as Text')
    desk.dialog.key('ctrl+a', 'BackSpace')
    desk.dialog.wait_no_text('The entry test.com replaces', WINDOW)
    desk.dialog.wait_no_text('Leaves as', WINDOW)
    assert not desk.dialog.find(WINDOW, 'push button', 'Copy as Text').has(SENSITIVE)
    desk.dialog.type('user@test.com')
    desk.dialog.wait_text('The entry test.com replaces', WINDOW)
    desk.dialog.wait_sensitive(WINDOW, 'push button', 'Copy as Text')
    desk.dialog.key('alt+f', 'ctrl+a')
    desk.dialog.type('192.0.2')
    desk.dialog.wait_no_text('The entry test.com replaces', WINDOW)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(WINDOW)


def test_without_the_relay_rulesd_answers(desk):
    desk.service.stop_relay()
    desk.dialog.wait_text('The relay is not running')
    ask(desk, 'user@test.com')
    desk.dialog.key('Return')
    desk.dialog.wait_text('The relay is not running: nothing was looked up in DNS.', WINDOW)
    desk.dialog.wait_text('Leaves as user@example.com', WINDOW)
    desk.dialog.focus(WINDOW)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(WINDOW)


if __name__ == '__main__':
    run_with_relay('explain', *[case for name, case in list(globals().items()) if name.startswith('test_')])
