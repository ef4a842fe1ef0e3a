# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to keep what becomes of messages, and how fast one is found among many."""

import statistics
import subprocess
import time

from place import poll
from support import CTL, daemon_environment
from systems import NEW, OLD, Ours
from table import Least, Most, Row
from workload import Fresh, Stream

TRACKED = 100_000
# By what is found nowhere, so that everything is read; by the first message; by what all have.
QUESTIONS = (['--recipient=nobody@elsewhere.test'], ['--sender=nobody', '--host=127.0.0.1', f'--entry=connections {NEW}'],
             [f'--recipient=@{OLD}', '--limit=100'])

ROWS = (
    Row('off', 'not tracked: messages/s'),
    Row('on', 'tracked: messages/s'),
    Row('kept', 'tracked: part of the messages/s that is kept', Least(0.95)),
    Row('cpu', 'tracked: CPU per message, as part of that without', Most(1.05)),
    Row('octets', 'tracked: octets a message'),
    Row('search_ms', f'a search in {TRACKED:,} tracked messages, the slowest: ms', Most(200)),
)


class Track(Fresh):
    """Rounds with and without alternate, and so does which of the two comes first; short and many, as one busy moment
    of the machine is more than what is looked for."""

    systems = (Ours,)

    def __init__(self, name, pairs=21):
        super().__init__(name, ROWS)
        self.pairs = pairs

    def measure(self, system, scale):
        stream = Stream('', (), int(2000 * scale))
        stream.measure(system, scale)  # warms, and tells how many messages a round has
        found = {'0': [], '30': []}
        for pair in range(self.pairs):
            for days in ('0', '30') if pair % 2 else ('30', '0'):
                system.set(track_days=days)
                found[days].append(stream.measure(system, scale / 2))
        system.set(track_days='30')
        messages = int(TRACKED * scale)
        system.run(messages=messages)
        return {'off': rate(found['0']), 'on': rate(found['30']),
                'kept': ratio(found, 'per_s'), 'cpu': ratio(found, 'cpu_s'),
                'octets': tracked_octets(system) / messages,
                'search_ms': max(search_ms(system, question) for question in QUESTIONS)}


def rate(rounds):
    return statistics.median(figures['per_s'] for figures in rounds)


def ratio(found, figure):
    """The median of the pairs."""
    return statistics.median(on[figure] / off[figure] for on, off in zip(found['30'], found['0']))


def tracked_octets(system):
    """Once it is on the disk, where the relay writes it when it sees fit."""
    return poll('what was tracked to be written', lambda: sum(path.stat().st_size for path in system.tracked_files()))


def search_ms(system, question):
    """From the command to its answer, its start included; the median of five."""
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run([CTL, f'--bus={system.service.bus.address}', '--json', 'track', *question], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=daemon_environment())
        times.append((time.monotonic() - begun) * 1000)
    return statistics.median(times)
