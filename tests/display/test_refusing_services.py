#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rules service that is newer than the dialog, a relay that does not let her look: she is told which it is."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import gi  # noqa: E402

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402

from desk import SHEET, run  # noqa: E402
from screen import Dialog    # noqa: E402

EXPLAIN = 'Test an Address'
ACCESS = 'org.reroute.Error.Access'


class StandIn:
    """Stands on the bus for one of ours, from the moment it is made.

    @answers: {method: what it returns, as a GLib.Variant}; anything else is refused."""

    def __init__(self, desk, name, answers):
        self.answers = answers
        self.connection = Gio.DBusConnection.new_for_address_sync(
            desk.bus.address,
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.connection.add_filter(self._filter)
        self.connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                                  GLib.Variant('(su)', (name, 0)), None, Gio.DBusCallFlags.NONE, -1, None)

    def _filter(self, connection, message, incoming):
        """On the bus's own thread."""
        if not incoming or message.get_message_type() != Gio.DBusMessageType.METHOD_CALL:
            return message
        answer = self.answers.get(message.get_member())
        if answer is None:
            reply = message.new_method_error_literal(ACCESS, 'nobody could be asked for a password')
        else:
            reply = message.new_method_reply()
            reply.set_body(answer)
        connection.send_message(reply, Gio.DBusSendMessageFlags.NONE)
        return None

    def close(self):
        self.connection.close_sync(None)


def test_relay_that_does_not_let_her_look(desk):
    """It runs, and is not called away."""
    desk.ctl('routing', 'add', 'test.com', '--reroute-to=example.com', '--accept-from=anyone')
    relay = StandIn(desk, 'org.reroute.Relay', {'Status': GLib.Variant('(a{sv})', ({'serial': GLib.Variant('t', 1)},))})
    desk.open()
    desk.dialog.wait_text('saved, in use')
    desk.dialog.focus(SHEET)
    desk.dialog.key('alt+t', 'ctrl+a')
    desk.dialog.type('user@test.com')
    desk.dialog.key('Return')
    desk.dialog.wait_text('You may not look into mail on this server.', EXPLAIN)
    desk.dialog.focus(EXPLAIN)
    desk.dialog.key('Escape')
    desk.dialog.wait_closed(EXPLAIN)
    relay.close()
    desk.dialog.wait_text('The relay is not running: no mail is taken or sent.')


def test_rules_service_that_is_newer(desk):
    """It has a setting that is not known here; she is told so, and it goes by itself."""
    desk.dialog.click(SHEET, 'push button', 'OK')
    assert desk.dialog.end() == 0
    desk.bus.stop()
    desk.bus.start()
    newer = StandIn(desk, 'org.reroute.Rules', {
        'Settings': GLib.Variant('(ta{ss})', (7, {'hostname': 'relay1.test', 'of-tomorrow': 'yes'})),
        'Check': GLib.Variant('(a(sssasassa(sx)))', ([],))})
    desk.dialog = Dialog(desk.place, desk.bus.address).__enter__()
    desk.page(1)
    desk.dialog.wait_text('The rules cannot be read.')
    desk.dialog.wait_text('reroute-rulesd is of another version than this program')
    desk.dialog.wait_text('of-tomorrow')
    newer.close()
    desk.dialog.wait_no_text('The rules cannot be read.')
    desk.dialog.wait_text('test.com')


if __name__ == '__main__':
    run('refusing-services', *[case for name, case in list(globals().items()) if name.startswith('test_')])
