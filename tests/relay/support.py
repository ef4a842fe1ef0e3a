# SPDX-License-Identifier: GPL-3.0-or-later
"""The service under test: a private bus, reroute-rulesd, reroute-relayd, a DNS server, a client."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading

from place import BUILD, ROOT, free_port, is_alive, poll
from tap import Skip

RULESD = os.path.join(BUILD, 'service', 'rules', 'reroute-rulesd')
RELAYD = os.path.join(BUILD, 'service', 'relay', 'reroute-relayd')
CTL = os.path.join(BUILD, 'service', 'ctl', 'reroutectl')
# Built for tests: dies at a chosen step of its spool, or has a disk that fails or a clock that is wrong (fault-point.c, faulty-disk.c,
# faulty-clock.c).
FAULTY_RELAYD = os.path.join(BUILD, 'tests', 'relay', 'reroute-relayd-faults')

BUS = 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'
RULES = 'org.reroute.Rules', '/org/reroute/Rules', 'org.freedesktop.DBus.Properties'
RELAY = 'org.reroute.Relay', '/org/reroute/Relay', 'org.reroute.Relay1'
CALL_MS = 60000


def daemon_environment():
    """As a service manager starts a daemon: a warning in its log does not end it, a criticism does."""
    return dict(os.environ, G_DEBUG='fatal-criticals', LC_ALL='C.UTF-8', LANGUAGE='C')


class Bus:
    """A bus of our own that starts reroute-rulesd on demand."""

    def __init__(self, place, database):
        self.place = place
        self.address = f'unix:path={place.join("bus")}'
        services = place.folder('services')
        place.write('[D-BUS Service]\nName=org.reroute.Rules\n'
                    f'Exec="{RULESD}" "--bus={self.address}" "--database={database}"\n',
                    'services', 'org.reroute.Rules.service')
        with open(os.path.join(ROOT, 'service', 'bus.conf.in'), encoding='utf-8') as stream:
            text = stream.read()
        self.config = place.write(text.replace('@LISTEN@', self.address)
                                  .replace('@SERVICES@', services), 'bus.conf')
        self.process = None
        self.connection = None

    def start(self):
        self.process = self.place.start(
            'bus', ['dbus-daemon', '--nofork', '--nopidfile', '--nosyslog',
                    f'--config-file={self.config}'], daemon_environment())
        poll('the bus', lambda: self.ask(BUS, 'GetId'))
        return self

    def stop(self):
        self.place.end(self.process)

    def call(self, method, *arguments):
        """Asks the bus itself; its answer in dbus-send's words, or None."""
        command = ['dbus-send', f'--bus={self.address}', '--print-reply=literal',
                   '--dest=org.freedesktop.DBus', '/org/freedesktop/DBus',
                   f'org.freedesktop.DBus.{method}', *arguments]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return result.stdout.strip() if result.returncode == 0 else None

    def ask(self, whom, method, kinds='()', *values):
        """What @whom, (name, path, interface), answers, as a tuple; None when it does not.  @kinds: of @values"""
        # Not everybody who speaks SMTP with this file has a bus.
        from gi.repository import Gio, GLib    # pylint: disable=import-outside-toplevel
        try:
            if self.connection is None or self.connection.is_closed():
                flags = Gio.DBusConnectionFlags
                self.connection = Gio.DBusConnection.new_for_address_sync(
                    self.address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)
            return self.connection.call_sync(*whom, method, GLib.Variant(kinds, values), None,
                                             Gio.DBusCallFlags.NONE, CALL_MS, None).unpack()
        except GLib.Error:
            return None

    def pid_of(self, name):
        """Of the process that owns a name of ours; None when nobody does."""
        answer = self.ask(BUS, 'GetConnectionUnixProcessID', '(s)', name)
        return answer and answer[0]


class Service:
    """Everything that service/run starts, in a place of its own.

    @settings: {key: value} that hold before the relay starts.
    """

    def __init__(self, place, relay_options=(), relay=RELAYD, settings=None):
        for program in (RULESD, relay, CTL):
            if not os.path.exists(program):
                raise Skip(f'{os.path.basename(program)} is not built')
        self.place = place
        self.database = place.join('rules.db')
        self.spool = place.folder('spool')
        self.bus = Bus(place, self.database)
        self.host, self.port = '127.0.0.1', free_port()
        self.relay_options = list(relay_options)
        self.settings = settings or {}
        # The world's DNS is never asked: without a server of its own a test has one that knows no name.
        if 'dns-servers' not in self.settings and not any(
                option.startswith('--dns=') for option in self.relay_options):
            self.relay_options.append(f'--dns={Dns(place, {".": []}, "no-names").start().endpoint}')
        self.relay_limits = None
        self.relay_program = relay
        self.relay_environment = {}  # beside that of a daemon
        self.relay = None
        place.cleanups.append(self.end_rules)

    def start(self):
        self.bus.start()
        self.ctl('status')
        for key, value in self.settings.items():
            self.set(key, value)
        self.start_relay()
        return self

    def close(self):
        """Ends relay, rules and bus; what the bus started is known by name."""
        if self.relay is not None:
            self.stop_relay()
        self.end_rules()
        self.bus.stop()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # The relay

    def relay_command(self):
        return [self.relay_program, f'--bus={self.bus.address}', f'--spool={self.spool}',
                f'--listen={self.host}:{self.port}', *self.relay_options]

    def spawn_relay(self):
        """Starts the relay without waiting for it."""
        self.relay = self.place.start('relayd', self.relay_command(),
                                      dict(daemon_environment(), **self.relay_environment),
                                      preexec_fn=self.relay_limits)
        return self.relay

    def start_relay(self):
        self.place.wait_listening(self.spawn_relay(), self.host, self.port)
        self.wait_applied()

    def stop_relay(self):
        """SIGTERM; its exit status must be 0."""
        status = self.place.end(self.relay)
        self.relay = None
        if status != 0:
            raise AssertionError(f'reroute-relayd ended with {status}')

    def kill_relay(self):
        self.place.end(self.relay, signal.SIGKILL)
        self.relay = None

    # The rules

    def rules_pid(self):
        return self.bus.pid_of('org.reroute.Rules')

    def end_rules(self, how=signal.SIGTERM):
        """Ends rulesd, if the bus has started it, and waits until it is gone."""
        pid = self.rules_pid()
        if pid:
            os.kill(pid, how)
            poll('rulesd to end', lambda: not is_alive(pid))

    def run_ctl(self, *arguments, text=None):
        """Runs reroutectl, whatever becomes of it."""
        return subprocess.run([CTL, f'--bus={self.bus.address}', *arguments], input=text, capture_output=True,
                              text=True, timeout=120, env=daemon_environment(), check=False)

    def ctl(self, *arguments, status=0, text=None):
        """Runs reroutectl; its standard output. @status: the exit status that is wanted, or None."""
        result = self.run_ctl(*arguments, text=text)
        if status is not None and result.returncode != status:
            raise AssertionError(f'reroutectl {" ".join(arguments)}: exit status '
                                 f'{result.returncode}: {result.stderr or result.stdout}')
        assert 'GDBus.Error' not in result.stderr, result.stderr
        return result.stdout if status == 0 else result.stderr

    def ctl_json(self, *arguments):
        return json.loads(self.ctl('--json', *arguments))

    def add_routing(self, domain, *options, accept='anyone'):
        self.ctl('routing', 'add', domain, f'--accept-from={accept}', *options)

    def add_connection(self, domain, *options, accept='anyone'):
        self.ctl('connections', 'add', domain, f'--accept-from={accept}', *options)

    def set(self, key, value, *options):
        self.ctl('settings', 'set', key, value, *options)

    def wait_applied(self):
        """Until the relay runs the newest generation of the rules and knows its queue; its serial."""
        def applied():
            newest = self.bus.ask(RULES, 'Get', '(ss)', 'org.reroute.Rules1', 'Serial')
            status = self.bus.ask(RELAY, 'Status')
            if newest is None or status is None:
                return None
            held = status[0]['rules-held'] and status[0]['queue-read'] and newest[0] == status[0]['serial']
            return newest if held else None
        return poll('the relay to run the newest rules', applied)[0]

    def queued(self):
        """Messages in the queue."""
        return self.ctl_json('queue', 'list')

    def wait_empty(self, timeout_s=60):
        def empty():
            answer = self.bus.ask(RELAY, 'Queue', '(ssuu)', '', '', 0, 1)
            return answer is not None and answer[0] == 0
        poll('the queue to be empty', empty, timeout_s, 0.05)


class Client:
    """Speaks SMTP to a server, line by line, and keeps the conversation."""

    def __init__(self, host, port, source=None, helo='client.test', timeout_s=60):
        self.lines = []
        self.socket = socket.create_connection((host, port), timeout_s,
                                               source_address=(source, 0) if source else None)
        self.stream = self.socket.makefile('rb')
        self.banner = self.reply()
        self.ehlo = self.command(f'EHLO {helo}') if self.banner.startswith('220') else ''

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()
        self.socket.close()

    def reply(self):
        """The whole reply, its lines joined by line feeds."""
        lines = []
        while True:
            line = self.stream.readline()
            if not line:
                raise ConnectionError('the server closed the connection')
            text = line.rstrip(b'\r\n').decode('utf-8', 'surrogateescape')
            self.lines.append(f'S: {text}')
            lines.append(text)
            if not re.match(r'\d\d\d-', text):
                return '\n'.join(lines)

    def command(self, text):
        self.lines.append(f'C: {text}')
        self.socket.sendall(text.encode('utf-8', 'surrogateescape') + b'\r\n')
        return self.reply()

    def send(self, reverse_path, recipients, content):
        """One transaction; (replies to RCPT, reply to the final dot or to what stopped it)."""
        mail = self.command(f'MAIL FROM:<{reverse_path}>')
        if not mail.startswith('250'):
            return [], mail
        rcpts = [self.command(f'RCPT TO:<{recipient}>') for recipient in recipients]
        if not any(rcpt.startswith('250') for rcpt in rcpts):
            self.command('RSET')
            return rcpts, rcpts[-1]
        data = self.command('DATA')
        if not data.startswith('354'):
            return rcpts, data
        return rcpts, self.content(content)

    def content(self, content):
        """@content: octets, lines ending in CR LF, the last one too."""
        self.lines.append(f'C: ({len(content)} octets)')
        self.socket.sendall(re.sub(rb'(?m)^\.', b'..', content) + b'.\r\n')
        self.lines.append('C: .')
        return self.reply()

    def quit(self):
        answer = self.command('QUIT')
        self.close()
        return answer


def send(service, reverse_path, recipients, content=b'Subject: test\r\n\r\nhello\r\n', **options):
    """One message in one session; as Client.send()."""
    with Client(service.host, service.port, **options) as client:
        result = client.send(reverse_path, recipients, content)
        client.command('QUIT')
        return result


class Dns:
    """nsd on a loopback port. @zones: {zone: lines of its records}."""

    def __init__(self, place, zones, name='dns'):
        program = shutil.which('nsd', path=os.environ.get('PATH', '') + ':/usr/sbin')
        if program is None:
            raise Skip('no nsd')
        self.place, self.name, self.program = place, name, program
        self.host, self.port = '127.0.0.1', free_port()
        self.folder = place.folder(name)
        self.zones = zones
        self.process = None

    @property
    def endpoint(self):
        return f'{self.host}:{self.port}'

    def start(self):
        config = [f'server:\n  ip-address: {self.host}\n  port: {self.port}\n  username: ""\n'
                  f'  chroot: ""\n  database: ""\n  zonesdir: "{self.folder}"\n  pidfile: ""\n'
                  f'  zonelistfile: "{self.folder}/zone.list"\n  xfrdir: "{self.folder}"\n'
                  '  xfrdfile: ""\n  server-count: 1\n  verbosity: 1\n'
                  'remote-control:\n  control-enable: no\n']
        for zone, records in self.zones.items():
            file = (zone.strip('.') or 'root') + '.zone'
            path = self.place.write(f'$ORIGIN {zone.strip(".")}.\n$TTL 60\n'
                             '@ IN SOA ns.invalid. admin.invalid. 1 60 60 3600 60\n'
                             '@ IN NS ns.invalid.\n' + '\n'.join(records) + '\n', self.name, file)
            self.finish_zone(zone, path)
            config.append(f'zone:\n  name: "{zone}"\n  zonefile: "{file}"\n')
        path = self.place.write(''.join(config), self.name, 'nsd.conf')
        self.process = self.place.start(self.name, [self.program, '-d', '-c', path])
        self.place.wait_listening(self.process, self.host, self.port)
        return self

    def finish_zone(self, zone, path):
        """What is to be done with the file of a zone before it is served."""

    def stop(self):
        self.place.end(self.process)


class HesitantDns:
    """Passes questions on to @dns, but those it hesitates at not before it is told to."""

    HEADER_OCTETS = 12
    QUESTION_OCTETS = 5  # of one about the root

    def __init__(self, dns):
        self.server = (dns.host, dns.port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.endpoint = f'127.0.0.1:{self.socket.getsockname()[1]}'
        self.told = threading.Event()
        self.asked = threading.Event()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(4096)
            except OSError:
                return
            threading.Thread(target=self.answer, args=(question, client), daemon=True).start()

    def hesitates(self, question):
        """At those about the root."""
        return question[self.HEADER_OCTETS] == 0

    def answer(self, question, client):
        if self.hesitates(question):
            self.asked.set()
            self.told.wait(60)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(10)
            upstream.sendto(question, self.server)
            reply = upstream.recv(65535)
        with contextlib.suppress(OSError):  # it may be closed meanwhile
            self.socket.sendto(reply, client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.told.set()
        self.socket.close()
