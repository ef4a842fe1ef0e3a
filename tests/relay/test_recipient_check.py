#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients that the next hop, or a list, is asked for before their mail is taken."""

import concurrent.futures
import contextlib
import threading

from place import STRIDE, Place, poll
from sink import Sink
from support import Client, Service
from tap import run
from watch import count_files

REFUSAL = '550 5.1.1 There is no such recipient'

# common/limits.h, and more next hops than that, each at an address of its own.
CONNECTIONS_MOST = 64
N_CROWD = 80
COLUMNS = 'page,domain,match,action,target,accept_from,enabled,comment,recipient_check'

# What the host says of a local part; anybody else is known to it.
SAID = {
    'nobody': '550 5.1.1 unknown at inner.test',
    'plain': '550 no such user at inner.test',
    'closed': '550 5.2.1 mailbox closed',
    'later': '450 4.2.0 greylisted',
    'full': '552 5.2.2 mailbox full',
    'policy': '550 5.7.1 not from you',
}


class Host(Sink):
    """Knows whom SAID does not name; counts who asks."""

    def __init__(self, **options):
        self.asked = []
        self.answers = {}
        self.n_held = 0  # conversations that came to an answer that is held back
        super().__init__(reply=self.say_to, name='inner.test', **options)

    def say_to(self, verb, argument):
        if verb == 'RCPT':
            self.asked.append(argument)
            return SAID.get(argument.split('@')[0])
        answer = self.answers.get(verb)
        self.n_held += answer is not None
        return answer

    @contextlib.contextmanager
    def holds(self):
        """Nobody gets to a recipient until the event is set, or the block ends."""
        release, self.n_held = threading.Event(), 0
        self.answers.update(RSET=release, MAIL=release)
        try:
            yield release
        finally:
            release.set()
            self.answers.clear()

    def count(self, recipient):
        return self.asked.count(recipient)


class World:
    """A host for every kind of trouble; mail for NAME.test goes to it and is checked."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('recipient-check'))
        self.service = stack.enter_context(Service(self.place))
        self.hosts = {}

    def add(self, label, **options):
        host = self.hosts[label] = self.stack.enter_context(Host(**options))
        self.service.add_connection(f'{label}.test', f'--host={host.endpoint}', '--recipient-check=call-ahead')
        return host

    def ask(self, *recipients, client=None):
        """What RCPT is answered with; one answer as it is."""
        with contextlib.ExitStack() as stack:
            client = client or stack.enter_context(Client(self.service.host, self.service.port))
            assert client.command('MAIL FROM:<a@source.test>').startswith('250')
            said = [client.command(f'RCPT TO:<{recipient}>') for recipient in recipients]
            client.command('RSET')
            return said if len(said) > 1 else said[0]

    def takes(self, *recipients):
        for recipient in recipients:
            said = self.ask(recipient)
            assert said.startswith('250 2.1.5'), (recipient, said)

    def refuses(self, *recipients):
        for recipient in recipients:
            assert self.ask(recipient) == REFUSAL, recipient


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        host = world.add('good')
        world.add('lock-step', extensions=())
        world.add('null')
        world.add('drops')
        world.add('slow')
        world.add('dead').answers['MAIL'] = 'stall'
        world.service.add_connection('unchecked.test', f'--host={host.endpoint}')
        world.service.add_routing('moved.test', '--reroute-to=good.test', '--recipient-check=call-ahead')
        crowd = stack.enter_context(Host(host='0.0.0.0'))
        rows = [f'connections,crowd{n}.test,exact,host,127.0.1.{n}:{crowd.port},anyone,yes,,call-ahead' for n in range(N_CROWD)]
        world.service.set('max-connections-per-client', str(2 * N_CROWD))
        world.service.ctl('import', '-', text='\n'.join([COLUMNS, *rows]) + '\n')
        world.service.wait_applied()

        def test_known_and_unknown():
            world.takes('user@good.test')
            world.refuses('nobody@good.test', 'plain@good.test', 'closed@good.test')
            conversation = host.conversations[0]
            assert 'C: MAIL FROM:<>' in conversation, conversation
            assert not [line for line in conversation if 'DATA' in line or 'BDAT' in line], conversation
            assert not host.messages

        def test_one_connection_for_many_questions():
            assert len(host.conversations) == 1, host.conversations
            assert 'C: RSET' in host.conversations[0]

        def test_an_answer_is_kept():
            world.takes('user@good.test', 'USER@good.test')
            world.refuses('nobody@good.test')
            assert host.count('user@good.test') == 1 and host.count('nobody@good.test') == 1
            # Local parts are not ours to compare.
            assert host.count('USER@good.test') == 1

        def test_only_a_refusal_of_the_recipient_counts():
            world.takes('later@good.test', 'full@good.test', 'policy@good.test')
            world.takes('later@good.test')
            assert host.count('later@good.test') == 2

        def test_the_null_sender_may_be_refused():
            world.hosts['null'].answers['MAIL'] = '550 5.1.8 no null senders'
            world.takes('nobody@null.test')
            assert any('C: MAIL FROM:<>' in lines for lines in world.hosts['null'].conversations)

        def test_without_pipelining():
            world.takes('user@lock-step.test')
            world.refuses('nobody@lock-step.test')

        def test_pipelined():
            with Client(world.service.host, world.service.port) as client:
                client.socket.sendall(b'MAIL FROM:<a@source.test>\r\nRCPT TO:<one@good.test>\r\n'
                                      b'RCPT TO:<nobody@lock-step.test>\r\nRCPT TO:<two@good.test>\r\n'
                                      b'RCPT TO:<plain@lock-step.test>\r\nDATA\r\n')
                said = [client.reply().split()[0] for _ in range(6)]
                assert said == ['250', '250', '550', '250', '550', '354'], said
                assert client.content(b'Subject: both\r\n\r\nhello\r\n').startswith('250')
            poll('the message', lambda: host.messages)
            assert host.messages[0].recipients == ['one@good.test', 'two@good.test']

        def test_the_recipient_that_leaves_is_asked_for():
            world.takes('new@moved.test')
            world.refuses('nobody@moved.test')
            assert host.count('new@good.test') == 1

        def test_nobody_asks_otherwise():
            before = list(host.asked)
            world.takes('nobody@unchecked.test', 'postmaster@good.test')
            assert host.asked == before
            assert world.ask('u@nowhere.test').startswith('550 5.7.1')

        def test_listed_recipients_alone_are_taken():
            """What changes on the list acts with the next RCPT TO of an open session."""
            service = world.service

            def findings():
                return [finding['code'] for finding in service.ctl_json('check')]

            service.add_connection('listed.test', f'--host={host.endpoint}', '--recipient-check=list')
            service.wait_applied()
            assert 'list-empty' in findings()
            with Client(service.host, service.port) as client:
                assert world.ask('user@listed.test', client=client) == REFUSAL
                assert world.ask('postmaster@listed.test', client=client).startswith('250')
                service.ctl('recipients', 'add', 'listed.test', 'User', 'second@sub.listed.test')
                service.wait_applied()
                taken = ('user@listed.test', 'USER+tag@listed.test', '"user"@listed.test', 'user@sub.listed.test',
                         'second@sub.listed.test')
                assert all(said.startswith('250 2.1.5') for said in world.ask(*taken, client=client))
                assert world.ask('second@listed.test', 'nobody@listed.test', client=client) == [REFUSAL] * 2
                service.ctl('recipients', 'remove', 'listed.test', 'user')
                service.wait_applied()
                assert world.ask('user@listed.test', client=client) == REFUSAL
                back = service.ctl_json('history')[1]['serial']
                service.ctl('revert', str(back))
                service.wait_applied()
                assert world.ask('user@listed.test', client=client).startswith('250')
            assert 'list-empty' not in findings()
            assert 'user' not in host.asked

        def test_a_long_list():
            service = world.service
            service.add_connection('long.test', f'--host={host.endpoint}', '--recipient-check=list')
            n = 20000 // STRIDE
            lines = ''.join(f'user{i}@long.test\n' for i in range(n))
            assert 'added, 0 removed' in service.ctl('recipients', 'import', 'long.test', '-', text=lines)
            service.wait_applied()
            world.takes('user0@long.test', f'user{n - 1}@long.test')
            world.refuses(f'user{n}@long.test')
            service.stop_relay()
            service.start_relay()
            world.takes(f'user{n - 1}@long.test')
            world.refuses(f'user{n}@long.test')
            service.ctl('recipients', 'import', '--replace', 'long.test', '-', text='user1\n')
            service.wait_applied()
            world.takes('user1@long.test')
            world.refuses('user0@long.test')

        def test_a_client_that_goes_harms_nobody():
            release = threading.Event()
            host.answers['RSET'] = release
            client = Client(world.service.host, world.service.port)
            client.command('MAIL FROM:<a@source.test>')
            client.socket.sendall(b'RCPT TO:<gone@good.test>\r\n')
            client.close()
            release.set()
            world.takes('user2@good.test')
            host.answers.clear()

        def test_a_host_that_hangs_up_is_asked_again():
            drops = world.hosts['drops']
            world.refuses('nobody@drops.test')
            drops.answers['RSET'] = '421 4.7.0 too many errors'
            world.refuses('plain@drops.test')
            assert len(drops.conversations) == 2, drops.conversations

        def test_explain():
            said = world.service.ctl('explain', 'user@good.test')
            assert 'The entry good.test has the next host asked whether it knows the recipient.' in said

        def test_an_outage_refuses_nobody():
            drops = world.hosts['drops']
            drops.answers['CONNECT'] = 'drop'
            drops.answers['RSET'] = 'drop'
            world.takes('another@drops.test', 'nobody2@drops.test')
            # It is left alone for a while.
            n = len(drops.conversations)
            world.takes('third@drops.test')
            assert len(drops.conversations) == n
            # What is known is known.
            world.refuses('nobody@drops.test')

        def test_slowness_refuses_nobody():
            world.hosts['slow'].answers['MAIL'] = 'stall'
            world.takes('nobody@slow.test')
            assert world.hosts['slow'].conversations

        def test_connections_have_a_bound():
            """More next hops than may be asked at a time: those at rest make room."""
            before = count_files(world.service.relay.pid)
            for n in range(N_CROWD):
                world.refuses(f'nobody@crowd{n}.test')
                assert crowd.n_sessions <= CONNECTIONS_MOST, crowd.n_sessions
            more = count_files(world.service.relay.pid) - before
            assert CONNECTIONS_MOST - 8 <= more <= CONNECTIONS_MOST + 8, more

        def test_a_dead_one_that_room_was_made_for_is_left_alone():
            world.takes(*[f'later@crowd{n}.test' for n in range(N_CROWD)])
            world.takes('nobody@dead.test', 'nobody@dead.test')
            assert len(world.hosts['dead'].conversations) == 1, world.hosts['dead'].conversations

        def test_who_waits_for_a_connection_gets_one():
            with concurrent.futures.ThreadPoolExecutor(N_CROWD) as pool, crowd.holds() as release:
                asked = [pool.submit(world.ask, f'plain@crowd{n}.test') for n in range(N_CROWD)]
                poll('all that may be asked', lambda: crowd.n_held >= CONNECTIONS_MOST)
                assert crowd.n_held == crowd.n_sessions == CONNECTIONS_MOST, (crowd.n_held, crowd.n_sessions)
                release.set()
                said = [each.result() for each in asked]
            assert said == [REFUSAL] * N_CROWD, said

        def test_who_waits_in_vain_is_taken():
            """It is nothing to say against that next hop: it is asked the next time."""
            with concurrent.futures.ThreadPoolExecutor(N_CROWD) as pool, crowd.holds():
                asked = [pool.submit(world.ask, f'closed@crowd{n}.test') for n in range(N_CROWD)]
                said = [each.result() for each in asked]
            assert all(each.startswith('250 2.1.5') for each in said), said

            def find():
                found = {n for n in range(N_CROWD) for name, lines in world.place.logs() if name == 'relayd.log'
                         if any(f'127.0.1.{n}:' in line and 'has to wait' in line for line in lines)}
                return found if len(found) >= N_CROWD - CONNECTIONS_MOST else None
            passed_over = poll('all of them in the log', find)
            assert len(passed_over) < N_CROWD, passed_over
            world.refuses(*[f'closed@crowd{n}.test' for n in passed_over])
            left_alone = next(n for n in range(N_CROWD) if n not in passed_over)
            world.takes(f'closed@crowd{left_alone}.test')

        def test_off():
            world.service.ctl('connections', 'edit', 'good.test', '--recipient-check=none')
            world.service.wait_applied()
            world.takes('nobody@good.test')

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
