#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Diagnostics page: levels by category, and the log of a relay that works."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run_with_relay    # noqa: E402


def test_the_log_comes_by_itself(desk):
    """What the relay wrote before the page was opened, and a generation that is saved meanwhile."""
    desk.open()
    desk.tab('Diagnostics')
    desk.dialog.wait_text('receiving on ')
    desk.ctl('routing', 'add', 'test.com', '--reroute-to=example.com', '--accept-from=anyone')
    desk.dialog.wait_text(f'rules of generation {desk.serial()} are in force')


def test_a_search_chooses_among_the_lines(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type(' RECEIVING')
    desk.dialog.wait_no_text('are in force')
    desk.dialog.wait_text('receiving on ')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('are in force')


def test_levels_are_saved(desk):
    """A drop-down a category; the relay takes the level up with Apply."""
    desk.dialog.focus(SHEET)
    desk.choose('alt+d', 3)
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.setting('log-levels') == 'delivery=maximum'


def test_without_the_relay(desk):
    desk.service.stop_relay()
    desk.dialog.wait_text('The relay is not running: new lines are shown as soon as it is.')
    desk.service.start_relay()
    desk.dialog.wait_no_text('new lines are shown')
    desk.dialog.wait_text('receiving on ')


def n_starts(desk):
    """Of a relay, that the page shows."""
    return sum('receiving on ' in text for text in desk.dialog.texts())


def n_lines(desk):
    """That the relay has written."""
    return len(json.loads(desk.ctl('--json', 'log')))


def test_a_relay_that_starts_while_another_page_is_shown(desk):
    """Its first lines are shown, however many it has written by then."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type(' RECEIVING')
    desk.dialog.wait_no_text('are in force')
    poll('the relay that runs', lambda: n_starts(desk) == 1)
    desk.page(0)
    before = n_lines(desk)
    desk.service.stop_relay()
    desk.service.start_relay()
    while n_lines(desk) <= before:
        desk.ctl('settings', 'set', 'postmaster', f'n{desk.serial()}@example.com')
        desk.service.wait_applied()
    desk.tab('Diagnostics')
    poll('the relay that was started', lambda: n_starts(desk) == 2)


def test_lines_are_shown_once(desk):
    """Also when the bus was away, and the relay was not."""
    desk.bus.stop()
    desk.dialog.wait_text('new lines are shown as soon as it is')
    desk.bus.start()
    desk.service.wait_applied()
    desk.dialog.wait_no_text('new lines are shown as soon as it is')
    assert n_starts(desk) == 2
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f', 'Escape')
    desk.ctl('settings', 'set', 'postmaster', 'last@example.com')
    desk.dialog.wait_text(f'rules of generation {desk.serial()} are in force')


def test_esc_in_an_empty_search_is_cancel(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f', 'Escape')
    assert desk.dialog.end() == 0


if __name__ == '__main__':
    run_with_relay('diagnostics', *[case for name, case in list(globals().items()) if name.startswith('test_')])
