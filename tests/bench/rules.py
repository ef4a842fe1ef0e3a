# SPDX-License-Identifier: GPL-3.0-or-later
"""A million rules: how long until they act, what a look-up costs, what they hold of memory."""

import json
import os
import subprocess
import time

import figures
from loader import BUILD
from place import poll
from support import Client
from systems import NEW, Ours
from table import Most, Row
from workload import Fresh

RULES = 1_000_000
LOOKUPS = 100_000
STEP = 7919  # prime: neighbours are far apart
ADDED = 'added.test'

ROWS = (
    Row('load', '1,000,000 rules: s until a relay that starts has them (Postfix: s to build the table)', Most(6)),
    Row('lookup', '1,000,000 rules: us a look-up (Postfix: postmap -q)', Most(0.5)),
    Row('decide', '1,000,000 rules: us a whole decision'),
    Row('edit', '1,000,000 rules: s from the command to the RCPT that obeys (Postfix: to build anew)', Most(0.1)),
    Row('memory', '1,000,000 rules: PSS MB for them (Postfix: size of the table)', Most(150)),
    Row('import', '1,000,000 rules: s to import them'),
)


def domain(number):
    return f'd{number}.rules.test'


class Rules(Fresh):
    def __init__(self, name):
        super().__init__(name, ROWS)

    def measure(self, system, scale):
        rules = int(RULES * scale)
        return self.ours(system, rules) if isinstance(system, Ours) else self.theirs(system, rules)

    def ours(self, system, rules):
        service = system.service
        path = system.place.write('page,domain,match,action,target,accept_from\n' + ''.join(
            f'routing,{domain(number)},exact,reroute,{NEW},anyone\n' for number in range(rules)), 'rules.csv')
        empty_mb = figures.pss_mb(system.pid)
        begun_s = time.monotonic()
        service.ctl('import', path)
        import_s = time.monotonic() - begun_s
        system.stop()
        begun_s = time.monotonic()
        system.begin()
        poll('the relay to have the rules', lambda: self.takes(system, domain(rules - 1)), 120, 0.005)
        load_s = time.monotonic() - begun_s
        service.wait_applied()
        memory_mb = figures.pss_mb(system.pid) - empty_mb
        begun_s = time.monotonic()
        service.add_routing(ADDED, f'--reroute-to={NEW}')
        poll('the new rule to act', lambda: self.takes(system, ADDED), 60, 0.002)
        edit_s = time.monotonic() - begun_s
        found = json.loads(subprocess.run([os.path.join(BUILD, 'tests', 'bench', 'lookup'), str(rules)],
                                          check=True, capture_output=True, text=True).stdout)
        return {'import': import_s, 'load': load_s, 'memory': memory_mb, 'edit': edit_s,
                'lookup': found['lookup_us'], 'decide': found['decide_us']}

    @staticmethod
    def takes(system, name):
        """Whether a recipient there is accepted."""
        host, port = system.target.rsplit(':', 1)
        try:
            with Client(host, int(port)) as client:
                client.command('MAIL FROM:<sender@source.test>')
                return client.command(f'RCPT TO:<user@{name}>').startswith('250')
        except OSError:
            return False

    @staticmethod
    def theirs(system, rules):
        path = system.place.write(''.join(f'@{domain(number)} @{NEW}\n' for number in range(rules)), 'virtual')
        begun_s = time.monotonic()
        system.tool('postmap', f'hash:{path}')
        load_s = time.monotonic() - begun_s
        keys = ''.join(f'@{domain(number * STEP % rules)}\n' for number in range(LOOKUPS))
        begun_s = time.monotonic()
        answer = system.tool('postmap', '-q', '-', f'hash:{path}', text=keys)
        lookup_s = time.monotonic() - begun_s
        if answer.count('\n') != LOOKUPS:
            raise RuntimeError('postmap does not find every key')
        with open(path, 'a', encoding='utf-8') as stream:
            stream.write(f'@{ADDED} @{NEW}\n')
        begun_s = time.monotonic()
        system.tool('postmap', f'hash:{path}')
        edit_s = time.monotonic() - begun_s
        return {'load': load_s, 'lookup': lookup_s / LOOKUPS * 1e6, 'edit': edit_s,
                'memory': os.path.getsize(f'{path}.db') / 1024 ** 2}
