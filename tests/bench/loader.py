# SPDX-License-Identifier: GPL-3.0-or-later
"""The load program (load.c) as the benchmark and its tests use it."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), 'relay'))

from place import BUILD, free_port  # noqa: E402
from tap import Skip  # noqa: E402

PROGRAM = os.path.join(BUILD, 'tests', 'bench', 'load')
LOOKUP = os.path.join(BUILD, 'tests', 'bench', 'lookup')

# What a run must not count; everything else is a figure.
FAULTS = ('lost', 'duplicated', 'unpromised', 'wrong_content', 'wrong_recipients')


class Load:
    """A running load program; @options by the names of its own, with underscores, True for a flag."""

    def __init__(self, place, target, sink, **options):
        if not os.path.exists(PROGRAM):
            raise Skip('load is not built')
        command = [PROGRAM, f'--target={target}', f'--sink={sink}']
        for name, value in options.items():
            option = '--' + name.replace('_', '-')
            command += [option] if value is True else [f'{option}={value}']
        with open(place.join('load.log'), 'ab') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                            text=True, bufsize=1, start_new_session=True)
        self.process.title = 'load'
        place.processes.append(self.process)
        self.place = place

    def command(self, text):
        """open, closed, refuse, defer, status or finish."""
        self.process.stdin.write(text + '\n')
        self.process.stdin.flush()

    def event(self, name):
        """The next event of that name, or `done` when the program ends before it."""
        for line in self.process.stdout:
            event = json.loads(line)
            if event['event'] in (name, 'done'):
                return event
        raise RuntimeError(f'the load program ended with {self.process.wait()}, see load.log')

    def status(self):
        self.command('status')
        return self.event('status')

    def done(self):
        """Waits for the end; the figures."""
        figures = self.event('done')
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.place.processes.remove(self.process)
        return figures


class Endpoint:
    """Where the sink of the load program listens."""

    def __init__(self):
        self.port = free_port()

    def __str__(self):
        return f'127.0.0.1:{self.port}'


def faults(figures):
    """Those of FAULTS that were counted."""
    return {name: figures[name] for name in FAULTS if figures[name]}
