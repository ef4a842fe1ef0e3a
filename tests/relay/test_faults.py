#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to mail when something beside the relay goes wrong."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import threading

from memory import is_sanitized
from milter import Milter
from place import Place, answers, free_port, is_alive, poll
from sink import Sink
from support import RELAYD, Client, Service, daemon_environment, send
from tap import Skip, run

STRANGER, FRIEND = '127.0.0.1', '127.0.0.2'


def rcpt(service, recipient, **options):
    """The reply to one RCPT TO."""
    with Client(service.host, service.port, **options) as client:
        client.command('MAIL FROM:<a@source.test>')
        reply = client.command(f'RCPT TO:<{recipient}>')
        client.command('QUIT')
        return reply


def expect(reply, start):
    assert reply.startswith(start), f'{reply!r}, wanted {start!r}'


def test_without_rules_the_answer_is_451():
    with Place('norules') as place:
        service = Service(place)
        activation = place.join('services', 'org.reroute.Rules.service')
        os.rename(activation, activation + '.away')
        service.bus.start()
        service.spawn_relay()
        poll('the relay to answer', lambda: service.relay.poll() is None and answered(service))
        expect(rcpt(service, 'user@test.com'), '451 4.3.0')
        os.rename(activation + '.away', activation)
        service.bus.call('ReloadConfig')
        service.set('inbound-host', '127.0.0.1:9')
        service.add_routing('test.com', '--inbound')
        poll('the relay to fetch the rules', lambda: rcpt(service, 'user@test.com').startswith('250'))
        service.close()


def answered(service):
    try:
        with Client(service.host, service.port) as client:
            return client.banner.startswith('220')
    except OSError:
        return False


def test_rulesd_killed_and_restarted():
    with Place('rulesd') as place, Sink() as sink, Service(place) as service:
        service.add_connection('one.test', f'--host={sink.endpoint}')
        service.wait_applied()
        for how in (signal.SIGKILL, signal.SIGTERM):
            service.end_rules(how)
            expect(send(service, 'a@source.test', ['u@one.test'])[1], '250')
        # The next call starts it again; the relay hears of the change without a restart.
        service.add_connection('two.test', f'--host={sink.endpoint}')
        poll('the relay to catch up', lambda: rcpt(service, 'u@two.test').startswith('250'))
        poll('two messages', lambda: len(sink.messages) == 2)


def test_database_lost():
    """As README.md says: the relay keeps the rules that it holds until some are saved again."""
    with Place('lost') as place, Sink() as sink, Service(place, settings={'alarm-rules': '1s'}) as service:
        copy = place.join('copy')
        service.add_connection('one.test', f'--host={sink.endpoint}')
        held = service.wait_applied()
        service.ctl('backup', copy)
        service.end_rules(signal.SIGKILL)
        os.rename(service.database, service.database + '.away')
        service.ctl('settings', 'get', 'hostname')
        poll('the relay to hear of it', lambda: any('is new and empty' in line for _, lines in place.logs() for line in lines))
        assert f'Rules 0 saved, relay uses {held}.' in service.ctl('status')
        expect(send(service, 'a@source.test', ['u@one.test'])[1], '250')
        poll('the alarm', lambda: 'The newest rules have been saved for longer than 1s' in service.ctl('status'))
        service.ctl('restore', '--yes', copy)
        service.add_connection('two.test', f'--host={sink.endpoint}')
        service.wait_applied()
        expect(send(service, 'a@source.test', ['u@one.test', 'u@two.test'])[1], '250')
        poll('the messages', lambda: sorted(sink.recipients()) == ['u@one.test', 'u@one.test', 'u@two.test'])


def change_at_rest(path, statement, *values):
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(statement, values)
        database.commit()


def test_another_copy_of_the_database():
    """Another copy is put in its place, with other rules of the same serial: the relay has them."""
    with Place('another') as place, Service(place) as service:
        service.add_routing('one.test', '--reroute-to=first.test')
        held = service.wait_applied()
        poll('first.test', lambda: 'first.test' in service.ctl('explain', 'u@one.test'))
        service.end_rules()
        change_at_rest(service.database, "UPDATE routing SET target = 'second.test'")
        assert 'second.test' in service.ctl('routing', 'list')
        poll('second.test', lambda: 'second.test' in service.ctl('explain', 'u@one.test'))
        assert service.wait_applied() == held
        service.ctl('routing', 'edit', 'one.test', '--comment=edited')
        service.wait_applied()
        assert 'second.test' in service.ctl('explain', 'u@one.test')


def test_history_that_its_rows_contradict():
    """On a new server the relay takes the rows of the backup that is restored, not what its history leads to."""
    with Place('forged') as place, Service(place) as service:
        service.add_routing('one.test', '--reroute-to=bad.test')
        service.ctl('routing', 'edit', 'one.test', '--reroute-to=good.test')
        service.wait_applied()
        service.end_rules()
        copy = place.join('copy')
        shutil.copy(service.database, copy)
        change_at_rest(copy, "UPDATE change SET after = (SELECT after FROM change WHERE page = 'routing' ORDER BY serial) "
                       "WHERE page = 'routing'")
        service.stop_relay()
        os.rename(service.database, service.database + '.away')
        service.ctl('history')
        service.start_relay()
        service.ctl('restore', '--yes', copy)
        service.wait_applied()
        assert 'good.test' in service.ctl('routing', 'list')
        assert 'good.test' in service.ctl('explain', 'u@one.test')


def test_bus_restarted():
    with Place('bus') as place, Sink() as sink, Service(place) as service:
        service.add_connection('one.test', f'--host={sink.endpoint}')
        service.wait_applied()
        rules = service.rules_pid()
        service.bus.stop()
        expect(send(service, 'a@source.test', ['u@one.test'])[1], '250')
        poll('the message', lambda: len(sink.messages) == 1)
        os.kill(rules, signal.SIGTERM)
        poll('rulesd to end', lambda: not is_alive(rules))
        expect(rcpt(service, 'u@one.test'), '250')
        service.bus.start()
        service.add_connection('two.test', f'--host={sink.endpoint}')
        poll('the relay to catch up', lambda: rcpt(service, 'u@two.test').startswith('250'))
        expect(rcpt(service, 'u@one.test'), '250')


def test_mail_waits_when_its_entry_is_removed():
    with Place('removed') as place, Sink() as default, Sink() as late, Service(place) as service:
        service.set('retry-intervals', '1s')
        service.set('default-delivery', default.endpoint)
        service.add_connection('gone.test', f'--host=127.0.0.1:{free_port()}')
        service.wait_applied()
        expect(send(service, 'a@source.test', ['u@gone.test'])[1], '250')
        service.ctl('connections', 'remove', 'gone.test')
        service.wait_applied()

        def waits():
            service.ctl('queue', 'retry', '--all')
            return 'entry' in str(service.queued()) and 'removed' in str(service.queued())
        poll('the queue to say that the entry was removed', waits, step_s=0.2)
        expect(rcpt(service, 'u@gone.test'), '550 5.7.1')
        assert not default.messages and not late.messages
        service.add_connection('gone.test', f'--host={late.endpoint}')
        poll('the message', lambda: late.recipients() == ['u@gone.test'])
        assert not default.messages, 'delivered by default'
        service.wait_empty()


def test_waiting_mail_says_what_became_of_its_entry():
    with Place('entry') as place, Sink() as sink, Service(place) as service:
        service.set('retry-intervals', '1s')
        service.add_connection('far.test', f'--host=127.0.0.1:{free_port()}')
        service.add_routing('old.test', '--reroute-to=far.test')
        service.wait_applied()
        expect(send(service, 'a@source.test', ['u@old.test'])[1], '250')

        def check(reason, undo, *change):
            service.ctl(*change)
            service.wait_applied()

            def waits():
                service.ctl('queue', 'retry', '--all')
                return reason in str(service.queued())
            poll(f'the queue to say: {reason}', waits, step_s=0.2)
            service.ctl(*undo)
            service.wait_applied()
        check('incoming mail is not rerouted, so its entry does not act',
              ('settings', 'set', 'reroute', 'yes'), 'settings', 'set', 'reroute', 'no')
        check('its entry is off', ('routing', 'edit', 'old.test', '--on'), 'routing', 'edit', 'old.test', '--off')
        service.ctl('connections', 'edit', 'far.test', f'--host={sink.endpoint}')
        poll('the message', lambda: sink.recipients() == ['u@far.test'])


def fill_the_disk(milters=()):
    """@milters: functions of a path, each makes a filter."""
    with Place('disk') as place, contextlib.ExitStack() as stack:
        service = Service(place)
        port = free_port()
        small = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=200m,mode=755 none "$0" && exec "$@"']
        probe = subprocess.run([*small, service.spool, 'true'], capture_output=True, check=False)
        if probe.returncode != 0:
            raise Skip('a small file system cannot be mounted here')
        command = service.relay_command()
        service.relay_command = lambda: [*small, service.spool, *command]
        service.start()
        service.set('retry-intervals', '1s')
        service.add_connection('disk.test', f'--host=127.0.0.1:{port}')
        filters = [stack.enter_context(make(place.join('milter'))) for make in milters]
        service.set('milters', ', '.join(milter.address for milter in filters))
        service.wait_applied()
        body = b'Subject: big\r\n\r\n' + (b'x' * 998 + b'\r\n') * 2000
        acknowledged = []
        with Client(service.host, service.port) as client:
            for number in range(400):
                _, reply = client.send('a@source.test', [f'u{number}@disk.test'], body)
                if not reply.startswith('250'):
                    break
                acknowledged.append(f'u{number}@disk.test')
        expect(reply, '452 4.3.1')
        assert len(acknowledged) > 10, len(acknowledged)
        assert all('END' in milter.stages for milter in filters)
        expect(send(service, 'a@source.test', ['later@disk.test'], body)[1], '452 4.3.1')
        with Sink(port=port) as sink:
            poll('all that was acknowledged', lambda: len(sink.messages) >= len(acknowledged), 120, 0.1)
            assert sorted(sink.recipients()) == sorted(acknowledged)
            assert all(message.content.endswith(body) for message in sink.messages)
            service.wait_empty()
            poll('the relay to take mail again',
                 lambda: send(service, 'a@source.test', ['later@disk.test'], body)[1].startswith('250'))
            poll('the later message', lambda: 'later@disk.test' in sink.recipients())
        service.close()


def test_full_disk_answers_452_and_loses_nothing():
    fill_the_disk()


def test_full_disk_behind_a_filter():
    """What is kept for the filter is kept on the same disk."""
    fill_the_disk([lambda path: Milter(path=path)])


def test_a_row_for_permitted_hosts_does_not_serve_strangers():
    with Place('admission') as place, Sink() as sink, Service(place) as service:
        service.set('permitted-hosts', FRIEND)
        service.add_connection('gmail.com', f'--host={sink.endpoint}', accept='permitted')
        service.wait_applied()
        expect(rcpt(service, 'user@gmail.com', source=STRANGER), '550 5.7.1')
        expect(rcpt(service, 'user@unknown.example', source=STRANGER), '550 5.7.1')
        rcpts, reply = send(service, 'a@source.test', ['user@gmail.com'], source=FRIEND)
        expect(rcpts[0], '250')
        expect(reply, '250')
        poll('the message', lambda: sink.recipients() == ['user@gmail.com'])


def ends_with(service, place, *words, **options):
    """Starts another relay that must end by itself, with one line that holds @words."""
    command = service.relay_command()
    for option, value in options.items():
        command = [part for part in command if not part.startswith(f'--{option}=')]
        command.append(f'--{option}={value}')
    result = subprocess.run(command, cwd=place.path, env=daemon_environment(), timeout=60,
                            capture_output=True, text=True, check=False)
    said = result.stderr + result.stdout
    assert result.returncode == 1, (result.returncode, said)
    for word in words:
        assert word in said, (word, said)


def test_port_in_use():
    with Place('port') as place, Service(place) as service:
        ends_with(service, place, str(service.port), spool=place.folder('other-spool'))


def test_spool_missing_not_writable_or_taken():
    with Place('spool') as place, Service(place) as service:
        missing = place.join('missing')
        port = f'127.0.0.1:{free_port()}'
        ends_with(service, place, missing, spool=missing, listen=port)
        # Not writable for root either.
        ends_with(service, place, '/proc', spool='/proc', listen=port)
        file = place.write('not a directory\n', 'file')
        ends_with(service, place, file, spool=file, listen=port)
        ends_with(service, place, service.spool, listen=port)


def test_sigterm_with_mail_in_hand():
    hold = threading.Event()
    with Place('sigterm') as place:
        with Sink(reply=lambda verb, _: hold if verb == 'DOT' else None) as sink:
            service = Service(place).start()
            service.set('retry-intervals', '1s')
            service.add_connection('hand.test', f'--host={sink.endpoint}')
            service.wait_applied()
            expect(send(service, 'a@source.test', ['in-flight@hand.test'])[1], '250')
            poll('the final dot at the next hop', lambda: sink.messages)
            with Client(service.host, service.port) as client:
                client.command('MAIL FROM:<a@source.test>')
                client.command('RCPT TO:<half@hand.test>')
                client.command('DATA')
                client.socket.sendall(b'Subject: half\r\n')
                service.relay.send_signal(signal.SIGTERM)
                poll('the port to close', lambda: not answers(service.host, service.port))
                hold.set()
                try:
                    reply = client.content(b'the rest\r\n')
                except OSError:
                    reply = 'none'
            assert service.relay.wait(60) == 0
            wanted = {'in-flight@hand.test'} | ({'half@hand.test'} if reply.startswith('250') else set())
            service.start_relay()
            service.wait_empty()
            assert set(sink.recipients()) == wanted, (reply, sink.recipients())
            assert len(sink.messages) == len(wanted), sink.recipients()
            service.close()


def test_restart_picks_the_queue_up():
    with Place('restart') as place:
        port = free_port()
        service = Service(place).start()
        service.set('retry-intervals', '1s')
        service.add_connection('queue.test', f'--host=127.0.0.1:{port}')
        service.wait_applied()
        body = b'Subject: kept\r\n\r\n' + (b'y' * 70 + b'\r\n') * 10000
        for number in range(20):
            expect(send(service, 'a@source.test', [f'{number}@queue.test', f'b{number}@queue.test'],
                        body)[1], '250')
        service.stop_relay()
        service.start_relay()
        assert len(service.queued()) == 20
        with Sink(port=port) as sink:
            service.wait_empty()
            wanted = [f'{prefix}{number}@queue.test' for number in range(20) for prefix in ('', 'b')]
            assert sorted(sink.recipients()) == sorted(wanted)
            assert all(message.content.endswith(body) for message in sink.messages)
        service.close()


def test_sandbox():
    """Every thread of a relay that works has given up what it never needs."""
    with Place('sandbox') as place, Service(place) as service:
        if is_sanitized(RELAYD):
            raise Skip('a sanitizer looks into its own process')
        folder = f'/proc/{service.relay.pid}/task'
        seen = []
        for thread in os.listdir(folder):
            # One that has just ended is not there any more.
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                    open(f'{folder}/{thread}/status', encoding='ascii', errors='replace') as stream:
                seen.append(dict(line.rstrip('\n').split(':\t', 1) for line in stream if ':\t' in line))
        assert len(seen) > 4, seen
        for status in seen:
            assert (status['NoNewPrivs'], status['Seccomp']) == ('1', '2'), (status['Name'], status)
        service.close()


if __name__ == '__main__':
    os.environ['PATH'] += ':/usr/sbin:/sbin'
    assert shutil.which('dbus-daemon')
    run(*[function for name, function in list(globals().items()) if name.startswith('test_')])
