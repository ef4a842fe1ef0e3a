#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialog on another computer: what stands for ssh here is its far side alone; tests/relay/test_remote.py has a real one."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, Dialog, Stopped, poll, run    # noqa: E402
from memory import Peak                      # noqa: E402
from place import is_alive                   # noqa: E402
from screen import DIALOG, TESTS             # noqa: E402

CHOOSER = 'Another Computer'
RELAY = 'admin@relay1.test:2222'
AWAY = 'The rules service does not answer'
IN_DOUBT = 'It is not known yet whether your changes were saved.'
REFUSED = 'ssh: connect to host relay1.test port 2222: Connection refused'
BRIDGE = '''#!/bin/sh
echo "$@" >>{far}/log
echo $$ >{far}/pid
test ! -e {far}/away || {{ echo "{refused}" >&2; exit 255; }}
test ! -e {far}/mode || exec {cutter} "$(cat {far}/mode)" {far} systemd-stdio-bridge -p {address}
test ! -e {far}/endless || {{ yes | tr -d '\\n' | head -c 200000000; exec cat >/dev/null; }}
exec systemd-stdio-bridge -p {address}
'''


class FarSide:
    """A folder with what is called ssh, in front of PATH."""

    def __init__(self, desk):
        self.folder = desk.place.folder('far')
        desk.place.write(BRIDGE.format(far=self.folder, refused=REFUSED, address=desk.bus.address,
                                       cutter=os.path.join(TESTS, 'relay', 'cutting_ssh.py')),
                         'far', 'ssh', mode=0o755)
        self.environment = {'PATH': f'{self.folder}:{os.environ["PATH"]}'}

    def file(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.file(name), encoding='utf-8') as stream:
            return stream.read()

    def write(self, name, text=''):
        with open(self.file(name), 'w', encoding='utf-8') as stream:
            stream.write(text)

    def forget(self, *names):
        for name in names:
            if os.path.exists(self.file(name)):
                os.remove(self.file(name))

    def lose(self):
        """The connection, and each that is tried until restore()."""
        self.write('away')
        os.kill(int(self.read('pid')), signal.SIGTERM)

    def restore(self):
        self.forget('away')

    def cut_apply(self, desk, mode):
        """The next Apply is cut as cutting_ssh.py says, and nothing gets there until restore()."""
        self.forget('cut', 'answer')
        self.write('mode', mode)
        before = self.read('pid')
        os.kill(int(before), signal.SIGTERM)
        poll('the connection through the cutter', lambda: self.read('pid') not in ('', before))
        desk.dialog.wait_sensitive(SHEET, 'push button', 'Apply')
        self.write('away')
        desk.dialog.click(SHEET, 'push button', 'Apply')
        poll('the cut', lambda: os.path.exists(self.file('cut')))
        self.forget('mode')


def reconnect(desk):
    """By the button's letter: the connection may be back by itself before it is pressed."""
    desk.far.restore()
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+y')


def open_chooser(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+o')
    desk.dialog.focus(CHOOSER)


def connect_again(desk):
    """To the computer that the chooser remembers."""
    desk.dialog.click(CHOOSER, 'label', RELAY)
    desk.dialog.click(CHOOSER, 'push button', 'Connect')
    wait_title(desk, 'relay1.test')
    poll('one sheet', lambda: len(desk.dialog.windows()) == 1)


def wait_title(desk, name):
    poll(f'“{name}” in the title', lambda: desk.dialog.window(f'({name}) Properties'))


def test_a_wrong_name_is_said_beside_the_field(desk):
    desk.far = FarSide(desk)
    desk.ctl('routing', 'add', 'far.test', '--reroute-to=example.com')
    desk.dialog = Dialog(desk.place, desk.bus.address, environment=desk.far.environment).__enter__()
    open_chooser(desk)
    desk.dialog.wait_text('No other computer yet', CHOOSER)
    desk.dialog.type('admin@-oProxyCommand=date')
    desk.dialog.wait_text('[USER@]HOST[:PORT], such as admin@relay1', CHOOSER)
    desk.dialog.key('ctrl+a')
    desk.dialog.type(RELAY)
    desk.dialog.wait_sensitive(CHOOSER, 'push button', 'Connect')


def test_the_words_of_ssh(desk):
    """Its own, in the chooser, which stays open; nothing is remembered of what was not reached."""
    desk.far.write('away')
    desk.dialog.key('Return')
    desk.dialog.wait_text(REFUSED, CHOOSER)
    desk.dialog.wait_text('No other computer yet', CHOOSER)


def test_a_far_side_that_talks_without_end(desk):
    """What is no bus is not heard out, whether or not a line ends."""
    desk.far.restore()
    desk.far.write('endless')
    with Peak(DIALOG, desk.dialog.process.pid, 32 * 1024, 'a line without end'):
        desk.dialog.key('Return')
        desk.dialog.wait_text('see that no file that is read at login there, such as .bashrc on relay1.test', CHOOSER)
    desk.dialog.wait_text('no bus has answered', CHOOSER)
    desk.far.forget('endless')


def test_it_takes_the_place_of_this_one(desk):
    """Its name stands in the title, and what is saved is saved there."""
    desk.dialog.key('Return')
    desk.dialog.wait_closed(CHOOSER)
    wait_title(desk, 'relay1.test')
    assert '-p2222 -l admin -- relay1.test' in desk.far.read('log'), desk.far.read('log')
    poll('one sheet', lambda: len(desk.dialog.windows()) == 1)
    desk.page(1)
    desk.dialog.wait_text('far.test')
    desk.add_routing('near.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.apply()
    assert 'near.test' in desk.rows('routing')


def test_a_lost_connection_keeps_her_edits(desk):
    desk.add_routing('kept.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.far.lose()
    desk.dialog.wait_text(AWAY)
    desk.dialog.wait_text(REFUSED)
    desk.dialog.wait_text('kept.test')
    reconnect(desk)
    desk.dialog.wait_no_text(AWAY)
    desk.apply()
    assert 'kept.test' in desk.rows('routing')


def test_saved_and_the_answer_lost(desk):
    """She stops waiting; that it was saved is found out when the connection is back."""
    desk.add_routing('saved.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.far.cut_apply(desk, 'after')
    desk.dialog.wait_text(REFUSED)
    desk.dialog.click(SHEET, 'push button', 'Stop')
    desk.dialog.wait_text(IN_DOUBT)
    assert 'saved.test' in desk.rows('routing')
    reconnect(desk)
    desk.dialog.wait_no_text(IN_DOUBT)
    desk.dialog.wait_text(f'Rules {desk.serial()} saved')
    desk.dialog.wait_no_text('unsaved change')


def test_lost_before_it_was_saved(desk):
    """What is changed meanwhile stays, too."""
    before = desk.serial()
    desk.add_routing('lost.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.far.cut_apply(desk, 'before')
    desk.dialog.wait_text(REFUSED)
    desk.dialog.click(SHEET, 'push button', 'Stop')
    desk.dialog.wait_text(IN_DOUBT)
    desk.add_routing('meanwhile.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    reconnect(desk)
    desk.dialog.wait_text('nothing was changed, try again')
    desk.dialog.wait_text('2 unsaved changes')
    assert desk.serial() == before
    desk.apply()
    assert {'lost.test', 'meanwhile.test'} <= set(desk.rows('routing'))


def test_what_was_changed_since_is_kept(desk):
    """Of an edit that was saved after all, what she has done since is left: a row more, another domain."""
    desk.add_routing('first.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.far.cut_apply(desk, 'after')
    desk.dialog.wait_text(REFUSED)
    desk.dialog.click(SHEET, 'push button', 'Stop')
    desk.dialog.wait_text(IN_DOUBT)
    desk.dialog.click(SHEET, 'label', 'first.test')
    desk.dialog.wait_text('Mail for anyone at first.test')
    desk.dialog.click(SHEET, 'push button', 'Edit…')
    desk.dialog.focus('Edit Routing Table Entry')
    desk.dialog.key('ctrl+a')
    desk.dialog.type('better.test')
    desk.confirm('Edit Routing Table Entry')
    desk.add_routing('second.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    reconnect(desk)
    desk.dialog.wait_no_text(IN_DOUBT)
    desk.dialog.wait_text('2 unsaved changes')
    desk.apply()
    rows = set(desk.rows('routing'))
    assert {'better.test', 'second.test'} <= rows and 'first.test' not in rows, rows


def test_unsaved_changes_are_asked_about(desk):
    desk.add_routing('dropped.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    open_chooser(desk)
    desk.dialog.key('alt+t')
    desk.dialog.click(CHOOSER, 'push button', 'Connect')
    desk.dialog.wait_text('Drop 1 unsaved change?', 'Connect')
    desk.dialog.focus('Connect')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Connect')
    desk.dialog.wait_window(CHOOSER)
    assert desk.dialog.window('(relay1.test)')
    desk.dialog.click(CHOOSER, 'push button', 'Connect')
    desk.dialog.click('Connect', 'push button', 'Drop')
    poll('this computer', lambda: desk.dialog.window(SHEET) and not desk.dialog.window('relay1.test'))
    desk.dialog.wait_no_text('unsaved change')


def test_what_is_left_is_let_go(desk):
    """Also where a rules service hangs that was asked for something."""
    open_chooser(desk)
    connect_again(desk)
    desk.page(1)
    desk.dialog.wait_text('far.test')
    left = desk.far.read('pid').strip()
    with Stopped(desk):
        desk.add_routing('asked.test', 'example.net')
        desk.confirm('Add E-mail Domain')
        open_chooser(desk)
        desk.dialog.key('alt+t')
        desk.dialog.click(CHOOSER, 'push button', 'Connect')
        desk.dialog.click('Connect', 'push button', 'Drop')
        poll('this computer', lambda: desk.dialog.window(SHEET) and not desk.dialog.window('relay1.test'))
        poll('the end of ssh', lambda: not is_alive(left))


def test_it_is_remembered_until_it_is_forgotten(desk):
    open_chooser(desk)
    connect_again(desk)
    open_chooser(desk)
    desk.dialog.click(CHOOSER, 'label', RELAY)
    desk.dialog.click(CHOOSER, 'push button', 'Forget')
    desk.dialog.wait_text('No other computer yet', CHOOSER)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(CHOOSER)
    desk.dialog.focus(SHEET)
    desk.dialog.key('Escape')
    assert desk.dialog.end() == 0


def test_named_at_the_prompt(desk):
    with Dialog(desk.place, desk.bus.address, f'--host={RELAY}', environment=desk.far.environment) as dialog:
        desk.dialog = dialog
        wait_title(desk, 'relay1.test')
        desk.page(1)
        dialog.wait_text('second.test')


if __name__ == '__main__':
    # Each goes on where the one before it has ended.
    run('remote-window', test_a_wrong_name_is_said_beside_the_field, test_the_words_of_ssh,
        test_a_far_side_that_talks_without_end, test_it_takes_the_place_of_this_one,
        test_a_lost_connection_keeps_her_edits, test_saved_and_the_answer_lost, test_lost_before_it_was_saved,
        test_what_was_changed_since_is_kept, test_unsaved_changes_are_asked_about,
        test_what_is_left_is_let_go, test_it_is_remembered_until_it_is_forgotten, test_named_at_the_prompt)
