#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the relay while 50 sessions send, again and again: what was acknowledged arrives."""

import os
import random

from numbered import Load, arrivals
from place import IS_LONG, Place, poll
from sink import Sink
from support import Service
from tap import run

SESSIONS = 50
ROUNDS = 100 if IS_LONG else 10
SIZES = (0, 1000, 5000, 5000, 400000)


def test_acknowledged_mail_survives_kill_9():
    seed = int(os.environ.get('REROUTE_TEST_SEED', random.randrange(1 << 31)))
    print(f'# REROUTE_TEST_SEED={seed}')
    chance = random.Random(seed)
    with Place('kill9') as place, Sink() as sink:
        service = Service(place).start()
        service.set('retry-intervals', '1s')
        service.set('max-connections-per-client', '200')
        service.add_connection('kill.test', f'--host={sink.endpoint}')
        service.wait_applied()
        with Load(service, ['kill.test'], SESSIONS, SIZES, seed=seed) as load:
            for _ in range(ROUNDS):
                before = len(load.acknowledged)
                load.alive.set()
                poll('mail to flow', lambda: len(load.acknowledged) > before + SESSIONS)
                poll('a moment to kill in', lambda: chance.random() < 0.05)
                load.alive.clear()
                service.kill_relay()
                service.start_relay()
        service.wait_empty(180)
        poll('the last message', lambda: set(load.acknowledged) <= set(arrivals(sink.messages)), 120, 0.5)
        arrived = arrivals(sink.messages)
        twice = sum(count - 1 for count in arrived.values())
        print(f'# {ROUNDS} kills, {len(load.acknowledged)} acknowledged, {len(arrived)} arrived, 0 lost, '
              f'{twice} duplicates')
        service.close()


if __name__ == '__main__':
    run(test_acknowledged_mail_survives_kill_9)
