#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Most of the load the relay can take, with kills, rule changes and failing next hops: nothing is lost,
nothing grows.

usage: test_soak.py [--seconds N]     12 by default, an hour in tests/run --long
"""

import argparse
import collections
import os
import random
import re
import threading
import time

from memory import is_sanitized
from numbered import Load, arrivals
from place import IS_LONG, Place, poll
from sink import Sink
from support import RELAYD, Service
from tap import Tap

SECONDS = 3600 if IS_LONG else 12
SESSIONS = 8
SHARE = 0.8  # of the rate that was measured without a pause
CALIBRATION_S = 2
SIZES = (0, 1000, 1000, 5000, 20000, 400000)
GOOD, SHAKY, MOVED, REFUSING = 'good.test', 'shaky.test', 'moved.test', 'refusing.test'
# Growth that is not a leak: allocator, caches, the index of what waits (300 octets a message).
GROWTH_KIB, PER_QUEUED_KIB = 24 * 1024, 1.0
GROWTH_DESCRIPTORS = 64


def figures(pid):
    """(KiB of memory that only this process has, open descriptors)"""
    with open(f'/proc/{pid}/smaps_rollup', encoding='ascii') as stream:
        pss = next(int(line.split()[1]) for line in stream if line.startswith('Pss:'))
    return pss, len(os.listdir(f'/proc/{pid}/fd'))


class Soak:
    """The service, its next hops, and what happens to them."""

    def __init__(self, place, seed):
        self.chance = random.Random(seed)
        self.place = place
        self.failing = threading.Event()
        self.arrived, self.told = collections.Counter(), set()
        self.good, self.moved = Sink(take=self.take), Sink(take=self.take)
        self.shaky = Sink(take=self.take, reply=self.shake)
        self.refusing = Sink(reply=lambda verb, _: '550 5.1.1 unknown' if verb == 'RCPT' else None)
        self.notices = Sink(take=self.take_notice)
        self.service = Service(place)
        self.kills = self.changes = 0
        self.samples = []  # (KiB, descriptors) of one process
        self.worst = (0, 0)

    def take(self, message):
        self.arrived.update(arrivals([message]))

    def take_notice(self, message):
        self.told.update(re.findall(rf'^Final-Recipient: rfc822; *([^@\s]+)@{REFUSING}', message.content.decode(),
                                    re.MULTILINE | re.IGNORECASE))

    def shake(self, verb, _argument):
        """A next hop that is sometimes away for a while and sometimes says no to one."""
        if self.failing.is_set() and verb in ('CONNECT', 'MAIL', 'DOT'):
            return ('421 4.3.2 away', 'drop', '451 4.3.0 later')[('CONNECT', 'MAIL', 'DOT').index(verb)]
        return None

    def start(self):
        service = self.service
        service.start()
        for key, value in {'retry-intervals': '1s', 'max-connections-per-client': '500'}.items():
            service.set(key, value)
        for domain, sink in ((GOOD, self.good), (SHAKY, self.shaky), (MOVED, self.good),
                             (REFUSING, self.refusing), ('source.test', self.notices)):
            service.add_connection(domain, f'--host={sink.endpoint}')
        service.wait_applied()

    def kill(self):
        self.service.kill_relay()
        self.service.start_relay()
        self.kills += 1
        self.samples = []

    def change_rules(self):
        """The domain goes to the other host, and there is a new row that nobody needs."""
        target = (self.good, self.moved)[self.changes % 2]
        self.service.ctl('connections', 'edit', MOVED, f'--host={target.endpoint}')
        self.service.add_routing(f'row-{self.changes}.test', f'--reroute-to={GOOD}')
        self.service.wait_applied()
        self.changes += 1

    def sample(self):
        """Memory and descriptors of the relay that runs, against those when it had warmed up."""
        status = self.service.ctl_json('status')['relay']
        pss, descriptors = figures(self.service.relay.pid)
        self.samples.append((pss - status['messages-queued'] * PER_QUEUED_KIB, descriptors))
        if len(self.samples) < 3:
            return
        growth = self.samples[-1][0] - self.samples[2][0]
        more = self.samples[-1][1] - self.samples[2][1]
        self.worst = max(self.worst[0], growth), max(self.worst[1], more)

    def disturb(self, may_kill):
        """One event, drawn; a quarter of them kill."""
        event = self.chance.randrange(8)
        if event < 2 and may_kill:
            self.kill()
        elif event < 4:
            self.change_rules()
        elif event < 6:
            self.failing.set()
        else:
            self.failing.clear()
        self.sample()


def measure_rate(load):
    """Messages a second when nobody pauses."""
    before, start = len(load.acknowledged), time.monotonic()
    poll('the calibration', lambda: time.monotonic() > start + CALIBRATION_S, CALIBRATION_S + 5, 0.1)
    return (len(load.acknowledged) - before) / (time.monotonic() - start)


def work(soak, load, seconds):
    rate = measure_rate(load)
    load.pause_s = SESSIONS / (rate * SHARE) - SESSIONS / rate
    start = time.monotonic()
    while time.monotonic() < start + seconds:
        pause = time.monotonic() + soak.chance.uniform(0.5, 3 if seconds < 600 else 20)
        poll('the next event', lambda: time.monotonic() > pause, 60, 0.1)
        soak.sample()
        # One process lives through the last quarter: what it grows by then is a leak.
        soak.disturb(may_kill=time.monotonic() < start + 0.75 * seconds)
    soak.failing.clear()
    return rate


def account(soak, load):
    """Each acknowledged message arrived, once or more, or its sender was told, or it still waits."""
    arrived, told = soak.arrived, soak.told
    soak.service.wait_empty(300)
    poll('the sinks to have counted', lambda: set(load.acknowledged) <= set(arrived) | told, 10, 0.2)
    waiting = {recipient['address'].split('@')[0] for message in soak.service.queued()
               for recipient in message['recipients']}
    lost = set(load.acknowledged) - set(arrived) - told - waiting
    doubled = sum(count - 1 for count in arrived.values())
    unexpected = {name for name, domain in load.acknowledged.items() if (domain == REFUSING) != (name in told)}
    return {'acknowledged': len(load.acknowledged), 'arrived': len(set(arrived) & set(load.acknowledged)),
            'returned': len(told & set(load.acknowledged)), 'waiting': len(waiting),
            'duplicates': doubled, 'lost': len(lost)}, unexpected


def soak_for(seconds):
    seed = int(os.environ.get('REROUTE_TEST_SEED', random.randrange(1 << 31)))
    print(f'# REROUTE_TEST_SEED={seed}', flush=True)
    with Place('soak') as place:
        soak = Soak(place, seed)
        with soak.good, soak.moved, soak.shaky, soak.refusing, soak.notices:
            soak.start()
            with Load(soak.service, [GOOD] * 5 + [SHAKY] * 2 + [MOVED] * 2 + [REFUSING], SESSIONS, SIZES,
                      seed=seed) as load:
                rate = work(soak, load, seconds)
            counts, unexpected = account(soak, load)
            print(f'# {seconds} s at {SHARE:.0%} of {rate:.0f} messages/s: {soak.kills} kills, {soak.changes} rule '
                  f'changes, {counts}, refused with {dict(load.refused)}; most growth of one process '
                  f'{soak.worst[0]:.0f} KiB, {soak.worst[1]} descriptors', flush=True)
            assert counts['lost'] == 0 and not unexpected, sorted(unexpected)[:10]
            assert counts['acknowledged'] == counts['arrived'] + counts['returned'] + counts['waiting'], counts
            assert set(load.refused) <= {'421', '451', '452'}, load.refused
            assert is_sanitized(RELAYD) or soak.worst[0] < GROWTH_KIB, soak.worst
            assert soak.worst[1] < GROWTH_DESCRIPTORS, soak.worst
            soak.service.close()


if __name__ == '__main__':
    PARSER = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    PARSER.add_argument('--seconds', type=int, default=SECONDS)
    TAP = Tap()
    TAP.case('nothing-lost-nothing-grows', soak_for, PARSER.parse_args().seconds)
    TAP.done()
