# SPDX-License-Identifier: GPL-3.0-or-later
"""TAP (Test Anything Protocol, version 13) for the Python tests."""

import sys
import traceback


class Skip(Exception):
    """Raised by a case that cannot run here; its text is the reason."""


class Tap:
    """Prints one line a case, and the plan at the end."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, passed, name, detail=()):
        """One case; @detail: lines that say what is wrong: meson shows stderr of what failed."""
        self.count += 1
        if not passed:
            self.failed += 1
            for line in detail:
                print(f'# {line}', file=sys.stderr)
        print(f'{"ok" if passed else "not ok"} {self.count} - {name}', flush=True)
        return passed

    def skip(self, name, reason):
        self.count += 1
        print(f'ok {self.count} - {name} # SKIP {reason}', flush=True)

    def case(self, name, function, *arguments):
        """Runs @function: an exception fails the case, Skip skips it."""
        try:
            function(*arguments)
        except Skip as reason:
            self.skip(name, reason)
        except Exception:  # pylint: disable=broad-except
            self.ok(False, name, traceback.format_exc().splitlines())
        else:
            self.ok(True, name)

    def done(self):
        """Prints the plan and ends the program."""
        print(f'1..{self.count}', flush=True)
        sys.exit(1 if self.failed else 0)


def run(*functions):
    """Runs @functions as cases named after them, in order, and ends the program."""
    tap = Tap()
    for function in functions:
        tap.case(function.__name__.removeprefix('test_').replace('_', '-'), function)
    tap.done()
