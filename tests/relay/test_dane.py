#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""DANE: certificates judged by the TLSA records of a zone that the test signs (nsd, ldns)."""

import contextlib
import hashlib
import os
import shutil
import socket
import ssl
import subprocess

from place import Place, free_port, poll
from certs import Authority
from sink import Sink
from support import Dns, FAULTY_RELAYD, HesitantDns, RELAYD, Service, send
from tap import Skip, run

# What stands in the zone when it is signed, and what it is made into afterwards.
SIGNED_DIGEST, FORGED_DIGEST = 'aa' * 32, 'bb' * 32


def tool(name):
    path = shutil.which(name)
    if path is None:
        raise Skip(f'no {name}')
    return path


class SignedDns(Dns):
    """The root zone is signed by a key of the test's own; others are not."""

    def finish_zone(self, zone, path):
        if zone != '.':
            return
        key = subprocess.run([tool('ldns-keygen'), '-a', 'ECDSAP256SHA256', '-k', '.'], cwd=self.folder,
                             capture_output=True, text=True, check=True).stdout.strip()
        subprocess.run([tool('ldns-signzone'), '-o', '.', '-f', f'{path}.signed', path,
                        os.path.join(self.folder, key)], cwd=self.folder, check=True)
        with open(f'{path}.signed', encoding='ascii') as stream:
            text = stream.read()
        assert SIGNED_DIGEST in text.lower()
        with open(path, 'w', encoding='ascii') as stream:
            stream.write(text.replace(SIGNED_DIGEST, FORGED_DIGEST))
        shutil.copy(os.path.join(self.folder, f'{key}.ds'), self.anchor)

    @property
    def anchor(self):
        return os.path.join(self.folder, 'anchor')


class FailingDns(HesitantDns):
    """Answers with SERVFAIL about the root, @times times or until it is told."""

    def __init__(self, dns, times=None):
        self.left = times
        super().__init__(dns)

    def answer(self, question, client):
        is_root = question[self.HEADER_OCTETS] == 0
        fails = is_root and not self.told.is_set()
        if fails and self.left is not None:
            fails = self.left > 0
            self.left -= 1
        if not fails:
            if is_root:
                self.told.set()
            super().answer(question, client)
            return
        end = self.HEADER_OCTETS + self.QUESTION_OCTETS
        with contextlib.suppress(OSError):
            self.socket.sendto(question[:2] + b'\x81\x82' + question[4:6] + bytes(6)
                               + question[self.HEADER_OCTETS:end], client)


def der(certificate):
    with open(certificate, encoding='ascii') as stream:
        return ssl.PEM_cert_to_DER_cert(stream.read().split('-----END')[0] + '-----END CERTIFICATE-----\n')


def key_der(certificate):
    pem = subprocess.run(['openssl', 'x509', '-in', certificate, '-noout', '-pubkey'],
                         capture_output=True, check=True).stdout
    return subprocess.run(['openssl', 'pkey', '-pubin', '-outform', 'DER'], input=pem,
                          capture_output=True, check=True).stdout


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


class World:
    """A host for every kind of record; mail for NAME.test goes to it by MX."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('dane'))
        self.authority = Authority(self.place)
        self.port = free_port()
        self.sinks, self.records, self.unsigned = {}, [], []
        self.make_hosts()
        self.records += ['unsigned.test. NS ns.unsigned.test.', 'ns.unsigned.test. A 127.0.0.1']
        self.dns = SignedDns(self.place, {'.': self.records, 'unsigned.test.': self.unsigned}).start()
        self.service = self.make_service([f'--trust-anchor={self.dns.anchor}'])

    def make_service(self, options, place=None, dns=None, relay=RELAYD):
        dns = dns or self.dns
        service = self.stack.enter_context(Service(
            place or self.place, [f'--dns={dns.endpoint}', f'--mx-port={self.port}', *options], relay))
        service.set('permitted-hosts', '127.0.0.1')
        service.set('retry-intervals', '1s')
        service.wait_applied()
        return service

    def add_host(self, domain, certificate, *tlsa, offers_tls=True):
        host = f'mx.{domain}.'
        address = f'127.0.1.{len(self.sinks) + 1}'
        context = None
        if offers_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.path, certificate.key_path)
        self.sinks[domain] = self.stack.enter_context(Sink(address, self.port, tls=context))
        records = self.unsigned if domain == 'unsigned.test' else self.records
        records += [f'{domain}. MX 10 {host}', f'{host} A {address}']
        records += [f'_{self.port}._tcp.{host} TLSA {record}' for record in tlsa]

    def share_host(self, domain, other, *tlsa):
        """An exchanger of its own name at the address of the one of @other."""
        host = f'mx.{domain}.'
        self.sinks[domain] = self.sinks[other]
        self.records += [f'{domain}. MX 10 {host}', f'{host} A {self.sinks[other].host}']
        self.records += [f'_{self.port}._tcp.{host} TLSA {record}' for record in tlsa]

    def add_alias(self, domain, other, *tlsa, by_mx=True):
        """Its exchanger, or itself, is an alias of the exchanger of @other."""
        self.sinks[domain] = self.sinks[other]
        host = f'mx.{domain}.' if by_mx else f'{domain}.'
        self.records += [f'{host} CNAME mx.{other}.'] + ([f'{domain}. MX 10 {host}'] if by_mx else [])
        self.records += [f'_{self.port}._tcp.{host} TLSA {record}' for record in tlsa]

    def make_hosts(self):
        issue = self.authority.issue
        plain = issue('mx.plain.test')
        match, exact, other, ours = (issue(f'mx.{name}.test') for name in ('match', 'exact', 'other', 'ca'))
        old = issue('mx.old.test', last_day=-0.5)
        ours_record = f'2 0 1 {sha256(der(self.authority.path))}'
        wrong = f'3 1 1 {sha256(b"another key")}'
        self.add_host('match.test', match, f'3 1 1 {sha256(key_der(match.path))}')
        self.add_host('exact.test', exact, f'3 0 0 {der(exact.path).hex()}')
        self.add_host('roll.test', match, wrong, f'3 1 1 {sha256(key_der(match.path))}')
        self.add_host('ca.test', ours, ours_record)
        self.share_host('ca-shared.test', 'ca.test', ours_record)
        self.add_host('ca-name.test', other, ours_record)
        self.add_host('alias-name.test', issue('mx.alias-named.test'), ours_record)
        self.add_host('old.test', old, f'3 1 1 {sha256(key_der(old.path))}')
        self.add_host('ca-old.test', issue('mx.ca-old.test', last_day=-0.5), ours_record)
        self.add_host('forged.test', self.forge('mx.forged.test'), ours_record)
        self.add_host('mismatch.test', other, wrong)
        self.add_host('unusable.test', other, f'1 1 1 {sha256(b"of no use")}')
        self.add_host('plain.test', plain, f'3 1 1 {sha256(key_der(plain.path))}', offers_tls=False)
        self.add_host('bogus.test', other, f'3 1 1 {SIGNED_DIGEST}')
        self.add_host('unsigned.test', other, wrong)
        self.add_host('none.test', other)
        self.add_alias('alias.test', 'match.test')
        self.add_alias('alias-ca.test', 'ca.test')
        self.add_alias('alias-misfit.test', 'mismatch.test')
        self.add_alias('alias-bogus.test', 'bogus.test')
        self.add_alias('alias-domain.test', 'mismatch.test', by_mx=False)
        self.add_alias('alias-own.test', 'none.test', wrong)
        # The records at the target come first.
        self.add_alias('alias-two.test', 'exact.test', wrong)
        self.add_alias('alias-named.test', 'alias-name.test')

    def forge(self, name):
        """A certificate of a stranger whose authority has the name of ours, which it shows behind it."""
        folder = self.place.folder('strangers')
        stranger = Authority(self.place, 'stranger', subject='authority')
        assert folder
        forged = stranger.issue(name)
        with open(forged.path, encoding='ascii') as stream:
            own = stream.read().split('-----END CERTIFICATE-----')[0] + '-----END CERTIFICATE-----\n'
        with open(self.authority.path, encoding='ascii') as stream:
            chain = stream.read()
        with open(forged.path, 'w', encoding='ascii') as stream:
            stream.write(own + chain)
        return forged

    def send(self, domain, service=None):
        rcpts, reply = send(service or self.service, 'a@source.test', [f'user@{domain}'])
        assert reply.startswith('250'), (rcpts, reply)

    def arrives(self, domain, log=None, in_tls=True, service=None):
        sink = self.sinks[domain]
        before = len(sink.messages)
        self.send(domain, service)
        poll(f'the message for {domain}', lambda: len(sink.messages) > before)
        assert bool(sink.messages[-1].tls) == in_tls
        if log:
            poll(f'the log to say {log} of {domain}', lambda: any(
                f'to=<user@{domain}>' in line and log in line
                for name, lines in self.place.logs() if name == 'relayd.log' for line in lines))

    def waits(self, domain, *texts):
        self.send(domain)
        self.is_put_off(domain, *texts)

    def is_put_off(self, domain, *texts, service=None):
        service = service or self.service

        def reply():
            for message in service.queued():
                for recipient in message['recipients']:
                    said = recipient['last_reply']
                    if recipient['address'] == f'user@{domain}' and all(text in said for text in texts):
                        return message['id']
            return None
        number = poll(f'the queue to say {texts} of {domain}', reply, step_s=0.1)
        service.ctl('queue', 'delete', str(number))
        assert f'user@{domain}' not in self.sinks[domain].recipients()


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')
            return
        no_fit = ('4.7.5', 'fits none of the TLSA records')

        def test_status_tells_that_dns_is_validated():
            poll('the servers to be found to pass DNSSEC', lambda: world.service.ctl_json('status')
                 ['relay']['dns'].endswith('(validated by DNSSEC)'))

        def test_end_entity():
            for domain in ('match.test', 'exact.test'):
                world.arrives(domain, ', verified by DANE>')

        def test_one_of_two_records_fits():
            world.arrives('roll.test', ', verified by DANE>')

        def test_authority():
            world.arrives('ca.test', ', verified by DANE>')

        def test_authority_wants_the_name_of_the_host():
            world.waits('ca-name.test', *no_fit)

        def test_a_session_that_rests_is_no_proof_of_another_name():
            sink = world.sinks['ca.test']
            world.arrives('ca.test')
            n_sessions = len(sink.conversations)
            world.arrives('ca.test')
            assert len(sink.conversations) == n_sessions, 'it does not rest'
            world.waits('ca-shared.test', *no_fit)

        def test_records_of_an_alias_stand_at_its_target():
            for domain in ('alias.test', 'alias-two.test'):
                world.arrives(domain, ', verified by DANE>')
            for domain in ('alias-misfit.test', 'alias-domain.test'):
                world.waits(domain, *no_fit)
            world.waits('alias-bogus.test', '4.7.5', 'TLSA records of “mx.bogus.test”')

        def test_records_of_an_alias_may_stand_at_its_own_name():
            world.waits('alias-own.test', *no_fit)

        def test_authority_takes_both_names_of_an_alias():
            world.arrives('alias-ca.test', ', verified by DANE>')
            world.arrives('alias-named.test', ', verified by DANE>')

        def test_an_end_entity_never_expires():
            """RFC 7672 section 3.1.1: its record alone says for how long."""
            world.arrives('old.test', ', verified by DANE>')

        def test_authority_wants_a_certificate_that_has_not_expired():
            world.waits('ca-old.test', *no_fit)

        def test_authority_wants_a_signature():
            world.waits('forged.test', *no_fit)

        def test_mismatch_waits():
            world.waits('mismatch.test', *no_fit)

        def test_host_without_tls_waits():
            world.waits('plain.test', '4.7.4')

        def test_records_of_no_use_demand_tls_alone():
            world.arrives('unusable.test', 'TLSv1.3')

        def test_bogus_waits():
            world.waits('bogus.test', '4.7.5', 'TLSA records of “mx.bogus.test”')

        def test_what_is_not_signed_says_nothing():
            world.arrives('unsigned.test', 'TLSv1.3')
            world.arrives('none.test', 'TLSv1.3')

        def test_dane_comes_before_the_level():
            world.service.set('tls-level', 'verified')
            world.service.wait_applied()
            world.arrives('match.test', ', verified by DANE>')
            world.service.set('tls-level', 'none')
            world.service.wait_applied()
            world.arrives('mismatch.test', 'tls=<none>', in_tls=False)
            world.service.set('tls-level', 'opportunistic')
            world.service.wait_applied()

        def test_nothing_leaves_before_it_is_known_whether_dns_is_validated():
            place = stack.enter_context(Place('hesitant'))
            with HesitantDns(world.dns) as dns:
                service = world.make_service([f'--trust-anchor={world.dns.anchor}'], place, dns)
                service.add_connection('typed.test', f'--host={world.sinks["none.test"].host}:{world.port}')
                service.wait_applied()
                assert dns.asked.wait(20)
                world.send('forged.test', service)
                before = len(world.sinks['none.test'].messages)
                world.send('typed.test', service)
                poll('a host that was typed', lambda: len(world.sinks['none.test'].messages) > before)
                assert not world.sinks['forged.test'].messages
                assert 'mx.forged.test' in service.ctl('explain', 'user@forged.test')
                dns.told.set()
                world.is_put_off('forged.test', *no_fit, service=service)

        def make_impatient(name, dns):
            return world.make_service([f'--trust-anchor={world.dns.anchor}'], stack.enter_context(Place(name)), dns,
                                      FAULTY_RELAYD)

        def says(service, *words):
            poll(f'status to say {words}', lambda: all(
                word in service.ctl_json('status')['relay']['dns'] for word in words))

        def test_servers_out_of_order_are_tried_again():
            # libunbound asks five times: the second trial, or the third, passes.
            with FailingDns(world.dns, times=7) as dns:
                service = make_impatient('failing', dns)
                world.send('forged.test', service)
                world.is_put_off('forged.test', *no_fit, service=service)
                says(service, '(validated by DNSSEC)')

        def test_mail_does_not_wait_for_ever_for_the_verdict():
            with FailingDns(world.dns) as dns:
                service = make_impatient('dead', dns)
                says(service, 'not known yet', 'nothing else is believed')
                world.arrives('ca-name.test', service=service)
                says(service, 'not known yet', 'DANE is off until then')
                dns.told.set()
                says(service, '(validated by DNSSEC)')
                world.send('ca-old.test', service)
                world.is_put_off('ca-old.test', *no_fit, service=service)

        def test_servers_that_pass_no_signatures():
            place = stack.enter_context(Place('unsigned'))
            dns = Dns(place, {'.': world.records}).start()
            service = make_impatient('stripped', dns)
            says(service, '(not validated by DNSSEC: DANE is off)')
            world.arrives('old.test', service=service)

        def test_without_an_anchor_dane_is_off():
            place = stack.enter_context(Place('no-anchor'))
            service = world.make_service([], place)
            assert 'DANE is off' in service.ctl_json('status')['relay']['dns']
            world.arrives('mismatch.test', service=service)

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
