# SPDX-License-Identifier: GPL-3.0-or-later
"""The source tree as the lints see it: which files, and C text without comments and strings."""

import functools
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests'))

from tap import Skip, Tap  # noqa: E402

# Not ours to judge: version control, build folders, data that tests compare byte for byte.
SKIPPED = re.compile(r'^(\.git|obj-[^/]*|build[^/]*|subprojects|__pycache__)$')


@functools.lru_cache(maxsize=None)
def files(*endings):
    """Paths below the root whose name ends in one of @endings, sorted; all of them without."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not SKIPPED.match(name))
        for name in names:
            if SKIPPED.match(name):
                continue
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            if not os.path.islink(os.path.join(ROOT, path)):
                if not endings or name.endswith(endings):
                    found.append(path)
    return tuple(sorted(found))


@functools.lru_cache(maxsize=None)
def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='surrogateescape') as stream:
        return stream.read()


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank(text, strings=True):
    """@text with comments (and strings) turned to blanks; lines and columns stay."""
    def cover(match):
        token = match.group()
        if token[0] != '/' and not strings:
            return token
        return re.sub(r'[^\n]', ' ', token)
    return TOKEN.sub(cover, text)


def line_of(text, offset):
    return text.count('\n', 0, offset) + 1


def run_lints(namespace):
    """Runs every generator lint_* of @namespace as a case that fails when it yields a finding."""
    tap = Tap()
    for name, lint in sorted(namespace.items()):
        if name.startswith('lint_'):
            title = name.removeprefix('lint_').replace('_', '-')
            try:
                findings = list(lint())
            except Skip as reason:
                tap.skip(title, reason)
            else:
                tap.ok(not findings, title, findings)
    tap.done()
