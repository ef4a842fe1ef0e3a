#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail filters that are slow to let anybody in."""

import contextlib
import threading

from milter import Milter
from place import crowded, poll
from tap import run
from test_milters import World, talk_on


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

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
