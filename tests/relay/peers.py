# SPDX-License-Identifier: GPL-3.0-or-later
"""Real neighbours: Debian's Postfix, Exim, Dovecot, PostSRSd and others, unpacked below build/, never installed.

They run with their own configuration and queue, on loopback, under users that every Debian has
(uucp, nobody), which takes root to arrange: without root, or without a network to fetch the
packages from, Skip is raised with the reason.
"""

import fcntl
import glob
import os
import re
import shutil
import socket
import subprocess

from place import ROOT, free_port
from tap import Skip

# One for all builds.
CACHE = os.path.join(ROOT, 'build', 'peers')
POSTFIX = ('postfix', 'libdb5.3', 'libicu72', 'libnsl2', 'libtirpc3', 'libsasl2-2', 'libsasl2-modules', 'libssl3')
EXIM = ('exim4-daemon-light', 'exim4-base', 'libnss-wrapper', 'libdb5.3', 'libidn12', 'libnsl2', 'libtirpc3',
        'libpcre2-8-0', 'libgnutls-dane0', 'libunbound8')
MSMTP = ('msmtp', 'libgsasl18', 'libsecret-1-0', 'libntlm0', 'libgssglue1')
POSTSRSD = ('postsrsd',)
DOVECOT = ('dovecot-core', 'dovecot-lmtpd', 'libexttextcat-2.0-0', 'libstemmer0d', 'liblua5.4-0', 'libsodium23',
           'libtirpc3', 'libwrap0', 'libapparmor1', 'libicu72')


def installed(package):
    status = subprocess.run(['dpkg-query', '-W', '-f=${db:Status-Status}', package],
                            capture_output=True, text=True, check=False)
    return status.stdout == 'installed'


def download(package, folder):
    """Fetches one package; whether it came."""
    command = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', package]
    if subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0:
        return True
    if os.geteuid() == 0:
        subprocess.run(['apt-get', '-q', 'update'], capture_output=True, check=False)
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0


def unpack(name, packages):
    """The folder that those of @packages that are not installed are unpacked to."""
    if os.geteuid() != 0:
        raise Skip(f'{name} needs root to run under users of its own')
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(CACHE, 'lock'), 'w', encoding='ascii') as lock:
        # Tests run beside one another, and so do builds.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return unpack_locked(os.path.join(CACHE, name), [package for package in packages if not installed(package)])


def unpack_locked(root, packages):
    """As long as it was unpacked from these very packages, the folder stays as it is."""
    listing = os.path.join(root, 'packages')
    if os.path.exists(listing):
        with open(listing, encoding='ascii') as stream:
            if stream.read().split() == packages:
                return root
    part = root + '.part'
    shutil.rmtree(part, ignore_errors=True)
    os.makedirs(part)
    for package in packages:
        if not glob.glob(os.path.join(CACHE, f'{package}_*.deb')) and not download(package, CACHE):
            raise Skip(f'{package} cannot be downloaded')
        for archive in glob.glob(os.path.join(CACHE, f'{package}_*.deb')):
            subprocess.run(['dpkg-deb', '-x', archive, part], check=True)
    # Nothing of it runs with more rights than its caller has.
    for folder, _, files in os.walk(part):
        for file in files:
            path = os.path.join(folder, file)
            if not os.path.islink(path):
                os.chmod(path, os.stat(path).st_mode & 0o1777)
    with open(os.path.join(part, 'packages'), 'w', encoding='ascii') as stream:
        stream.write('\n'.join(packages) + '\n')
    shutil.rmtree(root, ignore_errors=True)
    os.rename(part, root)
    return root


def library_path(root):
    folders = ['usr/lib/postfix', 'usr/lib/x86_64-linux-gnu', 'lib/x86_64-linux-gnu', 'usr/lib']
    folders += [os.path.relpath(path, root) for path in glob.glob(os.path.join(root, 'usr/lib/*-linux-*'))]
    return ':'.join(os.path.join(root, folder) for folder in dict.fromkeys(folders))


class Peer:
    """What both have in common: a place, a port, an end."""

    def __init__(self, place, name):
        self.place, self.name = place, name
        self.host, self.port = '127.0.0.1', free_port()
        self.folder = place.folder(name)
        os.chmod(place.path, 0o755)
        self.process = None

    @property
    def endpoint(self):
        return f'{self.host}:{self.port}'

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def ready(self):
        self.place.wait_listening(self.process, self.host, self.port)

    def messages(self):
        """(envelope recipient, content) of all that was delivered, lines ending in CR LF."""
        found = []
        for path in glob.glob(self.path('mail', '*', 'new', '*')):
            with open(path, 'rb') as stream:
                content = stream.read().replace(b'\n', b'\r\n')
            head = content.split(b'\r\n\r\n', 1)[0].decode('latin-1').split('\r\n')
            recipient = next(line.split(': ', 1)[1] for line in head
                             if line.lower().startswith(('delivered-to:', 'envelope-to:')))
            found.append((recipient, content))
        return found

    def count(self):
        return len(glob.glob(self.path('mail', '*', 'new', '*')))

    def stop(self):
        self.place.end(self.process)


class Postfix(Peer):
    """As a source: hands all it takes to @relayhost (HOST:PORT).  As a sink: without one, keeps every
    message in a maildir.  @settings: of main.cf; @services: lines of master.cf beside the usual ones."""

    OWNER, GROUP = 'uucp', 'games'

    def __init__(self, place, name='postfix', relayhost=None, settings=(), services=()):
        self.root = unpack('postfix', POSTFIX)
        super().__init__(place, name)
        values = {
            'compatibility_level': '3.6',
            'queue_directory': self.path('queue'),
            'data_directory': self.path('data'),
            'command_directory': os.path.join(self.root, 'usr/sbin'),
            'daemon_directory': os.path.join(self.root, 'usr/lib/postfix/sbin'),
            'shlib_directory': os.path.join(self.root, 'usr/lib/postfix'),
            'meta_directory': self.path('etc'),
            'mail_owner': self.OWNER,
            'setgid_group': self.GROUP,
            'default_privs': 'nobody',
            'import_environment': ' '.join(f'{key}={value}' for key, value in self._environment().items()),
            'myhostname': f'{name}.test',
            'mydestination': '',
            'mynetworks': '127.0.0.0/8',
            'inet_interfaces': '127.0.0.1',
            'inet_protocols': 'ipv4',
            'maillog_file': self.path('log'),
            'maillog_file_prefixes': self.folder,
            'alias_maps': '',
            'alias_database': '',
            'local_recipient_maps': '',
            'smtpd_relay_restrictions': 'permit_mynetworks, reject',
            'smtp_host_lookup': 'native',
            'smtp_tls_security_level': 'none',
            'smtp_line_length_limit': '0',
            'message_size_limit': '104857600',
            'mailbox_size_limit': '0',
            'virtual_mailbox_limit': '0',
            'header_size_limit': '1024000',
            'local_header_rewrite_clients': '',
            'message_drop_headers': '',
            'smtpd_client_connection_rate_limit': '0',
            'minimal_backoff_time': '2s',
            'maximal_backoff_time': '2s',
            'queue_run_delay': '2s',
        }
        if relayhost:
            host, port = relayhost.rsplit(':', 1)
            values['relayhost'] = f'[{host}]:{port}'
        else:
            values.update({
                'virtual_mailbox_domains': 'static:all',
                'virtual_mailbox_base': self.path('mail'),
                'virtual_mailbox_maps': 'static:box/',
                'virtual_uid_maps': 'static:65534',
                'virtual_gid_maps': 'static:65534',
                'virtual_minimum_uid': '100',
            })
        values.update(settings)
        self._write(values, services)

    def _environment(self):
        mechanisms = [os.path.join(folder, 'sasl2') for folder in library_path(self.root).split(':')]
        return {'MAIL_CONFIG': self.path('etc'), 'LD_LIBRARY_PATH': library_path(self.root),
                'SASL_PATH': ':'.join(mechanisms + glob.glob('/usr/lib/*/sasl2'))}

    def _write(self, values, more):
        for folder in ('etc', 'queue', 'data', 'mail/box'):
            os.makedirs(self.path(folder))
        shutil.chown(self.path('data'), self.OWNER)
        shutil.chown(self.path('mail'), 65534, 65534)
        shutil.chown(self.path('mail/box'), 65534, 65534)
        with open(self.path('etc/main.cf'), 'w', encoding='utf-8') as stream:
            stream.writelines(f'{key} = {value}\n' for key, value in values.items())
        services = [f'127.0.0.1:{self.port} inet n - n - - smtpd',
                    'cleanup unix n - n - 0 cleanup', 'qmgr unix n - n 300 1 qmgr',
                    'rewrite unix - - n - - trivial-rewrite', 'bounce unix - - n - 0 bounce',
                    'defer unix - - n - 0 bounce', 'trace unix - - n - 0 bounce',
                    'verify unix - - n - 1 verify', 'flush unix n - n 1000? 0 flush',
                    'proxymap unix - - n - - proxymap', 'smtp unix - - n - 100 smtp',
                    'relay unix - - n - 100 smtp', 'error unix - - n - - error',
                    'retry unix - - n - - error', 'discard unix - - n - - discard',
                    'virtual unix - n n - - virtual', 'anvil unix - - n - 1 anvil',
                    'scache unix - - n - 1 scache', 'tlsmgr unix - - n 1000? 1 tlsmgr',
                    'postlog unix-dgram n - n - 1 postlogd', 'pickup unix n - n 60 1 pickup',
                    'showq unix n - n - - showq']
        with open(self.path('etc/master.cf'), 'w', encoding='utf-8') as stream:
            stream.write('\n'.join([*services, *more]) + '\n')
        # What `postfix set-permissions` would make.
        for folder in ('active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming',
                       'private', 'saved', 'trace'):
            os.makedirs(self.path('queue', folder), mode=0o700)
            shutil.chown(self.path('queue', folder), self.OWNER)
        for folder, mode in (('public', 0o2710), ('maildrop', 0o1730)):
            os.makedirs(self.path('queue', folder))
            shutil.chown(self.path('queue', folder), self.OWNER, self.GROUP)
            os.chmod(self.path('queue', folder), mode)
        os.makedirs(self.path('queue/pid'))

    def launch(self):
        """Starts it without waiting for it."""
        environment = dict(os.environ, **self._environment())
        for name in [name for name in environment if name.endswith('SAN_OPTIONS')]:
            del environment[name]
        master = os.path.join(self.root, 'usr/lib/postfix/sbin/master')
        self.process = self.place.start(self.name, [master, '-d', '-c', self.path('etc')], environment)

    def start(self):
        self.launch()
        self.ready()
        return self

    def tool(self, name):
        """Path of a command of the package, such as smtp-source."""
        return os.path.join(self.root, 'usr/sbin', name)


def msmtp(place):
    """(program, environment) of Debian's msmtp."""
    root = unpack('msmtp', MSMTP)
    environment = dict(os.environ, LD_LIBRARY_PATH=library_path(root), HOME=place.path)
    return os.path.join(root, 'usr/bin/msmtp'), environment


class Exim(Peer):
    """As a sink: keeps every message in a maildir.  As a source: hands all it takes to @relayhost
    (HOST:PORT), by BDAT where that is offered.  @login: (mechanism, user, password, certificate): takes
    from who logs in alone, in TLS alone.  @certificate: offers STARTTLS with it, to who does not log in.  @routes: {domain: (HOST:PORT, options of the transport)}: where it hands
    these to instead; there it logs in, where that is demanded, as @account, a (user, password): by LOGIN for a domain
    with that word in its name, else by PLAIN."""

    def __init__(self, place, name='exim', relayhost=None, login=None, routes=None, account=None,
                 certificate=None):
        self.root = unpack('exim', EXIM)
        super().__init__(place, name)
        self.binary = os.path.join(self.root, 'usr/sbin/exim4')
        routes = dict(routes or {})
        if relayhost:
            routes['*'] = (relayhost, ('hosts_try_chunking = *',))
        routers, transports = self.routing(routes)
        for folder in ('spool', 'log', 'mail/box'):
            os.makedirs(self.path(folder))
        options, demand, authenticators = (self.lock(login) if login else
                                           (self.offer_tls(certificate) if certificate else 'tls_advertise_hosts =', '', ''))
        if account:
            authenticators += self.key(*account)
        with open(self.path('exim.conf'), 'w', encoding='utf-8') as stream:
            stream.write(f'''
exim_path = {self.binary}
exim_user = nobody
exim_group = nogroup
never_users =
primary_hostname = {name}.test
spool_directory = {self.path('spool')}
log_file_path = {self.path('log')}/%slog
pid_file_path = {self.path('pid')}
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
{options}
message_size_limit = 100M
smtp_accept_max = 200
smtp_accept_max_per_host = 200
smtp_accept_queue_per_connection = 0
queue_run_max = 20
smtp_accept_queue = 0
deliver_queue_load_max = 1000
bounce_return_body = false
accept_8bitmime = true
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
message_body_visible = 0
received_headers_max = 100
keep_environment = LD_PRELOAD : LD_LIBRARY_PATH : NSS_WRAPPER_PASSWD : NSS_WRAPPER_GROUP
begin acl
accept_all:
{demand}  accept
begin routers
{routers}all:
  driver = accept
  transport = keep
begin transports
{transports}keep:
  driver = appendfile
  directory = {self.path('mail/box')}
  maildir_format
  maildir_tag =
  envelope_to_add
  delivery_date_add = false
  return_path_add = false
  user = nobody
  group = nogroup
  batch_max = 1
begin retry
* * F,1d,2s
begin rewrite
begin authenticators
{authenticators}''')
        for folder, _, files in os.walk(self.folder):
            shutil.chown(folder, 65534, 65534)
            for file in files:
                shutil.chown(os.path.join(folder, file), 65534, 65534)

    @staticmethod
    def routing(routes):
        """(routers, transports) by which the mail of each domain goes to its host."""
        routers = transports = ''
        for domain, (endpoint, options) in routes.items():
            name = 'to_' + re.sub(r'\W', '_', domain)
            routers += (f'{name}:\n  driver = manualroute\n  domains = {domain}\n  transport = {name}\n  self = send\n'
                        f'  route_list = * {endpoint.replace(":", "::")}\n')
            transports += f'{name}:\n  driver = smtp\n  allow_localhost\n' + ''.join(f'  {line}\n' for line in options)
        return routers, transports

    @staticmethod
    def key(user, password):
        """How it logs in elsewhere."""
        return ('log_in:\n  driver = plaintext\n  public_name = LOGIN\n'
                f'  client_send = : {user} : {password}\n'
                '  client_condition = ${if match{$transport_name}{login}}\n'
                f'plain:\n  driver = plaintext\n  public_name = PLAIN\n  client_send = ^{user}^{password}\n')

    def offer_tls(self, certificate):
        """Options of a host that offers STARTTLS."""
        files = [shutil.copy(path, self.path(name)) for path, name in
                 ((certificate.path, 'pem'), (certificate.key_path, 'key'))]
        return f'tls_advertise_hosts = *\ntls_certificate = {files[0]}\ntls_privatekey = {files[1]}'

    def lock(self, login):
        """(options, condition, authenticator) of a host that takes from who logs in alone."""
        mechanism, user, password, certificate = login
        first, prompts = (2, ':') if mechanism == 'PLAIN' else (1, '<| Username: | Password:')
        return (f'{self.offer_tls(certificate)}\nauth_advertise_hosts = ${{if def:tls_in_cipher {{*}}{{}}}}',
                '  require authenticated = *\n',
                f'login:\n  driver = plaintext\n  public_name = {mechanism}\n  server_prompts = {prompts}\n'
                f'  server_condition = ${{if and{{{{eq{{$auth{first}}}{{{user}}}}}'
                f'{{eq{{$auth{first + 1}}}{{{password}}}}}}}}}\n  server_set_id = $auth{first}\n')

    def start(self):
        # Debian's Exim asks for its user by name before it reads anything.
        passwd = self.place.write('Debian-exim:x:65534:65534::/nonexistent:/bin/false\n'
                                  'nobody:x:65534:65534::/nonexistent:/bin/false\n'
                                  'root:x:0:0::/:/bin/false\n', self.name, 'passwd')
        group = self.place.write('Debian-exim:x:65534:\nnogroup:x:65534:\nroot:x:0:\n',
                                 self.name, 'group')
        wrapper = glob.glob(os.path.join(self.root, 'usr/lib/*/libnss_wrapper.so'))
        environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LD_PRELOAD': ':'.join(wrapper),
                       'LD_LIBRARY_PATH': library_path(self.root),
                       'NSS_WRAPPER_PASSWD': passwd, 'NSS_WRAPPER_GROUP': group}
        self.process = self.place.start(
            self.name, ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', self.binary,
                        '-C', self.path('exim.conf'), '-bdf', '-q2s'], environment)
        self.ready()
        return self


class Dovecot(Peer):
    """Takes mail by LMTP, over TCP and at @socket, for the users @users: {name: octets of its quota}.  At @auth it
    says of a Postfix's clients who they are; everybody's password is @password."""

    def __init__(self, place, users, name='dovecot', password='x'):
        self.root = unpack('dovecot', DOVECOT)
        super().__init__(place, name)
        self.socket, self.auth = self.path('run/lmtp-test'), self.path('run/auth-test')
        for folder in ('etc/dovecot', 'run', 'mail'):
            os.makedirs(self.path(folder))
        shutil.chown(self.path('mail'), 65534, 65534)
        with open(self.path('users'), 'w', encoding='utf-8') as stream:
            stream.writelines(f'{user}:{{PLAIN}}{password}:65534:65534::/nonexistent::userdb_quota_rule=*:bytes={octets}\n'
                              for user, octets in users.items())
        with open(self.path('etc/dovecot/dovecot.conf'), 'w', encoding='utf-8') as stream:
            stream.write(f'''
base_dir = {self.path('run')}
state_dir = {self.path('run')}
log_path = {self.path('log')}
default_internal_user = uucp
default_internal_group = uucp
default_login_user = nobody
protocols = lmtp
ssl = no
hostname = {name}.test
mail_plugins = quota
mail_location = maildir:{self.path('mail')}/%n
mail_uid = 65534
mail_gid = 65534
first_valid_uid = 65534
passdb {{
  driver = passwd-file
  args = {self.path('users')}
}}
userdb {{
  driver = passwd-file
  args = username_format=%n {self.path('users')}
}}
plugin {{
  quota = maildir:User
}}
auth_mechanisms = plain login scram-sha-256
service auth {{
  unix_listener auth-test {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener lmtp-test {{
    mode = 0666
  }}
  inet_listener lmtp {{
    address = {self.host}
    port = {self.port}
  }}
}}
''')

    def start(self):
        # Its programs look for one another, for their plugins and for the configuration where Debian puts
        # them: in a mount namespace of its own they are there.
        mounts = (f'mount -t overlay overlay -o lowerdir={self.root}/usr:/usr /usr && '
                  f'mount -t overlay overlay -o lowerdir={self.path("etc")}:/etc /etc')
        if subprocess.run(['unshare', '-m', 'sh', '-c', mounts], capture_output=True, check=False).returncode:
            raise Skip('dovecot needs a mount namespace of its own')
        environment = {'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}
        self.process = self.place.start(
            self.name, ['unshare', '-m', 'sh', '-c', f'{mounts} && exec /usr/sbin/dovecot -F'], environment)
        self.ready()
        return self

    def mailbox(self, user):
        """The messages of a user, as they were kept."""
        found = []
        for path in glob.glob(self.path('mail', user, 'new', '*')):
            with open(path, 'rb') as stream:
                found.append(stream.read())
        return found


class PostSrsd:
    """Rewrites senders at @domain, and back; asked as Postfix asks it, by tcp_table(5)."""

    def __init__(self, place, domain):
        self.root = unpack('postsrsd', POSTSRSD)
        self.place, self.domain = place, domain
        self.host, self.forward_port, self.reverse_port = '127.0.0.1', free_port(), free_port()
        self.secret = place.write(f'the secret of {domain}\n', f'{domain}.secret')
        self.process = None

    def start(self):
        program = os.path.join(self.root, 'usr/sbin/postsrsd')
        self.process = self.place.start(
            self.domain, [program, f'-s{self.secret}', f'-d{self.domain}', f'-l{self.host}',
                          f'-f{self.forward_port}', f'-r{self.reverse_port}', '-unobody'])
        for port in (self.forward_port, self.reverse_port):
            self.place.wait_listening(self.process, self.host, port)
        return self

    def stop(self):
        self.place.end(self.process)

    def _ask(self, port, address):
        with socket.create_connection((self.host, port), 10) as connection:
            connection.sendall(f'get {address}\n'.encode())
            answer = connection.makefile().readline().split()
        assert answer[0] == '200', (address, answer)
        return answer[1]

    def forward(self, address):
        return self._ask(self.forward_port, address)

    def reverse(self, address):
        return self._ask(self.reverse_port, address)
