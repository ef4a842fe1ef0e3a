#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints of the C sources: who includes whom, sizes, calls that are not used here, error texts.

An exception is a line `PATH[:FUNCTION] RULE reason` in tests/lint/exceptions.
"""

import os
import re
import shutil
import subprocess

import tree
from tap import Skip

FILE_LINES = 600
FUNCTION_LINES = 60
NESTING = 3
PARAMETERS = 6

SOURCES = tree.files('.c', '.h')
PRODUCT = tuple(path for path in SOURCES if not path.startswith('tests/'))

# design.md section 2.  The longest folder that matches a file decides what of ours it may include.
FOLDERS = {
    'common/': ('common/',),
    'common/client/': ('common/', 'common/client/'),
    'gui/': ('gui/', 'common/', 'common/client/'),
    'service/ctl/': ('service/ctl/', 'common/', 'common/client/'),
    'service/': ('service/', 'common/'),
    'service/rules/': ('service/rules/', 'service/', 'common/', 'common/client/'),
    'service/relay/': ('service/relay/', 'service/', 'service/relay/smtp/', 'service/relay/receive/',
                       'service/relay/spool/', 'service/relay/track/', 'service/relay/deliver/',
                       'common/', 'common/client/'),
    'service/relay/smtp/': ('service/relay/smtp/', 'common/'),
    'service/relay/milter/': ('service/relay/milter/', 'service/relay/smtp/', 'service/relay/', 'common/'),
    'service/relay/receive/': ('service/relay/receive/', 'service/relay/milter/', 'service/relay/spool/',
                               'service/relay/track/', 'service/relay/smtp/', 'service/relay/', 'common/'),
    'service/relay/spool/': ('service/relay/spool/', 'service/relay/smtp/', 'common/'),
    'service/relay/track/': ('service/relay/track/', 'service/relay/spool/', 'service/relay/smtp/', 'common/'),
    'service/relay/deliver/': ('service/relay/deliver/', 'service/relay/milter/', 'service/relay/spool/',
                               'service/relay/track/', 'service/relay/smtp/', 'service/relay/', 'common/'),
}

# System headers, and the only folders or files that may name them.
SYSTEM = (
    (re.compile(r'sqlite3\.h'), ('service/rules/store.c',)),
    (re.compile(r'(gtk|gdk)/'), ('gui/',)),
    (re.compile(r'gnutls/'), ('service/relay/receive/', 'service/relay/deliver/', 'service/relay/')),
    (re.compile(r'unbound\.h'), ('service/relay/deliver/',)),
    (re.compile(r'(sys/socket|sys/epoll|netdb|netinet/tcp|sys/un)\.h'),
     ('service/relay/receive/', 'service/relay/milter/', 'service/relay/deliver/', 'service/relay/')),
)
PURE = ('service/relay/smtp/', 'service/relay/spool/', 'common/')

# Own words of the preprocessor and of GLib that open a block at the left margin.
NOT_A_FUNCTION = re.compile(r'(=|\b(struct|enum|union)\b[^()]*)$')


def exceptions():
    allowed = set()
    for line in tree.read('tests/lint/exceptions').splitlines():
        if line and not line.startswith('#'):
            where, rule, reason = line.split(None, 2)
            assert reason
            allowed.add((where, rule))
    return allowed


def folder_of(path, table):
    return max((name for name in table if path.startswith(name)), key=len, default=None)


def lint_includes():
    for path in PRODUCT:
        text = tree.blank(tree.read(path), strings=False)
        allowed = FOLDERS.get(folder_of(path, FOLDERS))
        for match in re.finditer(r'^#\s*include ([<"])([^>"]+)[>"]', text, re.MULTILINE):
            kind, name = match.groups()
            where = f'{path}:{tree.line_of(text, match.start())}'
            if kind == '"' and name != 'config.h':
                own = folder_of(name, FOLDERS)
                if own is None and not os.path.dirname(name):
                    yield f'{where}: “{name}” is not written from the top'
                elif allowed is not None and own not in allowed:
                    yield f'{where}: “{name}” may not be included here'
            for pattern, places in SYSTEM:
                pure = places[0].startswith('service/relay/') and path.startswith(PURE)
                if pattern.match(name) and (pure or not path.startswith(places)):
                    yield f'{where}: <{name}> belongs to {", ".join(places)}'


def lint_config_first():
    for path in PRODUCT:
        if path.endswith('.c'):
            first = re.search(r'^#\s*include\s+(\S+)', tree.read(path), re.MULTILINE)
            if first and first.group(1) != '"config.h"':
                yield f'{path}: the first include is {first.group(1)}, wanted "config.h"'


def lint_file_size():
    for path in SOURCES + tree.files('.py', '.ui'):
        lines = tree.read(path).count('\n')
        if lines > FILE_LINES and (path, 'file-size') not in ALLOWED:
            yield f'{path}: {lines} lines, wanted at most {FILE_LINES}'


# What GIO adds to every asynchronous function.
ASYNC = re.compile(r'GCancellable \*\w+|GAsyncReadyCallback \w+|gpointer user_data|\.\.\.')


def count_parameters(name, text):
    """Of a function's own choice: a callback's signature is its caller's."""
    if name.endswith('_cb') or 'GDBusMethodInvocation' in text:
        return 0
    parts = [part for part in re.sub(r'\([^()]*\)', '', text).split(',') if not ASYNC.search(part)]
    return len(parts)


def functions(path):
    """(name, first line, lines, deepest block, parameters) of every function of a C file."""
    text = tree.blank(tree.read(path))
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if not line.startswith('{'):
            continue
        head = []
        for above in reversed(lines[:start]):
            if not above.strip() or above.startswith(('}', '#')) or above.rstrip().endswith(';'):
                break
            head.insert(0, above)
        head = re.sub(r'\bG_GNUC_\w+( \([^()]*\))?', '', ' '.join(' '.join(head).split()))
        head = head.strip()
        called = re.search(r'(\w+) ?\((.*)\)$', head)
        if NOT_A_FUNCTION.search(head) or not called:
            continue
        end = next((n for n in range(start, len(lines)) if lines[n].startswith('}')), start)
        depth = deepest = 0
        for character in '\n'.join(lines[start:end + 1]):
            depth += {'{': 1, '}': -1}.get(character, 0)
            deepest = max(deepest, depth)
        yield (called.group(1), start + 1, end - start - 1, deepest - 1,
               count_parameters(*called.groups()))


def lint_functions():
    limits = (('function-size', 'lines', FUNCTION_LINES), ('nesting', 'blocks deep', NESTING),
              ('parameters', 'parameters', PARAMETERS))
    for path in SOURCES:
        if not path.endswith('.c'):
            continue
        for name, line, *measures in functions(path):
            for (rule, word, limit), measure in zip(limits, measures):
                if measure > limit and (f'{path}:{name}', rule) not in ALLOWED:
                    yield f'{path}:{line}: {name}: {measure} {word}, wanted at most {limit}'


def lint_calls():
    calls = ('strcpy', 'strcat', 'sprintf', 'gets', 'atoi', 'system', 'popen')
    pattern = re.compile(r'(?<![\w.>])(' + '|'.join(calls) + r')\s*\(|\bgoto\b')
    for path in SOURCES:
        text = tree.blank(tree.read(path))
        for match in pattern.finditer(text):
            yield f'{path}:{tree.line_of(text, match.start())}: {match.group().strip("( ")}'


def lint_spdx():
    for path in tree.files('.c', '.h', '.py', '.ui', '.build', '.xml', '.sh', '.in', '.css') + SCRIPTS:
        head = '\n'.join(tree.read(path).splitlines()[:4])
        if path.endswith('.gresource.xml') and not tree.read(path).strip():
            continue
        if 'SPDX-License-Identifier: ' not in head:
            yield f'{path}: no SPDX line at the top'


def arguments(text, start):
    """The arguments of a call, as text, whose bracket opens at @start."""
    covered = tree.blank(text)
    depth, begin, found = 0, start + 1, []
    for offset in range(start, len(text)):
        character = covered[offset]
        depth += {'(': 1, '{': 1, '[': 1, ')': -1, '}': -1, ']': -1}.get(character, 0)
        if depth == 0 or (depth == 1 and character == ','):
            found.append(text[begin:offset].strip())
            begin = offset + 1
        if depth == 0:
            break
    return found


def literal(argument):
    """The text of a string literal in one or several pieces; None for anything else."""
    marked = re.fullmatch(r'_ \((.*)\)', re.sub(r'/\*.*?\*/', '', argument, flags=re.DOTALL).strip(), re.DOTALL)
    argument = marked.group(1) if marked else argument
    pieces = re.findall(r'"((?:\\.|[^"\\])*)"', argument)
    rest = re.sub(r'"(?:\\.|[^"\\])*"|\bG_G?U?INT64_FORMAT\b|\bG_G?S?SIZE_FORMAT\b|\s', '', argument)
    return ''.join(pieces) if pieces and not rest else None


ERROR_CALLS = {'g_set_error': 3, 'g_set_error_literal': 3, 'g_error_new': 2,
               'g_error_new_literal': 2, 'g_prefix_error': 1, 'g_task_return_new_error': 3}


def lint_error_text():
    pattern = re.compile(r'\b(' + '|'.join(ERROR_CALLS) + r') \(')
    for path in PRODUCT:
        text = tree.blank(tree.read(path), strings=False)
        for match in pattern.finditer(text):
            given = arguments(text, match.end() - 1)
            position = ERROR_CALLS[match.group(1)]
            message = literal(given[position]) if len(given) > position else None
            if not message:
                continue
            where = f'{path}:{tree.line_of(text, match.start())}: “{message}”'
            if match.group(1) == 'g_prefix_error' and not message.endswith(': '):
                yield f'{where} does not end in “: ”'
            elif message.endswith(('.', '.\\n')):
                yield f'{where} ends in a full stop'
            elif re.match(r'[A-Z][a-z ]', message):
                yield f'{where} does not start in lower case'


def lint_settings():
    if 'service/relay/main.c' not in SOURCES:
        raise Skip('no relay yet')
    header = tree.read('common/settings.h')
    keys = re.findall(r'^  (REROUTE_SETTING_\w+),', header, re.MULTILINE)
    keys = [key for key in keys if not key.startswith('REROUTE_SETTING_TYPE_')]
    used = ''.join(tree.read(path) for path in PRODUCT
                   if path.endswith('.c') and not path.startswith('common/settings'))
    for key in keys:
        if not re.search(rf'\b{key}\b', used) and (key, 'setting') not in ALLOWED:
            yield f'common/settings.h: nothing acts on {key}'


def lint_format():
    formatter = shutil.which('clang-format-14')
    if formatter is None:
        raise Skip('no clang-format-14')
    result = subprocess.run([formatter, '--style=file', '--dry-run', *SOURCES], cwd=tree.ROOT,
                            stderr=subprocess.PIPE, text=True, check=False)
    wrong = sorted(set(re.findall(r'^(\S+?):\d+:\d+: (?:warning|error)', result.stderr, re.MULTILINE)))
    for path in wrong:
        yield f'{path}: not formatted; run clang-format-14 -i on it'


def lint_paths():
    # In pieces, or this file would find itself.
    pattern = re.compile(r'(?<![\w.])/(wo' + r'rk|ro' + r'ot)/|/tm' + r'p/[a-z]')
    for path in tree.files():
        text = tree.read(path)
        if '\0' in text:
            continue
        for match in pattern.finditer(text):
            yield f'{path}:{tree.line_of(text, match.start())}: a path of one machine'


def lint_whitespace():
    for path in tree.files('.c', '.h', '.py', '.ui', '.build', '.md', '.xml') + SCRIPTS:
        text = tree.read(path)
        for match in re.finditer(r'[ \t]+$|\r', text, re.MULTILINE):
            yield f'{path}:{tree.line_of(text, match.start())}: blank at the end of the line'
        if text and not text.endswith('\n'):
            yield f'{path}: no newline at the end'


def lint_words():
    pattern = re.compile(r'\b(TO' + r'DO|FIX' + r'ME|XX' + r'X)\b(?! *\(?#\d)')
    for path in tree.files('.c', '.h', '.py', '.ui', '.build') + SCRIPTS:
        text = tree.read(path)
        for match in pattern.finditer(text):
            yield f'{path}:{tree.line_of(text, match.start())}: {match.group()} without an issue number'


def find_scripts():
    found = []
    for path in tree.files():
        if '.' not in os.path.basename(path) and tree.read(path).startswith('#!/bin/'):
            found.append(path)
    return tuple(found)


def lint_scripts():
    if shutil.which('shellcheck') is None:
        raise Skip('no shellcheck')
    result = subprocess.run(['shellcheck', '-f', 'gcc', *SCRIPTS], cwd=tree.ROOT,
                            stdout=subprocess.PIPE, text=True, check=False)
    yield from result.stdout.splitlines()


ALLOWED = exceptions()
SCRIPTS = find_scripts()


if __name__ == '__main__':
    tree.run_lints(globals())
