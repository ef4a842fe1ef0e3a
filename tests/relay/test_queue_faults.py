#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of mail that waits, and of what an administrator did with it, when the disk is full, the relay is killed
or the clock was wrong."""

import contextlib
import datetime
import os
import re
import time

from place import Place, free_port, poll
from sink import Sink
from support import FAULTY_RELAYD, Dns, Service, send
from tap import Tap

SENDER = 'sender@back.test'
CONTENT = b'Subject: waits\r\n\r\nbody\r\n'
DAY_S = 86400
AHEAD_S = 10 * 365 * DAY_S
REPORT_SPREAD_S = 4 * 3600  # behind midnight


class World:
    """Mail for wait.test goes to a host that puts it off until it is opened, for back.test to one that takes it."""

    def __init__(self, stack):
        self.stack = stack
        self.open = False
        self.place = stack.enter_context(Place('queue-faults'))
        self.fault = self.place.join('fault')
        self.ahead = self.place.join('ahead')
        self.service = Service(self.place, relay=FAULTY_RELAYD)
        self.service.relay_environment = {'REROUTE_DISK_FAULT': self.fault, 'REROUTE_CLOCK_AHEAD': self.ahead}
        stack.enter_context(self.service)
        self.wait = stack.enter_context(Sink(reply=self.answer))
        self.back = stack.enter_context(Sink())
        for domain, endpoint in (('wait', self.wait.endpoint), ('back', self.back.endpoint)):
            self.service.add_connection(f'{domain}.test', f'--host={endpoint}')
        self.service.wait_applied()

    def answer(self, verb, _argument):
        return '451 4.7.1 Greylisted' if verb == 'RCPT' and not self.open else None

    def defer(self, label):
        """The id of a message that waits for LABEL@wait.test."""
        assert send(self.service, SENDER, [f'{label}@wait.test'], CONTENT)[1].startswith('250')

        def deferred():
            return [message['id'] for message in self.service.queued() for recipient in message['recipients']
                    if recipient['address'] == f'{label}@wait.test' and recipient['tries']]
        return poll('the message to wait', deferred)[0]

    def do(self, verb, *numbers):
        assert self.service.ctl_json('queue', verb, *numbers)['count'] == len(numbers), (verb, numbers)

    def cannot(self, verb, number, why):
        said = self.service.ctl('queue', verb, number, status=1)
        assert why in said, said

    def states(self):
        """Of each message; those of the queue alone."""
        return {message['id']: message['recipients'][0]['state'] for message in self.service.queued()}

    def n_tries(self, number):
        return next(message['recipients'][0]['tries'] for message in self.service.queued() if message['id'] == number)

    def n_notices(self):
        """Those that came, each once: one that was taken when the relay was killed comes again (RFC 1047)."""
        return len({re.search(rb'^Message-ID: (\S+)', message.content, re.MULTILINE | re.IGNORECASE)[1]
                    for message in self.back.messages})

    def expiries(self, address):
        """When the log said that the time of @address was over."""
        with open(self.place.join('relayd.log'), encoding='utf-8') as stream:
            found = re.findall(rf'^(\S+ \S+) .* to=<{re.escape(address)}> .* status=expired', stream.read(), re.MULTILINE)
        return [datetime.datetime.fromisoformat(when).timestamp() for when in found]

    def crash(self):
        self.service.kill_relay()
        self.service.start_relay()

    def fill_disk(self):
        os.rename(self.place.write('full', 'fault.new'), self.fault)

    def empty_disk(self):
        os.unlink(self.fault)

    def hide_journal(self):
        """What is not in memory cannot be read."""
        for name in os.listdir(self.service.spool):
            if name.startswith('journal-'):
                os.rename(os.path.join(self.service.spool, name), os.path.join(self.service.spool, f'away-{name}'))

    def show_journal(self):
        for name in os.listdir(self.service.spool):
            if name.startswith('away-'):
                os.rename(os.path.join(self.service.spool, name),
                          os.path.join(self.service.spool, name.removeprefix('away-')))

    def put_clock_ahead(self, seconds=AHEAD_S):
        os.rename(self.place.write(str(seconds), 'ahead.new'), self.ahead)

    def set_clock_right(self):
        os.unlink(self.ahead)

    def deliver(self):
        """Opens the host; who got mail until the queue was empty."""
        del self.wait.messages[:]
        self.open = True
        self.service.ctl('queue', 'retry', '--all')
        self.service.wait_empty()
        self.open = False
        return sorted(self.wait.recipients())


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_what_was_done_outlasts_a_crash():
            held, released, deleted, returned = (world.defer(label) for label in ('h', 'r', 'd', 'b'))
            world.do('hold', released)
            world.do('return', returned)
            world.do('release', released)
            world.do('delete', deleted)
            world.do('hold', held)
            world.crash()
            poll('the notice', lambda: world.back.messages)
            poll('what was returned to leave', lambda: set(world.states()) == {held, released})
            world.open = True
            service.ctl('queue', 'retry', '--all')
            poll('the released one to leave', lambda: world.states() == {held: 'held'})
            world.open = False
            assert world.wait.recipients() == ['r@wait.test'], world.wait.recipients()
            world.do('release', held)
            assert world.deliver() == ['h@wait.test']
            assert world.n_notices() == 1, 'there are two notices'

        def test_nothing_is_half_done_on_a_full_disk():
            held, deleted, returned = (world.defer(label) for label in ('h', 'd', 'b'))
            del world.back.messages[:]
            world.fill_disk()
            # A notice has to be written before its message may go.
            world.cannot('return', returned, 'stays in the queue')
            assert world.states() == {held: 'waiting', deleted: 'waiting', returned: 'waiting'}
            world.cannot('hold', held, 'may undo it')
            world.cannot('delete', deleted, 'may undo it')
            assert world.states() == {held: 'held', returned: 'waiting'}
            world.crash()
            # It was said so: nothing of it was on the disk.
            assert world.states() == {held: 'waiting', deleted: 'waiting', returned: 'waiting'}
            world.cannot('hold', held, 'may undo it')
            world.cannot('delete', deleted, 'may undo it')
            world.empty_disk()
            # What comes behind them is written behind them.
            world.do('return', returned)
            world.crash()
            poll('what was returned to leave', lambda: world.states() == {held: 'held'})
            poll('the notice', lambda: world.back.messages)
            world.do('release', held)
            assert world.deliver() == ['h@wait.test']
            assert world.n_notices() == 1, 'there are two notices'

        def test_killed_between_a_notice_and_its_verdict():
            number = world.defer('b')
            del world.back.messages[:]
            service.kill_relay()
            service.relay_environment['REROUTE_FAULT_POINT'] = 'verdict-known:1'
            service.start_relay()
            service.ctl('queue', 'return', number, status=1)
            service.relay.wait()
            del service.relay_environment['REROUTE_FAULT_POINT']
            service.start_relay()
            poll('the notice to leave', lambda: world.back.messages and set(world.states()) == {number})
            assert world.states() == {number: 'waiting'}
            world.do('delete', number)
            service.wait_empty()
            assert world.n_notices() == 1, 'there are two notices'

        def test_what_a_clock_that_was_ahead_has_put_off():
            service.set('retry-intervals', '1s')
            service.wait_applied()
            for label in ('running', 'restarted'):
                world.put_clock_ahead()
                world.defer(label)
                if label == 'restarted':
                    service.stop_relay()
                world.set_clock_right()
                world.open = True
                if label == 'restarted':
                    service.start_relay()
                service.wait_empty()
                world.open = False
                assert f'{label}@wait.test' in world.wait.recipients(), world.wait.recipients()

        def test_the_time_of_mail_from_a_clock_that_was_ahead():
            del world.back.messages[:]
            world.put_clock_ahead()
            world.defer('late')
            world.set_clock_right()
            oldest_us = service.ctl_json('status')['relay']['oldest-us']
            assert 0 < oldest_us < (time.time() + AHEAD_S / 2) * 1e6, oldest_us
            service.set('message-timeout', '1s')
            poll('the notice', lambda: world.back.messages)
            service.wait_empty()

        def test_a_clock_that_goes_ahead():
            """What has waited here for seconds is not given up for it, nor is its sender told of a delay."""
            service.set('message-timeout', '5d')
            service.set('retry-intervals', '1s')
            service.wait_applied()
            del world.back.messages[:]
            number = world.defer('sudden')
            world.put_clock_ahead()
            for _ in range(2):
                n_tries = world.n_tries(number)
                world.do('retry', number)
                poll('a try', lambda: world.n_tries(number) > n_tries)  # pylint: disable=cell-var-from-loop
            assert world.states() == {number: 'waiting'} and not world.back.messages
            world.set_clock_right()
            world.open = True
            service.wait_empty()
            world.open = False
            assert 'sudden@wait.test' in world.wait.recipients()

        def test_tls_reports_behind_a_clock_that_was_ahead():
            """The report of a day is sent behind its midnight, whatever was tried while the clock was ahead."""
            port = free_port()
            dns = Dns(world.place, {'.': ['good.test. MX 10 mx.good.test.', 'mx.good.test. A 127.0.2.77',
                                          '_smtp._tls.good.test. 0 TXT "v=TLSRPTv1; rua=mailto:r@back.test"']}).start()
            world.stack.enter_context(Sink('127.0.2.77', port))
            service.stop_relay()
            service.relay_options[:] = [f'--dns={dns.endpoint}', f'--mx-port={port}']
            for key, value in (('permitted-hosts', '127.0.0.1'), ('private-targets', '127.0.0.0/8'),
                               ('tls-report', 'yes'), ('max-messages-per-connection', '1')):
                service.set(key, value)
            service.start_relay()
            service.wait_applied()

            def count():
                assert send(service, SENDER, ['u@good.test'], CONTENT)[1].startswith('250')
                service.wait_empty()
                poll('it to be counted', lambda: service.ctl_json('tls-report'))

            def look_at_clock(most):
                """With other settings the reporter looks at it."""
                service.set('max-recipients', str(most))
                service.wait_applied()
            count()
            world.put_clock_ahead()
            look_at_clock(1001)
            poll('that day to be given up', lambda: not service.ctl_json('tls-report'))
            world.set_clock_right()
            look_at_clock(1002)
            del world.back.messages[:]
            midnight_s = (time.time() // DAY_S + 1) * DAY_S
            count()
            world.put_clock_ahead(int(midnight_s + REPORT_SPREAD_S - time.time()) + 60)
            look_at_clock(1003)
            poll('the report', lambda: world.back.recipients() == ['r@back.test'])
            world.set_clock_right()

        def test_held_mail_whose_notice_finds_no_room():
            """Its time is over: that is said once in a retry interval, and the notice comes when there is room."""
            interval_s = 5
            service.set('retry-intervals', f'{interval_s}s')
            service.set('message-timeout', '5d')
            service.wait_applied()
            del world.back.messages[:]
            number = world.defer('held')
            world.do('hold', number)
            service.stop_relay()
            service.set('message-timeout', '1s')
            world.fill_disk()
            service.start_relay()
            said = poll('it to be said twice', lambda: world.expiries('held@wait.test')[1:] and
                        world.expiries('held@wait.test'))
            assert said[1] - said[0] >= interval_s - 1, said
            assert world.states() == {number: 'held'} and not world.back.messages
            world.empty_disk()
            poll('the notice', lambda: world.back.messages)
            service.wait_empty()
            assert world.n_notices() == 1, 'there are two notices'
            service.set('message-timeout', '5d')

        def test_content_that_cannot_be_read():
            """It waits, and other mail for its host goes on."""
            service.set('retry-intervals', '1h')
            service.wait_applied()
            numbers = [world.defer(label) for label in ('unread', 'unread-too')]
            service.stop_relay()
            service.start_relay()
            world.hide_journal()
            world.open = True
            for number in numbers:
                n_tries = world.n_tries(number)
                world.do('retry', number)
                poll('a try', lambda: world.n_tries(number) > n_tries)  # pylint: disable=cell-var-from-loop
            assert send(service, SENDER, ['fresh@wait.test'], CONTENT)[1].startswith('250')
            poll('other mail', lambda: 'fresh@wait.test' in world.wait.recipients())
            assert world.states() == dict.fromkeys(numbers, 'waiting')
            world.show_journal()
            world.do('retry', *numbers)
            service.wait_empty()
            world.open = False
            assert {'unread@wait.test', 'unread-too@wait.test'} <= set(world.wait.recipients())

        for case in (test_what_was_done_outlasts_a_crash, test_nothing_is_half_done_on_a_full_disk,
                     test_killed_between_a_notice_and_its_verdict, test_what_a_clock_that_was_ahead_has_put_off,
                     test_the_time_of_mail_from_a_clock_that_was_ahead, test_a_clock_that_goes_ahead,
                     test_tls_reports_behind_a_clock_that_was_ahead, test_held_mail_whose_notice_finds_no_room,
                     test_content_that_cannot_be_read):
            tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case)
    tap.done()


if __name__ == '__main__':
    main()
