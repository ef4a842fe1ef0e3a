#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl --host: through a real sshd to a real polkitd and reroute-rulesd, as users of that side."""

import contextlib
import json
import re

import far_side
from place import Place, poll
from tap import Skip, run


def domains(side, **options):
    return [row['domain'] for row in json.loads(side.ctl('--json', 'routing', 'list', **options))]


def add(domain):
    return 'routing', 'add', domain, '--reroute-to=example.com', '--accept-from=anyone'


def complaint(side, *arguments, host='chief@relay1', says=()):
    """What is said when @arguments are refused: one line."""
    text = side.ctl(*arguments, host=host, status=1)
    assert text.count('\n') == 1, text
    for part in says:
        assert part in text, (part, text)
    return text


def main():
    with contextlib.ExitStack() as stack:
        try:
            far_side.enter()
            side = far_side.FarSide(stack.enter_context(Place('remote'))).start()
        except Skip as skip:
            reason = str(skip)

            def test_remote():
                raise Skip(reason)
            run(test_remote)

        def test_a_member_of_the_group_may_all():
            assert 'reroute-relayd' in side.ctl('status')
            side.ctl(*add('test.com'))
            assert domains(side) == ['test.com']
            history = json.loads(side.ctl('--json', 'history'))
            assert history[0]['who'] == 'chief', history
            log = next('\n'.join(lines) for name, lines in side.place.logs() if name == 'rulesd.log')
            assert re.search(r'generation 1 saved for chief from process \d+: Routing: test\.com added', log), log

        def test_port_and_bus_are_said():
            assert domains(side, host=f'chief@127.0.0.1:{side.port}') == ['test.com']
            assert domains(side, host=f'chief@[127.0.0.1]:{side.port}') == ['test.com']
            assert 'test.com' in side.ctl(f'--bus=unix:path={far_side.BUS}', 'routing', 'list')

        def test_files_are_of_this_side():
            name = side.place.join('rows.csv')
            side.ctl('export', name)
            assert '0 added' in side.ctl('import', name)

        def test_others_are_refused_with_the_command_that_helps():
            complaint(side, *add('x.test'), host='guest@relay1', says=['usermod -aG reroute-admin guest', 'relay1'])
            assert domains(side, host='guest@relay1') == ['test.com']

        def test_unknown_and_changed_host_keys():
            try:
                side.know_host_key(None)
                complaint(side, 'status', says=['“ssh chief@relay1” once', 'Host key verification failed'])
                side.know_host_key('other_key')
                complaint(side, 'status', says=['has changed', 'Host key verification failed'])
            finally:
                side.know_host_key()

        def test_who_is_not_let_in():
            complaint(side, 'status', host='uucp@relay1', says=['“ssh uucp@relay1”', 'Permission denied (publickey)'])

        def test_no_ssh_server_there():
            port = far_side.free_port()
            complaint(side, 'status', host=f'chief@127.0.0.1:{port}', says=[f'“ssh -p {port} chief@127.0.0.1”',
                                                                           'Connection refused'])

        def test_no_bridge_there():
            complaint(side, 'status', host='bare@relay1', says=['systemd-stdio-bridge is missing on relay1', 'systemd'])

        def test_no_bus_there():
            complaint(side, '--bus=unix:path=/nonexistent', 'status', says=['the message bus of relay1', 'dbus'])

        def test_something_else_answers():
            with side.other_ssh('echo Welcome; exec /usr/bin/ssh -F "$CONFIG" "$@"'):
                complaint(side, 'status', says=['.bashrc on relay1', 'Welcome'])

        def test_ssh_gets_words_and_no_shell():
            seen = side.place.join('seen')
            with side.other_ssh(f'printf "%s\\n" "$@" > {seen}; exit 255'):
                complaint(side, '--bus=unix:path=/a b;$(x)', 'status')
            with open(seen, encoding='utf-8') as stream:
                words = stream.read().splitlines()
            assert words[-3:] == ['relay1', 'systemd-stdio-bridge', "--bus-path='unix:path=/a b;$(x)'"], words
            assert '--' in words and '-oBatchMode=yes' in words, words

        def test_names_that_ssh_would_misread():
            for name in ('-oProxyCommand=date', 'chief@-oProxyCommand=date', '-l@relay1', '', 'chief@', 'a b',
                         'relay1:0', 'relay1:70000', '[::1]x', 'relay1;date', 'x@relay1/$(date)'):
                assert '[USER@]HOST[:PORT]' in side.ctl('status', host=name, status=2), name
            assert 'exclude' in side.ctl('--session', 'status', status=2)

        def test_completion_does_not_connect():
            with side.other_ssh('exec sleep 600'):
                assert side.ctl('--complete', '--', 'routing', 'remove', '') == ''
                assert 'routing' in side.ctl('--complete', '--', 'rou')

        def test_cut_before_it_was_sent():
            with side.cut('before'):
                complaint(side, *add('before.test'), says=['nothing was changed', 'try again'])
            assert 'before.test' not in domains(side)
            side.ctl(*add('before.test'))

        def test_cut_after_it_was_saved():
            with side.cut('after'):
                with side.start_ctl(*add('after.test')) as process:
                    _, note = process.communicate(timeout=120)
            assert process.returncode == 0 and 'all of this is saved' in note, (process.returncode, note)
            assert domains(side).count('after.test') == 1

        def test_cut_and_rulesd_restarted():
            with side.cut('after-restart') as folder:
                with side.start_ctl(*add('restart.test')) as process:
                    poll('the cut', (folder / 'answer').exists)
                    side.place.end(side.rulesd)
                    side.start_rulesd()
                    (folder / 'go').touch()
                    _, note = process.communicate(timeout=120)
            assert process.returncode == 0 and 'all of this is saved' in note, (process.returncode, note)
            assert domains(side).count('restart.test') == 1

        def test_what_comes_after_the_answer_is_refused():
            with side.cut('late') as folder:
                complaint(side, *add('late.test'), says=['nothing was changed'])
                (folder / 'go').touch()
                poll('the late answer', (folder / 'answer').exists)
            assert b'NoSuchEdit' in (folder / 'answer').read_bytes()
            assert 'late.test' not in domains(side)

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
