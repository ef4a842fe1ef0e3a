#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the relay while 50 sessions send, ten times in a row: what was acknowledged arrives."""

import collections
import random
import threading

from place import Place, poll
from sink import Sink
from support import Client, Service
from tap import run

SESSIONS = 50
ROUNDS = 10


class Load:
    """Sessions that send one numbered message after the other and remember the acknowledged ones."""

    def __init__(self, service):
        self.service = service
        self.acknowledged = set()
        self.stopped = threading.Event()
        self.alive = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(n,)) for n in range(SESSIONS)]

    def work(self, session):
        chance = random.Random(session)
        number = 0
        while not self.stopped.is_set():
            if not self.alive.wait(0.2):
                continue
            try:
                with Client(self.service.host, self.service.port, timeout_s=30) as client:
                    while not self.stopped.is_set():
                        number += 1
                        name = f'{session}-{number}'
                        size = chance.choice((0, 1000, 5000, 5000, 400000))
                        body = (b'x' * 998 + b'\r\n') * (size // 1000)
                        content = f'X-Name: {name}\r\n\r\n'.encode() + body
                        _, reply = client.send('a@source.test', [f'{name}@kill.test'], content)
                        if reply.startswith('250'):
                            self.acknowledged.add(name)
            except (OSError, ValueError):
                pass

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def test_acknowledged_mail_survives_kill_9():
    chance = random.Random(9)
    with Place('kill9') as place, Sink() as sink:
        service = Service(place).start()
        service.set('retry-intervals', '1s')
        service.set('max-connections-per-client', '200')
        service.add_connection('kill.test', f'--host={sink.endpoint}')
        service.wait_applied()
        with Load(service) as load:
            for _ in range(ROUNDS):
                before = len(load.acknowledged)
                load.alive.set()
                poll('mail to flow', lambda: len(load.acknowledged) > before + SESSIONS)
                poll('a moment to kill in', lambda: chance.random() < 0.05)
                load.alive.clear()
                service.kill_relay()
                service.start_relay()
        service.wait_empty(180)
        poll('the last message', lambda: load.acknowledged <= {
            message.recipients[0].split('@')[0] for message in list(sink.messages)}, 120, 0.5)
        arrived = collections.Counter(recipient.split('@')[0] for recipient in sink.recipients())
        lost = load.acknowledged - set(arrived)
        twice = sum(count - 1 for count in arrived.values())
        print(f'# {ROUNDS} kills, {len(load.acknowledged)} acknowledged, {len(arrived)} arrived, '
              f'{len(lost)} lost, {twice} duplicates')
        assert not lost, sorted(lost)[:10]
        for message in sink.messages:
            name = message.recipients[0].split('@')[0]
            assert f'X-Name: {name}\r\n'.encode() in message.content[:2000], name
        service.close()


if __name__ == '__main__':
    run(test_acknowledged_mail_survives_kill_9)
