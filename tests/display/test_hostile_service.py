#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a rules service and a relay answer, the dialog stays: tabs change, Cancel closes it, and it takes no memory.

Answers are drawn by a seed; in a full run by another one each time, and REROUTE_TEST_SEED=N in the environment draws
them again.
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
USUAL_SEED = 1998
# The flood, in full runs alone, is too much for who reads the window: it is another one with each look.
MOODS = ('types', 'values', 'long', 'errors', 'silence')
MOST_KIB = 600 << 10  # what it takes for a list of the longest, and for the largest replies
# Into a list or a field, and about in it; nothing that opens a window.
KEYS = ('Tab', 'Tab', 'Down', 'Down', 'End', 'Home', 'Page_Down', 'Up')


class World:
    """A bus with hostile services, and the dialog on it."""

    def __init__(self, place, mood):
        seed = choose_seed()
        self.place, self.mood = place, mood
        self.bus = Bus(place, place.join('rules.db')).start()
        self.process = place.start('hostile', [sys.executable, HOSTILE, self.bus.address, mood, str(seed)],
                                   daemon_environment())
        poll('the hostile services', lambda: self.bus.pid_of('org.reroute.Rules') and self.bus.pid_of('org.reroute.Relay'))

    def walk(self, dialog):
        """To the last page and back to the first, with keys on each."""
        for key in ['ctrl+Page_Down'] * (N_PAGES - 1) + ['ctrl+Page_Up'] * (N_PAGES - 1):
            dialog.focus(SHEET)
            dialog.key(*KEYS)
            dialog.type('te')
            dialog.key(key)
            assert dialog.process.poll() is None, f'it ended with {dialog.process.returncode}'

    def check_peer(self):
        """That it was hostile to the end."""
        log = '\n'.join(line for name, lines in self.place.logs() if name == 'hostile.log' for line in lines)
        assert self.process.poll() is None and 'Traceback' not in log, log
        assert ('answered' in log) == (self.mood != 'silence'), log


def choose_seed():
    """One of its own in a full run, which is printed, or what REROUTE_TEST_SEED says."""
    if 'REROUTE_TEST_SEED' not in os.environ and not os.environ.get('REROUTE_TEST_LONG'):
        return USUAL_SEED
    seed = int(os.environ.get('REROUTE_TEST_SEED', random.randrange(1 << 31)))
    print(f'# REROUTE_TEST_SEED={seed}', flush=True)
    return seed


def choose(dialog, name):
    """A click on its tab; a list that is open takes the first one for itself."""
    dialog.click(SHEET, 'page tab', name)
    return dialog.selected_tab(dialog.nodes(SHEET)) == name


def check(mood):
    with Place(f'hostile-{mood}') as place, Screen(place):
        world = World(place, mood)
        with Dialog(place, world.bus.address) as dialog:
            # A sanitizer has memory of its own.
            with contextlib.suppress(Skip), Peak(DIALOG, dialog.process.pid, MOST_KIB, 'the dialog'):
                world.walk(dialog)
            world.check_peer()
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
