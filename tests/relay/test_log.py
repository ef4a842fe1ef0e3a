#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""reroutectl log: the last lines by category and text, how much is said, and what comes while it is followed."""

import contextlib
import signal
import subprocess

from place import Place, poll
from sink import Sink
from support import CTL, Client, Service, daemon_environment, send
from tap import Tap


def lines(service, *arguments):
    return service.ctl_json('log', *arguments)


def refuse(service):
    """A stranger's recipient that nobody has an entry for."""
    with Client(service.host, service.port) as client:
        client.command('MAIL FROM:<a@b.test>')
        assert client.command('RCPT TO:<nobody@elsewhere.test>').startswith('550')


def test_a_delivery_is_found_by_category_and_text(service):
    send(service, 'a@b.test', ['found@here.test'])
    poll('its line', lambda: lines(service, '--category=delivery', 'TO=<FOUND@'))
    line, = lines(service, '--category=delivery', 'TO=<FOUND@')
    assert line['category'] == 'delivery' and line['severity'] == 'message' and line['time_us'] > 0
    assert 'status=sent' in line['text'], line
    assert not lines(service, '--category=spool,tls', 'to=<found@')
    assert 'to=<found@here.test>' in service.ctl('log', '--category=DELIVERY')


def test_refusals_at_level_medium(service):
    """Nothing is said at minimum; the level acts without a restart; warnings alone at none."""
    refuse(service)
    service.set('log-levels', 'session=medium')
    service.wait_applied()
    assert not lines(service, 'nobody@elsewhere.test')
    refuse(service)
    line, = poll('the refusal', lambda: lines(service, '--category=session', 'nobody@elsewhere.test'))
    assert line['severity'] == 'info' and '550' in line['text'], line
    service.set('log-levels', 'delivery=none, session=none')
    service.wait_applied()
    send(service, 'a@b.test', ['silent@here.test'])
    service.wait_empty()
    assert not lines(service, 'silent@here.test')
    service.set('log-levels', '')
    service.wait_applied()


def send_chunk(service, content):
    """The reply to one message for one recipient that comes by BDAT."""
    with Client(service.host, service.port) as client:
        assert client.command('MAIL FROM:<a@b.test>').startswith('250')
        assert client.command('RCPT TO:<one@here.test>').startswith('250')
        client.socket.sendall(b'BDAT %d LAST\r\n' % len(content) + content)
        return client.reply()


def test_refused_contents_at_level_medium(service):
    service.set('max-message-size', '1 MiB')
    service.set('log-levels', 'session=medium')
    service.wait_applied()
    line = b'x' * 998 + b'\r\n'
    for refusal, content in (('554 5.4.6', b'Received: x\r\n' * 51 + b'\r\n'),
                             ('554 5.6.0', b'\r\n' + line[:-2] * 100 + b'\r\n'),
                             ('552 5.3.4', b'Subject: x\r\n' + b'X: y\r\n' * 50000 + b'\r\n'),
                             ('552 5.3.4', b'\r\n' + line * 1100),
                             ('554 5.5.2', b'\r\na\nb\r\n')):
        known = len(lines(service, 'status=refused'))
        assert send_chunk(service, content).startswith(refusal), refusal
        line_now = poll('its line', lambda: lines(service, 'status=refused')[known:])[0]
        assert line_now['severity'] == 'info', line_now
        assert f'from=<a@b.test> to=<one@here.test> rcpts=1 status=refused ({refusal}' in line_now['text'], line_now
    known = len(lines(service, 'status=refused'))
    replies = send(service, 'a@b.test', [f'u{number}@here.test' for number in range(5)], b'Received: x\r\n' * 51 + b'\r\n')
    assert '554 5.4.6' in str(replies), replies
    line_now = poll('its line', lambda: lines(service, 'status=refused')[known:])[0]
    assert 'to=<u0@here.test>,<u1@here.test>,<u2@here.test> rcpts=5 ' in line_now['text'], line_now
    service.set('log-levels', '')
    service.wait_applied()


def test_a_loop_is_a_warning_that_names_its_entry(service):
    """Whatever the log level; and so does the reply."""
    service.set('log-levels', 'session=none')
    service.wait_applied()
    send(service, 'a@b.test', ['looping@here.test'])
    trace = poll('the message', lambda: [m for m in service.sink.messages if 'looping@here.test' in m.recipients])[0]
    content = trace.content.split(b'Subject')[0] * 4 + b'Subject: x\r\n\r\n'
    for reply in (send(service, 'a@b.test', ['looping@here.test'], content), send_chunk(service, content)):
        assert '554 5.4.6' in str(reply) and 'entry for here.test' in str(reply), reply
    found = poll('both lines', lambda: (lambda now: now if len(now) == 2 else None)(lines(service, '5.4.6 Mail loop')))
    assert all(line['severity'] == 'warning' and '“routing here.test”' in line['text'] for line in found), found
    service.set('log-levels', '')
    service.wait_applied()


def test_what_is_wrong_is_told(service):
    assert '“dns” is no category of the log' in service.ctl('log', '--category=dns', status=1)
    assert '“session=loud” is no logging level' in service.ctl('settings', 'set', 'log-levels', 'session=loud', status=1)
    assert '--json and --follow' in service.ctl('--json', 'log', '--follow', status=2)


@contextlib.contextmanager
def follow(service, *arguments):
    with subprocess.Popen([CTL, f'--bus={service.bus.address}', 'log', '--follow', *arguments], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=daemon_environment()) as following:
        try:
            yield following
        finally:
            following.kill()


def test_follow_onto_a_full_disk(service):
    with open('/dev/full', 'wb') as full:
        result = subprocess.run([CTL, f'--bus={service.bus.address}', 'log', '--follow'], text=True, timeout=60,
                                stdout=full, stderr=subprocess.PIPE, env=daemon_environment(), check=False)
    assert result.returncode == 1 and 'No space left on device' in result.stderr, result


def test_follow(service):
    """What comes is shown by itself, and so are the first lines of a relay that has started again."""
    with follow(service, 'to=<new') as following:
        for number in range(2):
            send(service, 'a@b.test', [f'new{number}@here.test'])
            assert f'to=<new{number}@here.test>' in following.stdout.readline()
        service.kill_relay()
        said = following.stderr.readline()
        assert 'reroute-relayd' in said, said
        service.start_relay()
        send(service, 'a@b.test', ['newer@here.test'])
        assert 'to=<newer@here.test>' in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(60) == -signal.SIGINT


def test_nobody_reads_on(service):
    """As behind “| head”: it ends at the next line."""
    with follow(service, 'to=<unread') as following:
        send(service, 'a@b.test', ['unread@here.test'])
        assert 'to=<unread@here.test>' in following.stdout.readline()
        following.stdout.close()
        send(service, 'a@b.test', ['unread@here.test'])
        assert following.wait(60) == 0
        following.stdout = None


def test_a_restart_that_is_not_seen(service):
    """Between two questions, and with more lines than before, or fewer: each start is told once."""
    with follow(service, 'receiving on') as following:
        assert 'receiving on' in following.stdout.readline()
        for n_messages in (0, 20):
            following.send_signal(signal.SIGSTOP)
            service.stop_relay()
            service.start_relay()
            for number in range(n_messages):
                send(service, 'a@b.test', [f'more{number}@here.test'])
            following.send_signal(signal.SIGCONT)
            assert 'receiving on' in following.stdout.readline()
        service.kill_relay()
        said = following.stderr.readline()
        assert 'reroute-relayd' in said, said
        following.send_signal(signal.SIGINT)
        assert not following.stdout.read()
    with follow(service) as following:
        assert following.wait(60) == 1
        said = following.stderr.read()
        assert 'reroute-relayd' in said, said
    service.start_relay()


def main():
    with Place('log') as place, Sink() as sink, Service(place) as service:
        service.sink = sink
        service.set('default-delivery', sink.endpoint)
        service.add_routing('here.test', '--relay')
        service.wait_applied()
        tap = Tap()
        for name, case in list(globals().items()):
            if name.startswith('test_'):
                tap.case(name.removeprefix('test_').replace('_', '-'), case, service)
    tap.done()


if __name__ == '__main__':
    main()
