#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of certificates that nothing names yet: what the relay says of them, over the bus and at the prompt."""

import contextlib
import os
import subprocess

from gi.repository import Gio, GLib

from place import BUILD, Place, poll
from certs import Authority
from support import CTL, Service
from tap import run

NO_PEM = 'it holds no certificate in PEM form'
NO_FILE = 'No such file or directory'
NO_ORDINARY = 'it is no ordinary file'
NOT_ITS_KEY = 'does not belong to the certificate'


class World:
    """A relay, and files of every kind."""

    def __init__(self, stack):
        self.place = stack.enter_context(Place('judged-certificates'))
        self.authority = Authority(self.place)
        self.service = stack.enter_context(Service(self.place))
        self.connection = Gio.DBusConnection.new_for_address_sync(
            self.service.bus.address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT |
            Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.good = self.authority.issue('good.test')
        self.other = self.authority.issue('other.test')
        self.missing = self.place.join('missing.pem')
        self.pipe = self.place.join('pipe')
        os.mkfifo(self.pipe)
        self.text = self.place.write('no certificate\n', 'text.pem')
        self.locked = self.place.join('locked.key')
        self.authority.openssl('pkcs8', '-topk8', '-in', self.good.key_path, '-out', self.locked, '-passout', 'pass:x')

    def whole(self, name, certificate, key_path):
        """A file with both."""
        parts = []
        for path in (certificate.path, key_path):
            with open(path, encoding='ascii') as stream:
                parts.append(stream.read())
        return self.place.write(''.join(parts), name)

    def judge(self, shown_to, certificates, keys=()):
        return self.connection.call_sync(
            'org.reroute.Relay', '/org/reroute/Relay', 'org.reroute.Relay1', 'JudgeCertificates',
            GLib.Variant('(sasas)', (shown_to, certificates, keys)), GLib.VariantType('(s)'),
            Gio.DBusCallFlags.NONE, 60000, None).unpack()[0]

    def refused(self, code, *question):
        try:
            answer = self.judge(*question)
        except GLib.Error as error:
            assert Gio.DBusError.get_remote_error(error) == f'org.reroute.Error.{code}', error.message
            return
        raise AssertionError(f'{question}: {answer}')

    def says(self, *words, language='C'):
        """What reroutectl has said on its standard error; it must succeed."""
        environment = dict(os.environ, LC_ALL='C.UTF-8', LANGUAGE=language, REROUTE_LOCALE_DIR=os.path.join(BUILD, 'po'))
        result = subprocess.run([CTL, f'--bus={self.service.bus.address}', *words], text=True, timeout=60,
                                capture_output=True, check=False, env=environment)
        assert result.returncode == 0, result.stderr
        return result.stderr


def main():
    with contextlib.ExitStack() as stack:
        world = World(stack)
        service, good, other = world.service, world.good, world.other
        issue = world.authority.issue

        def test_shown_to_clients():
            old, young, brief = (issue(name, **days) for name, days in (
                ('old.test', {'first_day': -2, 'last_day': -1}), ('young.test', {'first_day': 1}),
                ('brief.test', {'last_day': 13})))
            for certificates, keys, remark in (
                    ([good.path], [good.key_path], ''),
                    ([good.path, other.path], [good.key_path, other.key_path], ''),
                    ([world.whole('both.pem', good, good.key_path)], [], ''),
                    ([world.missing], [good.key_path], NO_FILE),
                    ([world.place.path], [], NO_ORDINARY),
                    ([world.pipe], [], NO_ORDINARY),
                    ([world.text], [], NO_PEM),
                    ([good.path], [], 'it holds no private key in PEM form'),
                    ([good.path], [other.key_path], f'the key “{other.key_path}”: it {NOT_ITS_KEY}'),
                    ([good.path], [world.missing], f'the key “{world.missing}”: {NO_FILE}'),
                    ([good.path], [world.pipe], f'the key “{world.pipe}”: {NO_ORDINARY}'),
                    ([good.path], [world.locked], 'it wants a password'),
                    ([good.path, other.path], [good.key_path], 'no key is named for it'),
                    ([good.path, other.path], [other.key_path, good.key_path], NOT_ITS_KEY),
                    ([old.path], [old.key_path], 'it has expired on '),
                    ([young.path], [young.key_path], 'it is not valid before '),
                    ([good.path, brief.path], [good.key_path, brief.key_path], 'a certificate expires on ')):
                answer = world.judge('clients', certificates, keys)
                assert remark in answer and (remark != '') == (answer != ''), (certificates, keys, answer)

        def test_shown_to_hosts():
            for path, remark in (
                    (world.whole('both.pem', good, good.key_path), ''),
                    (world.missing, f'cannot use the certificate “{world.missing}”: {NO_FILE}'),
                    (world.pipe, NO_ORDINARY),
                    (world.text, NO_PEM),
                    (good.path, 'it holds no private key in PEM form'),
                    (world.whole('mixed.pem', good, other.key_path), NOT_ITS_KEY)):
                answer = world.judge('hosts', [path])
                assert remark in answer and (remark != '') == (answer != ''), (path, answer)

        def test_bad_questions():
            world.refused('Value', 'clients', [])
            world.refused('Value', 'strangers', [good.path])
            world.refused('Value', 'hosts', ['good.pem'])
            world.refused('Value', 'clients', [good.path], ['/a\nb'])
            world.refused('TooLarge', 'clients', [good.path] * 33)
            world.refused('TooLarge', 'clients', [good.path], [good.key_path] * 33)
            world.refused('TooLarge', 'hosts', [good.path, good.path])
            world.refused('TooLarge', 'hosts', [good.path], [good.key_path])

        def test_judging_changes_nothing():
            status = service.ctl_json('status')['relay']
            assert status['tls'] == 'not offered to clients' and status['tls-failure'] == '', status

        def test_prompt_warns():
            warning = f'warning: The relay says: cannot use the certificate “{world.missing}”: {NO_FILE}\n'
            add = ('connections', 'add', 'a.test', '--host=127.0.0.1:9', '--accept-from=permitted')
            assert warning in world.says(*add, f'--certificate={world.missing}')
            assert warning in world.says('settings', 'set', 'default-certificate', world.missing)
            service.wait_applied()
            assert warning in world.says('check')
            findings = service.ctl_json('check')
            assert [finding['level'] for finding in findings if finding['code'] == 'certificate-unusable'] == ['warning']
            whole = world.whole('both.pem', good, good.key_path)
            assert 'relay' not in world.says('connections', 'edit', 'a.test', f'--certificate={whole}')
            assert 'relay' not in world.says('settings', 'set', 'default-certificate', whole)
            service.wait_applied()
            assert 'relay' not in world.says('check')

        def test_in_german():
            """Every word of it but the name, of each refusal that there is a file for."""
            def cannot(file, why):
                return f'Warnung: Das Relay sagt: das Zertifikat „{file}“ ist nicht zu gebrauchen: {why}'

            old = issue('late.test', first_day=-2, last_day=-1)
            young = issue('early.test', first_day=1)
            locked = world.whole('locked.pem', good, world.locked)
            with open(good.path, encoding='ascii') as stream:
                chain = world.place.write(stream.read() * 17, 'chain.pem')
            large = world.place.write('x' * (1024 * 1024 + 1), 'large.pem')
            edit = ('connections', 'edit', 'a.test')
            for path, why in (
                    (world.missing, 'die Datei oder das Verzeichnis gibt es nicht'),
                    (world.pipe, 'es ist keine gewöhnliche Datei'),
                    (large, 'die Datei ist zu groß dafür'),
                    (world.text, 'die Datei enthält kein Zertifikat in PEM-Form'),
                    (chain, 'die Datei enthält mehr Zertifikate, als eine Kette hat'),
                    (good.path, 'die Datei enthält keinen privaten Schlüssel in PEM-Form: schreiben Sie ihn in die '
                                'Datei des Zertifikats'),
                    (locked, 'sein privater Schlüssel verlangt ein Passwort, und niemand ist da, der es sagt'),
                    (world.whole('wrong.pem', good, other.key_path),
                     'der private Schlüssel in der Datei gehört nicht zum Zertifikat')):
                told = world.says(*edit, f'--certificate={path}', language='de')
                assert cannot(path, why) in told, told
            for certificate, verb in ((old, 'es ist am '), (young, 'es gilt nicht vor dem ')):
                told = world.says(*edit, f'--certificate={certificate.path}', language='de')
                assert cannot(certificate.path, verb) in told, told
            world.says('settings', 'set', 'tls-certificate', good.path)
            for key_path, why in (
                    (other.key_path, 'er gehört nicht zum Zertifikat'),
                    (world.missing, 'die Datei oder das Verzeichnis gibt es nicht'),
                    (world.locked, 'er verlangt ein Passwort, und niemand ist da, der es sagt'),
                    (world.text, 'die Datei enthält keinen privaten Schlüssel in PEM-Form; nennen Sie die, die ihn '
                                 'enthält, in „tls-key“')):
                told = world.says('settings', 'set', 'tls-key', key_path, language='de')
                assert f'TLS wird den Clients nicht angeboten; das Zertifikat „{good.path}“' in told, told
                service.wait_applied()
                told = world.says('check', language='de')
                assert cannot(good.path, f'der Schlüssel „{key_path}“: {why}') in told, told
            world.says('settings', 'set', 'tls-key', '')

        def test_a_pipe_holds_up_nobody():
            assert NO_ORDINARY in world.says('settings', 'set', 'tls-certificate', world.pipe)
            poll('the status', lambda: NO_ORDINARY in service.ctl_json('status')['relay']['tls-failure'])

        def test_without_the_relay():
            service.stop_relay()
            assert 'relay' not in world.says('connections', 'edit', 'a.test', f'--certificate={world.missing}')
            assert 'relay' not in world.says('check')

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
