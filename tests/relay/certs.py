# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for tests, made by openssl: an authority, and what it signs."""

import datetime
import os
import shutil
import subprocess

from tap import Skip

CONFIG = '''
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
'''


def day(offset):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=offset)
    return moment.strftime('%Y%m%d%H%M%SZ')


class Certificate:
    """A certificate in PEM, its chain behind it, and its key."""

    def __init__(self, path, key_path):
        self.path, self.key_path = path, key_path

    def install(self, target, key_target):
        """Puts both where a server reads them, each in one step, as a renewal does."""
        for source, name in ((self.path, target), (self.key_path, key_target)):
            shutil.copy(source, name + '.new')
            os.replace(name + '.new', name)


class Authority:
    """A certification authority of the test's own."""

    def __init__(self, place, name='authority', subject=None):
        self.program = shutil.which('openssl')
        if self.program is None:
            raise Skip('no openssl')
        self.folder = place.folder(name)
        self.config = self.file('openssl.cnf')
        self.count = 0
        for file, text in (('index.txt', ''), ('serial', '01\n'),
                           ('openssl.cnf', CONFIG.format(folder=self.folder))):
            with open(self.file(file), 'w', encoding='utf-8') as stream:
                stream.write(text)
        self.path, self.key_path = self.file('authority.pem'), self.file('authority.key')
        self.openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                     '-nodes', '-keyout', self.key_path, '-out', self.path, '-days', '30',
                     '-subj', f'/CN={subject or name}', '-addext', 'basicConstraints=critical,CA:TRUE')

    def file(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *arguments):
        result = subprocess.run([self.program, *arguments], capture_output=True, check=False,
                                text=True, env=dict(os.environ, OPENSSL_CONF=self.config))
        if result.returncode != 0:
            raise AssertionError(f'openssl {arguments[0]}: {result.stderr}')
        return result.stdout

    def issue(self, *names, first_day=-1, last_day=30):
        """A certificate for DNS names, valid between two days counted from now."""
        self.count += 1
        stem = self.file(f'{self.count}-{names[0]}')
        self.openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                     '-keyout', f'{stem}.key', '-out', f'{stem}.csr', '-subj', f'/CN={names[0]}',
                     '-addext', 'subjectAltName=' + ','.join(f'DNS:{name}' for name in names))
        self.openssl('ca', '-batch', '-notext', '-config', self.config, '-cert', self.path,
                     '-keyfile', self.key_path, '-in', f'{stem}.csr', '-out', f'{stem}.pem',
                     '-startdate', day(first_day), '-enddate', day(last_day))
        with open(f'{stem}.pem', 'a', encoding='ascii') as chain, \
                open(self.path, encoding='ascii') as authority:
            chain.write(authority.read())
        return Certificate(f'{stem}.pem', f'{stem}.key')
