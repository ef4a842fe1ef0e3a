# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's python3-milter, and libmilter below it, as a neighbour; run as a program this file is the filter itself.

It refuses the client at 127.0.0.66, the name unwanted.test and a header field `X-Refuse`, and changes of a message, by what libmilter has for that, all that it may.
"""

import os
import sys

PACKAGES = ('python3-milter', 'libmilter1.0.1')


def serve(address):
    """The filter; only what python3-milter itself brings is imported here."""
    import Milter  # pylint: disable=import-outside-toplevel,import-error

    class Filter(Milter.Base):
        """One connection of the relay's."""

        def connect(self, name, family, address):
            return Milter.REJECT if address[0] == '127.0.0.66' else Milter.CONTINUE

        def hello(self, name):
            self.greeting = name
            if name == 'unwanted.test':
                self.setreply('550', '5.7.1', 'not by this name')
                return Milter.REJECT
            return Milter.CONTINUE

        def envfrom(self, sender, *arguments):
            self.length = 0
            return Milter.CONTINUE

        def envrcpt(self, recipient, *arguments):
            if recipient.startswith('<unwanted@'):
                self.setreply('550', '5.1.1', 'not wanted', 'by python3-milter')
                return Milter.REJECT
            return Milter.CONTINUE

        def header(self, name, value):
            return Milter.TEMPFAIL if name == 'X-Refuse' else Milter.CONTINUE

        def body(self, chunk):
            self.length += len(chunk)
            return Milter.CONTINUE

        def eom(self):
            self.progress()
            self.addheader('X-Saw', f'{self.length} octets, helo {self.greeting}, id {self.getsymval("i")}')
            self.addheader('X-Top', 'first', 0)
            self.chgheader('Subject', 1, 'changed')
            self.chgfrom('<changed@origin.test>')
            self.addrcpt('<added@in.test>')
            self.delrcpt('<gone@in.test>')
            self.replacebody(b'new body\r\n')
            return Milter.CONTINUE

    Milter.factory = Filter
    Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGFROM | Milter.ADDRCPT | Milter.DELRCPT | Milter.CHGBODY)
    Milter.runmilter('python', address, 60)


if __name__ == '__main__':
    serve(sys.argv[1])
else:
    from peers import Peer, library_path, unpack

    class PythonMilter(Peer):
        """The filter, on a loopback port."""

        def __init__(self, place, name='python-milter'):
            self.root = unpack('python3-milter', PACKAGES)
            super().__init__(place, name)

        @property
        def address(self):
            return f'inet:{self.host}:{self.port}'

        def start(self):
            environment = {'PATH': '/usr/bin:/bin', 'LD_LIBRARY_PATH': library_path(self.root),
                           'PYTHONPATH': os.path.join(self.root, 'usr/lib/python3/dist-packages')}
            # -P: a milter.py stands beside this file, and is not the one that is wanted.
            self.process = self.place.start(self.name, ['/usr/bin/python3', '-P', os.path.abspath(__file__),
                                                        f'inet:{self.port}@{self.host}'], environment)
            self.ready()
            return self
