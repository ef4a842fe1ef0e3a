#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms are raised and cleared, and told to a command, a web server, the bus and the prompt."""

import base64
import contextlib
import http.server
import itertools
import json
import os
import signal
import subprocess
import threading

from place import Place, free_port, is_alive, poll
from certs import Authority
from https import Answer, Https
from sink import Sink
from support import CTL, Client, Service, daemon_environment, send
from tap import Skip, Tap

COMMAND = '''#!/bin/sh
printf '%s\\n' "$#" "$@" >"$0.new.$$" && cat "$0.new.$$" >>"$0.log" && rm "$0.new.$$"
'''
ARGUMENTS = 5
SPOOL_MIB = 200
SPOOL = f'mount -t tmpfs -o size={SPOOL_MIB}m,mode=700 none "$0" && exec "$@"'


class Receiver:
    """A web server that takes alarms, and does as it is told with the first ones: a status, or `hang`."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.bodies, self.taken, self.proofs = [], [], []
        self.over = threading.Event()

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers['Content-Length']))
                outer.bodies.append(body)
                outer.proofs.append(self.headers['Authorization'])
                answer = outer.answers.pop(0) if outer.answers else 204
                if answer == 'hang':
                    outer.over.wait()
                    return
                if answer < 300:
                    assert self.headers['Content-Type'] == 'application/json'
                    outer.taken.append(json.loads(body))
                self.send_response(answer)
                self.send_header('Content-Length', '0')
                self.end_headers()

            def log_message(self, *_):
                """A test reads what was taken."""

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.url = f'http://127.0.0.1:{self.server.server_address[1]}/alarms?of=reroute'
        threading.Thread(target=self.server.serve_forever, kwargs={'poll_interval': 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


class World:
    """A relay whose spool is a small file system, with short thresholds; a command and a web server are told."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('alarms'))
        self.receiver = stack.enter_context(Receiver(500, 'hang'))
        self.commands = self.place.folder('alarm-commands')
        self.place.write(COMMAND, 'alarm-commands', 'tell', mode=0o755)
        self.service = Service(self.place, [f'--alarm-commands={self.commands}'])
        small = ['unshare', '-m', 'sh', '-c', SPOOL, self.service.spool]
        if subprocess.run([*small, 'true'], capture_output=True, check=False).returncode == 0:
            command = self.service.relay_command()
            self.service.relay_command = lambda: [*small, *command]
            self.is_small = True
        else:
            self.is_small = False
        self.service.settings = {'alarm-command': 'tell', 'alarm-webhook': self.receiver.url, 'alarm-next-hop': '1s',
                                 'alarm-oldest': '1s', 'alarm-rules': '1s', 'alarm-spool': '80',
                                 'retry-intervals': '1s'}
        stack.enter_context(self.service)
        self.port = free_port()
        self.service.add_connection('fwd.test', f'--host=127.0.0.1:{self.port}')
        self.service.wait_applied()

    def log(self):
        with open(self.place.join('relayd.log'), encoding='utf-8') as stream:
            return stream.read()

    def told(self):
        """(name, state, subject, sentence, advice) of each run of the command."""
        path = os.path.join(self.commands, 'tell.log')
        if not os.path.exists(path):
            return []
        with open(path, encoding='utf-8') as stream:
            words = stream.read().splitlines()
        runs = [words[at + 1:at + 1 + ARGUMENTS] for at in range(0, len(words), ARGUMENTS + 1)]
        assert all(number == str(ARGUMENTS) for number in words[::ARGUMENTS + 1]), words
        return [tuple(run) for run in runs]

    def wait_told(self, name, state):
        """The last thing that the command was told of the alarm of that name, once it is of that state."""
        def last():
            found = [run for run in self.told() if run[0] == name]
            return found[-1] if found and found[-1][1] == state else None
        return poll(f'{name} to be {state}', last)

    def raised(self):
        """{name: alarm} as the prompt tells them."""
        return {alarm['alarm']: alarm for alarm in self.service.ctl_json('status')['relay']['alarms']}


def test_next_hop_and_oldest_message(world):
    assert not world.raised()
    assert send(world.service, 'a@source.test', ['u@fwd.test'])[1].startswith('250')
    hop = f'127.0.0.1:{world.port}'
    _, _, subject, sentence, advice = world.wait_told('next-hop', 'raised')
    assert (subject, sentence) == (hop, f'The host {hop} has taken no mail for longer than 1s.'), (subject, sentence)
    assert 'queue list --by=next-hop' in advice, advice
    oldest = world.wait_told('oldest-message', 'raised')
    assert oldest[3] == 'A message has been in the queue for longer than 1s.', oldest
    alarms = world.raised()
    assert set(alarms) == {'next-hop', 'oldest-message'}, alarms
    assert alarms['next-hop']['since-us'] > 0 and alarms['next-hop']['subject'] == hop, alarms
    text = world.service.ctl('status')
    assert text.count('Alarm since ') == 2 and sentence in text and 'alarms' not in text.split('\n', 3)[3], text
    with Sink(port=world.port) as sink:
        poll('the message', lambda: len(sink.messages) == 1)
        world.wait_told('next-hop', 'cleared')
        world.wait_told('oldest-message', 'cleared')
        assert not world.raised()
        assert 'Alarm' not in world.service.ctl('status')


def test_certificate(world):
    authority = Authority(world.place)
    soon, later = authority.issue('mail.test', last_day=5), authority.issue('mail.test', last_day=40)
    path, key = world.place.join('server.pem'), world.place.join('server.key')
    soon.install(path, key)
    world.service.set('tls-key', key)
    world.service.set('tls-certificate', path)
    _, _, subject, sentence, _ = world.wait_told('certificate', 'raised')
    assert subject == path and sentence.startswith(f'The certificate {path} ends on 20'), sentence
    # What hosts are shown counts as well, and so does one that cannot be shown.
    client = world.place.join('client.pem')
    world.service.add_connection('partner.test', f'--host=127.0.0.1:{world.port}', f'--certificate={client}')
    poll('the second alarm', lambda: f'A certificate cannot be shown: cannot use the certificate “{client}”' in
         world.service.ctl('status'))
    with open(client, 'w', encoding='ascii') as stream:
        for name in (soon.path, soon.key_path):
            with open(name, encoding='ascii') as source:
                stream.write(source.read())
    later.install(path, key)
    with Client(world.service.host, world.service.port) as alive:
        assert alive.command('NOOP').startswith('250')
    os.kill(world.service.relay.pid, signal.SIGHUP)
    poll('the first to be over', lambda: (path, 'cleared') in [(run[2], run[1]) for run in world.told()])
    world.service.ctl('connections', 'remove', 'partner.test')
    poll('both to be over', lambda: not world.raised())


def test_spool(world):
    if not world.is_small:
        raise Skip('a small file system cannot be mounted here')
    filler = f'/proc/{world.service.relay.pid}/root{world.service.spool}/filler'
    with open(filler, 'wb') as stream:
        os.posix_fallocate(stream.fileno(), 0, SPOOL_MIB * 1024 * 1024 * 85 // 100)
        assert world.wait_told('spool', 'raised')[3] == 'The file system of the queue is full to 80 per cent or more.'
        # A little below the threshold is not over yet; the next look is behind that of the setting.
        usage = os.statvfs(filler)
        used = usage.f_blocks - usage.f_bfree
        wanted = int(usage.f_blocks * 0.78) - used
        os.ftruncate(stream.fileno(), os.fstat(stream.fileno()).st_size + wanted * usage.f_frsize)
        world.service.set('alarm-oldest', '2s')
        world.service.wait_applied()
        assert 'spool' in world.raised()
    os.unlink(filler)
    world.wait_told('spool', 'cleared')


def test_rules(world):
    """The prompt shows what the relay says also without the rules service."""
    activation = world.place.join('services', 'org.reroute.Rules.service')
    os.rename(activation, activation + '.away')
    world.service.bus.call('ReloadConfig')
    world.service.end_rules()
    sentence = world.wait_told('rules', 'raised')[3]
    assert sentence == 'The rules service has been away for longer than 1s: nothing can be changed.', sentence
    said = subprocess.run([CTL, f'--bus={world.service.bus.address}', 'status'], capture_output=True, text=True,
                          env=daemon_environment(), check=False)
    assert said.returncode == 1 and sentence in said.stdout and said.stderr, said
    os.rename(activation + '.away', activation)
    world.service.bus.call('ReloadConfig')
    world.service.ctl('settings', 'get', 'alarm-rules')
    world.wait_told('rules', 'cleared')


def test_web_server(world):
    """What the first tries did not take comes later, in order; nothing is told twice that was taken."""
    runs = world.told()
    poll('all to be posted', lambda: len(world.receiver.taken) == len(runs))
    posted = [tuple(alarm[key] for key in ('alarm', 'state', 'subject', 'sentence', 'advice'))
              for alarm in world.receiver.taken]
    assert posted == runs, (posted, runs)
    assert world.receiver.bodies[0] == world.receiver.bodies[1] == world.receiver.bodies[2]
    assert len(world.receiver.bodies) == len(runs) + 2
    first = world.receiver.taken[0]
    assert first['since'].endswith('Z') and first['sentence'] in first['text'], first
    assert first['host'] and not any(b'@' in body for body in world.receiver.bodies), first


def test_web_server_in_tls(world):
    """It is told nothing before its certificate is trusted."""
    authority = Authority(world.place, 'web')
    with Https() as server:
        server.add('localhost', authority.issue('localhost'), Answer())
        world.service.set('alarm-webhook', f'https://localhost:{server.port}/hook')
        world.service.wait_applied()
        world.service.set('tls-key', '')
        world.service.set('tls-certificate', '/nowhere.pem')
        world.wait_told('certificate', 'raised')
        poll('a handshake', lambda: server.asked)
        poll('its failure', lambda: 'an alarm is posted again in' in world.log())
        assert not server.posts
        pipe = world.place.join('pipe')
        os.mkfifo(pipe)
        world.service.set('tls-trust', pipe)
        poll('the pipe to be told', lambda: f'cannot read the authorities of “{pipe}”: it is no ordinary file' in world.log())
        world.service.set('tls-trust', authority.path)
        host, path, kind, body = poll('the alarm', lambda: server.posts)[0]
        assert (host, path, kind, json.loads(body)['alarm']) == ('localhost', '/hook', 'application/json', 'certificate')
    world.service.set('alarm-webhook', '')
    world.service.set('tls-certificate', '')
    world.wait_told('certificate', 'cleared')


def test_web_server_with_an_account(world):
    """Nothing is posted until the account is there; then with a password, or with the token of the moment."""
    token = world.place.write('one\n', 'token')
    toggle = itertools.cycle(('/nowhere.pem', ''))

    def proof_of_next():
        n_taken = len(receiver.taken)
        world.service.set('tls-certificate', next(toggle))
        poll('the alarm', lambda: len(receiver.taken) > n_taken)
        return receiver.proofs[-1]
    with Receiver() as receiver:
        world.service.set('alarm-webhook-account', 'hook')
        world.service.set('alarm-webhook', receiver.url)
        world.service.set('tls-certificate', next(toggle))
        poll('the reason', lambda: 'of the setting “alarm-webhook-account” is not there' in world.log())
        assert not receiver.bodies
        world.service.ctl('account', 'add', 'hook', '--out', '--user=Ärmel', '--password-stdin', text='sesam öffne\n')
        poll('the first alarm', lambda: receiver.taken)
        basic = 'Basic ' + base64.b64encode('Ärmel:sesam öffne'.encode()).decode()
        assert receiver.proofs == [basic], receiver.proofs
        assert proof_of_next() == basic
        world.service.ctl('account', 'add', 'hook', '--out', f'--token-file={token}')
        assert proof_of_next() == 'Bearer one'
        world.place.write('two\n', 'token')
        assert proof_of_next() == 'Bearer two'
        world.service.ctl('account', 'add', 'hook', '--out', '--token-command=tell')
        world.service.set('tls-certificate', next(toggle))
        poll('the refusal', lambda: 'has a token command' in world.log())
        world.service.ctl('account', 'remove', 'hook', '--out')
        assert 'sesam' not in world.log() and basic.split()[1] not in world.log()
    for key in ('alarm-webhook', 'alarm-webhook-account', 'tls-certificate'):
        world.service.set(key, '')
    world.wait_told('certificate', 'cleared')


def test_refused_and_failing(world):
    """A web server that wants none is not asked again; a command that fails is in the log."""
    world.place.write('#!/bin/sh\nexit 3\n', 'alarm-commands', 'fails', mode=0o755)
    with Receiver(403) as receiver:
        world.service.set('alarm-webhook', receiver.url)
        world.service.set('alarm-command', 'fails')
        world.service.set('tls-certificate', '/nowhere.pem')
        poll('the refusal', lambda: 'answers with status 403' in world.log())
        poll('the failure', lambda: 'the command “fails” ended with status 3' in world.log())
        world.service.set('alarm-command', 'missing')
        world.service.set('tls-certificate', '')
        poll('what comes next', lambda: receiver.taken)
        assert receiver.taken[0]['state'] == 'cleared' and len(receiver.bodies) == 2, receiver.bodies
        poll('the missing one', lambda: 'the command “missing” cannot be run' in world.log())


def test_helper_that_has_ended(world):
    """The kernel may have ended it: then it is not a directory that is missing."""
    pid = world.service.relay.pid
    with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as stream:
        helper, = stream.read().split()
    os.kill(int(helper), signal.SIGKILL)
    poll('its end', lambda: not is_alive(helper))
    world.service.set('alarm-command', 'tell')
    world.service.set('tls-certificate', '/nowhere.pem')
    poll('the reason', lambda: 'the process that runs them has ended: restart reroute-relayd' in world.log())


def test_bad_values(world):
    for key, value, said in (('alarm-command', '/bin/sh', 'no bare name'), ('alarm-command', '../tell', 'no bare name'),
                             ('alarm-webhook', 'http://alarms.example/', 'no web address for alarms'),
                             ('alarm-webhook', 'https://u:p@alarms.example/', 'without a password'),
                             ('alarm-webhook', 'alarms', 'no web address'),
                             ('alarm-spool', '100', 'Write a whole number from 0 to 99'),
                             ('alarm-oldest', '3', 'Write a time from 0s to 60d')):
        message = world.service.ctl('settings', 'set', key, value, status=1)
        assert said in message, (key, value, message)


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        world = World(stack)
        for case in (test_bad_values, test_next_hop_and_oldest_message, test_certificate, test_spool, test_rules,
                     test_web_server, test_web_server_in_tls, test_web_server_with_an_account,
                     test_refused_and_failing, test_helper_that_has_ended):
            tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, world)
    tap.done()


if __name__ == '__main__':
    main()
