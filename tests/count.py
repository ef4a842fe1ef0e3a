#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts single cases in Meson's test logs (testlog.json) and names the failed ones.

The last line is `N passed, N failed`, and `, N skipped` when some were.  A program that prints TAP
has as many cases as it says; one that ends badly without a failed case (a crash, a time-out, a
leak at its end) has one failed case more.  Another program is one case.
"""

import argparse
import json
import os
import re
import sys

LINE = re.compile(r'^(not )?ok\b ?(\d*)(?: -)? ?(.*)$')
GOOD = ('OK', 'EXPECTEDFAIL', 'SKIP')


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--passed', type=int, default=0, help='cases that passed elsewhere')
    parser.add_argument('--failed', action='append', default=[], help='name of one that failed')
    parser.add_argument('logs', nargs='*')
    options = parser.parse_args()

    counts = {'passed': options.passed, 'failed': len(options.failed), 'skipped': 0}
    shown = {'failed': list(options.failed), 'skipped': []}
    for path in options.logs:
        if not os.path.exists(path):
            continue
        run = os.path.basename(path).removesuffix('.json')
        with open(path, encoding='utf-8') as stream:
            for line in stream:
                record = json.loads(line)
                for verdict, name in cases_of(record):
                    counts[verdict] += 1
                    if verdict in shown:
                        shown[verdict].append(f'{run}: {record["name"]}: {name}')
    for verdict in ('skipped', 'failed'):
        for name in shown[verdict]:
            print(f'{verdict}: {name}')
    line = f'{counts["passed"]} passed, {counts["failed"]} failed'
    if counts['skipped']:
        line += f', {counts["skipped"]} skipped'
    print(line)
    sys.exit(1 if counts['failed'] or not counts['passed'] else 0)


if __name__ == '__main__':
    main()
