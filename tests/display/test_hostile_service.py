#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a rules service and a relay answer, the dialog stays: tabs change, Cancel closes it, and it takes no memory.

With REROUTE_TEST_SEED=N in the environment the same answers come again; each case prints its own.
"""

import contextlib
import os
import random
import sys

from desk import SHEET
from memory import Peak
from screen import DIALOG, Dialog, Place, Screen, poll
from support import Bus, daemon_environment
from tap import Skip, Tap

HOSTILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'hostile.py')
N_PAGES = 8
# The flood, in full runs alone, is too much for who reads the window: it is another one with each look.
MOODS = ('types', 'values', 'errors', 'silence')
MOST_KIB = 600 << 10  # what it takes for a list of the longest, and for the largest replies
# Into a list or a field, and about in it; nothing that opens a window.
KEYS = ('Tab', 'Tab', 'Down', 'Down', 'End', 'Home', 'Page_Down', 'Up')


class World:
    """A bus with hostile services, and the dialog on it."""

    def __init__(self, place, mood):
        self.seed = int(os.environ.get('REROUTE_TEST_SEED', random.randrange(1 << 31)))
        self.place = place
        self.bus = Bus(place, place.join('rules.db')).start()
        place.start(f'hostile-{mood}', [sys.executable, HOSTILE, self.bus.address, mood, str(self.seed)], daemon_environment())
        poll('the hostile services', lambda: self.bus.pid_of('org.reroute.Rules') and self.bus.pid_of('org.reroute.Relay'))

    def walk(self, dialog):
        """Every page twice, with keys on each."""
        for number in range(2 * N_PAGES):
            dialog.focus(SHEET)
            dialog.key(*KEYS)
            dialog.type('te')
            dialog.key('ctrl+Page_Down' if number % N_PAGES != N_PAGES - 1 else 'ctrl+Page_Up')
            assert dialog.process.poll() is None, f'it ended with {dialog.process.returncode}'


def choose(dialog, name):
    """A click on its tab; a list that is open takes the first one for itself."""
    dialog.click(SHEET, 'page tab', name)
    return dialog.selected_tab(dialog.nodes(SHEET)) == name


def check(mood):
    with Place(f'hostile-{mood}') as place, Screen(place):
        world = World(place, mood)
        print(f'# REROUTE_TEST_SEED={world.seed}', flush=True)
        with Dialog(place, world.bus.address) as dialog:
            # A sanitizer has memory of its own.
            with contextlib.suppress(Skip), Peak(DIALOG, dialog.process.pid, MOST_KIB, 'the dialog'):
                world.walk(dialog)
            for name in ('General', 'Routing'):
                poll(f'the page {name}', lambda: choose(dialog, name))  # pylint: disable=cell-var-from-loop
            leave(dialog)


def leave(dialog):
    """Cancel asks first when what was typed is a change."""
    dialog.click(SHEET, 'push button', 'Cancel')
    poll('the end, or a question', lambda: dialog.process.poll() is not None or len(dialog.windows()) > 1)
    if dialog.process.poll() is None:
        question = next(window.title for window in dialog.windows() if SHEET not in window.title)
        dialog.click(question, 'push button', 'Drop')
    assert dialog.end() == 0


def main():
    tap = Tap()
    for mood in MOODS + (('flood',) if os.environ.get('REROUTE_TEST_LONG') else ()):
        try:
            tap.case(mood, check, mood)
        except Skip as reason:
            tap.skip(mood, reason)
    tap.done()


if __name__ == '__main__':
    main()
