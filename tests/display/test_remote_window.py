#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialog with --host: what stands for ssh here is its far side alone; tests/relay/test_remote.py has a real one."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, Dialog, run    # noqa: E402

BRIDGE = '''#!/bin/sh
echo "$@" >>{log}
echo $$ >{pid}
test ! -e {cut} || {{ echo "ssh: connect to host relay1.test port 2222: Connection refused" >&2; exit 255; }}
exec systemd-stdio-bridge -p {address}
'''


class FarSide:
    """A folder with what is called ssh, in front of PATH."""

    def __init__(self, desk):
        place = desk.place
        self.folder = place.join('far')
        self.log, self.cut = place.join('far', 'log'), place.join('far', 'cut')
        self.pid = place.join('far', 'pid')
        os.mkdir(self.folder)
        path = os.path.join(self.folder, 'ssh')
        with open(path, 'w', encoding='utf-8') as stream:
            stream.write(BRIDGE.format(log=self.log, cut=self.cut, pid=self.pid, address=desk.bus.address))
        os.chmod(path, 0o755)
        self.environment = {'PATH': f'{self.folder}:{os.environ["PATH"]}'}

    def lose(self):
        """The connection, and each that is tried until restore()."""
        with open(self.cut, 'w', encoding='utf-8'), open(self.pid, encoding='utf-8') as stream:
            os.kill(int(stream.read()), signal.SIGTERM)

    def restore(self):
        os.remove(self.cut)


def test_rows_of_the_other_computer(desk):
    """Its name stands in the title, and what is saved is saved there."""
    desk.far = far = FarSide(desk)
    desk.ctl('routing', 'add', 'far.test', '--reroute-to=example.com')
    desk.dialog = Dialog(desk.place, desk.bus.address, '--host=admin@relay1.test:2222',
                         environment=far.environment).__enter__()
    desk.page(1)
    desk.dialog.wait_text('far.test')
    title = desk.dialog.window(SHEET).title
    assert 'relay1.test' in title, title
    with open(far.log, encoding='utf-8') as stream:
        assert 'admin' in stream.readline()
    desk.add_routing('near.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.apply()
    assert 'near.test' in desk.rows('routing')


def test_a_lost_connection_keeps_her_edits(desk):
    desk.add_routing('kept.test', 'example.net')
    desk.confirm('Add E-mail Domain')
    desk.far.lose()
    desk.dialog.wait_text('The rules service does not answer')
    desk.dialog.wait_text('kept.test')
    desk.far.restore()
    desk.dialog.wait_no_text('The rules service does not answer')
    desk.apply()
    assert 'kept.test' in desk.rows('routing')


if __name__ == '__main__':
    run('remote-window', test_rows_of_the_other_computer, test_a_lost_connection_keeps_her_edits)
