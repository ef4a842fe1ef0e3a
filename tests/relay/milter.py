# SPDX-License-Identifier: GPL-3.0-or-later
"""A mail filter that speaks the milter protocol (version 6) and does what a test says, octet for octet."""

import asyncio
import os
import struct
import threading

VERSION = 6
ALL_ACTIONS, LEADING_SPACE, NO_REPLY_HEADER, SKIP = 0xFF, 0x100000, 0x80, 0x400
NAMES = {'C': 'CONNECT', 'H': 'HELO', 'M': 'MAIL', 'R': 'RCPT', 'T': 'DATA', 'L': 'HEADER', 'N': 'EOH', 'B': 'BODY',
         'E': 'END', 'A': 'ABORT', 'Q': 'QUIT', 'D': 'MACRO', 'O': 'NEGOTIATE'}
UNANSWERED = ('ABORT', 'QUIT', 'MACRO')


def packet(kind, data=b''):
    return struct.pack('>I', len(data) + 1) + kind.encode() + data


def text(value):
    return value.encode('utf-8', 'surrogateescape') + b'\0'


def add_header(name, value):
    return packet('h', text(name) + text(value))


def insert_header(index, name, value):
    return packet('i', struct.pack('>I', index) + text(name) + text(value))


def change_header(index, name, value):
    return packet('m', struct.pack('>I', index) + text(name) + text(value))


def change_from(address, *arguments):
    return packet('e', text(address) + b''.join(text(argument) for argument in arguments))


def add_rcpt(address, arguments=None):
    return packet('+', text(address)) if arguments is None else packet('2', text(address) + text(arguments))


def delete_rcpt(address):
    return packet('-', text(address))


def replace_body(octets):
    return packet('b', octets)


def quarantine(reason):
    return packet('q', text(reason))


def code(reply):
    return packet('y', text(reply))


CONTINUE, ACCEPT, REJECT, TEMPFAIL = packet('c'), packet('a'), packet('r'), packet('t')
DISCARD, SKIP_BODY, PROGRESS, SHUTDOWN = packet('d'), packet('s'), packet('p'), packet('4')


class Seen:
    """What one message looked like to the filter."""

    def __init__(self):
        self.mail, self.rcpts, self.headers, self.body = None, [], [], b''


class Milter:
    """Listens at @path, or on a loopback port, in a thread of its own; used as a context manager.

    @listener: a socket that listens there already; taken.
    @answer: called with (stage, what was told) before each answer; octets are sent instead of CONTINUE, an event
    delays CONTINUE until it is set, `drop` closes, `stall` says nothing, a list does each of these in turn.
    """

    def __init__(self, answer=None, path=None, actions=ALL_ACTIONS, steps=LEADING_SPACE, version=VERSION, listener=None):
        self.answer = answer or (lambda stage, told: None)
        self.path, self.host, self.port = path, '127.0.0.1', 0
        self.listener = listener
        self.actions, self.steps, self.version = actions, steps, version
        self.stages, self.messages, self.macros = [], [], {}
        self.n_connections = 0
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        if self.listener is not None:
            self._server = self._call(asyncio.start_unix_server(self._serve, sock=self.listener))
        elif self.path is not None:
            self._server = self._call(asyncio.start_unix_server(self._serve, self.path))
            os.chmod(self.path, 0o666)
        else:
            self._server = self._call(asyncio.start_server(self._serve, self.host, self.port))
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def n_open(self):
        """Connections, now."""
        return len(self._writers)

    @property
    def address(self):
        return f'unix:{self.path}' if self.path is not None else f'inet:{self.host}:{self.port}'

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _close(self):
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    async def _serve(self, reader, writer):
        self._writers.add(writer)
        self.n_connections += 1
        try:
            await self._talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _talk(self, reader, writer):
        seen = Seen()
        while True:
            length, = struct.unpack('>I', await reader.readexactly(4))
            data = await reader.readexactly(length)
            stage, told = NAMES[chr(data[0])], data[1:]
            self.stages.append(stage)
            if stage == 'QUIT':
                return
            if stage == 'MACRO':
                parts = told[1:].split(b'\0')[:-1]
                self.macros.update({name.decode(): value.decode() for name, value in zip(parts[::2], parts[1::2])})
            seen = self._take(stage, told, seen)
            if stage == 'NEGOTIATE':
                _, actions, steps = struct.unpack('>III', told)
                default = packet('O', struct.pack('>III', self.version, self.actions & actions, self.steps & steps))
            else:
                default = CONTINUE
            if stage in UNANSWERED or (stage == 'HEADER' and self.steps & NO_REPLY_HEADER):
                continue
            told = seen if stage == 'END' else told
            await self._say(self.answer(stage, told), default, reader, writer)

    def _take(self, stage, told, seen):
        if stage == 'MAIL':
            seen = Seen()
            seen.mail = told.split(b'\0')[0].decode()
        elif stage == 'RCPT':
            seen.rcpts.append(told.split(b'\0')[0].decode())
        elif stage == 'HEADER':
            name, value, _ = told.split(b'\0')
            seen.headers.append((name.decode(), value.decode('utf-8', 'surrogateescape')))
        elif stage == 'BODY':
            seen.body += told
        elif stage == 'END':
            self.messages.append(seen)
        return seen

    async def _say(self, what, default, reader, writer):
        for part in what if isinstance(what, list) else [what]:
            if isinstance(part, threading.Event):
                await asyncio.get_running_loop().run_in_executor(None, part.wait)
                part = None
            if part == 'drop':
                raise ConnectionError
            if part == 'stall':
                await reader.read()
                raise ConnectionError
            writer.write(default if part is None else part)
            await writer.drain()
