# SPDX-License-Identifier: GPL-3.0-or-later
"""One between the dialog and rulesd, who can hold answers back and refuse calls."""

import threading

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib    # noqa: E402

from screen import Dialog, Place       # noqa: E402
from support import Bus                # noqa: E402

BUS = ('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus')
RULES = 'org.reroute.Rules'
CALL_MS = 60000


class Between:
    """Has the name of rulesd on a bus of its own, where the dialog is, and asks the desk's rulesd.

    @held: methods whose calls wait until let_go(); @refused: those that fail, each the next time.  @calls: what
    was called, in order; @answered: what has had an answer.
    """

    def __init__(self, desk):
        self.held = set()
        self.refused = set()
        self.calls = []
        self.answered = []
        self.released = threading.Event()
        self.place = Place('between')
        self.bus = Bus(self.place, self.place.join('none.db')).start()
        self.near = self._connect(self.bus.address)
        self.far = self._connect(desk.bus.address)
        self.near.add_filter(self._take_call)
        self.far.add_filter(self._pass_signal)
        self._ask(self.far, 'StartServiceByName', '(su)', RULES, 0)
        self._ask(self.far, 'AddMatch', '(s)', f"type='signal',sender='{RULES}'")
        self._ask(self.near, 'RequestName', '(su)', RULES, 4)
        self.dialog = Dialog(desk.place, self.bus.address)

    def __enter__(self):
        self.dialog.__enter__()
        return self

    def __exit__(self, *_):
        self.let_go()
        self.dialog.__exit__()
        self.near.close_sync(None)
        self.far.close_sync(None)
        self.place.__exit__(None, None, None)

    def hold(self, *methods):
        self.released.clear()
        self.calls.clear()
        self.answered.clear()
        self.held = set(methods)

    def let_go(self):
        self.held = set()
        self.released.set()

    @staticmethod
    def _connect(address):
        flags = Gio.DBusConnectionFlags
        return Gio.DBusConnection.new_for_address_sync(
            address, flags.AUTHENTICATION_CLIENT | flags.MESSAGE_BUS_CONNECTION, None, None)

    @staticmethod
    def _ask(connection, method, kinds, *values):
        connection.call_sync(*BUS, method, GLib.Variant(kinds, values), None, Gio.DBusCallFlags.NONE, -1, None)

    def _pass_signal(self, _connection, message, incoming):
        """On the far bus's own thread."""
        if incoming and message.get_message_type() == Gio.DBusMessageType.SIGNAL and \
                (message.get_path() or '').startswith('/org/reroute'):
            signal = Gio.DBusMessage.new_signal(message.get_path(), message.get_interface(), message.get_member())
            if message.get_body() is not None:
                signal.set_body(message.get_body())
            self.near.send_message(signal, Gio.DBusSendMessageFlags.NONE)
        return message

    def _take_call(self, _connection, message, incoming):
        """On the near bus's own thread."""
        if not incoming or message.get_message_type() != Gio.DBusMessageType.METHOD_CALL:
            return message
        threading.Thread(target=self._answer, args=[message], daemon=True).start()
        return None

    def _answer(self, message):
        method = message.get_member()
        self.calls.append(method)
        if method in self.held:
            self.released.wait()
        if method in self.refused:
            self.refused.remove(method)
            reply = message.new_method_error_literal('org.freedesktop.DBus.Error.NoReply', 'no answer in time')
        else:
            reply = self._pass_call(message)
        self.near.send_message(reply, Gio.DBusSendMessageFlags.NONE)
        self.answered.append(method)

    def _pass_call(self, message):
        call = Gio.DBusMessage.new_method_call(RULES, message.get_path(), message.get_interface(), message.get_member())
        if message.get_body() is not None:
            call.set_body(message.get_body())
        answer, _serial = self.far.send_message_with_reply_sync(call, Gio.DBusSendMessageFlags.NONE, CALL_MS, None)
        if answer.get_message_type() == Gio.DBusMessageType.ERROR:
            return message.new_method_error_literal(answer.get_error_name(), answer.get_body().unpack()[0])
        reply = message.new_method_reply()
        if answer.get_body() is not None:
            reply.set_body(answer.get_body())
        return reply
