#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may give the relay a secret, or ask it of files, on a system bus: a private one with the policy that is
installed, as root and as another user, with polkit and logind (mocks of them) and without."""

import contextlib
import os
import re
import subprocess

import dbus

from place import ROOT, Place, free_port, poll
from support import RELAYD, RULESD, daemon_environment
from tap import Skip, run

STRANGER = '65534'
VERIFIER = 'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$' + ':'.join(['A' * 43 + '='] * 2)
ACCESS = 'org.reroute.Error.Access'
SECRET_FILE = '/etc/ssl/private/a.pem'

# As the machine's system bus has it, with the holes of our own policy and of polkit's.
CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
    <allow send_destination="org.freedesktop.PolicyKit1"/>
    <allow send_destination="org.freedesktop.login1"/>
  </policy>
  <policy user="root">
    <allow own="org.freedesktop.login1"/>
    <allow own="org.freedesktop.PolicyKit1"/>
  </policy>
  <include>{policy}</include>
</busconfig>
'''


class World:
    """A system bus of the test's own and a relay on it, which holds no rules."""

    def __init__(self, stack):
        if os.geteuid() != 0:
            raise Skip('needs root to call as another user')
        self.n_held = 0
        self.place = place = stack.enter_context(Place('authority'))
        os.chmod(place.path, 0o755)
        self.address = f'unix:path={place.join("bus")}'
        self.environment = dict(daemon_environment(), DBUS_SYSTEM_BUS_ADDRESS=self.address)
        config = place.write(CONFIG.format(address=self.address, policy=os.path.join(ROOT, 'data', 'org.reroute.conf')),
                             'bus.conf')
        place.start('bus', ['dbus-daemon', '--nofork', '--nopidfile', '--nosyslog', f'--config-file={config}'],
                    self.environment)
        poll('the bus', lambda: os.path.exists(place.join('bus')))
        place.start('relayd', [RELAYD, f'--spool={place.folder("spool", mode=0o700)}',
                               f'--listen=127.0.0.1:{free_port()}'], self.environment)
        poll('the relay on the bus', lambda: 'method return' in self.call('Status'))

    def call(self, method, *arguments, user='0'):
        """What dbus-send says of a call of Relay1, its errors too."""
        return self.send('org.reroute.Relay', '/org/reroute/Relay', f'org.reroute.Relay1.{method}', *arguments,
                         user=user)

    def send(self, destination, path, method, *arguments, user='0'):
        command = ['setpriv', f'--reuid={user}', f'--regid={user}', '--clear-groups', 'dbus-send',
                   f'--bus={self.address}', '--print-reply', f'--dest={destination}', path, method, *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return result.stdout + result.stderr

    def set_secret(self, name, user, value=VERIFIER):
        return self.call('SetSecret', f'string:{name}', f'string:{value}', user=user)

    def judge(self, user):
        """What there is to say of a file that not everybody may look for."""
        return self.call('JudgeCertificates', 'string:clients', f'array:string:{SECRET_FILE}',
                         f'array:string:{SECRET_FILE}', user=user)

    def names(self):
        return re.findall(r'string "(.*)"', self.call('ListSecrets'))

    def start_mock(self, title, name, *arguments):
        mock = self.place.start(title, ['/usr/bin/python3', '-m', 'dbusmock', '--system', *arguments], self.environment)
        bus = ('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.NameHasOwner', f'string:{name}')
        poll(f'{title} on the bus', lambda: mock.poll() is not None or 'true' in self.send(*bus))
        if mock.poll() is not None:
            self.place.processes.remove(mock)
            raise Skip('python3-dbusmock does not run')
        return mock

    @contextlib.contextmanager
    def logind(self, **session):
        """A logind that knows one session, which everybody is in; how often it was asked."""
        mock = self.start_mock('logind', 'org.freedesktop.login1', 'org.freedesktop.login1', '/org/freedesktop/login1',
                               'org.freedesktop.login1.Manager')
        connection = dbus.bus.BusConnection(self.address)
        manager = connection.get_object('org.freedesktop.login1', '/org/freedesktop/login1')
        path = '/org/freedesktop/login1/session/c1'
        manager.AddMethod('', 'GetSessionByPID', 'u', 'o', f'ret = "{path}"',
                          dbus_interface='org.freedesktop.DBus.Mock')
        manager.AddObject(path, 'org.freedesktop.login1.Session', session, dbus.Array([], '(ssss)'),
                          dbus_interface='org.freedesktop.DBus.Mock')
        yield lambda: len(manager.GetMethodCalls('GetSessionByPID', dbus_interface='org.freedesktop.DBus.Mock'))
        connection.close()
        self.place.end(mock)

    @contextlib.contextmanager
    def counting_polkit(self):
        """A polkit that grants everything; how often it was asked."""
        mock = self.start_mock('polkit', 'org.freedesktop.PolicyKit1', 'org.freedesktop.PolicyKit1',
                               '/org/freedesktop/PolicyKit1/Authority', 'org.freedesktop.PolicyKit1.Authority')
        connection = dbus.bus.BusConnection(self.address)
        authority = connection.get_object('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority')
        authority.AddMethod('', 'CheckAuthorization', '(sa{sv})sa{ss}us', '(bba{ss})',
                            'ret = dbus.Struct((True, False, dbus.Dictionary({}, signature="ss")), signature="bba{ss}")',
                            dbus_interface='org.freedesktop.DBus.Mock')
        yield lambda: len(authority.GetMethodCalls('CheckAuthorization', dbus_interface='org.freedesktop.DBus.Mock'))
        connection.close()
        self.place.end(mock)

    @contextlib.contextmanager
    def stranger(self):
        """The interface of rulesd for another user, over one connection."""
        os.seteuid(int(STRANGER))
        try:
            connection = dbus.bus.BusConnection(self.address)
        finally:
            os.seteuid(0)
        yield dbus.Interface(connection.get_object('org.reroute.Rules', '/org/reroute/Rules', introspect=False),
                             'org.reroute.Rules1')
        connection.close()

    @contextlib.contextmanager
    def rulesd(self):
        """Its interface."""
        daemon = self.place.start('rulesd', [RULESD, f'--database={self.place.join("rules.db")}'], self.environment)
        poll('rulesd on the bus', lambda: 'true' in self.send('org.freedesktop.DBus', '/',
                                                              'org.freedesktop.DBus.NameHasOwner',
                                                              'string:org.reroute.Rules'))
        connection = dbus.bus.BusConnection(self.address)
        yield dbus.Interface(connection.get_object('org.reroute.Rules', '/org/reroute/Rules', introspect=False),
                             'org.reroute.Rules1')
        connection.close()
        self.place.end(daemon)

    def hold(self):
        """Holds nothing; says to whom the relay ascribes it in its log."""
        connection = dbus.bus.BusConnection(self.address)
        relay = connection.get_object('org.reroute.Relay', '/org/reroute/Relay', introspect=False)
        relay.QueueHold(dbus.Array([4711], 't'), dbus.Dictionary({}, 'sv'), dbus_interface='org.reroute.Relay1')
        connection.close()
        self.n_held += 1
        return poll('the line in the log', self.last_holder)

    def last_holder(self):
        log = next('\n'.join(lines) for name, lines in self.place.logs() if name == 'relayd.log')
        found = re.findall(r'QueueHold: asked by (.*)', log)
        return found[-1] if len(found) == self.n_held else None

    @contextlib.contextmanager
    def polkit(self, *allowed):
        """A polkit that grants these actions to anybody, and no other."""
        mock = self.start_mock('polkit', 'org.freedesktop.PolicyKit1', '--template', 'polkitd')
        answer = self.send('org.freedesktop.PolicyKit1', '/org/freedesktop/PolicyKit1/Authority',
                           'org.freedesktop.DBus.Mock.SetAllowed', f'array:string:{",".join(allowed)}')
        assert 'method return' in answer, answer
        yield
        self.place.end(mock)


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = World(stack)
        except Skip as skip:
            reason = str(skip)

            def test_authority():
                raise Skip(reason)
            run(test_authority)

        def test_without_polkit_root_alone():
            assert 'method return' in world.set_secret('in:root', '0')
            answer = world.set_secret('in:stranger', STRANGER)
            assert ACCESS in answer and 'polkit does not answer' in answer, answer
            assert ACCESS in world.call('ListSecrets', user=STRANGER)
            assert ACCESS in world.judge(STRANGER) and SECRET_FILE in world.judge('0')
            assert world.names() == ['in:root']

        def test_polkit_decides_for_others():
            with world.polkit('org.reroute.queue.manage', 'org.reroute.queue.view'):
                answer = world.set_secret('in:stranger', STRANGER)
                assert ACCESS in answer and 'org.reroute.rules.modify' in answer, answer
                assert ACCESS in world.call('ListSecrets', user=STRANGER)
                assert ACCESS in world.judge(STRANGER)
                assert 'method return' in world.set_secret('in:second', '0')
                assert world.names() == ['in:root', 'in:second']
            with world.polkit('org.reroute.rules.modify'):
                assert 'method return' in world.set_secret('in:stranger', STRANGER)
                assert 'in:second' in world.call('ListSecrets', user=STRANGER)
                assert 'method return' in world.judge(STRANGER)
                assert 'method return' in world.set_secret('in:second', STRANGER, value='')
            assert world.names() == ['in:root', 'in:stranger']

        def test_the_log_says_from_where():
            assert world.hold() == f'uid 0 from process {os.getpid()}'
            for where, session in (('192.0.2.7 by sshd', {'RemoteHost': '192.0.2.7', 'Service': 'sshd', 'TTY': 'pts/1'}),
                                   ('tty2', {'RemoteHost': '', 'TTY': 'tty2', 'Id': 'c2'}),
                                   ('session c3', {'RemoteHost': '', 'TTY': '', 'Id': 'c3'})):
                with world.logind(**session):
                    assert world.hold() == f'uid 0 from {where}'

        def test_examination_is_for_administrators():
            words = ('array:string:relaying,clock', 'string:')
            with world.polkit('org.reroute.queue.view', 'org.reroute.rules.modify'):
                assert ACCESS in world.call('Examine', *words, user=STRANGER)
            with world.polkit('org.reroute.queue.manage'):
                answer = world.call('Examine', *words, user=STRANGER)
                assert 'string "relaying-deferred"' in answer and 'string "clock-plausible"' in answer, answer
            assert 'org.reroute.Error.Domain' in world.call('Examine', 'array:string:', 'string:a..b')

        def test_refused_value_is_not_repeated():
            answer = world.set_secret('out:x', '0', value='password hunter2')
            assert 'org.reroute.Error.Value' in answer and 'hunter2' not in answer, answer
            assert not [line for _, lines in world.place.logs() for line in lines if 'hunter2' in line or 'A' * 43 in line]

        def test_nobody_else_may_be_the_relay():
            answer = world.send('org.freedesktop.DBus', '/', 'org.freedesktop.DBus.RequestName',
                                'string:org.reroute.Relay', 'uint32:0', user=STRANGER)
            assert 'not allowed to own' in answer, answer

        def test_logind_is_asked_for_what_the_log_says_alone():
            with world.logind(TTY='tty2') as count:
                for call in (('ListSecrets',), ('Queue', 'dict:string:string:', 'string:', 'uint32:0', 'uint32:1'),
                             ('QueueMessage', 'uint64:4711')):
                    world.call(*call)
                assert count() == 0
                assert world.hold() == 'uid 0 from tty2' and count() == 1
                assert 'method return' in world.set_secret('in:last', '0') and count() == 2
                with world.rulesd() as rules:
                    number = rules.Begin()
                    for _ in range(3):
                        rules.Stage(number, dbus.Array([], '(sv)'))
                    rules.Check(number)
                    assert count() == 2
                    rules.Apply(dbus.Array([('set', dbus.Struct(('message-timeout', '3d'), variant_level=1))], '(sv)'),
                                dbus.UInt64(0), dbus.Array([], 's'))
                    assert count() == 3
                    poll('the line in the log', lambda: any('generation 1 saved for root from tty2' in line
                                                            for _, lines in world.place.logs() for line in lines))

        def test_polkit_is_asked_once_for_an_edit_and_its_commit():
            with world.rulesd(), world.counting_polkit() as count, world.stranger() as rules, world.stranger() as other:
                serial = rules.Settings()[0]
                number = rules.Begin()
                assert count() == 0
                for _ in range(3):
                    rules.Stage(number, dbus.Array([('set', dbus.Struct(('message-timeout', '4d'), variant_level=1))],
                                                   '(sv)'))
                assert count() == 1
                try:
                    other.Stage(number, dbus.Array([], '(sv)'))
                    raise AssertionError('another one stages')
                except dbus.DBusException as refusal:
                    assert refusal.get_dbus_name() == 'org.reroute.Error.NoSuchEdit', refusal
                assert count() == 2
                assert rules.Commit(number, serial, dbus.Array([], 's'))[0] == 'saved' and count() == 3
                rules.Stage(rules.Begin(), dbus.Array([], '(sv)'))
                assert count() == 4

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
