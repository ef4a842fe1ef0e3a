# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program shows, as AT-SPI tells it: a window is read as a whole, in a few calls.

GTK tells in one answer of every widget that it was ever asked for (org.a11y.atspi.Cache), so only what is new is
asked for widget by widget, many questions at a time.  A node says what was true when its window was read.
"""

import collections
import functools
import os

import dbus
import dbus.bus
import dbus.mainloop.glib
import gi
gi.require_version('Atspi', '2.0')
from gi.repository import Atspi, GLib    # noqa: E402 pylint: disable=wrong-import-position

REGISTRY, ROOT, CACHE = 'org.a11y.atspi.Registry', '/org/a11y/atspi/accessible/root', '/org/a11y/atspi/cache'
ACCESSIBLE, TEXT = 'org.a11y.atspi.Accessible', 'org.a11y.atspi.Text'
GET_CHILDREN = ACCESSIBLE, 'GetChildren'
CALL_S = 30.0
WHOLE = (0, GLib.MAXINT32)
ISOLATES = dict.fromkeys(map(ord, '\u2068\u2069'))

FOCUSABLE, FOCUSED, SELECTED, SENSITIVE = (int(state) for state in (
    Atspi.StateType.FOCUSABLE, Atspi.StateType.FOCUSED, Atspi.StateType.SELECTED, Atspi.StateType.SENSITIVE))


class Gone(Exception):
    """The window is not there any more."""


@functools.lru_cache(maxsize=None)
def role_name(role):
    return Atspi.role_get_name(Atspi.Role(role))


Window = collections.namedtuple('Window', 'owner path title')


class Node:
    """One widget; @index: of its parent's children, -1 when it is not shown there."""

    def __init__(self, item):
        (self.owner, self.path), _, (_, self.parent), self.index, self.n_children, interfaces, self.name, role, _, \
            states = item
        self.role = role_name(role)
        self.has_text = TEXT in interfaces
        self.states = states[0] | states[1] << 32
        self.children = []

    def has(self, state):
        return bool(self.states >> state & 1)


class Tree:
    """A connection to the accessibility bus of the environment's session."""

    def __init__(self):
        session = dbus.bus.BusConnection(os.environ['DBUS_SESSION_BUS_ADDRESS'])
        address = session.call_blocking('org.a11y.Bus', '/org/a11y/bus', 'org.a11y.Bus', 'GetAddress', '', ())
        session.close()
        self.bus = dbus.bus.BusConnection(address, mainloop=dbus.mainloop.glib.DBusGMainLoop())
        self.bus.set_exit_on_disconnect(False)

    def call_each(self, nodes, method, kinds='', arguments=()):
        """The answers of @nodes, (owner, path) each, all asked at once.  @method: (interface, name)"""
        answers = {}
        for number, (owner, path) in enumerate(nodes):
            self.bus.call_async(owner, path, *method, kinds, arguments,
                                functools.partial(answers.__setitem__, number),
                                functools.partial(answers.__setitem__, number), CALL_S)
        while len(answers) < len(nodes):
            GLib.MainContext.default().iteration(True)
        for answer in answers.values():
            if isinstance(answer, dbus.DBusException):
                raise answer
        return [answers[number] for number in range(len(nodes))]

    def call(self, owner, path, method, kinds='', arguments=()):
        return self.call_each([(owner, path)], method, kinds, arguments)[0]

    def names(self, nodes):
        return self.call_each(nodes, ('org.freedesktop.DBus.Properties', 'Get'), 'ss', (ACCESSIBLE, 'Name'))

    def title(self, window):
        """Its name; '' when it goes meanwhile."""
        try:
            return self.names([window])[0]
        except dbus.DBusException:
            return ''

    def windows(self, program):
        """Those of the program of that name."""
        programs = self.call(REGISTRY, ROOT, GET_CHILDREN)
        for (owner, path), name in zip(programs, self.names(programs)):
            if name == program:
                windows = self.call(owner, path, GET_CHILDREN)
                return [Window(*window, self.title(window)) for window in windows]
        return []

    def read(self, window):
        """Its node, with all that is below it."""
        owner, path, _ = window
        asked = {}    # path: paths of its children
        while True:
            items = self.call(owner, CACHE, ('org.a11y.atspi.Cache', 'GetItems'))
            nodes = {node.path: node for node in map(Node, items) if node.owner == owner}
            if path not in nodes:
                if path in asked:
                    raise Gone(path)
                self.ask_children(owner, [path], nodes, asked)
                continue
            while unknown := join(nodes, nodes[path], asked):
                if self.ask_children(owner, unknown, nodes, asked):
                    break
            else:
                return nodes[path]

    def ask_children(self, owner, paths, nodes, asked):
        """Asks for the children of @paths, and of all below them that are not among @nodes; whether there were such."""
        is_new = False
        while paths:
            answers = self.call_each([(owner, path) for path in paths], GET_CHILDREN)
            asked.update((path, [child for _, child in children]) for path, children in zip(paths, answers))
            paths = [child for path in paths for child in asked[path] if child not in nodes and child not in asked]
            is_new = is_new or bool(paths)
        return is_new

    def ask_texts(self, nodes):
        """What stands in each of them; all of them has_text."""
        return self.call_each([(node.owner, node.path) for node in nodes], (TEXT, 'GetText'), 'ii', WHOLE)

    def texts(self, nodes):
        """What each of them shows: what stands in it, else its name, without the marks that isolate a value in a sentence.
        A label is called what it shows (test_names.py)."""
        able = [node for node in nodes if node.has_text and node.role != 'label']
        shown = dict(zip((node.path for node in able), self.ask_texts(able)))
        return [(shown.get(node.path) or node.name).translate(ISOLATES) for node in nodes]

    def middle(self, node):
        """Where a click meets it, from the corner of its window."""
        x, y, width, height = self.call(node.owner, node.path, ('org.a11y.atspi.Component', 'GetExtents'),
                                        'u', (int(Atspi.CoordType.WINDOW),))
        return x + width // 2, y + height // 2


def join(nodes, top, asked):
    """Gives each node below @top its children; the paths of those that have some that are not among @nodes."""
    families = collections.defaultdict(list)
    for node in nodes.values():
        if node.index >= 0:
            families[node.parent].append(node)
    unknown, stack = [], [top]
    while stack:
        node = stack.pop()
        if node.path in asked:
            node.children = [nodes[child] for child in asked[node.path] if child in nodes]
        else:
            node.children = sorted(families[node.path], key=lambda child: child.index)
            # One that is hidden may still have the number of the next one.
            if [child.index for child in node.children] != list(range(node.n_children)):
                unknown.append(node.path)
        stack.extend(node.children)
    return unknown
