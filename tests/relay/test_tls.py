#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS from clients: STARTTLS and TLS from the first octet, by swaks, curl, msmtp, openssl and Python."""

import contextlib
import itertools
import re
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess

from place import Place, free_port, poll
from certs import Authority
from peers import msmtp
from sink import Sink
from support import CTL, Client, Service, send
from tap import Skip, run
from watch import Watch

HOSTNAME, SECOND_NAME = 'relay.test', 'second.test'
HONEST = 'honest@test.com'
SESSION_KIB = 1024  # of one in TLS, with no message, twice for the allocator


class World:
    """A relay with two certificates, an authority that signed them, and where its mail goes."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('tls'))
        self.authority = Authority(self.place)
        self.sink = stack.enter_context(Sink())
        self.second_port = free_port()
        self.service = stack.enter_context(Service(self.place, [f'--listen=127.0.0.1:{self.second_port}']))
        self.files = [self.place.join(name) for name in
                      ('first.pem', 'first.key', 'second.pem', 'second.key')]
        self.first = self.authority.issue(HOSTNAME)
        self.first.install(*self.files[:2])
        self.authority.issue(SECOND_NAME).install(*self.files[2:])
        self.tls_port = free_port()
        self.service.set('hostname', HOSTNAME)
        self.service.add_connection('test.com', f'--host={self.sink.endpoint}')

    def switch_on(self):
        service = self.service
        said = self.says('tls-certificate', self.place.join('missing.pem'))
        assert 'not offered' in said and 'missing.pem' in said, said
        said = self.says('tls-certificate', f'{self.files[0]}, {self.files[2]}')
        assert 'name the file that does in “tls-key”' in said, said
        said = self.says('tls-key', f'{self.files[1]}, {self.files[3]}')
        assert said.startswith('TLS is offered to clients'), said
        service.set('listen-tls', f'{service.host}:{self.tls_port}')
        service.wait_applied()
        self.wait_status('offered to clients')

    def says(self, key, value):
        """What the prompt answers to a setting of TLS, where it was typed."""
        return subprocess.run([CTL, f'--bus={self.service.bus.address}', 'settings', 'set', key, value],
                              capture_output=True, text=True, timeout=60, check=True).stderr

    def wait_status(self, text):
        return poll(f'the status to say “{text}”',
                    lambda: text in self.service.ctl_json('status')['relay']['tls'], step_s=0.1)

    def honest_mail(self):
        """One message in clear text, from in front to behind."""
        before = self.sink.recipients().count(HONEST)
        _, reply = send(self.service, 'a@source.test', [HONEST], source='127.0.0.3')
        assert reply.startswith('250 '), reply
        poll('the honest message', lambda: self.sink.recipients().count(HONEST) > before)

    def watch(self, what):
        """Around an attack by one connection at a time."""
        return Watch(self.service, what, SESSION_KIB, 1, self.honest_mail)

    def context(self):
        return ssl.create_default_context(cafile=self.authority.path)

    def arrived(self, recipient):
        def find():
            for message in list(self.sink.messages):
                if message.recipients == [recipient]:
                    return message
            return None
        return poll(f'the message for {recipient}', find)

    def check_trace(self, recipient, version=r'TLSv1\.[23]'):
        trace = self.arrived(recipient).content.split(b'\r\n\t')
        assert re.fullmatch(rf'\(using {version} with cipher TLS_[A-Z0-9_]+\)', trace[1].decode()), trace
        assert trace[2].startswith(b'by relay.test with ESMTPS id '), trace

    def s_client(self, *options, port=None, status=None):
        """What openssl says about a connection that the server ends."""
        starttls = [] if port == self.tls_port else ['-starttls', 'smtp', '-name', 'client.test']
        command = ['openssl', 's_client', '-connect', f'{self.service.host}:{port or self.service.port}',
                   '-crlf', '-ign_eof', '-CAfile', self.authority.path, *starttls, *options]
        result = subprocess.run(command, input='QUIT\n', capture_output=True, text=True, timeout=60,
                                check=False)
        assert status is None or (result.returncode == 0) == status, (result.stdout, result.stderr)
        return result.stdout + result.stderr

    def peer_subject(self, *options):
        return re.search(r'subject=CN = (\S+)', self.s_client(*options)).group(1)


def tool(name):
    if shutil.which(name) is None:
        raise Skip(f'no {name}')
    return name


def command(*arguments, text=None, env=None):
    result = subprocess.run(arguments, capture_output=True, text=True, input=text, timeout=60, check=False, env=env)
    assert result.returncode == 0, f'{arguments[0]}: {result.stdout}{result.stderr}'


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service
        message = b'Subject: x\r\n\r\nhello\r\n'

        def test_not_offered_without_a_certificate():
            with Client(service.host, service.port) as client:
                assert 'STARTTLS' not in client.ehlo, client.ehlo
                assert client.command('STARTTLS').startswith('502 5.5.1')

        def test_starttls_by_python():
            world.switch_on()
            with smtplib.SMTP(service.host, service.port, timeout=60) as client:
                client.ehlo('client.test')
                assert client.has_extn('starttls')
                client._host = HOSTNAME  # the name that is asked for and verified
                client.starttls(context=world.context())
                assert client.helo('x')[0] == 250 and client.ehlo('client.test')[0] == 250
                assert not client.has_extn('starttls')
                assert client.docmd('STARTTLS')[0] == 503
                client.sendmail('a@source.test', ['python@test.com'], message)
            world.check_trace('python@test.com', r'TLSv1\.3')

        def test_in_tls_from_the_first_octet_by_python():
            with smtplib.SMTP_SSL(service.host, world.tls_port, timeout=60,
                                  context=unnamed(world.context())) as client:
                client.sendmail('a@source.test', ['implicit@test.com'], message)
            world.check_trace('implicit@test.com')

        def test_by_swaks():
            for recipient, port, how in (('swaks@test.com', service.port, '--tls'),
                                         ('swaks-tlsc@test.com', world.tls_port, '--tls-on-connect')):
                command(tool('swaks'), '--server', f'{service.host}:{port}', how, '--from', 'a@source.test',
                        '--to', recipient, '--silent', '2')
                world.check_trace(recipient)

        def test_by_curl():
            content = world.place.write('Subject: curl\r\n\r\nhello\r\n', 'mail.txt')
            for recipient, scheme, port in (('curl@test.com', 'smtp', service.port),
                                            ('curls@test.com', 'smtps', world.tls_port)):
                command(tool('curl'), '-sS', '--ssl-reqd', '--cacert', world.authority.path,
                        '--resolve', f'{HOSTNAME}:{port}:{service.host}', f'{scheme}://{HOSTNAME}:{port}',
                        '--mail-from', 'a@source.test', '--mail-rcpt', recipient, '--upload-file', content)
                world.check_trace(recipient)

        def test_by_msmtp():
            program, environment = msmtp(world.place)
            for recipient, port, starttls in (('msmtp@test.com', service.port, 'on'),
                                              ('msmtps@test.com', world.tls_port, 'off')):
                command(program, '--file=/dev/null', f'--host={service.host}', f'--port={port}', '--auth=off', '--tls=on',
                        f'--tls-starttls={starttls}', f'--tls-trust-file={world.authority.path}',
                        f'--tls-host-override={HOSTNAME}', '--from=a@source.test', recipient,
                        text='Subject: x\n\nhello\n', env=environment)
                world.check_trace(recipient)

        def test_versions():
            for option, status in (('-tls1', False), ('-tls1_1', False), ('-tls1_2', True),
                                   ('-tls1_3', True)):
                world.s_client(option, '-cipher', 'ALL:@SECLEVEL=0', status=status)

        def test_certificate_by_name():
            assert world.peer_subject() == HOSTNAME
            assert world.peer_subject('-servername', SECOND_NAME) == SECOND_NAME
            assert world.peer_subject('-servername', HOSTNAME) == HOSTNAME
            assert world.peer_subject('-servername', 'other.test') == HOSTNAME

        def test_renegotiation_is_refused():
            command_line = ['openssl', 's_client', '-tls1_2', '-legacy_renegotiation', '-starttls', 'smtp', '-crlf',
                            '-connect', f'{service.host}:{service.port}', '-CAfile', world.authority.path]
            world.honest_mail()
            with world.watch('renegotiation'):
                for _ in range(10):
                    # "R" alone on a line has openssl ask for another handshake; it ends when that fails.
                    said = subprocess.run(command_line, input='R\nMAIL FROM:<a@test.com>\n', text=True, timeout=60,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False).stdout
                    assert 'RENEGOTIATING' in said, said
                    said = said.split('RENEGOTIATING')[1]
                    assert re.search(r'no renegotiation|unexpected eof|error:|closed', said), said

        def test_resumption():
            for version in ('-tls1_2', '-tls1_3'):
                ticket = world.place.join('ticket')
                first = world.s_client(version, '-sess_out', ticket)
                again = world.s_client(version, '-sess_in', ticket)
                assert 'New, ' in first and 'Reused, ' in again, (version, again)

        def test_ticket_is_of_no_use_at_another_listener():
            """Nor is one of a listener after STARTTLS at another such, nor one of TLS from the first octet at these."""
            ticket = world.place.join('stolen')
            ports = (service.port, world.second_port, world.tls_port)
            with world.watch('ticket theft'):
                for version, own in itertools.product(('-tls1_2', '-tls1_3'), ports):
                    world.s_client(version, '-sess_out', ticket, port=own)
                    for port in ports:
                        said = world.s_client(version, '-sess_in', ticket, port=port)
                        assert ('New, ' in said, 'Reused, ' in said) == (port != own, port == own), \
                            (version, own, port, said)

        def test_commands_behind_starttls_are_never_run():
            with Client(service.host, service.port) as client:
                client.socket.sendall(b'STARTTLS\r\nMAIL FROM:<a@source.test>\r\nRCPT TO:<x@test.com>\r\n')
                assert client.reply().startswith('554 5.5.0'), client.lines
                assert client.stream.read() == b''

        def test_clear_text_instead_of_a_handshake():
            with Client(service.host, service.port) as client:
                assert client.command('STARTTLS').startswith('220')
                client.socket.sendall(b'EHLO client.test\r\nMAIL FROM:<a@source.test>\r\n')
                rest = client.stream.read()
                assert b'250' not in rest, rest
            with socket.create_connection((service.host, world.tls_port), 60) as plain:
                plain.sendall(b'EHLO client.test\r\n')
                assert b'220' not in plain.recv(1024)

        def test_handshake_that_stalls():
            """Half of what a client says first, or nothing: its time limit is that of a silent client at most."""
            service.set('idle-timeout', '1s')
            service.wait_applied()
            hello = InMemory(world.context()).said()
            with contextlib.ExitStack() as stalled:
                clients = [stalled.enter_context(behind_starttls(service)) for _ in range(2)]
                clients += [stalled.enter_context(socket.create_connection((service.host, world.tls_port), 30))
                            for _ in range(2)]
                for client, octets in zip(clients, (b'', hello[:100]) * 2):
                    client.sendall(octets)
                assert [client.recv(100) for client in clients] == [b''] * 4
            service.ctl('settings', 'set', 'idle-timeout')
            service.wait_applied()

        def test_behind_a_proxy():
            """The header comes in clear text before TLS, which may begin in the same segment."""
            v1 = b'PROXY TCP4 192.0.2.9 127.0.0.1 4096 465\r\n'
            v2 = b'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\x09\x7f\0\0\1\x10\0\1\xd1'
            local = b'\r\n\r\n\0\r\nQUIT\n\x20\0\0\0'
            service.set('proxy-hosts', '127.0.0.1')
            service.set('permitted-hosts', '192.0.2.9')
            service.wait_applied()
            for header, split, reply in ((v1, False, '250'), (v1, True, '250'), (v2, False, '250'), (v2, True, '250'),
                                         (local, False, '550 5.7.1'), (v1.replace(b'.9 ', b'.8 '), True, '550 5.7.1')):
                with Proxied(world, header, split) as client:
                    client.command('EHLO client.test')
                    client.command('MAIL FROM:<a@b.test>')
                    said = client.command('RCPT TO:<u@else.test>')
                    assert said.startswith(reply), (header, split, said)
            for octets in (InMemory(world.context()).said(), v1[:20] + b'\r\n'):
                with socket.create_connection((service.host, world.tls_port), 60) as plain:
                    plain.sendall(octets)
                    # A reset: not all of it was read.
                    with contextlib.suppress(ConnectionResetError):
                        assert plain.recv(100) == b'', octets
            for key in ('proxy-hosts', 'permitted-hosts'):
                service.ctl('settings', 'set', key)
            service.wait_applied()

        def test_large_message_and_many_pipelined():
            large = b'Subject: large\r\n\r\n' + b'.%s\r\n' % (b'z' * 900) * 2000
            world.service.set('max-junk-commands', '100000')
            world.service.wait_applied()
            with tls_client(world) as client:
                client.sendall(b'EHLO client.test\r\n')
                expect(client, '250 ')
                client.sendall(b'MAIL FROM:<a@source.test>\r\nRCPT TO:<large@test.com>\r\nDATA\r\n')
                expect(client, '354')
                client.sendall(large.replace(b'\r\n.', b'\r\n..') + b'.\r\n')
                expect(client, '250 2.0.0 Ok')
                # One record after another, more than is read in one turn, and none is announced twice.
                client.sendall(b'NOOP ' + b'x' * 500 + b'\r\n' + b'NOOP\r\n' * 40000 + b'QUIT\r\n')
                expect(client, '221', limit=50000)
            content = world.arrived('large@test.com').content
            assert content.endswith(large), (len(content), len(large))

        def test_renewed_certificate_is_taken_up():
            with tls_client(world) as old:
                world.authority.issue(HOSTNAME, 'renewed.test').install(*world.files[:2])
                poll('the new certificate', lambda: 'renewed.test' in alternative_names(world), step_s=0.2)
                old.sendall(b'NOOP\r\n')  # who was connected stays
                expect(old, '250')

        def test_what_cannot_be_used_changes_nothing():
            """Nor does it when the relay is told to look at once."""
            def wait_refusal(sentence):
                service.relay.send_signal(signal.SIGHUP)
                world.wait_status(sentence)
                assert 'renewed.test' in alternative_names(world)

            for bad, sentence in ((world.authority.issue(HOSTNAME, last_day=-0.5), 'it has expired on'),
                                  (world.authority.issue(HOSTNAME, first_day=5), 'it is not valid before')):
                bad.install(*world.files[:2])
                wait_refusal(sentence)
            stranger = world.authority.issue(HOSTNAME)
            stranger.key_path = world.files[3]
            stranger.install(*world.files[:2])
            wait_refusal('it does not belong to the certificate')
            with open(world.files[0], 'w', encoding='ascii') as stream:
                stream.write('nothing of the kind\n')
            wait_refusal('it holds no certificate in PEM form')
            world.first.install(*world.files[:2])
            service.relay.send_signal(signal.SIGHUP)
            poll('the old certificate', lambda: 'renewed.test' not in alternative_names(world), step_s=0.2)

        def test_certificate_whose_day_comes():
            """Taken up by itself, and what was wrong with it until then was told once."""
            def told():
                return len(service.ctl_json('log', '--category=tls', 'it is not valid before'))
            before = told()
            young = world.authority.issue(HOSTNAME, 'young.test', first_day=10 / 86400)
            # The certificate last: nothing changes any more once it is read.
            for source, target in ((young.key_path, world.files[1]), (young.path, world.files[0])):
                shutil.copy(source, target)
            poll('its day', lambda: 'young.test' in alternative_names(world), step_s=0.2)
            assert told() <= before + 1, (before, told())

        def test_switched_off():
            service.ctl('settings', 'set', 'listen-tls', '')
            service.ctl('settings', 'set', 'tls-key', '')
            service.set('tls-certificate', '')
            service.wait_applied()
            world.wait_status('not offered')
            test_not_offered_without_a_certificate()
            with socket.socket() as probe:
                assert probe.connect_ex((service.host, world.tls_port)) != 0

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


def unnamed(context):
    """The name is not asked for: the client connects to an address."""
    context.check_hostname = False
    return context


def alternative_names(world):
    text = world.s_client('-showcerts')
    pem = re.search('-----BEGIN.*?-----END CERTIFICATE-----', text, re.DOTALL).group(0)
    return subprocess.run(['openssl', 'x509', '-noout', '-ext', 'subjectAltName'], input=pem, text=True,
                          capture_output=True, check=True).stdout


def behind_starttls(service, timeout_s=30):
    """A socket whose STARTTLS was answered."""
    plain = socket.create_connection((service.host, service.port), timeout_s)
    with plain.makefile('rb', buffering=0) as reader:
        reader.readline()
        plain.sendall(b'STARTTLS\r\n')
        assert reader.readline().startswith(b'220')
    return plain


def tls_client(world):
    """A socket in TLS behind STARTTLS, nothing said yet."""
    plain = behind_starttls(world.service, 60)
    secure = world.context().wrap_socket(plain, server_hostname=HOSTNAME)
    secure.replies = secure.makefile('rb')
    return secure


class InMemory:
    """The client's side of TLS, apart from any socket."""

    def __init__(self, context):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=HOSTNAME)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()

    def said(self):
        """What is to be sent."""
        return self.outgoing.read()


class Proxied(Client):
    """A client in TLS behind @header, with which the handshake begins unless it is @split."""

    def __init__(self, world, header, split):
        self.memory = InMemory(world.context())
        self.lines = []
        self.socket = socket.create_connection((world.service.host, world.tls_port), 60)
        self.stream = self
        if split:
            for octet in header:
                self.socket.sendall(bytes([octet]))
            header = b''
        self.socket.sendall(header + self.memory.said())
        self.step(self.memory.tls.do_handshake)
        self.banner = self.reply()

    def step(self, function, *arguments):
        """Calls it until it has what it wants of the server."""
        while True:
            try:
                result = function(*arguments)
            except ssl.SSLWantReadError:
                result = None
            octets = self.memory.said()
            if octets:
                self.socket.sendall(octets)
            if result is not None or function == self.memory.tls.do_handshake and self.memory.tls.version():
                return result
            octets = self.socket.recv(65536)
            assert octets, 'the server closed the connection'
            self.memory.incoming.write(octets)

    def readline(self):
        """As a stream of the replies."""
        line = b''
        while not line.endswith(b'\n'):
            line += self.step(self.memory.tls.read, 1)
        return line

    def command(self, text):
        self.step(self.memory.tls.write, text.encode() + b'\r\n')
        return self.reply()

    def close(self):
        self.socket.close()


def expect(client, start, limit=20):
    """Reads replies until one begins with @start."""
    for _ in range(limit):
        line = client.replies.readline()
        assert line, 'the server closed the connection'
        if line.startswith(start.encode()):
            return
    raise AssertionError(f'no reply begins with {start!r}: {line!r}')


if __name__ == '__main__':
    main()
