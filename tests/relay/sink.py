# SPDX-License-Identifier: GPL-3.0-or-later
"""An SMTP server that keeps what it is told: every conversation, every message, byte for byte."""

import asyncio
import base64
import re
import ssl
import threading

EXTENSIONS = ('PIPELINING', 'SIZE 104857600', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES')

MISBEHAVIOUR = ('drop', 'stall', 'endless', 'drip')
DRIP_S = 0.2


class Message:
    """One transaction that was answered with 250 at its final dot."""

    def __init__(self, session, reverse_path, recipients, content, tls=None, peer=None):
        self.session = session
        self.peer = peer  # (address, port) that it came from
        self.tls = tls  # the ssl object of its connection; None in clear text
        self.reverse_path = reverse_path
        self.recipients = recipients
        self.content = content


class Sink:
    """Listens on one address, in a thread of its own; used as a context manager.

    @reply: called with (verb, argument) before each answer; a text replaces the usual reply, `drop`
    closes the connection, an event delays the usual reply until it is set, None leaves it; octets go
    out as they are; `stall` says nothing any more, `endless` a reply that never ends, `drip` the
    usual reply an octet at a time.  Verbs: CONNECT, EHLO, STARTTLS, MAIL, RCPT, DATA, BDAT, DOT,
    RSET, QUIT; BDAT is asked before the chunk is read and answered behind it, but for `drop`; DOT at the last one; CONTENT after the first line of a message, where only `drop` and `stall` mean something.
    @take: called with each message when it is answered with 250; then nothing is kept here.
    @lmtp: LHLO instead of EHLO, and an answer for each recipient: DOT is called with it.
    @path: of a Unix socket to listen on instead; @listener: one that listens there already; taken.
    @tls: an ssl context: STARTTLS is offered; `broken`: it is offered, and the connection closed instead;
        `stalled`: it is offered, and nothing said then.
    @knows_bdat: False: what its commands bring along is read as commands, too, though CHUNKING may be among @extensions.
    @auth: {mechanism: what a client has to say, response by response}: offered, and wanted before MAIL.
    """

    def __init__(self, host='127.0.0.1', port=0, reply=None, extensions=EXTENSIONS, name='sink.test',
                 take=None, tls=None, auth=None, lmtp=False, path=None, listener=None, knows_bdat=True):
        self.host, self.port = host, port
        self.reply = reply or (lambda verb, argument: None)
        self.extensions = list(extensions)
        self.name = name
        self.take = take
        self.tls = tls
        self.auth = auth or {}
        self.lmtp = lmtp
        self.path, self.listener = path, listener
        self.knows_bdat = knows_bdat
        self.messages = []
        self.conversations = []
        self._tasks = set()
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        if self.listener is not None:
            self._server = self._call(asyncio.start_unix_server(self._serve, sock=self.listener, limit=1 << 20))
            return self
        if self.path is not None:
            self._server = self._call(asyncio.start_unix_server(self._serve, self.path, limit=1 << 20))
            return self
        self._server = self._call(asyncio.start_server(self._serve, self.host, self.port,
                                                       limit=1 << 20, backlog=1024))
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def endpoint(self):
        return f'{self.host}:{self.port}'

    @property
    def n_sessions(self):
        """Open now."""
        return len(self._tasks)

    def recipients(self):
        """Of all messages, in the order of arrival."""
        return [recipient for message in list(self.messages) for recipient in message.recipients]

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    async def _close(self):
        self._server.close()
        await self._server.wait_closed()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        lines = []
        if self.take is None:
            self.conversations.append(lines)
        try:
            await _Session(self, reader, writer, lines).run()
        except (ConnectionError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()


class _Session:
    def __init__(self, sink, reader, writer, lines):
        self.sink, self.reader, self.writer, self.lines = sink, reader, writer, lines
        self.reverse_path, self.recipients, self.chunks = None, [], []
        self.tls = None
        self.authenticated = False

    async def say(self, verb, argument, usual):
        """Sends a reply; returns whether it is a positive one."""
        return await self.answer(self.sink.reply(verb, argument), usual)

    async def answer(self, text, usual):
        if isinstance(text, threading.Event):
            await asyncio.get_running_loop().run_in_executor(None, text.wait)
            text = None
        if text in MISBEHAVIOUR or isinstance(text, bytes):
            await self.misbehave(text, usual)
            return text == 'drip' and usual[0] in '23'
        text = text or usual
        self.lines.extend(f'S: {line}' for line in text.split('\r\n'))
        self.writer.write(text.encode() + b'\r\n')
        await self.writer.drain()
        if text.startswith('421'):
            raise ConnectionError
        return text[0] in '23'

    async def misbehave(self, how, usual):
        if how == 'drop':
            raise ConnectionError
        if isinstance(how, bytes):
            self.writer.write(how)
        elif how == 'drip':
            for octet in usual.encode() + b'\r\n':
                self.writer.write(bytes([octet]))
                await self.writer.drain()
                await asyncio.sleep(DRIP_S)
        while how == 'endless':
            self.writer.write(usual[:3].encode() + b'-and so on\r\n')
            await self.writer.drain()
        while how == 'stall' and await self.reader.read(65536):
            pass
        await self.writer.drain()

    def reset(self):
        self.reverse_path, self.recipients, self.chunks = None, [], []

    async def run(self):
        if not await self.say('CONNECT', '', f'220 {self.sink.name} ESMTP'):
            return
        while True:
            line = await self.reader.readline()
            if not line:
                return
            text = line.rstrip(b'\r\n').decode('utf-8', 'surrogateescape')
            self.lines.append(f'C: {text}')
            verb, _, argument = text.partition(' ')
            verb = verb.upper()
            if verb == 'QUIT':
                await self.say('QUIT', '', '221 2.0.0 bye')
                return
            handler = getattr(self, 'on_' + verb.lower(), None)
            if handler is None or (verb == 'BDAT' and not self.sink.knows_bdat) or verb == ('EHLO' if self.sink.lmtp else 'LHLO'):
                await self.say(verb, argument, '502 5.5.1 not known here')
            else:
                await handler(argument)

    async def on_ehlo(self, argument):
        self.reset()
        words = [self.sink.name] + self.sink.extensions
        words += ['AUTH ' + ' '.join(self.sink.auth)] if self.sink.auth else []
        words += ['STARTTLS'] if self.sink.tls and not self.tls else []
        lines = [f'250{" " if n == len(words) - 1 else "-"}{word}' for n, word in enumerate(words)]
        await self.say('EHLO', argument, '\r\n'.join(lines))

    on_lhlo = on_ehlo

    async def on_starttls(self, argument):
        if not await self.say('STARTTLS', argument, '220 2.0.0 go ahead'):
            return
        if self.sink.tls == 'broken':
            raise ConnectionError
        if self.sink.tls == 'stalled':
            while await self.reader.read(4096):
                pass
            raise ConnectionError
        self.reset()
        await self.writer.start_tls(self.sink.tls)
        self.tls = self.writer.get_extra_info('ssl_object')
        self.lines.append('(TLS)')

    async def on_auth(self, argument):
        mechanism, _, first = argument.partition(' ')
        wanted, said = self.sink.auth[mechanism], [first] if first else []
        while len(said) < len(wanted):
            await self.say('CHALLENGE', mechanism, '334 ')
            line = (await self.reader.readline()).decode().rstrip('\r\n')
            self.lines.append(f'C: {line}')
            said.append(line)
        self.authenticated = [base64.b64decode(line) for line in said] == wanted
        await self.say('AUTH', mechanism, '235 2.7.0 in' if self.authenticated else '535 5.7.8 no such login')

    async def on_helo(self, argument):
        self.reset()
        await self.say('HELO', argument, f'250 {self.sink.name}')

    async def on_mail(self, argument):
        path = re.match(r'FROM:\s*<(.*?)>', argument, re.IGNORECASE)
        locked = self.sink.auth and not self.authenticated
        if await self.say('MAIL', argument, '530 5.7.0 log in first' if locked else '250 2.1.0 ok'):
            self.reverse_path = path.group(1)

    async def on_rcpt(self, argument):
        path = re.match(r'TO:\s*<(.*?)>(?:\s|$)', argument, re.IGNORECASE)
        usual = '503 5.5.1 MAIL first' if self.reverse_path is None else '250 2.1.5 ok'
        if await self.say('RCPT', path.group(1), usual):
            self.recipients.append(path.group(1))

    async def on_rset(self, argument):
        self.reset()
        await self.say('RSET', argument, '250 2.0.0 ok')

    async def on_noop(self, argument):
        await self.say('NOOP', argument, '250 2.0.0 ok')

    async def on_data(self, argument):
        if not self.recipients:
            await self.say('DATA', argument, '554 5.5.1 no valid recipients')
            return
        if not await self.say('DATA', argument, '354 go on'):
            return
        content = bytearray()
        while True:
            line = await self.reader.readuntil(b'\n')
            how = self.sink.reply('CONTENT', '') if not content else None
            if how is not None:
                await self.misbehave(how, '')
            if line == b'.\r\n':
                break
            content += line[1:] if line.startswith(b'.') else line
        self.lines.append(f'C: ({len(content)} octets)')
        self.lines.append('C: .')
        await self.keep(bytes(content))

    async def on_bdat(self, argument):
        size, _, last = argument.partition(' ')
        how = self.sink.reply('BDAT', argument)
        if how == 'drop':
            raise ConnectionError
        self.chunks.append(await self.reader.readexactly(int(size)))
        if not self.recipients:
            how = '503 5.5.1 no valid recipients'
        if how is None and last.upper() == 'LAST':
            await self.keep(b''.join(self.chunks))
        elif not await self.answer(how, '250 2.0.0 ok'):
            self.reset()

    async def keep(self, content):
        message = Message(self.lines, self.reverse_path, self.recipients, content, self.tls,
                          self.writer.get_extra_info('peername'))
        self.reset()
        if self.sink.lmtp:
            await self.keep_each(message)
            return
        if self.sink.take is not None:
            del self.lines[:]
            if await self.say('DOT', message, '250 2.0.0 kept'):
                self.sink.take(message)
            return
        # Kept before the answer: whoever reads the answer finds the message.
        self.sink.messages.append(message)
        if not await self.say('DOT', message, '250 2.0.0 kept'):
            self.sink.messages.remove(message)

    async def keep_each(self, message):
        """Kept for those that are told so, and for those that are told nothing."""
        self.sink.messages.append(message)
        for recipient in list(message.recipients):
            if not await self.say('DOT', recipient, '250 2.0.0 kept'):
                message.recipients.remove(recipient)
