#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages for programs that watch the relay: metrics that add up, health, readiness, and hostile HTTP."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess

from place import ROOT, Place, free_port, poll
from certs import Authority
from exposition import parse
from peers import unpack
from sink import Sink
from support import FAULTY_RELAYD, RELAYD, Client, Service, send
from tap import Skip, run

HOSTNAME = 'relay.test'
OPENMETRICS = 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
MONITORS_MOST = 16
ALERTS = os.path.join(ROOT, 'data', 'prometheus', 'reroute-alerts.yml')
CONTENT = b'Subject: test\r\n\r\nhello\r\n'


def fetch(port, path, method='GET', **headers):
    """(status, content type, body); None for the status when nobody listens."""
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader('Content-Type'), answer.read().decode()
    except ConnectionError:
        return None, None, ''
    finally:
        connection.close()


def readiness(port):
    status, _, body = fetch(port, '/readyz')
    return (status, json.loads(body)) if status else (None, {})


class Watched:
    """A relay in TLS with two next hops, one with STARTTLS, and its metrics page."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('metrics'))
        authority = Authority(self.place)
        authority.issue(HOSTNAME).install(self.place.join('r.pem'), self.place.join('r.key'))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.place.join('r.pem'), self.place.join('r.key'))
        self.clear = stack.enter_context(Sink(reply=self.reply))
        self.safe = stack.enter_context(Sink(tls=context))
        self.port = free_port()
        self.service = stack.enter_context(Service(self.place, settings={
            'hostname': HOSTNAME, 'tls-certificate': self.place.join('r.pem'), 'tls-key': self.place.join('r.key'),
            'forbidden-hosts': '127.0.0.9', 'metrics-listen': f'127.0.0.1:{self.port}'}))
        for domain, host in (('clear.test', self.clear.endpoint), ('safe.test', self.safe.endpoint),
                             ('sender.test', self.safe.endpoint), ('dead.test', f'127.0.0.1:{free_port()}')):
            self.service.add_connection(domain, f'--host={host}')
        self.service.wait_applied()

    @staticmethod
    def reply(verb, argument):
        if verb == 'RCPT' and 'later@' in argument:
            return '451 4.2.1 later'
        return '550 5.1.1 nobody' if verb == 'RCPT' and 'never@' in argument else None

    def scrape(self):
        """{'name{labels}': value}"""
        status, kind, body = fetch(self.port, '/metrics')
        assert (status, kind) == (200, 'text/plain; version=0.0.4; charset=utf-8'), (status, kind)
        return {f'{name}{{{labels}}}' if labels else name: value
                for name, family in parse(body).items() for labels, value in family.samples.items()}

    def talk(self):
        """Known traffic."""
        for recipients in (['a@clear.test'], ['b@safe.test', 'c@safe.test'], ['later@clear.test'],
                           ['never@clear.test'], ['d@dead.test']):
            _, reply = send(self.service, 'me@sender.test', recipients, CONTENT)
            assert reply.startswith('250'), reply
        rcpts, _ = send(self.service, 'me@sender.test', ['stranger@elsewhere.test'])
        assert rcpts[0].startswith('550'), rcpts
        with Client(self.service.host, self.service.port) as client:
            client.command('STARTTLS')
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with context.wrap_socket(client.socket) as safe:
                self.tls_version = safe.version().removeprefix('TLSv')
                safe.sendall(b'QUIT\r\n')
                assert safe.recv(100).startswith(b'221')
        with Client(self.service.host, self.service.port) as client:
            client.command('STARTTLS')
            client.socket.sendall(b'this is no handshake\r\n' * 20)
            assert not client.socket.recv(100).startswith(b'2')
        assert Client(self.service.host, self.service.port, source='127.0.0.9').banner.startswith('554')


GROWS = {
    'reroute_sessions_total': 8,
    'reroute_messages_accepted_total': 5,
    'reroute_recipients_accepted_total': 6,
    'reroute_smtp_rejections_total{class="4xx"}': 0,
    'reroute_smtp_rejections_total{class="5xx"}': 1,
    'reroute_sessions_refused_total{reason="forbidden"}': 1,
    'reroute_sessions_refused_total{reason="full"}': 0,
    # the bounce is the fourth that arrives
    'reroute_delivery_attempts_total{result="2xx"}': 4,
    'reroute_delivery_attempts_total{result="4xx"}': 1,
    'reroute_delivery_attempts_total{result="5xx"}': 1,
    'reroute_delivery_attempts_total{result="connection"}': 1,
    'reroute_recipient_outcomes_total{outcome="delivered"}': 4,
    'reroute_recipient_outcomes_total{outcome="failed"}': 1,
    'reroute_recipient_outcomes_total{outcome="deferred"}': 2,
    'reroute_notices_total{kind="failure"}': 1,
    'reroute_notices_total{kind="delay"}': 0,
    'reroute_tls_handshake_failures_total{direction="in"}': 1,
    'reroute_tls_handshake_failures_total{direction="out"}': 0,
}
STANDS = {
    'reroute_queue_messages': 2,
    'reroute_queue_recipients{state="deferred"}': 2,
    'reroute_queue_recipients{state="new"}': 0,
    'reroute_queue_recipients{state="held"}': 0,
    'reroute_sessions_open': 0,
    'reroute_back_pressure': 0,
    'reroute_spool_writable': 1,
    'reroute_spool_held_bytes': 0,
    'reroute_rules_held': 1,
}


def check_growth(before, after):
    for key, growth in GROWS.items():
        assert after[key] - before[key] == growth, (key, before[key], after[key])
    sent = sum(after[key] - before[key] for key in after if key.startswith('reroute_outbound_sessions_total'))
    out = sum(after[key] - before[key] for key in after
              if key.startswith('reroute_tls_handshakes_total{direction="out"'))
    verdict = 'reroute_outbound_sessions_total{verdict="%s"}'
    assert out > 0 and after[verdict % 'opportunistic'] - before[verdict % 'opportunistic'] == out, after
    assert after[verdict % 'none'] - before[verdict % 'none'] == sent - out > 0, after


def test_figures_add_up():
    with contextlib.ExitStack() as stack:
        watched = Watched(stack)
        before = watched.scrape()
        watched.talk()
        after = poll('the traffic to settle', lambda: settled(before, watched.scrape()))
        check_growth(before, after)
        for key, value in STANDS.items():
            assert after[key] == value, (key, after[key])
        handshake = f'reroute_tls_handshakes_total{{direction="in",version="{watched.tls_version}"}}'
        assert after[handshake] - before[handshake] == 1, after
        octets = 'reroute_messages_accepted_bytes_total'
        assert after[octets] - before[octets] > 5 * len(CONTENT)
        assert 0 < after['reroute_queue_oldest_message_age_seconds'] < 3600
        assert after['reroute_spool_syncs_total'] > before['reroute_spool_syncs_total']
        assert after['reroute_spool_written_bytes_total'] > before['reroute_spool_written_bytes_total']
        check_gauges(watched, after)
        check_exposition(watched)
        check_files(watched)
        check_addresses(watched)
        check_hostile(watched)
        check_live(watched)


def settled(before, now):
    # What is deferred was counted as deferred by then, and sessions have ended.
    keys = ('reroute_delivery_attempts_total{result="2xx"}', 'reroute_recipient_outcomes_total{outcome="deferred"}')
    done = all(now[key] - before[key] >= GROWS[key] for key in keys)
    return now if done and all(now[key] == value for key, value in STANDS.items()) else None


def check_gauges(watched, figures):
    status = watched.service.ctl_json('status')
    assert figures['reroute_rules_generation'] == status['rules_serial'], status
    assert status['relay']['metrics'] == [f'127.0.0.1:{watched.port}'], status
    assert figures['reroute_spool_segments'] >= 1
    assert figures['reroute_spool_size_bytes'] == status['relay']['spool-octets']
    assert figures['reroute_spool_free_bytes'] > 0
    assert figures['reroute_rules_loaded_timestamp_seconds'] > figures['process_start_time_seconds'] > 1e9
    assert 0 < figures['process_resident_memory_bytes'] < figures['process_virtual_memory_bytes']
    assert 0 < figures['process_open_fds'] <= figures['process_max_fds']
    assert any(key.startswith('reroute_build_info{version="') for key in figures)
    held = watched.service.ctl_json('queue', 'list')[0]['id']
    watched.service.ctl('queue', 'hold', held)
    figures = watched.scrape()
    assert figures['reroute_queue_recipients{state="held"}'] == 1, figures
    assert figures['reroute_queue_recipients{state="deferred"}'] == 1, figures
    watched.service.ctl('queue', 'release', held)


def check_exposition(watched):
    """Both formats have the same families, and neither names anybody."""
    plain = fetch(watched.port, '/metrics')[2]
    status, kind, text = fetch(watched.port, '/metrics', Accept=OPENMETRICS)
    assert (status, kind) == (200, 'application/openmetrics-text; version=1.0.0; charset=utf-8'), kind
    families, others = parse(plain), parse(text, openmetrics=True)
    assert {name.removesuffix('_total') for name in families} == set(others)
    for family in families.values():
        assert re.fullmatch(r'(reroute|process)_[a-z0-9_]+', family.name), family.name
    for word in ('.test', '@', '127.', HOSTNAME):
        assert word not in plain, word
    status, _, body = fetch(watched.port, '/metrics', method='HEAD')
    assert (status, body) == (200, '')


def check_files(watched):
    """The dashboard and the rules for alerts ask for nothing that is not exported."""
    exported = set(parse(fetch(watched.port, '/metrics')[2]))
    with open(os.path.join(ROOT, 'data', 'grafana', 'reroute.json'), encoding='utf-8') as stream:
        dashboard = json.load(stream)
    expressions = [target['expr'] for panel in dashboard['panels'] for target in panel.get('targets', ())]
    with open(ALERTS, encoding='utf-8') as stream:
        alerts = re.findall(r'^ *expr: (.*)$', stream.read(), re.MULTILINE)
    assert len(expressions) > 10 and len(alerts) > 4
    named = {name for text in expressions + alerts for name in re.findall(r'\b(?:reroute|process)_\w+', text)}
    assert named and named <= exported, named - exported
    ids = [panel['id'] for panel in dashboard['panels']]
    assert len(ids) == len(set(ids))


def check_addresses(watched):
    for bad in ('0.0.0.0:9625', '[::]:9625', '192.0.2.1:9625', 'localhost:9625'):
        said = watched.service.ctl('settings', 'set', 'metrics-listen', bad, status=1)
        assert 'loopback' in said or 'is no address' in said, said
    assert watched.service.ctl_json('status')['relay']['metrics'] == [f'127.0.0.1:{watched.port}']


def end_input(guest):
    with contextlib.suppress(OSError):  # it was refused already
        guest.shutdown(socket.SHUT_WR)


def was_closed(guest):
    guest.setblocking(False)
    try:
        return guest.recv(1) == b''
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def talk_raw(port, octets, is_all=False):
    """What comes back until the end.  @is_all: the server sees that nothing more comes."""
    answer = b''
    with socket.create_connection(('127.0.0.1', port), 20) as guest:
        with contextlib.suppress(ConnectionError):
            guest.sendall(octets)
            if is_all:
                end_input(guest)
            while True:
                part = guest.recv(65536)
                if not part:
                    break
                answer += part
    return answer


def check_hostile(watched):
    port = watched.port
    for host, status in (('evil.test', 403), ('127.0.0.1.evil.test', 403), ('192.0.2.1:80', 403), ('', 403),
                         ('localhost', 200), ('LocalHost:1', 200), ('127.0.0.2:9', 200), ('[::1]:9', 200)):
        assert fetch(port, '/metrics', Host=host)[0] == status, host
    for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH', 'BREW'):
        answer = talk_raw(port, f'{method} /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n'.encode())
        assert re.match(rb'HTTP/1.1 (405|400|501) ', answer), (method, answer)
    for path in ('/', '/metrics/..%2f..%2fetc/passwd', '/metricsx', '/../etc/passwd'):
        assert fetch(port, path)[0] in (400, 403, 404), path
    assert fetch(port, '/metrics/')[0] == 404
    long_header = b'GET /metrics HTTP/1.1\r\nHost: localhost\r\nA: ' + b'a' * 1_000_000 + b'\r\n\r\n'
    for octets in (b'\x16\x03\x01\x02\x00' + bytes(500), b'GET\r\n\r\n', b'\r\n' * 1000, long_header,
                   b'GET /metrics HTTP/9.9\r\n\r\n', b'GET /metrics HTTP/1.1\r\n\r\n'):
        answer = talk_raw(port, octets, is_all=True)
        assert b'reroute_' not in answer, (octets[:50], answer)
    with contextlib.ExitStack() as stack:
        guests = [stack.enter_context(socket.create_connection(('127.0.0.1', port), 20))
                  for _ in range(2 * MONITORS_MOST)]
        poll('those over the limit to be closed',
             lambda: sum(was_closed(guest) for guest in guests) >= MONITORS_MOST)
        assert not all(was_closed(guest) for guest in guests)
    poll('room for one', lambda: fetch(port, '/healthz')[0] == 200)


def check_live(watched):
    """The setting acts at once, with an IPv6 address too where there is one."""
    service, other = watched.service, free_port()
    service.set('metrics-listen', f'127.0.0.1:{other}')
    poll('the page elsewhere', lambda: fetch(other, '/metrics')[0] == 200)
    assert fetch(watched.port, '/metrics')[0] is None
    service.set('health-listen', f'127.0.0.1:{watched.port}')
    poll('the health page', lambda: fetch(watched.port, '/healthz')[0] == 200)
    assert fetch(watched.port, '/metrics')[0] == 404
    service.set('metrics-listen', '')
    poll('the page to go', lambda: fetch(other, '/metrics')[0] is None)
    assert service.ctl_json('status')['relay']['metrics'] == []


def test_ports_change_hands():
    """From one page to the other in one change, and from another program at a reload."""
    port, taken = free_port(), socket.socket()
    with Place('ports') as place, taken, Service(place, settings={'metrics-listen': f'127.0.0.1:{port}'}) as service:
        by_metrics = service.wait_applied()
        service.set('metrics-listen', '')
        service.set('health-listen', f'127.0.0.1:{port}')
        by_health = service.wait_applied()
        for serial, status in ((by_metrics, 200), (by_health, 404)):
            service.ctl('revert', str(serial))
            poll(f'/metrics to answer {status}', lambda wanted=status: fetch(port, '/metrics')[0] == wanted)
        other = free_port()
        taken.bind(('127.0.0.1', other))
        taken.listen()
        service.set('metrics-listen', f'127.0.0.1:{other}')
        service.wait_applied()
        assert service.ctl_json('status')['relay']['metrics'] == []
        taken.close()
        service.relay.send_signal(signal.SIGHUP)
        poll('the page', lambda: fetch(other, '/metrics')[0] == 200)
        assert fetch(port, '/healthz')[0] == 200


def test_promtool_finds_nothing():
    """Prometheus' own reader of the page and of the rules for alerts, and its advice on names."""
    promtool = os.path.join(unpack('prometheus', ('prometheus',)), 'usr', 'bin', 'promtool')
    port = free_port()
    with Place('promtool') as place, Service(place, [f'--metrics-listen=127.0.0.1:{port}']) as service:
        service.wait_applied()
        served = fetch(port, '/metrics')[2]
    for words, page in ((('check', 'metrics'), served), (('check', 'rules', '--lint-fatal', ALERTS), None)):
        said = subprocess.run([promtool, *words], input=page, capture_output=True, text=True, timeout=60, check=False)
        assert said.returncode == 0 and not said.stderr, (words, said)
    broken = subprocess.run([promtool, 'check', 'metrics'], input=served + 'reroute_x{\n', capture_output=True,
                            text=True, timeout=60, check=False)
    assert broken.returncode != 0, broken


def test_readiness():
    """Ready: not without rules, with a full disk or while it stops.  Alive: not while a worker hangs."""
    if not os.path.exists(FAULTY_RELAYD):
        raise Skip('the relay with faults is not built')
    with Place('ready') as place:
        port = free_port()
        service = Service(place, [f'--metrics-listen=127.0.0.1:{port}'], relay=FAULTY_RELAYD)
        service.relay_environment = {'REROUTE_DISK_FAULT': place.join('fault'),
                                     'REROUTE_HANG': place.join('hang')}
        rules = place.join('services', 'org.reroute.Rules.service')
        os.rename(rules, rules + '.away')
        service.bus.start()
        service.spawn_relay()
        poll('a page', lambda: fetch(port, '/healthz')[0] == 200)
        status, said = poll('no rules', lambda: after_queue(readiness(port)))
        assert (status, said['rules'], said['reason']) == (503, False, 'no rules are held yet'), said

        os.rename(rules + '.away', rules)
        service.bus.call('ReloadConfig')
        service.ctl('status')
        status, said = poll('to be ready', lambda: readiness(port)[0] == 200 and readiness(port))
        assert said == {'ready': True, 'rules': True, 'listening': True, 'queue': True, 'spool': True,
                        'stopping': False}, said
        service.add_connection('full.test', f'--host=127.0.0.1:{free_port()}')
        service.wait_applied()
        check_full(service, place, port)
        check_hanging(service, place, port)
        check_stopping(service, port)
        service.end_rules()
        service.bus.stop()


def after_queue(answer):
    return answer if answer[1].get('queue') else None


def check_full(service, place, port):
    place.write('full', 'fault')
    assert send(service, 'a@source.test', ['u@full.test'])[1].startswith('452')
    status, said = readiness(port)
    assert (status, said['spool'], said['rules']) == (503, False, True), said
    assert 'disk' in said['reason'], said
    assert fetch(port, '/healthz')[0] == 200
    os.unlink(place.join('fault'))
    poll('mail to be taken again', lambda: send(service, 'a@source.test', ['u@full.test'])[1].startswith('250'))
    assert readiness(port)[0] == 200


def check_hanging(service, place, port):
    place.write('', 'hang')
    with socket.create_connection((service.host, service.port)):
        poll('it to be told', lambda: fetch(port, '/healthz')[0] == 503)
        said = json.loads(fetch(port, '/healthz')[2])
        assert said == {'alive': False, 'reason': 'worker 0 does not move'}, said
        os.unlink(place.join('hang'))
    poll('it to go on', lambda: fetch(port, '/healthz')[::2] == (200, '{"alive": true}\n'))


def check_stopping(service, port):
    with Client(service.host, service.port) as client:
        for command in ('MAIL FROM:<a@source.test>', 'RCPT TO:<u@full.test>', 'DATA'):
            assert client.command(command)[0] in '23'
        service.relay.send_signal(signal.SIGTERM)
        status, said = poll('it to stop', lambda: readiness(port)[1].get('stopping') and readiness(port))
        assert (status, said['reason']) == (503, 'the relay is stopping'), said
        assert client.content(CONTENT).startswith('250')
    assert service.relay.wait(60) == 0
    service.relay = None


def test_option_is_judged():
    with Place('option') as place:
        for bad in ('0.0.0.0:9625', '[2001:db8::1]:1', 'x'):
            process = place.start('relayd', [RELAYD, f'--metrics-listen={bad}', '--check'])
            assert process.wait(60) == 2, bad


if __name__ == '__main__':
    run(test_figures_add_up,
        test_ports_change_hands,
        test_promtool_finds_nothing,
        test_readiness,
        test_option_is_judged)
