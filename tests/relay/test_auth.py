#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients log in: by Python, swaks, curl and msmtp; who may relay then, and who guesses."""

import base64
import contextlib
import glob
import hashlib
import hmac
import os
import pty
import re
import select
import shutil
import smtplib
import ssl
import stat
import subprocess

from place import Place, poll
from certs import Authority
from peers import msmtp
from sink import Sink
from support import CTL, Client, Service
from tap import Skip, run

HOSTNAME = 'relay.test'
PASSWORD = 'Zw0lf-Boxkämpfer'
MESSAGE = b'Subject: x\r\n\r\nhello\r\n'
DENIED = (550, b'5.7.1')


class World:
    """A relay with a certificate that lets nobody relay, and a host that all mail goes to."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('auth'))
        self.authority = Authority(self.place)
        self.sink = stack.enter_context(Sink())
        self.service = stack.enter_context(Service(self.place))
        self.certificate = self.authority.issue(HOSTNAME)
        self.service.set('hostname', HOSTNAME)
        self.service.set('default-delivery', self.sink.endpoint)
        self.service.set('tls-certificate', self.certificate.path)
        self.service.set('tls-key', self.certificate.key_path)
        self.service.wait_applied()
        self.accounts = os.path.join(self.service.spool, 'accounts')

    @contextlib.contextmanager
    def session(self, tls=True):
        client = smtplib.SMTP(self.service.host, self.service.port, 'client.test', timeout=60)
        client._host = HOSTNAME  # pylint: disable=protected-access
        try:
            client.ehlo()
            if tls:
                client.starttls(context=ssl.create_default_context(cafile=self.authority.path))
                client.ehlo()
            yield client
        finally:
            client.close()

    def add(self, name, password=PASSWORD, status=0):
        return self.service.ctl('account', 'add', name, '--password-stdin', text=password + '\n', status=status)

    def check_arrived(self, recipient):
        def find():
            return [message for message in list(self.sink.messages) if message.recipients == [recipient]]
        content = poll(f'the message for {recipient}', find)[0].content
        assert b'\r\n\tby relay.test with ESMTPSA id ' in content, content

    def log(self):
        return ''.join(open(path, encoding='utf-8').read() for path in glob.glob(self.place.join('relayd*'))
                       if os.path.isfile(path))


def response(name, password):
    return base64.b64encode(f'\0{name}\0{password}'.encode()).decode()


def log_in_by(client, mechanism, name='alice', password=PASSWORD):
    """One AUTH; the code of the reply."""
    if mechanism == 'PLAIN':
        return client.docmd('AUTH', f'PLAIN {response(name, password)}')[0]
    code, said = client.docmd('AUTH', 'LOGIN')
    assert (code, base64.b64decode(said)[:9]) == (334, b'User Name'), said
    assert client.docmd(base64.b64encode(name.encode()).decode())[0] == 334
    return client.docmd(base64.b64encode(password.encode()).decode())[0]


def scram(client, name, password):
    """SCRAM-SHA-256 as RFC 5802 has it; (salt, code of the last reply)."""
    first = f'n={name},r=fyko+d2lbbFgONRv9qkxdawL'
    code, said = client.docmd('AUTH', 'SCRAM-SHA-256 ' + base64.b64encode(f'n,,{first}'.encode()).decode())
    assert code == 334, said
    challenge = base64.b64decode(said).decode()
    fields = dict(field.split('=', 1) for field in challenge.split(','))
    final = f'c=biws,r={fields["r"]}'
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(), base64.b64decode(fields['s']), int(fields['i']))
    proof, signature = (hmac.digest(key, f'{first},{challenge},{final}'.encode(), 'sha256') for key in (
        hashlib.sha256(hmac.digest(salted, b'Client Key', 'sha256')).digest(),
        hmac.digest(salted, b'Server Key', 'sha256')))
    proof = bytes(a ^ b for a, b in zip(proof, hmac.digest(salted, b'Client Key', 'sha256')))
    code, said = client.docmd(base64.b64encode(f'{final},p={base64.b64encode(proof).decode()}'.encode()).decode())
    if code == 334:
        assert base64.b64decode(said).decode() == 'v=' + base64.b64encode(signature).decode()
        code, said = client.docmd('')
    return fields['s'], int(fields['i']), code


def tool(name):
    if shutil.which(name) is None:
        raise Skip(f'no {name}')
    return name


def command(*arguments, text=None, env=None, status=0):
    result = subprocess.run(arguments, capture_output=True, text=True, input=text, timeout=60, check=False, env=env)
    assert (result.returncode == 0) == (status == 0), f'{arguments[0]}: {result.stdout}{result.stderr}'
    return result.stdout + result.stderr


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_not_offered_without_accounts():
            with world.session() as client:
                assert not client.has_extn('auth')
                assert client.docmd('AUTH', 'PLAIN')[0] == 502
            assert service.ctl_json('account', 'list') == []

        def test_outbound_only_without_accounts():
            """A stranger is turned away when it connects."""
            service.set('transfer-mode', 'outbound')
            service.wait_applied()
            with Client(service.host, service.port) as client:
                assert client.banner.startswith('421 4.3.2'), client.banner
            service.set('transfer-mode', 'both')
            service.wait_applied()

        def test_account_is_kept_as_a_verifier():
            world.add('alice')
            world.add('bob', 'bobs')
            assert service.ctl_json('account', 'list') == [{'name': name, 'kind': 'in'} for name in ('alice', 'bob')]
            assert [line.split()[:2] for line in service.ctl('account', 'list').splitlines()[1:]] == \
                [['alice', 'in'], ['bob', 'in']]
            status = os.stat(world.accounts)
            assert stat.S_IMODE(status.st_mode) == 0o600, oct(status.st_mode)
            with open(world.accounts, encoding='utf-8') as stream:
                text = stream.read()
            assert 'account alice SCRAM-SHA-256$16384:' in text, text
            for secret in (PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), PASSWORD.encode().hex()):
                assert secret not in text

        def test_offered_in_tls_alone():
            with world.session(tls=False) as client:
                assert client.has_extn('starttls') and not client.has_extn('auth')
                assert client.docmd('AUTH', f'PLAIN {response("alice", PASSWORD)}') == (538, b'5.7.11 Begin TLS first')
            with world.session() as client:
                assert client.esmtp_features['auth'].split() == ['SCRAM-SHA-256', 'PLAIN', 'LOGIN']
                assert client.docmd('AUTH', 'CRAM-MD5')[0] == 504

        def test_stranger_may_not_relay():
            with world.session() as client:
                client.mail('a@client.test')
                code, text = client.rcpt('u@far.test')
                assert (code, text[:5]) == DENIED, text

        def test_by_python():
            for mechanism in ('PLAIN', 'LOGIN'):
                with world.session() as client:
                    assert log_in_by(client, mechanism) == 235
                    client.sendmail('a@client.test', [f'{mechanism}@far.test'], MESSAGE)
                world.check_arrived(f'{mechanism}@far.test')
            with world.session() as client:
                client.login('bob', 'bobs')  # as smtplib does it: the best that it knows, here PLAIN
                client.sendmail('a@client.test', ['bob@far.test'], MESSAGE)
            world.check_arrived('bob@far.test')
            poll('the line in the log', lambda: ' auth=alice octets=' in world.log())

        def test_outbound_only():
            """Who logs in sends; a stranger comes in, for it might log in, and is refused at RCPT."""
            service.set('transfer-mode', 'outbound')
            service.wait_applied()
            with world.session() as client:
                assert log_in_by(client, 'PLAIN') == 235
                client.sendmail('a@client.test', ['outbound@far.test'], MESSAGE)
            world.check_arrived('outbound@far.test')
            with world.session() as client:
                client.mail('a@client.test')
                for recipient in ('stranger@far.test', 'postmaster'):
                    code, said = client.rcpt(recipient)
                    assert (code, said[:5]) == (451, b'4.3.2'), said
            service.set('transfer-mode', 'both')
            service.wait_applied()

        def test_by_scram():
            with world.session() as client:
                assert scram(client, 'alice', PASSWORD)[2] == 235
                client.sendmail('a@client.test', ['scram@far.test'], MESSAGE)
            world.check_arrived('scram@far.test')

        def test_by_swaks():
            for mechanism in ('PLAIN', 'LOGIN'):
                command(tool('swaks'), '--server', f'{service.host}:{service.port}', '--tls', '--auth', mechanism,
                        '--auth-user', 'alice', '--auth-password', PASSWORD, '--from', 'a@client.test',
                        '--to', f'swaks-{mechanism}@far.test', '--silent', '2')
                world.check_arrived(f'swaks-{mechanism}@far.test')

        def test_by_curl():
            content = world.place.write('Subject: curl\r\n\r\nhello\r\n', 'mail.txt')
            for mechanism in ('PLAIN', 'LOGIN'):
                command(tool('curl'), '-sS', '--ssl-reqd', '--cacert', world.authority.path,
                        '--resolve', f'{HOSTNAME}:{service.port}:{service.host}', f'smtp://{HOSTNAME}:{service.port}',
                        '--login-options', f'AUTH={mechanism}', '--user', f'alice:{PASSWORD}', '--mail-from',
                        'a@client.test', '--mail-rcpt', f'curl-{mechanism}@far.test', '--upload-file', content)
                world.check_arrived(f'curl-{mechanism}@far.test')

        def test_by_msmtp():
            program, environment = msmtp(world.place)
            for mechanism in ('scram-sha-256', 'plain'):
                command(program, '--file=/dev/null', f'--host={service.host}', f'--port={service.port}', '--tls=on',
                        '--tls-starttls=on', '--tls-certcheck=off', f'--auth={mechanism}', '--user=alice',
                        f'--passwordeval=printf %s {PASSWORD}', '--from=a@client.test', f'msmtp-{mechanism}@far.test',
                        text='Subject: x\n\nhello\n', env=environment)
                world.check_arrived(f'msmtp-{mechanism}@far.test')

        def test_wrong_password_and_unknown_name_alike():
            service.set('max-auth-failures', '0')
            service.wait_applied()
            for name, password in (('alice', 'guess'), ('nobody', PASSWORD), ('alice', 'x' * 1200)):
                for mechanism in ('PLAIN', 'LOGIN'):
                    with world.session() as client:
                        assert log_in_by(client, mechanism, name, password) == 535, (name, mechanism)
                        client.mail('a@client.test')
                        assert client.rcpt('u@far.test')[0] == 550
            with world.session() as client:
                salts = {(name, scram(client, name, 'guess')) for name in ('alice', 'nobody')}
                assert {outcome[1:] for _, outcome in salts} == {(16384, 535)}, salts
            with world.session() as client:
                assert scram(client, 'nobody', 'other')[0] in {outcome[0] for _, outcome in salts}
            poll('the line in the log',
                 lambda: ' auth=nobody mechanism=PLAIN status=refused (535 5.7.8' in world.log())

        def test_control_characters_of_a_name_never_reach_the_log():
            name = 'eve\r\n\x1b[2J\x07forged: auth=alice status=accepted'
            with world.session() as client:
                response = base64.b64encode(f'\0{name}\0guess'.encode()).decode()
                assert client.docmd('AUTH', f'PLAIN {response}')[0] in (501, 535)
            with world.session() as client:
                assert log_in_by(client, 'PLAIN', 'mallory', 'guess') == 535
            poll('the line behind it', lambda: ' auth=mallory mechanism=PLAIN status=refused' in world.log())
            assert not re.search(r'[\x00-\x08\x0b-\x1f\x7f]|^forged', world.log(), re.MULTILINE), world.log()[-2000:]

        def test_nobody_acts_for_another():
            with world.session() as client:
                other = base64.b64encode(f'bob\0alice\0{PASSWORD}'.encode()).decode()
                assert client.docmd('AUTH', f'PLAIN {other}')[0] == 535
                own = base64.b64encode(f'alice\0alice\0{PASSWORD}'.encode()).decode()
                assert client.docmd('AUTH', f'PLAIN {own}')[0] == 235

        def test_three_failures_end_the_session():
            with world.session() as client:
                assert [log_in_by(client, 'PLAIN', 'alice', 'guess') for _ in range(3)] == [535] * 3
                assert client.getreply()[0] == 421

        def test_guessing_is_limited():
            service.set('max-auth-failures', '2')
            service.wait_applied()
            with world.session() as client:
                assert client.docmd('AUTH', f'PLAIN {response("alice", PASSWORD)}') == \
                    (421, b'4.7.0 too many failed logins from you, try again later')
            service.set('max-auth-failures', '0')
            service.wait_applied()
            with world.session() as client:
                assert log_in_by(client, 'PLAIN') == 235

        def test_guesses_of_who_hangs_up_count():
            """The verdict comes when nobody hears it any more."""
            n_before, n_guesses = world.log().count('status=refused (535'), 5
            for _ in range(n_guesses):
                with world.session() as client:
                    client.sock.sendall(f'AUTH PLAIN {response("alice", "guess")}\r\n'.encode())
            poll('all to be told', lambda: world.log().count('status=refused (535') == n_before + n_guesses)
            service.set('max-auth-failures', str(n_before + n_guesses))
            service.wait_applied()
            with world.session() as client:
                assert client.docmd('AUTH', f'PLAIN {response("alice", PASSWORD)}')[0] == 421
            service.set('max-auth-failures', '0')
            service.wait_applied()

        def test_client_leaves_in_mid_login():
            login = f'AUTH PLAIN {response("alice", PASSWORD)}\r\n'.encode()
            sessions = [stack.enter_context(world.session()) for _ in range(20)]
            for client in sessions:
                client.sock.sendall(login)
            for client in sessions[:10]:
                client.close()
            assert [client.getreply()[0] for client in sessions[10:]] == [235] * 10
            for client in sessions[10:]:
                client.close()
            poll('the sessions to end', lambda: service.ctl_json('status')['relay']['sessions'] == 0, step_s=0.1)
            with world.session() as client:
                client.sock.sendall(login)
                service.stop_relay()  # waits for what is being checked
                assert client.getreply()[0] in (235, 421)
            service.start_relay()

        def test_password_is_changed_and_account_removed():
            with world.session() as client:
                world.add('bob', 'another')
                assert log_in_by(client, 'PLAIN', 'bob') == 535
                assert log_in_by(client, 'PLAIN', 'bob', 'another') == 235
            service.ctl('account', 'remove', 'bob')
            assert 'no account “bob”' in service.ctl('account', 'remove', 'bob', status=1)
            with world.session() as client:
                assert log_in_by(client, 'PLAIN', 'bob', 'another') == 535

        def test_login_taken_away_ends_the_session():
            """Behind the message that is under way; who has another account goes on."""
            world.add('bob', 'bobs')
            with world.session() as alice, world.session() as bob, world.session() as sending:
                assert log_in_by(alice, 'PLAIN') == 235
                for client in (bob, sending):
                    assert log_in_by(client, 'PLAIN', 'bob', 'bobs') == 235
                    client.mail('a@client.test')
                    assert client.rcpt('underway@far.test')[0] == 250
                assert sending.docmd('DATA')[0] == 354
                service.ctl('account', 'remove', 'bob')
                assert bob.getreply() == (421, b'4.7.0 Your login has changed, connect again')
                sending.send(MESSAGE + b'.\r\n')
                assert [sending.getreply()[0] for _ in range(2)] == [250, 421]
                alice.sendmail('a@client.test', ['goes-on@far.test'], MESSAGE)
            for recipient in ('underway', 'goes-on'):
                world.check_arrived(f'{recipient}@far.test')
            poll('its line', lambda: ' auth=bob status=dismissed (421 4.7.0 ' in world.log())

        def test_another_password_ends_the_session():
            world.add('bob', 'bobs')
            with world.session() as client:
                assert log_in_by(client, 'PLAIN', 'bob', 'bobs') == 235
                world.add('bob', 'another')
                assert client.getreply()[0] == 421
            service.ctl('account', 'remove', 'bob')

        def test_file_is_read_again():
            with open(world.accounts, encoding='utf-8') as stream:
                text = stream.read()
            service.ctl('account', 'remove', 'alice')
            with world.session() as client:
                assert not client.has_extn('auth')
            replace(world.accounts, text)

            def offered():
                with world.session() as client:
                    return client.has_extn('auth') and log_in_by(client, 'PLAIN') == 235
            poll('the restored account', offered, step_s=0.2)
            replace(world.accounts, 'account alice rubbish\n')
            assert 'line 1 of the accounts' in world.add('carol', status=1)
            assert offered()
            replace(world.accounts, text)
            service.stop_relay()
            service.start_relay()
            assert offered()

        def test_asked_for_on_the_terminal():
            said = by_terminal(service, 'dora', ['drei', 'drei'])
            assert 'drei' not in said and 'again' in said, said
            said = by_terminal(service, 'emil', ['eins', 'zwei'], status=1)
            assert 'differ' in said, said
            assert [entry['name'] for entry in service.ctl_json('account', 'list')] == ['alice', 'dora']
            with world.session() as client:
                assert log_in_by(client, 'PLAIN', 'dora', 'drei') == 235

        def test_bad_accounts_are_refused():
            for name in ('a b', '', 'a\tb'):
                assert 'cannot be the name of an account' in world.add(name, status=1)
            assert 'at most 255 characters' in world.add('x' * 256, status=1)
            assert 'too long' in world.add('fritz', 'x' * 1001, status=1)
            assert 'characters' in world.add('fritz', 'a\x07b', status=1)
            assert 'no password' in service.ctl('account', 'add', 'fritz', '--password-stdin', text='', status=1)
            assert 'control characters' in service.ctl('account', 'add', 'fritz', '--password-stdin', text='a\0b\n', status=1)
            for name, value in (('in:fritz', PASSWORD), ('fritz', 'x'), ('in:', 'x'),
                                ('in:fritz', 'SCRAM-SHA-256$1:AAAA$AAAA:AAAA')):
                said = set_secret(service, name, value)
                assert 'org.reroute.Error.Value' in said and PASSWORD not in said, said

        def test_no_password_is_anywhere():
            for folder, _, files in os.walk(world.place.path):
                for file in files:
                    path = os.path.join(folder, file)
                    if not os.path.isfile(path):
                        continue
                    with open(path, 'rb') as stream:
                        assert PASSWORD.encode() not in stream.read(), path

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


def replace(path, text):
    """As an administrator restores a file: another one, for our eyes only, takes its place."""
    with open(os.open(path + '.restored', os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), 'w',
              encoding='utf-8') as stream:
        stream.write(text)
    os.replace(path + '.restored', path)


def set_secret(service, name, value):
    """What the relay answers on the bus."""
    return subprocess.run(['dbus-send', f'--bus={service.bus.address}', '--print-reply', '--dest=org.reroute.Relay',
                           '/org/reroute/Relay', 'org.reroute.Relay1.SetSecret', f'string:{name}', f'string:{value}'],
                          capture_output=True, text=True, timeout=60, check=False).stderr


def by_terminal(service, name, passwords, status=0):
    """Types @passwords when they are asked for; all that the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(CTL, [CTL, f'--bus={service.bus.address}', 'account', 'add', name])
    shown = b''
    while True:
        assert select.select([terminal], [], [], 60)[0], shown
        try:
            octets = os.read(terminal, 1000)
        except OSError:  # the child has closed its side
            octets = b''
        if not octets:
            break
        shown += octets
        if octets.endswith(b': '):
            os.write(terminal, passwords.pop(0).encode() + b'\n')
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == status, shown
    return shown.decode()


if __name__ == '__main__':
    main()
