# SPDX-License-Identifier: GPL-3.0-or-later
"""Real filters: Debian's OpenDKIM and rspamd, unpacked like the neighbours of peers.py."""

import os
import subprocess

from peers import library_path, unpack
from place import free_port

OPENDKIM = ('opendkim', 'libopendkim11', 'libdb5.3', 'libldap-2.5-0', 'liblua5.3-0', 'libmemcached11', 'libhashkit2',
            'libsasl2-2', 'libmilter1.0.1', 'libopendbx1', 'librbl1', 'libvbr2', 'libbsd0', 'libmd0')
RSPAMD = ('rspamd', 'libhyperscan5', 'libicu72', 'libluajit2-5.1-2', 'libluajit2-5.1-common', 'libsodium23', 'libunwind8')


class OpenDkim:
    """Signs for @domain what it is handed, or (@verifies) says what it makes of a signature of @signer's."""

    SELECTOR = 'sel'

    def __init__(self, place, name, domain, signer=None):
        self.root = unpack('opendkim', OPENDKIM)
        self.place, self.name, self.domain = place, name, domain
        self.host, self.port = '127.0.0.1', free_port()
        self.folder = place.folder(name)
        self.process = None
        lines = ['Background no', f'Socket inet:{self.port}@{self.host}', f'AuthservID {name}.test', 'LogResults yes',
                 'RequireSafeKeys no', 'Syslog no', f'PidFile {self.folder}/pid', 'AlwaysAddARHeader yes']
        if signer is None:
            self.key = self._openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
            self.key_path = place.write(self.key, name, 'key.pem', mode=0o600)
            lines += ['Mode s', f'Domain {domain}', f'Selector {self.SELECTOR}', f'KeyFile {self.key_path}',
                      'Canonicalization simple/simple', f'InternalHosts {self.host}']
        else:
            keys = place.write(f'{signer.SELECTOR}._domainkey.{signer.domain} {signer.record()}\n', name, 'keys')
            lines += ['Mode v', f'TestPublicKeys {keys}', f'InternalHosts {place.write("192.0.2.1", name, "nobody")}']
        self.config = place.write('\n'.join(lines) + '\n', name, 'opendkim.conf')

    @staticmethod
    def _openssl(*arguments, text=None):
        return subprocess.run(['openssl', *arguments], input=text, capture_output=True, text=True, check=True).stdout

    def record(self):
        """What DNS would say of the key."""
        public = self._openssl('pkey', '-in', self.key_path, '-pubout')
        return 'v=DKIM1; k=rsa; p=' + ''.join(public.split('\n')[1:-2])

    @property
    def address(self):
        return f'inet:{self.host}:{self.port}'

    def start(self):
        environment = {'PATH': '/usr/bin:/bin', 'LD_LIBRARY_PATH': library_path(self.root)}
        self.process = self.place.start(
            self.name, [os.path.join(self.root, 'usr/sbin/opendkim'), '-f', '-x', self.config], environment)
        self.place.wait_listening(self.process, self.host, self.port)
        return self

    def stop(self):
        self.place.end(self.process)


class Rspamd:
    """Refuses what has spam in its subject, and adds X-Rspamd to the rest; scans by itself as a milter."""

    RULES = '''
rspamd_config.SPAM = { score = 20, callback = function(task)
  local subject = task:get_header('Subject')
  return subject ~= nil and subject:find('spam') ~= nil
end }
rspamd_config:register_symbol({ name = 'SEEN', type = 'postfilter', priority = 10, callback = function(task)
  task:set_milter_reply({ add_headers = { ['X-Rspamd'] = 'seen' } })
end })
'''
    FOLDERS = ('CONFDIR', 'DBDIR', 'RUNDIR', 'LOGDIR')
    PARTS = {'SHAREDIR': '', 'RULESDIR': 'rules', 'LUALIBDIR': 'lualib', 'PLUGINSDIR': 'plugins'}

    def __init__(self, place, name='rspamd'):
        self.root = unpack('rspamd', RSPAMD)
        self.place, self.name = place, name
        self.host, self.port = '127.0.0.1', free_port()
        self.folder = place.folder(name)
        os.chmod(place.path, 0o755)
        self.process = None
        rules = place.write(self.RULES, name, 'rules.lua')
        # The list of all suffixes takes it many seconds to compile.
        domains = place.write('test\n', name, 'suffixes')
        self.config = place.write(f'''
options {{
  pidfile = "{self.folder}/pid"; tempdir = "{self.folder}"; control_socket = "{self.folder}/control mode=0600";
  filters = ""; local_addrs = []; url_tld = "{domains}";
  hs_cache_dir = "{self.folder}";
  dns {{ nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 0; }}
}}
logging {{ type = "console"; level = "warning"; }}
lua = "{rules}";
worker "rspamd_proxy" {{
  bind_socket = "{self.host}:{self.port}"; milter = true; count = 1;
  upstream "local" {{ default = yes; self_scan = yes; }}
}}
actions {{ reject = 15; add_header = 6; greylist = null; }}
''', name, 'rspamd.conf')

    @property
    def address(self):
        return f'inet:{self.host}:{self.port}'

    def start(self):
        share = os.path.join(self.root, 'usr/share/rspamd')
        places = {key: os.path.join(share, part) for key, part in self.PARTS.items()}
        places.update({key: self.folder for key in self.FOLDERS})
        environment = {'PATH': '/usr/bin:/bin', 'LD_LIBRARY_PATH':
                       f'{library_path(self.root)}:{os.path.join(self.root, "usr/lib/rspamd")}', **places}
        self.process = self.place.start(
            self.name, [os.path.join(self.root, 'usr/bin/rspamd'), '-f', '-i', '-c', self.config,
                        *[f'--var={key}={value}' for key, value in places.items()]], environment)
        self.place.wait_listening(self.process, self.host, self.port)
        return self

    def stop(self):
        self.place.end(self.process)
