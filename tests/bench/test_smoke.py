#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few hundred messages of every kind of the benchmark through the relay: each that was accepted arrives exactly
once, whole, at the right recipient.  Nothing here looks at a clock."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from loader import Endpoint, Load, faults  # noqa: E402
from certs import Authority  # noqa: E402
from place import Place, poll  # noqa: E402
from sink import Sink  # noqa: E402
from support import Service  # noqa: E402
from systems import Ours  # noqa: E402
from tap import Tap  # noqa: E402
from tracking import ROWS, Track  # noqa: E402

LIMIT_S = 120
QUEUED = 3000  # more than a destination holds tries for (REROUTE_LIMIT_TRIES_PER_DESTINATION)

# name: (recipients are rewritten, options of the load program)
KINDS = {
    'forward': (False, {'messages': 400}),
    'rewrite': (True, {'messages': 400}),
    'one-session': (True, {'messages': 200, 'sessions': 1}),
    'many-sessions': (True, {'messages': 600, 'sessions': 150, 'octets': 512}),
    'lock-step': (True, {'messages': 200, 'lock_step': True}),
    'one-message-per-connection': (True, {'messages': 200, 'per_connection': 1}),
    'three-messages-per-connection': (True, {'messages': 200, 'per_connection': 3, 'lock_step': True}),
    'larger': (True, {'messages': 100, 'octets': 50000}),
    'large': (True, {'messages': 6, 'octets': 5000000, 'sessions': 4}),
    'recipients': (True, {'messages': 60, 'recipients': 50}),
    'many-domains': (True, {'messages': 200, 'recipients': 3, 'domains': 100, 'to': 'd#.old.test'}),
    'many-domains-kept': (False, {'messages': 200, 'recipients': 3, 'domains': 100, 'to': 'd#.kept.test'}),
    'offered-slowly': (True, {'messages': 100, 'rate': 500}),
}


class Relay:
    """The service, with a rule for either way to the sink."""

    def __init__(self, place):
        self.place, self.sink = place, Endpoint()
        self.service = Service(place).start()
        self.service.set('max-connections-per-client', '1000')
        self.service.set('retry-intervals', '1s')
        self.service.add_routing('old.test', '--reroute-to=new.test')
        for domain in ('new.test', 'kept.test'):
            self.service.add_connection(domain, f'--host={self.sink}')
        self.service.wait_applied()

    def load(self, rewrite=True, **options):
        domains = {'to': 'old.test', 'expect': 'new.test'} if rewrite else {'to': 'kept.test'}
        return Load(self.place, f'{self.service.host}:{self.service.port}', self.sink, limit=LIMIT_S,
                    **{**domains, **options})

    def finished(self, load):
        """The figures of a run, all of whose messages were accepted and arrived."""
        figures = load.done()
        assert not faults(figures), figures
        assert figures['accepted'] == figures['arrived'] == figures['messages'], figures
        self.service.wait_empty()
        return figures


def check_kind(relay, name):
    rewrite, options = KINDS[name]
    relay.finished(relay.load(rewrite, settle_ms=20, **options))


def check_tls(relay, options):
    """In TLS on both sides: the source asks for it, and the relay sends nothing without it."""
    certificate = Authority(relay.place).issue('relay.test')
    for key, value in (('tls-certificate', certificate.path), ('tls-key', certificate.key_path),
                       ('tls-level', 'encrypted')):
        relay.service.set(key, value)
    relay.service.wait_applied()
    for more in options:
        relay.finished(relay.load(settle_ms=20, starttls=True, sink_certificate=certificate.path,
                                  sink_key=certificate.key_path, **more))
    for key in ('tls-certificate', 'tls-key', 'tls-level'):
        relay.service.ctl('settings', 'set', key)
    relay.service.wait_applied()


def check_next_hop_away(relay, mode):
    """Everything is accepted while the next hop is @mode, also across a restart, and sent when it is back."""
    load = relay.load(messages=QUEUED, octets=300, sink_mode=mode)
    sent = load.event('sent')
    assert (sent['accepted'], sent['recipients_arrived']) == (QUEUED, 0), sent
    relay.service.stop_relay()
    relay.service.start_relay()
    load.command('open')
    figures = relay.finished(load)
    assert figures['drain']['messages'] == QUEUED, figures


def check_waiting_mail_follows_new_rules(relay):
    """More waits for a host that says nothing than the relay holds tries for; all of it goes where a new rule says."""
    with Sink(reply=lambda verb, argument: 'stall' if verb == 'MAIL' else None) as stuck:
        for key in ('command-timeout', 'data-timeout'):
            relay.service.set(key, '6s')
        relay.service.add_connection('moves.test', f'--host={stuck.endpoint}')
        relay.service.wait_applied()
        load = relay.load(to='moves.test', expect='moves.test', messages=QUEUED, octets=300)
        sent = load.event('sent')
        assert (sent['accepted'], sent['recipients_arrived']) == (QUEUED, 0), sent
        relay.service.ctl('connections', 'edit', 'moves.test', f'--host={relay.sink}')
        relay.finished(load)
    for key in ('command-timeout', 'data-timeout'):
        relay.service.ctl('settings', 'set', key)


def check_next_hop_comes_and_goes(relay):
    def arrived(count):
        poll(f'{count} messages to arrive', lambda: load.status()['recipients_arrived'] >= count)

    load = relay.load(messages=300, octets=300, rate=400, stay=True)
    for count in (50, 150, 250):
        arrived(count)
        load.command('closed')
        load.command('open')
    arrived(300)
    load.command('finish')
    load_figures = load.done()
    # A reply that was lost with its connection lets the relay send a message twice, never zero times.
    assert not {name for name in faults(load_figures) if name != 'duplicated'}, load_figures
    assert load_figures['accepted'] == load_figures['arrived'] == 300, load_figures


def check_tracked(relay):
    """What became of each message is found, in pages, newest first."""
    relay.finished(relay.load(messages=1500, octets=300))
    found = relay.service.ctl_json('track', '--recipient=@new.test', '--limit=1500')
    assert len({message['id'] for message in found}) == 1500, len(found)
    assert {message['state'] for message in found} == {'sent'}
    figures = Track('track', pairs=1).with_system(Ours, 0.02)
    assert set(figures) == {row.figure for row in ROWS} and figures['octets'] > 0, figures


def check_strangers_are_refused(relay):
    figures = relay.load(to='elsewhere.test', expect='elsewhere.test', messages=20).done()
    assert not faults(figures) and figures['accepted'] == 0, figures
    assert figures['refused']['5xx'] == 20, figures


def check_too_many_sessions(relay):
    """Those over the limit are turned away with 421 and come again; nothing of theirs is lost."""
    relay.service.set('max-connections-per-client', '10')
    relay.service.wait_applied()
    figures = relay.finished(relay.load(messages=300, sessions=30, per_connection=5, retry=True, wait_ms=20))
    assert figures['refused']['connections'] > 0, figures


def main():
    tap = Tap()
    with Place('smoke') as place:
        relay = Relay(place)
        for name in KINDS:
            tap.case(name, check_kind, relay, name)
        tap.case('tls', check_tls, relay, ({'messages': 400}, {'messages': 100, 'octets': 50000, 'per_connection': 3},
                                           {'messages': 4, 'octets': 5000000, 'sessions': 2}))
        for mode in ('closed', 'refuse', 'defer'):
            tap.case(f'next-hop-{mode}', check_next_hop_away, relay, mode)
        tap.case('waiting-mail-follows-new-rules', check_waiting_mail_follows_new_rules, relay)
        tap.case('next-hop-comes-and-goes', check_next_hop_comes_and_goes, relay)
        tap.case('tracked', check_tracked, relay)
        tap.case('strangers-are-refused', check_strangers_are_refused, relay)
        tap.case('too-many-sessions', check_too_many_sessions, relay)
        relay.service.close()
    tap.done()


if __name__ == '__main__':
    main()
