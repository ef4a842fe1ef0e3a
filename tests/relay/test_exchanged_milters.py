#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail filters that are set, exchanged and taken away while a session is open."""

import contextlib
import threading

from milter import REJECT, TEMPFAIL, Milter
from place import poll
from support import Client
from tap import run
from test_milters import CONTENT, SENDER, TRANSACTION, World, at

BDAT = (*TRANSACTION[:2], f'BDAT {len(CONTENT)} LAST\r\n{CONTENT.decode()}{TRANSACTION[0]}')
# Where the filter that goes is asked, and what the client sends in one piece: a MAIL is its end.
BEHIND = (('RCPT', (*TRANSACTION[:2], 'RSET', TRANSACTION[0])), ('END', BDAT))


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_from_the_next_mail_on():
            with Client(service.host, service.port) as client, \
                    Milter(at('MAIL', REJECT), path=world.path()) as first, \
                    Milter(at('CONNECT', TEMPFAIL), path=world.path(1)) as second:
                def mail():
                    return client.send(SENDER, ['u@in.test'], CONTENT)[1][:9]

                assert mail() == '250 2.0.0'
                for command in TRANSACTION[:2]:
                    assert client.command(command).startswith('250')
                world.use(first.address)
                assert client.command('DATA').startswith('354') and client.content(CONTENT).startswith('250')
                assert not first.stages, first.stages
                assert mail() == '550 5.7.1', 'past a filter'
                assert first.stages[:5] == ['NEGOTIATE', 'MACRO', 'CONNECT', 'MACRO', 'HELO'], first.stages
                world.use(second.address)
                assert mail() == '451 4.7.1', 'past the other filter'
                assert first.stages.count('MAIL') == 1, first.stages
                poll('the first to be left', lambda: first.stages[-1] == 'QUIT')
                # What else is set leaves them alone.
                service.set('max-recipients', '50')
                service.wait_applied()
                assert mail() == '451 4.7.1' and second.stages.count('CONNECT') == 1, second.stages
                world.use()
                assert mail() == '250 2.0.0'
            service.wait_empty()

        def test_behind_a_question():
            """The next MAIL waits for the answer of the filter that is exchanged."""
            for stage, commands in BEHIND:
                gate = threading.Event()
                with Milter(at(stage, gate), path=world.path()) as first, \
                        Milter(at('MAIL', REJECT), path=world.path(1)) as second:
                    world.use(first.address)
                    with Client(service.host, service.port) as client:
                        client.socket.sendall('\r\n'.join((*commands, '')).encode())
                        poll('the first to be asked', lambda: stage in first.stages)
                        world.use(second.address)
                        gate.set()
                        replies = [client.reply()[:3] for _ in range(4)]
                    assert replies == ['250', '250', '250', '550'], (stage, replies)
            service.wait_empty()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
