#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list that is too long to be read at once: what is done with all of it is done with all of it.  A text, too."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, run    # noqa: E402

# More than the dialog holds of a list at a time.
N_ROWS = 17500
DOMAINS = 'E-Mail Domain'


def domain(number):
    return f'd{number:05d}.test'


def test_every_selected_row_is_removed(desk):
    lines = ['page,domain,match,action,target,accept_from']
    lines += [f'routing,{domain(number)},exact,reroute,example.com,permitted' for number in range(N_ROWS)]
    desk.ctl('import', desk.place.write('\n'.join(lines), 'rules.csv'))
    desk.open()
    desk.dialog.wait_text(f'{N_ROWS} entries')
    desk.dialog.click(SHEET, 'label', f'#{domain(0)}')
    desk.dialog.key('ctrl+a', 'Delete')
    desk.dialog.wait_text(f'{N_ROWS} unsaved changes')
    desk.dialog.wait_text('0 entries')


def test_one_undo_brings_them_back(desk):
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_text(f'{N_ROWS} entries')
    desk.dialog.wait_no_text('unsaved')
    desk.dialog.wait_text(f'#{domain(0)}')


def test_all_that_the_search_found(desk):
    """They are gone from the whole list, too, and one undo brings them back into it."""
    numbers = [number for number in range(N_ROWS) if 'd1' in domain(number)]
    found = len(numbers)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('d1')
    desk.dialog.wait_text(f'{found} entries')
    desk.dialog.wait(SHEET, 'label', f'#{domain(numbers[0])}')
    desk.dialog.key('Tab', 'ctrl+a', 'Delete')
    desk.dialog.wait_text('No entry contains')
    desk.dialog.key('ctrl+f', 'ctrl+a', 'BackSpace')
    desk.dialog.wait_text(f'{N_ROWS - found} entries')
    desk.dialog.key('Tab', 'ctrl+z')
    desk.dialog.wait_text(f'{N_ROWS} entries')


def test_a_part_of_them(desk):
    """From the second row to the last one."""
    desk.dialog.click(SHEET, 'label', f'#{domain(1)}')
    desk.dialog.key('shift+End', 'Delete')
    desk.dialog.wait_text('1 entry')
    desk.apply()
    assert list(desk.rows('routing')) == [f'#{domain(0)}']


def test_the_tooltip_has_all_of_a_text(desk):
    """Of a cell that shows the beginning of it."""
    hosts = [f'{"m" * 50}{number:02d}.example.net' for number in range(32)]
    desk.ctl('connections', 'add', 'long.test', f'--host={",".join(hosts)}', '--accept-from=permitted')
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    desk.dialog.wait_text(hosts[0], DOMAINS)
    shown = next(text for text in desk.dialog.texts(DOMAINS) if hosts[0] in text)
    assert hosts[-1] not in shown, len(shown)
    window = desk.dialog.focus(DOMAINS)
    middle = desk.dialog.tree.middle(desk.dialog.wait(DOMAINS, 'label', shown))
    desk.dialog.xdotool('mousemove', '--window', window, *map(str, middle))
    desk.dialog.wait_text(hosts[-1], DOMAINS)


if __name__ == '__main__':
    run('long-list', *[case for name, case in list(globals().items()) if name.startswith('test_')])
