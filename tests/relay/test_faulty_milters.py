#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail filters that are slow to let anybody in, and that do not stop."""

import contextlib
import threading

from milter import Milter, add_header, add_rcpt, change_header, delete_rcpt, replace_body
from place import crowded, poll
from support import send
from tap import run
from test_milters import CONTENT, SENDER, World, at_end, talk_on

BODY = b'.dot\r\nbody\r\n'  # of CONTENT
SPARE_WISHES = 10000  # limits.h: changes of the envelope that one filter may ask for, and those that there may be recipients


class Flood(list):
    """An answer that is the same octets again and again, far more often than is taken; counted."""

    def __init__(self, octets, most):
        super().__init__()
        self.octets, self.most, self.n_sent = octets, most, 0

    def __iter__(self):
        while self.n_sent < self.most:
            self.n_sent += 1
            yield self.octets


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_a_full_backlog():
            """Whoever comes waits for room there, and is not let past the filter."""
            def session():
                replies.append(talk_on(service))

            def begin(n):
                sessions = [threading.Thread(target=session) for _ in range(n)]
                for thread in sessions:
                    thread.start()
                poll('the sessions', lambda: service.ctl_json('status')['relay']['sessions'] == n)
                return sessions
            replies, path = [], world.path()
            with crowded(path) as listener:
                world.use(f'unix:{path} action=accept')
                sessions = begin(3)
                with Milter(path=path, listener=listener) as milter:
                    for thread in sessions:
                        thread.join()
                assert len(milter.messages) == 3, (milter.stages, replies)
            assert [reply[:3] for reply in replies] == ['250'] * 3, replies
            service.wait_empty()
            del replies[:]
            with crowded(path) as listener:
                world.use(f'unix:{path}')
                thread, = begin(1)
                listener.close()
                thread.join()
                assert replies[0].startswith('451 4.7.1 '), replies
                poll('the log', lambda: world.log('milter=unix:.* status=failed .*Connection refused'))
            with crowded(path):
                world.use(f'unix:{path} connect=1s')
                assert talk_on(service).startswith('451 4.7.1 ')
                poll('the log', lambda: world.log('no connection within the time limit'))

        def test_no_end():
            """Too much is not kept, and the message is put off whatever the action."""
            value = 'y' * 60000
            floods = ((add_header('X-Flood', value), 'the header section: 262144'),
                      (change_header(1000, 'X-Flood', value), 'the header section: 262144'),
                      (replace_body(value.encode()), f'a new body: {2 * len(BODY) + (16 << 20)}'),
                      (add_rcpt('<v@in.test>') * 1000, f'of the envelope: {SPARE_WISHES + 1001}'))
            before = len(world.sink.messages)
            for action in ('accept', 'reject'):
                with world.filters(None, options=f'action={action}') as milter:
                    for octets, why in floods:
                        flood = Flood(octets, 1000)
                        milter.answer = lambda stage, told, flood=flood: flood if stage == 'END' else None
                        reply = talk_on(service)
                        assert reply.startswith('451 4.7.1 '), (why, reply)
                        poll('a line about it', lambda why=why: world.log(rf'status=failed \(too many .* {why} at most\)'))
                        poll('the connection to end', lambda: not milter.n_open)
                        assert flood.n_sent < flood.most, (why, flood.n_sent)
            assert service.queued() == [] and len(world.sink.messages) == before, 'a flood went out'

        def test_as_much_as_there_may_be():
            """For each recipient of a full message something else, and what nobody has."""
            service.set('max-recipients', '40')
            service.wait_applied()
            old, new = ([f'{name}{n}@in.test' for n in range(40)] for name in ('old', 'new'))
            changes = [delete_rcpt(f'<{name}>') for name in old] + [add_rcpt(f'<{name}>') for name in new]
            with world.filters(None) as milter:
                for n_more, code in ((SPARE_WISHES, '250'), (SPARE_WISHES + 1, '451')):
                    milter.answer = at_end(b''.join(changes + [delete_rcpt('<w@in.test>')] * n_more), None)
                    before = len(world.sink.messages)
                    assert send(service, SENDER, old, CONTENT)[1].startswith(code), n_more
                    service.wait_empty()
                    taken = [name for message in world.sink.messages[before:] for name in message.recipients]
                    assert sorted(taken) == (sorted(new) if code == '250' else []), (n_more, taken)
            service.ctl('settings', 'set', 'max-recipients')
            service.wait_applied()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
