#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that leaves our organisation goes at a bounded pace, and stops where it is refused as abuse.

A host that is stopped is asked again after an hour: whatever goes to it before was asked for.  The relay that waits for
seconds instead is built for tests.
"""

import contextlib
import threading
import time

from place import Place, poll
from sink import Sink
from support import FAULTY_RELAYD, Client, Service
from tap import run

REFUSED = '550 5.7.1 we take no mail of yours'
STOPPED = '451 4.7.1 stopped: the last {} messages were refused, the last one with ' + REFUSED
ALARM = 'The host {0}[{0}]:{1} refuses mail that leaves our organisation, the last time with 550 5.7.1'
N_CROWD = 1024 + 200  # more than wait in line for a host
LINE = 1024  # REROUTE_LIMIT_TRIES_PER_DESTINATION
PROBE_S = 2  # of the relay that is built for tests


class Host(Sink):
    """Answers each recipient as @verdict says, and notes when transactions begin."""

    def __init__(self):
        super().__init__(reply=self.judge)
        self.verdict = lambda recipient: None
        self.begun = []
        self.is_away = False
        self.hold = None  # an event that ends of messages wait for
        self.number = 0  # in the names of the domains that lead here

    def judge(self, verb, argument):
        if verb == 'MAIL':
            self.begun.append(time.monotonic())
        if verb == 'EHLO' and self.is_away:
            return '421 4.3.2 not now'
        if verb == 'DOT':
            return self.hold
        return self.verdict(argument) if verb == 'RCPT' else None

    def refuse(self, reply=REFUSED):
        self.verdict = lambda _: reply

    def take_all(self):
        self.verdict = lambda _: None


class World:
    """A relay, a host that mail leaves for, and the one that notices come back to."""

    def __init__(self, stack, name, **options):
        self.stack = stack
        self.home = stack.enter_context(Sink())
        self.service = stack.enter_context(Service(stack.enter_context(Place(name)), **options))
        self.service.set('retry-intervals', '1h')
        self.service.add_connection('back.test', f'--host={self.home.endpoint}')
        self.n_hosts = 0

    def host(self, number=1):
        """So many hosts, an entry out.test that leaves for them in order, and in.test that does not leave."""
        hosts = [self.stack.enter_context(Host()) for _ in range(number)]
        self.n_hosts += 1
        for name, leaves in (('out', 'yes'), ('in', 'no')):
            self.service.add_connection(f'{name}{self.n_hosts}.test', f'--leaves={leaves}',
                                        '--host=' + ','.join(host.endpoint for host in hosts))
        for host in hosts:
            host.number = self.n_hosts
        self.service.wait_applied()
        return hosts if number > 1 else hosts[0]

    def set(self, **settings):
        for key, value in settings.items():
            self.service.set(key.replace('_', '-'), str(value))
        self.service.wait_applied()

    def send(self, host, number=1, recipients=1, name='out'):
        with Client(self.service.host, self.service.port) as client:
            for _ in range(number):
                rcpts, reply = client.send('a@back.test', [f'u{n}@{name}{host.number}.test' for n in range(recipients)],
                                           b'Subject: x\r\n\r\nhello\r\n')
                assert reply.startswith('250'), (rcpts, reply)

    def refused(self, host, number=1, **options):
        """So many, one after the other, are asked about and come back."""
        for _ in range(number):
            before = len(self.home.messages)
            n_begun = len(host.begun)
            self.send(host, **options)
            poll('a notice', lambda: len(self.home.messages) > before)    # pylint: disable=cell-var-from-loop
            assert len(host.begun) == n_begun + 1, host.conversations

    def waits(self, number, text):
        """So many wait, each for that."""
        def find():
            replies = [recipient['last_reply'] for message in self.service.queued()
                       for recipient in message['recipients']]
            return len(replies) == number and all(text in (reply or '') for reply in replies)
        poll(f'{number} to wait for “{text}”', find, step_s=0.1)

    def alarm(self, host):
        """What the prompt says of it; None: nothing."""
        found = [alarm for alarm in self.service.ctl_json('status')['relay']['alarms']
                 if alarm['alarm'] == 'leaving-stop' and f':{host.port}' in alarm['subject']]
        assert all(ALARM.format(host.host, host.port) in alarm['sentence'] for alarm in found), found
        return found or None


def check_pace(host, rate, began):
    """At no time more have begun than the tokens that there were by then."""
    for number, when in enumerate(host.begun, 1):
        assert number <= rate + rate * (when - began), (number, when - began)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack, 'leaving')

        counted = world.host()

        def test_count():
            """Not enough of them; the last test goes on with it."""
            counted.refuse()
            world.set(leaving_stop=3)
            world.refused(counted, 2)
            assert world.alarm(counted) is None

        def test_pace():
            """A second's worth goes at once, the rest as the seconds pass; all of it arrives."""
            world.set(leaving_rate=5)
            host = world.host()
            began = time.monotonic()
            world.send(host, 25)
            poll('all of them', lambda: len(host.messages) == 25)
            check_pace(host, 5, began)
            world.service.wait_empty()

        def test_other_mail():
            """What waits for its turn keeps no other mail of the host waiting; another pace acts at once."""
            world.set(leaving_rate=1)
            host = world.host()
            world.send(host, 100)
            world.send(host, 30, name='in')
            poll('the other mail', lambda: sum('@in' in rcpt for rcpt in host.recipients()) == 30)
            assert len(host.messages) < 100, len(host.messages)
            world.set(leaving_rate=0)
            poll('the rest', lambda: len(host.messages) == 130)
            world.service.wait_empty()

        def test_crowd():
            """More wait than the line has room for."""
            world.set(leaving_rate=400)
            host = world.host()
            began = time.monotonic()
            world.send(host, N_CROWD)
            poll('all of them', lambda: len(host.messages) == N_CROWD)
            check_pace(host, 400, began)
            world.service.wait_empty()

        def test_who_is_parked_behind_a_crowd_that_goes():
            """Nothing is under way then that would make room for them when it ends."""
            world.set(leaving_rate=20)
            host = world.host()
            world.send(host, N_CROWD)
            waiting = sorted(message['id'] for message in world.service.queued())
            n_parked = (N_CROWD - LINE) // 4  # the others may have followed what went at once
            world.service.ctl('queue', 'delete', *waiting[:-n_parked])
            poll('the others', lambda: not world.service.queued(), 30)
            assert len(host.messages) >= n_parked, len(host.messages)

        def test_other_mail_that_waits_no_more():
            """One connection, which the lane leaves to the other mail of the host; that is deleted."""
            world.set(leaving_rate=100, max_connections_per_host=1)
            host, hold = world.host(), threading.Event()
            host.hold = hold
            world.send(host)
            poll('the first', lambda: host.begun)
            world.send(host, 3, name='in')
            world.send(host, 3)
            others = [message['id'] for message in world.service.queued()
                      if any(recipient['address'].split('@')[1].startswith('in') for recipient in message['recipients'])]
            world.service.ctl('queue', 'delete', *others)
            hold.set()
            poll('those that leave', lambda: len(host.messages) == 4)
            world.set(max_connections_per_host=20)

        def test_stop():
            """So many in a row, and no more: what comes then waits, and other mail of the host goes."""
            world.set(leaving_rate=10, leaving_stop=4)
            host = world.host()
            host.refuse()
            world.refused(host, 3, recipients=3)
            assert world.alarm(host) is None
            world.refused(host)
            world.send(host, 3)
            world.waits(3, STOPPED.format(4))
            assert len(host.begun) == 4, host.conversations
            poll('the alarm', lambda: world.alarm(host))
            host.take_all()
            world.send(host, 5, name='in')
            poll('the other mail', lambda: len(host.messages) == 5)
            assert len(host.begun) == 9, host.conversations

        def test_retry():
            """One is tried at once: refused, the others wait on; taken, they all go, whichever was asked for."""
            world.set(leaving_stop=2)
            host = world.host()
            host.refuse()
            world.service.ctl('queue', 'delete', '--all')
            world.refused(host, 2)
            world.send(host, 10)
            world.waits(10, STOPPED.format(2))
            poll('the alarm', lambda: world.alarm(host))
            world.service.ctl('queue', 'retry', '--all')
            world.waits(9, STOPPED.format(2))
            assert len(host.begun) == 3, host.conversations
            host.take_all()
            world.service.ctl('queue', 'retry', str(world.service.queued()[4]['id']))
            poll('the others', lambda: len(host.messages) == 9)
            poll('the end of the alarm', lambda: world.alarm(host) is None)
            world.send(host)
            poll('another one', lambda: len(host.messages) == 10)
            world.service.wait_empty()

        def test_what_does_not_count():
            """Other refusals, and those of mail that stays with us, stop nothing."""
            world.set(leaving_stop=2)
            host = world.host()
            host.refuse('550 5.1.1 no such user')
            world.refused(host, 4)
            host.refuse('450 4.7.1 come again')
            world.send(host, 4)
            world.waits(4, '450 4.7.1 come again')
            world.service.ctl('queue', 'delete', '--all')
            host.refuse()
            world.refused(host, 4, name='in')
            world.refused(host)
            host.take_all()
            world.send(host)
            poll('it', lambda: len(host.messages) == 1)
            assert world.alarm(host) is None

        def test_taken_begins_anew():
            """Also when it is taken for one recipient of several."""
            world.set(leaving_stop=3)
            host = world.host()
            host.refuse()
            world.refused(host, 2)
            host.verdict = lambda recipient: None if 'u1@' in recipient else REFUSED
            world.refused(host, recipients=2)
            host.refuse()
            world.refused(host, 2)
            host.take_all()
            world.send(host)
            poll('it', lambda: len(host.messages) == 2)

        def test_several_hosts():
            """What the first host of an entry refuses is not sent to the second."""
            world.set(leaving_stop=2)
            first, second = world.host(2)
            first.refuse()
            world.refused(first, 2)
            world.send(first, 3)
            world.waits(3, STOPPED.format(2))
            assert not second.conversations, second.conversations
            world.service.ctl('queue', 'delete', '--all')

        def test_the_first_of_several_is_back():
            """What the second one refused while the first was away says nothing against the first."""
            world.set(leaving_stop=2)
            first, second = world.host(2)
            first.is_away = True
            second.refuse()
            world.refused(second, 2)
            world.send(first)
            world.waits(1, STOPPED.format(2))
            first.is_away = False
            world.service.ctl('queue', 'retry', '--all')
            poll('it to come to the first', lambda: first.messages)
            assert len(second.begun) == 2, second.conversations
            world.service.wait_empty()

        def test_without_pace():
            """A stop is one without a pace as well; the setting ends it, and what waits goes."""
            world.set(leaving_rate=0, leaving_stop=2)
            host = world.host()
            host.refuse()
            world.refused(host, 2)
            world.send(host, 5)
            world.waits(5, STOPPED.format(2))
            poll('the alarm', lambda: world.alarm(host))
            assert len(host.begun) == 2, host.conversations
            world.set(leaving_stop=0)
            poll('them to be asked about', lambda: len(host.begun) == 7)
            poll('the end of the alarm', lambda: world.alarm(host) is None)
            world.service.wait_empty()

        def test_the_end_of_a_stop_is_no_news_for_others():
            """What waits for other rules is not tried because of it."""
            world.set(leaving_stop=2)
            host = world.host()
            world.service.add_connection('lost.test', f'--host={host.endpoint}', '--account=missing')
            world.service.wait_applied()
            host.refuse()
            world.refused(host, 2)
            world.send(host, 2)
            world.waits(2, STOPPED.format(2))
            with Client(world.service.host, world.service.port) as client:
                client.send('a@back.test', ['u@lost.test'], b'Subject: x\r\n\r\nhello\r\n')

            def lost():
                return [recipient for message in world.service.queued() for recipient in message['recipients']
                        if recipient['address'] == 'u@lost.test' and 'no secret is kept' in (recipient['last_reply'] or '')]
            assert [recipient['tries'] for recipient in poll('why it waits', lost)] == [1]
            host.take_all()
            world.service.ctl('queue', 'retry', str(world.service.queued()[0]['id']))
            poll('the others', lambda: len(host.messages) == 2)
            assert [recipient['tries'] for recipient in lost()] == [1]
            world.service.ctl('queue', 'delete', '--all')

        def test_expiry():
            """The time of what waits runs out."""
            world.set(leaving_stop=2, message_timeout='2s')
            host = world.host()
            host.refuse()
            world.refused(host, 2)
            before = len(world.home.messages)
            world.send(host)
            poll('the notice', lambda: len(world.home.messages) > before)
            text = b' '.join(world.home.messages[-1].content.split())
            assert b'stopped: the last 2 messages were refused' in text, text
            assert len(host.begun) == 2, host.conversations
            world.set(message_timeout='5d')

        def test_probe():
            """One is tried after a while, and again; when it is taken all go."""
            patient = World(stack, 'leaving-probe', relay=FAULTY_RELAYD)
            patient.set(leaving_stop=2)
            host = patient.host()
            host.refuse()
            patient.refused(host, 2)
            patient.send(host, 6)
            poll('two probes', lambda: len(host.begun) == 4)
            stopped = host.begun[1:]
            assert all(b - a >= PROBE_S for a, b in zip(stopped, stopped[1:])), stopped
            host.refuse('450 4.2.0 come again')
            poll('a third one', lambda: len(host.begun) == 5)
            assert host.begun[4] - host.begun[3] >= PROBE_S, host.begun
            poll('the alarm', lambda: patient.alarm(host))
            host.take_all()
            poll('the others', lambda: len(host.messages) == 3)
            assert host.begun[5] - host.begun[4] >= PROBE_S, host.begun
            poll('the end of the alarm', lambda: patient.alarm(host) is None)

        def test_no_way_round_by_the_first():
            """Whoever the first one puts off does not go on to the second, though a probe of that is due."""
            patient = World(stack, 'leaving-round', relay=FAULTY_RELAYD)
            patient.set(leaving_stop=2)
            first, second = patient.host(2)
            first.refuse('451 4.7.1 greylisted')
            second.refuse()
            patient.refused(second, 2)
            time.sleep(PROBE_S + 1)
            patient.send(first, 3)
            patient.waits(3, '451 4.7.1 greylisted')
            assert len(second.begun) == 2, second.conversations

        def test_count_is_kept():
            """Though other mail and seconds have passed, and nothing waited."""
            world.set(leaving_rate=10, leaving_stop=3)
            world.refused(counted)
            poll('the alarm', lambda: world.alarm(counted))

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
