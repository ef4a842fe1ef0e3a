#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of recipients of an entry, in its window: it is part of what the sheet saves."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, run     # noqa: E402

ENTRY = 'Edit E-Mail Domain'
LIST = 'Edit List'
ADD = 'Add Addresses'


def addresses(desk):
    return [row['address'] for row in json.loads(desk.ctl('--json', 'recipients', 'list', 'test.com'))]


def open_list(desk):
    desk.dialog.click('E-Mail Domain', 'label', 'test.com')
    desk.dialog.key('Return')
    desk.dialog.focus(ENTRY)
    desk.dialog.key('alt+e')
    desk.dialog.focus(LIST)


def add(desk, *lines):
    desk.dialog.focus(LIST)
    desk.dialog.key('Insert')
    desk.dialog.focus(ADD)
    for line in lines:
        desk.dialog.type(line)
        desk.dialog.key('Return')
    desk.dialog.key('ctrl+Return')


def close(desk, *titles):
    for title in titles:
        desk.dialog.focus(title)
        desk.dialog.click(title, 'push button', 'OK')
        desk.dialog.wait_closed(title)


def test_a_list_of_its_domain(desk):
    """Domains below it belong to it, and one that only ends alike does not."""
    desk.ctl('connections', 'add', 'test.com', '--host=mx.test.com', '--accept-from=permitted', '--recipient-check=list')
    desk.ctl('recipients', 'add', 'test.com', 'anna', 'bob@sub.test.com')
    desk.ctl('recipients', 'add', 'nottest.com', 'zoe')
    desk.open()
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    open_list(desk)
    desk.dialog.wait_text('2 addresses', LIST)
    shown = desk.dialog.texts(LIST)
    assert 'anna@test.com' in shown and 'bob@sub.test.com' in shown and 'zoe@nottest.com' not in shown, shown


def test_cancel_of_the_entry_takes_back(desk):
    add(desk, 'carl')
    desk.dialog.wait_text('carl@test.com', LIST)
    close(desk, LIST)
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.focus(ENTRY)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(ENTRY)
    desk.dialog.wait_no_text('unsaved')


def test_a_wrong_line_is_shown(desk):
    """It is selected, too: the next key writes it anew."""
    open_list(desk)
    add(desk, 'carl', 'dora@other.test')
    desk.dialog.wait_text('Line 2: “dora@other.test” is no address of “test.com” or a domain below it.', ADD)
    desk.dialog.type('ANNA@Test.com')
    desk.dialog.wait_no_text('Line 2', ADD)
    desk.dialog.key('ctrl+Return')
    desk.dialog.wait_closed(ADD)
    desk.dialog.wait_text('1 address was added. 1 was on the list already.', LIST)
    desk.dialog.wait_text('3 addresses', LIST)


def test_what_could_not_be_added_is_still_there(desk):
    desk.bus.stop()
    desk.dialog.wait_text('The rules service does not answer')
    add(desk, 'kept1', 'kept2')
    desk.dialog.wait_text('Nothing was added: ', ADD)
    desk.bus.start()
    desk.dialog.wait_no_text('The rules service does not answer')
    desk.dialog.focus(ADD)
    desk.dialog.key('ctrl+Return')
    desk.dialog.wait_closed(ADD)
    desk.dialog.wait_text('kept2@test.com', LIST)
    desk.dialog.focus(LIST)
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_no_text('kept1@test.com', LIST)


def test_search_looks_in_the_list_alone(desk):
    desk.dialog.focus(LIST)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('SUB.test')
    desk.dialog.wait_text('1 address', LIST)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('zoe')
    desk.dialog.wait_text('No entry contains “zoe”.', LIST)
    desk.dialog.key('Escape')
    desk.dialog.wait_text('3 addresses', LIST)


def test_copy_paste_remove_undo(desk):
    desk.dialog.click(LIST, 'label', 'bob@sub.test.com')
    desk.dialog.key('ctrl+c', 'Delete')
    desk.dialog.wait_text('2 addresses', LIST)
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_text('3 addresses', LIST)
    desk.dialog.click(LIST, 'label', 'bob@sub.test.com')
    desk.dialog.key('Delete')
    desk.dialog.wait_text('2 addresses', LIST)
    desk.dialog.key('ctrl+v')
    desk.dialog.focus(ADD)
    desk.dialog.wait_text('bob@sub.test.com', ADD)
    desk.dialog.key('ctrl+Return')
    desk.dialog.wait_closed(ADD)
    desk.dialog.wait_text('3 addresses', LIST)


def test_a_file_is_imported_whole_or_not(desk):
    """Of 1500 lines one is wrong at first; the list is longer than what is read at a time then."""
    lines = '\ufeff# ours\r\n' + ''.join(f'user{number}\r\n' for number in range(1500))
    for text, said in ((lines + 'two words\n', 'Nothing was added: Line 1502: “two words” is no address of “test.com”'),
                       (lines, '1500 addresses were added.')):
        path = desk.place.write(text, 'addresses.txt')
        desk.dialog.click(LIST, 'push button', 'Import…')
        desk.dialog.focus('Import Addresses')
        desk.dialog.type(path)
        desk.dialog.key('Return')
        desk.dialog.wait_closed('Import Addresses')
        desk.dialog.wait_text(said, LIST)
    desk.dialog.wait_text('1503 addresses', LIST)


def test_saved_with_the_sheet(desk):
    before = addresses(desk)
    close(desk, LIST, ENTRY, 'E-Mail Domain')
    assert addresses(desk) == before == ['anna@test.com', 'bob@sub.test.com']
    desk.apply()
    assert len(addresses(desk)) == 1503 and 'carl@test.com' in addresses(desk)


if __name__ == '__main__':
    run('recipients', *[case for name, case in list(globals().items()) if name.startswith('test_')])
