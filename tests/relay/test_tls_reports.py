#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports about TLS (RFC 8460): results collected, kept, shown, and sent to the domains that ask."""

import contextlib
import email
import email.policy
import gzip
import json
import os
import re
import time

from gi.repository import GLib

from place import poll
from https import Answer
from tap import Skip, run
from test_dane import SIGNED_DIGEST, key_der, sha256
from test_mta_sts import INNER, ZONE, World, crc32c, policy

DAY_S = 86400
FILE = 'tls-report'  # in the spool
FIRST_LINE = b'reroute-tls-report 1\n'
FILE_TYPE = 'a(xa(sa(usasastta(ssssst))))'
HTTPS, MAIL, INNER_HOST = f'report.{ZONE}', f'mail.{ZONE}', f'inner.{ZONE}'


def today():
    return time.strftime('%Y-%m-%d', time.gmtime())


def read_days(path):
    with open(path, 'rb') as stream:
        octets = stream.read()
    assert octets.startswith(FIRST_LINE)
    assert crc32c(octets[:-4]) == int.from_bytes(octets[-4:], 'little')
    text = GLib.Bytes.new(octets[len(FIRST_LINE):-4])
    return GLib.Variant.new_from_bytes(GLib.VariantType(FILE_TYPE), text, False).unpack()


def write_days(path, days):
    octets = FIRST_LINE + GLib.Variant(FILE_TYPE, days).get_data_as_bytes().get_data()
    with open(path, 'wb') as stream:
        stream.write(octets + crc32c(octets).to_bytes(4, 'little'))


class Reports(World):
    """Domains of every kind of result; some of them want reports."""

    def wants(self, domain, *addresses):
        (self.hosts if domain.endswith(ZONE) else self.root).append(
            f'_smtp._tls.{domain}. 0 TXT "v=TLSRPTv1; rua={",".join(addresses)}"')

    def add_dane(self, domain, certificate, digest, usage=3):
        self.add_host(domain, certificate)
        self.root.append(f'_{self.port}._tcp.mx.{domain}. TLSA {usage} 1 1 {digest}')

    def make(self):
        issue = self.authority.issue
        good = policy('enforce', f'mx.good.{ZONE}')
        self.post = f'https://{HTTPS}:{self.https.port}/v1?a=b'
        self.add('good', good)
        self.add('untrusted', policy('enforce', f'mx.untrusted.{ZONE}'), self.stranger.issue(f'mx.untrusted.{ZONE}'))
        self.add('wrong-name', policy('enforce', f'mx.wrong-name.{ZONE}'), issue(f'wrong-name.{ZONE}'))
        self.add('plain', policy('enforce', f'mx.plain.{ZONE}'), tls=False)
        self.add('elsewhere', policy('enforce', f'other.elsewhere.{ZONE}'))
        self.add('trial', policy('testing', f'mx.trial.{ZONE}'), self.stranger.issue(f'mx.trial.{ZONE}'))
        self.add('missing', Answer('', 404))
        self.add('nonsense', Answer('version: STSv2\n'))
        self.add_host(f'stranger.{ZONE}', issue(f'mx.stranger.{ZONE}'))
        self.add_policy(f'stranger.{ZONE}', good, self.stranger.issue(f'mta-sts.stranger.{ZONE}'))
        for label, tls in (('open', True), ('clear', False)):
            self.add_host(f'{label}.{ZONE}', issue(f'mx.{label}.{ZONE}'), tls=tls)
        fits = issue('mx.dane.test')
        self.add_dane('dane.test', fits, sha256(key_der(fits.path)))
        self.add_dane('misfit.test', fits, sha256(b'another key'))
        self.add_dane('bogus.test', fits, SIGNED_DIGEST)
        self.add_dane('useless.test', fits, sha256(b'of no use'), usage=1)
        # Of no use either, but a policy judges.
        self.add_dane('useless-judged.test', issue('mx.useless-judged.test'), sha256(b'of no use'), usage=1)
        self.root += ['_mta-sts.useless-judged.test. TXT "v=STSv1; id=1"', 'mta-sts.useless-judged.test. A 127.0.0.1']
        self.https.add('mta-sts.useless-judged.test', issue('mta-sts.useless-judged.test'),
                       policy('enforce', 'mx.useless-judged.test'))
        # Where reports go: by mail to a host that its own policy would refuse.
        self.add('mail', policy('enforce', f'other.mail.{ZONE}'), self.stranger.issue(f'mx.mail.{ZONE}'))
        self.https.add(HTTPS, self.stranger.issue('another.test'), Answer('', 201))
        self.hosts.append(f'{HTTPS}. A 127.0.0.1')
        self.wants(f'good.{ZONE}', self.post, f'mailto:reports@{MAIL}', 'ftp://nobody.test')
        self.wants(MAIL, self.post)
        self.wants(f'untrusted.{ZONE}', f'https://{INNER_HOST}/', self.post)
        self.hosts.append(f'{INNER_HOST}. A {INNER}')
        self.wants('dane.test', self.post)

    # What is shown

    def rows(self, *arguments):
        return self.service.ctl_json('tls-report', *arguments)

    def results(self, domain):
        """(policy, succeeded, failed, kinds of failure) of each of its rows."""
        return [(row['policy'], row['succeeded'], row['failed'],
                 sorted(re.match(r'\d+ ([\w-]+)', text)[1] for text in row['failures'])) for row in self.rows(domain)]

    def counts(self, domain, *wanted):
        poll(f'{wanted} of {domain}', lambda: self.results(domain) == list(wanted))

    def posts(self, domain):
        """The reports about a domain that were posted."""
        found = []
        for host, path, kind, body in self.https.posts:
            report = json.loads(gzip.decompress(body))
            if report['policies'][0]['policy']['policy-domain'] == domain:
                found.append((host, path, kind, report))
        return found


def main():
    with contextlib.ExitStack() as stack:
        try:
            world = Reports(stack)
            world.make()
            world.start()
        except Skip as reason:
            print(f'1..0 # SKIP {reason}')
            return
        service = world.service
        spool_file = os.path.join(service.spool, FILE)

        def turn(value):
            service.set('tls-report', value)
            service.wait_applied()

        def test_off_nothing_is_collected():
            world.arrives('good', ', verified by MTA-STS>')
            assert 'are off' in service.ctl('tls-report', status=1)
            turn('yes')
            assert world.rows() == []
            assert service.ctl('tls-report') == 'nothing was collected\n'

        def test_sessions_are_counted_by_policy():
            # The session of before rests at its host, and is none of these.
            service.stop_relay()
            service.start_relay()
            world.arrives('good', ', verified by MTA-STS>')
            world.arrives('good', ', verified by MTA-STS>')  # in the same session
            world.counts(f'good.{ZONE}', ('sts', 1, 0, []))
            world.arrives('open')
            world.counts(f'open.{ZONE}', ('no-policy-found', 1, 0, []))
            world.arrives('', domain='dane.test', says=', verified by DANE>')
            world.counts('dane.test', ('tlsa', 1, 0, []))
            world.arrives('', domain='useless.test')
            world.counts('useless.test', ('tlsa', 0, 1, ['tlsa-invalid']))
            world.arrives('', domain='useless-judged.test', says=', verified by MTA-STS>')
            world.counts('useless-judged.test', ('sts', 1, 0, []))

        def test_failures_have_types():
            for label, kind in (('untrusted', 'certificate-not-trusted'), ('wrong-name', 'certificate-host-mismatch'),
                                ('plain', 'starttls-not-supported'), ('elsewhere', 'validation-failure')):
                world.waits(label, '451')
                poll(f'{kind} of {label}', lambda name=label, wanted=kind: any(
                    row[0] == 'sts' and row[1] == 0 and row[3] == [wanted] for row in world.results(f'{name}.{ZONE}')))
            world.arrives('trial')
            world.counts(f'trial.{ZONE}', ('sts', 0, 1, ['certificate-not-trusted']))
            world.arrives('clear', in_tls=False)
            world.counts(f'clear.{ZONE}', ('no-policy-found', 0, 1, ['starttls-not-supported']))
            for domain, kind in (('misfit.test', 'validation-failure'), ('bogus.test', 'dnssec-invalid')):
                world.send(domain)
                poll(f'{kind} of {domain}', lambda name=domain, wanted=kind: any(
                    row[0] == 'tlsa' and row[3] == [wanted] for row in world.results(name)))
            for message in service.queued():
                service.ctl('queue', 'delete', message['id'])

        def test_policies_that_cannot_be_had():
            for label, kind in (('missing', 'sts-policy-fetch-error'), ('nonsense', 'sts-policy-invalid'),
                                ('stranger', 'sts-webpki-invalid')):
                world.arrives(label)
                poll(f'{kind} of {label}', lambda name=label, wanted=kind: sorted(world.results(f'{name}.{ZONE}')) == [
                    ('no-policy-found', 1, 0, []), ('sts', 0, 1, [wanted])])

        def test_results_outlast_a_restart():
            before = world.rows()
            service.stop_relay()
            assert [day for day, _ in read_days(spool_file)] == [int(time.time()) // DAY_S]
            service.start_relay()
            assert world.rows() == before

        def test_damage_is_passed_over():
            service.stop_relay()
            with open(spool_file, 'r+b') as stream:
                stream.seek(40)
                octet = stream.read(1)
                stream.seek(40)
                stream.write(bytes([octet[0] ^ 1]))
            service.start_relay()
            assert world.rows() == []
            world.log('the results of TLS of before are not used')
            service.stop_relay()
            with open(spool_file, 'r+b') as stream:
                stream.seek(40)
                stream.write(octet)
            service.start_relay()
            assert len(world.rows()) > 10

        def test_nothing_of_today_is_sent_unasked():
            assert service.ctl_json('tls-report', '--send') == {'count': 0}
            assert service.ctl('tls-report', '--today', status=2)
            assert service.ctl('tls-report', '--send', 'good.test', status=2)

        def test_reports_are_sent():
            service.set('tls-report-from', 'tls@here.test')
            service.set('tls-report-organization', 'Here & There')
            service.wait_applied()
            sink = world.sinks[f'mx.{MAIL}']
            domains = {row['domain'] for row in world.rows()}
            assert service.ctl_json('tls-report', '--send', '--today') == {'count': len(domains)}
            poll('the reports', lambda: world.posts(f'good.{ZONE}') and world.posts(f'untrusted.{ZONE}') and
                 world.posts('mx.dane.test') and sink.messages)

            host, path, kind, report = world.posts(f'good.{ZONE}')[0]
            assert (host, path, kind) == (HTTPS, '/v1?a=b', 'application/tlsrpt+gzip')
            assert report['organization-name'] == 'Here & There' and report['contact-info'] == 'tls@here.test'
            assert report['date-range']['start-datetime'] == f'{today()}T00:00:00Z'
            assert report['date-range']['end-datetime'][:10] == today()
            lines = ['version: STSv1', 'mode: enforce', 'max_age: 86400', f'mx: mx.good.{ZONE}']
            assert [(each['policy'], each['summary']) for each in report['policies']] == [
                ({'policy-type': 'sts', 'policy-string': lines, 'policy-domain': f'good.{ZONE}',
                  'mx-host': [f'mx.good.{ZONE}']},
                 {'total-successful-session-count': 1, 'total-failure-session-count': 0})], report

            world.log(f'{INNER_HOST} cannot be reached: the host leads to private addresses alone')
            _, _, _, failed = world.posts(f'untrusted.{ZONE}')[0]
            details = failed['policies'][0]['failure-details']
            assert [(each['result-type'], each['receiving-mx-hostname'], each['receiving-ip'], each['sending-mta-ip'])
                    for each in details] == [('certificate-not-trusted', f'mx.untrusted.{ZONE}',
                                              world.sinks[f'mx.untrusted.{ZONE}'].host, '127.0.0.1')], details
            assert details[0]['failed-session-count'] >= 1 and 'certificate' in details[0]['failure-reason-code']
            _, _, _, dane = world.posts('mx.dane.test')[0]
            assert dane['policies'][0]['policy']['policy-string'][0].startswith('3 1 1 ')

            message = email.message_from_bytes(sink.messages[0].content, policy=email.policy.default)
            assert sink.messages[0].reverse_path == '' and sink.messages[0].recipients == [f'reports@{MAIL}']
            assert message.get_content_type() == 'multipart/report' and message.get_param('report-type') == 'tlsrpt'
            assert message['From'] == 'tls@here.test' and message['TLS-Required'] == 'No'
            assert message['TLS-Report-Domain'] == f'good.{ZONE}' and message['TLS-Report-Submitter']
            assert message['Subject'].startswith(f'Report Domain: good.{ZONE} Submitter: ')
            people, attached = message.iter_parts()
            assert people.get_content_type() == 'text/plain' and f'good.{ZONE}' in people.get_content()
            assert attached.get_content_type() == 'application/tlsrpt+gzip'
            assert re.fullmatch(rf'.+!good\.{ZONE}!\d+!\d+!\w+\.json\.gz', attached.get_filename())
            assert json.loads(gzip.decompress(attached.get_content())) == report

        def test_what_was_sent_is_forgotten_and_reports_are_not_reported():
            poll('all to be forgotten', lambda: world.rows() == [])
            service.wait_empty()
            assert service.ctl_json('tls-report', '--send', '--today') == {'count': 0}

        def test_a_report_that_nobody_takes_is_kept():
            world.https.answers[HTTPS].status = 500
            world.arrives('', domain='dane.test', says=', verified by DANE>')
            # Nobody has to wait for a session to end.
            service.stop_relay()
            service.start_relay()
            world.arrives('', domain='dane.test', says=', verified by DANE>')
            poll('a result', lambda: world.results('dane.test'))
            before = world.results('dane.test')
            n = len(world.https.posts)
            service.ctl('tls-report', '--send', '--today')
            world.log(f'report about TLS with dane.test on {today()}: {HTTPS} cannot be reached',
                      'it answers with status 500')
            world.counts('dane.test', *before)
            assert len(world.https.posts) > n
            world.https.answers[HTTPS].status = 200

        def test_days_before_are_sent_by_themselves():
            service.stop_relay()
            (_, domains), = read_days(spool_file)
            # One of them is due, whatever hour it is: the day before, or the one before that.
            day = int(time.time()) // DAY_S
            write_days(spool_file, [(day - 2, domains), (day - 1, domains)])
            n = len(world.posts('mx.dane.test'))
            service.start_relay()
            poll('a report', lambda: len(world.posts('mx.dane.test')) > n)
            poll('all to be forgotten', lambda: world.rows() == [])

        def test_off_again_nothing_is_left():
            world.arrives('open')
            service.stop_relay()
            service.start_relay()
            world.arrives('open')
            poll('a result', world.rows)
            turn('no')
            turn('yes')
            assert world.rows() == []
            service.stop_relay()
            assert read_days(spool_file) == []
            service.start_relay()

        run(*[function for name, function in list(locals().items()) if name.startswith('test_')])


if __name__ == '__main__':
    main()
