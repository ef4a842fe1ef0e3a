#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""State that a daemon cannot use: it names the file and what to do, ends with 1, and leaves all as it was.

Where a unit was changed, the daemon is another user, or may not write there; /var may be full.
"""

import glob
import os
import sqlite3
import subprocess

from place import ROOT, Place
from support import RELAYD, RULESD, daemon_environment
from tap import Skip, Tap

NOBODY = 65534
PAGE_OCTETS = 4096
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
# The folder is a file system that has one file, $1, and no room; 99: the file has changed.
FULL = '''mount -t tmpfs -o size=2m,mode=700 none "$0" || exit 98
saved=$1; shift
[ ! -s "$saved" ] || cp "$saved" "$0/rules.db"
cat /dev/zero >"$0/filler" 2>/dev/null
"$@"; status=$?
[ ! -s "$saved" ] || cmp "$saved" "$0/rules.db" || exit 99
exit $status'''
GOOD_COPY = ('is left as it is', 'put a good copy in its place', 'reroutectl restore')
UNIT = ('StateDirectory=', 'ReadWritePaths=')


def newest_database():
    with open(max(glob.glob(os.path.join(ROOT, 'tests', 'data', 'schema-*.db'))), 'rb') as stream:
        return stream.read()


def put(place, name, octets):
    path = os.path.join(place.folder(name, mode=0o700), 'rules.db')
    with open(path, 'wb') as stream:
        stream.write(octets)
    return path


def contents(folder):
    """{name: octets} of the files that were there."""
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), 'rb') as stream:
            found[name] = stream.read()
    return found


class State:
    """A daemon that is to be started with a folder of its own; there is no bus, which it comes to last."""

    def __init__(self, place, program, option):
        self.place, self.program, self.option = place, program, option

    def refuses(self, path, *says, wrapper=()):
        command = [*wrapper, self.program, f'--bus=unix:path={self.place.join("nowhere")}', f'--{self.option}={path}']
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                              env=daemon_environment())
        assert done.returncode == 1, done
        for text in (path, *says):
            assert text in done.stderr, f'“{text}” is not in “{done.stderr}”'


def in_namespace(script, folder, *words):
    """What runs a command in a file system as @script makes it at @folder."""
    wrapper = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, folder, *words]
    if subprocess.run([*wrapper, 'true'], capture_output=True, check=False).returncode != 0:
        raise Skip('no file system can be mounted here')
    return wrapper


def without_rights(folder):
    """What runs a command that may write no more in @folder than any user."""
    if os.getuid() != 0:
        raise Skip('not root: a folder cannot be given to somebody else')
    os.chown(folder, NOBODY, NOBODY)
    os.chmod(folder, 0o755)
    return ['setpriv', '--inh-caps=-all', '--bounding-set=-all']


def test_files_that_are_no_rules(rulesd, _):
    whole = newest_database()
    damaged = bytearray(whole)
    damaged[PAGE_OCTETS:2 * PAGE_OCTETS] = b'x' * PAGE_OCTETS
    for name, octets, says in (('damaged', damaged, 'is damaged'), ('text', b'Dear Anna,\n' * 100, 'is not a database'),
                               ('cut', whole[:PAGE_OCTETS + 100], 'cannot be read')):
        path = put(rulesd.place, name, octets)
        before = contents(os.path.dirname(path))
        rulesd.refuses(path, says, *GOOD_COPY)
        assert contents(os.path.dirname(path)) == before, name


def test_database_of_another_program(rulesd, _):
    path = os.path.join(rulesd.place.folder('foreign', mode=0o700), 'rules.db')
    connection = sqlite3.connect(path)
    connection.execute('CREATE TABLE letters (text TEXT)')
    connection.execute("INSERT INTO letters VALUES ('Dear Anna')")
    connection.commit()
    connection.close()
    before = contents(os.path.dirname(path))
    rulesd.refuses(path, 'is not a database of Reroute', *GOOD_COPY)
    assert contents(os.path.dirname(path)) == before


def test_another_user(rulesd, relayd):
    path = put(rulesd.place, 'theirs', newest_database())
    folder = os.path.dirname(path)
    rulesd.refuses(path, folder, 'is not writable for this user', 'User=', wrapper=without_rights(folder))
    assert sorted(os.listdir(folder)) == ['rules.db']
    spool = relayd.place.folder('their-spool')
    relayd.refuses(spool, f'belongs to user {NOBODY}', 'User=', wrapper=without_rights(spool))
    assert not os.listdir(spool)


def test_unit_that_may_not_write(rulesd, relayd):
    path = put(rulesd.place, 'fixed', newest_database())
    folder = os.path.dirname(path)
    rulesd.refuses(path, folder, 'is read-only for this process', *UNIT, wrapper=in_namespace(READ_ONLY, folder))
    spool = relayd.place.folder('fixed-spool', mode=0o700)
    relayd.refuses(spool, 'is read-only for the relay', *UNIT, wrapper=in_namespace(READ_ONLY, spool))


def test_full_file_system(rulesd, relayd):
    """Without rules so far, and with some, which stay as they are."""
    saved = put(rulesd.place, 'saved', newest_database())
    for name, kept in (('full', '/dev/null'), ('full-with-rules', saved)):
        folder = rulesd.place.folder(name)
        rulesd.refuses(os.path.join(folder, 'rules.db'), 'file system', wrapper=in_namespace(FULL, folder, kept))
    spool = relayd.place.folder('full-spool')
    relayd.refuses(spool, 'No space left on device: make room on its file system',
                   wrapper=in_namespace(FULL, spool, '/dev/null'))


def main():
    tap = Tap()
    with Place('bad-state') as place:
        daemons = State(place, RULESD, 'database'), State(place, RELAYD, 'spool')
        for case in (test_files_that_are_no_rules, test_database_of_another_program, test_another_user,
                     test_unit_that_may_not_write, test_full_file_system):
            tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, *daemons)
    tap.done()


if __name__ == '__main__':
    main()
