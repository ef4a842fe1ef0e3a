#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The History page: what was saved, by whom, what changed in it, and Bring Back."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gi     # noqa: E402

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib    # noqa: E402

from desk import SHEET, Stopped, poll, run    # noqa: E402

QUESTION = 'Bring Back'
PAGE = 1000  # generations that are read at once (REROUTE_LIMIT_PAGE_ROWS)


def cells(desk):
    """What stands in the cells of all lists, in order."""
    texts = desk.dialog.texts()
    return [text for before, text in zip(texts, texts[1:]) if before == 'GtkColumnViewCell']


def test_generations_are_listed(desk):
    desk.ctl('routing', 'add', 'one.test', '--reroute-to=example.com', '--accept-from=anyone')
    desk.ctl('routing', 'add', 'two.test', '--reroute-to=example.net', '--accept-from=anyone')
    desk.ctl('settings', 'set', 'postmaster', 'admin@example.org')
    desk.open()
    desk.tab('History')
    desk.dialog.wait_text('Routing: one.test added')
    texts = desk.dialog.texts()
    assert texts.index('postmaster set to admin@example.org') < texts.index('Routing: two.test added'), texts
    assert '3 is what is saved now.' in texts, texts


def test_what_changed_in_one(desk):
    desk.dialog.click(SHEET, 'label', 'Routing: two.test added')
    desk.dialog.wait_text('Changes in 2')
    desk.dialog.wait_text('Bringing back 2 restores the rules and settings')
    desk.dialog.wait_text('example.net')
    desk.dialog.wait_text('1 change')
    shown = cells(desk)
    assert shown[-4:] == ['Routing', 'two.test', '–', 'example.net'], shown


def test_a_new_generation_comes_by_itself(desk):
    """The selection stays where it was."""
    desk.ctl('routing', 'remove', 'one.test')
    desk.dialog.wait_text('Routing: one.test removed')
    desk.dialog.wait_text('Changes in 2')


def test_search(desk):
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('ONE.test')
    desk.dialog.wait_no_text('postmaster set to admin@example.org')
    desk.dialog.wait_text('Routing: one.test added')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('postmaster set to admin@example.org')


def test_bring_back_asks_first(desk):
    desk.dialog.click(SHEET, 'label', 'Routing: two.test added')
    desk.dialog.click(SHEET, 'push button', 'Bring Back 2…')
    desk.dialog.wait_text('Bring back 2?', QUESTION)
    before = desk.serial()
    desk.dialog.focus(QUESTION)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(QUESTION)
    assert desk.serial() == before


def test_bring_back(desk):
    """Rules and settings; unsaved changes stay."""
    desk.page(0)
    desk.dialog.key('alt+h')
    desk.dialog.type('mail.example.org')
    desk.dialog.wait_text('1 unsaved change')
    desk.tab('History')
    desk.dialog.click(SHEET, 'label', 'Routing: two.test added')
    desk.dialog.click(SHEET, 'push button', 'Bring Back 2…')
    desk.dialog.click(QUESTION, 'push button', 'Bring Back')
    poll('the rules of 2', lambda: set(desk.rows('routing')) == {'one.test', 'two.test'})
    assert desk.setting('postmaster') == ''
    desk.dialog.wait_text('Brought back generation 2')
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.setting('hostname') == 'mail.example.org'
    desk.dialog.wait_text('hostname set to mail.example.org')


def test_bring_back_is_not_for_what_was_saved_meanwhile(desk):
    """Whoever is asked has not seen it: it stays in force."""
    desk.dialog.click(SHEET, 'label', 'Routing: two.test added')
    desk.dialog.click(SHEET, 'push button', 'Bring Back 2…')
    desk.dialog.wait_text('Bring back 2?', QUESTION)
    desk.ctl('settings', 'set', 'postmaster', 'colleague@example.org')
    saved = desk.serial()
    desk.dialog.wait_text('postmaster set to colleague@example.org')
    desk.dialog.click(QUESTION, 'push button', 'Bring Back')
    desk.dialog.wait_text('Someone else saved meanwhile, so nothing was brought back.')
    assert desk.serial() == saved
    assert desk.setting('postmaster') == 'colleague@example.org'


def test_one_at_a_time(desk):
    """Until rulesd has answered nothing else is brought back."""
    desk.dialog.click(SHEET, 'label', 'Routing: two.test added')
    desk.dialog.click(SHEET, 'push button', 'Bring Back 2…')
    desk.dialog.wait_text('Bring back 2?', QUESTION)
    saved = desk.serial()
    with Stopped(desk):
        desk.dialog.click(QUESTION, 'push button', 'Bring Back')
        desk.dialog.wait_sensitive(SHEET, 'push button', 'Bring Back 2…', False)
    poll('it to be saved', lambda: desk.serial() == saved + 1)
    desk.dialog.wait_sensitive(SHEET, 'push button', 'Bring Back 2…')


def test_rulesd_comes_back(desk):
    """After a restart the list is still the history, once."""
    pid = desk.bus.pid_of('org.reroute.Rules')
    os.kill(pid, signal.SIGKILL)
    poll('the end of rulesd', lambda: desk.bus.pid_of('org.reroute.Rules') != pid)
    desk.ctl('routing', 'add', 'three.test', '--reroute-to=example.com', '--accept-from=anyone')
    desk.dialog.wait_text('Routing: three.test added')
    assert cells(desk).count('Routing: two.test added') == 1


def test_changes_chosen_while_the_bus_was_away(desk):
    """They come when it is back."""
    desk.bus.stop()
    desk.dialog.wait_text('The rules service does not answer')
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('one.test added')
    desk.dialog.wait_no_text('Routing: two.test added')
    desk.dialog.click(SHEET, 'label', 'Routing: one.test added')
    poll('its title', lambda: 'Changes in 1' in desk.dialog.texts())
    desk.bus.start()
    desk.dialog.wait_no_text('The rules service does not answer')
    poll('its changes', lambda: cells(desk)[-4:] == ['Routing', 'one.test', '–', 'example.com'])
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f', 'Escape')
    desk.dialog.wait_text('Routing: two.test added')


def test_every_field_is_told(desk):
    """What changed in an entry is named, also where its mail goes on as before."""
    desk.ctl('routing', 'edit', 'two.test', '--accept-from=permitted', '--comment=ours')
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('two.test changed')
    desk.dialog.wait_no_text('Routing: two.test added')
    desk.dialog.click(SHEET, 'label', 'Routing: two.test changed')
    desk.dialog.wait_text('Comment: ')
    shown = cells(desk)[-2:]
    assert shown == ['Accept From: Anyone; Comment: –', 'Accept From: Permitted hosts; Comment: ours'], shown
    desk.dialog.key('Escape')
    desk.dialog.wait_text('Routing: two.test added')


def test_more_news_than_one_page(desk):
    """None between what is read first and what was there is left out."""
    bus = Gio.DBusConnection.new_for_address_sync(
        desk.bus.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION,
        None, None)
    os.kill(desk.dialog.process.pid, signal.SIGSTOP)
    for number, serial in enumerate(range(desk.serial(), desk.serial() + PAGE + 20)):
        change = ('set', GLib.Variant('(ss)', ('postmaster', f'n{number}@example.org')))
        state, *_ = bus.call_sync('org.reroute.Rules', '/org/reroute/Rules', 'org.reroute.Rules1', 'Apply',
                                  GLib.Variant('(a(sv)tas)', ([change], serial, [])), None, Gio.DBusCallFlags.NONE, -1,
                                  None).unpack()
        assert state == 'saved', state
    os.kill(desk.dialog.process.pid, signal.SIGCONT)
    desk.dialog.wait_text(f'postmaster set to n{PAGE + 19}@example.org')
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('to n3@')
    desk.dialog.wait_text('postmaster set to n3@example.org')
    desk.dialog.key('Escape')


if __name__ == '__main__':
    run('history', *[case for name, case in list(globals().items()) if name.startswith('test_')])
