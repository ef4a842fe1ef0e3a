#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Security page: TLS for all domains and by domain; accounts whose passwords go to the relay and never come back."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run_with_relay     # noqa: E402
from certs import Authority                      # noqa: E402
from screen import Dialog                        # noqa: E402

SECRET = 'correct horse battery'
GERMAN_SHEET = 'Eigenschaften'


def accounts(desk):
    return {(account['name'], account['kind']) for account in json.loads(desk.ctl('--json', 'account', 'list'))}


def fill(desk, letter, text, title=SHEET):
    desk.dialog.focus(title)
    desk.dialog.key(letter, 'ctrl+a')
    desk.dialog.type(text)


def test_tls_for_all_domains(desk):
    """A file name is wanted whole; levels are words in a list."""
    desk.ctl('connections', 'add', 'partner.example', '--host=mx.partner.example', '--accept-from=permitted',
             '--recipient-check=list')
    desk.open()
    desk.tab('Security')
    desk.dialog.wait_text('By its list')
    fill(desk, 'alt+c', '/etc/reroute/a b.pem, mail.pem')
    desk.dialog.wait_text('“mail.pem” is no full file name. Write it from the first “/” on')
    fill(desk, 'alt+c', '/etc/reroute/a b.pem, /etc/reroute/mail.pem')
    fill(desk, 'alt+k', '/etc/reroute/a.key,/etc/reroute/mail.key')
    fill(desk, 'alt+u', '/etc/ssl/own.pem')
    desk.dialog.key('alt+f')
    desk.choose('alt+t', 2)
    desk.dialog.wait_text('5 unsaved changes')
    desk.apply()
    assert [desk.setting(key) for key in ('tls-certificate', 'tls-key', 'tls-trust', 'tls-level', 'mta-sts')] == \
        ['/etc/reroute/a b.pem, /etc/reroute/mail.pem', '/etc/reroute/a.key, /etc/reroute/mail.key',
         '/etc/ssl/own.pem', 'encrypted', 'no']


def test_files_are_judged_while_she_types(desk):
    """Below the field, by the relay, before anything is saved; a warning keeps nobody from saving."""
    authority = Authority(desk.place)
    ours, other = authority.issue('ours.test'), authority.issue('other.test')
    serial = desk.serial()
    fill(desk, 'alt+k', ours.key_path)
    fill(desk, 'alt+c', '/etc/reroute/none.pem')
    desk.dialog.wait_text('The relay says: cannot use the certificate “/etc/reroute/none.pem”: No such file or directory')
    fill(desk, 'alt+c', other.path)
    desk.dialog.wait_text(f'“{ours.key_path}”: it does not belong to the certificate')
    desk.service.stop_relay()
    desk.dialog.wait_no_text('it does not belong')
    desk.service.start_relay()
    desk.dialog.wait_text('it does not belong')
    fill(desk, 'alt+k', other.key_path)
    desk.dialog.wait_no_text('it does not belong')
    desk.dialog.wait_text('2 unsaved changes')
    assert desk.serial() == serial
    desk.apply()
    desk.dialog.wait_no_text('The relay says')
    fill(desk, 'alt+c', '/etc/reroute/a b.pem')
    desk.apply()


def test_the_relay_says_what_is_wrong_with_the_files(desk):
    desk.dialog.wait_text('The relay says: cannot use the certificate “/etc/reroute/a b.pem”')
    desk.ctl('settings', 'set', 'tls-certificate', '')
    desk.dialog.wait_no_text('The relay says')


def test_list_is_named(desk):
    desk.ctl('connections', 'edit', 'partner.example', '--recipient-check=list')
    desk.dialog.wait_text('By its list')
    desk.ctl('connections', 'edit', 'partner.example', '--recipient-check=none')
    desk.dialog.wait_no_text('By its list')


def test_edit_opens_the_entry_on_its_level(desk):
    desk.dialog.click(SHEET, 'label', 'partner.example')
    desk.dialog.key('Return')
    desk.dialog.focus('Edit E-Mail Domain')
    desk.choose('space', 4, 'Edit E-Mail Domain')
    fill(desk, 'alt+i', '/etc/reroute/none.pem', 'Edit E-Mail Domain')
    desk.dialog.wait_text('The relay says: cannot use the certificate “/etc/reroute/none.pem”', 'Edit E-Mail Domain')
    desk.dialog.wait_sensitive('Edit E-Mail Domain', 'push button', 'OK')
    desk.dialog.key('alt+i', 'ctrl+a', 'Delete')
    desk.dialog.wait_no_text('The relay says', 'Edit E-Mail Domain')
    desk.confirm('Edit E-Mail Domain')
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.rows('connections')['partner.example']['tls'] == 'verified'


def test_account_of_a_client(desk):
    """Refused beside its field; kept at once; what was typed is nowhere to be read."""
    desk.dialog.click(SHEET, 'push button', 'Accounts…')
    desk.dialog.wait_text('No accounts yet', 'Accounts')
    desk.dialog.click('Accounts', 'push button', 'Add…')
    fill(desk, 'alt+n', 'mail client', 'Add Account')
    desk.dialog.wait_text('“mail client” cannot be the name of an account: write it without blanks.', 'Add Account')
    fill(desk, 'alt+n', 'client', 'Add Account')
    fill(desk, 'alt+p', SECRET, 'Add Account')
    fill(desk, 'alt+g', SECRET + 'x', 'Add Account')
    desk.dialog.wait_text('The two passwords differ.', 'Add Account')
    fill(desk, 'alt+g', SECRET, 'Add Account')
    desk.dialog.wait_sensitive('Add Account', 'push button', 'OK')
    # GTK 4.8 lets the accessibility bus of her session read what is being typed, and nothing later.
    nodes = desk.dialog.nodes('Add Account')
    assert [node.role for node, text in zip(nodes, desk.dialog.tree.texts(nodes)) if SECRET in text] == ['password text'] * 2
    desk.dialog.key('Return')
    desk.dialog.wait_closed('Add Account')
    desk.dialog.wait_text('A client that logs in here', 'Accounts')
    assert accounts(desk) == {('client', 'in')}
    assert not any(SECRET in text for text in desk.dialog.texts('Accounts') + desk.dialog.texts(SHEET))
    assert SECRET not in desk.ctl('account', 'list') + desk.ctl('settings', 'list') + desk.ctl('history')


def test_account_at_other_hosts(desk):
    """Its name may be a client's, but no account loses its password to one that is added."""
    desk.dialog.click('Accounts', 'push button', 'Add…')
    fill(desk, 'alt+n', 'client', 'Add Account')
    desk.dialog.wait_text('There is an account “client” of this kind already.', 'Add Account')
    desk.choose('alt+u', 1, 'Add Account')
    desk.dialog.wait_no_text('of this kind already', 'Add Account')
    fill(desk, 'alt+n', 'smart', 'Add Account')
    desk.dialog.wait('Add Account', 'text', 'User name there:')
    fill(desk, 'alt+m', 'us@smart.example', 'Add Account')
    fill(desk, 'alt+p', SECRET, 'Add Account')
    fill(desk, 'alt+g', SECRET, 'Add Account')
    desk.confirm('Add Account')
    desk.dialog.wait_text('This relay, at other hosts', 'Accounts')
    assert accounts(desk) == {('client', 'in'), ('smart', 'out')}


def test_remove_asks(desk):
    desk.dialog.click('Accounts', 'label', 'client')
    desk.dialog.key('Delete')
    desk.dialog.wait_text('Remove the account “client”?', 'Remove Account')
    desk.dialog.key('alt+r')
    desk.dialog.wait_closed('Remove Account')
    poll('one account', lambda: accounts(desk) == {('smart', 'out')})


def test_without_the_relay(desk):
    """Says who keeps the accounts, and lists them when it is back."""
    desk.service.stop_relay()
    desk.dialog.wait_text('The relay is not running: it keeps the accounts.', 'Accounts')
    desk.service.start_relay()
    desk.dialog.wait_no_text('The relay is not running', 'Accounts')
    desk.dialog.wait_text('smart', 'Accounts')


def test_the_relay_speaks_german(desk):
    """What it says of the files, to who reads German."""
    desk.dialog.__exit__()
    with Dialog(desk.place, desk.bus.address, environment={'LANGUAGE': 'de'}) as dialog:
        dialog.click(GERMAN_SHEET, 'page tab', 'Sicherheit')
        dialog.focus(GERMAN_SHEET)
        dialog.key('alt+a', 'ctrl+a')
        dialog.type('/etc/reroute/none.pem')
        dialog.wait_text('Das Relay sagt: das Zertifikat „/etc/reroute/none.pem“ ist nicht zu gebrauchen: '
                         'die Datei oder das Verzeichnis gibt es nicht', GERMAN_SHEET)


if __name__ == '__main__':
    run_with_relay('security', *[case for name, case in list(globals().items()) if name.startswith('test_')])
