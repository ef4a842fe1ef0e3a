#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Debian packages, from the build to the purge, on a clean Debian 12 with a systemd of its own.

Takes ten minutes or so, and a network for the packages of Debian; tests/run --long runs it.  As root.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'tests', 'relay'), os.path.join(ROOT, 'tests')]

from machine import Machine, check_possible, download_dependencies, make_root, put_packages  # noqa: E402
from place import BUILD, Place, poll  # noqa: E402
from tap import Skip, Tap  # noqa: E402

INSTALLED = ('reroute', 'reroute-relay', 'reroute-common')
NEWER_SCHEMA = 99
# What belongs to others when it has our name: the test itself, and what apt and the journal remember.
NOT_OURS = ('/src', '/debs', '/proc', '/sys', '/var/log', '/var/cache/apt', '/var/lib/apt')


# --- building ---

def copy_source(folder):
    """What is in the work tree, without what was built."""
    listed = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=ROOT,
                            capture_output=True, check=True).stdout
    for name in listed.decode().rstrip('\0').split('\0'):
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        shutil.copy(os.path.join(ROOT, name), os.path.join(folder, name))
    return folder


def build_packages(source, folder, umask, zone):
    """Builds a copy of @source in @folder; the names of the packages."""
    source = shutil.copytree(source, os.path.join(folder, 'reroute'), copy_function=shutil.copy)
    environment = dict(os.environ, DEB_BUILD_OPTIONS='nocheck', TZ=zone)
    with open(os.path.join(folder, 'build.log'), 'w', encoding='utf-8') as log:
        status = subprocess.run(['dpkg-buildpackage', '-us', '-uc', '-b'], cwd=source, env=environment, stdout=log,
                                stderr=log, umask=umask, check=False).returncode
    if status != 0:
        with open(os.path.join(folder, 'build.log'), encoding='utf-8') as log:
            raise AssertionError(log.read()[-4000:])
    return sorted(glob.glob(os.path.join(folder, '*.deb')))


def make_newer(packages, folder):
    """The same files in packages of a newer version."""
    found = []
    for package in packages:
        name = os.path.basename(package).split('_')[0]
        files = os.path.join(folder, name)
        subprocess.run(['dpkg-deb', '--raw-extract', package, files], check=True)
        for control in ('control', 'preinst'):
            path = os.path.join(files, 'DEBIAN', control)
            if os.path.exists(path):
                with open(path, encoding='utf-8') as stream:
                    text = stream.read()
                with open(path, 'w', encoding='utf-8') as stream:
                    stream.write(text.replace(version_of(package), version_of(package) + '+newer'))
        found.append(f'{files}.deb')
        subprocess.run(['dpkg-deb', '--root-owner-group', '--build', files, found[-1]], check=True,
                       stdout=subprocess.DEVNULL)
    return found


def version_of(package):
    return os.path.basename(package).split('_')[1]


def installed_ones(packages):
    return [package for package in packages if os.path.basename(package).split('_')[0] in INSTALLED]


def test_lintian_is_silent(folder):
    changes, = glob.glob(os.path.join(folder, '*.changes'))
    result = subprocess.run(['lintian', '--allow-root', '--fail-on', 'error,warning', changes], capture_output=True,
                            text=True, check=False)
    assert result.returncode == 0 and not result.stdout, result.stdout + result.stderr


def test_two_builds_give_the_same_octets(first, source, place):
    """In another folder, time zone and umask, and at another time."""
    second = build_packages(source, place.folder('another', 'place'), 0o077, 'Asia/Tokyo')
    assert [os.path.basename(one) for one in first] == [os.path.basename(one) for one in second], (first, second)
    for one, other in zip(first, second):
        with open(one, 'rb') as one_stream, open(other, 'rb') as other_stream:
            assert one_stream.read() == other_stream.read(), one


# --- on the machine ---

def version_on(machine, package='reroute-relay'):
    return machine.run('dpkg-query', '--show', '--showformat=${Version}', package)


def test_install(machine, names):
    """Both daemons run, everything that failed is nothing."""
    machine.apt('install', *names)
    for unit in ('reroute-relayd.service', 'reroute-relayd.socket'):
        assert machine.run('systemctl', 'is-active', unit).strip() == 'active', unit
    assert not machine.run('systemctl', '--failed', '--plain', '--no-legend').strip()
    units = [f'/lib/systemd/system/{name}' for name in machine.run('ls', '/lib/systemd/system').split()
             if name.startswith('reroute-')]
    assert len(units) == 5, units
    machine.run('systemd-analyze', 'verify', '--recursive-errors=yes', '--man=no', *units)
    said = machine.run('journalctl', '--unit=reroute-relayd.service', '--output=cat')
    assert 'receiving on' in said and 'Landlock is refused' not in said, said
    machine.run('test', '-d', '/etc/reroute/alarm-commands', '-a', '-d', '/etc/reroute/token-commands')


def test_recipes(machine):
    """debian/tests by autopkgtest, with the machine as its testbed: nobody is served, reroute, forward."""
    said = machine.run('autopkgtest', '--no-built-binaries', '--ignore-restrictions=isolation-container,breaks-testbed',
                       '/src', '--', 'null')
    assert len(re.findall('^ok ', said, re.MULTILINE)) == 4 and 'SKIP' not in said, said
    assert re.search(r'^recipes +PASS$', said, re.MULTILINE), said


def test_reload(machine):
    machine.run('systemctl', 'reload', 'reroute-relayd.service')
    assert machine.run('systemctl', 'is-active', 'reroute-relayd.service').strip() == 'active'


WRITE = 'mkdir -p "/etc/systemd/system/$0.d" && printf "[Service]\\n%s\\n" "$1" >"/etc/systemd/system/$0.d/wrong.conf"'
WRONG = (
    # unit, what an administrator has put into it, what its log says
    ('reroute-rulesd.service', 'StateDirectory=', r'folder .+/var/lib/reroute.+ is read-only for this process: .*unit'),
    ('reroute-rulesd.service', 'User=nobody', r'org\.reroute\.Rules .* see whether this user may own the name'),
    ('reroute-relayd.service', 'StateDirectory=', r'spool directory .+/var/lib/reroute-relay.+ is read-only .*unit'),
    ('reroute-relayd.service', 'User=nobody', r'org\.reroute\.Relay .* see whether this user may own the name'),
)


def test_wrong_override(machine):
    """It does not start, its log says why and what to do; when the override goes all is as it was."""
    machine.run('reroutectl', 'routing', 'add', 'kept.test', '--relay')
    kept = machine.run('reroutectl', 'export')
    for unit, line, wanted in WRONG:
        machine.run('sh', '-c', WRITE, unit, line)
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'restart', unit, status=1)
        machine.run('systemctl', 'stop', unit)
        said = machine.run('journalctl', f'--unit={unit}', '--output=cat', '--lines=30')
        assert re.search(wanted, said), (line, said)
        machine.run('rm', '-r', f'/etc/systemd/system/{unit}.d')
        machine.run('systemctl', 'daemon-reload')
        machine.run('systemctl', 'start', unit)
        assert machine.run('reroutectl', 'export') == kept, line


def test_upgrade_under_load(machine, names):
    """Not one connection is refused, and what was taken arrives; both daemons are the new ones."""
    def pids():
        return [machine.run('systemctl', 'show', '--value', '--property=MainPID', unit).strip()
                for unit in ('reroute-relayd.service', 'reroute-rulesd.service')]
    before = pids()
    said = machine.run('python3', '/src/tests/package/load.py', 'apt-get', '-q', '-y', 'install', *names)
    figures = json.loads(said.splitlines()[-1])
    assert figures['status'] == 0, said
    assert figures['during'] > 0 and figures['refused'] == 0 and not figures['lost'], figures
    assert version_on(machine).endswith('+newer')
    assert not set(before) & set(pids()), (before, pids())


SCHEMA = '''
import sqlite3, sys
database = sqlite3.connect('/var/lib/reroute/rules.db')
if sys.argv[1:]:
    database.execute('PRAGMA user_version = ' + sys.argv[1])
print(database.execute('PRAGMA user_version').fetchone()[0])
database.close()
'''


def schema_on(machine, *wanted):
    """The version of the tables; @wanted: what it shall be from now on."""
    machine.run('systemctl', 'stop', 'reroute-rulesd.service')
    return int(machine.run('python3', '-c', SCHEMA, *wanted))


def test_downgrade_is_refused(machine, names):
    """Where the rules, or the queue, are of a newer version: with the reason, and the newer packages stay."""
    schema = schema_on(machine)
    newer = version_on(machine)
    schema_on(machine, str(NEWER_SCHEMA))
    said = machine.apt('install', *names, status=100)
    assert re.search(rf'tables have version {NEWER_SCHEMA};\n.*reads up to version {schema}\..*stay with', said), said
    assert version_on(machine) == newer
    said = machine.run('/usr/libexec/reroute/reroute-rulesd', '--check', '--database=/var/lib/reroute/rules.db',
                       status=1)
    assert 'install the newer one again' in said, said
    schema_on(machine, str(schema))
    journal = '/var/lib/reroute-relay/journal-newer'
    machine.run('sh', '-c', rf"printf 'RRSPOOL\n\143\0\0\0' >{journal}")
    said = machine.apt('install', *names, status=100)
    assert re.search(rf'{journal} was written by .*has format 99;\n.*reads up to format \d+\..*stay with', said), said
    assert version_on(machine) == newer
    machine.run('rm', journal)
    machine.run('dpkg', '--configure', '--pending')


def test_downgrade(machine, names):
    """Where the rules can be read.  The bus may be waiting still for the rulesd of the case before."""
    machine.apt('install', *names)
    assert not version_on(machine).endswith('+newer')
    poll('the rules', lambda: 'load.test' in machine.run('reroutectl', 'connections', 'list', status=None))


def test_remove_keeps(machine):
    machine.apt('remove', 'reroute-relay')
    for path in ('/var/lib/reroute/rules.db', '/var/lib/reroute-relay'):
        machine.run('test', '-e', path)
    assert machine.run('systemctl', 'is-active', 'reroute-relayd.socket', status=None).strip() != 'active'


def test_purge_leaves_the_users_alone(machine):
    """The queue is on a disk of its own, which is emptied."""
    queue = '/var/lib/reroute-relay'
    machine.run('mount', '-t', 'tmpfs', 'none', queue)
    machine.run('touch', f'{queue}/journal-1')
    said = machine.apt('purge', *INSTALLED)
    assert 'Removing /var/lib/reroute ' in said and f'Removing {queue} ' in said, said
    assert not machine.run('ls', '-A', queue)
    machine.run('umount', queue)
    machine.run('rmdir', queue)
    ignored = [word for path in NOT_OURS for word in ('-path', path, '-prune', '-o')]
    left = machine.run('find', '/', *ignored, '(', '-name', '*reroute*', '-o', '-user', 'reroute-relay', '-o', '-user',
                       'reroute-rules', ')', '-print')
    assert not left, left
    for user in ('reroute-rules', 'reroute-relay'):
        machine.run('getent', 'passwd', user)


def main():
    tap = Tap()
    try:
        check_possible()
        with Place('package') as place:
            run_cases(tap, place)
    except Skip as reason:
        tap.skip('packages', reason)
    tap.done()


def run_cases(tap, place):
    source = copy_source(place.folder('source'))
    packages = build_packages(source, place.folder('build'), 0o022, 'UTC')
    tap.case('lintian-is-silent', test_lintian_is_silent, place.join('build'))
    root = os.path.join(BUILD, 'package-root')
    make_root(root)
    wanted = installed_ones(packages)
    download_dependencies(root, wanted)
    old = put_packages(root, wanted)
    new = put_packages(root, make_newer(wanted, place.folder('newer')))
    machine = Machine(place, root, source)
    for case, *arguments in ((test_install, old), (test_recipes,), (test_reload,), (test_wrong_override,),
                             (test_upgrade_under_load, new),
                             (test_downgrade_is_refused, old), (test_downgrade, old), (test_remove_keeps,),
                             (test_purge_leaves_the_users_alone,)):
        tap.case(case.__name__.removeprefix('test_').replace('_', '-'), case, machine, *arguments)
    tap.case('two-builds-give-the-same-octets', test_two_builds_give_the_same_octets, packages, source, place)


if __name__ == '__main__':
    main()
