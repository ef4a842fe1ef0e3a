#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alarms: their settings, and what the dialog and the desktop show of one."""

import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from desk import SHEET, poll, run_with_relay       # noqa: E402

ALARMS = 'Alarms'
NOTIFICATIONS = '''<node><interface name="org.freedesktop.Notifications">
  <method name="GetServerInformation">
    <arg type="s" direction="out"/><arg type="s" direction="out"/><arg type="s" direction="out"/>
    <arg type="s" direction="out"/></method>
  <method name="GetCapabilities"><arg type="as" direction="out"/></method>
  <method name="Notify">
    <arg type="s" direction="in"/><arg type="u" direction="in"/><arg type="s" direction="in"/>
    <arg type="s" direction="in"/><arg type="s" direction="in"/><arg type="as" direction="in"/>
    <arg type="a{sv}" direction="in"/><arg type="i" direction="in"/><arg type="u" direction="out"/></method>
  <method name="CloseNotification"><arg type="u" direction="in"/></method>
</interface></node>'''


class Desktop:
    """What shows notifications on the session bus of this test. @shown: {id: (title, text)}"""

    def __init__(self):
        self.shown, self.count = {}, 0
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        assert ready.wait(30)

    def _run(self, ready):
        from gi.repository import Gio, GLib    # pylint: disable=import-outside-toplevel
        context = GLib.MainContext()
        context.push_thread_default()
        bus = Gio.DBusConnection.new_for_address_sync(
            os.environ['DBUS_SESSION_BUS_ADDRESS'],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)
        self.variant = GLib.Variant
        interface = Gio.DBusNodeInfo.new_for_xml(NOTIFICATIONS).interfaces[0]
        bus.register_object('/org/freedesktop/Notifications', interface, self._called, None, None)
        bus.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus', 'RequestName',
                      GLib.Variant('(su)', ('org.freedesktop.Notifications', 0)), None, Gio.DBusCallFlags.NONE, -1, None)
        self.bus = bus
        ready.set()
        GLib.MainLoop(context).run()

    def _called(self, _bus, _sender, _path, _interface, method, arguments, invocation):
        values = arguments.unpack()
        if method == 'Notify':
            number = values[1] or self.count + 1
            self.count = max(self.count, number)
            self.shown[number] = (values[3], values[4])
            invocation.return_value(self.variant('(u)', (number,)))
        elif method == 'CloseNotification':
            self.shown.pop(values[0], None)
            invocation.return_value(None)
        elif method == 'GetCapabilities':
            invocation.return_value(self.variant('(as)', (['body'],)))
        else:
            invocation.return_value(self.variant('(ssss)', ('test', 'test', '1', '1.2')))


def fill(desk, letter, text):
    desk.dialog.focus(ALARMS)
    desk.dialog.key(letter, 'ctrl+a')
    desk.dialog.type(text)


def test_settings(desk):
    desk.desktop = Desktop()
    desk.open()
    desk.tab('Diagnostics')
    desk.dialog.key('alt+m')
    for letter, wrong, said, right in (
            ('alt+w', '4', 'Write a time from 0s to 60d', '4h'),
            ('alt+d', '100', 'Write a whole number from 0 to 99.', '95'),
            ('alt+p', '/bin/sh', '“/bin/sh” is no bare name of a program.', 'tell'),
            ('alt+a', 'http://alarms.example/', '“http://alarms.example/” is no web address for alarms.',
             'http://127.0.0.1:9/')):
        fill(desk, letter, wrong)
        desk.dialog.wait_text(said, ALARMS)
        fill(desk, letter, right)
        desk.dialog.wait_no_text(said, ALARMS)
    desk.dialog.click(ALARMS, 'push button', 'OK')
    desk.dialog.wait_closed(ALARMS)
    desk.dialog.wait_text('4 unsaved changes')
    desk.apply()
    assert [desk.setting(key) for key in ('alarm-oldest', 'alarm-spool', 'alarm-command', 'alarm-webhook')] == \
        ['4h', '95', 'tell', 'http://127.0.0.1:9/']


def test_notification_and_banner(desk):
    """As long as something is wrong it is on the desktop and above the pages."""
    assert not desk.desktop.shown
    desk.ctl('settings', 'set', 'tls-certificate', '/nowhere.pem')
    title, text = list(poll('the notification', lambda: desk.desktop.shown).values())[0]
    assert title == 'A certificate is about to end', title
    assert text.startswith('A certificate cannot be shown: cannot use the certificate “/nowhere.pem”'), text
    assert text.endswith('Correct the file, or the setting or entry that names it.'), text
    desk.dialog.wait_text('1 alarm: A certificate cannot be shown', SHEET)
    desk.ctl('settings', 'set', 'tls-certificate', '')
    poll('it to go', lambda: not desk.desktop.shown)


def test_notification_goes_with_the_dialog(desk):
    desk.ctl('settings', 'set', 'tls-certificate', '/nowhere.pem')
    poll('the notification', lambda: desk.desktop.shown)
    desk.dialog.__exit__(None, None, None)
    poll('it to go', lambda: not desk.desktop.shown)


if __name__ == '__main__':
    run_with_relay('alarm-notices', test_settings, test_notification_and_banner, test_notification_goes_with_the_dialog)
