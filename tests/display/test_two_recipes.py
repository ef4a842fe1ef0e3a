#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The article's two recipes by real clicks and keys, and what the real relay then does with real mail."""

import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from screen import Dialog, Place, Screen, poll     # noqa: E402
from place import free_port                        # noqa: E402
from support import Service                        # noqa: E402
from sink import Sink                              # noqa: E402
from tap import Skip, Tap                          # noqa: E402

SHEET = 'Properties'


def swaks(service, recipient):
    """Hands a message in; what the relay said, all of it."""
    command = ['swaks', '--server', service.host, '--port', str(service.port), '--helo', 'client.test',
               '--from', 'sender@client.test', '--to', recipient, '--timeout', '20']
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def accepted(service, recipient):
    """Whether the relay takes mail for @recipient now."""
    return re.search(r'^<-  250 .*\n -> QUIT', swaks(service, recipient), re.MULTILINE) is not None


class Sheet:
    def __init__(self, service, dialog, sink):
        self.service, self.dialog, self.sink = service, dialog, sink

    def apply(self):
        before = self.service.ctl_json('status')['rules_serial']
        self.dialog.click(SHEET, 'push button', 'Apply')
        start = time.monotonic()
        poll('the rules to be in force', lambda: self.service.wait_applied() > before)
        print(f'# in force {(time.monotonic() - start) * 1000:.0f} ms after the click')
        self.dialog.wait_text('in use')


def test_reroute_by_click(sheet):
    """Routing page, Add: test.com goes to example.com; the recipient is rewritten."""
    dialog = sheet.dialog
    dialog.focus(SHEET)
    dialog.key('ctrl+Page_Down')
    dialog.click(SHEET, 'push button', 'Add…')
    dialog.focus('Add E-mail Domain')
    dialog.type('test.com')
    dialog.key('alt+r')
    dialog.type('example.com')
    dialog.wait_sensitive('Add E-mail Domain', 'push button', 'OK')
    dialog.key('Return')
    dialog.wait_closed('Add E-mail Domain')
    dialog.wait_text('1 unsaved change')
    assert not accepted(sheet.service, 'user@test.com'), 'it acts before Apply'
    sheet.apply()
    assert accepted(sheet.service, 'user@test.com'), 'it does not act after Apply'
    poll('the rewritten mail', lambda: 'user@example.com' in sheet.sink.recipients())


def test_forward_by_click(sheet):
    """Connections page, E-Mail Domain, Add: fwd.test goes to a host; the recipient stays."""
    dialog = sheet.dialog
    dialog.focus(SHEET)
    dialog.key('ctrl+Page_Down')
    dialog.key('alt+e')
    dialog.click('E-Mail Domain', 'push button', 'Add…')
    dialog.focus('Add E-Mail Domain')
    dialog.type('fwd.test')
    dialog.key('alt+f')
    dialog.type(sheet.sink.endpoint)
    dialog.wait_sensitive('Add E-Mail Domain', 'push button', 'OK')
    dialog.click('Add E-Mail Domain', 'push button', 'OK')
    dialog.wait_closed('Add E-Mail Domain')
    dialog.click('E-Mail Domain', 'push button', 'OK')
    dialog.wait_closed('E-Mail Domain')
    sheet.apply()
    assert accepted(sheet.service, 'user@fwd.test'), 'it does not act after Apply'
    poll('the forwarded mail', lambda: 'user@fwd.test' in sheet.sink.recipients())


def test_remove_by_click(sheet):
    """Remove, Apply: the same mail is refused."""
    dialog = sheet.dialog
    dialog.focus(SHEET)
    dialog.key('ctrl+Page_Up')
    dialog.click(SHEET, 'label', 'test.com')
    dialog.click(SHEET, 'push button', 'Remove')
    dialog.wait_text('0 entries')
    sheet.apply()
    said = swaks(sheet.service, 'user@test.com')
    assert re.search(r'^<\*\* 550 5\.7\.1 ', said, re.MULTILINE), said


def test_ok_closes(sheet):
    sheet.dialog.click(SHEET, 'push button', 'OK')
    assert sheet.dialog.end() == 0


def main():
    tap = Tap()
    cases = (test_reroute_by_click, test_forward_by_click, test_remove_by_click, test_ok_closes)
    try:
        # Nobody answers there: what the world's DNS says of test.com must not matter here.
        options = [f'--dns=127.0.0.1:{free_port()}']
        with Place('recipes') as place, Screen(place), Sink() as sink, \
                Service(place, options) as service:
            service.set('default-delivery', sink.endpoint)
            service.wait_applied()
            with Dialog(place, service.bus.address) as dialog:
                dialog.wait_text('in use')
                sheet = Sheet(service, dialog, sink)
                for case in cases:
                    tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, sheet)
                if tap.failed:
                    place.show_logs()
    except Skip as reason:
        tap.skip('two-recipes', reason)
    tap.done()


if __name__ == '__main__':
    main()
