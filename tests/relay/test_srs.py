#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail that leaves our organisation: its sender is rewritten, and notices come home; PostSRSd in both directions."""

import base64
import contextlib
import hashlib
import hmac
import os
import re
import stat
import time

from peers import PostSrsd
from place import Place, poll
from sink import Sink
from support import Service, send
from tap import run

OURS, SENDER = 'srs.test', 'User@origin.test'
REWRITTEN = re.compile(r'SRS0=([A-Za-z0-9+/]{6})=[A-Z2-7]{2}=origin\.test=User@srs\.test')
TOKEN = re.compile(r'SRS0=[A-Za-z0-9+/]{6}=[A-Z2-7]{2}==[a-z2-7]{16}@srs\.test')


class World:
    """A relay with SRS on: away.test leaves, stays.test does not, origin.test is somebody else's."""

    def __init__(self, stack):
        self.stack = stack
        self.place = stack.enter_context(Place('srs'))
        self.service = stack.enter_context(Service(self.place))
        self.sinks = {}
        self.service.set('hostname', 'relay.test')
        self.host('away', '--leaves=yes')
        self.host('stays')
        # What ends here is delivered to a domain, not accepted for it.
        self.host('origin', accept='permitted')
        self.service.set('srs-domain', OURS)
        self.service.wait_applied()

    def host(self, name, *options, accept='anyone'):
        self.sinks[name] = self.stack.enter_context(Sink())
        self.service.add_connection(f'{name}.test', f'--host={self.sinks[name].endpoint}', *options, accept=accept)

    def arrive(self, name, reverse_path, recipients):
        """Takes a message in; the messages that came to that host of it."""
        sink = self.sinks[name]
        before = len(sink.messages)
        rcpts, reply = send(self.service, reverse_path, recipients)
        assert reply.startswith('250'), (rcpts, reply)
        self.service.wait_empty()
        return sink.messages[before:]

    def sent_as(self, reverse_path, recipient='u@away.test', name='away'):
        """The sender that a message goes out with."""
        messages = self.arrive(name, reverse_path, [recipient])
        assert len(messages) == 1, messages
        return messages[0].reverse_path

    def refused(self, reverse_path, recipient, text):
        rcpts, _ = send(self.service, reverse_path, [recipient])
        assert rcpts[0].startswith('550 5.7.1') and text in rcpts[0], rcpts


def sign(service, days, sender):
    """What @sender was rewritten to @days ago, by the newest key."""
    with open(os.path.join(service.spool, 'srs-keys'), encoding='ascii') as stream:
        key = bytes.fromhex(stream.read().split()[1])
    day = int(time.time() / 86400 - days) % 1024
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
    user, domain = sender.split('@')
    text = f'{letters[day // 32]}{letters[day % 32]}={domain}={user}'
    digest = hmac.new(key, b'0' + text.lower().encode(), hashlib.sha256).digest()
    return f'SRS0={base64.b32encode(digest)[:6].decode().lower()}={text}@{OURS}'


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service = world.service

        def test_sender_is_rewritten_and_a_notice_comes_home():
            sender = world.sent_as(SENDER)
            assert REWRITTEN.fullmatch(sender), sender
            home = world.arrive('origin', '', [sender])
            assert [message.recipients for message in home] == [[SENDER]], home
            assert home[0].reverse_path == '', home[0].reverse_path
            # Other hosts may change the case of a local part.
            home = world.arrive('origin', '', [sender.lower()])
            assert [message.recipients for message in home] == [[SENDER.lower()]], home

        def test_a_forged_one_is_refused():
            sender = world.sent_as(SENDER)
            hash_text = REWRITTEN.fullmatch(sender).group(1)
            forged = sender.replace(hash_text, hash_text[:-1] + ('x' if hash_text[-1] not in 'xX' else 'y'))
            world.refused('', forged, 'not made by this server')
            world.refused('', f'SRS0=abcdef=AA=victim.test=u@{OURS}', 'not made by this server')
            world.refused('', f'SRS1=abcdef=victim.test==x=AA=o.test=u@{OURS}', 'not made by this server')

        def test_an_old_one_has_expired_for_explain_too():
            old, young = (sign(service, days, SENDER) for days in (30, 3))
            world.refused('', old, 'This address has expired')
            told = service.ctl_json('explain', old)
            assert told['reply'] == '550 5.7.1 This address has expired', told
            assert service.ctl_json('explain', young)['rcpt_out'] == SENDER
            home = world.arrive('origin', '', [young])
            assert [message.recipients for message in home] == [[SENDER]], home

        def test_a_notice_needs_no_place_on_a_list():
            sender = world.sent_as(SENDER)
            service.ctl('connections', 'edit', 'origin.test', '--recipient-check=list')
            service.wait_applied()
            home = world.arrive('origin', '', [sender])
            assert [message.recipients for message in home] == [[SENDER]], home
            world.refused('spam@elsewhere.test', sender, 'Relaying denied')
            world.refused('', SENDER, 'Relaying denied')
            service.ctl('connections', 'edit', 'origin.test', '--recipient-check=none')
            service.wait_applied()

        def test_only_notices_are_taken_from_anyone():
            sender = world.sent_as(SENDER)
            world.refused('spam@elsewhere.test', sender, 'Relaying denied')
            world.refused('', f'user@{OURS}', 'Relaying denied')
            service.set('permitted-hosts', '127.0.0.1')
            service.wait_applied()
            home = world.arrive('origin', 'mail@elsewhere.test', [sender])
            assert [message.recipients for message in home] == [[SENDER]], home
            service.set('permitted-hosts', '')
            service.wait_applied()

        def test_null_and_own_senders_stay():
            for sender in ('', 'u@stays.test', 'u@sub.stays.test', f'u@{OURS}', 'u@relay.test'):
                assert world.sent_as(sender) == sender, sender

        def test_a_long_sender_goes_by_a_token_and_comes_home():
            """Some hosts refuse a local part of more than 64 octets (RFC 5321 4.5.3.1.1)."""
            for long in ('A' * 60 + '@origin.test', '"quo ted"@origin.test', 'b+' * 200 + 'c@origin.test'):
                sender = world.sent_as(long)
                assert TOKEN.fullmatch(sender), sender
                assert world.sent_as(long) == sender
                service.kill_relay()
                service.start_relay()
                for address in (sender, sender.lower()):
                    home = world.arrive('origin', '', [address])
                    assert [message.recipients for message in home] == [[long]], home
            for name in ('srs-tokens', 'srs-tokens.old'):
                path = os.path.join(service.spool, name)
                assert not os.path.exists(path) or stat.S_IMODE(os.stat(path).st_mode) == 0o600
            world.refused('', sender.replace('==', '==x'), 'not made by this server')

        def test_a_token_that_is_kept_no_more_has_expired():
            sender = world.sent_as('forgotten' * 9 + '@origin.test')
            service.stop_relay()
            os.remove(os.path.join(service.spool, 'srs-tokens'))
            service.start_relay()
            world.refused('', sender, 'has expired')
            # And who sends once more is known again.
            assert world.sent_as('forgotten' * 9 + '@origin.test') == sender
            home = world.arrive('origin', '', [sender])
            assert [message.recipients for message in home] == [['forgotten' * 9 + '@origin.test']], home

        def test_a_notice_whose_sender_is_forgotten_has_expired():
            """It was taken, and waits; by its own domain it would go to whoever has that."""
            late = stack.enter_context(Sink(reply=lambda verb, _: '450 4.2.0 not now' if verb == 'RCPT' else None))
            service.add_connection('late.test', f'--host={late.endpoint}', accept='permitted')
            service.set('retry-intervals', '1h')
            service.set('default-delivery', world.sinks['stays'].endpoint)
            service.wait_applied()
            for name, long, said in (('srs-tokens', 'forgotten' * 9 + '@late.test', 'has expired'),
                                     ('srs-keys', 'short@late.test', 'not made by this server')):
                sender = world.sent_as(long)
                _, reply = send(service, '', [sender])
                assert reply.startswith('250'), reply
                poll('it to wait', lambda: [message['recipients'][0]['last_reply'] for message in service.queued()]
                     == ['450 4.2.0 not now'])
                service.stop_relay()
                os.remove(os.path.join(service.spool, name))
                service.start_relay()
                assert said in service.ctl_json('explain', sender)['reply']
                before = len(world.sinks['stays'].messages)
                service.ctl('queue', 'retry', '--all')
                service.wait_empty()
                assert len(world.sinks['stays'].messages) == before
                poll('the line in the log', lambda: [
                    line for _, lines in world.place.logs() for line in lines
                    if f' to=<{sender}> ' in line and 'status=failed (550 5.7.1 This address has expired)' in line])    # pylint: disable=cell-var-from-loop
            service.set('default-delivery', 'dns')
            service.wait_applied()

        def test_one_message_two_senders():
            messages = world.arrive('away', SENDER, ['u@away.test', 'u@stays.test', 'v@away.test'])
            assert len(messages) == 1 and messages[0].recipients == ['u@away.test', 'v@away.test'], messages
            assert REWRITTEN.fullmatch(messages[0].reverse_path)
            stayed = world.sinks['stays'].messages[-1]
            assert stayed.reverse_path == SENDER and stayed.recipients == ['u@stays.test'], stayed
            # The same host: the row decides, not the host.
            service.add_routing('moved.test', '--reroute-to=stays.test', '--leaves=yes')
            service.wait_applied()
            messages = world.arrive('stays', SENDER, ['w@moved.test', 'w@stays.test'])
            assert sorted(message.reverse_path == SENDER for message in messages) == [False, True], messages
            for message in messages:
                assert message.recipients == ['w@stays.test'], message.recipients

        def test_default_delivery_by_its_setting():
            service.set('default-delivery', world.sinks['away'].endpoint)
            service.set('permitted-hosts', '127.0.0.1')
            service.wait_applied()
            assert world.sent_as(SENDER, 'u@world.test') == SENDER
            service.set('default-leaves', 'yes')
            service.wait_applied()
            assert REWRITTEN.fullmatch(world.sent_as(SENDER, 'u@world.test'))
            for key, value in (('default-leaves', 'no'), ('permitted-hosts', ''), ('default-delivery', 'dns')):
                service.set(key, value)
            service.wait_applied()

        def test_explain_tells():
            def codes(address):
                return {step['code']: step['sentence'] for step in service.ctl_json('explain', address)['steps']}
            assert OURS in codes('u@away.test')['srs']
            assert 'srs' not in codes('u@stays.test')
            sender = world.sent_as(SENDER)
            assert SENDER in codes(sender)['srs-reverse']
            assert service.ctl_json('explain', sender)['rcpt_out'] == SENDER

        def test_key_is_kept_and_secret():
            sender = world.sent_as(SENDER)
            path = os.path.join(service.spool, 'srs-keys')
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            with open(path, encoding='ascii') as stream:
                key = stream.read().split()[1]
            service.stop_relay()
            service.start_relay()
            home = world.arrive('origin', '', [sender])
            assert [message.recipients for message in home] == [[SENDER]], home
            for name, lines in world.place.logs():
                assert not any(key in line for line in lines), name

        def test_off_changes_nothing():
            sender = world.sent_as(SENDER)
            service.set('srs-domain', '')
            service.wait_applied()
            assert world.sent_as(SENDER) == SENDER
            world.refused('', sender, 'Relaying denied')
            service.set('srs-domain', OURS)
            service.wait_applied()
            home = world.arrive('origin', '', [sender])
            assert [message.recipients for message in home] == [[SENDER]], home

        def test_what_is_kept_gets_old_without_a_domain_too():
            world.sent_as('old' * 30 + '@origin.test')
            service.set('srs-domain', '')
            service.wait_applied()
            service.stop_relay()
            path = os.path.join(service.spool, 'srs-tokens')
            with open(path, 'r+', encoding='utf-8') as stream:
                line = f'reroute-srs-tokens 1 {int(time.time()) - 70 * 86400}'
                stream.write(line)
            service.start_relay()
            assert not os.path.exists(path) and not os.path.exists(path + '.old')
            service.set('srs-domain', OURS)
            service.wait_applied()

        def test_postsrsd_behind_us():
            """We made the SRS0 address, PostSRSd makes SRS1 of it, and its notice comes home through us."""
            peer = PostSrsd(world.place, 'behind.test').start()
            ours = world.sent_as(SENDER)
            theirs = peer.forward(ours)
            assert re.fullmatch(rf'SRS1=\S+={re.escape(OURS)}==\S+@behind\.test', theirs), theirs
            back = peer.reverse(theirs)
            assert back == ours, back
            home = world.arrive('origin', '', [back])
            assert [message.recipients for message in home] == [[SENDER]], home
            long = 'long' * 20 + '@origin.test'
            back = peer.reverse(peer.forward(world.sent_as(long)))
            home = world.arrive('origin', '', [back])
            assert [message.recipients for message in home] == [[long]], home
            peer.stop()

        def test_postsrsd_in_front_of_us():
            """PostSRSd made the SRS0 address, we make SRS1 of it, and the notice goes back to PostSRSd."""
            peer = PostSrsd(world.place, 'front.test').start()
            world.host('front', accept='permitted')
            service.wait_applied()
            theirs = peer.forward('user@origin.test')
            ours = world.sent_as(theirs)
            assert re.fullmatch(rf'SRS1=\S{{6}}=front\.test==\S+@{re.escape(OURS)}', ours), ours
            back = world.arrive('front', '', [ours])
            assert [message.recipients for message in back] == [[theirs]], back
            assert peer.reverse(back[0].recipients[0]) == 'user@origin.test'
            peer.stop()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
