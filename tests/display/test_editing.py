#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both pages by real clicks and keys, against a real reroute-rulesd: what is saved is what was clicked."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run    # noqa: E402
from tree import FOCUSED             # noqa: E402

ADD = 'Add E-mail Domain'
LIST = 'E-Mail Domain'
ADD_HOST = 'Add E-Mail Domain'


def test_empty_list_says_what_to_do(desk):
    desk.open()
    desk.dialog.wait_text('No entries yet')
    desk.dialog.wait_text('0 entries')


def test_error_beside_the_field(desk):
    desk.dialog.click(SHEET, 'push button', 'Add…')
    desk.dialog.focus(ADD)
    desk.dialog.type('test..com')
    desk.dialog.wait_text('“test..com” has an empty part between two dots. Write “test.com”.', ADD)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('user@')
    desk.dialog.wait_no_text('empty part', ADD)
    desk.dialog.type('test.com')
    desk.dialog.wait_text('is an address. Write the part after the “@”: “test.com”.', ADD)


def test_a_pasted_domain_is_no_error(desk):
    """What makes a row is not called wrong, and its list can be edited."""
    desk.dialog.key('ctrl+a')
    desk.dialog.type('*@pasted.test')
    desk.dialog.key('alt+v', 'alt+k')
    desk.dialog.wait_text('Take those on the list of the domain', ADD)
    desk.dialog.key('Down', 'Down', 'Return')
    desk.dialog.wait_sensitive(ADD, 'push button', 'Edit List…')
    desk.dialog.wait_sensitive(ADD, 'push button', 'OK')
    texts = desk.dialog.texts(ADD)
    assert not any('cannot stand for a domain' in text or 'is an address' in text for text in texts), texts
    desk.dialog.key('alt+k')
    desk.dialog.wait_text('Take those on the list of the domain', ADD)
    desk.dialog.key('Up', 'Up', 'Return')
    desk.dialog.wait_sensitive(ADD, 'push button', 'Edit List…', False)
    desk.dialog.key('alt+s')


def test_hash_flips_the_reach(desk):
    desk.dialog.key('ctrl+a')
    desk.dialog.type('#test.com')
    desk.dialog.wait_text('This domain only (#)', ADD)
    assert 'test.com' in desk.dialog.texts(ADD), desk.dialog.texts(ADD)


def test_itself_is_refused(desk):
    desk.dialog.key('alt+r')
    desk.dialog.type('test.com')
    desk.dialog.wait_text('round in a circle', ADD)


def test_sentence_says_what_it_does(desk):
    desk.dialog.key('ctrl+a')
    desk.dialog.type('example.com')
    desk.dialog.wait_text('leaves for anyone at', ADD)
    desk.confirm(ADD)
    desk.dialog.wait_text('1 unsaved change')
    assert not desk.rows('routing'), 'saved before Apply'


def test_apply_saves(desk):
    desk.apply()
    row = desk.rows('routing')['#test.com']
    assert (row['action'], row['target']) == ('reroute', 'example.com'), row


def test_search(desk):
    """Ctrl+F, a text that nothing contains, Esc clears it and closes nothing."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+f')
    desk.dialog.type('nowhere')
    desk.dialog.wait_text('No entry contains “nowhere”.')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('1 entry')


def test_edit_by_enter(desk):
    desk.dialog.click(SHEET, 'label', '#test.com')
    desk.dialog.key('Return')
    desk.dialog.focus('Edit Routing Table Entry')
    desk.dialog.key('alt+v')
    desk.confirm('Edit Routing Table Entry')
    desk.dialog.wait_text('<always relay>')
    desk.apply()
    assert desk.rows('routing')['#test.com']['action'] == 'relay'


def test_loop_is_drawn_and_stops_saving(desk):
    desk.add_routing('a.test', 'b.test')
    desk.confirm(ADD)
    desk.add_routing('b.test', 'a.test')
    desk.dialog.wait_text('round in a circle', ADD)
    texts = desk.dialog.texts(ADD)
    assert sum(text in ('a.test', 'b.test') for text in texts) >= 3, texts
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(ADD)


def test_undo(desk):
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.click(SHEET, 'label', 'a.test')
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_no_text('unsaved')


def test_remove_by_key(desk):
    desk.dialog.click(SHEET, 'label', '#test.com')
    desk.dialog.key('Delete')
    desk.dialog.wait_text('0 entries')
    desk.apply()
    assert not desk.rows('routing')


def begin_email_domain(desk):
    """An empty dialog, from the Connections page."""
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    desk.dialog.click(LIST, 'push button', 'Add…')
    desk.dialog.focus(ADD_HOST)


def test_forward_to_hosts(desk):
    """A pasted "host:port, host" is spread over the fields."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('ctrl+Page_Down')
    begin_email_domain(desk)
    desk.dialog.type('fwd.test')
    desk.dialog.key('alt+f')
    desk.dialog.type('mx1.example.net:2525, 192.0.2.7')
    desk.dialog.key('alt+m')
    desk.dialog.type('by contract')
    desk.dialog.key('alt+o')
    desk.dialog.type('two words')
    desk.dialog.wait_text('“two words” cannot be the name of an account', ADD_HOST)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('smart ')
    desk.dialog.wait_text('It logs in there as', ADD_HOST)
    desk.dialog.key('alt+t')
    desk.dialog.wait_text('Required, with a valid certificate', ADD_HOST)
    desk.dialog.key('Down', 'Down', 'Down', 'Return')
    desk.dialog.wait_text('Never without TLS.', ADD_HOST)
    desk.dialog.key('alt+i')
    desk.dialog.type('we.pem')
    desk.dialog.wait_text('“we.pem” is no full file name.', ADD_HOST)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('/etc/reroute/we.pem')
    desk.dialog.wait_text('It shows the certificate', ADD_HOST)
    desk.dialog.key('alt+l')
    desk.dialog.wait_text('Senders of other domains are rewritten.', ADD_HOST)
    desk.dialog.key('alt+k')
    desk.dialog.wait_text('Take those on the list of the domain', ADD_HOST)
    desk.dialog.key('Down', 'Down', 'Return')
    desk.dialog.wait_text('and the list is empty', ADD_HOST)
    desk.dialog.key('alt+k')
    desk.dialog.wait_text('Take those on the list of the domain', ADD_HOST)
    desk.dialog.key('Up', 'Return')
    desk.dialog.wait_text('Recipients that the next host does not know are refused.', ADD_HOST)
    desk.dialog.wait_text('mx1.example.net', ADD_HOST)
    desk.dialog.wait_text('Tried from top to bottom', ADD_HOST)
    desk.dialog.key('alt+q')
    desk.dialog.wait_text('waits until a host asks for it by ETRN, and no host is permitted to', ADD_HOST)
    desk.confirm(ADD_HOST)
    desk.dialog.click(LIST, 'push button', 'OK')
    desk.dialog.wait_closed('Add')
    desk.apply()
    row = desk.rows('connections')['fwd.test']
    assert [(host['name'], host['port']) for host in row['hosts']] == \
        [('mx1.example.net', 2525), ('192.0.2.7', 25)], row
    assert (row['comment'], row['tls'], row['account']) == ('by contract', 'encrypted', 'smart'), row
    assert row['certificate'] == '/etc/reroute/we.pem', row
    assert (row['leaves'], row['recipient_check'], row['queue_for_etrn']) == ('yes', 'call-ahead', 'yes'), row


def test_mx_has_no_port(desk):
    """Neither typed nor pasted."""
    desk.dialog.focus(SHEET)
    begin_email_domain(desk)
    desk.dialog.type('mx.test')
    desk.dialog.key('alt+f')
    desk.dialog.type('mx:xn--bcher-kva.example:2525')
    desk.dialog.wait_text('“mx:xn--bcher-kva.example:2525” has a port. An MX is always reached at port 25', ADD_HOST)
    desk.dialog.wait_sensitive(ADD_HOST, 'push button', 'OK', False)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('xn--bcher-kva.example:2525')
    desk.dialog.key('Tab')
    desk.dialog.wait_sensitive(ADD_HOST, 'text', 'Port')
    poll('the port', lambda: '2525' in desk.dialog.texts(ADD_HOST))
    desk.dialog.key('Tab')
    desk.choose('space', 1, ADD_HOST)
    desk.dialog.wait_sensitive(ADD_HOST, 'text', 'Port', False)
    assert '2525' not in desk.dialog.texts(ADD_HOST), desk.dialog.texts(ADD_HOST)
    desk.confirm(ADD_HOST)
    desk.dialog.wait_text('MX of bücher.example', LIST)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(LIST)


def test_sentence_names_the_first_of_many_hosts(desk):
    hosts = [f'mx{number}.an-example-with-a-long-name.example.net' for number in range(32)]
    desk.ctl('connections', 'add', 'many.test', '--host=' + ', '.join(hosts), '--accept-from=anyone')
    desk.dialog.focus(SHEET)
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    desk.dialog.click(LIST, 'label', 'many.test')
    desk.dialog.wait_text('; and 28 more hosts', LIST)
    sentence, = (text for text in desk.dialog.texts(LIST) if 'more hosts' in text)
    assert f'{hosts[3]}; and 28' in sentence and hosts[4] not in sentence, sentence
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(LIST)
    desk.ctl('connections', 'remove', 'many.test')
    desk.dialog.wait_no_text('many.test')


def test_cancel_of_the_list_takes_back(desk):
    desk.dialog.click(SHEET, 'push button', 'E-Mail Domain…')
    desk.dialog.click(LIST, 'label', 'fwd.test')
    desk.dialog.click(LIST, 'push button', 'Remove')
    desk.dialog.wait_text('0 entries', LIST)
    desk.dialog.key('Escape')
    desk.dialog.wait_no_text('unsaved')


def choose_by_key(desk, title, field, text, radio):
    """The key @radio, pressed in a field that goes insensitive with it, takes the focus to the radio."""
    desk.dialog.focus(title)
    desk.dialog.key(field, 'ctrl+a')
    desk.dialog.type(text)
    desk.dialog.key(radio)
    poll('the focus on the radio', lambda: any(node.role == 'check box' and node.has(FOCUSED)
                                               for node in desk.dialog.nodes(title)))


def test_radio_that_ends_the_field_of_the_focus(desk):
    desk.page(1)
    desk.dialog.click(SHEET, 'push button', 'Add…')
    choose_by_key(desk, ADD, 'alt+r', 'b.test', 'alt+i')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(ADD)
    desk.page(2)
    begin_email_domain(desk)
    choose_by_key(desk, ADD_HOST, 'alt+f', 'mx.test', 'alt+u')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(ADD_HOST)
    desk.dialog.focus(LIST)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(LIST)
    choose_by_key(desk, SHEET, 'alt+f', 'mx.test', 'alt+u')
    desk.dialog.wait_no_text('unsaved')


def test_settings_of_the_page(desk):
    """Hours without a unit, several hosts by turns, the transfer mode."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+f')
    desk.dialog.type('mx1.example.net, mx2.example.net:26')
    desk.dialog.key('alt+b')
    desk.dialog.key('alt+r')
    desk.dialog.key('ctrl+a')
    desk.dialog.type('.25, 1, 4h')
    desk.apply()
    assert desk.setting('transfer-mode') == 'inbound'
    assert desk.setting('retry-intervals').replace(' ', '') == '15m,1h,4h'
    assert 'mx2.example.net:26' in desk.setting('default-delivery')


def test_keys_go_on_where_they_were(desk):
    """The row with the focus keeps it on another page's way there and back, and when all is saved by keys."""
    names = [f'row{number}.test' for number in range(5)]
    for name in names:
        desk.ctl('routing', 'add', name, '--reroute-to=example.com', '--accept-from=anyone')
    edit = 'Edit Routing Table Entry'

    def press_enter():
        desk.dialog.focus(SHEET)
        desk.dialog.key('Return')
        desk.dialog.focus(edit)
        poll('the row', lambda: names[1] in desk.dialog.texts(edit))
    desk.page(1)
    desk.dialog.wait_text('5 entries')
    desk.dialog.click(SHEET, 'label', names[1])
    desk.dialog.key('ctrl+Page_Down', 'ctrl+Page_Up')
    press_enter()
    desk.dialog.key('alt+o')
    desk.dialog.type('by keys')
    desk.confirm(edit)
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+a')
    poll('it to be saved', lambda: desk.rows('routing')[names[1]]['comment'] == 'by keys')
    desk.dialog.wait_text(f'Rules {desk.serial()} saved')
    press_enter()
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(edit)
    desk.page(2)


def test_cancel_asks_for_unsaved_changes(desk):
    desk.dialog.key('alt+i')
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.click(SHEET, 'push button', 'Cancel')
    desk.dialog.wait_text('Drop 1 unsaved change?', 'Cancel')
    desk.dialog.focus('Cancel')
    desk.dialog.key('Escape')
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.click(SHEET, 'push button', 'Cancel')
    desk.dialog.click('Cancel', 'push button', 'Drop')
    assert desk.dialog.end() == 0
    assert desk.setting('transfer-mode') == 'inbound'


if __name__ == '__main__':
    run('editing', *[case for name, case in list(globals().items()) if name.startswith('test_')])
