#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the relay shows of itself to hosts that ask for it: of an entry, of the default delivery, renewed, broken."""

import contextlib
import os
import signal
import socket
import ssl
import threading

from place import Place, free_port, poll
from certs import Authority
from sink import Sink
from support import Dns, Service, send
from tap import run

HOST = '127.0.0.1'
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Frank:
    """A host that goes as far as TLS, and says by an alert what it does not like; the sink just hangs up."""

    def __init__(self, context):
        self.context = context
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.sessions = []
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for session in self.sessions:
            session.close()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            for reply in (b'220 frank.test ESMTP', b'250-frank.test\r\n250 STARTTLS', b'220 2.0.0 go ahead'):
                connection.sendall(reply + b'\r\n')
                if not reply.startswith(b'220 2'):
                    connection.recv(1000)
            session = self.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
            self.sessions.append(session)  # open: what it says must arrive
            try:
                session.do_handshake()
            except (ssl.SSLError, OSError):
                pass


class World:
    """A relay, hosts that talk to nobody without a certificate of the partner's authority, and files that hold one."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('client-certificates'))
        self.authority = Authority(self.place)
        self.partner = Authority(self.place, 'partner')
        self.mx_port = free_port()
        self.dns = Dns(self.place, {'.': [f'mx.dns.test. A {HOST}', 'dns.test. MX 10 mx.dns.test.']}).start()
        self.service = stack.enter_context(
            Service(self.place, [f'--dns={self.dns.endpoint}', f'--mx-port={self.mx_port}']))
        self.service.set('hostname', 'relay.test')
        self.service.set('permitted-hosts', HOST)
        # What waits goes when what was wrong is mended, and not because some time has passed.
        self.service.set('retry-intervals', '1h')
        self.served = self.authority.issue('mx.dns.test')

    def context(self, mode=ssl.CERT_REQUIRED, version=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.served.path, self.served.key_path)
        context.verify_mode = mode
        context.load_verify_locations(self.partner.path)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def sink(self, context, port=0):
        return self.stack.enter_context(Sink(HOST, port, tls=context))

    def file(self, name, authority=None, **days):
        """A file with a new certificate and its key, in the place of one of that name."""
        certificate = (authority or self.partner).issue(name, **days)
        path = self.place.join(f'{name}.pem')
        with open(f'{path}.new', 'w', encoding='ascii') as target:
            for part in (certificate.path, certificate.key_path):
                with open(part, encoding='ascii') as source:
                    target.write(source.read())
        os.replace(f'{path}.new', path)
        return path

    def route(self, domain, sink, *options):
        self.service.add_connection(domain, f'--host={HOST}:{sink.port}', *options)
        self.service.wait_applied()

    def edit(self, domain, *options):
        self.service.ctl('connections', 'edit', domain, *options)
        self.service.wait_applied()

    def send(self, domain):
        rcpts, reply = send(self.service, 'a@source.test', [f'user@{domain}'])
        assert reply.startswith('250'), (rcpts, reply)

    def arrived(self, sink, before):
        """Who the relay was in the message that came behind @before others; None: nobody."""
        poll('the message', lambda: len(sink.messages) > before)
        shown = sink.messages[-1].tls.getpeercert()
        return shown['subject'][0][0][1] if shown else None

    def arrives(self, sink, domain):
        before = len(sink.messages)
        self.send(domain)
        return self.arrived(sink, before)

    def waits(self, domain, text):
        """One more message is put off for this; its recipient."""
        self.send(domain)

        def find():
            for message in self.service.queued():
                for recipient in message['recipients']:
                    if recipient['address'] == f'user@{domain}' and text in recipient['last_reply']:
                        return recipient
            return None
        found = poll(f'“{text}” of {domain}', find, step_s=0.1)
        assert found['state'] == 'waiting' and found['last_reply'].startswith('451'), found
        return found

    def delete(self):
        self.service.ctl('queue', 'delete', '--all')

    def reload(self):
        self.service.relay.send_signal(signal.SIGHUP)

    def failure(self):
        return self.service.ctl_json('status')['relay']['tls-failure']


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service
        strict = world.sink(world.context())
        old = world.sink(world.context(version=ssl.TLSVersion.TLSv1_2))
        asking = world.sink(world.context(ssl.CERT_OPTIONAL))
        ours = world.file('ours')

        def test_shown_to_who_asks():
            for domain, sink in (('strict.test', strict), ('old.test', old), ('asking.test', asking)):
                world.route(domain, sink, f'--certificate={ours}')
                assert world.arrives(sink, domain) == 'ours', domain
            steps = service.ctl('explain', 'user@strict.test')
            assert f'It shows there the certificate {ours}.' in steps, steps
            assert world.failure() == ''

        def test_a_row_without_waits():
            other = world.sink(world.context())
            world.route('plain.test', other, '--tls=encrypted')
            world.waits('plain.test', 'connection lost')
            world.edit('plain.test', f'--certificate={ours}')
            service.ctl('queue', 'retry', '--all')
            assert world.arrived(other, 0) == 'ours'
            assert len(other.messages) == 1
            for version in VERSIONS:
                frank = stack.enter_context(Frank(world.context(version=version)))
                domain = f'plain-{version.value}.test'
                world.route(domain, frank, '--tls=encrypted')
                world.waits(domain, 'the peer says: ')
            world.delete()

        def test_not_mixed_on_one_host():
            """Entries for one host that show different certificates there, or none: each by its own connections."""
            world.route('as-other.test', asking, f'--certificate={world.file("other")}')
            world.route('as-nobody.test', asking, '--tls=encrypted')
            for _ in range(2):
                assert world.arrives(asking, 'as-nobody.test') is None
                assert world.arrives(asking, 'as-other.test') == 'other'
                assert world.arrives(asking, 'asking.test') == 'ours'

        def test_not_mixed_by_resumption():
            """A TLS session that is resumed is one with the same certificate."""
            service.set('max-messages-per-connection', '1')
            service.wait_applied()
            for _ in range(3):
                assert world.arrives(asking, 'as-other.test') == 'other'
                assert world.arrives(asking, 'as-nobody.test') is None
                assert world.arrives(asking, 'asking.test') == 'ours'
            assert asking.messages[-1].tls.session_reused
            service.ctl('settings', 'set', 'max-messages-per-connection')

        def test_tls_is_demanded():
            """Also where the sheet says never, and where a host has none to offer."""
            plain = world.sink(None)
            world.route('clear.test', plain, f'--certificate={ours}')
            world.waits('clear.test', 'TLS is demanded')
            service.set('tls-level', 'none')
            service.wait_applied()
            assert world.arrives(strict, 'strict.test') == 'ours'
            service.ctl('settings', 'set', 'tls-level')
            world.delete()

        def test_by_dns():
            exchanger = world.sink(world.context(), world.mx_port)
            service.add_connection('dns.test', '--dns', f'--certificate={ours}')
            service.wait_applied()
            assert world.arrives(exchanger, 'dns.test') == 'ours'

        def test_default_delivery():
            service.set('default-certificate', ours)
            service.set('default-delivery', f'{HOST}:{strict.port}')
            service.wait_applied()
            assert world.arrives(strict, 'anywhere.test') == 'ours'
            service.ctl('settings', 'set', 'default-certificate')
            service.set('default-delivery', f'{HOST}:{asking.port}')
            service.wait_applied()
            assert world.arrives(asking, 'anywhere.test') is None
            for key in ('default-certificate', 'default-delivery'):
                service.ctl('settings', 'set', key)
            service.wait_applied()

        def test_missing_file():
            """It is said in the status, in the explanation and in the queue; the mail goes when the file is there."""
            path = world.place.join('late.pem')
            before = len(strict.messages)
            world.route('late.test', strict, f'--certificate={path}')
            world.waits('late.test', f'cannot use the certificate “{path}”: No such file or directory')
            assert path in world.failure()
            steps = service.ctl('explain', 'user@late.test')
            assert f'The certificate cannot be shown, so mail waits: cannot use the certificate “{path}”' in steps, steps
            assert len(strict.messages) == before
            world.file('late')
            assert world.arrived(strict, before) == 'late'
            assert world.failure() == ''

        def test_renewed():
            """Acts with a new connection; the old one is not used any more."""
            first = strict.messages[-1].tls.getpeercert()['serialNumber']
            world.file('late')
            world.reload()

            def serial():
                assert world.arrives(strict, 'late.test') == 'late'
                return strict.messages[-1].tls.getpeercert()['serialNumber']
            poll('the new certificate', lambda: serial() != first)

        def test_breaks_later():
            path = world.place.write('no certificate\n', 'late.pem')
            world.reload()
            before = len(strict.messages)
            poll('the failure', lambda: 'it holds no certificate in PEM form' in world.failure())
            world.waits('late.test', f'cannot use the certificate “{path}”: it holds no certificate in PEM form')
            world.file('late', first_day=-2, last_day=-1)
            world.reload()
            poll('the other failure', lambda: 'it has expired on' in world.failure())
            world.waits('late.test', 'it has expired on')
            assert len(strict.messages) == before
            world.file('late')
            world.reload()
            poll('both messages', lambda: len(strict.messages) == before + 2)

        def test_refused_by_the_host():
            """Another authority's: the host says no, in whichever words TLS has for it."""
            path = world.file('stranger', world.authority)
            for version in VERSIONS:
                frank = stack.enter_context(Frank(world.context(version=version)))
                domain = f'refused-{version.value}.test'
                world.route(domain, frank, f'--certificate={path}')
                world.waits(domain, 'the peer says: CA is unknown')
            world.delete()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
