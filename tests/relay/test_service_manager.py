#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay under a service manager, which the test is: sockets it hands over, what it is told, its watchdog."""

import os
import re
import signal
import socket
import threading

from place import Place, answers, free_port, poll
from support import FAULTY_RELAYD, RELAYD, Client, Service, daemon_environment
from tap import Skip, Tap

# In the relay's process before it is the relay: descriptors from 3 on, as sd_listen_fds(3) wants them.
HAND_OVER = '''
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 64) for fd in sys.argv[1].split()]
for place, fd in enumerate(fds, 3):
    os.dup2(fd, place)
os.closerange(3 + len(fds), 256)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.argv[3], sys.argv[3:])
'''
WATCHDOG_US = 200000
LOOKS = 6  # of a watchdog that finds a thread hanging


def listening(address, port, family=socket.AF_INET, both=False):
    """A socket as the service manager makes it."""
    made = socket.socket(family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)
    made.bind((address, port))
    made.listen(16)
    return made


class Manager(Service):
    """A service whose relay is started as systemd starts it; addresses come from the settings."""

    def __init__(self, place, relay=RELAYD):
        super().__init__(place, relay=relay)
        self.handed = {}  # by name
        self.told = []    # what came at NOTIFY_SOCKET
        self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.inbox.bind(place.join('notify'))
        self.relay_environment = {'NOTIFY_SOCKET': place.join('notify'), 'WATCHDOG_USEC': str(WATCHDOG_US)}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.told.append(self.inbox.recv(4096).decode('utf-8'))

    def relay_command(self):
        return [option for option in super().relay_command() if not option.startswith('--listen=')]

    def spawn_relay(self):
        command = self.relay_command()
        fds = [made.fileno() for made in self.handed.values()]
        if fds:
            command = ['/usr/bin/python3', '-c', HAND_OVER, ' '.join(map(str, fds)), ':'.join(self.handed), *command]
        environment = dict(daemon_environment(), **self.relay_environment)
        self.relay = self.place.start('relayd', command, environment, pass_fds=fds)
        return self.relay

    def start_relay(self):
        """Until it is ready; then all is there that was promised."""
        before = len(self.told)
        self.spawn_relay()
        self.wait_told('READY=1', before)

    def wait_told(self, pattern, start=0):
        """The first message from number @start on that has a line like @pattern: (number, message)."""
        def find():
            for number, message in enumerate(self.told[start:], start):
                if re.search(f'^{pattern}', message, re.MULTILINE):
                    return number, message
            assert self.relay.poll() is None, f'the relay ended with {self.relay.returncode}'
            return None
        return poll(pattern, find)

    def receive_on(self, *endpoints, tls=()):
        """Changes the settings; until the relay follows."""
        self.set('listen', ', '.join(endpoints))
        self.set('listen-tls', ', '.join(tls))
        if self.relay is not None:
            self.wait_applied()


def test_a_connection_waits_for_the_relay(service):
    """Socket activation: who connects before the relay runs, or between two relays, is served by the next one."""
    early = socket.create_connection(('127.0.0.1', service.port), 60)
    service.start_relay()
    with early, early.makefile('rb') as stream:
        assert stream.readline().startswith(b'220 ')
    _, status = service.wait_told('STATUS=Receiving on ')
    assert f'127.0.0.1:{service.port}, 127.0.0.1:{service.tls_port} (TLS); rules of generation' in status, status
    assert service.bus.pid_of('org.reroute.Relay') == service.relay.pid

    service.stop_relay()
    between = socket.create_connection(('127.0.0.1', service.port), 60)
    service.start_relay()
    with between, between.makefile('rb') as stream:
        assert stream.readline().startswith(b'220 ')


def test_settings_keep_their_meaning(service):
    """A socket that no setting names takes no mail; with the setting it does; afterwards it is as it was."""
    port = service.spare_port
    assert not answers('127.0.0.1', port)
    service.receive_on(f'127.0.0.1:{service.port}', f'127.0.0.1:{port}')
    Client('127.0.0.1', port).quit()
    service.receive_on(f'127.0.0.1:{service.port}')
    poll('the socket to be shut down', lambda: not answers('127.0.0.1', port))


def test_an_endpoint_that_is_named_twice(service):
    """It is one endpoint: the relay receives there, before and after it is started again."""
    port = free_port()
    service.receive_on(f'127.0.0.1:{port}', f'127.0.0.1:{service.port}', f'127.0.0.1:{port}')
    Client('127.0.0.1', port).quit()
    service.stop_relay()
    service.start_relay()
    Client('127.0.0.1', port).quit()
    refusal = service.ctl('settings', 'set', 'listen', f'127.0.0.1:{port}, 0.0.0.0:{port}', status=1)
    assert 'are the same port' in refusal, refusal
    service.receive_on(f'127.0.0.1:{service.port}')


def test_an_address_within_a_socket_that_was_handed_over(service):
    """0.0.0.0 is systemd's, the setting says 127.0.0.1 of the same port: the setting has it."""
    port = service.wide_port
    service.receive_on(f'127.0.0.1:{service.port}', f'127.0.0.1:{port}')
    Client('127.0.0.1', port).quit()
    assert not answers('127.0.0.2', port)
    service.receive_on(f'127.0.0.1:{service.port}', f'0.0.0.0:{port}')
    Client('127.0.0.2', port).quit()
    service.receive_on(f'127.0.0.1:{service.port}')


def test_one_socket_for_both_families(service):
    """[::] that takes IPv4 stands for 0.0.0.0 and [::], and for neither of them alone."""
    if 'both' not in service.handed:
        raise Skip('no IPv6')
    port = service.both_port
    service.receive_on(f'127.0.0.1:{service.port}', f'0.0.0.0:{port}', f'[::]:{port}')
    for host in ('127.0.0.1', '::1'):
        Client(host, port).quit()
    service.receive_on(f'127.0.0.1:{service.port}', f'0.0.0.0:{port}')
    Client('127.0.0.1', port).quit()
    with socket.socket(socket.AF_INET6) as probe:
        assert probe.connect_ex(('::1', port)) != 0


def test_reload_keeps_sessions(service):
    """SIGHUP: RELOADING, then READY; who speaks goes on speaking."""
    with Client('127.0.0.1', service.port) as client:
        client.command('MAIL FROM:<a@b.test>')
        start = len(service.told)
        os.kill(service.relay.pid, signal.SIGHUP)
        number, message = service.wait_told('RELOADING=1', start)
        assert re.search(r'^MONOTONIC_USEC=\d+$', message, re.MULTILINE), message
        service.wait_told('READY=1', number)
        assert client.command('RSET').startswith('250')


def test_the_end(service):
    """STOPPING is told; sockets of the manager listen again, those that were shut down, too."""
    start = len(service.told)
    service.stop_relay()
    assert any(message.startswith('STOPPING=1\n') for message in service.told[start:])
    for name, made in service.handed.items():
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN), name


def test_what_is_no_socket_of_ours(service):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
        service.handed['wrong.socket'] = wrong
        status = service.spawn_relay().wait(60)
    service.place.end(service.relay)
    service.relay = None
    del service.handed['wrong.socket']
    assert status == 1
    with open(service.place.join('relayd.log'), encoding='utf-8') as log:
        assert 'the socket “wrong.socket” of the service manager does not listen for TCP' in log.read()


def check_hanging(service, who):
    """From the first word of it, WATCHDOG comes no more, however often it is due."""
    number, _ = service.wait_told(f'STATUS=Hangs: {who}', len(service.told))

    def count():
        return sum(message.startswith('STATUS=Hangs: ') for message in service.told[number:])
    poll('the watchdog to look again', lambda: count() >= LOOKS)
    assert 'WATCHDOG=1' not in service.told[number:], service.told[number:]
    return number


def check_well_again(service, number):
    number, _ = service.wait_told('WATCHDOG=1', number)
    service.wait_told('STATUS=Receiving on ', number)


def test_watchdog(service):
    """Every thread must move: the writer with a disk that hangs, a worker that does not come back."""
    service.wait_told('WATCHDOG=1')
    service.place.write('hang', 'disk-fault')
    with Client('127.0.0.1', service.port) as client:
        client.command('MAIL FROM:<a@b.test>')
        client.command('RCPT TO:<c@here.test>')
        client.command('DATA')
        client.socket.sendall(b'Subject: waits\r\n\r\n.\r\n')
        number = check_hanging(service, 'the writer of the queue')
        os.remove(service.place.join('disk-fault'))
        assert client.reply().startswith('250')
        check_well_again(service, number)

    service.place.write('', 'hang')
    with socket.create_connection(('127.0.0.1', service.port), 60) as waiting:
        number = check_hanging(service, 'worker 0')
        os.remove(service.place.join('hang'))
        assert waiting.recv(4) == b'220 '
        check_well_again(service, number)


def hand_over(service):
    """The sockets of the cases."""
    service.spare_port, service.wide_port, service.both_port = free_port(), free_port('0.0.0.0'), free_port('0.0.0.0')
    service.handed['reroute-relayd.socket'] = listening('127.0.0.1', service.port)
    service.handed['tls'] = listening('127.0.0.1', service.tls_port)
    service.handed['spare'] = listening('127.0.0.1', service.spare_port)
    service.handed['wide'] = listening('0.0.0.0', service.wide_port)
    try:
        service.handed['both'] = listening('::', service.both_port, socket.AF_INET6, both=True)
    except OSError:
        service.both_port = None


def main():
    tap = Tap()
    with Place('manager') as place:
        service = Manager(place)
        service.tls_port = free_port()
        hand_over(service)
        service.bus.start()
        service.receive_on(f'127.0.0.1:{service.port}', tls=[f'127.0.0.1:{service.tls_port}'])
        for case in (test_a_connection_waits_for_the_relay, test_settings_keep_their_meaning,
                     test_an_address_within_a_socket_that_was_handed_over, test_one_socket_for_both_families,
                     test_an_endpoint_that_is_named_twice,
                     test_reload_keeps_sessions, test_the_end, test_what_is_no_socket_of_ours):
            tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, service)
        service.end_rules()
        service.bus.stop()
    with Place('watchdog') as place:
        service = Manager(place, relay=FAULTY_RELAYD)
        service.relay_environment.update(REROUTE_DISK_FAULT=place.join('disk-fault'), REROUTE_HANG=place.join('hang'))
        service.bus.start()
        service.receive_on(f'127.0.0.1:{service.port}')
        service.add_connection('here.test', '--host=127.0.0.1:9')
        service.start_relay()
        tap.case('watchdog', test_watchdog, service)
        service.close()
    tap.done()


if __name__ == '__main__':
    main()
