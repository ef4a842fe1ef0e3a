#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lints of the translations: every language of po/LINGUAS is whole, and keeps what must be kept.

What msgfmt checks is left to it; two letters for one mnemonic are the matter of tests/display/mnemonics.c.
"""

import collections
import functools
import os
import re
import subprocess
import tempfile

import tree
from house import output_of, tool
from source import arguments

# As Meson's preset "glib" has it.
XGETTEXT = ['--from-code=UTF-8', '--add-comments=Translators', '--keyword=_', '--keyword=N_',
            '--keyword=C_:1c,2', '--keyword=NC_:1c,2', '--keyword=g_dcgettext:2',
            '--keyword=g_dngettext:2,3', '--keyword=g_dpgettext2:2c,3']

Message = collections.namedtuple('Message', 'context id plural strings flags files obsolete comment')

QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"')
ESCAPES = {'\\n': '\n', '\\t': '\t', '\\"': '"', '\\\\': '\\'}
# What printf takes, without its place ("2$").
PLACE = re.compile(r"%(?:\d+\$)?([-+ #0']*\d*(?:\.\d+)?(?:hh|h|ll|l|z|j|t)?[diouxXeEfgGcsp%])")
OPTION = re.compile(r'(?<![A-Za-z0-9_-])--[a-z][a-z-]+')
TAG = re.compile(r'</?(?:b|i|tt|u|small|span|a)\b[^>]*>')
MNEMONIC = re.compile(r'_(?=[^\W_])')
# Signs at the end, by what they say; closing marks and blanks behind or in front of them do not count.
ENDS = {'.': '.', '。': '.', '．': '.', ':': ':', '：': ':', '…': '…', '?': '?', '？': '?', '؟': '?', '!': '!',
        '！': '!', ';': ';', '；': ';'}
# “%u min” may be “%u Min.”, and “No.” may be “№”.
UNIT_CHARACTERS = 8
CLOSING = '"”“»›’)]）】」』\u200e\u200f\u00a0\u202f \n'


def unquote(lines):
    text = ''.join(QUOTED.search(line).group(1) for line in lines)
    return re.sub(r'\\.', lambda match: ESCAPES.get(match.group(), match.group()), text)


def parse(text):
    """The messages of a catalogue as gettext's tools write it."""
    for block in re.split(r'\n\s*\n', text.strip()):
        fields, flags, files, comment, field, obsolete = {}, set(), [], [], None, False
        for line in block.splitlines():
            obsolete |= line.startswith('#~')
            line = line.removeprefix('#~').strip()
            if line.startswith('#,'):
                flags.update(flag.strip() for flag in line[2:].split(','))
            elif line.startswith('#:'):
                files += [place.rsplit(':', 1)[0] for place in line[2:].split()]
            elif line.startswith('#.'):
                comment.append(line[2:].strip())
            elif line.startswith('"'):
                fields[field].append(line)
            elif not line.startswith('#'):
                field = line.split(' ', 1)[0]
                fields[field] = [line[len(field):]]
        if 'msgid' not in fields:
            continue
        strings = [unquote(lines) for name, lines in sorted(fields.items()) if name.startswith('msgstr')]
        yield Message(unquote(fields['msgctxt']) if 'msgctxt' in fields else None, unquote(fields['msgid']),
                      unquote(fields['msgid_plural']) if 'msgid_plural' in fields else None,
                      strings, flags, files, obsolete, ' '.join(comment))


def key_of(message):
    return message.context, message.id


def name_of(message):
    short = message.id if len(message.id) <= 60 else message.id[:59] + '…'
    return f'“{short}”' if message.context is None else f'“{short}” ({message.context})'


def languages():
    return tree.read('po/LINGUAS').split('\n', 1)[1].split()


@functools.lru_cache(maxsize=None)
def catalogue(language):
    """Every message of a catalogue, its head first."""
    status, lines = output_of(tool('msgcat'), '--no-wrap', f'po/{language}.po')
    assert status == 0, lines
    return list(parse('\n'.join(lines)))


@functools.lru_cache(maxsize=None)
def template():
    """What the sources ask for now."""
    xgettext = tool('xgettext')
    names = [line for line in tree.read('po/POTFILES.in').splitlines() if line and not line.startswith('#')]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'reroute.pot')
        subprocess.run([xgettext, *XGETTEXT, '-o', path, *names], cwd=tree.ROOT, check=True,
                       stderr=subprocess.DEVNULL)
        with open(path, encoding='utf-8') as stream:
            return {key_of(message): message for message in parse(stream.read()) if message.id}


def pairs(message):
    """(original, translation), a form each.  The first of the plural forms may be for any number."""
    if message.plural is None:
        return [(message.id, message.strings[0])]
    return [(message.plural, text) for text in message.strings]


def each_language(check):
    """The findings of @check for each message of each language."""
    for language in languages():
        for message in catalogue(language):
            if message.id and not message.obsolete:
                for original, text in pairs(message):
                    said = check(message, original, text)
                    if said:
                        yield f'po/{language}.po: {name_of(message)}: {said}'


def lint_languages():
    files = {os.path.basename(path)[:-len('.po')] for path in tree.files('.po') if path.startswith('po/')}
    listed = languages()
    if listed != sorted(set(listed)):
        yield 'po/LINGUAS: not sorted, or a language twice'
    for language in sorted(files ^ set(listed)):
        yield f'po/LINGUAS: {language} stands there or has a catalogue, not both'
    for language in sorted(files & set(listed)):
        head = catalogue(language)[0].strings[0]
        for wanted in (f'Language: {language}\n', 'charset=UTF-8\n', 'Plural-Forms: nplurals='):
            if wanted not in head:
                yield f'po/{language}.po: no “{wanted.strip()}” in its head'


def lint_format():
    for language in languages():
        status, lines = output_of(tool('msgfmt'), '-c', '-o', '/dev/null', f'po/{language}.po')
        if status != 0 or any('warning' in line for line in lines):
            yield from lines


def lint_whole():
    asked = template()
    for language in languages():
        found = {}
        for message in catalogue(language)[1:]:
            if message.obsolete:
                yield f'po/{language}.po: {name_of(message)} is commented out'
                continue
            found[key_of(message)] = message
            if 'fuzzy' in message.flags:
                yield f'po/{language}.po: {name_of(message)} is fuzzy'
            if not all(message.strings):
                yield f'po/{language}.po: {name_of(message)} is not translated'
        for key in sorted(asked.keys() - found.keys(), key=str):
            yield f'po/{language}.po: {name_of(asked[key])} is missing'
        for key in sorted(found.keys() - asked.keys(), key=str):
            yield f'po/{language}.po: {name_of(found[key])} is not in the sources'


def lint_places():
    def check(message, original, text):
        # Dates are written in another way.
        if 'c-format' not in message.flags:
            return None
        wanted, given = (sorted(PLACE.findall(part)) for part in (original, text))
        # A form for one number or two may say it in words.
        if message.plural is not None and len(given) == len(wanted) - 1:
            return None
        return None if wanted == given else f'has the places {given}, wanted {wanted}'
    return each_language(check)


def lint_ends():
    def end_of(text):
        return ENDS.get(text.rstrip(CLOSING)[-1:])

    def check(_message, original, text):
        ends = {end_of(original), end_of(text)}
        if len(ends) == 1 or (len(original) <= UNIT_CHARACTERS and ends == {None, '.'}):
            return None
        return f'ends in “{text[-2:]}”, the original in “{original[-2:]}”'
    return each_language(check)


def lint_options():
    def check(_message, original, text):
        lost = set(OPTION.findall(original)) ^ set(OPTION.findall(text))
        return f'not the same options: {", ".join(sorted(lost))}' if lost else None
    return each_language(check)


def lint_markup():
    def check(_message, original, text):
        wanted, given = (sorted(TAG.findall(part)) for part in (original, text))
        return None if wanted == given else f'has the marks {given}, wanted {wanted}'
    return each_language(check)


def lint_mnemonics():
    """What has one has one in every language."""
    with_mnemonic = {key for key, message in template().items()
                     if len(MNEMONIC.findall(message.id)) == 1
                     and all(path.startswith('gui/') for path in message.files)}

    def check(message, _original, text):
        if key_of(message) not in with_mnemonic or len(MNEMONIC.findall(text)) == 1:
            return None
        return 'has no mnemonic, or several'
    return each_language(check)


def lint_questions():
    """The two answers of a question have two letters."""
    pattern = re.compile(r'\.first_label = _ \("([^"]+)"\),\s*\.second_label = _ \("([^"]+)"\)')
    questions = [match for path in tree.files('.c') if path.startswith('gui/')
                 for match in pattern.findall(tree.read(path))]
    if not questions:
        yield 'gui: no question with two answers was found'
    for language in languages():
        texts = {message.id: message.strings[0] for message in catalogue(language)}
        for question in questions:
            letters = [MNEMONIC.split(texts[label])[1][0].lower() for label in question if label in texts]
            if len(set(letters)) < 2:
                yield f'po/{language}.po: {question}: the letters are {letters}'


def lint_errors_at_the_prompt():
    """What reroutectl says on its own is marked."""
    call = re.compile(r'\b(g_set_error(?:_literal)?|g_prefix_error|g_printerr|g_print) \(')
    for path in tree.files('.c'):
        if not path.startswith('service/ctl/'):
            continue
        text = tree.blank(tree.read(path), strings=False)
        for match in call.finditer(text):
            for argument in arguments(text, match.end() - 1):
                if argument.startswith('"') and re.search(r'[a-z]{2,} [a-z]{2,}', argument):
                    yield f'{path}:{tree.line_of(text, match.start())}: {argument} is not marked for translation'


def lint_comments():
    """Who translates is told what stands in places that the sentence alone does not explain."""
    for message in template().values():
        places = [place for place in PLACE.findall(message.id) if place != '%']
        if len(places) > 1 and 'c-format' in message.flags and not message.comment:
            yield f'{message.files[0]}: {name_of(message)}: no comment for translators says what its places are'


if __name__ == '__main__':
    tree.run_lints(globals())
