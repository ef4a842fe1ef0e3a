#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl against a real reroute-rulesd on a private bus: verbs, JSON, refusals, exit status."""

import contextlib
import json
import os
import resource
import signal
import sqlite3
import stat
import subprocess

from prompt import Prompt, rows_of, run_at_prompt    # which finds the other folders
from place import Place
from support import CTL, daemon_environment


def test_add_lists_what_was_added(prompt):
    prompt.good('routing', 'add', 'Test.com.', '--reroute-to=example.com', '--comment=renamed, 2026')
    prompt.good('routing', 'add', '#exact.example', '--relay')
    prompt.good('connections', 'add', 'fwd.example',
                '--host=mx1.example.net:2525,192.0.2.7', '--host=[2001:db8::1]:26', '--by-turns')
    prompt.good('connections', 'add', 'dns.example', '--dns', '--exact', '--tls=verified')
    routing = rows_of(prompt, 'routing')
    assert routing['test.com']['action'] == 'reroute'
    assert routing['test.com']['target'] == 'example.com'
    assert routing['test.com']['match'] == 'subdomains'
    assert routing['test.com']['comment'] == 'renamed, 2026'
    assert routing['#exact.example']['action'] == 'relay'
    connections = rows_of(prompt, 'connections')
    hosts = connections['fwd.example']['hosts']
    assert [host['name'] for host in hosts] == ['mx1.example.net', '192.0.2.7', '2001:db8::1'], hosts
    assert [host['port'] for host in hosts] == [2525, 25, 26], hosts
    assert connections['fwd.example']['order'] == 'by-turns'
    assert connections['#dns.example']['action'] == 'dns'
    assert connections['#dns.example']['tls'] == 'verified'
    assert connections['fwd.example']['tls'] == ''
    prompt.good('connections', 'edit', '#dns.example', '--comment=kept')
    assert rows_of(prompt, 'connections')['#dns.example']['tls'] == 'verified'
    prompt.good('connections', 'edit', '#dns.example', '--tls=')
    assert rows_of(prompt, 'connections')['#dns.example']['tls'] == ''
    assert connections['fwd.example']['queue_for_etrn'] == 'no' and 'queue_for_etrn' not in routing['test.com']
    prompt.good('connections', 'edit', 'fwd.example', '--queue-for-etrn=yes')
    prompt.good('connections', 'edit', 'fwd.example', '--comment=')
    assert rows_of(prompt, 'connections')['fwd.example']['queue_for_etrn'] == 'yes'
    prompt.good('connections', 'edit', 'fwd.example', '--certificate=/etc/reroute/we.pem ')
    assert rows_of(prompt, 'connections')['fwd.example']['certificate'] == '/etc/reroute/we.pem'
    prompt.refused('connections', 'edit', 'fwd.example', '--certificate=we.pem',
                   says='“we.pem” is no full file name. Write it from the first “/” on')
    prompt.refused('connections', 'edit', 'fwd.example', '--tls=none', says='the entry never uses TLS')
    prompt.good('connections', 'edit', 'fwd.example', '--certificate=')
    assert rows_of(prompt, 'connections')['fwd.example']['certificate'] == ''
    prompt.good('connections', 'edit', 'fwd.example', '--queue-for-etrn=no')
    assert rows_of(prompt, 'connections')['fwd.example']['queue_for_etrn'] == 'no'
    assert routing['test.com']['leaves'] == connections['fwd.example']['leaves'] == 'no'
    prompt.good('routing', 'edit', 'test.com', '--leaves=yes')
    prompt.good('routing', 'edit', 'test.com', '--comment=renamed, 2026')
    assert rows_of(prompt, 'routing')['test.com']['leaves'] == 'yes'
    assert rows_of(prompt, 'routing')['test.com']['recipient_check'] == 'none'
    prompt.good('routing', 'edit', 'test.com', '--leaves=no', '--recipient-check=call-ahead')
    assert rows_of(prompt, 'routing')['test.com']['recipient_check'] == 'call-ahead'
    assert rows_of(prompt, 'routing')['test.com']['leaves'] == 'no'


def test_recipients_of_a_list(prompt):
    def addresses(*domain):
        return [row['address'] for row in prompt.data('recipients', 'list', *domain)]
    prompt.good('routing', 'edit', 'test.com', '--recipient-check=list')
    assert prompt.good('recipients', 'add', 'test.com', 'Anna', 'bob@sub.test.com', 'anna@test.com') \
        == '2 added, 0 removed\n'
    unasked = prompt.run('recipients', 'add', 'nottest.com', 'carl@nottest.com').stderr
    assert 'no entry asks this list yet: “reroutectl connections edit nottest.com' in unasked, unasked
    assert not prompt.run('recipients', 'add', 'sub.test.com', 'bob@sub.test.com').stderr
    assert addresses('#test.com') == ['anna@test.com', 'bob@sub.test.com']
    assert addresses() == ['anna@test.com', 'bob@sub.test.com', 'carl@nottest.com']
    assert prompt.good('recipients', 'list', 'nottest.com').split() == ['ADDRESS', 'COMMENT', 'carl@nottest.com']
    prompt.refused('recipients', 'add', 'test.com', 'x', 'carl@nottest.com', says='is not of “test.com”')
    prompt.refused('recipients', 'remove', 'test.com', 'nobody', says='“nobody@test.com” is not on the list')
    assert addresses('test.com') == ['anna@test.com', 'bob@sub.test.com']
    text = '# ours\n\n Anna \ndora\na b\n'
    prompt.refused('recipients', 'import', 'test.com', '-', stdin=text, says=['-:5: ', 'nothing was changed: 1 line of'])
    assert prompt.good('recipients', 'import', 'test.com', '-', stdin=text[:-4]) == '1 added, 0 removed\n'
    prompt.good('recipients', 'import', '--replace', 'test.com', '-', stdin='\ufeffdora\r\n')
    assert addresses() == ['carl@nottest.com', 'dora@test.com']
    exported = prompt.good('export')
    assert 'recipients,dora@test.com,,' in exported, exported
    prompt.good('recipients', 'remove', 'test.com', 'DORA@test.com')
    prompt.good('import', '--replace', '-', stdin=exported)
    assert addresses() == ['carl@nottest.com', 'dora@test.com']
    assert prompt.data('history')[0]['summary'] == 'Recipients: dora@test.com added'
    prompt.good('recipients', 'remove', 'nottest.com', 'carl')
    prompt.good('recipients', 'remove', 'test.com', 'dora')
    prompt.good('routing', 'edit', 'test.com', '--recipient-check=call-ahead')


def test_input_that_breaks_off_changes_nothing(prompt):
    """An error of standard input is not its end: with --replace that would remove the whole list."""
    prompt.good('routing', 'add', 'kept.test', '--reroute-to=example.com', '--accept-from=permitted')
    prompt.good('recipients', 'import', 'kept.test', '-', stdin='anna\nbert\n')
    before = prompt.serial()
    for command in (['recipients', 'import', '--replace', 'kept.test', '-'], ['import', '--replace', '-']):
        folder = os.open(prompt.place.path, os.O_RDONLY)
        result = subprocess.run([CTL, f'--bus={prompt.bus.address}', *command], stdin=folder, text=True,
                                capture_output=True, check=False, env=daemon_environment())
        os.close(folder)
        assert result.returncode == 1 and 'cannot read “-”: ' in result.stderr, result
    assert prompt.serial() == before
    prompt.good('recipients', 'remove', 'kept.test', 'anna', 'bert')
    prompt.good('routing', 'remove', 'kept.test')


def test_table_shows_rows(prompt):
    lines = prompt.good('routing', 'list', 'test.com').splitlines()
    assert lines[0].split()[:2] == ['DOMAIN', 'ACTION'], lines
    assert len(lines) == 2 and lines[1].startswith('test.com '), lines


def test_edit_changes_what_is_said_and_keeps_the_rest(prompt):
    before = rows_of(prompt, 'routing')['test.com']
    prompt.good('routing', 'edit', 'test.com', '--reroute-to=[192.0.2.10]', '--off')
    after = rows_of(prompt, 'routing')['test.com']
    assert after['id'] == before['id'] and after['comment'] == before['comment']
    assert after['target'] == '[192.0.2.10]' and after['enabled'] == 'no'
    prompt.good('connections', 'edit', 'fwd.example', '--comment=second thoughts')
    kept = rows_of(prompt, 'connections')['fwd.example']
    assert len(kept['hosts']) == 3 and kept['order'] == 'by-turns'
    prompt.good('connections', 'edit', 'fwd.example', '--host=mx1.example.net:2525,192.0.2.7')
    assert rows_of(prompt, 'connections')['fwd.example']['order'] == 'by-turns'
    for option in ('in-order', 'by-turns'):
        prompt.good('connections', 'edit', 'fwd.example', f'--{option}')
        changed = rows_of(prompt, 'connections')['fwd.example']
        assert changed['order'] == option and len(changed['hosts']) == 2, changed
    prompt.refused('connections', 'edit', 'fwd.example', '--in-order', '--by-turns', says='exclude each other', status=2)
    prompt.refused('connections', 'edit', '#dns.example', '--by-turns', says='speak of hosts', status=2)
    prompt.good('routing', 'edit', 'test.com', '--reroute-to=example.com', '--on')


def test_a_pasted_domain_is_taken_everywhere(prompt):
    """Not by “add” alone."""
    for label, name in (('pasted.test', '*@pasted.test'), ('#pasted.test', '#@pasted.test')):
        prompt.good('routing', 'add', name, '--relay')
        prompt.good('routing', 'edit', name, '--comment=pasted')
        assert rows_of(prompt, 'routing')[label]['comment'] == 'pasted'
        prompt.good('recipients', 'add', name, 'anna')
        prompt.good('recipients', 'remove', name, 'anna')
        prompt.good('routing', 'remove', name)
        assert label not in rows_of(prompt, 'routing')


def test_bad_input_is_named(prompt):
    serial = prompt.serial()
    add = ('routing', 'add')
    prompt.refused(*add, 'a..b', '--reroute-to=example.com', says=['a..b', 'empty'])
    prompt.refused(*add, 'x' * 250 + '.test', '--reroute-to=example.com', says='253')
    prompt.refused(*add, '*', '--reroute-to=example.com', says=['*', 'subdomains'])
    prompt.refused(*add, '*.test', '--reroute-to=example.com', says='subdomains')
    prompt.refused(*add, 'user@test.com', '--reroute-to=example.com', says='user@test.com')
    prompt.refused(*add, 'ok.test', '--reroute-to=mail.example.com:25', says='mail.example.com:25')
    prompt.refused('connections', 'add', 'ok.test', '--host=h.example:99999', says=['99999', '65535'])
    prompt.refused('connections', 'add', 'ok.test', '--host=h.example:0', says=['0', '65535'])
    prompt.refused('connections', 'add', 'ok.test', '--host=user@h.example', says='user@h.example')
    for words in (('connections', 'add', 'ok.test', '--host=mx:h.example:26'), ('settings', 'set', 'default-delivery', 'mx:h.example:26'),
                  ('connections', 'add', 'ok.test', '--mx', '--host=h.example:26'), ('settings', 'set', 'inbound-host', 'mx:h.example:26')):
        prompt.refused(*words, says=['h.example:26” has a port', 'An MX is always reached at port 25: leave the port out'])
    prompt.refused('settings', 'set', 'message-timeout', 'soon', says=['message-timeout', 's, m, h or d'])
    prompt.refused('settings', 'set', 'no-such-key', '1', says='no-such-key')
    assert prompt.serial() == serial


def test_contradictions_are_refused(prompt):
    serial = prompt.serial()
    prompt.refused('routing', 'add', 'self.test', '--reroute-to=self.test', says='self.test')
    prompt.refused('routing', 'add', 'test.com', '--reroute-to=other.example', says='test.com')
    prompt.good('routing', 'add', 'a.test', '--reroute-to=b.test')
    prompt.refused('routing', 'add', 'b.test', '--reroute-to=a.test',
                   says=['->', 'a.test', 'b.test'])
    assert prompt.serial() == serial + 1


def test_anyone_is_asked_for_what_is_not_ours(prompt):
    prompt.refused('connections', 'add', 'co.uk', '--host=mail.example.net',
                   says='--accept-from=anyone')
    prompt.good('connections', 'add', 'co.uk', '--host=mail.example.net', '--accept-from=anyone')
    prompt.good('connections', 'add', 'localnet', '--host=mail.example.net',
                '--accept-from=permitted')
    assert rows_of(prompt, 'connections')['localnet']['accept_from'] == 'permitted'


def test_usage_errors_end_with_2(prompt):
    for words in (('routing',), ('routing', 'add', 'x.test'), ('nonsense',), ('explain',),
                  ('routing', 'add', 'x.test', '--inbound', '--relay'), ('queue', 'retry'),
                  ('connections', 'add', 'x.test', '--dns', '--host=h.example'),
                  ('routing', 'list', '--no-such-option')):
        assert prompt.run(*words).returncode == 2, words


def test_settings_have_defaults_and_come_back_to_them(prompt):
    assert prompt.good('settings', 'get', 'message-timeout').strip() == '5d'
    prompt.good('settings', 'set', 'message-timeout', '36h')
    assert prompt.good('settings', 'get', 'message-timeout').strip() == '36h'
    prompt.good('settings', 'set', 'message-timeout')
    assert prompt.good('settings', 'get', 'message-timeout').strip() == '5d'
    table = {line['key']: line for line in prompt.data('settings', 'list')}
    assert table['retry-intervals']['default'] == '1m,5m,10m,20m,30m,1h'


def test_explain_without_the_relay(prompt):
    answer = prompt.data('explain', 'user@test.com')
    assert answer['action'] == 'rewrite' and answer['rcpt_out'] == 'user@example.com', answer
    answer = prompt.data('explain', 'user@fwd.example')
    assert answer['action'] == 'forward' and answer['next_hop'] == 'mx1.example.net', answer
    answer = prompt.data('explain', 'user@elsewhere.example', '--from=198.51.100.7')
    assert answer['action'] == 'reject' and answer['reply'].startswith('550 5.7.1'), answer
    prompt.refused('explain', 'user@test.com', '--from=nobody', says='nobody')
    for words in (('--', 'user@test.com'), ('--', '-u@test.com'), ('--from=192.0.2.7', '--', '--u@test.com')):
        assert prompt.data('explain', *words)['recipient'] == words[-1], words


def test_explain_of_a_client_that_may_not_connect(prompt):
    prompt.good('settings', 'set', 'permitted-hosts', '203.0.113.9')
    prompt.good('settings', 'set', 'forbidden-hosts', '203.0.113.0/24')
    answer = prompt.data('explain', 'user@test.com', '--from=203.0.113.9')
    assert answer['action'] == 'reject' and answer['reply'] == '554 5.7.1 access denied', answer
    assert [step['code'] for step in answer['steps']] == ['client-forbidden', 'refused'], answer
    assert prompt.data('explain', 'user@test.com', '--from=198.51.100.7')['action'] == 'rewrite'
    assert prompt.data('explain', 'user@test.com')['action'] == 'rewrite'
    prompt.good('settings', 'set', 'forbidden-hosts')
    prompt.good('settings', 'set', 'permitted-hosts')


def test_check_speaks_of_the_saved_rules(prompt):
    codes = [finding['code'] for finding in prompt.data('check')]
    assert 'loop' not in codes, codes
    prompt.good('connections', 'add', 'test.com', '--host=mail.example.net')
    assert any(code.startswith('never-acts') for code in
               [finding['code'] for finding in prompt.data('check')])


def test_german_reader(prompt):
    def german(*words):
        return prompt.run(*words, language='de')
    help_lines = german('--help').stdout.splitlines()
    assert help_lines[0].startswith('Aufruf: reroutectl '), help_lines
    assert '      einen Eintrag auf der Seite „Routing“ hinzufügen' in help_lines, help_lines
    english = prompt.good('--help').splitlines()
    assert [line for line in english if line.startswith('      ') and line in help_lines] == []
    assert [line for line in english[2:] if not line.startswith('      ')] == \
        [line for line in help_lines[2:] if not line.startswith('      ')]
    heading, row = german('routing', 'list', 'test.com').stdout.splitlines()
    assert heading.split()[:3] == ['DOMÄNE', 'AKTION', 'ZIEL'], heading
    assert row.split()[:4] == ['test.com', 'reroute', 'example.com', 'anyone'], row
    assert heading.index('ZIEL') == row.index('example.com')
    refused = german('routing', 'add', 'a..b', '--inbound')
    assert refused.returncode == 1 and 'einen leeren Teil zwischen zwei Punkten' in refused.stderr, refused
    assert 'schließen einander aus' in german('routing', 'edit', 'test.com', '--on', '--off').stderr
    assert 'Ändern Sie einen dieser Einträge' in german('routing', 'add', 'b.test', '--reroute-to=a.test').stderr
    assert 'es gibt kein Verb „nonsense“' in german('nonsense').stderr
    assert 'E-Mail-Domäne: test.com hinzugefügt' in german('history').stdout
    explained = german('explain', 'user@test.com')
    assert explained.stdout.startswith('1. Der Routing-Eintrag test.com'), explained.stdout
    assert 'das Relay läuft nicht' in explained.stderr, explained.stderr


def test_what_programs_read_is_the_same_in_german(prompt):
    for words in (('status',), ('routing', 'list'), ('connections', 'list'), ('recipients', 'list'),
                  ('settings', 'list'), ('history',), ('check',), ('explain', 'user@test.com')):
        assert prompt.run('--json', *words, language='de').stdout == prompt.good('--json', *words), words
    examined = prompt.run('--json', 'doctor', language='de')
    assert examined.stdout == prompt.run('--json', 'doctor').stdout, examined
    assert 'reroute-relayd is not running' in examined.stdout and 'nicht alles ist' in examined.stderr, examined
    assert any('never acts' in finding['sentence'] for finding in prompt.data('check'))
    assert prompt.run('export', language='de').stdout == prompt.good('export')


def test_any_locale(prompt):
    def typed(*words, locale='C'):
        return subprocess.run([CTL, f'--bus={prompt.bus.address}', *words], capture_output=True, check=False,
                              env=dict(daemon_environment(), LC_ALL=locale))
    done = typed('routing', 'add', 'umlaut.test', '--relay', '--comment=Möbel „neu“')
    assert done.returncode == 0, done
    assert 'Möbel „neu“' in json.dumps(prompt.data('routing', 'list', 'Möbel'), ensure_ascii=False)
    utf8 = typed('--json', 'routing', 'list', locale='C.UTF-8')
    assert 'Möbel'.encode() in utf8.stdout and typed('--json', 'routing', 'list').stdout == utf8.stdout
    for locale in ('C', 'C.UTF-8'):
        for words in ((b'log', b'\xfc'), (b'explain', b'\xfc@test.com'), (b'routing', b'list', b'x\xfc'),
                      (b'routing', b'edit', b'umlaut.test', b'--comment=\xfc'), (b'--bus=\xfc', b'status')):
            refused = typed(*words, locale=locale)
            assert refused.returncode == 2 and b'CRITICAL' not in refused.stderr, refused
            assert '\ufffd'.encode() in refused.stderr and b'is not text in the encoding' in refused.stderr, refused
    name = os.fsencode(prompt.place.join('rows-')) + b'\xfc.csv'
    assert typed('export', name).returncode == typed('import', '--dry-run', name).returncode == 0
    prompt.good('routing', 'remove', 'umlaut.test')


def test_columns_are_as_wide_as_they_are_shown(prompt):
    prompt.good('routing', 'add', 'wide.test', '--reroute-to=メール.example')
    heading, row = prompt.good('routing', 'list', 'wide.test').splitlines()
    # Each of the three takes two cells.
    assert row.index('anyone') + len('メール') == heading.index('ACCEPT FROM'), (heading, row)
    prompt.good('routing', 'remove', 'wide.test')


def without_provenance(rows):
    return [{key: value for key, value in row.items() if key not in ('changed_by', 'changed_us')}
            for row in rows]


def test_history_and_revert(prompt):
    target = prompt.serial()
    before = without_provenance(prompt.data('routing', 'list'))
    prompt.good('routing', 'remove', 'test.com')
    prompt.good('routing', 'remove', '#exact.example')
    newest = prompt.data('history')[0]
    assert newest['serial'] == target + 2 and newest['who'] and newest['n_changes'] == 1, newest
    prompt.good('revert', str(target), '--confirm')
    assert without_provenance(prompt.data('routing', 'list')) == before
    assert prompt.serial() == target + 3
    prompt.refused('revert', '999999', says='999999')
    prompt.refused('revert', 'soon', says='soon')


def test_history_of_long_values(prompt):
    """A summary is no longer than is read, nor is one that an earlier rulesd wrote."""
    hosts = ', '.join(f'10.{n >> 8}.{n & 255}.7' for n in range(7000))
    prompt.good('settings', 'set', 'forbidden-hosts', hosts)
    prompt.good('settings', 'set', 'forbidden-hosts', '')
    newest, long = prompt.data('history')[:2]
    assert newest['summary'] == 'forbidden-hosts set to its default'
    assert long['summary'].startswith('forbidden-hosts set to 10.0.0.7, ') and long['summary'].endswith('…')
    prompt.end_rules()
    with contextlib.closing(sqlite3.connect(prompt.place.join('rules.db'))) as database:
        assert max(len(row[0]) for row in database.execute('SELECT summary FROM generation')) <= 501
        database.execute('UPDATE generation SET summary = ? WHERE serial = ?', (long['summary'] * 20000, long['serial']))
        database.commit()
    assert prompt.data('history')[1] == long


def test_hosts_all_over_the_world_are_confirmed(prompt):
    wide = ('settings', 'set', 'permitted-hosts', '0.0.0.0/0, ::/0')
    prompt.refused(*wide, says=['confirm: Every host of 0.0.0.0/0', 'confirm: Every host of ::/0', 'say --confirm if'])
    assert prompt.good('settings', 'get', 'permitted-hosts').strip() == ''
    prompt.refused('settings', 'set', 'xclient-hosts', '0.0.0.0/0', says='XCLIENT')
    prompt.refused('settings', 'set', 'proxy-hosts', '::/0', says='PROXY')
    prompt.good(*wide, '--confirm')
    prompt.good('settings', 'set', 'permitted-hosts', '0.0.0.0/0, ::/0, 192.0.2.1')
    codes = [finding['code'] for finding in prompt.data('check')]
    assert codes.count('permitted-wide') == 2, codes
    prompt.good('settings', 'set', 'permitted-hosts')


def test_remove_names_what_is_not_there(prompt):
    prompt.refused('routing', 'remove', 'nowhere.test', says=['nowhere.test', 'list'])
    prompt.refused('routing', 'remove', 'exact.example', says='#')
    prompt.refused('connections', 'edit', 'nowhere.test', '--dns', says='nowhere.test')


def comparable(prompt):
    """Every row without what the store adds."""
    return [{key: value for key, value in row.items() if key != 'id'}
            for page in ('routing', 'connections')
            for row in without_provenance(prompt.data(page, 'list'))]


def test_export_and_import_give_the_same_list(prompt):
    text = prompt.good('export')
    rows = comparable(prompt)
    with Place('import') as place:
        other = Prompt(place)
        try:
            assert 'to add' in other.good('import', '--dry-run', '-', stdin=text)
            assert comparable(other) == []
            other.good('import', '-', stdin=text)
            assert comparable(other) == rows
            assert other.good('export') == text
            assert '0 added, 0 updated' in other.good('import', '-', stdin=text)
        finally:
            place.end(other.bus.process)


def test_export_is_whole_or_leaves_what_was_there(prompt):
    path = prompt.place.join('rows.csv')

    def failed(bus, before=None):
        result = subprocess.run([CTL, f'--bus={bus}', 'export', path], text=True, capture_output=True,
                                check=False, env=daemon_environment(), preexec_fn=before)
        assert result.returncode == 1, result
        return result.stderr

    def narrow():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    failed('unix:path=/nonexistent/bus')
    assert not os.path.exists(path)
    prompt.good('export', path)
    with open(path, encoding='utf-8') as stream:
        text = stream.read()
    assert text == prompt.good('export')
    os.chmod(path, 0o640)
    os.symlink(path, path + '.link')
    prompt.good('export', path + '.link')
    assert os.path.islink(path + '.link') and stat.S_IMODE(os.stat(path).st_mode) == 0o640
    failed('unix:path=/nonexistent/bus')
    assert path in failed(prompt.bus.address, narrow)
    with open(path, encoding='utf-8') as stream:
        assert stream.read() == text
    assert not os.path.exists(path + '.part')
    prompt.refused('export', '/dev/full', says=['/dev/full', 'No space left'])
    prompt.refused('export', prompt.place.join('absent/rows.csv'), says='absent/rows.csv')


def test_output_that_is_not_whole(prompt):
    """On a full disk no result looks like one; who reads no further says so by going."""
    command = [CTL, f'--bus={prompt.bus.address}']
    for words in (('status',), ('settings', 'list'), ('--json', 'history'), ('settings', 'get', 'listen'), ('--help',)):
        with open('/dev/full', 'wb') as full:
            result = subprocess.run([*command, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                    env=daemon_environment())
        assert result.returncode == 1 and 'cannot write “-”: No space left on device' in result.stderr, (words, result)
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run([*command, *words], stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
                                env=daemon_environment())
        os.close(writer)
        assert result.returncode in (0, -signal.SIGPIPE) and not result.stderr, (words, result)


def test_import_is_all_or_nothing(prompt):
    serial = prompt.serial()
    header = 'page,domain,match,action,target,accept_from,enabled,comment\n'
    bad = header + ('routing,new.test,exact,reroute,example.com,anyone,yes,\n'
                    'routing,a..b,exact,reroute,example.com,anyone,yes,\n'
                    'routing,c.test,sometimes,reroute,example.com,anyone,yes,\n')
    prompt.refused('import', '-', stdin=bad, says=[':3: ', ':4: ', '2 lines'])
    prompt.refused('import', '-', stdin='page,domain,colour\n', says='colour')
    prompt.refused('import', '-', stdin=header + 'routing,a.\x1b[31m\x9b.test,exact,relay,,,,\n', says='“a.?[31m?.test”')
    prompt.refused('import', prompt.place.join('absent.csv'), says='absent.csv')
    assert prompt.serial() == serial
    good = header + 'routing,test.com,subdomains,reroute,new.example,anyone,yes,imported\n'
    prompt.good('import', '-', stdin=good)
    assert rows_of(prompt, 'routing')['test.com']['target'] == 'new.example'
    prompt.good('import', '--replace', '-', stdin=good)
    assert list(rows_of(prompt, 'routing')) == ['test.com'] and not rows_of(prompt, 'connections')


def test_import_is_asked_for_what_no_row_says(prompt):
    serial = prompt.serial()
    header = 'page,domain,action,target,accept_from\n'
    said = header + 'connections,com,host,smart.example.net,anyone\n'
    for text in (said.replace('anyone', ''), 'page,domain,target\nconnections,com,smart.example.net\n'):
        for options in ([], ['--dry-run']):
            prompt.refused('import', *options, '-', stdin=text,
                           says=['confirm: com ', 'write “anyone” in the column accept_from', '“permitted”'])
    prompt.refused('import', '-', stdin=said + 'connections,net,host,smart.example.net,\n', says='confirm: net ')
    # Two hundred of a kind are listed.
    many = ''.join(f'connections,x{n},dns,,anyone\n' for n in range(201))
    prompt.refused('import', '-', stdin=header + many + 'connections,com,dns,,\n', says='nothing was changed')
    prompt.good('import', '--dry-run', '-', stdin=said)
    assert prompt.serial() == serial
    prompt.good('import', '-', stdin=said + 'connections,ok.example,host,smart.example.net,\n')
    prompt.good('import', '-', stdin=header.replace('accept_from', 'Accept_From') + many)
    assert rows_of(prompt, 'connections')['com']['accept_from'] == 'anyone'


def test_help_of_verbs(prompt):
    assert prompt.good('routing', '--help').split('\n')[0] == '  routing list [TEXT]'
    assert prompt.good('settings', 'set', '-h').startswith('  settings set KEY [VALUE] [--confirm]\n')
    assert 'tls-report' in prompt.good('nonsense', '--help')
    prompt.refused('routing', says='“reroutectl routing --help” lists them', status=2)
    prompt.refused('route', says='there is no verb “route”', status=2)


def test_bus_not_there_says_what_to_do(prompt):
    result = subprocess.run([CTL, '--bus=unix:path=/nonexistent/bus', 'status'], text=True,
                            capture_output=True, check=False, env=daemon_environment())
    assert result.returncode == 1 and len(result.stderr.strip().splitlines()) == 1, result.stderr
    prompt.refused('queue', 'list', says='relay')


CASES = [
    test_add_lists_what_was_added, test_recipients_of_a_list,
    test_input_that_breaks_off_changes_nothing, test_table_shows_rows,
    test_edit_changes_what_is_said_and_keeps_the_rest, test_a_pasted_domain_is_taken_everywhere, test_bad_input_is_named,
    test_contradictions_are_refused, test_anyone_is_asked_for_what_is_not_ours,
    test_usage_errors_end_with_2, test_settings_have_defaults_and_come_back_to_them,
    test_explain_without_the_relay, test_explain_of_a_client_that_may_not_connect,
    test_check_speaks_of_the_saved_rules,
    test_german_reader, test_what_programs_read_is_the_same_in_german,
    test_any_locale, test_columns_are_as_wide_as_they_are_shown, test_history_and_revert,
    test_history_of_long_values, test_hosts_all_over_the_world_are_confirmed,
    test_remove_names_what_is_not_there,
    test_export_and_import_give_the_same_list,
    test_export_is_whole_or_leaves_what_was_there, test_output_that_is_not_whole, test_import_is_all_or_nothing,
    test_import_is_asked_for_what_no_row_says,
    test_help_of_verbs,
    test_bus_not_there_says_what_to_do,
]


if __name__ == '__main__':
    run_at_prompt('reroutectl', CASES)
