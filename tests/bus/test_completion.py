#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reroutectl completes: of itself, of the rules, and as bash gets it."""

import os
import subprocess

from prompt import TESTS, run_at_prompt
from support import CTL, daemon_environment


def completed(prompt, *words):
    return [line.split('\t')[0] for line in prompt.good('--complete', '--', *words).splitlines()]


def test_completion_of_what_is_known(prompt):
    assert completed(prompt, 'ro') == ['routing']
    assert completed(prompt, 'routing', '') == ['list', 'add', 'edit', 'remove']
    assert completed(prompt, 'routing', 'add', 'x.example', '--in') == ['--inbound']
    assert completed(prompt, 'routing', 'add', 'x.example', '--inbound', '--in') == []
    assert completed(prompt, 'connections', 'add', 'x.example', '--tls=ver') == ['--tls=verified']
    assert completed(prompt, 'queue', 'retry', '--state=') \
        == ['--state=' + state for state in ('waiting', 'active', 'held', 'etrn')]
    assert completed(prompt, 'settings', 'get', 'listen') == ['listen', 'listen-tls']
    assert completed(prompt, 'settings', 'set', 'reroute', '') == ['yes', 'no']
    assert completed(prompt, 'settings', 'set', 'dns-servers', 's') == ['system']
    assert completed(prompt, 'log', '--category=tl') == ['--category=tls']
    assert completed(prompt, 'nonsense', '') == []
    assert prompt.run('--complete', '--', 'import', '').returncode == 1, 'a file is for the shell to find'


def test_completion_asks_the_rules(prompt):
    prompt.good('routing', 'add', '#complete.example', '--relay', '--comment=as it was said')
    prompt.good('connections', 'add', 'complete.example', '--dns')
    assert completed(prompt, 'routing', 'edit', '#comp') == ['#complete.example']
    assert prompt.good('--complete', '--', 'routing', 'remove', '').count('\tas it was said\n') == 1
    assert completed(prompt, 'connections', 'remove', 'comp') == ['complete.example']
    assert completed(prompt, 'connections', 'add', 'comp') == []
    assert str(prompt.serial()) == completed(prompt, 'revert', '')[0]
    assert completed(prompt, 'queue', 'show', '') == [], 'the relay is not there'
    prompt.good('routing', 'remove', '#complete.example')
    prompt.good('connections', 'remove', 'complete.example')


def test_completion_in_bash(prompt):
    script = os.path.join(os.path.dirname(TESTS), 'data', 'completion', 'reroutectl.bash')
    fill = ('source "$0"; compopt () { echo "compopt $*"; }; COMP_LINE=$1; COMP_POINT=${#1}; _reroutectl; '
            'printf "%s\\n" "${COMPREPLY[@]}"')

    def offered(text):
        line = f'{CTL} --bus={prompt.bus.address} {text}'
        return subprocess.run(['bash', '-c', fill, script, line], text=True, capture_output=True, check=True,
                              env=daemon_environment()).stdout.split('\n')[:-1]
    assert offered('rou') == ['routing']
    assert offered('routing edit x.example --accept-from=a') == ['anyone'], 'bash has the rest already'
    prompt.good('routing', 'add', '#quoted.example', '--relay')
    assert offered('routing remove #quo') == ['\\#quoted.example'], 'else bash takes it for a comment'
    prompt.good('routing', 'remove', '#quoted.example')
    assert offered('routing edit x.example --com') == ['compopt -o nospace', '--comment=']
    assert offered('export /t') == ['compopt -o default', '']


if __name__ == '__main__':
    run_at_prompt('completion', [test_completion_of_what_is_known, test_completion_asks_the_rules, test_completion_in_bash])
