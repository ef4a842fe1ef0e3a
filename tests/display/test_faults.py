#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Someone else saves meanwhile, rulesd dies, the bus goes: her changes stay and can be saved."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, Stopped, poll, run    # noqa: E402
from tree import SENSITIVE           # noqa: E402

ADD = 'Add E-mail Domain'
EDIT = 'Edit Routing Table Entry'
LIST = 'E-Mail Domain'
EDIT_HOST = 'Edit E-Mail Domain'


def test_stale_serial_keeps_her_changes(desk):
    desk.ctl('routing', 'add', 'old.test', '--reroute-to=one.test', '--accept-from=anyone')
    desk.open()
    desk.dialog.wait_text('1 entry')
    desk.add_routing('mine.test', 'example.com')
    desk.confirm(ADD)
    desk.ctl('routing', 'add', 'theirs.test', '--reroute-to=example.net', '--accept-from=anyone')
    desk.dialog.wait_text('Your change is kept; it touches nothing of that.')
    desk.dialog.wait_text('theirs.test')
    desk.dialog.wait_text('1 unsaved change')


def test_compare_shows_what_changed(desk):
    desk.dialog.click(SHEET, 'push button', 'Compare…')
    desk.dialog.wait_text('theirs.test', 'Saved Meanwhile')
    desk.dialog.wait_text('example.net', 'Saved Meanwhile')
    desk.dialog.focus('Saved Meanwhile')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Saved Meanwhile')


def test_both_are_saved(desk):
    desk.apply()
    rows = desk.rows('routing')
    assert {'mine.test', 'theirs.test', 'old.test'} == set(rows), rows


def test_same_entry_asks_before_it_is_overwritten(desk):
    desk.dialog.click(SHEET, 'label', 'old.test')
    desk.dialog.key('Return')
    desk.dialog.focus(EDIT)
    desk.dialog.key('alt+o')
    desk.dialog.type('hers')
    desk.confirm(EDIT)
    desk.ctl('routing', 'edit', 'old.test', '--comment=his')
    desk.dialog.wait_text('it touches the same entry')
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    assert desk.rows('routing')['old.test']['comment'] == 'his'
    desk.dialog.click('Save', 'push button', 'Save Mine')
    poll('hers to be saved', lambda: desk.rows('routing')['old.test']['comment'] == 'hers')


def edit_while_others(desk, title, comment, *words):
    """She opens an entry by Enter, others run reroutectl with @words, and she writes the comment and presses OK."""
    desk.wait_saved()
    desk.dialog.click(LIST if title == EDIT_HOST else SHEET, 'label', 'old.test')
    desk.dialog.key('Return')
    desk.dialog.focus(title)
    desk.ctl(*words)
    desk.dialog.wait_text(f'Rules {desk.serial()} saved')
    desk.dialog.key('alt+m' if title == EDIT_HOST else 'alt+o', 'ctrl+a')
    desk.dialog.type(comment)
    desk.confirm(title)


def save_over_theirs(desk):
    desk.dialog.wait_text('Your change is kept, but it touches the same entry.')
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    desk.dialog.click('Save', 'push button', 'Save Mine')


def test_entry_that_others_save_while_it_is_open(desk):
    edit_while_others(desk, EDIT, 'again', 'routing', 'edit', 'old.test', '--reroute-to=two.test')
    save_over_theirs(desk)
    poll('hers to be saved', lambda: desk.rows('routing')['old.test']['comment'] == 'again')
    assert desk.rows('routing')['old.test']['target'] == 'one.test'


def test_entry_that_others_remove_while_it_is_open(desk):
    edit_while_others(desk, EDIT, 'kept', 'routing', 'remove', 'old.test')
    save_over_theirs(desk)
    poll('hers to be saved', lambda: 'old.test' in desk.rows('routing'))
    assert desk.rows('routing')['old.test']['comment'] == 'kept'


def test_other_entries_that_others_save_meanwhile_are_no_news(desk):
    edit_while_others(desk, EDIT, 'alone', 'routing', 'remove', 'theirs.test')
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.wait_no_text('Your change is kept')
    desk.apply()
    assert 'theirs.test' not in desk.rows('routing')


def test_email_domain_that_others_save_while_it_is_open(desk):
    desk.ctl('connections', 'add', 'old.test', '--host=mx1.example.net', '--accept-from=anyone')
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    edit_while_others(desk, EDIT_HOST, 'again', 'connections', 'edit', 'old.test', '--host=mx2.example.net')
    desk.dialog.click(LIST, 'push button', 'OK')
    desk.dialog.wait_closed(LIST)
    save_over_theirs(desk)
    poll('hers to be saved', lambda: desk.rows('connections')['old.test']['comment'] == 'again')
    desk.page(1)


def test_rulesd_killed(desk):
    """The bus starts it again; what is not saved stays and can be saved."""
    desk.wait_saved()
    desk.add_routing('later.test', 'example.com')
    desk.confirm(ADD)
    pid = desk.bus.pid_of('org.reroute.Rules')
    os.kill(pid, signal.SIGKILL)
    poll('the end of rulesd', lambda: desk.bus.pid_of('org.reroute.Rules') != pid)
    desk.dialog.wait_text('1 unsaved change')
    poll('rulesd to stand again', lambda: desk.bus.pid_of('org.reroute.Rules'))
    desk.apply()
    assert 'later.test' in desk.rows('routing')


def test_rulesd_that_does_not_answer(desk):
    """Keys, tabs and buttons go on; Apply can be stopped, and what became of it is found out."""
    with Stopped(desk):
        desk.add_routing('slow.test', 'example.com')
        desk.confirm(ADD)
        desk.dialog.wait_text('1 unsaved change')
        desk.dialog.click(SHEET, 'push button', 'Apply')
        desk.page(2)
        desk.dialog.wait_text('Message Delivery')
        desk.page(1)
        desk.dialog.click(SHEET, 'push button', 'Stop')
        desk.dialog.wait_text('It is not known yet')
        desk.dialog.click(SHEET, 'push button', 'Cancel')
        desk.dialog.wait_text('Drop 1 unsaved change?', 'Cancel')
        desk.dialog.focus('Cancel')
        desk.dialog.key('Escape')
        desk.dialog.wait_closed('Cancel')
    desk.dialog.wait_no_text('It is not known yet')
    desk.dialog.wait_no_text('unsaved')
    assert 'slow.test' in desk.rows('routing')


def test_bus_away(desk):
    """A banner, nothing lost, and it comes back by itself."""
    desk.add_routing('last.test', 'example.com')
    desk.confirm(ADD)
    desk.bus.stop()
    desk.dialog.wait_text('The rules service does not answer')
    desk.dialog.wait_text('1 unsaved change')
    desk.bus.start()
    desk.dialog.wait_no_text('The rules service does not answer')
    desk.apply()
    assert 'last.test' in desk.rows('routing')


def test_relay_away_says_what_to_do(desk):
    desk.dialog.wait_text('The relay is not running: no mail is taken or sent.')
    desk.dialog.wait_text(f'reroute-relayd --bus={desk.bus.address}')


def test_confirm_asks_once(desk):
    """*anyone* for a single label: asked before it is saved, and the answer No saves nothing."""
    desk.add_routing('com', 'example.com')
    desk.confirm(ADD)
    before = desk.serial()
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('every stranger may send', 'Save')
    desk.dialog.focus('Save')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Save')
    assert desk.serial() == before
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.click('Save', 'push button', 'Save')
    poll('it to be saved', lambda: 'com' in desk.rows('routing'))


def comment(desk, domain, text):
    """Her comment of a routing entry: not saved yet."""
    desk.dialog.click(SHEET, 'label', domain)
    desk.dialog.key('Return')
    desk.dialog.focus(EDIT)
    desk.dialog.key('alt+o', 'ctrl+a')
    desk.dialog.type(text)
    desk.confirm(EDIT)


def test_save_agrees_to_what_was_shown(desk):
    """What needs agreeing to since the question was put is asked for by another one."""
    desk.wait_saved()
    desk.ctl('routing', 'add', 'net', '--reroute-to=example.com', '--accept-from=anyone')
    desk.dialog.wait_text(f'Rules {desk.serial()} saved')
    comment(desk, 'net', 'hers')
    desk.add_routing('org', 'example.com')
    desk.confirm(ADD)
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('org is a single word', 'Save')
    desk.dialog.wait_no_text('net is', 'Save')
    desk.ctl('routing', 'edit', 'net', '--accept-from=permitted')
    desk.dialog.wait_text('touch the same entries')
    desk.dialog.click('Save', 'push button', 'Save')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    desk.dialog.click('Save', 'push button', 'Save Mine')
    desk.dialog.wait_text('net is a single word', 'Save')
    assert desk.rows('routing')['net']['accept_from'] == 'permitted'
    desk.dialog.click('Save', 'push button', 'Save')
    poll('both to be saved', lambda: desk.rows('routing')['net']['accept_from'] == 'anyone')
    assert 'org' in desk.rows('routing')


def test_saved_meanwhile_is_not_overwritten_unasked(desk):
    """What others save while one of the questions stands open is asked about by another one."""
    desk.wait_saved()
    desk.ctl('routing', 'add', 'biz', '--reroute-to=example.com', '--accept-from=permitted')
    desk.dialog.wait_text('biz')
    comment(desk, 'net', 'first')
    comment(desk, 'org', 'first')
    desk.add_routing('info', 'example.com')
    desk.confirm(ADD)
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('info is a single word', 'Save')
    desk.ctl('routing', 'edit', 'net', '--comment=his')
    desk.dialog.wait_text('touch the same entries')
    desk.dialog.click('Save', 'push button', 'Save')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    desk.ctl('routing', 'edit', 'biz', '--comment=his')
    desk.ctl('routing', 'edit', 'org', '--comment=his')
    desk.dialog.wait_text(f'saved {desk.serial()} meanwhile')
    desk.dialog.click('Save', 'push button', 'Save Mine')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    rows = desk.rows('routing')
    assert (rows['net']['comment'], rows['org']['comment'], 'info' in rows) == ('his', 'his', False), rows
    desk.dialog.click('Save', 'push button', 'Save Mine')
    poll('hers to be saved', lambda: desk.rows('routing')['org']['comment'] == 'first')
    rows = desk.rows('routing')
    assert (rows['net']['comment'], rows['biz']['comment'], 'info' in rows) == ('first', 'his', True), rows


def test_compare_shows_what_touches_hers(desk):
    """First, however much else was saved since; what is left out is told."""
    desk.wait_saved()
    before = desk.rows('routing')['net']['comment'] or '–'
    comment(desk, 'net', 'mine')
    desk.ctl('routing', 'edit', 'net', '--comment=not mine')
    desk.ctl('recipients', 'add', 'many.test', *[f'u{number}@many.test' for number in range(150)])
    for number in range(30):
        desk.ctl('settings', 'set', 'postmaster', f'n{number}@example.org')
    desk.ctl('recipients', 'add', 'more.test', *[f'u{number}@more.test' for number in range(150)])
    desk.dialog.wait_text('Your change is kept, but it touches the same entry.')
    newest = desk.serial()

    def compared():
        """The window tells what the sheet has heard of when it is opened."""
        desk.dialog.click(SHEET, 'push button', 'Compare…')
        desk.dialog.wait_text('Saved by others between', 'Saved Meanwhile')
        if any(f' and {newest}.' in text for text in desk.dialog.texts('Saved Meanwhile')):
            return True
        desk.dialog.focus('Saved Meanwhile')
        desk.dialog.key('Escape')
        desk.dialog.wait_closed('Saved Meanwhile')
        return False
    poll('all of it to be heard of', compared)
    desk.dialog.wait_text('331 changes, the first 200 are shown', 'Saved Meanwhile')
    texts = desk.dialog.texts('Saved Meanwhile')
    shown = texts[texts.index('Yours') + 1:]
    assert shown[:4] == ['net', f'Comment: {before}', 'Comment: not mine', 'Comment: mine'], shown[:9]
    assert shown.count('net') == 1, shown
    desk.dialog.focus('Saved Meanwhile')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Saved Meanwhile')
    desk.dialog.click(SHEET, 'label', 'org')
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_no_text('unsaved')


def test_conflict_ends_with_what_caused_it(desk):
    """Undone, it is no reason to ask when something else is saved."""
    desk.wait_saved()
    comment(desk, 'net', 'again')
    desk.ctl('routing', 'edit', 'net', '--reroute-to=example.net')
    desk.dialog.wait_text('it touches the same entry')
    desk.dialog.click(SHEET, 'label', 'org')
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_no_text('unsaved')
    desk.dialog.wait_no_text('meanwhile')
    desk.add_routing('undone.test', 'example.com')
    desk.confirm(ADD)
    desk.apply()
    assert 'undone.test' in desk.rows('routing')


def test_list_that_is_open_when_all_is_saved(desk):
    """Ctrl+Z and Cancel take back what was done in it since."""
    desk.wait_saved()
    for name in ('a.test', 'b.test'):
        desk.add_routing(name, 'example.com')
        desk.confirm(ADD)
    desk.page(2)
    with Stopped(desk):
        desk.dialog.click(SHEET, 'push button', 'Apply')
        desk.dialog.click(SHEET, 'push button', 'Stop')
        desk.dialog.wait_text('It is not known yet')
        desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
        desk.dialog.wait_window(LIST)
    desk.dialog.wait_no_text('unsaved')
    for key in ('ctrl+z', 'Escape'):
        desk.dialog.click(LIST, 'label', 'old.test')
        desk.dialog.click(LIST, 'push button', 'Remove')
        desk.dialog.wait_text('1 unsaved change')
        desk.dialog.focus(LIST)
        desk.dialog.key(key)
        desk.dialog.wait_no_text('unsaved')
    desk.dialog.wait_closed(LIST)


def test_apply_that_takes_long(desk):
    """What opens a window waits, and the progress takes the place of the findings."""
    opening = {1: ['Add…', 'Routing Restrictions…'], 2: ['E-Mail Domain…', 'Hosts…', 'Time-outs…', 'Advanced…']}

    def has_findings():
        return any(node.role == 'push button' and 'warning' in node.name for node in desk.dialog.nodes(SHEET))

    def are(sensitive):
        for page, names in opening.items():
            desk.page(page)
            poll(f'{names}', lambda names=names: all(
                desk.dialog.wait(SHEET, 'push button', name).has(SENSITIVE) == sensitive for name in names))
    desk.page(1)
    poll('the findings', has_findings)
    desk.add_routing('long.test', 'example.com')
    desk.confirm(ADD)
    with Stopped(desk):
        desk.dialog.click(SHEET, 'push button', 'Apply')
        desk.dialog.wait_text('Applying, 0 %')
        poll('no findings', lambda: desk.dialog.nodes(SHEET) and not has_findings())
        are(False)
    poll('the findings again', has_findings)
    are(True)


def test_focus_after_an_apply_that_takes_long(desk):
    """It stays with the field that was typed in, and what is typed next goes on there."""
    desk.page(0)
    desk.dialog.click(SHEET, 'text', 'Postmaster:')
    desk.dialog.key('ctrl+a')
    desk.dialog.type('pm@x.test')
    desk.dialog.wait_text('1 unsaved change')
    with Stopped(desk):
        desk.dialog.key('alt+a')
        desk.dialog.wait_text('Applying, 0 %')
    poll('it to be saved', lambda: desk.setting('postmaster') == 'pm@x.test')
    desk.wait_saved()
    desk.dialog.key('End')
    desk.dialog.type('a')
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.setting('postmaster') == 'pm@x.testa'
    desk.page(1)


def press_main_ok(desk):
    """As who reads the screen to her does it: a modal window over it keeps only mouse and keys away."""
    button = desk.dialog.wait(SHEET, 'push button', 'OK')
    desk.dialog.tree.call(button.owner, button.path, ('org.a11y.atspi.Action', 'DoAction'), 'i', (0,))
    desk.dialog.wait_text('Applying')


def test_ok_drops_nothing_that_came_later(desk):
    desk.page(1)
    for number, before_the_end in enumerate((True, False)):
        desk.add_routing(f'first{number}.test', 'example.com')
        desk.confirm(ADD)
        desk.add_routing(f'later{number}.test', 'example.com')
        desk.dialog.wait_sensitive(ADD, 'push button', 'OK')
        with Stopped(desk):
            press_main_ok(desk)
            if before_the_end:
                desk.confirm(ADD)
        poll('the first to be saved', lambda name=f'first{number}.test': name in desk.rows('routing'))
        desk.dialog.wait_text(f'Rules {desk.serial()} saved' if not before_the_end else '1 unsaved change')
        if not before_the_end:
            desk.confirm(ADD)
        desk.dialog.wait_text('1 unsaved change')
        desk.apply()
        assert f'later{number}.test' in desk.rows('routing')


def test_entry_that_is_saved_while_it_is_open(desk):
    """Opened while it is being added, it is the saved one from then on, and no second one."""
    desk.wait_saved()
    desk.add_routing('tset.test', 'example.com')
    desk.confirm(ADD)
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.click(SHEET, 'label', 'tset.test')
    with Stopped(desk):
        desk.dialog.key('alt+a', 'Return')
        desk.dialog.wait_window(EDIT)
    poll('it to be saved', lambda: 'tset.test' in desk.rows('routing'))
    desk.wait_saved()
    desk.dialog.focus(EDIT)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('test.test')
    desk.confirm(EDIT)
    desk.apply()
    rows = desk.rows('routing')
    assert 'test.test' in rows and 'tset.test' not in rows, rows


def test_ok_closes(desk):
    desk.wait_saved()
    desk.dialog.click(SHEET, 'push button', 'OK')
    assert desk.dialog.end() == 0


if __name__ == '__main__':
    run('faults', *[case for name, case in list(globals().items()) if name.startswith('test_')])
