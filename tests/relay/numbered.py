# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbered messages: what was acknowledged, what arrived, how often, and what of it was allowed."""

import collections
import random
import re
import threading
import time

from support import Client


class Load:
    """Sessions that send one numbered message after the other and remember the acknowledged ones.

    @domains: each message goes to one of them; @sizes: octets of the content, one is drawn.
    @pause_s: what a session waits between two messages.
    """

    def __init__(self, service, domains, sessions, sizes=(0, 1000, 5000), pause_s=0.0, seed=0):
        self.service, self.domains, self.sizes, self.pause_s = service, domains, sizes, pause_s
        self.acknowledged = {}  # name -> domain
        self.refused = collections.Counter()  # code -> times
        self.stopped, self.alive = threading.Event(), threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(f'{seed}-{n}',))
                        for n in range(sessions)]

    def send(self, client, name, chance):
        domain = chance.choice(self.domains)
        body = (b'x' * 998 + b'\r\n') * (chance.choice(self.sizes) // 1000)
        _, reply = client.send('a@source.test', [f'{name}@{domain}'],
                               f'X-Name: {name}\r\n\r\n'.encode() + body)
        if reply.startswith('250'):
            self.acknowledged[name] = domain
        else:
            self.refused[reply[:3]] += 1

    def work(self, session):
        chance = random.Random(session)
        number = 0
        while not self.stopped.is_set():
            if not self.alive.wait(0.2):
                continue
            try:
                with Client(self.service.host, self.service.port, timeout_s=30) as client:
                    while self.alive.is_set() and not self.stopped.is_set():
                        number += 1
                        self.send(client, f'{session}-{number}', chance)
                        if self.pause_s:
                            time.sleep(self.pause_s)
            except (OSError, ValueError):
                self.stopped.wait(0.02)

    def __enter__(self):
        self.alive.set()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def name_of(message):
    """Of a numbered message that a sink has."""
    return message.recipients[0].split('@')[0]


def spool_id_of(message):
    """The relay's own id of it: in the Received line on top, before the token."""
    return re.search(rb'\bid ([0-9a-f]+)', message.content[:1000]).group(1).decode()


def arrivals(messages):
    """How often each name arrived; asserts that each is whole."""
    counts = collections.Counter()
    for message in list(messages):
        name = name_of(message)
        assert f'X-Name: {name}\r\n'.encode() in message.content[:2000], name
        counts[name] += 1
    return counts
