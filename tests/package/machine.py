# SPDX-License-Identifier: GPL-3.0-or-later
"""A clean Debian 12 with a systemd of its own, in namespaces of this machine (tests/package/boot)."""

import os
import shutil
import subprocess

from place import poll
from tap import Skip

HERE = os.path.dirname(os.path.abspath(__file__))
SUITE = 'bookworm'
# What a server has, beside the smallest Debian, and what the tests want.
BASE = 'dbus,systemd,systemd-sysv,libpam-systemd,polkitd,python3,iproute2,nsd,autopkgtest,dpkg-dev'
ENVIRONMENT = ('DEBIAN_FRONTEND=noninteractive', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8',
               'PYTHONDONTWRITEBYTECODE=1')
COMMAND_S = 600
NEEDED = ('apt-get', 'debootstrap', 'unshare', 'nsenter', 'pivot_root', 'dpkg-buildpackage', 'lintian', 'git')


def check_possible():
    """Raises Skip, with what is missing."""
    if os.getuid() != 0:
        raise Skip('not root: no machine of its own can be started')
    path = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'
    os.environ['PATH'] = path
    for name in NEEDED:
        if shutil.which(name) is None:
            raise Skip(f'no {name}: service/packages package')
    cgroups()
    namespaces = ['unshare', '--mount', '--pid', '--fork', '--net', '--uts', '--ipc', '--cgroup', 'true']
    if subprocess.run(namespaces, capture_output=True, check=False).returncode != 0:
        raise Skip('this machine gives no namespaces')


def cgroups():
    with open('/proc/mounts', encoding='utf-8') as stream:
        for line in stream:
            _, folder, kind, options = line.split()[:4]
            if kind == 'cgroup2' and 'rw' in options.split(','):
                return folder
    raise Skip('no cgroup2 file system to write to')


def sources():
    """Where this machine's own packages come from: (address, suite, component)."""
    result = subprocess.run(['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE) $(COMPONENT)',
                             'Created-By: Packages'], capture_output=True, text=True, check=False)
    found = sorted({tuple(line.split()) for line in result.stdout.splitlines() if SUITE in line})
    if not any(suite == SUITE for _, suite, _ in found):
        raise Skip(f'apt-get knows no packages of {SUITE}: apt-get update')
    return found


def make_root(path):
    """A root directory that only debootstrap and the downloads of apt have touched; kept for the next time."""
    listing = os.path.join(path, 'debs', 'base')
    if os.path.exists(listing):
        with open(listing, encoding='ascii') as stream:
            if stream.read() == BASE:
                return
        shutil.rmtree(path)
    new = path + '.new'
    shutil.rmtree(new, ignore_errors=True)
    address = next(address for address, suite, _ in sources() if suite == SUITE)
    result = subprocess.run(['debootstrap', '--variant=minbase', f'--include={BASE}', SUITE, new, address],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Skip(f'debootstrap: {(result.stdout + result.stderr).strip().splitlines()[-1]}')
    with open(os.path.join(new, 'etc', 'apt', 'sources.list'), 'w', encoding='utf-8') as stream:
        for source in sources():
            stream.write('deb %s %s %s\n' % source)
    acquire = subprocess.run(['apt-config', 'dump', 'Acquire'], capture_output=True, text=True, check=True).stdout
    with open(os.path.join(new, 'etc', 'apt', 'apt.conf.d', '90test'), 'w', encoding='utf-8') as stream:
        stream.write(acquire)
    os.mkdir(os.path.join(new, 'debs'))
    with open(os.path.join(new, 'debs', 'base'), 'w', encoding='ascii') as stream:
        stream.write(BASE)
    os.rename(new, path)


def download_dependencies(root, packages):
    """So that `apt-get install ./*.deb` finds what it wants in a machine without a network."""
    names = put_packages(root, packages)
    shutil.copy('/etc/resolv.conf', os.path.join(root, 'etc', 'resolv.conf'))
    script = ('mount -t proc proc "$0/proc" && exec chroot "$0" sh -c '
              '"apt-get -q update && apt-get -q -y --no-install-recommends --download-only install $*" sh')
    result = subprocess.run(['unshare', '--mount', 'sh', '-c', script, root, *names], capture_output=True, text=True,
                            check=False)
    if result.returncode != 0:
        raise Skip(f'the dependencies are not to be had: {result.stderr.strip()[-200:]}')


def put_packages(root, packages):
    """Copies them into @root; their names there."""
    for package in packages:
        shutil.copy(package, os.path.join(root, 'debs'))
    return [os.path.join('/debs', os.path.basename(package)) for package in packages]


class Machine:
    """Runs until the end of the block."""

    def __init__(self, place, root, source):
        self.cgroup = os.path.join(cgroups(), f'reroute-package-{os.getpid()}')
        os.mkdir(self.cgroup)
        place.cleanups.append(self.stop)
        self.outer = place.start('machine', [os.path.join(HERE, 'boot'), root, place.folder('machine'), source,
                                             self.cgroup])
        self.init = None
        self.wait_booted()

    def find_init(self):
        assert self.outer.poll() is None, 'the machine did not start'
        with open(f'/proc/{self.outer.pid}/task/{self.outer.pid}/children', encoding='ascii') as stream:
            return stream.read().strip()

    def wait_booted(self):
        self.init = poll('the first process of the machine', self.find_init)

        def is_up():
            return self.run('systemctl', 'is-system-running', status=None).strip() in ('running', 'degraded')
        poll('the machine to come up', is_up, step_s=0.2)

    def run(self, *command, status=0):
        """What a command in it prints; @status: the exit status that is wanted, or None."""
        enter = ['nsenter', f'--target={self.init}', '--mount', '--pid', '--net', '--uts', '--ipc', '--cgroup',
                 '--root', '--wd', 'env', '-i', *ENVIRONMENT]
        result = subprocess.run([*enter, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                timeout=COMMAND_S, check=False)
        if status is not None and result.returncode != status:
            raise AssertionError(f'{" ".join(command)}: exit status {result.returncode}: {result.stdout[-4000:]}')
        return result.stdout

    def apt(self, *arguments, status=0):
        return self.run('apt-get', '-q', '-y', '--no-install-recommends', '--allow-downgrades', *arguments,
                        status=status)

    def stop(self):
        if self.outer.poll() is None:
            self.outer.kill()
            self.outer.wait()
        poll('its processes to be gone', self.remove_cgroups)

    def remove_cgroups(self):
        try:
            for folder, _, _ in os.walk(self.cgroup, topdown=False):
                os.rmdir(folder)
        except OSError:
            return False
        return True
