#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log as journald gets it: an entry with fields for each arrival and for each recipient and try."""

import json
import os

from place import Place, poll
from sink import Sink
from support import RELAYD, Service, send
from tap import Skip, Tap

REFUSED = '550 5.1.1 No such user "REROUTE_STATUS=sent"'


def answer(verb, argument):
    return REFUSED if verb == 'RCPT' and 'bad@' in argument else None


class World:
    def __init__(self, place, sink):
        self.file = place.write('', 'journal')
        self.service = Service(place, relay=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'journald.py'))
        self.service.relay_environment = {'JOURNAL': self.file, 'RELAYD': RELAYD}
        self.sink = sink

    def entries(self, **fields):
        """Those in which @fields stand."""
        with open(self.file, encoding='utf-8') as stream:
            found = [json.loads(line) for line in stream]
        return [entry for entry in found if all(entry.get(f'REROUTE_{name.upper()}') == value for name, value in fields.items())]


def test_every_line_is_an_entry(world):
    """Also those without fields of their own; none comes as a mere line."""
    entry, = (each for each in world.entries() if 'receiving on' in each.get('MESSAGE', ''))
    assert (entry['PRIORITY'], entry['SYSLOG_IDENTIFIER']) == ('5', 'reroute-relayd'), entry
    assert entry['MESSAGE'].startswith('reroute-relay: receiving on '), entry
    assert not [each for each in world.entries() if 'LINE' in each]


def test_fields(world):
    number = send(world.service, 'anna@from.test', ['one@old.test', 'bad@old.test'])[1].split()[-1]
    poll('both deliveries', lambda: len(world.entries(id=number)) == 3)
    accepted, *_ = world.entries(id=number)
    assert accepted['REROUTE_STATUS'] == 'accepted' and accepted['REROUTE_SENDER'] == 'anna@from.test', accepted
    assert (accepted['REROUTE_CLIENT'], accepted['REROUTE_HELO']) == ('127.0.0.1', 'client.test'), accepted
    sent, = world.entries(id=number, status='sent')
    assert (sent['REROUTE_RECIPIENT'], sent['REROUTE_RCPT_OUT']) == ('one@old.test', 'one@new.test'), sent
    assert sent['REROUTE_ENTRY'] == 'connections new.test' and sent['REROUTE_DSN'] == '2.0.0', sent
    assert str(world.sink.port) in sent['REROUTE_RELAY'] and float(sent['REROUTE_DELAY']) >= 0, sent
    assert 'REROUTE_TLS' not in sent and f'id={number} to=<one@new.test>' in sent['MESSAGE'], sent


def test_words_of_others_make_no_field(world):
    failed, = world.entries(status='failed')
    assert failed['REROUTE_REPLY'] == REFUSED and failed['REROUTE_SENDER'] == 'anna@from.test', failed


def main():
    tap = Tap()
    try:
        if os.geteuid() != 0:
            raise Skip('only root has a /run of its own')
        with Place('journal') as place, Sink(reply=answer) as sink:
            world = World(place, sink)
            with world.service as service:
                service.add_routing('old.test', '--reroute-to=new.test')
                service.add_connection('new.test', f'--host={sink.endpoint}')
                service.set('default-delivery', sink.endpoint)
                service.wait_applied()
                for name, case in list(globals().items()):
                    if name.startswith('test_'):
                        tap.case(name.removeprefix('test_').replace('_', '-'), case, world)
    except Skip as reason:
        tap.skip('journal', reason)
    tap.done()


if __name__ == '__main__':
    main()
