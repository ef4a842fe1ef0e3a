# SPDX-License-Identifier: GPL-3.0-or-later
"""The two relays that are measured, set up alike: a domain that is rewritten, one that is not, one whose next hop
is dead, and the sink of the load program behind them."""

import os
import pathlib
import resource
import subprocess
import time

from loader import Endpoint, Load, faults
from peers import Postfix, library_path
from place import free_port, poll
from support import Client, Service

# Postfix as an administrator would set it for throughput; everything stays durable.
TUNED = {
    'default_process_limit': '200',
    'in_flow_delay': '0',
    'initial_destination_concurrency': '20',
    'default_destination_concurrency_limit': '100',
    'smtp_destination_concurrency_limit': '100',
    'qmgr_message_active_limit': '50000',
    'smtpd_peername_lookup': 'no',
    'smtpd_client_connection_count_limit': '0',
    'smtp_connection_cache_destinations': '127.0.0.1',
    'smtp_connection_reuse_count_limit': '1000',
    'disable_dns_lookups': 'yes',
}

OUR_SETTINGS = {
    'max-inbound-connections': '10000',
    'max-connections-per-client': '10000',
    'max-messages-per-connection': '1000',
}

OLD, NEW, DEAD = 'old.test', 'new.test', 'dead.test'


class System:
    """A relay under test; @sink is where its mail for OLD and NEW goes to."""

    name = target = None

    def __init__(self, place):
        self.place, self.sink = place, Endpoint()

    def load(self, **options):
        """Starts the load program on it; recipients are rewritten unless @options say otherwise."""
        return Load(self.place, self.target, self.sink, **{'to': OLD, 'expect': NEW, 'limit': 240, **options})

    def run(self, **options):
        """The figures of a run."""
        return self.checked(self.load(**options).done())

    def checked(self, figures):
        """@figures of a run, from which nothing may be missing."""
        if faults(figures) or figures['arrived'] != figures['messages']:
            raise RuntimeError(f'{self.name}: {figures}')
        return figures

    def answers_in(self, start, timeout_s=60):
        """Seconds from @start of the monotonic clock until the relay greets."""
        host, port = self.target.rsplit(':', 1)

        def greets():
            try:
                with Client(host, int(port)) as client:
                    return client.banner.startswith('220')
            except OSError:
                return False
        poll('a greeting', greets, timeout_s, 0.002)
        return time.monotonic() - start


class Ours(System):
    name = 'Reroute'

    def __init__(self, place):
        super().__init__(place)
        self.service = Service(place)
        self.service.start()
        for key, value in OUR_SETTINGS.items():
            self.service.set(key, value)
        self.service.add_routing(OLD, f'--reroute-to={NEW}')
        self.service.add_connection(NEW, f'--host={self.sink}')
        self.service.add_connection(DEAD, f'--host=127.0.0.1:{free_port()}')
        self.service.wait_applied()
        self.target = f'{self.service.host}:{self.service.port}'

    @property
    def pid(self):
        return self.service.relay.pid

    def set(self, **settings):
        for key, value in settings.items():
            self.service.set(key.replace('_', '-'), str(value))
        self.service.wait_applied()

    def queued(self):
        return self.service.ctl_json('status')['relay']['messages-queued']

    def tracked_files(self):
        """Where it keeps what became of messages."""
        return list(pathlib.Path(self.service.spool).glob('track.*'))

    def stop(self):
        self.service.stop_relay()

    def begin(self):
        """Starts it again, without waiting for it."""
        self.service.spawn_relay()

    def close(self):
        self.service.close()


class Theirs(System):
    name = 'Postfix'

    def __init__(self, place):
        super().__init__(place)
        self.peer = Postfix(place, 'postfix', relayhost=str(self.sink), settings={
            **TUNED, 'virtual_alias_domains': '', 'virtual_alias_maps': f'inline:{{ {{ @{OLD} = @{NEW} }} }}'})
        self.peer.start()
        self.target = self.peer.endpoint

    @property
    def pid(self):
        return self.peer.process.pid

    def tool(self, name, *arguments, text=None):
        """Runs a command of the package; its standard output."""
        environment = dict(os.environ, LD_LIBRARY_PATH=library_path(self.peer.root),
                           MAIL_CONFIG=self.peer.path('etc'))
        return subprocess.run([self.peer.tool(name), *arguments], env=environment, check=True, text=True,
                              input=text, capture_output=True).stdout

    def stop(self):
        self.place.end(self.peer.process)

    def begin(self):
        self.peer.launch()

    def close(self):
        self.stop()


def raise_file_limit():
    """For 5,000 sessions, and for what is started from here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
