#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that fails under a running relay: mail is put off, never a 250; it flows again after."""

import ctypes
import os
import re
import threading

from memory import is_sanitized
from numbered import arrivals
from place import Place, free_port, poll
from sink import Sink
from support import FAULTY_RELAYD, Client, Service, send
from tap import Skip, run

N_EACH = 1
N_VERDICTS = 8
SMALL, LARGE = 2000, 700_000  # a record of its own; two parts and a rest
# What the disk does (faulty-disk.c) and what the client is told.
PUT_OFF = {
    'write': '452 4.3.1',
    'short': '452 4.3.1',
    'sync': '452 4.3.1',
    'full': '452 4.3.1',
}


class Disk:
    """A relay on a disk that can be made to fail; its mail waits for a next hop that is down."""

    def __init__(self, place):
        self.place, self.port = place, free_port()
        self.fault = place.join('fault')
        self.taken, self.refused = set(), set()
        self.service = Service(place, relay=FAULTY_RELAYD)
        self.service.relay_environment = {'REROUTE_DISK_FAULT': self.fault,
                                          'REROUTE_SEGMENT_OCTETS': str(1 << 20)}
        self.service.start()
        self.service.set('retry-intervals', '1s')
        self.service.add_connection('disk.test', f'--host=127.0.0.1:{self.port}')
        self.service.wait_applied()

    def fail(self, how):
        """The disk fails from now on, or works when @how is None."""
        if how is None:
            os.unlink(self.fault)
        else:
            os.rename(self.place.write(how, 'fault.new'), self.fault)

    def send(self, octets):
        """One message; its reply."""
        name = f'm{len(self.taken) + len(self.refused)}'
        body = b'y' * 998 + b'\r\n'
        with Client(self.service.host, self.service.port) as client:
            _, reply = client.send('a@source.test', [f'{name}@disk.test'],
                                   f'X-Name: {name}\r\n\r\n'.encode() + body * (octets // 1000))
        (self.taken if reply.startswith('250') else self.refused).add(name)
        return reply

    def deliver(self):
        """Everything that was taken arrives, whole and in one piece, and nothing that was not."""
        with Sink(port=self.port) as sink:
            self.service.wait_empty()
            counts = arrivals(sink.messages)
            assert set(counts) == self.taken, (set(counts) ^ self.taken)
            assert all(re.search(rb'(y{998}\r\n)+\Z', message.content) for message in sink.messages)


def check_fault(how):
    with Place(f'disk-{how}') as place:
        disk = Disk(place)
        for octets in (SMALL, LARGE):
            assert disk.send(octets).startswith('250')
        for _ in range(2):
            disk.fail(how)
            replies = [disk.send(octets) for octets in (SMALL, LARGE) * N_EACH]
            assert all(reply.startswith(PUT_OFF[how]) for reply in replies), replies
            disk.fail(None)
            poll('mail to be taken again', lambda: disk.send(SMALL).startswith('250'))
            assert disk.send(LARGE).startswith('250')
        disk.service.kill_relay()
        disk.service.start_relay()
        assert len(disk.service.queued()) == len(disk.taken)
        disk.deliver()
        disk.service.close()


def test_write_error():
    check_fault('write')


def test_short_write():
    check_fault('short')


def test_sync_error():
    check_fault('sync')


def test_no_room():
    check_fault('full')


def test_verdicts_wait_for_the_disk():
    """What is delivered while nothing can be written goes out once, and is known when it can."""
    with Place('disk-verdicts') as place:
        disk = Disk(place)
        for _ in range(N_VERDICTS):
            assert disk.send(SMALL).startswith('250')
        disk.fail('full')
        with Sink(port=disk.port) as sink:
            poll('all mail', lambda: len(sink.messages) == N_VERDICTS)
            assert disk.send(SMALL).startswith('452 4.3.1')
            disk.fail(None)
            poll('mail to be taken again', lambda: disk.send(SMALL).startswith('250'))
            disk.service.wait_empty()
            disk.service.kill_relay()
            disk.service.start_relay()
            assert not disk.service.queued()
            assert len(sink.messages) == len(disk.taken), sink.recipients()
        disk.service.close()


def test_a_delay_in_line_is_told_when_the_disk_takes_it():
    """Once: a notice that the disk has refused is not counted as sent."""
    go_on = threading.Event()
    with Place('disk-line') as place, Sink() as back:
        disk = Disk(place)
        disk.service.set('max-connections-per-host', '1')
        disk.service.add_connection('source.test', f'--host={back.endpoint}')
        disk.service.wait_applied()
        with Sink(port=disk.port, reply=lambda verb, _: go_on if verb == 'DOT' else None) as sink:
            assert disk.send(SMALL).startswith('250')
            poll('the first message', lambda: sink.messages)
            assert disk.send(SMALL).startswith('250')
            disk.fail('full')
            disk.service.set('delay-notice', '1s')
            poll('the notice to be refused', lambda: any(
                'cannot spool mail of our own' in line for name, lines in place.logs() if name == 'relayd.log'
                for line in lines))
            disk.fail(None)
            poll('the notice', lambda: back.messages)
            go_on.set()
            disk.service.wait_empty()
        assert [b'm1@disk.test' in message.content for message in back.messages] == [True], back.messages
        disk.service.close()


def has_landlock():
    create_ruleset, version = 444, 1  # landlock(7): asks for the version of its interface
    return ctypes.CDLL(None).syscall(create_ruleset, None, 0, version) >= 1


def check_written(options, folder, wanted):
    """Whether a relay that works can make a file in @folder."""
    with Place('landlock') as place, Sink() as sink:
        place.folder('beside')
        recorded = place.join(folder, 'recorded')
        service = Service(place, options, FAULTY_RELAYD)
        service.relay_environment = {'REROUTE_RECORDED': recorded}
        with service:
            service.add_connection('one.test', f'--host={sink.endpoint}')
            service.wait_applied()
            assert send(service, 'a@source.test', ['u@one.test'])[1].startswith('250')
            service.wait_empty()
        assert os.path.exists(recorded) == wanted, (options, folder)


def test_only_the_spool_is_written():
    if is_sanitized(FAULTY_RELAYD):
        raise Skip('a sanitizer looks into its own process')
    if not has_landlock():
        raise Skip('there is no Landlock')
    check_written((), 'spool', True)
    check_written((), 'beside', False)
    check_written(('--no-sandbox',), 'beside', True)


if __name__ == '__main__':
    run(test_only_the_spool_is_written, test_write_error, test_short_write, test_sync_error, test_no_room,
        test_verdicts_wait_for_the_disk, test_a_delay_in_line_is_told_when_the_disk_takes_it)
