#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl backup and restore against a real reroute-rulesd: round trips, damaged files, full disks."""

import contextlib
import glob
import hashlib
import os
import pty
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import threading

from prompt import TESTS, Prompt, rows_of, run_at_prompt    # which finds the other folders
from place import BUILD, Place, poll
from support import CTL, daemon_environment

SUM_LINE = len('\nsha256 ') + 64 + 1


@contextlib.contextmanager
def another_machine(name):
    with Place(name) as place:
        prompt = Prompt(place)
        try:
            yield prompt
        finally:
            place.end(prompt.bus.process)


def everything(prompt):
    """Rows with ids and who changed them, settings, history."""
    return [prompt.data(page, 'list') for page in ('routing', 'connections', 'recipients')] \
        + [prompt.data('settings', 'list'), prompt.data('history')]


def content(prompt):
    """What acts, without ids and without who changed it."""
    return prompt.good('export'), prompt.data('settings', 'list')


def fill(prompt):
    prompt.good('routing', 'add', 'test.com', '--reroute-to=example.com', '--comment=as it was said: “ja”')
    prompt.good('routing', 'add', 'gone.example', '--relay')
    prompt.good('routing', 'add', '#exact.example', '--relay', '--leaves=yes', '--recipient-check=list')
    prompt.good('connections', 'add', 'fwd.example', '--host=mx1.example.net:2525,[2001:db8::1]:26', '--by-turns',
                '--tls=verified', '--account=smart')
    prompt.good('recipients', 'add', 'exact.example', 'anna', 'berta')
    prompt.good('routing', 'remove', 'gone.example')
    prompt.good('settings', 'set', 'message-timeout', '36h')


def backup(prompt, name='rules.backup'):
    path = prompt.place.join(name)
    prompt.good('backup', '--force', path)
    return path


def left_behind(prompt):
    """Files that neither the database nor its writer is."""
    return [path for path in glob.glob(prompt.place.join('rules.db*'))
            if os.path.basename(path) not in ('rules.db', 'rules.db-wal', 'rules.db-shm', 'rules.db-lock')]


def dump(prompt):
    connection = sqlite3.connect(f'file:{prompt.place.join("rules.db")}?mode=ro', uri=True)
    lines = list(connection.iterdump())
    connection.close()
    return lines


def untouched(prompt, *command, says):
    """The command is refused, and nothing has changed."""
    before = dump(prompt)
    prompt.refused(*command, says=says)
    assert dump(prompt) == before
    poll('the copy to go with who sent it', lambda: not left_behind(prompt))


def database_of(path):
    with open(path, 'rb') as stream:
        octets = stream.read()
    offset = octets.index(b'\n\n') + 2
    return octets[offset:-SUM_LINE]


def wrap(path, database, host=b'here.test'):
    """A backup with @database in it, whole as far as the sums go."""
    text = (b'Reroute backup 1\nprogram 1\nhost %s\ngeneration 1\ntaken 2026-11-26T13:00:00Z\n'
            b'a line of later\noctets %d\n\n' % (host, len(database))) + database
    with open(path, 'wb') as stream:
        stream.write(text + b'\nsha256 ' + hashlib.sha256(text).hexdigest().encode() + b'\n')
    return path


def edited(prompt, name, *statements):
    """A backup of @prompt's rules, changed by @statements."""
    database = prompt.place.join(f'{name}.db')
    with open(database, 'wb') as stream:
        stream.write(database_of(prompt.taken))
    connection = sqlite3.connect(database)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    with open(database, 'rb') as stream:
        return wrap(prompt.place.join(f'{name}.backup'), stream.read())


# --- taking ---

def test_backup_is_a_file_of_its_own(prompt):
    path = prompt.taken = prompt.place.join('first.backup')
    said = prompt.good('backup', path)
    assert said == f'generation 7 of {os.uname().nodename}, 5 rows, is in “{path}”\n', said
    assert os.stat(path).st_mode & 0o777 == 0o600
    with open(path, 'rb') as stream:
        head = stream.read(400).split(b'\n\n')[0].decode().splitlines()
    assert head[0] == 'Reroute backup 1' and 'generation 7' in head, head
    assert not os.path.exists(path + '.part')
    poll('the copy to go with who fetched it', lambda: not left_behind(prompt))
    before = os.stat(path).st_ino
    prompt.refused('backup', path, says=['is there already', '--force', path])
    assert os.stat(path).st_ino == before
    fifo = prompt.place.join('fifo')
    os.mkfifo(fifo)
    prompt.refused('backup', '--force', fifo, says=[fifo, 'File exists'])
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)
    with open(path + '.part', 'w', encoding='utf-8') as stream:
        stream.write('of one that broke off\n' * 100000)
    os.chmod(path + '.part', 0o644)
    assert prompt.data('backup', '--force', path)['serial'] == 7
    assert not os.path.exists(path + '.part') and stat.S_IMODE(os.stat(path).st_mode) == 0o600
    prompt.good('restore', '--dry-run', path)


def test_backup_through_a_pipe(prompt):
    command = [CTL, f'--bus={prompt.bus.address}', 'backup', '-']
    whole = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=daemon_environment()).stdout
    path = prompt.place.join('piped.backup')
    with open(path, 'wb') as stream:
        stream.write(whole)
    assert '0 rows to add, 0 to update, 0 to remove' in prompt.good('restore', '--dry-run', path)
    with open('/dev/full', 'wb') as full:
        failed = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
                                env=daemon_environment())
    assert failed.returncode == 1 and 'No space left' in failed.stderr, failed
    master, slave = pty.openpty()
    failed = subprocess.run(command, stdout=slave, stderr=subprocess.PIPE, text=True, check=False,
                            env=daemon_environment())
    os.close(master)
    os.close(slave)
    assert failed.returncode == 1 and 'not for a terminal' in failed.stderr, failed


def test_full_disk_leaves_the_old_backup(prompt):
    path = backup(prompt)
    with open(path, 'rb') as stream:
        before = stream.read()

    def narrow():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))
    failed = subprocess.run([CTL, f'--bus={prompt.bus.address}', 'backup', '--force', path], text=True,
                            capture_output=True, check=False, preexec_fn=narrow, env=daemon_environment())
    assert failed.returncode == 1 and path in failed.stderr and 'File too large' in failed.stderr, failed
    with open(path, 'rb') as stream:
        assert stream.read() == before
    assert not os.path.exists(path + '.part')


def test_backup_while_rules_change(prompt):
    """Two rows are always added in one change: a backup has both or none, and each has its history."""
    ended = threading.Event()
    failures = []

    def change():
        header = 'page,domain,match,action\n'
        n = 0
        while not ended.is_set():
            n += 1
            done = prompt.run('import', '-', stdin=header + ''.join(
                f'routing,{side}{n}.test,subdomains,relay\n' for side in 'ab'))
            if done.returncode != 0:
                failures.append(done.stderr)
    thread = threading.Thread(target=change)
    thread.start()
    serials = []
    try:
        for _ in range(8):
            database = prompt.place.join('taken.db')
            with open(database, 'wb') as stream:
                stream.write(database_of(backup(prompt)))
            connection = sqlite3.connect(database)
            domains = {row[0] for row in connection.execute('SELECT domain FROM routing')}
            for domain in domains:
                assert domain[0] not in 'ab' or {'a' + domain[1:], 'b' + domain[1:]} <= domains, domains
            serials.append(connection.execute('SELECT serial FROM state').fetchone()[0])
            assert connection.execute('SELECT max(serial), count(*) FROM generation').fetchone() \
                == (serials[-1], serials[-1])
            connection.close()
    finally:
        ended.set()
        thread.join()
    assert not failures, failures
    assert serials == sorted(serials) and serials[0] < serials[-1], serials


# --- restoring ---

def test_to_another_machine(prompt):
    path = prompt.taken
    there = everything(prompt)
    with another_machine('moved') as other:
        assert 'the history comes along' in other.good('restore', '--dry-run', path)
        assert other.serial() == 0
        said = other.good('restore', '--yes', path)
        assert said.endswith(f'generation {prompt.serial() + 1} is in force\n'), said
        here = everything(other)
        assert here[:4] == there[:4], 'ids and who changed what come along'
        newest, *older = here[4]
        assert older == there[4]
        assert newest['serial'] == prompt.serial() + 1 and newest['n_changes'] == 0, newest
        assert newest['summary'] == f'Restored a backup of generation {prompt.serial()}', newest
        poll('the copy to go', lambda: not left_behind(other))
        other.good('revert', '4', '--confirm')
        assert 'gone.example' in rows_of(other, 'routing') and not other.data('recipients', 'list')
        other.good('routing', 'add', 'new.example', '--relay')
        newest = max(row['id'] for page in there[:3] for row in page)
        assert rows_of(other, 'routing')['new.example']['id'] > newest, 'ids are never used again'


def test_over_rules_that_are_there(prompt):
    path = prompt.taken
    with another_machine('used') as other:
        other.good('routing', 'add', 'test.com', '--relay')
        other.good('routing', 'add', 'ours.example', '--relay')
        other.good('settings', 'set', 'retry-intervals', '1m')
        before = content(other)
        kept = rows_of(other, 'routing')['test.com']['id']
        said = other.good('restore', '--dry-run', path)
        assert 'it holds 2 Routing entries, 1 E-Mail Domain entry, 2 recipients\n' in said, said
        assert '4 rows to add, 1 to update, 1 to remove, 2 settings to set' in said, said
        assert other.serial() == 3
        untouched(other, 'restore', path, says=['--yes', path])
        said = other.good('restore', '--yes', path)
        assert said.endswith('generation 4 is in force; “reroutectl revert 3” leads back\n'), said
        assert content(other) == content(prompt)
        assert rows_of(other, 'routing')['test.com']['id'] == kept
        history = other.data('history')
        assert [generation['serial'] for generation in history] == [4, 3, 2, 1]
        assert history[0]['summary'] == f'Restored a backup of generation {prompt.serial()}' and history[0]['who']
        assert other.good('restore', '--yes', path).endswith('generation 4 is in force\n'), 'nothing to change'
        assert other.data('restore', '--yes', path)['serial'] == 4
        other.good('revert', '3', '--confirm')
        assert content(other) == before


def test_answers_at_a_terminal(prompt):
    path = prompt.taken
    with another_machine('asked') as other:
        other.good('routing', 'add', 'ours.example', '--relay')
        for answer, language, status, serial, *words in (
                ('no', 'C', 1, 1), ('', 'C', 1, 1), ('no', 'C', 1, 1, '--json'), ('yes', 'C', 0, 2),
                ('nein', 'de', 1, 3), ('ja', 'de', 0, 4)):
            master, slave = pty.openpty()
            os.write(master, answer.encode() + b'\n')
            environment = dict(daemon_environment(), LANGUAGE=language, REROUTE_LOCALE_DIR=os.path.join(BUILD, 'po'))
            done = subprocess.run([CTL, f'--bus={other.bus.address}', *words, 'restore', path], stdin=slave, text=True,
                                  capture_output=True, check=False, env=environment)
            os.close(master)
            os.close(slave)
            assert done.returncode == status, done
            assert 'to remove' in (done.stderr if words else done.stdout) or language == 'de', done
            assert ('(ja/nein)' if language == 'de' else '(yes/no)') in done.stderr, done
            assert other.serial() == serial, (answer, done)
            if serial == 2:
                other.good('routing', 'add', 'ours.example', '--relay')


def test_what_was_confirmed_is_asked_once(prompt):
    with another_machine('anyone') as first, another_machine('asks') as other:
        first.good('connections', 'add', 'co.uk', '--host=mail.example.net', '--accept-from=anyone')
        path = backup(first)
        assert 'confirm: ' in other.run('restore', '--dry-run', path).stderr
        other.good('restore', '--yes', path)
        assert content(other) == content(first)
    assert prompt.serial() > 0


def test_older_databases(prompt):
    for path in sorted(glob.glob(os.path.join(TESTS, 'data', 'schema-*.db'))):
        with another_machine('older') as other, open(path, 'rb') as stream:
            wrapped = wrap(other.place.join('older.backup'), stream.read())
            other.good('restore', '--yes', wrapped)
            assert 'test.com' in rows_of(other, 'routing'), path
            restored = content(other)
            other.good('revert', str(other.data('history')[-1]['serial']), '--confirm')
            assert content(other) != restored, path
            # The database file itself, as it lies on a disk.
            other.good('restore', '--yes', path)
            assert content(other) == restored, path
    assert prompt.serial() > 0


def test_a_database_with_a_log_beside_it(prompt):
    """As a crashed rulesd leaves it: its newest generation stands in the log alone."""
    with another_machine('crashed') as crashed:
        crashed.good('routing', 'add', 'newest.example', '--relay')
        database = shutil.copy(crashed.place.join('rules.db'), prompt.place.join('crashed.db'))
        shutil.copy(crashed.place.join('rules.db-wal'), database + '-wal')
    with another_machine('after-crash') as other:
        assert other.serial() == 0
        untouched(other, 'restore', '--yes', database,
                  says=[database, 'nothing was changed: “sqlite3 ', f'takes them over from “{database}-wal”'])
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        other.good('restore', '--yes', database)
        assert 'newest.example' in rows_of(other, 'routing')


# --- what is no backup ---

def damage(path, name, change):
    with open(path, 'rb') as stream:
        octets = bytearray(stream.read())
    damaged = os.path.join(os.path.dirname(path), f'{name}.backup')
    with open(damaged, 'wb') as stream:
        stream.write(change(octets))
    return damaged


def flip(at):
    def change(octets):
        octets[at if at >= 0 else len(octets) + at] ^= 0x01
        return octets
    return change


def test_damaged_files(prompt):
    path = prompt.taken
    size = os.path.getsize(path)
    for name, change in (('empty', lambda octets: b''), ('cut', lambda octets: octets[:size // 2]),
                         ('header-alone', lambda octets: octets[:60]), ('one-short', lambda octets: octets[:-1]),
                         ('one-more', lambda octets: octets + b'\n'), ('host', flip(34)), ('database', flip(size // 2)),
                         ('sum', flip(-5)), ('text', lambda octets: b'Dear Anna,\n' * 100),
                         ('short-text', lambda octets: b'x')):
        damaged = damage(path, name, change)
        says = ['is not a backup of Reroute', 'that “reroutectl backup” wrote'] \
            if name in ('empty', 'text', 'short-text') else ['is damaged or was cut off', 'take another backup']
        untouched(prompt, 'restore', '--yes', damaged, says=[damaged, 'nothing was changed', *says])
    newer = damage(path, 'newer-format', lambda octets: octets.replace(b'Reroute backup 1\n', b'Reroute backup 2\n'))
    untouched(prompt, 'restore', '--yes', newer, says=[newer, 'newer Reroute'])
    terminal = wrap(prompt.place.join('terminal.backup'), database_of(path), host=b'here\xc2\x9b2J')
    untouched(prompt, 'restore', '--yes', terminal, says=[terminal, 'is damaged or was cut off'])
    for name in ('absent.backup', '.'):
        untouched(prompt, 'restore', prompt.place.join(name), says=['cannot read', prompt.place.join(name)])


def test_databases_that_are_not_ours(prompt):
    foreign = prompt.place.join('foreign.db')
    connection = sqlite3.connect(foreign)
    connection.execute('CREATE TABLE letters (text TEXT)')
    connection.commit()
    connection.close()
    untouched(prompt, 'restore', '--yes', foreign, says=[foreign, 'is not a database of Reroute'])
    with open(foreign, 'rb') as stream:
        foreign = wrap(prompt.place.join('foreign.backup'), stream.read())
    untouched(prompt, 'restore', '--yes', foreign, says=[foreign, 'is not a database of Reroute'])
    text = wrap(prompt.place.join('text.backup'), b'Dear Anna,\n' * 1000)
    untouched(prompt, 'restore', '--yes', text, says=[text, 'is not a database'])
    short = wrap(prompt.place.join('short.backup'), database_of(prompt.taken)[:8192])
    untouched(prompt, 'restore', '--yes', short, says=[short, 'restore another one'])
    page = bytearray(database_of(prompt.taken))
    page[4096:8192] = b'x' * 4096
    page = wrap(prompt.place.join('page.backup'), bytes(page))
    untouched(prompt, 'restore', '--yes', page, says=[page, 'is damaged'])


BAD_CONTENT = (
    ('newer', 'install the newer one', 'PRAGMA user_version = 99'),
    ('action', 'cannot be understood', "UPDATE routing SET action = 'teleport'"),
    ('domain', 'cannot be understood', "UPDATE routing SET domain = 'a..b' WHERE id = 1"),
    ('comment', 'cannot be understood', "UPDATE routing SET comment = CAST(x'fffe' AS TEXT)"),
    ('id', 'counts', 'UPDATE routing SET id = -1 WHERE id = 1'),
    ('setting', 'cannot be understood', "UPDATE setting SET value = 'soon' WHERE key = 'message-timeout'"),
    ('no-state', 'does not say', 'DELETE FROM state'),
    ('serial', 'counts', 'UPDATE state SET serial = -2'),
    ('next-id', 'counts', 'UPDATE state SET next_row_id = 1'),
    ('trigger', 'tables of Reroute', 'CREATE TRIGGER t AFTER DELETE ON routing BEGIN DELETE FROM state; END'),
    ('view', 'tables of Reroute', 'CREATE VIEW v AS SELECT * FROM routing'),
    ('column', 'tables of Reroute', 'ALTER TABLE routing ADD COLUMN more TEXT'),
    ('table', 'tables of Reroute', 'DROP TABLE change'),
)


def test_content_that_is_refused(prompt):
    for name, says, statement in BAD_CONTENT:
        path = edited(prompt, name, statement)
        untouched(prompt, 'restore', '--yes', path, says=[path, says])
    loop = edited(prompt, 'loop', "UPDATE routing SET domain = 'example.com', target = 'test.com' "
                  "WHERE domain LIKE 'exact%'", "UPDATE routing SET action = 'reroute' WHERE target = 'test.com'")
    untouched(prompt, 'restore', '--yes', loop, says=['->', loop, 'nothing was changed'])


BAD_HISTORY = (
    ('image', 'history cannot be understood', "UPDATE change SET after = x'00' WHERE serial = 1"),
    ('row', 'contradicts itself', 'UPDATE change SET row_id = 4711 WHERE serial = 1'),
    ('both', 'contradicts itself', 'UPDATE change SET after = NULL WHERE serial = 1'),
    ('count', 'counts its changes', 'UPDATE generation SET n_changes = 7 WHERE serial = 1'),
    ('who', 'cannot be understood', "UPDATE generation SET who = CAST(x'ff' AS TEXT)"),
)


def test_history_that_is_refused(prompt):
    """Only where it would come along."""
    with another_machine('history') as other:
        assert other.serial() == 0
        for name, says, statement in BAD_HISTORY:
            path = edited(prompt, 'history-' + name, statement)
            untouched(other, 'restore', '--yes', path, says=[path, says])
        other.good('routing', 'add', 'ours.example', '--relay')
        other.good('restore', '--yes', path)
        assert content(other) == content(prompt)


CASES = [
    test_backup_is_a_file_of_its_own, test_backup_through_a_pipe, test_full_disk_leaves_the_old_backup,
    test_to_another_machine, test_over_rules_that_are_there, test_answers_at_a_terminal,
    test_what_was_confirmed_is_asked_once, test_older_databases, test_a_database_with_a_log_beside_it, test_damaged_files,
    test_databases_that_are_not_ours, test_content_that_is_refused, test_history_that_is_refused,
    test_backup_while_rules_change,
]


if __name__ == '__main__':
    run_at_prompt('backup', CASES, fill)
