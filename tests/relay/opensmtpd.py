# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's OpenSMTPD, unpacked like the other neighbours of peers.py.

Where it keeps its queue and its socket is compiled in, so it runs in a mount namespace of its own, in which folders of
the test's place stand for these; the machine's are not touched.
"""

import glob
import os
import subprocess

from peers import EXIM, Peer, free_port, library_path, unpack
from tap import Skip

OPENSMTPD = ('opensmtpd', 'libevent-2.1-7', 'libdb5.3', 'libssl3')

# Without the limits it waits some seconds between two connections.
CONFIG = '''
mta limit conn-delay-host 0 conn-delay-route 0 reconn-delay-route 0 conn-delay-source 0
mta limit conn-delay-connector 0 conn-delay-relay 0 conn-delay-domain 0
pki here cert "{folder}/pem"
pki here key "{folder}/key"
table users file:{folder}/users
table secrets file:{folder}/secrets
listen on {host} port {port} tls pki here hostname {name}.test
listen on {host} port {auth_port} tls-require pki here auth <users> hostname {name}.test
{actions}
action "out" relay host "smtp://{relay}" helo {name}.test
{matches}
match from any for any action "out"
'''

# Nobody of these is a user of the machine.
PASSWD = '''root:x:0:0::/:/bin/false
opensmtpd:x:65533:65533::/var/lib/opensmtpd/empty:/bin/false
opensmtpq:x:65532:65532::/nonexistent:/bin/false
nobody:x:65534:65534::/nonexistent:/bin/false
'''
GROUP = 'root:x:0:\nopensmtpd:x:65533:\nopensmtpq:x:65532:\nnogroup:x:65534:\n'


class OpenSmtpd(Peer):
    """Takes in on @port, in clear text or after STARTTLS, and on @auth_port from @login, a (user, password), alone.

    Hands on by @routes, {domain: relay URL, as smtp+tls://account@HOST:PORT}, where @account is the (user, password)
    that it logs in with; everything else goes to @relay (HOST:PORT)."""

    def __init__(self, place, relay, login, routes, account, name='opensmtpd'):
        self.root = unpack('opensmtpd', OPENSMTPD)
        self.wrapper = glob.glob(os.path.join(unpack('exim', EXIM), 'usr/lib/*/libnss_wrapper.so'))
        if subprocess.run(['unshare', '--mount', 'true'], capture_output=True, check=False).returncode != 0:
            raise Skip('OpenSMTPD needs a mount namespace, which this machine does not give')
        super().__init__(place, name)
        self.auth_port = free_port()
        for folder, mode in (('spool/smtpd', 0o711), ('lib/opensmtpd/empty', 0o755), ('run', 0o755)):
            place.folder(name, folder, mode=mode)
        # What it does with private keys, in a process of its own, works with RSA alone.
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-keyout',
                        self.path('key'), '-out', self.path('pem'), '-subj', f'/CN={name}.test'],
                       capture_output=True, check=True)
        for file in ('pem', 'key'):
            os.chmod(self.path(file), 0o600)
        hashed = subprocess.run(['openssl', 'passwd', '-6', '-stdin'], input=login[1], capture_output=True, text=True,
                                check=True).stdout.strip()
        actions = [f'action "{domain}" relay host "{url}" helo {name}.test'
                   + (' tls no-verify' if url.startswith(('smtp+tls:', 'smtps:')) else '') + (' auth <secrets>' if '@' in url else '')
                   for domain, url in routes.items()]
        matches = [f'match from any for domain "{domain}" action "{domain}"' for domain in routes]
        for file, text, mode in (('users', f'{login[0]} {hashed}\n', 0o640),
                                 ('secrets', f'account {account[0]}:{account[1]}\n', 0o640),
                                 ('passwd', PASSWD, 0o644), ('group', GROUP, 0o644)):
            place.write(text, name, file, mode=mode)
        self.config = place.write(CONFIG.format(folder=self.folder, host=self.host, port=self.port, name=name,
                                                auth_port=self.auth_port, relay=relay, actions='\n'.join(actions),
                                                matches='\n'.join(matches)), name, 'smtpd.conf')

    def start(self):
        script = (f'mount --bind {self.folder}/spool /var/spool; mount --bind {self.folder}/lib /var/lib; '
                  f'mount --bind {self.folder}/run /run; exec "$@"')
        environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LD_LIBRARY_PATH': library_path(self.root)}
        wrapped = [f'LD_PRELOAD={":".join(self.wrapper)}', f'NSS_WRAPPER_PASSWD={self.path("passwd")}',
                   f'NSS_WRAPPER_GROUP={self.path("group")}']
        self.process = self.place.start(
            self.name, ['unshare', '--mount', 'sh', '-ec', script, 'sh', 'env', *wrapped,
                        os.path.join(self.root, 'usr/sbin/smtpd'), '-d', '-f', self.config], environment)
        self.ready()
        return self

    def check_tls(self):
        """Skips where it cannot be a server in TLS: that of Debian 12 loses its keys to OpenSSL 3."""
        result = subprocess.run(['openssl', 's_client', '-starttls', 'smtp', '-connect', self.endpoint], input=b'QUIT\r\n',
                                capture_output=True, check=False)
        if result.returncode != 0:
            raise Skip('this OpenSMTPD completes no handshake as a server, not with openssl either')
