#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inbound host by LMTP (RFC 2033): Dovecot over TCP and a Unix socket, and servers that fail half-way."""

import contextlib
import re
import ssl

from place import Place, crowded, poll
from certs import Authority
from peers import Dovecot
from sink import EXTENSIONS, Sink
from support import Client, Dns, Service, send
from tap import run

HOST = '127.0.0.1'
SENDER = 'sender@source.test'
ROOM = 10_000_000


class World:
    """A relay whose inbound domain is in.test; notices for source.test go to a sink."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('lmtp'))
        self.dns = Dns(self.place, {'.': [f'mail.hosts.test. A {HOST}']}).start()
        self.service = stack.enter_context(Service(self.place, [f'--dns={self.dns.endpoint}']))
        self.notices = stack.enter_context(Sink())
        self.number = 0
        for key, value in {'hostname': 'relay.test', 'inbound-host': f'lmtp:{HOST}:9', 'retry-intervals': '1h'}.items():
            self.service.set(key, value)
        self.service.add_routing('in.test', '--inbound')
        self.service.add_connection('source.test', f'--host={self.notices.endpoint}')

    def use(self, host):
        self.service.set('inbound-host', host)
        self.service.wait_applied()

    def sink(self, reply=None, **options):
        """An LMTP server that is the inbound host."""
        path = self.place.join(f'lmtp-{self.number}')
        sink = self.stack.enter_context(Sink(reply=reply, lmtp=True, path=path, **options))
        self.use(f'lmtp:{path}')
        return sink

    def hand_in(self, *users, sender=SENDER, text=''):
        """Takes a message in; its content."""
        self.number += 1
        content = f'Subject: number {self.number}\r\n\r\n.stuffed\r\nbody {text}\r\n'.encode()
        rcpts, reply = send(self.service, sender, [f'{user}@in.test' for user in users], content)
        assert reply.startswith('250'), (rcpts, reply)
        return content

    def queue_name(self):
        queue = self.service.queued()
        assert len(queue) == 1, queue
        return queue[0]['id']

    def deliveries(self, user):
        """The log's lines about a recipient."""
        return [line for name, lines in self.place.logs() if name == 'relayd.log'
                for line in lines if f' to=<{user}@in.test>' in line]

    def settled(self, *users):
        """Waits until each of @users has a line in the log, and gives the last one of each."""
        poll('the log', lambda: all(self.deliveries(user) for user in users))
        return [self.deliveries(user)[-1] for user in users]


def below_trace(content):
    """What stands below Return-Path, Delivered-To and Received, with CR LF."""
    text = content.replace(b'\r\n', b'\n').replace(b'\n', b'\r\n')
    return text[text.index(b'Subject: '):]


def check_mixture(world, dovecot, host, relay, tag):
    """One message for a good, an unknown and a full mailbox: each is judged alone."""
    world.use(host)
    before = len(world.notices.messages)
    good, unknown, full = f'good{tag}', f'unknown{tag}', f'full{tag}'
    content = world.hand_in(good, unknown, full)
    poll('the notice', lambda: len(world.notices.messages) > before)
    world.service.wait_empty()
    kept = dovecot.mailbox(good)
    assert len(kept) == 1 and below_trace(kept[0]) == content, kept
    assert dovecot.mailbox(full) == [], dovecot.mailbox(full)
    text = world.notices.messages[-1].content.decode()
    for recipient, status in ((unknown, '5.1.1'), (full, '5.2.2')):
        fields = rf'Final-Recipient: rfc822; *{recipient}@in\.test\r\nAction: failed\r\nStatus: {re.escape(status)}'
        assert re.search(fields, text), text
    assert good not in text, text
    sent, failed, over = world.settled(good, unknown, full)
    assert f'relay={relay} ' in sent and 'status=sent (250 2.0.0 ' in sent, sent
    assert f'relay={relay} ' in failed and 'dsn=5.1.1' in failed, failed
    assert f'relay={relay} ' in over and 'dsn=5.2.2' in over, over


def check_null_sender(world, dovecot, tag):
    before = len(world.notices.messages)
    world.hand_in(f'good{tag}', f'unknown{tag}', sender='')
    world.service.wait_empty()
    assert any(b'Return-Path: <>' in message for message in dovecot.mailbox(f'good{tag}'))
    assert len(world.notices.messages) == before, 'a notice for a null sender'


def recipients_answers(service, *users):
    """What RCPT is answered for each."""
    with Client(service.host, service.port) as client:
        client.command(f'MAIL FROM:<{SENDER}>')
        return [client.command(f'RCPT TO:<{user}@in.test>') for user in users]


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service
        users = {f'{name}{tag}': room for tag in ('tcp', 'socket') for name, room in (('good', ROOM), ('full', 1))}
        peers = {}

        def dovecot():
            if not peers:
                peers['dovecot'] = Dovecot(world.place, users).start()
            return peers['dovecot']

        def test_dovecot_over_tcp():
            peer = dovecot()
            check_mixture(world, peer, f'lmtp:{peer.endpoint}', f'{HOST}[{HOST}]:{peer.port}', 'tcp')
            check_null_sender(world, peer, 'tcp')

        def test_call_ahead_to_dovecot():
            """It says at RCPT whom it does not know, over TCP and the socket; nobody is turned away when it is gone."""
            peer = dovecot()
            service.ctl('routing', 'edit', 'in.test', '--recipient-check=call-ahead')
            for number, host in enumerate((f'lmtp:{peer.endpoint}', f'lmtp:unix:{peer.socket}')):
                world.use(host)
                answers = recipients_answers(service, f'nobody{number}', 'goodtcp', f'none{number}')
                assert [answer[:9] for answer in answers] == ['550 5.1.1', '250 2.1.5', '550 5.1.1'], answers
                assert not any('dovecot' in answer.lower() or peer.folder in answer for answer in answers), answers
            world.use(f'lmtp:{world.place.join("no-such-socket")}')
            assert recipients_answers(service, 'nobody9') == ['250 2.1.5 Recipient taken']
            service.ctl('routing', 'edit', 'in.test', '--recipient-check=none')

        def test_call_ahead_speaks_lmtp():
            """LHLO, and no message: the session that asks has no DATA, and answers for the known and the unknown."""
            service.ctl('routing', 'edit', 'in.test', '--recipient-check=call-ahead')
            sink = world.sink(lambda verb, argument: '550 5.1.1 <x> no such user, ask inner.test'
                              if verb == 'RCPT' and argument.startswith('unknown') else None)
            answers = recipients_answers(service, 'unknown', 'known')
            assert answers[0].startswith('550 5.1.1') and 'inner.test' not in answers[0], answers
            assert answers[1].startswith('250'), answers
            verbs = [line.split()[1] for line in sink.conversations[0] if line.startswith('C: ')]
            assert verbs[0] == 'LHLO' and not {'EHLO', 'HELO', 'DATA'} & set(verbs), verbs
            assert not sink.messages
            service.ctl('routing', 'edit', 'in.test', '--recipient-check=none')
            service.wait_applied()

        def test_dovecot_over_a_socket():
            peer = dovecot()
            check_mixture(world, peer, f'lmtp:unix:{peer.socket}', peer.socket, 'socket')
            check_null_sender(world, peer, 'socket')
            peer.stop()

        def test_explain_and_settings_tell():
            world.use('lmtp:unix:/run/dovecot/lmtp')
            assert service.ctl('settings', 'get', 'inbound-host').strip().endswith('lmtp:/run/dovecot/lmtp')
            explained = service.ctl_json('explain', 'u@in.test')
            assert explained['action'] == 'inbound' and explained['via'] == 'socket', explained
            assert explained['next_hop'] == '/run/dovecot/lmtp', explained
            sentences = {step['code']: step['sentence'] for step in explained['steps']}
            assert sentences['to-inbound-host'] == 'It goes to the inbound host, /run/dovecot/lmtp, by LMTP.', sentences
            assert sentences['next-hop-found'] == 'It is tried in this order: /run/dovecot/lmtp.', sentences
            world.use(f'lmtp:{HOST}')
            sentences = {step['code']: step['sentence'] for step in service.ctl_json('explain', 'u@in.test')['steps']}
            assert sentences['next-hop-found'] == f'It is tried in this order: {HOST} [{HOST}] port 24.', sentences
            for bad in ('lmtp:/', 'lmtp:unix:private/lmtp', 'lmtp:u@in.test'):
                service.ctl('settings', 'set', 'inbound-host', bad, status=1)

        def test_lost_between_the_replies():
            """What was answered holds; the rest is put off and may come twice, which is counted."""
            how = {'b': '452 4.2.2 over quota', 'c': 'drop'}
            kept = []

            def reply(verb, argument):
                return how.get(argument.split('@')[0]) if verb == 'DOT' else None
            sink = world.sink(reply)
            world.hand_in('a', 'b', 'c', 'd')
            lines = world.settled('a', 'b', 'c', 'd')
            kept += sink.recipients()
            assert 'status=sent' in lines[0], lines
            assert 'dsn=4.2.2 status=deferred (452 4.2.2 over quota)' in lines[1], lines
            for line in lines[2:]:
                assert 'dsn=4.4.2 status=deferred' in line and 'the end of data' in line, line
            shown = service.ctl('queue', 'show', world.queue_name())
            assert '452 4.2.2 over quota' in shown and 'connection lost' in shown, shown
            assert sink.path in shown, shown
            how.clear()
            del sink.messages[:]
            service.ctl('queue', 'retry', '--all')
            service.wait_empty()
            kept += sink.recipients()
            counts = {user: kept.count(f'{user}@in.test') for user in 'abcd'}
            assert counts == {'a': 1, 'b': 1, 'c': 2, 'd': 2}, counts

        def test_421_between_the_replies():
            sink = world.sink(lambda verb, argument:
                              '421 4.3.2 going down' if verb == 'DOT' and argument.startswith('f') else None)
            world.hand_in('e', 'f', 'g')
            lines = world.settled('e', 'f', 'g')
            assert 'status=sent' in lines[0], lines
            for line in lines[1:]:
                assert 'status=deferred (421 4.3.2 going down)' in line, line
            sink.reply = lambda verb, argument: None
            service.ctl('queue', 'retry', '--all')
            service.wait_empty()
            recipients = [recipient for message in sink.messages for recipient in message.recipients]
            assert recipients.count('e@in.test') == 1, recipients

        def test_a_stop_between_the_replies():
            """The relay is told to end while the server keeps the last answer to itself: no mail is sent twice
            to those that were answered."""
            sink = world.sink(lambda verb, argument:
                              'stall' if verb == 'DOT' and argument.startswith('i') else None)
            world.hand_in('h', 'i')
            poll('the content', lambda: sink.messages)
            service.stop_relay()
            sink.reply = lambda verb, argument: None
            del sink.messages[:]
            service.start_relay()
            service.ctl('queue', 'retry', '--all')
            service.wait_empty()
            assert sink.recipients() == ['i@in.test'], sink.recipients()

        def test_what_is_offered_is_used():
            sink = world.sink(extensions=EXTENSIONS + ('DSN',))
            with Client(service.host, service.port) as client:
                for command in (f'MAIL FROM:<{SENDER}> BODY=8BITMIME SMTPUTF8 ENVID=x', 'RCPT TO:<j@in.test> NOTIFY=NEVER'):
                    assert client.command(command).startswith('250'), client.lines
                assert client.command('DATA').startswith('354'), client.lines
                assert client.content(b'Subject: \xc3\xa9\r\n\r\n').startswith('250'), client.lines
            service.wait_empty()
            lines = sink.conversations[-1]
            assert lines[1] == 'C: LHLO relay.test', lines
            mail, = [line for line in lines if line.startswith('C: MAIL')]
            assert re.fullmatch(rf'C: MAIL FROM:<{SENDER}> SIZE=\d+ BODY=8BITMIME SMTPUTF8 ENVID=x', mail), mail
            assert 'C: RCPT TO:<j@in.test> NOTIFY=NEVER' in ' '.join(lines), lines

        def test_a_socket_that_is_not_there():
            path = world.place.join('late')
            world.use(f'lmtp:{path}')
            world.hand_in('k')
            line, = world.settled('k')
            assert 'dsn=4.4.1 status=deferred' in line and 'No such file' in line, line
            with Sink(lmtp=True, path=path) as sink:
                service.ctl('queue', 'retry', '--all')
                service.wait_empty()
                assert sink.recipients() == ['k@in.test'], sink.recipients()

        def test_a_socket_with_a_full_backlog():
            """Mail waits for room there, at no cost."""
            path = world.place.join('full')
            with crowded(path) as listener:
                world.use(f'lmtp:{path}')
                for user in ('o', 'p'):
                    world.hand_in(user)
                poll('both to be under way', lambda: [recipient['state'] for message in service.queued()
                                                      for recipient in message['recipients']] == ['active'] * 2)
                with Sink(lmtp=True, path=path, listener=listener) as sink:
                    service.wait_empty()
                    assert sorted(sink.recipients()) == ['o@in.test', 'p@in.test'], sink.recipients()
            world.settled('o', 'p')
            lines = [line for user in ('o', 'p') for line in world.deliveries(user)]
            assert len(lines) == 2 and all('status=sent' in line for line in lines), lines

        def test_a_backlog_that_stays_full():
            """Who waits there is put off when the socket goes or the time is over, and not lost at a stop."""
            def under_way():
                return [recipient['state'] for message in service.queued()
                        for recipient in message['recipients']] == ['active']
            path = world.place.join('never')
            with crowded(path) as listener:
                world.use(f'lmtp:{path}')
                world.hand_in('q')
                poll('it to be under way', under_way)
                listener.close()
                line, = world.settled('q')
                assert 'dsn=4.4.1 status=deferred' in line and 'Connection refused' in line, line
            with crowded(path):
                service.set('connect-timeout', '1s')
                service.wait_applied()
                service.ctl('queue', 'retry', '--all')
                poll('the time limit', lambda: 'no connection within the time limit' in world.deliveries('q')[-1])
                service.ctl('settings', 'set', 'connect-timeout')
                service.wait_applied()
                service.ctl('queue', 'retry', '--all')
                poll('it to be under way again', under_way)
                service.stop_relay()
            with Sink(lmtp=True, path=path) as sink:
                service.start_relay()
                service.ctl('queue', 'retry', '--all')
                service.wait_empty()
                assert sink.recipients() == ['q@in.test'], sink.recipients()

        def test_an_smtp_server_is_no_lmtp_server():
            with Sink() as sink:
                world.use(f'lmtp:{sink.endpoint}')
                world.hand_in('l')
                line, = world.settled('l')
                assert 'status=deferred' in line and '502 5.5.1' in line, line
                assert not any('HELO' in text for text in sink.conversations[0] if text.startswith('C: H')), sink
                world.use(sink.endpoint)
                service.ctl('queue', 'retry', '--all')
                service.wait_empty()
                assert sink.recipients() == ['l@in.test'], sink.recipients()

        def test_tls():
            """Over TCP by the level, verified if that is demanded; through a socket never."""
            authority = Authority(world.place)
            certificate = authority.issue('mail.hosts.test')
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.path, certificate.key_path)
            service.set('tls-trust', authority.path)
            service.set('tls-level', 'verified')
            with Sink(lmtp=True, tls=context) as sink:
                world.use(f'lmtp:mail.hosts.test:{sink.port}')
                world.hand_in('m')
                service.wait_empty()
                assert sink.messages[-1].tls is not None
                line, = world.settled('m')
                assert 'TLSv1.3' in line and 'verified' in line, line
            with Sink(lmtp=True) as sink:
                world.use(f'lmtp:mail.hosts.test:{sink.port}')
                world.hand_in('n')
                line, = world.settled('n')
                assert 'dsn=4.7.4 status=deferred' in line, line
            sink = world.sink(tls=context)
            service.ctl('queue', 'retry', '--all')
            service.wait_empty()
            assert sink.recipients() == ['n@in.test'] and sink.messages[-1].tls is None, sink.recipients()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
