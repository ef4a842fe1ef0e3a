#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A relay whose log is the journal's: runs $RELAYD in a /run of its own, and writes what journald would get to
$JOURNAL, an entry a line, as JSON; what comes as mere lines has the field LINE alone."""

import ctypes
import json
import os
import socket
import sys

FOLDER = '/run/systemd/journal'
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 0x4000, 1 << 18


def own_run():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(None, b'/', None, MS_REC | MS_PRIVATE, None) \
            or libc.mount(b'tmpfs', b'/run', b'tmpfs', 0, None):
        sys.exit(os.strerror(ctypes.get_errno()))
    os.makedirs(FOLDER)


def parse(octets):
    """The fields of an entry in journald's own protocol, where every value has its length in front."""
    entry = {}
    while octets:
        name, octets = octets.split(b'\n', 1)
        end = 8 + int.from_bytes(octets[:8], 'little')
        entry[name.decode()] = octets[8:end].decode()
        assert octets[end:end + 1] == b'\n', octets
        octets = octets[end + 1:]
    return entry


def keep(file, entry):
    file.write(json.dumps(entry) + '\n')
    file.flush()


def listen(entries, lines):
    """Until the relay is gone."""
    stream, _ = lines.accept()
    lines.close()
    entries.settimeout(0.05)
    stream.settimeout(0.05)
    with open(os.environ['JOURNAL'], 'a', encoding='utf-8') as file:
        while True:
            try:
                keep(file, parse(entries.recv(1 << 20)))
                continue
            except TimeoutError:
                pass
            try:
                text = stream.recv(1 << 16)
            except TimeoutError:
                continue
            if not text:
                return
            keep(file, {'LINE': text.decode()})


def main():
    own_run()
    entries = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    entries.bind(f'{FOLDER}/socket')
    lines = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    lines.bind(f'{FOLDER}/stdout')
    lines.listen()
    if os.fork() == 0:
        listen(entries, lines)
        return
    entries.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as error:
        error.connect(f'{FOLDER}/stdout')
        lines.close()
        os.dup2(error.fileno(), 2)
    os.execv(os.environ['RELAYD'], [os.environ['RELAYD'], *sys.argv[1:]])


if __name__ == '__main__':
    main()
