#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The relay as it stands on a machine: the two recipes, its status, its settings while it runs."""

import os
import socket
import subprocess
import urllib.error
import urllib.request

from gi.repository import GLib

from place import Place, free_port, poll
from sink import Sink
from support import RELAY, RELAYD, Client, Service, daemon_environment, send
from tap import run


def expect(reply, start):
    assert reply.startswith(start), f'{reply!r}, wanted {start!r}'


def test_reroute_forward_and_refusal_in_one_session():
    """Q190710: a rewritten recipient, a kept one, and one without an entry, without a restart."""
    with Place('recipes') as place, Sink() as rewritten, Sink() as kept, Service(place) as service:
        service.add_connection('example.com', f'--host={rewritten.endpoint}', accept='permitted')
        with Client(service.host, service.port) as client:
            for recipient in ('user@test.com', 'user@fwd.test'):
                expect(client.send('a@source.test', [recipient], b'x\r\n')[1], '550 5.7.1')
            service.add_routing('test.com', '--reroute-to=example.com')
            service.add_connection('fwd.test', f'--host={kept.endpoint}')
            service.wait_applied()
            recipients = ['user@test.com', 'user@fwd.test', 'user@example.com']
            rcpts, reply = client.send('a@source.test', recipients, b'Subject: both\r\n\r\nx\r\n')
            assert [rcpt[:3] for rcpt in rcpts] == ['250', '250', '550'], rcpts
            expect(reply, '250 2.0.0 Ok: queued as ')
            client.quit()
        poll('both', lambda: rewritten.messages and kept.messages)
        assert rewritten.recipients() == ['user@example.com'], rewritten.recipients()
        assert kept.recipients() == ['user@fwd.test'], kept.recipients()
        service.wait_empty()
        service.ctl('routing', 'remove', 'test.com')
        service.wait_applied()
        rcpts, _ = send(service, 'a@source.test', ['user@test.com'])
        expect(rcpts[0], '550 5.7.1')


def outbound(service):
    return service.ctl_json('status')['relay']['outbound-connections']


def test_status_and_queue_over_the_bus():
    with Place('status') as place, Service(place) as service:
        port = free_port()
        service.add_connection('later.test', f'--host=127.0.0.1:{port}')
        service.set('hostname', 'relay.test')
        service.wait_applied()
        _, reply = send(service, 'a@source.test', ['u@later.test', 'v@later.test'])
        name = reply.split()[-1]

        def tried():
            relay = service.ctl_json('status')['relay']
            return relay if relay['deferred'] >= 2 else None
        relay = poll('both to be put off', tried)
        assert relay['messages-queued'] == 1 and relay['recipients-queued'] == 2, relay
        assert relay['received'] == 1 and relay['delivered'] == 0, relay
        assert relay['listening'] == [f'{service.host}:{service.port}'], relay
        assert relay['hostname'] == 'relay.test' and relay['spool-ok'] and relay['oldest-us'] > 0
        assert name in service.ctl('queue', 'list')
        assert 'u@later.test' in service.ctl('queue', 'show', name)
        with Sink(port=port) as sink:
            service.ctl('queue', 'retry', name)
            poll('the message', lambda: sorted(sink.recipients()) == ['u@later.test', 'v@later.test'])
            service.wait_empty()
            relay = service.ctl_json('status')['relay']
            assert relay['oldest-us'] == 0 and relay['delivered'] == 2, relay
            assert relay['outbound-connections'] == 1, relay
        poll('the connection to go', lambda: not outbound(service))
        _, reply = send(service, 'a@source.test', ['u@later.test'])
        service.ctl('queue', 'delete', reply.split()[-1])
        service.wait_empty()
        service.ctl('queue', 'show', name, status=1)
        explained = service.ctl_json('explain', 'u@later.test')
        assert explained['action'] == 'forward' and explained['next_hop'] == '127.0.0.1', explained


def health(port, path='/healthz'):
    try:
        with urllib.request.urlopen(f'http://127.0.0.1:{port}{path}', timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None, ''


def test_explain_says_what_a_forbidden_host_is_told():
    with Place('forbidden') as place, Service(place, settings={'forbidden-hosts': '127.0.0.9'}) as service:
        service.add_connection('open.test', f'--host=127.0.0.1:{free_port()}')
        service.wait_applied()
        told = Client(service.host, service.port, source='127.0.0.9').banner.strip()
        explained = service.ctl_json('explain', 'u@open.test', '--from=127.0.0.9')
        assert told == explained['reply'] == '554 5.7.1 access denied', (told, explained)
        assert [step['code'] for step in explained['steps']] == ['client-forbidden', 'refused'], explained
        assert service.ctl_json('explain', 'u@open.test', '--from=127.0.0.8')['action'] != 'reject'


def test_status_reads_well():
    with Place('status') as place, Service(place) as service:
        lines = dict(line.split(None, 1) for line in service.ctl('status').splitlines()[1:])
        assert lines['listening'] == f'{service.host}:{service.port}', lines
        assert (lines['rules-held'], lines['oldest'], lines['messages-queued']) == ('yes', 'none', '0'), lines
        assert lines['tls-failure'] == 'none', lines
        service.add_connection('away.test', f'--host=127.0.0.1:{free_port()}')
        service.wait_applied()
        send(service, 'a@source.test', ['user@away.test'], b'x\r\n')
        lines = dict(line.split(None, 1) for line in service.ctl('status').splitlines()[1:])
        assert lines['oldest'][:2] == '20' and lines['messages-queued'] == '1', lines


def test_health_page():
    with Place('health') as place, Service(place) as service:
        port = free_port()
        assert health(port) == (None, '')
        service.set('health-listen', f'127.0.0.1:{port}')
        poll('the page', lambda: health(port)[0])
        assert health(port) == (200, '{"alive": true}\n'), health(port)
        assert health(port, '/readyz')[0] == 200
        assert health(port, '/other')[0] == 404
        service.set('health-listen', '')
        poll('the page to go', lambda: health(port)[0] is None)


def test_sockets_move_while_sessions_go_on():
    with Place('listen') as place:
        service = Service(place)
        command = service.relay_command
        service.relay_command = lambda: [part for part in command() if not part.startswith('--listen')]
        service.bus.start()
        first, second = service.port, free_port()
        service.set('listen', f'127.0.0.1:{first}')
        service.start_relay()
        with Client(service.host, first) as client:
            service.set('listen', f'0.0.0.0:{first}, 127.0.0.1:{second}')
            service.wait_applied()
            service.port = second
            expect(send(service, 'a@source.test', ['u@none.test'])[1], '550 5.7.1')
            # An address that is taken: it goes on where it was.
            with socket.socket() as taken:
                taken.bind(('127.0.0.1', 0))
                taken.listen()
                service.set('listen', f'127.0.0.1:{taken.getsockname()[1]}')
                service.wait_applied()
                expect(send(service, 'a@source.test', ['u@none.test'])[1], '550 5.7.1')
            service.set('listen', f'127.0.0.1:{second}')
            service.wait_applied()

            def is_closed():
                with socket.socket() as probe:
                    return probe.connect_ex(('127.0.0.1', first)) != 0
            poll('the old socket to go', is_closed)
            expect(client.command('NOOP'), '250')
            client.quit()
        service.close()


def test_workers_change_while_sessions_go_on():
    with Place('workers') as place, Sink() as sink, Service(place) as service:
        service.add_connection('one.test', f'--host={sink.endpoint}')
        sent = []
        with Client(service.host, service.port) as client:
            for workers in ('3', '1', '64', '2'):
                service.set('workers', workers)
                service.wait_applied()
                for number in range(10):
                    sent.append(f'w{workers}n{number}@one.test')
                    expect(send(service, 'a@source.test', sent[-1:])[1], '250')
            expect(client.send('a@source.test', ['last@one.test'], b'x\r\n')[1], '250')
            client.quit()
        sent.append('last@one.test')
        poll('all', lambda: sorted(sink.recipients()) == sorted(sent))
        made = min(max(4, len(os.sched_getaffinity(0))), 64)
        if made < 64:
            line, = poll('the line in the log', lambda: service.ctl_json('log', 'setting workers'))
            assert f' 64 threads: {made} are used' in line['text'], line


def test_postmaster_of_a_host_without_a_name_set():
    """RFC 5321 4.5.1: the machine's own name stands where the setting is empty."""
    with Place('postmaster') as place, Sink() as sink, Service(place) as service:
        name = service.ctl_json('status')['relay']['hostname']
        service.add_connection('one.test', f'--host={sink.endpoint}')
        service.set('postmaster', 'pm@one.test')
        service.wait_applied()
        rcpts, reply = send(service, 'a@source.test', [f'Postmaster@{name.upper()}', f'user@{name}'])
        assert [rcpt[:3] for rcpt in rcpts] == ['250', '550'], rcpts
        expect(reply, '250')
        poll('the message', lambda: sink.recipients() == ['pm@one.test'])


def test_explain_knows_a_host_without_a_name_set():
    """Under an unsaved change as the relay will do it, and while the relay is away."""
    with Place('unnamed') as place, Sink() as sink, Service(place) as service:
        name = service.ctl_json('status')['relay']['hostname']
        service.add_connection('one.test', f'--host={sink.endpoint}')
        service.set('postmaster', 'pm@one.test')
        service.set('hostname', 'relay.test')
        service.wait_applied()
        for changes, wanted in (([], 'reject'), ([('reset', GLib.Variant('s', 'hostname'))], 'rewrite')):
            answer, _ = service.bus.ask(RELAY, 'Explain', '(ssba(sv))', f'postmaster@{name}', '192.0.2.7', False, changes)
            assert answer['action'] == wanted, (changes, answer)
        service.set('hostname', '')
        service.stop_relay()
        answer = service.ctl_json('explain', f'postmaster@{name}', '--from=192.0.2.7')
        assert answer['action'] == 'rewrite' and answer['rcpt_out'] == 'pm@one.test', answer


def test_transfer_mode_outbound_takes_our_own_mail_alone():
    with Place('outbound') as place, Sink() as sink, Service(place) as service:
        service.add_connection('one.test', f'--host={sink.endpoint}')
        service.set('transfer-mode', 'outbound')
        service.set('permitted-hosts', '127.0.0.2')
        service.wait_applied()
        with Client(service.host, service.port, '127.0.0.3') as client:
            expect(client.banner, '421 4.3.2')
        expect(send(service, 'a@source.test', ['u@one.test'], source='127.0.0.2')[1], '250')
        poll('the message', lambda: sink.recipients() == ['u@one.test'])


def test_check_reads_the_queue_and_changes_nothing():
    with Place('check') as place, Service(place) as service:
        service.add_connection('later.test', f'--host=127.0.0.1:{free_port()}')
        service.wait_applied()
        expect(send(service, 'a@source.test', ['u@later.test'])[1], '250')
        service.stop_relay()
        command = [RELAYD, '--check', f'--spool={service.spool}']
        for _ in range(2):
            result = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                    env=daemon_environment(), check=False)
            assert result.returncode == 0, result
            assert ' 1 messages wait' in result.stdout, result.stdout
        result = subprocess.run([RELAYD, '--check', f'--spool={place.join("none")}'], check=False,
                                capture_output=True, text=True, timeout=60, env=daemon_environment())
        assert result.returncode == 1 and 'none' in result.stderr, result


if __name__ == '__main__':
    run(test_reroute_forward_and_refusal_in_one_session,
        test_status_and_queue_over_the_bus,
        test_explain_says_what_a_forbidden_host_is_told, test_status_reads_well,
        test_health_page,
        test_sockets_move_while_sessions_go_on,
        test_workers_change_while_sessions_go_on,
        test_postmaster_of_a_host_without_a_name_set,
        test_explain_knows_a_host_without_a_name_set,
        test_transfer_mode_outbound_takes_our_own_mail_alone,
        test_check_reads_the_queue_and_changes_nothing)
