#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTA-STS (RFC 8461): policies found by DNS and HTTPS, kept to, kept, and ended."""

import contextlib
import os
import re
import signal
import socket
import ssl
import struct
import threading

from place import Place, free_port, poll
from certs import Authority
from https import Answer, Https
from sink import Sink
from support import Dns, HesitantDns, Service, send
from tap import Skip, run
from test_dane import SIGNED_DIGEST, SignedDns, key_der, sha256

ZONE = 'sts.test'
PATH = '/.well-known/mta-sts.txt'
KEPT = 'mta-sts'  # the file in the spool
INNER = '10.255.255.1'  # nobody may be asked there


def policy(mode, *exchangers, max_age=86400):
    lines = ['version: STSv1', f'mode: {mode}', *(f'mx: {name}' for name in exchangers), f'max_age: {max_age}']
    return Answer('\r\n'.join(lines) + '\r\n')


def read_txt(host, port, name):
    """The text of a name's one TXT record, asked of that server; '' when there is none."""
    labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(2)
        asker.sendto(struct.pack('>6H', 7, 0, 1, 0, 0, 0) + labels + struct.pack('>2H', 16, 1), (host, port))
        answer = asker.recv(4096)
    if struct.unpack('>H', answer[6:8])[0] == 0:
        return ''
    at = 12 + len(labels) + 4 + 10  # header, question, the owner as a pointer, type to TTL
    return answer[at + 3:at + 3 + answer[at + 2]].decode()


def crc32c(octets):
    value = 0xffffffff
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return value ^ 0xffffffff


def make_older(path, seconds):
    """As if all policies in the file had been fetched that long before."""
    with open(path, encoding='ascii') as stream:
        text = stream.read().rpartition('crc32c ')[0]
    text = re.sub(r'(?m)^(\S+ \w+) (\d+) (\d+)$', lambda match:
                  f'{match[1]} {int(match[2]) - seconds} {match[3]}', text)
    with open(path, 'w', encoding='ascii') as stream:
        stream.write(f'{text}crc32c {crc32c(text.encode()):08x}\n')


class SlowDns(HesitantDns):
    def hesitates(self, question):
        return b'_mta-sts' in question


class World:
    """Mail for NAME.sts.test goes by MX to a host of its own; that zone is not signed, the root is."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('mta-sts'))
        self.authority = Authority(self.place)
        self.stranger = Authority(self.place, 'stranger')
        self.port = free_port()
        self.https = stack.enter_context(Https())
        self.root = [f'{ZONE}. NS ns.{ZONE}.', f'ns.{ZONE}. A 127.0.0.1',
                     f'bogus.test. TLSA 3 1 1 {SIGNED_DIGEST}', 'mta-sts.dane.test. A 127.0.0.1']
        self.hosts, self.records, self.sinks = [], {}, {}
        self.n_published = 0

    def start(self):
        zone = self.list_zone()
        self.dns = SignedDns(self.place, {'.': self.root, f'{ZONE}.': zone}).start()
        self.service = self.stack.enter_context(Service(self.place, [
            f'--dns={self.dns.endpoint}', f'--trust-anchor={self.dns.anchor}',
            f'--mx-port={self.port}', f'--mta-sts-port={self.https.port}']))
        self.service.set('permitted-hosts', '127.0.0.1')
        self.service.set('retry-intervals', '1s')
        # The first is not the one that counts.
        self.service.set('tls-trust', f'{Authority(self.place, "another").path}, {self.authority.path}')
        poll('DNS to be validated', lambda: self.service.ctl_json('status')
             ['relay']['dns'].endswith('(validated by DNSSEC)'))
        self.service.wait_applied()

    def list_zone(self):
        # Nothing of it is kept by a resolver: what is changed holds at once.
        return self.hosts + [f'_mta-sts.{domain}. 0 TXT "{text}"' for domain, text in self.records.items() if text]

    def add_host(self, domain, certificate, preference=10, name=None, tls=True):
        """An exchanger of @domain, @name or mx.DOMAIN."""
        host = name or f'mx.{domain}'
        address = f'127.0.2.{len(self.sinks) + 1}'
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.path, certificate.key_path)
        self.sinks[host] = self.stack.enter_context(Sink(address, self.port, tls=context))
        records = self.hosts if domain.endswith(ZONE) else self.root
        records += [f'{domain}. MX {preference} {host}.', f'{host}. A {address}']

    def add_policy(self, domain, answer, certificate=None, text='v=STSv1; id=1;'):
        self.records[domain] = text
        self.hosts.append(f'mta-sts.{domain}. A 127.0.0.1')
        self.https.add(f'mta-sts.{domain}', certificate or self.authority.issue(f'mta-sts.{domain}'), answer)

    def add(self, label, answer, certificate=None, **options):
        """A domain, a host with a good certificate unless another is given, a policy."""
        domain = f'{label}.{ZONE}'
        self.add_host(domain, certificate or self.authority.issue(f'mx.{domain}'), tls=options.pop('tls', True))
        self.add_policy(domain, answer, **options)

    def publish(self, label, text):
        """Changes the record of a domain."""
        domain = f'{label}.{ZONE}'
        self.records[domain] = text
        lines = [f'$ORIGIN {ZONE}.', '$TTL 60', '@ IN SOA ns.invalid. admin.invalid. 1 60 60 3600 0',
                 '@ IN NS ns.invalid.', *self.list_zone()]
        self.place.write('\n'.join(lines) + '\n', 'dns', f'{ZONE}.zone')
        self.dns.process.send_signal(signal.SIGHUP)
        poll('DNS to say so', lambda: read_txt(self.dns.host, self.dns.port, f'_mta-sts.{domain}') == text)
        # What was looked up serves for a second, but not under other rules.
        if self.service.relay is not None:
            self.n_published += 1
            self.service.set('max-recipients', str(1000 + self.n_published))
            self.service.wait_applied()

    def answer(self, label, answer):
        self.https.answers[f'mta-sts.{label}.{ZONE}'] = answer

    def n_asked(self, label):
        return self.https.asked.count(f'mta-sts.{label}.{ZONE}')

    # Mail

    def send(self, domain):
        rcpts, reply = send(self.service, 'a@source.test', [f'user@{domain}'])
        assert reply.startswith('250'), (rcpts, reply)

    def arrives(self, label, says=None, host=None, in_tls=True, domain=None):
        domain = domain or f'{label}.{ZONE}'
        sink = self.sinks[host or f'mx.{domain}']
        before = len(sink.messages)
        self.send(domain)
        poll(f'the message for {domain}', lambda: len(sink.messages) > before)
        assert bool(sink.messages[-1].tls) == in_tls
        line = self.log(f'to=<user@{domain}>', says or 'tls=<', 'status=sent')
        assert says or 'verified' not in line, line

    def log(self, *words):
        """A line of the relay's that has all of them."""
        def find():
            for name, lines in self.place.logs():
                for line in lines:
                    if name == 'relayd.log' and all(word in line for word in words):
                        return line
            return None
        return poll(f'the log to say {words}', find)

    def waits(self, label, *words, domain=None):
        """Put off with all these words; nothing of the message has left."""
        domain = domain or f'{label}.{ZONE}'
        self.send(domain)

        def reply():
            for message in self.service.queued():
                for recipient in message['recipients']:
                    said = recipient['last_reply']
                    if recipient['address'] == f'user@{domain}' and all(word in said for word in words):
                        return message['id']
            return None
        number = poll(f'the queue to say {words} of {domain}', reply, step_s=0.1)
        self.service.ctl('queue', 'delete', str(number))
        sink = self.sinks[f'mx.{domain}']
        assert not [line for lines in sink.conversations for line in lines if 'MAIL' in line], sink.conversations


def make_hosts(world):
    issue = world.authority.issue
    enforce = lambda label, *more: policy('enforce', f'mx.{label}.{ZONE}', *more)  # noqa: E731
    world.add('good', enforce('good'))
    world.add('any', policy('enforce', f'*.any.{ZONE}'))
    world.add('wrong-mx', policy('enforce', f'elsewhere.wrong-mx.{ZONE}', f'*.mx.wrong-mx.{ZONE}'))
    world.add('untrusted', enforce('untrusted'), world.stranger.issue(f'mx.untrusted.{ZONE}'))
    # What the level "verified" would take, the policy does not: the certificate is for the domain alone.
    world.add('wrong-name', enforce('wrong-name'), issue(f'wrong-name.{ZONE}'))
    world.add('expired', enforce('expired'), issue(f'mx.expired.{ZONE}', last_day=-0.5))
    world.add('plain', enforce('plain'), tls=False)
    world.add('testing', policy('testing', f'other.testing.{ZONE}'), world.stranger.issue(f'mx.testing.{ZONE}'))
    world.add('testing-plain', policy('testing', f'mx.testing-plain.{ZONE}'), tls=False)
    world.add('none', policy('none'), world.stranger.issue(f'mx.none.{ZONE}'))
    world.add('mixed', enforce('mixed'))
    world.hosts += [f'mta-sts.mixed.{ZONE}. A {address}' for address in (INNER, '0.0.0.0')]
    world.add('moved', enforce('moved'))
    world.add('kept', enforce('kept'))
    world.add('ends', policy('enforce', f'other.ends.{ZONE}', max_age=2))
    for label in ('slow', 'hangs'):
        slow = enforce(label)
        slow.when = threading.Event()
        world.add(label, slow)
    world.add('level', policy('enforce', f'other.level.{ZONE}'))
    world.add('anew', policy('enforce', f'other.anew.{ZONE}'))
    # The better exchanger is none of the policy's.
    world.add_host(f'second.{ZONE}', issue(f'bad.second.{ZONE}'), 10, f'bad.second.{ZONE}')
    world.add_host(f'second.{ZONE}', issue(f'mx.second.{ZONE}'), 20)
    world.add_policy(f'second.{ZONE}', enforce('second'))
    # TLSA records say another thing than the policy, and come first.
    dane = world.stranger.issue('mx.dane.test')
    world.add_host('dane.test', dane)
    world.root += [f'_{world.port}._tcp.mx.dane.test. TLSA 3 1 1 {sha256(key_der(dane.path))}',
                   '_mta-sts.dane.test. TXT "v=STSv1; id=1"']
    world.https.add('mta-sts.dane.test', issue('mta-sts.dane.test'), policy('enforce', 'elsewhere.test'))
    # Or nothing: these are of no use to mail (RFC 7672 3.1.3).
    for domain, certificate in (('useless.test', issue('mx.useless.test')), ('useless-misfit.test', dane)):
        world.add_host(domain, certificate)
        world.root += [f'_{world.port}._tcp.mx.{domain}. TLSA 1 1 1 {sha256(b"of no use")}',
                       f'_mta-sts.{domain}. TXT "v=STSv1; id=1"', f'mta-sts.{domain}. A 127.0.0.1']
        world.https.add(f'mta-sts.{domain}', issue(f'mta-sts.{domain}'), policy('enforce', f'mx.{domain}'))


# Policies that cannot be had: what the server does, and what the log says.
REFUSED = {
    'https-name': 'it is for another name',
    'https-stranger': 'its authority is not trusted',
    'https-expired': 'it has expired',
    'redirect': 'it answers with status 301',
    'missing': 'it answers with status 404',
    'html': 'its answer is not text/plain',
    'long': 'its answer is too long',
    'no-mode': 'it has no “mode”',
    'dropped': '',
    'no-host': 'the host has no address',
    'inner': 'the host leads to private addresses alone',
}


def make_refused(world):
    strict = 'version: STSv1\nmode: enforce\nmx: elsewhere.test\nmax_age: 86400\n'
    answers = {
        'redirect': Answer(strict, 301, headers=[('Location', f'https://mta-sts.good.{ZONE}:{world.https.port}{PATH}')]),
        'missing': Answer(strict, 404),
        'html': Answer(strict, kind='text/html'),
        'long': Answer(strict + 'note: x\n' * 9000),
        'no-mode': Answer(strict.replace('mode', 'mood')),
        'dropped': Answer(status=None),
    }
    certificates = {'https-name': world.authority.issue('www.test'),
                    'https-stranger': world.stranger.issue(f'mta-sts.https-stranger.{ZONE}'),
                    'https-expired': world.authority.issue(f'mta-sts.https-expired.{ZONE}', last_day=-0.5)}
    any_host = world.authority.issue(f'mx.refused.{ZONE}')
    for label in REFUSED:
        domain = f'{label}.{ZONE}'
        world.add_host(domain, any_host)
        world.add_policy(domain, answers.get(label, Answer(strict)), certificates.get(label))
    world.hosts.remove(f'mta-sts.no-host.{ZONE}. A 127.0.0.1')
    world.hosts[world.hosts.index(f'mta-sts.inner.{ZONE}. A 127.0.0.1')] = f'mta-sts.inner.{ZONE}. A {INNER}'


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
            make_hosts(world)
            make_refused(world)
            world.start()
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')
            return
        by_policy = ', verified by MTA-STS>'

        def test_enforce():
            world.arrives('good', by_policy)
            world.arrives('any', by_policy)
            assert (f'mta-sts.good.{ZONE}', PATH) in world.https.paths
            world.log(f'MTA-STS policy of good.{ZONE}: enforce, id 1, for 86400 s')
            # Known by now.
            world.arrives('good', by_policy)
            assert world.n_asked('good') == 1

        def test_enforce_passes_other_exchangers_over():
            world.arrives('second', by_policy)
            assert not world.sinks[f'bad.second.{ZONE}'].conversations

        def test_enforce_waits():
            world.waits('wrong-mx', '451', '4.7.5', f'the MTA-STS policy of “wrong-mx.{ZONE}” names none of the exchangers')
            assert not world.sinks[f'mx.wrong-mx.{ZONE}'].conversations
            world.waits('untrusted', '4.7.5', f'MTA-STS policy of “untrusted.{ZONE}”', 'its certificate is refused')
            world.waits('wrong-name', '4.7.5', f'it is not for mx.wrong-name.{ZONE}')
            world.waits('expired', '4.7.5', f'MTA-STS policy of “expired.{ZONE}”', 'uses expired certificate')
            world.waits('plain', '4.7.4', 'TLS is demanded')

        def test_testing_delivers_and_tells():
            world.arrives('testing')
            trial = 'would wait if it were enforced: '
            world.log(f'MTA-STS policy of testing.{ZONE}, testing: mail to mx.testing.{ZONE}[', trial,
                      'is none of the exchangers that the policy names')
            world.arrives('testing-plain', in_tls=False)
            world.log(f'MTA-STS policy of testing-plain.{ZONE}', trial, 'does not do STARTTLS')

        def test_none():
            world.arrives('none')
            assert world.n_asked('none') == 1

        def test_what_cannot_be_had_is_none():
            for label, says in REFUSED.items():
                world.arrives(label)
                world.log(f'the MTA-STS policy of {label}.{ZONE} cannot be had', says, 'mail goes as without one')
            # Not tried for each message.
            asked = {label: world.n_asked(label) for label in REFUSED}
            assert asked == {label: label not in ('no-host', 'inner') for label in REFUSED}, asked
            for label in REFUSED:
                world.arrives(label)
            assert asked == {label: world.n_asked(label) for label in REFUSED}

        def test_private_addresses_do_not_count():
            refused = f'leads to {INNER}, a private address that the setting private-targets does not name: not connected to'
            world.log(f'“mta-sts.inner.{ZONE}” {refused}')
            # An entry that names the domain changes nothing.
            world.service.add_connection(f'mixed.{ZONE}', '--dns')
            world.service.wait_applied()
            world.arrives('mixed', by_policy)
            world.log(f'“mta-sts.mixed.{ZONE}” leads to ', ': not connected to')

        def test_another_id_is_another_policy():
            world.arrives('moved', by_policy)
            world.answer('moved', policy('enforce', f'other.moved.{ZONE}'))
            world.arrives('moved', by_policy)
            assert world.n_asked('moved') == 1
            world.publish('moved', 'v=STSv1; id=2;')
            before = len(world.sinks[f'mx.moved.{ZONE}'].messages)
            world.send(f'moved.{ZONE}')
            poll('the message to wait', lambda: [
                message for message in world.service.queued()
                if 'names none of the exchangers' in message['recipients'][0]['last_reply']])
            # The policy of a third id lets it go.
            world.answer('moved', policy('testing', f'other.moved.{ZONE}'))
            world.publish('moved', 'v=STSv1; id=3;')
            poll('the message', lambda: len(world.sinks[f'mx.moved.{ZONE}'].messages) > before)
            assert world.n_asked('moved') == 3

        def test_what_is_known_holds_when_its_host_is_away():
            world.arrives('kept', by_policy)
            world.answer('kept', Answer(status=None))
            world.publish('kept', 'v=STSv1; id=2;')
            world.arrives('kept', by_policy)
            world.log(f'the MTA-STS policy of kept.{ZONE} cannot be had', 'that of before, enforce, is used')
            # Nor does a record that is gone end it.
            world.publish('kept', '')
            world.arrives('kept', by_policy)
            assert world.n_asked('kept') == 2

        def test_its_time_is_over():
            sink = world.sinks[f'mx.ends.{ZONE}']
            world.send(f'ends.{ZONE}')
            world.log('names none of the exchangers', f'user@ends.{ZONE}')
            world.answer('ends', Answer(status=404))
            poll('the message, when the policy has ended', lambda: sink.messages)
            world.log(f'the MTA-STS policy of ends.{ZONE} cannot be had', 'mail goes as without one')

        def test_a_slow_host_holds_its_own_mail_alone():
            for _ in range(2):
                world.send(f'slow.{ZONE}')
            poll('the question', lambda: (f'mta-sts.slow.{ZONE}', PATH) in world.https.paths)
            world.arrives('good', by_policy)
            assert not world.sinks[f'mx.slow.{ZONE}'].messages
            world.https.answers[f'mta-sts.slow.{ZONE}'].when.set()
            poll('both messages', lambda: len(world.sinks[f'mx.slow.{ZONE}'].messages) == 2)
            assert world.n_asked('slow') == 1

        def test_level_none_wins():
            world.waits('level', 'names none of the exchangers')
            world.service.set('tls-level', 'none')
            world.service.wait_applied()
            world.arrives('level', 'tls=<none>', in_tls=False)
            world.service.set('tls-level', 'verified')
            world.service.wait_applied()
            world.sinks[f'mx.level.{ZONE}'].conversations.clear()
            world.waits('level', 'names none of the exchangers')
            world.service.set('tls-level', 'opportunistic')
            world.service.wait_applied()

        def test_dane_comes_first():
            world.arrives(None, ', verified by DANE>', domain='dane.test')
            assert 'mta-sts.dane.test' not in world.https.asked

        def test_tlsa_records_of_no_use_leave_the_policy_in_force():
            world.arrives(None, by_policy, domain='useless.test')
            world.waits(None, '4.7.5', 'MTA-STS policy of “useless-misfit.test”', 'its certificate is refused',
                        domain='useless-misfit.test')

        def test_records_of_servers_no_longer_in_force():
            """A domain's policy is not missed for what the old servers say, who were asked before, and late."""
            domain = f'anew.{ZONE}'
            records = [record for record in world.hosts if domain in record]
            with Place('anew') as place, \
                    SlowDns(Dns(place, {'.': [r for r in records if not r.startswith('_')]}, 'old').start()) as old, \
                    Service(place, [option for option in world.service.relay_options if not option.startswith('--dns=')],
                            settings={'permitted-hosts': '127.0.0.1', 'private-targets': '127.0.0.0/8',
                                      'tls-trust': world.authority.path, 'dns-servers': old.endpoint}) as service:
                poll('these to be in force', lambda: service.ctl_json('status')['relay']['dns'].startswith(old.endpoint))
                send(service, 'a@source.test', [f'before@{domain}'])
                assert old.asked.wait(10)
                service.set('dns-servers', world.dns.endpoint)
                service.wait_applied()
                send(service, 'a@source.test', [f'behind@{domain}'])
                poll('both to wait for DNS', lambda: [
                    message['recipients'][0]['state'] for message in service.queued()] == ['active'] * 2)
                old.told.set()
                poll('both to wait for an exchanger of the policy', lambda: [
                    'names none of the exchangers' in message['recipients'][0]['last_reply']
                    for message in service.queued()] == [True] * 2)

        def test_explain():
            def explain(label):
                return world.service.ctl('explain', f'user@{label}.{ZONE}')
            assert f'policy of good.{ZONE} demands TLS with a certificate for the exchanger.' in explain('good')
            assert f'policy of testing.{ZONE} is on trial' in explain('testing')
            assert f'does not name the exchanger bad.second.{ZONE}.' in explain('second')
            assert 'MTA-STS' not in explain('none')

        def test_off():
            world.service.set('mta-sts', 'no')
            world.service.wait_applied()
            asked = len(world.https.asked)
            world.arrives('untrusted')
            world.arrives('wrong-mx')
            world.service.set('mta-sts', 'yes')
            world.service.wait_applied()
            assert len(world.https.asked) == asked
            for label in ('untrusted', 'wrong-mx'):
                world.sinks[f'mx.{label}.{ZONE}'].conversations.clear()
            world.waits('untrusted', 'its certificate is refused')

        def test_restart():
            asked = world.n_asked('good')
            # Who waits for a policy does not keep the relay from ending.
            world.send(f'hangs.{ZONE}')
            poll('the question', lambda: (f'mta-sts.hangs.{ZONE}', PATH) in world.https.paths)
            world.service.stop_relay()
            world.https.answers[f'mta-sts.hangs.{ZONE}'].when.set()
            path = os.path.join(world.service.spool, KEPT)
            assert os.stat(path).st_mode & 0o777 == 0o600
            world.answer('good', Answer(status=None))
            world.publish('good', '')
            world.service.start_relay()
            poll('what waited', lambda: world.sinks[f'mx.hangs.{ZONE}'].messages)
            world.arrives('good', by_policy)
            assert world.n_asked('good') == asked
            # Half of its time is over: it is fetched again, though no mail is there.
            world.service.stop_relay()
            make_older(path, 86400 // 2)
            asked = world.n_asked('any')
            world.service.start_relay()
            poll('the refresh', lambda: world.n_asked('any') > asked)
            asked = world.n_asked('good')
            # One octet of it is another.
            world.service.stop_relay()
            with open(path, 'r+b') as stream:
                text = stream.read()
                stream.seek(text.index(b'enforce'))
                stream.write(b'E')
            world.service.start_relay()
            world.log('the MTA-STS policies of before are not used')
            world.publish('good', 'v=STSv1; id=1;')
            world.answer('good', policy('enforce', f'other.good.{ZONE}'))
            world.send(f'good.{ZONE}')
            poll('the message to wait', lambda: [
                message for message in world.service.queued()
                if 'names none of the exchangers' in message['recipients'][0]['last_reply']])
            assert world.n_asked('good') == asked + 1

        def test_this_machine_does_not_count():
            world.service.stop_relay()
            world.service.relay_options.remove(f'--mta-sts-port={world.https.port}')
            world.service.start_relay()
            world.arrives('html')
            world.log(f'“mta-sts.html.{ZONE}” leads to 127.0.0.1, this machine itself: not connected to')

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
