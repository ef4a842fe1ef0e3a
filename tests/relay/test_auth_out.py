#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay logs in at next hops: to a sink, to Exim, to another relay; what it never tells, and to whom."""

import base64
import contextlib
import csv
import glob
import os
import signal
import ssl
import stat

from place import Place, is_alive, poll, process_fields
from certs import Authority
from peers import Exim
from sink import Sink
from support import Client, Service, send
from tap import run

USER, PASSWORD = 'me@provider.test', 'Hält:dicht 17'
TOKEN = 'ya29.of-a-command'
SAID = f'user={USER}\1auth=Bearer {TOKEN}\1\1'.encode()
PLAIN = f'\0{USER}\0{PASSWORD}'.encode()
LOGIN = [USER.encode(), PASSWORD.encode()]


class World:
    """A relay, and hosts that want a login."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('auth-out'))
        self.authority = Authority(self.place)
        self.certificate = self.authority.issue('provider.test')
        self.commands = self.place.folder('commands')
        self.service = stack.enter_context(Service(self.place, [f'--token-commands={self.commands}']))
        self.service.set('hostname', 'relay.test')
        self.count = 0

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.path, self.certificate.key_path)
        return context

    def sink(self, auth, tls=True, **options):
        return self.stack.enter_context(Sink(auth=auth, tls=self.context() if tls else None, **options))

    def route(self, endpoint, *options, account='smart'):
        """A new domain whose mail goes to @endpoint; a recipient there."""
        self.count += 1
        domain = f'd{self.count}.test'
        self.service.add_connection(domain, f'--host={endpoint}', f'--account={account}', *options)
        self.service.wait_applied()
        return f'u@{domain}'

    def add(self, account, password=PASSWORD):
        self.service.ctl('account', 'add', account, '--out', f'--user={USER}', '--password-stdin',
                         text=password + '\n')

    def command(self, name, text, mode=0o755):
        """A program in the directory of token commands, and an account that is its namesake."""
        self.place.write(f'#!/bin/sh\n{text}\n', 'commands', name, mode=mode)
        self.service.ctl('account', 'add', name, '--out', f'--user={USER}', f'--token-command={name}')

    def send(self, recipient):
        rcpts, last = send(self.service, 'a@client.test', [recipient])
        assert last.startswith('250'), (rcpts, last)

    def deferred(self, text):
        """The one recipient in the queue, once @text is why it waits."""
        def find():
            queue = self.service.queued()
            assert len(queue) <= 1, queue
            found = queue[0]['recipients'][0] if queue else None
            return found if found and text in found['last_reply'] else None
        found = poll(f'“{text}”', find, step_s=0.1)
        assert found['state'] == 'waiting', found
        return found

    def delete(self):
        self.service.ctl('queue', 'delete', *[message['id'] for message in self.service.queued()])

    def check_delivered(self, sink, recipient, mechanism=None):
        message = poll(f'the message for {recipient}',
                       lambda: [found for found in list(sink.messages) if found.recipients == [recipient]])[0]
        said = [line for line in message.session if line.startswith('C: AUTH ')]
        assert mechanism is None or [line.split()[2] for line in said] == [mechanism], message.session
        return message


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_missing_secret_puts_off():
            sink = world.sink({'LOGIN': LOGIN, 'PLAIN': [PLAIN]})
            recipient = world.route(sink.endpoint)
            world.send(recipient)
            world.deferred('no secret is kept for the account smart')
            assert not sink.conversations
            world.add('smart')
            world.check_delivered(sink, recipient, 'PLAIN')
            service.wait_empty()

        def test_account_is_listed_and_kept_apart():
            assert service.ctl_json('account', 'list') == [{'name': 'smart', 'kind': 'out'}]
            status = os.stat(os.path.join(service.spool, 'secrets'))
            assert stat.S_IMODE(status.st_mode) == 0o600, oct(status.st_mode)
            assert 'there is no account' in service.ctl('account', 'remove', 'smart', status=1)
            assert '--out too' in service.ctl('account', 'add', 'x', '--user=y', status=2)

        def test_login():
            sink = world.sink({'LOGIN': LOGIN})
            recipient = world.route(sink.endpoint)
            world.send(recipient)
            world.check_delivered(sink, recipient, 'LOGIN')

        def test_call_ahead_logs_in():
            """A recipient is asked for as its mail would be sent; without a secret nobody can tell."""
            def reply(verb, argument):
                return '550 5.1.1 who?' if verb == 'RCPT' and 'nobody@' in argument else None
            sink = world.sink({'PLAIN': [PLAIN]}, reply=reply)
            recipient = world.route(sink.endpoint, '--recipient-check=call-ahead')
            rcpts, _ = send(service, 'a@client.test', ['nobody@' + recipient.split('@')[1]])
            assert rcpts[0].startswith('550 5.1.1'), rcpts
            world.send(recipient)
            world.check_delivered(sink, recipient, 'PLAIN')
            assert all(any(line.startswith('C: AUTH ') for line in said) for said in sink.conversations), \
                sink.conversations
            service.wait_empty()
            unknown = world.route(sink.endpoint, '--recipient-check=call-ahead', account='missing')
            count = len(sink.conversations)
            world.send('nobody@' + unknown.split('@')[1])
            world.deferred('no secret is kept for the account missing')
            assert len(sink.conversations) == count
            world.delete()

        def test_exim():
            for mechanism in ('PLAIN', 'LOGIN'):
                exim = Exim(world.place, f'exim-{mechanism.lower()}',
                            login=(mechanism, USER, PASSWORD, world.certificate)).start()
                world.send(world.route(f'{exim.host}:{exim.port}'))
                poll('the message at Exim', lambda box=exim.path('mail/box/new'): os.path.isdir(box) and os.listdir(box))
            service.wait_empty()

        def test_scram_to_another_relay():
            with Place('auth-provider') as place, Sink() as behind, Service(place) as provider:
                provider.set('default-delivery', behind.endpoint)
                provider.set('tls-certificate', world.certificate.path)
                provider.set('tls-key', world.certificate.key_path)
                provider.ctl('account', 'add', USER, '--password-stdin', text=PASSWORD + '\n')
                provider.wait_applied()
                recipient = world.route(f'{provider.host}:{provider.port}')
                world.send(recipient)
                message = world.check_delivered(behind, recipient)
                assert b' with ESMTPSA id ' in message.content.split(b'Received: ')[1], message.content
                poll('the line in its log', lambda: f'auth={USER} mechanism=SCRAM-SHA-256 status=authenticated'
                     in read(place.join('relayd.log')))

        def test_xoauth2():
            token = 'ya29.' + 'x' * 900  # more than a command has room for
            said = f'user={USER}\1auth=Bearer {token}\1\1'.encode()
            path = world.place.write('expired\n', 'token')
            sink = world.sink({'PLAIN': [PLAIN], 'XOAUTH2': [said]})
            service.ctl('account', 'add', 'cloud', '--out', f'--user={USER}', f'--token-file={path}')
            recipient = world.route(sink.endpoint, account='cloud')
            world.send(recipient)
            world.deferred('535 5.7.8 no such login')
            world.place.write(token + '\n', 'token')
            service.ctl('queue', 'retry', '--all')
            message = world.check_delivered(sink, recipient, 'XOAUTH2')
            assert 'C: AUTH XOAUTH2' in message.session, message.session
            service.wait_empty()

        def test_files_that_are_pipes():
            """Nobody writes into them: that mail waits, and all else goes on."""
            pipe = world.place.join('pipe')
            os.mkfifo(pipe)
            service.ctl('account', 'add', 'piped', '--out', f'--user={USER}', f'--token-file={pipe}')
            sink = world.sink({'PLAIN': [PLAIN], 'XOAUTH2': [SAID]})
            recipient = world.route(sink.endpoint, account='piped')
            world.send(recipient)
            with Client(service.host, service.port) as client:
                assert client.banner.startswith('220'), client.banner
            world.deferred('the token cannot be read: it is no ordinary file')
            world.delete()
            service.set('tls-trust', pipe)
            recipient = world.route(sink.endpoint, '--tls=verified', account='piped')
            world.send(recipient)
            with Client(service.host, service.port) as client:
                assert client.banner.startswith('220'), client.banner
            world.deferred(f'cannot read the authorities of “{pipe}”: it is no ordinary file')
            world.delete()
            service.set('tls-trust', '')
            service.wait_applied()

        def test_token_command():
            """Its token is kept, until a host refuses it."""
            world.command('issue', 'echo "$1" >>"$0.runs"; cat "$0.token"; echo noise >&2')
            token, runs = (os.path.join(world.commands, f'issue.{name}') for name in ('token', 'runs'))
            world.place.write('expired\n3600\n', token)
            sink = world.sink({'PLAIN': [PLAIN], 'XOAUTH2': [SAID]})
            recipient = world.route(sink.endpoint, account='issue')
            world.send(recipient)
            world.deferred('535 5.7.8 no such login')
            world.place.write(TOKEN + '\n', token)
            service.ctl('queue', 'retry', '--all')
            world.check_delivered(sink, recipient, 'XOAUTH2')
            assert read(runs).split() == [USER] * 2, read(runs)
            second = world.sink({'XOAUTH2': [SAID]})
            recipient = world.route(second.endpoint, account='issue')
            world.send(recipient)
            world.check_delivered(second, recipient, 'XOAUTH2')
            assert read(runs).split() == [USER] * 2, read(runs)
            assert not any(TOKEN in line or 'noise' in line for _, lines in world.place.logs() for line in lines)

        def runs_for_two(name):
            """How often the command of that name ran for two hosts at a time, and then for a third one alone."""
            world.command(name, f'echo x >>"$0.runs"; until [ -e "$0.go" ]; do sleep 0.05; done; echo {TOKEN}; echo 0')
            sinks = [world.sink({'XOAUTH2': [SAID]}) for _ in range(3)]
            recipients = [world.route(sink.endpoint, account=name) for sink in sinks]
            for recipient in recipients[:2]:
                world.send(recipient)
            poll('both hosts to have said what they offer', lambda: all(
                any('AUTH XOAUTH2' in line for line in lines[4:]) for sink in sinks[:2]
                for lines in list(sink.conversations)) and all(sink.conversations for sink in sinks[:2]))
            world.place.write('', 'commands', f'{name}.go')
            for sink, recipient in zip(sinks[:2], recipients):
                world.check_delivered(sink, recipient, 'XOAUTH2')
            runs = len(read(os.path.join(world.commands, f'{name}.runs')).split())
            world.send(recipients[2])
            world.check_delivered(sinks[2], recipients[2], 'XOAUTH2')
            return runs, len(read(os.path.join(world.commands, f'{name}.runs')).split()) - runs

        def test_one_run_for_all_who_wait():
            """A token that is good for no time serves those who have asked for it before it came.

            What a host offers may be read after the token came, on a busy machine: then it is tried again.
            """
            assert any(runs_for_two(name) == (1, 1) for name in ('slow', 'slower', 'slowest'))

        def test_token_command_fails():
            """Each puts its mail off, and says why; a host each, as one that fails is left alone for a while."""
            reasons = {'status': (f'echo {TOKEN}; exit 3', 'the command “status” ended with status 3'),
                       'signal': ('kill -9 $$', 'the command “signal” was ended by signal 9'),
                       'silent': ('exit 0', 'the first line that the command “silent” prints is no token'),
                       'words': ('echo no token', 'the first line that the command “words” prints is no token'),
                       'much': ('yes | head -c 20000', 'the command “much” prints more than 8256 octets'),
                       'data': (f'echo {TOKEN}', 'the command “data” cannot be run')}
            for name, (text, _) in reasons.items():
                world.command(name, text, mode=0o644 if name == 'data' else 0o755)
                sink = world.sink({'XOAUTH2': [SAID]})
                service.add_connection(f'{name}.test', f'--host={sink.endpoint}', f'--account={name}')
            service.wait_applied()
            for name in reasons:
                world.send(f'u@{name}.test')

            def said():
                return {recipient['address']: recipient['last_reply'] for message in service.queued()
                        for recipient in message['recipients'] if recipient['last_reply']}
            replies = poll('a reason for each', lambda: len(said()) == len(reasons) and said(), step_s=0.1)
            for name, (_, why) in reasons.items():
                assert f'cannot log in: {why}' in replies[f'u@{name}.test'], replies
            world.delete()

        def test_token_command_without_end():
            """As its time limit does, an alarm ends it, and all that it has started."""
            world.command('endless', 'echo $$ >"$0.pid"; sleep 1000 & sleep 1000')
            pid_file = os.path.join(world.commands, 'endless.pid')
            sink = world.sink({'XOAUTH2': [SAID]})
            world.send(world.route(sink.endpoint, account='endless'))
            pid = int(poll('the command to run', lambda: os.path.exists(pid_file) and read(pid_file)))
            children = poll('what it starts', lambda: len(children_of(pid)) == 2 and children_of(pid))
            os.kill(parent_of(pid), signal.SIGALRM)
            world.deferred('the command “endless” takes longer than 30 s')
            poll('all of them to be gone', lambda: not any(is_alive(each) for each in [pid, *children]))
            world.delete()

        def test_token_command_is_a_bare_name():
            for name in ('/bin/sh', '../x', '.x', 'a b', ''):
                message = service.ctl('account', 'add', 'x', '--out', f'--token-command={name}', status=1)
                assert 'token' in message and ('bare name' in message or name == ''), message

        def test_no_directory_of_commands():
            with Place('auth-out') as place, Service(place, ['--token-commands=/nowhere']) as other:
                other.ctl('account', 'add', 'x', '--out', '--token-command=x')
                other.add_connection('d.test', f'--host={world.sink({"XOAUTH2": [SAID]}).endpoint}', '--account=x')
                other.wait_applied()
                assert send(other, 'a@client.test', ['u@d.test'])[1].startswith('250')
                poll('the reason', lambda: 'no token command can be run' in
                     other.queued()[0]['recipients'][0]['last_reply'])

        def test_credentials_come_in_place_of_files():
            """A login both ways, and a certificate's key, from the service manager's directory."""
            with Place('credentials') as place, Sink() as behind:
                folder = place.folder('credentials', mode=0o700)
                other = Service(place)
                other.relay_environment = {'CREDENTIALS_DIRECTORY': folder}
                place.write('secret smart password '
                            f'{base64.b64encode(USER.encode()).decode()} '
                            f'{base64.b64encode(PASSWORD.encode()).decode()}\n', 'credentials', 'secrets', mode=0o400)
                world.certificate.install(place.join('tls.pem'), place.join('credentials', 'tls.key'))
                with other:
                    other.set('tls-certificate', place.join('tls.pem'))
                    other.set('tls-key', place.join('credentials', 'tls.key'))
                    sink = world.sink({'PLAIN': [PLAIN]})
                    other.add_connection('d.test', f'--host={sink.endpoint}', '--account=smart')
                    other.add_connection('in.test', f'--host={behind.endpoint}')
                    other.wait_applied()
                    assert 'STARTTLS' in Client(other.host, other.port).ehlo
                    assert send(other, 'a@client.test', ['u@d.test'])[1].startswith('250')
                    world.check_delivered(sink, 'u@d.test', 'PLAIN')
                    assert other.ctl_json('account', 'list') == [{'name': 'smart', 'kind': 'out'}]
                    for arguments in (('add', 'more', '--out', '--password-stdin'), ('remove', 'smart', '--out')):
                        message = other.ctl('account', *arguments, text='x\n', status=1)
                        assert 'come from the credential' in message, message
                    # The other kind still has its file, until there is a credential for it.
                    other.ctl('account', 'add', 'client', '--password-stdin', text='of-the-file\n')
                    with open(os.path.join(other.spool, 'accounts'), encoding='utf-8') as stream:
                        verifier = stream.read().split('account client ')[1]
                    place.write(f'account other {verifier}', 'credentials', 'accounts', mode=0o400)
                    other.stop_relay()
                    other.start_relay()
                    names = [account['name'] for account in other.ctl_json('account', 'list')]
                    assert names == ['other', 'smart'], names
                    assert not os.path.exists(os.path.join(other.spool, 'secrets'))

        def test_refused_login_puts_off():
            sink = world.sink({'PLAIN': [PLAIN]})
            world.add('wrong', 'guess')
            recipient = world.route(sink.endpoint, account='wrong')
            world.send(recipient)
            assert '451 4.3.2' in world.deferred('535 5.7.8 no such login')['last_reply']
            assert not sink.messages and len(service.queued()) == 1  # and no notice
            world.add('wrong')
            service.ctl('queue', 'retry', '--all')
            world.check_delivered(sink, recipient, 'PLAIN')
            sink.reply = lambda verb, argument: '454 4.7.0 later' if verb == 'AUTH' else None
            world.send(world.route(sink.endpoint))
            world.deferred('454 4.7.0 later')
            world.delete()

        def test_never_in_clear_text():
            for options in ((), ('--tls=encrypted',)):
                sink = world.sink({'PLAIN': [PLAIN]}, tls=False)
                world.send(world.route(sink.endpoint, *options))
                world.deferred('TLS is demanded')
                assert not sink.messages and not told(sink)
                world.delete()
            sink = world.sink({'PLAIN': [PLAIN]}, tls=False)
            # A bridge on this machine, when she says so.
            recipient = world.route(sink.endpoint, '--tls=none')
            world.send(recipient)
            world.check_delivered(sink, recipient, 'PLAIN')

        def test_broken_tls_is_no_way_around():
            sink = stack.enter_context(Sink(auth={'PLAIN': [PLAIN]}, tls='broken'))
            world.send(world.route(sink.endpoint))
            world.deferred('TLS failed')
            assert not told(sink)
            world.delete()

        def test_host_without_auth_puts_off():
            for auth, why in ((None, 'the host does not do AUTH'), ({'CRAM-MD5': []}, 'no mechanism for a password')):
                world.send(world.route(world.sink(auth).endpoint))
                world.deferred(why)
                world.delete()

        def test_connection_is_for_its_account_alone():
            sink = world.sink({'PLAIN': [PLAIN]})
            recipient = world.route(sink.endpoint)
            for count in (1, 2):
                world.send(recipient)
                poll('the message', lambda wanted=count: len(sink.messages) == wanted)
            assert len(sink.conversations) == 1, sink.conversations
            service.add_connection('other.test', f'--host={sink.endpoint}', '--tls=encrypted')
            service.wait_applied()
            assert send(service, 'a@client.test', ['u@other.test'])[1].startswith('250')
            poll('a second connection', lambda: any('S: 530 5.7.0 log in first' in lines
                                                    for lines in list(sink.conversations)))
            assert len(sink.conversations) == 2 and not told_in(sink.conversations[1])

        def test_default_account():
            sink = world.sink({'PLAIN': [PLAIN]})
            service.set('default-delivery', sink.endpoint)
            service.set('permitted-hosts', '127.0.0.1')
            service.set('default-account', 'smart')
            service.wait_applied()
            steps = service.ctl('explain', 'u@far.test')
            assert 'It logs in there to the account smart.' in steps, steps
            world.send('u@far.test')
            world.check_delivered(sink, 'u@far.test', 'PLAIN')
            service.set('default-account', '')
            service.wait_applied()
            world.send('v@far.test')
            poll('a connection without a login', lambda: not told_in(sink.conversations[-1]) and
                 'S: 530 5.7.0 log in first' in sink.conversations[-1])

        def test_row_keeps_and_drops_its_account():
            rows = {row['domain']: row for row in service.ctl_json('connections', 'list')}
            assert rows['d1.test']['account'] == 'smart', rows['d1.test']
            exported = {row['domain']: row for row in csv.DictReader(service.ctl('export').splitlines())}['d1.test']
            assert [exported[key] for key in ('match', 'action', 'account')] == ['subdomains', 'host', 'smart'], exported
            service.ctl('connections', 'edit', 'd1.test', '--comment=x')
            assert 'is of no use' in service.ctl('connections', 'edit', 'd1.test', '--dns', status=1)
            service.ctl('connections', 'edit', 'd1.test', '--dns', '--account=', '--confirm')
            rows = {row['domain']: row for row in service.ctl_json('connections', 'list')}
            assert rows['d1.test']['account'] == '' and rows['d1.test']['comment'] == 'x', rows['d1.test']

        def test_removed_account_puts_off():
            sink = world.sink({'PLAIN': [PLAIN]})
            recipient = world.route(sink.endpoint)
            service.ctl('account', 'remove', 'smart', '--out')
            world.send(recipient)
            world.deferred('no secret is kept')
            world.delete()

        def test_no_password_is_anywhere_else():
            hidden = [text.encode() for text in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode())]
            for folder, _, files in os.walk(world.place.path):
                for path in [os.path.join(folder, file) for file in files]:
                    if not os.path.isfile(path) or path.endswith('exim.conf') or path.endswith('/spool/secrets'):
                        continue
                    with open(path, 'rb') as stream:
                        octets = stream.read()
                    assert not any(text in octets for text in hidden), path

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


def parent_of(pid):
    fields = process_fields(pid)
    return int(fields[1]) if fields is not None else 0


def children_of(pid):
    return [int(path.split('/')[2]) for path in glob.glob('/proc/[0-9]*/stat')
            if parent_of(path.split('/')[2]) == pid]


def read(path):
    with open(path, encoding='utf-8') as stream:
        return stream.read()


def told_in(lines):
    """Whether a client has said something of an account."""
    return any(line.startswith('C: AUTH') for line in lines)


def told(sink):
    return any(told_in(lines) for lines in list(sink.conversations))


if __name__ == '__main__':
    main()
