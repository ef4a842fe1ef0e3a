#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints of what stands around the sources: translations, man pages, desktop files, --help.

usage: house.py [PROGRAM...]     built programs whose --help is held against their man page
"""

import os
import platform
import re
import shutil
import subprocess
import sys

import tree
from tap import Skip

# endbr64, where a jump may land: in a program built without -fcf-protection only those of the C library's start.
LANDING = b'\xf3\x0f\x1e\xfa'
LANDINGS_LEAST = 100

MAN_PAGES = tree.files('.1', '.5', '.7', '.8')


def tool(name):
    found = shutil.which(name)
    if found is None:
        raise Skip(f'no {name}')
    return found


def wanted(paths, what):
    if not paths:
        raise Skip(f'no {what} yet')
    return paths


def output_of(*command):
    """(exit status, lines) of @command, run in the top folder."""
    environment = dict(os.environ, LC_ALL='C.UTF-8', LANGUAGE='C')
    result = subprocess.run(command, cwd=tree.ROOT, env=environment, text=True, timeout=60,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return result.returncode, result.stdout.splitlines()


def lint_potfiles():
    if 'po/POTFILES.in' not in tree.files('.in'):
        raise Skip('no po/POTFILES.in yet')
    listed = {line for line in tree.read('po/POTFILES.in').splitlines()
              if line and not line.startswith('#')}
    for path in sorted(listed - set(tree.files())):
        yield f'po/POTFILES.in: {path} does not exist'
    marked = re.compile(r'(?<!\w)(_|N_|C_|NC_|ngettext|g_dngettext|g_dpgettext2?) ?\(')
    for path in tree.files('.c', '.h'):
        if path.startswith('tests/') or path in listed:
            continue
        text = re.sub(r'^\s*#\s*define.*', '', tree.blank(tree.read(path)), flags=re.MULTILINE)
        if marked.search(text):
            yield f'po/POTFILES.in: {path} has translatable strings and is not listed'
    for path in tree.files('.ui'):
        if 'translatable="yes"' in tree.read(path) and path not in listed:
            yield f'po/POTFILES.in: {path} has translatable strings and is not listed'


def lint_explained_steps():
    """Every step of an explanation has a sentence to translate, and the dialog a place for it."""
    said = {}
    for path in ('common/ruleset-decide.c', 'service/relay/deliver/explain.c'):
        for code in re.findall(r'\b(?:say|reject|add_step)\s*\(\s*&?(?:walk|self),\s*"([a-z-]+)"', tree.read(path)):
            said[code] = path
    text = tree.read('gui/explain.c')
    placed = set(re.findall(r'\{ "([a-z-]+)", STAGE', text))
    placed.update(re.findall(r'"([a-z-]+)"', re.search(r'outcomes\[\] = \{(.*?)\}', text, re.DOTALL).group(1)))
    for code in sorted(set(said) - placed):
        yield f'gui/explain.c: no place for the step “{code}” of {said[code]}'
    known = set(re.findall(r'^  \{ "([a-z-]+)",', tree.read('common/step-text.c'), re.MULTILINE))
    for code in sorted(set(said) - known):
        yield f'common/step-text.c: no pattern for the step “{code}” of {said[code]}'


def lint_man_pages():
    mandoc = tool('mandoc')
    for path in wanted(MAN_PAGES, 'man pages'):
        _, lines = output_of(mandoc, '-T', 'lint', '-W', 'warning', path)
        yield from lines


def lint_desktop_file():
    validate = tool('desktop-file-validate')
    for path in wanted(tree.files('.desktop', '.desktop.in'), 'desktop file'):
        status, lines = output_of(validate, path)
        # Its name must end in .desktop, that of a template does not.
        lines = [line for line in lines if 'filename does not have a .desktop extension' not in line]
        if status != 0 and lines:
            yield from lines


def lint_metainfo():
    validate = tool('appstreamcli')
    for path in wanted(tree.files('.metainfo.xml', '.metainfo.xml.in'), 'metainfo'):
        status, lines = output_of(validate, 'validate', '--no-net', path)
        if status != 0:
            yield from lines


def lint_dbus_interfaces():
    """Every method, property and argument is named in the comment above it."""
    for path in wanted([name for name in tree.files('.xml') if '/org.reroute.' in name],
                       'interfaces'):
        text = tree.read(path)
        if 'metainfo' in path or '<node' not in text:
            continue
        for match in re.finditer(r'<!--((?:(?!-->).)*)-->\s*<(method|signal) name="(\w+)"(/?)>', text, re.DOTALL):
            comment, _, member, empty = match.groups()
            if not comment.lstrip().startswith(member):
                yield f'{path}: {member} has no comment of its own'
            if empty:
                continue
            body = text[match.end():text.index(f'</{match.group(2)}>', match.end())]
            for name in re.findall(r'<arg name="(\w+)"', body):
                if not re.search(rf'\b{name}\b', comment):
                    yield f'{path}: {member}: argument {name} is not described'
        members = re.findall(r'<(?:method|signal) name="(\w+)"', text)
        described = re.findall(r'-->\s*<(?:method|signal) name="(\w+)"', text)
        for member in sorted(set(members) - set(described)):
            yield f'{path}: {member} has no comment of its own'


def options_of_help(program):
    status, lines = output_of(program, '--help')
    if status != 0:
        return {f'--help (exit status {status})'}
    return set(re.findall(r'(?<![\w-])--[a-z][a-z0-9-]+', '\n'.join(lines))) - {'--help-all', '--help-gapplication'}


def lint_help():
    programs = wanted([os.path.abspath(name) for name in sys.argv[1:]], 'programs')
    for program in programs:
        name = os.path.basename(program)
        pages = [path for path in MAN_PAGES if os.path.basename(path).startswith(name + '.')]
        if not pages:
            yield f'{name}: no man page'
            continue
        page = tree.read(pages[0]).replace('\\-', '-')
        # mdoc writes an option as `Fl -name`.
        described = set(re.findall(r'(?<![\w-])--[a-z][a-z0-9-]+', page))
        described |= {'-' + option for option in re.findall(r'\bFl (-[a-z][a-z0-9-]+)', page)}
        for option in sorted(options_of_help(program) - described - {'--help', '--version'}):
            yield f'{pages[0]}: {option} of --help is not described'


def lint_hardening():
    """Programs are position independent, what the loader has filled in is read-only, buffers and jumps are watched."""
    readelf = tool('readelf')
    for program in wanted([os.path.abspath(name) for name in sys.argv[1:]], 'programs'):
        status, lines = output_of(readelf, '-hldW', '--dyn-syms', program)
        text = '\n'.join(lines)
        for pattern, what in ((r'Type:\s+DYN', 'is not position independent'),
                              (r'GNU_RELRO', 'has no read-only relocations'),
                              (r'\bNOW\b', 'binds its symbols late'),
                              (r'__stack_chk_fail@', 'is built without -fstack-protector-strong'),
                              (r'(?<!stack)_chk@', 'is built without _FORTIFY_SOURCE')):
            if status != 0 or not re.search(pattern, text):
                yield f'{os.path.basename(program)}: {what}'
        with open(program, 'rb') as stream:
            guarded = stream.read().count(LANDING) >= LANDINGS_LEAST
        if platform.machine() == 'x86_64' and not guarded:
            yield f'{os.path.basename(program)}: is built without -fcf-protection'


def lint_settings_page():
    """Every setting stands in its man page, with its default and its sentence."""
    page = 'data/man/reroute-settings.5'
    rows = re.findall(r'\{ ID \(\w+\), "([a-z0-9-]+)", TYPE \(\w+\), "([^"]*)",.*\n'
                      r'\s*N_\("((?:[^"\\]|\\.)*)"\)', tree.read('common/settings.c'))
    if len(rows) < 20:
        yield f'common/settings.c: only {len(rows)} lines of the table were understood'
    text = tree.read(page)
    for key, default, summary in rows:
        entry = re.search(rf'^\.It Cm {key}\n(.*?)(?=^\.It|^\.El)', text, re.MULTILINE | re.DOTALL)
        if not entry:
            yield f'{page}: {key} is not described'
        elif summary not in entry.group(1):
            yield f'{page}: {key}: wanted “{summary}”'
        elif default and f'Default: {default}.' not in entry.group(1):
            yield f'{page}: {key}: wanted “Default: {default}.”'


def lint_settings_have_fields():
    """Every setting can be changed on a page or in a window of the dialog."""
    rows = re.findall(r'\{ ID \((\w+)\), "([a-z0-9-]+)", TYPE', tree.read('common/settings.c'))
    if len(rows) < 20:
        yield f'common/settings.c: only {len(rows)} lines of the table were understood'
    templates = ''.join(tree.read(path) for path in tree.files('.ui'))
    code = ''.join(tree.blank(tree.read(path)) for path in tree.files('-page.c', '-windows.c') if path.startswith('gui/'))
    for name, key in rows:
        if f'<property name="key">{key}</property>' not in templates and \
                not re.search(rf'\bREROUTE_SETTING_{name}\b', code):
            yield f'common/settings.c: {key} has no field on a page or in a window of gui/'


if __name__ == '__main__':
    tree.run_lints(globals())
