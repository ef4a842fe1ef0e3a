#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts single cases in Meson's test logs (testlog.json) and names the failed ones.

The last line is `N passed, N failed`, and `, N skipped`, `, N unsteady` when some were.  A program that prints TAP
has as many cases as it says; one that ends badly without a failed case (a crash, a time-out, a
leak at its end) has one failed case more.  Another program is one case.

Where a log NAME.json has a NAME.alone.json beside it, the programs in that one that had failed ran
once more with the machine to themselves, and what they said then is what counts; a case that failed
beside others and passes alone is counted as unsteady at the end of the line.  Not asked again are
programs that found more than a late answer: with a word of a sanitizer or valgrind, a failed
assertion or a crash, or with troubles that they drew and would draw anew.
"""

import argparse
import json
import os
import re
import sys

LINE = re.compile(r'^(not )?ok\b ?(\d*)(?: -)? ?(.*)$')
GOOD = ('OK', 'EXPECTEDFAIL', 'SKIP')
FOUND = re.compile(r'(Address|Leak|Thread)Sanitizer|runtime error: |-CRITICAL|ERROR \*\*|==\d+== |REROUTE_TEST_SEED=|'
                   r'ended with -\d')
VALGRIND_STATUS = 99
ALONE = '.alone'
DETAIL_LINES = 30


def cases_of(record):
    """Yields (verdict, name) for one line of testlog.json; verdict: passed, failed, skipped."""
    failed = found = False
    for line in (record.get('stdout') or '').splitlines():
        match = LINE.match(line)
        if not match:
            continue
        found = True
        bad, _, text = match.groups()
        name, _, directive = text.partition(' # ')
        if directive.upper().startswith('SKIP'):
            yield 'skipped', f'{name} ({directive[4:].strip()})'
        elif bad:
            failed = True
            yield 'failed', name
        else:
            yield 'passed', name
    if record['result'] not in GOOD:
        if not failed:
            yield 'failed', f'(ended with {record["result"]}, exit status {record["returncode"]})'
    elif not found:
        yield ('skipped' if record['result'] == 'SKIP' else 'passed'), ''


def failed_names(record):
    return [name for verdict, name in cases_of(record) if verdict == 'failed']


def details_of(record):
    """What a failed program said of it: the comments of its TAP, and the end of what it wrote beside that."""
    said = [line for line in (record.get('stdout') or '').splitlines() if line.startswith('#')]
    return said[-DETAIL_LINES:] + (record.get('stderr') or '').splitlines()[-DETAIL_LINES:]


def read(path):
    """The records of a log by the name of the program; none when there is no such log."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding='utf-8') as stream:
        return {record['name']: record for record in map(json.loads, stream)}


def may_be_late(record):
    """Whether a failed program may only have waited for too short a time."""
    status = record['returncode']
    said = (record.get('stdout') or '') + (record.get('stderr') or '')
    return 0 <= status < 128 and status != VALGRIND_STATUS and not FOUND.search(said)


def print_to_ask_again(path):
    """The names of such programs, as `meson test` takes them."""
    for name, record in read(path).items():
        if failed_names(record) and may_be_late(record):
            print(name.rpartition(' / ')[2])


class Count:
    def __init__(self, n_passed, failed):
        self.n_passed = n_passed
        self.shown = {'skipped': [], 'unsteady': [], 'failed': list(failed)}
        self.details = []

    def add(self, run, record, alone):
        """One program, which ran once more as @alone, if that is not None; what had passed stays so."""
        where = f'{run}: {record["name"]}: '
        failed = failed_names(record)
        last = alone if alone is not None and failed else record
        still = failed_names(last)
        self.shown['unsteady'] += [f'{where}{name}' for name in failed if name not in still]
        for verdict, name in cases_of(last):
            if verdict == 'passed':
                self.n_passed += 1
            else:
                self.shown[verdict].append(where + name)
        for each in [record] * bool(failed) + [last] * (last is not record and bool(still)):
            self.details.append((where, details_of(each)))

    def print(self):
        for where, lines in self.details:
            print(f'-- {where}what it said when it failed', *lines, sep='\n')
        for kind, names in self.shown.items():
            for name in names:
                print(f'{kind}: {name}')
        line = f'{self.n_passed} passed, {len(self.shown["failed"])} failed'
        for kind in ('skipped', 'unsteady'):
            if self.shown[kind]:
                line += f', {len(self.shown[kind])} {kind}'
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--passed', type=int, default=0, help='cases that passed elsewhere')
    parser.add_argument('--failed', action='append', default=[], help='name of one that failed')
    parser.add_argument('--to-ask-again', action='store_true', help='only name the failed programs of one log')
    parser.add_argument('logs', nargs='*')
    options = parser.parse_args()

    if options.to_ask_again:
        print_to_ask_again(options.logs[0])
        return
    count = Count(options.passed, options.failed)
    for path in options.logs:
        run = os.path.basename(path).removesuffix('.json')
        if run.endswith(ALONE):
            continue
        alone = read(path.removesuffix('.json') + ALONE + '.json')
        for name, record in read(path).items():
            count.add(run, record, alone.get(name))
    count.print()
    sys.exit(1 if count.shown['failed'] or not count.n_passed else 0)


if __name__ == '__main__':
    main()
