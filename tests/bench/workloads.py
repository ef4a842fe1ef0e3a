# SPDX-License-Identifier: GPL-3.0-or-later
"""The workloads of the benchmark: each measures a system and answers figures by name."""

import time

import figures
from place import poll
from rules import Rules
from systems import DEAD, Ours
from table import Least, Most, Part, Row, Times
from tracking import Track
from workload import ROUND_S, Fresh, Stream, Workload

SMALL_OCTETS = 300
FLAT_SESSIONS = (1, 10, 20, 100, 1000, 5000)
FLAT_QUEUES = (0, 10_000, 100_000, 1_000_000)
FLAT = 0.3  # may a figure be away from the one at 20 sessions or an empty queue


class Latency(Workload):
    """Far less than either can take."""

    RATE, SECONDS = 100, 5

    def measure(self, system, scale):
        run = system.run(messages=int(self.RATE * self.SECONDS * scale), rate=self.RATE, lock_step=True)
        return {f'{name}_{part}': run[f'{name}_ms'][part]
                for name in ('accept', 'delivery') for part in ('p50', 'p99')}


class Memory(Fresh):
    heavy = False
    REST_S = 5

    def measure(self, system, scale):
        time.sleep(self.REST_S)
        idle_mb = figures.pss_mb(system.pid)
        with figures.PeakMemory(system.pid) as memory:
            system.run(messages=int((20000 if system.name == 'Reroute' else 3000) * scale), sessions=1000)
        return {'idle': idle_mb, 'busy': memory.peak_mb}


class Queue(Fresh):
    """The next hop is dead while messages come in; the relay restarts, and the next hop is back."""

    # Postfix would take minutes for as many as we are to hold.
    MESSAGES = {'Reroute': 100_000, 'Postfix': 10_000}

    def measure(self, system, scale):
        if system.name == 'Reroute':
            system.set(retry_intervals='2s')
        load = system.load(messages=int(self.MESSAGES[system.name] * scale), sink_mode='closed')
        sent = load.event('sent')
        if sent['event'] != 'sent' or sent['accepted'] != sent['ended']:
            raise RuntimeError(f'{system.name} did not take every message: {sent}')
        full_mb = figures.pss_mb(system.pid)
        system.stop()
        opened_s = time.monotonic()
        load.command('open')
        load.status()
        begun_s = time.monotonic()
        system.begin()
        banner_s = system.answers_in(begun_s)
        run = system.checked(load.done())
        first_s = run['drain_first_ms'] / 1000
        return {'fill': run['fill']['per_s'], 'full': full_mb, 'banner': banner_s,
                'first': first_s - (begun_s - opened_s),
                'drain': run['drain']['messages'] / (run['drain']['seconds'] - first_s)}


class FlatSessions(Fresh):
    """The cost of a message may not depend on how many sessions there are."""

    systems = (Ours,)
    MESSAGES = 20000
    MESSAGES_PER_SESSION = 20  # what it costs to connect is for m1 to say

    def measure(self, system, scale):
        found = {}
        for sessions in (20,) + FLAT_SESSIONS:  # the first warms
            messages = max(self.MESSAGES, self.MESSAGES_PER_SESSION * sessions)
            stream = Stream('', (), int(messages * scale), sessions=sessions)
            found[sessions] = stream.measure(system, scale)
        return relative(found, 20)


class FlatQueue(Fresh):
    """Nor on how many wait for another next hop, which is dead."""

    systems = (Ours,)
    MESSAGES = 20000

    def __init__(self, name, rows, queues):
        super().__init__(name, rows)
        self.queues = queues

    def measure(self, system, scale):
        Stream('', (), int(self.MESSAGES * scale)).measure(system, scale)  # warms
        found, waiting = {}, 0
        for queue in self.queues:
            if queue > waiting:
                load = system.load(messages=queue - waiting, octets=SMALL_OCTETS, to=DEAD, expect=DEAD, sessions=50,
                                   limit=900, stay=True)
                sent = load.event('sent')
                load.command('finish')
                load.done()
                waiting += sent['accepted']
                poll('the queue to hold them', lambda: system.queued() == waiting)
            found[queue] = Stream('', (), int(self.MESSAGES * scale)).measure(system, scale)
            found[queue]['pss'] = figures.pss_mb(system.pid)
        return {**relative(found, 0), f'pss-{waiting}': found[waiting]['pss']}


def relative(found, base):
    """Figures by name, and beside them their ratio to those of @base."""
    answer = {}
    for key, values in found.items():
        for name in ('per_s', 'cpu_s'):
            answer[f'{name}-{key}'] = values[name]
            answer[f'{name}-{key}-flat'] = values[name] / found[base][name]
    return answer


def flat_rows(keys, what, base):
    """Rows for relative(); one session is bound by its round trips, and its rate is only shown."""
    rows = []
    for key in keys:
        rows.append(Row(f'per_s-{key}', f'messages/s, {key:,} {what}'))
        rows.append(Row(f'cpu_s-{key}', f'CPU s per 1,000, {key:,} {what}'))
        if key != base:
            rows.append(Row(f'per_s-{key}-flat', f'messages/s, {key:,} {what}, as part of that at {base}',
                            Least(1 - FLAT) if key > 1 else None))
            rows.append(Row(f'cpu_s-{key}-flat', f'CPU per message, {key:,} {what}, as part of that at {base}', Most(1 + FLAT)))
    return rows


class Overload(Fresh):
    """Five times as much is offered as can be taken, by twice as many sessions as are served."""

    systems = (Ours,)
    SESSIONS, OFFERED, MESSAGES = 1000, 5, 20000

    def measure(self, system, scale):
        system.set(max_inbound_connections=self.SESSIONS)
        peak = max(system.run(messages=int(self.MESSAGES * scale), sessions=sessions, lock_step=True)['all']['per_s']
                   for sessions in (20, 20, 100, 100))
        run = system.run(messages=int(peak * 2 * ROUND_S * scale), sessions=2 * self.SESSIONS,
                         rate=self.OFFERED * peak, retry=True, lock_step=True)
        return {'peak': peak, 'per_s': run['all']['per_s'], 'kept': run['all']['per_s'] / peak,
                'accept_p99': run['accept_ms']['p99'], 'refused': run['refused']['connections']}


def stream_rows(title, times):
    return (Row('per_s', f'{title}: messages/s', Times(times)),)


S20 = (
    Row('per_s', '2 KB, 20 sessions: messages/s', Times(20)),
    Row('cpu_s', 'relay CPU s per 1,000 messages, 2 KB, 20 sessions', Part(35)),
    Row('delivery_p99', 'accept to delivery at full load, 20 sessions: p99 ms', Part(50)),
    Row('syncs', 'syncs per message, 20 sessions', Most(0.25)),
    Row('disk_kb', 'disk KB per 2 KB message, 20 sessions', Most(3.5)),
    Row('load_cpu_s', 'source and sink: CPU s per 1,000 messages'),
)
LATENCY = (
    Row('accept_p50', '100 messages/s offered: accept p50 ms', Part(3)),
    Row('accept_p99', '100 messages/s offered: accept p99 ms', Part(5)),
    Row('delivery_p50', '100 messages/s offered: accept to delivery p50 ms', Part(3)),
    Row('delivery_p99', '100 messages/s offered: accept to delivery p99 ms', Part(5)),
)
QUEUE = (
    Row('fill', 'next hop down: accepted/s', Times(15)),
    Row('full', 'next hop down, all queued: PSS MB', Most(60)),
    Row('banner', 'start with all queued: s to banner', Most(0.3)),
    Row('first', 'start with all queued: s to first delivery', Most(0.5)),
    Row('drain', 'drain after that start: messages/s', Times(10)),
)
OVERLOAD = (
    Row('peak', 'overload: messages/s at best'),
    Row('per_s', 'overload: messages/s, five times as much offered'),
    Row('kept', 'overload: part of the best that is kept', Least(0.9)),
    Row('accept_p99', 'overload: accept p99 ms', Most(1000)),
    Row('refused', 'overload: connections turned away'),
)


def all_workloads(long):
    """In the order of the table. @long: with those that take more than a few minutes."""
    queues = FLAT_QUEUES if long else FLAT_QUEUES[:-1]
    return (
        Latency('latency', LATENCY),  # while the disk is still quiet
        Stream('s20', S20, 1000),
        Stream('s1', stream_rows('2 KB, 1 session', 5), 500, sessions=1),
        Stream('s100', stream_rows('2 KB, 100 sessions', 25), 1000, sessions=100),
        Stream('s1000', (*stream_rows('2 KB, 1000 sessions', 25),
                         Row('delivery_p99', 'accept to delivery at full load, 1000 sessions: p99 ms', Part(25))),
               2000, sessions=1000),
        Stream('bdat', stream_rows('2 KB, 20 sessions, the next hop offers CHUNKING', 20), 1000, chunking=True),
        Stream('m1-s20', stream_rows('one message per connection, 20 sessions', 12), 500, per_connection=1),
        Stream('m1-s100', stream_rows('one message per connection, 100 sessions', 12), 500, per_connection=1,
               sessions=100),
        Stream('50k', stream_rows('50 KB, 20 sessions', 18), 500, octets=50000),
        Stream('5m', stream_rows('5 MB, 4 sessions', 3), 40, octets=5000000, sessions=4),
        Stream('r50', stream_rows('2 KB, 50 recipients of one domain', 60), 200, recipients=50),
        Memory('memory', (Row('idle', 'PSS idle, MB', Most(10)), Row('busy', 'PSS at 1000 sessions, MB', Most(30)))),
        Queue('queue', QUEUE),
        Rules('rules'),
        FlatSessions('flat-sessions', flat_rows(FLAT_SESSIONS, 'sessions', 20)),
        FlatQueue('flat-queue', flat_rows(queues, 'queued', 0)
                  + [Row(f'pss-{queues[-1]}', f'PSS MB, {queues[-1]:,} small ones queued')], queues),
        Overload('overload', OVERLOAD),
        Track('track'),
    )
