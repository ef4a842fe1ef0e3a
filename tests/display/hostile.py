#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that answer the dialog what no service of ours would: hostile.py ADDRESS MOOD SEED

Owns the names of the rules service and of the relay on the bus at ADDRESS.  The moods:

  types    replies of any type
  values   replies of the right type, with values that are not
  long     replies as they should be, with the longest of texts, for hundreds of rows
  errors   errors of any name, with any text
  flood    as values, while signals come without an end and the names go and come
  silence  nothing at all
"""

import os
import random
import sys

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402  pylint: disable=wrong-import-position

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NAMES = {'org.reroute.Rules': ('/org/reroute/Rules', 'org.reroute.Rules1'),
         'org.reroute.Relay': ('/org/reroute/Relay', 'org.reroute.Relay1')}
PROPERTIES = 'org.freedesktop.DBus.Properties'
FLOOD_MS = 20
NAME_EVERY = 50

# Words of the interfaces, so that some answers come far, and what no word is.
WORDS = ('routing', 'connections', 'recipients', 'put', 'remove', 'set', 'reroute', 'inbound', 'relay', 'anyone', 'permitted',
         'saved', 'stale', 'refused', 'confirm', 'error', 'warning', 'waiting', 'held', 'hostname', 'permitted-hosts', 'domain',
         'target', 'action', 'accept_from', 'comment', 'hosts', 'enabled', 'exact', 'id', 'test.com', '127.0.0.1:25', 'yes', '-1',
         '', ' ', '<b>bold', '&amp;', '%s%n%d', 'a\nb\r\tc', '\u202etxet', '\u2068open', '\x01\x7f', '\U0001f4e7', 'x' * 30000,
         '.' * 300, '9' * 40, 'mx:[::1]:99999', '/etc/passwd')
NUMBERS = (0, 1, 2, 3, 7, 255, 1000, 65535, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1, -1, -2, -2**31, -2**63)
RANGES = {'y': (0, 2**8 - 1), 'n': (-2**15, 2**15 - 1), 'q': (0, 2**16 - 1), 'i': (-2**31, 2**31 - 1),
          'u': (0, 2**32 - 1), 'x': (-2**63, 2**63 - 1), 't': (0, 2**64 - 1)}
BASIC = 'ybnqiuxtds'
DEEPEST = 4

# What stands in a cell is cut; the whole of a reply is not.
LONG = ('x' * 3000, 'word ' * 600, '\u65e5\u672c\u8a9e' * 300, '\u0627\u0644\u0628\u0631\u064a\u062f ' * 300,
        'e' + '\u0301' * 1500, '\U0001f4e7' * 700, 'a\n' * 1500, '\u05d0\u05d1 x ' * 500)
N_LONG = 200
N_ROWS = 5000
ROW = '(sxsbba{sv})'


class Maker:
    """Makes values of a type by a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def type(self, depth=0):
        """Any complete type."""
        kind = self.random.random()
        if depth >= DEEPEST or kind < 0.5:
            return self.random.choice(BASIC)
        if kind < 0.6:
            return 'v'
        if kind < 0.75:
            return 'a' + self.type(depth + 1)
        if kind < 0.85:
            return 'a{' + self.random.choice('sux') + self.type(depth + 1) + '}'
        return '(' + ''.join(self.type(depth + 1) for _ in range(self.random.randrange(1, 4))) + ')'

    def basic(self, kind):
        if kind == 'b':
            return self.random.random() < 0.5
        if kind == 'd':
            return self.random.choice((0.0, -1.5, 1e300, float('inf'), float('nan')))
        if kind in RANGES:
            low, high = RANGES[kind]
            return self.random.choice([number for number in NUMBERS if low <= number <= high])
        return self.random.choice(WORDS)

    def length(self, depth):
        if depth > 1 or self.random.random() < 0.9:
            return self.random.randrange(6)
        return self.random.choice((100, 1000))

    def variant(self, kind, depth=0):
        """A GLib.Variant of the type @kind."""
        if kind == 'v':
            inner = self.random.choice('sbuxt') if self.random.random() < 0.7 else self.type(depth + 1)
            return GLib.Variant.new_variant(self.variant(inner, depth + 1))
        if kind[0] == '(':
            return GLib.Variant.new_tuple(*[self.variant(part, depth + 1) for part in split(kind[1:-1])])
        if kind[0] == 'a' and kind[1] == '{':
            key, value = split(kind[2:-1])
            # A key twice is no dictionary to us, and one to D-Bus.
            entries = [GLib.Variant.new_dict_entry(self.variant(key, depth + 1), self.variant(value, depth + 1))
                       for _ in range(self.length(depth))]
            return GLib.Variant.new_array(GLib.VariantType.new(kind[1:]), entries)
        if kind[0] == 'a':
            return GLib.Variant.new_array(GLib.VariantType.new(kind[1:]),
                                          [self.variant(kind[1:], depth + 1) for _ in range(self.length(depth))])
        return GLib.Variant(kind, self.basic(kind))


class LongMaker(Maker):
    """Makes replies that are taken for true, with long texts."""

    def __init__(self, seed):
        super().__init__(seed)
        self.n = 0

    def basic(self, kind):
        self.n += 1
        made = {'s': self.random.choice(LONG), 'b': True, 'd': 1.0, 'y': 1}
        return made.get(kind, self.n % N_ROWS if kind in 'nqu' else self.n)

    def length(self, depth):
        return N_LONG if depth < 2 else 3

    def variant(self, kind, depth=0):
        if kind == '(sv)':
            return GLib.Variant(kind, ('put', self.row('routing')))
        return self.row('routing') if kind == ROW else super().variant(kind, depth)

    def row(self, page):
        self.n += 1
        texts = {'comment': self.random.choice(LONG)[:300].replace('\n', ' '), 'changed-by': self.random.choice(LONG)}
        if page == 'routing':
            texts.update(action='reroute', target=f'{"t" * 60}.{self.n}.test')
        else:
            texts.update(deliver='host', hosts=' '.join(f'{"h" * 60}{i}.test' for i in range(32)))
        rest = {'changed-us': GLib.Variant('x', self.n), **{key: GLib.Variant('s', text) for key, text in texts.items()}}
        return GLib.Variant(ROW, (page, self.n, f'{"d" * 60}.{self.n}.test', False, True, rest))

    def reply(self, method, arguments):
        """As what the method has to say when it was asked with @arguments."""
        limit = min([arguments[i] for i, argument in enumerate(method.in_args) if argument.name == 'limit'] + [N_LONG])
        page = arguments[0] if method.name in ('List', 'Load') else 'routing'
        rows = GLib.Variant.new_array(GLib.VariantType.new(ROW), [self.row(page) for _ in range(limit)])
        made = {('serial', 't'): GLib.Variant('t', 1), ('total', 'u'): GLib.Variant('u', N_ROWS),
                ('state', 's'): GLib.Variant('s', 'saved'), ('rows', f'a{ROW}'): rows,
                ('values', 'a{ss}'): GLib.Variant('a{ss}', {'hostname': f'{"h" * 63}.test'})}
        return GLib.Variant.new_tuple(*[made.get((argument.name, argument.signature)) or self.variant(argument.signature, 1)
                                        for argument in method.out_args])


def split(kinds):
    """The complete types of a signature."""
    found, at = [], 0
    while at < len(kinds):
        end = at
        while kinds[end] == 'a':
            end += 1
        depth = 0
        while True:
            depth += (kinds[end] in '({') - (kinds[end] in ')}')
            end += 1
            if depth == 0:
                break
        found.append(kinds[at:end])
        at = end
    return found


class Hostile:
    def __init__(self, connection, mood, seed):
        self.connection, self.mood, self.n = connection, mood, 0
        self.maker = LongMaker(seed) if mood == 'long' else Maker(seed)
        self.has_answered = False
        self.interfaces = {}
        for _, interface in NAMES.values():
            with open(os.path.join(ROOT, 'common', f'{interface}.xml'), encoding='utf-8') as stream:
                self.interfaces[interface] = Gio.DBusNodeInfo.new_for_xml(stream.read()).lookup_interface(interface)

    def body(self, message):
        """What a call is answered, as a tuple."""
        if self.mood == 'types' and self.maker.random.random() < 0.7:
            return self.maker.variant('(' + self.maker.type() + ')')
        if message.get_interface() == PROPERTIES:
            return self.maker.variant('(a{sv})' if message.get_member() == 'GetAll' else '(v)')
        method = self.interfaces[message.get_interface()].lookup_method(message.get_member())
        if self.mood == 'long':
            return self.maker.reply(method, message.get_body().unpack() if message.get_body() else ())
        kinds = [argument.signature for argument in method.out_args]
        return GLib.Variant.new_tuple(*[self.maker.variant(kind, 1) for kind in kinds])

    def answer(self, message):
        if self.mood == 'silence':
            return
        if self.mood == 'errors' or (self.mood != 'long' and self.maker.random.random() < 0.1):
            name = self.maker.random.choice(('org.reroute.Error.Value', 'org.reroute.Error.NoSuchSerial', 'org.reroute.Error.Outcome',
                                             'org.freedesktop.DBus.Error.AccessDenied', 'org.example.Any'))
            reply = message.new_method_error_literal(name, self.maker.random.choice(WORDS))
        else:
            reply = message.new_method_reply()
            reply.set_body(self.body(message))
        self.connection.send_message(reply, Gio.DBusSendMessageFlags.NONE)
        if not self.has_answered:
            print('answered', flush=True)
        self.has_answered = True

    def filter(self, _connection, message, incoming):
        """Takes what no object of this connection would answer as we want to.  On the bus's own thread."""
        wanted = message.get_interface() in self.interfaces or message.get_interface() == PROPERTIES
        if incoming and wanted and message.get_message_type() == Gio.DBusMessageType.METHOD_CALL:
            self.answer(message)
            return None
        return message

    def flood(self):
        self.n += 1
        for path, interface in NAMES.values():
            for signal in self.interfaces[interface].signals:
                kinds = ''.join(argument.signature for argument in signal.args)
                self.connection.emit_signal(None, path, interface, signal.name, self.maker.variant(f'({kinds})'))
            self.connection.emit_signal(None, path, PROPERTIES, 'PropertiesChanged',
                                        GLib.Variant.new_tuple(GLib.Variant('s', interface), self.maker.variant('a{sv}'),
                                                               GLib.Variant('as', [])))
        if self.n % NAME_EVERY == 0:
            for name in NAMES:
                call(self.connection, 'ReleaseName', GLib.Variant('(s)', (name,)))
                call(self.connection, 'RequestName', GLib.Variant('(su)', (name, 0)))
        return GLib.SOURCE_CONTINUE


def call(connection, method, arguments):
    connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', method, arguments, None,
                         Gio.DBusCallFlags.NONE, -1, None)


def main():
    address, mood, seed = sys.argv[1:]
    connection = Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
    hostile = Hostile(connection, mood, int(seed))
    connection.add_filter(hostile.filter)
    for name in NAMES:
        call(connection, 'RequestName', GLib.Variant('(su)', (name, 0)))
    if mood == 'flood':
        GLib.timeout_add(FLOOD_MS, hostile.flood)
    GLib.MainLoop().run()


if __name__ == '__main__':
    main()
