#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `meson install` puts where, and what systemd thinks of the units.

usage: installed.py BUILD-FOLDER
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

import tree
from tap import Skip

BUILD = sys.argv[1]
EXPOSURE = 15  # tenths, the most that `systemd-analyze security` may find

# Below the prefix; {libexecdir} and the like as they are configured.
WANTED = '''
{bindir}/reroute
{bindir}/reroutectl
{libexecdir}/reroute/reroute-relayd
{libexecdir}/reroute/reroute-rulesd
lib/systemd/system/reroute-relayd-submission.socket
lib/systemd/system/reroute-relayd-submissions.socket
lib/systemd/system/reroute-relayd.service
lib/systemd/system/reroute-relayd.socket
lib/systemd/system/reroute-rulesd.service
lib/sysusers.d/reroute.conf
lib/tmpfiles.d/reroute.conf
{datadir}/applications/org.reroute.Reroute.desktop
{datadir}/bash-completion/completions/reroutectl
{datadir}/dbus-1/interfaces/org.reroute.Relay1.xml
{datadir}/dbus-1/interfaces/org.reroute.Rules1.xml
{datadir}/dbus-1/system-services/org.reroute.Rules.service
{datadir}/dbus-1/system.d/org.reroute.conf
{datadir}/fish/vendor_completions.d/reroutectl.fish
{datadir}/icons/hicolor/scalable/apps/org.reroute.Reroute.svg
{datadir}/metainfo/org.reroute.Reroute.metainfo.xml
{datadir}/polkit-1/actions/org.reroute.policy
{datadir}/polkit-1/rules.d/org.reroute.rules
{datadir}/reroute/grafana/reroute.json
{datadir}/reroute/prometheus/reroute-alerts.yml
{datadir}/zsh/vendor-completions/_reroutectl
'''


def run(*command):
    """(exit status, lines)"""
    result = subprocess.run(command, text=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            check=False)
    return result.returncode, result.stdout.splitlines()


def configured():
    """The options of the build: {name: value}."""
    with open(os.path.join(BUILD, 'meson-info', 'intro-buildoptions.json'), encoding='utf-8') as stream:
        return {option['name']: option['value'] for option in json.load(stream)}


class Installed:
    """Everything in a folder of its own, which is the root of a system with nothing else on it."""

    def __init__(self):
        if shutil.which('meson') is None:
            raise Skip('no meson')
        self.options = configured()
        self.prefix = self.options['prefix'].lstrip('/')
        self.folder = tempfile.TemporaryDirectory(prefix='reroute-installed-')
        self.root = self.folder.name
        status, lines = run('meson', 'install', '-C', BUILD, '--no-rebuild', '--quiet', '--destdir', self.root)
        assert status == 0, lines

    def path(self, *parts):
        return os.path.join(self.root, self.prefix, *parts)

    def units(self):
        return sorted(os.listdir(self.path('lib', 'systemd', 'system')))

    def files(self):
        return {os.path.relpath(os.path.join(folder, name), self.root)
                for folder, _, names in os.walk(self.root) for name in names}


def wanted_files(options):
    found = set(WANTED.format(**options).split())
    with open(os.path.join(tree.ROOT, 'po', 'LINGUAS'), encoding='utf-8') as stream:
        languages = [line for line in stream.read().split('\n') if line and not line.startswith('#')]
    found |= {os.path.join(options['localedir'], language, 'LC_MESSAGES', 'reroute.mo') for language in languages}
    for page in tree.files('.1', '.5', '.7', '.8'):
        if page.startswith('data/man/'):
            found.add(os.path.join(options['mandir'], 'man' + page[-1], os.path.basename(page)))
    prefix = options['prefix'].lstrip('/')
    return {os.path.normpath(os.path.join(prefix, name)) for name in found}


def lint_files():
    wanted, found = wanted_files(INSTALLED.options), INSTALLED.files()
    for name in sorted(wanted - found):
        yield f'{name} is not installed'
    for name in sorted(found - wanted):
        yield f'{name} is installed, and not in the list of tests/lint/installed.py'


def lint_programs():
    libexec = INSTALLED.options['libexecdir']
    for name in ('bin/reroutectl', f'{libexec}/reroute/reroute-rulesd', f'{libexec}/reroute/reroute-relayd'):
        status, lines = run(INSTALLED.path(name), '--version')
        if status != 0 or not lines or not lines[0].startswith(os.path.basename(name)):
            yield f'{name} --version: exit status {status}: {lines}'


def analyze(*arguments):
    if shutil.which('systemd-analyze') is None:
        raise Skip('no systemd-analyze')
    return run('systemd-analyze', *arguments)


def lint_units():
    """As if the programs stood where the units say."""
    libexec = os.path.join(INSTALLED.options['prefix'], INSTALLED.options['libexecdir'])
    with tempfile.TemporaryDirectory(prefix='reroute-units-') as folder:
        for name in INSTALLED.units():
            with open(INSTALLED.path('lib', 'systemd', 'system', name), encoding='utf-8') as stream:
                text = stream.read().replace(f'={libexec}/', f'={INSTALLED.root}{libexec}/')
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as stream:
                stream.write(text)
        status, lines = analyze('verify', '--recursive-errors=yes', '--man=no',
                                *[os.path.join(folder, name) for name in INSTALLED.units()])
    if status != 0 or lines:
        yield from lines or [f'systemd-analyze verify: exit status {status}']


def lint_exposure():
    for name in INSTALLED.units():
        if name.endswith('.service'):
            unit = INSTALLED.path('lib', 'systemd', 'system', name)
            status, lines = analyze('security', '--offline=yes', f'--threshold={EXPOSURE}', '--no-pager', unit)
            if status != 0:
                yield f'{name}: {lines[-1] if lines else status}'


if __name__ == '__main__':
    INSTALLED = Installed()
    tree.run_lints(globals())
