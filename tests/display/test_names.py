#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every widget that takes the focus has a name that a screen reader can say (platform.md section 3)."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, run       # noqa: E402
from screen import pyatspi        # noqa: E402

# What GTK 4.8 makes inside its own widgets and names after their type.
INNER = {'GtkToggleButton', 'GtkColumnListView', 'GtkListItemWidget', 'GtkColumnViewTitle',
         'GtkListView', 'GtkText'}
CONTROLS = {'push button', 'check box', 'radio button', 'toggle button', 'entry', 'text', 'combo box',
            'page tab', 'tree table', 'list box', 'spin button'}


def nameless(dialog, title):
    """Controls of the window that say nothing of themselves."""
    for node in dialog.walk(dialog.wait_window(title), with_hidden=True):
        role, name = node.getRoleName(), node.name
        focusable = node.getState().contains(pyatspi().STATE_FOCUSABLE)
        if role not in CONTROLS or name in INNER or not (focusable or role == 'push button'):
            continue
        if not name or name.startswith('Gtk') or name == 'Tab' or '_' in name:
            yield f'{title}: {role} “{name}”'


def check(desk, title):
    wrong = list(nameless(desk.dialog, title))
    assert not wrong, '\n'.join(wrong)


def test_sheet(desk):
    desk.ctl('routing', 'add', 'test.com', '--reroute-to=example.com', '--accept-from=anyone')
    desk.open()
    check(desk, SHEET)


def test_routing_dialog(desk):
    desk.dialog.click(SHEET, 'push button', 'Add…')
    desk.dialog.focus('Add E-mail Domain')
    check(desk, 'Add E-mail Domain')
    desk.dialog.key('Escape')


def test_email_domain_window(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+Page_Down')
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    check(desk, 'E-Mail Domain')


def test_email_domain_dialog(desk):
    desk.dialog.click('E-Mail Domain', 'push button', 'Add…')
    desk.dialog.focus('Add E-Mail Domain')
    desk.dialog.key('alt+f')
    check(desk, 'Add E-Mail Domain')


def test_help(desk):
    desk.dialog.key('F1')
    desk.dialog.wait_text('E-Mail Domain entry', 'Help')
    check(desk, 'Help')


if __name__ == '__main__':
    run('names', *[case for name, case in list(globals().items()) if name.startswith('test_')])
