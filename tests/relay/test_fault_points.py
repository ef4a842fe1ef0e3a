#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at every step of the spool's state table: what was acknowledged arrives.

The steps are those of data/man/reroute-spool.5.  A message may arrive twice only when the relay
did not yet call its delivery durable: the test's relay writes down what it did (fault-point.c).
"""

import os
import random
import re
import signal
import subprocess

from numbered import Load, arrivals, spool_id_of
from place import IS_LONG, ROOT, Place, free_port, poll
from sink import Sink
from support import FAULTY_RELAYD, RELAYD, Service
from tap import run

ROUNDS = 20 if IS_LONG else 1
SESSIONS = 6
SEGMENT_OCTETS = 256 * 1024
SIZES = (0, 1000, 20000, 20000, 60000, 300000)
# Reached while the relay stops, at its first start, after damage, or when the disk fails.
AT_STOP, AT_FIRST_START, AFTER_DAMAGE, ON_FAILED_SYNC = (
    'closing', 'token-written', 'damage-set-aside', 'segment-abandoned')
ONCE = (AT_STOP, AT_FIRST_START, ON_FAILED_SYNC, 'journal-read')


def steps():
    """Names in the state table of the man page."""
    with open(os.path.join(ROOT, 'data', 'man', 'reroute-spool.5'), encoding='utf-8') as stream:
        table = re.search(r'^\.Sh STATES\n(.*?)^\.Sh', stream.read(), re.MULTILINE | re.DOTALL)
    return re.findall(r'^\.It Li ([a-z-]+)$', table.group(1), re.MULTILINE)


def points():
    """Names in the sources."""
    folder = os.path.join(ROOT, 'service', 'relay', 'spool')
    found = []
    for name in sorted(os.listdir(folder)):
        if name.endswith('.c'):
            with open(os.path.join(folder, name), encoding='utf-8') as stream:
                found += re.findall(r'REROUTE_FAULT_POINT \("([a-z-]+)"\)', stream.read())
    return found


def test_every_step_of_the_table_has_its_point():
    assert len(points()) > 20 and len(set(points())) == len(points()), points()
    assert sorted(steps()) == sorted(points()), set(steps()) ^ set(points())


def test_the_product_has_none():
    with open(RELAYD, 'rb') as stream:
        octets = stream.read()
    with open(FAULTY_RELAYD, 'rb') as stream:
        faulty = stream.read()
    for word in [b'REROUTE_FAULT_POINT', b'REROUTE_DISK_FAULT'] + [point.encode() for point in points()]:
        assert word in faulty, word
        assert word not in octets or word == b'closing', word


class Trial:
    """One service that dies again and again; its mail for stuck.test stays in the queue."""

    def __init__(self, place, sink, chance):
        self.place, self.sink, self.chance = place, sink, chance
        self.service = Service(place, relay=FAULTY_RELAYD)
        self.recorded = place.join('recorded')
        self.disk_fault = place.join('disk-fault')
        self.stuck_port = free_port()
        self.service.relay_environment = {
            'REROUTE_SEGMENT_OCTETS': str(SEGMENT_OCTETS),
            'REROUTE_RECORDED': self.recorded,
            'REROUTE_DISK_FAULT': self.disk_fault,
        }

    def start(self):
        self.service.start()
        self.service.set('retry-intervals', '1s')
        self.service.set('max-connections-per-client', '200')
        self.service.add_connection('kill.test', f'--host={self.sink.endpoint}')
        self.service.add_connection('stuck.test', f'--host=127.0.0.1:{self.stuck_port}')
        self.service.wait_applied()

    def spoil(self):
        """A bit of a record that is known to be synced: the relay must find it at its start."""
        folder = self.service.spool
        path = os.path.join(folder, min(name for name in os.listdir(folder) if name.startswith('journal-')))
        with open(path, 'r+b') as stream:
            stream.seek(4096 + 8)
            octet = stream.read(1)[0]
            stream.seek(4096 + 8)
            stream.write(bytes([octet ^ 1]))

    def died(self):
        status = self.service.relay.poll()
        assert status in (None, -signal.SIGKILL), status
        return status is not None

    def died_of_a_sync(self):
        """Lets the disk fail and recover in turns: one that fails for good starts no segment to abandon."""
        if os.path.exists(self.disk_fault):
            os.unlink(self.disk_fault)
        else:
            self.place.write('sync', 'disk-fault')
        return self.died()

    def die_at(self, step, load):
        """Starts a relay that dies at @step and sends mail until it did."""
        n = 1 if step in ONCE else self.chance.randint(1, 3)
        self.service.relay_environment['REROUTE_FAULT_POINT'] = f'{step}:{n}'
        if step == AT_FIRST_START:
            os.unlink(os.path.join(self.service.spool, 'token'))
        self.service.spawn_relay()
        load.alive.set()
        if step in (AT_STOP, ON_FAILED_SYNC):
            before = len(load.acknowledged)
            poll('mail to flow', lambda: len(load.acknowledged) > before + SESSIONS)
        if step == AT_STOP:
            self.service.relay.send_signal(signal.SIGTERM)
        if step == ON_FAILED_SYNC:
            poll(f'the relay to die at {step}', self.died_of_a_sync, 60, 0.2)
        else:
            poll(f'the relay to die at {step}', self.died, 60)
        load.alive.clear()
        del self.service.relay_environment['REROUTE_FAULT_POINT']
        if os.path.exists(self.disk_fault):
            os.unlink(self.disk_fault)
        self.place.end(self.service.relay)
        poll('the sink to have read what was under way', lambda: not self.sink.n_sessions)

    def durable(self):
        """Ids of messages whose delivery was called durable."""
        if not os.path.exists(self.recorded):
            return set()
        with open(self.recorded, encoding='ascii') as stream:
            return set(stream.read().split())


def judge(trial, load, deaths):
    """Nothing is lost, and each duplicate had a reason; how many there were at which step.

    @deaths: (step, messages that had arrived, ids called durable until then), in order.
    """
    trial.service.wait_empty(120)
    arrived = arrivals(trial.sink.messages)
    lost = set(load.acknowledged) - set(arrived)
    assert not lost, sorted(lost)[:10]
    duplicates, seen = {}, {}
    for index, message in enumerate(trial.sink.messages):
        identity = spool_id_of(message)
        if identity in seen:
            step, durable = next((step, durable) for step, n_arrived, durable in deaths
                                 if seen[identity] < n_arrived)
            assert identity not in durable, f'{identity} went again though its verdict was durable'
            duplicates[step] = duplicates.get(step, 0) + 1
        seen[identity] = index
    return len(arrived), duplicates


def test_killed_at_every_step():
    seed = int(os.environ.get('REROUTE_TEST_SEED', random.randrange(1 << 31)))
    print(f'# REROUTE_TEST_SEED={seed}')
    chance = random.Random(seed)
    with Place('points') as place, Sink() as sink:
        trial = Trial(place, sink, chance)
        trial.start()
        trial.service.stop_relay()
        deaths = []
        load = Load(trial.service, ['kill.test'] * 9 + ['stuck.test'], SESSIONS, SIZES, seed=seed)
        with load:
            for step in steps() * ROUNDS:
                if step == AFTER_DAMAGE:
                    continue
                trial.die_at(step, load)
                deaths.append((step, len(sink.messages), trial.durable()))
        trial.service.start_relay()
        with Sink(port=trial.stuck_port) as stuck:
            poll('what was stuck', lambda: {name for name, domain in load.acknowledged.items()
                                            if domain == 'stuck.test'} <= set(arrivals(stuck.messages)), 120, 0.2)
            sink.messages.extend(stuck.messages)
            n_arrived, duplicates = judge(trial, load, deaths)
        print(f'# {len(deaths)} kills, {len(load.acknowledged)} acknowledged, {n_arrived} arrived, 0 lost, '
              f'duplicates before their verdict was durable: {sum(duplicates.values())} {duplicates}')
        trial.service.close()


def test_killed_while_damage_is_set_aside():
    """The one step after which something may be missing: the record that the disk spoiled."""
    with Place('damage') as place, Sink() as sink:
        trial = Trial(place, sink, random.Random(1))
        trial.start()
        load = Load(trial.service, ['stuck.test'], SESSIONS)
        with load:
            poll('mail in the queue', lambda: len(load.acknowledged) > 50)
        trial.service.stop_relay()
        trial.spoil()
        trial.service.relay_environment['REROUTE_FAULT_POINT'] = f'{AFTER_DAMAGE}:1'
        trial.service.spawn_relay()
        poll('the relay to die', trial.died)
        del trial.service.relay_environment['REROUTE_FAULT_POINT']
        kept = [name for name in os.listdir(trial.service.spool) if name.startswith('damaged-')]
        assert len(kept) == 1, kept
        check = subprocess.run([RELAYD, '--check', f'--spool={trial.service.spool}'], check=False,
                               capture_output=True, text=True)
        assert check.returncode == 1 and kept[0] in check.stdout, check
        trial.service.start_relay()
        with Sink(port=trial.stuck_port) as stuck:
            poll('all but what was spoiled', lambda: len(
                set(load.acknowledged) - set(arrivals(stuck.messages))) <= 1, 60, 0.1)
            trial.service.wait_empty()
        trial.service.close()


if __name__ == '__main__':
    run(*[function for name, function in list(globals().items()) if name.startswith('test_')])
