# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands that are typed: reroutectl against a real reroute-rulesd on a private bus."""

import json
import os
import signal
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'relay')]

from place import BUILD, Place, is_alive, poll  # noqa: E402
from support import CTL, RULESD, Bus, daemon_environment  # noqa: E402
from tap import Skip, Tap  # noqa: E402


class Prompt:
    """A bus with rulesd behind it, and commands that are typed."""

    def __init__(self, place):
        for program in (CTL, RULESD):
            if not os.path.exists(program):
                raise Skip(f'{os.path.basename(program)} is not built')
        self.place = place
        self.bus = Bus(place, place.join('rules.db')).start()

    def run(self, *words, stdin=None, language='C'):
        environment = dict(daemon_environment(), LANGUAGE=language,
                           REROUTE_LOCALE_DIR=os.path.join(BUILD, 'po'))
        return subprocess.run([CTL, f'--bus={self.bus.address}', *words], input=stdin, text=True,
                              capture_output=True, check=False, env=environment)

    def good(self, *words, stdin=None):
        result = self.run(*words, stdin=stdin)
        assert result.returncode == 0, f'{words}: {result.returncode} {result.stderr}'
        return result.stdout

    def data(self, *words):
        return json.loads(self.good('--json', *words))

    def refused(self, *words, says, status=1, stdin=None):
        """The command fails with @status, and each of @says stands on standard error."""
        result = self.run(*words, stdin=stdin)
        assert result.returncode == status, f'{words}: {result.returncode} {result.stderr}'
        assert 'GDBus.Error' not in result.stderr, result.stderr
        for text in [says] if isinstance(says, str) else says:
            assert text in result.stderr, f'{words}: “{text}” is not in “{result.stderr}”'

    def end_rules(self):
        pid = self.bus.pid_of('org.reroute.Rules')
        os.kill(pid, signal.SIGTERM)
        poll('rulesd to end', lambda: not is_alive(pid))

    def serial(self):
        return self.data('status')['rules_serial']


def rows_of(prompt, page):
    return {('#' if row['exact'] else '') + row['domain']: row for row in prompt.data(page, 'list')}


def run_at_prompt(name, cases, prepare=None):
    """Runs @cases, which take a Prompt, in order, and ends the program.  @prepare: called with the Prompt before."""
    tap = Tap()
    with Place(name) as place:
        prompt = Prompt(place)
        if prepare is not None:
            prepare(prompt)
        for function in cases:
            tap.case(function.__name__.removeprefix('test_').replace('_', '-'), function, prompt)
        place.end(prompt.bus.process)
    tap.done()
