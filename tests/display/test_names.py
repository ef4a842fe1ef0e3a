#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every widget that takes the focus has a role, and a name that a screen reader can say (platform.md section 3).

The program stage shows every page and dialog; the sheet with rows is the real one.  The names are the captions, so
one language says it of all.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, run                     # noqa: E402
from screen import BUILD, TESTS, Dialog, poll   # noqa: E402
from tree import FOCUSABLE                      # noqa: E402

STAGE = os.path.join(BUILD, 'tests', 'display', 'stage')

MOMENT_S = 0.5

# What GTK 4.8 makes inside its own widgets and names after their type.
INNER = {'GtkToggleButton', 'GtkColumnListView', 'GtkListItemWidget', 'GtkColumnViewTitle',
         'GtkListView', 'GtkText'}
# What takes the focus only to pass it on, and what a person reads instead of using.
PASSIVE = {'scroll pane', 'viewport', 'table row', 'list item', 'table cell', 'column header', 'label'}
NO_ROLE = {'unknown', 'invalid', 'filler', 'redundant object'}


def is_good(name, role):
    """Whether @name tells what the control is for."""
    return bool(name) and name not in (role, 'Tab') and not name.startswith('Gtk') \
        and not name.endswith('-symbolic') and '_' not in name


def faults(dialog, window, title, with_hidden=False):
    """(number of controls, what is wrong with them)."""
    count, wrong = 0, []
    for node in dialog.walk(window, with_hidden):
        role, name = node.role, node.name
        if name in INNER or role in PASSIVE or not (node.has(FOCUSABLE) or role == 'push button'):
            continue
        count += 1
        if role in NO_ROLE or not is_good(name, role):
            wrong.append(f'{title}: {role} “{name}”')
    return count, wrong


def misnamed(dialog, window):
    """Labels that show another text than the one that they are known by."""
    def look():
        labels = [node for node in dialog.walk(window, True) if node.role == 'label' and node.has_text]
        return [f'“{label.name}” shows “{text}”' for label, text in zip(labels, dialog.tree.ask_texts(labels))
                if text not in ('', label.name)]

    wrong = look()
    if wrong:
        time.sleep(MOMENT_S)
    # A text that came between two questions is known by another name by now.
    return wrong and look()


def check(dialog, title):
    window = dialog.wait_window(title)
    count, wrong = faults(dialog, window, title, with_hidden=True)
    wrong += misnamed(dialog, window)
    assert not wrong, '\n'.join(wrong)
    assert count > 0, f'{title}: no control'


def test_every_page_and_dialog(desk):
    dialog = Dialog(desk.place, desk.bus.address)
    process = subprocess.Popen([STAGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, G_TEST_SRCDIR=TESTS,
                                        G_TEST_BUILDDIR=os.path.join(BUILD, 'tests')))
    process.title = 'stage'
    desk.place.processes.append(process)
    wrong, shown = [], 0
    for line in process.stdout:
        if line.startswith('#'):
            continue
        title = line.strip()
        windows = poll(f'{title} to be shown', dialog.windows)
        wrong += [fault for window in windows for fault in faults(dialog, window, title)[1] + misnamed(dialog, window)]
        shown += 1
        process.stdin.write('\n')
        process.stdin.flush()
    process.stdin.close()
    process.stdout.close()
    assert desk.place.end(process) == 0 and shown > 20, f'{shown} pages and dialogs'
    assert not wrong, '\n'.join(wrong)


def test_sheet(desk):
    desk.ctl('routing', 'add', 'test.com', '--reroute-to=example.com', '--accept-from=anyone')
    desk.open()
    check(desk.dialog, SHEET)


def test_what_is_noticed(_desk):
    for name in ('', 'Tab', 'GtkEntry', '_OK OK', 'push button', 'list-add-symbolic'):
        assert not is_good(name, 'push button'), name
    assert is_good('OK', 'push button')


if __name__ == '__main__':
    run('names', test_what_is_noticed, test_every_page_and_dialog, test_sheet)
