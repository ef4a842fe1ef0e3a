# SPDX-License-Identifier: GPL-3.0-or-later
"""A million rules: how long until they act, what a look-up costs, what they hold of memory."""

import json
import os
import statistics
import subprocess
import time

import figures
from loader import LOOKUP
from place import poll
from support import Client
from systems import NEW, Ours
from table import Most, Row
from workload import Fresh

RULES = 1_000_000
LOOKUPS = 100_000
STEP = 7919  # prime: neighbours are far apart
ADDED = 'added.test'
EDITS = 5

ROWS = (
    Row('load', '1,000,000 rules: s until a relay that starts has them (Postfix: s to build the table)', Most(6)),
    Row('lookup', '1,000,000 rules: us a look-up (Postfix: postmap -q)', Most(0.5)),
    Row('decide', '1,000,000 rules: us a whole decision'),
    Row('edit', '1,000,000 rules: s from the command that edits one to the RCPT that obeys (Postfix: to build anew)',
        Most(0.1)),
    Row('edit_cpu', '1,000,000 rules: CPU s of rules daemon and relay for one edited rule'),
    Row('add', '1,000,000 rules: s from the command that adds one more to the RCPT that obeys'),
    Row('memory', '1,000,000 rules: PSS MB for them (Postfix: size of the table)', Most(150)),
    Row('import', '1,000,000 rules: s to import them'),
    Row('import_cpu', '1,000,000 rules: CPU s of the rules daemon to import them'),
    Row('rules_memory', '1,000,000 rules: PSS MB of the rules daemon, once imported'),
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
        found = self.imported(service, path)
        system.stop()
        begun_s = time.monotonic()
        system.begin()
        poll('the relay to have the rules', lambda: self.takes(system, domain(rules - 1)), 120, 0.005)
        load_s = time.monotonic() - begun_s
        service.wait_applied()
        # By now the rules daemon has given back what the import took.
        found.update(load=load_s, memory=figures.pss_mb(system.pid) - empty_mb,
                     rules_memory=figures.pss_mb(service.rules_pid()))
        begun_s = time.monotonic()
        service.add_routing(ADDED, f'--reroute-to={NEW}')
        poll('the new rule to act', lambda: self.takes(system, ADDED), 60, 0.002)
        found['add'] = time.monotonic() - begun_s
        found.update(self.edited(system, rules))
        lookup = json.loads(subprocess.run([LOOKUP, str(rules)], check=True, capture_output=True, text=True).stdout)
        return {**found, 'lookup': lookup['lookup_us'], 'decide': lookup['decide_us']}

    @staticmethod
    def imported(service, path):
        """What it costs to import @path."""
        pid = service.rules_pid()
        begun_s, begun_cpu_s = time.monotonic(), figures.cpu_s(pid)
        service.ctl('import', path)
        return {'import': time.monotonic() - begun_s, 'import_cpu': figures.cpu_s(pid) - begun_cpu_s}

    def edited(self, system, rules):
        """What it takes to put a stored rule out of force; medians."""
        pids = (system.pid, system.service.rules_pid())
        times_s, cpu_s = [], []
        for number in range(EDITS):
            name = domain(number * STEP % rules)
            begun_s, begun_cpu_s = time.monotonic(), sum(map(figures.cpu_s, pids))
            system.service.ctl('routing', 'edit', f'#{name}', '--off')
            poll('the edited rule to be in force', lambda: self.answer(system, name).startswith('550'), 60, 0.002)
            times_s.append(time.monotonic() - begun_s)
            cpu_s.append(sum(map(figures.cpu_s, pids)) - begun_cpu_s)
        return {'edit': statistics.median(times_s), 'edit_cpu': statistics.median(cpu_s)}

    @staticmethod
    def answer(system, name):
        """What the relay says to a recipient there; '' when it does not listen yet."""
        host, port = system.target.rsplit(':', 1)
        try:
            with Client(host, int(port)) as client:
                client.command('MAIL FROM:<sender@source.test>')
                return client.command(f'RCPT TO:<user@{name}>')
        except OSError:
            return ''

    def takes(self, system, name):
        return self.answer(system, name).startswith('250')

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
