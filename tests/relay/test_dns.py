#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivery by DNS: exchangers from a real DNS server (nsd), next hops on loopback addresses."""

import contextlib

from place import Place, free_port, poll
from sink import Sink
from support import Dns, HesitantDns, Service, send
from tap import run

# One address a host: MX has no port, so all listen on the same one (--mx-port).
FIRST, SECOND, THIRD, DEAD, OURS, BACK = (f'127.0.0.{n}' for n in (11, 12, 13, 14, 15, 16))

RECORDS = f'''
first.example. A {FIRST}
second.example. A {SECOND}
third.example. A {THIRD}
dead.example. A {DEAD}
relay.test. A {OURS}
two.example. A {DEAD}
two.example. A {SECOND}
source.test. MX 10 back.example.
back.example. A {BACK}
order.test. MX 20 second.example.
order.test. MX 10 first.example.
order.test. MX 30 third.example.
falls.test. MX 10 dead.example.
falls.test. MX 20 second.example.
addresses.test. MX 10 two.example.
null.test. MX 0 .
bare.test. A {THIRD}
ours.test. MX 10 dead.example.
ours.test. MX 20 relay.test.
ours.test. MX 30 third.example.
better.test. MX 10 first.example.
better.test. MX 20 relay.test.
only.test. MX 10 relay.test.
only.test. MX 20 third.example.
text.test. TXT "no mail here"
inner.example. A 10.255.255.1
inner.test. MX 10 inner.example.
mixed.test. MX 10 inner.example.
mixed.test. MX 20 second.example.
zero.test. A 0.0.0.0
elsewhere.test. MX 10 far.example.
far.example. A 203.0.113.9
slow.test. MX 10 first.example.
unserved.test. NS ns.unserved.test.
ns.unserved.test. A {DEAD}
'''.strip().splitlines()


class SlowDns(HesitantDns):
    def hesitates(self, question):
        return b'slow' in question


class World:
    """The service with its DNS and a sink on every address but the dead one and our own."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('dns'))
        self.port = free_port()
        self.sinks = {address: stack.enter_context(Sink(address, self.port))
                      for address in (FIRST, SECOND, THIRD, BACK)}
        self.dns = Dns(self.place, {'.': RECORDS}).start()
        options = [f'--dns={self.dns.endpoint}', f'--mx-port={self.port}']
        self.service = stack.enter_context(Service(self.place, options))
        self.service.set('hostname', 'relay.test')
        self.service.set('own-addresses', OURS)
        self.service.set('permitted-hosts', '127.0.0.1')
        self.service.set('retry-intervals', '1s')
        self.service.wait_applied()

    def send(self, domain):
        rcpts, reply = send(self.service, f'sender-{domain}@source.test', [f'user@{domain}'])
        assert reply.startswith('250'), (rcpts, reply)

    def arrivals(self, domain):
        """Addresses that messages for @domain have arrived at."""
        return [address for address, sink in self.sinks.items()
                for recipient in sink.recipients() if recipient == f'user@{domain}']

    def goes_to(self, domain, *addresses):
        self.send(domain)
        poll(f'the message to {domain}', lambda: self.arrivals(domain))
        assert self.arrivals(domain) == list(addresses), self.arrivals(domain)

    def bounces(self, domain, status):
        self.send(domain)

        def notice():
            for message in list(self.sinks[BACK].messages):
                if message.recipients == [f'sender-{domain}@source.test']:
                    return message
            return None
        message = poll(f'a notice about {domain}', notice)
        assert message.reverse_path == '', message.reverse_path
        assert f'Status: {status}\r\n'.encode() in message.content, message.content.decode()
        assert not self.arrivals(domain)

    def waits(self, domain, status):
        self.send(domain)

        def deferred():
            for message in self.service.queued():
                for recipient in message['recipients']:
                    if f'user@{domain}' in str(recipient) and status in str(recipient):
                        return True
            return False
        poll(f'the queue to say {status} of {domain}', deferred, step_s=0.2)
        assert not self.arrivals(domain)
        self.service.ctl('queue', 'delete', *[str(message['id']) for message in self.service.queued()],
                         status=None)


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)

        def test_lowest_preference_first():
            world.goes_to('order.test', FIRST)

        def test_second_exchanger_when_the_first_is_dead():
            world.goes_to('falls.test', SECOND)

        def test_second_address_of_an_exchanger():
            world.goes_to('addresses.test', SECOND)

        def test_private_addresses_of_a_stranger():
            """They do not count, unless she has typed the domain or named the network."""
            def explain():
                return world.service.ctl('explain', 'user@inner.test')
            world.bounces('inner.test', '5.4.4')
            world.goes_to('mixed.test', SECOND)
            world.bounces('zero.test', '5.4.6')
            assert '“inner.test” leads to a private address, and no entry names the domain' in explain()
            world.service.set('private-targets', '10.255.0.0/16')
            world.service.wait_applied()
            assert 'inner.example [10.255.255.1]' in explain(), explain()
            world.service.ctl('settings', 'set', 'private-targets')
            world.service.wait_applied()
            assert 'leads to a private address' in explain(), explain()
            world.service.add_connection('inner.test', '--dns')
            world.service.wait_applied()
            assert 'inner.example [10.255.255.1]' in explain(), explain()
            world.service.ctl('connections', 'remove', 'inner.test')
            world.service.wait_applied()

        def test_null_mx():
            world.bounces('null.test', '5.1.10')

        def test_address_without_mx():
            world.goes_to('bare.test', THIRD)

        def test_no_such_domain():
            world.bounces('nowhere.test', '5.1.2')

        def test_domain_without_mail():
            world.bounces('text.test', '5.1.2')

        def test_exchangers_behind_ourselves_are_not_asked():
            world.waits('ours.test', '4.4.1')

        def test_exchanger_before_ourselves():
            world.goes_to('better.test', FIRST)

        def test_only_ourselves():
            world.bounces('only.test', '5.4.6')

        def test_slow_domain_silences_no_other():
            """DNS answers at once for the one, and in time not at all for the other."""
            rows = ''.join(f'connections,{domain},subdomains,dns\n' for domain in ('slow.test', 'elsewhere.test'))
            with Place('slow') as place, SlowDns(world.dns) as dns, \
                    Service(place, [f'--dns={dns.endpoint}']) as service:
                result = service.run_ctl('import', '-', text='page,domain,match,action\n' + rows)
                assert dns.asked.is_set()
                assert result.returncode == 1, result
                assert 'Mail for elsewhere.test is not sent to this server' in result.stderr, result.stderr
                assert 'slow.test' not in result.stderr, result.stderr

        def test_an_answer_of_servers_no_longer_in_force():
            """Mail that comes under new settings is not answered by the old servers, which know no such domain."""
            with Place('stale') as place, SlowDns(Dns(place, {'.': []}, 'old').start()) as old, \
                    Service(place, [f'--mx-port={world.port}'], settings={
                        'permitted-hosts': '127.0.0.1', 'private-targets': '127.0.0.0/8',
                        'dns-servers': old.endpoint}) as service:
                service.add_connection('source.test', f'--host={BACK}:{world.port}')
                for name, servers in (('old', old.endpoint), ('new', world.dns.endpoint)):
                    service.set('dns-servers', servers)
                    service.wait_applied()
                    poll('these to be in force', lambda servers=servers: (
                        service.ctl_json('status')['relay']['dns'].startswith(servers)))
                    rcpts, reply = send(service, 'a@source.test', [f'{name}@slow.test'])
                    assert reply.startswith('250'), (rcpts, reply)
                    assert old.asked.wait(10)
                poll('both to wait for DNS', lambda: [
                    message['recipients'][0]['state'] for message in service.queued()] == ['active'] * 2)
                old.told.set()
                service.wait_empty()
                assert sorted(world.sinks[FIRST].recipients()[-2:]) == ['new@slow.test', 'old@slow.test']
                assert ['a@source.test'] not in [message.recipients for message in world.sinks[BACK].messages]

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
