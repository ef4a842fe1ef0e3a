# SPDX-License-Identifier: GPL-3.0-or-later
"""What a workload is, and the one that most are made of: a stream of messages."""

import figures
from place import Place
from systems import Ours, Theirs

# A round of a stream takes about so long, once the first round has shown how fast it goes.
ROUND_S = 2.0
PER_S_LEAST = 20


class Workload:
    """@heavy: one round and none to warm up, unless more are asked for."""

    heavy = False
    systems = (Ours, Theirs)

    def __init__(self, name, rows):
        self.name, self.rows = name, rows

    def measure(self, system, scale):
        """Figures of one round, on a system that runs and has an empty queue."""
        raise NotImplementedError


class Fresh(Workload):
    """Needs a system that nobody has used, and no other: its programs would share their pages with it."""

    heavy = True

    def with_system(self, kind, scale):
        with Place('bench') as place:
            system = kind(place)
            found = self.measure(system, scale)
            system.close()
            return found


class Stream(Workload):
    """Messages as fast as they are taken, rewritten and sent on."""

    def __init__(self, name, rows, first, **options):
        super().__init__(name, rows)
        self.first, self.options = first, options
        self.messages = {}

    def measure(self, system, scale):
        messages = self.messages.get(system.name, self.first)
        cpu_s = figures.cpu_s(system.pid)
        disk = figures.disk_octets(system.place.path)
        with figures.SyncCount() as syncs:
            run = system.run(messages=messages, **self.options)
        per_s = run['all']['per_s']
        self.messages[system.name] = int(max(per_s, PER_S_LEAST) * ROUND_S * scale)
        found = {'per_s': per_s, 'cpu_s': (figures.cpu_s(system.pid) - cpu_s) / messages * 1000,
                 'delivery_p99': run['delivery_ms']['p99'], 'accept_p99': run['accept_ms']['p99'],
                 'load_cpu_s': (run['source']['cpu_s'] + run['sink']['cpu_s']) / messages * 1000}
        if syncs.count is not None:
            found['syncs'] = syncs.count / messages
        if disk is not None:
            found['disk_kb'] = (figures.disk_octets(system.place.path) - disk) / 1024 / messages
        return found
