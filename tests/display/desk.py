# SPDX-License-Identifier: GPL-3.0-or-later
"""A display with rulesd behind the dialog, and the prompt beside it: what test_*.py here start from."""

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from screen import DIALOG, Dialog, Place, Screen, poll                          # noqa: E402
from support import CTL, RULESD, Bus, Service, daemon_environment               # noqa: E402
from tap import Skip, Tap                                                       # noqa: E402
from tree import FOCUSED                                                        # noqa: E402

SHEET = 'Properties'


class Desk:
    """A bus with rulesd, perhaps the relay, the prompt, and one dialog on it."""

    def __init__(self, place, with_relay=False):
        for program in (DIALOG, RULESD, CTL):
            if not os.path.exists(program):
                raise Skip(f'{os.path.basename(program)} is not built')
        self.place = place
        self.service = Service(place).start() if with_relay else None
        self.bus = self.service.bus if with_relay else Bus(place, place.join('rules.db')).start()
        self.dialog = None

    def ctl(self, *words):
        """What reroutectl prints; it must succeed."""
        result = subprocess.run([CTL, f'--bus={self.bus.address}', *words], text=True, timeout=60,
                                capture_output=True, check=False, env=daemon_environment())
        assert result.returncode == 0, f'{words}: {result.stderr}'
        return result.stdout

    def rows(self, page):
        """The saved rows of a page, by "#domain" or "domain"."""
        rows = json.loads(self.ctl('--json', page, 'list'))
        return {('#' if row['exact'] else '') + row['domain']: row for row in rows}

    def setting(self, key):
        values = json.loads(self.ctl('--json', 'settings', 'get', key))
        return values.get('value', values.get(key)) if isinstance(values, dict) else values

    def serial(self):
        return json.loads(self.ctl('--json', 'status'))['rules_serial']

    def open(self):
        self.dialog = Dialog(self.place, self.bus.address).__enter__()
        self.page(1)
        self.dialog.wait_text(' entr')
        return self.dialog

    def page(self, number):
        """Shows the page of the sheet of that number, from 0: General, Routing, Connections."""
        self.dialog.focus(SHEET)
        self.dialog.key(*['ctrl+Page_Up'] * 9, *['ctrl+Page_Down'] * number)

    def tab(self, name):
        """Shows the page of that name."""
        self.dialog.click(SHEET, 'page tab', name)

    def apply(self):
        before = self.serial()
        self.dialog.click(SHEET, 'push button', 'Apply')
        poll('the new generation', lambda: self.serial() > before)
        self.wait_saved()

    def wait_saved(self):
        """Until nothing is unsaved and no Apply is shown."""
        self.dialog.wait_text(f'Rules {self.serial()} saved')

    def add_routing(self, domain, target):
        """Add on the Routing page by keys: OK is not pressed yet."""
        self.dialog.click(SHEET, 'push button', 'Add…')
        self.dialog.focus('Add E-mail Domain')
        self.dialog.type(domain)
        self.dialog.key('alt+r')
        self.dialog.type(target)

    def choose(self, opening, index, title=SHEET):
        """In a drop-down that the key @opening opens, the choice of that number, from 0: the first has the focus."""
        self.dialog.key(opening)
        poll('the choices', lambda: any(node.role == 'list item' and node.has(FOCUSED)
                                        for node in self.dialog.nodes(title)))
        self.dialog.key(*['Down'] * index, 'Return')

    def confirm(self, title):
        self.dialog.wait_sensitive(title, 'push button', 'OK')
        self.dialog.click(title, 'push button', 'OK')
        self.dialog.wait_closed(title)


class Stopped:
    """rulesd does not answer while this is entered."""

    def __init__(self, desk):
        self.pid = desk.bus.pid_of('org.reroute.Rules')

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


def run_with_relay(name, *cases):
    """As run(), with a relay behind the dialog."""
    run(name, *cases, with_relay=True)


def run(name, *cases, with_relay=False):
    """Runs @cases in order on one desk, each as a line of TAP."""
    tap = Tap()
    try:
        with Place(name) as place, Screen(place):
            desk = Desk(place, with_relay)
            for case in cases:
                tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, desk)
            if tap.failed:
                Screen.shoot(place.join('last.png'))
                place.show_logs()
    except Skip as reason:
        tap.skip(name, reason)
    tap.done()
