# SPDX-License-Identifier: GPL-3.0-or-later
"""A display, a session bus for AT-SPI, and the dialog on them: read by AT-SPI, driven by xdotool."""

import functools
import os
import shutil
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'relay')]

from dbus import DBusException                # noqa: E402

from memory import is_sanitized               # noqa: E402
from place import BUILD, Place, poll          # noqa: E402,F401
from tap import Skip                          # noqa: E402
from tree import SELECTED, SENSITIVE, Gone, Tree    # noqa: E402

DIALOG = os.path.join(BUILD, 'gui', 'reroute')
TOOLS = ('Xvfb', 'openbox', 'xdotool', 'dbus-daemon', 'import')
SIZE = (1366, 900)
FEWEST_PAGES = 5
PATIENCE_S = 120 if is_sanitized(DIALOG) else 30


def vanishing(answer):
    """What a reader of the tree says when a node goes while it is read: it is asked again."""
    def decorate(function):
        @functools.wraps(function)
        def read(*arguments, **options):
            try:
                return function(*arguments, **options)
            except (DBusException, Gone):
                return answer
        return read
    return decorate


class Screen:
    """Xvfb with a window manager, and a session bus; sets the environment of this process."""

    def __init__(self, place, language='C', scale=1, settings='', size=SIZE):
        for tool in TOOLS:
            if shutil.which(tool) is None:
                raise Skip(f'no {tool}')
        self.place = place
        self.language = language
        self.scale = scale
        self.settings = settings
        self.size = size
        self.saved = dict(os.environ)

    def __enter__(self):
        place = self.place
        reading, writing = os.pipe()
        place.start('xvfb', ['Xvfb', '-displayfd', str(writing), '-screen', '0',
                             f'{self.size[0] * self.scale}x{self.size[1] * self.scale}x24',
                             '-nolisten', 'tcp'], pass_fds=[writing])
        os.close(writing)
        with os.fdopen(reading) as stream:
            number = stream.readline().strip()
        place.folder('run', mode=0o700)
        place.folder('home', 'gtk-4.0')
        place.write('[Settings]\ngtk-font-name=Cantarell 11\ngtk-enable-animations=0\n' +
                    self.settings,
                    'home', 'gtk-4.0', 'settings.ini')
        for name in ('GTK_A11Y', 'AT_SPI_BUS_ADDRESS', 'WAYLAND_DISPLAY', 'DESKTOP_AUTOSTART_ID'):
            os.environ.pop(name, None)
        os.environ.update(
            DISPLAY=f':{number}', GDK_BACKEND='x11', GSK_RENDERER='cairo', GSETTINGS_BACKEND='memory',
            XDG_RUNTIME_DIR=place.join('run'), HOME=place.join('home'),
            XDG_CONFIG_HOME=place.join('home'), XDG_CACHE_HOME=place.join('home'),
            XDG_DATA_HOME=place.join('home'),
            LC_ALL='C.UTF-8', LANGUAGE=self.language, G_DEBUG='fatal-criticals',
            GDK_SCALE=str(self.scale), REROUTE_LOCALE_DIR=os.path.join(BUILD, 'po'),
            DBUS_SESSION_BUS_ADDRESS=f'unix:path={place.join("session")}')
        place.start('session-bus', ['dbus-daemon', '--session', '--nofork', '--nopidfile',
                                    f'--address=unix:path={place.join("session")}'])
        poll('the session bus', lambda: os.path.exists(place.join('session')))
        place.start('openbox', ['openbox'])
        return self

    def __exit__(self, *_):
        os.environ.clear()
        os.environ.update(self.saved)

    @staticmethod
    def environment():
        """For a program under test: a warning ends it.  Who reads it by AT-SPI warns of what went meanwhile."""
        return dict(os.environ, G_DEBUG='fatal-warnings')

    @staticmethod
    def shoot(path):
        """A picture of the whole screen."""
        subprocess.run(['import', '-window', 'root', path], check=True)


class Dialog:
    """The running reroute."""

    def __init__(self, place, address, *options, environment=None):
        self.place = place
        self.address = address
        self.options = options
        self.environment = dict(Screen.environment(), **(environment or {}))
        self.process = None

    def __enter__(self):
        self.process = self.place.start('reroute', [DIALOG, f'--bus={self.address}', *self.options],
                                        self.environment)
        self.place.silent.add(self.process.title)
        poll('the window', self.windows, PATIENCE_S)
        return self

    def __exit__(self, *_):
        self.place.end(self.process)

    # --- what is shown ---

    @functools.cached_property
    def tree(self):
        """Made with the first look: only after Screen was entered."""
        return Tree()

    @vanishing(())
    def windows(self):
        return self.tree.windows('reroute')

    def window(self, title='Properties'):
        """The window whose title contains @title, or None."""
        return next((window for window in self.windows() if title in window.title), None)

    def wait_window(self, title):
        return poll(f'a window “{title}”', lambda: self.window(title), PATIENCE_S)

    def wait_closed(self, title):
        poll(f'the end of the window “{title}”', lambda: not self.window(title), PATIENCE_S)

    def walk(self, window, with_hidden=False):
        """All of @window; without the pages of a notebook that are not shown, unless @with_hidden."""
        stack, page = [self.tree.read(window)], None
        while stack:
            current = stack.pop()
            yield current
            children = current.children
            if not with_hidden and len(children) >= FEWEST_PAGES:
                if page is None:
                    page = self.selected_tab(children)
                elif page in [child.name for child in children]:
                    children = [child for child in children if child.name == page]
            stack.extend(reversed(children))

    @staticmethod
    def selected_tab(nodes):
        """The name of the tab among @nodes that is selected, or None."""
        return next((node.name for node in nodes if node.role == 'page tab' and node.has(SELECTED)), None)

    @vanishing([])
    def nodes(self, title='Properties'):
        """What walk() gives of the window @title; none while it changes under the reader."""
        window = self.window(title)
        return list(self.walk(window)) if window else []

    def find(self, title, role, name=None):
        """The first node of @role (and @name) in the window @title, or None."""
        return next((node for node in self.nodes(title) if node.role == role and name in (None, node.name)), None)

    def wait(self, title, role, name=None):
        return poll(f'{role} “{name}” in “{title}”', lambda: self.find(title, role, name), PATIENCE_S)

    @vanishing([])
    def texts(self, title='Properties'):
        """Every text of the window, one string each; none while it changes under the reader."""
        return self.tree.texts(self.nodes(title))

    def wait_text(self, text, title='Properties'):
        poll(f'“{text}” in “{title}”', lambda: any(text in shown for shown in self.texts(title)),
             PATIENCE_S)

    def wait_no_text(self, text, title='Properties'):
        def gone():
            texts = self.texts(title)
            return texts and not any(text in shown for shown in texts)
        poll(f'no “{text}” in “{title}”', gone, PATIENCE_S)

    def wait_sensitive(self, title, role, name, wanted=True):
        def sensitive():
            node = self.find(title, role, name)
            return node and node.has(SENSITIVE) == wanted
        poll(f'{role} “{name}” to be {"" if wanted else "in"}sensitive', sensitive, PATIENCE_S)

    # --- what is done ---

    @staticmethod
    def xdotool(*arguments):
        return subprocess.run(['xdotool', *arguments], check=True, text=True, capture_output=True,
                              timeout=PATIENCE_S).stdout.strip()

    def focus(self, title):
        """The window gets the keys."""
        self.wait_window(title)

        def active():
            found = subprocess.run(['xdotool', 'search', '--name', title], text=True,
                                   capture_output=True, check=False).stdout.split()
            if not found:
                return None
            self.xdotool('windowactivate', found[-1])
            # It fails while no window is.
            now = subprocess.run(['xdotool', 'getactivewindow'], text=True, capture_output=True, check=False).stdout
            return found[-1] if now.strip() == found[-1] else None
        return poll(f'the window “{title}” to be active', active, PATIENCE_S)

    def key(self, *keys):
        self.xdotool('key', '--clearmodifiers', *keys)

    def type(self, text):
        self.xdotool('type', '--delay', '8', text)

    def middle(self, title, role, name):
        """Of a node that stands still: the tree tells of a list that has changed before it is laid out."""
        places = []

        @vanishing(None)
        def still():
            node = self.find(title, role, name)
            places.append(node and self.tree.middle(node))
            return places[-2:-1] == places[-1:] and places[-1]
        return poll(f'{role} “{name}” to stand still', still, PATIENCE_S)

    def click(self, title, role, name):
        """A real click into the middle of a node."""
        self.wait_sensitive(title, role, name)
        window = self.focus(title)
        middle = self.middle(title, role, name)
        scale = int(os.environ.get('GDK_SCALE', '1'))
        self.xdotool('mousemove', '--window', window, *[str(at * scale) for at in middle], 'click', '1')

    def end(self):
        """Waits for the program to end by itself; its exit status."""
        return poll('reroute to end', lambda: self.process.poll() is not None, PATIENCE_S) and \
            self.process.returncode
