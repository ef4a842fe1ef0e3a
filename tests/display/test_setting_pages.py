#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The General page and the dialogs for settings: each field is checked where it is typed, and saved with the rest."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run    # noqa: E402
from tree import SENSITIVE           # noqa: E402

RESTRICTIONS = 'Routing Restrictions'
LIMITS = 'Advanced'
TIMEOUTS = 'Message Time-outs'
REPORTS = 'TLS Reports'
# Field by its letter, what is typed, what is said of it, what it was.
WRONG = (
    ('alt+h', 'mail..example.org', '“mail..example.org” is no host name.', ''),
    ('alt+l', '', 'Write at least one address with its port', '0.0.0.0:25, [::]:25'),
    ('alt+l', '0.0.0.0:25, 127.0.0.1:99999', '“127.0.0.1:99999” is no address with a port.', '0.0.0.0:25, [::]:25'),
    ('alt+s', '0.0.0.0:0', '“0.0.0.0:0” is no address with a port. Write one such as “0.0.0.0:465”', ''),
    ('alt+w', 'srs@example.org', '“srs@example.org” is no domain. Write one of yours', ''),
    ('alt+f', 'unix:/run/a.sock action=accept, unix:b', '“unix:b” is no mail filter.', ''),
    ('alt+n', 'inet:localhost:8891', '“inet:localhost:8891” is no mail filter.', ''),
    ('alt+o', '203.0.113.0/24', '“203.0.113.0/24” is no address.', ''),
    ('alt+i', 'user@example.com', '“user@example.com” is an e-mail address. A host is wanted', ''),
    ('alt+m', 'postmaster', '“postmaster” is no e-mail address.', ''),
    ('alt+z', '4 GiB', 'Write a size from 1 KiB to 2 GiB, such as “50 MiB”.', '50 MiB'),
    ('alt+r', 'many', 'Write a whole number from 1 to 100000.', '1000'),
    ('alt+u', '192.0.2.1:8025', '“192.0.2.1:8025” is no loopback address with a port.', ''),
    ('alt+u', ','.join(f'127.0.0.1:{port}' for port in range(1, 6)), 'These are too many: the list takes at most 4.', ''),
)


def fill(desk, letter, text, title=SHEET):
    desk.dialog.focus(title)
    desk.dialog.key(letter, 'ctrl+a')
    if text:
        desk.dialog.type(text)
    else:
        desk.dialog.key('Delete')


def test_every_field_is_checked_where_it_is_typed(desk):
    desk.open()
    desk.page(0)
    for letter, text, said, right in WRONG:
        fill(desk, letter, text)
        desk.dialog.wait_text(said)
        before = desk.serial()
        desk.dialog.click(SHEET, 'push button', 'OK')
        desk.dialog.wait_text(said)
        assert desk.serial() == before
        fill(desk, letter, right)
        desk.dialog.wait_no_text(said)
    desk.dialog.wait_no_text('unsaved')


def test_general_is_saved(desk):
    fill(desk, 'alt+h', 'mail.example.org')
    fill(desk, 'alt+i', 'mailbox.example.net')
    fill(desk, 'alt+m', 'admin@example.org')
    fill(desk, 'alt+z', '20 MB')
    fill(desk, 'alt+s', '127.0.0.1')
    fill(desk, 'alt+w', 'Example.ORG')
    fill(desk, 'alt+f', '/run/rspamd/milter.sock  action=accept,inet:127.0.0.1:8891')
    fill(desk, 'alt+n', 'inet:8891@127.0.0.1')
    desk.dialog.wait_text('8 unsaved changes')
    desk.apply()
    assert desk.setting('listen-tls') == '127.0.0.1:465'
    assert desk.setting('srs-domain') == 'example.org'
    assert desk.setting('milters') == 'unix:/run/rspamd/milter.sock action=accept, inet:127.0.0.1:8891'
    assert desk.setting('milters-for-own-mail') == 'inet:127.0.0.1:8891'
    assert desk.setting('hostname') == 'mail.example.org'
    assert desk.setting('inbound-host').startswith('mailbox.example.net')
    assert desk.setting('postmaster') == 'admin@example.org'
    assert desk.setting('max-message-size') == '20000000'
    assert desk.dialog.window('Internet Mail Service (mail.example.org) Properties')


def test_inbound_host_by_lmtp(desk):
    """The field says what is wanted, and shows the short form of what was typed."""
    desk.page(0)
    fill(desk, 'alt+i', 'lmtp:unix:private/lmtp')
    desk.dialog.wait_text('“lmtp:unix:private/lmtp” is no LMTP server. Write “lmtp:mail.example.com:24” for a host, or '
                          '“lmtp:/run/dovecot/lmtp” for a socket.')
    fill(desk, 'alt+i', 'lmtp:unix:/run/dovecot/lmtp')
    desk.apply()
    assert desk.setting('inbound-host') == 'lmtp:/run/dovecot/lmtp'
    fill(desk, 'alt+i', 'mailbox.example.net')
    desk.apply()
    assert desk.setting('inbound-host') == 'mailbox.example.net'


def test_dns_servers_by_choice(desk):
    """A list of its own only where the drop-down says so."""
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+d', 'space')
    desk.dialog.wait_text('These:')
    desk.dialog.key('Down', 'Down', 'Return')
    desk.dialog.wait(SHEET, 'text', 'DNS servers')
    desk.dialog.type('192.0.2.53 ns.example')
    desk.dialog.wait_text('“ns.example” is no name server.')
    desk.dialog.key('ctrl+a')
    desk.dialog.type('192.0.2.53 192.0.2.54:5353')
    desk.apply()
    assert desk.setting('dns-servers') == '192.0.2.53:53, 192.0.2.54:5353'


def test_undo_takes_back_a_field_at_once(desk):
    """Ctrl+Z outside of a text takes back the whole of what was typed into a field."""
    desk.page(0)
    fill(desk, 'alt+h', 'relay.example.org')
    desk.dialog.wait_text('1 unsaved change')
    desk.page(1)
    desk.dialog.key('alt+n')
    desk.dialog.wait_text('2 unsaved changes')
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.key('ctrl+z')
    desk.dialog.wait_no_text('unsaved')


def test_restrictions(desk):
    """Several ranges at once; one that starts inside a network is told its network."""
    desk.page(1)
    desk.dialog.click(SHEET, 'push button', 'Routing Restrictions…')
    desk.dialog.focus(RESTRICTIONS)
    desk.dialog.type('192.168.1.5/24')
    desk.dialog.wait_text('“192.168.1.5/24” starts inside a network. Write “192.168.1.0/24”', RESTRICTIONS)
    desk.dialog.key('ctrl+a')
    desk.dialog.type('192.168.1.0/24 2001:db8::/32, 10.0.0.0;255.0.0.0')
    desk.dialog.key('Return')
    desk.dialog.wait_text('10.0.0.0/8', RESTRICTIONS)
    fill(desk, 'alt+n', '192.168.1.66', RESTRICTIONS)
    desk.dialog.key('Return')
    desk.dialog.wait_text('192.168.1.66', RESTRICTIONS)
    desk.dialog.click(RESTRICTIONS, 'label', '2001:db8::/32')
    desk.dialog.key('alt+r')
    desk.dialog.wait_no_text('2001:db8::/32', RESTRICTIONS)
    # OK takes what was typed and not added, and objects to what is wrong.
    fill(desk, 'alt+n', '192.168.2.300', RESTRICTIONS)
    desk.dialog.click(RESTRICTIONS, 'push button', 'OK')
    desk.dialog.wait_text('“192.168.2.300”', RESTRICTIONS)
    fill(desk, 'alt+n', '192.168.2.0/24', RESTRICTIONS)
    desk.dialog.click(RESTRICTIONS, 'push button', 'OK')
    desk.dialog.wait_closed(RESTRICTIONS)
    desk.apply()
    assert desk.setting('permitted-hosts') == '192.168.1.0/24, 10.0.0.0/8'
    assert desk.setting('forbidden-hosts') == '192.168.1.66, 192.168.2.0/24'


def test_cancel_of_a_sub_sheet_takes_back(desk):
    desk.page(2)
    desk.dialog.wait_text('From any host but those in 2 address ranges.')
    desk.dialog.wait_text('Hosts in 2 address ranges may send to any domain.')
    desk.dialog.click(SHEET, 'push button', 'Hosts…')
    desk.dialog.click('Specify by Host', 'label', '192.168.1.66')
    desk.dialog.key('Delete')
    desk.dialog.wait_text('1 unsaved change')
    desk.dialog.key('Escape')
    desk.dialog.wait_closed('Specify by Host')
    desk.dialog.wait_no_text('unsaved')


def test_proxies(desk):
    """Who may speak for another client, by the PROXY protocol or by XCLIENT."""
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'Hosts…')
    for letter, address in (('alt+p', '192.0.2.9'), ('alt+x', '2001:db8::9')):
        fill(desk, letter, '192.0.2.1/24', 'Specify by Host')
        desk.dialog.wait_text('“192.0.2.1/24” starts inside a network.', 'Specify by Host')
        fill(desk, letter, address, 'Specify by Host')
        desk.dialog.wait_no_text('starts inside a network', 'Specify by Host')
    desk.dialog.click('Specify by Host', 'push button', 'OK')
    desk.dialog.wait_closed('Specify by Host')
    desk.apply()
    assert desk.setting('proxy-hosts') == '192.0.2.9'
    assert desk.setting('xclient-hosts') == '2001:db8::9'


def test_tls_reports_and_requiretls(desk):
    desk.tab('Security')
    desk.dialog.key('alt+s')
    desk.dialog.key('alt+r')
    desk.dialog.focus(REPORTS)
    desk.dialog.key('alt+s')
    fill(desk, 'alt+m', 'reports', REPORTS)
    desk.dialog.wait_text('“reports” is no e-mail address. Write one such as', REPORTS)
    fill(desk, 'alt+m', 'tls@example.org', REPORTS)
    fill(desk, 'alt+o', 'o' * 201, REPORTS)
    desk.dialog.wait_text('Write one line of at most 200 octets.', REPORTS)
    fill(desk, 'alt+o', 'Contoso, Ltd.', REPORTS)
    desk.dialog.click(REPORTS, 'push button', 'OK')
    desk.dialog.wait_closed(REPORTS)
    desk.dialog.wait_text('4 unsaved changes')
    desk.apply()
    assert [desk.setting(key) for key in ('requiretls', 'tls-report', 'tls-report-from', 'tls-report-organization')] == \
        ['yes', 'yes', 'tls@example.org', 'Contoso, Ltd.']


def test_default_delivery_with_an_account(desk):
    """There is somebody to log in to only at hosts."""
    desk.page(2)
    account = desk.dialog.wait(SHEET, 'text', 'Account:')
    assert not account.has(SENSITIVE)
    desk.dialog.key('alt+f')
    desk.dialog.type('smart.example.net')
    fill(desk, 'alt+c', 'our account')
    desk.dialog.wait_text('“our account” cannot be the name of an account: write it without blanks.')
    fill(desk, 'alt+c', 'ours')
    fill(desk, 'alt+h', '/etc/reroute/we.pem')
    desk.dialog.key('alt+g')
    desk.dialog.wait_text('4 unsaved changes')
    desk.apply()
    assert desk.setting('default-delivery') == 'smart.example.net'
    assert desk.setting('default-account') == 'ours'
    assert desk.setting('default-certificate') == '/etc/reroute/we.pem'
    assert desk.setting('default-leaves') == 'yes'


def test_limits(desk):
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'Advanced…')
    fill(desk, 'alt+m', '0', LIMITS)
    desk.dialog.wait_text('Write a whole number from 1 to 1000000.', LIMITS)
    desk.dialog.click(LIMITS, 'push button', 'OK')
    fill(desk, 'alt+m', '1', LIMITS)
    fill(desk, 'alt+u', 'many', LIMITS)
    desk.dialog.wait_text('Write a whole number from 0 to 1000000.', LIMITS)
    for letter, number in zip('enrupaf', range(31, 38)):
        fill(desk, f'alt+{letter}', str(number), LIMITS)
    for letter, number in zip('tw', ('5', '50')):
        fill(desk, f'alt+{letter}', number, LIMITS)
    fill(desk, 'alt+s', '10.1.0.1/16', LIMITS)
    desk.dialog.wait_text('“10.1.0.1/16” starts inside a network.', LIMITS)
    fill(desk, 'alt+s', '10.1.0.0/16', LIMITS)
    desk.dialog.key('alt+b')
    desk.dialog.click(LIMITS, 'push button', 'OK')
    desk.dialog.wait_closed(LIMITS)
    desk.apply()
    assert (desk.setting('private-targets'), desk.setting('chunking')) == ('10.1.0.0/16', 'no')
    assert desk.setting('max-messages-per-connection') == '1'
    assert (desk.setting('leaving-rate'), desk.setting('leaving-stop')) == ('5', '50')
    assert [desk.setting(key) for key in ('max-bad-commands', 'max-junk-commands', 'max-refused-recipients',
                                          'max-message-rate', 'max-recipient-rate', 'max-error-rate',
                                          'max-auth-failures')] == [str(number) for number in range(31, 38)]


def test_timeouts(desk):
    desk.page(2)
    desk.dialog.click(SHEET, 'push button', 'Time-outs…')
    fill(desk, 'alt+r', '48', TIMEOUTS)
    desk.dialog.wait_text('such as “5d”: a number, then s, m, h or d.', TIMEOUTS)
    fill(desk, 'alt+r', '48h', TIMEOUTS)
    fill(desk, 'alt+t', '0s', TIMEOUTS)
    desk.dialog.click(TIMEOUTS, 'push button', 'OK')
    desk.dialog.wait_closed(TIMEOUTS)
    desk.apply()
    assert desk.setting('message-timeout') == '2d'
    assert desk.setting('delay-notice') == '0s'


def test_opening_changes_nothing(desk):
    """What is saved is shown, also by fields that wait for another choice before it is read."""
    desk.dialog.click(SHEET, 'push button', 'OK')
    assert desk.dialog.end() == 0
    desk.open()
    desk.page(2)
    for text in ('smart.example.net', 'ours', '/etc/reroute/we.pem'):
        poll(text, lambda text=text: text in desk.dialog.texts())
    desk.page(0)
    desk.dialog.wait_text('192.0.2.53:53, 192.0.2.54:5353')
    desk.dialog.wait_no_text('unsaved')
    fill(desk, 'alt+m', 'other@example.org')
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.setting('default-account') == 'ours'
    assert desk.setting('default-certificate') == '/etc/reroute/we.pem'
    assert desk.setting('dns-servers') == '192.0.2.53:53, 192.0.2.54:5353'


def test_fields_that_are_not_chosen_follow_others(desk):
    desk.page(2)
    desk.dialog.click(SHEET, 'check box', 'Use domain name system (DNS)')
    desk.apply()
    assert desk.setting('default-delivery') == 'dns'
    desk.ctl('settings', 'set', 'default-account', 'theirs')
    poll('their account', lambda: 'theirs' in desk.dialog.texts())
    desk.ctl('settings', 'set', 'default-delivery', 'their.example.net')
    poll('their host', lambda: 'their.example.net' in desk.dialog.texts())
    desk.ctl('settings', 'set', 'default-delivery', 'dns')
    poll('the host not to be chosen', lambda: not desk.dialog.find(SHEET, 'text', 'Account:').has(SENSITIVE))
    desk.dialog.wait_no_text('unsaved')
    desk.ctl('settings', 'set', 'default-account', 'others')
    desk.dialog.key('alt+f')
    desk.dialog.wait_text('1 unsaved change')
    desk.apply()
    assert desk.setting('default-delivery') == 'their.example.net'
    assert desk.setting('default-account') == 'others'


def test_field_with_the_focus_follows_others(desk):
    """She has typed nothing there."""
    desk.page(0)
    desk.dialog.key('alt+h')
    desk.ctl('settings', 'set', 'hostname', 'theirs.example.org')
    poll('their name', lambda: 'theirs.example.org' in desk.dialog.texts())
    desk.dialog.wait_no_text('unsaved')


def test_field_that_is_half_typed_is_not_theirs(desk):
    """What others save meanwhile is not overwritten without a question."""
    desk.dialog.key('alt+z', 'End')
    desk.dialog.type('x')
    desk.dialog.wait_text('Write a size')
    desk.dialog.wait_no_text('unsaved')
    desk.ctl('settings', 'set', 'max-message-size', '20 MiB')
    desk.dialog.wait_text(f'Rules {desk.serial()} saved')
    fill(desk, 'alt+z', '30 MiB')
    desk.dialog.wait_text('Your change is kept, but it touches the same entry.')
    desk.dialog.click(SHEET, 'push button', 'Apply')
    desk.dialog.wait_text('Save yours over them?', 'Save')
    assert desk.setting('max-message-size') == '20 MiB'
    desk.dialog.click('Save', 'push button', 'Save Mine')
    poll('hers to be saved', lambda: desk.setting('max-message-size') == '30 MiB')


def test_more_ranges_than_the_list_takes(desk):
    """It says so, and is left as it was."""
    ranges = [f'203.0.{i // 250}.{i % 250}' for i in range(10000)]
    desk.ctl('settings', 'set', 'forbidden-hosts', ','.join(ranges))
    desk.page(1)
    desk.dialog.click(SHEET, 'push button', 'Routing Restrictions…')
    desk.dialog.wait(RESTRICTIONS, 'label', ranges[0])
    fill(desk, 'alt+n', '192.0.2.1', RESTRICTIONS)
    desk.dialog.key('Return')
    desk.dialog.wait_text('These are too many: the list takes at most 10000.', RESTRICTIONS)
    fill(desk, 'alt+n', ranges[1], RESTRICTIONS)
    desk.dialog.key('Return')
    desk.dialog.wait_no_text('too many', RESTRICTIONS)
    desk.dialog.click(RESTRICTIONS, 'label', ranges[0])
    desk.dialog.key('Delete')
    desk.dialog.wait_no_text(ranges[0], RESTRICTIONS)
    fill(desk, 'alt+n', '192.0.2.1', RESTRICTIONS)
    desk.dialog.key('Return')
    desk.dialog.click(RESTRICTIONS, 'push button', 'OK')
    desk.dialog.wait_closed(RESTRICTIONS)
    desk.apply()
    assert desk.setting('forbidden-hosts') == ', '.join(ranges[1:] + ['192.0.2.1'])


if __name__ == '__main__':
    run('setting-pages', *[case for name, case in list(globals().items()) if name.startswith('test_')])
