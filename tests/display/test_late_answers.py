#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others saved is known, and the list does not show it yet: on a slow link she acts on what she saw."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from between import Between     # noqa: E402
from desk import SHEET, poll, run    # noqa: E402

EDIT = 'Edit Routing Table Entry'


def open_between(desk, between):
    desk.dialog = between.dialog
    desk.page(1)
    desk.dialog.wait_text(' entr')


def others_edit(desk, between, *words):
    """The sheet has taken it in, and neither settings nor rows are read again."""
    between.hold('Settings', 'List')
    desk.ctl('routing', 'edit', 'old.test', *words)
    poll('the sheet to know of it', lambda: 'Settings' in between.calls)


def press(desk, between, key):
    """A key on the list, on which the row is read again."""
    desk.dialog.focus(SHEET)
    desk.dialog.key(key)
    poll('the row to be asked for', lambda: 'List' in between.calls)
    between.let_go()


def test_entry_that_is_opened_meanwhile(desk):
    """It opens as they left it."""
    desk.ctl('routing', 'add', 'old.test', '--reroute-to=one.test', '--accept-from=anyone')
    with Between(desk) as between:
        open_between(desk, between)
        desk.dialog.click(SHEET, 'label', 'old.test')
        others_edit(desk, between, '--reroute-to=two.test')
        press(desk, between, 'Return')
        desk.dialog.wait_text('two.test', EDIT)
        desk.dialog.focus(EDIT)
        desk.dialog.key('alt+o')
        desk.dialog.type('hers')
        desk.confirm(EDIT)
        desk.apply()
        row = desk.rows('routing')['old.test']
        assert (row['target'], row['comment']) == ('two.test', 'hers'), row


def test_entry_that_is_removed_meanwhile(desk):
    """It stays, and is shown as they left it; then it can be removed."""
    with Between(desk) as between:
        open_between(desk, between)
        desk.dialog.click(SHEET, 'label', 'old.test')
        others_edit(desk, between, '--reroute-to=three.test')
        press(desk, between, 'Delete')
        desk.dialog.wait_text('three.test')
        desk.wait_saved()
        desk.dialog.focus(SHEET)
        desk.dialog.key('Delete')
        desk.dialog.wait_text('1 unsaved change')
        desk.apply()
        assert not desk.rows('routing')


def test_other_entry_is_removed_meanwhile(desk):
    """What they left alone is removed as soon as that is known."""
    for name in ('old.test', 'other.test'):
        desk.ctl('routing', 'add', name, '--reroute-to=one.test', '--accept-from=anyone')
    with Between(desk) as between:
        open_between(desk, between)
        desk.dialog.click(SHEET, 'label', 'other.test')
        others_edit(desk, between, '--reroute-to=two.test')
        press(desk, between, 'Delete')
        desk.dialog.wait_text('1 unsaved change')
        desk.apply()
        assert set(desk.rows('routing')) == {'old.test'}


def test_news_that_cannot_be_read_once(desk):
    """They are asked for again, while everybody is there."""
    with Between(desk) as between:
        open_between(desk, between)
        between.refused.add('ChangesSince')
        desk.ctl('routing', 'add', 'new.test', '--reroute-to=one.test', '--accept-from=anyone')
        poll('the refusal', lambda: 'ChangesSince' in between.answered)
        desk.dialog.wait_text('new.test')
        desk.wait_saved()


if __name__ == '__main__':
    run('late-answers', *[case for name, case in list(globals().items()) if name.startswith('test_')])
