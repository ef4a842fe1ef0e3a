# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of the benchmark: what is reached, ratios to Postfix in the same run first."""

import statistics


class Times:
    """At least so many times Postfix's figure."""

    def __init__(self, factor):
        self.factor = factor
        self.text = f'{factor:g}x'

    def met(self, ratio, _):
        return None if ratio is None else ratio >= self.factor


class Part:
    """At most that part of Postfix's figure, as in 1/35."""

    def __init__(self, divisor):
        self.divisor = divisor
        self.text = f'1/{divisor:g}'

    def met(self, ratio, _):
        return None if ratio is None else ratio <= 1 / self.divisor


class Most:
    """At most so much, whatever Postfix does."""

    def __init__(self, limit):
        self.limit = limit
        self.text = f'<= {limit:g}'

    def met(self, _, ours):
        return ours <= self.limit


class Least:
    """At least so much, whatever Postfix does."""

    def __init__(self, limit):
        self.limit = limit
        self.text = f'>= {limit:g}'

    def met(self, _, ours):
        return ours >= self.limit


class Row:
    """One line: a figure of a workload, and what is to be reached (None: shown only)."""

    def __init__(self, figure, title, reach=None):
        self.figure, self.title, self.reach = figure, title, reach


def median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


def ratio_of(ours, theirs):
    """Median of the ratios round by round, so that a slow minute is slow for both."""
    pairs = [(mine, its) for mine, its in zip(ours, theirs) if mine is not None and its]
    return median([mine / its for mine, its in pairs])


def evaluate(workload, rounds):
    """A dictionary for each row of @workload; @rounds: {system: [figures of a round]}."""
    lines = []
    for row in workload.rows:
        ours = [figures.get(row.figure) for figures in rounds.get('Reroute', ())]
        theirs = [figures.get(row.figure) for figures in rounds.get('Postfix', ())]
        value, ratio = median(ours), ratio_of(ours, theirs)
        if value is None:
            continue
        met = row.reach.met(ratio, value) if row.reach else None
        lines.append({'workload': workload.name, 'figure': row.figure, 'title': row.title, 'rounds': len(ours),
                      'postfix': median(theirs), 'reroute': value, 'ratio': ratio,
                      'reach': row.reach.text if row.reach else None, 'met': met})
    return lines


def show_number(value):
    if value is None:
        return '-'
    if value >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}'


def show_ratio(ratio):
    if ratio is None:
        return '-'
    return f'{ratio:.3g}x' if ratio >= 1 else f'1/{1 / ratio:.3g}' if ratio > 0 else '0'


HEADINGS = ('workload', 'ratio', 'reach', 'met', 'Postfix', 'Reroute')


def cells(line):
    met = {True: 'yes', False: 'NO', None: ''}[line['met']]
    return (line['title'], show_ratio(line['ratio']), line['reach'] or '', met,
            show_number(line['postfix']), show_number(line['reroute']))


def render(lines):
    """The table, in Markdown."""
    rows = [HEADINGS] + [cells(line) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in rows]
    text.insert(1, '|' + '|'.join('-' * (width + 2) for width in widths) + '|')
    return '\n'.join(text)
