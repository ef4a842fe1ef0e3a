# SPDX-License-Identifier: GPL-3.0-or-later
"""The server that an administrator reaches through ssh: a real sshd, a real polkitd on a system bus of its own where
a system bus belongs, reroute-rulesd on it, and three users who exist there alone.

All of it lives in a mount namespace, which the test enters first (enter()); that takes root and a kernel that lets it.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

from peers import library_path, unpack
from place import BUILD, ROOT, free_port, poll
from support import CTL, RULESD, daemon_environment
from tap import Skip

MARK = 'REROUTE_TEST_FAR_SIDE'
BUS = '/run/dbus/system_bus_socket'
# A member of reroute-admin; a user like others; one whose shell finds no program.
USERS = {'chief': 2001, 'guest': 2002, 'bare': 2003}
SETTINGS_OF_BARE = 'SetEnv PATH=/nonexistent'
POLKITD = '/usr/lib/polkit-1/polkitd'

BUS_CONFIG = '''<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={bus}</listen>
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
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
  <include>{policy}</include>
</busconfig>
'''

SSHD_CONFIG = '''Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/keys/%u
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Match User bare
  {bare}
'''

SSH_CONFIG = '''Host relay1 *
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/key
  IdentitiesOnly yes
  IdentityAgent none
  GlobalKnownHostsFile /dev/null
  UserKnownHostsFile {folder}/known_hosts
'''


def enter():
    """Goes on in a mount namespace of our own; Skip says why not."""
    if MARK in os.environ:
        return
    if os.geteuid() != 0:
        raise Skip('needs root to run sshd and polkitd')
    command = ['unshare', '--mount', '--propagation', 'private']
    if subprocess.run([*command, 'true'], capture_output=True, check=False).returncode != 0:
        raise Skip('no mount namespace can be made here')
    os.environ[MARK] = '1'
    sys.stdout.flush()
    os.execvp('unshare', [*command, sys.executable, *sys.argv])


def mount(*arguments):
    subprocess.run(['mount', *arguments], check=True)


class FarSide:
    """@place: where its files are."""

    def __init__(self, place):
        for program in (POLKITD, '/usr/bin/systemd-stdio-bridge', '/usr/bin/ssh'):
            if not os.path.exists(program):
                raise Skip(f'no {program}')
        self.root = unpack('openssh', ('openssh-server', 'libwrap0'))
        self.place = place
        self.port = free_port()
        os.chmod(place.path, 0o755)
        self.folder = place.folder('ssh')
        self.rulesd = None

    def start(self):
        self._make_users()
        self._make_polkit_files()
        mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run')
        os.makedirs('/run/sshd')
        os.makedirs(os.path.dirname(BUS))
        self._start_bus()
        self._start_sshd()
        return self

    def _cover(self, name, text):
        """Our text in place of a file of the machine's, which stays as it is."""
        mount('--bind', self.place.write(text, name.strip('/').replace('/', '-')), name)

    def _make_users(self):
        users = pathlib.Path('/etc/passwd').read_text(encoding='utf-8')
        groups = pathlib.Path('/etc/group').read_text(encoding='utf-8')
        if '\nsshd:' not in users:
            users += 'sshd:x:2000:65534::/run/sshd:/usr/sbin/nologin\n'
        for name, number in USERS.items():
            home = self.place.folder(f'home-{name}')
            os.chown(home, number, number)
            users += f'{name}:x:{number}:{number}::{home}:/bin/sh\n'
            groups += f'{name}:x:{number}:\n'
        groups = '\n'.join(line for line in groups.splitlines() if not line.startswith('reroute-admin:'))
        self._cover('/etc/passwd', users)
        self._cover('/etc/group', f'{groups}\nreroute-admin:x:2100:chief\n')

    def _make_polkit_files(self):
        for folder in ('actions', 'rules.d'):
            mount('-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', f'/usr/share/polkit-1/{folder}')
        shutil.copy(os.path.join(BUILD, 'data', 'org.reroute.policy'), '/usr/share/polkit-1/actions')
        shutil.copy(os.path.join(ROOT, 'data', 'org.reroute.rules'), '/usr/share/polkit-1/rules.d')

    def _start_bus(self):
        config = self.place.write(
            BUS_CONFIG.format(bus=BUS, policy=os.path.join(ROOT, 'data', 'org.reroute.conf')), 'bus.conf')
        self.place.start('bus', ['dbus-daemon', '--nofork', '--nopidfile', '--nosyslog', f'--config-file={config}'],
                         daemon_environment())
        poll('the bus', lambda: os.path.exists(BUS))
        polkitd = self.place.start('polkitd', [POLKITD, '--no-debug'], daemon_environment())
        poll('polkitd on the bus', lambda: polkitd.poll() is not None or self.owns('org.freedesktop.PolicyKit1'))
        if polkitd.poll() is not None:
            raise Skip('polkitd does not run here')
        self.start_rulesd()

    def start_rulesd(self):
        self.rulesd = self.place.start('rulesd', [RULESD, f'--database={self.place.join("rules.db")}'],
                                       daemon_environment())
        poll('rulesd on the bus', lambda: self.owns('org.reroute.Rules'))

    @staticmethod
    def owns(name):
        result = subprocess.run(['dbus-send', '--system', '--print-reply=literal', '--dest=org.freedesktop.DBus', '/',
                                 'org.freedesktop.DBus.NameHasOwner', f'string:{name}'],
                                capture_output=True, text=True, check=False)
        return 'true' in result.stdout

    def _start_sshd(self):
        for key in ('host_key', 'key', 'other_key'):
            subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', os.path.join(self.folder, key)],
                           check=True)
        keys = self.place.folder('ssh', 'keys')
        for name in USERS:
            shutil.copy(os.path.join(self.folder, 'key.pub'), os.path.join(keys, name))
        values = {'port': self.port, 'folder': self.folder, 'bare': SETTINGS_OF_BARE}
        config = self.place.write(SSHD_CONFIG.format(**values), 'sshd_config')
        self.place.write(SSH_CONFIG.format(**values), 'ssh_config')
        self.know_host_key()
        sshd = self.place.start('sshd', [os.path.join(self.root, 'usr/sbin/sshd'), '-D', '-e', '-f', config],
                                dict(os.environ, LD_LIBRARY_PATH=library_path(self.root)))
        self.place.wait_listening(sshd, '127.0.0.1', self.port)
        # Found first by reroutectl: ssh with our configuration.
        self.place.folder('bin')
        self._write_ssh('exec /usr/bin/ssh -F "$CONFIG" "$@"')

    @contextlib.contextmanager
    def other_ssh(self, command):
        """What runs as ssh meanwhile: a line for the shell, with the configuration's name in $CONFIG."""
        self._write_ssh(command)
        try:
            yield
        finally:
            self._write_ssh('exec /usr/bin/ssh -F "$CONFIG" "$@"')

    @contextlib.contextmanager
    def cut(self, mode):
        """The first connection from now on is cut in mid-Apply: see cutting_ssh.py; its folder."""
        folder = self.place.folder(f'cut-{mode}')
        program = os.path.join(ROOT, 'tests', 'relay', 'cutting_ssh.py')
        with self.other_ssh(f'exec {program} {mode} {folder} /usr/bin/ssh -F "$CONFIG" "$@"'):
            yield pathlib.Path(folder)

    def _write_ssh(self, command):
        config = self.place.join('ssh_config')
        self.place.write(f'#!/bin/sh\nCONFIG={config}\n{command}\n', 'bin', 'ssh', mode=0o755)

    def know_host_key(self, key='host_key'):
        """@key: the one that the client takes for the server's; None: it knows none."""
        line = ''
        if key is not None:
            kind, value = pathlib.Path(self.folder, f'{key}.pub').read_text(encoding='ascii').split()[:2]
            line = f'[127.0.0.1]:{self.port} {kind} {value}\n'
        self.place.write(line, 'ssh', 'known_hosts')

    # The near side

    def environment(self):
        near = dict(daemon_environment(), PATH=f'{self.place.join("bin")}:{os.environ["PATH"]}')
        for name in ('SSH_ASKPASS', 'SSH_AUTH_SOCK'):
            near.pop(name, None)
        return near

    def start_ctl(self, *arguments, host='chief@relay1'):
        """Without a terminal: nobody can be asked."""
        return subprocess.Popen([CTL, f'--host={host}', *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.environment(), start_new_session=True)

    def ctl(self, *arguments, host='chief@relay1', status=0):
        """As support.Service.ctl()."""
        with self.start_ctl(*arguments, host=host) as process:
            output, complaint = process.communicate(timeout=120)
        assert process.returncode == status, (process.returncode, output, complaint)
        return complaint if status else output
