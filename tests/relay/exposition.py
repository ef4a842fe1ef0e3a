# SPDX-License-Identifier: GPL-3.0-or-later
"""The exposition formats of Prometheus, read strictly: what a scraper might forgive is a fault here."""

import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
META = re.compile(rf'# (HELP|TYPE) ({NAME}) (.+)')
SAMPLE = re.compile(rf'({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9][0-9.e+-]*)')
OPENMETRICS_END = '# EOF\n'


class Family:
    def __init__(self, name):
        self.name, self.help, self.kind, self.samples = name, None, None, {}


def take_meta(families, match):
    what, name, text = match.groups()
    if what == 'HELP':
        assert name not in families, f'{name} comes twice'
        families[name] = Family(name)
        families[name].help = text
        return families[name]
    family = families[name]
    assert family.kind is None and not family.samples, f'the type of {name} comes late'
    assert text in ('gauge', 'counter'), text
    family.kind = text
    return family


def parse(text, openmetrics=False):
    """{family: Family}; a family's samples are {labels as they stand: value}."""
    families, family = {}, None
    if openmetrics:
        assert text.endswith(OPENMETRICS_END), text[-100:]
        text = text.removesuffix(OPENMETRICS_END)
    assert text.endswith('\n') and '\r' not in text
    for line in text[:-1].split('\n'):
        match = META.fullmatch(line)
        if match:
            family = take_meta(families, match)
            continue
        match = SAMPLE.fullmatch(line)
        assert match, f'no sample: {line!r}'
        name, labels, value = match.groups()
        suffix = '_total' if openmetrics and family.kind == 'counter' else ''
        assert family.kind is not None and name == family.name + suffix, line
        assert labels not in family.samples, f'comes twice: {line}'
        family.samples[labels] = float(value)
    for family in families.values():
        assert family.samples, f'{family.name} has no sample'
        is_counter = family.name.endswith('_total')
        assert is_counter == (family.kind == 'counter' and not openmetrics), family.name
    return families
