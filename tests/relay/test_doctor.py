#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl doctor: nothing on a healthy set-up, and each planted fault by its code, and nothing else."""

import contextlib
import json
import os
import resource
import socket
import subprocess

from place import Place, free_port, poll
from certs import Authority
from sink import Sink
from support import CTL, FAULTY_RELAYD, Dns, Service, daemon_environment, send
from tap import Skip, Tap

# Ours as others see it; the exchanger of the partner; where nobody listens.
OURS, OURS_6, PARTNER, DEAD = '203.0.113.5', '2001:db8::5', '127.0.0.11', '127.0.0.14'
REVERSE = '5.113.0.203.in-addr.arpa.'
REVERSE_6 = '5.' + '0.' * 23 + '8.b.d.0.1.0.0.2.ip6.arpa.'

RECORDS = {
    'address': f'relay.test. A {OURS}',
    'reverse': f'{REVERSE} PTR relay.test.',
    'mx': 'partner.test. MX 10 mx.partner.test.',
    'exchanger': f'mx.partner.test. A {PARTNER}',
    'spf': 'srs.test. TXT "v=spf1 mx include:_spf.test -all"',
    'included': '_spf.test. TXT "v=spf1 ip6:2001:db8::/32 ip4:203.0.113.0/24 ?all"',
    'srs-mx': 'srs.test. MX 10 mx.partner.test.',
}
CHECKS = {'name', 'ipv6', 'spf', 'outbound', 'listeners', 'connections', 'certificate', 'relaying', 'postmaster',
          'spool', 'queue', 'clock', 'bus', 'rules', 'versions'}


class Patient(Service):
    """The service as an administrator sets it up: where it receives is a setting."""

    def relay_command(self):
        return [word for word in super().relay_command() if not word.startswith('--listen=')]


class Clinic:
    """A healthy set-up, and ways to spoil it."""

    def __init__(self, stack):
        self.stack = stack
        self.place = place = stack.enter_context(Place('doctor'))
        self.n_servers = 0
        self.sink = stack.enter_context(Sink(PARTNER))
        self.authority = Authority(place)
        self.disk = place.join('fault')
        self.healthy = {
            'hostname': 'relay.test',
            'own-addresses': f'{OURS}, {OURS_6}',
            'dns-servers': self.dns(),
            'tls-trust': self.authority.path,
            'srs-domain': 'srs.test',
            'postmaster': 'admin@partner.test',
        }
        self.service = Patient(place, [f'--mx-port={self.sink.port}'], relay=FAULTY_RELAYD, settings=self.healthy)
        self.service.relay_environment = {'REROUTE_DISK_FAULT': self.disk}
        self.healthy['listen'] = f'{self.service.host}:{self.service.port}'
        stack.enter_context(self.service)
        self.service.add_connection('partner.test', '--dns', accept='permitted')
        self.show(self.authority.issue('relay.test'))

    def dns(self, **changes):
        """A name server with records changed, or left out where they are None; its endpoint."""
        self.n_servers += 1
        records = [record for record in dict(RECORDS, **changes).values() if record]
        return Dns(self.place, {'.': records}, f'dns{self.n_servers}').start().endpoint

    def set(self, key, value, *options):
        self.service.set(key, value, *options)
        self.service.wait_applied()

    def show(self, certificate):
        """Both in one file, as a single setting names it."""
        path = certificate.path + '.both'
        with open(path, 'w', encoding='ascii') as both:
            for part in (certificate.path, certificate.key_path):
                with open(part, encoding='ascii') as stream:
                    both.write(stream.read())
        self.set('tls-certificate', path)

    @contextlib.contextmanager
    def setting(self, key, value, *options):
        self.set(key, value, *options)
        try:
            yield
        finally:
            self.set(key, self.healthy.get(key, ''))

    def complaints(self):
        """Codes of what is not as it should be.  The exit status is 1 when anything is worse than a note."""
        result = self.service.run_ctl('--json', 'doctor')
        assert result.stdout, result.stderr
        found = json.loads(result.stdout)
        bad = [each for each in found if each['level'] != 'ok']
        for each in bad:
            assert each['advice'] or each['level'] == 'note', each
        is_ill = any(each['level'] in ('warning', 'error') for each in bad)
        assert result.returncode == (1 if is_ill else 0), (result.returncode, bad, result.stderr)
        return {each['code'] for each in bad}

    def finds(self, *codes):
        complaints = self.complaints()
        assert complaints == set(codes), (complaints, codes)

    def says_of(self, check):
        """Codes, also of what is well."""
        return {each['code'] for each in json.loads(self.service.run_ctl('--json', 'doctor', f'--only={check}').stdout)}


def by_dns(clinic, code, **changes):
    """A name server with other records, in place of the one before, is a fault that is found as @code."""
    clinic.set('dns-servers', clinic.dns(**changes))
    clinic.finds(code)


def test_healthy(clinic):
    clinic.finds()
    result = clinic.service.run_ctl('--json', 'doctor')
    assert {each['check'] for each in json.loads(result.stdout)} == CHECKS
    text = clinic.service.ctl('doctor')
    assert f'name         ok: {OURS} leads back to relay.test.\n' in text, text
    assert 'relaying     ok: Strangers cannot send' in text, text


def test_no_reverse(clinic):
    by_dns(clinic, 'reverse-missing', reverse=None)


def test_reverse_of_another_name(clinic):
    by_dns(clinic, 'reverse-other', reverse=f'{REVERSE} PTR other.test.')


def test_host_name_without_address(clinic):
    by_dns(clinic, 'name-unresolved', address=None)


def test_host_name_of_another_machine(clinic):
    """Where the name leads is one finding, and the name of the address another one."""
    by_dns(clinic, 'name-elsewhere', address='relay.test. A 203.0.113.6',
           reverse='6.113.0.203.in-addr.arpa. PTR relay.test.')
    assert clinic.says_of('name') == {'name-elsewhere', 'reverse-ok'}


def test_host_name_on_the_loopback(clinic):
    by_dns(clinic, 'name-loopback', address='relay.test. A 127.0.1.1',
           included='_spf.test. TXT "v=spf1 ip6:2001:db8::/32 ip4:127.0.1.1 ?all"')
    assert clinic.says_of('name') == {'name-loopback'}


def test_ipv6_without_listener(clinic):
    by_dns(clinic, 'ipv6-deaf', more=f'relay.test. AAAA {OURS_6}', reverse_6=f'{REVERSE_6} PTR relay.test.')


def test_spf_without_our_address(clinic):
    by_dns(clinic, 'spf-refused', included='_spf.test. TXT "v=spf1 ip4:198.51.100.0/24 -all"')


def test_spf_in_capitals(clinic):
    """The version, mechanisms and modifiers are the same in any case (RFC 7208 sections 4.5 and 12)."""
    clinic.set('dns-servers', clinic.dns(spf='srs.test. TXT "V=SPF1 MX REDIRECT=_spf.test"',
                                         included='_spf.test. TXT "v=Spf1 IP4:203.0.113.0/24 -ALL"'))
    clinic.finds()
    assert clinic.says_of('spf') == {'spf-ok'}


def test_spf_missing(clinic):
    by_dns(clinic, 'spf-missing', spf='srs.test. TXT "something else"')


def test_spf_twice(clinic):
    by_dns(clinic, 'spf-several', second='srs.test. TXT "v=spf1 -all"')


def test_way_out_closed(clinic):
    by_dns(clinic, 'outbound-closed', exchanger=f'mx.partner.test. A {DEAD}')


def test_dns_as_it_should_be(clinic):
    clinic.set('dns-servers', clinic.healthy['dns-servers'])
    clinic.finds()


def test_certificate_expired(clinic):
    clinic.show(clinic.authority.issue('relay.test', first_day=-30, last_day=-2))
    clinic.finds('certificate-expired')


def test_certificate_about_to_end(clinic):
    clinic.show(clinic.authority.issue('relay.test', last_day=3))
    clinic.finds('certificate-ending')


def test_certificate_of_another_name(clinic):
    clinic.show(clinic.authority.issue('other.test'))
    clinic.finds('certificate-other-name')


def test_certificate_of_a_stranger(clinic):
    clinic.show(Authority(clinic.place, 'stranger').issue('relay.test'))
    clinic.finds('certificate-untrusted')
    clinic.show(clinic.authority.issue('relay.test'))
    clinic.finds()


def test_spool_nearly_full(clinic):
    clinic.place.write('low', 'fault')
    clinic.finds('spool-low')
    os.unlink(clinic.disk)


def test_spool_keeps_what_was_damaged(clinic):
    kept = os.path.join(clinic.service.spool, 'damaged-0000000000000001-00000040')
    with open(kept, 'wb') as stream:
        stream.write(b'once a message')
    clinic.finds('spool-damaged')
    os.unlink(kept)
    clinic.finds()


def test_anyone_may_relay(clinic):
    with clinic.setting('permitted-hosts', '0.0.0.0/0', '--confirm'):
        clinic.finds('relaying-open')
    clinic.service.add_connection('com', '--dns')
    clinic.service.wait_applied()
    try:
        clinic.finds('relaying-open')
    finally:
        clinic.service.ctl('connections', 'remove', 'com')
        clinic.service.wait_applied()


def test_listener_that_cannot_be_opened(clinic):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', free_port()))
        taken.listen()
        listen = f'{clinic.service.host}:{clinic.service.port}'
        with clinic.setting('listen', f'{listen}, 127.0.0.1:{taken.getsockname()[1]}'):
            clinic.finds('listener-missing')


def test_limit_of_open_files_too_low(clinic):
    pid = clinic.service.relay.pid
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (500, most))
    clinic.set('max-inbound-connections', '2000')
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))  # which counts from the next rules on
    try:
        clinic.finds('connections-few')
    finally:
        clinic.service.ctl('settings', 'set', 'max-inbound-connections')
        clinic.service.wait_applied()


def test_postmaster_unset(clinic):
    with clinic.setting('postmaster', ''):
        clinic.finds('postmaster-unset')


def test_postmaster_goes_nowhere(clinic):
    with clinic.setting('postmaster', 'admin@nowhere.test'):
        clinic.finds('postmaster-unreachable')


@contextlib.contextmanager
def mock(clinic, name, *words):
    """Something else that has a name on the bus."""
    address = clinic.service.bus.address
    environment = dict(daemon_environment(), DBUS_SYSTEM_BUS_ADDRESS=address, DBUS_SESSION_BUS_ADDRESS=address)
    process = clinic.place.start('mock', ['/usr/bin/python3', '-m', 'dbusmock', *words], environment)
    poll(name, lambda: process.poll() is not None or
         'true' in (clinic.service.bus.call('NameHasOwner', f'string:{name}') or ''))
    if process.poll() is not None:
        clinic.place.processes.remove(process)
        raise Skip('python3-dbusmock does not run')
    try:
        yield
    finally:
        clinic.place.end(process)


def test_clock_that_nobody_sets(clinic):
    """Of systemd, which has no part on this bus: of a mock of it."""
    for synchronised, wanted in (('true', set()), ('false', {'clock-unsynchronised'})):
        with mock(clinic, 'org.freedesktop.timedate1', '--system', '--template', 'timedated',
                  '--parameters', f'{{"NTP": {synchronised}}}'):
            clinic.finds(*wanted)


def test_relay_of_another_version_and_generation(clinic):
    """Of a mock: it says what an older relay would that never took the newest rules."""
    def tell(method, *arguments):
        command = ['dbus-send', f'--bus={clinic.service.bus.address}', '--print-reply', '--dest=org.reroute.Relay',
                   '/org/reroute/Relay', f'org.freedesktop.DBus.Mock.{method}', 'string:org.reroute.Relay1', *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    clinic.service.stop_relay()
    with mock(clinic, 'org.reroute.Relay', '--session', 'org.reroute.Relay', '/org/reroute/Relay', 'org.reroute.Relay1'):
        tell('AddProperty', 'string:Version', 'variant:string:0.0.9')
        tell('AddMethod', 'string:Status', 'string:', 'string:a{sv}',
             'string:ret = {"rules-held": True, "serial": dbus.UInt64(1)}')
        tell('AddMethod', 'string:Examine', 'string:ass', 'string:a(sssas)',
             'string:ret = dbus.Array([], signature="(sssas)")')
        clinic.finds('versions-differ', 'rules-behind')
    clinic.service.start_relay()


def test_words_of_only(clinic):
    found = json.loads(clinic.service.ctl('--json', 'doctor', '--only=name,versions'))
    assert {each['check'] for each in found} == {'name', 'versions'}
    assert 'no check “heart”' in clinic.service.ctl('doctor', '--only=heart', status=2)
    assert 'no check “”' in clinic.service.ctl('doctor', '--only=', status=2)
    offered = clinic.service.ctl('--complete', '--', 'doctor', '--only=').splitlines()
    assert {line.split('\t')[0] for line in offered} == {f'--only={check}' for check in CHECKS}
    offered = clinic.service.ctl('--complete', '--', 'doctor', '--only=name,sp').splitlines()
    assert [line.split('\t')[0] for line in offered] == ['--only=name,spf', '--only=name,spool'], offered


def test_way_out_by_domain(clinic):
    """The domain that she names; then where mail went, in place of what the rules name."""
    def labels(*options):
        found = json.loads(clinic.service.ctl('--json', 'doctor', '--only=outbound', *options))
        return [(each['code'], each['arguments'][0]) for each in found]
    assert labels('--probe=partner.test') == [('outbound-ok', f'mx.partner.test[{PARTNER}]:{clinic.sink.port}')]
    nowhere = json.loads(clinic.service.run_ctl('--json', 'doctor', '--only=outbound', '--probe=nowhere.test').stdout)
    assert [each['code'] for each in nowhere] == ['outbound-unresolved']
    with clinic.setting('permitted-hosts', '127.0.0.1'):
        send(clinic.service, 'a@partner.test', ['b@partner.test'])
        poll('the message', lambda: clinic.sink.messages)
    assert labels() == [('outbound-ok', f'{PARTNER}[{PARTNER}]:{clinic.sink.port}')], labels()
    assert len(clinic.sink.messages) == 1


def test_relay_stops_meanwhile(clinic):
    """A host that says nothing holds up neither the end of the relay nor doctor."""
    service = clinic.service
    with Sink(reply=lambda verb, argument: 'stall') as silent:
        service.add_connection('silent.test', f'--host={silent.endpoint}', accept='permitted')
        service.stop_relay()
        service.start_relay()
        with subprocess.Popen([CTL, f'--bus={service.bus.address}', 'doctor'], text=True, env=daemon_environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as doctor:
            poll('the visit', lambda: silent.n_sessions)
            service.stop_relay()
            said = doctor.communicate(timeout=60)
        assert doctor.returncode == 1, said
    service.ctl('connections', 'remove', 'silent.test')
    service.start_relay()


def test_rules_away(clinic):
    service = clinic.service
    activation = clinic.place.join('services', 'org.reroute.Rules.service')
    os.rename(activation, activation + '.away')
    service.bus.call('ReloadConfig')
    service.end_rules()
    clinic.finds('rules-away')
    os.rename(activation + '.away', activation)
    service.bus.call('ReloadConfig')
    service.wait_applied()
    clinic.finds()


def test_relay_away(clinic):
    clinic.service.stop_relay()
    clinic.finds('relay-away')
    clinic.service.start_relay()
    clinic.finds()


def main():
    tap = Tap()
    with contextlib.ExitStack() as stack:
        clinic = Clinic(stack)
        for name, case in list(globals().items()):
            if name.startswith('test_'):
                tap.case(name.removeprefix('test_').replace('_', '-'), case, clinic)
    tap.done()


if __name__ == '__main__':
    main()
